//! Around every handler: who asks is found out before, and the answer is dressed after. Problems
//! become RFC 9457 JSON or a page in the reader's language; visitors get the cookie that form tokens
//! are bound to; what belongs to a person is not stored by caches.

use std::sync::{Arc, OnceLock};

use askama::Template;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, header};
use kernel::Locale;
use serde_json::json;
use store::{Fault, Reader};

use crate::actor::{RequestInfo, Who};
use crate::member::{self, MayMove, NotTheWriter, Unanswered};
use crate::problem::Problem;
use crate::route::Rate;
use crate::router::RequestId;
use crate::session::Session;
use crate::{Actor, App, Frame, cookie, limit, secret, session};

/// Characters of an `Idempotency-Key`.
const ONCE_MAX: usize = 128;

/// What a page needs to say why not.
#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    frame: Frame,
    title: String,
    detail: String,
    next: Vec<String>,
    back: String,
    code: String,
}

/// The middleware.
pub(crate) async fn dress(State(app): State<App>, mut req: Request, next: Next) -> Response {
    let headers = req.headers();
    let page = prefers_page(headers);
    let id = req.extensions().get::<RequestId>().map_or_else(String::new, |it| it.0.clone());
    // Before anything is looked up: a flood of invented sessions must not reach the store.
    let address = limit::address(&req, app.config.behind_proxy);
    if let Err(wait_s) = app.limits.take(Rate::Normal, address) {
        return refuse(&app, headers, &Problem::own("web-too-many").retry_after(wait_s), &id);
    }
    let visitor = cookie::read(headers, &cookie::host_name(&app.config, cookie::VISITOR));
    let fresh = visitor.is_none().then(|| secret::token(app.seed()));
    let cookie_secret = visitor.map(str::to_owned).or_else(|| fresh.clone()).unwrap_or_default();
    let actor = match identify(&app, headers, req.method(), req.uri().path(), cookie_secret).await {
        Ok(actor) => actor,
        Err(problem) => return refuse(&app, headers, &problem, &id),
    };
    if req.extensions().get::<MayMove>().is_some()
        && actor.session.as_ref().is_some_and(|it| it.is_due(app.now()))
    {
        // Only the writer can write down that the session was used.
        return member::not_the_writer();
    }
    req.extensions_mut().insert(actor.clone());
    let mut response = next.run(req).await;
    if let Some(problem) = problem_of(&mut response) {
        let cookies: Vec<_> =
            response.headers().get_all(header::SET_COOKIE).iter().cloned().collect();
        response = show(&app, &actor, &problem, page, &id);
        for it in cookies {
            response.headers_mut().append(header::SET_COOKIE, it);
        }
        if problem.code == Problem::moving().code {
            response.extensions_mut().insert(NotTheWriter);
        } else if problem.code == Problem::unanswered().code {
            response.extensions_mut().insert(Unanswered);
        }
    }
    finish(&app, &actor, fresh, &mut response);
    if let Some(session) = actor.session.filter(|it| it.is_due(app.now())) {
        session::touch(&app, session.key).await;
    }
    response
}

/// A refusal of whoever it is that asks.
pub(crate) fn refuse(app: &App, headers: &HeaderMap, problem: &Problem, id: &str) -> Response {
    let actor = Actor { locale: locale(headers), ..Actor::default() };
    show(app, &actor, problem, prefers_page(headers), id)
}

fn finish(app: &App, actor: &Actor, fresh: Option<String>, response: &mut Response) {
    let html = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|it| it.as_bytes().starts_with(b"text/html"));
    let headers = response.headers_mut();
    if html {
        // Forms in the page hold this reader's token, so no page is anybody else's.
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        if let (Some(token), None) = (fresh, &actor.session) {
            let visitor = cookie::host(&app.config, cookie::VISITOR, &token, None);
            headers.append(header::SET_COOKIE, visitor);
        }
        if actor.request.notice.is_some() {
            let gone = cookie::plain(&app.config, cookie::NOTICE, "", 0);
            headers.append(header::SET_COOKIE, gone);
        }
    } else if actor.session.is_some() {
        let private = HeaderValue::from_static("no-store");
        headers.entry(header::CACHE_CONTROL).or_insert(private);
    }
}

/// What the session's row, the roles and the labels say.
struct Known {
    session: Session,
    actor: Actor,
}

async fn identify(
    app: &App,
    headers: &HeaderMap,
    method: &Method,
    path: &str,
    visitor: String,
) -> Result<Actor, Problem> {
    let token = cookie::read(headers, &cookie::host_name(&app.config, cookie::SESSION));
    let token = token.filter(|it| !it.is_empty()).map(str::to_owned);
    let known = match &token {
        Some(token) => {
            let (app_inside, token) = (app.clone(), token.clone());
            app.read(move |reader| known(&app_inside, reader, &token)).await?
        }
        None => None,
    };
    let once = OnceLock::new();
    if let Some(key) = headers.get("idempotency-key").and_then(|it| it.to_str().ok())
        && (1..=ONCE_MAX).contains(&key.len())
    {
        let _ = once.set(key.to_owned());
    }
    let one_of = |name, allowed: &[&'static str]| {
        let given = cookie::read(headers, name)?;
        allowed.iter().find(|it| **it == given).copied()
    };
    let notice = cookie::read(headers, cookie::NOTICE).filter(|it| !it.is_empty());
    let request = RequestInfo {
        method: method.clone(),
        path: path.to_owned(),
        secret: match (&known, token) {
            (Some(_), Some(token)) => token,
            _ => visitor,
        },
        once,
        notice: notice.map(str::to_owned),
        theme: one_of(cookie::THEME, &["light", "dark"]),
        size: one_of(cookie::SIZE, &["normal", "large"]),
    };
    let mut actor = match known {
        Some(Known { session, actor }) => Actor { session: Some(session), ..actor },
        None => Actor::default(),
    };
    actor.locale = locale(headers);
    actor.request = Arc::new(request);
    Ok(actor)
}

