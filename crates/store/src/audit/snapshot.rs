//! One picture of all databases, taken beside a serving process, and what the engine itself says
//! about its files.

use kernel::Region;
use rusqlite::ErrorCode;

use super::{Findings, HEAD};
use crate::backend::Part;
use crate::fault::Doing as _;
use crate::projection::select;
use crate::sqlite::Sqlite;
use crate::{Backend, Engine, Fault, Value};

/// Read transactions on all databases, of one moment: one for each thread that reads.
pub(super) struct Pictures {
    pub(super) identity: Box<dyn Engine>,
    pub(super) rows: Box<dyn Engine>,
    pub(super) identity_again: Box<dyn Engine>,
    pub(super) visits: Box<dyn Engine>,
    pub(super) visits_again: Box<dyn Engine>,
    pub(super) keys: Box<dyn Engine>,
}

/// Tries to find a moment in which nobody commits; one takes well under a millisecond.
const TRIES: u32 = 200;

const TOUCH_KEYS: &str = "SELECT scope FROM vault_key WHERE region = $1 LIMIT 1";
const TOUCH_VISITS: &str = "SELECT seq FROM observation WHERE region = $1 LIMIT 1";

impl Pictures {
    /// Opens and begins. Every write that an audit could stumble over (a new key, a forgotten
    /// subject, a day's end) lengthens the log, and is committed on the identity side last: when the
    /// log was as long before the first transaction as it is in the last, they belong together.
    pub(super) fn take(backend: &Backend, region: &Region) -> Result<Self, Fault> {
        if let Backend::Folder(dir) = backend {
            for path in Part::ALL.map(|it| dir.join(it.file())) {
                // Opening would say only "unable to open database file".
                std::fs::File::open(&path).doing(&format!("opening {}", path.display()))?;
            }
        }
        let mut it = Self {
            identity: backend.reader(Part::Identity)?,
            rows: backend.reader(Part::Identity)?,
            identity_again: backend.reader(Part::Identity)?,
            visits: backend.reader(Part::Visits)?,
            visits_again: backend.reader(Part::Visits)?,
            keys: backend.reader(Part::Keys)?,
        };
        let region = Value::from(region.as_str());
        for _ in 0..TRIES {
            let before = size(it.identity.as_mut(), &region)?;
            let sides = [&mut it.visits, &mut it.visits_again];
            for (engine, sql) in sides.map(|it| (it, TOUCH_VISITS)) {
                begin(engine.as_mut(), &region, sql)?;
            }
            begin(it.keys.as_mut(), &region, TOUCH_KEYS)?;
            let mut same = true;
            for engine in [&mut it.identity, &mut it.rows, &mut it.identity_again] {
                engine.begin_read()?;
                same &= size(engine.as_mut(), &region)? == before;
            }
            if same {
                return Ok(it);
            }
            for engine in it.all() {
                engine.rollback()?;
            }
        }
        Err(Fault::caused("taking a picture of a busy region", std::io::Error::other("busy")))
    }

    fn all(&mut self) -> [&mut Box<dyn Engine>; 6] {
        let Self { identity, rows, identity_again, visits, visits_again, keys } = self;
        [identity, rows, identity_again, visits, visits_again, keys]
    }
}

/// Begins to read: the picture is taken with the first query. What cannot be read is found later.
fn begin(engine: &mut dyn Engine, region: &Value, sql: &str) -> Result<(), Fault> {
    engine.begin_read()?;
    match select(engine, region, sql, &[]) {
        Err(fault) if is_of_the_world(&fault) => Err(fault),
        _ => Ok(()),
    }
}

/// The log's size; `None` when it cannot be read, which is found later.
fn size(engine: &mut dyn Engine, region: &Value) -> Result<Option<u64>, Fault> {
    match select(engine, region, HEAD, &[]) {
        Ok(rows) => Ok(rows.first().and_then(|row| row.count(0).ok())),
        Err(fault) if is_of_the_world(&fault) => Err(fault),
        Err(_) => Ok(None),
    }
}

/// Whether a fault says nothing about what is stored: no such file, no right to read it, a disk or
/// a network in trouble. Everything else (a damaged page, a text that is none) is a finding.
pub(super) fn is_of_the_world(fault: &Fault) -> bool {
    if fault.is_lost() {
        return true;
    }
    let Some(cause) = fault.cause() else { return false };
    if cause.is::<std::io::Error>() {
        return true;
    }
    if let Some(inner) = cause.downcast_ref::<Fault>() {
        return is_of_the_world(inner);
    }
    let code = cause.downcast_ref::<rusqlite::Error>().and_then(rusqlite::Error::sqlite_error_code);
    matches!(
        code,
        Some(
            ErrorCode::PermissionDenied
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::OutOfMemory
                | ErrorCode::SystemIoFailure
                | ErrorCode::DiskFull
                | ErrorCode::CannotOpen
        )
    )
}

/// What the engine says about its own files: pages, indexes against their tables. A server looks after
/// its own.
pub(super) fn examine(backend: &Backend) -> Result<Findings, Fault> {
    let mut findings = Findings::default();
    let Backend::Folder(dir) = backend else { return Ok(findings) };
    for file in Part::ALL.map(Part::file) {
        let said = Sqlite::reader(&dir.join(file)).and_then(|it| it.examine());
        for it in findings.part("file", said)?.unwrap_or_default() {
            findings.wrong(None, "file", format!("{file}: {it}"));
        }
    }
    Ok(findings)
}
