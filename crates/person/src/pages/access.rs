//! `/desk/access`: the auditor's look at the access log: one day's hours, one hour's rows, or the
//! rows on one subject by id. Names of citizens are not shown: whether the readings are in order is
//! seen without them. A search for one subject is itself on the access log.

use askama::Template;
use axum::extract::State;
use contracts::person::{Person, Role, Staff};
use kernel::{Date, Id, Instant, Locale};
use serde::Deserialize;
use store::access::{AccessRow, hour_of};
use store::{Fault, Reader};
use web::ui::Field;
use web::{Actor, App, Frame, Page, Problem, Purpose, Query, sample_frame};

use super::readers::{purpose_text, record_text};
use super::{cut, today};
use crate::view;

/// Rows shown at once; an hour with more says so.
const ROWS: usize = 500;

struct Hour {
    href: String,
    label: String,
    count: String,
}

struct Row {
    at: Instant,
    reader: String,
    subject: String,
    record: String,
    purpose: String,
    grounds: String,
}

#[derive(Template)]
#[template(path = "person/access.html")]
struct Show {
    frame: Frame,
    day: Field,
    subject: Field,
    hours: Vec<Hour>,
    rows: Vec<Row>,
    chosen: bool,
    cut: bool,
}

/// What the page is asked for.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    day: String,
    hour: Option<i64>,
    #[serde(default)]
    subject: String,
}

/// GET /desk/access
pub(crate) async fn show(
    State(app): State<App>,
    actor: Actor,
    Query(asked): Query<Asked>,
) -> Result<Page<impl Template>, Problem> {
    actor.need(Role::Auditor, &[])?;
    let frame = Frame::new(&app, &actor, "person-desk-access");
    let day: Date = asked.day.trim().parse().unwrap_or_else(|_| today(&app));
    let first = hour_of(app.config.zone.start_of(day));
    let end = hour_of(app.config.zone.start_of(day.plus_days(1)));
    let hour = asked.hour.filter(|it| (first..end).contains(it));
    let by_subject = subject_of(&asked.subject);
    let mistake = (!asked.subject.trim().is_empty() && by_subject.is_none())
        .then(|| frame.t("person-access-subject-invalid"));

    let (counts, mut found) = match by_subject {
        Some(subject) => {
            let limit = u32::try_from(ROWS + 1).unwrap_or(u32::MAX);
            let look = move |reader: &mut Reader<'_>| {
                let before = Instant::from_micros(i64::MAX);
                let rows = reader.readings_of(subject, before, limit)?;
                labelled(reader, rows)
            };
            let purpose = Purpose::from("audit");
            (Vec::new(), app.read_record(&actor, subject, "access.log", purpose, look).await?)
        }
        None => app.read(move |reader| hours(reader, first..end, hour)).await?,
    };
    let hours = counts
        .into_iter()
        .map(|(number, count)| Hour {
            href: format!("/desk/access?day={day}&hour={number}"),
            label: frame.minute(&Instant::from_seconds(number.saturating_mul(3_600))),
            count: count.to_string(),
        })
        .collect();
    let cut = cut(&mut found, ROWS);
    for it in &mut found {
        it.record = record_text(&app.texts, actor.locale, &it.record);
        it.purpose = purpose_text(&app.texts, actor.locale, &it.purpose);
    }
    let chosen = hour.is_some() || by_subject.is_some();
    let (day, subject) = fields(&frame, &day.to_string(), &asked.subject, mistake);
    Ok(Page(Show { frame, day, subject, hours, rows: found, chosen, cut }))
}

fn fields(frame: &Frame, day: &str, subject: &str, mistake: Option<String>) -> (Field, Field) {
    let by_id = Field::text("subject", frame.t("person-access-subject"));
    (
        Field::date("day", frame.t("person-access-day")).with(day),
        Field { autocomplete: Some("off"), ..by_id }
            .hint(frame.t("person-access-subject-hint"))
            .with(subject)
            .error(mistake),
    )
}

/// A person's id, or the hex in which the log shows any subject.
fn subject_of(text: &str) -> Option<u128> {
    let text = text.trim();
    let person = text.parse::<Id<Person>>().map(Id::to_u128);
    let hex = || (text.len() == 32).then(|| u128::from_str_radix(text, 16).ok()).flatten();
    person.ok().or_else(hex)
}

type Counted = (Vec<(i64, usize)>, Vec<Row>);

/// How many readings each hour has, and the rows of the hour asked for.
fn hours(
    reader: &mut Reader<'_>,
    range: std::ops::Range<i64>,
    hour: Option<i64>,
) -> Result<Counted, Fault> {
    let (mut counts, mut rows) = (Vec::new(), Vec::new());
    for number in range {
        let found = reader.readings_in(number)?;
        if !found.is_empty() {
            counts.push((number, found.len()));
        }
        if hour == Some(number) {
            rows = found;
        }
    }
    rows.truncate(ROWS + 1);
    Ok((counts, labelled(reader, rows)?))
}

/// Staff by name: the auditor must know whom to ask.
fn labelled(reader: &mut Reader<'_>, rows: Vec<AccessRow>) -> Result<Vec<Row>, Fault> {
    let mut names = std::collections::BTreeMap::<String, String>::new();
    let mut answer = Vec::with_capacity(rows.len());
    for it in rows {
        if !names.contains_key(&it.reader) {
            let staff = match it.reader.parse::<Id<Staff>>() {
                Ok(id) => view::staff(reader, id)?.map(|it| it.name),
                Err(_) => None,
            };
            let label = match staff {
                Some(name) => format!("{name} ({})", super::short_id(&it.reader)),
                None => it.reader.clone(),
            };
            names.insert(it.reader.clone(), label);
        }
        answer.push(Row {
            at: it.at,
            reader: names.get(&it.reader).cloned().unwrap_or_default(),
            subject: it.subject,
            record: it.record,
            purpose: it.purpose,
            grounds: it.grounds,
        });
    }
    Ok(answer)
}

pub(super) fn sample(locale: Locale) -> Result<String, askama::Error> {
    let frame = sample_frame(locale);
    let row = Row {
        at: Instant::from_seconds(1_780_000_000),
        reader: "이보람 (0002)".to_owned(),
        subject: "0".repeat(32),
        record: "person.record".to_owned(),
        purpose: "desk".to_owned(),
        grounds: "A-2026-17".to_owned(),
    };
    let hour = Hour {
        href: "/desk/access?day=2026-03-01&hour=1".to_owned(),
        label: "2026-03-01 09:00".to_owned(),
        count: "3".to_owned(),
    };
    let mistake = Some(frame.t("person-access-subject-invalid"));
    let (day, subject) = fields(&frame, "2026-03-01", "x", mistake);
    Show { frame, day, subject, hours: vec![hour], rows: vec![row], chosen: true, cut: true }
        .render()
}
