//! The `dgc` crate on the same passes, in a program of its own (`peers/dgc`), which says why.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use credential::pass::{PublicKey, SignatureCheck};

use super::corpus::Dcc;

const MANIFEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../peers/dgc/Cargo.toml");

/// How many of these it verifies in a second. Builds it, if need be, before its time is taken.
pub(super) fn dgc(
    corpus: &[Dcc],
    checks: &[SignatureCheck],
    span: Duration,
) -> anyhow::Result<f64> {
    ensure!(Path::new(MANIFEST).is_file(), "there is no {MANIFEST}");
    let mut lines = String::new();
    for (pass, check) in corpus.iter().zip(checks) {
        if let PublicKey::P256(point) = &check.key {
            writeln!(lines, "{} {} {}", hex(&pass.kid), hex(point), pass.text)?;
        }
    }
    let mut child = Command::new("cargo")
        .args(["run", "--release", "--quiet", "--locked", "--manifest-path", MANIFEST, "--"])
        .arg(span.as_millis().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("cargo cannot be run")?;
    let mut input = child.stdin.take().context("no way to hand it the passes")?;
    input.write_all(lines.as_bytes())?;
    drop(input);
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "it ended with {}", output.status);
    let text = String::from_utf8(output.stdout)?;
    let words: Vec<&str> = text.split_whitespace().collect();
    let [count, took_s, valid] = words.as_slice() else { anyhow::bail!("it said {text:?}") };
    let (count, took_s): (f64, f64) = (count.parse()?, took_s.parse()?);
    eprintln!("haetae: dgc finds {valid} of {} passes valid; it is timed on those", corpus.len());
    ensure!(0.0 < took_s, "it verified none");
    Ok(count / took_s)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
