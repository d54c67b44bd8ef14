//! A small city with a log: a store in a temporary folder and, on demand, the pages in front of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use axum::response::IntoResponse as _;
use http_body_util::BodyExt as _;
use kernel::{Aggregate, Fact, Instant, ManualClock, Refusal, Seed};
use ledger::Resource;
use serde::{Deserialize, Serialize};
use store::registry::{keep, refold, silent};
use store::{
    By, Context, Keyring, Observation, ObservationKind, Options, Registry, Sealing, Store,
    StreamKind,
};
use tower::ServiceExt as _;
use web::testing::Databases;
use web::{Actor, App, Config, Parts, Questions, See, Who};

use crate::outsider::FetchError;

/// Anything that can be written down about a person.
#[derive(Debug, Clone, Default)]
pub(super) struct Note;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Event {
    Noted { line: String },
}

impl Fact for Event {
    fn kind(&self) -> &'static str {
        "code.declared.v1"
    }
}

#[derive(Debug)]
pub(super) struct Never;

impl Refusal for Never {
    fn code(&self) -> &'static str {
        "test-never"
    }
    fn status(&self) -> u16 {
        409
    }
}

impl Aggregate for Note {
    const STREAM: &'static str = "code.holder";
    type Command = String;
    type Event = Event;
    type Refusal = Never;

    fn decide(&self, line: String, _: Instant) -> Result<Vec<Event>, Never> {
        Ok(vec![Event::Noted { line }])
    }

    fn fold(&mut self, _: &Event) {}
}

/// The same about something that is no citizen.
#[derive(Debug, Clone, Default)]
pub(super) struct Policy;

impl Aggregate for Policy {
    const STREAM: &'static str = "code.policy";
    type Command = String;
    type Event = Event;
    type Refusal = Never;

    fn decide(&self, line: String, _: Instant) -> Result<Vec<Event>, Never> {
        Ok(vec![Event::Noted { line }])
    }

    fn fold(&mut self, _: &Event) {}
}

const SEEN: ObservationKind = ObservationKind {
    kind: "gate.entered.v1",
    retention_days: 28,
    rows: &[],
    project: |_, block| Ok(vec![None; block.items.len()]),
};

fn stream(name: &'static str, sealing: Sealing) -> StreamKind {
    StreamKind {
        name,
        sealing,
        retention_days: keep,
        project: |_, _| Ok(()),
        publish: silent,
        refold: refold::<Event>,
    }
}

fn registry() -> Registry {
    Registry {
        streams: vec![
            stream(Note::STREAM, Sealing::Subject),
            stream(Policy::STREAM, Sealing::Public),
        ],
        observations: vec![SEEN],
        migrations: web::slice().migrations.iter().map(|it| ("web", *it)).collect(),
        ..Registry::default()
    }
}

pub(super) struct Lab {
    dir: tempfile::TempDir,
    pub(super) clock: ManualClock,
    pub(super) store: Store,
}

pub(super) const BY: Context = Context::by(By::System("test"));

impl Lab {
    pub(super) fn new() -> Self {
        Self::seeded(2)
    }

    /// A city whose salts and ids come from another seed, with the same log key.
    pub(super) fn seeded(seed: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = ManualClock::at(Instant::parse("2026-03-01T00:00:00Z").unwrap());
        let opened = Store::open(Options {
            backend: Databases::of(dir.path()).backend,
            region: "kr-11".parse().unwrap(),
            origin: "haetae.example/log".to_owned(),
            clock: Arc::new(clock.clone()),
            seed: Seed::fixed(seed),
            keyring: Arc::new(Keyring::open(&dir.path().join("keys"), Seed::fixed(1)).unwrap()),
            registry: registry(),
        });
        Self { dir, clock, store: opened.unwrap().store }
    }

    pub(super) fn note(&self, person: u128, line: &str) -> u64 {
        self.store.execute_blocking::<Note>(BY, person, line.to_owned()).unwrap().first
    }

    pub(super) fn policy(&self, line: &str) -> u64 {
        self.store.execute_blocking::<Policy>(BY, 0, line.to_owned()).unwrap().first
    }

    /// Many entries at once, as gates make them.
    pub(super) fn entries(&self, count: u64) {
        let day = store::tx::utc_day(self.store.clock().now());
        let write = self.store.write_blocking(move |tx| {
            for it in 0..count {
                let payload = it.to_string().into_bytes();
                tx.observe(&BY, SEEN.kind, &[Observation { day, payload }])?;
            }
            Ok(())
        });
        write.unwrap();
    }

    /// The public files of the log, as its server would give them.
    pub(super) fn file(&self, path: &str) -> Result<Vec<u8>, FetchError> {
        let path = path.to_owned();
        let found = self.store.read_blocking(|reader| match path.as_str() {
            "checkpoint" => reader.head().map(|it| Some(it.checkpoint.into_bytes())),
            path => reader.resource(path.parse::<Resource>().unwrap()),
        });
        found.unwrap().ok_or(FetchError::Missing)
    }

    pub(super) fn city(&self) -> City {
        let keyring = Keyring::open(&self.dir.path().join("keys"), Seed::fixed(1)).unwrap();
        let slices = vec![web::slice(), crate::slice()];
        let app = App::try_new(Parts {
            store: self.store.clone(),
            config: Config::local(8080, false).unwrap(),
            keyring: Arc::new(keyring),
            questions: Questions::default(),
            slices: slices.clone(),
        });
        let app = app.unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        City { router: web::build_router(&slices, app.clone()), app, runtime }
    }
}

/// The pages of a city.
pub(super) struct City {
    app: App,
    router: Router,
    /// The tests write with the store's blocking calls, so they are not async themselves.
    runtime: tokio::runtime::Runtime,
}

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |it| it.to_str().unwrap())
    }
}

impl City {
    pub(super) fn get(&self, path: &str) -> Answer {
        self.ask(path, &[("accept", "application/json")])
    }

    /// As a browser asks.
    pub(super) fn look(&self, path: &str) -> Answer {
        self.ask(path, &[("accept", "text/html"), ("accept-language", "en")])
    }

    pub(super) fn ask(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).unwrap();
        let (parts, body) = self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.unwrap();
            let (parts, body) = response.into_parts();
            (parts, body.collect().await.unwrap().to_bytes().to_vec())
        });
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    /// The cookie of a citizen who has signed in.
    pub(super) fn sign_in(&self, person: u128) -> String {
        let who = Who::Citizen(kernel::Id::from_u128(person));
        let session = web::session::Begin { who, ..Default::default() };
        let visitor = Actor::default();
        let begun = web::session::begin(&self.app, &visitor, session);
        let cookie = self.runtime.block_on(begun).unwrap();
        let response = See::other("/").cookie(cookie).into_response();
        let cookies: BTreeMap<_, _> = response
            .headers()
            .get_all("set-cookie")
            .iter()
            .filter_map(|it| it.to_str().unwrap().split(';').next()?.split_once('='))
            .filter(|(_, value)| !value.is_empty())
            .collect();
        cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }
}
