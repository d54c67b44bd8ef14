//! VDS-NC: Australia's specimens, and changes whose verdict is known by construction.

use std::fs;
use std::path::PathBuf;

use base64::Engine as _;
use serde_json::Value;

use super::data;
use crate::pass::{Certificate, Format, Policy, Trust, Verdict, verify};
use crate::verify::{Check, Outcome};

/// In the life of the specimen's revocation list: 2021-08-19 to 2021-11-17.
const IN_TIME: i64 = 1_636_000_000;
/// The list's `nextUpdate`, 2021-11-17T03:56:55Z.
const NEXT_UPDATE: i64 = 1_637_121_415;
/// The signer's `notAfter`, 2031-09-30T13:59:59Z.
const SIGNER_UNTIL: i64 = 1_948_543_199;

struct Specimen {
    folder: PathBuf,
    text: String,
}

fn specimen() -> Option<Specimen> {
    let folder = data("vdsnc/dfat")?;
    let text = fs::read_to_string(folder.join("valid.json")).unwrap();
    Some(Specimen { folder, text })
}

impl Specimen {
    fn trust(&self, files: &[&str]) -> Trust {
        let mut trust = Trust::default();
        for file in files {
            assert!(!trust.add(&fs::read(self.folder.join(file)).unwrap()).is_nothing(), "{file}");
        }
        trust
    }

    fn changed(&self, change: impl Fn(&mut Value)) -> String {
        let mut json: Value = serde_json::from_str(&self.text).unwrap();
        change(&mut json);
        json.to_string()
    }
}

fn judge(text: &str, trust: &Trust, now_s: i64) -> Verdict {
    verify(text, trust, None, &Policy::default(), now_s)
}

fn found(verdict: &Verdict) -> (Outcome, Vec<&'static str>) {
    (verdict.outcome, verdict.reasons.iter().map(|finding| finding.reason.code()).collect())
}

#[test]
fn the_specimen_passes_under_its_authority_while_the_list_is_fresh() {
    let Some(it) = specimen() else { return };
    let trust = it.trust(&["csca.der", "crl.der"]);
    let verdict = judge(&it.text, &trust, IN_TIME);
    assert_eq!((verdict.format, found(&verdict)), (Format::Vdsnc, (Outcome::Pass, vec![])));
    assert_eq!((verdict.checks.usage, verdict.checks.revocation), (Check::Ok, Check::Ok));
    assert_eq!(verdict.issuer.unwrap().country.as_deref(), Some("AU"));
    let shown = verdict.shown.unwrap();
    assert_eq!((shown.initials.as_str(), shown.birth_day.as_deref()), ("J. C.", Some("03-20")));
    // One second around the list's next date.
    assert_eq!(found(&judge(&it.text, &trust, NEXT_UPDATE - 1)), (Outcome::Pass, vec![]));
    let stale = (Outcome::CannotTell, vec!["revocation_stale"]);
    assert_eq!(found(&judge(&it.text, &trust, NEXT_UPDATE)), stale);
    // Without a list nobody asked for one; then the signer's certificate ends it.
    let bare = it.trust(&["csca.der"]);
    let verdict = judge(&it.text, &bare, SIGNER_UNTIL);
    assert_eq!(
        (found(&verdict), verdict.checks.revocation),
        ((Outcome::Pass, vec![]), Check::Skipped)
    );
    let over = (Outcome::CannotTell, vec!["issuer_expired"]);
    assert_eq!(found(&judge(&it.text, &bare, SIGNER_UNTIL + 1)), over);
    // 2021-10-03 is the last dose's day, and begins first at 2021-10-02T10:00Z.
    assert_eq!(found(&judge(&it.text, &bare, 1_633_168_800)), (Outcome::Pass, vec![]));
    assert_eq!(
        found(&judge(&it.text, &bare, 1_633_168_799)),
        (Outcome::NoPass, vec!["not_yet_valid"])
    );
}

#[test]
fn a_list_without_its_authority_and_an_authority_of_nobody_leave_it_open() {
    let Some(it) = specimen() else { return };
    for files in [&[][..], &["crl.der"]] {
        let verdict = judge(&it.text, &it.trust(files), IN_TIME);
        assert_eq!(found(&verdict), (Outcome::CannotTell, vec!["issuer_unknown"]));
        assert_eq!((verdict.checks.signature, verdict.checks.trust), (Check::Ok, Check::Failed));
        assert_eq!(verdict.shown, None);
    }
    // A list with one bit changed is not its authority's.
    let mut list = fs::read(it.folder.join("crl.der")).unwrap();
    *list.last_mut().unwrap() ^= 1;
    let mut trust = it.trust(&["csca.der"]);
    assert_eq!(trust.add(&list).revocations, 1);
    assert_eq!(
        found(&judge(&it.text, &trust, IN_TIME)),
        (Outcome::CannotTell, vec!["revocation_stale"])
    );
}

