//! Journeys of people through the whole house, over HTTP without a browser, on a clock that only
//! the test moves.

use code::model::OrderReason;
use contracts::person::{Grant, Person, Role, Scope, Staff};
use http::StatusCode;
use kernel::{Id, Instant};
use serde_json::{Value, json};
use sim::Told;
use store::{By, Context};
use tokio::task::JoinSet;
use web::Who;
use web::testing::{Answer, Browser, JSON, between};

use crate::city::{City, base64url};

pub(crate) const DECLARATIONS: &str = "/api/v1/code/declarations";

/// Runs a journey in a city that has had its first days.
pub(crate) fn run(test: impl AsyncFnOnce(City, Told)) {
    let city = City::behind_proxy(true);
    let told = city.tell();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(test(city, told));
}

/// What a healthy person sends.
pub(crate) fn healthy(name: &str) -> Value {
    json!({
        "name": name, "document": "M12345678", "residence": "해태시 중앙구", "stays": [],
        "contact_symptomatic": "no", "contact_confirmed": "no",
        "symptoms": { "fever": "no", "cough": "no", "sore_throat": "no",
            "breathlessness": "no", "smell_or_taste": "no" },
        "temperature_tenths": 365
    })
}

/// Texts sent to this number, newest first.
pub(crate) async fn inbox(city: &City, phone: &str) -> Vec<String> {
    let all = city.house.app.read(|it| it.latest_messages("sms", 100)).await.unwrap();
    let mine = all.into_iter().filter(|it| it.body["to"] == phone);
    mine.map(|it| it.body["text"].as_str().unwrap().to_owned()).collect()
}

