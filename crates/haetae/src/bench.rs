//! `haetae bench`: measured on this machine, beside a peer in the same run.

mod audit;
mod pages;
mod restore;
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

pub(crate) fn run(name: &str, json: bool, quick: bool) -> anyhow::Result<ExitCode> {
    let figures = match name {
        "write" => write::run(quick)?,
        "pages" => pages::run()?,
        "audit" => audit::run(quick)?,
        "restore" => restore::run(quick)?,
        _ => bail!("there is no bench named {name:?}: write, pages, audit or restore"),
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
