//! `/account/readers`: who has read my record, in plain words. Also what the API and the export
//! say about it.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use contracts::person::{Person, Role, Staff};
use kernel::{Arg, Id, Instant, Locale};
use serde::{Deserialize, Serialize};
use store::access::AccessRow;
use store::{Fault, Reader};
use web::ui::Pager;
use web::{Actor, App, Frame, Page, Problem, Query, Texts, sample_frame};

use super::{cut, pager, read_mine, short_id};
use crate::view;

/// Rows of one page.
const ROWS: usize = 20;

/// One reading in words.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(crate) struct Reading {
    /// When, RFC 3339 in UTC.
    #[serde(rename = "at")]
    pub(crate) at_text: String,
    #[serde(skip)]
    pub(crate) at: Instant,
    /// Who, in words; staff by role and number, never by name.
    pub(crate) reader: String,
    /// What was read, in words.
    pub(crate) record: String,
    /// Why, in words.
    pub(crate) purpose: String,
    /// The case, order or appeal that was stated.
    pub(crate) grounds: String,
}

/// Who a reader is, as far as the person read may know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ReaderIs {
    /// The person themselves.
    Own,
    /// Somebody who helps them.
    Helper(String),
    /// A member of staff: role and the last letters of the id.
    Staff(Option<Role>, String),
    /// The program, a device.
    Machine,
}

/// Rows of the access log on one person, with who the readers are.
pub(crate) fn load(
    reader: &mut Reader<'_>,
    person: Id<Person>,
    before: Instant,
    limit: u32,
) -> Result<Vec<(AccessRow, ReaderIs)>, Fault> {
    let rows = reader.readings_of(person.to_u128(), before, limit)?;
    let mut known: BTreeMap<String, ReaderIs> = BTreeMap::new();
    let mut answer = Vec::with_capacity(rows.len());
    for row in rows {
        let who = if let Some(who) = known.get(&row.reader) {
            who.clone()
        } else {
            let who = who(reader, person, &row.reader)?;
            known.insert(row.reader.clone(), who.clone());
            who
        };
        answer.push((row, who));
    }
    Ok(answer)
}

/// Who a reader is.
pub(crate) fn who(
    reader: &mut Reader<'_>,
    person: Id<Person>,
    text: &str,
) -> Result<ReaderIs, Fault> {
    if let Ok(id) = text.parse::<Id<Person>>() {
        if id == person {
            return Ok(ReaderIs::Own);
        }
        let name = view::citizen(reader, id)?.map(|it| it.name);
        return Ok(ReaderIs::Helper(name.unwrap_or_else(|| short_id(text))));
    }
    if let Ok(id) = text.parse::<Id<Staff>>() {
        let roles = view::staff(reader, id)?.map(|it| it.roles).unwrap_or_default();
        // Records are read by health officers; other roles are named only when that one is not held.
        let officer = roles.iter().find(|it| it.role == Role::HealthOfficer);
        let role = officer.or(roles.first()).map(|it| it.role);
        return Ok(ReaderIs::Staff(role, short_id(text)));
    }
    Ok(ReaderIs::Machine)
}

/// A role in words.
pub(crate) fn role_text(texts: &Texts, locale: Locale, role: Role) -> String {
    texts.get(locale, &format!("person-role-{}", role.word().replace('_', "-")))
}

/// Who a reader is, in words.
pub(crate) fn who_text(texts: &Texts, locale: Locale, who: &ReaderIs) -> String {
    match who {
        ReaderIs::Own => texts.get(locale, "person-reader-own"),
        ReaderIs::Helper(name) => {
            texts.format(locale, "person-reader-helper", &[("name", Arg::Text(name.clone()))])
        }
        ReaderIs::Staff(role, number) => {
            let role = match role {
                Some(role) => role_text(texts, locale, *role),
                None => texts.get(locale, "person-reader-staff-former"),
            };
            let args = [("role", Arg::Text(role)), ("number", Arg::Text(number.clone()))];
            texts.format(locale, "person-reader-staff", &args)
        }
        ReaderIs::Machine => texts.get(locale, "person-reader-machine"),
    }
}

/// What was read, in words. A word that this slice has no text for is shown as it is.
pub(crate) fn record_text(texts: &Texts, locale: Locale, word: &str) -> String {
    let key = format!("person-record-{}", word.replace(['.', '_'], "-"));
    texts.find(locale, &key).unwrap_or_else(|| word.to_owned())
}

/// Why, in words; as [`record_text`].
pub(crate) fn purpose_text(texts: &Texts, locale: Locale, word: &str) -> String {
    let key = format!("person-purpose-{}", word.replace('_', "-"));
    texts.find(locale, &key).unwrap_or_else(|| word.to_owned())
}

/// A reading in words.
pub(crate) fn in_words(
    texts: &Texts,
    locale: Locale,
    (row, who): &(AccessRow, ReaderIs),
) -> Reading {
    Reading {
        at_text: row.at.rfc3339(),
        at: row.at,
        reader: who_text(texts, locale, who),
        record: record_text(texts, locale, &row.record),
        purpose: purpose_text(texts, locale, &row.purpose),
        grounds: row.grounds.clone(),
    }
}

#[derive(Template)]
#[template(path = "person/readers.html")]
struct Show {
    frame: Frame,
    rows: Vec<Reading>,
    pager: Option<Pager>,
}

/// Where the page begins.
#[derive(Debug, Deserialize)]
pub(crate) struct From {
    /// Microseconds since 1970: rows before it.
    before: Option<i64>,
}

/// GET /account/readers
pub(crate) async fn show(
    State(app): State<App>,
    actor: Actor,
    Query(from): Query<From>,
) -> Result<Page<impl Template>, Problem> {
    let person = actor.person()?;
    let before = Instant::from_micros(from.before.unwrap_or(i64::MAX));
    // One more than shown tells whether there is a next page.
    let limit = u32::try_from(ROWS + 1).unwrap_or(u32::MAX);
    let found =
        read_mine(&app, &actor, "access.log", move |reader| load(reader, person, before, limit))
            .await?;
    let frame = Frame::new(&app, &actor, "person-readers-title");
    let mut rows: Vec<Reading> =
        found.iter().map(|it| in_words(&app.texts, actor.locale, it)).collect();
    let last = cut(&mut rows, ROWS).then(|| rows.last()).flatten();
    let next = last.map(|it| format!("/account/readers?before={}", it.at.micros()));
    let previous = from.before.map(|_| "/account/readers".to_owned());
    let pager = pager(previous, next);
    Ok(Page(Show { frame, rows, pager }))
}

pub(super) fn sample(locale: Locale) -> Result<String, askama::Error> {
    let frame = sample_frame(locale);
    let reading = |reader: String, grounds: &str| Reading {
        at_text: String::new(),
        at: Instant::from_seconds(1_780_000_000),
        reader,
        record: frame.t("person-record-person-record"),
        purpose: frame.t("person-purpose-desk"),
        grounds: grounds.to_owned(),
    };
    let rows = vec![
        reading(frame.t1("person-reader-helper", "name", "김바다"), ""),
        reading(frame.t("person-reader-machine"), "A-2026-17"),
    ];
    let pager = Pager { next: Some("/account/readers?before=1".to_owned()), ..Pager::default() };
    Show { frame, rows, pager: Some(pager) }.render()
}
