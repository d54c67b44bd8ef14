//! What the operator's own machines ask: whether requests can be answered and if not why, and
//! metrics. On a listener of its own, because the answers say how much is going on in the city and
//! what its weak moment is; the public one answers `/live` and a bare `/ready` alone.

use std::path::Path;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderValue, StatusCode, header};
use serde_json::json;
use store::Role;
use tower_http::timeout::TimeoutLayer;

use crate::app::DiskConfig;
use crate::router::TIMEOUT;
use crate::{App, Problem};

/// The writer's queue counts as nearly full from this share on (percent).
const QUEUE_FULL_PERCENT: u64 = 90;

/// `/live`, `/ready` with its reasons and `/metrics`, for the operator's listener. No sessions, no
/// limits, nothing that can be changed.
pub fn build_ops_router(app: App) -> Router {
    Router::new()
        .route("/live", get(live))
        .route("/ready", get(explained))
        .route("/metrics", get(metrics))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, TIMEOUT))
        .with_state(app)
}

/// The program runs. Says nothing of its store.
pub(crate) async fn live() -> &'static str {
    "live\n"
}

/// Whether requests can be answered, without a word of why not.
pub(crate) async fn ready(State(app): State<App>) -> Result<&'static str, Problem> {
    match reasons(&app, space(&app).await).await.as_slice() {
        [] => Ok("ready\n"),
        _ => Err(Problem::own("web-not-ready").retry_after(10)),
    }
}

/// The same with reasons (what makes it not ready) and warnings (what will, or what only a person
/// can mend): each a stable word.
async fn explained(State(app): State<App>) -> Response {
    let space = space(&app).await;
    let reasons = reasons(&app, space).await;
    let mut warnings = Vec::new();
    if space.is_some_and(|it| it.is_low(&app.config.disk)) {
        warnings.push("disk-low");
    }
    let role = app.store.role();
    if role == Role::Standby(None) {
        warnings.push("no-writer");
    }
    let [waiting, _, laid_aside] =
        app.read(|reader| reader.outbox_counts()).await.unwrap_or([0; 3]);
    if laid_aside > 0 {
        warnings.push("messages-laid-aside");
    }
    let body = json!({
        "ready": reasons.is_empty(),
        "reasons": reasons,
        "warnings": warnings,
        "role": if app.store.is_writer() { "writer" } else { "standby" },
        "writer": match &role {
            Role::Standby(Some(holder)) => Some(&holder.url),
            _ => None,
        },
        "entries": app.store.size(),
        "queue": app.store.waiting(),
        "messages_waiting": waiting,
        "messages_laid_aside": laid_aside,
        "disk_free_bytes": space.map(|it| it.free),
    });
    let status = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, axum::Json(body)).into_response()
}

/// Why requests cannot be answered; empty when they can.
async fn reasons(app: &App, space: Option<Space>) -> Vec<&'static str> {
    let most = u64::try_from(store::door::QUEUE_MAX).unwrap_or(u64::MAX);
    let queue_full = app.store.waiting() * 100 >= most * QUEUE_FULL_PERCENT;
    let unreadable = app.store.read(|reader| reader.head().map(|_| ())).await.is_err();
    [
        ("store-stopped", app.store.is_stopped()),
        ("writes-refused", app.store.is_paused()),
        ("queue-nearly-full", queue_full),
        ("store-unreadable", unreadable),
        ("disk-full", space.is_some_and(|it| it.is_full(&app.config.disk))),
        ("disk-unreadable", space.is_none()),
    ]
    .into_iter()
    .filter_map(|(reason, holds)| holds.then_some(reason))
    .collect()
}

async fn metrics(State(app): State<App>) -> Result<Response, Problem> {
    let outbox = app.read(|reader| reader.outbox_counts()).await?;
    let folder = app.config.disk.folder.clone();
    let looked = move || (files(&folder), store::backup::last(&folder));
    let (files, backup) = tokio::task::spawn_blocking(looked).await.unwrap_or_default();
    let backup_age_s = backup.map(|at| u64::try_from(app.now().seconds_since(at)).unwrap_or(0));
    let text = app.metrics.text(&app.store, outbox, space(&app).await, &files, backup_age_s);
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

/// How much room the data folder's disk has, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Space {
    /// What this process may still write: without the share that is reserved for root.
    pub(crate) free: u64,
    pub(crate) size: u64,
}

impl Space {
    fn is_low(self, config: &DiskConfig) -> bool {
        u128::from(self.free) * 100 < u128::from(self.size) * u128::from(config.low_percent)
    }

    fn is_full(self, config: &DiskConfig) -> bool {
        self.free < config.full_mib.saturating_mul(1024 * 1024)
    }
}

/// Asks the file system, off the async threads: a disk that hangs must not hang them.
async fn space(app: &App) -> Option<Space> {
    let folder = app.config.disk.folder.clone();
    let asked = tokio::task::spawn_blocking(move || rustix::fs::statvfs(&folder)).await.ok()?;
    let it = asked.ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(it.f_frsize);
    Some(Space { free: bytes(it.f_bavail), size: bytes(it.f_blocks) })
}

/// The databases and their journals with their sizes in bytes, by name.
fn files(folder: &Path) -> Vec<(String, u64)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<_> = entries
        .filter_map(|it| {
            let (name, size) = (it.as_ref().ok()?.file_name(), it.ok()?.metadata().ok()?.len());
            let name = name.into_string().ok()?;
            let ours = matches!(name.split_once('.'), Some((_, "db" | "db-wal")));
            ours.then_some((name, size))
        })
        .collect();
    files.sort_unstable();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_low_by_its_share_and_full_by_its_bytes() {
        let config = DiskConfig { folder: "x".into(), low_percent: 20, full_mib: 1 };
        let of = |free, size| Space { free, size };
        assert!(of(199, 1_000).is_low(&config) && !of(200, 1_000).is_low(&config));
        assert!(of(1_048_575, 9).is_full(&config) && !of(1_048_576, 9).is_full(&config));
        // No size overflows.
        assert!(!of(u64::MAX, u64::MAX).is_low(&config));
        assert!(of(7, 9).is_full(&DiskConfig { full_mib: u64::MAX, ..config }));
    }
}
