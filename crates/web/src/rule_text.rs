//! What a rule looked at, in sentences: the trace of an evaluation, its failure, and the mistakes that an
//! import finds, in the three languages.
//!
//! The engine knows no language; it names operations, places and stable codes, and the texts stand in
//! the Fluent files of this crate. Values are shown as they are: a trace about a person is as personal
//! as the facts were.

use kernel::{Arg, Locale};
use rules::{EvaluationError, Invalid, Operation, Step, Trace};
use serde_json::Value;

use crate::Texts;

/// One step of a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    /// JSON pointer to the clause in the rule.
    pub pointer: String,
    /// How many clauses enclose it.
    pub depth: usize,
    /// What it said.
    pub text: String,
}

/// Every step of a trace in the order in which the clauses ended. `facts` begins the keys of the texts
/// that name what was read: with `code-fact-`, `payload.order.red` is called what
/// `code-fact-order-red` says. What has no name, or where `facts` is empty, is shown by its path.
pub fn trace(texts: &Texts, locale: Locale, facts: &str, trace: &Trace) -> Vec<Sentence> {
    let teller = Teller { texts, locale, facts };
    let sentence = |step: &Step| Sentence {
        pointer: step.pointer.clone(),
        // Every enclosing operation takes two segments: its name and the operand's number.
        depth: step.pointer.matches('/').count() / 2,
        text: teller.step(step),
    };
    trace.steps.iter().map(sentence).collect()
}

/// What is read at a path, by its name. See [`trace`].
pub fn fact(texts: &Texts, locale: Locale, facts: &str, path: &str) -> String {
    let own = path.strip_prefix("payload.").or_else(|| path.strip_prefix("external."));
    let key = format!("{facts}{}", own.unwrap_or(path).replace(['.', '_'], "-"));
    let name = if facts.is_empty() { None } else { texts.find(locale, &key) };
    name.unwrap_or_else(|| path.to_owned())
}

/// Why an evaluation has no value.
pub fn failure(texts: &Texts, locale: Locale, error: &EvaluationError) -> String {
    texts.get(locale, &format!("web-rule-failed-{}", error.code.as_str().replace('_', "-")))
}

/// What is wrong with a rule, without its place.
pub fn mistake(texts: &Texts, locale: Locale, invalid: &Invalid) -> String {
    texts.get(locale, &format!("web-rule-invalid-{}", invalid.code.as_str().replace('_', "-")))
}

struct Teller<'t> {
    texts: &'t Texts,
    locale: Locale,
    facts: &'t str,
}

