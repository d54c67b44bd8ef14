//! Whom a place trusts, and its rules: read from files, once.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use credential::pass::{Missing, Served, Trust};
use judge::CountryRules;
use rules::{PassRules, RuleKind, ValueSets};
use serde_json::Value;

/// All that is trusted in these folders and files. What a city serves lies there as it was fetched; what
/// is missing of it is named, with the address where it is served.
pub(super) fn trust(paths: &[PathBuf], now_s: i64) -> anyhow::Result<Trust> {
    let (mut trust, mut served) = (Trust::default(), Served::default());
    for file in files(paths)? {
        let bytes = std::fs::read(&file).with_context(|| format!("reading {}", file.display()))?;
        if !served.add(&bytes) && trust.add(&bytes).is_nothing() {
            eprintln!("haetae: {} is nothing that can be trusted, left out", file.display());
        }
    }
    for it in served.finish(&mut trust, now_s) {
        eprintln!("haetae: {}: {}", it.code(), in_words(it));
    }
    Ok(trust)
}

fn in_words(missing: Missing) -> String {
    let what = match missing {
        Missing::Root => "there are lists of a city, but not the root key that signed them",
        Missing::TrustList => "there is a city's root key, but no list of its keys that counts",
        Missing::RevocationList => "there are a city's keys, but no revocation list that counts",
        Missing::Material => "the files for passes of others are too old",
    };
    format!("{what}; save {} of the city's address beside them", missing.path())
}

/// All files of these paths, folders walked, in order.
fn files(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        ensure!(path.exists(), "there is no {}", path.display());
        gather(path, &mut files)?;
    }
    Ok(files)
}

fn gather(path: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    if path.is_file() {
        files.push(path.to_owned());
        return Ok(());
    }
    let entries = std::fs::read_dir(path).with_context(|| format!("reading {}", path.display()))?;
    let mut below = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    below.sort();
    // A link to a folder may lead in circles.
    below.retain(|it| it.is_file() || (it.is_dir() && !it.is_symlink()));
    below.iter().try_for_each(|it| gather(it, files))
}

/// Reads rules as countries publish them, value sets, and the country that decides; nothing when none
/// were asked for.
pub(super) fn rules(
    rules: &[PathBuf],
    country: Option<&str>,
    value_sets: &[PathBuf],
) -> anyhow::Result<Option<CountryRules>> {
    if rules.is_empty() && value_sets.is_empty() {
        return Ok(None);
    }
    let mut all = PassRules::default();
    for file in json_files(rules)? {
        let value = json(&file)?;
        if is_rules(&value) {
            let begin = all.rules().len();
            all.add(&value).map_err(|it| anyhow::anyhow!("{}: {it}", file.display()))?;
            for rule in all.rules().iter().skip(begin) {
                for it in rule.passed_over() {
                    eprintln!("haetae: {}: {}: passed over: {it}", file.display(), rule.identifier);
                }
            }
        }
    }
    ensure!(rules.is_empty() || !all.rules().is_empty(), "there are no rules in these paths");
    let mut sets = ValueSets::default();
    for file in json_files(value_sets)? {
        // A folder of value sets has schemas and readers' notes beside them.
        let added = sets.add(&json(&file)?);
        if let (Err(it), true) = (added, value_sets.contains(&file)) {
            anyhow::bail!("{}: {it}", file.display());
        }
    }
    let country = match country {
        Some(country) => country.to_ascii_uppercase(),
        None => only_country(&all)?,
    };
    Ok(Some(CountryRules { rules: all, country, value_sets: sets }))
}

/// The country of all acceptance rules, if it is one.
fn only_country(rules: &PassRules) -> anyhow::Result<String> {
    let mut accepting = rules.rules().iter().filter(|it| it.kind == RuleKind::Acceptance);
    let Some(first) = accepting.next() else { return Ok(String::new()) };
    let is_one = accepting.all(|it| it.country.eq_ignore_ascii_case(&first.country));
    ensure!(is_one, "the rules are of several countries: say which one decides (--country)");
    Ok(first.country.to_ascii_uppercase())
}

/// Folders of rules hold their test cases too.
fn is_rule(value: &Value) -> bool {
    let has = |names: [&str; 2]| names.iter().any(|name| value.get(name).is_some());
    has(["Identifier", "identifier"]) && has(["Logic", "logic"])
}

fn is_rules(value: &Value) -> bool {
    is_rule(value) || value.as_array().is_some_and(|it| !it.is_empty() && it.iter().all(is_rule))
}

/// Whether a file holds a rule, or an array of them.
pub(super) fn is_rule_file(path: &Path) -> bool {
    path.is_file() && json(path).is_ok_and(|value| is_rules(&value))
}

fn json_files(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut all = files(paths)?;
    all.retain(|it| paths.contains(it) || it.extension().is_some_and(|it| it == "json"));
    Ok(all)
}

fn json(file: &Path) -> anyhow::Result<Value> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    serde_json::from_str(text.trim_start_matches('\u{feff}'))
        .with_context(|| format!("{} is not JSON", file.display()))
}
