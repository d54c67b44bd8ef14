//! The meaning of each operation where the official suites are thin: nulls, errors and their codes,
//! ternary comparisons, folds, what a trace says, what a rule set refuses.
// Helpers outside of #[test] functions may stop the test; they take `json!` values as they come.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::needless_pass_by_value
)]

use rules::EvaluationCode::{
    DateOutOfRange, NotABoolean, NotADate, NotADateTime, NotAText, NotAnArray, NotAnInteger,
    NotComparable, NumberOutOfRange,
};
use rules::{
    EvaluationCode, Expression, InvalidCode, Operation, RuleSet, decide, evaluate, evaluate_traced,
};
use serde_json::{Value, json};

#[track_caller]
fn check(source: Value, data: Value, expected: Value) {
    assert_eq!(evaluate(&Expression::parse(&source).unwrap(), &data), Ok(expected));
}

#[track_caller]
fn check_error(source: Value, data: Value, pointer: &str, code: EvaluationCode) {
    let error = evaluate(&Expression::parse(&source).unwrap(), &data).unwrap_err();
    assert_eq!((error.pointer.as_str(), error.code), (pointer, code));
}

#[track_caller]
fn check_invalid(source: Value, pointer: &str, code: InvalidCode) {
    let invalid = Expression::parse(&source).unwrap_err();
    assert_eq!((invalid.pointer.as_str(), invalid.code), (pointer, code));
}

fn date(text: &str) -> Value {
    json!({ "plusTime": [text, 0, "day"] })
}

#[test]
fn literals_and_arrays_evaluate_to_themselves() {
    for literal in [json!(true), json!(17), json!("apple"), json!(["a", [1, "b"], []])] {
        check(literal.clone(), json!({}), literal);
    }
    check(json!([{ "var": "a" }, 1]), json!({ "a": [2] }), json!([[2], 1]));
    check(date("2021-02"), json!(null), json!("2021-02-28T00:00:00.000Z"));
}

#[test]
fn membership_is_by_value_and_null_is_a_value() {
    let rule = || json!({ "in": [{ "var": "x" }, { "var": "y" }] });
    check(rule(), json!({ "y": [] }), json!(false));
    check(rule(), json!({ "y": [null] }), json!(true));
    check(rule(), json!({ "x": "a", "y": ["b", "a"] }), json!(true));
    check(rule(), json!({ "x": "1", "y": [1, "b", {}] }), json!(false));
    check_error(rule(), json!({ "x": "a" }), "", NotAnArray);
    check_error(rule(), json!({ "x": "a", "y": "abc" }), "", NotAnArray);
    check(rule(), json!({ "x": {}, "y": [{ "a": 1 }, "a"] }), json!(false));
    check_error(rule(), json!({ "x": {}, "y": [{}] }), "", NotComparable);
}

#[test]
fn equality_coerces_nothing_and_refuses_only_what_evaluators_disagree_on() {
    let rule = || json!({ "===": [{ "var": "0" }, { "var": "1" }] });
    check(rule(), json!([1, 1.0]), json!(true));
    check(rule(), json!([0, "0"]), json!(false));
    check(rule(), json!([0, false]), json!(false));
    check(rule(), json!([]), json!(true));
    check(rule(), json!([null, ""]), json!(false));
    check_error(rule(), json!([[1], [1]]), "", NotComparable);
    check(rule(), json!([[1], [2]]), json!(false));
    check(rule(), json!([[], {}]), json!(false));
    check(rule(), json!([{ "a": 1 }, { "a": 2 }]), json!(false));
    check_error(rule(), json!([{ "a": 1 }, { "a": 1 }]), "", NotComparable);
    check(rule(), json!([0.5, 0.5]), json!(true));
    check(rule(), json!([0.5, 0.25]), json!(false));
    check(json!({ "===": [date("2021-01-01"), date("2021-01-02")] }), json!(null), json!(false));
    check(json!({ "===": [date("2021-01-01"), "2021-01-01"] }), json!(null), json!(false));
    let dates = json!({ "===": [date("2021-01-01"), date("2021-01-01")] });
    check_error(dates, json!(null), "", NotComparable);
}

