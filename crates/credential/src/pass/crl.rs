//! Lists of revoked certificates (RFC 5280, section 5), as the authorities of countries publish them.

use std::collections::BTreeSet;

use super::certificate::{Certificate, Signature, named_algorithm, same_name};
use super::der::{self, Der, Element};
use super::key::SignatureCheck;

/// The largest list that is read. Countries' have some hundred bytes to some hundred kilobytes.
const MAX_BYTES: usize = 16 << 20;
/// A list without a date for the next one counts as long as ICAO lets countries wait with theirs
/// (Doc 9303-12, section 5.4).
const DEFAULT_LIFE_S: i64 = 90 * 86_400;

/// Number, issuer's key, issuer's other names: they do not change what a complete list says.
const HARMLESS: [&[u8]; 3] = [&[0x55, 0x1d, 0x14], &[0x55, 0x1d, 0x23], &[0x55, 0x1d, 0x12]];
/// A delta says only what changed: it is no list to rely on, critical or not.
const DELTA: &[u8] = &[0x55, 0x1d, 0x1b];

/// A complete list of one authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevokedCertificates {
    signed: Vec<u8>,
    signature: Signature,
    issuer: Vec<u8>,
    this_update: i64,
    next_update: i64,
    serials: BTreeSet<Vec<u8>>,
}

impl RevokedCertificates {
    /// Reads one list in DER. Delta lists, lists for other authorities, and lists with critical
    /// extensions that are not understood are not read: nobody can rely on a part.
    pub fn from_der(bytes: &[u8]) -> Option<Self> {
        let mut from = Der(bytes);
        let mut outer = from.enter(der::SEQUENCE)?;
        if MAX_BYTES < bytes.len() || !from.is_empty() {
            return None;
        }
        let signed = outer.take(der::SEQUENCE)?;
        let algorithm = named_algorithm(outer)?;
        let signature = Signature::read(&mut outer)?;
        let mut body = signed.inside();
        body.take(der::INTEGER); // version
        if body.take(der::SEQUENCE)?.whole != algorithm || !outer.is_empty() {
            return None;
        }
        let issuer = body.take(der::SEQUENCE)?.whole.to_vec();
        let this_update = der::second(body.element()?)?;
        let next =
            [der::UTC_TIME, der::GENERALIZED_TIME].into_iter().find_map(|tag| body.take(tag));
        let next_update = match next {
            Some(next) => der::second(next)?,
            None => this_update.checked_add(DEFAULT_LIFE_S)?,
        };
        let mut serials = BTreeSet::new();
        if let Some(mut entries) = body.enter(der::SEQUENCE) {
            while !entries.is_empty() {
                let mut entry = entries.enter(der::SEQUENCE)?;
                serials.insert(serial(entry.take(der::INTEGER)?));
                der::second(entry.element()?)?;
                if let Some(extensions) = entry.enter(der::SEQUENCE) {
                    understood(extensions, &[])?;
                }
            }
        }
        if let Some(mut extensions) = body.enter(0xa0) {
            understood(extensions.enter(der::SEQUENCE)?, &HARMLESS)?;
        }
        body.is_empty().then(|| Self {
            signed: signed.whole.to_vec(),
            signature,
            issuer,
            this_update,
            next_update,
            serials,
        })
    }

    /// The check whether `authority` signed this list; nothing where it does not have the issuer's name,
    /// may not sign lists, or has a key that is not known here.
    pub fn signed_by(&self, authority: &Certificate) -> Option<SignatureCheck> {
        let may = same_name(&self.issuer, &authority.subject) && authority.may_sign_lists();
        let key = authority.key.as_ref().filter(|_| may)?;
        self.signature.by(key, &self.signed)
    }

    /// Whether it is the list of those who issue such certificates.
    pub fn is_about(&self, certificate: &Certificate) -> bool {
        same_name(&self.issuer, &certificate.issuer)
    }

    /// Whether it names the certificate.
    pub fn contains(&self, certificate: &Certificate) -> bool {
        self.is_about(certificate) && self.serials.contains(der::unsigned(&certificate.serial))
    }

    /// Whether it can be relied on for "not revoked": made already, and the next one not yet due.
    pub fn is_current_at(&self, now_s: i64) -> bool {
        (self.this_update..self.next_update).contains(&now_s)
    }
}

fn serial(element: Element<'_>) -> Vec<u8> {
    der::unsigned(element.content).to_vec()
}

fn understood(mut extensions: Der<'_>, harmless: &[&[u8]]) -> Option<()> {
    while !extensions.is_empty() {
        let mut extension = extensions.enter(der::SEQUENCE)?;
        let name = extension.take(der::OID)?.content;
        let is_critical = extension.take(der::BOOLEAN).is_some_and(|it| it.content != [0]);
        if name == DELTA || (is_critical && !harmless.contains(&name)) {
            return None;
        }
    }
    Some(())
}
