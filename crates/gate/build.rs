//! Builds the verifier that runs on the guard's phone: the crate `device`, compiled to WebAssembly,
//! so that `cargo run` alone gives a program with everything in it.

use std::io::{Error, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "wasm32-unknown-unknown";

/// Meant for the outer build (a linter in front of the compiler, flags for its processor): they
/// would break or slow down the inner one.
const NOT_FOR_THE_INNER_BUILD: [&str; 9] = [
    "RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_TARGET_DIR",
    "CARGO_PRIMARY_PACKAGE",
    "CLIPPY_ARGS",
];

fn main() -> Result<(), Error> {
    let here = folder("CARGO_MANIFEST_DIR")?;
    let out = folder("OUT_DIR")?;
    let crates = here.parent().ok_or_else(|| Error::other("the crate has no folder above it"))?;
    let mut stdout = std::io::stdout();
    for source in ["credential", "device", "judge", "rules"] {
        for part in ["src", "Cargo.toml"] {
            let part = crates.join(source).join(part);
            writeln!(stdout, "cargo::rerun-if-changed={}", part.display())?;
        }
    }
    writeln!(stdout, "cargo::rerun-if-changed=build.rs")?;

    if !is_target_installed() {
        run(Command::new("rustup").args(["target", "add", TARGET])).map_err(|error| {
            Error::other(format!(
                "the compiler lacks the target {TARGET}, and installing it failed ({error}); \
                 install it with `rustup target add {TARGET}`"
            ))
        })?;
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["rustc", "--package", "device", "--lib", "--crate-type", "cdylib"]);
    build.args(["--target", TARGET, "--profile", "device"]);
    build.arg("--target-dir").arg(out.join("wasm"));
    build.current_dir(crates);
    for name in NOT_FOR_THE_INNER_BUILD {
        build.env_remove(name);
    }
    run(&mut build)?;
    let wasm = out.join("wasm").join(TARGET).join("device").join("device.wasm");
    std::fs::copy(&wasm, out.join("device.wasm"))?;
    Ok(())
}

fn folder(name: &str) -> Result<PathBuf, Error> {
    let value = std::env::var_os(name);
    value.map(PathBuf::from).ok_or_else(|| Error::other(format!("cargo did not set {name}")))
}

fn is_target_installed() -> bool {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let answer =
        Command::new(rustc).args(["--print", "target-libdir", "--target", TARGET]).output();
    answer.is_ok_and(|it| Path::new(String::from_utf8_lossy(&it.stdout).trim()).is_dir())
}

fn run(command: &mut Command) -> Result<(), Error> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Error::other(format!("{command:?} failed:\n{said}")))
}
