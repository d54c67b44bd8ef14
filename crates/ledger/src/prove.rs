//! Makes proofs out of tiles (RFC 6962 sections 2.1.1 and 2.1.2).
//!
//! A proof needs one or two tiles of each level, so at most some 15 reads for any size. The prover
//! does not check the tiles: whoever gets the proof does, with [`crate::verify`].

use std::collections::btree_map::{BTreeMap, Entry};

use crate::hash::{Hash, empty_root, node_hash};
use crate::tile::{TileId, low_byte, shift_right, tile_hashes};

/// Where the prover gets tiles from. Any `FnMut(TileId) -> Result<Vec<u8>, E>` is one.
///
/// The tile is named as the tree size in question makes it, so it may be a partial one which the
/// log has since widened. The source decides what serves: it may answer with the wider tile at the
/// same level and index, and the prover uses the first `width` hashes. A narrower answer is an
/// error.
pub trait TileSource {
    /// Why a tile could not be read.
    type Error;

    /// The bytes of the tile, 32 for each hash.
    fn tile(&mut self, id: TileId) -> Result<Vec<u8>, Self::Error>;
}

impl<F, E> TileSource for F
where
    F: FnMut(TileId) -> Result<Vec<u8>, E>,
{
    type Error = E;

    fn tile(&mut self, id: TileId) -> Result<Vec<u8>, E> {
        self(id)
    }
}

/// A proof that cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProveError<E> {
    /// Reading a tile failed.
    #[error("reading a tile failed: {0}")]
    Source(#[source] E),
    /// A tile came with too few hashes or was no tile.
    #[error("the tile {} has {found} bytes", .id.path())]
    TileLength {
        /// The tile asked for.
        id: TileId,
        /// Bytes that came.
        found: usize,
    },
    /// A log of this size has no such entry.
    #[error("a log of {size} entries has no entry {index}")]
    IndexOutside {
        /// The entry asked for.
        index: u64,
        /// The size asked for.
        size: u64,
    },
    /// The old size is 0 or larger than the new one. Nothing can be proven about an empty log: every
    /// log continues it.
    #[error("a log of {new} entries cannot be proven to continue one of {old}")]
    SizesOutOfOrder {
        /// The old size.
        old: u64,
        /// The new size.
        new: u64,
    },
}

impl<E> ProveError<E> {
    /// The stable code that clients may branch on.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Source(_) => "ledger-prove-source",
            Self::TileLength { .. } => "ledger-prove-tile-length",
            Self::IndexOutside { .. } => "ledger-index-outside",
            Self::SizesOutOfOrder { .. } => "ledger-sizes-out-of-order",
        }
    }
}

/// The proof that entry `index` is in the log of `size` entries, from the leaf's sibling upwards.
pub fn inclusion_proof<S: TileSource>(
    index: u64,
    size: u64,
    source: &mut S,
) -> Result<Vec<Hash>, ProveError<S::Error>> {
    Prover::new(size, source).inclusion(index)
}

/// The proof that the log of `new` entries continues the one of `old`; empty when they are equal.
pub fn consistency_proof<S: TileSource>(
    old: u64,
    new: u64,
    source: &mut S,
) -> Result<Vec<Hash>, ProveError<S::Error>> {
    if old == 0 || old > new {
        return Err(ProveError::SizesOutOfOrder { old, new });
    }
    let mut reader = Prover::new(new, source);
    let mut proof = Vec::new();
    let (mut low, mut high) = (0, new);
    // SUBPROOF of RFC 6962 section 2.1.2, as a loop: narrows down to the last subtree of the old log.
    while old != high {
        let Some(middle) = split(low, high) else { break };
        if old <= middle {
            proof.push(reader.range(middle, high)?);
            high = middle;
        } else {
            proof.push(reader.range(low, middle)?);
            low = middle;
        }
    }
    // When that subtree is the whole old log, the verifier has its root already.
    if low > 0 {
        proof.push(reader.range(low, high)?);
    }
    proof.reverse();
    Ok(proof)
}

/// The root of the log when it had `size` entries, computed from its tiles.
pub fn root_at<S: TileSource>(size: u64, source: &mut S) -> Result<Hash, ProveError<S::Error>> {
    if size == 0 {
        return Ok(empty_root());
    }
    Prover::new(size, source).range(0, size)
}

