//! The check that every rule passes when it is imported, and its compilation in the same walk.
//!
//! What can be known without data is refused here, in front of the person who wrote the rule,
//! instead of at midnight in front of a citizen.

use crate::date_time::Unit;
use crate::expression::{
    Applied, Expression, Fragment, List, Node, Operands, Operation, Path, Relation,
};
use crate::invalid::{Invalid, InvalidCode};
use crate::item::safe_integer;
use serde_json::Value;

/// How deep expressions may be nested in each other.
///
/// Each costs two levels of JSON, and serde_json reads 127: a deeper rule could be put on the log
/// inside its event and never be read back.
pub const DEPTH_MAX: usize = 48;
/// How many values (literals, arrays and operations together) one rule may have.
pub const NODES_MAX: usize = 10_000;
/// The longest literal text of a rule, in bytes.
pub const TEXT_MAX: usize = 4_096;
/// The longest `var` path, in bytes.
pub const PATH_MAX: usize = 512;

impl Expression {
    /// Checks and compiles a rule. The first finding is returned, in reading order.
    pub fn parse(source: &Value) -> Result<Self, Invalid> {
        let node = Parser { nodes: 0, pointer: String::new() }.expression(source, 0)?;
        // Cloned after the check: from here on its depth and size are known to be bounded.
        Ok(Self { source: source.clone(), node })
    }
}

struct Parser {
    nodes: usize,
    /// Where the walk stands.
    pointer: String,
}

impl Parser {
    fn invalid<T>(&self, code: InvalidCode, message: impl Into<String>) -> Result<T, Invalid> {
        Err(Invalid::new(&self.pointer, code, message))
    }

    /// Walks into `segment`. Operators and indices need no escaping by RFC 6901.
    fn within<T>(
        &mut self,
        segment: &str,
        walk: impl FnOnce(&mut Self) -> Result<T, Invalid>,
    ) -> Result<T, Invalid> {
        let length = self.pointer.len();
        self.pointer.push('/');
        self.pointer.push_str(segment);
        let walked = walk(self)?;
        self.pointer.truncate(length);
        Ok(walked)
    }

