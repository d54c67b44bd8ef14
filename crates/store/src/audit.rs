//! Recomputing everything and comparing.
//!
//! Reads the databases, trusts nothing in it but the log's public key, and names the first wrong
//! entry: the tree from the entries, every tile, the checkpoint's signature, every commitment whose
//! payload can still be opened, every view against a fold of the log, every closed hour of the
//! access log. Runs beside a serving process: what it compares is one consistent picture.

use std::collections::{BTreeMap, HashSet};

use kernel::{Region, Seed};
use ledger::{Checkpoint, Hash, Tree, VerifierKey};
use serde::Serialize;

use crate::backend::{self, Backend, Part};
use crate::fault::Doing as _;
use crate::leaf::{Leaf, SALT_LEN, commitment};
use crate::projection::select;
use crate::read::hash;
use crate::registry::{Registry, Side};
use crate::sqlite::Sqlite;
use crate::tx::{epoch_scope, event_context, utc_day};
use crate::vault::{Scope, Vault};
use crate::{Engine, Fault, Keyring, Row, Value, access, observe, upkeep};

/// Something that is not as the log says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Wrong {
    /// The entry, where one can be named.
    pub entry: Option<u64>,
    /// Where: `bundle`, `tile`, `checkpoint`, `event`, `payload`, `view`, `access`, `key`.
    pub place: &'static str,
    /// What, in words for an operator.
    pub what: String,
}

/// What an audit found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// Entries on the log.
    pub entries: u64,
    /// The root recomputed from them, in hex.
    pub root: String,
    /// Sealed payloads that were opened and match their commitment.
    pub opened: u64,
    /// Public payloads that match their leaf.
    pub public: u64,
    /// Payloads whose key was destroyed, as it should be after its time.
    pub erased: u64,
    /// View rows compared.
    pub view_rows: u64,
    /// Hours of the access log recomputed.
    pub access_hours: u64,
    /// What is wrong, the first entry first. Empty when all is well.
    pub wrong: Vec<Wrong>,
}

/// More findings than this are not collected.
const WRONG_MAX: usize = 100;

const BUNDLES: &str = "SELECT position, width, bytes FROM log_bundle WHERE region = $1 AND position >= $2 ORDER BY position LIMIT 64";
const TILES: &str = "SELECT level, position, width, bytes FROM log_tile WHERE region = $1";
const HEAD: &str = "SELECT size, root, checkpoint FROM log_head WHERE region = $1";
const EVENTS: &str = "SELECT seq, kind, at, sealed, epoch, payload, stream, stream_id FROM event \
     WHERE region = $1 AND seq >= $2 AND seq < $3 ORDER BY seq";
const OBSERVATIONS: &str = "SELECT seq, kind, at, day, payload FROM observation \
     WHERE region = $1 AND seq >= $2 AND seq < $3 ORDER BY seq";

/// The SQL texts of this module on the identity side, for conformance law 7.
pub const QUERIES: &[&str] = &[BUNDLES, TILES, HEAD, EVENTS];

/// Audits a region. `progress` is told how many entries have been looked at, and of how many.
pub fn audit(
    backend: &Backend,
    region: &Region,
    origin: &str,
    keyring: &Keyring,
    registry: &Registry,
    mut progress: impl FnMut(u64, u64),
) -> Result<Audit, Fault> {
    let mut identity = backend.reader(Part::Identity)?;
    let mut visits = backend.reader(Part::Visits)?;
    let keys = backend.reader(Part::Keys)?;
    // The vault draws nothing while it only opens.
    let vault = Vault::new(region.clone(), keyring, Seed::fixed(0), keys)?;
    let signer =
        ledger::Signer::try_new(origin, &*keyring.key("log")?).doing("making the log key")?;
    identity.begin_read()?;
    visits.begin_read()?;
    let mut auditor = Auditor {
        region,
        value: Value::from(region.as_str()),
        identity: identity.as_mut(),
        visits: visits.as_mut(),
        vault: &vault,
        registry,
        report: Audit::default(),
        tree: Tree::new(),
        expired: HashSet::new(),
        forgotten: HashSet::new(),
    };
    let size = auditor.head(signer.verifier())?;
    auditor.expired()?;
    auditor.entries(size, &mut progress)?;
    auditor.views()?;
    auditor.access_hours()?;
    let mut report = auditor.report;
    report.wrong.sort_by_key(|it| it.entry.unwrap_or(u64::MAX));
    identity.rollback()?;
    visits.rollback()?;
    Ok(report)
}

