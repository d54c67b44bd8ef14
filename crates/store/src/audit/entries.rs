//! The log from its first entry to its last: tree, tiles, and the row beside each entry.

use std::collections::BTreeMap;

use kernel::Instant;
use ledger::{Checkpoint, Hash, RestoreError, TILE_WIDTH, Tree, VerifierKey};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Auditor, Head, Missing};
use crate::fault::Doing as _;
use crate::leaf::{SALT_LEN, commitment};
use crate::open::stored;
use crate::projection::select;
use crate::tx::{epoch_scope, event_context, utc_day};
use crate::vault::Scope;
use crate::{Fault, Row, Value};

pub(super) const BUNDLES: &str = "SELECT position, width, bytes FROM log_bundle WHERE region = $1 AND position >= $2 \
     ORDER BY position LIMIT 64";
pub(super) const TILES: &str =
    "SELECT level, position, width, LENGTH(bytes) FROM log_tile WHERE region = $1";
pub(super) const TILE: &str =
    "SELECT bytes FROM log_tile WHERE region = $1 AND level = $2 AND position = $3";
pub(super) const EVENTS: &str = "SELECT seq, kind, at, sealed, epoch, payload, stream, stream_id FROM event \
     WHERE region = $1 AND seq >= $2 AND seq < $3 ORDER BY seq";
pub(super) const BEYOND: &str =
    "SELECT seq FROM event WHERE region = $1 AND (seq < 0 OR seq >= $2) LIMIT 1";
const OBSERVATIONS: &str = "SELECT seq, kind, at, day, payload FROM observation \
     WHERE region = $1 AND seq >= $2 AND seq < $3 ORDER BY seq";

/// A checkpoint from an earlier audit.
pub(super) struct Kept(Checkpoint);

impl Kept {
    /// Only what this log's key signed is gone on from.
    pub(super) fn open(text: &str, log: &VerifierKey) -> Result<Self, Fault> {
        let open = Checkpoint::open(text, log, &[]);
        Ok(Self(open.doing("the kept checkpoint is none of this log")?.checkpoint))
    }
}

/// A line of the log, without copies. Kinds and regions are plain words: nothing in them is escaped.
#[derive(Deserialize)]
struct Line<'a> {
    region: &'a str,
    at: Instant,
    kind: &'a str,
    #[serde(default, borrow)]
    commit: Option<&'a str>,
    #[serde(default, borrow)]
    public: Option<&'a RawValue>,
}

/// What a payload says of itself.
#[derive(Deserialize)]
struct Envelope<'a> {
    stream: &'a str,
    id: &'a str,
}

