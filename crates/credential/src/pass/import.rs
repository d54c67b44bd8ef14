//! Files that say whom to trust and what was revoked, each recognised by its content.
//!
//! | content | becomes |
//! |---|---|
//! | X.509 certificate (DER, PEM, base64) | a DCC signer under the first 8 bytes of its hash; an authority, where it says that it may sign certificates |
//! | JWK set, a single JWK | signers under their `kid`, of SMART cards and, where it is 8 bytes in base64, of DCC |
//! | revocation list of certificates (DER, PEM) | what its authority revoked |
//! | `crl/<kid>.json` of SMART cards | the cards of that key that are revoked |
//! | DCC revocation batches (`hashType`, `entries`) | the passes with those hashes |
//! | Status List Tokens (JWT, CWT, base64) | the statuses of the passes that name the list |
//! | directory of SMART issuers (`participating_issuers`, `issuerInfo`) | who may issue cards, with whose keys |
//! | DID document | signers of NZ COVID passes under `#key` of its `assertionMethod` |
//! | lists of DCC signers in JSON: `certificates` with `rawData` (Germany), `eu_keys` with `subjectPk` (the Netherlands), `dsc_trust_list` (Sweden), arrays of `kid` and `publicKey` (United Kingdom) | DCC signers with the usages that the list gives |
//! | a region's lists as its gates get them (`trust`, `revocations`, `root` in base64) | our own codes' issuers |

use serde_json::Value;

use super::certificate::{Certificate, public_key};
use super::crl::RevokedCertificates;
use super::der::{self, Der};
use super::format::Format;
use super::json::text_of;
use super::jwk::{self, any_base64};
use super::key::PublicKey;
use super::shc::CardRevocations;
use super::shc::key::CardKey;
use super::status::StatusToken;
use super::trust::{Signer, Trust, Usage};
use crate::list;

/// The largest file that is read, in bytes: the whole EU's keys are 2 MB, a full revocation list more.
pub(super) const MAX_FILE: usize = 64 * 1024 * 1024;

/// What was found in a file; all zero when it is none of the known kinds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Found {
    /// Keys that may sign passes.
    pub signers: usize,
    /// Certificates of authorities.
    pub authorities: usize,
    /// Revocation lists.
    pub revocations: usize,
    /// Lists of our own regions.
    pub regions: usize,
    /// Entries of directories.
    pub lists: usize,
}

impl Found {
    /// Whether the file was of no known kind.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    fn plus(self, other: Self) -> Self {
        Self {
            signers: self.signers + other.signers,
            authorities: self.authorities + other.authorities,
            revocations: self.revocations + other.revocations,
            regions: self.regions + other.regions,
            lists: self.lists + other.lists,
        }
    }
}

impl Trust {
    /// Adds what a file holds. What is not recognised, or damaged, is left out.
    pub fn add(&mut self, file: &[u8]) -> Found {
        if MAX_FILE < file.len() {
            return Found::default();
        }
        if let Ok(text) = core::str::from_utf8(file) {
            return self.add_text(text.trim_start_matches('\u{feff}').trim());
        }
        self.add_der(file)
    }

    fn add_text(&mut self, text: &str) -> Found {
        if text.contains("-----BEGIN ") {
            return self.add_pem(text);
        }
        // Germany's list has a line with its signature before it.
        let json = if text.starts_with(['{', '[']) { Some(text) } else { second_line(text) };
        if let Some(value) = json.and_then(|json| serde_json::from_str::<Value>(json).ok()) {
            return self.add_json(&value);
        }
        if let Some(token) = StatusToken::from_jwt(text) {
            self.revocations.add_status(token);
            return Found { revocations: 1, ..Found::default() };
        }
        any_base64(text).map_or(Found::default(), |bytes| self.add_der(&bytes))
    }