struct Auditor<'a> {
    region: &'a Region,
    value: Value,
    identity: &'a mut dyn Engine,
    visits: &'a mut dyn Engine,
    vault: &'a Vault,
    registry: &'a Registry,
    report: Audit,
    tree: Tree,
    /// Kinds and days that the log says have ended.
    expired: HashSet<(String, i32)>,
    /// Subjects that the log says were forgotten.
    forgotten: HashSet<u128>,
}

/// Days that a gate's queue may be late: an entry's day may lie this much before its leaf's.
const LATE_DAYS: i32 = 4;

impl Auditor<'_> {
    fn wrong(&mut self, entry: Option<u64>, place: &'static str, what: impl Into<String>) {
        if self.report.wrong.len() < WRONG_MAX {
            self.report.wrong.push(Wrong { entry, place, what: what.into() });
        }
    }

    fn head(&mut self, log: &VerifierKey) -> Result<u64, Fault> {
        let rows = select(self.identity, &self.value, HEAD, &[])?;
        let Some(row) = rows.first() else {
            self.wrong(None, "checkpoint", "the log has no head");
            return Ok(0);
        };
        let (size, root) = (row.count(0)?, hash(row.bytes(1)?)?);
        match Checkpoint::open(row.text(2)?, log, &[]) {
            Ok(it) if it.checkpoint.size == size && it.checkpoint.root == root => {}
            Ok(_) => self.wrong(None, "checkpoint", "the checkpoint is of another size or root"),
            Err(error) => self.wrong(None, "checkpoint", error.to_string()),
        }
        self.report.root = root.to_hex();
        Ok(size)
    }

    /// Which days ended and who was forgotten, by the log's own word.
    fn expired(&mut self) -> Result<(), Fault> {
        let sql = "SELECT payload FROM event WHERE region = $1 AND stream = 'store'";
        for row in select(self.identity, &self.value, sql, &[])? {
            // One that cannot be read is named when its entry is compared.
            let payload: serde_json::Value =
                serde_json::from_slice(row.bytes(0)?).unwrap_or_default();
            let event = payload.get("event");
            let subject =
                event.and_then(|it| it.get("subject")).and_then(serde_json::Value::as_str);
            if let Some(Ok(subject)) = subject.map(|it| u128::from_str_radix(it, 16)) {
                self.forgotten.insert(subject);
            }
            let kind = event.and_then(|it| it.get("kind")).and_then(serde_json::Value::as_str);
            let day = event.and_then(|it| it.get("day")).and_then(serde_json::Value::as_i64);
            if let (Some(kind), Some(Ok(day))) = (kind, day.map(i32::try_from)) {
                self.expired.insert((kind.to_owned(), day));
            }
        }
        Ok(())
    }

    fn entries(&mut self, size: u64, progress: &mut impl FnMut(u64, u64)) -> Result<(), Fault> {
        let (mut next, mut position) = (0_u64, 0_u64);
        // The newest tile of each level, compared at the end if it is still growing then.
        let mut growing: BTreeMap<u8, ledger::TileWrite> = BTreeMap::new();
        loop {
            let rows = select(self.identity, &self.value, BUNDLES, &[position.into()])?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                if row.count(0)? != position {
                    self.wrong(Some(next), "bundle", format!("bundle {position} is missing"));
                    return Ok(());
                }
                let bytes = row.bytes(2)?;
                let entries = match ledger::parse_bundle(bytes) {
                    Ok(entries) => entries,
                    Err(error) => {
                        self.wrong(Some(next), "bundle", error.to_string());
                        return Ok(());
                    }
                };
                let appended = self.tree.append(&entries).doing("recomputing the log")?;
                self.full_tiles(&appended.tiles)?;
                growing.extend(appended.tiles.into_iter().map(|it| (it.level, it)));
                self.rows(next, &entries)?;
                next += u64::try_from(entries.len()).unwrap_or(0);
                position += 1;
                progress(next, size);
            }
        }
        self.report.entries = next;
        if next != size {
            self.wrong(
                Some(next.min(size)),
                "bundle",
                format!("{next} entries, the head says {size}"),
            );
        }
        let root = self.tree.root();
        if root.to_hex() != self.report.root {
            self.wrong(None, "checkpoint", "the root recomputed from the entries is another");
        }
        self.report.root = root.to_hex();
        self.tiles(growing.values(), size)
    }

    /// Compares the tiles that were completed by this bundle.
    fn full_tiles(&mut self, tiles: &[ledger::TileWrite]) -> Result<(), Fault> {
        for tile in tiles.iter().filter(|it| it.width == 256) {
            self.tile(tile)?;
        }
        Ok(())
    }

    fn tile(&mut self, tile: &ledger::TileWrite) -> Result<(), Fault> {
        let sql = "SELECT bytes FROM log_tile WHERE region = $1 AND level = $2 AND position = $3";
        let rows =
            select(self.identity, &self.value, sql, &[tile.level.into(), tile.index.into()])?;
        let what = match rows.first() {
            Some(row) if row.bytes(0)? == tile.bytes => return Ok(()),
            Some(_) => format!("tile {} of level {} differs", tile.index, tile.level),
            None => format!("tile {} of level {} is missing", tile.index, tile.level),
        };
        let stored = rows.first().map_or(Ok(&[][..]), |row| row.bytes(0))?;
        let same = stored.iter().zip(&tile.bytes).take_while(|(a, b)| a == b).count();
        // A hash of level 0 is one entry's; one above covers many, and naming its first would put
        // an innocent entry before the one that was altered.
        let entry = (tile.index << 8) + u64::try_from(same / 32).unwrap_or(0);
        self.wrong((tile.level == 0).then_some(entry), "tile", what);
        Ok(())
    }

    /// Growing tiles, and that there are no tiles too many.
    fn tiles<'t>(
        &mut self,
        newest: impl Iterator<Item = &'t ledger::TileWrite>,
        size: u64,
    ) -> Result<(), Fault> {
        for tile in newest.filter(|it| it.width < 256) {
            self.tile(tile)?;
        }
        for row in select(self.identity, &self.value, TILES, &[])? {
            let level = u8::try_from(row.int(0)?).unwrap_or(u8::MAX);
            let (index, width) = (row.count(1)?, row.count(2)?);
            let known = ledger::TileId::at(level, index, size);
            let bytes = u64::try_from(row.bytes(3)?.len()).unwrap_or(u64::MAX);
            if known.is_none_or(|it| u64::from(it.width) != width) || bytes != width * 32 {
                self.wrong(None, "tile", format!("tile {index} of level {level} does not belong"));
            }
        }
        Ok(())
    }

    /// Compares the rows beside a bundle's entries.
    fn rows(&mut self, first: u64, entries: &[&[u8]]) -> Result<(), Fault> {
        let until = first + u64::try_from(entries.len()).unwrap_or(0);
        let range: [Value; 2] = [first.into(), until.into()];
        let events = select(self.identity, &self.value, EVENTS, &range)?;
        let observations = select(self.visits, &self.value, OBSERVATIONS, &range)?;
        let (mut events, mut observations) =
            (events.iter().peekable(), observations.iter().peekable());
        for (seq, bytes) in (first..).zip(entries) {
            let event = events.next_if(|row| row.count(0).is_ok_and(|it| it == seq));
            let observation = observations.next_if(|row| row.count(0).is_ok_and(|it| it == seq));
            let leaf = match Leaf::parse(bytes) {
                Ok(leaf) => leaf,
                Err(fault) => {
                    self.wrong(Some(seq), "bundle", fault.chain());
                    continue;
                }
            };
            let checked = match (event, observation) {
                (Some(row), None) => self.event(seq, &leaf, row),
                (None, Some(row)) => self.observation(seq, &leaf, row),
                (None, None) => {
                    self.missing(seq, &leaf);
                    Ok(())
                }
                (Some(_), Some(_)) => {
                    self.wrong(Some(seq), "event", "two payloads stand beside one leaf");
                    Ok(())
                }
            };
            // A row that cannot be read at all is a finding, not the end of the audit.
            if let Err(fault) = checked {
                self.wrong(Some(seq), "payload", fault.chain());
            }
        }
        if events.peek().is_some() || observations.peek().is_some() {
            self.wrong(Some(until), "event", "a row has no leaf");
        }
        Ok(())
    }

    fn missing(&mut self, seq: u64, leaf: &Leaf) {
        let day = utc_day(leaf.at);
        let ended =
            (day - LATE_DAYS..=day).any(|it| self.expired.contains(&(leaf.kind.clone(), it)));
        if ended {
            self.report.erased += 1;
        } else {
            self.wrong(Some(seq), "event", "the payload is missing before its time");
        }
    }

    fn event(&mut self, seq: u64, leaf: &Leaf, row: &Row) -> Result<(), Fault> {
        let (kind, at) = (row.text(1)?, row.instant(2)?);
        if leaf.kind != kind || leaf.at != at || leaf.region != self.region.as_str() {
            self.wrong(Some(seq), "event", "kind, time or region differ from the leaf");
        }
        let payload = row.bytes(5)?;
        let envelope = if row.truth(3)? {
            let subject = u128::from_be_bytes(row.bytes(7)?.try_into().doing("reading an id")?);
            let epoch = epoch_scope(kind, row.maybe_int(4)?);
            let Some(key) = self.vault.find_for(Some(subject), epoch.as_ref())? else {
                let day = row.maybe_int(4)?.and_then(|it| i32::try_from(it).ok());
                let ended = self.forgotten.contains(&subject)
                    || day.is_some_and(|it| self.expired.contains(&(kind.to_owned(), it)));
                self.erased(seq, ended);
                return Ok(());
            };
            let opened = key.open(seq, &event_context(self.region, kind), payload)?;
            self.commitment(seq, leaf, &opened);
            opened.get(SALT_LEN..).unwrap_or_default().to_vec()
        } else {
            let stands = leaf.public.as_ref().map(|it| it.get().as_bytes());
            if stands == Some(payload) {
                self.report.public += 1;
            } else {
                self.wrong(Some(seq), "payload", "the public payload differs from the leaf");
            }
            payload.to_vec()
        };
        let parsed: serde_json::Value =
            serde_json::from_slice(&envelope).doing("reading a payload")?;
        let text = |name: &str| parsed.get(name).and_then(serde_json::Value::as_str);
        let id = hex::encode(row.bytes(7)?);
        let own = row.text(6)? == "store";
        if text("stream") != Some(row.text(6)?) || (!own && text("id") != Some(&id)) {
            self.wrong(Some(seq), "event", "the stream differs from the payload");
        }
        Ok(())
    }

    /// A payload whose key is gone: as it should be when the log says so, a finding otherwise.
    fn erased(&mut self, seq: u64, ended: bool) {
        if ended {
            self.report.erased += 1;
        } else {
            self.wrong(Some(seq), "key", "the key is gone, and the log does not say why");
        }
    }

    fn commitment(&mut self, seq: u64, leaf: &Leaf, opened: &[u8]) {
        let matches = opened.split_first_chunk::<SALT_LEN>().is_some_and(|(salt, payload)| {
            leaf.commit.as_deref() == Some(hex::encode(commitment(salt, payload)).as_str())
        });
        if matches {
            self.report.opened += 1;
        } else {
            self.wrong(Some(seq), "payload", "the payload is not the one committed to");
        }
    }

    fn observation(&mut self, seq: u64, leaf: &Leaf, row: &Row) -> Result<(), Fault> {
        let (kind, at) = (row.text(1)?, row.instant(2)?);
        if leaf.kind != kind || leaf.at != at || leaf.region != self.region.as_str() {
            self.wrong(Some(seq), "event", "kind, time or region differ from the leaf");
        }
        let day = i32::try_from(row.int(3)?).doing("reading a day")?;
        let scope = Scope::Epoch { kind: kind.to_owned(), day, visits: true };
        let Some(key) = self.vault.find(&scope)? else {
            let ended = self.expired.contains(&(kind.to_owned(), day));
            self.erased(seq, ended);
            return Ok(());
        };
        let opened = key.open(seq, &event_context(self.region, kind), row.bytes(4)?)?;
        self.commitment(seq, leaf, &opened);
        Ok(())
    }

    /// Folds the log into fresh tables and compares.
    fn views(&mut self) -> Result<(), Fault> {
        let mut fresh = Sqlite::memory()?;
        backend::migrate(&mut fresh, Part::Identity, self.registry)?;
        fresh.begin()?;
        // A payload that cannot be read is already named; views cannot be told from it.
        let folded =
            upkeep::project_all(self.identity, &mut fresh, self.region, self.vault, self.registry);
        if let Err(fault) = folded {
            self.wrong(None, "view", fault.chain());
            return Ok(());
        }
        for view in self.registry.views.iter().filter(|it| it.side == Side::Identity) {
            self.compare(view.table, &mut fresh)?;
        }
        let registry = self.registry;
        let mut fresh = Sqlite::memory()?;
        backend::migrate(&mut fresh, Part::Visits, registry)?;
        fresh.begin()?;
        for kind in &registry.observations {
            let folded =
                observe::project_all(self.visits, &mut fresh, self.region, self.vault, kind);
            if let Err(fault) = folded {
                self.wrong(None, "view", fault.chain());
                return Ok(());
            }
        }
        let views = registry.views.iter().filter(|it| it.side == Side::Visits);
        for table in views.map(|it| it.table).chain(["observation_tag"]) {
            let sql = format!("SELECT * FROM {table} WHERE region = $1");
            let stored = rows_of(self.visits, &self.value, &sql)?;
            let wanted = rows_of(&mut fresh, &self.value, &sql)?;
            self.compare_rows(table, &stored, &wanted);
        }
        Ok(())
    }

    fn compare(&mut self, table: &str, fresh: &mut dyn Engine) -> Result<(), Fault> {
        let sql = format!("SELECT * FROM {table} WHERE region = $1");
        let stored = rows_of(self.identity, &self.value, &sql)?;
        let wanted = rows_of(fresh, &self.value, &sql)?;
        self.compare_rows(table, &stored, &wanted);
        Ok(())
    }

    fn compare_rows(&mut self, table: &str, stored: &[Row], wanted: &[Row]) {
        self.report.view_rows += u64::try_from(stored.len()).unwrap_or(0);
        if stored.len() != wanted.len() {
            let what = format!("{table} has {} rows, the log says {}", stored.len(), wanted.len());
            self.wrong(None, "view", what);
        } else if let Some(row) = stored.iter().zip(wanted).position(|(a, b)| a != b) {
            self.wrong(None, "view", format!("row {row} of {table} differs from the log"));
        }
    }

    fn access_hours(&mut self) -> Result<(), Fault> {
        let sql = "SELECT hour, count, root, seq FROM access_hour WHERE region = $1";
        for row in select(self.identity, &self.value, sql, &[])? {
            let hour = row.int(0)?;
            let of_hour = select(self.identity, &self.value, access::HOUR_ROWS, &[hour.into()])?;
            let rows: Result<Vec<_>, Fault> = of_hour.iter().map(access::access_row).collect();
            let root = rows.and_then(|rows| access::root_of(&rows));
            let stands =
                root.as_ref().is_ok_and(|it| Hash::as_bytes(it) == row.bytes(2).unwrap_or(&[]));
            let on_log = self.closed_root(row.count(3)?)?;
            if !stands || on_log.as_deref() != Some(hex::encode(row.bytes(2)?).as_str()) {
                let what = format!("the access log of hour {hour} differs from its root");
                self.wrong(Some(row.count(3)?), "access", what);
            }
            self.report.access_hours += 1;
        }
        Ok(())
    }

    /// The root that the log says an hour had.
    fn closed_root(&mut self, seq: u64) -> Result<Option<String>, Fault> {
        let sql = "SELECT payload FROM event WHERE region = $1 AND seq = $2";
        let rows = select(self.identity, &self.value, sql, &[seq.into()])?;
        let Some(row) = rows.first() else { return Ok(None) };
        let payload: serde_json::Value =
            serde_json::from_slice(row.bytes(0)?).unwrap_or(serde_json::Value::Null);
        let root = payload.get("event").and_then(|it| it.get("root"));
        Ok(root.and_then(serde_json::Value::as_str).map(str::to_owned))
    }
}

