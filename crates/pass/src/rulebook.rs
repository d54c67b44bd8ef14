//! The rules that passes are counted by, as data that ships with the program.
//!
//! - `kr-2022-01.json`: Korea's pass of January 2022: 14 to 180 days after the second dose, or a
//!   booster, or a negative PCR test within 48 hours, or recovered. The city's own until it has another.
//! - `eu-2022-02.json`: entry to the European Union: Regulation (EU) 2021/953 with the delegated
//!   Regulation (EU) 2021/2288 (270 days for the primary course from 1 February 2022) and Council
//!   Recommendation (EU) 2022/107.
//!
//! CertLogic in the form in which countries publish it, so that others can recompute what is said.

use std::sync::LazyLock;

use contracts::gate;
use credential::pass::{Facts, Format, Rules, Ruling};
use kernel::Instant;
use rules::{PassRules, Question, RuleResult, Signed, ValueSets};
use serde_json::Value;

use crate::model::Basis;

/// Rules of one country, asked by their own clock.
pub struct Published {
    country: &'static str,
    rules: PassRules,
    value_sets: ValueSets,
}

impl Published {
    /// The rules of this file; nothing if it were broken, which a test rules out.
    fn shipped(country: &'static str, file: &str) -> Option<Self> {
        let source: Value = serde_json::from_str(file).ok()?;
        let mut rules = PassRules::default();
        rules.add(&source).ok()?;
        Some(Self { country, rules, value_sets: ValueSets::default() })
    }

    /// What a rule says, in this language.
    pub fn description(&self, name: &str, language: &str) -> Option<&str> {
        let rule = self.rules.rules().iter().find(|it| it.identifier == name)?;
        rule.description(language)
    }
}

impl Rules for Published {
    fn judge(&self, facts: &Facts<'_>) -> Ruling {
        // They read the content of the DCC; of another kind there is nothing that they could ask.
        if facts.format != Format::Dcc {
            return Ruling::default();
        }
        let text = |seconds: i64| Instant::from_seconds(seconds).rfc3339();
        let clock = text(facts.now_s);
        let (issued, expires) = (facts.issued_at.map(text), facts.expires_at.map(text));
        let question = Question {
            country: self.country,
            region: "",
            issuer: facts.issuer_country.unwrap_or_default(),
            clock: &clock,
        };
        let signed =
            Signed { issued_at: issued.as_deref(), expires_at: expires.as_deref(), key_id: None };
        let asked = self.rules.judge(&question, facts.payload, &signed, &self.value_sets, false);
        let Ok(judgement) = asked else {
            return Ruling { asked: 1, failed: Vec::new(), open: vec![self.country.to_owned()] };
        };
        let named = |wanted: RuleResult| {
            let rules = judgement.asked.iter().filter(|it| it.result == wanted);
            rules.map(|it| it.rule.identifier.clone()).collect()
        };
        Ruling {
            asked: judgement.asked.len(),
            failed: named(RuleResult::Failed),
            open: named(RuleResult::Open),
        }
    }
}

/// A place at which only the region's own codes count.
struct CodeOnly;

impl Rules for CodeOnly {
    fn judge(&self, facts: &Facts<'_>) -> Ruling {
        if facts.format == Format::Haetae {
            return Ruling::default();
        }
        Ruling { asked: 1, failed: vec!["code_only".to_owned()], open: Vec::new() }
    }
}

static CITY: LazyLock<Option<Published>> =
    LazyLock::new(|| Published::shipped("KR", include_str!("../rulebook/kr-2022-01.json")));
static EU: LazyLock<Option<Published>> =
    LazyLock::new(|| Published::shipped("EU", include_str!("../rulebook/eu-2022-02.json")));

/// The published rules of a basis; none for what a pass says by itself.
pub fn published(basis: Basis) -> Option<&'static Published> {
    match basis {
        Basis::City => CITY.as_ref(),
        Basis::Eu => EU.as_ref(),
        Basis::Own => None,
    }
}

/// The rules of a basis, to be asked.
pub fn of(basis: Basis) -> Option<&'static dyn Rules> {
    published(basis).map(|it| -> &'static dyn Rules { it })
}

/// The rules that a place demands.
pub fn of_place(demand: gate::PassRules) -> Option<&'static dyn Rules> {
    match demand {
        gate::PassRules::CodeOnly => Some(&CodeOnly),
        gate::PassRules::Own => None,
        gate::PassRules::City => of(Basis::City),
        gate::PassRules::Eu => of(Basis::Eu),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_that_ships_could_be_published() {
        for file in [
            include_str!("../rulebook/kr-2022-01.json"),
            include_str!("../rulebook/eu-2022-02.json"),
        ] {
            let rules: Vec<Value> = serde_json::from_str(file).unwrap();
            for rule in &rules {
                assert_eq!(rules::PassRule::check(rule), [], "{}", rule["Identifier"]);
            }
        }
        assert!(CITY.is_some() && EU.is_some());
    }

    #[test]
    fn every_rule_has_words_in_three_languages() {
        for basis in [Basis::City, Basis::Eu] {
            let published = published(basis).unwrap();
            for rule in published.rules.rules() {
                for language in ["ko", "en", "zh-Hans"] {
                    let has = rule.descriptions.iter().any(|(lang, _)| lang == language);
                    assert!(has, "{} in {language}", rule.identifier);
                }
            }
        }
    }
}
