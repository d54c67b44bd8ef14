//! The city's own rules: two officers, mistakes with their places, and whom they reach.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contracts::person::Staff;
use credential::Outcome;
use http::StatusCode;
use kernel::{Aggregate as _, Id, ManualClock, Seed, given};
use rules::InvalidCode;
use serde_json::{Value, json};
use store::{Fault, Keyring, Options, Reader, Store};
use web::slice::registry;
use web::testing::{Answer, Browser, NOON};

use super::NOW;
use super::routes::{ME, Town, add, dose};
use crate::city_rules::{CityRules, RuleSet, RulesCommand, SHIPPED};
use crate::event::RulesEvent;
use crate::import::{self, RULES_MAX, Remark};
use crate::judge::Ending;
use crate::model::Basis;
use crate::refusal::Refusal;
use crate::rulebook::{CITY_FILE, Published, RuleFile, Sets};
use crate::{compare, judge, rulebook, trust, view};

const PAGE: &str = "/desk/passes/rules";

fn officer(number: u128) -> Id<Staff> {
    Id::from_u128(number)
}

fn set(number: u128) -> Id<RuleSet> {
    Id::from_u128(number)
}

fn propose(number: u128, by: u128) -> RulesCommand {
    RulesCommand::Propose {
        set: set(number),
        name: "Guidance".to_owned(),
        sha256: "00".to_owned(),
        rules: 4,
        by: officer(by),
    }
}

fn proposed(number: u128, by: u128) -> RulesEvent {
    RulesEvent::RulesProposed {
        set: set(number),
        name: "Guidance".to_owned(),
        sha256: "00".to_owned(),
        rules: 4,
        proposed_by: officer(by),
        at: NOW,
    }
}

fn confirmed(number: u128, by: u128) -> RulesEvent {
    RulesEvent::RulesConfirmed { set: set(number), confirmed_by: officer(by), at: NOW }
}

#[test]
fn a_set_is_in_force_when_a_second_officer_confirms_it_and_not_by_the_first() {
    let first = CityRules::default().decide(propose(1, 1), NOW);
    assert_eq!(first, Ok(vec![proposed(1, 1)]));
    let waiting: CityRules = given(&[proposed(1, 1)]);
    assert_eq!(waiting.in_force(), SHIPPED);
    let confirm = |number, by| {
        waiting.decide(RulesCommand::Confirm { set: set(number), by: officer(by) }, NOW)
    };
    assert_eq!(confirm(1, 1), Err(Refusal::SameOfficer));
    assert_eq!(confirm(2, 2), Err(Refusal::RulesDecided), "not what was on the page");
    assert_eq!(confirm(1, 2), Ok(vec![confirmed(1, 2)]));
    let changed: CityRules = given(&[proposed(1, 1), confirmed(1, 2)]);
    assert_eq!(changed.in_force(), set(1));
    let again = changed.decide(RulesCommand::Confirm { set: set(1), by: officer(3) }, NOW);
    assert_eq!(again, Err(Refusal::RulesDecided));
}

#[test]
fn one_set_waits_at_a_time_and_either_officer_ends_the_wait() {
    let waiting: CityRules = given(&[proposed(1, 1)]);
    assert_eq!(waiting.decide(propose(2, 2), NOW), Err(Refusal::RulesWaiting));
    for by in [1, 2] {
        let (set, by) = (set(1), officer(by));
        let rejected = RulesEvent::RulesRejected { set, rejected_by: by, at: NOW };
        let answer = waiting.decide(RulesCommand::Reject { set, by }, NOW);
        assert_eq!(answer, Ok(vec![rejected.clone()]));
        let free: CityRules = given(&[proposed(1, 1), rejected]);
        assert_eq!(free.in_force(), SHIPPED);
        assert!(free.decide(propose(2, 1), NOW).is_ok());
    }
    for name in ["", " ", "a\u{202e}b", &"가".repeat(81)] {
        let RulesCommand::Propose { set, sha256, rules, by, .. } = propose(1, 1) else { panic!() };
        let named = RulesCommand::Propose { set, name: name.to_owned(), sha256, rules, by };
        assert_eq!(CityRules::default().decide(named, NOW), Err(Refusal::NameInvalid), "{name}");
    }
}

