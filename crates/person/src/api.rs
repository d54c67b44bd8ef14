//! The JSON routes: about oneself, and the desk's change of a number. Each does four things: who
//! asks, what they ask, execute, answer.

use axum::extract::State;
use axum::http::{Method, StatusCode};
use contracts::person::Person;
use kernel::{Id, Instant, Locale};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};
use web::{Access, Actor, App, Json, Path, Problem, Query, Rate, Route, otp};

use crate::DESK_ROLES;
use crate::command::CitizenCommand;
use crate::door;
use crate::event::PhoneReason;
use crate::model::Citizen;
use crate::pages::export::{Export, collect};
use crate::pages::number::{self, Change as NumberChange};
use crate::pages::people::allowed;
use crate::pages::readers::{self, Reading};
use crate::pages::{asker, read_mine, refused};
use crate::refusal::Refusal;
use crate::view;

/// Readings in one answer.
const READINGS: u32 = 100;

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/me", show, Access::Citizen),
        Route {
            method: Method::PATCH,
            path: "/api/v1/me",
            access: Access::Citizen,
            rate: Rate::Normal,
            handler: axum::routing::patch(change),
        },
        Route::delete("/api/v1/me", remove, Access::Citizen),
        Route::get("/api/v1/me/readers", readings, Access::Citizen),
        Route::get("/api/v1/me/export", export, Access::Citizen),
        Route::post("/api/v1/people/{person}/phone/code", send_code, Access::Staff(DESK_ROLES))
            .strict(),
        Route::put("/api/v1/people/{person}/phone", put_number, Access::Staff(DESK_ROLES)).strict(),
    ]
}

/// The description of the routes.
#[derive(OpenApi)]
#[openapi(
    paths(show, change, remove, readings, export, send_code, put_number),
    components(schemas(Me, Change, Readings, Reading, Export, Number, NewNumber))
)]
struct Description;

pub(crate) fn description() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

/// Who I am here; the helped person when the session acts for one.
#[derive(Debug, Serialize, ToSchema)]
struct Me {
    /// The person's id.
    person: String,
    /// The name.
    name: String,
    /// The day of birth, `YYYY-MM-DD`.
    birth_date: Option<String>,
    /// The number in E.164.
    phone: Option<String>,
    /// When the number was last verified, RFC 3339.
    phone_verified_at: Option<String>,
    /// The language for messages: `ko`, `en`, `zh-Hans`.
    locale: &'static str,
    /// Since when, RFC 3339.
    registered_at: String,
}

async fn me(app: &App, actor: &Actor) -> Result<Me, Problem> {
    let person = actor.person()?;
    let found = read_mine(app, actor, "person.record", move |reader| view::citizen(reader, person));
    let it = found.await?.ok_or_else(|| refused(Refusal::NotRegistered))?;
    Ok(Me {
        person: person.to_string(),
        name: it.name,
        birth_date: it.birth_date.map(|it| it.to_string()),
        phone: it.phone,
        phone_verified_at: it.phone_at.map(Instant::rfc3339),
        locale: it.locale.tag(),
        registered_at: it.registered_at.rfc3339(),
    })
}

/// Who I am here.
#[utoipa::path(get, path = "/api/v1/me", tag = "person",
    responses((status = 200, body = Me), (status = 401), (status = 404)))]
async fn show(State(app): State<App>, actor: Actor) -> Result<Json<Me>, Problem> {
    me(&app, &actor).await.map(Json)
}

/// What may be changed here. A number is changed by a page: it needs a code first.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Change {
    /// The name from now on.
    name: Option<String>,
    /// The language from now on: `ko`, `en`, `zh-Hans`.
    locale: Option<String>,
}

/// Corrects the name, chooses the language.
#[utoipa::path(patch, path = "/api/v1/me", tag = "person", request_body = Change,
    responses((status = 200, body = Me), (status = 400), (status = 401), (status = 403),
        (status = 404), (status = 422)))]
async fn change(
    State(app): State<App>,
    actor: Actor,
    Json(body): Json<Change>,
) -> Result<Json<Me>, Problem> {
    let (person, asker) = (actor.person()?, asker(&actor)?);
    let locale = match &body.locale {
        Some(tag) => Some(Locale::from_tag(tag).ok_or_else(Problem::json_invalid)?),
        None => None,
    };
    if let Some(name) = body.name {
        let command = CitizenCommand::CorrectName { asker, name };
        app.execute::<Citizen>(actor.context_for("name"), person, command).await?;
    }
    if let Some(locale) = locale {
        let command = CitizenCommand::ChooseLocale { locale };
        app.execute::<Citizen>(actor.context_for("locale"), person, command).await?;
    }
    me(&app, &actor).await.map(Json)
}

