//! The proof of the moment, and the text inside the QR code.
//!
//! Korea's code of 2021 changed each 15 s and yet a captured picture of it worked minutes later.
//! Here the holder's device signs the running time step with a key that cannot leave it, and a gate
//! accepts only steps around its own (see [`crate::Policy`] for the tolerance).
//!
//! A presentation is a CBOR array: `[code, step, signature]` from a device, `[code]` from paper,
//! where `code` is the COSE_Sign1 as a byte string. As text: `HT1:` and its base45.
//!
//! What the proof cannot do: a holder who owns the device may sign steps in advance, or hand over
//! the device. It proves that the key took part, not that the right person stands there.

use minicbor::Decoder;

use crate::cbor::{self, encoded};
use crate::code::{HealthCode, Holder};
use crate::cose::Sign1;
use crate::error::DecodeError;
use crate::{base45, curve};

/// The length of a time step in seconds.
pub const STEP_S: i64 = 15;
/// What every text begins with; the 1 is the version of the format.
pub const PREFIX: &str = "HT1:";
/// The longest presentation that is read, in bytes.
pub const MAX_BYTES: usize = 1024;
/// The longest text that is read, in characters: the base45 of [`MAX_BYTES`] behind the prefix.
pub const MAX_TEXT: usize = 4 + MAX_BYTES / 2 * 3;

const CONTEXT: &[u8] = b"haetae/moment/v1";

/// The time step that `now_s` (unix seconds) lies in. Before 1970 there are none.
pub fn step_at(now_s: i64) -> u64 {
    u64::try_from(now_s.div_euclid(STEP_S)).unwrap_or(0)
}

/// What the device signs with ES256: `haetae/moment/v1`, the pass id and the step as 8 bytes, big
/// endian. 40 bytes.
pub fn message(pass: &[u8; 16], step: u64) -> Vec<u8> {
    [CONTEXT, pass, &step.to_be_bytes()].concat()
}

/// The device's signature over a time step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Unix seconds divided by [`STEP_S`].
    pub step: u64,
    /// ECDSA P-256 SHA-256 over [`message`], raw `r || s`.
    pub signature: [u8; 64],
}

impl Moment {
    /// Whether the device with `key` (SEC 1 point) signed this step for `pass`.
    pub fn is_signed_by(&self, key: &[u8], pass: &[u8; 16]) -> bool {
        curve::p256_verify(key, &message(pass, self.step), &self.signature)
    }
}

/// What is shown at a gate: read, but not verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presentation {
    /// The COSE_Sign1 exactly as shown: its bytes, tagged or not.
    pub signed: Vec<u8>,
    /// The proof, if any.
    pub moment: Option<Moment>,
}

impl Presentation {
    /// The deterministic CBOR.
    pub fn to_cbor(&self) -> Vec<u8> {
        encoded(|cbor| {
            match &self.moment {
                Some(moment) => cbor
                    .array(3)?
                    .bytes(&self.signed)?
                    .u64(moment.step)?
                    .bytes(&moment.signature)?,
                None => cbor.array(1)?.bytes(&self.signed)?,
            };
            Ok(())
        })
    }

    /// Reads a presentation of at most [`MAX_BYTES`].
    pub fn from_cbor(bytes: &[u8]) -> Result<Self, DecodeError> {
        if MAX_BYTES < bytes.len() {
            return Err(DecodeError::TooLong);
        }
        let from = &mut Decoder::new(bytes);
        let length = cbor::array(from)?;
        let signed = from.bytes()?.to_vec();
        let moment = match length {
            1 => None,
            3 => Some(Moment { step: from.u64()?, signature: cbor::fixed(from)? }),
            _ => return Err(DecodeError::WrongShape),
        };
        let presentation = Self { signed, moment };
        cbor::same(bytes, &presentation.to_cbor())?;
        Ok(presentation)
    }

    /// The text for the QR code: only characters of its alphanumeric mode.
    pub fn to_text(&self) -> String {
        let mut text = String::from(PREFIX);
        text.push_str(&base45::encode(&self.to_cbor()));
        text
    }

    /// Reads a text, strictly: capital letters, no spaces around it.
    pub fn from_text(text: &str) -> Result<Self, DecodeError> {
        if MAX_TEXT < text.len() {
            return Err(DecodeError::TooLong);
        }
        let body = text.strip_prefix(PREFIX).ok_or(DecodeError::NotHaetae)?;
        Self::from_cbor(&base45::decode(body)?)
    }

    /// Reads the signed code inside, still unverified. A printed code with a proof is refused: no
    /// device could have made one.
    pub fn read(&self) -> Result<(Sign1, HealthCode), DecodeError> {
        let signed = Sign1::from_cbor(&self.signed, MAX_BYTES)?;
        let code = HealthCode::from_cbor(&signed.payload)?;
        if code.holder == Holder::Printed && self.moment.is_some() {
            return Err(DecodeError::WrongShape);
        }
        Ok((signed, code))
    }
}
