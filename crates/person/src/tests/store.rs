//! With a real store in a folder of its own: views, consent, deletion, roles, setup.

use std::sync::Arc;

use contracts::person::{Grant, Person, Role, Scope, Staff};
use kernel::{Id, Instant, Locale, ManualClock, Seed};
use store::{By, Context, Fault, Keyring, Options, Reader, Registry, Store, Tx};
use web::phone::normal;
use web::testing::Databases;

use crate::command::{Asker, CitizenCommand, Registration};
use crate::door;
use crate::event::{Kin, OrganisationKind};
use crate::model::{Citizen, OrganisationRecord};
use crate::refusal::Refusal;
use crate::view;

pub(super) struct Lab {
    pub(super) store: Store,
    pub(super) clock: ManualClock,
    pub(super) databases: Databases,
    pub(super) dir: tempfile::TempDir,
}

fn registry() -> Registry {
    let mut registry = Registry::default();
    for slice in [crate::slice(), web::slice()] {
        registry.streams.extend_from_slice(slice.streams);
        registry.views.extend_from_slice(slice.views);
        registry.migrations.extend(slice.migrations.iter().map(|it| (slice.name, *it)));
        registry.reactions.extend_from_slice(slice.reactions);
    }
    registry
}

pub(super) const CONTEXT: Context = Context::by(By::System("test"));

impl Lab {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let databases = Databases::of(dir.path());
        let clock = ManualClock::at(Instant::parse("2026-03-02T00:00:00Z").unwrap());
        let keyring = Keyring::open(&dir.path().join("keys"), Seed::fixed(1)).unwrap();
        let options = Options {
            backend: databases.backend.clone(),
            region: "kr-test".parse().unwrap(),
            origin: "haetae.example/log".to_owned(),
            clock: Arc::new(clock.clone()),
            seed: Seed::fixed(2),
            keyring: Arc::new(keyring),
            registry: registry(),
        };
        Self { store: Store::open(options).unwrap().store, clock, databases, dir }
    }

    pub(super) fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut Tx<'_>) -> Result<T, Fault> + Send + 'static,
    ) -> T {
        // On a thread of its own: route tests call this from inside of the async world.
        std::thread::scope(|it| it.spawn(|| self.store.write_blocking(work)).join())
            .unwrap()
            .unwrap()
    }

    pub(super) fn read<T>(&self, work: impl FnOnce(&mut Reader<'_>) -> Result<T, Fault>) -> T {
        self.store.read_blocking(work).unwrap()
    }

    pub(super) fn now(&self) -> Instant {
        self.store.clock().now()
    }

    pub(super) fn citizen(&self, number: u128, phone: &'static str) -> Id<Person> {
        let person = Id::from_u128(number);
        let it = registration("김하늘", "1988-02-29");
        self.write(move |tx| door::register(tx, &CONTEXT, person, &it, phone)).unwrap();
        person
    }

    pub(super) fn offer(&self, person: Id<Person>, code: &str) {
        let offer = self.read(|reader| Ok(door::offer_tag(reader, code)));
        let command = CitizenCommand::OfferHelp { asker: Asker::Own, offer };
        self.store.execute_blocking::<Citizen>(CONTEXT, person.to_u128(), command).unwrap();
    }

    pub(super) fn accept(
        &self,
        helper: Id<Person>,
        code: &'static str,
    ) -> Result<Id<Person>, Refusal> {
        let until = self.now().plus_days(30);
        self.write(move |tx| {
            let told = |_: Locale| "told".to_owned();
            door::accept_help(tx, &CONTEXT, helper, code, Kin::Parent, until, told)
        })
    }

    pub(super) fn may_help(&self, helper: Id<Person>, helped: Id<Person>) -> bool {
        let now = self.now();
        self.read(|reader| crate::may_help(reader, helper, helped, now))
    }

    pub(super) fn grants(&self, staff: Id<Staff>) -> Vec<Role> {
        let now = self.now();
        let grants = self.read(|reader| crate::grants_of(reader, staff, now));
        grants.into_iter().map(|it| it.role).collect()
    }

    /// The keys of this city.
    pub(super) fn keyring(&self) -> Keyring {
        Keyring::open(&self.dir.path().join("keys"), Seed::fixed(1)).unwrap()
    }

    /// Rebuilding gives the tables that living gave, and the log verifies.
    pub(super) fn audit(self) {
        self.store.close();
        let keyring = self.keyring();
        let region = "kr-test".parse().unwrap();
        let origin = "haetae.example/log";
        let report = store::audit(
            &self.databases.backend,
            &region,
            origin,
            &keyring,
            &registry(),
            |_, _| {},
        );
        assert_eq!(report.unwrap().wrong, []);
    }
}

