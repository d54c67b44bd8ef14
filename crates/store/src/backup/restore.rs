//! From backups to a region again.
//!
//! Everything is made in a folder beside the wanted one, which bears the wanted name only once all
//! of it is there, durable and audited. Databases on a server have to be empty; as long as the table
//! [`RESTORING`] is in them no store opens them, and what a restore that failed has made it removes
//! again. What a backup does not hold is made anew: tiles out of the
//! entries, by which the log proves itself against the signed checkpoint; views and tags by folding.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant as Moment};

use kernel::{Instant, Region, Seed};
use ledger::{Checkpoint, Resource, Signer, TileId, VerifierKey};
use serde::Serialize;

use super::load::{Loader, is_known, load_keys, until};
use super::manifest::chain;
use super::{BackupError, Identity, make_folder, sealed};
use crate::backend::{Backend, Part};
use crate::fault::Doing as _;
use crate::sqlite::Sqlite;
use crate::vault::Vault;
use crate::{Audit, Engine, Fault, Keyring, Registry, Value, schema};

/// What the world knows of the log, to compare with.
pub struct Published<'a> {
    /// A checkpoint that somebody kept, or that the log still shows.
    pub checkpoint: String,
    /// Where its tiles are to be had: needed to prove anything when it is ahead of the backup.
    pub tiles: Option<&'a mut dyn FnMut(TileId) -> Result<Vec<u8>, String>>,
}

/// What is restored, from where to where.
pub struct Restore<'a> {
    /// The folder of the backups.
    pub from: &'a Path,
    /// The folder of their keys. Where the backups were made without: a folder with copies of
    /// `keys.db` and of the key files.
    pub keys_from: &'a Path,
    /// The new data folder, which must not be there yet (or be empty).
    pub to: &'a Path,
    /// The new key folder; by default `keys` within the data folder.
    pub keys_to: Option<&'a Path>,
    /// Databases on a server that are filled, which must be empty. `None`: files in the data folder.
    pub store: Option<&'a Backend>,
    /// What opens the backups.
    pub identities: &'a [Identity],
    /// What the slices bring.
    pub registry: &'a Registry,
    /// Refuse unless the backup is proven to be the beginning of what was published.
    pub verify: bool,
    /// Keep what was restored although its audit found something.
    pub accept_findings: bool,
}

/// How far it is: what is being done, and how much of how much.
pub type Progress<'a> = &'a mut dyn FnMut(&'static str, u64, u64);

/// How long each part took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Took {
    /// Decrypting and writing rows.
    pub load: Duration,
    /// Hashing every entry into the tree.
    pub hash: Duration,
    /// Folding the log into views.
    pub fold: Duration,
    /// The audit.
    pub audit: Duration,
}

/// What was restored.
#[derive(Debug, Clone, Serialize)]
pub struct Restored {
    /// The number of the newest backup.
    pub number: u64,
    /// When it was made.
    pub at: Instant,
    /// The region.
    pub region: String,
    /// The log's origin.
    pub origin: String,
    /// Entries on the restored log.
    pub entries: u64,
    /// Its root, in hex.
    pub root: String,
    /// Entries of the published checkpoint, if one was given.
    pub published: Option<u64>,
    /// How many of them came after the backup, and are lost.
    pub missing: Option<u64>,
    /// Whether one is proven to be the beginning of the other.
    pub proven: bool,
    /// What the audit found.
    pub audit: Audit,
    /// How long it took.
    #[serde(skip)]
    pub took: Took,
}

/// A folder that is removed unless it is kept.
struct Scaffold {
    path: PathBuf,
    kept: bool,
}

