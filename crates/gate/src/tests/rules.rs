//! The rules of places, devices, days and typed codes, on both sides of each limit.

use contracts::code::{Colour, TypedAnswer};
use contracts::gate::{Demand, PassRules, Verdict};
use contracts::person::{Organisation, Staff};
use credential::ShortCode;
use kernel::{Aggregate, Id, Instant, given};

use crate::command::{DeviceCommand, ListsCommand, PlaceCommand};
use crate::decide::{
    CLOCK_TOLERANCE_S, ENROLMENT_HOURS, LABEL_MAX, NAME_MAX, STALE_HOURS_MAX, WAITING_MAX, WHY_MAX,
    day_of, is_fresh, judge_typed,
};
use crate::event::{DeviceEvent, ListsEvent, PlaceEvent};
use crate::model::{Device, Lists, Place, PlaceKind, PublicKey};
use crate::refusal::Refusal;

const NOW: Instant = Instant::from_seconds(1_790_000_000);
const OWNER: Id<Staff> = Id::from_u128(3);

fn organisation() -> Id<Organisation> {
    Id::from_u128(9)
}

fn code() -> ShortCode {
    ShortCode::from_bits(77)
}

fn opened() -> PlaceEvent {
    PlaceEvent::Opened {
        name: "해태 시장".to_owned(),
        organisation: organisation(),
        kind: PlaceKind::Shop,
        sensitive: false,
        code: code(),
    }
}

fn open(name: &str, kind: PlaceKind, sensitive: bool) -> PlaceCommand {
    let name = name.to_owned();
    PlaceCommand::Open { name, organisation: organisation(), kind, sensitive, code: code() }
}

#[track_caller]
fn check_place(
    past: &[PlaceEvent],
    command: PlaceCommand,
    expected: Result<&[PlaceEvent], Refusal>,
) {
    let place: Place = given(past);
    assert_eq!(place.decide(command, NOW).as_deref(), expected.as_deref());
}

fn rename(name: &str) -> PlaceCommand {
    PlaceCommand::Rename { name: name.to_owned() }
}

#[test]
fn a_place_is_opened_once_and_with_its_name_trimmed() {
    check_place(&[], open(" 해태 시장 ", PlaceKind::Shop, false), Ok(&[opened()]));
    let again = open("해태 시장", PlaceKind::Shop, false);
    check_place(&[opened()], again, Err(Refusal::PlaceAlreadyOpen));
}

#[test]
fn a_name_has_1_to_80_characters_that_can_be_seen() {
    let longest = "가".repeat(NAME_MAX);
    check_place(
        &[opened()],
        rename(&longest),
        Ok(&[PlaceEvent::Renamed { name: longest.clone() }]),
    );
    for wrong in [format!("{longest}가"), " ".to_owned(), "a\u{202e}b".to_owned()] {
        check_place(&[opened()], rename(&wrong), Err(Refusal::NameInvalid));
        check_place(&[], open(&wrong, PlaceKind::Shop, false), Err(Refusal::NameInvalid));
    }
}

#[test]
fn a_shelter_is_sensitive_whatever_was_ticked() {
    let expected = |kind, sensitive| PlaceEvent::Opened {
        name: "온누리".to_owned(),
        organisation: organisation(),
        kind,
        sensitive,
        code: code(),
    };
    let shelter = expected(PlaceKind::Shelter, true);
    check_place(&[], open("온누리", PlaceKind::Shelter, false), Ok(&[shelter]));
    let office = expected(PlaceKind::Office, true);
    check_place(&[], open("온누리", PlaceKind::Office, true), Ok(&[office]));
    let office = expected(PlaceKind::Office, false);
    check_place(&[], open("온누리", PlaceKind::Office, false), Ok(&[office]));
}

#[test]
fn what_is_already_so_makes_no_event() {
    check_place(&[opened()], rename("해태 시장"), Ok(&[]));
    let same = PlaceCommand::SetPolicy { printed_allowed: true, stale_hours: 72 };
    check_place(&[opened()], same, Ok(&[]));
}

