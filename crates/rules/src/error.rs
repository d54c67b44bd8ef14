//! Why an evaluation has no value: the place in the rule and a stable kind.

use serde::{Deserialize, Serialize};

/// An evaluation that could not end in a value. Never treat it as "did not match": say "unknown".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{code} (at \"{pointer}\")")]
#[serde(deny_unknown_fields)]
pub struct EvaluationError {
    /// JSON pointer (RFC 6901), from the rule's top, to the operation that failed.
    pub pointer: String,
    /// The stable kind.
    pub code: EvaluationCode,
}

/// The stable kinds of [`EvaluationError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum EvaluationCode {
    /// `if`, `and`, `!` or a whole rule met a value that is neither truthy nor falsy.
    #[error("a value is neither truthy nor falsy")]
    NotABoolean,
    /// `+` or a comparison met something else than an exact integer.
    #[error("an operand is not an integer")]
    NotAnInteger,
    /// `in` or `reduce` met something else than an array.
    #[error("an operand is not an array")]
    NotAnArray,
    /// `plusTime`, `dccDateOfBirth` or `extractFromUVCI` met something else than a text.
    #[error("an operand is not a text")]
    NotAText,
    /// `after`, `before`, `not-after` or `not-before` met something else than a date-time.
    #[error("an operand is not a date-time")]
    NotADateTime,
    /// A text is in none of the allowed date formats, or names a day that does not exist.
    #[error("a text is not a date of an allowed format")]
    NotADate,
    /// A date-time beyond the years 0000 to 9999.
    #[error("a date-time is out of range")]
    DateOutOfRange,
    /// A sum beyond ±(2^53 - 1).
    #[error("a number is out of range")]
    NumberOutOfRange,
    /// `===` or `in` met two structures, date-times or fractions: evaluators disagree on those.
    #[error("two values cannot be compared for equality")]
    NotComparable,
    /// More than [`STEPS_MAX`](crate::STEPS_MAX) steps.
    #[error("the rule takes too many steps on this data")]
    TooManySteps,
    /// A value nested deeper than the engine builds or copies.
    #[error("a value is nested too deep")]
    TooDeep,
}

impl EvaluationCode {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::NotABoolean,
        Self::NotAnInteger,
        Self::NotAnArray,
        Self::NotAText,
        Self::NotADateTime,
        Self::NotADate,
        Self::DateOutOfRange,
        Self::NumberOutOfRange,
        Self::NotComparable,
        Self::TooManySteps,
        Self::TooDeep,
    ];

    /// The code as it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotABoolean => "not_a_boolean",
            Self::NotAnInteger => "not_an_integer",
            Self::NotAnArray => "not_an_array",
            Self::NotAText => "not_a_text",
            Self::NotADateTime => "not_a_date_time",
            Self::NotADate => "not_a_date",
            Self::DateOutOfRange => "date_out_of_range",
            Self::NumberOutOfRange => "number_out_of_range",
            Self::NotComparable => "not_comparable",
            Self::TooManySteps => "too_many_steps",
            Self::TooDeep => "too_deep",
        }
    }
}

impl EvaluationError {
    pub(crate) fn new(pointer: &str, code: EvaluationCode) -> Self {
        Self { pointer: pointer.to_owned(), code }
    }
}
