//! What makes a batch durable, in which order, and what is still owed when a step of it failed.

use std::collections::BTreeMap;
use std::time::Duration;

use ledger::{Appended, Resource, Tree};

use crate::backend::Part;
use crate::door::ATTEMPTS_MAX;
use crate::fault::Doing as _;
use crate::lease;
use crate::open::{remove_orphans, stored};
use crate::postgres::pause;
use crate::projection::{run, select};
use crate::sqlite::left_nothing;
use crate::tx::Core;
use crate::{Engine, Fault, Value};

/// How often, once a second, a server is looked for that did not answer a COMMIT. Then writing stops.
/// (A server that recovers after a crash needs seconds to minutes.)
const UNKNOWN_ATTEMPTS_MAX: u32 = 600;
/// The first times it is looked for sooner, in milliseconds.
const SOON_MS: [u64; 6] = [0, 20, 50, 100, 200, 500];

/// Why a batch is not known to be durable.
pub(crate) enum NotCommitted {
    /// It is not: nothing of it took effect on the log.
    For(Fault),
    /// Nobody can say.
    PerhapsNot(Fault),
}

const BUNDLE_PUT: &str = "INSERT INTO log_bundle (region, position, width, bytes) VALUES ($1, $2, $3, $4) \
     ON CONFLICT (region, position) DO UPDATE SET width = excluded.width, bytes = excluded.bytes";
const TILE_PUT: &str = "INSERT INTO log_tile (region, level, position, width, bytes) \
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (region, level, position) \
     DO UPDATE SET width = excluded.width, bytes = excluded.bytes";
/// What is growing at the end of the log: a tile of each level, and the bundle as level [`EDGE_BUNDLE`].
/// (One question: a server answers over a wire.)
const EDGE: &str = "\
    SELECT level, bytes FROM log_tile WHERE region = $1 AND level = 0 AND position = $2 UNION ALL \
    SELECT level, bytes FROM log_tile WHERE region = $1 AND level = 1 AND position = $3 UNION ALL \
    SELECT level, bytes FROM log_tile WHERE region = $1 AND level = 2 AND position = $4 UNION ALL \
    SELECT level, bytes FROM log_tile WHERE region = $1 AND level = 3 AND position = $5 UNION ALL \
    SELECT level, bytes FROM log_tile WHERE region = $1 AND level = 4 AND position = $6 UNION ALL \
    SELECT level, bytes FROM log_tile WHERE region = $1 AND level = 5 AND position = $7 UNION ALL \
    SELECT level, bytes FROM log_tile WHERE region = $1 AND level = 6 AND position = $8 UNION ALL \
    SELECT level, bytes FROM log_tile WHERE region = $1 AND level = 7 AND position = $9 UNION ALL \
    SELECT -1, bytes FROM log_bundle WHERE region = $1 AND position = $2";
const EDGE_BUNDLE: i64 = -1;
const HEAD: &str = "SELECT size, root FROM log_head WHERE region = $1";
const HEAD_PUT: &str = "UPDATE log_head SET size = $2, root = $3, checkpoint = $4, at = $5 \
     WHERE region = $1 AND size = $6";

/// The SQL texts of this module.
#[cfg(test)]
pub(crate) const QUERIES: &[&str] = &[BUNDLE_PUT, TILE_PUT, EDGE, HEAD, HEAD_PUT];

impl Core {
    /// Extends the tree by the staged leaves and writes what changed; gives the new tree, which
    /// becomes ours once committed.
    pub(crate) fn extend_tree(&mut self) -> Result<Option<Tree>, Fault> {
        if self.staged.is_empty() {
            return Ok(None);
        }
        let mut tree = self.tree.clone();
        let mut appended = tree.append(&self.staged).doing("extending the log")?;
        let bundles: Vec<Vec<Value>> = appended
            .bundles
            .drain(..)
            .map(|it| vec![it.index.into(), it.width.into(), it.bytes.into()])
            .collect();
        let tiles: Vec<Vec<Value>> = appended
            .tiles
            .iter_mut()
            .map(|it| (it.level, it.index, it.width, std::mem::take(&mut it.bytes)))
            .map(|(level, index, width, bytes)| {
                vec![level.into(), index.into(), width.into(), bytes.into()]
            })
            .collect();
        self.identity.execute_many(BUNDLE_PUT, &self.region_value, &bundles)?;
        self.identity.execute_many(TILE_PUT, &self.region_value, &tiles)?;
        let tree = self.read_back(&appended)?;
        let checkpoint = self.checkpoint(appended.size, appended.root)?;
        let head: [Value; 5] = [
            appended.size.into(),
            appended.root.as_bytes().as_slice().into(),
            checkpoint.into(),
            self.clock.now().into(),
            self.tree.size().into(),
        ];
        let touched = run(self.identity.as_mut(), &self.region_value, HEAD_PUT, &head)?;
        if touched != 1 {
            return Err(Fault::new("the head of the log is not where this writer left it"));
        }
        Ok(Some(tree))
    }

