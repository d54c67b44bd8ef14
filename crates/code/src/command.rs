//! What may be asked of a person's health code. Imperative; carries no decisions.

use contracts::code::{Colour, Pass};
use contracts::person::Staff;
use credential::ShortCode;
use kernel::{Date, Id, Instant};

use crate::issuer::KeyId;
use crate::model::{
    Appeal, Basis, Declaration, DeviceKey, Exposure, Finding, Order, OrderReason, Outcome,
    RevokedBecause, Ruling, TestSource,
};
use crate::policy::Policy;

/// A question with what its answer depends on: the rules in force, an id for the decision that may
/// follow, the key that signs. [`crate::door`] fills them in while it holds the write door.
#[derive(Debug, Clone)]
pub struct Command {
    /// What is asked.
    pub ask: Ask,
    /// The rules in force.
    pub policy: Policy,
    /// The id of the decision, should there be one.
    pub decision: Id<Ruling>,
    /// The key that signs a pass, should one be issued.
    pub issuer: Option<KeyId>,
}

/// What is asked.
#[derive(Debug, Clone)]
pub enum Ask {
    /// Answer the questions. `today` is the day in the city's zone.
    Declare { declaration: Declaration, by_helper: bool, today: Date },
    /// Record a test.
    RecordTest { result: Finding, taken_at: Instant, source: TestSource },
    /// Record that tracing found the person near somebody infectious.
    RecordExposure { exposed_at: Instant, source: Exposure },
    /// Ask for a colour by hand.
    ProposeOrder {
        order: Id<Order>,
        colour: Colour,
        until: Instant,
        reason: OrderReason,
        number: String,
        officer: Id<Staff>,
    },
    /// Confirm it, as a second officer.
    ConfirmOrder { order: Id<Order>, officer: Id<Staff> },
    /// Refuse it.
    RejectOrder { order: Id<Order>, officer: Id<Staff> },
    /// End an order in force early.
    WithdrawOrder { order: Id<Order>, officer: Id<Staff> },
    /// Issue a pass for a device, or for paper.
    IssuePass { pass: Id<Pass>, device_key: Option<DeviceKey>, short: ShortCode },
    /// End one pass.
    RevokePass { pass: Id<Pass>, why: RevokedBecause },
    /// End all passes that may still be good.
    RevokePasses { why: RevokedBecause },
    /// Decide anew if a pass that may still be good says a better colour than the rules in force.
    Review,
    /// Object to a decision.
    Appeal { appeal: Id<Appeal>, about: Id<Ruling>, text: String },
    /// Answer the objection.
    AnswerAppeal {
        appeal: Id<Appeal>,
        outcome: Outcome,
        text: String,
        set_aside: Vec<Basis>,
        officer: Id<Staff>,
    },
}