#[test]
fn the_published_negatives_are_refused_or_not_seals_at_all() {
    let Some(it) = specimen() else { return };
    let trust = it.trust(&["csca.der", "crl.der"]);
    let text = |name: &str| fs::read_to_string(it.folder.join(name)).unwrap();
    let forged = judge(&text("invalid-modified-name.json"), &trust, IN_TIME);
    assert_eq!(found(&forged), (Outcome::NoPass, vec!["signature_bad"]));
    assert_eq!(forged.shown, None);
    let other = judge(&text("invalid-non-vds.json"), &trust, IN_TIME);
    assert_eq!(
        (other.format, found(&other)),
        (Format::Unknown, (Outcome::CannotTell, vec!["format_unknown"]))
    );
}

#[test]
fn order_and_spaces_do_not_matter_and_every_value_does() {
    let Some(it) = specimen() else { return };
    let trust = it.trust(&["csca.der", "crl.der"]);
    let pass = (Outcome::Pass, vec![]);
    // serde_json writes it compact and in the order of the file; then members turned around.
    assert_eq!(found(&judge(&it.changed(|_| ()), &trust, IN_TIME)), pass);
    let turned = it.changed(|json| {
        let data = json["data"].as_object().unwrap();
        let turned: serde_json::Map<String, Value> =
            data.iter().rev().map(|(k, v)| (k.clone(), v.clone())).collect();
        json["data"] = Value::Object(turned);
    });
    assert_eq!(found(&judge(&turned, &trust, IN_TIME)), pass);
    // 1 and 1.0 are the same number in canonical form.
    let whole = it.text.replacen("\"v\": 1", "\"v\": 1.0", 1);
    assert_ne!(whole, it.text);
    assert_eq!(found(&judge(&whole, &trust, IN_TIME)), pass);

    for place in [
        "/data/hdr/is",
        "/data/hdr/t",
        "/data/msg/uvci",
        "/data/msg/pid/dob",
        "/data/msg/ve/0/vd/0/dvc",
    ] {
        let changed = it.changed(|json| {
            let text = json.pointer(place).unwrap().as_str().unwrap().replace(['0', 'A', 'a'], "1");
            *json.pointer_mut(place).unwrap() = Value::String(text);
        });
        assert_eq!(
            found(&judge(&changed, &trust, IN_TIME)),
            (Outcome::NoPass, vec!["signature_bad"]),
            "{place}"
        );
    }
    let more = it.changed(|json| json["data"]["msg"]["more"] = Value::Null);
    assert_eq!(found(&judge(&more, &trust, IN_TIME)).1, ["signature_bad"]);
    // Beside what is signed there may be anything.
    let beside = it.changed(|json| json["other"] = Value::Bool(true));
    assert_eq!(found(&judge(&beside, &trust, IN_TIME)), pass);
    for alg in ["none", "ES384", "HS256", "es256"] {
        let changed = it.changed(|json| json["sig"]["alg"] = Value::String(alg.to_owned()));
        assert_eq!(
            found(&judge(&changed, &trust, IN_TIME)),
            (Outcome::NoPass, vec!["algorithm_not_allowed"])
        );
    }
    let twice = it.text.replacen("\"is\": \"AUS\"", "\"is\": \"AUS\", \"is\": \"AUS\"", 1);
    assert_eq!(
        found(&judge(&twice, &trust, IN_TIME)),
        (Outcome::CannotTell, vec!["envelope_malformed"])
    );
    for text in [format!("{}x", it.text), it.text[..it.text.len() - 3].to_owned()] {
        assert_eq!(found(&judge(&text, &trust, IN_TIME)).1, ["envelope_malformed"]);
    }
}

