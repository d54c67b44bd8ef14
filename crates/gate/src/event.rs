//! What has happened. Append-only: a variant is never edited or removed, only superseded.

use contracts::gate::{Demand, Place};
use contracts::person::{Organisation, Staff};
use credential::ShortCode;
use kernel::{Fact, Id, Instant};
use serde::{Deserialize, Serialize};

use crate::model::{PlaceKind, PublicKey};

/// What happened to a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum PlaceEvent {
    /// A place with a door was opened for checking codes.
    Opened {
        /// What stands over the door.
        name: String,
        /// Whose it is.
        organisation: Id<Organisation>,
        /// What kind of place.
        kind: PlaceKind,
        /// Never in any list or export (NSW 2021: shelters stood in a published register).
        sensitive: bool,
        /// What a guard types to enrol a device here.
        code: ShortCode,
    },
    /// It has another name now.
    Renamed {
        /// What stands over the door.
        name: String,
    },
    /// Nothing is checked here any more.
    Closed,
    /// What this place accepts.
    PolicySet {
        /// Whether printed codes (with a glance at an ID) are good enough.
        printed_allowed: bool,
        /// Hours after which a scanner's lists are too old to rely on.
        stale_hours: u32,
    },
    /// What this place asks for of passes that are not the region's own code.
    DemandSet {
        /// It.
        demand: Demand,
    },
    /// Nothing is kept of it any more: its key is destroyed in the same transaction.
    Removed {
        /// Who.
        by: Id<Staff>,
    },
}

impl Fact for PlaceEvent {
    fn kind(&self) -> &'static str {
        match self {
            Self::Opened { .. } => "gate.place_opened.v1",
            Self::Renamed { .. } => "gate.place_renamed.v1",
            Self::Closed => "gate.place_closed.v1",
            Self::PolicySet { .. } => "gate.place_policy_set.v1",
            Self::DemandSet { .. } => "gate.place_demand_set.v1",
            Self::Removed { .. } => "gate.place_removed.v1",
        }
    }
}

/// What happened to a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum DeviceEvent {
    /// A phone made a key pair and asks to check codes at a place.
    EnrolmentAsked {
        /// Where.
        place: Id<Place>,
        /// How its holder calls it.
        label: String,
        /// Its public key; the private one cannot leave the phone.
        public_key: PublicKey,
        /// When: an old question is not answered.
        asked_at: Instant,
    },
    /// The place's owner compared the pairing digits and agreed.
    Approved {
        /// Who.
        by: Id<Staff>,
    },
    /// The owner said no.
    Refused {
        /// Who.
        by: Id<Staff>,
    },
    /// It may check codes no longer: lost, replaced, the guard has left.
    Withdrawn {
        /// Who.
        by: Id<Staff>,
    },
    /// Nothing is kept of it any more: its key is destroyed in the same transaction.
    Removed {
        /// Who.
        by: Id<Staff>,
    },
}

impl Fact for DeviceEvent {
    fn kind(&self) -> &'static str {
        match self {
            Self::EnrolmentAsked { .. } => "gate.enrolment_asked.v1",
            Self::Approved { .. } => "gate.device_approved.v1",
            Self::Refused { .. } => "gate.device_refused.v1",
            Self::Withdrawn { .. } => "gate.device_withdrawn.v1",
            Self::Removed { .. } => "gate.device_removed.v1",
        }
    }
}

/// What happened to the lists that gates carry. Public: everybody may know from when on they count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ListsEvent {
    /// Lists issued before `since` do not count any more, e.g. because a key was stolen.
    Raised {
        /// From when on they count.
        since: Instant,
        /// Why, for everybody to read.
        why: String,
        /// Who; absent where it followed from something else on the log.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Id<Staff>>,
    },
}

impl Fact for ListsEvent {
    fn kind(&self) -> &'static str {
        "gate.lists_raised.v1"
    }
}
