//! People, organisations, staff: the words that other slices need.

use kernel::{Id, Instant, Kind};
use serde::{Deserialize, Serialize};

/// A citizen. The id is random: a citizen carries it.
#[derive(Debug)]
pub struct Person;
impl Kind for Person {
    const PREFIX: &'static str = "person";
}

/// A member of staff: an officer, a nurse, a place's owner, a guard.
#[derive(Debug)]
pub struct Staff;
impl Kind for Staff {
    const PREFIX: &'static str = "staff";
}

/// An organisation: a public office, a clinic, a company with places.
#[derive(Debug)]
pub struct Organisation;
impl Kind for Organisation {
    const PREFIX: &'static str = "org";
}

/// What a member of staff may do. Each role holds for a [`Scope`] and until an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Appoints staff, opens organisations; sees no citizen's record.
    Administrator,
    /// Orders colours with a second officer, answers appeals, reads records for a stated reason.
    HealthOfficer,
    /// Runs an organisation's places: approves devices, sees counts, never names.
    Owner,
    /// Checks codes at a place.
    Guard,
    /// Reads the access log and the public log's inner side; sees no record.
    Auditor,
    /// Issues passes in an organisation's name: a clinic's or a test centre's staff.
    Issuer,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 6] = [
        Self::Administrator,
        Self::HealthOfficer,
        Self::Owner,
        Self::Guard,
        Self::Auditor,
        Self::Issuer,
    ];

    /// The word in events, forms and text keys.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::HealthOfficer => "health_officer",
            Self::Owner => "owner",
            Self::Guard => "guard",
            Self::Auditor => "auditor",
            Self::Issuer => "issuer",
        }
    }

    /// The role with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.word() == word)
    }
}

/// Where a role holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The whole region.
    Region,
    /// One organisation and its places.
    Organisation(Id<Organisation>),
    /// One place.
    Place(Id<crate::gate::Place>),
}

/// A role that a member of staff holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Grant {
    /// What.
    pub role: Role,
    /// Where.
    pub scope: Scope,
    /// Until when; the grant no longer holds at this instant.
    pub until: Instant,
}

/// What `person` publishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Published {
    /// A citizen asked for deletion: every slice's data on them goes.
    Forgotten {
        /// Who.
        person: Id<Person>,
    },
}
