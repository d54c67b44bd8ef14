//! Lost connections, a second writer, transactions in each other's way: what only a server does to us.
//!
//! A wire in between carries our bytes to the real server, and is cut where a test says so.

use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use super::*;
use crate::fault::Doing as _;

/// Where the wire is cut, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cut {
    /// The server never sees the COMMIT.
    Before,
    /// The server commits, and nobody hears of it.
    After,
}

/// What is to be cut next: the COMMIT in the database whose name ends so.
type Plan = Arc<Mutex<Option<(String, Cut)>>>;

/// A socket in a folder of its own that leads to the server's.
pub(super) struct Wire {
    plan: Plan,
    // The folder goes when the test ends.
    dir: tempfile::TempDir,
}

impl Wire {
    fn to(server: PathBuf) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(dir.path().join(".s.PGSQL.5432")).unwrap();
        let plan = Plan::default();
        let of_all = Arc::clone(&plan);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let server = UnixStream::connect(server.join(".s.PGSQL.5432")).unwrap();
                carry(client.unwrap(), server, Arc::clone(&of_all));
            }
        });
        Self { plan, dir }
    }

    fn url(&self, database: &str) -> String {
        let dir = self.dir.path().to_str().unwrap().replace('/', "%2F");
        format!("postgres://haetae@{dir}/{database}")
    }

    pub(super) fn cut(&self, database: &str, cut: Cut) {
        *self.plan.lock().unwrap() = Some((database.to_owned(), cut));
    }

    pub(super) fn was_cut(&self) -> bool {
        self.plan.lock().unwrap().is_none()
    }
}

/// Carries bytes both ways until one side ends or the plan says so.
fn carry(mut client: UnixStream, mut server: UnixStream, plan: Plan) {
    let (mut to_client, mut from_server) =
        (client.try_clone().unwrap(), server.try_clone().unwrap());
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from_server, &mut to_client);
        let _ = to_client.shutdown(std::net::Shutdown::Both);
    });
    std::thread::spawn(move || {
        let mut buffer = vec![0; 65_536];
        let mut database = None;
        while let Ok(count @ 1..) = client.read(&mut buffer) {
            let bytes = &buffer[..count];
            // The first packet names the database: "database\0<name>\0".
            let database = database.get_or_insert_with(|| {
                let text = String::from_utf8_lossy(bytes).into_owned();
                let mut parts = text.split('\0').skip_while(|it| !it.ends_with("database"));
                parts.nth(1).unwrap_or_default().to_owned()
            });
            let commits = bytes.windows(7).any(|it| it == b"COMMIT\0");
            let cut = plan
                .lock()
                .unwrap()
                .take_if(|(name, _)| commits && name == database)
                .map(|(_, cut)| cut);
            if cut == Some(Cut::After) {
                // The answer is not to arrive: our side of the wire goes first, then the COMMIT.
                let _ = client.shutdown(std::net::Shutdown::Both);
                server.write_all(bytes).unwrap();
                // The server has read it when it ends the session at our end of file.
                let _ = server.shutdown(std::net::Shutdown::Write);
                break;
            }
            if cut == Some(Cut::Before) || server.write_all(bytes).is_err() {
                break;
            }
        }
        if database.is_some() {
            let _ = client.shutdown(std::net::Shutdown::Both);
        }
        let _ = server.shutdown(std::net::Shutdown::Write);
    });
}

/// A lab whose store goes through a wire, and the name of its first database.
pub(super) fn wired() -> Option<(Lab, Wire, String)> {
    let mut lab = Lab::new(On::Postgres)?;
    let [name, ..] = lab.backend.names();
    let wire = Wire::to(testdb::socket());
    lab.backend = Backend::postgres(&wire.url(&name), None, None).unwrap();
    Some((lab, wire, name))
}

