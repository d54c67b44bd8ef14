//! Several real `haetae serve` processes on one region: who answers what, and what happens to answers
//! when the one that writes is stopped, killed or stands still.

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
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use app::{Config, House};
use kernel::{Seed, SystemClock};
use serde_json::Value;

use serving::{Line, declare, declared, look, sign_in, signal};

const REGION: &str = "kr-bench";
/// Longer than any step below takes on a slow machine; reached, it fails the test.
const PATIENCE: Duration = Duration::from_mins(2);

/// A region on a server, with citizens who are signed in.
struct Region {
    dir: tempfile::TempDir,
    config: Config,
    cookies: Vec<String>,
}

impl Region {
    /// `None` where PostgreSQL is not installed.
    fn new(citizens: u32) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let config = Config {
            origin: "http://localhost:8080".to_owned(),
            region: REGION.to_owned(),
            store: Some(testdb::databases()?),
            data: dir.path().join("own"),
            keys: Some(dir.path().join("keys")),
            behind_proxy: true,
            ..Config::default()
        };
        let mut region = Self { dir, config, cookies: Vec::new() };
        let house = region.open();
        region.cookies = sign_in(&house, citizens);
        house.app.store.close();
        Some(region)
    }

    /// In this process, alone.
    fn open(&self) -> House {
        House::open(self.config.clone(), Arc::new(SystemClock), Seed::fixed(7)).unwrap()
    }

    fn serve(&self, name: &str) -> Process {
        let own = self.dir.path().join(name);
        std::fs::create_dir(&own).unwrap();
        let text = format!(
            "origin = 'http://localhost:8080'\nregion = '{REGION}'\nbehind_proxy = true\n\
             listen = '127.0.0.1:0'\nops_listen = '127.0.0.1:0'\nforward_listen = '127.0.0.1:0'\n\
             disk_full_mib = 1\nstore = '{}'\ndata = '{}'\nkeys = '{}'\n",
            self.config.store.as_ref().unwrap(),
            own.display(),
            self.dir.path().join("keys").display(),
        );
        let file = own.join("haetae.toml");
        std::fs::write(&file, text).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_haetae"))
            .args(["serve", "--config"])
            .arg(file)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut found = |start: &str| {
            lines.find_map(|it| it.unwrap().strip_prefix(start).map(str::to_owned)).unwrap()
        };
        let public = found(&format!("serving {REGION} on "));
        let ops = found("metrics and reasons on ");
        let members = found("what other processes pass on is taken on ");
        // Whoever prints must be able to go on printing.
        std::thread::spawn(move || lines.for_each(drop));
        Process { child, public, ops, members }
    }

    /// Declarations on the log, of which the audit says that it is whole.
    fn declared(&self) -> usize {
        let count = declared(&self.open());
        assert_eq!(app::house::audit(&self.config, |_, _| {}).unwrap().wrong, []);
        count
    }
}

struct Process {
    child: Child,
    public: String,
    ops: String,
    members: String,
}

impl Process {
    /// Sends a signal by name, as an operator would.
    fn signal(&self, name: &str) {
        signal(&self.child, name);
    }

    /// What it says of itself to the operator; `None` when it does not answer.
    fn says(&self) -> Option<Value> {
        let asked = Line::open(&self.ops)?.ask("GET /ready HTTP/1.1\r\nHost: ops\r\n\r\n");
        serde_json::from_slice(&asked.ok()?.body).ok()
    }

    fn is_writer(&self) -> bool {
        self.says().is_some_and(|it| it["role"] == "writer")
    }

    fn follows(&self, other: &Self) -> bool {
        let url = format!("http://{}", other.members);
        self.says().is_some_and(|it| it["writer"] == url.as_str())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn until(what: &str, mut is: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        std::thread::yield_now();
    }
}

/// Ends the clients when it is dropped.
struct EndAll<'a>(&'a AtomicBool);

