//! Given the past, when a command comes, then these events or this refusal. Stores and pages are
//! tried in the modules below.

mod leaving;
mod number;
mod pages;
mod routes;
mod store;

use contracts::person::{Grant, Organisation, Person, Role, Scope, Staff};
use kernel::{Aggregate as _, Date, Id, Instant, Locale, Refusal as _, given};
use proptest::prelude::*;

use crate::command::{
    Administrator, Asker, CitizenCommand, OrganisationCommand, Registration, StaffCommand,
};
use crate::decide::{self, HELPING_MAX};
use crate::event::{CitizenEvent, Ground, Kin, OrganisationEvent, OrganisationKind, StaffEvent};
use crate::model::{Citizen, OrganisationRecord, StaffMember};
use crate::refusal::{REFUSALS, Refusal};

const NOW: Instant = Instant::from_seconds(1_772_409_600); // 2026-03-02T00:00:00Z
const SELF: Id<Person> = Id::from_u128(1);
const HELPER: Id<Person> = Id::from_u128(2);
const OTHER: Id<Person> = Id::from_u128(3);

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn registration(name: &str, born: &str) -> Registration {
    Registration {
        name: name.to_owned(),
        birth_date: day(born),
        locale: Locale::Ko,
        today: day("2026-03-02"),
    }
}

fn registered() -> CitizenEvent {
    CitizenEvent::Registered {
        name: "김하늘".to_owned(),
        birth_date: day("1988-02-29"),
        phone: Some("+821012345678".to_owned()),
        locale: Locale::Ko,
    }
}

fn granted(helper: Id<Person>, kin: Kin, until: Instant) -> CitizenEvent {
    CitizenEvent::HelpGranted { helper, kin, ground: Ground::Consent, until }
}

fn offered(until: Instant) -> CitizenEvent {
    CitizenEvent::HelpOffered { offer: "tag".to_owned(), until }
}

#[track_caller]
fn check(
    past: &[CitizenEvent],
    command: CitizenCommand,
    expected: Result<&[CitizenEvent], Refusal>,
) {
    let state: Citizen = given(past);
    let actual = state.decide(command, NOW);
    assert_eq!(actual.as_deref(), expected.as_ref().map(|it| *it));
}

fn register(name: &str, born: &str, phone: &str, taken: bool) -> CitizenCommand {
    let registration = registration(name, born);
    CitizenCommand::Register { registration, phone: phone.to_owned(), taken }
}

#[test]
fn a_verified_number_and_a_plausible_birthday_register_somebody_once() {
    let command = register(" 김하늘 ", "1988-02-29", "010-1234-5678", false);
    check(&[], command.clone(), Ok(&[registered()]));
    check(&[registered()], command, Err(Refusal::AlreadyRegistered));
}

#[test]
fn a_number_that_is_none_or_another_s_registers_nobody() {
    check(&[], register("김", "1988-01-01", "12", false), Err(Refusal::PhoneInvalid));
    check(&[], register("김", "1988-01-01", "01012345678", true), Err(Refusal::PhoneTaken));
}

#[test]
fn from_the_fourteenth_birthday_on_people_register_themselves() {
    let own = |born| given::<Citizen>(&[]).decide(register("김", born, "01012345678", false), NOW);
    assert_eq!(own("2012-03-03"), Err(Refusal::TooYoung));
    assert!(own("2012-03-02").is_ok());
    let child = |born| {
        let registration = registration("김", born);
        let command = CitizenCommand::RegisterChild { registration, parent: HELPER, helping: 0 };
        given::<Citizen>(&[]).decide(command, NOW)
    };
    assert_eq!(child("2012-03-02"), Err(Refusal::NotAChild));
    assert!(child("2012-03-03").is_ok());
}

