//! CertLogic: `{"logic": …, "data": …}`, suites of cases, published rules.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rules::{Expression, PassRule, RuleSet, evaluate, evaluate_traced};
use serde_json::Value;

fuzz_target!(|data: &[u8]| {
    let Ok(source) = serde_json::from_slice::<Value>(data) else { return };
    for case in rules::cases(&source, None).unwrap_or_default() {
        let _ = case.run();
    }
    let logic = source.get("logic").unwrap_or(&source);
    let found = Expression::check(logic);
    let strict = Expression::parse(logic);
    assert_eq!(strict.is_ok(), found.is_empty());
    let facts = source.get("data").unwrap_or(&Value::Null);
    if let Ok(logic) = Expression::parse_published(logic) {
        let value = evaluate(&logic, facts);
        assert_eq!(evaluate_traced(&logic, facts).0, value);
        // What the strict reader takes means the same to both.
        if let Ok(strict) = strict {
            assert_eq!(evaluate(&strict, facts), value);
        }
    }
    let _ = (PassRule::parse(&source), PassRule::check(&source), RuleSet::parse(&source));
});
