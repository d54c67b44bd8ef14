//! The view tables: how events fill them. What is asked of them is in `ask`.

mod ask;

pub use ask::*;

use contracts::person::{Organisation, Person, Scope, Staff};
use kernel::Id;
use store::{Fault, Projection, Recorded, Side, Value, View, values};

use crate::event::{CitizenEvent, OrganisationEvent, StaffEvent};

const CITIZEN_ADD: &str = "INSERT INTO person_citizen (region, person, phone_tag, phone, phone_at, \
     name, birth_date, locale, registered_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const CITIZEN_PHONE: &str = "UPDATE person_citizen SET phone_tag = $3, phone = $4, phone_at = $5 \
     WHERE region = $1 AND person = $2";
const CITIZEN_PHONE_AT: &str =
    "UPDATE person_citizen SET phone_at = $3 WHERE region = $1 AND person = $2";
const CITIZEN_NAME: &str = "UPDATE person_citizen SET name = $3 WHERE region = $1 AND person = $2";
const CITIZEN_LOCALE: &str =
    "UPDATE person_citizen SET locale = $3 WHERE region = $1 AND person = $2";
const CITIZEN_REMOVE: &str = "DELETE FROM person_citizen WHERE region = $1 AND person = $2";
const CITIZEN: &str = "SELECT person, phone, phone_at, name, birth_date, locale, registered_at \
     FROM person_citizen WHERE region = $1 AND person = $2";
const CITIZEN_BY_PHONE: &str =
    "SELECT person FROM person_citizen WHERE region = $1 AND phone_tag = $2 ORDER BY phone_at DESC";
// Both columns lie in the index by number: no record is opened to be counted.
const CITIZEN_COUNT: &str =
    "SELECT COUNT(*), COUNT(phone_tag) FROM person_citizen WHERE region = $1";
const OFFER_PUT: &str = "INSERT INTO person_offer (region, person, offer, until_at) \
     VALUES ($1, $2, $3, $4) ON CONFLICT (region, person) \
     DO UPDATE SET offer = excluded.offer, until_at = excluded.until_at";
const OFFER_REMOVE: &str = "DELETE FROM person_offer WHERE region = $1 AND person = $2";
const OFFER_FIND: &str =
    "SELECT person FROM person_offer WHERE region = $1 AND offer = $2 AND until_at > $3";
const HELP_PUT: &str = "INSERT INTO person_help (region, helped, helper, kin, ground, since_at, \
     until_at) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (region, helped, helper) \
     DO UPDATE SET kin = excluded.kin, ground = excluded.ground, since_at = excluded.since_at, \
     until_at = excluded.until_at";
const HELP_REMOVE: &str =
    "DELETE FROM person_help WHERE region = $1 AND helped = $2 AND helper = $3";
const HELP_REMOVE_ALL: &str = "DELETE FROM person_help WHERE region = $1 AND helped = $2";
const HELPERS_OF: &str = "SELECT helped, helper, kin, ground, since_at, until_at FROM person_help \
     WHERE region = $1 AND helped = $2 ORDER BY since_at, helper";
const HELPED_BY: &str = "SELECT helped, helper, kin, ground, since_at, until_at FROM person_help \
     WHERE region = $1 AND helper = $2 ORDER BY since_at, helped";
const MAY_HELP: &str = "SELECT until_at FROM person_help \
     WHERE region = $1 AND helper = $2 AND helped = $3 AND until_at > $4";
const HELP_COUNT: &str = "SELECT COUNT(*) FROM person_help WHERE region = $1 AND until_at > $2";
const SOLE_HELPER_OF: &str = "SELECT COUNT(*) FROM person_help h JOIN person_citizen c \
     ON c.region = h.region AND c.person = h.helped WHERE h.region = $1 AND h.helper = $2 \
     AND h.until_at > $3 AND c.phone_tag IS NULL AND NOT EXISTS (SELECT 1 FROM person_help o \
     WHERE o.region = h.region AND o.helped = h.helped AND o.helper <> h.helper \
     AND o.until_at > $3)";
const STAFF_ADD: &str = "INSERT INTO person_staff (region, staff, name, phone, email, suspended, \
     appointed_at) VALUES ($1, $2, $3, $4, $5, 0, $6)";
