//! Looking at the log: the newest entries, one entry, a search, the receipt for anybody.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use kernel::{Arg, Instant, Locale};
use ledger::Hash;
use serde::Deserialize;
use web::ui::{Field, Pager};
use web::{Actor, App, Frame, Page, Path, Problem, Query, Sample, See, Who, sample_frame};

use super::picture::{Bar, Ladder, bars, ladder};
use super::{number, signed};
use crate::kind::in_words;
use crate::model::{Proven, Step};
use crate::receipt as receipts;
use crate::refusal::Refusal;
use crate::view::{self, Found};

/// Entries on a page of the list.
const LIST: u64 = 20;
/// Days in the picture.
const DAYS: i32 = 7;
/// Kinds in the picture.
const KINDS: usize = 6;

/// One line of the list.
struct Row {
    index: u64,
    number: String,
    at: String,
    words: String,
}

/// One line of the picture of kinds.
struct KindRow {
    words: String,
    count: String,
    /// Its share of the most frequent kind's, in hundredths.
    width: u64,
}

#[derive(Template)]
#[template(path = "logbook/log.html")]
struct LogPage {
    frame: Frame,
    tiles: Vec<(String, String)>,
    signed_at: String,
    root: String,
    checkpoint: Vec<String>,
    search: Field,
    rows: Vec<Row>,
    pager: Pager,
    bars: Vec<Bar>,
    kinds_title: String,
    kinds: Vec<KindRow>,
    citizen: bool,
    /// Entries on the log, where the list is of the newest: it grows.
    live: Option<u64>,
}

/// Where in the list.
#[derive(Debug, Deserialize)]
pub struct ListQuery {
    before: Option<u64>,
}

impl ListQuery {
    /// Entries before this index.
    pub(super) const fn before(&self) -> Option<u64> {
        self.before
    }
}

fn search_field(frame: &Frame, value: &str, error: Option<String>) -> Field {
    Field { maxlength: Some(128), ..Field::text("q", frame.t("logbook-search-label")) }
        .hint(frame.t("logbook-search-hint"))
        .with(value)
        .error(error)
}

fn row(frame: &Frame, index: u64, at: Instant, kind: &str) -> Row {
    Row { index, number: number(index), at: frame.minute(&at), words: in_words(frame, kind) }
}

fn kind_rows(frame: &Frame, kinds: &[(String, u64)]) -> Vec<KindRow> {
    let most = kinds.first().map_or(1, |(_, count)| *count).max(1);
    let line = |(kind, count): &(String, u64)| KindRow {
        words: in_words(frame, kind),
        count: number(*count),
        width: (count * 100 / most).max(1),
    };
    kinds.iter().take(KINDS).map(line).collect()
}

/// GET /log
pub async fn log(
    State(app): State<App>,
    actor: Actor,
    Query(ListQuery { before }): Query<ListQuery>,
) -> Result<Response, Problem> {
    let (now, zone) = (app.now(), app.config.zone.clone());
    let (head, entries, days, (looked_at, kinds)) = app
        .read(move |reader| {
            let head = reader.head()?;
            let before = before.unwrap_or(head.size).min(head.size);
            let entries = view::entries_before(reader, before, LIST)?;
            let days = view::per_day(reader, head.size, &zone, now, DAYS)?;
            let kinds = view::kinds(reader, head.size)?;
            Ok((head, entries, days, kinds))
        })
        .await?;
    let frame = Frame::new(&app, &actor, "logbook-log-title").script("logbook/live.js");
    let end = before.unwrap_or(head.size).min(head.size);
    let begin = end.saturating_sub(LIST);
    let to = |before: u64| format!("/log?before={before}");
    let pager = Pager {
        previous: (end < head.size).then(|| to((end + LIST).min(head.size))),
        next: (begin > 0).then(|| to(begin)),
        label: match end.checked_sub(1) {
            Some(last) => format!("{}–{}", number(begin), number(last)),
            None => String::new(),
        },
    };
    let today = days.last().map_or(0, |(_, count)| *count);
    Ok(Page(LogPage {
        tiles: vec![
            (frame.t("logbook-tile-entries"), number(head.size)),
            (frame.t("logbook-tile-today"), number(today)),
        ],
        signed_at: frame.t1("logbook-signed-at", "at", &frame.minute(&head.at)),
        root: head.root.to_string(),
        checkpoint: head.checkpoint.lines().map(str::to_owned).collect(),
        search: search_field(&frame, "", None),
        rows: entries.iter().map(|it| row(&frame, it.index, it.leaf.at, &it.leaf.kind)).collect(),
        pager,
        bars: bars(&days),
        kinds_title: frame.tn("logbook-kinds-title", "count", &signed(looked_at)),
        kinds: kind_rows(&frame, &kinds),
        citizen: matches!(actor.who, Who::Citizen(_)),
        live: (end == head.size).then_some(head.size),
        frame,
    })
    .into_response())
}

