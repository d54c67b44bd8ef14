//! The decision: each reason, both sides of each boundary, ends by itself, and the same three inputs
//! give the same answer.

use super::*;
use proptest::prelude::*;

/// The colour and its reasons one microsecond before `at`, and at it.
#[track_caller]
fn check_end(past: &[Event], at: Instant, before: (Colour, &str), then: (Colour, &str)) {
    let just_before = Instant::from_micros(at.micros() - 1);
    let decided = decision_at(past, just_before);
    assert_eq!((decided.colour, decided.reasons[0].as_str()), before, "just before");
    assert_eq!(decided.until, Some(at), "the end is announced");
    let decided = decision_at(past, at);
    assert_eq!((decided.colour, decided.reasons[0].as_str()), then, "at the end");
}

const HEALTHY: (Colour, &str) = (Colour::Green, "declared_healthy");

#[test]
fn red_after_a_positive_test_becomes_green_on_day_14_with_no_job() {
    let past = [tested(Finding::Positive, ago(10)), declared(healthy(), ago(1))];
    check_end(&past, ago(10).plus_days(14), (Colour::Red, "positive_test"), HEALTHY);
}

#[test]
fn red_after_a_close_contact_ends_on_day_14() {
    let past = [exposed(Exposure::CloseContact, ago(13)), declared(healthy(), ago(2))];
    check_end(&past, ago(13).plus_days(14), (Colour::Red, "close_contact"), HEALTHY);
}

#[test]
fn a_negative_test_does_not_end_a_close_contact_s_red() {
    let past = [
        exposed(Exposure::CloseContact, ago(8)),
        declared(healthy(), ago(2)),
        tested(Finding::Negative, ago(1)),
    ];
    assert_eq!(decision_at(&past, noon()).colour, Colour::Red);
}

#[test]
fn yellow_after_a_symptom_ends_on_day_7() {
    let past = [declared(coughing(), ago(6))];
    check_end(&past, ago(6).plus_days(7), (Colour::Yellow, "symptom"), HEALTHY);
}

#[test]
fn a_symptom_does_not_vanish_by_declaring_again() {
    let past = [declared(coughing(), ago(2)), declared(healthy(), ago(1))];
    check_end(&past, ago(2).plus_days(7), (Colour::Yellow, "symptom"), HEALTHY);
}

#[test]
fn a_negative_test_at_or_after_the_symptom_clears_it_and_an_earlier_one_does_not() {
    let at = ago(2);
    let before = Instant::from_micros(at.micros() - 1);
    for (taken, colour) in [(before, Colour::Yellow), (at, Colour::Green), (ago(1), Colour::Green)]
    {
        let past = [declared(coughing(), at), tested(Finding::Negative, taken)];
        assert_eq!(decision_at(&past, noon()).colour, colour, "{taken:?}");
    }
}

#[test]
fn a_fever_is_yellow_from_37_5_on() {
    for (tenths, colour) in [(374, Colour::Green), (375, Colour::Yellow), (400, Colour::Yellow)] {
        let it = Declaration { temperature_tenths: Some(tenths), ..healthy() };
        let decided = decision_at(&[declared(it, noon())], noon());
        assert_eq!(decided.colour, colour, "{tenths}");
        if colour == Colour::Yellow {
            assert_eq!(
                (decided.reasons[0].as_str(), decided.until),
                ("fever", Some(noon().plus_days(7)))
            );
        }
    }
}

#[test]
fn a_declared_contact_is_yellow_for_7_days_unless_tested_3_days_after_it() {
    for (symptomatic, confirmed) in [(Answer::Yes, Answer::No), (Answer::No, Answer::Yes)] {
        let it = Declaration {
            contact_symptomatic: symptomatic,
            contact_confirmed: confirmed,
            ..healthy()
        };
        let past = [declared(it, ago(6))];
        check_end(&past, ago(6).plus_days(7), (Colour::Yellow, "contact"), HEALTHY);
        let third_day = ago(6).plus_days(3);
        let early = Instant::from_micros(third_day.micros() - 1);
        for (taken, colour) in [(early, Colour::Yellow), (third_day, Colour::Green)] {
            let past = [past[0].clone(), tested(Finding::Negative, taken)];
            assert_eq!(decision_at(&past, noon()).colour, colour);
        }
    }
}

