//! Waiting for a condition, with a deadline.
//!
//! A fixed sleep is either too short, and then a test fails on a busy machine, or too long, and
//! then every run pays for it.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// How long a condition may take. Far more than it ever does: two cores may be building meanwhile.
pub const DEADLINE: Duration = Duration::from_secs(30);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(40);

/// Looks until `look` answers something, and gives that. An error of `look` counts as "not yet"
/// (a page that is just being left cannot be asked); the last one is told when time is over.
pub fn until<T>(what: &str, look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    until_within(DEADLINE, what, look)
}

/// The same with another deadline.
pub fn until_within<T>(
    deadline: Duration,
    what: &str,
    mut look: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let begun = Instant::now();
    loop {
        let seen = look();
        if let Ok(Some(found)) = seen {
            return Ok(found);
        }
        if begun.elapsed() > deadline {
            if let Err(error) = seen {
                return Err(error).with_context(|| format!("waited in vain for {what}"));
            }
            bail!("waited in vain for {what}");
        }
        // Nothing wakes this thread: the park is the pause between two looks, not the wait itself.
        std::thread::park_timeout(PAUSE);
    }
}
