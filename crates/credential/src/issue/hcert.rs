//! Passes of ours that others can read: HCERT, as the EU Digital COVID Certificate and the WHO have it.
//!
//! An organisation signs with a P-256 key of its own. Its name in each pass is the first eight bytes of
//! the hash of its certificate, as DCC verifiers look it up, or of the bare public key where the region
//! publishes keys without certificates. Nothing is signed that the reader in [`crate::pass`] would not
//! take: a pass that fails at the airport is worse than an error at the desk.
//!
//! An exemption is no DCC: the schema has vaccination, test and recovery only. It travels in the same
//! envelope under a group of its own, `x`, which Haetae reads and others refuse by their schema.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minicbor::Encoder;
use miniz_oxide::deflate::compress_to_vec_zlib;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{DeviceKey, IssueError};
use crate::base45;
use crate::cbor::{Written, encoded};
use crate::cose::first_eight;
use crate::error::DecodeError;
use crate::pass::certificate::Certificate;
use crate::pass::jwk::to_base64url;
use crate::pass::status::{self, StatusClaims};
use crate::pass::{BoundPass, PublicKey, dcc_is_valid, holder, time};

/// The version of the schema that is written (ehn-dcc-schema 1.3.0).
const SCHEMA: &str = "1.3.0";
/// COVID-19 in SNOMED CT, the one disease of the value set "disease-agent-targeted".
const COVID_19: &str = "840539006";
/// SubjectPublicKeyInfo of a P-256 key, up to the point (RFC 5480).
const P256_INFO: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// Whose pass it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Surname, in any script.
    pub surname: String,
    /// Given names, in any script.
    pub given: String,
    /// Surname in Latin letters, as in the passport.
    pub surname_latin: String,
    /// Given names in Latin letters, as in the passport.
    pub given_latin: String,
    /// `YYYY-MM-DD`, or less of it, or nothing.
    pub birth: String,
}

/// What is attested, in the codes of the EU's value sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attested {
    /// One dose.
    Vaccination {
        /// Kind of vaccine, e.g. `1119349007`.
        prophylaxis: String,
        /// Product, e.g. `EU/1/20/1528`.
        product: String,
        /// Marketing authorisation holder, e.g. `ORG-100030215`.
        manufacturer: String,
        /// Which dose it was.
        dose: u8,
        /// How many make a series.
        of_doses: u8,
        /// `YYYY-MM-DD`.
        day: String,
    },
    /// A test, positive or negative.
    Test {
        /// Kind of test, e.g. `LP6464-4` (PCR) or `LP217198-3` (rapid antigen).
        kind: String,
        /// The rapid test's code in the EU's list; needed for those alone.
        device: Option<String>,
        /// When the sample was taken, RFC 3339.
        sampled: String,
        /// Whether it was detected.
        detected: bool,
        /// Where.
        centre: String,
    },
    /// A recovery.
    Recovery {
        /// Day of the first positive test.
        first_positive: String,
        /// First day.
        from: String,
        /// Last day.
        until: String,
    },
    /// An exemption from having to show one of the others. Ours alone.
    Exemption {
        /// First day.
        from: String,
        /// Last day.
        until: String,
    },
}

/// A pass to be signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hcert {
    /// Whose.
    pub person: Person,
    /// What.
    pub attested: Attested,
    /// Two letters of the country.
    pub country: String,
    /// Who issued it, in words.
    pub issuer: String,
    /// Its name for revocation and at the desk; [`uvci`] makes one.
    pub identifier: String,
    /// Unix seconds.
    pub issued_at: i64,
    /// Unix seconds; later than `issued_at`.
    pub expires_at: i64,
    /// Address and index in a status list, if it can be revoked alone.
    pub status: Option<(String, u32)>,
}

/// A key of an organisation that signs passes for other people's verifiers.
pub struct HcertSigner {
    key: DeviceKey,
    kid: [u8; 8],
}

