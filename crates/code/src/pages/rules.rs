//! The rules, for everybody: in plain words, as CertLogic, with every version; and the officers' page
//! to change them.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use kernel::Locale;
use serde::Deserialize;
use web::ui::Field;
use web::{Actor, App, Form, Frame, Page, Problem, See, rule_text, sample_frame, unprocessable};

use super::{Voice, colour_key, reason};
use crate::api::set_policy;
use crate::event::PolicyEvent;
use crate::policy::Policy;
use crate::view;

struct Row {
    colour: &'static str,
    word: String,
    text: String,
    code: String,
    logic: String,
}

struct Version {
    at: String,
    text: String,
    seq: u64,
}

#[derive(Template)]
#[template(path = "code/rules.html")]
pub(crate) struct Rules {
    frame: Frame,
    version: String,
    rows: Vec<Row>,
    numbers: Vec<(String, String)>,
    versions: Vec<Version>,
}

fn page(frame: Frame, policy: &Policy, versions: Vec<(u64, PolicyEvent)>) -> Rules {
    let rules = policy.rules.as_deref();
    let rows = rules.map(::rules::RuleSet::rules).unwrap_or_default().iter().map(|it| {
        let word = it.outcome.get("colour").and_then(serde_json::Value::as_str).unwrap_or_default();
        let colour = contracts::code::Colour::from_word(word).unwrap_or_default();
        Row {
            colour: colour.word(),
            word: frame.t(colour_key(colour)),
            text: reason(&frame, Voice::Reader, policy, &it.code),
            code: it.code.clone(),
            logic: serde_json::to_string_pretty(it.logic.source()).unwrap_or_default(),
        }
    });
    let numbers = rules.and_then(|it| it.parameters().as_object()).into_iter().flatten();
    let numbers = numbers.map(|(name, value)| {
        let key = format!("code-number-{}", name.replace('_', "-"));
        let label = frame.t(&key);
        (if label == key { name.clone() } else { label }, value.to_string())
    });
    let version = |version: u32| frame.tn("code-rules-version", "version", &i64::from(version));
    let versions = versions.into_iter().map(|(seq, it)| match it {
        PolicyEvent::PolicyChanged { rule_set, why, at, .. } => {
            let text = format!("{}: {why}", version(rule_set.version()));
            Version { text, at: frame.minute(&at), seq }
        }
        PolicyEvent::PolicyReviewed { ended, at, .. } => {
            let ended = i64::try_from(ended).unwrap_or(i64::MAX);
            let text = frame.tn("code-rules-reviewed", "count", &ended);
            Version { text, at: frame.minute(&at), seq }
        }
    });
    Rules {
        version: version(policy.version()),
        rows: rows.collect(),
        numbers: numbers.collect(),
        versions: versions.collect(),
        frame,
    }
}

/// The rules in force and all versions.
pub(crate) async fn show(State(app): State<App>, actor: Actor) -> Result<Page<Rules>, Problem> {
    let (policy, versions) = app.read(|it| Ok((view::policy(it)?, view::policies(it)?))).await?;
    Ok(Page(page(Frame::new(&app, &actor, "code-rules-title"), &policy, versions)))
}

#[derive(Template)]
#[template(path = "code/rules_edit.html")]
pub(crate) struct Edit {
    frame: Frame,
    crumbs: Vec<(String, String)>,
    errors: Vec<(String, String)>,
    rules: Field,
    why: Field,
}

fn edit_page(frame: Frame, rules: &str, why: &str, mistake: Option<String>) -> Edit {
    let field = Field::text("rule_set", frame.t("code-rules-json"));
    Edit {
        crumbs: vec![("/desk".to_owned(), frame.t("code-crumb-desk"))],
        errors: mistake.iter().map(|it| ("rule_set".to_owned(), it.clone())).collect(),
        rules: field.with(rules).hint(frame.t("code-rules-json-hint")).error(mistake),
        why: Field::text("why", frame.t("code-rules-why")).with(why),
        frame,
    }
}

/// The present rules with the next version number, to be changed.
pub(crate) async fn edit(State(app): State<App>, actor: Actor) -> Result<Page<Edit>, Problem> {
    let policy = app.read(view::policy).await?;
    let frame = Frame::new(&app, &actor, "code-rules-edit-title");
    Ok(Page(edit_page(frame, &next(&policy), "", None)))
}

fn next(policy: &Policy) -> String {
    let rules = policy.rules.as_deref().and_then(|it| serde_json::to_value(it).ok());
    let mut rules = rules.unwrap_or_default();
    if let Some(fields) = rules.as_object_mut() {
        fields.insert("version".to_owned(), (policy.version() + 1).into());
    }
    serde_json::to_string_pretty(&rules).unwrap_or_default()
}

#[derive(Deserialize)]
pub(crate) struct EditForm {
    rule_set: String,
    why: String,
}

/// Changes the rules.
pub(crate) async fn change(
    State(app): State<App>,
    actor: Actor,
    Form(form): Form<EditForm>,
) -> Result<Response, Problem> {
    let invalid = || Problem::refused(&crate::refusal::Refusal::PolicyInvalid);
    let changed = match serde_json::from_str(&form.rule_set) {
        Ok(rule_set) => set_policy(&app, &actor, rule_set, form.why.clone()).await,
        Err(_) => Err(invalid()),
    };
    match changed {
        Ok(()) => Ok(See::other("/code/rules").notice("code-rules-changed").into_response()),
        Err(problem) if problem.code.starts_with("code-") => {
            // The engine knows where the mistake is; its author is told.
            let found =
                serde_json::from_str(&form.rule_set).map_err(|it| it.to_string()).and_then(|it| {
                    let place = |it: ::rules::Invalid| {
                        let said = rule_text::mistake(&app.texts, actor.locale, &it);
                        format!("{}: {said} ({})", it.pointer, it.message)
                    };
                    ::rules::RuleSet::parse(&it).map(|_| ()).map_err(place)
                });
            let text = app.texts.format(actor.locale, problem.code, &problem.args);
            let detail = found.err().map(|it| format!("{text} {it}")).unwrap_or(text);
            let frame = Frame::new(&app, &actor, "code-rules-edit-title");
            Ok(unprocessable(edit_page(frame, &form.rule_set, &form.why, Some(detail))))
        }
        Err(problem) => Err(problem),
    }
}

pub(crate) fn sample(locale: Locale) -> Result<String, askama::Error> {
    page(sample_frame(locale), &Policy::default(), Vec::new()).render()
}

pub(crate) fn sample_edit(locale: Locale) -> Result<String, askama::Error> {
    edit_page(sample_frame(locale), &next(&Policy::default()), "", None).render()
}
