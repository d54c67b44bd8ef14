//! Values during evaluation: what JSON has, and the date-times it has not.
//!
//! An item borrows from the rule and from the data for as long as it can; only what a rule itself
//! builds (arrays with operations in them, the record a `reduce` hands its lambda) is owned.

use crate::date_time::DateTime;
use crate::error::EvaluationCode;
use crate::expression::Fragment;
use serde_json::{Map, Number, Value};

/// The largest integer that every evaluator holds exactly: 2^53 - 1 (JavaScript's numbers).
pub(crate) const INTEGER_MAX: i64 = 9_007_199_254_740_991;
/// [`INTEGER_MAX`] as JSON numbers with an exponent or a point are held.
const INTEGER_MAX_FLOAT: f64 = 9_007_199_254_740_991.0;
/// How deep a value may be nested when the engine copies it: what serde_json's own parser reads.
pub(crate) const VALUE_DEPTH_MAX: usize = 128;

/// A value during evaluation.
#[derive(Debug)]
pub(crate) enum Item<'a> {
    Null,
    Bool(bool),
    Integer(i64),
    Text(&'a str),
    DateTime(DateTime),
    /// An array, an object, or a number that is not an exact integer; never another scalar.
    Data(&'a Value),
    List(Vec<Item<'a>>),
    /// An object that no data hold: the whole context of a lambda, or of a pass whose parts are
    /// kept apart. A rule itself cannot build one. Never empty.
    Fields(Vec<(&'a str, Item<'a>)>),
}

/// The number as an integer, when every evaluator holds it exactly. `42.0` and `4.2e1` are 42, as
/// in JavaScript, because JSON does not tell them apart.
pub(crate) fn safe_integer(number: &Number) -> Option<i64> {
    if let Some(integer) = number.as_i64() {
        return (-INTEGER_MAX..=INTEGER_MAX).contains(&integer).then_some(integer);
    }
    let float = number.as_f64()?;
    if float.fract() != 0.0 || float.abs() > INTEGER_MAX_FLOAT {
        return None;
    }
    // Exact, without an `as` conversion; rare enough for the detour through text.
    format!("{float:.0}").parse().ok()
}

impl<'a> Item<'a> {
    pub(crate) fn of(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(truth) => Self::Bool(*truth),
            Value::Number(number) => safe_integer(number).map_or(Self::Data(value), Self::Integer),
            Value::String(text) => Self::Text(text),
            Value::Array(_) | Value::Object(_) => Self::Data(value),
        }
    }

    /// Truthy, falsy, or (`None`) neither: date-times and numbers that are not exact integers.
    pub(crate) fn truth(&self) -> Option<bool> {
        match self {
            Self::Null => Some(false),
            Self::Bool(truth) => Some(*truth),
            Self::Integer(integer) => Some(*integer != 0),
            Self::Text(text) => Some(!text.is_empty()),
            Self::List(items) => Some(!items.is_empty()),
            Self::Fields(fields) => Some(!fields.is_empty()),
            Self::Data(Value::Array(values)) => Some(!values.is_empty()),
            Self::Data(Value::Object(fields)) => Some(!fields.is_empty()),
            Self::Data(_) | Self::DateTime(_) => None,
        }
    }

    const fn is_scalar(&self) -> bool {
        matches!(self, Self::Null | Self::Bool(_) | Self::Integer(_) | Self::Text(_))
    }

    /// Equality without coercion.
    ///
    /// Two structures that differ, and two date-times that differ, are unequal for every evaluator.
    /// Where they are the same, one evaluator compares identities and another contents: that is
    /// [`EvaluationCode::NotComparable`].
    pub(crate) fn equals(&self, other: &Self, budget: &mut usize) -> Result<bool, EvaluationCode> {
        match (self, other) {
            (Self::Null, Self::Null) => Ok(true),
            (Self::Bool(left), Self::Bool(right)) => Ok(left == right),
            (Self::Integer(left), Self::Integer(right)) => Ok(left == right),
            (Self::Text(left), Self::Text(right)) => Ok(left == right),
            _ if self.is_scalar() || other.is_scalar() => Ok(false),
            // As `===` of JavaScript: both are what a double holds.
            (Self::Data(Value::Number(left)), Self::Data(Value::Number(right))) => {
                Ok(left.as_f64() == right.as_f64())
            }
            (Self::DateTime(left), Self::DateTime(right)) if left != right => Ok(false),
            (Self::DateTime(_), Self::DateTime(_)) => Err(EvaluationCode::NotComparable),
            (Self::DateTime(_), _) | (_, Self::DateTime(_)) => Ok(false),
            _ => {
                if self.to_value(budget, 0)? == other.to_value(budget, 0)? {
                    Err(EvaluationCode::NotComparable)
                } else {
                    Ok(false)
                }
            }
        }
    }

    /// Copies, taking one from `budget` for every value, so that a lambda which doubles its
    /// accumulator is stopped before memory is gone.
    pub(crate) fn copy(&self, budget: &mut usize, depth: usize) -> Result<Self, EvaluationCode> {
        take(budget, depth)?;
        Ok(match self {
            Self::Null => Self::Null,
            Self::Bool(truth) => Self::Bool(*truth),
            Self::Integer(integer) => Self::Integer(*integer),
            Self::Text(text) => Self::Text(text),
            Self::DateTime(date_time) => Self::DateTime(*date_time),
            Self::Data(value) => Self::Data(value),
            Self::List(items) => {
                let copies = items.iter().map(|item| item.copy(budget, depth + 1));
                Self::List(copies.collect::<Result<_, _>>()?)
            }
            Self::Fields(fields) => {
                let copies =
                    fields.iter().map(|(name, item)| Ok((*name, item.copy(budget, depth + 1)?)));
                Self::Fields(copies.collect::<Result<_, _>>()?)
            }
        })
    }

    /// As JSON; a date-time becomes `YYYY-MM-DDThh:mm:ss.sssZ`.
    pub(crate) fn to_value(
        &self,
        budget: &mut usize,
        depth: usize,
    ) -> Result<Value, EvaluationCode> {
        take(budget, depth)?;
        Ok(match self {
            Self::Data(value) => return copy_value(value, budget, depth),
            Self::Null => Value::Null,
            Self::Bool(truth) => Value::Bool(*truth),
            Self::Integer(integer) => Value::from(*integer),
            Self::Text(text) => Value::from(*text),
            Self::DateTime(date_time) => Value::from(date_time.to_string()),
            Self::List(items) => {
                let values = items.iter().map(|item| item.to_value(budget, depth + 1));
                Value::Array(values.collect::<Result<_, _>>()?)
            }
            Self::Fields(fields) => {
                let mut object = Map::new();
                for (name, item) in fields {
                    object.insert((*name).to_owned(), item.to_value(budget, depth + 1)?);
                }
                Value::Object(object)
            }
        })
    }

    /// Follows a path from here; what is not there is `null`.
    pub(crate) fn read(
        &self,
        fragments: &[Fragment],
        budget: &mut usize,
    ) -> Result<Self, EvaluationCode> {
        let mut item = self;
        let mut rest = fragments;
        while let Some((fragment, behind)) = rest.split_first() {
            let inner = match item {
                Self::Data(value) => return Ok(read_value(value, rest)),
                Self::List(items) => fragment.index.and_then(|index| items.get(index)),
                Self::Fields(fields) => {
                    fields.iter().find(|(name, _)| *name == fragment.name).map(|(_, item)| item)
                }
                _ => None,
            };
            let Some(inner) = inner else {
                return Ok(Self::Null);
            };
            item = inner;
            rest = behind;
        }
        item.copy(budget, 0)
    }
}

/// Follows a path through data; what is not there is `null`. Only arrays are indexed: a text has
/// no `0` and no `length` here.
pub(crate) fn read_value<'a>(data: &'a Value, fragments: &[Fragment]) -> Item<'a> {
    let mut value = data;
    for fragment in fragments {
        let inner = match value {
            Value::Object(fields) => fields.get(&fragment.name),
            Value::Array(values) => fragment.index.and_then(|index| values.get(index)),
            _ => None,
        };
        let Some(inner) = inner else {
            return Item::Null;
        };
        value = inner;
    }
    Item::of(value)
}

