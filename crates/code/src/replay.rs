//! Recomputes every decision of a person from the log: the facts before it, the rules in force then,
//! the instant it was made. Recorded and recomputed must agree.

use contracts::person::Person;
use kernel::{Aggregate as _, Id, Instant};
use serde::Serialize;
use store::{Fault, Reader};

use crate::decision::{self, Decision};
use crate::event::{Event, PolicyEvent};
use crate::model::{Holder, Ruling};
use crate::policy::{POLICY, Policy};
use crate::view;

/// What a decision says, without its trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Said {
    /// The colour.
    pub colour: contracts::code::Colour,
    /// When it ends by itself.
    pub until: Option<Instant>,
    /// Why.
    pub reasons: Vec<String>,
    /// By which rules.
    pub rules_version: u32,
}

impl From<Decision> for Said {
    fn from(it: Decision) -> Self {
        let Decision { colour, until, reasons, rules_version, .. } = it;
        Self { colour, until, reasons, rules_version }
    }
}

/// A decision on the log beside the same decision computed now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Replayed {
    /// Its place on the log.
    pub seq: u64,
    /// Its id.
    pub decision: Id<Ruling>,
    /// When it was made.
    pub at: Instant,
    /// What the log says.
    pub recorded: Said,
    /// What the same facts and rules give now.
    pub recomputed: Said,
    /// Whether the two agree.
    pub agrees: bool,
}

/// A person's decisions, recomputed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Replay {
    /// Those that can still be read, oldest first. Each has all of its facts: these are kept longer
    /// ([`mod@crate::retention`]).
    pub decisions: Vec<Replayed>,
    /// The places of those that were erased: their time is over, or the person was forgotten.
    pub erased: Vec<u64>,
}

/// Recomputes all decisions of `person`.
pub fn replay(reader: &mut Reader<'_>, person: Id<Person>) -> Result<Replay, Fault> {
    let mut policies = Vec::new();
    for it in reader.events(Policy::STREAM, POLICY)? {
        if let Some(event) = it.event::<PolicyEvent>()? {
            policies.push((it.seq, event));
        }
    }
    let mut holder = Holder::default();
    let mut replay = Replay::default();
    for it in reader.events(Holder::STREAM, person.to_u128())? {
        let Some(event) = it.event::<Event>()? else {
            if it.kind == DECIDED {
                replay.erased.push(it.seq);
            }
            continue;
        };
        if let Event::Decided { decision, colour, until, reasons, rules_version, at } = &event {
            let mut policy = Policy::default();
            for (_, changed) in policies.iter().filter(|(seq, _)| *seq < it.seq) {
                policy.fold(changed);
            }
            let recorded = Said {
                colour: *colour,
                until: *until,
                reasons: reasons.clone(),
                rules_version: *rules_version,
            };
            let recomputed = Said::from(decision::decide(&holder.facts, &policy, *at));
            let agrees = recorded == recomputed;
            let (seq, decision, at) = (it.seq, *decision, *at);
            let replayed = Replayed { seq, decision, at, recorded, recomputed, agrees };
            replay.decisions.push(replayed);
        }
        holder.fold(&event);
    }
    Ok(replay)
}

/// The kind of a decision, which stands on the log when nothing else of it can be read.
const DECIDED: &str = "code.decided.v1";

/// Recomputes one decision; `None` when there is none with this id, or it was erased.
pub fn replay_decision(
    reader: &mut Reader<'_>,
    decision: Id<Ruling>,
) -> Result<Option<Replayed>, Fault> {
    let Some(person) = view::person_of_decision(reader, decision)? else { return Ok(None) };
    Ok(replay(reader, person)?.decisions.into_iter().find(|it| it.decision == decision))
}
