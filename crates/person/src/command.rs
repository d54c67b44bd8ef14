//! What may be asked of a citizen's record, of a member of staff, of an organisation. Whatever a
//! rule needs to know from elsewhere comes in with the command, read in the same transaction
//! ([`crate::door`]).

use contracts::person::{Grant, Person, Role, Scope, Staff};
use kernel::{Date, Id, Instant, Locale};

use crate::event::{Kin, OrganisationKind, PhoneReason};

/// Who asks something of a citizen's record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker {
    /// The person.
    Own,
    /// Somebody who helps, or says so: `decide` looks.
    Helper(Id<Person>),
    /// An officer with the person in front of them; `id_checked`: the officer has looked at the
    /// identity document.
    Desk {
        /// The box that the officer ticks.
        id_checked: bool,
    },
    /// The house itself, never by a route: another record's end (a helper was forgotten), or the
    /// operator's `haetae forget`.
    System,
}

/// What a citizen's record begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The name as typed.
    pub name: String,
    /// The day of birth.
    pub birth_date: Date,
    /// The language for messages.
    pub locale: Locale,
    /// Today in the city's zone: ages are counted by it.
    pub today: Date,
}

/// What may be asked of one citizen's record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CitizenCommand {
    /// Registers oneself with a verified number.
    Register {
        /// Name, day of birth, language.
        registration: Registration,
        /// The verified number.
        phone: String,
        /// Whether another record holds the number.
        taken: bool,
    },
    /// A parent registers a child under 14, who needs no phone.
    RegisterChild {
        /// Name, day of birth, language.
        registration: Registration,
        /// The parent.
        parent: Id<Person>,
        /// How many people the parent helps already.
        helping: u32,
    },
    /// An officer registers somebody without a phone.
    RegisterAtDesk {
        /// Name, day of birth, language.
        registration: Registration,
        /// The officer has looked at the identity document.
        id_checked: bool,
    },
    /// Takes another number, or confirms the present one; it was verified by a code.
    ChangePhone {
        /// Who asks.
        asker: Asker,
        /// The verified number.
        phone: String,
        /// Whether another record holds the number.
        taken: bool,
    },
    /// An officer sets another number, or frees the present one.
    ChangePhoneAtDesk {
        /// Which officer.
        officer: Id<Staff>,
        /// The officer has looked at the identity document.
        id_checked: bool,
        /// The verified number; `None` frees the present one.
        phone: Option<String>,
        /// Why.
        reason: PhoneReason,
        /// Whether another record holds the number.
        taken: bool,
    },
    /// Corrects the name.
    CorrectName {
        /// Who asks.
        asker: Asker,
        /// The name as typed.
        name: String,
    },
    /// Chooses the language for messages.
    ChooseLocale {
        /// The language.
        locale: Locale,
    },
    /// Makes a consent code; an earlier one stops working.
    OfferHelp {
        /// Who asks.
        asker: Asker,
        /// The code's tag in hex.
        offer: String,
    },
    /// A helper types the consent code.
    AcceptHelp {
        /// The typed code's tag in hex.
        offer: String,
        /// Whose record this is.
        person: Id<Person>,
        /// Who will help.
        helper: Id<Person>,
        /// What the person is to the helper.
        kin: Kin,
        /// When it ends.
        until: Instant,
        /// How many people the helper helps already.
        helping: u32,
    },
    /// An officer records consent that was given in person.
    GrantHelpAtDesk {
        /// Whose record this is.
        person: Id<Person>,
        /// Who will help.
        helper: Id<Person>,
        /// What the person is to the helper.
        kin: Kin,
        /// When it ends.
        until: Instant,
        /// The officer has looked at both identity documents.
        id_checked: bool,
        /// How many people the helper helps already.
        helping: u32,
    },
    /// Ends a help.
    EndHelp {
        /// Whose help.
        helper: Id<Person>,
        /// Who asks.
        asker: Asker,
    },
    /// Deletes everything about the person.
    Forget {
        /// Who asks.
        asker: Asker,
        /// How many people without a phone nobody else could act for.
        sole_helper_of: u32,
    },
}

/// An administrator, as the roles in force at this moment say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Administrator {
    /// Who.
    pub staff: Id<Staff>,
    /// Whether they hold the administrator's role for the whole region now.
    pub of_region: bool,
}

/// What may be asked of one member of staff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StaffCommand {
    /// Appoints; `by: None` at the first start.
    Appoint {
        /// The name as typed.
        name: String,
        /// The number as typed.
        phone: Option<String>,
        /// The mail address as typed.
        email: Option<String>,
        /// Who appoints.
        by: Option<Administrator>,
    },
    /// Grants a role; `by: None` at the first start.
    GrantRole {
        /// To whom: the stream's own id.
        staff: Id<Staff>,
        /// What, where, until when.
        grant: Grant,
        /// Who grants.
        by: Option<Administrator>,
        /// Whether the scope's organisation is open; true for other scopes.
        scope_open: bool,
    },
    /// Ends a role.
    EndRole {
        /// What.
        role: Role,
        /// Where.
        scope: Scope,
        /// Who ends it.
        by: Administrator,
        /// Whether somebody else administers the region.
        another_administrator: bool,
    },
    /// Suspends.
    Suspend {
        /// Whom: the stream's own id.
        staff: Id<Staff>,
        /// Who suspends.
        by: Administrator,
    },
    /// Takes a suspension back.
    Resume {
        /// Whom: the stream's own id.
        staff: Id<Staff>,
        /// Who resumes.
        by: Administrator,
    },
    /// Deletes everything about the member of staff.
    Forget {
        /// Who deletes; `None` for the operator's command.
        by: Option<Administrator>,
        /// Whether nobody else administers the region.
        last_administrator: bool,
    },
}

/// What may be asked of one organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrganisationCommand {
    /// Lets it take part.
    Open {
        /// The name as typed.
        name: String,
        /// What it is.
        kind: OrganisationKind,
        /// Who opens it.
        by: Administrator,
    },
    /// Gives it another name.
    Rename {
        /// The name as typed.
        name: String,
        /// Who renames it.
        by: Administrator,
    },
    /// Lets it take part no longer, and erases what is kept about it.
    Close {
        /// Who closes it.
        by: Administrator,
    },
}
