//! `/desk/people`: at the desk, with the person there. Registers somebody without a phone, records
//! consent to help given in person, ends a help. Shows a name and the helps, and nothing of health;
//! each look is on the access log before it is shown, with the reason that the officer typed.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use contracts::person::Person;
use kernel::{Id, Locale, clean};
use serde::Deserialize;
use web::ui::{Check, Choice, Field};
use web::{
    Actor, App, Form, Frame, Page, Path, Problem, Purpose, See, sample_frame, unprocessable,
};

use super::help::{self, Row, kin_and_end, kin_choice, term_choice};
use super::register::{birth_field, date, name_field};
use super::{Errors, field_of, made_id, refused, today};
use crate::command::{Asker, CitizenCommand, Registration};
use crate::door;
use crate::model::Citizen;
use crate::refusal::Refusal;
use crate::view;

/// Characters of a reason.
const GROUNDS_MAX: usize = 200;

#[derive(Template)]
#[template(path = "person/people.html")]
struct Show {
    frame: Frame,
    errors: Vec<(String, String)>,
    who: Field,
    grounds: Field,
    name: Field,
    birth_date: Field,
    id_checked: Check,
}

#[derive(Template)]
#[template(path = "person/record.html")]
struct Record {
    frame: Frame,
    person: String,
    fresh: bool,
    facts: Vec<(String, String)>,
    helpers: Vec<Row>,
    helper: Field,
    kin: Choice,
    days: Choice,
    id_checked: Check,
}

/// What the page's two forms hold.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Body {
    #[serde(default)]
    who: String,
    #[serde(default)]
    grounds: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    birth_date: String,
    #[serde(default)]
    id_checked: String,
}

fn id_check(frame: &Frame, errors: &Errors) -> Check {
    Check {
        name: "id_checked".to_owned(),
        label: frame.t("person-id-checked"),
        hint: None,
        error: errors.of("id_checked"),
        value: "yes".to_owned(),
        checked: false,
        required: true,
    }
}

fn page(frame: Frame, body: &Body, errors: Errors) -> Show {
    let off = |field: Field| Field { autocomplete: Some("off"), ..field };
    Show {
        who: off(Field::text("who", frame.t("person-find-who")))
            .hint(frame.t("person-find-who-hint"))
            .with(&body.who)
            .error(errors.of("who")),
        grounds: off(Field::text("grounds", frame.t("person-find-grounds")))
            .hint(frame.t("person-find-grounds-hint"))
            .with(&body.grounds)
            .error(errors.of("grounds")),
        name: off(name_field(&frame, &body.name, &errors)),
        birth_date: off(birth_field(&frame, &body.birth_date, &errors)),
        id_checked: id_check(&frame, &errors),
        errors: errors.0,
        frame,
    }
}

/// GET /desk/people
pub(crate) async fn show(
    State(app): State<App>,
    actor: Actor,
) -> Result<Page<impl Template>, Problem> {
    allowed(&actor)?;
    let frame = Frame::new(&app, &actor, "person-desk-people");
    Ok(Page(page(frame, &Body::default(), Errors::default())))
}

/// The desk is the region's: a role for one organisation or place is not enough.
fn allowed(actor: &Actor) -> Result<(), Problem> {
    let allowed = crate::DESK_ROLES.iter().any(|role| actor.has_in(*role, &[]));
    if allowed { Ok(()) } else { Err(Problem::forbidden()) }
}

/// POST /desk/people/find: shows the record of a number or an id. A POST, so that neither stands
/// in an address bar.
pub(crate) async fn find(
    State(app): State<App>,
    actor: Actor,
    Form(body): Form<Body>,
) -> Result<Response, Problem> {
    allowed(&actor)?;
    let frame = Frame::new(&app, &actor, "person-desk-people");
    let Ok(grounds) = clean(&body.grounds, GROUNDS_MAX) else {
        let text = frame.t("person-find-grounds-missing");
        let errors = Errors(vec![("grounds".to_owned(), text)]);
        return Ok(unprocessable(page(frame, &body, errors)));
    };
    let who = body.who.trim().to_owned();
    let found = app
        .read(move |reader| match who.parse::<Id<Person>>() {
            Ok(id) => Ok(Some(id)),
            Err(_) => crate::person_by_phone(reader, &who),
        })
        .await?;
    let Some(person) = found else { return Ok(unknown(frame, &body)) };
    match record(&app, &actor, person, Some(grounds), false).await? {
        Some(record) => Ok(Page(record).into_response()),
        None => Ok(unknown(frame, &body)),
    }
}

fn unknown(frame: Frame, body: &Body) -> Response {
    let errors = Errors::one(&frame, "who", Refusal::NotRegistered);
    unprocessable(page(frame, body, errors))
}

/// A record as the desk sees it. With `grounds` the look is recorded first; without, the officer
/// has just made the record.
async fn record(
    app: &App,
    actor: &Actor,
    person: Id<Person>,
    grounds: Option<String>,
    fresh: bool,
) -> Result<Option<Record>, Problem> {
    let now = app.now();
    let look = move |reader: &mut store::Reader<'_>| {
        let Some(it) = view::citizen(reader, person)? else { return Ok(None) };
        let helpers = view::helpers_of(reader, person)?;
        Ok(Some((it, help::named(reader, helpers, |it| it.helper)?)))
    };
    let purpose = Purpose::new("desk", grounds.unwrap_or_default());
    let found = app.read_record(actor, person.to_u128(), "person.record", purpose, look).await?;
    let Some((it, helpers)) = found else { return Ok(None) };
    let frame = Frame::new(app, actor, "person-record-title");
    let has_phone = if it.phone.is_some() { "person-yes" } else { "person-no" };
    Ok(Some(Record {
        person: person.to_string(),
        fresh,
        facts: vec![
            (frame.t("person-name"), it.name),
            (frame.t("person-id"), person.to_string()),
            (frame.t("person-has-phone"), frame.t(has_phone)),
            (frame.t("person-since"), frame.minute(&it.registered_at)),
        ],
        helpers: helpers.iter().map(|it| help::row(&frame, it, |it| it.helper, now)).collect(),
        ..empty_record(frame)
    }))
}

