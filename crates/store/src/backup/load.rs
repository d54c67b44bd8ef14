//! Rows of backups into the fresh databases of a region, and what follows from them: tiles, views.

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::path::Path;

use kernel::{Region, Seed};
use ledger::Checkpoint;

use super::manifest::{Link, keys_name, segment_name, state_name};
use super::rows::{Item, RowsReader};
use super::{
    BackupError, GROWING, Identity, KEY_TABLES, Manifest, Part, Progress, RING, Restore, columns,
    ended_days, sealed, side_name, tables,
};
use crate::backend;
use crate::projection::{run, select};
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

/// Rows that are handed on at once.
const AT_ONCE: usize = 500;

/// Takes rows of a table: its name, its columns, the rows.
type Take<'a> = &'a mut dyn FnMut(&str, &[String], &[Vec<Value>]) -> Result<(), BackupError>;

/// Hands the rows of a stream on, table by table, some at a time.
fn each_table(from: &mut dyn Read, take: Take<'_>) -> Result<(), BackupError> {
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

/// The statement that takes rows of a table of `keys.db` with these columns, if it has them.
fn key_add(keys: &mut Sqlite, table: &str, given: &[String]) -> Result<Option<String>, Fault> {
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
            each_table(from, &mut |table, columns, rows| match table {
                RING => {
                    for row in rows {
                        let [Value::Text(name), Value::Text(text)] = row.as_slice() else {
                            return Err(newer("a key of another form".to_owned(), manifest));
                        };
                        keyring.put(name, text)?;
                    }
                    Ok(())
                }
                "" => Ok(()),
                other => match key_add(keys, other, columns)? {
                    Some(sql) => Ok(keys.execute_many(&sql, &region, rows)?),
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
                rows.push(row.0);
                Ok(true)
            })?;
            keys.execute_many(&sql, &region, &rows)?;
        }
    }
    Ok(keys.commit()?)
}

/// Fills the two databases.
pub(super) struct Loader<'a> {
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
    pub(super) fn open(
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
            let migrations = schema::migrations(registry, backend::Part::of(side));
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

    fn file(
        &mut self,
        path: &Path,
        part: &Part,
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
    pub(super) fn grow_tree(
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
    pub(super) fn fold(
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
