//! Which process of a region answers a request.
//!
//! Several processes may share one region's databases ([`store::member`]). Each serves every page; one
//! writes. A request that changes something, or whose handler turns out to write (the reading of a
//! record is written down before anybody sees it), is passed on whole to the one that writes, and its
//! answer is passed back. While nobody writes, because the region is just moving, such requests wait for
//! a while; then they are refused with `web-moving`, of which nothing took effect.
//!
//! A connection that breaks after a request was sent leaves open whether it took effect. One with a key
//! (`Idempotency-Key`, `_once`) is sent again, also to another writer: the key gives it the one true
//! answer. Without a key nobody could tell two from one, and the client hears `web-unanswered`.
//!
//! What is passed on comes in at a listener of its own. It names the client's address, the lease of the
//! writer that is meant, and a tag over both and the request, under a key made of the region's `web`
//! key: only a process of this region can speak for clients.

use std::net::IpAddr;
use std::sync::OnceLock;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Collected, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use sha2::{Digest as _, Sha256};
use store::{Fault, Holder, Role};
use tokio::sync::RwLock;
use tokio::time::{Instant, timeout, timeout_at};

use crate::form::{BODY_MAX, ONCE_FIELD};
use crate::limit::{self, Client};
use crate::problem::Problem;
use crate::router::{RequestId, TIMEOUT};
use crate::{App, Slice, chrome, secret};

/// How long a request waits for somebody who writes. A writer that was killed is replaced within a
/// second; one that stands still only after its lease, which is longer than people wait.
const PATIENCE: Duration = Duration::from_secs(10);
/// A writer that did not answer is asked again no sooner.
const PAUSE: Duration = Duration::from_millis(100);
/// How long connecting to another process may take: it is near.
const CONNECT: Duration = Duration::from_secs(2);
/// Answers that are waited for longer than the router itself takes do not come.
const ANSWER: Duration = TIMEOUT.saturating_add(Duration::from_secs(5));
/// How long a writer is waited for that is only to note that a session was used.
const NOTE: Duration = Duration::from_secs(2);
/// What was answered before the region moved is here by then; what was not never will be.
const PARTING: Duration = Duration::from_secs(2);

/// Says who passes a request on, for whom, and to whom.
const SAYS: HeaderName = HeaderName::from_static("x-haetae-forwarded");
/// The answer of a process that is not the writer that was meant: nothing was done.
const NOT_MEANT: StatusCode = StatusCode::MISDIRECTED_REQUEST;

/// Headers that belong to one connection (RFC 9110, section 7.6.1), and those that say who is on its
/// other end.
const HOP: [&str; 13] = [
    "connection",
    "content-length",
    "forwarded",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-forwarded-for",
    "x-haetae-forwarded",
];

/// In a request: its handler may be left to the writer before it begins.
#[derive(Clone, Copy)]
pub(crate) struct MayMove;

/// In an answer: the request needs the writer, and nothing was done.
#[derive(Clone, Copy)]
pub(crate) struct NotTheWriter;

/// In an answer: nobody can say whether the request took effect.
#[derive(Clone, Copy)]
pub(crate) struct Unanswered;

/// The answer that stands for it.
pub(crate) fn not_the_writer() -> Response {
    let mut response = NOT_MEANT.into_response();
    response.extensions_mut().insert(NotTheWriter);
    response
}

type Http = HttpClient<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// What a process knows of the others.
#[derive(Default)]
pub(crate) struct Others {
    /// Held by every request that changes something here; leaving the region waits for all of them.
    changes: RwLock<()>,
    http: OnceLock<Http>,
}

impl Others {
    fn http(&self) -> Result<&Http, Fault> {
        if let Some(http) = self.http.get() {
            return Ok(http);
        }
        let tls = HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(rustls::crypto::aws_lc_rs::default_provider());
        let tls = tls.map_err(|error| Fault::caused("reading the system's authorities", error))?;
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT));
        let mut client = HttpClient::builder(TokioExecutor::new());
        client.pool_timer(TokioTimer::new()).set_host(false);
        let client = client.build(tls.https_or_http().enable_http1().wrap_connector(tcp));
        Ok(self.http.get_or_init(|| client))
    }
}

impl App {
    /// Leaves the region to another process, once the requests that change something here are answered.
    /// Those that come meanwhile are passed on to whoever takes it up.
    pub async fn leave_to_others(&self) {
        let _none = self.others.changes.write().await;
        self.store.leave_to_others().await;
    }

    fn forward_tag(&self, token: i64, client: IpAddr, parts: &Parts, body: &[u8]) -> String {
        let path = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let (method, body) = (&parts.method, hex::encode(Sha256::digest(body)));
        let text = format!("{}\n{token}\n{client}\n{method}\n{path}\n{body}", self.store.region());
        hex::encode(self.key.tag("forward", &text))
    }
}

/// The whole service, for what other processes of the region pass on.
pub fn build_router(slices: &[Slice], app: App) -> Router {
    crate::build_router(slices, app.clone()).layer(from_fn_with_state(app, admit))
}

