//! The build script of crates with scripts that phones fetch: takes comments and indentation out of
//! `assets/*.js`. Page weight is capacity, and the sources stay readable. No bundler: only lines that are
//! nothing but a comment go.

#![allow(clippy::print_stdout, reason = "that is how cargo is told")]

use std::ffi::OsStr;
use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
    println!("cargo::rerun-if-changed=assets");
    for file in fs::read_dir("assets")? {
        let source = file?.path();
        let Some(name) =
            source.file_name().filter(|_| source.extension() == Some(OsStr::new("js")))
        else {
            continue;
        };
        let text = fs::read_to_string(&source)?;
        let lines = text.lines().map(str::trim);
        let kept: Vec<&str> = lines.filter(|it| !it.is_empty() && !it.starts_with("//")).collect();
        fs::write(Path::new(&out).join(name), kept.join("\n"))?;
    }
    Ok(())
}
