//! What no compiler checks: floors, file names and sizes, first lines, vendored hashes, names in
//! the documents.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// The floor of each crate; an arrow may only point to a lower number, engines never to engines
/// except where listed.
const FLOORS: [(&str, u32); 22] = [
    ("kernel", 0),
    ("g2p", 0),
    ("testdb", 0),
    ("ledger", 1),
    ("credential", 1),
    ("rules", 1),
    ("contracts", 1),
    ("judge", 2),
    ("device", 3),
    ("store", 2),
    ("web", 3),
    ("code", 4),
    ("gate", 4),
    ("logbook", 4),
    ("pass", 4),
    ("person", 4),
    ("app", 5),
    ("sim", 6),
    ("haetae", 7),
    ("e2e", 8),
    ("xtask", 9),
    ("fuzz", 9),
];

/// Files that a slice may have, beside folders of the same names. `door` holds commands together
/// with what they depend on, read in one transaction; `answer` what other slices ask.
const SLICE_FILES: [&str; 14] = [
    "lib", "event", "model", "command", "refusal", "decide", "door", "answer", "publish", "react",
    "view", "api", "pages", "jobs",
];

/// Longer than this, a file is refused.
const LINES_MAX: usize = 800;

/// Prints what is not tidy, and fails when anything is.
pub fn run(root: &Path) -> Result<()> {
    let wrong = check(root)?;
    for line in &wrong {
        println!("tidy: {line}");
    }
    if !wrong.is_empty() {
        bail!("{} things are not tidy", wrong.len());
    }
    println!("tidy: all is");
    Ok(())
}

/// What is not tidy in the workspace at `root`, a line each.
pub fn check(root: &Path) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    floors(root, &mut wrong)?;
    let files = tracked(root)?;
    for file in &files {
        source(root, file, &mut wrong);
    }
    vendored(root, &mut wrong)?;
    documents(root, &files, &mut wrong)?;
    Ok(wrong)
}

fn tracked(root: &Path) -> Result<Vec<PathBuf>> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .context("git ls-files")?;
    let text = String::from_utf8(listed.stdout)?;
    Ok(text.lines().map(PathBuf::from).filter(|it| root.join(it).is_file()).collect())
}

/// Arrows only ever point down.
fn floors(root: &Path, wrong: &mut Vec<String>) -> Result<()> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .current_dir(root)
        .output()
        .context("cargo metadata")?;
    let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata")?;
    let floors: BTreeMap<&str, u32> = FLOORS.into_iter().collect();
    let packages = metadata.get("packages").and_then(Value::as_array).cloned().unwrap_or_default();
    for package in &packages {
        let name = package.get("name").and_then(Value::as_str).unwrap_or_default();
        let Some(floor) = floors.get(name) else {
            wrong.push(format!("crate {name} has no floor in xtask/src/tidy.rs"));
            continue;
        };
        let none = Vec::new();
        let dependencies = package.get("dependencies").and_then(Value::as_array).unwrap_or(&none);
        for dependency in dependencies {
            let to = dependency.get("name").and_then(Value::as_str).unwrap_or_default();
            let ours = dependency.get("path").is_some();
            let dev = dependency.get("kind").and_then(Value::as_str) == Some("dev");
            if let (true, false, Some(lower)) = (ours, dev, floors.get(to))
                && lower >= floor
            {
                wrong.push(format!("{name} (floor {floor}) depends on {to} (floor {lower})"));
            }
        }
    }
    Ok(())
}

/// One file's own rules.
fn source(root: &Path, file: &Path, wrong: &mut Vec<String>) {
    let shown = file.display();
    let Ok(text) = fs::read_to_string(root.join(file)) else { return };
    if file.extension().is_some_and(|it| it == "rs") {
        if !text.trim_start().starts_with("//!") {
            wrong.push(format!("{shown}: does not begin with `//!`"));
        }
        let lines = text.lines().count();
        if lines > LINES_MAX && !shown.to_string().contains("/tests") {
            wrong.push(format!("{shown}: {lines} lines, more than {LINES_MAX}"));
        }
        slice_name(root, file, wrong);
    }
    // Assembled, so that this file does not find itself.
    let homes = [["/ro", "ot/"].concat(), ["/ho", "me/"].concat(), ["/wo", "rk/"].concat()];
    for home in homes {
        if text.lines().any(|line| line.contains(&home) && !line.contains("http")) {
            wrong.push(format!("{shown}: names a machine's path ({home})"));
        }
    }
}

/// The same file names in every slice.
fn slice_name(root: &Path, file: &Path, wrong: &mut Vec<String>) {
    let parts: Vec<&str> = file.iter().filter_map(|it| it.to_str()).collect();
    let ["crates", name, "src", first, ..] = parts.as_slice() else { return };
    let is_slice = FLOORS.iter().any(|(known, floor)| known == name && *floor == 4);
    let stem = first.strip_suffix(".rs").unwrap_or(first);
    let extra = root.join(format!("crates/{name}/README.md"));
    if is_slice && stem != "tests" && !SLICE_FILES.contains(&stem) {
        // A slice may have files of its own when its README says what they are.
        let said = fs::read_to_string(extra).is_ok_and(|it| it.contains(&format!("{stem}.rs")));
        if !said {
            wrong.push(format!("{}: not a name of the floor plan", file.display()));
        }
    }
}

/// Vendored files are what `vendor.toml` says they are.
fn vendored(root: &Path, wrong: &mut Vec<String>) -> Result<()> {
    let list = root.join("assets/vendor/vendor.toml");
    let text = fs::read_to_string(&list).context("assets/vendor/vendor.toml")?;
    let mut path = String::new();
    let mut checked = 0;
    for line in text.lines() {
        let Some((key, value)) = line.split_once('=') else { continue };
        let value = value.trim().trim_matches('"');
        match key.trim() {
            "path" => value.clone_into(&mut path),
            "sha256" => {
                let file = root.join("assets/vendor").join(&path);
                let bytes = fs::read(&file).with_context(|| format!("{}", file.display()))?;
                if sha256(&bytes) != value {
                    wrong.push(format!("assets/vendor/{path}: the hash differs"));
                }
                checked += 1;
            }
            _ => {}
        }
    }
    if checked == 0 {
        wrong.push("assets/vendor/vendor.toml: no hash".to_owned());
    }
    Ok(())
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest as _, Sha256};
    hex::encode(Sha256::digest(bytes))
}

/// Paths that the documents name in backticks exist.
fn documents(root: &Path, files: &[PathBuf], wrong: &mut Vec<String>) -> Result<()> {
    for file in files.iter().filter(|it| it.extension().is_some_and(|it| it == "md")) {
        let text = fs::read_to_string(root.join(file))?;
        for named in text.split('`').skip(1).step_by(2) {
            let is_path = ["crates/", "docs/", "assets/", "xtask/", "e2e/"]
                .iter()
                .any(|it| named.starts_with(it));
            let plain = named
                .bytes()
                .all(|it| it.is_ascii_alphanumeric() || matches!(it, b'/' | b'.' | b'-' | b'_'));
            if is_path && plain && !root.join(named).exists() {
                wrong.push(format!("{}: names {named}, which is not there", file.display()));
            }
        }
    }
    Ok(())
}
