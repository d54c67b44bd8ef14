//! Killed at random moments during mixed work, on files and on PostgreSQL: no acknowledged entry lost,
//! doubled or half-visible, the audit passes, views equal a rebuild (it is part of the audit), and
//! backups made meanwhile restore to the beginning of the log. On PostgreSQL the server is crashed
//! too, and its sessions ended, under a service that goes on by itself.
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

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use app::House;
use kernel::Seed;
use sim::{Site, Trial};
use store::backup::{BackupError, Identity, Published, Restore};
use testdb::Server;

/// Cycles of working, killing, opening, auditing, where nobody says how many: half on each engine.
const CYCLES: u64 = 200;
/// Kills that one region lives through before a fresh one begins: its audits grow with its log.
const REGION_CYCLES: u64 = 10;
/// Regions that share the databases of a server.
const SHARED: u64 = 10;
/// After this long whatever was waited for does not come.
const PATIENCE: Duration = Duration::from_mins(2);

/// An age identity made for this test, which protects nothing, and its recipient.
const IDENTITY: &str = "AGE-SECRET-KEY-1NG7GNKXF3AXA80WXRMNHATZL8SFW60DXAPDFJEQLVHADZDCD72DSRR85MN";
const RECIPIENT: &str = "age1m777y9z57409qg2e2a7r6x00xvs6jxmuz7sx6axexfmvx9rexvfqj3tg63";

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// The service at work, and the lines that it prints, each with when it came.
struct Life {
    child: Child,
    lines: Receiver<(Instant, String)>,
    acknowledged: BTreeMap<u128, u64>,
    refused: u64,
    last: Instant,
}

impl Life {
    fn begin(site: &Site, backups: Option<&Path>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_haetae"));
        command.arg("exercise").arg(&site.data).args(["--region", &site.region]);
        if let Some(store) = &site.store {
            command.args(["--store", store]);
        }
        if let Some(folder) = backups {
            command.arg("--backups").arg(folder).args(["--recipient", RECIPIENT]);
        }
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let printed = BufReader::new(child.stdout.take().unwrap());
        let (said, lines) = mpsc::channel();
        std::thread::spawn(move || {
            // The last line may be cut by the kill: then its reader never saw it whole.
            for line in printed.split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8(line).unwrap();
                let _ = said.send((Instant::now(), line));
            }
        });
        let (acknowledged, last) = (BTreeMap::new(), Instant::now());
        Self { child, lines, acknowledged, refused: 0, last }
    }

    fn take(&mut self, at: Instant, line: &str) {
        assert!(!line.starts_with("failed"), "the exercise met a fault: {line}");
        self.refused += u64::from(line == "refused");
        let Some((command, first)) = line.split_once(' ') else { return };
        let (Ok(command), Ok(first)) = (u128::from_str_radix(command, 16), first.parse()) else {
            return;
        };
        assert_eq!(self.acknowledged.insert(command, first), None, "one acknowledgement each");
        self.last = at;
    }

    /// Listens until `done` or the end of its output; whether it was `done`.
    fn until(&mut self, deadline: Instant, mut done: impl FnMut(&Self, &str) -> bool) -> bool {
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok((at, line)) => {
                    self.take(at, &line);
                    if done(self, &line) {
                        return true;
                    }
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return false,
            }
        }
    }

    /// Lets it work for so long.
    fn works(&mut self, time: Duration) {
        self.until(Instant::now() + time, |_, _| false);
    }

    /// Waits until it has acknowledged something after `moment`; how long that took. `None` when the
    /// service ended by itself, as it does when nobody can say what became of a commit.
    fn first_after(&mut self, moment: Instant) -> Option<Duration> {
        let deadline = Instant::now() + PATIENCE;
        let found = self.until(deadline, |it, _| it.last >= moment);
        assert!(found || Instant::now() < deadline, "nothing was accepted in {PATIENCE:?}");
        found.then(|| self.last - moment)
    }

    fn kill(mut self) -> (BTreeMap<u128, u64>, u64) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        while let Ok((at, line)) = self.lines.recv() {
            // Nobody knows whether the last line was whole: an id has 32 digits, a place may be cut.
            self.take(at, &line);
        }
        (self.acknowledged, self.refused)
    }
}

