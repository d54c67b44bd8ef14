//! `/desk/staff`: who works here and what each may do. A new member signs in by a one-time link,
//! shown once, and makes a passkey.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use contracts::person::{Grant, Role, Scope, Staff};
use kernel::{Date, Id, Instant, Locale};
use serde::Deserialize;
use web::ui::{Choice, Field, Opt, Pager};
use web::{Actor, App, Form, Frame, Page, Path, Problem, Query, See, sample_frame, unprocessable};

use super::register::name_field;
use super::{Errors, field_of, made_id, refused, short_id, today};
use crate::door;
use crate::refusal::Refusal;
use crate::view::{self, OrganisationRow, StaffRow};

/// Rows of one page.
const ROWS: u32 = 50;
/// Organisations that the choice of scopes offers.
const SCOPES_MAX: u32 = 500;

struct Member {
    href: String,
    name: String,
    number: String,
    roles: String,
    suspended: bool,
}

#[derive(Template)]
#[template(path = "person/staff_list.html")]
struct List {
    frame: Frame,
    members: Vec<Member>,
    pager: Option<Pager>,
    errors: Vec<(String, String)>,
    name: Field,
    phone: Field,
    email: Field,
}

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
    place: Field,
    until: Field,
}

#[derive(Template)]
#[template(path = "person/staff_link.html")]
struct Once {
    frame: Frame,
    link: String,
    staff: String,
}

/// Where the list begins.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct From {
    after: Option<Id<Staff>>,
}

/// The form for a new member.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Body {
    #[serde(default)]
    name: String,
    #[serde(default)]
    phone: String,
    #[serde(default)]
    email: String,
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

fn role_label(frame: &Frame, role: Role) -> String {
    frame.t(&format!("person-role-{}", role.word().replace('_', "-")))
}

fn member(frame: &Frame, it: &StaffRow, now: Instant) -> Member {
    let id = it.staff.to_string();
    let mut roles: Vec<String> =
        it.roles.iter().filter(|it| now < it.until).map(|it| role_label(frame, it.role)).collect();
    roles.dedup();
    Member {
        href: format!("/desk/staff/{id}"),
        name: it.name.clone(),
        number: short_id(&id),
        roles: roles.join(", "),
        suspended: it.suspended,
    }
}

fn list_page(
    frame: Frame,
    rows: &[StaffRow],
    now: Instant,
    pager: Option<Pager>,
    body: &Body,
    errors: Errors,
) -> List {
    let email = Field { kind: "email", ..Field::text("email", frame.t("person-email")) };
    let off = |field: Field| Field { autocomplete: Some("off"), ..field };
    List {
        members: rows.iter().map(|it| member(&frame, it, now)).collect(),
        pager,
        name: off(name_field(&frame, &body.name, &errors)),
        phone: off(Field::phone("phone", frame.t("person-phone")))
            .hint(frame.t("person-staff-contact-hint"))
            .with(&body.phone)
            .error(errors.of("phone"))
            .optional(),
        email: off(email).with(&body.email).optional(),
        errors: errors.0,
        frame,
    }
}

async fn load_list(app: &App, from: &From) -> Result<(Vec<StaffRow>, Option<Pager>), Problem> {
    let after = from.after;
    let start = after.unwrap_or(Id::from_u128(0));
    let mut rows = app.read(move |reader| view::all_staff(reader, start, ROWS + 1)).await?;
    let shown = usize::try_from(ROWS).unwrap_or(usize::MAX);
    let more = rows.len() > shown;
    rows.truncate(shown);
    let last = rows.last().map(|it| it.staff).filter(|_| more);
    let pager = (last.is_some() || after.is_some()).then(|| Pager {
        previous: after.map(|_| "/desk/staff".to_owned()),
        next: last.map(|it| format!("/desk/staff?after={it}")),
        label: String::new(),
    });
    Ok((rows, pager))
}

/// GET /desk/staff
pub(crate) async fn list(
    State(app): State<App>,
    actor: Actor,
    Query(from): Query<From>,
) -> Result<Response, Problem> {
    actor.need(Role::Administrator, &[])?;
    let (rows, pager) = load_list(&app, &from).await?;
    let frame = Frame::new(&app, &actor, "person-desk-staff");
    let page = list_page(frame, &rows, app.now(), pager, &Body::default(), Errors::default());
    Ok(Page(page).into_response())
}

