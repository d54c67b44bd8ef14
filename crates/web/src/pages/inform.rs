//! Help, the codes of problems, the API for people, and the demo's inbox.

use askama::Template;
use axum::extract::State;
use kernel::Locale;
use serde_json::Value as Json;

use crate::{Actor, App, Frame, Page, Path, Problem, sample_frame};

#[derive(Template)]
#[template(path = "web/help.html")]
pub(super) struct Help {
    frame: Frame,
    answers: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "web/problems.html")]
pub(super) struct Problems {
    frame: Frame,
    rows: Vec<(&'static str, u16, String)>,
}

#[derive(Template)]
#[template(path = "web/problem_code.html")]
pub(super) struct ProblemCode {
    frame: Frame,
    title: String,
    help: Option<String>,
    facts: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "web/api.html")]
pub(super) struct Api {
    frame: Frame,
    operations: Vec<Operation>,
}

struct Operation {
    method: String,
    path: String,
    summary: String,
    description: String,
    answers: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "web/inbox.html")]
pub(super) struct Inbox {
    frame: Frame,
    messages: Vec<Message>,
}

struct Message {
    at: String,
    to: String,
    text: String,
}

/// Keys of the questions; each has an answer under `<key>-answer`.
const QUESTIONS: [&str; 6] = [
    "web-help-colour",
    "web-help-wrong",
    "web-help-nophone",
    "web-help-who",
    "web-help-erased",
    "web-help-else",
];

fn answers(frame: &Frame) -> Vec<(String, String)> {
    QUESTIONS.map(|it| (frame.t(it), frame.t(&format!("{it}-answer")))).to_vec()
}

pub(super) async fn help(State(app): State<App>, actor: Actor) -> Page<Help> {
    let frame = Frame::new(&app, &actor, "web-help-title");
    Page(Help { answers: answers(&frame), frame })
}

pub(super) async fn problems(State(app): State<App>, actor: Actor) -> Page<Problems> {
    let frame = Frame::new(&app, &actor, "web-problems-title");
    let row = |(code, status): &(&'static str, u16)| (*code, *status, plain(&app, &frame, code));
    let rows = app.problems.iter().map(row).collect();
    Page(Problems { frame, rows })
}

/// A problem's text where nothing is known of the case: its variables show as dashes.
fn plain(app: &App, frame: &Frame, code: &str) -> String {
    app.texts.outline(frame.locale, code)
}

pub(super) async fn problem(
    State(app): State<App>,
    actor: Actor,
    Path(code): Path<String>,
) -> Result<Page<ProblemCode>, Problem> {
    let found = app.problems.iter().find(|(known, _)| *known == code);
    let (code, status) = *found.ok_or_else(Problem::not_found)?;
    let frame = Frame::new(&app, &actor, "web-problems-title");
    let title = plain(&app, &frame, code);
    let facts = vec![
        (frame.t("web-problems-code"), code.to_owned()),
        (frame.t("web-problems-status"), status.to_string()),
    ];
    let help = app.texts.find(frame.locale, &format!("{code}-help"));
    Ok(Page(ProblemCode { frame: frame.titled(title.clone()), title, help, facts }))
}

pub(super) async fn api(State(app): State<App>, actor: Actor) -> Page<Api> {
    let frame = Frame::new(&app, &actor, "web-api-title");
    let api: Json = serde_json::from_str(&app.api).unwrap_or_default();
    Page(Api { operations: operations(&api), frame })
}

/// The operations of an OpenAPI document, in its order.
fn operations(api: &Json) -> Vec<Operation> {
    let mut operations = Vec::new();
    let text =
        |it: &Json, name: &str| it.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
    for (path, methods) in api.get("paths").and_then(Json::as_object).into_iter().flatten() {
        for (method, it) in methods.as_object().into_iter().flatten() {
            let answers = it.get("responses").and_then(Json::as_object).into_iter().flatten();
            operations.push(Operation {
                method: method.to_ascii_uppercase(),
                path: path.clone(),
                summary: text(it, "summary"),
                description: text(it, "description"),
                answers: answers
                    .map(|(status, answer)| (status.clone(), text(answer, "description")))
                    .collect(),
            });
        }
    }
    operations
}

/// Messages that the demo's inbox shows.
const INBOX_MAX: u32 = 50;

pub(super) async fn inbox(State(app): State<App>, actor: Actor) -> Result<Page<Inbox>, Problem> {
    let found = app.read(|reader| reader.latest_messages("sms", INBOX_MAX)).await?;
    let frame = Frame::new(&app, &actor, "web-inbox-title");
    let text = |body: &Json, name: &str| {
        body.get(name).and_then(Json::as_str).unwrap_or_default().to_owned()
    };
    let messages = found.iter().map(|it| Message {
        at: frame.minute(&it.made_at),
        to: text(&it.body, "to"),
        text: text(&it.body, "text"),
    });
    Ok(Page(Inbox { messages: messages.collect(), frame }))
}

pub(super) fn help_sample(locale: Locale) -> Result<String, askama::Error> {
    let frame = sample_frame(locale);
    Help { answers: answers(&frame), frame }.render()
}

pub(super) fn problems_sample(locale: Locale) -> Result<String, askama::Error> {
    let frame = sample_frame(locale);
    let row = |(code, status): &(&'static str, u16)| (*code, *status, frame.t(code));
    let rows = crate::problem::PROBLEMS.iter().map(row).collect();
    Problems { frame, rows }.render()
}

pub(super) fn problem_sample(locale: Locale) -> Result<String, askama::Error> {
    let frame = sample_frame(locale);
    let facts = vec![(frame.t("web-problems-code"), "web-busy".to_owned())];
    let help = Some(frame.t("web-busy-help"));
    ProblemCode { title: frame.t("web-busy"), help, facts, frame }.render()
}

pub(super) fn api_sample(locale: Locale) -> Result<String, askama::Error> {
    let operation = Operation {
        method: "GET".to_owned(),
        path: "/api/v1/example".to_owned(),
        summary: "An example".to_owned(),
        description: "Gives nothing.".to_owned(),
        answers: vec![("200".to_owned(), "Nothing".to_owned())],
    };
    Api { frame: sample_frame(locale), operations: vec![operation] }.render()
}

pub(super) fn inbox_sample(locale: Locale) -> Result<String, askama::Error> {
    let message = Message {
        at: "2026-11-22 12:00".to_owned(),
        to: "+821000000000".to_owned(),
        text: "123456".to_owned(),
    };
    Inbox { frame: sample_frame(locale), messages: vec![message] }.render()
}
