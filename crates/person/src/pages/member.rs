//! `/desk/staff/{staff}`: one member of staff: what they may do, where, until when; suspending, and
//! deleting whoever has left.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use contracts::person::{Grant, Role, Scope, Staff};
use kernel::{Date, Id, Instant, Locale};
use serde::Deserialize;
use web::app::NamedOrganisation;
use web::ui::{Choice, Field, Opt};
use web::{
    Actor, App, Form, Frame, NamedPlace, Page, Path, Problem, Query, See, sample_frame,
    unprocessable,
};

use super::delete::{self, confirm_field, confirmed};
use super::staff::{role_label, sample_row};
use super::{Errors, Nothing, administer, field_of, refused, short_id, today};
use crate::door;
use crate::refusal::Refusal;
use crate::view::{self, StaffRow};

/// Places that the choice offers at once; of more, those whose names hold what was searched for.
const PLACES_SHOWN: usize = 60;

struct RoleRow {
    role: &'static str,
    scope: String,
    label: String,
    scope_label: String,
    until: String,
    in_force: bool,
}

#[derive(Template)]
#[template(path = "person/staff.html")]
struct Show {
    frame: Frame,
    staff: String,
    facts: Vec<(String, String)>,
    suspended: bool,
    own: bool,
    roles: Vec<RoleRow>,
    errors: Vec<(String, String)>,
    role: Choice,
    scope: Choice,
    find: Option<Field>,
    place: Choice,
    until: Field,
    confirm: Field,
}

/// The form for a role.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct RoleBody {
    #[serde(default)]
    role: String,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    place: String,
    #[serde(default)]
    until: String,
}

/// Which places the choice offers.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Find {
    /// A part of the name.
    #[serde(default)]
    find: String,
}

/// What the page shows beside the form.
struct Known {
    row: StaffRow,
    organisations: Vec<NamedOrganisation>,
    places: Vec<NamedPlace>,
    own: bool,
    now: Instant,
    last_day: Date,
}

async fn load(app: &App, actor: &Actor, staff: Id<Staff>) -> Result<Known, Problem> {
    let places = app.questions.places;
    let found = app
        .read(move |reader| {
            let row = view::staff(reader, staff)?;
            Ok((row, crate::organisations(reader)?, places(reader)?))
        })
        .await?;
    let (row, organisations, places) = found;
    Ok(Known {
        row: row.ok_or_else(|| refused(Refusal::StaffUnknown))?,
        organisations,
        places,
        own: actor.staff()? == staff,
        now: app.now(),
        last_day: today(app).plus_days(364),
    })
}

impl Known {
    /// The name of an organisation; the last letters of its id when it is none that is open.
    fn organisation(&self, id: Id<contracts::person::Organisation>) -> String {
        let found = self.organisations.iter().find(|(it, _)| *it == id);
        found.map_or_else(|| short_id(&id.to_string()), |(_, name)| name.clone())
    }

    fn place(&self, it: &NamedPlace) -> String {
        format!("{} · {}", it.name, self.organisation(it.organisation))
    }

    fn scope(&self, frame: &Frame, scope: Scope) -> String {
        match scope {
            Scope::Region => frame.t("person-scope-region"),
            Scope::Organisation(id) => self.organisation(id),
            Scope::Place(id) => match self.places.iter().find(|it| it.place == id) {
                Some(it) => self.place(it),
                None => frame.t1("person-scope-place", "place", &short_id(&id.to_string())),
            },
        }
    }

    /// The choice of one place. What was chosen before is offered in any case.
    fn places(&self, frame: &Frame, find: &str, chosen: &str, error: Option<String>) -> Choice {
        let wanted = find.trim().to_lowercase();
        let none = Opt::new("", frame.t("person-place-none"), chosen);
        let option = |it: &NamedPlace| Opt::new(&it.place.to_string(), self.place(it), chosen);
        let mut offered: Vec<Opt> = self.places.iter().map(option).collect();
        offered.retain(|it| it.checked || it.label.to_lowercase().contains(&wanted));
        let (mut first, rest): (Vec<_>, Vec<_>) = offered.into_iter().partition(|it| it.checked);
        first.extend(rest);
        first.truncate(PLACES_SHOWN);
        Choice {
            name: "place".to_owned(),
            label: frame.t("person-place"),
            hint: Some(frame.t("person-place-hint")),
            error,
            options: std::iter::once(none).chain(first).collect(),
            required: false,
        }
    }
}

