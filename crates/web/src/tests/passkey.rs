//! A whole passkey's life with an authenticator of the test's own: made, used, copied, removed.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

use super::*;
use crate::session::Begin;
use crate::testing::Browser;
use crate::{Config, Who};

/// An ES256 authenticator that holds one resident key and always verifies its user.
struct Authenticator {
    key: EcdsaKeyPair,
    id: Vec<u8>,
    user: String,
    count: u32,
}

fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn client_data(kind: &str, options: &Json, origin: &str) -> Vec<u8> {
    let challenge = options["publicKey"]["challenge"].as_str().unwrap();
    json!({ "type": kind, "challenge": challenge, "origin": origin, "crossOrigin": false })
        .to_string()
        .into_bytes()
}

impl Authenticator {
    fn new(options: &Json) -> Self {
        let user = options["publicKey"]["user"]["id"].as_str().unwrap().to_owned();
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        Self { key, id: vec![0x2a; 32], user, count: 0 }
    }

    /// RP id hash, flags, counter (WebAuthn 6.1).
    fn data(&mut self, flags: u8) -> Vec<u8> {
        self.count += 1;
        let mut data = Sha256::digest(b"localhost").to_vec();
        data.push(flags);
        data.extend_from_slice(&self.count.to_be_bytes());
        data
    }

    fn register(&mut self, options: &Json, origin: &str) -> Json {
        // User present, user verified, attested credential data included.
        let mut data = self.data(0b0100_0101);
        data.extend_from_slice(&[0; 16]);
        data.extend_from_slice(&[0, 32]);
        data.extend_from_slice(&self.id);
        // COSE_Key: EC2, ES256, P-256, x, y (RFC 9053).
        let point = self.key.public_key().as_ref();
        data.extend_from_slice(&[0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32]);
        data.extend_from_slice(&point[1..33]);
        data.extend_from_slice(&[0x22, 0x58, 32]);
        data.extend_from_slice(&point[33..]);
        // {"fmt": "none", "attStmt": {}, "authData": bytes}
        let mut object = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58".to_vec();
        object.push(u8::try_from(data.len()).unwrap());
        object.extend_from_slice(&data);
        let client = client_data("webauthn.create", options, origin);
        json!({
            "ceremony": options["ceremony"],
            "credential": {
                "id": text(&self.id), "rawId": text(&self.id), "type": "public-key", "extensions": {},
                "response": { "attestationObject": text(&object), "clientDataJSON": text(&client), "transports": [] },
            },
        })
    }

    fn sign_in(&mut self, options: &Json, origin: &str) -> Json {
        let data = self.data(0b0000_0101);
        let client = client_data("webauthn.get", options, origin);
        let mut signed = data.clone();
        signed.extend_from_slice(&Sha256::digest(&client));
        let signature = self.key.sign(&SystemRandom::new(), &signed).unwrap();
        json!({
            "ceremony": options["ceremony"],
            "credential": {
                "id": text(&self.id), "rawId": text(&self.id), "type": "public-key", "extensions": {},
                "response": {
                    "authenticatorData": text(&data), "clientDataJSON": text(&client),
                    "signature": text(signature.as_ref()), "userHandle": self.user,
                },
            },
        })
    }
}

const ORIGIN: &str = "http://localhost:8080";

async fn make(browser: &mut Browser) -> Authenticator {
    let options = browser.post_json("/account/passkeys/begin", &json!({})).await.json();
    let mut authenticator = Authenticator::new(&options);
    let finish = authenticator.register(&options, ORIGIN);
    let answer = browser.post_json("/account/passkeys/finish", &finish).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    authenticator
}

async fn options(browser: &mut Browser) -> Json {
    browser.post_json("/sign-in/passkey/begin", &json!({})).await.json()
}

fn strict_house(dir: &tempfile::TempDir) -> House {
    let config = Config { demo: false, ..Config::local(8080, false).unwrap() };
    House::with_config(dir.path(), vec![tried()], questions(), config)
}

