//! Killed at random moments during mixed writes: no acknowledged entry lost, doubled or
//! half-visible, and the audit passes each time.
//!
//! `kill -9` does not test the disk (the page cache survives); power loss is another trial.

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

/// Cycles of writing, killing, opening, auditing.
const CYCLES: u32 = 50;

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
fn fifty_kills_lose_double_and_half_show_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("region");
    let seed = Seed::fixed(20_261_122);
    let (mut total, mut size) = (0_usize, 0);
    for cycle in 0..CYCLES {
        let lives = Duration::from_millis(20 + seed.below(180));
        let acknowledged = one_life(&data, lives);
        let house = sim::bench_house(&data).unwrap();
        let store = house.app.store.clone();
        assert!(size <= store.size(), "cycle {cycle}: the log has become shorter");
        size = store.size();
        store
            .read_blocking(|reader| {
                for (command, first) in &acknowledged {
                    let sql = "SELECT first, count FROM command WHERE region = $1 AND command = $2";
                    let rows = reader.query(sql, store::values![command.to_be_bytes()])?;
                    assert_eq!(rows.len(), 1, "cycle {cycle}: {command:032x} was acknowledged");
                    assert_eq!(rows[0].count(0)?, *first, "cycle {cycle}: {command:032x}");
                    let last = first + rows[0].count(1)?;
                    assert!(last <= size, "cycle {cycle}: {command:032x} lies beyond the log");
                }
                Ok(())
            })
            .unwrap();
        store.close();
        let config = house.config.clone();
        drop(house);
        let report = app::house::audit(&config, |_, _| {}).unwrap();
        assert_eq!(report.wrong, [], "cycle {cycle}");
        assert_eq!(report.entries, size, "cycle {cycle}");
        total += acknowledged.len();
    }
    eprintln!("{CYCLES} kills, {total} acknowledged commands, {size} entries, all there once");
    assert!(total > 100, "the trial has tried something");
}
