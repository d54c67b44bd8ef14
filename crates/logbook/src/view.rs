//! Reading the log: the newest entries, proofs, a search, a person's own entries.
//!
//! The slice has no tables: the log itself is what it shows. Everything a page asks for is bounded,
//! whatever the size of the log.

use std::collections::BTreeMap;

use kernel::{Date, Instant, Zone};
use ledger::tile::BundleId;
use ledger::{Hash, Resource, TILE_WIDTH, TileId};
use store::read::Head;
use store::{Fault, Leaf, Reader, Recorded};

use crate::model::Proven;

/// The streams whose events are about one citizen, with the person as the stream's id.
pub const OWN_STREAMS: [&str; 3] = ["person.citizen", "pass.wallet", "code.holder"];

/// Bundles that the picture of kinds is drawn from.
const KINDS_BUNDLES: u64 = 4;
/// Bundles (256 entries each) that one search looks through before it offers to go on.
pub const SEARCH_BUNDLES: u64 = 128;

/// An entry as it stands on the log.
#[derive(Debug)]
pub struct Entry {
    /// Its index.
    pub index: u64,
    /// The line.
    pub bytes: Vec<u8>,
    /// The line, read.
    pub leaf: Leaf,
}

fn read(index: u64, bytes: &[u8]) -> Result<Entry, Fault> {
    Ok(Entry { index, bytes: bytes.to_vec(), leaf: Leaf::parse(bytes)? })
}

/// The head of the log.
pub fn head(reader: &mut Reader<'_>) -> Result<Head, Fault> {
    reader.head()
}

/// The entry with this index.
pub fn entry(reader: &mut Reader<'_>, index: u64) -> Result<Option<Entry>, Fault> {
    let bytes = reader.entry(index)?;
    bytes.map(|bytes| read(index, &bytes)).transpose()
}

/// The `limit` entries before index `before`, newest first.
pub fn entries_before(
    reader: &mut Reader<'_>,
    before: u64,
    limit: u64,
) -> Result<Vec<Entry>, Fault> {
    let mut entries = Vec::new();
    for index in (before.saturating_sub(limit)..before).rev() {
        entries.extend(entry(reader, index)?);
    }
    Ok(entries)
}

/// How many entries each of the last `days` days has, the oldest day first. Today is the day of
/// `now` in the city's zone.
pub fn per_day(
    reader: &mut Reader<'_>,
    size: u64,
    zone: &Zone,
    now: Instant,
    days: i32,
) -> Result<Vec<(Date, u64)>, Fault> {
    let today = zone.date(now);
    let mut counts = Vec::new();
    let mut end = size;
    for back in 0..days {
        let day = today.plus_days(-back);
        let begin = first_since(reader, end, zone.start_of(day))?;
        counts.push((day, end - begin));
        end = begin;
    }
    counts.reverse();
    Ok(counts)
}

