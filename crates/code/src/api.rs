//! The JSON routes. Each does four things: who asks, what they ask, execute, answer.
#![allow(unused_qualifications, reason = "what the macros of utoipa expand to")]

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use contracts::code::Pass;
use contracts::person::Role;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use kernel::{Date, Id, Instant};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::{IntoParams, OpenApi, ToSchema};
use web::{Access, Actor, App, Json, Path, Problem, Purpose, Query, Route};

use crate::command::Ask;
use crate::event::{Event, PolicyEvent};
use crate::issue::{self, List};
use crate::model::{Answer, Declaration, DeviceKey, RevokedBecause, Stay, Symptoms};
use crate::policy::{POLICY, Policy, PolicyCommand};
use crate::refusal::Refusal;
use crate::{changes, door, keys, view};

/// All JSON routes.
pub(crate) fn routes() -> Vec<Route> {
    use Access::{Anyone, Citizen, Staff};
    vec![
        Route::get("/api/v1/code", standing, Citizen),
        Route::get("/api/v1/code/declarations", declarations, Citizen),
        Route::post("/api/v1/code/declarations", declare, Citizen),
        Route::get("/api/v1/code/decisions", decisions, Citizen),
        Route::post("/api/v1/code/passes", issue_pass, Citizen),
        Route::delete("/api/v1/code/passes/{pass}", revoke_pass, Citizen),
        Route::get("/api/v1/code/trust", trust, Anyone),
        Route::get("/api/v1/code/revocations", revocations, Anyone),
        Route::get("/api/v1/code/policy", policy, Anyone),
        Route::post("/api/v1/code/policy", change_policy, Staff(&[Role::HealthOfficer])),
    ]
}

/// The description of the JSON routes.
#[derive(OpenApi)]
#[openapi(paths(
    standing,
    declarations,
    declare,
    decisions,
    issue_pass,
    revoke_pass,
    trust,
    revocations,
    policy,
    change_policy
))]
pub(crate) struct Api;

/// A colour, until when and why.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Standing {
    /// `green`, `yellow`, `red` or `unknown`.
    colour: &'static str,
    /// When it changes by itself, RFC 3339; absent when it does not.
    until: Option<String>,
    /// Stable codes.
    reasons: Vec<String>,
    /// The version of the rules.
    rules_version: u32,
    /// When the newest declaration was made.
    declared_at: Option<String>,
    /// The newest decision on the log.
    decision: Option<String>,
}

/// What my colour is now.
#[utoipa::path(get, path = "/api/v1/code", tag = "code", responses((status = 200, body = Standing)))]
async fn standing(State(app): State<App>, actor: Actor) -> Result<Json<Standing>, Problem> {
    let (person, now) = (actor.person()?, app.now());
    let (holder, _, decision) = app.read(move |it| view::standing(it, person, now)).await?;
    Ok(Json(Standing {
        colour: decision.colour.word(),
        until: decision.until.map(Instant::rfc3339),
        reasons: decision.reasons,
        rules_version: decision.rules_version,
        declared_at: holder.facts.declared.as_ref().map(|(_, at)| at.rfc3339()),
        decision: holder.last_ruling().map(|it| it.decision.to_string()),
    }))
}

/// A place where the person stayed.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StayBody {
    /// The place in the person's words.
    place: String,
    /// The first day, `YYYY-MM-DD`.
    from: String,
    /// The last day, `YYYY-MM-DD`.
    to: String,
}

/// A declaration. An answer that is left out was not asked.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeclarationBody {
    /// The name as on the document.
    name: String,
    /// The document's number.
    document: String,
    /// Where the person lives.
    residence: String,
    /// Where the person stayed in the last 14 days besides there; at most 14.
    #[serde(default)]
    stays: Vec<StayBody>,
    /// Contact in the last 14 days with somebody who had symptoms.
    #[serde(default)]
    contact_symptomatic: Answer,
    /// Contact in the last 14 days with somebody confirmed infected.
    #[serde(default)]
    contact_confirmed: Answer,
    /// Symptoms now.
    #[serde(default)]
    symptoms: Symptoms,
    /// Body temperature in tenths of a degree Celsius, 340 to 430.
    #[serde(default)]
    temperature_tenths: Option<u16>,
}

