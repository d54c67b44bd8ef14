//! Wrapping keys, and changing them while the region is served.
//!
//! Each side has wrapping keys by number: `identity-wrap`, `identity-wrap-2`, … A row of `vault_key`
//! names the number of its own. To change a key:
//!
//! 1. the next number's file is made, and durable, before a row of `vault_wrap` makes it current:
//!    from then on new keys are wrapped by it;
//! 2. all rows are wrapped anew in small batches through the write door, while serving goes on;
//! 3. `vault_wrap` says since when no row needs the older numbers ([`OVER_S`] later their files are
//!    destroyed: an audit, a backup or a reader of another process may still hold an older picture).
//!
//! Killed anywhere, the next run begins step 2 again and finds what it has done already done. Whoever
//! reads finds the key by the number in the row, from its file if it is new: no process has to be
//! told. Which number is current, the writer asks the database, so that one that takes a region over
//! never wraps with a key that is over.
//!
//! A changed wrapping key does not undo what a thief of the old one *and* of the rows has read.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use kernel::Instant;
use serde::Serialize;

use crate::door::Never;
use crate::fault::Doing as _;
use crate::projection::{run, select};
use crate::vault::{Scope, SealingKey};
use crate::{Engine, Error, Fault, Keyring, Side, Store, Tx, Value, keys};

/// Seconds between the end of a rotation and the destruction of the key files before it.
pub const OVER_S: i64 = 3_600;

/// Rows that are wrapped anew in one go: some milliseconds of the writer's time.
const BATCH: u32 = 256;

const CURRENT: &str = "SELECT number FROM vault_wrap WHERE region = $1 AND side = $2 AND over_at = 0 \
     ORDER BY number DESC LIMIT 1";
pub(crate) const ALL: &str = "SELECT side, number, made_at, over_at FROM vault_wrap WHERE region = $1 \
     ORDER BY side, number";
const ADD: &str = "INSERT INTO vault_wrap (region, side, number, made_at, over_at) \
     VALUES ($1, $2, $3, $4, 0) ON CONFLICT (region, side, number) DO NOTHING";
const END: &str = "UPDATE vault_wrap SET over_at = $4 \
     WHERE region = $1 AND side = $2 AND number < $3 AND over_at = 0";
const ROWS: &str = "SELECT scope, wrapped, wrap FROM vault_key \
     WHERE region = $1 AND scope > $2 ORDER BY scope LIMIT $3";
const PUT: &str = "INSERT INTO vault_key (region, scope, wrapped, wrap) VALUES ($1, $2, $3, $4) \
     ON CONFLICT (region, scope) DO UPDATE SET wrapped = excluded.wrapped, wrap = excluded.wrap";

/// The SQL texts of this module that run on the keys' database.
pub const QUERIES: &[&str] = &[CURRENT, ALL, ADD, END, ROWS, PUT];

/// The name of a side's wrapping key, without its number.
pub const fn base(side: Side) -> &'static str {
    match side {
        Side::Identity => "identity-wrap",
        Side::Visits => "visits-wrap",
    }
}

/// The name of the wrapping key with this number.
pub fn name(side: Side, number: u32) -> String {
    if number <= 1 { base(side).to_owned() } else { format!("{}-{number}", base(side)) }
}

/// The side and number of a wrapping key's name.
pub fn parse(name: &str) -> Option<(Side, u32)> {
    for side in [Side::Identity, Side::Visits] {
        match name.strip_prefix(base(side)) {
            Some("") => return Some((side, 1)),
            Some(rest) => {
                let number = rest.strip_prefix('-')?.parse().ok()?;
                return (number > 1).then_some((side, number));
            }
            None => {}
        }
    }
    None
}

/// A number as a column holds it. The first is 1: a 0 would name the same file, so that a changed row
/// would open as before.
pub(crate) fn number(value: i64) -> Result<u32, Fault> {
    let number = u32::try_from(value).ok().filter(|it| *it > 0);
    number.ok_or_else(|| Fault::new("the number of a wrapping key is out of its range"))
}

const fn column(side: Side) -> i64 {
    match side {
        Side::Identity => 0,
        Side::Visits => 1,
    }
}

/// The wrapping keys of one side.
pub(crate) struct Wraps {
    dir: PathBuf,
    side: Side,
    keys: RwLock<HashMap<u32, Arc<SealingKey>>>,
    current: Mutex<Option<u32>>,
}

