//! The state of a place and of a device, and how events add up to it.

use std::fmt;
use std::str::FromStr;

use contracts::gate::{Demand, Place as PlaceId};
use contracts::person::Organisation;
use credential::ShortCode;
use kernel::{Aggregate, Id, Instant};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::command::{DeviceCommand, ListsCommand, PlaceCommand};
use crate::decide;
use crate::event::{DeviceEvent, ListsEvent, PlaceEvent};
use crate::refusal::Refusal;

/// What kind of place stands behind the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlaceKind {
    /// A public office.
    #[default]
    Office,
    /// A shop or a market.
    Shop,
    /// A restaurant, a café, a bar.
    Restaurant,
    /// A school, a university, a crèche.
    School,
    /// A station, a ferry, a terminal.
    Transport,
    /// A clinic, a hospital, a pharmacy.
    Health,
    /// A stadium, a theatre, a hall.
    Event,
    /// A church, a mosque, a temple.
    Worship,
    /// A shelter: always sensitive.
    Shelter,
    /// Anything else.
    Other,
}

impl PlaceKind {
    /// All kinds, in the order of the form.
    pub const ALL: [Self; 10] = [
        Self::Office,
        Self::Shop,
        Self::Restaurant,
        Self::School,
        Self::Transport,
        Self::Health,
        Self::Event,
        Self::Worship,
        Self::Shelter,
        Self::Other,
    ];

    /// The word in events, forms and views.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Office => "office",
            Self::Shop => "shop",
            Self::Restaurant => "restaurant",
            Self::School => "school",
            Self::Transport => "transport",
            Self::Health => "health",
            Self::Event => "event",
            Self::Worship => "worship",
            Self::Shelter => "shelter",
            Self::Other => "other",
        }
    }

    /// The kind with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.word() == word)
    }

    /// The key of its text.
    pub const fn text_key(self) -> &'static str {
        match self {
            Self::Office => "gate-kind-office",
            Self::Shop => "gate-kind-shop",
            Self::Restaurant => "gate-kind-restaurant",
            Self::School => "gate-kind-school",
            Self::Transport => "gate-kind-transport",
            Self::Health => "gate-kind-health",
            Self::Event => "gate-kind-event",
            Self::Worship => "gate-kind-worship",
            Self::Shelter => "gate-kind-shelter",
            Self::Other => "gate-kind-other",
        }
    }
}

/// A device's public key: an uncompressed point of P-256 (SEC 1, 65 bytes), WebCrypto's `raw`
/// format. In events as hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; 65]);

impl PublicKey {
    /// The key of these bytes; `None` unless they have the form. Whether they lie on the curve is
    /// found when the first signature is checked.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes = <[u8; 65]>::try_from(bytes).ok()?;
        (bytes.first() == Some(&4)).then_some(Self(bytes))
    }

    /// The 65 bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Default for PublicKey {
    /// Nobody's key: no signature fits it.
    fn default() -> Self {
        Self([0; 65])
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl FromStr for PublicKey {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        let bytes = hex::decode(text).map_err(|_| Refusal::KeyInvalid)?;
        Self::from_bytes(&bytes).ok_or(Refusal::KeyInvalid)
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(|_| serde::de::Error::custom("not a public key"))
    }
}

/// Whether there is a place, and whether it is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PlacePhase {
    /// No such place.
    #[default]
    Absent,
    /// In use.
    Open,
    /// No longer.
    Closed,
}

/// What a place accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PlacePolicy {
    /// Whether printed codes (with a glance at an ID) are good enough.
    pub printed_allowed: bool,
    /// Hours after which a scanner's lists are too old to rely on.
    pub stale_hours: u32,
    /// What it asks for of passes that are not the region's own code.
    pub demand: Demand,
}

impl Default for PlacePolicy {
    /// Paper is good enough, and a gate works for three days without a network.
    fn default() -> Self {
        Self { printed_allowed: true, stale_hours: 72, demand: Demand::default() }
    }
}

/// One place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Whether it is in use.
    pub phase: PlacePhase,
    /// What stands over the door.
    pub name: String,
    /// Whose it is.
    pub organisation: Option<Id<Organisation>>,
    /// What kind.
    pub kind: PlaceKind,
    /// Never listed or exported.
    pub sensitive: bool,
    /// What a guard types to enrol a device.
    pub code: Option<ShortCode>,
    /// What it accepts.
    pub policy: PlacePolicy,
}

impl Aggregate for Place {
    const STREAM: &'static str = "gate.place";
    type Command = PlaceCommand;
    type Event = PlaceEvent;
    type Refusal = Refusal;

