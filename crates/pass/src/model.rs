//! The state of a pass in a wallet and of a source of trust, and how events add up to them.

use contracts::person::{Person, Staff};
use kernel::{Aggregate, Id, Instant, Kind};
use serde::{Deserialize, Serialize};

use crate::command::{ContentCommand, MaterialCommand, SourceCommand, WalletCommand};
use crate::decide;
use crate::event::{ContentEvent, MaterialEvent, SourceEvent, WalletEvent};
use crate::refusal::Refusal;

macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The word in forms, views and text keys.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The one with this word.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|it| it.word() == word)
            }
        }
    };
}

words! {
    /// By which rules the end of a pass is counted.
    Basis {
        /// The city's own: what its doors ask for.
        City = "city",
        /// The entry rules of the European Union.
        Eu = "eu",
        /// Only what the pass itself says.
        Own = "own",
    }
}

words! {
    /// What a file of trust holds.
    SourceKind {
        /// Keys of issuers: certificates, signer lists, JWKS, DID documents, country CAs.
        Keys = "keys",
        /// Passes and keys that are good no longer: hash lists, SMART revocation lists, CRLs.
        Revocations = "revocations",
    }
}

/// A pass in a wallet. The id is random: it stands in addresses.
#[derive(Debug)]
pub struct Card;
impl Kind for Card {
    const PREFIX: &'static str = "card";
}

/// A file with keys or revocations of issuers elsewhere.
#[derive(Debug)]
pub struct SourceId;
impl Kind for SourceId {
    const PREFIX: &'static str = "source";
}

/// The days before its end at which the holder of a pass is told, nearest last.
pub const WARN_DAYS: [u8; 3] = [14, 7, 1];

/// Which of [`WARN_DAYS`] an end has reached at `now`: the nearest. None before the first, and none
/// once the end has come.
pub fn stage(ends_at: Instant, now: Instant) -> Option<u8> {
    let reached = |days: &&u8| ends_at.plus_days(-i64::from(**days)) <= now;
    if ends_at <= now { None } else { WARN_DAYS.iter().rev().find(reached).copied() }
}

/// When the next warning is due, after the one of `said` days.
pub fn next_warning(ends_at: Option<Instant>, said: Option<u8>) -> Option<Instant> {
    let days = WARN_DAYS.iter().find(|it| said.is_none_or(|said| **it < said))?;
    ends_at.map(|it| it.plus_days(-i64::from(*days)))
}

/// One pass in a wallet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Which.
    pub card: Id<Card>,
    /// Finds the same pass again.
    pub digest: String,
    /// Whether somebody put it in for the person.
    pub by_helper: bool,
    /// By which rules its end is counted.
    pub basis: Basis,
    /// When it ends by them; `None` when they name no end, or do not accept it.
    pub ends_at: Option<Instant>,
    /// Since when it lies here.
    pub added_at: Instant,
    /// The days of the last warning for this end, said or passed over.
    pub warned: Option<u8>,
    /// When it was taken out.
    pub removed_at: Option<Instant>,
}

/// The passes of one person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wallet {
    /// In the order in which they came; taken out ones until they are erased.
    pub cards: Vec<Held>,
}

impl Wallet {
    /// The pass with this id.
    pub fn card(&self, card: Id<Card>) -> Option<&Held> {
        self.cards.iter().find(|it| it.card == card)
    }

    /// The passes that were not taken out.
    pub fn held(&self) -> impl Iterator<Item = &Held> {
        self.cards.iter().filter(|it| it.removed_at.is_none())
    }

    fn change(&mut self, card: Id<Card>, change: impl FnOnce(&mut Held)) {
        if let Some(it) = self.cards.iter_mut().find(|it| it.card == card) {
            change(it);
        }
    }
}

impl Aggregate for Wallet {
    const STREAM: &'static str = "pass.wallet";
    type Command = WalletCommand;
    type Event = WalletEvent;
    type Refusal = Refusal;

    fn decide(&self, command: WalletCommand, now: Instant) -> Result<Vec<WalletEvent>, Refusal> {
        decide::wallet(self, command, now)
    }

