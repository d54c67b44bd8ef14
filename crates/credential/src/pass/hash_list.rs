//! Lists of revoked DCCs, in which hashes stand for passes (EU 2022/483, "DCC Revocation Lists"; the
//! gateway's batches).
//!
//! `{"country": "DE", "expires": …, "kid": …, "hashType": "UCI", "entries": [{"hash": …}, …]}`: each
//! hash is the first 128 bits of a SHA-256 in base64, of the certificate identifier, of country and
//! identifier, or of the signature. Of an ECDSA signature only the first half counts: anybody can
//! change the second so that it still holds. A batch is for one key, or for all (`UNKNOWN_KID`).

use std::collections::HashMap;
use std::collections::HashSet;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::json::text_of;
use super::jwk::any_base64;
use super::revocation::{DccNames, Standing};
use super::time;

/// What a hash is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HashKind {
    /// The certificate identifier.
    Uci,
    /// The country's two letters and the certificate identifier.
    CountryUci,
    /// The signature.
    Signature,
}

/// The first 128 bits of a SHA-256.
pub type PassHash = [u8; 16];

/// The hash by which a list may name a pass.
pub fn hash_of(kind: HashKind, names: &DccNames<'_>) -> PassHash {
    let digest = match kind {
        HashKind::Uci => Sha256::digest(names.uci),
        HashKind::CountryUci => {
            Sha256::new().chain_update(names.country).chain_update(names.uci).finalize()
        }
        HashKind::Signature => {
            let half = names.signature.len() / 2;
            let signed = if names.is_ecdsa { names.signature.get(..half) } else { None };
            Sha256::digest(signed.unwrap_or(names.signature))
        }
    };
    core::array::from_fn(|place| digest.get(place).copied().unwrap_or_default())
}

/// All lists that are held.
#[derive(Debug, Clone, Default)]
pub(crate) struct HashLists {
    hashes: HashSet<(HashKind, PassHash, Option<Vec<u8>>)>,
    /// For whom there are lists, and until when the last of them counts.
    until: HashMap<Option<Vec<u8>>, Option<i64>>,
}

impl HashLists {
    /// Adds a batch; nothing if it is none.
    pub(crate) fn add(&mut self, batch: &Value) -> Option<()> {
        let kind = match text_of(batch, "hashType")? {
            "UCI" => HashKind::Uci,
            "COUNTRYCODEUCI" => HashKind::CountryUci,
            "SIGNATURE" => HashKind::Signature,
            _ => return None,
        };
        let signer = match text_of(batch, "kid") {
            None | Some("UNKNOWN_KID") => None,
            Some(name) => Some(any_base64(name)?),
        };
        let until = match batch.get("expires") {
            None => None,
            Some(until) => Some(until.as_i64().or_else(|| time::moment(until.as_str()?))?),
        };
        let read = |entry: &Value| -> Option<PassHash> {
            let hash = any_base64(entry.as_str().or_else(|| text_of(entry, "hash"))?)?;
            hash.get(..16)?.try_into().ok()
        };
        let hashes = batch.get("entries")?.as_array()?.iter().map(read);
        let hashes: Vec<_> = hashes.collect::<Option<_>>()?;
        self.hashes.extend(hashes.into_iter().map(|hash| (kind, hash, signer.clone())));
        let known = self.until.entry(signer).or_insert(until);
        *known = known.zip(until).map(|(one, other): (i64, i64)| one.max(other));
        Some(())
    }

    /// What is known of a pass.
    pub(crate) fn standing(&self, names: &DccNames<'_>, now_s: i64) -> Standing {
        let mut standing = Standing::NotListed;
        for signer in [None, Some(names.kid.to_vec())] {
            let Some(until) = self.until.get(&signer) else { continue };
            let is_named = [HashKind::Uci, HashKind::CountryUci, HashKind::Signature]
                .into_iter()
                .any(|kind| self.hashes.contains(&(kind, hash_of(kind, names), signer.clone())));
            let is_over = until.is_some_and(|until| until <= now_s);
            standing = match (is_named, is_over, standing) {
                (true, _, _) => return Standing::Revoked,
                (false, true, _) | (_, _, Standing::Stale) => Standing::Stale,
                (false, false, _) => Standing::Good,
            };
        }
        standing
    }
}

#[cfg(test)]
mod tests {
    use super::{HashKind, HashLists, hash_of};
    use crate::pass::revocation::{DccNames, Standing};
    use serde_json::json;

    const NAMES: DccNames<'_> = DccNames {
        kid: &[1; 8],
        uci: "URN:UVCI:01:DE:X",
        country: "DE",
        signature: &[7; 64],
        is_ecdsa: true,
    };

    fn batch(signer: &str, kind: &str, hash: &str, expires: &str) -> serde_json::Value {
        json!({"country": "DE", "expires": expires, "kid": signer, "hashType": kind, "entries": [{"hash": hash}]})
    }

    fn coded(kind: HashKind) -> String {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(hash_of(kind, &NAMES))
    }

    #[test]
    fn a_pass_is_named_by_any_of_three_hashes_under_its_key_or_under_all() {
        for (kind, name) in [
            (HashKind::Uci, "UCI"),
            (HashKind::CountryUci, "COUNTRYCODEUCI"),
            (HashKind::Signature, "SIGNATURE"),
        ] {
            for kid in ["AQEBAQEBAQE=", "UNKNOWN_KID"] {
                let mut lists = HashLists::default();
                lists.add(&batch(kid, name, &coded(kind), "2022-11-01T00:00:00Z")).unwrap();
                assert_eq!(lists.standing(&NAMES, 0), Standing::Revoked, "{name} {kid}");
                // An old list still knows whom it names; of others it cannot tell.
                assert_eq!(lists.standing(&NAMES, i64::MAX), Standing::Revoked);
                let other = DccNames { uci: "URN:UVCI:01:DE:Y", signature: &[8; 64], ..NAMES };
                assert_eq!(lists.standing(&other, 1_667_260_799), Standing::Good);
                assert_eq!(lists.standing(&other, 1_667_260_800), Standing::Stale);
            }
        }
        let mut lists = HashLists::default();
        lists.add(&batch("AgICAgICAgI=", "UCI", &coded(HashKind::Uci), "2022-11-01")).unwrap();
        assert_eq!(lists.standing(&NAMES, 0), Standing::NotListed);
    }

    #[test]
    fn the_second_half_of_an_ecdsa_signature_does_not_matter() {
        let mut other = [7; 64];
        other[32..].fill(9);
        let other = DccNames { signature: &other, ..NAMES };
        assert_eq!(hash_of(HashKind::Signature, &NAMES), hash_of(HashKind::Signature, &other));
        let rsa = DccNames { is_ecdsa: false, ..other };
        assert_ne!(hash_of(HashKind::Signature, &NAMES), hash_of(HashKind::Signature, &rsa));
    }

    #[test]
    fn what_is_not_a_batch_is_not_taken() {
        let mut lists = HashLists::default();
        for bad in [
            json!({}),
            batch("AQ", "OTHER", "AAAAAAAAAAAAAAAAAAAAAA==", "2022-11-01"),
            batch("AQ", "UCI", "AAAA", "2022-11-01"),
            batch("AQ", "UCI", "AAAAAAAAAAAAAAAAAAAAAA==", "soon"),
        ] {
            assert!(lists.add(&bad).is_none(), "{bad}");
        }
        assert_eq!(lists.standing(&NAMES, 0), Standing::NotListed);
    }
}