impl Teller<'_> {
    fn say(&self, step: &str, args: &[(&str, String)]) -> String {
        let args: Vec<_> = args.iter().map(|(name, it)| (*name, Arg::Text(it.clone()))).collect();
        self.texts.format(self.locale, &format!("web-rule-step-{step}"), &args)
    }

    fn step(&self, step: &Step) -> String {
        let input = |index: usize| step.inputs.get(index).unwrap_or(&Value::Null);
        let left = ("left", self.value(input(0)));
        let right = ("right", self.value(input(1)));
        let value = ("value", self.value(&step.value));
        let yes = step.value == Value::Bool(true);
        match step.operation {
            Operation::Var => {
                let path = input(0).as_str().unwrap_or_default();
                let name = fact(self.texts, self.locale, self.facts, path);
                self.say("var", &[("path", name), value])
            }
            Operation::If => self.say("if", &[("guard", self.value(input(0))), value]),
            Operation::And if is_truthy(&step.value) => self.say("and-yes", &[]),
            Operation::And => self.say("and-no", &[value]),
            Operation::Equal if yes => self.say("equal-yes", &[left, right]),
            Operation::Equal => self.say("equal-no", &[left, right]),
            Operation::In if yes => self.say("in-yes", &[left, right]),
            Operation::In => self.say("in-no", &[left, right]),
            Operation::Plus => self.say("plus", &[left, right, value]),
            Operation::Not => self.say("not", &[left, value]),
            Operation::Reduce => self.say("reduce", &[value]),
            Operation::ExtractFromUvci => {
                self.say("extract", &[left, ("index", input(1).to_string()), value])
            }
            Operation::DccDateOfBirth => self.say("birth", &[left, value]),
            Operation::PlusTime if input(1).as_i64() == Some(0) => self.say("time", &[left, value]),
            Operation::PlusTime => {
                let unit = input(2).as_str().unwrap_or_default();
                let unit = self.texts.get(self.locale, &format!("web-rule-unit-{unit}"));
                let amount = ("amount", input(1).to_string());
                self.say("time-plus", &[left, amount, ("unit", unit), value])
            }
            compared => self.comparison(compared, step, yes),
        }
    }

    fn comparison(&self, operation: Operation, step: &Step, yes: bool) -> String {
        let operands: Vec<String> = step.inputs.iter().map(|it| self.value(it)).collect();
        let [left, right] = operands.as_slice() else {
            let sign = match operation {
                Operation::Greater | Operation::After => " > ",
                Operation::Less | Operation::Before => " < ",
                Operation::GreaterOrEqual | Operation::NotBefore => " ≥ ",
                _ => " ≤ ",
            };
            let chain = ("chain", operands.join(sign));
            return self.say(if yes { "chain-yes" } else { "chain-no" }, &[chain]);
        };
        // "Not after" that holds is "after" that does not: one sentence serves both.
        let key = match (operation, yes) {
            (Operation::Greater, true) | (Operation::LessOrEqual, false) => "greater-yes",
            (Operation::Greater, false) | (Operation::LessOrEqual, true) => "greater-no",
            (Operation::Less, true) | (Operation::GreaterOrEqual, false) => "less-yes",
            (Operation::Less, false) | (Operation::GreaterOrEqual, true) => "less-no",
            (Operation::After, true) | (Operation::NotAfter, false) => "after-yes",
            (Operation::After, false) | (Operation::NotAfter, true) => "after-no",
            (Operation::Before, true) | (Operation::NotBefore, false) => "before-yes",
            _ => "before-no",
        };
        self.say(key, &[("left", left.clone()), ("right", right.clone())])
    }

    fn value(&self, value: &Value) -> String {
        let text = |key: &str| self.texts.get(self.locale, key);
        match value {
            Value::Null => text("web-rule-nothing"),
            Value::Bool(true) => text("web-rule-true"),
            Value::Bool(false) => text("web-rule-false"),
            Value::String(text) => match text.strip_suffix("T00:00:00.000Z") {
                Some(day) => day.to_owned(),
                None => text.strip_suffix(".000Z").map_or(text.clone(), |it| format!("{it}Z")),
            },
            Value::Object(fields) => match (fields.get("omitted"), fields.get("length")) {
                (Some(Value::String(kind)), Some(length)) if fields.len() == 2 => {
                    let args = [("length", Arg::Text(length.to_string()))];
                    self.texts.format(self.locale, &format!("web-rule-omitted-{kind}"), &args)
                }
                _ => value.to_string(),
            },
            _ => value.to_string(),
        }
    }
}

/// Of a recorded value, which is JSON.
fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(truth) => *truth,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // helpers of tests
mod tests {
    use super::*;
    use rules::{EvaluationCode, Expression, InvalidCode, evaluate_traced};
    use serde_json::json;

    fn texts() -> Texts {
        Texts::try_new(&[crate::slice()]).unwrap()
    }

    fn told(locale: Locale, rule: &Value, data: &Value) -> Vec<String> {
        let (_, steps) = evaluate_traced(&Expression::parse(rule).unwrap(), data);
        trace(&texts(), locale, "", &steps).into_iter().map(|it| it.text).collect()
    }

    /// The second dose is at least 14 days ago.
    fn rule() -> Value {
        json!({ "and": [
            { ">=": [{ "var": "v.dn" }, 2] },
            { "not-before": [
                { "plusTime": [{ "var": "now" }, 0, "day"] },
                { "plusTime": [{ "var": "v.dt" }, 14, "day"] }
            ] }
        ] })
    }

