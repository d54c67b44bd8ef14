//! The official suites: CertLogic's own evaluator and validator suites, and the rules that European
//! countries published with their tests. Read from the data folder beside the repository.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr
)] // test helpers outside of #[test] functions may stop the test

use rules::{Expression, Invalid, RuleSet, decide, evaluate, evaluate_traced};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/passes");

/// Every JSON file below a folder of the data, sorted; `None`, loudly, when there is no such folder.
fn files(folder: &str) -> Option<Vec<(PathBuf, Value)>> {
    let root = Path::new(DATA).join(folder);
    if !root.is_dir() {
        eprintln!("SKIPPED: no folder {}", root.display());
        return None;
    }
    let mut folders = vec![root];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "json") {
                match serde_json::from_str(&fs::read_to_string(&path).unwrap()) {
                    Ok(value) => files.push((path, value)),
                    // One file of the published rules has a trailing comma; it is not a rule.
                    Err(error) => eprintln!("SKIPPED: {}: {error}", path.display()),
                }
            }
        }
    }
    files.sort_by(|(left, _), (right, _)| left.cmp(right));
    Some(files)
}

fn items<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

/// The evaluation, after checking that tracing does not change it and that it can be written down.
fn value_of(source: &Value, data: &Value) -> Result<Value, String> {
    let expression = Expression::parse(source).map_err(|invalid| invalid.to_string())?;
    let again: Expression =
        serde_json::from_str(&serde_json::to_string(&expression).unwrap()).unwrap();
    assert_eq!(again, expression);
    let (traced, trace) = evaluate_traced(&expression, data);
    let plain = evaluate(&expression, data);
    assert_eq!(plain, traced);
    for step in &trace.steps {
        let place = source.pointer(&step.pointer).expect("a step points into the rule");
        assert!(place.get(step.operation.as_str()).is_some(), "{} at {place}", step.pointer);
    }
    plain.map_err(|error| error.to_string())
}

#[test]
fn every_assertion_of_the_evaluator_suite_holds() {
    let Some(files) = files("certlogic/testSuite") else { return };
    let mut assertions = 0;
    let mut wrong = Vec::new();
    for (path, suite) in &files {
        // "patched reduce" is skipped by evaluators without `data` in lambdas; this one has it.
        for case in items(suite, "cases") {
            for assertion in items(case, "assertions") {
                if assertion["directive"] == "skip" {
                    continue;
                }
                let source = assertion
                    .get("certLogicExpression")
                    .or_else(|| case.get("certLogicExpression"))
                    .unwrap();
                let actual = value_of(source, &assertion["data"]);
                assertions += 1;
                if actual.as_ref() != Ok(&assertion["expected"]) {
                    wrong.push(format!("{}: {source} on {assertion}: {actual:?}", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(files.len() >= 10 && assertions >= 117, "{assertions} assertions: some are missing");
}

#[test]
fn every_case_of_the_validator_suite_finds_what_it_should() {
    let Some(files) = files("certlogic/validation-testSuite") else { return };
    let mut cases = 0;
    for (path, suite) in &files {
        for case in items(suite, "cases") {
            cases += 1;
            let source = &case["certLogicExpression"];
            let found = Expression::parse(source).err();
            let found = found.map(|Invalid { pointer, message, .. }| {
                json!({ "expr": source.pointer(&pointer).unwrap(), "message": message })
            });
            let expected = items(case, "issues");
            assert!(expected.len() <= 1, "this parser reports the first issue only");
            assert_eq!(found.as_ref(), expected.first(), "{}: {source}", path.display());
        }
    }
    assert_eq!((files.len(), cases), (4, 23), "the suite is complete");
}

#[test]
fn the_published_rules_of_the_member_states_answer_as_their_tests_say() {
    let Some(files) = files("dgc-business-rules-testdata") else { return };
    let mut rules = 0;
    let mut tests = 0;
    let mut wrong = Vec::new();
    for (path, rule) in files.iter().filter(|(path, _)| path.ends_with("rule.json")) {
        rules += 1;
        let folder = path.parent().unwrap().join("tests");
        let logic = &rule["Logic"];
        for (path, test) in files.iter().filter(|(path, _)| path.starts_with(&folder)) {
            tests += 1;
            let data = json!({ "payload": test["payload"], "external": test["external"] });
            let actual = value_of(logic, &data);
            if actual.as_ref() != Ok(&test["expected"]) {
                wrong.push(format!(
                    "{}: {actual:?} instead of {}",
                    path.display(),
                    test["expected"]
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(rules >= 194 && tests >= 566, "{rules} rules, {tests} tests: some are missing");
}

#[test]
fn a_published_rule_decides_inside_a_set() {
    let Some(files) = files("dgc-business-rules-testdata/DE/VR-DE-0001") else { return };
    let (_, rule) = files.iter().find(|(path, _)| path.ends_with("rule.json")).unwrap();
    let set = RuleSet::parse(&json!({
        "id": "vr-de", "version": 1,
        "rules": [{ "code": "complete", "logic": rule["Logic"], "outcome": true }],
    }))
    .unwrap();
    let matched = |done| {
        let facts = json!({ "v": [{ "dn": done, "sd": 2 }] });
        decide(&set, &facts, "2026-01-01T00:00:00Z").matched.len()
    };
    assert_eq!((matched(1), matched(2)), (0, 1));
}
