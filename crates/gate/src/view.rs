//! The tables of this slice: how events fill them, and every question asked of them. All SQL stands
//! here.

use std::collections::BTreeMap;

use contracts::gate::{Device as DeviceId, ENTERED, Entered, Place as PlaceId, Verdict};
use contracts::person::Organisation;
use kernel::{Date, Id, Instant, Zone};
use store::{
    Block, Fault, ObservationKind, Projection, Reader, Recorded, Row, Side, Value, View, values,
};

use crate::event::{DeviceEvent, PlaceEvent};
use crate::model::{DevicePhase, PlaceKind, PlacePolicy, PublicKey};

const PLACE_ADD: &str = "INSERT INTO gate_place (region, place, organisation, kind, sensitive, code, \
     name, printed_allowed, stale_hours, opened_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
const PLACE_RENAME: &str = "UPDATE gate_place SET name = $3 WHERE region = $1 AND place = $2";
const PLACE_CLOSE: &str = "UPDATE gate_place SET closed_at = $3 WHERE region = $1 AND place = $2";
const PLACE_POLICY: &str = "UPDATE gate_place SET printed_allowed = $3, stale_hours = $4 \
     WHERE region = $1 AND place = $2";
const DEVICE_ADD: &str = "INSERT INTO gate_device (region, device, place, phase, label, public_key, \
     asked_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
const DEVICE_PHASE: &str =
    "UPDATE gate_device SET phase = $3, decided_at = $4 WHERE region = $1 AND device = $2";
const VISITS_ADD: &str = "INSERT INTO gate_visit (region, day, place, seq, device, quarter, verdict, \
     count, latest) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

const PLACE: &str = "SELECT place, organisation, kind, sensitive, code, name, printed_allowed, \
     stale_hours, opened_at, closed_at FROM gate_place WHERE region = $1 AND place = $2";
const PLACE_BY_CODE: &str = "SELECT place, organisation, kind, sensitive, code, name, \
     printed_allowed, stale_hours, opened_at, closed_at FROM gate_place \
     WHERE region = $1 AND code = $2 AND closed_at IS NULL ORDER BY place LIMIT 1";
const PLACES_OF: &str = "SELECT place, organisation, kind, sensitive, code, name, printed_allowed, \
     stale_hours, opened_at, closed_at FROM gate_place \
     WHERE region = $1 AND organisation = $2 ORDER BY place LIMIT 1000";
const PLACES_PAGE: &str = "SELECT place, organisation, kind, sensitive, code, name, printed_allowed, \
     stale_hours, opened_at, closed_at FROM gate_place \
     WHERE region = $1 AND place > $2 AND sensitive <= $3 AND closed_at IS NULL \
     ORDER BY place LIMIT $4";
const DEVICE: &str = "SELECT device, place, phase, label, public_key, asked_at, decided_at \
     FROM gate_device WHERE region = $1 AND device = $2";
const DEVICES_OF: &str = "SELECT device, place, phase, label, public_key, asked_at, decided_at \
     FROM gate_device WHERE region = $1 AND place = $2 ORDER BY phase, asked_at DESC LIMIT 500";
const DEVICES_WAITING: &str = "SELECT COUNT(*) FROM gate_device \
     WHERE region = $1 AND place = $2 AND phase = 1 AND asked_at > $3";
const HOURS: &str = "SELECT (quarter * 900000000 - $5) / 3600000000, verdict, \
     CAST(SUM(count) AS BIGINT)
     FROM gate_visit WHERE region = $1 AND day IN ($2, $3) AND place = $4 \
     AND quarter * 900000000 >= $5 AND quarter * 900000000 < $6 GROUP BY 1, 2 ORDER BY 1, 2";
const DEVICE_VISITS: &str = "SELECT device, CAST(SUM(count) AS BIGINT), MAX(latest) FROM gate_visit \
     WHERE region = $1 AND day IN ($2, $3) AND place = $4 \
     AND quarter * 900000000 >= $5 AND quarter * 900000000 < $6 GROUP BY device ORDER BY device";

pub(crate) const BATCH_FIND: &str =
    "SELECT answer FROM gate_batch WHERE region = $1 AND device = $2 AND batch = $3";
pub(crate) const BATCH_ADD: &str =
    "INSERT INTO gate_batch (region, device, batch, at, answer) VALUES ($1, $2, $3, $4, $5)";