#[test]
fn a_place_demands_its_own_code_alone_until_it_says_otherwise() {
    let strict = Demand::default();
    assert_eq!(strict.rules, PassRules::CodeOnly);
    assert!(!strict.full_name && !strict.stale_passes);
    check_place(&[opened()], PlaceCommand::SetDemand { demand: strict }, Ok(&[]));
    let demand = Demand { rules: PassRules::City, full_name: true, stale_passes: true };
    let set = PlaceEvent::DemandSet { demand };
    let command = || PlaceCommand::SetDemand { demand };
    check_place(&[opened()], command(), Ok(std::slice::from_ref(&set)));
    check_place(&[opened(), set.clone()], command(), Ok(&[]));
    // The other rules of the place leave it as it is.
    let hours = PlaceEvent::PolicySet { printed_allowed: false, stale_hours: 1 };
    check_place(&[opened(), set, hours], command(), Ok(&[]));
}

#[test]
fn lists_are_good_for_1_to_168_hours() {
    for (stale_hours, good) in [(0, false), (1, true), (STALE_HOURS_MAX, true), (169, false)] {
        let command = PlaceCommand::SetPolicy { printed_allowed: false, stale_hours };
        let events = [PlaceEvent::PolicySet { printed_allowed: false, stale_hours }];
        let expected = if good { Ok(&events[..]) } else { Err(Refusal::PolicyInvalid) };
        check_place(&[opened()], command, expected);
    }
}

#[test]
fn nothing_happens_at_a_place_that_is_absent_or_closed() {
    let commands = [
        rename("x"),
        PlaceCommand::Close,
        PlaceCommand::SetPolicy { printed_allowed: true, stale_hours: 1 },
    ];
    for command in commands {
        check_place(&[], command.clone(), Err(Refusal::PlaceUnknown));
        check_place(&[opened(), PlaceEvent::Closed], command, Err(Refusal::PlaceClosed));
    }
    let reopen = open("x", PlaceKind::Shop, false);
    check_place(&[opened(), PlaceEvent::Closed], reopen, Err(Refusal::PlaceClosed));
    check_place(&[opened()], PlaceCommand::Close, Ok(&[PlaceEvent::Closed]));
}

fn key() -> PublicKey {
    let mut bytes = [7; 65];
    bytes[0] = 4;
    PublicKey::from_bytes(&bytes).unwrap()
}

fn asked() -> DeviceEvent {
    DeviceEvent::EnrolmentAsked {
        place: Id::from_u128(1),
        label: "정문 1".to_owned(),
        public_key: key(),
        asked_at: NOW,
    }
}

fn ask(label: &str, waiting: u64) -> DeviceCommand {
    let (place, label) = (Id::from_u128(1), label.to_owned());
    DeviceCommand::AskEnrolment { place, label, public_key: key(), waiting }
}

const APPROVED: DeviceEvent = DeviceEvent::Approved { by: OWNER };
const REFUSED: DeviceEvent = DeviceEvent::Refused { by: OWNER };
const WITHDRAWN: DeviceEvent = DeviceEvent::Withdrawn { by: OWNER };
const APPROVE: DeviceCommand = DeviceCommand::Approve { by: OWNER };
const REFUSE: DeviceCommand = DeviceCommand::Refuse { by: OWNER };
const WITHDRAW: DeviceCommand = DeviceCommand::Withdraw { by: OWNER };

#[track_caller]
fn check_device(
    past: &[DeviceEvent],
    seconds_later: i64,
    command: DeviceCommand,
    expected: Result<&[DeviceEvent], Refusal>,
) {
    let device: Device = given(past);
    let actual = device.decide(command, NOW.plus_seconds(seconds_later));
    assert_eq!(actual.as_deref(), expected.as_deref());
}

#[test]
fn a_device_asks_once_while_fewer_than_20_wait() {
    check_device(&[], 0, ask(" 정문 1 ", WAITING_MAX - 1), Ok(&[asked()]));
    check_device(&[], 0, ask("정문 1", WAITING_MAX), Err(Refusal::TooManyWaiting));
    check_device(&[asked()], 0, ask("정문 1", 0), Err(Refusal::DeviceAlreadyAsked));
    check_device(&[], 0, ask("", 0), Err(Refusal::LabelInvalid));
    check_device(&[], 0, ask(&"가".repeat(LABEL_MAX + 1), 0), Err(Refusal::LabelInvalid));
}

