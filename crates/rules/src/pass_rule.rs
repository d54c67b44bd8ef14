//! One business rule for passes, in the form in which the DCC's countries publish theirs.
//!
//! A rule is read leniently and checked strictly. To decide about a pass only the fields that select
//! and evaluate it are needed, and a rule whose logic this engine cannot compile (a newer engine's)
//! is kept and answers "open": dropping it would turn "cannot tell" into "pass". What the gateway of
//! the DCC demands of a rule that somebody publishes is [`PassRule::check`].

use crate::date_time::DateTime;
use crate::expression::Expression;
use crate::invalid::{Invalid, InvalidCode};
use crate::version::Version;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The name by which rules ask for this engine.
pub const ENGINE: &str = "CERTLOGIC";
/// The shortest description that the gateway takes, in characters.
const DESCRIPTION_MIN: usize = 20;
/// The longest field that is kept, in bytes.
const FIELD_MAX: usize = 4_096;

/// What a rule is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleKind {
    /// Whether the country of arrival accepts a pass.
    Acceptance,
    /// Whether the issuer's country still stands by a pass.
    Invalidation,
    /// Anything else, such as `BoosterNotification`: never selected for a verdict.
    Other,
}

/// What a pass certifies, and which passes a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CertificateType {
    /// As a rule's: every pass.
    General,
    /// A vaccination.
    Vaccination,
    /// A test.
    Test,
    /// A recovery.
    Recovery,
}

impl CertificateType {
    /// Which kind a DCC payload is, by its one entry; `None` when it has none.
    pub fn of(payload: &Value) -> Option<Self> {
        let has = |key: &str| match payload.get(key) {
            Some(Value::Array(entries)) => !entries.is_empty(),
            _ => false,
        };
        [("v", Self::Vaccination), ("t", Self::Test), ("r", Self::Recovery)]
            .into_iter()
            .find_map(|(key, certificate)| has(key).then_some(certificate))
    }

    fn parse(text: &str) -> Option<Self> {
        Some(match text.to_ascii_lowercase().as_str() {
            "general" => Self::General,
            "vaccination" => Self::Vaccination,
            "test" => Self::Test,
            "recovery" => Self::Recovery,
            _ => return None,
        })
    }
}

/// A published rule.
#[derive(Debug, Clone)]
pub struct PassRule {
    /// `VR-DE-0001`: the same in all versions.
    pub identifier: String,
    /// What it is for.
    pub kind: RuleKind,
    /// The country that made it, in two capital letters.
    pub country: String,
    /// The part of the country that it is for; empty for all of it.
    pub region: String,
    /// Which passes it is about; `None` for a word that no pass has.
    pub certificate: Option<CertificateType>,
    /// Its version; `0.0.0` where it cannot be read, so that any other one wins.
    pub version: Version,
    /// The oldest schema that has what it reads.
    pub schema_version: Option<Version>,
    /// The engine it asks for.
    pub engine: String,
    /// The oldest version of the engine that has what it needs.
    pub engine_version: Option<Version>,
    /// In words: (language, text), as published.
    pub descriptions: Vec<(String, String)>,
    /// The logic, or why it could not be compiled.
    pub logic: Result<Expression, Invalid>,
    /// What the rule says that it looks at in the payload: `v.0.mp`.
    pub affected: Vec<String>,
    pub(crate) valid_from: DateTime,
    pub(crate) valid_to: DateTime,
}

/// The key of a field: its published name (`ValidFrom`) or, as some services write it, `validFrom`.
fn key(fields: &Map<String, Value>, name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|it| it.to_ascii_lowercase());
    let other: String = first.into_iter().chain(letters).collect();
    if fields.contains_key(&other) && !fields.contains_key(name) { other } else { name.to_owned() }
}

fn field<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    fields.get(name).or_else(|| fields.get(&key(fields, name)))
}

/// The place of a field that is there.
fn place(fields: &Map<String, Value>, name: &str) -> String {
    format!("/{}", key(fields, name))
}

fn malformed(pointer: &str, what: &str) -> Invalid {
    Invalid::new(pointer, InvalidCode::MalformedField, format!("must be {what}"))
}

fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<&'a str, Invalid> {
    match field(fields, name) {
        Some(Value::String(text)) if text.len() <= FIELD_MAX => Ok(text),
        Some(_) => Err(malformed(&place(fields, name), "a text")),
        None => Err(missing(name)),
    }
}

fn missing(name: &str) -> Invalid {
    Invalid::new("", InvalidCode::MissingField, format!("the field \"{name}\" is missing"))
}

fn date(fields: &Map<String, Value>, name: &str) -> Result<DateTime, Invalid> {
    DateTime::parse(text(fields, name)?)
        .ok_or_else(|| malformed(&place(fields, name), "a date-time"))
}

