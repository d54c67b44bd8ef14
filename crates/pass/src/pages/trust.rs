//! Whom the region believes: files of keys and of revocations, read in by one officer and agreed to by
//! another.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contracts::person::{Role, Staff};
use kernel::{Arg, Id, Instant, Locale};
use serde::Deserialize;
use web::form::Empty;
use web::ui::Field;
use web::{Actor, App, Form, Frame, Page, Path, Problem, See, Upload, sample_frame, unprocessable};

use super::refused;
use crate::command::SourceCommand;
use crate::door::{self, Offer};
use crate::model::{SourceId, SourceKind, SourcePhase};
use crate::refusal::Refusal;
use crate::trust;
use crate::view::{self, SourceRow};

/// One source.
struct Line {
    name: String,
    facts: Vec<(String, String)>,
    action: String,
    /// Whether this officer may confirm it.
    own: bool,
}

#[derive(Template)]
#[template(path = "pass/trust.html")]
pub(crate) struct Trust {
    frame: Frame,
    crumbs: Vec<(String, String)>,
    waiting: Vec<Line>,
    in_force: Vec<Line>,
    past: Vec<Line>,
    errors: Vec<(String, String)>,
    name: Field,
    file: Field,
    why: Field,
}

/// What an officer sees of a source: since when it counts, so that an old list is seen to be old.
fn line(frame: &Frame, it: &SourceRow, me: Option<Id<Staff>>, now: Instant) -> Line {
    let kind = match it.kind {
        SourceKind::Keys => "pass-source-keys",
        SourceKind::Revocations => "pass-source-revocations",
    };
    let age = now.seconds_since(it.offered_at).div_euclid(86_400);
    let args = [("n", Arg::Number(it.items)), ("kind", Arg::Text(frame.t(kind)))];
    let mut facts = vec![
        (frame.t("pass-source-holds"), frame.tf("pass-source-count", &args)),
        (frame.t("pass-source-read"), frame.minute(&it.offered_at)),
        (frame.t("pass-source-age"), frame.tn("pass-source-days", "days", &age)),
        (frame.t("pass-source-hash"), it.sha256.chars().take(16).collect()),
    ];
    if !matches!(it.phase, SourcePhase::Offered | SourcePhase::Confirmed) {
        let state = frame.t(&format!("pass-source-{}", it.phase.word()));
        facts.insert(0, (frame.t("pass-source-state"), state));
    }
    Line {
        name: it.name.clone(),
        facts,
        action: format!("/desk/passes/trust/{}", it.source),
        own: Some(it.offered_by) == me,
    }
}

