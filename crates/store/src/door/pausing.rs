//! When nothing can be written, or nobody knows what was: writing pauses until a write succeeds, or stops
//! until the program has started anew.

use std::sync::atomic::Ordering;

use super::writer::Writer;
use crate::Fault;
use crate::sqlite::left_nothing;

pub(super) const STOPPED: &str = "writing has stopped after a failed commit";

impl Writer {
    pub(super) fn settle_debts(&mut self) -> Result<(), Fault> {
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
    pub(super) fn stop(&self, fault: &Fault) -> Fault {
        tracing::error!(fault = %fault.chain(), "a commit failed: writing stops");
        self.shared.stopped.send_replace(true);
        Fault::paused(STOPPED)
    }

    /// A fault that is the disk's pauses writing; the log hears of it once.
    pub(super) fn judged(&self, fault: Fault) -> Fault {
        if fault.is_paused() || fault.is_unwritable() { self.paused_by(&fault) } else { fault }
    }

    /// Until a write succeeds, all are refused with a word that says so. Where the lease is another's
    /// nothing is paused: others write, and whoever asks is to ask them.
    pub(super) fn paused_by(&self, fault: &Fault) -> Fault {
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
