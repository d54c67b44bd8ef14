//! Where a slice adds an event to its views, and the SQL helpers that put the region first.

use crate::vault::Vault;
use crate::{Engine, Fault, Row, Value};

/// Runs a statement with the region as `$1`.
pub(crate) fn run(
    engine: &mut dyn Engine,
    region: &Value,
    sql: &str,
    values: &[Value],
) -> Result<u64, Fault> {
    let parameters: Vec<&Value> = std::iter::once(region).chain(values).collect();
    engine.execute(sql, &parameters)
}

/// Runs a statement with the region as `$1`, without waiting for how many rows it touched.
pub(crate) fn put(
    engine: &mut dyn Engine,
    region: &Value,
    sql: &str,
    values: &[Value],
) -> Result<(), Fault> {
    let parameters: Vec<&Value> = std::iter::once(region).chain(values).collect();
    engine.put(sql, &parameters)
}

/// Runs a query with the region as `$1`.
pub(crate) fn select(
    engine: &mut dyn Engine,
    region: &Value,
    sql: &str,
    values: &[Value],
) -> Result<Vec<Row>, Fault> {
    let parameters: Vec<&Value> = std::iter::once(region).chain(values).collect();
    let mut rows = Vec::new();
    engine.query(sql, &parameters, &mut |row| {
        rows.push(std::mem::take(row));
        Ok(true)
    })?;
    Ok(rows)
}

/// Where a slice adds an event to its views. Deterministic: the same log gives the same bytes.
pub struct Projection<'a> {
    pub(crate) engine: &'a mut dyn Engine,
    pub(crate) region: &'a Value,
    pub(crate) vault: &'a Vault,
}

impl Projection<'_> {
    /// Runs a statement on the views; `$1` is the region.
    pub fn execute(&mut self, sql: &str, values: &[Value]) -> Result<(), Fault> {
        put(self.engine, self.region, sql, values)
    }

    /// Runs a query on the views; `$1` is the region.
    pub fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, Fault> {
        select(self.engine, self.region, sql, values)
    }

    /// A tag that finds `text` again without telling what it is.
    pub fn index(&self, purpose: &str, text: &str) -> [u8; 16] {
        self.vault.index(purpose, text)
    }

    /// Seals a column that holds personal data, under its subject's key. NULL once the subject was
    /// forgotten. `context` is `<table>.<column>`.
    pub fn seal(&self, subject: u128, context: &str, seq: u64, text: &str) -> Result<Value, Fault> {
        Ok(self.vault.seal_column(subject, context, seq, text.as_bytes())?.into())
    }
}
