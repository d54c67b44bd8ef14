//! SQLite behind [`Engine`]: WAL, `synchronous=FULL`; erased keys are overwritten.

use std::path::Path;
use std::time::Duration;

use rusqlite::hooks::Wal;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags, Statement};

use crate::engine::Shape;
use crate::fault::Doing as _;
use crate::{Engine, Fault, Row, Value};

/// SQLite before 3.51.3 could corrupt a database when the WAL was reset while another connection
/// checkpointed.
pub const SQLITE_MIN: i32 = 3_051_003;

/// Names of the parameters, so that a text's `$2` is bound as `$2` wherever it stands.
const NAMES: [&str; 24] = [
    "$1", "$2", "$3", "$4", "$5", "$6", "$7", "$8", "$9", "$10", "$11", "$12", "$13", "$14", "$15",
    "$16", "$17", "$18", "$19", "$20", "$21", "$22", "$23", "$24",
];

/// How long a statement waits for another connection's lock.
const BUSY: Duration = Duration::from_secs(10);

/// Pages in the journal from which on a commit brings them into the database.
const CHECKPOINT_PAGES: i32 = 16_000;

/// One connection.
pub struct Sqlite {
    connection: Connection,
    /// Whether what is deleted must leave no trace.
    erasing: bool,
    /// Rows were deleted, and the journal may still hold them.
    uncleared: bool,
}

impl Sqlite {
    /// Opens for writing, creating the file when absent.
    pub fn writer(path: &Path) -> Result<Self, Fault> {
        if rusqlite::version_number() < SQLITE_MIN {
            return Err(Fault::new(format!("SQLite {} is too old", rusqlite::version())));
        }
        let mut connection = Connection::open(path).doing("opening a database for writing")?;
        connection
            .execute_batch(
                "PRAGMA page_size=8192; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; \
                 PRAGMA secure_delete=FAST; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-65536; \
                 PRAGMA foreign_keys=OFF;",
            )
            .doing("setting up a database")?;
        // SQLite's own automatic checkpoint keeps its failures to itself; but what it could not
        // flush once it believes to be flushed the next time, and then it throws the journal away.
        let checkpoint = |wal: &mut Wal, pages: i32| {
            if pages < CHECKPOINT_PAGES {
                return Ok(());
            }
            match wal.checkpoint() {
                Err(error) if is_broken(&error) => Err(error),
                // Not written, or somebody in the way: the journal has it all, the next commit
                // tries again. An error here must not look like one of the COMMIT itself.
                _ => Ok(()),
            }
        };
        connection.wal_hook(Some(checkpoint)).doing("setting up a database")?;
        Self::ready(connection)
    }

    /// Opens for writing where deleting a row must leave no trace of it: the keys. What the other
    /// databases hold is sealed under them, so overwriting each freed page there buys nothing.
    pub fn erasing_writer(path: &Path) -> Result<Self, Fault> {
        let mut writer = Self::writer(path)?;
        let sql = "PRAGMA secure_delete=ON";
        writer.connection.execute_batch(sql).doing("setting up the key database")?;
        writer.erasing = true;
        Ok(writer)
    }

    /// Opens for writing a folder that is not a region's yet: fast, and durable only once whoever
    /// fills it has made its files so.
    pub(crate) fn filling_writer(path: &Path) -> Result<Self, Fault> {
        let writer = Self::writer(path)?;
        let sql = "PRAGMA synchronous=OFF; PRAGMA cache_size=-262144;";
        writer.connection.execute_batch(sql).doing("setting up a database")?;
        Ok(writer)
    }

    /// Brings everything into the database and empties its journal, so that what was deleted is not
    /// left there. `false` while somebody still reads an older picture.
    pub(crate) fn clear_journal(&self) -> Result<bool, Fault> {
        let doing = "emptying a journal";
        self.connection.busy_timeout(Duration::ZERO).doing(doing)?;
        let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
        let busy = self.connection.query_row(sql, [], |row| row.get::<_, i64>(0));
        self.connection.busy_timeout(BUSY).doing(doing)?;
        Ok(busy.doing(doing)? == 0)
    }