/// Where RFC 6962 splits a range: the left half is the largest power of two below its length.
fn split(low: u64, high: u64) -> Option<u64> {
    let bits = high.checked_sub(low)?.checked_sub(1)?.checked_ilog2()?;
    Some(low + (1 << bits))
}

/// Makes many proofs in the log of one size: each tile is read once and hashed once. It keeps what it
/// read, 16 kB a tile, so proofs of a few thousand neighbours are made with one prover, and not of a
/// whole log.
pub struct Prover<'source, S> {
    size: u64,
    source: &'source mut S,
    tiles: BTreeMap<(u8, u64), Nodes>,
    /// The ranges up to the log's end that are no perfect subtree, by where they begin.
    ends: BTreeMap<u64, Hash>,
}

/// The nodes of a tile: its hashes, the nodes above two of them, above four, and so on.
type Nodes = Vec<Vec<Hash>>;

fn nodes(hashes: Vec<Hash>) -> Nodes {
    let mut nodes = vec![hashes];
    while let Some(below) = nodes.last().filter(|it| it.len() > 1) {
        let (pairs, _) = below.as_chunks::<2>();
        nodes.push(pairs.iter().map(|[left, right]| node_hash(left, right)).collect());
    }
    nodes
}

impl<'source, S: TileSource> Prover<'source, S> {
    /// A prover in the log of `size` entries.
    pub fn new(size: u64, source: &'source mut S) -> Self {
        Self { size, source, tiles: BTreeMap::new(), ends: BTreeMap::new() }
    }

    /// The proof that entry `index` is in the log, from the leaf's sibling upwards.
    pub fn inclusion(&mut self, index: u64) -> Result<Vec<Hash>, ProveError<S::Error>> {
        let size = self.size;
        if index >= size {
            return Err(ProveError::IndexOutside { index, size });
        }
        let mut proof = Vec::new();
        let (mut low, mut high) = (0, size);
        // Walks from the root down to the leaf and notes the half that is left behind.
        while let Some(middle) = split(low, high) {
            if index < middle {
                proof.push(self.range(middle, high)?);
                high = middle;
            } else {
                proof.push(self.range(low, middle)?);
                low = middle;
            }
        }
        proof.reverse();
        Ok(proof)
    }

    /// The Merkle tree hash over entries `low..high`, a range that RFC 6962 splitting can yield:
    /// perfect subtrees, ever smaller from left to right.
    fn range(&mut self, low: u64, high: u64) -> Result<Hash, ProveError<S::Error>> {
        let is_end = high == self.size && !(high - low).is_power_of_two();
        if is_end && let Some(hash) = self.ends.get(&low) {
            return Ok(*hash);
        }
        let mut peaks = Vec::new();
        let mut start = low;
        while let Some(height) = high.saturating_sub(start).checked_ilog2() {
            peaks.push(self.subtree(height, start)?);
            start += 1 << height;
        }
        let mut peaks = peaks.into_iter().rev();
        let last = peaks.next().unwrap_or_else(empty_root);
        let hash = peaks.fold(last, |right, left| node_hash(&left, &right));
        if is_end {
            self.ends.insert(low, hash);
        }
        Ok(hash)
    }

    /// The root of the perfect subtree of `1 << height` entries from `start` on. It lies within one
    /// tile: the one whose hashes are the next level at or below `height`.
    fn subtree(&mut self, height: u32, start: u64) -> Result<Hash, ProveError<S::Error>> {
        let outside = ProveError::IndexOutside { index: start, size: self.size };
        let Ok(level) = u8::try_from(height / 8) else { return Err(outside) };
        let first = shift_right(start, u32::from(level) * 8);
        let Some(id) = TileId::at(level, first >> 8, self.size) else { return Err(outside) };
        let nodes = match self.tiles.entry((level, id.index)) {
            Entry::Occupied(held) => held.into_mut(),
            Entry::Vacant(free) => {
                let bytes = self.source.tile(id).map_err(ProveError::Source)?;
                let found = bytes.len();
                let hashes = tile_hashes(&bytes, id.width);
                free.insert(nodes(hashes.ok_or(ProveError::TileLength { id, found })?))
            }
        };
        let (above, place) = (usize::try_from(height % 8), usize::from(low_byte(first)));
        let node = above.ok().and_then(|it| nodes.get(it)?.get(place >> it).copied());
        node.ok_or(outside)
    }
}