fn registration(name: &str, born: &str) -> Registration {
    Registration {
        name: name.to_owned(),
        birth_date: born.parse().unwrap(),
        locale: Locale::Ko,
        today: "2026-03-02".parse().unwrap(),
    }
}

#[test]
fn every_sql_text_prepares() {
    store::audit::check_queries(&registry(), view::QUERIES).unwrap();
}

#[test]
fn a_citizen_is_found_by_any_form_of_the_number_and_lies_sealed() {
    let lab = Lab::new();
    let person = lab.citizen(7, "010-1234-5678");
    for form in ["01012345678", "+82 10-1234-5678", "0082 10 1234 5678"] {
        let found = lab.read(|reader| crate::person_by_phone(reader, form));
        assert_eq!(found, Some(person), "{form}");
    }
    assert_eq!(lab.read(|reader| crate::person_by_phone(reader, "no number")), None);
    let label = lab.read(|reader| crate::person_label(reader, person));
    assert_eq!(label.as_deref(), Some("김하늘"));
    for secret in ["김하늘", "1234-5678", "+821012345678", "1988-02-29"] {
        assert!(!lab.databases.hold(secret), "{secret} lies open");
    }
    lab.audit();
}

#[test]
fn a_number_belongs_to_one_record_and_moves_with_it() {
    let lab = Lab::new();
    let person = lab.citizen(7, "01012345678");
    let it = registration("박", "1990-01-01");
    let again =
        lab.write(move |tx| door::register(tx, &CONTEXT, Id::from_u128(8), &it, "+821012345678"));
    assert_eq!(again.err(), Some(Refusal::PhoneTaken));
    let change = |phone: &'static str| {
        lab.write(move |tx| {
            let told = |_: Locale| "changed".to_owned();
            door::change_phone(tx, &CONTEXT, person, Asker::Own, phone, told)
        })
    };
    change("01087654321").unwrap();
    let holder = |phone: &str| lab.read(|it| view::holder_of(it, &normal(phone).unwrap()));
    assert_eq!((holder("01012345678"), holder("01087654321")), (None, Some(person)));
    let told = lab.read(|reader| reader.latest_messages("sms", 9));
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].body["to"], "+821012345678", "the old number is told");
    change("01087654321").unwrap();
    assert_eq!(lab.read(|reader| reader.latest_messages("sms", 9)).len(), 1, "confirming is quiet");
    lab.audit();
}

#[test]
fn help_begins_with_a_consent_code_and_ends_by_itself_at_its_end() {
    let lab = Lab::new();
    let (helped, helper) = (lab.citizen(1, "01011111111"), lab.citizen(2, "01022222222"));
    lab.offer(helped, "7KQ2-M9XA");
    assert!(!lab.may_help(helper, helped));
    assert_eq!(lab.accept(helper, "0000-0000"), Err(Refusal::HelpOfferUnknown));
    assert_eq!(lab.accept(helped, "7KQ2-M9XA"), Err(Refusal::HelpOneself));
    assert_eq!(lab.accept(helper, "7kq2 m9xa"), Ok(helped), "however it is typed");
    assert_eq!(lab.accept(helper, "7KQ2-M9XA"), Err(Refusal::HelpOfferUnknown), "once");
    assert!(lab.may_help(helper, helped));
    assert!(!lab.may_help(helped, helper), "one way only");
    let told = lab.read(|reader| reader.latest_messages("sms", 9));
    assert_eq!(told[0].body["to"], "+821011111111", "the helped person is told");
    lab.clock.advance_seconds(30 * 86_400 - 1);
    assert!(lab.may_help(helper, helped));
    lab.clock.advance_seconds(1);
    assert!(!lab.may_help(helper, helped));
    lab.audit();
}

#[test]
fn a_consent_code_is_too_old_after_fifteen_minutes() {
    let lab = Lab::new();
    let (helped, helper) = (lab.citizen(1, "01011111111"), lab.citizen(2, "01022222222"));
    lab.offer(helped, "7KQ2-M9XA");
    lab.clock.advance_seconds(15 * 60);
    assert_eq!(lab.accept(helper, "7KQ2-M9XA"), Err(Refusal::HelpOfferUnknown));
}

