//! Issuers' keys as JWK sets (RFC 7517), in the way SMART Health Cards demand them, and directories.
//!
//! A JWK set says nothing about whose it is: on the web that is its address. In a folder the person
//! who put it there vouches for it, and the name of a key is the hash of the key (RFC 7638), so a card
//! that names it was signed by that key or by nobody. Where something does tie a set to an issuer (a
//! certificate in it with an address, a directory, a member `issuer` beside `keys`), cards of other
//! issuers are not taken from it.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::super::certificate::Certificate;
use super::super::json::text_of;
use super::super::jwk;
use super::super::key::PublicKey;

/// Longer than any chain is.
const MAX_CHAIN: usize = 8;

/// A P-256 key that signs cards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CardKey {
    /// Its SHA-256 thumbprint, as cards name it.
    pub(crate) kid: String,
    pub(crate) key: PublicKey,
    /// The issuers that its certificate names.
    pub(crate) issuers: Vec<String>,
    /// The version of its revocation list that was current when the set was made.
    pub(crate) crl_version: Option<i64>,
}

impl CardKey {
    /// Reads a key of a set. Nothing when it is none for cards: another type, curve, use or algorithm;
    /// published with its private half, so that anybody can sign with it; under a name that is not its
    /// thumbprint; with certificates that are another key's, do not follow from each other or name no
    /// address.
    pub(crate) fn read(jwk: &Value) -> Option<Self> {
        let is = |name: &str, value: &str| text_of(jwk, name) == Some(value);
        // What says nothing of its use is for this one; what names another is not.
        let may_be = |name: &str, value: &str| jwk.get(name).is_none() || is(name, value);
        let of_cards = is("kty", "EC") && is("crv", "P-256");
        let for_cards = may_be("use", "sig") && may_be("alg", "ES256") && jwk.get("d").is_none();
        if !(of_cards && for_cards) {
            return None;
        }
        let key = jwk::public_key(jwk)?;
        let kid = thumbprint(text_of(jwk, "x")?, text_of(jwk, "y")?);
        if !is("kid", &kid) {
            return None;
        }
        let crl_version = match jwk.get("crlVersion") {
            None => None,
            Some(version) => Some(version.as_i64()?),
        };
        let issuers = match jwk.get("x5c") {
            None => Vec::new(),
            Some(chain) => certified(chain, &key)?,
        };
        Some(Self { kid, key, issuers, crl_version })
    }
}

/// RFC 7638, section 3: the required members of an EC key in order of their names. Both coordinates
/// are base64url, so nothing needs escaping.
fn thumbprint(x: &str, y: &str) -> String {
    let members = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    jwk::to_base64url(&Sha256::digest(members))
}

/// The addresses that the first certificate of `x5c` names, if it certifies `key` and each is signed
/// by the next. Their time is not looked at: the set is what is trusted, and the published examples
/// outlive their certificates.
fn certified(chain: &Value, key: &PublicKey) -> Option<Vec<String>> {
    let chain = chain.as_array().filter(|chain| (1..=MAX_CHAIN).contains(&chain.len()))?;
    let read = |item: &Value| Certificate::from_der(&jwk::any_base64(item.as_str()?)?);
    let chain: Vec<Certificate> = chain.iter().map(read).collect::<Option<_>>()?;
    let leaf = chain.first()?;
    let follows = chain.iter().zip(chain.iter().skip(1)).all(|(one, next)| {
        // What this device cannot compute is not held against it.
        let check = next.key.as_ref().and_then(|key| one.signature_by(key));
        one.is_named_by(next) && check.is_none_or(|check| check.holds() != Some(false))
    });
    (leaf.key.as_ref() == Some(key) && follows && !leaf.uris.is_empty()).then(|| leaf.uris.clone())
}
