//! One city under trial: regions one after the other, each of which lives through some kills.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use app::House;
use kernel::{Clock as _, ManualClock, Seed, SystemClock};
use sim::{Site, Trial, Work};
use store::backup::{BackupError, Identity, Published, Restore};
use testdb::Server;

use crate::figures::Figures;
use crate::life::{Heard, Life};
use crate::{IDENTITY, PATIENCE};

/// Kills that one region lives through before a fresh one begins: what is looked at after each grows
/// with its log.
const REGION_CYCLES: u64 = 10;
/// Regions that share the databases of a server.
const SHARED: u64 = 10;

/// A city of its own, on files or on a server of its own.
pub(crate) struct City {
    pub(crate) name: String,
    pub(crate) server: Option<Server>,
    pub(crate) moments: Seed,
    /// How long the service took to begin, last time.
    pub(crate) start: Duration,
    pub(crate) figures: Figures,
}

/// Where regions lie: in memory, where nobody says otherwise. What is killed there leaves the same behind as
/// on a disk, whose flushes are another trial's.
fn folder() -> PathBuf {
    let memory = Path::new("/dev/shm");
    let chosen = std::env::var_os("TMPDIR").is_some() || !memory.is_dir();
    if chosen { std::env::temp_dir() } else { memory.to_owned() }
}

/// Lets the others end early when one of them has found something.
struct EndAll<'a>(&'a AtomicU64);

impl Drop for EndAll<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.store(0, Ordering::Relaxed);
        }
    }
}

/// Prints the journal of a region in which something was found.
struct Journal(PathBuf);

impl Drop for Journal {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let text = std::fs::read_to_string(&self.0).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            eprintln!("{}", lines[lines.len().saturating_sub(30)..].join("\n"));
        }
    }
}

impl City {
    /// Regions until `left`, which all cities share, are no more.
    pub(crate) fn run(mut self, left: &AtomicU64) -> Figures {
        let _end = EndAll(left);
        let mut url = None;
        while left.load(Ordering::Relaxed) > 0 {
            if self.figures.regions.is_multiple_of(SHARED) {
                let begun = Instant::now();
                url = self.server.as_ref().map(Server::databases);
                self.figures.spent("new databases", begun);
            }
            self.figures.regions += 1;
            let dir = tempfile::tempdir_in(folder()).unwrap();
            let site = Site {
                data: dir.path().join("region"),
                region: format!("kr-{}", self.figures.regions),
                store: url.clone(),
            };
            self.region(&site, dir.path(), left);
        }
        self.figures
    }

