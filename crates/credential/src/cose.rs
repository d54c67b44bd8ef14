//! COSE_Sign1 (RFC 9052, section 4.2) with the one algorithm we allow, EdDSA over Ed25519.
//!
//! Protected header `{1: -8, 4: kid}`, unprotected header `{}`, payload inside, no external data.
//! The CBOR tag 18 is left out when writing, to save a byte of QR code, and accepted when reading.

use minicbor::Decoder;
use sha2::{Digest, Sha256};

use crate::cbor::{self, encoded};
use crate::curve;
use crate::error::DecodeError;

/// Names a signing key: the first 8 bytes of the SHA-256 of its public key.
pub type Kid = [u8; 8];

const TAG_SIGN1: u8 = 0xd2;
/// `{1: -8, 4: h'...8 bytes...'}` up to the kid (RFC 9053: algorithm -8 is EdDSA).
const PROTECTED_START: [u8; 5] = [0xa2, 0x01, 0x27, 0x04, 0x48];
/// `{1: ` and an algorithm that is not -8: well formed, but not ours.
const PROTECTED_ALGORITHM: [u8; 2] = [0xa2, 0x01];

/// The kid of an Ed25519 public key.
pub fn kid(public: &[u8; 32]) -> Kid {
    first_eight(&Sha256::digest(public))
}

/// The first eight bytes; what is missing is zero, but callers bring 16 or 32.
pub(crate) fn first_eight(bytes: &[u8]) -> [u8; 8] {
    core::array::from_fn(|place| bytes.get(place).copied().unwrap_or(0))
}

/// A signed message that was read but not yet verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sign1 {
    /// The key that claims to have signed.
    pub kid: Kid,
    /// The signed bytes.
    pub payload: Vec<u8>,
    /// Ed25519 signature, 64 bytes.
    pub signature: [u8; 64],
}

impl Sign1 {
    /// The untagged deterministic CBOR.
    pub fn to_cbor(&self) -> Vec<u8> {
        encoded(|cbor| {
            cbor.array(4)?.bytes(&protected(self.kid))?.map(0)?;
            cbor.bytes(&self.payload)?.bytes(&self.signature)?;
            Ok(())
        })
    }

    /// Reads a message, tagged or not, of at most `max_len` bytes.
    pub fn from_cbor(bytes: &[u8], max_len: usize) -> Result<Self, DecodeError> {
        if max_len < bytes.len() {
            return Err(DecodeError::TooLong);
        }
        let untagged = bytes.strip_prefix(&[TAG_SIGN1]).unwrap_or(bytes);
        let from = &mut Decoder::new(untagged);
        if cbor::array(from)? != 4 {
            return Err(DecodeError::WrongShape);
        }
        let header = from.bytes()?;
        let Some(kid) = header.strip_prefix(&PROTECTED_START) else {
            let other = header.starts_with(&PROTECTED_ALGORITHM);
            let reason =
                if other { DecodeError::AlgorithmNotAllowed } else { DecodeError::WrongShape };
            return Err(reason);
        };
        let kid = kid.try_into().map_err(|_| DecodeError::WrongShape)?;
        if cbor::map(from)? != 0 {
            return Err(DecodeError::WrongShape);
        }
        let payload = from.bytes()?.to_vec();
        let signature = cbor::fixed(from)?;

        let message = Self { kid, payload, signature };
        cbor::same(untagged, &message.to_cbor())?;
        Ok(message)
    }

    /// Whether `public` signed this message.
    pub fn is_signed_by(&self, public: &[u8; 32]) -> bool {
        curve::ed25519_verify(public, &self.to_be_signed(), &self.signature)
    }

    /// The bytes that are signed: the Sig_structure of RFC 9052, section 4.4.
    pub fn to_be_signed(&self) -> Vec<u8> {
        encoded(|cbor| {
            cbor.array(4)?.str("Signature1")?.bytes(&protected(self.kid))?.bytes(&[])?;
            cbor.bytes(&self.payload)?;
            Ok(())
        })
    }
}

fn protected(kid: Kid) -> Vec<u8> {
    [PROTECTED_START.as_slice(), &kid].concat()
}
