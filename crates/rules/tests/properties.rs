//! What holds for every rule and all data: no panic, one answer, bounded work, and texts that read
//! back as what was written.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)] // test helpers outside of #[test] functions may stop the test

mod generate;

use generate::{expression, json_value, text};
use proptest::prelude::*;
use rules::{
    DEPTH_MAX, Decision, EvaluationCode, Expression, PassRule, PassRules, Question, RuleSet,
    Signed, TRACE_STEPS_MAX, ValueSets, decide, evaluate, evaluate_traced,
};
use serde_json::{Value, json};

/// Evaluates in every way there is; all must agree, and the trace must be whole and readable.
fn check(expression: &Expression, data: &Value) {
    let plain = evaluate(expression, data);
    assert_eq!(plain, evaluate(expression, data));
    let (traced, trace) = evaluate_traced(expression, data);
    assert_eq!(plain, traced);
    assert!(trace.steps.len() <= TRACE_STEPS_MAX);
    for step in &trace.steps {
        assert!(expression.source().pointer(&step.pointer).is_some());
    }
    if let Err(error) = &plain {
        assert!(expression.source().pointer(&error.pointer).is_some());
    }
    assert_eq!((traced, trace.clone()), evaluate_traced(expression, data));
    assert_eq!(
        serde_json::from_str::<rules::Trace>(&serde_json::to_string(&trace).unwrap()).unwrap(),
        trace
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_json_makes_the_parser_or_the_evaluator_panic(source in json_value(), data in json_value()) {
        match Expression::parse(&source) {
            Ok(expression) => check(&expression, &data),
            Err(invalid) => prop_assert!(source.pointer(&invalid.pointer).is_some()),
        }
        let found = Expression::check(&source);
        prop_assert_eq!(found.first().cloned(), Expression::parse(&source).err());
        prop_assert!(found.iter().all(|it| source.pointer(&it.pointer).is_some()));
        let _ = RuleSet::parse(&source);
        let set = json!({ "id": "x", "version": 1, "rules": [{ "code": "x", "logic": source, "outcome": data }] });
        if let Err(invalid) = RuleSet::parse(&set) {
            prop_assert!(set.pointer(&invalid.pointer).is_some());
        }
    }

    #[test]
    fn no_json_makes_the_rules_for_passes_panic(
        field in 0_usize..13, value in json_value(), logic in expression(), payload in json_value(),
    ) {
        let mut rule = json!({
            "Identifier": "GR-KR-0001", "Type": "Acceptance", "Country": "KR", "Version": "1.0.0",
            "SchemaVersion": "1.0.0", "Engine": "CERTLOGIC", "EngineVersion": "1.0.0",
            "CertificateType": "General", "Description": [{ "lang": "en", "desc": "…" }],
            "ValidFrom": "2020-01-01", "ValidTo": "2030-01-01", "AffectedFields": [], "Logic": logic
        });
        let question = Question { country: "KR", region: "", issuer: "KR", clock: "2025-01-01" };
        let payload = json!({ "ver": "1.3.0", "a": payload, "v": payload });
        for broken in [false, true] {
            let name = rule.as_object().unwrap().keys().nth(field).unwrap().clone();
            if broken {
                rule[name] = value.clone();
            }
            for invalid in PassRule::check(&rule) {
                prop_assert!(rule.pointer(&invalid.pointer).is_some(), "{:?}", invalid);
            }
            let mut rules = PassRules::default();
            match rules.add(&rule) {
                Ok(_) => {
                    let mut sets = ValueSets::default();
                    let _ = sets.add(&value);
                    let signed = Signed::default();
                    let judge = |trace| {
                        let judged = rules.judge(&question, &payload, &signed, &sets, trace);
                        judged.unwrap().result()
                    };
                    prop_assert_eq!(judge(false), judge(true));
                }
                Err(invalid) => prop_assert!(rule.pointer(&invalid.pointer).is_some()),
            }
            let _ = rules::cases(&value, Some(&rule));
        }
    }

    #[test]
    fn every_well_formed_rule_parses_and_evaluates_to_one_answer(
        source in expression(), data in json_value(),
    ) {
        let expression = Expression::parse(&source).unwrap();
        check(&expression, &data);
        check(&expression, &json!({ "a": [data, "2021-05-04", 3, null], "b": { "a": 1 } }));
        let text = serde_json::to_string(&expression).unwrap();
        prop_assert_eq!(&text, &source.to_string());
        prop_assert_eq!(serde_json::from_str::<Expression>(&text).unwrap(), expression);
    }

    #[test]
    fn decisions_are_reproducible_and_account_for_every_rule(
        sources in prop::collection::vec(expression(), 0..5), facts in json_value(), now in text(),
    ) {
        let rules: Vec<Value> = sources
            .iter()
            .enumerate()
            .map(|(at, logic)| json!({ "code": format!("rule-{at}"), "logic": logic, "outcome": at }))
            .collect();
        let set = RuleSet::parse(&json!({ "id": "x", "version": 7, "rules": rules })).unwrap();
        let text = serde_json::to_string(&set).unwrap();
        let again: RuleSet = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&serde_json::to_string(&again).unwrap(), &text);
        let decision = decide(&set, &facts, &now);
        prop_assert_eq!(&decide(&again, &facts, &now), &decision);
        prop_assert_eq!(decision.trace.len(), sources.len());
        let text = serde_json::to_string(&decision).unwrap();
        prop_assert_eq!(serde_json::from_str::<Decision>(&text).unwrap(), decision);
    }
}

