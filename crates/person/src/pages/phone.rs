//! `/account/phone`: another number, or the same one verified again. The number counts once the
//! code that was sent to it has been typed. Whether a number is known to anybody is told only to
//! whoever has just proven to hold it.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use kernel::Locale;
use serde::Deserialize;
use web::ui::Field;
use web::{Actor, App, Form, Frame, Page, Problem, See, otp, sample_frame, unprocessable};

use super::{Errors, asker, refused};
use crate::door;
use crate::refusal::Refusal;

#[derive(Template)]
#[template(path = "person/phone.html")]
struct Show {
    frame: Frame,
    errors: Vec<(String, String)>,
    phone: Field,
}

#[derive(Template)]
#[template(path = "person/phone_code.html")]
struct Enter {
    frame: Frame,
    number: String,
    errors: Vec<(String, String)>,
    code: Field,
    demo: bool,
}

fn page(frame: Frame, value: &str, errors: Errors) -> Show {
    let field = Field::phone("phone", frame.t("person-phone-new"));
    Show { phone: field.with(value).error(errors.of("phone")), errors: errors.0, frame }
}

/// The field for the code that was sent.
pub(super) fn code_field(frame: &Frame) -> Field {
    Field {
        autocomplete: Some("one-time-code"),
        inputmode: Some("numeric"),
        maxlength: Some(12),
        ..Field::text("code", frame.t("person-phone-code"))
    }
}

fn code_page(frame: Frame, number: String, demo: bool, errors: Errors) -> Enter {
    let code = code_field(&frame).error(errors.of("code"));
    Enter { code, errors: errors.0, frame, number, demo }
}

/// GET /account/phone
pub(crate) async fn show(State(app): State<App>, actor: Actor) -> Page<impl Template> {
    Page(page(Frame::new(&app, &actor, "person-phone-title"), "", Errors::default()))
}

/// The form with a number.
#[derive(Debug, Deserialize)]
pub(crate) struct Body {
    phone: String,
}

/// POST /account/phone: sends the code.
pub(crate) async fn send(
    State(app): State<App>,
    actor: Actor,
    Form(body): Form<Body>,
) -> Result<Response, Problem> {
    actor.person()?;
    let frame = Frame::new(&app, &actor, "person-phone-title");
    let Some(number) = web::phone::normal(&body.phone) else {
        let errors = Errors::one(&frame, "phone", Refusal::PhoneInvalid);
        return Ok(unprocessable(page(frame, &body.phone, errors)));
    };
    otp::send(&app, &number, actor.locale).await?;
    Ok(Page(code_page(frame, number, app.config.demo, Errors::default())).into_response())
}

/// The form with number and code.
#[derive(Debug, Deserialize)]
pub(crate) struct CodeBody {
    phone: String,
    code: String,
}

/// POST /account/phone/code: verifies, then changes.
pub(crate) async fn check(
    State(app): State<App>,
    actor: Actor,
    Form(body): Form<CodeBody>,
) -> Result<Response, Problem> {
    let (person, asker) = (actor.person()?, asker(&actor)?);
    let number = web::phone::normal(&body.phone).ok_or_else(|| refused(Refusal::PhoneInvalid))?;
    let frame = Frame::new(&app, &actor, "person-phone-title");
    if !otp::check(&app, &number, &body.code).await? {
        let text = frame.t("web-otp-wrong");
        let errors = Errors(vec![("code".to_owned(), text)]);
        return Ok(unprocessable(code_page(frame, number, app.config.demo, errors)));
    }
    let (context, texts) = (actor.context(), app.texts.clone());
    let answer = app
        .write(move |tx| {
            let told = |locale| texts.get(locale, "person-sms-phone-changed");
            door::change_phone(tx, &context, person, asker, &number, told)
        })
        .await?;
    answer.map_err(refused)?;
    Ok(See::other("/account").notice("person-phone-changed").into_response())
}

pub(super) fn sample(locale: Locale) -> Result<String, askama::Error> {
    let frame = sample_frame(locale);
    let errors = Errors::one(&frame, "phone", Refusal::PhoneInvalid);
    page(frame, "010", errors).render()
}

pub(super) fn sample_code(locale: Locale) -> Result<String, askama::Error> {
    let number = "+821012345678".to_owned();
    code_page(sample_frame(locale), number, true, Errors::default()).render()
}
