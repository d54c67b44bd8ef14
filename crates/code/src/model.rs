//! Value objects, the state of one person's health code, and how events add up to it.

use contracts::code::{Colour, Pass};
use contracts::person::Staff;
use credential::ShortCode;
use kernel::{Aggregate, Date, Id, Instant, Kind};
use serde::{Deserialize, Serialize};

use crate::command::Command;
use crate::decide;
use crate::event::Event;
use crate::issuer::KeyId;
use crate::refusal::Refusal;

/// A manual colour.
#[derive(Debug)]
pub struct Order;
impl Kind for Order {
    const PREFIX: &'static str = "order";
}

/// A decision on a colour. Its id is random: the person carries it to an appeal.
#[derive(Debug)]
pub struct Ruling;
impl Kind for Ruling {
    const PREFIX: &'static str = "decision";
}

/// An objection to a decision.
#[derive(Debug)]
pub struct Appeal;
impl Kind for Appeal {
    const PREFIX: &'static str = "appeal";
}

/// An answer with three values. "Not asked" is kept to the end and never read as "no" (SORMAS 6590:
/// "no symptoms" was lost in transfer).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Yes.
    Yes,
    /// No.
    No,
    /// Nobody asked, or nobody answered.
    #[default]
    NotAsked,
}

impl Answer {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Yes, Self::No, Self::NotAsked];

    /// The word in forms, facts and JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::NotAsked => "not_asked",
        }
    }

    /// The answer with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.word() == word)
    }
}

/// A place where the person stayed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stay {
    /// The place in the person's words: a city, a district, a flight.
    pub place: String,
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
}

/// Symptoms asked for, each with three values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Symptoms {
    /// Fever or chills.
    #[serde(default)]
    pub fever: Answer,
    /// Cough.
    #[serde(default)]
    pub cough: Answer,
    /// Sore throat.
    #[serde(default)]
    pub sore_throat: Answer,
    /// Breathlessness.
    #[serde(default)]
    pub breathlessness: Answer,
    /// Loss of taste or smell.
    #[serde(default)]
    pub smell_or_taste: Answer,
}

impl Symptoms {
    /// The symptoms with their names in forms, facts and text keys.
    pub const fn named(self) -> [(&'static str, Answer); 5] {
        [
            ("fever", self.fever),
            ("cough", self.cough),
            ("sore_throat", self.sore_throat),
            ("breathlessness", self.breathlessness),
            ("smell_or_taste", self.smell_or_taste),
        ]
    }

    /// Yes when any is yes; no when all are no; otherwise something was not asked.
    pub fn any(self) -> Answer {
        let answers = self.named().map(|(_, answer)| answer);
        if answers.contains(&Answer::Yes) {
            Answer::Yes
        } else if answers.contains(&Answer::NotAsked) {
            Answer::NotAsked
        } else {
            Answer::No
        }
    }
}

/// What a person declares: the health questionnaire of Korea's quarantine act and of the Chinese
/// cities' codes, reduced to what the colour needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declaration {
    /// The name as on the document.
    pub name: String,
    /// Resident registration, alien registration or passport number.
    pub document: String,
    /// Where the person lives now.
    pub residence: String,
    /// Where the person stayed in the last 14 days besides there.
    #[serde(default)]
    pub stays: Vec<Stay>,
    /// Contact in the last 14 days with somebody who had symptoms.
    #[serde(default)]
    pub contact_symptomatic: Answer,
    /// Contact in the last 14 days with somebody confirmed infected.
    #[serde(default)]
    pub contact_confirmed: Answer,
    /// Symptoms now.
    #[serde(default)]
    pub symptoms: Symptoms,
    /// Body temperature in tenths of a degree Celsius, 340 to 430; `None` when not taken.
    #[serde(default)]
    pub temperature_tenths: Option<u16>,
}

macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The word in forms, JSON and text keys.
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
    /// What a test found.
    Finding {
        /// The virus.
        Positive = "positive",
        /// Nothing.
        Negative = "negative",
    }
}

words! {
    /// Who tested.
    TestSource {
        /// A laboratory (PCR).
        Laboratory = "laboratory",
        /// A clinic's rapid test.
        Clinic = "clinic",
    }
}

words! {
    /// How near the person was to somebody infectious, as tracing found it.
    Exposure {
        /// A close contact: face to face, same household, same room.
        CloseContact = "close_contact",
        /// In the same place at the same time.
        SamePlace = "same_place",
    }
}

words! {
    /// Why an officer orders a colour. Medical reasons only: in Zhengzhou in June 2022 officials
    /// turned 1,317 bank depositors red.
    OrderReason {
        /// The person is a confirmed case.
        ConfirmedCase = "confirmed_case",
        /// A physician suspects the illness.
        SuspectedCase = "suspected_case",
        /// The person is a close contact of a case.
        CloseContact = "close_contact",
        /// The person belongs to an outbreak's cluster.
        Cluster = "cluster",
        /// Quarantine after arriving from an affected area.
        Arrival = "arrival",
    }
}

