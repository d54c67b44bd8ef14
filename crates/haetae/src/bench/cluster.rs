//! `haetae bench cluster`: answers a second of one process and of four on one PostgreSQL database.
//!
//! Real processes, real sockets, a server of its own (Debian's package), clients on this machine: so what is
//! measured is one machine shared by all of them, and the ratio says what passing on costs and what
//! reading elsewhere gains where there are cores for it. Reads are a citizen's own page, writes are
//! declarations.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use app::{Config, House};
use kernel::SystemClock;

use super::{Figure, per_second};

const REGION: &str = "kr-bench";
/// Connections that are kept alive and always in use.
const CLIENTS: u32 = 16;
const ONE: &str = "one process";

pub(crate) fn run(quick: bool) -> anyhow::Result<Vec<Figure>> {
    let Some(url) = testdb::databases() else { bail!("there is no PostgreSQL here") };
    let span = if quick { Duration::from_millis(500) } else { Duration::from_secs(5) };
    let dir = tempfile::tempdir()?;
    let config = Config {
        origin: "http://localhost:8080".to_owned(),
        region: REGION.to_owned(),
        store: Some(url.clone()),
        data: dir.path().join("own"),
        keys: Some(dir.path().join("keys")),
        ..Config::default()
    };
    let house = House::open(config, Arc::new(SystemClock), crate::upkeep::seed()?)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let cookies = runtime.block_on(sim::cookies(&house, CLIENTS))?;
    house.app.store.close();
    drop(house);
    let mut measured = Vec::new();
    let mut processes = Vec::new();
    for count in [1, 4] {
        while processes.len() < count {
            processes.push(Process::start(dir.path(), processes.len(), &url)?);
        }
        measured.push((
            answers(&processes, &cookies, false, span)?,
            answers(&processes, &cookies, true, span)?,
        ));
    }
    let [(reads, writes), (reads_by_4, writes_by_4)] = measured.as_slice() else {
        bail!("two sizes were measured");
    };
    Ok(vec![
        Figure::alone("cluster.reads_1", *reads, "/s"),
        Figure::beside("cluster.reads_4", *reads_by_4, "/s", ONE, *reads),
        Figure::alone("cluster.writes_1", *writes, "/s"),
        Figure::beside("cluster.writes_4", *writes_by_4, "/s", ONE, *writes),
    ])
}

/// `haetae serve`, ended when dropped.
struct Process {
    child: Child,
    address: String,
}

impl Process {
    fn start(dir: &Path, number: usize, url: &str) -> anyhow::Result<Self> {
        let own = dir.join(number.to_string());
        std::fs::create_dir(&own)?;
        let text = format!(
            "origin = 'http://localhost:8080'\nregion = '{REGION}'\nbehind_proxy = true\n\
             listen = '127.0.0.1:0'\nforward_listen = '127.0.0.1:0'\ndisk_full_mib = 1\n\
             store = '{url}'\ndata = '{}'\nkeys = '{}'\n",
            own.display(),
            dir.join("keys").display(),
        );
        let file = own.join("haetae.toml");
        std::fs::write(&file, text)?;
        let mut child = Command::new(std::env::current_exe()?)
            .args(["serve", "--config"])
            .arg(file)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("it has an output")?).lines();
        let start = format!("serving {REGION} on ");
        let address = loop {
            let line = lines.next().context("a process ended")??;
            if let Some(address) = line.strip_prefix(&start) {
                break address.to_owned();
            }
        };
        // Whoever prints must be able to go on printing.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self { child, address })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Answers a second, the clients spread over the processes.
fn answers(
    processes: &[Process],
    cookies: &[String],
    writes: bool,
    span: Duration,
) -> anyhow::Result<f64> {
    let (count, client, begun) = (AtomicU64::new(0), AtomicU32::new(0), Instant::now());
    std::thread::scope(|scope| {
        let threads: Vec<_> = cookies
            .iter()
            .zip(processes.iter().cycle())
            .map(|(cookie, process)| {
                let (count, client) = (&count, &client);
                scope.spawn(move || {
                    let mut line = BufReader::new(TcpStream::connect(&process.address)?);
                    while begun.elapsed() < span {
                        // An address of its own: nobody is to meet the rate limits.
                        let number = client.fetch_add(1, Ordering::Relaxed);
                        ask(&mut line, &request(cookie, number, writes), writes)?;
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                    anyhow::Ok(())
                })
            })
            .collect();
        for thread in threads {
            thread.join().map_err(|_| anyhow::anyhow!("a client panicked"))??;
        }
        anyhow::Ok(())
    })?;
    Ok(per_second(count.load(Ordering::Relaxed), begun.elapsed()))
}

fn request(cookie: &str, number: u32, writes: bool) -> String {
    let [_, a, b, c] = number.to_be_bytes();
    let who = format!(
        "Host: localhost:8080\r\nAccept: application/json\r\nCookie: __Host-haetae={cookie}\r\n\
         X-Forwarded-For: 10.{a}.{b}.{c}\r\n"
    );
    if !writes {
        return format!("GET /api/v1/code HTTP/1.1\r\n{who}\r\n");
    }
    let body = sim::declaration(number);
    format!(
        "POST /api/v1/code/declarations HTTP/1.1\r\n{who}Content-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// One request and its whole answer.
fn ask(line: &mut BufReader<TcpStream>, request: &str, writes: bool) -> anyhow::Result<()> {
    line.get_mut().write_all(request.as_bytes())?;
    let (mut status, mut length) = (String::new(), 0_usize);
    line.read_line(&mut status)?;
    loop {
        let mut header = String::new();
        line.read_line(&mut header)?;
        let Some((name, value)) = header.trim_end().split_once(": ") else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse()?;
        }
    }
    let mut body = vec![0; length];
    line.read_exact(&mut body)?;
    // Who has not declared has no code: an answer as good as another.
    let fits = if writes { status.contains(" 201 ") } else { !status.contains(" 5") };
    if !fits {
        bail!("{}: {}", status.trim_end(), String::from_utf8_lossy(&body));
    }
    Ok(())
}
