//! Multiples of a point that are made once, for signatures by a key that signs many: a product by a
//! scalar then costs additions only, one for each byte.
//!
//! Nothing here is secret, so nothing takes the same time for all inputs.

use core::ops::{Add, Sub};

/// Half of the digits that a byte can be, signed.
const HALF: usize = 128;

/// `d * 256^i * P` for `d` from 1 to [`HALF`], a row for each `i`.
pub(crate) struct Multiples<P>(Vec<P>);

impl<P: Copy + Add<Output = P> + Sub<Output = P>> Multiples<P> {
    /// A row for each byte of a scalar, and one for what the last byte may carry: none of a scalar below
    /// a quarter of 2^256, which is all of Ed25519's.
    pub(crate) fn of(point: P, rows: usize) -> Self {
        let mut all = Vec::with_capacity(rows * HALF);
        let mut unit = point;
        for _ in 0..rows {
            let mut multiple = unit;
            for _ in 0..HALF {
                all.push(multiple);
                multiple = multiple + unit;
            }
            // 129 units are there; 128 of them twice are the next row's unit.
            let half = multiple - unit;
            unit = half + half;
        }
        Self(all)
    }
}

impl<P> Multiples<P> {
    /// The same points in another form.
    pub(crate) fn into_form<Q>(self, form: impl FnOnce(&[P]) -> Vec<Q>) -> Multiples<Q> {
        Multiples(form(&self.0))
    }

    /// `sum + scalar * P`, the scalar's least byte first. Digits above half are written as the next power
    /// less the rest.
    pub(crate) fn add<S>(&self, mut sum: S, scalar: &[u8; 32]) -> S
    where
        S: for<'a> Add<&'a P, Output = S> + for<'a> Sub<&'a P, Output = S>,
    {
        let mut carry = 0;
        for (row, byte) in self.0.chunks_exact(HALF).zip(scalar.iter().chain(&[0])) {
            let digit = usize::from(*byte) + carry;
            let is_above = HALF < digit;
            carry = usize::from(is_above);
            let size = if is_above { 2 * HALF - digit } else { digit };
            let Some(multiple) = size.checked_sub(1).and_then(|at| row.get(at)) else { continue };
            sum = if is_above { sum - multiple } else { sum + multiple };
        }
        sum
    }
}