#[tokio::test]
async fn staff_make_a_passkey_after_their_link_and_sign_in_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let house = strict_house(&dir);
    let who = Who::Staff(OFFICER);
    let mut first = house.browser_of(Begin { who, ..Begin::default() }).await;
    assert_eq!(first.get_json("/tried/officer").await.code(), "web-passkey-required");
    let mut authenticator = make(&mut first).await;
    assert_eq!(first.get_json("/tried/officer").await.status, StatusCode::OK);

    let mut later = house.browser();
    let options = options(&mut later).await;
    let finish = authenticator.sign_in(&options, ORIGIN);
    let answer = later.post_json("/sign-in/passkey/finish", &finish).await;
    assert_eq!(answer.json(), json!({ "to": "/desk" }));
    assert_eq!(later.get_json("/tried/officer").await.status, StatusCode::OK);

    // The same answer again: the ceremony is over.
    let again = house.browser().post_json("/sign-in/passkey/finish", &finish).await;
    assert_eq!(again.code(), "web-expired");
}

#[tokio::test]
async fn a_wrong_signature_origin_or_counter_signs_nobody_in() {
    let dir = tempfile::tempdir().unwrap();
    let house = strict_house(&dir);
    let who = Who::Citizen(PERSON);
    let mut browser = house.browser_of(Begin { who, ..Begin::default() }).await;
    let mut authenticator = make(&mut browser).await;
    let mut thief = house.browser();

    let begun = options(&mut thief).await;
    let mut finish = authenticator.sign_in(&begun, ORIGIN);
    finish["credential"]["response"]["signature"] = json!(text(&[0x30, 6, 2, 1, 1, 2, 1, 1]));
    let answer = thief.post_json("/sign-in/passkey/finish", &finish).await;
    assert_eq!(answer.code(), "web-passkey-failed");

    let begun = options(&mut thief).await;
    let finish = authenticator.sign_in(&begun, "https://evil.example");
    let answer = thief.post_json("/sign-in/passkey/finish", &finish).await;
    assert_eq!(answer.code(), "web-passkey-failed");

    let begun = options(&mut thief).await;
    let finish = authenticator.sign_in(&begun, ORIGIN);
    house.clock.advance_seconds(300);
    let answer = thief.post_json("/sign-in/passkey/finish", &finish).await;
    assert_eq!(answer.code(), "web-expired");

    // A copied key whose counter has fallen behind.
    let begun = options(&mut thief).await;
    let finish = authenticator.sign_in(&begun, ORIGIN);
    assert_eq!(
        thief.post_json("/sign-in/passkey/finish", &finish).await.json(),
        json!({ "to": "/" })
    );
    authenticator.count -= 1;
    let mut copy = house.browser();
    let begun = options(&mut copy).await;
    let finish = authenticator.sign_in(&begun, ORIGIN);
    let answer = copy.post_json("/sign-in/passkey/finish", &finish).await;
    assert_eq!(answer.code(), "web-passkey-failed");
}

#[tokio::test]
async fn a_removed_passkey_opens_nothing_and_staff_keep_their_last_one() {
    let dir = tempfile::tempdir().unwrap();
    let house = strict_house(&dir);
    for (who, status) in
        [(Who::Citizen(PERSON), StatusCode::SEE_OTHER), (Who::Staff(OFFICER), StatusCode::CONFLICT)]
    {
        let mut browser = house.browser_of(Begin { who, ..Begin::default() }).await;
        let mut authenticator = make(&mut browser).await;
        let page = browser.get("/account/passkeys").await.text;
        let path = page.split('"').find(|it| it.ends_with("/remove")).unwrap().to_owned();
        assert_eq!(browser.post(&path, &[]).await.status, status);
        let mut later = house.browser();
        let begun = options(&mut later).await;
        let finish = authenticator.sign_in(&begun, ORIGIN);
        let answer = later.post_json("/sign-in/passkey/finish", &finish).await;
        assert_eq!(answer.status == StatusCode::OK, status == StatusCode::CONFLICT);
    }
}

#[tokio::test]
async fn a_text_message_alone_adds_no_second_passkey_to_an_account() {
    let dir = tempfile::tempdir().unwrap();
    let house = strict_house(&dir);
    let who = Who::Citizen(PERSON);
    let mut owner = house.browser_of(Begin { who, ..Begin::default() }).await;
    make(&mut owner).await;
    let mut thief = house.browser_of(Begin { who, ..Begin::default() }).await;
    let answer = thief.post_json("/account/passkeys/begin", &json!({})).await;
    assert_eq!(answer.code(), "web-passkey-required");
}
