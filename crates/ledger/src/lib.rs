//! The verifiable log: an RFC 6962 Merkle tree kept as C2SP tiles, with checkpoints and proofs.
//!
//! Every event of a city is one leaf. Whoever holds a checkpoint can later tell whether any leaf
//! before it was changed, and whoever holds a receipt can show that a leaf is there, both without
//! trusting the operator. The formats are the public C2SP ones, so outsiders can check the log with
//! other people's tools.
//!
//! The crate does no input or output: it takes bytes and hands back bytes to be written. Time is an
//! argument. Nothing here panics on bytes from outside.
//!
//! - [`hash`]: the hash function and its text form
//! - [`tile`]: where hashes and entries lie (`tile/0/x001/234.p/5`)
//! - [`tree`]: appending in batches
//! - [`prove`]: making proofs out of tiles
//! - [`verify`]: checking proofs, after RFC 9162 and independently of `prove`
//! - [`note`]: signed notes and keys
//! - [`checkpoint`]: signed tree heads
//! - [`cosignature`]: what witnesses add to a checkpoint
//! - [`proof_file`]: a receipt in one text file
#![deny(missing_docs)]

pub mod checkpoint;
pub mod cosignature;
pub mod hash;
pub mod note;
pub mod proof_file;
pub mod prove;
pub mod tile;
pub mod tree;
pub mod verify;

mod text;

pub use checkpoint::{Checkpoint, CheckpointError, OpenCheckpoint};
pub use cosignature::{Cosignature, Cosigner};
pub use hash::{Hash, HashError, empty_root, leaf_hash, node_hash};
pub use note::{Algorithm, Note, NoteError, OpenNote, Signature, Signer, Verified, VerifierKey};
pub use proof_file::{ProofFile, ProofFileError};
pub use prove::{ProveError, Prover, TileSource, consistency_proof, inclusion_proof, root_at};
pub use tile::{
    BundleError, BundleId, MAX_ENTRY_BYTES, Resource, TILE_WIDTH, TileId, encode_bundle,
    parse_bundle,
};
pub use tree::{AppendError, Appended, BundleWrite, RestoreError, TileWrite, Tree};
pub use verify::{VerifyError, verify_consistency, verify_inclusion};

/// The README's example, compiled and run as a test so that it stays true.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(test)]
mod tests;
