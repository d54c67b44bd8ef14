//! Staff who leave and organisations that close: their roles and ways in end, and nothing personal
//! of them stays readable.

use axum::http::StatusCode;
use contracts::person::{Grant, Organisation, Role, Scope, Staff};
use kernel::{Aggregate as _, Id, given};
use web::Who;

use super::routes::{City, GATE};
use super::store::{CONTEXT, Lab};
use super::{BOSS, CLERK, NOW, appointed};
use crate::command::StaffCommand;
use crate::door;
use crate::event::{OrganisationKind, StaffEvent};
use crate::model::StaffMember;
use crate::refusal::Refusal;
use crate::view;

const OFFICE: Id<Organisation> = Id::from_u128(60);

#[test]
fn an_administrator_deletes_staff_and_the_last_administrator_stays() {
    let forget = |past: &[StaffEvent], by, last_administrator| {
        given::<StaffMember>(past).decide(StaffCommand::Forget { by, last_administrator }, NOW)
    };
    let gone = |by| Ok(vec![StaffEvent::Forgotten { by }]);
    let past = [appointed()];
    assert_eq!(forget(&past, Some(BOSS), false), gone(Some(BOSS.staff)));
    assert_eq!(forget(&past, None, false), gone(None), "the operator's command");
    assert_eq!(forget(&past, Some(CLERK), false), Err(Refusal::NotAdministrator));
    assert_eq!(forget(&past, Some(BOSS), true), Err(Refusal::LastAdministrator));
    assert_eq!(forget(&[], Some(BOSS), false), Err(Refusal::StaffUnknown));
    let suspended = [appointed(), StaffEvent::Suspended { by: BOSS.staff }];
    assert!(forget(&suspended, Some(BOSS), false).is_ok());
    let left = [appointed(), StaffEvent::Forgotten { by: None }];
    assert_eq!(forget(&left, Some(BOSS), false), Err(Refusal::StaffUnknown));
}

impl Lab {
    fn boss(&self) -> Id<Staff> {
        self.write(|tx| door::setup(tx, "이보람", "01011112222")).unwrap()
    }

    fn staff(&self, number: u128, role: Role, scope: Scope, boss: Id<Staff>) -> Id<Staff> {
        let staff = Id::from_u128(number);
        let until = self.now().plus_days(9);
        self.write(move |tx| {
            let phone = Some("01033334444".to_owned());
            let _ = door::appoint(tx, &CONTEXT, staff, "박누리", phone, None, boss)?;
            door::grant_role(tx, &CONTEXT, staff, Grant { role, scope, until }, boss)
        })
        .unwrap();
        staff
    }

    fn forget_staff(&self, staff: Id<Staff>, by: Id<Staff>) -> Result<(), Refusal> {
        self.write(move |tx| door::forget_staff(tx, &CONTEXT, staff, Some(by))).map(|_| ())
    }

    fn open_office(&self, boss: Id<Staff>) {
        self.write(move |tx| {
            let kind = OrganisationKind::Clinic;
            door::open_organisation(tx, &CONTEXT, OFFICE, "해태의원", kind, boss)
        })
        .unwrap();
    }

    /// No payload of this thing can be opened by anybody.
    #[track_caller]
    fn is_erased(&self, stream: &str, id: u128) {
        let events = self.read(|reader| reader.events(stream, id));
        assert!(!events.is_empty() && events.iter().all(|it| it.json.is_none()));
    }
}

#[test]
fn a_member_of_staff_who_left_has_no_name_no_role_and_no_way_in() {
    let lab = Lab::new();
    let boss = lab.boss();
    let staff = lab.staff(50, Role::Guard, Scope::Region, boss);
    assert_eq!(lab.forget_staff(staff, boss), Ok(()));
    assert_eq!(lab.read(|reader| view::staff(reader, staff)), None);
    assert_eq!(lab.read(|reader| crate::staff_label(reader, staff)), None);
    assert_eq!(lab.grants(staff), []);
    lab.is_erased("person.staff", staff.to_u128());
    assert_eq!(lab.forget_staff(staff, boss), Err(Refusal::StaffUnknown), "it is final");
    let link = lab.write(move |tx| door::sign_in_link(tx, staff, boss));
    assert_eq!(link, Err(Refusal::StaffUnknown));
    lab.audit();
}

#[test]
fn an_administrator_leaves_only_when_another_stays() {
    let lab = Lab::new();
    let boss = lab.boss();
    assert_eq!(lab.forget_staff(boss, boss), Err(Refusal::LastAdministrator));
    let second = lab.staff(50, Role::Administrator, Scope::Region, boss);
    assert_eq!(lab.forget_staff(boss, boss), Ok(()));
    assert_eq!(lab.forget_staff(second, second), Err(Refusal::LastAdministrator));
    let operator = lab.write(move |tx| door::forget_staff(tx, &CONTEXT, second, None));
    assert_eq!(operator.err(), Some(Refusal::LastAdministrator));
    lab.audit();
}