    /// Opens an existing file for reading only.
    pub fn reader(path: &Path) -> Result<Self, Fault> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection =
            Connection::open_with_flags(path, flags).doing("opening a database for reading")?;
        connection
            .execute_batch(
                "PRAGMA query_only=ON; PRAGMA temp_store=MEMORY; PRAGMA mmap_size=2147418112;",
            )
            .doing("setting up a reader")?;
        Self::ready(connection)
    }

    /// A database in memory: for rebuilding beside the real one, and for checking SQL texts.
    pub fn memory() -> Result<Self, Fault> {
        Self::ready(Connection::open_in_memory().doing("opening a database in memory")?)
    }

    /// A database that is gone with its connection, in a file where it outgrows the memory: for
    /// folding a whole log beside the real tables.
    pub(crate) fn scratch() -> Result<Self, Fault> {
        let connection = Connection::open("").doing("opening a scratch database")?;
        connection
            .execute_batch(
                "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-65536;",
            )
            .doing("setting up a scratch database")?;
        Self::ready(connection)
    }

    /// What SQLite finds wrong with its file: pages, cells, and indexes that say something else than
    /// their table. Nothing when all is well.
    pub(crate) fn examine(&self) -> Result<Vec<String>, Fault> {
        let doing = "examining a database";
        let mut statement = self.connection.prepare("PRAGMA integrity_check(20)").doing(doing)?;
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).doing(doing)?;
        let rows: Result<Vec<String>, _> = rows.collect();
        Ok(rows.doing(doing)?.into_iter().filter(|it| it != "ok").collect())
    }

    fn ready(connection: Connection) -> Result<Self, Fault> {
        connection.busy_timeout(BUSY).doing("setting the busy time-out")?;
        connection.set_prepared_statement_cache_capacity(256);
        Ok(Self { connection, erasing: false, uncleared: false })
    }
}

/// Puts what a column holds into a value, in the room that this has already.
fn fill(value: &mut Value, column: ValueRef<'_>) -> Result<(), Fault> {
    match (value, column) {
        (Value::Bytes(room), ValueRef::Blob(it)) => {
            room.clear();
            room.extend_from_slice(it);
        }
        (Value::Text(room), ValueRef::Text(it)) => {
            let text = std::str::from_utf8(it).doing("reading a text")?;
            room.clear();
            room.push_str(text);
        }
        (value, ValueRef::Null) => *value = Value::Null,
        (value, ValueRef::Integer(it)) => *value = Value::Int(it),
        (_, ValueRef::Real(_)) => return Err(Fault::new("a real number in a column")),
        (value, ValueRef::Text(it)) => {
            *value = Value::Text(std::str::from_utf8(it).doing("reading a text")?.to_owned());
        }
        (value, ValueRef::Blob(it)) => *value = Value::Bytes(it.to_vec()),
    }
    Ok(())
}

fn error_of(fault: &Fault) -> Option<&rusqlite::Error> {
    fault.cause()?.downcast_ref()
}

/// Whether a COMMIT that failed so has certainly left nothing durable: no room, or a page that could
/// not be written. The page that makes a transaction count is the last one written and is worthless
/// in part (<https://sqlite.org/walformat.html>). After any other failure, a flush above all, nobody
/// knows.
pub(crate) fn left_nothing(fault: &Fault) -> bool {
    error_of(fault).is_some_and(is_unwritten)
}

fn is_unwritten(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DiskFull)
        || error.sqlite_extended_error_code() == Some(rusqlite::ffi::SQLITE_IOERR_WRITE)
}

/// Whether a statement failed for the disk's sake and not for its own: full, read-only, broken.
pub(crate) fn failed_by_disk(fault: &Fault) -> bool {
    use ErrorCode::{CannotOpen, DiskFull, ReadOnly, SystemIoFailure};
    let code = error_of(fault).and_then(|it| it.sqlite_error_code());
    matches!(code, Some(CannotOpen | DiskFull | ReadOnly | SystemIoFailure))
}

/// Whether the disk failed in a way after which nobody knows what it holds.
fn is_broken(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure) && !is_unwritten(error)
}

/// Where SQLite has the parameter of this number.
fn place(statement: &Statement<'_>, position: usize) -> Result<usize, Fault> {
    let name = NAMES.get(position).ok_or_else(|| Fault::new("more parameters than 24"))?;
    let place = statement.parameter_index(name).doing("looking up a parameter")?;
    place.ok_or_else(|| Fault::new(format!("the text does not use {name}")))
}

fn bind(statement: &mut Statement<'_>, place: usize, value: &Value) -> Result<(), Fault> {
    let bound = match value {
        Value::Null => statement.raw_bind_parameter(place, rusqlite::types::Null),
        Value::Int(it) => statement.raw_bind_parameter(place, it),
        Value::Text(it) => statement.raw_bind_parameter(place, it),
        Value::Bytes(it) => statement.raw_bind_parameter(place, it),
    };
    bound.doing("binding a parameter")
}

/// `CREATE TABLE … (…);` becomes `… WITHOUT ROWID;`: the primary key is the table, as it is read.
/// Not where the migration says `-- large rows`: SQLite keeps a quarter of a page of a row beside its
/// key, and where there is more it reads the whole row to compare one key.
fn without_rowid(sql: &str) -> String {
    let mut text = String::with_capacity(sql.len() + 64);
    for statement in sql.split_inclusive(';') {
        let bare = statement.trim_end_matches(';').trim_end();
        let first = bare.lines().find(|it| !it.trim().is_empty() && !it.trim().starts_with("--"));
        let is_table = first.is_some_and(|it| it.trim_start().starts_with("CREATE TABLE"));
        if is_table && !bare.contains("-- large rows") {
            text.push_str(bare);
            text.push_str(" WITHOUT ROWID;");
        } else {
            text.push_str(statement);
        }
    }
    text
}

