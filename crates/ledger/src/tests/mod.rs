//! Tests of the ledger: published vectors, and properties against a slow obvious tree.

mod note;
mod proof;
mod slow;
mod tile;
mod tree;
mod vectors_merkle;
mod vectors_note;

use std::collections::BTreeMap;

use crate::{Appended, Hash, Resource, TileId, Tree};

/// The rows that a store would hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Rows {
    tiles: BTreeMap<(u8, u64), Vec<u8>>,
    bundles: BTreeMap<u64, Vec<u8>>,
}

impl Rows {
    /// Writes what an append asks for and checks that rows only ever grow.
    fn write(&mut self, appended: &Appended) {
        for tile in &appended.tiles {
            assert_eq!(tile.bytes.len(), usize::from(tile.width) * Hash::LENGTH);
            let old = self.tiles.insert((tile.level, tile.index), tile.bytes.clone());
            let old = old.unwrap_or_default();
            assert!(old.len() < tile.bytes.len() && tile.bytes.starts_with(&old));
        }
        for bundle in &appended.bundles {
            let entries = crate::parse_bundle(&bundle.bytes).unwrap();
            assert_eq!(entries.len(), usize::from(bundle.width));
            let old = self.bundles.insert(bundle.index, bundle.bytes.clone()).unwrap_or_default();
            assert!(old.len() < bundle.bytes.len() && bundle.bytes.starts_with(&old));
        }
    }

    fn tile(&self, id: TileId) -> Result<Vec<u8>, String> {
        self.tiles.get(&(id.level, id.index)).cloned().ok_or_else(|| format!("no {id:?}"))
    }

    fn resource(&self, resource: Resource) -> Result<Vec<u8>, String> {
        match resource {
            Resource::Tile(id) => self.tile(id),
            Resource::Bundle(id) => {
                self.bundles.get(&id.index).cloned().ok_or_else(|| format!("no {id:?}"))
            }
        }
    }
}

/// A log of `size` distinct entries and its rows, appended in batches of `batch`.
fn grown(size: usize, batch: usize) -> (Tree, Rows) {
    let entries: Vec<String> = (0..size).map(entry).collect();
    let (mut tree, mut rows) = (Tree::new(), Rows::default());
    for batch in entries.chunks(batch.max(1)) {
        rows.write(&tree.append(batch).unwrap());
    }
    (tree, rows)
}

/// The entries that the generated vectors use.
fn entry(index: usize) -> String {
    format!("leaf {index}")
}

fn index(value: u64) -> usize {
    usize::try_from(value).unwrap()
}

fn wide(value: usize) -> u64 {
    u64::try_from(value).unwrap()
}

/// The shared test data, or `None` with a loud line when this checkout stands alone.
fn data(path: &str) -> Option<std::path::PathBuf> {
    let base = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/ledger/");
    let path = std::path::Path::new(base).join(path);
    if path.exists() {
        return Some(path);
    }
    eprintln!("SKIPPED: no test vectors at {}", path.display());
    None
}

fn json(path: &str) -> Option<serde_json::Value> {
    data(path).map(|path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
}
