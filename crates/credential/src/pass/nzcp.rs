//! The New Zealand COVID Pass: `NZCP:/1/`, base32, COSE_Sign1, CWT with a verifiable credential; the
//! key comes from the issuer's DID document. (Ministry of Health, "NZ COVID Pass" 1.0.)

use serde_json::Value;

use super::base32;
use super::cbor_value::Cbor;
use super::key::Algorithm;
use super::reason::Reason;
use super::rules::Facts;
use super::sign1::Message;
use super::signed::Candidates;
use super::time;
use super::trust::Trust;
use super::verdict::{Draft, Kind, Shown, Step};
use super::{Case, Format, Read, Reading};

const PREFIX: &str = "NZCP:/";
const VERSION: u32 = 1;
const CONTEXT: &str = "https://www.w3.org/2018/credentials/v1";
/// The longest name.
const NAME_MAX: usize = 100;

const ISSUER: i64 = 1;
const EXPIRES: i64 = 4;
const NOT_BEFORE: i64 = 5;
const ID: i64 = 7;

struct Nzcp<'t> {
    candidates: Candidates<'t>,
    name: String,
    claims: Option<Claims>,
}

struct Claims {
    expires_at: i64,
    not_before: i64,
    credential: Value,
}

pub(super) fn read<'t>(text: &str, trust: &'t Trust) -> Reading<'t> {
    let rest = text.strip_prefix(PREFIX).ok_or(Reason::FormatUnknown)?;
    let (version, packed) = rest.split_once('/').ok_or(Reason::FormatUnknown)?;
    let is_number = version.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number || version.parse() != Ok(VERSION) {
        return Err(Reason::FormatUnknown);
    }
    let message = base32::decode(packed).ok_or(Reason::EncodingMalformed)?;
    let message = Message::read(&message)?;
    let kid = message.kid.as_deref().filter(|_| message.is_protected);
    let kid =
        kid.and_then(|kid| core::str::from_utf8(kid).ok()).ok_or(Reason::EnvelopeMalformed)?;
    let claims = Cbor::read(&message.payload).ok_or(Reason::ClaimsMalformed)?;
    let issuer = claims.at(ISSUER).and_then(Cbor::text).ok_or(Reason::ClaimsMalformed)?;
    let name = format!("{issuer}#{kid}");
    let signers = trust.signers(Format::Nzcp, name.as_bytes());
    let (candidates, checks) = Candidates::new(signers, &message, &[Algorithm::Es256]);
    Ok((Box::new(Nzcp { candidates, name, claims: Claims::read(claims) }), checks))
}

impl Claims {
    fn read(claims: Cbor) -> Option<Self> {
        // Integers, says the specification, where the RFC would take a float.
        let second = |name: i64| match claims.at(name) {
            Some(Cbor::Int(second)) => Some(*second),
            _ => None,
        };
        let (expires_at, not_before) = (second(EXPIRES)?, second(NOT_BEFORE)?);
        // In a tag or none: the specification's own examples have both.
        let id = match claims.at(ID) {
            Some(Cbor::Tag(_, inner)) => Some(&**inner),
            id => id,
        };
        let is_id = matches!(id, Some(Cbor::Bytes(id)) if id.len() == 16);
        let is_web = claims.at(ISSUER).and_then(Cbor::text)?.starts_with("did:web:");
        let credential = claims.into_named("vc")?.into_json()?;
        (is_id && is_web).then_some(Self { expires_at, not_before, credential })
    }

    /// The last second is not good any more: "the current datetime is before the value".
    fn time_reason(&self, case: &Case<'_>) -> Option<Reason> {
        let tolerance_s = case.policy.clock_tolerance_s;
        if self.expires_at <= case.now_s.saturating_sub(tolerance_s) {
            Some(Reason::Expired)
        } else if case.now_s.saturating_add(tolerance_s) < self.not_before {
            Some(Reason::NotYetValid)
        } else {
            None
        }
    }
}

impl Read for Nzcp<'_> {
    fn judge(&self, held: &[Option<bool>], case: &Case<'_>, draft: &mut Draft) {
        draft.note(Step::Decode, self.claims.is_none().then_some(Reason::ClaimsMalformed));
        let signer = self.candidates.signer(held, case, draft, |_| 0);
        let (Some(signer), Some(claims)) = (signer, &self.claims) else { return };

        let is_sound = is_credential(&claims.credential);
        draft.note(Step::Schema, (!is_sound).then_some(Reason::SchemaInvalid));
        draft.note(Step::Time, claims.time_reason(case));
        draft.verdict.kind = Some(Kind::Bare);
        draft.verdict.valid_from = Some(claims.not_before);
        draft.verdict.valid_until = Some(claims.expires_at);
        let subject = claims.credential.get("credentialSubject");
        let text = |name: &str| subject.and_then(|it| it.get(name)).and_then(Value::as_str);
        let text = |name: &str| text(name).unwrap_or_default();
        let (given, family, birth) = (text("givenName"), text("familyName"), text("dob"));
        draft.verdict.shown = Some(Shown::new(given, family, birth, case.policy.full_name));
        if is_sound {
            let facts = Facts {
                format: Format::Nzcp,
                kind: Kind::Bare,
                payload: &claims.credential,
                // It says that New Zealand's own rule was met, and not by what.
                as_dcc: None,
                issuer_country: signer.country.as_deref(),
                kid: self.name.as_bytes(),
                issued_at: Some(claims.not_before),
                expires_at: Some(claims.expires_at),
                now_s: case.now_s,
            };
            draft.rule(case, &facts);
        }
    }
}

/// Whether `vc` is a verifiable credential of the type `PublicCovidPass`, version 1.0.0.
fn is_credential(vc: &Value) -> bool {
    let texts = |name: &str| -> Option<Vec<&str>> {
        vc.get(name)?.as_array()?.iter().map(Value::as_str).collect()
    };
    let subject = vc.get("credentialSubject");
    let field = |name: &str| subject.and_then(|it| it.get(name));
    let is_name =
        |value: &Value| value.as_str().is_some_and(|name| name.chars().count() <= NAME_MAX);
    texts("@context").is_some_and(|it| it.first() == Some(&CONTEXT))
        && texts("type").is_some_and(|it| it == ["VerifiableCredential", "PublicCovidPass"])
        && vc.get("version").and_then(Value::as_str) == Some("1.0.0")
        && field("givenName").is_some_and(is_name)
        && field("familyName").is_none_or(is_name)
        && field("dob").and_then(Value::as_str).is_some_and(|dob| time::date(dob).is_some())
}
