//! The rule sets that ship: each edge on both sides, and that each rule could be published.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::needless_pass_by_value
)] // test helpers outside of #[test] functions may stop the test; they take `json!` values as they come

use rules::{PassRule, PassRules, Question, RuleResult, SHIPPED, Signed, ValueSets};
use serde_json::{Value, json};

const JANSSEN: &str = "EU/1/20/1525";
const COMIRNATY: &str = "EU/1/20/1528";

fn shipped(country: &str) -> PassRules {
    let set = SHIPPED.iter().find(|it| it.country == country).unwrap();
    let mut rules = PassRules::default();
    assert!(rules.add(&serde_json::from_str(set.json).unwrap()).unwrap() >= 9);
    rules
}

/// The identifiers of the rules that a pass fails at a clock; none may be open.
fn failed(country: &str, payload: &Value, clock: &str) -> String {
    let rules = shipped(country);
    let question = Question { country, region: "", issuer: "FR", clock };
    let sets = ValueSets::default();
    let judgement = rules.judge(&question, payload, &Signed::default(), &sets, false).unwrap();
    assert!(!judgement.asked.is_empty(), "no rule is in force at {clock}");
    assert_eq!(judgement.count(RuleResult::Open), 0, "{:?}", judgement.asked);
    let failed = judgement.asked.iter().filter(|it| it.result == RuleResult::Failed);
    failed.map(|it| it.rule.identifier.as_str()).collect::<Vec<_>>().join(" ")
}

fn vaccinated(done: i64, series: i64, product: &str, day: &str) -> Value {
    json!({ "ver": "1.3.0", "dob": "1980", "v": [{ "tg": "840539006", "vp": "J07BX03", "mp": product,
        "ma": "ORG-100030215", "dn": done, "sd": series, "dt": day, "co": "KR", "is": "KDCA" }] })
}

fn tested(kind: &str, result: &str, at: &str) -> Value {
    json!({ "ver": "1.3.0", "t": [{ "tg": "840539006", "tt": kind, "tr": result, "sc": at, "co": "KR" }] })
}

fn recovered(first_positive: &str, from: &str, until: &str) -> Value {
    json!({ "ver": "1.3.0", "r": [{ "tg": "840539006", "fr": first_positive, "df": from, "du": until }] })
}

#[track_caller]
fn check(country: &str, payload: Value, edges: &[(&str, &str)]) {
    for (clock, expected) in edges {
        assert_eq!(failed(country, &payload, clock), *expected, "{payload} at {clock}");
    }
}

#[test]
fn every_rule_that_ships_could_be_published_and_speaks_three_languages() {
    for set in SHIPPED {
        let rules: Value = serde_json::from_str(set.json).unwrap();
        for rule in rules.as_array().unwrap() {
            assert_eq!(PassRule::check(rule), [], "{}", rule["Identifier"]);
            let languages: Vec<_> =
                rule["Description"].as_array().unwrap().iter().map(|it| &it["lang"]).collect();
            assert_eq!(languages, ["en", "ko", "zh"]);
            assert_eq!(rule["Country"], set.country);
        }
    }
}

#[test]
fn in_korea_a_series_holds_from_the_14th_to_the_180th_korean_day() {
    // Day 14 after 1 December 2021 is 15 December; the rules begin on 3 January 2022.
    check(
        "KR",
        vaccinated(2, 2, COMIRNATY, "2021-12-25"),
        &[
            ("2022-01-07T12:00:00+09:00", "VR-KR-0003"),
            ("2022-01-07T23:59:59+09:00", "VR-KR-0003"),
            ("2022-01-08T00:00:00+09:00", ""),
            ("2022-01-07T15:00:00Z", ""),
            ("2022-01-07T14:59:59Z", "VR-KR-0003"),
        ],
    );
    // Day 180 after 10 July 2021 is 6 January 2022.
    check(
        "KR",
        vaccinated(2, 2, COMIRNATY, "2021-07-10"),
        &[
            ("2022-01-06T23:59:59+09:00", ""),
            ("2022-01-06T14:59:59.999Z", ""),
            ("2022-01-07T00:00:00+09:00", "VR-KR-0003"),
        ],
    );
}