impl Drop for Scaffold {
    fn drop(&mut self) {
        if !self.kept {
            // Nothing better can be done with what cannot be removed.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

/// The table that says that a database is not whole yet.
const RESTORING: &str = "restoring";

/// Refuses databases in which a restore is under way, or was given up.
pub(crate) fn is_whole(engine: &mut dyn Engine) -> Result<(), Fault> {
    if engine.tables()?.iter().any(|it| it.name == RESTORING) {
        return Err(Fault::new(
            "a restore into these databases is not finished: let it end; if it has died, drop them, \
             make them again and restore again",
        ));
    }
    Ok(())
}

/// Databases on a server, emptied again unless they are kept.
struct Site {
    backend: Backend,
    kept: bool,
}

impl Site {
    fn mark(backend: &Backend) -> Result<Self, BackupError> {
        let mut engines = Vec::new();
        for (part, name) in Part::ALL.into_iter().zip(backend.names()) {
            let mut engine = backend.writer(part)?;
            if !engine.tables()?.is_empty() {
                return Err(BackupError::OccupiedDatabase { name });
            }
            engines.push(engine);
        }
        let site = Self { backend: backend.clone(), kept: false };
        for mut engine in engines {
            engine.migrate(&format!("CREATE TABLE {RESTORING} (region TEXT NOT NULL);"))?;
        }
        Ok(site)
    }

    /// They are a region's now.
    fn keep(mut self) -> Result<(), Fault> {
        self.kept = true;
        // The log's last: without its mark the others' would keep a store from opening.
        for part in [Part::Keys, Part::Visits, Part::Identity] {
            self.backend.writer(part)?.migrate(&format!("DROP TABLE {RESTORING};"))?;
        }
        Ok(())
    }

    fn clear(&self) -> Result<(), Fault> {
        for part in Part::ALL {
            let mut engine = self.backend.writer(part)?;
            // The mark goes last.
            let mut tables = engine.tables()?;
            tables.sort_by_key(|it| it.name == RESTORING);
            for it in tables {
                engine.migrate(&format!("DROP TABLE {};", it.name))?;
            }
        }
        Ok(())
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if !self.kept
            && let Err(fault) = self.clear()
        {
            tracing::warn!(fault = %fault.chain(), "what the restore made could not be removed");
        }
    }
}

fn is_free(path: &Path) -> bool {
    match std::fs::read_dir(path) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}

/// Restores the newest backup, and compares its log with what was published. On any error nothing
/// is left at `to`.
pub fn restore(
    it: &Restore<'_>,
    published: Option<Published<'_>>,
    progress: Progress<'_>,
) -> Result<Restored, BackupError> {
    for folder in [Some(it.to), it.keys_to].into_iter().flatten() {
        if !is_free(folder) {
            return Err(BackupError::Occupied { folder: folder.to_owned() });
        }
    }
    let name = it.to.file_name().ok_or_else(|| Fault::new("the new folder has no name"))?;
    let beside = it.to.with_file_name(format!(".{}.restoring", name.to_string_lossy()));
    if beside.exists() {
        std::fs::remove_dir_all(&beside).doing("removing what an earlier restore left")?;
    }
    make_folder(&beside)?;
    let mut scaffold = Scaffold { path: beside, kept: false };
    let site = it.store.map(Site::mark).transpose()?;
    let backend = it.store.cloned().unwrap_or_else(|| scaffold.path.as_path().into());
    let (restored, known) = build(&backend, &scaffold.path, it, progress)?;
    let restored = compare(restored, &backend, published, &known, it.verify)?;
    if !restored.audit.wrong.is_empty() && !it.accept_findings {
        return Err(BackupError::Findings(Box::new(restored.audit)));
    }
    install(&scaffold.path, it.to, it.keys_to)?;
    scaffold.kept = true;
    if let Some(site) = site {
        site.keep()?;
    }
    Ok(restored)
}

/// Gives what was built its names.
fn install(built: &Path, to: &Path, keys_to: Option<&Path>) -> Result<(), Fault> {
    let doing = "giving the restored folder its name";
    let own = built.join("keys");
    if let Some(keys) = keys_to {
        if let Some(folder) = keys.parent().filter(|it| !it.as_os_str().is_empty()) {
            make_folder(folder)?;
        }
        move_keys(&own, keys)?;
    }
    if let Err(error) = std::fs::rename(built, to) {
        if let Some(keys) = keys_to {
            // The rename failed; what it leaves must not look like a region's keys.
            let _ = std::fs::remove_dir_all(keys);
        }
        return Err(Fault::caused(doing, error));
    }
    sealed::sync_folder(to)
}

/// Moves the key folder, which may lie on another disk.
fn move_keys(from: &Path, to: &Path) -> Result<(), Fault> {
    let target = Keyring::open(to, Seed::fixed(0))?;
    for (name, text) in Keyring::open(from, Seed::fixed(0))?.all()? {
        target.put(&name, &text)?;
        sealed::destroy(&from.join(format!("{name}.key")))?;
    }
    std::fs::remove_dir(from).doing("removing the temporary key folder")?;
    sealed::sync_folder(&to.join("x"))
}

/// The key of the log that was restored.
struct Known {
    region: Region,
    key: VerifierKey,
    checkpoint: Checkpoint,
}

fn build(
    backend: &Backend,
    dir: &Path,
    it: &Restore<'_>,
    progress: Progress<'_>,
) -> Result<(Restored, Known), BackupError> {
    let from = it.from;
    let none = || BackupError::None { folder: from.to_owned() };
    // Not yet checked by a key: only to find the keys.
    let unchecked = chain(from, None)?;
    let newest = &unchecked.last().ok_or_else(none)?;
    let origin = newest.checkpoint.origin.clone();
    let newest = &newest.manifest;
    let region: Region = newest.region.parse().doing("reading the region of a backup")?;
    is_known(newest, it.registry)?;

    let begun = Moment::now();
    let keyring = Keyring::open(&dir.join("keys"), Seed::fixed(0))?;
    let mut keys = backend.filler(Part::Keys)?;
    schema::migrate(
        keys.as_mut(),
        &until(schema::migrations(it.registry, Part::Keys), "keys", newest),
    )?;
    load_keys(keys.as_mut(), &keyring, newest, it)?;
    if !keyring.path("log").exists() {
        return Err(BackupError::Missing { file: "log.key".to_owned() });
    }
    let signer = Signer::try_new(&origin, &*keyring.key("log")?).doing("making the log key")?;
    let links = chain(from, Some(signer.verifier()))?;
    let last = links.last().ok_or_else(none)?;

    let mut loader = Loader::open(backend, &region, it.registry, &last.manifest)?;
    loader.fill(from, &links, it.identities, progress)?;
    let mut took = Took { load: begun.elapsed(), ..Took::default() };

    let begun = Moment::now();
    schema::migrate(keys.as_mut(), &schema::migrations(it.registry, Part::Keys))?;
    drop(keys);
    let vault = Vault::new(region.clone(), &keyring, Seed::fixed(0), backend.reader(Part::Keys)?)?;
    took.hash = loader.grow_and_fold(backend, &region, &vault, &last.checkpoint, progress)?;
    drop(vault);
    if let Backend::Folder(dir) = backend {
        make_durable(dir)?;
    }
    took.fold = begun.elapsed().saturating_sub(took.hash);

    let begun = Moment::now();
    let audit = crate::audit::audit_restored(
        backend,
        &region,
        &origin,
        &keyring,
        it.registry,
        |done, of| progress("auditing", done, of),
    )?;
    took.audit = begun.elapsed();
    let restored = Restored {
        number: last.manifest.number,
        at: last.manifest.at,
        region: region.as_str().to_owned(),
        origin,
        entries: last.checkpoint.size,
        root: last.checkpoint.root.to_hex(),
        published: None,
        missing: None,
        proven: false,
        audit,
        took,
    };
    let checkpoint = last.checkpoint.clone();
    Ok((restored, Known { region, key: signer.verifier().clone(), checkpoint }))
}

/// Empties the journals and brings every file to the disk.
fn make_durable(dir: &Path) -> Result<(), Fault> {
    for file in crate::backend::FILES {
        let path = dir.join(file);
        Sqlite::writer(&path)?.clear_journal()?;
        std::fs::File::open(&path)
            .and_then(|it| it.sync_all())
            .doing("making a database durable")?;
    }
    sealed::sync_folder(&dir.join("x"))
}

/// Compares with what was published.
fn compare(
    mut restored: Restored,
    backend: &Backend,
    published: Option<Published<'_>>,
    known: &Known,
    verify: bool,
) -> Result<Restored, BackupError> {
    let Some(published) = published else {
        if verify {
            let why = "no published checkpoint was given".to_owned();
            return Err(BackupError::NotProven { why });
        }
        return Ok(restored);
    };
    let opened = Checkpoint::open(&published.checkpoint, &known.key, &[]);
    let theirs =
        opened.map_err(|error| BackupError::OtherKey { why: error.to_string() })?.checkpoint;
    let ours = &known.checkpoint;
    let other = |why: String| BackupError::OtherHistory { why };
    restored.published = Some(theirs.size);
    restored.missing = Some(theirs.size.saturating_sub(ours.size));
    let not_proven = if theirs.size <= ours.size {
        let mut identity = backend.reader(Part::Identity)?;
        let region = Value::from(known.region.as_str());
        let mut tiles =
            |id: TileId| crate::open::stored(identity.as_mut(), &region, Resource::Tile(id));
        let root = ledger::root_at(theirs.size, &mut tiles).doing("recomputing an earlier root")?;
        if root != theirs.root {
            let why = format!("its first {} entries are others than those published", theirs.size);
            return Err(other(why));
        }
        None
    } else if ours.size == 0 {
        None
    } else if let Some(tiles) = published.tiles {
        match ledger::consistency_proof(ours.size, theirs.size, &mut |id: TileId| tiles(id)) {
            Ok(proof) => {
                let sizes = (ours.size, theirs.size);
                ledger::verify_consistency(sizes.0, &ours.root, sizes.1, &theirs.root, &proof)
                    .map_err(|error| other(error.to_string()))?;
                None
            }
            Err(error) => Some(error.to_string()),
        }
    } else {
        let (theirs, ours) = (theirs.size, ours.size);
        Some(format!(
            "the checkpoint has {theirs} entries, the backup {ours}: its tiles are needed"
        ))
    };
    restored.proven = not_proven.is_none();
    match not_proven {
        Some(why) if verify => Err(BackupError::NotProven { why }),
        _ => Ok(restored),
    }
}
