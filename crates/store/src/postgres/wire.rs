//! [`Value`]s on PostgreSQL's binary protocol.
//!
//! Columns are BIGINT, TEXT and BYTEA, but an expression may be of another type: `SUM` over BIGINT is
//! NUMERIC, `EXISTS` is BOOLEAN, a bare `1` is INTEGER. All of them are integers to us, as they are in
//! SQLite; whatever does not fit exactly is an error, never a rounded number.

use std::error::Error;

use bytes::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::Value;

type Answer<T> = Result<T, Box<dyn Error + Sync + Send>>;

/// A value on its way to the server, written as the type that the server asks for.
pub(super) struct Bound<'a>(pub(super) &'a Value);

impl std::fmt::Debug for Bound<'_> {
    /// Never the value: the driver writes parameters into its debug log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(name(self.0))
    }
}

/// What a value is, without what it says.
fn name(value: &Value) -> &'static str {
    match value {
        Value::Null => "NULL",
        Value::Int(_) => "an integer",
        Value::Text(_) => "a text",
        Value::Bytes(_) => "bytes",
    }
}

impl ToSql for Bound<'_> {
    fn to_sql(&self, of: &Type, out: &mut BytesMut) -> Answer<IsNull> {
        match (self.0, of) {
            (Value::Null, _) => Ok(IsNull::Yes),
            (Value::Int(it), &Type::INT8) => it.to_sql(of, out),
            (Value::Int(it), &Type::INT4) => i32::try_from(*it)?.to_sql(of, out),
            (Value::Int(it), &Type::INT2) => i16::try_from(*it)?.to_sql(of, out),
            (Value::Int(it), &Type::BOOL) => (*it != 0).to_sql(of, out),
            (Value::Text(it), &(Type::TEXT | Type::VARCHAR | Type::NAME)) => it.to_sql(of, out),
            (Value::Bytes(it), &Type::BYTEA) => it.to_sql(of, out),
            (value, of) => {
                Err(format!("a parameter is {} where {of} is wanted", name(value)).into())
            }
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(of: &Type, raw: &'a [u8]) -> Answer<Self> {
        Ok(match *of {
            Type::INT8 => Self::Int(i64::from_sql(of, raw)?),
            Type::INT4 => Self::Int(i64::from(i32::from_sql(of, raw)?)),
            Type::INT2 => Self::Int(i64::from(i16::from_sql(of, raw)?)),
            Type::BOOL => Self::Int(i64::from(bool::from_sql(of, raw)?)),
            Type::NUMERIC => Self::Int(whole(raw)?),
            Type::BYTEA => Self::Bytes(raw.to_vec()),
            _ => Self::Text(String::from_sql(of, raw)?),
        })
    }

    fn from_sql_null(_: &Type) -> Answer<Self> {
        Ok(Self::Null)
    }

    fn accepts(of: &Type) -> bool {
        matches!(
            *of,
            Type::INT8
                | Type::INT4
                | Type::INT2
                | Type::BOOL
                | Type::NUMERIC
                | Type::BYTEA
                | Type::TEXT
                | Type::VARCHAR
                | Type::NAME
                | Type::UNKNOWN
        )
    }
}

/// A NUMERIC that is a whole number of 64 bits: digits of base 10,000, the first of weight
/// 10,000^`weight` (`numeric_send` in PostgreSQL's `numeric.c`).
fn whole(raw: &[u8]) -> Answer<i64> {
    let mut words = raw.chunks_exact(2).map(|it| it.try_into().map_or(0, i16::from_be_bytes));
    let mut next = || words.next().ok_or("a NUMERIC is cut short");
    let (count, weight, sign, _scale) = (next()?, next()?, next()?, next()?);
    // 0x4000 is negative; NaN and the infinities have other bits set.
    let negative = match sign {
        0 => false,
        0x4000 => true,
        _ => return Err("a NUMERIC is not a number".into()),
    };
    let mut sum: i128 = 0;
    for position in 0..count {
        let digit = i128::from(next()?);
        match u32::try_from(weight - position) {
            Ok(power) if power <= 4 => sum += digit * 10_000_i128.pow(power),
            Ok(_) => return Err("a NUMERIC is too large".into()),
            Err(_) if digit == 0 => {}
            Err(_) => return Err("a NUMERIC is not whole".into()),
        }
    }
    Ok(i64::try_from(if negative { -sum } else { sum })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numeric(words: &[i16]) -> Answer<i64> {
        let bytes: Vec<u8> = words.iter().flat_map(|it| it.to_be_bytes()).collect();
        whole(&bytes)
    }

    #[test]
    fn whole_numerics_are_read_and_others_refused() {
        assert_eq!(numeric(&[0, 0, 0, 0]).unwrap(), 0);
        assert_eq!(numeric(&[1, 0, 0, 0, 7]).unwrap(), 7);
        assert_eq!(numeric(&[1, 1, 0, 0, 3]).unwrap(), 30_000, "trailing zeros are not sent");
        assert_eq!(numeric(&[2, 1, 0x4000, 0, 1, 2]).unwrap(), -10_002);
        let most = [5, 4, 0, 0, 922, 3372, 368, 5477, 5807];
        assert_eq!(numeric(&most).unwrap(), i64::MAX);
        for wrong in [
            &[1, 0][..],
            &[1, 0, 0, 0],
            &[1, -1, 0, 1, 5000],
            &[0, 0, -0x4000, 0],
            &[1, 5, 0, 0, 1],
            &[5, 4, 0, 0, 922, 3372, 368, 5477, 5808],
        ] {
            assert!(numeric(wrong).is_err(), "{wrong:?}");
        }
    }
}
