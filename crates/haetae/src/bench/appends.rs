//! `haetae bench write`, the log alone: durable appends a second in batches, each with its proof.
//!
//! The leaves of a batch go into the tree; its bundles, its tiles and the signed head go into the engine
//! in one durable transaction, in the tables of the store. Then every entry of the batch is proven to the
//! signed root out of tiles that are read back, and the proof is checked. The peer writes the same leaves
//! as rows of the same engine (on PostgreSQL multi-row `VALUES`) and proves nothing.

use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use ledger::{Checkpoint, Prover, Signer, TileId, Tree};
use store::sqlite::Sqlite;
use store::{Engine, Fault, Value};

use super::{Figure, Wish, per_second};

/// Leaves of one batch, and the bytes of each: a leaf with a commitment has about as many.
const BATCH: u64 = 5_000;
const LEAF_BYTES: usize = 180;

const TABLES: &str = "CREATE TABLE bench_leaf (region TEXT NOT NULL, seq BIGINT NOT NULL, \
     leaf BYTEA NOT NULL, PRIMARY KEY (region, seq)); \
     -- large rows\nCREATE TABLE bench_bundle (region TEXT NOT NULL, position BIGINT NOT NULL, \
     width BIGINT NOT NULL, bytes BYTEA NOT NULL, PRIMARY KEY (region, position)); \
     -- large rows\nCREATE TABLE bench_tile (region TEXT NOT NULL, level BIGINT NOT NULL, \
     position BIGINT NOT NULL, width BIGINT NOT NULL, bytes BYTEA NOT NULL, \
     PRIMARY KEY (region, level, position)); \
     CREATE TABLE bench_head (region TEXT NOT NULL, checkpoint TEXT NOT NULL, PRIMARY KEY (region));";
const LEAF: &str = "INSERT INTO bench_leaf (region, seq, leaf) VALUES ($1, $2, $3)";
const BUNDLE: &str = "INSERT INTO bench_bundle (region, position, width, bytes) \
     VALUES ($1, $2, $3, $4) ON CONFLICT (region, position) \
     DO UPDATE SET width = excluded.width, bytes = excluded.bytes";
const TILE: &str = "INSERT INTO bench_tile (region, level, position, width, bytes) \
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (region, level, position) \
     DO UPDATE SET width = excluded.width, bytes = excluded.bytes";
const HEAD: &str = "INSERT INTO bench_head (region, checkpoint) VALUES ($1, $2) \
     ON CONFLICT (region) DO UPDATE SET checkpoint = excluded.checkpoint";
const STORED: &str =
    "SELECT bytes FROM bench_tile WHERE region = $1 AND level = $2 AND position = $3";

pub(crate) fn run(wish: &Wish) -> anyhow::Result<Vec<Figure>> {
    let dir = tempfile::tempdir()?;
    let mut engine = Sqlite::writer(&dir.path().join("log.db"))?;
    on(&mut engine, ("ledger.", "bare sqlite"), wish.span())
}

/// All three on one engine, whose tables are made for it.
pub(super) fn on(
    engine: &mut dyn Engine,
    (prefix, peer): (&str, &'static str),
    span: Duration,
) -> anyhow::Result<Vec<Figure>> {
    engine.migrate(TABLES)?;
    let bare = bare(engine, span)?;
    let mut figures = Vec::new();
    for (what, proven) in [("append", false), ("append_and_prove", true)] {
        let rate = append(engine, what, span, proven)?;
        figures.push(Figure::beside(format!("{prefix}{what}_{BATCH}"), rate, "/s", peer, bare));
    }
    Ok(figures)
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

fn append(
    engine: &mut dyn Engine,
    region: &str,
    span: Duration,
    proven: bool,
) -> anyhow::Result<f64> {
    let (signer, region) = (Signer::try_new("bench.example/log", &[7; 32])?, Value::from(region));
    let (mut tree, begun) = (Tree::new(), Instant::now());
    while begun.elapsed() < span {
        let (first, batch) = (tree.size(), leaves(tree.size()));
        let appended = tree.append(&batch)?;
        let bundles = appended.bundles.into_iter();
        let bundles = bundles.map(|it| vec![it.index.into(), it.width.into(), it.bytes.into()]);
        let tiles = appended
            .tiles
            .into_iter()
            .map(|it| vec![it.level.into(), it.index.into(), it.width.into(), it.bytes.into()]);
        let (size, root) = (appended.size, appended.root);
        let note = Checkpoint::try_new("bench.example/log", size, root)?.sign(&signer)?;
        engine.begin()?;
        engine.execute_many(BUNDLE, &region, &bundles.collect::<Vec<_>>())?;
        engine.execute_many(TILE, &region, &tiles.collect::<Vec<_>>())?;
        engine.execute_many(HEAD, &region, &[vec![note.into()]])?;
        engine.commit()?;
        if proven {
            prove(engine, &region, (first, &batch), (size, &root))?;
        }
    }
    Ok(per_second(tree.size(), begun.elapsed()))
}

/// Proves every entry of a batch out of stored tiles, each read once.
fn prove(
    engine: &mut dyn Engine,
    region: &Value,
    (first, batch): (u64, &[Vec<u8>]),
    (size, root): (u64, &ledger::Hash),
) -> anyhow::Result<()> {
    let mut tiles = |id: TileId| -> Result<Vec<u8>, Fault> {
        let mut bytes = None;
        let key = [region, &id.level.into(), &id.index.into()];
        engine.query(STORED, &key, &mut |row| {
            bytes = Some(row.bytes(0)?.to_vec());
            Ok(false)
        })?;
        bytes.ok_or_else(|| Fault::new("a tile is missing"))
    };
    let mut prover = Prover::new(size, &mut tiles);
    for (index, leaf) in (first..).zip(batch) {
        let proof = prover.inclusion(index).map_err(|error| anyhow!("entry {index}: {error}"))?;
        ledger::verify_inclusion(&ledger::leaf_hash(leaf), index, size, &proof, root)
            .with_context(|| format!("entry {index}"))?;
    }
    Ok(())
}

/// The same leaves as rows.
fn bare(engine: &mut dyn Engine, span: Duration) -> anyhow::Result<f64> {
    let (region, mut seq, begun) = (Value::from("bare"), 0_u64, Instant::now());
    while begun.elapsed() < span {
        let rows: Vec<_> =
            (seq..).zip(leaves(seq)).map(|(seq, leaf)| vec![seq.into(), leaf.into()]).collect();
        engine.begin()?;
        engine.execute_many(LEAF, &region, &rows)?;
        engine.commit()?;
        seq += BATCH;
    }
    Ok(per_second(seq, begun.elapsed()))
}
