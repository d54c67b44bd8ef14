//! Arguments and pictures; what a verdict is made of is tested in `credential`.

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
    let folder = folder.path().to_str().unwrap();
    for (rules, inputs, is) in [
        (vec![folder, "HC1:ABC"], vec![], (1, vec!["HC1:ABC"])),
        (vec![folder, "rule.json", "pass.png", "-"], vec![], (2, vec!["pass.png", "-"])),
        (vec![folder, folder], vec![], (1, vec![folder])),
        (vec![folder], vec!["pass.png"], (1, vec!["pass.png"])),
        (vec![], vec!["pass.png"], (0, vec!["pass.png"])),
        (vec![folder], vec![], (1, vec![])),
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
