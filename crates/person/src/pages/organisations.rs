//! `/desk/organisations`: offices, clinics, schools, companies that take part.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use contracts::person::{Organisation, Role};
use kernel::{Id, Instant, Locale};
use serde::Deserialize;
use store::Reader;
use web::ui::{Choice, Field, Opt, Pager};
use web::{Actor, App, Form, Frame, Page, Path, Problem, Query, See, sample_frame, unprocessable};

use super::{Errors, From, Nothing, administer, field_of, made_id, paged, refused};
use crate::door;
use crate::event::OrganisationKind;
use crate::refusal::Refusal;
use crate::view::{self, OrganisationRow};

/// The list's address.
const LIST: &str = "/desk/organisations";

struct Row {
    organisation: String,
    name: String,
    facts: Vec<(String, String)>,
    rename: Field,
}

#[derive(Template)]
#[template(path = "person/organisations.html")]
struct List {
    frame: Frame,
    rows: Vec<Row>,
    pager: Option<Pager>,
    errors: Vec<(String, String)>,
    name: Field,
    kind: Choice,
}

/// The form for a new organisation.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Body {
    #[serde(default)]
    name: String,
    #[serde(default)]
    kind: String,
}

fn kind_label(frame: &Frame, kind: OrganisationKind) -> String {
    frame.t(&format!("person-kind-{}", kind.word().replace('_', "-")))
}

fn row(frame: &Frame, index: usize, it: &OrganisationRow) -> Row {
    let id = it.organisation.to_string();
    // Several forms on one page: each field needs an id of its own, which the handler ignores.
    let rename = Field::text(&format!("name-{index}"), frame.t("person-organisation-rename"));
    Row {
        name: it.name.clone(),
        facts: vec![
            (frame.t("person-kind"), kind_label(frame, it.kind)),
            (frame.t("person-id"), id.clone()),
            (frame.t("person-since"), frame.minute(&it.opened_at)),
        ],
        organisation: id,
        rename: Field { maxlength: Some(80), ..rename }.with(&it.name),
    }
}

fn page(
    frame: Frame,
    rows: &[OrganisationRow],
    pager: Option<Pager>,
    body: &Body,
    errors: Errors,
) -> List {
    let option = |it: OrganisationKind| Opt::new(it.word(), kind_label(&frame, it), &body.kind);
    let name = Field::text("name", frame.t("person-organisation-name"));
    List {
        rows: rows.iter().enumerate().map(|(index, it)| row(&frame, index, it)).collect(),
        pager,
        name: Field { maxlength: Some(80), autocomplete: Some("off"), ..name }
            .with(&body.name)
            .error(errors.of("name")),
        kind: Choice {
            name: "kind".to_owned(),
            label: frame.t("person-kind"),
            options: OrganisationKind::ALL.into_iter().map(option).collect(),
            required: true,
            error: errors.of("kind"),
            ..Choice::default()
        },
        errors: errors.0,
        frame,
    }
}

async fn loaded_page(
    app: &App,
    actor: &Actor,
    from: &From<Organisation>,
    body: &Body,
    errors: Errors,
) -> Result<List, Problem> {
    let load =
        |reader: &mut Reader<'_>, after, limit| view::all_organisations(reader, after, limit);
    let (rows, pager) = paged(app, LIST, from, load, |it| it.organisation).await?;
    let frame = Frame::new(app, actor, "person-desk-organisations");
    Ok(page(frame, &rows, pager, body, errors))
}

/// GET /desk/organisations
pub(crate) async fn list(
    State(app): State<App>,
    actor: Actor,
    Query(from): Query<From<Organisation>>,
) -> Result<Response, Problem> {
    actor.need(Role::Administrator, &[])?;
    let page = loaded_page(&app, &actor, &from, &Body::default(), Errors::default()).await?;
    Ok(Page(page).into_response())
}

/// POST /desk/organisations
pub(crate) async fn open(
    State(app): State<App>,
    actor: Actor,
    Form(body): Form<Body>,
) -> Result<Response, Problem> {
    let by = actor.need(Role::Administrator, &[])?;
    let kind = OrganisationKind::from_word(&body.kind).ok_or_else(Problem::form_invalid)?;
    let context = actor.context();
    let (id, name) = (made_id(&app, &context), body.name.clone());
    let answer =
        app.write(move |tx| door::open_organisation(tx, &context, id, &name, kind, by)).await?;
    match answer {
        Ok(_) => Ok(See::other(LIST).notice("person-organisation-opened").into_response()),
        Err(refusal) => {
            let field = field_of(refusal).ok_or_else(|| refused(refusal))?;
            let frame = Frame::new(&app, &actor, "person-desk-organisations");
            let errors = Errors::one(&frame, field, refusal);
            Ok(unprocessable(loaded_page(&app, &actor, &From::default(), &body, errors).await?))
        }
    }
}

/// POST /desk/organisations/{organisation}/name
pub(crate) async fn rename(
    State(app): State<App>,
    actor: Actor,
    Path(organisation): Path<Id<Organisation>>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<See, Problem> {
    let name = fields.into_iter().find(|(name, _)| name.starts_with("name"));
    let (_, name) = name.ok_or_else(Problem::form_invalid)?;
    administer(&app, &actor, LIST.to_owned(), "person-saved", move |tx, context, by| {
        door::rename_organisation(tx, context, organisation, &name, by)
    })
    .await
}

/// POST /desk/organisations/{organisation}/close: the roles in it and in its places end.
pub(crate) async fn close(
    State(app): State<App>,
    actor: Actor,
    Path(organisation): Path<Id<Organisation>>,
    Form(_): Form<Nothing>,
) -> Result<See, Problem> {
    let mut places = app.read(app.questions.places).await?;
    places.retain(|it| it.organisation == organisation);
    let places: Vec<_> = places.into_iter().map(|it| it.place).collect();
    let notice = "person-organisation-closed-now";
    administer(&app, &actor, LIST.to_owned(), notice, move |tx, context, by| {
        door::close_organisation(tx, context, organisation, &places, by)
    })
    .await
}

pub(super) fn sample(locale: Locale) -> Result<String, askama::Error> {
    let frame = sample_frame(locale);
    let organisation = |number: u128| OrganisationRow {
        organisation: Id::from_u128(number),
        name: "해태시립도서관".to_owned(),
        kind: OrganisationKind::PublicOffice,
        opened_at: Instant::from_seconds(1_770_000_000),
    };
    let errors = Errors::one(&frame, "name", Refusal::NameInvalid);
    let rows = [organisation(1), organisation(2)];
    page(frame, &rows, Some(Pager::default()), &Body::default(), errors).render()
}
