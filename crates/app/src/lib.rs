//! The house put together.
//!
//! - [`config`]: the configuration file and the `HAETAE_` environment
//! - [`slices`]: the list of slices, by hand, and who answers whose questions
//! - [`house`]: keys, store, application, router
//! - [`jobs`]: what repeats by itself, and sending what must leave
//! - [`serve`]: listening, and stopping without a failed request

pub mod config;
pub mod house;
pub mod jobs;
pub mod serve;
pub mod slices;

pub use config::{Config, ConfigError};
pub use house::House;
