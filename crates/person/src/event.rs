//! What has happened to citizens, staff and organisations. Append-only: a variant is never edited
//! or removed, only superseded. Every payload is sealed under the key of whom it is about.

use contracts::person::{Grant, Person, Role, Scope, Staff};
use kernel::{Date, Fact, Id, Instant, Locale};
use serde::{Deserialize, Serialize};

/// Whose word a help stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ground {
    /// The helped person gave their consent code.
    Consent,
    /// A parent registered a child under 14 (Korean PIPA, article 22-2).
    Parent,
    /// Consent given in person at the desk, with the identity document looked at.
    Desk,
}

impl Ground {
    /// The word in views and text keys.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Consent => "consent",
            Self::Parent => "parent",
            Self::Desk => "desk",
        }
    }

    /// The ground with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Consent, Self::Parent, Self::Desk].into_iter().find(|it| it.word() == word)
    }
}

/// What the helped person is to the helper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kin {
    /// The helper's child.
    Child,
    /// The helper's parent.
    Parent,
    /// Anybody else.
    Other,
}

impl Kin {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Parent, Self::Child, Self::Other];

    /// The word in views, forms and text keys.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Child => "child",
            Self::Parent => "parent",
            Self::Other => "other",
        }
    }

    /// The kin with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.word() == word)
    }
}

/// Why the desk changes a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhoneReason {
    /// The phone or its number is lost.
    Lost,
    /// The carrier has given the number to somebody else.
    Reassigned,
    /// The number was never this person's: a typing error.
    Mistyped,
}

impl PhoneReason {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Lost, Self::Reassigned, Self::Mistyped];

    /// The word in forms and text keys.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Reassigned => "reassigned",
            Self::Mistyped => "mistyped",
        }
    }

    /// The reason with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.word() == word)
    }
}

/// What has happened to one citizen's record (`person.citizen`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum CitizenEvent {
    /// The record began. Without a phone: a child, or somebody who has none.
    Registered {
        /// The name as the person writes it.
        name: String,
        /// The day of birth.
        birth_date: Date,
        /// The verified number in E.164.
        phone: Option<String>,
        /// The language for messages.
        locale: Locale,
    },
    /// Another number, verified by a code that was sent to it.
    PhoneChanged {
        /// The verified number in E.164.
        phone: String,
    },
    /// Another number, or none, by an officer who has looked at the identity document. Whoever
    /// held the old one may have made a consent code: it stops working.
    PhoneChangedAtDesk {
        /// The number in E.164, verified by a code that was sent to it; `None` frees the old one.
        phone: Option<String>,
        /// Why.
        reason: PhoneReason,
        /// Which officer.
        by: Id<Staff>,
    },
    /// The same number, verified once more.
    PhoneConfirmed,
    /// The name was misspelt, or has changed.
    NameCorrected {
        /// The name from now on.
        name: String,
    },
    /// Another language for messages.
    LocaleChosen {
        /// The language from now on.
        locale: Locale,
    },
    /// The person made a consent code. Whoever types it before `until` may help.
    HelpOffered {
        /// The code's keyed tag in hex; the code itself is kept nowhere.
        offer: String,
        /// When the code stops working.
        until: Instant,
    },
    /// Somebody may act for this person.
    HelpGranted {
        /// Who.
        helper: Id<Person>,
        /// What this person is to the helper.
        kin: Kin,
        /// Whose word it stands on.
        ground: Ground,
        /// When it ends by itself.
        until: Instant,
    },
    /// Somebody may no longer act for this person.
    HelpEnded {
        /// Who.
        helper: Id<Person>,
    },
    /// The person asked for deletion. The key is destroyed right after.
    Forgotten,
}

impl Fact for CitizenEvent {
    fn kind(&self) -> &'static str {
        match self {
            Self::Registered { .. } => "person.registered.v1",
            Self::PhoneChanged { .. } => "person.phone_changed.v1",
            Self::PhoneChangedAtDesk { .. } => "person.phone_changed_at_desk.v1",
            Self::PhoneConfirmed => "person.phone_confirmed.v1",
            Self::NameCorrected { .. } => "person.name_corrected.v1",
            Self::LocaleChosen { .. } => "person.locale_chosen.v1",
            Self::HelpOffered { .. } => "person.help_offered.v1",
            Self::HelpGranted { .. } => "person.help_granted.v1",
            Self::HelpEnded { .. } => "person.help_ended.v1",
            Self::Forgotten => "person.forgotten.v1",
        }
    }
}

/// What has happened to one member of staff (`person.staff`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum StaffEvent {
    /// Began to work here.
    Appointed {
        /// The name.
        name: String,
        /// The number in E.164.
        phone: Option<String>,
        /// The mail address.
        email: Option<String>,
        /// Who appointed; `None` at the first start.
        by: Option<Id<Staff>>,
    },
    /// May do something, somewhere, until an instant. Replaces a grant of the same role and scope.
    RoleGranted {
        /// What, where, until when.
        grant: Grant,
        /// Who granted it; `None` at the first start.
        by: Option<Id<Staff>>,
    },
    /// May no longer do it.
    RoleEnded {
        /// What.
        role: Role,
        /// Where.
        scope: Scope,
        /// Who ended it.
        by: Id<Staff>,
    },
    /// May do nothing until resumed.
    Suspended {
        /// Who suspended.
        by: Id<Staff>,
    },
    /// The grants that have not run out hold again.
    Resumed {
        /// Who resumed.
        by: Id<Staff>,
    },
    /// Left, and everything about them is erased: the key is destroyed right after.
    Forgotten {
        /// Who deleted; `None` for the operator's command.
        by: Option<Id<Staff>>,
    },
}

impl Fact for StaffEvent {
    fn kind(&self) -> &'static str {
        match self {
            Self::Appointed { .. } => "person.appointed.v1",
            Self::RoleGranted { .. } => "person.role_granted.v1",
            Self::RoleEnded { .. } => "person.role_ended.v1",
            Self::Suspended { .. } => "person.suspended.v1",
            Self::Resumed { .. } => "person.resumed.v1",
            Self::Forgotten { .. } => "person.staff_forgotten.v1",
        }
    }
}

/// What an organisation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrganisationKind {
    /// A public office.
    PublicOffice,
    /// A hospital, a clinic, a pharmacy.
    Clinic,
    /// A school or a university.
    School,
    /// A company.
    Company,
    /// Anything else.
    Other,
}

impl OrganisationKind {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::PublicOffice, Self::Clinic, Self::School, Self::Company, Self::Other];

    /// The word in views, forms and text keys.
    pub const fn word(self) -> &'static str {
        match self {
            Self::PublicOffice => "public_office",
            Self::Clinic => "clinic",
            Self::School => "school",
            Self::Company => "company",
            Self::Other => "other",
        }
    }

    /// The kind with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.word() == word)
    }
}

/// What has happened to one organisation (`person.organisation`). Sealed like a person's: the name
/// of a shelter is nobody's business (New South Wales, 2021).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum OrganisationEvent {
    /// Takes part from now on.
    Opened {
        /// The name.
        name: String,
        /// What it is.
        kind: OrganisationKind,
    },
    /// Has another name.
    Renamed {
        /// The name from now on.
        name: String,
    },
    /// No longer takes part; the roles in it end, and the key is destroyed right after.
    Closed,
}

impl Fact for OrganisationEvent {
    fn kind(&self) -> &'static str {
        match self {
            Self::Opened { .. } => "person.organisation_opened.v1",
            Self::Renamed { .. } => "person.organisation_renamed.v1",
            Self::Closed => "person.organisation_closed.v1",
        }
    }
}
