//! Upgrades that are killed at any statement: the process that migrates dies for real, with its
//! transaction open, and the next one begins that migration anew.

use std::path::PathBuf;
use std::process::Command;

use super::*;
use crate::schema;

/// What the child is told: which database, and where to die.
const BACKEND: &str = "HAETAE_UPGRADE_BACKEND";
const DIES_AT: &str = "HAETAE_UPGRADE_DIES_AT";

/// Every migration that the house has, and one that changes tables with rows in them.
fn grown() -> Registry {
    let mut grown = registry();
    let mut files = Vec::new();
    let crates = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    for owner in ["web", "person", "code", "gate", "logbook"] {
        let Ok(folder) = std::fs::read_dir(format!("{crates}/{owner}/migrations")) else {
            continue;
        };
        files.extend(folder.map(|it| (owner, it.unwrap().path())));
    }
    files.sort();
    for (owner, path) in files {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let number = name.split('_').next().unwrap().parse().unwrap();
        let side = if name.contains("visits") { Side::Visits } else { Side::Identity };
        // Of the few that there are, for as long as the test runs.
        let sql = Box::leak(std::fs::read_to_string(&path).unwrap().into_boxed_str());
        grown.migrations.push((owner, Migration { number, side, sql }));
    }
    let identity = "ALTER TABLE book_line ADD COLUMN note TEXT;\n\
         UPDATE book_line SET note = NULL WHERE region <> '';\n\
         CREATE INDEX book_line_page ON book_line (region, page);\n\
         CREATE TABLE book_word (region TEXT NOT NULL, word TEXT NOT NULL, PRIMARY KEY (region, word));\n\
         DROP TABLE book_word;";
    let visits = "ALTER TABLE book_seen ADD COLUMN note TEXT;\n\
         CREATE INDEX book_seen_day ON book_seen (region, day);";
    grown.migrations.push(("book", Migration { number: 2, side: Side::Identity, sql: identity }));
    grown.migrations.push(("book", Migration { number: 2, side: Side::Visits, sql: visits }));
    grown
}

/// All of it in the order in which it runs.
fn all(registry: &Registry) -> Vec<(Part, &'static str, Migration)> {
    let of =
        |part| schema::migrations(registry, part).into_iter().map(move |it| (part, it.0, it.1));
    Part::ALL.into_iter().flat_map(of).collect()
}

/// Each with the comments before it, which may hold semicolons.
fn statements(sql: &str) -> Vec<String> {
    let (mut statements, mut open) = (Vec::new(), String::new());
    for line in sql.split_inclusive('\n') {
        open.push_str(line);
        if line.trim_end().ends_with(';') && !line.trim_start().starts_with("--") {
            statements.push(std::mem::take(&mut open));
        }
    }
    statements
}

/// A connection on which the process dies, in one migration, after so many of its statements.
struct Dying {
    engine: Box<dyn Engine>,
    sql: &'static str,
    after: usize,
}

impl Engine for Dying {
    fn execute(&mut self, sql: &str, parameters: &[&Value]) -> Result<u64, Fault> {
        self.engine.execute(sql, parameters)
    }

    fn execute_many(&mut self, sql: &str, first: &Value, rows: &[Vec<Value>]) -> Result<(), Fault> {
        self.engine.execute_many(sql, first, rows)
    }

    fn query(
        &mut self,
        sql: &str,
        parameters: &[&Value],
        each: &mut dyn FnMut(&mut Row) -> Result<bool, Fault>,
    ) -> Result<(), Fault> {
        self.engine.query(sql, parameters, each)
    }

    fn migrate(&mut self, sql: &str) -> Result<(), Fault> {
        if sql != self.sql {
            return self.engine.migrate(sql);
        }
        for statement in statements(sql).into_iter().take(self.after) {
            self.engine.migrate(&statement).unwrap();
        }
        // Nothing is closed, rolled back or dropped.
        std::process::abort();
    }

    fn settle(&mut self) -> Result<(), Fault> {
        self.engine.settle()
    }

    fn begin(&mut self) -> Result<(), Fault> {
        self.engine.begin()
    }

    fn begin_read(&mut self) -> Result<(), Fault> {
        self.engine.begin_read()
    }

    fn commit(&mut self) -> Result<(), Fault> {
        self.engine.commit()
    }

    fn rollback(&mut self) -> Result<(), Fault> {
        self.engine.rollback()
    }

    fn check(&mut self, sql: &str) -> Result<(), Fault> {
        self.engine.check(sql)
    }

    fn tables(&mut self) -> Result<Vec<engine::Shape>, Fault> {
        self.engine.tables()
    }
}

#[test]
#[ignore = "the process that the others let die"]
fn dies_while_it_migrates() {
    let backend = std::env::var(BACKEND).unwrap();
    let backend = if backend.starts_with("postgres://") {
        Backend::postgres(&backend, None, None).unwrap()
    } else {
        PathBuf::from(backend).into()
    };
    let dies_at = std::env::var(DIES_AT).unwrap();
    let (migration, after) = dies_at.split_once('/').unwrap();
    let registry = grown();
    let sql = all(&registry)[migration.parse::<usize>().unwrap()].2.sql;
    for part in Part::ALL {
        let engine = backend.writer(part).unwrap();
        let mut engine = Dying { engine, sql, after: after.parse().unwrap() };
        backend::migrate(&mut engine, part, &registry).unwrap();
    }
}