/// Takes what another process passes on: nobody else may speak for clients.
async fn admit(State(app): State<App>, req: Request, next: Next) -> Response {
    let (mut parts, body) = req.into_parts();
    let Ok(body) = whole(body).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let Some((meant, client)) = said(&app, &parts, &body) else {
        tracing::warn!("a request at the members' listener was not passed on by a member");
        return StatusCode::FORBIDDEN.into_response();
    };
    parts.headers.remove(SAYS);
    parts.extensions.insert(Client(client));
    let is_safe = parts.method.is_safe();
    let _change = if is_safe { None } else { Some(app.others.changes.read().await) };
    if app.store.role() != (Role::Writer { token: meant }) {
        return not_the_writer();
    }
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    // What changes something may have done so in part: then the client has to hear of it.
    if is_safe && response.extensions().get::<NotTheWriter>().is_some() {
        return not_the_writer();
    }
    response
}

/// Which lease is meant, and who the client is, if a member says so.
fn said(app: &App, parts: &Parts, body: &[u8]) -> Option<(i64, IpAddr)> {
    let mut words = parts.headers.get(SAYS)?.to_str().ok()?.split(' ');
    let (token, client, tag) = (words.next()?, words.next()?, words.next()?);
    let (token, client) = (token.parse().ok()?, client.parse().ok()?);
    let wanted = app.forward_tag(token, client, parts, body);
    secret::same(wanted.as_bytes(), tag.as_bytes()).then_some((token, client))
}

async fn whole(body: Body) -> Result<Bytes, Problem> {
    let collected = Limited::new(body, BODY_MAX).collect().await;
    collected.map(Collected::to_bytes).map_err(|error| {
        let status = match error.downcast_ref::<http_body_util::LengthLimitError>() {
            Some(_) => StatusCode::PAYLOAD_TOO_LARGE,
            None => StatusCode::BAD_REQUEST,
        };
        Problem::of_status(status)
    })
}

/// A request that is tried until somebody could answer it.
struct Asked {
    parts: Parts,
    body: Bytes,
    client: IpAddr,
    /// Sent twice it has one effect.
    is_repeatable: bool,
}

/// Why another process gave no answer.
enum Silent {
    /// Nothing was done.
    NotDone,
    /// Perhaps it was.
    Unknown,
}

/// The middleware: here, or where the writer is.
pub(crate) async fn place(State(app): State<App>, req: Request, next: Next) -> Response {
    if !app.store.is_shared() || req.extensions().get::<Client>().is_some() {
        return next.run(req).await;
    }
    let client = limit::address(&req, app.config.behind_proxy);
    let id = req.extensions().get::<RequestId>().map_or_else(String::new, |it| it.0.clone());
    let (parts, body) = req.into_parts();
    let refuse =
        |headers: &HeaderMap, problem: &Problem| chrome::refuse(&app, headers, problem, &id);
    let body = match timeout(TIMEOUT, whole(body)).await {
        Ok(Ok(body)) => body,
        Ok(Err(problem)) => return refuse(&parts.headers, &problem),
        Err(_) => return refuse(&parts.headers, &Problem::own("web-timeout")),
    };
    let is_repeatable = parts.method.is_safe() || has_key(&parts.headers, &body);
    let asked = Asked { parts, body, client, is_repeatable };
    match answer(&app, &asked, &next).await {
        Ok(response) => response,
        Err(problem) => refuse(&asked.parts.headers, &problem),
    }
}

/// Whether the sender chose a key that makes a repetition recognisable.
fn has_key(headers: &HeaderMap, body: &[u8]) -> bool {
    let once = format!("{ONCE_FIELD}=");
    let mut fields = body.split(|it| *it == b'&');
    let is_form = headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|it| it.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
    headers.contains_key("idempotency-key")
        || (is_form
            && fields.any(|it| it.strip_prefix(once.as_bytes()).is_some_and(|it| !it.is_empty())))
}

async fn answer(app: &App, asked: &Asked, next: &Next) -> Result<Response, Problem> {
    let mut roles = app.store.roles();
    let is_safe = asked.parts.method.is_safe();
    let (end, mut failed) = (Instant::now() + PATIENCE, false);
    loop {
        let role = roles.borrow_and_update().clone();
        match role {
            Role::Writer { .. } => {
                let _change = if is_safe { None } else { Some(app.others.changes.read().await) };
                if app.store.is_writer() {
                    let response = next.clone().run(asked.here(false)).await;
                    let is = response.extensions();
                    // The lease was lost meanwhile. Who takes it can tell a repetition by its key.
                    let lost =
                        is.get::<NotTheWriter>().is_some() || is.get::<Unanswered>().is_some();
                    if !(asked.is_repeatable && lost) {
                        return Ok(response);
                    }
                }
            }
            Role::Standby(holder) => {
                // Where the writer did not answer a moment ago, reading goes on here.
                let may_move = is_safe && holder.is_some() && !failed;
                if is_safe {
                    let response = next.clone().run(asked.here(may_move)).await;
                    if response.extensions().get::<NotTheWriter>().is_none() {
                        return Ok(response);
                    }
                }
                if let Some(holder) = holder {
                    let limit = if may_move { NOTE } else { ANSWER };
                    match asked.there(app, &holder, limit).await {
                        Ok(response) => return Ok(response),
                        Err(Silent::Unknown) if !asked.is_repeatable => {
                            return Err(Problem::unanswered());
                        }
                        Err(_) => failed = true,
                    }
                }
            }
        }
        let now = Instant::now();
        if now >= end || app.store.is_stopped() {
            return Err(Problem::moving());
        }
        // Whichever comes first: a change, or time for another look.
        let _ = timeout_at(end.min(now + PAUSE), roles.changed()).await;
    }
}

