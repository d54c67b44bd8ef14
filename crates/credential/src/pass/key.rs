//! Public keys of issuers, the algorithms they may be used with, and one signature to be checked.
//!
//! The algorithm is the key's and the kind's, never the message's alone: a message may name one, and
//! is refused where the two disagree (ASVS 9.1).

use crate::curve;

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PublicKey {
    /// ECDSA on P-256: a SEC 1 point, 33 or 65 bytes.
    P256(Vec<u8>),
    /// ECDSA on P-384: a SEC 1 point.
    P384(Vec<u8>),
    /// ECDSA on P-521: a SEC 1 point.
    P521(Vec<u8>),
    /// RSA: `RSAPublicKey` in DER (RFC 8017, A.1.1).
    Rsa(Vec<u8>),
    /// Ed25519.
    Ed25519([u8; 32]),
}

/// A signature scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// ECDSA with SHA-256.
    Es256,
    /// ECDSA with SHA-384.
    Es384,
    /// ECDSA with SHA-512.
    Es512,
    /// RSASSA-PSS with SHA-256, salt of 32 bytes.
    Ps256,
    /// RSASSA-PSS with SHA-384, salt of 48 bytes.
    Ps384,
    /// RSASSA-PSS with SHA-512, salt of 64 bytes.
    Ps512,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    /// The scheme with this number in COSE (RFC 9053, RFC 8812).
    pub fn from_cose(number: i64) -> Option<Self> {
        Some(match number {
            -7 => Self::Es256,
            -35 => Self::Es384,
            -36 => Self::Es512,
            -37 => Self::Ps256,
            -38 => Self::Ps384,
            -39 => Self::Ps512,
            -257 => Self::Rs256,
            -258 => Self::Rs384,
            -259 => Self::Rs512,
            -8 => Self::EdDsa,
            _ => return None,
        })
    }

    /// Whether a message of any kind may be signed so with such a key: each curve has its own hash
    /// (RFC 7518, 3.4; the DCC has ES256 on P-256 only).
    pub fn fits(self, key: &PublicKey) -> bool {
        match self {
            Self::Es256 => matches!(key, PublicKey::P256(_)),
            Self::Es384 => matches!(key, PublicKey::P384(_)),
            Self::Es512 => matches!(key, PublicKey::P521(_)),
            _ => self.fits_loosely(key),
        }
    }

    /// Whether a certificate may be signed so with such a key: any curve with any hash (RFC 5758).
    pub fn fits_loosely(self, key: &PublicKey) -> bool {
        use Algorithm as A;
        match key {
            PublicKey::P256(_) | PublicKey::P384(_) | PublicKey::P521(_) => {
                matches!(self, A::Es256 | A::Es384 | A::Es512)
            }
            PublicKey::Rsa(_) => {
                matches!(self, A::Ps256 | A::Ps384 | A::Ps512 | A::Rs256 | A::Rs384 | A::Rs512)
            }
            PublicKey::Ed25519(_) => self == A::EdDsa,
        }
    }
}

/// One signature to be checked: by [`SignatureCheck::holds`], or by whoever has something faster
/// (WebCrypto on a phone).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureCheck {
    /// The key that may have signed.
    pub key: PublicKey,
    /// The scheme; it fits the key.
    pub algorithm: Algorithm,
    /// What was signed.
    pub message: Vec<u8>,
    /// The signature; of ECDSA `r || s`.
    pub signature: Vec<u8>,
}

impl SignatureCheck {
    /// Whether the key signed the message; nothing when this device cannot compute it.
    pub fn holds(&self) -> Option<bool> {
        curve::verify(&self.key, self.algorithm, &self.message, &self.signature)
    }
}
