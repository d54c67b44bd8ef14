//! The decision: a pure function of (facts, rules, instant).
//!
//! In 2020 people in many cities were green yesterday and yellow today with the same facts and no
//! reason given. Here the same three inputs give the same colour, the same reasons and the same end,
//! and anybody who holds them can compute it again ([`mod@crate::replay`]).
//!
//! The strongest colour that any rule gives wins: red, yellow, unknown, green. A rule that cannot be
//! evaluated is never read as "did not match": it makes the colour unknown, never worse.

use contracts::code::Colour;
use kernel::Instant;
use serde_json::{Value, json};

use crate::model::{Answer, Facts};
use crate::policy::Policy;
use crate::retention::FACT_DAYS;

/// The reason when a rule could not be evaluated.
pub const RULE_FAILED: &str = "rule_failed";
/// The reason when no rule had anything to say.
pub const NO_RULE: &str = "no_rule";
/// Seconds in a day of 24 hours: days are counted from the fact, not from midnight.
const DAY_S: i64 = 86_400;

/// A colour, until when, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The colour.
    pub colour: Colour,
    /// When the colour will change by itself if nothing else happens; `None` when it will not. At
    /// this very instant the function gives the next colour: no job is needed.
    pub until: Option<Instant>,
    /// Stable codes of the rules that gave this colour, in the order of the rule set.
    pub reasons: Vec<String>,
    /// The version of the rules.
    pub rules_version: u32,
}

/// Decides. Same facts, same rules, same instant: same decision.
pub fn decide(facts: &Facts, policy: &Policy, now: Instant) -> Decision {
    let (colour, reasons) = colour_at(facts, policy, now);
    let until = changes(facts, policy, now)
        .into_iter()
        .find(|instant| self::colour(facts, policy, *instant) != colour);
    Decision { colour, until, reasons, rules_version: policy.version() }
}

/// The colour alone, for whoever needs no end and no reasons.
pub fn colour(facts: &Facts, policy: &Policy, now: Instant) -> Colour {
    colour_at(facts, policy, now).0
}

/// What one rule said, and what it looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Clause {
    /// The rule's stable code.
    pub code: String,
    /// Whether it applies; `None` when it could not be evaluated.
    pub applies: Option<bool>,
    /// The facts and numbers that it read, by their path in the rules' language, in the order read.
    pub read: Vec<(String, Value)>,
    /// What each part of the rule said.
    pub trace: rules::Trace,
}

/// How a colour comes about, rule by rule, in the order of the rule set.
pub fn explain(facts: &Facts, policy: &Policy, now: Instant) -> Vec<Clause> {
    let Some(rules) = policy.rules.as_deref() else { return Vec::new() };
    let decided = rules::decide(rules, &facts_at(facts, now), &now.rfc3339());
    let clause = |it: &rules::RuleTrace| {
        let failed = decided.failed.iter().any(|failed| failed.code == it.code);
        let matched = decided.matched.iter().any(|matched| matched.code == it.code);
        let mut read: Vec<(String, Value)> = Vec::new();
        for step in it.trace.steps.iter().filter(|it| it.operation == rules::Operation::Var) {
            let path = step.inputs.first().and_then(Value::as_str).unwrap_or_default();
            if read.iter().all(|(known, _)| known != path) {
                read.push((path.to_owned(), step.value.clone()));
            }
        }
        Clause {
            code: it.code.clone(),
            applies: (!failed).then_some(matched),
            read,
            trace: it.trace.clone(),
        }
    };
    decided.trace.iter().map(clause).collect()
}

/// How strong a colour is when several rules match. Unknown is weaker than yellow and red: missing
/// facts hide no known danger; and stronger than green: nobody passes on missing facts.
const fn strength(colour: Colour) -> u8 {
    match colour {
        Colour::Green => 0,
        Colour::Unknown => 1,
        Colour::Yellow => 2,
        Colour::Red => 3,
    }
}

/// Whether `new` is worse for the holder than `old`: passes that say `old` must go.
pub const fn is_worse(new: Colour, old: Colour) -> bool {
    strength(new) > strength(old)
}

