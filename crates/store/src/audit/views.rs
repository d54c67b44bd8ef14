//! Every view against a fold of the log.
//!
//! The log is folded into fresh tables, and the rows of both are compared as sets: each row is
//! hashed under a key drawn for this audit, and the hashes are added. So no table is held in memory,
//! and no order is needed, of which two engines have two.

use std::collections::HashMap;

use aws_lc_rs::hmac;
use kernel::Region;

use super::Findings;
use crate::backend::Part;
use crate::registry::{Registry, Side};
use crate::sqlite::Sqlite;
use crate::vault::Vault;
use crate::{Engine, Fault, Row, Value, observe, schema, upkeep};

/// What the log is folded from, and into.
pub(super) struct Folder<'a> {
    pub(super) region: &'a Region,
    pub(super) vault: &'a Vault,
    pub(super) registry: &'a Registry,
    /// Entries on the log: what a server adds meanwhile is not looked at.
    pub(super) size: u64,
    pub(super) identity: &'a mut dyn Engine,
    pub(super) visits: &'a mut dyn Engine,
    pub(super) key: &'a hmac::Key,
    pub(super) findings: Findings,
}

/// Tables of one side, folded from the log.
pub(super) struct Folded {
    side: Side,
    fresh: Sqlite,
    sums: Vec<(&'static str, Sum)>,
}

impl Folder<'_> {
    pub(super) fn run(mut self) -> Result<(Vec<Folded>, Findings), Fault> {
        let mut folded = Vec::new();
        for side in [Side::Identity, Side::Visits] {
            let done = self.side(side);
            folded.extend(self.findings.part("view", done)?);
        }
        Ok((folded, self.findings))
    }

    fn side(&mut self, side: Side) -> Result<Folded, Fault> {
        let Self { identity, visits, region, vault, registry, .. } = self;
        let mut fresh = Sqlite::scratch()?;
        schema::migrate(&mut fresh, &schema::migrations(registry, Part::of(side)))?;
        fresh.begin()?;
        // A payload that cannot be read is named by its entry; views cannot be told from it.
        match side {
            Side::Identity => {
                upkeep::project_all(*identity, &mut fresh, region, vault, registry)?;
            }
            Side::Visits => {
                for kind in &registry.observations {
                    observe::project_all(*visits, &mut fresh, region, vault, kind)?;
                }
            }
        }
        let mut sums = Vec::new();
        for table in tables(side, registry) {
            let of = Table::of(side, table, region, self.size);
            sums.push((table, of.sum(&mut fresh, self.key)?));
        }
        Ok(Folded { side, fresh, sums })
    }
}

fn tables(side: Side, registry: &Registry) -> impl Iterator<Item = &'static str> {
    let views = registry.views.iter().filter(move |it| it.side == side).map(|it| it.table);
    views.chain((side == Side::Visits).then_some("observation_tag"))
}

/// The rows of a table that are compared.
struct Table {
    sql: String,
    values: Vec<Value>,
}

impl Table {
    fn of(side: Side, table: &str, region: &Region, head: u64) -> Self {
        let mut values = vec![Value::from(region.as_str())];
        // Blocks beyond the head are of a batch that is being written.
        let limit = if side == Side::Visits { " AND seq < $2" } else { "" };
        if side == Side::Visits {
            values.push(head.into());
        }
        Self { sql: format!("SELECT * FROM {table} WHERE region = $1{limit}"), values }
    }

    fn sum(&self, engine: &mut dyn Engine, key: &hmac::Key) -> Result<Sum, Fault> {
        let parameters: Vec<&Value> = self.values.iter().collect();
        let (mut sum, mut bytes) = (Sum::default(), Vec::new());
        engine.query(&self.sql, &parameters, &mut |row| {
            bytes.clear();
            row.0.iter().for_each(|it| write(&mut bytes, it));
            let tag = hmac::sign(key, &bytes);
            let (halves, _) = tag.as_ref().as_chunks::<16>();
            for (half, more) in sum.halves.iter_mut().zip(halves) {
                *half = half.wrapping_add(u128::from_be_bytes(*more));
            }
            sum.rows += 1;
            Ok(true)
        })?;
        Ok(sum)
    }

