//! The same through the whole service in this process, over HTTP: what a citizen waits for, and
//! what pages weigh.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use app::House;
use kernel::Id;
use serde_json::Value;
use web::Who;
use web::testing::Browser;

use crate::story::{accepted, write};

fn anonymous(house: &House) -> Browser {
    Browser::new(&house.app, house.router())
}

/// A registered citizen of the house, for measuring.
async fn citizen(house: &House, number: u32) -> anyhow::Result<Browser> {
    let app = house.app.clone();
    let person = Id::random(app.seed());
    blocking(move || {
        let registration = crate::exercise::registration(&app, number)?;
        write(&app, move |tx| {
            let context = store::Context::by(store::By::Citizen(person));
            let phone = format!("+8210{:08}", 70_000_000 + number);
            accepted(person::register(tx, &context, person, &registration, &phone)?)
        })
    })
    .await?;
    Ok(Browser::signed_in(&house.app, house.router(), Who::Citizen(person)).await)
}

/// The session cookies of so many new citizens, for clients of other processes.
pub async fn cookies(house: &House, count: u32) -> anyhow::Result<Vec<String>> {
    let mut cookies = Vec::new();
    for number in 0..count {
        let browser = citizen(house, number).await?;
        cookies.push(browser.cookie("__Host-haetae").context("no session came back")?.to_owned());
    }
    Ok(cookies)
}

/// The text of a healthy declaration, as the JSON interface takes it.
pub fn declaration(number: u32) -> String {
    crate::exercise::declaration_json(number).to_string()
}

/// Posts JSON and reads JSON; anything but success is an error.
async fn post(browser: &mut Browser, path: &str, body: &Value) -> anyhow::Result<Value> {
    let answer = browser.post_json(path, body).await;
    if !answer.status.is_success() {
        bail!("{path} answered {}: {}", answer.status, answer.text);
    }
    Ok(answer.json())
}

/// Runs blocking work off the async threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
) -> anyhow::Result<T> {
    tokio::task::spawn_blocking(work).await.context("a thread panicked")?
}

/// How long it takes from sending the declaration to holding the code, `rounds` times.
pub async fn declare_to_code(house: &House, rounds: u32) -> anyhow::Result<Vec<Duration>> {
    use base64::Engine as _;
    let mut took = Vec::new();
    // Few browsers, many rounds: signing in is limited per address.
    let mut browsers = Vec::new();
    for number in 0..rounds.min(20) {
        browsers.push(citizen(house, number).await?);
    }
    for (round, browser) in (0..rounds).zip((0..browsers.len()).cycle()) {
        let Some(browser) = browsers.get_mut(browser) else { continue };
        let key = crate::door::device_key(house.app.seed()).public();
        let device_key = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(key);
        let declaration = crate::exercise::declaration_json(round);
        let begun = Instant::now();
        post(browser, "/api/v1/code/declarations", &declaration).await?;
        let pass = serde_json::json!({ "device_key": device_key });
        let code = post(browser, "/api/v1/code/passes", &pass).await?;
        took.push(begun.elapsed());
        code.get("code").context("no code came back")?;
    }
    Ok(took)
}

/// What a page weighs on the wire.
pub struct PageWeight {
    /// Which.
    pub path: String,
    /// Bytes of the page and everything that it loads at once, compressed, without headers.
    pub bytes: usize,
    /// How many requests that takes.
    pub requests: usize,
}

/// Weighs the pages that many people open at once.
pub async fn page_weights(house: &House) -> anyhow::Result<Vec<PageWeight>> {
    let mut weights = Vec::new();
    let mut anonymous = anonymous(house);
    for path in ["/", "/sign-in", "/log", "/gate/scan", "/help"] {
        weights.push(weigh(&mut anonymous, path).await?);
    }
    let mut citizen = citizen(house, 999_999).await?;
    let declaration = crate::exercise::declaration_json(1);
    post(&mut citizen, "/api/v1/code/declarations", &declaration).await?;
    for path in ["/code", "/code/declare", "/code/history", "/account"] {
        weights.push(weigh(&mut citizen, path).await?);
    }
    Ok(weights)
}

/// A page with its style sheets, its scripts, and what those import.
async fn weigh(browser: &mut Browser, path: &str) -> anyhow::Result<PageWeight> {
    let (html, mut bytes) = load(browser, path).await?;
    let mut requests = 1;
    let mut waiting: Vec<String> = loads(&html);
    let mut seen = BTreeSet::new();
    while let Some(asset) = waiting.pop() {
        if !seen.insert(asset.clone()) {
            continue;
        }
        let (text, weight) = load(browser, &asset).await?;
        bytes += weight;
        requests += 1;
        if asset.rsplit('.').next().is_some_and(|it| it == "js" || it == "mjs") {
            waiting.extend(imports(&text));
        }
    }
    Ok(PageWeight { path: path.to_owned(), bytes, requests })
}

/// The text of a file, and what it weighs compressed as a phone takes it.
async fn load(browser: &mut Browser, path: &str) -> anyhow::Result<(String, usize)> {
    let plain = browser.get(path).await;
    if !plain.status.is_success() {
        bail!("{path} answered {}", plain.status);
    }
    let packed = [("accept", "text/html"), ("accept-encoding", "br")];
    let packed = browser.raw("GET", path, &packed, Vec::new()).await;
    Ok((plain.text, packed.body.len()))
}

/// What a page loads by itself: style sheets, icons, scripts, and scripts that it names for them
/// to load. Not what only a home screen asks for.
fn loads(html: &str) -> Vec<String> {
    let mut found = Vec::new();
    for tag in html.split('<').filter(|it| !it.contains("apple-touch-icon")) {
        let wanted = |it: &&str| it.starts_with("/assets/");
        found.extend(tag.split('"').filter(wanted).map(str::to_owned));
    }
    found
}

/// The modules that a script imports at once.
fn imports(script: &str) -> Vec<String> {
    let mut found = Vec::new();
    for part in script.split("from").skip(1) {
        let address = part.trim_start().trim_start_matches(['"', '\'']);
        if address.starts_with("/assets/") {
            found.extend(address.split(['"', '\'']).next().map(str::to_owned));
        }
    }
    found
}
