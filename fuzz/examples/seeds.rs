//! Writes the seeds that are committed under `fuzz/seeds`: a few inputs of each kind, all of our own making.
//!
//! `cargo run --manifest-path fuzz/Cargo.toml --example seeds`

use std::fs;
use std::path::Path;

use credential::issue::{Attested, Hcert, HcertSigner, Person, uvci};
use credential::pass::BoundPass;
use credential::pass::bound::Field;
use credential::pass::status::{StatusClaims, StatusList};
use credential::{
    Colour, DeviceKey, HealthCode, Holder, IssuerKey, IssuerSigner, Presentation, RevocationList,
    TrustList,
};
use haetae_fuzz::{CARD_ISSUER, CARD_KID, DID, KID, NOW_S, base64, card, cose, hcert, jws, nzcp};
use minicbor::Encoder;
use serde_json::{Value, json};

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn write(target: &str, name: &str, bytes: impl AsRef<[u8]>) -> Outcome {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    fs::create_dir_all(&folder)?;
    Ok(fs::write(folder.join(name), bytes)?)
}

/// The first byte says which layer the rest is.
fn layer(number: u8, rest: impl AsRef<[u8]>) -> Vec<u8> {
    [&[number], rest.as_ref()].concat()
}

fn put(value: &Value, into: &mut Encoder<Vec<u8>>) {
    let count = |length: usize| length as u64;
    let _ = match value {
        Value::String(text) => into.str(text).map(drop),
        Value::Number(number) => into.i64(number.as_i64().unwrap_or(0)).map(drop),
        Value::Array(items) => {
            let head = into.array(count(items.len())).map(drop);
            items.iter().for_each(|item| put(item, into));
            head
        }
        Value::Object(members) => {
            let head = into.map(count(members.len())).map(drop);
            for (name, member) in members {
                let _ = into.str(name);
                put(member, into);
            }
            head
        }
        _ => into.null().map(drop),
    };
}

/// Claims with the document under `key`, a number or a name, and what else stands before it.
fn claims(issuer: &str, key: &Value, document: &Value, id: bool) -> Vec<u8> {
    let mut cbor = Encoder::new(Vec::new());
    let _ = cbor.map(if id { 5 } else { 4 });
    let _ = cbor.u8(1).and_then(|it| it.str(issuer)?.u8(4)?.i64(NOW_S + 60)?.u8(5)?.i64(NOW_S - 60));
    if id {
        let _ = cbor.u8(7).and_then(|it| it.bytes(&[7; 16]));
    }
    match key {
        Value::String(_) => put(key, &mut cbor),
        _ => drop(cbor.i64(-260)),
    }
    if !id {
        let _ = cbor.map(1).and_then(|it| it.u8(1));
    }
    put(document, &mut cbor);
    cbor.into_writer()
}

fn dcc(group: &str, entry: Value) -> Value {
    json!({ "ver": "1.3.0", "dob": "1990-05-05",
        "nam": { "fn": "김", "fnt": "KIM", "gn": "하늘", "gnt": "HANEUL" }, group: [entry] })
}

fn hcerts() -> Outcome {
    let of = |more: Value| {
        let mut entry = json!({ "tg": "840539006", "co": "KR", "is": "Haetae", "ci": "URN:UVCI:01:KR:X" });
        if let (Value::Object(entry), Value::Object(more)) = (&mut entry, more) {
            entry.extend(more);
        }
        entry
    };
    for (name, document) in [
        ("v", dcc("v", of(json!({ "vp": "1119349007", "mp": "EU/1/20/1528", "ma": "ORG-100030215",
            "dn": 2, "sd": 2, "dt": "2026-06-01" })))),
        ("t", dcc("t", of(json!({ "tt": "LP6464-4", "sc": "2026-06-01T10:00:00Z",
            "tr": "260415000", "tc": "Here" })))),
        ("r", dcc("r", of(json!({ "fr": "2026-06-01", "df": "2026-06-12", "du": "2026-12-01" })))),
        ("x", dcc("x", of(json!({ "df": "2026-06-12", "du": "2026-12-01" })))),
    ] {
        let claims = claims("KR", &json!(-260), &document, false);
        write("hcert", &format!("claims-{name}"), layer(3, &claims))?;
        write("hcert", &format!("cose-{name}"), layer(2, cose(&claims)))?;
        write("text", &format!("hcert-{name}"), hcert(&cose(&claims)))?;
    }
    let signer = HcertSigner::from_scalar(&[5; 32])?;
    let text = |text: &str| text.to_owned();
    let pass = Hcert {
        person: Person { surname: text("Kim"), given: text("Haneul"), surname_latin: text("Kim"),
            given_latin: text("Haneul"), birth: text("1990-05-05") },
        attested: Attested::Recovery { first_positive: text("2026-06-01"), from: text("2026-06-12"),
            until: text("2026-12-01") },
        country: text("KR"),
        issuer: text("Haetae"),
        identifier: uvci("KR", "X").unwrap_or_default(),
        issued_at: NOW_S - 60,
        expires_at: NOW_S + 60,
        status: Some((text("https://haetae.example/statuses/1"), 3)),
    };
    let signed = signer.sign(&pass)?;
    write("hcert", "signed", layer(0, &signed[4..]))?;
    if let Some(mut list) = StatusList::try_new(2, 16) {
        let _ = list.set(3, 1);
        let claims = StatusClaims {
            uri: "https://haetae.example/statuses/1",
            list: &list,
            issued_at: NOW_S,
            expires_at: NOW_S + 60,
            ttl_s: 30,
        };
        let token = signer.sign_status(&claims)?;
        write("trust", "status-cwt", token)?;
    }
    let key = json!({ "eu_keys": { base64(&signer.kid()): [
        { "subjectPk": base64(&signer.public_info()), "keyUsage": ["v"] }] } });
    write("trust", "signers-nl", key.to_string())?;
    write("trust", "signers-uk", json!([{ "kid": base64(&signer.kid()),
        "publicKey": base64(&signer.public_info()) }]).to_string())
}