const STAFF_SUSPENDED: &str =
    "UPDATE person_staff SET suspended = $3 WHERE region = $1 AND staff = $2";
const STAFF_ONE: &str = "SELECT staff, name, phone, email, suspended, appointed_at \
     FROM person_staff WHERE region = $1 AND staff = $2";
const STAFF_ALL: &str = "SELECT staff, name, phone, email, suspended, appointed_at \
     FROM person_staff WHERE region = $1 AND staff > $2 ORDER BY staff LIMIT $3";
const STAFF_REMOVE: &str = "DELETE FROM person_staff WHERE region = $1 AND staff = $2";
const ROLE_PUT: &str = "INSERT INTO person_role (region, staff, role, scope, since_at, until_at) \
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (region, staff, role, scope) \
     DO UPDATE SET since_at = excluded.since_at, until_at = excluded.until_at";
const ROLE_REMOVE: &str = "DELETE FROM person_role \
     WHERE region = $1 AND staff = $2 AND role = $3 AND scope = $4";
const ROLE_REMOVE_ALL: &str = "DELETE FROM person_role WHERE region = $1 AND staff = $2";
const HOLDERS_IN: &str = "SELECT staff, role FROM person_role \
     WHERE region = $1 AND scope = $2 ORDER BY staff, role";
const ROLES_OF: &str = "SELECT role, scope, until_at FROM person_role \
     WHERE region = $1 AND staff = $2 ORDER BY role, scope";
const GRANTS_OF: &str = "SELECT r.role, r.scope, r.until_at FROM person_role r \
     JOIN person_staff s ON s.region = r.region AND s.staff = r.staff \
     WHERE r.region = $1 AND r.staff = $2 AND r.until_at > $3 AND s.suspended = 0 \
     ORDER BY r.role, r.scope";
const HOLDERS_OF: &str = "SELECT r.staff FROM person_role r \
     JOIN person_staff s ON s.region = r.region AND s.staff = r.staff \
     WHERE r.region = $1 AND r.role = $2 AND r.scope = $3 AND r.until_at > $4 \
     AND s.suspended = 0 ORDER BY r.staff LIMIT 100";
const ORGANISATION_ADD: &str = "INSERT INTO person_organisation (region, organisation, name, kind, \
     opened_at) VALUES ($1, $2, $3, $4, $5)";
const ORGANISATION_NAME: &str =
    "UPDATE person_organisation SET name = $3 WHERE region = $1 AND organisation = $2";
const ORGANISATION_REMOVE: &str =
    "DELETE FROM person_organisation WHERE region = $1 AND organisation = $2";
const ORGANISATION_ALL: &str = "SELECT organisation, name, kind, opened_at \
     FROM person_organisation WHERE region = $1 AND organisation > $2 \
     ORDER BY organisation LIMIT $3";

/// Every SQL text of the slice.
pub const QUERIES: &[(Side, &str)] = &[
    (Side::Identity, CITIZEN_ADD),
    (Side::Identity, CITIZEN_PHONE),
    (Side::Identity, CITIZEN_PHONE_AT),
    (Side::Identity, CITIZEN_NAME),
    (Side::Identity, CITIZEN_LOCALE),
    (Side::Identity, CITIZEN_REMOVE),
    (Side::Identity, CITIZEN),
    (Side::Identity, CITIZEN_BY_PHONE),
    (Side::Identity, CITIZEN_COUNT),
    (Side::Identity, OFFER_PUT),
    (Side::Identity, OFFER_REMOVE),
    (Side::Identity, OFFER_FIND),
    (Side::Identity, HELP_PUT),
    (Side::Identity, HELP_REMOVE),
    (Side::Identity, HELP_REMOVE_ALL),
    (Side::Identity, HELPERS_OF),
    (Side::Identity, HELPED_BY),
    (Side::Identity, MAY_HELP),
    (Side::Identity, HELP_COUNT),
    (Side::Identity, SOLE_HELPER_OF),
    (Side::Identity, STAFF_ADD),
    (Side::Identity, STAFF_SUSPENDED),
    (Side::Identity, STAFF_ONE),
    (Side::Identity, STAFF_ALL),
    (Side::Identity, STAFF_REMOVE),
    (Side::Identity, ROLE_PUT),
    (Side::Identity, ROLE_REMOVE),
    (Side::Identity, ROLE_REMOVE_ALL),
    (Side::Identity, HOLDERS_IN),
    (Side::Identity, ROLES_OF),
    (Side::Identity, GRANTS_OF),
    (Side::Identity, HOLDERS_OF),
    (Side::Identity, ORGANISATION_ADD),
    (Side::Identity, ORGANISATION_NAME),
    (Side::Identity, ORGANISATION_REMOVE),
    (Side::Identity, ORGANISATION_ALL),
];

