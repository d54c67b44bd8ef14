//! High-rate facts: taken in batches, one leaf for each batch and day.
//!
//! A visit is sealed under its day's key, like every other visit of that day; so a batch of them is
//! one sealed block with one leaf. Beside it lies one row of tags, by which [`crate::join`] finds a
//! pass again: a day's tags are read in one go (16 bytes a visit), where an index over random passes
//! would touch a page for each visit.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, mpsc};

use serde_json::value::RawValue;

use crate::fault::Doing as _;
use crate::leaf::{Leaf, SALT_LEN};
use crate::projection::{put, run, select};
use crate::registry::{Add, Block, Insert, ObservationKind, Side};
use crate::vault::{Scope, SealingKey, Vault};
use crate::{Context, Engine, Fault, Tx, Value};

/// One high-rate fact.
#[derive(Debug, Clone)]
pub struct Observation {
    /// The day (days since 1970, UTC) it counts for: its retention begins there.
    pub day: i32,
    /// What is sealed and committed to, as JSON.
    pub payload: Vec<u8>,
}

const BLOCK_ADD: &str = "INSERT INTO observation (region, seq, day, kind, at, payload) \
     VALUES ($1, $2, $3, $4, $5, $6)";
/// What the store itself adds for a block.
pub(crate) const TAGS_ADD: Insert =
    crate::insert!("observation_tag": "kind" 2, "day" 3, "seq" 4, "tags" 5);
/// The blocks of a day, by their tags: those go last.
const DAY_END: &str = "DELETE FROM observation WHERE region = $1 AND seq IN \
     (SELECT seq FROM observation_tag WHERE region = $1 AND kind = $2 AND day = $3)";
const DAY_TAGS_END: &str =
    "DELETE FROM observation_tag WHERE region = $1 AND kind = $2 AND day = $3";
const TAGS_OF: &str =
    "SELECT seq, tags FROM observation_tag WHERE region = $1 AND kind = $2 AND day = $3";
const BLOCK: &str = "SELECT payload FROM observation WHERE region = $1 AND seq = $2";
/// By the leaf alone: with the kind in the search the index of kinds and days would be taken, and
/// each page of it sorted anew.
pub(crate) const BLOCKS: &str = "SELECT seq, day, payload, kind FROM observation WHERE region = $1 \
     AND seq >= $2 ORDER BY seq LIMIT 500";

/// The SQL texts of this module, on the visits side, for conformance law 7.
pub const QUERIES: &[&str] =
    &[BLOCK_ADD, TAGS_ADD.sql, TAGS_OF, BLOCK, BLOCKS, DAYS, BLOCK_END, DAY_END, DAY_TAGS_END];
const DAYS: &str = "SELECT seq, kind, day FROM observation WHERE region = $1";
const BLOCK_END: &str = "DELETE FROM observation WHERE region = $1 AND seq = $2";

/// Stands for "nothing to be found by".
const NO_TAG: [u8; 16] = [0; 16];

/// The payload of a block: a JSON list of what was observed.
fn list(items: &[&[u8]]) -> Vec<u8> {
    let bytes: usize = items.iter().map(|it| it.len() + 1).sum();
    let mut text = Vec::with_capacity(bytes + 1);
    for it in items {
        text.push(if text.is_empty() { b'[' } else { b',' });
        text.extend_from_slice(it);
    }
    text.push(b']');
    text
}

/// Takes apart what [`Tx::observe`] sealed, without its salt.
fn items(opened: &[u8]) -> Result<Vec<&[u8]>, Fault> {
    let list = opened.get(SALT_LEN..).unwrap_or_default();
    let items: Vec<&RawValue> =
        serde_json::from_slice(list).doing("reading a block of observations")?;
    Ok(items.into_iter().map(|it| it.get().as_bytes()).collect())
}

/// Adds a block to the tags and to its owner's views.
fn project(
    add: &mut Add<'_>,
    kind: &ObservationKind,
    key: &SealingKey,
    block: &Block<'_>,
) -> Result<(), Fault> {
    let found_by = (kind.project)(add, block)?;
    if found_by.len() != block.items.len() {
        return Err(Fault::new("a projection said of another number of items how they are found"));
    }
    let tags = found_by.iter().flat_map(|it| it.as_ref().map_or(NO_TAG, |it| key.tag(it)));
    let tags: Vec<u8> = tags.collect();
    add(&TAGS_ADD, &[kind.kind.into(), block.day.into(), block.seq.into(), tags.into()])
}

