//! A checked and compiled CertLogic expression.
//!
//! The source is kept beside the compiled form: what was put on the log is what is written out
//! again, to the byte, and evaluation never has to look at JSON objects.

use crate::date_time::Unit;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::Value;

/// A CertLogic expression that passed [`Expression::parse`].
///
/// Its JSON form is the source it was parsed from; two expressions are equal when those are.
#[derive(Debug, Clone)]
pub struct Expression {
    pub(crate) source: Value,
    pub(crate) node: Node,
}

impl Expression {
    /// The JSON value this was parsed from.
    pub fn source(&self) -> &Value {
        &self.source
    }

    /// The `var` paths that are read from the data, each once, in reading order. Those within the
    /// lambda of a `reduce` are read from its own context and are not among them.
    pub fn paths(&self) -> Vec<&str> {
        let mut paths = Vec::new();
        self.node.paths(&mut paths);
        paths
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Expression {}

impl Serialize for Expression {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.source.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Expression {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// CertLogic's operations, by the names they have in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Operation {
    /// Reads from the data.
    #[serde(rename = "var")]
    Var,
    /// Evaluates one of two branches.
    #[serde(rename = "if")]
    If,
    /// The first falsy operand, or the last one.
    #[serde(rename = "and")]
    And,
    /// Equality without coercion.
    #[serde(rename = "===")]
    Equal,
    /// Membership in an array.
    #[serde(rename = "in")]
    In,
    /// Sum of two integers.
    #[serde(rename = "+")]
    Plus,
    /// Integers, strictly falling.
    #[serde(rename = ">")]
    Greater,
    /// Integers, strictly rising.
    #[serde(rename = "<")]
    Less,
    /// Integers, nowhere rising.
    #[serde(rename = ">=")]
    GreaterOrEqual,
    /// Integers, nowhere falling.
    #[serde(rename = "<=")]
    LessOrEqual,
    /// Date-times, strictly falling.
    #[serde(rename = "after")]
    After,
    /// Date-times, strictly rising.
    #[serde(rename = "before")]
    Before,
    /// Date-times, nowhere falling.
    #[serde(rename = "not-after")]
    NotAfter,
    /// Date-times, nowhere rising.
    #[serde(rename = "not-before")]
    NotBefore,
    /// Negation.
    #[serde(rename = "!")]
    Not,
    /// Reads a date and adds to it.
    #[serde(rename = "plusTime")]
    PlusTime,
    /// Left fold over an array.
    #[serde(rename = "reduce")]
    Reduce,
    /// One fragment of a unique certificate identifier.
    #[serde(rename = "extractFromUVCI")]
    ExtractFromUvci,
    /// Reads a possibly partial date of birth as the last day it can mean.
    #[serde(rename = "dccDateOfBirth")]
    DccDateOfBirth,
}

impl Operation {
    /// Every operation, in the order of the specification.
    pub const ALL: [Self; 19] = [
        Self::Var,
        Self::If,
        Self::And,
        Self::Equal,
        Self::In,
        Self::Plus,
        Self::Greater,
        Self::Less,
        Self::GreaterOrEqual,
        Self::LessOrEqual,
        Self::After,
        Self::Before,
        Self::NotAfter,
        Self::NotBefore,
        Self::Not,
        Self::PlusTime,
        Self::Reduce,
        Self::ExtractFromUvci,
        Self::DccDateOfBirth,
    ];

    /// The operation's name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Var => "var",
            Self::If => "if",
            Self::And => "and",
            Self::Equal => "===",
            Self::In => "in",
            Self::Plus => "+",
            Self::Greater => ">",
            Self::Less => "<",
            Self::GreaterOrEqual => ">=",
            Self::LessOrEqual => "<=",
            Self::After => "after",
            Self::Before => "before",
            Self::NotAfter => "not-after",
            Self::NotBefore => "not-before",
            Self::Not => "!",
            Self::PlusTime => "plusTime",
            Self::Reduce => "reduce",
            Self::ExtractFromUvci => "extractFromUVCI",
            Self::DccDateOfBirth => "dccDateOfBirth",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.as_str() == name)
    }
}

/// One place of a compiled expression.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    Bool(bool),
    Integer(i64),
    Text(String),
    /// An array made of literals only: evaluates to itself, so it is never copied.
    ConstantList(Value),
    /// An array with at least one operation in it.
    List(Box<List>),
    Operation(Box<Applied>),
}

impl Node {
    fn paths<'a>(&'a self, paths: &mut Vec<&'a str>) {
        let nodes: Vec<&Self> = match self {
            Self::Bool(_) | Self::Integer(_) | Self::Text(_) | Self::ConstantList(_) => return,
            Self::List(list) => list.items.iter().collect(),
            Self::Operation(applied) => match &applied.operands {
                Operands::Var(path) => {
                    if !paths.contains(&path.text.as_str()) {
                        paths.push(&path.text);
                    }
                    return;
                }
                Operands::If { guard, then, otherwise } => vec![guard, then, otherwise],
                Operands::And(nodes)
                | Operands::CompareIntegers(_, nodes)
                | Operands::CompareDateTimes(_, nodes) => nodes.iter().collect(),
                Operands::Equal(pair) | Operands::In(pair) | Operands::Plus(pair) => {
                    pair.iter().collect()
                }
                Operands::Reduce { over, initial, lambda: _ } => vec![over, initial],
                Operands::Not(node)
                | Operands::DccDateOfBirth(node)
                | Operands::PlusTime { date: node, .. }
                | Operands::ExtractFromUvci { identifier: node, .. } => vec![node],
            },
        };
        for node in nodes {
            node.paths(paths);
        }
    }
}

/// See [`Node::List`].
#[derive(Debug, Clone)]
pub(crate) struct List {
    pub(crate) pointer: String,
    pub(crate) items: Vec<Node>,
}

/// An operation with its operands.
#[derive(Debug, Clone)]
pub(crate) struct Applied {
    /// Where it stands in the source, for traces and errors.
    pub(crate) pointer: String,
    pub(crate) operation: Operation,
    pub(crate) operands: Operands,
}

/// Operands by shape; which shape belongs to which operation is settled in `parse`.
#[derive(Debug, Clone)]
pub(crate) enum Operands {
    Var(Path),
    If { guard: Node, then: Node, otherwise: Node },
    And(Vec<Node>),
    Equal([Node; 2]),
    In([Node; 2]),
    Plus([Node; 2]),
    CompareIntegers(Relation, Vec<Node>),
    CompareDateTimes(Relation, Vec<Node>),
    Not(Node),
    PlusTime { date: Node, amount: i64, unit: Unit },
    Reduce { over: Node, lambda: Node, initial: Node },
    ExtractFromUvci { identifier: Node, index: i64 },
    DccDateOfBirth(Node),
}

/// How each operand of a comparison has to stand to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
}

impl Relation {
    pub(crate) fn holds<T: Ord>(self, left: &T, right: &T) -> bool {
        match self {
            Self::Greater => left > right,
            Self::Less => left < right,
            Self::GreaterOrEqual => left >= right,
            Self::LessOrEqual => left <= right,
        }
    }
}

/// A `var` path, split once.
#[derive(Debug, Clone)]
pub(crate) struct Path {
    pub(crate) text: String,
    /// Empty for the empty path, which means the whole context.
    pub(crate) fragments: Vec<Fragment>,
}

/// A key of an object, and an index of an array when it is written in digits.
#[derive(Debug, Clone)]
pub(crate) struct Fragment {
    pub(crate) name: String,
    pub(crate) index: Option<usize>,
}
