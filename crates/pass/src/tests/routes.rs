//! The journeys over HTTP: a wallet, two officers, a system that asks; and who may not.

use contracts::gate::{ApprovedDevice, Demand, Device, PassRules};
use contracts::person::{Grant, Person, Role, Scope, Staff};
use http::StatusCode;
use kernel::{Id, Instant};
use p256::ecdsa::signature::Signer as _;
use serde_json::json;
use web::session::Begin;
use web::testing::{Browser, House, NOON};
use web::{Questions, Who};

use crate::example as issuer;
use crate::{jobs, view};

pub(super) const ME: Id<Person> = Id::from_u128(7);
const OTHER: Id<Person> = Id::from_u128(8);
const PHONE: &str = "+821012345678";
const DEVICE: Id<Device> = Id::from_u128(9);

fn device_key() -> p256::ecdsa::SigningKey {
    p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap()
}

pub(super) fn questions() -> Questions {
    Questions {
        grants_of: |_, id: Id<Staff>, _| {
            let until = Instant::from_seconds(4_000_000_000);
            let grant = |role| vec![Grant { role, scope: Scope::Region, until }];
            Ok(match id.to_u128() {
                1 | 2 => grant(Role::Administrator),
                3 => grant(Role::Guard),
                4 => grant(Role::Auditor),
                5 => {
                    let scope = Scope::Organisation(Id::from_u128(1));
                    vec![Grant { role: Role::Administrator, scope, until }]
                }
                6 | 7 => grant(Role::HealthOfficer),
                8 => {
                    let scope = Scope::Organisation(Id::from_u128(1));
                    vec![Grant { role: Role::HealthOfficer, scope, until }]
                }
                _ => Vec::new(),
            })
        },
        phone_of: |_, id| Ok((id == ME).then(|| PHONE.to_owned())),
        approved_device: |_, id| {
            let public_key = device_key().verifying_key().to_sec1_point(false).as_bytes().to_vec();
            let demand = Demand { rules: PassRules::City, full_name: true, stale_passes: false };
            Ok((id == DEVICE).then_some(ApprovedDevice {
                place: Id::from_u128(1),
                public_key,
                demand,
            }))
        },
        ..Questions::default()
    }
}

pub(super) struct Town {
    pub(super) house: House,
    _dir: Option<tempfile::TempDir>,
}

impl Town {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { house: Self::within(dir.path()).house, _dir: Some(dir) }
    }

    /// One in a folder of the test's.
    pub(super) fn within(dir: &std::path::Path) -> Self {
        Self { house: House::open(dir, vec![crate::slice()], questions()), _dir: None }
    }

    pub(super) async fn citizen(&self, person: Id<Person>) -> Browser {
        self.house.browser_of(Begin { who: Who::Citizen(person), ..Begin::default() }).await
    }

    pub(super) async fn staff(&self, number: u128) -> Browser {
        let who = Who::Staff(Id::from_u128(number));
        self.house.browser_of(Begin { who, strong: true, ..Begin::default() }).await
    }

    /// Two administrators let the invented issuer's key count.
    pub(super) async fn believe(&self) {
        self.believe_in(&issuer::jwks()).await;
    }

    pub(super) async fn believe_in(&self, file: &[u8]) {
        let mut first = self.staff(1).await;
        first.page("/desk/passes/trust").await;
        let sent = first
            .upload("/desk/passes/trust", &[("name", "Example signers")], &[("file", file)])
            .await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text);
        let mut second = self.staff(2).await;
        let page = second.page("/desk/passes/trust").await;
        let action = action(&page, "/confirm");
        assert_eq!(second.post(&action, &[]).await.status, StatusCode::SEE_OTHER);
    }

    fn messages(&self) -> usize {
        self.house.app.store.read_blocking(|it| it.latest_messages("sms", 99)).unwrap().len()
    }
}

/// The address of the first form that ends so.
pub(super) fn action(page: &str, end: &str) -> String {
    let mut actions = page.split("action=\"").skip(1).filter_map(|it| it.split('"').next());
    actions.find(|it| it.ends_with(end)).unwrap_or_else(|| panic!("no {end}: {page}")).to_owned()
}

/// A second dose a month ago: Korea's rules end it after 180 days, its issuer after a year.
pub(super) fn dose(name: &str) -> String {
    let content = issuer::vaccination(name, 2, "2026-10-22");
    issuer::pass(&content, NOON.plus_days(-30), NOON.plus_days(335))
}

