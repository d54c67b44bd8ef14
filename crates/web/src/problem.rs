//! Every "no" and every failure, as RFC 9457 problem details or as a page.
//!
//! A handler gives a [`Problem`]; what the client sees is decided outside, where language and
//! wishes are known: [`crate::router`] renders it.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use kernel::{Arg, Refusal};
use serde_json::Value;
use store::Fault;

/// An answer that says no: a stable code, a status, and what the text mentions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The stable code, also the key of its text, e.g. `code-not-declared`.
    pub code: &'static str,
    /// The HTTP status.
    pub status: StatusCode,
    /// What the text mentions.
    pub args: Vec<(&'static str, Arg)>,
    /// When trying again makes sense, in seconds.
    pub retry_after_s: Option<u32>,
    /// What a program is told besides (RFC 9457, 3.2: extension members).
    pub members: Vec<(&'static str, Value)>,
}

/// What a client is told to wait while nothing can be written, in seconds: an operator has to make
/// room.
const PAUSED_RETRY_S: u32 = 30;

/// The same while the database cannot be reached.
const LOST_RETRY_S: u32 = 10;

/// What a client is told to wait while the region moves from one process to another, in seconds.
const MOVING_RETRY_S: u32 = 5;

/// Web's own problems: code and status. Each has a text and a page, like every refusal's.
pub const PROBLEMS: &[(&str, u16)] = &[
    ("web-busy", 503),
    ("web-cross-site", 403),
    ("web-csrf", 403),
    ("web-expired", 410),
    ("web-fault", 500),
    ("web-forbidden", 403),
    ("web-form-invalid", 400),
    ("web-json-invalid", 400),
    ("web-link-used", 410),
    ("web-media-type", 415),
    ("web-method-not-allowed", 405),
    ("web-moving", 503),
    ("web-not-found", 404),
    ("web-not-ready", 503),
    ("web-otp-wrong", 422),
    ("web-passkey-failed", 422),
    ("web-passkey-last", 409),
    ("web-passkey-required", 403),
    ("web-path-invalid", 404),
    ("web-paused", 503),
    ("web-phone-invalid", 422),
    ("web-sign-in-required", 401),
    ("web-timeout", 503),
    ("web-too-large", 413),
    ("web-too-many", 429),
    ("web-unanswered", 504),
];

impl Problem {
    /// A problem with this code and status.
    pub fn new(code: &'static str, status: StatusCode) -> Self {
        Self { code, status, args: Vec::new(), retry_after_s: None, members: Vec::new() }
    }

    /// One of web's own problems.
    pub(crate) fn own(code: &'static str) -> Self {
        let status = PROBLEMS.iter().find(|(known, _)| *known == code).map(|(_, status)| *status);
        Self::new(code, status_of(status.unwrap_or(500)))
    }

    /// There is no such page or thing, or the asker may not know that there is.
    pub fn not_found() -> Self {
        Self::own("web-not-found")
    }

    /// The asker is known and may not.
    pub fn forbidden() -> Self {
        Self::own("web-forbidden")
    }

    /// Nobody is signed in.
    pub fn sign_in_required() -> Self {
        Self::own("web-sign-in-required")
    }

    /// The form does not hold what it should.
    pub fn form_invalid() -> Self {
        Self::own("web-form-invalid")
    }

    /// The JSON body does not hold what it should.
    pub fn json_invalid() -> Self {
        Self::own("web-json-invalid")
    }

    /// The rules said no.
    pub fn refused(refusal: &impl Refusal) -> Self {
        Self { args: refusal.args(), ..Self::new(refusal.code(), status_of(refusal.status())) }
    }

    /// The queue is full.
    pub fn busy(retry_after_s: u32) -> Self {
        Self { retry_after_s: Some(retry_after_s), ..Self::own("web-busy") }
    }

    /// No process writes the region at present, or another does than the one that was asked.
    pub(crate) fn moving() -> Self {
        Self::own("web-moving").retry_after(MOVING_RETRY_S)
    }

    /// Nobody can say whether what was sent took effect.
    pub(crate) fn unanswered() -> Self {
        Self::own("web-unanswered")
    }

    /// The same problem, worth another try after this many seconds.
    #[must_use]
    pub fn retry_after(self, retry_after_s: u32) -> Self {
        Self { retry_after_s: Some(retry_after_s), ..self }
    }

    /// The same problem with a value that its text mentions.
    #[must_use]
    pub fn with(mut self, name: &'static str, arg: Arg) -> Self {
        self.args.push((name, arg));
        self
    }

    /// The same problem with a member that programs read.
    #[must_use]
    pub fn with_member(mut self, name: &'static str, value: Value) -> Self {
        self.members.push((name, value));
        self
    }

    /// The problem that stands for a plain answer with this status, as libraries give them.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        let code = match status.as_u16() {
            401 => "web-sign-in-required",
            403 => "web-forbidden",
            404 => "web-not-found",
            405 => "web-method-not-allowed",
            408 | 503 | 504 => "web-timeout",
            413 => "web-too-large",
            415 => "web-media-type",
            429 => "web-too-many",
            400..=499 => "web-form-invalid",
            _ => "web-fault",
        };
        Self { status, ..Self::own(code) }
    }
}

