//! The keys that gates seal their entries to, and changing them while the region is served.
//!
//! They have numbers as wrapping keys have ([`crate::wrap`]), in the same table: `queue`, `queue-2`, …
//! What is sealed to one waits in phones, out of reach, so nothing can be sealed anew. To change one:
//!
//! 1. the next number's file is made, durable, and a row says from when on gates are given it: a day
//!    later ([`AHEAD_S`]), so that every machine of the region has the file by then; at once if asked;
//! 2. the same transaction says when the one before is over ([`KEEP_DAYS`] after that). Until then it
//!    opens what comes late;
//! 3. once that time has passed, and the clock is believed, its file is destroyed.
//!
//! Which key a batch was sealed to, it does not say: whoever opens it tries them, the newest first. A
//! process that lacks a file that is not over must not say that a batch is unreadable, because then the
//! gate would drop it ([`Store::queue_lacks`]).

use kernel::Instant;
use serde::Serialize;

use crate::keys::Secret;
use crate::projection::{run, select};
use crate::wrap::{ALL, number};
use crate::{Engine, Error, Fault, Keyring, Store, Tx, Value};

/// Seconds between the making of a key and its being given to gates.
pub const AHEAD_S: i64 = 86_400;

/// Days for which a key opens what gates sealed to it, after they were given the next: entries are kept
/// for 28 days, and a gate without a network is of no use four days after that (its lists have ended).
/// What is older may not be kept any more when it arrives.
pub const KEEP_DAYS: i64 = 40;

/// Keys that are not over at one time. Each costs a batch that none of them opens one curve operation.
const IN_USE_MAX: usize = 4;

/// Where wrapping keys have their side.
const COLUMN: i64 = 2;

const PUT: &str = "INSERT INTO vault_wrap (region, side, number, made_at, over_at) \
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (region, side, number) \
     DO UPDATE SET made_at = excluded.made_at, over_at = excluded.over_at";

/// The SQL texts of this module that run on the keys' database.
pub const QUERIES: &[&str] = &[PUT];

/// The name of the key with this number.
pub fn name(number: u32) -> String {
    if number <= 1 { "queue".to_owned() } else { format!("queue-{number}") }
}

/// The number of a key's name.
pub fn parse(name: &str) -> Option<u32> {
    match name.strip_prefix("queue")? {
        "" => Some(1),
        rest => rest.strip_prefix('-')?.parse().ok().filter(|it| *it > 1),
    }
}

/// A key that gates seal to, as the database knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QueueKey {
    /// Its name in the key folder.
    pub name: String,
    /// Its number.
    pub number: u32,
    /// From when on gates are given it; the first always was.
    pub from: Option<Instant>,
    /// When it opens nothing any more, if a later one takes its place.
    pub over_at: Option<Instant>,
}

impl QueueKey {
    /// Whether gates are given it, or were.
    pub fn has_begun(&self, now: Instant) -> bool {
        self.from.is_none_or(|it| it <= now)
    }

    /// Whether its time has passed.
    pub fn is_over(&self, now: Instant) -> bool {
        self.over_at.is_some_and(|it| it <= now)
    }
}

/// The one of `keys` that gates are to seal to at `now`.
pub fn current(keys: &[QueueKey], now: Instant) -> Option<&QueueKey> {
    keys.iter().rev().find(|it| it.has_begun(now))
}

/// All keys that the database behind `engine` knows, in order of their numbers.
pub fn queue_keys(engine: &mut dyn Engine, region: &Value) -> Result<Vec<QueueKey>, Fault> {
    let mut found = Vec::new();
    for row in select(engine, region, ALL, &[])? {
        if row.int(0)? == COLUMN {
            let number = number(row.int(1)?)?;
            let at = |at: Instant| (at.micros() > 0).then_some(at);
            let (from, over_at) = (at(row.instant(2)?), at(row.instant(3)?));
            found.push(QueueKey { name: name(number), number, from, over_at });
        }
    }
    if found.is_empty() {
        found.push(QueueKey { name: name(1), number: 1, from: None, over_at: None });
    }
    Ok(found)
}

/// A change as it stands on the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Rotated {
    number: u32,
    from: Instant,
    before_until: Instant,
}

