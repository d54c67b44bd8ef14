//! Checking a typed code without a scanner: a plain form for a guard whose device has no script, by
//! the session and the rights of staff at that place. The entry is recorded before anybody is told.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use contracts::gate::{Place as PlaceId, Verdict};
use credential::ShortCode;
use kernel::Id;
use serde::Deserialize;
use web::ui::{self, Field};
use web::{
    Access, Actor, App, Form, Frame, Page, Path, Problem, Route, Sample, See, unprocessable,
};

use crate::door;
use crate::rights::{self, Reach};
use crate::view::PlaceRow;

pub(super) fn routes() -> Vec<Route> {
    let checks = Access::Staff(rights::CHECKS_CODES);
    vec![
        Route::get("/gate/check", choose, checks),
        Route::get("/gate/check/{place}", show, checks),
        // Codes could be guessed at.
        Route::post("/gate/check/{place}", check, checks).strict(),
    ]
}

#[derive(Template)]
#[template(path = "gate/check.html")]
struct Check {
    frame: Frame,
    place: String,
    action: String,
    closed: bool,
    verdict: Option<ui::Verdict>,
    errors: Vec<(String, String)>,
    short: Field,
}

/// The places to choose from.
#[derive(Template)]
#[template(path = "gate/check_where.html")]
struct Where {
    frame: Frame,
    places: Vec<(String, String)>,
}

#[derive(Debug, Default, Deserialize)]
struct CheckForm {
    #[serde(default)]
    short: String,
}

fn page(
    frame: Frame,
    place: &PlaceRow,
    verdict: Option<ui::Verdict>,
    typed: &str,
    error: Option<String>,
) -> Check {
    let errors = error.clone().map(|it| ("short".to_owned(), it)).into_iter().collect();
    let short = Field::text("short", frame.t("gate-scan-typed-label"))
        .hint(frame.t("gate-scan-typed-hint"))
        .with(typed)
        .error(error);
    let short = Field { autocomplete: Some("off"), maxlength: Some(24), ..short };
    Check {
        place: place.name.clone(),
        action: format!("/gate/check/{}", place.place),
        closed: place.closed_at.is_some(),
        verdict,
        errors,
        short,
        frame,
    }
}

/// A verdict as the scanner shows it: what can be typed can be read over a shoulder, so a pass is
/// always "check an ID".
fn verdict(frame: &Frame, verdict: Verdict, reasons: &[&str]) -> ui::Verdict {
    let (colour, word, reasons) = match verdict {
        Verdict::Pass => ("yellow", "gate-word-pass-id", ["ask_id"].as_slice()),
        Verdict::NoPass => ("red", "gate-word-no-pass", reasons),
        Verdict::CannotTell => ("unknown", "gate-word-cannot-tell", reasons),
    };
    let text = |it: &&str| frame.t(&format!("gate-reason-{}", it.replace('_', "-")));
    let reason = reasons.iter().map(text).collect::<Vec<_>>().join(" ");
    ui::Verdict { colour, word: frame.t(word), reason, full: false }
}

async fn choose(State(app): State<App>, actor: Actor) -> Result<Response, Problem> {
    let reach = Reach::of(&actor, rights::CHECKS_CODES);
    if reach.whole && rights::runs_region(&actor) {
        // Hundreds of places: their own list can be searched, and each leads back here.
        return Ok(See::other("/desk/places").into_response());
    }
    let mut rows = app.read(move |reader| reach.places(reader, true)).await?;
    rows.retain(|it| it.closed_at.is_none());
    if let [only] = rows.as_slice() {
        return Ok(See::other(format!("/gate/check/{}", only.place)).into_response());
    }
    rows.sort_by(|left, right| left.name.cmp(&right.name));
    let link = |it: &PlaceRow| (format!("/gate/check/{}", it.place), it.name.clone());
    let frame = Frame::new(&app, &actor, "gate-check-title");
    Ok(Page(Where { frame, places: rows.iter().map(link).collect() }).into_response())
}

async fn show(
    State(app): State<App>,
    actor: Actor,
    Path(place): Path<Id<PlaceId>>,
) -> Result<Page<Check>, Problem> {
    let row = rights::checked_place(&app, &actor, place).await?;
    Ok(Page(page(Frame::new(&app, &actor, "gate-check-title"), &row, None, "", None)))
}

async fn check(
    State(app): State<App>,
    actor: Actor,
    Path(place): Path<Id<PlaceId>>,
    Form(form): Form<CheckForm>,
) -> Result<Response, Problem> {
    let row = rights::checked_place(&app, &actor, place).await?;
    let frame = Frame::new(&app, &actor, "gate-check-title");
    let Ok(short) = form.short.parse::<ShortCode>() else {
        let error = frame.t("gate-short-code-invalid");
        return Ok(unprocessable(page(frame, &row, None, &form.short, Some(error))));
    };
    let (typed_code, now) = (app.questions.typed_code, app.now());
    let answer = app.read(move |reader| typed_code(reader, &short.to_string(), now)).await?;
    let context = actor.context();
    let told = app
        .write(move |tx| door::check_typed(tx, &context, place, answer.as_ref()))
        .await?
        .map_err(|refusal| Problem::refused(&refusal))?;
    let verdict = verdict(&frame, told.0, &told.1);
    Ok(Page(page(frame, &row, Some(verdict), "", None)).into_response())
}

pub(super) fn samples() -> Vec<Sample> {
    fn sample(frame: Frame, told: Option<(Verdict, &[&str])>, closed: bool) -> Check {
        let verdict = told.map(|(it, reasons)| verdict(&frame, it, reasons));
        page(frame, &super::place::sample_place("해태 시장", closed), verdict, "", None)
    }
    vec![
        Sample {
            name: "gate/check",
            render: |it| sample(web::sample_frame(it), None, false).render(),
        },
        Sample {
            name: "gate/check-closed",
            render: |it| sample(web::sample_frame(it), None, true).render(),
        },
        Sample {
            name: "gate/check-pass",
            render: |it| sample(web::sample_frame(it), Some((Verdict::Pass, &[])), false).render(),
        },
        Sample {
            name: "gate/check-no-pass",
            render: |it| {
                let told: (Verdict, &[&str]) = (Verdict::NoPass, &["revoked"]);
                sample(web::sample_frame(it), Some(told), false).render()
            },
        },
        Sample {
            name: "gate/check-cannot-tell",
            render: |it| {
                let told: (Verdict, &[&str]) = (Verdict::CannotTell, &["typed_unknown"]);
                sample(web::sample_frame(it), Some(told), false).render()
            },
        },
        Sample {
            name: "gate/check-wrong",
            render: |it| {
                let frame = web::sample_frame(it);
                let error = Some(frame.t("gate-short-code-invalid"));
                let place = super::place::sample_place("해태 시장", false);
                page(frame, &place, None, "7K3M", error).render()
            },
        },
        Sample {
            name: "gate/check-where",
            render: |it| {
                let places = vec![("/gate/check".to_owned(), "해태 시장".to_owned())];
                Where { frame: web::sample_frame(it), places }.render()
            },
        },
        Sample {
            name: "gate/check-nowhere",
            render: |it| Where { frame: web::sample_frame(it), places: Vec::new() }.render(),
        },
    ]
}
