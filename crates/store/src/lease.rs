//! One writer for a region whose databases are on a server: a lease with a fencing token.
//!
//! A row in each of the three databases says which token may write. Whoever takes the lease raises the
//! token; every transaction of the writer first stamps the row *where the token is its own*, in the
//! same database and the same transaction as what it writes. So a writer that was paused, and woke up
//! after another had taken over, writes nothing: its stamp touches no row. As the stamp locks the row,
//! nobody takes the lease while a batch is on its way.
//!
//! The stamp also counts the batches. After a connection was lost during COMMIT the count says whether
//! the batch took effect, also when it put nothing on the log.
//!
//! The lease may be taken when it has run out, or when the session that holds it is no longer on the
//! server. All times are the server's. A folder of SQLite files needs none of this: it has a lock file.

use crate::backend::Part;
use crate::projection::{run, select};
use crate::{Engine, Fault, Value};

/// How long a lease holds without being renewed, in seconds.
pub(crate) const LEASE_S: i64 = 15;
/// How often an idle writer renews it.
pub(crate) const RENEW: std::time::Duration = std::time::Duration::from_secs(3);

/// The table, in each of the three databases: no migration, as it has to be there before them.
pub(crate) const TABLE: &str = "CREATE TABLE IF NOT EXISTS lease (region TEXT NOT NULL, token BIGINT NOT NULL, \
     pid BIGINT NOT NULL, renewed_at BIGINT NOT NULL, until BIGINT NOT NULL, batch BIGINT NOT NULL, \
     url TEXT NOT NULL, PRIMARY KEY (region));";

const MAKE: &str = "INSERT INTO lease (region, token, pid, renewed_at, until, batch, url) \
     VALUES ($1, 0, 0, 0, 0, 0, '') ON CONFLICT (region) DO NOTHING";
const READ: &str = "SELECT token, pid, renewed_at, until, batch, url FROM lease WHERE region = $1";
const TAKE: &str = "UPDATE lease SET token = $3, pid = $4, renewed_at = $5, until = $6, url = $7 \
     WHERE region = $1 AND token = $2";
/// In identity the holder must not have moved since it was looked at: one that was busy with a long
/// batch is alive.
const TAKE_FIRST: &str = "UPDATE lease SET token = $3, pid = $4, renewed_at = $5, until = $6, url = $7 \
     WHERE region = $1 AND token = $2 AND batch = $8 AND renewed_at = $9";
const RENEWED: &str = "UPDATE lease SET pid = $3, renewed_at = $4, until = $5 \
     WHERE region = $1 AND token = $2";
const STAMP: &str = "UPDATE lease SET batch = $3 WHERE region = $1 AND token = $2 AND batch < $3";

/// Waits for the batch that is under way, and lets no other begin until the transaction ends.
const HOLD: &str = "SELECT token FROM lease WHERE region = $1 FOR UPDATE";

/// The SQL texts of this module that touch tables.
pub const QUERIES: &[&str] = &[MAKE, READ, TAKE, TAKE_FIRST, RENEWED, STAMP, HOLD];

/// The server's clock and this session, and whether the session of the lease is still there.
const SERVER: &str = "SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint, \
     pg_backend_pid()::bigint, (SELECT COUNT(*) FROM pg_stat_activity WHERE pid = $1::bigint \
     AND backend_start <= to_timestamp($2::bigint / 1000000.0))";

/// What the row of one database says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) token: i64,
    pub(crate) batch: i64,
    pid: i64,
    renewed_at: i64,
    until: i64,
    url: String,
}

/// Who writes a region, and where it takes what others forward to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its address, e.g. `http://10.0.0.5:8090`.
    pub url: String,
    /// The number of its lease: each taking has a higher one.
    pub token: i64,
}

/// The right to write a region.
#[derive(Debug)]
pub(crate) struct Lease {
    token: i64,
    /// Transactions stamped so far.
    batch: i64,
    /// The stamp of the batch's transaction in identity, with the log.
    of_log: i64,
}

pub(crate) fn held(engine: &mut dyn Engine, region: &Value) -> Result<Held, Fault> {
    let rows = select(engine, region, READ, &[])?;
    let row = rows.first().ok_or_else(|| Fault::new("the lease of the region is missing"))?;
    Ok(Held {
        token: row.int(0)?,
        pid: row.int(1)?,
        renewed_at: row.int(2)?,
        until: row.int(3)?,
        batch: row.int(4)?,
        url: row.text(5)?.to_owned(),
    })
}

/// Lets no batch of the region's writer begin until the open transaction ends: a batch begins with its
/// stamp on this row.
pub(crate) fn hold(engine: &mut dyn Engine, region: &Value) -> Result<(), Fault> {
    if select(engine, region, HOLD, &[])?.is_empty() {
        return Err(Fault::new("the lease of the region is missing"));
    }
    Ok(())
}

