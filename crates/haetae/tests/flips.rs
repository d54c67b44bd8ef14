//! One bit flipped, anywhere: the audit finds it, or the bit belongs to nothing.
//!
//! Two kinds of damage, drawn from a seed. Half of the flips change one bit of one column of one row
//! of any table, as somebody with the database open would. The other half change one bit of a file,
//! as a disk would. A flip that the audit does not find must be harmless: in a column of [`HARMLESS`]
//! (the same table stands in docs/guide/audit.md), in a payload that nobody can open any more, or,
//! for a file, in a place where every table still holds the same rows.
//!
//! On PostgreSQL columns alone are altered: its files are the server's, and so is looking after them.
//!
//! A test run tries `HAETAE_FLIPS` flips (1,000 without it); `cargo xtask flips --count 10000` tries
//! ten thousand. On PostgreSQL a tenth of them is tried.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "in tests a panic is the message"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use app::{Config, House};
use contracts::person::Staff;
use kernel::{Id, Instant, ManualClock, Seed};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use store::backend::Part;
use store::postgres::{Address, Postgres, Role};
use store::{By, Engine as _, Reading};

const FILES: [&str; 3] = store::backend::FILES;

/// Columns of which the log says nothing: table, column or `*`, why a bit there alters no record.
const HARMLESS: &[(&str, &str, &str)] = &[
    ("log_head", "at", "shown as the time of the checkpoint, which itself bears none"),
    ("command", "*", "for 30 days, makes a repetition harmless; nothing recorded depends on it"),
    ("forgotten", "at", "read by nobody; the time stands in the entry"),
    (
        "trusted_clock",
        "*",
        "until it is noted anew, lets retention wait or go on; nothing is recorded",
    ),
    ("outbox", "*", "what has not been sent yet; bodies are sealed and looked at"),
    ("access", "*", "only in the hour that is not over; its root goes on the log when it is"),
    ("web_session", "*", "signs somebody out"),
    ("web_otp", "*", "a one-time code of minutes"),
    ("web_link", "*", "a one-time link"),
    ("web_passkey", "*", "a passkey that is not accepted any more"),
    ("web_challenge", "*", "a ceremony of minutes"),
    ("lease", "*", "who may write now; nothing recorded depends on it"),
    ("gate_batch", "*", "makes a repeated batch harmless; nothing recorded depends on it"),
    ("gate_taken", "*", "makes a repeated entry harmless; nothing recorded depends on it"),
];

fn harmless(table: &str, column: &str) -> bool {
    HARMLESS.iter().any(|it| it.0 == table && (it.1 == "*" || it.1 == column))
}

/// A region with something in every table, closed.
struct Region {
    dir: tempfile::TempDir,
    config: Config,
}

fn write<T: Send + 'static>(
    house: &House,
    work: impl FnMut(&mut store::Tx<'_>) -> Result<T, store::Fault> + Send + 'static,
) -> T {
    house.app.store.write_blocking(work).unwrap()
}

impl Region {
    /// In files, or in databases at this address.
    fn new(store: Option<String>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = Config {
            data: dir.path().join("region"),
            keys: Some(dir.path().join("keys")),
            origin: "http://localhost:8080".to_owned(),
            region: "kr-flip".to_owned(),
            store,
            behind_proxy: false,
            ..Config::default()
        };
        let clock = ManualClock::at(Instant::parse("2026-03-01T00:00:00Z").unwrap());
        let house =
            House::open(config.clone(), Arc::new(clock.clone()), Seed::fixed(20_261_122)).unwrap();
        Self::live(&house);
        // What had a time is over; some of it begins again.
        clock.advance_seconds(121 * 86_400);
        write(&house, |tx| Ok((tx.retain()?, tx.close_access_hours()?)));
        Self::live(&house);
        // Through the pages once: sessions, codes, passes.
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(sim::declare_to_code(&house, 3)).unwrap();
        clock.advance_seconds(3_600);
        write(&house, |tx| tx.close_access_hours());
        Self::read_somebody(&house);
        house.app.store.close();
        Self { dir, config }
    }

