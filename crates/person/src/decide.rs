//! The rules. Pure: no clock, no randomness, no store; the caller brings time, ids, and what other
//! records say.

use contracts::person::{Person, Role, Scope, Staff};
use kernel::{Date, Id, Instant, clean};

use crate::command::{
    Administrator, Asker, CitizenCommand, OrganisationCommand, Registration, StaffCommand,
};
use crate::event::{CitizenEvent, Ground, Kin, OrganisationEvent, PhoneReason, StaffEvent};
use crate::model::{Citizen, OrganisationRecord, Phase, StaffMember};
use crate::refusal::Refusal;

/// Under this age a parent registers (Korean PIPA, article 22-2: consent by the legal
/// representative below 14).
pub const CONSENT_AGE: i16 = 14;
/// Nobody is older. The oldest person known reached 122.
pub const AGE_MAX: i16 = 125;
/// A consent code works for 15 minutes.
pub const OFFER_HOLDS_S: i64 = 15 * 60;
/// A help ends by itself within a year; it can be given again.
pub const HELP_MAX_DAYS: i64 = 366;
/// A role ends by itself within a year; it can be granted again.
pub const ROLE_MAX_DAYS: i64 = 366;
/// A person helps at most this many others: more is no family, and a way to collect records.
pub const HELPING_MAX: u32 = 10;
/// A parent's help outlasts the 14th birthday by this, so that nobody stands at a door on their
/// birthday without a code (no hard cliffs).
pub const CHILD_GRACE_DAYS: i32 = 90;
/// Characters of a person's name.
pub const NAME_MAX: usize = 60;
/// Characters of an organisation's name.
pub const ORGANISATION_NAME_MAX: usize = 80;
/// Characters of a mail address (RFC 5321: a path is at most 256 octets with its brackets).
pub const EMAIL_MAX: usize = 254;

pub(crate) fn citizen(
    it: &Citizen,
    command: CitizenCommand,
    now: Instant,
) -> Result<Vec<CitizenEvent>, Refusal> {
    use CitizenCommand as C;
    match command {
        C::Register { registration, phone, taken } => register(it, registration, &phone, taken),
        C::RegisterChild { registration, parent, helping } => {
            register_child(it, registration, parent, helping)
        }
        C::RegisterAtDesk { registration, id_checked } => {
            looked_at(id_checked)?;
            Ok(vec![registered(it, registration, None)?])
        }
        C::ChangePhone { asker, phone, taken } => change_phone(it, asker, &phone, taken, now),
        C::ChangePhoneAtDesk { officer, id_checked, phone, reason, taken } => {
            change_phone_at_desk(it, officer, id_checked, phone, reason, taken)
        }
        C::CorrectName { asker, name } => {
            present(it)?;
            own_or_parent(it, asker, now)?;
            let name = person_name(&name)?;
            let unchanged = it.name == name;
            Ok(if unchanged { vec![] } else { vec![CitizenEvent::NameCorrected { name }] })
        }
        C::ChooseLocale { locale } => {
            present(it)?;
            let unchanged = it.locale == locale;
            Ok(if unchanged { vec![] } else { vec![CitizenEvent::LocaleChosen { locale }] })
        }
        C::OfferHelp { asker, offer } => {
            present(it)?;
            own_or_parent(it, asker, now)?;
            let until = now.plus_seconds(OFFER_HOLDS_S);
            Ok(vec![CitizenEvent::HelpOffered { offer, until }])
        }
        C::AcceptHelp { offer, person, helper, kin, until, helping } => {
            let fits = it.offer.as_ref().is_some_and(|(tag, end)| *tag == offer && now < *end);
            if it.phase != Phase::Present || !fits {
                return Err(Refusal::HelpOfferUnknown);
            }
            grant_help(person, helper, kin, Ground::Consent, until, helping, now)
        }
        C::GrantHelpAtDesk { person, helper, kin, until, id_checked, helping } => {
            present(it)?;
            looked_at(id_checked)?;
            grant_help(person, helper, kin, Ground::Desk, until, helping, now)
        }
        C::EndHelp { helper, asker } => end_help(it, helper, asker),
        C::Forget { asker, sole_helper_of } => {
            present(it)?;
            // `haetae forget` carries out a request that came by letter or from a court.
            if asker != Asker::System {
                own_or_parent(it, asker, now)?;
            }
            if sole_helper_of > 0 {
                return Err(Refusal::DependantsRemain);
            }
            Ok(vec![CitizenEvent::Forgotten])
        }
    }
}

