//! The journeys over HTTP: a citizen's, two officers', a gate's; and who may not.

use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use contracts::person::{Grant, Person, Role, Scope, Staff};
use http::{Method, StatusCode};
use serde_json::json;
use web::session::Begin;
use web::testing::{Answer, Browser, House};
use web::{Questions, Who};

use super::*;

pub(super) const ME: Id<Person> = Id::from_u128(7);
const PHONE: &str = "+821012345678";

fn questions() -> Questions {
    Questions {
        grants_of: |_, id: Id<Staff>, _| {
            let until = Instant::from_seconds(4_000_000_000);
            let grant = |role| Grant { role, scope: Scope::Region, until };
            Ok(match id.to_u128() {
                1..=3 => vec![grant(Role::HealthOfficer)],
                4 => vec![grant(Role::Guard)],
                5 => {
                    let scope = Scope::Organisation(Id::from_u128(1));
                    vec![Grant { role: Role::HealthOfficer, scope, until }]
                }
                _ => Vec::new(),
            })
        },
        staff_label: |_, id| Ok(Some(format!("officer {}", id.to_u128()))),
        person_label: |_, id| Ok((id == ME).then(|| "홍길동".to_owned())),
        person_by_phone: |_, phone| Ok((phone == PHONE).then_some(ME)),
        phone_of: |_, id| Ok((id == ME).then(|| PHONE.to_owned())),
        signatures: &[crate::view::signatures],
        ..Questions::default()
    }
}

pub(super) struct Town {
    pub(super) house: House,
    _dir: tempfile::TempDir,
}

impl Town {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let house = House::open(dir.path(), vec![crate::slice()], questions());
        Self { house, _dir: dir }
    }

    pub(super) async fn citizen(&self, person: Id<Person>) -> Browser {
        self.house.browser_of(Begin { who: Who::Citizen(person), ..begin() }).await
    }

    async fn officer(&self, number: u128) -> Browser {
        let who = Who::Staff(Id::from_u128(number));
        self.house.browser_of(Begin { who, strong: true, ..begin() }).await
    }

    pub(super) fn messages(&self) -> Vec<store::outbox::Message> {
        self.house.app.store.read_blocking(|it| it.latest_messages("sms", 9)).unwrap()
    }
}

fn begin() -> Begin {
    Begin::default()
}

const FORM: [(&str, &str); 11] = [
    ("name", "홍길동"),
    ("document", "M12345678"),
    ("residence", "서울 강남구"),
    ("contact_confirmed", "no"),
    ("contact_symptomatic", "no"),
    ("fever", "no"),
    ("cough", "no"),
    ("sore_throat", "no"),
    ("breathlessness", "no"),
    ("smell_or_taste", "no"),
    ("temperature", "36.5"),
];

pub(super) async fn declare_well(browser: &mut Browser) -> Answer {
    assert_eq!(browser.get("/code/declare").await.status, StatusCode::OK);
    browser.post("/code/declare", &FORM).await
}

/// The address at the first `href="` that begins with `start`.
fn link(page: &str, start: &str) -> String {
    let mark = format!("href=\"{start}");
    let rest = page.split_once(&mark).unwrap_or_else(|| panic!("no link {start}\n{page}")).1;
    format!("{start}{}", rest.split('"').next().unwrap())
}

#[tokio::test]
async fn a_citizen_declares_and_sees_colour_reason_and_code() {
    let town = Town::new();
    let mut me = town.citizen(ME).await;
    let first = me.get("/code").await;
    assert!(first.text.contains("data-colour=\"unknown\""), "{}", first.text);
    assert!(!first.text.contains("id=\"pass\""), "nothing to show yet");
    let answer = declare_well(&mut me).await;
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, Some("/code/result")));
    let result = me.get("/code/result").await;
    assert!(result.text.contains("data-colour=\"green\""), "{}", result.text);
    let shown = me.get("/code").await;
    assert!(shown.text.contains("id=\"pass\"") && shown.text.contains("code/show.js"));
    for mark in ["code/show.js", "present.js"] {
        let at = shown.text.find(mark).unwrap();
        let start = shown.text[..at].rfind('"').unwrap() + 1;
        let script = me.get(&shown.text[start..at + mark.len()]).await;
        assert_eq!(script.status, StatusCode::OK, "{mark}");
        assert!(!script.text.contains("\n//") && !script.text.contains("\n "), "{mark} is slim");
    }
    let history = me.get("/code/history").await;
    assert!(history.text.contains("/log/entry/"), "{}", history.text);
}

