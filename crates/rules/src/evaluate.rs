//! The evaluator: one walk over a compiled expression, with a budget and, on request, a record.

use crate::date_time::DateTime;
use crate::error::{EvaluationCode, EvaluationError};
use crate::expression::{Applied, Expression, Fragment, Node, Operands, Path, Relation};
use crate::item::{INTEGER_MAX, Item, read_value};
use crate::trace::{Recorder, Trace};
use serde_json::{Map, Value};

/// How much work one evaluation may do: operations, items of a list that are looked at, values
/// that are copied. Tens of times what the rules of any country took, and a few milliseconds.
pub const STEPS_MAX: usize = 100_000;

/// The optional prefix of a unique certificate identifier.
const IDENTIFIER_PREFIX: &str = "URN:UVCI:";

/// The value of `expression` on `data`; a date-time becomes `YYYY-MM-DDThh:mm:ss.sssZ`.
///
/// # Errors
/// [`EvaluationError`] when the data are not what the rule expects. That is no "false".
pub fn evaluate(expression: &Expression, data: &Value) -> Result<Value, EvaluationError> {
    Run { budget: STEPS_MAX, recorder: None }.value(expression, data)
}

/// Like [`evaluate`], with the record of every operation that was evaluated.
pub fn evaluate_traced(
    expression: &Expression,
    data: &Value,
) -> (Result<Value, EvaluationError>, Trace) {
    traced(|run| run.value(expression, data))
}

/// Whether `expression` is truthy on `data`; neither truthy nor falsy is an error.
pub(crate) fn is_truthy(expression: &Expression, data: &Value) -> Result<bool, EvaluationError> {
    Run { budget: STEPS_MAX, recorder: None }.truth(expression, data)
}

/// Like [`is_truthy`], with the record of every operation that was evaluated.
pub(crate) fn is_truthy_traced(
    expression: &Expression,
    data: &Value,
) -> (Result<bool, EvaluationError>, Trace) {
    traced(|run| run.truth(expression, data))
}

/// Whether `expression` is truthy on a pass; with `trace`, also the record.
pub(crate) fn is_truthy_on(
    expression: &Expression,
    pass: Pass<'_>,
    trace: bool,
) -> (Result<bool, EvaluationError>, Option<Trace>) {
    let mut run = Run { budget: STEPS_MAX, recorder: trace.then(Recorder::default) };
    let item = run.evaluate(&expression.node, &Context::Pass(pass));
    let result = item.and_then(|item| truth(&item, ""));
    (result, run.recorder.map(|it| it.trace))
}

fn traced<T>(evaluate: impl FnOnce(&mut Run) -> T) -> (T, Trace) {
    let mut run = Run { budget: STEPS_MAX, recorder: Some(Recorder::default()) };
    let result = evaluate(&mut run);
    (result, run.recorder.unwrap_or_default().trace)
}

/// What `var` reads from.
enum Context<'a, 'c> {
    Data(&'a Value),
    /// A pass and what is asked about it, without copying them into one value.
    Pass(Pass<'a>),
    /// Inside the lambda of a `reduce`.
    Lambda {
        accumulator: &'c Item<'a>,
        current: &'c Item<'a>,
        /// Reached as `data`, the extension that the specification reserves for it (and its test
        /// suite describes as "patched reduce"): without it no rule could compare the items of a
        /// list with the date of today.
        outer: &'c Context<'a, 'c>,
    },
}

/// The data of a pass's rule: `{"payload": …, "external": {…, "valueSets": …}}`, kept apart because
/// value sets are large and the same for all passes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pass<'a> {
    pub(crate) payload: &'a Value,
    /// An object without `valueSets`.
    pub(crate) external: &'a Map<String, Value>,
    pub(crate) value_sets: &'a Value,
}

const PAYLOAD: &str = "payload";
const EXTERNAL: &str = "external";
const VALUE_SETS: &str = "valueSets";

impl<'a> Pass<'a> {
    fn read(&self, fragments: &[Fragment]) -> Item<'a> {
        let Some((first, rest)) = fragments.split_first() else {
            return Item::Fields(vec![
                (PAYLOAD, Item::of(self.payload)),
                (EXTERNAL, self.whole_external()),
            ]);
        };
        match (first.name.as_str(), rest.split_first()) {
            (PAYLOAD, _) => read_value(self.payload, rest),
            (EXTERNAL, None) => self.whole_external(),
            (EXTERNAL, Some((second, rest))) if second.name == VALUE_SETS => {
                read_value(self.value_sets, rest)
            }
            (EXTERNAL, Some((second, rest))) => {
                self.external.get(&second.name).map_or(Item::Null, |value| read_value(value, rest))
            }
            _ => Item::Null,
        }
    }

