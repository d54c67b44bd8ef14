//! What a command may do while it holds the write door.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use contracts::Published;
use contracts::gate::Device;
use contracts::person::{Person, Staff};
use kernel::{Aggregate, Clock, Fact, Id, Instant, Region, Seed};
use ledger::Tree;
use serde::Serialize;

use crate::fault::Doing as _;
use crate::leaf::{self, Leaf, SALT_LEN};
use crate::lease::Lease;
use crate::projection::{Projection, put, run, select};
use crate::registry::{Recorded, Registry, Sealing, Side};
use crate::vault::{Scope, Vault, both};
use crate::{Engine, Fault, Keyring, Row, Value};

/// Who causes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// A citizen.
    Citizen(Id<Person>),
    /// A member of staff.
    Staff(Id<Staff>),
    /// An enrolled device.
    Device(Id<Device>),
    /// The program itself: which part.
    System(&'static str),
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Citizen(id) => id.fmt(f),
            Self::Staff(id) => id.fmt(f),
            Self::Device(id) => id.fmt(f),
            Self::System(part) => write!(f, "system/{part}"),
        }
    }
}

/// Who asks, and by which command id: the same id has one effect and one answer, however often it
/// is sent.
#[derive(Debug, Clone, Copy)]
pub struct Context {
    /// Who.
    pub by: By,
    /// The id that the sender chose; `None` where a repetition is harmless or impossible.
    pub command: Option<u128>,
}

impl Context {
    /// A context without a command id.
    pub const fn by(by: By) -> Self {
        Self { by, command: None }
    }
}

/// What a command made happen.
#[derive(Debug, Clone)]
pub struct Ran<E> {
    /// The first new leaf's index.
    pub first: u64,
    /// The new events.
    pub events: Vec<E>,
    /// The command id had already taken effect: these are its events of then.
    pub repeated: bool,
}

/// The state of aggregates that were used lately.
#[derive(Default)]
pub(crate) struct States(HashMap<(&'static str, u128), Box<dyn Any + Send>>);

/// More states than this are not kept.
const STATES_MAX: usize = 50_000;

impl States {
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    fn get<A: Aggregate>(&self, id: u128) -> Option<A> {
        self.0.get(&(A::STREAM, id))?.downcast_ref::<A>().cloned()
    }

    fn put<A: Aggregate>(&mut self, id: u128, state: A) {
        if self.0.len() >= STATES_MAX {
            self.0.clear();
        }
        self.0.insert((A::STREAM, id), Box::new(state));
    }
}

/// What the writer has to see to, on a server alone.
pub(crate) struct Due {
    /// Keys were deleted whose bytes may still lie in the files.
    pub(crate) erasure: bool,
    /// Visits may hold what the log does not cover: looked at before the next batch.
    pub(crate) orphans: bool,
}

/// Everything that the single writer of a region owns.
pub(crate) struct Core {
    pub(crate) region: Region,
    pub(crate) region_value: Value,
    pub(crate) identity: Box<dyn Engine>,
    pub(crate) visits: Box<dyn Engine>,
    pub(crate) keys: Box<dyn Engine>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) seed: Seed,
    pub(crate) tree: Tree,
    pub(crate) signer: ledger::Signer,
    pub(crate) states: States,
    /// Leaves of the open batch.
    pub(crate) staged: Vec<Vec<u8>>,
    pub(crate) visits_open: bool,
    pub(crate) keys_open: bool,
    /// Where the databases are on a server: the right to write, and whether another has it by now.
    pub(crate) lease: Option<Lease>,
    pub(crate) fenced: bool,
    pub(crate) due: Due,
    pub(crate) trust: crate::trust::Trust,
    /// Keys made in the open batch: they leave the cache if it fails.
    pub(crate) fresh_keys: Vec<Scope>,
    /// Keys to destroy once the open batch is durable.
    pub(crate) doomed_keys: Vec<Scope>,
    /// Keys whose end is on the log and that could not be destroyed yet.
    pub(crate) overdue_keys: Vec<Scope>,
}

/// Reactions to reactions end here: a deeper chain is a design error.
const REACTION_DEPTH: u8 = 6;

const EVENT_ADD: &str = "INSERT INTO event (region, seq, stream, stream_id, kind, at, sealed, epoch, payload) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const EVENT_OF: &str = "SELECT seq, kind, at, sealed, epoch, payload, stream, stream_id FROM event \
     WHERE region = $1 AND stream = $2 AND stream_id = $3 ORDER BY seq";
const COMMAND_FIND: &str = "SELECT first, count FROM command WHERE region = $1 AND command = $2";
const COMMAND_ADD: &str =
    "INSERT INTO command (region, command, at, first, count) VALUES ($1, $2, $3, $4, $5)";
const EVENTS_FROM: &str = "SELECT seq, kind, at, sealed, epoch, payload, stream, stream_id FROM event \
     WHERE region = $1 AND seq >= $2 AND seq < $3 ORDER BY seq";

/// The SQL texts of this crate's write door, for conformance law 7.
pub const QUERIES: &[&str] = &[EVENT_ADD, EVENT_OF, COMMAND_FIND, COMMAND_ADD, EVENTS_FROM];

#[derive(Serialize)]
struct EnvelopeOut<'a, E> {
    stream: &'a str,
    id: String,
    by: String,
    event: &'a E,
}

