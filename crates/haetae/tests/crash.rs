//! Killed at random moments during mixed writes: no acknowledged entry lost, doubled or
//! half-visible, and the audit passes each time.
//!
//! `kill -9` does not test the disk (the page cache survives); power loss is another trial.
//!
//! `cargo xtask torture --cycles N` runs as many cycles as one likes, from a seed of one's own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "in tests a panic is the message"
)]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use kernel::Seed;

/// Cycles of writing, killing, opening, auditing, where nobody says how many.
const CYCLES: u32 = 200;
/// Kills that one region lives through before a fresh one begins: its audits grow with its log.
const REGION_CYCLES: u32 = 25;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Writes until killed after `lives`; gives what was acknowledged.
fn one_life(data: &Path, lives: Duration) -> BTreeMap<u128, u64> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_haetae"))
        .arg("exercise")
        .arg(data)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut printed = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(printed.next().unwrap().unwrap(), "begun");
    let killer = std::thread::spawn(move || {
        let until = Instant::now() + lives;
        while Instant::now() < until {
            std::thread::park_timeout(until.saturating_duration_since(Instant::now()));
        }
        child.kill().unwrap();
        child.wait().unwrap();
    });
    let mut acknowledged = BTreeMap::new();
    for line in printed {
        let line = line.unwrap();
        // The last line may be cut by the kill: then its reader never saw it whole.
        let Some((command, first)) = line.split_once(' ') else { continue };
        let (Ok(command), Ok(first)) = (u128::from_str_radix(command, 16), first.parse()) else {
            continue;
        };
        assert!(acknowledged.insert(command, first).is_none(), "one acknowledgement each");
    }
    killer.join().unwrap();
    acknowledged
}

#[test]
fn kills_lose_double_and_half_show_nothing() {
    let cycles = number("HAETAE_TORTURE_CYCLES").and_then(|it| u32::try_from(it).ok());
    let cycles = cycles.unwrap_or(CYCLES);
    let seed = number("HAETAE_TORTURE_SEED").unwrap_or(20_261_122);
    let (begun, moments) = (Instant::now(), Seed::fixed(seed));
    let (mut cycle, mut total, mut entries, mut recovery) = (0, 0, 0, Vec::new());
    while cycle < cycles {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("region");
        let mut size = 0;
        for _ in 0..REGION_CYCLES.min(cycles - cycle) {
            let lives = Duration::from_millis(20 + moments.below(180));
            let acknowledged = one_life(&data, lives);
            let opened = Instant::now();
            let house = sim::bench_house(&data).unwrap();
            recovery.push(opened.elapsed());
            let at = format!("seed {seed}, cycle {cycle}");
            let now = house.app.store.size();
            assert!(size <= now, "{at}: the log has become shorter");
            size = now;
            all_there(&house, &acknowledged, &at);
            house.app.store.close();
            let config = house.config.clone();
            drop(house);
            let report = app::house::audit(&config, |_, _| {}).unwrap();
            assert_eq!(report.wrong, [], "{at}");
            assert_eq!(report.entries, size, "{at}");
            total += acknowledged.len();
            cycle += 1;
        }
        entries += size;
    }
    recovery.sort_unstable();
    eprintln!(
        "{cycles} kills from seed {seed} in {:.0} s: {total} acknowledged commands, {entries} \
         entries, all there once; opened again in {:?} (median), {:?} (longest)",
        begun.elapsed().as_secs_f64(),
        recovery[recovery.len() / 2],
        recovery[recovery.len() - 1],
    );
    assert!(total > 100, "the trial has tried something");
}

/// What was acknowledged is there, once and whole.
fn all_there(house: &app::House, acknowledged: &BTreeMap<u128, u64>, at: &str) {
    let size = house.app.store.size();
    let read = house.app.store.read_blocking(|reader| {
        for (command, first) in acknowledged {
            let sql = "SELECT first, count FROM command WHERE region = $1 AND command = $2";
            let rows = reader.query(sql, store::values![command.to_be_bytes()])?;
            assert_eq!(rows.len(), 1, "{at}: {command:032x} was acknowledged");
            assert_eq!(rows[0].count(0)?, *first, "{at}: {command:032x}");
            let last = first + rows[0].count(1)?;
            assert!(last <= size, "{at}: {command:032x} lies beyond the log");
        }
        Ok(())
    });
    read.unwrap();
}
