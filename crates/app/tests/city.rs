//! A city for one test: its own folder, its own clock, clients whose type says who asks.

use std::sync::Arc;

use app::{Config, House};
use contracts::person::Staff;
use kernel::{Id, Instant, ManualClock, Seed};
use sim::http::Browser;
use web::Who;

/// A house on a manual clock.
pub(crate) struct City {
    pub(crate) house: House,
    // Dropped last: the folder goes when the test ends.
    _dir: tempfile::TempDir,
}

impl City {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = ManualClock::at(Instant::parse("2026-03-02T03:00:00Z").unwrap());
        let config = Config {
            data: dir.path().join("data"),
            origin: "http://localhost:8080".to_owned(),
            region: "kr-test".to_owned(),
            behind_proxy: false,
            demo: true,
            ..Config::default()
        };
        let house = House::open(config, Arc::new(clock), Seed::fixed(11)).unwrap();
        Self { house, _dir: dir }
    }

    /// Somebody who is not signed in.
    pub(crate) fn anonymous(&self) -> Browser {
        Browser::new(&self.house)
    }

    /// A citizen.
    pub(crate) async fn citizen(&self) -> Browser {
        let person = Id::random(self.house.app.seed());
        Browser::signed_in(&self.house, Who::Citizen(person)).await.unwrap()
    }

    /// A member of staff with no role at all.
    pub(crate) async fn staff_without_role(&self) -> Browser {
        let staff = Id::<Staff>::random(self.house.app.seed());
        Browser::signed_in(&self.house, Who::Staff(staff)).await.unwrap()
    }
}
