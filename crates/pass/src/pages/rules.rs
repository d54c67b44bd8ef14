//! The city's own rules for passes: what is in force, what waits and what it would change, and the file of
//! an officer who brings another set.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use contracts::person::Staff;
use kernel::{Id, Instant, Locale, Refusal as _};
use rules::{CertificateType, Invalid, PassRule, RuleKind};
use serde::Deserialize;
use serde_json::Value;
use store::{Fault, Reader};
use web::ui::Field;
use web::{Actor, App, Form, Frame, Page, Path, Problem, See, Upload, sample_frame, unprocessable};

use super::{colour, outcome_text};
use crate::api::rules::{RulesVerdict, officer};
use crate::city_rules::{CityRules, RuleSet, SHIPPED, Turn};
use crate::compare::{self, Difference};
use crate::door;
use crate::event::RulesEvent;
use crate::import::{self, Mistakes, Note};
use crate::model::Basis;
use crate::refusal::Refusal;
use crate::rulebook::{self, Published, RuleFile, Sets};
use crate::view;

/// Proposals that the page lists.
const TURNS_SHOWN: usize = 30;

/// Rules in words: which passes each is for and its name; what it says and when.
type Rules = Vec<(String, String)>;

/// A verdict: colour of the shape, and word.
type Outcome = (&'static str, String);

/// An example that would get another verdict.
struct Change {
    example: String,
    before: Outcome,
    after: Outcome,
}

/// The set that waits.
struct Waiting {
    name: String,
    facts: Vec<(String, String)>,
    own: bool,
    action: String,
    file: String,
    changes: Vec<Change>,
    /// How many examples stay as they are.
    same: String,
    notes: Vec<(String, String)>,
    rules: Rules,
}

/// A set that can be gone back to.
struct Earlier {
    name: String,
    facts: Vec<(String, String)>,
    action: String,
}

/// A proposal that was answered.
struct Past {
    at: String,
    name: String,
    text: String,
}

#[derive(Template)]
#[template(path = "pass/rules.html")]
pub(crate) struct CityRulesPage {
    frame: Frame,
    crumbs: Vec<(String, String)>,
    waiting: Option<Waiting>,
    name: String,
    facts: Vec<(String, String)>,
    file: String,
    rules: Rules,
    earlier: Vec<Earlier>,
    past: Vec<Past>,
    errors: Vec<(String, String)>,
    mistakes: Vec<(String, String)>,
    fields: [Field; 3],
}

/// What the page is made of.
struct Seen {
    book: CityRules,
    city: Sets,
    waiting: Option<RuleFile>,
    staff: HashMap<u128, String>,
}

type Label = fn(&mut Reader<'_>, Id<Staff>) -> Result<Option<String>, Fault>;

fn seen(reader: &mut Reader<'_>, label: Label) -> Result<Seen, Fault> {
    let book = view::city_rules(reader)?;
    let city = rulebook::by(&book, reader)?;
    let set = book.waiting().map(|it| it.set);
    let waiting = set.map(|it| rulebook::file(reader, &book, it)).transpose()?.flatten();
    let mut staff = HashMap::new();
    for turn in &book.turns {
        for id in [Some(turn.proposed_by), turn.answer.map(|it| it.by)].into_iter().flatten() {
            if !staff.contains_key(&id.to_u128())
                && let Some(name) = label(reader, id)?
            {
                staff.insert(id.to_u128(), name);
            }
        }
    }
    Ok(Seen { book, city, waiting, staff })
}

/// What a form sent that was refused.
#[derive(Default)]
struct Sent {
    name: String,
    error: Option<(&'static str, Refusal)>,
    mistakes: Mistakes,
}

fn rules(frame: &Frame, published: &Published) -> Rules {
    let rule = |(source, it): (&Value, &PassRule)| {
        let about = match (it.kind, it.certificate) {
            (RuleKind::Invalidation, _) => "pass-rules-about-invalidation",
            (_, Some(CertificateType::Vaccination)) => "pass-kind-vaccination",
            (_, Some(CertificateType::Test)) => "pass-kind-test",
            (_, Some(CertificateType::Recovery)) => "pass-kind-recovery",
            _ => "pass-rules-about-all",
        };
        // With hyphens at which no line ends.
        let day = |name| {
            let day: String = import::text(source, name).chars().take(10).collect();
            day.replace('-', "\u{2011}")
        };
        let said = it.description(frame.lang()).unwrap_or_default();
        let term = format!("{} {}", frame.t(about), it.identifier);
        (term, format!("{said} ({} – {})", day("ValidFrom"), day("ValidTo")))
    };
    published.file().rules.iter().zip(published.rules()).map(rule).collect()
}

fn set_name(frame: &Frame, book: &CityRules, set: Id<RuleSet>) -> String {
    let brought = book.brought(set).map(|it| it.name.clone());
    brought.unwrap_or_else(|| frame.t("pass-rules-shipped"))
}

fn set_facts(frame: &Frame, book: &CityRules, set: Id<RuleSet>) -> Vec<(String, String)> {
    let Some(it) = book.brought(set) else { return Vec::new() };
    vec![
        (frame.t("pass-rules-count"), it.rules.to_string()),
        (frame.t("pass-source-hash"), it.sha256.chars().take(16).collect()),
    ]
}

fn who(frame: &Frame, seen: &Seen, id: Id<Staff>) -> String {
    let name = seen.staff.get(&id.to_u128()).cloned().unwrap_or_else(|| id.to_string());
    frame.t1("pass-rules-officer", "name", &name)
}

fn change(frame: &Frame, it: &Difference) -> Change {
    let outcome = |it| (colour(it), outcome_text(frame, it));
    Change {
        example: frame.tf(it.example.text, &it.example.args()),
        before: outcome(it.before),
        after: outcome(it.after),
    }
}

fn note(frame: &Frame, it: &Note) -> (String, String) {
    let moment = Instant::parse(&it.about).map(|at| frame.minute(&at));
    (it.rule.clone(), frame.t1(&it.text(), "about", &moment.unwrap_or_else(|| it.about.clone())))
}

fn waiting(frame: &Frame, seen: &Seen, turn: &Turn, me: Id<Staff>, now: Instant) -> Waiting {
    let after = Published::of(seen.waiting.clone().unwrap_or_default());
    let before = seen.city.published(Basis::City);
    let (differences, all) =
        before.map(|it| compare::differences(it, &after, now)).unwrap_or_default();
    let same = i64::try_from(all.saturating_sub(differences.len())).unwrap_or(i64::MAX);
    let mut facts = vec![
        (frame.t("pass-rules-asked-by"), who(frame, seen, turn.proposed_by)),
        (frame.t("pass-rules-asked-at"), frame.minute(&turn.proposed_at)),
    ];
    facts.extend(set_facts(frame, &seen.book, turn.set));
    Waiting {
        name: set_name(frame, &seen.book, turn.set),
        facts,
        own: turn.proposed_by == me,
        action: format!("/desk/passes/rules/{}", turn.set),
        file: format!("/api/v1/passes/rules/{}", turn.set),
        changes: differences.iter().map(|it| change(frame, it)).collect(),
        same: frame.tn("pass-rules-same", "count", &same),
        notes: import::notes(&after, now).iter().map(|it| note(frame, it)).collect(),
        rules: rules(frame, &after),
    }
}

/// What became of a proposal, in words.
fn answered(frame: &Frame, seen: &Seen, turn: &Turn) -> Option<Past> {
    let answer = turn.answer?;
    let key = match (answer.confirmed, answer.by == turn.proposed_by) {
        (true, _) => "pass-rules-was-confirmed",
        (false, true) => "pass-rules-was-taken-back",
        (false, false) => "pass-rules-was-rejected",
    };
    let asked = frame.t1("pass-rules-was-asked", "who", &who(frame, seen, turn.proposed_by));
    let said = frame.t1(key, "who", &who(frame, seen, answer.by));
    Some(Past {
        at: frame.minute(&answer.at),
        name: set_name(frame, &seen.book, turn.set),
        text: format!("{asked} {said}"),
    })
}

fn earlier(frame: &Frame, book: &CityRules) -> Vec<Earlier> {
    let sets = [SHIPPED].into_iter().chain(book.sets.iter().map(|it| it.set));
    let sets = sets.filter(|it| book.was_in_force(*it) && *it != book.in_force());
    let line = |set| Earlier {
        name: set_name(frame, book, set),
        facts: set_facts(frame, book, set),
        action: format!("/desk/passes/rules/{set}"),
    };
    let mut lines: Vec<Earlier> = sets.map(line).collect();
    lines.reverse();
    lines
}

/// A mistake as its place and what is wrong there.
fn mistake(frame: &Frame, of: &str, it: &Invalid) -> (String, String) {
    let at = if it.pointer.is_empty() { "/" } else { &it.pointer };
    (format!("{}: {at}", frame.t(of)), format!("{} ({})", frame.rule_mistake(it), it.message))
}

fn page(frame: Frame, seen: &Seen, me: Id<Staff>, now: Instant, sent: &Sent) -> CityRulesPage {
    let refused = |it: &Refusal| frame.tf(it.code(), &it.args());
    let error = sent.error.as_ref().map(|(field, it)| (*field, refused(it)));
    let book = &seen.book;
    let present = book.in_force();
    let mut facts = Vec::new();
    if let Some((turn, answer)) = book.present().and_then(|it| Some((it, it.answer?))) {
        facts.push((frame.t("pass-rules-since"), frame.minute(&answer.at)));
        facts.push((frame.t("pass-rules-asked-by"), who(&frame, seen, turn.proposed_by)));
        facts.push((frame.t("pass-rules-confirmed-by"), who(&frame, seen, answer.by)));
    }
    facts.extend(set_facts(&frame, book, present));
    let city = seen.city.published(Basis::City);
    let in_force = city.map(|it| rules(&frame, it)).unwrap_or_default();
    let field = |name: &str, hint: &str| {
        let error = error.as_ref().filter(|it| it.0 == name).map(|it| it.1.clone());
        let label = frame.t(&format!("pass-rules-field-{}", name.replace('_', "-")));
        Field::text(name, label).hint(frame.t(hint)).error(error)
    };
    let name = field("name", "pass-rules-hint-name").with(&sent.name);
    let fields = [
        Field { maxlength: Some(80), ..name },
        field("rules", "pass-rules-hint-rules"),
        field("value_sets", "pass-rules-hint-value-sets").optional(),
    ];
    let in_rules =
        sent.mistakes.rules.iter().map(|it| mistake(&frame, "pass-rules-field-rules", it));
    let in_sets = sent
        .mistakes
        .value_sets
        .iter()
        .map(|it| mistake(&frame, "pass-rules-field-value-sets", it));
    let past = book.turns.iter().rev().filter_map(|it| answered(&frame, seen, it));
    CityRulesPage {
        crumbs: vec![("/desk".to_owned(), frame.t("pass-crumb-desk"))],
        waiting: book.waiting().map(|it| waiting(&frame, seen, it, me, now)),
        name: set_name(&frame, book, present),
        facts,
        file: format!("/api/v1/passes/rules/{present}"),
        rules: in_force,
        earlier: earlier(&frame, book),
        past: past.take(TURNS_SHOWN).collect(),
        errors: error.iter().map(|(name, text)| ((*name).to_owned(), text.clone())).collect(),
        mistakes: in_rules.chain(in_sets).collect(),
        fields,
        frame,
    }
}

async fn shown(app: &App, actor: &Actor, sent: &Sent) -> Result<CityRulesPage, Problem> {
    let (me, label) = (officer(actor)?, app.questions.staff_label);
    let seen = app.read(move |it| seen(it, label)).await?;
    let frame = Frame::new(app, actor, "pass-rules-title");
    Ok(page(frame, &seen, me, app.now(), sent))
}

/// The rules.
pub(crate) async fn show(
    State(app): State<App>,
    actor: Actor,
) -> Result<Page<CityRulesPage>, Problem> {
    Ok(Page(shown(&app, &actor, &Sent::default()).await?))
}

/// What was sent in this field, as a file or as text.
fn part<'a>(upload: &'a Upload, name: &str) -> Option<&'a [u8]> {
    let file = upload.files.iter().find(|(of, _)| of == name).map(|(_, file)| file.as_slice());
    file.or_else(|| Some(upload.text(name).as_bytes())).filter(|it| !it.trim_ascii().is_empty())
}

/// The set that was sent, or what is wrong with it.
fn read(upload: &Upload) -> Result<RuleFile, Sent> {
    let sent = |error, mistakes| Sent { name: upload.text("name").to_owned(), error, mistakes };
    let json = |name: &'static str| {
        let read = part(upload, name).map(import::json).transpose();
        read.map_err(|refusal| sent(Some((name, refusal)), Mistakes::default()))
    };
    let (rules, value_sets) = (json("rules")?, json("value_sets")?);
    import::check(&rules.unwrap_or_default(), value_sets.as_ref()).map_err(|mistakes| {
        let field = if mistakes.rules.is_empty() { "value_sets" } else { "rules" };
        sent(Some((field, Refusal::RulesInvalid)), mistakes)
    })
}