impl DeclarationBody {
    fn read(self) -> Result<Declaration, Refusal> {
        let day = |text: &str| text.parse::<Date>().map_err(|_| Refusal::StayInvalid);
        let stays = self
            .stays
            .into_iter()
            .map(|it| Ok(Stay { from: day(&it.from)?, to: day(&it.to)?, place: it.place }));
        Ok(Declaration {
            name: self.name,
            document: self.document,
            residence: self.residence,
            stays: stays.collect::<Result<_, _>>()?,
            contact_symptomatic: self.contact_symptomatic,
            contact_confirmed: self.contact_confirmed,
            symptoms: self.symptoms,
            temperature_tenths: self.temperature_tenths,
        })
    }
}

impl From<Declaration> for DeclarationBody {
    fn from(it: Declaration) -> Self {
        let stays = it.stays.into_iter().map(|it| StayBody {
            place: it.place,
            from: it.from.to_string(),
            to: it.to.to_string(),
        });
        Self {
            name: it.name,
            document: it.document,
            residence: it.residence,
            stays: stays.collect(),
            contact_symptomatic: it.contact_symptomatic,
            contact_confirmed: it.contact_confirmed,
            symptoms: it.symptoms,
            temperature_tenths: it.temperature_tenths,
        }
    }
}

/// A declaration on the log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Declared {
    /// When, RFC 3339.
    at: String,
    /// Its place on the public log.
    seq: u64,
    /// Whether somebody who helps made it.
    by_helper: bool,
    /// What was declared.
    declaration: DeclarationBody,
}

/// My declarations, newest first.
#[utoipa::path(get, path = "/api/v1/code/declarations", tag = "code",
    responses((status = 200, body = Vec<Declared>)))]
async fn declarations(
    State(app): State<App>,
    actor: Actor,
) -> Result<Json<Vec<Declared>>, Problem> {
    let person = actor.person()?;
    let events = app.read(move |it| view::history(it, person)).await?;
    let declared = events.into_iter().filter_map(|(seq, event)| match event {
        Event::Declared { declaration, by_helper, at } => {
            Some(Declared { at: at.rfc3339(), seq, by_helper, declaration: declaration.into() })
        }
        _ => None,
    });
    Ok(Json(declared.collect()))
}

/// A decision on the log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Decided {
    /// Its id.
    decision: String,
    /// Its place on the public log.
    seq: u64,
    /// When, RFC 3339.
    at: String,
    /// `green`, `yellow`, `red` or `unknown`.
    colour: &'static str,
    /// When it ends by itself, RFC 3339.
    until: Option<String>,
    /// Stable codes.
    reasons: Vec<String>,
    /// The version of the rules.
    rules_version: u32,
}

fn decided(seq: u64, event: &Event) -> Option<Decided> {
    let Event::Decided { decision, colour, until, reasons, rules_version, at } = event else {
        return None;
    };
    Some(Decided {
        decision: decision.to_string(),
        seq,
        at: at.rfc3339(),
        colour: colour.word(),
        until: until.map(Instant::rfc3339),
        reasons: reasons.clone(),
        rules_version: *rules_version,
    })
}

/// Declares; answers with the decision.
#[utoipa::path(post, path = "/api/v1/code/declarations", tag = "code",
    request_body = DeclarationBody, responses((status = 201, body = Decided)))]
async fn declare(
    State(app): State<App>,
    actor: Actor,
    Json(body): Json<DeclarationBody>,
) -> Result<Response, Problem> {
    let person = actor.person()?;
    let declaration = body.read().map_err(|refusal| Problem::refused(&refusal))?;
    let (by_helper, today) = (actor.acting_for.is_some(), app.config.zone.date(app.now()));
    let ask = Ask::Declare { declaration, by_helper, today };
    let done = door::execute(&app, actor.context(), person, ask).await?;
    let mut places = (done.first..).zip(&done.events);
    let decided = places.find_map(|(seq, event)| decided(seq, event));
    let decided = decided.ok_or_else(|| store::Fault::new("a declaration without a decision"))?;
    Ok((StatusCode::CREATED, Json(decided)).into_response())
}

/// My decisions, newest first.
#[utoipa::path(get, path = "/api/v1/code/decisions", tag = "code",
    responses((status = 200, body = Vec<Decided>)))]
async fn decisions(State(app): State<App>, actor: Actor) -> Result<Json<Vec<Decided>>, Problem> {
    let person = actor.person()?;
    let events = app.read(move |it| view::history(it, person)).await?;
    Ok(Json(events.iter().filter_map(|(seq, event)| decided(*seq, event)).collect()))
}

/// What a pass is asked for with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PassBody {
    /// The device's public key: P-256, SEC 1 (compressed or not), base64url.
    device_key: String,
}