    /// The log as it stands in the database now, hashed again from what is there.
    fn read_back(&mut self, appended: &Appended) -> Result<Tree, Fault> {
        let (engine, region) = (self.identity.as_mut(), &self.region_value);
        let growing = |level: u8| appended.size.checked_shr(8 * (u32::from(level) + 1));
        let places: Vec<Value> = (0..8).map(|it| growing(it).unwrap_or(0).into()).collect();
        let mut edge = BTreeMap::new();
        for mut row in select(engine, region, EDGE, &places)? {
            edge.insert(row.int(0)?, row.take_bytes(1)?);
        }
        let read = |resource| {
            let (place, is_growing) = match resource {
                Resource::Tile(id) => (i64::from(id.level), growing(id.level) == Some(id.index)),
                Resource::Bundle(id) => (EDGE_BUNDLE, growing(0) == Some(id.index)),
            };
            match edge.get(&place).filter(|_| is_growing) {
                Some(bytes) => Ok(bytes.clone()),
                None => stored(engine, region, resource),
            }
        };
        Tree::read_back(appended, read)
            .doing("what was stored is not the log whose root was to be signed")
    }

    /// Begins a batch.
    pub(crate) fn begin(&mut self) -> Result<(), Fault> {
        self.identity.begin()?;
        self.stamp(Part::Identity)
    }

    /// Says in the transaction that was just begun that it is this writer's.
    fn stamp(&mut self, part: Part) -> Result<(), Fault> {
        let Some(lease) = &mut self.lease else { return Ok(()) };
        let engine = match part {
            Part::Identity => self.identity.as_mut(),
            Part::Visits => self.visits.as_mut(),
            Part::Keys => self.keys.as_mut(),
        };
        if lease.stamp(engine, part, &self.region_value)? {
            return Ok(());
        }
        self.fenced = true;
        Err(lease::lost())
    }

    /// Makes the batch durable: keys, visits, identity. What was doomed is destroyed next.
    pub(crate) fn commit(&mut self, tree: Option<Tree>) -> Result<(), NotCommitted> {
        let on_server = self.lease.is_some();
        // Before the log, a commit that failed or whose answer is missing means no: the keys harm
        // nobody, the visits are removed. A file whose sync failed is another matter.
        let before_log = |fault: Fault| {
            if on_server || left_nothing(&fault) {
                NotCommitted::For(fault)
            } else {
                NotCommitted::PerhapsNot(fault)
            }
        };
        if self.keys_open {
            self.commit_keys().map_err(before_log)?;
            self.keys_open = false;
        }
        if self.visits_open {
            self.due.orphans = true;
            self.commit_visits().map_err(before_log)?;
            self.visits_open = false;
        }
        if let Err(fault) = self.identity.commit()
            && (left_nothing(&fault)
                || !self.took_effect(tree.as_ref(), &fault).map_err(NotCommitted::PerhapsNot)?)
        {
            return Err(NotCommitted::For(fault));
        }
        self.due.orphans = false;
        if let Some(tree) = tree {
            self.tree = tree;
        }
        self.staged.clear();
        self.fresh_keys.clear();
        self.overdue_keys.append(&mut self.doomed_keys);
        Ok(())
    }

    fn commit_keys(&mut self) -> Result<(), Fault> {
        let committed = self.keys.commit();
        if committed.as_ref().is_err_and(Fault::is_lost) {
            self.keys.revive()?;
        }
        committed
    }

    fn commit_visits(&mut self) -> Result<(), Fault> {
        let committed = self.visits.commit();
        if committed.as_ref().is_err_and(Fault::is_lost) {
            self.visits.revive()?;
        }
        committed
    }

    /// After a COMMIT of the log that was not answered with yes: looks whether it took effect. SQLite
    /// cannot say; on a server the lease's row and the head of the log do, once the lost session has
    /// ended.
    fn took_effect(&mut self, tree: Option<&Tree>, fault: &Fault) -> Result<bool, Fault> {
        let unknown = |why: Fault| {
            Fault::caused(format!("whether a batch became durable is unknown ({fault})"), why)
        };
        let Some(lease) = &self.lease else {
            return Err(unknown(Fault::new("it cannot be asked")));
        };
        let mut left = UNKNOWN_ATTEMPTS_MAX;
        let mut soon = SOON_MS.into_iter();
        while let Err(fault) = self.identity.revive() {
            left -= 1;
            if left == 0 || !(fault.is_lost() || fault.is_unwritable()) {
                return Err(unknown(fault));
            }
            pause(Duration::from_millis(soon.next().unwrap_or(1_000)));
        }
        let engine = self.identity.as_mut();
        let took_effect = match lease.took_effect(engine, &self.region_value) {
            Ok(answer) => answer,
            Err(fault) => {
                self.fenced |= fault.is_elsewhere();
                return Err(unknown(fault));
            }
        };
        let rows = select(engine, &self.region_value, HEAD, &[]).map_err(unknown)?;
        let row = rows.first().ok_or_else(|| unknown(Fault::new("the log has no head")))?;
        let wanted = tree.filter(|_| took_effect).unwrap_or(&self.tree);
        if row.count(0)? == wanted.size() && row.bytes(1)? == wanted.root().as_bytes() {
            return Ok(took_effect);
        }
        Err(unknown(Fault::new("the head of the log is neither the old nor the new one")))
    }

