//! `haetae bench write` on PostgreSQL, beside bare multi-row `VALUES` on the same server.
//!
//! The peer writes rows of the same number and size into one table with a growing key, one statement
//! and one COMMIT for each batch, over the same kind of connection, and does nothing else: no log, no
//! sealing, no views, no lease, no second database.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use app::{Config, House};
use kernel::{Seed, SystemClock};
use sim::Exercise;
use store::postgres::{Address, Postgres, Role};
use store::{Engine as _, Value};

use super::{Figure, IN_A_BLOCK, Wish, appends, per_second, write};

const BARE: &str = "bare VALUES";

pub(crate) fn run(wish: &Wish) -> anyhow::Result<Vec<Figure>> {
    let Some(url) = wish.store.clone().or_else(testdb::databases) else { return Ok(Vec::new()) };
    let dir = tempfile::tempdir()?;
    let house = house(dir.path(), &url)?;
    let exercise = Exercise::prepare(&house, 2_000)?;
    let mut bare = Bare::open(&url)?;
    let (span, mut figures) = (wish.span(), Vec::new());
    for callers in [1_u32, 64, 1_024] {
        let ours = write::singles(&exercise, callers, span)?;
        let peer = bare.rate(callers, exercise.single_bytes()?, span)?;
        let name = format!("write.postgres_single_{callers}");
        figures.push(Figure::beside(name, ours, "/s", BARE, peer));
    }
    for callers in [1_u32, 8] {
        let ours = write::batches(&exercise, callers, span)?;
        let peer = bare.rate(IN_A_BLOCK, exercise.visit_bytes()?, span)?;
        let name = match callers {
            1 => "write.postgres_gate_batch_200".to_owned(),
            _ => format!("write.postgres_gate_batch_200_by_{callers}"),
        };
        figures.push(Figure::beside(name, ours, "/s", BARE, peer));
    }
    house.app.store.close();
    figures.extend(appends::on(&mut bare.engine, ("ledger.postgres_", BARE), span)?);
    Ok(figures)
}

fn house(dir: &Path, url: &str) -> anyhow::Result<House> {
    let config = Config {
        data: dir.to_owned(),
        store: Some(url.to_owned()),
        origin: "http://localhost:8080".to_owned(),
        region: "kr-bench".to_owned(),
        behind_proxy: false,
        ..Config::default()
    };
    let mut entropy = [0; 32];
    getrandom::fill(&mut entropy).context("the system gives no randomness")?;
    Ok(House::open(config, Arc::new(SystemClock), Seed::from_entropy(entropy))?)
}

/// The peer.
struct Bare {
    engine: Postgres,
    seq: u64,
}

impl Bare {
    fn open(url: &str) -> anyhow::Result<Self> {
        let mut engine = Postgres::open(&Address::parse(url)?, Role::Writer)?;
        engine.migrate(
            "CREATE TABLE bench_row (region TEXT NOT NULL, seq BIGINT NOT NULL, \
             payload BYTEA NOT NULL, PRIMARY KEY (region, seq));",
        )?;
        Ok(Self { engine, seq: 0 })
    }

    /// Rows a second, `batch` rows in each statement and transaction.
    fn rate(&mut self, batch: u32, bytes: usize, span: Duration) -> anyhow::Result<f64> {
        let tuples: Vec<String> =
            (0..batch).map(|it| format!("($1, ${}, ${})", it * 2 + 2, it * 2 + 3)).collect();
        let sql =
            format!("INSERT INTO bench_row (region, seq, payload) VALUES {}", tuples.join(", "));
        let (region, first) = (Value::from("kr-bench"), self.seq);
        let begun = Instant::now();
        while begun.elapsed() < span {
            let mut values = Vec::new();
            for _ in 0..batch {
                values.extend([Value::from(self.seq), Value::from(vec![0xa5_u8; bytes])]);
                self.seq += 1;
            }
            let all: Vec<&Value> = std::iter::once(&region).chain(&values).collect();
            self.engine.begin()?;
            self.engine.execute(&sql, &all)?;
            self.engine.commit()?;
        }
        Ok(per_second(self.seq - first, begun.elapsed()))
    }
}