/// A million rows, all of one region; each further column of an index parts them by a hundred, and
/// the last one of a unique index leaves one.
fn statistics(columns: u32, unique: bool) -> String {
    let mut text = "1000000".to_owned();
    for column in 0..columns {
        let rows = if unique && column + 1 == columns && column > 0 {
            1
        } else {
            1_000_000 / 100_u32.pow(column.min(3))
        };
        text.push(' ');
        text.push_str(&rows.to_string());
    }
    text
}

impl Engine for Sqlite {
    fn execute(&mut self, sql: &str, parameters: &[&Value]) -> Result<u64, Fault> {
        let mut statement = self.connection.prepare_cached(sql).doing(sql)?;
        for (position, value) in parameters.iter().enumerate() {
            let place = place(&statement, position)?;
            bind(&mut statement, place, value)?;
        }
        let touched = statement.raw_execute().doing(sql)?;
        statement.clear_bindings();
        self.uncleared |= self.erasing && touched > 0 && sql.starts_with("DELETE");
        Ok(u64::try_from(touched).unwrap_or(u64::MAX))
    }

    fn execute_many(&mut self, sql: &str, first: &Value, rows: &[Vec<Value>]) -> Result<(), Fault> {
        let mut statement = self.connection.prepare_cached(sql).doing(sql)?;
        let in_first = place(&statement, 0)?;
        bind(&mut statement, in_first, first)?;
        let width = rows.first().map_or(0, Vec::len);
        let places = (1..=width).map(|it| place(&statement, it)).collect::<Result<Vec<_>, _>>()?;
        for row in rows {
            if row.len() != width {
                return Err(Fault::new("rows of one statement have different numbers of values"));
            }
            for (place, value) in places.iter().zip(row) {
                bind(&mut statement, *place, value)?;
            }
            statement.raw_execute().doing(sql)?;
        }
        statement.clear_bindings();
        Ok(())
    }

    fn query(
        &mut self,
        sql: &str,
        parameters: &[&Value],
        each: &mut dyn FnMut(&mut Row) -> Result<bool, Fault>,
    ) -> Result<(), Fault> {
        let mut statement = self.connection.prepare_cached(sql).doing(sql)?;
        for (position, value) in parameters.iter().enumerate() {
            let place = place(&statement, position)?;
            bind(&mut statement, place, value)?;
        }
        let (columns, mut lent) = (statement.column_count(), Row::default());
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next().doing(sql)? {
            lent.0.resize(columns, Value::Null);
            for (column, value) in lent.0.iter_mut().enumerate() {
                fill(value, row.get_ref(column).doing(sql)?).doing(sql)?;
            }
            if !each(&mut lent)? {
                break;
            }
        }
        Ok(())
    }

    fn migrate(&mut self, sql: &str) -> Result<(), Fault> {
        self.connection.execute_batch(&without_rowid(sql)).doing("running a migration")
    }