impl Tx<'_> {
    /// Makes the next key for gates' queues; gives its number, and from when on gates are given it: a
    /// day later, or `at_once`. One that waits for its time is left to it, or begins now. `None` while too
    /// many are in use.
    pub fn rotate_queue(&mut self, at_once: bool) -> Result<Option<(u32, Instant)>, Fault> {
        self.core.open_keys()?;
        let now = self.now();
        let core = &mut *self.core;
        let known = queue_keys(core.keys.as_mut(), &core.region_value)?;
        let Some(newest) = known.last() else { return Ok(None) };
        let waits = newest.from.filter(|it| now < *it);
        let next = match waits {
            Some(from) if !at_once => return Ok(Some((newest.number, from))),
            Some(_) => newest.number,
            None if known.iter().filter(|it| !it.is_over(now)).count() >= IN_USE_MAX => {
                return Ok(None);
            }
            None => newest.number.saturating_add(1),
        };
        let from = if at_once { now } else { now.plus_seconds(AHEAD_S) };
        let until = from.plus_seconds(KEEP_DAYS * 86_400);
        core.keyring.make(&name(next))?;
        let never = Instant::from_micros(0);
        if let Some(before) = known.iter().rev().find(|it| it.number < next) {
            let begun = before.from.unwrap_or(never);
            let row: [Value; 4] = [COLUMN.into(), before.number.into(), begun.into(), until.into()];
            run(core.keys.as_mut(), &core.region_value, PUT, &row)?;
        }
        let row: [Value; 4] = [COLUMN.into(), next.into(), from.into(), never.into()];
        run(core.keys.as_mut(), &core.region_value, PUT, &row)?;
        let said = Rotated { number: next, from, before_until: until };
        self.append_public("store.queue_rotated.v1", &said)?;
        Ok(Some((next, from)))
    }
}

impl Store {
    /// The keys that gates seal to, in order of their numbers.
    pub fn queue_keys(&self) -> Result<Vec<QueueKey>, Fault> {
        self.vault().reading(queue_keys)
    }

    /// A key that is not over and whose file is not in this folder: what it would open cannot be told from
    /// what nothing opens.
    pub fn queue_lacks(&self, keyring: &Keyring) -> Result<Option<String>, Fault> {
        let (now, there) = (self.clock().now(), keyring.names()?);
        let known = self.queue_keys()?.into_iter();
        let mut missing = known.filter(|it| !it.is_over(now) && !there.contains(&it.name));
        Ok(missing.next().map(|it| it.name))
    }

    /// Destroys the files of keys that are over, in this process's key folder, if the clock is believed.
    /// Gives their names.
    pub async fn destroy_over_queue(&self, keyring: &Keyring) -> Result<Vec<String>, Fault> {
        let (store, now) = (self.clone(), self.clock().now());
        // Off the async threads, as every reading.
        let known = tokio::task::spawn_blocking(move || store.queue_keys()).await;
        let known = known.map_err(|error| Fault::caused("looking for keys of queues", error))??;
        let over =
            known.into_iter().filter(|it| it.is_over(now) && keyring.path(&it.name).exists());
        let over: Vec<QueueKey> = over.collect();
        if over.is_empty() {
            return Ok(Vec::new());
        }
        match self.write(|tx| tx.clock_is_believed()).await {
            Ok(true) => {}
            // Later: it says so itself, and nothing hurries.
            Ok(false) | Err(Error::Busy { .. }) => return Ok(Vec::new()),
            Err(Error::Fault(fault)) => return Err(fault),
            Err(Error::Refused(never)) => match never {},
        }
        for it in &over {
            keyring.destroy(&it.name)?;
        }
        Ok(over.into_iter().map(|it| it.name).collect())
    }
}

impl Keyring {
    /// The keys for gates' queues that are in the folder, by number, the newest first; the first is made
    /// where there is none.
    pub fn queue(&self) -> Result<Vec<(u32, Secret)>, Fault> {
        let mut found = Vec::new();
        for name in self.names()? {
            if let Some(number) = parse(&name)
                // One that is destroyed meanwhile is over.
                && let Some(secret) = self.find(&name)?
            {
                found.push((number, secret));
            }
        }
        if found.is_empty() {
            found.push((1, self.make(&name(1))?));
        }
        found.sort_unstable_by_key(|it| std::cmp::Reverse(it.0));
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_keys_of_queues_are_read_and_others_are_not() {
        for number in [1, 2, 12] {
            assert_eq!(parse(&name(number)), Some(number));
        }
        for other in ["log", "queue-", "queue-1", "queue-0", "queues", "queue-x"] {
            assert_eq!(parse(other), None, "{other}");
        }
    }

    #[test]
    fn gates_are_given_the_newest_whose_time_has_come() {
        let at = Instant::from_seconds;
        let key = |number, from, over_at: Option<i64>| QueueKey {
            name: name(number),
            number,
            from: (from > 0).then(|| at(from)),
            over_at: over_at.map(at),
        };
        let keys = [key(1, 0, Some(300)), key(2, 100, None)];
        let given = |now| current(&keys, at(now)).map(|it| it.number);
        assert_eq!((given(99), given(100)), (Some(1), Some(2)));
        assert!(!keys[0].is_over(at(299)) && keys[0].is_over(at(300)));
    }
}
