//! Killed at random moments during mixed work, on files and on PostgreSQL: no acknowledged entry lost,
//! doubled or half-visible, the audit passes, views equal a rebuild (it is part of the audit), backups
//! made meanwhile restore to the beginning of the log, and keys change to their end. On PostgreSQL the
//! server is crashed too, and its sessions ended, under a service that goes on by itself. All of it is
//! looked at after each kill; backups and the ends of keys after the last one of a region.
//!
//! `kill -9` does not test the disk (the page cache survives); power loss is another trial.
//!
//! `cargo xtask torture --cycles N` runs as many cycles as one likes, from a seed of one's own, half of
//! them on each engine.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "in tests a panic is the message"
)]

mod city;
mod figures;
mod life;

use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use kernel::Seed;
use testdb::Server;

use city::City;
use figures::Figures;

/// Cycles of working, killing, opening, auditing, where nobody says how many: half on each engine.
const CYCLES: u64 = 200;
/// Cities at work at once on each engine, where nobody says how many. Much of a cycle is waiting.
const CITIES: u64 = 2;
/// After this long whatever was waited for does not come.
const PATIENCE: Duration = Duration::from_mins(2);

/// An age identity made for this test, which protects nothing, and its recipient.
const IDENTITY: &str = "AGE-SECRET-KEY-1NG7GNKXF3AXA80WXRMNHATZL8SFW60DXAPDFJEQLVHADZDCD72DSRR85MN";
const RECIPIENT: &str = "age1m777y9z57409qg2e2a7r6x00xvs6jxmuz7sx6axexfmvx9rexvfqj3tg63";

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// The trial on one engine; `server` makes one for each city.
fn torture(engine: &str, server: impl Fn() -> Option<Server>, faults: &[&str]) {
    let cycles = number("HAETAE_TORTURE_CYCLES").unwrap_or(CYCLES).div_ceil(2);
    let seed = number("HAETAE_TORTURE_SEED").unwrap_or(20_261_122);
    let cities = number("HAETAE_TORTURE_CITIES").unwrap_or(CITIES).clamp(1, cycles.max(1));
    let (begun, left, moments) = (Instant::now(), AtomicU64::new(cycles), Seed::fixed(seed));
    let cities: Vec<City> = (1..=cities)
        .map(|number| City {
            name: format!("{engine}, seed {seed}, city {number}"),
            server: server(),
            moments: moments.fork(),
            start: Duration::from_millis(100),
            figures: Figures::default(),
        })
        .collect();
    let count = cities.len();
    let mut figures = Figures::default();
    std::thread::scope(|scope| {
        let at_work: Vec<_> =
            cities.into_iter().map(|city| scope.spawn(|| city.run(&left))).collect();
        for city in at_work {
            figures.merge(city.join().expect("a city has found something: see above"));
        }
    });
    eprintln!("{}", figures.say(engine, seed, count, begun.elapsed()));
    assert_eq!(figures.cycles, cycles);
    figures.demand_everything(engine, faults);
}

#[test]
fn kills_lose_double_and_half_show_nothing_on_files() {
    torture("SQLite", || None, &["killed at work", "killed while it starts"]);
}

#[test]
fn kills_lose_double_and_half_show_nothing_on_a_server() {
    // Looked for once: where there is none, that is said once.
    let Some(first) = Server::of_its_own() else { return };
    let first = std::cell::Cell::new(Some(first));
    torture(
        "PostgreSQL",
        || first.take().or_else(Server::of_its_own),
        &["killed at work", "killed while it starts", "server crashed", "sessions ended"],
    );
}