    fn decide(&self, command: PlaceCommand, now: Instant) -> Result<Vec<PlaceEvent>, Refusal> {
        decide::place(self, command, now)
    }

    fn fold(&mut self, event: &PlaceEvent) {
        match event {
            PlaceEvent::Opened { name, organisation, kind, sensitive, code } => {
                *self = Self {
                    phase: PlacePhase::Open,
                    name: name.clone(),
                    organisation: Some(*organisation),
                    kind: *kind,
                    sensitive: *sensitive,
                    code: Some(*code),
                    policy: PlacePolicy::default(),
                };
            }
            PlaceEvent::Renamed { name } => self.name.clone_from(name),
            PlaceEvent::Closed => self.phase = PlacePhase::Closed,
            PlaceEvent::PolicySet { printed_allowed, stale_hours } => {
                self.policy.printed_allowed = *printed_allowed;
                self.policy.stale_hours = *stale_hours;
            }
            PlaceEvent::DemandSet { demand } => self.policy.demand = *demand,
            // What nobody can read any more folds to the same.
            PlaceEvent::Removed { .. } => *self = Self::default(),
        }
    }
}

/// How far a device has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DevicePhase {
    /// No such device.
    #[default]
    Absent,
    /// Has asked, nobody has answered.
    Waiting,
    /// May check codes.
    Approved,
    /// The owner said no.
    Refused,
    /// May no longer.
    Withdrawn,
}

impl DevicePhase {
    /// All phases, by their number in the view.
    pub const ALL: [Self; 5] =
        [Self::Absent, Self::Waiting, Self::Approved, Self::Refused, Self::Withdrawn];

    /// The number in the view.
    pub const fn number(self) -> i64 {
        match self {
            Self::Absent => 0,
            Self::Waiting => 1,
            Self::Approved => 2,
            Self::Refused => 3,
            Self::Withdrawn => 4,
        }
    }

    /// The phase with this number.
    pub fn from_number(number: i64) -> Self {
        Self::ALL.into_iter().find(|it| it.number() == number).unwrap_or_default()
    }

    /// The word in answers.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Waiting => "waiting",
            Self::Approved => "approved",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The key of its text.
    pub const fn text_key(self) -> &'static str {
        match self {
            Self::Absent => "gate-device-unknown",
            Self::Waiting => "gate-phase-waiting",
            Self::Approved => "gate-phase-approved",
            Self::Refused => "gate-phase-refused",
            Self::Withdrawn => "gate-phase-withdrawn",
        }
    }
}

/// One device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Device {
    /// How far it has come.
    pub phase: DevicePhase,
    /// Where it checks codes.
    pub place: Option<Id<PlaceId>>,
    /// Its public key.
    pub public_key: PublicKey,
    /// When it asked.
    pub asked_at: Instant,
}

impl Aggregate for Device {
    const STREAM: &'static str = "gate.device";
    type Command = DeviceCommand;
    type Event = DeviceEvent;
    type Refusal = Refusal;

    fn decide(&self, command: DeviceCommand, now: Instant) -> Result<Vec<DeviceEvent>, Refusal> {
        decide::device(self, command, now)
    }

    fn fold(&mut self, event: &DeviceEvent) {
        match event {
            DeviceEvent::EnrolmentAsked { place, public_key, asked_at, .. } => {
                *self = Self {
                    phase: DevicePhase::Waiting,
                    place: Some(*place),
                    public_key: *public_key,
                    asked_at: *asked_at,
                };
            }
            DeviceEvent::Approved { .. } => self.phase = DevicePhase::Approved,
            DeviceEvent::Refused { .. } => self.phase = DevicePhase::Refused,
            DeviceEvent::Withdrawn { .. } => self.phase = DevicePhase::Withdrawn,
            DeviceEvent::Removed { .. } => *self = Self::default(),
        }
    }
}

/// From when on the lists count that gates carry; there is one in a region.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lists {
    /// Lists issued before do not count; nothing was ever raised when absent.
    pub since: Option<Instant>,
    /// Why, in the words of whoever raised it last.
    pub why: String,
}

/// The id of the region's [`Lists`].
pub const LISTS: u128 = 0;

impl Aggregate for Lists {
    const STREAM: &'static str = "gate.lists";
    type Command = ListsCommand;
    type Event = ListsEvent;
    type Refusal = Refusal;

    fn decide(&self, command: ListsCommand, now: Instant) -> Result<Vec<ListsEvent>, Refusal> {
        decide::lists(self, command, now)
    }

    fn fold(&mut self, event: &ListsEvent) {
        let ListsEvent::Raised { since, why, .. } = event;
        *self = Self { since: Some(*since), why: why.clone() };
    }
}
