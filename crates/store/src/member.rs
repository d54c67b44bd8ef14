//! One process of several that share a region: it writes, or it stands by.
//!
//! The writer's thread lives as long as the store and is in one of two roles. As a standby it looks
//! after the lease, follows the log, and refuses every job with a fault that says "elsewhere"
//! ([`Fault::is_elsewhere`]), so that whoever asked can ask the writer. When the lease is free it takes
//! it, does what opening does, and writes. A writer that lost its lease, or left it to others, stands
//! by again; nothing of what it held in memory for writing is kept.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use ledger::Checkpoint;

use crate::backend::Part;
use crate::door::{Ended, Message, Shared, Writer, elsewhere};
use crate::fault::Doing as _;
use crate::lease::{self, Holder};
use crate::open::Site;
use crate::projection::select;
use crate::tx::Core;
use crate::vault::Vault;
use crate::{Engine, Fault, Value, postgres, schema};

/// What a process is to its region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// It writes.
    Writer {
        /// The number of its lease; 0 for a folder, which needs none.
        token: i64,
    },
    /// Another process writes, or nobody does at present, or nobody knows.
    Standby(Option<Holder>),
}

/// How often a standby looks after the lease.
const LOOK: Duration = Duration::from_millis(200);
/// How long a process that left the lease to others does not take it again by itself.
const REST: Duration = Duration::from_secs(5);
/// How often [`join`] looks whether the writer is through with making a new region, [`LOOK`] apart.
const LOOKS_MAX: u32 = 150;

/// What the writer's thread has in either role.
pub(crate) struct Desk {
    pub(crate) site: Site,
    pub(crate) shared: Arc<Shared>,
    pub(crate) vault: Arc<Vault>,
    /// Whether others may share the region. Otherwise a writer that lost its lease stops.
    pub(crate) is_member: bool,
}

/// A standby's own connection.
struct Eyes {
    engine: Box<dyn Engine>,
    region: Value,
    /// The lease under which the schema was looked at last.
    token: i64,
}

impl Desk {
    /// The thread's life.
    pub(crate) fn run(self, core: Option<Core>, queue: &Receiver<Message>) {
        let (mut core, mut rests_until) = (core, None);
        loop {
            let next = match core.take() {
                Some(core) => Some(core),
                None => match self.stand_by(queue, rests_until) {
                    Ok(found) => found,
                    Err(fault) => {
                        tracing::error!(fault = %fault.chain(), "this process cannot stand by");
                        self.shared.stopped.send_replace(true);
                        return;
                    }
                },
            };
            let Some(next) = next else { return };
            match Writer::new(next, Arc::clone(&self.shared), self.is_member).run(queue) {
                Ended::Closed => return,
                Ended::Fenced => rests_until = None,
                Ended::LeftTo(others) => {
                    rests_until = Instant::now().checked_add(REST);
                    // Who asked may have gone away.
                    let _ = others.send(());
                }
            }
        }
    }