#[tokio::test]
async fn a_declaration_sent_twice_is_one_declaration() {
    let town = Town::new();
    let mut me = town.citizen(ME).await;
    me.get("/code/declare").await;
    for _ in 0..3 {
        assert_eq!(me.post("/code/declare", &FORM).await.status, StatusCode::SEE_OTHER);
    }
    let list = me.get_json("/api/v1/code/declarations").await.json();
    assert_eq!(list.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn mistakes_come_back_beside_their_fields_and_keep_what_was_typed() {
    let town = Town::new();
    let mut me = town.citizen(ME).await;
    me.get("/code/declare").await;
    let mut form = FORM;
    form[0] = ("name", "a\u{202e}b");
    form[10] = ("temperature", "99");
    let answer = me.post("/code/declare", &form).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text.contains("f-name-error") && answer.text.contains("f-temperature-error"));
    assert!(answer.text.contains("M12345678"));
    let more = me.post("/code/declare", &[("more", "1"), ("rows", "1")]).await;
    assert!(more.text.contains("stay_2_place"), "another row without a script");
    let bare = me.post("/code/declare", &[]).await;
    assert_eq!(bare.status, StatusCode::UNPROCESSABLE_ENTITY);
}

fn bytes(text: &serde_json::Value, engine: &impl base64::Engine) -> Vec<u8> {
    engine.decode(text.as_str().unwrap()).unwrap()
}

fn healthy() -> serde_json::Value {
    json!({
        "name": "홍길동", "document": "M12345678", "residence": "서울",
        "contact_symptomatic": "no", "contact_confirmed": "no",
        "symptoms": { "fever": "no", "cough": "no", "sore_throat": "no", "breathlessness": "no", "smell_or_taste": "no" },
        "temperature_tenths": 365
    })
}

#[tokio::test]
async fn a_program_declares_gets_a_pass_and_a_gate_lets_it_in() {
    let town = Town::new();
    let mut me = town.citizen(ME).await;
    let declared = me.post_json("/api/v1/code/declarations", &healthy()).await;
    assert_eq!(declared.status, StatusCode::CREATED, "{}", declared.text);
    assert_eq!(declared.json()["colour"], "green");
    let device = credential::DeviceKey::from_scalar(&[9; 32]).unwrap();
    let key = DeviceKey(device.public()).to_string();
    let pass = me.post_json("/api/v1/code/passes", &json!({ "device_key": key })).await;
    assert_eq!(pass.status, StatusCode::CREATED, "{}", pass.text);
    let it = pass.json();
    let signed = bytes(&it["code"], &URL_SAFE_NO_PAD);
    let id: [u8; 16] = bytes(&it["id"], &URL_SAFE_NO_PAD).try_into().unwrap();
    let now_s = noon().seconds();
    let moment = device.prove(&id, now_s).unwrap();
    let text = credential::Presentation { signed, moment: Some(moment) }.to_text();

    let mut gate = town.house.browser();
    let root = crate::issue::root_public(&town.house.app.keyring).unwrap();
    let mut list = async |path: &str| {
        let answer = gate.get_json(path).await;
        assert!(answer.headers["cache-control"].to_str().unwrap().starts_with("public"));
        bytes(&answer.json()["list"], &STANDARD)
    };
    let trust = credential::Trust {
        list: credential::TrustList::open(&list("/api/v1/code/trust").await, &root, 0).unwrap(),
        revocations: Some(
            credential::RevocationList::open(&list("/api/v1/code/revocations").await, &root, 0)
                .unwrap(),
        ),
    };
    let verdict = credential::verify(&text, &trust, None, &credential::Policy::default(), now_s);
    assert_eq!(verdict.outcome, credential::Outcome::Pass, "{verdict:?}");
}

#[tokio::test]
async fn whoever_has_a_list_is_told_what_changed_in_it_and_others_get_it_whole() {
    const LIST: &str = "/api/v1/code/revocations";
    let town = Town::new();
    let root = crate::issue::root_public(&town.house.app.keyring).unwrap();
    let mut gate = town.house.browser();
    let mut ask = async |path: &str| gate.get_json(path).await.json();
    let signed = |it: &serde_json::Value| bytes(it, &STANDARD);
    let older = ask(LIST).await;
    let mut me = town.citizen(ME).await;
    me.post_json("/api/v1/code/declarations", &healthy()).await;
    let key = credential::DeviceKey::from_scalar(&[9; 32]).unwrap();
    let key = DeviceKey(key.public()).to_string();
    let pass = me.post_json("/api/v1/code/passes", &json!({ "device_key": key })).await.json();
    let id = bytes(&pass["id"], &URL_SAFE_NO_PAD);
    let id: Id<Pass> = Id::from_bytes(id.try_into().unwrap());
    let path = format!("/api/v1/code/passes/{id}");
    let req = me.request(Method::DELETE, &path).header("sec-fetch-site", "same-origin");
    let gone = me.send(req.body(axum::body::Body::empty()).unwrap()).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT, "{}", gone.text);
    town.house.clock.set(noon().plus_seconds(60));
    let newer = ask(LIST).await;
    let changed = ask(&format!("{LIST}?since={}", older["version"])).await;
    assert_eq!(changed["version"], newer["version"]);
    assert!(changed.get("list").is_none(), "{changed}");
    let delta = credential::RevocationDelta::from_cbor(&signed(&changed["delta"])).unwrap();
    assert_eq!((delta.added.len(), delta.removed.len()), (1, 0));
    assert_eq!(delta.apply(&signed(&older["list"])).unwrap(), signed(&newer["list"]));
    let list = credential::RevocationList::open(&signed(&newer["list"]), &root, 0).unwrap();
    assert_eq!(list.revoked, delta.added);
    // Nothing changed, and a list that was never given out.
    let same = ask(&format!("{LIST}?since={}", newer["version"])).await;
    let delta = credential::RevocationDelta::from_cbor(&signed(&same["delta"])).unwrap();
    assert!(delta.added.is_empty() && delta.removed.is_empty());
    for unknown in ["0", "1", "18446744073709551615"] {
        let whole = ask(&format!("{LIST}?since={unknown}")).await;
        assert_eq!(whole, newer);
    }
    let odd = gate.get_json(&format!("{LIST}?since=yesterday")).await;
    assert_eq!(odd.status, StatusCode::BAD_REQUEST, "{}", odd.text);
}