#[test]
fn accepting_sent_twice_with_one_command_id_has_one_effect_and_one_answer() {
    let lab = Lab::new();
    let (helped, helper) = (lab.citizen(1, "01011111111"), lab.citizen(2, "01022222222"));
    lab.offer(helped, "7KQ2-M9XA");
    let until = lab.now().plus_days(1);
    let context = Context { command: Some(99), ..CONTEXT };
    let send = || {
        lab.write(move |tx| {
            let told = |_: Locale| "told".to_owned();
            door::accept_help(tx, &context, helper, "7KQ2-M9XA", Kin::Child, until, told)
        })
    };
    assert_eq!((send(), send()), (Ok(helped), Ok(helped)));
    assert_eq!(lab.read(|reader| view::helpers_of(reader, helped)).len(), 1);
    assert_eq!(lab.read(|reader| reader.latest_messages("sms", 9)).len(), 1);
}

#[test]
fn a_forgotten_person_leaves_every_view_and_helps_nobody() {
    let lab = Lab::new();
    let (helped, helper) = (lab.citizen(1, "01011111111"), lab.citizen(2, "01022222222"));
    lab.offer(helped, "7KQ2-M9XA");
    lab.accept(helper, "7KQ2-M9XA").unwrap();
    lab.write(move |tx| door::forget(tx, &CONTEXT, helper, Asker::Own)).unwrap();
    assert_eq!(lab.read(|reader| view::citizen(reader, helper)), None);
    assert_eq!(lab.read(|reader| crate::person_by_phone(reader, "01022222222")), None);
    assert_eq!(lab.read(|reader| view::helpers_of(reader, helped)), []);
    let events = lab.read(|reader| reader.events("person.citizen", helper.to_u128()));
    assert!(events.iter().all(|it| it.json.is_none()), "nobody can open them");
    let again = lab.write(move |tx| door::forget(tx, &CONTEXT, helper, Asker::Own));
    assert_eq!(again.err(), Some(Refusal::NotRegistered));
    let anew = lab.citizen(3, "01022222222");
    assert!(lab.read(|reader| view::citizen(reader, anew)).is_some(), "the number is free again");
    lab.audit();
}

#[test]
fn a_parent_hands_a_child_over_or_deletes_the_child_before_leaving() {
    let lab = Lab::new();
    let (parent, child) = (lab.citizen(1, "01011111111"), Id::from_u128(5));
    let it = registration("김새봄", "2020-05-05");
    lab.write(move |tx| door::register_child(tx, &CONTEXT, child, &it, parent)).unwrap();
    assert!(lab.may_help(parent, child));
    let forget =
        |person, asker| lab.write(move |tx| door::forget(tx, &CONTEXT, person, asker)).map(|_| ());
    assert_eq!(forget(parent, Asker::Own), Err(Refusal::DependantsRemain));
    assert_eq!(forget(child, Asker::Helper(parent)), Ok(()));
    assert_eq!(forget(parent, Asker::Own), Ok(()));
    lab.audit();
}

#[test]
fn somebody_unregistered_is_nobody_s_parent_or_helper() {
    let lab = Lab::new();
    let (helped, nobody) = (lab.citizen(1, "01011111111"), Id::from_u128(9));
    let it = registration("김새봄", "2020-05-05");
    let child =
        lab.write(move |tx| door::register_child(tx, &CONTEXT, Id::from_u128(5), &it, nobody));
    assert_eq!(child.err(), Some(Refusal::NotRegistered));
    let until = lab.now().plus_days(1);
    let granted = lab.write(move |tx| {
        let told = |_: Locale| String::new();
        door::grant_help_at_desk(tx, &CONTEXT, helped, nobody, Kin::Other, until, true, told)
    });
    assert_eq!(granted.err(), Some(Refusal::NotRegistered));
}

#[test]
fn setup_makes_the_first_administrator_and_only_the_first() {
    let lab = Lab::new();
    let setup = || lab.write(|tx| door::setup(tx, "이보람", "01011112222"));
    let boss = setup().unwrap();
    assert_eq!(lab.grants(boss), [Role::Administrator]);
    assert_eq!(setup(), Err(Refusal::AlreadySetUp));
    let label = lab.read(|reader| crate::staff_label(reader, boss));
    assert_eq!(label.as_deref(), Some("이보람"));
    lab.clock.advance_seconds(366 * 86_400 - 1);
    assert_eq!(setup(), Err(Refusal::AlreadySetUp));
    lab.clock.advance_seconds(1);
    assert_eq!(lab.grants(boss), []);
    assert!(setup().is_ok(), "a city whose last administrator's role ran out gets going again");
    lab.audit();
}

