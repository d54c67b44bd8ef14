//! A city for one test: its own folder, its own clock, clients whose type says who asks.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use app::{Config, House};
use contracts::person::Person;
use kernel::{Date, Id, Instant, Locale, Seed};
use person::Registration;
use sim::{StoryClock, Told, Wish};
use store::{By, Context};
use web::Who;
use web::testing::Browser;

/// When a city begins: noon in Seoul.
pub(crate) const NOON: &str = "2026-03-02T03:00:00Z";

/// A house on a manual clock.
pub(crate) struct City {
    pub(crate) house: House,
    /// Its hand.
    pub(crate) clock: StoryClock,
    // Dropped last: the folder goes when the test ends.
    dir: tempfile::TempDir,
}

impl City {
    pub(crate) fn new() -> Self {
        Self::behind_proxy(false)
    }

    /// A city whose clients' addresses are the ones that they say, so that limits by address do not
    /// end a test that sends thousands of requests.
    pub(crate) fn behind_proxy(behind_proxy: bool) -> Self {
        Self::within(tempfile::tempdir().unwrap(), |config| Config { behind_proxy, ..config })
    }

    /// A city in this folder, set up a little differently.
    pub(crate) fn within(dir: tempfile::TempDir, set_up: impl FnOnce(Config) -> Config) -> Self {
        let clock = StoryClock::at(Instant::parse(NOON).unwrap());
        let config = set_up(Config {
            data: dir.path().join("data"),
            keys: Some(dir.path().join("keys")),
            origin: "http://localhost:8080".to_owned(),
            region: "kr-test".to_owned(),
            // HAETAE_TEST_STORE=postgres runs this whole suite on PostgreSQL.
            store: testdb::wanted(),
            demo: true,
            ..Config::default()
        });
        let house = House::open(config, Arc::new(clock.clone()), Seed::fixed(11)).unwrap();
        Self { house, clock, dir }
    }

    /// The folder of the databases' files, what was written brought to them.
    pub(crate) fn files(&self) -> PathBuf {
        match self.house.config.store {
            Some(_) => testdb::folder(),
            None => self.path().join("data"),
        }
    }

    /// The house, to be served, and its folder, to be kept meanwhile.
    pub(crate) fn into_parts(self) -> (House, tempfile::TempDir) {
        (self.house, self.dir)
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Tells the city a short story: staff, places with devices, a few citizens, two days.
    pub(crate) fn tell(&self) -> Told {
        let until = Instant::parse(NOON).unwrap();
        let wish = Wish { citizens: 6, places: 2, days: 2, until, seed: 3, verify_every: 4 };
        // Stories are told by blocking calls, which an async test's thread may not make.
        let told = std::thread::scope(|scope| {
            scope.spawn(|| sim::tell(&self.house, &self.clock, &wish, |_, _| ())).join()
        });
        told.unwrap().unwrap()
    }

    /// Somebody who is not signed in, with a form token.
    pub(crate) async fn anonymous(&self) -> Browser {
        let mut browser = Browser::new(&self.house.app, self.house.router());
        browser.page("/sign-in").await;
        browser
    }

    /// Somebody signed in by a real one-time link, with a form token.
    pub(crate) async fn signed_in(&self, who: Who) -> Browser {
        let mut browser = Browser::signed_in(&self.house.app, self.house.router(), who).await;
        browser.page("/help").await;
        browser
    }

    /// A citizen whom nobody has registered.
    pub(crate) async fn citizen(&self) -> Browser {
        self.signed_in(Who::Citizen(Id::random(self.house.app.seed()))).await
    }

    /// A registered citizen with a number of their own.
    pub(crate) async fn register(&self, number: u32) -> Id<Person> {
        let (app, person) = (&self.house.app, Id::random(self.house.app.seed()));
        let it = Registration {
            name: format!("시민 {number}"),
            birth_date: Date::from_calendar(1980, 5, 5).unwrap(),
            locale: Locale::Ko,
            today: app.config.zone.date(app.now()),
        };
        let context = Context::by(By::Citizen(person));
        let phone = format!("+8210{:08}", 60_000_000 + number);
        let done = app
            .store
            .write(move |tx| person::register(tx, &context, person, &it, &phone))
            .await
            .unwrap();
        done.unwrap();
        person
    }

    /// A member of staff with no role at all.
    pub(crate) async fn staff_without_role(&self) -> Browser {
        self.signed_in(Who::Staff(Id::random(self.house.app.seed()))).await
    }
}

/// Base64url without padding (RFC 4648, section 5).
pub(crate) fn base64url(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}
