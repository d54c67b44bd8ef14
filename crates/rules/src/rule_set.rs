//! An ordered, versioned list of rules, and the decision it makes on one person's facts.
//!
//! A decision is a function of (facts, rule set, instant) and of nothing else, so that anyone who
//! holds the three can replay it; it carries its reasons and their trace with it.

use crate::date_time::DateTime;
use crate::error::{EvaluationCode, EvaluationError};
use crate::evaluate::{STEPS_MAX, is_truthy, is_truthy_traced};
use crate::expression::Expression;
use crate::invalid::{Invalid, InvalidCode};
use crate::item::{VALUE_DEPTH_MAX, copy_value};
use crate::trace::Trace;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::{Map, Value};
use std::collections::HashSet;

/// How many rules a set may have.
pub const RULES_MAX: usize = 256;
/// The longest id or reason code, in bytes.
const NAME_MAX: usize = 64;
/// How many values `parameters`, or one `outcome`, may hold.
const VALUES_MAX: usize = 10_000;
/// How deep `parameters` and an `outcome` may be nested, so that whatever carries them can be read
/// back from text.
const KEPT_DEPTH_MAX: usize = 32;
/// The key under `external` that holds the instant of the decision.
const NOW: &str = "now";

/// A rule set that passed [`RuleSet::parse`]; its JSON form is the one that `parse` reads.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RuleSet {
    id: String,
    version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_from: Option<String>,
    parameters: Value,
    rules: Vec<NamedRule>,
}

/// One rule of a set.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NamedRule {
    /// The stable reason code, unique in its set: `a-z`, `0-9`, `_`, `-` and `.`.
    pub code: String,
    /// The rule matches when this is truthy.
    pub logic: Expression,
    /// What a match means; the engine hands it on and never looks inside.
    pub outcome: Value,
}

/// What a rule set says about one person's facts at one instant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// The rules that matched, in the order of the set.
    pub matched: Vec<Matched>,
    /// The rules that could not be evaluated. Not one of them is a "no": a caller that finds any
    /// here must not conclude anything good from what did or did not match.
    pub failed: Vec<Failed>,
    /// What every rule looked at, in the order of the set.
    pub trace: Vec<RuleTrace>,
}

/// A rule that matched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matched {
    /// The rule's reason code.
    pub code: String,
    /// The rule's outcome.
    pub outcome: Value,
}

/// A rule that could not be evaluated on these facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failed {
    /// The rule's reason code.
    pub code: String,
    /// Where and why.
    pub error: EvaluationError,
}

/// The trace of one rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleTrace {
    /// The rule's reason code.
    pub code: String,
    /// What it looked at.
    pub trace: Trace,
}

/// Evaluates every rule in order on `{"payload": facts, "external": {...parameters, "now": now}}`.
///
/// `now` is a date-time in one of CertLogic's formats; rules that read another one fail.
pub fn decide(rules: &RuleSet, facts: &Value, now: &str) -> Decision {
    let mut traces = Vec::new();
    let mut decision = decide_by(rules, facts, now, |rule, data| {
        let (result, trace) = is_truthy_traced(&rule.logic, data);
        traces.push(RuleTrace { code: rule.code.clone(), trace });
        result
    });
    decision.trace = traces;
    decision
}

/// Like [`decide`], with an empty trace: for whoever asks the same rules about many instants.
pub fn decide_untraced(rules: &RuleSet, facts: &Value, now: &str) -> Decision {
    decide_by(rules, facts, now, |rule, data| is_truthy(&rule.logic, data))
}

fn decide_by(
    rules: &RuleSet,
    facts: &Value,
    now: &str,
    mut holds: impl FnMut(&NamedRule, &Value) -> Result<bool, EvaluationError>,
) -> Decision {
    let mut decision = Decision { matched: Vec::new(), failed: Vec::new(), trace: Vec::new() };
    let data = context(rules, facts, now);
    for rule in &rules.rules {
        let result = match &data {
            Ok(data) => holds(rule, data),
            Err(code) => Err(EvaluationError::new("", *code)),
        };
        let code = rule.code.clone();
        match result {
            Ok(true) => decision.matched.push(Matched { code, outcome: rule.outcome.clone() }),
            Ok(false) => {}
            Err(error) => decision.failed.push(Failed { code, error }),
        }
    }
    decision
}

/// Facts are copied once per decision and within a budget, whatever their depth.
fn context(rules: &RuleSet, facts: &Value, now: &str) -> Result<Value, EvaluationCode> {
    let mut external = rules.parameters.as_object().cloned().unwrap_or_default();
    external.insert(NOW.to_owned(), Value::from(now));
    let mut budget = STEPS_MAX;
    let mut data = Map::new();
    data.insert("payload".to_owned(), copy_value(facts, &mut budget, 0)?);
    data.insert("external".to_owned(), Value::Object(external));
    Ok(Value::Object(data))
}

impl RuleSet {
    /// Checks and compiles a rule set:
    /// `{"id", "version", "valid_from"?, "parameters"?, "rules": [{"code", "logic", "outcome"}]}`.
    ///
    /// `version` counts from 1, `valid_from` is a date-time in one of CertLogic's formats,
    /// `parameters` is an object without a key `now`. The first finding is returned.
    pub fn parse(source: &Value) -> Result<Self, Invalid> {
        let fields = object(source, "", &["id", "version", "valid_from", "parameters", "rules"])?;
        let version = fields.get("version").and_then(Value::as_u64);
        let version = version.and_then(|it| u32::try_from(it).ok()).filter(|it| *it > 0);
        Ok(Self {
            id: name(fields, "", "id")?,
            version: version.ok_or_else(|| malformed("/version", "an integer from 1"))?,
            valid_from: valid_from(fields)?,
            parameters: parameters(fields)?,
            rules: rules(fields)?,
        })
    }

