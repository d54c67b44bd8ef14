//! The tables about what was issued here: which passes an organisation issued, and what the status lists
//! say. Neither says of anybody what was attested.

use contracts::person::{Organisation, Person};
use kernel::{Id, Instant};
use store::{Fault, Projection, Reader, Recorded, Row, Side, Tx, values};

use crate::event::{IssueEvent, StatusEvent};
use crate::model::{Card, Issues, Standing, place_of};

const ADD: &str = "INSERT INTO pass_issued (region, card, person, organisation, kid, seq, list, place, \
     standing, issued_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10)";
const SET: &str = "UPDATE pass_issued SET standing = $3 WHERE region = $1 AND card = $2";
const STATUS_SET: &str = "INSERT INTO pass_status (region, list, place, status, seq, at) \
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (region, list, place) DO UPDATE \
     SET status = excluded.status, seq = excluded.seq, at = excluded.at";
const RETIRED: &str = "INSERT INTO pass_status (region, list, place, status, seq, at) \
     VALUES ($1, $2, $3, 0, $4, $5) ON CONFLICT (region, list, place) DO NOTHING";
const TAKEN: &str =
    "SELECT place FROM pass_issued WHERE region = $1 AND list = $2 AND place = $3 LIMIT 1";
const TAKEN_BEFORE: &str =
    "SELECT place FROM pass_status WHERE region = $1 AND list = $2 AND place = $3";
const LAST_ISSUED: &str = "SELECT MAX(list) FROM pass_issued WHERE region = $1";
const LAST_STATUS: &str =
    "SELECT list, seq, at FROM pass_status WHERE region = $1 ORDER BY seq DESC LIMIT 1";
const LAST_STATUS_LIST: &str = "SELECT MAX(list) FROM pass_status WHERE region = $1";
const STATUSES: &str = "SELECT list, place, status FROM pass_status \
     WHERE region = $1 AND status > 0 ORDER BY list, place";
const OF_CARD: &str = "SELECT card, person, organisation, standing, issued_at, expires_at FROM pass_issued \
     WHERE region = $1 AND card = $2";
const OF_ORGANISATION: &str = "SELECT card, person, organisation, standing, issued_at, expires_at FROM pass_issued \
     WHERE region = $1 AND organisation = $2 ORDER BY issued_at DESC, card LIMIT $3";
const BOUND_ADD: &str = "INSERT INTO pass_bound (region, kid, seq, card, person) \
     VALUES ($1, $2, $3, $4, $5)";
const SIGNED_BETWEEN: &str = "SELECT seq, card FROM pass_issued \
     WHERE region = $1 AND kid = $2 AND seq >= $3 AND seq < $4 ORDER BY seq LIMIT 1000";
const BOUND_BETWEEN: &str = "SELECT seq, card FROM pass_bound \
     WHERE region = $1 AND kid = $2 AND seq >= $3 AND seq < $4 ORDER BY seq LIMIT 1000";
const SIGNED_SINCE: &str = "SELECT card, person, organisation, standing, issued_at, expires_at FROM pass_issued \
     WHERE region = $1 AND kid = $2 AND issued_at >= $3 AND standing <> 1 AND expires_at > $4 \
     ORDER BY seq LIMIT $5";

const SIGNED: &str = "SELECT seq, card, issued_at, expires_at FROM pass_issued \
     WHERE region = $1 AND kid = $2 AND issued_at >= $3 AND seq > $4 ORDER BY seq LIMIT $5";

/// Every SQL text of these tables, for conformance law 7.
pub(crate) const QUERIES: [(Side, &str); 17] = [
    (Side::Identity, BOUND_BETWEEN),
    (Side::Identity, BOUND_ADD),
    (Side::Identity, ADD),
    (Side::Identity, SET),
    (Side::Identity, STATUS_SET),
    (Side::Identity, RETIRED),
    (Side::Identity, TAKEN),
    (Side::Identity, TAKEN_BEFORE),
    (Side::Identity, LAST_ISSUED),
    (Side::Identity, LAST_STATUS),
    (Side::Identity, LAST_STATUS_LIST),
    (Side::Identity, STATUSES),
    (Side::Identity, OF_CARD),
    (Side::Identity, OF_ORGANISATION),
    (Side::Identity, SIGNED_BETWEEN),
    (Side::Identity, SIGNED_SINCE),
    (Side::Identity, SIGNED),
];

