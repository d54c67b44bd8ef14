//! CertLogic: rules as data, evaluated with a trace of which clause said what.
//!
//! Haetae's colours, passes and allowances are decided by rules that officials change, so a rule is
//! a JSON value on the public log, not code. CertLogic 1.3.3 (European Union, business rules of the
//! digital COVID certificate) is small, has no loops but a bounded fold, no floating point and no
//! clock, and other people's evaluators can recompute what this one decided.
//!
//! - [`Expression::parse`] checks a rule once, when it is imported, and compiles it;
//! - [`evaluate`] and [`evaluate_traced`] apply it to data;
//! - [`RuleSet`] and [`decide`] apply an ordered, versioned list of rules to one person's facts;
//! - [`cases`] reads other people's test suites;
//! - [`PassRules`] selects and asks the rules that countries publish for digital COVID certificates.
//!
//! Everything here is a pure function: `now` is part of the data, as text. Work is bounded
//! ([`STEPS_MAX`], [`DEPTH_MAX`]) so that no rule and no data can stop the writer that evaluates it.
//!
//! Where the specification leaves a result open, or its evaluators disagree (equality of two
//! structures, an impossible date), this engine answers with an [`EvaluationError`] instead of a
//! guess: a wrong "no match" would be shown to somebody as a colour.
#![deny(missing_docs)]

mod cases;
mod date_time;
mod error;
mod evaluate;
mod expression;
mod invalid;
mod item;
mod parse;
mod pass_rule;
mod pass_rules;
mod policy;
mod rule_set;
mod trace;
mod value_sets;
mod version;

pub use cases::{Answer, Case, Outcome, cases};
pub use error::{EvaluationCode, EvaluationError};
pub use evaluate::{STEPS_MAX, evaluate, evaluate_traced};
pub use expression::{Expression, Operation};
pub use invalid::{Invalid, InvalidCode};
pub use parse::{DEPTH_MAX, FINDINGS_MAX, NODES_MAX, PATH_MAX, TEXT_MAX};
pub use pass_rule::{CertificateType, ENGINE, PassRule, RuleKind};
pub use pass_rules::{
    Asked, Judgement, Open, PASS_RULES_MAX, PassRules, Question, RuleResult, Signed,
};
pub use policy::{SHIPPED, Shipped};
pub use rule_set::{
    Decision, Failed, Matched, NamedRule, RULES_MAX, RuleSet, RuleTrace, decide, decide_untraced,
};
pub use trace::{Step, TRACE_STEPS_MAX, Trace};
pub use value_sets::ValueSets;
pub use version::{ENGINE_VERSION, Version};
