//! Many of our own codes at once, for servers: a file of a hundred thousand, another system's list.
//!
//! A region's codes are signed by few keys, so that what depends on a key alone is computed once: the
//! multiples of its point. A signature then costs additions only, and one inversion is shared by all of
//! a batch. What is checked is the very equation of the single path (RFC 8032, 5.1.7, without the
//! cofactor: `encode([s]B - [h]A)` are the 32 bytes that the signature begins with), each signature by
//! itself. The usual sum over a batch with random weights is not: it lets through, once in a few times,
//! a signature with a point of small order in it, which the single path refuses, and one bad signature
//! makes everybody's be checked again.
//!
//! The proof of the moment is another device's for each code, and is checked one by one.

use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use sha2::{Digest as _, Sha512};

use crate::cose::Sign1;
use crate::list::{IssuerKey, Trust, Uses};
use crate::multiples::Multiples;
use crate::verify::{Policy, Shown, Verdict, judge_read};

/// For how many keys there are multiples at most: two thirds of a megabyte and two milliseconds each.
/// A region signs with one at a time and its organisations with theirs; codes of more keys than that are
/// judged one by one.
pub const KEYS_MAX: usize = 16;

/// One for each byte of a scalar: those of this curve are below 2^253 and carry nothing.
const ROWS: usize = 32;

/// What was computed once for one key: the multiples of its negative point.
struct KeyTable {
    public: [u8; 32],
    negative: Multiples<EdwardsPoint>,
}

impl KeyTable {
    /// Nothing for a key that libraries might read differently: not in its one encoding, or not of the
    /// prime order. None of ours is; such a key is left to the single path.
    fn new(public: &[u8; 32]) -> Option<Self> {
        let encoded = CompressedEdwardsY(*public);
        let point = encoded.decompress()?;
        let is_plain =
            point.compress() == encoded && point.is_torsion_free() && !point.is_small_order();
        is_plain.then(|| Self { public: *public, negative: Multiples::of(-point, ROWS) })
    }
}

/// Multiples of the base point and of the keys that sign codes. Made once, read by all threads.
pub struct Tables {
    base: Multiples<EdwardsPoint>,
    keys: Vec<KeyTable>,
}

impl core::fmt::Debug for Tables {
    /// How many keys there are, not megabytes of points.
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.debug_struct("Tables").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

/// A message and the key under whose name it was signed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signed<'a> {
    pub(crate) message: &'a Sign1,
    pub(crate) public: &'a [u8; 32],
}

impl Tables {
    /// For the latest keys of these regions that sign codes, at most [`KEYS_MAX`].
    pub fn new<'a>(regions: impl IntoIterator<Item = &'a Trust>) -> Self {
        let keys = regions.into_iter().flat_map(|it| &it.list.keys);
        let mut keys: Vec<&IssuerKey> = keys.filter(|it| it.uses.contains(Uses::CODES)).collect();
        keys.sort_by_key(|it| core::cmp::Reverse(it.not_before));
        keys.truncate(KEYS_MAX);
        Self {
            base: Multiples::of(ED25519_BASEPOINT_POINT, ROWS),
            keys: keys.into_iter().filter_map(|it| KeyTable::new(&it.public)).collect(),
        }
    }

    /// Which of these were signed by their keys; the answers of [`Sign1::is_signed_by`], in order.
    pub(crate) fn are_signed(&self, all: &[Signed<'_>]) -> Vec<bool> {
        let found: Vec<Option<EdwardsPoint>> = all.iter().map(|it| self.beginning(it)).collect();
        let points: Vec<EdwardsPoint> = found.iter().flatten().copied().collect();
        let mut encoded = EdwardsPoint::compress_batch_alloc(&points).into_iter();
        let answers = all.iter().zip(found).map(|(it, found)| match found {
            Some(_) => encoded.next().is_some_and(|point| {
                it.message.signature.first_chunk::<32>() == Some(point.as_bytes())
            }),
            None => it.message.is_signed_by(it.public),
        });
        answers.collect()
    }

    /// `[s]B - [h]A`, with which a true signature begins; nothing where that is for the single path.
    fn beginning(&self, signed: &Signed<'_>) -> Option<EdwardsPoint> {
        let table = self.keys.iter().find(|it| it.public == *signed.public)?;
        let (point, scalar) = signed.message.signature.split_first_chunk::<32>()?;
        let scalar = Scalar::from_canonical_bytes(scalar.try_into().ok()?).into_option()?;
        let hash = Sha512::new()
            .chain_update(point)
            .chain_update(signed.public)
            .chain_update(signed.message.to_be_signed())
            .finalize();
        let hash = Scalar::from_bytes_mod_order_wide(&hash.into());
        Some(
            table
                .negative
                .add(self.base.add(EdwardsPoint::default(), scalar.as_bytes()), hash.as_bytes()),
        )
    }
}

/// The verdicts that [`crate::verify()`] gives on these texts without a memory of who was seen, in order.
pub fn verify_many(
    texts: &[&str],
    trust: &Trust,
    tables: &Tables,
    policy: &Policy,
    now_s: i64,
) -> Vec<Verdict> {
    let shown: Vec<_> = texts.iter().map(|text| Shown::read(text)).collect();
    let of = |shown| -> Option<Signed<'_>> {
        let message = &Result::<&Shown, _>::ok(shown)?.signed;
        Some(Signed { message, public: &trust.list.key(&message.kid)?.public })
    };
    let signed: Vec<_> = shown.iter().map(|it| of(it.as_ref())).collect();
    let known: Vec<_> = signed.iter().flatten().copied().collect();
    let mut answers = tables.are_signed(&known).into_iter();
    let judged = texts.iter().zip(&shown).zip(signed).map(|((text, shown), signed)| {
        let is_signed = signed.and_then(|_| answers.next());
        judge_read(text, shown, is_signed, trust, None, policy, now_s)
    });
    judged.collect()
}

#[cfg(test)]
#[path = "tests/batch.rs"]
mod tests;
