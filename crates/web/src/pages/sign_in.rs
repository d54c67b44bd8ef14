//! Signing in: by phone number and one-time code, by passkey, by one-time link; and out.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, header};
use kernel::Locale;
use serde::Deserialize;
use serde_json::json;
use webauthn_rs::prelude::PublicKeyCredential;

use crate::form::Empty;
use crate::session::Begin;
use crate::ui::Field;
use crate::{
    Actor, App, Form, Frame, Json, Page, Path, Problem, Query, See, Who, link, otp, passkey, phone,
    redirect, sample_frame, session, unprocessable,
};

#[derive(Template)]
#[template(path = "web/sign_in.html")]
pub(super) struct Show {
    frame: Frame,
    errors: Vec<(String, String)>,
    phone: Field,
    next: String,
    passkeys: bool,
}

#[derive(Template)]
#[template(path = "web/code.html")]
pub(super) struct Code {
    frame: Frame,
    errors: Vec<(String, String)>,
    field: Field,
    phone: String,
    next: String,
    demo: bool,
}

#[derive(Template)]
#[template(path = "web/link.html")]
pub(super) struct Link {
    frame: Frame,
    lead: String,
    action: String,
}

#[derive(Deserialize)]
pub(super) struct Next {
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
pub(super) struct PhoneForm {
    phone: String,
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
pub(super) struct CodeForm {
    phone: String,
    code: String,
    #[serde(default)]
    next: String,
}

/// Our own path, or the empty text that means "wherever fits".
fn safe(next: &str) -> String {
    if redirect::is_safe(next) { next.to_owned() } else { String::new() }
}

fn form(frame: Frame, value: &str, error: Option<&str>, next: &str, passkeys: bool) -> Show {
    let error = error.map(|it| frame.t(it));
    let field = Field::phone("phone", frame.t("web-sign-in-phone"))
        .hint(frame.t("web-sign-in-phone-hint"))
        .with(value)
        .error(error.clone());
    let errors = error.map(|it| ("phone".to_owned(), it)).into_iter().collect();
    Show { frame, errors, phone: field, next: safe(next), passkeys }
}

fn code_page(frame: Frame, phone: &str, wrong: bool, next: &str, demo: bool) -> Code {
    let error = wrong.then(|| frame.t("web-otp-wrong"));
    let code = Field {
        autocomplete: Some("one-time-code"),
        inputmode: Some("numeric"),
        maxlength: Some(12),
        ..Field::text("code", frame.t("web-code-label"))
    };
    let code = code.hint(frame.t("web-code-hint")).error(error.clone());
    let errors = error.map(|it| ("code".to_owned(), it)).into_iter().collect();
    Code { frame, errors, field: code, phone: phone.to_owned(), next: safe(next), demo }
}

pub(super) async fn show(
    State(app): State<App>,
    actor: Actor,
    Query(query): Query<Next>,
) -> Response {
    if actor.is_signed_in() {
        return See::other(safe(&query.next)).into_response();
    }
    let frame = Frame::new(&app, &actor, "web-sign-in-title").script("passkey.js");
    Page(form(frame, "", None, &query.next, app.passkeys.are_possible())).into_response()
}

/// Sends a code. The answer is the same whether the number is known or not.
pub(super) async fn send(
    State(app): State<App>,
    actor: Actor,
    Form(body): Form<PhoneForm>,
) -> Result<Response, Problem> {
    let Some(number) = phone::normal(&body.phone) else {
        let frame = Frame::new(&app, &actor, "web-sign-in-title").script("passkey.js");
        let (value, possible) = (body.phone.as_str(), app.passkeys.are_possible());
        let page = form(frame, value, Some("web-phone-invalid"), &body.next, possible);
        return Ok(unprocessable(page));
    };
    otp::send(&app, &number, actor.locale).await?;
    let frame = Frame::new(&app, &actor, "web-code-title");
    Ok(Page(code_page(frame, &number, false, &body.next, app.config.demo)).into_response())
}

/// Checks a code: a known number is signed in, an unknown one goes on to registration.
pub(super) async fn check(
    State(app): State<App>,
    actor: Actor,
    headers: HeaderMap,
    Form(body): Form<CodeForm>,
) -> Result<Response, Problem> {
    let number = phone::normal(&body.phone).ok_or_else(Problem::form_invalid)?;
    if !otp::check(&app, &number, &body.code).await? {
        let frame = Frame::new(&app, &actor, "web-code-title");
        return Ok(unprocessable(code_page(frame, &number, true, &body.next, app.config.demo)));
    }
    let (ask, asked) = (app.questions.person_by_phone, number.clone());
    let person = app.read(move |reader| ask(reader, &asked)).await?;
    let who = person.map_or(Who::Anonymous, Who::Citizen);
    let to = match who {
        Who::Anonymous => "/register".to_owned(),
        _ => safe(&body.next),
    };
    let device = session::device(&headers);
    let begin = Begin { who, phone: Some(number), strong: false, device };
    let cookie = session::begin(&app, &actor, begin).await?;
    Ok(See::other(to).cookie(cookie).into_response())
}

/// WebAuthn's options for a sign-in.
pub(super) async fn passkey_begin(
    State(app): State<App>,
    Json(Empty {}): Json<Empty>,
) -> Result<Json<serde_json::Value>, Problem> {
    passkey::begin_sign_in(&app).await.map(Json)
}

#[derive(Deserialize)]
pub(super) struct Finish {
    ceremony: String,
    credential: PublicKeyCredential,
    #[serde(default)]
    next: String,
}

/// What the authenticator signed; answers where to go.
pub(super) async fn passkey_finish(
    State(app): State<App>,
    actor: Actor,
    headers: HeaderMap,
    Json(body): Json<Finish>,
) -> Result<Response, Problem> {
    let who = passkey::finish_sign_in(&app, &body.ceremony, &body.credential).await?;
    let begin = Begin { who, phone: None, strong: true, device: session::device(&headers) };
    let cookie = session::begin(&app, &actor, begin).await?;
    let fallback = if matches!(who, Who::Staff(_)) { "/desk" } else { "/" };
    let next = safe(&body.next);
    let to = if next.is_empty() || next == "/" { fallback } else { next.as_str() };
    let mut response = Json(json!({ "to": to })).into_response();
    for it in cookie.0 {
        response.headers_mut().append(header::SET_COOKIE, it);
    }
    Ok(response)
}

/// Looks at a one-time link without using it up.
pub(super) async fn link(
    State(app): State<App>,
    actor: Actor,
    Path(token): Path<String>,
) -> Result<Page<Link>, Problem> {
    let who = link::look(&app, &token).await?;
    let (staff, citizen) = (app.questions.staff_label, app.questions.person_label);
    let label = app.read(move |reader| match who {
        Who::Staff(id) => staff(reader, id),
        Who::Citizen(id) => citizen(reader, id),
        Who::Anonymous => Ok(None),
    });
    let frame = Frame::new(&app, &actor, "web-link-title");
    let lead = match label.await? {
        Some(label) => frame.t1("web-link-lead", "name", &label),
        None => frame.t("web-link-lead-nobody"),
    };
    // The token goes back into the form as it came: hex, or it would not have been found.
    Ok(Page(Link { lead, action: format!("/link/{token}"), frame }))
}

/// Uses a one-time link up. Staff go on to their passkey.
pub(super) async fn link_use(
    State(app): State<App>,
    actor: Actor,
    headers: HeaderMap,
    Path(token): Path<String>,
    Form(Empty {}): Form<Empty>,
) -> Result<See, Problem> {
    let who = link::spend(&app, &token).await?;
    let begin = Begin { who, phone: None, strong: false, device: session::device(&headers) };
    let cookie = session::begin(&app, &actor, begin).await?;
    let to = match who {
        Who::Staff(_) if app.config.demo => "/desk",
        Who::Staff(_) => "/account/passkeys",
        _ => "/",
    };
    Ok(See::other(to).cookie(cookie))
}

pub(super) async fn logout(
    State(app): State<App>,
    actor: Actor,
    Form(Empty {}): Form<Empty>,
) -> Result<See, Problem> {
    let cookie = session::end(&app, &actor).await?;
    Ok(See::other("/").notice("web-signed-out").cookie(cookie))
}

pub(super) fn show_sample(locale: Locale) -> Result<String, askama::Error> {
    form(sample_frame(locale), "010", Some("web-phone-invalid"), "/", true).render()
}

pub(super) fn code_sample(locale: Locale) -> Result<String, askama::Error> {
    code_page(sample_frame(locale), "+821000000000", true, "/", true).render()
}

pub(super) fn link_sample(locale: Locale) -> Result<String, askama::Error> {
    let frame = sample_frame(locale);
    let lead = frame.t("web-link-lead-nobody");
    Link { frame, lead, action: "/link/0".to_owned() }.render()
}
