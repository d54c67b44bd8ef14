//! How long what was recorded can be read.
//!
//! Each term is counted from the UTC day on which the event was written; when it is over the key of
//! that kind and day is destroyed, and with it the payload (ADR 0022). The leaf stays, so the log can
//! still be proven. The reasons for the numbers stand in the README.
//!
//! Two things follow from how the terms stand to each other, and hold without any code for them:
//! no colour changes because something was erased (facts stop counting long before), and a decision
//! that can still be read can still be replayed (its facts are kept longer than it is).

/// Days for which a fact counts, from its own date, whatever the rules say: twice the longest
/// incubation that quarantine law assumed, and the days for which the visits are kept that exposures
/// are found in.
pub const FACT_DAYS: i64 = 28;

/// Days for which a decision can be read: as long as it can be contested. Korea's Administrative
/// Appeals Act, article 27 (1): 90 days from knowing of it, and the person is told at once.
pub const DECISION_KEPT_DAYS: u32 = 90;

/// Days for which declarations, tests and exposures can be read: as long as a decision that rests on
/// them, and two days for the rounding to days and a laboratory's clock.
pub const FACT_KEPT_DAYS: u32 = 120;

/// Days for which orders and appeals can be read: three years, after which a claim for an unlawful
/// order is barred (Korea: State Compensation Act, article 8, with Civil Act, article 766 (1)).
pub const ORDER_KEPT_DAYS: u32 = 1_096;

/// Days for which it can be read which pass was issued: one more than a repeated command gets the
/// same answer, and longer than any pass lasts.
pub const PASS_KEPT_DAYS: u32 = 31;

/// The term of an event of this kind, in days.
pub fn days(kind: &str) -> Option<u32> {
    Some(match kind {
        "code.declared.v1" | "code.test_recorded.v1" | "code.exposed.v1" => FACT_KEPT_DAYS,
        "code.decided.v1" => DECISION_KEPT_DAYS,
        "code.order_proposed.v1"
        | "code.order_confirmed.v1"
        | "code.order_rejected.v1"
        | "code.order_withdrawn.v1"
        | "code.appealed.v1"
        | "code.appeal_answered.v1" => ORDER_KEPT_DAYS,
        "code.pass_issued.v1" | "code.pass_revoked.v1" => PASS_KEPT_DAYS,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_is_kept_as_long_as_any_decision_that_it_counted_for() {
        // A day for rounding to UTC days, a day for a laboratory's clock.
        assert!(i64::from(FACT_KEPT_DAYS) >= i64::from(DECISION_KEPT_DAYS) + FACT_DAYS + 2);
        let outlives = days("code.appeal_answered.v1") >= days("code.test_recorded.v1");
        assert!(outlives, "what sets a fact aside is kept as long as the fact");
        let repeated = days("code.pass_issued.v1") > Some(30);
        assert!(repeated, "a repeated command gets the same answer for 30 days");
    }

    #[test]
    fn every_event_about_a_person_has_its_term() {
        let examples = crate::slice().examples.iter();
        let mut kinds = examples
            .filter(|(stream, _)| *stream == "code.holder")
            .map(|(_, json)| serde_json::from_str::<crate::event::Event>(json).unwrap())
            .map(|it| kernel::Fact::kind(&it));
        assert!(kinds.all(|it| days(it).is_some()));
        assert_eq!(days("code.policy_changed.v1"), None, "what is public stays");
    }
}
