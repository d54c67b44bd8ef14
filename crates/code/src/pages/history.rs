//! Every decision on my colour, with its reasons, its rules and its receipt.

use askama::Template;
use axum::extract::State;
use kernel::{Instant, Locale};
use web::{Actor, App, Frame, Page, Problem, sample_frame};

use super::{colour_key, reason, until};
use crate::event::Event;
use crate::policy::Policy;
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
}

fn page(frame: Frame, policy: &Policy, events: &[(u64, Event)]) -> History {
    let mut items = Vec::new();
    for (seq, event) in events {
        match event {
            Event::Decided { colour, until: end, reasons, rules_version, at, .. } => {
                items.push(Item::Decision(Row {
                    at: frame.minute(at),
                    colour: colour.word(),
                    word: frame.t(colour_key(*colour)),
                    until: end.map(|it| until(&frame, it)),
                    reasons: reasons.iter().map(|it| reason(&frame, policy, it)).collect(),
                    version: frame.tn("code-by-rules", "version", &i64::from(*rules_version)),
                    seq: *seq,
                }));
            }
            other => items.extend(
                told(&frame, other)
                    .map(|(text, more)| Item::Other(Other { text, more, seq: *seq })),
            ),
        }
    }
    History { frame, items }
}

/// What else of a person's own events is told to them, in words: a line and more to it.
pub(super) fn told(frame: &Frame, event: &Event) -> Option<(String, Option<String>)> {
    Some(match event {
        Event::Declared { by_helper, at, .. } => {
            let key = if *by_helper { "code-told-declared-helper" } else { "code-told-declared" };
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
        Event::Appealed { text, .. } => (frame.t("code-told-appealed"), Some(text.clone())),
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
    let (policy, events) =
        app.read(move |it| Ok((view::policy(it)?, view::history(it, person)?))).await?;
    Ok(Page(page(Frame::new(&app, &actor, "code-history-title"), &policy, &events)))
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
    page(sample_frame(locale), &Policy::default(), &[(13, decided), (12, tested)]).render()
}

pub(crate) fn sample_empty(locale: Locale) -> Result<String, askama::Error> {
    page(sample_frame(locale), &Policy::default(), &[]).render()
}
