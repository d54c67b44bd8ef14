//! ECDSA on P-256 by an issuer's key that has signed many passes. aws-lc multiplies each time anew; with
//! the multiples of the key's point made once, a check costs 64 additions.
//!
//! The equation is the standard's (FIPS 186-5, 6.4.2), and tests hold it against aws-lc on signatures of
//! our own and on Wycheproof's.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use p256::ecdsa::Signature;
use p256::elliptic_curve::ops::{Invert as _, Reduce};
use p256::elliptic_curve::point::AffineCoordinates as _;
use p256::elliptic_curve::{BatchNormalize as _, Group as _};
use p256::{AffinePoint, FieldBytes, ProjectivePoint, Scalar};
use sha2::{Digest as _, Sha256};

use crate::multiples::Multiples;

/// Checks by a key before its multiples are made, which takes as long as about so many of them save.
pub(crate) const CHECKS_BEFORE: u32 = 128;

/// For how many keys there are multiples at most, 0.3 MB each: those that first signed that many.
const KEYS_MAX: usize = 64;

/// One for each byte of a scalar, and one for what is carried.
const ROWS: usize = 33;

static BASE: LazyLock<Multiples<AffinePoint>> =
    LazyLock::new(|| affine(ProjectivePoint::GENERATOR));
static TABLES: LazyLock<RwLock<HashMap<[u8; 65], Arc<Table>>>> = LazyLock::new(RwLock::default);

fn affine(point: ProjectivePoint) -> Multiples<AffinePoint> {
    Multiples::of(point, ROWS).into_form(ProjectivePoint::batch_normalize)
}

/// The multiples of one key's point.
pub(crate) struct Table(Multiples<AffinePoint>);

impl Table {
    /// Nothing for bytes that are no point of the curve.
    pub(crate) fn new(public: &[u8; 65]) -> Option<Self> {
        let key = p256::PublicKey::from_sec1_bytes(public).ok()?;
        Some(Self(affine(key.to_projective())))
    }

    /// The one table of this key that all threads share. Nothing for keys beyond the first
    /// [`KEYS_MAX`].
    pub(crate) fn shared(public: &[u8; 65]) -> Option<Arc<Self>> {
        let known = TABLES.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(it) = known.get(public) {
            return Some(Arc::clone(it));
        }
        let is_full = KEYS_MAX <= known.len();
        drop(known);
        if is_full {
            return None;
        }
        // Two threads may make it at once; that costs two milliseconds once.
        let table = Arc::new(Self::new(public)?);
        let mut known = TABLES.write().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(known.entry(*public).or_insert(table)))
    }

    /// Whether `signature`, `r || s`, is this key's over SHA-256 of `message`.
    pub(crate) fn holds(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        // Refuses an `r` or `s` that is zero or not below the group's order.
        let Ok(signature) = Signature::from_slice(signature) else { return false };
        let (r, s) = signature.split_scalars();
        let hash = reduced(&Sha256::digest(message));
        let inverse = *s.invert_vartime();
        let sum = BASE.add(ProjectivePoint::IDENTITY, &least_first(hash * inverse));
        let sum = self.0.add(sum, &least_first(*r * inverse));
        !bool::from(sum.is_identity()) && reduced(&sum.to_affine().x()) == *r
    }
}

/// A number modulo the group's order.
fn reduced(bytes: &FieldBytes) -> Scalar {
    <Scalar as Reduce<FieldBytes>>::reduce(bytes)
}

fn least_first(scalar: Scalar) -> [u8; 32] {
    let mut bytes: [u8; 32] = scalar.to_bytes().into();
    bytes.reverse();
    bytes
}

#[cfg(test)]
mod tests {
    use p256::elliptic_curve::PrimeField as _;

    use super::*;

    #[test]
    fn multiples_add_up_to_the_product_at_the_edges_of_digits_too() {
        let of = |byte: u8| reduced(&[byte; 32].into());
        let point = ProjectivePoint::GENERATOR * of(3);
        let multiples = affine(point);
        for scalar in [0, 1, 0x7f, 0x80, 0x81, 0xff].map(of).into_iter().chain([
            Scalar::ONE,
            -Scalar::ONE,
            -Scalar::from_u128(2),
            Scalar::from_u128(128),
            Scalar::from_u128(u128::MAX),
        ]) {
            let sum = multiples.add(ProjectivePoint::IDENTITY, &least_first(scalar));
            assert_eq!(sum, point * scalar, "{scalar:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_point_have_no_table() {
        assert!(Table::new(&[4; 65]).is_none());
        assert!(Table::new(&[0; 65]).is_none());
    }
}
