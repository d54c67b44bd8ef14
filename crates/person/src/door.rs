//! Commands with what they need to know from other records, read in the same transaction, and what
//! must happen together with them: messages, ended sessions, destroyed keys. Pages, the API, the
//! demo and the simulation come in here.

use contracts::gate::Place;
use contracts::person::{Grant, Organisation, Person, Role, Scope, Staff};
use kernel::{Id, Instant, Locale};
use serde_json::json;
use store::tx::Ran;
use store::{By, Context, Fault, Tx};
use web::Who;

use crate::command::{
    Administrator, Asker, CitizenCommand, OrganisationCommand, Registration, StaffCommand,
};
use crate::decide::ROLE_MAX_DAYS;
use crate::event::{CitizenEvent, Kin, OrganisationEvent, PhoneReason, StaffEvent};
use crate::model::{Citizen, OrganisationRecord, Phase, StaffMember};
use crate::refusal::Refusal;
use crate::view;

/// What a command on a citizen's record gives.
pub type CitizenAnswer = Result<Result<Ran<CitizenEvent>, Refusal>, Fault>;
/// What a command on a member of staff gives.
pub type StaffAnswer = Result<Result<Ran<StaffEvent>, Refusal>, Fault>;
/// What a command on an organisation gives.
pub type OrganisationAnswer = Result<Result<Ran<OrganisationEvent>, Refusal>, Fault>;

/// Whether somebody other than `person` holds this number.
fn taken(tx: &mut Tx<'_>, person: Id<Person>, phone: &str) -> Result<bool, Fault> {
    let Some(phone) = web::phone::normal(phone) else { return Ok(false) };
    Ok(view::holder_of(tx, &phone)?.is_some_and(|it| it != person))
}

/// Registers a citizen with a verified number. `person` is a random id.
pub fn register(
    tx: &mut Tx<'_>,
    context: &Context,
    person: Id<Person>,
    registration: &Registration,
    phone: &str,
) -> CitizenAnswer {
    let taken = taken(tx, person, phone)?;
    let (registration, phone) = (registration.clone(), phone.to_owned());
    let command = CitizenCommand::Register { registration, phone, taken };
    tx.run::<Citizen>(context, person.to_u128(), command)
}

/// Registers a child whom `parent` may act for from now on.
pub fn register_child(
    tx: &mut Tx<'_>,
    context: &Context,
    child: Id<Person>,
    registration: &Registration,
    parent: Id<Person>,
) -> CitizenAnswer {
    let now = tx.now();
    if tx.state::<Citizen>(parent.to_u128())?.phase != Phase::Present {
        return Ok(Err(Refusal::NotRegistered));
    }
    let helping = view::helping(tx, parent, now)?;
    let registration = registration.clone();
    let command = CitizenCommand::RegisterChild { registration, parent, helping };
    tx.run::<Citizen>(context, child.to_u128(), command)
}

/// Changes or confirms a verified number; the old number is told.
pub fn change_phone(
    tx: &mut Tx<'_>,
    context: &Context,
    person: Id<Person>,
    asker: Asker,
    phone: &str,
    told: impl Fn(Locale) -> String,
) -> CitizenAnswer {
    let before = tx.state::<Citizen>(person.to_u128())?;
    let taken = taken(tx, person, phone)?;
    let command = CitizenCommand::ChangePhone { asker, phone: phone.to_owned(), taken };
    let answer = tx.run::<Citizen>(context, person.to_u128(), command)?;
    if let (Ok(ran), Some(old)) = (&answer, &before.phone)
        && !ran.repeated
        && matches!(ran.events.first(), Some(CitizenEvent::PhoneChanged { .. }))
    {
        tell(tx, old, &told(before.locale))?;
    }
    Ok(answer)
}

/// Changes or frees a number at the desk. Both numbers are told, and whoever signed in as this
/// person so far must prove themselves anew: it may have been the number's other holder.
#[allow(clippy::too_many_arguments, reason = "what the form holds, and how to say it")]
pub fn change_phone_at_desk(
    tx: &mut Tx<'_>,
    context: &Context,
    person: Id<Person>,
    officer: Id<Staff>,
    id_checked: bool,
    phone: Option<&str>,
    reason: PhoneReason,
    told: impl Fn(Locale, &str) -> String,
) -> CitizenAnswer {
    let before = tx.state::<Citizen>(person.to_u128())?;
    let taken = match phone {
        Some(phone) => taken(tx, person, phone)?,
        None => false,
    };
    let phone = phone.map(str::to_owned);
    let command = CitizenCommand::ChangePhoneAtDesk { officer, id_checked, phone, reason, taken };
    let answer = tx.run::<Citizen>(context, person.to_u128(), command)?;
    if answer.as_ref().is_ok_and(|ran| !ran.repeated) {
        web::end_access(tx, Who::Citizen(person))?;
        if let Some(old) = &before.phone {
            tell(tx, old, &told(before.locale, "person-sms-phone-freed"))?;
        }
        if let Some(new) = tx.state::<Citizen>(person.to_u128())?.phone {
            tell(tx, &new, &told(before.locale, "person-sms-phone-set"))?;
        }
    }
    Ok(answer)
}

