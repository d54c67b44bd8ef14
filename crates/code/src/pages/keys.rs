//! The keys, for whoever administers the region: how old each is, how it stands, what to do next. Nothing
//! is done here: a key is changed on the machine that holds it, by `haetae keys`.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use contracts::person::{Role, Scope};
use kernel::{Instant, Locale};
use store::{queue, wrap};
use web::{Actor, App, Frame, Page, Problem, sample_frame};

use crate::key_list::{KeyFile, KeyList, SINGLE};

/// A key that somebody changes is due after so many days. A year, as the guide for operators says.
const DUE_DAYS: i64 = 365;

struct Row {
    name: String,
    kind: String,
    age: String,
    state: String,
    next: String,
    is_due: bool,
}

#[derive(Template)]
#[template(path = "code/keys.html")]
pub(crate) struct Keys {
    frame: Frame,
    crumbs: Vec<(String, String)>,
    rows: Vec<Row>,
}

/// The key of the words for what a key is for, and what `haetae keys rotate` calls it, if it is changed by
/// that.
fn kind(name: &str) -> (&'static str, Option<&'static str>) {
    if let Some((side, _)) = wrap::parse(name) {
        return ("code-keys-kind-wrap", Some(wrap::base(side)));
    }
    if queue::parse(name).is_some() {
        return ("code-keys-kind-queue", Some("queue"));
    }
    match name {
        "blind-index" => ("code-keys-kind-blind-index", None),
        "log" => ("code-keys-kind-log", None),
        "root" => ("code-keys-kind-root", None),
        "web" => ("code-keys-kind-web", None),
        _ if name.starts_with("issuer") => ("code-keys-kind-issuer", None),
        _ => ("code-keys-kind-other", None),
    }
}

fn state_key(state: &str) -> &'static str {
    match state {
        "current" => "code-keys-state-current",
        "next" => "code-keys-state-next",
        "used" => "code-keys-state-used",
        "refused" => "code-keys-state-refused",
        "over" => "code-keys-state-over",
        _ => "code-keys-state-unused",
    }
}

fn row(frame: &Frame, it: &KeyFile, now: Instant) -> Row {
    let (kind_key, rotated) = kind(&it.name);
    let days = it.made_at.map(|at| (now.seconds() - at.seconds()).div_euclid(86_400).max(0));
    let is_old = days.is_some_and(|it| it >= DUE_DAYS);
    let rotate = rotated.filter(|_| it.state == "current" && is_old);
    let next = match (rotate, it.state) {
        (Some(name), _) => frame.t1("code-keys-next-rotate", "name", name),
        (None, "unused") => frame.t("code-keys-next-unused"),
        (None, "current") if SINGLE.contains(&it.name.as_str()) => frame.t("code-keys-next-keep"),
        (None, "current" | "next") => frame.t("code-keys-next-nothing"),
        (None, _) => frame.t("code-keys-next-goes"),
    };
    Row {
        name: it.name.clone(),
        kind: frame.t(kind_key),
        age: days.map_or_else(String::new, |it| frame.tn("code-keys-days", "count", &it)),
        state: frame.t(state_key(it.state)),
        next,
        is_due: rotate.is_some() || it.state == "unused",
    }
}

fn page(frame: Frame, files: &[KeyFile], now: Instant) -> Keys {
    let crumbs = vec![("/desk".to_owned(), frame.t("code-crumb-desk"))];
    Keys { rows: files.iter().map(|it| row(&frame, it, now)).collect(), crumbs, frame }
}

/// GET /desk/keys
pub(crate) async fn show(State(app): State<App>, actor: Actor) -> Result<Page<Keys>, Problem> {
    actor.need(Role::Administrator, &[Scope::Region])?;
    let (store, keyring) = (app.store.clone(), Arc::clone(&app.keyring));
    let listed = app.read(move |reader| KeyList::read(reader, &store, &keyring)).await?;
    Ok(Page(page(Frame::new(&app, &actor, "code-keys-title"), &listed.files, app.now())))
}

pub(crate) fn sample(locale: Locale) -> Result<String, askama::Error> {
    let now = Instant::from_seconds(1_790_000_040);
    let file = |name: &str, days: i64, state: &'static str| KeyFile {
        name: name.to_owned(),
        made_at: Some(now.plus_seconds(-days * 86_400)),
        state,
    };
    let files = [
        file("blind-index", 900, "current"),
        file("identity-wrap", 400, "current"),
        file("issuer-0123456789abcdef", 3, "next"),
        file("log", 900, "current"),
        file("old", 9, "unused"),
        file("queue", 900, "used"),
        file("queue-2", 1, "current"),
    ];
    let frame = sample_frame(locale);
    let frame = frame.clone().titled(frame.t("code-keys-title"));
    page(frame, &files, now).render()
}