    fn add_pem(&mut self, text: &str) -> Found {
        let mut found = Found::default();
        for block in text.split("-----BEGIN ").skip(1) {
            let inside =
                block.split_once("-----").and_then(|(_, rest)| rest.split_once("-----END"));
            if let Some(bytes) = inside.and_then(|(inside, _)| any_base64(inside)) {
                found = found.plus(self.add_der(&bytes));
            }
        }
        found
    }

    fn add_der(&mut self, bytes: &[u8]) -> Found {
        if let Some(certificate) = Certificate::from_der(bytes) {
            return self.add_certificate(certificate, &Listed::default());
        }
        if let Some(list) = RevokedCertificates::from_der(bytes) {
            self.revocations.add_certificates(list);
        } else if let Some(token) = StatusToken::from_cwt(bytes) {
            self.revocations.add_status(token);
        } else {
            return Found::default();
        }
        Found { revocations: 1, ..Found::default() }
    }

    fn add_certificate(&mut self, certificate: Certificate, listed: &Listed<'_>) -> Found {
        let mut found = Found::default();
        if let Some(key) = certificate.key.clone() {
            let signer = Signer {
                key,
                usage: certificate.usage(),
                issuer: certificate.name(),
                country: certificate.country().or_else(|| listed.country.map(str::to_owned)),
                not_before: Some(certificate.not_before),
                not_after: Some(certificate.not_after),
                refused_from: listed.refused_from,
                list_until: listed.until,
                certificate: Some(Box::new(certificate.clone())),
            };
            self.add_signer(Format::Dcc, &certificate.kid(), signer);
            found.signers = 1;
        }
        if certificate.is_authority == Some(true) {
            found.authorities = 1;
            if !self.authorities.contains(&certificate) {
                self.authorities.push(certificate);
            }
        }
        found
    }

    fn add_json(&mut self, value: &Value) -> Found {
        let array = |name: &str| value.get(name).and_then(Value::as_array);
        if let Some(entries) = array("issuerInfo").or(array("participating_issuers")) {
            return self.add_all(entries, Self::add_card_issuer_entry);
        }
        if let Some(list) = CardRevocations::from_json(value) {
            self.revocations.add_cards(list);
            return Found { revocations: 1, ..Found::default() };
        }
        if self.revocations.add_hashes(value).is_some() {
            return Found { revocations: 1, ..Found::default() };
        }
        if let Some(keys) = array("keys") {
            // A set is one issuer's: whom one of its certificates names, all its keys are.
            let issuer = text_of(value, "issuer").or(text_of(value, "iss"));
            let certified = keys.iter().filter_map(CardKey::read).flat_map(|key| key.issuers);
            let owners: Vec<_> = issuer.map(str::to_owned).into_iter().chain(certified).collect();
            return self.add_all(keys, |trust, key| trust.add_jwk(key, &owners, None));
        }
        if value.get("kty").is_some() {
            return self.add_jwk(value, &[], None);
        }
        let until = end_of(value);
        if let Some(certificates) = array("certificates") {
            return self.add_all(certificates, |trust, entry| trust.add_listed(entry, until));
        }
        if let Some(keys) = value.get("eu_keys").and_then(Value::as_object) {
            let each = keys.iter().flat_map(|(kid, keys)| {
                keys.as_array().into_iter().flatten().map(move |key| (kid, key))
            });
            return each.fold(Found::default(), |found, (kid, key)| {
                found.plus(self.add_bare(kid, key, "subjectPk", key.get("keyUsage"), until))
            });
        }
        if let Some(countries) = value.get("dsc_trust_list").and_then(Value::as_object) {
            let mut found = Found::default();
            for (country, list) in countries {
                for key in list.get("keys").and_then(Value::as_array).into_iter().flatten() {
                    found = found.plus(self.add_chain(key, country, until));
                }
            }
            return found;
        }
        if value.get("verificationMethod").is_some() {
            return self.add_did(value);
        }
        if value.get("root").is_some() && value.get("trust").is_some() {
            return self.add_region(value).unwrap_or_default();
        }
        match value.as_array() {
            Some(list) => self.add_all(list, |trust, entry| trust.add_listed(entry, None)),
            None => Found::default(),
        }
    }