#[tokio::test]
async fn hostile_json_is_refused_and_never_a_fault() {
    let town = Town::new();
    let mut me = town.citizen(ME).await;
    let fine = json!({ "name": "a", "document": "M12345", "residence": "b" });
    for (field, value) in [
        ("name", json!("a\u{200b}b")),
        ("name", json!("x".repeat(100_000))),
        ("document", json!(7)),
        ("temperature_tenths", json!(99_999)),
        ("temperature_tenths", json!(-1)),
        ("temperature_tenths", json!(1e300)),
        ("contact_confirmed", json!("maybe")),
        ("symptoms", json!({ "fever": null })),
        ("stays", json!([{ "place": "x", "from": "1970-01-01", "to": "1970-01-02" }])),
        ("stays", json!([{ "place": "x", "from": "2999-01-01", "to": "2999-01-02" }])),
        ("stays", json!([{ "place": "x", "from": "yesterday", "to": "" }])),
        ("unknown", json!(1)),
    ] {
        let mut body = fine.clone();
        body[field] = value;
        let status = me.post_json("/api/v1/code/declarations", &body).await.status;
        assert!(status.is_client_error(), "{field}: {status}");
    }
    for body in ["{\"name\":\"\\ud800\"}", "", "[]", "{", "\"\\u0000\""] {
        let status =
            me.post_raw("/api/v1/code/declarations", "application/json", body.into()).await.status;
        assert!(status.is_client_error(), "{body}: {status}");
    }
    for key in ["", "AA", "====", "가", &"A".repeat(10_000)] {
        let answer = me.post_json("/api/v1/code/passes", &json!({ "device_key": key })).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{key}");
    }
}