impl Wraps {
    /// Those that are there; the first is made where there is none.
    pub(crate) fn open(keyring: &Keyring, side: Side) -> Result<Self, Fault> {
        let names = keyring.names()?;
        let mut numbers: Vec<u32> = names
            .iter()
            .filter_map(|it| parse(it))
            .filter(|it| it.0 == side)
            .map(|it| it.1)
            .collect();
        if numbers.is_empty() {
            keyring.make(&name(side, 1))?;
            numbers.push(1);
        }
        let it = Self {
            dir: keyring.dir().to_owned(),
            side,
            keys: RwLock::default(),
            current: Mutex::default(),
        };
        // All of them now: one that is destroyed while this picture of the rows is read stays readable.
        for number in numbers {
            it.key(number)?;
        }
        Ok(it)
    }

    /// The key with this number.
    pub(crate) fn key(&self, number: u32) -> Result<Arc<SealingKey>, Fault> {
        let held = self.keys.read().unwrap_or_else(PoisonError::into_inner).get(&number).cloned();
        if let Some(key) = held {
            return Ok(key);
        }
        let name = name(self.side, number);
        let raw = keys::find(&self.dir, &name)?.ok_or_else(|| {
            let dir = self.dir.display();
            Fault::new(format!("the key {name} is not in {dir}: bring it from where it was made"))
        })?;
        let key = Arc::new(SealingKey::new(raw)?);
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        keys.insert(number, Arc::clone(&key));
        Ok(key)
    }

    /// The number that new keys are wrapped by.
    pub(crate) fn current(&self, engine: &mut dyn Engine, region: &Value) -> Result<u32, Fault> {
        let mut known = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = *known {
            return Ok(number);
        }
        let rows = select(engine, region, CURRENT, &[column(self.side).into()])?;
        let found = rows.first().map_or(Ok(1), |row| number(row.int(0)?))?;
        *known = Some(found);
        Ok(found)
    }

    pub(crate) fn ask_again(&self) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn forget(&self, number: u32) {
        self.keys.write().unwrap_or_else(PoisonError::into_inner).remove(&number);
    }
}

/// A wrapping key as the database knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Wrap {
    /// Its name in the key folder.
    pub name: String,
    /// Whose.
    #[serde(skip)]
    pub side: Side,
    /// Its number.
    pub number: u32,
    /// When it was made, as far as the database knows (the first was there before it).
    pub made_at: Option<Instant>,
    /// Since when no key is wrapped by it.
    pub over_at: Option<Instant>,
}

impl Wrap {
    /// Whether `other` is of the same side, and newer.
    pub fn is_before(&self, other: &Self) -> bool {
        self.side == other.side && self.number < other.number
    }
}

/// A rotation as it began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Rotated {
    key: &'static str,
    number: u32,
}

/// All wrapping keys that the database behind `engine` knows, the current one of each side last.
pub fn wraps(engine: &mut dyn Engine, region: &Value) -> Result<Vec<Wrap>, Fault> {
    let mut found = Vec::new();
    for side in [Side::Identity, Side::Visits] {
        let before = found.len();
        for row in select(engine, region, ALL, &[])? {
            if row.int(0)? == column(side) {
                let number = number(row.int(1)?)?;
                let at = |at: Instant| (at.micros() > 0).then_some(at);
                let (made_at, over_at) = (at(row.instant(2)?), at(row.instant(3)?));
                found.push(Wrap { name: name(side, number), side, number, made_at, over_at });
            }
        }
        if found.len() == before {
            let name = name(side, 1);
            found.push(Wrap { name, side, number: 1, made_at: None, over_at: None });
        }
    }
    Ok(found)
}

