//! The requests of the page and their answers, as JSON.
//!
//! | `op` | takes | answers |
//! |---|---|---|
//! | `load_lists` | `trust`, `revocations` (or null), `floor` (or null), `root` (32 bytes): base64; `min_version`, `min_revocation_version`, `min_since` (default 0) | `{"ok": {...}}` what was loaded, with versions and times |
//! | `apply_delta` | `revocations` (the older list), `delta`, `root`: base64 | `{"ok": {"list": "..."}}` the newer list, whose signature holds |
//! | `verify` | `text`, `now_s`; `remember` (default true) | `{"ok": verdict}` |
//! | `is_bound` | `text` | `{"ok": true}` for a compact code of a pass of ours, which has the envelope of the health code: for `prepare` and `conclude` |
//! | `load_passes` | `passes`, `root`: base64; `min_version` (default 0) | `{"ok": {...}}` version and times |
//! | `prepare` | `text` | `{"ok": [...]}` the signatures in somebody else's pass, for the browser to check |
//! | `conclude` | `text`, `now_s`, `demand`; `held` (the answers), `remember` | `{"ok": verdict}` on somebody else's pass, or a compact code of ours |
//! | `parse_short` | `text` | `{"ok": {"text": "7K3M-..."}}` |
//!
//! What goes wrong answers `{"error": code}`; a refused list leaves the one loaded before, unless the
//! region's floor says that it does not count any more.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use credential::short::ShortCodeError;
use credential::{
    DecodeError, Floor, Policy, RevocationDelta, RevocationList, SeenSet, ShortCode, Trust,
    TrustList, Verdict, pass, verify,
};
use serde::{Deserialize, Serialize};

use crate::passes::{Dates as PassDates, Demand, Passes, Shown, ToCheck};

/// The longest request that is read, in bytes: the longest lists in base64, and some.
pub const MAX_REQUEST: usize = 12 * 1024 * 1024;

const MALFORMED: &str = "request_malformed";

/// The state of one gate: its lists and what it has seen.
#[derive(Debug, Default)]
pub struct Desk {
    trust: Option<Trust>,
    seen: SeenSet,
    passes: Option<Passes>,
    /// The highest floor seen, and whose: it never falls while this desk lives, whatever is loaded.
    floor: ([u8; 32], i64),
}

