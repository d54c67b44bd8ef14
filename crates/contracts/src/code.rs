//! The health code: the words that other slices need.

use kernel::{Id, Instant, Kind};
use serde::{Deserialize, Serialize};

use crate::person::Person;

/// A pass: what a QR code carries instead of a name. The id is random.
#[derive(Debug)]
pub struct Pass;
impl Kind for Pass {
    const PREFIX: &'static str = "pass";
}

/// The colour of a health code. Always shown as shape, word and colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Colour {
    /// ◇ Facts are missing or too old. Never shown as "not vaccinated" or "not allowed".
    #[default]
    Unknown,
    /// ● Passes.
    Green,
    /// ▲ To be checked; 7 days.
    Yellow,
    /// ■ Isolates; 14 days.
    Red,
}

impl Colour {
    /// All colours.
    pub const ALL: [Self; 4] = [Self::Unknown, Self::Green, Self::Yellow, Self::Red];

    /// The word in events, CSS classes and text keys.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Green => "green",
            Self::Yellow => "yellow",
            Self::Red => "red",
        }
    }

    /// The colour with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.word() == word)
    }
}

/// What a typed short code says when the server is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypedAnswer {
    /// The pass.
    pub pass: Id<Pass>,
    /// Its colour now.
    pub colour: Colour,
    /// When it stops being valid.
    pub valid_until: Instant,
    /// Revoked, or replaced by a later pass.
    pub revoked: bool,
}

/// The region's own lists as its gates get them, and the key that signs them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnLists {
    /// The signed trust list.
    pub trust: Vec<u8>,
    /// The signed revocation list.
    pub revocations: Vec<u8>,
    /// The root key's public half (Ed25519).
    pub root: [u8; 32],
}

/// What `code` publishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Published {
    /// The colour was decided anew.
    Decided {
        /// Whose.
        person: Id<Person>,
        /// Now.
        colour: Colour,
    },
    /// A pass stopped being good before its time: gates must learn of it.
    PassRevoked {
        /// Which.
        pass: Id<Pass>,
        /// When it would have ended by itself: from then on no list needs to name it.
        valid_until: Instant,
    },
    /// Others may have had a signing key: gates must not go on with lists of before.
    KeyCompromised {
        /// The stated reason, for everybody to read.
        why: String,
        /// When that was recorded: the lists made from then on know it.
        at: Instant,
    },
}
