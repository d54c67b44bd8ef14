//! One pass: what it says, what was checked, until when it lasts under which rules.

use askama::Template;
use axum::extract::State;
use contracts::person::Person;
use credential::Outcome;
use credential::pass::{Checks, Format, Issuer, Kind, Note, Verdict};
use kernel::{Id, Instant, Locale};
use serde::Deserialize;
use store::{Fault, Reader};
use web::form::Empty;
use web::ui::{Choice, Opt};
use web::{Actor, App, Form, Frame, Page, Path, Problem, See, sample_frame};

use super::{
    basis_text, colour, ending_text, facts, format_text, holder_text, issued, issuer_text,
    kind_text, note_text, outcome_text, reason_text, soon,
};
use crate::command::WalletCommand;
use crate::judge::{self, Ending, Judged};
use crate::model::{Basis, Card, Held, Issues, Wallet};
use crate::refusal::Refusal;
use crate::rulebook::Sets;
use crate::said::{Entry, Holder, Said, Word};
use crate::{decide, rulebook, trust, view};

/// One thing that the pass says.
struct Section {
    title: String,
    facts: Vec<(String, String)>,
}

/// An end by one set of rules, with why not where they say no.
struct End {
    basis: String,
    text: String,
    why: Vec<String>,
}

#[derive(Template)]
#[template(path = "pass/card.html")]
pub(crate) struct Show {
    frame: Frame,
    crumbs: Vec<(String, String)>,
    path: String,
    title: String,
    colour: &'static str,
    word: String,
    /// What the outcome means for the person.
    meaning: String,
    reasons: Vec<String>,
    /// What does not change the outcome.
    notes: Vec<String>,
    soon: Option<String>,
    whose: Vec<(String, String)>,
    sections: Vec<Section>,
    ends: Vec<End>,
    basis: Choice,
    checks: Vec<(String, String)>,
    removed: bool,
    /// Empty for passes of others.
    issued: Vec<(String, String)>,
    /// Whether it is worth showing to anybody as it is.
    quiet: bool,
    /// Whether a phone can show it as a compact code.
    bindable: bool,
}

/// A pass of a person with its texts, judged now; nothing when it is not theirs.
pub(crate) fn find(
    app: &App,
    reader: &mut Reader<'_>,
    person: Id<Person>,
    card: Id<Card>,
    now: Instant,
) -> Result<Option<(Held, Vec<String>, Judged)>, Fault> {
    let wallet = view::wallet(reader, person)?;
    let is_over = |it: &Held| it.removed_at.is_some_and(|at| decide::is_over(at, now));
    let Some(held) = wallet.card(card).filter(|it| !is_over(it)).cloned() else {
        return Ok(None);
    };
    let texts = view::content(reader, card)?.texts;
    let trust = trust::of(app, reader, &texts, now)?;
    let judged = judge::judge(&texts, &trust, &rulebook::in_force(reader)?, now);
    Ok(Some((held, texts, judged)))
}

/// When an organisation here issued it, and why it is not good where that was said.
fn issued_here(frame: &Frame, issues: &Issues, card: Id<Card>) -> Vec<(String, String)> {
    let Some(it) = issues.pass(card) else { return Vec::new() };
    let mut facts = vec![(frame.t("pass-issued-at"), frame.minute(&it.issued_at))];
    if let Some(why) = issued::why_text(frame, it) {
        let standing = frame.t(&format!("pass-standing-{}", it.standing.word()));
        facts.push((standing, why));
    }
    facts
}

/// What a pass says of one thing, each with its title.
fn sections(frame: &Frame, judged: &Judged) -> Vec<Section> {
    let entries = judged.said.iter().flat_map(|it| &it.entries);
    let section = |it: &Entry| Section {
        title: kind_text(frame, Some(it.kind), judged.verdict.format),
        facts: facts(frame, it),
    };
    entries.map(section).collect()
}

/// Whose it is, by whom, and of which kind.
pub(super) fn whose(frame: &Frame, judged: &Judged) -> Vec<(String, String)> {
    let holder = judged.said.as_ref().and_then(|it| it.holder.as_ref());
    let mut whose = vec![(frame.t("pass-whose-name"), holder_text(frame, judged))];
    if let Some(latin) = holder.and_then(|it| it.latin.clone()) {
        whose.push((frame.t("pass-whose-latin"), latin));
    }
    if let Some(birth) = holder.and_then(|it| it.birth.clone()) {
        whose.push((frame.t("pass-whose-birth"), birth));
    }
    whose.push((frame.t("pass-whose-issuer"), issuer_text(frame, judged)));
    whose.push((frame.t("pass-whose-format"), format_text(frame, judged.verdict.format)));
    whose
}