#[test]
fn a_birthday_lies_neither_in_the_future_nor_before_anybody_alive() {
    let own = |born| given::<Citizen>(&[]).decide(register("김", born, "01012345678", false), NOW);
    assert_eq!(own("2026-03-03"), Err(Refusal::BirthDateInvalid));
    assert_eq!(own("1901-03-02"), Err(Refusal::BirthDateInvalid));
    assert!(own("1901-03-03").is_ok());
    let desk = |born, id_checked| {
        let command =
            CitizenCommand::RegisterAtDesk { registration: registration("김", born), id_checked };
        given::<Citizen>(&[]).decide(command, NOW)
    };
    assert!(desk("2026-03-02", true).is_ok(), "born today");
    assert_eq!(desk("1950-01-01", false), Err(Refusal::IdNotChecked));
}

#[test]
fn a_child_s_parent_may_act_until_ninety_days_after_the_fourteenth_birthday() {
    let registration = registration("김새봄", "2020-05-05");
    let command = CitizenCommand::RegisterChild { registration, parent: HELPER, helping: 9 };
    let events = given::<Citizen>(&[]).decide(command, NOW).unwrap();
    let until = Instant::parse("2034-08-03T00:00:00Z").unwrap();
    assert_eq!(
        events[1],
        CitizenEvent::HelpGranted {
            helper: HELPER,
            kin: Kin::Child,
            ground: Ground::Parent,
            until
        }
    );
    let state: Citizen = given(&events);
    assert!(state.help_by(HELPER, until.plus_seconds(-1)).is_some());
    assert!(state.help_by(HELPER, until).is_none());
}

#[test]
fn nobody_helps_more_than_ten() {
    let child = |helping| CitizenCommand::RegisterChild {
        registration: registration("김", "2020-05-05"),
        parent: HELPER,
        helping,
    };
    assert!(given::<Citizen>(&[]).decide(child(HELPING_MAX - 1), NOW).is_ok());
    check(&[], child(HELPING_MAX), Err(Refusal::HelpTooMany));
    let past = [registered(), offered(NOW.plus_seconds(1))];
    let accept = |helping| match accept(NOW.plus_days(1)) {
        CitizenCommand::AcceptHelp { offer, person, helper, kin, until, .. } => {
            CitizenCommand::AcceptHelp { offer, person, helper, kin, until, helping }
        }
        _ => unreachable!(),
    };
    assert!(given::<Citizen>(&past).decide(accept(HELPING_MAX - 1), NOW).is_ok());
    check(&past, accept(HELPING_MAX), Err(Refusal::HelpTooMany));
}

#[test]
fn somebody_born_on_the_29th_of_february_has_their_birthday_on_the_first_of_march() {
    assert_eq!(decide::birthday(day("2012-02-29"), 14), day("2026-03-01"));
    assert_eq!(decide::birthday(day("2012-02-29"), 16), day("2028-02-29"));
    assert_eq!(decide::birthday(day("2012-12-31"), 14), day("2026-12-31"));
}

#[test]
fn names_are_kept_exactly_or_refused() {
    let rename = |name: &str| {
        let command = CitizenCommand::CorrectName { asker: Asker::Own, name: name.to_owned() };
        given::<Citizen>(&[registered()]).decide(command, NOW)
    };
    for name in ["王小明", "=HYPERLINK(1)", "O’Brien", "Нина"] {
        assert_eq!(rename(name), Ok(vec![CitizenEvent::NameCorrected { name: name.to_owned() }]));
    }
    for name in ["", "  ", "가\u{200b}나", "a\u{202e}b", &"가".repeat(61)] {
        assert_eq!(rename(name), Err(Refusal::NameInvalid), "{name:?}");
    }
    assert!(rename(&"가".repeat(60)).is_ok());
    assert_eq!(rename("김하늘"), Ok(vec![]), "the same name is no event");
}

#[test]
fn the_same_number_again_confirms_and_another_changes() {
    let change = |phone: &str, taken| CitizenCommand::ChangePhone {
        asker: Asker::Own,
        phone: phone.to_owned(),
        taken,
    };
    check(&[registered()], change("010 1234 5678", false), Ok(&[CitizenEvent::PhoneConfirmed]));
    let phone = "+8613800138000".to_owned();
    check(
        &[registered()],
        change("+86 138 0013 8000", false),
        Ok(&[CitizenEvent::PhoneChanged { phone }]),
    );
    check(&[registered()], change("+8613800138000", true), Err(Refusal::PhoneTaken));
    check(&[registered()], change("110", false), Err(Refusal::PhoneInvalid));
    check(&[], change("01012345678", false), Err(Refusal::NotRegistered));
}

