//! The desk changes or frees a number: rules, both numbers told, old ways in ended, and that two
//! people never hold one number.

use axum::http::{Method, StatusCode};
use contracts::person::{Person, Role, Scope, Staff};
use kernel::{Aggregate as _, Id, Instant, Locale, given};
use web::Who;
use web::phone::normal;

use super::routes::{Browser, City, last_code};
use super::store::{CONTEXT, Lab};
use super::{HELPER, NOW, offered, registered};
use crate::command::{Asker, CitizenCommand};
use crate::door;
use crate::event::{CitizenEvent, PhoneReason};
use crate::model::Citizen;
use crate::refusal::Refusal;
use crate::view;

const OFFICER: Id<Staff> = Id::from_u128(10);

fn decided(
    past: &[CitizenEvent],
    phone: Option<&str>,
    id_checked: bool,
    taken: bool,
) -> Result<Vec<CitizenEvent>, Refusal> {
    let (phone, reason) = (phone.map(str::to_owned), PhoneReason::Lost);
    let command =
        CitizenCommand::ChangePhoneAtDesk { officer: OFFICER, id_checked, phone, reason, taken };
    given::<Citizen>(past).decide(command, NOW)
}

fn changed(phone: Option<&str>) -> CitizenEvent {
    let phone = phone.map(str::to_owned);
    CitizenEvent::PhoneChangedAtDesk { phone, reason: PhoneReason::Lost, by: OFFICER }
}

#[test]
fn the_desk_changes_or_frees_a_number_once_the_document_was_looked_at() {
    let past = [registered()];
    let new = "+821087654321";
    assert_eq!(decided(&past, Some("010-8765-4321"), true, false), Ok(vec![changed(Some(new))]));
    assert_eq!(decided(&past, None, true, false), Ok(vec![changed(None)]));
    assert_eq!(decided(&past, Some(new), false, false), Err(Refusal::IdNotChecked));
    assert_eq!(decided(&past, None, false, false), Err(Refusal::IdNotChecked));
    assert_eq!(decided(&past, Some(new), true, true), Err(Refusal::PhoneTaken));
    assert_eq!(decided(&past, Some("12"), true, false), Err(Refusal::PhoneInvalid));
    assert_eq!(decided(&[], Some(new), true, false), Err(Refusal::NotRegistered));
}

#[test]
fn the_same_number_or_none_twice_is_no_change() {
    let same = decided(&[registered()], Some("010 1234 5678"), true, false);
    assert_eq!(same, Err(Refusal::PhoneUnchanged));
    let freed = [registered(), changed(None)];
    assert_eq!(decided(&freed, None, true, false), Err(Refusal::PhoneUnchanged));
    assert!(decided(&freed, Some("01012345678"), true, false).is_ok());
}

#[test]
fn a_consent_code_of_whoever_held_the_old_number_stops_working() {
    let past = [registered(), offered(NOW.plus_seconds(60)), changed(Some("+821087654321"))];
    let accept = CitizenCommand::AcceptHelp {
        offer: "tag".to_owned(),
        person: super::SELF,
        helper: HELPER,
        kin: crate::event::Kin::Other,
        until: NOW.plus_days(1),
        helping: 0,
    };
    assert_eq!(given::<Citizen>(&past).decide(accept, NOW), Err(Refusal::HelpOfferUnknown));
}

impl Lab {
    fn change_at_desk(&self, person: Id<Person>, phone: Option<&'static str>) -> Option<Refusal> {
        let answer = self.write(move |tx| {
            let (reason, told) = (PhoneReason::Reassigned, |_: Locale, key: &str| key.to_owned());
            door::change_phone_at_desk(tx, &CONTEXT, person, OFFICER, true, phone, reason, told)
        });
        answer.err()
    }

    fn holder(&self, phone: &str) -> Option<Id<Person>> {
        self.read(|reader| view::holder_of(reader, &normal(phone).unwrap()))
    }

    /// The text messages, oldest first: to whom, and which.
    fn told(&self) -> Vec<(String, String)> {
        let text = |it: &serde_json::Value| it.as_str().unwrap().to_owned();
        let messages = self.read(|reader| reader.latest_messages("sms", 99));
        messages.iter().rev().map(|it| (text(&it.body["to"]), text(&it.body["text"]))).collect()
    }
}

