//! Revocation of DCCs: hashes as published by Germany's app, and what lists in a folder do to a pass
//! of our own.

use serde_json::{Value, json};

use super::{data, json as read_json};
use crate::base45;
use crate::issue::{Attested, Hcert, HcertSigner, Person, uvci};
use crate::pass::cbor_value::Cbor;
use crate::pass::hash_list::{HashKind, hash_of};
use crate::pass::inflate::{Wrap, inflate};
use crate::pass::jwk::to_base64url;
use crate::pass::revocation::DccNames;
use crate::pass::sign1::Message;
use crate::pass::{Algorithm, Policy, Trust, verify};
use crate::verify::Outcome;

const NOW: i64 = 1_800_000_000;

#[test]
fn the_hashes_of_the_published_passes_are_those_of_germanys_app() {
    let Some(folder) = data("cwa/revocation") else { return };
    let cases = read_json(&folder.join("RevocationCalculationSampleData.json"));
    let cases = cases.as_array().unwrap();
    assert_eq!(cases.len(), 3);
    for case in cases {
        let text = case["barcodeData"].as_str().unwrap().strip_prefix("HC1:").unwrap();
        let bytes = inflate(&base45::decode(text).unwrap(), Wrap::Zlib).unwrap();
        let message = Message::read(&bytes).unwrap();
        let claims = Cbor::read(&message.payload).unwrap();
        let content =
            claims.clone().into_at(-260).unwrap().into_at(1).unwrap().into_json().unwrap();
        let entry = ["v", "t", "r"].iter().find_map(|group| content[group].get(0)).unwrap();
        let names = DccNames {
            kid: &[],
            uci: entry["ci"].as_str().unwrap(),
            country: claims.at(1).unwrap().text().unwrap(),
            signature: &message.signature,
            is_ecdsa: message.algorithm == Some(Algorithm::Es256),
        };
        for (kind, field) in [
            (HashKind::Uci, "expUCI"),
            (HashKind::CountryUci, "expCOUNTRYCODEUCI"),
            (HashKind::Signature, "expSIGNATURE"),
        ] {
            let hash = hex::encode(hash_of(kind, &names));
            assert_eq!(case[field], hash, "{} {field}", case["description"]);
        }
    }
}

fn recovery(identifier: &str) -> Hcert {
    Hcert {
        person: Person {
            surname: "Kim".to_owned(),
            given: "Minsu".to_owned(),
            surname_latin: "Kim".to_owned(),
            given_latin: "Minsu".to_owned(),
            birth: "1980-02-03".to_owned(),
        },
        attested: Attested::Recovery {
            first_positive: "2026-11-01".to_owned(),
            from: "2026-11-12".to_owned(),
            until: "2027-05-01".to_owned(),
        },
        country: "KR".to_owned(),
        issuer: "Haetae city".to_owned(),
        identifier: identifier.to_owned(),
        issued_at: NOW - 60,
        expires_at: NOW + 86_400,
        status: None,
    }
}

#[test]
fn a_list_of_signers_with_an_end_is_stale_from_then_on() {
    let signer = HcertSigner::from_scalar(&[7; 32]).unwrap();
    let pass = signer.sign(&recovery(&uvci("KR", "ONE").unwrap())).unwrap();
    let kid = to_base64url(&signer.kid());
    let info = to_base64url(&signer.public_info());
    let point = signer.public_info();
    // The last 65 bytes of the key's information are the point: 4, x, y.
    let point = &point[point.len() - 64..];
    let (x, y) = (to_base64url(&point[..32]), to_base64url(&point[32..]));
    let jwk = json!({"kid": kid, "kty": "EC", "crv": "P-256", "x": x, "y": y});
    let end = NOW + 3_600;
    // The Netherlands' form, Sweden's, Germany's, each with an end and without.
    let lists = |end: Value| {
        [
            json!({"exp": end, "eu_keys": {&kid: [{"subjectPk": info, "keyUsage": []}]}}),
            json!({"exp": end, "dsc_trust_list": {"KR": {"keys": [jwk]}}}),
            json!({"valid_until": end, "certificates": [{"kid": kid, "publicKey": info}]}),
        ]
    };
    let found = |list: &Value, now_s: i64| {
        let mut trust = Trust::default();
        assert_eq!(trust.add(list.to_string().as_bytes()).signers, 1, "{list}");
        let verdict = verify(&pass, &trust, None, &Policy::default(), now_s);
        (verdict.outcome, verdict.reasons.first().map(|it| it.reason.code()))
    };
    for list in lists(json!(end)) {
        assert_eq!(found(&list, end - 1), (Outcome::Pass, None), "{list}");
        let stale = (Outcome::CannotTell, Some("trust_stale"));
        assert_eq!(found(&list, end), stale, "{list}");
        // The list of the day after, beside it, is what counts.
        let mut both = Trust::default();
        both.add(list.to_string().as_bytes());
        for fresh in lists(json!(end + 86_400)) {
            both.add(fresh.to_string().as_bytes());
        }
        assert_eq!(verify(&pass, &both, None, &Policy::default(), end).outcome, Outcome::Pass);
    }
    for list in lists(Value::Null) {
        assert_eq!(found(&list, end), (Outcome::Pass, None), "{list}");
    }
}

#[test]
fn a_batch_in_the_folder_refuses_the_passes_it_names_until_and_after_its_end() {
    let signer = HcertSigner::from_scalar(&[7; 32]).unwrap();
    let pass = recovery;
    let (one, other) = (uvci("KR", "ONE").unwrap(), uvci("KR", "OTHER").unwrap());
    let (first, second) = (signer.sign(&pass(&one)).unwrap(), signer.sign(&pass(&other)).unwrap());
    let names = DccNames { kid: &[], uci: &one, country: "KR", signature: &[], is_ecdsa: true };
    let batch = |kind: &str, hash: HashKind| {
        json!({
            "country": "KR", "expires": "2027-01-16T00:00:00Z", "kid": to_base64url(&signer.kid()),
            "hashType": kind, "entries": [{"hash": to_base64url(&hash_of(hash, &names))}],
        })
    };
    let keys: Value = json!([{"kid": to_base64url(&signer.kid()), "publicKey": to_base64url(&signer.public_info())}]);
    for (kind, hash) in [("UCI", HashKind::Uci), ("COUNTRYCODEUCI", HashKind::CountryUci)] {
        let mut trust = Trust::default();
        assert_eq!(trust.add(keys.to_string().as_bytes()).signers, 1);
        assert_eq!(trust.add(batch(kind, hash).to_string().as_bytes()).revocations, 1);
        let found = |text: &str, now_s: i64| {
            let verdict = verify(text, &trust, None, &Policy::default(), now_s);
            (verdict.outcome, verdict.reasons.first().map(|it| it.reason.code()))
        };
        // The batch ends at 1800057600.
        for now_s in [NOW, 1_800_057_599, 1_800_057_600] {
            assert_eq!(found(&first, now_s), (Outcome::NoPass, Some("revoked")), "{kind}");
        }
        assert_eq!(found(&second, 1_800_057_599), (Outcome::Pass, None));
        let stale = (Outcome::CannotTell, Some("revocation_stale"));
        assert_eq!(found(&second, 1_800_057_600), stale);
    }
}
