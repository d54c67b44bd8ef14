//! The rules that passes are counted by: the city's set in force, and Europe's.
//!
//! Two sets ship with the program:
//!
//! - `kr-2022-01.json`: Korea's pass of January 2022: 14 to 180 days after the second dose, or a
//!   booster, or a negative PCR test within 48 hours, or 180 days from release from isolation: the city's
//!   own until two officers agree on another (`city_rules`). (The set as it was in force, with its dates,
//!   is `rules::SHIPPED`.)
//! - `eu-2022-02.json`: entry to the European Union: Regulation (EU) 2021/953 with the delegated
//!   Regulation (EU) 2021/2288 (270 days for the primary course from 1 February 2022) and Council
//!   Recommendation (EU) 2022/107.
//!
//! Edges are those of `rules::SHIPPED`; its `policy/README.md` names the sources, and what a pass cannot
//! say. Unlike there, every vaccine counts here: which are authorised has changed since.
//!
//! CertLogic in the form in which countries publish it, so that others can recompute what is said. A set
//! is parsed when it is first asked and kept; which one is in force is asked each time.

use std::sync::{Arc, LazyLock};

use ::judge::CountryRules;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contracts::gate;
use credential::pass::{Facts, Format, PlaceRules, Rules, Ruling};
use kernel::Id;
use rules::{PassRule, PassRules, ValueSets};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use store::{Fault, Reader, Tx};

use crate::city_rules::{CityRules, RULES, RuleSet, SHIPPED};
use crate::kept::Kept;
use crate::model::{Basis, Material};

/// A set as it is kept and given out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleFile {
    /// Whose acceptance rules decide: ISO 3166-1 alpha-2.
    pub country: String,
    /// Rules as countries publish them.
    pub rules: Vec<Value>,
    /// What rules read as `external.valueSets`: id → codes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_sets: Option<Value>,
}

impl RuleFile {
    /// One that ships; empty if it were broken, which a test rules out.
    fn shipped(country: &str, rules: &str) -> Self {
        let rules = serde_json::from_str(rules).unwrap_or_default();
        Self { country: country.to_owned(), rules, value_sets: None }
    }

    /// The text that is kept, and that its hash is of.
    pub fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Rules of one country, ready to be asked. One that could not be parsed has none, and says yes to nobody
/// at a place.
#[derive(Debug)]
pub struct Published {
    asked: CountryRules,
    file: RuleFile,
    /// The rules in JSON, as gates carry them.
    text: String,
}

impl Default for Published {
    /// No rules.
    fn default() -> Self {
        let (asked, file) = (CountryRules::default(), RuleFile::default());
        Self { asked, file, text: "[]".to_owned() }
    }
}

impl Published {
    /// The rules of this file.
    pub fn of(file: RuleFile) -> Self {
        let source = Value::Array(file.rules.clone());
        let (mut rules, mut value_sets) = (PassRules::default(), ValueSets::default());
        let all_read = rules.add(&source).is_ok()
            && file.value_sets.as_ref().is_none_or(|it| value_sets.add(it).is_ok());
        if !all_read {
            return Self::default();
        }
        let asked = CountryRules { country: file.country.clone(), rules, value_sets };
        Self { asked, file, text: source.to_string() }
    }

    /// What they were read from.
    pub fn file(&self) -> &RuleFile {
        &self.file
    }

    /// The country whose rules they are.
    pub fn country(&self) -> &str {
        &self.asked.country
    }

    /// The rules, in their order.
    pub fn rules(&self) -> &[PassRule] {
        self.asked.rules.rules()
    }

    /// Whether there is a value set of this name.
    pub fn has_value_set(&self, name: &str) -> bool {
        self.asked.value_sets.as_value().get(name).is_some()
    }

    /// What a rule says, in this language.
    pub fn description(&self, name: &str, language: &str) -> Option<&str> {
        let rule = self.rules().iter().find(|it| it.identifier == name)?;
        rule.description(language)
    }

    fn for_gates(&self, word: gate::PassRules) -> PlaceRules {
        PlaceRules {
            name: word.word().to_owned(),
            country: self.asked.country.clone(),
            rules: self.text.clone(),
        }
    }
}

impl Rules for Published {
    fn judge(&self, facts: &Facts<'_>) -> Ruling {
        self.asked.judge(facts)
    }
}

/// What a place demands of a pass.
pub enum AtPlace<'a> {
    /// Only the region's own codes count.
    CodeOnly,
    /// These rules, under this word: where none is for such a pass, nobody has said yes.
    Rules(&'a Published, &'static str),
}

impl Rules for AtPlace<'_> {
    fn judge(&self, facts: &Facts<'_>) -> Ruling {
        match self {
            Self::CodeOnly if facts.format == Format::Haetae => Ruling::default(),
            Self::CodeOnly => {
                Ruling { asked: 1, failed: vec!["code_only".to_owned()], open: Vec::new() }
            }
            Self::Rules(published, word) => {
                let ruling = published.judge(facts);
                if 0 < ruling.asked {
                    return ruling;
                }
                Ruling { asked: 1, failed: Vec::new(), open: vec![(*word).to_owned()] }
            }
        }
    }
}

/// The city's set as it ships.
pub const CITY_FILE: &str = include_str!("../rulebook/kr-2022-01.json");
const EU_FILE: &str = include_str!("../rulebook/eu-2022-02.json");
static CITY: LazyLock<Arc<Published>> =
    LazyLock::new(|| Arc::new(Published::of(RuleFile::shipped("KR", CITY_FILE))));
