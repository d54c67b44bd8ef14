//! `haetae bench audit`: entries a second of a full audit, and what of it is the log alone.
//!
//! Two regions. In the one each entry is a block of its own, so that every entry is a leaf, a sealed
//! payload, a row of tags and a row of a view: the most that an entry can cost an audit. In the other the
//! same number of visits stands in blocks of 200, as gates hand them in: a leaf stands for 200 visits, and
//! what is counted is visits. The peer in the same run reads the same rows by bare SQLite and hashes them
//! once.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, bail};
use rusqlite::Connection;
use sim::Exercise;

use super::{Entries, Figure, Wish, memory_mib, per_second};

pub(crate) fn run(wish: &Wish) -> anyhow::Result<Vec<Figure>> {
    let mut figures = region(Entries::Singles, wish.entries())?;
    figures.extend(region(Entries::Blocks, wish.entries())?);
    Ok(figures)
}

fn region(kind: Entries, entries: u64) -> anyhow::Result<Vec<Figure>> {
    let dir = tempfile::tempdir()?;
    let folder = dir.path().join("region");
    let house = sim::bench_house(&folder)?;
    let exercise = Exercise::prepare(&house, 100)?;
    let (most_of, rest) = (entries / 10 * 9, entries / 10);
    kind.fill(&exercise, most_of)?;
    let kept = house.app.store.read_blocking(|it| it.head())?.checkpoint;
    kind.fill(&exercise, rest)?;
    house.app.store.close();
    let config = house.config.clone();
    drop(exercise);
    drop(house);
    let peer = per_second(entries, bare(&folder)?);
    let mut figures = Vec::new();
    let word = kind.word();
    for (name, since, checked) in
        [("full", None, entries), ("since_nine_tenths", Some(kept.as_str()), rest)]
    {
        let (before, mut most) = (memory_mib("self"), 0.0_f64);
        let begun = Instant::now();
        let report = app::house::audit_since(&config, since, |done, _| {
            if done % (1 << 14) < (1 << 8) {
                most = most.max(memory_mib("self"));
            }
        })?;
        let took = begun.elapsed();
        if let Some(wrong) = report.wrong.first() {
            bail!("the audit found {}: {}", wrong.place, wrong.what);
        }
        let rate = per_second(checked, took);
        let name = format!("audit.{name}_of_{entries}_{word}");
        figures.push(Figure::alone(format!("{name}_took"), took.as_secs_f64(), "s"));
        figures.push(Figure::alone(format!("{name}_memory"), (most - before).max(0.0), "MiB"));
        figures.push(Figure::beside(name, rate, "/s", "bare sqlite, hashed", peer));
    }
    Ok(figures)
}

/// Reads every row of an observation and hashes it.
fn bare(folder: &Path) -> anyhow::Result<std::time::Duration> {
    let begun = Instant::now();
    let connection = Connection::open(folder.join("visits.db"))?;
    let mut statement =
        connection.prepare("SELECT seq, kind, at, day, payload FROM observation ORDER BY seq")?;
    let mut rows = statement.query([])?;
    let mut last = ledger::empty_root();
    while let Some(row) = rows.next()? {
        let payload = row.get_ref(4)?.as_blob().context("a payload is no blob")?;
        last = ledger::node_hash(&last, &ledger::leaf_hash(payload));
    }
    // What was computed is looked at, or a compiler could leave it out.
    tracing::debug!(%last, "read");
    Ok(begun.elapsed())
}
