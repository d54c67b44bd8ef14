//! The citizen and their code: declare, see the colour with its reason, show the code with the
//! server off, print it.

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use credential::{Class, Outcome, Policy, Reason, RevocationList, Trust, TrustList, Verdict};
use e2e::{Browser, City, wait};
use serde_json::Value;

use crate::people::{ENGLISH, KOREAN, Language, look, open, register};

/// What the citizen answers.
pub(crate) struct Answers {
    /// Degrees, as people write them.
    pub(crate) temperature: &'static str,
    /// Whether they cough.
    pub(crate) cough: bool,
}

/// Nothing at all.
pub(crate) const WELL: Answers = Answers { temperature: "36.5", cough: false };
/// A cough and a little fever.
pub(crate) const ILL: Answers = Answers { temperature: "37.8", cough: true };

/// Fills the declaration in and sends it; ends on the page with the result.
pub(crate) fn declare(browser: &Browser, language: &Language, answers: &Answers) -> Result<()> {
    browser.go("/code/declare")?;
    look(browser, language, "declare")?;
    // Sent empty, it comes back with what is missing, and nothing is declared.
    browser.fill("#f-name", "")?;
    browser.click("main form .actions button[type=submit]")?;
    browser.until_seen(".notice[data-tone=bad] a[href='#f-name']")?;
    // The answer 422 stands in the console as a failed request; nothing else may.
    browser.is_quiet(&["status of 422"])?;
    look(browser, language, "declare-mistakes")?;
    browser.fill("#f-name", language.name)?;
    browser.fill("#f-document", "M70000001")?;
    browser.fill("#f-residence", "해태시 돌담길 7")?;
    for name in ["contact_confirmed", "contact_symptomatic", "fever", "sore_throat"] {
        browser.tick(name, "no")?;
    }
    browser.tick("breathlessness", "no")?;
    browser.tick("smell_or_taste", "no")?;
    browser.tick("cough", if answers.cough { "yes" } else { "no" })?;
    browser.fill("#f-temperature", answers.temperature)?;
    browser.click("main form .actions button[type=submit]")?;
    browser.arrives_at("/code/result")
}

/// The colour card says this colour, in words, with a reason and until when.
pub(crate) fn sees(browser: &Browser, colour: &str, word: &str) -> Result<()> {
    let shown = browser.attribute(".colour", "data-colour")?;
    ensure!(shown.as_deref() == Some(colour), "the card shows {shown:?}\n{}", browser.scene());
    ensure!(browser.text(".colour-word")? == word, "{}", browser.scene());
    let until = browser.text(".colour-head .number")?;
    ensure!(until.contains("202"), "until when? {until:?}");
    let reasons = browser.each(".colour-body li", "it.innerText")?;
    ensure!(!reasons.is_empty(), "no reason is given\n{}", browser.scene());
    Ok(())
}

/// From nothing to a green code that is drawn on the phone.
pub(crate) fn becomes_green(browser: &Browser, language: &Language) -> Result<()> {
    browser.go("/code")?;
    // Who has declared nothing is unknown, and has no code to show.
    let shown = browser.attribute(".colour", "data-colour")?;
    ensure!(shown.as_deref() == Some("unknown"), "before declaring: {shown:?}");
    look(browser, language, "code-nothing")?;
    declare(browser, language, &WELL)?;
    sees(browser, "green", language.green)?;
    look(browser, language, "result")?;
    browser.click("main .actions a[href^='/code']")?;
    browser.until_seen("#pass")?;
    sees(browser, "green", language.green)?;
    look(browser, language, "code")
}

/// The lists that a gate would have, opened with the region's root key.
pub(crate) fn lists(browser: &Browser) -> Result<Trust> {
    let bundle = browser.awaited("(await fetch('/api/v1/gate/bundle')).json()")?;
    let root =
        STANDARD.decode(bundle.get("root").and_then(Value::as_str).context("a root key")?)?;
    let root: [u8; 32] = root.try_into().ok().context("32 bytes")?;
    let fetch = |name: &str| -> Result<Vec<u8>> {
        let script = format!(
            "btoa(String.fromCharCode(...new Uint8Array(await (await fetch('/api/v1/code/{name}', \
             {{ headers: {{ accept: 'application/cose' }} }})).arrayBuffer())))"
        );
        Ok(STANDARD.decode(browser.awaited(&script)?.as_str().context("a list")?)?)
    };
    Ok(Trust {
        list: TrustList::open(&fetch("trust")?, &root, 0).context("the trust list")?,
        revocations: Some(RevocationList::open(&fetch("revocations")?, &root, 0)?),
    })
}

