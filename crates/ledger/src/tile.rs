//! Where the hashes and entries of a log lie: C2SP tlog-tiles coordinates, paths and bundles.
//!
//! The same coordinates name a file, a row and a URL, so a log can be served by any file server.

use std::fmt;
use std::str::FromStr;

use crate::hash::{Hash, node_hash};
use crate::text::decimal;

/// Hashes in a full tile and entries in a full bundle.
pub const TILE_WIDTH: u16 = 256;

/// The longest entry in bytes: its length is written as an unsigned 16-bit number.
pub const MAX_ENTRY_BYTES: usize = 65_535;

/// The highest level that a path may name. Sizes of 64 bits never reach beyond level 7.
const MAX_LEVEL: u8 = 63;

/// A tile of hashes. Level 0 holds leaf hashes; a hash at level n+1 is the root of a full tile at
/// level n.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileId {
    /// 0 to 63.
    pub level: u8,
    /// Position within the level, from 0.
    pub index: u64,
    /// How many hashes, 1 to 256. Fewer than 256: a partial tile.
    pub width: u16,
}

/// A bundle of entries; it lies under the level-0 tile with the same index and width.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BundleId {
    /// Position, from 0.
    pub index: u64,
    /// How many entries, 1 to 256.
    pub width: u16,
}

/// What a `tile/...` path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// Hashes.
    Tile(TileId),
    /// Entries.
    Bundle(BundleId),
}

/// A path that is not one of tlog-tiles in its only spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a tile path")]
pub struct PathError;

impl PathError {
    /// The stable code that clients may branch on.
    pub const fn code(self) -> &'static str {
        "ledger-tile-path"
    }
}

impl TileId {
    /// The tile at this place in a log of `size` entries, as wide as that size makes it; `None`
    /// when that log has no such tile.
    pub fn at(level: u8, index: u64, size: u64) -> Option<Self> {
        let hashes = shift_right(size, u32::from(level).saturating_mul(8));
        width_at(index, hashes).map(|width| Self { level, index, width })
    }

    /// `tile/0/x001/234.p/5`.
    pub fn path(&self) -> String {
        Resource::Tile(*self).to_string()
    }
}

impl BundleId {
    /// The bundle at this place in a log of `size` entries; `None` when it has none.
    pub fn at(index: u64, size: u64) -> Option<Self> {
        width_at(index, size).map(|width| Self { index, width })
    }

    /// `tile/entries/x001/234.p/5`.
    pub fn path(&self) -> String {
        Resource::Bundle(*self).to_string()
    }
}

/// How wide the tile `index` is when its level has `hashes` hashes.
fn width_at(index: u64, hashes: u64) -> Option<u16> {
    let full = hashes >> 8;
    if index < full {
        return Some(TILE_WIDTH);
    }
    let width = low_byte(hashes);
    (index == full && width > 0).then_some(u16::from(width))
}

/// The path, relative to the log's prefix and without a leading slash.
impl fmt::Display for Resource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (index, width) = match self {
            Self::Tile(id) => {
                write!(formatter, "tile/{}/", id.level)?;
                (id.index, id.width)
            }
            Self::Bundle(id) => {
                formatter.write_str("tile/entries/")?;
                (id.index, id.width)
            }
        };
        let mut groups = vec![index % 1000];
        let mut rest = index / 1000;
        while rest > 0 {
            groups.push(rest % 1000);
            rest /= 1000;
        }
        for (place, group) in groups.iter().enumerate().rev() {
            match place {
                0 => write!(formatter, "{group:03}")?,
                _ => write!(formatter, "x{group:03}/")?,
            }
        }
        if width < TILE_WIDTH { write!(formatter, ".p/{width}") } else { Ok(()) }
    }
}

impl FromStr for Resource {
    type Err = PathError;

    fn from_str(path: &str) -> Result<Self, PathError> {
        let (kind, place) =
            path.strip_prefix("tile/").and_then(|rest| rest.split_once('/')).ok_or(PathError)?;
        let (place, width) = match place.split_once(".p/") {
            Some((place, width)) => (place, parse_width(width)?),
            None => (place, TILE_WIDTH),
        };
        let index = parse_index(place)?;
        let resource = if kind == "entries" {
            Self::Bundle(BundleId { index, width })
        } else {
            let level = decimal(kind).and_then(|level| u8::try_from(level).ok());
            let level = level.filter(|level| *level <= MAX_LEVEL).ok_or(PathError)?;
            Self::Tile(TileId { level, index, width })
        };
        // Leading groups of zeroes are the one thing left that could spell a place twice.
        if resource.to_string() == path { Ok(resource) } else { Err(PathError) }
    }
}

