//! The passes of others at the door: what the gate carries for them, and the verdict in two steps, so
//! that the browser's own cryptography can check the signatures. What it cannot check, this module
//! does, where it has code for it (P-256 and Ed25519).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use credential::pass::{
    self, Algorithm, Facts, Material, Policy, Prepared, PublicKey, Reason, Rules, Ruling,
    SignatureCheck, Trust, Verdict, der,
};
use credential::verify::{Check, Outcome};
use credential::{DecodeError, Policy as Clocks, SeenSet};
use judge::CountryRules;
use rules::{PassRules, ValueSets};
use serde::{Deserialize, Serialize};

/// What a place asks for of the passes of others; the words of `contracts::gate::Demand`.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Demand {
    /// The name of a set of rules that the gate carries, `own` for none beyond the pass itself, or
    /// `code_only`: then no pass of others counts.
    #[serde(default)]
    pub rules: String,
    /// Whether the guard sees the full name.
    #[serde(default)]
    pub full_name: bool,
    /// Whether a pass that is good by files that are too old lets through, with a mark.
    #[serde(default)]
    pub stale_passes: bool,
}

/// What the gate carries.
#[derive(Debug)]
pub struct Passes {
    material: Dates,
    trust: Trust,
    sets: Vec<(String, CountryRules)>,
}

/// When the material was signed, and until when it counts.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Dates {
    /// Grows with every change.
    pub version: u64,
    /// Unix seconds.
    pub issued_at: i64,
    /// Unix seconds.
    pub valid_until: i64,
}

/// One signature for the browser to check.
#[derive(Debug, Serialize)]
pub struct ToCheck {
    /// WebCrypto's name of the key's format: `raw` or `spki`.
    form: &'static str,
    /// In base64, as the rest.
    key: String,
    /// WebCrypto's name of the scheme.
    scheme: &'static str,
    /// The curve, of ECDSA.
    curve: Option<&'static str>,
    hash: &'static str,
    /// Bytes of salt, of RSA-PSS.
    salt: u32,
    message: String,
    signature: String,
}

/// What the page shows.
#[derive(Debug, Serialize)]
pub struct Shown {
    /// The verdict; `reasons` as stable codes, a rule's name after a colon.
    #[serde(flatten)]
    verdict: Verdict,
    /// Let through by files that are too old, because the place says so.
    marked: bool,
    /// The entry's name for the pass (see [`pass::name_of`]) in hexadecimal digits; paper and phone have
    /// one. Only of what somebody trusted has signed.
    pass: Option<String>,
}

impl Passes {
    /// Reads signed material.
    ///
    /// # Errors
    /// Material that the region's root did not sign, or older than what this gate has had.
    pub fn open(signed: &[u8], root: &[u8; 32], min_version: u64) -> Result<Self, DecodeError> {
        let read = Material::open(signed, root, min_version)?;
        let mut trust = Trust::default();
        for file in &read.files {
            trust.add(file);
        }
        let json = |text: &str| serde_json::from_str(text).map_err(|_| DecodeError::WrongShape);
        let mut value_sets = ValueSets::default();
        if !read.value_sets.is_empty() {
            value_sets.add(&json(&read.value_sets)?).map_err(|_| DecodeError::WrongShape)?;
        }
        let mut sets = Vec::with_capacity(read.rules.len());
        for set in read.rules {
            let mut rules = PassRules::default();
            rules.add(&json(&set.rules)?).map_err(|_| DecodeError::WrongShape)?;
            let value_sets = value_sets.clone();
            sets.push((set.name, CountryRules { country: set.country, rules, value_sets }));
        }
        let material = Dates {
            version: read.version,
            issued_at: read.issued_at,
            valid_until: read.valid_until,
        };
        Ok(Self { material, trust, sets })
    }

    /// Of when the material is.
    pub fn dates(&self) -> Dates {
        self.material
    }

    /// The signatures in `text` that the browser may check.
    pub fn to_check(&self, text: &str) -> Vec<Option<ToCheck>> {
        pass::prepare(text, &self.trust).checks().iter().map(to_check).collect()
    }