impl core::fmt::Debug for HcertSigner {
    /// Names the key, never shows it.
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.debug_struct("HcertSigner").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl HcertSigner {
    /// The key of a private scalar, under the name of its certificate (DER), which must be that key's.
    pub fn with_certificate(scalar: &[u8; 32], certificate: &[u8]) -> Result<Self, IssueError> {
        let key = DeviceKey::from_scalar(scalar)?;
        let certificate = Certificate::from_der(certificate).ok_or(IssueError::Key)?;
        let (short, long) = (key.public().to_vec(), key.public_uncompressed());
        let is_own = matches!(&certificate.key, Some(PublicKey::P256(point)) if *point == short || *point == long);
        if is_own { Ok(Self { key, kid: certificate.kid() }) } else { Err(IssueError::Key) }
    }

    /// The key of a private scalar, under the hash of its public half.
    pub fn from_scalar(scalar: &[u8; 32]) -> Result<Self, IssueError> {
        let key = DeviceKey::from_scalar(scalar)?;
        let kid = first_eight(&Sha256::digest(info(&key)));
        Ok(Self { key, kid })
    }

    /// The same key under another's name, as a forger would have it.
    #[cfg(test)]
    pub(crate) fn with_name_of(self, other: &Self) -> Self {
        Self { kid: other.kid, ..self }
    }

    /// Its name in what it signs.
    pub fn kid(&self) -> [u8; 8] {
        self.kid
    }

    /// The public key as SubjectPublicKeyInfo, as lists of signers carry it.
    pub fn public_info(&self) -> Vec<u8> {
        info(&self.key)
    }

    /// Signs a pass; the text for the QR code, `HC1:…`.
    pub fn sign(&self, pass: &Hcert) -> Result<String, IssueError> {
        let claims = pass.claims()?;
        let message = self.cose(&claims, None)?;
        Ok(format!("HC1:{}", base45::encode(&compress_to_vec_zlib(&message, 9))))
    }

    /// Signs a compact code; the COSE_Sign1 that the device puts beside its proof.
    pub fn sign_bound(&self, code: &BoundPass) -> Result<Vec<u8>, IssueError> {
        code.check()?;
        self.cose(&code.to_cbor(), None)
    }

    /// Signs a status list, as a Status List Token in CWT form.
    ///
    /// # Errors
    /// [`IssueError::Key`] when the library refuses to work.
    pub fn sign_status(&self, it: &StatusClaims<'_>) -> Result<Vec<u8>, IssueError> {
        self.cose(&it.to_cbor(), Some("application/statuslist+cwt"))
    }

    /// Signs a status list, as a Status List Token in JWT form.
    ///
    /// # Errors
    /// [`IssueError::Key`] when the library refuses to work.
    pub fn sign_status_jwt(&self, it: &StatusClaims<'_>) -> Result<String, IssueError> {
        let kid = STANDARD.encode(self.kid);
        let header = json!({"alg": "ES256", "kid": kid, "typ": "statuslist+jwt"});
        let part = |it: &Value| to_base64url(it.to_string().as_bytes());
        let signed = format!("{}.{}", part(&header), part(&it.to_json()));
        let signature = self.key.sign(signed.as_bytes())?;
        Ok(format!("{signed}.{}", to_base64url(&signature)))
    }

    /// COSE_Sign1, tagged, with algorithm and kid protected (RFC 9052; `typ` is RFC 9596's).
    fn cose(&self, payload: &[u8], typ: Option<&str>) -> Result<Vec<u8>, IssueError> {
        let protected = encoded(|cbor| {
            cbor.map(if typ.is_some() { 3 } else { 2 })?.u8(1)?.i8(-7)?.u8(4)?.bytes(&self.kid)?;
            if let Some(typ) = typ {
                cbor.u8(16)?.str(typ)?;
            }
            Ok(())
        });
        let signed = encoded(|cbor| {
            cbor.array(4)?.str("Signature1")?.bytes(&protected)?.bytes(&[])?.bytes(payload)?;
            Ok(())
        });
        let signature = self.key.sign(&signed)?;
        Ok(encoded(|cbor| {
            cbor.tag(minicbor::data::Tag::new(18))?.array(4)?.bytes(&protected)?.map(0)?;
            cbor.bytes(payload)?.bytes(&signature)?;
            Ok(())
        }))
    }
}

fn info(key: &DeviceKey) -> Vec<u8> {
    [P256_INFO.as_slice(), &key.public_uncompressed()].concat()
}

impl Hcert {
    /// The CWT's claims (RFC 8392; -260 is HCERT), if every verifier would take them.
    fn claims(&self) -> Result<Vec<u8>, IssueError> {
        let content = self.content();
        let two_letters =
            self.country.len() == 2 && self.country.bytes().all(|it| it.is_ascii_uppercase());
        let sound = two_letters
            && self.issued_at < self.expires_at
            && !self.person.surname_latin.is_empty()
            && self.attested.is_sound()
            && dcc_is_valid(&content);
        if !sound {
            return Err(DecodeError::WrongShape.into());
        }
        Ok(encoded(|cbor| {
            cbor.map(if self.status.is_some() { 5 } else { 4 })?;
            cbor.u8(1)?
                .str(&self.country)?
                .u8(4)?
                .i64(self.expires_at)?
                .u8(6)?
                .i64(self.issued_at)?;
            if let Some((uri, index)) = &self.status {
                cbor.i64(status::STATUS)?.map(1)?.str("status_list")?;
                cbor.map(2)?.str("idx")?.u32(*index)?.str("uri")?.str(uri)?;
            }
            cbor.i64(-260)?.map(1)?.u8(1)?;
            write(&content, cbor)
        }))
    }