/// Blocks of one day that were read and opened, one behind the other: what goes from a thread to the
/// next must not be freed there piece by piece, or the two wait for each other.
pub(crate) struct Opened {
    pub(crate) kind: ObservationKind,
    pub(crate) day: i32,
    key: Arc<SealingKey>,
    bytes: Vec<u8>,
    /// Of each block the entry, and where its bytes end.
    blocks: Vec<(u64, usize)>,
}

impl Opened {
    pub(crate) fn new(kind: ObservationKind, day: i32, key: Arc<SealingKey>) -> Self {
        Self { kind, day, key, bytes: Vec::new(), blocks: Vec::new() }
    }

    pub(crate) fn push(&mut self, seq: u64, opened: &[u8]) {
        self.bytes.extend_from_slice(opened);
        self.blocks.push((seq, self.bytes.len()));
    }

    /// Gives the rows of these blocks to `add`.
    pub(crate) fn fold(&self, add: &mut Add<'_>) -> Result<(), Fault> {
        let mut begin = 0;
        for (seq, end) in &self.blocks {
            let bytes = self.bytes.get(begin..*end).unwrap_or_default();
            let block = Block { seq: *seq, day: self.day, items: &items(bytes)? };
            project(add, &self.kind, &self.key, &block)?;
            begin = *end;
        }
        Ok(())
    }
}

/// Pages of rows that may lie ready.
const PAGES_READY: usize = 2;

/// Pages of rows after which they are committed. A journal that holds millions of rows is searched through
/// for each page that is read.
const PAGES_AT_ONCE: usize = 200;

/// Rows that blocks make, by the statement that adds them.
type Folded = Vec<(&'static Insert, Vec<Vec<Value>>)>;

/// Reads, opens and folds every stored block of `kind` whose key lives, page by page.
fn fold_all(
    source: &mut dyn Engine,
    region: &kernel::Region,
    vault: &Vault,
    kind: &ObservationKind,
    pages: &mpsc::SyncSender<Folded>,
) -> Result<(), Fault> {
    let value = Value::from(region.as_str());
    let context = crate::tx::event_context(region, kind.kind);
    let mut next = 0_u64;
    loop {
        let rows = select(source, &value, BLOCKS, &[next.into()])?;
        let Some(last) = rows.last() else { return Ok(()) };
        next = last.count(0)? + 1;
        let mut page = Folded::new();
        let mut add = |row: &'static Insert, values: &[Value]| {
            match page.iter_mut().find(|(it, _)| it.sql == row.sql) {
                Some((_, rows)) => rows.push(values.to_vec()),
                None => page.push((row, vec![values.to_vec()])),
            }
            Ok(())
        };
        for row in rows.iter().filter(|it| it.text(3).is_ok_and(|it| it == kind.kind)) {
            let (seq, day) = (row.count(0)?, i32::try_from(row.int(1)?).doing("reading a day")?);
            let scope = Scope::Epoch { kind: kind.kind.to_owned(), day, visits: true };
            let Some(key) = vault.find(&scope)? else { continue };
            let opened = key.open(seq, &context, row.bytes(2)?)?;
            project(&mut add, kind, &key, &Block { seq, day, items: &items(&opened)? })?;
        }
        if pages.send(page).is_err() {
            // Whoever writes has met a fault, and says so.
            return Ok(());
        }
    }
}

/// Folds every stored block of `kind` whose key lives into the (empty) views of `target`: one thread
/// reads and folds, this one writes, within a transaction that was begun and is committed now and then.
pub(crate) fn project_all(
    source: &mut dyn Engine,
    target: &mut dyn Engine,
    region: &kernel::Region,
    vault: &Vault,
    kind: &ObservationKind,
) -> Result<(), Fault> {
    let value = Value::from(region.as_str());
    let (send, pages) = mpsc::sync_channel(PAGES_READY);
    std::thread::scope(|scope| {
        let folding = scope.spawn(move || fold_all(source, region, vault, kind, &send));
        let written = (1..).zip(&pages).try_for_each(|(number, page)| {
            for (row, values) in &page {
                target.execute_many(row.sql, &value, values)?;
            }
            if number % PAGES_AT_ONCE == 0 {
                target.commit()?;
                target.begin()?;
            }
            Ok(())
        });
        // The reader must not wait for somebody who takes no more.
        drop(pages);
        let folded = folding.join().map_err(|_| Fault::new("the thread that folds panicked"))?;
        written.and(folded)
    })
}