#[test]
fn comparisons_chain_and_take_integers_or_date_times_only() {
    for (name, numbers, expected) in [
        ("<", json!([1, 2, 3]), true),
        ("<", json!([1, 1, 3]), false),
        ("<", json!([1, 4, 3]), false),
        (">", json!([3, 2, 1]), true),
        (">", json!([3, 2, 2]), false),
        (">=", json!([2, 2, 1]), true),
        (">=", json!([2, 1]), true),
        ("<=", json!([1, 2, 2]), true),
        ("<=", json!([2, 1]), false),
    ] {
        check(json!({ name: numbers }), json!(null), json!(expected));
    }
    let (first, second) = (date("2021-01-01"), date("2021-01-02"));
    for (name, rising, equal, falling) in [
        ("after", false, false, true),
        ("before", true, false, false),
        ("not-after", true, true, false),
        ("not-before", false, true, true),
    ] {
        check(json!({ name: [first, second] }), json!(null), json!(rising));
        check(json!({ name: [first, first] }), json!(null), json!(equal));
        check(json!({ name: [second, first] }), json!(null), json!(falling));
    }
    check_error(json!({ "<": [1, "2"] }), json!(null), "", NotAnInteger);
    check_error(json!({ "<": [1, { "var": "x" }] }), json!({ "x": 1.5 }), "", NotAnInteger);
    // Not lazy: the third operand is looked at although the first pair decides.
    check_error(json!({ "<": [2, 1, "x"] }), json!(null), "", NotAnInteger);
    check_error(json!({ "after": ["2021-01-01", first] }), json!(null), "", NotADateTime);
}

#[test]
fn sums_are_of_integers_that_every_evaluator_holds_exactly() {
    let rule = || json!({ "+": [{ "var": "0" }, 1] });
    check(rule(), json!([41]), json!(42));
    check(rule(), json!([9_007_199_254_740_990_i64]), json!(9_007_199_254_740_991_i64));
    check_error(rule(), json!([9_007_199_254_740_991_i64]), "", NumberOutOfRange);
    check_error(rule(), json!(["1"]), "", NotAnInteger);
    check_error(rule(), json!([]), "", NotAnInteger);
}

#[test]
fn conditions_take_only_what_is_truthy_or_falsy() {
    check(json!({ "if": [[], "T", "F"] }), json!(null), json!("F"));
    check(json!({ "if": ["0", "T", "F"] }), json!(null), json!("T"));
    check(json!({ "!": [{ "var": "x" }] }), json!({}), json!(true));
    check(json!({ "and": [1, "0", [0]] }), json!(null), json!([0]));
    check_error(json!({ "if": [date("2021"), 1, 2] }), json!(null), "", NotABoolean);
    check_error(json!({ "!": [{ "var": "x" }] }), json!({ "x": 36.6 }), "", NotABoolean);
    check_error(json!({ "and": [true, date("2021")] }), json!(null), "", NotABoolean);
}

#[test]
fn dates_that_cannot_be_read_are_errors_at_their_place() {
    let rule = || {
        json!({ "and": [true, { "after": [
        { "dccDateOfBirth": [{ "var": "dob" }] },
        { "plusTime": [{ "var": "now" }, -18, "year"] }
    ] }] })
    };
    let now = "2022-01-30T13:37:00.042Z";
    check(rule(), json!({ "dob": "2004-01", "now": now }), json!(true));
    check(rule(), json!({ "dob": "2004-01-30", "now": now }), json!(false));
    check(rule(), json!({ "dob": "2004", "now": "2022-12-31T00:00:00Z" }), json!(false));
    let (born, clock) = ("/and/1/after/0", "/and/1/after/1");
    check_error(rule(), json!({ "dob": "2004-13", "now": now }), born, NotADate);
    check_error(rule(), json!({ "dob": null, "now": now }), born, NotAText);
    check_error(rule(), json!({ "dob": "2004", "now": 5 }), clock, NotAText);
    check_error(rule(), json!({ "dob": "2004", "now": "0017-01-01" }), clock, DateOutOfRange);
    let twice = json!({ "plusTime": [date("2021"), 1, "day"] });
    check_error(twice, json!(null), "", NotAText);
}

