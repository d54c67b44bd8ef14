//! Putting a pass in: a picture of it, or its text. Read on the server, so that it works without a
//! script and without a camera of ours.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use credential::Check;
use kernel::Locale;
use web::ui::Field;
use web::{Actor, App, Frame, Page, Problem, See, Upload, sample_frame, unprocessable};

use super::refused;
use crate::decide::BASIS;
use crate::door::{self, Import};
use crate::refusal::Refusal;
use crate::{judge, parts, picture, rulebook, trust};

#[derive(Template)]
#[template(path = "pass/add.html")]
pub(crate) struct Add {
    frame: Frame,
    errors: Vec<(String, String)>,
    file: Field,
    text: Field,
}

fn page(frame: Frame, typed: &str, mistake: Option<&(&'static str, String)>) -> Add {
    let error = |name: &str| mistake.filter(|it| it.0 == name).map(|it| it.1.clone());
    let text = Field::text("text", frame.t("pass-add-text"))
        .hint(frame.t("pass-add-text-hint"))
        .with(typed)
        .error(error("text"))
        .optional();
    Add {
        errors: mistake.iter().map(|(name, text)| ((*name).to_owned(), text.clone())).collect(),
        file: Field::text("file", frame.t("pass-add-file"))
            .hint(frame.t("pass-add-file-hint"))
            .error(error("file")),
        text,
        frame,
    }
}

/// The form.
pub(crate) async fn show(State(app): State<App>, actor: Actor) -> Result<Page<Add>, Problem> {
    actor.person()?;
    Ok(Page(page(Frame::new(&app, &actor, "pass-add-title"), "", None)))
}

/// What was found in what was sent, or the field that it stands at with why not.
fn found(upload: &Upload) -> Result<Vec<Vec<String>>, (&'static str, Refusal)> {
    let mut texts: Vec<String> = Vec::new();
    for (_, file) in &upload.files {
        texts.extend(match picture::texts(file) {
            Ok(texts) => texts,
            // A file of text, as some issuers send it.
            Err(refusal) => {
                let text = std::str::from_utf8(file).map_err(|_| ("file", refusal))?;
                parts::lines(text)
            }
        });
    }
    let at = if upload.files.is_empty() { "text" } else { "file" };
    texts.extend(parts::lines(upload.text("text")));
    parts::passes(texts).map_err(|refusal| (at, refusal))
}

/// Puts in what was sent.
pub(crate) async fn submit(
    State(app): State<App>,
    actor: Actor,
    upload: Upload,
) -> Result<Response, Problem> {
    let person = actor.person()?;
    let typed = upload.text("text").to_owned();
    let field = if upload.files.is_empty() { "text" } else { "file" };
    let (inside, now, by_helper) = (app.clone(), app.now(), actor.acting_for.is_some());
    let read = app.read(move |reader| {
        let passes = match found(&upload) {
            Ok(passes) => passes,
            Err(mistake) => return Ok(Err(mistake)),
        };
        let sets = rulebook::in_force(reader)?;
        let mut imports = Vec::new();
        for texts in passes {
            let trust = trust::of(&inside, reader, &texts, now)?;
            let judged = judge::judge(&texts, &trust, &sets, now);
            if judged.verdict.checks.decode == Check::Failed {
                return Ok(Err((field, Refusal::Damaged)));
            }
            let ends_at = judged.ending(BASIS).at();
            let card = inside.random_id();
            imports.push(Import { card, texts, by_helper, basis: BASIS, ends_at });
        }
        Ok(Ok(imports))
    });
    let imports = match read.await? {
        Ok(imports) => imports,
        Err((field, refusal)) => return Ok(again(&app, &actor, &typed, field, &refusal)),
    };
    let one = imports.first().filter(|_| imports.len() == 1).map(|it| it.card);
    let contexts: Vec<_> =
        (0..imports.len()).map(|it| actor.context_for(&it.to_string())).collect();
    let write = app.write(move |tx| {
        let mut repeated = false;
        for (it, context) in imports.iter().zip(&contexts) {
            match door::import(tx, context, person, it)? {
                Ok(ran) => repeated |= ran.repeated,
                // Of several, those that are there already are no reason to leave out the others.
                Err(Refusal::AlreadyHeld) if imports.len() > 1 => {}
                Err(refusal) => return Ok(Err(refusal)),
            }
        }
        Ok(Ok(repeated))
    });
    match write.await? {
        Ok(repeated) => {
            let to = one.filter(|_| !repeated);
            let to = to.map_or_else(|| "/passes".to_owned(), |card| format!("/passes/{card}"));
            Ok(See::other(to).notice("pass-added").into_response())
        }
        Err(refusal) => Ok(again(&app, &actor, &typed, field, &refusal)),
    }
}

fn again(
    app: &App,
    actor: &Actor,
    typed: &str,
    field: &'static str,
    refusal: &Refusal,
) -> Response {
    let frame = Frame::new(app, actor, "pass-add-title");
    unprocessable(page(frame, typed, Some(&(field, refused(app, actor, refusal)))))
}

pub(crate) fn sample(locale: Locale) -> Result<String, askama::Error> {
    page(sample_frame(locale), "", None).render()
}

pub(crate) fn sample_mistake(locale: Locale) -> Result<String, askama::Error> {
    let frame = sample_frame(locale);
    let text = frame.t("pass-unreadable");
    page(frame, "", Some(&("file", text))).render()
}
