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
        Self::compiled(source, Parser::walk(source, false))
    }

    /// Like [`Expression::parse`], but passes over operands beyond those that an operation has, where
    /// the reference evaluator (certlogic-js) never looks at them: published rules have them, such as
    /// the fourth of `if` in Malta's `VR-MT-0005`, and everybody's apps evaluate these rules.
    /// [`Expression::check`] names them.
    ///
    /// # Errors
    /// The first of the other findings, in reading order.
    pub fn parse_published(source: &Value) -> Result<Self, Invalid> {
        Self::compiled(source, Parser::walk(source, true))
    }

    fn compiled(source: &Value, (node, found): (Node, Vec<Invalid>)) -> Result<Self, Invalid> {
        match found.into_iter().next() {
            // Cloned after the check: from here on its depth and size are known to be bounded.
            None => Ok(Self { source: source.clone(), node }),
            Some(invalid) => Err(invalid),
        }
    }

    /// Everything that is wrong with a rule, in reading order; at most [`FINDINGS_MAX`].
    pub fn check(source: &Value) -> Vec<Invalid> {
        Parser::walk(source, false).1
    }
}

/// How many findings one check hands out.
pub const FINDINGS_MAX: usize = 100;

/// What stands in for a place that was refused; never evaluated.
const REFUSED: Node = Node::Bool(false);

struct Parser {
    /// Whether operands that the reference evaluator never looks at are passed over.
    is_published: bool,
    nodes: usize,
    /// Where the walk stands.
    pointer: String,
    found: Vec<Invalid>,
}

impl Parser {
    fn walk(source: &Value, is_published: bool) -> (Node, Vec<Invalid>) {
        let (pointer, found) = (String::new(), Vec::new());
        let mut parser = Self { is_published, nodes: 0, pointer, found };
        let node = parser.expression(source, 0);
        (node, parser.found)
    }

    fn refuse(&mut self, code: InvalidCode, message: impl Into<String>) {
        if self.found.len() < FINDINGS_MAX {
            self.found.push(Invalid::new(&self.pointer, code, message));
        }
    }

    fn refused(&mut self, code: InvalidCode, message: impl Into<String>) -> Node {
        self.refuse(code, message);
        REFUSED
    }

    /// Walks into `segment`. Operators and indices need no escaping by RFC 6901.
    fn within<T>(&mut self, segment: &str, walk: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.pointer.len();
        self.pointer.push('/');
        self.pointer.push_str(segment);
        let walked = walk(self);
        self.pointer.truncate(length);
        walked
    }

