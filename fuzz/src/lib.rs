//! What fuzz targets share: a verifier that trusts one key of every kind, and the wraps around what is
//! signed, so that the innermost parsers are reached without a valid signature or checksum.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use credential::IssuerSigner;
use credential::pass::{self, Format, Policy, PublicKey, Signer, Trust, Usage};
use minicbor::Encoder;
use miniz_oxide::deflate::{compress_to_vec, compress_to_vec_zlib};

/// A moment within the seeds' validity.
pub const NOW_S: i64 = 1_800_000_007;
/// The name of the one key that is trusted for DCCs and for New Zealand's passes.
pub const KID: &[u8] = b"haetae01";
/// The same of SMART cards.
pub const CARD_KID: &str = "haetae";
/// Who issues New Zealand's passes here.
pub const DID: &str = "did:web:haetae.example";
/// Who issues SMART cards here.
pub const CARD_ISSUER: &str = "https://haetae.example";

/// One key of every kind.
pub fn trust() -> Trust {
    let mut trust = Trust::default();
    let signer = |issuer: &str| Signer {
        // A point in form only: nobody computes with it.
        key: PublicKey::P256([4; 65].to_vec()),
        usage: Usage::ANY,
        issuer: Some(issuer.to_owned()),
        country: Some("KR".to_owned()),
        not_before: None,
        not_after: None,
        refused_from: None,
        list_until: None,
        certificate: None,
    };
    trust.add_signer(Format::Dcc, KID, signer("Haetae"));
    let name = format!("{DID}#{}", String::from_utf8_lossy(KID));
    trust.add_signer(Format::Nzcp, name.as_bytes(), signer(DID));
    trust.add_signer(Format::Shc, CARD_KID.as_bytes(), signer(CARD_ISSUER));
    trust
}

/// The root key of the invented city, as a city serves it.
pub fn bundle() -> String {
    let root = IssuerSigner::from_seed(&[1; 32]).map(|it| base64(&it.public()));
    format!("{{\"root\":\"{}\"}}", root.unwrap_or_default())
}

/// Reads a text and judges it as if every signature held, and as if none did.
pub fn judge(text: &str, trust: &Trust) {
    let prepared = pass::prepare(text, trust);
    for answer in [Some(true), Some(false), None] {
        let held = vec![answer; prepared.checks().len()];
        let verdict = prepared.conclude(&held, None, &Policy::default(), NOW_S);
        assert_eq!(verdict.format, prepared.format());
    }
}

/// COSE_Sign1 around a payload, under the key that is trusted.
pub fn cose(payload: &[u8]) -> Vec<u8> {
    let mut protected = Encoder::new(Vec::new());
    let _ = protected.map(2).and_then(|it| it.u8(1)?.i8(-7)?.u8(4)?.bytes(KID));
    let mut message = Encoder::new(Vec::new());
    let _ = message
        .tag(minicbor::data::Tag::new(18))
        .and_then(|it| it.array(4)?.bytes(protected.writer())?.map(0)?.bytes(payload)?.bytes(&[7; 64]));
    message.into_writer()
}

/// `HC1:` around a COSE message.
pub fn hcert(message: &[u8]) -> String {
    format!("HC1:{}", credential::base45::encode(&compress_to_vec_zlib(message, 6)))
}

/// `NZCP:/1/` around a COSE message.
pub fn nzcp(message: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::from("NZCP:/1/");
    for five in message.chunks(5) {
        let mut bits = [0; 8];
        bits[3..3 + five.len()].copy_from_slice(five);
        let bits = u64::from_be_bytes(bits);
        for letter in 0..(five.len() * 8).div_ceil(5) {
            text.push(char::from(ALPHABET[(bits >> (35 - 5 * letter)) as usize & 31]));
        }
    }
    text
}

/// A compact JWS around the payload of a card.
pub fn jws(payload: &[u8]) -> String {
    let header = format!("{{\"alg\":\"ES256\",\"zip\":\"DEF\",\"kid\":\"{CARD_KID}\"}}");
    let packed = compress_to_vec(payload, 6);
    let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    format!("{}.{}.{}", part(header.as_bytes()), part(&packed), part(&[7; 64]))
}

/// `shc:/` around a JWS.
pub fn card(jws: &str) -> String {
    let pair = |byte: u8| format!("{:02}", byte.saturating_sub(45));
    format!("shc:/{}", jws.bytes().map(pair).collect::<String>())
}

/// Base64, as lists have it.
pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}
