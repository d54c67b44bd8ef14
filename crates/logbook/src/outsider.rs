//! The audit of a log from outside, over nothing but its public files.
//!
//! Whoever has the log's key can run it, from anywhere: the signature of the checkpoint is checked,
//! every entry is fetched and read, the whole tree is computed again and compared with the served
//! tiles and with the signed root. What is found wrong names the first wrong entry. With a
//! checkpoint kept from an earlier visit the audit goes on from there, and notices when the past
//! has been exchanged or cut off.
//!
//! Sans-I/O: the caller brings `fetch`, which answers paths below the log's address (`checkpoint`,
//! `tile/0/x001/234`), so the same code audits a city over HTTP and a copy on a disk. Formats:
//! C2SP tlog-checkpoint and tlog-tiles.

use std::collections::BTreeMap;

use ledger::tile::BundleId;
use ledger::{
    Checkpoint, CheckpointError, Hash, NoteError, Resource, RestoreError, TILE_WIDTH, TileId,
    TileWrite, Tree, VerifierKey,
};
use serde::Serialize;
use store::Leaf;

/// Why a file of the log did not come.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The log says it has no such file (404). For a file that must be there this is a finding.
    #[error("the log does not have this file")]
    Missing,
    /// The log could not be asked: no network, a server in trouble. The audit says nothing then.
    #[error("the log could not be asked: {0}")]
    Failed(String),
}

/// An audit that could not be carried out; nothing is said about the log.
#[derive(Debug, thiserror::Error)]
pub enum OutsiderError {
    /// The text given as the log's key is none.
    #[error("not a log's key: {0}")]
    Key(#[source] NoteError),
    /// The checkpoint kept from an earlier visit is none of this log.
    #[error("the kept checkpoint cannot be used: {0}")]
    Kept(#[source] CheckpointError),
    /// A file could not be fetched.
    #[error("fetching {path}: {error}")]
    Fetch {
        /// Which file.
        path: String,
        /// Why not.
        error: FetchError,
    },
}

/// Something that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Wrong {
    /// The entry, or the first of the few that it can be; `None` where none can be named.
    pub entry: Option<u64>,
    /// Where: `checkpoint`, `history`, `bundle`, `entry`, `tile`, `root`.
    pub place: &'static str,
    /// What, in words for an operator.
    pub what: String,
}

/// What an audit found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whose log.
    pub origin: String,
    /// Entries by the checkpoint.
    pub size: u64,
    /// The root by the checkpoint, in hex.
    pub root: String,
    /// The entry from which on everything was fetched: 0, or the size of the kept checkpoint.
    pub from: u64,
    /// Entries that were fetched, read and hashed.
    pub entries: u64,
    /// Tiles that were compared.
    pub tiles: u64,
    /// The checkpoint, verbatim: keep it and hand it to the next audit. Empty when none was
    /// accepted.
    pub checkpoint: String,
    /// What is wrong, the first entry first. Empty when all is well.
    pub wrong: Vec<Wrong>,
}

impl Report {
    /// Whether nothing was found.
    pub fn is_good(&self) -> bool {
        self.wrong.is_empty()
    }
}

/// More findings than this are not collected.
const WRONG_MAX: usize = 100;

/// Somebody outside who checks a log.
#[derive(Debug, Clone)]
pub struct Outsider {
    key: VerifierKey,
    kept: Option<Checkpoint>,
}

impl Outsider {
    /// An auditor of the log with this key, e.g. `city.example/log+3f2a…+A…` as `/log/key` serves
    /// it. Take the key from a source other than the log where you can.
    pub fn try_new(key: &str) -> Result<Self, OutsiderError> {
        let key = key.trim().parse().map_err(OutsiderError::Key)?;
        Ok(Self { key, kept: None })
    }

    /// The same auditor with the checkpoint that an earlier audit gave ([`Report::checkpoint`]):
    /// what lies before is checked against its root and not fetched again.
    pub fn since(self, checkpoint: &str) -> Result<Self, OutsiderError> {
        let kept = Checkpoint::open(checkpoint, &self.key, &[]).map_err(OutsiderError::Kept)?;
        Ok(Self { kept: Some(kept.checkpoint), ..self })
    }

    /// Audits the log. `fetch` answers paths below the log's address; `progress` is told how many
    /// entries are done, and of how many.
    pub fn audit(
        &self,
        fetch: impl FnMut(&str) -> Result<Vec<u8>, FetchError>,
        progress: impl FnMut(u64, u64),
    ) -> Result<Report, OutsiderError> {
        let mut visit = Visit {
            fetch,
            progress,
            report: Report { origin: self.key.name().to_owned(), ..Report::default() },
            region: None,
            size: 0,
        };
        visit.run(self)?;
        let mut report = visit.report;
        report.wrong.sort_by_key(|it| it.entry.unwrap_or(u64::MAX));
        Ok(report)
    }
}