/// `{"!": [{"!": [... value]}]}`
fn nested(depth: usize, inner: Value) -> Value {
    (0..depth).fold(inner, |value, _| json!({ "!": [value] }))
}

#[test]
fn a_rule_at_the_depth_limit_can_be_read_back_inside_a_set_and_one_deeper_is_refused() {
    let deepest = nested(DEPTH_MAX - 1, json!({ "var": "a" }));
    let set = json!({ "id": "x", "version": 1, "rules": [{ "code": "x", "logic": deepest, "outcome": 1 }] });
    let set = RuleSet::parse(&set).unwrap();
    assert_eq!(
        serde_json::from_str::<RuleSet>(&serde_json::to_string(&set).unwrap()).unwrap(),
        set
    );
    let invalid = Expression::parse(&nested(DEPTH_MAX, json!(true))).unwrap_err();
    assert_eq!(invalid.code, rules::InvalidCode::TooDeep);
    assert_eq!(invalid.pointer, "/!/0".repeat(DEPTH_MAX));
}

#[test]
fn data_deeper_than_any_parser_reads_are_refused_and_not_recursed_into() {
    let deep = (0..1_000).fold(json!(1), |value, _| Value::Array(vec![value]));
    let whole = Expression::parse(&json!({ "var": "" })).unwrap();
    assert_eq!(evaluate(&whole, &deep).unwrap_err().code, EvaluationCode::TooDeep);
    check(&whole, &deep);
    let set = RuleSet::parse(&json!({
        "id": "x", "version": 1, "rules": [{ "code": "x", "logic": true, "outcome": 1 }],
    }))
    .unwrap();
    let decision = decide(&set, &deep, "2026-01-01");
    assert_eq!((decision.matched.len(), decision.failed.len()), (0, 1));
}

/// Rules that would double, nest or multiply without end if nothing stopped them.
#[test]
fn a_rule_that_explodes_is_stopped() {
    let acc = json!({ "var": "accumulator" });
    let data = json!({ "items": vec![1; 5_000] });
    for lambda in [
        json!([acc, acc]),
        json!([acc]),
        json!({ "var": "" }),
        json!({ "reduce": [{ "var": "data.items" }, { "+": [acc, 1] }, 0] }),
        json!({ "in": [5, { "var": "data.items" }] }),
        Value::from(vec![acc.clone(); 100]),
        json!({ "and": vec![1; 1_000] }),
    ] {
        let source = json!({ "reduce": [{ "var": "items" }, lambda, 0] });
        let expression = Expression::parse(&source).unwrap();
        let error = evaluate(&expression, &data).unwrap_err();
        let is_limit = matches!(error.code, EvaluationCode::TooManySteps | EvaluationCode::TooDeep);
        assert!(is_limit, "{source}: {error:?}");
        check(&expression, &data);
    }
}
