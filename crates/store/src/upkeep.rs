//! Rebuilding views, and retention that runs by itself.

use std::sync::Arc;

use crate::fault::Doing as _;
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

/// Folds every event into the (empty) identity views of the same database. Gives the number of
/// events.
pub(crate) fn fold(
    engine: &mut dyn Engine,
    region: &kernel::Region,
    vault: &Vault,
    registry: &Registry,
) -> Result<u64, Fault> {
    let value = Value::from(region.as_str());
    for_each_event(engine, region, vault, |engine, it| {
        if it.stream == "store" {
            return Ok(());
        }
        let stream = registry.stream(&it.stream)?;
        (stream.project)(&mut Projection { engine, region: &value, vault }, &it)
    })
}

impl Tx<'_> {
    /// Empties every view of the identity side and folds the log into them again, in the open
    /// transaction: readers see the old tables until it is done. Gives the number of events.
    ///
    /// Views of the visits side are not rebuilt here: they are written with the observations and by
    /// nothing else (the audit folds them anew and compares them row by row).
    pub fn rebuild(&mut self) -> Result<u64, Fault> {
        let registry = Arc::clone(&self.core.registry);
        for view in registry.views.iter().filter(|it| it.side == Side::Identity) {
            self.execute(&format!("DELETE FROM {} WHERE region = $1", view.table), &[])?;
        }
        let Core { identity, region, vault, .. } = &mut *self.core;
        fold(identity.as_mut(), region, vault, &registry)
    }

    /// Destroys the keys and rows of days whose time is over, and says so on the log. Gives the
    /// number of (kind, day) pairs that ended: none while the clock is not believed. What still has a
    /// key is what still is kept.
    pub fn retain(&mut self) -> Result<u64, Fault> {
        if !self.clock_is_believed()? {
            return Ok(0);
        }
        let today = utc_day(self.now());
        let registry = Arc::clone(&self.core.registry);
        let mut ended = 0;
        for (kind, day) in self.days_kept()? {
            let observed = registry.observations.iter().find(|it| it.kind == kind);
            let kept_days = match observed {
                Some(it) => Some(it.retention_days),
                None => registry.streams.iter().find_map(|it| (it.retention_days)(&kind)),
            };
            let Some(kept_days) = kept_days.and_then(|it| i32::try_from(it).ok()) else { continue };
            if day < today.saturating_sub(kept_days) {
                self.end_day(&kind, day, observed.is_some())?;
                ended += 1;
            }
        }
        if ended > 0 {
            self.core.states.clear();
        }
        Ok(ended)
    }

    /// The kinds and days that have a key.
    fn days_kept(&mut self) -> Result<Vec<(String, i32)>, Fault> {
        // '0' follows '/' in ASCII.
        let sql = "SELECT scope FROM vault_key WHERE region = $1 AND scope >= 'epoch/' \
             AND scope < 'epoch0' ORDER BY scope";
        let core = &mut *self.core;
        let rows = crate::projection::select(core.keys.as_mut(), &core.region_value, sql, &[])?;
        let mut days = Vec::with_capacity(rows.len());
        for row in &rows {
            let scope = row.text(0)?.strip_prefix("epoch/").unwrap_or_default();
            let (kind, day) = scope.split_once('/').unwrap_or_default();
            days.push((kind.to_owned(), day.parse().doing("reading a key's day")?));
        }
        days.sort_unstable_by_key(|(_, day)| *day);
        Ok(days)
    }

    fn end_day(&mut self, kind: &str, day: i32, visits: bool) -> Result<(), Fault> {
        if visits {
            self.end_visits(kind, day)?;
        } else {
            let registry = Arc::clone(&self.core.registry);
            for view in registry.views.iter().filter(|it| it.side == Side::Identity) {
                if let Some((column, of)) = view.day
                    && of == kind
                {
                    let sql =
                        format!("DELETE FROM {} WHERE region = $1 AND {column} = $2", view.table);
                    self.execute(&sql, &[day.into()])?;
                }
            }
        }
        self.append_public("store.expired.v1", &serde_json::json!({ "kind": kind, "day": day }))?;
        self.doom(Scope::Epoch { kind: kind.to_owned(), day, visits });
        Ok(())
    }

    /// Removes command ids that are older than 30 days: a repetition after that is a new command. None
    /// while the clock is not believed: a repetition of today would count twice.
    pub fn sweep_commands(&mut self) -> Result<u64, Fault> {
        if !self.clock_is_believed()? {
            return Ok(0);
        }
        let before = self.now().plus_days(-30);
        self.execute("DELETE FROM command WHERE region = $1 AND at < $2", &[before.into()])
    }
}
