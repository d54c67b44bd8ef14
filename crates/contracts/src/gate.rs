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

/// A device that may check codes, as other slices need to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovedDevice {
    /// Where it stands.
    pub place: Id<Place>,
    /// Its public key: an uncompressed point of P-256.
    pub public_key: Vec<u8>,
    /// What the place asks for.
    pub demand: Demand,
}

/// By which rules a place judges the passes of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PassRules {
    /// Only the region's own health code counts.
    #[default]
    CodeOnly,
    /// Any pass that is good by itself.
    Own,
    /// The city's own. Until two officers agree on another set: vaccinated 14 to 180 days after the
    /// second dose, or a booster, or a PCR test within 48 hours, or recovered, or exempt (Korea's pass of
    /// January 2022).
    City,
    /// The entry rules of the European Union.
    Eu,
}

impl PassRules {
    /// All of them, in the order of the form.
    pub const ALL: [Self; 4] = [Self::CodeOnly, Self::City, Self::Eu, Self::Own];

    /// The word in events, forms, views and text keys.
    pub const fn word(self) -> &'static str {
        match self {
            Self::CodeOnly => "code_only",
            Self::Own => "own",
            Self::City => "city",
            Self::Eu => "eu",
        }
    }

    /// The rules with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.word() == word)
    }
}

/// What a place asks for of the passes of others, and what its guards see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Demand {
    /// By which rules they are judged.
    pub rules: PassRules,
    /// Whether the guard sees the full name: only where an identity document is compared.
    pub full_name: bool,
    /// Whether a pass that is good by lists that are too old lets through, with a mark.
    pub stale_passes: bool,
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
