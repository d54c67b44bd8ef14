//! The project's own automation.
//!
//! - `cargo xtask ci`: everything that must hold before a change lands, and what it needs installed
//! - `cargo xtask tidy`: floors, file names and sizes, vendored hashes; seconds, no network
//! - `cargo xtask new-slice NAME`: a slice's folder, ready to compile

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it talks to a person at a terminal")]

mod ci;
mod new_slice;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use xtask::tidy;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["ci"] => ci::run(&root()),
        ["tidy"] => tidy::run(&root()),
        ["new-slice", name] => new_slice::run(&root(), name),
        _ => bail!("usage: cargo xtask ci | tidy | new-slice NAME"),
    }
}

/// The workspace's folder.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}