    fn live(house: &House) {
        let exercise = sim::Exercise::prepare(house, 6).unwrap();
        for _ in 0..12 {
            exercise.single().unwrap();
        }
        // The first forgets somebody; the second, a rebuild, writes what is already there.
        for step in (0..20).filter(|it| *it != 1) {
            exercise.mixed(step).unwrap();
        }
        for (batch, signature) in exercise.make_batches(4, 5).unwrap() {
            exercise.take_batch(&batch, &signature).unwrap();
        }
        exercise.fill(60).unwrap();
        Self::read_somebody(house);
        write(house, |tx| {
            let due = tx.now();
            tx.send("sms", &serde_json::json!({ "to": "+821000000000", "text": "…" }), due)
        });
    }

    fn read_somebody(house: &House) {
        let readings: Vec<Reading> = (1..4)
            .map(|number| Reading {
                reader: By::Staff(Id::<Staff>::from_u128(number)),
                subject: number * 7,
                record: "code.record",
                purpose: "appeal",
                grounds: format!("A-{number}"),
            })
            .collect();
        write(house, move |tx| tx.record_readings(&readings));
    }

    fn copy(&self, name: &str) -> Config {
        let folder = self.dir.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        for file in FILES {
            std::fs::copy(self.config.data.join(file), folder.join(file)).unwrap();
            // Whoever closed last only read: the newest pages still lie beside the file.
            let beside = format!("{file}-wal");
            let _ = std::fs::copy(self.config.data.join(&beside), folder.join(&beside));
            let connection = Connection::open(folder.join(file)).unwrap();
            let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
            connection.query_row(checkpoint, [], |_| Ok(())).unwrap();
        }
        Config { data: folder, ..self.config.clone() }
    }
}

fn audit(config: &Config) -> store::Audit {
    app::house::audit(config, |_, _| {}).unwrap()
}

/// A table as it is altered: its columns, and which of them are its key.
struct Table {
    file: usize,
    name: String,
    columns: Vec<String>,
    key: Vec<usize>,
    rows: u64,
}

fn tables(folder: &Path) -> Vec<Table> {
    let mut found = Vec::new();
    for (file, name) in FILES.iter().enumerate() {
        let connection = Connection::open(folder.join(name)).unwrap();
        let sql =
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
        let names = column::<String>(&connection, sql);
        for name in names {
            let sql = format!("SELECT name FROM pragma_table_info('{name}')");
            let columns = column::<String>(&connection, &sql);
            let sql = format!("SELECT cid FROM pragma_table_info('{name}') WHERE pk > 0");
            let key = column::<i64>(&connection, &sql);
            let key = key.into_iter().map(|it| usize::try_from(it).unwrap()).collect();
            let rows = column::<i64>(&connection, &format!("SELECT COUNT(*) FROM {name}"))[0];
            found.push(Table { file, name, columns, key, rows: u64::try_from(rows).unwrap() });
        }
    }
    found
}

