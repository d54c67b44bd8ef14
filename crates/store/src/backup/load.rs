//! Rows of backups into the fresh databases of a region, and what follows from them: tiles, views.

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant as Moment};

use kernel::{Region, Seed};
use ledger::Checkpoint;

use super::manifest::{Link, keys_name, segment_name, state_name};
use super::rows::{Item, RowsReader};
use super::{
    BackupError, GROWING, Identity, KEY_TABLES, Manifest, Part, Progress, RING, Restore, columns,
    ended_days, sealed, side_name,
};
use crate::backend::{self, Backend};
use crate::engine::Shape;
use crate::projection::select;
use crate::sqlite::Sqlite;
use crate::vault::Vault;
use crate::{Engine, Fault, Keyring, Migration, Registry, Side, Value, observe, schema, upkeep};

/// Refuses a backup with migrations that this program does not know.
pub(super) fn is_known(manifest: &Manifest, registry: &Registry) -> Result<(), BackupError> {
    let mut known: HashSet<String> = HashSet::new();
    for side in [Side::Identity, Side::Visits] {
        known
            .extend(named(&schema::migrations(registry, backend::Part::of(side)), side_name(side)));
    }
    known.extend(named(&schema::migrations(registry, backend::Part::Keys), "keys"));
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
pub(super) fn until(
    migrations: Vec<(&'static str, Migration)>,
    database: &str,
    manifest: &Manifest,
) -> Vec<(&'static str, Migration)> {
    let names = named(&migrations, database);
    let then = |name: &String| manifest.schema.contains(name);
    migrations.into_iter().zip(&names).filter(|(_, name)| then(name)).map(|(it, _)| it).collect()
}

/// Rows that are handed on at once, and about how many bytes.
const AT_ONCE: usize = 1_024;
const BYTES_AT_ONCE: usize = 1 << 20;
/// As many of those may lie ready.
const PAGES_READY: usize = 4;
/// After as many of those they are committed: nobody sees what a restore has not finished, and a journal
/// that holds all of it is slow.
const PAGES_AT_ONCE: usize = 100;

fn bytes_of(row: &[Value]) -> usize {
    let bytes = |it: &Value| match it {
        Value::Text(it) => it.len(),
        Value::Bytes(it) => it.len(),
        Value::Int(_) | Value::Null => 8,
    };
    row.iter().map(bytes).sum()
}

/// Some rows of a table.
#[derive(Default)]
struct Page {
    table: String,
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
}

/// Hands the rows of a stream on, table by table, some at a time.
fn each_page(
    from: &mut dyn Read,
    mut take: impl FnMut(Page) -> Result<(), BackupError>,
) -> Result<(), BackupError> {
    let mut reader = RowsReader::new(std::io::BufReader::with_capacity(1 << 17, from));
    let (mut page, mut bytes) = (Page::default(), 0);
    while let Some(item) = reader.next().map_err(BackupError::Rows)? {
        let mut next = None;
        match item {
            Item::Row(row) => {
                bytes += bytes_of(&row);
                page.rows.push(row);
                if page.rows.len() >= AT_ONCE || bytes >= BYTES_AT_ONCE {
                    next = Some((page.table.clone(), page.columns.clone()));
                }
            }
            Item::Table(table, columns) => next = Some((table, columns)),
        }
        if let Some((table, columns)) = next {
            take(std::mem::replace(&mut page, Page { table, columns, rows: Vec::new() }))?;
            bytes = 0;
        }
    }
    take(page)
}

/// The statement that takes rows of a table of `keys.db` with these columns, if it has them.
fn key_add(keys: &mut dyn Engine, table: &str, given: &[String]) -> Result<Option<String>, Fault> {
    let bare = table.strip_prefix("keys.").unwrap_or_default();
    let known = columns(keys, bare)?;
    // Names go into a statement's text: only those of tables and columns that are there.
    if !KEY_TABLES.contains(&bare) || given.iter().any(|it| !known.contains(it)) {
        return Ok(None);
    }
    let marks: Vec<String> = (1..=given.len() + 1).map(|it| format!("${it}")).collect();
    let (columns, marks) = (given.join(", "), marks.join(", "));
    Ok(Some(format!("INSERT INTO {bare} (region, {columns}) VALUES ({marks})")))
}

/// Brings back the keys: of subjects and days into `keys.db`, the region's into its key folder.
pub(super) fn load_keys(
    keys: &mut dyn Engine,
    keyring: &Keyring,
    manifest: &Manifest,
    it: &Restore<'_>,
) -> Result<(), BackupError> {
    let region = Value::from(manifest.region.as_str());
    keys.begin()?;
    if let Some(part) = &manifest.keys {
        let path = it.keys_from.join(keys_name(manifest.number));
        sealed::open(&path, part, it.identities, |from| {
            each_page(from, |Page { table, columns, rows }| match table.as_str() {
                RING => {
                    for row in &rows {
                        let [Value::Text(name), Value::Text(text)] = row.as_slice() else {
                            return Err(newer("a key of another form".to_owned(), manifest));
                        };
                        keyring.put(name, text)?;
                    }
                    Ok(())
                }
                "" => Ok(()),
                other => match key_add(keys, other, &columns)? {
                    Some(sql) => Ok(keys.execute_many(&sql, &region, &rows)?),
                    None => Err(newer(format!("the table {other}"), manifest)),
                },
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
        let mut source = Sqlite::reader(&path)?;
        for table in KEY_TABLES {
            let there = columns(&mut source, table)?;
            if there.is_empty() {
                continue;
            }
            let sql = key_add(keys, &format!("keys.{table}"), &there)?;
            let sql = sql.ok_or_else(|| newer(format!("the table {table}"), manifest))?;
            let mut rows = Vec::new();
            let select = format!("SELECT {} FROM {table} WHERE region = $1", there.join(", "));
            source.query(&select, &[&region], &mut |row| {
                rows.push(std::mem::take(&mut row.0));
                Ok(true)
            })?;
            keys.execute_many(&sql, &region, &rows)?;
        }
    }
    Ok(keys.commit()?)
}

/// Fills the two databases.
pub(super) struct Loader<'a> {
    identity: Box<dyn Engine>,
    visits: Box<dyn Engine>,
    region: Value,
    registry: &'a Registry,
    /// The tables, by `<database>.<table>`.
    known: HashMap<String, Shape>,
    /// Indexes that are made once the rows are there: filling them row by row touches a page each.
    indexes: Vec<(Side, String)>,
}

impl<'a> Loader<'a> {
    pub(super) fn open(
        backend: &Backend,
        region: &Region,
        registry: &'a Registry,
        manifest: &Manifest,
    ) -> Result<Self, Fault> {
        let mut it = Self {
            identity: backend.filler(backend::Part::Identity)?,
            visits: backend.filler(backend::Part::Visits)?,
            region: Value::from(region.as_str()),
            registry,
            known: HashMap::new(),
            indexes: Vec::new(),
        };
        for side in [Side::Identity, Side::Visits] {
            let migrations = schema::migrations(registry, backend::Part::of(side));
            let engine = it.side(side);
            schema::migrate(engine, &until(migrations, side_name(side), manifest))?;
            for shape in it.side(side).tables()? {
                if GROWING.iter().any(|(_, table, _)| *table == shape.name) {
                    for (name, sql) in &shape.indexes {
                        it.side(side).migrate(&format!("DROP INDEX {name};"))?;
                        it.indexes.push((side, sql.clone()));
                    }
                }
                it.known.insert(format!("{}.{}", side_name(side), shape.name), shape);
            }
        }
        Ok(it)
    }

    fn side(&mut self, side: Side) -> &mut dyn Engine {
        match side {
            Side::Identity => self.identity.as_mut(),
            Side::Visits => self.visits.as_mut(),
        }
    }

    pub(super) fn fill(
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
            let migrations = schema::migrations(self.registry, backend::Part::of(side));
            schema::migrate(self.side(side), &migrations)?;
        }
        Ok(())
    }

    /// Takes the rows of a file: one thread decrypts and reads, this one writes.
    fn file(
        &mut self,
        path: &Path,
        part: &Part,
        identities: &[Identity],
        newest: &Manifest,
    ) -> Result<(), BackupError> {
        self.begin()?;
        let (send, pages) = mpsc::sync_channel(PAGES_READY);
        std::thread::scope(|scope| {
            let reading = scope.spawn(move || {
                // Where nobody takes any more, whoever writes has met a fault, and says so.
                sealed::open(path, part, identities, |from| {
                    let nobody = |_| Fault::new("nobody takes the rows of a backup").into();
                    each_page(from, |page| send.send(page).map_err(nobody))
                })
            });
            let written = (1..).zip(&pages).try_for_each(|(number, page)| {
                self.take(&page, newest)?;
                if number % PAGES_AT_ONCE == 0 {
                    self.commit()?;
                    self.begin()?;
                }
                Ok(())
            });
            // The reader must not wait for somebody who takes no more.
            drop(pages);
            let read = reading.join().map_err(|_| Fault::new("the thread that reads panicked"))?;
            written.and(read)
        })?;
        Ok(self.commit()?)
    }

    fn begin(&mut self) -> Result<(), Fault> {
        self.identity.begin()?;
        self.visits.begin()
    }

    fn commit(&mut self) -> Result<(), Fault> {
        self.visits.commit()?;
        self.identity.commit()
    }

    fn take(&mut self, page: &Page, newest: &Manifest) -> Result<(), BackupError> {
        let Page { table, columns, rows } = page;
        if rows.is_empty() {
            return Ok(());
        }
        // Names go into a statement's text: only those of tables and columns that are there.
        let shape =
            self.known.get(table).ok_or_else(|| newer(format!("the table {table}"), newest))?;
        if let Some(column) = columns.iter().find(|it| !shape.columns.contains(it)) {
            return Err(newer(format!("the column {table}.{column}"), newest));
        }
        let side = if table.starts_with("identity.") { Side::Identity } else { Side::Visits };
        let sql = upsert(shape, columns);
        let region = self.region.clone();
        Ok(self.side(side).execute_many(&sql, &region, rows)?)
    }

    /// Hashes every entry into the tree, writes its tiles, and compares with the signed checkpoint.
    fn grow_tree(
        identity: &mut dyn Engine,
        region: &Value,
        wanted: &Checkpoint,
        progress: Progress<'_>,
    ) -> Result<(), BackupError> {
        const BUNDLES: &str = "SELECT position, bytes FROM log_bundle WHERE region = $1 \
             AND position >= $2 ORDER BY position LIMIT 64";
        const TILE: &str = "INSERT INTO log_tile (region, level, position, width, bytes) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (region, level, position) \
             DO UPDATE SET width = excluded.width, bytes = excluded.bytes";
        let damaged = |why: String| BackupError::Damaged { file: "the log".to_owned(), why };
        let mut tree = ledger::Tree::new();
        let mut position = 0_u64;
        identity.begin()?;
        loop {
            let rows = select(identity, region, BUNDLES, &[position.into()])?;
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
            identity.execute_many(TILE, region, &tiles)?;
            progress("hashing", tree.size(), wanted.size);
        }
        identity.commit()?;
        if (tree.size(), tree.root()) != (wanted.size, wanted.root) {
            let size = tree.size();
            return Err(damaged(format!(
                "its {size} entries do not give the root of the signed checkpoint of {}",
                wanted.size
            )));
        }
        Ok(())
    }

    /// Hashes every entry into the tree, and folds the log into views; those of visits meanwhile, once
    /// the observations of days that are over are removed. Gives how long the tree took.
    pub(super) fn grow_and_fold(
        self,
        backend: &Backend,
        region: &Region,
        vault: &Vault,
        wanted: &Checkpoint,
        progress: Progress<'_>,
    ) -> Result<Duration, BackupError> {
        let registry = self.registry;
        let Self { mut identity, mut visits, region: value, .. } = self;
        visits.begin()?;
        observe::drop_days(visits.as_mut(), &value, &ended_days(identity.as_mut(), &value)?)?;
        visits.commit()?;
        std::thread::scope(|scope| {
            let of_visits = scope.spawn(move || {
                let mut source = backend.reader(backend::Part::Visits)?;
                visits.begin()?;
                for kind in &registry.observations {
                    let target = visits.as_mut();
                    observe::project_all(source.as_mut(), target, region, vault, kind)?;
                }
                visits.commit()
            });
            let begun = Moment::now();
            Self::grow_tree(identity.as_mut(), &value, wanted, progress)?;
            let took = begun.elapsed();
            progress("folding", 0, wanted.size);
            identity.begin()?;
            upkeep::fold(identity.as_mut(), region, vault, registry)?;
            identity.commit()?;
            of_visits.join().map_err(|_| Fault::new("a thread of the restore panicked"))??;
            Ok(took)
        })
    }
}

/// Puts a row in, or in the place of the one of an older backup.
fn upsert(shape: &Shape, columns: &[String]) -> String {
    let marks: Vec<String> = (1..=columns.len() + 1).map(|it| format!("${it}")).collect();
    let others = columns.iter().filter(|it| !shape.key.contains(it));
    let set: Vec<String> = others.map(|it| format!("{it} = excluded.{it}")).collect();
    let action = if set.is_empty() {
        "NOTHING".to_owned()
    } else {
        format!("UPDATE SET {}", set.join(", "))
    };
    format!(
        "INSERT INTO {} (region, {}) VALUES ({}) ON CONFLICT ({}) DO {action}",
        shape.name,
        columns.join(", "),
        marks.join(", "),
        shape.key.join(", ")
    )
}
