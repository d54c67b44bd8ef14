//! The Merkle vectors of transparency-dev, the RFC 6962 reference roots and our cross-checked ones.

use serde::Deserialize;
use serde_json::Value;

use super::{data, entry, grown, json};
use crate::{
    Hash, TileId, Tree, consistency_proof, inclusion_proof, leaf_hash, root_at, verify_consistency,
    verify_inclusion,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Inclusion {
    leaf_idx: u64,
    tree_size: u64,
    root: Option<String>,
    leaf_hash: Option<String>,
    proof: Option<Vec<String>>,
    want_err: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Consistency {
    size1: u64,
    size2: u64,
    root1: Option<String>,
    root2: Option<String>,
    proof: Option<Vec<String>>,
    want_err: bool,
}

fn hash(text: Option<String>) -> Option<Hash> {
    text?.parse().ok()
}

fn hashes(texts: Option<Vec<String>>) -> Option<Vec<Hash>> {
    texts.unwrap_or_default().into_iter().map(|text| text.parse().ok()).collect()
}

/// A root. Where a vector says that roots do not matter they are other texts ("don't care 1"); a
/// hash of such a text stands for it, so that equal ones stay equal and others do not.
fn root(text: Option<String>) -> Hash {
    let text = text.unwrap_or_default();
    text.parse().unwrap_or_else(|_| leaf_hash(text.as_bytes()))
}

fn files(folder: &str) -> Vec<std::path::PathBuf> {
    let mut folders: Vec<_> = data(folder).into_iter().collect();
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files
}

#[test]
fn the_published_inclusion_vectors_are_judged_rightly() {
    let (mut cases, mut good) = (0, 0);
    for path in files("merkle-vectors/testdata/inclusion") {
        let case: Inclusion = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let parts = (|| Some((hash(case.leaf_hash)?, hashes(case.proof)?, hash(case.root)?)))();
        let accepted = parts.is_some_and(|(leaf, proof, root)| {
            verify_inclusion(&leaf, case.leaf_idx, case.tree_size, &proof, &root).is_ok()
        });
        assert_eq!(accepted, !case.want_err, "{}", path.display());
        cases += 1;
        good += u32::from(accepted);
    }
    assert!(cases == 0 || (cases >= 90 && good >= 6), "{cases} cases, {good} good");
}

#[test]
fn the_published_consistency_vectors_are_judged_rightly() {
    let (mut cases, mut good) = (0, 0);
    for path in files("merkle-vectors/testdata/consistency") {
        let case: Consistency = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let (old, new) = (root(case.root1), root(case.root2));
        let accepted = hashes(case.proof).is_some_and(|proof| {
            verify_consistency(case.size1, &old, case.size2, &new, &proof).is_ok()
        });
        assert_eq!(accepted, !case.want_err, "{}", path.display());
        cases += 1;
        good += u32::from(accepted);
    }
    assert!(cases == 0 || (cases >= 90 && good >= 5), "{cases} cases, {good} good");
}

#[test]
fn the_reference_roots_of_rfc_6962_are_reached() {
    let Some(vectors) = json("notes/vectors.json") else { return };
    let vectors = &vectors["rfc6962_roots"];
    let roots = vectors["roots_hex_by_size"].as_array().unwrap();
    let mut tree = Tree::new();
    assert_eq!(tree.root().to_hex(), roots[0].as_str().unwrap());
    let inputs = vectors["leaf_inputs_hex"].as_array().unwrap();
    assert_eq!(inputs.len() + 1, roots.len());
    for (input, root) in inputs.iter().zip(&roots[1..]) {
        let input = hex::decode(input.as_str().unwrap()).unwrap();
        assert_eq!(tree.append(&[input]).unwrap().root.to_hex(), root.as_str().unwrap());
    }
}

#[test]
fn the_roots_and_proofs_that_other_implementations_agreed_on_are_reached() {
    let Some(vectors) = json("generated/vectors.json") else { return };
    let parse = |value: &Value| -> Hash { value.as_str().unwrap().parse().unwrap() };
    let list =
        |value: &Value| -> Vec<Hash> { value.as_array().unwrap().iter().map(parse).collect() };
    let (_, rows) = grown(70_000, 777);
    let source = &mut |id: TileId| rows.tile(id);
    let roots = vectors["roots"].as_array().unwrap();
    assert!(roots.len() > 600);
    for root in roots {
        let size = root[0].as_u64().unwrap();
        assert_eq!(root_at(size, source).unwrap(), parse(&root[1]), "size {size}");
    }
    for case in vectors["inclusion"].as_array().unwrap() {
        let (index, size) = (case["index"].as_u64().unwrap(), case["size"].as_u64().unwrap());
        let proof = inclusion_proof(index, size, source).unwrap();
        assert_eq!(proof, list(&case["hashes"]));
        let root = root_at(size, source).unwrap();
        let leaf = leaf_hash(entry(super::index(index)).as_bytes());
        verify_inclusion(&leaf, index, size, &proof, &root).unwrap();
    }
    for case in vectors["consistency"].as_array().unwrap() {
        let (old, new) = (case["old"].as_u64().unwrap(), case["new"].as_u64().unwrap());
        let proof = consistency_proof(old, new, source).unwrap();
        assert_eq!(proof, list(&case["hashes"]));
        let old_root = root_at(old, source).unwrap();
        let new_root = root_at(new, source).unwrap();
        verify_consistency(old, &old_root, new, &new_root, &proof).unwrap();
    }
}
