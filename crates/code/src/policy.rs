//! The rules in force: data with a version, on the public log.
//!
//! Epidemiological numbers are not configuration but events, so that the log knows which rule
//! applied when. Version 1 ships with the program (`policy/v1.json`) and is put on the log before
//! the first command of a city is decided.

use std::sync::{Arc, LazyLock};

use contracts::person::Staff;
use kernel::{Aggregate, Id, Instant};
use rules::RuleSet;
use serde_json::Value;

use crate::event::PolicyEvent;
use crate::refusal::Refusal;
use crate::retention::FACT_DAYS;

/// The stream's id: there is one policy.
pub const POLICY: u128 = 0;
/// Version 1, as it ships.
pub const SHIPPED: &str = include_str!("../policy/v1.json");
/// Characters that the stated reason of a change may have.
const WHY_MAX: usize = 500;

static V1: LazyLock<Option<Arc<RuleSet>>> =
    LazyLock::new(|| serde_json::from_str(SHIPPED).ok().map(Arc::new));

/// The rules in force. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The rules; `None` only if the shipped file were broken, which a test rules out. Without
    /// rules every colour is unknown.
    pub rules: Option<Arc<RuleSet>>,
    /// Whether they stand on the log.
    pub recorded: bool,
    /// The version that the codes of earlier rules were last compared with.
    pub reviewed: u32,
    /// Days at whose end a colour can change: what `until` is searched among.
    pub steps: Arc<[i64]>,
}

impl Default for Policy {
    fn default() -> Self {
        let steps = V1.as_deref().map_or_else(Vec::new, steps).into();
        Self { rules: V1.clone(), recorded: false, reviewed: 0, steps }
    }
}

impl Policy {
    /// The policy of this rule set: for replay, previews and tests.
    pub fn of(rules: RuleSet) -> Self {
        Self {
            steps: steps(&rules).into(),
            reviewed: rules.version(),
            rules: Some(Arc::new(rules)),
            recorded: true,
        }
    }

    /// The version in force; 0 without rules.
    pub fn version(&self) -> u32 {
        self.rules.as_deref().map_or(0, RuleSet::version)
    }

    /// A number among the parameters, or `otherwise`.
    pub fn number(&self, name: &str, otherwise: i64) -> i64 {
        let parameters = self.rules.as_deref().map(RuleSet::parameters);
        parameters.and_then(|it| it.get(name)?.as_i64()).unwrap_or(otherwise)
    }
}

/// What may be asked of the policy.
#[derive(Debug, Clone)]
pub enum PolicyCommand {
    /// Put the shipped rules on the log if none are there.
    Begin,
    /// Change the rules.
    Change {
        /// The whole new rule set as JSON, its version one higher than the present one.
        rule_set: Value,
        /// Why: the source of the new numbers, for everybody to read.
        why: String,
        /// Who.
        by: Id<Staff>,
    },
    /// Say that the codes of earlier rules were compared with this version.
    Reviewed {
        /// The version.
        version: u32,
        /// How many codes were ended.
        ended: u64,
    },
}

impl Aggregate for Policy {
    const STREAM: &'static str = "code.policy";
    type Command = PolicyCommand;
    type Event = PolicyEvent;
    type Refusal = Refusal;

