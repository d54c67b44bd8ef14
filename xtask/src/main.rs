//! The project's own automation.
//!
//! - `cargo xtask ci`: everything that must hold before a change lands, and what it needs installed
//! - `cargo xtask tidy`: floors, file names and sizes, vendored hashes; seconds, no network
//! - `cargo xtask torture [--cycles N] [--seed S] [--cities C]`: kills the program N times at random moments
//!   while it works, half of them on SQLite and half on PostgreSQL, C cities at once on each, and looks each
//!   time whether anything was lost
//! - `cargo xtask torture --unknown-commits N [--seed S]`: cuts the connection to PostgreSQL N times just
//!   before or just after a COMMIT took effect, and looks each time whether the answer was true
//! - `cargo xtask flips [--count N] [--seed S]`: flips N bits, one at a time, in every table and file, and
//!   looks each time whether the audit finds it
//! - `cargo xtask new-slice NAME`: a slice's folder, ready to compile

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it talks to a person at a terminal")]

mod ci;
mod new_slice;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use xtask::tidy;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["ci"] => ci::run(&root()),
        ["tidy"] => tidy::run(&root()),
        ["new-slice", name] => new_slice::run(&root(), name),
        ["torture", options @ ..] => torture(options),
        ["flips", options @ ..] => flips(options),
        _ => {
            bail!(
                "usage: cargo xtask ci | tidy | torture [--cycles N [--cities C] | --unknown-commits N] [--seed S] | flips [--count N] [--seed S] | new-slice NAME"
            )
        }
    }
}

/// Runs the crash test or that of lost COMMITs, with as many as asked for.
fn torture(options: &[&str]) -> Result<()> {
    let seed = ("--seed", "HAETAE_TORTURE_SEED");
    let done = if options.contains(&"--unknown-commits") {
        let names = [("--unknown-commits", "HAETAE_UNKNOWN_COMMITS"), seed];
        trial(&["-p", "store", "--lib", "tests::unknown"], &names, options)
    } else {
        let cities = ("--cities", "HAETAE_TORTURE_CITIES");
        let names = [("--cycles", "HAETAE_TORTURE_CYCLES"), seed, cities];
        trial(&["-p", "haetae", "--test", "crash"], &names, options)
    };
    done.context("something was lost: see above")
}

/// Runs the audit's test, with as many flips as asked for.
fn flips(options: &[&str]) -> Result<()> {
    let names = [("--count", "HAETAE_FLIPS"), ("--seed", "HAETAE_FLIPS_SEED")];
    trial(&["-p", "haetae", "--test", "flips"], &names, options)
        .context("a flip was not found: see above")
}

/// A file system in memory, if there is one.
const MEMORY: &str = "/dev/shm";

/// Runs some tests in a release build; each option goes into its variable.
///
/// Their files lie in memory, unless `TMPDIR` says where: what is killed there leaves the same behind as on
/// a disk, whose flushes cost half of the time and are another trial's.
fn trial(tests: &[&str], names: &[(&str, &str)], mut options: &[&str]) -> Result<()> {
    let mut command = Command::new("cargo");
    command.args(["test", "--release", "--locked"]).args(tests);
    command.args(["--", "--nocapture"]).current_dir(root());
    if std::env::var_os("TMPDIR").is_none() && Path::new(MEMORY).is_dir() {
        command.env("TMPDIR", MEMORY);
    }
    while let [option, value, rest @ ..] = options {
        value.parse::<u64>().with_context(|| format!("{option} needs a number, not {value:?}"))?;
        let Some((_, variable)) = names.iter().find(|it| it.0 == *option) else {
            let known: Vec<&str> = names.iter().map(|it| it.0).collect();
            let known = known.join(" N or ");
            bail!("there is no option {option:?}: {known} N");
        };
        command.env(variable, value);
        options = rest;
    }
    if let [left] = options {
        bail!("{left:?} needs a number");
    }
    let status = command.status().context("running cargo")?;
    if status.success() { Ok(()) } else { bail!("{} ended with {status}", tests.join(" ")) }
}

/// The workspace's folder.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}
