//! What may be asked of a place and of a device.

use contracts::gate::{Demand, Place};
use contracts::person::{Organisation, Staff};
use credential::ShortCode;
use kernel::{Id, Instant};

use crate::model::{PlaceKind, PublicKey};

/// What may be asked of a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlaceCommand {
    /// Open a place for checking codes.
    Open {
        /// What stands over the door, as it was typed.
        name: String,
        /// Whose it is.
        organisation: Id<Organisation>,
        /// What kind of place.
        kind: PlaceKind,
        /// Never to be listed or exported.
        sensitive: bool,
        /// A fresh random code.
        code: ShortCode,
    },
    /// Give it another name.
    Rename {
        /// As it was typed.
        name: String,
    },
    /// Check nothing here any more.
    Close,
    /// Say what is accepted here.
    SetPolicy {
        /// Whether printed codes are good enough.
        printed_allowed: bool,
        /// Hours after which lists are too old.
        stale_hours: u32,
    },
    /// Set what it asks for of passes that are not the region's own code.
    SetDemand {
        /// It.
        demand: Demand,
    },
    /// Keep nothing of it any more.
    Remove {
        /// Who says so.
        by: Id<Staff>,
        /// When it was closed, as the view knows.
        closed_at: Option<Instant>,
    },
}

/// What may be asked of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceCommand {
    /// Ask to check codes at a place.
    AskEnrolment {
        /// Where.
        place: Id<Place>,
        /// How its holder calls it, as it was typed.
        label: String,
        /// Its public key.
        public_key: PublicKey,
        /// How many devices wait at this place already.
        waiting: u64,
    },
    /// Let it check codes.
    Approve {
        /// Who says so.
        by: Id<Staff>,
    },
    /// Say no.
    Refuse {
        /// Who says so.
        by: Id<Staff>,
    },
    /// Take the permission back.
    Withdraw {
        /// Who says so.
        by: Id<Staff>,
    },
    /// Keep nothing of it any more.
    Remove {
        /// Who says so.
        by: Id<Staff>,
    },
}

/// What may be asked of the lists that gates carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListsCommand {
    /// Let lists from before now count no more.
    Raise {
        /// Why, as it was typed.
        why: String,
        /// Who says so.
        by: Id<Staff>,
    },
    /// Let lists from before `at` count no more: a signing key was compromised, and the lists that
    /// know it are made from that moment on.
    Follow {
        /// Why.
        why: String,
        /// From when on.
        at: Instant,
    },
}
