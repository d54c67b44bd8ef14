//! The JSON routes: head, entries, proofs. Hashes are in base64 as in checkpoints.

use axum::extract::State;
use kernel::Instant;
use ledger::Hash;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi as _, ToSchema};
use web::{Access, App, Json, Path, Problem, Query, Route};

use crate::refusal::Refusal;
use crate::{receipt, view};

/// All routes of this file.
pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/log/head", head, Access::Anyone),
        Route::get("/api/v1/log/entries/{index}", entry, Access::Anyone),
        Route::get("/api/v1/log/proof/inclusion", inclusion, Access::Anyone),
        Route::get("/api/v1/log/proof/consistency", consistency, Access::Anyone),
    ]
}

/// The routes, described.
pub fn api() -> utoipa::openapi::OpenApi {
    #[derive(utoipa::OpenApi)]
    #[openapi(paths(head, entry, inclusion, consistency))]
    struct Api;
    Api::openapi()
}

/// The head of the log.
#[derive(Debug, Serialize, ToSchema)]
struct HeadView {
    /// Whose log.
    origin: String,
    /// Entries.
    size: u64,
    /// The root over them, base64.
    root: String,
    /// When the checkpoint was signed, RFC 3339.
    at: String,
    /// The signed checkpoint (C2SP tlog-checkpoint).
    checkpoint: String,
    /// The log's key (C2SP signed-note, vkey).
    key: String,
}

/// An entry of the log.
#[derive(Debug, Serialize, ToSchema)]
struct EntryView {
    /// Its index.
    index: u64,
    /// The kind of what was recorded.
    kind: String,
    /// When, RFC 3339.
    at: String,
    /// The line as it stands on the log: hash exactly these bytes.
    entry: String,
    /// SHA-256 over a zero byte and the line, base64.
    leaf_hash: String,
}

/// Which proof.
#[derive(Debug, Deserialize, IntoParams)]
struct InclusionQuery {
    /// The entry.
    index: u64,
    /// The log's size that the proof is for; the present one when left out.
    size: Option<u64>,
}

/// That an entry is on the log (RFC 9162 section 2.1.3).
#[derive(Debug, Serialize, ToSchema)]
struct InclusionView {
    /// The entry.
    index: u64,
    /// The log's size.
    size: u64,
    /// The root at that size, base64.
    root: String,
    /// The entry's own hash, base64.
    leaf_hash: String,
    /// The path from the leaf's neighbour upwards, base64.
    proof: Vec<String>,
}

/// Which proof.
#[derive(Debug, Deserialize, IntoParams)]
struct ConsistencyQuery {
    /// The older size, at least 1.
    old: u64,
    /// The newer size; the present one when left out.
    new: Option<u64>,
}

/// That the newer log begins with the older (RFC 9162 section 2.1.4).
#[derive(Debug, Serialize, ToSchema)]
struct ConsistencyView {
    /// The older size.
    old: u64,
    /// The root at the older size, base64. Compare it with the one you kept.
    old_root: String,
    /// The newer size.
    new: u64,
    /// The root at the newer size, base64.
    new_root: String,
    /// The proof, base64.
    proof: Vec<String>,
}

fn texts(path: &[Hash]) -> Vec<String> {
    path.iter().map(Hash::to_string).collect()
}

/// The present head of the public log.
#[utoipa::path(get, path = "/api/v1/log/head", tag = "log",
    responses((status = 200, body = HeadView)))]
async fn head(State(app): State<App>) -> Result<Json<HeadView>, Problem> {
    let head = app.read(view::head).await?;
    let key = app.store.log_key().to_owned();
    Ok(Json(HeadView {
        origin: head.checkpoint.lines().next().unwrap_or_default().to_owned(),
        size: head.size,
        root: head.root.to_string(),
        at: head.at.rfc3339(),
        checkpoint: head.checkpoint,
        key,
    }))
}

/// One entry of the public log.
#[utoipa::path(get, path = "/api/v1/log/entries/{index}", tag = "log",
    params(("index" = u64, Path, description = "From 0")),
    responses((status = 200, body = EntryView), (status = 404, description = "No such entry")))]
async fn entry(State(app): State<App>, Path(index): Path<u64>) -> Result<Json<EntryView>, Problem> {
    let (found, size) = app.read(move |it| Ok((view::entry(it, index)?, it.head()?.size))).await?;
    let found = found.ok_or_else(|| Problem::refused(&Refusal::EntryUnknown { size }))?;
    let at: Instant = found.leaf.at;
    let leaf_hash = ledger::leaf_hash(&found.bytes).to_string();
    let entry = receipt::text(found.bytes)?;
    Ok(Json(EntryView { index, kind: found.leaf.kind, at: at.rfc3339(), entry, leaf_hash }))
}

/// A proof that an entry is on the log.
#[utoipa::path(get, path = "/api/v1/log/proof/inclusion", tag = "log", params(InclusionQuery),
    responses((status = 200, body = InclusionView), (status = 404, description = "No such entry")))]
async fn inclusion(
    State(app): State<App>,
    Query(query): Query<InclusionQuery>,
) -> Result<Json<InclusionView>, Problem> {
    let InclusionQuery { index, size } = query;
    let (proven, now) = app
        .read(move |it| {
            let now = it.head()?.size;
            let size = size.unwrap_or(now);
            let proven = if size <= now { view::prove(it, index, size)? } else { None };
            Ok((proven, now))
        })
        .await?;
    let proven = proven.ok_or_else(|| Problem::refused(&Refusal::EntryUnknown { size: now }))?;
    Ok(Json(InclusionView {
        index,
        size: proven.size,
        root: proven.root.to_string(),
        leaf_hash: proven.leaf().to_string(),
        proof: texts(&proven.path),
    }))
}

/// A proof that the log only grew between two sizes.
#[utoipa::path(get, path = "/api/v1/log/proof/consistency", tag = "log", params(ConsistencyQuery),
    responses((status = 200, body = ConsistencyView),
        (status = 422, description = "Sizes between which nothing can be proven")))]
async fn consistency(
    State(app): State<App>,
    Query(query): Query<ConsistencyQuery>,
) -> Result<Json<ConsistencyView>, Problem> {
    let ConsistencyQuery { old, new } = query;
    let (proof, size) = app
        .read(move |it| {
            let head = it.head()?;
            Ok((view::continued(it, &head, old, new.unwrap_or(head.size))?, head.size))
        })
        .await?;
    let proof = proof.ok_or_else(|| Problem::refused(&Refusal::SizesOutOfOrder { size }))?;
    Ok(Json(ConsistencyView {
        old: proof.old,
        old_root: proof.old_root.to_string(),
        new: proof.new,
        new_root: proof.new_root.to_string(),
        proof: texts(&proof.path),
    }))
}