/// POST /desk/staff: appoints, and shows the one-time link.
pub(crate) async fn appoint(
    State(app): State<App>,
    actor: Actor,
    Form(body): Form<Body>,
) -> Result<Response, Problem> {
    let by = actor.need(Role::Administrator, &[])?;
    let context = actor.context();
    let staff: Id<Staff> = made_id(&app, &context);
    let (name, phone, email) =
        (body.name.clone(), Some(body.phone.clone()), Some(body.email.clone()));
    let answer = app
        .write(move |tx| {
            let (phone, email) = (phone.clone(), email.clone());
            match door::appoint(tx, &context, staff, &name, phone, email, by)? {
                Ok(_) => door::sign_in_link(tx, staff, by),
                Err(refusal) => Ok(Err(refusal)),
            }
        })
        .await?;
    match answer {
        Ok(link) => Ok(link_page(&app, &actor, staff, &link)),
        Err(refusal) => match field_of(refusal) {
            Some(field) => {
                let (rows, pager) = load_list(&app, &From::default()).await?;
                let frame = Frame::new(&app, &actor, "person-desk-staff");
                let errors = Errors::one(&frame, field, refusal);
                Ok(unprocessable(list_page(frame, &rows, app.now(), pager, &body, errors)))
            }
            None => Err(refused(refusal)),
        },
    }
}

fn link_page(app: &App, actor: &Actor, staff: Id<Staff>, path: &str) -> Response {
    let frame = Frame::new(app, actor, "person-link-title");
    let link = format!("{}{path}", app.config.origin_text());
    Page(Once { frame, link, staff: staff.to_string() }).into_response()
}

/// POST /desk/staff/{staff}/link: another one-time link, for a lost passkey.
pub(crate) async fn link(
    State(app): State<App>,
    actor: Actor,
    Path(staff): Path<Id<Staff>>,
    Form(_): Form<super::help::Nothing>,
) -> Result<Response, Problem> {
    let by = actor.need(Role::Administrator, &[])?;
    let answer = app.write(move |tx| door::sign_in_link(tx, staff, by)).await?;
    Ok(link_page(&app, &actor, staff, &answer.map_err(refused)?))
}

async fn load(app: &App, staff: Id<Staff>) -> Result<(StaffRow, Vec<OrganisationRow>), Problem> {
    let found = app
        .read(move |reader| {
            let organisations = view::all_organisations(reader, Id::from_u128(0), SCOPES_MAX)?;
            Ok((view::staff(reader, staff)?, organisations))
        })
        .await?;
    let (row, organisations) = found;
    Ok((row.ok_or_else(|| refused(Refusal::StaffUnknown))?, organisations))
}

/// What the page shows beside the form.
struct Known<'a> {
    row: &'a StaffRow,
    organisations: &'a [OrganisationRow],
    own: bool,
    now: Instant,
    last_day: Date,
}

fn role_row(frame: &Frame, known: &Known<'_>, it: &Grant) -> RoleRow {
    let scope = view::scope_text(it.scope);
    let scope_label = match it.scope {
        Scope::Region => frame.t("person-scope-region"),
        Scope::Organisation(id) => {
            let found = known.organisations.iter().find(|it| it.organisation == id);
            found.map_or_else(|| scope.clone(), |it| it.name.clone())
        }
        Scope::Place(_) => frame.t1("person-scope-place", "place", &scope),
    };
    RoleRow {
        role: it.role.word(),
        label: role_label(frame, it.role),
        scope_label,
        scope,
        until: frame.minute(&it.until),
        in_force: known.now < it.until,
    }
}

fn page(frame: Frame, known: &Known<'_>, body: &RoleBody, errors: Errors) -> Show {
    let it = known.row;
    let id = it.staff.to_string();
    let none = || frame.t("person-none");
    let role = |it: Role| Opt::new(it.word(), role_label(&frame, it), &body.role);
    let open = known.organisations.iter().filter(|it| !it.closed);
    let scopes = std::iter::once(Opt::new("region", frame.t("person-scope-region"), &body.scope))
        .chain(open.map(|it| Opt::new(&it.organisation.to_string(), it.name.clone(), &body.scope)));
    let until = if body.until.is_empty() { known.last_day.to_string() } else { body.until.clone() };
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
            required: true,
            ..Choice::default()
        },
        scope: Choice {
            name: "scope".to_owned(),
            label: frame.t("person-scope"),
            options: scopes.collect(),
            required: true,
            ..Choice::default()
        },
        place: Field { autocomplete: Some("off"), ..Field::text("place", frame.t("person-place")) }
            .hint(frame.t("person-place-hint"))
            .with(&body.place)
            .error(errors.of("place"))
            .optional(),
        until: Field::date("until", frame.t("person-until"))
            .hint(frame.t("person-until-hint"))
            .with(&until)
            .error(errors.of("until")),
        errors: errors.0,
        frame,
    }
}

