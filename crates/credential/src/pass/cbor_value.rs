//! CBOR (RFC 8949) as others write it: any shape, any of the encodings, definite or not, within
//! bounds. (What is ours is read strictly, by `crate::cbor`.)
//!
//! Refused are: nesting beyond [`DEPTH_MAX`], a key twice in one map, text that is not UTF-8, and
//! whatever is not well formed.

use std::borrow::Cow;

use serde_json::{Map, Number, Value};

/// How deep values may be nested.
pub(crate) const DEPTH_MAX: usize = 16;
/// How many entries one map may have: a pass has about twenty. Finding a key that stands twice is
/// quadratic in it.
const ENTRIES_MAX: usize = 1024;

/// For how many items of an array or a map room is made ahead.
const ROOM_MAX: u64 = 12;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cbor {
    Int(i64),
    Float(f64),
    Bytes(Vec<u8>),
    Text(String),
    Array(Vec<Self>),
    Map(Vec<(Self, Self)>),
    Tag(u64, Box<Self>),
    Bool(bool),
    /// Null, undefined, and what nobody has defined.
    Null,
}

impl Cbor {
    /// Reads exactly one value.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let mut from = Reader(bytes);
        let value = from.value(DEPTH_MAX)?;
        from.is_empty().then_some(value)
    }

    /// The value under an integer key of a map.
    pub(crate) fn at(&self, key: i64) -> Option<&Self> {
        let Self::Map(entries) = self else { return None };
        entries.iter().find(|(name, _)| *name == Self::Int(key)).map(|(_, value)| value)
    }

    /// The value under a text key of a map.
    pub(crate) fn named(&self, key: &str) -> Option<&Self> {
        let Self::Map(entries) = self else { return None };
        let is = |name: &Self| matches!(name, Self::Text(name) if name == key);
        entries.iter().find(|(name, _)| is(name)).map(|(_, value)| value)
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value under an integer key of a map, taken out of it.
    pub(crate) fn into_at(self, key: i64) -> Option<Self> {
        let Self::Map(entries) = self else { return None };
        entries.into_iter().find(|(name, _)| *name == Self::Int(key)).map(|(_, value)| value)
    }

    /// The value under a text key of a map, taken out of it.
    pub(crate) fn into_named(self, key: &str) -> Option<Self> {
        let Self::Map(entries) = self else { return None };
        let is = |name: &Self| matches!(name, Self::Text(name) if name == key);
        entries.into_iter().find(|(name, _)| is(name)).map(|(_, value)| value)
    }

    /// The same value in JSON. Tags fall away; a byte string becomes an object, so that it can pass
    /// for no text; a number without a fraction is an integer. Nothing when a map has keys that JSON
    /// cannot tell apart.
    pub(crate) fn into_json(self) -> Option<Value> {
        Some(match self {
            Self::Int(number) => Value::from(number),
            Self::Float(number) => json_number(number),
            Self::Bytes(bytes) => {
                let hex = bytes.iter().fold(String::new(), |hex, byte| {
                    let digit = |half: u8| char::from_digit(half.into(), 16).unwrap_or('0');
                    hex + digit(byte >> 4).encode_utf8(&mut [0; 4])
                        + digit(byte & 15).encode_utf8(&mut [0; 4])
                });
                Value::Object(Map::from_iter([("bytes".to_owned(), Value::String(hex))]))
            }
            Self::Text(text) => Value::String(text),
            Self::Array(items) => {
                Value::Array(items.into_iter().map(Self::into_json).collect::<Option<_>>()?)
            }
            Self::Map(entries) => {
                let mut map = Map::with_capacity(entries.len());
                for (key, value) in entries {
                    let key = match key {
                        Self::Text(key) => key,
                        Self::Int(key) => key.to_string(),
                        _ => return None,
                    };
                    if map.insert(key, value.into_json()?).is_some() {
                        return None;
                    }
                }
                Value::Object(map)
            }
            Self::Tag(_, inner) => inner.into_json()?,
            Self::Bool(value) => Value::Bool(value),
            Self::Null => Value::Null,
        })
    }
}

/// JSON Schema and JavaScript know one kind of number: 1.0 is the integer 1.
fn json_number(number: f64) -> Value {
    whole(number)
        .map_or_else(|| Number::from_f64(number).map_or(Value::Null, Value::Number), Value::from)
}

/// The integer that `number` is, as far as it is exact.
pub(crate) fn whole(number: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() != 0.0 || !(-EXACT..=EXACT).contains(&number) {
        return None;
    }
    #[allow(clippy::cast_possible_truncation, clippy::as_conversions, reason = "exact within 2^53")]
    Some(number as i64)
}

/// The part of a value before its content.
struct Head {
    major: u8,
    /// Nothing for an indefinite length.
    argument: Option<u64>,
    /// The lower five bits, which tell floats apart.
    short: u8,
}

