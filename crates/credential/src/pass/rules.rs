//! What a verdict asks of a place's rules. The rules themselves are another engine's (`rules`); this
//! is the plug between the two, so that neither depends on the other.

use serde_json::Value;

use super::format::Format;
use super::verdict::Kind;

/// What rules may look at; all of it was verified.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The kind of pass.
    pub format: Format,
    /// What it attests.
    pub kind: Kind,
    /// The content, as the kind's specification writes it in JSON.
    pub payload: &'a Value,
    /// The same as a DCC says it, which is what published rules read; nothing where it cannot be said so.
    pub as_dcc: Option<&'a Value>,
    /// ISO 3166-1 alpha-2 of the issuer.
    pub issuer_country: Option<&'a str>,
    /// The signing key's name.
    pub kid: &'a [u8],
    /// Unix seconds.
    pub issued_at: Option<i64>,
    /// Unix seconds.
    pub expires_at: Option<i64>,
    /// The moment of the verdict, unix seconds.
    pub now_s: i64,
}

/// What rules said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ruling {
    /// How many rules were for this pass; with none the check is skipped.
    pub asked: usize,
    /// The names of those that said no.
    pub failed: Vec<String>,
    /// The names of those that could not be evaluated.
    pub open: Vec<String>,
}

/// A place's rules.
pub trait Rules {
    /// Asks every rule that is for such a pass.
    fn judge(&self, facts: &Facts<'_>) -> Ruling;

    /// Whether a value set has this code; nothing when the set is not held.
    fn knows(&self, set: &str, code: &str) -> Option<bool> {
        let _ = (set, code);
        None
    }
}
