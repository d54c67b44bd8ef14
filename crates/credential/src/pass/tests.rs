//! Every kind of pass against data that nobody here wrote, and against changes whose verdict is known
//! by construction.

pub(super) mod cards;
mod dgc;
mod hostile;
mod lists;
mod made_seals;
mod mutations;
mod nzcp;
mod own;
mod rules;
mod seals;
mod served;
mod vectors;

use std::path::{Path, PathBuf};

use serde_json::Value;

/// A folder of the shared data; nothing, and a loud line, where it is not.
pub(super) fn data(folder: &str) -> Option<PathBuf> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/passes"));
    let path = path.join(folder);
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("SKIPPED: {} is not there; this test has shown nothing", path.display());
    None
}

/// All files below `folder` whose name ends in `.json`, in order.
pub(super) fn json_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "json") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

pub(super) fn json(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap();
    serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap()
}
