//! `haetae audit DIR|URL`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use app::Config;
use logbook::outsider::{FetchError, Outsider};
use store::Audit;

use crate::{Setup, output};

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
    brought: Brought,
    setup: &Setup,
) -> anyhow::Result<ExitCode> {
    match target {
        Some(url) if url.starts_with("http://") || url.starts_with("https://") => {
            outside(&url, brought, setup.json)
        }
        _ if brought.since.is_some() || brought.keep.is_some() => {
            bail!("--since and --keep are for the address of a log")
        }
        Some(dir) => {
            let mut config = local(setup, &dir)?;
            // The folder that was named, wherever the service keeps its databases.
            (config.data, config.store) = (dir.into(), None);
            (config.store_visits, config.store_keys) = (None, None);
            inside(&config, setup.json)
        }
        None => inside(&setup.load()?, setup.json),
    }
}

/// A folder's own description of itself, where no configuration is given: what `haetae demo` and
/// `haetae serve` leave in it.
fn local(setup: &Setup, dir: &str) -> anyhow::Result<Config> {
    let beside = std::path::Path::new(dir).join("haetae.toml");
    if setup.config.is_none() && beside.exists() {
        return Ok(Config::load(Some(&beside), |_| None)?);
    }
    setup.load().context("say with --config which region this folder holds")
}

fn inside(config: &Config, json: bool) -> anyhow::Result<ExitCode> {
    let bar = output::bar("auditing", 0);
    let report = app::house::audit(config, |done, of| {
        bar.set_length(of);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    print(&report, json)
}

fn print(report: &Audit, json: bool) -> anyhow::Result<ExitCode> {
    if json {
        output::json(report)?;
    } else {
        println!("entries            {}", output::grouped(report.entries));
        println!("root               {}", report.root);
        println!("payloads opened    {}", output::grouped(report.opened));
        println!("public payloads    {}", output::grouped(report.public));
        println!("erased in time     {}", output::grouped(report.erased));
        println!("view rows          {}", output::grouped(report.view_rows));
        println!("access log hours   {}", output::grouped(report.access_hours));
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

fn outside(url: &str, brought: Brought, json: bool) -> anyhow::Result<ExitCode> {
    let Brought { key, since, keep } = brought;
    let kept = match &since {
        Some(file) => Some(
            std::fs::read_to_string(file)
                .with_context(|| format!("reading the checkpoint in {}", file.display()))?,
        ),
        None => None,
    };
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
    let given = key.is_some();
    let key = match key {
        Some(key) => key,
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
    // One that failed is not kept: the next audit must go on from what was good.
    if let (true, Some(file)) = (report.is_good(), &keep) {
        std::fs::write(file, &report.checkpoint)
            .with_context(|| format!("keeping the checkpoint in {}", file.display()))?;
    }
    if json {
        output::json(&report)?;
    } else {
        println!("log                {}", key.trim());
        println!("entries            {}", output::grouped(report.entries));
        println!("root               {}", report.root);
        if since.is_some() && report.is_good() {
            let from = output::grouped(report.from);
            println!(
                "since              the first {from} entries are those of the kept checkpoint"
            );
        }
        for it in &report.wrong {
            let entry = it.entry.map_or_else(String::new, |entry| format!("entry {entry}: "));
            println!("WRONG {}: {entry}{}", it.place, it.what);
        }
        if !given {
            println!("note: the key came from the log itself; compare it with one that you trust");
        }
        if report.wrong.is_empty() {
            println!("every entry, tile and the checkpoint agree");
        }
    }
    Ok(ExitCode::from(u8::from(!report.wrong.is_empty())))
}
