//! The view tables: how events fill them, and every question that is asked of them.

use contracts::person::{Grant, Organisation, Person, Role, Scope, Staff};
use kernel::{Date, Id, Instant, Locale};
use store::{Fault, Projection, Reader, Recorded, Row, Side, Tx, Value, View, values};

use crate::event::{CitizenEvent, Ground, Kin, OrganisationEvent, OrganisationKind, StaffEvent};

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
const ROLE_PUT: &str = "INSERT INTO person_role (region, staff, role, scope, since_at, until_at) \
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (region, staff, role, scope) \
     DO UPDATE SET since_at = excluded.since_at, until_at = excluded.until_at";
const ROLE_REMOVE: &str = "DELETE FROM person_role \
     WHERE region = $1 AND staff = $2 AND role = $3 AND scope = $4";
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
     closed, opened_at) VALUES ($1, $2, $3, $4, 0, $5)";
const ORGANISATION_NAME: &str =
    "UPDATE person_organisation SET name = $3 WHERE region = $1 AND organisation = $2";
const ORGANISATION_CLOSE: &str =
    "UPDATE person_organisation SET closed = 1 WHERE region = $1 AND organisation = $2";
const ORGANISATION_ONE: &str = "SELECT organisation, name, kind, closed, opened_at \
     FROM person_organisation WHERE region = $1 AND organisation = $2";
const ORGANISATION_ALL: &str = "SELECT organisation, name, kind, closed, opened_at \
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
    (Side::Identity, OFFER_PUT),
    (Side::Identity, OFFER_REMOVE),
    (Side::Identity, OFFER_FIND),
    (Side::Identity, HELP_PUT),
    (Side::Identity, HELP_REMOVE),
    (Side::Identity, HELP_REMOVE_ALL),
    (Side::Identity, HELPERS_OF),
    (Side::Identity, HELPED_BY),
    (Side::Identity, MAY_HELP),
    (Side::Identity, SOLE_HELPER_OF),
    (Side::Identity, STAFF_ADD),
    (Side::Identity, STAFF_SUSPENDED),
    (Side::Identity, STAFF_ONE),
    (Side::Identity, STAFF_ALL),
    (Side::Identity, ROLE_PUT),
    (Side::Identity, ROLE_REMOVE),
    (Side::Identity, ROLES_OF),
    (Side::Identity, GRANTS_OF),
    (Side::Identity, HOLDERS_OF),
    (Side::Identity, ORGANISATION_ADD),
    (Side::Identity, ORGANISATION_NAME),
    (Side::Identity, ORGANISATION_CLOSE),
    (Side::Identity, ORGANISATION_ONE),
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
        CitizenEvent::PhoneChanged { phone } => {
            let (tag, number) = phone_columns(views, it, Some(&phone))?;
            let values: [Value; 4] = [person.into(), tag, number, it.at.into()];
            views.execute(CITIZEN_PHONE, &values)?;
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
            views.execute(ORGANISATION_CLOSE, values![organisation])?;
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

/// Where questions are asked: beside the write door, or inside of it.
pub trait Ask {
    /// Runs a query; `$1` is the region.
    fn ask(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, Fault>;
    /// Opens a sealed column.
    fn unseal(
        &self,
        subject: u128,
        column: &str,
        sealed: Option<&[u8]>,
    ) -> Result<Option<String>, Fault>;
    /// A keyed tag.
    fn tag(&self, purpose: &str, text: &str) -> [u8; 16];
}

impl Ask for Reader<'_> {
    fn ask(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, Fault> {
        self.query(sql, values)
    }

    fn unseal(
        &self,
        subject: u128,
        column: &str,
        sealed: Option<&[u8]>,
    ) -> Result<Option<String>, Fault> {
        self.open(subject, column, sealed)
    }

    fn tag(&self, purpose: &str, text: &str) -> [u8; 16] {
        self.vault().index(purpose, text)
    }
}

impl Ask for Tx<'_> {
    fn ask(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, Fault> {
        self.query(sql, values)
    }

    fn unseal(
        &self,
        subject: u128,
        column: &str,
        sealed: Option<&[u8]>,
    ) -> Result<Option<String>, Fault> {
        let Some(sealed) = sealed else { return Ok(None) };
        let opened = self.vault().open_column(subject, column, sealed)?;
        let text = opened.map(String::from_utf8).transpose();
        text.map_err(|error| Fault::caused("opening a column", error))
    }

    fn tag(&self, purpose: &str, text: &str) -> [u8; 16] {
        self.vault().index(purpose, text)
    }
}

/// A citizen, as the view has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CitizenRow {
    /// Who.
    pub person: Id<Person>,
    /// The number in E.164.
    pub phone: Option<String>,
    /// When the number was last verified.
    pub phone_at: Option<Instant>,
    /// The name.
    pub name: String,
    /// The day of birth.
    pub birth_date: Option<Date>,
    /// The language for messages.
    pub locale: Locale,
    /// Since when.
    pub registered_at: Instant,
}

/// One citizen; `None` when there is none, or no longer.
pub fn citizen(ask: &mut impl Ask, person: Id<Person>) -> Result<Option<CitizenRow>, Fault> {
    let rows = ask.ask(CITIZEN, values![person])?;
    let Some(row) = rows.first() else { return Ok(None) };
    let subject = person.to_u128();
    let born = ask.unseal(subject, "person_citizen.birth_date", row.maybe_bytes(4)?)?;
    let Some(name) = ask.unseal(subject, "person_citizen.name", row.maybe_bytes(3)?)? else {
        return Ok(None);
    };
    Ok(Some(CitizenRow {
        person,
        phone: ask.unseal(subject, "person_citizen.phone", row.maybe_bytes(1)?)?,
        phone_at: row.maybe_instant(2)?,
        name,
        birth_date: born.and_then(|it| it.parse().ok()),
        locale: Locale::from_tag(row.text(5)?).unwrap_or_default(),
        registered_at: row.instant(6)?,
    }))
}

/// Who holds a number (in the form that [`web::phone::normal`] gives).
pub fn holder_of(ask: &mut impl Ask, phone: &str) -> Result<Option<Id<Person>>, Fault> {
    let tag = ask.tag(PHONE_TAG, phone);
    let rows = ask.ask(CITIZEN_BY_PHONE, values![tag])?;
    rows.first().map(|row| row.id(0)).transpose()
}

/// One help, in force or run out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelpRow {
    /// Who is helped.
    pub helped: Id<Person>,
    /// Who helps.
    pub helper: Id<Person>,
    /// What the helped person is to the helper.
    pub kin: Kin,
    /// Whose word it stands on.
    pub ground: Ground,
    /// Since when.
    pub since: Instant,
    /// When it ends by itself.
    pub until: Instant,
}