    fn content(&self) -> Value {
        let person = &self.person;
        let (group, mut entry) = self.attested.entry();
        entry.insert("co".to_owned(), json!(self.country));
        entry.insert("is".to_owned(), json!(self.issuer));
        entry.insert("ci".to_owned(), json!(self.identifier));
        json!({
            "ver": SCHEMA,
            "nam": {
                "fn": person.surname,
                "fnt": holder::machine_readable(&person.surname_latin),
                "gn": person.given,
                "gnt": holder::machine_readable(&person.given_latin),
            },
            "dob": person.birth,
            group: [entry],
        })
    }
}

impl Attested {
    fn entry(&self) -> (&'static str, Map<String, Value>) {
        let (group, value) = match self {
            Self::Vaccination { prophylaxis, product, manufacturer, dose, of_doses, day } => (
                "v",
                json!({"tg": COVID_19, "vp": prophylaxis, "mp": product, "ma": manufacturer, "dn": dose, "sd": of_doses, "dt": day}),
            ),
            Self::Test { kind, device, sampled, detected, centre } => {
                // SNOMED CT: detected, not detected.
                let result = if *detected { "260373001" } else { "260415000" };
                let mut test =
                    json!({"tg": COVID_19, "tt": kind, "sc": sampled, "tr": result, "tc": centre});
                if let (Some(device), Value::Object(test)) = (device, &mut test) {
                    test.insert("ma".to_owned(), json!(device));
                }
                ("t", test)
            }
            Self::Recovery { first_positive, from, until } => {
                ("r", json!({"tg": COVID_19, "fr": first_positive, "df": from, "du": until}))
            }
            Self::Exemption { from, until } => {
                ("x", json!({"tg": COVID_19, "df": from, "du": until}))
            }
        };
        match value {
            Value::Object(entry) => (group, entry),
            _ => (group, Map::new()),
        }
    }

