//! Secrets: tokens, their hashes, keyed tags. What the server keeps is never enough to pose as
//! somebody: tokens are kept as SHA-256 hashes, short codes as HMAC under the server's key.

use aws_lc_rs::hmac;
use kernel::Seed;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// The server's key for web's own purposes: the key file `web`.
pub(crate) struct ServerKey(hmac::Key);

impl ServerKey {
    #[allow(clippy::needless_pass_by_value, reason = "the secret is erased here")]
    pub(crate) fn new(secret: store::keys::Secret) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret.as_ref()))
    }

    /// A tag of `text` for one purpose; 32 bytes.
    pub(crate) fn tag(&self, purpose: &str, text: &str) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(purpose.as_bytes());
        context.update(&[0]);
        context.update(text.as_bytes());
        let mut tag = [0; 32];
        tag.copy_from_slice(context.sign().as_ref());
        tag
    }

    /// A synchroniser token for whoever holds the cookie `secret`. Each is drawn anew, so that a
    /// compressed page tells nothing of it (BREACH).
    pub(crate) fn csrf(&self, secret: &str, seed: &Seed) -> String {
        let nonce = hex::encode(seed.bytes::<16>());
        let tag = self.csrf_tag(&nonce, secret);
        format!("{nonce}{tag}")
    }

    /// Whether `token` was made for the cookie `secret`.
    pub(crate) fn csrf_fits(&self, secret: &str, token: &str) -> bool {
        match token.split_at_checked(32) {
            Some((nonce, tag)) => same(tag.as_bytes(), self.csrf_tag(nonce, secret).as_bytes()),
            None => false,
        }
    }

    fn csrf_tag(&self, nonce: &str, secret: &str) -> String {
        hex::encode(self.tag("csrf", &format!("{nonce}/{secret}")))
    }
}

/// A new token of 256 bits, in hex.
pub(crate) fn token(seed: &Seed) -> String {
    hex::encode(seed.bytes::<32>())
}

/// What the server keeps of a token.
pub(crate) fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Equality in constant time.
pub(crate) fn same(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

/// The first 16 bytes of SHA-256 over parts, each with its length before it: `("ab","c")` and
/// `("a","bc")` differ.
pub(crate) fn digest128(parts: &[&str]) -> u128 {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    let hash: [u8; 32] = hasher.finalize().into();
    hash.first_chunk::<16>().map_or(0, |it| u128::from_be_bytes(*it))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> ServerKey {
        ServerKey::new(store::keys::Secret::new([7; 32]))
    }

    #[test]
    fn a_token_fits_its_own_cookie_only() {
        let (key, seed) = (key(), Seed::fixed(1));
        let token = key.csrf("cookie", &seed);
        assert!(key.csrf_fits("cookie", &token));
        assert!(!key.csrf_fits("another", &token));
        assert!(!ServerKey::new(store::keys::Secret::new([8; 32])).csrf_fits("cookie", &token));
    }

    #[test]
    fn two_tokens_for_one_cookie_differ() {
        let (key, seed) = (key(), Seed::fixed(1));
        assert_ne!(key.csrf("cookie", &seed), key.csrf("cookie", &seed));
    }

    #[test]
    fn broken_tokens_do_not_fit() {
        let key = key();
        let token = key.csrf("cookie", &Seed::fixed(1));
        for wrong in ["", "x", &token[1..], &format!("{token}0"), "가나다라마바사아자차카"]
        {
            assert!(!key.csrf_fits("cookie", wrong), "{wrong}");
        }
    }

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(digest128(&["ab", "c"]), digest128(&["a", "bc"]));
    }
}
