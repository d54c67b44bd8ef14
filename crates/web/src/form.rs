//! What comes in: forms, JSON, path and query. Bounded, strict about bytes, and never a 500.
//!
//! Percent-encoded bytes that are not UTF-8 (lone surrogates among them) are refused here, because
//! the usual decoders replace them silently and a name must be kept exactly or refused.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::problem::Problem;
use crate::{Actor, App};

/// Bytes that a request's body may have.
pub const BODY_MAX: usize = 1024 * 1024;
/// Fields that a form may have.
const FIELDS_MAX: usize = 1_000;
/// The hidden field with the form token.
pub const CSRF_FIELD: &str = "_csrf";
/// The hidden field that makes a repeated submission recognisable.
pub const ONCE_FIELD: &str = "_once";

/// A submitted form. Its token is checked; `_once` goes to [`Actor::context`]. `T` is a struct of
/// texts and options, or `Vec<(String, String)>` where a name may repeat.
#[derive(Debug, Clone)]
pub struct Form<T>(pub T);

/// A JSON body, and a JSON answer.
#[derive(Debug, Clone)]
pub struct Json<T>(pub T);

/// The variable parts of the path. What cannot be read is not found.
#[derive(Debug, Clone)]
pub struct Path<T>(pub T);

/// The query.
#[derive(Debug, Clone)]
pub struct Query<T>(pub T);

/// A form with no fields of its own.
#[derive(Debug, Clone, Copy, serde::Deserialize)]
pub struct Empty {}

impl<T: DeserializeOwned> FromRequest<App> for Form<T> {
    type Rejection = Problem;

    async fn from_request(req: Request, app: &App) -> Result<Self, Problem> {
        let actor = req.extensions().get::<Actor>().cloned().unwrap_or_default();
        if !is_type(req.headers(), "application/x-www-form-urlencoded") {
            return Err(Problem::own("web-media-type"));
        }
        let body = body(req, app).await?;
        let mut pairs = decode(&body).ok_or_else(Problem::form_invalid)?;
        let mut token = None;
        pairs.retain(|(name, value)| match name.as_str() {
            CSRF_FIELD => {
                token.get_or_insert_with(|| value.clone());
                false
            }
            ONCE_FIELD => {
                // The header, when there is one, was first.
                let _ = actor.request.once.set(value.clone());
                false
            }
            _ => true,
        });
        if !app.key.csrf_fits(&actor.request.secret, token.as_deref().unwrap_or_default()) {
            return Err(Problem::own("web-csrf"));
        }
        read_pairs(&pairs).map(Self).ok_or_else(Problem::form_invalid)
    }
}

impl<T: DeserializeOwned> FromRequest<App> for Json<T> {
    type Rejection = Problem;

    async fn from_request(req: Request, app: &App) -> Result<Self, Problem> {
        if !is_type(req.headers(), "application/json") {
            return Err(Problem::own("web-media-type"));
        }
        let body = body(req, app).await?;
        serde_json::from_slice(&body).map(Self).map_err(|_| Problem::json_invalid())
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

impl<T: DeserializeOwned + Send> FromRequestParts<App> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let path = axum::extract::Path::<T>::from_request_parts(parts, app).await;
        path.map(|it| Self(it.0)).map_err(|_| Problem::own("web-path-invalid"))
    }
}

impl<T: DeserializeOwned> FromRequestParts<App> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        let pairs = decode(parts.uri.query().unwrap_or_default().as_bytes());
        let value = pairs.and_then(|it| read_pairs(&it));
        value.map(Self).ok_or_else(Problem::form_invalid)
    }
}

pub(crate) async fn body(req: Request, app: &App) -> Result<Bytes, Problem> {
    // The router's body limit cuts the stream; a body that ends early is the sender's doing too.
    Bytes::from_request(req, app).await.map_err(|rejection| Problem::of_status(rejection.status()))
}

pub(crate) fn is_type(headers: &HeaderMap, wanted: &str) -> bool {
    let given = headers.get(CONTENT_TYPE).and_then(|it: &HeaderValue| it.to_str().ok());
    let given = given.and_then(|it| it.split(';').next()).unwrap_or_default();
    given.trim().eq_ignore_ascii_case(wanted)
}

/// Fields of an urlencoded text; `None` when a field is not UTF-8, an escape is broken, or there
/// are too many.
pub(crate) fn decode(bytes: &[u8]) -> Option<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    for part in bytes.split(|it| *it == b'&').filter(|it| !it.is_empty()) {
        if pairs.len() >= FIELDS_MAX {
            return None;
        }
        let (name, value) = match part.iter().position(|it| *it == b'=') {
            Some(at) => (part.get(..at)?, part.get(at + 1..)?),
            None => (part, &[][..]),
        };
        pairs.push((unescape(name)?, unescape(value)?));
    }
    Some(pairs)
}

fn unescape(bytes: &[u8]) -> Option<String> {
    let mut text = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'+' => text.push(b' '),
            b'%' => {
                let (digits, after) = rest.split_at_checked(2)?;
                if !digits.iter().all(u8::is_ascii_hexdigit) {
                    return None;
                }
                text.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
                rest = after;
            }
            other => text.push(*other),
        }
    }
    String::from_utf8(text).ok()
}

/// Reads checked fields as a `T`.
fn read_pairs<T: DeserializeOwned>(pairs: &[(String, String)]) -> Option<T> {
    let text = serde_urlencoded::to_string(pairs).ok()?;
    serde_urlencoded::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_in_any_script_come_through_exactly() {
        let pairs = decode("name=%ED%99%8D+%EA%B8%B8%EB%8F%99&x==&y&한글=%2B".as_bytes()).unwrap();
        let pairs: Vec<_> = pairs.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(pairs, [("name", "홍 길동"), ("x", "="), ("y", ""), ("한글", "+")]);
    }

    #[test]
    fn broken_bytes_are_refused_and_never_replaced() {
        let broken: [&[u8]; 7] =
            [b"a=%ED%A0%80", b"a=%FF", b"a=%C0%80", b"a=%", b"a=%4", b"a=%+1", b"\xff=1"];
        for bytes in broken {
            assert_eq!(decode(bytes), None, "{bytes:?}");
        }
        assert_eq!(decode(&b"a&".repeat(1_001)), None);
    }
}
