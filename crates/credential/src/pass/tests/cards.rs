//! SMART Health Cards: the framework's examples, the developer tools' negatives with their published
//! labels, and changes whose verdict is known by construction.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use miniz_oxide::deflate::compress_to_vec;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{data, json_files};
use crate::issue::DeviceKey;
use crate::pass::{Format, Note, Policy, Trust, Verdict, verify};
use crate::verify::{Check, Outcome};

/// The clock of the published labels: 2022-05-31.
const LABELS_AT: i64 = 1_653_955_200;
/// A second after the newest example begins (`nbf` 1687450764.657).
const EXAMPLES_AT: i64 = 1_687_450_765;
const ISSUER: &str = "https://cards.example/issuer";

fn judge(text: &str, trust: &Trust, now_s: i64) -> Verdict {
    verify(text, trust, None, &Policy::default(), now_s)
}

fn codes(verdict: &Verdict) -> Vec<&'static str> {
    verdict.reasons.iter().map(|finding| finding.reason.code()).collect()
}

/// An issuer of the tests: its key, and what it says of it.
struct Issuer(DeviceKey);

impl Issuer {
    fn new(scalar: u8) -> Self {
        Self(DeviceKey::from_scalar(&[scalar; 32]).unwrap())
    }

    fn jwk(&self) -> Value {
        let point = self.0.public_uncompressed();
        let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
        let members = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        let kid = URL_SAFE_NO_PAD.encode(Sha256::digest(members));
        json!({"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": kid, "x": x, "y": y})
    }

    fn kid(&self) -> String {
        self.jwk()["kid"].as_str().unwrap().to_owned()
    }

    fn trust(&self) -> Trust {
        trusting(&[json!({"keys": [self.jwk()]})])
    }

    fn sign(&self, payload: &[u8]) -> String {
        self.sign_with(
            &json!({"zip": "DEF", "alg": "ES256", "kid": self.kid()}),
            &compress_to_vec(payload, 9),
        )
    }

    fn sign_with(&self, header: &Value, payload: &[u8]) -> String {
        let header = URL_SAFE_NO_PAD.encode(header.to_string());
        let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(payload));
        let signature = self.0.sign(signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn card(&self, payload: &Value) -> String {
        self.sign(payload.to_string().as_bytes())
    }
}

/// The key set of an issuer.
pub(in crate::pass) fn key_set() -> Vec<u8> {
    json!({"keys": [Issuer::new(1).jwk()]}).to_string().into_bytes()
}

fn trusting(files: &[Value]) -> Trust {
    let mut trust = Trust::default();
    for file in files {
        assert!(!trust.add(file.to_string().as_bytes()).is_nothing(), "{file}");
    }
    trust
}

fn payload() -> Value {
    json!({
        "iss": ISSUER,
        "nbf": 1_600_000_000.5,
        "exp": 1_700_000_000,
        "vc": {
            "type": ["https://smarthealth.cards#health-card"],
            "rid": "abc",
            "credentialSubject": {"fhirVersion": "4.0.1", "fhirBundle": bundle()},
        },
    })
}

fn bundle() -> Value {
    json!({"resourceType": "Bundle", "type": "collection", "entry": [
        {"fullUrl": "resource:0", "resource": {
            "resourceType": "Patient",
            "name": [{"family": "Anyperson", "given": ["John", "B."]}],
            "birthDate": "1951-01-20",
        }},
        {"fullUrl": "resource:1", "resource": {
            "resourceType": "Immunization",
            "status": "completed",
            "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "207"}]},
            "patient": {"reference": "resource:0"},
            "occurrenceDateTime": "2021-01-01",
        }},
    ]})
}

/// A text in the digits of a numeric code.
pub(in crate::pass) fn digits(text: &str) -> String {
    text.bytes().fold(String::new(), |digits, byte| digits + &format!("{:02}", byte - 45))
}

#[test]
fn every_example_passes_in_every_form_from_its_second_on_and_not_before() {
    let Some(folder) = data("shc/examples") else { return };
    let mut trust = Trust::default();
    let mut lists = json_files(&folder.join("issuer"));
    lists.sort_by_key(|path| !path.ends_with("jwks.json"));
    for list in lists {
        assert!(!trust.add(&fs::read(list).unwrap()).is_nothing());
    }
    assert_eq!(trust.count(Format::Shc), 2);
    let mut seen = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let is_form = ["-d-jws.txt", "-e-file.smart-health-card", "-f-qr-code-numeric-value-0.txt"];
        // 02 comes in several codes and 03 is revoked: they have tests of their own where they are.
        let first_two = name.starts_with("example-00") || name.starts_with("example-01");
        if !first_two || !is_form.iter().any(|form| name.ends_with(form)) {
            continue;
        }
        seen += 1;
        let text = fs::read_to_string(&path).unwrap();
        let verdict = judge(&text, &trust, EXAMPLES_AT);
        assert_eq!(
            (verdict.format, verdict.outcome),
            (Format::Shc, Outcome::Pass),
            "{name} {verdict:?}"
        );
        assert_eq!(verdict.issuer.unwrap().name, "https://spec.smarthealth.cards/examples/issuer");
        assert_eq!(verdict.shown.as_ref().unwrap().initials.chars().next(), Some('J'));
        assert_eq!(verdict.shown.unwrap().name, None);
        // nbf is 1687450764.656 or .657: the whole second before is too early.
        let early = judge(&text, &trust, EXAMPLES_AT - 1);
        assert_eq!((early.outcome, codes(&early)), (Outcome::NoPass, vec!["not_yet_valid"]));
        // Nobody is trusted: nobody can tell.
        let unknown = judge(&text, &Trust::default(), EXAMPLES_AT);
        assert_eq!(
            (unknown.outcome, codes(&unknown)),
            (Outcome::CannotTell, vec!["issuer_unknown"])
        );
        assert_eq!(unknown.shown, None);
    }
    assert_eq!(seen, 6);
}

