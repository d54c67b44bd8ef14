//! From what was scanned, pasted or opened to the JWS texts in it.

use std::collections::BTreeMap;

use super::super::json::Json;
use super::super::reason::Reason;

/// What every numeric code begins with. Schemes of URIs are the same in capitals (RFC 3986, section
/// 3.1), which is how a QR code holds a text in the fewest squares.
const PREFIX: &str = "shc:/";

fn after_prefix(text: &str) -> Option<&str> {
    let (head, rest) = text.split_at_checked(PREFIX.len())?;
    head.eq_ignore_ascii_case(PREFIX).then_some(rest)
}
/// A QR code of version 22 holds 1,195 characters of a JWS; the specification allows no larger ones
/// where a card is cut into several.
const MAX_CHUNK: usize = 1_195;
/// More codes than anybody would show one after the other.
const MAX_CHUNKS: usize = 99;
/// More cards in one file than anybody has.
const MAX_CARDS: usize = 64;

/// The place of a code among those that a card was cut into, and how many there are: `shc:/2/3/…`.
pub fn chunk_place(text: &str) -> Option<(usize, usize)> {
    let mut parts = after_prefix(text)?.split('/');
    let place = (count(parts.next()?)?, count(parts.next()?)?);
    (parts.next().is_some() && parts.next().is_none()).then_some(place)
}

/// The JWS texts in `text`: one numeric code, several on a line each in any order, a bare JWS, a
/// `.smart-health-card` file, or the `Parameters` of a `$health-cards-issue` answer.
pub(super) fn jws_texts(text: &str) -> Result<Vec<String>, Reason> {
    if after_prefix(text).is_some() {
        return Ok(vec![numeric(text)?]);
    }
    if !text.starts_with('{') {
        return Ok(vec![text.to_owned()]);
    }
    let file = Json::read(text.as_bytes()).ok_or(Reason::EnvelopeMalformed)?;
    let cards: Option<Vec<String>> = match file.get("verifiableCredential") {
        Some(cards) => {
            let own = |card: &Json| card.text().map(str::to_owned);
            cards.list().and_then(|cards| cards.iter().map(own).collect())
        }
        None => parameters(&file),
    };
    let cards = cards.filter(|cards| (1..=MAX_CARDS).contains(&cards.len()));
    cards.ok_or(Reason::EnvelopeMalformed)
}

fn parameters(file: &Json) -> Option<Vec<String>> {
    if file.text_at("resourceType") != Some("Parameters") {
        return None;
    }
    let all = file.get("parameter")?.list()?.iter();
    let cards = all.filter(|one| one.text_at("name") == Some("verifiableCredential"));
    cards.map(|one| one.text_at("valueString").map(str::to_owned)).collect()
}

/// A count from 1 without sign or leading zero, as far as it may go.
fn count(text: &str) -> Option<usize> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|count| plain && (1..=MAX_CHUNKS).contains(count))
}

/// Puts the codes on the lines of `text` together.
fn numeric(text: &str) -> Result<String, Reason> {
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    let Some((_, of)) = chunk_place(first) else {
        // One code is the whole card; nothing may follow, not even a line.
        return letters(after_prefix(text).unwrap_or_default()).ok_or(Reason::EncodingMalformed);
    };
    let mut chunks = BTreeMap::new();
    for line in text.lines() {
        let (place, count) = chunk_place(line).ok_or(Reason::EncodingMalformed)?;
        if count < place {
            return Err(Reason::EncodingMalformed);
        }
        if count != of {
            return Err(Reason::ChunksDisagree);
        }
        let digits = line.rsplit('/').next().unwrap_or_default();
        let chunk = letters(digits).filter(|chunk| chunk.len() <= MAX_CHUNK);
        let chunk = chunk.ok_or(Reason::EncodingMalformed)?;
        // The same code seen twice is no harm; another one in its place is.
        if chunks.insert(place, chunk.clone()).is_some_and(|before| before != chunk) {
            return Err(Reason::ChunksDisagree);
        }
    }
    if chunks.len() == of { Ok(chunks.into_values().collect()) } else { Err(Reason::ChunkMissing) }
}

