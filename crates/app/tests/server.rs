//! PostgreSQL in trouble, for real: its disk full, its journal's disk full, read-only, gone and back.
//! Where no file system can be mounted (not root), those tests are skipped, loudly.

#![allow(clippy::print_stderr, reason = "what is skipped is said, and what was tried")]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use app::Config;
use http::StatusCode;
use testdb::Server;

use crate::city::City;
use crate::disk::{Citizen, Disk, audit, enter, reads_go_on, ready, run, text};

/// A small file system in memory.
struct Memory(PathBuf);

impl Memory {
    fn try_new(folder: PathBuf, mib: u32) -> Option<Self> {
        std::fs::create_dir(&folder).unwrap();
        let size = format!("size={mib}m,mode=0700");
        if run("mount", &["-t", "tmpfs", "-o", &size, "tmpfs", text(&folder)]).is_none() {
            eprintln!("SKIPPED: no file system can be mounted here (root needed)");
            return None;
        }
        Some(Self(folder))
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        let _ = run("umount", &["--lazy", text(&self.0)]);
    }
}

/// A server whose files or whose journal lie on a small disk.
struct Cramped {
    server: Server,
    disk: Memory,
    // Removed last.
    _dir: tempfile::TempDir,
}

impl Cramped {
    fn try_new(mib: u32, is_journal: bool) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        // The server's user has to come through.
        std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let disk = Memory::try_new(dir.path().join("small"), mib)?;
        let large = dir.path().join("large");
        std::fs::create_dir(&large).unwrap();
        std::fs::set_permissions(&large, PermissionsExt::from_mode(0o700)).unwrap();
        let small = disk.0.as_path();
        let (data, journal) = if is_journal { (&*large, small) } else { (small, &*large) };
        let server = Server::at(data, journal)?;
        Some(Self { server, disk, _dir: dir })
    }

    fn city(&self) -> City {
        city_on(&self.server)
    }

    /// Leaves no room; give the path back to make some.
    fn fill(&self) -> PathBuf {
        Disk::fill(&self.disk.0, 0)
    }
}

fn city_on(server: &Server) -> City {
    let (dir, url) = (tempfile::tempdir().unwrap(), server.databases());
    City::within(dir, |config| Config { behind_proxy: true, store: Some(url), ..config })
}

fn make_room(ballast: &Path) {
    std::fs::remove_file(ballast).unwrap();
}

/// Declares until it is accepted again: how often it was not.
async fn until_accepted(citizen: &mut Citizen) -> u32 {
    for refused in 0..100_000 {
        let answer = citizen.declare().await;
        if answer.status == StatusCode::CREATED {
            return refused;
        }
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.text);
    }
    panic!("it never recovered");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_servers_full_disk_refuses_writes_at_once_and_recovers_by_itself() {
    let Some(cramped) = Cramped::try_new(96, false) else { return };
    let city = cramped.city();
    let mut citizen = Citizen::of(&city, 1).await;
    let (mut command, mut entered) = (0, Vec::new());
    for cycle in 0..6 {
        assert_eq!(citizen.declare().await.status, StatusCode::CREATED, "cycle {cycle}");
        let ballast = cramped.fill();
        loop {
            command += 1;
            if !enter(&city, command).await {
                break;
            }
            entered.push(command);
        }
        assert_eq!(citizen.until_told(&city).await, ["writes-refused"]);
        reads_go_on(&city, &mut citizen).await;
        make_room(&ballast);
        until_accepted(&mut citizen).await;
        assert_eq!(ready(&city).await, (200, Vec::new()));
    }
    citizen.check().await;
    let count = "SELECT COUNT(*) FROM command WHERE region = $1 AND command = $2";
    for command in 1..=command {
        let ask = move |it: &mut store::Reader<'_>| {
            it.query(count, store::values![command.to_be_bytes()])
        };
        let found = city.house.app.read(ask).await.unwrap()[0].int(0).unwrap() == 1;
        assert_eq!(found, entered.contains(&command), "{command}");
    }
    audit(&city.house.config);
    eprintln!("{} declarations, {} batches outlived 6 full disks", citizen.declared, entered.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_of_the_journal_ends_the_server_and_loses_nothing() {
    let Some(mut cramped) = Cramped::try_new(48, true) else { return };
    let city = cramped.city();
    let mut citizen = Citizen::of(&city, 2).await;
    let mut command = 0;
    for cycle in 0..3 {
        assert_eq!(citizen.declare().await.status, StatusCode::CREATED, "cycle {cycle}");
        let ballast = cramped.fill();
        // The server panics when it cannot write its journal, and comes back when it can.
        while enter(&city, command).await {
            command += 1;
        }
        let refused = citizen.until_refused().await;
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{}", refused.text);
        let (status, reasons) = ready(&city).await;
        assert!(status == 503 && reasons.contains(&"writes-refused".to_owned()), "{reasons:?}");
        make_room(&ballast);
        cramped.server.start();
        until_accepted(&mut citizen).await;
        assert_eq!(ready(&city).await, (200, Vec::new()));
        assert!(!city.house.app.store.is_stopped());
    }
    citizen.check().await;
    audit(&city.house.config);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_told_to_be_read_only_is_read_on_and_refuses_writes() {
    let Some(server) = Server::of_its_own() else { return };
    let city = city_on(&server);
    let mut citizen = Citizen::of(&city, 3).await;
    assert_eq!(citizen.declare().await.status, StatusCode::CREATED);
    let reload = "SELECT pg_reload_conf()";
    server.psql("postgres", &["ALTER SYSTEM SET default_transaction_read_only = on", reload]);
    assert_eq!(citizen.until_told(&city).await, ["writes-refused"]);
    reads_go_on(&city, &mut citizen).await;
    let writable = "SET default_transaction_read_only = off";
    let again = "ALTER SYSTEM RESET default_transaction_read_only";
    server.psql("postgres", &[writable, again, reload]);
    until_accepted(&mut citizen).await;
    assert_eq!(ready(&city).await, (200, Vec::new()));
    citizen.check().await;
    audit(&city.house.config);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_and_comes_back_is_waited_for_and_nothing_is_lost() {
    let Some(mut server) = Server::of_its_own() else { return };
    let city = city_on(&server);
    let mut citizen = Citizen::of(&city, 4).await;
    for (cycle, crashes) in [false, true, false, true].into_iter().enumerate() {
        assert_eq!(citizen.declare().await.status, StatusCode::CREATED, "cycle {cycle}");
        if crashes {
            server.crash();
        } else {
            server.stop();
        }
        // Who is signed in is read first.
        let refused = citizen.declare().await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (503, "web-not-ready"));
        let written = city.house.app.store.write(|tx| tx.send("sms", &().into(), tx.now())).await;
        let Err(store::Error::Fault(fault)) = written else { panic!("{written:?}") };
        assert!(fault.is_paused(), "{fault}");
        let (status, reasons) = ready(&city).await;
        let told = ["writes-refused", "store-unreadable"].map(str::to_owned);
        assert_eq!((status, reasons), (503, told.to_vec()));
        assert!(!city.house.app.store.is_stopped());
        server.start();
        until_accepted(&mut citizen).await;
        assert_eq!(ready(&city).await, (200, Vec::new()));
        citizen.check().await;
    }
    audit(&city.house.config);
}
