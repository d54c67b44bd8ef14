//! Strict CBOR: what every format of this crate does the same way.
//!
//! Readers are written by hand for one shape each, keys in ascending order, and never recurse, so
//! nesting cannot grow beyond the shape. After reading, the value is written again and must give
//! the same bytes: that one comparison refuses duplicate and unordered keys, long-form integers,
//! indefinite lengths and trailing bytes (deterministic encoding, RFC 8949, section 4.2.1).

use core::convert::Infallible;

use minicbor::{Decoder, Encoder, encode};

use crate::DecodeError;

/// The latest second any format accepts: 9999-12-31T23:59:59Z. Keeps sums of seconds far from the
/// ends of `i64` and dates printable.
pub(crate) const LAST_SECOND: i64 = 253_402_300_799;

/// What a writer closure answers.
pub(crate) type Written = Result<(), encode::Error<Infallible>>;

impl From<minicbor::decode::Error> for DecodeError {
    fn from(_: minicbor::decode::Error) -> Self {
        Self::WrongShape
    }
}

/// Runs `write` and returns its bytes.
pub(crate) fn encoded(write: impl FnOnce(&mut Encoder<Vec<u8>>) -> Written) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    match write(&mut encoder) {
        // A `Vec` takes every byte: its error type has no value.
        Ok(()) | Err(_) => encoder.into_writer(),
    }
}

/// Reads a map head of definite length.
pub(crate) fn map(from: &mut Decoder<'_>) -> Result<u64, DecodeError> {
    from.map()?.ok_or(DecodeError::NotCanonical)
}

/// Reads an array head of definite length.
pub(crate) fn array(from: &mut Decoder<'_>) -> Result<u64, DecodeError> {
    from.array()?.ok_or(DecodeError::NotCanonical)
}

/// Reads the key `expected`.
pub(crate) fn key(from: &mut Decoder<'_>, expected: u8) -> Result<(), DecodeError> {
    if from.u8()? == expected { Ok(()) } else { Err(DecodeError::WrongShape) }
}

/// Reads a byte string of exactly `N` bytes.
pub(crate) fn fixed<const N: usize>(from: &mut Decoder<'_>) -> Result<[u8; N], DecodeError> {
    from.bytes()?.try_into().map_err(|_| DecodeError::WrongShape)
}

/// Reads a point in time: unsigned unix seconds up to [`LAST_SECOND`].
pub(crate) fn seconds(from: &mut Decoder<'_>) -> Result<i64, DecodeError> {
    match i64::try_from(from.u64()?) {
        Ok(second) if second <= LAST_SECOND => Ok(second),
        _ => Err(DecodeError::WrongShape),
    }
}

/// Writes a point in time. Values a reader would refuse are written as 0 and never issued.
pub(crate) fn put_seconds(into: &mut Encoder<Vec<u8>>, second: i64) -> Written {
    into.u64(u64::try_from(second).unwrap_or(0))?;
    Ok(())
}

/// The last step of every reader: `again` must be what was read.
pub(crate) fn same(read: &[u8], again: &[u8]) -> Result<(), DecodeError> {
    if read == again { Ok(()) } else { Err(DecodeError::NotCanonical) }
}

/// Whether `second` is one that [`seconds`] would read.
pub(crate) fn is_second(second: i64) -> bool {
    (0..=LAST_SECOND).contains(&second)
}

/// Whether `region` is one of ours: 1 to 16 printable ASCII characters without spaces. Short,
/// because it is in every QR code; ASCII, because look-alike letters have no place in a scope.
pub(crate) fn is_region(region: &str) -> bool {
    (1..=16).contains(&region.len()) && region.bytes().all(|byte| byte.is_ascii_graphic())
}
