//! `haetae receipt verify FILE`: a receipt, checked without a network and without the log.
//!
//! The file is a C2SP tlog-proof as the log's pages hand it out, or a person's own receipt (JSON),
//! which holds one with the salt and the payload that the entry commits to. The entry stands inside,
//! or is given beside.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use ledger::{Hash, ProofFile, VerifierKey};
use serde::{Deserialize, Serialize};
use store::Leaf;
use store::leaf::{SALT_LEN, commitment};

use crate::output;

/// The longest receipt that is read: an entry of 64 KiB in base64, its payload beside, a path.
const RECEIPT_MAX: u64 = 1024 * 1024;

/// A person's own receipt, as far as it is needed.
#[derive(Deserialize)]
struct Own {
    proof: String,
    salt: Option<String>,
    payload: Option<String>,
}

/// What was found.
#[derive(Serialize)]
struct Verdict {
    ok: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    origin: String,
    index: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    root: Option<String>,
    /// The line of the log.
    entry: String,
    /// Whether the payload is the one that the entry commits to; absent where none came along.
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<bool>,
}

/// A log's key: given itself, or in a file.
pub(crate) fn key(given: &str) -> anyhow::Result<VerifierKey> {
    let text = match given.trim().parse() {
        Ok(key) => return Ok(key),
        Err(error) if !Path::new(given).exists() => {
            return Err(error).with_context(|| format!("{given:?} is no log's key and no file"));
        }
        Err(_) => read(Path::new(given))?,
    };
    text.trim().parse().with_context(|| format!("there is no log's key in {given}"))
}

fn read(path: &Path) -> anyhow::Result<String> {
    let length = std::fs::metadata(path).with_context(|| path.display().to_string())?.len();
    if length > RECEIPT_MAX {
        bail!("{} is larger than any receipt or key", path.display());
    }
    std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))
}

pub(crate) fn verify(
    file: &Path,
    given: &str,
    entry: Option<PathBuf>,
    json: bool,
) -> anyhow::Result<ExitCode> {
    let key = key(given)?;
    let text = read(file)?;
    let own: Option<Own> = serde_json::from_str(&text).ok();
    let proof: ProofFile = own
        .as_ref()
        .map_or(&text, |it| &it.proof)
        .parse()
        .with_context(|| format!("{} is not a receipt", file.display()))?;
    let entry = match entry {
        Some(path) => {
            std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?
        }
        None if proof.extra.is_empty() => {
            bail!("the receipt does not hold its entry: give it with --entry")
        }
        None => proof.extra.clone(),
    };
    let verdict = judge(&proof, &entry, &key, own.as_ref());
    if json {
        output::json(&verdict)?;
    } else {
        say(&verdict);
    }
    Ok(ExitCode::from(u8::from(!verdict.ok)))
}

fn judge(proof: &ProofFile, entry: &[u8], key: &VerifierKey, own: Option<&Own>) -> Verdict {
    let mut verdict = Verdict {
        ok: false,
        error: None,
        origin: key.name().to_owned(),
        index: proof.index,
        size: None,
        root: None,
        entry: String::from_utf8_lossy(entry).into_owned(),
        payload: None,
    };
    match proof.verify(entry, key, &[]) {
        Ok(open) => {
            verdict.ok = true;
            verdict.size = Some(open.checkpoint.size);
            verdict.root = Some(open.checkpoint.root.to_hex());
        }
        Err(error) => verdict.error = Some(error.to_string()),
    }
    if let Some((salt, payload)) =
        own.and_then(|it| Some((it.salt.as_ref()?, it.payload.as_ref()?)))
    {
        let committed = is_committed(entry, salt, payload);
        verdict.payload = Some(committed);
        if !committed {
            verdict.ok = false;
            let error = "the payload is not the one that the entry commits to".to_owned();
            verdict.error.get_or_insert(error);
        }
    }
    verdict
}

fn is_committed(entry: &[u8], salt: &str, payload: &str) -> bool {
    let commit = Leaf::parse(entry).ok().and_then(|it| Hash::from_hex(&it.commit?).ok());
    let Some(commit) = commit else { return false };
    // A salt is half as long as a hash: doubled, it is read by the same code.
    let salt = Hash::from_hex(&format!("{salt}{salt}")).ok();
    let salt = salt.as_ref().and_then(|it| it.as_bytes().first_chunk::<SALT_LEN>());
    salt.is_some_and(|salt| &commitment(salt, payload.as_bytes()) == commit.as_bytes())
}

fn say(it: &Verdict) {
    println!("log                {}", it.origin);
    println!("entry              {}", output::grouped(it.index));
    println!("                   {}", it.entry);
    if let (Some(size), Some(root)) = (it.size, &it.root) {
        println!("signed over        {} entries", output::grouped(size));
        println!("root               {root}");
    }
    match it.payload {
        Some(true) => println!("payload            is what the entry commits to"),
        Some(false) => println!("payload            is not what the entry commits to"),
        None => {}
    }
    match &it.error {
        Some(error) => println!("WRONG {error}"),
        None => println!("the entry is on the log, exactly as it stands here"),
    }
}