fn cards() -> Outcome {
    let payload = json!({ "iss": CARD_ISSUER, "nbf": NOW_S - 60, "exp": NOW_S + 60,
        "vc": { "rid": "abc", "type": ["https://smarthealth.cards#health-card",
            "https://smarthealth.cards#immunization"],
            "credentialSubject": { "fhirVersion": "4.0.1", "fhirBundle": {
                "resourceType": "Bundle", "type": "collection", "entry": [
                    { "fullUrl": "resource:0", "resource": { "resourceType": "Patient",
                        "name": [{ "family": "Kim", "given": ["Haneul"] }], "birthDate": "1990-05-05" } },
                    { "fullUrl": "resource:1", "resource": { "resourceType": "Immunization",
                        "status": "completed", "vaccineCode": { "coding": [
                            { "system": "http://hl7.org/fhir/sid/cvx", "code": "207" }] },
                        "patient": { "reference": "resource:0" },
                        "occurrenceDateTime": "2026-06-01" } }] } } } });
    let payload = payload.to_string();
    let whole = jws(payload.as_bytes());
    write("shc", "payload", layer(2, &payload))?;
    write("shc", "jws", layer(1, &whole))?;
    let digits = card(&whole);
    write("shc", "digits", layer(0, &digits[5..]))?;
    let digits = &digits[5..];
    let (one, two) = digits.split_at(digits.len() / 4 * 2);
    write("shc", "chunks", layer(3, format!("shc:/1/2/{one}\nshc:/2/2/{two}")))?;
    let file = json!({ "verifiableCredential": [whole, whole] }).to_string();
    write("shc", "file", layer(3, &file))?;
    write("text", "shc-file", &file)?;
    write("text", "shc-digits", format!("shc:/{digits}"))?;
    let list = json!({ "kid": CARD_KID, "method": "rid", "ctr": 1, "rids": ["abc", "def.1600000000"] });
    write("trust", "crl-cards", list.to_string())?;
    let key = json!({ "keys": [{ "kty": "EC", "kid": CARD_KID, "use": "sig", "alg": "ES256",
        "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0" }] });
    write("trust", "jwks", key.to_string())?;
    let directory = json!({ "participating_issuers": [
        { "iss": CARD_ISSUER, "name": "Haetae", "website": CARD_ISSUER }] });
    write("trust", "directory", directory.to_string())
}

fn others() -> Outcome {
    let credential = json!({ "@context": ["https://www.w3.org/2018/credentials/v1",
        "https://nzcp.covid19.health.nz/contexts/v1"], "version": "1.0.0",
        "type": ["VerifiableCredential", "PublicCovidPass"],
        "credentialSubject": { "givenName": "Haneul", "familyName": "Kim", "dob": "1990-05-05" } });
    let claims = claims(DID, &json!("vc"), &credential, true);
    write("nzcp", "claims", layer(2, &claims))?;
    write("nzcp", "cose", layer(1, cose(&claims)))?;
    let text = nzcp(&cose(&claims));
    write("nzcp", "text", layer(0, &text[6..]))?;
    write("text", "nzcp", &text)?;
    let document = json!({ "@context": "https://w3.org/ns/did/v1", "id": DID,
        "verificationMethod": [{ "id": format!("{DID}#{}", String::from_utf8_lossy(KID)),
            "controller": DID, "type": "JsonWebKey2020", "publicKeyJwk": { "kty": "EC",
                "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0" } }],
        "assertionMethod": [format!("{DID}#{}", String::from_utf8_lossy(KID))] });
    write("trust", "did", document.to_string())?;
    let seal = json!({ "data": { "hdr": { "is": "UTO", "t": "icao.vacc", "v": 1 },
        "msg": { "pid": { "dob": "1990-05-05", "n": "Kim Haneul", "sex": "F", "i": "X1" },
            "uvci": "U1", "ve": [{ "des": "XM68M6", "nam": "X", "dis": "RA01.0",
                "vd": [{ "adm": "Here", "ctr": "UTO", "dvc": "2026-06-01", "lot": "1", "seq": 1 }] }] } },
        "sig": { "alg": "ES256", "cer": "MAA=", "sigvl": "AAAA" } });
    write("vdsnc", "seal", seal.to_string())?;
    write("text", "vdsnc", seal.to_string())?;
    let batch = json!({ "country": "KR", "expires": "2027-02-01T00:00:00Z", "kid": "UNKNOWN_KID",
        "hashType": "UCI", "entries": [{ "hash": base64(&[7; 16]) }] });
    write("trust", "batch", batch.to_string())
}