#[test]
fn a_closed_organisation_leaves_no_name_and_no_role_in_it_or_in_its_places() {
    let lab = Lab::new();
    let boss = lab.boss();
    lab.open_office(boss);
    let owner = lab.staff(50, Role::Owner, Scope::Organisation(OFFICE), boss);
    let guard = lab.staff(51, Role::Guard, Scope::Place(GATE), boss);
    let officer = lab.staff(52, Role::HealthOfficer, Scope::Region, boss);
    let until = lab.now().plus_days(9);
    let also = Grant { role: Role::Owner, scope: Scope::Organisation(OFFICE), until };
    lab.write(move |tx| door::grant_role(tx, &CONTEXT, officer, also, boss)).unwrap();
    lab.write(move |tx| door::close_organisation(tx, &CONTEXT, OFFICE, &[GATE], boss)).unwrap();
    assert_eq!((lab.grants(owner), lab.grants(guard)), (vec![], vec![]));
    assert_eq!(lab.grants(officer), [Role::HealthOfficer], "other roles stay");
    assert_eq!(lab.read(crate::organisations), []);
    lab.is_erased("person.organisation", OFFICE.to_u128());
    let again = |by| lab.write(move |tx| door::close_organisation(tx, &CONTEXT, OFFICE, &[], by));
    assert_eq!(again(boss).err(), Some(Refusal::OrganisationUnknown));
    let grant = lab.write(move |tx| door::grant_role(tx, &CONTEXT, owner, also, boss));
    assert_eq!(grant.err(), Some(Refusal::OrganisationClosed));
    lab.audit();
}

#[tokio::test]
async fn deleting_staff_needs_the_word_and_ends_their_session_at_once() {
    let city = City::new();
    let boss = city.boss();
    let auditor = city.member(boss, Role::Auditor, Scope::Region);
    let mut left = city.signed_in(Who::Staff(auditor)).await;
    assert_eq!(left.get("/desk/access").await.status, StatusCode::OK);
    let mut desk = city.signed_in(Who::Staff(boss)).await;
    let page = format!("/desk/staff/{auditor}");
    desk.get(&page).await;
    let wrong = desk.post(&format!("{page}/forget"), "confirm=x").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let gone = desk.post(&format!("{page}/forget"), "confirm=%EC%82%AD%EC%A0%9C").await;
    assert_eq!(gone.location, "/desk/staff", "{}", gone.body);
    assert!(left.get("/desk/access").await.location.starts_with("/sign-in"));
    assert_eq!(desk.get(&page).await.status, StatusCode::NOT_FOUND);
    assert!(!desk.get("/desk/staff").await.body.contains("박누리"));
    let own = format!("/desk/staff/{boss}");
    desk.get(&own).await;
    let last = desk.post(&format!("{own}/forget"), "confirm=%EC%82%AD%EC%A0%9C").await;
    assert_eq!(last.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(last.body.contains("마지막 관리자"), "{}", last.body);
}

#[tokio::test]
async fn closing_an_organisation_signs_out_whoever_has_no_role_left() {
    let city = City::new();
    let boss = city.boss();
    city.lab.open_office(boss);
    let owner = city.member(boss, Role::Owner, Scope::Organisation(OFFICE));
    let guard = city.member(boss, Role::Guard, Scope::Place(GATE));
    let mut owner = city.signed_in(Who::Staff(owner)).await;
    let mut guard = city.signed_in(Who::Staff(guard)).await;
    let mut desk = city.signed_in(Who::Staff(boss)).await;
    let list = desk.get("/desk/organisations").await;
    assert!(list.body.contains("해태의원"));
    let closed = desk.post(&format!("/desk/organisations/{OFFICE}/close"), "").await;
    assert_eq!(closed.status, StatusCode::SEE_OTHER, "{}", closed.body);
    for browser in [&mut owner, &mut guard] {
        assert!(browser.get("/desk").await.location.starts_with("/sign-in"));
    }
    assert!(!desk.get("/desk/organisations").await.body.contains("해태의원"));
}

#[tokio::test]
async fn places_are_offered_by_name_and_shown_by_name() {
    let city = City::new();
    let boss = city.boss();
    city.lab.open_office(boss);
    let guard = city.member(boss, Role::Guard, Scope::Place(GATE));
    let mut desk = city.signed_in(Who::Staff(boss)).await;
    let page = desk.get(&format!("/desk/staff/{guard}")).await;
    let (shown, offered) = page.body.split_once("<select id=\"f-place\"").unwrap();
    assert!(shown.contains("<p>북문 · 해태의원</p>"), "{shown}");
    assert!(offered.contains(&format!("value=\"{GATE}\">북문 · 해태의원</option>")), "{offered}");
}