fn help(row: &Row) -> Result<HelpRow, Fault> {
    let unknown = || Fault::new("a help has an unknown word");
    Ok(HelpRow {
        helped: row.id(0)?,
        helper: row.id(1)?,
        kin: Kin::from_word(row.text(2)?).ok_or_else(unknown)?,
        ground: Ground::from_word(row.text(3)?).ok_or_else(unknown)?,
        since: row.instant(4)?,
        until: row.instant(5)?,
    })
}

/// Who helps this person.
pub fn helpers_of(ask: &mut impl Ask, helped: Id<Person>) -> Result<Vec<HelpRow>, Fault> {
    ask.ask(HELPERS_OF, values![helped])?.iter().map(help).collect()
}

/// Whom this person helps.
pub fn helped_by(ask: &mut impl Ask, helper: Id<Person>) -> Result<Vec<HelpRow>, Fault> {
    ask.ask(HELPED_BY, values![helper])?.iter().map(help).collect()
}

/// How many people this person helps at `now`.
pub fn helping(ask: &mut impl Ask, helper: Id<Person>, now: Instant) -> Result<u32, Fault> {
    let count = helped_by(ask, helper)?.iter().filter(|it| now < it.until).count();
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Whether the first may act for the second at `now`.
pub fn may_help(
    ask: &mut impl Ask,
    helper: Id<Person>,
    helped: Id<Person>,
    now: Instant,
) -> Result<bool, Fault> {
    Ok(!ask.ask(MAY_HELP, values![helper, helped, now])?.is_empty())
}

/// How many people without a phone only this person may act for at `now`.
pub fn sole_helper_of(ask: &mut impl Ask, helper: Id<Person>, now: Instant) -> Result<u32, Fault> {
    let rows = ask.ask(SOLE_HELPER_OF, values![helper, now])?;
    let count = rows.first().map_or(Ok(0), |row| row.count(0))?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Whose consent code has this tag and still works.
pub fn offered_by(
    ask: &mut impl Ask,
    offer: &str,
    now: Instant,
) -> Result<Option<Id<Person>>, Fault> {
    let rows = ask.ask(OFFER_FIND, values![offer, now])?;
    rows.first().map(|row| row.id(0)).transpose()
}

/// A member of staff, as the view has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaffRow {
    /// Who.
    pub staff: Id<Staff>,
    /// The name.
    pub name: String,
    /// The number in E.164.
    pub phone: Option<String>,
    /// The mail address.
    pub email: Option<String>,
    /// May do nothing.
    pub suspended: bool,
    /// Since when.
    pub appointed_at: Instant,
    /// The roles that were not ended; some may have run out.
    pub roles: Vec<Grant>,
}

fn staff_row(ask: &mut impl Ask, row: &Row) -> Result<StaffRow, Fault> {
    let staff: Id<Staff> = row.id(0)?;
    let open = |column: &str, at: usize| {
        ask.unseal(staff.to_u128(), &format!("person_staff.{column}"), row.maybe_bytes(at)?)
    };
    let (name, phone, email) = (open("name", 1)?, open("phone", 2)?, open("email", 3)?);
    Ok(StaffRow {
        staff,
        name: name.unwrap_or_default(),
        phone,
        email,
        suspended: row.truth(4)?,
        appointed_at: row.instant(5)?,
        roles: grants(&ask.ask(ROLES_OF, values![staff])?)?,
    })
}

fn grants(rows: &[Row]) -> Result<Vec<Grant>, Fault> {
    let unknown = || Fault::new("a role has an unknown word");
    let grant = |row: &Row| {
        Ok(Grant {
            role: Role::from_word(row.text(0)?).ok_or_else(unknown)?,
            scope: scope_from_text(row.text(1)?).ok_or_else(unknown)?,
            until: row.instant(2)?,
        })
    };
    rows.iter().map(grant).collect()
}

/// One member of staff.
pub fn staff(ask: &mut impl Ask, staff: Id<Staff>) -> Result<Option<StaffRow>, Fault> {
    let rows = ask.ask(STAFF_ONE, values![staff])?;
    rows.first().map(|row| staff_row(ask, row)).transpose()
}

/// Staff in the order of their ids, after `after`.
pub fn all_staff(ask: &mut impl Ask, after: Id<Staff>, limit: u32) -> Result<Vec<StaffRow>, Fault> {
    let rows = ask.ask(STAFF_ALL, values![after, limit])?;
    rows.iter().map(|row| staff_row(ask, row)).collect()
}

/// What a member of staff may do at `now`.
pub fn grants_of(ask: &mut impl Ask, staff: Id<Staff>, now: Instant) -> Result<Vec<Grant>, Fault> {
    grants(&ask.ask(GRANTS_OF, values![staff, now])?)
}

/// Who administers the whole region at `now`.
pub fn administrators(ask: &mut impl Ask, now: Instant) -> Result<Vec<Id<Staff>>, Fault> {
    let values: [Value; 3] =
        [Role::Administrator.word().into(), scope_text(Scope::Region).into(), now.into()];
    ask.ask(HOLDERS_OF, &values)?.iter().map(|row| row.id(0)).collect()
}

/// An organisation, as the view has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganisationRow {
    /// Which.
    pub organisation: Id<Organisation>,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: OrganisationKind,
    /// Takes part no longer.
    pub closed: bool,
    /// Since when.
    pub opened_at: Instant,
}