    fn add_all(&mut self, list: &[Value], add: impl Fn(&mut Self, &Value) -> Found) -> Found {
        list.iter().fold(Found::default(), |found, one| found.plus(add(self, one)))
    }

    /// One entry of a list: a certificate, or a bare key under its name.
    fn add_listed(&mut self, entry: &Value, until: Option<i64>) -> Found {
        let text = |name: &str| entry.get(name).and_then(Value::as_str);
        let certificate = text("rawData").and_then(any_base64);
        if let Some(certificate) = certificate.and_then(|der| Certificate::from_der(&der)) {
            // Ours say since when a key may be in other hands; what it signed before stays good.
            let refused_from = entry.get("refused_from").and_then(Value::as_i64);
            let listed = Listed { country: text("country"), refused_from, until };
            return self.add_certificate(certificate, &listed);
        }
        match text("kid") {
            Some(kid) => self.add_bare(kid, entry, "publicKey", None, until),
            None if entry.get("kty").is_some() => self.add_jwk(entry, &[], until),
            None => Found::default(),
        }
    }

    /// A key as SubjectPublicKeyInfo under its name, for passes whose letters the list gives.
    fn add_bare(
        &mut self,
        kid: &str,
        entry: &Value,
        field: &str,
        usage: Option<&Value>,
        list_until: Option<i64>,
    ) -> Found {
        let text = |name: &str| entry.get(name).and_then(Value::as_str);
        let info = text(field).and_then(any_base64);
        let key = info.and_then(|info| Der(&info).take(der::SEQUENCE).and_then(public_key));
        let (Some(kid), Some(key)) = (any_base64(kid), key) else { return Found::default() };
        let letters = usage.and_then(Value::as_array).filter(|letters| !letters.is_empty());
        let usage = letters.map_or(Usage::ANY, |letters| {
            let has = |letter: &str| letters.iter().any(|it| it.as_str() == Some(letter));
            Usage { vaccination: has("v"), test: has("t"), recovery: has("r") }
        });
        let country = text("ian").or(text("country")).map(str::to_ascii_uppercase);
        self.add_signer(Format::Dcc, &kid, Signer { usage, country, list_until, ..bare(key) });
        Found { signers: 1, ..Found::default() }
    }

    /// An entry with a chain of certificates, the signer's first, or else a plain key.
    fn add_chain(&mut self, key: &Value, country: &str, until: Option<i64>) -> Found {
        let first = key.get("x5c").and_then(|chain| chain.get(0)).and_then(Value::as_str);
        match first.and_then(any_base64).and_then(|der| Certificate::from_der(&der)) {
            Some(certificate) => {
                let listed = Listed { country: Some(country), until, ..Listed::default() };
                self.add_certificate(certificate, &listed)
            }
            None => self.add_jwk(key, &[], until),
        }
    }

    /// An issuer of SMART cards in a directory, as the VCI publishes: by address alone, or with keys
    /// and revocation lists.
    fn add_card_issuer_entry(&mut self, entry: &Value) -> Found {
        let issuer = entry.get("issuer").and_then(|it| text_of(it, "iss"));
        let Some(issuer) = issuer.or(text_of(entry, "iss")) else { return Found::default() };
        self.add_card_issuer(issuer);
        let list = |name: &str| entry.get(name).and_then(Value::as_array).into_iter().flatten();
        for crl in list("crls").filter_map(CardRevocations::from_json) {
            self.revocations.add_cards(crl);
        }
        list("keys").fold(Found { lists: 1, ..Found::default() }, |found, key| {
            found.plus(self.add_jwk(key, &[issuer.to_owned()], None))
        })
    }

