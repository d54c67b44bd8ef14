//! An invented issuer: a key of its own, and real HCERTs signed with it. For tests and for the demo's
//! city. Nobody believes it unless two officers read its key in.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    clippy::indexing_slicing,
    reason = "only tests and the demo call this, with contents of their own"
)]

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use kernel::Instant;
use minicbor::Encoder;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};

/// The issuer's key.
fn key() -> SigningKey {
    SigningKey::from_slice(&[42; 32]).unwrap()
}

const KID: &[u8] = b"haetaeT1";

/// Its public key as an officer reads it in.
pub fn jwks() -> Vec<u8> {
    let point = key().verifying_key().to_sec1_point(false);
    let coordinate = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let jwk = json!({
        "kty": "EC", "crv": "P-256", "kid": STANDARD.encode(KID), "use": "sig", "alg": "ES256",
        "x": coordinate(point.x().unwrap()), "y": coordinate(point.y().unwrap()),
    });
    json!({ "keys": [jwk] }).to_string().into_bytes()
}

fn put(cbor: &mut Encoder<Vec<u8>>, value: &Value) {
    match value {
        Value::String(text) => drop(cbor.str(text).unwrap()),
        Value::Number(number) => drop(cbor.i64(number.as_i64().unwrap()).unwrap()),
        Value::Array(items) => {
            cbor.array(u64::try_from(items.len()).unwrap()).unwrap();
            for item in items {
                put(cbor, item);
            }
        }
        Value::Object(fields) => {
            cbor.map(u64::try_from(fields.len()).unwrap()).unwrap();
            for (name, value) in fields {
                cbor.str(name).unwrap();
                put(cbor, value);
            }
        }
        other => panic!("no pass holds {other}"),
    }
}

/// A vaccination's content.
pub fn vaccination(name: &str, dose: i64, date: &str) -> Value {
    of(["HONG", "GILDONG"], [name, "길동"], "1980-05-05", dose, date)
}

/// The same for anybody: surname and given name in passport letters and as they are written.
pub fn of(latin: [&str; 2], name: [&str; 2], birth: &str, dose: i64, date: &str) -> Value {
    json!({
        "ver": "1.3.0",
        "nam": { "fn": name[0], "gn": name[1], "fnt": latin[0], "gnt": latin[1] },
        "dob": birth,
        "v": [{
            "tg": "840539006", "vp": "1119349007", "mp": "EU/1/20/1528", "ma": "ORG-100030215",
            "dn": dose, "sd": 2, "dt": date, "co": "XX", "is": "Example Health Agency",
            "ci": format!("URN:UVCI:01:XX:{dose}{date}#1")
        }]
    })
}

/// A signed pass with this content, good until `expires`.
pub fn pass(content: &Value, issued: Instant, expires: Instant) -> String {
    signed(KID, content, issued, expires)
}

/// The same by somebody whose key is in no file.
pub fn stranger(content: &Value, issued: Instant, expires: Instant) -> String {
    signed(b"stranger", content, issued, expires)
}

fn signed(kid: &[u8], content: &Value, issued: Instant, expires: Instant) -> String {
    let mut claims = Encoder::new(Vec::new());
    claims.map(4).unwrap().i64(1).unwrap().str("XX").unwrap();
    claims.i64(4).unwrap().i64(expires.seconds()).unwrap();
    claims.i64(6).unwrap().i64(issued.seconds()).unwrap();
    claims.i64(-260).unwrap().map(1).unwrap().i64(1).unwrap();
    put(&mut claims, content);
    let claims = claims.into_writer();
    let mut protected = Encoder::new(Vec::new());
    protected.map(2).unwrap().i64(1).unwrap().i64(-7).unwrap().i64(4).unwrap().bytes(kid).unwrap();
    let protected = protected.into_writer();
    let mut to_sign = Encoder::new(Vec::new());
    to_sign.array(4).unwrap().str("Signature1").unwrap().bytes(&protected).unwrap();
    to_sign.bytes(&[]).unwrap().bytes(&claims).unwrap();
    let signature: Signature = key().sign(&to_sign.into_writer());
    let mut message = Encoder::new(Vec::new());
    message.tag(minicbor::data::Tag::new(18)).unwrap().array(4).unwrap();
    message.bytes(&protected).unwrap().map(0).unwrap();
    message.bytes(&claims).unwrap().bytes(&signature.to_bytes()).unwrap();
    let packed = miniz_oxide::deflate::compress_to_vec_zlib(&message.into_writer(), 9);
    format!("HC1:{}", credential::base45::encode(&packed))
}