#[test]
fn going_back_takes_two_officers_as_well_and_only_to_what_was_in_force() {
    let back =
        |it: &CityRules, to| it.decide(RulesCommand::Return { set: to, by: officer(1) }, NOW);
    let rejected = RulesEvent::RulesRejected { set: set(2), rejected_by: officer(2), at: NOW };
    let past = [proposed(1, 1), confirmed(1, 2), proposed(2, 1), rejected];
    let book: CityRules = given(&past);
    assert_eq!(back(&book, set(1)), Err(Refusal::RulesInForce));
    assert_eq!(back(&book, set(2)), Err(Refusal::RuleSetUnknown), "it was rejected");
    assert_eq!(back(&book, set(3)), Err(Refusal::RuleSetUnknown));
    let asked = RulesEvent::RulesReturnProposed { set: SHIPPED, proposed_by: officer(1), at: NOW };
    assert_eq!(back(&book, SHIPPED), Ok(vec![asked.clone()]));
    let waiting: CityRules = given(&[past.as_slice(), std::slice::from_ref(&asked)].concat());
    assert_eq!(waiting.in_force(), set(1), "not before it is confirmed");
    let by_the_first = RulesCommand::Confirm { set: SHIPPED, by: officer(1) };
    assert_eq!(waiting.decide(by_the_first, NOW), Err(Refusal::SameOfficer));
    let there: CityRules = given(&[past.as_slice(), &[asked, confirmed(0, 2)]].concat());
    assert_eq!(there.in_force(), SHIPPED);
    assert!(back(&there, set(1)).is_ok(), "and there again");
    assert_eq!(back(&CityRules::default(), SHIPPED), Err(Refusal::RulesInForce));
}

fn shipped() -> Vec<Value> {
    serde_json::from_str(CITY_FILE).unwrap()
}

/// The shipped rules, but a second dose counts for 20 days.
fn stricter() -> Value {
    serde_json::from_str(&CITY_FILE.replace("180", "20").replace("4335", "495")).unwrap()
}

fn mistakes(rules: &Value) -> Vec<(String, InvalidCode)> {
    let found = import::check(rules, None).unwrap_err();
    assert!(found.value_sets.is_empty());
    found.rules.into_iter().map(|it| (it.pointer, it.code)).collect()
}

#[test]
fn every_mistake_of_a_rule_is_named_at_its_place() {
    let mut rules = stricter();
    rules[1]["Logic"]["and"][0] = json!({ "max": [1, 2] });
    rules[2]["Country"] = json!("FI");
    rules[2].as_object_mut().unwrap().remove("Description");
    let found = mistakes(&rules);
    for wanted in [
        ("/1/Logic/and/0", InvalidCode::UnknownOperator),
        ("/2/Identifier", InvalidCode::MalformedField),
        ("/2", InvalidCode::MissingField),
        ("/2/Country", InvalidCode::MalformedField),
    ] {
        let there = found.iter().any(|(at, code)| (at.as_str(), *code) == wanted);
        assert!(there, "{wanted:?} in {found:?}");
    }
    let mut one = shipped()[0].clone();
    one["ValidTo"] = json!("2020-01-01T00:00:00Z");
    assert_eq!(mistakes(&one), [("/ValidTo".to_owned(), InvalidCode::MalformedField)]);
}

#[test]
fn a_set_has_rules_but_not_too_many_no_two_alike_and_one_that_accepts() {
    let root = |code| vec![(String::new(), code)];
    assert_eq!(mistakes(&json!([])), root(InvalidCode::MissingField));
    assert_eq!(mistakes(&json!("VR")), root(InvalidCode::MalformedField));
    let first = shipped()[0].clone();
    let numbered = |number: usize| {
        let mut rule = first.clone();
        rule["Identifier"] = json!(format!("VR-KR-{number:04}"));
        rule
    };
    let many = |count| Value::from((0..count).map(numbered).collect::<Vec<_>>());
    assert!(import::check(&many(RULES_MAX), None).is_ok());
    assert_eq!(mistakes(&many(RULES_MAX + 1)), root(InvalidCode::TooLarge));
    let twice = [("/1/Identifier".to_owned(), InvalidCode::DuplicateCode)];
    assert_eq!(mistakes(&json!([first, first])), twice);
    let mut invalidation = first.clone();
    invalidation["Type"] = json!("Invalidation");
    invalidation["Identifier"] = json!("IR-KR-0001");
    assert_eq!(mistakes(&json!([invalidation])), root(InvalidCode::MissingField));
    let mut long = first.clone();
    long["Note"] = json!("x".repeat(import::FILE_MAX));
    assert_eq!(mistakes(&json!([long])), root(InvalidCode::TooLarge));
    let alone = import::check(&first, None).unwrap();
    assert_eq!((alone.country.as_str(), alone.rules.len()), ("KR", 1), "one rule is a set");
}

