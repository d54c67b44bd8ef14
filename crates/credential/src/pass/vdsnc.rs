//! ICAO's visible digital seal for non-constrained environments (Technical Report "VDS-NC", 1.4):
//! JSON, its canonical form signed, the signer's certificate inside, and a country's signing
//! authority (CSCA) above it.
//!
//! What is signed is the member `data` in the JSON Canonicalization Scheme (RFC 8785). The certificate
//! comes with the seal, so it proves nothing by itself: it must follow from an authority held here, be
//! made for such seals, and be of the country that the header names.

use super::certificate::Certificate;
use super::crl::RevokedCertificates;
use super::json::Json;
use super::jwk::any_base64;
use super::key::{Algorithm, PublicKey, SignatureCheck};
use super::reason::Reason;
use super::revocation::Standing;
use super::rules::Facts;
use super::trust::Trust;
use super::verdict::{Draft, Issuer, Kind, Shown, Step};
use super::{Case, Format, Read, Reading, attested, country, time};
use crate::verify::Check;

/// 2.23.136.1.1.14.2: signs VDS-NC.
const SEAL_USAGE: &[u8] = &[0x67, 0x81, 0x08, 0x01, 0x01, 0x0e, 0x02];
/// A date begins as early as this before it does in Greenwich.
const EARLIEST_ZONE_S: i64 = 14 * 3600;

/// A seal that was read, and how it hangs together with what is trusted here.
struct Seal<'t> {
    json: Json,
    certificate: Certificate,
    is_allowed: bool,
    /// The authorities that may have signed the certificate, each with the place of its check.
    authorities: Vec<(&'t Certificate, Option<usize>)>,
    /// The lists about the certificate, each with its authority and the place of its check.
    lists: Vec<(&'t RevokedCertificates, Option<(&'t Certificate, usize)>)>,
    /// The certificate itself is held here as a signer's.
    is_pinned: bool,
}

pub(super) fn read<'t>(text: &str, trust: &'t Trust) -> Reading<'t> {
    let json = Json::read(text.as_bytes()).ok_or(Reason::EnvelopeMalformed)?;
    let (certificate, check) = open(&json).ok_or(Reason::EnvelopeMalformed)?;
    let is_allowed = check.is_some();
    let mut checks: Vec<SignatureCheck> = check.into_iter().collect();
    let mut authorities = Vec::new();
    for authority in trust.authorities.iter().filter(|it| certificate.is_named_by(it)) {
        let check = authority.key.as_ref().and_then(|key| certificate.signature_by(key));
        let at = check.map(|check| {
            checks.push(check);
            checks.len() - 1
        });
        authorities.push((authority, at));
    }
    let mut lists = Vec::new();
    for list in trust.revocations.about(&certificate) {
        let mut by = Vec::new();
        for (authority, _) in &authorities {
            if let Some(check) = list.signed_by(authority) {
                by.push(Some((*authority, checks.len())));
                checks.push(check);
            }
        }
        // One that nobody can have signed still says that there should be one.
        if by.is_empty() {
            by.push(None);
        }
        lists.extend(by.into_iter().map(|by| (list, by)));
    }
    let signers = trust.signers(Format::Dcc, &certificate.kid());
    let is_pinned = signers.iter().any(|it| Some(&it.key) == certificate.key.as_ref());
    let seal = Seal { json, certificate, is_allowed, authorities, lists, is_pinned };
    Ok((Box::new(seal), checks))
}

/// The certificate and the check of the seal's own signature; no check where the algorithm is not one
/// for the certificate's key.
fn open(json: &Json) -> Option<(Certificate, Option<SignatureCheck>)> {
    let header = json.at(&["data", "hdr"])?;
    header.text_at("t")?;
    header.text_at("is")?;
    json.at(&["data", "msg"])?.object()?;
    let seal = json.get("sig")?;
    // Bytes after the certificate are not signed and say nothing; the first specimens have some.
    let certificate = Certificate::from_der(&any_base64(seal.text_at("cer")?)?)?;
    let signature = any_base64(seal.text_at("sigvl")?)?;
    let algorithm = match (seal.text_at("alg")?, &certificate.key) {
        ("ES256", Some(PublicKey::P256(_))) => Some(Algorithm::Es256),
        ("ES384", Some(PublicKey::P384(_))) => Some(Algorithm::Es384),
        ("ES512", Some(PublicKey::P521(_))) => Some(Algorithm::Es512),
        _ => None,
    };
    let message = json.get("data")?.canonical().into_bytes();
    let check = algorithm.zip(certificate.key.clone()).map(|(algorithm, key)| SignatureCheck {
        key,
        algorithm,
        message,
        signature,
    });
    Some((certificate, check))
}

