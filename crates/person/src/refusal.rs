//! How this slice says no. A code is never changed once published.

use kernel::Arg;

/// An expected refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The region has an administrator already.
    AlreadySetUp,
    /// There is a record already.
    AlreadyRegistered,
    /// The day of birth cannot be one.
    BirthDateInvalid,
    /// The word typed to confirm the deletion is another.
    ConfirmationWrong,
    /// People without a phone would be left without anybody who acts for them.
    DependantsRemain,
    /// There is no such role to end.
    GrantNone,
    /// A role ends after now and within a year.
    GrantTermInvalid,
    /// Nobody grants, suspends or resumes themselves.
    GrantToOneself,
    /// There is no such help.
    HelpNone,
    /// The consent code is wrong, used, or too old: which of these is not told.
    HelpOfferUnknown,
    /// Nobody helps themselves.
    HelpOneself,
    /// A help ends after now and within a year.
    HelpTermInvalid,
    /// A person helps at most [`crate::decide::HELPING_MAX`] others.
    HelpTooMany,
    /// The officer must look at the identity document.
    IdNotChecked,
    /// Nobody would administer the region.
    LastAdministrator,
    /// The name is empty, too long, or holds what cannot be shown.
    NameInvalid,
    /// Only a child under 14 is registered by a parent.
    NotAChild,
    /// Only an administrator of the whole region may.
    NotAdministrator,
    /// There is no such person, or none that the asker may know of.
    NotRegistered,
    /// Only the person themselves may do this, or the parent of a child.
    NotYours,
    /// The organisation takes part no longer.
    OrganisationClosed,
    /// There is such an organisation already.
    OrganisationExists,
    /// There is no such organisation.
    OrganisationUnknown,
    /// That is no phone number.
    PhoneInvalid,
    /// Another record holds the number. Told only after its holder has verified it.
    PhoneTaken,
    /// The record holds that number already, or has none that could be freed.
    PhoneUnchanged,
    /// A member of staff is reached by phone or by mail.
    StaffContactMissing,
    /// There is such a member of staff already.
    StaffExists,
    /// The member of staff is suspended, or is not.
    StaffSuspended,
    /// There is no such member of staff.
    StaffUnknown,
    /// Under 14 a parent registers (Korean PIPA, article 22-2).
    TooYoung,
}

/// Every refusal, for the house's table of codes.
const ALL: [Refusal; 31] = [
    Refusal::AlreadySetUp,
    Refusal::AlreadyRegistered,
    Refusal::BirthDateInvalid,
    Refusal::ConfirmationWrong,
    Refusal::DependantsRemain,
    Refusal::GrantNone,
    Refusal::GrantTermInvalid,
    Refusal::GrantToOneself,
    Refusal::HelpNone,
    Refusal::HelpOfferUnknown,
    Refusal::HelpOneself,
    Refusal::HelpTermInvalid,
    Refusal::HelpTooMany,
    Refusal::IdNotChecked,
    Refusal::LastAdministrator,
    Refusal::NameInvalid,
    Refusal::NotAChild,
    Refusal::NotAdministrator,
    Refusal::NotRegistered,
    Refusal::NotYours,
    Refusal::OrganisationClosed,
    Refusal::OrganisationExists,
    Refusal::OrganisationUnknown,
    Refusal::PhoneInvalid,
    Refusal::PhoneTaken,
    Refusal::PhoneUnchanged,
    Refusal::StaffContactMissing,
    Refusal::StaffExists,
    Refusal::StaffSuspended,
    Refusal::StaffUnknown,
    Refusal::TooYoung,
];

/// Code and status of every refusal.
pub const REFUSALS: [(&str, u16); ALL.len()] = {
    let mut table = [("", 0); ALL.len()];
    let mut index = 0;
    #[allow(clippy::indexing_slicing, reason = "both arrays have the length that bounds the loop")]
    while index < ALL.len() {
        table[index] = ALL[index].row();
        index += 1;
    }
    table
};

impl Refusal {
    const fn row(self) -> (&'static str, u16) {
        match self {
            Self::AlreadySetUp => ("person-already-set-up", 409),
            Self::AlreadyRegistered => ("person-already-registered", 409),
            Self::BirthDateInvalid => ("person-birth-date-invalid", 422),
            Self::ConfirmationWrong => ("person-confirmation-wrong", 422),
            Self::DependantsRemain => ("person-dependants-remain", 409),
            Self::GrantNone => ("person-grant-none", 404),
            Self::GrantTermInvalid => ("person-grant-term-invalid", 422),
            Self::GrantToOneself => ("person-grant-to-oneself", 403),
            Self::HelpNone => ("person-help-none", 404),
            Self::HelpOfferUnknown => ("person-help-offer-unknown", 422),
            Self::HelpOneself => ("person-help-oneself", 422),
            Self::HelpTermInvalid => ("person-help-term-invalid", 422),
            Self::HelpTooMany => ("person-help-too-many", 409),
            Self::IdNotChecked => ("person-id-not-checked", 422),
            Self::LastAdministrator => ("person-last-administrator", 409),
            Self::NameInvalid => ("person-name-invalid", 422),
            Self::NotAChild => ("person-not-a-child", 422),
            Self::NotAdministrator => ("person-not-administrator", 403),
            Self::NotRegistered => ("person-not-registered", 404),
            Self::NotYours => ("person-not-yours", 403),
            Self::OrganisationClosed => ("person-organisation-closed", 409),
            Self::OrganisationExists => ("person-organisation-exists", 409),
            Self::OrganisationUnknown => ("person-organisation-unknown", 404),
            Self::PhoneInvalid => ("person-phone-invalid", 422),
            Self::PhoneTaken => ("person-phone-taken", 409),
            Self::PhoneUnchanged => ("person-phone-unchanged", 422),
            Self::StaffContactMissing => ("person-staff-contact-missing", 422),
            Self::StaffExists => ("person-staff-exists", 409),
            Self::StaffSuspended => ("person-staff-suspended", 409),
            Self::StaffUnknown => ("person-staff-unknown", 404),
            Self::TooYoung => ("person-too-young", 422),
        }
    }
}

impl kernel::Refusal for Refusal {
    fn code(&self) -> &'static str {
        self.row().0
    }

    fn status(&self) -> u16 {
        self.row().1
    }

    fn args(&self) -> Vec<(&'static str, Arg)> {
        let number = |it: u32| Arg::Number(i64::from(it));
        match self {
            Self::HelpTooMany => vec![("max", number(crate::decide::HELPING_MAX))],
            Self::TooYoung | Self::NotAChild => {
                vec![("age", Arg::Number(i64::from(crate::decide::CONSENT_AGE)))]
            }
            _ => Vec::new(),
        }
    }
}
