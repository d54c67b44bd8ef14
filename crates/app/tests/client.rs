//! A client that sends any bytes with any headers: what `sim`'s browser, which behaves, cannot.
//!
//! Each request comes from an address of its own, so that rate limits do not hide what is behind.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use app::House;
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use http::{HeaderMap, Request, StatusCode};
use tower::ServiceExt as _;
use web::Who;

/// The media type of forms.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";
/// The media type of JSON.
pub(crate) const JSON: &str = "application/json";

static ADDRESS: AtomicU32 = AtomicU32::new(1);

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text()))
    }

    /// A header as text; empty when there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|it| it.to_str().ok()).unwrap_or_default()
    }

    /// The code of a problem answered as JSON; empty when it is none.
    pub(crate) fn code(&self) -> String {
        let body: Option<serde_json::Value> = serde_json::from_slice(&self.body).ok();
        let code = body.as_ref().and_then(|it| it.get("code")?.as_str());
        code.unwrap_or_default().to_owned()
    }
}

/// Keeps cookies and nothing else. Clones are the same browser.
#[derive(Clone)]
pub(crate) struct Client {
    router: Router,
    origin: String,
    cookies: BTreeMap<String, String>,
    /// The form token of this session.
    pub(crate) csrf: String,
}

impl Client {
    /// Somebody who is not signed in, with a form token.
    pub(crate) async fn anonymous(house: &House) -> Self {
        let origin = house.app.config.origin_text();
        let (cookies, csrf) = (BTreeMap::new(), String::new());
        let mut client = Self { router: house.router(), origin, cookies, csrf };
        client.open("/sign-in").await;
        client
    }

    /// Somebody signed in by a real one-time link.
    pub(crate) async fn signed_in(house: &House, who: Who) -> Self {
        let made = house.app.store.write(move |tx| web::link::make(tx, who, 600)).await;
        let (link, mut client) = (made.unwrap(), Self::anonymous(house).await);
        let body = format!("_csrf={}", client.csrf).into_bytes();
        let answer = client.send("POST", &link, &[("content-type", FORM)], body).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        let page = if matches!(who, Who::Staff(_)) { "/desk" } else { "/code/declare" };
        client.open(page).await;
        client
    }

    /// Opens a page with a form, keeps the form's token, gives the page.
    #[track_caller]
    pub(crate) fn open(&mut self, page: &str) -> impl Future<Output = String> {
        let caller = std::panic::Location::caller();
        async move {
            let answer = self.send("GET", page, &[("accept", "text/html")], Vec::new()).await;
            let text = answer.text();
            let token = between(&text, "name=\"_csrf\" value=\"", "\"");
            let status = answer.status;
            self.csrf = token.unwrap_or_else(|| panic!("{caller}: {page} {status} {text}"));
            text
        }
    }

    /// Sends one request, whatever it says.
    pub(crate) async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Answer {
        let [_, a, b, c] = ADDRESS.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let cookies: Vec<String> = self.cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("x-forwarded-for", format!("10.{a}.{b}.{c}"))
            .header("origin", &self.origin)
            .header("sec-fetch-site", "same-origin")
            .header("cookie", cookies.join("; "));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body)).unwrap_or_else(|it| panic!("{path}: {it}"));
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        for cookie in parts.headers.get_all("set-cookie") {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// Asks for JSON.
    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, &[("accept", JSON)], Vec::new()).await
    }

    /// Sends JSON, reads JSON.
    pub(crate) async fn json(&mut self, path: &str, body: &serde_json::Value) -> Answer {
        let headers = [("accept", JSON), ("content-type", JSON)];
        self.send("POST", path, &headers, body.to_string().into_bytes()).await
    }

    /// Sends a form with its token; problems come back as JSON.
    pub(crate) async fn form(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut all = fields.to_vec();
        let csrf = self.csrf.clone();
        all.push(("_csrf", &csrf));
        let headers = [("accept", JSON), ("content-type", FORM)];
        self.send("POST", path, &headers, encode(&all)).await
    }
}

/// Fields as a form sends them, every byte outside of ASCII letters and digits escaped.
pub(crate) fn encode(fields: &[(&str, &str)]) -> Vec<u8> {
    let escape = |text: &str| {
        let mut out = String::new();
        for byte in text.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => out.push(char::from(byte)),
                other => {
                    let digits = hex_digits(other);
                    out.extend(['%', digits[0], digits[1]]);
                }
            }
        }
        out
    };
    let pairs = fields.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value)));
    pairs.collect::<Vec<_>>().join("&").into_bytes()
}

fn hex_digits(byte: u8) -> [char; 2] {
    [byte >> 4, byte & 15].map(|it| char::from_digit(u32::from(it), 16).unwrap())
}

/// Base64url without padding (RFC 4648, section 5).
pub(crate) fn base64url(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let mut three = [0; 4];
        three[1..=chunk.len()].copy_from_slice(chunk);
        let bits = u32::from_be_bytes(three);
        for place in 0..=chunk.len() {
            let six = usize::try_from(bits >> (18 - 6 * place) & 63).unwrap();
            out.push(char::from(LETTERS[six]));
        }
    }
    out
}

/// What stands between two marks, the first time.
pub(crate) fn between(text: &str, before: &str, after: &str) -> Option<String> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(it, _)| it.to_owned())
}
