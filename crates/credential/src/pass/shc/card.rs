//! One card: a JWS whose payload is compressed JSON.

use sha2::{Digest, Sha256};

use super::super::attested;
use super::super::inflate::{Wrap, inflate};
use super::super::json::Json;
use super::super::jwk;
use super::super::reason::Reason;
use super::super::verdict::Kind;
use super::crl::{self, Method};
use super::jws::Jws;

/// The type that every card has.
const HEALTH_CARD: &str = "https://smarthealth.cards#health-card";

/// A card that was read and not yet verified.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Card {
    pub(crate) jws: Jws,
    payload: Json,
}

/// Who a card is about, in its own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Holder<'a> {
    pub(crate) family: &'a str,
    pub(crate) given: Vec<&'a str>,
    /// As written: a year, a month or a day.
    pub(crate) birth_date: Option<&'a str>,
}

impl Card {
    /// Reads one JWS: header, compression, JSON.
    pub(crate) fn read(text: &str) -> Result<Self, Reason> {
        let jws = Jws::read(text).ok_or(Reason::EnvelopeMalformed)?;
        if jws.header.text_at("zip") != Some("DEF") {
            return Err(Reason::EnvelopeMalformed);
        }
        let payload = inflate(&jws.payload, Wrap::Bare)?;
        let payload = Json::read(&payload).filter(|json| json.object().is_some());
        Ok(Self { jws, payload: payload.ok_or(Reason::EnvelopeMalformed)? })
    }

    /// The issuer's address.
    pub(crate) fn issuer(&self) -> Option<&str> {
        self.payload.text_at("iss")
    }

    /// The first second of validity, which is when it was issued.
    pub(crate) fn not_before(&self) -> Option<f64> {
        self.payload.get("nbf")?.seconds()
    }

    /// The second from which on it is over, if it says so.
    pub(crate) fn expires(&self) -> Option<f64> {
        self.payload.get("exp")?.seconds()
    }

    /// Its name in a list of that method.
    pub(crate) fn name_in(&self, method: Method) -> Option<String> {
        match method {
            Method::Rid => self.payload.at(&["vc", "rid"])?.text().map(str::to_owned),
            // The framework's RFC 2: the first 64 bits of the hash of the base64url of the canonical
            // bundle.
            Method::HashFhir => self.bundle().map(|bundle| {
                let digest = Sha256::digest(jwk::to_base64url(bundle.canonical().as_bytes()));
                jwk::to_base64url(&crate::cose::first_eight(&digest))
            }),
        }
    }

    fn bundle(&self) -> Option<&Json> {
        self.payload.at(&["vc", "credentialSubject", "fhirBundle"])
    }

    fn resources(&self) -> impl Iterator<Item = &Json> {
        let entries = self.bundle().and_then(|bundle| bundle.get("entry")).and_then(Json::list);
        entries.unwrap_or_default().iter().filter_map(|entry| entry.get("resource"))
    }

    /// What it attests as a DCC would say it, where it can be said so.
    pub(crate) fn as_dcc(&self) -> Option<serde_json::Value> {
        attested::of_card(&self.resources().collect::<Vec<_>>())
    }

    /// The whole content.
    pub(crate) fn content(&self) -> serde_json::Value {
        self.payload.to_value()
    }

    fn has(&self, kind: &str) -> bool {
        self.resources().any(|one| one.text_at("resourceType") == Some(kind))
    }

    /// What it attests.
    pub(crate) fn kind(&self) -> Kind {
        if self.has("Immunization") {
            Kind::Vaccination
        } else if self.has("Observation") {
            Kind::Test
        } else {
            Kind::Bare
        }
    }

    /// Whether the payload is what the specification demands, and its immunisations say what and when.
    pub(crate) fn is_as_specified(&self) -> bool {
        let payload = &self.payload;
        // "SHALL use the https scheme, SHALL NOT include a trailing /".
        let issuer =
            self.issuer().is_some_and(|iss| iss.starts_with("https://") && !iss.ends_with('/'));
        let expiry = payload.get("exp").is_none_or(|value| value.seconds().is_some());
        let in_order = self.expires().zip(self.not_before()).is_none_or(|(exp, nbf)| nbf < exp);
        let types = payload.at(&["vc", "type"]).and_then(Json::list).is_some_and(|types| {
            types.iter().all(|one| one.text().is_some())
                && types.iter().any(|one| one.text() == Some(HEALTH_CARD))
        });
        let version = payload.at(&["vc", "credentialSubject", "fhirVersion"]).and_then(Json::text);
        let rid = payload.at(&["vc", "rid"]).is_none_or(|rid| rid.text().is_some_and(crl::is_rid));
        let bundle = self.bundle().is_some_and(|bundle| {
            let entries = bundle.get("entry").and_then(Json::list);
            bundle.text_at("resourceType") == Some("Bundle")
                && entries.is_some_and(|entries| !entries.is_empty())
        });
        let sound = |one: &Json| {
            one.text_at("resourceType") != Some("Immunization") || is_immunisation(one)
        };
        issuer
            && self.not_before().is_some()
            && expiry
            && in_order
            && types
            && version.is_some()
            && rid
            && bundle
            && self.resources().all(sound)
    }

    /// Who it is about: the first patient in the bundle.
    pub(crate) fn holder(&self) -> Option<Holder<'_>> {
        let patient =
            self.resources().find(|one| one.text_at("resourceType") == Some("Patient"))?;
        let name = patient.get("name")?.list()?.first()?;
        let given = name.get("given").and_then(Json::list).unwrap_or_default();
        Some(Holder {
            family: name.text_at("family").unwrap_or_default(),
            given: given.iter().filter_map(Json::text).collect(),
            birth_date: patient.text_at("birthDate"),
        })
    }
}

/// FHIR R4's required elements of an Immunization, as far as a verdict could rest on them.
fn is_immunisation(one: &Json) -> bool {
    let coded = one.at(&["vaccineCode", "coding"]).and_then(Json::list).is_some_and(|codings| {
        let full = |it: &Json| it.text_at("system").is_some() && it.text_at("code").is_some();
        !codings.is_empty() && codings.iter().all(full)
    });
    let when = one.text_at("occurrenceDateTime").or_else(|| one.text_at("occurrenceString"));
    let patient = one.at(&["patient", "reference"]);
    coded && when.is_some() && one.text_at("status").is_some() && patient.is_some()
}
