//! HTML routes: which page answers where, and what several pages share.

mod appeal;
mod declare;
mod desk;
mod history;
mod keys;
mod print;
mod record;
mod rules;
mod show;

use contracts::code::Colour;
use contracts::person::{Person, Role};
use kernel::{Arg, Id, Instant};
use store::Context;
use web::ui::ColourCard;
use web::{Access, Actor, App, Audience, DeskCard, Frame, NavEntry, Problem, Route, Sample};

use crate::command::Ask;
use crate::decision::Decision;
use crate::policy::Policy;
use crate::retention::FACT_DAYS;
use crate::{door, tell};

/// The entry of the citizens' menu.
pub(crate) const NAV: &[NavEntry] =
    &[NavEntry { path: "/code", text: "code-nav", audience: Audience::Citizens }];

/// The card on the officers' desk.
pub(crate) const DESK: &[DeskCard] = &[
    DeskCard {
        path: "/desk/code",
        text: "code-desk-nav",
        why: "code-desk-nav-why",
        audience: OFFICERS,
    },
    DeskCard {
        path: "/desk/code/rules",
        text: "code-desk-rules-nav",
        why: "code-desk-rules-nav-why",
        audience: OFFICERS,
    },
    DeskCard {
        path: "/desk/keys",
        text: "code-keys-title",
        why: "code-keys-nav-why",
        audience: Audience::Staff(&[Role::Administrator]),
    },
];

const OFFICERS: Audience = Audience::Staff(&[Role::HealthOfficer]);

/// All HTML routes.
pub(crate) fn routes() -> Vec<Route> {
    use Access::{Anyone, Citizen};
    let officer = Access::Staff(&[Role::HealthOfficer]);
    vec![
        Route::get("/code", show::show, Citizen),
        Route::get("/code/sw.js", show::worker, Anyone),
        Route::get("/code/result", show::result, Citizen),
        Route::get("/code/declare", declare::show, Citizen),
        Route::post("/code/declare", declare::submit, Citizen),
        Route::get("/code/history", history::show, Citizen),
        Route::get("/code/appeal", appeal::show, Citizen),
        Route::post("/code/appeal", appeal::submit, Citizen),
        Route::get("/code/print", print::show, Citizen),
        Route::post("/code/print", print::submit, Citizen),
        Route::get("/code/rules", rules::show, Anyone),
        Route::get("/desk/keys", keys::show, Access::Staff(&[Role::Administrator])),
        Route::get("/desk/code", desk::show, officer),
        Route::post("/desk/code/find", desk::find, officer).strict(),
        Route::get("/desk/code/rules", rules::edit, officer),
        Route::post("/desk/code/rules", rules::change, officer),
        Route::get("/desk/code/people/{person}", record::ask, officer),
        Route::post("/desk/code/people/{person}", record::read, officer),
        Route::post("/desk/code/people/{person}/tests", record::test, officer),
        Route::post("/desk/code/people/{person}/exposures", record::exposure, officer),
        Route::post("/desk/code/people/{person}/orders", record::order, officer),
        Route::get("/desk/code/orders/{order}", desk::order, officer),
        Route::post("/desk/code/orders/{order}", desk::decide_order, officer),
        Route::get("/desk/code/appeals/{appeal}", desk::appeal, officer),
        Route::post("/desk/code/appeals/{appeal}", desk::answer_appeal, officer),
    ]
}

/// Samples of every page.
pub(crate) fn samples() -> Vec<Sample> {
    vec![
        Sample { name: "code/show", render: show::sample },
        Sample { name: "code/show-nothing", render: show::sample_nothing },
        Sample { name: "code/result", render: show::sample_result },
        Sample { name: "code/declare", render: declare::sample },
        Sample { name: "code/declare-mistakes", render: declare::sample_mistakes },
        Sample { name: "code/history", render: history::sample },
        Sample { name: "code/history-empty", render: history::sample_empty },
        Sample { name: "code/appeal", render: appeal::sample },
        Sample { name: "code/appeal-answered", render: appeal::sample_answered },
        Sample { name: "code/print", render: print::sample },
        Sample { name: "code/sheet", render: print::sample_sheet },
        Sample { name: "code/rules", render: rules::sample },
        Sample { name: "code/rules-edit", render: rules::sample_edit },
        Sample { name: "code/desk", render: desk::sample },
        Sample { name: "code/desk-empty", render: desk::sample_empty },
        Sample { name: "code/order", render: desk::sample_order },
        Sample { name: "code/desk-appeal", render: desk::sample_appeal },
        Sample { name: "code/keys", render: keys::sample },
        Sample { name: "code/reason", render: record::sample_ask },
        Sample { name: "code/record", render: record::sample },
    ]
}

