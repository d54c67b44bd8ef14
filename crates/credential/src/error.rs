//! Why bytes from outside were not understood. One small enum with stable codes for all formats.

/// Why a text or bytes are not what they should be. Says nothing about signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum DecodeError {
    /// Longer than the format allows; nothing of it was read.
    #[error("longer than the format allows")]
    TooLong,
    /// The text does not begin with `HT1:`.
    #[error("not a Haetae text")]
    NotHaetae,
    /// The text is not base45 (RFC 9285).
    #[error("not base45")]
    NotBase45,
    /// The bytes are not CBOR of the expected shape: wrong type, missing or unknown key, a value out
    /// of its range, cut off.
    #[error("not of the expected shape")]
    WrongShape,
    /// The bytes mean the right thing but are not its one deterministic encoding (RFC 8949,
    /// section 4.2.1): duplicate or unordered keys, long-form integers, indefinite lengths,
    /// trailing bytes.
    #[error("not the deterministic encoding")]
    NotCanonical,
    /// Signed with an algorithm other than EdDSA. There is no negotiation (ASVS 9.1).
    #[error("signed with an algorithm that is not allowed")]
    AlgorithmNotAllowed,
    /// The signature does not belong to these bytes and this key. Only for lists, which are refused
    /// whole; a code with a bad signature gets a verdict.
    #[error("the signature does not fit")]
    SignatureBad,
    /// A list older than the newest one this device has already had (a replayed list).
    #[error("older than the list already held")]
    RolledBack,
}

impl DecodeError {
    /// The stable code for machines.
    pub fn code(self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::NotHaetae => "not_haetae",
            Self::NotBase45 => "not_base45",
            Self::WrongShape => "wrong_shape",
            Self::NotCanonical => "not_canonical",
            Self::AlgorithmNotAllowed => "algorithm_not_allowed",
            Self::SignatureBad => "signature_bad",
            Self::RolledBack => "rolled_back",
        }
    }
}
