//! What runs on the guard's phone: `credential` and a QR reader, compiled to WebAssembly.
//!
//! Raw exports and JSON instead of generated bindings: three functions that anyone can read, and
//! no build tool beyond cargo. `js/device.js` is the other side.
//!
//! - [`desk`]: the requests and their answers, plain Rust, tested natively;
//! - [`passes`]: the passes of others;
//! - [`scan`]: from grey pixels to the texts of QR codes;
//! - [`abi`]: memory in and out, the only `unsafe` of the house.
#![deny(missing_docs)]

pub mod abi;
pub mod desk;
pub mod passes;
mod plain;
pub mod scan;
mod tilted;

#[cfg(test)]
mod tests;
