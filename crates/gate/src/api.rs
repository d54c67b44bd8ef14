//! The JSON routes. Each does four things: who asks, what they ask, execute, answer.

#![allow(unused_qualifications, reason = "what the macros of utoipa expand to")]

use std::sync::Arc;

use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use contracts::gate::{Device as DeviceId, Place as PlaceId, Verdict};
use credential::curve::p256_verify;
use credential::sealed::{QueueKey, SealedError};
use credential::{Floor, IssuerSigner, ShortCode};
use http::StatusCode;
use kernel::{Date, Id, Instant};
use serde::{Deserialize, Serialize};
use store::{By, Context, Fault};
use utoipa::{IntoParams, OpenApi as _, ToSchema};
use web::{Access, Actor, App, Json, Path, Problem, Query, Route};

use crate::command::DeviceCommand;
use crate::count::{self, HourCount, Window};
use crate::decide::{ENROLMENT_HOURS, is_fresh, judge_typed};
use crate::intake::{self, Answer};
use crate::model::{Device, DevicePhase, LISTS, Lists, PublicKey};
use crate::queue::{Batch, SealedEntry, enrolment_bytes, pairing_digits, typed_bytes};
use crate::refusal::Refusal;
use crate::{door, rights, view};

/// Places on one page of the public list.
const PAGE: u32 = 100;

const RUNS: Access = Access::Staff(rights::RUNS_PLACES);

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/gate/places", list_places, Access::Anyone),
        Route::get("/api/v1/gate/places/{place}/entries", count_entries, RUNS),
        Route::post("/api/v1/gate/places/{place}/close", close_place, RUNS),
        Route::delete("/api/v1/gate/places/{place}", remove_place, RUNS),
        Route::delete("/api/v1/gate/places/{place}/devices/{device}", remove_device, RUNS),
        Route::get("/api/v1/gate/bundle", give_bundle, Access::Anyone),
        Route::post("/api/v1/gate/devices", ask_enrolment, Access::DeviceSigned).strict(),
        Route::post("/api/v1/gate/batches", take_batch, Access::DeviceSigned),
        Route::post("/api/v1/gate/typed", answer_typed, Access::DeviceSigned).strict(),
    ]
}

/// The description of the JSON routes.
pub fn description() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

#[derive(utoipa::OpenApi)]
#[openapi(paths(
    list_places,
    count_entries,
    close_place,
    remove_place,
    remove_device,
    give_bundle,
    ask_enrolment,
    take_batch,
    answer_typed
))]
struct Description;

fn signature(text: &str) -> Result<[u8; 64], Refusal> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Refusal::SignatureBad)?;
    bytes.try_into().map_err(|_| Refusal::SignatureBad)
}

fn no(refusal: Refusal) -> Problem {
    Problem::refused(&refusal)
}

/// Which page of the list.
#[derive(Debug, Deserialize, IntoParams)]
struct PlacesQuery {
    /// The last place of the page before.
    #[param(value_type = Option<String>)]
    after: Option<Id<PlaceId>>,
}

/// A place where codes are checked.
#[derive(Debug, Serialize, ToSchema)]
struct PlaceView {
    #[schema(value_type = String)]
    place: Id<PlaceId>,
    name: String,
    kind: &'static str,
}

/// A page of places.
#[derive(Debug, Serialize, ToSchema)]
struct PlacesView {
    places: Vec<PlaceView>,
    /// What to ask for next as `after`; null on the last page.
    #[schema(value_type = Option<String>)]
    next: Option<Id<PlaceId>>,
}

/// The open places of the region. Sensitive places (shelters among them) are never listed.
#[utoipa::path(get, path = "/api/v1/gate/places", tag = "gate", params(PlacesQuery),
    responses((status = 200, body = PlacesView)))]
async fn list_places(
    State(app): State<App>,
    Query(query): Query<PlacesQuery>,
) -> Result<Json<PlacesView>, Problem> {
    let rows = app.read(move |it| view::places_page(it, query.after, false, PAGE)).await?;
    let full = usize::try_from(PAGE).is_ok_and(|it| it == rows.len());
    let next = rows.last().filter(|_| full).map(|it| it.place);
    let place =
        |it: view::PlaceRow| PlaceView { place: it.place, name: it.name, kind: it.kind.word() };
    Ok(Json(PlacesView { places: rows.into_iter().map(place).collect(), next }))
}

/// Which day.
#[derive(Debug, Deserialize, IntoParams)]
struct DayQuery {
    /// `YYYY-MM-DD` in the city's zone; today when left out.
    #[param(value_type = Option<String>)]
    day: Option<Date>,
}

