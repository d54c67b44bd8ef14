//! Cosignatures: a witness says "at this time this was the largest tree I had seen of this log".
//!
//! A log alone could show two faces; a few independent witnesses (a university, a hospital, a
//! newspaper) make that visible. C2SP tlog-cosignature, the Ed25519 kind (type 0x04); a cosignature
//! of the post-quantum kind is ignored as an unknown key.

use std::fmt;

use aws_lc_rs::signature::Ed25519KeyPair;

use crate::checkpoint::Checkpoint;
use crate::note::{
    Algorithm, KEY_BYTES, Note, NoteError, VerifierKey, key_pair, signature_line, verify_ed25519,
};

/// The largest timestamp that the specification allows.
const MAX_TIMESTAMP: u64 = i64::MAX.cast_unsigned();

/// A witness's word on a checkpoint, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosignature {
    /// The witness's key name.
    pub name: String,
    /// When it signed, in seconds since 1970. Whether that is too old is for the caller to say.
    pub timestamp: u64,
}

/// The private key of a witness.
///
/// Before it signs, a witness must have checked that the checkpoint continues the last one it
/// signed for the same log; see [`crate::verify_consistency`].
pub struct Cosigner {
    pair: Ed25519KeyPair,
    verifier: VerifierKey,
}

/// Names the key and never shows its private half.
impl fmt::Debug for Cosigner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Cosigner({})", self.verifier)
    }
}

impl Cosigner {
    /// A witness key from a seed of 32 random bytes. One seed must serve one name only: the signed
    /// message does not contain the name.
    pub fn try_new(name: &str, seed: &[u8; KEY_BYTES]) -> Result<Self, NoteError> {
        let (pair, verifier) = key_pair(name, seed, Algorithm::CosignatureV1)?;
        Ok(Self { pair, verifier })
    }

    /// The key that others verify with.
    pub const fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// Adds this witness's line to a signed checkpoint. `timestamp` is in seconds since 1970.
    pub fn cosign(&self, note: &str, timestamp: u64) -> Result<String, NoteError> {
        let text = Note::parse(note)?.text;
        if Checkpoint::parse(&text).is_err() {
            return Err(NoteError::Malformed("not a checkpoint"));
        }
        if timestamp > MAX_TIMESTAMP {
            return Err(NoteError::Malformed("the timestamp is too large"));
        }
        let mut signature = timestamp.to_be_bytes().to_vec();
        signature.extend_from_slice(self.pair.sign(message(&text, timestamp).as_bytes()).as_ref());
        Ok(format!("{note}{}\n", signature_line(&self.verifier, &signature)))
    }
}

/// What is signed: a header against mix-ups with other signatures, the time, the checkpoint's text.
fn message(text: &str, timestamp: u64) -> String {
    format!("cosignature/v1\ntime {timestamp}\n{text}")
}

/// The timestamp of a good cosignature over a checkpoint; `None` for a bad one, or when the text is
/// no checkpoint.
pub(crate) fn verify(public: &[u8; KEY_BYTES], text: &str, signature: &[u8]) -> Option<u64> {
    let (timestamp, signature) = signature.split_first_chunk::<8>()?;
    let timestamp = u64::from_be_bytes(*timestamp);
    if timestamp > MAX_TIMESTAMP || Checkpoint::parse(text).is_err() {
        return None;
    }
    verify_ed25519(public, message(text, timestamp).as_bytes(), signature)?;
    Some(timestamp)
}
