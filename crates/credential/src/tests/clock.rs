//! One second on either side of every limit.

use super::{City, DAY, NOW};
use crate::moment::STEP_S;
use crate::{Outcome, Reason, moment};

/// What is judged at `now` after `change`, showing a proof made at that same `now`.
#[track_caller]
fn check(change: impl Fn(&mut City), now: i64, expected: Option<Reason>) {
    let mut city = City::new();
    change(&mut city);
    let verdict = city.judge_at(&city.show_at(&city.code(), now), now);
    let expected: Vec<Reason> = expected.into_iter().collect();
    assert_eq!(verdict.reasons, expected, "at {now}");
    assert_eq!(verdict.outcome == Outcome::Pass, verdict.reasons.is_empty());
}

#[test]
fn a_code_expires_in_the_second_it_names() {
    let long = |city: &mut City| {
        city.trust.list.valid_until = NOW + 30 * DAY;
        let list = city.trust.revocations.as_mut().unwrap();
        list.valid_until = NOW + 30 * DAY;
    };
    check(long, NOW + 7 * DAY - 1, None);
    check(long, NOW + 7 * DAY, Some(Reason::Expired));
}

#[test]
fn a_code_from_the_future_is_accepted_within_the_clock_tolerance() {
    let fresh = |city: &mut City| city.trust.list.issued_at = NOW - 2 * DAY;
    // The code is issued at NOW - 3600.
    check(fresh, NOW - 3600 - 15, None);
    check(fresh, NOW - 3600 - 16, Some(Reason::NotYetValid));
}

#[test]
fn lists_are_stale_from_the_second_they_name() {
    let keep = |_: &mut City| ();
    check(keep, NOW + 3 * DAY - 1, None);
    let list_only = |city: &mut City| {
        city.trust.revocations.as_mut().unwrap().valid_until += DAY;
    };
    check(list_only, NOW + 3 * DAY, Some(Reason::TrustStale));
    let revocations_only = |city: &mut City| city.trust.list.valid_until += DAY;
    check(revocations_only, NOW + 3 * DAY, Some(Reason::RevocationStale));
}

#[test]
fn a_list_from_the_future_tells_that_the_clock_is_behind() {
    check(|city| city.trust.list.issued_at = NOW + 15, NOW, None);
    check(|city| city.trust.list.issued_at = NOW + 16, NOW, Some(Reason::ClockBehind));
}

#[test]
fn a_key_signs_only_within_its_days() {
    let issued = NOW - 3600;
    check(|city| city.trust.list.keys[0].not_before = issued, NOW, None);
    let late = |city: &mut City| city.trust.list.keys[0].not_before = issued + 1;
    check(late, NOW, Some(Reason::IssuerNotValid));
    check(|city| city.trust.list.keys[0].not_after = issued, NOW, None);
    let early = |city: &mut City| city.trust.list.keys[0].not_after = issued - 1;
    check(early, NOW, Some(Reason::IssuerNotValid));
}

#[test]
fn a_proof_lives_from_one_step_before_to_thirty_seconds_after_its_step_began() {
    let city = City::new();
    let shown = city.show(&city.code());
    let start = NOW.div_euclid(STEP_S) * STEP_S;
    assert!(start < NOW && NOW < start + STEP_S);
    for (now, expected) in [
        (start - STEP_S - 1, Some(Reason::ProofAhead)),
        (start - STEP_S, None),
        (start, None),
        (start + 2 * STEP_S - 1, None),
        (start + 2 * STEP_S, Some(Reason::ProofStale)),
        (i64::MAX / 2, Some(Reason::ProofStale)),
    ] {
        let verdict = city.judge_at(&shown, now);
        let proof = |reason: &&Reason| {
            matches!(reason, Reason::ProofAhead | Reason::ProofStale | Reason::ProofBad)
        };
        assert_eq!(verdict.reasons.iter().find(proof).copied(), expected, "at {now}");
    }
}

#[test]
fn a_stale_proof_is_a_no_and_one_from_ahead_is_not() {
    let city = City::new();
    let shown = city.show(&city.code());
    assert_eq!(city.judge_at(&shown, NOW + 60).outcome, Outcome::NoPass);
    assert_eq!(city.judge_at(&shown, NOW - 60).outcome, Outcome::CannotTell);
}

#[test]
fn absurd_clocks_do_no_harm() {
    let city = City::new();
    let shown = city.show(&city.code());
    for now in [i64::MIN, -1, 0, 1, i64::MAX] {
        assert_ne!(city.judge_at(&shown, now).outcome, Outcome::Pass);
    }
    assert_eq!(moment::step_at(-1), 0);
    assert_eq!(moment::step_at(i64::MIN), 0);
    assert_eq!((moment::step_at(14), moment::step_at(15)), (0, 1));
}
