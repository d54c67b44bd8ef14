//! `testdata/health_code.v1.json`: the formats, byte for byte, for whoever writes another reader.
//!
//! Made from fixed seeds. `HAETAE_BLESS=1 cargo test -p credential` writes the file anew; a change
//! in it is a change of the format that every gate in the field would have to learn.

use p256::ecdsa::signature::Signer as _;
use serde_json::{Value, json};

use super::{City, NOW, PASS};
use crate::sealed::QueueKey;
use crate::{Holder, Moment, Policy, Presentation, ShortCode, moment, verify};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/health_code.v1.json");

/// A proof as RFC 6979 makes it: the same each time, unlike the library's random ones.
fn prove(city: &City, pass: &[u8; 16], step: u64) -> Moment {
    let device = p256::ecdsa::SigningKey::from_slice(&[3; 32]).unwrap();
    assert_eq!(device.verifying_key().to_sec1_point(true).as_bytes(), city.device.public());
    let signature: p256::ecdsa::Signature = device.sign(&moment::message(pass, step));
    Moment { step, signature: signature.to_bytes().into() }
}

fn vectors() -> Value {
    let city = City::new();
    let root = &city.root;
    let mut printed = city.code();
    printed.holder = Holder::Printed;
    let codes: Vec<Value> = [("device_bound", city.code()), ("printed", printed)]
        .into_iter()
        .map(|(name, code)| {
            let signed = city.issuer.sign_code(&code).unwrap();
            let bound = matches!(code.holder, Holder::Device(_));
            let moment = bound.then(|| prove(&city, &PASS, moment::step_at(NOW)));
            let shown = Presentation { signed, moment };
            let text = shown.to_text();
            json!({
                "name": name,
                "payload": hex::encode(code.to_cbor()),
                "cose_sign1": hex::encode(&shown.signed),
                "presentation": hex::encode(shown.to_cbor()),
                "text": text,
                "verdict": verify(&text, &city.trust, None, &Policy::default(), NOW),
            })
        })
        .collect();
    let short_codes = [0, 1, 0x12_3456_789a_bcde, (1_u64 << 55) - 1].map(
        |bits| json!({ "bits": bits.to_string(), "text": ShortCode::from_bits(bits).to_string() }),
    );
    let list = root.sign_trust(&city.trust.list).unwrap();
    let revocations = city.trust.revocations.as_ref().unwrap();
    json!({
        "now_s": NOW,
        "root_seed": hex::encode([1; 32]),
        "root_public": hex::encode(root.public()),
        "issuer_seed": hex::encode([2; 32]),
        "issuer_public": hex::encode(city.issuer.public()),
        "issuer_kid": hex::encode(city.issuer.kid()),
        "device_scalar": hex::encode([3; 32]),
        "device_public": hex::encode(city.device.public()),
        "pass": hex::encode(PASS),
        "codes": codes,
        "trust_list": hex::encode(list),
        "revocation_list": hex::encode(root.sign_revocations(revocations).unwrap()),
        "short_codes": short_codes,
    })
}

#[test]
fn todays_formats_are_those_of_the_recorded_file() {
    let mut today = serde_json::to_string_pretty(&vectors()).unwrap();
    today.push('\n');
    if std::env::var_os("HAETAE_BLESS").is_some() {
        std::fs::write(FILE, &today).unwrap();
    }
    assert_eq!(today, std::fs::read_to_string(FILE).unwrap());
}

#[test]
fn what_a_browser_sealed_and_signed_is_opened_and_verified() {
    // Recorded from WebCrypto: the other side of `sealed` and `moment` as phones run it.
    let recorded: Value =
        serde_json::from_str(include_str!("../../testdata/webcrypto.v1.json")).unwrap();
    let bytes = |value: &Value| hex::decode(value.as_str().unwrap()).unwrap();
    let queue = &recorded["queue"];
    let scalar = bytes(&queue["region_scalar"]).try_into().unwrap();
    let region = QueueKey::from_scalar(&scalar).unwrap();
    assert_eq!(region.public().to_vec(), bytes(&queue["region_public"]));
    let entries = queue["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 3);
    for entry in entries {
        let counter = entry["counter"].as_u64().unwrap();
        let sealed = bytes(&entry["sealed"]);
        let opened = region.open(&bytes(&queue["ephemeral_public"]), &[(counter, &sealed)]);
        assert_eq!(opened, Ok(vec![Ok(bytes(&entry["plain"]))]));
    }

    let proof = &recorded["moment"];
    let moment = Moment {
        step: proof["step"].as_u64().unwrap(),
        signature: bytes(&proof["signature"]).try_into().unwrap(),
    };
    let pass = bytes(&proof["pass"]).try_into().unwrap();
    let key = bytes(&proof["device_public"]);
    assert!(moment.is_signed_by(&key, &pass));
    assert!(!Moment { step: moment.step + 1, ..moment }.is_signed_by(&key, &pass));
}
