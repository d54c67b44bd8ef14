//! Passes of others at the door, from the signed material to the verdict.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use credential::issue::{Attested, Hcert, HcertSigner, Person};
use credential::pass::status::{StatusClaims, StatusList};
use credential::pass::{Material, PlaceRules, compact};
use credential::{DeviceKey, IssuerSigner, Presentation};
use serde_json::{Value, json};

use super::{DAY, NOW, ask, base64};
use crate::desk::Desk;

/// 2027-01-05, ten days before [`NOW`].
const DOSE_DAY: &str = "2027-01-05";

fn signer() -> HcertSigner {
    HcertSigner::from_scalar(&[5; 32]).unwrap()
}

fn pass() -> String {
    signer().sign(&hcert()).unwrap()
}

fn hcert() -> Hcert {
    let person = Person {
        surname: "Example".to_owned(),
        given: "Ada Grace".to_owned(),
        surname_latin: "EXAMPLE".to_owned(),
        given_latin: "ADA GRACE".to_owned(),
        birth: "1990-02-28".to_owned(),
    };
    let attested = Attested::Vaccination {
        prophylaxis: "1119349007".to_owned(),
        product: "EU/1/20/1528".to_owned(),
        manufacturer: "ORG-100030215".to_owned(),
        dose: 2,
        of_doses: 2,
        day: DOSE_DAY.to_owned(),
    };
    Hcert {
        person,
        attested,
        country: "KR".to_owned(),
        issuer: "A clinic".to_owned(),
        identifier: "URN:UVCI:01:KR:EXAMPLE".to_owned(),
        issued_at: NOW - 60,
        expires_at: NOW + DAY,
        status: None,
    }
}

/// A rule that asks for `days` since the dose.
fn rule(days: u32) -> Value {
    json!([{
        "Identifier": "VR-KR-0001", "Type": "Acceptance", "Country": "KR", "Version": "1.0.0",
        "SchemaVersion": "1.0.0", "Engine": "CERTLOGIC", "EngineVersion": "1.0.0",
        "CertificateType": "Vaccination",
        "Description": [{ "lang": "en", "desc": "So many days must have gone by since the dose." }],
        "ValidFrom": "2021-01-01T00:00:00Z", "ValidTo": "2040-01-01T00:00:00Z",
        "AffectedFields": ["v.0.dt"],
        "Logic": { "not-before": [
            { "plusTime": [{ "var": "external.validationClock" }, 0, "day"] },
            { "plusTime": [{ "var": "payload.v.0.dt" }, days, "day"] },
        ] },
    }])
}

fn material() -> Material {
    let key = json!([{
        "kid": STANDARD.encode(signer().kid()),
        "publicKey": STANDARD.encode(signer().public_info()),
    }]);
    let set = |name: &str, days| PlaceRules {
        name: name.to_owned(),
        country: "KR".to_owned(),
        rules: rule(days).to_string(),
    };
    Material {
        region: "KR-11".to_owned(),
        version: 3,
        issued_at: NOW - DAY,
        valid_until: NOW + DAY,
        files: vec![key.to_string().into_bytes()],
        rules: vec![set("city", 5), set("late", 14)],
        value_sets: String::new(),
    }
}

fn load(material: &Material) -> Value {
    let root = IssuerSigner::from_seed(&[1; 32]).unwrap();
    json!({
        "op": "load_passes",
        "passes": base64(&root.sign_material(material).unwrap()),
        "root": base64(&root.public()),
    })
}

fn conclude(text: &str, rules: &str, now_s: i64) -> Value {
    json!({ "op": "conclude", "text": text, "now_s": now_s, "demand": { "rules": rules } })
}