fn register(
    it: &Citizen,
    registration: Registration,
    phone: &str,
    taken: bool,
) -> Result<Vec<CitizenEvent>, Refusal> {
    let phone = web::phone::normal(phone).ok_or(Refusal::PhoneInvalid)?;
    if taken {
        return Err(Refusal::PhoneTaken);
    }
    let (born, today) = (registration.birth_date, registration.today);
    let event = registered(it, registration, Some(phone))?;
    if today < birthday(born, CONSENT_AGE) {
        return Err(Refusal::TooYoung);
    }
    Ok(vec![event])
}

fn register_child(
    it: &Citizen,
    registration: Registration,
    parent: Id<Person>,
    helping: u32,
) -> Result<Vec<CitizenEvent>, Refusal> {
    let (born, today) = (registration.birth_date, registration.today);
    let event = registered(it, registration, None)?;
    let of_age = birthday(born, CONSENT_AGE);
    if of_age <= today {
        return Err(Refusal::NotAChild);
    }
    if helping >= HELPING_MAX {
        return Err(Refusal::HelpTooMany);
    }
    let last = of_age.plus_days(CHILD_GRACE_DAYS);
    let help = CitizenEvent::HelpGranted {
        helper: parent,
        kin: Kin::Child,
        ground: Ground::Parent,
        until: Instant::from_seconds(i64::from(last.days()) * 86_400),
    };
    Ok(vec![event, help])
}

fn registered(
    it: &Citizen,
    registration: Registration,
    phone: Option<String>,
) -> Result<CitizenEvent, Refusal> {
    if it.phase != Phase::Absent {
        return Err(Refusal::AlreadyRegistered);
    }
    let Registration { name, birth_date, locale, today } = registration;
    let name = person_name(&name)?;
    if today < birth_date || birthday(birth_date, AGE_MAX) <= today {
        return Err(Refusal::BirthDateInvalid);
    }
    Ok(CitizenEvent::Registered { name, birth_date, phone, locale })
}

fn change_phone(
    it: &Citizen,
    asker: Asker,
    phone: &str,
    taken: bool,
    now: Instant,
) -> Result<Vec<CitizenEvent>, Refusal> {
    present(it)?;
    own_or_parent(it, asker, now)?;
    let phone = web::phone::normal(phone).ok_or(Refusal::PhoneInvalid)?;
    if it.phone.as_ref() == Some(&phone) {
        return Ok(vec![CitizenEvent::PhoneConfirmed]);
    }
    if taken {
        return Err(Refusal::PhoneTaken);
    }
    Ok(vec![CitizenEvent::PhoneChanged { phone }])
}

/// The desk changes what the person cannot change without their number. A number that is nobody's
/// any more is freed: whoever verifies it next is somebody new, and sees nothing of this record.
fn change_phone_at_desk(
    it: &Citizen,
    officer: Id<Staff>,
    id_checked: bool,
    phone: Option<String>,
    reason: PhoneReason,
    taken: bool,
) -> Result<Vec<CitizenEvent>, Refusal> {
    present(it)?;
    looked_at(id_checked)?;
    let phone = phone.map(|it| web::phone::normal(&it).ok_or(Refusal::PhoneInvalid)).transpose()?;
    if it.phone == phone {
        return Err(Refusal::PhoneUnchanged);
    }
    if taken {
        return Err(Refusal::PhoneTaken);
    }
    Ok(vec![CitizenEvent::PhoneChangedAtDesk { phone, reason, by: officer }])
}

fn grant_help(
    person: Id<Person>,
    helper: Id<Person>,
    kin: Kin,
    ground: Ground,
    until: Instant,
    helping: u32,
    now: Instant,
) -> Result<Vec<CitizenEvent>, Refusal> {
    if person == helper {
        return Err(Refusal::HelpOneself);
    }
    if until <= now || now.plus_days(HELP_MAX_DAYS) < until {
        return Err(Refusal::HelpTermInvalid);
    }
    if helping >= HELPING_MAX {
        return Err(Refusal::HelpTooMany);
    }
    Ok(vec![CitizenEvent::HelpGranted { helper, kin, ground, until }])
}

