//! The growing tree: takes entries in batches and says which rows must be written.
//!
//! Only the right edge is kept in memory: the growing bundle, the growing tile of each level and
//! the roots of the perfect subtrees ("peaks"). Every inner node is hashed once in its life.

use crate::hash::{Hash, empty_root, leaf_hash, node_hash};
use crate::tile::{
    BundleError, BundleId, MAX_ENTRY_BYTES, Resource, TILE_WIDTH, TileId, low_byte, parse_bundle,
    perfect_root, push_entry, shift_right, tile_hashes,
};

/// Bytes of a full tile.
const FULL_TILE_BYTES: usize = 8192;

/// Levels that a size of 64 bits can reach.
const LEVELS: u8 = 8;

/// An append-only Merkle tree, held by its right edge.
///
/// `append` changes the tree at once. A writer whose transaction may still fail appends to a clone
/// and keeps the clone when the transaction held. A clone copies the growing tiles and the growing
/// bundle, some 20 to 50 kB with usual entries, which is a few microseconds a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    size: u64,
    /// Roots of the perfect subtrees, largest first: one for each bit set in `size`.
    peaks: Vec<Hash>,
    /// The growing tile of each level reached so far; empty right after one was filled.
    tiles: Vec<Vec<u8>>,
    /// The growing bundle; empty right after one was filled.
    bundle: Vec<u8>,
}

/// What an append did and what has to be written because of it, in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// Index of the first new entry.
    pub first: u64,
    /// Entries in the log now.
    pub size: u64,
    /// The root now.
    pub root: Hash,
    /// Tiles that changed, each once: filled ones and, after them, growing ones.
    pub tiles: Vec<TileWrite>,
    /// Bundles that changed, each once, in order; only the last can be partial.
    pub bundles: Vec<BundleWrite>,
}

/// A tile to be written, replacing the narrower one at the same level and index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TileWrite {
    /// 0 to 7.
    pub level: u8,
    /// Position within the level.
    pub index: u64,
    /// Hashes, 1 to 256.
    pub width: u16,
    /// 32 bytes for each hash.
    pub bytes: Vec<u8>,
}

/// A bundle to be written, replacing the narrower one at the same index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleWrite {
    /// Position.
    pub index: u64,
    /// Entries, 1 to 256.
    pub width: u16,
    /// Length-prefixed entries.
    pub bytes: Vec<u8>,
}

/// A batch that cannot be appended. The tree is as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// An entry is longer than 65,535 bytes.
    #[error("entry {position} of the batch has {length} bytes, more than 65535")]
    EntryTooLong {
        /// Which one of the batch, from 0.
        position: usize,
        /// Its bytes.
        length: usize,
    },
    /// The size would no longer fit in 64 bits.
    #[error("the log cannot hold more entries")]
    Full,
}

impl AppendError {
    /// The stable code that clients may branch on.
    pub const fn code(self) -> &'static str {
        match self {
            Self::EntryTooLong { .. } => "ledger-entry-too-long",
            Self::Full => "ledger-full",
        }
    }
}

/// The stored right edge could not be taken up again. The log must not be extended then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError<E> {
    /// Reading failed.
    #[error("reading the stored log failed: {0}")]
    Source(#[source] E),
    /// A stored tile is shorter than the size demands, or no whole number of hashes.
    #[error("the stored tile {} has {found} bytes", .id.path())]
    TileLength {
        /// The tile asked for.
        id: TileId,
        /// Bytes that came.
        found: usize,
    },
    /// The stored bundle cannot be read.
    #[error("the stored bundle {index} cannot be read: {error}")]
    Bundle {
        /// Which bundle.
        index: u64,
        /// Why.
        error: BundleError,
    },
    /// The stored bundle has fewer entries than the size demands.
    #[error("the stored bundle {index} has only {found} entries")]
    BundleLength {
        /// Which bundle.
        index: u64,
        /// Entries that came.
        found: usize,
    },
    /// An entry does not hash to its leaf.
    #[error("entry {index} does not match its leaf hash")]
    Entry {
        /// Which entry of the log.
        index: u64,
    },
    /// A full tile does not give its hash in the level above.
    #[error("the stored tile {} does not give its hash in the level above", .id.path())]
    TileHash {
        /// Which tile.
        id: TileId,
    },
    /// The tiles do not give the root that was expected.
    #[error("the stored tiles give the root {found}, not {expected}")]
    Root {
        /// The root in the checkpoint.
        expected: Hash,
        /// What the tiles give.
        found: Hash,
    },
}

impl<E> RestoreError<E> {
    /// The stable code that clients may branch on.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Source(_) => "ledger-restore-source",
            Self::TileLength { .. } => "ledger-restore-tile-length",
            Self::Bundle { .. } => "ledger-restore-bundle",
            Self::BundleLength { .. } => "ledger-restore-bundle-length",
            Self::Entry { .. } => "ledger-restore-entry",
            Self::TileHash { .. } => "ledger-restore-tile-hash",
            Self::Root { .. } => "ledger-restore-root",
        }
    }
}