/// The key of the word for a colour.
fn colour_key(colour: Colour) -> &'static str {
    match colour {
        Colour::Unknown => "web-colour-unknown",
        Colour::Green => "web-colour-green",
        Colour::Yellow => "web-colour-yellow",
        Colour::Red => "web-colour-red",
    }
}

/// What to do next with this colour.
fn next_key(colour: Colour) -> &'static str {
    match colour {
        Colour::Unknown => "code-next-unknown",
        Colour::Green => "code-next-green",
        Colour::Yellow => "code-next-yellow",
        Colour::Red => "code-next-red",
    }
}

/// Whom a text speaks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Voice {
    /// The person whose code it is: "you declared".
    Holder,
    /// Somebody who reads about that person, or about anybody: "the person declared".
    Reader,
}

/// A reason in words: the rule's own text when the rules brought one, else ours with the numbers of
/// those rules, else its code.
fn reason(frame: &Frame, voice: Voice, policy: &Policy, code: &str) -> String {
    let rules = policy.rules.as_deref().map(::rules::RuleSet::rules).unwrap_or_default();
    let rule = rules.iter().find(|it| it.code == code);
    if let Some(own) = rule.and_then(|it| it.outcome.get("text")?.get(frame.lang())?.as_str()) {
        return own.to_owned();
    }
    let name = code.replace(['_', '.'], "-");
    let key = match voice {
        Voice::Reader if PERSONAL.contains(&code) => format!("code-record-reason-{name}"),
        _ => format!("code-reason-{name}"),
    };
    let tenths = policy.number("fever_tenths", 375);
    let args = NUMBERS.map(|(name, shipped)| (name, Arg::Number(policy.number(name, shipped))));
    let fever = Arg::Text(format!("{}.{}", tenths / 10, tenths % 10));
    let args = [&args[..], &[("fever", fever), ("fact_days", Arg::Number(FACT_DAYS))]].concat();
    let text = frame.tf(&key, &args);
    if text == key { code.to_owned() } else { text }
}

/// Reasons whose text for the holder says "you".
const PERSONAL: [&str; 10] = [
    "close_contact",
    "symptom",
    "fever",
    "contact",
    "same_place",
    "not_declared",
    "declaration_old",
    "unanswered",
    "temperature_missing",
    "declared_healthy",
];

/// Numbers that reasons mention: the rules' parameters, and what they are when a rule set names none.
const NUMBERS: [(&str, i64); 6] = [
    ("positive_days", 14),
    ("close_contact_days", 14),
    ("symptom_days", 7),
    ("contact_days", 7),
    ("same_place_days", 7),
    ("declaration_days", 14),
];

/// The card that shows a decision: shape, word, until when, why.
fn card(frame: &Frame, voice: Voice, policy: &Policy, decision: &Decision) -> ColourCard {
    ColourCard {
        colour: decision.colour.word(),
        word: frame.t(colour_key(decision.colour)),
        until: decision.until.map(|it| until(frame, it)),
        reasons: decision.reasons.iter().map(|it| reason(frame, voice, policy, it)).collect(),
    }
}

fn until(frame: &Frame, instant: Instant) -> String {
    frame.t1("code-until", "time", &frame.minute(&instant))
}

/// Decides a command that the person is told about.
async fn execute_and_tell(
    app: &App,
    context: Context,
    person: Id<Person>,
    ask: Ask,
) -> Result<(), Problem> {
    let message = tell::message(app, person).await?;
    let decision = app.random_id();
    let answer = app.write(move |tx| {
        let answer = door::run(tx, &context, person, &ask, decision)?;
        tell::told(tx, &answer, message.as_ref())?;
        Ok(answer)
    });
    answer.await?.map(|_| ()).map_err(|refusal| Problem::refused(&refusal))
}

/// Whether new declarations may have to wait: said on the page, so that nobody wonders (Hainan,
/// 6 April 2022: features dropped and nobody told).
fn degraded(app: &App, mut frame: Frame) -> Frame {
    let full = u64::try_from(store::door::QUEUE_MAX).unwrap_or(u64::MAX) / 4 * 3;
    if app.store.is_stopped() || app.store.waiting() > full {
        frame.banner = Some(frame.t("code-degraded"));
    }
    frame
}

/// A mistake's text: its refusal's.
fn mistake(app: &App, actor: &Actor, refusal: &crate::refusal::Refusal) -> String {
    use kernel::Refusal as _;
    app.texts.format(actor.locale, refusal.code(), &refusal.args())
}

/// The first instant of a day that a person typed, in the city's zone.
fn day_start(app: &App, day: &str) -> Option<Instant> {
    day.trim().parse().ok().map(|day| app.config.zone.start_of(day))
}
