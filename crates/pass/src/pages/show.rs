//! A pass at a door: the page on which the phone draws the compact code that is bound to it.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use credential::Outcome;
use http::HeaderMap;
use kernel::{Id, Locale};
use web::{Actor, App, Frame, Page, Path, Problem, sample_frame};

use super::{card, kind_text};
use crate::model::Card;
use crate::refusal::Refusal;

#[derive(Template)]
#[template(path = "pass/show.html")]
pub(crate) struct Show {
    frame: Frame,
    crumbs: Vec<(String, String)>,
    title: String,
    /// Where the phone asks for a code.
    codes: String,
    /// The city's zone: its times are shown in that, wherever the phone thinks that it is.
    zone: String,
    print: String,
}

fn page(frame: Frame, card: Id<Card>, title: String, zone: &str) -> Show {
    let path = format!("/passes/{card}");
    Show {
        crumbs: vec![("/passes".to_owned(), frame.t("pass-title")), (path.clone(), title.clone())],
        title,
        codes: format!("/api/v1/passes/{card}/codes"),
        zone: zone.to_owned(),
        print: format!("{path}/print"),
        frame: frame.script("pass/show.js"),
    }
}

/// The page of a pass that was issued here and is good.
pub(crate) async fn show(
    State(app): State<App>,
    actor: Actor,
    Path(card): Path<Id<Card>>,
) -> Result<Page<Show>, Problem> {
    let (held, judged, issues) = card::load(&app, &actor, card, app.now()).await?;
    let is_good = judged.verdict.outcome == Outcome::Pass && held.removed_at.is_none();
    if !is_good || issues.pass(card).is_none() {
        return Err(Problem::refused(&Refusal::NotBindable));
    }
    let frame = Frame::new(&app, &actor, "pass-show-title");
    let title = kind_text(&frame, judged.verdict.kind, judged.verdict.format);
    Ok(Page(page(frame, card, title, app.config.zone.name())))
}

/// The service worker: keeps that page for times without a network.
pub(crate) async fn worker(
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    app.assets.fixed("pass/sw.js", &headers).ok_or_else(Problem::not_found)
}

pub(crate) fn sample(locale: Locale) -> Result<String, askama::Error> {
    let frame = sample_frame(locale);
    let title = frame.t("pass-kind-vaccination");
    page(frame, Id::from_u128(1), title, "Asia/Seoul").render()
}
