//! What is known to be revoked, per kind of pass.
//!
//! An old list still knows what it knows: revoked stays revoked. What an old list does not name is
//! in doubt.

use super::reason::Reason;
use super::verdict::{Draft, Step};

/// Revocations of every kind.
#[derive(Debug, Clone, Default)]
pub struct Revocations {}

/// What the lists held here say of one pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// No list is for such a pass.
    NotListed,
    /// A list is for it, and does not name it.
    Good,
    /// A list names it.
    Revoked,
    /// A list is for it, does not name it, and is too old to rely on.
    Stale,
}

/// What the three kinds of DCC revocation entries are computed from.
#[derive(Debug, Clone, Copy)]
pub struct DccNames<'a> {
    /// The signing key's name.
    pub kid: &'a [u8],
    /// The entry's `ci`.
    pub uci: &'a str,
    /// The country that issued: `iss`, or the entry's `co`.
    pub country: &'a str,
    /// The signature; of ECDSA, `r || s`.
    pub signature: &'a [u8],
    /// Whether the signature is ECDSA's, of which only `r` counts (`s` can be changed by anyone).
    pub is_ecdsa: bool,
}

impl Revocations {
    /// What is known of a DCC.
    pub fn dcc(&self, _names: &DccNames<'_>, _now_s: i64) -> Standing {
        Standing::NotListed
    }
}

impl Draft {
    /// The revocation step: skipped where no list is for the pass.
    pub(crate) fn stand(&mut self, standing: Standing) {
        match standing {
            Standing::NotListed => {}
            Standing::Good => self.ok(Step::Revocation),
            Standing::Revoked => self.failed(Step::Revocation, Reason::Revoked),
            Standing::Stale => self.failed(Step::Revocation, Reason::RevocationStale),
        }
    }
}
