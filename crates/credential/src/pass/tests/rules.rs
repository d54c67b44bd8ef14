//! What a place's rules do to a verdict, and how they are asked.

use std::cell::RefCell;

use super::{data, json};
use crate::pass::jwk::any_base64;
use crate::pass::{Facts, Format, Kind, Policy, Rules, Ruling, Trust, Verdict, time, verify};
use crate::verify::{Check, Outcome};

/// What, of which country, until when.
type Asked = (Kind, Option<String>, Option<i64>);

/// Rules that say what they are told to, and remember what they were asked.
#[derive(Default)]
struct Place {
    ruling: Ruling,
    /// A value that their sets do not have.
    lacks: &'static str,
    asked: RefCell<Vec<Asked>>,
}

impl Rules for Place {
    fn judge(&self, facts: &Facts<'_>) -> Ruling {
        assert_eq!((facts.format, &facts.payload["ver"].is_string()), (Format::Dcc, &true));
        let country = facts.issuer_country.map(str::to_owned);
        self.asked.borrow_mut().push((facts.kind, country, facts.expires_at));
        self.ruling.clone()
    }

    fn knows(&self, set: &str, code: &str) -> Option<bool> {
        (set != "country-2-codes").then_some(code != self.lacks)
    }
}

/// Austria's first case, a vaccination, at its own clock.
fn judged(place: &Place, now_s: Option<i64>) -> Option<Verdict> {
    let case = json(&data("dgc-testdata")?.join("AT/2DCode/raw/1.json"));
    let context = &case["TESTCTX"];
    let mut trust = Trust::default();
    trust.add(&any_base64(context["CERTIFICATE"].as_str().unwrap()).unwrap());
    let clock = time::moment(context["VALIDATIONCLOCK"].as_str().unwrap()).unwrap();
    let text = case["PREFIX"].as_str().unwrap();
    Some(verify(text, &trust, Some(place), &Policy::default(), now_s.unwrap_or(clock)))
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn reasons(verdict: &Verdict) -> String {
    let reasons: Vec<String> = verdict.reasons.iter().map(ToString::to_string).collect();
    reasons.join(" ")
}

#[test]
fn a_failed_rule_is_a_no_an_open_one_is_not_and_both_are_named() {
    for (asked, failed, open, outcome, check, says) in [
        (0, &[][..], &[][..], Outcome::Pass, Check::Skipped, ""),
        (3, &[], &[], Outcome::Pass, Check::Ok, ""),
        (3, &[], &["B"], Outcome::CannotTell, Check::Failed, "rule_open:B"),
        (3, &["A"], &[], Outcome::NoPass, Check::Failed, "rule_failed:A"),
        (
            3,
            &["A", "C"],
            &["B"],
            Outcome::NoPass,
            Check::Failed,
            "rule_failed:A rule_failed:C rule_open:B",
        ),
    ] {
        let ruling = Ruling { asked, failed: names(failed), open: names(open) };
        let place = Place { ruling, ..Place::default() };
        let Some(verdict) = judged(&place, None) else { return };
        assert_eq!((verdict.outcome, verdict.checks.rules), (outcome, check), "{says}");
        assert_eq!(reasons(&verdict), says);
        let asked = place.asked.borrow();
        assert_eq!(asked[0].0, Kind::Vaccination);
        assert_eq!((asked[0].1.as_deref(), asked[0].2), (Some("AT"), verdict.valid_until));
    }
}

#[test]
fn a_code_that_the_value_sets_lack_is_a_doubt_and_a_rule_may_still_say_no() {
    for (lacks, outcome, says) in [
        ("none", Outcome::Pass, ""),
        ("ORG-100030215", Outcome::CannotTell, "value_unknown"),
        ("840539006", Outcome::CannotTell, "value_unknown"),
        // The country's set is not held: nothing is said of it.
        ("AT", Outcome::Pass, ""),
    ] {
        let Some(verdict) = judged(&Place { lacks, ..Place::default() }, None) else { return };
        assert_eq!((verdict.outcome, reasons(&verdict)), (outcome, says.to_owned()), "{lacks}");
    }
    let ruling = Ruling { asked: 1, failed: names(&["A"]), open: Vec::new() };
    let place = Place { ruling, lacks: "840539006", ..Place::default() };
    let Some(verdict) = judged(&place, None) else { return };
    assert_eq!(
        (verdict.outcome, &*reasons(&verdict)),
        (Outcome::NoPass, "value_unknown rule_failed:A")
    );
}

#[test]
fn rules_are_not_asked_about_what_nobody_trusted_has_signed() {
    let place = Place::default();
    let Some(folder) = data("dgc-testdata") else { return };
    let text = json(&folder.join("AT/2DCode/raw/1.json"))["PREFIX"].as_str().unwrap().to_owned();
    let verdict = verify(&text, &Trust::default(), Some(&place), &Policy::default(), 0);
    assert_eq!((verdict.outcome, verdict.checks.rules), (Outcome::CannotTell, Check::Skipped));
    assert!(place.asked.borrow().is_empty());
}
