//! Every question that is asked of the views.

use contracts::person::{Grant, Organisation, Person, Role, Scope, Staff};
use kernel::{Date, Id, Instant, Locale};
use store::vault::Vault;
use store::{Fault, Reader, Row, Tx, Value, values};

use super::{
    CITIZEN, CITIZEN_BY_PHONE, CITIZEN_COUNT, GRANTS_OF, HELP_COUNT, HELPED_BY, HELPERS_OF,
    HOLDERS_IN, HOLDERS_OF, MAY_HELP, OFFER_FIND, ORGANISATION_ALL, PHONE_TAG, ROLES_OF,
    SOLE_HELPER_OF, STAFF_ALL, STAFF_ONE, scope_from_text, scope_text,
};
use crate::event::{Ground, Kin, OrganisationKind};

/// Where questions are asked: beside the write door, or inside of it.
pub trait Ask {
    /// Runs a query; `$1` is the region.
    fn ask(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, Fault>;
    /// Where keys and tags come from.
    fn keys(&self) -> &Vault;

    /// Opens a sealed column; `None` for NULL and for forgotten subjects.
    fn unseal(
        &self,
        subject: u128,
        column: &str,
        sealed: Option<&[u8]>,
    ) -> Result<Option<String>, Fault> {
        let Some(sealed) = sealed else { return Ok(None) };
        let opened = self.keys().open_column(subject, column, sealed)?;
        let text = opened.map(String::from_utf8).transpose();
        text.map_err(|error| Fault::caused("opening a column", error))
    }

    /// A keyed tag.
    fn tag(&self, purpose: &str, text: &str) -> [u8; 16] {
        self.keys().index(purpose, text)
    }
}

impl Ask for Reader<'_> {
    fn ask(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, Fault> {
        self.query(sql, values)
    }

    fn keys(&self) -> &Vault {
        self.vault()
    }
}

impl Ask for Tx<'_> {
    fn ask(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, Fault> {
        self.query(sql, values)
    }

    fn keys(&self) -> &Vault {
        self.vault()
    }
}

/// What the desk's page counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// People registered.
    pub people: u64,
    /// Those without a phone number.
    pub without_phone: u64,
    /// Helps in force.
    pub helps: u64,
}

/// The counts at `now`.
pub fn counts(ask: &mut impl Ask, now: Instant) -> Result<Counts, Fault> {
    let people = ask.ask(CITIZEN_COUNT, &[])?;
    let helps = ask.ask(HELP_COUNT, values![now])?;
    let number = |rows: &[Row], column| rows.first().map_or(Ok(0), |row| row.count(column));
    let (all, with_phone) = (number(&people, 0)?, number(&people, 1)?);
    let without_phone = all.saturating_sub(with_phone);
    Ok(Counts { people: all, without_phone, helps: number(&helps, 0)? })
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

/// Who holds which role in exactly this scope; some may have run out.
pub fn holders_in(ask: &mut impl Ask, scope: Scope) -> Result<Vec<(Id<Staff>, Role)>, Fault> {
    let unknown = || Fault::new("a role has an unknown word");
    let holder = |row: &Row| Ok((row.id(0)?, Role::from_word(row.text(1)?).ok_or_else(unknown)?));
    ask.ask(HOLDERS_IN, values![scope_text(scope)])?.iter().map(holder).collect()
}

/// An organisation, as the view has it. One that closed is not there any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganisationRow {
    /// Which.
    pub organisation: Id<Organisation>,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: OrganisationKind,
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
        opened_at: row.instant(3)?,
    })
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
