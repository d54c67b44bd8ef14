//! Backups of a region: while it is served, of what is new, encrypted (ADR 0035).
//!
//! The log only grows, so a backup adds one numbered **segment**: entries, payloads and the other
//! rows that only grow, since the backup before. Beside it stand the **state** (the few tables that
//! change in place), whole, and in another folder the **keys**, whole. A **manifest**, signed by the
//! log's key, names all three by their hashes and carries the checkpoint; a backup is there once its
//! manifest is. Then the state and the keys of before are destroyed: a key that was destroyed in the
//! region must not live on in a backup. Segments stay; what a destroyed key sealed in them is
//! unreadable.
//!
//! Views, tiles and tags are not in a backup: [`restore`] folds them anew. What must not come back
//! is not in it either: sessions and sign-in codes, and messages that have left since.
//!
//! Rows, not pages: what was backed up on one engine is restored on either. [`manifest`] names the files, [`sealed`] encrypts them, [`rows`] is the
//! format inside; [`load`] and [`restore`] read them again.

mod error;
mod load;
mod manifest;
mod restore;
mod rows;
mod sealed;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use kernel::{Instant, Region};
use ledger::{Checkpoint, Signer};
use serde::Serialize;

pub use self::error::BackupError;
pub use self::manifest::Manifest;
use self::manifest::{TITLE, chain, keys_name, manifest_name, numbers, segment_name, state_name};
pub(crate) use self::restore::is_whole;
pub use self::restore::{Progress, Published, Restore, Restored, Took, restore};
use self::rows::RowsWriter;
pub use self::sealed::Part;
use self::sealed::Sealed;
use crate::backend::{self, Backend};
use crate::engine::Shape;
use crate::fault::Doing as _;
use crate::lease;
use crate::projection::select;
use crate::sqlite::Sqlite;
use crate::{Engine, Fault, Keyring, Registry, Side, Value};

/// Whom a backup is encrypted to: an age X25519 recipient, `age1…`.
#[derive(Clone)]
pub struct Recipient(age::x25519::Recipient);

impl FromStr for Recipient {
    type Err = BackupError;

    fn from_str(text: &str) -> Result<Self, BackupError> {
        let found = text.trim().parse().map(Self);
        found.map_err(|_| BackupError::Recipient { text: text.to_owned() })
    }
}

/// What opens a backup: an age X25519 identity, `AGE-SECRET-KEY-1…`.
#[derive(Clone)]
pub struct Identity(age::x25519::Identity);

impl Identity {
    /// A new one, and the recipient that belongs to it.
    pub fn generate() -> (Self, Recipient) {
        let identity = age::x25519::Identity::generate();
        let recipient = Recipient(identity.to_public());
        (Self(identity), recipient)
    }

    /// What a file holds, to look for what must not be in it.
    #[cfg(test)]
    pub(crate) fn opened(&self, sealed: &[u8]) -> Vec<u8> {
        age::decrypt(&self.0, sealed).unwrap()
    }

    /// The identities in the text of an identity file, as `age-keygen` writes it.
    pub fn all_in(text: &str) -> Result<Vec<Self>, BackupError> {
        let lines = text.lines().map(str::trim).filter(|it| !it.is_empty() && !it.starts_with('#'));
        let found = lines.map(|it| it.parse().map(Self)).collect::<Result<Vec<_>, _>>();
        match found {
            Ok(found) if !found.is_empty() => Ok(found),
            _ => Err(BackupError::NotIdentities),
        }
    }
}

/// What is backed up.
pub struct Source<'a> {
    /// The data folder: when the last backup was is noted there.
    pub dir: &'a Path,
    /// Where the databases are.
    pub backend: &'a Backend,
    /// Whose.
    pub region: &'a Region,
    /// The log's origin.
    pub origin: &'a str,
    /// The key folder.
    pub keyring: &'a Keyring,
    /// What the slices bring: their views are folded anew by a restore.
    pub registry: &'a Registry,
    /// Tables that must not come back: sessions that were ended since, codes that were used.
    pub transient: &'a [&'a str],
    /// Asked at each row: `false` ends the backup, which is then as if it had not begun.
    pub go_on: &'a dyn Fn() -> bool,
}

