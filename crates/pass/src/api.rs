//! Routes for other systems: a verdict, what gates carry, what is published about our own passes, and the
//! city's own rules ([`rules`]).

#![allow(unused_qualifications, reason = "what the macros of utoipa expand to")]

pub(crate) mod rules;

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use contracts::gate::{Demand, Device, PassRules};
use contracts::person::Role;
use credential::curve::{p256_verify, point_of_text};
use credential::pass::{Policy, Rules, Verdict};
use http::{HeaderMap, StatusCode, header};
use kernel::{Id, Instant};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::{OpenApi as _, ToSchema};
use web::{Access, Actor, App, Json, Path, Problem, Route};

use crate::decide::check_texts;
use crate::judge::{self, TOLERANCE_S};
use crate::model::Card;
use crate::refusal::Refusal;
use crate::{door, lists, rulebook, trust};

/// Who may ask when signed in: whoever checks passes, or answers for those who do.
const ASKERS: [Role; 3] = [Role::Guard, Role::Owner, Role::HealthOfficer];
/// A device's clock may be off by so much, in seconds.
const CLOCK_TOLERANCE_S: i64 = 300;
/// What a device's signature begins with.
const CONTEXT: &[u8] = b"haetae/verification/v1\0";

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::post("/api/v1/verifications", verify, Access::DeviceSigned),
        Route::get("/api/v1/passes/material", give_material, Access::Anyone),
        Route::post("/api/v1/passes/{card}/codes", bind, Access::Citizen),
        Route::get("/api/v1/passes/rules", rules::all, Access::Anyone),
        Route::post("/api/v1/passes/rules", rules::propose, Access::Staff(&[Role::HealthOfficer])),
        Route::get("/api/v1/passes/rules/{set}", rules::one, Access::Anyone),
        Route::post(
            "/api/v1/passes/rules/{set}",
            rules::decide,
            Access::Staff(&[Role::HealthOfficer]),
        ),
        Route::get("/trust/signers.json", signers, Access::Anyone),
        Route::get("/trust/signers.pem", signers_pem, Access::Anyone),
        Route::get("/statuslists/{list}", status_list, Access::Anyone),
    ]
}

/// The description of the JSON route.
pub(crate) fn description() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

#[derive(utoipa::OpenApi)]
#[openapi(paths(
    verify,
    give_material,
    bind,
    rules::all,
    rules::propose,
    rules::one,
    rules::decide,
    signers,
    signers_pem,
    status_list
))]
struct Description;

/// What is asked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerificationBody {
    /// What the QR codes of one pass say; one text, or one for each code of a pass in several.
    texts: Vec<String>,
    /// By which rules: `city`, `eu` or `own` (the pass by itself). A device's place decides when this
    /// is left out, and so does it when it is not.
    rules: Option<String>,
    /// Why it is asked, in a word of the asker; bounded, and not kept.
    purpose: Option<String>,
    /// The device that asks; without one, a signed-in member of staff asks.
    #[schema(value_type = Option<String>)]
    device: Option<Id<Device>>,
    /// Unix seconds by the device's clock; at most 5 minutes off.
    made_at: Option<i64>,
    /// ES256 (raw `r || s`) in base64url over `haetae/verification/v1`, a zero byte, `made_at` as
    /// eight bytes, the device's id and a zero byte, and the SHA-256 of each text, in their order.
    signature: Option<String>,
}

/// How each step went: `ok`, `failed` or `skipped`.
#[derive(Debug, Serialize, ToSchema)]
struct ChecksView {
    decode: &'static str,
    signature: &'static str,
    trust: &'static str,
    usage: &'static str,
    schema: &'static str,
    time: &'static str,
    revocation: &'static str,
    rules: &'static str,
}

/// As much of the holder as a guard needs.
#[derive(Debug, Serialize, ToSchema)]
struct ShownView {
    /// First letters of given names and surname.
    initials: String,
    /// Day and month of birth, `MM-DD`; less where the pass says less.
    birth_day: Option<String>,
    /// The full name, only where the device's place demands it.
    name: Option<String>,
}

