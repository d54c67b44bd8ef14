//! Web's own pages, and which routes lead to them.

mod account;
mod home;
mod inform;
mod kit;
mod machine;
mod sign_in;

use kernel::Locale;

use crate::route::{Access, Route};
use crate::slice::{Audience, NavEntry, Sample};

/// The main menu's own entries; what citizens and staff do comes from the slices.
pub(crate) const NAV: &[NavEntry] = &[
    NavEntry { path: "/", text: "web-nav-home", audience: Audience::Visitors },
    NavEntry { path: "/sign-in", text: "web-nav-sign-in", audience: Audience::Visitors },
    NavEntry { path: "/desk", text: "web-nav-desk", audience: Audience::Staff(&[]) },
];

/// All routes.
pub(crate) fn routes() -> Vec<Route> {
    use Access::{Anyone, Demo, SignedIn, Staff};
    vec![
        Route::get("/", home::home, Anyone),
        Route::get("/desk", home::desk, Staff(&[])),
        Route::get("/lang/{tag}", home::language, Anyone),
        Route::get("/sign-in", sign_in::show, Anyone),
        Route::post("/sign-in", sign_in::send, Anyone).strict(),
        Route::post("/sign-in/code", sign_in::check, Anyone).strict(),
        Route::post("/sign-in/passkey/begin", sign_in::passkey_begin, Anyone).strict(),
        Route::post("/sign-in/passkey/finish", sign_in::passkey_finish, Anyone).strict(),
        Route::get("/link/{token}", sign_in::link, Anyone),
        Route::post("/link/{token}", sign_in::link_use, Anyone).strict(),
        Route::post("/logout", sign_in::logout, Anyone),
        Route::get("/account/sessions", account::sessions, SignedIn),
        Route::post("/account/sessions/{handle}/end", account::session_end, SignedIn),
        Route::get("/account/passkeys", account::passkeys, SignedIn),
        Route::post("/account/passkeys/begin", account::passkey_begin, SignedIn),
        Route::post("/account/passkeys/finish", account::passkey_finish, SignedIn),
        Route::post("/account/passkeys/{handle}/remove", account::passkey_remove, SignedIn),
        Route::get("/help", inform::help, Anyone),
        Route::get("/problems", inform::problems, Anyone),
        Route::get("/problems/{code}", inform::problem, Anyone),
        Route::get("/api", inform::api, Anyone),
        Route::get("/api/openapi.json", machine::openapi, Anyone),
        Route::get("/demo/inbox", inform::inbox, Demo),
        Route::get("/kit", kit::show, Demo),
        Route::post("/kit", kit::sent, Demo),
        Route::get("/live", crate::ops::live, Anyone),
        Route::get("/ready", crate::ops::ready, Anyone),
        Route::get("/assets/{hash}/{*name}", machine::asset, Anyone),
        Route::get("/favicon.ico", machine::favicon, Anyone),
        Route::get("/manifest.webmanifest", machine::manifest, Anyone),
    ]
}

/// All samples.
pub(crate) fn samples() -> Vec<Sample> {
    let sample =
        |name, render: fn(Locale) -> Result<String, askama::Error>| Sample { name, render };
    vec![
        sample("web/home", home::home_sample),
        sample("web/desk", home::desk_sample),
        sample("web/sign-in", sign_in::show_sample),
        sample("web/code", sign_in::code_sample),
        sample("web/link", sign_in::link_sample),
        sample("web/sessions", account::sessions_sample),
        sample("web/passkeys", account::passkeys_sample),
        sample("web/help", inform::help_sample),
        sample("web/problems", inform::problems_sample),
        sample("web/problem-code", inform::problem_sample),
        sample("web/api", inform::api_sample),
        sample("web/inbox", inform::inbox_sample),
        sample("web/kit", kit::sample),
        sample("web/problem", crate::chrome::sample),
    ]
}
