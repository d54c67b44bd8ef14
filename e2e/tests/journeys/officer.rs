//! Two officers give a colour by hand; the person is told, objects, and is answered. Nobody reads a
//! record without a reason that the person sees afterwards.

use anyhow::{Context as _, Result, ensure};
use e2e::{Browser, City};

use crate::code::sees;
use crate::people::{Language, look, open, use_link};

/// Signs in as the officer that the demo names so.
fn officer(city: &City, language: &Language, name: &str) -> Result<Browser> {
    let browser = open(city, language)?;
    use_link(&browser, city.address(name)?)?;
    browser.arrives_at("/desk")?;
    Ok(browser)
}

/// Opens the record of whoever has this number, with a reason.
fn opens_record(browser: &Browser, language: &Language, number: &str, why: &str) -> Result<()> {
    browser.go("/desk/code")?;
    browser.fill("#f-who", number)?;
    browser.click("form[action='/desk/code/find'] button[type=submit]")?;
    browser.arrives_at("/desk/code/people/")?;
    look(browser, language, "reason")?;
    let before = browser.text("main")?;
    ensure!(!before.contains(language.name), "a name is shown before a reason is given");
    browser.tick("purpose", "order")?;
    browser.fill("#f-grounds", why)?;
    browser.click("main form button[type=submit]")?;
    browser.until_seen(".colour")?;
    look(browser, language, "record")
}

/// Answers the appeal that waits: the person was right.
fn answers(browser: &Browser, language: &Language, picture: Option<&str>) -> Result<()> {
    browser.go("/desk/code")?;
    browser.click("main table a[href*='/appeals/']")?;
    browser.arrives_at("/desk/code/appeals/")?;
    if let Some(name) = picture {
        look(browser, language, name)?;
    }
    let text = browser.text("main")?;
    ensure!(text.contains(OBJECTION), "the appeal was mangled: {text}");
    browser.tick("outcome", "upheld")?;
    browser.click("label[for=f-aside_order]")?;
    browser.fill("#f-text", "다시 확인했습니다. 명단에 잘못 올랐습니다.")?;
    browser.click("main form button[type=submit]")
}

/// The administrator appoints another health officer, who signs in with the link that is shown
/// once. In the browser of somebody else, who is signed out by this.
fn appoints_another(city: &City, language: &Language, browser: Browser) -> Result<Browser> {
    use_link(&browser, city.address("administrator")?)?;
    browser.go("/desk/staff")?;
    look(&browser, language, "staff-list")?;
    browser.fill("#f-name", "보건담당 3")?;
    browser.fill("#f-phone", "010-9999-0003")?;
    browser.click("form[action='/desk/staff'] button[type=submit]")?;
    browser.until_seen("main .hash strong")?;
    let link = browser.text("main .hash strong")?;
    look(&browser, language, "staff-link")?;
    browser.click("main .actions a.button")?;
    browser.arrives_at("/desk/staff/")?;
    browser.choose("#f-role", "health_officer")?;
    browser.choose("#f-scope", "region")?;
    browser.click("form[action$='/roles'] button[type=submit]")?;
    browser.until_seen("form[action$='/roles/end']")?;
    look(&browser, language, "staff")?;
    use_link(&browser, &link)?;
    browser.arrives_at("/desk")?;
    Ok(browser)
}

/// What the citizen objects, with what a spreadsheet or a page might take for its own.
const OBJECTION: &str = "저는 그 자리에 없었습니다. <b>=1+1</b>";

/// The whole of it. `citizen` is green, with this number.
pub(crate) fn orders_and_appeals(
    city: &City,
    language: &Language,
    citizen: &Browser,
    number: &str,
) -> Result<()> {
    let first = officer(city, language, "officer")?;
    look(&first, language, "desk")?;
    let why = format!("사례 {number}");
    opens_record(&first, language, number, &why).context("opening the record")?;
    first.click("details:has(form[action$='/orders']) summary")?;
    first.tick("colour", "red")?;
    first.tick("reason", "close_contact")?;
    first.fill("#f-number", &format!("2026-{number}"))?;
    let day = first.value("new Date(Date.now() + 5 * 86400000).toISOString().slice(0, 10)")?;
    first.date("#f-until", day.as_str().context("a day")?)?;
    look(&first, language, "order-form")?;
    first.click("form[action$='/orders'] button[type=submit]")?;
    first.until(
        "the desk",
        "location.pathname === '/desk/code' && document.querySelector('.notice[data-tone=good]')",
    )?;
    look(&first, language, "desk-code")?;
    // The first officer cannot confirm what they asked for: the page offers it to nobody alone.
    first.click("main table a[href*='/orders/']")?;
    first.arrives_at("/desk/code/orders/")?;
    ensure!(
        !first.sees("input[name=verdict][value=confirm]")?,
        "one officer confirms their own order"
    );
    ensure!(first.value("document.querySelector('input[value=confirm]')")?.is_null(), "as above");
    let order = first.path()?;

    // It has no effect yet.
    citizen.go("/code?now=1")?;
    sees(citizen, "green", language.green).context("before the second officer")?;

    let second = officer(city, language, "officer2")?;
    second.go("/desk/code")?;
    second.go(&order)?;
    look(&second, language, "order")?;
    second.click("form:has(input[value=confirm]) button")?;
    second.until("the desk", "location.pathname === '/desk/code'")?;

    // The person is told, without a word about health, and sees it with its reason.
    citizen.go("/demo/inbox")?;
    let told = citizen.text(".timeline li p:last-child")?;
    let secrets = [language.green, language.red, "red", "격리", "隔离"];
    ensure!(secrets.iter().all(|it| !told.contains(it)), "the message says {told:?}");
    citizen.go("/code?now=1")?;
    sees(citizen, "red", language.red).context("after the second officer")?;
    look(citizen, language, "code-red")?;
    citizen.go("/code/history")?;
    look(citizen, language, "history")?;

    // They object; the clock runs; they are answered.
    citizen.go("/code/appeal")?;
    look(citizen, language, "appeal")?;
    citizen.fill("#f-text", OBJECTION)?;
    citizen.click("main form button[type=submit]")?;
    citizen.until_seen(".notice[data-tone=good]")?;
    look(citizen, language, "appeal-sent")?;

    // Whoever took part in the order does not judge it.
    answers(&first, language, None)?;
    let refused = "document.querySelector('main').innerText.includes('code-own-order')";
    first.until("the refusal to judge one's own order", refused)?;
    first.is_quiet(&["status of 403"])?;
    let third = appoints_another(city, language, second).context("a third officer")?;
    answers(&third, language, Some("desk-appeal"))?;
    third.until("the desk", "location.pathname === '/desk/code'")?;
    third.is_quiet(&[])?;

    citizen.go("/code?now=1")?;
    sees(citizen, "green", language.green).context("after the appeal")?;
    citizen.go("/code/appeal")?;
    look(citizen, language, "appeal-answered")?;

    // Who has read my record, and why.
    citizen.go("/account/readers")?;
    look(citizen, language, "readers")?;
    let rows = citizen.each("main table tbody tr", "it.innerText")?;
    ensure!(3 <= rows.len(), "who read the record is not all here: {rows:?}");
    ensure!(rows.iter().any(|it| it.contains(&why)), "the officer's reason is missing: {rows:?}");
    ensure!(rows.iter().all(|it| !it.contains("code.")), "a record without a name: {rows:?}");
    citizen.is_quiet(&[])
}
