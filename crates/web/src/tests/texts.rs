//! Texts and samples: complete in three languages.

use std::collections::BTreeSet;

use kernel::Locale;

use crate::Texts;

/// Keys of a Fluent text: what stands before ` = ` at the start of a line.
fn keys(source: &str) -> BTreeSet<&str> {
    let lines = source.lines().filter(|it| it.starts_with(|it: char| it.is_ascii_alphabetic()));
    lines.filter_map(|it| it.split_once(" =")).map(|(key, _)| key).collect()
}

#[test]
fn the_three_languages_have_the_same_keys() {
    let slice = crate::slice();
    let korean = keys(slice.texts[0].1);
    for (tag, source) in &slice.texts[1..] {
        let other = keys(source);
        let missing: Vec<_> = korean.symmetric_difference(&other).collect();
        assert!(missing.is_empty(), "{tag}: {missing:?}");
    }
    assert!(korean.iter().all(|it| it.starts_with("web-")));
}

#[test]
fn every_problem_has_a_text_and_a_help_in_every_language() {
    let texts = Texts::try_new(&[crate::slice()]).unwrap();
    for (code, _) in crate::problem::PROBLEMS {
        for locale in Locale::ALL {
            assert!(texts.has(locale, code), "{code}");
            assert!(texts.has(locale, &format!("{code}-help")), "{code}-help");
        }
    }
}

#[test]
fn every_sample_renders_in_every_language_without_a_missing_text() {
    for sample in (crate::slice().samples)() {
        for locale in Locale::ALL {
            let html = (sample.render)(locale).unwrap();
            assert_eq!(html.matches("<h1").count(), 1, "{}", sample.name);
            // A missing text shows its key between tags or in a label.
            for part in html.split(['>', '"', ' ']) {
                let text = part.split('<').next().unwrap();
                let shown = part.contains('<') && text.starts_with("web-") && !text.contains('/');
                let code = crate::problem::PROBLEMS.iter().any(|(code, _)| *code == text);
                assert!(!shown || code, "{}: {text} in {}", sample.name, locale.tag());
            }
            assert!(!html.contains("/assets/none/"), "{}", sample.name);
            assert!(!html.contains(" style=") && !html.contains("onclick"), "{}", sample.name);
        }
    }
}

#[test]
fn every_query_prepares() {
    let dir = tempfile::tempdir().unwrap();
    let slices = [crate::slice()];
    let registry = crate::slice::registry(&slices);
    let queries = slices[0].queries;
    drop(dir);
    store::audit::check_queries(&registry, queries).unwrap();
}
