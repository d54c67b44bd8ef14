//! The single writer of a region, with group commit.
//!
//! Callers put a job in a bounded queue and wait. The writer takes what has gathered, runs the jobs
//! one after the other in one transaction, extends the tree, signs the new head, commits, and only
//! then answers. When a job meets a fault, the batch is rolled back and its jobs are run one by
//! one, so that only the job at fault fails.
//!
//! A disk that is full, a server that is gone or read-only pauses writing: everything is refused until
//! a write succeeds, which each that comes tries once. A commit that failed in any other way may or may
//! not be durable; then nothing more is acknowledged until the program has started anew and read what is
//! there.
//!
//! Commit order across the three databases: keys, visits, identity with the log. What the log does
//! not cover never happened: [`crate::open`] removes it at the next start, and the writer before its
//! next batch. Keys made for nothing stay and harm nobody.
//!
//! Where the databases are on a server, every transaction of the writer begins with the stamp of its
//! [`crate::lease`], and a batch that was in another transaction's way, or lost its connection before
//! COMMIT, is run again as a whole. A connection lost during the COMMIT of the log means unknown: the
//! lost session is ended, and the lease's row and the head say whether it took effect.
//!
//! Here are the queue and the handle on it; `writer` runs batches, `pausing` says what follows when it
//! cannot, `standby` how a writer keeps its lease and gives it up.

mod pausing;
mod standby;
mod writer;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};

use kernel::{Aggregate, Clock, Region, Seed};
use tokio::sync::{oneshot, watch};

use crate::fault::Doing as _;
use crate::follow::Follower;
use crate::member::{Desk, Role};
use crate::read::Readers;
use crate::room::Room;
use crate::tx::{Core, Ran};
use crate::vault::Vault;
use crate::{Backend, Context, Fault, Reader, Registry, Tx};

use pausing::STOPPED;
pub(crate) use writer::Writer;

/// Jobs that may wait. At some 10,000 commands a second this is under half a second of work.
pub const QUEUE_MAX: usize = 4_096;
/// Jobs in one transaction.
pub const BATCH_MAX: usize = 1_024;
/// How often a batch is run that failed because another transaction was in the way, or because the
/// connection was lost before COMMIT.
pub(crate) const ATTEMPTS_MAX: u32 = 4;
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

    /// [`Store::size`] and its growth. Where another process writes, it is looked at five times a second.
    pub fn sizes(&self) -> watch::Receiver<u64> {
        self.0.shared.follower.sizes()
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
