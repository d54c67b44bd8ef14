//! Other people's test cases: the shapes in which CertLogic's suites, its validation suites and the
//! published rules' tests are written, and plain `{"logic", "data"}`.
//!
//! So that an outsider can hold this engine against any suite without writing a program.

use crate::error::EvaluationError;
use crate::evaluate::evaluate_traced;
use crate::expression::Expression;
use crate::invalid::{Invalid, InvalidCode};
use crate::trace::Trace;
use serde_json::{Value, json};
use std::borrow::Cow;

/// The names that a rule's logic goes by, as a whole case or within one.
const LOGIC: [&str; 4] = ["logic", "Logic", "certLogicExpression", "expression"];

/// One thing to evaluate or to check.
#[derive(Debug, Clone)]
pub struct Case<'a> {
    /// JSON pointer to the case in its file.
    pub pointer: String,
    /// What its author calls it; may be empty.
    pub name: String,
    /// Its author asks evaluators to pass it over; it is evaluated all the same.
    pub is_skipped: bool,
    logic: &'a Value,
    data: Cow<'a, Value>,
    expected: Expected<'a>,
}

#[derive(Debug, Clone)]
enum Expected<'a> {
    Nothing,
    Value(&'a Value),
    AnyError,
    /// Not to be evaluated but checked, with these findings.
    Issues(&'a [Value]),
}

/// What came of a case.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The value of the logic.
    Value(Value),
    /// The evaluation failed.
    Failed(EvaluationError),
    /// The logic was refused before an evaluation.
    Invalid(Invalid),
    /// The findings of a check, for a case that asks for one.
    Checked(Vec<Invalid>),
}

/// A case's outcome, and whether it is the expected one.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// What came of it.
    pub outcome: Outcome,
    /// Whether that was expected; `None` where nothing was.
    pub agrees: Option<bool>,
    /// What the evaluation looked at.
    pub trace: Trace,
}

fn refused<T>(pointer: &str, code: InvalidCode, message: &str) -> Result<T, Invalid> {
    Err(Invalid::new(pointer, code, message))
}

/// The cases of one file. `rule` is the published rule that a rule's test without logic is about.
///
/// # Errors
/// The first place that is no case.
pub fn cases<'a>(source: &'a Value, rule: Option<&'a Value>) -> Result<Vec<Case<'a>>, Invalid> {
    let mut cases = Vec::new();
    collect(source, rule, "", &mut cases)?;
    Ok(cases)
}

fn collect<'a>(
    source: &'a Value,
    rule: Option<&'a Value>,
    pointer: &str,
    cases: &mut Vec<Case<'a>>,
) -> Result<(), Invalid> {
    if let Value::Array(items) = source {
        for (index, item) in items.iter().enumerate() {
            // One level only: an array within an array is no case.
            one(item, rule, &format!("{pointer}/{index}"), cases)?;
        }
        return Ok(());
    }
    one(source, rule, pointer, cases)
}

