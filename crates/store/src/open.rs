//! Opening a region's store: keys, databases, the tree's right edge, and what a crash left over.
//!
//! A data folder holds `identity.db`, `visits.db`, `keys.db`, and by default the folder `keys`. On a
//! server the three are databases ([`Backend`]).

use std::sync::Arc;
use std::time::Instant;

use kernel::{Clock, Region, Seed};
use ledger::{Checkpoint, Hash, Resource, Signer, Tree};

use crate::backend::{self, Backend, Part};
use crate::door::Shared;
use crate::fault::Doing as _;
use crate::lease::Lease;
use crate::member::{self, Desk, Role};
use crate::projection::{run, select};
use crate::read::hash;
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

/// What it takes to write a region, kept for as long as this process may come to write it again.
pub(crate) struct Site {
    pub(crate) backend: Backend,
    pub(crate) region: Region,
    pub(crate) origin: String,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) seed: Seed,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) registry: Arc<Registry>,
    /// Where this process takes what others forward to it; empty where it takes nothing.
    pub(crate) url: String,
}

impl Store {
    /// Opens or makes a region's store, for as long as this process lives the only one that writes it.
    pub fn open(options: Options) -> Result<Opened, Fault> {
        Self::begin(options, None)
    }

    /// Opens a store on a server that several processes share. This one writes if nobody else does, and
    /// takes over when the writer ends; until then it reads ([`Store::role`]). `url` is where it takes
    /// what others forward to it.
    pub fn join(options: Options, url: String) -> Result<Opened, Fault> {
        if matches!(options.backend, Backend::Folder(_)) {
            return Err(Fault::new("several processes can share databases on a server alone"));
        }
        Self::begin(options, Some(url))
    }

    fn begin(options: Options, url: Option<String>) -> Result<Opened, Fault> {
        let Options { backend, region, origin, clock, seed, keyring, registry } = options;
        let lock = lock(&backend)?;
        let (registry, is_member) = (Arc::new(registry), url.is_some());
        let url = url.unwrap_or_default();
        let site = Site { backend, region, origin, clock, seed, keyring, registry, url };
        let shared = Arc::new(Shared::new(&site.backend));
        let (vault, core, orphans) = match site.take_over(None, &shared) {
            Ok((core, orphans)) => (Arc::clone(&core.vault), Some(core), orphans),
            Err(fault) if is_member && fault.is_elsewhere() => (member::join(&site)?, None, 0),
            Err(fault) => return Err(fault),
        };
        let log_key = site.signer()?.vkey();
        let store = Self::start(Desk { site, shared, vault, is_member }, core, log_key, lock)?;
        Ok(Opened { store, orphans })
    }
}

impl Site {
    pub(crate) fn signer(&self) -> Result<Signer, Fault> {
        Signer::try_new(&self.origin, &*self.keyring.key("log")?).doing("making the log key")
    }

    pub(crate) fn vault(&self) -> Result<Arc<Vault>, Fault> {
        let reader = self.backend.reader(Part::Keys)?;
        Vault::new(self.region.clone(), &self.keyring, self.seed.fork(), reader).map(Arc::new)
    }

    /// Becomes the region's writer: takes the lease, brings the schema to the newest, compares the head
    /// with its checkpoint and takes up the tree, and repairs what a crash of whoever wrote before may
    /// have left. Gives the number of orphans too ([`Opened::orphans`]).
    pub(crate) fn take_over(
        &self,
        vault: Option<&Arc<Vault>>,
        shared: &Shared,
    ) -> Result<(Core, u64), Fault> {
        let mut identity = self.backend.writer(Part::Identity)?;
        let mut visits = self.backend.writer(Part::Visits)?;
        let mut keys = self.backend.writer(Part::Keys)?;
        let region_value = Value::from(self.region.as_str());
        let asked = Instant::now();
        let mut lease = match &self.backend {
            Backend::Folder(_) => None,
            Backend::Postgres(_) => {
                for engine in [&mut identity, &mut visits, &mut keys] {
                    crate::backup::is_whole(engine.as_mut())?;
                }
                let engines = [&mut identity, &mut visits, &mut keys];
                Some(Lease::take(engines, &region_value, &self.url)?)
            }
        };
        let registry = &self.registry;
        let mut take_up = || {
            backend::migrate(identity.as_mut(), Part::Identity, registry)?;
            backend::migrate(visits.as_mut(), Part::Visits, registry)?;
            backend::migrate(keys.as_mut(), Part::Keys, registry)?;
            if !self.url.is_empty() {
                self.keyring.make_all()?;
            }
            let vault = vault.map_or_else(|| self.vault(), |it| Ok(Arc::clone(it)))?;
            let signer = self.signer()?;
            let clock = &*self.clock;
            let tree = restore(identity.as_mut(), &region_value, &signer, &self.origin, clock)?;
            // Stamped: had another writer taken over since the head was read, this would remove its
            // rows.
            let orphans =
                Lease::with(&mut lease, visits.as_mut(), Part::Visits, &region_value, |visits| {
                    remove_orphans(visits, &region_value, registry, tree.size())
                })?;
            Lease::with(&mut lease, keys.as_mut(), Part::Keys, &region_value, |keys| {
                vault.find_or_make(keys, &Scope::Own)?;
                redo_forgetting(identity.as_mut(), keys, &region_value, &vault)
            })?;
            let trust = Trust::begin(identity.as_mut(), &region_value, clock)?;
            Ok((vault, signer, tree, trust, orphans))
        };
        let (vault, signer, tree, trust, orphans) = match take_up() {
            Ok(made) => made,
            Err(fault) => {
                // Another may be able to. Where not even this can be said, the lease runs out.
                if let Some(lease) = &lease {
                    let _ = lease.give_back(identity.as_mut(), &region_value);
                }
                return Err(fault);
            }
        };
        shared.follower.wrote(tree.size());
        let token = lease.as_ref().map_or(0, Lease::token);
        if lease.is_some() {
            shared.follower.hold(asked);
        }
        let core = Core {
            region: self.region.clone(),
            region_value,
            identity,
            visits,
            keys,
            lease,
            fenced: false,
            // A crash may have come between deleting and erasing.
            due: Due { erasure: true, orphans: false },
            // Ends that were seen on the log while another process wrote it.
            overdue_keys: vault.doomed(),
            trust,
            vault,
            keyring: Arc::clone(&self.keyring),
            registry: Arc::clone(&self.registry),
            clock: Arc::clone(&self.clock),
            seed: self.seed.fork(),
            tree,
            signer,
            states: crate::tx::States::default(),
            staged: Vec::new(),
            visits_open: false,
            keys_open: false,
            fresh_keys: Vec::new(),
            doomed_keys: Vec::new(),
        };
        shared.role.send_replace(Role::Writer { token });
        Ok((core, orphans))
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
