//! What the guard's phone is given: the scanner, the enrolment page, and what makes them work with
//! the server off.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::header;
use kernel::{Arg, Locale};
use serde_json::json;
use web::ui::{Field, Verdict};
use web::{Access, Actor, App, Frame, Page, Route, Sample, See};

/// Texts that the scanner needs in all languages at once, so that it can switch without a network.
/// A number in a text is written `{n}` there.
pub(crate) const TEXTS: &[&str] = &[
    "gate-scan-title",
    "gate-scan-lead",
    "gate-scan-start",
    "gate-scan-stop",
    "gate-scan-picture",
    "gate-scan-typed-label",
    "gate-scan-typed-hint",
    "gate-scan-typed-submit",
    "gate-scan-next",
    "gate-scan-point",
    "gate-scan-no-camera",
    "gate-scan-no-code",
    "gate-scan-state",
    "gate-scan-connection",
    "gate-scan-online",
    "gate-scan-offline",
    "gate-scan-lists",
    "gate-scan-queue",
    "gate-scan-shown",
    "gate-scan-never",
    "gate-scan-now",
    "gate-scan-minutes",
    "gate-scan-today",
    "gate-scan-yesterday",
    "gate-scan-day",
    "gate-scan-old",
    "gate-scan-entries",
    "gate-scan-practice",
    "gate-scan-enrol",
    "gate-scan-waiting",
    "gate-scan-refused",
    "gate-scan-withdrawn",
    "gate-scan-closed",
    "gate-scan-clock",
    "gate-scan-upload-problem",
    "gate-scan-mistyped",
    "gate-scan-parts",
    "gate-word-pass",
    "gate-word-pass-id",
    "gate-word-no-pass",
    "gate-word-cannot-tell",
    "gate-reason-ask-id",
    "gate-reason-compare-id",
    "gate-reason-revocation-missing",
    "gate-reason-malformed",
    "gate-reason-too-long",
    "gate-reason-typed-offline",
    "gate-reason-typed-unknown",
    "gate-reason-trust-stale",
    "gate-reason-clock-behind",
    "gate-reason-issuer-unknown",
    "gate-reason-issuer-not-valid",
    "gate-reason-issuer-revoked",
    "gate-reason-region-other",
    "gate-reason-signature-bad",
    "gate-reason-expired",
    "gate-reason-not-yet-valid",
    "gate-reason-revocation-stale",
    "gate-reason-revoked",
    "gate-reason-proof-missing",
    "gate-reason-proof-stale",
    "gate-reason-proof-ahead",
    "gate-reason-proof-bad",
    "gate-reason-colour-yellow",
    "gate-reason-colour-red",
    "gate-reason-colour-unknown",
    "gate-reason-already-used",
    "gate-reason-lists-missing",
    "gate-reason-lists-old",
    "gate-reason-printed-not-allowed",
    "gate-reason-not-enrolled",
    "gate-reason-format-unknown",
    "gate-reason-unreadable",
    "gate-reason-picture-unread",
    "gate-reason-chunk-missing",
    "gate-reason-chunks-disagree",
    "gate-reason-encoding-malformed",
    "gate-reason-compression-malformed",
    "gate-reason-envelope-malformed",
    "gate-reason-claims-malformed",
    "gate-reason-issuer-expired",
    "gate-reason-issuer-not-yet-valid",
    "gate-reason-chain-broken",
    "gate-reason-algorithm-not-allowed",
    "gate-reason-signature-unchecked",
    "gate-reason-usage-not-allowed",
    "gate-reason-schema-invalid",
    "gate-reason-value-unknown",
    "gate-reason-rule-failed",
    "gate-reason-rule-open",
    "gate-reason-passes-missing",
    "gate-reason-code-only",
    "gate-reason-lists-old-marked",
];

/// Files that the scanner keeps for work without a network.
pub(crate) const SHELL: &[&str] = &[
    "haetae.css",
    "theme.js",
    "mark.svg",
    "icon-192.png",
    "icon-512.png",
    "gate/device.wasm",
    "gate/device.js",
    "gate/keep.js",
    "gate/queue.js",
    "gate/scan.js",
    "gate/enrol.js",
    "gate/gate.css",
];

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get("/gate", to_scanner, Access::Anyone),
        Route::get("/gate/scan", show_scanner, Access::Anyone),
        Route::get("/gate/enrol", show_enrolment, Access::Anyone),
        Route::get("/gate/sw.js", service_worker, Access::Anyone),
        Route::get("/gate/texts.json", texts, Access::Anyone),
        Route::get("/gate/manifest.webmanifest", manifest, Access::Anyone),
    ]
}