fn organisation_row(ask: &impl Ask, row: &Row) -> Result<OrganisationRow, Fault> {
    let organisation: Id<Organisation> = row.id(0)?;
    let subject = organisation.to_u128();
    let name = ask.unseal(subject, "person_organisation.name", row.maybe_bytes(1)?)?;
    let kind = OrganisationKind::from_word(row.text(2)?);
    Ok(OrganisationRow {
        organisation,
        name: name.unwrap_or_default(),
        kind: kind.ok_or_else(|| Fault::new("an organisation has an unknown kind"))?,
        closed: row.truth(3)?,
        opened_at: row.instant(4)?,
    })
}

/// One organisation.
pub fn organisation(
    ask: &mut impl Ask,
    organisation: Id<Organisation>,
) -> Result<Option<OrganisationRow>, Fault> {
    let rows = ask.ask(ORGANISATION_ONE, values![organisation])?;
    rows.first().map(|row| organisation_row(ask, row)).transpose()
}

/// Organisations in the order of their ids, after `after`.
pub fn all_organisations(
    ask: &mut impl Ask,
    after: Id<Organisation>,
    limit: u32,
) -> Result<Vec<OrganisationRow>, Fault> {
    let rows = ask.ask(ORGANISATION_ALL, values![after, limit])?;
    rows.iter().map(|row| organisation_row(ask, row)).collect()
}
