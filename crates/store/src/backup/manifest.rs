//! What a backup consists of: its manifest, signed by the log, and the chain of manifests.

use std::path::Path;

use kernel::Instant;
use ledger::{Checkpoint, Note, VerifierKey};
use serde::{Deserialize, Serialize};

use super::{BackupError, Part};
use crate::Fault;
use crate::fault::Doing as _;

/// What stands in a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The version of the program that made it.
    pub program: String,
    /// The region.
    pub region: String,
    /// 1, 2, 3 … without a gap.
    pub number: u64,
    /// When, in microseconds.
    pub at: Instant,
    /// The migrations that had run, as `<database>/<owner>/<number>`.
    pub schema: Vec<String>,
    /// The first entry of its segment: the size of the log at the backup before. 0 where the segment
    /// is whole: the first, and the first after each change of the schema.
    pub from: u64,
    /// The signed checkpoint up to which the segments reach.
    pub checkpoint: String,
    /// SHA-256 of the manifest before, in hex; empty for a whole one.
    pub before: String,
    /// What is new.
    pub segment: Part,
    /// What changes in place.
    pub state: Part,
    /// The keys, in the other folder.
    pub keys: Option<Part>,
}

/// The first line of a manifest: it cannot be taken for a checkpoint, whose first line is an origin.
pub(super) const TITLE: &str = "haetae backup v1";

pub(super) fn manifest_name(number: u64) -> String {
    format!("{number:06}.manifest")
}

pub(super) fn segment_name(number: u64) -> String {
    format!("{number:06}.segment.age")
}

pub(super) fn state_name(number: u64) -> String {
    format!("{number:06}.state.age")
}

pub(super) fn keys_name(number: u64) -> String {
    format!("{number:06}.keys.age")
}

/// A manifest that was read, with its log's size and its own hash.
pub(super) struct Link {
    pub(super) manifest: Manifest,
    pub(super) checkpoint: Checkpoint,
    pub(super) hash: String,
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes))
}

/// The numbers of the files in `folder` whose name ends like this.
pub(super) fn numbers(folder: &Path, ending: &str) -> Result<Vec<u64>, Fault> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).doing(&format!("reading {}", folder.display()))? {
        let name = entry.doing("reading a backup's folder")?.file_name();
        let number: Option<u64> =
            name.to_str().and_then(|it| it.strip_suffix(ending)?.parse().ok());
        found.extend(number);
    }
    found.sort_unstable();
    Ok(found)
}

/// The manifests from the newest whole backup on, in order, each signed by the log and following
/// the one before; the segments that they name are there. `key`: the log's, once it is known.
pub(super) fn chain(folder: &Path, key: Option<&VerifierKey>) -> Result<Vec<Link>, BackupError> {
    let mut number = numbers(folder, ".manifest")?.last().copied().unwrap_or(0);
    let mut links: Vec<Link> = Vec::new();
    while number > 0 {
        let file = manifest_name(number);
        let text = match std::fs::read_to_string(folder.join(&file)) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(BackupError::Missing { file });
            }
            Err(error) => return Err(BackupError::Damaged { file, why: error.to_string() }),
        };
        let link = link(&text, key).map_err(|why| match why {
            Unread::OtherLog(why) => BackupError::OtherLog { why },
            Unread::Damaged(why) => BackupError::Damaged { file: file.clone(), why },
        })?;
        let it = &link.manifest;
        let follows = links.last().is_none_or(|next| {
            next.manifest.from == link.checkpoint.size
                && next.manifest.before == link.hash
                && next.manifest.schema == it.schema
                && next.manifest.region == it.region
        });
        if it.number != number || it.from > link.checkpoint.size || !follows {
            let why = "it does not fit the one that follows it".to_owned();
            return Err(BackupError::Damaged { file, why });
        }
        if !folder.join(segment_name(number)).exists() {
            return Err(BackupError::Missing { file: segment_name(number) });
        }
        let whole = it.from == 0;
        links.push(link);
        if whole {
            break;
        }
        number -= 1;
        if number == 0 {
            return Err(BackupError::Missing { file: segment_name(0) });
        }
    }
    links.reverse();
    Ok(links)
}

/// Why a manifest is not taken.
enum Unread {
    OtherLog(String),
    Damaged(String),
}

fn link(text: &str, key: Option<&VerifierKey>) -> Result<Link, Unread> {
    let damaged = |error: &dyn std::fmt::Display| Unread::Damaged(error.to_string());
    let body = match key {
        Some(key) => {
            let note = Note::open(text, std::slice::from_ref(key));
            note.map_err(|error| match error {
                ledger::NoteError::Unsigned => Unread::OtherLog(error.to_string()),
                error => damaged(&error),
            })?
            .text
        }
        None => Note::parse(text).map_err(|error| damaged(&error))?.text,
    };
    let json = body.strip_prefix(TITLE).ok_or_else(|| damaged(&"it is no manifest"))?;
    let manifest: Manifest = serde_json::from_str(json).map_err(|error| damaged(&error))?;
    let checkpoint = match key {
        Some(key) => Checkpoint::open(&manifest.checkpoint, key, &[]).map(|it| it.checkpoint),
        None => Note::parse(&manifest.checkpoint)
            .map_err(|error| damaged(&error))
            .map(|it| Checkpoint::parse(&it.text))?,
    };
    let checkpoint = checkpoint.map_err(|error| damaged(&error))?;
    Ok(Link { manifest, checkpoint, hash: sha256(text.as_bytes()) })
}
