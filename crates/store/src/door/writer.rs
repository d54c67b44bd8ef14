//! The writer's thread while it writes: gathers jobs into a batch, runs it, again where that can help,
//! and answers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::pausing::STOPPED;
use super::{ATTEMPTS_MAX, BATCH_MAX, Ended, Job, Message, Shared, elsewhere};
use crate::commit::NotCommitted;
use crate::postgres::pause;
use crate::tx::Core;
use crate::{Fault, Tx, lease};

/// Pauses before a batch is run again that lost its connection, in milliseconds: a server that only
/// starts anew is waited for, one that is gone is not.
const LOST_PAUSES_MS: [u64; 4] = [0, 50, 200, 500];

fn finish(jobs: Vec<Box<dyn Job>>, outcome: &Result<(), Fault>) {
    for job in jobs {
        job.finish(outcome.as_ref().copied().map_err(Fault::retold));
    }
}

/// The thread while it writes.
pub(crate) struct Writer {
    pub(super) core: Core,
    /// When deleted keys were last erased from the files.
    pub(super) erased: Instant,
    pub(super) shared: Arc<Shared>,
    pub(super) is_member: bool,
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
}