/// The verdict, in the words of `haetae verify --json`. Nothing of it is kept.
#[derive(Debug, Serialize, ToSchema)]
struct VerificationView {
    /// `dcc`, `shc`, `nzcp`, `vdsnc`, `haetae` or `unknown`.
    format: &'static str,
    /// `pass`, `no_pass` or `cannot_tell`. Whoever cannot be judged is never "not vaccinated".
    verdict: &'static str,
    checks: ChecksView,
    /// Stable codes; empty for a pass.
    reasons: Vec<String>,
    /// Stable codes of what does not change the verdict: `revocation_missing`, the issuer has a
    /// revocation list that is not held here.
    notes: Vec<&'static str>,
    /// Who issued it, as far as that was verified.
    issuer: Option<String>,
    /// ISO 3166-1 alpha-2.
    issuer_country: Option<String>,
    /// What it attests: `vaccination`, `test`, `recovery`, `exemption` or `bare`.
    kind: Option<&'static str>,
    shown: Option<ShownView>,
    /// Unix seconds.
    valid_until: Option<i64>,
    /// Lets through although a list is too old, because the place says so: to be marked.
    marked: bool,
}

/// A phone's key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BindBody {
    /// base64url of a P-256 point, as WebCrypto exports it (65 bytes), or compressed (33 bytes).
    device_key: String,
}

/// A compact code for that phone.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BoundView {
    /// The pass's name in proofs: 16 bytes in base64url.
    id: String,
    /// The COSE_Sign1 in base64url. The QR text is `HT1:` and the base45 of the CBOR array
    /// `[code, step, signature]`.
    code: String,
    /// Unix seconds.
    issued_at: i64,
    /// Unix seconds.
    valid_until: i64,
    /// The server's time, so that a phone whose clock is wrong can prove the right moment.
    now: i64,
}

/// A pass of mine that an organisation here issued, as a compact code for the phone with this key: good
/// for a day, with a proof of the moment by that key, and as long as the pass itself is.
#[utoipa::path(post, path = "/api/v1/passes/{card}/codes", tag = "pass",
    params(("card" = String, Path, description = "The pass's id")),
    request_body = BindBody, responses((status = 201, body = BoundView)))]
async fn bind(
    State(app): State<App>,
    actor: Actor,
    Path(card): Path<Id<Card>>,
    Json(body): Json<BindBody>,
) -> Result<Response, Problem> {
    let device = point_of_text(&body.device_key).ok_or_else(|| no(Refusal::DeviceKeyInvalid))?;
    let signing_key = app.questions.signing_key;
    let bind = door::Bind { person: actor.person()?, card, device, signing_key };
    let context = actor.context();
    let done = app.write(move |tx| door::bind(tx, &context, &bind)).await?;
    let bound = done.map_err(no)?;
    let it = BoundView {
        id: URL_SAFE_NO_PAD.encode(bound.code.pass),
        code: URL_SAFE_NO_PAD.encode(&bound.signed),
        issued_at: bound.code.issued_at,
        valid_until: bound.code.valid_until,
        now: app.now().seconds(),
    };
    Ok((StatusCode::CREATED, Json(it)).into_response())
}

/// What gates carry to judge the passes of others.
#[derive(Debug, Serialize, ToSchema)]
struct MaterialView {
    /// A COSE_Sign1 by the region's root key, in base64 (see `credential::pass::Material`).
    list: String,
    /// Grows with time.
    version: u64,
    /// Unix seconds.
    issued_at: i64,
    /// Unix seconds; old from this second on.
    valid_until: i64,
}

/// The files that two officers agreed on, and the rules by which places judge.
#[utoipa::path(get, path = "/api/v1/passes/material", tag = "pass",
    responses((status = 200, body = MaterialView)))]
async fn give_material(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    let (inside, now) = (app.clone(), app.now());
    let (material, signed) = app.read(move |it| trust::for_gates(&inside, it, now)).await?;
    let tag = format!("\"{}\"", hex::encode(Sha256::digest(&signed)));
    let caching = [(header::CACHE_CONTROL, "public, max-age=60".to_owned()), (header::ETAG, tag)];
    let [_, (_, tag)] = &caching;
    if headers.get(header::IF_NONE_MATCH).is_some_and(|it| it.as_bytes() == tag.as_bytes()) {
        return Ok((StatusCode::NOT_MODIFIED, caching).into_response());
    }
    let body = MaterialView {
        list: STANDARD.encode(signed),
        version: material.version,
        issued_at: material.issued_at,
        valid_until: material.valid_until,
    };
    Ok((caching, Json(body)).into_response())
}