fn checks(frame: &Frame, checks: Checks) -> Vec<(String, String)> {
    let steps = [
        ("decode", checks.decode),
        ("signature", checks.signature),
        ("trust", checks.trust),
        ("usage", checks.usage),
        ("schema", checks.schema),
        ("time", checks.time),
        ("revocation", checks.revocation),
    ];
    let line = |(step, check)| {
        let word = judge::check_word(check);
        (frame.t(&format!("pass-step-{step}")), frame.t(&format!("pass-check-{word}")))
    };
    steps.map(line).into()
}

fn page(frame: Frame, held: &Held, judged: &Judged, issues: &Issues, now: Instant) -> Show {
    let verdict = &judged.verdict;
    // What a rule says, in its author's words; or the reason of the pass itself.
    let why = |basis, it: &String| match judged.description(basis, it, frame.lang()) {
        Some(said) => format!("{said} ({it})"),
        None => reason_text(&frame, it),
    };
    let end = |(basis, ending): &(Basis, Ending)| End {
        basis: basis_text(&frame, *basis),
        text: ending_text(&frame, ending),
        why: match ending {
            Ending::No(reasons) => reasons.iter().map(|it| why(*basis, it)).collect(),
            _ => Vec::new(),
        },
    };
    let option =
        |basis: &Basis| Opt::new(basis.word(), basis_text(&frame, *basis), held.basis.word());
    let basis = Choice {
        name: "basis".to_owned(),
        label: frame.t("pass-basis-label"),
        hint: Some(frame.t("pass-basis-hint")),
        options: Basis::ALL.iter().map(option).collect(),
        ..Choice::default()
    };
    let word = judge::outcome_word(verdict.outcome).replace('_', "-");
    Show {
        crumbs: vec![("/passes".to_owned(), frame.t("pass-title"))],
        path: format!("/passes/{}", held.card),
        title: kind_text(&frame, verdict.kind, verdict.format),
        colour: colour(verdict.outcome),
        word: outcome_text(&frame, verdict.outcome),
        meaning: frame.t(&format!("pass-meaning-{word}")),
        reasons: verdict.reasons.iter().map(|it| reason_text(&frame, &it.to_string())).collect(),
        notes: verdict.notes.iter().map(|it| note_text(&frame, *it)).collect(),
        soon: soon(&frame, held.ends_at, now),
        whose: whose(&frame, judged),
        sections: sections(&frame, judged),
        ends: judged.ends.iter().map(end).collect(),
        basis,
        checks: checks(&frame, verdict.checks),
        removed: held.removed_at.is_some(),
        issued: issued_here(&frame, issues, held.card),
        quiet: verdict.outcome != Outcome::Pass,
        bindable: verdict.outcome == Outcome::Pass && issues.pass(held.card).is_some(),
        frame,
    }
}

/// A pass of whoever asks, judged now, and what was issued to them here.
pub(super) async fn load(
    app: &App,
    actor: &Actor,
    card: Id<Card>,
    now: Instant,
) -> Result<(Held, Judged, Issues), Problem> {
    let (person, inside) = (actor.person()?, app.clone());
    let read = app.read(move |reader| {
        Ok((find(&inside, reader, person, card, now)?, view::issues(reader, person)?))
    });
    let (found, issues) = read.await?;
    let (held, _, judged) = found.ok_or_else(|| Problem::refused(&Refusal::CardUnknown))?;
    Ok((held, judged, issues))
}

/// One pass.
pub(crate) async fn show(
    State(app): State<App>,
    actor: Actor,
    Path(card): Path<Id<Card>>,
) -> Result<Page<Show>, Problem> {
    let now = app.now();
    let (held, judged, issues) = load(&app, &actor, card, now).await?;
    let frame = Frame::new(&app, &actor, "pass-card-title");
    Ok(Page(page(frame, &held, &judged, &issues, now)))
}

async fn run(app: &App, actor: &Actor, command: WalletCommand) -> Result<(), Problem> {
    app.execute::<Wallet>(actor.context(), actor.person()?, command).await.map(|_| ())
}

#[derive(Deserialize)]
pub(crate) struct BasisForm {
    #[serde(default)]
    basis: String,
}

/// Counts its end by the rules that were chosen.
pub(crate) async fn choose(
    State(app): State<App>,
    actor: Actor,
    Path(card): Path<Id<Card>>,
    Form(form): Form<BasisForm>,
) -> Result<See, Problem> {
    let basis = Basis::from_word(&form.basis);
    let basis = basis.ok_or_else(|| Problem::refused(&Refusal::RulesUnknown))?;
    let (person, now, inside) = (actor.person()?, app.now(), app.clone());
    let found = app.read(move |reader| find(&inside, reader, person, card, now)).await?;
    let (_, _, judged) = found.ok_or_else(|| Problem::refused(&Refusal::CardUnknown))?;
    let ends_at = judged.ending(basis).at();
    run(&app, &actor, WalletCommand::SetEnd { card, basis, ends_at }).await?;
    Ok(See::other(format!("/passes/{card}")).notice("pass-basis-set"))
}