/// How long it took until something was accepted again, by what had happened.
#[derive(Default)]
struct Figures {
    cycles: u64,
    acknowledged: usize,
    refused: u64,
    entries: u64,
    restored: u64,
    recovered: BTreeMap<&'static str, Vec<Duration>>,
}

impl Figures {
    fn print(&mut self, engine: &str, seed: u64, took: Duration) {
        let mut text = format!(
            "{engine}: {} kills from seed {seed} in {:.0} s: {} acknowledged commands, {} entries, all \
             there once; {} backups restored; {} writes refused while the server was away",
            self.cycles,
            took.as_secs_f64(),
            self.acknowledged,
            self.entries,
            self.restored,
            self.refused
        );
        for (fault, times) in &mut self.recovered {
            times.sort_unstable();
            let (median, longest) = (times[times.len() / 2], times[times.len() - 1]);
            write!(
                text,
                "\n  {fault} ({}): first accepted write after {median:.1?} (median), {longest:.1?} \
                 (longest)",
                times.len()
            )
            .unwrap();
        }
        eprintln!("{text}");
    }
}

/// One engine's share of the trial.
struct Torture {
    server: Option<Server>,
    moments: Seed,
    /// How long the service took to begin, last time.
    start: Duration,
    figures: Figures,
}

impl Torture {
    fn run(mut self, engine: &str, seed: u64, cycles: u64) {
        let begun = Instant::now();
        let (mut region, mut url) = (0, None);
        while self.figures.cycles < cycles {
            if region % SHARED == 0 {
                url = self.server.as_ref().map(Server::databases);
            }
            region += 1;
            let dir = tempfile::tempdir().unwrap();
            let site = Site {
                data: dir.path().join("region"),
                region: format!("kr-{region}"),
                store: url.clone(),
            };
            let here = format!("{engine}, seed {seed}, region {region}");
            self.region(&site, dir.path(), cycles, &here);
        }
        self.figures.print(engine, seed, begun.elapsed());
        let acknowledged = u64::try_from(self.figures.acknowledged).unwrap();
        assert!(acknowledged > cycles / 2, "the trial has tried something");
    }

    fn region(&mut self, site: &Site, dir: &Path, cycles: u64, here: &str) {
        let (mut entries, mut acknowledged) = (0, BTreeMap::new());
        // Backups know files only, so far.
        let backups = dir.join("backups");
        let backups = site.store.is_none().then_some(backups.as_path());
        for life in 0..REGION_CYCLES {
            let at = format!("{here}, life {life}");
            acknowledged.append(&mut self.life(site, backups));
            let killed = Instant::now();
            let house = open(site, killed);
            drop(Trial::begin(&house, None).unwrap());
            self.recovered("killed", killed.elapsed());
            let now = house.app.store.size();
            assert!(entries < now, "{at}: the log has become shorter");
            entries = now;
            all_there(&house, &acknowledged, &at);
            let last = life + 1 == REGION_CYCLES || self.figures.cycles + 1 == cycles;
            if let (Some(folder), true) = (backups, last) {
                self.figures.restored += u64::from(restores(&house, folder, &at));
            }
            house.app.store.close();
            drop(house);
            let report = app::house::audit(&site.config(), |_, _| {}).unwrap();
            assert_eq!((report.wrong, report.entries), (vec![], entries), "{at}");
            self.figures.cycles += 1;
            if last {
                break;
            }
        }
        self.figures.acknowledged += acknowledged.len();
        self.figures.entries += entries;
    }

    fn recovered(&mut self, fault: &'static str, time: Duration) {
        self.figures.recovered.entry(fault).or_default().push(time);
    }