/// A signed code.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PassView {
    /// The pass's id.
    pass: String,
    /// The 16 bytes of that id, base64url: what the device signs.
    id: String,
    /// The COSE_Sign1, base64url.
    code: String,
    /// What a person types.
    short: String,
    /// `green`, `yellow` or `red`.
    colour: &'static str,
    /// Unix seconds.
    issued_at: i64,
    /// Unix seconds.
    valid_until: i64,
    /// The server's time, so that a phone whose clock is wrong can prove the right moment.
    now: i64,
}

/// Issues a pass for the device with this key. The same `Idempotency-Key` gives the same pass.
#[utoipa::path(post, path = "/api/v1/code/passes", tag = "code",
    request_body = PassBody, responses((status = 201, body = PassView)))]
async fn issue_pass(
    State(app): State<App>,
    actor: Actor,
    Json(body): Json<PassBody>,
) -> Result<Response, Problem> {
    let device_key = DeviceKey::parse(&body.device_key)
        .ok_or_else(|| Problem::refused(&Refusal::DeviceKeyInvalid))?;
    let signed = issue_for(&app, &actor, Some(device_key)).await?;
    let it = PassView {
        pass: signed.pass.pass.to_string(),
        id: URL_SAFE_NO_PAD.encode(signed.pass.pass.to_bytes()),
        code: URL_SAFE_NO_PAD.encode(&signed.code),
        short: signed.pass.short.to_string(),
        colour: signed.pass.colour.word(),
        issued_at: signed.pass.issued_at.seconds(),
        valid_until: signed.pass.valid_until.seconds(),
        now: app.now().seconds(),
    };
    Ok((StatusCode::CREATED, Json(it)).into_response())
}

/// Issues and signs a pass for the actor's person: for a device, or for paper.
pub(crate) async fn issue_for(
    app: &App,
    actor: &Actor,
    device_key: Option<DeviceKey>,
) -> Result<issue::Signed, Problem> {
    let person = actor.person()?;
    let short = credential::ShortCode::from_bits(u64::from_be_bytes(app.seed().bytes()));
    let ask = Ask::IssuePass { pass: app.random_id(), device_key, short };
    let done = door::execute(app, actor.context(), person, ask).await?;
    let pass = issue::issued(&done.events)
        .ok_or_else(|| store::Fault::new("a pass was issued without its event"))?;
    Ok(issue::sign(&app.keyring, app.store.region(), pass)?)
}

/// Ends a pass of mine: a lost phone or paper.
#[utoipa::path(delete, path = "/api/v1/code/passes/{pass}", tag = "code",
    params(("pass" = String, Path, description = "The pass's id")), responses((status = 204)))]
async fn revoke_pass(
    State(app): State<App>,
    actor: Actor,
    Path(pass): Path<Id<Pass>>,
) -> Result<StatusCode, Problem> {
    let ask = Ask::RevokePass { pass, why: RevokedBecause::Lost };
    door::execute(&app, actor.context(), actor.person()?, ask).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A signed list that a gate carries.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ListView {
    /// The COSE_Sign1, base64. Absent where `delta` is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    list: Option<String>,
    /// Of revocations, what changed since the list that the caller has, in base64: CBOR `[version, issued
    /// at, valid until, removed entries, added entries, signature of the newer list]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    delta: Option<String>,
    /// Grows with every list.
    version: u64,
    /// Unix seconds.
    issued_at: i64,
    /// Unix seconds; stale from then on.
    valid_until: i64,
}

/// The keys whose signatures count, signed by the region's root key. With `Accept:
/// application/cose` the bare COSE_Sign1.
#[utoipa::path(get, path = "/api/v1/code/trust", tag = "code", responses((status = 200, body = ListView)))]
async fn trust(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    let issuers = app.read(keys::issuers).await?;
    let list = issue::trust(&app.keyring, &issuers, app.store.region(), app.now())?;
    Ok(answer_list(&list, None, &headers, "public, max-age=30"))
}

/// Which list the caller has.
#[derive(Debug, Deserialize, IntoParams)]
struct SinceQuery {
    /// The version of a list that the caller has: only what changed since is answered, where this process
    /// still knows that list.
    since: Option<u64>,
}

/// The passes that ended early, signed by the region's root key. With `Accept: application/cose`
/// the bare COSE_Sign1, whole.
#[utoipa::path(get, path = "/api/v1/code/revocations", tag = "code", params(SinceQuery),
    responses((status = 200, body = ListView)))]
async fn revocations(
    State(app): State<App>,
    Query(query): Query<SinceQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let now = app.now();
    let read = move |it: &mut store::Reader<'_>| Ok((keys::issuers(it)?, view::revoked(it, now)?));
    let (issuers, passes) = app.read(read).await?;
    let (list, entries) = issue::revocations(&app.keyring, &issuers, &passes, now)?;
    let delta = changes::since(&list, entries, query.since)?;
    Ok(answer_list(&list, delta.as_deref(), &headers, "public, max-age=30"))
}

