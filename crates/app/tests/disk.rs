//! A disk that is full, read-only or broken, for real: a small file system in a file that is mounted
//! for the test. Where none can be mounted (not root, no loop devices) the tests are skipped, loudly.

#![allow(clippy::print_stderr, reason = "what is skipped is said, and what was tried")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use app::Config;
use contracts::gate::{ENTERED, Entered, Verdict};
use http::StatusCode;
use kernel::Id;
use store::{By, Context, Observation};
use web::Who;
use web::testing::{Answer, Browser};

use crate::city::City;
use crate::journeys::{DECLARATIONS, healthy};

/// Runs a program as the system's administrator would; `None` when it fails.
pub(crate) fn run(program: &str, arguments: &[&str]) -> Option<String> {
    let done = Command::new(program).args(arguments).output().ok()?;
    done.status.success().then(|| String::from_utf8_lossy(&done.stdout).trim().to_owned())
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// An ext4 file system in a sparse file, which lies on a small file system in memory: when that is
/// full, the disk fails as a broken one does, with EIO.
pub(crate) struct Disk {
    dir: tempfile::TempDir,
    device: String,
}

impl Disk {
    /// `memory_mib` is what the sparse file can really take of its `disk_mib`.
    fn try_new(disk_mib: u32, memory_mib: u32) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let mut disk = Self { dir, device: String::new() };
        let [memory, mount, image] = [disk.memory(), disk.mount(), disk.memory().join("image")];
        for folder in [&memory, &mount] {
            std::fs::create_dir(folder).unwrap();
        }
        let size = format!("size={memory_mib}m");
        let made = run("mount", &["-t", "tmpfs", "-o", &size, "tmpfs", text(&memory)])
            .and_then(|_| run("truncate", &["-s", &format!("{disk_mib}M"), text(&image)]))
            .and_then(|_| run("mkfs.ext4", &["-q", "-m", "0", text(&image)]))
            .and_then(|_| run("losetup", &["--find", "--show", text(&image)]))
            .and_then(|device| {
                disk.device = device;
                disk.attach()
            });
        if made.is_none() {
            eprintln!("SKIPPED: no file system can be mounted here (root and loop devices needed)");
            return None;
        }
        Some(disk)
    }

    fn memory(&self) -> PathBuf {
        self.dir.path().join("memory")
    }

    fn mount(&self) -> PathBuf {
        self.dir.path().join("disk")
    }

    fn attach(&self) -> Option<String> {
        let options = ["-o", "errors=remount-ro,noatime", &self.device];
        run("mount", &[&options[..], &[text(&self.mount())]].concat())
    }

    fn city(&self, disk_full_mib: u64) -> City {
        let dir = tempfile::tempdir_in(self.mount()).unwrap();
        // The disk is this machine's, so the databases are too.
        let here = |config| Config { behind_proxy: true, disk_full_mib, store: None, ..config };
        City::within(dir, here)
    }

    /// Fills `folder` until only `leave` bytes can be written.
    pub(crate) fn fill(folder: &Path, leave: u64) -> PathBuf {
        let (ballast, cushion) = (folder.join("ballast"), folder.join("cushion"));
        std::fs::write(&cushion, vec![1; usize::try_from(leave).unwrap()]).unwrap();
        let mut file = std::fs::File::create(&ballast).unwrap();
        let mut block = 1 << 20;
        while block >= 512 {
            match std::io::Write::write_all(&mut file, &vec![1; block]) {
                Ok(()) => {}
                Err(_) => block /= 2,
            }
        }
        std::fs::remove_file(cushion).unwrap();
        ballast
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        for folder in [self.mount(), self.memory()] {
            let _ = run("umount", &["--lazy", text(&folder)]);
        }
        let _ = run("losetup", &["--detach", &self.device]);
    }
}

/// Somebody who declares, again and again; how often it was acknowledged.
pub(crate) struct Citizen {
    browser: Browser,
    pub(crate) declared: usize,
}

impl Citizen {
    pub(crate) async fn of(city: &City, number: u32) -> Self {
        let person = city.register(number).await;
        Self { browser: city.signed_in(Who::Citizen(person)).await, declared: 0 }
    }

    pub(crate) async fn declare(&mut self) -> Answer {
        let answer = self.browser.post_json(DECLARATIONS, &healthy("시민")).await;
        self.declared += usize::from(answer.status == StatusCode::CREATED);
        answer
    }

    /// Declares until it is refused; the refusal.
    pub(crate) async fn until_refused(&mut self) -> Answer {
        for _ in 0..20_000 {
            let answer = self.declare().await;
            if answer.status != StatusCode::CREATED {
                return answer;
            }
        }
        panic!("the disk never became full");
    }

    /// Declares until it is refused and the operator is told why. A smaller write, of the server's own
    /// say, may still find room after a larger one found none: then all is well for a moment.
    pub(crate) async fn until_told(&mut self, city: &City) -> Vec<String> {
        for _ in 0..1_000 {
            is_paused(&self.until_refused().await);
            if let (503, reasons) = ready(city).await {
                return reasons;
            }
        }
        panic!("the operator was never told");
    }

