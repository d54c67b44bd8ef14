//! SMART Health Cards whose issuer says that it has a revocation list: what is said while it is not held.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::Locale;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use web::testing::NOON;

use super::routes::{ME, Town, add};

fn key() -> SigningKey {
    SigningKey::from_slice(&[43; 32]).unwrap()
}

/// The members of the key that its name is made of (RFC 7638).
fn members() -> Value {
    let point = key().verifying_key().to_sec1_point(false);
    let coordinate = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let (x, y) = (coordinate(point.x().unwrap()), coordinate(point.y().unwrap()));
    json!({ "crv": "P-256", "kty": "EC", "x": x, "y": y })
}

fn kid() -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(members().to_string()))
}

/// The key set as an officer reads it in; with a version, the key says that it has a list.
fn key_set(version: Option<u32>) -> Vec<u8> {
    let mut key = members();
    key["kid"] = json!(kid());
    (key["use"], key["alg"]) = (json!("sig"), json!("ES256"));
    if let Some(version) = version {
        key["crlVersion"] = json!(version);
    }
    json!({ "keys": [key] }).to_string().into_bytes()
}

/// The list of that key, with nobody on it whom we know.
fn list() -> Vec<u8> {
    json!({ "kid": kid(), "method": "rid", "ctr": 1, "rids": ["xyz"] }).to_string().into_bytes()
}

fn card() -> String {
    let payload = json!({
        "iss": "https://cards.example/issuer",
        "nbf": NOON.plus_days(-1).seconds(),
        "vc": {
            "type": ["https://smarthealth.cards#health-card"],
            "rid": "abc",
            "credentialSubject": { "fhirVersion": "4.0.1", "fhirBundle": {
                "resourceType": "Bundle", "type": "collection", "entry": [
                    { "fullUrl": "resource:0", "resource": {
                        "resourceType": "Patient", "birthDate": "1951-01-20",
                        "name": [{ "family": "Anyperson", "given": ["John"] }],
                    } },
                    { "fullUrl": "resource:1", "resource": {
                        "resourceType": "Immunization", "status": "completed",
                        "vaccineCode": { "coding": [
                            { "system": "http://hl7.org/fhir/sid/cvx", "code": "207" }] },
                        "patient": { "reference": "resource:0" },
                        "occurrenceDateTime": "2026-01-01",
                    } },
                ],
            } },
        },
    });
    let header = json!({ "zip": "DEF", "alg": "ES256", "kid": kid() }).to_string();
    let packed = miniz_oxide::deflate::compress_to_vec(payload.to_string().as_bytes(), 9);
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let signed = format!("{}.{}", encode(header.as_bytes()), encode(&packed));
    let signature: Signature = key().sign(signed.as_bytes());
    let jws = format!("{signed}.{}", encode(&signature.to_bytes()));
    let digits = jws.bytes().map(|byte| format!("{:02}", byte - 45));
    format!("shc:/{}", digits.collect::<String>())
}

/// What the API answers to staff and what the wallet's page says, in each language.
async fn answers(files: &[Vec<u8>]) -> (Value, Vec<String>) {
    let town = Town::new();
    for file in files {
        town.believe_in(file).await;
    }
    let mut guard = town.staff(3).await;
    let asked = json!({ "texts": [card()] });
    let verdict = guard.post_json("/api/v1/verifications", &asked).await.json();
    let mut me = town.citizen(ME).await;
    let path = add(&mut me, &card()).await;
    let mut pages = Vec::new();
    for locale in Locale::ALL {
        me.get(&format!("/lang/{}", locale.tag())).await;
        pages.push(me.page(&path).await);
    }
    (verdict, pages)
}

const SAID: [&str; 3] = ["그 목록이 없어서", "That list is not held here", "此处没有该名单"];

#[tokio::test]
async fn a_list_that_is_not_held_is_said_to_systems_and_to_the_holder() {
    let (verdict, pages) = answers(&[key_set(Some(1))]).await;
    assert_eq!(verdict["verdict"], json!("pass"), "{verdict}");
    assert_eq!(verdict["checks"]["revocation"], json!("skipped"));
    assert_eq!(verdict["notes"], json!(["revocation_missing"]));
    for said in SAID {
        assert_eq!(pages.iter().filter(|page| page.contains(said)).count(), 1, "{said} {pages:?}");
    }
}

#[tokio::test]
async fn nothing_is_said_where_there_is_no_list_or_where_it_is_held() {
    for files in [vec![key_set(None)], vec![key_set(Some(1)), list()]] {
        let (verdict, pages) = answers(&files).await;
        assert_eq!((&verdict["verdict"], &verdict["notes"]), (&json!("pass"), &json!([])));
        assert!(!SAID.iter().any(|said| pages.iter().any(|page| page.contains(said))));
    }
}
