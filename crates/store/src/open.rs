//! Opening a region's store: keys, databases, the tree's right edge, and what a crash left over.
//!
//! A data folder holds `identity.db`, `visits.db`, `keys.db`, and by default the folder `keys`. On a
//! server the three are databases ([`Backend`]).

use std::sync::Arc;

use kernel::{Clock, Region, Seed};
use ledger::{Checkpoint, Hash, Resource, Signer, Tree};

use crate::backend::{self, Backend, Part};
use crate::fault::Doing as _;
use crate::lease::Lease;
use crate::projection::{run, select};
use crate::read::{Readers, hash};
use crate::room::Room;
use crate::trust::Trust;
use crate::tx::{Core, Due};
use crate::vault::{Scope, Vault};
use crate::{Engine, Fault, Keyring, Registry, Side, Store, Value};

/// What a store is opened with.
pub struct Options {
    /// Where the databases are. A folder is made when absent; databases on a server must be there.
    pub backend: Backend,
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

/// A store and what opening it found.
pub struct Opened {
    /// The store, ready for work.
    pub store: Store,
    /// Blocks of observations that a crash had left without a place on the log, now removed. Nobody
    /// was told that they were taken.
    pub orphans: u64,
}

impl Store {
    /// Opens or makes a region's store.
    pub fn open(options: Options) -> Result<Opened, Fault> {
        let Options { backend, region, origin, clock, seed, keyring, registry } = options;
        let lock = lock(&backend)?;
        let mut identity = backend.writer(Part::Identity)?;
        let mut visits = backend.writer(Part::Visits)?;
        let mut keys = backend.writer(Part::Keys)?;
        let region_value = Value::from(region.as_str());
        let mut lease = match &backend {
            Backend::Folder(_) => None,
            Backend::Postgres(_) => {
                for engine in [&mut identity, &mut visits, &mut keys] {
                    crate::backup::is_whole(engine.as_mut())?;
                }
                let engines = [&mut identity, &mut visits, &mut keys];
                Some(Lease::take(engines, &region_value)?)
            }
        };
        backend::migrate(identity.as_mut(), Part::Identity, &registry)?;
        backend::migrate(visits.as_mut(), Part::Visits, &registry)?;
        backend::migrate(keys.as_mut(), Part::Keys, &registry)?;
        let reader = backend.reader(Part::Keys)?;
        let vault = Arc::new(Vault::new(region.clone(), &keyring, seed.fork(), reader)?);
        let signer = Signer::try_new(&origin, &*keyring.key("log")?).doing("making the log key")?;
        let tree = restore(identity.as_mut(), &region_value, &signer, &origin, &*clock)?;
        // Stamped: had another writer taken over since the head was read, this would remove its rows.
        let orphans =
            Lease::with(&mut lease, visits.as_mut(), Part::Visits, &region_value, |visits| {
                remove_orphans(visits, &region_value, &registry, tree.size())
            })?;
        Lease::with(&mut lease, keys.as_mut(), Part::Keys, &region_value, |keys| {
            vault.find_or_make(keys, &Scope::Own)?;
            redo_forgetting(identity.as_mut(), keys, &region_value, &vault)
        })?;
        let trust = Trust::begin(identity.as_mut(), &region_value, clock.as_ref())?;
        let log_key = signer.vkey();
        let room = Room::of(&backend);
        let readers = Readers::new(backend);
        let core = Core {
            region,
            region_value,
            identity,
            visits,
            keys,
            lease,
            fenced: false,
            // A crash may have come between deleting and erasing.
            due: Due { erasure: true, orphans: false },
            trust,
            vault,
            keyring,
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
        };
        let store = Self::start(core, readers, log_key, lock, room)?;
        Ok(Opened { store, orphans })
    }
}

/// One process writes a region's folder: two writers would each extend the log. (On a server the
/// lease sees to it.)
fn lock(backend: &Backend) -> Result<Option<std::fs::File>, Fault> {
    let Backend::Folder(dir) = backend else { return Ok(None) };
    std::fs::create_dir_all(dir).doing("making the data folder")?;
    let file = std::fs::File::create(dir.join("haetae.lock")).doing("making the lock file")?;
    file.try_lock().map_err(|_| {
        Fault::new(format!("another haetae process works in {}: stop it first", dir.display()))
    })?;
    Ok(Some(file))
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
    for row in rows {
        let subject = u128::from_be_bytes(row.bytes(0)?.try_into().doing("reading a subject")?);
        vault.destroy(keys, &Scope::Subject(subject))?;
    }
    Ok(())
}
