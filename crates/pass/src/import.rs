//! A set of rules that an officer brings: every mistake in it with its place, and what is no mistake but
//! worth knowing before a second officer agrees.

use kernel::{Instant, Locale};
use rules::{Invalid, InvalidCode, PassRule, RuleKind, ValueSets};
use serde_json::Value;

use crate::refusal::Refusal;
use crate::rulebook::{Published, RuleFile};

/// Bytes of the rules, and of the value sets. With both, a request stays below what one may have.
pub const FILE_MAX: usize = 480 * 1024;
/// Rules in a set. A wallet asks each of them at some 900 instants to find an end.
pub const RULES_MAX: usize = 100;
/// Mistakes that are named at once.
const MISTAKES_MAX: usize = 50;

/// What is wrong with what was brought, each at its place in the rules or in the value sets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mistakes {
    /// In the rules.
    pub rules: Vec<Invalid>,
    /// In the value sets.
    pub value_sets: Vec<Invalid>,
}

/// Reads JSON that somebody sent as a file or pasted.
pub fn json(text: &[u8]) -> Result<Value, Refusal> {
    if FILE_MAX < text.len() {
        return Err(Refusal::TooLarge);
    }
    let number = |it: usize| i64::try_from(it).unwrap_or(i64::MAX);
    serde_json::from_slice(text).map_err(|error| Refusal::RulesNotJson {
        line: number(error.line()),
        column: number(error.column()),
    })
}

/// The set of these rules (one, or an array as published) and value sets (in any form that
/// [`ValueSets::add`] reads), or everything that is wrong with them.
pub fn check(rules: &Value, value_sets: Option<&Value>) -> Result<RuleFile, Mistakes> {
    let (items, country, mut found) = check_rules(rules);
    let mut sets = ValueSets::default();
    let mut found_in_sets = Vec::new();
    if let Some(source) = value_sets {
        if FILE_MAX < source.to_string().len() {
            found_in_sets.push(too_large(format!("{FILE_MAX} bytes at most")));
        } else if let Err(invalid) = sets.add(source) {
            found_in_sets.push(invalid);
        }
    }
    if found.is_empty() && found_in_sets.is_empty() {
        let value_sets = (!sets.is_empty()).then(|| sets.as_value().clone());
        return Ok(RuleFile { country, rules: items, value_sets });
    }
    found.truncate(MISTAKES_MAX);
    Err(Mistakes { rules: found, value_sets: found_in_sets })
}

/// The rules one by one, their country, and what is wrong with them.
fn check_rules(source: &Value) -> (Vec<Value>, String, Vec<Invalid>) {
    let (items, is_list) = match source {
        Value::Array(items) => (items.clone(), true),
        rule => (vec![rule.clone()], false),
    };
    let within = |index: usize| if is_list { format!("/{index}") } else { String::new() };
    if RULES_MAX < items.len() {
        let found = too_large(format!("a set may have {RULES_MAX} rules"));
        return (Vec::new(), String::new(), vec![found]);
    }
    if FILE_MAX < source.to_string().len() {
        let found = too_large(format!("{FILE_MAX} bytes at most"));
        return (Vec::new(), String::new(), vec![found]);
    }
    let mut found = Vec::new();
    let mut country: Option<String> = None;
    let mut seen = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let at = within(index);
        found.extend(PassRule::check(item).into_iter().map(|it| it.within(&at)));
        let Ok(rule) = PassRule::parse(item) else { continue };
        // Of two that are alike the second would never be asked.
        let name = (rule.identifier.clone(), rule.version);
        if seen.contains(&name) {
            let message = "a rule above has the same identifier and version";
            found.push(invalid(
                &place(item, &at, "Identifier"),
                InvalidCode::DuplicateCode,
                message,
            ));
        }
        seen.push(name);
        if rule.kind != RuleKind::Acceptance {
            continue;
        }
        match &country {
            None => country = Some(rule.country),
            Some(first) if *first != rule.country => {
                let message =
                    format!("all acceptance rules of a set must be of one country: {first}");
                let at = place(item, &at, "Country");
                found.push(invalid(&at, InvalidCode::MalformedField, message));
            }
            Some(_) => {}
        }
    }
    if found.is_empty() && country.is_none() {
        let message = "there must be an acceptance rule";
        found.push(invalid("", InvalidCode::MissingField, message));
    }
    (items, country.unwrap_or_default(), found)
}