#[test]
fn a_commit_whose_answer_was_lost_takes_effect_once_and_gets_its_one_true_answer() {
    let Some((lab, wire, name)) = wired() else { return };
    let store = lab.open();
    let day = tx::utc_day(store.clock().now());
    let mut size = 0;
    for round in 0..4_u32 {
        for suffix in ["", "_visits", "_keys"] {
            for cut in [Cut::Before, Cut::After] {
                let (page, number) = (u128::from(size) + 1, u128::from(size) + 1);
                let context = Context { command: Some(number), ..CONTEXT };
                let work = move |tx: &mut Tx<'_>| {
                    // A leaf with a new subject's key, and a leaf on the visits side.
                    let ran = tx.run::<Book>(&context, page, "a line".to_owned())?;
                    let other = Context { command: Some(number | 1 << 64), ..CONTEXT };
                    let batch = [seen(day - i32::try_from(round).unwrap(), "pass")];
                    tx.observe(&other, SEEN.kind, &batch)?;
                    Ok(ran.unwrap().first)
                };
                wire.cut(&format!("{name}{suffix}"), cut);
                let first = store.write_blocking(work).unwrap();
                assert!(wire.was_cut(), "{suffix} {cut:?}");
                assert_eq!(first, size, "{suffix} {cut:?}: neither lost nor twice");
                assert_eq!(store.write_blocking(work).unwrap(), size, "{suffix} {cut:?}: again");
                size += 2;
                assert_eq!(store.size(), size, "{suffix} {cut:?}");
            }
        }
    }
    let report = lab.audit();
    assert_eq!((report.wrong, report.entries, report.opened), (vec![], size, size));
    store.close();
    assert_eq!(lab.try_open().unwrap().orphans, 0);
}

#[test]
fn a_commit_without_a_leaf_whose_answer_was_lost_takes_effect_once_too() {
    let Some((lab, wire, name)) = wired() else { return };
    let store = lab.open();
    for (cut, count) in [(Cut::Before, 1), (Cut::After, 2)] {
        wire.cut(&name, cut);
        let body = serde_json::json!({ "to": "nobody" });
        store.write_blocking(move |tx| tx.send("sms", &body, tx.now())).unwrap();
        assert!(wire.was_cut());
        assert_eq!(store.read_blocking(|it| it.outbox_counts()).unwrap(), [count, 0, 0], "{cut:?}");
    }
}

/// Ends every session in a database, as a restart of the server does, and waits until they are gone.
fn end_sessions(name: &str) {
    let sql =
        "SELECT COUNT(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE datname LIKE";
    testdb::psql("postgres", &format!("{sql} '{name}%'"));
}

#[test]
fn lost_connections_are_made_anew_for_writers_and_readers() {
    let Some(lab) = Lab::new(On::Postgres) else { return };
    let [name, ..] = lab.backend.names();
    let store = lab.open();
    for page in 0..5 {
        assert_eq!(write(&store, page, "a line").unwrap().first, u64::try_from(page).unwrap());
        end_sessions(&name);
        assert_eq!(lines(&store, page), [Some("a line".to_owned())]);
        end_sessions(&name);
    }
    // In the middle of a batch: the batch is run again as a whole.
    let (runs, at) = (Arc::new(AtomicU32::new(0)), name.clone());
    let counted = Arc::clone(&runs);
    let first = store.write_blocking(move |tx| {
        let ran = tx.run::<Book>(&CONTEXT, 9, "a line".to_owned())?.unwrap();
        if counted.fetch_add(1, Ordering::Relaxed) == 0 {
            end_sessions(&at);
        }
        tx.run::<Book>(&CONTEXT, 9, "another".to_owned())?.unwrap();
        Ok(ran.first)
    });
    assert_eq!((first.unwrap(), store.size(), runs.load(Ordering::Relaxed)), (5, 7, 2));
    assert_eq!(lab.audit().wrong, []);
}

#[test]
fn a_connection_lost_while_proving_is_known_as_lost() {
    let Some(lab) = Lab::new(On::Postgres) else { return };
    let store = lab.open();
    write(&store, 7, "a line").unwrap();
    let mut engine = lab.backend.reader(Part::Identity).unwrap();
    let [name, ..] = lab.backend.names();
    engine.begin_read().unwrap();
    end_sessions(&name);
    let region = Value::from("kr-11");
    let mut tiles = |id| open::stored(engine.as_mut(), &region, ledger::Resource::Tile(id));
    let fault = ledger::root_at(1, &mut tiles).doing("proving").unwrap_err();
    assert!(fault.is_lost(), "{fault}");
    assert_eq!(fault.chain().matches("reading a tile failed").count(), 1, "{fault}");
}

#[test]
fn many_threads_read_over_few_connections() {
    let Some(lab) = Lab::new(On::Postgres) else { return };
    let [name, ..] = lab.backend.names();
    let store = lab.open();
    write(&store, 7, "a line").unwrap();
    std::thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| {
                for _ in 0..5 {
                    assert_eq!(lines(&store, 7).len(), 1);
                }
            });
        }
    });
    let sql = format!("SELECT COUNT(*) FROM pg_stat_activity WHERE datname = '{name}'");
    let count: u32 = testdb::psql("postgres", &sql).parse().unwrap();
    assert!(count <= 17, "{count} connections");
}

