//! What a health code says: a random pass id, a colour and until when. No name.
//!
//! The payload is a CBOR map with small integer keys: 1 pass id, 2 colour, 3 issued at, 4 valid
//! until, 5 the holder's device key (absent when printed), 6 class, 7 region.

use minicbor::Decoder;
use serde::Serialize;

use crate::cbor::{self, encoded};
use crate::error::DecodeError;

/// A colour. At a gate it is always shown with its shape and its word, never alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Colour {
    /// Facts are missing or too old. Never shown as "not vaccinated".
    Unknown,
    /// Clear.
    Green,
    /// Check.
    Yellow,
    /// Isolate.
    Red,
}

impl Colour {
    fn number(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::Green => 1,
            Self::Yellow => 2,
            Self::Red => 3,
        }
    }

    fn from_number(number: u8) -> Result<Self, DecodeError> {
        match number {
            0 => Ok(Self::Unknown),
            1 => Ok(Self::Green),
            2 => Ok(Self::Yellow),
            3 => Ok(Self::Red),
            _ => Err(DecodeError::WrongShape),
        }
    }
}

/// How far a code can be trusted to be shown by its holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Bound to a key in the holder's device; worthless without a fresh proof by that key.
    DeviceBound,
    /// On paper: anyone may have copied it, so the gate asks for a glance at an ID.
    Printed,
}

/// Who can show a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Holder {
    /// The device with this P-256 key (SEC 1 compressed, 33 bytes).
    Device([u8; 33]),
    /// Whoever holds the paper.
    Printed,
}

impl Holder {
    /// The class that follows from the holder.
    pub fn class(&self) -> Class {
        match self {
            Self::Device(_) => Class::DeviceBound,
            Self::Printed => Class::Printed,
        }
    }
}

/// The content of a health code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthCode {
    /// Random, 16 bytes: not ordered by time, not derived from the person.
    pub pass: [u8; 16],
    /// The colour at the time of issue.
    pub colour: Colour,
    /// Unix seconds, 0 to the year 9999.
    pub issued_at: i64,
    /// Unix seconds; later than `issued_at`. The code is expired from this second on.
    pub valid_until: i64,
    /// Who can show it.
    pub holder: Holder,
    /// The issuing region: 1 to 16 printable ASCII characters.
    pub region: String,
}

impl HealthCode {
    /// The deterministic CBOR of this code.
    pub fn to_cbor(&self) -> Vec<u8> {
        encoded(|cbor| {
            cbor.map(if self.holder == Holder::Printed { 6 } else { 7 })?;
            cbor.u8(1)?.bytes(&self.pass)?;
            cbor.u8(2)?.u8(self.colour.number())?;
            cbor.u8(3)?;
            cbor::put_seconds(cbor, self.issued_at)?;
            cbor.u8(4)?;
            cbor::put_seconds(cbor, self.valid_until)?;
            match &self.holder {
                Holder::Device(key) => cbor.u8(5)?.bytes(key)?.u8(6)?.u8(0)?,
                Holder::Printed => cbor.u8(6)?.u8(1)?,
            };
            cbor.u8(7)?.str(&self.region)?;
            Ok(())
        })
    }

    /// Reads a code; anything but the one deterministic encoding of a sound code is refused.
    pub fn from_cbor(bytes: &[u8]) -> Result<Self, DecodeError> {
        let from = &mut Decoder::new(bytes);
        let length = cbor::map(from)?;
        cbor::key(from, 1)?;
        let pass = cbor::fixed(from)?;
        cbor::key(from, 2)?;
        let colour = Colour::from_number(from.u8()?)?;
        cbor::key(from, 3)?;
        let issued_at = cbor::seconds(from)?;
        cbor::key(from, 4)?;
        let valid_until = cbor::seconds(from)?;
        // The class must agree with the presence of a key: a code has one holder, not two stories.
        let (holder, class) = match length {
            7 => {
                cbor::key(from, 5)?;
                (Holder::Device(cbor::fixed(from)?), 0)
            }
            6 => (Holder::Printed, 1),
            _ => return Err(DecodeError::WrongShape),
        };
        cbor::key(from, 6)?;
        if from.u8()? != class {
            return Err(DecodeError::WrongShape);
        }
        cbor::key(from, 7)?;
        let region = from.str()?.to_owned();

        let code = Self { pass, colour, issued_at, valid_until, holder, region };
        code.check()?;
        cbor::same(bytes, &code.to_cbor())?;
        Ok(code)
    }

    /// Whether the fields are within their ranges; asked before signing and after reading.
    pub fn check(&self) -> Result<(), DecodeError> {
        let sound = cbor::is_second(self.issued_at)
            && cbor::is_second(self.valid_until)
            && self.issued_at < self.valid_until
            && cbor::is_region(&self.region);
        if sound { Ok(()) } else { Err(DecodeError::WrongShape) }
    }
}