    /// Looks after the lease until it is this process's, or until the store is closed.
    fn stand_by(
        &self,
        queue: &Receiver<Message>,
        mut rests_until: Option<Instant>,
    ) -> Result<Option<Core>, Fault> {
        let region = Value::from(self.site.region.as_str());
        let mut eyes: Option<Eyes> = None;
        let mut is_blind = false;
        loop {
            match queue.recv_timeout(LOOK) {
                Ok(Message::Job(job)) => {
                    self.shared.finished(1);
                    job.finish(Err(elsewhere()));
                    continue;
                }
                Ok(Message::Leave(done)) => {
                    rests_until = Instant::now().checked_add(REST);
                    let _ = done.send(());
                    continue;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
            }
            let opened =
                match &mut eyes {
                    Some(eyes) => Ok(eyes),
                    None => self.site.backend.reader(Part::Identity).map(|engine| {
                        eyes.insert(Eyes { engine, region: region.clone(), token: 0 })
                    }),
                };
            match opened.and_then(|eyes| self.look(eyes, &mut rests_until)) {
                Ok(None) => is_blind = false,
                Ok(Some(core)) => return Ok(Some(core)),
                // A server that is gone, full or read-only is waited for, as a writer does; said once.
                Err(fault) if fault.is_lost() || fault.is_unwritable() || fault.is_elsewhere() => {
                    if !std::mem::replace(&mut is_blind, true) {
                        tracing::warn!(fault = %fault.chain(), "the lease could not be looked after");
                    }
                }
                Err(fault) => return Err(fault),
            }
        }
    }

    /// One look at the lease; takes it when it is free.
    fn look(
        &self,
        eyes: &mut Eyes,
        rests_until: &mut Option<Instant>,
    ) -> Result<Option<Core>, Fault> {
        let Some(holder) = lease::look(eyes.engine.as_mut(), &eyes.region)? else {
            self.say(None);
            let rests = rests_until.is_some_and(|end| Instant::now() < end);
            return if rests { Ok(None) } else { self.take_over() };
        };
        if holder.token != eyes.token {
            if !is_current(&self.site)? {
                return Err(Fault::new("the databases are of an older haetae: stop it first"));
            }
            eyes.token = holder.token;
            *rests_until = None;
        }
        // Whoever has no address writes alone (`haetae rebuild`, say), and takes nothing from others.
        self.say(Some(holder).filter(|it| !it.url.is_empty()));
        let (engine, region) = (eyes.engine.as_mut(), &eyes.region);
        engine.begin_read()?;
        let known = self.shared.follower.catch_up(engine, region, &self.vault);
        engine.rollback()?;
        known?;
        self.vault.bury_gone()?;
        Ok(None)
    }

    fn take_over(&self) -> Result<Option<Core>, Fault> {
        match self.site.take_over(Some(&self.vault), &self.shared) {
            Ok((core, orphans)) => {
                tracing::warn!(
                    orphans,
                    size = core.tree.size(),
                    "this process writes the region now"
                );
                Ok(Some(core))
            }
            // Another standby was quicker, or the one who holds the lease is in a long batch.
            Err(fault) if fault.is_elsewhere() || fault.is_locked() => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    fn say(&self, holder: Option<Holder>) {
        let role = Role::Standby(holder);
        self.shared.role.send_if_modified(|it| {
            let is_new = *it != role;
            *it = role;
            is_new
        });
    }
}

/// Whether all three databases have the schema that this program knows.
fn is_current(site: &Site) -> Result<bool, Fault> {
    for part in Part::ALL {
        let mut engine = site.backend.reader(part)?;
        let migrations = schema::migrations(&site.registry, part);
        if !schema::is_current(engine.as_mut(), &migrations)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The size of the log, if there is one and it is signed by the key that this process has.
fn head_fits(site: &Site) -> Result<bool, Fault> {
    let mut engine = site.backend.reader(Part::Identity)?;
    let sql = "SELECT checkpoint FROM log_head WHERE region = $1";
    let rows = select(engine.as_mut(), &Value::from(site.region.as_str()), sql, &[])?;
    let Some(row) = rows.first() else { return Ok(false) };
    let opened = Checkpoint::open(row.text(0)?, site.signer()?.verifier(), &[]);
    opened.doing("the log is not signed by this folder's key: copy the writer's key folder")?;
    Ok(true)
}

/// Looks whether this process can stand by: it knows the schema and has the region's keys. Waits a
/// while for a writer that is only making them.
pub(crate) fn join(site: &Site) -> Result<Arc<Vault>, Fault> {
    for _ in 0..LOOKS_MAX {
        let is_made = is_current(site).or_else(|fault| {
            // The writer has not even made the table of migrations.
            if fault.is_missing_table() { Ok(false) } else { Err(fault) }
        })?;
        if is_made && site.keyring.missing().is_none() && head_fits(site)? {
            return site.vault();
        }
        postgres::pause(LOOK);
    }
    Err(Fault::new(match site.keyring.missing() {
        Some(name) => format!(
            "another process writes this region, and the key {name} is not in {}: copy its key folder",
            site.keyring.path(name).display()
        ),
        None => {
            "another process writes this region, and its databases are of an older haetae: stop \
                 it first"
                .to_owned()
        }
    }))
}