#[test]
fn a_batch_that_was_in_the_way_of_another_is_run_again() {
    let Some(lab) = Lab::new(On::Postgres) else { return };
    let [name, ..] = lab.backend.names();
    let store = lab.open();
    let sql = "CREATE FUNCTION in_the_way(region text) RETURNS bigint LANGUAGE plpgsql AS \
               $$ BEGIN RAISE 'deadlock detected' USING ERRCODE = '40P01'; END $$";
    testdb::psql(&name, sql);
    let runs = Arc::new(AtomicU32::new(0));
    let meet = |times: u32| {
        let counted = Arc::clone(&runs);
        counted.store(0, Ordering::Relaxed);
        store.write_blocking(move |tx| {
            tx.run::<Book>(&CONTEXT, 7, "a line".to_owned())?.unwrap();
            if counted.fetch_add(1, Ordering::Relaxed) < times {
                tx.query("SELECT in_the_way($1)", &[])?;
            }
            Ok(())
        })
    };
    meet(2).unwrap();
    assert_eq!((store.size(), runs.load(Ordering::Relaxed)), (1, 3));
    assert!(meet(u32::MAX).is_err(), "not for ever");
    assert_eq!(store.size(), 1);
    write(&store, 7, "others go on").unwrap();
    assert_eq!(lab.audit().wrong, []);
}

#[test]
fn a_row_that_the_database_refuses_fails_its_own_job_and_no_other() {
    let Some(lab) = Lab::new(On::Postgres) else { return };
    let [name, ..] = lab.backend.names();
    let store = lab.open();
    let sql = "ALTER TABLE book_line ADD CONSTRAINT no_20 CHECK (page <> decode(lpad('14', 32, '0'), 'hex'))";
    testdb::psql(&name, sql);
    std::thread::scope(|scope| {
        for page in 10..40 {
            let store = &store;
            scope.spawn(move || {
                let answer = write(store, page, "a line");
                assert_eq!(answer.is_ok(), page != 20, "{answer:?}");
                if let Err(Error::Fault(fault)) = answer {
                    assert!(fault.chain().contains("no_20"), "the first cause is named: {fault}");
                }
            });
        }
    });
    assert_eq!((store.size(), lab.audit().wrong), (29, vec![]));
}

#[test]
fn a_failed_statement_that_a_job_overlooks_is_not_acknowledged() {
    let Some(lab) = Lab::new(On::Postgres) else { return };
    let store = lab.open();
    // PostgreSQL answers COMMIT with success after a failed statement, and rolls back.
    let overlooked = store.write_blocking(|tx| {
        tx.send("sms", &serde_json::json!({}), tx.now())?;
        assert!(tx.query("SELECT 1 / 0 WHERE $1 <> ''", &[]).is_err());
        Ok(())
    });
    assert!(overlooked.is_err());
    assert_eq!(store.read_blocking(|it| it.outbox_counts()).unwrap(), [0, 0, 0]);
    assert!(!store.is_stopped());
    write(&store, 7, "others go on").unwrap();
}

#[test]
fn a_writer_that_lost_its_lease_writes_nothing_more_in_any_database() {
    let Some(lab) = Lab::new(On::Postgres) else { return };
    let [name, ..] = lab.backend.names();
    let old = lab.open();
    write(&old, 7, "by the old one").unwrap();
    // As if it had stood still for longer than its lease.
    testdb::psql(&name, "UPDATE lease SET until = 0");
    let new = lab.open();
    write(&new, 8, "by the new one").unwrap();
    let batch = vec![seen(20_000, "pass")];
    assert!(old.write_blocking(move |tx| tx.observe(&CONTEXT, SEEN.kind, &batch)).is_err());
    assert!(old.is_stopped());
    assert!(write(&old, 7, "again").is_err());
    assert_eq!(lines(&old, 8), [Some("by the new one".to_owned())], "it still reads");
    old.close();
    write(&new, 8, "and on").unwrap();
    assert!(lab.try_open().is_err(), "what the old one gave back was not its own any more");
    assert_eq!((lab.audit().wrong, new.size()), (vec![], 3));
}

#[test]
fn a_region_is_taken_up_at_once_when_its_writer_was_killed() {
    let Some(lab) = Lab::new(On::Postgres) else { return };
    let [name, ..] = lab.backend.names();
    let old = lab.open();
    write(&old, 7, "a line").unwrap();
    assert!(lab.try_open().is_err());
    end_sessions(&name);
    let new = lab.open();
    assert_eq!(new.size(), 1);
    assert!(write(&old, 7, "again").is_err());
    assert_eq!(new.size(), 1);
}