#[test]
fn both_numbers_are_told_and_a_freed_number_is_nobody_s() {
    let lab = Lab::new();
    let person = lab.citizen(1, "01011111111");
    assert_eq!(lab.change_at_desk(person, Some("01022222222")), None);
    let expected =
        [("+821011111111", "person-sms-phone-freed"), ("+821022222222", "person-sms-phone-set")];
    assert_eq!(lab.told(), expected.map(|(to, text)| (to.to_owned(), text.to_owned())));
    assert_eq!((lab.holder("01011111111"), lab.holder("01022222222")), (None, Some(person)));
    assert_eq!(lab.change_at_desk(person, None), None);
    assert_eq!(lab.told().len(), 3, "only the old number is there to be told");
    let row = lab.read(|reader| view::citizen(reader, person)).unwrap();
    assert_eq!((row.phone, row.phone_at), (None, None));
    assert_eq!(lab.change_at_desk(Id::from_u128(9), None), Some(Refusal::NotRegistered));
    lab.audit();
}

#[test]
fn whoever_gets_a_freed_number_is_a_new_person_and_the_old_one_cannot_take_it_back() {
    let lab = Lab::new();
    let old = lab.citizen(1, "01011111111");
    assert_eq!(lab.change_at_desk(old, None), None);
    let new = lab.citizen(2, "01011111111");
    assert_eq!(lab.holder("01011111111"), Some(new));
    assert_eq!(lab.change_at_desk(old, Some("01011111111")), Some(Refusal::PhoneTaken));
    lab.audit();
}

#[test]
fn two_people_never_hold_one_number_whatever_the_desk_and_they_themselves_do() {
    let lab = Lab::new();
    let numbers = ["01011111111", "01022222222", "01033333333"];
    let people = [1_u128, 2, 3, 4].map(Id::<Person>::from_u128);
    let registration = || crate::Registration {
        name: "김하늘".to_owned(),
        birth_date: "1988-02-29".parse().unwrap(),
        locale: Locale::Ko,
        today: "2026-03-02".parse().unwrap(),
    };
    let seed = kernel::Seed::fixed(7);
    let pick = |from: usize| usize::try_from(seed.below(from.try_into().unwrap())).unwrap();
    for step in 0..150 {
        let (person, phone) = (people[pick(people.len())], numbers[pick(numbers.len())]);
        match pick(4) {
            0 => {
                let it = registration();
                let _ = lab.write(move |tx| door::register(tx, &CONTEXT, person, &it, phone));
            }
            1 => {
                let _ = lab.write(move |tx| {
                    let told = |_: Locale| String::new();
                    door::change_phone(tx, &CONTEXT, person, Asker::Own, phone, told)
                });
            }
            2 => drop(lab.change_at_desk(person, Some(phone))),
            _ => drop(lab.change_at_desk(person, None)),
        }
        let rows = people.map(|it| lab.read(|reader| view::citizen(reader, it)));
        let held: Vec<_> = rows.into_iter().flatten().filter_map(|it| it.phone).collect();
        let distinct: std::collections::BTreeSet<_> = held.iter().collect();
        assert_eq!(distinct.len(), held.len(), "step {step}");
    }
    lab.audit();
}

/// Finds somebody at the desk and gives the page's form for the number back, filled in.
async fn ask(desk: &mut Browser<'_>, person: Id<Person>, fields: &str) -> super::routes::Answer {
    desk.get("/desk/people").await;
    let found = desk.post("/desk/people/find", &format!("who={person}&grounds=lost")).await;
    assert!(found.body.contains("/phone\""), "{}", found.body);
    desk.post(&format!("/desk/people/{person}/phone"), fields).await
}

#[tokio::test]
async fn at_the_desk_a_new_number_counts_once_its_code_is_typed_and_the_person_sees_it_all() {
    let city = City::new();
    let boss = city.boss();
    let person = city.lab.citizen(1, "01011111111");
    let officer = city.member(boss, Role::HealthOfficer, Scope::Region);
    let mut thief = city.signed_in(Who::Citizen(person)).await;
    let mut desk = city.signed_in(Who::Staff(officer)).await;

    let fields = "reason=lost&phone=010-2222-2222&grounds=lost";
    let unchecked = ask(&mut desk, person, fields).await;
    assert_eq!(unchecked.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(unchecked.body.contains("김하늘"), "the record is shown again");
    let fields = format!("{fields}&phone_id_checked=yes");
    let wrong = ask(&mut desk, person, &fields.replace("010-2222-2222", "12")).await;
    assert!(wrong.body.contains("f-phone-error"), "{}", wrong.body);
    let asked = ask(&mut desk, person, &fields).await;
    assert_eq!(asked.status, StatusCode::OK, "{}", asked.body);
    assert_eq!(thief.get("/account").await.status, StatusCode::OK, "nothing has changed yet");
    let code = last_code(&city);
    let path = format!("/desk/people/{person}/phone/code");
    let other = if code == "000000" { "111111" } else { "000000" };
    let wrong = desk.post(&path, &format!("{fields}&code={other}")).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let done = desk.post(&path, &format!("{fields}&code={code}")).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);

    assert!(thief.get("/account").await.location.starts_with("/sign-in"), "sessions end");
    assert_eq!(city.lab.holder("01022222222"), Some(person));
    let mut own = city.signed_in(Who::Citizen(person)).await;
    let account = own.get("/account").await;
    assert!(account.body.contains("창구에서 바꾼 번호"), "{}", account.body);
    assert!(account.body.contains("보건 담당관") && !account.body.contains("박누리"));
    let readers = own.get("/account/readers").await;
    assert!(readers.body.contains("번호 변경 (분실)"), "{}", readers.body);
    let export = own.get("/account/export").await;
    assert!(export.body.contains("person.phone_changed_at_desk.v1"));
}