    fn fold(&mut self, event: &WalletEvent) {
        match event {
            WalletEvent::Imported { card, digest, by_helper, basis, ends_at, at } => {
                self.cards.push(Held {
                    card: *card,
                    digest: digest.clone(),
                    by_helper: *by_helper,
                    basis: *basis,
                    ends_at: *ends_at,
                    added_at: *at,
                    warned: ends_at.and_then(|it| stage(it, *at)),
                    removed_at: None,
                });
            }
            WalletEvent::EndSet { card, basis, ends_at, at } => self.change(*card, |it| {
                it.basis = *basis;
                it.ends_at = *ends_at;
                // Whoever chooses sees the end on the page: what has passed by then is not told.
                it.warned = ends_at.and_then(|end| stage(end, *at));
            }),
            WalletEvent::Warned { card, days, .. } => {
                self.change(*card, |it| it.warned = Some(*days));
            }
            WalletEvent::Removed { card, at } => {
                self.change(*card, |it| it.removed_at = Some(*at));
            }
            WalletEvent::Restored { card, .. } => self.change(*card, |it| it.removed_at = None),
            WalletEvent::Erased { card } => self.cards.retain(|it| it.card != *card),
        }
    }
}

/// What a pass says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Content {
    /// Whose wallet it lies in.
    pub person: Option<Id<Person>>,
    /// The texts of its QR codes.
    pub texts: Vec<String>,
}

impl Aggregate for Content {
    const STREAM: &'static str = "pass.content";
    type Command = ContentCommand;
    type Event = ContentEvent;
    type Refusal = Refusal;

    fn decide(&self, command: ContentCommand, _: Instant) -> Result<Vec<ContentEvent>, Refusal> {
        let ContentCommand::Keep { person, texts } = command;
        Ok(vec![ContentEvent::Kept { person, texts }])
    }

    fn fold(&mut self, event: &ContentEvent) {
        let ContentEvent::Kept { person, texts } = event;
        *self = Self { person: Some(*person), texts: texts.clone() };
    }
}

/// How far a source of trust has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SourcePhase {
    /// No such source.
    #[default]
    Absent,
    /// Waits for a second officer.
    Offered,
    /// Counts.
    Confirmed,
    /// Was not wanted.
    Declined,
    /// Counted, and does no longer.
    Withdrawn,
}

impl SourcePhase {
    /// All phases, by their number in the view.
    pub const ALL: [Self; 5] =
        [Self::Absent, Self::Offered, Self::Confirmed, Self::Declined, Self::Withdrawn];

    /// The number in the view.
    pub const fn number(self) -> i64 {
        match self {
            Self::Absent => 0,
            Self::Offered => 1,
            Self::Confirmed => 2,
            Self::Declined => 3,
            Self::Withdrawn => 4,
        }
    }

    /// The phase with this number.
    pub fn from_number(number: i64) -> Self {
        Self::ALL.into_iter().find(|it| it.number() == number).unwrap_or_default()
    }

    /// The word in text keys.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Offered => "offered",
            Self::Confirmed => "confirmed",
            Self::Declined => "declined",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// One source of trust.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    /// How far it has come.
    pub phase: SourcePhase,
    /// What the officer called it.
    pub name: String,
    /// What it holds.
    pub kind: Option<SourceKind>,
    /// The officer who read it in.
    pub offered_by: Option<Id<Staff>>,
}

impl Aggregate for Source {
    const STREAM: &'static str = "pass.source";
    type Command = SourceCommand;
    type Event = SourceEvent;
    type Refusal = Refusal;

    fn decide(&self, command: SourceCommand, now: Instant) -> Result<Vec<SourceEvent>, Refusal> {
        decide::source(self, command, now)
    }

    fn fold(&mut self, event: &SourceEvent) {
        match event {
            SourceEvent::Offered { name, kind, offered_by, .. } => {
                *self = Self {
                    phase: SourcePhase::Offered,
                    name: name.clone(),
                    kind: Some(*kind),
                    offered_by: Some(*offered_by),
                };
            }
            SourceEvent::Confirmed { .. } => self.phase = SourcePhase::Confirmed,
            SourceEvent::Declined { .. } => self.phase = SourcePhase::Declined,
            SourceEvent::Withdrawn { .. } => self.phase = SourcePhase::Withdrawn,
        }
    }
}

/// A source's file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Material {
    /// The file in base64.
    pub data: Option<String>,
}

impl Aggregate for Material {
    const STREAM: &'static str = "pass.material";
    type Command = MaterialCommand;
    type Event = MaterialEvent;
    type Refusal = Refusal;

    fn decide(&self, command: MaterialCommand, _: Instant) -> Result<Vec<MaterialEvent>, Refusal> {
        let MaterialCommand::Keep { data } = command;
        Ok(vec![MaterialEvent::Kept { data }])
    }

    fn fold(&mut self, event: &MaterialEvent) {
        let MaterialEvent::Kept { data } = event;
        self.data = Some(data.clone());
    }
}
