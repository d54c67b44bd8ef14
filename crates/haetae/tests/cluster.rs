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

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use app::{Config, House};
use kernel::{Date, Id, Locale, Seed, SystemClock};
use person::Registration;
use serde_json::Value;
use store::{By, Context};
use web::Who;
use web::testing::Browser;

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
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let cookies = (0..citizens).map(|number| runtime.block_on(sign_in(&house, number)));
        region.cookies = cookies.collect();
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
        let house = self.open();
        let sql = "SELECT COUNT(*) FROM event WHERE region = $1 AND kind = 'code.declared.v1'";
        let store = house.app.store.clone();
        let rows = store.read_blocking(|reader| reader.query(sql, &[])).unwrap();
        store.close();
        drop(house);
        assert_eq!(app::house::audit(&self.config, |_, _| {}).unwrap().wrong, []);
        usize::try_from(rows[0].int(0).unwrap()).unwrap()
    }
}

async fn sign_in(house: &House, number: u32) -> String {
    let person = Id::random(house.app.seed());
    let it = Registration {
        name: format!("시민 {number}"),
        birth_date: Date::from_calendar(1980, 5, 5).unwrap(),
        locale: Locale::Ko,
        today: house.app.config.zone.date(house.app.now()),
    };
    let (context, phone) =
        (Context::by(By::Citizen(person)), format!("+8210{:08}", 5_000 + number));
    let work = move |tx: &mut store::Tx<'_>| person::register(tx, &context, person, &it, &phone);
    house.app.store.write(work).await.unwrap().unwrap();
    let browser = Browser::signed_in(&house.app, house.router(), Who::Citizen(person)).await;
    browser.cookie("__Host-haetae").unwrap().to_owned()
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
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// What it says of itself to the operator; `None` when it does not answer.
    fn says(&self) -> Option<Value> {
        let (_, body) =
            Line::open(&self.ops)?.ask("GET /ready HTTP/1.1\r\nHost: ops\r\n\r\n").ok()?;
        serde_json::from_slice(&body).ok()
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

/// A connection that is kept alive.
struct Line(BufReader<TcpStream>);

impl Line {
    fn open(address: &str) -> Option<Self> {
        let stream = TcpStream::connect(address).ok()?;
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        Some(Self(BufReader::new(stream)))
    }

    /// One whole answer: its head and its body; anything else is an error.
    fn ask(&mut self, request: &str) -> std::io::Result<(Head, Vec<u8>)> {
        let broken = |what: &str| std::io::Error::other(what.to_owned());
        self.0.get_mut().write_all(request.as_bytes())?;
        let (mut line, mut headers) = (String::new(), BTreeMap::new());
        if self.0.read_line(&mut line)? == 0 {
            return Err(broken("no answer"));
        }
        let status = line.split(' ').nth(1).and_then(|it| it.parse().ok());
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.insert(name.to_ascii_lowercase(), value.to_owned());
        }
        let length = headers.get("content-length").and_then(|it| it.parse().ok());
        let mut body = vec![0; length.ok_or_else(|| broken("no length"))?];
        self.0.read_exact(&mut body)?;
        let last = headers.get("connection").is_some_and(|it| it == "close");
        Ok((Head { status: status.ok_or_else(|| broken("no status"))?, last }, body))
    }
}

#[derive(Debug, Clone, Copy)]
struct Head {
    status: u16,
    /// The server said that it was the last one on its connection.
    last: bool,
}

/// A declaration; with a key it can be sent again and counts once.
fn declare(cookie: &str, client: u32, key: Option<&str>) -> String {
    let body = include_str!("declaration.json");
    let key = key.map_or_else(String::new, |it| format!("Idempotency-Key: {it}\r\n"));
    format!(
        "POST /api/v1/code/declarations HTTP/1.1\r\nHost: localhost:8080\r\nAccept: \
         application/json\r\nContent-Type: application/json\r\nCookie: __Host-haetae={cookie}\r\n\
         X-Forwarded-For: 192.0.2.{client}\r\n{key}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn look(path: &str, cookie: &str, client: u32) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost:8080\r\nAccept: application/json\r\nCookie: \
         __Host-haetae={cookie}\r\nX-Forwarded-For: 198.51.100.{client}\r\n\r\n"
    )
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
                Ok((head, body)) => {
                    let wanted = if is_write { 201 } else { 200 };
                    if head.status != wanted {
                        let body = String::from_utf8_lossy(&body).into_owned();
                        return Err(format!("status {}: {body}", head.status));
                    }
                    declared += usize::from(is_write);
                    answered.fetch_add(1, Ordering::Relaxed);
                    if head.last {
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
        let (head, first) = line.ask(&write).unwrap();
        assert_eq!(head.status, 201, "{}", String::from_utf8_lossy(&first));
        // The same id has the same effect, whoever is asked.
        let other = if process.public == one.public { &two } else { &one };
        let (head, again) = Line::open(&other.public).unwrap().ask(&write).unwrap();
        let head = (head.status, String::from_utf8_lossy(&again).into_owned());
        assert_eq!(head.1, String::from_utf8_lossy(&first), "{}", head.0);
        declared += 1;
        // Everybody sees it at once.
        for path in ["/log/checkpoint", "/api/v1/code", "/log"] {
            let answers = [&one, &two].map(|it| {
                let mut line = Line::open(&it.public).unwrap();
                let (head, body) = line.ask(&look(path, cookie, 1)).unwrap();
                (head.status, String::from_utf8_lossy(&body).into_owned())
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
    let (head, _) = line.ask(&look("/log", cookie, 1)).unwrap();
    assert_eq!(head.status, 403);
    let said = look("/log", cookie, 1).replace(
        "\r\n\r\n",
        &format!("\r\nX-Haetae-Forwarded: 1 192.0.2.1 {}\r\n\r\n", "0".repeat(64)),
    );
    let (head, _) = Line::open(&one.members).unwrap().ask(&said).unwrap();
    assert_eq!(head.status, 403, "a tag that is not ours");
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
                            Some(Ok((head, _))) if head.status == 201 || head.status == 200 => true,
                            Some(Ok((head, body))) => {
                                let body = String::from_utf8_lossy(&body);
                                let moves = match head.status {
                                    503 => "web-moving",
                                    _ => "web-unanswered",
                                };
                                assert!(body.contains(moves), "{}: {body}", head.status);
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
