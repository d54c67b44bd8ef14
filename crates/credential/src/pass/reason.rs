//! Why a verdict is what it is: stable codes, and what each does to the outcome.
//!
//! A "no" stands on facts that were verified: the issuer did not sign this, its time is over, it
//! was revoked, a rule says no. Wherever the verifier itself may lack something (the issuer's key, a
//! fresh list, a readable picture) it says that it cannot tell. (Seoul, 13 December 2021: people were
//! shown as "not vaccinated" because a system had failed.)

use core::fmt;

use crate::verify::{self, Effect};

/// Why the outcome is not a plain pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The text is no pass of a kind that is known here.
    FormatUnknown,
    /// Longer than any pass, or it unpacks to more than a pass may have.
    TooLong,
    /// The file cannot be read.
    Unreadable,
    /// There is no code in the picture, or none that can be read.
    PictureUnread,
    /// A part of a code in several parts is missing.
    ChunkMissing,
    /// The parts of a code in several parts are not of one code.
    ChunksDisagree,
    /// The text after the prefix is not base45, base32, base64url or digits, as its kind demands.
    EncodingMalformed,
    /// It does not unpack (zlib, DEFLATE).
    CompressionMalformed,
    /// Not a signed message (COSE_Sign1, JWS, seal) of the kind's shape.
    EnvelopeMalformed,
    /// What is signed is not of the kind's shape.
    ClaimsMalformed,
    /// The trust list is too old to rely on.
    TrustStale,
    /// Nobody who is trusted here has the key that claims to have signed.
    IssuerUnknown,
    /// The issuer's certificate is over.
    IssuerExpired,
    /// The issuer's certificate has not begun.
    IssuerNotYetValid,
    /// The issuer's certificate or key was revoked.
    IssuerRevoked,
    /// The issuer's certificate is not signed by the authority that it names.
    ChainBroken,
    /// The issuer's key did not sign this: forged or altered.
    SignatureBad,
    /// Signed with an algorithm that the kind, or the issuer's key, does not allow.
    AlgorithmNotAllowed,
    /// This device cannot compute this kind of signature.
    SignatureUnchecked,
    /// The issuer's key may not sign passes of this type.
    UsageNotAllowed,
    /// The content does not follow the kind's schema.
    SchemaInvalid,
    /// A coded value is not in the value set held here, which may be the older of the two.
    ValueUnknown,
    /// Its time is over.
    Expired,
    /// Its time has not come.
    NotYetValid,
    /// The pass was revoked.
    Revoked,
    /// A revocation list is too old to rely on.
    RevocationStale,
    /// A rule says no; the rule's name follows.
    RuleFailed,
    /// A rule could not be evaluated; the rule's name follows.
    RuleOpen,
    /// What the verifier of our own health codes says.
    Code(verify::Reason),
}

impl Reason {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::FormatUnknown => "format_unknown",
            Self::TooLong => "too_long",
            Self::Unreadable => "unreadable",
            Self::PictureUnread => "picture_unread",
            Self::ChunkMissing => "chunk_missing",
            Self::ChunksDisagree => "chunks_disagree",
            Self::EncodingMalformed => "encoding_malformed",
            Self::CompressionMalformed => "compression_malformed",
            Self::EnvelopeMalformed => "envelope_malformed",
            Self::ClaimsMalformed => "claims_malformed",
            Self::TrustStale => "trust_stale",
            Self::IssuerUnknown => "issuer_unknown",
            Self::IssuerExpired => "issuer_expired",
            Self::IssuerNotYetValid => "issuer_not_yet_valid",
            Self::IssuerRevoked => "issuer_revoked",
            Self::ChainBroken => "chain_broken",
            Self::SignatureBad => "signature_bad",
            Self::AlgorithmNotAllowed => "algorithm_not_allowed",
            Self::SignatureUnchecked => "signature_unchecked",
            Self::UsageNotAllowed => "usage_not_allowed",
            Self::SchemaInvalid => "schema_invalid",
            Self::ValueUnknown => "value_unknown",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::Revoked => "revoked",
            Self::RevocationStale => "revocation_stale",
            Self::RuleFailed => "rule_failed",
            Self::RuleOpen => "rule_open",
            Self::Code(reason) => reason.code(),
        }
    }

    /// All reasons but those of our own codes ([`verify::Reason::ALL`]).
    pub const ALL: [Self; 28] = [
        Self::FormatUnknown,
        Self::TooLong,
        Self::Unreadable,
        Self::PictureUnread,
        Self::ChunkMissing,
        Self::ChunksDisagree,
        Self::EncodingMalformed,
        Self::CompressionMalformed,
        Self::EnvelopeMalformed,
        Self::ClaimsMalformed,
        Self::TrustStale,
        Self::IssuerUnknown,
        Self::IssuerExpired,
        Self::IssuerNotYetValid,
        Self::IssuerRevoked,
        Self::ChainBroken,
        Self::SignatureBad,
        Self::AlgorithmNotAllowed,
        Self::SignatureUnchecked,
        Self::UsageNotAllowed,
        Self::SchemaInvalid,
        Self::ValueUnknown,
        Self::Expired,
        Self::NotYetValid,
        Self::Revoked,
        Self::RevocationStale,
        Self::RuleFailed,
        Self::RuleOpen,
    ];

    pub(crate) fn effect(self) -> Effect {
        match self {
            Self::FormatUnknown
            | Self::TooLong
            | Self::Unreadable
            | Self::PictureUnread
            | Self::ChunkMissing
            | Self::ChunksDisagree
            | Self::EncodingMalformed
            | Self::CompressionMalformed
            | Self::EnvelopeMalformed
            | Self::IssuerUnknown => Effect::Undermines,
            // A key that an authority took back, or a signature that does not hold, is a fact about
            // the pass, whatever else is in doubt.
            Self::IssuerRevoked
            | Self::ChainBroken
            | Self::SignatureBad
            | Self::AlgorithmNotAllowed
            | Self::UsageNotAllowed
            | Self::SchemaInvalid
            | Self::Expired
            | Self::NotYetValid
            | Self::Revoked
            | Self::RuleFailed => Effect::Refuses,
            // A list that is too old, or a certificate that is over, cannot say that a pass is good; what
            // speaks against the pass (its own time, a revocation) refuses by itself.
            Self::ClaimsMalformed
            | Self::TrustStale
            | Self::IssuerExpired
            | Self::IssuerNotYetValid
            | Self::SignatureUnchecked
            | Self::ValueUnknown
            | Self::RevocationStale
            | Self::RuleOpen => Effect::Doubts,
            Self::Code(reason) => reason.effect(),
        }
    }
}

/// A reason and, for rules, which one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The reason.
    pub reason: Reason,
    /// The name of the rule, where the reason is about one.
    pub about: Option<String>,
}

impl From<Reason> for Finding {
    fn from(reason: Reason) -> Self {
        Self { reason, about: None }
    }
}

/// The code, and after a colon what it is about: `rule_failed:VR-EU-0001`.
impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.reason.code())?;
        match &self.about {
            Some(about) => write!(formatter, ":{about}"),
            None => Ok(()),
        }
    }
}

impl serde::Serialize for Finding {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