#[test]
fn a_fold_carries_date_times_and_sees_the_data_around_it() {
    let latest = json!({ "reduce": [
        { "var": "stays" },
        { "if": [
            { "after": [
                { "plusTime": [{ "var": "current.until" }, 0, "day"] },
                { "var": "accumulator" }
            ] },
            { "plusTime": [{ "var": "current.until" }, 0, "day"] },
            { "var": "accumulator" }
        ] },
        date("1970-01-01")
    ] });
    let stays = json!({ "stays": [{ "until": "2021-03-01" }, { "until": "2021-02-01" }] });
    check(latest, stays, json!("2021-03-01T00:00:00.000Z"));

    let nested = json!({ "reduce": [
        { "var": "rows" },
        { "+": [{ "var": "accumulator" }, { "reduce": [
            { "var": "current" },
            { "if": [
                { "in": [{ "var": "current" }, { "var": "data.data.risky" }] },
                { "+": [{ "var": "accumulator" }, { "var": "data.data.weight" }] },
                { "var": "accumulator" }
            ] },
            0
        ] }] },
        0
    ] });
    let data = json!({ "rows": [["a", "b"], [], ["b", "b"]], "risky": ["b"], "weight": 10 });
    check(nested, data, json!(30));

    check(
        json!({ "reduce": [[5], { "var": "" }, 0] }),
        json!(null),
        json!({ "accumulator": 0, "current": 5 }),
    );
    check(json!({ "reduce": [{ "var": "x" }, 1, "initial"] }), json!({}), json!("initial"));
    check_error(json!({ "reduce": ["abc", 1, 0] }), json!(null), "", NotAnArray);
}

#[test]
fn an_identifier_is_a_text_or_null() {
    let rule = || json!({ "extractFromUVCI": [{ "var": "ci" }, 1] });
    check(rule(), json!({ "ci": "URN:UVCI:01:KR:A/B#C" }), json!("KR"));
    check(rule(), json!({ "ci": "urn:uvci:01:KR" }), json!("uvci"));
    check(rule(), json!({}), json!(null));
    check_error(rule(), json!({ "ci": 5 }), "", NotAText);
}

#[test]
fn only_objects_have_keys_and_only_arrays_have_indices() {
    check(json!({ "var": "a.0" }), json!({ "a": "text" }), json!(null));
    check(json!({ "var": "a.length" }), json!({ "a": [1, 2] }), json!(null));
    check(json!({ "var": "-1" }), json!([1]), json!(null));
    check(json!({ "var": "+1" }), json!([1, 2]), json!(null));
    check(json!({ "var": "0" }), json!({ "0": "key" }), json!("key"));
    check(json!({ "var": "99999999999999999999999" }), json!([1]), json!(null));
}