/// What the engine says of a text that was read from a screen, at the browser's present time.
pub(crate) fn judge(browser: &Browser, text: &str, trust: &Trust) -> Result<Verdict> {
    let now_s = browser.value("Math.floor(Date.now() / 1000)")?.as_i64().context("a time")?;
    Ok(credential::verify(text, trust, None, &Policy::default(), now_s))
}

/// The QR on the phone is a code with a proof of this moment, and passes.
pub(crate) fn shows_a_good_code(browser: &Browser, trust: &Trust) -> Result<String> {
    let text = browser.qr("#qr")?;
    // The text fits a QR code of version 12 at level M.
    ensure!(text.starts_with("HT1:") && text.len() <= 419, "{} letters: {text}", text.len());
    let verdict = judge(browser, &text, trust)?;
    ensure!(verdict.outcome == Outcome::Pass, "{verdict:?}");
    ensure!(verdict.class == Some(Class::DeviceBound) && !verdict.ask_id, "{verdict:?}");
    Ok(text)
}

/// Waits until the worker is there and holds the page.
fn is_kept(browser: &Browser) -> Result<()> {
    let kept = "!!(navigator.serviceWorker.controller && await caches.match('/code') \
                && await caches.match(document.querySelector('script[src]').src))";
    let kept = wait::until("the kept page", || Ok((browser.awaited(kept)? == true).then_some(())));
    kept.with_context(|| browser.scene())
}

/// A picture of the code on the phone whose proof has been begun just now: it dies with the next
/// time step but one, and whoever takes it before a camera needs some seconds for that.
pub(crate) fn fresh_picture(browser: &Browser) -> Result<Vec<u8>> {
    browser.until_seen("#pass")?;
    browser.until(
        "the first half of a time step",
        "[2, 3, 4, 5, 6, 7].includes(Math.floor(Date.now() / 1000 % 15))",
    )?;
    // The page draws once a second: a QR that can be read is there and is of this step or the last.
    browser.until("a drawn code", "document.querySelector('#short').textContent")?;
    browser.qr("#qr")?;
    browser.picture_of("#qr")
}

/// With the server off: the page comes up again, and the code gets a new proof of the moment, while
/// the picture that was taken before dies.
pub(crate) fn shows_it_with_the_server_off(
    browser: &Browser,
    language: &Language,
    city: &mut City,
) -> Result<()> {
    let trust = lists(browser)?;
    // The page is kept once the worker is there and holds it.
    browser.go("/code")?;
    is_kept(browser)?;
    browser.reload()?;
    browser.until_seen("#pass")?;
    let before = shows_a_good_code(browser, &trust)?;
    browser.is_quiet(&[])?;

    city.kill()?;
    browser.reload()?;
    browser.until_seen("#pass")?;
    sees(browser, "green", language.green)?;
    let after = wait::until("a new proof", || {
        let text = browser.qr("#qr")?;
        Ok((text != before).then_some(text))
    })?;
    let verdict = judge(browser, &after, &trust)?;
    ensure!(verdict.outcome == Outcome::Pass, "with the server off: {verdict:?}");
    browser.keep_picture(&format!("code-offline-{}", language.tag))?;
    browser.is_accessible()?;

    // A picture of the screen: dead within two time steps of 15 s and the one that has begun.
    let within = std::time::Duration::from_mins(1);
    wait::until_within(within, "the end of a picture", || {
        let verdict = judge(browser, &before, &trust)?;
        Ok((verdict.reasons == [Reason::ProofStale]).then_some(()))
    })?;
    city.serve()?;
    browser.forget_log()
}

/// The printed code: the server draws it, its class asks for a glance at an ID.
pub(crate) fn prints(browser: &Browser, language: &Language) -> Result<Vec<u8>> {
    browser.go("/code/print")?;
    look(browser, language, "print")?;
    browser.click("main form button[type=submit]")?;
    browser.until_seen("figure.code svg")?;
    look(browser, language, "sheet")?;
    let text = browser.qr("figure.code svg")?;
    let verdict = judge(browser, &text, &lists(browser)?)?;
    ensure!(verdict.outcome == Outcome::Pass && verdict.ask_id, "{verdict:?}");
    ensure!(verdict.class == Some(Class::Printed), "{verdict:?}");
    browser.picture_of("figure.code svg")
}

