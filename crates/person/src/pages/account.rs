//! `/account`: who I am here, and what I can do about it.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use contracts::person::Person;
use kernel::{Aggregate as _, Id, Instant, Locale};
use serde::Deserialize;
use store::{Fault, Reader};
use web::ui::{Choice, Field, Opt};
use web::{Actor, App, Form, Frame, Page, Problem, See, sample_frame, unprocessable};

use super::readers::{ReaderIs, who, who_text};
use super::register::name_field;
use super::{Errors, asker, field_of, read_mine, refused};
use crate::command::CitizenCommand;
use crate::event::{CitizenEvent, PhoneReason};
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
    /// When the desk changed the number, and why and by whom in words.
    at_desk: Vec<(String, String)>,
    phone_old: bool,
    acting: bool,
    errors: Vec<(String, String)>,
    name: Field,
    language: Choice,
}

/// A change of number at the desk: when, why, which officer (as [`ReaderIs`], then in words).
type AtDesk<W> = (Instant, PhoneReason, W);

/// What the page shows.
struct Known {
    row: CitizenRow,
    at_desk: Vec<AtDesk<String>>,
}

/// The changes of number at the desk, the latest first.
fn at_desk(reader: &mut Reader<'_>, person: Id<Person>) -> Result<Vec<AtDesk<ReaderIs>>, Fault> {
    let mut changes = Vec::new();
    for it in reader.events(Citizen::STREAM, person.to_u128())? {
        if let Some(CitizenEvent::PhoneChangedAtDesk { reason, by, .. }) = it.event()? {
            changes.push((it.at, reason, who(reader, person, &by.to_string())?));
        }
    }
    changes.reverse();
    Ok(changes)
}

fn page(
    frame: Frame,
    Known { row: it, at_desk }: &Known,
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
    let change = |(at, reason, officer): &AtDesk<String>| {
        let reason = frame.t(&format!("person-phone-reason-{}", reason.word()));
        (frame.minute(at), format!("{reason} · {officer}"))
    };
    Show {
        at_desk: at_desk.iter().map(change).collect(),
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

async fn load(app: &App, actor: &Actor) -> Result<Known, Problem> {
    let person = actor.person()?;
    let found = read_mine(app, actor, "person.record", move |reader| {
        let Some(row) = view::citizen(reader, person)? else { return Ok(None) };
        Ok(Some((row, at_desk(reader, person)?)))
    });
    let (row, at_desk) = found.await?.ok_or_else(|| refused(Refusal::NotRegistered))?;
    let words = |officer: &ReaderIs| who_text(&app.texts, actor.locale, officer);
    let at_desk = at_desk.iter().map(|(at, why, officer)| (*at, *why, words(officer))).collect();
    Ok(Known { row, at_desk })
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
    let row = CitizenRow {
        person: super::sample_person(1),
        phone: Some("+821012345678".to_owned()),
        phone_at: Some(Instant::from_seconds(0)),
        name: "김하늘".to_owned(),
        birth_date: "1988-02-29".parse().ok(),
        locale,
        registered_at: Instant::from_seconds(1_770_000_000),
    };
    let officer = frame.t("person-role-health-officer");
    let at_desk = vec![(Instant::from_seconds(1_779_000_000), PhoneReason::Lost, officer)];
    let it = Known { row, at_desk };
    let errors = Errors::one(&frame, "name", Refusal::NameInvalid);
    page(frame, &it, None, false, Instant::from_seconds(1_780_000_000), errors).render()
}
