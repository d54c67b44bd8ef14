//! Opening a region's store: keys, databases, the tree's right edge, and what a crash left over.
//!
//! The data folder holds `identity.db`, `visits.db`, `keys.db`, and by default the folder `keys`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kernel::{Clock, Region, Seed};
use ledger::{Checkpoint, Hash, Resource, Signer, Tree};

use crate::fault::Doing as _;
use crate::projection::{run, select};
use crate::read::{Readers, hash};
use crate::sqlite::Sqlite;
use crate::tx::Core;
use crate::vault::{Scope, Vault};
use crate::{Engine, Fault, Keyring, Registry, Side, Store, Value, schema};

/// What a store is opened with.
pub struct Options {
    /// The data folder; made when absent.
    pub dir: PathBuf,
    /// Whose log.
    pub region: Region,
    /// The log's origin (C2SP: a schemeless URL), e.g. `haetae.example/log`.
    pub origin: String,
    /// The server's clock.
    pub clock: Arc<dyn Clock>,
    /// Randomness for keys, salts and ids.
    pub seed: Seed,
    /// The key folder.
    pub keyring: Arc<Keyring>,
    /// What the slices bring.
    pub registry: Registry,
}

/// The names of the three databases.
pub const FILES: [&str; 3] = ["identity.db", "visits.db", "keys.db"];

/// A store and what opening it found.
pub struct Opened {
    /// The store, ready for work.
    pub store: Store,
    /// Blocks of observations that a crash had left without a place on the log, now removed. Nobody
    /// was told that they were taken.
    pub orphans: u64,
}

/// Opens the writer's connection of one side, migrated.
pub(crate) fn writer(dir: &Path, side: Side, registry: &Registry) -> Result<Sqlite, Fault> {
    let file = match side {
        Side::Identity => "identity.db",
        Side::Visits => "visits.db",
    };
    let mut engine = Sqlite::writer(&dir.join(file))?;
    schema::migrate(&mut engine, &schema::migrations(registry, side))?;
    Ok(engine)
}

impl Store {
    /// Opens or makes a region's store.
    pub fn open(options: Options) -> Result<Opened, Fault> {
        let Options { dir, region, origin, clock, seed, keyring, registry } = options;
        std::fs::create_dir_all(&dir).doing("making the data folder")?;
        let lock = lock(&dir)?;
        let mut identity = writer(&dir, Side::Identity, &registry)?;
        let mut visits = writer(&dir, Side::Visits, &registry)?;
        let mut keys = Sqlite::erasing_writer(&dir.join("keys.db"))?;
        schema::migrate(&mut keys, &schema::key_migrations())?;
        let reader = Box::new(Sqlite::reader(&dir.join("keys.db"))?);
        let vault = Arc::new(Vault::new(region.clone(), &keyring, seed.fork(), reader)?);
        let signer = Signer::try_new(&origin, &*keyring.key("log")?).doing("making the log key")?;
        let region_value = Value::from(region.as_str());
        let tree = restore(&mut identity, &region_value, &signer, &origin, &*clock)?;
        let orphans = remove_orphans(&mut visits, &region_value, &registry, tree.size())?;
        redo_forgetting(&mut identity, &mut keys, &region_value, &vault)?;
        let log_key = signer.vkey();
        let readers = Readers::new(dir.join("identity.db"), dir.join("visits.db"));
        let core = Core {
            region,
            region_value,
            identity: Box::new(identity),
            visits: Box::new(visits),
            keys: Box::new(keys),
            vault,
            registry: Arc::new(registry),
            clock,
            seed,
            tree,
            signer,
            states: crate::tx::States::default(),
            staged: Vec::new(),
            visits_open: false,
            keys_open: false,
            fresh_keys: Vec::new(),
            doomed_keys: Vec::new(),
            overdue_keys: Vec::new(),
            orphaned: false,
        };
        let store = Self::start(core, readers, log_key, lock, dir)?;
        Ok(Opened { store, orphans })
    }
}

/// One process writes a region's folder: two writers would each extend the log.
fn lock(dir: &Path) -> Result<std::fs::File, Fault> {
    let path = dir.join("haetae.lock");
    let file = std::fs::File::create(&path).doing("making the lock file")?;
    file.try_lock().map_err(|_| {
        Fault::new(format!("another haetae process works in {}: stop it first", dir.display()))
    })?;
    Ok(file)
}

