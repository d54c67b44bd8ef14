//! Everything HTTP: App, Actor, Problem, forms, sessions, texts, layout. The only crate that knows
//! what a request is.
//!
//! In reading order:
//!
//! - [`slice`] and [`route`]: what a slice brings, and who may use each of its routes
//! - [`app`]: what every handler holds; [`actor`]: who asks
//! - [`form`] and [`upload`]: what comes in; [`problem`]: every "no"; [`frame`] and [`ui`]: what goes out
//! - [`texts`] and [`josa`](mod@josa): three languages
//! - [`session`], [`otp`], [`link`], `passkey`: signing in
//! - [`router`]: all of it put together; `member`: which process of a region answers; [`ops`]: what the operator's machines ask; [`sample`]: pages without a city, for tests
//! - [`own`]: web's own pages, as a slice like the others; [`testing`]: a house for tests

#![deny(missing_docs)]

#[cfg(test)]
mod tests;

pub mod actor;
pub mod app;
pub mod assets;
mod chrome;
mod cookie;
pub mod form;
pub mod frame;
pub mod josa;
mod limit;
pub mod link;
mod member;
mod metrics;
pub mod openapi;
pub mod ops;
pub mod otp;
pub mod own;
mod pages;
mod passkey;
pub mod phone;
pub mod problem;
pub mod redirect;
pub mod route;
pub mod router;
pub mod rule_text;
pub mod sample;
mod secret;
pub mod session;
pub mod slice;
pub mod testing;
pub mod texts;
pub mod ui;
pub mod upload;

pub use actor::{Actor, Who};
pub use app::{
    App, Config, DiskConfig, LimitConfig, NamedPlace, Parts, Purpose, Questions, Signatures,
    SigningKey, StreamId,
};
pub use axum;
pub use form::{Form, Json, Path, Query};
pub use frame::{Frame, Page, See, unprocessable};
pub use member::build_router as build_member_router;
pub use ops::build_ops_router;
pub use own::{end_access, slice};
pub use passkey::has_any as has_passkey;
pub use problem::Problem;
pub use route::{Access, Rate, Route};
pub use router::build_router;
pub use sample::sample_frame;
pub use session::Session;
pub use slice::{Asset, Audience, BoxFuture, DeskCard, Job, NavEntry, Sample, Slice, no_api};
pub use texts::Texts;
pub use upload::Upload;
