//! Opening a place.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use contracts::gate::Place as PlaceId;
use contracts::person::Organisation;
use credential::ShortCode;
use kernel::{Id, Locale};
use serde::Deserialize;
use web::ui::{Check, Choice, Field, Opt};
use web::{Access, Actor, App, Form, Frame, Page, Problem, Route, Sample, See, unprocessable};

use crate::command::PlaceCommand;
use crate::decide::NAME_MAX;
use crate::model::{Place, PlaceKind};
use crate::rights;

pub(super) fn routes() -> Vec<Route> {
    let runs = Access::Staff(rights::RUNS_PLACES);
    vec![Route::get("/desk/places/open", show, runs), Route::post("/desk/places/open", open, runs)]
}

#[derive(Template)]
#[template(path = "gate/open.html")]
struct Open {
    frame: Frame,
    crumbs: Vec<(String, String)>,
    errors: Vec<(String, String)>,
    name: Field,
    kind: Choice,
    /// For whoever runs the places of one or several organisations.
    organisations: Option<Choice>,
    /// For whoever runs the whole region's.
    organisation: Option<Field>,
    sensitive: Check,
}

/// The form as it came in, or empty.
#[derive(Debug, Default, Deserialize)]
struct OpenForm {
    #[serde(default)]
    name: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    organisation: String,
    #[serde(default)]
    sensitive: Option<String>,
}

fn page(
    frame: Frame,
    form: &OpenForm,
    own: &[(Id<Organisation>, String)],
    name_error: Option<String>,
    organisation_error: Option<String>,
) -> Open {
    let mut errors = Vec::new();
    for (name, error) in [("name", &name_error), ("organisation", &organisation_error)] {
        errors.extend(error.clone().map(|it| (name.to_owned(), it)));
    }
    let name = Field::text("name", frame.t("gate-open-name"))
        .hint(frame.t("gate-open-name-hint"))
        .with(&form.name)
        .error(name_error);
    let name = Field { maxlength: u32::try_from(NAME_MAX).ok(), autocomplete: Some("off"), ..name };
    let kind = Choice {
        name: "kind".to_owned(),
        label: frame.t("gate-open-kind"),
        required: true,
        options: PlaceKind::ALL
            .iter()
            .map(|it| Opt::new(it.word(), frame.t(it.text_key()), &form.kind))
            .collect(),
        ..Choice::default()
    };
    let label = frame.t("gate-open-organisation");
    let (organisations, organisation) = if own.is_empty() {
        let field = Field::text("organisation", label)
            .hint(frame.t("gate-open-organisation-hint"))
            .with(&form.organisation)
            .error(organisation_error);
        (None, Some(Field { maxlength: Some(40), autocomplete: Some("off"), ..field }))
    } else {
        let option = |(id, name): &(Id<Organisation>, String)| {
            Opt::new(&id.to_string(), name.clone(), &form.organisation)
        };
        let choice = Choice {
            name: "organisation".to_owned(),
            label,
            error: organisation_error,
            required: true,
            options: own.iter().map(option).collect(),
            ..Choice::default()
        };
        (Some(choice), None)
    };
    let sensitive = Check {
        name: "sensitive".to_owned(),
        label: frame.t("gate-open-sensitive"),
        hint: Some(frame.t("gate-open-sensitive-hint")),
        value: "yes".to_owned(),
        checked: form.sensitive.is_some(),
        ..Check::default()
    };
    let crumbs = vec![
        ("/desk".to_owned(), frame.t("gate-crumb-desk")),
        ("/desk/places".to_owned(), frame.t("gate-places-title")),
    ];
    Open { frame, crumbs, errors, name, kind, organisations, organisation, sensitive }
}

/// The organisations to choose from, with their names: one's own, or the region's.
async fn choices(app: &App, actor: &Actor) -> Result<Vec<(Id<Organisation>, String)>, Problem> {
    let organisations = app.questions.organisations;
    let mut all = app.read(organisations).await?;
    all.retain(|(id, _)| rights::may_open(actor, *id));
    Ok(all)
}

async fn show(State(app): State<App>, actor: Actor) -> Result<Page<Open>, Problem> {
    let own = choices(&app, &actor).await?;
    if own.is_empty() && !rights::runs_region(&actor) {
        // Whoever owns a single place cannot open another.
        return Err(Problem::forbidden());
    }
    let form = OpenForm {
        organisation: own.first().map(|(id, _)| id.to_string()).unwrap_or_default(),
        ..OpenForm::default()
    };
    Ok(Page(page(Frame::new(&app, &actor, "gate-open-title"), &form, &own, None, None)))
}

async fn open(
    State(app): State<App>,
    actor: Actor,
    Form(form): Form<OpenForm>,
) -> Result<Response, Problem> {
    let own = choices(&app, &actor).await?;
    let again = |name: Option<String>, organisation: Option<String>| {
        let frame = Frame::new(&app, &actor, "gate-open-title");
        unprocessable(page(frame, &form, &own, name, organisation))
    };
    let Ok(organisation) = form.organisation.trim().parse::<Id<Organisation>>() else {
        let text = app.texts.get(actor.locale, "gate-open-organisation-wrong");
        return Ok(again(None, Some(text)));
    };
    if !rights::may_open(&actor, organisation) {
        return Err(Problem::forbidden());
    }
    let place: Id<PlaceId> = app.random_id();
    let command = PlaceCommand::Open {
        name: form.name.clone(),
        organisation,
        kind: PlaceKind::from_word(&form.kind).unwrap_or(PlaceKind::Other),
        sensitive: form.sensitive.is_some(),
        code: ShortCode::from_bits(u64::from_be_bytes(app.seed().bytes())),
    };
    // A repeated submission is the same command: it opened its place the first time.
    let context = actor.context();
    let place = context.command.map_or(place, Id::from_u128);
    match app.execute::<Place>(context, place, command).await {
        Ok(_) => Ok(See::other(format!("/desk/places/{place}"))
            .notice("gate-done-opened")
            .into_response()),
        Err(problem) if problem.code == "gate-name-invalid" => {
            Ok(again(Some(app.texts.format(actor.locale, problem.code, &problem.args)), None))
        }
        Err(problem) => Err(problem),
    }
}

pub(super) fn samples() -> Vec<Sample> {
    fn sample(locale: Locale, own: &[u128], wrong: bool) -> askama::Result<String> {
        let frame = web::sample_frame(locale);
        let error = wrong.then(|| frame.t("gate-open-organisation-wrong"));
        let form = OpenForm { kind: "shop".to_owned(), ..OpenForm::default() };
        let name = |it: &u128| (Id::from_u128(*it), format!("학원 연합 {it}"));
        let own: Vec<_> = own.iter().map(name).collect();
        page(frame, &form, &own, None, error).render()
    }
    vec![
        Sample { name: "gate/open", render: |it| sample(it, &[1, 2], false) },
        Sample { name: "gate/open-wrong", render: |it| sample(it, &[], true) },
    ]
}
