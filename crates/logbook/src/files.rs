//! The public files of the log under their C2SP names: checkpoint, tiles, entry bundles, key.
//!
//! C2SP tlog-tiles sets paths and media types. Everything but the checkpoint never changes once it
//! exists, and is cached for good; a tile that does not exist yet is not cached at all.

use axum::extract::State;
use axum::http::{HeaderName, Uri, header};
use axum::response::IntoResponse;
use ledger::{Resource, TILE_WIDTH};
use web::{Access, App, Problem, Route};

use crate::refusal::Refusal;
use crate::view;

/// All routes of this file.
pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/log/checkpoint", checkpoint, Access::Anyone),
        Route::get("/log/key", key, Access::Anyone),
        Route::get("/log/tile/{*path}", tile, Access::Anyone),
    ]
}

const TEXT: (HeaderName, &str) = (header::CONTENT_TYPE, "text/plain; charset=utf-8");
const BYTES: (HeaderName, &str) = (header::CONTENT_TYPE, "application/octet-stream");
/// Others' pages and programs may read these files too: they are public, and who checks us should
/// not have to be us.
const SHARED: (HeaderName, &str) = (HeaderName::from_static("access-control-allow-origin"), "*");

/// The head of the log, signed.
async fn checkpoint(State(app): State<App>) -> Result<impl IntoResponse, Problem> {
    let head = app.read(view::head).await?;
    Ok(([TEXT, (header::CACHE_CONTROL, "no-cache"), SHARED], head.checkpoint))
}

/// The log's key, as signed notes write it.
async fn key(State(app): State<App>) -> impl IntoResponse {
    let key = format!("{}\n", app.store.log_key());
    ([TEXT, (header::CACHE_CONTROL, "no-cache"), SHARED], key)
}

/// A tile of hashes or a bundle of entries.
async fn tile(State(app): State<App>, uri: Uri) -> Result<impl IntoResponse, Problem> {
    let resource = resource_of(uri.path()).ok_or(Problem::refused(&Refusal::TileUnknown))?;
    let bytes = app.read(move |reader| reader.resource(resource)).await?;
    let bytes = bytes.ok_or(Problem::refused(&Refusal::TileUnknown))?;
    Ok(([BYTES, (header::CACHE_CONTROL, caching(resource)), SHARED], bytes))
}

/// The tile that a request's path names, in its only spelling: escapes are not undone first.
pub(crate) fn resource_of(path: &str) -> Option<Resource> {
    path.strip_prefix("/log/")?.parse().ok()
}

/// A partial tile never changes either, but a wider one soon takes its place.
pub(crate) const fn caching(resource: Resource) -> &'static str {
    let width = match resource {
        Resource::Tile(id) => id.width,
        Resource::Bundle(id) => id.width,
    };
    if width == TILE_WIDTH {
        "public, max-age=31536000, immutable"
    } else {
        "public, max-age=3600, immutable"
    }
}