    /// Tells the planner what it would otherwise guess wrongly: without statistics it takes
    /// `region = ?` for a narrow search (ten rows), and reads the whole region where an index on
    /// more columns stands beside the key. Written statistics, unlike measured ones, do not change
    /// with the day on which they were taken.
    fn settle(&mut self) -> Result<(), Fault> {
        let doing = "describing the tables to the planner";
        // The limit keeps it from reading tables whose statistics are thrown away next.
        let empty = "PRAGMA analysis_limit=1; ANALYZE; DELETE FROM sqlite_stat1;";
        self.connection.execute_batch(empty).doing(doing)?;
        let indexes = "SELECT t.name, i.name, i.origin = 'pk' AND t.wr, i.\"unique\" \
             FROM pragma_table_list t, pragma_index_list(t.name) i \
             WHERE t.type = 'table' AND t.schema = 'main' AND t.name NOT LIKE 'sqlite%'";
        let mut statement = self.connection.prepare(indexes).doing(doing)?;
        let rows =
            statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)));
        let rows: Result<Vec<(String, String, bool, bool)>, _> = rows.doing(doing)?.collect();
        for (table, index, is_table, unique) in rows.doing(doing)? {
            let columns = "SELECT COUNT(*) FROM pragma_index_info(?1)";
            let columns: u32 =
                self.connection.query_row(columns, [&index], |row| row.get(0)).doing(doing)?;
            // A key that is the table goes by the table's name (sqlite3's analyze.c).
            let name = if is_table { &table } else { &index };
            let insert = "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?1, ?2, ?3)";
            let stat = statistics(columns, unique);
            self.connection.execute(insert, [&table, name, &stat]).doing(doing)?;
        }
        self.connection.execute_batch("ANALYZE sqlite_schema;").doing(doing)
    }

    fn begin(&mut self) -> Result<(), Fault> {
        self.connection.execute_batch("BEGIN IMMEDIATE").doing("beginning a transaction")
    }

    fn begin_read(&mut self) -> Result<(), Fault> {
        self.connection.execute_batch("BEGIN DEFERRED").doing("beginning to read")
    }

    fn commit(&mut self) -> Result<(), Fault> {
        self.connection.execute_batch("COMMIT").doing("committing")?;
        if self.uncleared {
            // It is durable already. Where a reader is in the way or there is no room, the next
            // commit tries again.
            self.uncleared = match self.clear_journal() {
                Err(fault) if failed_by_disk(&fault) && !left_nothing(&fault) => return Err(fault),
                done => !done.unwrap_or(false),
            };
        }
        Ok(())
    }

    fn rollback(&mut self) -> Result<(), Fault> {
        // SQLite has already rolled back after some errors; then there is nothing to do.
        if self.connection.is_autocommit() {
            return Ok(());
        }
        self.connection.execute_batch("ROLLBACK").doing("rolling back")
    }

    fn tables(&mut self) -> Result<Vec<Shape>, Fault> {
        let mut shapes = Vec::new();
        let names = "SELECT name FROM sqlite_schema WHERE type = 'table' \
             AND name NOT LIKE 'sqlite%' ORDER BY name";
        self.query(names, &[], &mut |row| {
            let name = row.text(0)?.to_owned();
            shapes.push(Shape { name, columns: Vec::new(), key: Vec::new(), indexes: Vec::new() });
            Ok(true)
        })?;
        for it in &mut shapes {
            let name = Value::from(it.name.as_str());
            let columns = "SELECT name, pk FROM pragma_table_info($1) ORDER BY cid";
            self.query(columns, &[&name], &mut |row| {
                it.columns.push(row.text(0)?.to_owned());
                if row.int(1)? > 0 {
                    it.key.push(row.text(0)?.to_owned());
                }
                Ok(true)
            })?;
            let indexes = "SELECT name, sql FROM sqlite_schema WHERE type = 'index' \
                 AND tbl_name = $1 AND sql IS NOT NULL ORDER BY name";
            self.query(indexes, &[&name], &mut |row| {
                it.indexes.push((row.text(0)?.to_owned(), row.text(1)?.to_owned()));
                Ok(true)
            })?;
        }
        Ok(shapes)
    }

    fn check(&mut self, sql: &str) -> Result<(), Fault> {
        self.connection.prepare(sql).map(|_| ()).doing(sql)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_bound_by_its_number_and_not_by_its_place() {
        let mut engine = Sqlite::memory().unwrap();
        let mut seen = Vec::new();
        let (one, two) = (Value::Int(1), Value::Int(2));
        engine
            .query("SELECT $2, $1", &[&one, &two], &mut |row| {
                seen.push(std::mem::take(row));
                Ok(true)
            })
            .unwrap();
        assert_eq!(seen, [Row(vec![Value::Int(2), Value::Int(1)])]);
    }

    #[test]
    fn a_search_within_a_region_takes_the_narrow_index() {
        let mut engine = Sqlite::memory().unwrap();
        let sql = "CREATE TABLE t (region TEXT, seq BIGINT, kind TEXT, thing BYTEA, \
             PRIMARY KEY (region, seq)); CREATE INDEX t_thing ON t (region, kind, thing, seq);";
        engine.migrate(sql).unwrap();
        engine.settle().unwrap();
        let plan = "EXPLAIN QUERY PLAN SELECT * FROM t WHERE region = $1 AND kind = $2 \
             AND thing = $3 ORDER BY seq";
        let (a, b, c) = (Value::from("a"), Value::from("b"), Value::from([0_u8; 16]));
        let mut seen = String::new();
        let mut each = |row: &mut Row| {
            seen.push_str(row.text(3)?);
            Ok(true)
        };
        engine.query(plan, &[&a, &b, &c], &mut each).unwrap();
        assert!(seen.contains("t_thing") && !seen.contains("TEMP"), "{seen}");
    }

    #[test]
    fn tables_are_stored_in_their_primary_key_unless_rows_are_large() {
        let text = without_rowid(
            "-- a\nCREATE TABLE t (a BIGINT PRIMARY KEY);\nCREATE INDEX i ON t (a);\n\
                -- large rows\nCREATE TABLE u (a BIGINT PRIMARY KEY);",
        );
        assert!(text.contains(") WITHOUT ROWID;"));
        assert_eq!(text.matches("WITHOUT").count(), 1);
    }
}