/// Takes it out.
pub(crate) async fn remove(
    State(app): State<App>,
    actor: Actor,
    Path(card): Path<Id<Card>>,
    Form(Empty {}): Form<Empty>,
) -> Result<See, Problem> {
    run(&app, &actor, WalletCommand::Remove { card }).await?;
    Ok(See::other("/passes").notice("pass-removed"))
}

/// Brings it back.
pub(crate) async fn restore(
    State(app): State<App>,
    actor: Actor,
    Path(card): Path<Id<Card>>,
    Form(Empty {}): Form<Empty>,
) -> Result<See, Problem> {
    run(&app, &actor, WalletCommand::Restore { card }).await?;
    Ok(See::other("/passes").notice("pass-restored"))
}

/// An invented pass with what was found of it: of four kinds of outcome, by its number.
pub(crate) fn sample_seen(number: u128, now: Instant) -> (Held, Judged) {
    use credential::Check::{Failed, Ok, Skipped};
    use credential::pass::Reason;
    let ends_at = now.plus_days(11);
    let outcome = match number % 4 {
        2 => Outcome::CannotTell,
        3 => Outcome::NoPass,
        _ => Outcome::Pass,
    };
    let held = Held {
        card: Id::from_u128(number + 1),
        digest: String::new(),
        by_helper: false,
        basis: Basis::City,
        ends_at: (outcome == Outcome::Pass).then_some(ends_at),
        added_at: now,
        warned: None,
        removed_at: (number == 1).then_some(now),
    };
    let reasons = match outcome {
        Outcome::Pass => Vec::new(),
        Outcome::NoPass => vec![Reason::Expired.into()],
        Outcome::CannotTell => vec![Reason::IssuerUnknown.into()],
    };
    let known = outcome != Outcome::CannotTell;
    let checks = Checks {
        decode: Ok,
        signature: if known { Ok } else { Skipped },
        trust: if known { Ok } else { Failed },
        usage: if known { Ok } else { Skipped },
        schema: if known { Ok } else { Skipped },
        time: if outcome == Outcome::NoPass { Failed } else { Ok },
        revocation: Skipped,
        rules: Skipped,
    };
    let verdict = Verdict {
        format: if known { Format::Dcc } else { Format::Shc },
        outcome,
        checks,
        reasons,
        notes: if number == 0 { vec![Note::RevocationMissing] } else { Vec::new() },
        issuer: known.then(|| Issuer {
            name: "Example Health Agency".to_owned(),
            country: Some("XX".to_owned()),
        }),
        kind: known.then_some(Kind::Vaccination),
        shown: None,
        valid_from: None,
        valid_until: known.then(|| ends_at.seconds()),
    };
    let name = if number.is_multiple_of(3) { "홍길동" } else { "홍하늘" };
    let said = Said {
        holder: Some(Holder {
            name: name.to_owned(),
            latin: Some("HONG GILDONG".to_owned()),
            birth: Some("1980-05-05".to_owned()),
            parts: ["GILDONG".to_owned(), "HONG".to_owned()],
        }),
        entries: vec![Entry {
            kind: Kind::Vaccination,
            facts: vec![
                ("pass-said-date", Word::Text("2026-06-01".to_owned())),
                ("pass-said-dose", Word::Of(2, 2)),
                ("pass-said-disease", Word::Key("pass-said-covid")),
            ],
        }],
    };
    let city = match outcome {
        Outcome::Pass => Ending::Until(ends_at),
        Outcome::NoPass => Ending::No(vec!["expired".to_owned()]),
        Outcome::CannotTell => Ending::Unknown,
    };
    let ends =
        vec![(Basis::City, city), (Basis::Eu, Ending::From(ends_at)), (Basis::Own, Ending::Open)];
    (held, Judged { verdict, said: known.then_some(said), ends, sets: Sets::default() })
}

fn sample_of(locale: Locale, number: u128) -> Result<String, askama::Error> {
    let now = Instant::from_seconds(1_795_316_400);
    let (held, judged) = sample_seen(number, now);
    let issues = Issues { passes: issued::sample_pass(number, now).into_iter().collect() };
    page(sample_frame(locale), &held, &judged, &issues, now).render()
}

pub(crate) fn sample(locale: Locale) -> Result<String, askama::Error> {
    sample_of(locale, 0)
}

pub(crate) fn sample_cannot_tell(locale: Locale) -> Result<String, askama::Error> {
    sample_of(locale, 2)
}

pub(crate) fn sample_no_pass(locale: Locale) -> Result<String, askama::Error> {
    sample_of(locale, 3)
}