fn accept(until: Instant) -> CitizenCommand {
    CitizenCommand::AcceptHelp {
        offer: "tag".to_owned(),
        person: SELF,
        helper: HELPER,
        kin: Kin::Parent,
        until,
        helping: 0,
    }
}

#[test]
fn a_consent_code_works_for_fifteen_minutes_and_once() {
    let make = CitizenCommand::OfferHelp { asker: Asker::Own, offer: "tag".to_owned() };
    check(&[registered()], make, Ok(&[offered(NOW.plus_seconds(900))]));
    let until = NOW.plus_days(30);
    let help = granted(HELPER, Kin::Parent, until);
    let fresh = [registered(), offered(NOW.plus_seconds(1))];
    check(&fresh, accept(until), Ok(std::slice::from_ref(&help)));
    check(&[registered(), offered(NOW)], accept(until), Err(Refusal::HelpOfferUnknown));
    let used = [registered(), offered(NOW.plus_seconds(1)), help];
    check(&used, accept(until), Err(Refusal::HelpOfferUnknown));
}

#[test]
fn a_newer_consent_code_replaces_the_older_one() {
    let newer =
        CitizenEvent::HelpOffered { offer: "newer".to_owned(), until: NOW.plus_seconds(900) };
    let past = [registered(), offered(NOW.plus_seconds(900)), newer];
    check(&past, accept(NOW.plus_days(1)), Err(Refusal::HelpOfferUnknown));
}

#[test]
fn a_help_lasts_longer_than_now_and_a_year_at_most() {
    let past = [registered(), offered(NOW.plus_seconds(1))];
    let decided = |until| given::<Citizen>(&past).decide(accept(until), NOW);
    assert_eq!(decided(NOW), Err(Refusal::HelpTermInvalid));
    assert!(decided(NOW.plus_seconds(1)).is_ok());
    assert!(decided(NOW.plus_days(366)).is_ok());
    assert_eq!(decided(NOW.plus_days(366).plus_seconds(1)), Err(Refusal::HelpTermInvalid));
}

#[test]
fn nobody_helps_themselves() {
    let past = [registered(), offered(NOW.plus_seconds(1))];
    let command = CitizenCommand::AcceptHelp {
        offer: "tag".to_owned(),
        person: SELF,
        helper: SELF,
        kin: Kin::Other,
        until: NOW.plus_days(1),
        helping: 0,
    };
    check(&past, command, Err(Refusal::HelpOneself));
}

#[test]
fn the_desk_records_consent_only_with_the_identity_document_looked_at() {
    let command = |id_checked| CitizenCommand::GrantHelpAtDesk {
        person: SELF,
        helper: HELPER,
        kin: Kin::Parent,
        until: NOW.plus_days(1),
        id_checked,
        helping: 0,
    };
    check(&[registered()], command(false), Err(Refusal::IdNotChecked));
    assert!(given::<Citizen>(&[registered()]).decide(command(true), NOW).is_ok());
    check(&[], command(true), Err(Refusal::NotRegistered));
}

#[test]
fn both_sides_end_a_help_and_nobody_else_does() {
    let past = [registered(), granted(HELPER, Kin::Parent, NOW)];
    let end = |asker| {
        given::<Citizen>(&past).decide(CitizenCommand::EndHelp { helper: HELPER, asker }, NOW)
    };
    let ended = Ok(vec![CitizenEvent::HelpEnded { helper: HELPER }]);
    assert_eq!(end(Asker::Own), ended);
    assert_eq!(end(Asker::Helper(HELPER)), ended);
    assert_eq!(end(Asker::System), ended);
    assert_eq!(end(Asker::Desk { id_checked: true }), ended);
    assert_eq!(end(Asker::Desk { id_checked: false }), Err(Refusal::IdNotChecked));
    assert_eq!(end(Asker::Helper(OTHER)), Err(Refusal::NotYours));
    let command = CitizenCommand::EndHelp { helper: OTHER, asker: Asker::Own };
    check(&past, command, Err(Refusal::HelpNone));
}