fn role_row(frame: &Frame, known: &Known, it: &Grant) -> RoleRow {
    RoleRow {
        role: it.role.word(),
        label: role_label(frame, it.role),
        scope_label: known.scope(frame, it.scope),
        scope: view::scope_text(it.scope),
        until: frame.minute(&it.until),
        in_force: known.now < it.until,
    }
}

fn page(frame: Frame, known: &Known, find: &str, body: &RoleBody, errors: Errors) -> Show {
    let it = &known.row;
    let id = it.staff.to_string();
    let none = || frame.t("person-none");
    let role = |it: Role| Opt::new(it.word(), role_label(&frame, it), &body.role);
    let region = Opt::new("region", frame.t("person-scope-region"), &body.scope);
    let organisations = known.organisations.iter();
    let organisation =
        |(id, name): &NamedOrganisation| Opt::new(&id.to_string(), name.clone(), &body.scope);
    let until = if body.until.is_empty() { known.last_day.to_string() } else { body.until.clone() };
    let find_field = Field {
        autocomplete: Some("off"),
        maxlength: Some(80),
        ..Field::text("find", frame.t("person-place-find"))
    };
    Show {
        facts: vec![
            (frame.t("person-name"), it.name.clone()),
            (frame.t("person-staff-number"), short_id(&id)),
            (frame.t("person-phone"), it.phone.clone().unwrap_or_else(none)),
            (frame.t("person-email"), it.email.clone().unwrap_or_else(none)),
            (frame.t("person-since"), frame.minute(&it.appointed_at)),
        ],
        staff: id,
        suspended: it.suspended,
        own: known.own,
        roles: it.roles.iter().map(|it| role_row(&frame, known, it)).collect(),
        role: Choice {
            name: "role".to_owned(),
            label: frame.t("person-role"),
            options: Role::ALL.into_iter().map(role).collect(),
            error: errors.of("role"),
            required: true,
            ..Choice::default()
        },
        scope: Choice {
            name: "scope".to_owned(),
            label: frame.t("person-scope"),
            options: std::iter::once(region).chain(organisations.map(organisation)).collect(),
            required: true,
            ..Choice::default()
        },
        find: (known.places.len() > PLACES_SHOWN).then(|| find_field.with(find).optional()),
        place: known.places(&frame, find, &body.place, errors.of("place")),
        until: Field::date("until", frame.t("person-until"))
            .hint(frame.t("person-until-hint"))
            .with(&until)
            .error(errors.of("until")),
        confirm: confirm_field(&frame, &errors),
        errors: errors.0,
        frame,
    }
}

async fn loaded_page(
    app: &App,
    actor: &Actor,
    staff: Id<Staff>,
    find: &str,
    body: &RoleBody,
    errors: Errors,
) -> Result<Show, Problem> {
    let known = load(app, actor, staff).await?;
    let frame = Frame::new(app, actor, "person-staff-title").titled(known.row.name.clone());
    Ok(page(frame, &known, find, body, errors))
}

/// GET /desk/staff/{staff}
pub(crate) async fn show(
    State(app): State<App>,
    actor: Actor,
    Path(staff): Path<Id<Staff>>,
    Query(Find { find }): Query<Find>,
) -> Result<Response, Problem> {
    actor.need(Role::Administrator, &[])?;
    let (body, errors) = (RoleBody::default(), Errors::default());
    Ok(Page(loaded_page(&app, &actor, staff, &find, &body, errors).await?).into_response())
}

/// The grant that the form describes; the day named is the last on which it holds.
fn grant_of(app: &App, body: &RoleBody) -> Result<Grant, (&'static str, Option<Refusal>)> {
    let role = Role::from_word(&body.role).ok_or(("role", None))?;
    let place = body.place.trim();
    let scope = if place.is_empty() { body.scope.as_str() } else { place };
    let scope = view::scope_from_text(scope).ok_or(("place", None))?;
    let last: Date =
        body.until.trim().parse().map_err(|_| ("until", Some(Refusal::GrantTermInvalid)))?;
    Ok(Grant { role, scope, until: app.config.zone.start_of(last.plus_days(1)) })
}