/// Two digits a character: its ASCII code less 45, so that `-` is `00` and `z` is `77`.
fn letters(digits: &str) -> Option<String> {
    if digits.is_empty() || !digits.len().is_multiple_of(2) {
        return None;
    }
    let letter = |pair: &[u8]| -> Option<char> {
        let [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] = pair else { return None };
        let number = (tens - b'0') * 10 + (ones - b'0');
        (number <= 77).then(|| char::from(number + 45))
    };
    digits.as_bytes().chunks(2).map(letter).collect()
}

#[cfg(test)]
mod tests {
    use crate::pass::tests::cards::digits;

    use super::{Reason, chunk_place, jws_texts};

    #[test]
    fn a_code_is_two_digits_a_character_and_nothing_else() {
        let whole = format!("shc:/{}", digits("eyJ.abc.z-_"));
        assert_eq!(jws_texts(&whole), Ok(vec!["eyJ.abc.z-_".to_owned()]));
        for bad in [
            "shc:/",
            "shc:/1",
            "shc:/78",
            "shc:/0a",
            "shc:/00 ",
            "shc:/00\n",
            "shc:/+1",
            "shc://00",
        ] {
            assert_eq!(jws_texts(bad), Err(Reason::EncodingMalformed), "{bad:?}");
        }
    }

    #[test]
    fn codes_of_one_card_come_in_any_order_and_more_than_once() {
        let chunk = |place: usize, text: &str| format!("shc:/{place}/3/{}", digits(text));
        let (one, two, three) = (chunk(1, "eyJ."), chunk(2, "abc."), chunk(3, "z"));
        let text = [&*three, &one, &three, &two, &one].join("\n");
        assert_eq!(jws_texts(&text), Ok(vec!["eyJ.abc.z".to_owned()]));
        assert_eq!(jws_texts(&three), Err(Reason::ChunkMissing));
        let with = |line: &str| jws_texts(&format!("{one}\n{two}\n{line}"));
        assert_eq!(with(&chunk(2, "abd.")), Err(Reason::ChunksDisagree));
        assert_eq!(with("shc:/3/4/00"), Err(Reason::ChunksDisagree));
        for bad in [
            "shc:/4/3/00",
            "shc:/0/3/00",
            "shc:/03/3/00",
            "shc:/3/3/",
            "shc:/3/3/000",
            "shc:/00",
            "",
            "x",
        ] {
            let reason =
                if bad.is_empty() { Reason::ChunkMissing } else { Reason::EncodingMalformed };
            assert_eq!(with(bad), Err(reason), "{bad:?}");
        }
        let long = chunk(3, &"a".repeat(1_196));
        assert_eq!(with(&long), Err(Reason::EncodingMalformed));
        assert!(with(&chunk(3, &"a".repeat(1_195))).is_ok());
        assert_eq!(
            jws_texts(&format!("shc:/1/1/{}", digits("a.b.c"))),
            Ok(vec!["a.b.c".to_owned()])
        );
    }

    #[test]
    fn the_place_of_a_code_is_known_before_the_others_are_seen() {
        for code in ["shc:/2/3/00", "SHC:/2/3/00"] {
            assert_eq!(chunk_place(code), Some((2, 3)));
        }
        for other in ["shc:/00", "shc:/2/3", "shc:/2/3/4/00", "shc:/a/3/00", "shc:/2/100/00"] {
            assert_eq!(chunk_place(other), None, "{other}");
        }
    }

    #[test]
    fn files_hold_one_card_or_several() {
        let file = r#"{"verifiableCredential": ["eyJ.a.b", "eyJ.c.d"]} "#;
        assert_eq!(jws_texts(file).unwrap().len(), 2);
        for bad in [
            "{}",
            "{",
            r#"{"verifiableCredential": []}"#,
            r#"{"verifiableCredential": [1]}"#,
            r#"{"verifiableCredential": "eyJ.a.b"}"#,
            r#"{"resourceType":"Parameters","parameter":[]}"#,
        ] {
            assert_eq!(jws_texts(bad), Err(Reason::EnvelopeMalformed), "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC*", codes in "(shc:/[0-9/]{0,30}\n?){0,4}") {
            let _ = jws_texts(&text);
            let _ = jws_texts(&codes);
        }
    }
}
