//! `haetae verify` from outside: inputs of every kind, exit status, the fields of `--json`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "in tests a panic is the message"
)]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/passes");

/// A published case: its text, and a folder that trusts its signer.
struct Case {
    text: String,
    picture: Option<Vec<u8>>,
    now: String,
    trust: tempfile::TempDir,
}

fn case(name: &str) -> Option<Case> {
    let path = Path::new(SHARED).join("dgc-testdata").join(name);
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("SKIPPED: {} is not there; this test has shown nothing", path.display());
        return None;
    };
    let case: Value = serde_json::from_str(&text).unwrap();
    let trust = tempfile::tempdir().unwrap();
    let certificate = case["TESTCTX"]["CERTIFICATE"].as_str().unwrap();
    // In a folder below, as PEM: both are found.
    std::fs::create_dir(trust.path().join("signers")).unwrap();
    let pem = format!("-----BEGIN CERTIFICATE-----\n{certificate}\n-----END CERTIFICATE-----\n");
    std::fs::write(trust.path().join("signers/one.pem"), pem).unwrap();
    Some(Case {
        text: case["PREFIX"].as_str().unwrap().to_owned(),
        picture: case["2DCODE"].as_str().and_then(|it| STANDARD.decode(it).ok()),
        now: case["TESTCTX"]["VALIDATIONCLOCK"].as_str().unwrap().to_owned(),
        trust,
    })
}

