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
    /// The file of rules is no JSON, from this place on.
    RulesNotJson { line: i64, column: i64 },
    /// The rules have mistakes, each named beside this.
    RulesInvalid,
    /// Another set of rules waits for its second officer.
    RulesWaiting,
    /// The set does not wait, or no longer.
    RulesDecided,
    /// The set is in force already.
    RulesInForce,
    /// There is no such set of rules, or none that was ever in force.
    RuleSetUnknown,
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
    /// A name is empty, too long or unprintable.
    HolderNameInvalid,
    /// A name has other letters than a passport's.
    LatinInvalid,
    /// No day of birth that a living person has.
    BirthInvalid,
    /// No vaccine of the list.
    VaccineUnknown,
    /// No number of a dose.
    DoseInvalid,
    /// No day, one that has not come, or one too long ago.
    DayInvalid,
    /// No time of day.
    TimeInvalid,
    /// No kind of test was chosen.
    TestUnknown,
    /// A rapid test needs its number in the list of devices.
    DeviceInvalid,
    /// No result was chosen.
    ResultMissing,
    /// The last day is before the first, has passed, or is more than a year away.
    SpanInvalid,
    /// No class of reasons was chosen.
    BecauseMissing,
    /// The asker may not issue in that organisation's name.
    OrganisationUnknown,
    /// The organisation's signing keys were ended.
    KeyEnded,
    /// No such pass was issued here.
    IssueUnknown,
    /// It was revoked for good.
    StandingFinal,
    /// It stands so already.
    StandingSame,
    /// Nobody is found by that.
    PersonUnknown,
    /// No kind of pass was chosen.
    KindMissing,
    /// There is no such status list.
    ListUnknown,
    /// No P-256 key of a phone.
    DeviceKeyInvalid,
    /// The pass is not good now, was taken out, or was not issued here.
    NotBindable,
    /// Enough codes of this pass were made for today.
    BoundOften,
}

/// Every code with its status.
pub const CODES: &[(&str, u16)] = &[
    ("pass-already-held", 409),
    ("pass-because-missing", 422),
    ("pass-birth-invalid", 422),
    ("pass-bound-often", 409),
    ("pass-card-unknown", 404),
    ("pass-clock-off", 422),
    ("pass-damaged", 422),
    ("pass-day-invalid", 422),
    ("pass-device-invalid", 422),
    ("pass-device-key-invalid", 422),
    ("pass-dose-invalid", 422),
    ("pass-format-unknown", 422),
    ("pass-holder-name-invalid", 422),
    ("pass-issue-unknown", 404),
    ("pass-key-ended", 409),
    ("pass-kind-missing", 422),
    ("pass-latin-invalid", 422),
    ("pass-list-unknown", 404),
    ("pass-name-invalid", 422),
    ("pass-not-bindable", 409),
    ("pass-organisation-unknown", 403),
    ("pass-parts-missing", 422),
    ("pass-person-unknown", 422),
    ("pass-picture-invalid", 422),
    ("pass-result-missing", 422),
    ("pass-rule-set-unknown", 404),
    ("pass-rules-decided", 409),
    ("pass-rules-in-force", 409),
    ("pass-rules-invalid", 422),
    ("pass-rules-not-json", 422),
    ("pass-rules-unknown", 422),
    ("pass-rules-waiting", 409),
    ("pass-same-officer", 403),
    ("pass-signature-bad", 403),
    ("pass-source-decided", 409),
    ("pass-source-invalid", 422),
    ("pass-source-known", 409),
    ("pass-source-unknown", 404),
    ("pass-span-invalid", 422),
    ("pass-standing-final", 409),
    ("pass-standing-same", 409),
    ("pass-test-unknown", 422),
    ("pass-time-invalid", 422),
    ("pass-too-large", 422),
    ("pass-unreadable", 422),
    ("pass-vaccine-unknown", 422),
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
            Self::RulesNotJson { .. } => "pass-rules-not-json",
            Self::RulesInvalid => "pass-rules-invalid",
            Self::RulesWaiting => "pass-rules-waiting",
            Self::RulesDecided => "pass-rules-decided",
            Self::RulesInForce => "pass-rules-in-force",
            Self::RuleSetUnknown => "pass-rule-set-unknown",
            Self::SignatureBad => "pass-signature-bad",
            Self::ClockOff => "pass-clock-off",
            Self::NameInvalid => "pass-name-invalid",
            Self::WhyInvalid => "pass-why-invalid",
            Self::SourceInvalid => "pass-source-invalid",
            Self::SourceKnown => "pass-source-known",
            Self::SourceUnknown => "pass-source-unknown",
            Self::SourceDecided => "pass-source-decided",
            Self::SameOfficer => "pass-same-officer",
            Self::HolderNameInvalid => "pass-holder-name-invalid",
            Self::LatinInvalid => "pass-latin-invalid",
            Self::BirthInvalid => "pass-birth-invalid",
            Self::VaccineUnknown => "pass-vaccine-unknown",
            Self::DoseInvalid => "pass-dose-invalid",
            Self::DayInvalid => "pass-day-invalid",
            Self::TimeInvalid => "pass-time-invalid",
            Self::TestUnknown => "pass-test-unknown",
            Self::DeviceInvalid => "pass-device-invalid",
            Self::ResultMissing => "pass-result-missing",
            Self::SpanInvalid => "pass-span-invalid",
            Self::BecauseMissing => "pass-because-missing",
            Self::OrganisationUnknown => "pass-organisation-unknown",
            Self::KeyEnded => "pass-key-ended",
            Self::IssueUnknown => "pass-issue-unknown",
            Self::StandingFinal => "pass-standing-final",
            Self::StandingSame => "pass-standing-same",
            Self::PersonUnknown => "pass-person-unknown",
            Self::KindMissing => "pass-kind-missing",
            Self::ListUnknown => "pass-list-unknown",
            Self::DeviceKeyInvalid => "pass-device-key-invalid",
            Self::NotBindable => "pass-not-bindable",
            Self::BoundOften => "pass-bound-often",
        }
    }

    fn status(&self) -> u16 {
        let found = CODES.iter().find(|(code, _)| *code == kernel::Refusal::code(self));
        found.map_or(422, |(_, status)| *status)
    }

    fn args(&self) -> Vec<(&'static str, Arg)> {
        match self {
            Self::WalletFull { most } => vec![("most", Arg::Number(*most))],
            Self::RulesNotJson { line, column } => {
                vec![("line", Arg::Number(*line)), ("column", Arg::Number(*column))]
            }
            _ => Vec::new(),
        }
    }
}
