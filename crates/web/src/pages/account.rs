//! One's own sessions and passkeys.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use kernel::{Instant, Locale};
use serde::Deserialize;
use webauthn_rs::prelude::RegisterPublicKeyCredential;

use crate::form::Empty;
use crate::{
    Actor, App, Form, Frame, Json, Page, Path, Problem, See, Session, Who, chrome, passkey,
    sample_frame, session,
};

#[derive(Template)]
#[template(path = "web/sessions.html")]
pub(super) struct Sessions {
    frame: Frame,
    sessions: Vec<SessionCard>,
}

struct SessionCard {
    handle: String,
    device: String,
    facts: Vec<(String, String)>,
    here: bool,
}

#[derive(Template)]
#[template(path = "web/passkeys.html")]
pub(super) struct Passkeys {
    frame: Frame,
    required: bool,
    possible: bool,
    next: &'static str,
    owned: Vec<PasskeyCard>,
}

struct PasskeyCard {
    handle: String,
    device: String,
    facts: Vec<(String, String)>,
}

pub(super) async fn sessions(
    State(app): State<App>,
    actor: Actor,
) -> Result<Page<Sessions>, Problem> {
    let (who, now) = (actor.who, app.now());
    let found = app.read(move |reader| session::of(reader, who, now)).await?;
    let frame = Frame::new(&app, &actor, "web-sessions-title");
    let here = actor.session.as_ref().map(Session::handle);
    let sessions = found.iter().map(|it| session_card(&frame, it, here.as_deref())).collect();
    Ok(Page(Sessions { frame, sessions }))
}

fn device_or_unknown(frame: &Frame, device: &str) -> String {
    if device.is_empty() { frame.t("web-device-unknown") } else { device.to_owned() }
}

fn session_card(frame: &Frame, it: &Session, here: Option<&str>) -> SessionCard {
    let handle = it.handle();
    SessionCard {
        device: device_or_unknown(frame, &it.device),
        facts: vec![
            (frame.t("web-sessions-since"), frame.minute(&it.created_at)),
            (frame.t("web-sessions-seen"), frame.minute(&it.seen_at)),
        ],
        here: here == Some(handle.as_str()),
        handle,
    }
}

pub(super) async fn session_end(
    State(app): State<App>,
    actor: Actor,
    Path(handle): Path<String>,
    Form(Empty {}): Form<Empty>,
) -> Result<See, Problem> {
    session::end_own(&app, &actor, handle).await?;
    Ok(See::other("/account/sessions").notice("web-sessions-ended"))
}

pub(super) async fn passkeys(
    State(app): State<App>,
    actor: Actor,
) -> Result<Page<Passkeys>, Problem> {
    let owned = passkey::owned(&app, actor.who).await?;
    let frame = Frame::new(&app, &actor, "web-passkeys-title").script("passkey.js");
    let owned = owned.iter().map(|it| passkey_card(&frame, it)).collect();
    let staff = matches!(actor.who, Who::Staff(_));
    Ok(Page(Passkeys {
        frame,
        required: chrome::needs_passkey(&app, &actor),
        possible: app.passkeys.are_possible(),
        next: if staff { "/desk" } else { "/account/passkeys" },
        owned,
    }))
}

fn passkey_card(frame: &Frame, it: &passkey::Owned) -> PasskeyCard {
    let used = it.used_at.map_or_else(|| frame.t("web-passkeys-unused"), |at| frame.minute(&at));
    PasskeyCard {
        handle: it.handle.clone(),
        device: device_or_unknown(frame, &it.device),
        facts: vec![
            (frame.t("web-passkeys-made-at"), frame.minute(&it.made_at)),
            (frame.t("web-passkeys-used-at"), used),
        ],
    }
}

/// WebAuthn's options for a new passkey.
pub(super) async fn passkey_begin(
    State(app): State<App>,
    actor: Actor,
    Json(Empty {}): Json<Empty>,
) -> Result<Json<serde_json::Value>, Problem> {
    may_add(&app, &actor).await?;
    // What the device shows beside the passkey: no name that would stay on a lent phone.
    let label = match actor.who {
        Who::Staff(id) => id.to_string(),
        _ => app.config.region_name(actor.locale).to_owned(),
    };
    passkey::begin_registration(&app, &actor, &label).await.map(Json)
}

/// A one-time link or a one-time code may make the first passkey; a further one needs a session
/// that was itself begun with a passkey, so that a stolen text message adds none.
async fn may_add(app: &App, actor: &Actor) -> Result<(), Problem> {
    let strong = actor.session.as_ref().is_some_and(|it| it.strong);
    let staff = matches!(actor.who, Who::Staff(_));
    if strong || staff || passkey::owned(app, actor.who).await?.is_empty() {
        Ok(())
    } else {
        Err(Problem::own("web-passkey-required"))
    }
}

#[derive(Deserialize)]
pub(super) struct Finish {
    ceremony: String,
    credential: RegisterPublicKeyCredential,
}

pub(super) async fn passkey_finish(
    State(app): State<App>,
    actor: Actor,
    headers: HeaderMap,
    Json(body): Json<Finish>,
) -> Result<Response, Problem> {
    may_add(&app, &actor).await?;
    let device = session::device(&headers);
    passkey::finish_registration(&app, &actor, &body.ceremony, &body.credential, device).await?;
    Ok((StatusCode::CREATED, Json(serde_json::json!({}))).into_response())
}

pub(super) async fn passkey_remove(
    State(app): State<App>,
    actor: Actor,
    Path(handle): Path<String>,
    Form(Empty {}): Form<Empty>,
) -> Result<See, Problem> {
    passkey::remove(&app, &actor, &handle).await?;
    Ok(See::other("/account/passkeys").notice("web-passkeys-removed"))
}

pub(super) fn sessions_sample(locale: Locale) -> Result<String, askama::Error> {
    let frame = sample_frame(locale);
    let at = frame.minute(&Instant::from_seconds(1_795_300_000));
    let card = |here| SessionCard {
        handle: "0".repeat(32),
        device: "Chrome · Android".to_owned(),
        facts: vec![(frame.t("web-sessions-since"), at.clone())],
        here,
    };
    let sessions = vec![card(true), card(false)];
    Sessions { frame, sessions }.render()
}

pub(super) fn passkeys_sample(locale: Locale) -> Result<String, askama::Error> {
    let frame = sample_frame(locale);
    let it = passkey::Owned {
        handle: "0".repeat(64),
        device: "Safari · iPhone".to_owned(),
        made_at: Instant::from_seconds(1_795_300_000),
        used_at: None,
    };
    let owned = vec![passkey_card(&frame, &it)];
    Passkeys { frame, required: true, possible: true, next: "/", owned }.render()
}
