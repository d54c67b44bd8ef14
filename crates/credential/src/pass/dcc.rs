//! The EU Digital COVID Certificate, and every HCERT of its kind (WHO, and ours): `HC1:`, base45,
//! zlib, COSE_Sign1, CWT, and under claim -260 a JSON-like document with one vaccination, test or
//! recovery. (eHealth Network, "Electronic Health Certificates" 1.3; "Interoperability 2D Code";
//! CWT: RFC 8392.)

use serde_json::Value;

use super::bound::Bound;
#[cfg(not(target_arch = "wasm32"))]
use super::bound::{self, BoundPass};
use super::cbor_value::{Cbor, whole};
use super::dcc_schema;
use super::inflate::{Wrap, inflate};
use super::key::{Algorithm, SignatureCheck};
use super::reason::{Finding, Reason};
use super::revocation::{DccNames, Standing};
use super::rules::Facts;
use super::sign1::Message;
use super::signed::Candidates;
use super::trust::{Signer, Trust};
use super::verdict::{Draft, Kind, Shown, Step};
use super::{Case, Format, Read, Reading, status};
use crate::verify::{self, proof_reason};
use crate::{base45, verify::Reason as CodeReason};

const PREFIX: &str = "HC1:";
/// What the specification allows: ES256, and PS256 as a second. RS256 was in its first edition, and
/// issuers used it.
const ALLOWED: [Algorithm; 3] = [Algorithm::Es256, Algorithm::Ps256, Algorithm::Rs256];

/// The coded fields and their value sets. The list of makers of tests, which changes with every week,
/// is not among them.
const VALUE_SETS: [(&str, &str); 7] = [
    ("tg", "disease-agent-targeted"),
    ("vp", "sct-vaccines-covid-19"),
    ("mp", "vaccines-covid-19-names"),
    ("ma", "vaccines-covid-19-auth-holders"),
    ("tt", "covid-19-lab-test-type"),
    ("tr", "covid-19-lab-result"),
    ("co", "country-2-codes"),
];

const ISSUER: i64 = 1;
const EXPIRES: i64 = 4;
const NOT_BEFORE: i64 = 5;
const ISSUED: i64 = 6;
const HCERT: i64 = -260;
const DCC: i64 = 1;

struct Dcc<'t> {
    candidates: Candidates<'t>,
    kid: Vec<u8>,
    signature: Vec<u8>,
    is_ecdsa: bool,
    claims: Option<Claims>,
    /// The compact code that it came in, if it did.
    bound: Option<Bound>,
}

/// What was signed.
struct Claims {
    issuer: Option<String>,
    expires_at: i64,
    issued_at: Option<i64>,
    not_before: Option<i64>,
    content: Value,
    /// Address and index in a status list.
    status: Option<(String, usize)>,
}

pub(super) fn read<'t>(text: &str, trust: &'t Trust) -> Reading<'t> {
    let packed = text.strip_prefix(PREFIX).ok_or(Reason::FormatUnknown)?;
    let packed = base45::decode(packed).map_err(|_| Reason::EncodingMalformed)?;
    let message = inflate(&packed, Wrap::Zlib)?;
    let message = Message::read(&message)?;
    Ok(reading(&message, Claims::read(&message.payload), None, &ALLOWED, trust))
}

/// Reads a compact code of a pass of ours; nothing if the text is none.
pub(super) fn read_bound<'t>(
    text: &str,
    trust: &'t Trust,
) -> Option<(Box<dyn Read + 't>, Vec<SignatureCheck>)> {
    let bound = Bound::read(text)?;
    let code = &bound.code;
    let claims = Claims {
        issuer: Some(code.country.clone()),
        expires_at: code.ends_at,
        issued_at: Some(code.attested_at),
        not_before: None,
        content: code.content(),
        status: Some((code.list.clone(), usize::try_from(code.place).ok()?)),
    };
    let signed = bound.signed.clone();
    let message = Message::read(&signed).ok()?;
    Some(reading(&message, Some(claims), Some(bound), &[Algorithm::Es256], trust))
}

