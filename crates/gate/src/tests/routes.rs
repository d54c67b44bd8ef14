//! The routes from outside: who sees which place, a code typed without a script, lists that are ended.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contracts::code::{Colour, TypedAnswer};
use contracts::gate::Place as PlaceId;
use contracts::person::{Grant, Organisation, Role, Scope, Staff};
use credential::{Floor, ShortCode};
use http::{Method, StatusCode};
use kernel::{Id, Instant};
use store::{By, Context, Fault, Reader};
use web::testing::{Browser, House, NOON};
use web::{Questions, Who, session};

use super::queue::device_key;
use crate::command::{DeviceCommand, PlaceCommand};
use crate::door;
use crate::model::{Device, Place, PlaceKind};

const CONTEXT: Context = Context::by(By::System("test"));
const ACADEMIES: Id<Organisation> = Id::from_u128(9);
const OTHERS: Id<Organisation> = Id::from_u128(8);
const OWNER: Id<Staff> = Id::from_u128(1);
const GUARD: Id<Staff> = Id::from_u128(2);
const REGION_ADMINISTRATOR: Id<Staff> = Id::from_u128(3);
const ADMINISTRATOR: Id<Staff> = Id::from_u128(4);

#[allow(clippy::unnecessary_wraps, reason = "answers a question of the house")]
fn grants_of(_: &mut Reader<'_>, staff: Id<Staff>, now: Instant) -> Result<Vec<Grant>, Fault> {
    let (role, scope) = match staff.to_u128() {
        1 => (Role::Owner, Scope::Organisation(ACADEMIES)),
        2 => (Role::Guard, Scope::Place(place(1))),
        4 => (Role::Administrator, Scope::Organisation(ACADEMIES)),
        _ => (Role::Administrator, Scope::Region),
    };
    Ok(vec![Grant { role, scope, until: now.plus_days(1) }])
}

fn short(bits: u64) -> String {
    ShortCode::from_bits(bits).to_string()
}

#[allow(clippy::unnecessary_wraps, reason = "answers a question of the house")]
fn typed_code(_: &mut Reader<'_>, text: &str, now: Instant) -> Result<Option<TypedAnswer>, Fault> {
    let colour = if text == short(7) { Colour::Green } else { Colour::Red };
    let known = text == short(7) || text == short(8);
    let valid_until = now.plus_days(1);
    let answer = TypedAnswer { pass: Id::from_u128(255), colour, valid_until, revoked: false };
    Ok(known.then_some(answer))
}

fn place(number: u32) -> Id<PlaceId> {
    Id::from_u128(u128::from(number))
}

struct City {
    house: House,
    _dir: tempfile::TempDir,
}

impl City {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let questions = Questions { grants_of, typed_code, ..Questions::default() };
        Self { house: House::open(dir.path(), vec![crate::slice()], questions), _dir: dir }
    }

    async fn open(&self, number: u32, organisation: Id<Organisation>, name: &str) {
        let command = PlaceCommand::Open {
            name: name.to_owned(),
            organisation,
            kind: PlaceKind::School,
            sensitive: false,
            code: ShortCode::from_bits(u64::from(number)),
        };
        let id = place(number).to_u128();
        self.house.app.execute::<Place>(CONTEXT, id, command).await.unwrap();
    }

    /// A device that waits at this place.
    async fn ask(&self, number: u32) {
        let command = DeviceCommand::AskEnrolment {
            place: place(number),
            label: "정문".to_owned(),
            public_key: device_key().1,
            waiting: 0,
        };
        let id = u128::from(number) + 1_000;
        self.house.app.execute::<Device>(CONTEXT, id, command).await.unwrap();
    }

    /// Some entries today.
    async fn enter(&self, number: u32, count: u32) {
        for _ in 0..count {
            let app = &self.house.app;
            let told = app.write(move |tx| door::check_typed(tx, &CONTEXT, place(number), None));
            told.await.unwrap().unwrap();
        }
    }

    async fn staff(&self, staff: Id<Staff>) -> Browser {
        let who = Who::Staff(staff);
        let device = String::new();
        self.house.browser_of(session::Begin { who, phone: None, strong: true, device }).await
    }
}