#[test]
fn a_certificate_that_was_changed_or_is_not_of_the_authority_does_not_count() {
    let Some(it) = specimen() else { return };
    let trust = it.trust(&["csca.der"]);
    let with_certificate = |change: &dyn Fn(&mut Vec<u8>)| {
        it.changed(|json| {
            let mut der =
                crate::pass::jwk::any_base64(json["sig"]["cer"].as_str().unwrap()).unwrap();
            change(&mut der);
            json["sig"]["cer"] =
                Value::String(base64::engine::general_purpose::URL_SAFE.encode(der));
        })
    };
    // Bytes after it are not signed, and strict readers refuse them; they say nothing.
    let followed = with_certificate(&|der| der.extend_from_slice(&[0, 0, 1]));
    assert_eq!(found(&judge(&followed, &trust, IN_TIME)).0, Outcome::Pass);
    // Any bit of the signed part or of the signature.
    let length = Certificate::from_der(
        &crate::pass::jwk::any_base64(
            serde_json::from_str::<Value>(&it.text).unwrap()["sig"]["cer"].as_str().unwrap(),
        )
        .unwrap(),
    )
    .unwrap()
    .der
    .len();
    for place in (0..length).step_by(7) {
        let changed = with_certificate(&|der| der[place] ^= 1);
        assert_ne!(judge(&changed, &trust, IN_TIME).outcome, Outcome::Pass, "{place}");
    }
    let cut = with_certificate(&|der| der.truncate(100));
    assert_eq!(found(&judge(&cut, &trust, IN_TIME)).1, ["envelope_malformed"]);
    // The last byte is of the authority's signature, whose key the certificate names.
    let forged = with_certificate(&|der| *der.last_mut().unwrap() ^= 1);
    assert_eq!(found(&judge(&forged, &trust, IN_TIME)), (Outcome::NoPass, vec!["chain_broken"]));
}

#[test]
fn a_signer_that_is_held_itself_needs_no_authority() {
    let Some(it) = specimen() else { return };
    let json: Value = serde_json::from_str(&it.text).unwrap();
    let der = crate::pass::jwk::any_base64(json["sig"]["cer"].as_str().unwrap()).unwrap();
    let mut trust = Trust::default();
    trust.add(&der);
    assert_eq!(found(&judge(&it.text, &trust, IN_TIME)), (Outcome::Pass, vec![]));
}

#[test]
fn the_specimens_authority_and_list_are_read_and_belong_together() {
    let Some(it) = specimen() else { return };
    let read = |name: &str| fs::read(it.folder.join(name)).unwrap();
    let authority = Certificate::from_der(&read("csca.der")).unwrap();
    assert_eq!(authority.is_authority, Some(true));
    assert!(authority.may_sign_lists() && authority.is_named_by(&authority));
    let list = crate::pass::crl::RevokedCertificates::from_der(&read("crl.der")).unwrap();
    assert!(
        list.signed_by(&authority).unwrap().holds() == Some(true)
            && list.is_about(&authority)
            && !list.contains(&authority)
    );
    // What is cut off or followed by anything is not a list.
    let der = read("crl.der");
    for end in 0..der.len() {
        assert!(crate::pass::crl::RevokedCertificates::from_der(&der[..end]).is_none());
    }
    assert!(crate::pass::crl::RevokedCertificates::from_der(&[&der[..], &[0]].concat()).is_none());
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_readers_of_certificates_and_lists_panic(bytes: Vec<u8>, place in 0_usize..700, bit in 0_u8..8) {
        let _ = Certificate::from_der(&bytes);
        let _ = crate::pass::crl::RevokedCertificates::from_der(&bytes);
        if let Some(it) = specimen() {
            let mut list = fs::read(it.folder.join("crl.der")).unwrap();
            let place = place % list.len();
            list[place] ^= 1 << bit;
            let _ = crate::pass::crl::RevokedCertificates::from_der(&list);
        }
    }
}

/// What a reader takes from a seal: what is signed, how, and by which certificate.
fn taken(text: &str) -> Option<(Value, Value, Value, Vec<u8>)> {
    let json: Value = serde_json::from_str(text).ok()?;
    let seal = &json["sig"];
    let der = crate::pass::jwk::any_base64(seal["cer"].as_str()?)?;
    let certificate = Certificate::from_der(&der)?;
    Some((json["data"].clone(), seal["alg"].clone(), seal["sigvl"].clone(), certificate.der))
}

#[test]
fn one_changed_character_passes_only_if_nothing_that_is_taken_changed() {
    let Some(it) = specimen() else { return };
    let trust = it.trust(&["csca.der", "crl.der"]);
    let compact = it.changed(|_| ());
    let whole = taken(&compact);
    assert!(whole.is_some());
    let mut harmless = 0;
    for place in 0..compact.len() {
        let mut changed = compact.clone().into_bytes();
        changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        if judge(&changed, &trust, IN_TIME).outcome == Outcome::Pass {
            // A padding character that became a byte after the certificate.
            assert_eq!(taken(&changed), whole, "{place}");
            harmless += 1;
        }
        let cut = judge(&compact[..place], &trust, IN_TIME);
        assert_eq!(cut.outcome, Outcome::CannotTell, "cut at {place}");
    }
    assert!(harmless < 3, "{harmless}");
}
