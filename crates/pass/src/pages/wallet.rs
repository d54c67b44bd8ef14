//! The wallet: the passes of a person and of their family, by whose they are.

use askama::Template;
use axum::extract::State;
use contracts::person::Person;
use kernel::{Id, Instant, Locale};
use store::{Fault, Reader};
use web::{Actor, App, Frame, Page, Problem, sample_frame};

use super::{colour, holder_text, issued, kind_text, outcome_text, soon};
use crate::decide::is_over;
use crate::judge::{self, Judged};
use crate::model::{Held, Issued, Issues};
use crate::said::Holder;
use crate::{trust, view};

/// One pass in the list.
struct Line {
    href: String,
    kind: String,
    colour: &'static str,
    word: String,
    until: Option<String>,
    soon: Option<String>,
}

/// The passes of one holder.
struct Group {
    holder: String,
    lines: Vec<Line>,
}

/// A pass that was taken out and can be brought back.
struct Removed {
    kind: String,
    until: String,
    action: String,
}

#[derive(Template)]
#[template(path = "pass/wallet.html")]
pub(crate) struct Wallet {
    frame: Frame,
    groups: Vec<Group>,
    removed: Vec<Removed>,
    /// What organisations here issued to this person, newest first: when and by whom, and its standing.
    issued: Vec<(String, String)>,
}

/// A pass with what was found of it.
pub(crate) type Seen = (Held, Judged);

/// All passes of a person, judged now, the newest first.
pub(crate) fn seen(
    app: &App,
    reader: &mut Reader<'_>,
    person: Id<Person>,
    now: Instant,
) -> Result<Vec<Seen>, Fault> {
    let mut seen = Vec::new();
    for held in view::wallet(reader, person)?.cards.into_iter().rev() {
        if held.removed_at.is_some_and(|at| is_over(at, now)) {
            continue;
        }
        let texts = view::content(reader, held.card)?.texts;
        let trust = trust::of(app, reader, &texts, now)?;
        seen.push((held, judge::glance(&texts, &trust, now)));
    }
    Ok(seen)
}

/// What was issued here, in words: kept in sight when the pass itself was taken out.
fn issued_lines(frame: &Frame, issues: &Issues, now: Instant) -> Vec<(String, String)> {
    let line = |it: &Issued| {
        let kind = frame.t(&format!("pass-kind-{}", it.statement.kind().word()));
        let standing = issued::standing_text(frame, it.standing, it.expires_at, now);
        let why = issued::why_text(frame, it).map(|it| format!(": {it}")).unwrap_or_default();
        let said = format!("{kind}, {} ({standing}{why})", it.issuer);
        (frame.minute(&it.issued_at), said)
    };
    issues.passes.iter().rev().map(line).collect()
}

fn page(frame: Frame, seen: &[Seen], issues: &Issues, now: Instant) -> Wallet {
    // A pass of which nothing was verified has no holder that is known.
    let mut groups: Vec<(Option<&Holder>, Group)> = Vec::new();
    let kind = |judged: &Judged| kind_text(&frame, judged.verdict.kind, judged.verdict.format);
    for (held, judged) in seen.iter().filter(|(held, _)| held.removed_at.is_none()) {
        let line = Line {
            href: format!("/passes/{}", held.card),
            kind: kind(judged),
            colour: colour(judged.verdict.outcome),
            word: outcome_text(&frame, judged.verdict.outcome),
            until: held.ends_at.map(|at| frame.t1("pass-end-until", "time", &frame.minute(&at))),
            soon: soon(&frame, held.ends_at, now),
        };
        let holder = judged.holder();
        let whose = holder_text(&frame, judged);
        let same = |of: Option<&Holder>, shown: &str| match (of, holder) {
            (Some(of), Some(holder)) => of.is_same(holder),
            (None, None) => shown == whose,
            _ => false,
        };
        match groups.iter_mut().find(|(of, group)| same(*of, &group.holder)) {
            Some((_, group)) => group.lines.push(line),
            None => groups.push((holder, Group { holder: whose, lines: vec![line] })),
        }
    }
    groups.sort_by_key(|(of, _)| of.is_none());
    let removed = seen.iter().filter_map(|(held, judged)| {
        let over = held.removed_at?.plus_seconds(crate::decide::UNDO_HOURS * 3_600);
        Some(Removed {
            kind: kind(judged),
            until: frame.t1("pass-removed-until", "time", &frame.minute(&over)),
            action: format!("/passes/{}/restore", held.card),
        })
    });
    let removed = removed.collect();
    let groups = groups.into_iter().map(|(_, it)| it).collect();
    Wallet { groups, removed, issued: issued_lines(&frame, issues, now), frame }
}

/// My passes.
pub(crate) async fn show(State(app): State<App>, actor: Actor) -> Result<Page<Wallet>, Problem> {
    let (person, now) = (actor.person()?, app.now());
    let inside = app.clone();
    let read = app.read(move |reader| {
        Ok((seen(&inside, reader, person, now)?, view::issues(reader, person)?))
    });
    let (seen, issues) = read.await?;
    Ok(Page(page(Frame::new(&app, &actor, "pass-title"), &seen, &issues, now)))
}

fn sample_of(locale: Locale, count: u128) -> Result<String, askama::Error> {
    let now = Instant::from_seconds(1_795_316_400);
    let seen: Vec<Seen> = (0..count).map(|it| super::card::sample_seen(it, now)).collect();
    let mut issues = Issues::default();
    issues.passes.extend((0..count.min(3)).filter_map(|it| issued::sample_pass(it, now)));
    page(sample_frame(locale), &seen, &issues, now).render()
}

pub(crate) fn sample(locale: Locale) -> Result<String, askama::Error> {
    sample_of(locale, 4)
}

pub(crate) fn sample_empty(locale: Locale) -> Result<String, askama::Error> {
    sample_of(locale, 0)
}

pub(crate) fn sample_long(locale: Locale) -> Result<String, askama::Error> {
    sample_of(locale, 40)
}
