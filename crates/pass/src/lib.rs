//! Passes of others, and ours, in the hands of a citizen and before the eyes of a verifier.
//!
//! A citizen puts passes in a wallet, sees in plain words what each says, what was checked, and until
//! when it lasts under which rules, and is told before it ends. Other systems ask for a verdict.
//! Officers say, two of them each time, whose signatures the region believes and by which rules its doors
//! judge. In reading order:
//!
//! - [`event`], [`model`], [`command`], [`refusal`], [`decide`]: what happened, what it adds up to,
//!   what may be asked, how the rules say no, and the rules
//! - [`door`], [`react`]: how commands reach the write door, and what is done when others tell
//! - [`view`]: tables and queries; [`jobs`]: warnings and erasing
//! - [`picture`], [`parts`]: from a picture to its texts, and which of them are one pass
//! - [`trust`]: whom the region believes; [`judge`]: one pass, its verdict and its end; [`said`]: what it
//!   says, in plain words
//! - [`city_rules`]: which rules the city judges by; [`rulebook`]: those rules, to be asked; [`import`]:
//!   a set that an officer brings; [`compare`]: what it would change
//! - [`statement`], [`lists`]: what is attested here, and what is published about it
//! - `api` and `pages`: the routes

pub mod city_rules;
pub mod command;
pub mod compare;
pub mod decide;
pub mod door;
pub mod event;
pub mod example;
pub mod import;
pub mod jobs;
pub mod judge;
mod kept;
pub mod lists;
pub mod model;
pub mod parts;
pub mod picture;
pub mod react;
pub mod refusal;
pub mod rulebook;
pub mod said;
pub mod statement;
pub mod trust;
pub mod view;

mod api;
mod pages;

use kernel::Aggregate as _;
use store::registry::{keep, refold, silent};
use store::{Migration, Sealing, Side, StreamKind};
use web::{Asset, Slice};

pub use api::signed_bytes;
pub use view::{signatures, things_of};

/// The slice.
pub fn slice() -> Slice {
    Slice {
        routes: || [api::routes(), pages::routes()].concat(),
        streams: STREAMS,
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
        refusals: refusal::CODES,
        examples: EXAMPLES,
        api: api::description,
        nav: pages::NAV,
        desk: pages::DESK,
        jobs: jobs::JOBS,
        assets: ASSETS,
        ..Slice::new("pass")
    }
}

const MIGRATIONS: &[Migration] = &[
    Migration {
        number: 1,
        side: Side::Identity,
        sql: include_str!("../migrations/0001_views.sql"),
    },
    Migration {
        number: 2,
        side: Side::Identity,
        sql: include_str!("../migrations/0002_issued.sql"),
    },
    Migration {
        number: 3,
        side: Side::Identity,
        sql: include_str!("../migrations/0003_bound.sql"),
    },
];

const STREAMS: &[StreamKind] = &[
    StreamKind {
        name: model::Wallet::STREAM,
        sealing: Sealing::Subject,
        retention_days: keep,
        project: view::project_wallet,
        publish: silent,
        refold: refold::<event::WalletEvent>,
    },
    StreamKind {
        name: model::Content::STREAM,
        sealing: Sealing::Subject,
        retention_days: keep,
        project: view::project_content,
        publish: silent,
        refold: refold::<event::ContentEvent>,
    },
    StreamKind {
        name: model::Issues::STREAM,
        sealing: Sealing::Subject,
        retention_days: keep,
        project: view::project_issue,
        publish: silent,
        refold: refold::<event::IssueEvent>,
    },
    StreamKind {
        name: model::Place::STREAM,
        sealing: Sealing::Public,
        retention_days: keep,
        project: view::project_status,
        publish: silent,
        refold: refold::<event::StatusEvent>,
    },
    StreamKind {
        name: model::Source::STREAM,
        sealing: Sealing::Public,
        retention_days: keep,
        project: view::project_source,
        publish: silent,
        refold: refold::<event::SourceEvent>,
    },
    StreamKind {
        name: model::Material::STREAM,
        sealing: Sealing::Subject,
        retention_days: keep,
        project: view::project_material,
        publish: silent,
        refold: refold::<event::MaterialEvent>,
    },
    StreamKind {
        name: city_rules::CityRules::STREAM,
        sealing: Sealing::Public,
        retention_days: keep,
        project: view::project_rules,
        publish: silent,
        refold: refold::<event::RulesEvent>,
    },
];

const ASSETS: &[Asset] = &[
    script("pass/show.js", include_bytes!(concat!(env!("OUT_DIR"), "/show.js"))),
    script("pass/sw.js", include_bytes!(concat!(env!("OUT_DIR"), "/sw.js"))),
];

const fn script(name: &'static str, bytes: &'static [u8]) -> Asset {
    Asset { name, bytes, mime: "text/javascript" }
}

const EXAMPLES: &[(&str, &str)] = &[
    ("pass.wallet", include_str!("../events/imported.v1.json")),
    ("pass.wallet", include_str!("../events/end_set.v1.json")),
    ("pass.wallet", include_str!("../events/warned.v1.json")),
    ("pass.wallet", include_str!("../events/removed.v1.json")),
    ("pass.wallet", include_str!("../events/restored.v1.json")),
    ("pass.wallet", include_str!("../events/erased.v1.json")),
    ("pass.content", include_str!("../events/content_kept.v1.json")),
    ("pass.issue", include_str!("../events/issued.v1.json")),
    ("pass.issue", include_str!("../events/issued.v1.test.json")),
    ("pass.issue", include_str!("../events/issued.v1.recovery.json")),
    ("pass.issue", include_str!("../events/issued.v1.exemption.json")),
    ("pass.issue", include_str!("../events/bound.v1.json")),
    ("pass.issue", include_str!("../events/standing_set.v1.json")),
    ("pass.status", include_str!("../events/status_set.v1.json")),
    ("pass.status", include_str!("../events/place_retired.v1.json")),
    ("pass.source", include_str!("../events/source_offered.v1.json")),
    ("pass.source", include_str!("../events/source_confirmed.v1.json")),
    ("pass.source", include_str!("../events/source_declined.v1.json")),
    ("pass.source", include_str!("../events/source_withdrawn.v1.json")),
    ("pass.material", include_str!("../events/material_kept.v1.json")),
    ("pass.rules", include_str!("../events/rules_proposed.v1.json")),
    ("pass.rules", include_str!("../events/rules_return_proposed.v1.json")),
    ("pass.rules", include_str!("../events/rules_confirmed.v1.json")),
    ("pass.rules", include_str!("../events/rules_rejected.v1.json")),
];

#[cfg(test)]
mod tests;
