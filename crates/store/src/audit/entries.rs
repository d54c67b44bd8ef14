//! The log from its first entry to its last: the tree and its tiles. Each bundle goes on to
//! [`super::rows`].

use std::collections::BTreeMap;

use std::sync::mpsc::SyncSender;

use ledger::{Checkpoint, Hash, RestoreError, TILE_WIDTH, Tree, VerifierKey};

use super::rows::Leaves;
use super::{Auditor, Head};
use crate::Fault;
use crate::fault::Doing as _;
use crate::open::stored;
use crate::projection::select;

pub(super) const BUNDLES: &str = "SELECT position, width, bytes FROM log_bundle WHERE region = $1 AND position >= $2 \
     ORDER BY position LIMIT 64";
pub(super) const TILES: &str =
    "SELECT level, position, width, LENGTH(bytes) FROM log_tile WHERE region = $1";
pub(super) const TILE: &str =
    "SELECT bytes FROM log_tile WHERE region = $1 AND level = $2 AND position = $3";
pub(super) const BEYOND: &str =
    "SELECT seq FROM event WHERE region = $1 AND (seq < 0 OR seq >= $2) LIMIT 1";
/// A checkpoint from an earlier audit.
pub(super) struct Kept(Checkpoint);

impl Kept {
    /// Only what this log's key signed is gone on from.
    pub(super) fn open(text: &str, log: &VerifierKey) -> Result<Self, Fault> {
        let open = Checkpoint::open(text, log, &[]);
        Ok(Self(open.doing("the kept checkpoint is none of this log")?.checkpoint))
    }
}

impl Auditor<'_> {
    pub(super) fn entries(
        &mut self,
        head: &Head,
        kept: Option<&Kept>,
        leaves: &SyncSender<Leaves>,
        progress: &mut impl FnMut(u64, u64),
    ) -> Result<(), Fault> {
        let mut tree = match kept {
            Some(kept) => self.resume(&kept.0, head)?,
            None => Tree::new(),
        };
        self.findings.0.from = tree.size();
        let whole = self.walk(&mut tree, head, leaves, progress);
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
        leaves: &SyncSender<Leaves>,
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
            for mut row in rows {
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
                let skipped = entries.len() - fresh.len();
                let bundle = row.take_bytes(2)?;
                if leaves.send(Leaves { first, bundle, skipped }).is_err() {
                    // Whoever compares the rows has met a fault of the world, and says so.
                    return Ok(());
                }
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
}