#[test]
fn every_kind_of_broken_rule_is_refused_at_its_place() {
    use InvalidCode::{
        MalformedOperand, MalformedOperation, MalformedPath, NotAnExpression, NotAnInteger,
        NotOneOperator, NumberOutOfRange, TooLarge, UnknownOperator, WrongOperandCount,
    };
    check_invalid(json!({ "and": [true, null] }), "/and/1", NotAnExpression);
    check_invalid(json!({ "<": [1, 2.5] }), "/</1", NotAnInteger);
    check_invalid(json!([1, 9_007_199_254_740_992_i64]), "/1", NumberOutOfRange);
    check_invalid(json!({ "!": [{ "a": 1, "b": 2 }] }), "/!/0", NotOneOperator);
    check_invalid(json!({ "!": [{ "!": true }] }), "/!/0", MalformedOperation);
    check_invalid(json!({ "!": [{ "or": [1, 2] }] }), "/!/0", UnknownOperator);
    check_invalid(json!({ "!": [{ "var": ["x"] }] }), "/!/0", MalformedOperation);
    check_invalid(json!({ "!": [{ "var": "a..b" }] }), "/!/0", MalformedPath);
    check_invalid(json!({ "plusTime": ["2021", "1", "day"] }), "/plusTime/1", NotAnInteger);
    check_invalid(json!({ "plusTime": ["2021", 1, "week"] }), "/plusTime/2", MalformedOperand);
    check_invalid(json!({ "extractFromUVCI": ["x", true] }), "/extractFromUVCI/1", NotAnInteger);
    check_invalid(json!("x".repeat(5_000)), "", TooLarge);
    check_invalid(json!({ "var": "x".repeat(600) }), "", TooLarge);
    check_invalid(json!(vec![1; 10_000]), "/9999", TooLarge);
    for name in Operation::ALL.into_iter().map(Operation::as_str).filter(|name| *name != "var") {
        check_invalid(json!({ "!": [{ name: [] }] }), "/!/0", WrongOperandCount);
        if name != "and" {
            check_invalid(json!({ name: [1, 2, 3, 4] }), "", WrongOperandCount);
        }
    }
}

#[test]
fn a_trace_lists_what_was_evaluated_and_leaves_out_what_was_not() {
    let rule = Expression::parse(&json!({ "and": [
        { "var": "a" },
        { "if": [{ "===": [{ "var": "b" }, 1] }, { "var": "c" }, { "var": "d" }] },
        { "var": "e" }
    ] }))
    .unwrap();
    let (value, trace) = evaluate_traced(&rule, &json!({ "a": "x", "b": 1, "c": 0 }));
    assert_eq!(value, Ok(json!(0)));
    assert_eq!(
        serde_json::to_value(&trace).unwrap(),
        json!({
            "steps": [
                { "pointer": "/and/0", "operation": "var", "inputs": ["a"], "value": "x" },
                { "pointer": "/and/1/if/0/===/0", "operation": "var", "inputs": ["b"], "value": 1 },
                { "pointer": "/and/1/if/0", "operation": "===", "inputs": [1, 1], "value": true },
                { "pointer": "/and/1/if/1", "operation": "var", "inputs": ["c"], "value": 0 },
                { "pointer": "/and/1", "operation": "if", "inputs": [true, 0], "value": 0 },
                { "pointer": "", "operation": "and", "inputs": ["x", 0], "value": 0 },
            ],
            "truncated": false,
        })
    );
}

#[test]
fn a_trace_of_dates_shows_what_was_read_and_what_came_of_it() {
    let rule = Expression::parse(&json!({ "plusTime": [{ "var": "at" }, 14, "day"] })).unwrap();
    let (_, trace) = evaluate_traced(&rule, &json!({ "at": "2021-01-31" }));
    let last = trace.steps.last().unwrap();
    assert_eq!(last.inputs, [json!("2021-01-31"), json!(14), json!("day")]);
    assert_eq!(last.value, json!("2021-02-14T00:00:00.000Z"));
}

