//! Every view against a fold of the log.
//!
//! Rows are compared as sets: each row is hashed under a key drawn for this audit, and the hashes are
//! added. So no table is held in memory, and no order is needed, of which two engines have two.
//!
//! Views of the identity side change with the log, and are folded into fresh tables. Those of the
//! visits side are only added to ([`crate::ObservationKind::rows`]): their rows are summed up as they
//! are made.

use std::collections::{BTreeMap, HashMap};
use std::sync::mpsc::Receiver;

use kernel::Region;
use siphasher::sip128::SipHasher24;

use super::Findings;
use crate::backend::Part;
use crate::observe::{Opened, TAGS_ADD};
use crate::registry::{Insert, Registry, Side};
use crate::sqlite::Sqlite;
use crate::vault::Vault;
use crate::{Engine, Fault, Row, Value, observe, schema, upkeep};

/// By table.
pub(super) type Sums = BTreeMap<&'static str, Sum>;

/// Whose log is folded, under which keys, by which rules.
#[derive(Clone, Copy)]
pub(super) struct Folder<'a> {
    pub(super) region: &'a Region,
    pub(super) vault: &'a Vault,
    pub(super) registry: &'a Registry,
}

impl Folder<'_> {
    /// The identity side, folded: sums, and the tables themselves.
    pub(super) fn identity(
        self,
        engine: &mut dyn Engine,
        key: &Key,
    ) -> Result<(Sums, Sqlite), Fault> {
        let Self { region, vault, registry } = self;
        let mut fresh = fresh(registry, Side::Identity)?;
        // A payload that cannot be read is named by its entry; views cannot be told from it.
        upkeep::project_all(engine, &mut fresh, region, vault, registry)?;
        let mut sums = Sums::new();
        for table in Table::of(Side::Identity, registry) {
            sums.insert(table.name, table.sum(&mut fresh, region, u64::MAX, key)?);
        }
        Ok((sums, fresh))
    }

    /// The visits side, folded into tables, to see which row differs.
    fn visits(self, engine: &mut dyn Engine) -> Result<Sqlite, Fault> {
        let Self { region, vault, registry } = self;
        let mut fresh = fresh(registry, Side::Visits)?;
        for kind in &registry.observations {
            observe::project_all(engine, &mut fresh, region, vault, kind)?;
        }
        Ok(fresh)
    }

    /// The sums of the stored tables of a side.
    pub(super) fn stored(
        self,
        engine: &mut dyn Engine,
        side: Side,
        until: u64,
        key: &Key,
        findings: &mut Findings,
    ) -> Result<Sums, Fault> {
        let mut sums = Sums::new();
        for table in Table::of(side, self.registry) {
            let sum = table.sum(engine, self.region, until, key);
            if let Some(sum) = findings.part("view", sum)? {
                sums.insert(table.name, sum);
            }
        }
        Ok(sums)
    }

    /// Says which stored tables are others than those folded. `fresh` holds the folded ones of the
    /// identity side; visits are folded once more where they differ.
    pub(super) fn compare(
        self,
        engine: &mut dyn Engine,
        (side, until): (Side, u64),
        (folded, stored): (&Sums, &Sums),
        mut fresh: Option<Sqlite>,
        findings: &mut Findings,
    ) -> Result<(), Fault> {
        for table in Table::of(side, self.registry) {
            // One that could not be read has been named.
            let (Some(want), Some(have)) = (folded.get(table.name), stored.get(table.name)) else {
                continue;
            };
            findings.0.view_rows += have.rows;
            if have.rows != want.rows {
                let what =
                    format!("{} has {} rows, the log says {}", table.name, have.rows, want.rows);
                findings.wrong(None, "view", what);
            } else if have != want {
                let differing = self.first_other(engine, &table, until, &mut fresh);
                if let Some(row) = findings.part("view", differing)? {
                    let what = format!("row {row} of {} differs from the log", table.name);
                    findings.wrong(None, "view", what);
                }
            }
        }
        Ok(())
    }

    fn first_other(
        self,
        engine: &mut dyn Engine,
        table: &Table,
        until: u64,
        fresh: &mut Option<Sqlite>,
    ) -> Result<usize, Fault> {
        let fresh = match fresh {
            Some(it) => it,
            None => fresh.insert(self.visits(engine)?),
        };
        let have = table.rows(engine, self.region, until)?;
        let want = table.rows(fresh, self.region, until)?;
        Ok(have.iter().zip(&want).take_while(|(a, b)| a == b).count())
    }
}