/// The associated data of a payload: it opens only where it was sealed.
pub(crate) fn event_context(region: &Region, kind: &str) -> Vec<u8> {
    format!("payload/{region}/{kind}").into_bytes()
}

/// The UTC day of an instant, in days since 1970.
pub fn utc_day(at: Instant) -> i32 {
    i32::try_from(at.seconds().div_euclid(86_400)).unwrap_or(i32::MAX)
}

/// Reads a row of `EVENTS_FROM` or `EVENT_OF`, opening its payload.
pub(crate) fn recorded(region: &Region, vault: &Vault, row: &Row) -> Result<Recorded, Fault> {
    let stream_id = u128::from_be_bytes(
        row.bytes(7)?.try_into().map_err(|_| Fault::new("a stream id is not 16 bytes"))?,
    );
    let mut it = Recorded {
        region: region.clone(),
        seq: row.count(0)?,
        at: row.instant(2)?,
        stream: row.text(6)?.to_owned(),
        stream_id,
        kind: row.text(1)?.to_owned(),
        by: String::new(),
        json: None,
    };
    if let Some(envelope) = open_payload(region, vault, &it, row)? {
        let envelope: crate::registry::Envelope =
            serde_json::from_slice(&envelope).doing("reading a payload")?;
        it.by = envelope.by;
        it.json = Some(envelope.event.get().as_bytes().to_vec());
    }
    Ok(it)
}

fn open_payload(
    region: &Region,
    vault: &Vault,
    it: &Recorded,
    row: &Row,
) -> Result<Option<Vec<u8>>, Fault> {
    let payload = row.bytes(5)?;
    if !row.truth(3)? {
        return Ok(Some(payload.to_vec()));
    }
    let epoch = epoch_scope(&it.kind, row.maybe_int(4)?);
    let Some(key) = vault.find_for(Some(it.stream_id), epoch.as_ref())? else { return Ok(None) };
    let mut opened = key.open(it.seq, &event_context(region, &it.kind), payload)?;
    opened.drain(..SALT_LEN.min(opened.len()));
    Ok(Some(opened))
}

pub(crate) fn epoch_scope(kind: &str, day: Option<i64>) -> Option<Scope> {
    let day = i32::try_from(day?).ok()?;
    Some(Scope::Epoch { kind: kind.to_owned(), day, visits: false })
}

/// What a command may do while it holds the write door.
pub struct Tx<'a> {
    pub(crate) core: &'a mut Core,
    depth: u8,
}

impl<'a> Tx<'a> {
    pub(crate) fn new(core: &'a mut Core) -> Self {
        Self { core, depth: 0 }
    }

    /// The server's clock.
    pub fn now(&self) -> Instant {
        self.core.clock.now()
    }

    /// Random bytes.
    pub fn seed(&self) -> &Seed {
        &self.core.seed
    }

    /// The region.
    pub fn region(&self) -> &Region {
        &self.core.region
    }

    /// The vault, for blind indexes and sealed columns.
    pub fn vault(&self) -> &Vault {
        &self.core.vault
    }

    /// The region's keys.
    pub fn keyring(&self) -> &Keyring {
        &self.core.keyring
    }

    /// Runs a statement on the identity side; `$1` is the region. For operational tables: views are
    /// written by projections alone.
    pub fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, Fault> {
        run(self.core.identity.as_mut(), &self.core.region_value, sql, values)
    }

    /// Runs a query on the identity side; `$1` is the region. Sees what this batch has written.
    pub fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, Fault> {
        select(self.core.identity.as_mut(), &self.core.region_value, sql, values)
    }

    /// The present state of one thing.
    pub fn state<A: Aggregate>(&mut self, id: u128) -> Result<A, Fault> {
        if let Some(state) = self.core.states.get::<A>(id) {
            return Ok(state);
        }
        let mut state = A::default();
        let stored = self.query(EVENT_OF, &[A::STREAM.into(), id.to_be_bytes().into()])?;
        for row in &stored {
            let it = recorded(&self.core.region, &self.core.vault, row)?;
            if let Some(event) = it.event::<A::Event>()? {
                state.fold(&event);
            }
        }
        self.core.states.put(id, state.clone());
        Ok(state)
    }