pub(super) async fn add(browser: &mut Browser, text: &str) -> String {
    browser.page("/passes/add").await;
    let answer = browser.upload("/passes/add", &[("text", text)], &[]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    answer.location().unwrap().to_owned()
}

#[tokio::test]
async fn a_pass_is_put_in_by_text_read_in_words_and_printed() {
    let town = Town::new();
    town.believe().await;
    let mut me = town.citizen(ME).await;
    let empty = me.page("/passes").await;
    assert!(empty.contains("class=\"empty\""), "{empty}");
    let path = add(&mut me, &dose("홍")).await;
    let card = me.page(&path).await;
    for words in ["길동 홍", "1980-05-05", "Comirnaty", "Example Health Agency", "2026-10-22"] {
        assert!(card.contains(words), "{words}: {card}");
    }
    assert!(card.contains("data-colour=\"green\""), "{card}");
    let list = me.page("/passes").await;
    assert!(list.contains("길동 홍") && list.contains(&path), "{list}");
    let sheet = me.page(&format!("{path}/print")).await;
    assert!(sheet.contains("<svg viewBox=\"0 0") && sheet.contains("<path d=\"M"), "a drawn code");
}

#[tokio::test]
async fn a_picture_of_a_pass_is_read_on_the_server() {
    let town = Town::new();
    town.believe().await;
    let mut me = town.citizen(ME).await;
    let code = qrcode::QrCode::new(dose("홍")).unwrap();
    let (side, scale, quiet) = (code.width(), 4, 4);
    let width = (side + 2 * quiet) * scale;
    let colors = code.to_colors();
    let pixels: Vec<u8> = (0..width * width)
        .map(|at| {
            let (x, y) = (at % width / scale, at / width / scale);
            let inside = (quiet..quiet + side).contains(&x) && (quiet..quiet + side).contains(&y);
            let dark = inside && colors[(y - quiet) * side + x - quiet] == qrcode::Color::Dark;
            if dark { 0 } else { 255 }
        })
        .collect();
    let mut png = Vec::new();
    let pixel_count = u32::try_from(width).unwrap();
    let mut encoder = png::Encoder::new(&mut png, pixel_count, pixel_count);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    me.page("/passes/add").await;
    let answer = me.upload("/passes/add", &[], &[("file", &png)]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    let card = me.page(answer.location().unwrap()).await;
    assert!(card.contains("길동 홍"), "{card}");
    // The same again is refused, and what holds no code says what to do.
    me.page("/passes/add").await;
    let again = me.upload("/passes/add", &[], &[("file", &png)]).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(again.text.contains("f-file-error"), "{}", again.text);
    let cut = me.upload("/passes/add", &[], &[("file", &png[..png.len() / 2])]).await;
    assert_eq!(cut.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn an_unknown_issuer_is_never_shown_as_not_vaccinated() {
    let town = Town::new();
    let mut me = town.citizen(ME).await;
    let path = add(&mut me, &dose("홍")).await;
    let card = me.page(&path).await;
    assert!(card.contains("data-colour=\"unknown\""), "{card}");
    assert!(!card.contains("data-colour=\"red\""), "cannot tell is no \"no\"");
    assert!(!card.contains("길동"), "what nobody vouches for is not shown as a fact");
    // As soon as its issuer counts, the same pass is good.
    town.believe().await;
    assert!(me.page(&path).await.contains("data-colour=\"green\""));
}

#[tokio::test]
async fn somebody_else_s_pass_does_not_exist() {
    let town = Town::new();
    let (mut me, mut other) = (town.citizen(ME).await, town.citizen(OTHER).await);
    let path = add(&mut me, &dose("홍")).await;
    other.page("/passes/add").await;
    assert_eq!(other.get(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(other.get(&format!("{path}/print")).await.status, StatusCode::NOT_FOUND);
    for end in ["remove", "restore", "basis"] {
        let answer = other.form(&format!("{path}/{end}"), &[("basis", "own")]).await;
        assert_eq!(answer.code(), "pass-card-unknown", "{end}");
    }
    assert!(me.page(&path).await.contains("/remove"), "and is untouched");
}

#[tokio::test]
async fn a_removed_pass_comes_back_within_a_day_and_then_nobody_can_read_it() {
    let town = Town::new();
    let mut me = town.citizen(ME).await;
    let path = add(&mut me, &dose("홍")).await;
    me.page(&path).await;
    assert_eq!(me.post(&format!("{path}/remove"), &[]).await.status, StatusCode::SEE_OTHER);
    assert!(me.page("/passes").await.contains("/restore"));
    jobs::erase(town.house.app.clone()).await.unwrap();
    me.page("/passes").await;
    assert_eq!(me.post(&format!("{path}/restore"), &[]).await.status, StatusCode::SEE_OTHER);
    me.page(&path).await;
    me.post(&format!("{path}/remove"), &[]).await;
    let held = town.house.app.read(|it| view::wallet(it, ME)).await.unwrap().cards;
    let card = held[0].card;
    assert!(
        !town.house.app.read(move |it| view::content(it, card)).await.unwrap().texts.is_empty()
    );
    town.house.clock.advance_seconds(24 * 3_600);
    assert_eq!(me.get(&path).await.status, StatusCode::NOT_FOUND, "over at its hour, job or not");
    jobs::erase(town.house.app.clone()).await.unwrap();
    let content = town.house.app.read(move |it| view::content(it, card)).await.unwrap();
    assert!(content.texts.is_empty(), "its key is destroyed");
    assert!(town.house.app.read(|it| view::wallet(it, ME)).await.unwrap().cards.is_empty());
}

#[tokio::test]
async fn the_holder_is_told_14_7_and_1_days_before_each_once() {
    let town = Town::new();
    town.believe().await;
    let mut me = town.citizen(ME).await;
    add(&mut me, &dose("홍")).await;
    let wallet = town.house.app.read(|it| view::wallet(it, ME)).await.unwrap();
    let ends = wallet.cards[0].ends_at.unwrap();
    let mut told = 0;
    for days in [14, 7, 1] {
        let due = ends.plus_days(-days);
        town.house.clock.set(due.plus_seconds(-1));
        jobs::warn(town.house.app.clone()).await.unwrap();
        assert_eq!(town.messages(), told, "{days} days: a second too early");
        town.house.clock.set(due);
        jobs::warn(town.house.app.clone()).await.unwrap();
        told += 1;
        for _ in 0..3 {
            jobs::warn(town.house.app.clone()).await.unwrap();
            assert_eq!(town.messages(), told, "{days} days: once");
        }
    }
    town.house.clock.set(ends);
    jobs::warn(town.house.app.clone()).await.unwrap();
    assert_eq!(town.messages(), told, "what is over is not about to end");
}

#[tokio::test]
async fn a_citizen_chooses_by_which_rules_to_be_told() {
    let town = Town::new();
    town.believe().await;
    let mut me = town.citizen(ME).await;
    let path = add(&mut me, &dose("홍")).await;
    let ends = async |town: &Town| {
        town.house.app.read(|it| view::wallet(it, ME)).await.unwrap().cards[0].ends_at
    };
    let city = ends(&town).await.unwrap();
    me.page(&path).await;
    let answer = me.post(&format!("{path}/basis"), &[("basis", "own")]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    assert_eq!(ends(&town).await, Some(NOON.plus_days(335)));
    assert!(city < NOON.plus_days(335));
    let wrong = me.form(&format!("{path}/basis"), &[("basis", "none")]).await;
    assert_eq!(wrong.code(), "pass-rules-unknown");
}

#[tokio::test]
async fn only_two_administrators_of_the_region_let_a_source_count() {
    let town = Town::new();
    for who in [3, 4, 5] {
        let answer = town.staff(who).await.get("/desk/passes/trust").await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{who}");
    }
    let mut first = town.staff(1).await;
    first.page("/desk/passes/trust").await;
    let wrong =
        first.upload("/desk/passes/trust", &[("name", "x")], &[("file", b"no key at all")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text.contains("f-file-error"));
    let file = issuer::jwks();
    first.page("/desk/passes/trust").await;
    first.upload("/desk/passes/trust", &[("name", "Example")], &[("file", &file)]).await;
    let page = first.page("/desk/passes/trust").await;
    assert!(!page.contains("/confirm\""), "nobody agrees with themselves");
    let decline = action(&page, "/decline");
    let confirm = decline.replace("/decline", "/confirm");
    assert_eq!(first.form(&confirm, &[]).await.code(), "pass-same-officer");
    assert_eq!(first.post(&decline, &[]).await.status, StatusCode::SEE_OTHER);
    // What was declined can be offered again, and ended again.
    town.believe().await;
    let page = first.page("/desk/passes/trust").await;
    let end = action(&page, "/withdraw");
    assert_eq!(first.form(&end, &[("why", "")]).await.code(), "pass-why-invalid");
    assert_eq!(
        first.post(&end, &[("why", "A key was stolen.")]).await.status,
        StatusCode::SEE_OTHER
    );
    let trust = town.house.app.read(crate::trust::foreign).await.unwrap();
    assert_eq!(trust.count(credential::pass::Format::Dcc), 0);
}

#[tokio::test]
async fn a_system_gets_a_verdict_and_nothing_is_kept() {
    let town = Town::new();
    town.believe().await;
    let mut guard = town.staff(3).await;
    let size = town.house.app.store.size();
    let answer = guard.post_json("/api/v1/verifications", &json!({ "texts": [dose("홍")] })).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let verdict = answer.json();
    assert_eq!((&verdict["format"], &verdict["verdict"]), (&json!("dcc"), &json!("pass")));
    assert_eq!(verdict["checks"]["signature"], json!("ok"));
    assert_eq!(verdict["reasons"], json!([]));
    assert!(verdict["shown"]["name"].is_null(), "initials are enough: {verdict}");
    assert_eq!(verdict["shown"]["birth_day"], json!("05-05"));
    assert_eq!(town.house.app.store.size(), size, "not an entry on the log");
    let unknown = guard.post_json("/api/v1/verifications", &json!({ "texts": ["x"] })).await.json();
    assert_eq!(unknown["verdict"], json!("cannot_tell"));
    for wrong in [json!({ "texts": [] }), json!({ "texts": ["x"], "rules": "code_only" })] {
        let answer = guard.post_json("/api/v1/verifications", &wrong).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
    }
    let now = json!({ "texts": ["x"], "now": 1 });
    let answer = guard.post_json("/api/v1/verifications", &now).await;
    assert_eq!(answer.code(), "web-json-invalid", "nobody brings their own clock");
}

#[tokio::test]
async fn whoever_may_not_ask_gets_no_verdict() {
    let town = Town::new();
    let body = json!({ "texts": ["x"] });
    let mut nobody = town.house.browser();
    let answer = nobody.post_json("/api/v1/verifications", &body).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let mut citizen = town.citizen(ME).await;
    let answer = citizen.post_json("/api/v1/verifications", &body).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    let mut auditor = town.staff(4).await;
    let answer = auditor.post_json("/api/v1/verifications", &body).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_device_asks_by_its_place_s_rules_and_nobody_else_in_its_name() {
    use base64::Engine as _;
    let town = Town::new();
    town.believe().await;
    let mut machine = town.house.browser();
    let ask = |texts: Vec<String>, made_at: i64, device: Id<Device>| {
        let bytes = crate::signed_bytes(device, &texts, made_at);
        let signature: p256::ecdsa::Signature = device_key().sign(&bytes);
        let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
        json!({
            "texts": texts, "device": device.to_string(), "made_at": made_at,
            "signature": engine.encode(signature.to_bytes())
        })
    };
    let now = NOON.seconds();
    let good = ask(vec![dose("홍")], now, DEVICE);
    let verdict = machine.post_json("/api/v1/verifications", &good).await.json();
    assert_eq!(verdict["verdict"], json!("pass"), "{verdict}");
    assert_eq!(verdict["checks"]["rules"], json!("ok"));
    assert!(verdict["shown"]["name"].is_string(), "this place compares names");
    let young = issuer::vaccination("홍", 2, "2026-11-20");
    let young = issuer::pass(&young, NOON.plus_days(-1), NOON.plus_days(335));
    let verdict = machine.post_json("/api/v1/verifications", &ask(vec![young], now, DEVICE)).await;
    let verdict = verdict.json();
    assert_eq!(verdict["verdict"], json!("no_pass"), "two days after the second dose: {verdict}");
    assert_eq!(verdict["reasons"], json!(["rule_failed:VR-KR-0001"]));
    let mut altered = good.clone();
    altered["texts"] = json!(["HC1:OTHER"]);
    let mut stranger = good.clone();
    stranger["device"] = json!(Id::<Device>::from_u128(1).to_string());
    for (body, code) in [
        (altered, "pass-signature-bad"),
        (stranger, "pass-signature-bad"),
        (ask(vec![dose("홍")], now - 301, DEVICE), "pass-clock-off"),
        (ask(vec![dose("홍")], now + 301, DEVICE), "pass-clock-off"),
    ] {
        assert_eq!(machine.post_json("/api/v1/verifications", &body).await.code(), code);
    }
    for made_at in [now - 300, now + 300] {
        let body = ask(vec![dose("홍")], made_at, DEVICE);
        assert_eq!(machine.post_json("/api/v1/verifications", &body).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn who_is_forgotten_takes_their_passes_along() {
    let town = Town::new();
    let mut me = town.citizen(ME).await;
    add(&mut me, &dose("홍")).await;
    let things = town.house.app.read(|it| view::things_of(it, ME)).await.unwrap();
    assert_eq!(things.len(), 1, "an export knows of it");
    let forget = town.house.app.write(|tx| {
        let gone =
            contracts::Published::Person(contracts::person::Published::Forgotten { person: ME });
        crate::react::react(tx, &store::Context::by(store::By::System("test")), &gone)?;
        tx.forget(ME.to_u128())
    });
    forget.await.unwrap();
    let card = Id::from_u128(things[0]);
    let content = town.house.app.read(move |it| view::content(it, card)).await.unwrap();
    assert!(content.texts.is_empty(), "nobody can read what it said");
    let rows =
        town.house.app.read(|it| it.query("SELECT card FROM pass_card WHERE region = $1", &[]));
    assert!(rows.await.unwrap().is_empty());
}