fn one<'a>(
    source: &'a Value,
    rule: Option<&'a Value>,
    pointer: &str,
    cases: &mut Vec<Case<'a>>,
) -> Result<(), Invalid> {
    let Some(fields) = source.as_object() else {
        return refused(pointer, InvalidCode::MalformedField, "a case is an object");
    };
    if let Some(Value::Array(items)) = fields.get("cases") {
        let skip = is_skipped(source);
        for (index, item) in items.iter().enumerate() {
            let begin = cases.len();
            one(item, rule, &format!("{pointer}/cases/{index}"), cases)?;
            for case in cases.iter_mut().skip(begin) {
                case.is_skipped |= skip;
            }
        }
        return Ok(());
    }
    let logic = logic_of(source);
    let name = text(source, "name");
    if let Some(Value::Array(assertions)) = fields.get("assertions") {
        for (index, assertion) in assertions.iter().enumerate() {
            let pointer = format!("{pointer}/assertions/{index}");
            let Some(logic) = logic_of(assertion).or(logic) else {
                return refused(&pointer, InvalidCode::MissingField, "a case without logic");
            };
            let message = text(assertion, "message");
            let parts = [name.as_str(), message.as_str()];
            let parts: Vec<&str> = parts.into_iter().filter(|it| !it.is_empty()).collect();
            cases.push(Case {
                pointer,
                name: parts.join(": "),
                is_skipped: is_skipped(source) || is_skipped(assertion),
                logic,
                data: data_of(assertion),
                expected: expected_of(assertion),
            });
        }
        return Ok(());
    }
    if let (Some(logic), Some(Value::Array(issues))) = (logic, fields.get("issues")) {
        cases.push(Case {
            pointer: pointer.to_owned(),
            name,
            is_skipped: is_skipped(source),
            logic,
            data: Cow::Owned(Value::Null),
            expected: Expected::Issues(issues),
        });
        return Ok(());
    }
    let is_rule_test = fields.contains_key("external");
    let of_rule = rule.filter(|_| is_rule_test).and_then(logic_of);
    let Some(logic) = logic.or(of_rule) else {
        let message = if is_rule_test { "a rule's test without its rule" } else { "no case" };
        return refused(pointer, InvalidCode::MissingField, message);
    };
    cases.push(Case {
        pointer: pointer.to_owned(),
        name,
        is_skipped: is_skipped(source),
        logic,
        data: data_of(source),
        expected: expected_of(source),
    });
    Ok(())
}

fn logic_of(source: &Value) -> Option<&Value> {
    LOGIC.into_iter().find_map(|name| source.get(name))
}

fn text(source: &Value, name: &str) -> String {
    source.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn is_skipped(source: &Value) -> bool {
    source.get("directive").and_then(Value::as_str) == Some("skip")
}

/// `data`, or the two halves of it that a published rule's test has.
fn data_of(source: &Value) -> Cow<'_, Value> {
    match (source.get("data"), source.get("payload"), source.get("external")) {
        (Some(data), ..) => Cow::Borrowed(data),
        (None, None, None) => Cow::Owned(Value::Null),
        (None, payload, external) => {
            Cow::Owned(json!({ "payload": payload, "external": external }))
        }
    }
}

fn expected_of(source: &Value) -> Expected<'_> {
    match (source.get("expected"), source.get("error")) {
        (Some(value), _) => Expected::Value(value),
        (None, None | Some(Value::Null | Value::Bool(false))) => Expected::Nothing,
        (None, Some(_)) => Expected::AnyError,
    }
}

impl Case<'_> {
    /// Evaluates or checks it.
    pub fn run(&self) -> Answer {
        if let Expected::Issues(expected) = self.expected {
            let found = Expression::check(self.logic);
            let agrees = found.len() == expected.len()
                && found.iter().zip(expected).all(|(found, issue)| self.is_issue(found, issue));
            let outcome = Outcome::Checked(found);
            return Answer { outcome, agrees: Some(agrees), trace: Trace::default() };
        }
        let (outcome, trace) = match Expression::parse_published(self.logic) {
            Err(invalid) => (Outcome::Invalid(invalid), Trace::default()),
            Ok(logic) => match evaluate_traced(&logic, &self.data) {
                (Ok(value), trace) => (Outcome::Value(value), trace),
                (Err(error), trace) => (Outcome::Failed(error), trace),
            },
        };
        let is_error = !matches!(outcome, Outcome::Value(_));
        let agrees = match (&self.expected, &outcome) {
            (Expected::Nothing | Expected::Issues(_), _) => None,
            (Expected::AnyError, _) => Some(is_error),
            (Expected::Value(expected), Outcome::Value(value)) => Some(is_same(expected, value)),
            (Expected::Value(_), _) => Some(false),
        };
        Answer { outcome, agrees, trace }
    }

    /// The logic, for whoever shows a trace beside it.
    pub const fn logic(&self) -> &Value {
        self.logic
    }

    /// What its author expects, as it stands in the case.
    pub fn expected(&self) -> Option<Value> {
        match self.expected {
            Expected::Nothing => None,
            Expected::Value(value) => Some(value.clone()),
            Expected::AnyError => Some(json!({ "error": true })),
            Expected::Issues(issues) => Some(Value::from(issues)),
        }
    }

    /// The reference validator names the whole operation where this one names the literal in it.
    fn is_issue(&self, found: &Invalid, issue: &Value) -> bool {
        let place = found.pointer.as_str();
        let up = |place: &str| place.rsplit_once('/').map(|(above, _)| above.to_owned());
        let operation = up(place).and_then(|it| up(&it));
        let is_there = [Some(place.to_owned()), operation]
            .into_iter()
            .flatten()
            .any(|place| self.logic.pointer(&place) == issue.get("expr"));
        is_there && issue.get("message").and_then(Value::as_str) == Some(found.message.as_str())
    }
}

