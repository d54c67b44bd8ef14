//! The living style guide: every component once, with invented content.

use askama::Template;
use axum::extract::State;
use kernel::Locale;

use crate::form::Empty;
use crate::ui::{Check, Choice, ColourCard, Field, Opt, Pager, Verdict};
use crate::{Actor, App, Form, Frame, Page, See, sample_frame};

#[derive(Template)]
#[template(path = "kit.html")]
pub(super) struct Kit {
    frame: Frame,
    crumbs: Vec<(String, String)>,
    colours: Vec<ColourCard>,
    verdicts: Vec<Verdict>,
    code_path: &'static str,
    short_code: &'static str,
    steps: Vec<String>,
    errors: Vec<(String, String)>,
    name: Field,
    phone: Field,
    arrival: Field,
    residence: Choice,
    channel: Choice,
    questions: Vec<Choice>,
    note: Field,
    consent: Check,
    tiles: Vec<(String, String)>,
    rows: Vec<(String, String, &'static str, String)>,
    pager: Pager,
    facts: Vec<(String, String)>,
    hash: String,
}

/// Squares of an invented code: three finder patterns and some modules.
const CODE_PATH: &str = "M0 0h7v1h-7zM0 1h1v5h-1zM6 1h1v5h-1zM0 6h7v1h-7zM2 2h3v3h-3zM14 0h7v1h-7z\
     M14 1h1v5h-1zM20 1h1v5h-1zM14 6h7v1h-7zM16 2h3v3h-3zM0 14h7v1h-7zM0 15h1v5h-1zM6 15h1v5h-1z\
     M0 20h7v1h-7zM2 16h3v3h-3zM9 1h2v2h-2zM9 5h1v3h-1zM12 8h3v1h-3zM9 10h4v2h-4zM15 11h2v3h-2z\
     M18 9h3v2h-3zM10 14h2v4h-2zM14 16h3v2h-3zM18 18h3v3h-3zM12 20h3v1h-3zM2 9h4v1h-4zM1 11h3v1h-3z";

pub(super) async fn show(State(app): State<App>, actor: Actor) -> Page<Kit> {
    Page(kit(Frame::new(&app, &actor, "web-kit-title")))
}

/// The sample form leads back to itself.
pub(super) async fn sent(Form(Empty {}): Form<Empty>) -> See {
    See::other("/kit").notice("web-kit-notice-good")
}

pub(super) fn sample(locale: Locale) -> Result<String, askama::Error> {
    kit(sample_frame(locale)).render()
}

fn kit(frame: Frame) -> Kit {
    let t = |key: &str| frame.t(&format!("web-kit-{key}"));
    let word = |colour: &str| frame.t(&format!("web-colour-{colour}"));
    let card = |colour: &'static str, until: bool, reasons: &[&str]| ColourCard {
        colour,
        word: word(colour),
        until: until.then(|| t("until")),
        reasons: reasons.iter().map(|it| t(it)).collect(),
    };
    let verdict = |colour, key: &str| Verdict {
        colour,
        word: t(key),
        reason: t(&format!("{key}-reason")),
        full: false,
    };
    let option = |value: &str, key: &str| Opt::new(value, t(key), "yes");
    let choice = |name: &str, key: &str, options: Vec<Opt>| Choice {
        name: name.to_owned(),
        label: t(key),
        options,
        required: true,
        ..Choice::default()
    };
    let answers = || vec![option("yes", "yes"), option("no", "no"), option("unknown", "not-known")];
    let row = |at: &str, key: &str, colour| (at.to_owned(), t(key), colour, word(colour));
    Kit {
        crumbs: vec![("/".to_owned(), t("home"))],
        colours: vec![
            card("green", true, &["reason"]),
            card("yellow", true, &["reason-wait"]),
            card("red", true, &["reason-wait"]),
            card("unknown", false, &["reason-missing"]),
        ],
        verdicts: vec![
            verdict("green", "verdict-pass"),
            verdict("red", "verdict-stop"),
            verdict("unknown", "verdict-unsure"),
        ],
        code_path: CODE_PATH,
        short_code: "K7F2-M9QX",
        steps: vec![t("step-phone"), t("step-answers"), t("step-code")],
        errors: vec![("phone".to_owned(), t("phone-error"))],
        name: Field::text("name", t("name")).hint(t("name-hint")),
        phone: Field::phone("phone", t("phone")).with("010-12").error(Some(t("phone-error"))),
        arrival: Field::date("arrival", t("arrival")),
        residence: choice(
            "residence",
            "residence",
            vec![option("one", "district-one"), option("two", "district-two")],
        ),
        channel: choice(
            "channel",
            "channel",
            vec![option("yes", "channel-phone"), option("paper", "channel-paper")],
        ),
        questions: vec![choice("fever", "fever", answers()), choice("cough", "cough", answers())],
        note: Field { maxlength: Some(500), ..Field::text("note", t("note")).optional() },
        consent: Check {
            name: "consent".to_owned(),
            label: t("consent"),
            value: "yes".to_owned(),
            required: true,
            ..Check::default()
        },
        tiles: vec![
            (t("entries"), "1,204".to_owned()),
            (t("devices"), "6".to_owned()),
            (t("waiting"), "2".to_owned()),
        ],
        rows: vec![row("09:12", "library", "green"), row("10:40", "market", "yellow")],
        pager: Pager {
            previous: Some("/kit?page=1".to_owned()),
            next: Some("/kit?page=3".to_owned()),
            label: t("page"),
        },
        facts: vec![(t("time"), "2026-11-22 09:12".to_owned()), (t("place"), t("library"))],
        hash: "9f2c".repeat(16),
        frame,
    }
}