    /// A key, and whose it is as far as its set says.
    fn add_jwk(&mut self, jwk: &Value, owners: &[String], list_until: Option<i64>) -> Found {
        let kid = jwk.get("kid").and_then(Value::as_str);
        let (Some(kid), Some(key)) = (kid, jwk::public_key(jwk)) else { return Found::default() };
        let signer = Signer { list_until, ..bare(key) };
        if let Some(short) = any_base64(kid).filter(|kid| kid.len() == 8) {
            self.add_signer(Format::Dcc, &short, signer.clone());
        }
        if let Some(card_key) = CardKey::read(jwk) {
            let owners = card_key.issuers.iter().chain(owners).map(|it| Some(it.clone()));
            let mut owners: Vec<_> = owners.collect();
            if owners.is_empty() {
                owners.push(None);
            }
            for owner in owners {
                let signer = Signer { issuer: owner, ..signer.clone() };
                self.add_signer(Format::Shc, kid.as_bytes(), signer);
            }
            if let Some(version) = card_key.crl_version {
                self.add_card_list_version(kid, version);
            }
        }
        Found { signers: 1, ..Found::default() }
    }

    /// The keys that a DID may assert with (DID Core, 5.3.2), each under its full name. A pass of New
    /// Zealand names issuer and key apart; together they are that name.
    fn add_did(&mut self, document: &Value) -> Found {
        let did = document.get("id").and_then(Value::as_str).unwrap_or_default();
        let full = |name: &str| {
            if name.starts_with('#') { format!("{did}{name}") } else { name.to_owned() }
        };
        let list = |name: &str| document.get(name).and_then(Value::as_array).into_iter().flatten();
        let methods: Vec<&Value> = list("verificationMethod").collect();
        let name_of = |method: &Value| method.get("id").and_then(Value::as_str).map(full);
        let mut found = Found::default();
        for assertion in list("assertionMethod") {
            // By name, or whole in place.
            let named = assertion.as_str().map(full);
            let method = match &named {
                Some(name) => methods.iter().find(|it| name_of(it).as_ref() == Some(name)).copied(),
                None => Some(assertion),
            };
            let Some((method, name)) = method.and_then(|it| Some((it, name_of(it)?))) else {
                continue;
            };
            let is_key = method.get("type").and_then(Value::as_str) == Some("JsonWebKey2020");
            let key = method.get("publicKeyJwk").filter(|_| is_key).and_then(jwk::public_key);
            let Some(key) = key else { continue };
            let issuer = Some(did.to_owned());
            self.add_signer(Format::Nzcp, name.as_bytes(), Signer { issuer, ..bare(key) });
            found.signers += 1;
        }
        found
    }

    fn add_region(&mut self, value: &Value) -> Option<Found> {
        let bytes = |name: &str| value.get(name)?.as_str().and_then(any_base64);
        let root: [u8; 32] = bytes("root")?.try_into().ok()?;
        let list = list::TrustList::open(&bytes("trust")?, &root, 0).ok()?;
        let revocations = bytes("revocations");
        let revocations = revocations.and_then(|it| list::RevocationList::open(&it, &root, 0).ok());
        self.regions.push(list::Trust { list, revocations });
        Some(Found { regions: 1, ..Found::default() })
    }
}

/// What a list says beside a certificate.
#[derive(Debug, Clone, Copy, Default)]
struct Listed<'a> {
    country: Option<&'a str>,
    refused_from: Option<i64>,
    until: Option<i64>,
}

/// Until when a list of signers may be relied on, in unix seconds: `valid_until` of ours, `exp` of lists
/// that travel as JWT (RFC 7519, 4.1.4; Sweden's). Most national lists give no end.
fn end_of(list: &Value) -> Option<i64> {
    let second = |name: &str| list.get(name).and_then(Value::as_i64);
    second("valid_until").or_else(|| second("exp"))
}

/// A key of which nothing else is known.
fn bare(key: PublicKey) -> Signer {
    Signer {
        key,
        usage: Usage::ANY,
        issuer: None,
        country: None,
        not_before: None,
        not_after: None,
        refused_from: None,
        list_until: None,
        certificate: None,
    }
}

fn second_line(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once('\n')?;
    rest.trim_start().starts_with(['{', '[']).then(|| rest.trim())
}
