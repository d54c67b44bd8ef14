//! The rules by which the city judges passes, as state: which sets were brought, which waits, which is in
//! force. The first is the one that ships with the program.
//!
//! Whoever reads "city" at a door, in a wallet or in an answer is judged by the set in force, so a change
//! takes two officers, as an order about one person does. Going back is the same act.

use contracts::person::Staff;
use kernel::{Aggregate, Id, Instant, Kind, clean};

use crate::event::RulesEvent;
use crate::refusal::Refusal;

/// A set of rules for passes.
#[derive(Debug)]
pub struct RuleSet;
impl Kind for RuleSet {
    const PREFIX: &'static str = "rules";
}

/// The stream's id: a city has one.
pub const RULES: u128 = 0;
/// The set that ships with the program.
pub const SHIPPED: Id<RuleSet> = Id::from_u128(0);
/// Characters of a set's name.
pub const NAME_MAX: usize = 80;

/// A set that somebody brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brought {
    /// Which.
    pub set: Id<RuleSet>,
    /// What the officer called it.
    pub name: String,
    /// The hash of its file, in hexadecimal digits.
    pub sha256: String,
    /// How many rules.
    pub rules: u64,
}

/// One proposal and what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// Which set.
    pub set: Id<RuleSet>,
    /// Who asked for it.
    pub proposed_by: Id<Staff>,
    /// When.
    pub proposed_at: Instant,
    /// The answer; none while it waits.
    pub answer: Option<Answer>,
}

/// What became of a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// Whether the set came into force.
    pub confirmed: bool,
    /// Who said so.
    pub by: Id<Staff>,
    /// When.
    pub at: Instant,
}

/// The city's rules for passes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CityRules {
    /// Every set that was brought, in that order.
    pub sets: Vec<Brought>,
    /// Every proposal, in that order; only the last can wait.
    pub turns: Vec<Turn>,
}

impl CityRules {
    /// The proposal that waits for its second officer.
    pub fn waiting(&self) -> Option<&Turn> {
        self.turns.last().filter(|it| it.answer.is_none())
    }

    /// The proposal by which the set in force came; none where it ships.
    pub fn present(&self) -> Option<&Turn> {
        self.turns.iter().rev().find(|it| it.answer.is_some_and(|it| it.confirmed))
    }

    /// The set in force.
    pub fn in_force(&self) -> Id<RuleSet> {
        self.present().map_or(SHIPPED, |it| it.set)
    }

    /// Whether a set was ever in force.
    pub fn was_in_force(&self, set: Id<RuleSet>) -> bool {
        let confirmed = |it: &Turn| it.set == set && it.answer.is_some_and(|it| it.confirmed);
        set == SHIPPED || self.turns.iter().any(confirmed)
    }

    /// A set that somebody brought.
    pub fn brought(&self, set: Id<RuleSet>) -> Option<&Brought> {
        self.sets.iter().find(|it| it.set == set)
    }

    /// The proposal of this set, if it waits. An officer confirms what was on the page, and nothing that
    /// came in its place.
    fn asked(&self, set: Id<RuleSet>) -> Result<&Turn, Refusal> {
        self.waiting().filter(|it| it.set == set).ok_or(Refusal::RulesDecided)
    }

    fn answer(&mut self, answer: Answer) {
        if let Some(it) = self.turns.last_mut() {
            it.answer = Some(answer);
        }
    }
}

/// What may be asked of the city's rules.
#[derive(Debug, Clone)]
pub enum RulesCommand {
    /// Put this set in force. What is in it was looked at before.
    Propose { set: Id<RuleSet>, name: String, sha256: String, rules: u64, by: Id<Staff> },
    /// Put a set in force that was before, or the one that ships.
    Return { set: Id<RuleSet>, by: Id<Staff> },
    /// Agree, as a second officer.
    Confirm { set: Id<RuleSet>, by: Id<Staff> },
    /// Say no to it, or take one's own proposal back.
    Reject { set: Id<RuleSet>, by: Id<Staff> },
}

impl Aggregate for CityRules {
    const STREAM: &'static str = "pass.rules";
    type Command = RulesCommand;
    type Event = RulesEvent;
    type Refusal = Refusal;

    fn decide(&self, command: RulesCommand, at: Instant) -> Result<Vec<RulesEvent>, Refusal> {
        let is_new = matches!(command, RulesCommand::Propose { .. } | RulesCommand::Return { .. });
        // What would change is shown against the set in force: two at once would hide each other.
        if is_new && self.waiting().is_some() {
            return Err(Refusal::RulesWaiting);
        }
        match command {
            RulesCommand::Propose { set, name, sha256, rules, by: proposed_by } => {
                let name = clean(&name, NAME_MAX).map_err(|_| Refusal::NameInvalid)?;
                Ok(vec![RulesEvent::RulesProposed { set, name, sha256, rules, proposed_by, at }])
            }
            RulesCommand::Return { set, by: proposed_by } => {
                if !self.was_in_force(set) {
                    return Err(Refusal::RuleSetUnknown);
                }
                if self.in_force() == set {
                    return Err(Refusal::RulesInForce);
                }
                Ok(vec![RulesEvent::RulesReturnProposed { set, proposed_by, at }])
            }
            RulesCommand::Confirm { set, by: confirmed_by } => {
                if self.asked(set)?.proposed_by == confirmed_by {
                    return Err(Refusal::SameOfficer);
                }
                Ok(vec![RulesEvent::RulesConfirmed { set, confirmed_by, at }])
            }
            RulesCommand::Reject { set, by: rejected_by } => {
                self.asked(set)?;
                Ok(vec![RulesEvent::RulesRejected { set, rejected_by, at }])
            }
        }
    }

    fn fold(&mut self, event: &RulesEvent) {
        let turn =
            |set, proposed_by, proposed_at| Turn { set, proposed_by, proposed_at, answer: None };
        match event {
            RulesEvent::RulesProposed { set, name, sha256, rules, proposed_by, at } => {
                let (name, sha256) = (name.clone(), sha256.clone());
                self.sets.push(Brought { set: *set, name, sha256, rules: *rules });
                self.turns.push(turn(*set, *proposed_by, *at));
            }
            RulesEvent::RulesReturnProposed { set, proposed_by, at } => {
                self.turns.push(turn(*set, *proposed_by, *at));
            }
            RulesEvent::RulesConfirmed { confirmed_by, at, .. } => {
                self.answer(Answer { confirmed: true, by: *confirmed_by, at: *at });
            }
            RulesEvent::RulesRejected { rejected_by, at, .. } => {
                self.answer(Answer { confirmed: false, by: *rejected_by, at: *at });
            }
        }
    }
}