#[test]
fn what_is_no_json_is_refused_at_its_line() {
    let wrong = Refusal::RulesNotJson { line: 2, column: 4 };
    assert_eq!(import::json(b"[\n1, }"), Err(wrong));
    assert_eq!(import::json(&vec![b' '; import::FILE_MAX + 1]), Err(Refusal::TooLarge));
}

fn checked(rules: &Value, value_sets: Option<&Value>) -> RuleFile {
    import::check(rules, value_sets).unwrap()
}

#[test]
fn what_never_applies_is_pointed_out_and_taken() {
    let notes = |rules: &Value, sets: Option<&Value>| {
        let published = Published::of(checked(rules, sets));
        let notes = import::notes(&published, NOW).into_iter();
        notes.map(|it| (it.pointer, it.what, it.about)).collect::<Vec<_>>()
    };
    let mut rules = Value::from(shipped());
    assert_eq!(notes(&rules, None), []);
    let last = NOW.plus_seconds(-1).rfc3339();
    rules[0]["ValidTo"] = json!(last);
    rules[1]["Region"] = json!("11");
    rules[2]["Description"].as_array_mut().unwrap().remove(0);
    let found = notes(&rules, None);
    assert_eq!(
        found,
        [
            ("/0/ValidTo".to_owned(), Remark::Over, last),
            ("/1/Region".to_owned(), Remark::PartOnly, "11".to_owned()),
            ("/2/Description".to_owned(), Remark::Undescribed, "한국어".to_owned()),
        ]
    );
    rules[0]["ValidTo"] = json!(NOW.rfc3339());
    assert_eq!(notes(&rules, None).len(), 2, "both ends are in force");
    let first = NOW.plus_seconds(1).rfc3339();
    rules[3]["ValidFrom"] = json!(first);
    let found = notes(&rules, None).pop();
    assert_eq!(found, Some(("/3/ValidFrom".to_owned(), Remark::NotYet, first)));
    let mut reads = shipped()[0].clone();
    reads["AffectedFields"] = json!(["v.0.mp"]);
    reads["Logic"] = json!({ "in": [
        { "var": "payload.v.0.mp" }, { "var": "external.valueSets.vaccines" }
    ] });
    let missing = ("/0/Logic".to_owned(), Remark::ValueSetMissing, "vaccines".to_owned());
    assert_eq!(notes(&json!([reads]), None), [missing]);
    let sets = json!({ "vaccines": ["EU/1/20/1528"] });
    assert_eq!(notes(&json!([reads]), Some(&sets)), []);
    let wrong = import::check(&json!([reads]), Some(&json!({ "vaccines": [1] }))).unwrap_err();
    assert_eq!(wrong.value_sets[0].pointer, "/vaccines/0");
}

#[test]
fn the_examples_show_what_another_set_changes_and_nothing_else() {
    let sets = Sets::default();
    let before = sets.published(Basis::City).unwrap();
    let same = Published::of(checked(&Value::from(shipped()), None));
    let (none, all) = compare::differences(before, &same, NOW);
    assert!(none.is_empty() && all > 10);
    let after = Published::of(checked(&stricter(), None));
    let (found, _) = compare::differences(before, &after, NOW);
    assert_eq!(found.len(), 4, "last doses of 30 and 120 days, a recovery of 60: {found:?}");
    for it in &found {
        assert_eq!((it.before, it.after), (Outcome::Pass, Outcome::NoPass), "{it:?}");
    }
    // What no rule of its kind is for is judged by the rules for every pass alone: seen before it counts.
    let mut fewer = shipped();
    fewer.retain(|it| it["CertificateType"] != "Recovery");
    let fewer = Published::of(checked(&Value::from(fewer), None));
    let (found, _) = compare::differences(before, &fewer, NOW);
    assert_eq!(found.len(), 2, "a recovery of 5 and of 200 days: {found:?}");
    assert!(found.iter().all(|it| it.after == Outcome::Pass));
    let judged = |set: &Published, kind: &str| {
        let (found, _) = compare::differences(&Published::default(), set, NOW);
        found.iter().filter(|it| it.example.text == kind && it.after == Outcome::Pass).count()
    };
    let counts = ["dose", "pcr", "rapid", "recovery", "exemption"]
        .map(|kind| judged(before, &format!("pass-example-{kind}")));
    assert_eq!(counts, [5, 1, 0, 1, 1], "what Korea's pass of January 2022 took");
}

