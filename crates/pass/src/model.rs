//! The state of a pass in a wallet and of a source of trust, and how events add up to them.

use contracts::person::{Organisation, Person, Staff};
use kernel::{Aggregate, Id, Instant, Kind};
use serde::{Deserialize, Serialize};

use crate::command::{
    ContentCommand, IssueCommand, MaterialCommand, SourceCommand, StatusCommand, WalletCommand,
};
use crate::decide;
use crate::event::{
    ContentEvent, IssueEvent, MaterialEvent, SourceEvent, StatusEvent, WalletEvent,
};
use crate::refusal::Refusal;
use crate::statement::{Named, Statement};

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

words! {
    /// What can be attested here.
    Issuable {
        /// One dose.
        Vaccination = "vaccination",
        /// A test.
        Test = "test",
        /// A recovery.
        Recovery = "recovery",
        /// An exemption.
        Exemption = "exemption",
    }
}

words! {
    /// How it was tested.
    TestKind {
        /// Nucleic acid amplification, PCR mostly.
        Pcr = "pcr",
        /// A rapid antigen test.
        Rapid = "rapid",
    }
}

impl TestKind {
    /// Its code in passes (LOINC; value set "covid-19-lab-test-type").
    pub const fn code(self) -> &'static str {
        match self {
            Self::Pcr => "LP6464-4",
            Self::Rapid => "LP217198-3",
        }
    }
}

words! {
    /// The classes of reasons for an exemption.
    Because {
        /// It cannot be given to this person, for a medical reason.
        Medical = "medical",
        /// A serious reaction to an earlier dose.
        Reaction = "reaction",
        /// Takes part in a trial of a vaccine.
        Trial = "trial",
        /// Another reason that the law knows.
        Other = "other",
    }
}

words! {
    /// Whether a pass that was issued here is still good.
    Standing {
        /// It is.
        Valid = "valid",
        /// No longer, for good.
        Revoked = "revoked",
        /// Not for now: something about it is being looked at.
        Suspended = "suspended",
    }
}

impl Standing {
    /// The number in status lists and views (Token Status List, "Status Types Values").
    pub const fn number(self) -> u8 {
        match self {
            Self::Valid => 0,
            Self::Revoked => 1,
            Self::Suspended => 2,
        }
    }

    /// The one with this number.
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.iter().copied().find(|it| i64::from(it.number()) == number)
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

/// One pass that was issued here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// Which.
    pub card: Id<Card>,
    /// In whose name.
    pub organisation: Id<Organisation>,
    /// That organisation's name then.
    pub issuer: String,
    /// Who attested it.
    pub by: Id<Staff>,
    /// Whose pass it is.
    pub named: Named,
    /// What it says.
    pub statement: Statement,
    /// Its status list.
    pub list: u32,
    /// Its place there.
    pub place: u32,
    /// When it was issued.
    pub issued_at: Instant,
    /// When it ends by itself.
    pub expires_at: Instant,
    /// Whether it is good.
    pub standing: Standing,
    /// Why it is not.
    pub why: String,
    /// Who said so last, and when.
    pub set: Option<(Option<Id<Staff>>, Instant)>,
    /// When compact codes of it were made, as long as they may live.
    pub bound: Vec<Instant>,
}

/// What was issued to one person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Issues {
    /// In the order in which it was issued.
    pub passes: Vec<Issued>,
}

impl Issues {
    /// The pass with this id.
    pub fn pass(&self, card: Id<Card>) -> Option<&Issued> {
        self.passes.iter().find(|it| it.card == card)
    }
}

impl Aggregate for Issues {
    const STREAM: &'static str = "pass.issue";
    type Command = IssueCommand;
    type Event = IssueEvent;
    type Refusal = Refusal;

    fn decide(&self, command: IssueCommand, now: Instant) -> Result<Vec<IssueEvent>, Refusal> {
        decide::issue(self, command, now)
    }

    fn fold(&mut self, event: &IssueEvent) {
        match event {
            IssueEvent::Issued {
                card,
                organisation,
                issuer,
                by,
                named,
                statement,
                list,
                place,
                expires_at,
                at,
                kid: _,
            } => self.passes.push(Issued {
                card: *card,
                organisation: *organisation,
                issuer: issuer.clone(),
                by: *by,
                named: named.clone(),
                statement: statement.clone(),
                list: *list,
                place: *place,
                issued_at: *at,
                expires_at: *expires_at,
                standing: Standing::Valid,
                why: String::new(),
                set: None,
                bound: Vec::new(),
            }),
            IssueEvent::Bound { card, at, .. } => {
                if let Some(it) = self.passes.iter_mut().find(|it| it.card == *card) {
                    it.bound.retain(|made| *at < made.plus_seconds(decide::BOUND_S));
                    it.bound.push(*at);
                }
            }
            IssueEvent::StandingSet { card, standing, why, by, at } => {
                if let Some(it) = self.passes.iter_mut().find(|it| it.card == *card) {
                    it.standing = *standing;
                    it.why.clone_from(why);
                    it.set = Some((*by, *at));
                }
            }
        }
    }
}

/// One place in a status list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Place {
    /// What the list says of it.
    pub status: u8,
    /// Whether nobody is given it again.
    pub retired: bool,
}

/// The stream's id of a place.
pub fn place_id(list: u32, place: u32) -> u128 {
    (u128::from(list) << 32) | u128::from(place)
}

/// The list and the place with this id.
pub fn place_of(id: u128) -> (u32, u32) {
    let part = |it: u128| u32::try_from(it & u128::from(u32::MAX)).unwrap_or(0);
    (part(id >> 32), part(id))
}

impl Aggregate for Place {
    const STREAM: &'static str = "pass.status";
    type Command = StatusCommand;
    type Event = StatusEvent;
    type Refusal = Refusal;

    fn decide(&self, command: StatusCommand, now: Instant) -> Result<Vec<StatusEvent>, Refusal> {
        Ok(match command {
            StatusCommand::Set { status } if status == self.status => Vec::new(),
            StatusCommand::Set { status } => vec![StatusEvent::StatusSet { status, at: now }],
            StatusCommand::Retire if self.retired => Vec::new(),
            StatusCommand::Retire => vec![StatusEvent::PlaceRetired { at: now }],
        })
    }

    fn fold(&mut self, event: &StatusEvent) {
        match event {
            StatusEvent::StatusSet { status, .. } => self.status = *status,
            StatusEvent::PlaceRetired { .. } => self.retired = true,
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