impl Read for Seal<'_> {
    fn judge(&self, held: &[Option<bool>], case: &Case<'_>, draft: &mut Draft) {
        draft.ok(Step::Decode);
        let answer = |at: usize| held.get(at).copied().flatten();
        match (self.is_allowed, answer(0)) {
            (false, _) => return draft.failed(Step::Signature, Reason::AlgorithmNotAllowed),
            (true, Some(false)) => return draft.failed(Step::Signature, Reason::SignatureBad),
            (true, None) => return draft.failed(Step::Signature, Reason::SignatureUnchecked),
            (true, Some(true)) => draft.ok(Step::Signature),
        }
        let authority = match self.authority(answer) {
            Ok(authority) => authority,
            Err(reason) => return draft.failed(Step::Trust, reason),
        };
        let in_time = self.in_time(authority, case.now_s);
        draft.note(Step::Trust, in_time);
        draft.note(Step::Usage, (!self.may_seal()).then_some(Reason::UsageNotAllowed));
        draft.note(Step::Schema, self.schema_reason());
        draft.note(Step::Time, self.time_reason(case));
        match self.standing(authority, answer, case.now_s) {
            Standing::Revoked => draft.failed(Step::Revocation, Reason::IssuerRevoked),
            standing => draft.stand(standing),
        }
        self.show(case, draft);
        if let (Check::Ok, Some(kind)) = (draft.verdict.checks.schema, draft.verdict.kind) {
            let message = self.message(&[]);
            let as_dcc = message.and_then(|it| attested::of_seal(self.header("t"), it));
            let payload = self.json.get("data").map(Json::to_value).unwrap_or_default();
            let country = self.certificate.country();
            let facts = Facts {
                format: Format::Vdsnc,
                kind,
                payload: &payload,
                as_dcc: as_dcc.as_ref(),
                issuer_country: country.as_deref(),
                kid: &self.certificate.kid(),
                issued_at: None,
                expires_at: None,
                now_s: case.now_s,
            };
            draft.rule(case, &facts);
        }
    }
}