/// All rows in an order of their own: a table has none, and two databases may read it by different
/// indexes.
fn rows_of(engine: &mut dyn Engine, region: &Value, sql: &str) -> Result<Vec<Row>, Fault> {
    let mut rows = select(engine, region, sql, &[])?;
    rows.sort_unstable();
    Ok(rows)
}

/// Checks that every text prepares on freshly migrated tables (conformance law 7).
pub fn check_queries(registry: &Registry, texts: &[(Side, &str)]) -> Result<(), Fault> {
    for side in [Side::Identity, Side::Visits] {
        check_side(&mut Sqlite::memory()?, side, registry, texts)?;
    }
    Ok(())
}

/// [`check_queries`] in the (empty) databases of `backend`, which it migrates.
pub fn check_queries_at(
    backend: &Backend,
    registry: &Registry,
    texts: &[(Side, &str)],
) -> Result<(), Fault> {
    for side in [Side::Identity, Side::Visits] {
        check_side(backend.writer(Part::of(side))?.as_mut(), side, registry, texts)?;
    }
    Ok(())
}

fn check_side(
    engine: &mut dyn Engine,
    side: Side,
    registry: &Registry,
    texts: &[(Side, &str)],
) -> Result<(), Fault> {
    backend::migrate(engine, Part::of(side), registry)?;
    texts.iter().filter(|(of, _)| *of == side).try_for_each(|(_, sql)| engine.check(sql))
}
