//! The two signature schemes, behind two functions: Ed25519 for what we sign, P-256 for what a
//! device signs (the curve every browser keeps keys for).
//!
//! On the server aws-lc does the work; in WebAssembly RustCrypto does. Tests run both on the same
//! inputs, so that a gate never disagrees with the server.

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

    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey};

    pub(super) fn ed25519_verify(public: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
        UnparsedPublicKey::new(&ED25519, public).verify(message, signature).is_ok()
    }

    pub(super) fn p256_verify(public: &[u8], message: &[u8], signature: &[u8; 64]) -> bool {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public).verify(message, signature).is_ok()
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
        }
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
