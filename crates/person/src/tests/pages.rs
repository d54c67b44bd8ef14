//! Pages without a city: every sample in three languages, and what leaves for spreadsheets.

use kernel::Locale;

use crate::door::new_offer_code;
use crate::pages::export::line;

#[test]
fn every_page_renders_in_three_languages_with_one_heading_and_no_bare_key() {
    let slices = [crate::slice(), web::slice()];
    web::sample::use_slices(&slices).unwrap();
    for sample in (crate::slice().samples)() {
        for locale in Locale::ALL {
            let html = (sample.render)(locale).unwrap();
            assert_eq!(html.matches("<h1>").count(), 1, "{} {}", sample.name, locale.tag());
            for text in html.split('>').filter_map(|it| it.split('<').next()) {
                assert!(!text.starts_with("person-"), "{} {text}", sample.name);
            }
        }
    }
}

#[test]
fn what_people_typed_cannot_escape_from_a_page() {
    let slices = [crate::slice(), web::slice()];
    web::sample::use_slices(&slices).unwrap();
    let html = crate::pages::export::sample_of(Locale::En, "<script>alert(1)</script>").unwrap();
    assert!(!html.contains("<script>alert"));
}

#[test]
fn a_csv_cell_runs_nothing_and_stays_one_cell() {
    let mut text = String::new();
    line(&mut text, &["=1+1", "a\"b", "가,나"]);
    assert_eq!(text, "\"'=1+1\",\"a\"\"b\",\"가,나\"\r\n");
}

#[test]
fn consent_codes_have_eight_letters_that_are_not_mistaken() {
    let seed = kernel::Seed::fixed(3);
    for _ in 0..200 {
        let code = new_offer_code(&seed);
        assert_eq!(code.len(), 9);
        assert_eq!(&code[4..5], "-");
        assert!(!code.contains(['0', 'O', '1', 'I']), "{code}");
    }
}