type Mistake = Option<(&'static str, String)>;

fn page(
    frame: Frame,
    rows: &[SourceRow],
    me: Option<Id<Staff>>,
    now: Instant,
    (typed, mistake): (&str, Mistake),
) -> Trust {
    let lines = |wanted: &[SourcePhase]| -> Vec<Line> {
        let rows = rows.iter().filter(|it| wanted.contains(&it.phase));
        rows.map(|it| line(&frame, it, me, now)).collect()
    };
    let error = |name: &str| mistake.as_ref().filter(|it| it.0 == name).map(|it| it.1.clone());
    let name = Field::text("name", frame.t("pass-trust-name"))
        .hint(frame.t("pass-trust-name-hint"))
        .with(typed)
        .error(error("name"));
    Trust {
        crumbs: vec![("/desk".to_owned(), frame.t("pass-crumb-desk"))],
        waiting: lines(&[SourcePhase::Offered]),
        in_force: lines(&[SourcePhase::Confirmed]),
        past: lines(&[SourcePhase::Declined, SourcePhase::Withdrawn]),
        errors: mistake.iter().map(|(name, text)| ((*name).to_owned(), text.clone())).collect(),
        file: Field::text("file", frame.t("pass-trust-file"))
            .hint(frame.t("pass-trust-file-hint"))
            .error(error("file")),
        name: Field { maxlength: Some(80), ..name },
        why: Field { maxlength: Some(300), ..Field::text("why", frame.t("pass-trust-why")) },
        frame,
    }
}

/// Only an administrator of the whole region decides whom the region believes.
fn of_region(actor: &Actor) -> Result<Id<Staff>, Problem> {
    actor.need(Role::Administrator, &[])
}

async fn shown(app: &App, actor: &Actor, typed: (&str, Mistake)) -> Result<Trust, Problem> {
    let me = of_region(actor)?;
    let rows = app.read(view::sources).await?;
    let frame = Frame::new(app, actor, "pass-trust-title");
    Ok(page(frame, &rows, Some(me), app.now(), typed))
}

/// The sources.
pub(crate) async fn show(State(app): State<App>, actor: Actor) -> Result<Page<Trust>, Problem> {
    Ok(Page(shown(&app, &actor, ("", None)).await?))
}

/// Reads a file in, to wait for a second officer.
pub(crate) async fn offer(
    State(app): State<App>,
    actor: Actor,
    upload: Upload,
) -> Result<Response, Problem> {
    let by = of_region(&actor)?;
    let name = upload.text("name").to_owned();
    let file = upload.files.into_iter().next().map(|(_, file)| file).unwrap_or_default();
    // Thousands of certificates are read off the async threads.
    let read = app.read(move |_| Ok(trust::recognise(&file).map(|found| (found, file)))).await?;
    let (found, file) = match read {
        Ok(read) => read,
        Err(refusal) => return again(&app, &actor, &name, "file", &refusal).await,
    };
    let offer = Offer {
        source: app.random_id(),
        name: name.clone(),
        kind: found.kind,
        sha256: found.sha256,
        items: found.items,
        data: STANDARD.encode(&file),
        by,
    };
    let context = actor.context();
    match app.write(move |tx| door::offer(tx, &context, &offer)).await? {
        Ok(()) => Ok(See::other("/desk/passes/trust").notice("pass-trust-offered").into_response()),
        Err(refusal) => {
            let field = if refusal == Refusal::NameInvalid { "name" } else { "file" };
            again(&app, &actor, &name, field, &refusal).await
        }
    }
}

async fn again(
    app: &App,
    actor: &Actor,
    name: &str,
    field: &'static str,
    refusal: &Refusal,
) -> Result<Response, Problem> {
    let mistake = Some((field, refused(app, actor, refusal)));
    Ok(unprocessable(shown(app, actor, (name, mistake)).await?))
}

async fn run(
    app: &App,
    actor: &Actor,
    source: Id<SourceId>,
    command: SourceCommand,
    notice: &'static str,
) -> Result<See, Problem> {
    let context = actor.context();
    let write =
        app.write(move |tx| door::decide_source(tx, &context, source, command.clone())).await?;
    write.map_err(|refusal| Problem::refused(&refusal))?;
    Ok(See::other("/desk/passes/trust").notice(notice))
}

/// Agrees, as a second officer.
pub(crate) async fn confirm(
    State(app): State<App>,
    actor: Actor,
    Path(source): Path<Id<SourceId>>,
    Form(Empty {}): Form<Empty>,
) -> Result<See, Problem> {
    let by = of_region(&actor)?;
    run(&app, &actor, source, SourceCommand::Confirm { by }, "pass-trust-confirmed").await
}

/// Says no, or takes one's own offer back.
pub(crate) async fn decline(
    State(app): State<App>,
    actor: Actor,
    Path(source): Path<Id<SourceId>>,
    Form(Empty {}): Form<Empty>,
) -> Result<See, Problem> {
    let by = of_region(&actor)?;
    run(&app, &actor, source, SourceCommand::Decline { by }, "pass-trust-declined").await
}

#[derive(Deserialize)]
pub(crate) struct WithdrawForm {
    #[serde(default)]
    why: String,
}

/// Ends a source.
pub(crate) async fn withdraw(
    State(app): State<App>,
    actor: Actor,
    Path(source): Path<Id<SourceId>>,
    Form(form): Form<WithdrawForm>,
) -> Result<See, Problem> {
    let by = of_region(&actor)?;
    let command = SourceCommand::Withdraw { by, why: form.why };
    run(&app, &actor, source, command, "pass-trust-withdrawn").await
}

pub(crate) fn sample(locale: Locale) -> Result<String, askama::Error> {
    let now = Instant::from_seconds(1_795_316_400);
    let row = |number: u128, phase, kind| SourceRow {
        source: Id::from_u128(number),
        phase,
        kind,
        name: "Example signers".to_owned(),
        sha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".to_owned(),
        items: 412,
        offered_by: Id::from_u128(number),
        offered_at: now.plus_days(-3),
        decided_at: None,
    };
    let rows = [
        row(1, SourcePhase::Offered, SourceKind::Keys),
        row(2, SourcePhase::Offered, SourceKind::Revocations),
        row(3, SourcePhase::Confirmed, SourceKind::Keys),
        row(4, SourcePhase::Withdrawn, SourceKind::Keys),
    ];
    page(sample_frame(locale), &rows, Some(Id::from_u128(1)), now, ("", None)).render()
}

pub(crate) fn sample_empty(locale: Locale) -> Result<String, askama::Error> {
    let now = Instant::from_seconds(1_795_316_400);
    let mistake = Some(("file", sample_frame(locale).t("pass-source-invalid")));
    page(sample_frame(locale), &[], None, now, ("", mistake)).render()
}