/// What a published case means here.
enum Label {
    /// It passes at the labels' clock.
    Passes,
    /// It passes, but only later: the examples were made anew in 2023, after their labels.
    PassesLater,
    /// These reasons, and the outcome that follows from them.
    Says(Outcome, &'static [&'static str]),
    /// Not about a card, or about the web: TLS, SMART Health Links, pictures, FHIR profiles.
    Elsewhere,
}

/// The row of `expected-dev.tsv` with that name, in our words.
fn label(name: &str) -> Label {
    use Label::{Elsewhere, Passes, PassesLater, Says};
    let cannot = |codes| Says(Outcome::CannotTell, codes);
    let no = |codes| Says(Outcome::NoPass, codes);
    match name.trim_start_matches("Cards: ") {
        "valid 00 JWS"
        | "valid 01 JWS"
        | "valid 00 health card"
        | "valid 01 health card"
        | "valid 00 QR numeric"
        | "valid 01 QR numeric"
        | "valid 00 JWS payload expanded"
        | "valid 01 JWS payload expanded"
        | "valid 00 JWS payload minified"
        | "valid 01 JWS payload minified"
        | "issuer in trusted directory ref by name"
        | "issuer in trusted directory ref by URL" => PassesLater,
        "valid 00 FHIR bundle"
        | "valid 01 FHIR bundle"
        | "valid 1195-byte QR numeric"
        | "valid 00 health card w/ multiple jws"
        | "valid FHIR api health card"
        // From here on warnings of the validator: the card is good.
        | "exp in milliseconds"
        | "missing lab VC type"
        | "bad meta with extra key"
        | "bad meta without security key" => Passes,
        "jws w/ trailing chars" => cannot(&["format_unknown"]),
        "missing coding" | "missing SHC VC type" => no(&["schema_invalid"]),
        "exp date before nbf" => no(&["schema_invalid", "expired"]),
        // Its payload is in zlib's wrapping; the specification has none.
        "invalid deflate" => cannot(&["compression_malformed"]),
        "no deflate"
        | "no JWS header 'kid'"
        | "JWS Payload with BOM UTF-8 prefix"
        | "health card w/ multi-jws and issues" => cannot(&["envelope_malformed"]),
        "wrong JWS header 'kid'" | "issuer not in trusted directory" => cannot(&["issuer_unknown"]),
        "invalid signature"
        | "der encoded signature s-negative"
        | "der encoded signature r-negative" => no(&["signature_bad"]),
        "CRL with invalid method"
        | "CRL with invalid rid (base64)"
        | "CRL with invalid rid (duplicate)"
        | "CRL with invalid rid (too long)"
        | "CRL with version mismatch" => cannot(&["revocation_stale"]),
        "QR chunk too big"
        | "invalid numeric QR with odd count"
        | "invalid numeric QR with value too big" => cannot(&["encoding_malformed"]),
        "SHL Link w/ Viewer"
        | "SHL Manifest"
        | "SHL File"
        | "fhir bundle w/ usa-profile errors"
        | "fhir validator test"
        | "inflated QR code"
        | "invalid QR version"
        | "valid 00 QR code SVG"
        | "valid 01 QR code SVG"
        | "valid 02 QR code PNG"
        | "valid 02 QR code JPG"
        | "valid 02 QR code BMP" => Elsewhere,
        other => panic!("no label for {other:?}"),
    }
}