/// Reads values one after another.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn bytes(&mut self, count: u64) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(usize::try_from(count).ok()?)?;
        self.0 = rest;
        Some(bytes)
    }

    fn head(&mut self) -> Option<Head> {
        let first = *self.bytes(1)?.first()?;
        let (major, short) = (first >> 5, first & 31);
        let argument = match short {
            0..=23 => Some(u64::from(short)),
            24..=27 => {
                let bytes = self.bytes(1 << (short - 24))?;
                Some(bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
            }
            31 => None,
            _ => return None,
        };
        Some(Head { major, argument, short })
    }

    /// Takes the tag with this number, if it is next.
    pub(crate) fn tag(&mut self, number: u64) -> bool {
        let mut ahead = Reader(self.0);
        let is = ahead.head().is_some_and(|head| head.major == 6 && head.argument == Some(number));
        if is {
            self.0 = ahead.0;
        }
        is
    }

    /// The head of an array of `length` items; whether it is an indefinite one, which has an end.
    pub(crate) fn array_of(&mut self, length: u64) -> Option<bool> {
        let head = self.head().filter(|head| head.major == 4)?;
        head.argument.is_none_or(|it| it == length).then_some(head.argument.is_none())
    }

    /// Takes the end of something indefinite, if it is next.
    pub(crate) fn end(&mut self) -> bool {
        match self.0.split_first() {
            Some((0xff, rest)) => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    /// A byte string.
    pub(crate) fn byte_string(&mut self) -> Option<Cow<'a, [u8]>> {
        let head = self.head().filter(|head| head.major == 2)?;
        self.string(2, head.argument)
    }

    /// The content of a string; an indefinite one is made of definite ones of the same kind.
    fn string(&mut self, major: u8, length: Option<u64>) -> Option<Cow<'a, [u8]>> {
        if let Some(length) = length {
            return self.bytes(length).map(Cow::Borrowed);
        }
        let mut whole = Vec::new();
        while !self.end() {
            let head = self.head().filter(|head| head.major == major)?;
            whole.extend_from_slice(self.bytes(head.argument?)?);
        }
        Some(Cow::Owned(whole))
    }

    /// One value, nested at most `depth` deep.
    pub(crate) fn value(&mut self, depth: usize) -> Option<Cbor> {
        let depth = depth.checked_sub(1)?;
        let Head { major, argument, short } = self.head()?;
        Some(match major {
            0 => integer(argument?, false),
            1 => integer(argument?, true),
            2 => Cbor::Bytes(self.string(2, argument)?.into_owned()),
            3 => Cbor::Text(String::from_utf8(self.string(3, argument)?.into_owned()).ok()?),
            4 => Cbor::Array(self.items(argument, |from| from.value(depth))?),
            5 => {
                let entries =
                    self.items(argument, |from| Some((from.value(depth)?, from.value(depth)?)))?;
                let twice =
                    |at: usize, key: &Cbor| entries.iter().skip(at + 1).any(|(it, _)| it == key);
                if ENTRIES_MAX < entries.len()
                    || entries.iter().enumerate().any(|(at, (key, _))| twice(at, key))
                {
                    return None;
                }
                Cbor::Map(entries)
            }
            6 => Cbor::Tag(argument?, Box::new(self.value(depth)?)),
            _ => match (short, argument?) {
                (20, _) => Cbor::Bool(false),
                (21, _) => Cbor::Bool(true),
                (25, bits) => Cbor::Float(half(bits)),
                (26, bits) => Cbor::Float(f32::from_bits(u32::try_from(bits).ok()?).into()),
                (27, bits) => Cbor::Float(f64::from_bits(bits)),
                // RFC 8949, 3.3: the long form of a short simple value is not well formed.
                (24, value) if value < 32 => return None,
                _ => Cbor::Null,
            },
        })
    }

    /// As many items as announced, or up to the end mark. What is announced need not come, so that
    /// little room is made ahead.
    fn items<T>(
        &mut self,
        count: Option<u64>,
        mut item: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        // Room for a pass's longest map or list at most.
        let room = count.unwrap_or(0).min(ROOM_MAX);
        let mut items = Vec::with_capacity(usize::try_from(room).unwrap_or(0));
        let mut left = count;
        loop {
            match &mut left {
                Some(0) => return Some(items),
                Some(left) => *left -= 1,
                None if self.end() => return Some(items),
                None => {}
            }
            items.push(item(self)?);
        }
    }
}

fn integer(argument: u64, is_negative: bool) -> Cbor {
    match (i64::try_from(argument), is_negative) {
        (Ok(number), false) => Cbor::Int(number),
        (Ok(number), true) => Cbor::Int(-1 - number),
        // Beyond 64 bits with a sign nothing in a pass is meant: near enough.
        #[allow(clippy::cast_precision_loss, clippy::as_conversions, reason = "near enough")]
        (Err(_), _) => Cbor::Float(argument as f64 * if is_negative { -1.0 } else { 1.0 }),
    }
}

/// A float of 16 bits (RFC 8949, appendix D).
fn half(bits: u64) -> f64 {
    let exponent = i32::try_from((bits >> 10) & 31).unwrap_or(0);
    let fraction = f64::from(u32::try_from(bits & 1023).unwrap_or(0));
    let value = match exponent {
        0 => fraction * 2_f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (fraction + 1024.0) * 2_f64.powi(exponent - 25),
    };
    if bits & 0x8000 == 0 { value } else { -value }
}
