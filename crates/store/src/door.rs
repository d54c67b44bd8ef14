//! The single writer of a region, with group commit.
//!
//! Callers put a job in a bounded queue and wait. The writer takes what has gathered, runs the jobs
//! one after the other in one transaction, extends the tree, signs the new head, commits, and only
//! then answers. When a job meets a fault, the batch is rolled back and its jobs are run one by
//! one, so that only the job at fault fails.
//!
//! Commit order across the three databases: keys, visits, identity with the log. What the log does
//! not cover never happened: [`crate::open`] removes it at the next start, and the writer before its
//! next batch. Keys made for nothing stay and harm nobody.
//!
//! Where the databases are on a server, every transaction of the writer begins with the stamp of its
//! [`crate::lease`], and a batch that was in another transaction's way, or lost its connection before
//! COMMIT, is run again as a whole. A connection lost during the COMMIT of the log means unknown: the
//! lost session is ended, and the lease's row and the head say whether it took effect.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use kernel::{Aggregate, Clock, Region, Seed};
use tokio::sync::oneshot;

use crate::backend::Part;
use crate::fault::Doing as _;
use crate::open::remove_orphans;
use crate::projection::select;
use crate::read::Readers;
use crate::tx::{Core, Ran};
use crate::vault::{Scope, Vault};
use crate::{Context, Fault, Reader, Registry, Tx, Value, lease};

/// Jobs that may wait. At some 10,000 commands a second this is under half a second of work.
pub const QUEUE_MAX: usize = 4_096;
/// Jobs in one transaction.
pub const BATCH_MAX: usize = 1_024;
/// How often a batch is run that failed because another transaction was in the way, or because the
/// connection was lost before COMMIT.
const ATTEMPTS_MAX: u32 = 4;
/// How often a server is looked for that did not answer a COMMIT: about a minute. Then writing stops.
const UNKNOWN_ATTEMPTS_MAX: u32 = 20;
/// How often deleted keys are erased from the files of an engine that does not overwrite them: it
/// writes the whole table, so not after each.
const ERASE_EVERY: Duration = Duration::from_mins(1);
/// What a caller is told to wait when the queue is full, in seconds.
pub const RETRY_AFTER_S: u32 = 2;

/// What a command made happen.
pub type Done<E> = Ran<E>;

/// Why a command had no effect.
#[derive(Debug)]
pub enum Error<R> {
    /// The rules said no.
    Refused(R),
    /// The queue is full: try again after this many seconds.
    Busy {
        /// Seconds to wait.
        retry_after_s: u32,
    },
    /// Something that should not have happened. Nothing was acknowledged.
    Fault(Fault),
}

impl<R> From<Fault> for Error<R> {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Why a batch is not known to be durable.
enum NotCommitted {
    /// It is not: nothing of it took effect on the log.
    For(Fault),
    /// Nobody can say.
    PerhapsNot(Fault),
}

/// Nothing is refused.
pub type Never = std::convert::Infallible;

/// One caller's work.
trait Job: Send {
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), Fault>;
    fn finish(self: Box<Self>, outcome: Result<(), String>);
}

struct Call<T, F> {
    work: F,
    answer: Option<T>,
    reply: oneshot::Sender<Result<T, Fault>>,
}

impl<T: Send, F: FnMut(&mut Tx<'_>) -> Result<T, Fault> + Send> Job for Call<T, F> {
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), Fault> {
        self.answer = Some((self.work)(tx)?);
        Ok(())
    }

    fn finish(self: Box<Self>, outcome: Result<(), String>) {
        let answer = match (outcome, self.answer) {
            (Ok(()), Some(answer)) => Ok(answer),
            (Ok(()), None) => Err(Fault::new("the job was not run")),
            (Err(doing), _) => Err(Fault::new(doing)),
        };
        // A caller that has gone away no longer wants to know.
        let _ = self.reply.send(answer);
    }
}

struct Inner {
    queue: Mutex<Option<SyncSender<Box<dyn Job>>>>,
    writer: Mutex<Option<std::thread::JoinHandle<()>>>,
    readers: Readers,
    vault: Arc<Vault>,
    registry: Arc<Registry>,
    clock: Arc<dyn Clock>,
    seed: Seed,
    region: Region,
    stopped: Arc<AtomicBool>,
    waiting: Arc<AtomicU64>,
    size: Arc<AtomicU64>,
    log_key: String,
    /// A folder's lock, held until the last handle is gone.
    lock: Mutex<Option<std::fs::File>>,
}

