//! One person's record, for an officer who states why. The reason is in the access log before
//! anything is shown, and the person sees it there.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use contracts::code::Colour;
use contracts::person::Person;
use kernel::{Id, Instant, Locale};
use serde::Deserialize;
use web::ui::{Choice, ColourCard, Field, Opt};
use web::{Actor, App, Form, Frame, Page, Path, Problem, See, sample_frame, unprocessable};

use super::{Voice, card, day_start, execute_and_tell, history};
use crate::api::{officer, purpose};
use crate::command::Ask;
use crate::event::Event;
use crate::model::{Answer, Exposure, Finding, OrderReason, TestSource};
use crate::policy::Policy;
use crate::refusal::Refusal;
use crate::{decision, view};

/// Why a record may be read: stable words in the access log.
const PURPOSES: [&str; 4] = ["test_result", "order", "tracing", "care"];
/// Characters of the stated grounds.
const GROUNDS_MAX: usize = 200;

#[derive(Template)]
#[template(path = "code/reason.html")]
pub(crate) struct Reason {
    frame: Frame,
    action: String,
    errors: Vec<(String, String)>,
    purpose: Choice,
    grounds: Field,
}

fn choice(frame: &Frame, name: &str, prefix: &str, words: &[&str]) -> Choice {
    let option = |word: &&str| {
        let label = frame.t(&format!("{prefix}{}", word.replace('_', "-")));
        Opt::new(word, label, "")
    };
    Choice {
        name: name.to_owned(),
        label: frame.t(prefix.trim_end_matches('-')),
        options: words.iter().map(option).collect(),
        required: true,
        ..Choice::default()
    }
}

fn reason_page(frame: Frame, person: Id<Person>, typed: &str, mistake: Option<String>) -> Reason {
    let field = Field::text("grounds", frame.t("code-reading-grounds"));
    Reason {
        action: format!("/desk/code/people/{person}"),
        errors: mistake.iter().map(|it| ("grounds".to_owned(), it.clone())).collect(),
        purpose: choice(&frame, "purpose", "code-reading-", &PURPOSES),
        grounds: Field { maxlength: Some(200), ..field }
            .hint(frame.t("code-reading-grounds-hint"))
            .with(typed)
            .error(mistake),
        frame,
    }
}

/// Asks why. Shows nothing of the person.
pub(crate) async fn ask(
    State(app): State<App>,
    actor: Actor,
    Path(person): Path<Id<Person>>,
) -> Result<Page<Reason>, Problem> {
    officer(&actor)?;
    let frame = Frame::new(&app, &actor, "code-reason-title");
    Ok(Page(reason_page(frame, person, "", None)))
}

#[derive(Deserialize)]
pub(crate) struct ReasonForm {
    #[serde(default)]
    purpose: String,
    grounds: String,
}

#[derive(Template)]
#[template(path = "code/record.html")]
pub(crate) struct Record {
    frame: Frame,
    who: String,
    base: String,
    card: ColourCard,
    declared: Vec<(String, String)>,
    clauses: Vec<(String, String)>,
    /// By rule: what each part of it said, in sentences.
    steps: Vec<(String, Vec<String>)>,
    events: Vec<(String, Option<String>)>,
    finding: Choice,
    test_source: Choice,
    exposure: Choice,
    colour: Choice,
    order_reason: Choice,
    number: Field,
    test_day: Field,
    exposed_day: Field,
    until_day: Field,
}

