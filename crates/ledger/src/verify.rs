//! Checks proofs by the algorithms of RFC 9162 (sections 2.1.3.2 and 2.1.4.2).
//!
//! Written from the RFC and sharing nothing with the prover but the node hash, so that one mistake
//! cannot hide in both. A proof has exactly one right length; anything else is refused.
//!
//! What a proof binds: the root binds the entry and its index. The tree *size* steers only the
//! shape of the path, and several sizes can share a shape (index 0 has the same path in a tree of 7
//! and of 8), so sizes and roots must come from the same signed checkpoint.

use crate::hash::{Hash, node_hash};

/// A proof that does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The index is not below the size.
    #[error("the index lies outside the log")]
    IndexOutside,
    /// The old size is larger than the new one.
    #[error("the old log is larger than the new one")]
    SizesOutOfOrder,
    /// The old log is empty: every log continues it, so a proof would say nothing.
    #[error("nothing can be proven about an empty log")]
    EmptyLog,
    /// Fewer hashes than the path needs.
    #[error("the proof is too short")]
    TooShort,
    /// More hashes than the path needs.
    #[error("the proof is too long")]
    TooLong,
    /// The hashes do not lead to the (new) root.
    #[error("the proof does not lead to the root")]
    Root,
    /// The hashes do not lead to the old root.
    #[error("the proof does not lead to the old root")]
    OldRoot,
}

impl VerifyError {
    /// The stable code that clients may branch on.
    pub const fn code(self) -> &'static str {
        match self {
            Self::IndexOutside => "ledger-index-outside",
            Self::SizesOutOfOrder => "ledger-sizes-out-of-order",
            Self::EmptyLog => "ledger-empty-log",
            Self::TooShort => "ledger-proof-too-short",
            Self::TooLong => "ledger-proof-too-long",
            Self::Root => "ledger-proof-root",
            Self::OldRoot => "ledger-proof-old-root",
        }
    }
}

/// Checks that the leaf is entry `index` of the log with this size and root.
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), VerifyError> {
    if index >= size {
        return Err(VerifyError::IndexOutside);
    }
    // The names follow RFC 9162: `fn` and `sn` are `node` and `last` here.
    let mut node = index;
    let mut last = size - 1;
    let mut result = *leaf;
    for sibling in proof {
        if last == 0 {
            return Err(VerifyError::TooLong);
        }
        if node & 1 == 1 || node == last {
            result = node_hash(sibling, &result);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            result = node_hash(&result, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(VerifyError::TooShort);
    }
    if result == *root { Ok(()) } else { Err(VerifyError::Root) }
}

/// Checks that the new log begins with all entries of the old one.
pub fn verify_consistency(
    old_size: u64,
    old_root: &Hash,
    new_size: u64,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), VerifyError> {
    if old_size > new_size {
        return Err(VerifyError::SizesOutOfOrder);
    }
    if old_size == 0 {
        return Err(VerifyError::EmptyLog);
    }
    if old_size == new_size {
        return match (proof, old_root == new_root) {
            ([], true) => Ok(()),
            ([], false) => Err(VerifyError::Root),
            _ => Err(VerifyError::TooLong),
        };
    }
    // A log of a power of two is itself the first node of the path, and the proof leaves it out.
    let (first, rest) = if old_size.is_power_of_two() {
        (old_root, proof)
    } else {
        proof.split_first().ok_or(VerifyError::TooShort)?
    };
    let mut node = old_size - 1;
    let mut last = new_size - 1;
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let mut old_result = *first;
    let mut new_result = *first;
    for sibling in rest {
        if last == 0 {
            return Err(VerifyError::TooLong);
        }
        if node & 1 == 1 || node == last {
            old_result = node_hash(sibling, &old_result);
            new_result = node_hash(sibling, &new_result);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new_result = node_hash(&new_result, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(VerifyError::TooShort);
    }
    if old_result != *old_root {
        return Err(VerifyError::OldRoot);
    }
    if new_result == *new_root { Ok(()) } else { Err(VerifyError::Root) }
}
