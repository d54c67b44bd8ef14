//! `haetae backup`, `restore`, `restore-drill`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use app::{Config, slices};
use clap::Args;
use kernel::{Clock as _, SystemClock};
use ledger::{TILE_WIDTH, TileId};
use store::Backend;
use store::backup::{BackupError, Identity, Published, Restore, Restored, Target};

use crate::{Setup, output};

/// Where a backup goes. What is not given stands in the configuration.
#[derive(Args)]
pub(crate) struct Whither {
    /// The folder of the backups.
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    /// The folder of their keys: another place, with other people.
    #[arg(long, value_name = "DIR", conflicts_with = "without_keys")]
    keys_to: Option<PathBuf>,
    /// Leave the keys out: they are kept by other means.
    #[arg(long)]
    without_keys: bool,
    /// Whom it is encrypted to: age1…; once for each.
    #[arg(long, value_name = "AGE1")]
    recipient: Vec<String>,
    /// Everything, not only what is new.
    #[arg(long)]
    whole: bool,
}

/// What opens backups, and what their log is compared with.
#[derive(Args)]
pub(crate) struct With {
    /// A file with the age identity that opens the backups; once for each.
    #[arg(long, value_name = "FILE", required = true)]
    identity: Vec<PathBuf>,
    /// The folder of the keys, by default as configured. For backups without keys: a folder with
    /// copies of keys.db and of the key files.
    #[arg(long, value_name = "DIR")]
    keys_from: Option<PathBuf>,
    /// A checkpoint that somebody kept, the address of the public log, or a folder with its public
    /// files: says how many entries came after the backup, and proves what can be proven.
    #[arg(long, value_name = "FILE|URL|DIR")]
    checkpoint: Option<String>,
    /// Refuse unless the backup is proven to be the beginning of the published log.
    #[arg(long, requires = "checkpoint")]
    verify: bool,
}

/// New databases on a server into which a region is restored, in place of files.
#[derive(Args)]
pub(crate) struct Into {
    /// Restore into this PostgreSQL database, which must be empty, and those beside it
    /// (`<name>_visits`, `<name>_keys`). Keys and configuration go into the data folder.
    #[arg(long, value_name = "URL", env = "HAETAE_RESTORE_STORE", hide_env_values = true)]
    store: Option<String>,
    /// Where visits are restored.
    #[arg(long, value_name = "URL", requires = "store")]
    store_visits: Option<String>,
    /// Where wrapped keys are restored.
    #[arg(long, value_name = "URL", requires = "store")]
    store_keys: Option<String>,
}

impl Into {
    fn backend(&self) -> anyhow::Result<Option<Backend>> {
        let Some(url) = &self.store else { return Ok(None) };
        let (visits, keys) = (self.store_visits.as_deref(), self.store_keys.as_deref());
        Ok(Some(Backend::postgres(url, visits, keys).context("the new databases")?))
    }

    /// The lines of the configuration that say so.
    fn lines(&self) -> String {
        let all = [
            ("store", &self.store),
            ("store_visits", &self.store_visits),
            ("store_keys", &self.store_keys),
        ];
        let lines = all.into_iter().filter_map(|(key, it)| Some((key, it.as_ref()?)));
        lines.map(|(key, it)| format!("{key} = {it:?}\n")).collect::<Vec<_>>().concat()
    }
}

/// Says the refusal with its code; 1 when the answer is no, 2 when there is none.
fn refused(error: &BackupError) -> ExitCode {
    eprintln!("haetae: {}: {error}", error.code());
    if let BackupError::Findings(audit) = error {
        print_wrong(&audit.wrong, true);
    }
    let is_no = matches!(
        error,
        BackupError::Damaged { .. }
            | BackupError::Missing { .. }
            | BackupError::OtherHistory { .. }
            | BackupError::OtherKey { .. }
            | BackupError::NotProven { .. }
            | BackupError::Findings(_)
    );
    ExitCode::from(if is_no { 1 } else { 2 })
}

/// What an audit found: where it is the answer, and where it is the reason for none.
fn print_wrong(wrong: &[store::audit::Wrong], refused: bool) {
    for it in wrong {
        let entry = it.entry.map_or_else(String::new, |entry| format!("entry {entry}: "));
        let line = format!("WRONG {}: {entry}{}", it.place, it.what);
        if refused {
            eprintln!("{line}");
        } else {
            println!("{line}");
        }
    }
}

