//! `/account`: who I am here, and what I can do about it.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use kernel::{Instant, Locale};
use serde::Deserialize;
use web::ui::{Choice, Field, Opt};
use web::{Actor, App, Form, Frame, Page, Problem, See, sample_frame, unprocessable};

use super::register::name_field;
use super::{Errors, asker, field_of, read_mine, refused};
use crate::command::CitizenCommand;
use crate::model::Citizen;
use crate::refusal::Refusal;
use crate::view::{self, CitizenRow};

/// After this the page asks, gently, to verify the number again. Nothing depends on it.
const PHONE_OLD_DAYS: i64 = 365;

#[derive(Template)]
#[template(path = "person/account.html")]
struct Show {
    frame: Frame,
    facts: Vec<(String, String)>,
    phone_old: bool,
    acting: bool,
    errors: Vec<(String, String)>,
    name: Field,
    language: Choice,
}

fn page(
    frame: Frame,
    it: &CitizenRow,
    typed: Option<&str>,
    acting: bool,
    now: Instant,
    errors: Errors,
) -> Show {
    let phone = it.phone.clone().unwrap_or_else(|| frame.t("person-phone-none"));
    let born = it.birth_date.map(|it| it.to_string()).unwrap_or_default();
    let old = |at: Instant| at.plus_days(PHONE_OLD_DAYS) <= now;
    let language = Choice {
        name: "language".to_owned(),
        label: frame.t("person-language"),
        hint: Some(frame.t("person-language-hint")),
        options: Locale::ALL
            .into_iter()
            .map(|each| Opt::new(each.tag(), each.own_name().to_owned(), it.locale.tag()))
            .collect(),
        required: true,
        ..Choice::default()
    };
    Show {
        facts: vec![
            (frame.t("person-name"), it.name.clone()),
            (frame.t("person-birth-date"), born),
            (frame.t("person-phone"), phone),
            (frame.t("person-since"), frame.minute(&it.registered_at)),
        ],
        phone_old: it.phone_at.is_some_and(old),
        acting,
        name: name_field(&frame, typed.unwrap_or(&it.name), &errors),
        language,
        errors: errors.0,
        frame,
    }
}

async fn load(app: &App, actor: &Actor) -> Result<CitizenRow, Problem> {
    let person = actor.person()?;
    let found = read_mine(app, actor, "person.record", move |reader| view::citizen(reader, person));
    found.await?.ok_or_else(|| refused(Refusal::NotRegistered))
}

/// GET /account
pub(crate) async fn show(State(app): State<App>, actor: Actor) -> Result<Response, Problem> {
    let it = load(&app, &actor).await?;
    let frame = Frame::new(&app, &actor, "person-account-title");
    let acting = actor.acting_for.is_some();
    Ok(Page(page(frame, &it, None, acting, app.now(), Errors::default())).into_response())
}

/// The form with a name.
#[derive(Debug, Deserialize)]
pub(crate) struct NameBody {
    name: String,
}

/// POST /account/name
pub(crate) async fn name(
    State(app): State<App>,
    actor: Actor,
    Form(body): Form<NameBody>,
) -> Result<Response, Problem> {
    let person = actor.person()?;
    let command = CitizenCommand::CorrectName { asker: asker(&actor)?, name: body.name.clone() };
    match app.store.execute::<Citizen>(actor.context(), person.to_u128(), command).await {
        Ok(_) => Ok(See::other("/account").notice("person-saved").into_response()),
        Err(store::Error::Refused(refusal)) if field_of(refusal).is_some() => {
            let it = load(&app, &actor).await?;
            let frame = Frame::new(&app, &actor, "person-account-title");
            let errors = Errors::one(&frame, "name", refusal);
            let acting = actor.acting_for.is_some();
            Ok(unprocessable(page(frame, &it, Some(&body.name), acting, app.now(), errors)))
        }
        Err(error) => Err(error.into()),
    }
}

/// The form with a language.
#[derive(Debug, Deserialize)]
pub(crate) struct LanguageBody {
    language: String,
}

/// POST /account/language
pub(crate) async fn language(
    State(app): State<App>,
    actor: Actor,
    Form(body): Form<LanguageBody>,
) -> Result<See, Problem> {
    let person = actor.person()?;
    let locale = Locale::from_tag(&body.language).ok_or_else(Problem::form_invalid)?;
    let command = CitizenCommand::ChooseLocale { locale };
    app.execute::<Citizen>(actor.context(), person, command).await?;
    Ok(See::other("/account").notice("person-saved"))
}

pub(super) fn sample(locale: Locale) -> Result<String, askama::Error> {
    let frame = sample_frame(locale);
    let it = CitizenRow {
        person: super::sample_person(1),
        phone: Some("+821012345678".to_owned()),
        phone_at: Some(Instant::from_seconds(0)),
        name: "김하늘".to_owned(),
        birth_date: "1988-02-29".parse().ok(),
        locale,
        registered_at: Instant::from_seconds(1_770_000_000),
    };
    let errors = Errors::one(&frame, "name", Refusal::NameInvalid);
    page(frame, &it, None, false, Instant::from_seconds(1_780_000_000), errors).render()
}
