//! Revocation lists that were given out a while ago, so that whoever has one is given only what changed.
//!
//! A convenience of this process: what it does not know any more, or never gave out, is answered by the
//! whole list.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use credential::{RevocationDelta, RevocationList};
use store::Fault;

use crate::issue::List;

/// Lists that are remembered: a new one is made each minute.
const LISTS_MAX: usize = 6 * 60;
/// Bytes that the entries of all of them may take.
const BYTES_MAX: usize = 64 << 20;

type Entries = Arc<Vec<[u8; 8]>>;

/// A list that was given out: the public half of the root that signed it, its version, its entries.
type Given = ([u8; 32], u64, Entries);

static GIVEN: Mutex<VecDeque<Given>> = Mutex::new(VecDeque::new());

/// What changed from the list of version `since` to this one, which is remembered. Nothing where the older
/// one is not known, or the whole list is no longer than the change.
pub(crate) fn since(
    newer: &List,
    entries: RevocationList,
    since: Option<u64>,
) -> Result<Option<Vec<u8>>, Fault> {
    let (root, signed) = (&newer.root, &newer.signed);
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    let of = |version: u64| move |it: &&Given| it.0 == *root && it.1 == version;
    let older =
        since.and_then(|version| given.iter().find(of(version)).map(|it| Arc::clone(&it.2)));
    let delta = older.map(|it| RevocationDelta::between(&it, &entries, signed)).transpose();
    let delta = delta.map_err(|error| Fault::caused("comparing two lists", error))?;
    remember(&mut given, (*root, newer.version, entries.revoked));
    Ok(delta.map(|it| it.to_cbor()).filter(|it| it.len() < signed.len()))
}

/// Keeps a list, in the place of one of the same version.
fn remember(given: &mut VecDeque<Given>, (root, version, revoked): ([u8; 32], u64, Vec<[u8; 8]>)) {
    given.retain(|it| (it.0, it.1) != (root, version));
    // Mostly nothing has changed since the minute before.
    let same = given.front().filter(|it| *it.2 == revoked).map(|it| Arc::clone(&it.2));
    given.push_front((root, version, same.unwrap_or_else(|| Arc::new(revoked))));
    given.truncate(LISTS_MAX);
    let (mut bytes, mut last): (usize, Option<&Entries>) = (0, None);
    let kept = given.iter().take_while(|(_, _, entries)| {
        if !last.is_some_and(|it| Arc::ptr_eq(it, entries)) {
            bytes += size_of_val(entries.as_slice());
        }
        last = Some(entries);
        bytes <= BYTES_MAX
    });
    let kept = kept.count();
    given.truncate(kept);
}