    #[test]
    fn a_rule_is_explained_in_three_languages() {
        let data = json!({ "v": { "dn": 2, "dt": "2022-01-01" }, "now": "2022-01-14T09:30:00Z" });
        assert_eq!(
            told(Locale::En, &rule(), &data),
            [
                "“v.dn” is 2.",
                "2 is at least 2.",
                "“now” is 2022-01-14T09:30:00Z.",
                "2022-01-14T09:30:00Z is the moment 2022-01-14T09:30:00Z.",
                "“v.dt” is 2022-01-01.",
                "2022-01-01 plus 14 days is 2022-01-15.",
                "2022-01-14T09:30:00Z is earlier than 2022-01-15.",
                "Not all of it holds: it ended at false.",
            ]
        );
        let korean = told(Locale::Ko, &rule(), &data);
        assert_eq!(korean.get(1).map(String::as_str), Some("2는 2 이상입니다."));
        assert_eq!(
            korean.get(5).map(String::as_str),
            Some("2022-01-01에 14일을 더하면 2022-01-15입니다.")
        );
        let chinese = told(Locale::ZhHans, &rule(), &data);
        assert_eq!(chinese.get(5).map(String::as_str), Some("2022-01-01加14天是2022-01-15。"));
        assert_eq!(chinese.last().map(String::as_str), Some("并非全部成立：在假处停止。"));
    }

    #[test]
    fn every_operation_has_its_sentence_in_every_language_both_ways() {
        let day = |text: &str| json!({ "plusTime": [text, 0, "day"] });
        let (first, second) = (day("2021"), day("2022"));
        let mut rules = vec![
            json!({ "if": [true, 1, 2] }),
            json!({ "and": [1, 2] }),
            json!({ "and": [1, 0] }),
            json!({ "+": [1, 2] }),
            json!({ "!": [[]] }),
            json!({ "reduce": [[1], { "var": "current" }, 0] }),
            json!({ "extractFromUVCI": ["URN:UVCI:01:KR", 1] }),
            json!({ "dccDateOfBirth": ["2004"] }),
            json!({ "===": [1, 1] }),
            json!({ "===": [1, 2] }),
            json!({ "in": [1, [1]] }),
            json!({ "in": [1, []] }),
            json!({ "<": [1, 2, 3] }),
            json!({ ">": [1, 2, 3] }),
            json!({ "var": "long" }),
            json!({ "var": "text" }),
            json!({ "var": "wide" }),
        ];
        for unit in ["year", "month", "day", "hour"] {
            rules.push(json!({ "plusTime": ["2021", 1, unit] }));
        }
        for name in ["<", ">", "<=", ">="] {
            rules.extend([json!({ name: [1, 2] }), json!({ name: [2, 1] })]);
        }
        for name in ["after", "before", "not-after", "not-before"] {
            rules.extend([json!({ name: [first, second] }), json!({ name: [second, first] })]);
        }
        let wide: serde_json::Map<_, _> = (0..40).map(|it| (it.to_string(), json!(0))).collect();
        let data = json!({ "long": vec![0; 100], "text": "x".repeat(300), "wide": wide });
        for locale in Locale::ALL {
            for rule in &rules {
                for sentence in told(locale, rule, &data) {
                    let is_whole = !sentence.contains("web-rule") && !sentence.contains('{');
                    assert!(is_whole, "{rule}: {sentence}");
                }
            }
        }
    }

    #[test]
    fn every_failure_and_every_mistake_has_its_sentence_in_every_language() {
        let texts = texts();
        for locale in Locale::ALL {
            let mut told = Vec::new();
            for code in EvaluationCode::ALL {
                let error = EvaluationError { pointer: String::new(), code };
                told.push(failure(&texts, locale, &error));
            }
            for code in InvalidCode::ALL {
                let invalid = Invalid { pointer: String::new(), code, message: String::new() };
                told.push(mistake(&texts, locale, &invalid));
            }
            assert!(told.iter().all(|it| !it.starts_with("web-rule")), "{told:?}");
        }
    }
}