/// The status of this number; 500 for a number that is none.
fn status_of(number: u16) -> StatusCode {
    StatusCode::from_u16(number).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

impl<R: Refusal> From<store::Error<R>> for Problem {
    fn from(error: store::Error<R>) -> Self {
        match error {
            store::Error::Refused(refusal) => Self::refused(&refusal),
            store::Error::Busy { retry_after_s } => Self::busy(retry_after_s),
            store::Error::Fault(fault) => fault.into(),
        }
    }
}

impl From<Fault> for Problem {
    /// Logs the chain once; the client learns nothing of it. What the store refuses because nothing
    /// can be written at present is no failure of the request: the client may come again.
    fn from(fault: Fault) -> Self {
        if fault.is_paused() {
            return Self::own("web-paused").retry_after(PAUSED_RETRY_S);
        }
        if fault.is_elsewhere() {
            return Self::moving();
        }
        if fault.is_lost() {
            // `/ready` says it too; a line for each request would bury what matters.
            tracing::debug!(fault = %fault.chain(), "the database was not reached");
            return Self::own("web-not-ready").retry_after(LOST_RETRY_S);
        }
        if fault.is_unknown() {
            // The region has moved, and who asks again with a key is told by its new writer.
            tracing::warn!(fault = %fault.chain(), "nobody can say here what became of a request");
            return Self::unanswered();
        }
        tracing::error!(fault = %fault.chain(), "a request met a fault");
        Self::own("web-fault")
    }
}

impl From<askama::Error> for Problem {
    fn from(error: askama::Error) -> Self {
        Fault::caused("rendering a page", error).into()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_sorted_and_prefixed() {
        assert!(PROBLEMS.is_sorted_by(|left, right| left.0 < right.0));
        assert!(PROBLEMS.iter().all(|(code, _)| code.starts_with("web-")));
    }

    #[test]
    fn a_fault_tells_the_client_nothing() {
        let problem = Problem::from(Fault::new("secret detail"));
        assert_eq!((problem.code, problem.status.as_u16()), ("web-fault", 500));
        assert!(problem.args.is_empty());
    }

    #[test]
    fn a_full_queue_says_when_to_come_back() {
        let problem = Problem::from(store::Error::<Nothing>::Busy { retry_after_s: 2 });
        assert_eq!((problem.status.as_u16(), problem.retry_after_s), (503, Some(2)));
    }

    #[derive(Debug)]
    struct Nothing;
    impl Refusal for Nothing {
        fn code(&self) -> &'static str {
            "test-nothing"
        }
        fn status(&self) -> u16 {
            409
        }
    }
}