fn column<T: rusqlite::types::FromSql>(connection: &Connection, sql: &str) -> Vec<T> {
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// A column's value with one bit changed; `None` where there is no bit.
fn flipped(value: &Value, seed: &Seed) -> Option<Value> {
    let turn = |mut bytes: Vec<u8>| {
        let bits = u64::try_from(bytes.len()).unwrap() * 8;
        let bit = (bits > 0).then(|| seed.below(bits))?;
        bytes[usize::try_from(bit / 8).unwrap()] ^= 1 << (bit % 8);
        Some(bytes)
    };
    match value {
        Value::Integer(it) => Some(Value::Integer(it ^ (1 << seed.below(63)))),
        Value::Text(it) => turn(it.clone().into_bytes()).map(Value::Blob),
        Value::Blob(it) => turn(it.clone()).map(Value::Blob),
        Value::Null | Value::Real(_) => None,
    }
}

/// Sets one column of the row with this key. Text goes in as bytes: a flipped one may be no text.
fn set(
    connection: &Connection,
    table: &Table,
    at: usize,
    text: bool,
    value: &Value,
    key: &[Value],
) -> bool {
    let kind = if text { "TEXT" } else { "BLOB" };
    let value = match value {
        Value::Text(it) => Value::Blob(it.clone().into_bytes()),
        other => other.clone(),
    };
    let new = if matches!(value, Value::Blob(_)) {
        format!("CAST(?1 AS {kind})")
    } else {
        "?1".to_owned()
    };
    let conditions: Vec<String> = table
        .key
        .iter()
        .enumerate()
        .map(|(place, column)| format!("{} = ?{}", table.columns[*column], place + 2))
        .collect();
    let sql = format!(
        "UPDATE {} SET {} = {new} WHERE {}",
        table.name,
        table.columns[at],
        conditions.join(" AND ")
    );
    let mut values = vec![value];
    values.extend(key.iter().cloned());
    connection.execute(&sql, params_from_iter(values)).is_ok_and(|rows| rows == 1)
}

#[derive(Default)]
struct Tally {
    found: u64,
    harmless: BTreeMap<String, u64>,
    missed: Vec<String>,
}

impl Tally {
    fn merge(&mut self, other: Self) {
        self.found += other.found;
        for (why, count) in other.harmless {
            *self.harmless.entry(why).or_default() += count;
        }
        self.missed.extend(other.missed);
    }
}

/// Whether the payload of this row can be opened by nobody: then its bytes belong to nothing.
struct Erased {
    events: BTreeSet<i64>,
    /// Keys that no payload is sealed under: made for what was then not written.
    unused: BTreeSet<String>,
}

impl Erased {
    fn of(config: &Config) -> Self {
        let rows = |part: Part, sql: &str| {
            let mut engine = config.backend().unwrap().reader(part).unwrap();
            let mut rows: Vec<store::Row> = Vec::new();
            let mut each = |row: &mut store::Row| {
                rows.push(std::mem::take(row));
                Ok(true)
            };
            engine.query(sql, &[], &mut each).unwrap();
            rows
        };
        let scopes = rows(Part::Keys, "SELECT scope FROM vault_key");
        let scopes: BTreeSet<String> =
            scopes.iter().map(|it| it.text(0).unwrap().to_owned()).collect();
        let sql = "SELECT seq, stream_id, kind, epoch FROM event WHERE sealed = 1";
        let mut events = BTreeSet::new();
        let mut used = BTreeSet::new();
        let epoch = |kind: &str, day: i64| format!("epoch/{kind}/{day}");
        for row in rows(Part::Identity, sql) {
            let id: [u8; 16] = row.bytes(1).unwrap().try_into().unwrap();
            let subject = format!("subject/{:032x}", u128::from_be_bytes(id));
            let epoch = row.maybe_int(3).unwrap().map(|it| epoch(row.text(2).unwrap(), it));
            if !scopes.contains(&subject) || epoch.as_ref().is_some_and(|it| !scopes.contains(it)) {
                events.insert(row.int(0).unwrap());
            } else {
                used.insert(subject);
                used.extend(epoch);
            }
        }
        let days = rows(Part::Visits, "SELECT DISTINCT kind, day FROM observation");
        used.extend(days.iter().map(|it| epoch(it.text(0).unwrap(), it.int(1).unwrap())));
        let unused = scopes.difference(&used).cloned().collect();
        Self { events, unused }
    }

    /// Why a change of this column is harmless although no list names it.
    fn explains(&self, table: &str, column: &str, row: &[Value]) -> Option<&'static str> {
        match (table, column, &row[1]) {
            // Columns 2 and 3 are whose it was: only its payload could say.
            ("event", "payload" | "stream_id", Value::Integer(seq))
                if self.events.contains(seq) =>
            {
                Some("a payload that nobody can open")
            }
            ("vault_key", "region" | "scope", Value::Text(scope))
                if self.unused.contains(scope) =>
            {
                Some("a key under which nothing is sealed")
            }
            _ => None,
        }
    }
}

