//! The hash function of the log: SHA-256 with RFC 6962 domain separation.
//!
//! The prefix bytes 0x00 (leaf) and 0x01 (node) keep an inner node from being passed off as an
//! entry (RFC 6962 section 2.1).

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A SHA-256 value: a leaf, an inner node or a root.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; Hash::LENGTH]);

/// A text that is not a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// Not base64 with padding (RFC 4648 section 4), or not hexadecimal where that was asked.
    #[error("not a hash: wrong encoding")]
    Encoding,
    /// Well encoded, but not 32 bytes.
    #[error("not a hash: not 32 bytes")]
    Length,
}

impl HashError {
    /// The stable code that clients may branch on.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Encoding => "ledger-hash-encoding",
            Self::Length => "ledger-hash-length",
        }
    }
}

impl Hash {
    /// Bytes in a hash.
    pub const LENGTH: usize = 32;

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    /// 64 lower-case hexadecimal digits.
    pub fn to_hex(&self) -> String {
        use fmt::Write as _;
        self.0.iter().fold(String::with_capacity(64), |mut text, byte| {
            // Writing into a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// Reads what [`Hash::to_hex`] writes; upper case is taken too.
    pub fn from_hex(text: &str) -> Result<Self, HashError> {
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if !rest.is_empty() || pairs.len() != Self::LENGTH {
            return Err(HashError::Length);
        }
        let mut bytes = [0; Self::LENGTH];
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Ok(Self(bytes))
    }
}

fn digit(byte: u8) -> Result<u8, HashError> {
    match byte {
        b'0'..=b'9' => Ok(byte - b'0'),
        b'a'..=b'f' => Ok(byte - b'a' + 10),
        b'A'..=b'F' => Ok(byte - b'A' + 10),
        _ => Err(HashError::Encoding),
    }
}

impl From<[u8; Hash::LENGTH]> for Hash {
    fn from(bytes: [u8; Hash::LENGTH]) -> Self {
        Self(bytes)
    }
}

impl TryFrom<&[u8]> for Hash {
    type Error = HashError;

    fn try_from(bytes: &[u8]) -> Result<Self, HashError> {
        bytes.try_into().map(Self).map_err(|_| HashError::Length)
    }
}

impl AsRef<[u8]> for Hash {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Base64 with padding, 44 characters, as in checkpoints and proofs.
impl fmt::Display for Hash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Hash({self})")
    }
}

impl FromStr for Hash {
    type Err = HashError;

    fn from_str(text: &str) -> Result<Self, HashError> {
        // The longest right text has 44 characters; a huge one is not worth decoding.
        if text.len() > 44 {
            return Err(HashError::Length);
        }
        let bytes = STANDARD.decode(text).map_err(|_| HashError::Encoding)?;
        Self::try_from(bytes.as_slice())
    }
}

/// Entries up to this many bytes are hashed from one buffer on the stack.
const SHORT_ENTRY_BYTES: usize = 511;

/// The hash of an entry: SHA-256(0x00 || entry).
pub fn leaf_hash(entry: &[u8]) -> Hash {
    // One call on one buffer is measurably quicker than a context with two updates, which the
    // library keeps on the heap; most entries of a city are short.
    let mut buffer = [0; 1 + SHORT_ENTRY_BYTES];
    if let Some((prefixed, _)) = buffer.split_at_mut_checked(1 + entry.len()) {
        if let Some((_, body)) = prefixed.split_first_mut() {
            body.copy_from_slice(entry);
        }
        return from_digest(&digest::digest(&digest::SHA256, prefixed));
    }
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(&[0]);
    context.update(entry);
    from_digest(&context.finish())
}

/// The hash of an inner node: SHA-256(0x01 || left || right).
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut buffer = [1; 1 + 2 * Hash::LENGTH];
    let (_, children) = buffer.split_at_mut(1);
    let (first, second) = children.split_at_mut(Hash::LENGTH);
    first.copy_from_slice(&left.0);
    second.copy_from_slice(&right.0);
    from_digest(&digest::digest(&digest::SHA256, &buffer))
}

/// The root of a tree without entries: SHA-256 of nothing (RFC 6962 section 2.1).
pub fn empty_root() -> Hash {
    from_digest(&digest::digest(&digest::SHA256, &[]))
}

fn from_digest(digest: &digest::Digest) -> Hash {
    let mut bytes = [0; Hash::LENGTH];
    // Both sides have 32 bytes: SHA-256 never gives another length.
    bytes.copy_from_slice(digest.as_ref());
    Hash(bytes)
}
