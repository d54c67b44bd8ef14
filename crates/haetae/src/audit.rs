//! `haetae audit DIR|URL`, and `haetae log export DIR`, which writes what the public can audit.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use app::Config;
use kernel::{Clock as _, SystemClock};
use logbook::outsider::{FetchError, Outsider};
use store::Audit;

use crate::{Setup, output, receipt};

/// What an auditor brings to somebody else's log.
pub(crate) struct Brought {
    /// The log's key that they trust.
    pub(crate) key: Option<String>,
    /// The checkpoint that they kept from an earlier audit.
    pub(crate) since: Option<PathBuf>,
    /// Where they keep the newest one.
    pub(crate) keep: Option<PathBuf>,
}

pub(crate) fn run(
    target: Option<String>,
    brought: &Brought,
    setup: &Setup,
) -> anyhow::Result<ExitCode> {
    match target {
        Some(url) if url.starts_with("http://") || url.starts_with("https://") => {
            over_http(&url, brought, setup.json)
        }
        Some(dir) if is_copy(Path::new(&dir)) => copied(Path::new(&dir), brought, setup.json),
        _ if brought.key.is_some() => {
            bail!("--key is for the address or the public files of a log")
        }
        Some(dir) => {
            let mut config = local(setup, &dir)?;
            // The folder that was named, wherever the service keeps its databases.
            (config.data, config.store) = (dir.into(), None);
            (config.store_visits, config.store_keys) = (None, None);
            inside(&config, brought, setup.json)
        }
        None => inside(&setup.load()?, brought, setup.json),
    }
}

/// Whether a folder holds the public files of a log, and no data of a region.
fn is_copy(dir: &Path) -> bool {
    dir.join("checkpoint").is_file() && !dir.join("identity.db").exists()
}

impl Brought {
    /// The checkpoint of an earlier audit.
    fn since(&self) -> anyhow::Result<Option<String>> {
        let read = |file: &PathBuf| {
            std::fs::read_to_string(file)
                .with_context(|| format!("reading the checkpoint in {}", file.display()))
        };
        self.since.as_ref().map(read).transpose()
    }

    /// Keeps the newest one. One that failed is not kept: the next audit must go on from what was
    /// good.
    fn keep(&self, good: bool, checkpoint: &str) -> anyhow::Result<()> {
        if let (true, Some(file)) = (good, &self.keep) {
            std::fs::write(file, checkpoint)
                .with_context(|| format!("keeping the checkpoint in {}", file.display()))?;
        }
        Ok(())
    }
}

/// A folder's own description of itself, where no configuration is given: what `haetae demo` and
/// `haetae serve` leave in it.
fn local(setup: &Setup, dir: &str) -> anyhow::Result<Config> {
    let beside = Path::new(dir).join("haetae.toml");
    if setup.config.is_none() && beside.exists() {
        return Ok(Config::load(Some(&beside), |_| None)?);
    }
    setup.load().context("say with --config which region this folder holds")
}

fn inside(config: &Config, brought: &Brought, json: bool) -> anyhow::Result<ExitCode> {
    let since = brought.since()?;
    let bar = output::bar("auditing", 0);
    let report = app::house::audit_since(config, since.as_deref(), |done, of| {
        bar.set_length(of);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    brought.keep(report.wrong.is_empty(), &report.checkpoint)?;
    if report.wrong.is_empty() {
        // For `haetae doctor`. An auditor who may only read leaves no note.
        let _ = std::fs::write(config.data.join("last_audit"), SystemClock.now().rfc3339());
    }
    print(&report, since.is_some(), json)
}

fn print(report: &Audit, since: bool, json: bool) -> anyhow::Result<ExitCode> {
    if json {
        output::json(report)?;
    } else {
        println!("entries            {}", output::grouped(report.entries));
        println!("root               {}", report.root);
        println!("payloads opened    {}", output::grouped(report.opened));
        println!("public payloads    {}", output::grouped(report.public));
        println!("erased in time     {}", output::grouped(report.erased));
        if since {
            let from = output::grouped(report.from);
            println!(
                "since              the first {from} entries are those of the kept checkpoint"
            );
            println!("view rows          not compared: a full audit folds all entries");
        } else {
            println!("view rows          {}", output::grouped(report.view_rows));
        }
        println!("access log hours   {}", output::grouped(report.access_hours));
        println!("keys               {}", output::grouped(report.keys));
        for it in &report.wrong {
            let entry = it.entry.map_or_else(String::new, |entry| format!("entry {entry}: "));
            println!("WRONG {}: {entry}{}", it.place, it.what);
        }
        match report.wrong.len() {
            0 => println!("everything is as the log says"),
            count => println!("{count} things are not as the log says"),
        }
    }
    Ok(ExitCode::from(u8::from(!report.wrong.is_empty())))
}

/// The largest answer that is read: a bundle of 256 entries of 64 KiB.
const ANSWER_MAX: u64 = 32 * 1024 * 1024;

fn over_http(url: &str, brought: &Brought, json: bool) -> anyhow::Result<ExitCode> {
    let base = url.trim_end_matches('/').trim_end_matches("/log").to_owned();
    let agent: ureq::Agent =
        ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(30))).build().into();
    let fetch = |path: &str| -> Result<Vec<u8>, FetchError> {
        let failed = |error: ureq::Error| match error {
            ureq::Error::StatusCode(404) => FetchError::Missing,
            error => FetchError::Failed(error.to_string()),
        };
        let mut answer = agent.get(format!("{base}/log/{path}")).call().map_err(failed)?;
        answer.body_mut().with_config().limit(ANSWER_MAX).read_to_vec().map_err(failed)
    };
    outside(fetch, brought, json)
}

