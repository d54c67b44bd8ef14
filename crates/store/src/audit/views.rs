//! Every view against a fold of the log.
//!
//! The log is folded into fresh tables, and the rows of both are compared as sets: each row is
//! hashed under a key drawn for this audit, and the hashes are added. So no table is held in memory,
//! and no order is needed, of which two engines have two.

use kernel::Region;

use super::Findings;
use crate::backend::Part;
use crate::projection::select;
use crate::registry::{Registry, Side};
use crate::sqlite::Sqlite;
use crate::vault::Vault;
use crate::{Engine, Fault, Row, Value, observe, schema, upkeep};

/// Folds and compares.
pub(super) struct Folder<'a> {
    pub(super) region: &'a Region,
    pub(super) vault: &'a Vault,
    pub(super) registry: &'a Registry,
    /// Entries on the log: what a server adds meanwhile is not looked at.
    pub(super) size: u64,
    pub(super) identity: &'a mut dyn Engine,
    pub(super) visits: &'a mut dyn Engine,
    pub(super) findings: Findings,
}

impl Folder<'_> {
    pub(super) fn run(mut self) -> Result<Findings, Fault> {
        for side in [Side::Identity, Side::Visits] {
            let compared = self.side(side);
            self.findings.part("view", compared)?;
        }
        Ok(self.findings)
    }

    fn side(&mut self, side: Side) -> Result<(), Fault> {
        let mut fresh = Sqlite::scratch()?;
        schema::migrate(&mut fresh, &schema::migrations(self.registry, Part::of(side)))?;
        fresh.begin()?;
        let mut tables: Vec<&str> =
            self.registry.views.iter().filter(|it| it.side == side).map(|it| it.table).collect();
        // A payload that cannot be read is named by its entry; views cannot be told from it.
        match side {
            Side::Identity => {
                let Self { identity, region, vault, registry, .. } = self;
                upkeep::project_all(*identity, &mut fresh, region, vault, registry)?;
            }
            Side::Visits => {
                tables.push("observation_tag");
                for kind in &self.registry.observations {
                    let Self { visits, region, vault, .. } = self;
                    observe::project_all(*visits, &mut fresh, region, vault, kind)?;
                }
            }
        }
        for table in tables {
            let compared = self.compare(side, table, &mut fresh);
            self.findings.part("view", compared)?;
        }
        Ok(())
    }

    fn compare(&mut self, side: Side, table: &str, fresh: &mut dyn Engine) -> Result<(), Fault> {
        // Blocks beyond the head are of a batch that is being written.
        let limit = if side == Side::Visits { " AND seq < $2" } else { "" };
        let sql = format!("SELECT * FROM {table} WHERE region = $1{limit}");
        let region = Value::from(self.region.as_str());
        let values: &[Value] = if side == Side::Visits { &[Value::from(self.size)] } else { &[] };
        let stored = match side {
            Side::Identity => &mut *self.identity,
            Side::Visits => &mut *self.visits,
        };
        let key = key()?;
        let (have, want) =
            (sum(stored, &region, &sql, values, &key)?, sum(fresh, &region, &sql, values, &key)?);
        self.findings.0.view_rows += have.rows;
        if have.rows != want.rows {
            let what = format!("{table} has {} rows, the log says {}", have.rows, want.rows);
            self.findings.wrong(None, "view", what);
        } else if have != want {
            let have = rows_of(stored, &region, &sql, values)?;
            let want = rows_of(fresh, &region, &sql, values)?;
            let row = have.iter().zip(&want).take_while(|(a, b)| a == b).count();
            let what = format!("row {row} of {table} differs from the log");
            self.findings.wrong(None, "view", what);
        }
        Ok(())
    }
}

/// A set of rows, as a number.
#[derive(PartialEq, Eq, Default)]
struct Sum {
    rows: u64,
    halves: [u128; 2],
}

/// Drawn anew for each comparison: whoever altered a table could not know it.
fn key() -> Result<aws_lc_rs::hmac::Key, Fault> {
    let mut raw = [0; 32];
    aws_lc_rs::rand::fill(&mut raw).map_err(|_| Fault::new("the system gives no randomness"))?;
    Ok(aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &raw))
}

fn sum(
    engine: &mut dyn Engine,
    region: &Value,
    sql: &str,
    values: &[Value],
    key: &aws_lc_rs::hmac::Key,
) -> Result<Sum, Fault> {
    let parameters: Vec<&Value> = std::iter::once(region).chain(values).collect();
    let (mut sum, mut bytes) = (Sum::default(), Vec::new());
    engine.query(sql, &parameters, &mut |row| {
        bytes.clear();
        row.0.iter().for_each(|it| write(&mut bytes, it));
        let tag = aws_lc_rs::hmac::sign(key, &bytes);
        let (halves, _) = tag.as_ref().as_chunks::<16>();
        for (half, more) in sum.halves.iter_mut().zip(halves) {
            *half = half.wrapping_add(u128::from_be_bytes(*more));
        }
        sum.rows += 1;
        Ok(true)
    })?;
    Ok(sum)
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

/// All rows in an order of their own: a table has none, and two databases may read it by different
/// indexes.
fn rows_of(
    engine: &mut dyn Engine,
    region: &Value,
    sql: &str,
    values: &[Value],
) -> Result<Vec<Row>, Fault> {
    let mut rows = select(engine, region, sql, values)?;
    rows.sort_unstable();
    Ok(rows)
}
