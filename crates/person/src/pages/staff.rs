//! `/desk/staff`: who works here. A new member signs in by a one-time link, shown once, and makes a
//! passkey.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use contracts::person::{Grant, Role, Scope, Staff};
use kernel::{Id, Instant, Locale};
use serde::Deserialize;
use store::Reader;
use web::ui::{Field, Pager};
use web::{Actor, App, Form, Frame, Page, Path, Problem, Query, sample_frame, unprocessable};

use super::register::name_field;
use super::{Errors, From, Nothing, field_of, made_id, paged, refused, short_id};
use crate::door;
use crate::refusal::Refusal;
use crate::view::{self, StaffRow};

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

#[derive(Template)]
#[template(path = "person/staff_link.html")]
struct Once {
    frame: Frame,
    link: String,
    staff: String,
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

pub(super) fn role_label(frame: &Frame, role: Role) -> String {
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

async fn loaded_list(
    app: &App,
    actor: &Actor,
    from: &From<Staff>,
    body: &Body,
    errors: Errors,
) -> Result<List, Problem> {
    let load = |reader: &mut Reader<'_>, after, limit| view::all_staff(reader, after, limit);
    let (rows, pager) = paged(app, "/desk/staff", from, load, |it| it.staff).await?;
    let frame = Frame::new(app, actor, "person-desk-staff");
    Ok(list_page(frame, &rows, app.now(), pager, body, errors))
}

/// GET /desk/staff
pub(crate) async fn list(
    State(app): State<App>,
    actor: Actor,
    Query(from): Query<From<Staff>>,
) -> Result<Response, Problem> {
    actor.need(Role::Administrator, &[])?;
    let page = loaded_list(&app, &actor, &from, &Body::default(), Errors::default()).await?;
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
                let frame = Frame::new(&app, &actor, "person-desk-staff");
                let errors = Errors::one(&frame, field, refusal);
                let from = From::default();
                Ok(unprocessable(loaded_list(&app, &actor, &from, &body, errors).await?))
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
    Form(_): Form<Nothing>,
) -> Result<Response, Problem> {
    let by = actor.need(Role::Administrator, &[])?;
    let answer = app.write(move |tx| door::sign_in_link(tx, staff, by)).await?;
    Ok(link_page(&app, &actor, staff, &answer.map_err(refused)?))
}

/// A member of staff that samples show.
pub(super) fn sample_row() -> StaffRow {
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

pub(super) fn sample_link(locale: Locale) -> Result<String, askama::Error> {
    let frame = sample_frame(locale);
    let link = "https://code.city.example/link/0a1b2c".to_owned();
    Once { frame, link, staff: sample_row().staff.to_string() }.render()
}
