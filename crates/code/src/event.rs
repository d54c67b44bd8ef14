//! What has happened. Append-only: a variant is never edited or removed, only superseded by one
//! with a higher version.
//!
//! Events of `code.holder` are sealed under the person's key; on the public log stand only their
//! kinds, so a kind tells nothing about a person. Events of `code.policy` and `code.revocation` are
//! public.

use contracts::code::{Colour, Pass};
use contracts::person::Staff;
use credential::ShortCode;
use kernel::{Fact, Id, Instant};
use rules::RuleSet;
use serde::{Deserialize, Serialize};

use crate::issuer::KeyId;
use crate::model::{
    Appeal, Basis, Declaration, DeviceKey, Exposure, Finding, Order, OrderReason, Outcome,
    RevokedBecause, Ruling, TestSource,
};

/// What happened to one person's health code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Event {
    /// The person, or somebody who helps them, answered the questions.
    Declared { declaration: Declaration, by_helper: bool, at: Instant },
    /// A laboratory or clinic found something, or did not.
    TestRecorded { result: Finding, taken_at: Instant, source: TestSource },
    /// Tracing found that the person was near somebody infectious.
    Exposed { exposed_at: Instant, source: Exposure },
    /// An officer asked for a colour by hand. It has no effect before a second officer confirms it.
    OrderProposed {
        order: Id<Order>,
        colour: Colour,
        until: Instant,
        reason: OrderReason,
        order_number: String,
        proposed_by: Id<Staff>,
    },
    /// A second officer confirmed it: it is in force from now on.
    OrderConfirmed { order: Id<Order>, confirmed_by: Id<Staff> },
    /// A second officer, or the first on second thoughts, said no.
    OrderRejected { order: Id<Order>, rejected_by: Id<Staff> },
    /// An order in force was ended early.
    OrderWithdrawn { order: Id<Order>, withdrawn_by: Id<Staff> },
    /// A colour was decided. Carries everything that is needed to check it again: see
    /// [`mod@crate::replay`].
    Decided {
        decision: Id<Ruling>,
        colour: Colour,
        until: Option<Instant>,
        reasons: Vec<String>,
        rules_version: u32,
        at: Instant,
    },
    /// A code was signed. Without `device_key` it is a printed one.
    PassIssued {
        pass: Id<Pass>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        device_key: Option<DeviceKey>,
        colour: Colour,
        issued_at: Instant,
        valid_until: Instant,
        short: ShortCode,
        /// The key that signed it; absent for those from before there were several.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        issuer: Option<KeyId>,
    },
    /// A code ended before its time.
    PassRevoked { pass: Id<Pass>, valid_until: Instant, why: RevokedBecause },
    /// The person does not agree with a decision.
    Appealed { appeal: Id<Appeal>, decision: Id<Ruling>, text: String, due_at: Instant },
    /// An officer answered.
    AppealAnswered {
        appeal: Id<Appeal>,
        outcome: Outcome,
        text: String,
        set_aside: Vec<Basis>,
        answered_by: Id<Staff>,
    },
}

impl Fact for Event {
    fn kind(&self) -> &'static str {
        match self {
            Self::Declared { .. } => "code.declared.v1",
            Self::TestRecorded { .. } => "code.test_recorded.v1",
            Self::Exposed { .. } => "code.exposed.v1",
            Self::OrderProposed { .. } => "code.order_proposed.v1",
            Self::OrderConfirmed { .. } => "code.order_confirmed.v1",
            Self::OrderRejected { .. } => "code.order_rejected.v1",
            Self::OrderWithdrawn { .. } => "code.order_withdrawn.v1",
            Self::Decided { .. } => "code.decided.v1",
            Self::PassIssued { .. } => "code.pass_issued.v1",
            Self::PassRevoked { .. } => "code.pass_revoked.v1",
            Self::Appealed { .. } => "code.appealed.v1",
            Self::AppealAnswered { .. } => "code.appeal_answered.v1",
        }
    }
}

/// What happened to the rules.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum PolicyEvent {
    /// New rules hold from now on. Epidemiological numbers are their parameters, so that the log
    /// knows which number applied when.
    PolicyChanged { rule_set: RuleSet, why: String, by: Option<Id<Staff>>, at: Instant },
    /// Every code that earlier rules gave was compared with these; so many said a better colour and
    /// were ended ([`mod@crate::review`]).
    PolicyReviewed { version: u32, ended: u64, at: Instant },
}

impl Fact for PolicyEvent {
    fn kind(&self) -> &'static str {
        match self {
            Self::PolicyChanged { .. } => "code.policy_changed.v1",
            Self::PolicyReviewed { .. } => "code.policy_reviewed.v1",
        }
    }
}

/// What happened to a pass, as everybody may know it: gates need it and no person is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum RevocationEvent {
    /// The pass is no longer good, whatever its code says.
    Revoked { pass: Id<Pass>, valid_until: Instant },
}

impl Fact for RevocationEvent {
    fn kind(&self) -> &'static str {
        "code.revoked.v1"
    }
}
