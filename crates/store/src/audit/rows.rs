//! The row beside each entry: how it is sealed, what it says of itself, and whether it is what the
//! entry commits to.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};

use kernel::{Instant, Region};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Findings, Missing, Said};
use crate::fault::Doing as _;
use crate::leaf::{Leaf, SALT_LEN, commitment};
use crate::observe::Opened;
use crate::projection::select;
use crate::registry::{ObservationKind, Registry};
use crate::tx::{epoch_scope, event_context, utc_day};
use crate::vault::{Scope, SealingKey, Vault};
use crate::{Engine, Fault, Row, Value};

pub(super) const EVENTS: &str = "SELECT seq, kind, at, sealed, epoch, payload, stream, stream_id FROM event \
     WHERE region = $1 AND seq >= $2 AND seq < $3 ORDER BY seq";
const OBSERVATIONS: &str = "SELECT seq, kind, at, day, payload FROM observation \
     WHERE region = $1 AND seq >= $2 AND seq < $3 ORDER BY seq";

/// A bundle whose entries are in the tree.
pub(super) struct Leaves {
    /// The index of the first entry that was not there before.
    pub(super) first: u64,
    /// The bundle as it is stored.
    pub(super) bundle: Vec<u8>,
    /// Entries before the first.
    pub(super) skipped: usize,
}

/// A line of the log, without copies. Kinds and regions are plain words: nothing in them is escaped.
#[derive(Deserialize)]
struct Line<'a> {
    region: &'a str,
    at: Instant,
    kind: &'a str,
    #[serde(default, borrow)]
    commit: Option<&'a str>,
    #[serde(default, borrow)]
    public: Option<&'a RawValue>,
}

/// What a payload says of itself.
#[derive(Deserialize)]
struct Envelope<'a> {
    stream: &'a str,
    id: &'a str,
}

/// Compares rows with their entries.
pub(super) struct Rows<'a> {
    pub(super) region: &'a Region,
    pub(super) identity: &'a mut dyn Engine,
    pub(super) visits: &'a mut dyn Engine,
    pub(super) vault: &'a Vault,
    pub(super) registry: &'a Registry,
    pub(super) said: &'a Said,
    /// Who folds what was opened here; nobody when views are not compared.
    pub(super) folding: Option<SyncSender<Vec<Opened>>>,
    pub(super) findings: Findings,
    pub(super) missing: Vec<Missing>,
    /// The day of the last visit: the next one's is mostly the same.
    day: Option<Day>,
    opened: Vec<Opened>,
    /// The entry that a row asks for, written anew each time.
    line: Vec<u8>,
}

/// Where visits of one kind and day are opened.
struct Day {
    kind: ObservationKind,
    number: i32,
    key: Option<Arc<SealingKey>>,
    context: Vec<u8>,
}

impl Day {
    fn is_of(&self, row: &Row) -> bool {
        row.int(3).is_ok_and(|it| it == i64::from(self.number))
            && row.text(1).is_ok_and(|it| it == self.kind.kind)
    }
}

impl<'a> Rows<'a> {
    pub(super) fn new(
        region: &'a Region,
        (identity, visits): (&'a mut dyn Engine, &'a mut dyn Engine),
        (vault, registry): (&'a Vault, &'a Registry),
        said: &'a Said,
        folding: Option<SyncSender<Vec<Opened>>>,
    ) -> Self {
        let (findings, missing, line) = (Findings::default(), Vec::new(), Vec::new());
        let (day, opened) = (None, Vec::new());
        Self {
            region,
            identity,
            visits,
            vault,
            registry,
            said,
            folding,
            findings,
            missing,
            day,
            opened,
            line,
        }
    }

    /// Compares all rows. Gives what was found, and what is missing without a word so far.
    pub(super) fn run(
        mut self,
        bundles: &Receiver<Leaves>,
    ) -> Result<(Findings, Vec<Missing>), Fault> {
        for it in bundles {
            let entries = ledger::parse_bundle(&it.bundle).doing("reading a bundle")?;
            let fresh = entries.get(it.skipped..).unwrap_or_default();
            let compared = self.compare(it.first, fresh);
            self.findings.part("event", compared)?;
            let opened = std::mem::take(&mut self.opened);
            if self.folding.as_ref().is_some_and(|it| it.send(opened).is_err()) {
                // Whoever folds has met a fault, and says so.
                self.folding = None;
            }
        }
        Ok((self.findings, self.missing))
    }