/// Answers with what is the same for everybody, or "not changed" for whoever has it.
fn published(headers: &HeaderMap, kind: &'static str, body: Vec<u8>) -> Response {
    let tag = format!("\"{}\"", hex::encode(Sha256::digest(&body)));
    let known =
        headers.get(header::IF_NONE_MATCH).is_some_and(|it| it.as_bytes() == tag.as_bytes());
    let caching = [
        (header::CACHE_CONTROL, format!("public, max-age={}", lists::STEP_S / 2)),
        (header::ETAG, tag),
        (header::VARY, "accept".to_owned()),
        // For verifiers in other people's pages.
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*".to_owned()),
    ];
    if known {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    (caching, [(header::CONTENT_TYPE, kind)], body).into_response()
}

async fn own(app: &App) -> Result<Arc<lists::Own>, Problem> {
    let (inside, now) = (app.clone(), app.now());
    app.read(move |it| lists::own(&inside, it, now)).await
}

/// The keys whose passes count, each with its certificate: for verifiers that read lists of signers.
/// An entry with `refused_from` (unix seconds) is of a key that may be in other hands since then.
#[utoipa::path(get, path = "/trust/signers.json", tag = "pass",
    responses((status = 200, content_type = "application/json", body = String)))]
async fn signers(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    Ok(published(&headers, "application/json", own(&app).await?.signers.clone()))
}

/// The region's authority and the keys that it certified, as PEM.
#[utoipa::path(get, path = "/trust/signers.pem", tag = "pass",
    responses((status = 200, content_type = "application/x-pem-file", body = String)))]
async fn signers_pem(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    let pem = own(&app).await?.pem.clone().into_bytes();
    Ok(published(&headers, "application/x-pem-file", pem))
}

/// A Token Status List (draft-ietf-oauth-status-list): what is revoked or suspended of the passes that
/// name this address. CWT, or JWT for who accepts `application/statuslist+jwt`.
#[utoipa::path(get, path = "/statuslists/{list}", tag = "pass",
    params(("list" = u32, Path, description = "The list's number")),
    responses((status = 200, content_type = "application/statuslist+cwt", body = String),
        (status = 404, description = "There is no such list")))]
async fn status_list(
    State(app): State<App>,
    Path(list): Path<u32>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let own = own(&app).await?;
    let found = own.lists.iter().find(|it| it.number == list);
    let found = found.ok_or_else(|| no(Refusal::ListUnknown))?;
    let accept = headers.get(header::ACCEPT).and_then(|it| it.to_str().ok()).unwrap_or_default();
    Ok(if accept.contains("application/statuslist+jwt") {
        published(&headers, "application/statuslist+jwt", found.jwt.clone().into_bytes())
    } else {
        published(&headers, "application/statuslist+cwt", found.cwt.clone())
    })
}

#[expect(clippy::needless_pass_by_value, reason = "stands in `map_err`")]
fn no(refusal: Refusal) -> Problem {
    Problem::refused(&refusal)
}

/// The bytes that a device signs when it asks for a verdict.
pub fn signed_bytes(device: Id<Device>, texts: &[String], made_at_s: i64) -> Vec<u8> {
    let mut bytes = CONTEXT.to_vec();
    bytes.extend_from_slice(&made_at_s.to_be_bytes());
    bytes.extend_from_slice(device.to_string().as_bytes());
    bytes.push(0);
    for text in texts {
        bytes.extend_from_slice(&Sha256::digest(text));
    }
    bytes
}

