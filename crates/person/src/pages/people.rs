//! `/desk/people`: at the desk, with the person there. Finds a record, registers somebody without a
//! phone, records consent to help given in person, ends a help; a number is changed in `number`.
//! Shows a name and the helps, and nothing of health; each look is on the access log before it is
//! shown, with the reason that the officer typed.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use contracts::person::{Person, Staff};
use kernel::{Id, Locale, clean};
use serde::Deserialize;
use web::ui::{Check, Choice, Field, Opt};
use web::{
    Actor, App, Form, Frame, Page, Path, Problem, Purpose, See, sample_frame, unprocessable,
};

use super::help::{self, Row, kin_and_end, kin_choice, term_choice};
use super::register::{birth_field, date, name_field};
use super::{Errors, field_of, made_id, refused, today};
use crate::command::{Asker, CitizenCommand, Registration};
use crate::door;
use crate::event::PhoneReason;
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
    counts: Vec<(String, String)>,
    nobody: bool,
    registering: bool,
    who: Field,
    grounds: Field,
    name: Field,
    birth_date: Field,
    id_checked: Check,
}

/// A record with what the desk can do about it.
#[derive(Template)]
#[template(path = "person/record.html")]
pub(super) struct Record {
    frame: Frame,
    person: String,
    grounds: String,
    fresh: bool,
    facts: Vec<(String, String)>,
    helpers: Vec<Row>,
    errors: Vec<(String, String)>,
    helping: bool,
    helper: Field,
    kin: Choice,
    days: Choice,
    id_checked: Check,
    changing: bool,
    phone: Field,
    reason: Choice,
    phone_id_checked: Check,
}

/// What the forms of a record hold.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct RecordBody {
    /// Why the record was opened: the page is shown again for the same reason.
    #[serde(default)]
    pub(super) grounds: String,
    #[serde(default)]
    helper: String,
    #[serde(default)]
    kin: String,
    #[serde(default)]
    days: String,
    #[serde(default)]
    id_checked: String,
    #[serde(default)]
    pub(super) phone: String,
    #[serde(default)]
    pub(super) reason: String,
    #[serde(default)]
    pub(super) phone_id_checked: String,
    #[serde(default)]
    pub(super) code: String,
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

fn id_check(frame: &Frame, name: &str, errors: &Errors) -> Check {
    Check {
        name: name.to_owned(),
        label: frame.t("person-id-checked"),
        error: errors.of(name),
        value: "yes".to_owned(),
        required: true,
        ..Check::default()
    }
}

fn off(field: Field) -> Field {
    Field { autocomplete: Some("off"), ..field }
}

fn page(frame: Frame, counts: view::Counts, body: &Body, errors: Errors) -> Show {
    let tile = |key: &str, number: u64| (frame.t(key), number.to_string());
    let registering = ["name", "birth_date", "id_checked"];
    Show {
        counts: vec![
            tile("person-count-people", counts.people),
            tile("person-count-without-phone", counts.without_phone),
            tile("person-count-helps", counts.helps),
        ],
        nobody: counts.people == 0,
        registering: registering.iter().any(|it| errors.of(it).is_some()),
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
        id_checked: id_check(&frame, "id_checked", &errors),
        errors: errors.0,
        frame,
    }
}

async fn loaded_page(
    app: &App,
    actor: &Actor,
    body: &Body,
    errors: Errors,
) -> Result<Show, Problem> {
    let now = app.now();
    let counts = app.read(move |reader| view::counts(reader, now)).await?;
    Ok(page(Frame::new(app, actor, "person-desk-people"), counts, body, errors))
}

/// GET /desk/people
pub(crate) async fn show(State(app): State<App>, actor: Actor) -> Result<Response, Problem> {
    allowed(&actor)?;
    let page = loaded_page(&app, &actor, &Body::default(), Errors::default()).await?;
    Ok(Page(page).into_response())
}

/// The officer. The desk is the region's: a role for one organisation or place is not enough.
pub(crate) fn allowed(actor: &Actor) -> Result<Id<Staff>, Problem> {
    let allowed = crate::DESK_ROLES.iter().any(|role| actor.has_in(*role, &[]));
    if allowed { actor.staff() } else { Err(Problem::forbidden()) }
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
    if clean(&body.grounds, GROUNDS_MAX).is_err() {
        let text = frame.t("person-find-grounds-missing");
        let errors = Errors(vec![("grounds".to_owned(), text)]);
        return Ok(unprocessable(loaded_page(&app, &actor, &body, errors).await?));
    }
    let who = body.who.trim().to_owned();
    let found = app
        .read(move |reader| match who.parse::<Id<Person>>() {
            Ok(id) => Ok(Some(id)),
            Err(_) => crate::person_by_phone(reader, &who),
        })
        .await?;
    let forms = RecordBody { grounds: body.grounds.clone(), ..RecordBody::default() };
    if let Some(person) = found
        && let Some(record) = record(&app, &actor, person, false, &forms, Errors::default()).await?
    {
        return Ok(Page(record).into_response());
    }
    let errors = Errors::one(&frame, "who", Refusal::NotRegistered);
    Ok(unprocessable(loaded_page(&app, &actor, &body, errors).await?))
}