fn reading<'t>(
    message: &Message<'_>,
    claims: Option<Claims>,
    bound: Option<Bound>,
    allowed: &[Algorithm],
    trust: &'t Trust,
) -> (Box<dyn Read + 't>, Vec<SignatureCheck>) {
    let kid = message.kid.clone().unwrap_or_default();
    let signers = trust.signers(Format::Dcc, &kid);
    let (candidates, checks) = Candidates::new(signers, message, allowed);
    let dcc = Dcc {
        candidates,
        kid,
        signature: message.signature.to_vec(),
        is_ecdsa: message.algorithm == Some(Algorithm::Es256),
        claims,
        bound,
    };
    (Box::new(dcc), checks)
}

/// What an HCERT says as a compact code for `device`, good until `valid_until` at most; nothing if the
/// text is none, or says what a compact code has no place for. Whether it is good is asked before.
#[cfg(not(target_arch = "wasm32"))]
pub fn compact(
    text: &str,
    device: [u8; 33],
    (issued_at, valid_until): (i64, i64),
) -> Option<BoundPass> {
    let packed = base45::decode(text.strip_prefix(PREFIX)?).ok()?;
    let message = inflate(&packed, Wrap::Zlib).ok()?;
    let claims = Claims::read(&Message::read(&message).ok()?.payload)?;
    let (list, place) = claims.status.as_ref()?;
    let entry = (&claims.content, list.as_str(), u32::try_from(*place).ok()?);
    let times = (claims.issued_at?, claims.expires_at);
    // The country of the claims and of the entry are one in what we sign.
    let code = bound::compact(
        entry,
        times,
        super::name_of(text),
        (device, issued_at, valid_until),
        shown(&claims.content, false),
    );
    code.filter(|it| claims.issuer.as_deref() == Some(it.country.as_str()))
}

impl Claims {
    fn read(payload: &[u8]) -> Option<Self> {
        let claims = Cbor::read(payload)?;
        // A missing claim is nothing; a malformed one spoils the whole.
        let moment = |name: i64| claims.at(name).map(|it| seconds(it).ok_or(())).transpose().ok();
        let issuer = match claims.at(ISSUER) {
            Some(issuer) => Some(issuer.text()?.to_owned()),
            None => None,
        };
        let (expires_at, issued_at) = (moment(EXPIRES)??, moment(ISSUED)?);
        let not_before = moment(NOT_BEFORE)?;
        let status = claims.at(status::STATUS).and_then(status_place);
        let content = claims.into_at(HCERT)?.into_at(DCC)?;
        let Cbor::Map(_) = content else { return None };
        let content = content.into_json()?;
        Some(Self { issuer, expires_at, issued_at, not_before, content, status })
    }
}

/// `{"status_list": {"idx": …, "uri": …}}` (Token Status List, "Referenced Token in CWT").
fn status_place(status: &Cbor) -> Option<(String, usize)> {
    let list = status.named("status_list")?;
    let Cbor::Int(index) = list.named("idx")? else { return None };
    Some((list.named("uri")?.text()?.to_owned(), usize::try_from(*index).ok()?))
}

/// A NumericDate (RFC 8392, section 2): an integer or a float, in a tag for epoch times or, as it
/// should be, in none.
pub(super) fn seconds(value: &Cbor) -> Option<i64> {
    match value {
        Cbor::Int(second) => Some(*second),
        Cbor::Float(second) => whole(second.floor()),
        Cbor::Tag(1, inner) => seconds(inner),
        _ => None,
    }
}

