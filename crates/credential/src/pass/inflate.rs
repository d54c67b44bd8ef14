//! Unpacking with a limit: a pass of 400 bytes may claim to be a gigabyte.

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress, inflate_flags};

use super::reason::Reason;

/// The most that comes out, in bytes.
pub(crate) const MAX_INFLATED: usize = 1024 * 1024;

/// What is around the packed bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrap {
    /// zlib (RFC 1950): header and checksum.
    Zlib,
    /// Nothing: bare DEFLATE (RFC 1951).
    #[allow(dead_code, reason = "SMART Health Cards are next")]
    Bare,
}

/// Unpacks `packed`, all of it: cut off, damaged, or followed by anything is malformed.
pub(crate) fn inflate(packed: &[u8], wrap: Wrap) -> Result<Vec<u8>, Reason> {
    let mut flags = inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    if wrap == Wrap::Zlib {
        flags |=
            inflate_flags::TINFL_FLAG_PARSE_ZLIB_HEADER | inflate_flags::TINFL_FLAG_COMPUTE_ADLER32;
    }
    let mut state = DecompressorOxide::new();
    let mut out = vec![0; (packed.len() * 4).clamp(1024, MAX_INFLATED)];
    let (mut read, mut written) = (0, 0);
    loop {
        let rest = packed.get(read..).unwrap_or_default();
        let (status, took, gave) = decompress(&mut state, rest, &mut out, written, flags);
        read += took;
        written += gave;
        match status {
            TINFLStatus::Done if read == packed.len() => {
                out.truncate(written);
                return Ok(out);
            }
            TINFLStatus::HasMoreOutput if out.len() < MAX_INFLATED => {
                out.resize((out.len() * 4).min(MAX_INFLATED), 0);
            }
            TINFLStatus::HasMoreOutput => return Err(Reason::TooLong),
            _ => return Err(Reason::CompressionMalformed),
        }
    }
}
