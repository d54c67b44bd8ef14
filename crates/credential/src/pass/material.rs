//! What a gate carries to judge the passes of others with the server off: the files that say whom to
//! trust and what was revoked, and the rules by which places judge, signed by the region's root.
//!
//! The files go out as they were agreed on: a gate reads them with the same code as the server, so the
//! two never disagree about what a file means, and whoever compares a file's hash with the public log
//! sees that this gate has what was announced there.

use minicbor::Decoder;

use crate::cbor::{self, encoded};
use crate::error::DecodeError;
use crate::list;

pub(crate) const KIND: &str = "haetae/passes/v1";
/// The longest signed material that is read, in bytes: the signers of all DCC countries are about 2 MB.
pub const MAX_MATERIAL_BYTES: usize = 8 * 1024 * 1024;
/// The most files, and the most sets of rules.
const MAX_PARTS: u64 = 1_024;

/// Rules by which places judge, under the word by which a place asks for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceRules {
    /// E.g. `city`.
    pub name: String,
    /// The country whose rules they are, ISO 3166-1 alpha-2.
    pub country: String,
    /// An array of rules as countries publish them, in JSON.
    pub rules: String,
}

/// Files and rules for gates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Material {
    /// The region whose gates it is for.
    pub region: String,
    /// Grows with every change.
    pub version: u64,
    /// Unix seconds.
    pub issued_at: i64,
    /// Unix seconds; stale from this second on.
    pub valid_until: i64,
    /// As [`super::Trust::add`] reads them.
    pub files: Vec<Vec<u8>>,
    /// One set for each word.
    pub rules: Vec<PlaceRules>,
    /// Value sets for rules, in JSON; empty when there are none.
    pub value_sets: String,
}

impl Material {
    /// The payload: `{0: kind, 1: region, 2: version, 3: issued at, 4: valid until, 5: [file], 6: [[name,
    /// country, rules]], 7: value sets}`.
    pub fn to_cbor(&self) -> Vec<u8> {
        let length = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        encoded(|cbor| {
            cbor.map(8)?.u8(0)?.str(KIND)?.u8(1)?.str(&self.region)?;
            cbor.u8(2)?.u64(self.version)?.u8(3)?;
            cbor::put_seconds(cbor, self.issued_at)?;
            cbor.u8(4)?;
            cbor::put_seconds(cbor, self.valid_until)?;
            cbor.u8(5)?.array(length(self.files.len()))?;
            for file in &self.files {
                cbor.bytes(file)?;
            }
            cbor.u8(6)?.array(length(self.rules.len()))?;
            for it in &self.rules {
                cbor.array(3)?.str(&it.name)?.str(&it.country)?.str(&it.rules)?;
            }
            cbor.u8(7)?.str(&self.value_sets)?;
            Ok(())
        })
    }

    /// Reads signed material; see [`list::TrustList::open`].
    pub fn open(signed: &[u8], root: &[u8; 32], min_version: u64) -> Result<Self, DecodeError> {
        let payload = list::open(signed, MAX_MATERIAL_BYTES, root)?;
        let from = &mut Decoder::new(&payload);
        list::begin(from, 8, KIND)?;
        cbor::key(from, 1)?;
        let region = from.str()?.to_owned();
        cbor::key(from, 2)?;
        let version = from.u64()?;
        cbor::key(from, 3)?;
        let issued_at = cbor::seconds(from)?;
        cbor::key(from, 4)?;
        let valid_until = cbor::seconds(from)?;
        cbor::key(from, 5)?;
        let mut files = Vec::new();
        for _ in 0..parts(from)? {
            files.push(from.bytes()?.to_vec());
        }
        cbor::key(from, 6)?;
        let mut rules = Vec::new();
        for _ in 0..parts(from)? {
            if cbor::array(from)? != 3 {
                return Err(DecodeError::WrongShape);
            }
            let mut text = || from.str().map(str::to_owned);
            rules.push(PlaceRules { name: text()?, country: text()?, rules: text()? });
        }
        cbor::key(from, 7)?;
        let value_sets = from.str()?.to_owned();
        let material = Self { region, version, issued_at, valid_until, files, rules, value_sets };
        material.check()?;
        cbor::same(&payload, &material.to_cbor())?;
        if version < min_version { Err(DecodeError::RolledBack) } else { Ok(material) }
    }

    /// Whether the material is such that [`Material::open`] would read it; asked before signing, too.
    pub fn check(&self) -> Result<(), DecodeError> {
        let few = |count: usize| u64::try_from(count).is_ok_and(|count| count <= MAX_PARTS);
        let sound = cbor::is_region(&self.region)
            && list::is_span(self.issued_at, self.valid_until)
            && few(self.files.len())
            && few(self.rules.len());
        if sound { Ok(()) } else { Err(DecodeError::WrongShape) }
    }
}

fn parts(from: &mut Decoder<'_>) -> Result<u64, DecodeError> {
    match cbor::array(from)? {
        count if count <= MAX_PARTS => Ok(count),
        _ => Err(DecodeError::TooLong),
    }
}
