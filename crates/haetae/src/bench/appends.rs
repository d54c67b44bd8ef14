//! `haetae bench write`, the log alone: durable appends a second in batches, each with its proof.
//!
//! The leaves of a batch go into the tree; its bundles, its tiles and the signed head go into SQLite in
//! one transaction with `synchronous=FULL`, in the tables of the store. Then every entry of the batch is
//! proven to the signed root out of tiles that are read back, and the proof is checked. The peer writes
//! the same leaves as rows and proves nothing.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use ledger::{Checkpoint, Prover, Signer, TileId, Tree};
use rusqlite::{Connection, params};

use super::{Figure, Wish, per_second};

/// Leaves of one batch, and the bytes of each: a leaf with a commitment has about as many.
const BATCH: u64 = 5_000;
const LEAF_BYTES: usize = 180;

pub(crate) fn run(wish: &Wish) -> anyhow::Result<Vec<Figure>> {
    let dir = tempfile::tempdir()?;
    let bare = bare(&dir.path().join("bare.db"), wish.span())?;
    let mut figures = Vec::new();
    for (name, proven) in [("append", false), ("append_and_prove", true)] {
        let path = dir.path().join(format!("{name}.db"));
        let rate = append(&path, wish.span(), proven)?;
        let name = format!("ledger.{name}_{BATCH}");
        figures.push(Figure::beside(name, rate, "/s", "bare sqlite", bare));
    }
    Ok(figures)
}

fn open(path: &Path) -> anyhow::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA page_size=8192; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; \
         CREATE TABLE row (seq BIGINT PRIMARY KEY, leaf BLOB NOT NULL) WITHOUT ROWID; \
         CREATE TABLE log_bundle (position BIGINT PRIMARY KEY, width BIGINT NOT NULL, \
         bytes BLOB NOT NULL); \
         CREATE TABLE log_tile (level BIGINT NOT NULL, position BIGINT NOT NULL, \
         width BIGINT NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (level, position)); \
         CREATE TABLE log_head (id BIGINT PRIMARY KEY, checkpoint TEXT NOT NULL);",
    )?;
    Ok(connection)
}

/// Leaves of which no two are the same.
fn leaves(first: u64) -> Vec<Vec<u8>> {
    let leaf = |seq: u64| {
        let mut leaf = vec![0xa5; LEAF_BYTES];
        leaf.splice(..8, seq.to_be_bytes());
        leaf
    };
    (first..first + BATCH).map(leaf).collect()
}

fn append(path: &Path, span: Duration, proven: bool) -> anyhow::Result<f64> {
    let connection = open(path)?;
    let signer = Signer::try_new("bench.example/log", &[7; 32])?;
    let (mut tree, begun) = (Tree::new(), Instant::now());
    while begun.elapsed() < span {
        let (first, batch) = (tree.size(), leaves(tree.size()));
        let appended = tree.append(&batch)?;
        connection.execute_batch("BEGIN IMMEDIATE")?;
        for it in &appended.bundles {
            let sql = "INSERT OR REPLACE INTO log_bundle VALUES (?1, ?2, ?3)";
            let mut insert = connection.prepare_cached(sql)?;
            insert.execute(params![i64::try_from(it.index)?, it.width, it.bytes])?;
        }
        for it in &appended.tiles {
            let sql = "INSERT OR REPLACE INTO log_tile VALUES (?1, ?2, ?3, ?4)";
            let mut insert = connection.prepare_cached(sql)?;
            insert.execute(params![it.level, i64::try_from(it.index)?, it.width, it.bytes])?;
        }
        let (size, root) = (appended.size, appended.root);
        let note = Checkpoint::try_new("bench.example/log", size, root)?.sign(&signer)?;
        connection.execute("INSERT OR REPLACE INTO log_head VALUES (1, ?1)", [note])?;
        connection.execute_batch("COMMIT")?;
        if proven {
            prove(&connection, first, &batch, size, &root)?;
        }
    }
    Ok(per_second(tree.size(), begun.elapsed()))
}

/// Proves every entry of a batch out of stored tiles, each read once.
fn prove(
    connection: &Connection,
    first: u64,
    batch: &[Vec<u8>],
    size: u64,
    root: &ledger::Hash,
) -> anyhow::Result<()> {
    let mut tiles = |id: TileId| -> Result<Vec<u8>, rusqlite::Error> {
        let sql = "SELECT bytes FROM log_tile WHERE level = ?1 AND position = ?2";
        let mut select = connection.prepare_cached(sql)?;
        // A position stays far below 2^63.
        let position = i64::try_from(id.index).unwrap_or(i64::MAX);
        select.query_row(params![id.level, position], |row| row.get(0))
    };
    let mut prover = Prover::new(size, &mut tiles);
    for (index, leaf) in (first..).zip(batch) {
        let proof = prover.inclusion(index).map_err(|error| anyhow!("entry {index}: {error}"))?;
        ledger::verify_inclusion(&ledger::leaf_hash(leaf), index, size, &proof, root)
            .map_err(|error| anyhow!("entry {index}: {error}"))?;
    }
    Ok(())
}

/// The same leaves as rows.
fn bare(path: &Path, span: Duration) -> anyhow::Result<f64> {
    let connection = open(path)?;
    let (mut seq, begun) = (0_u64, Instant::now());
    while begun.elapsed() < span {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let mut insert = connection.prepare_cached("INSERT INTO row VALUES (?1, ?2)")?;
        for leaf in leaves(seq) {
            insert.execute(params![i64::try_from(seq)?, leaf])?;
            seq += 1;
        }
        drop(insert);
        connection.execute_batch("COMMIT")?;
    }
    Ok(per_second(seq, begun.elapsed()))
}
