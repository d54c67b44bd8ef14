//! Value sets: which codes a field of a pass may have, read by rules as `external.valueSets.<id>`.

use crate::invalid::{Invalid, InvalidCode};
use serde_json::{Map, Value};

/// How many codes all value sets may have together.
const CODES_MAX: usize = 100_000;

/// Value sets in the form in which rules read them: id → list of codes.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueSets {
    value: Value,
    codes: usize,
}

impl Default for ValueSets {
    fn default() -> Self {
        Self { value: Value::Object(Map::new()), codes: 0 }
    }
}

impl ValueSets {
    /// Adds the sets of one file; a set that is already there is replaced. How many sets it held.
    ///
    /// Read are the compressed form (`{"<id>": ["code", …], …}`), a full set as published
    /// (`{"valueSetId", "valueSetDate", "valueSetValues": {"code": {…}}}`) and an array of those. A
    /// code that is no longer active stays in its set: passes with it were issued.
    ///
    /// # Errors
    /// The first value that is in none of these forms; then nothing was added.
    pub fn add(&mut self, source: &Value) -> Result<usize, Invalid> {
        let mut sets = Vec::new();
        match source {
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    sets.push(full(item, &format!("/{index}"))?);
                }
            }
            Value::Object(fields) if fields.contains_key("valueSetId") => {
                sets.push(full(source, "")?);
            }
            Value::Object(fields) => {
                for (id, codes) in fields {
                    sets.push((id.clone(), compressed(codes, &pointer("", id))?));
                }
            }
            _ => return Err(malformed("", "an object or an array of value sets")),
        }
        let count = sets.len();
        let codes: usize = sets.iter().map(|(_, codes)| codes.len()).sum();
        if self.codes + codes > CODES_MAX {
            let message = format!("value sets may have {CODES_MAX} codes together");
            return Err(Invalid::new("", InvalidCode::TooLarge, message));
        }
        self.codes += codes;
        if let Value::Object(fields) = &mut self.value {
            for (id, codes) in sets {
                fields.insert(id, Value::Array(codes));
            }
        }
        Ok(count)
    }

    /// As rules read them.
    pub const fn as_value(&self) -> &Value {
        &self.value
    }

    /// Whether there is no set.
    pub fn is_empty(&self) -> bool {
        self.value.as_object().is_none_or(Map::is_empty)
    }
}

fn malformed(pointer: &str, what: &str) -> Invalid {
    Invalid::new(pointer, InvalidCode::MalformedField, format!("must be {what}"))
}

/// A key behind a pointer, escaped by RFC 6901.
fn pointer(prefix: &str, key: &str) -> String {
    format!("{prefix}/{}", key.replace('~', "~0").replace('/', "~1"))
}

fn full(source: &Value, place: &str) -> Result<(String, Vec<Value>), Invalid> {
    let missing = |name: &str| {
        let message = format!("the field \"{name}\" is missing");
        Invalid::new(place, InvalidCode::MissingField, message)
    };
    let id = source.get("valueSetId").ok_or_else(|| missing("valueSetId"))?;
    let id = id.as_str().ok_or_else(|| malformed(&pointer(place, "valueSetId"), "a text"))?;
    let values = source.get("valueSetValues").ok_or_else(|| missing("valueSetValues"))?;
    let values = values.as_object();
    let values = values.ok_or_else(|| malformed(&pointer(place, "valueSetValues"), "an object"))?;
    Ok((id.to_owned(), values.keys().map(|code| Value::from(code.as_str())).collect()))
}

fn compressed(codes: &Value, place: &str) -> Result<Vec<Value>, Invalid> {
    let codes = codes.as_array().ok_or_else(|| malformed(place, "an array of codes"))?;
    match codes.iter().position(|code| !code.is_string()) {
        Some(index) => Err(malformed(&format!("{place}/{index}"), "a text")),
        None => Ok(codes.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn full_and_compressed_sets_read_alike() {
        let mut sets = ValueSets::default();
        let published = json!({ "valueSetId": "test-type", "valueSetDate": "2021-04-27",
            "valueSetValues": { "LP6464-4": { "active": true }, "old": { "active": false } } });
        assert_eq!(sets.add(&published), Ok(1));
        assert_eq!(sets.add(&json!([published])), Ok(1));
        assert_eq!(sets.add(&json!({ "a": ["x"], "b": [] })), Ok(2));
        let expected = json!({ "test-type": ["LP6464-4", "old"], "a": ["x"], "b": [] });
        assert_eq!(sets.as_value(), &expected);
    }

    #[test]
    fn a_broken_set_is_refused_at_its_place_and_adds_nothing() {
        let mut sets = ValueSets::default();
        for (source, place) in [
            (json!(5), ""),
            (json!({ "a": ["x"], "b/c": 1 }), "/b~1c"),
            (json!({ "a": ["x", 1] }), "/a/1"),
            (json!({ "valueSetId": 1 }), "/valueSetId"),
            (json!([{ "valueSetId": "a", "valueSetValues": [] }]), "/0/valueSetValues"),
            (json!([{ "valueSetId": "a" }]), "/0"),
            (json!({ "a": vec!["x"; CODES_MAX + 1] }), ""),
        ] {
            assert_eq!(sets.add(&source).unwrap_err().pointer, place, "{source}");
        }
        assert!(sets.is_empty());
    }
}