/// One hour's entries.
#[derive(Debug, Serialize, ToSchema)]
struct HourView {
    /// Hours since the day began in the city.
    hour: u32,
    /// `pass`, `no_pass` or `cannot_tell`.
    verdict: &'static str,
    count: u64,
}

/// A day's entries at one place: counts, never names.
#[derive(Debug, Serialize, ToSchema)]
struct EntriesView {
    #[schema(value_type = String)]
    day: Date,
    pass: u64,
    no_pass: u64,
    cannot_tell: u64,
    /// Those of all of these that have no hour: handed in after more than 72 hours, or by a device
    /// whose clock is wrong.
    late: u64,
    hours: Vec<HourView>,
}

/// How many codes were shown at a place on a day. Entries are kept for 28 days.
#[utoipa::path(get, path = "/api/v1/gate/places/{place}/entries", tag = "gate",
    params(("place" = String, Path), DayQuery), responses((status = 200, body = EntriesView)))]
async fn count_entries(
    State(app): State<App>,
    actor: Actor,
    Path(place): Path<Id<PlaceId>>,
    Query(query): Query<DayQuery>,
) -> Result<Json<EntriesView>, Problem> {
    rights::own_place(&app, &actor, place).await?;
    let zone = app.config.zone.clone();
    let today = zone.date(app.now());
    let day = query.day.unwrap_or(today);
    let window = Window::of(day, today, &zone);
    let counts = app.read(move |reader| count::of_day(reader, place, &window)).await?;
    let hour =
        |it: &HourCount| HourView { hour: it.hour, verdict: it.verdict.word(), count: it.count };
    Ok(Json(EntriesView {
        day,
        pass: counts.total(Verdict::Pass),
        no_pass: counts.total(Verdict::NoPass),
        cannot_tell: counts.total(Verdict::CannotTell),
        late: counts.late(),
        hours: counts.hours.iter().map(hour).collect(),
    }))
}

/// Closes a place: its devices are withdrawn, and nothing more is taken from its door.
#[utoipa::path(post, path = "/api/v1/gate/places/{place}/close", tag = "gate",
    params(("place" = String, Path)), responses((status = 204)))]
async fn close_place(
    State(app): State<App>,
    actor: Actor,
    Path(place): Path<Id<PlaceId>>,
) -> Result<StatusCode, Problem> {
    rights::own_place(&app, &actor, place).await?;
    door::by_staff(&app, &actor, move |tx, context, by| door::close(tx, context, place, by))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes a place that was closed more than 28 days ago: its name and its devices' labels are gone
/// for good.
#[utoipa::path(delete, path = "/api/v1/gate/places/{place}", tag = "gate",
    params(("place" = String, Path)), responses((status = 204)))]
async fn remove_place(
    State(app): State<App>,
    actor: Actor,
    Path(place): Path<Id<PlaceId>>,
) -> Result<StatusCode, Problem> {
    rights::own_place(&app, &actor, place).await?;
    door::by_staff(&app, &actor, move |tx, context, by| door::remove_place(tx, context, place, by))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes a device that was refused or withdrawn: its label is gone for good.
#[utoipa::path(delete, path = "/api/v1/gate/places/{place}/devices/{device}", tag = "gate",
    params(("place" = String, Path), ("device" = String, Path)), responses((status = 204)))]
