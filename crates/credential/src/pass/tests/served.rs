//! What a city serves, one file each, in any order; and what is said where one of them is not there.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::own::{DAY, NOW, city_file};
use crate::IssuerSigner;
use crate::list::Floor;
use crate::pass::{self, Format, Material, Missing, Policy, Served, Trust};
use crate::verify::Outcome;

/// The root key, the list of keys and the revocation list as three files, and a code that is good.
fn city() -> ([Vec<u8>; 3], String) {
    let (whole, texts) = city_file();
    let listed = |name: &str| json!({ "list": whole[name], "version": 1 });
    let bundle = json!({ "region": "kr-11", "root": whole["root"], "floor": floor(0) });
    let files = [bundle, listed("trust"), listed("revocations")];
    (files.map(|it| it.to_string().into_bytes()), texts[2].clone())
}

fn root() -> IssuerSigner {
    IssuerSigner::from_seed(&[1; 32]).unwrap()
}

fn floor(since: i64) -> String {
    let floor = Floor { region: "KR-11".to_owned(), since };
    STANDARD.encode(root().sign_floor(&floor).unwrap())
}

fn material(version: u64, files: Vec<Vec<u8>>) -> Vec<u8> {
    let material = Material {
        region: "KR-11".to_owned(),
        version,
        issued_at: NOW - 60,
        valid_until: NOW + DAY,
        files,
        rules: Vec::new(),
        value_sets: String::new(),
    };
    root().sign_material(&material).unwrap()
}

fn gathered(files: &[&[u8]], now_s: i64) -> (Trust, Vec<Missing>) {
    let (mut trust, mut served) = (Trust::default(), Served::default());
    for file in files {
        assert!(served.add(file), "{}", String::from_utf8_lossy(file));
    }
    let missing = served.finish(&mut trust, now_s);
    (trust, missing)
}

/// The outcome and the reasons for a code, and what is missing.
fn judged(files: &[&[u8]], text: &str) -> (Outcome, String, Vec<Missing>) {
    let (trust, missing) = gathered(files, NOW);
    let verdict = pass::verify(text, &trust, None, &Policy::default(), NOW);
    let reasons: Vec<String> = verdict.reasons.iter().map(ToString::to_string).collect();
    (verdict.outcome, reasons.join(" "), missing)
}

#[test]
fn what_a_city_serves_is_enough_in_any_order_and_as_bare_messages() {
    let (files, text) = city();
    let [root, keys, revoked] = files.each_ref().map(Vec::as_slice);
    let bare = |file: &[u8]| {
        let value: Value = serde_json::from_slice(file).unwrap();
        STANDARD.decode(value["list"].as_str().unwrap()).unwrap()
    };
    let (bare_keys, bare_revoked) = (bare(keys), bare(revoked));
    for files in
        [[root, keys, revoked], [revoked, keys, root], [&bare_keys, root, bare_revoked.as_slice()]]
    {
        assert_eq!(judged(&files, &text), (Outcome::Pass, String::new(), Vec::new()));
    }
}

#[test]
fn what_is_missing_is_said_and_the_code_cannot_be_told() {
    let (files, text) = city();
    let [root, keys, revoked] = files.each_ref().map(Vec::as_slice);
    for (files, reason, missing) in [
        (vec![keys, revoked], "issuer_unknown", vec![Missing::Root]),
        (vec![root, revoked], "issuer_unknown", vec![Missing::TrustList]),
        (vec![root, keys], "revocation_stale", vec![Missing::RevocationList]),
    ] {
        assert_eq!(judged(&files, &text), (Outcome::CannotTell, reason.to_owned(), missing));
    }
    // Another city's root is not the one that signed them.
    let other = IssuerSigner::from_seed(&[9; 32]).unwrap().public();
    let other = json!({ "root": STANDARD.encode(other) }).to_string();
    let missing = vec![Missing::Root, Missing::TrustList];
    let found = judged(&[other.as_bytes(), keys, revoked], &text);
    assert_eq!(found, (Outcome::CannotTell, "issuer_unknown".to_owned(), missing));
}

#[test]
fn lists_from_before_the_city_s_floor_do_not_count() {
    let (files, text) = city();
    let [_, keys, revoked] = files.each_ref().map(Vec::as_slice);
    // The lists are of an hour ago.
    for (since, outcome) in [(NOW - 3600, Outcome::Pass), (NOW - 3599, Outcome::CannotTell)] {
        let root = json!({ "root": STANDARD.encode(root().public()), "floor": floor(since) });
        let root = root.to_string();
        assert_eq!(judged(&[root.as_bytes(), keys, revoked], &text).0, outcome, "{since}");
    }
}

#[test]
fn the_files_of_gates_count_while_they_are_in_time_and_the_latest_alone() {
    let (files, _) = city();
    let issuer = super::cards::key_set();
    let old = material(1, vec![b"nothing".to_vec()]);
    let new = json!({ "list": STANDARD.encode(material(2, vec![issuer])) }).to_string();
    let all: Vec<&[u8]> = files.iter().map(Vec::as_slice).chain([&*old, new.as_bytes()]).collect();
    for (now_s, signers, missing) in
        [(NOW + DAY - 1, 1, vec![]), (NOW + DAY, 0, vec![Missing::Material])]
    {
        let (trust, found) = gathered(&all, now_s);
        assert_eq!((trust.count(Format::Shc), found), (signers, missing), "{now_s}");
    }
}

#[test]
fn what_others_publish_is_left_to_others() {
    let (whole, _) = city_file();
    for file in [whole.to_string(), "[]".to_owned(), "{\"list\": \"AAAA\"}".to_owned()] {
        assert!(!Served::default().add(file.as_bytes()), "{file}");
    }
}

proptest! {
    #[test]
    fn a_changed_file_is_taken_or_left_and_ends_nothing(
        which in 0_usize..3, at in any::<prop::sample::Index>(), by in 1_u8..=255,
    ) {
        let (mut files, text) = city();
        let at = at.index(files[which].len());
        files[which][at] ^= by;
        let mut served = Served::default();
        for file in &files {
            served.add(file);
        }
        let mut trust = Trust::default();
        served.finish(&mut trust, NOW);
        let verdict = pass::verify(&text, &trust, None, &Policy::default(), NOW);
        prop_assert_ne!(verdict.outcome, Outcome::NoPass);
    }
}