    fn region(&mut self, site: &Site, dir: &Path, left: &AtomicU64) {
        let (backups, journal) = (dir.join("backups"), Journal(dir.join("journal")));
        let (mut entries, mut acknowledged) = (0, BTreeMap::new());
        for life in 1..=REGION_CYCLES {
            let take = |it: u64| it.checked_sub(1);
            let Ok(before) = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take) else {
                break;
            };
            let is_last = life == REGION_CYCLES || before == 1;
            let at = format!("{}, region {}, life {life}", self.name, self.figures.regions);
            let (mut heard, killed, fault) = self.life(site, before, &backups, &journal.0);
            acknowledged.append(&mut heard.acknowledged);
            let house = open(killed, || site.open());
            drop(Trial::begin(&house, None).unwrap());
            self.figures.recovered(fault, killed.elapsed());
            self.figures.spent("restart", killed);
            let begun = Instant::now();
            let now = house.app.store.size();
            assert!(entries < now, "{at}: the log has become shorter");
            entries = now;
            all_there(&house, &acknowledged, &at);
            let wraps = house.app.store.wraps().unwrap();
            let is_open = |it: &store::wrap::Wrap| it.over_at.is_none();
            let unfinished = wraps.iter().filter(|it| is_open(it)).count() > 2;
            self.figures.unfinished += u64::from(unfinished);
            self.figures.spent("comparing", begun);
            if is_last {
                let begun = Instant::now();
                self.figures.restored += u64::from(restores(&house, &backups, &at));
                self.figures.spent("restoring", begun);
                finish_rotations(&house);
                house.app.store.close();
                drop(house);
                let begun = Instant::now();
                self.figures.destroyed += destroy_over(site);
                self.figures.spent("ends of keys", begun);
            } else {
                house.app.store.close();
            }
            let begun = Instant::now();
            let report = app::house::audit(&site.config(), |_, _| {}).unwrap();
            assert_eq!((report.wrong, report.entries >= entries), (vec![], true), "{at}");
            entries = report.entries;
            self.figures.spent("audit", begun);
            self.figures.cycles += 1;
            if is_last {
                break;
            }
        }
        self.figures.acknowledged += acknowledged.len();
        self.figures.entries += entries;
    }

    /// One life of the service, to its end: what it said, when it was killed, and while what.
    ///
    /// Its `number` says what it begins with, each kind of work in turn. In every third round it is killed
    /// only once that has come to its end: so all kinds do, however slow the machine. (A kill in the
    /// middle comes by chance.)
    fn life(
        &mut self,
        site: &Site,
        number: u64,
        backups: &Path,
        journal: &Path,
    ) -> (Heard, Instant, &'static str) {
        let begun = Instant::now();
        let kinds = u64::try_from(Work::ALL.len()).unwrap();
        let first = Work::ALL[usize::try_from(number % kinds).unwrap()];
        let finishes = (number / kinds).is_multiple_of(3);
        let mut life = Life::begin(site, first, backups, journal);
        let kind = self.moments.below(8) + if finishes { 8 } else { 0 };
        let mut fault = "killed at work";
        if kind < 2 {
            let within = u64::try_from(self.start.as_micros()).unwrap().max(1);
            life.works(Duration::from_micros(self.moments.below(within)));
            fault = "killed while it starts";
            self.figures.spent("start", begun);
        } else {
            life.begins();
            self.start = begun.elapsed();
            self.figures.spent("start", begun);
            let begun = Instant::now();
            if finishes {
                life.does(first);
            } else {
                life.accepts();
            }
            life.works(Duration::from_millis(self.moments.below(100)));
            self.figures.spent("work", begun);
            self.harm_server(kind, &mut life);
        }
        let killed = Instant::now();
        let heard = life.kill();
        self.figures.spent("kill", killed);
        self.figures.heard(&heard);
        (heard, killed, fault)
    }

    /// Crashes the server, or ends its sessions, under a service that goes on by itself.
    fn harm_server(&mut self, kind: u64, life: &mut Life) {
        let Some(server) = &mut self.server else { return };
        let begun = Instant::now();
        let fault = match kind {
            2 => {
                server.crash();
                server.start();
                "server crashed"
            }
            3 => {
                let sql = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity \
                     WHERE datname LIKE 'city%' AND pid <> pg_backend_pid()";
                server.psql("postgres", &[sql]);
                "sessions ended"
            }
            _ => return,
        };
        if let Some(time) = life.first_after(Instant::now()) {
            self.figures.recovered(fault, time);
            life.works(Duration::from_millis(self.moments.below(20)));
        }
        self.figures.spent("faults", begun);
    }
}

/// Opens the region as the next start would. A server notices a moment later than we that a process
/// is gone; until then it holds the region for it. A folder's lock may be held for a moment by a process that
/// another city is starting: between its fork and its program it has what this one had open.
fn open(since: Instant, open: impl Fn() -> anyhow::Result<House>) -> House {
    loop {
        match open() {
            Ok(house) => return house,
            Err(error) => {
                let held = format!("{error:#}").contains("another haetae process");
                assert!(held && since.elapsed() < PATIENCE, "{error:#}");
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

/// Brings the changes of wrapping keys to their end that kills have cut, as a service does that starts.
fn finish_rotations(house: &House) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(house.app.store.finish_rotation(|| true)).unwrap();
}

/// Destroys the wrapping keys that are over, as a service does an hour later; how many. That nothing
/// needs them any more is the audit's to say.
fn destroy_over(site: &Site) -> usize {
    let later = SystemClock.now().plus_seconds(store::wrap::OVER_S + 1);
    let house = open(Instant::now(), || site.open_on(Arc::new(ManualClock::at(later))));
    let destroyed = house.app.store.destroy_over(&house.app.keyring).unwrap();
    house.app.store.close();
    destroyed.len()
}
