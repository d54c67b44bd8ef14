//! A browser without a screen, on a router in this process: cookies, form tokens, links. The one
//! client of all tests and measurements; `raw` sends whatever a hostile one would.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::body::{Body, Bytes};
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use crate::{App, Who, link};

/// The media type of forms.
pub const FORM: &str = "application/x-www-form-urlencoded";
/// The media type of JSON.
pub const JSON: &str = "application/json";

const PAGE: &str = "text/html";

/// The number in the next request's forwarded address.
static ADDRESS: AtomicU32 = AtomicU32::new(1);

/// Keeps cookies, and the form tokens of the last page that had any. Clones are the same browser.
#[derive(Clone)]
pub struct Browser {
    router: Router,
    origin: String,
    cookies: BTreeMap<String, String>,
    /// The form token of this session; empty before the first page with a form.
    pub csrf: String,
    /// The one-time value of the last page's first form; empty when it has none.
    pub once: String,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub body: Bytes,
    /// The body as text; bytes that are not UTF-8 are replaced.
    pub text: String,
}

impl Answer {
    /// A header as text; empty when there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|it| it.to_str().ok()).unwrap_or_default()
    }

    /// Where a redirect leads.
    pub fn location(&self) -> Option<&str> {
        Some(self.header("location")).filter(|it| !it.is_empty())
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        let read = serde_json::from_slice(&self.body);
        read.unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text))
    }

    /// The code of a problem answered as JSON; empty when it is none.
    pub fn code(&self) -> String {
        let body: Option<serde_json::Value> = serde_json::from_slice(&self.body).ok();
        let code = body.as_ref().and_then(|it| it.get("code")?.as_str());
        code.unwrap_or_default().to_owned()
    }
}

impl Browser {
    /// A browser that nobody is signed in on.
    pub fn new(app: &App, router: Router) -> Self {
        let (csrf, once) = (String::new(), String::new());
        let origin = app.config.origin_text();
        Self { router, origin, cookies: BTreeMap::new(), csrf, once }
    }

    /// A browser signed in by a real one-time link.
    #[track_caller]
    pub fn signed_in(app: &App, router: Router, who: Who) -> impl Future<Output = Self> {
        let (mut browser, app) = (Self::new(app, router), app.clone());
        async move {
            let made = app.store.write(move |tx| link::make(tx, who, 600)).await;
            let answer = browser.submit(&made.expect("a link is made"), &[]).await;
            assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
            browser
        }
    }

    /// Opens a page.
    pub async fn get(&mut self, path: &str) -> Answer {
        self.raw("GET", path, &[("accept", PAGE)], Vec::new()).await
    }

    /// Opens a page that is there, and gives its text.
    #[track_caller]
    pub fn page(&mut self, path: &str) -> impl Future<Output = String> {
        let caller = std::panic::Location::caller();
        async move {
            let answer = self.get(path).await;
            assert!(answer.status.is_success(), "{caller}: {path} {}", answer.status);
            answer.text
        }
    }

    /// Asks for JSON.
    pub async fn get_json(&mut self, path: &str) -> Answer {
        self.raw("GET", path, &[("accept", JSON)], Vec::new()).await
    }

