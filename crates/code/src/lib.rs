//! The health code.
//!
//! A citizen declares, gets a colour with its reasons and until when, and a code that a gate can
//! verify with no network. In reading order:
//!
//! - [`event`], [`model`], [`command`], [`refusal`]: what happened, what it adds up to, what may be
//!   asked, how the rules say no
//! - [`policy`]: the rules in force, as data on the log; [`decision`]: the pure function from facts,
//!   rules and instant to a colour; [`decide`]: the rules of this slice
//! - [`revocation`]: passes that ended early, as everybody may know them
//! - [`issuer`]: the keys that sign, as everybody may know them; [`keys`]: making and refusing them, the
//!   daily statement of their use, and whether a code stands on the log
//! - [`retention`]: how long each kind of event can be read
//! - [`door`]: how commands reach the write door; [`publish`], [`react`]: what others are told and
//!   tell; [`tell`]: what the person is told
//! - [`view`]: tables and queries; [`replay`]: every decision recomputed from the log; [`review`]: the
//!   codes that stricter rules end
//! - [`issue`]: signing codes and lists; `api` and `pages`: the routes

mod changes;
pub mod command;
pub mod decide;
pub mod decision;
pub mod door;
pub mod event;
pub mod issue;
pub mod issuer;
pub mod key_list;
pub mod keys;
pub mod model;
pub mod policy;
pub mod publish;
pub mod react;
pub mod refusal;
pub mod replay;
pub mod retention;
pub mod review;
pub mod revocation;
pub mod tell;
pub mod view;

mod api;
mod pages;

use store::registry::{keep, refold, silent};
use store::{Migration, Sealing, Side, StreamKind};
use web::{Asset, Slice};

pub use issue::own_lists;
pub use view::typed_code;

/// The slice.
pub fn slice() -> Slice {
    use kernel::Aggregate as _;
    const STREAMS: &[StreamKind] = &[
        StreamKind {
            name: model::Holder::STREAM,
            sealing: Sealing::Subject,
            retention_days: retention::days,
            project: view::project,
            publish: publish::publish,
            refold: refold::<event::Event>,
        },
        StreamKind {
            name: policy::Policy::STREAM,
            sealing: Sealing::Public,
            retention_days: keep,
            project: view::project_policy,
            publish: silent,
            refold: refold::<event::PolicyEvent>,
        },
        StreamKind {
            name: revocation::Revocation::STREAM,
            sealing: Sealing::Public,
            retention_days: keep,
            project: view::project_revocation,
            publish: silent,
            refold: refold::<event::RevocationEvent>,
        },
        StreamKind {
            name: issuer::Issuers::STREAM,
            sealing: Sealing::Public,
            retention_days: keep,
            project: view::project_issuer,
            publish: publish::publish_issuer,
            refold: refold::<issuer::IssuerEvent>,
        },
    ];
    Slice {
        name: "code",
        routes: || [api::routes(), pages::routes()].concat(),
        streams: STREAMS,
        observations: &[],
        views: view::VIEWS,
        migrations: &[
            Migration {
                number: 1,
                side: Side::Identity,
                sql: include_str!("../migrations/0001_views.sql"),
            },
            Migration {
                number: 2,
                side: Side::Identity,
                sql: include_str!("../migrations/0002_signed.sql"),
            },
        ],
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
        api: || <api::Api as utoipa::OpenApi>::openapi(),
        nav: pages::NAV,
        desk: pages::DESK,
        assets: ASSETS,
        jobs: &[review::JOB, keys::JOB],
    }
}

const EXAMPLES: &[(&str, &str)] = &[
    ("code.holder", include_str!("../events/declared.v1.json")),
    ("code.holder", include_str!("../events/test_recorded.v1.json")),
    ("code.holder", include_str!("../events/exposed.v1.json")),
    ("code.holder", include_str!("../events/order_proposed.v1.json")),
    ("code.holder", include_str!("../events/order_confirmed.v1.json")),
    ("code.holder", include_str!("../events/order_rejected.v1.json")),
    ("code.holder", include_str!("../events/order_withdrawn.v1.json")),
    ("code.holder", include_str!("../events/decided.v1.json")),
    ("code.holder", include_str!("../events/pass_issued.v1.json")),
    ("code.holder", include_str!("../events/pass_revoked.v1.json")),
    ("code.holder", include_str!("../events/appealed.v1.json")),
    ("code.holder", include_str!("../events/appeal_answered.v1.json")),
    ("code.policy", include_str!("../events/policy_changed.v1.json")),
    ("code.policy", include_str!("../events/policy_reviewed.v1.json")),
    ("code.revocation", include_str!("../events/revoked.v1.json")),
    ("code.holder", include_str!("../events/pass_issued.v1.key.json")),
    ("code.issuer", include_str!("../events/issuer_added.v1.json")),
    ("code.issuer", include_str!("../events/issuer_added.v1.organisation.json")),
    ("code.issuer", include_str!("../events/issuer_added.v1.certificate.json")),
    ("code.issuer", include_str!("../events/issuer_ended.v1.json")),
    ("code.issuer", include_str!("../events/issuer_compromised.v1.json")),
    ("code.issuer", include_str!("../events/issuer_cleared.v1.json")),
    ("code.issuer", include_str!("../events/keys_stated.v1.json")),
];

const ASSETS: &[Asset] = &[
    script("code/show.js", include_bytes!(concat!(env!("OUT_DIR"), "/show.js"))),
    script("code/sw.js", include_bytes!(concat!(env!("OUT_DIR"), "/sw.js"))),
];

const fn script(name: &'static str, bytes: &'static [u8]) -> Asset {
    Asset { name, bytes, mime: "text/javascript" }
}

#[cfg(test)]
mod tests;