impl PassRule {
    /// Reads a rule as published.
    ///
    /// # Errors
    /// The first field without which the rule could not be selected; never its logic, see
    /// [`Self::logic`].
    pub fn parse(source: &Value) -> Result<Self, Invalid> {
        let fields = source.as_object().ok_or_else(|| malformed("", "an object"))?;
        let logic = field(fields, "Logic").ok_or_else(|| missing("Logic"))?;
        Ok(Self {
            identifier: text(fields, "Identifier")?.to_owned(),
            kind: match text(fields, "Type")?.to_ascii_lowercase().as_str() {
                "acceptance" => RuleKind::Acceptance,
                "invalidation" => RuleKind::Invalidation,
                _ => RuleKind::Other,
            },
            country: text(fields, "Country")?.trim().to_ascii_uppercase(),
            region: match field(fields, "Region") {
                None | Some(Value::Null) => String::new(),
                Some(_) => text(fields, "Region")?.trim().to_owned(),
            },
            certificate: CertificateType::parse(text(fields, "CertificateType")?),
            version: Version::parse(text(fields, "Version")?).unwrap_or(Version {
                major: 0,
                minor: 0,
                patch: 0,
            }),
            schema_version: Version::parse(text(fields, "SchemaVersion")?),
            engine: text(fields, "Engine")?.to_owned(),
            engine_version: Version::parse(text(fields, "EngineVersion")?),
            descriptions: descriptions(field(fields, "Description")),
            logic: Expression::parse_published(logic)
                .map_err(|it| it.within(&place(fields, "Logic"))),
            affected: texts(field(fields, "AffectedFields")),
            valid_from: date(fields, "ValidFrom")?,
            valid_to: date(fields, "ValidTo")?,
        })
    }

    /// The description in this language, else in English, else the first.
    pub fn description(&self, language: &str) -> Option<&str> {
        let find = |wanted: &str| {
            let same = |it: &&(String, String)| it.0.eq_ignore_ascii_case(wanted);
            self.descriptions.iter().find(same).map(|(_, text)| text.as_str())
        };
        let first = || self.descriptions.first().map(|(_, text)| text.as_str());
        find(language).or_else(|| find("en")).or_else(first)
    }

    /// What its author has written that is evaluated as if it were not there, by the reference evaluator
    /// and here: operands too many. At their places in the rule.
    pub fn passed_over(&self) -> Vec<Invalid> {
        let logic = self.logic.iter().flat_map(|it| Expression::check(it.source()));
        logic.map(|it| it.within("/Logic")).collect()
    }

    /// Everything that keeps a rule from being published, in reading order: what [`Self::parse`]
    /// finds, its logic, and what the DCC gateway demands of the fields around it.
    pub fn check(source: &Value) -> Vec<Invalid> {
        let Some(fields) = source.as_object() else {
            return vec![malformed("", "an object")];
        };
        let mut found = Vec::new();
        check_names(fields, &mut found);
        check_versions(fields, &mut found);
        check_description(fields, &mut found);
        match (date(fields, "ValidFrom"), date(fields, "ValidTo")) {
            (Ok(from), Ok(to)) if from >= to => {
                found.push(malformed(&place(fields, "ValidTo"), "later than \"ValidFrom\""));
            }
            (from, to) => found.extend(from.err().into_iter().chain(to.err())),
        }
        let logic = field(fields, "Logic");
        if logic.is_none() {
            found.push(missing("Logic"));
        }
        let at = place(fields, "Logic");
        found.extend(logic.into_iter().flat_map(Expression::check).map(|it| it.within(&at)));
        let logic = logic.and_then(|it| Expression::parse_published(it).ok());
        check_affected(fields, logic.as_ref(), &mut found);
        found
    }
}

fn descriptions(value: Option<&Value>) -> Vec<(String, String)> {
    let entries = value.and_then(Value::as_array).into_iter().flatten();
    let entry = |it: &Value| {
        let part = |name| it.get(name)?.as_str().filter(|text| text.len() <= FIELD_MAX);
        Some((part("lang")?.to_owned(), part("desc")?.to_owned()))
    };
    entries.filter_map(entry).collect()
}