/// Adds what was issued to a person. An erased event adds nothing.
pub fn project_issue(views: &mut Projection<'_>, it: &Recorded) -> Result<(), Fault> {
    let Some(event) = it.event::<IssueEvent>()? else { return Ok(()) };
    let person: Id<Person> = it.id();
    match event {
        IssueEvent::Issued { card, organisation, kid, list, place, expires_at, at, .. } => views
            .execute(
                ADD,
                values![card, person, organisation, kid, it.seq, list, place, at, expires_at],
            ),
        IssueEvent::Bound { card, kid, .. } => {
            views.execute(BOUND_ADD, values![kid, it.seq, card, person])
        }
        IssueEvent::StandingSet { card, standing, .. } => {
            views.execute(SET, values![card, standing.number()])
        }
    }
}

/// Adds what a status list says.
pub fn project_status(views: &mut Projection<'_>, it: &Recorded) -> Result<(), Fault> {
    let Some(event) = it.event::<StatusEvent>()? else { return Ok(()) };
    let (list, place) = place_of(it.stream_id);
    match event {
        StatusEvent::StatusSet { status, at } => {
            views.execute(STATUS_SET, values![list, place, status, it.seq, at])
        }
        StatusEvent::PlaceRetired { at } => {
            views.execute(RETIRED, values![list, place, it.seq, at])
        }
    }
}

/// Whether a place of a list was given to somebody, ever.
pub(crate) fn is_taken(tx: &mut Tx<'_>, list: u32, place: u32) -> Result<bool, Fault> {
    let issued = tx.query(TAKEN, values![list, place])?;
    Ok(!issued.is_empty() || !tx.query(TAKEN_BEFORE, values![list, place])?.is_empty())
}

/// The list that is being filled; `None` before the first pass.
pub(crate) fn last_list(tx: &mut Tx<'_>) -> Result<Option<u32>, Fault> {
    let rows = [tx.query(LAST_ISSUED, values![])?, tx.query(LAST_STATUS_LIST, values![])?];
    highest(&rows)
}

fn highest(rows: &[Vec<Row>]) -> Result<Option<u32>, Fault> {
    let mut last = None;
    for row in rows.iter().flatten() {
        let number = row.maybe_int(0)?.and_then(|it| u32::try_from(it).ok());
        last = last.max(number);
    }
    Ok(last)
}

/// How far the lists have come: their last number, and the log's last entry about them with its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Reached {
    /// The last list's number; `None` before the first pass.
    pub(crate) last: Option<u32>,
    /// The last entry.
    pub(crate) seq: i64,
    /// When it was made.
    pub(crate) at: Option<Instant>,
}

/// See [`Reached`].
pub(crate) fn reached(reader: &mut Reader<'_>) -> Result<Reached, Fault> {
    let rows = [reader.query(LAST_ISSUED, values![])?, reader.query(LAST_STATUS_LIST, values![])?];
    let last = highest(&rows)?;
    let newest = reader.first(LAST_STATUS, values![])?;
    let (seq, at) = match newest {
        Some(row) => (row.int(1)?, Some(row.instant(2)?)),
        None => (0, None),
    };
    Ok(Reached { last, seq, at })
}

/// All places that are not good: list, place, status.
pub(crate) fn statuses(reader: &mut Reader<'_>) -> Result<Vec<(u32, u32, u8)>, Fault> {
    let rows = reader.query(STATUSES, values![])?;
    let place = |row: &Row| {
        let wrong = |_| Fault::new("a place that no status list has");
        let [list, place] = [row.int(0)?, row.int(1)?].map(u32::try_from);
        let status = u8::try_from(row.int(2)?).map_err(wrong)?;
        Ok((list.map_err(wrong)?, place.map_err(wrong)?, status))
    };
    rows.iter().map(place).collect()
}