#[test]
fn a_trace_keeps_the_size_of_what_is_too_large_and_says_when_it_ends_early() {
    let rule = Expression::parse(&json!({ "reduce": [
        { "var": "list" }, { "+": [{ "var": "accumulator" }, 1] }, 0
    ] }))
    .unwrap();
    let data = json!({ "list": vec![0; 2_000], "text": "가".repeat(100) });
    let (value, trace) = evaluate_traced(&rule, &data);
    assert_eq!(value, Ok(json!(2_000)));
    assert_eq!(trace.steps[0].value, json!({ "omitted": "array", "length": 2_000 }));
    assert_eq!((trace.steps.len(), trace.truncated), (rules::TRACE_STEPS_MAX, true));
    let text = Expression::parse(&json!({ "var": "text" })).unwrap();
    let (_, trace) = evaluate_traced(&text, &data);
    assert_eq!(trace.steps[0].value, json!({ "omitted": "string", "length": 300 }));
}

#[test]
fn a_failed_evaluation_keeps_the_steps_before_it() {
    let rule = Expression::parse(&json!({ "+": [{ "var": "a" }, { "var": "b" }] })).unwrap();
    let (value, trace) = evaluate_traced(&rule, &json!({ "a": 1 }));
    assert_eq!(value.unwrap_err().code, NotAnInteger);
    assert_eq!(trace.steps.len(), 2);
}

fn contact_rules() -> Value {
    json!({
        "id": "code.colour",
        "version": 3,
        "valid_from": "2026-03-01T00:00:00+09:00",
        "parameters": { "feverish": 375 },
        "rules": [
            {
                "code": "contact-recent",
                "logic": { "and": [{ "var": "payload.contact_on" }, { "not-after": [
                    { "plusTime": [{ "var": "external.now" }, 0, "day"] },
                    { "plusTime": [{ "var": "payload.contact_on" }, 14, "day"] }
                ] }] },
                "outcome": { "colour": "red", "days": 14 },
            },
            {
                "code": "fever",
                "logic": { ">=": [{ "var": "payload.temperature" }, { "var": "external.feverish" }] },
                "outcome": { "colour": "yellow", "days": 7 },
            },
        ],
    })
}

#[test]
fn a_decision_names_the_rules_that_matched_and_those_that_could_not_be_asked() {
    let set = RuleSet::parse(&contact_rules()).unwrap();
    let codes = |facts: Value, now: &str| {
        let decision = decide(&set, &facts, now);
        assert_eq!(decision.trace.len(), 2);
        let matched: Vec<String> = decision.matched.into_iter().map(|it| it.code).collect();
        let failed: Vec<String> = decision.failed.into_iter().map(|it| it.code).collect();
        (matched.join(" "), failed.join(" "))
    };
    let facts = json!({ "contact_on": "2026-03-01", "temperature": 380 });
    let expect = |matched: &str, failed: &str| (matched.to_owned(), failed.to_owned());
    assert_eq!(codes(facts.clone(), "2026-03-15T00:00:00Z"), expect("contact-recent fever", ""));
    assert_eq!(codes(facts.clone(), "2026-03-15T00:00:01Z"), expect("fever", ""));
    assert_eq!(codes(facts, "yesterday"), expect("fever", "contact-recent"));
    assert_eq!(codes(json!({}), "2026-03-15T00:00:00Z"), expect("", "fever"));
    assert_eq!(codes(json!(null), "2026-03-15T00:00:00Z"), expect("", "fever"));
}

#[test]
fn a_rule_that_is_neither_truthy_nor_falsy_fails_instead_of_not_matching() {
    let mut source = contact_rules();
    source["rules"][0]["logic"] = date("2021");
    let decision = decide(&RuleSet::parse(&source).unwrap(), &json!({ "temperature": 1 }), "2026");
    assert!(decision.matched.is_empty());
    assert_eq!(decision.failed[0].error.code, NotABoolean);
}

#[test]
fn a_rule_set_is_written_as_it_was_read() {
    let set = RuleSet::parse(&contact_rules()).unwrap();
    assert_eq!(serde_json::to_string(&set).unwrap(), contact_rules().to_string());
    assert_eq!((set.id(), set.version(), set.rules().len()), ("code.colour", 3, 2));
    assert_eq!(set.valid_from(), Some("2026-03-01T00:00:00+09:00"));
    assert_eq!(set.parameters(), &json!({ "feverish": 375 }));
}

