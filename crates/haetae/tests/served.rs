//! A citizen's code, seen by `haetae verify` with nothing but what the city serves to anybody, saved as it
//! came; and what is said where one of the files was not saved.

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
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use credential::{DeviceKey, Presentation};
use kernel::{Date, Id, Instant, Locale, ManualClock, Seed};
use person::Registration;
use serde_json::{Value, json};
use store::{By, Context};
use web::Who;
use web::testing::Browser;

/// Whatever a city serves about passes, by the names that `curl -O` gives.
const SERVED: [(&str, &str); 6] = [
    ("bundle", "/api/v1/gate/bundle"),
    ("trust", "/api/v1/code/trust"),
    ("revocations", "/api/v1/code/revocations"),
    ("material", "/api/v1/passes/material"),
    ("signers.json", "/trust/signers.json"),
    ("signers.pem", "/trust/signers.pem"),
];

fn noon() -> Instant {
    Instant::parse("2026-11-22T03:00:00Z").unwrap()
}

/// A citizen who is well, and what their phone shows at noon.
async fn shown(house: &House) -> String {
    let person = Id::random(house.app.seed());
    let it = Registration {
        name: "시민".to_owned(),
        birth_date: Date::from_calendar(1980, 5, 5).unwrap(),
        locale: Locale::Ko,
        today: house.app.config.zone.date(house.app.now()),
    };
    let context = Context::by(By::Citizen(person));
    let work =
        move |tx: &mut store::Tx<'_>| person::register(tx, &context, person, &it, "+821000005000");
    house.app.store.write(work).await.unwrap().unwrap();
    let mut browser = Browser::signed_in(&house.app, house.router(), Who::Citizen(person)).await;
    let declaration = serde_json::from_str(include_str!("declaration.json")).unwrap();
    let told = browser.post_json("/api/v1/code/declarations", &declaration).await;
    assert!(told.status.is_success(), "{}", told.text);
    let phone = DeviceKey::from_scalar(&[7; 32]).unwrap();
    let body = json!({ "device_key": URL_SAFE_NO_PAD.encode(phone.public()) });
    let code = browser.post_json("/api/v1/code/passes", &body).await.json();
    let bytes = |name: &str| URL_SAFE_NO_PAD.decode(code[name].as_str().unwrap()).unwrap();
    let pass = bytes("id").try_into().unwrap();
    let moment = Some(phone.prove(&pass, noon().seconds()).unwrap());
    Presentation { signed: bytes("code"), moment }.to_text()
}

/// Exit status, the line, and what was said beside it.
fn verify(folder: &Path, text: &str) -> (i32, Value, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_haetae"))
        .args(["verify", "--json", "--trust", folder.to_str().unwrap()])
        .args(["--now", &noon().rfc3339(), text])
        .output()
        .unwrap();
    let line = String::from_utf8(output.stdout).unwrap();
    let beside = String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap(), serde_json::from_str(line.trim()).unwrap(), beside)
}

#[test]
fn a_folder_saved_from_a_city_s_address_is_enough_and_what_is_missing_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config {
        data: dir.path().join("data"),
        origin: "https://city.example".to_owned(),
        region: "kr-11".to_owned(),
        demo: true,
        ..Config::default()
    };
    let clock = Arc::new(ManualClock::at(noon()));
    let house = House::open(config, clock, Seed::fixed(12)).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let text = runtime.block_on(shown(&house));
    let folder = tempfile::tempdir().unwrap();
    let mut anybody = Browser::new(&house.app, house.router());
    for (name, path) in SERVED {
        let answer = runtime.block_on(anybody.get(path));
        assert!(answer.status.is_success(), "{path}: {}", answer.text);
        std::fs::write(folder.path().join(name), &answer.body).unwrap();
    }

    let (status, line, beside) = verify(folder.path(), &text);
    assert_eq!((status, &line["verdict"]), (0, &json!("pass")), "{line} {beside}");
    assert_eq!(line["checks"]["revocation"], json!("ok"), "{line}");
    assert_eq!(beside, "", "nothing is missing, and nothing is left out");

    for (name, code, path, reason) in [
        ("bundle", "root_missing", "/api/v1/gate/bundle", "issuer_unknown"),
        ("trust", "trust_list_missing", "/api/v1/code/trust", "issuer_unknown"),
        ("revocations", "revocation_list_missing", "/api/v1/code/revocations", "revocation_stale"),
    ] {
        let (here, away) = (folder.path().join(name), dir.path().join(name));
        std::fs::rename(&here, &away).unwrap();
        let (status, line, beside) = verify(folder.path(), &text);
        assert_eq!((status, &line["verdict"]), (2, &json!("cannot_tell")), "{name}: {line}");
        assert_eq!(line["reasons"], json!([reason]), "{name}");
        assert!(beside.contains(code) && beside.contains(path), "{name}: {beside}");
        assert_eq!(beside.lines().count(), 1, "{name}: {beside}");
        std::fs::rename(&away, &here).unwrap();
    }
}