async fn remove_device(
    State(app): State<App>,
    actor: Actor,
    Path((place, device)): Path<(Id<PlaceId>, Id<DeviceId>)>,
) -> Result<StatusCode, Problem> {
    rights::own_device(&app, &actor, place, device).await?;
    door::by_staff(&app, &actor, move |tx, context, by| {
        door::remove_device(tx, context, device, by)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// For which device.
#[derive(Debug, Deserialize, IntoParams)]
struct BundleQuery {
    /// The device's id; without one, what any scanner needs to judge without recording.
    #[param(value_type = Option<String>)]
    device: Option<Id<DeviceId>>,
}

/// The place a device stands at, as far as the device must know it.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_excessive_bools, reason = "each is a field of the answer")]
struct BundlePlace {
    #[schema(value_type = String)]
    place: Id<PlaceId>,
    name: String,
    open: bool,
    printed_allowed: bool,
    stale_hours: u32,
    /// By which rules passes are judged that are not the region's own code: `code_only` (none
    /// counts), `city`, `eu`, `own`.
    pass_rules: &'static str,
    /// Whether the guard sees the full name on such a pass.
    full_name: bool,
    /// Whether such a pass lets through, with a mark, by lists that are too old.
    stale_passes: bool,
}

/// How far the device has come.
#[derive(Debug, Serialize, ToSchema)]
struct BundleDevice {
    #[schema(value_type = String)]
    device: Id<DeviceId>,
    /// `waiting`, `approved`, `refused` or `withdrawn`.
    phase: &'static str,
    /// For an approved device.
    place: Option<BundlePlace>,
}

/// What a scanner needs beside the trust list and the revocation list.
#[derive(Debug, Serialize, ToSchema)]
struct BundleView {
    region: String,
    /// Unix milliseconds, so that a scanner can tell how far its clock is off.
    server_time_ms: i64,
    /// The root key (Ed25519) that signs the lists: 32 bytes in base64.
    root: String,
    /// The queue key (P-256) that entries are sealed to: 65 bytes in base64url without padding.
    queue: String,
    /// From when on lists count, signed by the root key (COSE_Sign1) in base64. A scanner remembers
    /// the highest it has seen.
    floor: String,
    device: Option<BundleDevice>,
}

/// What a scanner needs to work, and how far its enrolment has come. A device's id is random and
/// known to the device and its place's owner alone.
#[utoipa::path(get, path = "/api/v1/gate/bundle", tag = "gate", params(BundleQuery),
    responses((status = 200, body = BundleView)))]
async fn give_bundle(
    State(app): State<App>,
    Query(query): Query<BundleQuery>,
) -> Result<Json<BundleView>, Problem> {
    let root = IssuerSigner::from_seed(&*app.keyring.key("root")?)
        .map_err(|error| Fault::caused("reading the root key", error))?;
    let device = match query.device {
        Some(id) => Some(bundle_device(&app, id).await?),
        None => None,
    };
    let lists = app.read(|reader| reader.state::<Lists>(LISTS)).await?;
    let floor = Floor {
        // As codes and lists write it.
        region: app.store.region().as_str().chars().take(16).collect(),
        since: lists.since.map_or(0, Instant::seconds),
    };
    let floor = root
        .sign_floor(&floor)
        .map_err(|error| Fault::caused("signing from when on lists count", error))?;
    Ok(Json(BundleView {
        region: app.store.region().to_string(),
        server_time_ms: app.now().micros().div_euclid(1_000),
        root: STANDARD.encode(root.public()),
        queue: URL_SAFE_NO_PAD.encode(given_key(&app).await?.public()),
        floor: STANDARD.encode(floor),
        device,
    }))
}

async fn bundle_device(app: &App, id: Id<DeviceId>) -> Result<BundleDevice, Problem> {
    let found = app.read(move |reader| {
        let Some(device) = view::device(reader, id)? else { return Ok(None) };
        let place = view::place(reader, device.place)?;
        Ok(Some((device, place)))
    });
    let (device, place) = found.await?.ok_or_else(|| no(Refusal::DeviceUnknown))?;
    let place = place.filter(|_| device.phase == DevicePhase::Approved);
    let place = place.map(|it| BundlePlace {
        place: it.place,
        name: it.name,
        open: it.closed_at.is_none(),
        printed_allowed: it.policy.printed_allowed,
        stale_hours: it.policy.stale_hours,
        pass_rules: it.policy.demand.rules.word(),
        full_name: it.policy.demand.full_name,
        stale_passes: it.policy.demand.stale_passes,
    });
    Ok(BundleDevice { device: id, phase: device.phase.word(), place })
}

/// The region's queue keys that are in the key folder, by number, the newest first.
fn queue_keys(app: &App) -> Result<Vec<(u32, QueueKey)>, Fault> {
    let secrets = app.keyring.queue()?.into_iter();
    let keys = secrets.map(|(number, secret)| Ok((number, QueueKey::from_scalar(&secret)?)));
    keys.collect::<Result<_, SealedError>>()
        .map_err(|error| Fault::caused("reading a queue key", error))
}

/// The queue key that gates are given at present. Where its file is not in this process's folder yet, the
/// newest before it that still opens.
async fn given_key(app: &App) -> Result<QueueKey, Fault> {
    let (store, now) = (app.store.clone(), app.now());
    // Off the async threads, as every reading.
    let known = app.store.read(move |_| store.queue_keys()).await?;
    let wanted = store::queue::current(&known, now).map_or(1, |it| it.number);
    let is_good = |number: u32| {
        let known = known.iter().find(|it| it.number == number);
        number <= wanted && known.is_some_and(|it| !it.is_over(now))
    };
    let found = queue_keys(app)?.into_iter().find(|it| is_good(it.0));
    found.map(|it| it.1).ok_or_else(|| {
        Fault::new(format!("the key {} is not in the key folder", store::queue::name(wanted)))
    })
}

/// A phone's wish to check codes at a place.
#[derive(Debug, Deserialize, ToSchema)]
struct EnrolmentBody {
    /// The place's code, as the guard typed it.
    place_code: String,
    /// How the guard calls the phone.
    label: String,
    /// P-256, uncompressed, 65 bytes in base64url without padding.
    public_key: String,
    /// Unix seconds by the device's clock.
    made_at: i64,
    /// ES256 (raw `r || s`) in base64url over the bytes that `queue::enrolment_bytes` documents.
    signature: String,
}

/// What the phone shows while it waits.
#[derive(Debug, Serialize, ToSchema)]
struct EnrolmentView {
    #[schema(value_type = String)]
    device: Id<DeviceId>,
    /// The digits that guard and owner compare.
    pairing: String,
}

/// Asks for a device to be enrolled. The place's owner approves it after comparing six digits.
#[utoipa::path(post, path = "/api/v1/gate/devices", tag = "gate",
    request_body = EnrolmentBody, responses((status = 201, body = EnrolmentView)))]