/// The helped person ends a help at any time, a helper their own, an officer for somebody who
/// stands before them. A help that has run out may be ended too: it leaves the list.
fn end_help(it: &Citizen, helper: Id<Person>, asker: Asker) -> Result<Vec<CitizenEvent>, Refusal> {
    if it.phase != Phase::Present || !it.helpers.contains_key(&helper) {
        return Err(Refusal::HelpNone);
    }
    match asker {
        Asker::Own | Asker::System => {}
        Asker::Helper(asking) if asking == helper => {}
        Asker::Helper(_) => return Err(Refusal::NotYours),
        Asker::Desk { id_checked } => looked_at(id_checked)?,
    }
    Ok(vec![CitizenEvent::HelpEnded { helper }])
}

fn present(it: &Citizen) -> Result<(), Refusal> {
    if it.phase == Phase::Present { Ok(()) } else { Err(Refusal::NotRegistered) }
}

fn looked_at(id_checked: bool) -> Result<(), Refusal> {
    if id_checked { Ok(()) } else { Err(Refusal::IdNotChecked) }
}

/// What changes who somebody is, or who may act for them, is theirs alone: a helper who could do it
/// would own the record. The parent of a child decides for the child.
fn own_or_parent(it: &Citizen, asker: Asker, now: Instant) -> Result<(), Refusal> {
    match asker {
        Asker::Own => Ok(()),
        Asker::Helper(helper)
            if it.help_by(helper, now).is_some_and(|help| help.kin == Kin::Child) =>
        {
            Ok(())
        }
        Asker::Helper(_) | Asker::Desk { .. } | Asker::System => Err(Refusal::NotYours),
    }
}

fn person_name(name: &str) -> Result<String, Refusal> {
    clean(name, NAME_MAX).map_err(|_| Refusal::NameInvalid)
}

/// The day on which somebody born on `born` becomes `age`. Born on 29 February: 1 March in other
/// years (Korean Civil Act, article 160: the term ends with the last day of February).
pub fn birthday(born: Date, age: i16) -> Date {
    let text = born.to_string();
    let mut parts = text.split('-').map(str::parse::<i16>);
    let (Some(Ok(year)), Some(Ok(month)), Some(Ok(day))) =
        (parts.next(), parts.next(), parts.next())
    else {
        return born;
    };
    let (month, day) = (i8::try_from(month).unwrap_or(1), i8::try_from(day).unwrap_or(1));
    let year = year.saturating_add(age);
    Date::from_calendar(year, month, day)
        .or_else(|| Date::from_calendar(year, 3, 1))
        .unwrap_or_else(|| Date::from_days(i32::MAX))
}

pub(crate) fn staff(
    it: &StaffMember,
    command: StaffCommand,
    now: Instant,
) -> Result<Vec<StaffEvent>, Refusal> {
    use StaffCommand as C;
    match command {
        C::Appoint { name, phone, email, by } => appoint(it, &name, phone, email, by),
        C::GrantRole { staff, grant, by, scope_open } => {
            at_work(it)?;
            if let Some(by) = by {
                another_administrator(by, staff)?;
            }
            if !scope_open {
                return Err(Refusal::OrganisationClosed);
            }
            if grant.until <= now || now.plus_days(ROLE_MAX_DAYS) < grant.until {
                return Err(Refusal::GrantTermInvalid);
            }
            Ok(vec![StaffEvent::RoleGranted { grant, by: by.map(|it| it.staff) }])
        }
        C::EndRole { role, scope, by, another_administrator } => {
            administrator(by)?;
            if !it.grants.iter().any(|grant| (grant.role, grant.scope) == (role, scope)) {
                return Err(Refusal::GrantNone);
            }
            let of_region = (role, scope) == (Role::Administrator, Scope::Region);
            if of_region && !another_administrator {
                return Err(Refusal::LastAdministrator);
            }
            Ok(vec![StaffEvent::RoleEnded { role, scope, by: by.staff }])
        }
        // Whoever suspends is another administrator: the region never loses its last one.
        C::Suspend { staff, by } => {
            another_administrator(by, staff)?;
            at_work(it)?;
            Ok(vec![StaffEvent::Suspended { by: by.staff }])
        }
        C::Resume { staff, by } => {
            another_administrator(by, staff)?;
            match it.phase {
                Phase::Ended => Ok(vec![StaffEvent::Resumed { by: by.staff }]),
                Phase::Present => Ok(Vec::new()),
                Phase::Absent => Err(Refusal::StaffUnknown),
            }
        }
        C::Forget { by, last_administrator } => {
            if let Some(by) = by {
                administrator(by)?;
            }
            if it.phase == Phase::Absent {
                return Err(Refusal::StaffUnknown);
            }
            if last_administrator {
                return Err(Refusal::LastAdministrator);
            }
            Ok(vec![StaffEvent::Forgotten { by: by.map(|it| it.staff) }])
        }
    }
}