#[tokio::test]
async fn two_officers_order_a_colour_and_the_person_is_told_appeals_and_is_answered() {
    let town = Town::new();
    let mut me = town.citizen(ME).await;
    declare_well(&mut me).await;
    let (mut first, mut second) = (town.officer(1).await, town.officer(2).await);

    first.get("/desk/code").await;
    let found = first.post("/desk/code/find", &[("who", "010-1234-5678")]).await;
    let record = found.location().unwrap().to_owned();
    let asked = first.get(&record).await;
    assert!(!asked.text.contains("홍길동"), "nothing of the person before a reason");
    let no_reason = first.post(&record, &[("grounds", "")]).await;
    assert_eq!(no_reason.status, StatusCode::UNPROCESSABLE_ENTITY);
    let opened =
        first.post(&record, &[("purpose", "order"), ("grounds", "강남보건-2026-0113")]).await;
    assert!(opened.text.contains("M12345678"), "{}", opened.text);
    let sentence = "365는 375보다 작습니다.";
    assert!(opened.text.contains(sentence), "what a rule looked at, in words: {}", opened.text);
    let readings = town
        .house
        .app
        .store
        .read_blocking(|it| it.readings_of(ME.to_u128(), Instant::from_micros(i64::MAX), 9))
        .unwrap();
    assert_eq!(readings.len(), 1);
    assert_eq!(readings[0].grounds, "강남보건-2026-0113");

    let order = [
        ("colour", "red"),
        ("reason", "suspected_case"),
        ("number", "강남보건-2026-0113"),
        ("until", "2026-11-25"),
    ];
    let proposed = first.post(&format!("{record}/orders"), &order).await;
    assert_eq!(proposed.status, StatusCode::SEE_OTHER, "{}", proposed.text);
    assert!(me.get("/code").await.text.contains("data-colour=\"green\""));
    assert_eq!(town.messages().len(), 0);

    let desk = first.get("/desk/code").await;
    let waiting = link(&desk.text, "/desk/code/orders/");
    let own = first.get(&waiting).await;
    assert!(!own.text.contains("value=\"confirm\""), "{}", own.text);
    let alone = first.post(&waiting, &[("verdict", "confirm")]).await;
    assert_eq!(alone.status, StatusCode::FORBIDDEN);
    second.get(&waiting).await;
    assert_eq!(
        second.post(&waiting, &[("verdict", "confirm")]).await.status,
        StatusCode::SEE_OTHER
    );
    let red = me.get("/code").await;
    assert!(red.text.contains("data-colour=\"red\""), "{}", red.text);
    let messages = town.messages();
    assert_eq!(messages.len(), 1);
    let text = messages[0].body["text"].as_str().unwrap();
    assert_eq!(messages[0].body["to"], PHONE);
    for word in ["격리", "Isolate", "red", "강남보건"] {
        assert!(!text.contains(word), "no health data in a text message: {text}");
    }
    let history = me.get("/code/history").await;
    assert!(history.text.contains("강남보건-2026-0113"), "{}", history.text);

    let appeal = me.get("/code/appeal").await;
    let decision = appeal.text.split_once("name=\"decision\" value=\"").unwrap().1;
    let decision = decision.split('"').next().unwrap().to_owned();
    let empty = me.post("/code/appeal", &[("decision", &decision), ("text", " ")]).await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
    let sent = me.post("/code/appeal", &[("decision", &decision), ("text", "아닙니다.")]).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text);

    town.house.clock.advance_seconds(24 * 3_600);
    let (mut second, mut third) = (town.officer(2).await, town.officer(3).await);
    let desk = third.get("/desk/code").await;
    assert!(
        desk.text.contains("기한이 지났습니다") || desk.text.contains("overdue"),
        "{}",
        desk.text
    );
    let open = link(&desk.text, "/desk/code/appeals/");
    let answer = [("outcome", "upheld"), ("aside_order", "1"), ("text", "지시를 거둡니다.")];
    second.get(&open).await;
    assert_eq!(second.post(&open, &answer).await.status, StatusCode::FORBIDDEN, "an own order");
    third.get(&open).await;
    let done = third.post(&open, &answer).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
    assert!(me.get("/code").await.text.contains("data-colour=\"green\""));
    assert_eq!(town.messages().len(), 2);
}