    fn wrong(&mut self, entry: u64, place: &'static str, what: impl Into<String>) {
        self.findings.wrong(Some(entry), place, what);
    }

    fn compare(&mut self, first: u64, entries: &[&[u8]]) -> Result<(), Fault> {
        let until = first + u64::try_from(entries.len()).unwrap_or(0);
        let (region, range) = (Value::from(self.region.as_str()), [first.into(), until.into()]);
        // Rows that cannot be read leave their entries without one, and each of those is named.
        let read = select(self.identity, &region, EVENTS, &range);
        let events = self.findings.part("event", read)?.unwrap_or_default();
        let read = select(self.visits, &region, OBSERVATIONS, &range);
        let observations = self.findings.part("event", read)?.unwrap_or_default();
        let (mut events, mut observations) =
            (events.into_iter().peekable(), observations.into_iter().peekable());
        for (seq, leaf) in (first..).zip(entries) {
            let event = events.next_if(|row| row.count(0).is_ok_and(|it| it == seq));
            let observation = observations.next_if(|row| row.count(0).is_ok_and(|it| it == seq));
            let checked = match (event, observation) {
                (Some(row), None) => self.event(seq, leaf, &row),
                (None, Some(row)) => self.observation(seq, leaf, row),
                (None, None) => {
                    self.absent(seq, leaf);
                    Ok(())
                }
                (Some(_), Some(_)) => {
                    self.wrong(seq, "event", "two payloads stand beside one leaf");
                    Ok(())
                }
            };
            // A row that cannot be read at all is a finding, not the end of the audit.
            match checked {
                Err(fault) if super::snapshot::is_of_the_world(&fault) => return Err(fault),
                Err(fault) => self.wrong(seq, "payload", fault.chain()),
                Ok(()) => {}
            }
        }
        if events.peek().is_some() || observations.peek().is_some() {
            self.wrong(until, "event", "a row has no leaf");
        }
        Ok(())
    }

