//! Expected refusals, each with a stable code and a status.

use kernel::Arg;

/// How the rules of this slice say no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The pass lies in the wallet already.
    AlreadyHeld,
    /// There is no such pass in this wallet.
    CardUnknown,
    /// Neither the picture nor the text holds a code.
    Unreadable,
    /// The code is one of a kind that is known here, and damaged.
    Damaged,
    /// There is a code, and it is no pass that is known here.
    FormatUnknown,
    /// The file is neither PNG nor JPEG, or is damaged.
    PictureInvalid,
    /// A pass of several codes of which some are missing.
    PartsMissing,
    /// More, or longer, than any pass is.
    TooLarge,
    /// No more passes fit in the wallet.
    WalletFull { most: i64 },
    /// The words that say by which rules to judge are none that are known.
    RulesUnknown,
    /// The device is not known, or its signature does not fit.
    SignatureBad,
    /// The device's clock is off by more than five minutes.
    ClockOff,
    /// The name is empty, too long or unprintable.
    NameInvalid,
    /// The reason is empty, too long or unprintable.
    WhyInvalid,
    /// Nothing in the file is a key or a list that is known here.
    SourceInvalid,
    /// The same file counts or waits already.
    SourceKnown,
    /// There is no such source.
    SourceUnknown,
    /// The source was decided on before.
    SourceDecided,
    /// It takes a second officer.
    SameOfficer,
}

/// Every code with its status.
pub const CODES: &[(&str, u16)] = &[
    ("pass-already-held", 409),
    ("pass-card-unknown", 404),
    ("pass-clock-off", 422),
    ("pass-damaged", 422),
    ("pass-format-unknown", 422),
    ("pass-name-invalid", 422),
    ("pass-parts-missing", 422),
    ("pass-picture-invalid", 422),
    ("pass-rules-unknown", 422),
    ("pass-same-officer", 403),
    ("pass-signature-bad", 403),
    ("pass-source-decided", 409),
    ("pass-source-invalid", 422),
    ("pass-source-known", 409),
    ("pass-source-unknown", 404),
    ("pass-too-large", 422),
    ("pass-unreadable", 422),
    ("pass-wallet-full", 409),
    ("pass-why-invalid", 422),
];

impl kernel::Refusal for Refusal {
    fn code(&self) -> &'static str {
        match self {
            Self::AlreadyHeld => "pass-already-held",
            Self::CardUnknown => "pass-card-unknown",
            Self::Unreadable => "pass-unreadable",
            Self::Damaged => "pass-damaged",
            Self::FormatUnknown => "pass-format-unknown",
            Self::PictureInvalid => "pass-picture-invalid",
            Self::PartsMissing => "pass-parts-missing",
            Self::TooLarge => "pass-too-large",
            Self::WalletFull { .. } => "pass-wallet-full",
            Self::RulesUnknown => "pass-rules-unknown",
            Self::SignatureBad => "pass-signature-bad",
            Self::ClockOff => "pass-clock-off",
            Self::NameInvalid => "pass-name-invalid",
            Self::WhyInvalid => "pass-why-invalid",
            Self::SourceInvalid => "pass-source-invalid",
            Self::SourceKnown => "pass-source-known",
            Self::SourceUnknown => "pass-source-unknown",
            Self::SourceDecided => "pass-source-decided",
            Self::SameOfficer => "pass-same-officer",
        }
    }

    fn status(&self) -> u16 {
        let found = CODES.iter().find(|(code, _)| *code == kernel::Refusal::code(self));
        found.map_or(422, |(_, status)| *status)
    }

    fn args(&self) -> Vec<(&'static str, Arg)> {
        match self {
            Self::WalletFull { most } => vec![("most", Arg::Number(*most))],
            _ => Vec::new(),
        }
    }
}