#[test]
fn in_korea_a_series_has_no_end_under_18() {
    let dose = |birth: &str| {
        let mut payload = vaccinated(2, 2, COMIRNATY, "2021-07-10");
        payload["dob"] = json!(birth);
        payload
    };
    // Day 180 was 6 January 2022.
    check(
        "KR",
        dose("2004-02-10"),
        &[
            ("2022-01-07T00:00:00+09:00", ""),
            ("2022-02-09T23:59:59Z", ""),
            ("2022-02-10T00:00:00Z", "VR-KR-0003"),
        ],
    );
    check("KR", dose("2003"), &[("2022-01-07T00:00:00+09:00", "VR-KR-0003")]);
    check("KR", dose("2004"), &[("2022-02-28T23:59:59+09:00", "")]);
}

#[test]
fn in_korea_one_dose_of_a_one_dose_vaccine_is_a_series_and_the_second_a_booster() {
    let edges = [("2022-01-14T00:00:00+09:00", "VR-KR-0003"), ("2022-01-15T00:00:00+09:00", "")];
    check("KR", vaccinated(1, 1, JANSSEN, "2022-01-01"), &edges);
    check("KR", vaccinated(2, 2, JANSSEN, "2022-01-05"), &[("2022-01-05T00:00:00+09:00", "")]);
    check("KR", vaccinated(2, 1, JANSSEN, "2022-01-05"), &[("2022-01-05T00:00:00+09:00", "")]);
}

#[test]
fn in_korea_a_booster_holds_from_its_own_day_on_and_has_no_end() {
    for booster in [(3, 3), (3, 2), (2, 1), (4, 4)] {
        check(
            "KR",
            vaccinated(booster.0, booster.1, COMIRNATY, "2022-01-10"),
            &[
                ("2022-01-09T23:59:59+09:00", "VR-KR-0003"),
                ("2022-01-10T00:00:00+09:00", ""),
                ("2022-02-28T23:59:59+09:00", ""),
            ],
        );
        let long_ago = vaccinated(booster.0, booster.1, COMIRNATY, "2021-02-01");
        check("KR", long_ago, &[("2022-02-28T23:59:59+09:00", "")]);
    }
}

#[test]
fn in_korea_an_unfinished_series_and_an_unknown_vaccine_do_not_count() {
    let clock = "2022-01-20T12:00:00+09:00";
    check("KR", vaccinated(1, 2, COMIRNATY, "2021-12-01"), &[(clock, "VR-KR-0002")]);
    check("KR", vaccinated(2, 2, "Sputnik-V", "2021-12-01"), &[(clock, "VR-KR-0001")]);
    check("KR", vaccinated(2, 2, "BBIBP-CorV", "2021-12-01"), &[(clock, "")]);
}

#[test]
fn in_korea_a_negative_pcr_test_holds_for_48_hours_to_the_second() {
    check(
        "KR",
        tested("LP6464-4", "260415000", "2022-01-10T09:00:00+09:00"),
        &[
            ("2022-01-10T08:59:59+09:00", "TR-KR-0002"),
            ("2022-01-10T09:00:00+09:00", ""),
            ("2022-01-12T08:59:59+09:00", ""),
            ("2022-01-12T09:00:00+09:00", ""),
            ("2022-01-12T00:00:00Z", ""),
            ("2022-01-12T09:00:01+09:00", "TR-KR-0002"),
        ],
    );
    let clock = "2022-01-10T12:00:00+09:00";
    let positive = tested("LP6464-4", "260373001", "2022-01-10T09:00:00+09:00");
    check("KR", positive, &[(clock, "TR-KR-0001")]);
    let antigen = tested("LP217198-3", "260415000", "2022-01-10T09:00:00+09:00");
    check("KR", antigen, &[(clock, "TR-KR-0001")]);
}

#[test]
fn in_korea_who_recovered_is_free_until_the_180th_korean_day() {
    check(
        "KR",
        recovered("2021-07-01", "2021-07-11", "2021-12-31"),
        &[("2022-01-07T23:59:59+09:00", ""), ("2022-01-08T00:00:00+09:00", "RR-KR-0001")],
    );
    check(
        "KR",
        recovered("2022-01-01", "2022-01-11", "2022-07-11"),
        &[("2022-01-10T23:59:59+09:00", "RR-KR-0001"), ("2022-01-11T00:00:00+09:00", "")],
    );
}