    /// What was acknowledged is there.
    pub(crate) async fn check(&mut self) {
        let all = self.browser.get_json(DECLARATIONS).await.json();
        assert_eq!(all.as_array().unwrap().len(), self.declared);
    }
}

pub(crate) fn is_paused(answer: &Answer) {
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (503, "web-paused"));
    assert_eq!(answer.header("retry-after"), "30");
}

/// Whether the operator is told that all is well, and the reasons why not.
pub(crate) async fn ready(city: &City) -> (u16, Vec<String>) {
    let app = &city.house.app;
    let mut ops = Browser::new(app, web::build_ops_router(app.clone()));
    for _ in 0..1_000 {
        let bare = Browser::new(app, city.house.router()).get("/ready").await.status;
        let answer = ops.get("/ready").await;
        // Both say the same, unless it changed between them.
        if bare == answer.status {
            let reasons = answer.json()["reasons"].as_array().unwrap().clone();
            let reasons = reasons.iter().map(|it| it.as_str().unwrap().to_owned()).collect();
            return (bare.as_u16(), reasons);
        }
    }
    panic!("the two never agree");
}

pub(crate) async fn reads_go_on(city: &City, citizen: &mut Citizen) {
    for path in ["/", "/log", "/code", "/account", "/help"] {
        assert_eq!(citizen.browser.get(path).await.status, StatusCode::OK, "{path}");
    }
    citizen.check().await;
    let gate = citizen.browser.get("/gate/scan").await;
    assert_eq!(gate.status, StatusCode::OK);
    assert!(!city.house.app.store.is_stopped());
}

/// Entries at a door: the other database, which is committed before the log.
pub(crate) async fn enter(city: &City, command: u128) -> bool {
    let now = city.house.app.now();
    let entered = Entered {
        place: Id::from_u128(7),
        device: Id::from_u128(8),
        n: 1,
        pass: Some(format!("{command:032x}")),
        at: now.seconds(),
        verdict: Verdict::Pass,
        reasons: Vec::new(),
        class: None,
        typed: false,
    };
    let payload = serde_json::to_vec(&entered).unwrap();
    let batch = vec![Observation { day: store::tx::utc_day(now), payload }; 300];
    let context = Context { by: By::System("test"), command: Some(command) };
    let written = city.house.app.store.write(move |tx| tx.observe(&context, ENTERED, &batch)).await;
    written.is_ok()
}

