//! `/account/help`: who helps me, whom I help. The helped person makes a consent code; the helper
//! types it. No page finds a person by name or number: consent comes first (Beijing, 2020).

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use contracts::person::Person;
use kernel::{Id, Instant, Locale};
use serde::Deserialize;
use store::{Fault, Reader};
use web::ui::{Choice, Field, Opt};
use web::{Actor, App, Form, Frame, Page, Problem, See, sample_frame, session, unprocessable};

use super::register::{birth_field, date, name_field};
use super::{Errors, Nothing, asker, field_of, made_id, read_mine, refused, short_id, today};
use crate::command::{CitizenCommand, Registration};
use crate::decide::OFFER_HOLDS_S;
use crate::door;
use crate::event::Kin;
use crate::model::Citizen;
use crate::refusal::Refusal;
use crate::view::{self, HelpRow};

/// One help as the lists show it.
pub(super) struct Row {
    pub(super) person: String,
    pub(super) name: String,
    pub(super) facts: Vec<(String, String)>,
    pub(super) in_force: bool,
    pub(super) acting: bool,
}

#[derive(Template)]
#[template(path = "person/help.html")]
struct Show {
    frame: Frame,
    acting: bool,
    helpers: Vec<Row>,
    helped: Vec<Row>,
    errors: Vec<(String, String)>,
    code: Field,
    kin: Choice,
    days: Choice,
    name: Field,
    birth_date: Field,
}

#[derive(Template)]
#[template(path = "person/offer.html")]
struct Offer {
    frame: Frame,
    code: String,
    until: String,
}

/// What the two forms of the page hold.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Body {
    #[serde(default)]
    code: String,
    #[serde(default)]
    kin: String,
    #[serde(default)]
    days: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    birth_date: String,
}

/// The choice of what the helped person is to the helper. The label says whose words they are.
pub(super) fn kin_choice(frame: &Frame, label: &str, present: &str) -> Choice {
    let option =
        |it: Kin| Opt::new(it.word(), frame.t(&format!("person-kin-{}", it.word())), present);
    Choice {
        name: "kin".to_owned(),
        label: frame.t(label),
        options: Kin::ALL.into_iter().map(option).collect(),
        required: true,
        ..Choice::default()
    }
}

/// How long a help may be given for, in days.
const TERMS: [(&str, &str, i64); 3] = [
    ("1", "person-term-day", 1),
    ("30", "person-term-month", 30),
    ("365", "person-term-year", 365),
];

/// The choice of how long.
pub(super) fn term_choice(frame: &Frame, present: &str) -> Choice {
    let option = |(value, key, _): (&str, &str, i64)| Opt::new(value, frame.t(key), present);
    Choice {
        name: "days".to_owned(),
        label: frame.t("person-term"),
        options: TERMS.into_iter().map(option).collect(),
        required: true,
        ..Choice::default()
    }
}

/// What the two choices say.
pub(super) fn kin_and_end(kin: &str, days: &str, now: Instant) -> Option<(Kin, Instant)> {
    let (_, _, days) = TERMS.into_iter().find(|(value, _, _)| *value == days)?;
    Some((Kin::from_word(kin)?, now.plus_days(days)))
}

type Named = (HelpRow, Option<String>);

/// Names of the other side, which both sides of a help may know.
pub(super) fn named(
    reader: &mut Reader<'_>,
    rows: Vec<HelpRow>,
    other: fn(&HelpRow) -> Id<Person>,
) -> Result<Vec<Named>, Fault> {
    let name = |it: HelpRow| {
        let name = view::citizen(reader, other(&it))?.map(|citizen| citizen.name);
        Ok((it, name))
    };
    rows.into_iter().map(name).collect()
}

/// A help as a row of a list.
pub(super) fn row(
    frame: &Frame,
    (it, name): &Named,
    other: fn(&HelpRow) -> Id<Person>,
    now: Instant,
) -> Row {
    let person = other(it).to_string();
    let in_force = now < it.until;
    let end = if in_force { "person-help-until" } else { "person-help-over" };
    Row {
        name: name.clone().unwrap_or_else(|| short_id(&person)),
        facts: vec![
            (frame.t("person-relation"), frame.t(&format!("person-relation-{}", it.kin.word()))),
            (frame.t("person-ground"), frame.t(&format!("person-ground-{}", it.ground.word()))),
            (frame.t("person-help-since"), frame.minute(&it.since)),
            (frame.t(end), frame.minute(&it.until)),
        ],
        person,
        in_force,
        acting: false,
    }
}

