//! Revoked passes, as everybody may know them.
//!
//! A stream of its own because a person's events are sealed under the person's key: when that key
//! is destroyed, gates must still learn that the passes are no longer good. No person is in it.

use contracts::code::Pass;
use kernel::{Aggregate, Id, Instant};

use crate::event::RevocationEvent;
use crate::refusal::Refusal;

/// Whether a pass was revoked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Revocation {
    revoked: bool,
}

/// Revoke a pass.
#[derive(Debug, Clone, Copy)]
pub struct Revoke {
    /// Which.
    pub pass: Id<Pass>,
    /// When it would have ended by itself.
    pub valid_until: Instant,
}

impl Aggregate for Revocation {
    const STREAM: &'static str = "code.revocation";
    type Command = Revoke;
    type Event = RevocationEvent;
    type Refusal = Refusal;

    /// Revoking twice is revoking once.
    fn decide(&self, it: Revoke, _: Instant) -> Result<Vec<RevocationEvent>, Refusal> {
        if self.revoked {
            return Ok(Vec::new());
        }
        Ok(vec![RevocationEvent::Revoked { pass: it.pass, valid_until: it.valid_until }])
    }

    fn fold(&mut self, _: &RevocationEvent) {
        self.revoked = true;
    }
}
