//! What another set of rules would change, shown on example passes before anybody agrees to it.
//!
//! The examples are what people carry: each kind, on both sides of the limits that were usual. They are
//! contents, not signed passes: rules read nothing else.

use credential::Outcome;
use credential::pass::{Facts, Format, Kind, Rules as _};
use kernel::{Arg, Instant};
use serde_json::{Value, json};

use crate::rulebook::{AtPlace, Published};

/// An example: the key of its text with the numbers in it, and what the pass says.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// The key of its text.
    pub text: &'static str,
    /// Numbers in the text.
    pub numbers: Vec<(&'static str, i64)>,
    kind: Kind,
    payload: Value,
}

impl Example {
    /// What its text mentions.
    pub fn args(&self) -> Vec<(&'static str, Arg)> {
        self.numbers.iter().map(|(name, it)| (*name, Arg::Number(*it))).collect()
    }
}

/// An example that two sets judge differently.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Which.
    pub example: Example,
    /// By the set in force.
    pub before: Outcome,
    /// By the other one.
    pub after: Outcome,
}

const COVID: &str = "840539006";
const NEGATIVE: &str = "260415000";
const HOUR_S: i64 = 3_600;

/// Examples of passes of this country, as old as they say at `now`.
pub fn examples(country: &str, now: Instant) -> Vec<Example> {
    let day = |ago: i64| now.plus_days(-ago).rfc3339().chars().take(10).collect::<String>();
    let pass = |group: &str, kind, text, numbers: &[(&'static str, i64)], mut entry: Value| {
        if let Some(fields) = entry.as_object_mut() {
            for (name, value) in [("tg", COVID), ("co", country), ("is", "Example")] {
                fields.insert(name.to_owned(), Value::from(value));
            }
            fields.insert("ci".to_owned(), Value::from(format!("URN:UVCI:01:{country}:1#1")));
        }
        let payload = json!({
            "ver": "1.3.0", "nam": { "fnt": "EXAMPLE" }, "dob": "1980-01-01", group: [entry]
        });
        Example { text, numbers: numbers.to_vec(), kind, payload }
    };
    let dose = |dose: i64, of: i64, days: i64, product: &str, maker: &str| {
        let entry = json!({
            "vp": "1119349007", "mp": product, "ma": maker, "dn": dose, "sd": of, "dt": day(days)
        });
        let numbers = [("dose", dose), ("of", of), ("days", days)];
        pass("v", Kind::Vaccination, "pass-example-dose", &numbers, entry)
    };
    let two = |number: i64, days| dose(number, 2, days, "EU/1/20/1528", "ORG-100030215");
    let test = |text, method: &str, hours: i64| {
        let sampled = now.plus_seconds(-hours * HOUR_S).rfc3339();
        let entry =
            json!({ "tt": method, "sc": sampled, "tr": NEGATIVE, "tc": "Example", "ma": "1232" });
        pass("t", Kind::Test, text, &[("hours", hours)], entry)
    };
    let recovery = |days: i64| {
        let entry = json!({ "fr": day(days), "df": day(days - 11), "du": day(days - 180) });
        pass("r", Kind::Recovery, "pass-example-recovery", &[("days", days)], entry)
    };
    vec![
        two(1, 30),
        two(2, 7),
        two(2, 30),
        two(2, 120),
        two(2, 200),
        two(2, 300),
        dose(1, 1, 30, "EU/1/20/1525", "ORG-100001417"),
        two(3, 3),
        two(3, 300),
        test("pass-example-pcr", "LP6464-4", 20),
        test("pass-example-pcr", "LP6464-4", 60),
        test("pass-example-rapid", "LP217198-3", 20),
        recovery(5),
        recovery(60),
        recovery(200),
        pass(
            "x",
            Kind::Exemption,
            "pass-example-exemption",
            &[],
            json!({ "df": day(10), "du": day(-80) }),
        ),
    ]
}

/// What a place says that asks for these rules.
fn outcome(rules: &Published, example: &Example, now: Instant) -> Outcome {
    let ruling = AtPlace::Rules(rules, "city").judge(&Facts {
        format: Format::Dcc,
        kind: example.kind,
        payload: &example.payload,
        as_dcc: Some(&example.payload),
        issuer_country: Some(rules.country()),
        kid: &[],
        issued_at: Some(now.plus_seconds(-HOUR_S).seconds()),
        expires_at: Some(now.plus_days(365).seconds()),
        now_s: now.seconds(),
    });
    match (ruling.failed.is_empty(), ruling.open.is_empty()) {
        (false, _) => Outcome::NoPass,
        (true, false) => Outcome::CannotTell,
        (true, true) => Outcome::Pass,
    }
}

/// The examples that two sets judge differently, and how many there are in all.
pub fn differences(
    before: &Published,
    after: &Published,
    now: Instant,
) -> (Vec<Difference>, usize) {
    let examples = examples(after.country(), now);
    let all = examples.len();
    let judged = examples.into_iter().map(|example| {
        let [before, after] = [before, after].map(|it| outcome(it, &example, now));
        Difference { example, before, after }
    });
    (judged.filter(|it| it.before != it.after).collect(), all)
}
