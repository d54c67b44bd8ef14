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

/// A grey JPEG (ITU-T T.81, baseline) in which every module of a code is one block of 8 x 8 pixels:
/// such blocks have a mean and nothing else.
fn jpeg(text: &str) -> Vec<u8> {
    let code = qrcode::QrCode::new(text).unwrap();
    let (width, modules) = (code.width(), code.to_colors());
    let side = u16::try_from(8 * (width + 8)).unwrap().to_be_bytes();
    let mut out = vec![0xff, 0xd8, 0xff, 0xdb, 0, 67, 0];
    out.extend([8; 64]);
    out.extend([0xff, 0xc0, 0, 11, 8, side[0], side[1], side[0], side[1], 1, 1, 0x11, 0]);
    // Means: nine codes of four bits. The rest: one code of one bit, "nothing".
    out.extend([0xff, 0xc4, 0, 28, 0x00, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    out.extend(0..9);
    out.extend([0xff, 0xc4, 0, 20, 0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    out.extend([0xff, 0xda, 0, 8, 1, 1, 0x00, 0, 63, 0]);
    let mut bits = Vec::new();
    let mut before = 0_i32;
    for y in 0..width + 8 {
        for x in 0..width + 8 {
            let module = (4..width + 4).contains(&x) && (4..width + 4).contains(&y);
            let is_dark = module && modules[(y - 4) * width + x - 4] == qrcode::Color::Dark;
            let mean = if is_dark { -100 } else { 100 };
            let step = mean - before;
            before = mean;
            let length = 32 - step.unsigned_abs().leading_zeros();
            let value = if step < 0 { step + (1 << length) - 1 } else { step };
            bits.extend((0..4).rev().map(|bit| length >> bit & 1 == 1));
            bits.extend((0..length).rev().map(|bit| value >> bit & 1 == 1));
            bits.push(false);
        }
    }
    for byte in bits.chunks(8) {
        let full = byte.iter().chain(std::iter::repeat(&true)).take(8);
        let byte = full.fold(0, |sum, bit| sum << 1 | u8::from(*bit));
        out.push(byte);
        if byte == 0xff {
            out.push(0);
        }
    }
    out.extend([0xff, 0xd9]);
    out
}

#[test]
fn a_code_in_a_jpeg_is_read() {
    let text = "HC1:6BFOXN%TSMAHN-HBP8NEDVWLWNG8NB/R804Q1RO4.S0PP7/IX95AAHYI5JENIL";
    assert_eq!(picture::texts(&jpeg(text)), [text]);
}

#[test]
fn a_damaged_picture_gives_a_text_or_none_and_ends_nothing() {
    let whole = jpeg("HC1:6BFOXN%TSMAHN-HBP8NEDVWLWNG8NB");
    for at in (0..whole.len()).step_by(whole.len() / 40) {
        let mut changed = whole.clone();
        changed[at] ^= 0x55;
        let _ = picture::texts(&changed);
        let _ = picture::texts(&whole[..at]);
    }
}
