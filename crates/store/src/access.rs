//! The access log: who read whose what, when, why.
//!
//! A row is durable before the reader sees anything. Rows are never changed; once an hour is over,
//! the Merkle root of its rows goes on the log, so that a row removed or edited later is found. The
//! person concerned sees their rows (Korean PIPA safety standard: kept 2 years, whose record was
//! handled; Western Australia 2021-22: inadequate logs of who viewed).

use kernel::Instant;
use ledger::Hash;
use serde::Serialize;

use crate::fault::Doing as _;
use crate::{By, Error, Fault, Reader, Row, Store, Tx, Value};

/// One reading of one person's record.
#[derive(Debug, Clone)]
pub struct Reading {
    /// Who reads.
    pub reader: By,
    /// Whose record.
    pub subject: u128,
    /// Which record: a stable word, e.g. `code.record`.
    pub record: &'static str,
    /// Why: a stable word, e.g. `appeal`, `own`.
    pub purpose: &'static str,
    /// The case, order or appeal that it is done for; may be empty for `own`.
    pub grounds: String,
}

/// A row of the access log, as its person or an auditor sees it.
#[derive(Debug, Clone, Serialize)]
pub struct AccessRow {
    /// Hours since 1970.
    pub hour: i64,
    /// Its number within the hour.
    pub number: i64,
    /// When.
    pub at: Instant,
    /// Who read, as [`By`] prints it.
    pub reader: String,
    /// Whose record, in hex.
    pub subject: String,
    /// Which record.
    pub record: String,
    /// Why.
    pub purpose: String,
    /// For which case, order or appeal.
    pub grounds: String,
}

const ADD: &str = "INSERT INTO access (region, hour, number, at, reader, subject, record, purpose, grounds) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const NEXT: &str =
    "SELECT COALESCE(MAX(number), 0) + 1 FROM access WHERE region = $1 AND hour = $2";
const OF_SUBJECT: &str = "SELECT hour, number, at, reader, subject, record, purpose, grounds FROM access \
     WHERE region = $1 AND subject = $2 AND at < $3 ORDER BY at DESC, number DESC LIMIT $4";
pub(crate) const HOUR_ROWS: &str = "SELECT hour, number, at, reader, subject, record, purpose, grounds FROM access \
     WHERE region = $1 AND hour = $2 ORDER BY number";
const OPEN_HOURS: &str = "SELECT DISTINCT hour FROM access WHERE region = $1 AND hour < $2 \
     AND hour NOT IN (SELECT hour FROM access_hour WHERE region = $1) ORDER BY hour LIMIT 1000";
const CLOSE_HOUR: &str =
    "INSERT INTO access_hour (region, hour, count, root, seq) VALUES ($1, $2, $3, $4, $5)";

/// The SQL texts of this module, for conformance law 7.
pub const QUERIES: &[&str] = &[ADD, NEXT, OF_SUBJECT, HOUR_ROWS, OPEN_HOURS, CLOSE_HOUR];

/// The hour of an instant, in hours since 1970.
pub fn hour_of(at: Instant) -> i64 {
    at.seconds().div_euclid(3_600)
}

pub(crate) fn access_row(row: &Row) -> Result<AccessRow, Fault> {
    Ok(AccessRow {
        hour: row.int(0)?,
        number: row.int(1)?,
        at: row.instant(2)?,
        reader: row.text(3)?.to_owned(),
        subject: hex::encode(row.bytes(4)?),
        record: row.text(5)?.to_owned(),
        purpose: row.text(6)?.to_owned(),
        grounds: row.text(7)?.to_owned(),
    })
}

/// The Merkle root (RFC 6962) over the rows of an hour, each as one line of JSON.
pub(crate) fn root_of(rows: &[AccessRow]) -> Result<Hash, Fault> {
    let lines: Result<Vec<Vec<u8>>, _> = rows.iter().map(serde_json::to_vec).collect();
    let mut tree = ledger::Tree::new();
    tree.append(&lines.doing("writing access rows")?).doing("hashing access rows")?;
    Ok(tree.root())
}

impl Tx<'_> {
    /// Records readings.
    pub fn record_readings(&mut self, readings: &[Reading]) -> Result<(), Fault> {
        let now = self.now();
        let hour = hour_of(now);
        for it in readings {
            let next = self.query(NEXT, &[hour.into()])?;
            let number = next.first().map_or(Ok(1), |row| row.int(0))?;
            let values: [Value; 8] = [
                hour.into(),
                number.into(),
                now.into(),
                it.reader.to_string().into(),
                it.subject.to_be_bytes().into(),
                it.record.into(),
                it.purpose.into(),
                (&it.grounds).into(),
            ];
            self.execute(ADD, &values)?;
        }
        Ok(())
    }

    /// Puts the roots of all hours that are over on the log.
    pub fn close_access_hours(&mut self) -> Result<u64, Fault> {
        let this_hour = hour_of(self.now());
        let hours = self.query(OPEN_HOURS, &[this_hour.into()])?;
        let mut closed = 0;
        for row in &hours {
            let hour = row.int(0)?;
            let rows = self.query(HOUR_ROWS, &[hour.into()])?;
            let rows: Vec<AccessRow> = rows.iter().map(access_row).collect::<Result<_, _>>()?;
            let (count, root) = (rows.len(), root_of(&rows)?);
            let event = serde_json::json!({ "hour": hour, "count": count, "root": root.to_hex() });
            let seq = self.append_public("store.access_closed.v1", &event)?;
            let count = u64::try_from(count).unwrap_or(u64::MAX);
            let values: [Value; 4] =
                [hour.into(), count.into(), root.as_bytes().as_slice().into(), seq.into()];
            self.execute(CLOSE_HOUR, &values)?;
            closed += 1;
        }
        Ok(closed)
    }
}

impl Store {
    /// Records readings; durable when it returns. Call it before the data are read.
    pub async fn record_readings(
        &self,
        readings: Vec<Reading>,
    ) -> Result<(), Error<crate::door::Never>> {
        self.write(move |tx| tx.record_readings(&readings)).await
    }

    /// [`Store::record_readings`] of one.
    pub async fn record_reading(&self, reading: Reading) -> Result<(), Error<crate::door::Never>> {
        self.record_readings(vec![reading]).await
    }
}

impl Reader<'_> {
    /// Who has read this subject's records: newest first, before `before`, at most `limit`.
    pub fn readings_of(
        &mut self,
        subject: u128,
        before: Instant,
        limit: u32,
    ) -> Result<Vec<AccessRow>, Fault> {
        let values: [Value; 3] = [subject.to_be_bytes().into(), before.into(), limit.into()];
        self.query(OF_SUBJECT, &values)?.iter().map(access_row).collect()
    }

    /// The rows of one hour, in order.
    pub fn readings_in(&mut self, hour: i64) -> Result<Vec<AccessRow>, Fault> {
        self.query(HOUR_ROWS, &[hour.into()])?.iter().map(access_row).collect()
    }
}
