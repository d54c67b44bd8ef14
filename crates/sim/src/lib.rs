//! A seeded, deterministic city that drives the real house: the demo's history, tests, load.
//!
//! - [`clock`]: a clock that is told the time, then goes by itself
//! - [`story`]: who lives where and what happens on each day, told to the house by real commands
//! - [`door`]: a guard's device and the passes shown to it, by the same code as on the phone
//! - [`passes`]: passes of an invented issuer for a demo's wallet
//! - [`exercise`]: mixed work for benchmarks and for being killed at any moment
//! - [`trial`]: a region that is worked with in every way and killed, on either engine
//! - [`http`]: the same through the whole service in this process
//!
//! Everybody in it is invented and numbered.

pub mod clock;
pub mod door;
pub mod exercise;
pub mod http;
pub mod passes;
pub mod story;
pub mod trial;

pub use clock::StoryClock;
pub use exercise::{Exercise, bench_house};
pub use http::{PageWeight, cookies, declaration, declare_to_code, page_weights};
pub use passes::{Clinic, Given, give_passes, open_clinic};
pub use story::{Told, Wish, tell};
pub use trial::{Site, Step, Trial, Work};