/// Where a backup goes.
pub struct Target {
    /// The folder of segments, states and manifests.
    pub to: PathBuf,
    /// The folder of keys; `None` leaves the keys out.
    pub keys_to: Option<PathBuf>,
    /// Who can open it.
    pub recipients: Vec<Recipient>,
    /// Everything, not only what is new: the backups of before may be removed then.
    pub whole: bool,
}

/// Tables of the log and beside it that only grow, with the rows that are new: `$2` is the size of
/// the log at the backup before, `$3` the size now. The bundle that was still growing then is taken
/// again, and so are the readings of hours that the log had not closed then.
const GROWING: [(Side, &str, &str); 6] = [
    (Side::Identity, "event", "seq >= $2 AND seq < $3 ORDER BY seq"),
    (
        Side::Identity,
        "log_bundle",
        "position >= CAST($2 AS BIGINT) / 256 AND position * 256 < $3 ORDER BY position",
    ),
    (Side::Identity, "command", "first >= $2 AND first <= $3"),
    (
        Side::Identity,
        "access",
        "hour NOT IN (SELECT hour FROM access_hour WHERE region = $1 AND seq < $2) AND CAST($3 AS BIGINT) >= 0",
    ),
    (Side::Identity, "access_hour", "seq >= $2 AND seq < $3"),
    (Side::Visits, "observation", "seq >= $2 AND seq < $3 ORDER BY seq"),
];

/// What is made again out of the rest.
const DERIVED: [&str; 2] = ["log_tile", "observation_tag"];

/// What must not be sent twice, and holds bodies that no destroyed key makes unreadable; who may
/// write, and which migrations have run, is of the databases and not of the region.
const LEFT_OUT: [&str; 3] = ["outbox", "lease", "migration"];

/// One consistent picture of the three databases.
struct Cut {
    identity: Box<dyn Engine>,
    visits: Box<dyn Engine>,
    keys: Box<dyn Engine>,
}

impl Cut {
    fn side(&mut self, side: Side) -> &mut dyn Engine {
        match side {
            Side::Identity => self.identity.as_mut(),
            Side::Visits => self.visits.as_mut(),
        }
    }
}

/// Takes the picture between two batches of the writer, whichever process that is: while this holds
/// what every batch begins with (the write lock of `identity.db`; on a server the lease's row), no
/// batch is open. Reading goes on without it.
fn cut(backend: &Backend, region: &Value) -> Result<Cut, Fault> {
    if let Backend::Folder(dir) = backend {
        for file in backend::FILES {
            if !dir.join(file).exists() {
                return Err(Fault::new(format!("there is no {file} in {}", dir.display())));
            }
        }
    }
    let mut pause = backend.writer(backend::Part::Identity)?;
    // A busy writer leaves short gaps: more than one attempt of ten seconds.
    let mut held = hold(pause.as_mut(), backend, region);
    for _ in 0..5 {
        if held.is_ok() {
            break;
        }
        pause.rollback()?;
        held = hold(pause.as_mut(), backend, region);
    }
    held?;
    let look = |part: backend::Part| {
        let mut reader = backend.reader(part)?;
        reader.begin_read()?;
        // A picture begins with its first read.
        reader.query("SELECT COUNT(*) FROM migration", &[], &mut |_| Ok(false))?;
        Ok::<_, Fault>(reader)
    };
    let cut = Cut {
        identity: look(backend::Part::Identity)?,
        visits: look(backend::Part::Visits)?,
        keys: look(backend::Part::Keys)?,
    };
    pause.rollback()?;
    Ok(cut)
}

fn hold(pause: &mut dyn Engine, backend: &Backend, region: &Value) -> Result<(), Fault> {
    pause.begin()?;
    match backend {
        Backend::Folder(_) => Ok(()),
        Backend::Postgres(_) => lease::hold(pause, region),
    }
}

/// The migrations that have run.
fn schema_of(cut: &mut Cut) -> Result<Vec<String>, Fault> {
    let mut schema = Vec::new();
    let Cut { identity, visits, keys } = cut;
    for (database, engine) in [("identity", identity), ("visits", visits), ("keys", keys)] {
        let sql = "SELECT owner, number FROM migration ORDER BY owner, number";
        engine.query(sql, &[], &mut |row| {
            schema.push(format!("{database}/{}/{}", row.text(0)?, row.int(1)?));
            Ok(true)
        })?;
    }
    Ok(schema)
}