    /// Decides a command and records what it makes happen. `Ok(Err(refusal))` has written nothing.
    pub fn run<A: Aggregate>(
        &mut self,
        context: &Context,
        id: u128,
        command: A::Command,
    ) -> Result<Result<Ran<A::Event>, A::Refusal>, Fault> {
        if let Some(repeated) = self.repeated::<A::Event>(context)? {
            return Ok(Ok(repeated));
        }
        let state = self.state::<A>(id)?;
        let now = self.now();
        let events = match state.decide(command, now) {
            Ok(events) => events,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let first = self.next_seq();
        self.record::<A>(context, id, state, &events, now)?;
        self.took_effect(context, first, events.len())?;
        Ok(Ok(Ran { first, events, repeated: false }))
    }

    /// Notes that the context's command, if it has an id, made `count` leaves from `first` on.
    pub(crate) fn took_effect(
        &mut self,
        context: &Context,
        first: u64,
        count: usize,
    ) -> Result<(), Fault> {
        let Some(command) = context.command else { return Ok(()) };
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        let values: [Value; 4] =
            [command.to_be_bytes().into(), self.now().into(), first.into(), count.into()];
        put(self.core.identity.as_mut(), &self.core.region_value, COMMAND_ADD, &values)
    }

    /// Whether this command id has already taken effect, and how.
    fn repeated<E: Fact>(&mut self, context: &Context) -> Result<Option<Ran<E>>, Fault> {
        let Some(command) = context.command else { return Ok(None) };
        let Some((first, count)) = self.command(command)? else { return Ok(None) };
        let rows = self.query(EVENTS_FROM, &[first.into(), (first + count).into()])?;
        let mut events = Vec::new();
        for row in &rows {
            // Reactions may have written between; the command's own are of its own type.
            let it = recorded(&self.core.region, &self.core.vault, row)?;
            events.extend(it.event::<E>()?);
        }
        Ok(Some(Ran { first, events, repeated: true }))
    }

    /// First leaf and number of leaves of a command that took effect.
    pub(crate) fn command(&mut self, command: u128) -> Result<Option<(u64, u64)>, Fault> {
        let rows = self.query(COMMAND_FIND, &[command.to_be_bytes().into()])?;
        rows.first().map(|row| Ok((row.count(0)?, row.count(1)?))).transpose()
    }

    pub(crate) fn next_seq(&self) -> u64 {
        self.core.tree.size() + u64::try_from(self.core.staged.len()).unwrap_or(u64::MAX)
    }

    fn record<A: Aggregate>(
        &mut self,
        context: &Context,
        id: u128,
        mut state: A,
        events: &[A::Event],
        now: Instant,
    ) -> Result<(), Fault> {
        let registry = Arc::clone(&self.core.registry);
        let stream = registry.stream(A::STREAM)?;
        let mut published = Vec::new();
        for event in events {
            state.fold(event);
            let envelope = EnvelopeOut {
                stream: A::STREAM,
                id: format!("{id:032x}"),
                by: context.by.to_string(),
                event,
            };
            let payload = serde_json::to_vec(&envelope).doing("writing a payload")?;
            let kind = event.kind();
            let epoch = (stream.retention_days)(kind).map(|_| utc_day(now));
            let seq = self.append(A::STREAM, id, kind, now, stream.sealing, epoch, payload)?;
            let it = Recorded {
                region: self.core.region.clone(),
                seq,
                at: now,
                stream: A::STREAM.to_owned(),
                stream_id: id,
                kind: kind.to_owned(),
                by: envelope.by,
                json: Some(serde_json::to_vec(event).doing("writing an event")?),
            };
            (stream.project)(&mut self.projection(), &it)?;
            published.extend((stream.publish)(&it)?);
        }
        self.core.states.put(id, state);
        for it in &published {
            self.react(it)?;
        }
        Ok(())
    }

    fn react(&mut self, published: &Published) -> Result<(), Fault> {
        if self.depth >= REACTION_DEPTH {
            return Err(Fault::new("reactions call reactions too deeply"));
        }
        self.depth += 1;
        let registry = Arc::clone(&self.core.registry);
        let context = Context::by(By::System("reaction"));
        for reaction in &registry.reactions {
            reaction(self, &context, published)?;
        }
        self.depth -= 1;
        Ok(())
    }

    /// Appends a public record of the store's own: a key destroyed, an hour of the access log.
    pub(crate) fn append_public(
        &mut self,
        kind: &'static str,
        event: &impl Serialize,
    ) -> Result<u64, Fault> {
        let (stream, by) = ("store", By::System("store").to_string());
        let envelope = EnvelopeOut { stream, id: String::new(), by, event };
        let payload = serde_json::to_vec(&envelope).doing("writing a payload")?;
        self.append(stream, 0, kind, self.now(), Sealing::Public, None, payload)
    }

    #[allow(clippy::too_many_arguments, reason = "the columns of one row")]
    fn append(
        &mut self,
        stream: &str,
        id: u128,
        kind: &str,
        now: Instant,
        sealing: Sealing,
        epoch: Option<i32>,
        payload: Vec<u8>,
    ) -> Result<u64, Fault> {
        let seq = self.next_seq();
        let region = self.core.region.clone();
        let (leaf, stored) = match sealing {
            Sealing::Public => {
                let text = std::str::from_utf8(&payload).doing("writing a public payload")?;
                (Leaf::public(region.as_str(), now, kind, text), payload)
            }
            Sealing::Subject => {
                let subject = self.key(&Scope::Subject(id))?;
                let epoch = match epoch_scope(kind, epoch.map(i64::from)) {
                    Some(scope) => Some(self.key(&scope)?),
                    None => None,
                };
                let key = both(Some(subject), epoch)?;
                let (commit, sealed) = self.seal(&key, seq, kind, &payload)?;
                (Leaf::sealed(region.as_str(), now, kind, &commit), sealed)
            }
        };
        let values: [Value; 8] = [
            seq.into(),
            stream.into(),
            id.to_be_bytes().into(),
            kind.into(),
            now.into(),
            (sealing == Sealing::Subject).into(),
            epoch.into(),
            stored.into(),
        ];
        put(self.core.identity.as_mut(), &self.core.region_value, EVENT_ADD, &values)?;
        self.core.staged.push(leaf);
        Ok(seq)
    }

    /// The commitment, and salt and payload sealed.
    pub(crate) fn seal(
        &self,
        key: &crate::vault::SealingKey,
        seq: u64,
        kind: &str,
        payload: &[u8],
    ) -> Result<([u8; 32], Vec<u8>), Fault> {
        let salt: [u8; SALT_LEN] = self.core.seed.bytes();
        let commit = leaf::commitment(&salt, payload);
        let mut sealed = Vec::with_capacity(SALT_LEN + payload.len() + 16);
        sealed.extend_from_slice(&salt);
        sealed.extend_from_slice(payload);
        key.seal(seq, &event_context(&self.core.region, kind), &mut sealed)?;
        Ok((commit, sealed))
    }

    pub(crate) fn key(&mut self, scope: &Scope) -> Result<Arc<crate::vault::SealingKey>, Fault> {
        let core = &mut *self.core;
        core.open_keys()?;
        let (key, made) = core.vault.find_or_make(core.keys.as_mut(), scope)?;
        if made {
            core.fresh_keys.push(scope.clone());
            // Forgetting is for good: a new key would make the old payloads look damaged.
            if let Scope::Subject(id) = scope
                && self.is_forgotten(*id)?
            {
                return Err(Fault::new(
                    "the subject was forgotten: nothing more is recorded of it",
                ));
            }
        }
        Ok(key)
    }

    /// Whether a subject was forgotten.
    pub fn is_forgotten(&mut self, subject: u128) -> Result<bool, Fault> {
        let sql = "SELECT at FROM forgotten WHERE region = $1 AND subject = $2";
        Ok(!self.query(sql, &[subject.to_be_bytes().into()])?.is_empty())
    }

    /// Forgets a subject: its rows leave every view, its key is destroyed once this is durable,
    /// and the log says that it was. The leaves stay; nobody can open them.
    pub fn forget(&mut self, subject: u128) -> Result<(), Fault> {
        let registry = Arc::clone(&self.core.registry);
        for view in &registry.views {
            if let (Side::Identity, Some(column)) = (view.side, view.subject) {
                let sql = format!("DELETE FROM {} WHERE region = $1 AND {column} = $2", view.table);
                self.execute(&sql, &[subject.to_be_bytes().into()])?;
            }
        }
        let now = self.now();
        let values: [Value; 2] = [subject.to_be_bytes().into(), now.into()];
        self.execute(
            "INSERT INTO forgotten (region, subject, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            &values,
        )?;
        self.append_public(
            "store.forgotten.v1",
            &serde_json::json!({ "subject": format!("{subject:032x}") }),
        )?;
        self.doom(Scope::Subject(subject));
        self.core.states.clear();
        Ok(())
    }

    /// Destroys a key once the batch is durable; dead at once for whatever follows in it.
    pub(crate) fn doom(&mut self, scope: Scope) {
        self.core.vault.doom(&scope);
        self.core.doomed_keys.push(scope);
    }

    fn projection(&mut self) -> Projection<'_> {
        let Core { identity, region_value, vault, .. } = &mut *self.core;
        Projection { engine: identity.as_mut(), region: region_value, vault }
    }
}