impl Default for Tree {
    fn default() -> Self {
        Self::new()
    }
}

impl Tree {
    /// A tree without entries.
    pub const fn new() -> Self {
        Self { size: 0, peaks: Vec::new(), tiles: Vec::new(), bundle: Vec::new() }
    }

    /// Takes up a stored log of `size` entries whose root must be `root`.
    ///
    /// Reads at most one tile of each level and one bundle (nine reads for any size). `read` may
    /// answer with a wider tile or bundle than asked for; what is beyond `size` is left out.
    pub fn restore<E>(
        size: u64,
        root: &Hash,
        mut read: impl FnMut(Resource) -> Result<Vec<u8>, E>,
    ) -> Result<Self, RestoreError<E>> {
        let mut tree = Self::new();
        tree.size = size;
        let mut leaves = Vec::new();
        let mut low_peaks = Vec::new();
        for level in 0..LEVELS {
            let hashes_in_level = shift_right(size, u32::from(level) * 8);
            if hashes_in_level == 0 {
                break;
            }
            let Some(id) = TileId::at(level, hashes_in_level >> 8, size) else {
                tree.tiles.push(Vec::with_capacity(FULL_TILE_BYTES));
                continue;
            };
            let hashes = read_tile(id, &mut read)?;
            low_peaks.push(peaks_of(&hashes));
            tree.tiles.push(concatenate(&hashes));
            if level == 0 {
                leaves = hashes;
            }
        }
        tree.peaks = low_peaks.into_iter().rev().flatten().collect();
        let found = tree.root();
        if found != *root {
            return Err(RestoreError::Root { expected: *root, found });
        }
        if let Some(id) = BundleId::at(size >> 8, size) {
            let bytes = read(Resource::Bundle(id)).map_err(RestoreError::Source)?;
            tree.take_bundle(id.index, &bytes, &leaves)?;
        }
        Ok(tree)
    }

    /// Reads again what was written for an append, before its root is signed, and gives the log as it is
    /// stored: every new entry is hashed to its leaf, every filled tile to its hash in the level above,
    /// and the rest to the root.
    ///
    /// One bit that flips between hashing and storing makes a log that nobody can prove any more: it
    /// ended the public log Yeti 2022 (<https://groups.google.com/a/chromium.org/g/ct-policy/c/PCkKU357M2Q>).
    pub fn read_back<E>(
        appended: &Appended,
        mut read: impl FnMut(Resource) -> Result<Vec<u8>, E>,
    ) -> Result<Self, RestoreError<E>> {
        for tile in appended.tiles.iter().filter(|it| it.width == TILE_WIDTH) {
            let id = TileId { level: tile.level, index: tile.index, width: tile.width };
            let hashes = read_tile(id, &mut read)?;
            if let Some(above) = TileId::at(id.level + 1, id.index >> 8, appended.size) {
                let above = read_tile(above, &mut read)?;
                if above.get(usize::from(low_byte(id.index))).copied() != perfect_root(&hashes) {
                    return Err(RestoreError::TileHash { id });
                }
            }
            if let (0, Some(bundle)) = (id.level, BundleId::at(id.index, appended.size)) {
                let bytes = read(Resource::Bundle(bundle)).map_err(RestoreError::Source)?;
                Self::new().take_bundle(id.index, &bytes, &hashes)?;
            }
        }
        Self::restore(appended.size, &appended.root, read)
    }

    fn take_bundle<E>(
        &mut self,
        index: u64,
        bytes: &[u8],
        leaves: &[Hash],
    ) -> Result<(), RestoreError<E>> {
        let bundle_error = |error| RestoreError::Bundle { index, error };
        let entries = parse_bundle(bytes).map_err(bundle_error)?;
        if entries.len() < leaves.len() {
            return Err(RestoreError::BundleLength { index, found: entries.len() });
        }
        for (position, (entry, leaf)) in entries.iter().zip(leaves).enumerate() {
            if leaf_hash(entry) != *leaf {
                let position = u64::try_from(position).unwrap_or(u64::MAX);
                return Err(RestoreError::Entry { index: (index << 8) | position });
            }
            push_entry(&mut self.bundle, position, entry).map_err(bundle_error)?;
        }
        Ok(())
    }

