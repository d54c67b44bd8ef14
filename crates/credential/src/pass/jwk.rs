//! JSON Web Keys (RFC 7517, 7518, 8037): public keys in JSON.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::Value;

use super::der;
use super::key::PublicKey;

/// The public key of a JWK; nothing when it is none, or of a kind that is not known here.
pub fn public_key(jwk: &Value) -> Option<PublicKey> {
    let text = |name: &str| jwk.get(name)?.as_str();
    let number = |name: &str| base64url(text(name)?);
    let point = |width: usize| {
        let (x, y) = (number("x")?, number("y")?);
        (x.len() == width && y.len() == width).then(|| [&[4], &*x, &*y].concat())
    };
    match (text("kty")?, text("crv")) {
        ("EC", Some("P-256")) => point(32).map(PublicKey::P256),
        ("EC", Some("P-384")) => point(48).map(PublicKey::P384),
        ("EC", Some("P-521")) => point(66).map(PublicKey::P521),
        ("RSA", _) => Some(PublicKey::Rsa(der::two_integers(&number("n")?, &number("e")?))),
        ("OKP", Some("Ed25519")) => number("x")?.try_into().ok().map(PublicKey::Ed25519),
        _ => None,
    }
}

/// Decodes base64url without padding, as JOSE has it.
pub fn base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Encodes in base64url without padding.
pub fn to_base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Decodes base64 of either alphabet, padded or not, white space between: lists of keys are less
/// strict than tokens.
pub fn any_base64(text: &str) -> Option<Vec<u8>> {
    let text: String = text.split_ascii_whitespace().collect();
    let engines = [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD];
    engines.iter().find_map(|engine| engine.decode(&text).ok())
}