/// Sends a set on the page.
async fn send(browser: &mut Browser, rules: &Value) -> Answer {
    browser.page(PAGE).await;
    let file = rules.to_string().into_bytes();
    browser.upload(PAGE, &[("name", "Guidance of 12 January")], &[("rules", &file)]).await
}

/// Two officers put a set in force.
async fn change(town: &Town, rules: &Value) {
    let sent = send(&mut town.staff(6).await, rules).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text);
    answer(&mut town.staff(7).await, "confirm").await;
}

async fn answer(browser: &mut Browser, verdict: &str) {
    let page = browser.page(PAGE).await;
    let done = browser.post(&find(&page), &[("verdict", verdict)]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
}

/// The address of the first form about a set.
fn find(page: &str) -> String {
    let start = page.find("/desk/passes/rules/rules_").unwrap();
    page[start..].split('"').next().unwrap().to_owned()
}

async fn verdict(town: &Town, text: &str) -> Value {
    let body = json!({ "texts": [text], "rules": "city" });
    town.staff(3).await.post_json("/api/v1/verifications", &body).await.json()
}

/// What the module on the guard's phone says with what it downloads now, and the download's version and
/// tag. It takes nothing older than `min_version`.
async fn at_gate(town: &Town, text: &str, min_version: u64) -> (Value, u64, String) {
    let mut gate = town.house.browser();
    let answer = gate.get("/api/v1/passes/material").await;
    let signed = STANDARD.decode(answer.json()["list"].as_str().unwrap()).unwrap();
    let root = credential::IssuerSigner::from_seed(&town.house.app.keyring.key("root").unwrap());
    let root = root.unwrap().public();
    let passes = device::passes::Passes::open(&signed, &root, min_version).unwrap();
    let demand = serde_json::from_value(json!({ "rules": "city" })).unwrap();
    let shown = passes.judge(text, &[], &demand, None, NOON.seconds());
    let shown = serde_json::to_value(shown).unwrap();
    (shown, passes.dates().version, answer.header("etag").to_owned())
}

#[tokio::test]
async fn a_set_changes_every_door_once_it_is_confirmed_and_going_back_changes_them_again() {
    let town = Town::new();
    town.believe().await;
    let (text, no) = (dose("홍"), json!(["rule_failed:VR-KR-0001"]));
    let mut me = town.citizen(ME).await;
    let card = add(&mut me, &text).await;
    let (seen, version, tag) = at_gate(&town, &text, 0).await;
    assert_eq!(seen["outcome"], json!("pass"), "{seen}");
    let mut first = town.staff(6).await;
    let sent = send(&mut first, &stricter()).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text);
    assert_eq!(verdict(&town, &text).await["verdict"], json!("pass"), "it waits");
    assert_eq!(at_gate(&town, &text, version).await.2, tag, "nothing new for gates");
    // The first officer sees no way to agree, and has none.
    let page = first.page(PAGE).await;
    assert!(!page.contains("value=\"confirm\""), "{page}");
    let same = first.form(&find(&page), &[("verdict", "confirm")]).await;
    assert_eq!(same.code(), "pass-same-officer");
    // The second sees what would change, in words.
    let mut second = town.staff(7).await;
    let page = second.page(PAGE).await;
    assert!(page.contains("2회 중 2차 접종, 30일 전") && !page.contains("300일 전"), "{page}");
    assert!(page.contains("후 14일부터 20일까지이거나"), "what the rules say");
    answer(&mut second, "confirm").await;
    let judged = verdict(&town, &text).await;
    assert_eq!((&judged["verdict"], &judged["reasons"]), (&json!("no_pass"), &no));
    let (seen, _, new_tag) = at_gate(&town, &text, version).await;
    assert_eq!((&seen["outcome"], &seen["reasons"]), (&json!("no_pass"), &no), "{seen}");
    assert_ne!(new_tag, tag, "a gate that asks again is told that it is new");
    let why = "18세 미만은 만료일이 없습니다. (VR-KR-0001)";
    assert!(me.page(&card).await.contains(why), "the wallet says why");
    let by_eu = json!({ "texts": [text], "rules": "eu" });
    let by_eu = town.staff(3).await.post_json("/api/v1/verifications", &by_eu).await.json();
    assert_eq!(by_eu["verdict"], json!("pass"), "Europe's rules are not the city's");
    // Back to what ships: the same two steps, by one click each.
    answer(&mut second, "propose").await;
    assert_eq!(verdict(&town, &text).await["verdict"], json!("no_pass"), "it waits");
    answer(&mut town.staff(6).await, "confirm").await;
    assert_eq!(verdict(&town, &text).await["verdict"], json!("pass"));
    assert_eq!(at_gate(&town, &text, version).await.0["outcome"], json!("pass"));
    // And to the city's own again.
    answer(&mut second, "propose").await;
    answer(&mut town.staff(6).await, "confirm").await;
    assert_eq!(verdict(&town, &text).await["verdict"], json!("no_pass"));
}

