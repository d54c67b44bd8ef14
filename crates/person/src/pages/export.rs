//! `/account/export`: everything that is kept about me, readable, as JSON and as CSV (PIPA,
//! article 35). Not only this slice's: the events of every stream that is sealed under the person's
//! key, or under the key of a thing of theirs. CSV cells that a spreadsheet would run are neutralised (Luca, 2021).

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use contracts::person::Person;
use kernel::text::for_spreadsheet;
use kernel::{Id, Instant, Locale};
use serde::Serialize;
use store::{Fault, Reader, Sealing};
use web::axum::http::header;
use web::{Actor, App, Frame, Page, Problem, Texts, sample_frame};

use super::{read_mine, readers, refused};
use crate::refusal::Refusal;
use crate::view;

/// Readings in an export.
const READINGS_MAX: u32 = 10_000;

/// One help in an export.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(crate) struct ExportedHelp {
    /// The other person's id.
    pub(crate) person: String,
    /// `child`, `parent`, `other`: what the helped person is to the helper.
    pub(crate) kin: &'static str,
    /// `consent`, `parent`, `desk`: whose word it stands on.
    pub(crate) ground: &'static str,
    /// Since when, RFC 3339.
    pub(crate) since: String,
    /// Until when, RFC 3339.
    pub(crate) until: String,
}

/// One event in an export.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(crate) struct ExportedEvent {
    /// Its number on the public log.
    pub(crate) entry: u64,
    /// When, RFC 3339.
    pub(crate) at: String,
    /// Its kind on the public log.
    pub(crate) kind: String,
    /// Who caused it.
    pub(crate) by: String,
    /// What happened.
    pub(crate) event: serde_json::Value,
}

/// Everything that is kept about a person.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(crate) struct Export {
    /// When this was made, RFC 3339.
    pub(crate) made_at: String,
    /// The person's id.
    pub(crate) person: String,
    /// The name.
    pub(crate) name: String,
    /// The day of birth.
    pub(crate) birth_date: Option<String>,
    /// The number in E.164.
    pub(crate) phone: Option<String>,
    /// The language for messages.
    pub(crate) locale: &'static str,
    /// Since when, RFC 3339.
    pub(crate) registered_at: String,
    /// Who helps.
    pub(crate) helpers: Vec<ExportedHelp>,
    /// Who is helped.
    pub(crate) helped: Vec<ExportedHelp>,
    /// Who has read the record.
    pub(crate) readers: Vec<readers::Reading>,
    /// What has happened, from every part of the service.
    pub(crate) events: Vec<ExportedEvent>,
}

fn exported_help(it: &view::HelpRow, other: Id<Person>) -> ExportedHelp {
    ExportedHelp {
        person: other.to_string(),
        kin: it.kin.word(),
        ground: it.ground.word(),
        since: it.since.rfc3339(),
        until: it.until.rfc3339(),
    }
}

