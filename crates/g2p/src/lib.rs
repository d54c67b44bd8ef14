//! GF(16) and GF(256) for the QR reader, by logarithms.
//!
//! Stands in for the crate of the same name, of which `rqrr` uses this much. That one multiplies by a
//! table of all products: 64 kB for GF(256), which nothing compresses, on the phone of every guard and
//! a third of all that the scanner was. Here the tables have 0.8 kB, and a power is one look-up instead
//! of 64 multiplications.
#![deny(missing_docs)]

use core::ops::{Add, AddAssign, Div, Mul, MulAssign};

/// What `rqrr` needs of a field.
pub trait GaloisField:
    Add<Output = Self>
    + AddAssign
    + Mul<Output = Self>
    + MulAssign
    + Div<Output = Self>
    + Copy
    + PartialEq
    + Eq
{
    /// Nothing.
    const ZERO: Self;
    /// One.
    const ONE: Self;
    /// Its powers are all elements but zero.
    const GENERATOR: Self;

    /// This element to the power `exponent`.
    #[must_use]
    fn pow(self, exponent: usize) -> Self;
}

/// Powers of the generator, twice over so that a sum of two logarithms needs no remainder, and
/// logarithms; of a field with `size` elements the first `size` of each count.
#[doc(hidden)]
#[derive(Debug)]
pub struct Tables {
    /// The generator to the power of the index.
    pub power: [u8; 512],
    /// The exponent of the index.
    pub logarithm: [u8; 256],
}

impl Tables {
    /// The tables of the field with `size` elements whose modulus is `modulus`, a primitive polynomial.
    #[doc(hidden)]
    #[must_use]
    #[expect(
        clippy::indexing_slicing,
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        reason = "runs in the compiler, where neither has another form"
    )]
    pub const fn new(size: usize, modulus: usize) -> Self {
        let (mut power, mut logarithm) = ([0; 512], [0; 256]);
        let (mut element, mut exponent) = (1, 0);
        while exponent < size - 1 {
            power[exponent] = element as u8;
            power[exponent + size - 1] = element as u8;
            logarithm[element] = exponent as u8;
            element <<= 1;
            if size <= element {
                element ^= modulus;
            }
            exponent += 1;
        }
        Self { power, logarithm }
    }

    /// The generator to the power of `exponent`, which is below 512.
    #[doc(hidden)]
    #[must_use]
    pub fn power_of(&self, exponent: usize) -> u8 {
        self.power.get(exponent).copied().unwrap_or(0)
    }

    /// The exponent of an element that is not zero.
    #[doc(hidden)]
    #[must_use]
    pub fn logarithm_of(&self, element: u8) -> usize {
        self.logarithm.get(usize::from(element)).copied().map_or(0, usize::from)
    }
}

/// Makes a field: `g2p!(GF256, 8, modulus: 0b1_0001_1101)` has elements of 8 bits. The modulus must be
/// primitive. What is divided by zero is zero.
#[macro_export]
macro_rules! g2p {
    ($name:ident, $bits:literal, modulus: $modulus:literal) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        struct $name(u8);

        impl $name {
            const TABLES: &'static $crate::Tables = &$crate::Tables::new(1 << $bits, $modulus);
            /// How many elements but zero there are.
            const ORDER: usize = (1 << $bits) - 1;
        }

        impl $crate::GaloisField for $name {
            const ZERO: Self = Self(0);
            const ONE: Self = Self(1);
            const GENERATOR: Self = Self(2);

            fn pow(self, exponent: usize) -> Self {
                if exponent == 0 {
                    return Self(1);
                }
                if self.0 == 0 {
                    return self;
                }
                let logarithm = Self::TABLES.logarithm_of(self.0) * (exponent % Self::ORDER);
                Self(Self::TABLES.power_of(logarithm % Self::ORDER))
            }
        }

        #[expect(clippy::suspicious_arithmetic_impl, reason = "GF(2^n) adds by exclusive or")]
        impl ::core::ops::Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0 ^ other.0)
            }
        }

        impl ::core::ops::AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                *self = *self + other;
            }
        }

        impl ::core::ops::Mul for $name {
            type Output = Self;
            fn mul(self, other: Self) -> Self {
                if self.0 == 0 || other.0 == 0 {
                    return Self(0);
                }
                let (one, two) =
                    (Self::TABLES.logarithm_of(self.0), Self::TABLES.logarithm_of(other.0));
                Self(Self::TABLES.power_of(one + two))
            }
        }

        impl ::core::ops::MulAssign for $name {
            fn mul_assign(&mut self, other: Self) {
                *self = *self * other;
            }
        }

        impl ::core::ops::Div for $name {
            type Output = Self;
            fn div(self, other: Self) -> Self {
                if self.0 == 0 || other.0 == 0 {
                    return Self(0);
                }
                let (one, two) =
                    (Self::TABLES.logarithm_of(self.0), Self::TABLES.logarithm_of(other.0));
                Self(Self::TABLES.power_of(one + Self::ORDER - two))
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::GaloisField as _;

    g2p!(Gf16, 4, modulus: 0b1_0011);
    g2p!(Gf256, 8, modulus: 0b1_0001_1101);

    /// Multiplication as it is defined: of polynomials, and the remainder by the modulus.
    fn product(one: u8, two: u8, bits: u32, modulus: u16) -> u8 {
        let mut product = 0_u16;
        for bit in 0..bits {
            if two >> bit & 1 == 1 {
                product ^= u16::from(one) << bit;
            }
        }
        for bit in (bits..2 * bits).rev() {
            if product >> bit & 1 == 1 {
                product ^= modulus << (bit - bits);
            }
        }
        u8::try_from(product).unwrap()
    }

    #[test]
    fn every_product_and_quotient_is_that_of_polynomials() {
        for one in 0..=255 {
            for two in 0..=255 {
                let expected = product(one, two, 8, 0b1_0001_1101);
                assert_eq!((Gf256(one) * Gf256(two)).0, expected);
                if two != 0 {
                    assert_eq!((Gf256(expected) / Gf256(two)).0, one);
                }
            }
        }
        for one in 0..16 {
            for two in 0..16 {
                let expected = product(one, two, 4, 0b1_0011);
                assert_eq!((Gf16(one) * Gf16(two)).0, expected);
                if two != 0 {
                    assert_eq!((Gf16(expected) / Gf16(two)).0, one);
                }
            }
        }
    }

    #[test]
    fn a_power_is_a_product_of_as_many() {
        for element in 0..=255 {
            let mut expected = Gf256::ONE;
            for exponent in 0..600 {
                assert_eq!(Gf256(element).pow(exponent), expected, "{element}^{exponent}");
                expected *= Gf256(element);
            }
        }
        let mut sum = Gf16::GENERATOR;
        sum += Gf16::GENERATOR;
        assert_eq!(sum, Gf16::ZERO);
    }
}