/// A checkpoint as text, signed.
pub(crate) fn checkpoint(signer: &Signer, size: u64, root: Hash) -> Result<String, Fault> {
    let checkpoint = Checkpoint::try_new(signer.verifier().name(), size, root);
    checkpoint.doing("making a checkpoint")?.sign(signer).doing("signing a checkpoint")
}

impl Core {
    pub(crate) fn checkpoint(&self, size: u64, root: Hash) -> Result<String, Fault> {
        checkpoint(&self.signer, size, root)
    }
}

/// Takes up the log where it was left; the head is made when there is none.
fn restore(
    engine: &mut dyn Engine,
    region: &Value,
    signer: &Signer,
    origin: &str,
    clock: &dyn Clock,
) -> Result<Tree, Fault> {
    let head = select(
        engine,
        region,
        "SELECT size, root, checkpoint FROM log_head WHERE region = $1",
        &[],
    )?;
    let Some(head) = head.first() else {
        let tree = Tree::new();
        let values: [Value; 4] = [
            0_u64.into(),
            tree.root().as_bytes().as_slice().into(),
            checkpoint(signer, 0, tree.root())?.into(),
            clock.now().into(),
        ];
        let sql =
            "INSERT INTO log_head (region, size, root, checkpoint, at) VALUES ($1, $2, $3, $4, $5)";
        run(engine, region, sql, &values)?;
        return Ok(tree);
    };
    let (size, root) = (head.count(0)?, hash(head.bytes(1)?)?);
    let opened = Checkpoint::open(head.text(2)?, signer.verifier(), &[]);
    let opened = opened.doing("the stored checkpoint is not by this region's log key")?.checkpoint;
    if opened.size != size || opened.root != root || opened.origin != origin {
        return Err(Fault::new("the stored head differs from its checkpoint: run `haetae audit`"));
    }
    Tree::restore(size, &root, |resource| stored(engine, region, resource))
        .doing("taking up the log")
}

/// The bytes of a stored tile or bundle, whole.
pub(crate) fn stored(
    engine: &mut dyn Engine,
    region: &Value,
    resource: Resource,
) -> Result<Vec<u8>, Fault> {
    let rows = match resource {
        Resource::Tile(id) => select(
            engine,
            region,
            "SELECT bytes FROM log_tile WHERE region = $1 AND level = $2 AND position = $3",
            &[id.level.into(), id.index.into()],
        )?,
        Resource::Bundle(id) => select(
            engine,
            region,
            "SELECT bytes FROM log_bundle WHERE region = $1 AND position = $2",
            &[id.index.into()],
        )?,
    };
    let row = rows.first().ok_or_else(|| Fault::new(format!("{resource} is missing")))?;
    Ok(row.bytes(0)?.to_vec())
}

/// Visits are committed before the log: a crash between the two leaves rows that the log does not
/// cover. Nobody was told that they were taken.
pub(crate) fn remove_orphans(
    visits: &mut dyn Engine,
    region: &Value,
    registry: &Registry,
    size: u64,
) -> Result<u64, Fault> {
    let sql = "DELETE FROM observation WHERE region = $1 AND seq >= $2";
    let orphans = run(visits, region, sql, &[size.into()])?;
    if orphans > 0 {
        let views = registry.views.iter().filter(|it| it.side == Side::Visits);
        for table in views.map(|it| it.table).chain(["observation_tag"]) {
            let sql = format!("DELETE FROM {table} WHERE region = $1 AND seq >= $2");
            run(visits, region, &sql, &[size.into()])?;
        }
    }
    Ok(orphans)
}

/// A crash between "forgotten" and the destruction of the key must not keep the key.
fn redo_forgetting(
    identity: &mut dyn Engine,
    keys: &mut dyn Engine,
    region: &Value,
    vault: &Vault,
) -> Result<(), Fault> {
    let rows = select(identity, region, "SELECT subject FROM forgotten WHERE region = $1", &[])?;
    keys.begin()?;
    for row in rows {
        let subject = u128::from_be_bytes(row.bytes(0)?.try_into().doing("reading a subject")?);
        vault.destroy(keys, &Scope::Subject(subject))?;
    }
    keys.commit()
}
