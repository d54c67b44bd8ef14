//! Reading views, events and the log.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use kernel::{Aggregate, Instant, Region};
use ledger::{Hash, Resource, TileId};

use crate::backend::{Backend, Part};
use crate::door::Shared;
use crate::fault::Doing as _;
use crate::leaf::SALT_LEN;
use crate::projection::select;
use crate::registry::Recorded;
use crate::tx::{epoch_scope, event_context, recorded};
use crate::vault::Vault;
use crate::{Engine, Fault, Row, Value};

/// Read connections that wait for use. Each thread that reads takes one; more are opened on
/// demand and dropped when this many lie ready.
const IDLE_MAX: usize = 8;

struct Pair {
    identity: Box<dyn Engine>,
    visits: Box<dyn Engine>,
}

#[derive(Default)]
struct Pairs {
    idle: Vec<Pair>,
    /// Threads that read.
    busy: usize,
}

/// The read connections of one region.
pub(crate) struct Readers {
    backend: Backend,
    shared: Arc<Shared>,
    pairs: Mutex<Pairs>,
    /// A thread has finished reading.
    done: Condvar,
}

/// One of the threads that may read at once, until dropped.
struct Turn<'a>(&'a Readers);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.pairs.lock().unwrap_or_else(PoisonError::into_inner).busy -= 1;
        self.0.done.notify_one();
    }
}

impl Readers {
    pub(crate) fn new(backend: Backend, shared: Arc<Shared>) -> Self {
        Self { backend, shared, pairs: Mutex::default(), done: Condvar::new() }
    }

    /// Waits for a turn, and takes a connection that lies ready.
    fn begin(&self) -> (Turn<'_>, Option<Pair>) {
        let most = self.backend.readers_max();
        let pairs = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.done.wait_while(pairs, |it| it.busy >= most);
        let mut pairs = waited.unwrap_or_else(PoisonError::into_inner);
        pairs.busy += 1;
        (Turn(self), pairs.idle.pop())
    }

    pub(crate) fn with<T>(
        &self,
        region: &Region,
        vault: &Vault,
        work: impl FnOnce(&mut Reader<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let (_turn, ready) = self.begin();
        let mut pair = match ready {
            Some(pair) => pair,
            None => Pair {
                identity: self.backend.reader(Part::Identity)?,
                visits: self.backend.reader(Part::Visits)?,
            },
        };
        let value = Value::from(region.as_str());
        // One snapshot for the whole of `work`: what it reads belongs together.
        pair.identity.begin_read()?;
        let known = self.shared.follower.catch_up(pair.identity.as_mut(), &value, vault);
        let answer =
            known.and_then(|()| work(&mut Reader { pair: &mut pair, region, value, vault }));
        pair.identity.rollback()?;
        let mut pairs = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
        if pairs.idle.len() < IDLE_MAX {
            pairs.idle.push(pair);
        }
        answer
    }
}

/// The salt and the payload that a leaf's commitment is made of.
pub type OpenedPayload = ([u8; SALT_LEN], Vec<u8>);

/// A consistent look at the identity side and the log, and at counts of the visits side.
pub struct Reader<'a> {
    pair: &'a mut Pair,
    region: &'a Region,
    value: Value,
    vault: &'a Vault,
}

const EVENT_AT: &str = "SELECT seq, kind, at, sealed, epoch, payload, stream, stream_id FROM event \
     WHERE region = $1 AND seq = $2";
const EVENTS_OF: &str = "SELECT seq, kind, at, sealed, epoch, payload, stream, stream_id FROM event \
     WHERE region = $1 AND stream = $2 AND stream_id = $3 ORDER BY seq";
const HEAD: &str = "SELECT size, root, checkpoint, at FROM log_head WHERE region = $1";
const TILE: &str =
    "SELECT width, bytes FROM log_tile WHERE region = $1 AND level = $2 AND position = $3";
const BUNDLE: &str = "SELECT width, bytes FROM log_bundle WHERE region = $1 AND position = $2";

/// The SQL texts of this module, for conformance law 7.
pub const QUERIES: &[&str] = &[EVENT_AT, EVENTS_OF, HEAD, TILE, BUNDLE];

/// The head of the log.
#[derive(Debug, Clone)]
pub struct Head {
    /// Entries.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
    /// The signed checkpoint (C2SP tlog-checkpoint).
    pub checkpoint: String,
    /// When it was signed.
    pub at: Instant,
}

