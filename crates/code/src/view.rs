//! The view tables: who is asked for by short code, what is revoked, what waits on the officers'
//! desk. One person's own facts are few and are read from their events; no table holds a colour or
//! a text.

use contracts::code::{Pass, TypedAnswer};
use contracts::person::{Person, Staff};
use credential::ShortCode;
use kernel::{Aggregate as _, Id, Instant};
use store::tx::utc_day;
use store::{Fault, Projection, Reader, Recorded, Side, View, values};

use crate::decision::{self, Decision};
use crate::event::{Event, PolicyEvent, RevocationEvent};
use crate::issuer::KeyId;
use crate::model::{Appeal, Holder, Order, Ruling};
use crate::policy::{POLICY, Policy};

/// The tables.
pub const VIEWS: &[View] = &[
    of_person("code_pass", "code.pass_issued.v1"),
    View { table: "code_revoked", side: Side::Identity, subject: None, day: None },
    of_person("code_order", "code.order_proposed.v1"),
    of_person("code_appeal", "code.appealed.v1"),
    of_person("code_decision", "code.decided.v1"),
    of_person("code_signed", "code.pass_issued.v1"),
];

/// A row that ends with its person, and with the event of this kind that made it. Later events only
/// change a row, and are kept as long: a table never needs one whose row has gone.
const fn of_person(table: &'static str, kind: &'static str) -> View {
    View { table, side: Side::Identity, subject: Some("person"), day: Some(("day", kind)) }
}

const PASS_ADD: &str = "INSERT INTO code_pass (region, pass, person, short, valid_until, revoked, day) \
     VALUES ($1, $2, $3, $4, $5, 0, $6)";
const PASS_SWEEP: &str =
    "DELETE FROM code_pass WHERE region = $1 AND person = $2 AND valid_until <= $3";
const PASS_REVOKE: &str = "UPDATE code_pass SET revoked = 1 WHERE region = $1 AND pass = $2";
const PASS_BY_SHORT: &str = "SELECT pass, person, valid_until, revoked FROM code_pass \
     WHERE region = $1 AND short = $2 ORDER BY valid_until DESC LIMIT 1";
const PASSES_LIVE: &str = "SELECT pass, person FROM code_pass WHERE region = $1 AND pass > $2 \
     AND revoked = 0 AND valid_until > $3 ORDER BY pass LIMIT $4";
const REVOKED_ADD: &str = "INSERT INTO code_revoked (region, pass, valid_until) VALUES ($1, $2, $3) \
     ON CONFLICT DO NOTHING";
const REVOKED_LIVE: &str =
    "SELECT pass FROM code_revoked WHERE region = $1 AND valid_until > $2 ORDER BY pass";
const ORDER_ADD: &str = "INSERT INTO code_order (region, id, person, stage, proposed_by, proposed_at, day) \
     VALUES ($1, $2, $3, 0, $4, $5, $6)";
const ORDER_STAGE: &str = "UPDATE code_order SET stage = $3 WHERE region = $1 AND id = $2";
const ORDERS_WAITING: &str = "SELECT id, person, proposed_by, proposed_at FROM code_order \
     WHERE region = $1 AND stage = 0 ORDER BY proposed_at LIMIT $2";
const ORDER_PERSON: &str = "SELECT person FROM code_order WHERE region = $1 AND id = $2";
const APPEAL_ADD: &str = "INSERT INTO code_appeal (region, id, person, due_at, answered, day) \
     VALUES ($1, $2, $3, $4, 0, $5)";
const APPEAL_ANSWERED: &str = "UPDATE code_appeal SET answered = 1 WHERE region = $1 AND id = $2";
const APPEALS_OPEN: &str = "SELECT id, person, due_at FROM code_appeal \
     WHERE region = $1 AND answered = 0 ORDER BY due_at LIMIT $2";
const APPEAL_PERSON: &str = "SELECT person FROM code_appeal WHERE region = $1 AND id = $2";
const DECISION_ADD: &str =
    "INSERT INTO code_decision (region, decision, person, seq, day) VALUES ($1, $2, $3, $4, $5)";
const DECISION_PERSON: &str =
    "SELECT person FROM code_decision WHERE region = $1 AND decision = $2";

const SIGNED_ADD: &str = "INSERT INTO code_signed \
     (region, pass, kid, seq, person, issued_at, valid_until, day) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const SIGNED_SINCE: &str = "SELECT seq, pass, person, issued_at, valid_until FROM code_signed \
     WHERE region = $1 AND kid = $2 AND issued_at >= $3 AND seq >= $4 ORDER BY seq LIMIT $5";
