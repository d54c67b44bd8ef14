//! The one write door: log, vault, views, access log, outbox.
//!
//! In reading order:
//!
//! - [`value`]: what goes into and comes out of SQL
//! - [`engine`]: the small trait that a database implements; [`sqlite`] and [`postgres`] implement it
//! - [`backend`]: where the three databases are; [`lease`]: one writer for a region on a server
//! - [`registry`]: what the slices bring: streams, observations, views, migrations
//! - [`keys`] and [`vault`]: payloads sealed under keys that can be destroyed
//! - [`leaf`]: what stands on the public log
//! - [`projection`]: where events become views; [`tx`]: what a command may do; [`observe`]:
//!   high-rate facts; [`door`]: the single writer with group commit; [`member`]: one process of several
//!   that share a region; [`follow`]: reading a log that another process extends
//! - [`read`]: reading views, events and the log; [`access`]: who read whose what
//! - [`outbox`]: what must leave, with retries
//! - [`join`]: the only way from a person to visits
//! - [`upkeep`]: rebuild and retention; [`mod@audit`]: recompute everything and compare;
//!   [`mod@backup`]: keeping all of it elsewhere, and bringing it back
//!
//! The only crate that holds a database driver.

#![deny(missing_docs)]

pub mod access;
pub mod audit;
pub mod backend;
pub mod backup;
mod commit;
pub mod door;
pub mod engine;
pub mod fault;
pub mod follow;
pub mod join;
pub mod keys;
pub mod leaf;
pub mod lease;
pub mod member;
pub mod observe;
pub mod open;
pub mod outbox;
pub mod plan;
pub mod postgres;
pub mod projection;
pub mod queue;
pub mod read;
pub mod registry;
mod room;
pub mod schema;
pub mod sqlite;
pub mod trust;
pub mod tx;
pub mod upkeep;
pub mod value;
pub mod vault;
pub mod wrap;

pub use access::Reading;
pub use audit::{Audit, audit};
pub use backend::Backend;
pub use door::{Done, Error, Store};
pub use engine::Engine;
pub use fault::Fault;
pub use keys::Keyring;
pub use leaf::Leaf;
pub use lease::Holder;
pub use member::Role;
pub use observe::Observation;
pub use open::{Opened, Options};
pub use projection::Projection;
pub use read::Reader;
pub use registry::{
    Add, Block, FoundBy, Insert, Migration, ObservationKind, Recorded, Registry, Sealing, Side,
    StreamKind, View,
};
pub use tx::{By, Context, Tx};
pub use value::{Row, Value};

#[cfg(test)]
mod tests;