/// Flips bits in columns, one at a time, each undone before the next.
fn columns(config: &Config, count: u64, seed: &Seed) -> Tally {
    let tables = tables(&config.data);
    let empty: Vec<_> = tables.iter().filter(|it| it.rows == 0).map(|it| &it.name).collect();
    eprintln!("tables without a row, in which nothing can be flipped: {empty:?}");
    let tables: Vec<Table> = tables.into_iter().filter(|it| it.rows > 0).collect();
    let connections: Vec<Connection> = FILES
        .iter()
        .map(|it| {
            let connection = Connection::open(config.data.join(it)).unwrap();
            connection.execute_batch("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF").unwrap();
            connection
        })
        .collect();
    assert_eq!(audit(config).wrong, [], "before the first flip");
    let erased = Erased::of(config);
    let mut tally = Tally::default();
    let mut tried = 0;
    while tried < count {
        let table =
            &tables[usize::try_from(seed.below(u64::try_from(tables.len()).unwrap())).unwrap()];
        let connection = &connections[table.file];
        let sql = format!(
            "SELECT {} FROM {} LIMIT 1 OFFSET {}",
            table.columns.join(", "),
            table.name,
            seed.below(table.rows)
        );
        let row: Vec<Value> = connection
            .query_row(&sql, [], |row| (0..table.columns.len()).map(|it| row.get(it)).collect())
            .unwrap();
        let at = usize::try_from(seed.below(u64::try_from(row.len()).unwrap())).unwrap();
        let Some(mut new) = flipped(&row[at], seed) else { continue };
        let text = matches!(row[at], Value::Text(_));
        let key: Vec<Value> = table.key.iter().map(|it| row[*it].clone()).collect();
        if !set(connection, table, at, text, &new, &key) {
            // The flipped key is another row's: the database itself refuses it.
            continue;
        }
        tried += 1;
        let report = audit(config);
        let column = &table.columns[at];
        if !report.wrong.is_empty() {
            tally.found += 1;
        } else if harmless(&table.name, column) {
            *tally.harmless.entry(format!("{}.{column}", table.name)).or_default() += 1;
        } else if let Some(why) = erased.explains(&table.name, column, &row) {
            *tally.harmless.entry(why.to_owned()).or_default() += 1;
        } else {
            tally.missed.push(format!("{}.{column}: {row:?} became {new:?}", table.name));
        }
        if let (true, Value::Blob(bytes)) = (text, &new)
            && let Ok(readable) = String::from_utf8(bytes.clone())
        {
            new = Value::Text(readable);
        }
        undo(connection, table, at, text, &row, new);
    }
    assert_eq!(audit(config).wrong, [], "after the last flip was undone");
    tally
}

fn undo(connection: &Connection, table: &Table, at: usize, text: bool, row: &[Value], new: Value) {
    let key: Vec<Value> =
        table.key.iter().map(|it| if *it == at { new.clone() } else { row[*it].clone() }).collect();
    if set(connection, table, at, text, &row[at], &key) {
        return;
    }
    // A key that is no text any more is not found by a text: look for its bytes.
    let Value::Blob(bytes) = new else { panic!("{} cannot be undone", table.name) };
    let Value::Text(old) = &row[at] else { panic!("{} cannot be undone", table.name) };
    let column = &table.columns[at];
    let sql = format!("UPDATE {} SET {column} = ?1 WHERE CAST({column} AS BLOB) = ?2", table.name);
    assert_eq!(connection.execute(&sql, rusqlite::params![old, bytes]).unwrap(), 1, "{sql}");
}

fn cell(value: &store::Value) -> Value {
    match value {
        store::Value::Null => Value::Null,
        store::Value::Int(it) => Value::Integer(*it),
        store::Value::Text(it) => Value::Text(it.clone()),
        store::Value::Bytes(it) => Value::Blob(it.clone()),
    }
}

