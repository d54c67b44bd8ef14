//! What everybody does: open the city in their language, sign in, look at a page.

use anyhow::{Context as _, Result};
use e2e::{Browser, City, Wish};

/// A language of the city, with the words of the colours: they are what must be right at a door.
pub(crate) struct Language {
    /// As the pages write it.
    pub(crate) tag: &'static str,
    /// The word of green.
    pub(crate) green: &'static str,
    /// The word of red.
    pub(crate) red: &'static str,
    /// A person's name as people there write it.
    pub(crate) name: &'static str,
}

/// The source language.
pub(crate) const KOREAN: Language =
    Language { tag: "ko", green: "통과", red: "격리", name: "한해솔" };
/// For visitors.
pub(crate) const ENGLISH: Language =
    Language { tag: "en", green: "Clear", red: "Isolate", name: "Harriet O'Brien-Solé" };
/// For visitors from China.
pub(crate) const CHINESE: Language =
    Language { tag: "zh-Hans", green: "通行", red: "隔离", name: "林海棠" };
/// All of them.
pub(crate) const LANGUAGES: [&Language; 3] = [&KOREAN, &ENGLISH, &CHINESE];

/// A browser of somebody who reads this language.
pub(crate) fn open(city: &City, language: &Language) -> Result<Browser> {
    Browser::open(city.origin()?, &Wish { language: language.tag, camera: false })
}

/// Looks at the page as it stands: the right language, one title, an orderly console, nothing that
/// keeps people out. `name` is the picture's, where pictures are wished for.
pub(crate) fn look(browser: &Browser, language: &Language, name: &str) -> Result<()> {
    let lang = browser.attribute("html", "lang")?.unwrap_or_default();
    anyhow::ensure!(lang == language.tag, "{name} is in {lang:?}, not in {}", language.tag);
    let titles = browser.each("h1", "it.innerText")?;
    anyhow::ensure!(titles.len() == 1, "{name} has these titles: {titles:?}");
    browser.keep_picture(&format!("{name}-{}", language.tag))?;
    browser.fits().with_context(|| name.to_owned())?;
    browser.is_accessible().with_context(|| name.to_owned())?;
    browser.is_quiet(&[]).with_context(|| name.to_owned())
}

/// Uses a one-time link, as the demo prints them.
pub(crate) fn use_link(browser: &Browser, link: &str) -> Result<()> {
    browser.forget_cookies()?;
    browser.go(link)?;
    browser.click("main form button[type=submit]")?;
    browser.until("being signed in", "document.querySelector('.who')")
}

/// The one-time code that was sent to a number: the newest message to it in the demo's inbox. Read
/// beside the page, as a phone shows a message over the form.
fn code_sent_to(browser: &Browser, phone: &str) -> Result<String> {
    let last = phone.trim_start_matches('0').replace('-', "");
    e2e::wait::until(&format!("a message to {phone}"), || {
        let inbox = browser.get("/demo/inbox")?;
        let newest = inbox.split("<li>").find(|it| it.contains(&format!("{last}</p>")));
        let text = newest.and_then(|it| it.split("<p>").nth(1)).unwrap_or_default();
        let code = text.split(|it: char| !it.is_ascii_digit()).find(|it| it.len() == 6);
        Ok(code.map(str::to_owned))
    })
}

/// Signs in with a phone number and the code that is sent to it.
pub(crate) fn sign_in(browser: &Browser, phone: &str) -> Result<()> {
    browser.fill("#f-phone", phone)?;
    browser.click("form[action='/sign-in'] button[type=submit]")?;
    browser.until_seen("#f-code")?;
    let code = code_sent_to(browser, phone)?;
    browser.fill("#f-code", &code)?;
    browser.click("form[action='/sign-in/code'] button[type=submit]")
}

/// Comes as a new citizen: number, code, name, day of birth. The pages are looked at on the way.
pub(crate) fn register(browser: &Browser, language: &Language, phone: &str) -> Result<()> {
    browser.go("/")?;
    look(browser, language, "home")?;
    browser.click("main .actions a.button")?;
    browser.arrives_at("/sign-in")?;
    look(browser, language, "sign-in")?;
    sign_in(browser, phone)?;
    browser.arrives_at("/register")?;
    look(browser, language, "register")?;
    browser.fill("#f-name", language.name)?;
    browser.date("#f-birth_date", "1991-03-05")?;
    browser.click("main form button[type=submit]")?;
    browser.until("being signed in", "document.querySelector('.who')")?;
    let shown = browser.text(".who span")?;
    anyhow::ensure!(shown == language.name, "the page greets {shown:?}");
    Ok(())
}
