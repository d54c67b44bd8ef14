//! The city's own rules for passes: for everybody to read, for two officers to change.

#![allow(unused_qualifications, reason = "what the macros of utoipa expand to")]

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use contracts::person::{Role, Staff};
use http::{HeaderMap, StatusCode};
use kernel::{Arg, Id, Locale};
use rules::Invalid;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use web::{Actor, App, Json, Path, Problem, Texts, rule_text};

use super::{no, published};
use crate::city_rules::{RuleSet, RulesCommand, SHIPPED};
use crate::compare::{self, Example};
use crate::import::{self, Mistakes, Note};
use crate::judge::outcome_word;
use crate::model::Basis;
use crate::refusal::Refusal;
use crate::rulebook::{self, Published};
use crate::{door, view};

/// The member of staff, if a health officer for the whole region: who changes the rules of the health
/// code, too.
pub(crate) fn officer(actor: &Actor) -> Result<Id<Staff>, Problem> {
    actor.need(Role::HealthOfficer, &[])
}

/// A set that somebody brought.
#[derive(Debug, Serialize, ToSchema)]
struct SetView {
    set: String,
    name: String,
    /// Of what `/api/v1/passes/rules/{set}` answers.
    sha256: String,
    /// How many rules.
    rules: u64,
}

/// A proposal.
#[derive(Debug, Serialize, ToSchema)]
struct TurnView {
    set: String,
    /// Unix seconds.
    proposed_at: i64,
    /// `waiting`, `confirmed` or `rejected`.
    state: &'static str,
    /// Unix seconds.
    answered_at: Option<i64>,
}

/// Which rules the city judges passes by, and how they came.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RulesView {
    /// The set in force.
    in_force: String,
    /// The set that ships with the program: of nobody, and in force as long as there is no other.
    shipped: String,
    /// Every set that was brought, in that order.
    sets: Vec<SetView>,
    /// Every proposal, in that order.
    turns: Vec<TurnView>,
}

/// Which rules the city judges passes by, and how they came.
#[utoipa::path(get, path = "/api/v1/passes/rules", tag = "pass",
    responses((status = 200, body = RulesView)))]
pub(crate) async fn all(State(app): State<App>) -> Result<Json<RulesView>, Problem> {
    let book = app.read(view::city_rules).await?;
    let sets = book.sets.iter().map(|it| SetView {
        set: it.set.to_string(),
        name: it.name.clone(),
        sha256: it.sha256.clone(),
        rules: it.rules,
    });
    let turns = book.turns.iter().map(|it| TurnView {
        set: it.set.to_string(),
        proposed_at: it.proposed_at.seconds(),
        state: match it.answer {
            None => "waiting",
            Some(it) if it.confirmed => "confirmed",
            Some(_) => "rejected",
        },
        answered_at: it.answer.map(|it| it.at.seconds()),
    });
    Ok(Json(RulesView {
        in_force: book.in_force().to_string(),
        shipped: SHIPPED.to_string(),
        sets: sets.collect(),
        turns: turns.collect(),
    }))
}

/// A set of rules: `country`, `rules` as countries publish them, and `value_sets` where they read any. Not
/// of one that was rejected.
#[utoipa::path(get, path = "/api/v1/passes/rules/{set}", tag = "pass",
    params(("set" = String, Path, description = "The set's id")),
    responses((status = 200, content_type = "application/json", body = Object),
        (status = 404, description = "There is no such set")))]
pub(crate) async fn one(
    State(app): State<App>,
    Path(set): Path<Id<RuleSet>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let read = app.read(move |it| {
        let book = view::city_rules(it)?;
        rulebook::file(it, &book, set)
    });
    let file = read.await?.ok_or_else(|| no(Refusal::RuleSetUnknown))?;
    Ok(published(&headers, "application/json", file.text().into_bytes()))
}

/// A set of rules to be put in force.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProposeBody {
    /// Whose rules of when; public.
    name: String,
    /// One rule, or an array of rules, as published for the DCC.
    #[schema(value_type = Object)]
    rules: Value,
    /// Value sets that the rules read: full ones as published, an array of those, or id → codes.
    #[schema(value_type = Option<Object>)]
    value_sets: Option<Value>,
}

/// What was taken to wait for a second officer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProposedView {
    set: String,
    /// What is no mistake and worth knowing: `over`, `not_yet`, `part_only`, `undescribed`, `value_set_missing`.
    notes: Vec<FindingView>,
    /// The example passes that would get another verdict.
    changes: Vec<ChangeView>,
    /// How many examples there are.
    examples: usize,
}

/// Something about what was sent.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FindingView {
    /// JSON pointer into what was sent.
    pointer: String,
    /// A stable code.
    code: &'static str,
    /// In the reader's language.
    text: String,
    /// More about it, in English.
    message: Option<String>,
}

