//! The real service as systemd runs it: readiness, watchdog, and stopping under load.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "in tests a panic is the message"
)]

mod serving;

use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use serving::{Line, declare, declared, look, sign_in, signal};

/// Connections that are kept alive and always in use.
const CLIENTS: u32 = 8;
/// Answers after which the service is told to stop.
const ANSWERS: usize = 600;

/// A region with citizens who are signed in, closed.
struct Region {
    dir: tempfile::TempDir,
    cookies: Vec<String>,
}

impl Region {
    fn new(citizens: u32) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("region");
        let house = sim::bench_house(&data).unwrap();
        let cookies = sign_in(&house, citizens);
        house.app.store.close();
        drop(house);
        let text = format!(
            "origin = 'http://localhost:8080'\nregion = 'kr-bench'\nlisten = '127.0.0.1:0'\n\
             behind_proxy = true\ndisk_full_mib = 1\ndata = '{0}'\nkeys = '{0}/keys'\n",
            data.display()
        );
        std::fs::write(dir.path().join("haetae.toml"), text).unwrap();
        Self { dir, cookies }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Serves, until stopped; gives the address once it listens.
    fn serve(&self) -> (Child, String, Receiver<String>) {
        let socket = UnixDatagram::bind(self.path("notify")).unwrap();
        let (sender, told) = channel();
        // Read at once, as systemd does: the socket holds few messages.
        std::thread::spawn(move || {
            let mut bytes = [0; 512];
            while let Ok(count) = socket.recv(&mut bytes) {
                let text = String::from_utf8_lossy(&bytes[..count]).trim().to_owned();
                if sender.send(text).is_err() {
                    return;
                }
            }
        });
        let mut child = Command::new(env!("CARGO_BIN_EXE_haetae"))
            .args(["serve", "--config"])
            .arg(self.path("haetae.toml"))
            .env("NOTIFY_SOCKET", self.path("notify"))
            .env("WATCHDOG_USEC", "300000")
            .env_remove("WATCHDOG_PID")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let found = lines.find_map(|line| {
            let line = line.unwrap();
            line.strip_prefix("serving kr-bench on ").map(str::to_owned)
        });
        // Whoever prints must be able to go on printing.
        std::thread::spawn(move || lines.for_each(drop));
        (child, found.unwrap(), told)
    }

    /// Declarations on the log.
    fn declared(&self) -> usize {
        declared(&sim::bench_house(&self.path("region")).unwrap())
    }
}

/// Asks without a pause until new connections are refused. Gives what was declared and
/// acknowledged; every request that a kept connection was used for must have a whole answer.
fn ask(address: &str, cookie: &str, client: u32, answered: &Sender<()>) -> Result<usize, String> {
    let (write, read) = (declare(cookie, client, None), look("/log", "", client));
    let mut declared = 0;
    while let Some(mut line) = Line::open(address) {
        for number in 0_u32.. {
            let is_write = (number + client).is_multiple_of(3);
            let Some(answer) = line.try_ask(if is_write { &write } else { &read })? else {
                // Not yet accepted when the listener closed: the first request on its connection.
                if number == 0 {
                    return Ok(declared);
                }
                return Err(format!("request {number} of a kept connection has no answer"));
            };
            let expected = if is_write { 201 } else { 200 };
            if answer.status != expected {
                return Err(format!("status {}", answer.status));
            }
            declared += usize::from(is_write);
            let _ = answered.send(());
            if answer.last {
                break;
            }
        }
    }
    Ok(declared)
}

/// The next message to systemd that is not a sign of life.
fn next(told: &Receiver<String>) -> (String, usize) {
    let mut signs = 0;
    loop {
        let text = told.recv_timeout(Duration::from_secs(30)).expect("systemd is told in time");
        if text != "WATCHDOG=1" {
            return (text, signs);
        }
        signs += 1;
    }
}