pub(crate) fn audit(config: &Config) {
    assert_eq!(app::house::audit(config, |_, _| {}).unwrap().wrong, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_writes_at_once_and_recovers_by_itself_wherever_it_was_full() {
    let Some(disk) = Disk::try_new(64, 80) else { return };
    let city = disk.city(0);
    let mut citizen = Citizen::of(&city, 1).await;
    let (mut entered, mut command) = (Vec::new(), 0);
    let mut recovered = Vec::new();
    // Room for none, one, some of the pages that a batch needs: the commit of each database in turn
    // is the one that finds none.
    for cycle in 0..24_u64 {
        let ballast = Disk::fill(&disk.mount(), cycle * 20 * 1024);
        for _ in 0..2_000 {
            command += 1;
            if !enter(&city, command).await {
                break;
            }
            entered.push(command);
        }
        let refused = citizen.until_refused().await;
        is_paused(&refused);
        assert!(!enter(&city, u128::MAX - u128::from(cycle)).await);
        if cycle == 0 {
            reads_go_on(&city, &mut citizen).await;
            let (status, reasons) = ready(&city).await;
            assert_eq!(status, 503);
            assert!(reasons.contains(&"writes-refused".to_owned()), "{reasons:?}");
            let page = citizen.browser.get("/problems/web-paused").await;
            assert_eq!(page.status, StatusCode::OK);
        }
        std::fs::remove_file(ballast).unwrap();
        let begun = Instant::now();
        assert_eq!(citizen.declare().await.status, StatusCode::CREATED, "cycle {cycle}");
        recovered.push(begun.elapsed());
    }
    assert_eq!(ready(&city).await, (200, Vec::new()));
    citizen.check().await;
    // Each batch that was acknowledged has its leaf, and each that was refused has none.
    let count = "SELECT COUNT(*) FROM command WHERE region = $1 AND command = $2";
    let app = &city.house.app;
    for command in 1..=command {
        let found =
            app.read(move |it| it.query(count, store::values![command.to_be_bytes()])).await;
        let found = found.unwrap()[0].int(0).unwrap() == 1;
        assert_eq!(found, entered.contains(&command), "{command}");
    }
    audit(&city.house.config);
    // A new start finds nothing to mend.
    let (config, declared) = (city.house.config.clone(), citizen.declared);
    app.store.close();
    audit(&config);
    recovered.sort();
    eprintln!(
        "{declared} declarations and {} batches outlived {} full disks; until a write was accepted \
         again: best {:.1?}, median {:.1?}, worst {:.1?}",
        entered.len(),
        recovered.len(),
        recovered[0],
        recovered[recovered.len() / 2],
        recovered[recovered.len() - 1],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_of_the_disk_is_kept_free_and_the_operator_is_told() {
    let Some(disk) = Disk::try_new(64, 80) else { return };
    let city = disk.city(12);
    let mut citizen = Citizen::of(&city, 2).await;
    assert_eq!(citizen.declare().await.status, StatusCode::CREATED);
    let ballast = Disk::fill(&disk.mount(), 8 << 20);
    is_paused(&citizen.declare().await);
    reads_go_on(&city, &mut citizen).await;
    let (status, mut reasons) = ready(&city).await;
    reasons.sort_unstable();
    assert_eq!((status, reasons), (503, vec!["disk-full".to_owned(), "writes-refused".to_owned()]));
    std::fs::remove_file(ballast).unwrap();
    assert_eq!(citizen.declare().await.status, StatusCode::CREATED);
    assert_eq!(ready(&city).await, (200, Vec::new()));
    citizen.check().await;
    audit(&city.house.config);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_turned_read_only_is_read_on_and_refuses_writes() {
    let Some(disk) = Disk::try_new(64, 80) else { return };
    let city = disk.city(0);
    let mut citizen = Citizen::of(&city, 3).await;
    assert_eq!(citizen.declare().await.status, StatusCode::CREATED);
    // A bind mount of the same folder cannot do it: the files are open already. This is what ext4
    // does by itself after an error (`errors=remount-ro`).
    let name = disk.device.rsplit('/').next().unwrap();
    let switch = format!("/sys/fs/ext4/{name}/trigger_fs_error");
    if std::fs::write(&switch, "a test").is_err() {
        eprintln!("SKIPPED: {switch} cannot be written");
        return;
    }
    let refused = citizen.declare().await;
    is_paused(&refused);
    reads_go_on(&city, &mut citizen).await;
    assert_eq!(ready(&city).await, (503, vec!["writes-refused".to_owned()]));
    // The disk can be mended only when nobody holds it.
    let config = city.house.config.clone();
    city.house.app.store.close();
    let declared = citizen.declared;
    drop(citizen);
    let (house, dir) = city.into_parts();
    drop(house);
    run("umount", &[text(&disk.mount())]).expect("nothing holds the disk any more");
    let _ = run("fsck.ext4", &["-p", "-f", &disk.device]);
    disk.attach().expect("the disk is mended");
    audit(&config);
    assert_eq!(declared, 1);
    drop(dir);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_commit_of_unknown_outcome_nothing_is_acknowledged_and_the_service_ends() {
    let Some(disk) = Disk::try_new(256, 48) else { return };
    let city = disk.city(0);
    let mut citizen = Citizen::of(&city, 4).await;
    assert_eq!(citizen.declare().await.status, StatusCode::CREATED);
    let config = city.house.config.clone();
    let store = city.house.app.store.clone();
    let (house, dir) = city.into_parts();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut served = tokio::task::JoinSet::new();
    served.spawn(app::serve::serve(house, listener.into(), std::future::pending()));
    let ballast = Disk::fill(&disk.memory(), 0);
    let refused = citizen.until_refused().await;
    is_paused(&refused);
    assert!(store.is_stopped());
    for _ in 0..50 {
        assert_ne!(citizen.declare().await.status, StatusCode::CREATED, "nothing more");
    }
    let fault = served.join_next().await.unwrap().unwrap().unwrap_err();
    assert!(fault.to_string().contains("writing had stopped"), "{fault}");
    let declared = citizen.declared;
    drop((citizen, store));
    // The disk comes back; what was acknowledged is on it.
    std::fs::remove_file(ballast).unwrap();
    let _ = run("umount", &[text(&disk.mount())]);
    let _ = run("fsck.ext4", &["-p", "-f", &disk.device]);
    disk.attach().expect("the disk is mended");
    let seed = kernel::Seed::fixed(12);
    let clock = std::sync::Arc::new(kernel::SystemClock);
    let house = app::House::open(config.clone(), clock, seed).unwrap();
    let count = "SELECT COUNT(*) FROM event WHERE region = $1 AND kind = 'code.declared.v1'";
    let found = house.app.read(move |it| it.query(count, &[])).await.unwrap()[0].int(0).unwrap();
    let declared = i64::try_from(declared).unwrap();
    // The one whose outcome nobody knew may be there, and then is there whole.
    assert!(found == declared || found == declared + 1, "{found} of {declared}");
    house.app.store.close();
    drop(house);
    audit(&config);
    drop(dir);
    eprintln!(
        "{declared} acknowledged declarations outlived a disk that failed, {found} are there"
    );
}