/// Backs up what is new.
pub(crate) fn backup(to: Whither, setup: &Setup) -> anyhow::Result<ExitCode> {
    let config = setup.load()?;
    let configured = config.backup()?;
    let mut target = match (to.to, configured) {
        (Some(to), configured) => {
            let recipients = configured.map(|it| it.recipients).unwrap_or_default();
            Target { to, keys_to: config.backup_keys_to.clone(), recipients, whole: false }
        }
        (None, Some(configured)) => configured,
        (None, None) => bail!("say where to: --to DIR, or backup_to in the configuration"),
    };
    if !to.recipient.is_empty() {
        let recipients: Result<_, _> = to.recipient.iter().map(|it| it.parse()).collect();
        target.recipients = match recipients {
            Ok(recipients) => recipients,
            Err(error) => return Ok(refused(&error)),
        };
    }
    target.whole = to.whole;
    target.keys_to = to.keys_to.or(target.keys_to);
    if to.without_keys {
        target.keys_to = None;
    } else if target.keys_to.is_none() {
        bail!(
            "say where the keys go: --keys-to DIR, another place than the data, or --without-keys"
        );
    }
    let done = match app::backup::backup(&config, &target, SystemClock.now(), &|| true) {
        Ok(done) => done,
        Err(error) => return Ok(refused(&error)),
    };
    if setup.json {
        output::json(&done)?;
    } else {
        let (entries, new) = (output::grouped(done.entries), output::grouped(done.new_entries));
        println!("backup {}: {entries} entries, {new} of them new", done.number);
        println!("{} bytes written", output::grouped(done.bytes));
        match &target.keys_to {
            Some(keys) => println!("keys in {}; those of before are destroyed", keys.display()),
            None => println!("without keys: keep copies of keys.db and of the key folder"),
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Restores the newest backup into a folder that is not there yet.
pub(crate) fn restore(
    from: &Path,
    to: &Path,
    keys_to: Option<&Path>,
    into: &Into,
    accept_findings: bool,
    with: &With,
    setup: &Setup,
) -> anyhow::Result<ExitCode> {
    // A machine that is new has no configuration yet: then the folder of the keys must be given.
    let configured = setup.load().ok();
    let site = (to, keys_to, into.backend()?);
    let restored = match bring(from, site, accept_findings, with, configured.as_ref())? {
        Ok(restored) => restored,
        Err(error) => return Ok(refused(&error)),
    };
    let text = format!(
        "# Written by haetae for `haetae audit` on this folder.\n\
         origin = {:?}\nregion = {:?}\nlog_name = {:?}\ndata = {:?}\nkeys = {:?}\n{}",
        configured.map_or_else(|| "https://localhost".to_owned(), |it| it.origin),
        restored.region,
        restored.origin,
        std::path::absolute(to)?.display().to_string(),
        std::path::absolute(keys_to.map_or_else(|| to.join("keys"), Path::to_owned))?
            .display()
            .to_string(),
        into.lines(),
    );
    write_configuration(to, &text).context("writing haetae.toml")?;
    show(&restored, setup.json)?;
    if !setup.json {
        println!("restored into {}", to.display());
    }
    Ok(ExitCode::from(u8::from(!restored.audit.wrong.is_empty())))
}

/// An address may hold a password: nobody else reads it.
fn write_configuration(to: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = std::fs::OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600);
    file.open(to.join("haetae.toml"))?.write_all(text.as_bytes())
}

/// Restores the newest backup into a folder that is removed again: into files, wherever the region's
/// databases are.
pub(crate) fn drill(from: Option<PathBuf>, with: &With, setup: &Setup) -> anyhow::Result<ExitCode> {
    let configured = setup.load().ok();
    let from = from.or_else(|| configured.as_ref().and_then(|it| it.backup_to.clone()));
    let from = from.context("say which backups: FROM, or backup_to in the configuration")?;
    let dir = tempfile::tempdir().context("making a temporary folder")?;
    let to = dir.path().join("region");
    match bring(&from, (&to, None, None), false, with, configured.as_ref())? {
        Ok(restored) => {
            show(&restored, setup.json)?;
            if !setup.json {
                println!("the drill succeeded; what it restored is removed again");
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => Ok(refused(&error)),
    }
}

fn bring(
    from: &Path,
    (to, keys_to, store): (&Path, Option<&Path>, Option<Backend>),
    accept_findings: bool,
    with: &With,
    configured: Option<&Config>,
) -> anyhow::Result<Result<Restored, BackupError>> {
    let mut identities = Vec::new();
    for file in &with.identity {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("reading the identity in {}", file.display()))?;
        match Identity::all_in(&text) {
            Ok(found) => identities.extend(found),
            Err(error) => return Ok(Err(error)),
        }
    }
    let keys_from = with.keys_from.clone();
    let keys_from = keys_from.or_else(|| configured.and_then(|it| it.backup_keys_to.clone()));
    let keys_from = keys_from.context("say where the keys are: --keys-from DIR")?;
    let mut public = with.checkpoint.as_deref().map(Public::of).transpose()?;
    let restore = Restore {
        from,
        keys_from: &keys_from,
        to,
        keys_to,
        store: store.as_ref(),
        identities: &identities,
        registry: &slices::registry(&slices::slices()),
        verify: with.verify,
        accept_findings,
    };
    let bar = output::bar("restoring", 0);
    let mut progress = |what: &'static str, done: u64, of: u64| {
        bar.set_message(what);
        bar.set_length(of);
        bar.set_position(done);
    };
    let restored = match &mut public {
        None => store::backup::restore(&restore, None, &mut progress),
        Some(Public { checkpoint, from }) => {
            let checkpoint = checkpoint.clone();
            let mut tiles = |id: TileId| from.tile(id);
            let tiles: Option<&mut dyn FnMut(TileId) -> Result<Vec<u8>, String>> = Some(&mut tiles);
            let published = Published { checkpoint, tiles };
            store::backup::restore(&restore, Some(published), &mut progress)
        }
    };
    bar.finish_and_clear();
    Ok(restored)
}

/// What the world has of the log.
struct Public {
    checkpoint: String,
    from: From,
}

/// Where its tiles are to be had.
enum From {
    Nowhere,
    Folder(PathBuf),
    Address(ureq::Agent, String),
}

impl Public {
    fn of(text: &str) -> anyhow::Result<Self> {
        if text.starts_with("https://") || text.starts_with("http://") {
            let base = text.trim_end_matches('/').trim_end_matches("/log");
            let agent = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(30)));
            let from = From::Address(agent.build().into(), format!("{base}/log"));
            let checkpoint = from.file("checkpoint").map_err(|error| anyhow!("{text}: {error}"))?;
            return Ok(Self { checkpoint: String::from_utf8(checkpoint)?, from });
        }
        let path = Path::new(text);
        let (file, from) = if path.is_dir() {
            (path.join("checkpoint"), From::Folder(path.to_owned()))
        } else {
            (path.to_owned(), From::Nowhere)
        };
        let checkpoint = std::fs::read_to_string(&file)
            .with_context(|| format!("reading the checkpoint in {}", file.display()))?;
        Ok(Self { checkpoint, from })
    }
}

