//! Recomputing everything and comparing.
//!
//! Reads the databases, trusts nothing in it but the log's public key, and names the first wrong
//! entry: the tree from the entries, every tile, the checkpoint's signature, every commitment whose
//! payload can still be opened, every view against a fold of the log, every closed hour of the
//! access log, every key, and what the database itself says about its files. Which columns no audit
//! can say anything about, and why that is harmless, stands in `docs/guide/audit.md`; a test flips
//! bits in all of them.
//!
//! In reading order: [`snapshot`] takes one picture of all databases beside a serving process;
//! [`entries`] walks the log; [`rows`] compares and opens what stands beside each entry; [`views`] folds
//! it again; [`tables`] compares everything else; [`export`] writes the files with which outsiders audit.

mod entries;
pub mod export;
mod rows;
mod snapshot;
mod tables;
mod views;

use std::collections::{BTreeMap, HashSet};
use std::sync::mpsc;

use kernel::{Region, Seed};
use ledger::{Hash, Signer};
use serde::Serialize;

use crate::backend::{self, Backend, Part};
use crate::fault::Doing as _;
use crate::projection::select;
use crate::read::hash;
use crate::registry::{Registry, Side};
use crate::sqlite::Sqlite;
use crate::vault::{Scope, Vault};
use crate::{Engine, Fault, Keyring, Value};

pub use export::{Public, export};
use rows::Rows;
use snapshot::Pictures;

/// Something that is not as the log says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Wrong {
    /// The entry, where one can be named.
    pub entry: Option<u64>,
    /// Where: `bundle`, `tile`, `checkpoint`, `history`, `event`, `payload`, `view`, `access`,
    /// `forgotten`, `command`, `outbox`, `key`, `schema`, `file`.
    pub place: &'static str,
    /// What, in words for an operator.
    pub what: String,
}

/// What an audit found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// Entries on the log.
    pub entries: u64,
    /// The entry from which on everything was read: 0, or the size of the kept checkpoint.
    pub from: u64,
    /// The root recomputed from them, in hex.
    pub root: String,
    /// The signed checkpoint, verbatim: keep it and hand it to the next audit. Empty when it was
    /// not accepted.
    pub checkpoint: String,
    /// Sealed payloads that were opened and match their commitment.
    pub opened: u64,
    /// Public payloads that match their leaf.
    pub public: u64,
    /// Payloads whose key was destroyed, as it should be after its time.
    pub erased: u64,
    /// View rows compared. None in an audit that goes on from a checkpoint.
    pub view_rows: u64,
    /// Hours of the access log recomputed.
    pub access_hours: u64,
    /// Wrapped keys that open.
    pub keys: u64,
    /// What is wrong, the first entry first. Empty when all is well.
    pub wrong: Vec<Wrong>,
}

/// More findings than this are not collected.
const WRONG_MAX: usize = 100;

const HEAD: &str = "SELECT size, root, checkpoint FROM log_head WHERE region = $1";
const SAID: &str =
    "SELECT seq, kind, payload FROM event WHERE region = $1 AND stream = 'store' ORDER BY seq";

/// The SQL texts of this module on the identity side, for conformance law 7.
pub const QUERIES: &[&str] = &[
    HEAD,
    SAID,
    entries::BUNDLES,
    entries::TILES,
    entries::TILE,
    rows::EVENTS,
    entries::BEYOND,
    export::BUNDLE_LIST,
    export::TILE_LIST,
];

/// Audits a region. `progress` is told how many entries have been looked at, and of how many.
pub fn audit(
    backend: &Backend,
    region: &Region,
    origin: &str,
    keyring: &Keyring,
    registry: &Registry,
    progress: impl FnMut(u64, u64),
) -> Result<Audit, Fault> {
    audit_since(backend, region, origin, keyring, registry, None, progress)
}

/// [`audit`], going on from a checkpoint that an earlier one gave ([`Audit::checkpoint`]). That the
/// log of then is the beginning of today's is proven by the tiles; its entries are not read again,
/// and views, which are folds of all entries, are not compared. Everything else is as in a full one.
pub fn audit_since(
    backend: &Backend,
    region: &Region,
    origin: &str,
    keyring: &Keyring,
    registry: &Registry,
    since: Option<&str>,
    progress: impl FnMut(u64, u64),
) -> Result<Audit, Fault> {
    look(backend, region, (origin, keyring), registry, (since, since.is_none()), progress)
}