async fn loaded_page(
    app: &App,
    actor: &Actor,
    staff: Id<Staff>,
    body: &RoleBody,
    errors: Errors,
) -> Result<Show, Problem> {
    let (row, organisations) = load(app, staff).await?;
    let frame = Frame::new(app, actor, "person-staff-title").titled(row.name.clone());
    let known = Known {
        row: &row,
        organisations: &organisations,
        own: actor.staff()? == staff,
        now: app.now(),
        last_day: today(app).plus_days(364),
    };
    Ok(page(frame, &known, body, errors))
}

/// GET /desk/staff/{staff}
pub(crate) async fn show(
    State(app): State<App>,
    actor: Actor,
    Path(staff): Path<Id<Staff>>,
) -> Result<Response, Problem> {
    actor.need(Role::Administrator, &[])?;
    let page = loaded_page(&app, &actor, staff, &RoleBody::default(), Errors::default()).await?;
    Ok(Page(page).into_response())
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
    Ok(unprocessable(loaded_page(&app, &actor, staff, &body, errors).await?))
}

/// POST /desk/staff/{staff}/roles/end
pub(crate) async fn end(
    State(app): State<App>,
    actor: Actor,
    Path(staff): Path<Id<Staff>>,
    Form(body): Form<RoleBody>,
) -> Result<See, Problem> {
    let by = actor.need(Role::Administrator, &[])?;
    let role = Role::from_word(&body.role).ok_or_else(Problem::form_invalid)?;
    let scope = view::scope_from_text(&body.scope).ok_or_else(Problem::form_invalid)?;
    let context = actor.context();
    let answer = app.write(move |tx| door::end_role(tx, &context, staff, role, scope, by)).await?;
    answer.map_err(refused)?;
    Ok(See::other(format!("/desk/staff/{staff}")).notice("person-role-ended"))
}

/// POST /desk/staff/{staff}/suspend
pub(crate) async fn suspend(
    State(app): State<App>,
    actor: Actor,
    Path(staff): Path<Id<Staff>>,
    Form(_): Form<super::help::Nothing>,
) -> Result<See, Problem> {
    let by = actor.need(Role::Administrator, &[])?;
    let context = actor.context();
    let answer = app.write(move |tx| door::suspend(tx, &context, staff, by)).await?;
    answer.map_err(refused)?;
    Ok(See::other(format!("/desk/staff/{staff}")).notice("person-staff-suspended-now"))
}

/// POST /desk/staff/{staff}/resume
pub(crate) async fn resume(
    State(app): State<App>,
    actor: Actor,
    Path(staff): Path<Id<Staff>>,
    Form(_): Form<super::help::Nothing>,
) -> Result<See, Problem> {
    let by = actor.need(Role::Administrator, &[])?;
    let context = actor.context();
    let answer = app.write(move |tx| door::resume(tx, &context, staff, by)).await?;
    answer.map_err(refused)?;
    Ok(See::other(format!("/desk/staff/{staff}")).notice("person-staff-resumed-now"))
}

fn sample_row() -> StaffRow {
    let until = Instant::from_seconds(1_780_000_000);
    let grant = |role, scope| Grant { role, scope, until };
    StaffRow {
        staff: Id::from_u128(77),
        name: "이보람".to_owned(),
        phone: Some("+821011112222".to_owned()),
        email: None,
        suspended: false,
        appointed_at: Instant::from_seconds(1_770_000_000),
        roles: vec![
            grant(Role::HealthOfficer, Scope::Region),
            grant(Role::Guard, Scope::Place(Id::from_u128(5))),
        ],
    }
}

pub(super) fn sample_list(locale: Locale) -> Result<String, askama::Error> {
    let frame = sample_frame(locale);
    let errors = Errors::one(&frame, "phone", Refusal::StaffContactMissing);
    let now = Instant::from_seconds(1_775_000_000);
    let suspended = StaffRow { suspended: true, ..sample_row() };
    let pager = Some(Pager::default());
    list_page(frame, &[sample_row(), suspended], now, pager, &Body::default(), errors).render()
}

pub(super) fn sample(locale: Locale) -> Result<String, askama::Error> {
    let frame = sample_frame(locale);
    let row = sample_row();
    let known = Known {
        row: &row,
        organisations: &[],
        own: false,
        now: Instant::from_seconds(1_775_000_000),
        last_day: Date::from_days(20_500),
    };
    let errors = Errors::one(&frame, "until", Refusal::GrantTermInvalid);
    page(frame, &known, &RoleBody::default(), errors).render()
}

pub(super) fn sample_link(locale: Locale) -> Result<String, askama::Error> {
    let frame = sample_frame(locale);
    let link = "https://code.city.example/link/0a1b2c".to_owned();
    Once { frame, link, staff: sample_row().staff.to_string() }.render()
}