const SIGNED_BETWEEN: &str = "SELECT seq, pass FROM code_signed \
     WHERE region = $1 AND kid = $2 AND seq >= $3 AND seq < $4 ORDER BY seq LIMIT 2000";
const SIGNED_BY: &str =
    "SELECT person FROM code_signed WHERE region = $1 AND pass = $2 AND kid = $3";
const GOOD_UNTIL: &str = "SELECT valid_until FROM code_signed WHERE region = $1 AND kid = $2 \
     AND issued_at < $3 ORDER BY valid_until DESC LIMIT 1";
const REVOKED_FIND: &str = "SELECT pass FROM code_revoked WHERE region = $1 AND pass = $2";

/// Every SQL text, for conformance law 7.
pub const QUERIES: &[(Side, &str)] = &[
    (Side::Identity, PASS_ADD),
    (Side::Identity, PASS_SWEEP),
    (Side::Identity, PASS_REVOKE),
    (Side::Identity, PASS_BY_SHORT),
    (Side::Identity, PASSES_LIVE),
    (Side::Identity, REVOKED_ADD),
    (Side::Identity, REVOKED_LIVE),
    (Side::Identity, ORDER_ADD),
    (Side::Identity, ORDER_STAGE),
    (Side::Identity, ORDERS_WAITING),
    (Side::Identity, ORDER_PERSON),
    (Side::Identity, APPEAL_ADD),
    (Side::Identity, APPEAL_ANSWERED),
    (Side::Identity, APPEALS_OPEN),
    (Side::Identity, APPEAL_PERSON),
    (Side::Identity, DECISION_ADD),
    (Side::Identity, DECISION_PERSON),
    (Side::Identity, SIGNED_ADD),
    (Side::Identity, SIGNED_SINCE),
    (Side::Identity, SIGNED_BETWEEN),
    (Side::Identity, SIGNED_BY),
    (Side::Identity, GOOD_UNTIL),
    (Side::Identity, REVOKED_FIND),
];

/// What the blind index of short codes is made for.
const SHORT: &str = "code.short";

/// Adds a holder's event to the tables. An erased event adds nothing.
pub fn project(views: &mut Projection<'_>, it: &Recorded) -> Result<(), Fault> {
    let Some(event) = it.event::<Event>()? else { return Ok(()) };
    let (person, day): (Id<Person>, _) = (it.id(), utc_day(it.at));
    let stage = |views: &mut Projection<'_>, order: Id<Order>, stage: i64| {
        views.execute(ORDER_STAGE, values![order, stage])
    };
    match event {
        Event::PassIssued { pass, issued_at, valid_until, short, issuer, .. } => {
            if let Some(kid) = issuer {
                let kid = kid.to_string();
                views.execute(
                    SIGNED_ADD,
                    values![pass, kid, it.seq, person, issued_at, valid_until, day],
                )?;
            }
            views.execute(PASS_SWEEP, values![person, issued_at])?;
            let short = views.index(SHORT, &short.to_string());
            views.execute(PASS_ADD, values![pass, person, short, valid_until, day])?;
        }
        Event::PassRevoked { pass, .. } => {
            views.execute(PASS_REVOKE, values![pass])?;
        }
        Event::OrderProposed { order, proposed_by, .. } => {
            views.execute(ORDER_ADD, values![order, person, proposed_by, it.at, day])?;
        }
        Event::OrderConfirmed { order, .. } => drop(stage(views, order, 1)?),
        Event::OrderRejected { order, .. } => drop(stage(views, order, 2)?),
        Event::OrderWithdrawn { order, .. } => drop(stage(views, order, 3)?),
        Event::Appealed { appeal, due_at, .. } => {
            views.execute(APPEAL_ADD, values![appeal, person, due_at, day])?;
        }
        Event::AppealAnswered { appeal, .. } => {
            views.execute(APPEAL_ANSWERED, values![appeal])?;
        }
        Event::Decided { decision, .. } => {
            views.execute(DECISION_ADD, values![decision, person, it.seq, day])?;
        }
        Event::Declared { .. } | Event::TestRecorded { .. } | Event::Exposed { .. } => {}
    }
    Ok(())
}

