//! Which published rules apply to a pass, and what they say together.
//!
//! Selection and comparison of versions follow the reference apps of the DCC, so that a pass is judged
//! here as it is there: the country of arrival decides by its acceptance rules, the issuer's country
//! by its invalidation rules; of each identifier the latest version that is in force counts.

use crate::date_time::DateTime;
use crate::error::EvaluationError;
use crate::evaluate::{Pass, is_truthy_on};
use crate::invalid::{Invalid, InvalidCode};
use crate::pass_rule::{CertificateType, ENGINE, PassRule, RuleKind};
use crate::trace::Trace;
use crate::value_sets::ValueSets;
use crate::version::{ENGINE_VERSION, Version};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How many rules a collection may have; all countries of the DCC together had about 600.
pub const PASS_RULES_MAX: usize = 20_000;

/// Rules of any number of countries, as published.
#[derive(Debug, Clone, Default)]
pub struct PassRules {
    rules: Vec<PassRule>,
}

/// What is asked: who judges, at which moment.
#[derive(Debug, Clone, Copy)]
pub struct Question<'q> {
    /// The country of arrival (ISO 3166, two letters), whose acceptance rules apply.
    pub country: &'q str,
    /// The region of that country whose rules apply; empty for those of the country itself.
    pub region: &'q str,
    /// The country that issued the pass, whose invalidation rules apply.
    pub issuer: &'q str,
    /// The validation clock, as text in one of CertLogic's formats.
    pub clock: &'q str,
}

/// What rules read under `external` beside the question and the value sets.
#[derive(Debug, Clone, Copy, Default)]
pub struct Signed<'q> {
    /// When the pass was signed (`iat`), as text in one of CertLogic's formats.
    pub issued_at: Option<&'q str>,
    /// When its signature ends (`exp`), likewise.
    pub expires_at: Option<&'q str>,
    /// The signer's key id in base64.
    pub key_id: Option<&'q str>,
}

/// What one rule says about a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleResult {
    /// It is met.
    Passed,
    /// It is not met.
    Failed,
    /// It could not be asked.
    Open,
}

/// Why a rule is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Open {
    /// It asks for another engine, or for a newer version of this one.
    Engine,
    /// It reads another major version of the schema than the pass has, or a newer one, or the pass
    /// names no version.
    Schema,
    /// Its logic is not CertLogic as this engine knows it.
    Logic(Invalid),
    /// Its evaluation on this pass failed.
    Evaluation(EvaluationError),
}

/// A rule that was asked.
#[derive(Debug, Clone)]
pub struct Asked<'r> {
    /// The rule.
    pub rule: &'r PassRule,
    /// What it says.
    pub result: RuleResult,
    /// Why it is open.
    pub open: Option<Open>,
    /// What it looked at, where that was asked for.
    pub trace: Option<Trace>,
}

/// What all selected rules say about a pass.
#[derive(Debug, Clone, Default)]
pub struct Judgement<'r> {
    /// Every selected rule, acceptance first, in the order of the collection.
    pub asked: Vec<Asked<'r>>,
}

impl Judgement<'_> {
    /// One failed rule decides; else one open rule leaves it open; without rules there is nothing to
    /// fail.
    pub fn result(&self) -> RuleResult {
        let any = |result| self.asked.iter().any(|it| it.result == result);
        if any(RuleResult::Failed) {
            RuleResult::Failed
        } else if any(RuleResult::Open) {
            RuleResult::Open
        } else {
            RuleResult::Passed
        }
    }

    /// How many rules had this result.
    pub fn count(&self, result: RuleResult) -> usize {
        self.asked.iter().filter(|it| it.result == result).count()
    }
}

impl PassRules {
    /// Adds one rule, or an array of rules. How many.
    ///
    /// # Errors
    /// The first one that cannot be selected by anybody (see [`PassRule::parse`]); then none was added.
    pub fn add(&mut self, source: &Value) -> Result<usize, Invalid> {
        let added = match source {
            Value::Array(items) => {
                let rule = |(index, item): (usize, &Value)| {
                    PassRule::parse(item).map_err(|it| it.within(&format!("/{index}")))
                };
                items.iter().enumerate().map(rule).collect::<Result<Vec<_>, _>>()?
            }
            rule => vec![PassRule::parse(rule)?],
        };
        if self.rules.len() + added.len() > PASS_RULES_MAX {
            let message = format!("a collection may have {PASS_RULES_MAX} rules");
            return Err(Invalid::new("", InvalidCode::TooLarge, message));
        }
        let count = added.len();
        self.rules.extend(added);
        Ok(count)
    }