/// Removes the blocks of days that are over where no tags tell them yet.
pub(crate) fn drop_days(
    engine: &mut dyn Engine,
    region: &Value,
    ended: &BTreeSet<(String, i64)>,
) -> Result<(), Fault> {
    let mut over = Vec::new();
    engine.query(DAYS, &[region], &mut |row| {
        if ended.contains(&(row.text(1)?.to_owned(), row.int(2)?)) {
            over.push(row.count(0)?);
        }
        Ok(true)
    })?;
    over.into_iter().try_for_each(|seq| put(engine, region, BLOCK_END, &[seq.into()]))
}

impl Tx<'_> {
    /// Records a batch of observations of one kind: all of them or none, once per command id. Gives
    /// the first leaf's index and whether the batch had already been taken.
    pub fn observe(
        &mut self,
        context: &Context,
        kind: &'static str,
        batch: &[Observation],
    ) -> Result<(u64, bool), Fault> {
        if let Some(command) = context.command
            && let Some((first, _)) = self.command(command)?
        {
            return Ok((first, true));
        }
        let registered = *self.core.registry.observation(kind)?;
        self.core.open_visits()?;
        let mut days: BTreeMap<i32, Vec<&[u8]>> = BTreeMap::new();
        for it in batch {
            days.entry(it.day).or_default().push(&it.payload);
        }
        let (first, now) = (self.next_seq(), self.now());
        for (day, items) in &days {
            let (seq, day) = (self.next_seq(), *day);
            let key = self.key(&Scope::Epoch { kind: kind.to_owned(), day, visits: true })?;
            let (commit, sealed) = self.seal(&key, seq, kind, &list(items))?;
            self.core.staged.push(Leaf::sealed(self.core.region.as_str(), now, kind, &commit));
            let row = [seq.into(), day.into(), kind.into(), now.into(), sealed.into()];
            let (visits, region) = (self.core.visits.as_mut(), &self.core.region_value);
            put(visits, region, BLOCK_ADD, &row)?;
            let mut add =
                |row: &Insert, values: &[Value]| put(&mut *visits, region, row.sql, values);
            project(&mut add, &registered, &key, &Block { seq, day, items })?;
        }
        self.took_effect(context, first, days.len())?;
        Ok((first, false))
    }

    /// The observations of one day that were found by any of `values`: their block's leaf and their
    /// payload. Empty once the day's key was destroyed.
    pub(crate) fn found(
        &mut self,
        kind: &'static str,
        day: i32,
        values: &[Vec<u8>],
    ) -> Result<Vec<(u64, Vec<u8>)>, Fault> {
        let scope = Scope::Epoch { kind: kind.to_owned(), day, visits: true };
        let Some(key) = self.core.vault.find(&scope)? else { return Ok(Vec::new()) };
        let wanted: Vec<[u8; 16]> = values.iter().map(|it| key.tag(it)).collect();
        let core = &mut *self.core;
        let context = crate::tx::event_context(&core.region, kind);
        let mut found = Vec::new();
        for row in
            select(core.visits.as_mut(), &core.region_value, TAGS_OF, &[kind.into(), day.into()])?
        {
            let (tags, _) = row.bytes(1)?.as_chunks::<16>();
            if !tags.iter().any(|it| wanted.contains(it)) {
                continue;
            }
            let seq = row.count(0)?;
            let block = select(core.visits.as_mut(), &core.region_value, BLOCK, &[seq.into()])?;
            let block = block.first().ok_or_else(|| Fault::new("a block of visits is missing"))?;
            let opened = key.open(seq, &context, block.bytes(0)?).doing("opening visits")?;
            for (tag, item) in tags.iter().zip(items(&opened)?) {
                if wanted.contains(tag) {
                    found.push((seq, item.to_vec()));
                }
            }
        }
        Ok(found)
    }

    /// Removes what was observed on a day that is over, and what was made of it.
    pub(crate) fn end_visits(&mut self, kind: &str, day: i32) -> Result<(), Fault> {
        self.core.open_visits()?;
        let registry = Arc::clone(&self.core.registry);
        let core = &mut *self.core;
        for sql in [DAY_END, DAY_TAGS_END] {
            run(core.visits.as_mut(), &core.region_value, sql, &[kind.into(), day.into()])?;
        }
        for view in registry.views.iter().filter(|it| it.side == Side::Visits) {
            if let Some((column, of)) = view.day
                && of == kind
            {
                let sql = format!("DELETE FROM {} WHERE region = $1 AND {column} = $2", view.table);
                run(core.visits.as_mut(), &core.region_value, &sql, &[day.into()])?;
            }
        }
        Ok(())
    }
}