fn empty_record(frame: Frame) -> Record {
    Record {
        person: String::new(),
        fresh: false,
        facts: Vec::new(),
        helpers: Vec::new(),
        helper: Field {
            autocomplete: Some("off"),
            ..Field::phone("helper", frame.t("person-helper-phone"))
        }
        .hint(frame.t("person-helper-phone-hint")),
        kin: kin_choice(&frame, ""),
        days: term_choice(&frame, "365"),
        id_checked: id_check(&frame, &Errors::default()),
        frame,
    }
}

/// POST /desk/people/new: registers somebody without a phone.
pub(crate) async fn register(
    State(app): State<App>,
    actor: Actor,
    Form(body): Form<Body>,
) -> Result<Response, Problem> {
    allowed(&actor)?;
    let context = actor.context();
    let person = made_id(&app, &context);
    let answer = match date(&body.birth_date) {
        Ok(birth_date) => {
            let (name, locale) = (body.name.clone(), Locale::default());
            let registration = Registration { name, birth_date, locale, today: today(&app) };
            let id_checked = body.id_checked == "yes";
            let command = CitizenCommand::RegisterAtDesk { registration, id_checked };
            match app.store.execute::<Citizen>(context, person.to_u128(), command).await {
                Ok(_) => Ok(()),
                Err(store::Error::Refused(refusal)) => Err(refusal),
                Err(error) => return Err(error.into()),
            }
        }
        Err(refusal) => Err(refusal),
    };
    match answer {
        Ok(()) => {
            let record = record(&app, &actor, person, None, true).await?;
            Ok(Page(record.ok_or_else(|| refused(Refusal::NotRegistered))?).into_response())
        }
        Err(refusal) => match field_of(refusal) {
            Some(field) => {
                let frame = Frame::new(&app, &actor, "person-desk-people");
                let errors = Errors::one(&frame, field, refusal);
                Ok(unprocessable(page(frame, &body, errors)))
            }
            None => Err(refused(refusal)),
        },
    }
}

/// The form with a helper.
#[derive(Debug, Deserialize)]
pub(crate) struct GrantBody {
    helper: String,
    kin: String,
    days: String,
    #[serde(default)]
    id_checked: String,
}

/// POST /desk/people/{person}/help: records consent given in person.
pub(crate) async fn grant(
    State(app): State<App>,
    actor: Actor,
    Path(person): Path<Id<Person>>,
    Form(body): Form<GrantBody>,
) -> Result<See, Problem> {
    allowed(&actor)?;
    let (kin, until) =
        kin_and_end(&body.kin, &body.days, app.now()).ok_or_else(Problem::form_invalid)?;
    let phone = body.helper.clone();
    let helper = app.read(move |reader| crate::person_by_phone(reader, &phone)).await?;
    let helper = helper.ok_or_else(|| refused(Refusal::NotRegistered))?;
    let (context, texts, id_checked) =
        (actor.context(), app.texts.clone(), body.id_checked == "yes");
    let answer = app
        .write(move |tx| {
            let told = |locale| texts.get(locale, "person-sms-help-granted");
            door::grant_help_at_desk(tx, &context, person, helper, kin, until, id_checked, told)
        })
        .await?;
    answer.map_err(refused)?;
    Ok(See::other("/desk/people").notice("person-help-recorded"))
}

/// The form with whose help ends.
#[derive(Debug, Deserialize)]
pub(crate) struct EndBody {
    helper: Id<Person>,
    #[serde(default)]
    id_checked: String,
}

/// POST /desk/people/{person}/help/end: the helped person, at the desk, wants no more help.
pub(crate) async fn end(
    State(app): State<App>,
    actor: Actor,
    Path(person): Path<Id<Person>>,
    Form(body): Form<EndBody>,
) -> Result<See, Problem> {
    allowed(&actor)?;
    let asker = Asker::Desk { id_checked: body.id_checked == "yes" };
    let command = CitizenCommand::EndHelp { helper: body.helper, asker };
    app.execute::<Citizen>(actor.context(), person, command).await?;
    Ok(See::other("/desk/people").notice("person-help-ended"))
}

pub(super) fn sample(locale: Locale) -> Result<String, askama::Error> {
    let frame = sample_frame(locale);
    let errors = Errors::one(&frame, "id_checked", Refusal::IdNotChecked);
    page(frame, &Body::default(), errors).render()
}

pub(super) fn sample_record(locale: Locale) -> Result<String, askama::Error> {
    let frame = sample_frame(locale);
    let facts = vec![(frame.t("person-name"), "김하늘".to_owned())];
    let helpers = help::sample_rows(&frame);
    let person = super::sample_person(1).to_string();
    Record { person, fresh: true, facts, helpers, ..empty_record(frame) }.render()
}