/// The state, what it says of a pass, and what gates carry.
fn everything(reader: &mut Reader<'_>) -> Result<(CityRules, Ending, String), Fault> {
    let (book, sets) = (view::city_rules(reader)?, rulebook::in_force(reader)?);
    let judged = judge::judge(&[dose("홍")], &*trust::foreign(reader)?, &sets, NOON);
    let (for_gates, _) = sets.for_gates();
    Ok((book, judged.ending(Basis::City).clone(), for_gates[0].rules.clone()))
}

#[tokio::test]
async fn a_rebuilt_and_a_reopened_house_judge_by_the_same_set() {
    let dir = tempfile::tempdir().unwrap();
    let town = Town::within(dir.path());
    town.believe().await;
    change(&town, &stricter()).await;
    let before = town.house.app.read(everything).await.unwrap();
    assert_eq!(before.1, Ending::No(vec!["VR-KR-0001".to_owned()]));
    assert_eq!(before.2, stricter().to_string());
    town.house.app.store.write(|tx| tx.rebuild()).await.unwrap();
    assert!(town.house.app.read(everything).await.unwrap() == before);
    let backend = town.house.databases.backend.clone();
    town.house.app.store.close();
    drop(town);
    rulebook::forget_parsed();
    let keyring = Keyring::open(&dir.path().join("keys"), Seed::fixed(2)).unwrap();
    let opened = Store::open(Options {
        backend,
        region: "kr-test".parse().unwrap(),
        origin: "test.example/log".to_owned(),
        clock: Arc::new(ManualClock::at(NOON)),
        seed: Seed::fixed(2),
        keyring: Arc::new(keyring),
        registry: registry(&[crate::slice(), web::slice()]),
    });
    let after = opened.unwrap().store.read_blocking(everything).unwrap();
    assert!(after == before);
}

#[tokio::test]
async fn a_program_proposes_and_is_told_every_mistake_in_its_language() {
    let town = Town::new();
    let mut first = town.staff(6).await;
    let mut rules = stricter();
    rules[1]["Logic"]["and"][0] = json!({ "max": [1, 2] });
    let body = |rules: &Value| json!({ "name": "Guidance", "rules": rules });
    let headers = |language| {
        [
            ("accept", "application/json"),
            ("content-type", "application/json"),
            ("accept-language", language),
        ]
    };
    for (language, words) in [
        ("ko", "없는 연산자입니다."),
        ("en", "There is no such operator."),
        ("zh-Hans", "没有这个运算符。"),
    ] {
        let sent = body(&rules).to_string().into_bytes();
        let answer = first.raw("POST", "/api/v1/passes/rules", &headers(language), sent).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(answer.code(), "pass-rules-invalid");
        let mistake = &answer.json()["mistakes"][0];
        assert_eq!(mistake["pointer"], json!("/rules/1/Logic/and/0"));
        assert_eq!(
            (&mistake["code"], &mistake["text"]),
            (&json!("unknown_operator"), &json!(words))
        );
    }
    let taken = first.post_json("/api/v1/passes/rules", &body(&stricter())).await;
    assert_eq!(taken.status, StatusCode::CREATED, "{}", taken.text);
    assert_eq!(taken.json()["changes"].as_array().unwrap().len(), 4);
    assert_eq!(taken.json()["changes"][0]["after"], json!("no_pass"));
    let path = format!("/api/v1/passes/rules/{}", taken.json()["set"].as_str().unwrap());
    let confirm = json!({ "verdict": "confirm" });
    assert_eq!(first.post_json(&path, &confirm).await.code(), "pass-same-officer");
    let done = town.staff(7).await.post_json(&path, &confirm).await;
    assert_eq!(done.status, StatusCode::NO_CONTENT, "{}", done.text);
    // Everybody can read what is in force and compare it with the public log.
    let mut anybody = town.house.browser();
    let list = anybody.get_json("/api/v1/passes/rules").await.json();
    assert_eq!(list["in_force"], taken.json()["set"]);
    let file = anybody.get_json(&path).await;
    assert_eq!(file.json()["rules"], stricter());
    let hash = <sha2::Sha256 as sha2::Digest>::digest(&file.body);
    assert_eq!(list["sets"][0]["sha256"], json!(hex::encode(hash)));
    let shipped_path = format!("/api/v1/passes/rules/{SHIPPED}");
    assert_eq!(anybody.get_json(&shipped_path).await.json()["rules"], Value::from(shipped()));
}