fn stops_under_load(name: &str, meanwhile: impl FnOnce(&Region)) {
    let region = Region::new(CLIENTS);
    let (mut child, address, told) = region.serve();
    assert_eq!(next(&told), ("READY=1".to_owned(), 0));
    let (sender, answered) = channel();
    let clients: Vec<_> = (0..CLIENTS)
        .zip(&region.cookies)
        .map(|(client, cookie)| {
            let (address, cookie, sender) = (address.clone(), cookie.clone(), sender.clone());
            std::thread::spawn(move || ask(&address, &cookie, client, &sender))
        })
        .collect();
    drop(sender);
    let before = answered.iter().take(ANSWERS).count();
    assert_eq!(before, ANSWERS, "the service answers");
    meanwhile(&region);
    signal(&child, name);
    let after = answered.iter().count();
    let declared: usize = clients.into_iter().map(|it| it.join().unwrap().unwrap()).sum();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{name}");
    let (text, signs) = next(&told);
    assert_eq!(text, "STOPPING=1");
    assert!(signs >= 1, "signs of life came in between");
    assert!(TcpStream::connect(&address).is_err(), "nobody listens");
    assert_eq!(
        region.declared(),
        declared,
        "what was acknowledged is on the log, and nothing else"
    );
    audit(&region.path("region"));
    eprintln!(
        "{name}: {before} answers before, {after} while stopping, {declared} declared, none failed"
    );
    assert!(after > 0, "it was under load while it stopped");
}

fn audit(data: &Path) {
    let house = sim::bench_house(data).unwrap();
    let config = house.config.clone();
    house.app.store.close();
    assert_eq!(app::house::audit(&config, |_, _| {}).unwrap().wrong, []);
}

#[test]
fn a_service_that_is_terminated_under_load_answers_every_request_that_it_took() {
    stops_under_load("TERM", |_| {});
}

#[test]
fn a_service_that_is_interrupted_under_load_answers_every_request_that_it_took() {
    stops_under_load("INT", |_| {});
}

/// Asks `haetae keys` in a process of its own; gives its JSON.
fn keys(region: &Region, arguments: &[&str]) -> serde_json::Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_haetae"));
    command.arg("keys").args(arguments).arg("--json");
    let done = command.arg("--config").arg(region.path("haetae.toml")).output().unwrap();
    let said = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_str(&said).unwrap()
}

fn state<'a>(listed: &'a serde_json::Value, name: &str) -> Option<&'a str> {
    let keys = listed["keys"].as_array().unwrap();
    keys.iter().find(|it| it["name"] == name)?["state"].as_str()
}

#[test]
fn wrapping_keys_change_under_load_and_no_request_fails() {
    stops_under_load("TERM", |region| {
        for name in ["identity-wrap", "visits-wrap"] {
            let said = keys(region, &["rotate", name]);
            assert_eq!(said["rotated"], format!("{name}-2"));
            let listed = keys(region, &["list"]);
            assert_eq!(state(&listed, name), Some("over"), "{listed}");
            assert_eq!(state(&listed, &format!("{name}-2")), Some("current"), "{listed}");
        }
    });
}

#[test]
fn a_service_killed_while_keys_change_goes_on_with_it_at_its_next_start() {
    let region = Region::new(CLIENTS);
    let (mut child, _, told) = region.serve();
    assert_eq!(next(&told).0, "READY=1");
    let mut asking = Command::new(env!("CARGO_BIN_EXE_haetae"));
    asking.args(["keys", "rotate", "identity-wrap", "--config"]).arg(region.path("haetae.toml"));
    let mut asking = asking.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // As soon as there is a new key file, and so before most of what follows.
    let made = region.path("region/keys/identity-wrap-2.key");
    while !made.exists() && asking.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    asking.wait().unwrap();
    assert!(made.exists());
    // The socket that it left is no obstacle: the command answers itself, and serves itself.
    let said = keys(&region, &["rotate", "identity-wrap"]);
    assert!(said["rotated"].as_str().unwrap() >= "identity-wrap-2", "{said}");
    let listed = keys(&region, &["list"]);
    assert_ne!(state(&listed, "identity-wrap"), Some("current"), "{listed}");
    audit(&region.path("region"));
}

#[test]
fn the_unit_in_the_documents_asks_for_what_the_program_does() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/haetae.service");
    let unit = std::fs::read_to_string(path).unwrap();
    for line in [
        "Type=notify",
        "NotifyAccess=main",
        "Restart=on-failure",
        "ProtectSystem=strict",
        "NoNewPrivileges=yes",
        "MemoryDenyWriteExecute=yes",
        "StateDirectory=haetae haetae-keys",
        "StartLimitIntervalSec=0",
    ] {
        assert!(unit.lines().any(|it| it == line), "{line}");
    }
    assert!(unit.contains("WatchdogSec="));
    let checked = Command::new("systemd-analyze").args(["verify", "--man=no", path]).output();
    let Ok(checked) = checked else {
        eprintln!("SKIPPED: there is no systemd-analyze here");
        return;
    };
    let said = String::from_utf8_lossy(&checked.stderr).into_owned();
    // The program is not installed where the test runs.
    let wrong: Vec<_> = said
        .lines()
        .filter(|it| it.contains("haetae.service") && !it.contains("is not executable"))
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}