/// The public files of a log in a folder, as `haetae log export` or any mirror writes them: no
/// server is asked, and no key of the region's is needed.
fn copied(dir: &Path, brought: &Brought, json: bool) -> anyhow::Result<ExitCode> {
    let fetch = |path: &str| {
        let path = dir.join(path);
        let read = std::fs::metadata(&path).and_then(|it| {
            if it.len() > ANSWER_MAX {
                return Err(std::io::Error::other("larger than any file of a log"));
            }
            std::fs::read(&path)
        });
        read.map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => FetchError::Missing,
            _ => FetchError::Failed(error.to_string()),
        })
    };
    outside(fetch, brought, json)
}

fn outside(
    fetch: impl Fn(&str) -> Result<Vec<u8>, FetchError>,
    brought: &Brought,
    json: bool,
) -> anyhow::Result<ExitCode> {
    let kept = brought.since()?;
    let key = match &brought.key {
        Some(given) => receipt::key(given)?.to_string(),
        None => match fetch("key") {
            Ok(bytes) => String::from_utf8(bytes).context("the log's key is not text")?,
            Err(error) => bail!("the log's key cannot be read: {error}"),
        },
    };
    let outsider = Outsider::try_new(key.trim())?;
    let outsider = match &kept {
        Some(checkpoint) => outsider.since(checkpoint)?,
        None => outsider,
    };
    let bar = output::bar("auditing", 0);
    let report = outsider.audit(fetch, |done, of| {
        bar.set_length(of);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    brought.keep(report.is_good(), &report.checkpoint)?;
    if json {
        output::json(&report)?;
    } else {
        println!("log                {}", key.trim());
        println!("entries            {}", output::grouped(report.entries));
        println!("root               {}", report.root);
        if kept.is_some() && report.is_good() {
            let from = output::grouped(report.from);
            println!(
                "since              the first {from} entries are those of the kept checkpoint"
            );
        }
        for it in &report.wrong {
            let entry = it.entry.map_or_else(String::new, |entry| format!("entry {entry}: "));
            println!("WRONG {}: {entry}{}", it.place, it.what);
        }
        if brought.key.is_none() {
            println!("note: the key came from the log itself; compare it with one that you trust");
        }
        if report.wrong.is_empty() {
            println!("every entry, tile and the checkpoint agree");
        }
    }
    Ok(ExitCode::from(u8::from(!report.wrong.is_empty())))
}

/// `haetae log export DIR`: writes the public files of the configured region's log, only those that
/// are not there yet. A copy that was cut off is completed by the next one.
pub(crate) fn export(dir: &Path, setup: &Setup) -> anyhow::Result<ExitCode> {
    let config = setup.load()?;
    let (mut written, bar) = (0_u64, output::bar("writing", 0));
    let (size, key) = app::house::export(
        &config,
        |file| !dir.join(file.to_string()).exists(),
        |file, bytes| {
            place(&dir.join(file.to_string()), bytes)
                .map_err(|error| store::Fault::caused(format!("writing {file}"), error))?;
            written += 1;
            bar.set_position(written);
            Ok(())
        },
    )?;
    place(&dir.join("key"), format!("{key}\n").as_bytes())?;
    bar.finish_and_clear();
    if setup.json {
        output::json(&serde_json::json!({ "entries": size, "files": written, "key": key }))?;
    } else {
        println!("log                {key}");
        println!("entries            {}", output::grouped(size));
        println!("files              {} new ones in {}", output::grouped(written), dir.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes a file so that it is there whole or not at all.
fn place(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let beside = path.with_extension("new");
    std::fs::write(&beside, bytes)?;
    std::fs::rename(&beside, path)
}
