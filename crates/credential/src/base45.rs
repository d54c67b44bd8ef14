//! Base45 (RFC 9285): two bytes in three characters of the QR code's alphanumeric alphabet.
//!
//! Decoding is strict: there is exactly one text for any bytes, so a text that was accepted cannot
//! be varied without its bytes changing too.

use crate::DecodeError;

const ALPHABET: &[u8; 45] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

/// Encodes `bytes`; the text has `ceil(1.5 * len)` characters.
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(2) * 3);
    for chunk in bytes.chunks(2) {
        let (mut value, digits) = match *chunk {
            [high, low] => (u32::from(high) * 256 + u32::from(low), 3),
            [only] => (u32::from(only), 2),
            _ => continue, // chunks(2) has no other lengths
        };
        for _ in 0..digits {
            text.push(character(value % 45));
            value /= 45;
        }
    }
    text
}

/// Decodes `text`. Refuses other characters, a length of 1 modulo 3, and groups beyond two bytes
/// (or beyond one byte at the end).
pub fn decode(text: &str) -> Result<Vec<u8>, DecodeError> {
    let mut bytes = Vec::with_capacity(text.len() / 3 * 2 + 1);
    for chunk in text.as_bytes().chunks(3) {
        match *chunk {
            [low, middle, high] => {
                let value = digit(low)? + 45 * digit(middle)? + 45 * 45 * digit(high)?;
                let pair = u16::try_from(value).map_err(|_| DecodeError::NotBase45)?;
                bytes.extend_from_slice(&pair.to_be_bytes());
            }
            [low, high] => {
                let value = digit(low)? + 45 * digit(high)?;
                bytes.push(u8::try_from(value).map_err(|_| DecodeError::NotBase45)?);
            }
            _ => return Err(DecodeError::NotBase45),
        }
    }
    Ok(bytes)
}

fn character(value: u32) -> char {
    let index = usize::try_from(value).unwrap_or(usize::MAX);
    ALPHABET.get(index).copied().map_or('0', char::from)
}

/// What a byte stands for; [`NO_DIGIT`] for those that are not in the alphabet. A pass has six hundred
/// letters, and looking each up in the alphabet took a tenth of its verdict.
const DIGITS: [u8; 256] = {
    let mut digits = [NO_DIGIT; 256];
    let mut value = 0;
    #[allow(clippy::indexing_slicing, clippy::as_conversions, reason = "while it is compiled")]
    while value < 45 {
        digits[ALPHABET[value as usize] as usize] = value;
        value += 1;
    }
    digits
};
const NO_DIGIT: u8 = u8::MAX;

fn digit(byte: u8) -> Result<u32, DecodeError> {
    match DIGITS.get(usize::from(byte)) {
        Some(&digit) if digit != NO_DIGIT => Ok(u32::from(digit)),
        _ => Err(DecodeError::NotBase45),
    }
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};
    use crate::DecodeError::NotBase45;

    #[test]
    fn the_examples_of_rfc_9285_hold() {
        for (plain, coded) in
            [("AB", "BB8"), ("Hello!!", "%69 VD92EX0"), ("base-45", "UJCLQE7W581"), ("", "")]
        {
            assert_eq!(encode(plain.as_bytes()), coded);
            assert_eq!(decode(coded).unwrap(), plain.as_bytes());
        }
        assert_eq!(decode("QED8WEX0").unwrap(), b"ietf!");
    }

    #[test]
    fn groups_beyond_their_bytes_and_other_characters_are_refused() {
        // "FGW" is 65535, "GGW" would be 65536; "U5" is 255, "V5" 256.
        assert_eq!(decode("FGW").unwrap(), [255, 255]);
        assert_eq!(decode("U5").unwrap(), [255]);
        for bad in ["GGW", ":::", "V5", "::", "A", "BB8A", "bb8", "BB8\n", "\u{ff22}B8", "é8"] {
            assert_eq!(decode(bad), Err(NotBase45), "{bad:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_come_back(bytes: Vec<u8>) {
            let text = encode(&bytes);
            proptest::prop_assert_eq!(text.len(), (bytes.len() * 3).div_ceil(2));
            proptest::prop_assert_eq!(decode(&text).unwrap(), bytes);
        }

        #[test]
        fn a_text_that_decodes_is_the_only_one_for_its_bytes(text in "[0-9A-Z $%*+./:-]{0,40}") {
            if let Ok(bytes) = decode(&text) {
                proptest::prop_assert_eq!(encode(&bytes), text);
            }
        }
    }
}