pub(crate) const BATCH_SWEEP: &str = "DELETE FROM gate_batch WHERE region = $1 AND at < $2";
pub(crate) const TAKEN_FIND: &str =
    "SELECT bits FROM gate_taken WHERE region = $1 AND device = $2 AND block = $3";
pub(crate) const TAKEN_PUT: &str = "INSERT INTO gate_taken (region, device, block, bits) \
     VALUES ($1, $2, $3, $4) ON CONFLICT (region, device, block) DO UPDATE SET bits = excluded.bits";

/// Every SQL text of the slice (conformance law 7).
pub const QUERIES: &[(Side, &str)] = &[
    (Side::Identity, PLACE_ADD),
    (Side::Identity, PLACE_RENAME),
    (Side::Identity, PLACE_CLOSE),
    (Side::Identity, PLACE_POLICY),
    (Side::Identity, DEVICE_ADD),
    (Side::Identity, DEVICE_PHASE),
    (Side::Visits, VISITS_ADD),
    (Side::Identity, PLACE),
    (Side::Identity, PLACE_BY_CODE),
    (Side::Identity, PLACES_OF),
    (Side::Identity, PLACES_PAGE),
    (Side::Identity, DEVICE),
    (Side::Identity, DEVICES_OF),
    (Side::Identity, DEVICES_WAITING),
    (Side::Visits, HOURS),
    (Side::Visits, DEVICE_VISITS),
    (Side::Identity, BATCH_FIND),
    (Side::Identity, BATCH_ADD),
    (Side::Identity, BATCH_SWEEP),
    (Side::Identity, TAKEN_FIND),
    (Side::Identity, TAKEN_PUT),
];

/// The tables that are folds of the log.
pub const VIEWS: &[View] = &[
    View { table: "gate_place", side: Side::Identity, subject: Some("place"), day: None },
    View { table: "gate_device", side: Side::Identity, subject: Some("device"), day: None },
    View { table: "gate_visit", side: Side::Visits, subject: None, day: Some(("day", ENTERED)) },
];

/// One code shown at one door.
pub const OBSERVATION: ObservationKind =
    ObservationKind { kind: ENTERED, retention_days: 28, found_by, project: project_visits };

/// Microseconds in a quarter of an hour.
const QUARTER: i64 = 900_000_000;

fn entered(payload: &[u8]) -> Result<Entered, Fault> {
    serde_json::from_slice(payload).map_err(|error| Fault::caused("reading an entry", error))
}

/// An entry is found by its pass.
fn found_by(payload: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
    let pass = entered(payload)?.pass.map(hex::decode).transpose();
    pass.map_err(|error| Fault::caused("reading a pass id", error))
}

/// Counts the entries of a block.
fn project_visits(views: &mut Projection<'_>, block: &Block<'_>) -> Result<(), Fault> {
    let mut counts: BTreeMap<_, (u64, Instant)> = BTreeMap::new();
    for it in block.items {
        let it = entered(it)?;
        let at = Instant::from_seconds(it.at);
        let quarter = at.micros().div_euclid(QUARTER);
        let key = (it.place.to_u128(), it.device.to_u128(), quarter, it.verdict.word());
        let (count, latest) = counts.entry(key).or_insert((0, at));
        *count += 1;
        *latest = at.max(*latest);
    }
    for ((place, device, quarter, verdict), (count, latest)) in counts {
        let (place, device) = (place.to_be_bytes(), device.to_be_bytes());
        views.execute(
            VISITS_ADD,
            values![block.day, place, block.seq, device, quarter, verdict, count, latest],
        )?;
    }
    Ok(())
}

const NAME: &str = "gate_place.name";
const LABEL: &str = "gate_device.label";

/// Adds an event of a place.
pub fn project_place(views: &mut Projection<'_>, it: &Recorded) -> Result<(), Fault> {
    let Some(event) = it.event::<PlaceEvent>()? else { return Ok(()) };
    let place: Id<PlaceId> = it.id();
    match event {
        PlaceEvent::Opened { name, organisation, kind, sensitive, code } => {
            let name = views.seal(it.stream_id, NAME, it.seq, &name)?;
            let policy = PlacePolicy::default();
            views.execute(
                PLACE_ADD,
                values![
                    place,
                    organisation,
                    kind.word(),
                    sensitive,
                    code.to_string(),
                    name,
                    policy.printed_allowed,
                    policy.stale_hours,
                    it.at
                ],
            )?;
        }
        PlaceEvent::Renamed { name } => {
            let name = views.seal(it.stream_id, NAME, it.seq, &name)?;
            views.execute(PLACE_RENAME, values![place, name])?;
        }
        PlaceEvent::Closed => {
            views.execute(PLACE_CLOSE, values![place, it.at])?;
        }
        PlaceEvent::PolicySet { printed_allowed, stale_hours } => {
            views.execute(PLACE_POLICY, values![place, printed_allowed, stale_hours])?;
        }
    }
    Ok(())
}

