//! Manual colours: a medical reason, an order number, two officers, an end, an appeal.

use super::*;

fn propose(colour: Colour, until: Instant, number: &str) -> Ask {
    Ask::ProposeOrder {
        order: Id::from_u128(3),
        colour,
        until,
        reason: OrderReason::SuspectedCase,
        number: number.to_owned(),
        officer: officer(1),
    }
}

fn proposed() -> Vec<Event> {
    ask(&[], noon(), propose(Colour::Red, noon().plus_days(5), "강남보건-2026-0113")).unwrap()
}

fn confirm(by: u128) -> Ask {
    Ask::ConfirmOrder { order: Id::from_u128(3), officer: officer(by) }
}

#[test]
fn a_proposal_alone_changes_no_colour() {
    let past = [vec![declared(healthy(), ago(1))], proposed()].concat();
    assert_eq!(decision_at(&past, noon()).colour, Colour::Green);
}

#[test]
fn the_officer_who_proposed_cannot_confirm_and_another_can() {
    assert_eq!(ask(&proposed(), noon(), confirm(1)), Err(Refusal::SameOfficer));
    let events = ask(&proposed(), noon(), confirm(2)).unwrap();
    let Event::Decided { colour, until, reasons, .. } = &events[1] else { panic!("{events:?}") };
    assert_eq!((*colour, *until), (Colour::Red, Some(noon().plus_days(5))));
    assert_eq!(reasons, &["order_red"]);
}

#[test]
fn an_order_ends_by_itself_at_its_instant() {
    let past = [
        vec![declared(healthy(), ago(1))],
        proposed(),
        ask(&proposed(), noon(), confirm(2)).unwrap(),
    ]
    .concat();
    let end = noon().plus_days(5);
    let just_before = Instant::from_micros(end.micros() - 1);
    assert_eq!(decision_at(&past, just_before).colour, Colour::Red);
    assert_eq!(decision_at(&past, end).colour, Colour::Green);
}

#[test]
fn an_order_is_red_or_yellow_and_lasts_at_most_14_days() {
    for colour in [Colour::Green, Colour::Unknown] {
        let refused = ask(&[], noon(), propose(colour, noon().plus_days(1), "A-1"));
        assert_eq!(refused, Err(Refusal::OrderColour));
    }
    let until = |until| ask(&[], noon(), propose(Colour::Yellow, until, "A-1"));
    assert_eq!(until(noon()), Err(Refusal::OrderUntil { days: 14 }));
    assert!(until(noon().plus_seconds(1)).is_ok());
    assert!(until(noon().plus_days(14)).is_ok());
    assert_eq!(until(noon().plus_days(14).plus_seconds(1)), Err(Refusal::OrderUntil { days: 14 }));
}

#[test]
fn an_order_number_names_a_file() {
    for good in ["A-1", "강남보건-2026-0113", "2026/113", "京疾控2026.7"] {
        assert!(
            ask(&[], noon(), propose(Colour::Red, noon().plus_days(1), good)).is_ok(),
            "{good}"
        );
    }
    for bad in ["", "  ", "번호없음", "A 1", "1\u{200b}", &"1".repeat(41), "=1+1"] {
        let refused = ask(&[], noon(), propose(Colour::Red, noon().plus_days(1), bad));
        assert_eq!(refused, Err(Refusal::OrderNumber), "{bad:?}");
    }
}

#[test]
fn an_order_is_decided_once() {
    let confirmed = [proposed(), ask(&proposed(), noon(), confirm(2)).unwrap()].concat();
    assert_eq!(ask(&confirmed, noon(), confirm(3)), Err(Refusal::OrderDecided));
    let reject = Ask::RejectOrder { order: Id::from_u128(3), officer: officer(2) };
    assert_eq!(ask(&confirmed, noon(), reject.clone()), Err(Refusal::OrderDecided));
    let rejected = [proposed(), ask(&proposed(), noon(), reject).unwrap()].concat();
    assert_eq!(ask(&rejected, noon(), confirm(2)), Err(Refusal::OrderDecided));
    assert_eq!(ask(&[], noon(), confirm(2)), Err(Refusal::OrderUnknown));
}

#[test]
fn a_proposal_whose_end_has_come_cannot_be_confirmed() {
    let end = noon().plus_days(5);
    assert!(ask(&proposed(), end.plus_seconds(-1), confirm(2)).is_ok());
    assert!(matches!(ask(&proposed(), end, confirm(2)), Err(Refusal::OrderUntil { .. })));
}

#[test]
fn the_same_number_is_not_ordered_twice_at_a_time() {
    let again = propose(Colour::Red, noon().plus_days(2), "강남보건-2026-0113");
    assert_eq!(ask(&proposed(), noon(), again.clone()), Err(Refusal::OrderRepeated));
    assert!(
        ask(
            &proposed(),
            noon().plus_days(5),
            propose(Colour::Red, noon().plus_days(6), "강남보건-2026-0113")
        )
        .is_ok()
    );
}

#[test]
fn withdrawing_an_order_decides_anew() {
    let past = [
        vec![declared(healthy(), ago(1))],
        proposed(),
        ask(&proposed(), noon(), confirm(2)).unwrap(),
    ]
    .concat();
    let withdraw = Ask::WithdrawOrder { order: Id::from_u128(3), officer: officer(4) };
    let events = ask(&past, noon(), withdraw).unwrap();
    assert!(matches!(events[1], Event::Decided { colour: Colour::Green, .. }));
}

#[test]
fn an_officer_does_not_judge_an_appeal_against_their_own_order() {
    let confirmed = ask(&proposed(), noon(), confirm(2)).unwrap();
    let past = [proposed(), confirmed].concat();
    let appeal =
        Ask::Appeal {
            appeal: Id::from_u128(5), about: Id::from_u128(77), text: "아닙니다".into()
        };
    let past = [past.clone(), ask(&past, noon(), appeal).unwrap()].concat();
    let answer = |by: u128| Ask::AnswerAppeal {
        appeal: Id::from_u128(5),
        outcome: Outcome::Upheld,
        text: "지시를 거둡니다.".to_owned(),
        set_aside: vec![Basis::Order],
        officer: officer(by),
    };
    assert_eq!(ask(&past, noon(), answer(1)), Err(Refusal::OwnOrder));
    assert_eq!(ask(&past, noon(), answer(2)), Err(Refusal::OwnOrder));
    let events = ask(&past, noon(), answer(3)).unwrap();
    assert!(matches!(events[1], Event::OrderWithdrawn { .. }));
    assert!(matches!(events[2], Event::Decided { colour: Colour::Unknown, .. }));
}
