//! Arguments and pictures; what a verdict is made of is tested in `credential`.

use base64::Engine as _;

use super::{Wish, give_back_inputs, moment, picture};

fn wish(rules: &[&str], inputs: &[&str]) -> Wish {
    Wish {
        trust: Vec::new(),
        rules: rules.iter().map(Into::into).collect(),
        country: None,
        valuesets: Vec::new(),
        now: None,
        full_name: false,
        json: true,
        inputs: inputs.iter().map(|&it| it.to_owned()).collect(),
    }
}

#[test]
fn inputs_that_follow_the_rules_directly_are_no_rules() {
    let folder = tempfile::tempdir().unwrap();
    let rule = folder.path().join("rule");
    std::fs::write(&rule, r#"{"Identifier": "X", "Logic": true}"#).unwrap();
    let (folder, rule) = (folder.path().to_str().unwrap(), rule.to_str().unwrap());
    for (rules, inputs, is) in [
        (vec![folder, "HC1:ABC"], vec![], (1, vec!["HC1:ABC"])),
        (vec![folder, rule, "pass.json", "-"], vec![], (2, vec!["pass.json", "-"])),
        (vec![folder, folder], vec![], (1, vec![folder])),
        (vec![folder], vec!["pass.png"], (1, vec!["pass.png"])),
        (vec![], vec!["pass.png"], (0, vec!["pass.png"])),
        (vec![folder], vec![], (1, vec![])),
        (vec!["a", "b"], vec!["c"], (2, vec!["c"])),
    ] {
        let mut wish = wish(&rules, &inputs);
        give_back_inputs(&mut wish);
        assert_eq!((wish.rules.len(), wish.inputs.iter().map(String::as_str).collect()), is);
    }
}

#[test]
fn moments_are_iso_8601_or_unix_seconds() {
    assert_eq!(moment("2021-05-03T18:00:00Z"), Some(1_620_064_800));
    assert_eq!(moment("1620064800"), Some(1_620_064_800));
    assert_eq!(moment("yesterday"), None);
}

#[test]
fn what_is_no_picture_has_no_codes() {
    for bytes in [&b""[..], b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0\x00\x10JFIF", b"\xff\xd8\xff"]
    {
        assert!(picture::texts(bytes).is_empty());
    }
}

/// Every published case has its picture inside; most are to be read, a few are broken on purpose.
#[test]
fn published_pictures_give_the_text_of_their_pass() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/passes/dgc-testdata");
    let mut folders = vec![std::path::PathBuf::from(folder)];
    if !folders[0].is_dir() {
        eprintln!("SKIPPED: {folder} is not there; this test has shown nothing");
        return;
    }
    let (mut read, mut wrong) = (0, Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.extension().is_none_or(|it| it != "json") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let case: serde_json::Value = serde_json::from_str(&text).unwrap();
            let expected = case["EXPECTEDRESULTS"]["EXPECTEDPICTUREDECODE"].as_bool();
            let (Some(expected), Some(code)) = (expected, case["2DCODE"].as_str()) else {
                continue;
            };
            let bytes = base64::engine::general_purpose::STANDARD.decode(code).unwrap_or_default();
            let texts = picture::texts(&bytes);
            read += 1;
            let is_same = texts.first().map(String::as_str) == case["PREFIX"].as_str();
            if is_same != expected {
                wrong.push(format!("{} {expected} {texts:?}", path.display()));
            }
        }
    }
    println!("{read} pictures");
    assert!(100 < read);
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
}
