//! What goes into and comes out of SQL: integers, texts, bytes, nothing.

use kernel::{Date, Id, Instant};

use crate::Fault;

/// One SQL value. Booleans are 0 and 1, instants microseconds, dates days, ids 16 bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// NULL.
    Null,
    /// BIGINT.
    Int(i64),
    /// TEXT.
    Text(String),
    /// BYTEA / BLOB.
    Bytes(Vec<u8>),
}

macro_rules! into_value {
    ($($from:ty => |$it:ident| $to:expr;)*) => {
        $(impl From<$from> for Value {
            fn from($it: $from) -> Self { $to }
        })*
    };
}

into_value! {
    i64 => |it| Self::Int(it);
    i32 => |it| Self::Int(i64::from(it));
    u32 => |it| Self::Int(i64::from(it));
    u16 => |it| Self::Int(i64::from(it));
    u8 => |it| Self::Int(i64::from(it));
    // Sequence numbers and sizes; a log of 2^63 entries is out of reach.
    u64 => |it| Self::Int(i64::try_from(it).unwrap_or(i64::MAX));
    bool => |it| Self::Int(i64::from(it));
    &str => |it| Self::Text(it.to_owned());
    String => |it| Self::Text(it);
    &String => |it| Self::Text(it.clone());
    Vec<u8> => |it| Self::Bytes(it);
    &[u8] => |it| Self::Bytes(it.to_vec());
    [u8; 16] => |it| Self::Bytes(it.to_vec());
    [u8; 32] => |it| Self::Bytes(it.to_vec());
    Instant => |it| Self::Int(it.micros());
    Date => |it| Self::Int(i64::from(it.days()));
}

impl<K> From<Id<K>> for Value {
    fn from(it: Id<K>) -> Self {
        Self::Bytes(it.to_bytes().to_vec())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(it: Option<T>) -> Self {
        it.map_or(Self::Null, Into::into)
    }
}

/// The parameters after the region, which is always `$1`: `values![id, now, "text"]`.
#[macro_export]
macro_rules! values {
    ($($it:expr),* $(,)?) => { $crate::value::slice(&[$($crate::Value::from($it)),*]) };
}

/// What [`values!`] expands to: an empty list, too, is a list of values.
pub const fn slice(values: &[Value]) -> &[Value] {
    values
}

/// One row of an answer; columns by position, in the order of the SELECT.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row(pub Vec<Value>);

impl Row {
    fn at(&self, column: usize) -> Result<&Value, Fault> {
        self.0.get(column).ok_or_else(|| Fault::new(format!("no column {column} in the row")))
    }

    fn wrong<T>(column: usize, wanted: &str) -> Result<T, Fault> {
        Err(Fault::new(format!("column {column} is not {wanted}")))
    }

    /// The integer in `column`.
    pub fn int(&self, column: usize) -> Result<i64, Fault> {
        match self.at(column)? {
            Value::Int(it) => Ok(*it),
            _ => Self::wrong(column, "an integer"),
        }
    }

    /// The non-negative integer in `column`.
    pub fn count(&self, column: usize) -> Result<u64, Fault> {
        u64::try_from(self.int(column)?).or_else(|_| Self::wrong(column, "a count"))
    }

    /// The integer in `column`, or `None` for NULL.
    pub fn maybe_int(&self, column: usize) -> Result<Option<i64>, Fault> {
        if self.is_null(column)? { Ok(None) } else { self.int(column).map(Some) }
    }

    /// The truth in `column`.
    pub fn truth(&self, column: usize) -> Result<bool, Fault> {
        Ok(self.int(column)? != 0)
    }

    /// The text in `column`.
    pub fn text(&self, column: usize) -> Result<&str, Fault> {
        match self.at(column)? {
            Value::Text(it) => Ok(it),
            _ => Self::wrong(column, "a text"),
        }
    }

    /// The bytes in `column`.
    pub fn bytes(&self, column: usize) -> Result<&[u8], Fault> {
        match self.at(column)? {
            Value::Bytes(it) => Ok(it),
            _ => Self::wrong(column, "bytes"),
        }
    }

    /// The bytes in `column`, which is then empty.
    pub(crate) fn take_bytes(&mut self, column: usize) -> Result<Vec<u8>, Fault> {
        match self.0.get_mut(column) {
            Some(Value::Bytes(it)) => Ok(std::mem::take(it)),
            _ => Self::wrong(column, "bytes"),
        }
    }

    /// The bytes in `column`, or `None` for NULL.
    pub fn maybe_bytes(&self, column: usize) -> Result<Option<&[u8]>, Fault> {
        if self.is_null(column)? { Ok(None) } else { self.bytes(column).map(Some) }
    }

    /// The id in `column`.
    pub fn id<K>(&self, column: usize) -> Result<Id<K>, Fault> {
        let bytes = <[u8; 16]>::try_from(self.bytes(column)?);
        bytes.map(Id::from_bytes).or_else(|_| Self::wrong(column, "an id of 16 bytes"))
    }

    /// The id in `column`, or `None` for NULL.
    pub fn maybe_id<K>(&self, column: usize) -> Result<Option<Id<K>>, Fault> {
        if self.is_null(column)? { Ok(None) } else { self.id(column).map(Some) }
    }

    /// The instant in `column`.
    pub fn instant(&self, column: usize) -> Result<Instant, Fault> {
        self.int(column).map(Instant::from_micros)
    }

    /// The instant in `column`, or `None` for NULL.
    pub fn maybe_instant(&self, column: usize) -> Result<Option<Instant>, Fault> {
        Ok(self.maybe_int(column)?.map(Instant::from_micros))
    }

    /// The day in `column`.
    pub fn date(&self, column: usize) -> Result<Date, Fault> {
        let days = i32::try_from(self.int(column)?).or_else(|_| Self::wrong(column, "a day"))?;
        Ok(Date::from_days(days))
    }

    /// Whether `column` is NULL.
    pub fn is_null(&self, column: usize) -> Result<bool, Fault> {
        Ok(*self.at(column)? == Value::Null)
    }
}