fn words(city: &City, key: &str) -> String {
    city.house.app.texts.get(kernel::Locale::Ko, key)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guard_without_a_script_types_a_code_and_the_entry_is_recorded_once() {
    let city = City::new();
    city.open(1, ACADEMIES, "해태 학원").await;
    city.open(2, ACADEMIES, "다른 학원").await;
    let mut guard = city.staff(GUARD).await;
    let answer = guard.get("/gate/check").await;
    let here = format!("/gate/check/{}", place(1));
    assert_eq!(answer.location(), Some(here.as_str()), "one place needs no choice");
    let page = guard.get(&here).await.text;
    assert!(page.contains("해태 학원"), "{page}");

    for (bits, colour, word) in [
        (7, "yellow", "gate-word-pass-id"),
        (8, "red", "gate-word-no-pass"),
        (9, "unknown", "gate-word-cannot-tell"),
    ] {
        let typed = short(bits).to_lowercase().replace('-', " ");
        guard.get(&here).await;
        for _ in 0..2 {
            // Pressed twice, or sent again by a weak network: the same form.
            let (csrf, once) = (guard.csrf.clone(), guard.once.clone());
            let answer = guard.post(&here, &[("short", &typed)]).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
            assert!(answer.text.contains(&format!("data-colour=\"{colour}\"")), "{}", answer.text);
            assert!(answer.text.contains(&words(&city, word)), "{}", answer.text);
            (guard.csrf, guard.once) = (csrf, once);
        }
    }
    let answer = guard.post(&here, &[("short", "7K3M")]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text.contains("7K3M"), "what was typed is still there");

    let mut owner = city.staff(OWNER).await;
    let day = owner.get_json(&format!("/api/v1/gate/places/{}/entries", place(1))).await.json();
    assert_eq!(
        ["pass", "no_pass", "cannot_tell", "late"].map(|it| day[it].as_u64().unwrap()),
        [1, 1, 1, 0]
    );
    let page = owner.get(&format!("/desk/places/{}", place(1))).await.text;
    assert!(page.contains(&words(&city, "gate-devices-desk")), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_types_codes_at_a_place_that_is_not_theirs() {
    let city = City::new();
    city.open(1, ACADEMIES, "해태 학원").await;
    city.open(2, OTHERS, "남의 학원").await;
    let there = format!("/gate/check/{}", place(2));
    for staff in [GUARD, OWNER] {
        let mut browser = city.staff(staff).await;
        browser.get("/desk").await;
        assert_eq!(browser.get(&there).await.status, StatusCode::NOT_FOUND);
        let answer = browser.post(&there, &[("short", &short(7))]).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        for (method, path) in [
            (Method::POST, format!("/api/v1/gate/places/{}/close", place(2))),
            (Method::DELETE, format!("/api/v1/gate/places/{}", place(2))),
        ] {
            let req = browser.request(method, &path).header("sec-fetch-site", "same-origin");
            let answer = browser.send(req.body(axum::body::Body::empty()).unwrap()).await;
            let expected =
                if staff == OWNER { StatusCode::NOT_FOUND } else { StatusCode::FORBIDDEN };
            assert_eq!(answer.status, expected, "{path}");
        }
    }
    let mut nobody = city.house.browser();
    assert_eq!(nobody.get("/gate/check").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_of_300_places_finds_the_one_that_waits() {
    let city = City::new();
    for number in 1..=300 {
        city.open(number, ACADEMIES, &format!("해태 학원 {number}호점")).await;
    }
    city.open(301, OTHERS, "남의 학원").await;
    city.ask(217).await;
    city.enter(42, 3).await;
    let mut owner = city.staff(OWNER).await;
    let page = owner.get("/desk/places").await.text;
    let names = |page: &str| -> Vec<String> {
        let cells = page.split("<td data-label").filter(|it| it.contains("/desk/places/place_"));
        let name = |it: &str| it.split("\">").nth(2).unwrap().split('<').next().unwrap().to_owned();
        cells.map(name).collect()
    };
    let first = names(&page);
    assert_eq!(first.len(), 50);
    assert_eq!(first[0], "해태 학원 217호점", "who waits stands first");
    assert_eq!(first[1..4], ["해태 학원 1호점", "해태 학원 2호점", "해태 학원 3호점"]);
    assert!(page.contains("1–50 / 300") && page.contains("page=2"), "{page}");
    let last = owner.get("/desk/places?page=6").await.text;
    assert_eq!(names(&last).len(), 50);
    assert!(last.contains("251–300 / 300") && !last.contains("page=7"));
    let beyond = owner.get("/desk/places?page=999").await.text;
    assert!(beyond.contains("251–300 / 300"), "a page beyond the end is the last");
    let busiest = owner.get("/desk/places?sort=entries").await.text;
    assert_eq!(names(&busiest)[0], "해태 학원 42호점");
    let found = owner.get("/desk/places?q=17%ED%98%B8%EC%A0%90&sort=name").await.text;
    let expected = [17, 117, 217].map(|it| format!("해태 학원 {it}호점"));
    assert_eq!(names(&found), expected);
    let none = owner.get("/desk/places?q=%EB%82%A8%EC%9D%98").await.text;
    assert!(none.contains(&words(&city, "gate-places-none")), "nobody finds another's place");
    assert!(names(&none).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_removes_a_device_and_later_the_place() {
    let city = City::new();
    city.open(1, ACADEMIES, "해태 학원").await;
    city.ask(1).await;
    let mut owner = city.staff(OWNER).await;
    let here = format!("/desk/places/{}", place(1));
    let device: Id<contracts::gate::Device> = Id::from_u128(1_001);
    owner.get(&here).await;
    let answer = owner.post(&format!("{here}/devices/{device}/remove"), &[]).await;
    assert_eq!(answer.status, StatusCode::CONFLICT, "a device that waits is refused first");
    owner.get(&here).await;
    owner.post(&format!("{here}/devices/{device}/refuse"), &[]).await;
    let page = owner.get(&here).await.text;
    assert!(page.contains(&format!("{here}/devices/{device}/remove")), "{page}");
    let answer = owner.post(&format!("{here}/devices/{device}/remove"), &[]).await;
    assert_eq!(answer.location(), Some(here.as_str()));
    let page = owner.get(&here).await.text;
    assert!(!page.contains("정문"), "{page}");

    owner.post(&format!("{here}/close"), &[]).await;
    let page = owner.get(&here).await.text;
    assert!(page.contains("2026-12-21") && !page.contains(&format!("{here}/remove")), "{page}");
    city.house.clock.set(NOON.plus_days(29));
    let mut owner = city.staff(OWNER).await;
    let page = owner.get(&here).await.text;
    assert!(page.contains(&format!("{here}/remove")), "{page}");
    let answer = owner.post(&format!("{here}/remove"), &[]).await;
    assert_eq!(answer.location(), Some("/desk/places"));
    assert_eq!(owner.get(&here).await.status, StatusCode::NOT_FOUND);
    assert!(!owner.get("/desk/places").await.text.contains("해태 학원"));
}

/// From when on lists count, as a scanner is told.
async fn floor(city: &City) -> i64 {
    let bundle = city.house.browser().get_json("/api/v1/gate/bundle").await.json();
    let bytes = |name: &str| STANDARD.decode(bundle[name].as_str().unwrap()).unwrap();
    let root: [u8; 32] = bytes("root").try_into().unwrap();
    let floor = Floor::open(&bytes("floor"), &root).unwrap();
    assert_eq!(floor.region, bundle["region"].as_str().unwrap());
    floor.since
}

#[tokio::test(flavor = "multi_thread")]
async fn the_region_ends_older_lists_and_every_scanner_is_told_so_signed() {
    const LISTS: &str = "/desk/places/lists";
    let city = City::new();
    assert_eq!(floor(&city).await, 0);
    for staff in [OWNER, ADMINISTRATOR] {
        let mut browser = city.staff(staff).await;
        browser.get("/desk/places").await;
        assert_eq!(browser.get(LISTS).await.status, StatusCode::FORBIDDEN, "{staff}");
        assert_eq!(browser.post(LISTS, &[("why", "x")]).await.status, StatusCode::FORBIDDEN);
    }
    let mut browser = city.staff(REGION_ADMINISTRATOR).await;
    assert!(browser.get("/desk/places").await.text.contains(LISTS));
    browser.get(LISTS).await;
    let answer = browser.post(LISTS, &[("why", " ")]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(floor(&city).await, 0);
    let answer = browser.post(LISTS, &[("why", "발급 열쇠가 유출되었습니다")]).await;
    assert_eq!(answer.location(), Some(LISTS), "{}", answer.text);
    assert_eq!(floor(&city).await, NOON.seconds());
    assert!(browser.get(LISTS).await.text.contains("발급 열쇠가 유출되었습니다"));
}
