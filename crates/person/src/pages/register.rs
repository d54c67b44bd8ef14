//! Registering: name and day of birth, after the number was verified at `/sign-in`.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use kernel::{Date, Locale};
use serde::Deserialize;
use web::ui::Field;
use web::{Actor, App, Form, Frame, Page, Problem, See, Who, sample_frame, session, unprocessable};

use super::{Errors, field_of, made_id, refused, today};
use crate::command::Registration;
use crate::door;
use crate::refusal::Refusal;

#[derive(Template)]
#[template(path = "person/register.html")]
struct Show {
    frame: Frame,
    phone: String,
    errors: Vec<(String, String)>,
    name: Field,
    birth_date: Field,
}

/// What the form holds.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Body {
    #[serde(default)]
    name: String,
    #[serde(default)]
    birth_date: String,
}

fn page(frame: Frame, phone: String, body: &Body, errors: Errors) -> Show {
    Show {
        name: name_field(&frame, &body.name, &errors),
        birth_date: birth_field(&frame, &body.birth_date, &errors),
        errors: errors.0,
        frame,
        phone,
    }
}

/// The field for a person's name.
pub(super) fn name_field(frame: &Frame, value: &str, errors: &Errors) -> Field {
    let field = Field::text("name", frame.t("person-name")).hint(frame.t("person-name-hint"));
    Field { autocomplete: Some("name"), maxlength: Some(60), ..field }
        .with(value)
        .error(errors.of("name"))
}

/// The field for a day of birth.
pub(super) fn birth_field(frame: &Frame, value: &str, errors: &Errors) -> Field {
    let field = Field::date("birth_date", frame.t("person-birth-date"));
    Field { autocomplete: Some("bday"), ..field }.with(value).error(errors.of("birth_date"))
}

/// The day as the form wrote it.
pub(super) fn date(text: &str) -> Result<Date, Refusal> {
    text.trim().parse().map_err(|_| Refusal::BirthDateInvalid)
}

/// Somebody who is registered has nothing to do here; somebody without a number verifies one first.
fn phone(actor: &Actor) -> Result<String, Box<Response>> {
    match (actor.who, actor.verified_phone()) {
        (Who::Citizen(_), _) => Err(Box::new(See::other("/account").into_response())),
        (_, Some(phone)) => Ok(phone.to_owned()),
        (_, None) => Err(Box::new(See::other("/sign-in?next=/register").into_response())),
    }
}

/// GET /register
pub(crate) async fn show(State(app): State<App>, actor: Actor) -> Response {
    match phone(&actor) {
        Ok(phone) => {
            let frame = Frame::new(&app, &actor, "person-register-title");
            Page(page(frame, phone, &Body::default(), Errors::default())).into_response()
        }
        Err(elsewhere) => *elsewhere,
    }
}

/// POST /register
pub(crate) async fn send(
    State(app): State<App>,
    actor: Actor,
    Form(body): Form<Body>,
) -> Result<Response, Problem> {
    let phone = match phone(&actor) {
        Ok(phone) => phone,
        Err(elsewhere) => return Ok(*elsewhere),
    };
    let context = actor.context();
    let person = made_id(&app, &context);
    let answer = match date(&body.birth_date) {
        Ok(birth_date) => {
            let (name, locale) = (body.name.clone(), actor.locale);
            let it = Registration { name, birth_date, locale, today: today(&app) };
            let number = phone.clone();
            app.write(move |tx| door::register(tx, &context, person, &it, &number)).await?
        }
        Err(refusal) => Err(refusal),
    };
    match answer {
        Ok(_) => {
            let cookie = session::sign_in_citizen(&app, &actor, person).await?;
            let done = See::other("/").notice("person-registered").cookie(cookie);
            Ok(done.into_response())
        }
        Err(refusal) => match field_of(refusal).filter(|it| *it != "phone") {
            Some(field) => {
                let frame = Frame::new(&app, &actor, "person-register-title");
                let errors = Errors::one(&frame, field, refusal);
                Ok(unprocessable(page(frame, phone, &body, errors)))
            }
            None => Err(refused(refusal)),
        },
    }
}

pub(super) fn sample(locale: Locale) -> Result<String, askama::Error> {
    let frame = sample_frame(locale);
    let errors = Errors::one(&frame, "birth_date", Refusal::TooYoung);
    let body = Body { name: "김하늘".to_owned(), birth_date: "2020-05-05".to_owned() };
    page(frame, "+821012345678".to_owned(), &body, errors).render()
}
