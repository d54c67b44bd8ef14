//! A clock that is told the time while a story is made up, and then goes by itself.
//!
//! It is believed whatever it shows: for a story, time has passed whenever its clock says so, and a demo
//! that is taken up again after a month ends what is a month old.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use kernel::{Clock, Instant, SystemClock};

/// The hand's value once the clock goes by itself. No story happens at that instant.
const LIVE: i64 = i64::MIN;

/// A manual clock that can be let go. Clones share the hand.
#[derive(Debug, Clone)]
pub struct StoryClock(Arc<AtomicI64>);

impl StoryClock {
    /// A clock that stands at `start`.
    pub fn at(start: Instant) -> Self {
        Self(Arc::new(AtomicI64::new(start.micros())))
    }

    /// Puts the hand to `instant`.
    pub fn set(&self, instant: Instant) {
        self.0.store(instant.micros(), Ordering::SeqCst);
    }

    /// From now on it shows the machine's time.
    pub fn go_live(&self) {
        self.0.store(LIVE, Ordering::SeqCst);
    }
}

impl Clock for StoryClock {
    fn now(&self) -> Instant {
        match self.0.load(Ordering::SeqCst) {
            LIVE => SystemClock.now(),
            micros => Instant::from_micros(micros),
        }
    }

    fn running(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.now().micros()).unwrap_or(0))
    }
}
