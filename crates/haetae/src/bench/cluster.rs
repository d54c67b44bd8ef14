//! `haetae bench cluster`: answers a second of one process and of four on one PostgreSQL database.
//!
//! Real processes, real sockets, a server of its own (Debian's package), clients on this machine: so what is
//! measured is one machine shared by all of them, and the ratio says what passing on costs and what
//! reading elsewhere gains where there are cores for it. Reads are a citizen's own page, writes are
//! declarations.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::bail;
use app::{Config, House};
use kernel::SystemClock;

use super::process::{Line, Process};
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
    // Reads first: who has declared a thousand times is read more slowly.
    let mut processes = vec![start(dir.path(), 0, &url)?];
    let reads = answers(&processes, &cookies, false, span)?;
    for number in 1..4 {
        processes.push(start(dir.path(), number, &url)?);
    }
    let reads_by_4 = answers(&processes, &cookies, false, span)?;
    let writes_by_4 = answers(&processes, &cookies, true, span)?;
    // The first has the region.
    processes.truncate(1);
    let writes = answers(&processes, &cookies, true, span)?;
    Ok(vec![
        Figure::alone("cluster.reads_1", reads, "/s"),
        Figure::beside("cluster.reads_4", reads_by_4, "/s", ONE, reads),
        Figure::alone("cluster.writes_1", writes, "/s"),
        Figure::beside("cluster.writes_4", writes_by_4, "/s", ONE, writes),
    ])
}

fn start(dir: &Path, number: usize, url: &str) -> anyhow::Result<Process> {
    let own = dir.join(number.to_string());
    std::fs::create_dir(&own)?;
    let keys = dir.join("keys");
    let more = format!(
        "behind_proxy = true\nforward_listen = '127.0.0.1:0'\nstore = '{url}'\nkeys = '{}'\n",
        keys.display()
    );
    Process::start(&own, REGION, &more)
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
                    let mut line = Line::to(process)?;
                    while begun.elapsed() < span {
                        // An address of its own: nobody is to meet the rate limits.
                        let number = client.fetch_add(1, Ordering::Relaxed);
                        let (status, body) = line.ask(&request(cookie, number, writes))?;
                        // Who has not declared has no code: an answer as good as another.
                        let fits = if writes { status == 201 } else { status < 500 };
                        if !fits {
                            bail!("{status}: {body}");
                        }
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
