//! Two engines at one table: `credential` reads and verifies a pass, `rules` says whether a country
//! accepts it. Neither depends on the other; whoever needs both (the command, the guard's phone, the
//! citizen's wallet) asks here, so that all three hand the rules the same things.
#![deny(missing_docs)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use credential::pass::{Facts, Format, Rules, Ruling, time};
use rules::{Asked, Judgement, PassRules, Question, RuleResult, Signed, ValueSets};
use serde_json::Value;

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
    /// Nothing for a pass that cannot be said as a DCC: published rules read the content of one.
    pub fn ask(&self, facts: &Facts<'_>, trace: bool) -> Option<Judgement<'_>> {
        let payload = facts.as_dcc?;
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
        self.rules.judge(&question, payload, &signed, &self.value_sets, trace).ok()
    }
}

/// The name under which a pass is open that rules cannot read.
const UNREAD: &str = "content";

/// Whether a rule reads a field that this content lacks; other groups than the one that is there are
/// lacking in a DCC as well.
fn reads_more(affected: &[String], payload: &Value) -> bool {
    affected.iter().any(|path| {
        let group = path.split('.').next().unwrap_or_default();
        let is_other = matches!(group, "v" | "t" | "r" | "e" | "x") && payload.get(group).is_none();
        let pointer = format!("/{}", path.replace('.', "/"));
        !is_other && payload.pointer(&pointer).is_none()
    })
}

impl Rules for CountryRules {
    fn judge(&self, facts: &Facts<'_>) -> Ruling {
        let Some(judgement) = self.ask(facts, false) else {
            // A card or a seal that cannot be said as a DCC: what it stands on is not known here. A pass
            // of New Zealand stands on New Zealand's own rule, and no other is for it.
            let is_open = matches!(facts.format, Format::Shc | Format::Vdsnc);
            let open = is_open.then(|| UNREAD.to_owned()).into_iter().collect::<Vec<_>>();
            return Ruling { asked: open.len(), failed: Vec::new(), open };
        };
        // What was said as a DCC has fewer fields than one. A rule that reads others is open: that they
        // are missing says nothing of the pass.
        let result = |it: &Asked<'_>| match facts.format {
            Format::Dcc => it.result,
            _ if facts.as_dcc.is_some_and(|payload| reads_more(&it.rule.affected, payload)) => {
                RuleResult::Open
            }
            _ => it.result,
        };
        let named = |wanted: RuleResult| {
            let rules = judgement.asked.iter().filter(|it| result(it) == wanted);
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
