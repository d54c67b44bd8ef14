//! How to check the log oneself: in the browser, with programs, by hand, against a checkpoint that
//! was kept.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use ledger::Hash;
use serde::Deserialize;
use web::ui::Field;
use web::{Actor, App, Frame, Page, Problem, Query, Sample, sample_frame};

use super::browse::{crumbs, sample_proven};
use super::{number, signed};
use crate::model::{Proven, Step};
use crate::receipt;
use crate::view::{self, Continued};

/// The entry that is calculated as an example.
struct Worked {
    index: u64,
    /// The index as texts take it.
    number: i64,
    line: String,
    leaf: Hash,
    steps: Vec<Step>,
    root: Hash,
    /// What was found when we calculated it: `good` or `bad`.
    tone: &'static str,
    verdict: String,
}

#[derive(Template)]
#[template(path = "logbook/check.html")]
struct CheckPage {
    frame: Frame,
    crumbs: Vec<(String, String)>,
    errors: Vec<(String, String)>,
    field: Field,
    worked: Option<Worked>,
    address: String,
    key: String,
}

/// Which entry.
#[derive(Debug, Deserialize)]
pub struct CheckQuery {
    entry: Option<String>,
}

fn entry_field(frame: &Frame, value: &str, error: Option<String>) -> Field {
    let field = Field::text("entry", frame.t("logbook-check-entry-label"));
    Field { inputmode: Some("numeric"), maxlength: Some(20), ..field }.with(value).error(error)
}

fn worked(frame: &Frame, proven: Proven) -> Result<Worked, store::Fault> {
    let (index, size, root) = (proven.index, proven.size, proven.root);
    let leaf = proven.leaf();
    // Said by the verifier, which shares nothing with the prover.
    let holds = ledger::verify_inclusion(&leaf, index, size, &proven.path, &root).is_ok();
    let (tone, key) =
        if holds { ("good", "logbook-check-holds") } else { ("bad", "logbook-check-fails") };
    let steps = proven.steps();
    let line = receipt::text(proven.entry)?;
    let number = signed(index);
    Ok(Worked { index, number, line, leaf, steps, root, tone, verdict: frame.t(key) })
}

/// GET /log/check
pub async fn check(
    State(app): State<App>,
    actor: Actor,
    Query(CheckQuery { entry }): Query<CheckQuery>,
) -> Result<Response, Problem> {
    let frame = Frame::new(&app, &actor, "logbook-check-title").script("logbook/check.js");
    let asked = entry.unwrap_or_default();
    let asked = asked.trim().replace(',', "");
    let index = asked.parse::<u64>().ok();
    let (proven, size) = app
        .read(move |reader| {
            let size = reader.head()?.size;
            let index = index.unwrap_or(size.saturating_sub(1));
            Ok((view::prove(reader, index, size)?, size))
        })
        .await?;
    let wrong = !asked.is_empty() && (index.is_none() || proven.is_none());
    let error = wrong.then(|| frame.tn("logbook-check-entry-unknown", "size", &signed(size)));
    let shown = match (&proven, wrong) {
        (Some(proven), false) => proven.index.to_string(),
        _ => asked,
    };
    let page = CheckPage {
        crumbs: crumbs(&frame),
        errors: error.iter().map(|it| ("entry".to_owned(), it.clone())).collect(),
        field: entry_field(&frame, &shown, error),
        worked: proven.filter(|_| !wrong).map(|it| worked(&frame, it)).transpose()?,
        address: format!("{}/log", app.config.origin_text()),
        key: app.store.log_key().to_owned(),
        frame,
    };
    Ok(if wrong { web::unprocessable(page) } else { Page(page).into_response() })
}

#[derive(Template)]
#[template(path = "logbook/consistency.html")]
struct ConsistencyPage {
    frame: Frame,
    crumbs: Vec<(String, String)>,
    errors: Vec<(String, String)>,
    old: Field,
    new: Field,
    root: Field,
    answer: Option<Answer>,
}

/// What the comparison found.
struct Answer {
    tone: &'static str,
    text: String,
    facts: Vec<(String, String)>,
    path: Vec<Hash>,
}

/// What a person kept, and what it is compared with.
#[derive(Debug, Default, Deserialize)]
pub struct ConsistencyQuery {
    old: Option<String>,
    new: Option<String>,
    root: Option<String>,
}

/// What was asked, once it can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asked {
    old: u64,
    new: u64,
    root: Option<Hash>,
}

impl ConsistencyQuery {
    #[cfg(test)]
    pub(crate) fn of(old: Option<String>, new: Option<String>, root: Option<String>) -> Self {
        Self { old, new, root }
    }

    fn text(value: Option<&String>) -> &str {
        value.map_or("", |it| it.trim())
    }

    /// What is asked of a log of `size` entries, or which fields are wrong, by their names.
    pub(crate) fn read(&self, size: u64) -> Result<Asked, Vec<&'static str>> {
        let whole = |text: &str| text.replace(',', "").parse::<u64>().ok();
        let new = match Self::text(self.new.as_ref()) {
            "" => Some(size),
            text => whole(text).filter(|it| *it <= size),
        };
        let old = whole(Self::text(self.old.as_ref()));
        let old = old.filter(|it| *it >= 1 && *it <= new.unwrap_or(size));
        let root = match Self::text(self.root.as_ref()) {
            "" => Some(None),
            text => Hash::from_hex(text).or_else(|_| text.parse()).ok().map(Some),
        };
        if let (Some(old), Some(new), Some(root)) = (old, new, root) {
            return Ok(Asked { old, new, root });
        }
        let wrong = [("old", old.is_none()), ("new", new.is_none()), ("root", root.is_none())];
        Err(wrong.into_iter().filter(|(_, it)| *it).map(|(name, _)| name).collect())
    }
}