#[test]
fn every_kind_of_broken_rule_set_is_refused_at_its_place() {
    use InvalidCode::{
        DuplicateCode, MalformedField, TooDeep, TooLarge, UnknownField, UnknownOperator,
    };
    let deep = (0..40).fold(json!(1), |value, _| json!([value]));
    let rule = json!({ "code": "x", "logic": true, "outcome": 1 });
    for (place, value, pointer, code) in [
        ("/id", json!("Ä"), "/id", MalformedField),
        ("/id", json!(""), "/id", MalformedField),
        ("/version", json!(0), "/version", MalformedField),
        ("/version", json!(4_294_967_296_u64), "/version", MalformedField),
        ("/valid_from", json!("soon"), "/valid_from", MalformedField),
        ("/parameters", json!([]), "/parameters", MalformedField),
        ("/parameters", json!({ "now": 1 }), "/parameters", MalformedField),
        ("/parameters", json!({ "a": deep }), "/parameters", TooDeep),
        ("/rules", json!({}), "/rules", MalformedField),
        ("/rules", json!([rule, rule]), "/rules/1/code", DuplicateCode),
        ("/rules", json!(vec![rule; 257]), "/rules", TooLarge),
        ("/rules/1/code", json!("contact recent"), "/rules/1/code", MalformedField),
        ("/rules/1/logic", json!({ "or": [] }), "/rules/1/logic", UnknownOperator),
        ("/rules/1", json!({ "code": "x", "logic": 1 }), "/rules/1/outcome", MalformedField),
        ("/rules/1", json!({ "code": "x", "when": 1 }), "/rules/1", UnknownField),
        ("", json!([]), "", MalformedField),
        ("", json!({ "id": "x", "rule": [] }), "", UnknownField),
    ] {
        let mut source = contact_rules();
        *source.pointer_mut(place).unwrap() = value;
        let invalid = RuleSet::parse(&source).unwrap_err();
        assert_eq!((invalid.pointer.as_str(), invalid.code), (pointer, code), "{place}");
        let message = serde_json::from_value::<RuleSet>(source).unwrap_err().to_string();
        assert_eq!(message, invalid.to_string());
    }
}

#[test]
fn a_check_names_every_mistake_in_reading_order() {
    let found = Expression::check(&json!({ "and": [
        null,
        { "if": [{ "var": "a." }, 1.5] },
        { "plusTime": [null, "x", "week"] },
        { "!": [null, null] },
        { "or": [null] },
        { "===": [1, 2, null] },
    ] }));
    let found: Vec<_> = found.iter().map(|it| format!("{} {}", it.pointer, it.message)).collect();
    assert_eq!(
        found,
        [
            "/and/0 invalid CertLogic expression",
            "/and/1 an \"if\"-operation must have exactly 3 values/operands, but it has 2",
            "/and/1/if/0 data access path doesn't have a valid format: a.",
            "/and/1/if/1 1.5 is a non-integer number",
            "/and/2/plusTime/0 invalid CertLogic expression",
            "/and/2/plusTime/1 \"amount\" argument (#2) of \"plusTime\" must be an integer, but it is: x",
            "/and/2/plusTime/2 \"unit\" argument (#3) of \"plusTime\" must be a string equal to one of \
             year, month, day, hour, but it is: week",
            "/and/3 a !-operation (logical not/negation) must have exactly 1 operand, but it has 2",
            "/and/4 unrecognised operator: \"or\"",
            "/and/5 an operation with operator \"===\" must have 2 operands, but it has 3",
        ]
    );
    assert_eq!(Expression::check(&json!(vec![Value::Null; 9_000])).len(), rules::FINDINGS_MAX);
    assert_eq!(Expression::check(&json!({ "var": "a" })), []);
}