impl Reader<'_> {
    /// The region.
    pub fn region(&self) -> &Region {
        self.region
    }

    /// The vault.
    pub fn vault(&self) -> &Vault {
        self.vault
    }

    /// Runs a query on the identity side; `$1` is the region.
    pub fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, Fault> {
        select(self.pair.identity.as_mut(), &self.value, sql, values)
    }

    /// The first row of a query on the identity side.
    pub fn first(&mut self, sql: &str, values: &[Value]) -> Result<Option<Row>, Fault> {
        Ok(self.query(sql, values)?.into_iter().next())
    }

    /// Runs a query on the visits side; `$1` is the region. For counts and places, never to look
    /// for a person: that is [`crate::join`]'s business.
    pub fn query_visits(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, Fault> {
        select(self.pair.visits.as_mut(), &self.value, sql, values)
    }

    /// Opens a view's sealed column; `None` for NULL and for forgotten subjects.
    pub fn open(
        &self,
        subject: u128,
        context: &str,
        sealed: Option<&[u8]>,
    ) -> Result<Option<String>, Fault> {
        let Some(sealed) = sealed else { return Ok(None) };
        let opened = self.vault.open_column(subject, context, sealed)?;
        opened.map(|it| String::from_utf8(it).doing("opening a column")).transpose()
    }

    /// The event with this number; `None` when the number is an observation's or does not exist.
    pub fn event(&mut self, seq: u64) -> Result<Option<Recorded>, Fault> {
        let row = self.first(EVENT_AT, &[seq.into()])?;
        row.map(|row| recorded(self.region, self.vault, &row)).transpose()
    }

    /// Salt and payload of a sealed event, exactly as the leaf commits to them: whoever has both
    /// can recompute [`crate::leaf::commitment`]. `None` for public events and observations, for
    /// numbers beyond the log, and once the key was destroyed. Who may see it is the caller's duty.
    pub fn opened_payload(&mut self, seq: u64) -> Result<Option<OpenedPayload>, Fault> {
        let Some(row) = self.first(EVENT_AT, &[seq.into()])? else { return Ok(None) };
        if !row.truth(3)? {
            return Ok(None);
        }
        let kind = row.text(1)?;
        let subject = <[u8; 16]>::try_from(row.bytes(7)?).doing("reading a stream id")?;
        let epoch = epoch_scope(kind, row.maybe_int(4)?);
        let subject = Some(u128::from_be_bytes(subject));
        let Some(key) = self.vault.find_for(subject, epoch.as_ref())? else { return Ok(None) };
        let opened = key.open(seq, &event_context(self.region, kind), row.bytes(5)?)?;
        let (salt, payload) = opened
            .split_first_chunk::<SALT_LEN>()
            .ok_or_else(|| Fault::new("a sealed payload is shorter than its salt"))?;
        Ok(Some((*salt, payload.to_vec())))
    }

    /// All events of one thing, oldest first.
    pub fn events(&mut self, stream: &str, id: u128) -> Result<Vec<Recorded>, Fault> {
        let rows = self.query(EVENTS_OF, &[stream.into(), id.to_be_bytes().into()])?;
        rows.iter().map(|row| recorded(self.region, self.vault, row)).collect()
    }

    /// The state of one thing.
    pub fn state<A: Aggregate>(&mut self, id: u128) -> Result<A, Fault> {
        let mut state = A::default();
        for it in self.events(A::STREAM, id)? {
            if let Some(event) = it.event::<A::Event>()? {
                state.fold(&event);
            }
        }
        Ok(state)
    }

    /// The head of the log.
    pub fn head(&mut self) -> Result<Head, Fault> {
        let row = self.first(HEAD, &[])?.ok_or_else(|| Fault::new("the log has no head"))?;
        Ok(Head {
            size: row.count(0)?,
            root: hash(row.bytes(1)?)?,
            checkpoint: row.text(2)?.to_owned(),
            at: row.instant(3)?,
        })
    }

    /// A stored tile or bundle cut to the width asked for; `None` when there is none that wide.
    pub fn resource(&mut self, resource: Resource) -> Result<Option<Vec<u8>>, Fault> {
        match resource {
            Resource::Tile(id) => {
                let values: [Value; 2] = [id.level.into(), id.index.into()];
                let Some(row) = self.first(TILE, &values)? else { return Ok(None) };
                let wanted = usize::from(id.width) * 32;
                Ok(row.bytes(1)?.get(..wanted).map(<[u8]>::to_vec))
            }
            Resource::Bundle(id) => {
                let Some(row) = self.first(BUNDLE, &[id.index.into()])? else { return Ok(None) };
                let entries = ledger::parse_bundle(row.bytes(1)?).doing("reading a bundle")?;
                let Some(entries) = entries.get(..usize::from(id.width)) else { return Ok(None) };
                ledger::encode_bundle(entries).map(Some).doing("cutting a bundle")
            }
        }
    }

    /// The entry with this index, as it stands on the log.
    pub fn entry(&mut self, index: u64) -> Result<Option<Vec<u8>>, Fault> {
        let Some(row) = self.first(BUNDLE, &[(index >> 8).into()])? else { return Ok(None) };
        let entries = ledger::parse_bundle(row.bytes(1)?).doing("reading a bundle")?;
        let position = usize::try_from(index & 0xff).unwrap_or(usize::MAX);
        Ok(entries.get(position).map(|it| it.to_vec()))
    }

    /// The inclusion proof of entry `index` in the log of `size` entries.
    pub fn inclusion_proof(&mut self, index: u64, size: u64) -> Result<Vec<Hash>, Fault> {
        let mut source = |id: TileId| self.need_tile(id);
        ledger::inclusion_proof(index, size, &mut source).doing("proving inclusion")
    }

    /// The consistency proof between two sizes.
    pub fn consistency_proof(&mut self, old: u64, new: u64) -> Result<Vec<Hash>, Fault> {
        let mut source = |id: TileId| self.need_tile(id);
        ledger::consistency_proof(old, new, &mut source).doing("proving consistency")
    }

    fn need_tile(&mut self, id: TileId) -> Result<Vec<u8>, Fault> {
        let found = self.resource(Resource::Tile(id))?;
        found.ok_or_else(|| Fault::new(format!("the tile {} is missing", id.path())))
    }
}

pub(crate) fn hash(bytes: &[u8]) -> Result<Hash, Fault> {
    let bytes = <[u8; 32]>::try_from(bytes).doing("reading a hash")?;
    Ok(Hash::from(bytes))
}
