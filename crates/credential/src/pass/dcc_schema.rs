//! The JSON Schema of the DCC (ehn-dcc-schema, combined, 1.0.0 to 1.3.3), written out.
//!
//! The newest accepts what the older ones do but for one thing: 1.3.0 demanded a standardised
//! surname, later ones a surname or a forename. Lengths count characters. Properties that the schema
//! does not name are free.
//!
//! Formats are annotations to JSON Schema, and the member states' own checks did not assert them:
//! published passes that are to be valid have a date-time where a `date` should stand. Here a date
//! must be a date or a moment, and a `date-time` a moment, in any form of [`time::moment`]: what can
//! be read as no moment at all is refused.

use serde_json::Value;

use super::time;

/// The longest of most texts (eHealth Network, value sets: 80 characters).
const TEXT_MAX: usize = 80;

/// Whether `content` follows the schema.
pub(crate) fn is_valid(content: &Value) -> bool {
    let has = |name: &str| content.get(name).is_some();
    let of_groups = ["v", "t", "r"].iter().filter(|name| has(name)).count();
    let group = |name: &str, entry: fn(&Value) -> bool| match content.get(name) {
        None => true,
        Some(Value::Array(entries)) => entries.len() == 1 && entries.iter().all(entry),
        Some(_) => false,
    };
    // Our exemptions, which no EU schema has, stand alone or mean nothing.
    let is_exempt = of_groups == 0 && has("x") && group("x", is_exemption);
    (of_groups == 1 || is_exempt)
        && content.is_object()
        && must(content, "ver", is_version)
        && must(content, "dob", is_birth)
        && content.get("nam").is_some_and(is_name)
        && group("v", is_vaccination)
        && group("t", is_test)
        && group("r", is_recovery)
}

fn is_name(name: &Value) -> bool {
    name.is_object()
        && (name.get("fnt").is_some() || name.get("gnt").is_some())
        && may(name, "fn", is_short)
        && may(name, "gn", is_short)
        && may(name, "fnt", is_standardised)
        && may(name, "gnt", is_standardised)
}

fn is_vaccination(entry: &Value) -> bool {
    ["tg", "vp", "mp", "ma"].iter().all(|name| must(entry, name, is_any))
        && ["dn", "sd"].iter().all(|name| entry.get(name).is_some_and(is_dose))
        && must(entry, "dt", is_date)
        && is_issued(entry)
}

fn is_test(entry: &Value) -> bool {
    ["tg", "tt", "tr"].iter().all(|name| must(entry, name, is_any))
        && must(entry, "sc", is_moment)
        && may(entry, "nm", is_short)
        && may(entry, "ma", is_any)
        && may(entry, "tc", is_short)
        && is_issued(entry)
}

fn is_recovery(entry: &Value) -> bool {
    must(entry, "tg", is_any)
        && ["fr", "df", "du"].iter().all(|name| must(entry, name, is_date))
        && is_issued(entry)
}

/// `x`: an exemption of ours (see `crate::issue::Attested`).
fn is_exemption(entry: &Value) -> bool {
    ["df", "du"].iter().all(|name| must(entry, name, is_date)) && is_issued(entry)
}

/// Country, issuer and identifier, which every entry has.
fn is_issued(entry: &Value) -> bool {
    must(entry, "co", is_country) && must(entry, "is", is_short) && must(entry, "ci", is_short)
}

/// A text that must be there.
fn must(object: &Value, name: &str, is: fn(&str) -> bool) -> bool {
    object.get(name).and_then(Value::as_str).is_some_and(is)
}

/// A text that may be missing.
fn may(object: &Value, name: &str, is: fn(&str) -> bool) -> bool {
    object.get(name).is_none_or(|value| value.as_str().is_some_and(is))
}

fn is_any(_: &str) -> bool {
    true
}

fn is_short(text: &str) -> bool {
    text.chars().count() <= TEXT_MAX
}

fn is_date(text: &str) -> bool {
    time::moment(text).is_some()
}

/// With a time of day.
fn is_moment(text: &str) -> bool {
    time::date(text).is_none() && is_date(text)
}

/// `^\d+.\d+.\d+$`, in which a dot is any character but a line's end.
fn is_version(text: &str) -> bool {
    let letters: Vec<char> = text.chars().collect();
    let is_end = |letter: char| matches!(letter, '\n' | '\r' | '\u{2028}' | '\u{2029}');
    let digits = |from: usize, to: usize| {
        letters.get(from..to).is_some_and(|part| {
            !part.is_empty() && part.iter().all(|letter| letter.is_ascii_digit())
        })
    };
    let any = |at: usize| letters.get(at).is_some_and(|letter| !is_end(*letter));
    // Versions are short; longer texts are not tried in all ways.
    letters.len() <= TEXT_MAX
        && (1..letters.len()).any(|first| {
            digits(0, first)
                && any(first)
                && (first + 2..letters.len()).any(|second| {
                    digits(first + 1, second) && any(second) && digits(second + 1, letters.len())
                })
        })
}

/// `^((19|20)\d\d(-\d\d){0,2}){0,1}$`
fn is_birth(text: &str) -> bool {
    let shape = "YYYY-MM-DD".get(..text.len());
    let fits = |shape: &str| {
        shape.bytes().zip(text.bytes()).all(|(place, byte)| match place {
            b'-' => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
    };
    matches!(text.len(), 0 | 4 | 7 | 10)
        && shape.is_some_and(fits)
        && (text.is_empty() || text.starts_with("19") || text.starts_with("20"))
}

/// `^[A-Z<]*$`
fn is_standardised(text: &str) -> bool {
    is_short(text) && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'<')
}

/// `[A-Z]{1,10}`, which is not tied to the ends: one such letter is enough.
fn is_country(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_uppercase())
}

/// An integer of at least 1; 1.0 is one (JSON Schema, 6.3.1).
fn is_dose(value: &Value) -> bool {
    value.as_u64().is_some_and(|number| 0 < number)
        || value.as_f64().is_some_and(|number| 1.0 <= number && number.fract() == 0.0)
}