async fn to_scanner() -> See {
    See::other("/gate/scan")
}

#[derive(Template)]
#[template(path = "gate/scan.html")]
struct Scanner {
    frame: Frame,
    verdict: Verdict,
    typed: Field,
    languages: Vec<(&'static str, &'static str)>,
}

#[derive(Template)]
#[template(path = "gate/enrol.html")]
struct Enrolment {
    frame: Frame,
    code: Field,
    label: Field,
}

/// Every language's tag and own name.
fn languages() -> Vec<(&'static str, &'static str)> {
    Locale::ALL.iter().map(|it| (it.tag(), it.own_name())).collect()
}

fn scanner(frame: Frame) -> Scanner {
    let typed = Field::text("short", frame.t("gate-scan-typed-label"))
        .hint(frame.t("gate-scan-typed-hint"))
        .optional();
    let typed = Field { autocomplete: Some("off"), inputmode: Some("text"), ..typed };
    let verdict = Verdict {
        colour: "unknown",
        word: frame.t("gate-word-cannot-tell"),
        reason: String::new(),
        full: true,
    };
    Scanner { verdict, typed, languages: languages(), frame: frame.script("gate/scan.js") }
}

fn enrolment(frame: Frame) -> Enrolment {
    let code =
        Field::text("place_code", frame.t("gate-enrol-code")).hint(frame.t("gate-enrol-code-hint"));
    let code = Field { autocomplete: Some("off"), maxlength: Some(24), ..code };
    let label =
        Field::text("label", frame.t("gate-enrol-label")).hint(frame.t("gate-enrol-label-hint"));
    let label = Field { autocomplete: Some("off"), maxlength: Some(40), ..label };
    Enrolment { code, label, frame: frame.script("gate/enrol.js") }
}

async fn show_scanner(State(app): State<App>, actor: Actor) -> Page<Scanner> {
    Page(scanner(Frame::new(&app, &actor, "gate-scan-title")))
}

async fn show_enrolment(State(app): State<App>, actor: Actor) -> Page<Enrolment> {
    Page(enrolment(Frame::new(&app, &actor, "gate-enrol-title")))
}

pub(crate) fn samples() -> Vec<Sample> {
    vec![
        Sample { name: "gate/scan", render: |it| scanner(web::sample_frame(it)).render() },
        Sample { name: "gate/enrol", render: |it| enrolment(web::sample_frame(it)).render() },
    ]
}

/// A small file of our own that changes with the program: asked for anew each time.
fn fresh(mime: &'static str, body: String) -> Response {
    ([(header::CONTENT_TYPE, mime), (header::CACHE_CONTROL, "no-cache")], body).into_response()
}

/// The service worker: the list of files, then what it does with them. A changed file changes its
/// address, so the worker changes, so the browser renews everything.
async fn service_worker(State(app): State<App>) -> Response {
    let mut shell: Vec<String> =
        ["/gate/scan", "/gate/enrol", "/gate/texts.json", "/gate/manifest.webmanifest"]
            .map(str::to_owned)
            .to_vec();
    shell.extend(SHELL.iter().map(|it| app.assets.url(it)));
    let version = env!("CARGO_PKG_VERSION");
    let head = json!({ "version": version, "shell": shell });
    let body = format!("const HAETAE = {head};\n{}", include_str!("../assets/sw.js"));
    fresh("text/javascript", body)
}

async fn texts(State(app): State<App>) -> Response {
    let args = [("n", Arg::Text("{n}".to_owned()))];
    let in_language = |locale: Locale| -> BTreeMap<&str, String> {
        TEXTS.iter().map(|key| (*key, app.texts.format(locale, key, &args))).collect()
    };
    let all: BTreeMap<&str, _> =
        Locale::ALL.iter().map(|it| (it.tag(), in_language(*it))).collect();
    fresh("application/json", json!(all).to_string())
}

/// The web app manifest: a guard puts the scanner on the phone's home screen.
async fn manifest(State(app): State<App>, actor: Actor) -> Response {
    let icon = |name: &str, size: &str| json!({ "src": app.assets.url(name), "sizes": size, "type": "image/png" });
    let body = json!({
        "id": "/gate/scan",
        "name": app.texts.get(actor.locale, "gate-scan-title"),
        "short_name": app.texts.get(actor.locale, "gate-nav-scan"),
        "start_url": "/gate/scan",
        "scope": "/gate/",
        "display": "standalone",
        "lang": actor.locale.tag(),
        "background_color": "#ffffff",
        "theme_color": "#1b2438",
        "icons": [icon("icon-192.png", "192x192"), icon("icon-512.png", "512x512")],
    });
    fresh("application/manifest+json", body.to_string())
}
