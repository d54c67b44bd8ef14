//! Every page in three languages, and every text that is asked for.

use std::collections::BTreeSet;

use kernel::Locale;

#[test]
fn every_sample_renders_in_three_languages_with_one_heading_and_no_missing_text() {
    web::sample::use_slices(&[crate::slice(), web::slice()]).unwrap();
    for sample in (crate::slice().samples)() {
        for locale in Locale::ALL {
            let html = (sample.render)(locale).unwrap();
            let name = format!("{} {}", sample.name, locale.tag());
            assert_eq!(html.matches("<h1").count(), 1, "{name}");
            let shows_key = html.split(['>', '"']).any(|part| {
                let part = part.split('<').next().unwrap_or_default().trim();
                part.starts_with("code-") && !part.starts_with("code-short") && !part.contains(' ')
            });
            assert!(!shows_key, "{name} shows a key: {html}");
            let ids: Vec<&str> =
                html.split(" id=\"").skip(1).filter_map(|it| it.split('"').next()).collect();
            let unique: BTreeSet<&&str> = ids.iter().collect();
            assert_eq!(unique.len(), ids.len(), "{name}: an id twice in {ids:?}");
        }
    }
}

#[test]
fn every_refusal_and_every_reason_has_its_text() {
    let texts = web::Texts::try_new(&[crate::slice(), web::slice()]).unwrap();
    let rules: serde_json::Value = serde_json::from_str(crate::policy::SHIPPED).unwrap();
    let codes = rules["rules"].as_array().unwrap().iter().map(|it| it["code"].as_str().unwrap());
    let reasons = codes.chain([crate::decision::NO_RULE, crate::decision::RULE_FAILED]);
    let mut keys: Vec<String> =
        reasons.map(|it| format!("code-reason-{}", it.replace('_', "-"))).collect();
    keys.extend(crate::refusal::CODES.iter().map(|(code, _)| (*code).to_owned()));
    // What the shipped rules read has a name.
    let text = rules["rules"].to_string();
    let paths = text.split("{\"var\":\"").skip(1).filter_map(|it| it.split('"').next());
    keys.extend(paths.map(|path| {
        let name = path.trim_start_matches("payload.").trim_start_matches("external.");
        format!("code-fact-{}", name.replace(['.', '_'], "-"))
    }));
    assert!(keys.iter().any(|it| it == "code-fact-order-red"), "{keys:?}");
    for key in keys {
        for locale in Locale::ALL {
            assert!(texts.has(locale, &key), "{key} {}", locale.tag());
        }
    }
}