/// A process begins to migrate and dies there.
fn die(backend: &str, migration: usize, after: usize) {
    let died = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tests::upgrade::dies_while_it_migrates", "--ignored"])
        .env(BACKEND, backend)
        .env(DIES_AT, format!("{migration}/{after}"))
        .output()
        .unwrap();
    assert_eq!(died.status.code(), None, "it died: {}", String::from_utf8_lossy(&died.stdout));
}

/// The migrations that a database has, by its own word.
fn marked(lab: &Lab, part: Part) -> usize {
    let mut count = 0;
    let mut engine = lab.backend.reader(part).unwrap();
    let sql = "SELECT owner, number FROM migration";
    engine
        .query(sql, &[], &mut |_| {
            count += 1;
            Ok(true)
        })
        .unwrap();
    count
}

/// Every column of every table, and every index.
fn shape(lab: &Lab, part: Part) -> Vec<Row> {
    let texts = match lab.backend {
        Backend::Folder(_) => ["SELECT name, sql FROM sqlite_schema ORDER BY name, sql"].as_slice(),
        Backend::Postgres(_) => &[
            "SELECT table_name::text, column_name::text, data_type::text, is_nullable::text \
             FROM information_schema.columns WHERE table_schema = 'public' \
             ORDER BY table_name, ordinal_position",
            "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexdef",
        ],
    };
    let (mut rows, mut engine) = (Vec::new(), lab.backend.reader(part).unwrap());
    for sql in texts {
        engine
            .query(sql, &[], &mut |row| {
                rows.push(std::mem::take(row));
                Ok(true)
            })
            .unwrap();
    }
    rows
}

fn a_migration_that_is_killed_at_any_statement_is_begun_anew_and_loses_nothing(on: On) {
    let (Some(lab), Some(whole)) = (Lab::new(on), Lab::new(on)) else { return };
    // A city of before, with rows.
    let store = lab.open();
    for page in 0..5 {
        write(&store, page, "a line").unwrap();
    }
    let batch = vec![seen(20_000, "pass")];
    store.write_blocking(move |tx| tx.observe(&CONTEXT, SEEN.kind, &batch)).unwrap();
    store.close();
    drop(store);
    let address = match &lab.backend {
        Backend::Folder(dir) => dir.to_str().unwrap().to_owned(),
        Backend::Postgres(_) => testdb::url(&lab.backend.names()[0]),
    };
    let (known, old) = (grown(), all(&registry()));
    let mut deaths = 0;
    for (at, (part, owner, migration)) in all(&known).into_iter().enumerate() {
        if old.iter().any(|it| (it.0, it.1, it.2.number) == (part, owner, migration.number)) {
            continue;
        }
        let mut held = None;
        for after in 0..=statements(migration.sql).len() {
            die(&address, at, after);
            deaths += 1;
            // The first of these did all that come before; of this one nothing is left.
            let marked = marked(&lab, part);
            assert_eq!(*held.get_or_insert(marked), marked, "{owner} {}", migration.number);
        }
    }
    assert!(deaths > 40, "{deaths}");
    let open = |lab: &Lab| lab.try_open_with(grown()).unwrap().store;
    let store = open(&lab);
    assert_eq!(store.size(), 6);
    assert_eq!(lines(&store, 3), [Some("a line".to_owned())]);
    write(&store, 3, "another").unwrap();
    store.close();
    let report = lab.audit_with(&known);
    assert_eq!((report.wrong, report.entries), (vec![], 7));
    open(&whole).close();
    for part in Part::ALL {
        assert_eq!(shape(&lab, part), shape(&whole, part), "{part:?}");
    }
    // The program of before does not touch what it does not know.
    let refused = lab.try_open().err().unwrap().chain();
    assert!(refused.contains("does not know") && refused.contains("newer haetae"), "{refused}");
}

fn a_migration_that_was_killed_leaves_the_city_to_the_program_of_before(on: On) {
    let Some(lab) = Lab::new(on) else { return };
    let store = lab.open();
    write(&store, 1, "a line").unwrap();
    store.close();
    drop(store);
    let address = match &lab.backend {
        Backend::Folder(dir) => dir.to_str().unwrap().to_owned(),
        Backend::Postgres(_) => testdb::url(&lab.backend.names()[0]),
    };
    let all = all(&grown());
    // The first that is new.
    let first = all.iter().position(|it| !matches!(it.1, "store" | "book")).unwrap();
    die(&address, first, statements(all[first].2.sql).len());
    let store = lab.open();
    write(&store, 1, "another").unwrap();
    store.close();
    assert_eq!((lab.audit().wrong, store.size()), (vec![], 2));
}

on_both! {
    a_migration_that_is_killed_at_any_statement_is_begun_anew_and_loses_nothing
    a_migration_that_was_killed_leaves_the_city_to_the_program_of_before
}
