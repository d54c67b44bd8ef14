//! Which clause said what: the record of one evaluation.

use crate::expression::Operation;
use crate::item::Item;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// How many steps a trace keeps; a `reduce` over a long list leaves its tail out.
pub const TRACE_STEPS_MAX: usize = 1_000;
/// How many values a recorded structure may have before only its size is kept.
const RECORDED_VALUES_MAX: usize = 32;
/// How many bytes a recorded text may have before only its size is kept.
const RECORDED_BYTES_MAX: usize = 256;
/// How many bytes of JSON a recorded structure may have before only its size is kept.
const RECORDED_JSON_MAX: usize = 1_024;
/// How many operands and results one trace keeps in all: it bounds the trace at about 10 MB.
const RECORDED_TOTAL_MAX: usize = 10_000;

/// The operations of one evaluation in the order in which they ended.
///
/// A clause that was not evaluated has no step. An evaluation that failed has the steps that ended
/// before, and its [`EvaluationError`](crate::EvaluationError) names the next one. The values are
/// those of the data: a trace about a person is as personal as the facts were.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trace {
    /// The steps, at most [`TRACE_STEPS_MAX`].
    pub steps: Vec<Step>,
    /// Whether further steps, or operands of the last ones, were left out.
    pub truncated: bool,
}

/// One operation that was evaluated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// JSON pointer (RFC 6901) to the operation in the rule. A lambda's repeats, once per item.
    pub pointer: String,
    /// The operation.
    pub operation: Operation,
    /// The operands that were evaluated, in order: the path of a `var`, the guard and the taken
    /// branch of an `if`, the operands of an `and` up to the deciding one, and of a `reduce` the
    /// array, the initial value and then every accumulator.
    ///
    /// A structure of more than 32 values or 1,024 bytes, or a text of more than 256, is recorded as
    /// `{"omitted": "array" | "object" | "string", "length": n}`, n in items, fields or bytes.
    pub inputs: Vec<Value>,
    /// The result, recorded in the same way; a date-time as `YYYY-MM-DDThh:mm:ss.sssZ`.
    pub value: Value,
}

/// Builds a [`Trace`] while an evaluation runs.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    pub(crate) trace: Trace,
    /// Results of places whose enclosing operation has not ended yet.
    pending: Vec<Value>,
    /// Operands recorded so far, against [`RECORDED_TOTAL_MAX`].
    recorded: usize,
}

impl Recorder {
    /// A mark to hand back to [`Self::operation`] or [`Self::list`] when that place ends.
    pub(crate) fn begin(&self) -> usize {
        self.pending.len()
    }

    /// An operand of the operation that runs.
    pub(crate) fn operand(&mut self, item: &Item<'_>) {
        if self.recorded >= RECORDED_TOTAL_MAX {
            self.trace.truncated = true;
            return;
        }
        self.recorded += 1;
        self.pending.push(record(item));
    }

    /// An operation ended: what was recorded since `begin` were its inputs.
    pub(crate) fn operation(
        &mut self,
        begin: usize,
        pointer: &str,
        operation: Operation,
        item: &Item<'_>,
    ) {
        let inputs = self.pending.split_off(begin.min(self.pending.len()));
        let value = record(item);
        if self.trace.steps.len() < TRACE_STEPS_MAX {
            self.trace.steps.push(Step { pointer: pointer.to_owned(), operation, inputs, value });
        } else {
            self.trace.truncated = true;
        }
        self.operand(item);
    }

    /// An array ended: its items are one operand, not many.
    pub(crate) fn list(&mut self, begin: usize, item: &Item<'_>) {
        self.pending.truncate(begin);
        self.operand(item);
    }
}

/// The item as JSON, or its size when it is too large to keep.
fn record(item: &Item<'_>) -> Value {
    let (kind, length) = match item {
        Item::Text(text) if text.len() <= RECORDED_BYTES_MAX => return Value::from(*text),
        Item::Text(text) => return json!({ "omitted": "string", "length": text.len() }),
        Item::Data(Value::Array(values)) => ("array", values.len()),
        Item::List(items) => ("array", items.len()),
        Item::Data(Value::Object(fields)) => ("object", fields.len()),
        Item::Fields(fields) => ("object", fields.len()),
        // Every other item is a scalar and never too large.
        _ => ("object", 0),
    };
    let mut budget = RECORDED_VALUES_MAX;
    match item.to_value(&mut budget, 0) {
        Ok(value) if !value.is_array() && !value.is_object() => value,
        Ok(value) if value.to_string().len() <= RECORDED_JSON_MAX => value,
        _ => json!({ "omitted": kind, "length": length }),
    }
}