/// Keys and lists of a row: those of the examples, and what lies beside the card.
fn trust_of(row: &str, files: &[&Path], examples: &Path) -> Trust {
    let mut trust = Trust::default();
    trust.add(&fs::read(examples.join("issuer/.well-known/jwks.json")).unwrap());
    for file in files {
        let beside = file.parent().unwrap().join(".well-known");
        if beside.is_dir() {
            for path in json_files(&beside) {
                trust.add(&fs::read(path).unwrap());
            }
        }
    }
    if row.contains("not in trusted directory") {
        trust.add(br#"{"participating_issuers":[{"iss":"https://other.example","name":"Other"}]}"#);
    }
    trust
}

#[test]
fn published_cases_get_the_verdict_that_their_labels_mean() {
    let (Some(folder), Some(examples)) = (data("shc-negative"), data("shc/examples")) else {
        return;
    };
    let table = fs::read_to_string(folder.join("expected-dev.tsv")).unwrap();
    let signer = Issuer::new(9);
    let (mut checked, mut elsewhere, mut absent) = (0, 0, 0);
    for row in table.lines().skip(2) {
        let mut columns = row.split('\t');
        let (name, kind) = (columns.next().unwrap(), columns.next().unwrap());
        let names = columns.next().unwrap().split(';').filter(|file| !file.starts_with("https:"));
        let find = |file: &str| {
            [folder.join("testdata").join(file), examples.join(file)]
                .into_iter()
                .find(|path| path.is_file())
        };
        let label = label(name);
        if let Label::Elsewhere = label {
            elsewhere += 1;
            continue;
        }
        let Some(files) = names.map(find).collect::<Option<Vec<_>>>() else {
            absent += 1;
            continue;
        };
        let texts: Vec<_> = files.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
        let paths: Vec<_> = files.iter().map(|path| path.as_path()).collect();
        let (text, trust) = match kind {
            // A payload or a bundle is no card; one is made of it.
            "jwspayload" => (signer.sign(texts[0].as_bytes()), signer.trust()),
            "fhirbundle" => {
                let mut payload = payload();
                payload["vc"]["credentialSubject"]["fhirBundle"] =
                    serde_json::from_str(&texts[0]).unwrap();
                (signer.card(&payload), signer.trust())
            }
            _ => (texts.join("\n"), trust_of(name, &paths, &examples)),
        };
        let verdict = judge(&text, &trust, LABELS_AT);
        match label {
            Label::Passes => assert_eq!(verdict.outcome, Outcome::Pass, "{name}: {verdict:?}"),
            Label::PassesLater => {
                assert_eq!(codes(&verdict), ["not_yet_valid"], "{name}: {verdict:?}");
                let later = judge(&text, &trust, EXAMPLES_AT);
                assert_eq!(later.outcome, Outcome::Pass, "{name}: {later:?}");
            }
            Label::Says(outcome, reasons) => {
                // Made of the examples of 2023 as well, some are early at the labels' clock.
                let found: Vec<_> =
                    codes(&verdict).into_iter().filter(|code| *code != "not_yet_valid").collect();
                assert_eq!(
                    (verdict.outcome, found.as_slice()),
                    (outcome, reasons),
                    "{name}: {verdict:?}"
                );
            }
            Label::Elsewhere => {}
        }
        checked += 1;
    }
    println!("{checked} cases checked, {elsewhere} are about something else, {absent} not there");
    assert!(40 <= checked);
}

#[test]
fn keys_that_the_specification_does_not_allow_are_left_out() {
    let Some(folder) = data("shc-negative/testdata") else { return };
    for (file, keys) in [
        ("valid_key.json", 1),
        ("valid_keys.json", 3),
        ("valid_2_chain.public.json", 1),
        // Another curve; RSA; certificates of another key; a DNS name where an address is due.
        ("wrong_curve_key.json", 0),
        ("wrong_kty_key.json", 0),
        ("cert_mismatch.public.json", 0),
        ("invalid_DNS_SAN.public.json", 0),
        ("badjwks/.well-known/jwks.json", 0),
    ] {
        let mut trust = Trust::default();
        trust.add(&fs::read(folder.join(file)).unwrap());
        assert_eq!(trust.count(Format::Shc), keys, "{file}");
    }
}

#[test]
fn a_key_that_is_not_named_by_its_hash_or_has_its_private_half_signs_nothing() {
    let issuer = Issuer::new(9);
    let card = issuer.card(&payload());
    assert_eq!(judge(&card, &issuer.trust(), LABELS_AT).outcome, Outcome::Pass);
    let with = |change: &dyn Fn(&mut Value)| {
        let mut jwk = issuer.jwk();
        change(&mut jwk);
        let mut trust = Trust::default();
        trust.add(json!({"keys": [jwk]}).to_string().as_bytes());
        codes(&judge(&card, &trust, LABELS_AT))
    };
    let unknown = vec!["issuer_unknown"];
    assert_eq!(with(&|jwk| jwk["d"] = json!("AAAA")), unknown);
    assert_eq!(with(&|jwk| jwk["use"] = json!("enc")), unknown);
    assert_eq!(with(&|jwk| jwk["alg"] = json!("ES384")), unknown);
    assert_eq!(with(&|jwk| jwk["kid"] = json!("k")), unknown);
    let without = |jwk: &mut Value, name: &str| drop(jwk.as_object_mut().unwrap().remove(name));
    assert_eq!(with(&|jwk| without(jwk, "kid")), unknown);
    assert!(with(&|jwk| without(jwk, "use")).is_empty());
    assert!(with(&|jwk| without(jwk, "alg")).is_empty());
    // Another key under this one's name is not taken either.
    let other = Issuer::new(8).jwk();
    assert_eq!(
        with(&|jwk| (jwk["x"], jwk["y"]) = (other["x"].clone(), other["y"].clone())),
        unknown
    );
}

#[test]
fn where_something_says_whose_a_key_is_other_issuers_cards_are_not_taken_from_it() {
    let issuer = Issuer::new(9);
    let card = issuer.card(&payload());
    let judged = |files: &[Value]| codes(&judge(&card, &trusting(files), LABELS_AT));
    let set = |of: &str| json!({"issuer": of, "keys": [issuer.jwk()]});
    let directory = |of: &str| json!({"issuerInfo": [{"issuer": {"iss": of, "name": "N"}, "keys": [issuer.jwk()]}]});
    let members = |of: &str| json!({"participating_issuers": [{"iss": of, "name": "N"}]});
    let bare = json!({"keys": [issuer.jwk()]});
    for files in [
        vec![set(ISSUER)],
        vec![directory(ISSUER)],
        vec![bare.clone(), members(ISSUER)],
        vec![set("https://a"), set(ISSUER)],
    ] {
        assert!(judged(&files).is_empty(), "{files:?}");
    }
    for files in [
        vec![set("https://a")],
        vec![directory("https://a")],
        vec![bare.clone(), members("https://a")],
        vec![bare, set("https://a")],
    ] {
        assert_eq!(judged(&files), ["issuer_unknown"], "{files:?}");
    }
}

#[test]
fn a_set_with_one_certificate_is_of_the_issuer_that_it_names() {
    let (Some(examples), Some(negatives)) = (data("shc/examples"), data("shc-negative/testdata"))
    else {
        return;
    };
    let mut trust = Trust::default();
    trust.add(&fs::read(examples.join("issuer/.well-known/jwks.json")).unwrap());
    // Honestly signed with the first key of the set, which has no certificate, for another address.
    let file = "test-example-00-d-jws-issuer-not-valid-with-smart-key.txt";
    let text = fs::read_to_string(negatives.join(file)).unwrap();
    let verdict = judge(&text, &trust, LABELS_AT);
    assert_eq!(verdict.checks.signature, Check::Ok);
    assert_eq!((verdict.outcome, codes(&verdict)), (Outcome::CannotTell, vec!["issuer_unknown"]));
}

#[test]
fn revoked_cards_are_refused_and_lists_that_cannot_vouch_leave_it_open() {
    let issuer = Issuer::new(9);
    let list = |method: &str, counter: i64, rids: &[&str]| json!({"kid": issuer.kid(), "method": method, "ctr": counter, "rids": rids});
    let with_version = |version: i64| {
        let mut jwk = issuer.jwk();
        jwk["crlVersion"] = json!(version);
        json!({"keys": [jwk]})
    };
    let judged = |payload: &Value, lists: &[Value]| {
        let files = [&[with_version(2)], lists].concat();
        let verdict = judge(&issuer.card(payload), &trusting(&files), LABELS_AT);
        (verdict.checks.revocation, codes(&verdict))
    };
    let card = payload();
    assert_eq!(judged(&card, &[]), (Check::Skipped, vec![]));
    assert_eq!(judged(&card, &[list("rid", 2, &["xyz"])]), (Check::Ok, vec![]));
    let revoked = (Check::Failed, vec!["revoked"]);
    assert_eq!(judged(&card, &[list("rid", 2, &["abc"])]), revoked);
    // nbf is 1600000000.5.
    assert_eq!(judged(&card, &[list("rid", 2, &["abc.1600000001"])]), revoked);
    assert_eq!(judged(&card, &[list("rid", 2, &["abc.1600000000"])]), (Check::Ok, vec![]));
    let open = (Check::Failed, vec!["revocation_stale"]);
    assert_eq!(judged(&card, &[list("rid", 1, &["xyz"])]), open);
    assert_eq!(judged(&card, &[list("names", 2, &["abc"])]), open);
    // An old list still knows whom it names, and so does one with faults.
    assert_eq!(judged(&card, &[list("rid", 1, &["abc"])]), revoked);
    assert_eq!(judged(&card, &[list("rid", 2, &["not one", "abc"])]), revoked);
    // A list of another key is not about this card.
    let other = json!({"kid": "other", "method": "rid", "ctr": 1, "rids": ["abc"]});
    assert_eq!(judged(&card, &[other]), (Check::Skipped, vec![]));

    // A key that says it has a list, and none is held: the verdict stays, and says what it stands on.
    let notes = |files: &[Value]| judge(&issuer.card(&card), &trusting(files), LABELS_AT).notes;
    assert_eq!(notes(&[with_version(2)]), [Note::RevocationMissing]);
    assert_eq!(notes(&[with_version(2), list("rid", 2, &["xyz"])]), []);
    assert_eq!(notes(&[json!({"keys": [issuer.jwk()]})]), []);

    // The framework's RFC 2 gives this hash for its revoked example.
    let mut old = payload();
    old["vc"].as_object_mut().unwrap().remove("rid");
    old["vc"]["credentialSubject"]["fhirBundle"] = revoked_example();
    assert_eq!(judged(&old, &[list("hash-fhir", 2, &["JuTJHwXo2Yc"])]), revoked);
    assert_eq!(judged(&card, &[list("hash-fhir", 2, &["JuTJHwXo2Yc"])]), (Check::Ok, vec![]));
}

/// The bundle in the framework's RFC 2.
fn revoked_example() -> Value {
    let dose = |number: u8, day: &str, lot: &str| {
        json!({"fullUrl": format!("resource:{number}"), "resource": {
            "resourceType": "Immunization", "status": "completed",
            "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "207"}]},
            "patient": {"reference": "resource:0"}, "occurrenceDateTime": day,
            "performer": [{"actor": {"display": "ABC General Hospital"}}], "lotNumber": lot,
        }})
    };
    json!({"resourceType": "Bundle", "type": "collection", "entry": [
        {"fullUrl": "resource:0", "resource": {
            "resourceType": "Patient", "name": [{"family": "Revoked", "given": ["Johnny"]}],
            "birthDate": "1960-04-22",
        }},
        dose(1, "2021-03-01", "0000003"),
        dose(2, "2021-03-29", "0000009"),
    ]})
}

#[test]
fn a_card_counts_from_its_first_second_and_not_in_its_last() {
    let issuer = Issuer::new(9);
    let trust = issuer.trust();
    let mut payload = payload();
    payload["nbf"] = json!(1_600_000_000);
    let card = issuer.card(&payload);
    for (now_s, reasons) in [
        (1_599_999_999, vec!["not_yet_valid"]),
        (1_600_000_000, vec![]),
        (1_699_999_999, vec![]),
        (1_700_000_000, vec!["expired"]),
        (i64::MAX, vec!["expired"]),
        (i64::MIN, vec!["not_yet_valid"]),
    ] {
        assert_eq!(codes(&judge(&card, &trust, now_s)), reasons, "{now_s}");
    }
}

#[test]
fn a_card_in_pieces_is_whole_in_any_order_and_says_what_is_missing() {
    let issuer = Issuer::new(9);
    let trust = issuer.trust();
    let card = issuer.card(&payload());
    let (one, rest) = card.split_at(200);
    let (two, three) = rest.split_at(100);
    let code = |place: usize, text: &str| format!("shc:/{place}/3/{}", digits(text));
    let codes_of = [code(1, one), code(2, two), code(3, three)];
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let mut lines: Vec<_> = order.iter().map(|place| codes_of[*place].clone()).collect();
        lines.push(codes_of[1].clone());
        assert_eq!(judge(&lines.join("\n"), &trust, LABELS_AT).outcome, Outcome::Pass);
        assert_eq!(judge(&lines.join("\r\n"), &trust, LABELS_AT).outcome, Outcome::Pass);
    }
    let two_of_three = judge(&codes_of[..2].join("\n"), &trust, LABELS_AT);
    assert_eq!(
        (two_of_three.outcome, codes(&two_of_three)),
        (Outcome::CannotTell, vec!["chunk_missing"])
    );
    let mixed = [&codes_of[..2], &["shc:/3/4/00".to_owned()]].concat().join("\n");
    assert_eq!(codes(&judge(&mixed, &trust, LABELS_AT)), ["chunks_disagree"]);
}

