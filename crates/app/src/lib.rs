//! The house put together.
//!
//! - [`config`]: the configuration file and the `HAETAE_` environment
//! - [`mod@backup`]: what is kept elsewhere
//! - [`slices`]: the list of slices, by hand, and who answers whose questions
//! - [`house`]: keys, store, application, router
//! - [`keys`]: what `haetae keys` asks of the serving process
//! - [`jobs`]: what repeats by itself, and sending what must leave
//! - [`serve`]: listening, and stopping without a failed request; `notify`: what systemd is told

pub mod backup;
pub mod config;
pub mod house;
pub mod jobs;
pub mod keys;
mod notify;
pub mod serve;
pub mod slices;

pub use config::{Config, ConfigError, LogFormat};
pub use house::House;