    /// Does what a batch left to be done: rows of visits that the log does not cover go, and keys whose
    /// end is on the log. ([`crate::open`] does the same after a crash.)
    pub(crate) fn settle_debts(&mut self) -> Result<(), Fault> {
        if self.due.orphans {
            self.alone(Part::Visits, |core| {
                let (region, size) = (&core.region_value, core.tree.size());
                remove_orphans(core.visits.as_mut(), region, &core.registry, size).map(|_| ())
            })?;
            self.due.orphans = false;
        }
        if !self.overdue_keys.is_empty() {
            self.alone(Part::Keys, |core| {
                let Self { overdue_keys, vault, keys, .. } = core;
                overdue_keys.iter().try_for_each(|it| vault.destroy(keys.as_mut(), it))
            })?;
            for scope in self.overdue_keys.drain(..) {
                self.vault.bury(&scope);
            }
            self.due.erasure = true;
        }
        Ok(())
    }

    /// Runs `work`, which may be done twice, in a transaction of its own.
    fn alone(
        &mut self,
        part: Part,
        work: impl Fn(&mut Self) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let mut left = ATTEMPTS_MAX;
        loop {
            left -= 1;
            let mut done = self.engine(part).begin().and_then(|()| self.stamp(part));
            if done.is_ok() {
                done = work(self);
            }
            if done.is_ok() {
                done = self.engine(part).commit();
            }
            match done {
                Err(fault) if left > 0 && fault.is_lost() => self.engine(part).revive()?,
                Err(fault) => {
                    self.engine(part).rollback()?;
                    return Err(fault);
                }
                Ok(()) => return Ok(()),
            }
        }
    }

    fn engine(&mut self, part: Part) -> &mut dyn Engine {
        match part {
            Part::Identity => self.identity.as_mut(),
            Part::Visits => self.visits.as_mut(),
            Part::Keys => self.keys.as_mut(),
        }
    }

    /// Sees to it that deleted keys are gone from the files too.
    pub(crate) fn erase(&mut self) {
        if self.fenced || !std::mem::take(&mut self.due.erasure) {
            return;
        }
        if let Err(fault) = self.keys.erase("vault_key", "wrapped") {
            tracing::warn!(fault = %fault.chain(), "deleted keys were not erased; again soon");
            self.due.erasure = true;
        }
    }

    /// Says that this writer is still there.
    pub(crate) fn renew(&mut self) -> Result<(), Fault> {
        let Some(lease) = &self.lease else { return Ok(()) };
        if !lease.renew(self.identity.as_mut(), &self.region_value)? {
            self.fenced = true;
        }
        Ok(())
    }

    /// Leaves the region to whoever comes next, at once.
    pub(crate) fn give_back(&mut self) {
        if let Some(lease) = &self.lease
            && let Err(fault) = lease.give_back(self.identity.as_mut(), &self.region_value)
        {
            tracing::warn!(fault = %fault.chain(), "the lease was not given back; it runs out");
        }
    }

    /// Begins the open batch's transaction on the keys, if it has not.
    pub(crate) fn open_keys(&mut self) -> Result<(), Fault> {
        if !self.keys_open {
            self.keys.begin()?;
            self.keys_open = true;
            self.stamp(Part::Keys)?;
            self.vault.ask_wraps_again();
        }
        Ok(())
    }

    /// Writes a page, so that a batch that would write nothing does not pass for a disk that takes
    /// writes again.
    pub(crate) fn prove_writable(&mut self) -> Result<(), Fault> {
        let sql = "UPDATE log_head SET at = at WHERE region = $1";
        run(self.identity.as_mut(), &self.region_value, sql, &[]).map(|_| ())
    }

    /// Begins the open batch's transaction on the visits side, if it has not.
    pub(crate) fn open_visits(&mut self) -> Result<(), Fault> {
        if !self.visits_open {
            self.visits.begin()?;
            self.visits_open = true;
            self.stamp(Part::Visits)?;
        }
        Ok(())
    }

    pub(crate) fn undo(&mut self) -> Result<(), Fault> {
        self.staged.clear();
        self.states.clear();
        for scope in self.doomed_keys.drain(..) {
            self.vault.spare(&scope);
        }
        for scope in self.fresh_keys.drain(..) {
            self.vault.drop_cached(&scope);
        }
        if std::mem::take(&mut self.keys_open) {
            self.vault.ask_wraps_again();
            self.keys.rollback()?;
        }
        if std::mem::take(&mut self.visits_open) {
            self.visits.rollback()?;
        }
        self.identity.rollback()
    }
}
