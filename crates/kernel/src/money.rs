//! Money: integer minor units with a currency, checked arithmetic, named rounding.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A currency by its ISO 4217 code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Currency {
    /// South Korean won; no minor unit.
    #[serde(rename = "KRW")]
    Krw,
    /// US dollar; cents.
    #[serde(rename = "USD")]
    Usd,
    /// Chinese yuan; fen.
    #[serde(rename = "CNY")]
    Cny,
}

impl Currency {
    /// Digits after the point (ISO 4217).
    pub const fn digits(self) -> u32 {
        match self {
            Self::Krw => 0,
            Self::Usd | Self::Cny => 2,
        }
    }

    /// The ISO 4217 code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Krw => "KRW",
            Self::Usd => "USD",
            Self::Cny => "CNY",
        }
    }
}

/// An amount in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// Minor units: won, cents, fen. May be negative.
    pub minor: i64,
    /// The currency.
    pub currency: Currency,
}

/// How a share that does not come out even is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// Towards minus infinity.
    Down,
    /// Half to the even neighbour.
    HalfEven,
}

impl Money {
    /// Won.
    pub const fn won(minor: i64) -> Self {
        Self { minor, currency: Currency::Krw }
    }

    /// The sum; `None` on overflow or when currencies differ.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let minor = self.minor.checked_add(other.minor)?;
        (self.currency == other.currency).then_some(Self { minor, ..self })
    }

    /// The difference; `None` on overflow or when currencies differ.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        let minor = self.minor.checked_sub(other.minor)?;
        (self.currency == other.currency).then_some(Self { minor, ..self })
    }

    /// `self * numerator / denominator`; `None` on overflow or a denominator of zero.
    pub fn share(self, numerator: i64, denominator: i64, rounding: Rounding) -> Option<Self> {
        let product = i128::from(self.minor) * i128::from(numerator);
        let denominator = i128::from(denominator);
        if denominator == 0 {
            return None;
        }
        // A positive denominator makes "down" and "the remainder's half" mean what they say.
        let (product, denominator) =
            if denominator < 0 { (-product, -denominator) } else { (product, denominator) };
        let down = product.div_euclid(denominator);
        let twice = product.rem_euclid(denominator) * 2;
        let up = match rounding {
            Rounding::Down => false,
            Rounding::HalfEven => twice > denominator || (twice == denominator && down % 2 != 0),
        };
        let minor = i64::try_from(down + i128::from(up)).ok()?;
        Some(Self { minor, ..self })
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = 10_u64.pow(self.currency.digits());
        let (whole, rest) = (self.minor.unsigned_abs() / unit, self.minor.unsigned_abs() % unit);
        let sign = if self.minor < 0 { "-" } else { "" };
        let code = self.currency.code();
        match self.currency.digits() {
            0 => write!(f, "{sign}{whole} {code}"),
            digits => {
                let width = usize::try_from(digits).unwrap_or(2);
                write!(f, "{sign}{whole}.{rest:0width$} {code}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_refuse_overflow_and_mixed_currencies() {
        assert_eq!(Money::won(i64::MAX).checked_add(Money::won(1)), None);
        let dollar = Money { minor: 1, currency: Currency::Usd };
        assert_eq!(Money::won(1).checked_add(dollar), None);
        assert_eq!(Money::won(3).checked_sub(Money::won(5)), Some(Money::won(-2)));
    }

    #[test]
    fn shares_round_as_named() {
        assert_eq!(Money::won(5).share(1, 2, Rounding::Down), Some(Money::won(2)));
        assert_eq!(Money::won(5).share(1, 2, Rounding::HalfEven), Some(Money::won(2)));
        assert_eq!(Money::won(7).share(1, 2, Rounding::HalfEven), Some(Money::won(4)));
        assert_eq!(Money::won(-5).share(1, 2, Rounding::Down), Some(Money::won(-3)));
        assert_eq!(Money::won(5).share(1, 0, Rounding::Down), None);
    }

    #[test]
    fn amounts_show_the_currency_s_digits() {
        assert_eq!(Money { minor: -105, currency: Currency::Usd }.to_string(), "-1.05 USD");
        assert_eq!(Money::won(12_000).to_string(), "12000 KRW");
    }
}
