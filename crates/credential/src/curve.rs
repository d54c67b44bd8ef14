//! The signature schemes. Two have a function of their own: Ed25519 for what we sign, P-256 for what
//! a device signs (the curve every browser keeps keys for). Those of other people's passes and
//! certificates are behind [`verify`].
//!
//! On the server aws-lc does the work; in WebAssembly RustCrypto does, for the same two. Tests run
//! both on the same inputs, so that a gate never disagrees with the server.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::pass::{Algorithm, PublicKey};

/// Reads base64url of an SEC 1 point of P-256, as WebCrypto exports it (65 bytes) or compressed (33 bytes);
/// compressed. Whether it lies on the curve is the verifier's business: a key that does not can prove
/// nothing.
pub fn point_of_text(text: &str) -> Option<[u8; 33]> {
    if text.len() > 96 {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()?;
    match bytes.as_slice() {
        [2 | 3, rest @ ..] if rest.len() == 32 => bytes.try_into().ok(),
        [4, rest @ ..] if rest.len() == 64 => {
            let (x, y) = rest.split_at(32);
            [&[2 + (y.last()? & 1)], x].concat().try_into().ok()
        }
        _ => None,
    }
}

/// Whether `signature` is `key`'s over `message`; of ECDSA it is `r || s`. Nothing when this device
/// has no code for the scheme: a browser has WebCrypto for it (RSA, P-384, P-521).
pub fn verify(
    key: &PublicKey,
    algorithm: Algorithm,
    message: &[u8],
    signature: &[u8],
) -> Option<bool> {
    match (key, algorithm) {
        (PublicKey::P256(point), Algorithm::Es256) => {
            let signature = signature.try_into();
            Some(signature.is_ok_and(|it| p256_verify(point, message, it)))
        }
        (PublicKey::Ed25519(point), Algorithm::EdDsa) => {
            let signature = signature.try_into();
            Some(signature.is_ok_and(|it| ed25519_verify(point, message, it)))
        }
        #[cfg(not(target_arch = "wasm32"))]
        _ => Some(native::verify(key, algorithm, message, signature)),
        #[cfg(target_arch = "wasm32")]
        _ => None,
    }
}

/// Whether `signature` is `public`'s Ed25519 signature over `message` (RFC 8032).
///
/// Keys come only from signed trust lists, never from the message being checked.
pub fn ed25519_verify(public: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    #[cfg(not(target_arch = "wasm32"))]
    return native::ed25519_verify(public, message, signature);
    #[cfg(target_arch = "wasm32")]
    return portable::ed25519_verify(public, message, signature);
}

/// Whether `signature` (raw `r || s`, as WebCrypto makes it) is `public`'s ECDSA signature over
/// P-256 and SHA-256 of `message`. `public` is a SEC 1 point, compressed or not.
pub fn p256_verify(public: &[u8], message: &[u8], signature: &[u8; 64]) -> bool {
    // Only the two forms of SEC 1 we document: libraries differ on the hybrid and compact ones.
    let known = matches!((public.first(), public.len()), (Some(2 | 3), 33) | (Some(4), 65));
    #[cfg(not(target_arch = "wasm32"))]
    return known && native::p256_verify(public, message, signature);
    #[cfg(target_arch = "wasm32")]
    return known && portable::p256_verify(public, message, signature);
}

#[cfg(not(target_arch = "wasm32"))]
mod native {
    //! aws-lc.

    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA384_ASN1,
        ECDSA_P256_SHA512_ASN1, ECDSA_P384_SHA256_ASN1, ECDSA_P384_SHA384_ASN1,
        ECDSA_P384_SHA512_ASN1, ECDSA_P521_SHA256_ASN1, ECDSA_P521_SHA384_ASN1,
        ECDSA_P521_SHA512_ASN1, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
        RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
        RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, UnparsedPublicKey,
        VerificationAlgorithm,
    };

    use std::cell::RefCell;
    use std::collections::HashMap;
    use std::sync::Arc;

    use crate::p256_table::{CHECKS_BEFORE, Table};
    use crate::pass::{Algorithm, PublicKey, der};

    /// How many read keys a thread remembers: more than a country's signers, a kilobyte each.
    const REMEMBERED_MAX: usize = 512;

    thread_local! {
        /// Issuers' keys that were read already. Reading one takes a twentieth of what a check with it
        /// takes, and the next pass is often of the same issuer.
        static REMEMBERED: RefCell<HashMap<[u8; 65], Known>> = RefCell::default();
    }

    /// A key that was read.
    struct Known {
        key: ParsedPublicKey,
        checks: u32,
        /// Once it has signed many.
        table: Option<Arc<Table>>,
    }

    /// Whether this thread checks by this key's table.
    #[cfg(test)]
    pub(super) fn has_table(public: &[u8; 65]) -> bool {
        REMEMBERED.with_borrow(|keys| keys.get(public).is_some_and(|it| it.table.is_some()))
    }

    impl Known {
        fn holds(&mut self, long: &[u8; 65], message: &[u8], signature: &[u8; 64]) -> bool {
            if let Some(table) = &self.table {
                return table.holds(message, signature);
            }
            self.checks = self.checks.saturating_add(1);
            if self.checks == CHECKS_BEFORE {
                self.table = Table::shared(long);
            }
            self.key.verify_sig(message, signature).is_ok()
        }
    }

    /// Every pair of curve and hash: certificates use them all. In the form of certificates,
    /// because the library has only that for some.
    pub(super) fn verify(
        key: &PublicKey,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        let (point, width, scheme): (&[u8], usize, &'static dyn VerificationAlgorithm) =
            match (key, algorithm) {
                (PublicKey::P256(key), Algorithm::Es256) => (key, 32, &ECDSA_P256_SHA256_ASN1),
                (PublicKey::P256(key), Algorithm::Es384) => (key, 32, &ECDSA_P256_SHA384_ASN1),
                (PublicKey::P256(key), Algorithm::Es512) => (key, 32, &ECDSA_P256_SHA512_ASN1),
                (PublicKey::P384(key), Algorithm::Es256) => (key, 48, &ECDSA_P384_SHA256_ASN1),
                (PublicKey::P384(key), Algorithm::Es384) => (key, 48, &ECDSA_P384_SHA384_ASN1),
                (PublicKey::P384(key), Algorithm::Es512) => (key, 48, &ECDSA_P384_SHA512_ASN1),
                (PublicKey::P521(key), Algorithm::Es256) => (key, 66, &ECDSA_P521_SHA256_ASN1),
                (PublicKey::P521(key), Algorithm::Es384) => (key, 66, &ECDSA_P521_SHA384_ASN1),
                (PublicKey::P521(key), Algorithm::Es512) => (key, 66, &ECDSA_P521_SHA512_ASN1),
                (PublicKey::Rsa(key), Algorithm::Ps256) => (key, 0, &RSA_PSS_2048_8192_SHA256),
                (PublicKey::Rsa(key), Algorithm::Ps384) => (key, 0, &RSA_PSS_2048_8192_SHA384),
                (PublicKey::Rsa(key), Algorithm::Ps512) => (key, 0, &RSA_PSS_2048_8192_SHA512),
                (PublicKey::Rsa(key), Algorithm::Rs256) => (key, 0, &RSA_PKCS1_2048_8192_SHA256),
                (PublicKey::Rsa(key), Algorithm::Rs384) => (key, 0, &RSA_PKCS1_2048_8192_SHA384),
                (PublicKey::Rsa(key), Algorithm::Rs512) => (key, 0, &RSA_PKCS1_2048_8192_SHA512),
                _ => return false,
            };
        let verifier = UnparsedPublicKey::new(scheme, point);
        if width == 0 {
            return verifier.verify(message, signature).is_ok();
        }
        let Some((r, s)) = signature.split_at_checked(width) else { return false };
        s.len() == width && verifier.verify(message, &der::two_integers(r, s)).is_ok()
    }

    pub(super) fn ed25519_verify(public: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
        UnparsedPublicKey::new(&ED25519, public).verify(message, signature).is_ok()
    }

    /// Keys of issuers lie in certificates in the long form and are remembered; a device's, in the short
    /// form, is its own and seen once.
    pub(super) fn p256_verify(public: &[u8], message: &[u8], signature: &[u8; 64]) -> bool {
        let Ok(long) = <[u8; 65]>::try_from(public) else {
            let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public);
            return key.verify(message, signature).is_ok();
        };
        REMEMBERED.with_borrow_mut(|keys| {
            if let Some(known) = keys.get_mut(&long) {
                return known.holds(&long, message, signature);
            }
            let Ok(key) = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, long) else {
                return false;
            };
            if REMEMBERED_MAX <= keys.len() {
                keys.clear();
            }
            let known = keys.entry(long).or_insert(Known { key, checks: 0, table: None });
            known.holds(&long, message, signature)
        })
    }
}

