//! The project's own automation.
//!
//! - `cargo xtask ci`: everything that must hold before a change lands, and what it needs installed
//! - `cargo xtask tidy`: floors, file names and sizes, vendored hashes; seconds, no network
//! - `cargo xtask torture [--cycles N] [--seed S]`: kills the program N times at random moments while it
//!   writes, and looks each time whether anything was lost
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
        _ => {
            bail!("usage: cargo xtask ci | tidy | torture [--cycles N] [--seed S] | new-slice NAME")
        }
    }
}

/// Runs the crash test in a release build, with as many cycles as asked for.
fn torture(mut options: &[&str]) -> Result<()> {
    let mut command = Command::new("cargo");
    command.args(["test", "--release", "--locked", "-p", "haetae", "--test", "crash"]);
    command.args(["--", "--nocapture"]).current_dir(root());
    while let [name, value, rest @ ..] = options {
        value.parse::<u64>().with_context(|| format!("{name} needs a number, not {value:?}"))?;
        match *name {
            "--cycles" => command.env("HAETAE_TORTURE_CYCLES", value),
            "--seed" => command.env("HAETAE_TORTURE_SEED", value),
            _ => bail!("there is no option {name:?}: --cycles N or --seed S"),
        };
        options = rest;
    }
    if let [left] = options {
        bail!("{left:?} needs a number");
    }
    let status = command.status().context("running cargo")?;
    if status.success() { Ok(()) } else { bail!("something was lost: see above") }
}

/// The workspace's folder.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}
