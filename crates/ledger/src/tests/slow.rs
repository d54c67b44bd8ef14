//! The slow obvious tree: RFC 6962 section 2.1 transcribed, recursive, hashing everything anew with
//! another SHA-256 than the crate's. Nothing is shared with the code under test.

use sha2::{Digest as _, Sha256};

pub(super) type Raw = [u8; 32];

pub(super) fn leaf(entry: &[u8]) -> Raw {
    Sha256::new().chain_update([0]).chain_update(entry).finalize().into()
}

fn node(left: Raw, right: Raw) -> Raw {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The largest power of two below `n`.
fn split(n: usize) -> usize {
    let mut k = 1;
    while k * 2 < n {
        k *= 2;
    }
    k
}

/// MTH(D[n]).
pub(super) fn root(leaves: &[Raw]) -> Raw {
    match leaves {
        [] => Sha256::digest([]).into(),
        [only] => *only,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node(root(left), root(right))
        }
    }
}

/// PATH(m, D[n]).
pub(super) fn path(m: usize, leaves: &[Raw]) -> Vec<Raw> {
    if leaves.len() <= 1 {
        return Vec::new();
    }
    let k = split(leaves.len());
    let (left, right) = leaves.split_at(k);
    if m < k {
        let mut proof = path(m, left);
        proof.push(root(right));
        proof
    } else {
        let mut proof = path(m - k, right);
        proof.push(root(left));
        proof
    }
}

/// SUBPROOF(m, D[n], b).
pub(super) fn subproof(m: usize, leaves: &[Raw], whole: bool) -> Vec<Raw> {
    if m == leaves.len() {
        return if whole { Vec::new() } else { vec![root(leaves)] };
    }
    let k = split(leaves.len());
    let (left, right) = leaves.split_at(k);
    if m <= k {
        let mut proof = subproof(m, left, whole);
        proof.push(root(right));
        proof
    } else {
        let mut proof = subproof(m - k, right, false);
        proof.push(root(left));
        proof
    }
}

/// The sides of an inclusion path from the root down. Two places with one shape cannot be told
/// apart by a path alone.
pub(super) fn shape(m: u64, n: u64) -> Vec<char> {
    if n <= 1 {
        return Vec::new();
    }
    let k = split_wide(n);
    let (side, rest) = if m < k { ('r', shape(m, k)) } else { ('l', shape(m - k, n - k)) };
    std::iter::once(side).chain(rest).collect()
}

/// The same for a consistency proof; `w` at the end when the old root itself begins it.
pub(super) fn consistency_shape(m: u64, n: u64, whole: bool) -> Vec<char> {
    if m == n {
        return vec![if whole { 'w' } else { 'p' }];
    }
    let k = split_wide(n);
    let (side, rest) = if m <= k {
        ('r', consistency_shape(m, k, whole))
    } else {
        ('l', consistency_shape(m - k, n - k, false))
    };
    std::iter::once(side).chain(rest).collect()
}

fn split_wide(n: u64) -> u64 {
    let mut k = 1;
    while k < n - k {
        k *= 2;
    }
    k
}