    /// The verdict. `held` are the browser's answers in the order of [`Passes::to_check`]; what it did
    /// not answer is computed here.
    ///
    /// A compact code is looked for in `seen`, and one that lets through is put there.
    pub fn judge(
        &self,
        text: &str,
        held: &[Option<bool>],
        demand: &Demand,
        seen: Option<&mut SeenSet>,
        now_s: i64,
    ) -> Shown {
        let prepared = pass::prepare(text, &self.trust);
        let held = answers(&prepared, held);
        let clock_tolerance_s = Clocks::default().clock_tolerance_s;
        let policy = Policy { full_name: demand.full_name, clock_tolerance_s };
        let place = Place { carried: self, demand };
        let mut verdict = prepared.conclude(&held, Some(&place), &policy, now_s);
        let is_behind = now_s.saturating_add(clock_tolerance_s) < self.material.issued_at;
        let is_old = self.material.valid_until <= now_s;
        let marked = is_old && demand.stale_passes && verdict.outcome == Outcome::Pass;
        // What the pass itself says stands; that nothing speaks against it is only as good as the files.
        let doubt = if is_behind {
            Some(Reason::Code(credential::Reason::ClockBehind))
        } else {
            (is_old && !marked).then_some(Reason::TrustStale)
        };
        if let Some(doubt) = doubt {
            verdict.outcome = Outcome::CannotTell;
            verdict.reasons.push(doubt.into());
        }
        let bound = prepared.bound();
        if let (Some((name, step)), Some(seen), Outcome::Pass) = (bound, seen, verdict.outcome) {
            if seen.find(&name, step, now_s, Clocks::default().seen_within_s).is_some() {
                verdict.outcome = Outcome::CannotTell;
                verdict.reasons.push(Reason::Code(credential::Reason::AlreadyUsed).into());
            } else {
                seen.remember(name, step, now_s);
            }
        }
        let signed = verdict.checks.signature == Check::Ok;
        let name = signed.then(|| bound.map_or_else(|| pass::name_of(text), |it| it.0));
        Shown { verdict, marked, pass: name.map(hexadecimal) }
    }
}

fn hexadecimal(name: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(name))
}

fn answers(prepared: &Prepared<'_>, held: &[Option<bool>]) -> Vec<Option<bool>> {
    let answer = |(at, check): (usize, &SignatureCheck)| {
        held.get(at).copied().flatten().or_else(|| check.holds())
    };
    prepared.checks().iter().enumerate().map(answer).collect()
}

fn to_check(check: &SignatureCheck) -> Option<ToCheck> {
    let (form, key, curve) = match &check.key {
        // Browsers read whole points only.
        PublicKey::P256(point) if point.len() == 65 => ("raw", point.clone(), Some("P-256")),
        PublicKey::P384(point) if point.len() == 97 => ("raw", point.clone(), Some("P-384")),
        PublicKey::P521(point) if point.len() == 133 => ("raw", point.clone(), Some("P-521")),
        PublicKey::P256(_) | PublicKey::P384(_) | PublicKey::P521(_) => return None,
        PublicKey::Rsa(key) => ("spki", subject_public_key(key), None),
        PublicKey::Ed25519(key) => ("raw", key.to_vec(), None),
    };
    let (scheme, hash, salt) = match check.algorithm {
        Algorithm::Es256 => ("ECDSA", "SHA-256", 0),
        Algorithm::Es384 => ("ECDSA", "SHA-384", 0),
        Algorithm::Es512 => ("ECDSA", "SHA-512", 0),
        Algorithm::Ps256 => ("RSA-PSS", "SHA-256", 32),
        Algorithm::Ps384 => ("RSA-PSS", "SHA-384", 48),
        Algorithm::Ps512 => ("RSA-PSS", "SHA-512", 64),
        Algorithm::Rs256 => ("RSASSA-PKCS1-v1_5", "SHA-256", 0),
        Algorithm::Rs384 => ("RSASSA-PKCS1-v1_5", "SHA-384", 0),
        Algorithm::Rs512 => ("RSASSA-PKCS1-v1_5", "SHA-512", 0),
        Algorithm::EdDsa => ("Ed25519", "SHA-512", 0),
    };
    Some(ToCheck {
        form,
        key: STANDARD.encode(key),
        scheme,
        curve,
        hash,
        salt,
        message: STANDARD.encode(&check.message),
        signature: STANDARD.encode(&check.signature),
    })
}

/// An RSA key as SubjectPublicKeyInfo (RFC 3279, 2.3.1), as WebCrypto reads it.
fn subject_public_key(key: &[u8]) -> Vec<u8> {
    const RSA_ENCRYPTION: &[u8] =
        &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
    let bits = der::wrapped(der::BIT_STRING, &[&[0], key].concat());
    let algorithm = der::wrapped(der::SEQUENCE, RSA_ENCRYPTION);
    der::wrapped(der::SEQUENCE, &[algorithm, bits].concat())
}

/// The rules of this place.
struct Place<'a> {
    carried: &'a Passes,
    demand: &'a Demand,
}

impl Rules for Place<'_> {
    fn judge(&self, facts: &Facts<'_>) -> Ruling {
        if self.demand.rules == "own" {
            return Ruling::default();
        }
        let open =
            |name: &str| Ruling { asked: 1, failed: Vec::new(), open: vec![name.to_owned()] };
        let sets = &self.carried.sets;
        let set = sets.iter().find(|(name, _)| *name == self.demand.rules).map(|(_, set)| set);
        let Some(set) = set else { return open(&self.demand.rules) };
        let ruling = set.judge(facts);
        // Where no rule is for such a pass, nobody has said yes.
        if ruling.asked == 0 { open(&self.demand.rules) } else { ruling }
    }
}