impl<'t> Seal<'t> {
    /// The authority that signed the certificate; nobody where the certificate itself is held.
    fn authority(
        &self,
        answer: impl Fn(usize) -> Option<bool>,
    ) -> Result<Option<&'t Certificate>, Reason> {
        let answers = self.authorities.iter().map(|(it, at)| (*it, at.and_then(&answer)));
        let mut answers: Vec<_> = answers.collect();
        // A key that the certificate names, and that did not sign it, says more than an unknown one.
        answers.sort_by_key(|(it, answer)| (*answer != Some(true), it.subject_key.is_none()));
        match answers.first() {
            Some((authority, Some(true))) => Ok(Some(authority)),
            _ if self.is_pinned => Ok(None),
            Some((_, None)) => Err(Reason::SignatureUnchecked),
            Some((authority, Some(false))) if self.names_key_of(authority) => {
                Err(Reason::ChainBroken)
            }
            Some(_) | None => Err(Reason::IssuerUnknown),
        }
    }

    /// What the lists that the signer's authority signed say of its certificate. A list that somebody
    /// else signed says nothing, but that it was put here says that the right one is missing.
    fn standing(
        &self,
        authority: Option<&Certificate>,
        answer: impl Fn(usize) -> Option<bool>,
        now_s: i64,
    ) -> Standing {
        let signed = |by: &Option<(&Certificate, usize)>| {
            by.is_some_and(|(it, at)| Some(it) == authority && answer(at) == Some(true))
        };
        let good = || self.lists.iter().filter(|(_, by)| signed(by)).map(|(list, _)| list);
        if self.lists.is_empty() {
            Standing::NotListed
        } else if good().any(|list| list.contains(&self.certificate)) {
            Standing::Revoked
        } else if good().any(|list| list.is_current_at(now_s)) {
            Standing::Good
        } else {
            Standing::Stale
        }
    }

    fn names_key_of(&self, authority: &Certificate) -> bool {
        authority.subject_key.is_some() && self.certificate.authority_key == authority.subject_key
    }

    fn in_time(&self, authority: Option<&Certificate>, now_s: i64) -> Option<Reason> {
        let mut all = authority.into_iter().chain([&self.certificate]);
        if all.clone().any(|it| it.not_after < now_s) {
            Some(Reason::IssuerExpired)
        } else if all.any(|it| now_s < it.not_before) {
            Some(Reason::IssuerNotYetValid)
        } else {
            None
        }
    }

    fn header(&self, name: &str) -> &str {
        self.json.at(&["data", "hdr", name]).and_then(Json::text).unwrap_or_default()
    }

    fn message(&self, path: &[&str]) -> Option<&Json> {
        self.json.at(&["data", "msg"])?.at(path)
    }

    /// The certificate is understood and made for seals, of this type where it names types, by this country.
    fn may_seal(&self) -> bool {
        let certificate = &self.certificate;
        let made_for = certificate.extended_usage.iter().any(|usage| usage == SEAL_USAGE);
        let seals = made_for && certificate.is_understood && certificate.may_sign_messages();
        let kind = match self.header("t") {
            "icao.test" => "NT",
            "icao.vacc" => "NV",
            _ => return seals,
        };
        let types = certificate.document_types.as_ref();
        let of_type = types.is_none_or(|types| types.iter().any(|it| it == kind));
        let own = certificate.country().unwrap_or_default();
        seals && of_type && country::is_same(self.header("is"), &own)
    }

    /// What a verdict could rest on (Technical Report, annexes of both types). Another type or version
    /// may be in order; nobody here can say.
    fn schema_reason(&self) -> Option<Reason> {
        let version = self.json.at(&["data", "hdr", "v"]).and_then(Json::integer);
        let has = |path: &[&str]| self.message(path).and_then(Json::text).is_some();
        let holder = has(&["pid", "n"]);
        let sound = match (self.header("t"), version) {
            ("icao.vacc", Some(1)) => {
                let events = self.message(&["ve"]).and_then(Json::list).unwrap_or_default();
                let sound = |event: &Json| {
                    let doses = event.get("vd").and_then(Json::list).unwrap_or_default();
                    let dose = |it: &Json| it.text_at("dvc").and_then(time::date).is_some();
                    event.text_at("des").is_some() && !doses.is_empty() && doses.iter().all(dose)
                };
                has(&["uvci"]) && !events.is_empty() && events.iter().all(sound)
            }
            ("icao.test", Some(1)) => {
                let sampled = self.message(&["dat", "sc"]).and_then(Json::text);
                has(&["utci"]) && sampled.and_then(time::moment).is_some() && has(&["tr", "r"])
            }
            _ => return Some(Reason::ClaimsMalformed),
        };
        (!(holder && sound)).then_some(Reason::SchemaInvalid)
    }

    /// A seal has no end of its own; what it attests must have happened.
    fn time_reason(&self, case: &Case<'_>) -> Option<Reason> {
        let events = self.message(&["ve"]).and_then(Json::list).unwrap_or_default();
        let doses = events.iter().filter_map(|event| event.get("vd")?.list()).flatten();
        let days = doses.filter_map(|dose| time::moment(dose.text_at("dvc")?));
        let begin = days.max().map(|day| day.saturating_sub(EARLIEST_ZONE_S));
        let sampled = self.message(&["dat", "sc"]).and_then(Json::text).and_then(time::moment);
        let latest = case.now_s.saturating_add(case.policy.clock_tolerance_s);
        begin.max(sampled).is_some_and(|begin| latest < begin).then_some(Reason::NotYetValid)
    }

    fn show(&self, case: &Case<'_>, draft: &mut Draft) {
        let name = self.certificate.name().unwrap_or_default();
        let verdict = &mut draft.verdict;
        verdict.issuer = Some(Issuer { name, country: self.certificate.country() });
        verdict.kind = match self.header("t") {
            "icao.vacc" => Some(Kind::Vaccination),
            "icao.test" => Some(Kind::Test),
            _ => None,
        };
        let text = |path: &[&str]| self.message(path).and_then(Json::text).unwrap_or_default();
        // As in a passport: the surname, two spaces, the given names.
        let (surname, given) =
            text(&["pid", "n"]).split_once("  ").unwrap_or((text(&["pid", "n"]), ""));
        let birth = text(&["pid", "dob"]);
        verdict.shown = Some(Shown::new(given, surname, birth, case.policy.full_name));
    }
}
