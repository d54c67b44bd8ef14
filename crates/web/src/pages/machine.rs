//! What machines ask: health, metrics, files, the API's description.
#![allow(
    clippy::redundant_closure_for_method_calls,
    reason = "a path to a method of `Reader<'_>` is not general over its lifetime and does not compile"
)]

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::json;

use crate::{Actor, App, Path, Problem};

/// The program runs. Says nothing of its store.
pub(super) async fn live() -> &'static str {
    "live\n"
}

/// The writer's queue counts as nearly full from this share on (percent).
const QUEUE_FULL_PERCENT: u64 = 90;

/// Whether requests can be answered; if not, why: each reason is a stable word.
pub(super) async fn ready(State(app): State<App>) -> Response {
    let mut reasons = Vec::new();
    if app.store.is_stopped() {
        reasons.push("store-stopped");
    }
    let most = u64::try_from(store::door::QUEUE_MAX).unwrap_or(u64::MAX);
    if app.store.waiting() * 100 >= most * QUEUE_FULL_PERCENT {
        reasons.push("queue-nearly-full");
    }
    if app.store.read(|reader| reader.head()).await.is_err() {
        reasons.push("store-unreadable");
    }
    let status = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body =
        json!({ "ready": reasons.is_empty(), "reasons": reasons, "entries": app.store.size() });
    (status, axum::Json(body)).into_response()
}

pub(super) async fn metrics(State(app): State<App>) -> Result<Response, Problem> {
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    let outbox = app.read(|reader| reader.outbox_counts()).await?;
    Ok((kind, app.metrics.text(&app.store, outbox)).into_response())
}

pub(super) async fn openapi(State(app): State<App>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], app.api.clone()).into_response()
}

pub(super) async fn asset(
    State(app): State<App>,
    Path((hash, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    app.assets.answer(&hash, &name, &headers).ok_or_else(Problem::not_found)
}

pub(super) async fn favicon(
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    app.assets.fixed("mark.svg", &headers).ok_or_else(Problem::not_found)
}

/// What a browser needs to lay the service on the home screen.
pub(super) async fn manifest(State(app): State<App>, actor: Actor) -> Response {
    let text = |key: &str| app.texts.get(actor.locale, key);
    let icon = |name: &str, sizes: &str| json!({ "src": app.assets.url(name), "sizes": sizes, "type": "image/png" });
    let body = json!({
        "name": text("web-name"),
        "short_name": text("web-name"),
        "lang": actor.locale.tag(),
        "start_url": "/",
        "display": "standalone",
        "background_color": "#ffffff",
        "theme_color": "#1b2438",
        "icons": [icon("icon-192.png", "192x192"), icon("icon-512.png", "512x512")],
    });
    let mut response = body.to_string().into_response();
    let kind = HeaderValue::from_static("application/manifest+json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
