//! The short form: when scanning fails, a code can be typed (CWA wish list 227 and 302).
//!
//! Twelve characters of Crockford's base 32, shown as `7K3M-9QXR-W2ET`: 55 random bits and one
//! check character. A server looks it up; a gate without a network can only say "cannot tell".
//!
//! The check is a weighted sum over the field GF(32): with character values `c` and weights `w`
//! the sum of `w * c` is zero. All weights differ and none is zero, therefore every single wrong
//! character changes the sum by `w * d`, which is not zero, and every exchange of two different
//! characters, neighbours or not, by `(v - w) * d`, which is not zero either.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Crockford's alphabet: no I, L, O, U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH: usize = 12;
const BITS: u32 = 55;
/// Typed texts longer than this are not even looked at.
const MAX_TYPED: usize = 64;

/// A code in the form that a person can read out and type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ShortCode(u64);

/// Why a typed text is not a short code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ShortCodeError {
    /// Not twelve characters, hyphens and spaces aside.
    #[error("a code has twelve characters")]
    Length,
    /// A character that no code has.
    #[error("a character that no code has")]
    Character,
    /// Twelve good characters that are not a code: one is wrong, or two are exchanged.
    #[error("mistyped")]
    Check,
}

impl ShortCodeError {
    /// The stable code for machines.
    pub fn code(self) -> &'static str {
        match self {
            Self::Length => "short_code_length",
            Self::Character => "short_code_character",
            Self::Check => "short_code_mistyped",
        }
    }
}

impl ShortCode {
    /// The code of the lower 55 bits of `random`; the caller brings the randomness.
    pub fn from_bits(random: u64) -> Self {
        Self(random & ((1 << BITS) - 1))
    }

    /// The 55 bits.
    pub fn bits(self) -> u64 {
        self.0
    }

    /// The character values, the check last.
    fn values(self) -> [u8; LENGTH] {
        let mut values = [0; LENGTH];
        for (place, value) in values.iter_mut().take(LENGTH - 1).enumerate() {
            let shift = BITS - 5 * (u32::try_from(place).unwrap_or(0) + 1);
            *value = u8::try_from((self.0 >> shift) & 31).unwrap_or(0);
        }
        // The last weight is 1, and minus is plus in this field: the check is the sum of the rest.
        let check = weighted_sum(&values);
        if let Some(last) = values.last_mut() {
            *last = check;
        }
        values
    }
}

impl fmt::Display for ShortCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        for (place, value) in self.values().into_iter().enumerate() {
            if place % 4 == 0 && place != 0 {
                formatter.write_char('-')?;
            }
            let letter = ALPHABET.get(usize::from(value)).copied().unwrap_or(b'0');
            formatter.write_char(char::from(letter))?;
        }
        Ok(())
    }
}

impl FromStr for ShortCode {
    type Err = ShortCodeError;

    /// Forgives lower case, hyphens, dashes and spaces anywhere, O for 0, I and L for 1.
    fn from_str(text: &str) -> Result<Self, ShortCodeError> {
        if MAX_TYPED < text.len() {
            return Err(ShortCodeError::Length);
        }
        let mut values = [0; LENGTH];
        let mut places = values.iter_mut();
        // En and em dash: what telephones make of two hyphens.
        for letter in text.chars().filter(|letter| !matches!(letter, '-' | '–' | '—' | ' ' | '\t'))
        {
            let value = value_of(letter).ok_or(ShortCodeError::Character)?;
            *places.next().ok_or(ShortCodeError::Length)? = value;
        }
        if places.next().is_some() {
            return Err(ShortCodeError::Length);
        }
        if weighted_sum(&values) != 0 {
            return Err(ShortCodeError::Check);
        }
        let random = values.iter().take(LENGTH - 1);
        Ok(Self(random.fold(0, |bits, value| bits << 5 | u64::from(*value))))
    }
}

impl Serialize for ShortCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ShortCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

fn value_of(letter: char) -> Option<u8> {
    let letter = match letter.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let index = ALPHABET.iter().position(|&known| char::from(known) == letter)?;
    u8::try_from(index).ok()
}