#[test]
fn a_file_of_several_cards_passes_if_all_of_them_do() {
    let issuer = Issuer::new(9);
    let trust = issuer.trust();
    let good = issuer.card(&payload());
    let mut over = payload();
    over["exp"] = json!(1_600_000_100);
    let over = issuer.card(&over);
    let stranger = Issuer::new(8).card(&payload());
    let judged = |cards: &[&str]| {
        let file = json!({"verifiableCredential": cards}).to_string();
        let verdict = judge(&file, &trust, LABELS_AT);
        (verdict.outcome, codes(&verdict))
    };
    assert_eq!(judged(&[&good, &good]), (Outcome::Pass, vec![]));
    assert_eq!(judged(&[&good, &over]), (Outcome::NoPass, vec!["expired"]));
    assert_eq!(judged(&[&stranger, &good]), (Outcome::CannotTell, vec!["issuer_unknown"]));
    assert_eq!(judged(&[&good, "eyJ.a.b"]), (Outcome::CannotTell, vec!["envelope_malformed"]));
    assert_eq!(judged(&[]).1, ["envelope_malformed"]);
}

#[test]
fn changed_headers_and_payloads_get_the_verdict_that_their_change_means() {
    let issuer = Issuer::new(9);
    let trust = issuer.trust();
    let good = payload().to_string();
    let packed = compress_to_vec(good.as_bytes(), 9);
    let header = |alg: &str, zip: &str| json!({"zip": zip, "alg": alg, "kid": issuer.kid()});
    let judged = |text: &str| codes(&judge(text, &trust, LABELS_AT));
    // Honestly signed, but not as the specification has it.
    assert_eq!(
        judged(&issuer.sign_with(&header("ES384", "DEF"), &packed)),
        ["algorithm_not_allowed"]
    );
    assert_eq!(
        judged(&issuer.sign_with(&header("none", "DEF"), &packed)),
        ["algorithm_not_allowed"]
    );
    assert_eq!(judged(&issuer.sign_with(&header("ES256", "GZ"), &packed)), ["envelope_malformed"]);
    let followed = [&packed[..], b"\0"].concat();
    assert_eq!(
        judged(&issuer.sign_with(&header("ES256", "DEF"), &followed)),
        ["compression_malformed"]
    );
    let cut = &packed[..packed.len() - 1];
    assert_eq!(judged(&issuer.sign_with(&header("ES256", "DEF"), cut)), ["compression_malformed"]);
    let bomb = compress_to_vec(&vec![b' '; (1 << 20) + 1], 9);
    assert_eq!(judged(&issuer.sign_with(&header("ES256", "DEF"), &bomb)), ["too_long"]);
    assert_eq!(judged(&issuer.sign(b"[]")), ["envelope_malformed"]);
    assert_eq!(judged(&issuer.sign(format!("{good}{good}").as_bytes())), ["envelope_malformed"]);
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(16), "]".repeat(16));
    assert_eq!(judged(&issuer.sign(deep.as_bytes())), ["envelope_malformed"]);
    let twice = good.replacen("{\"iss\"", "{\"iss\":\"https://b\",\"iss\"", 1);
    assert_eq!(judged(&issuer.sign(twice.as_bytes())), ["envelope_malformed"]);
    // Under the name of another key that is trusted as well.
    let other = Issuer::new(8);
    let both = trusting(&[json!({"keys": [issuer.jwk(), other.jwk()]})]);
    let swapped = json!({"zip": "DEF", "alg": "ES256", "kid": other.kid()});
    let swapped = judge(&issuer.sign_with(&swapped, &packed), &both, LABELS_AT);
    assert_eq!((swapped.outcome, codes(&swapped)), (Outcome::NoPass, vec!["signature_bad"]));
    // Packed again: the signature is over the packed bytes.
    let text = issuer.card(&payload());
    let parts: Vec<_> = text.split('.').collect();
    let again = URL_SAFE_NO_PAD.encode(compress_to_vec(good.as_bytes(), 1));
    assert_ne!(again, parts[1]);
    assert_eq!(judged(&format!("{}.{again}.{}", parts[0], parts[2])), ["signature_bad"]);

    let changes: [(&str, Value); 9] = [
        ("/iss", json!("http://cards.example/issuer")),
        ("/iss", json!("https://cards.example/issuer/")),
        ("/iss", json!(7)),
        ("/nbf", json!("1600000000")),
        ("/exp", json!("1700000000")),
        ("/vc/type", json!(["https://smarthealth.cards#immunization"])),
        ("/vc/rid", json!("this-rid-is-longer-than-the-24-char-max")),
        ("/vc/credentialSubject/fhirBundle/entry", json!([])),
        ("/vc/credentialSubject/fhirVersion", json!(4)),
    ];
    for (place, value) in changes {
        let mut payload = payload();
        *payload.pointer_mut(place).unwrap() = value;
        let verdict = judge(&issuer.card(&payload), &trust, LABELS_AT);
        assert_eq!(
            (verdict.outcome, codes(&verdict)),
            (Outcome::NoPass, vec!["schema_invalid"]),
            "{place}"
        );
    }
}

