//! Passes for other people's verifiers: the words that other slices need.

use kernel::{Id, Instant};

use crate::person::Organisation;

/// No pass is issued for longer, in days. The certificate of the key that signed it counts as long
/// beyond the key's last signature.
pub const LONGEST_DAYS: i64 = 366;

/// A key with which an organisation signs, or signed, passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassSigner {
    /// The key's name on the public log and in `haetae keys`.
    pub kid: [u8; 8],
    /// Whose.
    pub whose: Id<Organisation>,
    /// Its certificate (DER): verifiers name the key by the hash of it.
    pub certificate: Vec<u8>,
    /// When the certificate ends.
    pub until: Instant,
    /// Since when what it signs is refused.
    pub refused_from: Option<Instant>,
}