#[test]
fn roles_hold_until_their_end_and_not_while_suspended() {
    let lab = Lab::new();
    let boss = lab.write(|tx| door::setup(tx, "이보람", "01011112222")).unwrap();
    let (staff, office) = (Id::from_u128(50), Id::from_u128(60));
    let until = lab.now().plus_days(1);
    lab.write(move |tx| {
        let kind = OrganisationKind::Clinic;
        door::open_organisation(tx, &CONTEXT, office, "해태의원", kind, boss)
    })
    .unwrap();
    let phone = || Some("01033334444".to_owned());
    lab.write(move |tx| door::appoint(tx, &CONTEXT, staff, "박누리", phone(), None, boss)).unwrap();
    let grant = |scope, by| {
        let grant = Grant { role: Role::Guard, scope, until };
        lab.write(move |tx| door::grant_role(tx, &CONTEXT, staff, grant, by)).map(|_| ())
    };
    assert_eq!(grant(Scope::Organisation(office), boss), Ok(()));
    assert_eq!(grant(Scope::Region, staff), Err(Refusal::NotAdministrator));
    let nowhere = Scope::Organisation(Id::from_u128(61));
    assert_eq!(grant(nowhere, boss), Err(Refusal::OrganisationClosed));
    assert_eq!(lab.grants(staff), [Role::Guard]);
    lab.write(move |tx| door::suspend(tx, &CONTEXT, staff, boss)).unwrap();
    assert_eq!(lab.grants(staff), []);
    let link = lab.write(move |tx| door::sign_in_link(tx, staff, boss));
    assert_eq!(link, Err(Refusal::StaffSuspended));
    lab.write(move |tx| door::resume(tx, &CONTEXT, staff, boss)).unwrap();
    assert_eq!(lab.grants(staff), [Role::Guard]);
    assert!(lab.write(move |tx| door::sign_in_link(tx, staff, boss)).is_ok());
    let end = lab.write(move |tx| {
        let scope = Scope::Organisation(office);
        door::end_role(tx, &CONTEXT, staff, Role::Guard, scope, boss)
    });
    assert!(end.is_ok());
    assert_eq!(lab.grants(staff), []);
    assert_eq!(grant(Scope::Region, boss), Ok(()));
    lab.clock.advance_seconds(86_400);
    assert_eq!(lab.grants(staff), []);
    lab.audit();
}

#[test]
fn the_last_administrator_cannot_leave_and_one_of_two_can() {
    let lab = Lab::new();
    let boss = lab.write(|tx| door::setup(tx, "이보람", "01011112222")).unwrap();
    let end = |who| {
        let (role, scope) = (Role::Administrator, Scope::Region);
        lab.write(move |tx| door::end_role(tx, &CONTEXT, who, role, scope, boss)).map(|_| ())
    };
    assert_eq!(end(boss), Err(Refusal::LastAdministrator));
    let second = Id::from_u128(50);
    let until = lab.now().plus_days(9);
    let phone = || Some("01033334444".to_owned());
    lab.write(move |tx| door::appoint(tx, &CONTEXT, second, "박누리", phone(), None, boss))
        .unwrap();
    let grant = Grant { role: Role::Administrator, scope: Scope::Region, until };
    lab.write(move |tx| door::grant_role(tx, &CONTEXT, second, grant, boss)).unwrap();
    assert_eq!(end(boss), Ok(()));
    lab.audit();
}

#[test]
fn organisations_are_listed_and_renamed() {
    let lab = Lab::new();
    let boss = lab.write(|tx| door::setup(tx, "이보람", "01011112222")).unwrap();
    for number in [3_u128, 1, 2] {
        lab.write(move |tx| {
            let (id, kind) = (Id::from_u128(number), OrganisationKind::School);
            door::open_organisation(tx, &CONTEXT, id, "학교", kind, boss)
        })
        .unwrap();
    }
    let second = Id::from_u128(2);
    lab.write(move |tx| door::rename_organisation(tx, &CONTEXT, second, "새 학교", boss)).unwrap();
    let rows = lab.read(|reader| view::all_organisations(reader, Id::from_u128(1), 9));
    let shown: Vec<_> = rows.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(shown, ["새 학교", "학교"]);
    let state = lab.write(move |tx| tx.state::<OrganisationRecord>(second.to_u128()));
    assert_eq!(state.name, "새 학교");
    lab.audit();
}