#[derive(Template)]
#[template(path = "logbook/entry.html")]
struct EntryPage {
    frame: Frame,
    crumbs: Vec<(String, String)>,
    words: String,
    facts: Vec<(String, String)>,
    commit: Option<String>,
    public: Option<String>,
    line: String,
    ladder: Ladder,
    way: String,
    steps: Vec<Step>,
    index: u64,
    pager: Pager,
}

pub(super) fn crumbs(frame: &Frame) -> Vec<(String, String)> {
    vec![("/log".to_owned(), frame.t("logbook-log-title"))]
}

fn entry_page(frame: Frame, proven: &Proven) -> Result<EntryPage, Problem> {
    let leaf = store::Leaf::parse(&proven.entry)?;
    let words = in_words(&frame, &leaf.kind);
    let index = proven.index;
    let title = frame.tn("logbook-entry-title", "index", &signed(index));
    let frame = frame.titled(title);
    let facts = vec![
        (frame.t("logbook-fact-at"), frame.minute(&leaf.at)),
        (frame.t("logbook-fact-kind"), leaf.kind),
        (frame.t("logbook-fact-region"), leaf.region),
        (frame.t("logbook-fact-hash"), proven.leaf().to_hex()),
    ];
    let to = |index: u64| format!("/log/entry/{index}");
    let args = [
        ("steps", Arg::Number(signed(count(&proven.path)))),
        ("size", Arg::Number(signed(proven.size))),
    ];
    Ok(EntryPage {
        crumbs: crumbs(&frame),
        words,
        facts,
        commit: leaf.commit,
        public: leaf.public.map(|it| pretty(it.get())),
        line: receipts::text(proven.entry.clone())?,
        ladder: ladder(proven),
        way: frame.tf("logbook-entry-way", &args),
        steps: proven.steps(),
        index,
        pager: Pager {
            previous: index.checked_sub(1).map(to),
            next: (index + 1 < proven.size).then(|| to(index + 1)),
            label: String::new(),
        },
        frame,
    })
}

fn count(path: &[Hash]) -> u64 {
    u64::try_from(path.len()).unwrap_or(0)
}

/// JSON as a person reads it; text that is none stays as it is. Lines are indented with spaces that
/// HTML keeps.
pub(super) fn pretty(json: &str) -> String {
    let value: Result<serde_json::Value, _> = serde_json::from_str(json);
    let text = value.ok().and_then(|it| serde_json::to_string_pretty(&it).ok());
    let text = text.unwrap_or_else(|| json.to_owned());
    let indented = |line: &str| {
        let body = line.trim_start_matches(' ');
        format!("{}{body}", "\u{a0}".repeat(line.len() - body.len()))
    };
    text.lines().map(indented).collect::<Vec<_>>().join("\n")
}

async fn receipt_of(app: &App, index: u64) -> Result<receipts::Receipt, Problem> {
    let (found, size) =
        app.read(move |it| Ok((receipts::receipt(it, index)?, it.head()?.size))).await?;
    found.ok_or_else(|| Problem::refused(&Refusal::EntryUnknown { size }))
}

/// GET /log/entry/{index}
pub async fn entry(
    State(app): State<App>,
    actor: Actor,
    Path(index): Path<u64>,
) -> Result<Response, Problem> {
    let receipt = receipt_of(&app, index).await?;
    let frame = Frame::new(&app, &actor, "logbook-log-title");
    Ok(Page(entry_page(frame, &receipt.proven)?).into_response())
}

/// A header that makes the browser keep the answer as a file.
pub(super) fn download(name: &str) -> (HeaderName, String) {
    (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\""))
}

/// GET /log/receipt/{index}
pub async fn receipt(
    State(app): State<App>,
    Path(index): Path<u64>,
) -> Result<impl IntoResponse, Problem> {
    let receipt = receipt_of(&app, index).await?;
    let kind = (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned());
    let fresh = (header::CACHE_CONTROL, "no-cache".to_owned());
    let name = format!("haetae-{index}.tlog-proof");
    Ok(([kind, fresh, download(&name)], receipt.file))
}

#[derive(Template)]
#[template(path = "logbook/search.html")]
struct SearchPage {
    frame: Frame,
    crumbs: Vec<(String, String)>,
    errors: Vec<(String, String)>,
    search: Field,
    answer: Option<String>,
    further: Option<String>,
}

/// What is looked for.
#[derive(Debug, Deserialize)]
pub struct SearchQuery {
    q: Option<String>,
    before: Option<u64>,
}

/// What a search text means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// The entry with this index.
    Index(u64),
    /// The entry with this hash or commitment.
    Hash(Hash),
}

/// Reads a search text: a number with or without commas, or a hash in hexadecimal or base64.
pub(crate) fn wanted(text: &str) -> Option<Wanted> {
    let text = text.trim();
    let digits = text.replace(',', "");
    if let Ok(index) = digits.parse::<u64>() {
        return Some(Wanted::Index(index));
    }
    Hash::from_hex(text).or_else(|_| text.parse()).ok().map(Wanted::Hash)
}