/// A pass that was issued here, without what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedRow {
    /// Which.
    pub card: Id<Card>,
    /// Whose.
    pub person: Id<Person>,
    /// In whose name.
    pub organisation: Id<Organisation>,
    /// Whether it is good.
    pub standing: Standing,
    /// When it was issued.
    pub issued_at: Instant,
    /// When it ends by itself.
    pub expires_at: Instant,
}

fn issued_row(row: &Row) -> Result<IssuedRow, Fault> {
    let standing = Standing::from_number(row.int(3)?);
    Ok(IssuedRow {
        card: row.id(0)?,
        person: row.id(1)?,
        organisation: row.id(2)?,
        standing: standing.ok_or_else(|| Fault::new("a pass of no known standing"))?,
        issued_at: row.instant(4)?,
        expires_at: row.instant(5)?,
    })
}

/// The pass with this id.
pub fn issued(reader: &mut Reader<'_>, card: Id<Card>) -> Result<Option<IssuedRow>, Fault> {
    reader.first(OF_CARD, values![card])?.as_ref().map(issued_row).transpose()
}

/// The last passes that an organisation issued, newest first.
pub fn issued_by(
    reader: &mut Reader<'_>,
    organisation: Id<Organisation>,
    limit: u32,
) -> Result<Vec<IssuedRow>, Fault> {
    let rows = reader.query(OF_ORGANISATION, values![organisation, limit])?;
    rows.iter().map(issued_row).collect()
}

/// What was issued to a person.
pub fn issues(reader: &mut Reader<'_>, person: Id<Person>) -> Result<Issues, Fault> {
    reader.state::<Issues>(person.to_u128())
}

/// The passes that a key signed in these entries of the log, as HCERT or as compact code, in their order,
/// some at a time.
pub fn signatures(
    reader: &mut Reader<'_>,
    kid: [u8; 8],
    from: u64,
    to: u64,
) -> Result<Vec<(u64, [u8; 16])>, Fault> {
    let mut signed = Vec::new();
    for sql in [SIGNED_BETWEEN, BOUND_BETWEEN] {
        for row in reader.query(sql, values![hex::encode(kid), from, to])? {
            signed.push((row.count(0)?, row.id::<Card>(1)?.to_bytes()));
        }
    }
    // Of each the first; beyond the first of both together one of the two may have been cut off.
    signed.sort_unstable();
    signed.truncate(1000);
    Ok(signed)
}

/// A pass that a key signed: its entry on the log, its id, when it was issued and when it ends.
pub type Signed = (u64, Id<Card>, Instant, Instant);

/// The passes that a key signed from `since` on, in the order of the log, after an entry.
pub fn signed(
    reader: &mut Reader<'_>,
    kid: [u8; 8],
    since: Instant,
    after: Option<u64>,
    limit: u32,
) -> Result<Vec<Signed>, Fault> {
    let after = after.map_or(-1, |it| i64::try_from(it).unwrap_or(i64::MAX));
    let rows = reader.query(SIGNED, values![hex::encode(kid), since, after, limit])?;
    let signed = |row: &Row| Ok((row.count(0)?, row.id(1)?, row.instant(2)?, row.instant(3)?));
    rows.iter().map(signed).collect()
}

/// Passes that a key signed since an instant and that still are good.
pub(crate) fn signed_since(
    reader: &mut Reader<'_>,
    kid: [u8; 8],
    since: Instant,
    now: Instant,
    limit: u32,
) -> Result<Vec<IssuedRow>, Fault> {
    let rows = reader.query(SIGNED_SINCE, values![hex::encode(kid), since, now, limit])?;
    rows.iter().map(issued_row).collect()
}