    /// All rules, in the order in which they were added.
    pub fn rules(&self) -> &[PassRule] {
        &self.rules
    }

    /// The rules that apply to a certificate of this type.
    ///
    /// Acceptance rules of the country (and region), then invalidation rules of the issuer's country;
    /// for all passes or for this type; in force at the clock, both ends included; of each identifier
    /// the latest version, of equal ones the first.
    ///
    /// # Errors
    /// A clock that is no date-time.
    pub fn select(
        &self,
        question: &Question<'_>,
        certificate: CertificateType,
    ) -> Result<Vec<&PassRule>, Invalid> {
        let clock = DateTime::parse(question.clock).ok_or_else(|| {
            Invalid::new("", InvalidCode::MalformedField, "the clock must be a date-time")
        })?;
        let region = question.region.trim();
        let mut selected = Vec::new();
        for (kind, country) in [
            (RuleKind::Acceptance, question.country.trim()),
            (RuleKind::Invalidation, question.issuer.trim()),
        ] {
            let begin = selected.len();
            for rule in &self.rules {
                let applies = rule.kind == kind
                    && rule.country.eq_ignore_ascii_case(country)
                    && (kind == RuleKind::Invalidation || rule.region.eq_ignore_ascii_case(region))
                    && rule.is_about(certificate)
                    && (rule.valid_from..=rule.valid_to).contains(&clock);
                if applies {
                    keep_latest(&mut selected, begin, rule);
                }
            }
        }
        Ok(selected)
    }

    /// Selects by the payload's own type and asks every selected rule; with `trace`, each says what it
    /// looked at. A payload without an entry is asked for what holds for all passes.
    ///
    /// # Errors
    /// A clock that is no date-time.
    pub fn judge(
        &self,
        question: &Question<'_>,
        payload: &Value,
        signed: &Signed<'_>,
        value_sets: &ValueSets,
        trace: bool,
    ) -> Result<Judgement<'_>, Invalid> {
        let certificate = CertificateType::of(payload).unwrap_or(CertificateType::General);
        let selected = self.select(question, certificate)?;
        let external = external(question, signed);
        let pass = Pass { payload, external: &external, value_sets: value_sets.as_value() };
        let version = payload.get("ver").and_then(Value::as_str).and_then(Version::parse);
        let ask = |rule| ask(rule, version, pass, trace);
        Ok(Judgement { asked: selected.into_iter().map(ask).collect() })
    }
}

impl PassRule {
    fn is_about(&self, certificate: CertificateType) -> bool {
        self.certificate.is_some_and(|it| it == CertificateType::General || it == certificate)
    }
}

/// Rules before `begin` are of the other kind, whose identifiers are their own.
fn keep_latest<'r>(selected: &mut Vec<&'r PassRule>, begin: usize, rule: &'r PassRule) {
    let kept = selected.iter_mut().skip(begin).find(|it| it.identifier == rule.identifier);
    match kept {
        None => selected.push(rule),
        Some(kept) if kept.version < rule.version => *kept = rule,
        Some(_) => {}
    }
}

/// The names are those of the reference apps.
fn external(question: &Question<'_>, signed: &Signed<'_>) -> Map<String, Value> {
    let mut external = Map::new();
    let mut set = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            external.insert(name.to_owned(), Value::from(value));
        }
    };
    set("validationClock", Some(question.clock));
    set("countryCode", Some(question.country));
    set("region", Some(question.region));
    set("issuerCountryCode", Some(question.issuer));
    set("iat", signed.issued_at);
    set("exp", signed.expires_at);
    set("kid", signed.key_id);
    external
}

fn ask<'r>(rule: &'r PassRule, version: Option<Version>, pass: Pass<'_>, trace: bool) -> Asked<'r> {
    let open = |why| Asked { rule, result: RuleResult::Open, open: Some(why), trace: None };
    if rule.engine != ENGINE || rule.engine_version.is_none_or(|asked| asked > ENGINE_VERSION) {
        return open(Open::Engine);
    }
    let serves = version.zip(rule.schema_version).is_some_and(|(has, asked)| has.serves(asked));
    if !serves {
        return open(Open::Schema);
    }
    let logic = match &rule.logic {
        Ok(logic) => logic,
        Err(invalid) => return open(Open::Logic(invalid.clone())),
    };
    let (truth, trace) = is_truthy_on(logic, pass, trace);
    match truth {
        Ok(true) => Asked { rule, result: RuleResult::Passed, open: None, trace },
        Ok(false) => Asked { rule, result: RuleResult::Failed, open: None, trace },
        Err(error) => Asked { trace, ..open(Open::Evaluation(error)) },
    }
}
