//! The rules that passes are counted by, as data that ships with the program.
//!
//! - `kr-2022-01.json`: Korea's pass of January 2022: 14 to 180 days after the second dose, or a
//!   booster, or a negative PCR test within 48 hours, or 180 days from release from isolation: the city's
//!   own until it has another. (The set as it was in force, with its dates, is `rules::SHIPPED`.)
//! - `eu-2022-02.json`: entry to the European Union: Regulation (EU) 2021/953 with the delegated
//!   Regulation (EU) 2021/2288 (270 days for the primary course from 1 February 2022) and Council
//!   Recommendation (EU) 2022/107.
//!
//! Edges are those of `rules::SHIPPED`; its `policy/README.md` names the sources, and what a pass cannot
//! say. Unlike there, every vaccine counts here: which are authorised has changed since.
//!
//! CertLogic in the form in which countries publish it, so that others can recompute what is said.

use std::sync::LazyLock;

use ::judge::CountryRules;
use contracts::gate;
use credential::pass::{Facts, Format, PlaceRules, Rules, Ruling};
use rules::{PassRules, ValueSets};
use serde_json::Value;

use crate::model::Basis;

/// Rules of one country.
pub struct Published(CountryRules);

impl Published {
    /// The rules of this file; nothing if it were broken, which a test rules out.
    fn shipped(country: &str, file: &str) -> Option<Self> {
        let source: Value = serde_json::from_str(file).ok()?;
        let mut rules = PassRules::default();
        rules.add(&source).ok()?;
        let value_sets = ValueSets::default();
        Some(Self(CountryRules { country: country.to_owned(), rules, value_sets }))
    }

    /// What a rule says, in this language.
    pub fn description(&self, name: &str, language: &str) -> Option<&str> {
        let rule = self.0.rules.rules().iter().find(|it| it.identifier == name)?;
        rule.description(language)
    }
}

impl Rules for Published {
    fn judge(&self, facts: &Facts<'_>) -> Ruling {
        self.0.judge(facts)
    }
}

/// A place that asks for these rules: where none is for such a pass, nobody has said yes.
struct AtPlace(&'static LazyLock<Option<Published>>, &'static str);

impl Rules for AtPlace {
    fn judge(&self, facts: &Facts<'_>) -> Ruling {
        let ruling = self.0.as_ref().map(|it| it.judge(facts)).unwrap_or_default();
        if 0 < ruling.asked {
            return ruling;
        }
        Ruling { asked: 1, failed: Vec::new(), open: vec![self.1.to_owned()] }
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

const CITY_FILE: &str = include_str!("../rulebook/kr-2022-01.json");
const EU_FILE: &str = include_str!("../rulebook/eu-2022-02.json");
static CITY: LazyLock<Option<Published>> = LazyLock::new(|| Published::shipped("KR", CITY_FILE));
static EU: LazyLock<Option<Published>> = LazyLock::new(|| Published::shipped("EU", EU_FILE));
static AT_PLACE: [AtPlace; 2] = [AtPlace(&CITY, "city"), AtPlace(&EU, "eu")];

/// The sets that gates carry, under the words by which places ask for them.
pub fn for_gates() -> Vec<PlaceRules> {
    [(gate::PassRules::City, "KR", CITY_FILE), (gate::PassRules::Eu, "EU", EU_FILE)]
        .map(|(word, country, rules)| PlaceRules {
            name: word.word().to_owned(),
            country: country.to_owned(),
            rules: rules.to_owned(),
        })
        .to_vec()
}

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
        gate::PassRules::City => AT_PLACE.first().map(|it| -> &'static dyn Rules { it }),
        gate::PassRules::Eu => AT_PLACE.last().map(|it| -> &'static dyn Rules { it }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_that_ships_could_be_published() {
        for file in [CITY_FILE, EU_FILE] {
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
            for rule in published.0.rules.rules() {
                for language in ["ko", "en", "zh-Hans"] {
                    let has = rule.descriptions.iter().any(|(lang, _)| lang == language);
                    assert!(has, "{} in {language}", rule.identifier);
                }
            }
        }
    }
}
