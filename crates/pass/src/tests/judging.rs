//! Verdicts and ends, on passes of the invented issuer: what the day before and the day after say.

use credential::Outcome;
use credential::pass::Trust;
use kernel::Instant;

use crate::example as issuer;
use crate::judge::{self, Ending};
use crate::model::Basis;
use crate::parts;
use crate::refusal::Refusal;
use crate::rulebook::Sets;

fn at(text: &str) -> Instant {
    Instant::parse(text).unwrap()
}

fn trust() -> Trust {
    let mut trust = Trust::default();
    assert!(!trust.add(&issuer::jwks()).is_nothing());
    trust
}

/// A second dose of the first of January.
fn second_dose() -> Vec<String> {
    let content = issuer::vaccination("홍", 2, "2026-01-01");
    vec![issuer::pass(&content, at("2026-01-02T00:00:00Z"), at("2027-01-02T00:00:00Z"))]
}

#[test]
fn korea_s_pass_of_january_2022_begins_on_the_14th_day_and_ends_after_the_180th() {
    let (texts, trust) = (second_dose(), trust());
    let city = |now: &str| {
        judge::judge(&texts, &trust, &Sets::default(), at(now)).ending(Basis::City).clone()
    };
    let Ending::From(begin) = city("2026-01-10T00:00:00Z") else { panic!("before its time") };
    assert_eq!(begin, at("2026-01-15T00:00:00+09:00"), "Korean days");
    let end = at("2026-07-01T00:00:00+09:00");
    for now in ["2026-01-15T00:00:00+09:00", "2026-06-30T00:00:00Z", "2026-06-30T23:58:00+09:00"] {
        assert_eq!(city(now), Ending::Until(end), "{now}");
    }
    let no = Ending::No(vec!["VR-KR-0001".to_owned()]);
    assert_eq!(city("2026-07-01T00:00:00+09:00"), no);
}

#[test]
fn in_korea_a_course_ends_with_180_days_for_grown_ups_alone() {
    let trust = trust();
    let ending = |birth: &str, now: &str| {
        let content = issuer::of(["HONG", "HANEUL"], ["홍", "하늘"], birth, 2, "2026-01-01");
        let texts =
            [issuer::pass(&content, at("2026-01-02T00:00:00Z"), at("2030-01-01T00:00:00Z"))];
        judge::judge(&texts, &trust, &Sets::default(), at(now)).ending(Basis::City).clone()
    };
    let (later, birthday) = ("2026-08-01T00:00:00Z", at("2026-10-05T00:00:00Z"));
    assert_eq!(ending("2008-10-05", later), Ending::Until(birthday), "until they are 18");
    assert_eq!(ending("2008-08-01", later), Ending::No(vec!["VR-KR-0001".to_owned()]));
    // A birthday that is not known in full is the latest that it may be.
    assert_eq!(ending("2008", later), Ending::Until(at("2026-12-31T00:00:00Z")));
}

#[test]
fn the_union_counts_the_last_day_whole() {
    let (texts, trust) = (second_dose(), trust());
    let union = |now: &str| {
        judge::judge(&texts, &trust, &Sets::default(), at(now)).ending(Basis::Eu).clone()
    };
    let end = Ending::Until(at("2026-09-29T00:00:00Z"));
    assert_eq!(union("2026-02-01T00:00:00Z"), end, "270 days after 1 January is 28 September");
    assert_eq!(union("2026-09-28T23:58:00Z"), end);
    assert_eq!(union("2026-09-29T00:00:00Z"), Ending::No(vec!["VR-EU-0001".to_owned()]));
}

#[test]
fn who_recovered_counts_in_korea_from_the_pass_s_first_day_and_in_the_union_from_the_test() {
    let trust = trust();
    let mut content = issuer::vaccination("홍", 1, "2026-01-01");
    content.as_object_mut().unwrap().remove("v");
    content["r"] = serde_json::json!([{
        "tg": "840539006", "fr": "2026-01-01", "df": "2026-01-12", "du": "2026-06-30",
        "co": "XX", "is": "Example Health Agency", "ci": "URN:UVCI:01:XX:R1#1",
    }]);
    let texts = [issuer::pass(&content, at("2026-01-12T00:00:00Z"), at("2027-01-12T00:00:00Z"))];
    let judged = judge::judge(&texts, &trust, &Sets::default(), at("2026-02-01T00:00:00Z"));
    assert_eq!(judged.verdict.outcome, Outcome::Pass, "{:?}", judged.verdict.reasons);
    let korea = at("2026-07-12T00:00:00+09:00");
    assert_eq!(judged.ending(Basis::City), &Ending::Until(korea), "180 days after 12 January");
    let union = at("2026-07-01T00:00:00Z");
    assert_eq!(judged.ending(Basis::Eu), &Ending::Until(union), "180 days after 1 January");
}

