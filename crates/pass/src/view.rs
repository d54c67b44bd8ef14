//! The view tables: which passes lie in whose wallet and when their holders are to be told, and
//! which sources of trust count. No table holds what a pass says: that is read from its events.

mod issued;

use contracts::person::{Person, Staff};
use kernel::{Id, Instant};
use store::{Fault, Projection, Reader, Recorded, Row, Side, Tx, View, values};

use crate::city_rules::{CityRules, RULES};
use crate::event::{SourceEvent, WalletEvent};
use crate::model::{Card, Content, SourceId, SourceKind, SourcePhase, Wallet, next_warning, stage};

pub use issued::{
    IssuedRow, Signed, issued, issued_by, issues, project_issue, project_status, signatures, signed,
};
pub(crate) use issued::{Reached, is_taken, last_list, reached, signed_since, statuses};

/// The tables.
pub const VIEWS: &[View] = &[
    View { table: "pass_card", side: Side::Identity, subject: Some("person"), day: None },
    View { table: "pass_issued", side: Side::Identity, subject: Some("person"), day: None },
    View { table: "pass_bound", side: Side::Identity, subject: Some("person"), day: None },
    View { table: "pass_status", side: Side::Identity, subject: None, day: None },
    View { table: "pass_source", side: Side::Identity, subject: None, day: None },
];

const CARD_ADD: &str = "INSERT INTO pass_card (region, card, person, ends_at, warn_at) \
     VALUES ($1, $2, $3, $4, $5)";
const CARD_END: &str =
    "UPDATE pass_card SET ends_at = $3, warn_at = $4 WHERE region = $1 AND card = $2";
const CARD_WARNED: &str = "UPDATE pass_card SET warn_at = $3 WHERE region = $1 AND card = $2";
const CARD_REMOVED: &str = "UPDATE pass_card SET removed_at = $3 WHERE region = $1 AND card = $2";
const CARD_ERASED: &str = "DELETE FROM pass_card WHERE region = $1 AND card = $2";
const CARDS_DUE: &str = "SELECT card, person FROM pass_card WHERE region = $1 AND warn_at <= $2 \
     AND removed_at IS NULL AND ends_at > $2 ORDER BY warn_at, card LIMIT $3";
const CARDS_OVER: &str = "SELECT card, person FROM pass_card \
     WHERE region = $1 AND removed_at <= $2 ORDER BY removed_at, card LIMIT $3";
const SOURCE_ADD: &str = "INSERT INTO pass_source (region, source, phase, kind, name, sha256, items, \
     offered_by, offered_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const SOURCE_PHASE: &str =
    "UPDATE pass_source SET phase = $3, decided_at = $4 WHERE region = $1 AND source = $2";
const SOURCES: &str = "SELECT source, phase, kind, name, sha256, items, offered_by, offered_at, \
     decided_at FROM pass_source WHERE region = $1 ORDER BY offered_at DESC, source LIMIT 500";
const SOURCE_KNOWN: &str = "SELECT source FROM pass_source \
     WHERE region = $1 AND sha256 = $2 AND phase <= 2 LIMIT 1";
const SOURCES_IN_FORCE: &str =
    "SELECT source, sha256 FROM pass_source WHERE region = $1 AND phase = 2 ORDER BY source";

/// Every SQL text, for conformance law 7.
pub const QUERIES: &[(Side, &str)] = &[
    issued::QUERIES[0],
    issued::QUERIES[1],
    issued::QUERIES[2],
    issued::QUERIES[3],
    issued::QUERIES[4],
    issued::QUERIES[5],
    issued::QUERIES[6],
    issued::QUERIES[7],
    issued::QUERIES[8],
    issued::QUERIES[9],
    issued::QUERIES[10],
    issued::QUERIES[11],
    issued::QUERIES[12],
    issued::QUERIES[13],
    issued::QUERIES[14],
    issued::QUERIES[15],
    issued::QUERIES[16],
    (Side::Identity, CARD_ADD),
    (Side::Identity, CARD_END),
    (Side::Identity, CARD_WARNED),
    (Side::Identity, CARD_REMOVED),
    (Side::Identity, CARD_ERASED),
    (Side::Identity, CARDS_DUE),
    (Side::Identity, CARDS_OVER),
    (Side::Identity, SOURCE_ADD),
    (Side::Identity, SOURCE_PHASE),
    (Side::Identity, SOURCES),
    (Side::Identity, SOURCE_KNOWN),
    (Side::Identity, SOURCES_IN_FORCE),
];

/// Adds what happened to a wallet. An erased event adds nothing.
pub fn project_wallet(views: &mut Projection<'_>, it: &Recorded) -> Result<(), Fault> {
    let Some(event) = it.event::<WalletEvent>()? else { return Ok(()) };
    let person: Id<Person> = it.id();
    let warn_at = |ends_at: Option<Instant>, at: Instant| {
        next_warning(ends_at, ends_at.and_then(|end| stage(end, at)))
    };
    match event {
        WalletEvent::Imported { card, ends_at, at, .. } => {
            views.execute(CARD_ADD, values![card, person, ends_at, warn_at(ends_at, at)])
        }
        WalletEvent::EndSet { card, ends_at, at, .. } => {
            views.execute(CARD_END, values![card, ends_at, warn_at(ends_at, at)])
        }
        WalletEvent::Warned { card, days, ends_at } => {
            views.execute(CARD_WARNED, values![card, next_warning(Some(ends_at), Some(days))])
        }
        WalletEvent::Removed { card, at } => views.execute(CARD_REMOVED, values![card, at]),
        WalletEvent::Restored { card, .. } => {
            views.execute(CARD_REMOVED, values![card, None::<Instant>])
        }
        WalletEvent::Erased { card } => views.execute(CARD_ERASED, values![card]),
    }
}