#[test]
fn one_changed_character_anywhere_never_passes() {
    let issuer = Issuer::new(9);
    let trust = issuer.trust();
    let card = issuer.card(&payload());
    assert_eq!(judge(&card, &trust, LABELS_AT).outcome, Outcome::Pass);
    for place in 0..card.len() {
        let mut changed = card.clone().into_bytes();
        changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
        let verdict = judge(&String::from_utf8(changed).unwrap(), &trust, LABELS_AT);
        assert_ne!(verdict.outcome, Outcome::Pass, "{place}");
        assert_eq!(verdict.shown, None);
        let cut = judge(&card[..place], &trust, LABELS_AT);
        assert_ne!(cut.outcome, Outcome::Pass, "cut at {place}");
    }
    for more in ["A", "=", ".", " ", "\0"] {
        assert_ne!(judge(&format!("{card}{more}"), &trust, LABELS_AT).outcome, Outcome::Pass);
    }
}

/// Wycheproof's JWS vectors: of the many schemes, ES256 under a signature key is ours; whatever else
/// is valid there is refused here by its algorithm.
#[test]
fn wycheproof_agrees_on_es256_and_every_other_scheme_is_refused() {
    let Some(folder) = data("wycheproof") else { return };
    let file = super::json(&folder.join("json_web_signature_test.json"));
    let (mut good, mut bad, mut other) = (0, 0, 0);
    for group in file["testGroups"].as_array().unwrap() {
        let jwk = if group["public"].is_null() { &group["private"] } else { &group["public"] };
        let key = crate::pass::jwk::public_key(jwk);
        for case in group["tests"].as_array().unwrap() {
            let id = &case["tcId"];
            let text = case["jws"].as_str().unwrap_or_default();
            let jws = super::super::shc::jws::Jws::read(text);
            let holds = jws
                .filter(|jws| jws.is_es256())
                .zip(key.as_ref())
                .is_some_and(|(jws, key)| jws.signed_by(key).holds() == Some(true));
            let of_ours = jwk["crv"] == "P-256"
                && jwk["use"] != "enc"
                && jwk["key_ops"].as_array().is_none_or(|ops| ops.iter().any(|op| op == "verify"));
            match (of_ours, case["result"].as_str().unwrap()) {
                (true, "valid") => {
                    assert!(holds, "{id} {}", case["comment"]);
                    good += 1;
                }
                (true, _) => {
                    assert!(!holds, "{id} {}", case["comment"]);
                    bad += 1;
                }
                // A key for encryption is refused where keys are taken up (`CardKey`), not here.
                (false, _) if jwk["crv"] == "P-256" => {}
                (false, _) => {
                    assert!(!holds, "{id} {}", case["comment"]);
                    other += 1;
                }
            }
        }
    }
    println!("{good} good, {bad} bad, {other} of other schemes");
    assert!(1 < good && 30 < bad && 300 < other);
}

