//! The words everything else is said in.
//!
//! Pure: no I/O, no async, no clock of its own (except [`SystemClock`], the one place that reads
//! the machine's). In reading order:
//!
//! - [`id`]: typed 128-bit ids with a text form
//! - [`time`]: instants, dates, the city's zone, the clock as an argument
//! - [`seed`]: randomness that a test can repeat
//! - [`place`]: regions and locales
//! - [`money`]: integer minor units
//! - [`aggregate`]: commands are decided, events are folded
//! - [`refusal`]: an expected "no" with a stable code

#![deny(missing_docs)]

pub mod aggregate;
pub mod id;
pub mod money;
pub mod place;
pub mod refusal;
pub mod seed;
pub mod text;
pub mod time;

pub use aggregate::{Aggregate, Fact, given};
pub use id::{Id, Kind};
pub use money::{Currency, Money};
pub use place::{Locale, Region};
pub use refusal::{Arg, Refusal};
pub use seed::Seed;
pub use text::{Clean, TextError, clean};
pub use time::{Clock, Date, Instant, ManualClock, SystemClock, Zone};
