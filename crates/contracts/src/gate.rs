//! Places and gates: the words that other slices need.

use kernel::{Id, Kind};
use serde::{Deserialize, Serialize};

/// A place with a door.
#[derive(Debug)]
pub struct Place;
impl Kind for Place {
    const PREFIX: &'static str = "place";
}

/// A guard's phone or a fixed scanner, with a key pair made on the device.
#[derive(Debug)]
pub struct Device;
impl Kind for Device {
    const PREFIX: &'static str = "device";
}

/// What `gate` publishes. Nothing yet: entries are observations, read under an open case only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Published {}

/// The kind of the observation that [`Entered`] is the payload of.
pub const ENTERED: &str = "gate.entered.v1";

/// One code shown at one door: what is sealed beside the log for 28 days (Korea: 4 weeks). Holds a
/// random pass id, never a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entered {
    /// Where.
    pub place: Id<Place>,
    /// By which device.
    pub device: Id<Device>,
    /// The device's own counter: names the entry once, in whatever order entries arrive.
    pub n: u64,
    /// The pass id as 32 hexadecimal digits; `None` when the code could not be read or looked up.
    pub pass: Option<String>,
    /// When, in unix seconds, as the device claims. The server's own time stands on the leaf.
    pub at: i64,
    /// What the guard was told.
    pub verdict: Verdict,
    /// Why, as stable codes.
    pub reasons: Vec<String>,
    /// `device_bound`, `printed`, or nothing when unknown.
    pub class: Option<String>,
    /// Whether the code was typed rather than scanned.
    pub typed: bool,
}

/// What a guard is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Let through.
    Pass,
    /// Not let through, for the reasons given.
    NoPass,
    /// The gate could not judge. Never a "no".
    CannotTell,
}

impl Verdict {
    /// All verdicts.
    pub const ALL: [Self; 3] = [Self::Pass, Self::NoPass, Self::CannotTell];

    /// The word in payloads, views and text keys.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::NoPass => "no_pass",
            Self::CannotTell => "cannot_tell",
        }
    }

    /// The verdict with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.word() == word)
    }
}