#[test]
fn in_korea_an_exemption_holds_from_its_first_to_its_last_korean_day() {
    let exempt = json!({ "ver": "1.3.0",
        "x": [{ "tg": "840539006", "df": "2022-01-10", "du": "2022-01-31", "es": "KR" }] });
    check(
        "KR",
        exempt,
        &[
            ("2022-01-09T23:59:59+09:00", "GR-KR-0003"),
            ("2022-01-10T00:00:00+09:00", ""),
            ("2022-01-31T23:59:59+09:00", ""),
            ("2022-02-01T00:00:00+09:00", "GR-KR-0003"),
        ],
    );
}

#[test]
fn a_pass_with_no_entry_or_with_two_is_no_pass() {
    let clock = "2022-02-10T12:00:00Z";
    let mut two = vaccinated(3, 3, COMIRNATY, "2022-02-01");
    two["v"].as_array_mut().unwrap().push(json!({ "tg": "840539006" }));
    let mut both = vaccinated(3, 3, COMIRNATY, "2022-02-01");
    both["r"] = json!([{ "tg": "840539006" }]);
    for country in ["KR", "EU"] {
        let general = format!("GR-{country}-{}", if country == "KR" { "0001" } else { "0101" });
        for payload in [json!({ "ver": "1.3.0" }), two.clone(), both.clone()] {
            check(country, payload, &[(clock, &general)]);
        }
    }
    let mut other = vaccinated(3, 3, COMIRNATY, "2022-02-01");
    other["v"][0]["tg"] = json!("6142004");
    check("KR", other.clone(), &[(clock, "GR-KR-0002")]);
    check("EU", other, &[(clock, "GR-EU-0102")]);
}

#[test]
fn in_the_union_a_series_holds_from_the_14th_to_the_270th_day() {
    check(
        "EU",
        vaccinated(2, 2, COMIRNATY, "2022-02-01"),
        &[
            ("2022-02-14T23:59:59Z", "VR-EU-0103"),
            ("2022-02-15T00:00:00Z", ""),
            ("2022-10-29T23:59:59Z", ""),
            ("2022-10-30T00:00:00Z", "VR-EU-0103"),
        ],
    );
    check(
        "EU",
        vaccinated(3, 3, COMIRNATY, "2022-02-02"),
        &[
            ("2022-02-01T23:59:59Z", "VR-EU-0103"),
            ("2022-02-02T00:00:00Z", ""),
            ("2023-06-30T23:59:59Z", ""),
        ],
    );
    let clock = "2022-03-01T00:00:00Z";
    check("EU", vaccinated(1, 2, COMIRNATY, "2022-02-01"), &[(clock, "VR-EU-0102")]);
    check("EU", vaccinated(2, 2, "CoronaVac", "2022-02-01"), &[(clock, "VR-EU-0101")]);
    check("EU", vaccinated(1, 1, JANSSEN, "2022-02-15"), &[(clock, "")]);
    check("EU", vaccinated(1, 1, JANSSEN, "2022-02-16"), &[(clock, "VR-EU-0103")]);
}

#[test]
fn in_the_union_a_pcr_test_holds_for_72_hours_and_a_rapid_test_for_24() {
    for (kind, last, first_out, rule) in [
        ("LP6464-4", "2022-03-04T10:00:00+01:00", "2022-03-04T09:00:01Z", "TR-EU-0102"),
        ("LP217198-3", "2022-03-02T10:00:00+01:00", "2022-03-02T09:00:01Z", "TR-EU-0103"),
    ] {
        let test = tested(kind, "260415000", "2022-03-01T10:00:00+01:00");
        let edges = [
            ("2022-03-01T08:59:59Z", rule),
            ("2022-03-01T09:00:00Z", ""),
            (last, ""),
            (first_out, rule),
        ];
        check("EU", test, &edges);
    }
    let clock = "2022-03-01T12:00:00Z";
    let positive = tested("LP6464-4", "260373001", "2022-03-01T10:00:00Z");
    check("EU", positive, &[(clock, "TR-EU-0101")]);
}

#[test]
fn in_the_union_a_recovery_holds_from_the_11th_to_the_180th_day() {
    check(
        "EU",
        recovered("2022-02-01", "2022-02-12", "2022-07-31"),
        &[
            ("2022-02-11T23:59:59Z", "RR-EU-0101"),
            ("2022-02-12T00:00:00Z", ""),
            ("2022-07-31T23:59:59Z", ""),
            ("2022-08-01T00:00:00Z", "RR-EU-0101"),
        ],
    );
}
