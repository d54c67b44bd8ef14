//! The router: every route behind its access check, and around all of them what every answer needs.
//!
//! From the outside in: request id, log and metrics; security headers; compression; which process of
//! the region answers (`member`); who asks and how answers are shown (`chrome`), after the ordinary rate
//! limit; panic catcher; timeout; body limit; then per route the strict rate limit, the same-origin check and the access check.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate as _, SizeAbove};
use tower_http::timeout::TimeoutLayer;

use crate::form::BODY_MAX;
use crate::problem::Problem;
use crate::route::{Access, Rate, Route};
use crate::{Actor, App, Slice, chrome, cookie, limit, member};

/// A request is given up after this time.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);

/// What a page may load and do: our own files, nothing inline, nothing from elsewhere. `blob:`
/// serves picture files chosen for scanning; `wasm-unsafe-eval` compiles our own WebAssembly.
const CSP: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
     img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; manifest-src 'self'; \
     worker-src 'self'; media-src 'self' blob:; form-action 'self'; frame-ancestors 'none'; \
     base-uri 'none'";

/// Headers that every answer carries. `same-origin` and not `no-referrer`: with the latter browsers
/// send `Origin: null` with our own forms, and the same-origin check would refuse them.
const HEADERS: [(&str, &str); 6] = [
    ("content-security-policy", CSP),
    ("permissions-policy", "camera=(self), microphone=(), geolocation=(), payment=()"),
    ("referrer-policy", "same-origin"),
    ("x-content-type-options", "nosniff"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// The whole service: all routes of all slices, web's own included when it is in the list.
pub fn build_router(slices: &[Slice], app: App) -> Router {
    let mut router = Router::new();
    for slice in slices {
        for route in (slice.routes)() {
            let Route { method: _, path, access, rate, handler } = route;
            let guard = Guard { app: app.clone(), access, rate };
            router = router.route(path, handler.route_layer(from_fn_with_state(guard, guarded)));
        }
    }
    let big_enough = SizeAbove::new(512)
        .and(NotForContentType::new("application/octet-stream"))
        // A compressor holds back what is to be seen at once.
        .and(NotForContentType::SSE);
    router
        .fallback(async || Problem::not_found())
        .method_not_allowed_fallback(async || Problem::own("web-method-not-allowed"))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, TIMEOUT))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(app.clone(), chrome::dress))
        .layer(from_fn_with_state(app.clone(), member::place))
        .layer(CompressionLayer::new().br(true).gzip(true).compress_when(big_enough))
        .layer(from_fn_with_state(app.clone(), secured))
        .layer(from_fn_with_state(app.clone(), watched))
        .layer(from_fn(numbered))
        .with_state(app)
}

#[derive(Clone)]
struct Guard {
    app: App,
    access: Access,
    rate: Rate,
}

/// The strict rate limit, the same-origin check, the access check: in this order, cheapest first.
async fn guarded(State(guard): State<Guard>, req: Request, next: Next) -> Response {
    let Guard { app, access, rate } = guard;
    if rate == Rate::Strict {
        let address = limit::address(&req, app.config.behind_proxy);
        if let Err(wait_s) = app.limits.take(rate, address) {
            return Problem::own("web-too-many").retry_after(wait_s).into_response();
        }
    }
    if !req.method().is_safe() && !same_origin(&app, req.headers()) {
        return Problem::own("web-cross-site").into_response();
    }
    let actor = req.extensions().get::<Actor>().cloned().unwrap_or_default();
    match check(&app, access, &actor) {
        Ok(()) => next.run(req).await,
        Err(problem) => refused(&req, problem),
    }
}

/// Whether this actor may use a route with this access.
pub(crate) fn check(app: &App, access: Access, actor: &Actor) -> Result<(), Problem> {
    match access {
        Access::Anyone | Access::DeviceSigned => Ok(()),
        Access::Demo if app.config.demo => Ok(()),
        Access::Demo => Err(Problem::not_found()),
        Access::SignedIn if actor.is_signed_in() => Ok(()),
        Access::SignedIn => Err(Problem::sign_in_required()),
        Access::Citizen => actor.own_person().map(|_| ()),
        Access::Staff(roles) => {
            actor.staff()?;
            if chrome::needs_passkey(app, actor) {
                return Err(Problem::own("web-passkey-required"));
            }
            if roles.is_empty() || roles.iter().any(|it| actor.has(*it)) {
                Ok(())
            } else {
                Err(Problem::forbidden())
            }
        }
    }
}

/// A browser that looks at a page is sent to where it can get in; everything else gets the problem.
fn refused(req: &Request, problem: Problem) -> Response {
    let looks = *req.method() == Method::GET && chrome::prefers_page(req.headers());
    let path = req.uri().path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    match problem.code {
        "web-sign-in-required" if looks => {
            let next = if crate::redirect::is_safe(path) { path } else { "/" };
            let query = serde_urlencoded::to_string([("next", next)]).unwrap_or_default();
            Redirect::to(&format!("/sign-in?{query}")).into_response()
        }
        "web-passkey-required" if looks => Redirect::to("/account/passkeys").into_response(),
        _ => problem.into_response(),
    }
}

/// Whether a request that changes something comes from our own pages, as the browser says it
/// (Fetch Metadata, else `Origin`). Programs send neither and carry no cookies.
fn same_origin(app: &App, headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| headers.get(name).map(|it| it.to_str().unwrap_or("?"));
    match text(HeaderName::from_static("sec-fetch-site")) {
        Some("same-origin" | "none") => return true,
        Some(_) => return false,
        None => {}
    }
    text(header::ORIGIN).is_none_or(|it| it == app.config.origin_text())
}

fn panicked(_: Box<dyn std::any::Any + Send + 'static>) -> Response {
    // What the panic said was written to stderr by the panic hook; it may hold personal data and
    // is not repeated.
    tracing::error!("a handler panicked");
    Problem::own("web-fault").into_response()
}

/// The request's id: in the answer's header, in problems, in the log.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) String);

static NUMBER: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);

async fn numbered(mut req: Request, next: Next) -> Response {
    // Names one request within one run of the program; need not be hard to guess.
    let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let id = format!("{:08x}-{number:x}", std::process::id());
    req.extensions_mut().insert(RequestId(id.clone()));
    let mut response = next.run(req).await;
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-request-id", value);
    }
    response
}

/// Counts and logs: the route's pattern, never the path, the query or the address.
async fn watched(State(app): State<App>, req: Request, next: Next) -> Response {
    let begun = tokio::time::Instant::now();
    let method = match req.method().as_str() {
        it @ ("GET" | "HEAD" | "POST" | "PUT" | "DELETE") => it.to_owned(),
        _ => "OTHER".to_owned(),
    };
    let pattern = req.extensions().get::<MatchedPath>().map_or("-", MatchedPath::as_str).to_owned();
    let id = req.extensions().get::<RequestId>().map_or_else(String::new, |it| it.0.clone());
    let response = next.run(req).await;
    let (status, took) = (response.status().as_u16(), begun.elapsed());
    app.metrics.count(&method, &pattern, status, took);
    let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    tracing::debug!(id, method, pattern, status, took_ms, "answered");
    response
}

async fn secured(State(app): State<App>, req: Request<Body>, next: Next) -> Response {
    let mut response = next.run(req).await;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if !app.config.demo && cookie::secure(&app.config) {
        let two_years = HeaderValue::from_static("max-age=63072000; includeSubDomains");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, two_years);
    }
    response
}
