//! People: citizens, the people they help, staff with their roles, organisations.
//!
//! A citizen's record is a name, a day of birth, a verified number and a language. One person may
//! act for another only with that person's consent (a code they made, or their word at the desk),
//! a parent for a child under 14; the helped person sees it and ends it at any time. Staff hold
//! roles with a scope and an end. Everything personal lies sealed under its subject's key, and
//! deletion destroys the key.
//!
//! In reading order:
//!
//! - [`event`]: what has happened; [`model`]: what that adds up to
//! - [`command`], [`refusal`], [`decide`]: what may be asked, how it is refused, the rules
//! - [`view`]: the tables and every question asked of them
//! - [`door`]: commands with what they need from other records
//! - `publish`, `react`: between slices
//! - `answer`: what other slices ask; `pages`, `api`: who asks, what they ask, execute, answer

#![allow(clippy::similar_names, reason = "`helper` and `helped` are the words of the matter")]

mod answer;
mod api;
pub mod command;
pub mod decide;
pub mod door;
pub mod event;
pub mod model;
mod pages;
mod publish;
mod react;
pub mod refusal;
#[cfg(test)]
mod tests;
pub mod view;

pub use answer::{
    grants_of, may_help, organisations, person_by_phone, person_label, phone_of, staff_label,
};
pub use command::{Asker, Registration};
pub use door::{forget, forget_staff, register, register_child, setup};
pub use model::{Citizen, OrganisationRecord, StaffMember};

use contracts::person::Role;
use kernel::Aggregate as _;
use store::registry::{keep, refold, silent};
use store::{Migration, Sealing, Side, StreamKind};
use web::{Audience, DeskCard, NavEntry, Slice};

/// The slice.
pub fn slice() -> Slice {
    Slice {
        name: "person",
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
                sql: include_str!("../migrations/0002_closed.sql"),
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
        refusals: &refusal::REFUSALS,
        examples: EXAMPLES,
        api: api::description,
        nav: &[NavEntry {
            path: "/account",
            text: "person-nav-account",
            audience: Audience::Citizens,
        }],
        desk: DESK,
        assets: &[],
        jobs: &[],
    }
}

const STREAMS: &[StreamKind] = &[
    StreamKind {
        name: Citizen::STREAM,
        sealing: Sealing::Subject,
        retention_days: keep,
        project: view::project_citizen,
        publish: publish::citizen,
        refold: refold::<event::CitizenEvent>,
    },
    StreamKind {
        name: StaffMember::STREAM,
        sealing: Sealing::Subject,
        retention_days: keep,
        project: view::project_staff,
        publish: silent,
        refold: refold::<event::StaffEvent>,
    },
    StreamKind {
        name: OrganisationRecord::STREAM,
        sealing: Sealing::Subject,
        retention_days: keep,
        project: view::project_organisation,
        publish: silent,
        refold: refold::<event::OrganisationEvent>,
    },
];

/// Who registers people and records consent at the desk.
pub(crate) const DESK_ROLES: &[Role] = &[Role::HealthOfficer, Role::Administrator];

const DESK: &[DeskCard] = &[
    DeskCard {
        path: "/desk/people",
        text: "person-desk-people",
        why: "person-desk-people-why",
        audience: Audience::Staff(DESK_ROLES),
    },
    DeskCard {
        path: "/desk/staff",
        text: "person-desk-staff",
        why: "person-desk-staff-why",
        audience: Audience::Staff(&[Role::Administrator]),
    },
    DeskCard {
        path: "/desk/organisations",
        text: "person-desk-organisations",
        why: "person-desk-organisations-why",
        audience: Audience::Staff(&[Role::Administrator]),
    },
    DeskCard {
        path: "/desk/access",
        text: "person-desk-access",
        why: "person-desk-access-why",
        audience: Audience::Staff(&[Role::Auditor]),
    },
];

macro_rules! example {
    ($stream:literal, $file:literal) => {
        ($stream, include_str!(concat!("../events/", $file, ".v1.json")))
    };
}

const EXAMPLES: &[(&str, &str)] = &[
    example!("person.citizen", "registered"),
    example!("person.citizen", "phone_changed"),
    example!("person.citizen", "phone_changed_at_desk"),
    example!("person.citizen", "phone_confirmed"),
    example!("person.citizen", "name_corrected"),
    example!("person.citizen", "locale_chosen"),
    example!("person.citizen", "help_offered"),
    example!("person.citizen", "help_granted"),
    example!("person.citizen", "help_ended"),
    example!("person.citizen", "forgotten"),
    example!("person.staff", "appointed"),
    example!("person.staff", "role_granted"),
    example!("person.staff", "role_ended"),
    example!("person.staff", "suspended"),
    example!("person.staff", "resumed"),
    example!("person.staff", "staff_forgotten"),
    example!("person.organisation", "organisation_opened"),
    example!("person.organisation", "organisation_renamed"),
    example!("person.organisation", "organisation_closed"),
];