impl Read for Dcc<'_> {
    fn judge(&self, held: &[Option<bool>], case: &Case<'_>, draft: &mut Draft) {
        draft.note(Step::Decode, self.claims.is_none().then_some(Reason::ClaimsMalformed));
        let kind = self.claims.as_ref().and_then(|claims| kind(&claims.content));
        let wrong_usage = |usage: super::Usage| kind.is_some_and(|kind| !usage.allows(kind));
        let signer = self.candidates.signer(held, case, draft, |it| wrong_usage(it.usage).into());
        let (Some(signer), Some(claims)) = (signer, &self.claims) else { return };

        if kind.is_some() {
            let reason = wrong_usage(signer.usage).then_some(Reason::UsageNotAllowed);
            draft.note(Step::Usage, reason);
        }
        let is_sound = dcc_schema::is_valid(&claims.content);
        draft.note(Step::Schema, claims.schema_reason(is_sound, case));
        match &self.bound {
            None => draft.note(Step::Time, claims.time_reason(case)),
            Some(bound) => {
                let of_time = claims.time_reason(case).or_else(|| bound.time_reason(case));
                draft.note(Step::Time, of_time);
                // The proof of the moment is about time: a picture of a code is an old moment.
                if let Some(reason) = bound.proof_reason(case.now_s) {
                    draft.failed(Step::Time, Reason::Code(reason));
                }
            }
        }
        self.look_up(signer, claims, case, draft);

        let country = claims.issuer.as_deref().or(signer.country.as_deref());
        if let Some(issuer) = &mut draft.verdict.issuer {
            issuer.country = country.map(str::to_owned);
        }
        draft.verdict.kind = kind;
        draft.verdict.valid_from = claims.not_before.or(claims.issued_at);
        let until = self.bound.as_ref().map_or(claims.expires_at, |it| it.code.valid_until);
        draft.verdict.valid_until = Some(until);
        draft.verdict.shown = Some(match &self.bound {
            Some(bound) => bound.code.shown(),
            None => shown(&claims.content, case.policy.full_name),
        });
        if let (Some(kind), true) = (kind, is_sound) {
            let facts = Facts {
                format: Format::Dcc,
                kind,
                payload: &claims.content,
                as_dcc: Some(&claims.content),
                issuer_country: country,
                kid: &self.kid,
                issued_at: claims.issued_at,
                expires_at: Some(claims.expires_at),
                now_s: case.now_s,
            };
            draft.rule(case, &facts);
        }
    }

    fn bound(&self) -> Option<([u8; 16], Option<u64>)> {
        let bound = self.bound.as_ref()?;
        Some((bound.code.pass, bound.moment.map(|it| it.step)))
    }
}

impl Bound {
    /// The code's own time, which is within the pass's.
    fn time_reason(&self, case: &Case<'_>) -> Option<Reason> {
        let latest = case.now_s.saturating_add(case.policy.clock_tolerance_s);
        if self.code.valid_until <= case.now_s {
            Some(Reason::Expired)
        } else {
            // Made a moment ago: a clock that says otherwise is wrong, which is no reason for a "no".
            (latest < self.code.issued_at).then_some(Reason::Code(CodeReason::NotYetValid))
        }
    }

    fn proof_reason(&self, now_s: i64) -> Option<CodeReason> {
        let code = &self.code;
        proof_reason(&code.device, &code.pass, self.moment, &verify::Policy::default(), now_s)
    }
}

impl Dcc<'_> {
    /// Whether the pass was revoked, or its signer: an authority that takes a certificate back says so
    /// of everything that was signed with it.
    fn look_up(&self, signer: &Signer, claims: &Claims, case: &Case<'_>, draft: &mut Draft) {
        let of_signer = case.trust.certificate_standing(signer, case.now_s);
        // A compact code was signed later than the pass was issued.
        let made_at = self.bound.as_ref().map(|it| it.code.issued_at);
        let refused = |from: i64| made_at.or(claims.issued_at).is_none_or(|at| from <= at);
        if of_signer == Standing::Revoked || signer.refused_from.is_some_and(refused) {
            return draft.failed(Step::Revocation, Reason::IssuerRevoked);
        }
        let Some(entry) = entry(&claims.content) else { return };
        let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default();
        let names = DccNames {
            kid: &self.kid,
            uci: text("ci"),
            country: claims.issuer.as_deref().unwrap_or(text("co")),
            signature: &self.signature,
            is_ecdsa: self.is_ecdsa,
        };
        let listed = case.trust.revocations.dcc(&names, case.now_s);
        let status = claims.status.as_ref();
        let status = status.map(|(uri, index)| case.trust.status(uri, *index, case.now_s));
        let of_pass = listed.and(status.unwrap_or(Standing::NotListed));
        draft.stand(of_pass.and(of_signer));
    }
}

