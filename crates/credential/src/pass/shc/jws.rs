//! JWS in its compact form (RFC 7515), ES256 only (RFC 7518, section 3.4).
//!
//! The algorithm is the code's, not the message's: a message that names another one was signed by
//! nobody who is known here (RFC 8725, section 3.1), and so was one with a `crit` that has to be
//! understood and is not.

use super::super::json::Json;
use super::super::jwk::base64url;
use super::super::key::{Algorithm, PublicKey, SignatureCheck};

/// A message that was read and not yet verified.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Jws {
    /// The key that claims to have signed.
    pub(crate) kid: String,
    /// The protected header.
    pub(crate) header: Json,
    /// What was signed for.
    pub(crate) payload: Vec<u8>,
    signed: Vec<u8>,
    signature: Vec<u8>,
}

impl Jws {
    /// Reads exactly one message: three parts in base64url, the first a JSON object that names a key.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let (header, payload, signature) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let signed = format!("{header}.{payload}").into_bytes();
        let header = Json::read(&base64url(header)?).filter(|header| header.object().is_some())?;
        // Without an algorithm it is none (RFC 7515, section 4.1.1).
        header.text_at("alg")?;
        let kid = header.text_at("kid")?.to_owned();
        Some(Self {
            kid,
            header,
            payload: base64url(payload)?,
            signed,
            signature: base64url(signature)?,
        })
    }

    /// Whether the header says what is done here: ES256, and nothing that must be understood.
    pub(crate) fn is_es256(&self) -> bool {
        self.header.text_at("alg") == Some("ES256") && self.header.get("crit").is_none()
    }

    /// The check whether `key` signed it.
    pub(crate) fn signed_by(&self, key: &PublicKey) -> SignatureCheck {
        SignatureCheck {
            key: key.clone(),
            algorithm: Algorithm::Es256,
            message: self.signed.clone(),
            signature: self.signature.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::Jws;
    use crate::issue::DeviceKey;
    use crate::pass::PublicKey;

    fn coded(bytes: impl AsRef<[u8]>) -> String {
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn with_header(header: &str) -> Option<Jws> {
        Jws::read(&format!("{}.e30.AA", coded(header)))
    }

    #[test]
    fn only_es256_with_nothing_critical_is_allowed() {
        assert!(with_header(r#"{"alg":"ES256","kid":"a","typ":"x"}"#).unwrap().is_es256());
        for alg in ["none", "HS256", "ES384", "RS256", "es256", "EdDSA", ""] {
            assert!(!with_header(&format!(r#"{{"alg":"{alg}","kid":"a"}}"#)).unwrap().is_es256());
        }
        let critical = r#"{"alg":"ES256","kid":"a","crit":["b64"],"b64":false}"#;
        assert!(!with_header(critical).unwrap().is_es256());
    }

    #[test]
    fn three_parts_and_a_key_that_is_named_once_make_a_message() {
        for header in [
            r#"{"alg":"ES256"}"#,
            r#"{"alg":"ES256","kid":7}"#,
            r#"{"kid":"a"}"#,
            "[]",
            r#"{"alg":"a","kid":"a","kid":"b"}"#,
        ] {
            assert_eq!(with_header(header), None, "{header}");
        }
        let header = coded(r#"{"alg":"a","kid":"a"}"#);
        assert!(Jws::read(&format!("{header}.e30.AA")).is_some());
        for rest in
            ["", ".e30", ".e30.AA.", ".e30=.AA", ".e30.AA=", ".e30.AA ", ".e30.AB", ".\u{e9}.AA"]
        {
            assert_eq!(Jws::read(&format!("{header}{rest}")), None, "{rest:?}");
        }
    }

    #[test]
    fn a_signature_is_64_bytes_for_one_text_and_one_key() {
        let (key, other) =
            (DeviceKey::from_scalar(&[5; 32]).unwrap(), DeviceKey::from_scalar(&[6; 32]).unwrap());
        let signed = format!("{}.{}", coded(r#"{"alg":"ES256","kid":"a"}"#), coded("payload"));
        let signature = key.sign(signed.as_bytes()).unwrap();
        let holds = |signature: &[u8], key: &DeviceKey| {
            let jws = Jws::read(&format!("{signed}.{}", coded(signature))).unwrap();
            assert_eq!(jws.payload, b"payload");
            jws.signed_by(&PublicKey::P256(key.public().to_vec())).holds().unwrap()
        };
        assert!(holds(&signature, &key));
        assert!(!holds(&signature, &other));
        for other in [&signature[..63], &[&signature[..], &[0]].concat(), &[], &[0; 64]] {
            assert!(!holds(other, &key));
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC*", parts in "[A-Za-z0-9_.-]{0,80}") {
            let _ = Jws::read(&text);
            let _ = Jws::read(&parts);
        }
    }
}
