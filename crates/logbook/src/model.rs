//! The path from an entry up to the signed root, step by step: what pages draw and what a person
//! can compute by hand.

use ledger::{Hash, leaf_hash, node_hash};

/// One step up the tree: two hashes side by side give the one above them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The left one.
    pub left: Hash,
    /// The right one.
    pub right: Hash,
    /// Whether the neighbour, which the proof brings, is the left one.
    pub neighbour_left: bool,
    /// SHA-256 over `0x01`, left, right.
    pub above: Hash,
}

impl Step {
    /// The hash that the proof brings.
    pub const fn neighbour(&self) -> Hash {
        if self.neighbour_left { self.left } else { self.right }
    }

    /// The hash that was computed so far.
    pub const fn own(&self) -> Hash {
        if self.neighbour_left { self.right } else { self.left }
    }
}

/// An entry with all that binds it to a root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// Its index.
    pub index: u64,
    /// The entry's bytes.
    pub entry: Vec<u8>,
    /// The log's size that the path is for.
    pub size: u64,
    /// The root at that size.
    pub root: Hash,
    /// The neighbours, from the leaf's upwards.
    pub path: Vec<Hash>,
}

impl Proven {
    /// The entry's own hash.
    pub fn leaf(&self) -> Hash {
        leaf_hash(&self.entry)
    }

    /// The way up, step by step. The last step's `above` is the root when the proof is right.
    ///
    /// The walk of RFC 9162 section 2.1.3.2, kept with its intermediate values.
    pub fn steps(&self) -> Vec<Step> {
        let (mut node, mut last) = (self.index, self.size.saturating_sub(1));
        let mut own = self.leaf();
        let mut steps = Vec::with_capacity(self.path.len());
        for neighbour in &self.path {
            let neighbour_left = node & 1 == 1 || node == last;
            let (left, right) = if neighbour_left { (*neighbour, own) } else { (own, *neighbour) };
            own = node_hash(&left, &right);
            steps.push(Step { left, right, neighbour_left, above: own });
            if neighbour_left {
                while node & 1 == 0 && node != 0 {
                    node >>= 1;
                    last >>= 1;
                }
            }
            node >>= 1;
            last >>= 1;
        }
        steps
    }
}