#[test]
fn a_pass_of_others_is_judged_by_the_rules_of_the_place() {
    let (desk, text) = (&mut Desk::default(), pass());
    assert_eq!(ask(desk, &conclude(&text, "city", NOW)), json!({ "error": "passes_missing" }));
    assert_eq!(ask(desk, &load(&material()))["ok"]["version"], 3);

    let city = ask(desk, &conclude(&text, "city", NOW));
    assert_eq!(city["ok"]["outcome"], "pass", "{city}");
    assert_eq!(city["ok"]["checks"]["rules"], "ok");
    assert_eq!(city["ok"]["shown"]["initials"], "A. G. E.");
    assert_eq!(city["ok"]["shown"]["birth_day"], "02-28");
    assert_eq!(city["ok"]["shown"]["name"], Value::Null);
    assert_eq!(city["ok"]["pass"].as_str().unwrap().len(), 32);

    let late = ask(desk, &conclude(&text, "late", NOW));
    assert_eq!(late["ok"]["outcome"], "no_pass");
    assert_eq!(late["ok"]["reasons"], json!(["rule_failed:VR-KR-0001"]));

    // Rules that this gate does not carry cannot say no.
    let other = ask(desk, &conclude(&text, "eu", NOW));
    assert_eq!(other["ok"]["outcome"], "cannot_tell");
    let own = ask(desk, &conclude(&text, "own", NOW));
    assert_eq!(own["ok"]["outcome"], "pass");

    let mut named = conclude(&text, "own", NOW);
    named["demand"]["full_name"] = json!(true);
    assert_eq!(ask(desk, &named)["ok"]["shown"]["name"], "Ada Grace Example");
}

#[test]
fn the_browser_is_given_what_it_needs_to_check_a_signature_and_its_answer_counts() {
    let (desk, text) = (&mut Desk::default(), pass());
    ask(desk, &load(&material()));
    let asked = ask(desk, &json!({ "op": "prepare", "text": text }));
    let check = &asked["ok"][0];
    assert_eq!((&check["form"], &check["curve"]), (&json!("raw"), &json!("P-256")));
    let bytes = |name: &str| STANDARD.decode(check[name].as_str().unwrap()).unwrap();
    // What WebCrypto would do with it, by another library.
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, bytes("key"));
    assert!(key.verify(&bytes("message"), &bytes("signature")).is_ok());

    let mut refused = conclude(&text, "own", NOW);
    refused["held"] = json!([false]);
    assert_eq!(ask(desk, &refused)["ok"]["reasons"], json!(["signature_bad"]));
    assert_eq!(ask(desk, &refused)["ok"]["pass"], Value::Null);
    refused["held"] = json!([null]);
    assert_eq!(ask(desk, &refused)["ok"]["outcome"], "pass");
}

#[test]
fn old_material_cannot_tell_unless_the_place_lets_through_with_a_mark() {
    let (desk, text) = (&mut Desk::default(), pass());
    let short = Material { valid_until: NOW, ..material() };
    ask(desk, &load(&short));
    let last = ask(desk, &conclude(&text, "own", NOW - 1));
    assert_eq!(last["ok"]["outcome"], "pass");
    let over = ask(desk, &conclude(&text, "own", NOW));
    assert_eq!(over["ok"]["outcome"], "cannot_tell");
    assert_eq!(over["ok"]["reasons"], json!(["trust_stale"]));
    let mut lenient = conclude(&text, "own", NOW);
    lenient["demand"]["stale_passes"] = json!(true);
    let lenient = ask(desk, &lenient);
    assert_eq!(
        (&lenient["ok"]["outcome"], &lenient["ok"]["marked"]),
        (&json!("pass"), &json!(true))
    );
    // A gate whose clock is behind does not judge by material from its future.
    let ahead = Material { issued_at: NOW + 16, valid_until: NOW + DAY, ..material() };
    ask(desk, &load(&ahead));
    let ahead = ask(desk, &conclude(&text, "own", NOW));
    assert_eq!(ahead["ok"]["outcome"], "cannot_tell");
}

#[test]
fn material_that_the_root_did_not_sign_or_that_is_older_changes_nothing() {
    let (desk, text) = (&mut Desk::default(), pass());
    ask(desk, &load(&material()));
    let mut older = load(&Material { version: 2, files: Vec::new(), ..material() });
    older["min_version"] = json!(3);
    assert_eq!(ask(desk, &older), json!({ "error": "rolled_back" }));
    let mut forged = load(&Material { files: Vec::new(), ..material() });
    forged["root"] = json!(base64(&[9; 32]));
    assert_eq!(ask(desk, &forged), json!({ "error": "signature_bad" }));
    let broken = Material {
        rules: vec![PlaceRules { rules: "{".to_owned(), ..material().rules[0].clone() }],
        ..material()
    };
    assert_eq!(ask(desk, &load(&broken)), json!({ "error": "wrong_shape" }));
    assert_eq!(ask(desk, &conclude(&text, "own", NOW))["ok"]["outcome"], "pass");
}