    /// Reads a leaf, to say what of it is not as its row.
    fn line<'l>(&mut self, seq: u64, leaf: &'l [u8]) -> Option<Line<'l>> {
        match serde_json::from_slice(leaf) {
            Ok(it) => Some(it),
            Err(error) => {
                self.wrong(seq, "bundle", format!("reading a leaf: {error}"));
                None
            }
        }
    }

    fn absent(&mut self, seq: u64, leaf: &[u8]) {
        let Some(line) = self.line(seq, leaf) else { return };
        if self.registry.observation(line.kind).is_err() {
            // The row of an event stays when its key goes: only visits leave with their day.
            self.wrong(seq, "event", "the payload is missing");
            return;
        }
        let it = Missing { seq, kind: line.kind.to_owned(), day: utc_day(line.at) };
        if it.is_explained(self.said) {
            self.findings.0.erased += 1;
        } else {
            self.missing.push(it);
        }
    }

    /// Whether the leaf is, to the byte, what a row with this content is committed to by.
    fn is_committed(&mut self, leaf: &[u8], row: &Row, opened: &[u8]) -> Result<bool, Fault> {
        let Some((salt, payload)) = opened.split_first_chunk::<SALT_LEN>() else {
            return Ok(false);
        };
        self.line.clear();
        let (kind, at) = (row.text(1)?, row.instant(2)?);
        let commit = commitment(salt, payload);
        Leaf::write_sealed(&mut self.line, self.region.as_str(), at, kind, &commit);
        Ok(self.line == leaf)
    }

    /// Kind, time and region are the leaf's.
    fn beside(&mut self, seq: u64, line: &Line<'_>, row: &Row) -> Result<(), Fault> {
        let same = line.kind == row.text(1)?
            && line.at == row.instant(2)?
            && line.region == self.region.as_str();
        if !same {
            self.wrong(seq, "event", "kind, time or region differ from the leaf");
        }
        Ok(())
    }

    fn event(&mut self, seq: u64, leaf: &[u8], row: &Row) -> Result<(), Fault> {
        let Some(line) = self.line(seq, leaf) else { return Ok(()) };
        self.beside(seq, &line, row)?;
        let (kind, stream) = (row.text(1)?, row.text(6)?);
        let (sealed, day) = (row.int(3)? == 1, row.maybe_int(4)?);
        // A day that is not the leaf's own would let a payload pass for one that has ended.
        let own_day = day.is_none_or(|it| sealed && it == i64::from(utc_day(line.at)));
        if row.int(3)? != i64::from(line.commit.is_some()) || !own_day {
            self.wrong(seq, "event", "how it is sealed differs from the leaf");
        }
        let own = stream == "store";
        if !own && self.registry.stream(stream).is_err() {
            self.wrong(seq, "event", "the stream is none of ours");
        }
        let payload = row.bytes(5)?;
        let envelope = if sealed {
            let subject = u128::from_be_bytes(row.bytes(7)?.try_into().doing("reading an id")?);
            let epoch = epoch_scope(kind, day);
            let Some(key) = self.vault.find_for(Some(subject), epoch.as_ref())? else {
                let day = day.and_then(|it| i32::try_from(it).ok());
                let ended = self.said.forgotten.contains(&subject)
                    || day.is_some_and(|it| self.said.expired.contains(&(kind.to_owned(), it)));
                self.erased(seq, ended);
                return Ok(());
            };
            let mut opened = key.open(seq, &event_context(self.region, kind), payload)?;
            self.commitment(seq, &line, &opened);
            opened.drain(..SALT_LEN.min(opened.len()));
            opened
        } else {
            if line.public.is_some_and(|it| it.get().as_bytes() == payload) {
                self.findings.0.public += 1;
            } else {
                self.wrong(seq, "payload", "the public payload differs from the leaf");
            }
            payload.to_vec()
        };
        let says: Envelope<'_> = serde_json::from_slice(&envelope).doing("reading a payload")?;
        let id = if own { hex::encode([0_u8; 16]) } else { says.id.to_owned() };
        if says.stream != stream || id != hex::encode(row.bytes(7)?) {
            self.wrong(seq, "event", "the stream differs from the payload");
        }
        Ok(())
    }

    /// A payload whose key is gone: as it should be when the log says so, a finding otherwise.
    fn erased(&mut self, seq: u64, ended: bool) {
        if ended {
            self.findings.0.erased += 1;
        } else {
            self.wrong(seq, "key", "the key is gone, and the log does not say why");
        }
    }

    fn commitment(&mut self, seq: u64, line: &Line<'_>, opened: &[u8]) {
        let mut said = [0; 32];
        let read = line.commit.is_some_and(|it| hex::decode_to_slice(it, &mut said).is_ok());
        let matches = opened
            .split_first_chunk::<SALT_LEN>()
            .is_some_and(|(salt, payload)| read && commitment(salt, payload) == said);
        if matches {
            self.findings.0.opened += 1;
        } else {
            self.wrong(seq, "payload", "the payload is not the one committed to");
        }
    }

    /// The day that a row claims.
    fn day(&self, row: &Row) -> Result<Day, Fault> {
        let (kind, day) = (row.text(1)?, i32::try_from(row.int(3)?).doing("reading a day")?);
        let scope = Scope::Epoch { kind: kind.to_owned(), day, visits: true };
        let context = event_context(self.region, kind);
        let (kind, key) = (*self.registry.observation(kind)?, self.vault.find(&scope)?);
        Ok(Day { kind, number: day, key, context })
    }

    fn observation(&mut self, seq: u64, leaf: &[u8], mut row: Row) -> Result<(), Fault> {
        let mut sealed = row.take_bytes(4)?;
        if !self.day.as_ref().is_some_and(|it| it.is_of(&row)) {
            self.day = Some(self.day(&row)?);
        }
        let Some(day) = &self.day else { return Ok(()) };
        let Some(key) = &day.key else {
            // Its rows left with the key: a row that is here claims a day that is not its own.
            if let Some(line) = self.line(seq, leaf) {
                self.beside(seq, &line, &row)?;
            }
            self.erased(seq, false);
            return Ok(());
        };
        key.open_in_place(seq, &day.context, &mut sealed)?;
        if self.folding.is_some() {
            let of_day = |it: &Opened| it.day == day.number && it.kind.kind == day.kind.kind;
            if !self.opened.last().is_some_and(of_day) {
                self.opened.push(Opened::new(day.kind, day.number, Arc::clone(key)));
            }
            if let Some(it) = self.opened.last_mut() {
                it.push(seq, &sealed);
            }
        }
        if self.is_committed(leaf, &row, &sealed)? {
            self.findings.0.opened += 1;
        } else if let Some(line) = self.line(seq, leaf) {
            self.beside(seq, &line, &row)?;
            self.commitment(seq, &line, &sealed);
        }
        Ok(())
    }
}
