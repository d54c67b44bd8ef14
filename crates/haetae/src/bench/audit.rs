//! `haetae bench audit`: entries a second of a full audit, and what of it is the log alone.
//!
//! The region is filled with entries each of which is a block of its own, so that every entry is a
//! leaf, a sealed payload, a row of tags and a row of a view: the most that an entry can cost an
//! audit. The peer in the same run reads the same rows by bare SQLite and hashes them once.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, bail};
use rusqlite::Connection;
use sim::Exercise;

use super::{Figure, per_second};

pub(crate) fn run(quick: bool) -> anyhow::Result<Vec<Figure>> {
    let entries = if quick { 20_000 } else { 1_000_000 };
    let dir = tempfile::tempdir()?;
    let folder = dir.path().join("region");
    let house = sim::bench_house(&folder)?;
    let exercise = Exercise::prepare(&house, 100)?;
    let mut kept = None;
    while house.app.store.size() < entries {
        exercise.fill(5_000)?;
        if kept.is_none() && house.app.store.size() >= entries / 10 * 9 {
            kept = Some(house.app.store.read_blocking(|it| it.head())?.checkpoint);
        }
    }
    house.app.store.close();
    let config = house.config.clone();
    drop(exercise);
    drop(house);
    let (bare_rows, bare) = bare(&folder)?;
    let mut figures = Vec::new();
    let name = format!("audit.full_{entries}");
    for (name, since) in [(name, None), ("audit.since_nine_tenths".to_owned(), kept)] {
        let begun = Instant::now();
        let report = app::house::audit_since(&config, since.as_deref(), |_, _| {})?;
        let took = begun.elapsed();
        if let Some(wrong) = report.wrong.first() {
            bail!("the audit found {}: {}", wrong.place, wrong.what);
        }
        let rate = per_second(report.entries - report.from, took);
        let peer = per_second(bare_rows, bare);
        figures.push(Figure::beside(name, rate, "/s", "bare sqlite, hashed", peer));
    }
    Ok(figures)
}

/// Reads every row of an observation and hashes it; gives the rows and how long it took.
fn bare(folder: &Path) -> anyhow::Result<(u64, std::time::Duration)> {
    let begun = Instant::now();
    let connection = Connection::open(folder.join("visits.db"))?;
    let mut statement =
        connection.prepare("SELECT seq, kind, at, day, payload FROM observation ORDER BY seq")?;
    let mut rows = statement.query([])?;
    let (mut count, mut last) = (0, ledger::empty_root());
    while let Some(row) = rows.next()? {
        let payload = row.get_ref(4)?.as_blob().context("a payload is no blob")?;
        last = ledger::node_hash(&last, &ledger::leaf_hash(payload));
        count += 1;
    }
    // What was computed is looked at, or a compiler could leave it out.
    tracing::debug!(%last, "read");
    Ok((count, begun.elapsed()))
}