/// A handle on one region's store. Cheap to clone.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

impl Store {
    pub(crate) fn start(
        core: Core,
        readers: Readers,
        log_key: String,
        lock: Option<std::fs::File>,
    ) -> Result<Self, Fault> {
        let (sender, receiver) = std::sync::mpsc::sync_channel(QUEUE_MAX);
        let stopped = Arc::new(AtomicBool::new(false));
        let waiting = Arc::new(AtomicU64::new(0));
        let size = Arc::new(AtomicU64::new(core.tree.size()));
        let inner = Inner {
            queue: Mutex::new(Some(sender)),
            writer: Mutex::new(None),
            readers,
            vault: Arc::clone(&core.vault),
            registry: Arc::clone(&core.registry),
            clock: Arc::clone(&core.clock),
            seed: core.seed.fork(),
            region: core.region.clone(),
            stopped: Arc::clone(&stopped),
            waiting: Arc::clone(&waiting),
            size: Arc::clone(&size),
            log_key,
            lock: Mutex::new(lock),
        };
        let writer = Writer { core, erased: Instant::now(), stopped, waiting, size };
        let thread = std::thread::Builder::new()
            .name("haetae-writer".to_owned())
            .spawn(move || writer.run(&receiver))
            .doing("starting the writer")?;
        *inner.writer.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        Ok(Self(Arc::new(inner)))
    }

    /// The clock that the store uses.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    /// The region.
    pub fn region(&self) -> &Region {
        &self.0.region
    }

    /// Random bytes.
    pub fn seed(&self) -> &Seed {
        &self.0.seed
    }

    /// The vault.
    pub fn vault(&self) -> &Vault {
        &self.0.vault
    }

    /// What the slices brought.
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// The log's verifier key (C2SP vkey).
    pub fn log_key(&self) -> &str {
        &self.0.log_key
    }

    /// Entries on the log.
    pub fn size(&self) -> u64 {
        self.0.size.load(Ordering::Acquire)
    }

    /// Jobs that wait for the writer.
    pub fn waiting(&self) -> u64 {
        self.0.waiting.load(Ordering::Relaxed)
    }

    /// Whether writing has stopped after a failed commit.
    pub fn is_stopped(&self) -> bool {
        self.0.stopped.load(Ordering::Acquire)
    }

    fn enqueue<T, F>(&self, work: F) -> Result<oneshot::Receiver<Result<T, Fault>>, Error<Never>>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T, Fault> + Send + 'static,
    {
        if self.is_stopped() {
            return Err(Fault::new("writing has stopped after a failed commit").into());
        }
        let (reply, answer) = oneshot::channel();
        let job: Box<dyn Job> = Box::new(Call { work, answer: None, reply });
        let queue = self.0.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(queue) = queue.as_ref() else {
            return Err(Fault::new("the store is closed").into());
        };
        match queue.try_send(job) {
            Ok(()) => {
                self.0.waiting.fetch_add(1, Ordering::Relaxed);
                Ok(answer)
            }
            Err(TrySendError::Full(_)) => Err(Error::Busy { retry_after_s: RETRY_AFTER_S }),
            Err(TrySendError::Disconnected(_)) => Err(Fault::new("the writer has ended").into()),
        }
    }

    /// Runs `work` with the write door held, and answers when it is durable. `work` may be run
    /// again when another job of its batch met a fault. Whatever it wrote is undone when it gives a
    /// fault; to refuse, it must refuse before it writes.
    pub async fn write<T, F>(&self, work: F) -> Result<T, Error<Never>>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T, Fault> + Send + 'static,
    {
        let answer = self.enqueue(work)?;
        Ok(answer.await.map_err(|_| Fault::new("the writer has ended"))??)
    }

    /// [`Store::write`] for threads outside of the async world.
    pub fn write_blocking<T, F>(&self, work: F) -> Result<T, Error<Never>>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T, Fault> + Send + 'static,
    {
        let answer = self.enqueue(work)?;
        Ok(answer.blocking_recv().map_err(|_| Fault::new("the writer has ended"))??)
    }

    /// Decides one command on one thing.
    pub async fn execute<A: Aggregate>(
        &self,
        context: Context,
        id: u128,
        command: A::Command,
    ) -> Result<Done<A::Event>, Error<A::Refusal>> {
        settle(self.write(move |tx| tx.run::<A>(&context, id, command.clone())).await)
    }

