//! From backups to a region's folder again.
//!
//! Everything is made in a folder beside the wanted one, which bears the wanted name only once all
//! of it is there, durable and audited. What a backup does not hold is made anew: tiles out of the
//! entries, by which the log proves itself against the signed checkpoint; views and tags by folding.

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant as Moment};

use kernel::{Instant, Region, Seed};
use ledger::{Checkpoint, Resource, Signer, TileId, VerifierKey};
use serde::Serialize;

use super::rows::{Item, RowsReader};
use super::{
    BackupError, GROWING, Identity, Link, Manifest, RING, chain, columns, ended_days, keys_name,
    make_folder, sealed, segment_name, side_name, state_name, tables,
};
use crate::backend::Part;
use crate::fault::Doing as _;
use crate::projection::{run, select};
use crate::sqlite::Sqlite;
use crate::vault::Vault;
use crate::{
    Audit, Engine, Fault, Keyring, Migration, Registry, Side, Value, observe, schema, upkeep,
};

/// What the world knows of the log, to compare with.
pub struct Published<'a> {
    /// A checkpoint that somebody kept, or that the log still shows.
    pub checkpoint: String,
    /// Where its tiles are to be had: needed to prove anything when it is ahead of the backup.
    pub tiles: Option<&'a mut dyn FnMut(TileId) -> Result<Vec<u8>, String>>,
}

/// What is restored, from where to where.
pub struct Restore<'a> {
    /// The folder of the backups.
    pub from: &'a Path,
    /// The folder of their keys. Where the backups were made without: a folder with copies of
    /// `keys.db` and of the key files.
    pub keys_from: &'a Path,
    /// The new data folder, which must not be there yet (or be empty).
    pub to: &'a Path,
    /// The new key folder; by default `keys` within the data folder.
    pub keys_to: Option<&'a Path>,
    /// What opens the backups.
    pub identities: &'a [Identity],
    /// What the slices bring.
    pub registry: &'a Registry,
    /// Refuse unless the backup is proven to be the beginning of what was published.
    pub verify: bool,
    /// Keep what was restored although its audit found something.
    pub accept_findings: bool,
}

/// How far it is: what is being done, and how much of how much.
pub type Progress<'a> = &'a mut dyn FnMut(&'static str, u64, u64);

/// How long each part took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Took {
    /// Decrypting and writing rows.
    pub load: Duration,
    /// Hashing every entry into the tree.
    pub hash: Duration,
    /// Folding the log into views.
    pub fold: Duration,
    /// The audit.
    pub audit: Duration,
}

/// What was restored.
#[derive(Debug, Clone, Serialize)]
pub struct Restored {
    /// The number of the newest backup.
    pub number: u64,
    /// When it was made.
    pub at: Instant,
    /// The region.
    pub region: String,
    /// The log's origin.
    pub origin: String,
    /// Entries on the restored log.
    pub entries: u64,
    /// Its root, in hex.
    pub root: String,
    /// Entries of the published checkpoint, if one was given.
    pub published: Option<u64>,
    /// How many of them came after the backup, and are lost.
    pub missing: Option<u64>,
    /// Whether one is proven to be the beginning of the other.
    pub proven: bool,
    /// What the audit found.
    pub audit: Audit,
    /// How long it took.
    #[serde(skip)]
    pub took: Took,
}

/// A folder that is removed unless it is kept.
struct Scaffold {
    path: PathBuf,
    kept: bool,
}