/// GET /log/search
pub async fn search(
    State(app): State<App>,
    actor: Actor,
    Query(SearchQuery { q, before }): Query<SearchQuery>,
) -> Result<Response, Problem> {
    let frame = Frame::new(&app, &actor, "logbook-search-title");
    let q = q.unwrap_or_default();
    let page = |frame: Frame, error: Option<String>, answer, further| SearchPage {
        crumbs: crumbs(&frame),
        errors: error.iter().map(|it| ("q".to_owned(), it.clone())).collect(),
        search: search_field(&frame, &q, error),
        answer,
        further,
        frame,
    };
    if q.trim().is_empty() {
        return Ok(Page(page(frame, None, None, None)).into_response());
    }
    let Some(wanted) = wanted(&q) else {
        let error = frame.t("logbook-search-invalid");
        return Ok(web::unprocessable(page(frame, Some(error), None, None)));
    };
    let found = app
        .read(move |reader| {
            let size = reader.head()?.size;
            match wanted {
                Wanted::Index(index) if index < size => Ok(Found::At(index)),
                Wanted::Index(_) => Ok(Found::Nowhere),
                Wanted::Hash(hash) => view::find(reader, size, &hash, before.unwrap_or(size)),
            }
        })
        .await?;
    Ok(match found {
        Found::At(index) => See::other(format!("/log/entry/{index}")).into_response(),
        Found::NotSince(index) => {
            let answer = frame.tn("logbook-search-not-since", "index", &signed(index));
            let hash = match wanted {
                Wanted::Hash(hash) => hash.to_hex(),
                Wanted::Index(_) => String::new(),
            };
            let further = format!("/log/search?q={hash}&before={index}");
            Page(page(frame, None, Some(answer), Some(further))).into_response()
        }
        Found::Nowhere => {
            let answer = frame.t("logbook-search-nowhere");
            Page(page(frame, None, Some(answer), None)).into_response()
        }
    })
}

/// An entry as in a young city's log.
pub(super) fn sample_proven() -> Proven {
    let line = store::Leaf::sealed("kr-11", Instant::from_seconds(0), "code.decided.v1", &[7; 32]);
    let path = [1_u8, 2, 3].map(|byte| Hash::from([byte; 32])).to_vec();
    let mut proven = Proven { index: 5, entry: line, size: 8, root: ledger::empty_root(), path };
    proven.root = proven.steps().last().map_or(proven.root, |it| it.above);
    proven
}

/// Samples of this file's pages.
pub(super) fn samples() -> Vec<Sample> {
    vec![
        Sample { name: "logbook/log", render: |locale| sample_log(locale, true).render() },
        Sample { name: "logbook/log-empty", render: |locale| sample_log(locale, false).render() },
        Sample {
            name: "logbook/entry",
            render: |locale| {
                let page = entry_page(sample_frame(locale), &sample_proven());
                page.map_err(|it| askama::Error::Custom(it.code.into()))?.render()
            },
        },
        Sample {
            name: "logbook/search",
            render: |locale| {
                let frame = sample_frame(locale).titled(String::from("Search"));
                let error = frame.t("logbook-search-invalid");
                SearchPage {
                    crumbs: crumbs(&frame),
                    errors: vec![("q".to_owned(), error.clone())],
                    search: search_field(&frame, "?", Some(error)),
                    answer: Some(frame.tn("logbook-search-not-since", "index", &32_768)),
                    further: Some("/log/search".to_owned()),
                    frame,
                }
                .render()
            },
        },
    ]
}

fn sample_log(locale: Locale, full: bool) -> LogPage {
    let frame = sample_frame(locale);
    let frame = frame.clone().titled(frame.t("logbook-log-title"));
    let proven = sample_proven();
    let at = Instant::from_seconds(0);
    let day = |back: i32| kernel::Date::from_days(20_000 + back);
    let days: Vec<_> = (0..7).map(|it| (day(it), u64::try_from(it * it).unwrap_or(0))).collect();
    let kinds = [("code.decided.v1".to_owned(), 9), ("gate.entered.v1".to_owned(), 4)];
    let size = if full { 8 } else { 0 };
    LogPage {
        tiles: vec![
            (frame.t("logbook-tile-entries"), number(size)),
            (frame.t("logbook-tile-today"), number(size)),
        ],
        signed_at: frame.t1("logbook-signed-at", "at", &frame.minute(&at)),
        root: proven.root.to_string(),
        checkpoint: vec!["city.example/log".to_owned(), size.to_string(), proven.root.to_string()],
        search: search_field(&frame, "", None),
        rows: (0..size).rev().map(|it| row(&frame, it, at, "code.decided.v1")).collect(),
        pager: Pager { label: "0–7".to_owned(), ..Pager::default() },
        bars: if full { bars(&days) } else { Vec::new() },
        kinds_title: frame.tn("logbook-kinds-title", "count", &signed(size)),
        kinds: if full { kind_rows(&frame, &kinds) } else { Vec::new() },
        citizen: true,
        live: Some(size),
        frame,
    }
}