/// All fields of all requests side by side: a tagged enum would be prettier, but serde reads one by
/// way of a buffer that makes the module 15 kB larger.
#[derive(Deserialize)]
struct Request {
    op: Op,
    trust: Option<String>,
    revocations: Option<String>,
    delta: Option<String>,
    root: Option<String>,
    floor: Option<String>,
    #[serde(default)]
    min_version: u64,
    #[serde(default)]
    min_revocation_version: u64,
    #[serde(default)]
    min_since: i64,
    text: Option<String>,
    now_s: Option<i64>,
    passes: Option<String>,
    #[serde(default)]
    held: Vec<Option<bool>>,
    demand: Option<Demand>,
    #[serde(default = "yes")]
    remember: bool,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Op {
    LoadLists,
    ApplyDelta,
    Verify,
    IsBound,
    LoadPasses,
    Prepare,
    Conclude,
    ParseShort,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Response<'a> {
    Ok(Answer<'a>),
    Error(&'static str),
}

#[derive(Serialize)]
#[serde(untagged)]
enum Answer<'a> {
    Loaded(Loaded<'a>),
    Verdict(Box<Verdict>),
    Says(bool),
    Carried(PassDates),
    ToCheck(Vec<Option<ToCheck>>),
    Shown(Box<Shown>),
    Short { text: ShortCode },
    List { list: String },
}

/// What was loaded, so that the page can show the age of the lists.
#[derive(Serialize)]
struct Loaded<'a> {
    region: &'a str,
    keys: usize,
    trust: Dates,
    /// Null when there is no revocation list, or a refused one; then `revocations_error` says why.
    revocations: Option<Dates>,
    revocations_error: Option<&'static str>,
    /// From when on lists count: the highest seen, to be remembered.
    since: i64,
}

#[derive(Serialize)]
struct Dates {
    version: u64,
    issued_at: i64,
    valid_until: i64,
}

impl Desk {
    /// Answers one request; never panics, whatever the bytes.
    pub fn answer(&mut self, request: &[u8]) -> Vec<u8> {
        let response = if MAX_REQUEST < request.len() {
            Response::Error("request_too_long")
        } else {
            match serde_json::from_slice(request) {
                Ok(request) => self.handle(&request).unwrap_or_else(Response::Error),
                Err(_) => Response::Error(MALFORMED),
            }
        };
        // Strings, numbers and nulls only: nothing of ours fails to become JSON.
        serde_json::to_vec(&response).unwrap_or_else(|_| br#"{"error":"response"}"#.to_vec())
    }

    fn handle(&mut self, request: &Request) -> Result<Response<'_>, &'static str> {
        let text = || request.text.as_deref().ok_or(MALFORMED);
        match request.op {
            Op::LoadLists => self.load(request),
            Op::ApplyDelta => {
                let list = newer(request)?;
                Ok(Response::Ok(Answer::List { list }))
            }
            Op::Verify => {
                let (text, now_s) = (text()?, request.now_s.ok_or(MALFORMED)?);
                let trust = self.trust.as_ref().ok_or("lists_missing")?;
                let seen = request.remember.then_some(&mut self.seen);
                let verdict = verify(text, trust, seen, &Policy::default(), now_s);
                Ok(Response::Ok(Answer::Verdict(Box::new(verdict))))
            }
            Op::IsBound => Ok(Response::Ok(Answer::Says(pass::is_bound(text()?)))),
            Op::LoadPasses => self.load_passes(request),
            Op::Prepare => {
                let carried = self.passes.as_ref().ok_or("passes_missing")?;
                Ok(Response::Ok(Answer::ToCheck(carried.to_check(text()?))))
            }
            Op::Conclude => {
                let (text, now_s) = (text()?, request.now_s.ok_or(MALFORMED)?);
                let demand = request.demand.as_ref().ok_or(MALFORMED)?;
                let carried = self.passes.as_ref().ok_or("passes_missing")?;
                let seen = request.remember.then_some(&mut self.seen);
                let shown = carried.judge(text, &request.held, demand, seen, now_s);
                Ok(Response::Ok(Answer::Shown(Box::new(shown))))
            }
            Op::ParseShort => {
                let text = text()?.parse().map_err(ShortCodeError::code)?;
                Ok(Response::Ok(Answer::Short { text }))
            }
        }
    }

    /// Remembers from when on lists count, and drops what is loaded and does not count any more: the
    /// gate then cannot tell until it is given newer lists.
    fn raise(&mut self, root: [u8; 32], since: i64) -> i64 {
        let (of, before) = self.floor;
        let since = if of == root { since.max(before) } else { since };
        self.floor = (root, since);
        if self.trust.as_ref().is_some_and(|it| it.list.issued_at < since) {
            self.trust = None;
        }
        if let Some(trust) = &mut self.trust {
            trust.revocations.take_if(|it| it.issued_at < since);
        }
        since
    }

    /// Bad material changes nothing.
    fn load_passes(&mut self, request: &Request) -> Result<Response<'_>, &'static str> {
        let root = root(request)?;
        let signed = request.passes.as_deref().ok_or(MALFORMED)?;
        let signed = bytes(signed).ok_or(DecodeError::WrongShape.code())?;
        let opened =
            Passes::open(&signed, &root, request.min_version).map_err(DecodeError::code)?;
        let dates = self.passes.insert(opened).dates();
        if dates.issued_at < request.min_since {
            self.passes = None;
            return Err(DecodeError::RolledBack.code());
        }
        Ok(Response::Ok(Answer::Carried(dates)))
    }

    /// A bad trust list changes nothing. A bad revocation list leaves the gate without one: it then
    /// says "cannot tell" rather than rely on what may have been tampered with.
    fn load(&mut self, request: &Request) -> Result<Response<'_>, &'static str> {
        let root = root(request)?;
        let floor = request.floor.as_deref().map(|text| open_floor(text, &root)).transpose();
        let floor = floor.map_err(DecodeError::code)?;
        let since =
            self.raise(root, request.min_since.max(floor.as_ref().map_or(0, |it| it.since)));
        let trust = bytes(request.trust.as_deref().ok_or(MALFORMED)?);
        let trust = trust.ok_or(DecodeError::WrongShape.code())?;
        let list =
            TrustList::open(&trust, &root, request.min_version).map_err(DecodeError::code)?;
        if floor.is_some_and(|it| it.region != list.region) {
            return Err(DecodeError::WrongShape.code());
        }
        if list.issued_at < since {
            return Err(DecodeError::RolledBack.code());
        }

        let revocations = request.revocations.as_deref().map(|text| {
            let signed = bytes(text).ok_or(DecodeError::WrongShape)?;
            let list = RevocationList::open(&signed, &root, request.min_revocation_version)?;
            if list.issued_at < since { Err(DecodeError::RolledBack) } else { Ok(list) }
        });
        let (revocations, refused) = match revocations {
            Some(Ok(list)) => (Some(list), None),
            Some(Err(error)) => (None, Some(error.code())),
            None => (None, None),
        };
        let trust = self.trust.insert(Trust { list, revocations });
        Ok(Response::Ok(Answer::Loaded(Loaded {
            region: &trust.list.region,
            keys: trust.list.keys.len(),
            trust: Dates {
                version: trust.list.version,
                issued_at: trust.list.issued_at,
                valid_until: trust.list.valid_until,
            },
            revocations: trust.revocations.as_ref().map(|list| Dates {
                version: list.version,
                issued_at: list.issued_at,
                valid_until: list.valid_until,
            }),
            revocations_error: refused,
            since,
        })))
    }
}

fn root(request: &Request) -> Result<[u8; 32], &'static str> {
    let root = bytes(request.root.as_deref().ok_or(MALFORMED)?);
    root.and_then(|root| <[u8; 32]>::try_from(root).ok()).ok_or("root_malformed")
}

/// The newer revocation list in base64.
fn newer(request: &Request) -> Result<String, &'static str> {
    let root = root(request)?;
    let part = |text: &Option<String>| text.as_deref().and_then(bytes).ok_or(MALFORMED);
    let (older, delta) = (part(&request.revocations)?, part(&request.delta)?);
    let made = RevocationDelta::from_cbor(&delta).and_then(|it| it.apply(&older));
    let made = made.and_then(|it| RevocationList::open(&it, &root, 0).map(|_| it));
    made.map(|it| STANDARD.encode(it)).map_err(DecodeError::code)
}

fn open_floor(text: &str, root: &[u8; 32]) -> Result<Floor, DecodeError> {
    Floor::open(&bytes(text).ok_or(DecodeError::WrongShape)?, root)
}

fn bytes(base64: &str) -> Option<Vec<u8>> {
    STANDARD.decode(base64).ok()
}

fn yes() -> bool {
    true
}
