//! JSON from outside: at most so deep, no name twice in an object, and its canonical form.
//!
//! JSON itself lets an object name a member twice and readers differ in which one they take (RFC 8259,
//! section 4); a JWS header must not do it (RFC 7515, section 4), nor may what is canonicalised
//! (RFC 8785 builds on I-JSON). So nothing here does. A byte order mark is not JSON either.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// How deep arrays and objects may lie in each other, the outermost counted.
pub(crate) const MAX_DEPTH: usize = 16;

/// A value of JSON. Integers keep all their digits up to 64 bits; other numbers are doubles, as
/// everywhere in JSON.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Integer(i64),
    Number(f64),
    Text(String),
    List(Vec<Self>),
    Object(BTreeMap<String, Self>),
}

impl Json {
    /// Reads one value and nothing after it (white space aside).
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let mut from = serde_json::Deserializer::from_slice(bytes);
        let value = Below(MAX_DEPTH).deserialize(&mut from).ok()?;
        from.end().ok()?;
        Some(value)
    }

    /// The member `name` of an object.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        self.object()?.get(name)
    }

    /// The member at the end of `path`.
    pub(crate) fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |value, name| value.get(name))
    }

    pub(crate) fn object(&self) -> Option<&BTreeMap<String, Self>> {
        if let Self::Object(members) = self { Some(members) } else { None }
    }

    pub(crate) fn list(&self) -> Option<&[Self]> {
        if let Self::List(items) = self { Some(items) } else { None }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// A whole number, however it is written: `1.0` is 1.
    pub(crate) fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            Self::Number(number) if number.fract() == 0.0 => whole(*number),
            _ => None,
        }
    }

    /// A NumericDate (RFC 7519, section 2): seconds, perhaps with a fraction.
    pub(crate) fn seconds(&self) -> Option<f64> {
        match self {
            // Beyond 2^53 a double rounds; that is 285 million years from now.
            #[allow(clippy::as_conversions, clippy::cast_precision_loss)]
            Self::Integer(number) => Some(*number as f64),
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The member `name` if it is a text.
    pub(crate) fn text_at(&self, name: &str) -> Option<&str> {
        self.get(name)?.text()
    }

    /// As serde has it.
    pub(crate) fn to_value(&self) -> serde_json::Value {
        // What is written here is JSON.
        serde_json::from_str(&self.canonical()).unwrap_or_default()
    }

    /// The JSON Canonicalization Scheme (RFC 8785): members sorted by UTF-16 code units, no white
    /// space, numbers as ECMAScript prints them.
    pub(crate) fn canonical(&self) -> String {
        let mut to = String::new();
        self.write(&mut to);
        to
    }

    fn write(&self, to: &mut String) {
        match self {
            Self::Null => to.push_str("null"),
            Self::Bool(true) => to.push_str("true"),
            Self::Bool(false) => to.push_str("false"),
            Self::Integer(number) if number.unsigned_abs() < 1 << 53 => {
                to.push_str(&number.to_string());
            }
            Self::Integer(_) => write_number(self.seconds().unwrap_or_default(), to),
            Self::Number(number) => write_number(*number, to),
            Self::Text(text) => write_text(text, to),
            Self::List(items) => {
                to.push('[');
                for (place, item) in items.iter().enumerate() {
                    if 0 < place {
                        to.push(',');
                    }
                    item.write(to);
                }
                to.push(']');
            }
            Self::Object(members) => {
                let mut sorted: Vec<_> = members.iter().collect();
                sorted.sort_by(|a, b| a.0.encode_utf16().cmp(b.0.encode_utf16()));
                to.push('{');
                for (place, (name, value)) in sorted.into_iter().enumerate() {
                    if 0 < place {
                        to.push(',');
                    }
                    write_text(name, to);
                    to.push(':');
                    value.write(to);
                }
                to.push('}');
            }
        }
    }
}

/// RFC 8785, section 3.2.2.2; serde_json escapes the same characters in the same way.
fn write_text(text: &str, to: &mut String) {
    to.push_str(&serde_json::to_string(text).unwrap_or_default());
}

/// ECMAScript's Number::toString, radix 10 (ECMA-262, section 6.1.6.1.20), from the shortest digits,
/// which Rust prints too.
fn write_number(number: f64, to: &mut String) {
    if number == 0.0 || !number.is_finite() {
        return to.push('0');
    }
    let scientific = format!("{:e}", number.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    // The place of the point, counted from before the first digit: ECMA's n.
    let point = exponent.parse::<i32>().unwrap_or_default() + 1;
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    if number < 0.0 {
        to.push('-');
    }
    let zeros = |many: i32| "0".repeat(usize::try_from(many).unwrap_or_default());
    if (count..=21).contains(&point) {
        to.push_str(&digits);
        to.push_str(&zeros(point - count));
    } else if 0 < point && point <= 21 {
        let (whole, fraction) = digits.split_at(usize::try_from(point).unwrap_or_default());
        to.push_str(whole);
        to.push('.');
        to.push_str(fraction);
    } else if -6 < point && point <= 0 {
        to.push_str("0.");
        to.push_str(&zeros(-point));
        to.push_str(&digits);
    } else {
        let (first, rest) = digits.split_at(1);
        let sign = if point < 1 { '-' } else { '+' };
        to.push_str(first);
        if !rest.is_empty() {
            to.push('.');
            to.push_str(rest);
        }
        to.push('e');
        to.push(sign);
        to.push_str(&(point - 1).abs().to_string());
    }
}

/// The member `name` of a serde value, if it is a text. Files of trust are read with serde's own
/// value: nobody hostile wrote them, and their lists are long.
pub(crate) fn text_of<'v>(value: &'v serde_json::Value, name: &str) -> Option<&'v str> {
    value.get(name)?.as_str()
}

