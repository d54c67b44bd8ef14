//! Passes of others, and ours, by one door: [`verify()`] recognises the kind, and every kind gets the
//! same [`Verdict`].
//!
//! In two steps for whoever has something faster for the signature: [`prepare`] reads the text and
//! says which signatures are to be checked; [`Prepared::conclude`] takes the answers. What a phone's
//! WebCrypto does in 0.2 ms would take 3 ms in WebAssembly.
//!
//! In reading order:
//!
//! - [`format`], [`reason`], [`verdict`]: what kind it is and what can be said of it;
//! - [`trust`], [`key`], [`certificate`], [`revocation`], [`rules`]: what a verdict stands on;
//! - one module a kind.

mod attested;
mod base32;
pub mod bound;
mod cbor_value;
pub mod certificate;
mod country;
pub mod crl;
mod dcc;
mod dcc_schema;
pub mod der;
pub mod format;
pub mod hash_list;
pub mod holder;
mod import;
mod inflate;
mod json;
pub mod jwk;
pub mod key;
#[cfg(not(target_arch = "wasm32"))]
mod many;
pub(crate) mod material;
mod nzcp;
mod own;
pub mod reason;
pub mod revocation;
pub mod rules;
#[cfg(not(target_arch = "wasm32"))]
mod served;
pub mod shc;
mod sign1;
mod signed;
pub mod status;
#[cfg(test)]
mod tests;
pub mod time;
pub mod trust;
mod vdsnc;
pub mod verdict;

pub use bound::{BoundPass, is_bound};
pub use certificate::Certificate;
#[cfg(not(target_arch = "wasm32"))]
pub use dcc::compact;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use dcc_schema::is_valid as dcc_is_valid;
pub use format::{Format, MAX_TEXT};
pub use import::Found;
pub use key::{Algorithm, PublicKey, SignatureCheck};
#[cfg(not(target_arch = "wasm32"))]
pub use many::verify_many;
pub use material::{MAX_MATERIAL_BYTES, Material, PlaceRules};
pub use reason::{Finding, Reason};
pub use revocation::{DccNames, Revocations, Standing};
pub use rules::{Facts, Rules, Ruling};
#[cfg(not(target_arch = "wasm32"))]
pub use served::{Missing, Served};
pub use trust::{Signer, Trust, Usage};
pub use verdict::{Checks, Issuer, Kind, Note, Policy, Shown, Step, Verdict};

use sha2::{Digest as _, Sha256};
use verdict::Draft;

/// What judging needs beside the pass.
pub(crate) struct Case<'a> {
    pub(crate) trust: &'a Trust,
    pub(crate) rules: Option<&'a dyn Rules>,
    pub(crate) policy: &'a Policy,
    pub(crate) now_s: i64,
}

/// A pass of one kind that was read.
pub(crate) trait Read {
    /// Judges it. `held` are the answers to the signature checks that its reader asked for, in their
    /// order; nothing where an answer could not be found.
    fn judge(&self, held: &[Option<bool>], case: &Case<'_>, draft: &mut Draft);

    /// The name and the proof's step of a pass that is bound to a device.
    fn bound(&self) -> Option<([u8; 16], Option<u64>)> {
        None
    }
}

/// What a kind's reader gives: the pass, and the signatures to be checked.
pub(crate) type Reading<'t> = Result<(Box<dyn Read + 't>, Vec<SignatureCheck>), Reason>;

/// A text that was read and whose signatures are to be checked.
pub struct Prepared<'t> {
    format: Format,
    read: Result<Box<dyn Read + 't>, Reason>,
    checks: Vec<SignatureCheck>,
    trust: &'t Trust,
}

/// Reads a text of any kind. Never fails: what cannot be read gets its verdict from
/// [`Prepared::conclude`].
pub fn prepare<'t>(text: &str, trust: &'t Trust) -> Prepared<'t> {
    let text = format::trimmed(text);
    let (format, reading) = if MAX_TEXT < text.len() {
        (Format::Unknown, Err(Reason::TooLong))
    } else {
        let format = Format::of(text);
        (format, read(format, text, trust))
    };
    match reading {
        Ok((read, checks)) => Prepared { format, read: Ok(read), checks, trust },
        Err(reason) => Prepared { format, read: Err(reason), checks: Vec::new(), trust },
    }
}

fn read<'t>(format: Format, text: &str, trust: &'t Trust) -> Reading<'t> {
    match format {
        Format::Haetae => Ok(own::read(text, trust)),
        Format::Shc => shc::read(text, trust),
        Format::Vdsnc => vdsnc::read(text, trust),
        Format::Dcc => dcc::read(text, trust),
        Format::Nzcp => nzcp::read(text, trust),
        Format::Unknown => Err(Reason::FormatUnknown),
    }
}

impl Prepared<'_> {
    /// What kind of pass it is.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The name and the proof's step of a compact code, for whoever remembers whom it let through.
    pub fn bound(&self) -> Option<([u8; 16], Option<u64>)> {
        self.read.as_ref().ok()?.bound()
    }

    /// The signatures to be checked.
    pub fn checks(&self) -> &[SignatureCheck] {
        &self.checks
    }

    /// The verdict, given the answers to [`Prepared::checks`] in their order.
    pub fn conclude(
        &self,
        held: &[Option<bool>],
        rules: Option<&dyn Rules>,
        policy: &Policy,
        now_s: i64,
    ) -> Verdict {
        let read = match &self.read {
            Ok(read) => read,
            Err(reason) => return Draft::unread(self.format, *reason),
        };
        let mut draft = Draft::new(self.format);
        read.judge(held, &Case { trust: self.trust, rules, policy, now_s }, &mut draft);
        draft.conclude()
    }
}

/// Judges `text`, whatever it is, at `now_s` (unix seconds). Never fails: there is always a verdict.
pub fn verify(
    text: &str,
    trust: &Trust,
    rules: Option<&dyn Rules>,
    policy: &Policy,
    now_s: i64,
) -> Verdict {
    let prepared = prepare(text, trust);
    let held: Vec<_> = prepared.checks.iter().map(SignatureCheck::holds).collect();
    prepared.conclude(&held, rules, policy, now_s)
}

/// A pass's name in a gate's entries: 16 bytes of the hash of its text. The same pass has the same name,
/// and the name says nothing.
pub fn name_of(text: &str) -> [u8; 16] {
    let hash: [u8; 32] = Sha256::digest(text.trim()).into();
    core::array::from_fn(|at| hash.get(at).copied().unwrap_or(0))
}

/// The verdict on a picture in which no code was found, and on a part that was not whole.
pub fn unread(reason: Reason) -> Verdict {
    Draft::unread(Format::Unknown, reason)
}
