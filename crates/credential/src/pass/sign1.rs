//! COSE_Sign1 (RFC 9052, 4.2) as others write it: tagged or not, in any encoding, with the names of
//! key and algorithm in either header.

use std::borrow::Cow;

use super::cbor_value::{Cbor, DEPTH_MAX, Reader};
use super::key::{Algorithm, PublicKey, SignatureCheck};
use super::reason::Reason;
use crate::cbor::encoded;

const TAG_SIGN1: u64 = 18;
const TAG_CWT: u64 = 61;
const ALGORITHM: i64 = 1;
const CRITICAL: i64 = 2;
const KID: i64 = 4;

/// A signed message that was read but not verified.
#[derive(Debug)]
pub(crate) struct Message<'a> {
    protected: Cow<'a, [u8]>,
    /// The algorithm that the message names, if it is one that is known here.
    pub(crate) algorithm: Option<Algorithm>,
    /// The key that claims to have signed: the protected header's wins (DCC, "CO20" to "CO23").
    pub(crate) kid: Option<Vec<u8>>,
    /// Whether both names stand in the header that is signed.
    pub(crate) is_protected: bool,
    /// What is signed.
    pub(crate) payload: Cow<'a, [u8]>,
    /// The signature.
    pub(crate) signature: Cow<'a, [u8]>,
}

impl<'a> Message<'a> {
    /// Reads a message: an array of four, in a COSE tag or none, that in a CWT tag or none
    /// (RFC 8392, section 6). Nothing may follow it.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, Reason> {
        Self::parse(bytes).ok_or(Reason::EnvelopeMalformed)
    }

    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let mut from = Reader(bytes);
        from.tag(TAG_CWT);
        from.tag(TAG_SIGN1);
        let has_end = from.array_of(4)?;
        let mut protected = from.byte_string()?;
        let unprotected = from.value(DEPTH_MAX)?;
        let payload = from.byte_string()?;
        let signature = from.byte_string()?;
        let whole = (!has_end || from.end()) && from.is_empty();

        let header = match &*protected {
            [] => Cbor::Map(Vec::new()),
            bytes => Cbor::read(bytes)?,
        };
        let (Cbor::Map(entries), Cbor::Map(_)) = (&header, &unprotected) else { return None };
        // What is critical must be understood, and nothing beyond the two names is.
        if !whole || header.at(CRITICAL).is_some() || unprotected.at(CRITICAL).is_some() {
            return None;
        }
        // RFC 9052, 4.4: an empty header is signed as an empty string, however it is written.
        if entries.is_empty() {
            protected = Cow::Borrowed(&[]);
        }
        let either = |name: i64| header.at(name).or_else(|| unprotected.at(name));
        let algorithm = match either(ALGORITHM) {
            Some(Cbor::Int(number)) => Algorithm::from_cose(*number),
            Some(Cbor::Text(_)) | None => None,
            Some(_) => return None,
        };
        let kid = match either(KID) {
            Some(Cbor::Bytes(kid)) => Some(kid.clone()),
            // New Zealand's specification has a text here, its examples bytes.
            Some(Cbor::Text(kid)) => Some(kid.clone().into_bytes()),
            Some(_) => return None,
            None => None,
        };
        let is_protected = header.at(ALGORITHM).is_some() && header.at(KID).is_some();
        Some(Self { protected, algorithm, kid, is_protected, payload, signature })
    }

    /// The check whether `key` signed this, with the algorithm that the message names.
    pub(crate) fn check(&self, key: &PublicKey) -> Option<SignatureCheck> {
        let algorithm = self.algorithm.filter(|it| it.fits(key))?;
        Some(SignatureCheck {
            key: key.clone(),
            algorithm,
            message: self.to_be_signed(&[]),
            signature: self.signature.to_vec(),
        })
    }

    /// The bytes that are signed: the Sig_structure of RFC 9052, 4.4.
    pub(crate) fn to_be_signed(&self, external: &[u8]) -> Vec<u8> {
        encoded(|cbor| {
            cbor.array(4)?.str("Signature1")?.bytes(&self.protected)?.bytes(external)?;
            cbor.bytes(&self.payload)?;
            Ok(())
        })
    }
}