/// Flips bits in columns on a server, one at a time, each undone before the next. A text that is no
/// text any more the server itself refuses.
fn on_a_server(config: &Config, count: u64, seed: &Seed) -> Tally {
    assert_eq!(audit(config).wrong, [], "before the first flip");
    let erased = Erased::of(config);
    let url = config.store.as_ref().unwrap();
    let mut tables = Vec::new();
    let mut engines = Vec::new();
    for (at, beside) in ["", "_visits", "_keys"].into_iter().enumerate() {
        let address = Address::parse(&format!("{url}{beside}")).unwrap();
        let mut engine = Postgres::open(&address, Role::Writer).unwrap();
        for table in engine.tables().unwrap() {
            let mut rows = 0;
            let sql = format!("SELECT COUNT(*) FROM {}", table.name);
            let mut each = |row: &mut store::Row| {
                rows = row.count(0)?;
                Ok(true)
            };
            engine.query(&sql, &[], &mut each).unwrap();
            if rows > 0 {
                tables.push((at, rows, table));
            }
        }
        engines.push(engine);
    }
    let (mut tally, mut tried) = (Tally::default(), 0);
    while tried < count {
        let pick = seed.below(u64::try_from(tables.len()).unwrap());
        let (at, rows, table) = &tables[usize::try_from(pick).unwrap()];
        let (engine, name) = (&mut engines[*at], &table.name);
        let sql = format!(
            "SELECT {} FROM {name} ORDER BY {} LIMIT 1 OFFSET {}",
            table.columns.join(", "),
            table.key.join(", "),
            seed.below(*rows)
        );
        let mut row = Vec::new();
        let mut each = |it: &mut store::Row| {
            row = std::mem::take(&mut it.0);
            Ok(true)
        };
        engine.query(&sql, &[], &mut each).unwrap();
        let column = usize::try_from(seed.below(u64::try_from(row.len()).unwrap())).unwrap();
        let new = match (flipped(&cell(&row[column]), seed), &row[column]) {
            (Some(Value::Integer(it)), _) => store::Value::Int(it),
            (Some(Value::Blob(it)), store::Value::Text(_)) => match String::from_utf8(it) {
                Ok(it) if !it.contains('\0') => store::Value::Text(it),
                _ => continue,
            },
            (Some(Value::Blob(it)), _) => store::Value::Bytes(it),
            _ => continue,
        };
        let wanted: Vec<String> =
            (2..).zip(&table.key).map(|(place, it)| format!("{it} = ${place}")).collect();
        let (of, wanted) = (&table.columns[column], wanted.join(" AND "));
        let sql = format!("UPDATE {name} SET {of} = $1 WHERE {wanted}");
        let mut set = |value: &store::Value, now: &store::Value| {
            let key = table.columns.iter().zip(&row).filter(|(it, _)| table.key.contains(it));
            let key = key.map(|(it, old)| if it == of { now } else { old });
            let values: Vec<&store::Value> = std::iter::once(value).chain(key).collect();
            engine.execute(&sql, &values).is_ok_and(|it| it == 1)
        };
        if !set(&new, &row[column]) {
            // The flipped key is another row's.
            continue;
        }
        tried += 1;
        let report = audit(config);
        let cells: Vec<Value> = row.iter().map(cell).collect();
        if !report.wrong.is_empty() {
            tally.found += 1;
        } else if harmless(name, of) {
            *tally.harmless.entry(format!("{name}.{of}")).or_default() += 1;
        } else if let Some(why) = erased.explains(name, of, &cells) {
            *tally.harmless.entry(why.to_owned()).or_default() += 1;
        } else {
            tally.missed.push(format!("{name}.{of}: {:?} became {new:?}", row[column]));
        }
        assert!(set(&row[column], &new), "{name}.{of} cannot be undone");
    }
    assert_eq!(audit(config).wrong, [], "after the last flip was undone");
    tally
}

/// Every row of every table of a folder; `None` where it cannot be read.
fn dump(folder: &Path) -> Option<BTreeMap<String, Vec<Vec<Value>>>> {
    let mut all = BTreeMap::new();
    for file in FILES {
        let connection = Connection::open(folder.join(file)).ok()?;
        // A name that has become bytes names the same table.
        let sql = "SELECT CAST(name AS TEXT) FROM sqlite_schema WHERE type = 'table' \
             AND name NOT LIKE 'sqlite_%'";
        let mut statement = connection.prepare(sql).ok()?;
        let names = statement.query_map([], |row| row.get::<_, String>(0)).ok()?;
        for name in names {
            let name = name.ok()?;
            // In the table's own order: other statistics may have the planner take an index.
            let sql = format!("SELECT * FROM {name} NOT INDEXED");
            let mut statement = connection.prepare(&sql).ok()?;
            let width = statement.column_count();
            let rows = statement
                .query_map([], |row| {
                    (0..width).map(|it| row.get(it)).collect::<Result<Vec<Value>, _>>()
                })
                .ok()?;
            all.insert(format!("{file} {name}"), rows.collect::<Result<_, _>>().ok()?);
        }
    }
    Some(all)
}

/// Which columns differ between two dumps.
fn differing(
    before: &BTreeMap<String, Vec<Vec<Value>>>,
    after: &BTreeMap<String, Vec<Vec<Value>>>,
    tables: &[Table],
    erased: &Erased,
) -> Result<BTreeSet<String>, String> {
    if before.keys().ne(after.keys()) {
        return Err("other tables".to_owned());
    }
    let mut why = BTreeSet::new();
    for table in tables {
        let name = format!("{} {}", FILES[table.file], table.name);
        let (old, new) = (&before[&name], &after[&name]);
        if old.len() != new.len() && !harmless(&table.name, "*") {
            return Err(format!("{name} has {} rows instead of {}", new.len(), old.len()));
        }
        for (old, new) in old.iter().zip(new) {
            for (_, column) in table.columns.iter().enumerate().filter(|it| old[it.0] != new[it.0])
            {
                if harmless(&table.name, column) {
                    why.insert(format!("{}.{column}", table.name));
                } else if let Some(it) = erased.explains(&table.name, column, old) {
                    why.insert(it.to_owned());
                } else {
                    return Err(format!("{name}.{column}: {old:?} became {new:?}"));
                }
            }
        }
    }
    Ok(why)
}