/// Everything that would let a helper own an adult's record.
fn takeovers(asker: Asker) -> Vec<CitizenCommand> {
    vec![
        CitizenCommand::ChangePhone { asker, phone: "01087654321".to_owned(), taken: false },
        CitizenCommand::CorrectName { asker, name: "다른 이름".to_owned() },
        CitizenCommand::OfferHelp { asker, offer: "tag".to_owned() },
        CitizenCommand::Forget { asker, sole_helper_of: 0 },
    ]
}

#[test]
fn a_helper_owns_no_adult_s_record_and_a_parent_decides_for_a_child() {
    let soon = NOW.plus_seconds(1);
    for command in takeovers(Asker::Helper(HELPER)) {
        for kin in [Kin::Parent, Kin::Other] {
            let past = [registered(), granted(HELPER, kin, soon)];
            check(&past, command.clone(), Err(Refusal::NotYours));
        }
        check(&[registered()], command.clone(), Err(Refusal::NotYours));
        let over = [registered(), granted(HELPER, Kin::Child, NOW)];
        check(&over, command.clone(), Err(Refusal::NotYours));
        let child: Citizen = given(&[registered(), granted(HELPER, Kin::Child, soon)]);
        assert!(child.decide(command, NOW).is_ok());
    }
    for command in takeovers(Asker::Desk { id_checked: true }) {
        check(&[registered()], command, Err(Refusal::NotYours));
    }
}

#[test]
fn nobody_without_a_phone_is_left_alone_by_a_deletion() {
    let forget = |sole_helper_of| CitizenCommand::Forget { asker: Asker::Own, sole_helper_of };
    check(&[registered()], forget(1), Err(Refusal::DependantsRemain));
    check(&[registered()], forget(0), Ok(&[CitizenEvent::Forgotten]));
    check(&[registered(), CitizenEvent::Forgotten], forget(0), Err(Refusal::NotRegistered));
}

#[test]
fn the_operator_s_command_forgets_anybody_but_who_is_needed() {
    let forget = |sole_helper_of| CitizenCommand::Forget { asker: Asker::System, sole_helper_of };
    check(&[registered()], forget(0), Ok(&[CitizenEvent::Forgotten]));
    check(&[registered()], forget(1), Err(Refusal::DependantsRemain));
}

const BOSS: Administrator = Administrator { staff: Id::from_u128(10), of_region: true };
const CLERK: Administrator = Administrator { staff: Id::from_u128(11), of_region: false };
const MEMBER: Id<Staff> = Id::from_u128(12);

fn appointed() -> StaffEvent {
    let by = Some(BOSS.staff);
    let phone = Some("+821011112222".to_owned());
    StaffEvent::Appointed { name: "이보람".to_owned(), phone, email: None, by }
}

fn role(role: Role, until: Instant) -> Grant {
    Grant { role, scope: Scope::Region, until }
}

#[track_caller]
fn check_staff(
    past: &[StaffEvent],
    command: StaffCommand,
    expected: Result<&[StaffEvent], Refusal>,
) {
    let state: StaffMember = given(past);
    let actual = state.decide(command, NOW);
    assert_eq!(actual.as_deref(), expected.as_ref().map(|it| *it));
}