impl From {
    fn file(&self, path: &str) -> Result<Vec<u8>, String> {
        /// A tile has 8 KiB; a checkpoint with many cosignatures less.
        const MOST: u64 = 64 * 1024;
        match self {
            Self::Nowhere => {
                Err("a checkpoint alone proves nothing about entries before it".to_owned())
            }
            Self::Folder(folder) => {
                std::fs::read(folder.join(path)).map_err(|error| format!("{path}: {error}"))
            }
            Self::Address(agent, base) => {
                let failed = |error: ureq::Error| format!("{path}: {error}");
                let mut answer = agent.get(format!("{base}/{path}")).call().map_err(failed)?;
                answer.body_mut().with_config().limit(MOST).read_to_vec().map_err(failed)
            }
        }
    }

    /// The tile, or the whole one that it has become since.
    fn tile(&self, id: TileId) -> Result<Vec<u8>, String> {
        let whole = TileId { width: TILE_WIDTH, ..id };
        self.file(&id.path()).or_else(|error| self.file(&whole.path()).map_err(|_| error))
    }
}

fn show(restored: &Restored, json: bool) -> anyhow::Result<()> {
    if json {
        return output::json(restored);
    }
    println!("backup             {} of {}", restored.number, restored.at.rfc3339());
    println!("entries            {}", output::grouped(restored.entries));
    println!("root               {}", restored.root);
    if let (Some(published), Some(missing)) = (restored.published, restored.missing) {
        println!("published          {}", output::grouped(published));
        println!("after the backup   {} entries, which are lost", output::grouped(missing));
        if restored.proven {
            println!("the one is the beginning of the other: proven");
        } else {
            println!(
                "NOT PROVEN that the one is the beginning of the other: tiles are needed for it"
            );
        }
    }
    let took = &restored.took;
    println!(
        "took               {:.1} s loading, {:.1} s hashing, {:.1} s folding, {:.1} s auditing",
        took.load.as_secs_f64(),
        took.hash.as_secs_f64(),
        took.fold.as_secs_f64(),
        took.audit.as_secs_f64()
    );
    print_wrong(&restored.audit.wrong, false);
    if restored.audit.wrong.is_empty() {
        println!("the audit of what was restored: everything is as the log says");
    }
    Ok(())
}
