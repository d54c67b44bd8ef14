//! `/account/delete`: what happens, and then that it happens (PIPA, article 36). Confirmed by
//! typing a word, because nobody can undo it.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use kernel::Locale;
use serde::Deserialize;
use web::ui::Field;
use web::{Actor, App, Form, Frame, Page, Problem, See, sample_frame, session, unprocessable};

use super::{Errors, asker, refused};
use crate::door;
use crate::refusal::Refusal;

#[derive(Template)]
#[template(path = "person/delete.html")]
struct Show {
    frame: Frame,
    acting: bool,
    errors: Vec<(String, String)>,
    confirm: Field,
}

/// The field for the word that confirms a deletion.
pub(super) fn confirm_field(frame: &Frame, errors: &Errors) -> Field {
    let word = frame.t("person-delete-word");
    let label = frame.t1("person-delete-confirm", "word", &word);
    let field =
        Field { autocomplete: Some("off"), maxlength: Some(20), ..Field::text("confirm", label) };
    field.error(errors.of("confirm"))
}

/// Whether the word was typed.
pub(super) fn confirmed(frame: &Frame, body: &Body) -> bool {
    body.confirm.trim() == frame.t("person-delete-word")
}

fn page(frame: Frame, acting: bool, errors: Errors) -> Show {
    Show { confirm: confirm_field(&frame, &errors), errors: errors.0, frame, acting }
}

/// GET /account/delete
pub(crate) async fn show(State(app): State<App>, actor: Actor) -> Page<impl Template> {
    let frame = Frame::new(&app, &actor, "person-delete-title");
    Page(page(frame, actor.acting_for.is_some(), Errors::default()))
}

/// The form with the word.
#[derive(Debug, Deserialize)]
pub(crate) struct Body {
    #[serde(default)]
    confirm: String,
}

/// POST /account/delete
pub(crate) async fn send(
    State(app): State<App>,
    actor: Actor,
    Form(body): Form<Body>,
) -> Result<Response, Problem> {
    let frame = Frame::new(&app, &actor, "person-delete-title");
    if !confirmed(&frame, &body) {
        let errors = Errors::one(&frame, "confirm", Refusal::ConfirmationWrong);
        return Ok(unprocessable(page(frame, actor.acting_for.is_some(), errors)));
    }
    let (person, asker, context) = (actor.person()?, asker(&actor)?, actor.context());
    let answer = app.write(move |tx| door::forget(tx, &context, person, asker)).await?;
    answer.map_err(refused)?;
    if actor.acting_for.is_some() {
        session::act_for(&app, &actor, None).await?;
        return Ok(See::other("/account/help").notice("person-deleted").into_response());
    }
    let cookie = session::end(&app, &actor).await?;
    Ok(See::other("/").notice("person-deleted").cookie(cookie).into_response())
}

pub(super) fn sample(locale: Locale) -> Result<String, askama::Error> {
    let frame = sample_frame(locale);
    let errors = Errors::one(&frame, "confirm", Refusal::ConfirmationWrong);
    page(frame, true, errors).render()
}
