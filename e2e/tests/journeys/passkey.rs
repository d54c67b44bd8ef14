//! Passkeys, with the browser's virtual authenticator: made after the first sign-in, used for the
//! next, by a citizen and by an officer.

use anyhow::{Result, ensure};
use e2e::{Browser, City};

use crate::people::{ENGLISH, KOREAN, look, open, register, use_link};

/// Makes a passkey on the page for it, signs out, and comes back with nothing but the passkey.
fn make_and_use(browser: &Browser, home: &str) -> Result<()> {
    browser.go("/account/passkeys")?;
    browser.click("[data-passkey=register] button")?;
    browser.until("the new passkey", "document.querySelector('form[action$=\"/remove\"]') || location.pathname !== '/account/passkeys'")?;
    browser.go("/account/passkeys")?;
    browser.until_seen("form[action$='/remove']")?;
    browser.click(".who button")?;
    browser.until("being signed out", "!document.querySelector('.who')")?;
    browser.go("/sign-in")?;
    browser.click("[data-passkey=sign-in] button")?;
    browser.until("being signed in", "document.querySelector('.who')")?;
    ensure!(browser.path()? == home, "the passkey led to {}", browser.path()?);
    Ok(())
}

/// A citizen is offered a passkey after the code, an officer after the one-time link.
pub(crate) fn passkeys(city: &City) -> Result<()> {
    let browser = open(city, &KOREAN)?;
    browser.go("/")?;
    browser.give_authenticator()?;
    register(&browser, &KOREAN, "010-7700-0001")?;
    browser.go("/account/passkeys")?;
    look(&browser, &KOREAN, "passkeys")?;
    make_and_use(&browser, "/")?;
    browser.is_quiet(&[])?;

    let browser = open(city, &ENGLISH)?;
    browser.go("/")?;
    browser.give_authenticator()?;
    use_link(&browser, city.address("officer")?)?;
    browser.arrives_at("/desk")?;
    make_and_use(&browser, "/desk")?;
    browser.is_quiet(&[])?;
    // The one-time link is used up.
    browser.click(".who button")?;
    browser.until("being signed out", "!document.querySelector('.who')")?;
    browser.go(city.address("officer")?)?;
    ensure!(!browser.sees("main form button[type=submit]")?, "a one-time link works twice");
    Ok(())
}
