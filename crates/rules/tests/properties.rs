//! What holds for every rule and all data: no panic, one answer, bounded work, and texts that read
//! back as what was written.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)] // test helpers outside of #[test] functions may stop the test

use proptest::prelude::*;
use rules::{
    DEPTH_MAX, Decision, EvaluationCode, Expression, Operation, RuleSet, TRACE_STEPS_MAX, decide,
    evaluate, evaluate_traced,
};
use serde_json::{Map, Value, json};

/// Texts that reach further into the engine than random ones do.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        prop::sample::select(vec![
            "",
            "a",
            "b",
            "0",
            "1",
            "a.0",
            "current",
            "accumulator",
            "data.a",
            "external.now",
            "2020-02-29",
            "2021",
            "2021-13",
            "2021-05-04T13:37:42.123+2:00",
            "9999-12-31",
            "URN:UVCI:01:KR:A/B#C",
            "day",
            "year",
        ])
        .prop_map(str::to_owned),
    ]
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-3_i64..4).prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 40, 5, |inner| {
        let key = prop_oneof![
            text(),
            prop::sample::select(Operation::ALL.to_vec()).prop_map(|it| it.as_str().to_owned()),
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..3)
                .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Rules that parse, of every operation.
fn expression() -> impl Strategy<Value = Value> {
    let path = prop::sample::select(vec![
        "",
        "a",
        "a.0",
        "b.a",
        "0",
        "current",
        "accumulator",
        "data",
        "data.a",
        "accumulator.0",
    ]);
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        (-20_i64..20).prop_map(Value::from),
        text().prop_filter("a literal of bounded size", |it| it.len() < 200).prop_map(Value::from),
        path.prop_map(|path| json!({ "var": path })),
    ];
    leaf.prop_recursive(6, 60, 3, |inner| {
        let two = prop::collection::vec(inner.clone(), 2..=2);
        let some = prop::collection::vec(inner.clone(), 2..=3);
        let amount = prop_oneof![-50_i64..50, -9_007_199_254_740_991_i64..9_007_199_254_740_991];
        let unit = prop::sample::select(vec!["year", "month", "day", "hour"]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec(inner.clone(), 3..=3).prop_map(|it| json!({ "if": it })),
            prop::collection::vec(inner.clone(), 3..=3).prop_map(|it| json!({ "reduce": it })),
            (prop::sample::select(vec!["===", "in", "+"]), two)
                .prop_map(|(name, it)| json!({ name: it })),
            (
                prop::sample::select(vec![
                    "and",
                    "<",
                    ">",
                    "<=",
                    ">=",
                    "after",
                    "before",
                    "not-after",
                    "not-before",
                ]),
                some
            )
                .prop_map(|(name, it)| json!({ name: it })),
            inner.clone().prop_map(|it| json!({ "!": [it] })),
            inner.clone().prop_map(|it| json!({ "dccDateOfBirth": [it] })),
            (inner.clone(), amount, unit)
                .prop_map(|(date, amount, unit)| json!({ "plusTime": [date, amount, unit] })),
            (inner, -2_i64..6).prop_map(|(it, index)| json!({ "extractFromUVCI": [it, index] })),
        ]
    })
}

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
        let _ = RuleSet::parse(&source);
        let set = json!({ "id": "x", "version": 1, "rules": [{ "code": "x", "logic": source, "outcome": data }] });
        if let Err(invalid) = RuleSet::parse(&set) {
            prop_assert!(set.pointer(&invalid.pointer).is_some());
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