    /// Entries in the log.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root over all entries.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        match peaks.next() {
            Some(last) => peaks.fold(*last, |right, left| node_hash(left, &right)),
            None => empty_root(),
        }
    }

    /// Adds a batch. An empty batch changes and writes nothing.
    pub fn append(&mut self, entries: &[impl AsRef<[u8]>]) -> Result<Appended, AppendError> {
        let first = self.size;
        let count = u64::try_from(entries.len()).map_err(|_| AppendError::Full)?;
        first.checked_add(count).ok_or(AppendError::Full)?;
        for (position, entry) in entries.iter().enumerate() {
            let length = entry.as_ref().len();
            if length > MAX_ENTRY_BYTES {
                return Err(AppendError::EntryTooLong { position, length });
            }
        }
        let mut tiles = Vec::new();
        let mut bundles = Vec::new();
        for (position, entry) in entries.iter().enumerate() {
            let entry = entry.as_ref();
            push_entry(&mut self.bundle, position, entry)
                .map_err(|_| AppendError::EntryTooLong { position, length: entry.len() })?;
            self.push_leaf(leaf_hash(entry), &mut tiles);
            if low_byte(self.size) == 0 {
                // The next bundle will be about as large as this one.
                let room = Vec::with_capacity(self.bundle.len());
                let bytes = std::mem::replace(&mut self.bundle, room);
                bundles.push(BundleWrite {
                    index: (self.size >> 8).saturating_sub(1),
                    width: TILE_WIDTH,
                    bytes,
                });
            }
        }
        self.push_growing(first, &mut tiles, &mut bundles);
        Ok(Appended { first, size: self.size, root: self.root(), tiles, bundles })
    }

    /// Carries a leaf up through the peaks like adding one to a binary number. A node that closes
    /// 8 more levels is a hash of the next tile level.
    fn push_leaf(&mut self, leaf: Hash, full: &mut Vec<TileWrite>) {
        let index = self.size;
        let mut node = leaf;
        let mut height = 0_u32;
        self.push_hash(0, index, node, full);
        while let Some(left) = self.peaks.pop_if(|_| shift_right(index, height) & 1 == 1) {
            node = node_hash(&left, &node);
            height += 1;
            if height.is_multiple_of(8) {
                self.push_hash(height / 8, shift_right(index, height), node, full);
            }
        }
        self.peaks.push(node);
        self.size += 1;
    }

    /// Puts the hash `index` of a level on its growing tile and hands the tile out when full.
    fn push_hash(&mut self, level: u32, index: u64, hash: Hash, full: &mut Vec<TileWrite>) {
        let Ok(level) = u8::try_from(level) else { return };
        let place = usize::from(level);
        if self.tiles.len() <= place {
            self.tiles.resize_with(place + 1, || Vec::with_capacity(FULL_TILE_BYTES));
        }
        let Some(tile) = self.tiles.get_mut(place) else { return };
        tile.extend_from_slice(hash.as_ref());
        if tile.len() == FULL_TILE_BYTES {
            let bytes = std::mem::replace(tile, Vec::with_capacity(FULL_TILE_BYTES));
            full.push(TileWrite { level, index: index >> 8, width: TILE_WIDTH, bytes });
        }
    }

    /// The growing tiles and the growing bundle, as far as anything was added since `first`.
    fn push_growing(&self, first: u64, tiles: &mut Vec<TileWrite>, bundles: &mut Vec<BundleWrite>) {
        for (level, bytes) in (0..LEVELS).zip(&self.tiles) {
            let bits = u32::from(level) * 8;
            let hashes = shift_right(self.size, bits);
            if hashes == shift_right(first, bits) {
                break; // Levels above can only have grown when this one has.
            }
            if let Some(id) = TileId::at(level, hashes >> 8, self.size) {
                let TileId { level, index, width } = id;
                tiles.push(TileWrite { level, index, width, bytes: bytes.clone() });
            }
        }
        if self.size != first
            && let Some(BundleId { index, width }) = BundleId::at(self.size >> 8, self.size)
        {
            bundles.push(BundleWrite { index, width, bytes: self.bundle.clone() });
        }
    }
}

fn read_tile<E>(
    id: TileId,
    read: &mut impl FnMut(Resource) -> Result<Vec<u8>, E>,
) -> Result<Vec<Hash>, RestoreError<E>> {
    let bytes = read(Resource::Tile(id)).map_err(RestoreError::Source)?;
    tile_hashes(&bytes, id.width).ok_or(RestoreError::TileLength { id, found: bytes.len() })
}

/// The perfect subtrees over the hashes of a growing tile, largest first.
fn peaks_of(hashes: &[Hash]) -> Vec<Hash> {
    let mut peaks = Vec::new();
    let mut rest = hashes;
    while let Some(bits) = rest.len().checked_ilog2() {
        let Some((subtree, after)) = rest.split_at_checked(1 << bits) else { break };
        peaks.extend(perfect_root(subtree));
        rest = after;
    }
    peaks
}

fn concatenate(hashes: &[Hash]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(FULL_TILE_BYTES);
    for hash in hashes {
        bytes.extend_from_slice(hash.as_ref());
    }
    bytes
}