impl Drop for EndAll<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Asks one process without a pause, over kept connections, until it listens no more or `stop` is set.
/// Gives what was declared and acknowledged. Any other answer, and any request without one, is an
/// error.
fn ask_on(
    address: &str,
    cookie: &str,
    client: u32,
    answered: &AtomicU32,
    stop: &AtomicBool,
) -> Result<usize, String> {
    let (write, read) = (declare(cookie, client, None), look("/log", cookie, client));
    let mut declared = 0;
    while let Some(mut line) = Line::open(address) {
        for number in 0_u32.. {
            if stop.load(Ordering::Relaxed) {
                return Ok(declared);
            }
            let is_write = (number + client).is_multiple_of(3);
            match line.ask(if is_write { &write } else { &read }) {
                Ok(it) => {
                    let wanted = if is_write { 201 } else { 200 };
                    if it.status != wanted {
                        return Err(format!("status {}: {}", it.status, it.text()));
                    }
                    declared += usize::from(is_write);
                    answered.fetch_add(1, Ordering::Relaxed);
                    if it.last {
                        break;
                    }
                }
                // Not yet accepted when the listener closed: the first request on its connection.
                Err(_) if number == 0 && TcpStream::connect(address).is_err() => {
                    return Ok(declared);
                }
                Err(error) => return Err(format!("request {number} of a connection: {error}")),
            }
        }
    }
    Ok(declared)
}

#[test]
fn two_processes_give_the_same_answers_to_reads_and_writes() {
    let Some(region) = Region::new(2) else { return };
    let one = region.serve("one");
    let two = region.serve("two");
    until("two follows one", || one.is_writer() && two.follows(&one));
    let (cookie, mut declared) = (&region.cookies[0], 0);
    for process in [&two, &one, &two] {
        let mut line = Line::open(&process.public).unwrap();
        let key = format!("key-{declared}");
        let write = declare(cookie, 1, Some(&key));
        let first = line.ask(&write).unwrap();
        assert_eq!(first.status, 201, "{}", first.text());
        // The same id has the same effect, whoever is asked.
        let other = if process.public == one.public { &two } else { &one };
        let again = Line::open(&other.public).unwrap().ask(&write).unwrap();
        assert_eq!(again.text(), first.text(), "{}", again.status);
        declared += 1;
        // Everybody sees it at once.
        for path in ["/log/checkpoint", "/api/v1/code", "/log"] {
            let answers = [&one, &two].map(|it| {
                let mut line = Line::open(&it.public).unwrap();
                let it = line.ask(&look(path, cookie, 1)).unwrap();
                (it.status, it.text())
            });
            if path != "/log" {
                // A page holds a form token of its own.
                assert_eq!(answers[0], answers[1], "{path}");
            }
            assert!(answers.iter().all(|it| it.0 == answers[0].0), "{path}");
        }
    }
    // Nobody but a member speaks for clients.
    let mut line = Line::open(&one.members).unwrap();
    assert_eq!(line.ask(&look("/log", cookie, 1)).unwrap().status, 403);
    let said = look("/log", cookie, 1).replace(
        "\r\n\r\n",
        &format!("\r\nX-Haetae-Forwarded: 1 192.0.2.1 {}\r\n\r\n", "0".repeat(64)),
    );
    let answer = Line::open(&one.members).unwrap().ask(&said).unwrap();
    assert_eq!(answer.status, 403, "a tag that is not ours");
    // Moved by hand, there and back.
    one.signal("USR1");
    until("two writes", || two.is_writer() && one.follows(&two));
    two.signal("USR1");
    until("one writes", || one.is_writer() && two.follows(&one));
    drop((one, two));
    assert_eq!(region.declared(), declared);
}