/// Clones data within a budget: data come from outside and may be nested deeper than a stack.
pub(crate) fn copy_value(
    value: &Value,
    budget: &mut usize,
    depth: usize,
) -> Result<Value, EvaluationCode> {
    take(budget, depth)?;
    Ok(match value {
        Value::Array(values) => {
            let copies = values.iter().map(|value| copy_value(value, budget, depth + 1));
            Value::Array(copies.collect::<Result<_, _>>()?)
        }
        Value::Object(fields) => {
            let mut copies = Map::new();
            for (name, value) in fields {
                copies.insert(name.clone(), copy_value(value, budget, depth + 1)?);
            }
            Value::Object(copies)
        }
        scalar => scalar.clone(),
    })
}

fn take(budget: &mut usize, depth: usize) -> Result<(), EvaluationCode> {
    if depth >= VALUE_DEPTH_MAX {
        return Err(EvaluationCode::TooDeep);
    }
    *budget = budget.checked_sub(1).ok_or(EvaluationCode::TooManySteps)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn truthy_and_falsy_are_narrower_than_anywhere_else() {
        for truthy in
            [json!(true), json!("foo"), json!(42), json!(-1), json!([null]), json!({"a": null})]
        {
            assert_eq!(Item::of(&truthy).truth(), Some(true), "{truthy}");
        }
        for falsy in
            [json!(null), json!(false), json!(""), json!(0), json!(-0.0), json!([]), json!({})]
        {
            assert_eq!(Item::of(&falsy).truth(), Some(false), "{falsy}");
        }
        for neither in [json!(36.6), json!(0.5), json!(1e300), json!(u64::MAX)] {
            assert_eq!(Item::of(&neither).truth(), None, "{neither}");
        }
        assert_eq!(DateTime::parse("2021").map(|it| Item::DateTime(it).truth()), Some(None));
    }

    #[test]
    fn integers_are_those_that_javascript_holds_exactly() {
        let read = |text: &str| safe_integer(&serde_json::from_str::<Number>(text).unwrap());
        assert_eq!(read("42.0"), Some(42));
        assert_eq!(read("-4.2e1"), Some(-42));
        assert_eq!(read("-0.0"), Some(0));
        assert_eq!(read("9007199254740991"), Some(INTEGER_MAX));
        assert_eq!(read("9007199254740991.0"), Some(INTEGER_MAX));
        assert_eq!(read("9007199254740992"), None);
        assert_eq!(read("-9007199254740992"), None);
        assert_eq!(read("1e16"), None);
        assert_eq!(read("0.5"), None);
    }

    #[test]
    fn values_of_different_types_are_never_equal() {
        let equal =
            |left: &Value, right: &Value| Item::of(left).equals(&Item::of(right), &mut 1_000);
        let values = [json!(null), json!(false), json!(0), json!(""), json!("0")];
        for (at, left) in values.iter().enumerate() {
            for (other, right) in values.iter().enumerate() {
                assert_eq!(equal(left, right), Ok(at == other));
            }
            assert_eq!(equal(left, &json!([])), Ok(false));
            assert_eq!(equal(&json!(0.5), left), Ok(false));
        }
        assert_eq!(equal(&json!(0.5), &json!(0.5)), Ok(true));
        assert_eq!(equal(&json!(0.5), &json!(0.25)), Ok(false));
        assert_eq!(equal(&json!([]), &json!({})), Ok(false));
        assert_eq!(equal(&json!([1, [2]]), &json!([1, [3]])), Ok(false));
        assert_eq!(equal(&json!([1, [2]]), &json!([1, [2]])), Err(EvaluationCode::NotComparable));
    }
}