fn appoint(
    it: &StaffMember,
    name: &str,
    phone: Option<String>,
    email: Option<String>,
    by: Option<Administrator>,
) -> Result<Vec<StaffEvent>, Refusal> {
    if let Some(by) = by {
        administrator(by)?;
    }
    if it.phase != Phase::Absent {
        return Err(Refusal::StaffExists);
    }
    let name = person_name(name)?;
    let phone = match phone.filter(|it| !it.trim().is_empty()) {
        Some(it) => Some(web::phone::normal(&it).ok_or(Refusal::PhoneInvalid)?),
        None => None,
    };
    let email = match email.filter(|it| !it.trim().is_empty()) {
        Some(it) => Some(mail_address(&it)?),
        None => None,
    };
    // The first administrator is whoever started the program: nobody has to reach them.
    if by.is_some() && phone.is_none() && email.is_none() {
        return Err(Refusal::StaffContactMissing);
    }
    Ok(vec![StaffEvent::Appointed { name, phone, email, by: by.map(|it| it.staff) }])
}

/// Something, `@`, something with a dot: the mail server knows the rest better.
fn mail_address(text: &str) -> Result<String, Refusal> {
    let text = clean(text, EMAIL_MAX).map_err(|_| Refusal::StaffContactMissing)?;
    let (local, domain) = text.split_once('@').ok_or(Refusal::StaffContactMissing)?;
    let plain = !text.contains(char::is_whitespace) && !domain.contains('@');
    if local.is_empty() || !domain.contains('.') || !plain {
        return Err(Refusal::StaffContactMissing);
    }
    Ok(text)
}

fn administrator(by: Administrator) -> Result<(), Refusal> {
    if by.of_region { Ok(()) } else { Err(Refusal::NotAdministrator) }
}

/// An administrator who is not the member of staff in question.
fn another_administrator(by: Administrator, staff: Id<Staff>) -> Result<(), Refusal> {
    administrator(by)?;
    if by.staff == staff { Err(Refusal::GrantToOneself) } else { Ok(()) }
}

fn at_work(it: &StaffMember) -> Result<(), Refusal> {
    match it.phase {
        Phase::Present => Ok(()),
        Phase::Ended => Err(Refusal::StaffSuspended),
        Phase::Absent => Err(Refusal::StaffUnknown),
    }
}

pub(crate) fn organisation(
    it: &OrganisationRecord,
    command: OrganisationCommand,
) -> Result<Vec<OrganisationEvent>, Refusal> {
    use OrganisationCommand as C;
    match command {
        C::Open { name, kind, by } => {
            administrator(by)?;
            if it.phase != Phase::Absent {
                return Err(Refusal::OrganisationExists);
            }
            let name = organisation_name(&name)?;
            Ok(vec![OrganisationEvent::Opened { name, kind }])
        }
        C::Rename { name, by } => {
            administrator(by)?;
            open(it)?;
            let name = organisation_name(&name)?;
            let unchanged = it.name == name;
            Ok(if unchanged { vec![] } else { vec![OrganisationEvent::Renamed { name }] })
        }
        C::Close { by } => {
            administrator(by)?;
            open(it)?;
            Ok(vec![OrganisationEvent::Closed])
        }
    }
}

fn open(it: &OrganisationRecord) -> Result<(), Refusal> {
    if it.phase == Phase::Present { Ok(()) } else { Err(Refusal::OrganisationUnknown) }
}

fn organisation_name(name: &str) -> Result<String, Refusal> {
    clean(name, ORGANISATION_NAME_MAX).map_err(|_| Refusal::NameInvalid)
}