/// The second in which a moment lies.
pub(crate) fn whole(seconds: f64) -> Option<i64> {
    // The bound is 9999-12-31; what is beyond it is no date.
    let sound = seconds.abs() < 253_402_300_800.0;
    #[allow(clippy::as_conversions, clippy::cast_possible_truncation)]
    sound.then(|| seconds.floor() as i64)
}

/// Reads a value that may still nest so deep.
struct Below(usize);

impl Below {
    fn deeper<E: serde::de::Error>(&self) -> Result<Self, E> {
        self.0.checked_sub(1).map(Self).ok_or_else(|| E::custom("nested too deep"))
    }
}

impl<'de> DeserializeSeed<'de> for Below {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Json, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Below {
    type Value = Json;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        #[allow(clippy::as_conversions, clippy::cast_precision_loss)]
        let rounded = || Json::Number(value as f64);
        Ok(i64::try_from(value).map_or_else(|_| rounded(), Json::Integer))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self.deeper()?)? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut object = BTreeMap::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = members.next_value_seed(self.deeper()?)?;
            if object.insert(name, value).is_some() {
                return Err(serde::de::Error::custom("a member is named twice"));
            }
        }
        Ok(Json::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::{Json, MAX_DEPTH};

    fn canonical(text: &str) -> String {
        Json::read(text.as_bytes()).unwrap().canonical()
    }

    #[test]
    fn the_examples_of_rfc_8785_hold() {
        let text = r#"{
            "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
            "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
            "literals": [null, true, false]
        }"#;
        let expected = "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,\
                        1e-27],\"string\":\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}";
        assert_eq!(canonical(text), expected);

        let text = r#"{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7}"#;
        let expected = "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"\u{f6}\":7,\"\u{20ac}\":1,\"\u{1f600}\":5,\"\u{fb33}\":3}";
        assert_eq!(canonical(text), expected);
    }

    #[test]
    fn numbers_are_printed_as_ecmascript_does() {
        // RFC 8785, appendix B, and the edges of each notation.
        for (number, expected) in [
            ("0", "0"),
            ("-0.0", "0"),
            ("5e-324", "5e-324"),
            ("-1.7976931348623157e308", "-1.7976931348623157e+308"),
            ("9007199254740992", "9007199254740992"),
            ("295147905179352830000", "295147905179352830000"),
            ("9.999999999999997e22", "9.999999999999997e+22"),
            ("1e21", "1e+21"),
            ("999999999999999900000", "999999999999999900000"),
            ("0.000001", "0.000001"),
            ("0.0000001", "1e-7"),
            ("333333333.3333332", "333333333.3333332"),
            ("1.0", "1"),
            ("-12.50", "-12.5"),
        ] {
            assert_eq!(canonical(number), expected);
        }
    }

    #[test]
    fn depth_doubles_marks_and_leftovers_are_refused() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(Json::read(nested(MAX_DEPTH).as_bytes()).is_some());
        assert!(Json::read(nested(MAX_DEPTH + 1).as_bytes()).is_none());
        assert!(Json::read(nested(100_000).as_bytes()).is_none());
        for bad in [
            "",
            "{\"a\":1,\"a\":1}",
            "{} {}",
            "\u{feff}{}",
            "\"\\ud800\"",
            "{'a':1}",
            "1e999",
            "01",
        ] {
            assert!(Json::read(bad.as_bytes()).is_none(), "{bad:?}");
        }
        assert!(Json::read(b"\xff").is_none());
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic_and_the_canonical_form_is_a_fixed_point(bytes: Vec<u8>, text in "[\\[\\]{}0-9eE.\",:a\\\\-]{0,40}") {
            for bytes in [&bytes[..], text.as_bytes()] {
                if let Some(value) = Json::read(bytes) {
                    let once = value.canonical();
                    proptest::prop_assert_eq!(Json::read(once.as_bytes()).unwrap().canonical(), once);
                }
            }
        }
    }
}