#[test]
fn an_approval_comes_within_24_hours_or_not_at_all() {
    let last_second = ENROLMENT_HOURS * 3_600 - 1;
    check_device(&[asked()], last_second, APPROVE, Ok(&[APPROVED]));
    check_device(&[asked()], last_second + 1, APPROVE, Err(Refusal::EnrolmentExpired));
    check_device(&[asked()], last_second + 1, REFUSE, Ok(&[REFUSED]));
}

#[test]
fn a_device_is_answered_once_and_withdrawn_once() {
    for command in [APPROVE, REFUSE] {
        check_device(&[], 0, command.clone(), Err(Refusal::DeviceUnknown));
        for after in [APPROVED, REFUSED, WITHDRAWN] {
            check_device(&[asked(), after], 0, command.clone(), Err(Refusal::DeviceNotWaiting));
        }
    }
    check_device(&[asked(), APPROVED], 0, WITHDRAW, Ok(&[WITHDRAWN]));
    check_device(&[], 0, WITHDRAW, Err(Refusal::DeviceUnknown));
    check_device(&[asked()], 0, WITHDRAW, Err(Refusal::DeviceNotApproved));
    check_device(&[asked(), REFUSED], 0, WITHDRAW, Err(Refusal::DeviceNotApproved));
    let gone = [asked(), APPROVED, WITHDRAWN];
    check_device(&gone, 0, WITHDRAW, Err(Refusal::DeviceWithdrawn));
}

#[test]
fn a_claim_within_72_hours_decides_the_day_and_any_other_does_not() {
    let received = Instant::parse("2026-03-10T12:00:00Z").unwrap();
    let day = |claim: &str| day_of(Instant::parse(claim).unwrap().seconds(), received);
    let today = store::tx::utc_day(received);
    assert_eq!(day("2026-03-10T12:00:00Z"), today);
    assert_eq!(day("2026-03-10T00:00:00Z"), today);
    assert_eq!(day("2026-03-09T23:59:59Z"), today - 1);
    assert_eq!(day("2026-03-07T12:00:00Z"), today - 3, "exactly 72 hours");
    assert_eq!(day("2026-03-07T11:59:59Z"), today, "a second more");
    assert_eq!(day("2026-03-10T12:00:01Z"), today, "the future");
    assert_eq!(day("2026-03-11T12:00:00Z"), today, "tomorrow");
    for claim in [0, i64::MIN, i64::MAX] {
        assert_eq!(day_of(claim, received), today);
    }
}

#[test]
fn a_signed_time_is_fresh_for_five_minutes_either_way() {
    let now = NOW.seconds();
    for (made_at, fresh) in [
        (now, true),
        (now - CLOCK_TOLERANCE_S, true),
        (now - CLOCK_TOLERANCE_S - 1, false),
        (now + CLOCK_TOLERANCE_S, true),
        (now + CLOCK_TOLERANCE_S + 1, false),
        (i64::MIN, false),
        (i64::MAX, false),
    ] {
        let expected = if fresh { Ok(()) } else { Err(Refusal::ClockOff) };
        assert_eq!(is_fresh(made_at, NOW), expected, "{made_at}");
    }
}

#[test]
fn a_typed_code_says_what_a_scanned_one_would() {
    let answer = |colour, seconds, revoked| TypedAnswer {
        pass: Id::from_u128(1),
        colour,
        valid_until: NOW.plus_seconds(seconds),
        revoked,
    };
    let judge = |it: &TypedAnswer| judge_typed(Some(it), NOW);
    assert_eq!(judge_typed(None, NOW), (Verdict::CannotTell, vec!["typed_unknown"]));
    assert_eq!(judge(&answer(Colour::Green, 1, false)), (Verdict::Pass, vec![]));
    assert_eq!(judge(&answer(Colour::Green, 0, false)), (Verdict::NoPass, vec!["expired"]));
    assert_eq!(judge(&answer(Colour::Green, 1, true)), (Verdict::NoPass, vec!["revoked"]));
    assert_eq!(judge(&answer(Colour::Yellow, 1, false)), (Verdict::NoPass, vec!["colour_yellow"]));
    assert_eq!(judge(&answer(Colour::Red, 1, false)), (Verdict::NoPass, vec!["colour_red"]));
    let unknown = judge(&answer(Colour::Unknown, 1, false));
    assert_eq!(unknown, (Verdict::CannotTell, vec!["colour_unknown"]), "never a no");
}