/// Adds an event of a device.
pub fn project_device(views: &mut Projection<'_>, it: &Recorded) -> Result<(), Fault> {
    let Some(event) = it.event::<DeviceEvent>()? else { return Ok(()) };
    let device: Id<DeviceId> = it.id();
    let phase = match event {
        DeviceEvent::EnrolmentAsked { place, label, public_key, asked_at } => {
            let label = views.seal(it.stream_id, LABEL, it.seq, &label)?;
            let waiting = DevicePhase::Waiting.number();
            views.execute(
                DEVICE_ADD,
                values![device, place, waiting, label, public_key.as_bytes(), asked_at],
            )?;
            return Ok(());
        }
        DeviceEvent::Approved { .. } => DevicePhase::Approved,
        DeviceEvent::Refused { .. } => DevicePhase::Refused,
        DeviceEvent::Withdrawn { .. } => DevicePhase::Withdrawn,
    };
    views.execute(DEVICE_PHASE, values![device, phase.number(), it.at])?;
    Ok(())
}

/// A place as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceRow {
    /// Which.
    pub place: Id<PlaceId>,
    /// Whose.
    pub organisation: Id<Organisation>,
    /// What kind.
    pub kind: PlaceKind,
    /// Never in a list for others.
    pub sensitive: bool,
    /// What a guard types to enrol a device.
    pub code: String,
    /// What stands over the door; empty once erased.
    pub name: String,
    /// What it accepts.
    pub policy: PlacePolicy,
    /// Since when.
    pub opened_at: Instant,
    /// Until when.
    pub closed_at: Option<Instant>,
}

fn place_row(reader: &Reader<'_>, row: &Row) -> Result<PlaceRow, Fault> {
    let place: Id<PlaceId> = row.id(0)?;
    let hours = row.int(7)?;
    Ok(PlaceRow {
        place,
        organisation: row.id(1)?,
        kind: PlaceKind::from_word(row.text(2)?).unwrap_or_default(),
        sensitive: row.truth(3)?,
        code: row.text(4)?.to_owned(),
        name: reader.open(place.to_u128(), NAME, row.maybe_bytes(5)?)?.unwrap_or_default(),
        policy: PlacePolicy {
            printed_allowed: row.truth(6)?,
            stale_hours: u32::try_from(hours).unwrap_or(PlacePolicy::default().stale_hours),
        },
        opened_at: row.instant(8)?,
        closed_at: row.maybe_instant(9)?,
    })
}

fn place_rows(
    reader: &mut Reader<'_>,
    sql: &str,
    values: &[Value],
) -> Result<Vec<PlaceRow>, Fault> {
    let rows = reader.query(sql, values)?;
    rows.iter().map(|row| place_row(reader, row)).collect()
}

/// The place with this id.
pub fn place(reader: &mut Reader<'_>, id: Id<PlaceId>) -> Result<Option<PlaceRow>, Fault> {
    Ok(place_rows(reader, PLACE, values![id])?.into_iter().next())
}

/// The open place with this code, as [`credential::ShortCode`] prints it.
pub fn place_by_code(reader: &mut Reader<'_>, code: &str) -> Result<Option<PlaceRow>, Fault> {
    Ok(place_rows(reader, PLACE_BY_CODE, values![code])?.into_iter().next())
}

/// The places of an organisation, closed and sensitive ones included: for its own people.
pub fn places_of(
    reader: &mut Reader<'_>,
    organisation: Id<Organisation>,
) -> Result<Vec<PlaceRow>, Fault> {
    place_rows(reader, PLACES_OF, values![organisation])
}