/// The columns of a table but the region, which is the same in every row. None where it is not there.
fn columns(engine: &mut dyn Engine, table: &str) -> Result<Vec<String>, Fault> {
    let found = engine.tables()?.into_iter().find(|it| it.name == table);
    let columns = found.map(|it| it.columns).unwrap_or_default();
    Ok(columns.into_iter().filter(|it| it != "region").collect())
}

fn side_name(side: Side) -> &'static str {
    match side {
        Side::Identity => "identity",
        Side::Visits => "visits",
    }
}

/// Writes the rows of `table` for which `condition` holds.
fn dump<W: Write>(
    source: &Source<'_>,
    engine: &mut dyn Engine,
    rows: &mut RowsWriter<W>,
    (side, table): (&str, &Shape),
    condition: &str,
    values: &[&Value],
) -> Result<(), Fault> {
    let doing = "writing a backup";
    // The region is the same in every row.
    let columns: Vec<String> = table.columns.iter().filter(|it| *it != "region").cloned().collect();
    let table = &table.name;
    rows.table(&format!("{side}.{table}"), &columns).doing(doing)?;
    let sql = format!("SELECT {} FROM {table} WHERE {condition}", columns.join(", "));
    engine.query(&sql, values, &mut |row| {
        if !(source.go_on)() {
            return Err(Fault::new("the backup was told to stop"));
        }
        rows.row(row).map(|()| true).doing(doing)
    })
}

/// What a backup did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Backup {
    /// Its number.
    pub number: u64,
    /// When.
    pub at: Instant,
    /// Entries of the log that the backups now hold.
    pub entries: u64,
    /// How many of them are new.
    pub new_entries: u64,
    /// Bytes written: segment, state, keys.
    pub bytes: u64,
}

/// The name of the file in the data folder that says when the last backup was, as RFC 3339.
const LAST: &str = "last_backup";

/// When the last backup of a data folder was made, as was noted there; `None` when there was none.
pub fn last(dir: &Path) -> Option<Instant> {
    Instant::parse(std::fs::read_to_string(dir.join(LAST)).ok()?.trim())
}

fn make_folder(path: &Path) -> Result<(), Fault> {
    use std::os::unix::fs::DirBuilderExt as _;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.doing(&format!("making {}", path.display()))
}