/// Adds a revocation to its table.
pub fn project_revocation(views: &mut Projection<'_>, it: &Recorded) -> Result<(), Fault> {
    let Some(RevocationEvent::Revoked { pass, valid_until }) = it.event()? else { return Ok(()) };
    views.execute(REVOKED_ADD, values![pass, valid_until])
}

/// Keys have no table: there are few, and they are read from their events.
pub fn project_issuer(_: &mut Projection<'_>, _: &Recorded) -> Result<(), Fault> {
    Ok(())
}

/// A pass as it was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedPass {
    /// Its place on the log.
    pub seq: u64,
    /// Which.
    pub pass: Id<Pass>,
    /// Whose.
    pub person: Id<Person>,
    /// When.
    pub issued_at: Instant,
    /// Until when.
    pub valid_until: Instant,
}

/// What a key signed from `since` on, in the order of the log, after entry `after`.
pub fn signed(
    reader: &mut Reader<'_>,
    kid: KeyId,
    since: Instant,
    after: Option<u64>,
    limit: u32,
) -> Result<Vec<SignedPass>, Fault> {
    let from = after.map_or(0, |it| it + 1);
    let rows = reader.query(SIGNED_SINCE, values![kid.to_string(), since, from, limit])?;
    rows.iter()
        .map(|row| {
            Ok(SignedPass {
                seq: row.count(0)?,
                pass: row.id(1)?,
                person: row.id(2)?,
                issued_at: row.instant(3)?,
                valid_until: row.instant(4)?,
            })
        })
        .collect()
}

/// The passes that a key signed in these entries of the log, in their order, some at a time.
pub fn signatures(
    reader: &mut Reader<'_>,
    kid: [u8; 8],
    from: u64,
    to: u64,
) -> Result<Vec<(u64, [u8; 16])>, Fault> {
    let rows = reader.query(SIGNED_BETWEEN, values![KeyId(kid).to_string(), from, to])?;
    rows.iter().map(|row| Ok((row.count(0)?, row.id::<Pass>(1)?.to_bytes()))).collect()
}

/// Whose pass a key signed, if the log knows that it did.
pub fn person_of_signed(
    reader: &mut Reader<'_>,
    kid: KeyId,
    pass: Id<Pass>,
) -> Result<Option<Id<Person>>, Fault> {
    let found = reader.first(SIGNED_BY, values![pass, kid.to_string()])?;
    found.map(|row| row.id(0)).transpose()
}

/// Until when the last of what a key signed before `since` is good.
pub fn good_until(
    tx: &mut store::Tx<'_>,
    kid: KeyId,
    since: Instant,
) -> Result<Option<Instant>, Fault> {
    let rows = tx.query(GOOD_UNTIL, values![kid.to_string(), since])?;
    rows.first().map(|row| row.instant(0)).transpose()
}

/// Whether a pass was ended early.
pub fn is_revoked(reader: &mut Reader<'_>, pass: Id<Pass>) -> Result<bool, Fault> {
    Ok(reader.first(REVOKED_FIND, values![pass])?.is_some())
}

/// Rules have no table: there are few versions, and they are read from their events.
pub fn project_policy(_: &mut Projection<'_>, _: &Recorded) -> Result<(), Fault> {
    Ok(())
}

/// The rules in force.
pub fn policy(reader: &mut Reader<'_>) -> Result<Policy, Fault> {
    reader.state::<Policy>(POLICY)
}

/// What happened to the rules, with its place on the log, newest first.
pub fn policies(reader: &mut Reader<'_>) -> Result<Vec<(u64, PolicyEvent)>, Fault> {
    let mut found = Vec::new();
    for it in reader.events(Policy::STREAM, POLICY)? {
        found.extend(it.event::<PolicyEvent>()?.map(|event| (it.seq, event)));
    }
    found.reverse();
    Ok(found)
}

/// What is known of a person and has not been erased.
pub fn holder(reader: &mut Reader<'_>, person: Id<Person>) -> Result<Holder, Fault> {
    reader.state::<Holder>(person.to_u128())
}

/// What is known of a person, and what their colour is at `now`. Nothing is written: the clock ends
/// a colour by itself.
pub fn standing(
    reader: &mut Reader<'_>,
    person: Id<Person>,
    now: Instant,
) -> Result<(Holder, Policy, Decision), Fault> {
    let holder = holder(reader, person)?;
    let policy = policy(reader)?;
    let decision = decision::decide(&holder.facts, &policy, now);
    Ok((holder, policy, decision))
}

