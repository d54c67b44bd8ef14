//! `haetae bench`: measured on this machine, beside a peer in the same run.

mod appends;
mod audit;
mod cluster;
mod pages;
mod postgres;
mod process;
mod restore;
mod verify;
mod write;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use serde::Serialize;

use crate::output;

/// One figure. `ratio` is ours over the peer's in the sense that larger is better.
#[derive(Debug, Serialize)]
pub(crate) struct Figure {
    pub(crate) bench: String,
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) peer: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) peer_value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ratio: Option<f64>,
}

impl Figure {
    pub(crate) fn alone(bench: impl Into<String>, value: f64, unit: &'static str) -> Self {
        let bench = bench.into();
        Self { bench, value: round(value), unit, peer: None, peer_value: None, ratio: None }
    }

    /// Beside a peer where more is better.
    pub(crate) fn beside(
        bench: impl Into<String>,
        value: f64,
        unit: &'static str,
        peer: &'static str,
        peer_value: f64,
    ) -> Self {
        let ratio = Some((value / peer_value * 1_000.0).round() / 1_000.0);
        let (peer, peer_value) = (Some(peer), Some(round(peer_value)));
        Self { peer, peer_value, ratio, ..Self::alone(bench, value, unit) }
    }
}

/// Four significant digits are more than a shared machine can promise.
fn round(value: f64) -> f64 {
    if value >= 1_000.0 { value.round() } else { (value * 100.0).round() / 100.0 }
}

pub(crate) fn per_second(count: u64, took: Duration) -> f64 {
    // Counts here stay far below 2^32.
    f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / took.as_secs_f64()
}

/// What is to be measured, and on how much.
pub(crate) struct Wish {
    pub(crate) quick: bool,
    pub(crate) entries: Option<u64>,
    pub(crate) store: Option<String>,
}

impl Wish {
    /// How many entries the region is to have.
    pub(crate) fn entries(&self) -> u64 {
        self.entries.unwrap_or(if self.quick { 20_000 } else { 1_000_000 })
    }

    /// How long one measurement runs.
    pub(crate) fn span(&self) -> Duration {
        if self.quick { Duration::from_millis(300) } else { Duration::from_secs(3) }
    }
}

/// A region's entries: each a visit by itself, or visits as gates hand them in, two hundred in a block
/// with one place on the log (ADR 0033).
#[derive(Debug, Clone, Copy)]
pub(crate) enum Entries {
    Singles,
    Blocks,
}

const IN_A_BLOCK: u32 = 200;

impl Entries {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Singles => "entries",
            Self::Blocks => "visits_in_blocks",
        }
    }

    /// Writes so many more.
    pub(crate) fn fill(self, exercise: &sim::Exercise, entries: u64) -> anyhow::Result<()> {
        let at_once = 10_000;
        for _ in 0..entries.div_ceil(u64::from(at_once)) {
            match self {
                Self::Singles => exercise.fill(at_once)?,
                Self::Blocks => exercise.fill_blocks(at_once / IN_A_BLOCK, IN_A_BLOCK)?,
            }
        }
        Ok(())
    }
}

/// Memory of a process (`self`, or its number) that is no page of a file, in MiB.
pub(crate) fn memory_mib(process: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|it| it.strip_prefix("RssAnon:"));
    let kib = line.and_then(|it| it.split_whitespace().next()?.parse::<u32>().ok());
    f64::from(kib.unwrap_or(0)) / 1_024.0
}

pub(crate) fn run(name: &str, json: bool, wish: &Wish) -> anyhow::Result<ExitCode> {
    let figures = match name {
        "write" => {
            let mut figures = write::run(wish)?;
            figures.extend(appends::run(wish)?);
            figures.extend(postgres::run(wish)?);
            figures.extend(cluster::run(wish.quick)?);
            figures
        }
        "pages" => pages::run()?,
        "audit" => audit::run(wish)?,
        "cluster" => cluster::run(wish.quick)?,
        "restore" => restore::run(wish)?,
        "verify" => verify::run(wish)?,
        _ => bail!(
            "there is no bench named {name:?}: write, verify, pages, audit, restore or cluster"
        ),
    };
    for it in &figures {
        if json {
            output::json(it)?;
            continue;
        }
        let peer = match (it.peer, it.peer_value, it.ratio) {
            (Some(peer), Some(value), Some(ratio)) => format!("{peer} {value} → ratio {ratio}"),
            _ => String::new(),
        };
        println!("{:32} {:>12} {:6} {peer}", it.bench, it.value, it.unit);
    }
    Ok(ExitCode::SUCCESS)
}