    /// [`Store::execute`] for threads outside of the async world.
    pub fn execute_blocking<A: Aggregate>(
        &self,
        context: Context,
        id: u128,
        command: A::Command,
    ) -> Result<Done<A::Event>, Error<A::Refusal>> {
        settle(self.write_blocking(move |tx| tx.run::<A>(&context, id, command.clone())))
    }

    /// Reads with a connection of its own, off the async threads. Sees everything that was
    /// acknowledged before the call.
    pub async fn read<T, F>(&self, work: F) -> Result<T, Fault>
    where
        T: Send + 'static,
        F: FnOnce(&mut Reader<'_>) -> Result<T, Fault> + Send + 'static,
    {
        let store = self.clone();
        let task = tokio::task::spawn_blocking(move || store.read_blocking(work));
        task.await.doing("reading")?
    }

    /// [`Store::read`] on this thread.
    pub fn read_blocking<T>(
        &self,
        work: impl FnOnce(&mut Reader<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.0.readers.with(&self.0.region, &self.0.vault, work)
    }

    /// Lets the queue run empty and ends the writer. Called once, at the end of the program;
    /// afterwards every write is refused.
    pub fn close(&self) {
        drop(self.0.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.0.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A writer that panicked outside of a job has already stopped answering.
            let _ = thread.join();
        }
        drop(self.0.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

/// Brings a refusal from inside to the front.
fn settle<E, R>(answer: Result<Result<Ran<E>, R>, Error<Never>>) -> Result<Ran<E>, Error<R>> {
    match answer {
        Ok(Ok(ran)) => Ok(ran),
        Ok(Err(refusal)) => Err(Error::Refused(refusal)),
        Err(Error::Busy { retry_after_s }) => Err(Error::Busy { retry_after_s }),
        Err(Error::Fault(fault)) => Err(Error::Fault(fault)),
        Err(Error::Refused(never)) => match never {},
    }
}

fn finish(jobs: Vec<Box<dyn Job>>, outcome: &Result<(), String>) {
    for job in jobs {
        job.finish(outcome.clone());
    }
}

struct Writer {
    core: Core,
    /// When it last looked whether anything was to be erased.
    erased: Instant,
    stopped: Arc<AtomicBool>,
    waiting: Arc<AtomicU64>,
    size: Arc<AtomicU64>,
}

impl Writer {
    fn run(mut self, queue: &Receiver<Box<dyn Job>>) {
        let mut renewed = Instant::now();
        loop {
            // Nobody renews anything while no lease is held.
            let pause = if self.core.lease.is_some() { lease::RENEW } else { Duration::MAX };
            match queue.recv_timeout(pause.saturating_sub(renewed.elapsed())) {
                Ok(first) => self.take(first, queue),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if renewed.elapsed() >= lease::RENEW {
                self.renew();
                renewed = Instant::now();
            }
        }
        self.core.erase();
        self.core.give_back();
    }

    /// Runs `first` together with what has gathered behind it.
    fn take(&mut self, first: Box<dyn Job>, queue: &Receiver<Box<dyn Job>>) {
        let mut batch = vec![first];
        while batch.len() < BATCH_MAX
            && let Ok(next) = queue.try_recv()
        {
            batch.push(next);
        }
        let count = u64::try_from(batch.len()).unwrap_or(0);
        self.batch(batch);
        self.waiting.fetch_sub(count, Ordering::Relaxed);
    }

    fn renew(&mut self) {
        if let Err(fault) = self.core.renew() {
            tracing::warn!(fault = %fault.chain(), "the lease was not renewed");
        }
        self.stop_if_fenced();
        if self.erased.elapsed() >= ERASE_EVERY {
            self.core.erase();
            self.erased = Instant::now();
        }
    }

    fn stop_if_fenced(&self) {
        if self.core.fenced && !self.stopped.swap(true, Ordering::AcqRel) {
            tracing::error!("another process writes this region now: this one has stopped writing");
        }
    }

    fn batch(&mut self, mut jobs: Vec<Box<dyn Job>>) {
        match self.attempts(&mut jobs) {
            Ok(()) => finish(jobs, &Ok(())),
            // One by one would not help where the database itself is out of reach.
            Err(fault) if jobs.len() == 1 || fault.is_lost() => {
                tracing::error!(fault = %fault.chain(), "a write failed");
                finish(jobs, &Err(fault.chain()));
            }
            Err(_) => {
                for job in jobs {
                    self.batch(vec![job]);
                }
            }
        }
    }

    /// Tries again, as a whole, what failed through no fault of its own.
    fn attempts(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<(), Fault> {
        let mut left = ATTEMPTS_MAX;
        loop {
            left -= 1;
            match self.attempt(jobs) {
                Err(fault) if left > 0 && (fault.is_lost() || fault.is_in_the_way()) => {
                    tracing::warn!(fault = %fault.chain(), "a batch is tried again");
                }
                answer => return answer,
            }
        }
    }

    fn attempt(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<(), Fault> {
        if self.stopped.load(Ordering::Acquire) {
            return Err(Fault::new("writing has stopped after a failed commit"));
        }
        let ran = catch_unwind(AssertUnwindSafe(|| {
            self.core.begin()?;
            for job in jobs.iter_mut() {
                job.run(&mut Tx::new(&mut self.core))?;
            }
            self.core.extend_tree()
        }));
        let tree = match ran {
            Ok(Ok(tree)) => tree,
            Ok(Err(fault)) => {
                self.stop_if_fenced();
                self.core.undo()?;
                return Err(fault);
            }
            Err(_) => {
                self.core.undo()?;
                return Err(Fault::new("a job panicked"));
            }
        };
        match self.core.commit(tree) {
            Ok(()) => {
                self.size.store(self.core.tree.size(), Ordering::Release);
                Ok(())
            }
            Err(NotCommitted::For(fault)) => {
                self.core.undo()?;
                Err(fault)
            }
            Err(NotCommitted::PerhapsNot(fault)) => {
                // Whether the head became durable is unknown: nothing more may be acknowledged.
                self.stopped.store(true, Ordering::Release);
                Err(fault)
            }
        }
    }
}

const BUNDLE_PUT: &str = "INSERT INTO log_bundle (region, position, width, bytes) VALUES ($1, $2, $3, $4) \
     ON CONFLICT (region, position) DO UPDATE SET width = excluded.width, bytes = excluded.bytes";
const TILE_PUT: &str = "INSERT INTO log_tile (region, level, position, width, bytes) \
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (region, level, position) \
     DO UPDATE SET width = excluded.width, bytes = excluded.bytes";
const HEAD: &str = "SELECT size, root FROM log_head WHERE region = $1";
const HEAD_PUT: &str = "UPDATE log_head SET size = $2, root = $3, checkpoint = $4, at = $5 \
     WHERE region = $1 AND size = $6";

impl Core {
    /// Extends the tree by the staged leaves and writes what changed; gives the new tree, which
    /// becomes ours once committed.
    fn extend_tree(&mut self) -> Result<Option<ledger::Tree>, Fault> {
        if self.staged.is_empty() {
            return Ok(None);
        }
        let mut tree = self.tree.clone();
        let appended = tree.append(&self.staged).doing("extending the log")?;
        let bundles: Vec<Vec<Value>> = appended
            .bundles
            .into_iter()
            .map(|it| vec![it.index.into(), it.width.into(), it.bytes.into()])
            .collect();
        let tiles: Vec<Vec<Value>> = appended
            .tiles
            .into_iter()
            .map(|it| vec![it.level.into(), it.index.into(), it.width.into(), it.bytes.into()])
            .collect();
        self.identity.execute_many(BUNDLE_PUT, &self.region_value, &bundles)?;
        self.identity.execute_many(TILE_PUT, &self.region_value, &tiles)?;
        let checkpoint = self.checkpoint(appended.size, appended.root)?;
        let head: [Value; 5] = [
            appended.size.into(),
            appended.root.as_bytes().as_slice().into(),
            checkpoint.into(),
            self.clock.now().into(),
            self.tree.size().into(),
        ];
        let touched =
            crate::projection::run(self.identity.as_mut(), &self.region_value, HEAD_PUT, &head)?;
        if touched != 1 {
            return Err(Fault::new("the head of the log is not where this writer left it"));
        }
        Ok(Some(tree))
    }

    /// Begins a batch.
    fn begin(&mut self) -> Result<(), Fault> {
        if self.due.orphans {
            self.open_visits()?;
            let (region, size) = (&self.region_value, self.tree.size());
            remove_orphans(self.visits.as_mut(), region, &self.registry, size)?;
            self.visits.commit()?;
            (self.visits_open, self.due.orphans) = (false, false);
        }
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

    /// Makes the batch durable: keys, visits, identity; then destroys what was doomed.
    fn commit(&mut self, tree: Option<ledger::Tree>) -> Result<(), NotCommitted> {
        let on_server = self.lease.is_some();
        // Before the log, a commit that failed or whose answer is missing means no: the keys harm
        // nobody, the visits are removed.
        let before_log = |fault| {
            if on_server { NotCommitted::For(fault) } else { NotCommitted::PerhapsNot(fault) }
        };
        if std::mem::take(&mut self.keys_open) {
            self.commit_keys().map_err(before_log)?;
        }
        if std::mem::take(&mut self.visits_open) {
            self.due.orphans = on_server;
            self.commit_visits().map_err(before_log)?;
        }
        if let Err(fault) = self.identity.commit()
            && !self.took_effect(tree.as_ref(), &fault).map_err(NotCommitted::PerhapsNot)?
        {
            return Err(NotCommitted::For(fault));
        }
        self.due.orphans = false;
        if let Some(tree) = tree {
            self.tree = tree;
        }
        self.staged.clear();
        self.fresh_keys.clear();
        self.destroy_doomed().map_err(NotCommitted::PerhapsNot)
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
    fn took_effect(&mut self, tree: Option<&ledger::Tree>, fault: &Fault) -> Result<bool, Fault> {
        let unknown = |why: Fault| {
            Fault::caused(format!("whether a batch became durable is unknown ({fault})"), why)
        };
        let Some(lease) = &self.lease else {
            return Err(unknown(Fault::new("it cannot be asked")));
        };
        let mut left = UNKNOWN_ATTEMPTS_MAX;
        while let Err(fault) = self.identity.revive() {
            left -= 1;
            if left == 0 || !fault.is_lost() {
                return Err(unknown(fault));
            }
        }
        let engine = self.identity.as_mut();
        let took_effect = lease.took_effect(engine, &self.region_value).map_err(unknown)?;
        let rows = select(engine, &self.region_value, HEAD, &[]).map_err(unknown)?;
        let row = rows.first().ok_or_else(|| unknown(Fault::new("the log has no head")))?;
        let wanted = tree.filter(|_| took_effect).unwrap_or(&self.tree);
        if row.count(0)? == wanted.size() && row.bytes(1)? == wanted.root().as_bytes() {
            return Ok(took_effect);
        }
        Err(unknown(Fault::new("the head of the log is neither the old nor the new one")))
    }

    fn destroy_doomed(&mut self) -> Result<(), Fault> {
        if self.doomed_keys.is_empty() {
            return Ok(());
        }
        let doomed = std::mem::take(&mut self.doomed_keys);
        let mut left = ATTEMPTS_MAX;
        loop {
            left -= 1;
            let destroyed = self.destroy(&doomed);
            match destroyed {
                // Deleting twice is harmless.
                Err(fault) if left > 0 && fault.is_lost() => self.keys.revive()?,
                answer => break answer?,
            }
        }
        for scope in &doomed {
            self.vault.bury(scope);
        }
        self.due.erasure = true;
        Ok(())
    }

    fn destroy(&mut self, doomed: &[Scope]) -> Result<(), Fault> {
        self.keys.begin()?;
        self.stamp(Part::Keys)?;
        for scope in doomed {
            self.vault.destroy(self.keys.as_mut(), scope)?;
        }
        self.keys.commit()
    }

    /// Sees to it that deleted keys are gone from the files too.
    fn erase(&mut self) {
        if self.fenced || !std::mem::take(&mut self.due.erasure) {
            return;
        }
        if let Err(fault) = self.keys.erase("vault_key", "wrapped") {
            tracing::warn!(fault = %fault.chain(), "deleted keys were not erased; again soon");
            self.due.erasure = true;
        }
    }

    /// Says that this writer is still there.
    fn renew(&mut self) -> Result<(), Fault> {
        let Some(lease) = &self.lease else { return Ok(()) };
        if !lease.renew(self.identity.as_mut(), &self.region_value)? {
            self.fenced = true;
        }
        Ok(())
    }

    /// Leaves the region to whoever comes next, at once.
    fn give_back(&mut self) {
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
        }
        Ok(())
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

    fn undo(&mut self) -> Result<(), Fault> {
        self.staged.clear();
        self.states.clear();
        for scope in self.doomed_keys.drain(..) {
            self.vault.spare(&scope);
        }
        for scope in self.fresh_keys.drain(..) {
            self.vault.drop_cached(&scope);
        }
        if std::mem::take(&mut self.keys_open) {
            self.keys.rollback()?;
        }
        if std::mem::take(&mut self.visits_open) {
            self.visits.rollback()?;
        }
        self.identity.rollback()
    }
}