/// A record as the desk sees it; `None` when there is none. The look is recorded first, with the
/// reason that the officer typed; after a registration there is none.
async fn record(
    app: &App,
    actor: &Actor,
    person: Id<Person>,
    fresh: bool,
    body: &RecordBody,
    errors: Errors,
) -> Result<Option<Record>, Problem> {
    let now = app.now();
    let look = move |reader: &mut store::Reader<'_>| {
        let Some(it) = view::citizen(reader, person)? else { return Ok(None) };
        let helpers = view::helpers_of(reader, person)?;
        Ok(Some((it, help::named(reader, helpers, |it| it.helper)?)))
    };
    let purpose = Purpose::new("desk", clean(&body.grounds, GROUNDS_MAX).unwrap_or_default());
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
        ..forms(frame, body, errors)
    }))
}

/// The record once more, with what was wrong in one of its forms.
pub(super) async fn again(
    app: &App,
    actor: &Actor,
    person: Id<Person>,
    body: &RecordBody,
    errors: Errors,
) -> Result<Response, Problem> {
    let record = record(app, actor, person, false, body, errors).await?;
    Ok(unprocessable(record.ok_or_else(|| refused(Refusal::NotRegistered))?))
}

/// The forms of a record.
fn forms(frame: Frame, body: &RecordBody, errors: Errors) -> Record {
    let any = |names: [&str; 3]| names.iter().any(|it| errors.of(it).is_some());
    let reason = |it: PhoneReason| {
        Opt::new(it.word(), frame.t(&format!("person-phone-reason-{}", it.word())), &body.reason)
    };
    let days = if body.days.is_empty() { "365" } else { &body.days };
    Record {
        person: String::new(),
        grounds: body.grounds.clone(),
        fresh: false,
        facts: Vec::new(),
        helpers: Vec::new(),
        helping: any(["helper", "kin", "id_checked"]),
        helper: off(Field::phone("helper", frame.t("person-helper-phone")))
            .hint(frame.t("person-helper-phone-hint"))
            .with(&body.helper)
            .error(errors.of("helper")),
        kin: Choice { error: errors.of("kin"), ..kin_choice(&frame, "person-desk-kin", &body.kin) },
        days: term_choice(&frame, days),
        id_checked: id_check(&frame, "id_checked", &errors),
        changing: any(["phone", "reason", "phone_id_checked"]),
        phone: off(Field::phone("phone", frame.t("person-number-new")))
            .hint(frame.t("person-number-new-hint"))
            .with(&body.phone)
            .error(errors.of("phone"))
            .optional(),
        reason: Choice {
            name: "reason".to_owned(),
            label: frame.t("person-number-reason"),
            options: PhoneReason::ALL.into_iter().map(reason).collect(),
            error: errors.of("reason"),
            required: true,
            ..Choice::default()
        },
        phone_id_checked: id_check(&frame, "phone_id_checked", &errors),
        errors: errors.0,
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
            let forms = RecordBody::default();
            let record = record(&app, &actor, person, true, &forms, Errors::default()).await?;
            Ok(Page(record.ok_or_else(|| refused(Refusal::NotRegistered))?).into_response())
        }
        Err(refusal) => match field_of(refusal) {
            Some(field) => {
                let frame = Frame::new(&app, &actor, "person-desk-people");
                let errors = Errors::one(&frame, field, refusal);
                Ok(unprocessable(loaded_page(&app, &actor, &body, errors).await?))
            }
            None => Err(refused(refusal)),
        },
    }
}

/// POST /desk/people/{person}/help: records consent given in person.
pub(crate) async fn grant(
    State(app): State<App>,
    actor: Actor,
    Path(person): Path<Id<Person>>,
    Form(body): Form<RecordBody>,
) -> Result<Response, Problem> {
    allowed(&actor)?;
    let frame = Frame::new(&app, &actor, "person-record-title");
    let Some((kin, until)) = kin_and_end(&body.kin, &body.days, app.now()) else {
        let errors = Errors(vec![("kin".to_owned(), frame.t("person-choice-invalid"))]);
        return again(&app, &actor, person, &body, errors).await;
    };
    let phone = body.helper.clone();
    let helper = app.read(move |reader| crate::person_by_phone(reader, &phone)).await?;
    let answer = match helper {
        Some(helper) => {
            let (context, texts) = (actor.context(), app.texts.clone());
            let id_checked = body.id_checked == "yes";
            app.write(move |tx| {
                let told = |locale| texts.get(locale, "person-sms-help-granted");
                door::grant_help_at_desk(tx, &context, person, helper, kin, until, id_checked, told)
            })
            .await?
            .map(|_| ())
        }
        None => Err(Refusal::NotRegistered),
    };
    let field = match answer {
        Ok(()) => {
            let done = See::other("/desk/people").notice("person-help-recorded");
            return Ok(done.into_response());
        }
        Err(Refusal::IdNotChecked) => "id_checked",
        Err(_) => "helper",
    };
    let errors = answer.err().map(|it| Errors::one(&frame, field, it)).unwrap_or_default();
    again(&app, &actor, person, &body, errors).await
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
    let counts = view::Counts { people: 10_012, without_phone: 37, helps: 212 };
    page(frame, counts, &Body::default(), errors).render()
}

pub(super) fn sample_record(locale: Locale) -> Result<String, askama::Error> {
    let frame = sample_frame(locale);
    let facts = vec![(frame.t("person-name"), "김하늘".to_owned())];
    let helpers = help::sample_rows(&frame);
    let person = super::sample_person(1).to_string();
    let errors = Errors::one(&frame, "phone", Refusal::PhoneTaken);
    let forms = forms(frame, &RecordBody::default(), errors);
    Record { person, fresh: true, facts, helpers, ..forms }.render()
}
