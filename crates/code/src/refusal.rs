//! Expected refusals, each with a stable code and a status.

use kernel::Arg;

use crate::issuer;

/// How the rules of this slice say no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The name is empty, too long or unprintable.
    NameInvalid,
    /// The document number is not 4 to 24 letters, digits and hyphens.
    DocumentInvalid,
    /// The residence is empty, too long or unprintable.
    ResidenceInvalid,
    /// A place of stay lacks its name, or its days lie outside of the last 14.
    StayInvalid,
    /// More places of stay than a declaration holds.
    TooManyStays,
    /// Not a temperature that a living person has.
    TemperatureInvalid,
    /// A test or an exposure from the future or from too long ago.
    DateInvalid,
    /// A text is empty, too long or unprintable.
    TextInvalid,
    /// A manual colour is neither red nor yellow.
    OrderColour,
    /// An order would end in the past or too late.
    OrderUntil { days: i64 },
    /// The order number is missing or malformed.
    OrderNumber,
    /// There is no such order.
    OrderUnknown,
    /// The order was confirmed, rejected or withdrawn before.
    OrderDecided,
    /// The officer who proposed an order cannot confirm it.
    SameOfficer,
    /// An order would be repeated: the same number is waiting or in force.
    OrderRepeated,
    /// Nothing is known about the person: no pass can be issued.
    ColourUnknown,
    /// There is no such pass, or it has ended.
    PassUnknown,
    /// There is no such decision.
    DecisionUnknown,
    /// A green decision: there is nothing to object to.
    NothingToAppeal,
    /// An appeal waits for its answer already.
    AppealOpen,
    /// There is no such appeal.
    AppealUnknown,
    /// The appeal was answered before.
    AppealAnswered,
    /// An officer cannot judge an appeal against their own order.
    OwnOrder,
    /// The rules are not valid, or one of them reads the clock.
    PolicyInvalid,
    /// The version is not the next one.
    PolicyVersion { expected: u32 },
    /// The device key is not a P-256 point.
    DeviceKeyInvalid,
    /// There is no such signing key, or it has ended.
    KeyUnknown,
    /// A signing key would live for too short or too long.
    KeyDays,
}

/// Every code with its status.
pub const CODES: &[(&str, u16)] = &[
    ("code-appeal-answered", 409),
    ("code-appeal-open", 409),
    ("code-appeal-unknown", 404),
    ("code-colour-unknown", 409),
    ("code-date-invalid", 422),
    ("code-decision-unknown", 404),
    ("code-device-key-invalid", 422),
    ("code-document-invalid", 422),
    ("code-key-days", 422),
    ("code-key-unknown", 404),
    ("code-name-invalid", 422),
    ("code-nothing-to-appeal", 409),
    ("code-order-colour", 422),
    ("code-order-decided", 409),
    ("code-order-number", 422),
    ("code-order-repeated", 409),
    ("code-order-unknown", 404),
    ("code-order-until", 422),
    ("code-own-order", 403),
    ("code-pass-unknown", 404),
    ("code-policy-invalid", 422),
    ("code-policy-version", 409),
    ("code-residence-invalid", 422),
    ("code-same-officer", 403),
    ("code-stay-invalid", 422),
    ("code-temperature-invalid", 422),
    ("code-text-invalid", 422),
    ("code-too-many-stays", 422),
];

impl kernel::Refusal for Refusal {
    fn code(&self) -> &'static str {
        match self {
            Self::NameInvalid => "code-name-invalid",
            Self::DocumentInvalid => "code-document-invalid",
            Self::ResidenceInvalid => "code-residence-invalid",
            Self::StayInvalid => "code-stay-invalid",
            Self::TooManyStays => "code-too-many-stays",
            Self::TemperatureInvalid => "code-temperature-invalid",
            Self::DateInvalid => "code-date-invalid",
            Self::TextInvalid => "code-text-invalid",
            Self::OrderColour => "code-order-colour",
            Self::OrderUntil { .. } => "code-order-until",
            Self::OrderNumber => "code-order-number",
            Self::OrderUnknown => "code-order-unknown",
            Self::OrderDecided => "code-order-decided",
            Self::SameOfficer => "code-same-officer",
            Self::OrderRepeated => "code-order-repeated",
            Self::ColourUnknown => "code-colour-unknown",
            Self::PassUnknown => "code-pass-unknown",
            Self::DecisionUnknown => "code-decision-unknown",
            Self::NothingToAppeal => "code-nothing-to-appeal",
            Self::AppealOpen => "code-appeal-open",
            Self::AppealUnknown => "code-appeal-unknown",
            Self::AppealAnswered => "code-appeal-answered",
            Self::OwnOrder => "code-own-order",
            Self::PolicyInvalid => "code-policy-invalid",
            Self::PolicyVersion { .. } => "code-policy-version",
            Self::DeviceKeyInvalid => "code-device-key-invalid",
            Self::KeyUnknown => "code-key-unknown",
            Self::KeyDays => "code-key-days",
        }
    }

    fn status(&self) -> u16 {
        let found = CODES.iter().find(|(code, _)| *code == kernel::Refusal::code(self));
        found.map_or(422, |(_, status)| *status)
    }

    fn args(&self) -> Vec<(&'static str, Arg)> {
        match self {
            Self::OrderUntil { days } => vec![("days", Arg::Number(*days))],
            Self::KeyDays => {
                let [least, most] = [issuer::DAYS.start(), issuer::DAYS.end()];
                let number = |it: &u32| Arg::Number(i64::from(*it));
                vec![("least", number(least)), ("most", number(most))]
            }
            Self::PolicyVersion { expected } => {
                vec![("expected", Arg::Number(i64::from(*expected)))]
            }
            _ => Vec::new(),
        }
    }
}