    /// What the schema cannot say: order of days and doses.
    fn is_sound(&self) -> bool {
        match self {
            Self::Vaccination { dose, of_doses, .. } => 0 < *dose && 0 < *of_doses,
            Self::Test { sampled, .. } => time::moment(sampled).is_some(),
            Self::Recovery { from, until, .. } | Self::Exemption { from, until } => {
                time::date(from).zip(time::date(until)).is_some_and(|(from, until)| from <= until)
            }
        }
    }
}

fn write(value: &Value, cbor: &mut Encoder<Vec<u8>>) -> Written {
    match value {
        Value::Null => cbor.null()?,
        Value::Bool(value) => cbor.bool(*value)?,
        // Content has counts of doses and nothing else.
        Value::Number(number) => cbor.i64(number.as_i64().unwrap_or_default())?,
        Value::String(text) => cbor.str(text)?,
        Value::Array(items) => {
            cbor.array(length(items.len()))?;
            for item in items {
                write(item, cbor)?;
            }
            return Ok(());
        }
        Value::Object(members) => {
            cbor.map(length(members.len()))?;
            for (name, member) in members {
                cbor.str(name)?;
                write(member, cbor)?;
            }
            return Ok(());
        }
    };
    Ok(())
}

fn length(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// A unique certificate identifier, option 3 of the eHealth Network's guidelines (annex 2): version 1,
/// country, an opaque text of capital letters and digits, and a check character. Nothing when the text
/// has other characters.
pub fn uvci(country: &str, opaque: &str) -> Option<String> {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/:";
    let text = format!("URN:UVCI:01:{country}:{opaque}");
    // ISO/IEC 7812-1's Luhn, modulo the 38 characters that may occur.
    let size = LETTERS.len();
    let mut sum = 0;
    for (place, byte) in text.bytes().rev().enumerate() {
        let value = LETTERS.iter().position(|letter| *letter == byte)?;
        let value = if place % 2 == 0 { value * 2 } else { value };
        sum += value / size + value % size;
    }
    let check = LETTERS.get((size - sum % size) % size)?;
    Some(format!("{text}#{}", char::from(*check)))
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::{Attested, Hcert, HcertSigner, Person, uvci};
    use crate::issue::IssueError;
    use crate::pass::status::{StatusClaims, StatusList};
    use crate::pass::{Kind, Policy, Trust, Verdict, verify};
    use crate::verify::{Check, Outcome};

    pub(crate) const NOW: i64 = 1_800_000_000;
    pub(crate) const LIST: &str = "https://city.example/statuslists/1";

    pub(crate) fn signer() -> HcertSigner {
        HcertSigner::from_scalar(&[7; 32]).unwrap()
    }

    pub(crate) fn pass(attested: Attested) -> Hcert {
        Hcert {
            person: Person {
                surname: "김".to_owned(),
                given: "민수".to_owned(),
                surname_latin: "Kim".to_owned(),
                given_latin: "Min-su".to_owned(),
                birth: "1980-02-03".to_owned(),
            },
            attested,
            country: "KR".to_owned(),
            issuer: "Haetae city".to_owned(),
            identifier: uvci("KR", "0123ABC").unwrap(),
            issued_at: NOW - 60,
            expires_at: NOW + 86_400,
            status: None,
        }
    }

    fn vaccination() -> Attested {
        Attested::Vaccination {
            prophylaxis: "1119349007".to_owned(),
            product: "EU/1/20/1528".to_owned(),
            manufacturer: "ORG-100030215".to_owned(),
            dose: 2,
            of_doses: 2,
            day: "2026-12-01".to_owned(),
        }
    }

    fn everything() -> [(Kind, Attested); 4] {
        let test = Attested::Test {
            kind: "LP6464-4".to_owned(),
            device: None,
            sampled: "2027-01-14T08:00:00Z".to_owned(),
            detected: false,
            centre: "Haetae clinic".to_owned(),
        };
        let recovery = Attested::Recovery {
            first_positive: "2026-11-01".to_owned(),
            from: "2026-11-12".to_owned(),
            until: "2027-05-01".to_owned(),
        };
        let exemption =
            Attested::Exemption { from: "2027-01-01".to_owned(), until: "2027-06-30".to_owned() };
        [
            (Kind::Vaccination, vaccination()),
            (Kind::Test, test),
            (Kind::Recovery, recovery),
            (Kind::Exemption, exemption),
        ]
    }

    /// As other verifiers get keys: a list of names and public keys.
    fn trust(signer: &HcertSigner) -> Trust {
        use base64::Engine as _;
        use base64::engine::general_purpose::STANDARD;
        let list = json!([{"kid": STANDARD.encode(signer.kid()), "publicKey": STANDARD.encode(signer.public_info())}]);
        let mut trust = Trust::default();
        assert_eq!(trust.add(list.to_string().as_bytes()).signers, 1);
        trust
    }

    fn claims(list: &StatusList) -> StatusClaims<'_> {
        StatusClaims { uri: LIST, list, issued_at: NOW - 60, expires_at: NOW + 60, ttl_s: 30 }
    }

    fn judge(text: &str, trust: &Trust) -> Verdict {
        verify(text, trust, None, &Policy { full_name: true, ..Policy::default() }, NOW)
    }

    #[test]
    fn what_is_signed_here_passes_as_a_dcc_of_its_kind() {
        let trust = trust(&signer());
        for (kind, attested) in everything() {
            let text = signer().sign(&pass(attested)).unwrap();
            let verdict = judge(&text, &trust);
            assert_eq!((verdict.outcome, verdict.kind), (Outcome::Pass, Some(kind)), "{verdict:?}");
            assert_eq!(verdict.checks.schema, Check::Ok);
            assert_eq!(verdict.valid_until, Some(NOW + 86_400));
            assert_eq!(verdict.shown.unwrap().name.as_deref(), Some("민수 김"));
            // Another organisation's key did not sign it.
            let other = HcertSigner::from_scalar(&[8; 32]).unwrap();
            assert_eq!(judge(&text, &super::tests::trust(&other)).outcome, Outcome::CannotTell);
        }
    }

    #[test]
    fn one_pass_is_revoked_by_its_place_in_a_signed_list_and_the_others_stay() {
        let signer = signer();
        let with_place = |index: u32| {
            let mut pass = pass(vaccination());
            pass.status = Some((LIST.to_owned(), index));
            signer.sign(&pass).unwrap()
        };
        let (first, second, beyond) = (with_place(3), with_place(4), with_place(64));
        for bits in [1, 2] {
            let mut list = StatusList::try_new(bits, 64 / usize::from(bits)).unwrap();
            list.set(3, 1).unwrap();
            let claims = claims(&list);
            let cwt = signer.sign_status(&claims).unwrap();
            let jwt = signer.sign_status_jwt(&claims).unwrap();
            let stores = [cwt, jwt.into_bytes()].map(|token| {
                let mut held = trust(&signer);
                assert_eq!(held.add(&token).revocations, 1);
                held
            });
            let found = |text: &str, now_s: i64| {
                let by = |held: &Trust| {
                    let verdict = verify(text, held, None, &Policy::default(), now_s);
                    (verdict.outcome, verdict.reasons.first().map(|it| it.reason.code()))
                };
                let [cwt, jwt] = stores.each_ref().map(by);
                assert_eq!(cwt, jwt, "both forms say the same");
                cwt
            };
            assert_eq!(found(&first, NOW), (Outcome::NoPass, Some("revoked")));
            assert_eq!(found(&second, NOW), (Outcome::Pass, None));
            // A list that has no such place, or whose time is over, cannot tell; revoked stays so.
            assert_eq!(found(&beyond, NOW), (Outcome::CannotTell, Some("revocation_stale")));
            assert_eq!(found(&second, NOW + 59), (Outcome::Pass, None));
            assert_eq!(found(&second, NOW + 60), (Outcome::CannotTell, Some("revocation_stale")));
            assert_eq!(found(&first, NOW + 60), (Outcome::NoPass, Some("revoked")));
        }
        // A list that somebody else signed says nothing.
        let mut held = trust(&signer);
        let forger = HcertSigner::from_scalar(&[8; 32]).unwrap();
        let list = StatusList::try_new(1, 64).unwrap();
        held.add(&forger.sign_status(&claims(&list)).unwrap());
        assert_eq!(judge(&second, &held).outcome, Outcome::CannotTell);
    }

    #[test]
    fn nothing_is_signed_that_a_verifier_would_refuse() {
        let refused = |change: &dyn Fn(&mut Hcert)| {
            let mut pass = pass(vaccination());
            change(&mut pass);
            signer().sign(&pass).err()
        };
        assert_eq!(refused(&|_| ()), None);
        let shape = Some(IssueError::Unreadable(crate::DecodeError::WrongShape));
        assert_eq!(refused(&|pass| pass.country = "Korea".to_owned()), shape);
        assert_eq!(refused(&|pass| pass.expires_at = pass.issued_at), shape);
        assert_eq!(refused(&|pass| pass.person.birth = "3 Feb".to_owned()), shape);
        assert_eq!(refused(&|pass| pass.person.surname_latin.clear()), shape);
        assert_eq!(refused(&|pass| pass.identifier = "x".repeat(81)), shape);
        let backwards = Attested::Recovery {
            first_positive: "2026-01-01".to_owned(),
            from: "2026-02-02".to_owned(),
            until: "2026-02-01".to_owned(),
        };
        assert_eq!(refused(&|pass| pass.attested = backwards.clone()), shape);
    }

    /// Debian's `python3-cryptography`, as elsewhere in the house for verifiers that share nothing with us.
    #[test]
    fn a_verifier_in_another_language_reads_what_is_signed_here() {
        let python = "/usr/bin/python3";
        let has = std::process::Command::new(python).args(["-c", "import cryptography"]).output();
        if !has.is_ok_and(|output| output.status.success()) {
            return eprintln!(
                "SKIPPED: Debian's python3-cryptography is not there; nothing was shown"
            );
        }
        let peer = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/hcert_peer.py");
        let (signer, other) = (signer(), HcertSigner::from_scalar(&[8; 32]).unwrap());
        let run = |text: &str, key: &HcertSigner| {
            let (info, kid) = (hex::encode(key.public_info()), hex::encode(signer.kid()));
            std::process::Command::new(python).args([peer, text, &info, &kid]).output().unwrap()
        };
        for (_, attested) in everything() {
            let pass = pass(attested);
            let text = signer.sign(&pass).unwrap();
            let output = run(&text, &signer);
            let message = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{message}");
            let claims: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!((&claims["iss"], &claims["exp"]), (&json!("KR"), &json!(pass.expires_at)));
            assert_eq!(claims["content"], pass.content());
            assert!(!run(&text, &other).status.success());
        }
    }

    #[test]
    fn identifiers_have_a_check_character() {
        // The guidelines' own example of the checksum.
        assert_eq!(uvci("SE", "EHM/V12907267LAJW").unwrap(), "URN:UVCI:01:SE:EHM/V12907267LAJW#E");
        let one = uvci("KR", "0123ABC").unwrap();
        assert!(one.starts_with("URN:UVCI:01:KR:0123ABC#"));
        assert_ne!(one.chars().last(), uvci("KR", "0123ACB").unwrap().chars().last());
        assert_eq!(uvci("KR", "lower"), None);
    }
}