/// Proposes a set, to wait for a second officer.
pub(crate) async fn propose(
    State(app): State<App>,
    actor: Actor,
    upload: Upload,
) -> Result<Response, Problem> {
    let by = officer(&actor)?;
    let file = match read(&upload) {
        Ok(file) => file,
        Err(sent) => return Ok(unprocessable(shown(&app, &actor, &sent).await?)),
    };
    let name = upload.text("name").to_owned();
    let propose = door::Propose { set: app.random_id(), name: name.clone(), file, by };
    let context = actor.context();
    match app.write(move |tx| door::propose_rules(tx, &context, &propose)).await? {
        Ok(_) => Ok(See::other("/desk/passes/rules").notice("pass-rules-proposed").into_response()),
        Err(refusal) => {
            let field = if refusal == Refusal::NameInvalid { "name" } else { "rules" };
            let error = Some((field, refusal));
            let sent = Sent { name, error, mistakes: Mistakes::default() };
            Ok(unprocessable(shown(&app, &actor, &sent).await?))
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct DecideForm {
    verdict: RulesVerdict,
}

/// Confirms or rejects the set that waits, or proposes one again that was in force.
pub(crate) async fn decide(
    State(app): State<App>,
    actor: Actor,
    Path(set): Path<Id<RuleSet>>,
    Form(form): Form<DecideForm>,
) -> Result<See, Problem> {
    let command = form.verdict.command(set, officer(&actor)?);
    let context = actor.context();
    let done = app.write(move |tx| door::decide_rules(tx, &context, command.clone())).await?;
    done.map_err(|refusal| Problem::refused(&refusal))?;
    Ok(See::other("/desk/passes/rules").notice(match form.verdict {
        RulesVerdict::Propose => "pass-rules-proposed",
        RulesVerdict::Confirm => "pass-rules-confirmed",
        RulesVerdict::Reject => "pass-rules-rejected",
    }))
}

/// The moment of the samples.
const SAMPLED: Instant = Instant::from_seconds(1_795_316_400);

/// A set that counts for longer and asks nothing of tests, and whose first rule is over.
fn sample_file() -> RuleFile {
    let text = rulebook::CITY_FILE.replace("180", "270");
    let mut rules: Vec<Value> = serde_json::from_str(&text).unwrap_or_default();
    rules.retain(|it| import::text(it, "CertificateType") != "Test");
    if let Some(rule) = rules.get_mut(0) {
        rule["ValidTo"] = Value::from("2026-06-01T00:00:00Z");
    }
    RuleFile { country: "KR".to_owned(), rules, value_sets: None }
}

fn sample_of(locale: Locale, events: &[RulesEvent], sent: &Sent) -> Result<String, askama::Error> {
    let book: CityRules = kernel::given(events);
    let staff = [(1, "보건담당 1"), (2, "보건담당 2")];
    let seen = Seen {
        waiting: book.waiting().map(|_| sample_file()),
        book,
        city: Sets::default(),
        staff: staff.map(|(id, name)| (id, name.to_owned())).into(),
    };
    page(sample_frame(locale), &seen, Id::from_u128(1), SAMPLED, sent).render()
}

fn sample_turn(set: u128, name: &str, by: u128) -> RulesEvent {
    RulesEvent::RulesProposed {
        set: Id::from_u128(set),
        name: name.to_owned(),
        sha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".to_owned(),
        rules: 3,
        proposed_by: Id::from_u128(by),
        at: SAMPLED.plus_days(-3),
    }
}

fn sample_confirmed(set: u128) -> RulesEvent {
    let (set, confirmed_by) = (Id::from_u128(set), Id::from_u128(1));
    RulesEvent::RulesConfirmed { set, confirmed_by, at: SAMPLED.plus_days(-2) }
}

pub(crate) fn sample(locale: Locale) -> Result<String, askama::Error> {
    let rejected = RulesEvent::RulesRejected {
        set: Id::from_u128(2),
        rejected_by: Id::from_u128(1),
        at: SAMPLED.plus_days(-1),
    };
    let events = [
        sample_turn(1, "Guidance of 12 January", 2),
        sample_confirmed(1),
        sample_turn(2, "Guidance of 13 January", 1),
        rejected,
    ];
    sample_of(locale, &events, &Sent::default())
}

pub(crate) fn sample_waiting(locale: Locale) -> Result<String, askama::Error> {
    sample_of(locale, &[sample_turn(1, "Guidance of 12 January", 2)], &Sent::default())
}

pub(crate) fn sample_own(locale: Locale) -> Result<String, askama::Error> {
    sample_of(locale, &[sample_turn(1, "Guidance of 12 January", 1)], &Sent::default())
}

pub(crate) fn sample_mistake(locale: Locale) -> Result<String, askama::Error> {
    let rules = serde_json::json!([{ "Identifier": "VR-KR-0001", "Logic": { "max": [1, 2] } }]);
    let mistakes = import::check(&rules, None).err().unwrap_or_default();
    let error = Some(("rules", Refusal::RulesInvalid));
    sample_of(locale, &[], &Sent { name: "Guidance".to_owned(), error, mistakes })
}