fn verify(arguments: &[&str], input: &str) -> (i32, Vec<Value>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_haetae"))
        .args(["verify", "--json"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    let lines = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (output.status.code().unwrap(), lines)
}

impl Case {
    fn verify(&self, arguments: &[&str], input: &str) -> (i32, Vec<Value>) {
        let trust = self.trust.path().to_str().unwrap();
        verify(&[&["--trust", trust, "--now", &self.now], arguments].concat(), input)
    }
}

fn put(folder: &Path, name: &str, content: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, content).unwrap();
    path
}

#[test]
fn a_text_a_file_a_picture_and_a_line_get_the_same_verdict() {
    let Some(case) = case("AT/2DCode/raw/1.json") else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = put(folder.path(), "pass.txt", format!("{}\n", case.text).as_bytes());
    let picture = put(folder.path(), "pass.png", case.picture.as_deref().unwrap());
    for input in [&case.text, file.to_str().unwrap(), picture.to_str().unwrap(), "-"] {
        let (status, lines) = case.verify(&[input], &case.text);
        let name = if input == "-" { &case.text } else { input };
        let expected = json!({
            "input": name, "format": "dcc", "verdict": "pass",
            "checks": {
                "decode": "ok", "signature": "ok", "trust": "ok", "usage": "ok", "schema": "ok",
                "time": "ok", "revocation": "skipped", "rules": "skipped",
            },
            "reasons": [],
        });
        assert_eq!((status, lines), (0, vec![expected]), "{input}");
    }
}

#[test]
fn the_exit_status_says_pass_no_pass_or_cannot_tell() {
    let Some(case) = case("AT/2DCode/raw/1.json") else { return };
    let trust = case.trust.path().to_str().unwrap();
    let late = ["--trust", trust, "--now", "2031-01-01T00:00:00Z"];
    let (status, lines) = verify(&[&late[..], &[&case.text]].concat(), "");
    assert_eq!((status, &lines[0]["verdict"]), (1, &json!("no_pass")));
    assert_eq!(lines[0]["checks"]["time"], "failed");
    let (status, lines) = verify(&["--now", &case.now, &case.text], "");
    assert_eq!((status, &lines[0]["reasons"]), (2, &json!(["issuer_unknown"])));
    // A "no" weighs more than a "cannot tell", which weighs more than a pass.
    let altered = case.text.replace("HC1:N", "HC1:M");
    let (status, lines) = case.verify(&[&case.text, &altered, "nothing"], "");
    assert_eq!((status, lines.len()), (2, 3));
    assert_eq!(lines[2]["format"], "unknown");
    // No such folder, no such rule, no such moment: the question cannot be answered.
    for wrong in [["--trust", "not/there"], ["--rules", "not/there"], ["--now", "yesterday"]] {
        let (status, lines) = verify(&[&wrong[..], &["--", &case.text]].concat(), "");
        assert_eq!((status, lines.len()), (2, 0), "{wrong:?}");
    }
}

#[test]
fn a_folder_and_lines_give_one_verdict_for_each() {
    let Some(case) = case("AT/2DCode/raw/1.json") else { return };
    let folder = tempfile::tempdir().unwrap();
    for number in 0..1500 {
        let name = format!("{}/{number}.txt", number % 7);
        let text = if number % 3 == 0 { "nothing" } else { &case.text };
        put(folder.path(), &name, text.as_bytes());
    }
    put(folder.path(), "list.txt", format!("{0}\n{0}\r\n\n{0}\n", case.text).as_bytes());
    put(folder.path(), "photo.png", b"\x89PNG\r\n\x1a\nbroken");
    let (status, lines) = case.verify(&[folder.path().to_str().unwrap()], "");
    let count = |verdict: &str| lines.iter().filter(|it| it["verdict"] == verdict).count();
    assert_eq!((status, count("pass"), count("no_pass"), count("cannot_tell")), (2, 1003, 0, 501));
    let picture = lines.iter().find(|it| it["input"].as_str().unwrap().ends_with("photo.png"));
    assert_eq!(picture.unwrap()["reasons"], json!(["picture_unread"]));

    let long = "A".repeat(1024 * 1024);
    let (status, lines) = case.verify(&["-"], &format!("{0}\n\n{long}\n{0}", case.text));
    let reasons: Vec<&Value> = lines.iter().map(|it| &it["reasons"]).collect();
    assert_eq!((status, reasons), (2, vec![&json!([]), &json!(["too_long"]), &json!([])]));
}

#[test]
fn a_file_larger_than_any_that_is_held_is_a_list_line_by_line() {
    use std::io::{Seek as _, SeekFrom};
    const HELD_MAX: u64 = 64 * 1024 * 1024;
    let Some(case) = case("AT/2DCode/raw/1.json") else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.txt");
    let path = path.to_str().unwrap();
    // A pass, a line of zeros that takes no room on the disk, a pass.
    let write = |len: u64| {
        let mut file = std::fs::File::create(path).unwrap();
        let end = format!("\n{}", case.text);
        file.write_all(format!("{}\n", case.text).as_bytes()).unwrap();
        file.seek(SeekFrom::Start(len - u64::try_from(end.len()).unwrap())).unwrap();
        file.write_all(end.as_bytes()).unwrap();
    };
    write(HELD_MAX + 1);
    let (status, lines) = case.verify(&[path], "");
    let reasons: Vec<&Value> = lines.iter().map(|it| &it["reasons"]).collect();
    assert_eq!((status, reasons), (2, vec![&json!([]), &json!(["too_long"]), &json!([])]));
    assert!(lines.iter().all(|it| it["input"] == path), "{lines:?}");
    // One byte less, and it is read whole: one text that is no list.
    write(HELD_MAX);
    let (status, lines) = case.verify(&[path], "");
    assert_eq!((status, lines.len()), (2, 1), "{lines:?}");
}

#[test]
fn rules_of_a_country_and_value_sets_decide() {
    let Some(case) = case("AT/2DCode/raw/1.json") else { return };
    let rules = format!("{SHARED}/dgc-business-rules-testdata/EU");
    let sets = format!("{SHARED}/dcc-valuesets");
    let trust = case.trust.path().to_str().unwrap();
    let at = ["--trust", trust, "--now", "2021-07-01T12:00:00Z"];
    // A first dose of two: the Union's rule on complete courses says no, by name.
    let with = ["--rules", &rules, "--country", "EU", "--valuesets", &sets, &case.text];
    let (status, lines) = verify(&[&at[..], &with].concat(), "");
    assert_eq!((status, &lines[0]["checks"]["rules"]), (1, &json!("failed")), "{}", lines[0]);
    assert_eq!(lines[0]["reasons"], json!(["rule_failed:VR-EU-0002"]));
    // Rules of a country that has none for anything are asked nothing.
    let with = ["--rules", &rules, "--country", "AQ", &case.text];
    let (status, lines) = verify(&[&at[..], &with].concat(), "");
    assert_eq!((status, &lines[0]["checks"]["rules"]), (0, &json!("skipped")));
}

/// Shipped rules, as a file.
fn shipped(path: &str) -> String {
    format!("{}/../{path}.json", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn rules_read_cards_and_seals_and_are_open_where_they_cannot() {
    let (cards, seals) = (Path::new(SHARED).join("shc"), Path::new(SHARED).join("vdsnc/dfat"));
    let Ok(seal) = std::fs::read_to_string(seals.join("valid.json")) else {
        eprintln!("SKIPPED: {} is not there; this test has shown nothing", seals.display());
        return;
    };
    let judged = |trust: &Path, now: &str, rules: &str, text: &str| {
        let (trust, rules) = (trust.to_str().unwrap(), shipped(rules));
        let (_, lines) = verify(&["--trust", trust, "--now", now, "--rules", &rules, "-"], text);
        let part = |at: &str| lines[0].pointer(at).unwrap().as_str().unwrap().to_owned();
        (part("/verdict"), part("/checks/rules"), lines[0]["reasons"].clone())
    };
    let pass = ("pass".to_owned(), "ok".to_owned(), json!([]));
    let (union, korea) = ("rules/policy/eu-entry-2022", "pass/rulebook/kr-2022-01");
    // Three doses of a card, the last one a booster.
    let card = cards.join("examples/example-00-d-jws.txt");
    let card = std::fs::read_to_string(card).unwrap();
    let keys = cards.join("examples/issuer");
    for rules in [union, korea] {
        assert_eq!(judged(&keys, "2023-06-30T00:00:00Z", rules, &card), pass, "{rules}");
    }
    // Two doses of a seal, the second on 3 October 2021: Korea counts 180 days, the Union 270.
    let authority = tempfile::tempdir().unwrap();
    std::fs::copy(seals.join("csca.der"), authority.path().join("csca.der")).unwrap();
    let seal = seal.replace(['\n', '\r'], "");
    let at = |now: &str, rules: &str| judged(authority.path(), now, rules, &seal);
    assert_eq!(at("2022-02-01T00:00:00Z", korea), pass);
    assert_eq!(at("2022-02-01T00:00:00Z", "rules/policy/kr-pass-2022-01"), pass);
    let late = ("no_pass".to_owned(), "failed".to_owned(), json!(["rule_failed:VR-KR-0001"]));
    assert_eq!(at("2022-05-01T00:00:00Z", korea), late);
    assert_eq!(at("2022-05-01T00:00:00Z", union), pass);
}

#[test]
fn what_a_rule_reads_and_a_card_lacks_leaves_it_open() {
    let cards = Path::new(SHARED).join("shc/examples");
    let Ok(card) = std::fs::read_to_string(cards.join("example-00-d-jws.txt")) else {
        eprintln!("SKIPPED: {} is not there; this test has shown nothing", cards.display());
        return;
    };
    let text = std::fs::read_to_string(shipped("rules/policy/eu-entry-2022")).unwrap();
    let mut rules: Value = serde_json::from_str(&text).unwrap();
    let rules = rules.as_array_mut().unwrap();
    // A manufacturer, which no card names: of a DCC this would be a "no".
    let rule = rules.iter_mut().find(|it| it["Identifier"] == "VR-EU-0101").unwrap();
    rule["AffectedFields"] = json!(["v.0", "v.0.ma"]);
    rule["Logic"] = json!({"===": [{"var": "payload.v.0.ma"}, "ORG-100031184"]});
    let folder = tempfile::tempdir().unwrap();
    let file = put(folder.path(), "rules.json", json!(rules).to_string().as_bytes());
    let keys = cards.join("issuer");
    let with = ["--trust", keys.to_str().unwrap(), "--now", "2023-06-30T00:00:00Z", "--rules"];
    let (status, lines) = verify(&[&with[..], &[file.to_str().unwrap(), "-"]].concat(), &card);
    assert_eq!((status, &lines[0]["reasons"]), (2, &json!(["rule_open:VR-EU-0101"])));
}

#[test]
fn the_parts_of_a_card_are_one_input_in_any_order() {
    let cards = Path::new(SHARED).join("shc/examples");
    let path = cards.join("example-00-f-qr-code-numeric-value-0.txt");
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("SKIPPED: {} is not there; this test has shown nothing", path.display());
        return;
    };
    let digits = text.trim().strip_prefix("shc:/").unwrap();
    let (first, second) = digits.split_at(digits.len() / 4 * 2);
    let (first, second) = (format!("shc:/1/2/{first}"), format!("shc:/2/2/{second}"));
    let folder = tempfile::tempdir().unwrap();
    let file = put(folder.path(), "second.txt", format!("{second}\n").as_bytes());
    let both = put(folder.path(), "both.txt", format!("{second}\n{first}\n").as_bytes());
    let (file, both) = (file.to_str().unwrap(), both.to_str().unwrap());
    let issuer = cards.join("issuer");
    let with = ["--trust", issuer.to_str().unwrap(), "--now", "2023-07-01T00:00:00Z"];
    for inputs in [&[file, &first][..], &[&first, &second], &[both]] {
        let (status, lines) = verify(&[&with[..], inputs].concat(), "");
        assert_eq!((status, lines.len()), (0, 1), "{inputs:?} {lines:?}");
        assert_eq!((&lines[0]["format"], &lines[0]["verdict"]), (&json!("shc"), &json!("pass")));
        // Its key says that there is a list, and the folder has none.
        assert_eq!(lines[0]["checks"]["revocation"], "skipped");
        assert_eq!(lines[0]["notes"], json!(["revocation_missing"]));
    }
    let (status, lines) = verify(&[&with[..], &[file]].concat(), "");
    assert_eq!((status, &lines[0]["verdict"]), (2, &json!("cannot_tell")));
}

#[test]
fn a_file_that_is_not_there_is_named_and_a_text_that_is_no_pass_is_unknown() {
    for (input, reason) in [
        ("not/there.png", "unreadable"),
        ("/not/there", "unreadable"),
        ("HL0:6BF/A.B", "format_unknown"),
        ("6BF+70790/T9.", "format_unknown"),
    ] {
        let (status, lines) = verify(&["--now", "2022-01-01", "--", input], "");
        assert_eq!((status, &lines[0]["reasons"]), (2, &json!([reason])), "{input}");
    }
}