/// Equality of JSON in which 1 and 1.0 are one number.
fn is_same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            left == right || left.as_f64() == right.as_f64()
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(l, r)| is_same(l, r))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(name, l)| right.get(name).is_some_and(|r| is_same(l, r)))
        }
        _ => left == right,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(source: &Value) -> Vec<(String, String, Option<bool>)> {
        let cases = cases(source, None).unwrap();
        cases.iter().map(|it| (it.pointer.clone(), it.name.clone(), it.run().agrees)).collect()
    }

    fn row(pointer: &str, name: &str, agrees: Option<bool>) -> (String, String, Option<bool>) {
        (pointer.to_owned(), name.to_owned(), agrees)
    }

    #[test]
    fn every_shape_of_a_suite_is_read() {
        let plain = json!({ "logic": { "var": "a" }, "data": { "a": 1 } });
        assert_eq!(answers(&plain), [row("", "", None)]);
        let list = json!([
            { "logic": { "var": "a" }, "data": { "a": 1 }, "expected": 1.0 },
            { "certLogicExpression": { "var": "a" }, "expected": 1, "name": "no data" },
            { "logic": { "+": [1, "a"] }, "error": true },
        ]);
        let expected = [
            row("/0", "", Some(true)),
            row("/1", "no data", Some(false)),
            row("/2", "", Some(true)),
        ];
        assert_eq!(answers(&list), expected);
        let suite = json!({ "name": "suite", "cases": [{ "name": "case",
            "certLogicExpression": { "var": "" },
            "assertions": [
                { "data": 5, "expected": 5 },
                { "data": 5, "expected": 6, "message": "wrong", "directive": "skip" },
                { "certLogicExpression": true, "expected": true }
            ] }] });
        let expected = [
            row("/cases/0/assertions/0", "case", Some(true)),
            row("/cases/0/assertions/1", "case: wrong", Some(false)),
            row("/cases/0/assertions/2", "case", Some(true)),
        ];
        assert_eq!(answers(&suite), expected);
        assert!(cases(&suite, None).unwrap()[1].is_skipped);
        let validation = json!({ "cases": [
            { "certLogicExpression": true, "issues": [] },
            { "certLogicExpression": { "!": [null] },
              "issues": [{ "expr": null, "message": "invalid CertLogic expression" }] },
            { "certLogicExpression": { "!": [null] }, "issues": [] },
        ] });
        let agrees: Vec<_> = answers(&validation).into_iter().map(|it| it.2).collect();
        assert_eq!(agrees, [Some(true), Some(true), Some(false)]);
    }

    #[test]
    fn a_rules_test_finds_its_logic_in_its_rule() {
        let rule = json!({ "Logic": { "===": [{ "var": "payload.a" }, { "var": "external.b" }] } });
        let test = json!({ "payload": { "a": 1 }, "external": { "b": 1 }, "expected": true });
        assert_eq!(cases(&test, Some(&rule)).unwrap()[0].run().agrees, Some(true));
        assert!(cases(&test, None).is_err());
    }

    #[test]
    fn what_is_no_case_is_refused_at_its_place() {
        for (source, pointer) in [
            (json!(1), ""),
            (json!({}), ""),
            (json!([{ "logic": true }, []]), "/1"),
            (json!({ "cases": [{ "assertions": [{}] }] }), "/cases/0/assertions/0"),
        ] {
            assert_eq!(cases(&source, None).unwrap_err().pointer, pointer, "{source}");
        }
    }
}