impl Asked {
    /// The request for this process's own handlers.
    fn here(&self, may_move: bool) -> Request {
        let mut parts = self.parts.clone();
        if may_move {
            parts.extensions.insert(MayMove);
        }
        Request::from_parts(parts, Body::from(self.body.clone()))
    }

    /// Asks the writer, for as long as it writes.
    async fn there(&self, app: &App, holder: &Holder, limit: Duration) -> Result<Response, Silent> {
        let request = self.outgoing(app, holder).ok_or(Silent::NotDone)?;
        let http = app.others.http().map_err(|fault| {
            tracing::error!(fault = %fault.chain(), "requests cannot be passed on");
            Silent::NotDone
        })?;
        let mut roles = app.store.roles();
        let asked = Role::Standby(Some(holder.clone()));
        let moved = async {
            let _ = roles.wait_for(|it| *it != asked).await;
            tokio::time::sleep(PARTING).await;
        };
        let answer = async {
            let (mut parts, body) = http.request(request).await?.into_parts();
            drop_hop(&mut parts.headers);
            // Whole before its status is passed back: one that is cut short must not look whole.
            Ok(Response::from_parts(parts, body.collect().await.map(Collected::to_bytes)))
        };
        let answered: Result<_, hyper_util::client::legacy::Error> = tokio::select! {
            answered = timeout(limit, answer) => answered.map_err(|_| Silent::Unknown)?,
            () = moved => return Err(Silent::Unknown),
        };
        match answered {
            Ok(answer) if answer.status() == NOT_MEANT => Err(Silent::NotDone),
            // The writer lost its lease in the middle of it.
            Ok(answer) if answer.status() == StatusCode::GATEWAY_TIMEOUT => Err(Silent::Unknown),
            Ok(answer) => {
                let (parts, body) = answer.into_parts();
                Ok(Response::from_parts(parts, Body::from(body.map_err(|_| Silent::Unknown)?)))
            }
            Err(error) if error.is_connect() => Err(Silent::NotDone),
            Err(_) => Err(Silent::Unknown),
        }
    }

    fn outgoing(&self, app: &App, holder: &Holder) -> Option<http::Request<Full<Bytes>>> {
        let path = self.parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let uri: Uri = format!("{}{path}", holder.url.trim_end_matches('/')).parse().ok()?;
        let tag = app.forward_tag(holder.token, self.client, &self.parts, &self.body);
        let says = format!("{} {} {tag}", holder.token, self.client);
        let mut headers = self.parts.headers.clone();
        drop_hop(&mut headers);
        headers.insert(SAYS, HeaderValue::from_str(&says).ok()?);
        if !headers.contains_key(header::HOST) {
            headers.insert(header::HOST, HeaderValue::from_str(uri.authority()?.as_str()).ok()?);
        }
        let mut request = http::Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.parts.method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        Some(request)
    }
}

/// Drops what belongs to one connection, and what its sender names so.
fn drop_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|it| it.to_str().ok())
        .flat_map(|it| it.split(','))
        .filter_map(|it| it.trim().parse().ok())
        .collect();
    for name in named {
        headers.remove(name);
    }
    for name in HOP {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_a_connection_or_claims_an_address_is_dropped() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "close, X-Mine"),
            ("x-mine", "1"),
            ("x-forwarded-for", "192.0.2.1"),
            ("x-haetae-forwarded", "1 192.0.2.1 00"),
            ("transfer-encoding", "chunked"),
            ("cookie", "a=b"),
        ] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        drop_hop(&mut headers);
        assert_eq!(headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["cookie"]);
    }

    #[test]
    fn a_request_is_repeatable_by_its_header_or_by_its_form_s_field() {
        let form = |kind: &'static str| {
            HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(kind))])
        };
        let urlencoded = form("application/x-www-form-urlencoded; charset=utf-8");
        assert!(has_key(&urlencoded, b"a=b&_once=7f"));
        assert!(!has_key(&urlencoded, b"a=b&_once="));
        assert!(!has_key(&urlencoded, b"not_once=7f"));
        assert!(!has_key(&form("application/json"), b"_once=7f"));
        let key = HeaderName::from_static("idempotency-key");
        assert!(has_key(&HeaderMap::from_iter([(key, HeaderValue::from_static("k"))]), b""));
    }
}