impl Claims {
    /// Value sets are looked at where they are held. They grow with every new vaccine, so that a code
    /// that is missing says as much of the list as of the pass.
    fn schema_reason(&self, is_sound: bool, case: &Case<'_>) -> Option<Reason> {
        if !is_sound {
            return Some(Reason::SchemaInvalid);
        }
        let (rules, entry) = (case.rules?, entry(&self.content)?);
        let code = |field: &str| entry.get(field).and_then(Value::as_str);
        let is_missing = |(field, set): &(&str, &str)| {
            code(field).and_then(|code| rules.knows(set, code)) == Some(false)
        };
        let of_tests = entry.get("tt").is_some();
        VALUE_SETS
            .iter()
            // The makers of tests have the field's name in common with those of vaccines.
            .any(|it| !(of_tests && it.0 == "ma") && is_missing(it))
            .then_some(Reason::ValueUnknown)
    }

    /// The last second is still good: all published cases that end at their own clock say so.
    fn time_reason(&self, case: &Case<'_>) -> Option<Reason> {
        let latest = case.now_s.saturating_add(case.policy.clock_tolerance_s);
        let earliest = case.now_s.saturating_sub(case.policy.clock_tolerance_s);
        let is_ahead = |start: Option<i64>| start.is_some_and(|start| latest < start);
        if self.expires_at < earliest {
            Some(Reason::Expired)
        } else if is_ahead(self.issued_at) || is_ahead(self.not_before) {
            Some(Reason::NotYetValid)
        } else {
            None
        }
    }
}

/// The one group that has an entry, and that entry.
fn group(content: &Value) -> Option<(Kind, &Value)> {
    let groups = [("v", Kind::Vaccination), ("t", Kind::Test), ("r", Kind::Recovery)];
    let mut found = groups.into_iter().filter_map(|(name, kind)| {
        let entries = content.get(name)?.as_array()?;
        entries.first().map(|entry| (kind, entry))
    });
    match (found.next(), found.next()) {
        (Some(only), None) => Some(only),
        (Some(_), Some(_)) => None,
        // Ours alone, beside none of the others.
        (None, _) => content.get("x")?.as_array()?.first().map(|entry| (Kind::Exemption, entry)),
    }
}

fn kind(content: &Value) -> Option<Kind> {
    group(content).map(|(kind, _)| kind)
}

fn entry(content: &Value) -> Option<&Value> {
    group(content).map(|(_, entry)| entry)
}

/// The minimum of the holder.
fn shown(content: &Value, full_name: bool) -> Shown {
    let names = content.get("nam");
    let name = |written: &str, standard: &str| {
        let text = |name: &str| names.and_then(|it| it.get(name)).and_then(Value::as_str);
        let is_there = |text: &&str| !text.trim().is_empty();
        let found = text(written).filter(is_there).or(text(standard).filter(is_there));
        found.unwrap_or_default().replace('<', " ")
    };
    let birth = content.get("dob").and_then(Value::as_str).unwrap_or_default();
    Shown::new(&name("gn", "gnt"), &name("fn", "fnt"), birth, full_name)
}

impl Draft {
    /// The step of rules: skipped without rules, and where none is for such a pass.
    pub(super) fn rule(&mut self, case: &Case<'_>, facts: &Facts<'_>) {
        let Some(rules) = case.rules else { return };
        let ruling = rules.judge(facts);
        if 0 < ruling.asked {
            self.ok(Step::Rules);
        }
        let named = |reason: Reason, names: Vec<String>| {
            names.into_iter().map(move |name| Finding { reason, about: Some(name) })
        };
        let failed = named(Reason::RuleFailed, ruling.failed);
        for finding in failed.chain(named(Reason::RuleOpen, ruling.open)) {
            self.failed(Step::Rules, finding);
        }
    }
}
