//! Reading a log that another process extends.
//!
//! Views are tables, so whoever reads them sees what others wrote. What a process holds in memory is the
//! keys that it has used and the size of the log; both follow the log by a cursor. Before a reader is
//! handed its picture, what that picture holds beyond the cursor is looked at for keys whose end it
//! says. So nobody reads under a key in a picture in which the log says that it ended.
//!
//! A writer needs none of this: it ends keys itself. A writer that has stood still for longer than its
//! lease does, because another may have written meanwhile.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::fault::Doing as _;
use crate::lease::LEASE_S;
use crate::projection::select;
use crate::vault::{Scope, Vault};
use crate::{Engine, Fault, Value};

const SIZE: &str = "SELECT size FROM log_head WHERE region = $1";
const ENDINGS: &str = "SELECT kind, payload FROM event WHERE region = $1 AND seq >= $2 \
     AND kind IN ('store.forgotten.v1', 'store.expired.v1')";

/// The SQL texts of this module, for conformance law 7.
pub const QUERIES: &[&str] = &[SIZE, ENDINGS];

/// Until when nobody else can have written.
#[derive(Debug, Clone, Copy)]
enum Alone {
    /// The files of a folder are locked.
    Always,
    /// A lease holds until then.
    Until(Instant),
    /// Another process may write at any time.
    Never,
}

/// How far this process knows the log.
pub(crate) struct Follower {
    /// Entries that were looked at: all of the log for its writer.
    seen: watch::Sender<u64>,
    alone: Mutex<Alone>,
}

impl Follower {
    /// Of a folder's log, or of one of which nothing is known yet.
    pub(crate) fn new(is_folder: bool) -> Self {
        let alone = if is_folder { Alone::Always } else { Alone::Never };
        Self { seen: watch::Sender::new(0), alone: Mutex::new(alone) }
    }

    /// Entries on the log, as far as is known.
    pub(crate) fn size(&self) -> u64 {
        *self.seen.borrow()
    }

    /// The size and its growth.
    pub(crate) fn sizes(&self) -> watch::Receiver<u64> {
        self.seen.subscribe()
    }

    /// The writer has brought the log to this size.
    pub(crate) fn wrote(&self, size: u64) {
        self.seen.send_if_modified(|seen| {
            let grows = *seen < size;
            *seen = size.max(*seen);
            grows
        });
    }

    /// The lease was taken or renewed; `asked` is from before it was asked for.
    pub(crate) fn hold(&self, asked: Instant) {
        let lease = Duration::from_secs(LEASE_S.unsigned_abs());
        self.set(asked.checked_add(lease).map_or(Alone::Never, Alone::Until));
    }

    /// From now on another process may write.
    pub(crate) fn let_go(&self) {
        self.set(Alone::Never);
    }

    fn set(&self, new: Alone) {
        let mut alone = self.alone.lock().unwrap_or_else(PoisonError::into_inner);
        if !matches!(*alone, Alone::Always) {
            *alone = new;
        }
    }

    fn is_alone(&self) -> bool {
        match *self.alone.lock().unwrap_or_else(PoisonError::into_inner) {
            Alone::Always => true,
            Alone::Until(end) => Instant::now() < end,
            Alone::Never => false,
        }
    }

    /// Brings what is held in memory to the picture that `engine` has open.
    pub(crate) fn catch_up(
        &self,
        engine: &mut dyn Engine,
        region: &Value,
        vault: &Vault,
    ) -> Result<(), Fault> {
        if self.is_alone() {
            return Ok(());
        }
        let rows = select(engine, region, SIZE, &[])?;
        let Some(size) = rows.first().map(|it| it.count(0)).transpose()? else { return Ok(()) };
        let seen = self.size();
        if size <= seen {
            return Ok(());
        }
        for row in select(engine, region, ENDINGS, &[seen.into()])? {
            for scope in ended(row.text(0)?, row.bytes(1)?)? {
                vault.doom(&scope);
            }
        }
        self.wrote(size);
        Ok(())
    }
}

/// The keys that end with an event of the store. Which side a kind of event is on stands in the
/// registry alone, so both are named.
fn ended(kind: &str, payload: &[u8]) -> Result<Vec<Scope>, Fault> {
    let payload: serde_json::Value =
        serde_json::from_slice(payload).doing("reading what the store said")?;
    let field = |name: &str| payload.get("event").and_then(|it| it.get(name));
    let text = |name: &str| field(name).and_then(serde_json::Value::as_str);
    let found = if kind == "store.forgotten.v1" {
        let subject = text("subject").and_then(|it| u128::from_str_radix(it, 16).ok());
        subject.map(|it| vec![Scope::Subject(it)])
    } else {
        let day = field("day").and_then(serde_json::Value::as_i64);
        let of = |kind: &str, day: i32| {
            [true, false].map(|visits| Scope::Epoch { kind: kind.to_owned(), day, visits }).to_vec()
        };
        text("kind").zip(day.and_then(|it| i32::try_from(it).ok())).map(|(kind, day)| of(kind, day))
    };
    found.ok_or_else(|| Fault::new(format!("an event {kind} names no key")))
}
