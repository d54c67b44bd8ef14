//! A writer and its lease: renewing it, leaving it to others, and what happens once it is another's.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::writer::Writer;
use crate::member::Role;

/// How often deleted keys are erased from the files of an engine that does not overwrite them: it
/// writes the whole table, so not after each.
const ERASE_EVERY: Duration = Duration::from_mins(1);

impl Writer {
    /// From now on others may write: nothing more is taken, and readers follow the log. Whether the
    /// database takes writes is theirs to find out.
    pub(super) fn stand_back(&self) {
        self.shared.follower.let_go();
        self.shared.paused.store(false, Ordering::Relaxed);
        if self.is_member {
            self.shared.role.send_replace(Role::Standby(None));
        }
    }

    pub(super) fn renew(&mut self) {
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

    pub(super) fn stop_if_fenced(&self) {
        if !self.core.fenced {
            return;
        }
        let wrote = matches!(*self.shared.role.borrow(), Role::Writer { .. });
        self.stand_back();
        if self.is_member {
            // Nothing is broken: others serve on. Said once, because a machine stood still.
            if wrote {
                tracing::warn!("another process writes this region now: this one stands by");
            }
        } else if !self.shared.stopped.send_replace(true) {
            tracing::error!("another process writes this region now: this one has stopped writing");
        }
    }
}