#[test]
fn a_compact_code_is_judged_like_the_paper_and_remembered() {
    const LIST: &str = "https://city.example/statuslists/1";
    let desk = &mut Desk::default();
    let holder = DeviceKey::from_scalar(&[9; 32]).unwrap();
    let paper = |place| {
        let mut pass = hcert();
        pass.status = Some((LIST.to_owned(), place));
        signer().sign(&pass).unwrap()
    };
    let on_phone = |paper: &str, now_s: i64| {
        let code = compact(paper, holder.public(), (NOW - 60, NOW + DAY)).unwrap();
        let moment = Some(holder.prove(&code.pass, now_s).unwrap());
        Presentation { signed: signer().sign_bound(&code).unwrap(), moment }.to_text()
    };
    let mut list = StatusList::try_new(2, 64).unwrap();
    list.set(8, 1).unwrap();
    let (issued_at, expires_at) = (NOW - DAY, NOW + DAY);
    let claims = StatusClaims { uri: LIST, list: &list, issued_at, expires_at, ttl_s: 600 };
    let mut carried = material();
    carried.files.push(signer().sign_status(&claims).unwrap());
    ask(desk, &load(&carried));

    let (good, revoked) = (paper(7), paper(8));
    let (shown, ended) = (on_phone(&good, NOW), on_phone(&revoked, NOW));
    // Which path a text takes is known without lists; the verifier of health codes cannot read it.
    let is_bound = |text: &str| json!({ "op": "is_bound", "text": text });
    assert_eq!(ask(desk, &is_bound(&shown)), json!({ "ok": true }));
    let (city, health_code) = super::city();
    for other in [&good, &health_code, "HT1:HELLO", ""] {
        assert_eq!(ask(desk, &is_bound(other)), json!({ "ok": false }));
    }
    ask(desk, &city);
    let verify = json!({ "op": "verify", "text": shown, "now_s": NOW });
    assert_eq!(ask(desk, &verify)["ok"]["outcome"], "cannot_tell");

    let only_look = |text: &str| {
        let mut request = conclude(text, "city", NOW);
        request["remember"] = json!(false);
        request
    };
    let of_paper = ask(desk, &conclude(&good, "city", NOW));
    for _ in 0..2 {
        assert_eq!(ask(desk, &only_look(&shown))["ok"]["outcome"], "pass");
    }
    let first = ask(desk, &conclude(&shown, "city", NOW));
    assert_eq!(
        (&first["ok"]["outcome"], &first["ok"]["format"]),
        (&json!("pass"), &json!("haetae"))
    );
    assert_eq!(first["ok"]["pass"], of_paper["ok"]["pass"], "paper and phone have one name");
    assert_eq!(first["ok"]["shown"]["initials"], "A. G. E.");
    // A second telephone with the same picture, and the same pass a moment later.
    for (text, now_s) in [(&shown, NOW), (&on_phone(&good, NOW + 20), NOW + 20)] {
        let again = ask(desk, &conclude(text, "city", now_s));
        assert_eq!(again["ok"]["outcome"], "cannot_tell");
        assert_eq!(again["ok"]["reasons"], json!(["already_used"]));
    }
    let later = ask(desk, &conclude(&on_phone(&good, NOW + 60), "city", NOW + 60));
    assert_eq!(later["ok"]["outcome"], "pass");
    let late = ask(desk, &conclude(&on_phone(&good, NOW), "late", NOW));
    assert_eq!(late["ok"]["reasons"], json!(["rule_failed:VR-KR-0001"]));
    let ended = ask(desk, &conclude(&ended, "city", NOW));
    assert_eq!(ended["ok"]["reasons"], json!(["revoked"]));
    assert_eq!(ask(desk, &conclude(&shown, "code_only", NOW))["ok"]["outcome"], "cannot_tell");
}