/// An example pass and its verdicts: `pass`, `no_pass` or `cannot_tell`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChangeView {
    /// In the reader's language.
    example: String,
    before: &'static str,
    after: &'static str,
}

/// An example pass in words.
fn example_text(texts: &Texts, locale: Locale, it: &Example) -> String {
    texts.format(locale, it.text, &it.args())
}

/// A remark about a rule in words, without its place.
fn note_text(texts: &Texts, locale: Locale, it: &Note) -> String {
    texts.format(locale, &it.text(), &[("about", Arg::Text(it.about.clone()))])
}

/// The refusal with every mistake at its place.
fn refused(app: &App, actor: &Actor, mistakes: Mistakes) -> Problem {
    let finding = |it: Invalid| FindingView {
        text: rule_text::mistake(&app.texts, actor.locale, &it),
        code: it.code.as_str(),
        pointer: it.pointer,
        message: Some(it.message),
    };
    let rules = mistakes.rules.into_iter().map(|it| it.within("/rules"));
    let sets = mistakes.value_sets.into_iter().map(|it| it.within("/value_sets"));
    let found: Vec<FindingView> = rules.chain(sets).map(finding).collect();
    no(Refusal::RulesInvalid).with_member("mistakes", json!(found))
}

/// Proposes a set of rules. Passes are judged by it once another officer has confirmed it. Refused with
/// `pass-rules-invalid`, each mistake is in `mistakes`: `pointer` into the body, `code`, `text`, `message`.
#[utoipa::path(post, path = "/api/v1/passes/rules", tag = "pass",
    request_body = ProposeBody, responses((status = 201, body = ProposedView)))]
pub(crate) async fn propose(
    State(app): State<App>,
    actor: Actor,
    Json(body): Json<ProposeBody>,
) -> Result<Response, Problem> {
    let (by, now) = (officer(&actor)?, app.now());
    let file = import::check(&body.rules, body.value_sets.as_ref());
    let file = file.map_err(|mistakes| refused(&app, &actor, mistakes))?;
    let after = Published::of(file.clone());
    let before = app.read(rulebook::in_force).await?;
    let (texts, locale) = (&app.texts, actor.locale);
    let note = |it: &Note| FindingView {
        pointer: format!("/rules{}", it.pointer),
        code: it.what.word(),
        text: note_text(texts, locale, it),
        message: None,
    };
    let notes = import::notes(&after, now).iter().map(note).collect();
    let before = before.published(Basis::City);
    let (differences, examples) =
        before.map(|it| compare::differences(it, &after, now)).unwrap_or_default();
    let change = |it: &compare::Difference| ChangeView {
        example: example_text(texts, locale, &it.example),
        before: outcome_word(it.before),
        after: outcome_word(it.after),
    };
    let changes = differences.iter().map(change).collect();
    let propose = door::Propose { set: app.random_id(), name: body.name, file, by };
    let context = actor.context();
    let done = app.write(move |tx| door::propose_rules(tx, &context, &propose)).await?;
    let set = done.map_err(no)?.to_string();
    Ok((StatusCode::CREATED, Json(ProposedView { set, notes, changes, examples })).into_response())
}

/// What is to become of a set.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RulesVerdict {
    /// Propose a set again that was in force, or the one that ships.
    Propose,
    /// Agree to it, as a second officer.
    Confirm,
    /// Say no to it, or take one's own proposal back.
    Reject,
}

impl RulesVerdict {
    pub(crate) fn command(self, set: Id<RuleSet>, by: Id<Staff>) -> RulesCommand {
        match self {
            Self::Propose => RulesCommand::Return { set, by },
            Self::Confirm => RulesCommand::Confirm { set, by },
            Self::Reject => RulesCommand::Reject { set, by },
        }
    }
}

/// A decision on a set of rules.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DecideBody {
    verdict: RulesVerdict,
}

/// Confirms or rejects the set that waits, or proposes one again that was in force.
#[utoipa::path(post, path = "/api/v1/passes/rules/{set}", tag = "pass",
    params(("set" = String, Path, description = "The set's id")),
    request_body = DecideBody, responses((status = 204)))]
pub(crate) async fn decide(
    State(app): State<App>,
    actor: Actor,
    Path(set): Path<Id<RuleSet>>,
    Json(body): Json<DecideBody>,
) -> Result<StatusCode, Problem> {
    let command = body.verdict.command(set, officer(&actor)?);
    let context = actor.context();
    let done = app.write(move |tx| door::decide_rules(tx, &context, command.clone())).await?;
    done.map_err(no)?;
    Ok(StatusCode::NO_CONTENT)
}