impl Drop for Scaffold {
    fn drop(&mut self) {
        if !self.kept {
            // Nothing better can be done with what cannot be removed.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

fn is_free(path: &Path) -> bool {
    match std::fs::read_dir(path) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}

/// Restores the newest backup, and compares its log with what was published. On any error nothing
/// is left at `to`.
pub fn restore(
    it: &Restore<'_>,
    published: Option<Published<'_>>,
    progress: Progress<'_>,
) -> Result<Restored, BackupError> {
    for folder in [Some(it.to), it.keys_to].into_iter().flatten() {
        if !is_free(folder) {
            return Err(BackupError::Occupied { folder: folder.to_owned() });
        }
    }
    let name = it.to.file_name().ok_or_else(|| Fault::new("the new folder has no name"))?;
    let beside = it.to.with_file_name(format!(".{}.restoring", name.to_string_lossy()));
    if beside.exists() {
        std::fs::remove_dir_all(&beside).doing("removing what an earlier restore left")?;
    }
    make_folder(&beside)?;
    let mut scaffold = Scaffold { path: beside, kept: false };
    let (restored, known) = build(it.from, &scaffold.path, it, progress)?;
    let restored = compare(restored, &scaffold.path, published, &known, it.verify)?;
    if !restored.audit.wrong.is_empty() && !it.accept_findings {
        return Err(BackupError::Findings(Box::new(restored.audit)));
    }
    install(&scaffold.path, it.to, it.keys_to)?;
    scaffold.kept = true;
    Ok(restored)
}

/// Gives what was built its names.
fn install(built: &Path, to: &Path, keys_to: Option<&Path>) -> Result<(), Fault> {
    let doing = "giving the restored folder its name";
    let own = built.join("keys");
    if let Some(keys) = keys_to {
        if let Some(folder) = keys.parent().filter(|it| !it.as_os_str().is_empty()) {
            make_folder(folder)?;
        }
        move_keys(&own, keys)?;
    }
    if let Err(error) = std::fs::rename(built, to) {
        if let Some(keys) = keys_to {
            // The rename failed; what it leaves must not look like a region's keys.
            let _ = std::fs::remove_dir_all(keys);
        }
        return Err(Fault::caused(doing, error));
    }
    sealed::sync_folder(to)
}

/// Moves the key folder, which may lie on another disk.
fn move_keys(from: &Path, to: &Path) -> Result<(), Fault> {
    let target = Keyring::open(to, Seed::fixed(0))?;
    for (name, text) in Keyring::open(from, Seed::fixed(0))?.all()? {
        target.put(&name, &text)?;
        sealed::destroy(&from.join(format!("{name}.key")))?;
    }
    std::fs::remove_dir(from).doing("removing the temporary key folder")?;
    sealed::sync_folder(&to.join("x"))
}

/// The key of the log that was restored.
struct Known {
    region: Region,
    key: VerifierKey,
    checkpoint: Checkpoint,
}

fn build(
    from: &Path,
    dir: &Path,
    it: &Restore<'_>,
    progress: Progress<'_>,
) -> Result<(Restored, Known), BackupError> {
    let none = || BackupError::None { folder: from.to_owned() };
    // Not yet checked by a key: only to find the keys.
    let unchecked = chain(from, None)?;
    let newest = &unchecked.last().ok_or_else(none)?;
    let origin = newest.checkpoint.origin.clone();
    let newest = &newest.manifest;
    let region: Region = newest.region.parse().doing("reading the region of a backup")?;
    is_known(newest, it.registry)?;

    let begun = Moment::now();
    let keyring = Keyring::open(&dir.join("keys"), Seed::fixed(0))?;
    let mut keys = Sqlite::filling_writer(&dir.join("keys.db"))?;
    schema::migrate(&mut keys, &until(schema::migrations(it.registry, Part::Keys), "keys", newest))?;
    load_keys(&mut keys, &keyring, newest, it)?;
    if !keyring.path("log").exists() {
        return Err(BackupError::Missing { file: "log.key".to_owned() });
    }
    let signer = Signer::try_new(&origin, &*keyring.key("log")?).doing("making the log key")?;
    let links = chain(from, Some(signer.verifier()))?;
    let last = links.last().ok_or_else(none)?;

    let mut loader = Loader::open(dir, &region, it.registry, &last.manifest)?;
    loader.fill(from, &links, it.identities, progress)?;
    let mut took = Took { load: begun.elapsed(), ..Took::default() };
    let begun = Moment::now();
    loader.grow_tree(&last.checkpoint, progress)?;
    took.hash = begun.elapsed();

    let begun = Moment::now();
    progress("folding", 0, last.checkpoint.size);
    schema::migrate(&mut keys, &schema::migrations(it.registry, Part::Keys))?;
    drop(keys);
    let reader = Box::new(Sqlite::reader(&dir.join("keys.db"))?);
    let vault = Vault::new(region.clone(), &keyring, Seed::fixed(0), reader)?;
    loader.fold(dir, &region, &vault, it.registry)?;
    drop(loader);
    drop(vault);
    make_durable(dir)?;
    took.fold = begun.elapsed();

    let begun = Moment::now();
    let audit = crate::audit(&dir.into(), &region, &origin, &keyring, it.registry, |done, of| {
        progress("auditing", done, of);
    })?;
    took.audit = begun.elapsed();
    let restored = Restored {
        number: last.manifest.number,
        at: last.manifest.at,
        region: region.as_str().to_owned(),
        origin,
        entries: last.checkpoint.size,
        root: last.checkpoint.root.to_hex(),
        published: None,
        missing: None,
        proven: false,
        audit,
        took,
    };
    let checkpoint = last.checkpoint.clone();
    Ok((restored, Known { region, key: signer.verifier().clone(), checkpoint }))
}

/// Refuses a backup with migrations that this program does not know.
fn is_known(manifest: &Manifest, registry: &Registry) -> Result<(), BackupError> {
    let mut known: HashSet<String> = HashSet::new();
    for side in [Side::Identity, Side::Visits] {
        known.extend(named(&schema::migrations(registry, Part::of(side)), side_name(side)));
    }
    known.extend(named(&schema::migrations(registry, Part::Keys), "keys"));
    match manifest.schema.iter().find(|it| !known.contains(*it)) {
        Some(it) => Err(newer(format!("the migration {it}"), manifest)),
        None => Ok(()),
    }
}

fn newer(what: String, manifest: &Manifest) -> BackupError {
    BackupError::Newer { what, program: manifest.program.clone() }
}

fn named(migrations: &[(&'static str, Migration)], database: &str) -> Vec<String> {
    let name = |(owner, it): &(&str, Migration)| format!("{database}/{owner}/{}", it.number);
    migrations.iter().map(name).collect()
}

/// The migrations that had run when the backup was made. The others run once its rows are there, as
/// they would have in the region.
fn until(
    migrations: Vec<(&'static str, Migration)>,
    database: &str,
    manifest: &Manifest,
) -> Vec<(&'static str, Migration)> {
    let names = named(&migrations, database);
    let then = |name: &String| manifest.schema.contains(name);
    migrations.into_iter().zip(&names).filter(|(_, name)| then(name)).map(|(it, _)| it).collect()
}

/// Rows that are handed on at once.
const AT_ONCE: usize = 500;

/// Hands the rows of a stream on, table by table, some at a time.
fn each_table(
    from: &mut dyn Read,
    take: &mut dyn FnMut(&str, &[String], &[Vec<Value>]) -> Result<(), BackupError>,
) -> Result<(), BackupError> {
    let mut reader = RowsReader::new(std::io::BufReader::with_capacity(1 << 17, from));
    let (mut table, mut columns, mut rows) = (String::new(), Vec::new(), Vec::new());
    while let Some(item) = reader.next().map_err(BackupError::Rows)? {
        match item {
            Item::Row(row) => rows.push(row),
            Item::Table(next, of) => {
                take(&table, &columns, &rows)?;
                rows.clear();
                (table, columns) = (next, of);
            }
        }
        if rows.len() >= AT_ONCE {
            take(&table, &columns, &rows)?;
            rows.clear();
        }
    }
    take(&table, &columns, &rows)
}

const KEY_ADD: &str = "INSERT INTO vault_key (region, scope, wrapped) VALUES ($1, $2, $3)";

/// Brings back the keys: of subjects and days into `keys.db`, the region's into its key folder.
fn load_keys(
    keys: &mut Sqlite,
    keyring: &Keyring,
    manifest: &Manifest,
    it: &Restore<'_>,
) -> Result<(), BackupError> {
    let region = Value::from(manifest.region.as_str());
    keys.begin()?;
    if let Some(part) = &manifest.keys {
        let path = it.keys_from.join(keys_name(manifest.number));
        sealed::open(&path, part, it.identities, |from| {
            each_table(from, &mut |table, _, rows| match table {
                RING => {
                    for row in rows {
                        let [Value::Text(name), Value::Text(text)] = row.as_slice() else {
                            return Err(newer("a key of another form".to_owned(), manifest));
                        };
                        keyring.put(name, text)?;
                    }
                    Ok(())
                }
                "keys.vault_key" => Ok(keys.execute_many(KEY_ADD, &region, rows)?),
                "" => Ok(()),
                other => Err(newer(format!("the table {other}"), manifest)),
            })
        })?;
    } else {
        let path = it.keys_from.join("keys.db");
        if !path.exists() {
            return Err(BackupError::NoKeys);
        }
        for (name, text) in Keyring::open(it.keys_from, Seed::fixed(0))?.all()? {
            keyring.put(&name, &text)?;
        }
        let mut rows = Vec::new();
        let sql = "SELECT scope, wrapped FROM vault_key WHERE region = $1";
        Sqlite::reader(&path)?.query(sql, &[&region], &mut |row| {
            rows.push(row.0);
            Ok(true)
        })?;
        keys.execute_many(KEY_ADD, &region, &rows)?;
    }
    Ok(keys.commit()?)
}

/// Fills the two databases.
struct Loader<'a> {
    identity: Sqlite,
    visits: Sqlite,
    region: Value,
    registry: &'a Registry,
    /// The columns of each table, by `<database>.<table>`.
    known: HashMap<String, HashSet<String>>,
    /// Indexes that are made once the rows are there: filling them row by row touches a page each.
    indexes: Vec<(Side, String)>,
}

impl<'a> Loader<'a> {
    fn open(
        dir: &Path,
        region: &Region,
        registry: &'a Registry,
        manifest: &Manifest,
    ) -> Result<Self, Fault> {
        let mut it = Self {
            identity: Sqlite::filling_writer(&dir.join("identity.db"))?,
            visits: Sqlite::filling_writer(&dir.join("visits.db"))?,
            region: Value::from(region.as_str()),
            registry,
            known: HashMap::new(),
            indexes: Vec::new(),
        };
        for side in [Side::Identity, Side::Visits] {
            let migrations = schema::migrations(registry, Part::of(side));
            let engine = it.side(side);
            schema::migrate(engine, &until(migrations, side_name(side), manifest))?;
            for table in tables(engine)? {
                let columns = columns(it.side(side), &table)?.into_iter().collect();
                it.known.insert(format!("{}.{table}", side_name(side)), columns);
            }
        }
        for (side, table, _) in GROWING {
            let sql = "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = $1 \
                 AND sql IS NOT NULL";
            for row in select(it.side(side), &table.into(), sql, &[])? {
                it.side(side).migrate(&format!("DROP INDEX {};", row.text(0)?))?;
                it.indexes.push((side, row.text(1)?.to_owned()));
            }
        }
        Ok(it)
    }

    fn side(&mut self, side: Side) -> &mut Sqlite {
        match side {
            Side::Identity => &mut self.identity,
            Side::Visits => &mut self.visits,
        }
    }

    fn fill(
        &mut self,
        from: &Path,
        links: &[Link],
        identities: &[Identity],
        progress: Progress<'_>,
    ) -> Result<(), BackupError> {
        let Some(Link { manifest: newest, checkpoint, .. }) = links.last() else { return Ok(()) };
        for link in links {
            let it = &link.manifest;
            self.file(&from.join(segment_name(it.number)), &it.segment, identities, newest)?;
            progress("loading", link.checkpoint.size, checkpoint.size);
        }
        self.file(&from.join(state_name(newest.number)), &newest.state, identities, newest)?;
        for (side, sql) in std::mem::take(&mut self.indexes) {
            self.side(side).migrate(&format!("{sql};"))?;
        }
        for side in [Side::Identity, Side::Visits] {
            let migrations = schema::migrations(self.registry, Part::of(side));
            schema::migrate(self.side(side), &migrations)?;
        }
        Ok(())
    }

    fn file(
        &mut self,
        path: &Path,
        part: &super::Part,
        identities: &[Identity],
        newest: &Manifest,
    ) -> Result<(), BackupError> {
        self.identity.begin()?;
        self.visits.begin()?;
        sealed::open(path, part, identities, |from| {
            each_table(from, &mut |table, columns, rows| self.take(table, columns, rows, newest))
        })?;
        self.visits.commit()?;
        Ok(self.identity.commit()?)
    }

    fn take(
        &mut self,
        table: &str,
        columns: &[String],
        rows: &[Vec<Value>],
        newest: &Manifest,
    ) -> Result<(), BackupError> {
        if rows.is_empty() {
            return Ok(());
        }
        // Names go into a statement's text: only those of tables and columns that are there.
        let known =
            self.known.get(table).ok_or_else(|| newer(format!("the table {table}"), newest))?;
        if let Some(column) = columns.iter().find(|it| !known.contains(*it)) {
            return Err(newer(format!("the column {table}.{column}"), newest));
        }
        let (side, bare) = match table.split_once('.') {
            Some(("identity", bare)) => (Side::Identity, bare),
            Some((_, bare)) => (Side::Visits, bare),
            None => return Err(newer(format!("the table {table}"), newest)),
        };
        let marks: Vec<String> = (1..=columns.len() + 1).map(|it| format!("${it}")).collect();
        let sql = format!(
            "INSERT OR REPLACE INTO {bare} (region, {}) VALUES ({})",
            columns.join(", "),
            marks.join(", ")
        );
        let region = self.region.clone();
        Ok(self.side(side).execute_many(&sql, &region, rows)?)
    }

    /// Hashes every entry into the tree, writes its tiles, and compares with the signed checkpoint.
    fn grow_tree(
        &mut self,
        wanted: &Checkpoint,
        progress: Progress<'_>,
    ) -> Result<(), BackupError> {
        const BUNDLES: &str = "SELECT position, bytes FROM log_bundle WHERE region = $1 \
             AND position >= $2 ORDER BY position LIMIT 64";
        const TILE: &str = "INSERT OR REPLACE INTO log_tile (region, level, position, width, bytes) \
             VALUES ($1, $2, $3, $4, $5)";
        let damaged = |why: String| BackupError::Damaged { file: "the log".to_owned(), why };
        let mut tree = ledger::Tree::new();
        let mut position = 0_u64;
        self.identity.begin()?;
        loop {
            let rows = select(&mut self.identity, &self.region, BUNDLES, &[position.into()])?;
            if rows.is_empty() {
                break;
            }
            let mut entries: Vec<&[u8]> = Vec::new();
            for row in &rows {
                if row.count(0)? != position {
                    return Err(damaged(format!("entries from {} on are missing", position * 256)));
                }
                let bundle = ledger::parse_bundle(row.bytes(1)?);
                entries.extend(bundle.map_err(|error| damaged(error.to_string()))?);
                position += 1;
            }
            let appended = tree.append(&entries).map_err(|error| damaged(error.to_string()))?;
            let tiles: Vec<Vec<Value>> = appended
                .tiles
                .into_iter()
                .map(|it| vec![it.level.into(), it.index.into(), it.width.into(), it.bytes.into()])
                .collect();
            self.identity.execute_many(TILE, &self.region, &tiles)?;
            progress("hashing", tree.size(), wanted.size);
        }
        self.identity.commit()?;
        if (tree.size(), tree.root()) != (wanted.size, wanted.root) {
            let size = tree.size();
            return Err(damaged(format!(
                "its {size} entries do not give the root of the signed checkpoint of {}",
                wanted.size
            )));
        }
        Ok(())
    }

    /// Removes the observations of days that are over, and folds what is left into views.
    fn fold(
        &mut self,
        dir: &Path,
        region: &Region,
        vault: &Vault,
        registry: &Registry,
    ) -> Result<(), Fault> {
        self.visits.begin()?;
        for (kind, day) in ended_days(&mut self.identity, &self.region)? {
            let sql = "DELETE FROM observation WHERE region = $1 AND kind = $2 AND day = $3";
            run(&mut self.visits, &self.region, sql, &[kind.into(), day.into()])?;
        }
        self.visits.commit()?;
        self.identity.begin()?;
        upkeep::fold(&mut self.identity, region, vault, registry)?;
        self.identity.commit()?;
        let mut source = Sqlite::reader(&dir.join("visits.db"))?;
        self.visits.begin()?;
        for kind in &registry.observations {
            observe::project_all(&mut source, &mut self.visits, region, vault, kind)?;
        }
        self.visits.commit()
    }
}

/// Empties the journals and brings every file to the disk.
fn make_durable(dir: &Path) -> Result<(), Fault> {
    for file in crate::backend::FILES {
        let path = dir.join(file);
        Sqlite::writer(&path)?.clear_journal()?;
        std::fs::File::open(&path)
            .and_then(|it| it.sync_all())
            .doing("making a database durable")?;
    }
    sealed::sync_folder(&dir.join("x"))
}

/// Compares with what was published.
fn compare(
    mut restored: Restored,
    dir: &Path,
    published: Option<Published<'_>>,
    known: &Known,
    verify: bool,
) -> Result<Restored, BackupError> {
    let Some(published) = published else {
        if verify {
            let why = "no published checkpoint was given".to_owned();
            return Err(BackupError::NotProven { why });
        }
        return Ok(restored);
    };
    let opened = Checkpoint::open(&published.checkpoint, &known.key, &[]);
    let theirs =
        opened.map_err(|error| BackupError::OtherKey { why: error.to_string() })?.checkpoint;
    let ours = &known.checkpoint;
    let other = |why: String| BackupError::OtherHistory { why };
    restored.published = Some(theirs.size);
    restored.missing = Some(theirs.size.saturating_sub(ours.size));
    let not_proven = if theirs.size <= ours.size {
        let mut identity = Sqlite::reader(&dir.join("identity.db"))?;
        let region = Value::from(known.region.as_str());
        let mut tiles =
            |id: TileId| crate::open::stored(&mut identity, &region, Resource::Tile(id));
        let root = ledger::root_at(theirs.size, &mut tiles).doing("recomputing an earlier root")?;
        if root != theirs.root {
            let why = format!("its first {} entries are others than those published", theirs.size);
            return Err(other(why));
        }
        None
    } else if ours.size == 0 {
        None
    } else if let Some(tiles) = published.tiles {
        match ledger::consistency_proof(ours.size, theirs.size, &mut |id: TileId| tiles(id)) {
            Ok(proof) => {
                let sizes = (ours.size, theirs.size);
                ledger::verify_consistency(sizes.0, &ours.root, sizes.1, &theirs.root, &proof)
                    .map_err(|error| other(error.to_string()))?;
                None
            }
            Err(error) => Some(error.to_string()),
        }
    } else {
        let (theirs, ours) = (theirs.size, ours.size);
        Some(format!(
            "the checkpoint has {theirs} entries, the backup {ours}: its tiles are needed"
        ))
    };
    restored.proven = not_proven.is_none();
    match not_proven {
        Some(why) if verify => Err(BackupError::NotProven { why }),
        _ => Ok(restored),
    }
}
