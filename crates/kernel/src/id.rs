//! Typed 128-bit ids.
//!
//! Text form: a prefix that names the kind, `_`, and 26 characters of Crockford base32 in lower
//! case (`person_01jd3v…`). On the wire an id is always this text: serde's tagged enums write a
//! `u128` and cannot read it back (ADR 0007).
//!
//! Two ways to make one: [`Id::time_ordered`] for what stays inside (keys that grow are 3-5 times
//! faster to insert), [`Id::random`] for whatever a citizen carries (a time-ordered id tells when
//! it was made).

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Instant, Seed};

/// What an id is the id of. Implemented by an empty marker type.
pub trait Kind {
    /// The prefix of the text form: lower-case ASCII letters, e.g. `person`.
    const PREFIX: &'static str;
}

/// A 128-bit id of a `K`.
pub struct Id<K> {
    value: u128,
    kind: PhantomData<fn() -> K>,
}

/// Why a text is not an id of the wanted kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The prefix is another kind's, or missing.
    #[error("the id has another prefix")]
    Prefix,
    /// Not 26 characters of Crockford base32, or larger than 128 bits.
    #[error("the id is not 26 characters of base32")]
    Body,
}

/// Crockford's alphabet in lower case.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Letters of a body.
const LETTERS: usize = 26;

/// What each byte stands for in a body; 32 for those that stand for nothing. An audit reads ids by the
/// ten million.
const DIGITS: [u8; 256] = {
    let mut digits = [32; 256];
    let mut digit = 0;
    #[allow(clippy::indexing_slicing, clippy::as_conversions, reason = "while it is compiled")]
    while digit < 32 {
        digits[ALPHABET[digit as usize] as usize] = digit;
        digit += 1;
    }
    digits
};

impl<K> Id<K> {
    /// The id with these 128 bits.
    pub const fn from_u128(value: u128) -> Self {
        Self { value, kind: PhantomData }
    }

    /// The 128 bits.
    pub const fn to_u128(self) -> u128 {
        self.value
    }

    /// The 16 bytes, big-endian: byte order is number order.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.value.to_be_bytes()
    }

    /// The id with these 16 bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self::from_u128(u128::from_be_bytes(bytes))
    }

    /// 48 bits of `now` in milliseconds, then 80 random bits. For ids that stay inside.
    pub fn time_ordered(now: Instant, seed: &Seed) -> Self {
        let milliseconds = u128::from(now.micros().max(0).unsigned_abs() / 1_000);
        let low = u128::from_be_bytes(seed.bytes()) & ((1 << 80) - 1);
        Self::from_u128(((milliseconds & ((1 << 48) - 1)) << 80) | low)
    }

    /// 128 random bits. For ids that a citizen carries or that others may guess at.
    pub fn random(seed: &Seed) -> Self {
        Self::from_bytes(seed.bytes())
    }
}

impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut letters, mut rest) = ([0; LETTERS], self.value);
        for letter in letters.iter_mut().rev() {
            let digit = usize::from(rest.to_le_bytes()[0] & 31);
            *letter = ALPHABET.get(digit).copied().unwrap_or(b'0');
            rest >>= 5;
        }
        f.write_str(K::PREFIX)?;
        f.write_str("_")?;
        f.write_str(std::str::from_utf8(&letters).map_err(|_| fmt::Error)?)
    }
}

impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<K: Kind> FromStr for Id<K> {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let body = text.strip_prefix(K::PREFIX).and_then(|rest| rest.strip_prefix('_'));
        let body = body.ok_or(IdError::Prefix)?;
        let letters: &[u8; LETTERS] = body.as_bytes().try_into().map_err(|_| IdError::Body)?;
        let (mut value, mut seen) = (0_u128, 0);
        for letter in letters {
            let digit = DIGITS.get(usize::from(*letter)).copied().unwrap_or(32);
            seen |= digit;
            value = (value << 5) | u128::from(digit & 31);
        }
        // 26 letters hold 130 bits: the first one has three at most.
        if seen >= 32 || letters[0] > b'7' {
            return Err(IdError::Body);
        }
        Ok(Self::from_u128(value))
    }
}

impl<K: Kind> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, K: Kind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text(PhantomData))
    }
}

/// Reads an id out of whatever text the format lends.
struct Text<K>(PhantomData<K>);

impl<K: Kind> Visitor<'_> for Text<K> {
    type Value = Id<K>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an id of the kind {}", K::PREFIX)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Id<K>, E> {
        text.parse().map_err(E::custom)
    }
}

// Derives would ask the same of the marker type, which is never there.
impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.value.cmp(&other.value)
    }
}
impl<K> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.value.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Thing;
    impl Kind for Thing {
        const PREFIX: &'static str = "thing";
    }

    #[test]
    fn text_and_back_for_edges() {
        for value in [0, 1, u128::MAX, 1 << 127] {
            let id = Id::<Thing>::from_u128(value);
            assert_eq!(id.to_string().parse::<Id<Thing>>(), Ok(id));
            assert_eq!(
                serde_json::from_str::<Id<Thing>>(&serde_json::to_string(&id).unwrap()).unwrap(),
                id
            );
        }
    }

    #[test]
    fn a_foreign_prefix_a_long_body_and_an_overflow_are_refused() {
        assert_eq!("place_00000000000000000000000000".parse::<Id<Thing>>(), Err(IdError::Prefix));
        assert_eq!("thing_0".parse::<Id<Thing>>(), Err(IdError::Body));
        assert_eq!("thing_8zzzzzzzzzzzzzzzzzzzzzzzzz".parse::<Id<Thing>>(), Err(IdError::Body));
        for odd in ["l", "A", "/", "{"] {
            let body = format!("thing_0000000000000000000000000{odd}");
            assert_eq!(body.parse::<Id<Thing>>(), Err(IdError::Body), "{odd}");
        }
        let not_ascii = format!("thing_{}", "가".repeat(8) + "00");
        assert_eq!(not_ascii.parse::<Id<Thing>>(), Err(IdError::Body));
        let escaped = r#""\u0074hing_00000000000000000000000001""#;
        assert_eq!(serde_json::from_str::<Id<Thing>>(escaped).unwrap(), Id::from_u128(1));
    }

    #[test]
    fn later_time_ordered_ids_sort_later() {
        let seed = Seed::fixed(7);
        let earlier = Id::<Thing>::time_ordered(Instant::from_micros(1_000_000), &seed);
        let later = Id::<Thing>::time_ordered(Instant::from_micros(2_000_000), &seed);
        assert!(earlier < later);
    }
}
