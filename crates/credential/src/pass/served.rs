//! What a city serves about its own codes, saved as it is into a folder: each list by itself, in JSON or as
//! the bare COSE_Sign1, and the root key that signs them in another file. Which is which says the content;
//! files come in any order, so lists are opened when all are there.
//!
//! | served at | what |
//! |---|---|
//! | `/api/v1/gate/bundle` | the root key, and from when on lists count |
//! | `/api/v1/code/trust` | the keys that sign codes |
//! | `/api/v1/code/revocations` | the codes that ended early |
//! | `/api/v1/passes/material` | the files by which gates judge the passes of others |

use minicbor::Decoder;
use serde_json::Value;

use super::import::MAX_FILE;
use super::json::text_of;
use super::jwk::any_base64;
use super::{MAX_MATERIAL_BYTES, Material, Trust};
use crate::cbor;
use crate::cose::Sign1;
use crate::list::{self, Floor, RevocationList, TrustList};

/// What is not there, or does not count any more, so that a verdict cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// The root key that signed a list which is there.
    Root,
    /// The list of keys of a region whose root is there.
    TrustList,
    /// The revocation list of a region whose keys are there.
    RevocationList,
    /// Files for passes of others that are not over.
    Material,
}

impl Missing {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Root => "root_missing",
            Self::TrustList => "trust_list_missing",
            Self::RevocationList => "revocation_list_missing",
            Self::Material => "material_stale",
        }
    }

    /// Where a city serves it.
    pub fn path(self) -> &'static str {
        match self {
            Self::Root => "/api/v1/gate/bundle",
            Self::TrustList => "/api/v1/code/trust",
            Self::RevocationList => "/api/v1/code/revocations",
            Self::Material => "/api/v1/passes/material",
        }
    }
}

/// Files of cities, as they are gathered.
#[derive(Debug, Default)]
pub struct Served {
    roots: Vec<[u8; 32]>,
    lists: Vec<Vec<u8>>,
}

impl Served {
    /// Takes a file, if it is one that a city serves about its own codes; whether it was.
    pub fn add(&mut self, file: &[u8]) -> bool {
        if MAX_FILE < file.len() {
            return false;
        }
        let Ok(text) = core::str::from_utf8(file) else { return self.add_signed(file.to_vec()) };
        let text = text.trim_start_matches('\u{feff}').trim();
        if !text.starts_with('{') {
            return any_base64(text).is_some_and(|it| self.add_signed(it));
        }
        let Ok(value) = serde_json::from_str::<Value>(text) else { return false };
        let bytes = |name: &str| text_of(&value, name).and_then(any_base64);
        // With its lists beside it in one file it is a gate's file, which `Trust::add` reads.
        let root = bytes("root").filter(|_| value.get("trust").is_none());
        let root = root.and_then(|it| <[u8; 32]>::try_from(it).ok());
        let Some(root) = root else { return bytes("list").is_some_and(|it| self.add_signed(it)) };
        if !self.roots.contains(&root) {
            self.roots.push(root);
        }
        if let Some(floor) = bytes("floor") {
            self.add_signed(floor);
        }
        true
    }

    fn add_signed(&mut self, signed: Vec<u8>) -> bool {
        let is_ours = is_ours(&signed);
        if is_ours && !self.lists.contains(&signed) {
            self.lists.push(signed);
        }
        is_ours
    }

    /// Adds what the root keys vouch for, and says what is missing. Of several lists of one kind the latest
    /// counts.
    pub fn finish(self, trust: &mut Trust, now_s: i64) -> Vec<Missing> {
        let mut missing = Vec::new();
        let mut opened = vec![false; self.lists.len()];
        for root in &self.roots {
            let mut region = Region::default();
            for (signed, opened) in self.lists.iter().zip(&mut opened) {
                *opened |= region.open(signed, root);
            }
            region.join(trust, now_s, &mut missing);
        }
        if opened.contains(&false) {
            missing.insert(0, Missing::Root);
        }
        missing
    }
}

/// What one root has signed.
#[derive(Default)]
struct Region {
    since: i64,
    keys: Option<TrustList>,
    revocations: Option<RevocationList>,
    material: Option<Material>,
}

impl Region {
    /// Whether the root signed it.
    fn open(&mut self, signed: &[u8], root: &[u8; 32]) -> bool {
        if let Ok(floor) = Floor::open(signed, root) {
            self.since = self.since.max(floor.since);
        } else if let Ok(list) = TrustList::open(signed, root, 0) {
            later(&mut self.keys, list, |it| it.version);
        } else if let Ok(list) = RevocationList::open(signed, root, 0) {
            later(&mut self.revocations, list, |it| it.version);
        } else if let Ok(material) = Material::open(signed, root, 0) {
            later(&mut self.material, material, |it| it.version);
        } else {
            return false;
        }
        true
    }

    fn join(self, trust: &mut Trust, now_s: i64, missing: &mut Vec<Missing>) {
        let counts = |issued_at: i64| self.since <= issued_at;
        if let Some(material) = self.material.filter(|it| counts(it.issued_at)) {
            if now_s < material.valid_until {
                for file in &material.files {
                    trust.add(file);
                }
            } else {
                missing.push(Missing::Material);
            }
        }
        let Some(list) = self.keys.filter(|it| counts(it.issued_at)) else {
            missing.push(Missing::TrustList);
            return;
        };
        let revocations = self.revocations.filter(|it| counts(it.issued_at));
        if revocations.is_none() {
            missing.push(Missing::RevocationList);
        }
        trust.regions.push(list::Trust { list, revocations });
    }
}

fn later<T>(held: &mut Option<T>, one: T, version: impl Fn(&T) -> u64) {
    if held.as_ref().is_none_or(|it| version(it) < version(&one)) {
        *held = Some(one);
    }
}

/// Whether a signed message is a list of ours, whoever signed it.
fn is_ours(signed: &[u8]) -> bool {
    let Ok(message) = Sign1::from_cbor(signed, MAX_MATERIAL_BYTES) else { return false };
    let from = &mut Decoder::new(&message.payload);
    let begins = cbor::map(from).is_ok() && cbor::key(from, 0).is_ok();
    begins && from.str().is_ok_and(|kind| list::KINDS.contains(&kind))
}