/// Deletes everything about me. Nobody can undo it.
#[utoipa::path(delete, path = "/api/v1/me", tag = "person",
    responses((status = 204), (status = 401), (status = 403), (status = 404), (status = 409)))]
async fn remove(State(app): State<App>, actor: Actor) -> Result<StatusCode, Problem> {
    let (person, asker, context) = (actor.person()?, asker(&actor)?, actor.context());
    let answer = app.write(move |tx| door::forget(tx, &context, person, asker)).await?;
    answer.map_err(refused)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Where the list begins.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
struct From {
    /// Rows before this instant, RFC 3339; without it, the newest.
    before: Option<String>,
}

/// Who has read my record, newest first, 100 at most.
#[derive(Debug, Serialize, ToSchema)]
struct Readings {
    /// The rows.
    readings: Vec<Reading>,
}

/// Who has read my record.
#[utoipa::path(get, path = "/api/v1/me/readers", tag = "person", params(From),
    responses((status = 200, body = Readings), (status = 400), (status = 401)))]
async fn readings(
    State(app): State<App>,
    actor: Actor,
    Query(from): Query<From>,
) -> Result<Json<Readings>, Problem> {
    let person = actor.person()?;
    let before = match &from.before {
        Some(text) => Instant::parse(text).ok_or_else(Problem::form_invalid)?,
        None => Instant::from_micros(i64::MAX),
    };
    let rows = read_mine(&app, &actor, "access.log", move |reader| {
        readers::load(reader, person, before, READINGS)
    });
    let readings =
        rows.await?.iter().map(|it| readers::in_words(&app.texts, actor.locale, it)).collect();
    Ok(Json(Readings { readings }))
}

/// Everything that is kept about me, from every part of the service.
#[utoipa::path(get, path = "/api/v1/me/export", tag = "person",
    responses((status = 200, body = Export), (status = 401), (status = 404)))]
async fn export(State(app): State<App>, actor: Actor) -> Result<Json<Export>, Problem> {
    collect(&app, &actor).await.map(Json)
}

/// The number that is to be somebody's.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Number {
    /// In any form.
    phone: String,
}

/// Sends a one-time code to the number that is to be this person's, in their language.
#[utoipa::path(post, path = "/api/v1/people/{person}/phone/code", tag = "person",
    params(("person" = String, Path, description = "The person's id")), request_body = Number,
    responses((status = 204), (status = 400), (status = 401), (status = 403), (status = 404),
        (status = 422), (status = 429)))]
async fn send_code(
    State(app): State<App>,
    actor: Actor,
    Path(person): Path<Id<Person>>,
    Json(body): Json<Number>,
) -> Result<StatusCode, Problem> {
    allowed(&actor)?;
    let phone = web::phone::normal(&body.phone).ok_or_else(|| refused(Refusal::PhoneInvalid))?;
    number::send(&app, person, &phone).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Another number for a person at the desk, or none.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewNumber {
    /// The number, in any form; without it, the present one is freed.
    phone: Option<String>,
    /// The code that was sent to the number. Needed with it.
    code: Option<String>,
    /// `lost`, `reassigned`, `mistyped`.
    #[schema(value_type = String)]
    reason: PhoneReason,
    /// The officer has looked at the identity document.
    id_checked: bool,
}

/// Changes or frees a person's number at the desk. Both numbers are told; every session and passkey
/// of the person ends.
#[utoipa::path(put, path = "/api/v1/people/{person}/phone", tag = "person",
    params(("person" = String, Path, description = "The person's id")), request_body = NewNumber,
    responses((status = 204), (status = 400), (status = 401), (status = 403), (status = 404),
        (status = 409), (status = 422)))]
async fn put_number(
    State(app): State<App>,
    actor: Actor,
    Path(person): Path<Id<Person>>,
    Json(body): Json<NewNumber>,
) -> Result<StatusCode, Problem> {
    allowed(&actor)?;
    let NewNumber { phone, code, reason, id_checked } = body;
    let phone = match phone {
        Some(phone) => {
            let phone = web::phone::normal(&phone).ok_or_else(|| refused(Refusal::PhoneInvalid))?;
            if !otp::check(&app, &phone, &code.unwrap_or_default()).await? {
                return Err(Problem::new("web-otp-wrong", StatusCode::UNPROCESSABLE_ENTITY));
            }
            Some(phone)
        }
        None => None,
    };
    let asked = NumberChange { phone, reason, id_checked };
    number::change(&app, &actor, person, asked).await?.map_err(refused)?;
    Ok(StatusCode::NO_CONTENT)
}