#[test]
fn a_booster_has_no_end_but_its_own_and_europe_counts_longer_than_korea() {
    let (trust, now) = (trust(), at("2026-02-01T00:00:00Z"));
    let content = issuer::vaccination("홍", 3, "2026-01-31");
    let expires = at("2027-01-02T00:00:00Z");
    let booster = [issuer::pass(&content, at("2026-01-31T12:00:00Z"), expires)];
    let judged = judge::judge(&booster, &trust, &Sets::default(), now);
    for basis in [Basis::City, Basis::Eu, Basis::Own] {
        assert_eq!(judged.ending(basis), &Ending::Until(expires), "{basis:?}");
    }
    let judged = judge::judge(&second_dose(), &trust, &Sets::default(), now);
    let ends = [Basis::City, Basis::Eu].map(|it| judged.ending(it).at().unwrap());
    assert!(ends[0] < ends[1], "{ends:?}");
}

#[test]
fn an_unknown_issuer_is_cannot_tell_under_every_rule_and_says_nothing() {
    let judged = judge::judge(
        &second_dose(),
        &Trust::default(),
        &Sets::default(),
        at("2026-02-01T00:00:00Z"),
    );
    assert_eq!(judged.verdict.outcome, Outcome::CannotTell);
    assert!(judged.said.is_none(), "nothing was verified, so nothing is said");
    for basis in Basis::ALL {
        assert_eq!(judged.ending(*basis), &Ending::Unknown);
    }
}

#[test]
fn what_a_pass_says_is_said_in_words() {
    let judged =
        judge::judge(&second_dose(), &trust(), &Sets::default(), at("2026-02-01T00:00:00Z"));
    let said = judged.said.clone().unwrap();
    let holder = said.holder.unwrap();
    assert_eq!((holder.name.as_str(), holder.birth.as_deref()), ("길동 홍", Some("1980-05-05")));
    let facts = &said.entries[0].facts;
    let product = facts.iter().find(|(label, _)| *label == "pass-said-product").unwrap();
    assert_eq!(product.1, crate::said::Word::Text("Comirnaty (Pfizer–BioNTech)".to_owned()));
    let content = issuer::vaccination("다른 표기", 1, "2025-12-01");
    let other = [issuer::pass(&content, at("2026-01-02T00:00:00Z"), at("2027-01-02T00:00:00Z"))];
    let other = judge::judge(&other, &trust(), &Sets::default(), at("2026-02-01T00:00:00Z"));
    let other = other.holder().unwrap();
    assert!(judged.holder().unwrap().is_same(other), "by the passport's letters");
    let child = issuer::of(["HONG", "HANEUL"], ["홍", "하늘"], "2012-07-11", 1, "2025-12-01");
    let child = [issuer::pass(&child, at("2026-01-02T00:00:00Z"), at("2027-01-02T00:00:00Z"))];
    let child = judge::judge(&child, &trust(), &Sets::default(), at("2026-02-01T00:00:00Z"));
    assert!(!child.holder().unwrap().is_same(other));
}

#[test]
fn any_change_to_a_pass_is_no_pass_or_cannot_tell() {
    let (texts, trust, now) = (second_dose(), trust(), at("2026-02-01T00:00:00Z"));
    assert_eq!(judge::glance(&texts, &trust, now).verdict.outcome, Outcome::Pass);
    for place in (4..texts[0].len()).step_by(3) {
        let mut bytes = texts[0].clone().into_bytes();
        bytes[place] = if bytes[place] == b'0' { b'1' } else { b'0' };
        let changed = [String::from_utf8(bytes).unwrap()];
        let verdict = judge::glance(&changed, &trust, now).verdict;
        assert_ne!(verdict.outcome, Outcome::Pass, "character {place}");
    }
}

#[test]
fn the_parts_of_a_pass_are_put_together_and_a_missing_one_is_said() {
    let lines = parts::lines(" shc:/2/2/56 \n\nshc:/1/2/12\r\nHC1:ABC\nHC1:ABC");
    let passes = parts::passes(lines).unwrap();
    let wanted = [vec!["HC1:ABC".to_owned()], vec!["shc:/1/2/12".into(), "shc:/2/2/56".into()]];
    assert_eq!(passes, wanted);
    let of = |text: &str| parts::passes(parts::lines(text));
    assert_eq!(of("shc:/1/2/12"), Err(Refusal::PartsMissing));
    assert_eq!(of("shc:/1/2/12\nshc:/1/2/13\nshc:/2/2/14"), Err(Refusal::PartsMissing));
    assert_eq!(of("https://example.org"), Err(Refusal::FormatUnknown));
    assert_eq!(of(" \n"), Err(Refusal::Unreadable));
    assert_eq!(of("0000-0000-C1SW"), Err(Refusal::FormatUnknown), "a typed code is no pass");
}

proptest::proptest! {
    #[test]
    fn no_text_and_no_picture_ends_in_a_panic(
        text in ".{0,300}",
        bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400),
    ) {
        let now = Instant::from_seconds(1_795_316_400);
        let _ = parts::passes(parts::lines(&text));
        for prefix in ["", "HC1:", "shc:/", "NZCP:/1/", "{", "HT1:"] {
            let texts = [format!("{prefix}{text}")];
            let judged = judge::judge(&texts, &Trust::default(), &Sets::default(), now);
            proptest::prop_assert_ne!(judged.verdict.outcome, Outcome::Pass);
        }
        for magic in [&[0x89, b'P', b'N', b'G', 13, 10, 26, 10][..], &[0xff, 0xd8, 0xff], &[]] {
            let _ = crate::picture::texts(&[magic, &bytes].concat());
        }
        let _ = crate::trust::recognise(&bytes);
    }
}