fn fresh(registry: &Registry, side: Side) -> Result<Sqlite, Fault> {
    let mut fresh = Sqlite::scratch()?;
    schema::migrate(&mut fresh, &schema::migrations(registry, Part::of(side)))?;
    fresh.begin()?;
    Ok(fresh)
}

/// Sums up the rows that the visits make, as their blocks come in.
pub(super) fn fold_visits(
    blocks: &Receiver<Vec<Opened>>,
    registry: &Registry,
    key: &Key,
) -> Result<Sums, Fault> {
    // A table without rows has a sum too.
    let tables = Table::of(Side::Visits, registry).into_iter();
    let mut sums: HashMap<_, _> = tables.map(|it| (it.name, Sum::default())).collect();
    let mut bytes = Vec::new();
    for block in blocks.iter().flatten() {
        block.fold(&mut |row, values| {
            let sum = sums.get_mut(row.table);
            let sum = sum.ok_or_else(|| Fault::new("a row of a table that nobody said"))?;
            sum.add(values, key, &mut bytes);
            Ok(())
        })?;
    }
    Ok(sums.into_iter().collect())
}

/// A table that is compared.
pub(super) struct Table {
    name: &'static str,
    side: Side,
    columns: String,
}

impl Table {
    pub(super) fn of(side: Side, registry: &Registry) -> Vec<Self> {
        let added = |it: &Insert| Self { name: it.table, side, columns: it.columns.join(", ") };
        let own = |name| Self { name, side, columns: "*".to_owned() };
        match side {
            Side::Visits => rows(registry).map(added).collect(),
            Side::Identity => {
                registry.views.iter().filter(|it| it.side == side).map(|it| own(it.table)).collect()
            }
        }
    }

    /// Calls `each` with every row of the first `until` entries. Blocks beyond are of a batch that is
    /// being written.
    fn each(
        &self,
        engine: &mut dyn Engine,
        region: &Region,
        until: u64,
        mut each: impl FnMut(&mut Row),
    ) -> Result<(), Fault> {
        let Self { name, columns, .. } = self;
        let mut values = vec![Value::from(region.as_str())];
        let mut limit = "";
        if self.side == Side::Visits {
            limit = " AND seq < $2";
            values.push(until.into());
        }
        let sql = format!("SELECT {columns} FROM {name} WHERE region = $1{limit}");
        engine.query(&sql, &values.iter().collect::<Vec<_>>(), &mut |row| {
            each(row);
            Ok(true)
        })
    }

    pub(super) fn sum(
        &self,
        engine: &mut dyn Engine,
        region: &Region,
        until: u64,
        key: &Key,
    ) -> Result<Sum, Fault> {
        let (mut sum, mut bytes) = (Sum::default(), Vec::new());
        self.each(engine, region, until, |row| sum.add(&row.0, key, &mut bytes))?;
        Ok(sum)
    }

    /// All rows in an order of their own: a table has none, and two databases may read it by different
    /// indexes.
    fn rows(
        &self,
        engine: &mut dyn Engine,
        region: &Region,
        until: u64,
    ) -> Result<Vec<Row>, Fault> {
        let mut rows = Vec::new();
        self.each(engine, region, until, |row| rows.push(std::mem::take(row)))?;
        rows.sort_unstable();
        Ok(rows)
    }
}

/// What is added on the visits side, by slices and by the store.
pub(super) fn rows(registry: &Registry) -> impl Iterator<Item = &'static Insert> {
    let theirs = registry.observations.iter().flat_map(|it| it.rows.iter().copied());
    theirs.chain([&TAGS_ADD])
}

/// A set of rows, as a number.
#[derive(Debug, PartialEq, Eq, Default)]
pub(super) struct Sum {
    rows: u64,
    hashes: u128,
}

impl Sum {
    /// `bytes` is room to write in.
    fn add(&mut self, values: &[Value], key: &Key, bytes: &mut Vec<u8>) {
        bytes.clear();
        for it in values {
            write(bytes, it);
        }
        self.hashes = self.hashes.wrapping_add(key.0.hash(bytes).as_u128());
        self.rows += 1;
    }
}

/// Of SipHash-2-4 with 128 bits: a keyed function made for short rows.
pub(super) struct Key(SipHasher24);

impl Key {
    /// Drawn anew for each audit: whoever altered a table could not know it.
    pub(super) fn draw() -> Result<Self, Fault> {
        let mut raw = [0; 16];
        let drawn = aws_lc_rs::rand::fill(&mut raw);
        drawn.map_err(|_| Fault::new("the system gives no randomness"))?;
        Ok(Self(SipHasher24::new_with_key(&raw)))
    }
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