fn parse_width(text: &str) -> Result<u16, PathError> {
    let width = decimal(text).and_then(|width| u16::try_from(width).ok()).ok_or(PathError)?;
    if (1..TILE_WIDTH).contains(&width) { Ok(width) } else { Err(PathError) }
}

fn parse_index(place: &str) -> Result<u64, PathError> {
    place.split('/').try_fold(0_u64, |index, group| {
        let digits = group.strip_prefix('x').unwrap_or(group);
        if digits.len() != 3 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(PathError);
        }
        let group: u64 = digits.parse().map_err(|_| PathError)?;
        index.checked_mul(1000).and_then(|index| index.checked_add(group)).ok_or(PathError)
    })
}

/// A bundle that cannot be written or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// An entry is longer than [`MAX_ENTRY_BYTES`].
    #[error("entry {position} has {length} bytes, more than 65535")]
    EntryTooLong {
        /// Which one, from 0.
        position: usize,
        /// Its bytes.
        length: usize,
    },
    /// No entries at all; such a bundle must not be served.
    #[error("a bundle has at least one entry")]
    Empty,
    /// More than 256 entries.
    #[error("a bundle has at most 256 entries")]
    TooMany,
    /// The bytes end within an entry.
    #[error("the bundle ends within entry {position}")]
    Truncated {
        /// Which one, from 0.
        position: usize,
    },
}

impl BundleError {
    /// The stable code that clients may branch on.
    pub const fn code(self) -> &'static str {
        match self {
            Self::EntryTooLong { .. } => "ledger-entry-too-long",
            Self::Empty => "ledger-bundle-empty",
            Self::TooMany => "ledger-bundle-too-many",
            Self::Truncated { .. } => "ledger-bundle-truncated",
        }
    }
}

/// Writes 1 to 256 entries as a bundle: each after its length in two big-endian bytes.
pub fn encode_bundle(entries: &[impl AsRef<[u8]>]) -> Result<Vec<u8>, BundleError> {
    match entries.len() {
        0 => return Err(BundleError::Empty),
        1..=256 => {}
        _ => return Err(BundleError::TooMany),
    }
    let mut bytes = Vec::with_capacity(entries.iter().map(|entry| entry.as_ref().len() + 2).sum());
    for (position, entry) in entries.iter().enumerate() {
        push_entry(&mut bytes, position, entry.as_ref())?;
    }
    Ok(bytes)
}

/// Adds one length-prefixed entry.
pub(crate) fn push_entry(
    bytes: &mut Vec<u8>,
    position: usize,
    entry: &[u8],
) -> Result<(), BundleError> {
    let length = entry.len();
    let prefix =
        u16::try_from(length).map_err(|_| BundleError::EntryTooLong { position, length })?;
    bytes.extend_from_slice(&prefix.to_be_bytes());
    bytes.extend_from_slice(entry);
    Ok(())
}

/// Reads the entries of a bundle, 1 to 256 of them.
pub fn parse_bundle(bytes: &[u8]) -> Result<Vec<&[u8]>, BundleError> {
    let mut entries = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let position = entries.len();
        if position == usize::from(TILE_WIDTH) {
            return Err(BundleError::TooMany);
        }
        let (entry, after) = split_entry(rest).ok_or(BundleError::Truncated { position })?;
        entries.push(entry);
        rest = after;
    }
    if entries.is_empty() { Err(BundleError::Empty) } else { Ok(entries) }
}

fn split_entry(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (prefix, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*prefix)))
}

/// The first `width` hashes of a tile's bytes; `None` when it is shorter, longer than a full tile or
/// no whole number of hashes.
pub(crate) fn tile_hashes(bytes: &[u8], width: u16) -> Option<Vec<Hash>> {
    let (hashes, rest) = bytes.as_chunks::<{ Hash::LENGTH }>();
    if !rest.is_empty() || hashes.len() > usize::from(TILE_WIDTH) {
        return None;
    }
    let hashes = hashes.get(..usize::from(width))?;
    Some(hashes.iter().copied().map(Hash::from).collect())
}

/// The root above a power of two of hashes; `None` for any other number.
pub(crate) fn perfect_root(hashes: &[Hash]) -> Option<Hash> {
    if !hashes.len().is_power_of_two() {
        return None;
    }
    let mut row = hashes.to_vec();
    while row.len() > 1 {
        row = row.as_chunks::<2>().0.iter().map(|[left, right]| node_hash(left, right)).collect();
    }
    row.first().copied()
}

/// `value >> bits`, and 0 where nothing is left.
pub(crate) fn shift_right(value: u64, bits: u32) -> u64 {
    value.checked_shr(bits).unwrap_or(0)
}

/// The lowest eight bits.
pub(crate) fn low_byte(value: u64) -> u8 {
    let [low, ..] = value.to_le_bytes();
    low
}