fn check_names(fields: &Map<String, Value>, found: &mut Vec<Invalid>) {
    let mut one_of = |name: &str, words: &[&str]| match text(fields, name) {
        Ok(word) if words.contains(&word) => {}
        Ok(_) => {
            found.push(malformed(&place(fields, name), &format!("one of {}", words.join(", "))));
        }
        Err(invalid) => found.push(invalid),
    };
    one_of("Type", &["Acceptance", "Invalidation"]);
    one_of("CertificateType", &["General", "Test", "Vaccination", "Recovery"]);
    one_of("Engine", &[ENGINE]);
    let country = text(fields, "Country").map_err(|it| found.push(it)).ok();
    let is_country = |it: &str| it.len() == 2 && it.bytes().all(|byte| byte.is_ascii_uppercase());
    if country.is_some_and(|it| !is_country(it)) {
        found.push(malformed(&place(fields, "Country"), "two capital letters (ISO 3166)"));
    }
    match text(fields, "Identifier") {
        Err(invalid) => found.push(invalid),
        Ok(identifier) => {
            let parts: Vec<&str> = identifier.split('-').collect();
            let [kind, of, number] = parts.as_slice() else {
                return found
                    .push(malformed(&place(fields, "Identifier"), "of the form VR-KR-0001"));
            };
            let wanted: &[&str] = match (text(fields, "Type"), text(fields, "CertificateType")) {
                (Ok("Invalidation"), _) => &["IR"],
                (_, Ok("Vaccination")) => &["VR"],
                (_, Ok("Test")) => &["TR"],
                (_, Ok("Recovery")) => &["RR"],
                (_, Ok("General")) => &["GR"],
                _ => &["GR", "VR", "TR", "RR", "IR"],
            };
            let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            if !wanted.contains(kind) || !is_number || country.is_some_and(|it| it != *of) {
                let form = format!("of the form {}-<Country>-0001", wanted.join(" or "));
                found.push(malformed(&place(fields, "Identifier"), &form));
            }
        }
    }
}

fn check_versions(fields: &Map<String, Value>, found: &mut Vec<Invalid>) {
    for name in ["Version", "SchemaVersion", "EngineVersion"] {
        match text(fields, name) {
            Err(invalid) => found.push(invalid),
            Ok(text) => match Version::parse(text) {
                None => found.push(malformed(&place(fields, name), "of the form 1.0.0")),
                Some(asked) if name == "EngineVersion" && asked > crate::ENGINE_VERSION => {
                    found.push(Invalid::new(
                        &place(fields, name),
                        InvalidCode::EngineTooOld,
                        format!("this engine is version {}", crate::ENGINE_VERSION),
                    ));
                }
                Some(_) => {}
            },
        }
    }
}

fn check_description(fields: &Map<String, Value>, found: &mut Vec<Invalid>) {
    let Some(value) = field(fields, "Description") else {
        return found.push(missing("Description"));
    };
    let Some(entries) = value.as_array() else {
        return found.push(malformed(&place(fields, "Description"), "an array"));
    };
    let at = place(fields, "Description");
    for (index, entry) in entries.iter().enumerate() {
        let part = |name| entry.get(name).and_then(Value::as_str);
        if part("lang").is_none() || part("desc").is_none() {
            let entry_at = format!("{at}/{index}");
            found.push(malformed(&entry_at, "an object with the texts \"lang\" and \"desc\""));
        } else if part("desc").is_some_and(|it| it.chars().count() < DESCRIPTION_MIN) {
            let entry_at = format!("{at}/{index}/desc");
            found
                .push(malformed(&entry_at, &format!("at least {DESCRIPTION_MIN} characters long")));
        }
    }
    if !descriptions(Some(value)).iter().any(|(language, _)| language == "en") {
        found.push(malformed(&at, "in English (\"en\") among others"));
    }
}

/// The texts of an array; what is none is left out.
fn texts(list: Option<&Value>) -> Vec<String> {
    let list = list.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// `AffectedFields` says what the rule looks at in the payload, for people who are shown why: each of
/// them must be read, and each payload field that is read must be covered.
fn check_affected(
    fields: &Map<String, Value>,
    logic: Option<&Expression>,
    found: &mut Vec<Invalid>,
) {
    let Some(value) = field(fields, "AffectedFields") else {
        return found.push(missing("AffectedFields"));
    };
    let at = place(fields, "AffectedFields");
    let Some(entries) = value.as_array() else {
        return found.push(malformed(&at, "an array"));
    };
    let Some(logic) = logic else { return };
    let paths = logic.paths();
    let read: Vec<&str> = paths.iter().filter_map(|path| path.strip_prefix("payload.")).collect();
    for (index, entry) in entries.iter().enumerate() {
        let entry_at = format!("{at}/{index}");
        match entry.as_str() {
            None => found.push(malformed(&entry_at, "a text")),
            Some(text) if !read.contains(&text) => found.push(Invalid::new(
                &entry_at,
                InvalidCode::NotRead,
                format!("the logic does not read \"payload.{text}\""),
            )),
            Some(_) => {}
        }
    }
    for path in read {
        if !entries.iter().any(|entry| entry.as_str() == Some(path)) {
            found.push(Invalid::new(
                &at,
                InvalidCode::NotListed,
                format!("the logic reads \"payload.{path}\", which is not listed"),
            ));
        }
    }
}
