//! Places, devices, and the door that works with the server off.
//!
//! A place's owner opens a place; a guard's phone makes a key pair and asks to check codes there;
//! the owner compares six digits and approves. From then on the phone judges codes by itself with
//! the same Rust code as the server (the crate `device`, compiled to WebAssembly), keeps every entry
//! sealed to the region's key, and hands them in when there is a network.
//!
//! In reading order:
//!
//! - [`event`], [`model`], [`command`], [`refusal`], [`decide`]: what happens to places and devices,
//!   and the rules
//! - [`queue`]: the batches that devices hand in; [`intake`]: taking them, once
//! - [`door`]: commands of more than one step
//! - [`view`]: tables and questions; [`count`]: how many entries
//! - [`rights`]: who runs a place; [`api`], [`pages`]: JSON and HTML; [`scanner`]: what the guard's
//!   phone is given
//! - [`jobs`]

mod answer;
pub mod api;
pub mod command;
pub mod count;
pub mod decide;
pub mod door;
pub mod event;
pub mod intake;
pub mod jobs;
pub mod model;
pub mod pages;
pub mod queue;
pub mod react;
pub mod refusal;
pub mod rights;
pub mod scanner;
pub mod view;

#[cfg(test)]
mod tests;

pub use answer::{approved_device, places};

use contracts::person::Role;
use kernel::Aggregate as _;
use store::registry::{keep, refold, silent};
use store::{Migration, Sealing, Side, StreamKind};
use web::{Asset, Audience, DeskCard, NavEntry, Slice};

use event::{DeviceEvent, ListsEvent, PlaceEvent};
use model::{Device, Lists, Place};

/// Who runs places: approves devices and sees counts, never names.
const RUNS_PLACES: Audience = Audience::Staff(rights::RUNS_PLACES);

/// Everything that the house needs to know of this slice.
pub fn slice() -> Slice {
    Slice {
        name: "gate",
        routes: || [api::routes(), scanner::routes(), pages::routes()].concat(),
        streams: STREAMS,
        observations: &[view::OBSERVATION],
        views: view::VIEWS,
        migrations: MIGRATIONS,
        reactions: &[react::react],
        texts: [
            ("ko", include_str!("../i18n/ko.ftl")),
            ("en", include_str!("../i18n/en.ftl")),
            ("zh-Hans", include_str!("../i18n/zh-Hans.ftl")),
        ],
        queries: view::QUERIES,
        samples: pages::samples,
        refusals: refusal::REFUSALS,
        examples: EXAMPLES,
        api: api::description,
        nav: &[NavEntry {
            path: "/gate/scan",
            text: "gate-nav-scan",
            audience: Audience::Staff(&[Role::Guard, Role::Owner, Role::Administrator]),
        }],
        desk: &[DeskCard {
            path: "/desk/places",
            text: "gate-desk-places",
            why: "gate-desk-places-why",
            audience: RUNS_PLACES,
        }],
        assets: ASSETS,
        jobs: jobs::JOBS,
    }
}

const STREAMS: &[StreamKind] = &[
    // Sealed, not public: the name of a shelter must never stand on a public log.
    StreamKind {
        name: Place::STREAM,
        sealing: Sealing::Subject,
        retention_days: keep,
        project: view::project_place,
        publish: silent,
        refold: refold::<PlaceEvent>,
    },
    StreamKind {
        name: Device::STREAM,
        sealing: Sealing::Subject,
        retention_days: keep,
        project: view::project_device,
        publish: silent,
        refold: refold::<DeviceEvent>,
    },
    StreamKind {
        name: Lists::STREAM,
        sealing: Sealing::Public,
        retention_days: keep,
        // One thing, read as the fold of its few events.
        project: |_, _| Ok(()),
        publish: silent,
        refold: refold::<ListsEvent>,
    },
];

const MIGRATIONS: &[Migration] = &[
    Migration {
        number: 1,
        side: Side::Identity,
        sql: include_str!("../migrations/0001_views.sql"),
    },
    Migration {
        number: 2,
        side: Side::Identity,
        sql: include_str!("../migrations/0002_batches.sql"),
    },
    Migration {
        number: 3,
        side: Side::Identity,
        sql: include_str!("../migrations/0003_demand.sql"),
    },
    Migration { number: 1, side: Side::Visits, sql: include_str!("../migrations/0001_visits.sql") },
];

const EXAMPLES: &[(&str, &str)] = &[
    (Place::STREAM, include_str!("../events/place_opened.v1.json")),
    (Place::STREAM, include_str!("../events/place_renamed.v1.json")),
    (Place::STREAM, include_str!("../events/place_closed.v1.json")),
    (Place::STREAM, include_str!("../events/place_policy_set.v1.json")),
    (Place::STREAM, include_str!("../events/place_demand_set.v1.json")),
    (Device::STREAM, include_str!("../events/enrolment_asked.v1.json")),
    (Device::STREAM, include_str!("../events/device_approved.v1.json")),
    (Device::STREAM, include_str!("../events/device_refused.v1.json")),
    (Device::STREAM, include_str!("../events/device_withdrawn.v1.json")),
    (Device::STREAM, include_str!("../events/device_removed.v1.json")),
    (Place::STREAM, include_str!("../events/place_removed.v1.json")),
    (Lists::STREAM, include_str!("../events/lists_raised.v1.json")),
    (Lists::STREAM, include_str!("../events/lists_raised.v1.followed.json")),
];

const SCRIPT: &str = "text/javascript";

/// Files under `/assets/`. The verifier is built by `build.rs`.
const ASSETS: &[Asset] = &[
    Asset {
        name: "gate/device.wasm",
        bytes: include_bytes!(concat!(env!("OUT_DIR"), "/device.wasm")),
        mime: "application/wasm",
    },
    Asset {
        name: "gate/device.js",
        bytes: include_bytes!("../../device/js/device.js"),
        mime: SCRIPT,
    },
    Asset { name: "gate/keep.js", bytes: include_bytes!("../assets/keep.js"), mime: SCRIPT },
    Asset { name: "gate/queue.js", bytes: include_bytes!("../assets/queue.js"), mime: SCRIPT },
    Asset { name: "gate/scan.js", bytes: include_bytes!("../assets/scan.js"), mime: SCRIPT },
    Asset { name: "gate/enrol.js", bytes: include_bytes!("../assets/enrol.js"), mime: SCRIPT },
    Asset { name: "gate/gate.css", bytes: include_bytes!("../assets/gate.css"), mime: "text/css" },
];