#[test]
fn the_same_place_is_yellow_for_7_days_unless_tested_3_days_after_it() {
    let past = [declared(healthy(), ago(1)), exposed(Exposure::SamePlace, ago(4))];
    check_end(&past, ago(4).plus_days(7), (Colour::Yellow, "same_place"), HEALTHY);
    let tested_in_time = [past.to_vec(), vec![tested(Finding::Negative, ago(1))]].concat();
    assert_eq!(decision_at(&tested_in_time, noon()).colour, Colour::Green);
}

#[test]
fn a_declaration_counts_for_14_days_and_then_the_colour_is_unknown() {
    let past = [declared(healthy(), ago(13))];
    check_end(&past, ago(13).plus_days(14), HEALTHY, (Colour::Unknown, "declaration_old"));
}

#[test]
fn an_unanswered_question_is_unknown_and_never_worse() {
    let unasked = Answer::NotAsked;
    let symptoms = Symptoms { cough: unasked, ..healthy().symptoms };
    let missing = [
        (Declaration { contact_confirmed: unasked, ..healthy() }, "unanswered"),
        (Declaration { contact_symptomatic: unasked, ..healthy() }, "unanswered"),
        (Declaration { symptoms, ..healthy() }, "unanswered"),
        (Declaration { temperature_tenths: None, ..healthy() }, "temperature_missing"),
    ];
    for (it, reason) in missing {
        let decided = decision_at(&[declared(it, noon())], noon());
        assert_eq!((decided.colour, decided.reasons[0].as_str()), (Colour::Unknown, reason));
    }
    let decided = decision_at(&[], noon());
    assert_eq!((decided.colour, decided.reasons[0].as_str()), (Colour::Unknown, "not_declared"));
    assert_eq!(decided.until, None, "time alone makes nothing known");
}

#[test]
fn a_known_danger_is_not_hidden_by_a_missing_answer() {
    let it = Declaration { contact_confirmed: Answer::NotAsked, ..coughing() };
    assert_eq!(decision_at(&[declared(it, noon())], noon()).colour, Colour::Yellow);
    let past = [tested(Finding::Positive, ago(1))];
    assert_eq!(decision_at(&past, noon()).colour, Colour::Red, "without any declaration");
}

#[test]
fn the_strongest_colour_wins_and_its_end_is_the_first_change() {
    let past = [
        declared(coughing(), ago(1)),
        tested(Finding::Positive, ago(13)),
        exposed(Exposure::SamePlace, ago(2)),
    ];
    let decided = decision_at(&past, noon());
    assert_eq!((decided.colour, decided.until), (Colour::Red, Some(ago(13).plus_days(14))));
    let next = decision_at(&past, decided.until.unwrap());
    assert_eq!(next.reasons, ["symptom", "same_place"]);
    assert_eq!(next.until, Some(ago(1).plus_days(7)), "two yellows end with the later one");
}

#[test]
fn reports_that_come_late_and_out_of_order_count_by_their_own_date() {
    let past = [tested(Finding::Positive, ago(3)), tested(Finding::Positive, ago(20))];
    let swapped = [past[1].clone(), past[0].clone()];
    assert_eq!(decision_at(&past, noon()), decision_at(&swapped, noon()));
    assert_eq!(decision_at(&past, noon()).until, Some(ago(3).plus_days(14)));
}

#[test]
fn a_rule_that_cannot_be_evaluated_makes_the_colour_unknown() {
    let rule_set = serde_json::json!({
        "id": "broken", "version": 1,
        "rules": [
            { "code": "nonsense", "logic": { "<": [{ "var": "payload.declared" }, 3] }, "outcome": { "colour": "red" } },
            { "code": "fine", "logic": true, "outcome": { "colour": "green" } }
        ]
    });
    let policy = Policy::of(rules::RuleSet::parse(&rule_set).unwrap());
    let facts = given::<Holder>(&[declared(healthy(), noon())]).facts;
    let decided = decision::decide(&facts, &policy, noon());
    assert_eq!(
        (decided.colour, decided.reasons),
        (Colour::Unknown, vec!["rule_failed".to_owned()])
    );
}

#[test]
fn every_rule_tells_what_it_read_and_what_it_said() {
    let facts = given::<Holder>(&[tested(Finding::Positive, ago(3))]).facts;
    let clauses = decision::explain(&facts, &Policy::default(), noon());
    let positive = clauses.iter().find(|it| it.code == "positive_test").unwrap();
    assert_eq!(positive.applies, Some(true));
    let read = |path: &str| positive.read.iter().find(|it| it.0 == path).map(|it| it.1.clone());
    assert_eq!(read("payload.positive.days_ago"), Some(3.into()));
    assert_eq!(read("external.positive_days"), Some(14.into()));
    let said: Vec<_> =
        clauses.iter().filter(|it| it.applies == Some(true)).map(|it| &it.code).collect();
    let decided = decision::decide(&facts, &Policy::default(), noon());
    assert!(decided.reasons.iter().all(|it| said.contains(&it)), "{said:?}");
}