fn events(
    reader: &mut Reader<'_>,
    streams: &[&'static str],
    subjects: &[u128],
) -> Result<Vec<ExportedEvent>, Fault> {
    let mut events = Vec::new();
    for (stream, subject) in streams.iter().flat_map(|it| subjects.iter().map(move |id| (it, id))) {
        for it in reader.events(stream, *subject)? {
            let Some(json) = &it.json else { continue };
            let event = serde_json::from_slice(json)
                .map_err(|error| Fault::caused("reading an event", error))?;
            let (at, kind) = (it.at.rfc3339(), it.kind);
            events.push(ExportedEvent { entry: it.seq, at, kind, by: it.by, event });
        }
    }
    events.sort_by_key(|it| it.entry);
    Ok(events)
}

/// Collects the export.
pub(crate) async fn collect(app: &App, actor: &Actor) -> Result<Export, Problem> {
    let (person, locale, made_at) = (actor.person()?, actor.locale, app.now());
    let streams: Vec<&'static str> = app
        .store
        .registry()
        .streams
        .iter()
        .filter(|it| it.sealing == Sealing::Subject)
        .map(|it| it.name)
        .collect();
    let (texts, things_of) = (app.texts.clone(), app.questions.things_of);
    let export = read_mine(app, actor, "person.export", move |reader| {
        let Some(it) = view::citizen(reader, person)? else { return Ok(None) };
        let helpers = view::helpers_of(reader, person)?;
        let helped = view::helped_by(reader, person)?;
        let read = readers::load(reader, person, Instant::from_micros(i64::MAX), READINGS_MAX)?;
        Ok(Some(Export {
            made_at: made_at.rfc3339(),
            person: person.to_string(),
            name: it.name,
            birth_date: it.birth_date.map(|it| it.to_string()),
            phone: it.phone,
            locale: it.locale.tag(),
            registered_at: it.registered_at.rfc3339(),
            helpers: helpers.iter().map(|it| exported_help(it, it.helper)).collect(),
            helped: helped.iter().map(|it| exported_help(it, it.helped)).collect(),
            readers: read.iter().map(|it| readers::in_words(&texts, locale, it)).collect(),
            events: {
                let mut subjects = vec![person.to_u128()];
                subjects.extend(things_of(reader, person)?);
                events(reader, &streams, &subjects)?
            },
        }))
    });
    export.await?.ok_or_else(|| refused(Refusal::NotRegistered))
}

#[derive(Template)]
#[template(path = "person/export.html")]
struct Show {
    frame: Frame,
    facts: Vec<(String, String)>,
    tiles: Vec<(String, String)>,
    events: Vec<ExportedEvent>,
}

fn page(frame: Frame, it: Export) -> Show {
    let count = |it: usize| it.to_string();
    Show {
        facts: vec![
            (frame.t("person-name"), it.name),
            (frame.t("person-birth-date"), it.birth_date.unwrap_or_default()),
            (frame.t("person-phone"), it.phone.unwrap_or_else(|| frame.t("person-phone-none"))),
            (frame.t("person-id"), it.person),
        ],
        tiles: vec![
            (frame.t("person-export-events"), count(it.events.len())),
            (frame.t("person-helpers-title"), count(it.helpers.len())),
            (frame.t("person-helped-title"), count(it.helped.len())),
            (frame.t("person-export-readers"), count(it.readers.len())),
        ],
        events: it.events,
        frame,
    }
}

/// GET /account/export
pub(crate) async fn show(
    State(app): State<App>,
    actor: Actor,
) -> Result<Page<impl Template>, Problem> {
    let it = collect(&app, &actor).await?;
    Ok(Page(page(Frame::new(&app, &actor, "person-export-title"), it)))
}

/// GET /account/export.json
pub(crate) async fn json(State(app): State<App>, actor: Actor) -> Result<Response, Problem> {
    let export = collect(&app, &actor).await?;
    let text = serde_json::to_string_pretty(&export)
        .map_err(|error| Fault::caused("writing an export", error))?;
    Ok(download("application/json", "attachment; filename=\"haetae.json\"", text))
}

/// GET /account/export.csv
pub(crate) async fn csv(State(app): State<App>, actor: Actor) -> Result<Response, Problem> {
    let export = collect(&app, &actor).await?;
    let text = as_csv(&app.texts, actor.locale, &export);
    Ok(download("text/csv; charset=utf-8", "attachment; filename=\"haetae.csv\"", text))
}

fn download(kind: &'static str, disposition: &'static str, text: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_DISPOSITION, disposition),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, text).into_response()
}

/// One line for each fact, reading and event: when, what, by whom, content (RFC 4180, with a byte
/// order mark, without which spreadsheets read Korean as something else).
fn as_csv(texts: &Texts, locale: Locale, it: &Export) -> String {
    let t = |key: &str| texts.get(locale, key);
    let head = ["person-reading-at", "person-csv-what", "person-reading-reader", "person-csv-text"];
    let mut text = String::from("\u{feff}");
    line(&mut text, &head.map(t));
    let since = &it.registered_at;
    let mut fact = |key: &str, value: &str| line(&mut text, &[since, &t(key), "", value]);
    fact("person-name", &it.name);
    fact("person-birth-date", it.birth_date.as_deref().unwrap_or_default());
    fact("person-phone", it.phone.as_deref().unwrap_or_default());
    for help in it.helpers.iter().chain(&it.helped) {
        let words = format!("{} {} – {}", help.kin, help.ground, help.until);
        line(&mut text, &[&help.since, &t("person-help-title"), &help.person, &words]);
    }
    for reading in &it.readers {
        let words = format!("{}: {} {}", reading.record, reading.purpose, reading.grounds);
        line(&mut text, &[&reading.at_text, &t("person-readers-title"), &reading.reader, &words]);
    }
    for event in &it.events {
        line(&mut text, &[&event.at, &event.kind, &event.by, &event.event.to_string()]);
    }
    text
}

/// Appends one line of CSV.
pub(crate) fn line(text: &mut String, cells: &[impl AsRef<str>]) {
    for (index, cell) in cells.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push('"');
        text.push_str(&for_spreadsheet(cell.as_ref()).replace('"', "\"\""));
        text.push('"');
    }
    text.push_str("\r\n");
}

pub(super) fn sample(locale: Locale) -> Result<String, askama::Error> {
    sample_of(locale, "김하늘")
}

/// The page of somebody with this name.
pub(crate) fn sample_of(locale: Locale, name: &str) -> Result<String, askama::Error> {
    let event = ExportedEvent {
        entry: 41,
        at: "2026-03-01T00:00:00Z".to_owned(),
        kind: "person.registered.v1".to_owned(),
        by: super::sample_person(1).to_string(),
        event: serde_json::json!({ "type": "registered", "name": name }),
    };
    let export = Export {
        made_at: "2026-03-01T00:00:00Z".to_owned(),
        person: super::sample_person(1).to_string(),
        name: name.to_owned(),
        birth_date: Some("1988-02-29".to_owned()),
        phone: None,
        locale: locale.tag(),
        registered_at: "2026-03-01T00:00:00Z".to_owned(),
        helpers: Vec::new(),
        helped: Vec::new(),
        readers: Vec::new(),
        events: vec![event],
    };
    page(sample_frame(locale), export).render()
}