static EU: LazyLock<Arc<Published>> =
    LazyLock::new(|| Arc::new(Published::of(RuleFile::shipped("EU", EU_FILE))));

/// The sets by which passes are judged here.
#[derive(Debug, Clone)]
pub struct Sets {
    city: Arc<Published>,
    eu: Arc<Published>,
}

impl Default for Sets {
    /// Those that ship.
    fn default() -> Self {
        Self::of(Arc::clone(&CITY))
    }
}

impl Sets {
    /// With this set as the city's.
    pub fn of(city: Arc<Published>) -> Self {
        Self { city, eu: Arc::clone(&EU) }
    }

    /// The published rules of a basis; none for what a pass says by itself.
    pub fn published(&self, basis: Basis) -> Option<&Published> {
        match basis {
            Basis::City => Some(&self.city),
            Basis::Eu => Some(&self.eu),
            Basis::Own => None,
        }
    }

    /// The rules that a place demands.
    pub fn of_place(&self, demand: gate::PassRules) -> Option<AtPlace<'_>> {
        match demand {
            gate::PassRules::CodeOnly => Some(AtPlace::CodeOnly),
            gate::PassRules::Own => None,
            gate::PassRules::City => Some(AtPlace::Rules(&self.city, demand.word())),
            gate::PassRules::Eu => Some(AtPlace::Rules(&self.eu, demand.word())),
        }
    }

    /// The sets that gates carry, under the words by which places ask for them, and the value sets. Of the
    /// sets, only the city's reads any.
    pub fn for_gates(&self) -> (Vec<PlaceRules>, String) {
        let sets =
            [self.city.for_gates(gate::PassRules::City), self.eu.for_gates(gate::PassRules::Eu)];
        let value_sets = self.city.file.value_sets.as_ref().map(Value::to_string);
        (sets.to_vec(), value_sets.unwrap_or_default())
    }
}

/// Sets that were parsed, by the hash of their file.
static PARSED: Kept<String, Published> = Kept::new(4);

/// The sets in force.
pub fn in_force(reader: &mut Reader<'_>) -> Result<Sets, Fault> {
    let book = reader.state::<CityRules>(RULES)?;
    by(&book, reader)
}

/// The sets in force by what the city decided.
pub fn by(book: &CityRules, reader: &mut Reader<'_>) -> Result<Sets, Fault> {
    sets(book, |id| reader.state::<Material>(id))
}

/// The sets in force, for a command.
pub fn in_force_within(tx: &mut Tx<'_>) -> Result<Sets, Fault> {
    let book = tx.state::<CityRules>(RULES)?;
    sets(&book, |id| tx.state::<Material>(id))
}

fn sets(
    book: &CityRules,
    material: impl FnOnce(u128) -> Result<Material, Fault>,
) -> Result<Sets, Fault> {
    let Some(brought) = book.brought(book.in_force()) else { return Ok(Sets::default()) };
    if let Some(city) = PARSED.find(&brought.sha256) {
        return Ok(Sets::of(city));
    }
    let file = file_of(book, brought.set, material)?;
    let file = file.ok_or_else(|| Fault::new("the file of the rules in force is not there"))?;
    Ok(Sets::of(PARSED.keep(brought.sha256.clone(), Published::of(file))))
}

/// Forgets what was parsed, as a process does that begins.
#[cfg(test)]
pub(crate) fn forget_parsed() {
    PARSED.forget();
}

/// The file of a set; none for one that nobody brought, or that was rejected.
pub fn file(
    reader: &mut Reader<'_>,
    book: &CityRules,
    set: Id<RuleSet>,
) -> Result<Option<RuleFile>, Fault> {
    file_of(book, set, |id| reader.state::<Material>(id))
}

fn file_of(
    book: &CityRules,
    set: Id<RuleSet>,
    material: impl FnOnce(u128) -> Result<Material, Fault>,
) -> Result<Option<RuleFile>, Fault> {
    if set == SHIPPED {
        return Ok(Some(CITY.file.clone()));
    }
    let Some(brought) = book.brought(set) else { return Ok(None) };
    let Some(data) = material(set.to_u128())?.data else { return Ok(None) };
    let bytes = STANDARD.decode(data).unwrap_or_default();
    if hex::encode(Sha256::digest(&bytes)) != brought.sha256 {
        return Err(Fault::new("a file of rules is not the one that was proposed"));
    }
    let file = serde_json::from_slice(&bytes);
    file.map(Some).map_err(|error| Fault::caused("reading a file of rules", error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_that_ships_could_be_published() {
        for (file, published) in [(CITY_FILE, &CITY), (EU_FILE, &EU)] {
            let rules: Vec<Value> = serde_json::from_str(file).unwrap();
            for rule in &rules {
                assert_eq!(PassRule::check(rule), [], "{}", rule["Identifier"]);
            }
            assert_eq!(published.rules().len(), rules.len());
        }
    }

    #[test]
    fn every_rule_has_words_in_three_languages() {
        for published in [&CITY, &EU] {
            for rule in published.rules() {
                for language in ["ko", "en", "zh-Hans"] {
                    let has = rule.descriptions.iter().any(|(lang, _)| lang == language);
                    assert!(has, "{} in {language}", rule.identifier);
                }
            }
        }
    }

    #[test]
    fn europe_s_rules_read_no_value_sets_so_that_the_city_s_cannot_change_them() {
        for rule in EU.rules() {
            let paths = rule.logic.as_ref().unwrap().paths();
            assert!(paths.iter().all(|it| !it.starts_with("external.valueSets")), "{paths:?}");
        }
    }
}