#[test]
fn without_a_matching_rule_the_colour_is_unknown() {
    let rule_set = serde_json::json!({ "id": "silent", "version": 1, "rules": [] });
    let policy = Policy::of(rules::RuleSet::parse(&rule_set).unwrap());
    let decided = decision::decide(&Holder::default().facts, &policy, noon());
    assert_eq!((decided.colour, decided.reasons), (Colour::Unknown, vec!["no_rule".to_owned()]));
}

#[test]
fn another_version_s_numbers_end_at_another_day() {
    let mut rule_set: serde_json::Value = serde_json::from_str(crate::policy::SHIPPED).unwrap();
    rule_set["version"] = 2.into();
    rule_set["parameters"]["positive_days"] = 10.into();
    let policy = Policy::of(rules::RuleSet::parse(&rule_set).unwrap());
    let facts =
        given::<Holder>(&[declared(healthy(), ago(0)), tested(Finding::Positive, ago(2))]).facts;
    let decided = decision::decide(&facts, &policy, noon());
    assert_eq!((decided.until, decided.rules_version), (Some(ago(2).plus_days(10)), 2));
}

fn any_answer() -> impl Strategy<Value = Answer> {
    prop_oneof![1 => Just(Answer::Yes), 4 => Just(Answer::No), 1 => Just(Answer::NotAsked)]
}

fn any_past() -> impl Strategy<Value = Vec<Event>> {
    let hours = 0_i64..24 * 30;
    let at = hours.prop_map(|hours| noon().plus_seconds(-hours * 3_600 - 17));
    let declaration = (any_answer(), any_answer(), any_answer(), 350_u16..400).prop_map(
        |(cough, symptomatic, confirmed, tenths)| Declaration {
            contact_symptomatic: symptomatic,
            contact_confirmed: confirmed,
            symptoms: Symptoms { cough, ..healthy().symptoms },
            temperature_tenths: Some(tenths),
            ..healthy()
        },
    );
    let event = prop_oneof![
        4 => (declaration, at.clone()).prop_map(|(it, at)| declared(it, at)),
        1 => (prop_oneof![Just(Finding::Positive), Just(Finding::Negative)], at.clone())
            .prop_map(|(result, at)| tested(result, at)),
        1 => (prop_oneof![Just(Exposure::CloseContact), Just(Exposure::SamePlace)], at)
            .prop_map(|(source, at)| exposed(source, at)),
    ];
    prop::collection::vec(event, 0..6)
}

proptest! {
    #[test]
    fn the_same_facts_rules_and_instant_give_the_same_decision(past in any_past(), hour in 0_i64..900) {
        let at = noon().plus_seconds(hour * 3_600);
        prop_assert_eq!(decision_at(&past, at), decision_at(&past, at));
    }

    #[test]
    fn the_colour_holds_until_its_announced_end_and_changes_there(past in any_past(), hours in prop::collection::vec(0_i64..24 * 40, 12)) {
        let decided = decision_at(&past, noon());
        for hour in hours {
            let at = noon().plus_seconds(hour * 3_600);
            if decided.until.is_none_or(|until| at < until) {
                prop_assert_eq!(decision_at(&past, at).colour, decided.colour);
            }
        }
        if let Some(until) = decided.until {
            prop_assert_ne!(decision_at(&past, until).colour, decided.colour);
            let just_before = Instant::from_micros(until.micros() - 1);
            prop_assert_eq!(decision_at(&past, just_before).colour, decided.colour);
        }
    }

    #[test]
    fn every_declaration_is_decided_or_refused_whatever_it_holds(
        name: String, document: String, residence: String, place: String,
        from in i32::MIN..i32::MAX, to in i32::MIN..i32::MAX, tenths: Option<u16>,
    ) {
        let stays = vec![Stay { place, from: Date::from_days(from), to: Date::from_days(to) }];
        let it = Declaration { name, document, residence, stays, temperature_tenths: tenths, ..healthy() };
        if let Ok(events) = declare(it) {
            let json = serde_json::to_string(&events[0]).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Event>(&json).unwrap(), &events[0]);
        }
    }
}
