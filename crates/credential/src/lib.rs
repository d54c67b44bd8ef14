//! The health code and every pass: issue, read, verify, offline.
//!
//! Sans-I/O: bytes, texts and the time come in as arguments, values go out. The same code runs on
//! the server and, compiled to WebAssembly, on the guard's phone, so that a door decides the same
//! way with and without a network.
//!
//! In reading order:
//!
//! - [`code`]: what a health code says;
//! - [`cose`]: how it is signed (COSE_Sign1, RFC 9052, Ed25519);
//! - [`moment`]: the holder's proof of the moment and the text in the QR code;
//! - [`short`]: the same code in twelve characters that a person can type;
//! - [`list`]: the signed trust list and revocation list a gate carries;
//! - [`seen`]: what this gate has seen a minute ago;
//! - [`mod@verify`]: the verdict;
//! - `batch` (server only): the verdicts on many codes at once;
//! - `issue` and `sealed` (server only): signing, and opening a gate's sealed queue;
//! - [`pass`]: every kind of pass, other people's and ours, by one door and with one verdict;
//! - [`base45`], [`curve`]: the two tools underneath.
#![deny(missing_docs)]

pub mod base45;
#[cfg(not(target_arch = "wasm32"))]
pub mod batch;
mod cbor;
pub mod code;
pub mod cose;
pub mod curve;
mod error;
#[cfg(not(target_arch = "wasm32"))]
pub mod issue;
pub mod list;
pub mod moment;
#[cfg(not(target_arch = "wasm32"))]
mod multiples;
#[cfg(not(target_arch = "wasm32"))]
mod p256_table;
pub mod pass;
#[cfg(not(target_arch = "wasm32"))]
pub mod sealed;
pub mod seen;
pub mod short;
pub mod verify;

#[cfg(test)]
mod tests;

pub use code::{Class, Colour, HealthCode, Holder};
pub use error::DecodeError;
#[cfg(not(target_arch = "wasm32"))]
pub use issue::{DeviceKey, IssuerSigner};
pub use list::{Floor, IssuerKey, RevocationDelta, RevocationList, Trust, TrustList, Uses};
pub use moment::{Moment, Presentation};
pub use seen::SeenSet;
pub use short::ShortCode;
pub use verify::{Check, Checks, Outcome, Policy, Reason, Verdict, verify};