#[test]
fn codes_of_refusals_are_unique_and_ours() {
    let mut codes: Vec<_> = crate::refusal::REFUSALS.iter().map(|it| it.0).collect();
    let count = codes.len();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), count);
    assert!(codes.iter().all(|it| it.starts_with("gate-")));
    assert!(crate::refusal::REFUSALS.iter().all(|it| (400..500).contains(&it.1)));
}

#[test]
fn only_a_closed_place_is_removed_once_its_last_entries_are_gone() {
    let by = OWNER;
    let closed = [opened(), PlaceEvent::Closed];
    let gone = NOW.plus_days(-29);
    let remove = |closed_at| PlaceCommand::Remove { by, closed_at };
    check_place(&[], remove(Some(gone)), Err(Refusal::PlaceUnknown));
    check_place(&[opened()], remove(None), Err(Refusal::PlaceInUse));
    check_place(&closed, remove(Some(gone.plus_seconds(1))), Err(Refusal::PlaceKept));
    check_place(&closed, remove(None), Err(Refusal::PlaceKept));
    check_place(&closed, remove(Some(gone)), Ok(&[PlaceEvent::Removed { by }]));
    let removed = [opened(), PlaceEvent::Closed, PlaceEvent::Removed { by }];
    check_place(&removed, remove(Some(gone)), Err(Refusal::PlaceUnknown));
}

#[test]
fn only_a_device_that_is_out_of_use_is_removed() {
    let (by, remove) = (OWNER, || DeviceCommand::Remove { by: OWNER });
    check_device(&[], 0, remove(), Err(Refusal::DeviceUnknown));
    check_device(&[asked()], 0, remove(), Err(Refusal::DeviceInUse));
    let approved = [asked(), DeviceEvent::Approved { by }];
    check_device(&approved, 0, remove(), Err(Refusal::DeviceInUse));
    let refused = [asked(), DeviceEvent::Refused { by }];
    check_device(&refused, 0, remove(), Ok(&[DeviceEvent::Removed { by }]));
    let withdrawn = [asked(), DeviceEvent::Approved { by }, DeviceEvent::Withdrawn { by }];
    check_device(&withdrawn, 0, remove(), Ok(&[DeviceEvent::Removed { by }]));
    let removed = [asked(), DeviceEvent::Refused { by }, DeviceEvent::Removed { by }];
    check_device(&removed, 0, remove(), Err(Refusal::DeviceUnknown));
}

#[track_caller]
fn check_lists(past: &[ListsEvent], why: &str, expected: Result<&[ListsEvent], Refusal>) {
    let lists: Lists = given(past);
    let command = ListsCommand::Raise { why: why.to_owned(), by: OWNER };
    assert_eq!(lists.decide(command, NOW).as_deref(), expected.as_deref());
}

#[test]
fn lists_count_from_the_minute_of_the_order_on_and_never_from_an_earlier_one() {
    let raised = |since| ListsEvent::Raised { since, why: "열쇠".to_owned(), by: Some(OWNER) };
    // 1,790,000,000 is 20 seconds past a minute.
    let minute = NOW.plus_seconds(-20);
    check_lists(&[], " 열쇠 ", Ok(&[raised(minute)]));
    check_lists(&[raised(minute.plus_seconds(-60))], "열쇠", Ok(&[raised(minute)]));
    check_lists(&[raised(minute)], "열쇠", Ok(&[]));
    check_lists(&[raised(minute.plus_seconds(60))], "열쇠", Ok(&[]));
    for wrong in [String::new(), "가".repeat(WHY_MAX + 1)] {
        check_lists(&[], &wrong, Err(Refusal::WhyInvalid));
    }
}

#[test]
fn lists_follow_a_compromise_to_the_very_second_in_which_new_ones_know_it() {
    let follow = |lists: &Lists, at: Instant| {
        lists.decide(ListsCommand::Follow { why: "도난".to_owned(), at }, NOW).unwrap()
    };
    let at = Instant::from_micros(NOW.micros() + 7);
    let raised = [ListsEvent::Raised { since: NOW, why: "도난".to_owned(), by: None }];
    assert_eq!(follow(&Lists::default(), at), raised);
    assert!(follow(&given(&raised), at).is_empty(), "once");
}