/// Backs up what is new. The region may be served meanwhile, by this process or another.
pub fn backup(source: &Source<'_>, target: &Target, now: Instant) -> Result<Backup, BackupError> {
    if target.recipients.is_empty() {
        return Err(BackupError::NoRecipient);
    }
    if target.keys_to.is_none() && matches!(source.backend, Backend::Postgres(_)) {
        return Err(BackupError::NoKeyFile);
    }
    make_folder(&target.to)?;
    if let Some(keys) = &target.keys_to {
        make_folder(keys)?;
        let [data, keys] = [&target.to, keys].map(|it| it.canonicalize());
        let (data, keys) = (data.doing("looking at a folder")?, keys.doing("looking at a folder")?);
        if data.starts_with(&keys) || keys.starts_with(&data) {
            return Err(BackupError::Together);
        }
    }
    let lock = File::create(target.to.join("backup.lock")).doing("making the lock file")?;
    lock.try_lock().map_err(|_| BackupError::Busy { folder: target.to.clone() })?;
    if !source.keyring.path("log").exists() {
        return Err(Fault::new("the key folder has no log.key").into());
    }
    let signer = Signer::try_new(source.origin, &*source.keyring.key("log")?);
    let signer = signer.doing("making the log key")?;
    let links = chain(&target.to, Some(signer.verifier()))?;
    let number = links.last().map_or(1, |it| it.manifest.number + 1);
    if let Some(it) = links.iter().find(|it| it.manifest.region != source.region.as_str()) {
        let why = format!("they are of the region {}", it.manifest.region);
        return Err(BackupError::OtherLog { why });
    }

    if let Some(folder) = &target.keys_to
        && numbers(folder, ".keys.age")?.last().is_some_and(|it| *it > number)
    {
        return Err(BackupError::OtherKeys { folder: folder.clone() });
    }

    let mut ring: Ring = source.keyring.all()?.into_iter().collect();
    let region = Value::from(source.region.as_str());
    let mut cut = cut(source.backend, &region)?;
    ring.extend(source.keyring.all()?);
    let sql = "SELECT size, checkpoint FROM log_head WHERE region = $1";
    let head = select(cut.identity.as_mut(), &region, sql, &[])?;
    let head = head.first().ok_or_else(|| Fault::new("the log has no head"))?;
    let (size, checkpoint) = (head.count(0)?, head.text(1)?.to_owned());
    if let Some(last) = links.last() {
        continues(cut.identity.as_mut(), &region, &last.checkpoint, size)?;
    }

    // A migration may have changed rows that the segments of before hold.
    let schema = schema_of(&mut cut)?;
    let last = links.last().filter(|it| it.manifest.schema == schema && !target.whole);
    let (before, from) = last.map_or(("", 0), |it| (it.hash.as_str(), it.checkpoint.size));

    // Keys first, and soon: as long as they are read, the journal of keys.db keeps what it has.
    let keys = match &target.keys_to {
        Some(folder) => {
            let file = Sealed::create(&folder.join(keys_name(number)), &target.recipients)?;
            Some(write_keys(&mut cut, &region, ring, file)?)
        }
        None => None,
    };
    cut.keys.rollback()?;
    let path = target.to.join(segment_name(number));
    let file = Sealed::create(&path, &target.recipients)?;
    let segment = write_segment(&mut cut, source, &region, from, size, file)?;
    let path = target.to.join(state_name(number));
    let state = write_state(&mut cut, source, &region, Sealed::create(&path, &target.recipients)?)?;
    drop(cut);

    let bytes = segment.bytes + state.bytes + keys.as_ref().map_or(0, |it| it.bytes);
    let manifest = Manifest {
        program: env!("CARGO_PKG_VERSION").to_owned(),
        region: source.region.as_str().to_owned(),
        number,
        at: now,
        schema,
        from,
        checkpoint,
        before: before.to_owned(),
        segment,
        state,
        keys,
    };
    let json = serde_json::to_string(&manifest).doing("writing a manifest")?;
    let note = signer.sign(&format!("{TITLE}\n{json}\n")).doing("signing a manifest")?;
    sealed::write_whole(&target.to.join(manifest_name(number)), &note)?;
    destroy_older(target, number)?;
    if let Backend::Folder(dir) = source.backend {
        // What was destroyed while keys.db was being read leaves its journal now.
        Sqlite::erasing_writer(&dir.join("keys.db"))?.clear_journal()?;
    }
    let done = Backup { number, at: now, entries: size, new_entries: size - from, bytes };
    sealed::write_whole(&source.dir.join(LAST), &now.rfc3339())?;
    Ok(done)
}

/// The backups of before must be the beginning of this log.
fn continues(
    identity: &mut dyn Engine,
    region: &Value,
    last: &Checkpoint,
    size: u64,
) -> Result<(), BackupError> {
    if last.size > size {
        let why = format!("they reach to entry {}, the log has {size}", last.size);
        return Err(BackupError::OtherLog { why });
    }
    let mut tiles =
        |id: ledger::TileId| crate::open::stored(identity, region, ledger::Resource::Tile(id));
    let root = ledger::root_at(last.size, &mut tiles).doing("recomputing an earlier root")?;
    if root != last.root {
        let why = format!("their first {} entries are not those of this log", last.size);
        return Err(BackupError::OtherLog { why });
    }
    Ok(())
}

fn write_segment(
    cut: &mut Cut,
    source: &Source<'_>,
    region: &Value,
    from: u64,
    size: u64,
    file: Sealed,
) -> Result<Part, BackupError> {
    let mut rows = RowsWriter::new(file);
    let values = [region, &Value::from(from), &Value::from(size)];
    let shapes = [cut.identity.tables()?, cut.visits.tables()?].concat();
    for (side, table, new) in GROWING {
        let shape = shapes.iter().find(|it| it.name == table);
        let shape = shape.ok_or_else(|| Fault::new(format!("there is no table {table}")))?;
        let condition = format!("region = $1 AND {new}");
        dump(source, cut.side(side), &mut rows, (side_name(side), shape), &condition, &values)?;
    }
    Ok(rows.finish().doing("writing a segment")?.finish()?)
}

