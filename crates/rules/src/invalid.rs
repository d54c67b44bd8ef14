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

impl InvalidCode {
    /// Every kind.
    pub const ALL: [Self; 18] = [
        Self::NotAnExpression,
        Self::NotAnInteger,
        Self::NumberOutOfRange,
        Self::NotOneOperator,
        Self::MalformedOperation,
        Self::UnknownOperator,
        Self::WrongOperandCount,
        Self::MalformedOperand,
        Self::MalformedPath,
        Self::TooDeep,
        Self::TooLarge,
        Self::MalformedField,
        Self::UnknownField,
        Self::DuplicateCode,
        Self::MissingField,
        Self::EngineTooOld,
        Self::NotRead,
        Self::NotListed,
    ];

    /// The code as it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotAnExpression => "not_an_expression",
            Self::NotAnInteger => "not_an_integer",
            Self::NumberOutOfRange => "number_out_of_range",
            Self::NotOneOperator => "not_one_operator",
            Self::MalformedOperation => "malformed_operation",
            Self::UnknownOperator => "unknown_operator",
            Self::WrongOperandCount => "wrong_operand_count",
            Self::MalformedOperand => "malformed_operand",
            Self::MalformedPath => "malformed_path",
            Self::TooDeep => "too_deep",
            Self::TooLarge => "too_large",
            Self::MalformedField => "malformed_field",
            Self::UnknownField => "unknown_field",
            Self::DuplicateCode => "duplicate_code",
            Self::MissingField => "missing_field",
            Self::EngineTooOld => "engine_too_old",
            Self::NotRead => "not_read",
            Self::NotListed => "not_listed",
        }
    }
}

impl Invalid {
    pub(crate) fn new(pointer: &str, code: InvalidCode, message: impl Into<String>) -> Self {
        Self { pointer: pointer.to_owned(), code, message: message.into() }
    }

    /// The same finding, seen from a value that holds the parsed one at `prefix`.
    #[must_use]
    pub fn within(mut self, prefix: &str) -> Self {
        self.pointer.insert_str(0, prefix);
        self
    }
}