#[tokio::test]
async fn a_re_assigned_number_opens_nothing_of_the_old_record() {
    let city = City::new();
    let boss = city.boss();
    let old = city.lab.citizen(1, "01011111111");
    let officer = city.member(boss, Role::Administrator, Scope::Region);
    let mut desk = city.signed_in(Who::Staff(officer)).await;
    let fields = "reason=reassigned&phone=&grounds=x&phone_id_checked=yes";
    assert_eq!(ask(&mut desk, old, fields).await.status, StatusCode::SEE_OTHER);

    let mut new = city.visitor();
    new.get("/sign-in").await;
    new.post("/sign-in", "phone=010-1111-1111&next=").await;
    let code = last_code(&city);
    let answer = new.post("/sign-in/code", &format!("phone=01011111111&next=&code={code}")).await;
    assert_eq!(answer.location, "/register", "nobody is known by this number");
    new.get("/register").await;
    let done =
        new.post("/register", "name=%EB%B0%95%EC%83%88%EB%B3%84&birth_date=1990-05-05").await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    for path in ["/account", "/account/export", "/account/readers", "/account/help"] {
        let page = new.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(!page.body.contains("김하늘") && !page.body.contains("1988"), "{path}");
    }
    assert_ne!(city.lab.holder("01011111111"), Some(old));
}

#[tokio::test]
async fn the_api_changes_a_number_for_officers_of_the_region_only() {
    let city = City::new();
    let boss = city.boss();
    let person = city.lab.citizen(1, "01011111111");
    let officer = city.member(boss, Role::HealthOfficer, Scope::Region);
    let elsewhere = city.member(boss, Role::HealthOfficer, Scope::Place(super::routes::GATE));
    let path = format!("/api/v1/people/{person}/phone");
    let json = "application/json";
    let put = r#"{"phone":"01022222222","code":"CODE","reason":"lost","id_checked":true}"#;
    for who in [Who::Staff(elsewhere), Who::Citizen(person)] {
        let mut browser = city.signed_in(who).await;
        let answer = browser.send(Method::PUT, &path, json, put.to_owned()).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    }
    let mut desk = city.signed_in(Who::Staff(officer)).await;
    let unproven = desk.send(Method::PUT, &path, json, put.to_owned()).await;
    assert_eq!(unproven.status, StatusCode::UNPROCESSABLE_ENTITY);
    let number = r#"{"phone":"01022222222"}"#.to_owned();
    let sent = desk.send(Method::POST, &format!("{path}/code"), json, number).await;
    assert_eq!(sent.status, StatusCode::NO_CONTENT, "{}", sent.body);
    let proven = put.replace("CODE", &last_code(&city));
    let done = desk.send(Method::PUT, &path, json, proven).await;
    assert_eq!(done.status, StatusCode::NO_CONTENT, "{}", done.body);
    let before = Instant::from_micros(i64::MAX);
    let rows = city.lab.read(|reader| reader.readings_of(person.to_u128(), before, 9));
    assert!(rows.iter().any(|it| (&*it.record, &*it.purpose) == ("person.phone", "phone_lost")));
    let free = r#"{"reason":"mistyped","id_checked":false}"#.to_owned();
    let unchecked = desk.send(Method::PUT, &path, json, free.clone()).await;
    assert_eq!(unchecked.status, StatusCode::UNPROCESSABLE_ENTITY);
    let freed = desk.send(Method::PUT, &path, json, free.replace("false", "true")).await;
    assert_eq!(freed.status, StatusCode::NO_CONTENT);
    assert_eq!(city.lab.holder("01022222222"), None);
    for wrong in ["{}", r#"{"reason":"stolen","id_checked":true}"#, "[", r#"{"reason":1}"#] {
        let answer = desk.send(Method::PUT, &path, json, wrong.to_owned()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
}
