//! A stranger who trusts nobody looks at the public log: an entry, its receipt, the check in the
//! browser, and whether the log only grew.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use e2e::{Browser, City};
use ledger::{ProofFile, VerifierKey};
use serde_json::Value;

use crate::people::{KOREAN, LANGUAGES, look, open, register};

/// A public text of the site.
fn fetch(browser: &Browser, path: &str) -> Result<String> {
    let text = browser.awaited(&format!("(await fetch('{path}')).text()"))?;
    Ok(text.as_str().unwrap_or_default().to_owned())
}

/// Everything about the log, in three languages.
pub(crate) fn public_log(city: &City) -> Result<()> {
    let browser = open(city, LANGUAGES[0])?;
    browser.go("/log")?;
    let kept = fetch(&browser, "/log/checkpoint")?;
    let mut lines = kept.lines().skip(1).map(str::to_owned);
    let (size, root) = (lines.next().context("a size")?, lines.next().context("a root")?);

    for language in LANGUAGES {
        browser.go(&format!("/lang/{}?to=/log", language.tag))?;
        browser.arrives_at("/log")?;
        look(&browser, language, "log")?;
        browser.click("main table tbody tr a[href^='/log/entry/']")?;
        browser.arrives_at("/log/entry/")?;
        look(&browser, language, "entry")?;
        let path = browser.path()?;
        let index = path.rsplit('/').next().context("an entry's number")?;
        browser.click("main a[href^='/log/check?entry=']")?;
        browser.arrives_at("/log/check")?;
        look(&browser, language, "check")?;
        browser.click("[data-log-check] button")?;
        let good = "(() => { const card = document.querySelector('[data-log-check]'); return \
                    card.querySelector('[data-result]').textContent === card.dataset.good })()";
        browser.until("the browser's own check", good)?;
        let steps = browser.each("[data-steps] li", "it.innerText")?;
        let signed = browser.attribute("[data-log-check]", "data-signature-good")?;
        ensure!(steps.last() == signed.as_ref(), "the signature was not checked: {steps:?}");
        look(&browser, language, "checked")?;
        receipt(&browser, index)?;
    }

    // Somebody registers; the log grew, and a kept checkpoint is still its beginning.
    register(&open(city, &KOREAN)?, &KOREAN, "010-7700-0002")?;
    let now = fetch(&browser, "/log/checkpoint")?;
    let new = now.lines().nth(1).context("a size")?;
    ensure!(size.parse::<u64>()? < new.parse()?, "the log did not grow: {size} to {new}");
    browser.go("/log/consistency")?;
    for (field, text) in [("old", size.as_str()), ("root", root.as_str()), ("new", new)] {
        browser.fill(&format!("#f-{field}"), text)?;
    }
    browser.click("main form button[type=submit]")?;
    browser.until_seen(".notice[data-tone=good]")?;
    // One letter of the kept root changed: the page must not say that all is well.
    let other = if root.starts_with('A') { "B" } else { "A" };
    browser.fill("#f-root", &format!("{other}{}", root.get(1..).unwrap_or_default()))?;
    browser.click("main form button[type=submit]")?;
    browser.until_seen(".notice[data-tone=bad]")?;
    Ok(())
}

/// The receipt that a stranger downloads holds, by the engine's own verification, under the key
/// that the site publishes; and it does not hold for another entry.
fn receipt(browser: &Browser, index: &str) -> Result<()> {
    browser.go(&format!("/log/entry/{index}"))?;
    browser.click("main a[href^='/log/receipt/']")?;
    let file = browser.download_like(".tlog-proof")?;
    let proof: ProofFile = fs::read_to_string(&file)?.parse()?;
    fs::remove_file(&file)?;
    let key: VerifierKey = fetch(browser, "/log/key")?.trim().parse()?;
    let entry: Value =
        serde_json::from_str(&fetch(browser, &format!("/api/v1/log/entries/{index}"))?)?;
    let entry = entry.get("entry").and_then(Value::as_str).context("an entry")?;
    ensure!(proof.index == index.parse::<u64>()?, "the receipt is for entry {}", proof.index);
    proof.verify(entry.as_bytes(), &key, &[])?;
    let forged = entry.replacen(':', ": ", 1);
    ensure!(proof.verify(forged.as_bytes(), &key, &[]).is_err(), "a forged entry has a receipt");
    Ok(())
}