/// Verifies a number by the one-time code from the outbox.
async fn verify(city: &City, phone: &str) -> (Browser, Answer) {
    let mut client = city.anonymous().await;
    let sent = client.form("/sign-in", &[("phone", phone), ("next", "")]).await;
    assert_eq!(sent.status, StatusCode::OK, "{}", sent.text);
    let text = inbox(city, phone).await.remove(0);
    let digits = text.split(|it: char| !it.is_ascii_digit()).find(|it| it.len() == 6).unwrap();
    let wrong = if digits == "000000" { "000001" } else { "000000" };
    let answer = client.form("/sign-in/code", &[("phone", phone), ("code", wrong)]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "a wrong code signs nobody in");
    let answer = client.form("/sign-in/code", &[("phone", phone), ("code", digits)]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    (client, answer)
}

/// Registers a new citizen as a person would.
pub(crate) async fn register(city: &City, name: &str, phone: &str) -> (Browser, Id<Person>) {
    let (mut client, answer) = verify(city, phone).await;
    assert_eq!(answer.header("location"), "/register");
    client.page("/register").await;
    let fields = [("name", name), ("birth_date", "1980-05-05")];
    let answer = client.form("/register", &fields).await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/"));
    client.page("/code/declare").await;
    let me = client.get_json("/api/v1/me").await.json();
    assert_eq!((me["name"].as_str(), me["phone"].as_str()), (Some(name), Some(phone)));
    let id = me["person"].as_str().unwrap().parse().unwrap();
    (client, id)
}

pub(crate) async fn declare(client: &mut Browser, body: &Value) {
    let answer = client.post_json(DECLARATIONS, body).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
}

async fn standing(client: &mut Browser) -> (String, Option<Instant>, String) {
    let it = client.get_json("/api/v1/code").await.json();
    let until = it["until"].as_str().map(|it| Instant::parse(it).unwrap());
    let reason = it["reasons"][0].as_str().unwrap_or_default().to_owned();
    (it["colour"].as_str().unwrap().to_owned(), until, reason)
}

fn colour(it: &(String, Option<Instant>, String)) -> (&str, &str) {
    (&it.0, &it.2)
}

pub(crate) async fn staff(city: &City, id: Id<Staff>) -> Browser {
    city.signed_in(Who::Staff(id)).await
}

#[test]
fn a_citizen_registers_by_code_declares_and_is_green_then_yellow_with_the_reason() {
    run(async |city, _| {
        let (mut me, _) = register(&city, "김하늘", "+821055550001").await;
        assert_eq!(standing(&mut me).await.0, "unknown", "nothing is known before a declaration");
        declare(&mut me, &healthy("김하늘")).await;
        let green = standing(&mut me).await;
        assert_eq!(colour(&green), ("green", "declared_healthy"));
        assert_eq!(green.1, Some(city.house.app.now().plus_days(14)), "green ends by itself too");
        assert!(me.page("/code").await.contains("data-colour=\"green\""));

        city.clock.set(city.house.app.now().plus_days(1));
        let mut ill = healthy("김하늘");
        ill["symptoms"]["cough"] = json!("yes");
        declare(&mut me, &ill).await;
        let yellow = standing(&mut me).await;
        assert_eq!(colour(&yellow), ("yellow", "symptom"));
        assert_eq!(yellow.1, Some(city.house.app.now().plus_days(7)));
        let page = me.page("/code").await;
        let days = [("symptom_days", kernel::Arg::Number(7))];
        let reason = city.house.app.texts.format(kernel::Locale::Ko, "code-reason-symptom", &days);
        assert!(page.contains("data-colour=\"yellow\"") && page.contains(&reason), "{page}");

        // The same number comes back, and finds what it left.
        let (mut again, answer) = verify(&city, "+821055550001").await;
        assert_ne!(answer.header("location"), "/register");
        assert_eq!(standing(&mut again).await, yellow);
    });
}

#[test]
fn red_by_a_positive_test_turns_green_on_the_day_by_the_clock_alone() {
    run(async |city, told| {
        let (mut me, id) = register(&city, "이바다", "+821055550002").await;
        let mut officer = staff(&city, told.officers[0]).await;
        let tested = city.house.app.now();
        let fields = [("result", "positive"), ("source", "laboratory"), ("day", "2026-03-02")];
        let answer = officer.form(&format!("/desk/code/people/{id}/tests"), &fields).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        city.clock.set(tested.plus_days(3));
        declare(&mut me, &healthy("이바다")).await;
        let (size, end) = (city.house.app.store.size(), tested.plus_days(14));
        for (at, expected) in [
            (tested.plus_days(3), ("red", "positive_test")),
            (Instant::from_micros(end.micros() - 1), ("red", "positive_test")),
            (end, ("green", "declared_healthy")),
        ] {
            city.clock.set(at);
            let now = standing(&mut me).await;
            assert_eq!(colour(&now), expected, "at {}", at.rfc3339());
            if expected.0 == "red" {
                assert_eq!(now.1, Some(end), "the end is announced");
            }
            let mark = format!("data-colour=\"{}\"", expected.0);
            assert!(me.page("/code").await.contains(&mark), "at {}", at.rfc3339());
        }
        assert_eq!(city.house.app.store.size(), size, "nothing but the clock has moved");
    });
}

#[test]
fn a_helper_acts_with_consent_and_stops_when_it_ends() {
    run(async |city, _| {
        let (mut elder, elder_id) = register(&city, "박어른", "+821055550003").await;
        let (mut child, child_id) = register(&city, "박자식", "+821055550004").await;
        let (elder_text, child_text) = (elder_id.to_string(), child_id.to_string());

        let refused = child.form("/account/help/act", &[("person", &elder_text)]).await;
        assert_eq!(refused.code(), "person-help-none", "nobody acts without consent");

        elder.page("/account/help").await;
        let offer = elder.form("/account/help/offer", &[]).await.text;
        let code = between(&offer, "class=\"code-short\">", "<").unwrap();
        let accept = [("code", code.as_str()), ("kin", "parent"), ("days", "30")];
        let answer = child.form("/account/help/accept", &accept).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        let again = child.form("/account/help/accept", &accept).await;
        assert!(again.status.is_client_error(), "a consent code works once");
        // The clock stands, so that two messages have no order.
        let told = inbox(&city, "+821055550003").await;
        assert!(told.iter().any(|it| it.contains("대신")), "the elder is told");

        let answer = child.form("/account/help/act", &[("person", &elder_text)]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        declare(&mut child, &healthy("박어른")).await;
        let list = elder.get_json(DECLARATIONS).await.json();
        assert_eq!((list.as_array().unwrap().len(), &list[0]["by_helper"]), (1, &json!(true)));
        assert_eq!(standing(&mut elder).await.0, "green");

        let who_read = elder.get_json("/api/v1/me/readers").await.json();
        let mut readings = who_read["readings"].as_array().unwrap().iter();
        let _ = child.get_json("/api/v1/me").await;
        assert!(readings.all(|it| !it["reader"].as_str().unwrap().contains("박자식")));
        let who_read = elder.get_json("/api/v1/me/readers").await.json();
        let mut readings = who_read["readings"].as_array().unwrap().iter();
        let seen = readings.any(|it| it["reader"].as_str().unwrap().contains("박자식"));
        assert!(seen, "what a helper reads is shown: {who_read}");

        let end = [("side", "helper"), ("person", child_text.as_str())];
        let answer = elder.form("/account/help/end", &end).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        let own = child.get_json("/api/v1/me").await.json();
        assert_eq!(own["person"], json!(child_text), "the helper is only themselves again");
        assert_eq!(child.get_json(DECLARATIONS).await.json(), json!([]));
    });
}

/// A third health officer: those who ordered may not judge the appeal.
async fn third_officer(city: &City, administrator: Id<Staff>) -> Id<Staff> {
    let id: Id<Staff> = city.house.app.new_id();
    let context = Context::by(By::Staff(administrator));
    let written = city.house.app.store.write(move |tx| {
        let (name, phone) = ("보건담당 3", Some("+821000009010".to_owned()));
        let appointed = person::door::appoint(tx, &context, id, name, phone, None, administrator)?;
        assert!(appointed.is_ok(), "{appointed:?}");
        let until = tx.now().plus_days(30);
        let grant = Grant { role: Role::HealthOfficer, scope: Scope::Region, until };
        person::door::grant_role(tx, &context, id, grant, administrator)
    });
    written.await.unwrap().unwrap();
    id
}

#[test]
fn a_colour_by_hand_takes_two_officers_is_told_shown_and_can_be_appealed() {
    run(async |city, told| {
        const PHONE: &str = "+821055550005";
        let (mut me, id) = register(&city, "최구름", PHONE).await;
        declare(&mut me, &healthy("최구름")).await;
        let third = third_officer(&city, told.administrator).await;
        let (mut first, mut second) =
            (staff(&city, told.officers[0]).await, staff(&city, told.officers[1]).await);

        // An officer looks, with a reason, which the person sees.
        let person = format!("/desk/code/people/{id}");
        let without = first.form(&person, &[("purpose", ""), ("grounds", "")]).await;
        assert_eq!(without.status, StatusCode::UNPROCESSABLE_ENTITY, "no reason, no record");
        let reason = [("purpose", "order"), ("grounds", "해태-2026-77")];
        let shown = first.form(&person, &reason).await;
        assert!(shown.text.contains("최구름"), "{}", shown.text);

        let before = inbox(&city, PHONE).await.len();
        let order = [
            ("colour", "red"),
            ("reason", OrderReason::Cluster.word()),
            ("number", "해태-2026-77"),
            ("until", "2026-03-09"),
        ];
        let answer = first.form(&format!("{person}/orders"), &order).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        assert_eq!(standing(&mut me).await.0, "green", "one officer changes nothing");
        let desk = second.page("/desk/code").await;
        let path = between(&desk, "href=\"/desk/code/orders/", "\"").unwrap();
        let path = format!("/desk/code/orders/{path}");
        let alone = first.form(&path, &[("verdict", "confirm")]).await;
        assert_eq!(
            (alone.status, alone.code().as_str()),
            (StatusCode::FORBIDDEN, "code-same-officer")
        );
        assert_eq!(standing(&mut me).await.0, "green", "nor does the same officer twice");
        let answer = second.form(&path, &[("verdict", "confirm")]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);

        assert_eq!(colour(&standing(&mut me).await), ("red", "order_red"));
        let messages = inbox(&city, PHONE).await;
        assert_eq!(messages.len(), before + 1, "the person is told, once");
        for word in [
            "빨",
            "노랑",
            "격리",
            "확진",
            "양성",
            "검사",
            "지시",
            "red",
            "yellow",
            "Isolate",
            "isolat",
            "positive",
            "test",
            "order",
            "최구름",
            "2026-77",
        ] {
            // The region of this test has a name with "test" in it.
            let text = messages[0].replace("kr-test", "");
            assert!(!text.contains(word), "{word} in {text}");
        }
        let page = me.page("/code/history").await;
        assert!(page.contains("해태-2026-77"), "the order's number is shown: {page}");
        let readers = me.get_json("/api/v1/me/readers").await.json().to_string();
        let texts = &city.house.app.texts;
        let officer = texts.get(kernel::Locale::Ko, "person-role-health-officer");
        assert!(readers.contains("해태-2026-77") && readers.contains(&officer), "{readers}");

        // The person objects and is answered within a day, by somebody who did not order it.
        let page = me.page("/code/appeal").await;
        let decision = between(&page, "name=\"decision\" value=\"", "\"").unwrap();
        let appeal = [("decision", decision.as_str()), ("text", "그날 그곳에 없었습니다.")];
        let answer = me.form("/code/appeal", &appeal).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        let twice = me.form("/code/appeal", &appeal).await;
        assert_eq!(twice.code(), "code-appeal-open");
        let sent = city.house.app.now();
        let overdue = texts.get(kernel::Locale::Ko, "code-desk-overdue");
        let day = 24 * 3_600;
        city.clock.set(sent.plus_seconds(day));
        assert!(staff(&city, third).await.page("/desk/code").await.contains(&overdue));
        city.clock.set(sent.plus_seconds(day - 1));
        let mut third = staff(&city, third).await;
        let desk = third.page("/desk/code").await;
        assert!(!desk.contains(&overdue), "a second before its time an appeal is not overdue");
        let path = between(&desk, "href=\"/desk/code/appeals/", "\"").unwrap();
        let path = format!("/desk/code/appeals/{path}");
        let verdict = [("outcome", "upheld"), ("text", "확인했습니다."), ("aside_order", "1")];
        let mut first = staff(&city, told.officers[0]).await;
        assert_eq!(first.form(&path, &verdict).await.code(), "code-own-order");
        let answer = third.form(&path, &verdict).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        assert_eq!(colour(&standing(&mut me).await), ("green", "declared_healthy"));
        assert_eq!(inbox(&city, PHONE).await.len(), before + 2, "the answer is told too");
        assert!(me.page("/code/appeal").await.contains("확인했습니다."));
        let readers = me.get_json("/api/v1/me/readers").await.json();
        let purposes = readers["readings"].as_array().unwrap().iter();
        assert!(purposes.filter(|it| !it["grounds"].as_str().unwrap().is_empty()).count() >= 2);
    });
}

#[test]
fn who_deletes_themselves_is_nowhere_in_any_file_and_the_log_stays_whole() {
    run(async |city, told| {
        const CANARY: &str = "카나리아새의이름";
        const PHONE: &str = "+821055559876";
        let (mut me, id) = register(&city, CANARY, PHONE).await;
        let mut body = healthy(CANARY);
        body["document"] = json!("CANARY-99887766");
        body["residence"] = json!("카나리아섬 둥지로 1");
        declare(&mut me, &body).await;
        let key = json!({ "device_key": base64url(
            &credential::DeviceKey::from_scalar(&[9; 32]).unwrap().public()) });
        assert_eq!(me.post_json("/api/v1/code/passes", &key).await.status, StatusCode::CREATED);
        let mut officer = staff(&city, told.officers[0]).await;
        let reason = [("purpose", "care"), ("grounds", "A-1")];
        let page = officer.form(&format!("/desk/code/people/{id}"), &reason).await.text;
        assert!(page.contains(CANARY));

        let before = app::house::audit(&city.house.config, |_, _| {}).unwrap();
        assert_eq!(before.wrong, []);
        let not_yet = me.form("/account/delete", &[("confirm", "네")]).await;
        assert_eq!(not_yet.status, StatusCode::UNPROCESSABLE_ENTITY);
        let answer = me.form("/account/delete", &[("confirm", "삭제")]).await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/"));
        assert_eq!(me.get_json("/api/v1/me").await.status, StatusCode::UNAUTHORIZED, "signed out");
        let page = officer.form(&format!("/desk/code/people/{id}"), &reason).await;
        assert!(!page.text.contains(CANARY), "{}", page.text);

        let number = PHONE.trim_start_matches("+82");
        let held = |trace: &str| testdb::files_hold(&city.files(), trace.as_bytes());
        for trace in [CANARY, "CANARY-99887766", "카나리아섬", number] {
            assert!(!held(trace), "{trace}, server running");
        }
        city.house.app.store.close();
        for trace in [CANARY, "CANARY-99887766", "카나리아섬", number] {
            assert!(!held(trace), "{trace}, server stopped");
        }
        assert!(held("kr-test"), "the search works");
        let report = app::house::audit(&city.house.config, |_, _| {}).unwrap();
        assert_eq!(report.wrong, []);
        // Registered, declared, decided, pass issued, pass revoked, forgotten: nobody opens them.
        let gone = report.erased - before.erased;
        assert!(gone >= 4, "{gone} payloads cannot be opened any more");
        assert!(report.entries > before.entries, "the log says that somebody was forgotten");
    });
}

#[test]
fn one_key_a_thousand_times_in_parallel_is_one_declaration_and_one_answer() {
    run(async |city, _| {
        let (mut me, _) = register(&city, "정바람", "+821055550006").await;
        let body = healthy("정바람").to_string().into_bytes();
        let (size, mut tasks) = (city.house.app.store.size(), JoinSet::new());
        for _ in 0..1_000 {
            let (mut client, body) = (me.clone(), body.clone());
            tasks.spawn(async move {
                let headers =
                    [("accept", JSON), ("content-type", JSON), ("idempotency-key", "k-1")];
                let answer = client.raw("POST", DECLARATIONS, &headers, body).await;
                (answer.status, answer.text)
            });
        }
        let answers = tasks.join_all().await;
        assert_eq!(answers.len(), 1_000);
        for answer in &answers {
            assert_eq!(answer, &answers[0]);
        }
        assert_eq!(answers[0].0, StatusCode::CREATED, "{}", answers[0].1);
        for list in [DECLARATIONS, "/api/v1/code/decisions"] {
            assert_eq!(me.get_json(list).await.json().as_array().unwrap().len(), 1, "{list}");
        }
        assert_eq!(city.house.app.store.size(), size + 2, "a declaration and its decision");
        // Another key is another declaration.
        let headers = [("accept", JSON), ("content-type", JSON), ("idempotency-key", "k-2")];
        let answer = me.raw("POST", DECLARATIONS, &headers, body).await;
        assert_eq!(answer.status, StatusCode::CREATED);
        assert_eq!(me.get_json(DECLARATIONS).await.json().as_array().unwrap().len(), 2);
    });
}