    fn expression(&mut self, value: &Value, depth: usize) -> Node {
        if depth >= DEPTH_MAX {
            let message = format!("expressions may be nested {DEPTH_MAX} deep");
            return self.refused(InvalidCode::TooDeep, message);
        }
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            // Said once: what is behind is not looked at.
            if self.nodes == NODES_MAX + 1 {
                let message = format!("an expression may have {NODES_MAX} values");
                self.refuse(InvalidCode::TooLarge, message);
            }
            return REFUSED;
        }
        match value {
            Value::Null => {
                self.refused(InvalidCode::NotAnExpression, "invalid CertLogic expression")
            }
            Value::Bool(truth) => Node::Bool(*truth),
            Value::Number(number) => safe_integer(number).map_or_else(
                || {
                    let code = not_an_integer(value);
                    let message = match code {
                        InvalidCode::NumberOutOfRange => {
                            format!("{number} is not between -(2^53 - 1) and 2^53 - 1")
                        }
                        _ => format!("{number} is a non-integer number"),
                    };
                    self.refused(code, message)
                },
                Node::Integer,
            ),
            Value::String(text) if text.len() > TEXT_MAX => {
                self.refused(InvalidCode::TooLarge, format!("a literal may have {TEXT_MAX} bytes"))
            }
            Value::String(text) => Node::Text(text.clone()),
            Value::Array(items) => self.list(value, items, depth),
            Value::Object(_) => self.operation(value, depth),
        }
    }

    fn list(&mut self, value: &Value, items: &[Value], depth: usize) -> Node {
        let nodes = self.items(items, depth + 1);
        let is_constant =
            nodes.iter().all(|node| !matches!(node, Node::List(_) | Node::Operation(_)));
        if !is_constant {
            Node::List(Box::new(List { pointer: self.pointer.clone(), items: nodes }))
        } else if self.found.is_empty() {
            Node::ConstantList(value.clone())
        } else {
            REFUSED
        }
    }

    fn operation(&mut self, value: &Value, depth: usize) -> Node {
        let object = value.as_object().into_iter().flatten();
        let count = object.clone().count();
        let (Some((name, value)), 1) = (object.into_iter().next(), count) else {
            return self.refused(
                InvalidCode::NotOneOperator,
                format!("expression object must have exactly one key, but it has {count}"),
            );
        };
        let pointer = self.pointer.clone();
        if name == Operation::Var.as_str() {
            return match Self::path(value) {
                Ok(path) => Node::Operation(Box::new(Applied {
                    pointer,
                    operation: Operation::Var,
                    operands: Operands::Var(path),
                })),
                Err((code, message)) => self.refused(code, message),
            };
        }
        let Value::Array(values) = value else {
            return self.refused(
                InvalidCode::MalformedOperation,
                "operation not of the form { \"<operator>\": [ <values...> ] }",
            );
        };
        let Some(operation) = Operation::parse(name) else {
            return self.refused(
                InvalidCode::UnknownOperator,
                format!("unrecognised operator: \"{name}\""),
            );
        };
        let (count, most) = (values.len(), operand_max(operation));
        let is_count = (operand_min(operation)..=most).contains(&count)
            || (self.is_published && most < count && passes_over_surplus(operation));
        if !is_count {
            self.refuse(InvalidCode::WrongOperandCount, wrong_count(operation, count));
        }
        // The operands that it should have are looked at all the same: one import, all mistakes.
        let known = if operation == Operation::Not && !is_count { 0 } else { most.min(count) };
        let values = values.get(..known).unwrap_or_default();
        let operands = self.within(name, |parser| parser.operands_of(operation, values, depth + 1));
        match operands {
            Some(operands) if is_count => {
                Node::Operation(Box::new(Applied { pointer, operation, operands }))
            }
            _ => REFUSED,
        }
    }

    /// Compiles the operands of every operation but `var`; `None` when they cannot be.
    fn operands_of(
        &mut self,
        operation: Operation,
        values: &[Value],
        depth: usize,
    ) -> Option<Operands> {
        match (operation, values) {
            (Operation::PlusTime, [date, literals @ ..]) => {
                let date = self.item(0, date, depth);
                let amount = literals.first().and_then(|amount| {
                    let what = "\"amount\" argument (#2) of \"plusTime\"";
                    self.within("1", |parser| parser.integer(amount, what))
                });
                let unit =
                    literals.get(1).and_then(|unit| self.within("2", |parser| parser.unit(unit)));
                return Some(Operands::PlusTime { date, amount: amount?, unit: unit? });
            }
            (Operation::ExtractFromUvci, [identifier, literals @ ..]) => {
                let identifier = self.item(0, identifier, depth);
                let index = literals.first().and_then(|index| {
                    let what = "\"index\" argument (#2) of \"extractFromUVCI\"";
                    self.within("1", |parser| parser.integer(index, what))
                });
                return Some(Operands::ExtractFromUvci { identifier, index: index? });
            }
            _ => {}
        }
        let nodes = self.items(values, depth);
        if let Some((relation, compared)) = comparison(operation) {
            return Some(match compared {
                Compared::Integers => Operands::CompareIntegers(relation, nodes),
                Compared::DateTimes => Operands::CompareDateTimes(relation, nodes),
            });
        }
        if operation == Operation::And {
            return Some(Operands::And(nodes));
        }
        let mut nodes = nodes.into_iter();
        let mut next = || nodes.next();
        Some(match operation {
            Operation::If => Operands::If { guard: next()?, then: next()?, otherwise: next()? },
            Operation::Equal => Operands::Equal([next()?, next()?]),
            Operation::In => Operands::In([next()?, next()?]),
            Operation::Plus => Operands::Plus([next()?, next()?]),
            Operation::Not => Operands::Not(next()?),
            Operation::Reduce => {
                Operands::Reduce { over: next()?, lambda: next()?, initial: next()? }
            }
            Operation::DccDateOfBirth => Operands::DccDateOfBirth(next()?),
            _ => return None,
        })
    }

    fn items(&mut self, values: &[Value], depth: usize) -> Vec<Node> {
        values.iter().enumerate().map(|(index, value)| self.item(index, value, depth)).collect()
    }

    fn item(&mut self, index: usize, value: &Value, depth: usize) -> Node {
        self.within(&index.to_string(), |parser| parser.expression(value, depth))
    }

    /// A literal integer, as `plusTime` and `extractFromUVCI` demand it.
    fn integer(&mut self, value: &Value, what: &str) -> Option<i64> {
        let integer = value.as_number().and_then(safe_integer);
        if integer.is_none() {
            let message = format!("{what} must be an integer, but it is: {}", plain(value));
            self.refuse(not_an_integer(value), message);
        }
        integer
    }

    fn unit(&mut self, value: &Value) -> Option<Unit> {
        let unit = value.as_str().and_then(Unit::parse);
        if unit.is_none() {
            let message = format!(
                "\"unit\" argument (#3) of \"plusTime\" must be a string equal to one of {}, but it is: {}",
                Unit::NAMES.join(", "),
                plain(value)
            );
            self.refuse(InvalidCode::MalformedOperand, message);
        }
        unit
    }

    fn path(value: &Value) -> Result<Path, (InvalidCode, String)> {
        let Value::String(text) = value else {
            let message = "not of the form { \"var\": \"<path>\" }";
            return Err((InvalidCode::MalformedOperation, message.to_owned()));
        };
        if text.len() > PATH_MAX {
            return Err((InvalidCode::TooLarge, format!("a path may have {PATH_MAX} bytes")));
        }
        if text.is_empty() {
            return Ok(Path { text: String::new(), fragments: Vec::new() });
        }
        if text.split('.').any(str::is_empty) {
            let message = format!("data access path doesn't have a valid format: {text}");
            return Err((InvalidCode::MalformedPath, message));
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

/// Why a value is no integer.
fn not_an_integer(value: &Value) -> InvalidCode {
    match value.as_f64() {
        Some(number) if number.fract() == 0.0 => InvalidCode::NumberOutOfRange,
        _ => InvalidCode::NotAnInteger,
    }
}

/// A value within a message: short, and a text without its quotes.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.chars().take(64).collect(),
        Value::Array(_) | Value::Object(_) => "a structure".to_owned(),
        scalar => scalar.to_string(),
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

const fn operand_min(operation: Operation) -> usize {
    match operation {
        Operation::Var | Operation::Not | Operation::DccDateOfBirth => 1,
        Operation::If | Operation::PlusTime | Operation::Reduce => 3,
        _ => 2,
    }
}

const fn operand_max(operation: Operation) -> usize {
    match operation {
        Operation::And => NODES_MAX,
        Operation::Equal | Operation::In | Operation::Plus | Operation::ExtractFromUvci => 2,
        Operation::Var | Operation::Not | Operation::DccDateOfBirth => 1,
        _ => 3,
    }
}

/// Whether the reference evaluator takes the operands that it needs and no notice of any behind them; of
/// the others it counts them.
const fn passes_over_surplus(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::If
            | Operation::Not
            | Operation::PlusTime
            | Operation::Reduce
            | Operation::ExtractFromUvci
            | Operation::DccDateOfBirth
    )
}

/// In the words of the reference validator.
fn wrong_count(operation: Operation, count: usize) -> String {
    let name = operation.as_str();
    match operation {
        Operation::If | Operation::PlusTime | Operation::Reduce => {
            let article = if operation == Operation::If { "an" } else { "a" };
            format!(
                "{article} \"{name}\"-operation must have exactly 3 values/operands, but it has {count}"
            )
        }
        Operation::And => {
            format!("an \"and\" operation must have at least 2 operands, but it has {count}")
        }
        Operation::Not => format!(
            "a !-operation (logical not/negation) must have exactly 1 operand, but it has {count}"
        ),
        Operation::ExtractFromUvci => format!(
            "an \"{name}\"-operation must have exactly 2 values/operands, but it has {count}"
        ),
        Operation::DccDateOfBirth => {
            format!("a \"{name}\"-operation must have exactly 1 value/operand, but it has {count}")
        }
        Operation::Equal | Operation::In | Operation::Plus | Operation::Var => format!(
            "an operation with operator \"{name}\" must have 2 operands, but it has {count}"
        ),
        _ => format!(
            "an operation with operator \"{name}\" must have 2 or 3 operands, but it has {count}"
        ),
    }
}