fn own() -> Outcome {
    let root = IssuerSigner::from_seed(&[1; 32])?;
    let issuer = IssuerSigner::from_seed(&[2; 32])?;
    let device = DeviceKey::from_scalar(&[3; 32])?;
    for (name, holder) in
        [("paper", Holder::Printed), ("device", Holder::Device(device.public()))]
    {
        let code = HealthCode { pass: [7; 16], colour: Colour::Green, issued_at: NOW_S - 60,
            valid_until: NOW_S + 60, holder, region: "KR-11".to_owned() };
        let is_shown = name == "device";
        let moment = if is_shown { Some(device.prove(&code.pass, NOW_S)?) } else { None };
        let shown = Presentation { signed: issuer.sign_code(&code)?, moment };
        write("own", name, layer(1, shown.to_cbor()))?;
        write("own", &format!("{name}-text"), layer(0, shown.to_text()))?;
        write("text", &format!("own-{name}"), shown.to_text())?;
    }
    let code = BoundPass { kind: 2, pass: [7; 16], issued_at: NOW_S - 60, valid_until: NOW_S + 60,
        device: device.public(), attested_at: NOW_S - 90, ends_at: NOW_S + 90,
        list: "https://haetae.example/statuslists/1".to_owned(), place: 3, country: "KR".to_owned(),
        initials: "H. K.".to_owned(), birth: "1990-05-05".to_owned(),
        fields: ["840539006", "2026-06-01", "2026-06-12", "2026-12-01", "Haetae"]
            .map(|it| Field::Text(it.to_owned())).to_vec() };
    write("own", "bound", layer(2, code.to_cbor()))?;
    let list = TrustList { region: "KR-11".to_owned(), version: 1, issued_at: NOW_S - 60,
        valid_until: NOW_S + 60, keys: vec![IssuerKey::new(issuer.public(), 0, NOW_S)] };
    let revoked = RevocationList::new(1, NOW_S - 60, NOW_S + 60, &[[9; 16]]);
    write("trust", "bundle", haetae_fuzz::bundle())?;
    write("trust", "served", json!({ "list": base64(&root.sign_trust(&list)?) }).to_string())?;
    let file = json!({ "trust": base64(&root.sign_trust(&list)?),
        "revocations": base64(&root.sign_revocations(&revoked)?), "root": base64(&root.public()) });
    write("trust", "region", file.to_string())
}

fn rules() -> Outcome {
    let complete = json!({ "if": [{ "var": "payload.v.0" },
        { ">=": [{ "var": "payload.v.0.dn" }, { "var": "payload.v.0.sd" }] }, true] });
    let since = json!({ "and": [complete, { "not-before": [
        { "plusTime": [{ "var": "external.validationClock" }, 0, "day"] },
        { "plusTime": [{ "var": "payload.v.0.dt" }, 14, "day"] }] }] });
    let data = json!({ "payload": { "v": [{ "dn": 2, "sd": 2, "dt": "2026-06-01" }] },
        "external": { "validationClock": "2026-07-01T00:00:00Z" } });
    let sum = json!({ "reduce": [{ "var": "payload.v" },
        { "+": [{ "var": "accumulator" }, { "var": "current.dn" }] }, 0] });
    let uvci = json!({ "in": [{ "extractFromUVCI": ["URN:UVCI:01:KR:A/B#C", 2] }, ["A", "B"]] });
    let birth = json!({ "before": [{ "dccDateOfBirth": ["1990-05"] }, { "plusTime": ["2000-01-01", -1, "year"] }] });
    for (name, logic) in [("complete", complete), ("since", since.clone()), ("sum", sum),
        ("uvci", uvci), ("birth", birth)]
    {
        write("certlogic", name, json!({ "logic": logic, "data": data }).to_string())?;
    }
    let rule = json!({ "Identifier": "VR-KR-0001", "Type": "Acceptance", "Country": "KR",
        "Version": "1.0.0", "SchemaVersion": "1.3.0", "Engine": "CERTLOGIC", "EngineVersion": "1.0.0",
        "CertificateType": "Vaccination", "Description": [{ "lang": "en",
        "desc": "The last dose was at least fourteen days ago." }], "ValidFrom": "2022-01-01T00:00:00Z",
        "ValidTo": "2030-01-01T00:00:00Z", "AffectedFields": ["v.0", "v.0.dn", "v.0.sd", "v.0.dt"],
        "Logic": since });
    write("certlogic", "rule", rule.to_string())?;
    let suite = json!({ "cases": [{ "name": "one", "certLogicExpression": { "var": "a" },
        "assertions": [{ "data": { "a": 1 }, "expected": 1 }] }] });
    write("certlogic", "suite", suite.to_string())
}

fn main() -> Outcome {
    hcerts()?;
    cards()?;
    others()?;
    own()?;
    rules()
}