fn write_state(
    cut: &mut Cut,
    source: &Source<'_>,
    region: &Value,
    file: Sealed,
) -> Result<Part, BackupError> {
    let mut rows = RowsWriter::new(file);
    for side in [Side::Identity, Side::Visits] {
        for table in cut.side(side).tables()? {
            let growing = GROWING.iter().any(|(_, it, _)| *it == table.name);
            let view = source.registry.views.iter().any(|it| it.table == table.name);
            let mut not = DERIVED.iter().chain(source.transient).chain(&LEFT_OUT);
            if growing || view || not.any(|it| *it == table.name) {
                continue;
            }
            let of = (side_name(side), &table);
            dump(source, cut.side(side), &mut rows, of, "region = $1", &[region])?;
        }
    }
    Ok(rows.finish().doing("writing the state")?.finish()?)
}

/// Subjects and days that the log says are gone: their keys are not backed up even where a process
/// died, or was paused, between saying so and destroying them.
fn ended(cut: &mut Cut, region: &Value) -> Result<HashSet<String>, Fault> {
    let mut ended = HashSet::new();
    let sql = "SELECT subject FROM forgotten WHERE region = $1";
    for row in select(cut.identity.as_mut(), region, sql, &[])? {
        ended.insert(format!("subject/{}", hex::encode(row.bytes(0)?)));
    }
    for (kind, day) in ended_days(cut.identity.as_mut(), region)? {
        ended.insert(format!("epoch/{kind}/{day}"));
    }
    Ok(ended)
}

/// Kinds and days that the log says have ended.
fn ended_days(identity: &mut dyn Engine, region: &Value) -> Result<BTreeSet<(String, i64)>, Fault> {
    let sql = "SELECT payload FROM event WHERE region = $1 AND stream = 'store' \
         AND kind = 'store.expired.v1' ORDER BY seq";
    let mut days = BTreeSet::new();
    for row in select(identity, region, sql, &[])? {
        let said: serde_json::Value = serde_json::from_slice(row.bytes(0)?).unwrap_or_default();
        let field = |name: &str| said.get("event").and_then(|it| it.get(name));
        let kind = field("kind").and_then(serde_json::Value::as_str).map(str::to_owned);
        days.extend(kind.zip(field("day").and_then(serde_json::Value::as_i64)));
    }
    Ok(days)
}

/// The tables of `keys.db`: in the first, `scope` is the first column.
const KEY_TABLES: [&str; 2] = ["vault_key", "vault_wrap"];

/// The key files, as they were before and after the picture was taken: whichever wrapping key a row
/// names, it is there, although a rotation may have begun or ended meanwhile.
type Ring = BTreeMap<String, zeroize::Zeroizing<String>>;

/// The table of the key files in a file of keys.
const RING: &str = "ring.key";

fn write_keys(
    cut: &mut Cut,
    region: &Value,
    ring: Ring,
    file: Sealed,
) -> Result<Part, BackupError> {
    let doing = "writing keys";
    let ended = ended(cut, region)?;
    let mut rows = RowsWriter::new(file);
    let names = ["name", "text"].map(str::to_owned);
    rows.table(RING, &names).doing(doing)?;
    for (name, text) in ring {
        let mut row = crate::Row(vec![name.into(), Value::Text(text.as_str().to_owned())]);
        rows.row(&row).doing(doing)?;
        if let Some(Value::Text(text)) = row.0.get_mut(1) {
            zeroize::Zeroize::zeroize(text);
        }
    }
    for table in KEY_TABLES {
        let columns = columns(cut.keys.as_mut(), table)?;
        rows.table(&format!("keys.{table}"), &columns).doing(doing)?;
        let sql = format!("SELECT {} FROM {table} WHERE region = $1", columns.join(", "));
        cut.keys.query(&sql, &[region], &mut |row| {
            if table != "vault_key" || !ended.contains(row.text(0)?) {
                rows.row(row).doing(doing)?;
            }
            Ok(true)
        })?;
    }
    Ok(rows.finish().doing(doing)?.finish()?)
}

/// Destroys the keys and the states that are not of this backup.
fn destroy_older(target: &Target, number: u64) -> Result<(), Fault> {
    let keys = target.keys_to.as_deref().map(|it| (it, ".keys.age"));
    for (folder, ending) in keys.into_iter().chain([(target.to.as_path(), ".state.age")]) {
        for old in numbers(folder, ending)?.into_iter().filter(|it| *it != number) {
            sealed::destroy(&folder.join(format!("{old:06}{ending}")))?;
        }
    }
    Ok(())
}
