//! Journeys in a real browser: the harness.
//!
//! The tests in `tests/journeys` do what people do: a citizen declares and shows a code, a guard
//! scans it, two officers decide, a stranger checks the log, with the real binary and Debian's
//! Chromium. In reading order:
//!
//! - [`webdriver`]: the W3C WebDriver protocol over HTTP, as much of it as is needed. It is ours
//!   because the usual clients bring an asynchronous runtime or a crate under another licence, for
//!   what is a dozen POST requests;
//! - [`browser`]: one person's browser, with its own profile, and what a person does in it;
//! - [`city`]: a small city served by the real `haetae demo`, which can be killed and started again;
//! - [`axe`]: what would keep people with disabilities out of a page;
//! - [`picture`]: reads the QR on a screenshot and makes a film of it for the fake camera;
//! - [`wait`]: waiting for a condition, with a deadline and without fixed sleeps.

#![deny(missing_docs)]

pub mod axe;
pub mod browser;
pub mod city;
pub mod picture;
pub mod wait;
pub mod webdriver;

pub use browser::{Browser, Wish};
pub use city::City;

use std::path::{Path, PathBuf};

/// Where Debian's `chromium-driver` puts the driver.
pub const DRIVER: &str = "/usr/bin/chromedriver";
/// Where Debian's `chromium` puts the browser.
pub const CHROMIUM: &str = "/usr/bin/chromium";

/// Whether a browser is here. If not, says so loudly: a journey that did not run must not look
/// like one that went well. `cargo xtask ci` installs both, so that there nothing is skipped.
#[allow(clippy::print_stderr, reason = "a test says on the terminal that it did not run")]
pub fn browser_is_here() -> bool {
    for program in [DRIVER, CHROMIUM] {
        if !Path::new(program).exists() {
            eprintln!("SKIPPED: no browser journey was made, {program} is missing");
            return false;
        }
    }
    true
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(PathBuf::new, Path::to_path_buf)
}