async fn page(app: &App, actor: &Actor, body: &Body, errors: Errors) -> Result<Show, Problem> {
    let (person, now) = (actor.person()?, app.now());
    let own = actor.own_person()?;
    let (helpers, helped) = read_mine(app, actor, "person.help", move |reader| {
        let helpers = view::helpers_of(reader, person)?;
        let helped = view::helped_by(reader, own)?;
        let helpers = named(reader, helpers, |it| it.helper)?;
        Ok((helpers, named(reader, helped, |it| it.helped)?))
    })
    .await?;
    let frame = Frame::new(app, actor, "person-help-title");
    let acting_for = actor.acting_for;
    let helpers = helpers.iter().map(|it| row(&frame, it, |it| it.helper, now)).collect();
    let helped = helped
        .iter()
        .map(|it| Row {
            acting: acting_for == Some(it.0.helped),
            ..row(&frame, it, |it| it.helped, now)
        })
        .collect();
    Ok(fill(frame, acting_for.is_some(), helpers, helped, body, errors))
}

fn fill(
    frame: Frame,
    acting: bool,
    helpers: Vec<Row>,
    helped: Vec<Row>,
    body: &Body,
    errors: Errors,
) -> Show {
    let code = Field {
        autocomplete: Some("off"),
        maxlength: Some(20),
        ..Field::text("code", frame.t("person-offer-code"))
    };
    Show {
        code: code
            .hint(frame.t("person-offer-code-hint"))
            .with(&body.code)
            .error(errors.of("code")),
        kin: kin_choice(&frame, "person-kin", &body.kin),
        days: term_choice(&frame, if body.days.is_empty() { "30" } else { &body.days }),
        name: name_field(&frame, &body.name, &errors),
        birth_date: birth_field(&frame, &body.birth_date, &errors),
        errors: errors.0,
        frame,
        acting,
        helpers,
        helped,
    }
}

/// GET /account/help
pub(crate) async fn show(State(app): State<App>, actor: Actor) -> Result<Response, Problem> {
    let page = page(&app, &actor, &Body::default(), Errors::default()).await?;
    Ok(Page(page).into_response())
}

/// POST /account/help/offer: makes a consent code and shows it, once.
pub(crate) async fn offer(
    State(app): State<App>,
    actor: Actor,
    Form(_): Form<Nothing>,
) -> Result<Response, Problem> {
    let person = actor.person()?;
    let code = door::new_offer_code(app.seed());
    let offer = app.read({
        let code = code.clone();
        move |reader| Ok(door::offer_tag(reader, &code))
    });
    let command = CitizenCommand::OfferHelp { asker: asker(&actor)?, offer: offer.await? };
    // Without a command id: a repeated request shows a new code, and the last one shown works.
    let context = store::Context::by(actor.by());
    app.execute::<Citizen>(context, person, command).await?;
    let frame = Frame::new(&app, &actor, "person-offer-title");
    let until = frame.minute(&app.now().plus_seconds(OFFER_HOLDS_S));
    Ok(Page(Offer { frame, code, until }).into_response())
}

/// POST /account/help/accept: the helper types a consent code.
pub(crate) async fn accept(
    State(app): State<App>,
    actor: Actor,
    Form(body): Form<Body>,
) -> Result<Response, Problem> {
    let (helper, context) = (actor.own_person()?, actor.context());
    let (kin, until) =
        kin_and_end(&body.kin, &body.days, app.now()).ok_or_else(Problem::form_invalid)?;
    let (code, texts) = (body.code.clone(), app.texts.clone());
    let answer = app
        .write(move |tx| {
            let told = |locale| texts.get(locale, "person-sms-help-granted");
            door::accept_help(tx, &context, helper, &code, kin, until, told)
        })
        .await?;
    answered(&app, &actor, &body, answer.map(|_| ()), "person-help-accepted").await
}

