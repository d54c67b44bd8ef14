//! Pages and texts in three languages.

use credential::verify::Reason;
use kernel::Locale;
use web::Texts;

fn texts() -> Texts {
    Texts::try_new(&[web::slice(), crate::slice()]).unwrap()
}

/// The keys of a Fluent file with the variables of each.
fn keys(source: &str) -> Vec<(String, Vec<String>)> {
    let lines = source.lines().filter(|it| it.starts_with("gate-"));
    let entry = |line: &str| {
        let (key, text) = line.split_once(" = ").unwrap();
        let mut variables: Vec<String> = text
            .split('$')
            .skip(1)
            .map(|it| it.chars().take_while(char::is_ascii_alphanumeric).collect())
            .collect();
        variables.sort();
        (key.to_owned(), variables)
    };
    let mut all: Vec<_> = lines.map(entry).collect();
    all.sort();
    all
}

#[test]
fn the_three_languages_have_the_same_keys_and_variables() {
    let [korean, english, chinese] = crate::slice().texts.map(|(_, source)| keys(source));
    assert_eq!(korean, english);
    assert_eq!(korean, chinese);
    assert!(korean.len() > 150);
}

#[test]
fn every_page_renders_in_three_languages_with_one_heading_and_no_missing_text() {
    web::sample::use_slices(&[web::slice(), crate::slice()]).unwrap();
    for sample in (crate::slice().samples)() {
        for locale in Locale::ALL {
            let html = (sample.render)(locale).unwrap();
            let name = format!("{} in {}", sample.name, locale.tag());
            assert_eq!(html.matches("<h1").count(), 1, "{name}");
            assert!(!html.contains(" style="), "{name} has an inline style");
            for element in html.split('>').skip(1).filter_map(|it| it.split('<').next()) {
                assert!(!element.trim().starts_with("gate-"), "{name}: {element}");
            }
        }
    }
}

#[test]
fn every_reason_and_every_refusal_has_a_text_in_three_languages() {
    let texts = texts();
    let reasons = Reason::ALL.iter().map(|it| it.code()).chain(["typed_unknown", "ask_id"]);
    let reasons = reasons.map(|it| format!("gate-reason-{}", it.replace('_', "-")));
    let refusals = crate::refusal::REFUSALS.iter().map(|it| it.0.to_owned());
    for key in reasons.chain(refusals) {
        for locale in Locale::ALL {
            assert!(texts.has(locale, &key), "{key} in {}", locale.tag());
        }
    }
}

#[test]
fn the_scanner_has_every_reason_at_hand_without_a_network() {
    for reason in Reason::ALL {
        let key = format!("gate-reason-{}", reason.code().replace('_', "-"));
        assert!(crate::scanner::TEXTS.contains(&key.as_str()), "{key}");
    }
    // What a script asks for by name must be in the list too.
    for script in
        [include_str!("../../assets/scan.js"), include_str!("../../templates/gate/scan.html")]
    {
        for word in script
            .split('"')
            .filter(|it| it.starts_with("gate-scan-") || it.starts_with("gate-word-"))
        {
            let known =
                crate::scanner::TEXTS.contains(&word) || word.starts_with("gate-scan-noscript");
            assert!(known, "{word}");
        }
    }
}

#[test]
fn every_file_that_the_scanner_keeps_exists() {
    let own = crate::slice().assets.iter().map(|it| it.name);
    let webs = web::slice().assets.iter().map(|it| it.name);
    let all: Vec<_> = own.chain(webs).collect();
    for name in crate::scanner::SHELL {
        assert!(all.contains(name), "{name}");
    }
}

#[test]
fn the_verifier_is_a_webassembly_module_of_reasonable_size() {
    let asset = crate::slice().assets.iter().find(|it| it.name == "gate/device.wasm").unwrap();
    assert_eq!(asset.bytes.get(..8), Some(&b"\0asm\x01\0\0\0"[..]));
    // Uncompressed; about 30 % of it travels (250 kB at most).
    assert!(asset.bytes.len() < 760_000, "{}", asset.bytes.len());
}