words! {
    /// How an appeal ended.
    Outcome {
        /// The person was right.
        Upheld = "upheld",
        /// The decision stands.
        Dismissed = "dismissed",
    }
}

words! {
    /// What an upheld appeal takes out of the facts.
    Basis {
        /// Orders in force.
        Order = "order",
        /// A positive test.
        Test = "test",
        /// Exposures.
        Exposure = "exposure",
        /// Symptoms and contacts from earlier declarations.
        Declaration = "declaration",
    }
}

words! {
    /// Why a pass ended before its time.
    RevokedBecause {
        /// The colour got worse.
        ColourWorsened = "colour_worsened",
        /// The person said so: a lost phone or paper.
        Lost = "lost",
        /// More passes were issued than one person may hold.
        Replaced = "replaced",
        /// The person asked to be forgotten.
        Forgotten = "forgotten",
        /// Others may have had the key that signed it.
        KeyCompromised = "key_compromised",
    }
}

/// The public key of a holder's device: P-256, SEC 1 compressed, 33 bytes; base64url as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DeviceKey(pub [u8; 33]);

impl DeviceKey {
    /// Reads it from base64url; see [`credential::curve::point_of_text`].
    pub fn parse(text: &str) -> Option<Self> {
        credential::curve::point_of_text(text).map(Self)
    }
}

impl std::fmt::Display for DeviceKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use base64::Engine as _;
        f.write_str(&base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl Serialize for DeviceKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DeviceKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not a P-256 point"))
    }
}

/// The facts about one person that a colour is decided on. Facts do not vanish by declaring again:
/// a symptom or a contact once declared counts until its days are over, a negative test clears it,
/// or an appeal sets it aside.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The newest declaration and when it was made.
    pub declared: Option<(Declaration, Instant)>,
    /// The newest declaration with a symptom.
    pub symptom: Option<Instant>,
    /// The newest declaration with a contact of either kind.
    pub contact: Option<Instant>,
    /// The newest positive test, by when it was taken.
    pub positive: Option<Instant>,
    /// The newest negative test.
    pub negative: Option<Instant>,
    /// The newest close contact found by tracing.
    pub close_contact: Option<Instant>,
    /// The newest stay in the same place as somebody infectious.
    pub same_place: Option<Instant>,
    /// Confirmed orders: colour and until when.
    pub orders: Vec<(Id<Order>, Colour, Instant)>,
}

/// How far an order has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Waits for a second officer.
    Proposed,
    /// In force until its end.
    Confirmed,
    /// Refused by the second officer.
    Rejected,
    /// Ended early.
    Withdrawn,
}

/// A manual colour as the state keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldOrder {
    /// Its id.
    pub order: Id<Order>,
    /// Red or yellow.
    pub colour: Colour,
    /// When it ends by itself.
    pub until: Instant,
    /// Why.
    pub reason: OrderReason,
    /// The number in the authority's files.
    pub number: String,
    /// The first officer.
    pub proposed_by: Id<Staff>,
    /// The second officer.
    pub confirmed_by: Option<Id<Staff>>,
    /// How far it has come.
    pub stage: Stage,
}

/// A decision as the state keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldRuling {
    /// Its id.
    pub decision: Id<Ruling>,
    /// The colour.
    pub colour: Colour,
    /// When.
    pub at: Instant,
}

/// A pass that is neither revoked nor, at its successor's issue, over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldPass {
    /// Its random id.
    pub pass: Id<Pass>,
    /// The device it is bound to; `None` for paper.
    pub device_key: Option<DeviceKey>,
    /// The colour it says.
    pub colour: Colour,
    /// When it was issued.
    pub issued_at: Instant,
    /// When it ends.
    pub valid_until: Instant,
    /// What a person types.
    pub short: ShortCode,
    /// The key that signed it.
    pub issuer: Option<KeyId>,
}

/// An appeal as the state keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldAppeal {
    /// Its id.
    pub appeal: Id<Appeal>,
    /// The decision it is about.
    pub decision: Id<Ruling>,
    /// What the person wrote.
    pub text: String,
    /// When the answer is due.
    pub due_at: Instant,
    /// The answer.
    pub answer: Option<(Outcome, String, Id<Staff>)>,
}

/// The state of one person's health code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holder {
    /// What a colour is decided on.
    pub facts: Facts,
    /// All orders, oldest first.
    pub orders: Vec<HeldOrder>,
    /// All decisions, oldest first.
    pub rulings: Vec<HeldRuling>,
    /// Passes that may still be good.
    pub passes: Vec<HeldPass>,
    /// All appeals, oldest first.
    pub appeals: Vec<HeldAppeal>,
}

impl Holder {
    /// The order with this id.
    pub fn order(&self, order: Id<Order>) -> Option<&HeldOrder> {
        self.orders.iter().find(|it| it.order == order)
    }

