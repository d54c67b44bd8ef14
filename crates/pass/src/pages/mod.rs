//! HTML routes: which page answers where, and what several pages share.

mod add;
mod card;
mod issue;
mod issued;
mod print;
mod rules;
mod show;
mod trust;
mod wallet;

use contracts::person::Role;
use credential::Outcome;
use credential::pass::{Format, Kind, Note};
use kernel::{Arg, Instant, Refusal as _};
use web::{Access, Actor, App, Audience, DeskCard, Frame, NavEntry, Route, Sample};

use crate::judge::{self, Ending, Judged};
use crate::model::Basis;
use crate::refusal::Refusal;
use crate::said::{Entry, Word};

/// The entry of the citizens' menu.
pub(crate) const NAV: &[NavEntry] =
    &[NavEntry { path: "/passes", text: "pass-nav", audience: Audience::Citizens }];

/// The card on the desk.
pub(crate) const DESK: &[DeskCard] = &[
    DeskCard {
        path: "/desk/passes/issue",
        text: "pass-desk-issue-nav",
        why: "pass-desk-issue-nav-why",
        audience: Audience::Staff(ISSUERS),
    },
    DeskCard {
        path: "/desk/passes/trust",
        text: "pass-desk-trust-nav",
        why: "pass-desk-trust-nav-why",
        audience: Audience::Staff(&[Role::Administrator]),
    },
    DeskCard {
        path: "/desk/passes/rules",
        text: "pass-desk-rules-nav",
        why: "pass-desk-rules-nav-why",
        audience: Audience::Staff(&[Role::HealthOfficer]),
    },
];

/// Who issues passes; an administrator of the region ends them.
const ISSUERS: &[Role] = &[Role::Issuer, Role::Administrator];

/// All HTML routes.
pub(crate) fn routes() -> Vec<Route> {
    use Access::Citizen;
    let administrator = Access::Staff(&[Role::Administrator]);
    let issuer = Access::Staff(&[Role::Issuer]);
    let officer = Access::Staff(&[Role::HealthOfficer]);
    vec![
        Route::get("/desk/passes/issue", issue::show, Access::Staff(ISSUERS)),
        Route::post("/desk/passes/issue", issue::find, Access::Staff(ISSUERS)).strict(),
        Route::get("/desk/passes/issue/{person}/{kind}", issue::form, issuer),
        Route::post("/desk/passes/issue/{person}/{kind}", issue::submit, issuer),
        Route::get("/desk/passes/issued/{card}", issued::show, Access::Staff(ISSUERS)),
        Route::post("/desk/passes/issued/{card}", issued::set, Access::Staff(ISSUERS)),
        Route::get("/passes", wallet::show, Citizen),
        Route::get("/passes/add", add::show, Citizen),
        Route::post("/passes/add", add::submit, Citizen).with_files(),
        Route::get("/passes/{card}", card::show, Citizen),
        Route::post("/passes/{card}/basis", card::choose, Citizen),
        Route::post("/passes/{card}/remove", card::remove, Citizen),
        Route::post("/passes/{card}/restore", card::restore, Citizen),
        Route::get("/passes/{card}/print", print::show, Citizen),
        Route::get("/passes/{card}/show", show::show, Citizen),
        Route::get("/passes/sw.js", show::worker, Access::Anyone),
        Route::get("/desk/passes/trust", trust::show, administrator),
        Route::post("/desk/passes/trust", trust::offer, administrator).with_files(),
        Route::post("/desk/passes/trust/{source}/confirm", trust::confirm, administrator),
        Route::post("/desk/passes/trust/{source}/decline", trust::decline, administrator),
        Route::post("/desk/passes/trust/{source}/withdraw", trust::withdraw, administrator),
        Route::get("/desk/passes/rules", rules::show, officer),
        Route::post("/desk/passes/rules", rules::propose, officer).with_files(),
        Route::post("/desk/passes/rules/{set}", rules::decide, officer),
    ]
}

/// Samples of every page.
pub(crate) fn samples() -> Vec<Sample> {
    vec![
        Sample { name: "pass/wallet", render: wallet::sample },
        Sample { name: "pass/wallet-empty", render: wallet::sample_empty },
        Sample { name: "pass/wallet-long", render: wallet::sample_long },
        Sample { name: "pass/add", render: add::sample },
        Sample { name: "pass/add-mistake", render: add::sample_mistake },
        Sample { name: "pass/card", render: card::sample },
        Sample { name: "pass/card-cannot-tell", render: card::sample_cannot_tell },
        Sample { name: "pass/card-no-pass", render: card::sample_no_pass },
        Sample { name: "pass/print", render: print::sample },
        Sample { name: "pass/show", render: show::sample },
        Sample { name: "pass/issue", render: issue::sample },
        Sample { name: "pass/issue-mistake", render: issue::sample_empty },
        Sample { name: "pass/issue-vaccination", render: issue::sample_vaccination },
        Sample { name: "pass/issue-test", render: issue::sample_test },
        Sample { name: "pass/issue-recovery", render: issue::sample_recovery },
        Sample { name: "pass/issue-exemption", render: issue::sample_exemption },
        Sample { name: "pass/issue-check", render: issue::sample_check },
        Sample { name: "pass/issued", render: issued::sample },
        Sample { name: "pass/issued-suspended", render: issued::sample_suspended },
        Sample { name: "pass/issued-revoked", render: issued::sample_revoked },
        Sample { name: "pass/trust", render: trust::sample },
        Sample { name: "pass/trust-empty", render: trust::sample_empty },
        Sample { name: "pass/rules", render: rules::sample },
        Sample { name: "pass/rules-waiting", render: rules::sample_waiting },
        Sample { name: "pass/rules-own", render: rules::sample_own },
        Sample { name: "pass/rules-mistake", render: rules::sample_mistake },
    ]
}