/// The tables; each names its subject, so that forgetting empties it.
pub const VIEWS: &[View] = &[
    table("person_citizen", "person"),
    table("person_offer", "person"),
    table("person_help", "helped"),
    table("person_staff", "staff"),
    table("person_role", "staff"),
    table("person_organisation", "organisation"),
];

const fn table(table: &'static str, subject: &'static str) -> View {
    View { table, side: Side::Identity, subject: Some(subject), day: None }
}

/// What the tags of phone numbers are made for.
const PHONE_TAG: &str = "person_citizen.phone";
/// What the tags of consent codes are made for.
pub(crate) const OFFER_TAG: &str = "person_offer.offer";

pub(crate) fn project_citizen(views: &mut Projection<'_>, it: &Recorded) -> Result<(), Fault> {
    let Some(event) = it.event::<CitizenEvent>()? else { return Ok(()) };
    let person: Id<Person> = it.id();
    match event {
        CitizenEvent::Registered { name, birth_date, phone, locale } => {
            let (tag, number) = phone_columns(views, it, phone.as_deref())?;
            let name = views.seal(it.stream_id, "person_citizen.name", it.seq, &name)?;
            let born = birth_date.to_string();
            let born = views.seal(it.stream_id, "person_citizen.birth_date", it.seq, &born)?;
            let phone_at = phone.map(|_| it.at);
            let values: [Value; 8] = [
                person.into(),
                tag,
                number,
                phone_at.into(),
                name,
                born,
                locale.tag().into(),
                it.at.into(),
            ];
            views.execute(CITIZEN_ADD, &values)?;
        }
        CitizenEvent::PhoneChanged { phone } => put_phone(views, it, Some(&phone))?,
        CitizenEvent::PhoneChangedAtDesk { phone, .. } => {
            put_phone(views, it, phone.as_deref())?;
            views.execute(OFFER_REMOVE, values![person])?;
        }
        CitizenEvent::PhoneConfirmed => {
            views.execute(CITIZEN_PHONE_AT, values![person, it.at])?;
        }
        CitizenEvent::NameCorrected { name } => {
            let name = views.seal(it.stream_id, "person_citizen.name", it.seq, &name)?;
            views.execute(CITIZEN_NAME, &[person.into(), name])?;
        }
        CitizenEvent::LocaleChosen { locale } => {
            views.execute(CITIZEN_LOCALE, values![person, locale.tag()])?;
        }
        CitizenEvent::HelpOffered { offer, until } => {
            views.execute(OFFER_PUT, values![person, offer, until])?;
        }
        CitizenEvent::HelpGranted { helper, kin, ground, until } => {
            // The used code stays findable: a repeated request must come to the same answer. That it
            // was used is the aggregate's knowledge.
            let row: [Value; 6] = [
                person.into(),
                helper.into(),
                kin.word().into(),
                ground.word().into(),
                it.at.into(),
                until.into(),
            ];
            views.execute(HELP_PUT, &row)?;
        }
        CitizenEvent::HelpEnded { helper } => {
            views.execute(HELP_REMOVE, values![person, helper])?;
        }
        CitizenEvent::Forgotten => {
            views.execute(CITIZEN_REMOVE, values![person])?;
            views.execute(OFFER_REMOVE, values![person])?;
            views.execute(HELP_REMOVE_ALL, values![person])?;
        }
    }
    Ok(())
}