async fn ask_enrolment(
    State(app): State<App>,
    Json(body): Json<EnrolmentBody>,
) -> Result<(StatusCode, Json<EnrolmentView>), Problem> {
    let key = URL_SAFE_NO_PAD.decode(&body.public_key).map_err(|_| no(Refusal::KeyInvalid))?;
    let key = PublicKey::from_bytes(&key).ok_or_else(|| no(Refusal::KeyInvalid))?;
    let signed = enrolment_bytes(&body.place_code, &body.label, &key, body.made_at);
    if !p256_verify(key.as_bytes(), &signed, &signature(&body.signature).map_err(no)?) {
        return Err(no(Refusal::SignatureBad));
    }
    is_fresh(body.made_at, app.now()).map_err(no)?;
    let code: ShortCode = body.place_code.parse().map_err(|_| no(Refusal::PlaceCodeUnknown))?;
    let since = app.now().plus_seconds(-ENROLMENT_HOURS * 3_600);
    let found = app.read(move |reader| {
        let Some(place) = view::place_by_code(reader, &code.to_string())? else { return Ok(None) };
        let waiting = view::waiting(reader, place.place, since)?;
        Ok(Some((place.place, waiting)))
    });
    let (place, waiting) = found.await?.ok_or_else(|| no(Refusal::PlaceCodeUnknown))?;
    let device: Id<DeviceId> = app.random_id();
    let command =
        DeviceCommand::AskEnrolment { place, label: body.label, public_key: key, waiting };
    app.execute::<Device>(Context::by(By::Device(device)), device, command).await?;
    let pairing = pairing_digits(device, &key);
    Ok((StatusCode::CREATED, Json(EnrolmentView { device, pairing })))
}

/// Entries as they lay sealed in the browser.
#[derive(Debug, Deserialize, ToSchema)]
struct SealedBody {
    /// The public half of the browser's ephemeral key: 65 bytes in base64url without padding.
    ephemeral: String,
    /// At most 200, numbers growing.
    #[schema(value_type = Vec<SealedEntryBody>)]
    entries: Vec<SealedEntry>,
}

/// One sealed entry.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes `queue::SealedEntry` to the readers of the API page")]
struct SealedEntryBody {
    /// Its number, and its sealing counter.
    n: u64,
    /// Base64url without padding.
    data: String,
}

/// A batch of entries.
#[derive(Debug, Deserialize, ToSchema)]
struct BatchBody {
    #[schema(value_type = String)]
    device: Id<DeviceId>,
    /// 128 random bits as 32 hexadecimal digits.
    batch: String,
    /// The smallest number in the batch.
    first_n: u64,
    /// Unix seconds by the device's clock.
    made_at: i64,
    sealed: SealedBody,
    /// ES256 (raw `r || s`) in base64url over the bytes that `queue::Batch::signed_bytes` documents.
    signature: String,
}

impl BatchBody {
    fn batch(self) -> Result<(Batch, [u8; 64]), Refusal> {
        let signature = signature(&self.signature)?;
        let mut id = [0; 16];
        hex::decode_to_slice(&self.batch, &mut id).map_err(|_| Refusal::BatchMalformed)?;
        let ephemeral = URL_SAFE_NO_PAD.decode(&self.sealed.ephemeral);
        let batch = Batch {
            device: self.device,
            id: u128::from_be_bytes(id),
            first_n: self.first_n,
            made_at_s: self.made_at,
            ephemeral: ephemeral.map_err(|_| Refusal::BatchMalformed)?,
            entries: self.sealed.entries,
        };
        Ok((batch, signature))
    }
}