    fn expression(&mut self, value: &Value, depth: usize) -> Result<Node, Invalid> {
        if depth >= DEPTH_MAX {
            return self.invalid(
                InvalidCode::TooDeep,
                format!("expressions may be nested {DEPTH_MAX} deep"),
            );
        }
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            return self.invalid(
                InvalidCode::TooLarge,
                format!("an expression may have {NODES_MAX} values"),
            );
        }
        match value {
            Value::Null => {
                self.invalid(InvalidCode::NotAnExpression, "invalid CertLogic expression")
            }
            Value::Bool(truth) => Ok(Node::Bool(*truth)),
            Value::Number(_) => self.integer(value).map(Node::Integer),
            Value::String(text) if text.len() > TEXT_MAX => {
                self.invalid(InvalidCode::TooLarge, format!("a literal may have {TEXT_MAX} bytes"))
            }
            Value::String(text) => Ok(Node::Text(text.clone())),
            Value::Array(items) => self.list(value, items, depth),
            Value::Object(_) => self.operation(value, depth),
        }
    }

    fn integer(&self, value: &Value) -> Result<i64, Invalid> {
        let Value::Number(number) = value else {
            return self.invalid(InvalidCode::NotAnInteger, "not an integer");
        };
        match safe_integer(number) {
            Some(integer) => Ok(integer),
            None if number.as_f64().is_some_and(|it| it.fract() == 0.0) => self.invalid(
                InvalidCode::NumberOutOfRange,
                format!("{number} is not between -(2^53 - 1) and 2^53 - 1"),
            ),
            None => {
                self.invalid(InvalidCode::NotAnInteger, format!("{number} is a non-integer number"))
            }
        }
    }

    fn list(&mut self, value: &Value, items: &[Value], depth: usize) -> Result<Node, Invalid> {
        let nodes = self.items(items, depth + 1)?;
        let is_constant =
            nodes.iter().all(|node| !matches!(node, Node::List(_) | Node::Operation(_)));
        Ok(if is_constant {
            Node::ConstantList(value.clone())
        } else {
            Node::List(Box::new(List { pointer: self.pointer.clone(), items: nodes }))
        })
    }

    fn operation(&mut self, value: &Value, depth: usize) -> Result<Node, Invalid> {
        let object = value.as_object().into_iter().flatten();
        let count = object.clone().count();
        let (Some((name, value)), 1) = (object.into_iter().next(), count) else {
            return self.invalid(
                InvalidCode::NotOneOperator,
                format!("expression object must have exactly one key, but it has {count}"),
            );
        };
        let pointer = self.pointer.clone();
        if name == Operation::Var.as_str() {
            let operands = Operands::Var(self.path(value)?);
            let applied = Applied { pointer, operation: Operation::Var, operands };
            return Ok(Node::Operation(Box::new(applied)));
        }
        let Value::Array(values) = value else {
            return self.invalid(
                InvalidCode::MalformedOperation,
                "operation not of the form { \"<operator>\": [ <values...> ] }",
            );
        };
        let Some(operation) = Operation::parse(name) else {
            return self.invalid(
                InvalidCode::UnknownOperator,
                format!("unrecognised operator: {}", Value::from(name.as_str())),
            );
        };
        let applied =
            self.within(name, |parser| parser.operands_of(operation, values, depth + 1))?;
        let Some(operands) = applied else {
            return self.invalid(
                InvalidCode::WrongOperandCount,
                format!(
                    "an operation with operator \"{name}\" must have {} operands, but it has {}",
                    operand_count(operation),
                    values.len()
                ),
            );
        };
        Ok(Node::Operation(Box::new(Applied { pointer, operation, operands })))
    }

    /// Compiles the operands of every operation but `var`; `None` when their number is wrong.
    fn operands_of(
        &mut self,
        operation: Operation,
        values: &[Value],
        depth: usize,
    ) -> Result<Option<Operands>, Invalid> {
        Ok(Some(match (operation, values) {
            (Operation::If, [guard, then, otherwise]) => Operands::If {
                guard: self.item(0, guard, depth)?,
                then: self.item(1, then, depth)?,
                otherwise: self.item(2, otherwise, depth)?,
            },
            (Operation::And, [_, _, ..]) => Operands::And(self.items(values, depth)?),
            (Operation::Equal, [left, right]) => Operands::Equal(self.pair(left, right, depth)?),
            (Operation::In, [member, list]) => Operands::In(self.pair(member, list, depth)?),
            (Operation::Plus, [left, right]) => Operands::Plus(self.pair(left, right, depth)?),
            (Operation::Not, [operand]) => Operands::Not(self.item(0, operand, depth)?),
            (Operation::PlusTime, [date, amount, unit]) => Operands::PlusTime {
                date: self.item(0, date, depth)?,
                amount: self.within("1", |parser| parser.integer(amount))?,
                unit: self.within("2", |parser| parser.unit(unit))?,
            },
            (Operation::Reduce, [over, lambda, initial]) => Operands::Reduce {
                over: self.item(0, over, depth)?,
                lambda: self.item(1, lambda, depth)?,
                initial: self.item(2, initial, depth)?,
            },
            (Operation::ExtractFromUvci, [identifier, index]) => Operands::ExtractFromUvci {
                identifier: self.item(0, identifier, depth)?,
                index: self.within("1", |parser| parser.integer(index))?,
            },
            (Operation::DccDateOfBirth, [date]) => {
                Operands::DccDateOfBirth(self.item(0, date, depth)?)
            }
            (_, [_, _] | [_, _, _]) => match comparison(operation) {
                Some((relation, Compared::Integers)) => {
                    Operands::CompareIntegers(relation, self.items(values, depth)?)
                }
                Some((relation, Compared::DateTimes)) => {
                    Operands::CompareDateTimes(relation, self.items(values, depth)?)
                }
                None => return Ok(None),
            },
            _ => return Ok(None),
        }))
    }

    fn pair(&mut self, left: &Value, right: &Value, depth: usize) -> Result<[Node; 2], Invalid> {
        Ok([self.item(0, left, depth)?, self.item(1, right, depth)?])
    }

    fn items(&mut self, values: &[Value], depth: usize) -> Result<Vec<Node>, Invalid> {
        values.iter().enumerate().map(|(index, value)| self.item(index, value, depth)).collect()
    }

    fn item(&mut self, index: usize, value: &Value, depth: usize) -> Result<Node, Invalid> {
        self.within(&index.to_string(), |parser| parser.expression(value, depth))
    }

    fn unit(&self, value: &Value) -> Result<Unit, Invalid> {
        match value.as_str().and_then(Unit::parse) {
            Some(unit) => Ok(unit),
            None => self.invalid(
                InvalidCode::MalformedOperand,
                format!("a time unit must be one of {}", Unit::NAMES.join(", ")),
            ),
        }
    }

    fn path(&self, value: &Value) -> Result<Path, Invalid> {
        let Value::String(text) = value else {
            return self.invalid(
                InvalidCode::MalformedOperation,
                "not of the form { \"var\": \"<path>\" }",
            );
        };
        if text.len() > PATH_MAX {
            return self
                .invalid(InvalidCode::TooLarge, format!("a path may have {PATH_MAX} bytes"));
        }
        if text.is_empty() {
            return Ok(Path { text: String::new(), fragments: Vec::new() });
        }
        if text.split('.').any(str::is_empty) {
            return self.invalid(
                InvalidCode::MalformedPath,
                format!("data access path doesn't have a valid format: {text}"),
            );
        }
        let fragments = text.split('.').map(|name| Fragment {
            name: name.to_owned(),
            // Digits only: `+1` parses as a number in Rust, but it is a key here.
            index: if name.bytes().all(|byte| byte.is_ascii_digit()) {
                name.parse().ok()
            } else {
                None
            },
        });
        Ok(Path { text: text.clone(), fragments: fragments.collect() })
    }
}

enum Compared {
    Integers,
    DateTimes,
}

const fn comparison(operation: Operation) -> Option<(Relation, Compared)> {
    Some(match operation {
        Operation::Greater => (Relation::Greater, Compared::Integers),
        Operation::Less => (Relation::Less, Compared::Integers),
        Operation::GreaterOrEqual => (Relation::GreaterOrEqual, Compared::Integers),
        Operation::LessOrEqual => (Relation::LessOrEqual, Compared::Integers),
        Operation::After => (Relation::Greater, Compared::DateTimes),
        Operation::Before => (Relation::Less, Compared::DateTimes),
        Operation::NotBefore => (Relation::GreaterOrEqual, Compared::DateTimes),
        Operation::NotAfter => (Relation::LessOrEqual, Compared::DateTimes),
        _ => return None,
    })
}

/// In words, for the author of a rule that has another number of them.
const fn operand_count(operation: Operation) -> &'static str {
    match operation {
        Operation::Var | Operation::Not | Operation::DccDateOfBirth => "exactly 1",
        Operation::Equal | Operation::In | Operation::Plus | Operation::ExtractFromUvci => {
            "exactly 2"
        }
        Operation::If | Operation::PlusTime | Operation::Reduce => "exactly 3",
        Operation::And => "at least 2",
        _ => "2 or 3",
    }
}
