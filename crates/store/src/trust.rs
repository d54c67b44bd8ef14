//! Whether the server's clock is believed when something is to be destroyed because its time is over.
//!
//! Erasure cannot be undone, and a clock that jumps a year ahead would end every key. So what destroys
//! by age first asks here: the clock may be ahead of the last time that was believed, and was made
//! durable, by as much as has passed on a clock that nobody sets, and by [`LEEWAY_S`]. If it is further
//! ahead, nothing is destroyed until somebody who knows the time says that it is right
//! ([`confirm`], `haetae clock --confirm`; ADR 0038).

use std::time::Duration;

use kernel::{Clock, Instant, Region};

use crate::backend::{Backend, Part};
use crate::projection::{run, select};
use crate::{Engine, Fault, Tx, Value};

/// 26 hours: from the zone that is furthest behind to the one furthest ahead, so that a clock set to
/// local time in place of UTC stops nothing; and more than a day without the service.
pub const LEEWAY_S: i64 = 26 * 3_600;

/// A newer time is made durable when it is this much newer.
const STEP_S: i64 = 3_600;

const FIND: &str = "SELECT at FROM trusted_clock WHERE region = $1";
const PUT: &str = "INSERT INTO trusted_clock (region, at) VALUES ($1, $2) \
     ON CONFLICT (region) DO UPDATE SET at = excluded.at";
/// Where nothing was ever noted: the newest entry's time.
const HEAD: &str = "SELECT at FROM log_head WHERE region = $1";

/// The SQL texts of this module, for conformance law 7.
pub const QUERIES: &[&str] = &[FIND, PUT, HEAD];

/// From when on this process counts.
#[derive(Debug)]
pub(crate) struct Trust {
    /// A time that was believed, and what the clock that nobody sets showed then.
    at: Instant,
    running: Duration,
    /// What stood in the table: when it is another now, somebody has confirmed a time.
    noted: Option<Instant>,
}

impl Trust {
    pub(crate) fn begin(
        engine: &mut dyn Engine,
        region: &Value,
        clock: &dyn Clock,
    ) -> Result<Self, Fault> {
        let noted = noted(engine, region)?;
        let at = match noted {
            Some(at) => at,
            None => at(engine, region, HEAD)?.unwrap_or_else(|| clock.now()),
        };
        Ok(Self { at, running: clock.running(), noted })
    }

    /// The latest time that is believed.
    fn latest(&self, clock: &dyn Clock) -> Instant {
        let passed = clock.running().saturating_sub(self.running);
        let passed_s = i64::try_from(passed.as_secs()).unwrap_or(i64::MAX);
        self.at.plus_seconds(passed_s.saturating_add(LEEWAY_S))
    }
}

fn at(engine: &mut dyn Engine, region: &Value, sql: &str) -> Result<Option<Instant>, Fault> {
    select(engine, region, sql, &[])?.first().map(|row| row.instant(0)).transpose()
}

/// The time that was believed last and made durable.
pub fn noted(engine: &mut dyn Engine, region: &Value) -> Result<Option<Instant>, Fault> {
    at(engine, region, FIND)
}

/// Says that it is `now`, whatever was believed before. The region may be served meanwhile: its next
/// run of retention takes it up.
pub fn confirm(backend: &Backend, region: &Region, now: Instant) -> Result<(), Fault> {
    let mut engine = backend.writer(Part::Identity)?;
    let region = Value::from(region.as_str());
    engine.begin()?;
    match run(engine.as_mut(), &region, PUT, &[now.into()]) {
        Ok(_) => engine.commit(),
        Err(fault) => {
            engine.rollback()?;
            Err(fault)
        }
    }
}

impl Tx<'_> {
    /// Whether what is to be destroyed by its age may be: `false` when the clock is further ahead than
    /// can be. Makes the time durable that is believed.
    pub fn clock_is_believed(&mut self) -> Result<bool, Fault> {
        let now = self.now();
        let core = &mut *self.core;
        let noted = noted(core.identity.as_mut(), &core.region_value)?;
        if noted != core.trust.noted
            && let Some(at) = noted
        {
            core.trust = Trust { at, running: core.clock.running(), noted };
        }
        let latest = core.trust.latest(core.clock.as_ref());
        if now > latest {
            tracing::error!(
                now = %now.rfc3339(),
                latest = %latest.rfc3339(),
                "the clock is further ahead than can be: nothing is destroyed until the clock is set, \
                 or `haetae clock --confirm` says that it is right"
            );
            return Ok(false);
        }
        if noted.is_none_or(|it| it.plus_seconds(STEP_S) <= now) {
            run(core.identity.as_mut(), &core.region_value, PUT, &[now.into()])?;
            core.trust.noted = Some(now);
        }
        Ok(true)
    }
}