/// The list, or what changed in it, or "not changed" for whoever has it.
fn answer_list(
    list: &List,
    delta: Option<&[u8]>,
    headers: &HeaderMap,
    caching: &'static str,
) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let bare = accept.contains("application/cose");
    let digest = hex::encode(Sha256::digest(&list.signed));
    let tag =
        format!("\"{}{}\"", if bare { "c" } else { "j" }, digest.get(..24).unwrap_or_default());
    let known =
        headers.get(header::IF_NONE_MATCH).is_some_and(|it| it.as_bytes() == tag.as_bytes());
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else if bare {
        let mut response = list.signed.clone().into_response();
        let kind = HeaderValue::from_static("application/cose; cose-type=\"cose-sign1\"");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    } else {
        Json(ListView {
            list: delta.is_none().then(|| STANDARD.encode(&list.signed)),
            delta: delta.map(|it| STANDARD.encode(it)),
            version: list.version,
            issued_at: list.issued_at,
            valid_until: list.valid_until,
        })
        .into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    headers.insert(header::VARY, HeaderValue::from_static("accept"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}

/// A version of the rules.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PolicyView {
    /// Counts from 1.
    version: u32,
    /// From when on, RFC 3339; absent while the shipped rules are not on the log yet.
    at: Option<String>,
    /// Its place on the public log.
    seq: Option<u64>,
    /// Why it was changed.
    why: String,
    /// The rules: CertLogic with parameters.
    #[schema(value_type = Object)]
    rule_set: serde_json::Value,
}

/// All versions of the rules, newest first.
#[utoipa::path(get, path = "/api/v1/code/policy", tag = "code", responses((status = 200, body = Vec<PolicyView>)))]
async fn policy(State(app): State<App>) -> Result<Json<Vec<PolicyView>>, Problem> {
    let versions = app.read(view::policies).await?;
    let mut answer = Vec::new();
    for (seq, event) in versions {
        let PolicyEvent::PolicyChanged { rule_set, why, at, .. } = event else { continue };
        answer.push(PolicyView {
            version: rule_set.version(),
            at: Some(at.rfc3339()),
            seq: Some(seq),
            why,
            rule_set: json(&rule_set)?,
        });
    }
    if let (true, Some(rules)) = (answer.is_empty(), Policy::default().rules) {
        let (version, why) = (rules.version(), String::new());
        answer.push(PolicyView { version, at: None, seq: None, why, rule_set: json(&rules)? });
    }
    Ok(Json(answer))
}

fn json(rules: &rules::RuleSet) -> Result<serde_json::Value, store::Fault> {
    serde_json::to_value(rules).map_err(|error| store::Fault::caused("writing rules", error))
}

/// New rules.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyBody {
    /// The whole rule set; its version is one higher than the present one.
    #[schema(value_type = Object)]
    rule_set: serde_json::Value,
    /// Why: the source of the new numbers.
    why: String,
}

/// Changes the rules, for decisions from now on.
#[utoipa::path(post, path = "/api/v1/code/policy", tag = "code",
    request_body = PolicyBody, responses((status = 201)))]
async fn change_policy(
    State(app): State<App>,
    actor: Actor,
    Json(body): Json<PolicyBody>,
) -> Result<StatusCode, Problem> {
    let PolicyBody { rule_set, why } = body;
    set_policy(&app, &actor, rule_set, why).await?;
    Ok(StatusCode::CREATED)
}

/// Changes the rules. Region-wide health officers only.
pub(crate) async fn set_policy(
    app: &App,
    actor: &Actor,
    rule_set: serde_json::Value,
    why: String,
) -> Result<(), Problem> {
    let by = officer(actor)?;
    let context = actor.context();
    let answer = app.write(move |tx| {
        let command = PolicyCommand::Change { rule_set: rule_set.clone(), why: why.clone(), by };
        tx.run::<Policy>(&context, POLICY, command)
    });
    answer.await?.map(|_| ()).map_err(|refusal| Problem::refused(&refusal))
}

/// The member of staff, if a health officer for the whole region.
pub(crate) fn officer(actor: &Actor) -> Result<Id<contracts::person::Staff>, Problem> {
    actor.need(Role::HealthOfficer, &[])
}

/// Why an officer reads a record, with the grounds they stated.
pub(crate) fn purpose(word: &'static str, grounds: &str) -> Purpose {
    Purpose::new(word, grounds)
}
