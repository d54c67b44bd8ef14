//! What machines ask: files, the API's description.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, header};
use serde_json::json;

use crate::{Actor, App, Path, Problem};

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
