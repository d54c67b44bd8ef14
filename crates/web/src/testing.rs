//! A house for tests: the real store in a folder that the test brings, a clock that the test moves,
//! and a browser that keeps cookies and form tokens. Nothing here stands in for code of ours.
//!
//! For tests of the slices too, so that helpers are not copied; nothing else uses it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "only tests call this, and a test's setting must fail loudly"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use kernel::{Instant, ManualClock, Seed};
use store::{Keyring, Options, Store};
use tower::ServiceExt as _;

use crate::session::Begin;
use crate::slice::registry;
use crate::{Actor, App, Config, Parts, Questions, Slice, build_router, session};

/// 2026-11-22T03:00:00Z: noon in Seoul.
pub const NOON: Instant = Instant::from_seconds(1_795_316_400);

/// A city in a folder.
pub struct House {
    /// The application.
    pub app: App,
    /// All routes.
    pub router: Router,
    /// The hand of the clock; begins at [`NOON`].
    pub clock: ManualClock,
}

impl House {
    /// A demo city in `dir` with these slices; web's own is added when it is missing.
    pub fn open(dir: &Path, slices: Vec<Slice>, questions: Questions) -> Self {
        let config = Config::local(8080, true).expect("the local configuration is sound");
        Self::with_config(dir, slices, questions, config)
    }

    /// A city set up as the test wishes.
    pub fn with_config(
        dir: &Path,
        mut slices: Vec<Slice>,
        questions: Questions,
        config: Config,
    ) -> Self {
        if slices.iter().all(|it| it.name != "web") {
            slices.push(crate::slice());
        }
        let (clock, seed) = (ManualClock::at(NOON), Seed::fixed(1));
        let keyring = Keyring::open(&dir.join("keys"), seed.fork()).expect("the keys open");
        let keyring = Arc::new(keyring);
        let opened = Store::open(Options {
            dir: dir.to_owned(),
            region: "kr-test".parse().expect("a region"),
            origin: "test.example/log".to_owned(),
            clock: Arc::new(clock.clone()),
            seed,
            keyring: Arc::clone(&keyring),
            registry: registry(&slices),
        });
        let store = opened.expect("the store opens").store;
        let parts = Parts { store, config, keyring, questions, slices: slices.clone() };
        let app = App::try_new(parts).expect("the application is sound");
        let router = build_router(&slices, app.clone());
        Self { app, router, clock }
    }

    /// A browser that nobody is signed in on.
    pub fn browser(&self) -> Browser {
        Browser {
            router: self.router.clone(),
            origin: self.app.config.origin_text(),
            cookies: BTreeMap::new(),
            last_page: String::new(),
        }
    }

    /// A browser with this session.
    pub async fn browser_of(&self, begin: Begin) -> Browser {
        let cookie = session::begin(&self.app, &Actor::default(), begin).await;
        let mut browser = self.browser();
        for it in cookie.expect("the session begins").0 {
            browser.keep(it.to_str().expect("a cookie is ASCII"));
        }
        browser
    }
}

/// Keeps cookies, and the last page with its form tokens.
#[derive(Clone)]
pub struct Browser {
    router: Router,
    origin: String,
    cookies: BTreeMap<String, String>,
    last_page: String,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as text; bytes that are not UTF-8 are replaced.
    pub text: String,
}

impl Answer {
    /// Where a redirect leads.
    pub fn location(&self) -> Option<&str> {
        self.headers.get(header::LOCATION)?.to_str().ok()
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text).expect("the answer is JSON")
    }

    /// The code of a problem answered as JSON.
    #[track_caller]
    pub fn code(&self) -> String {
        self.json().get("code").and_then(|it| it.as_str()).expect("a problem has a code").to_owned()
    }
}

impl Browser {
    /// Opens a page.
    pub async fn get(&mut self, path: &str) -> Answer {
        let req = self.request(Method::GET, path).header(header::ACCEPT, "text/html");
        self.send(req.body(Body::empty()).expect("a request")).await
    }

    /// Asks for JSON.
    pub async fn get_json(&mut self, path: &str) -> Answer {
        let req = self.request(Method::GET, path).header(header::ACCEPT, "application/json");
        self.send(req.body(Body::empty()).expect("a request")).await
    }

    /// Submits a form with the tokens of the last page.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let (csrf, once) = (self.hidden("_csrf"), self.hidden("_once"));
        let mut all = vec![("_csrf", csrf.as_str()), ("_once", once.as_str())];
        all.extend_from_slice(fields);
        let body = serde_urlencoded::to_string(&all).expect("fields encode");
        self.post_raw(path, "application/x-www-form-urlencoded", body.into_bytes()).await
    }

    /// Sends JSON.
    pub async fn post_json(&mut self, path: &str, body: &serde_json::Value) -> Answer {
        let req = self
            .request(Method::POST, path)
            .header(header::ACCEPT, "application/json")
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, "application/json");
        self.send(req.body(Body::from(body.to_string())).expect("a request")).await
    }

    /// Sends bytes as they are, as a form of our own pages would.
    pub async fn post_raw(&mut self, path: &str, kind: &str, body: Vec<u8>) -> Answer {
        let req = self
            .request(Method::POST, path)
            .header(header::ACCEPT, "text/html")
            .header(header::ORIGIN, self.origin.clone())
            .header(header::CONTENT_TYPE, kind);
        self.send(req.body(Body::from(body)).expect("a request")).await
    }

    /// Sends a request made by the test, with this browser's cookies if it came from
    /// [`Browser::request`].
    pub async fn send(&mut self, req: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(req).await.expect("the router answers");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("the body ends").to_bytes();
        for it in parts.headers.get_all(header::SET_COOKIE) {
            self.keep(it.to_str().expect("a cookie is ASCII"));
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if text.starts_with("<!doctype html>") {
            self.last_page.clone_from(&text);
        }
        Answer { status: parts.status, headers: parts.headers, text }
    }

    /// A request with this browser's cookies.
    pub fn request(&self, method: Method, path: &str) -> http::request::Builder {
        let cookies: Vec<String> = self.cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let req = Request::builder().method(method).uri(path);
        if cookies.is_empty() { req } else { req.header(header::COOKIE, cookies.join("; ")) }
    }

    /// The value of a hidden field on the last page; empty when there is none.
    pub fn hidden(&self, name: &str) -> String {
        let mark = format!("name=\"{name}\" value=\"");
        let found = self.last_page.split_once(&mark).and_then(|(_, rest)| rest.split_once('"'));
        found.map_or_else(String::new, |(value, _)| value.to_owned())
    }

    /// The value of a cookie.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    fn keep(&mut self, cookie: &str) {
        let (name, rest) = cookie.split_once('=').expect("a cookie has a name");
        let value = rest.split(';').next().unwrap_or_default();
        if rest.contains("Max-Age=0") {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}
