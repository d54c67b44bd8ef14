//! What stands on the log about oneself: a list, one record with its payload, a receipt to keep.
//!
//! Only the person whom a record is about gets here, not even somebody who is helping them: a
//! receipt is proof against the city, and belongs in the hands of whom it concerns.

use askama::Template;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use contracts::person::Person;
use kernel::{Id, Instant};
use web::ui::Pager;
use web::{Actor, App, Frame, Page, Path, Problem, Query, Sample, sample_frame};

use super::browse::{ListQuery, download, pretty, sample_proven};
use super::{number, signed};
use crate::kind::in_words;
use crate::receipt::OwnReceipt;
use crate::refusal::Refusal;
use crate::{receipt, view};

/// Records on a page of the list.
const LIST: usize = 30;

struct Row {
    index: u64,
    number: String,
    at: String,
    words: String,
}

#[derive(Template)]
#[template(path = "logbook/receipts.html")]
struct ListPage {
    frame: Frame,
    crumbs: Vec<(String, String)>,
    rows: Vec<Row>,
    pager: Option<Pager>,
}

fn account(frame: &Frame) -> Vec<(String, String)> {
    vec![("/account".to_owned(), frame.t("logbook-account"))]
}

/// GET /account/receipts
pub async fn list(
    State(app): State<App>,
    actor: Actor,
    Query(query): Query<ListQuery>,
) -> Result<Response, Problem> {
    let person = actor.own_person()?;
    let events = app.read(move |reader| view::own(reader, person.to_u128())).await?;
    let frame = Frame::new(&app, &actor, "logbook-receipts-title");
    let before = query.before().unwrap_or(u64::MAX);
    let mut older = events.iter().filter(|it| it.seq < before);
    let shown: Vec<_> = older.by_ref().take(LIST).collect();
    let next = match (shown.last(), older.next()) {
        (Some(last), Some(_)) => Some(format!("/account/receipts?before={}", last.seq)),
        _ => None,
    };
    let first = (before != u64::MAX).then(|| "/account/receipts".to_owned());
    let label = frame.tn("logbook-receipts-count", "count", &signed(count(events.len())));
    let paged = first.is_some() || next.is_some();
    let rows = shown.iter().map(|it| row(&frame, it.seq, it.at, &it.kind)).collect();
    Ok(Page(ListPage {
        crumbs: account(&frame),
        rows,
        pager: paged.then_some(Pager { previous: first, next, label }),
        frame,
    })
    .into_response())
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

fn row(frame: &Frame, index: u64, at: Instant, kind: &str) -> Row {
    Row { index, number: number(index), at: frame.minute(&at), words: in_words(frame, kind) }
}

#[derive(Template)]
#[template(path = "logbook/receipt.html")]
struct ShowPage {
    frame: Frame,
    crumbs: Vec<(String, String)>,
    words: String,
    facts: Vec<(String, String)>,
    readable: Option<String>,
    receipt: OwnReceipt,
    commit: String,
}

/// The asker's own receipt; nothing for records about anybody else.
async fn own(app: &App, person: Id<Person>, index: u64) -> Result<(OwnReceipt, Instant), Problem> {
    let key = app.store.log_key().to_owned();
    let found = app
        .read(move |reader| {
            let Some(event) = view::own_event(reader, person.to_u128(), index)? else {
                return Ok(None);
            };
            let receipt = receipt::own(reader, &event, &key)?;
            Ok(receipt.map(|it| (it, event.at)))
        })
        .await?;
    found.ok_or_else(|| Problem::refused(&Refusal::ReceiptUnknown))
}

/// GET /account/receipts/{index}
pub async fn show(
    State(app): State<App>,
    actor: Actor,
    Path(index): Path<u64>,
) -> Result<Response, Problem> {
    let (receipt, at) = own(&app, actor.own_person()?, index).await?;
    let frame = Frame::new(&app, &actor, "logbook-receipts-title").script("logbook/check.js");
    Ok(Page(show_page(frame, receipt, at)?).into_response())
}

fn show_page(frame: Frame, receipt: OwnReceipt, at: Instant) -> Result<ShowPage, Problem> {
    let leaf = store::Leaf::parse(receipt.entry.as_bytes())?;
    let mut crumbs = account(&frame);
    crumbs.push(("/account/receipts".to_owned(), frame.t("logbook-receipts-title")));
    let title = frame.tn("logbook-entry-title", "index", &signed(receipt.index));
    let frame = frame.titled(title);
    Ok(ShowPage {
        crumbs,
        words: in_words(&frame, &receipt.kind),
        facts: vec![
            (frame.t("logbook-fact-at"), frame.minute(&at)),
            (frame.t("logbook-fact-kind"), receipt.kind.clone()),
        ],
        readable: receipt.payload.as_deref().map(pretty),
        commit: leaf.commit.unwrap_or_default(),
        receipt,
        frame,
    })
}

/// GET /account/receipts/{index}/file
pub async fn file(
    State(app): State<App>,
    actor: Actor,
    Path(index): Path<u64>,
) -> Result<impl IntoResponse, Problem> {
    let (receipt, _) = own(&app, actor.own_person()?, index).await?;
    let body = serde_json::to_string_pretty(&receipt)
        .map_err(|error| store::Fault::caused("writing a receipt", error))?;
    let kind = (header::CONTENT_TYPE, "application/json".to_owned());
    let private = (header::CACHE_CONTROL, "no-store".to_owned());
    Ok(([kind, private, download(&format!("haetae-receipt-{index}.json"))], body))
}

/// Samples of this file's pages.
pub(super) fn samples() -> Vec<Sample> {
    vec![
        Sample {
            name: "logbook/receipts",
            render: |locale| {
                let frame = sample_frame(locale);
                let frame = frame.clone().titled(frame.t("logbook-receipts-title"));
                let at = Instant::from_seconds(0);
                ListPage {
                    crumbs: account(&frame),
                    rows: [7, 5]
                        .map(|it| row(&frame, it, at, "code.declared.v1"))
                        .into_iter()
                        .collect(),
                    pager: Some(Pager {
                        next: Some("/account/receipts?before=5".to_owned()),
                        label: frame.tn("logbook-receipts-count", "count", &2),
                        ..Pager::default()
                    }),
                    frame,
                }
                .render()
            },
        },
        Sample {
            name: "logbook/receipts-empty",
            render: |locale| {
                let frame = sample_frame(locale);
                let frame = frame.clone().titled(frame.t("logbook-receipts-title"));
                ListPage { crumbs: account(&frame), rows: Vec::new(), pager: None, frame }.render()
            },
        },
        Sample {
            name: "logbook/receipt",
            render: |locale| sample_show(sample_frame(locale), true),
        },
        Sample {
            name: "logbook/receipt-erased",
            render: |locale| sample_show(sample_frame(locale), false),
        },
    ]
}

fn sample_show(frame: Frame, kept: bool) -> Result<String, askama::Error> {
    let proven = sample_proven();
    let receipt = OwnReceipt {
        about: "",
        key: "city.example/log+00000000+AAAA".to_owned(),
        index: proven.index,
        kind: "code.decided.v1".to_owned(),
        at: "1970-01-01T00:00:00Z".to_owned(),
        entry: String::from_utf8_lossy(&proven.entry).into_owned(),
        salt: kept.then(|| "00".repeat(16)),
        payload: kept.then(|| "{\"event\":{\"colour\":\"green\"}}".to_owned()),
        commitment: kept.then(|| "07".repeat(32)),
        proof: "c2sp.org/tlog-proof@v1\nindex 5\n".to_owned(),
    };
    let page = show_page(frame, receipt, Instant::from_seconds(0));
    page.map_err(|it| askama::Error::Custom(it.code.into()))?.render()
}