/// Wycheproof's ECDSA vectors in the form of JOSE and COSE, where they are.
#[test]
fn wycheproof_agrees_on_p256_in_the_form_of_jose() {
    let Some(folder) = data("wycheproof") else { return };
    let path = folder.join("ecdsa_secp256r1_sha256_p1363_test.json");
    if !path.is_file() {
        return eprintln!("SKIPPED: {} is not there; this test has shown nothing", path.display());
    }
    for group in super::json(&path)["testGroups"].as_array().unwrap() {
        let public = hex::decode(group["publicKey"]["uncompressed"].as_str().unwrap()).unwrap();
        for case in group["tests"].as_array().unwrap() {
            let bytes = |name: &str| hex::decode(case[name].as_str().unwrap()).unwrap();
            let signature = bytes("sig");
            let holds = <&[u8; 64]>::try_from(signature.as_slice()).is_ok_and(|signature| {
                crate::curve::p256_verify(&public, &bytes("msg"), signature)
            });
            assert_eq!(holds, case["result"] == "valid", "{}", case["tcId"]);
        }
    }
}

proptest::proptest! {
    #[test]
    fn no_text_of_this_kind_makes_it_panic(
        head in "shc:/|shc:/1/2/|eyJ|\\{\"verifiableCredential\":", tail in "[0-9A-Za-z./_\\-\"\\[\\],\n]{0,120}",
    ) {
        let text = head + &tail;
        let verdict = judge(&text, &Trust::default(), LABELS_AT);
        proptest::prop_assert_eq!(verdict.outcome, Outcome::CannotTell);
    }

    #[test]
    fn no_payload_of_a_trusted_issuer_makes_it_panic(bytes: Vec<u8>, packed: bool) {
        let issuer = Issuer::new(9);
        let header = json!({"zip": "DEF", "alg": "ES256", "kid": issuer.kid()});
        let bytes = if packed { compress_to_vec(&bytes, 6) } else { bytes };
        let verdict = judge(&issuer.sign_with(&header, &bytes), &issuer.trust(), LABELS_AT);
        proptest::prop_assert_ne!(verdict.outcome, Outcome::Pass);
    }
}