/// [`audit`] of what a restore has just made: its views were folded a moment ago by what would fold them
/// here.
pub(crate) fn audit_restored(
    backend: &Backend,
    region: &Region,
    origin: &str,
    keyring: &Keyring,
    registry: &Registry,
    progress: impl FnMut(u64, u64),
) -> Result<Audit, Fault> {
    look(backend, region, (origin, keyring), registry, (None, false), progress)
}

fn look(
    backend: &Backend,
    region: &Region,
    (origin, keyring): (&str, &Keyring),
    registry: &Registry,
    (since, with_views): (Option<&str>, bool),
    mut progress: impl FnMut(u64, u64),
) -> Result<Audit, Fault> {
    let signer = Signer::try_new(origin, &*keyring.key("log")?).doing("making the log key")?;
    let mut findings = Findings::default();
    let pictures = Pictures::take(backend, region);
    let Some(mut pictures) = findings.part("file", pictures)? else {
        return Ok(findings.report());
    };
    // The vault draws nothing while it only opens.
    let vault = Vault::new(region.clone(), keyring, Seed::fixed(0), pictures.keys)?;
    let mut auditor = Auditor {
        value: Value::from(region.as_str()),
        identity: pictures.identity.as_mut(),
        vault: &vault,
        registry,
        findings,
    };
    let head = auditor.head(signer.verifier());
    let head = auditor.findings.part("checkpoint", head)?.flatten();
    let said = said(auditor.identity, &auditor.value, head.map_or(u64::MAX, |it| it.size));
    let said = auditor.findings.part("event", said)?.unwrap_or_default();
    said.bury(&vault, registry);
    let kept = match since {
        Some(text) => Some(entries::Kept::open(text, signer.verifier())?),
        None => None,
    };
    let (until, key) = (head.map_or(u64::MAX, |it| it.size), &views::Key::draw()?);
    // A bundle or two on the way from each to the next: whoever is slow is waited for.
    let (leaves, bundles) = mpsc::sync_channel(2);
    let (folding, blocks) = mpsc::sync_channel(2);
    let rows = Rows::new(
        region,
        (pictures.rows.as_mut(), pictures.visits.as_mut()),
        (&vault, registry),
        &said,
        with_views.then_some(folding),
    );
    let maker = views::Folder { region, vault: &vault, registry };
    let identity_again = pictures.identity_again.as_mut();
    let visits_again = pictures.visits_again.as_mut();
    // What waits for nothing of each other: the log; its rows, on which the fold of visits follows; the
    // fold of everything else; the files themselves, and after them what is stored of visits.
    let missing = std::thread::scope(|scope| {
        let rows = scope.spawn(move || rows.run(&bundles));
        let visits =
            with_views.then(|| scope.spawn(move || views::fold_visits(&blocks, registry, key)));
        let identity = with_views.then(|| scope.spawn(move || maker.identity(identity_again, key)));
        let files = scope.spawn(move || {
            let mut findings = snapshot::examine(backend)?;
            let mut stored = views::Sums::new();
            if with_views {
                stored = maker.stored(visits_again, Side::Visits, until, key, &mut findings)?;
            }
            Ok::<_, Fault>((findings, stored, visits_again))
        });
        let mut walked_all = false;
        if let Some(head) = head {
            let walked = auditor.entries(&head, kept.as_ref(), &leaves, &mut progress);
            walked_all = auditor.findings.part("bundle", walked)?.is_some()
                && auditor.findings.0.entries == head.size;
        }
        // Nothing more comes.
        drop(leaves);
        auditor.tables(&said, until)?;
        let panicked = |_| Fault::new("a thread of the audit panicked");
        let findings = &mut auditor.findings;
        if let Some(folded) = identity {
            let (side, engine) = (Side::Identity, &mut *auditor.identity);
            let stored = maker.stored(engine, side, until, key, findings)?;
            let folded = folded.join().map_err(panicked)?;
            if let Some((folded, fresh)) = findings.part("view", folded)? {
                let sums = (&folded, &stored);
                maker.compare(engine, (side, until), sums, Some(fresh), findings)?;
            }
        }
        let (of_rows, missing) = rows.join().map_err(panicked)??;
        findings.merge(of_rows);
        let (of_files, stored, visits_again) = files.join().map_err(panicked)??;
        findings.merge(of_files);
        if let Some(folded) = visits {
            let folded = findings.part("view", folded.join().map_err(panicked)?)?;
            // Where the log could not be read to its end, its fold says nothing.
            if let Some(folded) = folded.filter(|_| walked_all) {
                let sums = (&folded, &stored);
                maker.compare(visits_again, (Side::Visits, until), sums, None, findings)?;
            }
        }
        let migrations = auditor.migrations(visits_again);
        auditor.findings.part("schema", migrations)?;
        Ok::<_, Fault>(missing)
    })?;
    auditor.settle(missing)?;
    Ok(auditor.findings.report())
}