/// One audit under way.
struct Visit<F, P> {
    fetch: F,
    progress: P,
    report: Report,
    /// The region that the first entry names; all others must name it too.
    region: Option<String>,
    size: u64,
}

impl<F, P> Visit<F, P>
where
    F: FnMut(&str) -> Result<Vec<u8>, FetchError>,
    P: FnMut(u64, u64),
{
    fn wrong(&mut self, entry: Option<u64>, place: &'static str, what: impl Into<String>) {
        if self.report.wrong.len() < WRONG_MAX {
            self.report.wrong.push(Wrong { entry, place, what: what.into() });
        }
    }

    fn run(&mut self, outsider: &Outsider) -> Result<(), OutsiderError> {
        let Some(note) = self.file("checkpoint")? else {
            self.wrong(None, "checkpoint", "the log has no checkpoint");
            return Ok(());
        };
        let note = String::from_utf8_lossy(&note).into_owned();
        let checkpoint = match Checkpoint::open(&note, &outsider.key, &[]) {
            Ok(open) => open.checkpoint,
            Err(error) => {
                self.wrong(None, "checkpoint", error.to_string());
                return Ok(());
            }
        };
        self.size = checkpoint.size;
        self.report.size = checkpoint.size;
        self.report.root = checkpoint.root.to_hex();
        self.report.checkpoint = note;
        let mut tree = match &outsider.kept {
            Some(kept) => self.resume(kept, &checkpoint)?,
            None => Tree::new(),
        };
        self.report.from = tree.size();
        if self.entries(&mut tree)? && tree.root() != checkpoint.root {
            let what = format!(
                "the entries give the root {}, the log signed {}",
                tree.root().to_hex(),
                checkpoint.root.to_hex()
            );
            self.wrong(None, "root", what);
        }
        Ok(())
    }

    /// The tree as it was at the kept checkpoint, taken up from today's tiles, which must give
    /// yesterday's root. When they do not, that is said and the log is audited from the beginning.
    fn resume(&mut self, kept: &Checkpoint, now: &Checkpoint) -> Result<Tree, OutsiderError> {
        if kept.size > now.size {
            let what =
                format!("the log had {} entries and now says it has {}", kept.size, now.size);
            self.wrong(Some(now.size), "history", what);
            return Ok(Tree::new());
        }
        let restored = Tree::restore(kept.size, &kept.root, |resource| {
            let today = match resource {
                Resource::Tile(id) => TileId::at(id.level, id.index, now.size).map(Resource::Tile),
                Resource::Bundle(id) => BundleId::at(id.index, now.size).map(Resource::Bundle),
            };
            let resource = today.unwrap_or(resource);
            let found = self.resource(resource)?;
            Ok(found.unwrap_or_default())
        });
        match restored {
            Ok(tree) => Ok(tree),
            Err(RestoreError::Source(error)) => Err(error),
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

    /// Fetches all entries from the tree's size on and adds them. `false` when the rest could not
    /// be computed.
    fn entries(&mut self, tree: &mut Tree) -> Result<bool, OutsiderError> {
        // Tiles that are not full yet are compared at the end, as the checkpoint's size makes them.
        let mut growing: BTreeMap<u8, TileWrite> = BTreeMap::new();
        while tree.size() < self.size {
            let first = tree.size();
            let Some(id) = BundleId::at(first >> 8, self.size) else { return Ok(false) };
            let Some(bytes) = self.resource(Resource::Bundle(id))? else {
                self.wrong(Some(first), "bundle", format!("{} is missing", id.path()));
                return Ok(false);
            };
            let entries = match ledger::parse_bundle(&bytes) {
                Ok(entries) => entries,
                Err(error) => {
                    self.wrong(Some(first), "bundle", format!("{}: {error}", id.path()));
                    return Ok(false);
                }
            };
            let skip = usize::try_from(first & 0xff).unwrap_or(0);
            let Some(fresh) = entries.get(skip..usize::from(id.width)) else {
                let what = format!("{} has {} entries", id.path(), entries.len());
                let end = (id.index << 8).saturating_add(count(entries.len()));
                self.wrong(Some(end.max(first)), "bundle", what);
                return Ok(false);
            };
            for (index, entry) in (first..).zip(fresh) {
                self.entry(index, entry);
            }
            let appended = match tree.append(fresh) {
                Ok(appended) => appended,
                Err(error) => {
                    self.wrong(Some(first), "bundle", error.to_string());
                    return Ok(false);
                }
            };
            for tile in appended.tiles {
                if tile.width == TILE_WIDTH {
                    growing.remove(&tile.level);
                    self.tile(&tile)?;
                } else {
                    growing.insert(tile.level, tile);
                }
            }
            self.report.entries += count(fresh.len());
            (self.progress)(tree.size(), self.size);
        }
        for tile in growing.values() {
            self.tile(tile)?;
        }
        Ok(true)
    }

    /// Whether an entry is a line that the log's rules allow.
    fn entry(&mut self, index: u64, bytes: &[u8]) {
        let leaf = match Leaf::parse(bytes) {
            Ok(leaf) => leaf,
            Err(fault) => {
                self.wrong(Some(index), "entry", fault.chain());
                return;
            }
        };
        if leaf.v != 1 || leaf.commit.is_some() == leaf.public.is_some() {
            let what = "an entry holds either a commitment or a public record";
            self.wrong(Some(index), "entry", what);
        }
        if leaf.commit.as_deref().is_some_and(|it| Hash::from_hex(it).is_err()) {
            self.wrong(Some(index), "entry", "the commitment is no SHA-256 value");
        }
        let known = self.region.get_or_insert_with(|| leaf.region.clone());
        if *known != leaf.region {
            let what = format!("the entry is of region {:?}, the log of {known:?}", leaf.region);
            self.wrong(Some(index), "entry", what);
        }
    }

    /// Compares a computed tile with the served one.
    fn tile(&mut self, tile: &TileWrite) -> Result<(), OutsiderError> {
        let TileWrite { level, index, width, .. } = *tile;
        let id = TileId { level, index, width };
        let bits = u32::from(level) * 8;
        let first = (index << 8) << bits;
        let Some(served) = self.resource(Resource::Tile(id))? else {
            self.wrong(Some(first), "tile", format!("{} is missing", id.path()));
            return Ok(());
        };
        self.report.tiles += 1;
        if served == tile.bytes {
            return Ok(());
        }
        let (served, _) = served.as_chunks::<{ Hash::LENGTH }>();
        let (computed, _) = tile.bytes.as_chunks::<{ Hash::LENGTH }>();
        let differing = (0_u64..).zip(computed).filter(|(position, hash)| {
            let position = usize::try_from(*position).unwrap_or(usize::MAX);
            served.get(position) != Some(*hash)
        });
        let ranges: Vec<u64> = differing.map(|(position, _)| first + (position << bits)).collect();
        // A hash above an entry that is already named differs because of it and says nothing new.
        let span = 1_u64 << bits;
        let named = |from: u64| {
            let until = from.saturating_add(span);
            self.report
                .wrong
                .iter()
                .any(|it| it.entry.is_some_and(|at| (from..until).contains(&at)))
        };
        if let Some(from) = ranges.iter().copied().find(|from| !named(*from)) {
            let what = if level == 0 {
                format!("entry {from} does not match its hash in {}", id.path())
            } else {
                let last = from.saturating_add(span - 1).min(self.size.saturating_sub(1));
                format!("entries {from} to {last} do not match their hash in {}", id.path())
            };
            self.wrong(Some(from), "tile", what);
        } else if ranges.is_empty() {
            self.wrong(Some(first), "tile", format!("{} has another length", id.path()));
        }
        Ok(())
    }

    /// A tile or bundle. A log may drop a partial one once the full one exists (tlog-tiles,
    /// "Partial Tiles"), so the full one, cut, serves too.
    fn resource(&mut self, resource: Resource) -> Result<Option<Vec<u8>>, OutsiderError> {
        if let Some(bytes) = self.file(&resource.to_string())? {
            return Ok(Some(bytes));
        }
        match resource {
            Resource::Tile(id) if id.width < TILE_WIDTH => {
                let full = Resource::Tile(TileId { width: TILE_WIDTH, ..id });
                let bytes = self.file(&full.to_string())?;
                let wanted = usize::from(id.width) * Hash::LENGTH;
                Ok(bytes.and_then(|it| it.get(..wanted).map(<[u8]>::to_vec)))
            }
            Resource::Bundle(id) if id.width < TILE_WIDTH => {
                let full = Resource::Bundle(BundleId { width: TILE_WIDTH, ..id });
                self.file(&full.to_string())
            }
            Resource::Tile(_) | Resource::Bundle(_) => Ok(None),
        }
    }

    fn file(&mut self, path: &str) -> Result<Option<Vec<u8>>, OutsiderError> {
        match (self.fetch)(path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(FetchError::Missing) => Ok(None),
            Err(error) => Err(OutsiderError::Fetch { path: path.to_owned(), error }),
        }
    }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
