//! The single writer of a region, with group commit.
//!
//! Callers put a job in a bounded queue and wait. The writer takes what has gathered, runs the jobs
//! one after the other in one transaction, extends the tree, signs the new head, commits, and only
//! then answers. When a job meets a fault, the batch is rolled back and its jobs are run one by
//! one, so that only the job at fault fails.
//!
//! A disk that is full, a server that is gone or read-only pauses writing: everything is refused until
//! a write succeeds, which each that comes tries once. A commit that
//! failed in any other way may or may not be durable; then nothing more is acknowledged until the
//! program has started anew and read what is there.
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
use tokio::sync::{oneshot, watch};

use crate::commit::NotCommitted;
use crate::fault::Doing as _;
use crate::follow::Follower;
use crate::member::{Desk, Role};
use crate::postgres::pause;
use crate::read::Readers;
use crate::room::Room;
use crate::sqlite::left_nothing;
use crate::tx::{Core, Ran};
use crate::vault::Vault;
use crate::{Backend, Context, Fault, Reader, Registry, Tx, lease};

/// Jobs that may wait. At some 10,000 commands a second this is under half a second of work.
pub const QUEUE_MAX: usize = 4_096;
/// Jobs in one transaction.
pub const BATCH_MAX: usize = 1_024;
/// How often a batch is run that failed because another transaction was in the way, or because the
/// connection was lost before COMMIT.
pub(crate) const ATTEMPTS_MAX: u32 = 4;
/// Pauses before a batch is run again that lost its connection, in milliseconds: a server that only
/// starts anew is waited for, one that is gone is not.
const LOST_PAUSES_MS: [u64; 4] = [0, 50, 200, 500];
/// How often deleted keys are erased from the files of an engine that does not overwrite them: it
/// writes the whole table, so not after each.
const ERASE_EVERY: Duration = Duration::from_mins(1);
/// What a caller is told to wait when the queue is full, in seconds.
pub const RETRY_AFTER_S: u32 = 2;

const STOPPED: &str = "writing has stopped after a failed commit";

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

/// Nothing is refused.
pub type Never = std::convert::Infallible;

/// One caller's work.
pub(crate) trait Job: Send {
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), Fault>;
    fn finish(self: Box<Self>, outcome: Result<(), Fault>);
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

    fn finish(self: Box<Self>, outcome: Result<(), Fault>) {
        let answer = match (outcome, self.answer) {
            (Ok(()), Some(answer)) => Ok(answer),
            (Ok(()), None) => Err(Fault::new("the job was not run")),
            (Err(fault), _) => Err(fault),
        };
        // A caller that has gone away no longer wants to know.
        let _ = self.reply.send(answer);
    }
}

/// What the writer's thread is sent.
pub(crate) enum Message {
    /// To be run with others.
    Job(Box<dyn Job>),
    /// To leave the lease to other processes, once everything before it is done.
    Leave(oneshot::Sender<()>),
}

/// Why a writer writes no more.
pub(crate) enum Ended {
    /// The store was closed.
    Closed,
    /// The lease is another's.
    Fenced,
    /// It was asked to leave the lease to others.
    LeftTo(oneshot::Sender<()>),
}

/// What the writer's thread and everybody else know together.
pub(crate) struct Shared {
    pub(crate) stopped: watch::Sender<bool>,
    pub(crate) role: watch::Sender<Role>,
    pub(crate) follower: Follower,
    paused: AtomicBool,
    room: Room,
    waiting: AtomicU64,
}

impl Shared {
    pub(crate) fn new(backend: &Backend) -> Self {
        Self {
            stopped: watch::Sender::new(false),
            role: watch::Sender::new(Role::Standby(None)),
            follower: Follower::new(matches!(backend, Backend::Folder(_))),
            paused: AtomicBool::new(false),
            room: Room::of(backend),
            waiting: AtomicU64::new(0),
        }
    }

    /// So many jobs no longer wait.
    pub(crate) fn finished(&self, jobs: usize) {
        self.waiting.fetch_sub(u64::try_from(jobs).unwrap_or(0), Ordering::Relaxed);
    }
}

/// What a job is told that came to a process that does not write.
pub(crate) fn elsewhere() -> Fault {
    Fault::elsewhere("this process does not write the region at present")
}

