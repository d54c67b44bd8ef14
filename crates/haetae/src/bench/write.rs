//! `haetae bench write`: durable commands a second, beside the same rows written by bare SQLite.
//!
//! The peer writes rows of the same number and size into one table with a growing key, with WAL
//! and `synchronous=FULL`, and does nothing else: no log, no sealing, no views, no second file.
//! Ours does all of it. The ratio is the figure.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use app::House;
use rusqlite::Connection;
use sim::Exercise;

use super::process::{Line, Process};
use super::{Entries, Figure, Wish, per_second};

const BARE: &str = "bare sqlite";

pub(crate) fn run(wish: &Wish) -> anyhow::Result<Vec<Figure>> {
    let span = wish.span();
    let dir = tempfile::tempdir()?;
    let mut figures = Vec::new();
    let house = sim::bench_house(&dir.path().join("region"))?;
    let exercise = Exercise::prepare(&house, 2_000)?;
    for callers in [1_u32, 64, 1_024] {
        let ours = singles(&exercise, callers, span)?;
        let bare = bare(dir.path(), u64::from(callers), exercise.single_bytes()?, span)?;
        figures.push(Figure::beside(format!("write.single_{callers}"), ours, "/s", BARE, bare));
    }
    for callers in [1_u32, 8] {
        let ours = batches(&exercise, callers, span)?;
        let bare = bare(dir.path(), 200, exercise.visit_bytes()?, span)?;
        let name = match callers {
            1 => "write.gate_batch_200".to_owned(),
            _ => format!("write.gate_batch_200_by_{callers}"),
        };
        figures.push(Figure::beside(name, ours, "/s", BARE, bare));
    }
    figures.push(declare_to_code(&house, if wish.quick { 20 } else { 300 })?);
    house.app.store.close();
    drop(exercise);
    drop(house);
    figures.extend(restart(dir.path(), wish.entries())?);
    Ok(figures)
}

/// Calls `work` from `callers` threads until the time is over; gives calls a second.
pub(super) fn by_many(
    callers: u32,
    span: Duration,
    work: impl Fn(u32) -> anyhow::Result<()> + Sync,
) -> anyhow::Result<f64> {
    let (count, begun) = (AtomicU64::new(0), Instant::now());
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..callers)
            .map(|caller| {
                let (work, count) = (&work, &count);
                scope.spawn(move || {
                    while begun.elapsed() < span {
                        work(caller)?;
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                    anyhow::Ok(())
                })
            })
            .collect();
        for thread in threads {
            thread.join().map_err(|_| anyhow::anyhow!("a caller panicked"))??;
        }
        anyhow::Ok(())
    })?;
    Ok(per_second(count.load(Ordering::Relaxed), begun.elapsed()))
}

pub(super) fn singles(exercise: &Exercise, callers: u32, span: Duration) -> anyhow::Result<f64> {
    by_many(callers, span, |_| exercise.single())
}

/// Visits a second, in batches of 200 that devices sealed and signed beforehand: the server's work
/// alone is timed, from checking the signature to the answer.
pub(super) fn batches(exercise: &Exercise, callers: u32, span: Duration) -> anyhow::Result<f64> {
    // More than can be taken in the time, on any machine measured so far.
    let ready = u32::try_from(span.as_millis())? * 2;
    let pool = Mutex::new(exercise.make_batches(ready, 200)?);
    let calls = by_many(callers, span, |_| {
        let next = pool.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let (batch, signature) = next.context("the batches made beforehand have run out")?;
        exercise.take_batch(&batch, &signature).map(|_| ())
    })?;
    Ok(calls * 200.0)
}

/// Rows a second of bare SQLite, `batch` rows in each transaction.
fn bare(dir: &Path, batch: u64, bytes: usize, span: Duration) -> anyhow::Result<f64> {
    let path = dir.join("bare.db");
    let connection = Connection::open(&path)?;
    connection.execute_batch(
        "PRAGMA page_size=8192; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; \
         CREATE TABLE row (seq BIGINT PRIMARY KEY, payload BLOB NOT NULL) WITHOUT ROWID;",
    )?;
    let payload = vec![0xa5_u8; bytes];
    let (mut seq, begun) = (0_i64, Instant::now());
    while begun.elapsed() < span {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let mut insert = connection.prepare_cached("INSERT INTO row VALUES (?1, ?2)")?;
        for _ in 0..batch {
            insert.execute(rusqlite::params![seq, payload])?;
            seq += 1;
        }
        drop(insert);
        connection.execute_batch("COMMIT")?;
    }
    let rate = per_second(u64::try_from(seq)?, begun.elapsed());
    drop(connection);
    for name in ["bare.db", "bare.db-wal", "bare.db-shm"] {
        // The WAL is gone already when SQLite closed in order.
        let _ = std::fs::remove_file(dir.join(name));
    }
    Ok(rate)
}

/// From sending the declaration to holding the code, through the whole service in this process,
/// with nobody else asking.
fn declare_to_code(house: &House, rounds: u32) -> anyhow::Result<Figure> {
    let runtime = tokio::runtime::Runtime::new()?;
    let mut took = runtime.block_on(sim::declare_to_code(house, rounds))?;
    took.sort_unstable();
    let median = took.get(took.len() / 2).context("no round was run")?;
    Ok(Figure::alone("write.declare_to_code_p50", median.as_secs_f64() * 1_000.0, "ms"))
}

/// From starting a process on a region of so many entries to its first answer that it is ready, and the
/// memory that it then has. The one before was killed.
fn restart(dir: &Path, entries: u64) -> anyhow::Result<Vec<Figure>> {
    let folder = dir.join("region");
    let house = sim::bench_house(&folder)?;
    let exercise = Exercise::prepare(&house, 10)?;
    Entries::Singles.fill(&exercise, entries.saturating_sub(house.app.store.size()))?;
    let (size, region) = (house.app.store.size(), house.config.region.clone());
    house.app.store.close();
    drop(exercise);
    drop(house);
    drop(Process::start(&folder, &region, "")?);
    let begun = Instant::now();
    let process = Process::start(&folder, &region, "")?;
    let ready = "GET /ready HTTP/1.1\r\nHost: localhost:8080\r\n\r\n";
    let mut line = Line::to(&process)?;
    while line.ask(ready)?.0 != 200 {}
    let took = begun.elapsed();
    let ms = took.as_secs_f64() * 1_000.0;
    Ok(vec![
        Figure::alone(format!("write.ready_with_{size}_entries"), ms, "ms"),
        Figure::alone(format!("write.memory_with_{size}_entries"), process.memory_mib(), "MiB"),
    ])
}