/// POST /account/help/child: a parent registers a child under 14.
pub(crate) async fn child(
    State(app): State<App>,
    actor: Actor,
    Form(body): Form<Body>,
) -> Result<Response, Problem> {
    let (parent, context) = (actor.own_person()?, actor.context());
    let child = made_id(&app, &context);
    let answer = match date(&body.birth_date) {
        Ok(birth_date) => {
            let (name, locale) = (body.name.clone(), actor.locale);
            let it = Registration { name, birth_date, locale, today: today(&app) };
            app.write(move |tx| door::register_child(tx, &context, child, &it, parent)).await?
        }
        Err(refusal) => Err(refusal),
    };
    answered(&app, &actor, &body, answer.map(|_| ()), "person-child-registered").await
}

async fn answered(
    app: &App,
    actor: &Actor,
    body: &Body,
    answer: Result<(), Refusal>,
    notice: &'static str,
) -> Result<Response, Problem> {
    match answer {
        Ok(()) => Ok(See::other("/account/help").notice(notice).into_response()),
        Err(refusal) => match field_of(refusal) {
            Some(field) => {
                let frame = Frame::new(app, actor, "person-help-title");
                let errors = Errors::one(&frame, field, refusal);
                Ok(unprocessable(page(app, actor, body, errors).await?))
            }
            None => Err(refused(refusal)),
        },
    }
}

/// The form with the other side of a help.
#[derive(Debug, Deserialize)]
pub(crate) struct EndBody {
    /// `helper` when I end somebody's help for me, `helped` when I end mine for somebody.
    side: String,
    person: Id<Person>,
}

/// POST /account/help/end
pub(crate) async fn end(
    State(app): State<App>,
    actor: Actor,
    Form(body): Form<EndBody>,
) -> Result<See, Problem> {
    let own = actor.own_person()?;
    let (helped, helper, asker) = match body.side.as_str() {
        "helper" => (actor.person()?, body.person, asker(&actor)?),
        "helped" => (body.person, own, crate::Asker::Helper(own)),
        _ => return Err(Problem::form_invalid()),
    };
    let command = CitizenCommand::EndHelp { helper, asker };
    app.execute::<Citizen>(actor.context(), helped, command).await?;
    if actor.acting_for == Some(helped) && helper == own {
        session::act_for(&app, &actor, None).await?;
    }
    Ok(See::other("/account/help").notice("person-help-ended"))
}

/// The form with whom to act for; empty for oneself.
#[derive(Debug, Deserialize)]
pub(crate) struct ActBody {
    #[serde(default)]
    person: String,
}

/// POST /account/help/act: whom this session acts for from now on.
pub(crate) async fn act(
    State(app): State<App>,
    actor: Actor,
    Form(body): Form<ActBody>,
) -> Result<See, Problem> {
    let (own, now) = (actor.own_person()?, app.now());
    if body.person.is_empty() {
        session::act_for(&app, &actor, None).await?;
        return Ok(See::other("/account/help").notice("person-act-ended"));
    }
    let person: Id<Person> = body.person.parse().map_err(|_| Problem::form_invalid())?;
    if !app.read(move |reader| view::may_help(reader, own, person, now)).await? {
        return Err(refused(Refusal::HelpNone));
    }
    session::act_for(&app, &actor, Some(person)).await?;
    Ok(See::other("/").notice("person-act-begun"))
}

pub(super) fn sample(locale: Locale) -> Result<String, askama::Error> {
    let frame = sample_frame(locale);
    let (helpers, helped) = (sample_rows(&frame), sample_rows(&frame));
    let errors = Errors::one(&frame, "code", Refusal::HelpOfferUnknown);
    fill(frame, true, helpers, helped, &Body::default(), errors).render()
}

/// Two helps, one of them run out.
pub(super) fn sample_rows(frame: &Frame) -> Vec<Row> {
    let now = Instant::from_seconds(1_780_000_000);
    let help = |number: u128, until: Instant| HelpRow {
        helped: super::sample_person(1),
        helper: super::sample_person(number),
        kin: Kin::Parent,
        ground: crate::event::Ground::Consent,
        since: now.plus_days(-20),
        until,
    };
    let rows = [
        (help(2, now.plus_days(10)), Some("김바다".to_owned())),
        (help(3, now.plus_days(-1)), None),
    ];
    rows.iter().map(|it| row(frame, it, |it| it.helper, now)).collect()
}

pub(super) fn sample_offer(locale: Locale) -> Result<String, askama::Error> {
    let frame = sample_frame(locale);
    Offer { frame, code: "7KQ2-M9XA".to_owned(), until: "2026-03-01 09:15".to_owned() }.render()
}