fn invalid(pointer: &str, code: InvalidCode, message: impl Into<String>) -> Invalid {
    Invalid { pointer: pointer.to_owned(), code, message: message.into() }
}

fn too_large(message: String) -> Invalid {
    invalid("", InvalidCode::TooLarge, message)
}

/// A field's own name: as published (`ValidTo`) or, as some services write it, `validTo`.
fn key(rule: &Value, name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|it| it.to_ascii_lowercase());
    let lower: String = first.into_iter().chain(letters).collect();
    if rule.get(name).is_none() && rule.get(&lower).is_some() { lower } else { name.to_owned() }
}

fn place(rule: &Value, at: &str, name: &str) -> String {
    format!("{at}/{}", key(rule, name))
}

/// A text of a rule; empty where it has none.
pub fn text<'a>(rule: &'a Value, name: &str) -> &'a str {
    rule.get(key(rule, name)).and_then(Value::as_str).unwrap_or_default()
}

/// Something about a rule that keeps nobody from proposing it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The rule.
    pub rule: String,
    /// JSON pointer to what it is about, from the array of rules.
    pub pointer: String,
    /// What.
    pub what: Remark,
    /// The moment, the part of the country, the language or the value set that it is about.
    pub about: String,
}

impl Note {
    /// The key of its text.
    pub fn text(&self) -> String {
        format!("pass-rules-note-{}", self.what.word().replace('_', "-"))
    }
}

/// What can be remarked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remark {
    /// Its last moment is over: it never applies.
    Over,
    /// Its first moment has not come.
    NotYet,
    /// It is for a part of the country, which nobody here asks for: it never applies.
    PartOnly,
    /// A language has no description.
    Undescribed,
    /// It reads a value set that the set does not have: it is always open.
    ValueSetMissing,
}

impl Remark {
    /// The word in answers and text keys.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Over => "over",
            Self::NotYet => "not_yet",
            Self::PartOnly => "part_only",
            Self::Undescribed => "undescribed",
            Self::ValueSetMissing => "value_set_missing",
        }
    }
}

/// What is to be pointed out about a set that [`check`] has taken.
pub fn notes(published: &Published, now: Instant) -> Vec<Note> {
    let mut notes = Vec::new();
    let sources = &published.file().rules;
    for (index, (source, rule)) in sources.iter().zip(published.rules()).enumerate() {
        let mut note = |name: &str, what, about: &str| {
            let pointer = place(source, &format!("/{index}"), name);
            notes.push(Note {
                rule: rule.identifier.clone(),
                pointer,
                what,
                about: about.to_owned(),
            });
        };
        let last = text(source, "ValidTo");
        if Instant::parse(last).is_some_and(|it| it < now) {
            note("ValidTo", Remark::Over, last);
        }
        let first = text(source, "ValidFrom");
        if Instant::parse(first).is_some_and(|it| now < it) {
            note("ValidFrom", Remark::NotYet, first);
        }
        if rule.kind == RuleKind::Acceptance && !rule.region.is_empty() {
            note("Region", Remark::PartOnly, &rule.region);
        }
        for locale in Locale::ALL {
            if !rule.descriptions.iter().any(|(of, _)| of.eq_ignore_ascii_case(locale.tag())) {
                note("Description", Remark::Undescribed, locale.own_name());
            }
        }
        let mut missing: Vec<&str> = Vec::new();
        for path in rule.logic.iter().flat_map(|it| it.paths()) {
            let Some(rest) = path.strip_prefix("external.valueSets.") else { continue };
            let name = rest.split('.').next().unwrap_or_default();
            if !published.has_value_set(name) && !missing.contains(&name) {
                missing.push(name);
            }
        }
        for name in missing {
            note("Logic", Remark::ValueSetMissing, name);
        }
    }
    notes
}
