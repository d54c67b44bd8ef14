//! What the slices bring to the store: streams, observations, views, migrations, reactions.

use contracts::Published;
use kernel::{Fact, Instant, Region};
use serde::Deserialize;

use crate::fault::Doing as _;
use crate::{Context, Fault, Projection, Tx, Value};

/// Which database a table lies in. Identity and visits have separate files and separate wrapping
/// keys; the only way to join them is [`crate::join`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Events, the log, every view about people, and operational tables.
    Identity,
    /// Observations of who (by pass, never by name) was where.
    Visits,
}

/// A numbered migration of one owner's tables.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// 1, 2, 3 … within the owner and side.
    pub number: u32,
    /// In which database.
    pub side: Side,
    /// Statements that both engines run as they stand.
    pub sql: &'static str,
}

/// How a stream's payloads are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sealing {
    /// In the leaf itself, readable by anybody: policies, keys, counts.
    Public,
    /// Beside the log, under the key of the subject, who is the stream's id.
    Subject,
}

/// A kind of stream, and what its events do to the views.
#[derive(Clone, Copy)]
pub struct StreamKind {
    /// The aggregate's `STREAM`.
    pub name: &'static str,
    /// How payloads are kept.
    pub sealing: Sealing,
    /// Days after which the payload of an event of this kind (its [`Fact::kind`]) becomes
    /// unreadable by itself; `None` keeps it for as long as the subject's key lives.
    pub retention_days: fn(kind: &str) -> Option<u32>,
    /// Adds one event to the owner's views.
    pub project: fn(&mut Projection<'_>, &Recorded) -> Result<(), Fault>,
    /// What other slices are told of it.
    pub publish: fn(&Recorded) -> Result<Option<Published>, Fault>,
    /// Folds a recorded example of every event version and serialises it again (conformance law 4).
    pub refold: fn(&[u8]) -> Result<Vec<u8>, Fault>,
}

/// Keeps payloads for as long as the subject's key lives.
pub fn keep(_kind: &str) -> Option<u32> {
    None
}

/// Publishes nothing.
pub fn silent(_: &Recorded) -> Result<Option<Published>, Fault> {
    Ok(None)
}

/// Reads an event of type `E` and writes it again: what [`StreamKind::refold`] usually is.
pub fn refold<E: Fact>(json: &[u8]) -> Result<Vec<u8>, Fault> {
    let event: E = serde_json::from_slice(json).doing("reading an example event")?;
    serde_json::to_vec(&event).doing("writing an example event")
}

/// A kind of high-rate fact with no aggregate to load: visits, sensor readings. Kept on the visits
/// side under a key per region and day.
#[derive(Clone, Copy)]
pub struct ObservationKind {
    /// The name on the log, `<slice>.<past participle>.v<n>`.
    pub kind: &'static str,
    /// Days after which the day's key and rows are destroyed. Korea: 4 weeks.
    pub retention_days: u32,
    /// The rows that `project` adds.
    pub rows: &'static [&'static Insert],
    /// Adds a block to the owner's views on the visits side, and says of each item what it is found
    /// by under an open case ([`crate::join`]): the pass of a visit. The store keeps a tag of that
    /// under the day's key, which finds the same value again while the key lives, and nothing after.
    ///
    /// Rows are only ever added, so that an audit folds ten million visits without a table to fold
    /// them into. They carry the block's `seq` and are few: a visit with a place of its own in an
    /// index touches a page of its own, and that costs more than everything else together.
    pub project: fn(&mut Add<'_>, &Block<'_>) -> Result<Vec<FoundBy>, Fault>,
}

/// Takes one row: into its table, or into the sum that an audit makes of it.
pub type Add<'a> = dyn FnMut(&'static Insert, &[Value]) -> Result<(), Fault> + 'a;

/// A row that is added and never changed; made by [`insert!`](crate::insert!).
#[derive(Debug)]
pub struct Insert {
    /// The table.
    pub table: &'static str,
    /// All its columns but `region`, in the order of the values.
    pub columns: &'static [&'static str],
    /// The statement: the region is `$1`, the values follow.
    pub sql: &'static str,
}

