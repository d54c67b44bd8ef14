//! Signing in by code and by link, sessions, and what they may not do.

use http::StatusCode;

use super::*;
use crate::session::Begin;
use crate::testing::Browser;
use crate::{Actor, Config, Who, link, otp, session};

async fn messages(house: &House) -> Vec<String> {
    let found = house.app.read(|reader| reader.latest_messages("sms", 50)).await.unwrap();
    found.iter().map(|it| it.body["text"].as_str().unwrap().to_owned()).collect()
}

/// The six digits of a message.
fn digits(text: &str) -> String {
    let mut runs = text.split(|it: char| !it.is_ascii_digit());
    runs.find(|it| it.len() == 6).expect("a code").to_owned()
}

async fn latest_code(house: &House) -> String {
    digits(messages(house).await.first().unwrap())
}

async fn ask_for_code(browser: &mut Browser, phone: &str) -> StatusCode {
    browser.get("/sign-in").await;
    browser.post("/sign-in", &[("phone", phone), ("next", "/tried/citizen")]).await.status
}

async fn enter(browser: &mut Browser, phone: &str, code: &str) -> crate::testing::Answer {
    let fields = [("phone", phone), ("code", code), ("next", "/tried/citizen")];
    browser.post("/sign-in/code", &fields).await
}

