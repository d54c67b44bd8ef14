//! Rebuilding views, and retention that runs by itself.

use std::sync::Arc;

use crate::fault::Doing as _;
use crate::projection::run;
use crate::registry::{Recorded, Registry, Side};
use crate::tx::{Core, recorded, utc_day};
use crate::vault::{Scope, Vault};
use crate::{Engine, Fault, Projection, Tx, Value};

const ALL_EVENTS: &str = "SELECT seq, kind, at, sealed, epoch, payload, stream, stream_id FROM event \
     WHERE region = $1 AND seq >= $2 ORDER BY seq LIMIT 2000";

/// The SQL texts of this module, for conformance law 7.
pub const QUERIES: &[&str] = &[ALL_EVENTS];

/// Calls `each` with every event of the identity side, oldest first, holding few at a time.
pub(crate) fn for_each_event(
    engine: &mut dyn Engine,
    region: &kernel::Region,
    vault: &Vault,
    mut each: impl FnMut(&mut dyn Engine, Recorded) -> Result<(), Fault>,
) -> Result<u64, Fault> {
    let value = Value::from(region.as_str());
    let (mut next, mut count) = (0_u64, 0);
    loop {
        let rows = crate::projection::select(engine, &value, ALL_EVENTS, &[next.into()])?;
        if rows.is_empty() {
            return Ok(count);
        }
        for row in &rows {
            let it = recorded(region, vault, row)?;
            next = it.seq + 1;
            count += 1;
            each(engine, it)?;
        }
    }
}

/// Folds every event again into the (empty) identity views of `target`.
pub(crate) fn project_all(
    source: &mut dyn Engine,
    target: &mut dyn Engine,
    region: &kernel::Region,
    vault: &Vault,
    registry: &Registry,
) -> Result<u64, Fault> {
    let value = Value::from(region.as_str());
    for_each_event(source, region, vault, |_, it| {
        if it.stream == "store" {
            return Ok(());
        }
        let stream = registry.stream(&it.stream)?;
        let mut projection = Projection { engine: target, region: &value, vault };
        (stream.project)(&mut projection, &it)
    })
}

impl Tx<'_> {
    /// Empties every view of the identity side and folds the log into them again, in the open
    /// transaction: readers see the old tables until it is done. Gives the number of events.
    ///
    /// Views of the visits side are not rebuilt here: their rows are written once with the
    /// observation and never changed (the audit compares them row by row).
    pub fn rebuild(&mut self) -> Result<u64, Fault> {
        let registry = Arc::clone(&self.core.registry);
        for view in registry.views.iter().filter(|it| it.side == Side::Identity) {
            self.execute(&format!("DELETE FROM {} WHERE region = $1", view.table), &[])?;
        }
        let Core { identity, region, region_value, vault, .. } = &mut *self.core;
        for_each_event(identity.as_mut(), region, vault, |engine, it| {
            if it.stream == "store" {
                return Ok(());
            }
            let stream = registry.stream(&it.stream)?;
            (stream.project)(&mut Projection { engine, region: region_value, vault }, &it)
        })
    }

    /// Destroys the keys and rows of days whose time is over, and says so on the log. Gives the
    /// number of (kind, day) pairs that ended.
    pub fn retain(&mut self) -> Result<u64, Fault> {
        let today = utc_day(self.now());
        let registry = Arc::clone(&self.core.registry);
        let mut ended = 0;
        for kind in &registry.observations {
            let last = today.saturating_sub(i32::try_from(kind.retention_days).unwrap_or(i32::MAX));
            ended += self.end_days(kind.kind, last, true)?;
        }
        let kinds = self.query(
            "SELECT DISTINCT kind, stream FROM event WHERE region = $1 AND epoch IS NOT NULL",
            &[],
        )?;
        for row in &kinds {
            let (kind, stream) = (row.text(0)?, row.text(1)?);
            if let Some(days) = (registry.stream(stream)?.retention_days)(kind) {
                let last = today.saturating_sub(i32::try_from(days).unwrap_or(i32::MAX));
                ended += self.end_days(kind, last, false)?;
            }
        }
        Ok(ended)
    }

    /// Ends all days of `kind` before `last` that still have a key.
    fn end_days(&mut self, kind: &str, last: i32, visits: bool) -> Result<u64, Fault> {
        let registry = Arc::clone(&self.core.registry);
        let prefix = format!("epoch/{kind}/");
        let sql = "SELECT scope FROM vault_key WHERE region = $1 AND scope >= $2 AND scope < $3";
        let until = format!("epoch/{kind}0"); // '0' follows '/' in ASCII
        let values: [Value; 2] = [(&prefix).into(), until.into()];
        let rows = crate::projection::select(
            self.core.keys.as_mut(),
            &self.core.region_value,
            sql,
            &values,
        )?;
        let mut days = Vec::new();
        for row in &rows {
            let day = row.text(0)?.strip_prefix(&prefix).unwrap_or_default();
            let day: i32 = day.parse().doing("reading a key's day")?;
            if day < last {
                days.push(day);
            }
        }
        days.sort_unstable();
        for day in &days {
            if visits {
                self.delete_visits(&registry, kind, *day)?;
            } else {
                for view in &registry.views {
                    if let Some((column, of)) = view.day
                        && of == kind
                        && view.side == Side::Identity
                    {
                        let sql = format!(
                            "DELETE FROM {} WHERE region = $1 AND {column} = $2",
                            view.table
                        );
                        self.execute(&sql, &[(*day).into()])?;
                    }
                }
            }
            self.append_public(
                "store.expired.v1",
                &serde_json::json!({ "kind": kind, "day": day }),
            )?;
            self.doom(Scope::Epoch { kind: kind.to_owned(), day: *day, visits });
        }
        self.core.states.clear();
        Ok(u64::try_from(days.len()).unwrap_or(u64::MAX))
    }

    fn delete_visits(&mut self, registry: &Registry, kind: &str, day: i32) -> Result<(), Fault> {
        let core = &mut *self.core;
        if !core.visits_open {
            core.visits.begin()?;
            core.visits_open = true;
        }
        for view in &registry.views {
            if let (Side::Visits, Some((column, of))) = (view.side, view.day)
                && of == kind
            {
                let sql = format!("DELETE FROM {} WHERE region = $1 AND {column} = $2", view.table);
                run(core.visits.as_mut(), &core.region_value, &sql, &[day.into()])?;
            }
        }
        let sql = "DELETE FROM observation WHERE region = $1 AND kind = $2 AND day = $3";
        run(core.visits.as_mut(), &core.region_value, sql, &[kind.into(), day.into()])?;
        Ok(())
    }

    /// Removes command ids that are older than 30 days: a repetition after that is a new command.
    pub fn sweep_commands(&mut self) -> Result<u64, Fault> {
        let before = self.now().plus_days(-30);
        self.execute("DELETE FROM command WHERE region = $1 AND at < $2", &[before.into()])
    }
}