/// The tag of a consent code, as events and the view keep it.
pub fn offer_tag(ask: &impl view::Ask, code: &str) -> String {
    let tag = ask.tag(view::OFFER_TAG, &offer_code(code));
    tag.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// Letters and digits that are not taken for one another when read aloud or typed.
const OFFER_ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
/// Characters of a consent code: 40 bits for 15 minutes, behind the strict rate limit.
const OFFER_LENGTH: usize = 8;

/// A new consent code, e.g. `7KQ2-M9XA`.
pub fn new_offer_code(seed: &kernel::Seed) -> String {
    let mut code = String::new();
    for (index, byte) in seed.bytes::<OFFER_LENGTH>().into_iter().enumerate() {
        if index == OFFER_LENGTH / 2 {
            code.push('-');
        }
        // 32 divides 256: no letter is likelier than another.
        let letter = OFFER_ALPHABET.get(usize::from(byte % 32)).copied().unwrap_or(b'2');
        code.push(char::from(letter));
    }
    code
}

/// The code as it was made, however it was typed.
fn offer_code(typed: &str) -> String {
    let letters = typed.chars().filter(char::is_ascii_alphanumeric).take(OFFER_LENGTH + 1);
    letters
        .map(|it| match it.to_ascii_uppercase() {
            '1' | 'I' => 'L',
            other => other,
        })
        .collect()
}

/// A helper types a consent code: who is helped from now on. The helped person is told.
#[allow(clippy::too_many_arguments, reason = "what the form holds, and how to say it")]
pub fn accept_help(
    tx: &mut Tx<'_>,
    context: &Context,
    helper: Id<Person>,
    code: &str,
    kin: Kin,
    until: Instant,
    told: impl Fn(Locale) -> String,
) -> Result<Result<Id<Person>, Refusal>, Fault> {
    let now = tx.now();
    let offer = offer_tag(tx, code);
    let Some(person) = view::offered_by(tx, &offer, now)? else {
        return Ok(Err(Refusal::HelpOfferUnknown));
    };
    let helping = view::helping(tx, helper, now)?;
    let command = CitizenCommand::AcceptHelp { offer, person, helper, kin, until, helping };
    let answer = tx.run::<Citizen>(context, person.to_u128(), command)?;
    tell_of_help(tx, person, &answer, told)?;
    Ok(answer.map(|_| person))
}

/// An officer records consent given in person. The helped person is told, if they have a phone.
#[allow(clippy::too_many_arguments, reason = "what the form holds, and how to say it")]
pub fn grant_help_at_desk(
    tx: &mut Tx<'_>,
    context: &Context,
    person: Id<Person>,
    helper: Id<Person>,
    kin: Kin,
    until: Instant,
    id_checked: bool,
    told: impl Fn(Locale) -> String,
) -> CitizenAnswer {
    let now = tx.now();
    if tx.state::<Citizen>(helper.to_u128())?.phase != Phase::Present {
        return Ok(Err(Refusal::NotRegistered));
    }
    let helping = view::helping(tx, helper, now)?;
    let command =
        CitizenCommand::GrantHelpAtDesk { person, helper, kin, until, id_checked, helping };
    let answer = tx.run::<Citizen>(context, person.to_u128(), command)?;
    tell_of_help(tx, person, &answer, told)?;
    Ok(answer)
}

fn tell_of_help(
    tx: &mut Tx<'_>,
    person: Id<Person>,
    answer: &Result<Ran<CitizenEvent>, Refusal>,
    told: impl Fn(Locale) -> String,
) -> Result<(), Fault> {
    if answer.as_ref().is_ok_and(|ran| !ran.repeated) {
        let state = tx.state::<Citizen>(person.to_u128())?;
        if let Some(phone) = &state.phone {
            tell(tx, phone, &told(state.locale))?;
        }
    }
    Ok(())
}

fn tell(tx: &mut Tx<'_>, phone: &str, text: &str) -> Result<(), Fault> {
    let now = tx.now();
    tx.send("sms", &json!({ "to": phone, "text": text }), now).map(|_| ())
}

/// Deletes everything about a person: every slice's rows and sessions go by reaction, the helps
/// they gave end, and their key is destroyed, so that what stays on the log cannot be opened.
pub fn forget(
    tx: &mut Tx<'_>,
    context: &Context,
    person: Id<Person>,
    asker: Asker,
) -> CitizenAnswer {
    let now = tx.now();
    let sole_helper_of = view::sole_helper_of(tx, person, now)?;
    let command = CitizenCommand::Forget { asker, sole_helper_of };
    let answer = tx.run::<Citizen>(context, person.to_u128(), command)?;
    if answer.as_ref().is_ok_and(|ran| !ran.repeated) {
        tx.forget(person.to_u128())?;
    }
    Ok(answer)
}

/// The administrator behind a request, by the roles in force in this transaction.
pub fn administrator(tx: &mut Tx<'_>, staff: Id<Staff>) -> Result<Administrator, Fault> {
    let now = tx.now();
    let grants = view::grants_of(tx, staff, now)?;
    let of_region =
        grants.iter().any(|it| it.role == Role::Administrator && it.scope == Scope::Region);
    Ok(Administrator { staff, of_region })
}

/// Appoints a member of staff.
pub fn appoint(
    tx: &mut Tx<'_>,
    context: &Context,
    staff: Id<Staff>,
    name: &str,
    phone: Option<String>,
    email: Option<String>,
    by: Id<Staff>,
) -> StaffAnswer {
    let by = Some(administrator(tx, by)?);
    let command = StaffCommand::Appoint { name: name.to_owned(), phone, email, by };
    tx.run::<StaffMember>(context, staff.to_u128(), command)
}

/// Grants a role.
pub fn grant_role(
    tx: &mut Tx<'_>,
    context: &Context,
    staff: Id<Staff>,
    grant: Grant,
    by: Id<Staff>,
) -> StaffAnswer {
    let by = Some(administrator(tx, by)?);
    let scope_open = match grant.scope {
        Scope::Organisation(id) => {
            tx.state::<OrganisationRecord>(id.to_u128())?.phase == Phase::Present
        }
        Scope::Region | Scope::Place(_) => true,
    };
    let command = StaffCommand::GrantRole { staff, grant, by, scope_open };
    tx.run::<StaffMember>(context, staff.to_u128(), command)
}

/// Ends a role.
pub fn end_role(
    tx: &mut Tx<'_>,
    context: &Context,
    staff: Id<Staff>,
    role: Role,
    scope: Scope,
    by: Id<Staff>,
) -> StaffAnswer {
    let now = tx.now();
    let by = administrator(tx, by)?;
    let another_administrator = view::administrators(tx, now)?.iter().any(|it| *it != staff);
    let command = StaffCommand::EndRole { role, scope, by, another_administrator };
    tx.run::<StaffMember>(context, staff.to_u128(), command)
}

/// Suspends a member of staff and signs them out everywhere.
pub fn suspend(tx: &mut Tx<'_>, context: &Context, staff: Id<Staff>, by: Id<Staff>) -> StaffAnswer {
    let by = administrator(tx, by)?;
    let command = StaffCommand::Suspend { staff, by };
    let answer = tx.run::<StaffMember>(context, staff.to_u128(), command)?;
    if answer.is_ok() {
        web::session::end_all(tx, Who::Staff(staff))?;
    }
    Ok(answer)
}

/// Takes a suspension back.
pub fn resume(tx: &mut Tx<'_>, context: &Context, staff: Id<Staff>, by: Id<Staff>) -> StaffAnswer {
    let by = administrator(tx, by)?;
    let command = StaffCommand::Resume { staff, by };
    tx.run::<StaffMember>(context, staff.to_u128(), command)
}

/// Deletes everything about a member of staff who left; `by: None` is the operator's command.
/// Their roles and every way in end, and their key is destroyed.
pub fn forget_staff(
    tx: &mut Tx<'_>,
    context: &Context,
    staff: Id<Staff>,
    by: Option<Id<Staff>>,
) -> StaffAnswer {
    let now = tx.now();
    let last_administrator = view::administrators(tx, now)? == [staff];
    let by = by.map(|it| administrator(tx, it)).transpose()?;
    let command = StaffCommand::Forget { by, last_administrator };
    let answer = tx.run::<StaffMember>(context, staff.to_u128(), command)?;
    if answer.as_ref().is_ok_and(|ran| !ran.repeated) {
        web::end_access(tx, Who::Staff(staff))?;
        tx.forget(staff.to_u128())?;
    }
    Ok(answer)
}

/// A link that signs a member of staff in once, within an hour. Shown once: only its hash is kept.
pub fn sign_in_link(
    tx: &mut Tx<'_>,
    staff: Id<Staff>,
    by: Id<Staff>,
) -> Result<Result<String, Refusal>, Fault> {
    if !administrator(tx, by)?.of_region {
        return Ok(Err(Refusal::NotAdministrator));
    }
    match tx.state::<StaffMember>(staff.to_u128())?.phase {
        Phase::Absent => Ok(Err(Refusal::StaffUnknown)),
        Phase::Ended => Ok(Err(Refusal::StaffSuspended)),
        Phase::Present => web::link::make(tx, Who::Staff(staff), LINK_HOLDS_S).map(Ok),
    }
}

/// A one-time link works for an hour.
pub const LINK_HOLDS_S: i64 = 3_600;

/// Opens an organisation.
pub fn open_organisation(
    tx: &mut Tx<'_>,
    context: &Context,
    organisation: Id<Organisation>,
    name: &str,
    kind: crate::event::OrganisationKind,
    by: Id<Staff>,
) -> OrganisationAnswer {
    let by = administrator(tx, by)?;
    let command = OrganisationCommand::Open { name: name.to_owned(), kind, by };
    tx.run::<OrganisationRecord>(context, organisation.to_u128(), command)
}

/// Renames an organisation.
pub fn rename_organisation(
    tx: &mut Tx<'_>,
    context: &Context,
    organisation: Id<Organisation>,
    name: &str,
    by: Id<Staff>,
) -> OrganisationAnswer {
    let by = administrator(tx, by)?;
    let command = OrganisationCommand::Rename { name: name.to_owned(), by };
    tx.run::<OrganisationRecord>(context, organisation.to_u128(), command)
}

/// Closes an organisation and erases what is kept about it. The roles in it and in its `places` end;
/// whoever has no role left is signed out.
pub fn close_organisation(
    tx: &mut Tx<'_>,
    context: &Context,
    organisation: Id<Organisation>,
    places: &[Id<Place>],
    by: Id<Staff>,
) -> OrganisationAnswer {
    let command = OrganisationCommand::Close { by: administrator(tx, by)? };
    let answer = tx.run::<OrganisationRecord>(context, organisation.to_u128(), command)?;
    if answer.as_ref().is_ok_and(|ran| !ran.repeated) {
        let places = places.iter().map(|it| Scope::Place(*it));
        for scope in std::iter::once(Scope::Organisation(organisation)).chain(places) {
            end_roles_in(tx, context, scope, by)?;
        }
        tx.forget(organisation.to_u128())?;
    }
    Ok(answer)
}

fn end_roles_in(
    tx: &mut Tx<'_>,
    context: &Context,
    scope: Scope,
    by: Id<Staff>,
) -> Result<(), Fault> {
    let now = tx.now();
    // The command id is spent on the closing itself.
    let context = Context::by(context.by);
    for (staff, role) in view::holders_in(tx, scope)? {
        if let Err(refusal) = end_role(tx, &context, staff, role, scope, by)? {
            return Err(Fault::new(format!("a role did not end: {refusal:?}")));
        }
        if view::grants_of(tx, staff, now)?.is_empty() {
            web::session::end_all(tx, Who::Staff(staff))?;
        }
    }
    Ok(())
}

/// The first start: appoints the region's first administrator. Refused while anybody administers
/// the region. It works again when the last administrator's role has run out: whoever runs the
/// machine must be able to get the city going again.
pub fn setup(
    tx: &mut Tx<'_>,
    name: &str,
    phone: &str,
) -> Result<Result<Id<Staff>, Refusal>, Fault> {
    let now = tx.now();
    if !view::administrators(tx, now)?.is_empty() {
        return Ok(Err(Refusal::AlreadySetUp));
    }
    let staff = Id::time_ordered(now, tx.seed());
    let context = Context::by(By::System("setup"));
    let appoint = StaffCommand::Appoint {
        name: name.to_owned(),
        phone: Some(phone.to_owned()),
        email: None,
        by: None,
    };
    if let Err(refusal) = tx.run::<StaffMember>(&context, staff.to_u128(), appoint)? {
        return Ok(Err(refusal));
    }
    let until = now.plus_days(ROLE_MAX_DAYS);
    let grant = Grant { role: Role::Administrator, scope: Scope::Region, until };
    let command = StaffCommand::GrantRole { staff, grant, by: None, scope_open: true };
    let granted = tx.run::<StaffMember>(&context, staff.to_u128(), command)?;
    Ok(granted.map(|_| staff))
}
