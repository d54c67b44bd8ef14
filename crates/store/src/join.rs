//! The only way to join identity with visits.
//!
//! Two officers and an open case; every join is a public event on the log (case and officers, no
//! person), and two rows in the access log that the person sees (Luca 2021: opening identities
//! needs a case, two officers, and tells the people read). Whether a case is open is asked of the registry's owner
//! of cases; until that slice exists nothing opens one, and every join is refused.

use contracts::trace::CaseGrounds;
use serde::Serialize;

use crate::access::Reading;
use crate::tx::utc_day;
use crate::{By, Fault, Tx};

/// A visit found by a join: the payload as it was observed.
#[derive(Debug, Clone)]
pub struct Visit {
    /// The index of the leaf of the block it came in.
    pub seq: u64,
    /// The payload, JSON.
    pub payload: Vec<u8>,
}

/// Why a join was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JoinRefusal {
    /// The same officer asked and agreed.
    #[error("a join needs two officers")]
    OneOfficer,
    /// The case is not open.
    #[error("the case is not open")]
    CaseNotOpen,
}

/// Says whether a case is open: the slice that owns cases answers.
pub type CaseIsOpen = fn(&mut Tx<'_>, &CaseGrounds) -> Result<bool, Fault>;

#[derive(Serialize)]
struct Joined<'a> {
    case: String,
    asked_by: String,
    agreed_by: String,
    kind: &'a str,
    days: u32,
}

impl Tx<'_> {
    /// The visits of `subject` in the last `days` days, found by the passes `found_by` (raw values,
    /// as [`crate::ObservationKind::project`] gives them).
    #[allow(clippy::too_many_arguments, reason = "each is a separate decision of the caller")]
    pub fn join_identity_and_visits(
        &mut self,
        is_open: CaseIsOpen,
        grounds: &CaseGrounds,
        subject: u128,
        kind: &'static str,
        found_by: &[Vec<u8>],
        days: u32,
    ) -> Result<Result<Vec<Visit>, JoinRefusal>, Fault> {
        if grounds.asked_by == grounds.agreed_by {
            return Ok(Err(JoinRefusal::OneOfficer));
        }
        if !is_open(self, grounds)? {
            return Ok(Err(JoinRefusal::CaseNotOpen));
        }
        let joined = Joined {
            case: grounds.case.to_string(),
            asked_by: grounds.asked_by.to_string(),
            agreed_by: grounds.agreed_by.to_string(),
            kind,
            days,
        };
        self.append_public("store.joined.v1", &joined)?;
        self.record_readings(&[grounds.asked_by, grounds.agreed_by].map(|officer| Reading {
            reader: By::Staff(officer),
            subject,
            record: "gate.visits",
            purpose: "case",
            grounds: grounds.case.to_string(),
        }))?;
        let today = utc_day(self.now());
        let days = i32::try_from(days).unwrap_or(i32::MAX);
        let mut visits = Vec::new();
        for day in today.saturating_sub(days)..=today {
            let found = self.found(kind, day, found_by)?;
            visits.extend(found.into_iter().map(|(seq, payload)| Visit { seq, payload }));
        }
        Ok(Ok(visits))
    }
}