#[test]
fn only_a_regional_administrator_appoints_and_a_contact_is_needed() {
    let appoint = |by, phone: &str, email: &str| StaffCommand::Appoint {
        name: "이보람".to_owned(),
        phone: Some(phone.to_owned()),
        email: Some(email.to_owned()),
        by: Some(by),
    };
    check_staff(&[], appoint(BOSS, "010-1111-2222", ""), Ok(&[appointed()]));
    check_staff(&[], appoint(CLERK, "010-1111-2222", ""), Err(Refusal::NotAdministrator));
    check_staff(&[], appoint(BOSS, "", " "), Err(Refusal::StaffContactMissing));
    check_staff(&[], appoint(BOSS, "11", ""), Err(Refusal::PhoneInvalid));
    check_staff(&[appointed()], appoint(BOSS, "010-1111-2222", ""), Err(Refusal::StaffExists));
    for wrong in ["a", "@b.c", "a@b", "a@b@c.d", "a b@c.d"] {
        check_staff(&[], appoint(BOSS, "", wrong), Err(Refusal::StaffContactMissing));
    }
    assert!(given::<StaffMember>(&[]).decide(appoint(BOSS, "", "a@b.example"), NOW).is_ok());
}

#[test]
fn a_role_is_granted_by_another_administrator_for_a_year_at_most() {
    let grant = |by, until, scope_open| StaffCommand::GrantRole {
        staff: MEMBER,
        grant: role(Role::Guard, until),
        by: Some(by),
        scope_open,
    };
    let decided = |by, until, open| {
        given::<StaffMember>(&[appointed()]).decide(grant(by, until, open), NOW).err()
    };
    let own = Administrator { staff: MEMBER, of_region: true };
    assert_eq!(decided(BOSS, NOW.plus_seconds(1), true), None);
    assert_eq!(decided(BOSS, NOW.plus_days(366), true), None);
    assert_eq!(decided(BOSS, NOW, true), Some(Refusal::GrantTermInvalid));
    let too_late = NOW.plus_days(366).plus_seconds(1);
    assert_eq!(decided(BOSS, too_late, true), Some(Refusal::GrantTermInvalid));
    assert_eq!(decided(own, NOW.plus_days(1), true), Some(Refusal::GrantToOneself));
    assert_eq!(decided(CLERK, NOW.plus_days(1), true), Some(Refusal::NotAdministrator));
    assert_eq!(decided(BOSS, NOW.plus_days(1), false), Some(Refusal::OrganisationClosed));
    check_staff(&[], grant(BOSS, NOW.plus_days(1), true), Err(Refusal::StaffUnknown));
    let suspended = [appointed(), StaffEvent::Suspended { by: BOSS.staff }];
    check_staff(&suspended, grant(BOSS, NOW.plus_days(1), true), Err(Refusal::StaffSuspended));
}

#[test]
fn a_grant_of_the_same_role_and_scope_replaces_the_older_one() {
    let by = Some(BOSS.staff);
    let older = role(Role::Guard, NOW.plus_days(1));
    let newer = role(Role::Guard, NOW.plus_days(9));
    let past = [
        appointed(),
        StaffEvent::RoleGranted { grant: older, by },
        StaffEvent::RoleGranted { grant: newer, by },
    ];
    assert_eq!(given::<StaffMember>(&past).grants, [newer]);
}

#[test]
fn the_last_administrator_stays() {
    let grant = role(Role::Administrator, NOW.plus_days(1));
    let past = [appointed(), StaffEvent::RoleGranted { grant, by: None }];
    let end = |another_administrator| StaffCommand::EndRole {
        role: Role::Administrator,
        scope: Scope::Region,
        by: BOSS,
        another_administrator,
    };
    check_staff(&past, end(false), Err(Refusal::LastAdministrator));
    assert!(given::<StaffMember>(&past).decide(end(true), NOW).is_ok());
    let none = StaffCommand::EndRole {
        role: Role::Auditor,
        scope: Scope::Region,
        by: BOSS,
        another_administrator: true,
    };
    check_staff(&past, none, Err(Refusal::GrantNone));
}

