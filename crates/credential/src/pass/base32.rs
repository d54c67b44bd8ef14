//! Base32 (RFC 4648, section 6), upper case, padded or not. As with base45 there is one text for any
//! bytes: bits that are left over must be zero.

/// Decodes `text`.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let letters = text.trim_end_matches('=');
    // Padding, where there is any, fills up to eight.
    if letters.len() != text.len() && !text.len().is_multiple_of(8) {
        return None;
    }
    if matches!(letters.len() % 8, 1 | 3 | 6) {
        return None;
    }
    let mut bytes = Vec::with_capacity(letters.len() * 5 / 8);
    let (mut bits, mut held) = (0_u32, 0);
    for letter in letters.bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'2'..=b'7' => letter - b'2' + 26,
            _ => return None,
        };
        bits = bits << 5 | u32::from(value);
        held += 5;
        if 8 <= held {
            held -= 8;
            bytes.push(u8::try_from(bits >> held).ok()?);
            bits &= (1 << held) - 1;
        }
    }
    (bits == 0 && letters.len() + 8 > text.len()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::decode;
    use proptest::prelude::*;

    #[test]
    fn the_vectors_of_rfc_4648_are_decoded_padded_or_not() {
        for (bytes, text) in [
            ("", ""),
            ("f", "MY======"),
            ("fo", "MZXQ===="),
            ("foo", "MZXW6==="),
            ("foob", "MZXW6YQ="),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI======"),
        ] {
            assert_eq!(decode(text).as_deref(), Some(bytes.as_bytes()), "{text}");
            assert_eq!(decode(text.trim_end_matches('=')).as_deref(), Some(bytes.as_bytes()));
        }
    }

    #[test]
    fn other_letters_lengths_and_left_over_bits_are_refused() {
        for text in [
            "my",
            "M",
            "MZX",
            "MZXW6Y",
            "MZ",
            "M1",
            "M0",
            "MY=",
            "MY=====",
            "MY==============",
            "========",
            "MY======A",
            "=",
            "é",
        ] {
            assert_eq!(decode(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text: String, letters in "[A-Z2-7=]{0,80}") {
            let _ = decode(&text);
            if let Some(bytes) = decode(&letters) {
                prop_assert_eq!(bytes.len(), letters.trim_end_matches('=').len() * 5 / 8);
            }
        }
    }
}
