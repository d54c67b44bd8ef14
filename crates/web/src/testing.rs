//! A house for tests: the real store in a folder that the test brings, a clock that the test moves,
//! and a browser that keeps cookies and form tokens. Nothing here stands in for code of ours.
//!
//! For tests of the slices and of the house too, and for measuring, so that helpers are not copied.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "only tests and measurements call this, and their setting must fail loudly"
)]

mod browser;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use kernel::{Instant, ManualClock, Seed};
use store::{Backend, Keyring, Options, Store};

use crate::session::Begin;
use crate::slice::registry;
use crate::{Actor, App, Config, Parts, Questions, Slice, build_router, session};

pub use browser::{Answer, Browser, FORM, JSON, between, encode};

/// 2026-11-22T03:00:00Z: noon in Seoul.
pub const NOON: Instant = Instant::from_seconds(1_795_316_400);

/// Where the databases of a test are: in its folder, or, where the suites are asked to run on
/// PostgreSQL (`HAETAE_TEST_STORE=postgres`), on the test process's own server.
pub struct Databases {
    /// What a store is opened with.
    pub backend: Backend,
    folder: PathBuf,
}

impl Databases {
    /// Fresh ones. `dir` is the test's folder; keys lie there in any case.
    pub fn of(dir: &Path) -> Self {
        let backend = testdb::wanted().map_or_else(
            || dir.into(),
            |url| Backend::postgres(&url, None, None).expect("the server's address is sound"),
        );
        Self { backend, folder: dir.to_owned() }
    }

    /// Whether any of their files holds these bytes as they stand.
    pub fn hold(&self, needle: impl AsRef<[u8]>) -> bool {
        match self.backend {
            Backend::Folder(_) => testdb::files_hold(&self.folder, needle.as_ref()),
            Backend::Postgres(_) => testdb::databases_hold(&self.backend.names(), needle.as_ref()),
        }
    }
}

/// A city in a folder.
pub struct House {
    /// The application.
    pub app: App,
    /// All routes.
    pub router: Router,
    /// The hand of the clock; begins at [`NOON`].
    pub clock: ManualClock,
    /// Where it keeps what it is told.
    pub databases: Databases,
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
        let databases = Databases::of(dir);
        let opened = Store::open(Options {
            backend: databases.backend.clone(),
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
        Self { app, router, clock, databases }
    }

    /// A browser that nobody is signed in on.
    pub fn browser(&self) -> Browser {
        Browser::new(&self.app, self.router.clone())
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