/// What the asker's place demands; a member of staff gets the minimum.
async fn asker(app: &App, actor: &Actor, body: &VerificationBody) -> Result<Demand, Problem> {
    let Some(device) = body.device else {
        actor.staff()?;
        if !ASKERS.iter().any(|it| actor.has(*it)) {
            return Err(Problem::forbidden());
        }
        return Ok(Demand { rules: PassRules::Own, ..Demand::default() });
    };
    let made_at = body.made_at.ok_or_else(|| no(Refusal::SignatureBad))?;
    if app.now().seconds().saturating_sub(made_at).saturating_abs() > CLOCK_TOLERANCE_S {
        return Err(no(Refusal::ClockOff));
    }
    let signature = body.signature.as_deref().unwrap_or_default();
    let signature = URL_SAFE_NO_PAD.decode(signature).ok();
    let signature = signature.and_then(|it| <[u8; 64]>::try_from(it).ok());
    let signature = signature.ok_or_else(|| no(Refusal::SignatureBad))?;
    let approved = app.questions.approved_device;
    let known = app.read(move |reader| approved(reader, device)).await?;
    let known = known.ok_or_else(|| no(Refusal::SignatureBad))?;
    let bytes = signed_bytes(device, &body.texts, made_at);
    if p256_verify(&known.public_key, &bytes, &signature) {
        Ok(known.demand)
    } else {
        Err(no(Refusal::SignatureBad))
    }
}

/// Says what a pass is worth now, by the keys and lists that two officers of the region agreed on.
/// Asked by an enrolled device, which signs, or by signed-in staff. Nothing about the person is
/// kept: not the texts, not the verdict.
#[utoipa::path(post, path = "/api/v1/verifications", tag = "pass",
    request_body = VerificationBody, responses((status = 200, body = VerificationView)))]
async fn verify(
    State(app): State<App>,
    actor: Actor,
    Json(body): Json<VerificationBody>,
) -> Result<Json<VerificationView>, Problem> {
    let rules = match body.rules.as_deref() {
        None => None,
        Some(word) => {
            let known = PassRules::from_word(word).filter(|it| *it != PassRules::CodeOnly);
            Some(known.ok_or_else(|| no(Refusal::RulesUnknown))?)
        }
    };
    if let Some(purpose) = &body.purpose {
        kernel::clean(purpose, 80).map_err(|_| no(Refusal::NameInvalid))?;
    }
    check_texts(&body.texts).map_err(no)?;
    let demand = asker(&app, &actor, &body).await?;
    let demand = match (body.device, rules) {
        // A device's place decides; a member of staff chooses.
        (None, Some(rules)) => Demand { rules, ..demand },
        _ => demand,
    };
    let (now, texts) = (app.now(), body.texts);
    let judged = app.read({
        let app = app.clone();
        move |reader| {
            let trust = trust::of(&app, reader, &texts, now)?;
            let sets = rulebook::in_force(reader)?;
            Ok(by_demand(&texts, &trust, &sets, demand, now))
        }
    });
    let (verdict, marked) = judged.await?;
    Ok(Json(view(&verdict, marked)))
}

/// The verdict by what a place demands, and whether it lets through with a mark.
fn by_demand(
    texts: &[String],
    trust: &credential::pass::Trust,
    sets: &rulebook::Sets,
    demand: Demand,
    now: Instant,
) -> (Verdict, bool) {
    let policy = Policy { full_name: demand.full_name, clock_tolerance_s: TOLERANCE_S };
    let rules = sets.of_place(demand.rules);
    let rules = rules.as_ref().map(|it| -> &dyn Rules { it });
    let verdict = judge::verdict(texts, trust, rules, &policy, now);
    let marked = demand.stale_passes && judge::only_stale(&verdict);
    (verdict, marked)
}

fn view(verdict: &Verdict, marked: bool) -> VerificationView {
    let (checks, of) = (&verdict.checks, judge::check_word);
    VerificationView {
        format: verdict.format.code(),
        verdict: judge::outcome_word(verdict.outcome),
        checks: ChecksView {
            decode: of(checks.decode),
            signature: of(checks.signature),
            trust: of(checks.trust),
            usage: of(checks.usage),
            schema: of(checks.schema),
            time: of(checks.time),
            revocation: of(checks.revocation),
            rules: of(checks.rules),
        },
        reasons: verdict.reasons.iter().map(ToString::to_string).collect(),
        notes: verdict.notes.iter().map(|it| it.code()).collect(),
        issuer: verdict.issuer.as_ref().map(|it| it.name.clone()),
        issuer_country: verdict.issuer.as_ref().and_then(|it| it.country.clone()),
        kind: verdict.kind.map(judge::kind_word),
        shown: verdict.shown.as_ref().map(|it| ShownView {
            initials: it.initials.clone(),
            birth_day: it.birth_day.clone(),
            name: it.name.clone(),
        }),
        valid_until: verdict.valid_until,
        marked,
    }
}
