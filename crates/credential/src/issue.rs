//! Signing, on the server only: health codes by a region's issuing key, lists by its root key.
//!
//! Also the device's half of a proof, for the simulated city and for tests; a real device signs
//! with a key that never leaves its WebCrypto store.

mod authority;
pub(crate) mod hcert;

use aws_lc_rs::agreement;
use aws_lc_rs::encoding::{AsBigEndian, EcPublicKeyCompressedBin, EcPublicKeyUncompressedBin};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
};

pub use authority::Authority;
pub use hcert::{Attested, Hcert, HcertSigner, Person, uvci};

use crate::code::HealthCode;
use crate::cose::{self, Kid, Sign1};
use crate::error::DecodeError;
use crate::list::{Floor, MAX_REVOCATION_BYTES, RevocationList, TrustList};
use crate::moment::{self, Moment};
use crate::pass::{MAX_MATERIAL_BYTES, Material};

/// Why nothing was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IssueError {
    /// No gate would read it: a field is out of its range.
    #[error("no gate would read it: {0}")]
    Unreadable(#[from] DecodeError),
    /// The bytes are not a key of this curve, or the library refused to work.
    #[error("the key is not usable")]
    Key,
}

impl From<aws_lc_rs::error::Unspecified> for IssueError {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self::Key
    }
}

impl From<aws_lc_rs::error::KeyRejected> for IssueError {
    fn from(_: aws_lc_rs::error::KeyRejected) -> Self {
        Self::Key
    }
}

/// An Ed25519 key that signs: a region's issuing key or its root key.
pub struct IssuerSigner {
    pair: Ed25519KeyPair,
    public: [u8; 32],
    kid: Kid,
}

impl core::fmt::Debug for IssuerSigner {
    /// Names the key, never shows it.
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.debug_struct("IssuerSigner").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl IssuerSigner {
    /// The key of a 32-byte seed (RFC 8032 private key).
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, IssueError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed)?;
        let public = pair.public_key().as_ref().try_into().map_err(|_| IssueError::Key)?;
        Ok(Self { pair, public, kid: cose::kid(&public) })
    }

    /// The public key.
    pub fn public(&self) -> [u8; 32] {
        self.public
    }

    /// The key's name in what it signs.
    pub fn kid(&self) -> Kid {
        self.kid
    }

    /// Signs a health code; returns the untagged COSE_Sign1.
    pub fn sign_code(&self, code: &HealthCode) -> Result<Vec<u8>, IssueError> {
        code.check()?;
        self.sign(code.to_cbor())
    }

    /// Signs a trust list (with the region's root key). Keys may come in any order.
    pub fn sign_trust(&self, list: &TrustList) -> Result<Vec<u8>, IssueError> {
        let mut list = list.clone();
        list.keys.sort_by_key(|key| key.kid);
        list.check()?;
        self.sign(list.to_cbor())
    }

    /// Signs a revocation list (with the region's root key).
    pub fn sign_revocations(&self, list: &RevocationList) -> Result<Vec<u8>, IssueError> {
        list.check()?;
        let signed = self.sign(list.to_cbor())?;
        if MAX_REVOCATION_BYTES < signed.len() {
            return Err(DecodeError::TooLong.into());
        }
        Ok(signed)
    }

    /// Signs from when on lists count (with the region's root key).
    pub fn sign_floor(&self, floor: &Floor) -> Result<Vec<u8>, IssueError> {
        floor.check()?;
        self.sign(floor.to_cbor())
    }

    /// Signs what gates carry to judge the passes of others (with the region's root key).
    pub fn sign_material(&self, material: &Material) -> Result<Vec<u8>, IssueError> {
        material.check()?;
        let signed = self.sign(material.to_cbor())?;
        if MAX_MATERIAL_BYTES < signed.len() {
            return Err(DecodeError::TooLong.into());
        }
        Ok(signed)
    }

    fn sign(&self, payload: Vec<u8>) -> Result<Vec<u8>, IssueError> {
        let mut message = Sign1 { kid: self.kid, payload, signature: [0; 64] };
        let signature = self.pair.try_sign(&message.to_be_signed())?;
        message.signature = signature.as_ref().try_into().map_err(|_| IssueError::Key)?;
        Ok(message.to_cbor())
    }
}

/// A holder's device key (P-256), as the simulated city and tests need it.
pub struct DeviceKey {
    pair: EcdsaKeyPair,
    public: [u8; 33],
}

impl core::fmt::Debug for DeviceKey {
    /// Names the key, never shows it.
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.debug_struct("DeviceKey").field("public", &self.public).finish_non_exhaustive()
    }
}

impl DeviceKey {
    /// The key of a 32-byte private scalar, big endian; 0 and values beyond the order are refused.
    pub fn from_scalar(scalar: &[u8; 32]) -> Result<Self, IssueError> {
        let private = agreement::PrivateKey::from_private_key(&agreement::ECDH_P256, scalar)?;
        let point = private.compute_public_key()?;
        let long: EcPublicKeyUncompressedBin<'_> = point.as_be_bytes()?;
        let short: EcPublicKeyCompressedBin<'_> = point.as_be_bytes()?;
        let pair = EcdsaKeyPair::from_private_key_and_public_key(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            scalar,
            long.as_ref(),
        )?;
        let public = short.as_ref().try_into().map_err(|_| IssueError::Key)?;
        Ok(Self { pair, public })
    }

    /// The public key as health codes carry it (SEC 1 compressed).
    pub fn public(&self) -> [u8; 33] {
        self.public
    }

    /// The public key as WebCrypto exports it (SEC 1 uncompressed).
    pub fn public_uncompressed(&self) -> Vec<u8> {
        self.pair.public_key().as_ref().to_vec()
    }

    /// Signs any message with ES256; raw `r || s`. The nonce is random, so two calls differ.
    pub fn sign(&self, message: &[u8]) -> Result<[u8; 64], IssueError> {
        let signature = self.pair.sign(&SystemRandom::new(), message)?;
        signature.as_ref().try_into().map_err(|_| IssueError::Key)
    }

    /// The proof of the moment `now_s` (unix seconds) for `pass`.
    pub fn prove(&self, pass: &[u8; 16], now_s: i64) -> Result<Moment, IssueError> {
        let step = moment::step_at(now_s);
        Ok(Moment { step, signature: self.sign(&moment::message(pass, step))? })
    }
}
