//! Every decision on my colour, with its reasons, its rules and its receipt.

use askama::Template;
use axum::extract::State;
use kernel::{Instant, Locale};
use web::{Actor, App, Frame, Page, Problem, sample_frame};

use super::{Voice, colour_key, reason, until};
use crate::event::{Event, PolicyEvent};
use crate::policy::Policy;
use crate::retention::{DECISION_KEPT_DAYS, FACT_DAYS, FACT_KEPT_DAYS, PASS_KEPT_DAYS};
use crate::view;

struct Row {
    at: String,
    colour: &'static str,
    word: String,
    until: Option<String>,
    reasons: Vec<String>,
    version: String,
    seq: u64,
}

/// Another thing that happened: an order with its officers, a test, an appeal.
struct Other {
    text: String,
    more: Option<String>,
    seq: u64,
}

enum Item {
    Decision(Row),
    Other(Other),
}

#[derive(Template)]
#[template(path = "code/history.html")]
pub(crate) struct History {
    frame: Frame,
    items: Vec<Item>,
    kept: Vec<(String, String)>,
    /// What becomes of it afterwards.
    then: String,
}

/// `policies` are all versions of the rules: a reason mentions the numbers of its own.
fn page(frame: Frame, policies: &[Policy], events: &[(u64, Event)]) -> History {
    let shipped = Policy::default();
    let of = |version: u32| policies.iter().find(|it| it.version() == version).unwrap_or(&shipped);
    let mut items = Vec::new();
    for (seq, event) in events {
        match event {
            Event::Decided { colour, until: end, reasons, rules_version, at, .. } => {
                items.push(Item::Decision(Row {
                    at: frame.minute(at),
                    colour: colour.word(),
                    word: frame.t(colour_key(*colour)),
                    until: end.map(|it| until(&frame, it)),
                    reasons: reasons
                        .iter()
                        .map(|it| reason(&frame, Voice::Holder, of(*rules_version), it))
                        .collect(),
                    version: frame.tn("code-by-rules", "version", &i64::from(*rules_version)),
                    seq: *seq,
                }));
            }
            other => items.extend(
                told(&frame, Voice::Holder, other)
                    .map(|(text, more)| Item::Other(Other { text, more, seq: *seq })),
            ),
        }
    }
    let then = frame.tn("code-kept-then", "days", &FACT_DAYS);
    History { kept: kept(&frame), then, items, frame }
}

/// How long what can be read.
fn kept(frame: &Frame) -> Vec<(String, String)> {
    let days = |days: u32| frame.tn("code-kept-days", "days", &i64::from(days));
    vec![
        (frame.t("code-kept-facts"), days(FACT_KEPT_DAYS)),
        (frame.t("code-kept-decisions"), days(DECISION_KEPT_DAYS)),
        (frame.t("code-kept-passes"), days(PASS_KEPT_DAYS)),
        (frame.t("code-kept-orders"), frame.t("code-kept-years")),
    ]
}

/// What else happened to a person, in words: a line and more to it.
pub(super) fn told(frame: &Frame, voice: Voice, event: &Event) -> Option<(String, Option<String>)> {
    Some(match event {
        Event::Declared { by_helper, at, .. } => {
            let key = match (voice, by_helper) {
                (Voice::Holder, false) => "code-told-declared",
                (Voice::Holder, true) => "code-told-declared-helper",
                (Voice::Reader, false) => "code-record-told-declared",
                (Voice::Reader, true) => "code-record-told-declared-helper",
            };
            (frame.t1(key, "time", &frame.minute(at)), None)
        }
        Event::TestRecorded { result, taken_at, source } => {
            let key = format!("code-told-test-{}", result.word());
            let source = frame.t(&format!("code-source-{}", source.word()));
            (frame.t1(&key, "time", &frame.minute(taken_at)), Some(source))
        }
        Event::Exposed { exposed_at, source } => {
            let key = format!("code-told-{}", source.word().replace('_', "-"));
            (frame.t1(&key, "time", &frame.minute(exposed_at)), None)
        }
        Event::OrderProposed { reason, order_number, proposed_by, .. } => {
            let medical =
                frame.t(&format!("code-order-reason-{}", reason.word().replace('_', "-")));
            let more = format!("{medical} · {proposed_by}");
            (frame.t1("code-told-proposed", "number", order_number), Some(more))
        }
        Event::OrderConfirmed { confirmed_by, .. } => {
            (frame.t("code-told-confirmed"), Some(confirmed_by.to_string()))
        }
        Event::OrderRejected { rejected_by, .. } => {
            (frame.t("code-told-rejected"), Some(rejected_by.to_string()))
        }
        Event::OrderWithdrawn { withdrawn_by, .. } => {
            (frame.t("code-told-withdrawn"), Some(withdrawn_by.to_string()))
        }
        Event::Appealed { text, .. } => {
            let key = match voice {
                Voice::Holder => "code-told-appealed",
                Voice::Reader => "code-record-told-appealed",
            };
            (frame.t(key), Some(text.clone()))
        }
        Event::AppealAnswered { outcome, text, .. } => {
            (frame.t(&format!("code-told-{}", outcome.word())), Some(text.clone()))
        }
        Event::PassRevoked { .. } => (frame.t("code-told-revoked"), None),
        Event::Decided { .. } | Event::PassIssued { .. } => return None,
    })
}

/// My decisions.
pub(crate) async fn show(State(app): State<App>, actor: Actor) -> Result<Page<History>, Problem> {
    let person = actor.person()?;
    let (policies, events) =
        app.read(move |it| Ok((view::policies(it)?, view::history(it, person)?))).await?;
    let policies = policies.into_iter().filter_map(|(_, event)| match event {
        PolicyEvent::PolicyChanged { rule_set, .. } => Some(Policy::of(rule_set)),
        PolicyEvent::PolicyReviewed { .. } => None,
    });
    let policies: Vec<Policy> = policies.collect();
    Ok(Page(page(Frame::new(&app, &actor, "code-history-title"), &policies, &events)))
}

pub(crate) fn sample(locale: Locale) -> Result<String, askama::Error> {
    let at = Instant::from_seconds(1_795_300_000);
    let decided = Event::Decided {
        decision: kernel::Id::from_u128(1),
        colour: contracts::code::Colour::Red,
        until: Some(at.plus_days(14)),
        reasons: vec!["positive_test".to_owned()],
        rules_version: 1,
        at,
    };
    let tested = Event::TestRecorded {
        result: crate::model::Finding::Positive,
        taken_at: at,
        source: crate::model::TestSource::Laboratory,
    };
    page(sample_frame(locale), &[], &[(13, decided), (12, tested)]).render()
}

pub(crate) fn sample_empty(locale: Locale) -> Result<String, askama::Error> {
    page(sample_frame(locale), &[], &[]).render()
}