/// POST /desk/staff/{staff}/roles
pub(crate) async fn grant(
    State(app): State<App>,
    actor: Actor,
    Path(staff): Path<Id<Staff>>,
    Form(body): Form<RoleBody>,
) -> Result<Response, Problem> {
    let by = actor.need(Role::Administrator, &[])?;
    let mistake = match grant_of(&app, &body) {
        Ok(grant) => {
            let context = actor.context();
            let answer =
                app.write(move |tx| door::grant_role(tx, &context, staff, grant, by)).await?;
            match answer {
                Ok(_) => {
                    let back = See::other(format!("/desk/staff/{staff}"));
                    return Ok(back.notice("person-role-granted").into_response());
                }
                Err(refusal) => (field_of(refusal).ok_or_else(|| refused(refusal))?, Some(refusal)),
            }
        }
        Err(mistake) => mistake,
    };
    let frame = Frame::new(&app, &actor, "person-staff-title");
    let errors = match mistake {
        (field, Some(refusal)) => Errors::one(&frame, field, refusal),
        (field, None) => Errors(vec![(field.to_owned(), frame.t("person-choice-invalid"))]),
    };
    Ok(unprocessable(loaded_page(&app, &actor, staff, "", &body, errors).await?))
}

/// POST /desk/staff/{staff}/roles/end
pub(crate) async fn end(
    State(app): State<App>,
    actor: Actor,
    Path(staff): Path<Id<Staff>>,
    Form(body): Form<RoleBody>,
) -> Result<See, Problem> {
    let role = Role::from_word(&body.role).ok_or_else(Problem::form_invalid)?;
    let scope = view::scope_from_text(&body.scope).ok_or_else(Problem::form_invalid)?;
    let back = format!("/desk/staff/{staff}");
    administer(&app, &actor, back, "person-role-ended", move |tx, context, by| {
        door::end_role(tx, context, staff, role, scope, by)
    })
    .await
}

/// POST /desk/staff/{staff}/suspend
pub(crate) async fn suspend(
    State(app): State<App>,
    actor: Actor,
    Path(staff): Path<Id<Staff>>,
    Form(_): Form<Nothing>,
) -> Result<See, Problem> {
    let (back, notice) = (format!("/desk/staff/{staff}"), "person-staff-suspended-now");
    let work = move |tx: &mut store::Tx<'_>, context: &store::Context, by| {
        door::suspend(tx, context, staff, by)
    };
    administer(&app, &actor, back, notice, work).await
}

/// POST /desk/staff/{staff}/resume
pub(crate) async fn resume(
    State(app): State<App>,
    actor: Actor,
    Path(staff): Path<Id<Staff>>,
    Form(_): Form<Nothing>,
) -> Result<See, Problem> {
    let (back, notice) = (format!("/desk/staff/{staff}"), "person-staff-resumed-now");
    let work = move |tx: &mut store::Tx<'_>, context: &store::Context, by| {
        door::resume(tx, context, staff, by)
    };
    administer(&app, &actor, back, notice, work).await
}

/// POST /desk/staff/{staff}/forget: deletes whoever has left; oneself too, when another
/// administrator stays.
pub(crate) async fn forget(
    State(app): State<App>,
    actor: Actor,
    Path(staff): Path<Id<Staff>>,
    Form(body): Form<delete::Body>,
) -> Result<Response, Problem> {
    let by = actor.need(Role::Administrator, &[])?;
    let frame = Frame::new(&app, &actor, "person-staff-title");
    let answer = if confirmed(&frame, &body) {
        let context = actor.context();
        app.write(move |tx| door::forget_staff(tx, &context, staff, Some(by))).await?.map(|_| ())
    } else {
        Err(Refusal::ConfirmationWrong)
    };
    match answer {
        Ok(()) => {
            let back = if by == staff { "/" } else { "/desk/staff" };
            Ok(See::other(back).notice("person-staff-forgotten-now").into_response())
        }
        Err(refusal) => {
            let field = field_of(refusal).ok_or_else(|| refused(refusal))?;
            let errors = Errors::one(&frame, field, refusal);
            let body = RoleBody::default();
            Ok(unprocessable(loaded_page(&app, &actor, staff, "", &body, errors).await?))
        }
    }
}

pub(super) fn sample(locale: Locale) -> Result<String, askama::Error> {
    let frame = sample_frame(locale);
    let office = Id::from_u128(1);
    let place = |number: u128| NamedPlace {
        place: Id::from_u128(number),
        organisation: office,
        name: "1층 정문".to_owned(),
    };
    let known = Known {
        row: sample_row(),
        organisations: vec![(office, "해태시립도서관".to_owned())],
        places: (5..80).map(place).collect(),
        own: false,
        now: Instant::from_seconds(1_775_000_000),
        last_day: Date::from_days(20_500),
    };
    let errors = Errors::one(&frame, "until", Refusal::GrantTermInvalid);
    page(frame, &known, "정문", &RoleBody::default(), errors).render()
}