#[cfg(any(target_arch = "wasm32", test))]
mod portable {
    //! RustCrypto.

    use ed25519_dalek::Verifier as _;

    pub(super) fn ed25519_verify(public: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        ed25519_dalek::VerifyingKey::from_bytes(public)
            .is_ok_and(|key| key.verify(message, &signature).is_ok())
    }

    pub(super) fn p256_verify(public: &[u8], message: &[u8], signature: &[u8; 64]) -> bool {
        let Ok(signature) = p256::ecdsa::Signature::from_slice(signature) else { return false };
        p256::ecdsa::VerifyingKey::from_sec1_bytes(public)
            .is_ok_and(|key| key.verify(message, &signature).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::Signer as _;
    use proptest::prelude::*;

    use super::{native, p256_verify, portable};
    use crate::p256_table::{CHECKS_BEFORE, Table};

    fn flip(bytes: &mut [u8], bit: usize) {
        let length = bytes.len();
        bytes[(bit / 8) % length] ^= 1 << (bit % 8);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn server_and_browser_agree_on_ed25519(
            seed: [u8; 32], message: Vec<u8>, bit in 0_usize..1024, what in 0_u8..4,
        ) {
            let signer = ed25519_dalek::SigningKey::from_bytes(&seed);
            let mut public = signer.verifying_key().to_bytes();
            let mut signature = signer.sign(&message).to_bytes();
            match what {
                1 => flip(&mut public, bit),
                2 => flip(&mut signature, bit),
                _ => {}
            }
            let server = native::ed25519_verify(&public, &message, &signature);
            prop_assert_eq!(server, portable::ed25519_verify(&public, &message, &signature));
            prop_assert_eq!(server, what == 0 || what == 3);
        }

        #[test]
        fn server_and_browser_agree_on_p256(
            seed: [u8; 32], message: Vec<u8>, bit in 0_usize..1024, what in 0_u8..4, long: bool,
        ) {
            let Ok(signer) = p256::ecdsa::SigningKey::from_slice(&seed) else { return Ok(()) };
            let point = signer.verifying_key().to_sec1_point(!long);
            let mut public = point.as_bytes().to_vec();
            let signature: p256::ecdsa::Signature = signer.sign(&message);
            let mut signature: [u8; 64] = signature.to_bytes().into();
            match what {
                1 => flip(&mut public, bit),
                2 => flip(&mut signature, bit),
                _ => {}
            }
            let server = p256_verify(&public, &message, &signature);
            if matches!(public[0], 2..=4) {
                let browser = portable::p256_verify(&public, &message, &signature);
                prop_assert_eq!(server, browser);
            }
            prop_assert_eq!(server, what == 0 || what == 3);
            if let Ok(long) = <[u8; 65]>::try_from(public) {
                let by_table = Table::new(&long).is_some_and(|it| it.holds(&message, &signature));
                prop_assert_eq!(server, by_table);
            }
        }
    }

    #[test]
    fn a_key_that_signs_many_is_checked_by_its_table_with_the_same_answers() {
        let signer = p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap();
        let public: [u8; 65] =
            signer.verifying_key().to_sec1_point(false).as_bytes().try_into().unwrap();
        for number in 0..2 * CHECKS_BEFORE {
            let message = number.to_be_bytes();
            let signature: p256::ecdsa::Signature = signer.sign(&message);
            let mut signature: [u8; 64] = signature.to_bytes().into();
            assert!(p256_verify(&public, &message, &signature), "{number}");
            flip(&mut signature, usize::try_from(number).unwrap());
            assert!(!p256_verify(&public, &message, &signature), "{number}");
        }
        assert!(native::has_table(&public));
    }

    #[test]
    fn points_in_other_forms_or_off_the_curve_are_refused() {
        let signature = [1; 64];
        for public in [&[][..], &[0], &[2; 32], &[2; 34], &[4; 65], &[6; 65], &[3; 65], &[255; 33]]
        {
            assert!(!p256_verify(public, b"", &signature));
        }
    }
}