fn record_page(
    frame: Frame,
    person: Id<Person>,
    who: String,
    facts: &crate::model::Facts,
    policy: &Policy,
    events: &[(u64, Event)],
    now: Instant,
) -> Record {
    let words = |all: &[&'static str]| all.to_vec();
    let declared = facts.declared.as_ref().map(|(it, at)| {
        let mut list = vec![
            (frame.t("code-record-declared"), frame.minute(at)),
            (frame.t("code-ask-name"), it.name.clone()),
            (frame.t("code-ask-document"), it.document.clone()),
            (frame.t("code-record-ask-residence"), it.residence.clone()),
        ];
        let asked = [
            ("contact_confirmed", it.contact_confirmed),
            ("contact_symptomatic", it.contact_symptomatic),
        ];
        for (name, answer) in asked.into_iter().chain(it.symptoms.named()) {
            let answer = match answer {
                Answer::Yes => "code-answer-yes",
                Answer::No => "code-answer-no",
                Answer::NotAsked => "code-record-unanswered",
            };
            let asked = format!("code-record-ask-{}", name.replace('_', "-"));
            list.push((frame.t(&asked), frame.t(answer)));
        }
        if let Some(tenths) = it.temperature_tenths {
            let text = format!("{}.{} ℃", tenths / 10, tenths % 10);
            list.push((frame.t("code-ask-temperature"), text));
        }
        list.extend(it.stays.iter().map(|stay| {
            (frame.t("code-record-stay"), format!("{} ({} – {})", stay.place, stay.from, stay.to))
        }));
        list
    });
    let decided = decision::decide(facts, policy, now);
    let clauses = decision::explain(facts, policy, now);
    let steps = |it: &decision::Clause| {
        let steps = frame.rule_steps(FACTS, &it.trace).into_iter().map(|step| step.text).collect();
        (it.code.clone(), steps)
    };
    let told = |(_, event): &(u64, Event)| history::told(&frame, Voice::Reader, event);
    let events = events.iter().filter_map(told).collect();
    let all = |list: &[OrderReason]| list.iter().map(|it| it.word()).collect::<Vec<_>>();
    Record {
        who,
        base: format!("/desk/code/people/{person}"),
        card: card(&frame, Voice::Reader, policy, &decided),
        declared: declared.unwrap_or_default(),
        steps: clauses.iter().map(steps).collect(),
        clauses: clauses.iter().map(|it| (it.code.clone(), clause(&frame, it))).collect(),
        events,
        finding: choice(&frame, "result", "code-finding-", &words(&["positive", "negative"])),
        test_source: choice(&frame, "source", "code-source-", &words(&["laboratory", "clinic"])),
        exposure: choice(
            &frame,
            "nearness",
            "code-exposure-",
            &Exposure::ALL.iter().map(|it| it.word()).collect::<Vec<_>>(),
        ),
        colour: choice(&frame, "colour", "code-order-pick-", &words(&["yellow", "red"])),
        order_reason: choice(&frame, "reason", "code-order-reason-", &all(OrderReason::ALL)),
        number: Field {
            maxlength: Some(40),
            ..Field::text("number", frame.t("code-order-number-label"))
        },
        test_day: Field::date("day", frame.t("code-record-taken")),
        exposed_day: Field::date("exposed", frame.t("code-record-exposed")),
        until_day: Field::date("until", frame.t("code-order-until-label")),
        frame,
    }
}

/// Texts that name the facts and numbers which rules read.
const FACTS: &str = "code-fact-";

/// What a rule said in one line, with the scalars it read.
fn clause(frame: &Frame, it: &decision::Clause) -> String {
    let said = match it.applies {
        Some(true) => frame.t("code-record-rule-applies"),
        Some(false) => frame.t("code-record-rule-applies-not"),
        None => frame.t("code-reason-rule-failed"),
    };
    let scalars = it.read.iter().filter(|(_, value)| !value.is_object() && !value.is_array());
    let read = scalars.map(|(path, value)| {
        let value = match value.as_bool() {
            Some(true) => frame.t("web-rule-true"),
            Some(false) => frame.t("web-rule-false"),
            None if value.is_null() => frame.t("web-rule-nothing"),
            None => value.to_string(),
        };
        format!("{}: {value}", frame.rule_fact(FACTS, path))
    });
    let read = read.collect::<Vec<_>>().join(" · ");
    if read.is_empty() { said } else { format!("{said} ({read})") }
}

/// The record, once the reason stands in the access log.
pub(crate) async fn read(
    State(app): State<App>,
    actor: Actor,
    Path(person): Path<Id<Person>>,
    Form(form): Form<ReasonForm>,
) -> Result<Response, Problem> {
    officer(&actor)?;
    let word = PURPOSES.into_iter().find(|it| *it == form.purpose);
    let (Some(word), Ok(grounds)) = (word, kernel::clean(&form.grounds, GROUNDS_MAX)) else {
        let frame = Frame::new(&app, &actor, "code-reason-title");
        let mistake = Some(frame.t("code-reading-missing"));
        return Ok(unprocessable(reason_page(frame, person, &form.grounds, mistake)));
    };
    let (label, now) = (app.questions.person_label, app.now());
    let why = purpose(word, &grounds);
    let read = app.read_record(&actor, person.to_u128(), "code.record", why, move |it| {
        let (holder, policy, _) = view::standing(it, person, now)?;
        Ok((holder, policy, view::history(it, person)?, label(it, person)?))
    });
    let (holder, policy, events, who) = read.await?;
    if holder.is_empty() && who.is_none() {
        return Err(Problem::not_found());
    }
    let frame = Frame::new(&app, &actor, "code-record-title");
    let who = who.unwrap_or_else(|| person.to_string());
    Ok(Page(record_page(frame, person, who, &holder.facts, &policy, &events, now)).into_response())
}

#[derive(Deserialize)]
pub(crate) struct TestForm {
    #[serde(default)]
    result: String,
    #[serde(default)]
    source: String,
    day: String,
}

/// Back to the reason page: each look at a record has its own reason.
fn recorded(person: Id<Person>) -> See {
    See::other(format!("/desk/code/people/{person}")).notice("code-desk-done")
}

/// What happened on a day counts from the day's end (never from the future), so that a person is
/// not told a colour that ends a day too early.
fn happened(app: &App, day: &str) -> Result<Instant, Problem> {
    let start = day_start(app, day).ok_or_else(date_invalid)?;
    Ok(start.plus_days(1).min(app.now()).max(start))
}

fn date_invalid() -> Problem {
    Problem::refused(&Refusal::DateInvalid)
}

/// Records a test; the person is told that there is news.
pub(crate) async fn test(
    State(app): State<App>,
    actor: Actor,
    Path(person): Path<Id<Person>>,
    Form(form): Form<TestForm>,
) -> Result<See, Problem> {
    officer(&actor)?;
    let (Some(result), Some(source)) =
        (Finding::from_word(&form.result), TestSource::from_word(&form.source))
    else {
        return Err(Problem::form_invalid());
    };
    let taken_at = happened(&app, &form.day)?;
    let ask = Ask::RecordTest { result, taken_at, source };
    execute_and_tell(&app, actor.context(), person, ask).await?;
    Ok(recorded(person))
}

#[derive(Deserialize)]
pub(crate) struct ExposureForm {
    #[serde(default)]
    nearness: String,
    exposed: String,
}

/// Records an exposure; the person is told that there is news.
pub(crate) async fn exposure(
    State(app): State<App>,
    actor: Actor,
    Path(person): Path<Id<Person>>,
    Form(form): Form<ExposureForm>,
) -> Result<See, Problem> {
    officer(&actor)?;
    let source = Exposure::from_word(&form.nearness).ok_or_else(Problem::form_invalid)?;
    let exposed_at = happened(&app, &form.exposed)?;
    let ask = Ask::RecordExposure { exposed_at, source };
    execute_and_tell(&app, actor.context(), person, ask).await?;
    Ok(recorded(person))
}

#[derive(Deserialize)]
pub(crate) struct OrderForm {
    #[serde(default)]
    colour: String,
    #[serde(default)]
    reason: String,
    number: String,
    until: String,
}

/// Asks for a colour by hand; a second officer must confirm it.
pub(crate) async fn order(
    State(app): State<App>,
    actor: Actor,
    Path(person): Path<Id<Person>>,
    Form(form): Form<OrderForm>,
) -> Result<See, Problem> {
    let officer = officer(&actor)?;
    let (Some(colour), Some(reason)) =
        (Colour::from_word(&form.colour), OrderReason::from_word(&form.reason))
    else {
        return Err(Problem::form_invalid());
    };
    let until = day_start(&app, &form.until).ok_or_else(date_invalid)?;
    let (order, number) = (app.new_id(), form.number);
    let ask = Ask::ProposeOrder { order, colour, until, reason, number, officer };
    crate::door::execute(&app, actor.context(), person, ask).await?;
    Ok(See::other("/desk/code").notice("code-order-proposed"))
}

pub(crate) fn sample_ask(locale: Locale) -> Result<String, askama::Error> {
    reason_page(sample_frame(locale), Id::from_u128(1), "", None).render()
}

pub(crate) fn sample(locale: Locale) -> Result<String, askama::Error> {
    let (holder, policy) = (super::show::sample_holder(), Policy::default());
    let tested = Event::TestRecorded {
        result: Finding::Negative,
        taken_at: Instant::from_seconds(1_795_300_000),
        source: TestSource::Clinic,
    };
    let (who, now) = ("홍길동".to_owned(), Instant::from_seconds(1_795_330_800));
    let frame = sample_frame(locale);
    record_page(frame, Id::from_u128(1), who, &holder.facts, &policy, &[(3, tested)], now).render()
}