#[test]
fn suspending_is_for_others_and_can_be_taken_back() {
    let suspend = |by| StaffCommand::Suspend { staff: MEMBER, by };
    let resume = |by| StaffCommand::Resume { staff: MEMBER, by };
    let own = Administrator { staff: MEMBER, of_region: true };
    let suspended = StaffEvent::Suspended { by: BOSS.staff };
    check_staff(&[appointed()], suspend(BOSS), Ok(std::slice::from_ref(&suspended)));
    check_staff(&[appointed()], suspend(own), Err(Refusal::GrantToOneself));
    check_staff(&[appointed()], suspend(CLERK), Err(Refusal::NotAdministrator));
    let past = [appointed(), suspended];
    check_staff(&past, suspend(BOSS), Err(Refusal::StaffSuspended));
    check_staff(&past, resume(own), Err(Refusal::GrantToOneself));
    check_staff(&past, resume(BOSS), Ok(&[StaffEvent::Resumed { by: BOSS.staff }]));
    check_staff(&[appointed()], resume(BOSS), Ok(&[]));
    check_staff(&[], resume(BOSS), Err(Refusal::StaffUnknown));
}

#[test]
fn organisations_open_once_are_renamed_and_close_for_good() {
    let name = || "해태시립도서관".to_owned();
    let open = |by| OrganisationCommand::Open { name: name(), kind: OrganisationKind::Clinic, by };
    let rename = |name: &str| OrganisationCommand::Rename { name: name.to_owned(), by: BOSS };
    let opened = OrganisationEvent::Opened { name: name(), kind: OrganisationKind::Clinic };
    let decided = |past: &[OrganisationEvent], command| {
        given::<OrganisationRecord>(past).decide(command, NOW)
    };
    assert_eq!(decided(&[], open(BOSS)), Ok(vec![opened.clone()]));
    assert_eq!(decided(&[], open(CLERK)), Err(Refusal::NotAdministrator));
    let past = [opened.clone()];
    assert_eq!(decided(&past, open(BOSS)), Err(Refusal::OrganisationExists));
    assert_eq!(decided(&past, rename("")), Err(Refusal::NameInvalid));
    assert_eq!(decided(&past, rename("해태시립도서관")), Ok(vec![]));
    assert!(decided(&past, rename("새 이름")).is_ok());
    let closed = [opened, OrganisationEvent::Closed];
    assert_eq!(decided(&closed, rename("새 이름")), Err(Refusal::OrganisationUnknown));
    let close = OrganisationCommand::Close { by: BOSS };
    assert_eq!(decided(&closed, close.clone()), Err(Refusal::OrganisationUnknown));
    assert_eq!(decided(&[], close), Err(Refusal::OrganisationUnknown));
}

#[test]
fn refusals_have_unique_prefixed_codes_in_order() {
    assert!(REFUSALS.iter().all(|(code, _)| code.starts_with("person-")));
    let codes: std::collections::BTreeSet<_> = REFUSALS.iter().map(|it| it.0).collect();
    assert_eq!(codes.len(), REFUSALS.len());
    assert_eq!(Refusal::TooYoung.args().len(), 1);
}

#[test]
fn recorded_examples_cover_every_event_and_keep_their_bytes() {
    let slice = crate::slice();
    let mut kinds = std::collections::BTreeSet::new();
    for (stream, json) in slice.examples {
        let kind = slice.streams.iter().find(|it| it.name == *stream).unwrap();
        let again = (kind.refold)(json.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(again).unwrap(), *json);
        let tag = serde_json::from_str::<serde_json::Value>(json).unwrap()["type"].to_string();
        assert!(kinds.insert(format!("{stream} {tag}")));
    }
    assert_eq!(kinds.len(), 10 + 6 + 3);
}

proptest! {
    #[test]
    fn any_scope_is_read_back_from_its_text(number in any::<u128>(), which in 0..3) {
        let scope = match which {
            0 => Scope::Region,
            1 => Scope::Organisation(Id::<Organisation>::from_u128(number)),
            _ => Scope::Place(Id::from_u128(number)),
        };
        let text = crate::view::scope_text(scope);
        prop_assert_eq!(crate::view::scope_from_text(&text), Some(scope));
    }

    #[test]
    fn birthdays_never_go_backwards(days in -40_000_i32..40_000, age in 0_i16..120) {
        let born = Date::from_days(days);
        prop_assert!(decide::birthday(born, age) < decide::birthday(born, age + 1));
        prop_assert!(decide::birthday(born, age) <= decide::birthday(born.plus_days(1), age));
    }
}