/// The server's clock, this session's pid, and whether the session of `held` is still there.
fn server(engine: &mut dyn Engine, held: &Held) -> Result<(i64, i64, bool), Fault> {
    let (pid, at) = (Value::from(held.pid), Value::from(held.renewed_at));
    let mut answer = (0, 0, false);
    engine.query(SERVER, &[&pid, &at], &mut |row| {
        answer = (row.int(0)?, row.int(1)?, row.int(2)? > 0);
        Ok(false)
    })?;
    Ok(answer)
}

/// Nobody may write without it.
pub(crate) fn lost() -> Fault {
    Fault::elsewhere(
        "another haetae process has taken over this region: this one writes nothing more",
    )
}

/// Whether the lease may be taken at present; otherwise who has it. For who only looks.
pub(crate) fn look(engine: &mut dyn Engine, region: &Value) -> Result<Option<Holder>, Fault> {
    let held = held(engine, region)?;
    let (now, _, alive) = server(engine, &held)?;
    Ok((alive && held.until > now).then_some(Holder { url: held.url, token: held.token }))
}

impl Lease {
    /// Takes the lease in all three databases, identity first: whoever loses there must not have
    /// fenced anybody out elsewhere.
    pub(crate) fn take(
        mut engines: [&mut Box<dyn Engine>; 3],
        region: &Value,
        url: &str,
    ) -> Result<Self, Fault> {
        let mut before = Vec::with_capacity(engines.len());
        for engine in &mut engines {
            // Of two processes that make the table at once the server refuses one, which then finds it.
            if let Err(fault) = engine.migrate(TABLE) {
                engine.migrate(TABLE).map_err(|_| fault)?;
            }
            run(engine.as_mut(), region, MAKE, &[])?;
            before.push(held(engine.as_mut(), region)?);
        }
        // Above all of them: one may have been restored from another day's backup.
        let token = before.iter().map(|it| it.token).max().unwrap_or(0) + 1;
        for ((engine, before), part) in engines.into_iter().zip(&before).zip(Part::ALL) {
            let engine = engine.as_mut();
            let (now, pid, alive) = server(engine, before)?;
            if part == Part::Identity && alive && before.until > now {
                return Err(Fault::elsewhere(
                    "another haetae process writes this region: stop it first, or wait until its \
                     lease has run out",
                ));
            }
            let until = now + LEASE_S * 1_000_000;
            let mut row: Vec<Value> =
                vec![before.token.into(), token.into(), pid.into(), now.into(), until.into()];
            row.push(url.into());
            let sql = if part == Part::Identity {
                row.extend([before.batch.into(), before.renewed_at.into()]);
                TAKE_FIRST
            } else {
                TAKE
            };
            if run(engine, region, sql, &row)? != 1 {
                return Err(lost());
            }
        }
        let batch = before.iter().map(|it| it.batch).max().unwrap_or(0);
        Ok(Self { token, batch, of_log: batch })
    }

    /// Its number.
    pub(crate) fn token(&self) -> i64 {
        self.token
    }

    /// Says that this writer is still there, in the identity database: the others follow it. `false`
    /// when the lease is another's by now.
    pub(crate) fn renew(&self, engine: &mut dyn Engine, region: &Value) -> Result<bool, Fault> {
        let before = held(engine, region)?;
        let (now, pid, _) = server(engine, &before)?;
        let until = now + LEASE_S * 1_000_000;
        let row: [Value; 4] = [self.token.into(), pid.into(), now.into(), until.into()];
        Ok(run(engine, region, RENEWED, &row)? == 1)
    }

    /// The first statement of every transaction of the writer; `false` when the lease is another's by
    /// now.
    pub(crate) fn stamp(
        &mut self,
        engine: &mut dyn Engine,
        part: Part,
        region: &Value,
    ) -> Result<bool, Fault> {
        self.batch += 1;
        if part == Part::Identity {
            self.of_log = self.batch;
        }
        Ok(run(engine, region, STAMP, &[self.token.into(), self.batch.into()])? == 1)
    }

    /// Runs `work` in a stamped transaction of its own.
    pub(crate) fn with<T>(
        lease: &mut Option<Self>,
        engine: &mut dyn Engine,
        part: Part,
        region: &Value,
        work: impl FnOnce(&mut dyn Engine) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        engine.begin()?;
        if let Some(lease) = lease
            && !lease.stamp(engine, part, region)?
        {
            engine.rollback()?;
            return Err(lost());
        }
        match work(engine) {
            Ok(done) => engine.commit().map(|()| done),
            Err(fault) => {
                engine.rollback()?;
                Err(fault)
            }
        }
    }

    /// Whether the batch's transaction in identity took effect, asked on a connection made anew.
    pub(crate) fn took_effect(
        &self,
        engine: &mut dyn Engine,
        region: &Value,
    ) -> Result<bool, Fault> {
        let found = held(engine, region)?;
        if found.token != self.token {
            return Err(lost());
        }
        Ok(found.batch == self.of_log)
    }

    /// Leaves the region to whoever comes next.
    pub(crate) fn give_back(&self, engine: &mut dyn Engine, region: &Value) -> Result<(), Fault> {
        let row: [Value; 4] = [self.token.into(), 0_i64.into(), 0_i64.into(), 0_i64.into()];
        run(engine, region, RENEWED, &row).map(|_| ())
    }
}
