//! Revocation lists of SMART Health Cards: `crl/<kid>.json`.
//!
//! `{"kid": …, "method": "rid", "ctr": 1, "rids": ["abc", "def.1636977600"]}`: the cards of that key
//! with that `rid`, all of them or those issued before that second. Cards from before there were
//! `rid`s are named by a hash of what they say (`hash-fhir`, the framework's RFC 2).
//!
//! The list is not signed; on the web its address vouches for it, here the folder does. An entry that
//! is plainly there counts even in a list with faults, but a list with faults cannot say of anybody
//! that they are not on it. It has no date: its only age is its counter beside the key's.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::json::text_of;

/// The specification's longest `rid`.
const MAX_RID: usize = 24;

/// How a list names cards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// By the `rid` that the issuer gave them.
    Rid,
    /// By the hash of their FHIR bundle.
    HashFhir,
}

/// The cards of one key that were revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardRevocations {
    /// The key.
    pub kid: String,
    /// Grows with every list.
    pub counter: Option<i64>,
    /// How it names cards; nothing when in a way that is not known here.
    pub method: Option<Method>,
    /// Whether every entry could be read and none names a card a second time.
    pub is_sound: bool,
    /// Cards by name: all of them, or those issued before that second.
    cards: BTreeMap<String, Option<i64>>,
}

impl CardRevocations {
    /// Reads a list; nothing if it is none.
    pub fn from_json(json: &Value) -> Option<Self> {
        let entries = json.get("rids")?.as_array()?;
        let method = match text_of(json, "method")? {
            "rid" => Some(Method::Rid),
            "hash-fhir" => Some(Method::HashFhir),
            _ => None,
        };
        let mut list = Self {
            kid: text_of(json, "kid")?.to_owned(),
            counter: json.get("ctr").and_then(Value::as_i64),
            method,
            is_sound: true,
            cards: BTreeMap::new(),
        };
        for entry in entries {
            let sound = entry.as_str().and_then(read_entry).is_some_and(|(name, before)| {
                let known = list.cards.get(name).copied();
                // The wider of two entries holds: all of them, or those before the later second.
                let wider = match known {
                    Some(known) => known.zip(before).map(|(one, other): (i64, i64)| one.max(other)),
                    None => before,
                };
                list.cards.insert(name.to_owned(), wider);
                known.is_none()
            });
            list.is_sound &= sound;
        }
        Some(list)
    }

    /// Whether it names the card of that name, issued at `issued_at`.
    pub fn contains(&self, name: &str, issued_at: f64) -> bool {
        self.method.is_some()
            && self.cards.get(name).is_some_and(|before| {
                // Seconds of the common era are far below 2^53.
                #[allow(clippy::as_conversions, clippy::cast_precision_loss)]
                before.is_none_or(|second| issued_at < second as f64)
            })
    }

    /// Whether it can say of a card that it is not on it, beside a key that was published when the
    /// list had the counter `version`. A list of another version is not the one that belongs to the
    /// key: one of the two is old.
    pub fn vouches(&self, version: Option<i64>) -> bool {
        self.is_sound
            && self.method.is_some()
            && self.counter.is_some()
            && version.is_none_or(|version| self.counter == Some(version))
    }
}

fn read_entry(entry: &str) -> Option<(&str, Option<i64>)> {
    let (name, before) = match entry.split_once('.') {
        Some((name, second)) => {
            let digits = second.bytes().all(|byte| byte.is_ascii_digit());
            (name, Some(second.parse().ok().filter(|_| digits)?))
        }
        None => (entry, None),
    };
    is_rid(name).then_some((name, before))
}

/// Base64url of at most 24 characters (specification, "Revocation").
pub(super) fn is_rid(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=MAX_RID).contains(&text.len()) && text.bytes().all(letter)
}

#[cfg(test)]
mod tests {
    use super::CardRevocations;

    fn list(rids: &str) -> CardRevocations {
        let text = format!(r#"{{"kid":"k","method":"rid","ctr":3,"rids":[{rids}]}}"#);
        CardRevocations::from_json(&serde_json::from_str(&text).unwrap()).unwrap()
    }

    #[test]
    fn a_card_is_revoked_whenever_it_was_issued_or_if_before_the_second() {
        let list = list(r#""abc","def.1687450765""#);
        assert!(list.vouches(None) && list.vouches(Some(3)));
        assert!(!list.vouches(Some(4)) && !list.vouches(Some(2)));
        assert!(list.contains("abc", 0.0) && list.contains("abc", 9e9));
        assert!(list.contains("def", 1_687_450_764.657));
        assert!(!list.contains("def", 1_687_450_765.0));
        assert!(!list.contains("ABC", 0.0) && !list.contains("", 0.0));
    }

    #[test]
    fn a_list_with_faults_still_names_whom_it_names() {
        let faulty = list(r#""abc","not base64url""#);
        assert!(!faulty.vouches(None) && faulty.contains("abc", 0.0));
        assert!(!list(r#""a.5","a.9""#).vouches(None));
        assert!(list(r#""a.5","a.9""#).contains("a", 8.0));
        assert!(
            list(r#""a.9","a""#).contains("a", 100.0) && list(r#""a","a.9""#).contains("a", 100.0)
        );
        for bad in [
            r#""1234567890123456789012345""#,
            r#""a.""#,
            r#""a.-5""#,
            r#""a.1.2""#,
            r#""""#,
            "7",
            r#""a=""#,
        ] {
            assert!(!list(bad).vouches(None), "{bad}");
        }
        assert!(list(r#""123456789012345678901234""#).vouches(None));
    }
}