/// What was taken of a batch.
#[derive(Debug, Serialize, ToSchema)]
struct BatchView {
    /// How many entries were taken; with `rejected`, all that were sent.
    accepted: u64,
    /// The others. They need not be sent again.
    rejected: Vec<RejectedView>,
}

/// An entry that was not taken.
#[derive(Debug, Serialize, ToSchema)]
struct RejectedView {
    n: u64,
    /// A stable code; its page is at `/problems/<code>`.
    code: String,
}

impl From<Answer> for BatchView {
    fn from(answer: Answer) -> Self {
        let rejected = answer.rejected.into_iter();
        let rejected = rejected.map(|it| RejectedView { n: it.n, code: it.code }).collect();
        Self { accepted: answer.accepted, rejected }
    }
}

/// Takes a batch of entries, once, in any order.
#[utoipa::path(post, path = "/api/v1/gate/batches", tag = "gate",
    request_body = BatchBody, responses((status = 200, body = BatchView)))]
async fn take_batch(
    State(app): State<App>,
    Json(body): Json<BatchBody>,
) -> Result<Json<BatchView>, Problem> {
    let (batch, signature) = body.batch().map_err(no)?;
    let keys: Vec<QueueKey> = queue_keys(&app)?.into_iter().map(|it| it.1).collect();
    let (questions, now) = (app.questions, app.now());
    let prepared = app
        .read(move |reader| intake::prepare(reader, &questions, &keys, &batch, &signature, now))
        .await?
        .map_err(no)?;
    if prepared.is_closed() {
        // The gate drops what is called unreadable: not for want of a file that other machines have.
        let (store, keyring) = (app.store.clone(), Arc::clone(&app.keyring));
        if let Some(name) = app.read(move |_| store.queue_lacks(&keyring)).await? {
            let says = format!("the key {name} is not here: copy the key folder to this machine");
            return Err(Fault::new(says).into());
        }
    }
    let answer = app.write(move |tx| intake::take(tx, &prepared)).await?.map_err(no)?;
    Ok(Json(answer.into()))
}

/// A short code that a guard typed.
#[derive(Debug, Deserialize, ToSchema)]
struct TypedBody {
    #[schema(value_type = String)]
    device: Id<DeviceId>,
    /// As typed; lower case, spaces and hyphens do not matter.
    short: String,
    /// Unix seconds by the device's clock; at most 5 minutes off.
    made_at: i64,
    /// ES256 (raw `r || s`) in base64url over the bytes that `queue::typed_bytes` documents.
    signature: String,
}

/// What the typed code says, in the words of a scanned code's verdict.
#[derive(Debug, Serialize, ToSchema)]
struct TypedView {
    /// `pass`, `no_pass` or `cannot_tell`.
    outcome: &'static str,
    /// Stable codes; empty for a pass.
    reasons: Vec<&'static str>,
    /// The pass id as 32 hexadecimal digits, for the record of the entry.
    pass: Option<String>,
    colour: Option<&'static str>,
    /// Unix seconds.
    valid_until: Option<i64>,
    /// Always, for a pass: what can be typed can be read over a shoulder.
    ask_id: bool,
}

/// Answers what a typed code says, to an approved device.
#[utoipa::path(post, path = "/api/v1/gate/typed", tag = "gate",
    request_body = TypedBody, responses((status = 200, body = TypedView)))]
async fn answer_typed(
    State(app): State<App>,
    Json(body): Json<TypedBody>,
) -> Result<Json<TypedView>, Problem> {
    let signature = signature(&body.signature).map_err(no)?;
    let short: ShortCode = body.short.parse().map_err(|_| no(Refusal::ShortCodeInvalid))?;
    let now = app.now();
    is_fresh(body.made_at, now).map_err(no)?;
    let signed = typed_bytes(body.device, &body.short, body.made_at);
    let typed_code = app.questions.typed_code;
    let found =
        app.read(move |reader| match intake::sender(reader, body.device, &signed, &signature)? {
            Ok(_) => typed_code(reader, &short.to_string(), now).map(Ok),
            Err(refusal) => Ok(Err(refusal)),
        });
    let answer = found.await?.map_err(no)?;
    let (verdict, reasons) = judge_typed(answer.as_ref(), now);
    Ok(Json(TypedView {
        outcome: verdict.word(),
        reasons,
        pass: answer.as_ref().map(|it| hex::encode(it.pass.to_bytes())),
        colour: answer.as_ref().map(|it| it.colour.word()),
        valid_until: answer.as_ref().map(|it| it.valid_until.seconds()),
        ask_id: verdict == Verdict::Pass,
    }))
}