/// What one person's phone keeps is nobody else's: not after signing out, not in another language,
/// not when somebody else signs in.
pub(crate) fn kept_code_is_nobody_elses(city: &City) -> Result<()> {
    let browser = open(city, &KOREAN)?;
    register(&browser, &KOREAN, "010-7722-0001")?;
    becomes_green(&browser, &KOREAN)?;
    browser.go("/code")?;
    is_kept(&browser)?;
    browser.reload()?;
    browser.until_seen("#pass")?;
    let short = browser.text("#short")?;

    browser.click(".languages a[lang=en]")?;
    browser.until("the page in English", "document.documentElement.lang === 'en'")?;
    browser.go("/code")?;
    browser.until("the kept page in English", "document.documentElement.lang === 'en'")?;
    browser.until_seen("#pass")?;
    sees(&browser, "green", ENGLISH.green)?;
    // And where it was chosen on another page.
    for tag in ["zh-Hans", "en"] {
        browser.go("/account")?;
        browser.click(&format!(".languages a[lang={tag}]"))?;
        browser.until("the page", &format!("document.documentElement.lang === '{tag}'"))?;
        browser.go("/code")?;
        let shown = browser.value("document.documentElement.lang")?;
        ensure!(shown == tag, "chosen {tag}, shown {shown}");
        is_kept(&browser)?;
    }

    // For a child: not the parent's code. And back again: not the child's.
    browser.go("/account/help")?;
    let child = "form[action='/account/help/child']";
    browser.fill(&format!("{child} #f-name"), "한해봄")?;
    let born =
        browser.value("new Date(Date.now() - 6 * 31557600000).toISOString().slice(0, 10)")?;
    browser.date(&format!("{child} #f-birth_date"), born.as_str().context("a day")?)?;
    browser.click(&format!("{child} button[type=submit]"))?;
    browser.click("form[action='/account/help/act'] button[type=submit]")?;
    browser.until(
        "acting for the child",
        "document.querySelector('.who')?.innerText.includes('한해봄')",
    )?;
    browser.go("/code")?;
    let shown = browser.attribute(".colour", "data-colour")?;
    ensure!(shown.as_deref() == Some("unknown"), "the child's colour is {shown:?}");
    browser.go("/account/help")?;
    browser.click("form:has(input[name=person][value='']) button[type=submit]")?;
    browser.until(
        "acting for nobody",
        "!document.querySelector('.who').innerText.includes('한해봄')",
    )?;
    browser.go("/code")?;
    sees(&browser, "green", ENGLISH.green)?;

    browser.click(".who button")?;
    browser.until("being signed out", "!document.querySelector('.who')")?;
    for path in ["/code", "/code?now=1", "/code"] {
        browser.go(path)?;
        let text = browser.text("body")?;
        ensure!(!text.contains(&short), "{path} shows a code after signing out");
        ensure!(!text.contains(KOREAN.name), "{path} shows a name after signing out");
        ensure!(!browser.sees(".colour")?, "{path} shows a colour after signing out");
    }

    // Somebody else, on the same phone.
    register(&browser, &ENGLISH, "010-7722-0002")?;
    browser.go("/code")?;
    let shown = browser.attribute(".colour", "data-colour")?;
    ensure!(shown.as_deref() == Some("unknown"), "somebody else's colour is {shown:?}");
    declare(&browser, &ENGLISH, &WELL)?;
    browser.click("main .actions a[href^='/code']")?;
    browser.until_seen("#pass")?;
    browser.qr("#qr")?;
    ensure!(browser.text("#short")? != short, "two people have one code");
    Ok(())
}

/// Without a single script: registering, declaring, a colour, a code to print.
pub(crate) fn works_without_scripts(city: &City) -> Result<()> {
    let browser = open(city, &ENGLISH)?;
    browser.forbid_scripts()?;
    register(&browser, &ENGLISH, "010-7722-0003")?;
    declare(&browser, &ENGLISH, &WELL)?;
    sees(&browser, "green", ENGLISH.green)?;
    browser.go("/code")?;
    sees(&browser, "green", ENGLISH.green)?;
    ensure!(!browser.sees("#pass")?, "an empty frame is shown where the QR would be");
    ensure!(browser.sees("noscript")?, "nobody says why there is no QR");
    browser.click("main .actions a[href='/code/print']")?;
    browser.click("main form button[type=submit]")?;
    browser.until_seen("figure.code svg")?;
    let text = browser.qr("figure.code svg")?;
    ensure!(text.starts_with("HT1:"), "{text}");
    look(&browser, &ENGLISH, "sheet-without-scripts")
}