#[tokio::test]
async fn a_mistake_on_the_page_stands_there_with_its_place_and_nothing_is_proposed() {
    let town = Town::new();
    let mut first = town.staff(6).await;
    let mut rules = stricter();
    rules[0]["ValidTo"] = json!("soon");
    let sent = send(&mut first, &rules).await;
    assert_eq!(sent.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        sent.text.contains("/0/ValidTo") && sent.text.contains("f-rules-error"),
        "{}",
        sent.text
    );
    let broken = first.upload(PAGE, &[("name", "x")], &[("rules", b"{")]).await;
    assert!(broken.text.contains("JSON"), "{}", broken.text);
    let nothing = first.upload(PAGE, &[("name", "x")], &[]).await;
    assert_eq!(nothing.status, StatusCode::UNPROCESSABLE_ENTITY);
    let book = town.house.app.read(view::city_rules).await.unwrap();
    assert_eq!(book, CityRules::default());
}

#[tokio::test]
async fn a_rejected_set_is_kept_nowhere_and_only_officers_of_the_region_are_let_in() {
    let town = Town::new();
    let mut first = town.staff(6).await;
    send(&mut first, &stricter()).await;
    let path = find(&first.page(PAGE).await);
    answer(&mut first, "reject").await;
    let file = town.house.browser().get_json(&path.replace("/desk", "/api/v1")).await;
    assert_eq!(file.code(), "pass-rule-set-unknown");
    let again = first.form(&path, &[("verdict", "propose")]).await;
    assert_eq!(again.code(), "pass-rule-set-unknown");
    for who in [1, 3, 4, 5, 8] {
        let answer = town.staff(who).await.get(PAGE).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{who}");
    }
}

/// Every place in a value.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, it)| places(it, &format!("{at}/{name}"), found));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, it)| places(it, &format!("{at}/{n}"), found));
        }
        _ => {}
    }
}

proptest::proptest! {
    #[test]
    fn no_set_ends_in_a_panic_and_one_that_is_taken_can_be_asked_and_carried(
        bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
        at in proptest::prelude::any::<proptest::sample::Index>(),
        value in proptest::sample::select(vec![
            json!(null), json!(0), json!(-1), json!(1.5), json!(""), json!("2026-11-22"), json!([]),
            json!({}), json!(true), json!({ "var": "payload" }), json!({ "var": "external.valueSets.x.0" }),
        ]),
    ) {
        let _ = import::json(&bytes);
        let mut rules = Value::from(shipped());
        let mut found = Vec::new();
        places(&rules, "", &mut found);
        *rules.pointer_mut(&found[at.index(found.len())]).unwrap() = value;
        if let Ok(file) = import::check(&rules, Some(&json!({ "a": [] }))) {
            let count = file.rules.len();
            let published = Published::of(file.clone());
            proptest::prop_assert_eq!(published.rules().len(), count);
            let _ = import::notes(&published, NOW);
            let _ = compare::differences(&published, &published, NOW);
            let again: RuleFile = serde_json::from_str(&file.text()).unwrap();
            proptest::prop_assert_eq!(again, file);
        }
    }
}
