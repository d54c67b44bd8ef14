//! The list of places that one runs.

use askama::Template;
use axum::extract::State;
use contracts::gate::Place as PlaceId;
use kernel::Id;
use serde::Deserialize;
use web::ui::Pager;
use web::{Access, Actor, App, Frame, Page, Problem, Query, Route, Sample};

use crate::rights;
use crate::view::PlaceRow;

/// Places of a whole region on one page.
const PAGE: u32 = 50;

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get("/desk/places", list, Access::Staff(rights::RUNS_PLACES))]
}

struct Line {
    href: String,
    name: String,
    kind: String,
    sensitive: bool,
    closed: bool,
}

#[derive(Template)]
#[template(path = "gate/places.html")]
struct Places {
    frame: Frame,
    crumbs: Vec<(String, String)>,
    lines: Vec<Line>,
    /// Sensitive places are left out of a region's list: where to see them too.
    hidden: Option<String>,
    pager: Option<Pager>,
}

#[derive(Debug, Deserialize)]
struct ListQuery {
    after: Option<Id<PlaceId>>,
    /// `yes` shows sensitive places in a region's list too.
    sensitive: Option<String>,
}

async fn list(
    State(app): State<App>,
    actor: Actor,
    Query(query): Query<ListQuery>,
) -> Result<Page<Places>, Problem> {
    let with_sensitive = query.sensitive.as_deref() == Some("yes");
    let rows = rights::own_places(&app, &actor, query.after, with_sensitive, PAGE).await?;
    let frame = Frame::new(&app, &actor, "gate-places-title");
    let whole = rights::runs_region(&actor);
    let full = usize::try_from(PAGE).is_ok_and(|it| it <= rows.len());
    let next = rows.last().filter(|_| whole && full).map(|it| {
        let sensitive = if with_sensitive { "&sensitive=yes" } else { "" };
        format!("/desk/places?after={}{sensitive}", it.place)
    });
    let previous = query.after.map(|_| "/desk/places".to_owned());
    let pager = (next.is_some() || previous.is_some()).then(|| Pager {
        previous,
        next,
        label: String::new(),
    });
    let hidden = (whole && !with_sensitive).then(|| "/desk/places?sensitive=yes".to_owned());
    Ok(Page(Places {
        crumbs: vec![("/desk".to_owned(), frame.t("gate-crumb-desk"))],
        lines: rows.iter().map(|it| line(&frame, it)).collect(),
        hidden,
        pager,
        frame,
    }))
}

fn line(frame: &Frame, it: &PlaceRow) -> Line {
    Line {
        href: format!("/desk/places/{}", it.place),
        name: it.name.clone(),
        kind: frame.t(it.kind.text_key()),
        sensitive: it.sensitive,
        closed: it.closed_at.is_some(),
    }
}

pub(super) fn samples() -> Vec<Sample> {
    vec![
        Sample {
            name: "gate/places",
            render: |locale| {
                let frame = web::sample_frame(locale);
                let line = |name: &str, sensitive, closed| Line {
                    href: "/desk/places".to_owned(),
                    name: name.to_owned(),
                    kind: frame.t("gate-kind-shop"),
                    sensitive,
                    closed,
                };
                let lines = vec![line("해태 시장", false, false), line("온누리", true, true)];
                let crumbs = vec![("/desk".to_owned(), frame.t("gate-crumb-desk"))];
                let hidden = Some("/desk/places?sensitive=yes".to_owned());
                let pager = Some(Pager {
                    previous: None,
                    next: Some("/desk/places".to_owned()),
                    label: String::new(),
                });
                Places { frame, crumbs, lines, hidden, pager }.render()
            },
        },
        Sample {
            name: "gate/places-empty",
            render: |locale| {
                let frame = web::sample_frame(locale);
                let crumbs = vec![("/desk".to_owned(), frame.t("gate-crumb-desk"))];
                Places { frame, crumbs, lines: Vec::new(), hidden: None, pager: None }.render()
            },
        },
    ]
}