#[test]
fn a_destroyed_key_leaves_the_tables_files() {
    let Some(lab) = Lab::new(On::Postgres) else { return };
    let [_, _, keys] = lab.backend.names();
    let store = lab.open();
    write(&store, 7, "forget me").unwrap();
    let subject = format!("{:032x}", 7);
    let sql = format!("SELECT encode(wrapped, 'hex') FROM vault_key WHERE scope LIKE '%{subject}'");
    let wrapped = hex::decode(testdb::psql(&keys, &sql)).unwrap();
    let sql = "SELECT oid FROM pg_database WHERE datname = current_database()";
    let folder = format!("base/{}", testdb::psql(&keys, sql));
    let held = || testdb::files_hold(&testdb::folder().join(&folder), &wrapped);
    assert!(held());
    store.write_blocking(|tx| tx.forget(7)).unwrap();
    store.close();
    assert!(!held());
}

#[test]
fn databases_that_order_texts_otherwise_are_refused() {
    let Some(lab) = Lab::new(On::Postgres) else { return };
    let [name, ..] = lab.backend.names();
    testdb::psql("postgres", &format!("DROP DATABASE {name}"));
    let sql = format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'");
    testdb::psql("postgres", &sql);
    let fault = lab.try_open().err().unwrap().chain();
    assert!(fault.contains("CREATE DATABASE"), "{fault}");
}

#[test]
fn tls_is_spoken_with_the_one_whom_the_authority_vouches_for() {
    let Some(server) = testdb::over_tls() else { return };
    let open = |parameters: &str| {
        let address = postgres::Address::parse(&format!("{}?{parameters}", server.url))?;
        postgres::Postgres::open(&address, postgres::Role::Writer)
    };
    // The authority's file is the server's own user's; a copy is ours to read.
    let copy = tempfile::NamedTempFile::new().unwrap();
    std::fs::copy(&server.authority, copy.path()).unwrap();
    let known = format!("sslrootcert={}", copy.path().display());
    let mut engine = open(&known).unwrap();
    let mut encrypted = 0;
    let sql = "SELECT ssl::int FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND $1 <> ''";
    engine
        .query(sql, &[&Value::from("kr-11")], &mut |row| {
            encrypted = row.int(0)?;
            Ok(true)
        })
        .unwrap();
    assert_eq!(encrypted, 1);
    assert!(open("").is_err(), "nobody vouches for it");
    assert!(open("sslmode=disable").is_err(), "this server wants TLS");
    let misnamed = server.url.replace("127.0.0.1", "localhost");
    let address = postgres::Address::parse(&format!("{misnamed}?{known}")).unwrap();
    let fault = postgres::Postgres::open(&address, postgres::Role::Writer).err().unwrap();
    assert!(fault.chain().contains("certificate"), "another's name: {fault}");
}

#[test]
fn many_rows_at_once_are_the_rows_one_by_one() {
    let url = testdb::databases();
    let Some(url) = url else { return };
    let address = postgres::Address::parse(&url).unwrap();
    let mut engine = postgres::Postgres::open(&address, postgres::Role::Writer).unwrap();
    engine
        .migrate("CREATE TABLE t (region TEXT, a BIGINT, b BYTEA, c TEXT, PRIMARY KEY (region, a))")
        .unwrap();
    let rows: Vec<Vec<Value>> = (0..3_333_i64)
        .map(|it| vec![it.into(), it.to_be_bytes().as_slice().into(), Value::Null])
        .collect();
    let region = Value::from("kr-11");
    engine.begin().unwrap();
    let sql = "INSERT INTO t (region, a, b, c) VALUES ($1, $2, $3, $4)";
    engine.execute_many(sql, &region, &rows).unwrap();
    engine.commit().unwrap();
    let mut found = Vec::new();
    let sql = "SELECT a, b, c FROM t WHERE region = $1 ORDER BY a";
    engine
        .query(sql, &[&region], &mut |row| {
            found.push(std::mem::take(&mut row.0));
            Ok(found.len() < 3_000)
        })
        .unwrap();
    assert!(found == rows[..3_000], "and a query ends where the reader has enough");
    engine
        .query(
            "SELECT SUM(a), COUNT(*), EXISTS (SELECT 1), 1 FROM t WHERE region = $1",
            &[&region],
            &mut |row| {
                assert_eq!(
                    row.0,
                    [
                        Value::Int(3_333 * 3_332 / 2),
                        Value::Int(3_333),
                        Value::Int(1),
                        Value::Int(1)
                    ]
                );
                Ok(true)
            },
        )
        .unwrap();
}