#[tokio::test]
async fn a_test_entered_at_the_desk_turns_the_code_red() {
    let town = Town::new();
    let mut me = town.citizen(ME).await;
    declare_well(&mut me).await;
    let mut officer = town.officer(1).await;
    let record = format!("/desk/code/people/{ME}");
    officer.get(&record).await;
    let test = [("result", "positive"), ("source", "clinic"), ("day", "2026-11-22")];
    let entered = officer.post(&format!("{record}/tests"), &test).await;
    assert_eq!(entered.status, StatusCode::SEE_OTHER, "{}", entered.text);
    assert_eq!(me.get_json("/api/v1/code").await.json()["reasons"], json!(["positive_test"]));
    let tomorrow = [("result", "positive"), ("source", "clinic"), ("day", "2026-11-23")];
    officer.get(&record).await;
    let refused = officer.post(&format!("{record}/tests"), &tomorrow).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_printed_code_needs_no_phone() {
    let town = Town::new();
    let mut me = town.citizen(ME).await;
    me.get("/code/print").await;
    assert_eq!(me.post("/code/print", &[]).await.status, StatusCode::CONFLICT, "no colour yet");
    declare_well(&mut me).await;
    me.get("/code/print").await;
    let mut again = me.clone();
    let sheet = me.post("/code/print", &[]).await;
    assert!(sheet.text.contains("<svg viewBox=\"0 0 ") && sheet.text.contains("code-short"));
    let second = again.post("/code/print", &[]).await;
    let short = |page: &str| page.split_once("class=\"code-short\">").unwrap().1[..14].to_owned();
    assert_eq!(short(&sheet.text), short(&second.text), "sent again it is the same code");
}

#[tokio::test]
async fn nobody_reaches_what_is_not_theirs() {
    let town = Town::new();
    let mut me = town.citizen(ME).await;
    declare_well(&mut me).await;
    let mut other = town.citizen(Id::from_u128(8)).await;
    let list = other.get_json("/api/v1/code/declarations").await;
    assert_eq!(list.json(), json!([]));
    let decision =
        me.get_json("/api/v1/code").await.json()["decision"].as_str().unwrap().to_owned();
    other.get("/code/appeal").await;
    let foreign = other.post("/code/appeal", &[("decision", &decision), ("text", "x")]).await;
    assert_eq!(foreign.status, StatusCode::NOT_FOUND);
    let (mut guard, mut local) = (town.officer(4).await, town.officer(5).await);
    for path in ["/desk/code".to_owned(), format!("/desk/code/people/{ME}")] {
        for browser in [&mut me, &mut guard, &mut local] {
            let status = browser.get(&path).await.status;
            assert_eq!(status, StatusCode::FORBIDDEN, "{path}");
        }
    }
    let mut nobody = town.house.browser();
    for path in ["/code", "/code/declare", "/code/history", "/desk/code"] {
        assert_eq!(nobody.get_json(path).await.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    for path in ["/code/rules", "/api/v1/code/policy", "/api/v1/code/trust", "/code/sw.js"] {
        assert_eq!(nobody.get(path).await.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn officers_change_the_rules_and_everybody_reads_why() {
    let town = Town::new();
    let mut officer = town.officer(1).await;
    let form = officer.get("/desk/code/rules").await;
    assert_eq!(form.status, StatusCode::OK);
    let mut rules: serde_json::Value = serde_json::from_str(crate::policy::SHIPPED).unwrap();
    rules["version"] = 2.into();
    rules["rules"][0]["logic"] = json!({ "nonsense": [] });
    let fields = |rules: &serde_json::Value| rules.to_string();
    let broken = fields(&rules);
    let refused = officer.post("/desk/code/rules", &[("rule_set", &broken), ("why", "x")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("/rules/0/logic"), "the place of the mistake");
    rules["rules"][0]["logic"] = json!(false);
    rules["parameters"]["positive_days"] = 10.into();
    let sound = fields(&rules);
    let why = "방역 지침 제3판";
    let changed = officer.post("/desk/code/rules", &[("rule_set", &sound), ("why", why)]).await;
    assert_eq!(changed.status, StatusCode::SEE_OTHER, "{}", changed.text);
    let page = town.house.browser().get("/code/rules").await;
    assert!(page.text.contains(why), "{}", page.text);
    let list = town.house.browser().get_json("/api/v1/code/policy").await.json();
    assert_eq!(list[0]["rule_set"]["parameters"]["positive_days"], 10);
}

#[tokio::test]
async fn a_list_that_has_not_changed_is_not_sent_again() {
    let town = Town::new();
    let mut gate = town.house.browser();
    let first = gate.get_json("/api/v1/code/trust").await;
    let req = gate
        .request(Method::GET, "/api/v1/code/trust")
        .header("accept", "application/json")
        .header("if-none-match", first.headers["etag"].clone());
    let second = gate.send(req.body(axum::body::Body::empty()).unwrap()).await;
    assert_eq!((second.status, second.text.len()), (StatusCode::NOT_MODIFIED, 0));
}