/// What a pass says has no table.
pub fn project_content(_: &mut Projection<'_>, _: &Recorded) -> Result<(), Fault> {
    Ok(())
}

/// Adds what happened to a source of trust.
pub fn project_source(views: &mut Projection<'_>, it: &Recorded) -> Result<(), Fault> {
    let Some(event) = it.event::<SourceEvent>()? else { return Ok(()) };
    let source: Id<SourceId> = it.id();
    let phase = match event {
        SourceEvent::Offered { name, kind, sha256, items, offered_by, at } => {
            let phase = SourcePhase::Offered.number();
            return views.execute(
                SOURCE_ADD,
                values![source, phase, kind.word(), name, sha256, items, offered_by, at],
            );
        }
        SourceEvent::Confirmed { .. } => SourcePhase::Confirmed,
        SourceEvent::Declined { .. } => SourcePhase::Declined,
        SourceEvent::Withdrawn { .. } => SourcePhase::Withdrawn,
    };
    views.execute(SOURCE_PHASE, values![source, phase.number(), it.at])
}

/// A source's file has no table.
pub fn project_material(_: &mut Projection<'_>, _: &Recorded) -> Result<(), Fault> {
    Ok(())
}

/// The city's rules have no table: they are few, and read from their events.
pub fn project_rules(_: &mut Projection<'_>, _: &Recorded) -> Result<(), Fault> {
    Ok(())
}

/// The rules by which the city judges passes, and how they came.
pub fn city_rules(reader: &mut Reader<'_>) -> Result<CityRules, Fault> {
    reader.state::<CityRules>(RULES)
}

/// A pass and whose it is.
pub(crate) type Owned = (Id<Card>, Id<Person>);

fn owned(rows: &[Row]) -> Result<Vec<Owned>, Fault> {
    rows.iter().map(|row| Ok((row.id(0)?, row.id(1)?))).collect()
}

/// Passes that were taken out at `before` or earlier.
pub(crate) fn over(
    reader: &mut Reader<'_>,
    before: Instant,
    limit: u32,
) -> Result<Vec<Owned>, Fault> {
    owned(&reader.query(CARDS_OVER, values![before, limit])?)
}

/// Passes whose holders are to be told.
pub(crate) fn due(reader: &mut Reader<'_>, now: Instant, limit: u32) -> Result<Vec<Owned>, Fault> {
    owned(&reader.query(CARDS_DUE, values![now, limit])?)
}

/// A person's wallet.
pub fn wallet(reader: &mut Reader<'_>, person: Id<Person>) -> Result<Wallet, Fault> {
    reader.state::<Wallet>(person.to_u128())
}

/// What a pass says.
pub fn content(reader: &mut Reader<'_>, card: Id<Card>) -> Result<Content, Fault> {
    reader.state::<Content>(card.to_u128())
}

/// The passes of a person, taken out ones too: what else is kept about them under keys of its own.
pub fn things_of(reader: &mut Reader<'_>, person: Id<Person>) -> Result<Vec<u128>, Fault> {
    Ok(wallet(reader, person)?.cards.iter().map(|it| it.card.to_u128()).collect())
}

/// A source of trust as the desk shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceRow {
    /// Which.
    pub source: Id<SourceId>,
    /// How far it has come.
    pub phase: SourcePhase,
    /// What it holds.
    pub kind: SourceKind,
    /// What the officer called it.
    pub name: String,
    /// The hash of the file.
    pub sha256: String,
    /// How many keys or revocations.
    pub items: i64,
    /// The officer who read it in.
    pub offered_by: Id<Staff>,
    /// When.
    pub offered_at: Instant,
    /// When it was last decided on.
    pub decided_at: Option<Instant>,
}

fn source_row(row: &Row) -> Result<SourceRow, Fault> {
    let kind = SourceKind::from_word(row.text(2)?);
    Ok(SourceRow {
        source: row.id(0)?,
        phase: SourcePhase::from_number(row.int(1)?),
        kind: kind.ok_or_else(|| Fault::new("a source of trust of no known kind"))?,
        name: row.text(3)?.to_owned(),
        sha256: row.text(4)?.to_owned(),
        items: row.int(5)?,
        offered_by: row.id(6)?,
        offered_at: row.instant(7)?,
        decided_at: row.maybe_int(8)?.map(Instant::from_micros),
    })
}

/// All sources, newest first.
pub fn sources(reader: &mut Reader<'_>) -> Result<Vec<SourceRow>, Fault> {
    reader.query(SOURCES, values![])?.iter().map(source_row).collect()
}

/// Whether the same file counts or waits.
pub(crate) fn source_is_known(tx: &mut Tx<'_>, sha256: &str) -> Result<bool, Fault> {
    Ok(!tx.query(SOURCE_KNOWN, values![sha256])?.is_empty())
}

/// The sources that count, with the hashes of their files.
pub(crate) fn in_force(reader: &mut Reader<'_>) -> Result<Vec<(Id<SourceId>, String)>, Fault> {
    let rows = reader.query(SOURCES_IN_FORCE, values![])?;
    rows.iter().map(|row| Ok((row.id(0)?, row.text(1)?.to_owned()))).collect()
}
