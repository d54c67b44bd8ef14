//! Two engines at one table: `credential` reads and verifies a pass, `rules` says whether a country
//! accepts it. Neither depends on the other; whoever needs both (the command, the guard's phone, the
//! citizen's wallet) asks here, so that all three hand the rules the same things.
#![deny(missing_docs)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use credential::pass::{Facts, Format, Rules, Ruling, time};
use rules::{Judgement, PassRules, Question, RuleResult, Signed, ValueSets};

/// The rules by which one country (or a place in it) judges passes.
#[derive(Debug, Clone, Default)]
pub struct CountryRules {
    /// Whose acceptance rules decide: ISO 3166-1 alpha-2.
    pub country: String,
    /// Rules of any countries; those that are for a pass are selected.
    pub rules: PassRules,
    /// What rules read as `external.valueSets`.
    pub value_sets: ValueSets,
}

impl CountryRules {
    /// What every rule that is for such a pass says; with `trace`, each with what it looked at.
    /// Nothing for a pass that is no DCC: published rules read the content of one.
    pub fn ask(&self, facts: &Facts<'_>, trace: bool) -> Option<Judgement<'_>> {
        if facts.format != Format::Dcc {
            return None;
        }
        let clock = time::text(facts.now_s);
        let issued = facts.issued_at.map(time::text);
        let expires = facts.expires_at.map(time::text);
        let key_id = STANDARD.encode(facts.kid);
        let question = Question {
            country: &self.country,
            region: "",
            issuer: facts.issuer_country.unwrap_or_default(),
            clock: &clock,
        };
        let signed = Signed {
            issued_at: issued.as_deref(),
            expires_at: expires.as_deref(),
            key_id: Some(&key_id),
        };
        // The only thing that selecting can refuse is the clock, which is written here.
        self.rules.judge(&question, facts.payload, &signed, &self.value_sets, trace).ok()
    }
}

impl Rules for CountryRules {
    fn judge(&self, facts: &Facts<'_>) -> Ruling {
        let Some(judgement) = self.ask(facts, false) else { return Ruling::default() };
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

    fn knows(&self, set: &str, code: &str) -> Option<bool> {
        let codes = self.value_sets.as_value().get(set)?.as_array()?;
        Some(codes.iter().any(|it| it == code))
    }
}