    /// The appeal with this id.
    pub fn appeal(&self, appeal: Id<Appeal>) -> Option<&HeldAppeal> {
        self.appeals.iter().find(|it| it.appeal == appeal)
    }

    /// The appeal that waits for an answer. There is at most one.
    pub fn open_appeal(&self) -> Option<&HeldAppeal> {
        self.appeals.iter().find(|it| it.answer.is_none())
    }

    /// The newest decision on the log.
    pub fn last_ruling(&self) -> Option<&HeldRuling> {
        self.rulings.last()
    }

    /// Whether anything is known about this person.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn stage(&mut self, order: Id<Order>, stage: Stage, by: Option<Id<Staff>>) {
        let Some(it) = self.orders.iter_mut().find(|it| it.order == order) else { return };
        it.stage = stage;
        match stage {
            Stage::Confirmed => {
                it.confirmed_by = by;
                self.facts.orders.push((it.order, it.colour, it.until));
            }
            _ => self.facts.orders.retain(|(id, ..)| *id != order),
        }
    }

    fn set_aside(&mut self, basis: Basis) {
        match basis {
            // Orders end by their own events, which stand beside the answer.
            Basis::Order => {}
            Basis::Test => self.facts.positive = None,
            Basis::Exposure => {
                self.facts.close_contact = None;
                self.facts.same_place = None;
            }
            Basis::Declaration => {
                self.facts.symptom = None;
                self.facts.contact = None;
            }
        }
    }
}

impl Aggregate for Holder {
    const STREAM: &'static str = "code.holder";
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;

    fn decide(&self, command: Command, now: Instant) -> Result<Vec<Event>, Refusal> {
        decide::decide(self, command, now)
    }

    /// Never refuses: an event is a fact. What must not happen is `decide`'s business.
    fn fold(&mut self, event: &Event) {
        match event {
            Event::Declared { declaration, at, .. } => {
                if declaration.symptoms.any() == Answer::Yes {
                    self.facts.symptom = self.facts.symptom.max(Some(*at));
                }
                let contacts = [declaration.contact_confirmed, declaration.contact_symptomatic];
                if contacts.contains(&Answer::Yes) {
                    self.facts.contact = self.facts.contact.max(Some(*at));
                }
                self.facts.declared = Some((declaration.clone(), *at));
            }
            // Reports come late and out of order: the newest by its own date counts.
            Event::TestRecorded { result: Finding::Positive, taken_at, .. } => {
                self.facts.positive = self.facts.positive.max(Some(*taken_at));
            }
            Event::TestRecorded { result: Finding::Negative, taken_at, .. } => {
                self.facts.negative = self.facts.negative.max(Some(*taken_at));
            }
            Event::Exposed { exposed_at, source: Exposure::CloseContact } => {
                self.facts.close_contact = self.facts.close_contact.max(Some(*exposed_at));
            }
            Event::Exposed { exposed_at, source: Exposure::SamePlace } => {
                self.facts.same_place = self.facts.same_place.max(Some(*exposed_at));
            }
            Event::OrderProposed { order, colour, until, reason, order_number, proposed_by } => {
                self.orders.push(HeldOrder {
                    order: *order,
                    colour: *colour,
                    until: *until,
                    reason: *reason,
                    number: order_number.clone(),
                    proposed_by: *proposed_by,
                    confirmed_by: None,
                    stage: Stage::Proposed,
                });
            }
            Event::OrderConfirmed { order, confirmed_by } => {
                self.stage(*order, Stage::Confirmed, Some(*confirmed_by));
            }
            Event::OrderRejected { order, .. } => self.stage(*order, Stage::Rejected, None),
            Event::OrderWithdrawn { order, .. } => self.stage(*order, Stage::Withdrawn, None),
            Event::Decided { decision, colour, at, .. } => {
                self.rulings.push(HeldRuling { decision: *decision, colour: *colour, at: *at });
            }
            Event::PassIssued {
                pass,
                device_key,
                colour,
                issued_at,
                valid_until,
                short,
                issuer,
            } => {
                self.passes.retain(|it| it.valid_until > *issued_at);
                self.passes.push(HeldPass {
                    pass: *pass,
                    device_key: *device_key,
                    colour: *colour,
                    issued_at: *issued_at,
                    valid_until: *valid_until,
                    short: *short,
                    issuer: *issuer,
                });
            }
            Event::PassRevoked { pass, .. } => self.passes.retain(|it| it.pass != *pass),
            Event::Appealed { appeal, decision, text, due_at } => self.appeals.push(HeldAppeal {
                appeal: *appeal,
                decision: *decision,
                text: text.clone(),
                due_at: *due_at,
                answer: None,
            }),
            Event::AppealAnswered { appeal, outcome, text, set_aside, answered_by } => {
                for basis in set_aside {
                    self.set_aside(*basis);
                }
                if let Some(it) = self.appeals.iter_mut().find(|it| it.appeal == *appeal) {
                    it.answer = Some((*outcome, text.clone(), *answered_by));
                }
            }
        }
    }
}
