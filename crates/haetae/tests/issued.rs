//! A pass that a clinic of the city issued, seen by `haetae verify` with nothing but what the city
//! publishes: good, then revoked, and "cannot tell" with a list that is too old.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the message"
)]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use app::{Config, House};
use contracts::person::Person;
use kernel::{Id, Instant, ManualClock, Seed};
use pass::door::{self, Judge};
use pass::model::Standing;
use serde_json::{Value, json};
use store::{By, Context};

const CITIZEN: Id<Person> = Id::from_u128(7);

fn noon() -> Instant {
    Instant::parse("2026-11-22T03:00:00Z").unwrap()
}

/// Writes what the city publishes at `now` into a folder, as anybody fetches it.
fn publish(house: &House, now: Instant, folder: &Path) {
    let app = house.app.clone();
    let own = house.app.store.read_blocking(move |it| pass::lists::own(&app, it, now)).unwrap();
    std::fs::write(folder.join("signers.pem"), &own.pem).unwrap();
    for list in &own.lists {
        std::fs::write(folder.join(format!("list-{}.cwt", list.number)), &list.cwt).unwrap();
    }
}

fn verify(folder: &Path, now: Instant, text: &str) -> (i32, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_haetae"))
        .args(["verify", "--json", "--trust", folder.to_str().unwrap(), "--now", &now.rfc3339()])
        .arg(text)
        .output()
        .unwrap();
    let line = String::from_utf8(output.stdout).unwrap();
    (output.status.code().unwrap(), serde_json::from_str(line.trim()).unwrap())
}

#[test]
fn what_a_clinic_issued_passes_until_it_is_revoked_and_an_old_list_cannot_tell() {
    let dir = tempfile::tempdir().unwrap();
    let clock = ManualClock::at(noon());
    let config = Config {
        data: dir.path().join("data"),
        origin: "https://city.example".to_owned(),
        region: "kr-11".to_owned(),
        demo: true,
        ..Config::default()
    };
    let house = House::open(config, Arc::new(clock.clone()), Seed::fixed(11)).unwrap();
    let store = &house.app.store;
    let setup = store.write_blocking(|tx| person::setup(tx, "관리자", "+821000009001"));
    let administrator = setup.unwrap().unwrap();
    let clinic = sim::open_clinic(&house.app, administrator, CITIZEN).unwrap();
    let other = sim::open_clinic(&house.app, administrator, CITIZEN).unwrap();
    let text = |card| {
        let texts = store.read_blocking(move |it| pass::view::content(it, card)).unwrap().texts;
        texts.into_iter().next().unwrap()
    };
    let (first, second) = (text(clinic.card), text(other.card));
    let folder = tempfile::tempdir().unwrap();
    publish(&house, noon(), folder.path());
    for text in [&first, &second] {
        let (status, verdict) = verify(folder.path(), noon(), text);
        assert_eq!((status, &verdict["verdict"]), (0, &json!("pass")), "{verdict}");
        assert_eq!(verdict["checks"]["revocation"], json!("ok"), "{verdict}");
    }
    clock.advance_seconds(60);
    let by = clinic.issuers[0];
    let judge = Judge {
        person: CITIZEN,
        card: clinic.card,
        standing: Standing::Revoked,
        why: "다른 사람에게 발급함".to_owned(),
        by: Some(by),
        message: None,
    };
    let context = Context::by(By::Staff(by));
    store.write_blocking(move |tx| door::set_standing(tx, &context, &judge)).unwrap().unwrap();
    let now = noon().plus_seconds(60);
    publish(&house, now, folder.path());
    let (status, verdict) = verify(folder.path(), now, &first);
    assert_eq!((status, &verdict["verdict"]), (1, &json!("no_pass")), "{verdict}");
    assert_eq!(verdict["reasons"], json!(["revoked"]));
    assert_eq!(verify(folder.path(), now, &second).0, 0, "the other clinic's stays good");
    // Four days later, with the list of today.
    let late = now.plus_seconds(pass::lists::LIST_S);
    let (status, verdict) = verify(folder.path(), late, &second);
    assert_eq!((status, &verdict["reasons"]), (2, &json!(["revocation_stale"])), "{verdict}");
    assert_eq!(verify(folder.path(), late, &first).0, 1, "revoked stays revoked");
}
