//! Every page that can be reached, in three languages, on a phone and on a desk: what keeps people
//! out, what does not fit, what is not translated, what a console complains about.

use std::collections::BTreeSet;

use anyhow::{Result, bail, ensure};
use e2e::browser::{DESK, PHONE};
use e2e::{Browser, City};

use crate::people::{LANGUAGES, Language, open, use_link};

/// Who looks, and under which name the demo gives them a link.
const ROLES: [Option<&str>; 7] = [
    None,
    Some("citizen"),
    Some("owner"),
    Some("officer"),
    Some("issuer"),
    Some("administrator"),
    Some("auditor"),
];

/// Pages that must be found by following links from the first page of some role: a page that
/// nobody can find is as good as missing, and a walk that finds none of them proves nothing.
const MUST: [&str; 29] = [
    "/account",
    "/account/delete",
    "/account/export",
    "/account/help",
    "/account/phone",
    "/account/readers",
    "/account/receipts",
    "/account/sessions",
    "/api",
    "/code",
    "/code/declare",
    "/code/history",
    "/code/print",
    "/code/rules",
    "/desk",
    "/desk/access",
    "/desk/code",
    "/desk/organisations",
    "/desk/passes/issue",
    "/desk/passes/issued/*",
    "/desk/passes/rules",
    "/desk/people",
    "/desk/places",
    "/desk/staff",
    "/gate/scan",
    "/help",
    "/log",
    "/log/check",
    "/problems",
];

/// Walks through all pages in one language; answers what was found wrong and how many were seen.
pub(crate) fn all_pages(city: &City, language: &Language) -> Result<()> {
    let browser = open(city, language)?;
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for role in ROLES {
        browser.forget_cookies()?;
        browser.go("/")?;
        let start = if let Some(role) = role {
            use_link(&browser, city.address(role)?)?;
            browser.path()?
        } else {
            "/".to_owned()
        };
        walk(&browser, language, role.unwrap_or("anybody"), start, &mut seen, &mut wrong)?;
    }
    if !wrong.is_empty() {
        bail!("{} pages of {}:\n{}", wrong.len(), seen.len(), wrong.join("\n"));
    }
    let lost: Vec<&str> = MUST.into_iter().filter(|it| !seen.contains(*it)).collect();
    ensure!(lost.is_empty(), "no link leads to {lost:?}; seen were {seen:?}");
    Ok(())
}

/// One page of each kind: `/log/entry/12` and `/log/entry/13` are one.
fn kind(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let parts = path.split('/').map(|part| {
        let is_id = part.bytes().any(|it| it.is_ascii_digit()) && part != "v1";
        if is_id { "*" } else { part }
    });
    let kind = parts.collect::<Vec<_>>().join("/");
    // Every refusal has a page; they differ in nothing but their text.
    if kind.starts_with("/problems/") { "/problems/*".to_owned() } else { kind }
}

/// Whether a link leads to a page that can be looked at.
fn is_page(path: &str) -> bool {
    let machine = [
        "/lang/",
        "/link/",
        "/api/",
        "/log/tile",
        "/log/checkpoint",
        "/log/key",
        "/log/receipt",
        "/assets/",
    ];
    let file = [".json", ".csv", "/file"];
    let bare = path.split(['?', '#']).next().unwrap_or_default();
    !machine.iter().any(|it| path.starts_with(it)) && !file.iter().any(|it| bare.ends_with(it))
}

fn walk(
    browser: &Browser,
    language: &Language,
    role: &str,
    start: String,
    seen: &mut BTreeSet<String>,
    wrong: &mut Vec<String>,
) -> Result<()> {
    // Every role follows its own links, and sees its own first pages; what looks the same for all
    // is looked at once.
    let mut visited = BTreeSet::new();
    let mut next = vec![start, "/".to_owned()];
    while let Some(path) = next.pop() {
        if !visited.insert(kind(&path)) {
            continue;
        }
        browser.go(&path)?;
        let links = browser.each("a[href]:not([download])", "it.getAttribute('href')")?;
        next.extend(links.into_iter().filter(|it| it.starts_with('/') && is_page(it)));
        let own = ["/", "/desk"].contains(&path.as_str());
        if !seen.insert(kind(&path)) && !own {
            continue;
        }
        for mistake in look(browser, language, role, &path)? {
            wrong.push(format!("{role} on {path} in {}: {mistake}", language.tag));
        }
    }
    Ok(())
}

/// What is wrong with the page that is shown.
fn look(browser: &Browser, language: &Language, role: &str, path: &str) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    let mut check = |result: Result<()>| {
        if let Err(error) = result {
            wrong.push(format!("{error:#}"));
        }
    };
    check(browser.is_quiet(&[]));
    let lang = browser.attribute("html", "lang")?.unwrap_or_default();
    check(if lang == language.tag { Ok(()) } else { Err(anyhow::anyhow!("is in {lang:?}")) });
    let titles = browser.each("h1", "it.innerText")?.len();
    check(if titles == 1 { Ok(()) } else { Err(anyhow::anyhow!("has {titles} titles")) });
    check(is_translated(browser, path));
    for screen in [PHONE, DESK] {
        browser.screen(screen)?;
        check(browser.is_accessible());
        check(browser.fits());
        let name = kind(path).replace('/', "_").replace('*', "n");
        browser.keep_picture(&format!("all{name}-{role}-{}-{}", language.tag, screen.0))?;
    }
    browser.screen(PHONE)?;
    Ok(wrong)
}

/// A text that is missing shows its key. Pages that list codes show keys on purpose.
fn is_translated(browser: &Browser, path: &str) -> Result<()> {
    if ["/problems", "/api", "/kit"].iter().any(|it| path.starts_with(it)) {
        return Ok(());
    }
    let text = browser.text("body")?;
    let slices = ["web-", "person-", "code-", "gate-", "logbook-"];
    let keys: Vec<&str> = text
        .split_whitespace()
        .filter(|word| slices.iter().any(|it| word.starts_with(it)) && word.is_ascii())
        .collect();
    ensure!(keys.is_empty(), "texts are missing: {keys:?}");
    Ok(())
}

/// The checks find something when there is something: otherwise all of the above proves nothing.
pub(crate) fn checks_can_fail(city: &City) -> Result<()> {
    let browser = open(city, LANGUAGES[1])?;
    browser.go("/sign-in")?;
    browser.is_accessible()?;
    browser.is_quiet(&[])?;
    browser.value("document.querySelector('label[for=f-phone]').remove()")?;
    ensure!(browser.is_accessible().is_err(), "axe-core does not miss a label");
    // The policy forbids a script in the page, and the console must tell.
    browser.value(
        "(() => { const it = document.createElement('script'); it.textContent = 'window.in = 1'; \
         document.body.append(it); })()",
    )?;
    ensure!(browser.value("window.in")?.is_null(), "a script in the page was run");
    ensure!(browser.is_quiet(&[]).is_err(), "the console says nothing of a refused script");
    browser.fits()?;
    browser.value(
        "(() => { const it = document.createElement('div'); it.style.cssText = \
         'width: 4000px; height: 1px'; document.body.append(it); })()",
    )?;
    ensure!(browser.fits().is_err(), "a page that is too wide is not seen");
    browser.value("document.body.append('web-nav-home')")?;
    ensure!(is_translated(&browser, "/sign-in").is_err(), "a missing text is not seen");
    Ok(())
}
