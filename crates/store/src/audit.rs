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
//! [`entries`] walks the log; [`views`] folds it again; [`tables`] compares what stands beside;
//! [`export`] writes the files with which outsiders audit.

mod entries;
pub mod export;
mod snapshot;
mod tables;
mod views;

use std::collections::{BTreeMap, HashSet};

use aws_lc_rs::hmac;
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
    entries::EVENTS,
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
        region,
        value: Value::from(region.as_str()),
        identity: pictures.identity.as_mut(),
        visits: pictures.visits.as_mut(),
        vault: &vault,
        registry,
        said: Said::default(),
        missing: Vec::new(),
        findings,
    };
    let head = auditor.head(signer.verifier());
    let head = auditor.findings.part("checkpoint", head)?.flatten();
    let said = said(auditor.identity, &auditor.value, head.map_or(u64::MAX, |it| it.size));
    auditor.said = auditor.findings.part("event", said)?.unwrap_or_default();
    auditor.said.bury(&vault, registry);
    let kept = match since {
        Some(text) => Some(entries::Kept::open(text, signer.verifier())?),
        None => None,
    };
    let (size, key) = (head.map_or(u64::MAX, |it| it.size), views::key()?);
    let folder = views::Folder {
        region,
        vault: &vault,
        registry,
        size,
        key: &key,
        identity: pictures.identity_again.as_mut(),
        visits: pictures.visits_again.as_mut(),
        findings: Findings::default(),
    };
    // Three things that wait for nothing of each other: the log, its folds, the files themselves.
    let others = std::thread::scope(|scope| {
        let views = with_views.then(|| scope.spawn(|| folder.run()));
        let files = scope.spawn(|| snapshot::examine(backend));
        if let Some(head) = head {
            let walked = auditor.entries(&head, kept.as_ref(), &mut progress);
            auditor.findings.part("bundle", walked)?;
        }
        auditor.tables(size)?;
        let panicked = |_| Fault::new("a thread of the audit panicked");
        let mut findings = Vec::new();
        if let Some(views) = views {
            // While the log is being folded, what is stored is summed up.
            let stored = auditor.stored_views(size, &key)?;
            let (made, of_views) = views.join().map_err(panicked)??;
            findings.push(of_views);
            auditor.compare_views(made, &stored, size)?;
        }
        findings.push(files.join().map_err(panicked)??);
        Ok::<_, Fault>(findings)
    })?;
    auditor.settle_missing()?;
    let mut findings = auditor.findings;
    for it in others {
        findings.merge(it);
    }
    Ok(findings.report())
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
        self.0.view_rows += other.0.view_rows;
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
    /// Closed hours of the access log: how many rows, their root in hex, and the entry.
    closed: BTreeMap<i64, (i64, String, u64)>,
}

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
    region: &'a Region,
    value: Value,
    identity: &'a mut dyn Engine,
    visits: &'a mut dyn Engine,
    vault: &'a Vault,
    registry: &'a Registry,
    said: Said,
    missing: Vec<Missing>,
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

    fn stored_views(&mut self, size: u64, key: &hmac::Key) -> Result<views::Sums, Fault> {
        let Self { identity, visits, region, registry, findings, .. } = self;
        views::stored(*identity, *visits, region, registry, size, key, findings)
    }

    fn compare_views(
        &mut self,
        made: Vec<views::Folded>,
        stored: &views::Sums,
        size: u64,
    ) -> Result<(), Fault> {
        let Self { identity, visits, region, findings, .. } = self;
        views::compare(made, stored, *identity, *visits, region, size, findings)
    }

    /// A day's rows leave the visits before the log says so, in the same batch. What is missing
    /// here may have been explained since, where a server works beside.
    fn settle_missing(&mut self) -> Result<(), Fault> {
        if self.missing.is_empty() {
            return Ok(());
        }
        self.identity.rollback()?;
        let now = said(self.identity, &self.value, u64::MAX);
        let now = self.findings.part("event", now)?.unwrap_or_default();
        for it in std::mem::take(&mut self.missing) {
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
    texts.iter().filter(|(of, _)| *of == side).try_for_each(|(_, sql)| engine.check(sql))
}