fn put_phone(views: &mut Projection<'_>, it: &Recorded, phone: Option<&str>) -> Result<(), Fault> {
    let person: Id<Person> = it.id();
    let (tag, number) = phone_columns(views, it, phone)?;
    let values: [Value; 4] = [person.into(), tag, number, phone.map(|_| it.at).into()];
    views.execute(CITIZEN_PHONE, &values)
}

fn phone_columns(
    views: &Projection<'_>,
    it: &Recorded,
    phone: Option<&str>,
) -> Result<(Value, Value), Fault> {
    let Some(phone) = phone else { return Ok((Value::Null, Value::Null)) };
    let tag = views.index(PHONE_TAG, phone).into();
    Ok((tag, views.seal(it.stream_id, "person_citizen.phone", it.seq, phone)?))
}

pub(crate) fn project_staff(views: &mut Projection<'_>, it: &Recorded) -> Result<(), Fault> {
    let Some(event) = it.event::<StaffEvent>()? else { return Ok(()) };
    let staff: Id<Staff> = it.id();
    match event {
        StaffEvent::Appointed { name, phone, email, by: _ } => {
            let seal = |column: &str, text: Option<&str>| match text {
                Some(text) => {
                    views.seal(it.stream_id, &format!("person_staff.{column}"), it.seq, text)
                }
                None => Ok(Value::Null),
            };
            let name = seal("name", Some(&name))?;
            let (phone, email) =
                (seal("phone", phone.as_deref())?, seal("email", email.as_deref())?);
            views.execute(STAFF_ADD, &[staff.into(), name, phone, email, it.at.into()])?;
        }
        StaffEvent::RoleGranted { grant, by: _ } => {
            let scope = scope_text(grant.scope);
            let row: [Value; 5] = [
                staff.into(),
                grant.role.word().into(),
                scope.into(),
                it.at.into(),
                grant.until.into(),
            ];
            views.execute(ROLE_PUT, &row)?;
        }
        StaffEvent::RoleEnded { role, scope, by: _ } => {
            views.execute(ROLE_REMOVE, values![staff, role.word(), scope_text(scope)])?;
        }
        StaffEvent::Suspended { .. } => {
            views.execute(STAFF_SUSPENDED, values![staff, true])?;
        }
        StaffEvent::Resumed { .. } => {
            views.execute(STAFF_SUSPENDED, values![staff, false])?;
        }
        StaffEvent::Forgotten { .. } => {
            views.execute(STAFF_REMOVE, values![staff])?;
            views.execute(ROLE_REMOVE_ALL, values![staff])?;
        }
    }
    Ok(())
}

pub(crate) fn project_organisation(views: &mut Projection<'_>, it: &Recorded) -> Result<(), Fault> {
    let Some(event) = it.event::<OrganisationEvent>()? else { return Ok(()) };
    let organisation: Id<Organisation> = it.id();
    let column = "person_organisation.name";
    match event {
        OrganisationEvent::Opened { name, kind } => {
            let name = views.seal(it.stream_id, column, it.seq, &name)?;
            let row = [organisation.into(), name, kind.word().into(), it.at.into()];
            views.execute(ORGANISATION_ADD, &row)?;
        }
        OrganisationEvent::Renamed { name } => {
            let name = views.seal(it.stream_id, column, it.seq, &name)?;
            views.execute(ORGANISATION_NAME, &[organisation.into(), name])?;
        }
        OrganisationEvent::Closed => {
            views.execute(ORGANISATION_REMOVE, values![organisation])?;
        }
    }
    Ok(())
}

/// A scope as the view and forms write it: `region`, or the id of an organisation or a place.
pub fn scope_text(scope: Scope) -> String {
    match scope {
        Scope::Region => "region".to_owned(),
        Scope::Organisation(id) => id.to_string(),
        Scope::Place(id) => id.to_string(),
    }
}

/// The scope that [`scope_text`] wrote.
pub fn scope_from_text(text: &str) -> Option<Scope> {
    let organisation = || text.parse().ok().map(Scope::Organisation);
    let place = || text.parse().ok().map(Scope::Place);
    (text == "region").then_some(Scope::Region).or_else(organisation).or_else(place)
}