    /// Which rules these are, the same in every version.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Counts from 1.
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// From when on the set is meant to be used, as text in one of CertLogic's formats. The engine
    /// does not act on it: which version applies is on the log.
    pub fn valid_from(&self) -> Option<&str> {
        self.valid_from.as_deref()
    }

    /// What rules read under `external`: an object without `now`.
    pub const fn parameters(&self) -> &Value {
        &self.parameters
    }

    /// The rules in the order in which they are evaluated.
    pub fn rules(&self) -> &[NamedRule] {
        &self.rules
    }
}

impl<'de> Deserialize<'de> for RuleSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

fn malformed(pointer: &str, expected: &str) -> Invalid {
    Invalid::new(pointer, InvalidCode::MalformedField, format!("expected {expected}"))
}

/// The fields of an object that has none but `known` ones: a misspelt field would be a rule that
/// silently is not there.
fn object<'a>(
    value: &'a Value,
    pointer: &str,
    known: &[&str],
) -> Result<&'a Map<String, Value>, Invalid> {
    let fields = value.as_object().ok_or_else(|| malformed(pointer, "an object"))?;
    match fields.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(fields),
        Some(key) => Err(Invalid::new(
            pointer,
            InvalidCode::UnknownField,
            format!("unknown field {}", Value::from(key.as_str())),
        )),
    }
}

fn name(fields: &Map<String, Value>, pointer: &str, field: &str) -> Result<String, Invalid> {
    let is_letter = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-' | b'.')
    };
    match fields.get(field).and_then(Value::as_str) {
        Some(text) if (1..=NAME_MAX).contains(&text.len()) && text.bytes().all(is_letter) => {
            Ok(text.to_owned())
        }
        _ => Err(malformed(
            &format!("{pointer}/{field}"),
            "a text of 1 to 64 letters a-z, digits, '_', '-' and '.'",
        )),
    }
}

fn valid_from(fields: &Map<String, Value>) -> Result<Option<String>, Invalid> {
    match fields.get("valid_from") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if DateTime::parse(text).is_some() => Ok(Some(text.clone())),
        Some(_) => Err(malformed("/valid_from", "a date or date-time")),
    }
}

fn parameters(fields: &Map<String, Value>) -> Result<Value, Invalid> {
    match fields.get("parameters") {
        None => Ok(Value::Object(Map::new())),
        Some(Value::Object(parameters)) if parameters.contains_key(NOW) => {
            Err(malformed("/parameters", "no key \"now\": it is the instant of the decision"))
        }
        Some(value @ Value::Object(_)) => bounded(value, "/parameters"),
        Some(_) => Err(malformed("/parameters", "an object")),
    }
}

fn rules(fields: &Map<String, Value>) -> Result<Vec<NamedRule>, Invalid> {
    let values = fields.get("rules").and_then(Value::as_array);
    let values = values.ok_or_else(|| malformed("/rules", "an array"))?;
    if values.len() > RULES_MAX {
        let message = format!("a set may have {RULES_MAX} rules");
        return Err(Invalid::new("/rules", InvalidCode::TooLarge, message));
    }
    let mut codes = HashSet::new();
    let mut rules = Vec::with_capacity(values.len());
    for (index, value) in values.iter().enumerate() {
        let pointer = format!("/rules/{index}");
        let rule = rule(value, &pointer)?;
        if !codes.insert(rule.code.clone()) {
            return Err(Invalid::new(
                &format!("{pointer}/code"),
                InvalidCode::DuplicateCode,
                format!("the code \"{}\" is taken by a rule above", rule.code),
            ));
        }
        rules.push(rule);
    }
    Ok(rules)
}

fn rule(value: &Value, pointer: &str) -> Result<NamedRule, Invalid> {
    let fields = object(value, pointer, &["code", "logic", "outcome"])?;
    let code = name(fields, pointer, "code")?;
    let logic_pointer = format!("{pointer}/logic");
    let logic = fields.get("logic").ok_or_else(|| malformed(&logic_pointer, "an expression"))?;
    let logic = Expression::parse(logic).map_err(|invalid| invalid.within(&logic_pointer))?;
    let outcome_pointer = format!("{pointer}/outcome");
    let outcome = fields.get("outcome").ok_or_else(|| malformed(&outcome_pointer, "a value"))?;
    Ok(NamedRule { code, logic, outcome: bounded(outcome, &outcome_pointer)? })
}

/// A copy of a value that the engine hands on, of bounded depth and size.
fn bounded(value: &Value, pointer: &str) -> Result<Value, Invalid> {
    let mut budget = VALUES_MAX;
    copy_value(value, &mut budget, VALUE_DEPTH_MAX - KEPT_DEPTH_MAX).map_err(|code| match code {
        EvaluationCode::TooDeep => {
            Invalid::new(pointer, InvalidCode::TooDeep, "nested too deep to be kept")
        }
        _ => Invalid::new(
            pointer,
            InvalidCode::TooLarge,
            format!("more than {VALUES_MAX} values cannot be kept"),
        ),
    })
}