/// A person's decisions with their places on the log, newest first.
pub fn history(reader: &mut Reader<'_>, person: Id<Person>) -> Result<Vec<(u64, Event)>, Fault> {
    let mut found = Vec::new();
    for it in reader.events(Holder::STREAM, person.to_u128())? {
        found.extend(it.event::<Event>()?.map(|event| (it.seq, event)));
    }
    found.reverse();
    Ok(found)
}

/// What a typed short code says at `now`; `None` when it is no code or nobody's.
pub fn typed_code(
    reader: &mut Reader<'_>,
    text: &str,
    now: Instant,
) -> Result<Option<TypedAnswer>, Fault> {
    let Ok(short) = text.parse::<ShortCode>() else { return Ok(None) };
    let index = reader.vault().index(SHORT, &short.to_string());
    let Some(row) = reader.first(PASS_BY_SHORT, values![index])? else { return Ok(None) };
    let (pass, valid_until, revoked) = (row.id(0)?, row.instant(2)?, row.truth(3)?);
    let (_, _, decision) = standing(reader, row.id(1)?, now)?;
    Ok(Some(TypedAnswer { pass, colour: decision.colour, valid_until, revoked }))
}

/// A pass and whose it is.
pub type Owned = (Id<Pass>, Id<Person>);

/// Passes after `after` that are good at `now`, with whose they are, in the order of their ids.
pub fn live_passes(
    reader: &mut Reader<'_>,
    after: Id<Pass>,
    now: Instant,
    limit: u32,
) -> Result<Vec<Owned>, Fault> {
    let rows = reader.query(PASSES_LIVE, values![after, now, limit])?;
    rows.iter().map(|row| Ok((row.id(0)?, row.id(1)?))).collect()
}

/// Passes that were revoked and would still be good at `now`.
pub fn revoked(reader: &mut Reader<'_>, now: Instant) -> Result<Vec<Id<Pass>>, Fault> {
    reader.query(REVOKED_LIVE, values![now])?.iter().map(|row| row.id(0)).collect()
}

/// An order that waits for its second officer.
#[derive(Debug, Clone)]
pub struct WaitingOrder {
    /// Its id.
    pub order: Id<Order>,
    /// Whose colour.
    pub person: Id<Person>,
    /// The first officer.
    pub proposed_by: Id<Staff>,
    /// Since when.
    pub at: Instant,
}

/// Orders that wait, oldest first.
pub fn waiting_orders(reader: &mut Reader<'_>, limit: u32) -> Result<Vec<WaitingOrder>, Fault> {
    let rows = reader.query(ORDERS_WAITING, values![limit])?;
    rows.iter()
        .map(|row| {
            Ok(WaitingOrder {
                order: row.id(0)?,
                person: row.id(1)?,
                proposed_by: row.id(2)?,
                at: row.instant(3)?,
            })
        })
        .collect()
}

/// Whose order this is.
pub fn person_of_order(
    reader: &mut Reader<'_>,
    order: Id<Order>,
) -> Result<Option<Id<Person>>, Fault> {
    reader.first(ORDER_PERSON, values![order])?.map(|row| row.id(0)).transpose()
}

/// An appeal that waits for its answer.
#[derive(Debug, Clone)]
pub struct OpenAppeal {
    /// Its id.
    pub appeal: Id<Appeal>,
    /// Whose.
    pub person: Id<Person>,
    /// When the answer is due.
    pub due_at: Instant,
}

/// Appeals that wait, the most overdue first.
pub fn open_appeals(reader: &mut Reader<'_>, limit: u32) -> Result<Vec<OpenAppeal>, Fault> {
    let rows = reader.query(APPEALS_OPEN, values![limit])?;
    rows.iter()
        .map(|row| {
            Ok(OpenAppeal { appeal: row.id(0)?, person: row.id(1)?, due_at: row.instant(2)? })
        })
        .collect()
}

/// Whose appeal this is.
pub fn person_of_appeal(
    reader: &mut Reader<'_>,
    appeal: Id<Appeal>,
) -> Result<Option<Id<Person>>, Fault> {
    reader.first(APPEAL_PERSON, values![appeal])?.map(|row| row.id(0)).transpose()
}

/// Whose decision this is.
pub fn person_of_decision(
    reader: &mut Reader<'_>,
    decision: Id<Ruling>,
) -> Result<Option<Id<Person>>, Fault> {
    reader.first(DECISION_PERSON, values![decision])?.map(|row| row.id(0)).transpose()
}