/// Open places of the region after `after`, at most `limit`. Sensitive ones only when asked for.
pub fn places_page(
    reader: &mut Reader<'_>,
    after: Option<Id<PlaceId>>,
    with_sensitive: bool,
    limit: u32,
) -> Result<Vec<PlaceRow>, Fault> {
    let after = after.map_or_else(Vec::new, |it| it.to_bytes().to_vec());
    place_rows(reader, PLACES_PAGE, values![after, with_sensitive, limit])
}

/// A device as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRow {
    /// Which.
    pub device: Id<DeviceId>,
    /// Where.
    pub place: Id<PlaceId>,
    /// How far it has come.
    pub phase: DevicePhase,
    /// How its holder calls it; empty once erased.
    pub label: String,
    /// Its public key.
    pub public_key: PublicKey,
    /// When it asked.
    pub asked_at: Instant,
    /// When the owner answered last.
    pub decided_at: Option<Instant>,
}

fn device_row(reader: &Reader<'_>, row: &Row) -> Result<DeviceRow, Fault> {
    let device: Id<DeviceId> = row.id(0)?;
    Ok(DeviceRow {
        device,
        place: row.id(1)?,
        phase: DevicePhase::from_number(row.int(2)?),
        label: reader.open(device.to_u128(), LABEL, row.maybe_bytes(3)?)?.unwrap_or_default(),
        public_key: PublicKey::from_bytes(row.bytes(4)?).unwrap_or_default(),
        asked_at: row.instant(5)?,
        decided_at: row.maybe_instant(6)?,
    })
}

/// The device with this id.
pub fn device(reader: &mut Reader<'_>, id: Id<DeviceId>) -> Result<Option<DeviceRow>, Fault> {
    let row = reader.first(DEVICE, values![id])?;
    row.map(|row| device_row(reader, &row)).transpose()
}

/// The devices of a place: those that wait first, the latest first.
pub fn devices_of(reader: &mut Reader<'_>, place: Id<PlaceId>) -> Result<Vec<DeviceRow>, Fault> {
    let rows = reader.query(DEVICES_OF, values![place])?;
    rows.iter().map(|row| device_row(reader, row)).collect()
}

/// How many devices have asked at a place after `since` and wait.
pub fn waiting(reader: &mut Reader<'_>, place: Id<PlaceId>, since: Instant) -> Result<u64, Fault> {
    let row = reader.first(DEVICES_WAITING, values![place, since])?;
    row.map_or(Ok(0), |row| row.count(0))
}

/// Counts of one verdict in one hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HourCount {
    /// Hours since the day began in the city.
    pub hour: u32,
    /// What the guard was told.
    pub verdict: Verdict,
    /// How often.
    pub count: u64,
}

/// A day at one place: counts, never names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DayCounts {
    /// By hour and verdict; hours without entries are left out.
    pub hours: Vec<HourCount>,
    /// By device: entries, and the latest by the device's claim.
    pub devices: Vec<(Id<DeviceId>, u64, Instant)>,
}

impl DayCounts {
    /// All entries with this verdict.
    pub fn total(&self, verdict: Verdict) -> u64 {
        self.hours.iter().filter(|it| it.verdict == verdict).map(|it| it.count).sum()
    }

    /// All entries of this hour.
    pub fn at_hour(&self, hour: u32) -> u64 {
        self.hours.iter().filter(|it| it.hour == hour).map(|it| it.count).sum()
    }
}

/// The entries of one city day at one place, by the devices' claims of time.
pub fn day_counts(
    reader: &mut Reader<'_>,
    place: Id<PlaceId>,
    date: Date,
    zone: &Zone,
) -> Result<DayCounts, Fault> {
    let (start, end) = (zone.start_of(date), zone.start_of(date.plus_days(1)));
    // A day of the city falls on two days of UTC at most.
    let first = store::tx::utc_day(start);
    let last = store::tx::utc_day(Instant::from_micros(end.micros().saturating_sub(1)));
    let values: [Value; 5] = [first.into(), last.into(), place.into(), start.into(), end.into()];
    let mut counts = DayCounts::default();
    for row in reader.query_visits(HOURS, &values)? {
        let Some(verdict) = Verdict::from_word(row.text(1)?) else { continue };
        let hour = u32::try_from(row.int(0)?).unwrap_or_default();
        counts.hours.push(HourCount { hour, verdict, count: row.count(2)? });
    }
    for row in reader.query_visits(DEVICE_VISITS, &values)? {
        counts.devices.push((row.id(0)?, row.count(1)?, row.instant(2)?));
    }
    Ok(counts)
}