fn colour_at(facts: &Facts, policy: &Policy, at: Instant) -> (Colour, Vec<String>) {
    let Some(rules) = policy.rules.as_deref() else {
        return (Colour::Unknown, vec![NO_RULE.to_owned()]);
    };
    let decided = rules::decide_untraced(rules, &facts_at(facts, at), &at.rfc3339());
    let outcomes = decided.matched.iter().filter_map(|it| {
        let word = it.outcome.get("colour")?.as_str()?;
        Some((Colour::from_word(word)?, it.code.as_str()))
    });
    let failed = decided.failed.first().map(|_| (Colour::Unknown, RULE_FAILED));
    let found: Vec<(Colour, &str)> = outcomes.chain(failed).collect();
    let strongest = found.iter().map(|(colour, _)| *colour).max_by_key(|it| strength(*it));
    let Some(strongest) = strongest else {
        return (Colour::Unknown, vec![NO_RULE.to_owned()]);
    };
    let reasons = found.iter().filter(|it| it.0 == strongest).map(|it| it.1.to_owned()).collect();
    (strongest, reasons)
}

/// The facts as rules read them: elapsed days of 24 hours instead of instants, three-valued answers
/// as words, `null` for what is not there. What is older than [`FACT_DAYS`] is not there, so that
/// nothing changes when it is erased.
pub fn facts_at(facts: &Facts, at: Instant) -> Value {
    let counts = |fact: &Instant| at < fact.plus_days(FACT_DAYS);
    let dated = |fact: Option<Instant>| {
        fact.filter(counts).map(|fact| {
            json!({
                "days_ago": days(at, fact),
                "negative_after_days": negative_after_days(facts, fact),
            })
        })
    };
    let declared = facts.declared.as_ref().filter(|(_, declared_at)| counts(declared_at));
    let declared = declared.map(|(it, declared_at)| {
        let mut answers: Vec<Answer> = it.symptoms.named().map(|(_, answer)| answer).into();
        answers.extend([it.contact_confirmed, it.contact_symptomatic]);
        json!({
            "days_ago": days(at, *declared_at),
            "negative_after_days": negative_after_days(facts, *declared_at),
            "temperature_tenths": it.temperature_tenths,
            "symptoms": it.symptoms.any().word(),
            "contact_confirmed": it.contact_confirmed.word(),
            "contact_symptomatic": it.contact_symptomatic.word(),
            "complete": !answers.contains(&Answer::NotAsked),
        })
    });
    let ordered = |colour: Colour| {
        facts.orders.iter().any(|(_, ordered, until)| *ordered == colour && at < *until)
    };
    json!({
        "declared": declared,
        "symptom": dated(facts.symptom),
        "contact": dated(facts.contact),
        "positive": dated(facts.positive),
        "negative": dated(facts.negative),
        "close_contact": dated(facts.close_contact),
        "same_place": dated(facts.same_place),
        "order": { "red": ordered(Colour::Red), "yellow": ordered(Colour::Yellow) },
    })
}

/// Whole days since `fact`; 0 for one that lies ahead by a clock's error.
fn days(at: Instant, fact: Instant) -> i64 {
    at.seconds_since(fact).div_euclid(DAY_S).max(0)
}

/// Whole days from `fact` to the newest negative test if that was taken at or after it; otherwise
/// -1.
fn negative_after_days(facts: &Facts, fact: Instant) -> i64 {
    let after = facts.negative.filter(|negative| fact <= *negative);
    after.map_or(-1, |negative| negative.seconds_since(fact).div_euclid(DAY_S))
}

/// Every instant after `now` at which the facts look different to a rule, ascending. Between two of
/// them no colour can change, because rules read elapsed days and not the clock.
fn changes(facts: &Facts, policy: &Policy, now: Instant) -> Vec<Instant> {
    let dated = [
        facts.declared.as_ref().map(|(_, at)| *at),
        facts.symptom,
        facts.contact,
        facts.positive,
        facts.negative,
        facts.close_contact,
        facts.same_place,
    ];
    let ends = facts.orders.iter().map(|(_, _, until)| *until);
    let steps = dated
        .into_iter()
        .flatten()
        .flat_map(|at| policy.steps.iter().map(move |days| at.plus_days(*days)));
    let mut changes: Vec<Instant> = steps.chain(ends).filter(|it| now < *it).collect();
    changes.sort_unstable();
    changes.dedup();
    changes
}
