//! What the tests of real `haetae serve` processes share: citizens who are signed in, requests as bytes on a
//! connection that is kept, answers read whole, signals.

#![allow(dead_code, reason = "each test takes what it needs")]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command};
use std::time::Duration;

use app::House;
use kernel::{Date, Id, Locale};
use person::Registration;
use store::{By, Context};
use web::Who;
use web::testing::Browser;

/// Citizens who are registered and signed in; the session of each.
pub(crate) fn sign_in(house: &House, citizens: u32) -> Vec<String> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    (0..citizens).map(|number| runtime.block_on(one(house, number))).collect()
}

async fn one(house: &House, number: u32) -> String {
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

/// Declarations on the log of a house, which is closed.
pub(crate) fn declared(house: &House) -> usize {
    let sql = "SELECT COUNT(*) FROM event WHERE region = $1 AND kind = 'code.declared.v1'";
    let store = house.app.store.clone();
    let rows = store.read_blocking(|reader| reader.query(sql, &[])).unwrap();
    store.close();
    usize::try_from(rows[0].int(0).unwrap()).unwrap()
}

/// Sends a signal by name, as an operator would.
pub(crate) fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

/// A declaration; with a key it can be sent again and counts once.
pub(crate) fn declare(cookie: &str, client: u32, key: Option<&str>) -> String {
    let body = include_str!("../declaration.json");
    let key = key.map_or_else(String::new, |it| format!("Idempotency-Key: {it}\r\n"));
    format!(
        "POST /api/v1/code/declarations HTTP/1.1\r\nHost: localhost:8080\r\nAccept: \
         application/json\r\nContent-Type: application/json\r\nCookie: __Host-haetae={cookie}\r\n\
         X-Forwarded-For: 192.0.2.{client}\r\n{key}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A look at a page.
pub(crate) fn look(path: &str, cookie: &str, client: u32) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost:8080\r\nAccept: application/json\r\nCookie: \
         __Host-haetae={cookie}\r\nX-Forwarded-For: 198.51.100.{client}\r\n\r\n"
    )
}

/// One whole answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The server said that it was the last one on its connection.
    pub(crate) last: bool,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A connection that is kept alive.
pub(crate) struct Line(BufReader<TcpStream>);

impl Line {
    /// `None` when nobody listens.
    pub(crate) fn open(address: &str) -> Option<Self> {
        let stream = TcpStream::connect(address).ok()?;
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        Some(Self(BufReader::new(stream)))
    }

    /// `None` when the connection ended before the answer's first byte; anything cut short is an error.
    pub(crate) fn try_ask(&mut self, request: &str) -> Result<Option<Answer>, String> {
        match self.0.get_mut().write_all(request.as_bytes()) {
            Ok(()) => self.read(),
            Err(_) => Ok(None),
        }
    }

    /// The answer; none is an error too.
    pub(crate) fn ask(&mut self, request: &str) -> Result<Answer, String> {
        self.try_ask(request)?.ok_or_else(|| "no answer".to_owned())
    }

    /// Asks for a stream, reads its head, and gives what its lines are read from.
    pub(crate) fn stream(mut self, request: &str) -> BufReader<TcpStream> {
        self.0.get_mut().write_all(request.as_bytes()).unwrap();
        let mut status = String::new();
        self.0.read_line(&mut status).unwrap();
        assert!(status.starts_with("HTTP/1.1 200"), "{status}");
        self.headers().unwrap();
        self.0
    }

    fn headers(&mut self) -> Result<BTreeMap<String, String>, String> {
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).map_err(|error| format!("in the headers: {error}"))?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { return Ok(headers) };
            headers.insert(name.to_ascii_lowercase(), value.to_owned());
        }
    }

    fn read(&mut self) -> Result<Option<Answer>, String> {
        let mut line = String::new();
        match self.0.read_line(&mut line) {
            Ok(0) => return Ok(None),
            Err(error)
                if line.is_empty() && error.kind() == std::io::ErrorKind::ConnectionReset =>
            {
                return Ok(None);
            }
            other => other.map_err(|error| format!("in the status: {error}"))?,
        };
        let status = line.split(' ').nth(1).and_then(|it| it.parse().ok()).ok_or(line)?;
        let headers = self.headers()?;
        let length = headers.get("content-length").ok_or("no length")?;
        let mut body = vec![0; length.parse().map_err(|_| "a length that is none")?];
        self.0.read_exact(&mut body).map_err(|error| format!("in the body: {error}"))?;
        let last = headers.get("connection").is_some_and(|it| it == "close");
        Ok(Some(Answer { status, last, body }))
    }
}
