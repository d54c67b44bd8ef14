//! The public log, in the open: its files, its pages, its receipts.
//!
//! What the city decides stands on a log that cannot be rewritten unseen. This slice lets anybody
//! look: at the newest entries in words, at one entry and the path that binds it to the signed
//! root, at what changed between two checkpoints. It explains how to check all of it without
//! trusting us, and brings the checker ([`outsider`]). It has no streams and no tables of its own;
//! it only reads.
//!
//! In reading order:
//!
//! - [`kind`]: what kinds of entries are called
//! - [`model`]: the path from an entry to the root, step by step
//! - [`outsider`]: the audit from outside, without input or output of its own
//! - [`refusal`]: what is asked for and is not there
//! - [`view`]: reading the log; [`receipt`]: what a person keeps
//! - [`files`]: the C2SP paths; [`api`]: JSON; [`pages`]: pages; [`live`]: the log as it grows

#[allow(unused_qualifications, reason = "what utoipa writes for query parameters")]
pub mod api;
pub mod files;
pub mod kind;
pub mod live;
pub mod model;
pub mod outsider;
pub mod pages;
pub mod receipt;
pub mod refusal;
pub mod view;

use web::{Asset, Slice};

/// The texts in three languages.
const TEXTS: [(&str, &str); 3] = [
    ("ko", include_str!("../i18n/ko.ftl")),
    ("en", include_str!("../i18n/en.ftl")),
    ("zh-Hans", include_str!("../i18n/zh-Hans.ftl")),
];

/// The slice.
pub fn slice() -> Slice {
    Slice {
        name: "logbook",
        routes: || [files::routes(), api::routes(), live::routes(), pages::routes()].concat(),
        streams: &[],
        observations: &[],
        views: &[],
        migrations: &[],
        reactions: &[],
        texts: TEXTS,
        queries: &[],
        samples: pages::samples,
        refusals: refusal::REFUSALS,
        examples: &[],
        api: api::api,
        // The footer of every page leads to the log already.
        nav: &[],
        desk: &[],
        assets: &[
            Asset {
                name: "logbook/check.js",
                bytes: include_bytes!("../assets/check.js"),
                mime: "text/javascript",
            },
            Asset {
                name: "logbook/live.js",
                bytes: include_bytes!("../assets/live.js"),
                mime: "text/javascript",
            },
            Asset {
                name: "logbook/check.go",
                bytes: include_bytes!("../assets/check.go"),
                mime: "text/plain; charset=utf-8",
            },
        ],
        jobs: &[],
    }
}

#[cfg(test)]
mod tests;
