//! From when on the lists count that gates carry: raised by whoever administers the region when older
//! ones must die at once, e.g. because a key was stolen.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use contracts::person::{Role, Scope};
use serde::Deserialize;
use web::ui::Field;
use web::{Access, Actor, App, Form, Frame, Page, Problem, Route, Sample, See, unprocessable};

use crate::command::ListsCommand;
use crate::decide::WHY_MAX;
use crate::model::{LISTS, Lists};

const ADMINISTERS: Access = Access::Staff(&[Role::Administrator]);

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/desk/places/lists", show, ADMINISTERS),
        Route::post("/desk/places/lists", raise, ADMINISTERS),
    ]
}

#[derive(Template)]
#[template(path = "gate/lists.html")]
struct Show {
    frame: Frame,
    crumbs: Vec<(String, String)>,
    facts: Vec<(String, String)>,
    errors: Vec<(String, String)>,
    why: Field,
}

#[derive(Debug, Default, Deserialize)]
struct RaiseForm {
    #[serde(default)]
    why: String,
}

fn page(frame: Frame, lists: &Lists, typed: &str, error: Option<String>) -> Show {
    let errors = error.clone().map(|it| ("why".to_owned(), it)).into_iter().collect();
    let why = Field::text("why", frame.t("gate-lists-why"))
        .hint(frame.t("gate-lists-why-hint"))
        .with(typed)
        .error(error);
    let why = Field { maxlength: u32::try_from(WHY_MAX).ok(), autocomplete: Some("off"), ..why };
    let facts = lists.since.map_or_else(Vec::new, |since| {
        vec![
            (frame.t("gate-lists-since"), frame.minute(&since)),
            (frame.t("gate-lists-why"), lists.why.clone()),
        ]
    });
    let crumbs = vec![
        ("/desk".to_owned(), frame.t("gate-crumb-desk")),
        ("/desk/places".to_owned(), frame.t("gate-places-title")),
    ];
    Show { frame, crumbs, facts, errors, why }
}

async fn lists(app: &App) -> Result<Lists, Problem> {
    app.read(|reader| reader.state::<Lists>(LISTS)).await
}

async fn show(State(app): State<App>, actor: Actor) -> Result<Page<Show>, Problem> {
    actor.need(Role::Administrator, &[Scope::Region])?;
    let lists = lists(&app).await?;
    Ok(Page(page(Frame::new(&app, &actor, "gate-lists-title"), &lists, "", None)))
}

async fn raise(
    State(app): State<App>,
    actor: Actor,
    Form(form): Form<RaiseForm>,
) -> Result<Response, Problem> {
    let by = actor.need(Role::Administrator, &[Scope::Region])?;
    let command = ListsCommand::Raise { why: form.why.clone(), by };
    match app.execute::<Lists>(actor.context(), LISTS, command).await {
        Ok(_) => Ok(See::other("/desk/places/lists").notice("gate-done-lists").into_response()),
        Err(problem) if problem.code == "gate-why-invalid" => {
            let error = app.texts.format(actor.locale, problem.code, &problem.args);
            let frame = Frame::new(&app, &actor, "gate-lists-title");
            Ok(unprocessable(page(frame, &lists(&app).await?, &form.why, Some(error))))
        }
        Err(problem) => Err(problem),
    }
}

pub(super) fn samples() -> Vec<Sample> {
    vec![
        Sample {
            name: "gate/lists",
            render: |it| page(web::sample_frame(it), &Lists::default(), "", None).render(),
        },
        Sample {
            name: "gate/lists-raised",
            render: |it| {
                let since = Some(kernel::Instant::from_seconds(1_790_000_040));
                let lists = Lists { since, why: "발급 열쇠 교체".to_owned() };
                let frame = web::sample_frame(it);
                let max = i64::try_from(WHY_MAX).unwrap_or_default();
                let error = frame.tf("gate-why-invalid", &[("max", kernel::Arg::Number(max))]);
                page(frame, &lists, "", Some(error)).render()
            },
        },
    ]
}
