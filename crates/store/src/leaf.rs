//! What stands on the public log: one line of JSON per event.
//!
//! `{"v":1,"region":"kr-11","at":1763780000000000,"kind":"code.declared.v1","commit":"<64 hex>"}`
//!
//! `commit` is SHA-256 over `haetae/commit/v1\0`, a random salt of 16 bytes, and the payload. The
//! salt lies sealed with the payload, so that whoever cannot open the payload cannot test a guess,
//! and destroying the key leaves a leaf that proves nothing but that something was recorded.
//! Public kinds carry `"public":{…}` in place of `commit`.

use kernel::Instant;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::Fault;
use crate::fault::Doing as _;

/// Bytes of salt in a commitment.
pub const SALT_LEN: usize = 16;

/// One line of the log.
#[derive(Debug, Serialize, Deserialize)]
pub struct Leaf {
    /// The format: 1.
    pub v: u8,
    /// Whose log.
    pub region: String,
    /// Microseconds since 1970, the server's clock.
    pub at: Instant,
    /// The event's kind.
    pub kind: String,
    /// The commitment in hex, for sealed payloads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The payload, for public kinds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<Box<RawValue>>,
}

impl Leaf {
    /// The line of a sealed payload.
    pub fn sealed(region: &str, at: Instant, kind: &str, commit: &[u8; 32]) -> Vec<u8> {
        let mut line = Vec::with_capacity(160);
        Self::write_sealed(&mut line, region, at, kind, commit);
        line
    }

    /// [`Leaf::sealed`], appended.
    pub(crate) fn write_sealed(
        line: &mut Vec<u8>,
        region: &str,
        at: Instant,
        kind: &str,
        commit: &[u8; 32],
    ) {
        let mut digits = [0; 64];
        // Of the right length, so that it cannot fail.
        let _ = hex::encode_to_slice(commit, &mut digits);
        // Kinds and regions are plain ASCII words (checked where they enter): nothing to escape.
        let micros = at.micros().to_string();
        for part in [
            r#"{"v":1,"region":""#.as_bytes(),
            region.as_bytes(),
            br#"","at":"#,
            micros.as_bytes(),
            br#","kind":""#,
            kind.as_bytes(),
            br#"","commit":""#,
            &digits,
            br#""}"#,
        ] {
            line.extend_from_slice(part);
        }
    }

    /// The line of a public payload.
    pub fn public(region: &str, at: Instant, kind: &str, payload: &str) -> Vec<u8> {
        let micros = at.micros();
        format!(r#"{{"v":1,"region":"{region}","at":{micros},"kind":"{kind}","public":{payload}}}"#)
            .into_bytes()
    }

    /// Reads a line.
    pub fn parse(bytes: &[u8]) -> Result<Self, Fault> {
        serde_json::from_slice(bytes).doing("reading a leaf")
    }
}

/// The commitment to `payload` under `salt`.
pub fn commitment(salt: &[u8; SALT_LEN], payload: &[u8]) -> [u8; 32] {
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    context.update(b"haetae/commit/v1\0");
    context.update(salt);
    context.update(payload);
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_what_a_json_reader_expects() {
        let line = Leaf::sealed("kr-11", Instant::from_micros(5), "code.declared.v1", &[7; 32]);
        let leaf = Leaf::parse(&line).unwrap();
        assert_eq!(serde_json::to_vec(&leaf).unwrap(), line);
        let line = Leaf::public("kr-11", Instant::from_micros(5), "code.policy.v1", r#"{"a":1}"#);
        let leaf = Leaf::parse(&line).unwrap();
        assert_eq!(serde_json::to_vec(&leaf).unwrap(), line);
    }
}