impl Tx<'_> {
    /// Makes the next wrapping key of `side` current; gives its number. While the rotation before is
    /// not at its end this changes nothing and gives the number of that one.
    pub fn rotate_wrap(&mut self, side: Side) -> Result<u32, Fault> {
        self.core.open_keys()?;
        let now = self.now();
        let core = &mut *self.core;
        let known = wraps(core.keys.as_mut(), &core.region_value)?;
        let in_use: Vec<u32> = known
            .iter()
            .filter(|it| it.side == side && it.over_at.is_none())
            .map(|it| it.number)
            .collect();
        let current = in_use.last().copied().unwrap_or(1);
        if in_use.len() > 1 {
            return Ok(current);
        }
        let next = current.saturating_add(1);
        core.keyring.make(&name(side, next))?;
        let before: [Value; 3] = [column(side).into(), current.into(), 0_i64.into()];
        run(core.keys.as_mut(), &core.region_value, ADD, &before)?;
        let row: [Value; 3] = [column(side).into(), next.into(), now.into()];
        run(core.keys.as_mut(), &core.region_value, ADD, &row)?;
        core.vault.ask_wraps_again();
        self.append_public("store.wrap_rotated.v1", &Rotated { key: base(side), number: next })?;
        Ok(next)
    }

    /// Wraps the rows after `after` anew that are not wrapped by the current key; gives the last row
    /// that was looked at, if there was one, and how many were wrapped.
    fn rewrap(&mut self, after: &str) -> Result<(Option<String>, u64), Fault> {
        self.core.open_keys()?;
        let core = &mut *self.core;
        let (region, vault) = (core.region_value.clone(), Arc::clone(&core.vault));
        let found = select(core.keys.as_mut(), &region, ROWS, &[after.into(), BATCH.into()])?;
        let mut rows = Vec::new();
        for row in &found {
            let scope = row.text(0)?;
            let side = Scope::parse(scope, &core.registry).map(|it| it.side());
            let side = side.ok_or_else(|| Fault::new("a row of keys names nothing known"))?;
            let from = number(row.int(2)?)?;
            let to = vault.wraps_of(side).current(core.keys.as_mut(), &region)?;
            if from < to {
                let wrapped = vault.wrapped_anew(side, (from, to), scope, row.bytes(1)?)?;
                rows.push(vec![scope.into(), wrapped.into(), to.into()]);
            }
        }
        core.keys.execute_many(PUT, &region, &rows)?;
        let last = found.last().map(|row| row.text(0).map(str::to_owned)).transpose()?;
        Ok((last, u64::try_from(rows.len()).unwrap_or(u64::MAX)))
    }

    /// No row is wrapped by a number below `current` any more.
    fn end_rotation(&mut self, side: Side, current: u32) -> Result<(), Fault> {
        self.core.open_keys()?;
        let values: [Value; 3] = [column(side).into(), current.into(), self.now().into()];
        let core = &mut *self.core;
        run(core.keys.as_mut(), &core.region_value, END, &values)?;
        // The rows as they were before may still lie in the files.
        core.due.erasure = true;
        Ok(())
    }
}

impl Store {
    /// The wrapping keys that the database knows, the current one of each side last.
    pub fn wraps(&self) -> Result<Vec<Wrap>, Fault> {
        self.vault().reading(|engine, region| wraps(engine, region))
    }

    /// Brings a rotation of wrapping keys to its end, if one is under way, batch by batch between what
    /// others write; `go_on` is asked before each. Gives how many keys were wrapped anew; a full
    /// queue ends it early, and the next call goes on.
    pub async fn finish_rotation(&self, go_on: impl Fn() -> bool) -> Result<u64, Fault> {
        let store = self.clone();
        // Off the async threads, as every reading.
        let known = tokio::task::spawn_blocking(move || store.wraps()).await;
        let known = known.doing("looking for a rotation")??;
        // The current number of each side; the sides that have an older one in use.
        let mut current = BTreeMap::new();
        let mut open = Vec::new();
        for it in known.iter().filter(|it| it.over_at.is_none()) {
            if current.insert(column(it.side), it.number).is_some() {
                open.push(it.side);
            }
        }
        let mut anew = 0;
        let mut after = Some(String::new());
        while let Some(last) = after.filter(|_| !open.is_empty()) {
            if !go_on() {
                return Ok(anew);
            }
            let wrapped = taken(self.write(move |tx| tx.rewrap(&last)).await)?;
            let Some((next, count)) = wrapped else { return Ok(anew) };
            anew += count;
            after = next;
        }
        for side in open {
            let number = current.get(&column(side)).copied().unwrap_or(1);
            taken(self.write(move |tx| tx.end_rotation(side, number)).await)?;
        }
        Ok(anew)
    }

    /// Destroys the files of wrapping keys that are over, in this process's key folder. Gives their
    /// names.
    pub fn destroy_over(&self, keyring: &Keyring) -> Result<Vec<String>, Fault> {
        let before = self.clock().now().plus_seconds(-OVER_S);
        let mut destroyed = Vec::new();
        for it in self.wraps()? {
            if it.over_at.is_some_and(|over| over <= before) && keyring.path(&it.name).exists() {
                keyring.destroy(&it.name)?;
                self.vault().wraps_of(it.side).forget(it.number);
                destroyed.push(it.name);
            }
        }
        Ok(destroyed)
    }
}

/// What was written; `None` when the queue was full.
fn taken<T>(answer: Result<T, Error<Never>>) -> Result<Option<T>, Fault> {
    match answer {
        Ok(it) => Ok(Some(it)),
        Err(Error::Busy { .. }) => Ok(None),
        Err(Error::Fault(fault)) => Err(fault),
        Err(Error::Refused(never)) => match never {},
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_wrapping_keys_are_read_and_others_are_not() {
        for (side, number) in [(Side::Identity, 1), (Side::Visits, 1), (Side::Identity, 12)] {
            assert_eq!(parse(&name(side, number)), Some((side, number)));
        }
        for other in ["log", "identity-wrap-", "identity-wrap-1", "identity-wrap-0", "visits-wrapx"]
        {
            assert_eq!(parse(other), None, "{other}");
        }
    }
}