/// The sum of `weight * value` in GF(32) with the weights 2^11, 2^10, ... 2, 1 (Horner's scheme).
/// 2 generates the field's 31 units under x^5 + x^2 + 1, so twelve powers of it differ.
fn weighted_sum(values: &[u8; LENGTH]) -> u8 {
    values.iter().fold(0, |sum, value| double(sum) ^ value)
}

fn double(value: u8) -> u8 {
    let shifted = value << 1;
    if shifted & 0b10_0000 == 0 { shifted } else { shifted ^ 0b10_0101 }
}

#[cfg(test)]
mod tests {
    use super::{ALPHABET, ShortCode, ShortCodeError};
    use proptest::prelude::*;

    fn letters(code: ShortCode) -> Vec<char> {
        code.to_string().chars().filter(|letter| *letter != '-').collect()
    }

    #[test]
    fn codes_look_as_documented_and_come_back() {
        for bits in [0, 1, (1 << 55) - 1, 0x12_3456_789a_bcde] {
            let text = ShortCode::from_bits(bits).to_string();
            assert_eq!((text.len(), &text[4..5], &text[9..10]), (14, "-", "-"));
            assert_eq!(text.parse::<ShortCode>().unwrap().bits(), bits);
        }
        assert_eq!(ShortCode::from_bits(0).to_string(), "0000-0000-0000");
        assert_eq!(ShortCode::from_bits(u64::MAX), ShortCode::from_bits((1 << 55) - 1));
    }

    #[test]
    fn sloppy_typing_is_forgiven() {
        // 0 and 1 in places, so that O, I and L can stand for them.
        let code = ShortCode::from_bits(0x20_0100_8001);
        let text = code.to_string();
        assert!(text.contains('0') && text.contains('1'));
        for typed in [
            text.to_lowercase(),
            text.replace('-', ""),
            text.replace('-', " – "),
            text.replace('0', "O"),
            text.replace('0', "o").replace('1', "l"),
            text.replace('1', "I"),
            format!("  {text}\t"),
        ] {
            assert_eq!(typed.parse(), Ok(code), "{typed:?}");
        }
    }

    #[test]
    fn what_is_not_a_code_is_named() {
        use ShortCodeError::{Character, Length};
        for (typed, error) in [
            ("", Length),
            ("0000-0000-000", Length),
            ("0000-0000-00000", Length),
            ("UUUU-UUUU-UUUU", Character),
            ("0000-0000-000\u{ff10}", Character),
            ("=1+1", Character),
            ("0000\u{200b}00000000", Character),
        ] {
            assert_eq!(typed.parse::<ShortCode>(), Err(error), "{typed:?}");
        }
        assert_eq!(" ".repeat(65).parse::<ShortCode>(), Err(Length));
        assert_eq!("0000-0000-0001".parse::<ShortCode>(), Err(ShortCodeError::Check));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn every_single_wrong_character_is_caught(bits: u64) {
            let right = letters(ShortCode::from_bits(bits));
            for place in 0..right.len() {
                for letter in ALPHABET.iter().copied().map(char::from) {
                    let mut typed = right.clone();
                    typed[place] = letter;
                    let read = typed.iter().collect::<String>().parse::<ShortCode>();
                    prop_assert_eq!(read.is_ok(), typed == right);
                }
            }
        }

        #[test]
        fn every_exchange_of_two_characters_is_caught(bits: u64) {
            let right = letters(ShortCode::from_bits(bits));
            for one in 0..right.len() {
                for other in 0..one {
                    let mut typed = right.clone();
                    typed.swap(one, other);
                    let read = typed.iter().collect::<String>().parse::<ShortCode>();
                    prop_assert_eq!(read.is_ok(), typed == right);
                }
            }
        }

        #[test]
        fn any_text_is_read_without_a_panic(text: String) {
            let _ = text.parse::<ShortCode>();
        }
    }

    #[test]
    fn json_carries_the_text() {
        let code = ShortCode::from_bits(42);
        let json = serde_json::to_string(&code).unwrap();
        assert_eq!(json, format!("\"{code}\""));
        assert_eq!(serde_json::from_str::<ShortCode>(&json).unwrap(), code);
    }
}
