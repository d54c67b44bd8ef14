//! A browser without a screen, on the whole service in this process: cookies, forms, links.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use app::House;
use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use kernel::Id;
use tower::ServiceExt as _;
use web::Who;

use crate::story::{accepted, write};

/// One browser: keeps cookies, comes from our own pages.
pub struct Browser {
    router: Router,
    origin: String,
    cookies: BTreeMap<String, String>,
}

/// What came back.
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as text; empty when it is none.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap_or_default()
    }

    /// Where a redirect leads; empty when it is none.
    pub fn location(&self) -> &str {
        let value = self.headers.get("location").and_then(|it| it.to_str().ok());
        value.unwrap_or_default()
    }
}

impl Browser {
    /// A fresh browser on this house.
    pub fn new(house: &House) -> Self {
        let origin = house.app.config.origin_text();
        Self { router: house.router(), origin, cookies: BTreeMap::new() }
    }

    /// A browser signed in by a real one-time link.
    pub async fn signed_in(house: &House, who: Who) -> anyhow::Result<Self> {
        let made = house.app.store.write(move |tx| web::link::make(tx, who, 600)).await;
        let link = made.map_err(|error| anyhow::anyhow!("{error:?}"))?;
        let mut browser = Self::new(house);
        let answer = browser.submit(&link, &[]).await?;
        if answer.status != StatusCode::SEE_OTHER {
            bail!("the sign-in link answered {}", answer.status);
        }
        Ok(browser)
    }

    /// Sends one request.
    pub async fn send(
        &mut self,
        method: &str,
        path: &str,
        kind: Option<&str>,
        body: Vec<u8>,
        accept: &str,
    ) -> anyhow::Result<Answer> {
        let mut request = self.request(method, path, accept).header("accept-encoding", "br");
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        self.exchange(request.body(Body::from(body))?).await
    }

    fn request(&self, method: &str, path: &str, accept: &str) -> http::request::Builder {
        let host = self.origin.split("://").nth(1).unwrap_or("localhost");
        let pairs: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Request::builder()
            .method(method)
            .uri(path)
            .header("host", host)
            .header("origin", &self.origin)
            .header("sec-fetch-site", "same-origin")
            .header("accept", accept)
            .header("cookie", pairs.join("; "))
    }

    async fn exchange(&mut self, request: Request<Body>) -> anyhow::Result<Answer> {
        let answer = self.router.clone().oneshot(request).await?;
        let (parts, body) = answer.into_parts();
        for cookie in parts.headers.get_all("set-cookie") {
            let pair = cookie.to_str()?.split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let body = body.collect().await.context("reading an answer")?.to_bytes().to_vec();
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }

    /// Opens a page, compressed as a phone would take it.
    pub async fn get(&mut self, path: &str) -> anyhow::Result<Answer> {
        self.send("GET", path, None, Vec::new(), "text/html").await
    }

    /// Opens a page and reads it as text.
    pub async fn page(&mut self, path: &str) -> anyhow::Result<String> {
        let request = self.request("GET", path, "text/html").body(Body::empty())?;
        let answer = self.exchange(request).await?;
        if !answer.status.is_success() {
            bail!("{path} answered {}", answer.status);
        }
        Ok(String::from_utf8(answer.body)?)
    }

    /// Opens the page at `path`, takes its form's token, and posts the fields there.
    pub async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> anyhow::Result<Answer> {
        let page = self.page(path).await?;
        let mut all: Vec<(&str, &str)> = fields.to_vec();
        let (csrf, once) = (hidden(&page, "_csrf"), hidden(&page, "_once"));
        let csrf = csrf.with_context(|| format!("{path} has no form"))?;
        all.push(("_csrf", csrf));
        all.extend(once.map(|it| ("_once", it)));
        self.post(path, &all).await
    }

    /// Posts a form as it is.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> anyhow::Result<Answer> {
        let body = serde_urlencoded::to_string(fields)?;
        let kind = Some("application/x-www-form-urlencoded");
        self.send("POST", path, kind, body.into_bytes(), "text/html").await
    }

    /// Posts JSON and reads JSON.
    pub async fn json(
        &mut self,
        path: &str,
        body: &serde_json::Value,
    ) -> anyhow::Result<serde_json::Value> {
        let bytes = serde_json::to_vec(body)?;
        let kind = Some("application/json");
        let answer = self.send("POST", path, kind, bytes, "application/json").await?;
        if !answer.status.is_success() {
            bail!("{path} answered {}: {}", answer.status, answer.text());
        }
        Ok(serde_json::from_slice(&answer.body)?)
    }
}

/// The value of a page's hidden field.
fn hidden<'a>(page: &'a str, name: &str) -> Option<&'a str> {
    let (_, after) = page.split_once(&format!("name=\"{name}\" value=\""))?;
    after.split('"').next()
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
    Browser::signed_in(house, Who::Citizen(person)).await
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
        browser.json("/api/v1/code/declarations", &declaration).await?;
        let pass = serde_json::json!({ "device_key": device_key });
        let code = browser.json("/api/v1/code/passes", &pass).await?;
        took.push(begun.elapsed());
        code.get("code").context("no code came back")?;
    }
    Ok(took)
}

/// Waits until the house says that it is ready; fails when it says that it is not.
pub async fn ready(house: &House) -> anyhow::Result<()> {
    let answer = Browser::new(house).get("/ready").await?;
    if answer.status != StatusCode::OK {
        bail!("not ready: {}", answer.text());
    }
    Ok(())
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
    let mut anonymous = Browser::new(house);
    for path in ["/", "/sign-in", "/log", "/gate/scan", "/help"] {
        weights.push(weigh(&mut anonymous, path).await?);
    }
    let mut citizen = citizen(house, 999_999).await?;
    citizen.json("/api/v1/code/declarations", &crate::exercise::declaration_json(1)).await?;
    for path in ["/code", "/code/declare", "/code/history", "/account"] {
        weights.push(weigh(&mut citizen, path).await?);
    }
    Ok(weights)
}

/// A page with its style sheets, its scripts, and what those import.
async fn weigh(browser: &mut Browser, path: &str) -> anyhow::Result<PageWeight> {
    let html = browser.page(path).await?;
    let (mut bytes, mut requests) = (browser.get(path).await?.body.len(), 1);
    let mut waiting: Vec<String> = loads(&html);
    let mut seen = BTreeSet::new();
    while let Some(asset) = waiting.pop() {
        if !seen.insert(asset.clone()) {
            continue;
        }
        bytes += browser.get(&asset).await?.body.len();
        requests += 1;
        if asset.rsplit('.').next().is_some_and(|it| it == "js" || it == "mjs") {
            waiting.extend(imports(&browser.page(&asset).await?));
        }
    }
    Ok(PageWeight { path: path.to_owned(), bytes, requests })
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
