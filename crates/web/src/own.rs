//! Web's own slice: home, sign-in, account, problems, API page, health. It stands in the list of
//! slices so that the conformance laws hold for it as well.

use contracts::Published;
use store::{Context, Fault, Migration, Side, Tx};

use crate::actor::Who;
use crate::slice::{Asset, Job, later};
use crate::{App, Slice, link, otp, pages, passkey, session};

/// The slice.
pub fn slice() -> Slice {
    Slice {
        name: "web",
        routes: pages::routes,
        streams: &[],
        observations: &[],
        views: &[],
        migrations: &[Migration {
            number: 1,
            side: Side::Identity,
            sql: include_str!("../migrations/0001_web.sql"),
        }],
        reactions: &[forget],
        texts: [
            ("ko", include_str!("../i18n/ko.ftl")),
            ("en", include_str!("../i18n/en.ftl")),
            ("zh-Hans", include_str!("../i18n/zh-Hans.ftl")),
        ],
        queries: queries(),
        samples: pages::samples,
        refusals: crate::problem::PROBLEMS,
        examples: &[],
        api: crate::slice::no_api,
        nav: pages::NAV,
        desk: &[],
        assets: ASSETS,
        jobs: &[Job { name: "web-sweep", every_s: 600, run: |app| Box::pin(sweep(app)) }],
    }
}

const ASSETS: &[Asset] = &[
    asset("haetae.css", include_bytes!("../assets/haetae.css"), "text/css"),
    asset("theme.js", include_bytes!("../assets/theme.js"), "text/javascript"),
    asset("mark.svg", include_bytes!("../assets/mark.svg"), "image/svg+xml"),
    asset("present.js", include_bytes!(concat!(env!("OUT_DIR"), "/present.js")), "text/javascript"),
    asset("passkey.js", include_bytes!("../assets/passkey.js"), "text/javascript"),
    asset("icon-192.png", include_bytes!("../assets/icon-192.png"), "image/png"),
    asset("icon-512.png", include_bytes!("../assets/icon-512.png"), "image/png"),
];

const fn asset(name: &'static str, bytes: &'static [u8], mime: &'static str) -> Asset {
    Asset { name, bytes, mime }
}

fn queries() -> &'static [(Side, &'static str)] {
    static ALL: std::sync::OnceLock<Vec<(Side, &'static str)>> = std::sync::OnceLock::new();
    ALL.get_or_init(|| {
        let parts = [session::QUERIES, passkey::QUERIES, otp::QUERIES, link::QUERIES];
        parts.concat().into_iter().map(|it| (Side::Identity, it)).collect()
    })
}

/// A forgotten person's sessions and passkeys go with them.
fn forget(tx: &mut Tx<'_>, _: &Context, published: &Published) -> Result<(), Fault> {
    if let Published::Person(contracts::person::Published::Forgotten { person }) = published {
        end_access(tx, Who::Citizen(*person))?;
    }
    Ok(())
}

/// Ends every way in that `who` has made: sessions, passkeys, one-time links. For somebody who is
/// forgotten, and for whoever may have signed in as somebody else.
pub fn end_access(tx: &mut Tx<'_>, who: Who) -> Result<(), Fault> {
    session::end_all(tx, who)?;
    passkey::remove_all(tx, who)?;
    link::remove_all(tx, who)
}

/// Removes what has expired.
async fn sweep(app: App) -> Result<(), Fault> {
    app.limits.sweep();
    let now = app.now();
    let swept = app.store.write(move |tx| {
        session::sweep(tx, now)?;
        passkey::sweep(tx, now)?;
        otp::sweep(tx, now)?;
        link::sweep(tx, now)
    });
    later(swept.await)
}
