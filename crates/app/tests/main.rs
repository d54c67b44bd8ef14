//! The house as a whole: conformance laws over every slice, and journeys over HTTP.
//!
//! One integration binary: each further one would link the whole house again.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::as_conversions,
    reason = "in tests a panic is the message"
)]

mod canaries;
mod city;
mod clocks;
mod conformance;
mod disk;
mod hostile;
mod html;
mod journeys;
mod keys;
mod openapi;
mod serve;
mod server;
mod texts;