    fn whole_external(&self) -> Item<'a> {
        let fields = self.external.iter().map(|(name, value)| (name.as_str(), Item::of(value)));
        Item::Fields(fields.chain([(VALUE_SETS, Item::of(self.value_sets))]).collect())
    }
}

struct Run {
    budget: usize,
    recorder: Option<Recorder>,
}

type Evaluated<'a> = Result<Item<'a>, EvaluationError>;

fn truth(item: &Item<'_>, pointer: &str) -> Result<bool, EvaluationError> {
    item.truth().ok_or_else(|| EvaluationError::new(pointer, EvaluationCode::NotABoolean))
}

impl Run {
    fn truth(&mut self, expression: &Expression, data: &Value) -> Result<bool, EvaluationError> {
        let item = self.evaluate(&expression.node, &Context::Data(data))?;
        truth(&item, "")
    }

    fn value(&mut self, expression: &Expression, data: &Value) -> Result<Value, EvaluationError> {
        let item = self.evaluate(&expression.node, &Context::Data(data))?;
        item.to_value(&mut self.budget, 0).map_err(|code| EvaluationError::new("", code))
    }

    /// Recursion follows the expression, whose depth was bounded when it was parsed.
    fn evaluate<'a>(&mut self, node: &'a Node, context: &Context<'a, '_>) -> Evaluated<'a> {
        let item = match node {
            Node::Operation(applied) => return self.apply(applied, context),
            Node::List(list) => {
                self.spend(list.items.len(), &list.pointer)?;
                let begin = self.recorder.as_ref().map_or(0, Recorder::begin);
                let items = list.items.iter().map(|node| self.evaluate(node, context));
                let item = Item::List(items.collect::<Result<_, _>>()?);
                if let Some(recorder) = &mut self.recorder {
                    recorder.list(begin, &item);
                }
                return Ok(item);
            }
            Node::Bool(truth) => Item::Bool(*truth),
            Node::Integer(integer) => Item::Integer(*integer),
            Node::Text(text) => Item::Text(text),
            Node::ConstantList(value) => Item::Data(value),
        };
        self.record_operand(&item);
        Ok(item)
    }

    fn apply<'a>(&mut self, applied: &'a Applied, context: &Context<'a, '_>) -> Evaluated<'a> {
        self.spend(1, &applied.pointer)?;
        let begin = self.recorder.as_ref().map_or(0, Recorder::begin);
        let item = self.operate(applied, context)?;
        if let Some(recorder) = &mut self.recorder {
            recorder.operation(begin, &applied.pointer, applied.operation, &item);
        }
        Ok(item)
    }

    fn operate<'a>(&mut self, applied: &'a Applied, context: &Context<'a, '_>) -> Evaluated<'a> {
        let pointer = applied.pointer.as_str();
        let refuse = |code| EvaluationError::new(pointer, code);
        match &applied.operands {
            Operands::Var(path) => {
                self.record_operand(&Item::Text(&path.text));
                self.read(path, context).map_err(refuse)
            }
            Operands::If { guard, then, otherwise } => {
                let guard = self.evaluate(guard, context)?;
                let branch = if truth(&guard, pointer)? { then } else { otherwise };
                self.evaluate(branch, context)
            }
            Operands::And(operands) => {
                self.spend(operands.len(), pointer)?;
                let mut last = Item::Bool(true);
                for operand in operands {
                    last = self.evaluate(operand, context)?;
                    if !truth(&last, pointer)? {
                        break;
                    }
                }
                Ok(last)
            }
            Operands::Equal([left, right]) => {
                let left = self.evaluate(left, context)?;
                let right = self.evaluate(right, context)?;
                left.equals(&right, &mut self.budget).map(Item::Bool).map_err(refuse)
            }
            Operands::In([member, list]) => {
                let member = self.evaluate(member, context)?;
                let list = self.evaluate(list, context)?;
                self.is_member(&member, &list, pointer).map(Item::Bool)
            }
            Operands::Plus([left, right]) => {
                let left = self.evaluate(left, context)?;
                let right = self.evaluate(right, context)?;
                let (Item::Integer(left), Item::Integer(right)) = (left, right) else {
                    return Err(refuse(EvaluationCode::NotAnInteger));
                };
                // Both are within 2^53, so their sum cannot overflow.
                let sum = left + right;
                if sum.abs() > INTEGER_MAX {
                    return Err(refuse(EvaluationCode::NumberOutOfRange));
                }
                Ok(Item::Integer(sum))
            }
            Operands::CompareIntegers(relation, operands) => {
                self.compare(*relation, operands, context, |item| match item {
                    Item::Integer(integer) => Ok(integer),
                    _ => Err(refuse(EvaluationCode::NotAnInteger)),
                })
            }
            Operands::CompareDateTimes(relation, operands) => {
                self.compare(*relation, operands, context, |item| match item {
                    Item::DateTime(date_time) => Ok(date_time),
                    _ => Err(refuse(EvaluationCode::NotADateTime)),
                })
            }
            Operands::Not(operand) => {
                let item = self.evaluate(operand, context)?;
                Ok(Item::Bool(!truth(&item, pointer)?))
            }
            Operands::PlusTime { date, amount, unit } => {
                let Item::Text(text) = self.evaluate(date, context)? else {
                    return Err(refuse(EvaluationCode::NotAText));
                };
                self.record_operand(&Item::Integer(*amount));
                self.record_operand(&Item::Text(unit.as_str()));
                let read = DateTime::parse(text).ok_or_else(|| refuse(EvaluationCode::NotADate))?;
                let sum = read.plus(*amount, *unit);
                sum.map(Item::DateTime).ok_or_else(|| refuse(EvaluationCode::DateOutOfRange))
            }
            Operands::Reduce { over, lambda, initial } => {
                let over = self.evaluate(over, context)?;
                let initial = self.evaluate(initial, context)?;
                self.reduce(over, lambda, initial, context, pointer)
            }
            Operands::ExtractFromUvci { identifier, index } => {
                let identifier = match self.evaluate(identifier, context)? {
                    Item::Text(text) => Some(text),
                    Item::Null => None,
                    _ => return Err(refuse(EvaluationCode::NotAText)),
                };
                self.record_operand(&Item::Integer(*index));
                Ok(identifier
                    .and_then(|text| identifier_fragment(text, *index))
                    .map_or(Item::Null, Item::Text))
            }
            Operands::DccDateOfBirth(date) => {
                let Item::Text(text) = self.evaluate(date, context)? else {
                    return Err(refuse(EvaluationCode::NotAText));
                };
                let read = DateTime::parse_date_of_birth(text);
                read.map(Item::DateTime).ok_or_else(|| refuse(EvaluationCode::NotADate))
            }
        }
    }

    fn read<'a>(
        &mut self,
        path: &Path,
        context: &Context<'a, '_>,
    ) -> Result<Item<'a>, EvaluationCode> {
        let mut context = context;
        let mut fragments = path.fragments.as_slice();
        loop {
            let (accumulator, current, outer) = match context {
                Context::Data(data) => return Ok(read_value(data, fragments)),
                Context::Pass(pass) => return Ok(pass.read(fragments)),
                Context::Lambda { accumulator, current, outer } => (accumulator, current, outer),
            };
            let Some((fragment, rest)) = fragments.split_first() else {
                // The whole context of a lambda: the two keys that the specification gives it.
                let accumulator = accumulator.copy(&mut self.budget, 1)?;
                let current = current.copy(&mut self.budget, 1)?;
                return Ok(Item::Fields(vec![("accumulator", accumulator), ("current", current)]));
            };
            match fragment.name.as_str() {
                "accumulator" => return accumulator.read(rest, &mut self.budget),
                "current" => return current.read(rest, &mut self.budget),
                "data" => {
                    context = outer;
                    fragments = rest;
                }
                _ => return Ok(Item::Null),
            }
        }
    }

    fn is_member(
        &mut self,
        member: &Item<'_>,
        list: &Item<'_>,
        pointer: &str,
    ) -> Result<bool, EvaluationError> {
        let refuse = |code| EvaluationError::new(pointer, code);
        match list {
            Item::Data(Value::Array(values)) => {
                self.spend(values.len(), pointer)?;
                for value in values {
                    if member.equals(&Item::of(value), &mut self.budget).map_err(refuse)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Item::List(items) => {
                self.spend(items.len(), pointer)?;
                for item in items {
                    if member.equals(item, &mut self.budget).map_err(refuse)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            _ => Err(refuse(EvaluationCode::NotAnArray)),
        }
    }

    /// Every operand is evaluated, also behind a pair that does not hold: the ternary form is one
    /// operation, not a lazy `and`.
    fn compare<'a, T: Ord>(
        &mut self,
        relation: Relation,
        operands: &'a [Node],
        context: &Context<'a, '_>,
        read: impl Fn(Item<'a>) -> Result<T, EvaluationError>,
    ) -> Evaluated<'a> {
        let mut left: Option<T> = None;
        let mut holds = true;
        for operand in operands {
            let right = read(self.evaluate(operand, context)?)?;
            holds &= left.is_none_or(|left| relation.holds(&left, &right));
            left = Some(right);
        }
        Ok(Item::Bool(holds))
    }

    fn reduce<'a>(
        &mut self,
        over: Item<'a>,
        lambda: &'a Node,
        initial: Item<'a>,
        context: &Context<'a, '_>,
        pointer: &str,
    ) -> Evaluated<'a> {
        let mut accumulator = initial;
        match over {
            Item::Null => {}
            Item::Data(Value::Array(values)) => {
                self.spend(values.len(), pointer)?;
                for value in values {
                    accumulator = self.fold(&accumulator, &Item::of(value), lambda, context)?;
                }
            }
            Item::List(items) => {
                self.spend(items.len(), pointer)?;
                for item in &items {
                    accumulator = self.fold(&accumulator, item, lambda, context)?;
                }
            }
            _ => return Err(EvaluationError::new(pointer, EvaluationCode::NotAnArray)),
        }
        Ok(accumulator)
    }

    fn fold<'a>(
        &mut self,
        accumulator: &Item<'a>,
        current: &Item<'a>,
        lambda: &'a Node,
        outer: &Context<'a, '_>,
    ) -> Evaluated<'a> {
        self.evaluate(lambda, &Context::Lambda { accumulator, current, outer })
    }

    fn spend(&mut self, steps: usize, pointer: &str) -> Result<(), EvaluationError> {
        match self.budget.checked_sub(steps) {
            Some(rest) => {
                self.budget = rest;
                Ok(())
            }
            None => Err(EvaluationError::new(pointer, EvaluationCode::TooManySteps)),
        }
    }

    fn record_operand(&mut self, item: &Item<'_>) {
        if let Some(recorder) = &mut self.recorder {
            recorder.operand(item);
        }
    }
}

/// The fragment with this index, counted behind the optional prefix.
fn identifier_fragment(text: &str, index: i64) -> Option<&str> {
    let index = usize::try_from(index).ok()?;
    text.strip_prefix(IDENTIFIER_PREFIX).unwrap_or(text).split(['/', '#', ':']).nth(index)
}