/// Flips bits in files, one at a time, each undone before the next.
fn bytes(config: &Config, count: u64, seed: &Seed) -> Tally {
    let paths: Vec<PathBuf> = FILES.iter().map(|it| config.data.join(it)).collect();
    assert_eq!(audit(config).wrong, [], "before the first flip");
    let whole = dump(&config.data).unwrap();
    let (tables, erased) = (tables(&config.data), Erased::of(config));
    let mut tally = Tally::default();
    for _ in 0..count {
        let path = &paths[usize::try_from(seed.below(3)).unwrap()];
        let file = std::fs::OpenOptions::new().read(true).write(true).open(path).unwrap();
        let place = seed.below(file.metadata().unwrap().len());
        let mut byte = [0];
        file.read_exact_at(&mut byte, place).unwrap();
        let bit = 1 << seed.below(8);
        file.write_all_at(&[byte[0] ^ bit], place).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let report = audit(config);
        if report.wrong.is_empty() {
            let said = match dump(&config.data) {
                Some(now) => differing(&whole, &now, &tables, &erased),
                None => Err("a table cannot be read".to_owned()),
            };
            match said {
                Ok(why) if why.is_empty() => {
                    *tally.harmless.entry(format!("{name}: the same rows")).or_default() += 1;
                }
                Ok(why) => {
                    for it in why {
                        *tally.harmless.entry(it).or_default() += 1;
                    }
                }
                Err(what) => tally.missed.push(format!("{name} byte {place} bit {bit}: {what}")),
            }
        } else {
            tally.found += 1;
        }
        file.write_all_at(&byte, place).unwrap();
    }
    assert_eq!(audit(config).wrong, [], "after the last flip was undone");
    tally
}

fn wished(name: &str, without: u64) -> u64 {
    std::env::var(name).map_or(without, |it| it.parse().expect("a number"))
}

/// Prints what was found, and fails where anything was missed.
fn judge(what: &str, count: u64, begun: std::time::Instant, tally: &Tally) {
    eprintln!(
        "{count} flips in {what} in {} s: {} found, {} harmless:",
        begun.elapsed().as_secs(),
        tally.found,
        tally.harmless.values().sum::<u64>()
    );
    for (why, count) in &tally.harmless {
        eprintln!("  {count:6} {why}");
    }
    assert!(tally.missed.is_empty(), "missed:\n{}", tally.missed.join("\n"));
    assert!(tally.found > count / 3, "the trial has tried something");
}

#[test]
fn a_flipped_bit_is_found_or_belongs_to_nothing() {
    let (count, seed) = (wished("HAETAE_FLIPS", 1_000), wished("HAETAE_FLIPS_SEED", 1));
    let region = Region::new(None);
    let (one, two) = (region.copy("columns"), region.copy("bytes"));
    let begun = std::time::Instant::now();
    let mut tally = Tally::default();
    std::thread::scope(|scope| {
        let columns = scope.spawn(|| columns(&one, count.div_ceil(2), &Seed::fixed(seed)));
        let bytes = scope.spawn(|| bytes(&two, count / 2, &Seed::fixed(seed + 1)));
        tally.merge(columns.join().unwrap());
        tally.merge(bytes.join().unwrap());
    });
    judge(&format!("files, with seed {seed},"), count, begun, &tally);
}

#[test]
fn a_bit_flipped_on_a_server_is_found_or_belongs_to_nothing() {
    let (count, seed) = (wished("HAETAE_FLIPS", 1_000) / 10, wished("HAETAE_FLIPS_SEED", 1));
    let Some(url) = testdb::databases() else { return };
    let region = Region::new(Some(url));
    let begun = std::time::Instant::now();
    let tally = on_a_server(&region.config, count, &Seed::fixed(seed));
    judge(&format!("PostgreSQL, with seed {seed},"), count, begun, &tally);
}
