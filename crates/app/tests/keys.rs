//! A stolen signing key, from the operator's command to what a gate's lists say.

use app::keys::{Answer, Ask, answer};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use credential::{
    DeviceKey, Floor, Outcome, Policy, Presentation, Reason, RevocationList, Trust, TrustList,
    verify,
};
use http::StatusCode;
use kernel::Instant;
use serde_json::{Value, json};

use crate::city::{City, base64url};
use crate::journeys::{declare, healthy, inbox, register, run};

const PHONE: &str = "+821055550009";

async fn ask(city: &City, it: Ask) -> Value {
    match answer(&city.house.app, it, || true).await {
        Answer::Ok(said) => said,
        Answer::Refused(why) => panic!("{why}"),
    }
}

async fn refused(city: &City, it: Ask) -> String {
    match answer(&city.house.app, it, || true).await {
        Answer::Ok(said) => panic!("{said}"),
        Answer::Refused(why) => why,
    }
}

/// The signing key that is in use.
async fn current(city: &City) -> String {
    let listed = ask(city, Ask::List).await;
    let issuers = listed["issuers"].as_array().unwrap();
    let it = issuers.iter().find(|it| it["state"] == "current" && it["name"] == "issuer").unwrap();
    it["kid"].as_str().unwrap().to_owned()
}

#[test]
fn a_compromise_reaches_lists_and_floor_in_one_second_and_ends_what_was_signed_since() {
    run(async |city, _| {
        let (mut me, _) = register(&city, "홍길동", PHONE).await;
        declare(&mut me, &healthy("홍길동")).await;
        let key = DeviceKey::from_scalar(&[3; 32]).unwrap();
        let body = json!({ "device_key": base64url(&key.public()) });
        let issued = me.post_json("/api/v1/code/passes", &body).await;
        assert_eq!(issued.status, StatusCode::CREATED, "{}", issued.text);
        let issued = issued.json();
        let bytes = |field: &str| URL_SAFE_NO_PAD.decode(issued[field].as_str().unwrap()).unwrap();
        let pass: [u8; 16] = bytes("id").try_into().unwrap();
        let now_s = city.house.app.now().seconds();
        let moment = Some(key.prove(&pass, now_s).unwrap());
        let text = Presentation { signed: bytes("code"), moment }.to_text();
        let checked = ask(&city, Ask::Check { codes: vec![text.clone()] }).await;
        assert_eq!(checked["codes"], json!(["issued"]));
        let told = inbox(&city, PHONE).await.len();

        let kid = current(&city).await;
        let since = Instant::from_seconds(now_s).rfc3339();
        let why = "서버 침입".to_owned();
        let said = ask(&city, Ask::Compromise { kid: kid.clone(), since, why }).await;
        assert_eq!((&said["count"], &said["ended"]), (&json!(1), &json!(1)), "{said}");
        assert_eq!(said["passes"][0]["pass"], issued["pass"]);
        assert_ne!(current(&city).await, kid);
        assert_eq!(inbox(&city, PHONE).await.len(), told + 1);

        let mut gate = city.anonymous().await;
        let bundle = gate.get_json("/api/v1/gate/bundle").await.json();
        let of = |it: &Value| STANDARD.decode(it.as_str().unwrap()).unwrap();
        let root: [u8; 32] = of(&bundle["root"]).try_into().unwrap();
        let floor = Floor::open(&of(&bundle["floor"]), &root).unwrap();
        let list = gate.get_json("/api/v1/code/trust").await.json();
        let list = TrustList::open(&of(&list["list"]), &root, 0).unwrap();
        let revoked = gate.get_json("/api/v1/code/revocations").await.json();
        let revoked = RevocationList::open(&of(&revoked["list"]), &root, 0).unwrap();
        assert!(floor.since >= now_s, "lists of before count no more");
        assert!(
            floor.since <= list.issued_at && floor.since <= revoked.issued_at,
            "those of now do"
        );
        let trust = Trust { list, revocations: Some(revoked) };
        let verdict = verify(&text, &trust, None, &Policy::default(), now_s);
        assert_eq!(verdict.outcome, Outcome::NoPass, "{verdict:?}");
        assert_eq!(verdict.reasons, [Reason::IssuerRevoked, Reason::Revoked]);
        let checked = ask(&city, Ask::Check { codes: vec![text] }).await;
        assert_eq!((&checked["codes"], &checked["alarm"]), (&json!(["revoked"]), &json!(false)));
        let again = me.post_json("/api/v1/code/passes", &body).await;
        assert_eq!(again.status, StatusCode::CREATED, "a new one can be had at once");
    });
}

#[test]
fn an_organisation_is_given_a_key_and_loses_it_and_nonsense_is_refused_in_words() {
    run(async |city, _| {
        let organisations = city.house.app.questions.organisations;
        let known = city.house.app.store.read(organisations).await.unwrap();
        let organisation = known[0].0.to_string();
        let add = || Ask::Add { organisation: organisation.clone() };
        let added = ask(&city, add()).await;
        assert_eq!(added["added"], format!("issuer-{organisation}"));
        assert_eq!(ask(&city, add()).await["kid"], added["kid"], "once");
        let listed = ask(&city, Ask::List).await;
        let issuers = listed["issuers"].as_array().unwrap();
        let it = issuers.iter().find(|it| it["kid"] == added["kid"]).unwrap();
        assert_eq!((&it["state"], &it["file"]), (&json!("next"), &json!(true)));
        let why = || "폐업".to_owned();
        let end = || Ask::End { organisation: organisation.clone(), why: why() };
        assert_eq!(ask(&city, end()).await["keys"], 1);
        assert!(refused(&city, end()).await.contains("no such signing key"));
        let cases = [
            (Ask::Add { organisation: "org_1".to_owned() }, "org_"),
            (Ask::Rotate { name: "root".to_owned(), now: false }, "root cannot be rotated"),
            (Ask::Rotate { name: "nonsense".to_owned(), now: false }, "no such key"),
            (Ask::Signed { kid: "xyz".to_owned(), since: None }, "16 digits"),
        ];
        for (asked, word) in cases {
            let why = refused(&city, asked.clone()).await;
            assert!(why.contains(word), "{asked:?}: {why}");
        }
    });
}