/// What has been found so far.
#[derive(Default)]
pub(super) struct Findings(Audit);

impl Findings {
    pub(super) fn wrong(
        &mut self,
        entry: Option<u64>,
        place: &'static str,
        what: impl Into<String>,
    ) {
        if self.0.wrong.len() < WRONG_MAX {
            self.0.wrong.push(Wrong { entry, place, what: what.into() });
        }
    }

    /// What cannot be read is a finding and not the end of the audit, unless it is the world that
    /// is in the way: then nothing is said about the log.
    pub(super) fn part<T>(
        &mut self,
        place: &'static str,
        result: Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        match result {
            Ok(it) => Ok(Some(it)),
            Err(fault) if snapshot::is_of_the_world(&fault) => Err(fault),
            Err(fault) => {
                self.wrong(None, place, fault.chain());
                Ok(None)
            }
        }
    }

    fn merge(&mut self, other: Self) {
        self.0.opened += other.0.opened;
        self.0.public += other.0.public;
        self.0.erased += other.0.erased;
        self.0.wrong.extend(other.0.wrong);
    }

    fn report(mut self) -> Audit {
        self.0.wrong.sort_by_key(|it| it.entry.unwrap_or(u64::MAX));
        self.0.wrong.truncate(WRONG_MAX);
        self.0
    }
}

/// The head, as its own columns say.
#[derive(Debug, Clone, Copy)]
struct Head {
    size: u64,
    root: Hash,
}

/// What the store itself said on the log.
#[derive(Default)]
struct Said {
    /// Kinds and days that have ended.
    expired: HashSet<(String, i32)>,
    /// Subjects that were forgotten.
    forgotten: HashSet<u128>,
    /// Closed hours of the access log.
    closed: BTreeMap<i64, Closed>,
}

/// How many rows, their root in hex, and the entry.
type Closed = (i64, String, u64);

impl Said {
    /// What is said to be gone is not opened, even where the key has not been destroyed yet: the
    /// destruction follows the commit that says so, and an audit may look between the two.
    fn bury(&self, vault: &Vault, registry: &Registry) {
        for subject in &self.forgotten {
            vault.doom(&Scope::Subject(*subject));
        }
        for (kind, day) in &self.expired {
            let visits = registry.observation(kind).is_ok();
            vault.doom(&Scope::Epoch { kind: kind.clone(), day: *day, visits });
        }
    }
}

/// Reads what the store said in the first `size` entries. A payload that cannot be read says
/// nothing here; it is named when its entry is compared.
fn said(engine: &mut dyn Engine, region: &Value, size: u64) -> Result<Said, Fault> {
    let mut said = Said::default();
    for row in select(engine, region, SAID, &[])? {
        let seq = row.count(0)?;
        if seq >= size {
            continue;
        }
        let payload: serde_json::Value = serde_json::from_slice(row.bytes(2)?).unwrap_or_default();
        let field = |name: &str| payload.get("event").and_then(|it| it.get(name)).cloned();
        let text = |name: &str| field(name).and_then(|it| it.as_str().map(str::to_owned));
        let number = |name: &str| field(name).and_then(|it| it.as_i64());
        match row.text(1)? {
            "store.forgotten.v1" => {
                let subject = text("subject").map(|it| u128::from_str_radix(&it, 16));
                said.forgotten.extend(subject.and_then(Result::ok));
            }
            "store.expired.v1" => {
                let day = number("day").and_then(|it| i32::try_from(it).ok());
                said.expired.extend(text("kind").zip(day));
            }
            "store.access_closed.v1" => {
                if let (Some(hour), Some(count), Some(root)) =
                    (number("hour"), number("count"), text("root"))
                {
                    said.closed.insert(hour, (count, root, seq));
                }
            }
            _ => {}
        }
    }
    Ok(said)
}