    /// One life of the service, to its end.
    fn life(&mut self, site: &Site, backups: Option<&Path>) -> BTreeMap<u128, u64> {
        let begun = Instant::now();
        let mut life = Life::begin(site, backups);
        let kind = self.moments.below(8);
        if kind < 2 {
            // While it starts.
            let within = u64::try_from(self.start.as_micros()).unwrap().max(1);
            life.works(Duration::from_micros(self.moments.below(within)));
        } else {
            let started = life.until(begun + PATIENCE, |_, line| line == "begun");
            assert!(started, "the service did not begin");
            self.start = begun.elapsed();
            let worked = life.until(begun + PATIENCE, |it, _| !it.acknowledged.is_empty());
            assert!(worked, "the service accepted nothing");
            life.works(Duration::from_millis(self.moments.below(100)));
            let happened = self.server.as_mut().and_then(|server| match kind {
                2 => {
                    server.crash();
                    server.start();
                    Some("server crashed")
                }
                3 => {
                    let sql = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity \
                         WHERE datname LIKE 'city%' AND pid <> pg_backend_pid()";
                    server.psql("postgres", &[sql]);
                    Some("sessions ended")
                }
                _ => None,
            });
            if let Some(fault) = happened
                && let Some(time) = life.first_after(Instant::now())
            {
                self.recovered(fault, time);
                life.works(Duration::from_millis(self.moments.below(20)));
            }
        }
        let (acknowledged, refused) = life.kill();
        self.figures.refused += refused;
        acknowledged
    }
}

/// Opens the region as the next start would. A server notices a moment later than we that a process
/// is gone; until then it holds the region for it.
fn open(site: &Site, killed: Instant) -> House {
    loop {
        match site.open() {
            Ok(house) => return house,
            Err(error) => {
                let held = format!("{error:#}").contains("another haetae process");
                assert!(held && killed.elapsed() < PATIENCE, "{error:#}");
            }
        }
    }
}

/// What was acknowledged is there, once and whole.
fn all_there(house: &House, acknowledged: &BTreeMap<u128, u64>, at: &str) {
    let size = house.app.store.size();
    let read = house.app.store.read_blocking(|reader| {
        let sql =
            "SELECT command, first, count FROM command WHERE region = $1 ORDER BY first, count";
        let (mut found, mut next) = (BTreeMap::new(), 0);
        for row in reader.query(sql, &[])? {
            let command = u128::from_be_bytes(row.bytes(0)?.try_into().unwrap());
            let (first, count) = (row.count(1)?, row.count(2)?);
            assert!(next <= first, "{at}: {command:032x} lies over another");
            next = first + count;
            assert!(next <= size, "{at}: {command:032x} lies beyond the log");
            found.insert(command, first);
        }
        for (command, first) in acknowledged {
            assert_eq!(found.get(command), Some(first), "{at}: {command:032x} was acknowledged");
        }
        Ok(())
    });
    read.unwrap();
}

/// The newest backup is whole and the beginning of the log; `false` when no backup came to its end.
fn restores(house: &House, folder: &Path, at: &str) -> bool {
    if !folder.exists() {
        return false;
    }
    let restored = tempfile::tempdir().unwrap();
    let store = &house.app.store;
    let checkpoint = store.read_blocking(|reader| reader.head()).unwrap().checkpoint;
    let mut tiles = |id| {
        let tile = store.read_blocking(|reader| reader.resource(ledger::Resource::Tile(id)));
        tile.unwrap().ok_or_else(|| "missing".to_owned())
    };
    let done = store::backup::restore(
        &Restore {
            from: &folder.join("data"),
            keys_from: &folder.join("keys"),
            to: &restored.path().join("region"),
            keys_to: None,
            store: None,
            identities: &Identity::all_in(IDENTITY).unwrap(),
            registry: &app::slices::registry(&app::slices::slices()),
            verify: true,
            accept_findings: false,
        },
        Some(Published { checkpoint, tiles: Some(&mut tiles) }),
        &mut |_, _, _| {},
    );
    match done {
        Ok(it) => {
            assert!(it.proven && it.audit.wrong.is_empty(), "{at}: {it:?}");
            true
        }
        Err(BackupError::None { .. }) => false,
        Err(error) => panic!("{at}: {error}"),
    }
}

fn torture(engine: &str, server: Option<Server>) {
    let cycles = number("HAETAE_TORTURE_CYCLES").unwrap_or(CYCLES).div_ceil(2);
    let seed = number("HAETAE_TORTURE_SEED").unwrap_or(20_261_122);
    let (moments, start) = (Seed::fixed(seed), Duration::from_millis(100));
    Torture { server, moments, start, figures: Figures::default() }.run(engine, seed, cycles);
}

#[test]
fn kills_lose_double_and_half_show_nothing_on_files() {
    torture("SQLite", None);
}

#[test]
fn kills_lose_double_and_half_show_nothing_on_a_server() {
    if let Some(server) = Server::of_its_own() {
        torture("PostgreSQL", Some(server));
    }
}