struct Inner {
    queue: Mutex<Option<SyncSender<Message>>>,
    writer: Mutex<Option<std::thread::JoinHandle<()>>>,
    readers: Readers,
    vault: Arc<Vault>,
    registry: Arc<Registry>,
    clock: Arc<dyn Clock>,
    seed: Seed,
    region: Region,
    shared: Arc<Shared>,
    is_shared: bool,
    log_key: String,
    /// A folder's lock, held until the last handle is gone.
    lock: Mutex<Option<std::fs::File>>,
}

/// A handle on one region's store. Cheap to clone.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

impl Store {
    pub(crate) fn start(
        desk: Desk,
        core: Option<Core>,
        log_key: String,
        lock: Option<std::fs::File>,
    ) -> Result<Self, Fault> {
        let (sender, receiver) = std::sync::mpsc::sync_channel(QUEUE_MAX);
        let Desk { site, shared, vault, .. } = &desk;
        let inner = Inner {
            queue: Mutex::new(Some(sender)),
            writer: Mutex::new(None),
            readers: Readers::new(site.backend.clone(), Arc::clone(shared)),
            vault: Arc::clone(vault),
            registry: Arc::clone(&site.registry),
            clock: Arc::clone(&site.clock),
            seed: site.seed.fork(),
            region: site.region.clone(),
            shared: Arc::clone(shared),
            is_shared: desk.is_member,
            log_key,
            lock: Mutex::new(lock),
        };
        let thread = std::thread::Builder::new()
            .name("haetae-writer".to_owned())
            .spawn(move || desk.run(core, &receiver))
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

    /// Entries on the log, as far as this process knows it: what it read lately, if another writes.
    pub fn size(&self) -> u64 {
        self.0.shared.follower.size()
    }

    /// Jobs that wait for the writer.
    pub fn waiting(&self) -> u64 {
        self.0.shared.waiting.load(Ordering::Relaxed)
    }

    /// Whether writing has stopped, after a commit of which nobody knows whether it is durable or
    /// after a panic of the writer: only a new start mends it.
    pub fn is_stopped(&self) -> bool {
        *self.0.shared.stopped.borrow()
    }

    /// Done when writing has stopped.
    pub async fn stopped(&self) {
        // The sender lives as long as this handle.
        let _ = self.0.shared.stopped.subscribe().wait_for(|it| *it).await;
    }

    /// What this process is to the region at present.
    pub fn role(&self) -> Role {
        self.0.shared.role.borrow().clone()
    }

    /// The role and its changes.
    pub fn roles(&self) -> watch::Receiver<Role> {
        self.0.shared.role.subscribe()
    }

    /// Whether this process writes the region.
    pub fn is_writer(&self) -> bool {
        matches!(*self.0.shared.role.borrow(), Role::Writer { .. })
    }

    /// Whether several processes may share the region ([`Store::join`]).
    pub fn is_shared(&self) -> bool {
        self.0.is_shared
    }

    /// Leaves the region to another process, once everything that waits is done. If none takes it up,
    /// this one does again after some seconds. Has no effect on a store that nobody shares.
    pub async fn leave_to_others(&self) {
        let (done, left) = oneshot::channel();
        let queue = self.0.queue.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(queue) = queue else { return };
        // Behind whatever waits, also where the queue is full.
        let sent = tokio::task::spawn_blocking(move || queue.send(Message::Leave(done)).is_ok());
        if sent.await.unwrap_or(false) {
            let _ = left.await;
        }
    }

    /// Whether writes are refused at present because the disk took none. Ends by itself with the
    /// first write that succeeds.
    pub fn is_paused(&self) -> bool {
        self.0.shared.paused.load(Ordering::Relaxed)
    }

    /// Refuses writes while fewer bytes than this are free where the data folder lies; 0 (as at
    /// first) refuses none.
    pub fn keep_free(&self, bytes: u64) {
        self.0.shared.room.keep_free(bytes);
    }

    fn enqueue<T, F>(&self, work: F) -> Result<oneshot::Receiver<Result<T, Fault>>, Error<Never>>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T, Fault> + Send + 'static,
    {
        if self.is_stopped() {
            return Err(Fault::paused(STOPPED).into());
        }
        if !self.is_writer() {
            return Err(elsewhere().into());
        }
        let (reply, answer) = oneshot::channel();
        let job: Box<dyn Job> = Box::new(Call { work, answer: None, reply });
        let queue = self.0.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(queue) = queue.as_ref() else {
            return Err(Fault::new("the store is closed").into());
        };
        match queue.try_send(Message::Job(job)) {
            Ok(()) => {
                self.0.shared.waiting.fetch_add(1, Ordering::Relaxed);
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

fn finish(jobs: Vec<Box<dyn Job>>, outcome: &Result<(), Fault>) {
    for job in jobs {
        job.finish(outcome.as_ref().copied().map_err(Fault::retold));
    }
}

/// The thread while it writes.
pub(crate) struct Writer {
    core: Core,
    /// When deleted keys were last erased from the files.
    erased: Instant,
    shared: Arc<Shared>,
    is_member: bool,
    /// Who asked to leave the lease to others.
    leaves: Option<oneshot::Sender<()>>,
}

impl Writer {
    pub(crate) fn new(core: Core, shared: Arc<Shared>, is_member: bool) -> Self {
        Self { core, erased: Instant::now(), shared, is_member, leaves: None }
    }

    pub(crate) fn run(mut self, queue: &Receiver<Message>) -> Ended {
        let mut renewed = Instant::now();
        loop {
            // Nobody renews anything while no lease is held.
            let ticks = self.core.lease.is_some() || self.shared.paused.load(Ordering::Relaxed);
            let pause = if ticks { lease::RENEW } else { Duration::MAX };
            match queue.recv_timeout(pause.saturating_sub(renewed.elapsed())) {
                Ok(Message::Job(first)) => self.take(first, queue),
                Ok(Message::Leave(done)) => self.leaves = Some(done),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if renewed.elapsed() >= lease::RENEW {
                self.renew();
                // Whether it is over shows also where nobody comes to write.
                if self.shared.paused.load(Ordering::Relaxed) {
                    self.batch(Vec::new());
                }
                renewed = Instant::now();
            }
            if self.is_member && self.core.fenced {
                return Ended::Fenced;
            }
            if let Some(done) = self.leaves.take() {
                if self.is_member {
                    self.stand_back();
                    self.core.give_back();
                    return Ended::LeftTo(done);
                }
                let _ = done.send(());
            }
        }
        self.core.erase();
        self.stand_back();
        self.core.give_back();
        Ended::Closed
    }

    /// From now on others may write: nothing more is taken, and readers follow the log. Whether the
    /// database takes writes is theirs to find out.
    fn stand_back(&self) {
        self.shared.follower.let_go();
        self.shared.paused.store(false, Ordering::Relaxed);
        if self.is_member {
            self.shared.role.send_replace(Role::Standby(None));
        }
    }

    /// Runs `first` together with what has gathered behind it.
    fn take(&mut self, first: Box<dyn Job>, queue: &Receiver<Message>) {
        let mut batch = vec![first];
        while batch.len() < BATCH_MAX
            && let Ok(next) = queue.try_recv()
        {
            match next {
                Message::Job(job) => batch.push(job),
                Message::Leave(done) => {
                    self.leaves = Some(done);
                    break;
                }
            }
        }
        let count = batch.len();
        self.batch(batch);
        self.shared.finished(count);
    }

    fn renew(&mut self) {
        let asked = Instant::now();
        match self.core.renew() {
            Ok(()) if self.core.lease.is_some() && !self.core.fenced => {
                self.shared.follower.hold(asked);
            }
            Ok(()) => {}
            Err(fault) => tracing::warn!(fault = %fault.chain(), "the lease was not renewed"),
        }
        self.stop_if_fenced();
        if self.erased.elapsed() >= ERASE_EVERY {
            self.core.erase();
            self.erased = Instant::now();
        }
    }

    fn stop_if_fenced(&self) {
        if !self.core.fenced {
            return;
        }
        self.stand_back();
        if self.is_member {
            tracing::error!("another process writes this region now: this one stands by");
        } else if !self.shared.stopped.send_replace(true) {
            tracing::error!("another process writes this region now: this one has stopped writing");
        }
    }

    fn batch(&mut self, mut jobs: Vec<Box<dyn Job>>) {
        match self.attempts(&mut jobs) {
            Ok(()) => {
                if self.shared.paused.swap(false, Ordering::Relaxed) {
                    tracing::warn!("writing goes on");
                }
                finish(jobs, &Ok(()));
            }
            // The disk, or the lease, refuses them all alike, and is not to be asked a thousand times.
            Err(fault) if fault.is_paused() || self.core.fenced => finish(jobs, &Err(fault)),
            Err(fault) if jobs.len() == 1 => {
                tracing::error!(fault = %fault.chain(), "a write failed");
                finish(jobs, &Err(fault));
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
        // Who came before has waited for the server already.
        let known = self.shared.paused.load(Ordering::Relaxed);
        let mut pauses = LOST_PAUSES_MS.iter().take(if known { 1 } else { usize::MAX });
        loop {
            match self.attempt(jobs) {
                Err(fault) if fault.is_lost() => {
                    let Some(time_ms) = pauses.next() else { return Err(self.paused_by(&fault)) };
                    tracing::warn!(fault = %fault.chain(), "a batch is tried again");
                    pause(Duration::from_millis(*time_ms));
                }
                Err(fault) if left > 1 && fault.is_in_the_way() => {
                    left -= 1;
                    tracing::warn!(fault = %fault.chain(), "a batch is tried again");
                }
                answer => return answer,
            }
        }
    }

    fn attempt(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<(), Fault> {
        if *self.shared.stopped.borrow() {
            return Err(Fault::paused(STOPPED));
        }
        if self.core.fenced {
            return Err(elsewhere());
        }
        let paused = self.shared.paused.load(Ordering::Relaxed);
        self.shared.room.check().map_err(|it| self.judged(it))?;
        self.settle_debts()?;
        let ran = catch_unwind(AssertUnwindSafe(|| {
            self.core.begin()?;
            for job in jobs.iter_mut() {
                job.run(&mut Tx::new(&mut self.core))?;
            }
            if paused {
                self.core.prove_writable()?;
            }
            self.core.extend_tree()
        }));
        let done = match ran {
            Ok(Ok(tree)) => self.core.commit(tree),
            Ok(Err(fault)) => Err(NotCommitted::For(fault)),
            Err(_) => Err(NotCommitted::For(Fault::new("a job panicked"))),
        };
        match done {
            Ok(()) => {
                self.shared.follower.wrote(self.core.tree.size());
                // The batch is durable even where this fails. Nothing follows it before the debt is
                // paid.
                let _ = self.settle_debts();
                Ok(())
            }
            Err(NotCommitted::For(fault)) => {
                self.stop_if_fenced();
                // What cannot even be undone is as unknown as a commit that nobody answered.
                match self.core.undo() {
                    Ok(()) => Err(self.judged(fault)),
                    Err(_) => Err(self.stop(&fault)),
                }
            }
            Err(NotCommitted::PerhapsNot(fault)) if self.is_member && self.core.fenced => {
                self.stop_if_fenced();
                // What it held in memory goes with the role, so nothing can differ from the log. Keys
                // that it ended after all are found ended when the log is followed.
                let _ = self.core.undo();
                Err(Fault::unknown(fault.chain()))
            }
            Err(NotCommitted::PerhapsNot(fault)) => Err(self.stop(&fault)),
        }
    }

    fn settle_debts(&mut self) -> Result<(), Fault> {
        let settled = self.core.settle_debts();
        self.stop_if_fenced();
        match settled {
            Ok(()) => Ok(()),
            // On a server what failed was undone, and is done again before the next batch.
            Err(fault) if self.core.lease.is_some() || left_nothing(&fault) => {
                Err(self.judged(fault))
            }
            Err(fault) => Err(self.stop(&fault)),
        }
    }

    /// Nobody knows what is durable: nothing more is acknowledged.
    fn stop(&self, fault: &Fault) -> Fault {
        tracing::error!(fault = %fault.chain(), "a commit failed: writing stops");
        self.shared.stopped.send_replace(true);
        Fault::paused(STOPPED)
    }

    /// A fault that is the disk's pauses writing; the log hears of it once.
    fn judged(&self, fault: Fault) -> Fault {
        if fault.is_paused() || fault.is_unwritable() { self.paused_by(&fault) } else { fault }
    }

    /// Until a write succeeds, all are refused with a word that says so. Where the lease is another's
    /// nothing is paused: others write, and whoever asks is to ask them.
    fn paused_by(&self, fault: &Fault) -> Fault {
        if self.core.fenced {
            return Fault::elsewhere(fault.chain());
        }
        if !self.shared.paused.swap(true, Ordering::Relaxed) {
            tracing::error!(fault = %fault.chain(), "nothing can be written at present");
        }
        Fault::paused(fault.chain())
    }
}

impl Drop for Writer {
    /// The writer ends with the last handle, or by a panic outside of a job: then nobody would be
    /// left to answer, and whoever asks must learn it.
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!("the writer panicked: writing stops");
            self.shared.stopped.send_replace(true);
        }
    }
}
