//! Why a rule was refused at import: where, which kind, and in words for its author.

use serde::{Deserialize, Serialize};

/// What is wrong with a rule, or with a set of rules, that somebody wants to import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message} (at \"{pointer}\")")]
#[serde(deny_unknown_fields)]
pub struct Invalid {
    /// JSON pointer (RFC 6901) to the offending value, from the value that was parsed.
    pub pointer: String,
    /// The stable kind.
    pub code: InvalidCode,
    /// In English, for the rule's author; the wording of the official validator where it has one.
    pub message: String,
}

/// The stable kinds of [`Invalid`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvalidCode {
    /// A value that CertLogic has no meaning for, such as a literal `null`.
    NotAnExpression,
    /// A number with a fraction.
    NotAnInteger,
    /// An integer that a JavaScript evaluator would not hold exactly (beyond ±(2^53 - 1)).
    NumberOutOfRange,
    /// An object with no key, or with more than one.
    NotOneOperator,
    /// The operator's value has not the form that the operator asks for.
    MalformedOperation,
    /// An operator that CertLogic does not have.
    UnknownOperator,
    /// Too few or too many operands.
    WrongOperandCount,
    /// An operand that has to be a literal of some kind is not.
    MalformedOperand,
    /// A `var` path with an empty fragment.
    MalformedPath,
    /// Nested deeper than [`DEPTH_MAX`](crate::DEPTH_MAX).
    TooDeep,
    /// More than the limits of this crate allow.
    TooLarge,
    /// A rule set lacks a field, or has one of the wrong type or form.
    MalformedField,
    /// A rule set has a field that nobody would read.
    UnknownField,
    /// Two rules of one set carry the same reason code.
    DuplicateCode,
    /// A rule for passes, or a value set, lacks a field.
    MissingField,
    /// A rule for passes asks for an engine newer than this one.
    EngineTooOld,
    /// A rule for passes lists a field that its logic does not read.
    NotRead,
    /// A rule for passes reads a field that it does not list.
    NotListed,
}

impl Invalid {
    pub(crate) fn new(pointer: &str, code: InvalidCode, message: impl Into<String>) -> Self {
        Self { pointer: pointer.to_owned(), code, message: message.into() }
    }

    /// The same finding, seen from a value that holds the parsed one at `prefix`.
    pub(crate) fn within(mut self, prefix: &str) -> Self {
        self.pointer.insert_str(0, prefix);
        self
    }
}