#[tokio::test]
async fn a_known_number_with_its_code_is_signed_in() {
    let dir = tempfile::tempdir().unwrap();
    let house = house(&dir);
    let mut browser = house.browser();
    assert_eq!(ask_for_code(&mut browser, "010-1234-5678").await, StatusCode::OK);
    let code = latest_code(&house).await;
    let answer = enter(&mut browser, KNOWN, &code).await;
    assert_eq!(answer.location(), Some("/tried/citizen"));
    assert!(browser.cookie("__Host-haetae").is_some_and(|it| it.len() == 64));
    let home = browser.get("/").await;
    assert!(home.text.contains("홍길동"));
    assert_eq!(browser.get("/tried/citizen").await.status, StatusCode::OK);
    browser.get("/").await;
    assert_eq!(browser.post("/logout", &[]).await.location(), Some("/"));
    assert_eq!(browser.get_json("/tried/citizen").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_unknown_number_goes_on_to_registration_with_the_number_proven() {
    let dir = tempfile::tempdir().unwrap();
    let house = house(&dir);
    let mut browser = house.browser();
    ask_for_code(&mut browser, "010-9999-0000").await;
    let code = latest_code(&house).await;
    let answer = enter(&mut browser, "+821099990000", &code).await;
    assert_eq!(answer.location(), Some("/register"));
    assert_eq!(browser.get_json("/tried/citizen").await.status, StatusCode::UNAUTHORIZED);
    let token = browser.cookie("__Host-haetae").unwrap().to_owned();
    let now = house.app.now();
    let session =
        house.app.read(move |reader| session::find(reader, &token, now)).await.unwrap().unwrap();
    assert_eq!(session.phone.as_deref(), Some("+821099990000"));
}

#[tokio::test]
async fn the_first_page_after_a_number_is_the_same_for_known_and_unknown_ones() {
    let dir = tempfile::tempdir().unwrap();
    let house = house(&dir);
    let mut pages = Vec::new();
    for phone in ["010-1234-5678", "010-9999-0000"] {
        let mut browser = house.browser();
        browser.get("/sign-in").await;
        let answer = browser.post("/sign-in", &[("phone", phone)]).await;
        let plain = answer.text.replace("+821012345678", "X").replace("+821099990000", "X");
        let (csrf, once) = (browser.csrf.clone(), browser.once.clone());
        pages.push(plain.replace(&csrf, "").replace(&once, ""));
    }
    assert_eq!(pages[0], pages[1]);
}

#[tokio::test]
async fn a_code_survives_four_wrong_tries_and_not_five() {
    let dir = tempfile::tempdir().unwrap();
    let house = house(&dir);
    for (wrong_tries, expected) in [(4, true), (5, false)] {
        let phone = format!("+8210000000{wrong_tries:02}");
        otp::send(&house.app, &phone, kernel::Locale::Ko).await.unwrap();
        let code = latest_code(&house).await;
        let wrong = if code == "000000" { "000001" } else { "000000" };
        for _ in 0..wrong_tries {
            assert!(!otp::check(&house.app, &phone, wrong).await.unwrap());
        }
        assert_eq!(otp::check(&house.app, &phone, &code).await.unwrap(), expected);
        house.clock.advance_seconds(1);
    }
}

#[tokio::test]
async fn a_code_holds_for_five_minutes_once_and_for_its_number_only() {
    let dir = tempfile::tempdir().unwrap();
    let house = house(&dir);
    let app = &house.app;
    otp::send(app, KNOWN, kernel::Locale::En).await.unwrap();
    let code = latest_code(&house).await;
    assert!(!otp::check(app, "+821000000000", &code).await.unwrap());
    house.clock.advance_seconds(otp::HOLDS_S - 1);
    assert!(otp::check(app, KNOWN, &format!(" {code} ")).await.unwrap());
    assert!(!otp::check(app, KNOWN, &code).await.unwrap(), "a code is spent by use");

    otp::send(app, KNOWN, kernel::Locale::En).await.unwrap();
    let code = latest_code(&house).await;
    house.clock.advance_seconds(otp::HOLDS_S);
    assert!(!otp::check(app, KNOWN, &code).await.unwrap(), "a code ends after five minutes");
}

#[tokio::test]
async fn one_number_gets_five_codes_an_hour() {
    let dir = tempfile::tempdir().unwrap();
    let house = house(&dir);
    for _ in 0..otp::SENT_MAX {
        otp::send(&house.app, KNOWN, kernel::Locale::Ko).await.unwrap();
    }
    house.clock.advance_seconds(otp::WINDOW_S - 1);
    let problem = otp::send(&house.app, KNOWN, kernel::Locale::Ko).await.unwrap_err();
    assert_eq!((problem.code, problem.retry_after_s), ("web-too-many", Some(1)));
    house.clock.advance_seconds(1);
    otp::send(&house.app, KNOWN, kernel::Locale::Ko).await.unwrap();
}

#[tokio::test]
async fn a_wrong_number_and_a_wrong_code_bring_the_form_back() {
    let dir = tempfile::tempdir().unwrap();
    let house = house(&dir);
    let mut browser = house.browser();
    assert_eq!(ask_for_code(&mut browser, "12").await, StatusCode::UNPROCESSABLE_ENTITY);
    ask_for_code(&mut browser, KNOWN).await;
    let code = latest_code(&house).await;
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let answer = enter(&mut browser, KNOWN, wrong).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text.contains("f-code-error"));
    assert!(enter(&mut browser, KNOWN, &code).await.status.is_redirection());
}

#[tokio::test]
async fn a_link_is_looked_at_often_and_used_once() {
    let dir = tempfile::tempdir().unwrap();
    let house = house(&dir);
    let make = |tx: &mut store::Tx<'_>| link::make(tx, Who::Staff(OFFICER), 600);
    let path = house.app.write(make).await.unwrap();
    let (mut browser, mut late) = (house.browser(), house.browser());
    late.get(&path).await;
    for _ in 0..3 {
        assert!(browser.get(&path).await.text.contains("김보건"));
    }
    let answer = browser.post(&path, &[]).await;
    assert_eq!(answer.location(), Some("/desk"));
    assert_eq!(browser.get("/desk").await.status, StatusCode::OK);
    assert_eq!(late.post(&path, &[]).await.status, StatusCode::GONE);
    assert_eq!(late.get(&path).await.status, StatusCode::GONE);

    let path = house.app.write(make).await.unwrap();
    house.clock.advance_seconds(600);
    assert_eq!(browser.get(&path).await.status, StatusCode::GONE, "links end by themselves");
}

#[tokio::test]
async fn sessions_end_by_idleness_and_at_their_limit() {
    let dir = tempfile::tempdir().unwrap();
    let house = house(&dir);
    let begin = |who| Begin { who, ..Begin::default() };
    let mut officer = house.browser_of(begin(Who::Staff(OFFICER))).await;
    let mut idle = officer.clone();
    // Used every 29 minutes it lives on, up to 12 hours.
    for _ in 0..24 {
        house.clock.advance_seconds(29 * 60);
        assert_eq!(officer.get_json("/tried/staff").await.status, StatusCode::OK);
    }
    house.clock.advance_seconds(24 * 60);
    assert_eq!(idle.get_json("/tried/staff").await.status, StatusCode::UNAUTHORIZED);

    let mut officer = house.browser_of(begin(Who::Staff(OFFICER))).await;
    house.clock.advance_seconds(30 * 60);
    assert_eq!(officer.get_json("/tried/staff").await.status, StatusCode::UNAUTHORIZED);

    let mut citizen = house.browser_of(begin(Who::Citizen(PERSON))).await;
    house.clock.advance_seconds(30 * 86_400 - 1);
    assert_eq!(citizen.get_json("/tried/citizen").await.status, StatusCode::OK);
    house.clock.advance_seconds(30 * 86_400);
    assert_eq!(citizen.get_json("/tried/citizen").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_person_ends_their_other_sessions_and_nobody_else_s() {
    let dir = tempfile::tempdir().unwrap();
    let house = house(&dir);
    let begin = |who| Begin { who, ..Begin::default() };
    let mut here = house.browser_of(begin(Who::Citizen(PERSON))).await;
    let mut there = house.browser_of(begin(Who::Citizen(PERSON))).await;
    let mut stranger = house.browser_of(begin(Who::Citizen(HELPED))).await;
    let token = there.cookie("__Host-haetae").unwrap().to_owned();
    let now = house.app.now();
    let session = house.app.read(move |reader| session::find(reader, &token, now)).await.unwrap();
    let path = format!("/account/sessions/{}/end", session.unwrap().handle());
    stranger.get("/account/sessions").await;
    assert_eq!(stranger.post(&path, &[]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(here.get("/account/sessions").await.text.matches("/end\"").count(), 1);
    assert!(here.post(&path, &[]).await.status.is_redirection());
    assert_eq!(there.get_json("/tried/citizen").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(here.get_json("/tried/citizen").await.status, StatusCode::OK);
}

#[tokio::test]
async fn helping_ends_when_consent_is_no_longer_there() {
    let dir = tempfile::tempdir().unwrap();
    let house = house(&dir);
    let who = Who::Citizen(PERSON);
    let mut browser = house.browser_of(Begin { who, ..Begin::default() }).await;
    let token = browser.cookie("__Host-haetae").unwrap().to_owned();
    let now = house.app.now();
    let session = house.app.read(move |reader| session::find(reader, &token, now)).await.unwrap();
    let actor = Actor { who, session, ..Actor::default() };
    session::act_for(&house.app, &actor, Some(HELPED)).await.unwrap();
    assert!(browser.get("/help").await.text.contains("대신해"));
    session::act_for(&house.app, &actor, Some(Id::from_u128(55))).await.unwrap();
    assert!(!browser.get("/help").await.text.contains("대신해"), "no consent, no help");
}

#[tokio::test]
async fn a_passkey_ceremony_is_offered_kept_and_used_once() {
    let dir = tempfile::tempdir().unwrap();
    let house = house(&dir);
    let who = Who::Citizen(PERSON);
    let mut browser = house.browser_of(Begin { who, ..Begin::default() }).await;
    let begun = browser.post_json("/account/passkeys/begin", &serde_json::json!({})).await;
    let begun = begun.json();
    assert_eq!(begun["publicKey"]["rp"]["id"], "localhost");
    assert_eq!(begun["publicKey"]["authenticatorSelection"]["residentKey"], "required");
    assert_eq!(begun["publicKey"]["authenticatorSelection"]["userVerification"], "required");
    // An answer to another challenge: refused, and the ceremony is over.
    let client = "{\"type\":\"webauthn.create\",\"challenge\":\"AAAA\",\"origin\":\"http://localhost:8080\"}";
    let encode = |it: &[u8]| {
        use base64::Engine as _;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(it)
    };
    let finish = serde_json::json!({
        "ceremony": begun["ceremony"],
        "credential": {
            "id": "AAAA", "rawId": "AAAA", "type": "public-key", "extensions": {},
            "response": { "attestationObject": encode(b"\xa0"), "clientDataJSON": encode(client.as_bytes()) },
        },
    });
    let answer = browser.post_json("/account/passkeys/finish", &finish).await;
    assert_eq!(answer.code(), "web-passkey-failed");
    let answer = browser.post_json("/account/passkeys/finish", &finish).await;
    assert_eq!(answer.code(), "web-expired");
    assert!(browser.get("/account/passkeys").await.text.contains("data-passkey=\"register\""));
}

#[tokio::test]
async fn without_a_domain_name_there_are_no_passkeys() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = Config::local(8080, true).unwrap();
    config.origin = url::Url::parse("http://192.0.2.7:8080").unwrap();
    let house = House::with_config(dir.path(), vec![], questions(), config);
    let mut browser = house.browser();
    assert!(!browser.get("/sign-in").await.text.contains("data-passkey"));
    let answer = browser.post_json("/sign-in/passkey/begin", &serde_json::json!({})).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_has_expired_is_swept_away() {
    let dir = tempfile::tempdir().unwrap();
    let house = house(&dir);
    house.browser_of(Begin::default()).await;
    otp::send(&house.app, KNOWN, kernel::Locale::Ko).await.unwrap();
    house.app.write(|tx| link::make(tx, Who::Staff(OFFICER), 60)).await.unwrap();
    house.clock.advance_seconds(86_400);
    let job = crate::slice().jobs[0];
    (job.run)(house.app.clone()).await.unwrap();
    for table in ["web_session", "web_otp", "web_link"] {
        let sql = format!("SELECT COUNT(*) FROM {table} WHERE region = $1");
        let rows = house.app.read(move |reader| reader.first(&sql, &[])).await.unwrap();
        assert_eq!(rows.unwrap().int(0).unwrap(), 0, "{table}");
    }
}

#[tokio::test]
async fn stored_rows_hold_no_number_no_token_and_no_code() {
    let dir = tempfile::tempdir().unwrap();
    let house = house(&dir);
    let begin = Begin { phone: Some(KNOWN.to_owned()), ..Begin::default() };
    let browser = house.browser_of(begin).await;
    otp::send(&house.app, KNOWN, kernel::Locale::Ko).await.unwrap();
    let code = latest_code(&house).await;
    let token = browser.cookie("__Host-haetae").unwrap().to_owned();
    house.app.store.close();
    for secret in [KNOWN, &token, &format!("{code}입니다")] {
        assert!(!house.databases.hold(secret), "{secret} lies open");
    }
}

#[tokio::test]
async fn signing_in_makes_a_new_token_and_ends_the_old_one() {
    let dir = tempfile::tempdir().unwrap();
    let house = house(&dir);
    let who = Who::Citizen(PERSON);
    let mut browser = house.browser_of(Begin { who, ..Begin::default() }).await;
    let mut before = browser.clone();
    browser.get("/help").await;
    browser.post("/sign-in", &[("phone", KNOWN)]).await;
    let code = latest_code(&house).await;
    assert!(enter(&mut browser, KNOWN, &code).await.status.is_redirection());
    assert_ne!(before.cookie("__Host-haetae"), browser.cookie("__Host-haetae"));
    assert_eq!(browser.get_json("/tried/citizen").await.status, StatusCode::OK);
    assert_eq!(before.get_json("/tried/citizen").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_forgotten_person_is_signed_out_everywhere() {
    let dir = tempfile::tempdir().unwrap();
    let house = house(&dir);
    let who = Who::Citizen(PERSON);
    let mut browser = house.browser_of(Begin { who, ..Begin::default() }).await;
    let reaction = crate::slice().reactions[0];
    house
        .app
        .write(move |tx| {
            let forgotten = contracts::person::Published::Forgotten { person: PERSON };
            let context = store::Context::by(store::By::System("test"));
            reaction(tx, &context, &contracts::Published::Person(forgotten))
        })
        .await
        .unwrap();
    assert_eq!(browser.get_json("/tried/citizen").await.status, StatusCode::UNAUTHORIZED);
}