/// A payload that is not there, although nothing says that its day has ended.
struct Missing {
    seq: u64,
    kind: String,
    day: i32,
}

/// Days that a gate's queue may be late: an entry's day may lie this much before its leaf's.
const LATE_DAYS: i32 = 4;

impl Missing {
    fn is_explained(&self, said: &Said) -> bool {
        (self.day - LATE_DAYS..=self.day + 1)
            .any(|day| said.expired.contains(&(self.kind.clone(), day)))
    }
}

struct Auditor<'a> {
    value: Value,
    identity: &'a mut dyn Engine,
    vault: &'a Vault,
    registry: &'a Registry,
    findings: Findings,
}

impl Auditor<'_> {
    fn wrong(&mut self, entry: Option<u64>, place: &'static str, what: impl Into<String>) {
        self.findings.wrong(entry, place, what);
    }

    fn head(&mut self, log: &ledger::VerifierKey) -> Result<Option<Head>, Fault> {
        let rows = select(self.identity, &self.value, HEAD, &[])?;
        let Some(row) = rows.first() else {
            self.wrong(None, "checkpoint", "the log has no head");
            return Ok(None);
        };
        let (size, root) = (row.count(0)?, hash(row.bytes(1)?)?);
        let text = row.text(2)?;
        match ledger::Checkpoint::open(text, log, &[]) {
            Ok(it) if it.checkpoint.size == size && it.checkpoint.root == root => {
                text.clone_into(&mut self.findings.0.checkpoint);
            }
            Ok(_) => self.wrong(None, "checkpoint", "the checkpoint is of another size or root"),
            Err(error) => self.wrong(None, "checkpoint", error.to_string()),
        }
        Ok(Some(Head { size, root }))
    }

    /// A day's rows leave the visits before the log says so, in the same batch. What is missing
    /// here may have been explained since, where a server works beside.
    fn settle(&mut self, missing: Vec<Missing>) -> Result<(), Fault> {
        if missing.is_empty() {
            return Ok(());
        }
        self.identity.rollback()?;
        let now = said(self.identity, &self.value, u64::MAX);
        let now = self.findings.part("event", now)?.unwrap_or_default();
        for it in missing {
            if it.is_explained(&now) {
                self.findings.0.erased += 1;
            } else {
                self.wrong(Some(it.seq), "event", "the payload is missing before its time");
            }
        }
        Ok(())
    }
}

/// Checks that every text prepares on freshly migrated tables (conformance law 7).
pub fn check_queries(registry: &Registry, texts: &[(Side, &str)]) -> Result<(), Fault> {
    for side in [Side::Identity, Side::Visits] {
        check_side(&mut Sqlite::memory()?, side, registry, texts)?;
    }
    Ok(())
}

/// [`check_queries`] in the (empty) databases of `backend`, which it migrates.
pub fn check_queries_at(
    backend: &Backend,
    registry: &Registry,
    texts: &[(Side, &str)],
) -> Result<(), Fault> {
    for side in [Side::Identity, Side::Visits] {
        check_side(backend.writer(Part::of(side))?.as_mut(), side, registry, texts)?;
    }
    Ok(())
}

fn check_side(
    engine: &mut dyn Engine,
    side: Side,
    registry: &Registry,
    texts: &[(Side, &str)],
) -> Result<(), Fault> {
    backend::migrate(engine, Part::of(side), registry)?;
    if side == Side::Visits {
        check_rows(engine, registry)?;
    }
    texts.iter().filter(|(of, _)| *of == side).try_for_each(|(_, sql)| engine.check(sql))
}

/// A column that an [`crate::Insert`] leaves out would be compared by no audit.
fn check_rows(engine: &mut dyn Engine, registry: &Registry) -> Result<(), Fault> {
    let tables = engine.tables()?;
    for it in views::rows(registry) {
        let table = tables.iter().find(|table| table.name == it.table);
        let is_whole = table.is_some_and(|table| {
            table.columns.len() == it.columns.len() + 1
                && it.columns.iter().all(|own| table.columns.iter().any(|its| its == own))
        });
        if !is_whole {
            return Err(Fault::new(format!("rows of {} have other columns than it", it.table)));
        }
    }
    let counted = |name| views::rows(registry).any(|it| it.table == name);
    match registry.views.iter().find(|it| it.side == Side::Visits && !counted(it.table)) {
        Some(it) => Err(Fault::new(format!("nothing adds to {}", it.table))),
        None => Ok(()),
    }
}
