//! A small city lives through three weeks, and what must hold of every city holds.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the message"
)]

use std::sync::Arc;

use app::{Config, House};
use kernel::{Instant, Seed};
use sim::{StoryClock, Told, Wish};

struct Lab {
    _dir: tempfile::TempDir,
    house: House,
    told: Told,
}

fn live(citizens: u32, seed: u64) -> Lab {
    let dir = tempfile::tempdir().unwrap();
    let until = Instant::parse("2026-03-30T12:00:00Z").unwrap();
    let clock = StoryClock::at(until);
    let config = Config {
        data: dir.path().join("city"),
        origin: "http://localhost:8080".to_owned(),
        region: "kr-test".to_owned(),
        store: testdb::wanted(),
        demo: true,
        ..Config::default()
    };
    let house = House::open(config, Arc::new(clock.clone()), Seed::fixed(5)).unwrap();
    let wish = Wish { citizens, places: 5, days: 21, until, seed, verify_every: 1 };
    let told = sim::tell(&house, &clock, &wish, |_, _| {}).unwrap();
    Lab { _dir: dir, house, told }
}

#[test]
fn nobody_red_gets_a_pass_verdict_the_log_verifies_and_replay_agrees() {
    let lab = live(400, 3);
    let Lab { house, told, .. } = &lab;
    assert!(told.shown > 300, "the city has lived: {told:?}");
    assert_eq!(told.verified, told.shown);
    assert_eq!(told.red_passed, 0);
    assert!(told.verdicts["pass"] > told.shown / 2, "{:?}", told.verdicts);

    let store = house.app.store.clone();
    let (mut decisions, mut colours) = (0, std::collections::BTreeSet::new());
    for person in &told.citizens {
        for it in
            store.read_blocking(|reader| code::replay::replay(reader, *person)).unwrap().decisions
        {
            assert!(it.agrees, "{person}: {it:?}");
            colours.insert(it.recorded.colour.word());
            decisions += 1;
        }
    }
    assert!(decisions > 400, "{decisions}");
    assert!(colours.contains("red") && colours.contains("yellow"), "{colours:?}");

    let before = app::house::audit(&house.config, |_, _| {}).unwrap();
    assert_eq!(before.wrong, []);
    store.write_blocking(|tx| tx.rebuild()).unwrap();
    let after = app::house::audit(&house.config, |_, _| {}).unwrap();
    assert_eq!(after, before, "a rebuilt city is the city that lived");
    store.close();
}

#[test]
fn the_same_number_gives_the_same_story() {
    let story = |seed| {
        let lab = live(40, seed);
        lab.house.app.store.close();
        (lab.told.shown, lab.told.verdicts.clone(), lab.house.app.store.size())
    };
    assert_eq!(story(8), story(8));
    assert_ne!(story(8), story(9));
}