/// The shape and colour of an outcome: what cannot be told is a hollow diamond and never a "no".
fn colour(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "green",
        Outcome::NoPass => "red",
        Outcome::CannotTell => "unknown",
    }
}

fn outcome_text(frame: &Frame, outcome: Outcome) -> String {
    frame.t(&format!("pass-outcome-{}", judge::outcome_word(outcome).replace('_', "-")))
}

/// What a pass is, in a few words.
fn kind_text(frame: &Frame, kind: Option<Kind>, format: Format) -> String {
    match kind {
        Some(kind) if kind != Kind::Bare => {
            frame.t(&format!("pass-kind-{}", judge::kind_word(kind)))
        }
        _ => format_text(frame, format),
    }
}

fn format_text(frame: &Frame, format: Format) -> String {
    frame.t(&format!("pass-carrier-{}", format.code()))
}

fn basis_text(frame: &Frame, basis: Basis) -> String {
    frame.t(&format!("pass-basis-{}", basis.word()))
}

/// A reason in words; a rule's name, or a code without words, stands as it is.
fn reason_text(frame: &Frame, code: &str) -> String {
    let (code, about) = code.split_once(':').map_or((code, None), |(code, it)| (code, Some(it)));
    let key = format!("pass-reason-{}", code.replace('_', "-"));
    let text = frame.t(&key);
    let text = if text == key { code.to_owned() } else { text };
    about.map_or(text.clone(), |it| format!("{text} ({it})"))
}

fn note_text(frame: &Frame, note: Note) -> String {
    frame.t(&format!("pass-note-{}", note.code().replace('_', "-")))
}

/// When a pass ends, in words.
fn ending_text(frame: &Frame, ending: &Ending) -> String {
    match ending {
        Ending::Until(at) => frame.t1("pass-end-until", "time", &frame.minute(at)),
        Ending::Open => frame.t("pass-end-open"),
        Ending::From(at) => frame.t1("pass-end-from", "time", &frame.minute(at)),
        Ending::No(_) => frame.t("pass-end-no"),
        Ending::Unknown => frame.t("pass-end-unknown"),
    }
}

/// Days left, said in the last two weeks.
fn soon(frame: &Frame, ends_at: Option<Instant>, now: Instant) -> Option<String> {
    let left_s = ends_at?.seconds_since(now);
    let days = left_s.div_euclid(86_400);
    let soon = (0..i64::from(crate::model::WARN_DAYS[0])).contains(&days);
    soon.then(|| match days {
        0 => frame.t("pass-ends-today"),
        days => frame.tn("pass-ends-soon", "days", &days),
    })
}

/// One thing that a pass says, as labels and values.
fn facts(frame: &Frame, entry: &Entry) -> Vec<(String, String)> {
    let value = |word: &Word| match word {
        Word::Text(text) => text.clone(),
        Word::Key(key) => frame.t(key),
        // A booster is counted on beyond the first series.
        Word::Of(one, all) if all < one => frame.tn("pass-said-beyond", "one", one),
        Word::Of(one, all) => {
            frame.tf("pass-said-of", &[("one", Arg::Number(*one)), ("all", Arg::Number(*all))])
        }
        Word::At(seconds) => frame.minute(&Instant::from_seconds(*seconds)),
    };
    entry.facts.iter().map(|(label, word)| (frame.t(label), value(word))).collect()
}

/// Whose pass it is, as a heading: the name where it was verified, the initials where the kind says no
/// more, else that it is not known.
fn holder_text(frame: &Frame, judged: &Judged) -> String {
    let name = judged.holder().map(|it| it.name.clone());
    let initials = judged.verdict.shown.as_ref().map(|it| it.initials.clone());
    let known = name.into_iter().chain(initials).find(|it| !it.is_empty());
    known.unwrap_or_else(|| frame.t("pass-holder-unknown"))
}

/// Who issued it, as far as that was verified: as the pass says it, which its signer answers for, or as
/// the signer's certificate does. Certificates often name an office that nobody has heard of.
fn issuer_text(frame: &Frame, judged: &Judged) -> String {
    let Some(issuer) = &judged.verdict.issuer else { return frame.t("pass-issuer-unknown") };
    let mut facts = judged.said.iter().flat_map(|it| &it.entries).flat_map(|it| &it.facts);
    let said = facts.find_map(|(label, word)| match word {
        Word::Text(text) if *label == "pass-said-issuer" => Some(text),
        _ => None,
    });
    let name = said.unwrap_or(&issuer.name);
    match &issuer.country {
        Some(country) if name.is_empty() => country.clone(),
        Some(country) => format!("{name} ({country})"),
        None => name.clone(),
    }
}

/// A refusal in the reader's language.
fn refused(app: &App, actor: &Actor, refusal: &Refusal) -> String {
    app.texts.format(actor.locale, refusal.code(), &refusal.args())
}
