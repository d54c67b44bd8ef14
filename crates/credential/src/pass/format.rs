//! Which kind of pass a text is, by its first characters alone.

use serde::Serialize;

use crate::ShortCode;

/// The longest text that is looked at. A QR code holds 4,296 characters at most; a card in many
/// chunks, or a file with several cards, is longer.
pub const MAX_TEXT: usize = 256 * 1024;

/// The kinds of passes; in JSON `dcc`, `shc`, `nzcp`, `vdsnc`, `haetae`, `unknown`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// EU Digital COVID Certificate and every other WHO/EU HCERT (`HC1:`).
    Dcc,
    /// SMART Health Card (`shc:/`, a compact JWS, or a file of them).
    Shc,
    /// New Zealand COVID Pass (`NZCP:/`).
    Nzcp,
    /// ICAO visible digital seal for non-constrained environments (JSON).
    Vdsnc,
    /// A health code of ours (`HT1:`), or its typed form.
    Haetae,
    /// None of these.
    Unknown,
}

impl Format {
    /// The name, as in JSON.
    pub fn code(self) -> &'static str {
        match self {
            Self::Dcc => "dcc",
            Self::Shc => "shc",
            Self::Nzcp => "nzcp",
            Self::Vdsnc => "vdsnc",
            Self::Haetae => "haetae",
            Self::Unknown => "unknown",
        }
    }

    /// What `text` claims to be. Prefixes are case-sensitive where their specifications say so.
    pub fn of(text: &str) -> Self {
        let starts = |prefix: &str| text.starts_with(prefix);
        if starts("HC1:") {
            Self::Dcc
        } else if starts("NZCP:/") {
            Self::Nzcp
        } else if starts("HT1:") {
            Self::Haetae
        } else if text.get(..5).is_some_and(|head| head.eq_ignore_ascii_case("shc:/")) {
            Self::Shc
        } else if starts("{") {
            let names = |member: &str| text.contains(member);
            if names("\"verifiableCredential\"") {
                Self::Shc
            } else if names("\"hdr\"") || names("\"sigvl\"") {
                Self::Vdsnc
            } else {
                Self::Unknown
            }
        } else if is_compact_jws(text) {
            Self::Shc
        } else if text.parse::<ShortCode>().is_ok() {
            Self::Haetae
        } else {
            Self::Unknown
        }
    }
}

/// Whether `text` has the three parts of a compact JWS, the first of which is a JSON object
/// (`eyJ` is base64url for `{"`).
fn is_compact_jws(text: &str) -> bool {
    let of_jws = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    text.starts_with("eyJ") && text.bytes().all(of_jws) && text.split('.').count() == 3
}

/// The text without what editors and terminals put around it. Spaces stay: base45 uses them.
pub(crate) fn trimmed(text: &str) -> &str {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.trim_matches(['\r', '\n', '\t'])
}