fn known(app: &App, reader: &mut Reader<'_>, token: &str) -> Result<Option<Known>, Fault> {
    let (now, ask) = (app.now(), &app.questions);
    let Some(session) = session::find(reader, token, now)? else { return Ok(None) };
    let mut actor = Actor { who: session.who, ..Actor::default() };
    match session.who {
        Who::Anonymous => {}
        Who::Citizen(person) => {
            actor.label = (ask.person_label)(reader, person)?;
            if let Some(helped) = session.acting_for
                && (ask.may_help)(reader, person, helped, now)?
            {
                actor.acting_for = Some(helped);
                actor.acting_for_label = (ask.person_label)(reader, helped)?;
            }
        }
        Who::Staff(staff) => {
            actor.label = (ask.staff_label)(reader, staff)?;
            // Without a passkey a member of staff may make one, and nothing else.
            if session.strong || app.config.demo {
                actor.grants = (ask.grants_of)(reader, staff, now)?;
                actor.grants.retain(|it| now < it.until);
            }
        }
    }
    Ok(Some(Known { session, actor }))
}

/// Whether this member of staff must first make a passkey.
pub(crate) fn needs_passkey(app: &App, actor: &Actor) -> bool {
    matches!(actor.who, Who::Staff(_))
        && !app.config.demo
        && !actor.session.as_ref().is_some_and(|it| it.strong)
}

/// The language chosen by the switch, else by the browser, else Korean.
fn locale(headers: &HeaderMap) -> Locale {
    let chosen = cookie::read(headers, cookie::LANGUAGE).and_then(Locale::from_tag);
    let accepted = || {
        let text = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
        Locale::negotiate(text)
    };
    chosen.or_else(accepted).unwrap_or_default()
}

/// Whether the client wants a page rather than JSON: browsers name `text/html`, programs do not.
pub(crate) fn prefers_page(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let place = |name: &str| accept.find(name);
    match (place("text/html"), place("application/json").or_else(|| place("problem+json"))) {
        (Some(html), Some(json)) => html < json,
        (html, _) => html.is_some(),
    }
}

/// The problem that an answer stands for: a [`Problem`], or a plain error text of a library.
fn problem_of(response: &mut Response) -> Option<Problem> {
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        return Some(problem);
    }
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return None;
    }
    let kind = response.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    match kind {
        None => Some(Problem::of_status(status)),
        Some(kind) if kind.starts_with(b"text/plain") => Some(Problem::of_status(status)),
        // A page or a body that a handler made on purpose.
        Some(_) => None,
    }
}

fn show(app: &App, actor: &Actor, problem: &Problem, page: bool, id: &str) -> Response {
    let locale = actor.locale;
    let title = app.texts.format(locale, problem.code, &problem.args);
    let detail = app.texts.find(locale, &format!("{}-help", problem.code));
    let mut response = if page {
        let back = if problem.status.as_u16() == 401 { "/sign-in" } else { "/" };
        let page = ProblemPage {
            frame: Frame::new(app, actor, "web-name").titled(title.clone()),
            title,
            detail: detail.unwrap_or_else(|| app.texts.get(locale, "web-problem-detail")),
            next: next_steps(app, locale, problem),
            back: back.to_owned(),
            code: problem.code.to_owned(),
        };
        match page.render() {
            Ok(html) => Html(html).into_response(),
            Err(error) => {
                tracing::error!(%error, "the problem page did not render");
                Response::new(Body::empty())
            }
        }
    } else {
        let mut body = json!({
            "type": format!("/problems/{}", problem.code),
            "title": title,
            "status": problem.status.as_u16(),
            "detail": detail,
            "code": problem.code,
            "instance": id,
        });
        if let Some(body) = body.as_object_mut() {
            let members = problem.members.iter();
            body.extend(members.map(|(name, it)| ((*name).to_owned(), it.clone())));
        }
        let mut response = body.to_string().into_response();
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    };
    *response.status_mut() = problem.status;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(locale.tag()));
    if let Some(seconds) = problem.retry_after_s {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn next_steps(app: &App, locale: Locale, problem: &Problem) -> Vec<String> {
    let wait = problem.retry_after_s.map(|seconds| {
        let seconds = kernel::Arg::Number(i64::from(seconds));
        app.texts.format(locale, "web-problem-wait", &[("seconds", seconds)])
    });
    let key = match problem.status.as_u16() {
        401 => "web-problem-sign-in",
        404 => "web-problem-look",
        500.. => "web-problem-later",
        _ => "web-problem-again",
    };
    wait.into_iter().chain([app.texts.get(locale, key)]).collect()
}

/// A sample of the problem page.
pub(crate) fn sample(locale: Locale) -> Result<String, askama::Error> {
    let frame = crate::sample_frame(locale);
    let page = ProblemPage {
        title: frame.t("web-not-found"),
        detail: frame.t("web-not-found-help"),
        next: vec![frame.t("web-problem-look")],
        back: "/".to_owned(),
        code: "web-not-found".to_owned(),
        frame,
    };
    page.render()
}
