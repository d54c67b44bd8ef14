//! What a slice is: a plain value with everything that the house needs to know of it.
//!
//! No registration by macro or by linker: `app/src/slices.rs` lists the slices by hand, and the
//! conformance tests walk that list.

use std::future::Future;
use std::pin::Pin;

use kernel::Locale;
use store::{Fault, Migration, ObservationKind, Side, StreamKind, View};

use crate::{App, Route};

/// A future in a box: what a job's function gives.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One system of the platform. See the house plan's "floor plan of a slice".
#[derive(Clone)]
pub struct Slice {
    /// The crate's name; prefix of tables, texts and refusal codes.
    pub name: &'static str,
    /// All routes, with who may use each.
    pub routes: fn() -> Vec<Route>,
    /// Streams of events with an aggregate.
    pub streams: &'static [StreamKind],
    /// High-rate facts without one.
    pub observations: &'static [ObservationKind],
    /// Tables that are folds of the log.
    pub views: &'static [View],
    /// How those tables come to be.
    pub migrations: &'static [Migration],
    /// What it does when others publish.
    pub reactions: &'static [store::registry::Reaction],
    /// Fluent texts: `("ko", include_str!(..)), ("en", ..), ("zh-Hans", ..)`.
    pub texts: [(&'static str, &'static str); 3],
    /// Every SQL text (conformance law 7).
    pub queries: &'static [(Side, &'static str)],
    /// Samples of every page (conformance law 3).
    pub samples: fn() -> Vec<Sample>,
    /// Every refusal code with its status (conformance law 6).
    pub refusals: &'static [(&'static str, u16)],
    /// Recorded examples of every event version: stream name, JSON (conformance law 4).
    pub examples: &'static [(&'static str, &'static str)],
    /// The JSON routes, described.
    pub api: fn() -> utoipa::openapi::OpenApi,
    /// Entries of the main menu.
    pub nav: &'static [NavEntry],
    /// Cards on the officer's desk.
    pub desk: &'static [DeskCard],
    /// Files served under `/assets/`.
    pub assets: &'static [Asset],
    /// Work that repeats by itself.
    pub jobs: &'static [Job],
}

impl Slice {
    /// A slice that brings nothing yet: `Slice { routes, ..Slice::new("bulletin") }`.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            routes: Vec::new,
            streams: &[],
            observations: &[],
            views: &[],
            migrations: &[],
            reactions: &[],
            texts: [("ko", ""), ("en", ""), ("zh-Hans", "")],
            queries: &[],
            samples: Vec::new,
            refusals: &[],
            examples: &[],
            api: no_api,
            nav: &[],
            desk: &[],
            assets: &[],
            jobs: &[],
        }
    }
}

/// What the slices bring to the store.
pub fn registry(slices: &[Slice]) -> store::Registry {
    let mut registry = store::Registry::default();
    for slice in slices {
        registry.streams.extend_from_slice(slice.streams);
        registry.observations.extend_from_slice(slice.observations);
        registry.views.extend_from_slice(slice.views);
        registry.migrations.extend(slice.migrations.iter().map(|it| (slice.name, *it)));
        registry.reactions.extend_from_slice(slice.reactions);
    }
    registry
}

/// A task on the desk of staff.
#[derive(Debug, Clone, Copy)]
pub struct DeskCard {
    /// Where it leads, e.g. `/desk/places`.
    pub path: &'static str,
    /// The key of its name.
    pub text: &'static str,
    /// The key of one sentence that says what is done there.
    pub why: &'static str,
    /// Who sees it. Seeing is not permission: the route decides that.
    pub audience: Audience,
}

/// A link in the menu.
#[derive(Debug, Clone, Copy)]
pub struct NavEntry {
    /// Where it leads, e.g. `/code`.
    pub path: &'static str,
    /// The key of its text.
    pub text: &'static str,
    /// Who sees it. Seeing is not permission: the route decides that.
    pub audience: Audience,
}

/// Who sees a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Everybody.
    Everyone,
    /// Whoever is not signed in.
    Visitors,
    /// Signed-in citizens.
    Citizens,
    /// Staff who hold any of these roles in any scope; an empty list means all staff.
    Staff(&'static [contracts::person::Role]),
}

/// A file served under `/assets/{hash}/{name}` for ever.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    /// `<slice>/<file>`, e.g. `code/show.js`; web's own have no folder.
    pub name: &'static str,
    /// The content.
    pub bytes: &'static [u8],
    /// The media type, e.g. `text/javascript`.
    pub mime: &'static str,
}

/// Work that repeats by itself.
#[derive(Clone, Copy)]
pub struct Job {
    /// `<slice>-<verb>`, for logs and metrics.
    pub name: &'static str,
    /// Seconds between the end of one run and the start of the next.
    pub every_s: u32,
    /// One run.
    pub run: fn(App) -> BoxFuture<'static, Result<(), Fault>>,
}

/// What a job makes of a write: a full queue is no fault of it, the next run does it; nor is that another
/// process writes by now.
pub fn later<T>(answer: Result<T, store::Error<store::door::Never>>) -> Result<(), Fault> {
    match answer {
        Ok(_) | Err(store::Error::Busy { .. }) => Ok(()),
        Err(store::Error::Fault(fault)) if fault.is_elsewhere() => Ok(()),
        Err(store::Error::Fault(fault)) => Err(fault),
        Err(store::Error::Refused(never)) => match never {},
    }
}

/// A page with invented content, rendered in every language by the conformance tests.
#[derive(Clone, Copy)]
pub struct Sample {
    /// `<slice>/<page>`, e.g. `code/show`.
    pub name: &'static str,
    /// Renders it; usually with [`crate::sample_frame`].
    pub render: fn(Locale) -> Result<String, askama::Error>,
}

/// A description of no JSON routes: what [`Slice::api`] is for a slice without any.
pub fn no_api() -> utoipa::openapi::OpenApi {
    utoipa::openapi::OpenApi::default()
}