/// The first of the entries before `end` that was written at `since` or later; `end` when none was.
/// By halves: the log is in the order of the server's clock, and where that clock was once set back
/// an entry may count for the neighbouring day.
fn first_since(reader: &mut Reader<'_>, end: u64, since: Instant) -> Result<u64, Fault> {
    let (mut low, mut high) = (0, end);
    while low < high {
        let middle = low + (high - low) / 2;
        let later = entry(reader, middle)?.is_none_or(|it| it.leaf.at >= since);
        if later {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok(low)
}

/// The kinds among the newest entries, the most frequent first, and how many entries were looked
/// at.
pub fn kinds(reader: &mut Reader<'_>, size: u64) -> Result<(u64, Vec<(String, u64)>), Fault> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut looked_at = 0;
    let last = size.saturating_sub(1) >> 8;
    for position in last.saturating_sub(KINDS_BUNDLES - 1)..=last {
        let Some(id) = BundleId::at(position, size) else { continue };
        let Some(bytes) = reader.resource(Resource::Bundle(id))? else { continue };
        for bytes in bundle(&bytes)? {
            *counts.entry(Leaf::parse(bytes)?.kind).or_default() += 1;
            looked_at += 1;
        }
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    Ok((looked_at, counts))
}

fn bundle(bytes: &[u8]) -> Result<Vec<&[u8]>, Fault> {
    ledger::parse_bundle(bytes).map_err(|error| Fault::caused("reading a bundle", error))
}

/// The entry with its path to the root of the log when it had `size` entries (at most as many as it
/// has now); `None` when that log has no such entry.
pub fn prove(reader: &mut Reader<'_>, index: u64, size: u64) -> Result<Option<Proven>, Fault> {
    if index >= size {
        return Ok(None);
    }
    let Some(entry) = reader.entry(index)? else { return Ok(None) };
    let path = reader.inclusion_proof(index, size)?;
    let root = root_at(reader, size)?;
    Ok(Some(Proven { index, entry, size, root, path }))
}

/// The root of the log when it had `size` entries.
pub fn root_at(reader: &mut Reader<'_>, size: u64) -> Result<Hash, Fault> {
    let mut source = |id: TileId| {
        let tile = reader.resource(Resource::Tile(id))?;
        tile.ok_or_else(|| Fault::new(format!("the tile {} is missing", id.path())))
    };
    ledger::root_at(size, &mut source).map_err(|error| Fault::caused("computing a root", error))
}

/// The proof that the log of `new` entries continues the one of `old`, with both roots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Continued {
    /// The old size.
    pub old: u64,
    /// The old root.
    pub old_root: Hash,
    /// The new size.
    pub new: u64,
    /// The new root.
    pub new_root: Hash,
    /// The proof.
    pub path: Vec<Hash>,
}

/// Proves it; `None` for sizes between which nothing can be proven.
pub fn continued(
    reader: &mut Reader<'_>,
    head: &Head,
    old: u64,
    new: u64,
) -> Result<Option<Continued>, Fault> {
    if old == 0 || old > new || new > head.size {
        return Ok(None);
    }
    let path = reader.consistency_proof(old, new)?;
    let (old_root, new_root) = (root_at(reader, old)?, root_at(reader, new)?);
    Ok(Some(Continued { old, old_root, new, new_root, path }))
}

/// Where a search for a hash ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// At this entry.
    At(u64),
    /// Not among the entries from this index on; older ones were not looked at.
    NotSince(u64),
    /// Nowhere on the log.
    Nowhere,
}

/// Looks for an entry by its own hash or by its commitment, from `before` backwards.
pub fn find(reader: &mut Reader<'_>, size: u64, hash: &Hash, before: u64) -> Result<Found, Fault> {
    let commit = format!("\"commit\":\"{}\"", hash.to_hex()).into_bytes();
    let mut end = before.min(size);
    for _ in 0..SEARCH_BUNDLES {
        let Some(last) = end.checked_sub(1) else { return Ok(Found::Nowhere) };
        let position = last >> 8;
        let first = position << 8;
        let within = usize::try_from(end - first).unwrap_or(usize::from(TILE_WIDTH));
        if let Some(at) = find_in(reader, size, position, within, hash, &commit)? {
            return Ok(Found::At(first + at));
        }
        end = first;
    }
    Ok(if end == 0 { Found::Nowhere } else { Found::NotSince(end) })
}

fn find_in(
    reader: &mut Reader<'_>,
    size: u64,
    position: u64,
    within: usize,
    hash: &Hash,
    commit: &[u8],
) -> Result<Option<u64>, Fault> {
    let tile = TileId::at(0, position, size).map(Resource::Tile);
    let tile = tile.map(|it| reader.resource(it)).transpose()?.flatten().unwrap_or_default();
    let (leaves, _) = tile.as_chunks::<{ Hash::LENGTH }>();
    let here = leaves.iter().take(within).position(|leaf| leaf == hash.as_bytes());
    if let Some(at) = here {
        return Ok(u64::try_from(at).ok());
    }
    let Some(id) = BundleId::at(position, size) else { return Ok(None) };
    let Some(bytes) = reader.resource(Resource::Bundle(id))? else { return Ok(None) };
    // A sealed entry ends with its commitment.
    let holds = |line: &&[u8]| line.strip_suffix(b"}").is_some_and(|it| it.ends_with(commit));
    let here = bundle(&bytes)?.iter().take(within).position(holds);
    Ok(here.and_then(|at| u64::try_from(at).ok()))
}

/// The events about one citizen, newest first.
pub fn own(reader: &mut Reader<'_>, person: u128) -> Result<Vec<Recorded>, Fault> {
    let mut events = Vec::new();
    for stream in OWN_STREAMS {
        events.extend(reader.events(stream, person)?);
    }
    events.sort_by_key(|it| std::cmp::Reverse(it.seq));
    Ok(events)
}

/// The event with this index, when it is about this citizen.
pub fn own_event(
    reader: &mut Reader<'_>,
    person: u128,
    index: u64,
) -> Result<Option<Recorded>, Fault> {
    let event = reader.event(index)?;
    Ok(event.filter(|it| it.stream_id == person && OWN_STREAMS.contains(&it.stream.as_str())))
}
