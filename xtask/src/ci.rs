//! Everything that must hold before a change lands.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use xtask::tidy;

/// The version of cargo-deny that is installed when none is there.
const DENY_VERSION: &str = "0.20.2";

/// Debian packages that the tests use, and a program that shows each is there.
const PACKAGES: [(&str, &str); 9] = [
    ("chromium", "/usr/bin/chromium"),
    ("chromium-driver", "/usr/bin/chromedriver"),
    ("fonts-noto-cjk", "/usr/share/fonts/opentype/noto"),
    ("postgresql", "/usr/lib/postgresql"),
    ("golang-go", "/usr/bin/go"),
    ("golang-golang-x-mod-dev", "/usr/share/gocode/src/golang.org/x/mod/sumdb"),
    ("python3-cryptography", "/usr/lib/python3/dist-packages/cryptography"),
    ("nodejs", "/usr/bin/node"),
    ("npm", "/usr/bin/npm"),
];

pub(crate) fn run(root: &Path) -> Result<()> {
    step("install what the tests need", || install(root))?;
    step("formatting", || cargo(root, ["fmt", "--all", "--check"]))?;
    step("tidy", || tidy::run(root))?;
    step("clippy", || {
        cargo(root, ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])
    })?;
    step("tests", || cargo(root, ["test", "--workspace", "--locked"]))?;
    step("tests on PostgreSQL", || on_postgres(root))?;
    step("licences and sources", || deny(root))?;
    println!("\nci: all steps passed");
    Ok(())
}

fn step(name: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
    println!("\n== {name}");
    let begun = Instant::now();
    let result = work().with_context(|| format!("the step {name:?} failed"));
    println!("== {name}: {} s", begun.elapsed().as_secs());
    result
}

fn cargo<const N: usize>(root: &Path, arguments: [&str; N]) -> Result<()> {
    program(root, env!("CARGO"), arguments)
}

fn program<S: AsRef<OsStr>>(
    root: &Path,
    name: &str,
    arguments: impl IntoIterator<Item = S>,
) -> Result<()> {
    let status = Command::new(name).args(arguments).current_dir(root).status();
    let status = status.with_context(|| format!("{name} cannot be started"))?;
    if !status.success() {
        bail!("{name} ended with {status}");
    }
    Ok(())
}

/// The suites that touch a store once more, on PostgreSQL. (Those of the store itself run on both
/// engines at once.) Of the whole workspace, because other packages would mean other features, and
/// everything would be built anew.
fn on_postgres(root: &Path) -> Result<()> {
    let mut command = Command::new(env!("CARGO"));
    command.args([
        "test",
        "--workspace",
        "--locked",
        "--lib",
        "--test",
        "house",
        "--test",
        "story",
        "--test",
        "cli",
    ]);
    let status = command.env("HAETAE_TEST_STORE", "postgres").current_dir(root).status();
    let status = status.context("cargo cannot be started")?;
    if !status.success() {
        bail!("the tests on PostgreSQL ended with {status}");
    }
    Ok(())
}

fn answers(name: &str, arguments: &[&str]) -> bool {
    let quiet = Command::new(name)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    quiet.is_ok_and(|it| it.success())
}

/// Installs what is missing, with the system's own package manager.
fn install(root: &Path) -> Result<()> {
    let missing: Vec<&str> = PACKAGES
        .iter()
        .filter(|(_, shows)| !Path::new(shows).exists())
        .map(|(package, _)| *package)
        .collect();
    if !missing.is_empty() {
        println!("installing {}", missing.join(", "));
        let sudo = if answers("id", &["-u"]) && is_root() { vec![] } else { vec!["sudo"] };
        let apt = |words: &[&str]| {
            let all: Vec<&str> = sudo.iter().copied().chain(words.iter().copied()).collect();
            match all.split_first() {
                Some((name, rest)) => program(root, name, rest),
                None => Ok(()),
            }
        };
        apt(&["apt-get", "update", "-q"])?;
        let mut words = vec!["apt-get", "install", "-q", "-y", "--no-install-recommends"];
        words.extend(&missing);
        apt(&words)?;
    }
    if !answers(env!("CARGO"), &["deny", "--version"]) {
        cargo(root, ["install", "cargo-deny", "--locked", "--version", DENY_VERSION])?;
    }
    Ok(())
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|it| it.stdout.starts_with(b"0"))
}

/// Licences, bans and sources always; advisories when their database can be reached.
fn deny(root: &Path) -> Result<()> {
    cargo(root, ["deny", "--all-features", "check", "bans", "licenses", "sources"])?;
    if let Err(error) = cargo(root, ["deny", "check", "advisories", "--disable-fetch"]) {
        println!("SKIPPED: advisories were not checked here, or found something: {error:#}");
    }
    Ok(())
}