fn answer(frame: &Frame, proof: Continued, kept: Option<Hash>) -> Answer {
    let Continued { old, old_root, new, new_root, path } = proof;
    let grew = ledger::verify_consistency(old, &old_root, new, &new_root, &path).is_ok();
    let (tone, key) = match kept {
        _ if !grew => ("bad", "logbook-consistency-broken"),
        Some(root) if root != old_root => ("bad", "logbook-consistency-other-root"),
        Some(_) => ("good", "logbook-consistency-good"),
        None => ("info", "logbook-consistency-grew"),
    };
    let args = [("old", signed(old)), ("new", signed(new))];
    let args = args.map(|(name, value)| (name, kernel::Arg::Number(value)));
    let facts = vec![
        (frame.tn("logbook-consistency-root-at", "size", &signed(old)), old_root.to_string()),
        (frame.tn("logbook-consistency-root-at", "size", &signed(new)), new_root.to_string()),
    ];
    Answer { tone, text: frame.tf(key, &args), facts, path }
}

fn consistency_page(
    frame: Frame,
    query: &ConsistencyQuery,
    size: u64,
    wrong: &[&'static str],
    answer: Option<Answer>,
) -> ConsistencyPage {
    let error = |name: &str| {
        let key = match name {
            "root" => return frame.t("logbook-consistency-root-invalid"),
            "old" => "logbook-consistency-old-invalid",
            _ => "logbook-consistency-new-invalid",
        };
        frame.tn(key, "size", &signed(size))
    };
    let field = |name: &'static str, label: String, value: Option<&String>| {
        let error = wrong.contains(&name).then(|| error(name));
        let field = Field { maxlength: Some(64), ..Field::text(name, label) };
        field.with(ConsistencyQuery::text(value)).error(error)
    };
    let numeric = |field: Field| Field { inputmode: Some("numeric"), ..field };
    let old = field("old", frame.t("logbook-consistency-old"), query.old.as_ref());
    let new = field("new", frame.t("logbook-consistency-new"), query.new.as_ref());
    let root = field("root", frame.t("logbook-consistency-root"), query.root.as_ref());
    let new_hint = frame.t1("logbook-consistency-new-hint", "size", &number(size));
    ConsistencyPage {
        crumbs: crumbs(&frame),
        errors: wrong.iter().map(|it| ((*it).to_owned(), error(it))).collect(),
        old: numeric(old).hint(frame.t("logbook-consistency-old-hint")),
        new: numeric(new).optional().hint(new_hint),
        root: root.optional().hint(frame.t("logbook-consistency-root-hint")),
        answer,
        frame,
    }
}

/// GET /log/consistency
pub async fn consistency(
    State(app): State<App>,
    actor: Actor,
    Query(query): Query<ConsistencyQuery>,
) -> Result<Response, Problem> {
    let frame = Frame::new(&app, &actor, "logbook-consistency-title");
    let head = app.read(view::head).await?;
    let size = head.size;
    if query.old.is_none() && query.new.is_none() && query.root.is_none() {
        return Ok(Page(consistency_page(frame, &query, size, &[], None)).into_response());
    }
    let asked = match query.read(size) {
        Ok(asked) => asked,
        Err(wrong) => {
            return Ok(web::unprocessable(consistency_page(frame, &query, size, &wrong, None)));
        }
    };
    let proof =
        app.read(move |reader| view::continued(reader, &head, asked.old, asked.new)).await?;
    let answer = proof.map(|it| answer(&frame, it, asked.root));
    Ok(Page(consistency_page(frame, &query, size, &[], answer)).into_response())
}

/// Samples of this file's pages.
pub(super) fn samples() -> Vec<Sample> {
    vec![
        Sample {
            name: "logbook/check",
            render: |locale| {
                let frame = sample_frame(locale);
                let frame = frame.clone().titled(frame.t("logbook-check-title"));
                let worked = worked(&frame, sample_proven());
                CheckPage {
                    crumbs: crumbs(&frame),
                    errors: Vec::new(),
                    field: entry_field(&frame, "5", None),
                    worked: worked.ok(),
                    address: "https://city.example/log".to_owned(),
                    key: "city.example/log+00000000+AAAA".to_owned(),
                    frame,
                }
                .render()
            },
        },
        Sample {
            name: "logbook/check-empty",
            render: |locale| {
                let frame = sample_frame(locale);
                let frame = frame.clone().titled(frame.t("logbook-check-title"));
                let error = frame.tn("logbook-check-entry-unknown", "size", &0);
                CheckPage {
                    crumbs: crumbs(&frame),
                    errors: vec![("entry".to_owned(), error.clone())],
                    field: entry_field(&frame, "5", Some(error)),
                    worked: None,
                    address: "https://city.example/log".to_owned(),
                    key: "city.example/log+00000000+AAAA".to_owned(),
                    frame,
                }
                .render()
            },
        },
        Sample {
            name: "logbook/consistency",
            render: |locale| {
                let frame = sample_frame(locale);
                let frame = frame.clone().titled(frame.t("logbook-consistency-title"));
                let root = Hash::from([1; 32]);
                let path = vec![Hash::from([2; 32])];
                let proof = Continued { old: 3, old_root: root, new: 8, new_root: root, path };
                let answer = answer(&frame, proof, None);
                let query = ConsistencyQuery { old: Some("3".to_owned()), ..Default::default() };
                consistency_page(frame, &query, 8, &["root"], Some(answer)).render()
            },
        },
    ]
}
