//! The region's keys as its administrators see them: which there are, how each stands, and what is to be
//! done. Names and times only, never a secret.

use std::path::Path;
use std::time::UNIX_EPOCH;

use kernel::Instant;
use serde::Serialize;
use store::queue::{self, QueueKey};
use store::wrap::Wrap;
use store::{Fault, Keyring, Reader, Store};

use crate::issuer::{Issuer, Issuers};
use crate::keys;

/// Names of the keys that there is one of, for good.
pub const SINGLE: [&str; 4] = ["blind-index", "log", "root", "web"];

/// A key's file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyFile {
    /// Its name: the file is called so, with `.key`.
    pub name: String,
    /// When the file was written.
    pub made_at: Option<Instant>,
    /// `current`, `next` (its time comes), `used` (still needed for what it made), `refused` (what it
    /// signed since some time is), `over` (destroyed soon) or `unused`.
    pub state: &'static str,
}

/// All keys, as the folder and the databases know them.
#[derive(Debug)]
pub struct KeyList {
    /// The files, in order of their names.
    pub files: Vec<KeyFile>,
    /// The wrapping keys.
    pub wraps: Vec<Wrap>,
    /// The keys that gates seal to.
    pub queues: Vec<QueueKey>,
    /// The keys that sign.
    pub issuers: Issuers,
}

impl KeyList {
    /// Reads them, with a reader of `store`.
    pub fn read(reader: &mut Reader<'_>, store: &Store, keyring: &Keyring) -> Result<Self, Fault> {
        let (wraps, queues) = (store.wraps()?, store.queue_keys()?);
        let issuers = keys::issuers(reader)?;
        let mut files = Vec::new();
        for name in keyring.names()? {
            let state = state(&name, &wraps, &queues, &issuers, store.clock().now());
            let made_at = made_at(&keyring.path(&name));
            files.push(KeyFile { name, made_at, state });
        }
        Ok(Self { files, wraps, queues, issuers })
    }
}

fn state(
    name: &str,
    wraps: &[Wrap],
    queues: &[QueueKey],
    issuers: &Issuers,
    now: Instant,
) -> &'static str {
    if let Some(it) = wraps.iter().find(|it| it.name == name) {
        return match it.over_at {
            Some(_) => "over",
            None if wraps.iter().any(|other| it.is_before(other)) => "used",
            None => "current",
        };
    }
    if let Some(it) = queues.iter().find(|it| it.name == name) {
        let given = queue::current(queues, now).map(|it| it.number);
        return match it.number {
            _ if it.is_over(now) => "over",
            _ if !it.has_begun(now) => "next",
            number if Some(number) == given => "current",
            _ => "used",
        };
    }
    if let Some(it) = issuers.keys.iter().find(|it| keys::file(it.kid) == name) {
        return of_issuer(issuers, it, now);
    }
    match name {
        // The first, from before there were several, goes with the key of the same bytes.
        keys::FIRST => "used",
        _ if SINGLE.contains(&name) => "current",
        _ => "unused",
    }
}

/// How a signing key stands.
pub fn of_issuer(issuers: &Issuers, it: &Issuer, now: Instant) -> &'static str {
    let is = |other: Option<&Issuer>| other.is_some_and(|other| other.kid == it.kid);
    match it.refused_from {
        Some(_) => "refused",
        None if is(issuers.current(it.whose, now)) => "current",
        None if it.ended_at.is_none() && now < it.signs_from => "next",
        None => "over",
    }
}

/// When a key file was written: that happens once.
fn made_at(path: &Path) -> Option<Instant> {
    let written = std::fs::metadata(path).ok()?.modified().ok()?;
    let seconds = written.duration_since(UNIX_EPOCH).ok()?.as_secs();
    Some(Instant::from_seconds(i64::try_from(seconds).ok()?))
}
