//! What has happened. Append-only: a variant is never edited or removed, only superseded by one
//! with a higher version.
//!
//! Events of `pass.wallet` are sealed under the person's key. What a pass says lies apart
//! (`pass.content`), under a key of its own: taking one pass out destroys that key and nothing else.
//! Events of `pass.source` are public: everybody may know whose signatures the region believes, and
//! which two officers said so. The file itself lies sealed beside them (`pass.material`), so that
//! what was read in by mistake does not stay for ever. Events of `pass.rules`, the city's own rules for
//! passes, are public in the same way.

use contracts::person::{Organisation, Person, Staff};
use kernel::{Fact, Id, Instant};
use serde::{Deserialize, Serialize};

use crate::city_rules::RuleSet;
use crate::model::{Basis, Card, SourceKind, Standing};
use crate::statement::{Named, Statement};

/// What happened to the passes in one person's wallet. What a pass says is not here: see
/// [`ContentEvent`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum WalletEvent {
    /// A pass was put in. `digest` finds the same one again.
    Imported {
        card: Id<Card>,
        digest: String,
        by_helper: bool,
        basis: Basis,
        ends_at: Option<Instant>,
        at: Instant,
    },
    /// From now on its end is counted by these rules, or they were found to give another end.
    EndSet { card: Id<Card>, basis: Basis, ends_at: Option<Instant>, at: Instant },
    /// The person was told that it ends in so many days.
    Warned { card: Id<Card>, days: u8, ends_at: Instant },
    /// It was taken out. It can be brought back for a day.
    Removed { card: Id<Card>, at: Instant },
    /// It was brought back.
    Restored { card: Id<Card>, at: Instant },
    /// Its day was over: what it said can be read by nobody any more.
    Erased { card: Id<Card> },
}

impl Fact for WalletEvent {
    fn kind(&self) -> &'static str {
        match self {
            Self::Imported { .. } => "pass.imported.v1",
            Self::EndSet { .. } => "pass.end_set.v1",
            Self::Warned { .. } => "pass.warned.v1",
            Self::Removed { .. } => "pass.removed.v1",
            Self::Restored { .. } => "pass.restored.v1",
            Self::Erased { .. } => "pass.erased.v1",
        }
    }
}

/// What a pass says, under a key of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ContentEvent {
    /// The texts of its QR codes, and nothing else: everything that is shown is read from them
    /// again.
    Kept { person: Id<Person>, texts: Vec<String> },
}

impl Fact for ContentEvent {
    fn kind(&self) -> &'static str {
        "pass.content_kept.v1"
    }
}

/// What was issued to one person here, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum IssueEvent {
    /// An organisation attested something and signed a pass about it. `kid` names its key on the
    /// public log; `list` and `place` are where a status list says whether the pass is still good.
    Issued {
        card: Id<Card>,
        organisation: Id<Organisation>,
        issuer: String,
        by: Id<Staff>,
        kid: String,
        named: Named,
        statement: Statement,
        list: u32,
        place: u32,
        expires_at: Instant,
        at: Instant,
    },
    /// It was signed again as a compact code for a phone of its holder, by the key `kid`. Which phone is
    /// not kept.
    Bound { card: Id<Card>, kid: String, valid_until: Instant, at: Instant },
    /// It is good no longer, or for now, or again. Nobody did it where the key that signed it was
    /// lost.
    StandingSet {
        card: Id<Card>,
        standing: Standing,
        why: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Id<Staff>>,
        at: Instant,
    },
}

impl Fact for IssueEvent {
    fn kind(&self) -> &'static str {
        match self {
            Self::Issued { .. } => "pass.issued.v1",
            Self::Bound { .. } => "pass.bound.v1",
            Self::StandingSet { .. } => "pass.standing_set.v1",
        }
    }
}

/// What the status lists say of one place. Public, as the lists are: which pass has the place stands
/// in the pass and under its holder's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum StatusEvent {
    /// 0 good, 1 good no longer, 2 not for now.
    StatusSet { status: u8, at: Instant },
    /// The holder was forgotten. Nobody is given this place again: paper may still be around.
    PlaceRetired { at: Instant },
}

impl Fact for StatusEvent {
    fn kind(&self) -> &'static str {
        match self {
            Self::StatusSet { .. } => "pass.status_set.v1",
            Self::PlaceRetired { .. } => "pass.place_retired.v1",
        }
    }
}

/// What happened to a file with the keys, or the revocations, of issuers elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum SourceEvent {
    /// An officer read it in. Nothing is believed before a second officer has agreed. `sha256` lets
    /// anybody compare it with what its publisher published.
    Offered {
        name: String,
        kind: SourceKind,
        sha256: String,
        items: u64,
        offered_by: Id<Staff>,
        at: Instant,
    },
    /// A second officer agreed: it counts from now on.
    Confirmed { confirmed_by: Id<Staff>, at: Instant },
    /// It will not count.
    Declined { declined_by: Id<Staff> },
    /// It counts no longer.
    Withdrawn { withdrawn_by: Id<Staff>, why: String, at: Instant },
}

impl Fact for SourceEvent {
    fn kind(&self) -> &'static str {
        match self {
            Self::Offered { .. } => "pass.source_offered.v1",
            Self::Confirmed { .. } => "pass.source_confirmed.v1",
            Self::Declined { .. } => "pass.source_declined.v1",
            Self::Withdrawn { .. } => "pass.source_withdrawn.v1",
        }
    }
}

/// What happened to the rules by which the city judges passes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum RulesEvent {
    /// An officer brought a set of rules. Nobody is judged by it before a second officer has confirmed
    /// it. `sha256` is of the file that everybody can fetch.
    RulesProposed {
        set: Id<RuleSet>,
        name: String,
        sha256: String,
        rules: u64,
        proposed_by: Id<Staff>,
        at: Instant,
    },
    /// An officer asked for a set that was in force before, or for the one that ships.
    RulesReturnProposed { set: Id<RuleSet>, proposed_by: Id<Staff>, at: Instant },
    /// A second officer confirmed it: passes are judged by it from now on.
    RulesConfirmed { set: Id<RuleSet>, confirmed_by: Id<Staff>, at: Instant },
    /// A second officer, or the first on second thoughts, said no.
    RulesRejected { set: Id<RuleSet>, rejected_by: Id<Staff>, at: Instant },
}

impl Fact for RulesEvent {
    fn kind(&self) -> &'static str {
        match self {
            Self::RulesProposed { .. } => "pass.rules_proposed.v1",
            Self::RulesReturnProposed { .. } => "pass.rules_return_proposed.v1",
            Self::RulesConfirmed { .. } => "pass.rules_confirmed.v1",
            Self::RulesRejected { .. } => "pass.rules_rejected.v1",
        }
    }
}

/// The file of a source or of a set of rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum MaterialEvent {
    /// It was read in. `data` is base64.
    Kept { data: String },
}

impl Fact for MaterialEvent {
    fn kind(&self) -> &'static str {
        "pass.material_kept.v1"
    }
}