#[test]
fn a_region_of_four_outlives_its_writers() {
    let Some(region) = Region::new(8) else { return };
    let mut processes = vec![region.serve("one")];
    for name in ["two", "three", "four"] {
        processes.push(region.serve(name));
    }
    until("all follow one", || processes[1..].iter().all(|it| it.follows(&processes[0])));

    // Stopped in order under load: no request fails, neither its own nor those that others pass on.
    let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
    let clients: Vec<_> = (0..8_u32)
        .zip(&region.cookies)
        .map(|(client, cookie)| {
            let address = processes[usize::try_from(client % 4).unwrap()].public.clone();
            let (cookie, stop, answered) =
                (cookie.clone(), Arc::clone(&stop), Arc::clone(&answered));
            std::thread::spawn(move || ask_on(&address, &cookie, client, &answered, &stop))
        })
        .collect();
    let load = |count: u32| {
        let from = answered.load(Ordering::Relaxed);
        until("they are answered", || answered.load(Ordering::Relaxed) >= from + count);
    };
    load(100);
    let mut first = processes.remove(0);
    first.signal("TERM");
    assert_eq!(first.child.wait().unwrap().code(), Some(0));
    until("another writes", || processes.iter().any(Process::is_writer));
    load(100);
    stop.store(true, Ordering::Relaxed);
    let failed: Vec<_> = clients.into_iter().map(|it| it.join().unwrap()).collect();
    let mut declared = 0;
    for it in failed {
        declared += it.expect("no request fails");
    }

    // Killed under load: what has a key gets its one true answer from whoever takes over.
    let (stop, answered) = (AtomicBool::new(false), AtomicU32::new(0));
    let (acknowledged, refused) = (AtomicU32::new(0), AtomicU32::new(0));
    let addresses: Vec<String> = processes.iter().map(|it| it.public.clone()).collect();
    std::thread::scope(|scope| {
        for (client, cookie) in (0..8_u32).zip(&region.cookies) {
            let (addresses, stop, answered) = (&addresses, &stop, &answered);
            let (acknowledged, refused) = (&acknowledged, &refused);
            scope.spawn(move || {
                for number in 0_u32.. {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let write = declare(cookie, client, Some(&format!("{client}-{number}")));
                    // Again, at the next one, until it is acknowledged.
                    let mut turns = addresses.iter().cycle().skip(usize::try_from(client).unwrap());
                    until("it is acknowledged", || {
                        let asked = Line::open(turns.next().unwrap()).map(|mut it| it.ask(&write));
                        match asked {
                            Some(Ok(it)) if it.status == 201 || it.status == 200 => true,
                            Some(Ok(it)) => {
                                let moves = match it.status {
                                    503 => "web-moving",
                                    _ => "web-unanswered",
                                };
                                assert!(it.text().contains(moves), "{}: {}", it.status, it.text());
                                refused.fetch_add(1, Ordering::Relaxed);
                                false
                            }
                            // It was asked when it was killed, or is no more.
                            Some(Err(_)) | None => false,
                        }
                    });
                    acknowledged.fetch_add(1, Ordering::Relaxed);
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        // A step that fails ends the clients too.
        let _end = EndAll(&stop);
        let load = |count: u32| {
            let from = answered.load(Ordering::Relaxed);
            until("they are answered", || answered.load(Ordering::Relaxed) >= from + count);
        };
        load(50);
        let at = processes.iter().position(Process::is_writer).unwrap();
        let mut killed = processes.remove(at);
        let begun = Instant::now();
        killed.child.kill().unwrap();
        until("another writes", || processes.iter().any(Process::is_writer));
        eprintln!("a killed writer was replaced after {} ms", begun.elapsed().as_millis());
        load(50);

        // Stopped in the middle of its work for longer than its lease, then woken up.
        let paused = processes.remove(processes.iter().position(Process::is_writer).unwrap());
        paused.signal("STOP");
        let begun = Instant::now();
        until("the last one writes", || processes[0].is_writer());
        eprintln!("a paused writer was replaced after {} s", begun.elapsed().as_secs());
        paused.signal("CONT");
        until("it stands by", || paused.follows(&processes[0]));
        load(50);
        processes.push(paused);
    });
    declared += usize::try_from(acknowledged.load(Ordering::Relaxed)).unwrap();
    eprintln!("{declared} declared, {} asked again", refused.load(Ordering::Relaxed));
    drop(processes);
    assert_eq!(region.declared(), declared, "each acknowledged one once, and nothing else");
}

/// Follows the log at one process as a browser does, until `stop`: breaks off now and then, and connects
/// again with the last id that it had. Gives each entry as it came, and when.
fn follow(address: &str, from: u64, stop: &AtomicBool, seen: &Sender<(u64, Instant)>) {
    let mut last = None;
    while !stop.load(Ordering::Relaxed) {
        let ask = look(&format!("/log/live?after={from}"), "", 9)
            .replace("application/json", "text/event-stream");
        let again = last.map_or(String::new(), |it: u64| format!("\r\nLast-Event-ID: {it}"));
        let Some(line) = Line::open(address) else { return };
        let stream = line.stream(&ask.replace("\r\n\r\n", &format!("{again}\r\n\r\n")));
        let ids = stream.lines().map_while(Result::ok).filter_map(|line| {
            line.strip_prefix("id: ").map(|it| it.trim().parse::<u64>().unwrap())
        });
        for id in ids.take(7) {
            last = Some(id);
            let _ = seen.send((id, Instant::now()));
            if stop.load(Ordering::Relaxed) {
                return;
            }
        }
    }
}

#[test]
fn an_entry_written_at_one_process_shows_live_at_another_and_once_while_the_region_moves() {
    let Some(region) = Region::new(2) else { return };
    let one = region.serve("one");
    let two = region.serve("two");
    until("two follows one", || one.is_writer() && two.follows(&one));
    let size = || {
        let head = look("/api/v1/log/head", "", 1);
        let head = Line::open(&two.public).unwrap().ask(&head).unwrap();
        serde_json::from_slice::<Value>(&head.body).unwrap()["size"].as_u64().unwrap()
    };
    let (from, stop, cookie) = (size(), AtomicBool::new(false), &region.cookies[0]);
    let mut next_key = 0;
    let mut declare_at = |process: &Process| {
        next_key += 1;
        let write = declare(cookie, 1, Some(&format!("live-{next_key}")));
        until("it is acknowledged", || {
            let asked = Line::open(&process.public).unwrap().ask(&write).unwrap();
            assert!([200, 201, 503, 504].contains(&asked.status), "{}", asked.text());
            asked.status < 300
        });
    };
    std::thread::scope(|scope| {
        let _end = EndAll(&stop);
        let watched = [&one, &two].map(|process| {
            let (seen, entries) = channel();
            let (address, stop) = (&process.public, &stop);
            scope.spawn(move || follow(address, from, stop, &seen));
            entries
        });
        let mut next = [from; 2];
        // What came at both since the last time, up to the log's present end.
        let mut catch_up = || {
            let end = size();
            let mut latest = Instant::now();
            for (entries, next) in watched.iter().zip(&mut next) {
                while *next < end {
                    let (id, at) = entries.recv_timeout(PATIENCE).expect("every entry comes");
                    assert_eq!(id, *next, "in their order, none twice and none left out");
                    *next += 1;
                    latest = at;
                }
            }
            latest
        };
        let mut delays = Vec::new();
        for _ in 0..10 {
            declare_at(&one);
            let acknowledged = Instant::now();
            delays.push(catch_up().saturating_duration_since(acknowledged));
        }
        delays.sort_unstable();
        eprintln!(
            "an entry shows at the other process after {:.0?} (median), {:.0?} at worst",
            delays[5], delays[9]
        );
        assert!(delays[5] < Duration::from_secs(2), "{delays:?}");
        for (writer, other) in [(&one, &two), (&two, &one), (&one, &two)] {
            for _ in 0..3 {
                declare_at(other);
            }
            writer.signal("USR1");
            // While it moves, and after it has.
            for _ in 0..3 {
                declare_at(writer);
            }
            until("the other writes", || other.is_writer() && writer.follows(other));
            declare_at(writer);
            catch_up();
        }
        stop.store(true, Ordering::Relaxed);
        // So that those who wait for an entry see that it is over.
        declare_at(&one);
    });
    drop((one, two));
    assert_eq!(region.declared(), next_key);
}
