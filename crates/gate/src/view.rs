//! The tables of this slice: how events fill them, and every question asked of them. All SQL stands
//! here, but for the counts' in [`count`].

use std::collections::BTreeMap;

use contracts::gate::{Demand, Device as DeviceId, ENTERED, PassRules, Place as PlaceId};
use contracts::person::Organisation;
use kernel::{Id, Instant};
use store::{
    Fault, ObservationKind, Projection, Reader, Recorded, Row, Side, Tx, Value, View, values,
};

use crate::count;
use crate::decide::ENTRY_DAYS;
use crate::event::{DeviceEvent, PlaceEvent};
use crate::model::{DevicePhase, PlaceKind, PlacePolicy, PublicKey};

const PLACE_ADD: &str = "INSERT INTO gate_place (region, place, organisation, kind, sensitive, code, \
     name, printed_allowed, stale_hours, opened_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
const PLACE_RENAME: &str = "UPDATE gate_place SET name = $3 WHERE region = $1 AND place = $2";
const PLACE_CLOSE: &str = "UPDATE gate_place SET closed_at = $3 WHERE region = $1 AND place = $2";
const PLACE_POLICY: &str = "UPDATE gate_place SET printed_allowed = $3, stale_hours = $4 \
     WHERE region = $1 AND place = $2";
const PLACE_DEMAND: &str = "UPDATE gate_place SET pass_rules = $3, full_name = $4, stale_passes = $5 \
     WHERE region = $1 AND place = $2";
const DEVICE_ADD: &str = "INSERT INTO gate_device (region, device, place, phase, label, public_key, \
     asked_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
const DEVICE_PHASE: &str =
    "UPDATE gate_device SET phase = $3, decided_at = $4 WHERE region = $1 AND device = $2";
const PLACE: &str = "SELECT place, organisation, kind, sensitive, code, name, printed_allowed, \
     stale_hours, opened_at, closed_at, pass_rules, full_name, stale_passes FROM gate_place WHERE region = $1 AND place = $2";
const PLACE_BY_CODE: &str = "SELECT place, organisation, kind, sensitive, code, name, \
     printed_allowed, stale_hours, opened_at, closed_at, pass_rules, full_name, stale_passes FROM gate_place \
     WHERE region = $1 AND code = $2 AND closed_at IS NULL ORDER BY place LIMIT 1";
const PLACES_OF: &str = "SELECT place, organisation, kind, sensitive, code, name, printed_allowed, \
     stale_hours, opened_at, closed_at, pass_rules, full_name, stale_passes FROM gate_place \
     WHERE region = $1 AND organisation = $2 ORDER BY place";
const PLACES_ALL: &str = "SELECT place, organisation, kind, sensitive, code, name, printed_allowed, \
     stale_hours, opened_at, closed_at, pass_rules, full_name, stale_passes FROM gate_place \
     WHERE region = $1 AND sensitive <= $2 ORDER BY place";
const PLACES_PAGE: &str = "SELECT place, organisation, kind, sensitive, code, name, printed_allowed, \
     stale_hours, opened_at, closed_at, pass_rules, full_name, stale_passes FROM gate_place \
     WHERE region = $1 AND place > $2 AND sensitive <= $3 AND closed_at IS NULL \
     ORDER BY place LIMIT $4";
const DEVICE: &str = "SELECT device, place, phase, label, public_key, asked_at, decided_at \
     FROM gate_device WHERE region = $1 AND device = $2";
const DEVICES_OF: &str = "SELECT device, place, phase, label, public_key, asked_at, decided_at \
     FROM gate_device WHERE region = $1 AND place = $2 ORDER BY phase, asked_at DESC LIMIT 500";
const DEVICES_WAITING: &str = "SELECT COUNT(*) FROM gate_device \
     WHERE region = $1 AND place = $2 AND phase = 1 AND asked_at > $3";
const WAITING_BY_PLACE: &str = "SELECT place, COUNT(*) FROM gate_device \
     WHERE region = $1 AND phase = 1 AND asked_at > $2 GROUP BY place ORDER BY place";
const DEVICES_ALL: &str =
    "SELECT device, phase FROM gate_device WHERE region = $1 AND place = $2 ORDER BY device";
const CLOSED_AT: &str = "SELECT closed_at FROM gate_place WHERE region = $1 AND place = $2";

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
    (Side::Identity, PLACE_DEMAND),
    (Side::Identity, DEVICE_ADD),
    (Side::Identity, DEVICE_PHASE),
    (Side::Visits, count::VISIT_ADD.sql),
    (Side::Identity, PLACE),
    (Side::Identity, PLACE_BY_CODE),
    (Side::Identity, PLACES_OF),
    (Side::Identity, PLACES_ALL),
    (Side::Identity, PLACES_PAGE),
    (Side::Identity, DEVICE),
    (Side::Identity, DEVICES_OF),
    (Side::Identity, DEVICES_WAITING),
    (Side::Identity, WAITING_BY_PLACE),
    (Side::Identity, DEVICES_ALL),
    (Side::Identity, CLOSED_AT),
    (Side::Visits, count::HOURS),
    (Side::Visits, count::DEVICES),
    (Side::Visits, count::LATE),
    (Side::Visits, count::PLACE_TOTAL),
    (Side::Visits, count::PLACE_LATE),
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
pub const OBSERVATION: ObservationKind = ObservationKind {
    kind: ENTERED,
    retention_days: ENTRY_DAYS,
    rows: &[&count::VISIT_ADD],
    project: count::project,
};

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
        PlaceEvent::DemandSet { demand } => {
            let Demand { rules, full_name, stale_passes } = demand;
            views.execute(PLACE_DEMAND, values![place, rules.word(), full_name, stale_passes])?;
        }
        // Forgetting takes the row; an event that nobody can read does nothing.
        PlaceEvent::Removed { .. } => {}
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
        DeviceEvent::Removed { .. } => return Ok(()),
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
            demand: Demand {
                rules: PassRules::from_word(row.text(10)?).unwrap_or_default(),
                full_name: row.truth(11)?,
                stale_passes: row.truth(12)?,
            },
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

/// All places of the region, closed ones included. Sensitive ones only when asked for.
pub fn places_all(reader: &mut Reader<'_>, with_sensitive: bool) -> Result<Vec<PlaceRow>, Fault> {
    place_rows(reader, PLACES_ALL, values![with_sensitive])
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

/// How many devices have asked after `since` and wait, for each place where any does.
pub fn waiting_by_place(
    reader: &mut Reader<'_>,
    since: Instant,
) -> Result<BTreeMap<Id<PlaceId>, u64>, Fault> {
    let rows = reader.query(WAITING_BY_PLACE, values![since])?;
    rows.iter().map(|row| Ok((row.id(0)?, row.count(1)?))).collect()
}

/// Every device of a place with how far it has come, while the write door is held.
pub fn devices_held(
    tx: &mut Tx<'_>,
    place: Id<PlaceId>,
) -> Result<Vec<(Id<DeviceId>, DevicePhase)>, Fault> {
    let rows = tx.query(DEVICES_ALL, values![place])?;
    rows.iter().map(|row| Ok((row.id(0)?, DevicePhase::from_number(row.int(1)?)))).collect()
}

/// When a place was closed, while the write door is held.
pub fn closed_at(tx: &mut Tx<'_>, place: Id<PlaceId>) -> Result<Option<Instant>, Fault> {
    let rows = tx.query(CLOSED_AT, values![place])?;
    rows.first().map_or(Ok(None), |row| row.maybe_instant(0))
}