    /// All rows in an order of their own: a table has none, and two databases may read it by different
    /// indexes.
    fn rows(&self, engine: &mut dyn Engine) -> Result<Vec<Row>, Fault> {
        let parameters: Vec<&Value> = self.values.iter().collect();
        let mut rows = Vec::new();
        engine.query(&self.sql, &parameters, &mut |row| {
            rows.push(row);
            Ok(true)
        })?;
        rows.sort_unstable();
        Ok(rows)
    }
}

/// By table.
pub(super) type Sums = HashMap<&'static str, Sum>;

/// The sums of the stored tables, which wait for no fold.
pub(super) fn stored<'e>(
    identity: &mut (dyn Engine + 'e),
    visits: &mut (dyn Engine + 'e),
    region: &Region,
    registry: &Registry,
    size: u64,
    key: &hmac::Key,
    findings: &mut Findings,
) -> Result<Sums, Fault> {
    let mut sums = HashMap::new();
    for side in [Side::Identity, Side::Visits] {
        let engine = match side {
            Side::Identity => &mut *identity,
            Side::Visits => &mut *visits,
        };
        for table in tables(side, registry) {
            let sum = Table::of(side, table, region, size).sum(engine, key);
            if let Some(sum) = findings.part("view", sum)? {
                sums.insert(table, sum);
            }
        }
    }
    Ok(sums)
}

/// Says which stored tables are others than those folded.
pub(super) fn compare<'e>(
    folded: Vec<Folded>,
    stored: &Sums,
    identity: &mut (dyn Engine + 'e),
    visits: &mut (dyn Engine + 'e),
    region: &Region,
    size: u64,
    findings: &mut Findings,
) -> Result<(), Fault> {
    for Folded { side, mut fresh, sums } in folded {
        for (table, want) in sums {
            // One that could not be read has been named.
            let Some(have) = stored.get(table) else { continue };
            findings.0.view_rows += have.rows;
            if have.rows != want.rows {
                let what = format!("{table} has {} rows, the log says {}", have.rows, want.rows);
                findings.wrong(None, "view", what);
            } else if *have != want {
                let of = Table::of(side, table, region, size);
                let stored = match side {
                    Side::Identity => &mut *identity,
                    Side::Visits => &mut *visits,
                };
                let differing = of.rows(stored).and_then(|have| {
                    let want = of.rows(&mut fresh)?;
                    Ok(have.iter().zip(&want).take_while(|(a, b)| a == b).count())
                });
                if let Some(row) = findings.part("view", differing)? {
                    findings.wrong(
                        None,
                        "view",
                        format!("row {row} of {table} differs from the log"),
                    );
                }
            }
        }
    }
    Ok(())
}

/// A set of rows, as a number.
#[derive(PartialEq, Eq, Default)]
pub(super) struct Sum {
    rows: u64,
    halves: [u128; 2],
}

/// Drawn anew for each audit: whoever altered a table could not know it.
pub(super) fn key() -> Result<hmac::Key, Fault> {
    let mut raw = [0; 32];
    aws_lc_rs::rand::fill(&mut raw).map_err(|_| Fault::new("the system gives no randomness"))?;
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &raw))
}

/// A value so that no two rows give the same bytes.
fn write(bytes: &mut Vec<u8>, value: &Value) {
    let (kind, content): (u8, &[u8]) = match value {
        Value::Null => (0, &[]),
        Value::Int(it) => {
            bytes.push(1);
            bytes.extend_from_slice(&it.to_be_bytes());
            return;
        }
        Value::Text(it) => (2, it.as_bytes()),
        Value::Bytes(it) => (3, it),
    };
    bytes.push(kind);
    bytes.extend_from_slice(&content.len().to_be_bytes());
    bytes.extend_from_slice(content);
}