    /// Submits a form with the tokens of the last page.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let once = self.once.clone();
        let all: Vec<_> = fields.iter().copied().chain([("_once", once.as_str())]).collect();
        self.fields(path, if once.is_empty() { fields } else { &all }, PAGE).await
    }

    /// Opens the page at `path` and submits its form there.
    pub async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.get(path).await;
        self.post(path, fields).await
    }

    /// Submits a form with the session's token alone, so that sending it twice is two commands;
    /// problems come back as JSON.
    pub async fn form(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.fields(path, fields, JSON).await
    }

    async fn fields(&mut self, path: &str, fields: &[(&str, &str)], accept: &str) -> Answer {
        let csrf = self.csrf.clone();
        let mut all = vec![("_csrf", csrf.as_str())];
        all.extend_from_slice(fields);
        self.raw("POST", path, &[("accept", accept), ("content-type", FORM)], encode(&all)).await
    }

    /// Submits a form with files, with the tokens of the last page: fields, and files by their
    /// field's name.
    pub async fn upload(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        files: &[(&str, &[u8])],
    ) -> Answer {
        const BOUNDARY: &str = "haetae-boundary";
        let tokens = [("_csrf", self.csrf.clone()), ("_once", self.once.clone())];
        let mut body = Vec::new();
        let tokens = tokens.iter().map(|(name, value)| (*name, value.as_str()));
        for (name, value) in tokens.chain(fields.iter().copied()).filter(|it| !it.1.is_empty()) {
            let head =
                format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(value.as_bytes());
            body.extend_from_slice(b"\r\n");
        }
        for (name, bytes) in files {
            let head = format!(
                "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"; \
                 filename=\"file\"\r\nContent-Type: application/octet-stream\r\n\r\n"
            );
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        self.post_raw(path, &format!("multipart/form-data; boundary={BOUNDARY}"), body).await
    }

    /// Sends JSON.
    pub async fn post_json(&mut self, path: &str, body: &serde_json::Value) -> Answer {
        let headers = [("accept", JSON), ("content-type", JSON)];
        self.raw("POST", path, &headers, body.to_string().into_bytes()).await
    }

    /// Sends bytes as they are, as a form of our own pages would.
    pub async fn post_raw(&mut self, path: &str, kind: &str, body: Vec<u8>) -> Answer {
        self.raw("POST", path, &[("accept", PAGE), ("content-type", kind)], body).await
    }

    /// Sends one request from our own pages, whatever it says. Behind a proxy it comes from an
    /// address of its own, so that rate limits do not hide what is behind them.
    #[track_caller]
    pub fn raw<V: AsRef<[u8]>>(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, V)],
        body: Vec<u8>,
    ) -> impl Future<Output = Answer> + use<'_, V> {
        let [_, a, b, c] = ADDRESS.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let mut req = self
            .request(method, path)
            .header("x-forwarded-for", format!("10.{a}.{b}.{c}"))
            .header(header::ORIGIN, &self.origin)
            .header("sec-fetch-site", "same-origin");
        for (name, value) in headers {
            req = req.header(*name, value.as_ref());
        }
        let req = req.body(Body::from(body)).unwrap_or_else(|it| panic!("{path}: {it}"));
        self.send(req)
    }

    /// Sends a request made by the test, with this browser's cookies if it came from
    /// [`Browser::request`].
    pub async fn send(&mut self, req: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(req).await.expect("the router answers");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("the body ends").to_bytes();
        for it in parts.headers.get_all(header::SET_COOKIE) {
            self.keep(it.to_str().expect("a cookie is ASCII"));
        }
        let text = String::from_utf8_lossy(&body).into_owned();
        if let Some(csrf) = hidden(&text, "_csrf") {
            self.csrf = csrf;
            self.once = hidden(&text, "_once").unwrap_or_default();
        }
        Answer { status: parts.status, headers: parts.headers, body, text }
    }

    /// A request with this browser's cookies.
    pub fn request(&self, method: Method, path: &str) -> http::request::Builder {
        let cookies: Vec<String> = self.cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let req = Request::builder().method(method).uri(path);
        if cookies.is_empty() { req } else { req.header(header::COOKIE, cookies.join("; ")) }
    }

    /// The value of a cookie.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    /// Keeps a cookie as `Set-Cookie` gives it.
    pub(super) fn keep(&mut self, cookie: &str) {
        let (name, rest) = cookie.split_once('=').expect("a cookie has a name");
        let value = rest.split(';').next().unwrap_or_default();
        if rest.contains("Max-Age=0") {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}

/// Fields as a form sends them.
pub fn encode(fields: &[(&str, &str)]) -> Vec<u8> {
    serde_urlencoded::to_string(fields).expect("fields encode").into_bytes()
}

/// The value of a page's first hidden field of this name.
fn hidden(page: &str, name: &str) -> Option<String> {
    between(page, &format!("name=\"{name}\" value=\""), "\"")
}

/// What stands between two marks, the first time.
pub fn between(text: &str, before: &str, after: &str) -> Option<String> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(it, _)| it.to_owned())
}
