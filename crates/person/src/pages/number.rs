//! At the desk: another number for somebody whose phone is lost, or none for a number that is
//! somebody else's now. A new number counts once the code that was sent to it has been typed, by the
//! person: the text message says that nobody else may know it, and that holds for officers.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use contracts::person::Person;
use kernel::{Id, Locale};
use web::ui::Field;
use web::{Actor, App, Form, Frame, Page, Path, Problem, Purpose, See, otp, sample_frame};

use super::people::{RecordBody, again, allowed};
use super::phone::code_field;
use super::{Errors, field_of, refused};
use crate::door;
use crate::event::PhoneReason;
use crate::refusal::Refusal;
use crate::view;

#[derive(Template)]
#[template(path = "person/number_code.html")]
struct Enter {
    frame: Frame,
    person: String,
    grounds: String,
    number: String,
    reason: &'static str,
    errors: Vec<(String, String)>,
    code: Field,
    demo: bool,
}

/// What is to be changed.
pub(crate) struct Change {
    /// The verified number; `None` frees the present one.
    pub(crate) phone: Option<String>,
    /// Why.
    pub(crate) reason: PhoneReason,
    /// The officer has looked at the identity document.
    pub(crate) id_checked: bool,
}

/// Why the record is touched, as the access log has it and as the person reads it.
const fn purpose(reason: PhoneReason) -> &'static str {
    match reason {
        PhoneReason::Lost => "phone_lost",
        PhoneReason::Reassigned => "phone_reassigned",
        PhoneReason::Mistyped => "phone_mistyped",
    }
}

/// Sends a code to the number that is to be this person's, in their language.
pub(crate) async fn send(app: &App, person: Id<Person>, number: &str) -> Result<(), Problem> {
    let found = app.read(move |reader| view::citizen(reader, person)).await?;
    let it = found.ok_or_else(|| refused(Refusal::NotRegistered))?;
    otp::send(app, number, it.locale).await
}

/// Changes the number. That the desk was at the record is on the access log first.
pub(crate) async fn change(
    app: &App,
    actor: &Actor,
    person: Id<Person>,
    change: Change,
) -> Result<Result<(), Refusal>, Problem> {
    let officer = allowed(actor)?;
    let Change { phone, reason, id_checked } = change;
    let purpose = Purpose::from(purpose(reason));
    app.read_record(actor, person.to_u128(), "person.phone", purpose, |_| Ok(())).await?;
    let (context, texts) = (actor.context(), app.texts.clone());
    let answer = app
        .write(move |tx| {
            let (phone, told) = (phone.as_deref(), |locale, key: &str| texts.get(locale, key));
            door::change_phone_at_desk(
                tx, &context, person, officer, id_checked, phone, reason, told,
            )
        })
        .await?;
    Ok(answer.map(|_| ()))
}

/// POST /desk/people/{person}/phone: frees the number, or sends a code to the new one.
pub(crate) async fn ask(
    State(app): State<App>,
    actor: Actor,
    Path(person): Path<Id<Person>>,
    Form(body): Form<RecordBody>,
) -> Result<Response, Problem> {
    allowed(&actor)?;
    let frame = Frame::new(&app, &actor, "person-number-title");
    let Some(reason) = PhoneReason::from_word(&body.reason) else {
        let errors = Errors(vec![("reason".to_owned(), frame.t("person-choice-invalid"))]);
        return again(&app, &actor, person, &body, errors).await;
    };
    if body.phone_id_checked != "yes" {
        return wrong(&app, &actor, person, &body, Refusal::IdNotChecked).await;
    }
    if body.phone.trim().is_empty() {
        return finish(&app, &actor, person, &body, None, reason).await;
    }
    let Some(number) = web::phone::normal(&body.phone) else {
        return wrong(&app, &actor, person, &body, Refusal::PhoneInvalid).await;
    };
    send(&app, person, &number).await?;
    let page = page(frame, person, &body, number, reason, app.config.demo, None);
    Ok(Page(page).into_response())
}

/// POST /desk/people/{person}/phone/code: the code that was sent to the new number, then the change.
pub(crate) async fn check(
    State(app): State<App>,
    actor: Actor,
    Path(person): Path<Id<Person>>,
    Form(body): Form<RecordBody>,
) -> Result<Response, Problem> {
    allowed(&actor)?;
    let reason = PhoneReason::from_word(&body.reason).ok_or_else(Problem::form_invalid)?;
    let number = web::phone::normal(&body.phone).ok_or_else(Problem::form_invalid)?;
    if !otp::check(&app, &number, &body.code).await? {
        let frame = Frame::new(&app, &actor, "person-number-title");
        let error = Some(frame.t("web-otp-wrong"));
        let page = page(frame, person, &body, number, reason, app.config.demo, error);
        return Ok(web::unprocessable(page));
    }
    finish(&app, &actor, person, &body, Some(number), reason).await
}

async fn finish(
    app: &App,
    actor: &Actor,
    person: Id<Person>,
    body: &RecordBody,
    phone: Option<String>,
    reason: PhoneReason,
) -> Result<Response, Problem> {
    let notice = if phone.is_some() { "person-number-changed" } else { "person-number-freed" };
    let asked = Change { phone, reason, id_checked: body.phone_id_checked == "yes" };
    match change(app, actor, person, asked).await? {
        Ok(()) => Ok(See::other("/desk/people").notice(notice).into_response()),
        Err(refusal) => wrong(app, actor, person, body, refusal).await,
    }
}

/// The record again, with the error at the field that it is about.
async fn wrong(
    app: &App,
    actor: &Actor,
    person: Id<Person>,
    body: &RecordBody,
    refusal: Refusal,
) -> Result<Response, Problem> {
    let field = match field_of(refusal) {
        Some("id_checked") => "phone_id_checked",
        Some(field) => field,
        None => return Err(refused(refusal)),
    };
    let frame = Frame::new(app, actor, "person-record-title");
    again(app, actor, person, body, Errors::one(&frame, field, refusal)).await
}

fn page(
    frame: Frame,
    person: Id<Person>,
    body: &RecordBody,
    number: String,
    reason: PhoneReason,
    demo: bool,
    error: Option<String>,
) -> Enter {
    let errors = error.clone().map(|it| ("code".to_owned(), it));
    Enter {
        person: person.to_string(),
        grounds: body.grounds.clone(),
        reason: reason.word(),
        errors: errors.into_iter().collect(),
        code: code_field(&frame).error(error),
        frame,
        number,
        demo,
    }
}

pub(super) fn sample(locale: Locale) -> Result<String, askama::Error> {
    let frame = sample_frame(locale);
    let (body, person) = (RecordBody::default(), super::sample_person(1));
    let (number, error) = ("+821012345678".to_owned(), Some(frame.t("web-otp-wrong")));
    page(frame, person, &body, number, PhoneReason::Lost, true, error).render()
}