    fn decide(&self, command: PolicyCommand, now: Instant) -> Result<Vec<PolicyEvent>, Refusal> {
        match command {
            PolicyCommand::Begin if self.recorded => Ok(Vec::new()),
            PolicyCommand::Begin => {
                let rules = self.rules.as_deref().cloned().ok_or(Refusal::PolicyInvalid)?;
                let why = "The rules that ship with the program.".to_owned();
                Ok(vec![PolicyEvent::PolicyChanged { rule_set: rules, why, by: None, at: now }])
            }
            PolicyCommand::Change { rule_set, why, by } => {
                let rule_set = RuleSet::parse(&rule_set).map_err(|_| Refusal::PolicyInvalid)?;
                if rule_set.version() != self.version() + 1 {
                    return Err(Refusal::PolicyVersion { expected: self.version() + 1 });
                }
                check(&rule_set)?;
                let why = kernel::clean(&why, WHY_MAX).map_err(|_| Refusal::TextInvalid)?;
                Ok(vec![PolicyEvent::PolicyChanged { rule_set, why, by: Some(by), at: now }])
            }
            // Newer rules came in the meantime: the review begins again, with those.
            PolicyCommand::Reviewed { version, .. }
                if version != self.version() || version == self.reviewed =>
            {
                Ok(Vec::new())
            }
            PolicyCommand::Reviewed { version, ended } => {
                Ok(vec![PolicyEvent::PolicyReviewed { version, ended, at: now }])
            }
        }
    }

    fn fold(&mut self, event: &PolicyEvent) {
        match event {
            PolicyEvent::PolicyChanged { rule_set, .. } => {
                let next = Self::of(rule_set.clone());
                // Before the first rules there was no code to compare with them.
                let reviewed = if self.recorded { self.reviewed } else { next.version() };
                *self = Self { reviewed, ..next };
            }
            PolicyEvent::PolicyReviewed { version, .. } => self.reviewed = *version,
        }
    }
}

/// What a rule set must keep to beyond the engine's own checks, so that a colour can say until when
/// it holds: every outcome is a colour, no rule reads the clock (rules read elapsed days, which change
/// only at known instants), none computes a number of days that is written down nowhere, and no
/// number of days promises more than facts count for.
pub fn check(rules: &RuleSet) -> Result<(), Refusal> {
    for rule in rules.rules() {
        let word = rule.outcome.get("colour").and_then(Value::as_str);
        let colour = word.and_then(contracts::code::Colour::from_word);
        if colour.is_none() || hides_a_step(rule.logic.source()) {
            return Err(Refusal::PolicyInvalid);
        }
    }
    let numbers = rules.parameters().as_object().into_iter().flatten();
    let beyond = |(name, value): (&String, &Value)| {
        name.ends_with("_days") && value.as_i64().is_none_or(|it| !(0..=FACT_DAYS).contains(&it))
    };
    if numbers.into_iter().any(beyond) { Err(Refusal::PolicyInvalid) } else { Ok(()) }
}

fn hides_a_step(logic: &Value) -> bool {
    match logic {
        Value::Object(fields) => fields.iter().any(|(operation, operand)| {
            let clock = operation == "var"
                && operand.as_str().is_some_and(|path| {
                    matches!(path, "" | "external") || path.starts_with("external.now")
                });
            clock || operation == "+" || operation == "reduce" || hides_a_step(operand)
        }),
        Value::Array(items) => items.iter().any(hides_a_step),
        _ => false,
    }
}

/// Every number of days at which a rule can change its mind: integers among the parameters (hours
/// aside) and in the rules, the day after each (`days_ago <= 6` ends with day 7), and the day from
/// which no fact counts; ascending.
fn steps(rules: &RuleSet) -> Vec<i64> {
    let mut found = Vec::new();
    literals(rules.parameters(), &mut found);
    for rule in rules.rules() {
        literals(rule.logic.source(), &mut found);
    }
    let mut steps: Vec<i64> = found.iter().flat_map(|it| [*it, it.saturating_add(1)]).collect();
    steps.retain(|it| (1..FACT_DAYS).contains(it));
    steps.push(FACT_DAYS);
    steps.sort_unstable();
    steps.dedup();
    steps
}

fn literals(value: &Value, found: &mut Vec<i64>) {
    match value {
        Value::Number(number) => found.extend(number.as_i64()),
        Value::Array(items) => items.iter().for_each(|it| literals(it, found)),
        Value::Object(fields) => fields
            .iter()
            .filter(|(name, _)| !name.ends_with("_hours"))
            .for_each(|(_, it)| literals(it, found)),
        _ => {}
    }
}