/// An [`Insert`](crate::Insert): `insert!("gate_visit": "day" 2, "place" 3)`, where the numbers are those
/// of the parameters.
#[macro_export]
macro_rules! insert {
    ($table:literal: $($column:literal $number:literal),+ $(,)?) => {
        $crate::Insert {
            table: $table,
            columns: &[$($column),+],
            sql: concat!(
                "INSERT INTO ", $table, " (region", $(", ", $column),+,
                ") VALUES ($1", $(", $", $number),+, ")"
            ),
        }
    };
}

/// What an observation is found by; `None` for one that nobody is to find.
pub type FoundBy = Option<Vec<u8>>;

/// Observations of one batch and one day: what one leaf commits to.
#[derive(Debug)]
pub struct Block<'a> {
    /// The leaf's index.
    pub seq: u64,
    /// The day (days since 1970, UTC) they count for.
    pub day: i32,
    /// Their payloads, JSON, in their order.
    pub items: &'a [&'a [u8]],
}

/// A table that is a fold of the log.
#[derive(Debug, Clone, Copy)]
pub struct View {
    /// The table's name, `<slice>_<thing>`.
    pub table: &'static str,
    /// In which database. On the visits side a view has columns `seq` and `day`.
    pub side: Side,
    /// The column that names the subject: `forget` deletes the subject's rows by it.
    pub subject: Option<&'static str>,
    /// The column with the day (days since 1970) and the event kind whose retention empties it.
    pub day: Option<(&'static str, &'static str)>,
}

/// A slice's reaction to what was published, run in the same transaction.
pub type Reaction = fn(&mut Tx<'_>, &Context, &Published) -> Result<(), Fault>;

/// Everything the slices bring.
#[derive(Clone, Default)]
pub struct Registry {
    /// All streams.
    pub streams: Vec<StreamKind>,
    /// All observations.
    pub observations: Vec<ObservationKind>,
    /// All views.
    pub views: Vec<View>,
    /// All migrations, by owner, in order.
    pub migrations: Vec<(&'static str, Migration)>,
    /// All reactions.
    pub reactions: Vec<Reaction>,
}

impl Registry {
    /// The stream with this name.
    pub fn stream(&self, name: &str) -> Result<&StreamKind, Fault> {
        let found = self.streams.iter().find(|it| it.name == name);
        found.ok_or_else(|| Fault::new(format!("no stream is registered as {name:?}")))
    }

    /// The observation with this name.
    pub fn observation(&self, kind: &str) -> Result<&ObservationKind, Fault> {
        let found = self.observations.iter().find(|it| it.kind == kind);
        found.ok_or_else(|| Fault::new(format!("no observation is registered as {kind:?}")))
    }
}

/// What lies sealed beside a leaf: the event with where it belongs and who caused it.
#[derive(Debug, Deserialize)]
pub(crate) struct Envelope {
    pub(crate) by: String,
    pub(crate) event: Box<serde_json::value::RawValue>,
}

/// An event as it stands in the store.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// Whose log.
    pub region: Region,
    /// The leaf's index.
    pub seq: u64,
    /// When the server wrote it.
    pub at: Instant,
    /// The stream's name.
    pub stream: String,
    /// The thing's id.
    pub stream_id: u128,
    /// The event's kind, as on the leaf.
    pub kind: String,
    /// Who caused it, as [`crate::By`] prints it; empty when erased.
    pub by: String,
    /// The event as JSON; `None` when its key was destroyed.
    pub json: Option<Vec<u8>>,
}

impl Recorded {
    /// The event, or `None` when it was erased.
    pub fn event<E: Fact>(&self) -> Result<Option<E>, Fault> {
        let Some(json) = &self.json else { return Ok(None) };
        serde_json::from_slice(json).map(Some).doing(&self.kind)
    }

    /// The typed id of the stream's thing.
    pub fn id<K>(&self) -> kernel::Id<K> {
        kernel::Id::from_u128(self.stream_id)
    }
}
