//! The code page: colour, reasons, what to do next, and the QR that the phone draws by itself.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contracts::code::Colour;
use http::{HeaderMap, HeaderValue};
use kernel::{Instant, Locale};
use sha2::{Digest as _, Sha256};
use web::ui::ColourCard;
use web::{Actor, App, Frame, Page, Problem, sample_frame};

use super::{Voice, card, degraded, next_key};
use crate::decision::{self, Decision};
use crate::model::Holder;
use crate::policy::Policy;
use crate::view;

#[derive(Template)]
#[template(path = "code/show.html")]
pub(crate) struct Show {
    frame: Frame,
    card: ColourCard,
    next: String,
    declared: bool,
    /// Whether there is a code to show.
    has_code: bool,
    /// Tells the phone whose code it keeps, without a name.
    whose: String,
    /// The ids of this person's passes that are still good: a phone that keeps another fetches anew.
    live: String,
    /// Unix seconds: when the colour changes by itself; 0 for never.
    until: i64,
    /// The city's zone: its times are shown in that, wherever the phone thinks that it is.
    zone: String,
    as_of: String,
    appeal: Option<String>,
}

fn page(
    frame: Frame,
    holder: &Holder,
    policy: &Policy,
    it: &Decision,
    now: Instant,
    (whose, zone): (String, String),
) -> Show {
    let waits = holder.open_appeal();
    let live = holder.passes.iter().filter(|pass| now < pass.valid_until);
    let live: Vec<String> = live.map(|pass| URL_SAFE_NO_PAD.encode(pass.pass.to_bytes())).collect();
    Show {
        card: card(&frame, Voice::Holder, policy, it),
        next: frame.t(next_key(it.colour)),
        declared: holder.facts.declared.is_some(),
        has_code: it.colour != Colour::Unknown,
        whose,
        live: live.join(" "),
        until: it.until.map_or(0, Instant::seconds),
        zone,
        as_of: frame.t1("code-as-of", "time", &frame.minute(&now)),
        appeal: waits.map(|it| frame.t1("code-appeal-waits", "time", &frame.minute(&it.due_at))),
        frame,
    }
}

/// My code.
pub(crate) async fn show(State(app): State<App>, actor: Actor) -> Result<Page<Show>, Problem> {
    let (person, now) = (actor.person()?, app.now());
    let (holder, policy, decision) = app.read(move |it| view::standing(it, person, now)).await?;
    let digest = hex::encode(Sha256::digest(person.to_bytes()));
    let whose = digest.get(..16).unwrap_or_default().to_owned();
    let frame = degraded(&app, Frame::new(&app, &actor, "code-title")).script("code/show.js");
    let zone = app.config.zone.name().to_owned();
    Ok(Page(page(frame, &holder, &policy, &decision, now, (whose, zone))))
}

/// The service worker: keeps the code page for times without a network.
pub(crate) async fn worker(
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut response = app.assets.fixed("code/sw.js", &headers).ok_or_else(Problem::not_found)?;
    // Its scope is the page itself, one level above where the script lies.
    let scope = HeaderValue::from_static("/code");
    response.headers_mut().insert("service-worker-allowed", scope);
    // Looked after once a day (the longest that browsers allow), not at each showing.
    let day = HeaderValue::from_static("max-age=86400");
    response.headers_mut().insert(http::header::CACHE_CONTROL, day);
    Ok(response)
}

#[derive(Template)]
#[template(path = "code/result.html")]
pub(crate) struct Shown {
    frame: Frame,
    card: ColourCard,
    next: String,
    green: bool,
    /// The decision's place on the public log.
    seq: Option<u64>,
}

/// What came of a declaration.
pub(crate) async fn result(State(app): State<App>, actor: Actor) -> Result<Page<Shown>, Problem> {
    let (person, now) = (actor.person()?, app.now());
    let ((_, policy, decision), events) = app
        .read(move |it| Ok((view::standing(it, person, now)?, view::history(it, person)?)))
        .await?;
    let is_decision =
        |event: &crate::event::Event| matches!(event, crate::event::Event::Decided { .. });
    let seq = events.iter().find(|(_, event)| is_decision(event)).map(|(seq, _)| *seq);
    let frame = Frame::new(&app, &actor, "code-result-title");
    Ok(Page(Shown {
        card: card(&frame, Voice::Holder, &policy, &decision),
        next: frame.t(next_key(decision.colour)),
        green: decision.colour == Colour::Green,
        seq,
        frame,
    }))
}

fn sample_decision(locale: Locale, holder: &Holder) -> (Frame, Policy, Decision, Instant) {
    let now = Instant::from_seconds(1_795_330_800);
    let policy = Policy::default();
    let decision = decision::decide(&holder.facts, &policy, now);
    (sample_frame(locale).script("code/show.js"), policy, decision, now)
}

/// A holder who has declared to be well.
pub(super) fn sample_holder() -> Holder {
    let no = crate::model::Answer::No;
    let symptoms = crate::model::Symptoms {
        fever: no,
        cough: no,
        sore_throat: no,
        breathlessness: no,
        smell_or_taste: no,
    };
    let declaration = crate::model::Declaration {
        name: "홍길동".to_owned(),
        document: "M00000000".to_owned(),
        residence: "서울 강남구".to_owned(),
        stays: Vec::new(),
        contact_symptomatic: no,
        contact_confirmed: no,
        symptoms,
        temperature_tenths: Some(365),
    };
    let at = Instant::from_seconds(1_795_300_000);
    kernel::given(&[crate::event::Event::Declared { declaration, by_helper: false, at }])
}

fn sample_place() -> (String, String) {
    ("0".repeat(16), "Asia/Seoul".to_owned())
}

pub(crate) fn sample(locale: Locale) -> Result<String, askama::Error> {
    let holder = sample_holder();
    let (frame, policy, decision, now) = sample_decision(locale, &holder);
    page(frame, &holder, &policy, &decision, now, sample_place()).render()
}

pub(crate) fn sample_nothing(locale: Locale) -> Result<String, askama::Error> {
    let holder = Holder::default();
    let (frame, policy, decision, now) = sample_decision(locale, &holder);
    page(frame, &holder, &policy, &decision, now, sample_place()).render()
}

pub(crate) fn sample_result(locale: Locale) -> Result<String, askama::Error> {
    let (frame, policy, decision, _) = sample_decision(locale, &sample_holder());
    let card = card(&frame, Voice::Holder, &policy, &decision);
    let next = frame.t("code-next-green");
    Shown { frame, card, next, green: true, seq: Some(12) }.render()
}