impl Auditor<'_> {
    pub(super) fn entries(
        &mut self,
        head: &Head,
        kept: Option<&Kept>,
        progress: &mut impl FnMut(u64, u64),
    ) -> Result<(), Fault> {
        let mut tree = match kept {
            Some(kept) => self.resume(&kept.0, head)?,
            None => Tree::new(),
        };
        self.findings.0.from = tree.size();
        let whole = self.walk(&mut tree, head, progress);
        self.findings.part("bundle", whole)?;
        self.findings.0.entries = tree.size();
        if tree.size() != head.size {
            let what = format!("{} entries, the head says {}", tree.size(), head.size);
            self.wrong(Some(tree.size().min(head.size)), "bundle", what);
        }
        let root = tree.root();
        if root != head.root {
            self.wrong(None, "checkpoint", "the root recomputed from the entries is another");
        }
        self.findings.0.root = root.to_hex();
        let many = self.too_many_tiles(head.size);
        self.findings.part("tile", many)?;
        Ok(())
    }

    /// The tree as it was at the kept checkpoint, taken up from today's tiles, which must give
    /// yesterday's root. When they do not, that is said and the log is audited from its beginning.
    fn resume(&mut self, kept: &Checkpoint, head: &Head) -> Result<Tree, Fault> {
        if kept.size > head.size {
            let what = format!("the log had {} entries and now has {}", kept.size, head.size);
            self.wrong(Some(head.size), "history", what);
            return Ok(Tree::new());
        }
        let restored = Tree::restore(kept.size, &kept.root, |resource| {
            stored(self.identity, &self.value, resource)
        });
        match restored {
            Ok(tree) => Ok(tree),
            Err(RestoreError::Source(fault)) => {
                self.findings.part("history", Err::<(), _>(fault))?;
                Ok(Tree::new())
            }
            Err(error) => {
                let what = format!(
                    "the first {} entries are not those of the kept checkpoint: {error}",
                    kept.size
                );
                let entry = match error {
                    RestoreError::Entry { index } => Some(index),
                    _ => None,
                };
                self.wrong(entry, "history", what);
                Ok(Tree::new())
            }
        }
    }

    /// Adds all bundles from the tree's size on, and compares what each completes.
    fn walk(
        &mut self,
        tree: &mut Tree,
        head: &Head,
        progress: &mut impl FnMut(u64, u64),
    ) -> Result<(), Fault> {
        // The newest tile of each level, compared at the end if it is still growing then.
        let mut growing: BTreeMap<u8, ledger::TileWrite> = BTreeMap::new();
        'bundles: loop {
            // A bundle that was left half full by the kept checkpoint is taken up in its middle.
            let rows = select(self.identity, &self.value, BUNDLES, &[(tree.size() >> 8).into()])?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                let (first, position) = (tree.size(), tree.size() >> 8);
                if row.count(0)? != position {
                    self.wrong(Some(first), "bundle", format!("bundle {position} is missing"));
                    return Ok(());
                }
                let entries = match ledger::parse_bundle(row.bytes(2)?) {
                    Ok(entries) => entries,
                    Err(error) => {
                        self.wrong(Some(first), "bundle", error.to_string());
                        return Ok(());
                    }
                };
                let width = u64::try_from(entries.len()).unwrap_or(u64::MAX);
                if row.count(1)? != width {
                    let what = format!("bundle {position} says another number of entries");
                    self.wrong(Some(position << 8), "bundle", what);
                }
                let fresh = usize::try_from(first & 0xff).ok().and_then(|it| entries.get(it..));
                let fresh = fresh.unwrap_or_default();
                let appended = tree.append(fresh).doing("recomputing the log")?;
                for tile in appended.tiles {
                    if tile.width == TILE_WIDTH {
                        growing.remove(&tile.level);
                        self.tile(&tile)?;
                    } else {
                        growing.insert(tile.level, tile);
                    }
                }
                let compared = self.rows(first, fresh);
                self.findings.part("event", compared)?;
                progress(tree.size(), head.size);
                if tree.size() & 0xff != 0 || tree.size() == first {
                    break 'bundles;
                }
            }
        }
        if !select(self.identity, &self.value, BEYOND, &[tree.size().into()])?.is_empty() {
            self.wrong(Some(tree.size()), "event", "a row has no leaf");
        }
        let until = ((tree.size() + 255) >> 8).into();
        if !select(self.identity, &self.value, BUNDLES, &[until])?.is_empty() {
            self.wrong(Some(tree.size()), "bundle", "there are bundles beyond the last entry");
        }
        for tile in growing.values() {
            self.tile(tile)?;
        }
        Ok(())
    }

    fn tile(&mut self, tile: &ledger::TileWrite) -> Result<(), Fault> {
        let rows =
            select(self.identity, &self.value, TILE, &[tile.level.into(), tile.index.into()])?;
        let what = match rows.first() {
            Some(row) if row.bytes(0)? == tile.bytes => return Ok(()),
            Some(_) => format!("tile {} of level {} differs", tile.index, tile.level),
            None => format!("tile {} of level {} is missing", tile.index, tile.level),
        };
        let stored = rows.first().map_or(Ok(&[][..]), |row| row.bytes(0))?;
        let same = stored.iter().zip(&tile.bytes).take_while(|(a, b)| a == b).count();
        // A hash of level 0 is one entry's; one above covers many, and naming its first would put
        // an innocent entry before the one that was altered.
        let entry = (tile.index << 8) + u64::try_from(same / Hash::LENGTH).unwrap_or(0);
        self.wrong((tile.level == 0).then_some(entry), "tile", what);
        Ok(())
    }

    /// That there are no tiles too many, and each says how wide it is.
    fn too_many_tiles(&mut self, size: u64) -> Result<(), Fault> {
        for row in select(self.identity, &self.value, TILES, &[])? {
            let level = u8::try_from(row.int(0)?).unwrap_or(u8::MAX);
            let (index, width) = (row.count(1)?, row.count(2)?);
            let known = ledger::TileId::at(level, index, size);
            if known.is_none_or(|it| u64::from(it.width) != width) || row.count(3)? != width * 32 {
                self.wrong(None, "tile", format!("tile {index} of level {level} does not belong"));
            }
        }
        Ok(())
    }

    /// Compares the rows beside a bundle's entries.
    fn rows(&mut self, first: u64, entries: &[&[u8]]) -> Result<(), Fault> {
        let until = first + u64::try_from(entries.len()).unwrap_or(0);
        let range: [Value; 2] = [first.into(), until.into()];
        // Rows that cannot be read leave their entries without one, and each of those is named.
        let read = select(self.identity, &self.value, EVENTS, &range);
        let events = self.findings.part("event", read)?.unwrap_or_default();
        let read = select(self.visits, &self.value, OBSERVATIONS, &range);
        let observations = self.findings.part("event", read)?.unwrap_or_default();
        let (mut events, mut observations) =
            (events.iter().peekable(), observations.iter().peekable());
        for (seq, bytes) in (first..).zip(entries) {
            let event = events.next_if(|row| row.count(0).is_ok_and(|it| it == seq));
            let observation = observations.next_if(|row| row.count(0).is_ok_and(|it| it == seq));
            let line: Line<'_> = match serde_json::from_slice(bytes) {
                Ok(line) => line,
                Err(error) => {
                    self.wrong(Some(seq), "bundle", format!("reading a leaf: {error}"));
                    continue;
                }
            };
            let checked = match (event, observation) {
                (Some(row), None) => self.event(seq, &line, row),
                (None, Some(row)) => self.observation(seq, &line, row),
                (None, None) => {
                    self.absent(seq, &line);
                    Ok(())
                }
                (Some(_), Some(_)) => {
                    self.wrong(Some(seq), "event", "two payloads stand beside one leaf");
                    Ok(())
                }
            };
            // A row that cannot be read at all is a finding, not the end of the audit.
            match checked {
                Err(fault) if super::snapshot::is_of_the_world(&fault) => return Err(fault),
                Err(fault) => self.wrong(Some(seq), "payload", fault.chain()),
                Ok(()) => {}
            }
        }
        if events.peek().is_some() || observations.peek().is_some() {
            self.wrong(Some(until), "event", "a row has no leaf");
        }
        Ok(())
    }

    fn absent(&mut self, seq: u64, line: &Line<'_>) {
        if self.registry.observation(line.kind).is_err() {
            // The row of an event stays when its key goes: only visits leave with their day.
            self.wrong(Some(seq), "event", "the payload is missing");
            return;
        }
        let it = Missing { seq, kind: line.kind.to_owned(), day: utc_day(line.at) };
        if it.is_explained(&self.said) {
            self.findings.0.erased += 1;
        } else {
            self.missing.push(it);
        }
    }

    /// Kind, time and region are the leaf's.
    fn beside(&mut self, seq: u64, line: &Line<'_>, row: &Row) -> Result<(), Fault> {
        let same = line.kind == row.text(1)?
            && line.at == row.instant(2)?
            && line.region == self.region.as_str();
        if !same {
            self.wrong(Some(seq), "event", "kind, time or region differ from the leaf");
        }
        Ok(())
    }

    fn event(&mut self, seq: u64, line: &Line<'_>, row: &Row) -> Result<(), Fault> {
        self.beside(seq, line, row)?;
        let (kind, stream) = (row.text(1)?, row.text(6)?);
        let (sealed, day) = (row.int(3)? == 1, row.maybe_int(4)?);
        // A day that is not the leaf's own would let a payload pass for one that has ended.
        let own_day = day.is_none_or(|it| sealed && it == i64::from(utc_day(line.at)));
        if row.int(3)? != i64::from(line.commit.is_some()) || !own_day {
            self.wrong(Some(seq), "event", "how it is sealed differs from the leaf");
        }
        let own = stream == "store";
        if !own && self.registry.stream(stream).is_err() {
            self.wrong(Some(seq), "event", "the stream is none of ours");
        }
        let payload = row.bytes(5)?;
        let envelope = if sealed {
            let subject = u128::from_be_bytes(row.bytes(7)?.try_into().doing("reading an id")?);
            let epoch = epoch_scope(kind, day);
            let Some(key) = self.vault.find_for(Some(subject), epoch.as_ref())? else {
                let day = day.and_then(|it| i32::try_from(it).ok());
                let ended = self.said.forgotten.contains(&subject)
                    || day.is_some_and(|it| self.said.expired.contains(&(kind.to_owned(), it)));
                self.erased(seq, ended);
                return Ok(());
            };
            let mut opened = key.open(seq, &event_context(self.region, kind), payload)?;
            self.commitment(seq, line, &opened);
            opened.drain(..SALT_LEN.min(opened.len()));
            opened
        } else {
            if line.public.is_some_and(|it| it.get().as_bytes() == payload) {
                self.findings.0.public += 1;
            } else {
                self.wrong(Some(seq), "payload", "the public payload differs from the leaf");
            }
            payload.to_vec()
        };
        let says: Envelope<'_> = serde_json::from_slice(&envelope).doing("reading a payload")?;
        let id = if own { hex::encode([0_u8; 16]) } else { says.id.to_owned() };
        if says.stream != stream || id != hex::encode(row.bytes(7)?) {
            self.wrong(Some(seq), "event", "the stream differs from the payload");
        }
        Ok(())
    }

    /// A payload whose key is gone: as it should be when the log says so, a finding otherwise.
    fn erased(&mut self, seq: u64, ended: bool) {
        if ended {
            self.findings.0.erased += 1;
        } else {
            self.wrong(Some(seq), "key", "the key is gone, and the log does not say why");
        }
    }

    fn commitment(&mut self, seq: u64, line: &Line<'_>, opened: &[u8]) {
        let mut said = [0; 32];
        let read = line.commit.is_some_and(|it| hex::decode_to_slice(it, &mut said).is_ok());
        let matches = opened
            .split_first_chunk::<SALT_LEN>()
            .is_some_and(|(salt, payload)| read && commitment(salt, payload) == said);
        if matches {
            self.findings.0.opened += 1;
        } else {
            self.wrong(Some(seq), "payload", "the payload is not the one committed to");
        }
    }

    fn observation(&mut self, seq: u64, line: &Line<'_>, row: &Row) -> Result<(), Fault> {
        self.beside(seq, line, row)?;
        let kind = row.text(1)?;
        let day = i32::try_from(row.int(3)?).doing("reading a day")?;
        let scope = Scope::Epoch { kind: kind.to_owned(), day, visits: true };
        let Some(key) = self.vault.find(&scope)? else {
            // Its rows left with the key: a row that is here claims a day that is not its own.
            self.erased(seq, false);
            return Ok(());
        };
        let opened = key.open(seq, &event_context(self.region, kind), row.bytes(4)?)?;
        self.commitment(seq, line, &opened);
        Ok(())
    }
}
