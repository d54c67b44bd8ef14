//! Passes: issued ahead of time, never beyond the colour, revoked when the colour worsens.

use super::*;

fn issue(number: u128, device: bool) -> Ask {
    let device_key = device.then_some(DeviceKey([2; 33]));
    Ask::IssuePass { pass: pass(number), device_key, short: short() }
}

fn decided(past: &[Event]) -> Vec<Event> {
    let mut past = past.to_vec();
    let decision = decision_at(&past, noon());
    past.push(Event::Decided {
        decision: Id::from_u128(1),
        colour: decision.colour,
        until: decision.until,
        reasons: decision.reasons,
        rules_version: 1,
        at: noon(),
    });
    past
}

fn valid_until(events: &[Event]) -> Instant {
    let until = events.iter().find_map(|event| match event {
        Event::PassIssued { valid_until, .. } => Some(*valid_until),
        _ => None,
    });
    until.unwrap()
}

#[test]
fn a_pass_lasts_24_hours_a_printed_one_72_and_neither_outlives_its_colour() {
    let past = decided(&[declared(healthy(), ago(0))]);
    assert_eq!(valid_until(&ask(&past, noon(), issue(1, true)).unwrap()), noon().plus_days(1));
    assert_eq!(valid_until(&ask(&past, noon(), issue(1, false)).unwrap()), noon().plus_days(3));
    let past = decided(&[declared(healthy(), ago(14).plus_seconds(3_600))]);
    let end = noon().plus_seconds(3_600);
    assert_eq!(valid_until(&ask(&past, noon(), issue(1, true)).unwrap()), end);
    assert_eq!(valid_until(&ask(&past, noon(), issue(1, false)).unwrap()), end);
}

#[test]
fn nobody_gets_a_pass_on_missing_facts() {
    assert_eq!(ask(&[], noon(), issue(1, true)), Err(Refusal::ColourUnknown));
    let past = [declared(healthy(), ago(14))];
    assert_eq!(ask(&past, noon(), issue(1, true)), Err(Refusal::ColourUnknown));
}

#[test]
fn red_and_yellow_get_their_pass_too() {
    for past in [[declared(coughing(), ago(0))], [tested(Finding::Positive, ago(1))]] {
        let events = ask(&decided(&past), noon(), issue(1, true)).unwrap();
        assert!(matches!(events[..], [Event::PassIssued { .. }]), "{events:?}");
    }
}

#[test]
fn a_pass_after_the_clock_changed_the_colour_brings_its_decision_with_it() {
    let past = decided(&[tested(Finding::Positive, ago(13)), declared(healthy(), ago(1))]);
    let tomorrow = noon().plus_days(1);
    let events = ask(&past, tomorrow, issue(1, true)).unwrap();
    assert!(matches!(events[0], Event::Decided { colour: Colour::Green, .. }), "{events:?}");
    assert!(matches!(events[1], Event::PassIssued { colour: Colour::Green, .. }));
}

#[test]
fn when_the_colour_worsens_live_passes_are_revoked_in_the_same_command() {
    let past = [
        decided(&[declared(healthy(), ago(1))]),
        vec![
            pass_issued(1, Colour::Green, ago(2), 24),
            pass_issued(2, Colour::Green, noon(), 24),
            pass_issued(3, Colour::Red, noon(), 24),
        ],
    ]
    .concat();
    let positive = Ask::RecordTest {
        result: Finding::Positive,
        taken_at: noon(),
        source: TestSource::Laboratory,
    };
    let events = ask(&past, noon(), positive).unwrap();
    let revoked = Event::PassRevoked {
        pass: pass(2),
        valid_until: noon().plus_days(1),
        why: RevokedBecause::ColourWorsened,
    };
    assert_eq!(events[2..], [revoked], "neither the expired one nor the red one");
}

#[test]
fn when_the_colour_gets_better_passes_stay() {
    let past = [
        decided(&[declared(coughing(), ago(1))]),
        vec![pass_issued(1, Colour::Yellow, noon(), 24)],
    ]
    .concat();
    let negative =
        Ask::RecordTest { result: Finding::Negative, taken_at: noon(), source: TestSource::Clinic };
    let events = ask(&past, noon(), negative).unwrap();
    assert_eq!(events.len(), 2, "{events:?}");
    assert!(matches!(events[1], Event::Decided { colour: Colour::Green, .. }));
}

#[test]
fn the_ninth_pass_at_a_time_replaces_the_oldest() {
    let mut past = decided(&[declared(healthy(), ago(1))]);
    let live = (0..8).map(|it| {
        pass_issued(it, Colour::Green, noon().plus_seconds(i64::try_from(it).unwrap() - 60), 24)
    });
    past.extend(live);
    let events = ask(&past, noon(), issue(100, true)).unwrap();
    assert!(
        matches!(&events[0], Event::PassRevoked { pass: oldest, why: RevokedBecause::Replaced, .. } if *oldest == pass(0)),
        "{events:?}"
    );
    assert_eq!(events.len(), 2);
}

#[test]
fn a_lost_pass_is_revoked_once_and_only_by_its_own_person() {
    let past = [pass_issued(1, Colour::Green, noon(), 24)];
    let lost = |number| Ask::RevokePass { pass: pass(number), why: RevokedBecause::Lost };
    let events = ask(&past, noon(), lost(1)).unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(ask(&past, noon(), lost(2)), Err(Refusal::PassUnknown));
    assert_eq!(ask(&past, noon().plus_days(1), lost(1)), Err(Refusal::PassUnknown));
    let after = [past.to_vec(), events].concat();
    assert_eq!(ask(&after, noon(), lost(1)), Err(Refusal::PassUnknown));
}
