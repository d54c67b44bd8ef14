//! Every "no" of this slice, with a stable code.

use kernel::Arg;

use crate::decide::{ENTRY_DAYS, LABEL_MAX, NAME_MAX, STALE_HOURS_MAX, WAITING_MAX, WHY_MAX};
use crate::queue::ENTRIES_MAX;

/// An expected refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such place.
    PlaceUnknown,
    /// The place is open already.
    PlaceAlreadyOpen,
    /// The place is closed.
    PlaceClosed,
    /// No open place has this code.
    PlaceCodeUnknown,
    /// The name is empty, too long, or not showable.
    NameInvalid,
    /// The hours are out of range.
    PolicyInvalid,
    /// There is no such device.
    DeviceUnknown,
    /// The device has asked before.
    DeviceAlreadyAsked,
    /// The label is empty, too long, or not showable.
    LabelInvalid,
    /// Nobody waits for this answer any more.
    DeviceNotWaiting,
    /// The device waits for approval, or was refused.
    DeviceNotApproved,
    /// The device's permission was taken back.
    DeviceWithdrawn,
    /// The device asked too long ago; it must ask again.
    EnrolmentExpired,
    /// Too many devices wait at this place.
    TooManyWaiting,
    /// The bytes are not a public key.
    KeyInvalid,
    /// The device did not sign this.
    SignatureBad,
    /// The device's clock differs too much from the server's.
    ClockOff,
    /// The batch does not have the form.
    BatchMalformed,
    /// The batch has too many entries.
    BatchTooLarge,
    /// An entry does not open with the batch's key.
    EntryUnreadable,
    /// An entry opens and does not have the form.
    EntryMalformed,
    /// An entry's number does not follow, or lies too far from the batch's first.
    EntryNumber,
    /// An entry with this number was taken before.
    EntryRepeated,
    /// The typed text is not a short code.
    ShortCodeInvalid,
    /// Only a closed place can be removed.
    PlaceInUse,
    /// The place's entries are still kept.
    PlaceKept,
    /// Only a device that was refused or withdrawn can be removed.
    DeviceInUse,
    /// The reason is empty, too long, or not showable.
    WhyInvalid,
}

impl Refusal {
    /// All refusals.
    pub const ALL: [Self; 28] = [
        Self::PlaceUnknown,
        Self::PlaceAlreadyOpen,
        Self::PlaceClosed,
        Self::PlaceCodeUnknown,
        Self::NameInvalid,
        Self::PolicyInvalid,
        Self::DeviceUnknown,
        Self::DeviceAlreadyAsked,
        Self::LabelInvalid,
        Self::DeviceNotWaiting,
        Self::DeviceNotApproved,
        Self::DeviceWithdrawn,
        Self::EnrolmentExpired,
        Self::TooManyWaiting,
        Self::KeyInvalid,
        Self::SignatureBad,
        Self::ClockOff,
        Self::BatchMalformed,
        Self::BatchTooLarge,
        Self::EntryUnreadable,
        Self::EntryMalformed,
        Self::EntryNumber,
        Self::EntryRepeated,
        Self::ShortCodeInvalid,
        Self::PlaceInUse,
        Self::PlaceKept,
        Self::DeviceInUse,
        Self::WhyInvalid,
    ];

    /// Code and status; the one place that knows both.
    const fn row(self) -> (&'static str, u16) {
        match self {
            Self::PlaceUnknown => ("gate-place-unknown", 404),
            Self::PlaceAlreadyOpen => ("gate-place-already-open", 409),
            Self::PlaceClosed => ("gate-place-closed", 409),
            Self::PlaceCodeUnknown => ("gate-place-code-unknown", 422),
            Self::NameInvalid => ("gate-name-invalid", 422),
            Self::PolicyInvalid => ("gate-policy-invalid", 422),
            Self::DeviceUnknown => ("gate-device-unknown", 404),
            Self::DeviceAlreadyAsked => ("gate-device-already-asked", 409),
            Self::LabelInvalid => ("gate-label-invalid", 422),
            Self::DeviceNotWaiting => ("gate-device-not-waiting", 409),
            Self::DeviceNotApproved => ("gate-device-not-approved", 403),
            Self::DeviceWithdrawn => ("gate-device-withdrawn", 403),
            Self::EnrolmentExpired => ("gate-enrolment-expired", 409),
            Self::TooManyWaiting => ("gate-too-many-waiting", 429),
            Self::KeyInvalid => ("gate-key-invalid", 422),
            Self::SignatureBad => ("gate-signature-bad", 403),
            Self::ClockOff => ("gate-clock-off", 422),
            Self::BatchMalformed => ("gate-batch-malformed", 422),
            Self::BatchTooLarge => ("gate-batch-too-large", 413),
            Self::EntryUnreadable => ("gate-entry-unreadable", 422),
            Self::EntryMalformed => ("gate-entry-malformed", 422),
            Self::EntryNumber => ("gate-entry-number", 422),
            Self::EntryRepeated => ("gate-entry-repeated", 409),
            Self::ShortCodeInvalid => ("gate-short-code-invalid", 422),
            Self::PlaceInUse => ("gate-place-in-use", 409),
            Self::PlaceKept => ("gate-place-kept", 409),
            Self::DeviceInUse => ("gate-device-in-use", 409),
            Self::WhyInvalid => ("gate-why-invalid", 422),
        }
    }

    /// The stable code.
    pub const fn word(self) -> &'static str {
        self.row().0
    }
}

/// Every code with its status, for the list of problems.
pub const REFUSALS: &[(&str, u16)] = &{
    let mut rows = [("", 0); Refusal::ALL.len()];
    let mut at = 0;
    while at < rows.len() {
        #[allow(clippy::indexing_slicing, reason = "bounded by the loop, at compile time")]
        {
            rows[at] = Refusal::ALL[at].row();
        }
        at += 1;
    }
    rows
};

impl kernel::Refusal for Refusal {
    fn code(&self) -> &'static str {
        self.row().0
    }

    fn status(&self) -> u16 {
        self.row().1
    }

    fn args(&self) -> Vec<(&'static str, Arg)> {
        let max = |it: usize| vec![("max", Arg::Number(i64::try_from(it).unwrap_or(i64::MAX)))];
        match self {
            Self::NameInvalid => max(NAME_MAX),
            Self::LabelInvalid => max(LABEL_MAX),
            Self::WhyInvalid => max(WHY_MAX),
            Self::BatchTooLarge => max(ENTRIES_MAX),
            Self::PlaceKept => vec![("days", Arg::Number(i64::from(ENTRY_DAYS)))],
            Self::PolicyInvalid => vec![("max", Arg::Number(i64::from(STALE_HOURS_MAX)))],
            Self::TooManyWaiting => {
                vec![("max", Arg::Number(i64::try_from(WAITING_MAX).unwrap_or(i64::MAX)))]
            }
            _ => Vec::new(),
        }
    }
}
