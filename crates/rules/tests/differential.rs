//! This engine beside certlogic-js, the reference evaluator and validator, on seeded random rules.
//!
//! The npm package is a peer of this test only; without Node or without the registry the test is
//! skipped, loudly.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr
)] // test helpers outside of #[test] functions may stop the test

mod generate;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use rules::{EvaluationCode, Expression, InvalidCode, evaluate};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The newest published version; its code does not change under us.
const PEER: &str = "certlogic-js@1.2.2";
const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/passes");

/// Reads one case a line, writes one answer a line.
const RUNNER: &str = r#"
const { evaluate } = require("certlogic-js");
const { validate } = require("certlogic-js/dist/validation");
const lines = require("fs").readFileSync(process.argv[2], "utf8").split("\n").filter((it) => it);
for (const line of lines) {
  const { logic, data, check } = JSON.parse(line);
  let answer;
  if (check) {
    answer = { issues: validate(logic).map((it) => it.message) };
  } else {
    try { answer = { value: evaluate(logic, data) }; } catch (error) { answer = { error: error.message }; }
  }
  console.log(JSON.stringify(answer));
}
"#;

/// The folder with the peer; `None`, loudly, when it cannot be had.
fn peer() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("certlogic-js");
    fs::create_dir_all(&folder).unwrap();
    if !folder.join("node_modules/certlogic-js/dist/index.js").is_file() {
        let installed = Command::new("npm")
            .args(["install", "--no-audit", "--no-fund", "--ignore-scripts", PEER, "--prefix"])
            .arg(&folder)
            .output();
        if !installed.is_ok_and(|it| it.status.success()) {
            eprintln!("SKIPPED: no npm, or no {PEER} from it: nothing was compared");
            return None;
        }
    }
    fs::write(folder.join("runner.js"), RUNNER).unwrap();
    Some(folder)
}

fn ask(folder: &Path, name: &str, cases: &[Value]) -> Option<Vec<Value>> {
    let file = folder.join(name);
    let lines: Vec<String> = cases.iter().map(Value::to_string).collect();
    fs::write(&file, lines.join("\n")).unwrap();
    let run = Command::new("node").arg(folder.join("runner.js")).arg(&file).output();
    let Ok(run) = run else {
        eprintln!("SKIPPED: no node: nothing was compared");
        return None;
    };
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let answers = String::from_utf8(run.stdout).unwrap();
    let answers: Vec<Value> = answers.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
    assert_eq!(answers.len(), cases.len());
    Some(answers)
}

/// Where the reference evaluator answers and this one does not, and is meant not to: equality of two
/// same structures or moments, texts that the specification calls undefined as dates, fractions as
/// truth, and what lies beyond the bounds.
fn is_meant(code: EvaluationCode) -> bool {
    matches!(
        code,
        EvaluationCode::NotComparable
            | EvaluationCode::NotADate
            | EvaluationCode::DateOutOfRange
            | EvaluationCode::NumberOutOfRange
            | EvaluationCode::TooManySteps
            | EvaluationCode::TooDeep
    )
}

/// Compares evaluations; how many had a value on both sides.
fn compare(cases: &[Value], answers: &[Value]) -> usize {
    let mut both = 0;
    let mut wrong = Vec::new();
    for (case, answer) in cases.iter().zip(answers) {
        let ours = evaluate(&Expression::parse(&case["logic"]).unwrap(), &case["data"]);
        let agrees = match (&ours, answer.get("value")) {
            (Ok(ours), Some(theirs)) => {
                both += 1;
                ours == theirs
            }
            (Err(error), Some(_)) => is_meant(error.code),
            (Err(_), None) => true,
            (Ok(_), None) => false,
        };
        if !agrees {
            wrong.push(format!("{case}\n  ours {ours:?}\n  theirs {answer}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        cases.len(),
        wrong[..wrong.len().min(20)].join("\n")
    );
    both
}

/// Paths that both sides read alike: in JavaScript a text has indices and a `length`.
fn reads_alike(rule: &Value) -> bool {
    match rule {
        Value::Object(fields) => fields.iter().all(|(name, value)| {
            let alike = ["a", "a.0", "b.a", "current", "accumulator"];
            if name == "var" { alike.iter().any(|it| value == it) } else { reads_alike(value) }
        }),
        Value::Array(items) => items.iter().all(reads_alike),
        _ => true,
    }
}

#[test]
fn random_rules_evaluate_as_the_reference_evaluator_has_it() {
    let Some(folder) = peer() else { return };
    // Its seed is always the same: what was found once is found again.
    let mut runner = TestRunner::deterministic();
    let strategy = generate::expression();
    let scalars = [
        json!(null),
        json!(true),
        json!(0),
        json!(-7),
        json!(3),
        json!(""),
        json!("apple"),
        json!("2021"),
        json!("2021-05"),
        json!("2020-02-29"),
        json!("2021-05-04T13:37:42.123+2:00"),
        json!([]),
        json!([1, "b"]),
        json!({}),
        json!({ "a": 1 }),
    ];
    let mut cases = Vec::new();
    while cases.len() < 20_000 {
        let logic = strategy.new_tree(&mut runner).unwrap().current();
        if reads_alike(&logic) {
            let pick = |at: usize| scalars[(cases.len() * 7 + at * 5 + at) % scalars.len()].clone();
            let data = json!({ "a": [pick(0), pick(1), pick(2)], "b": { "a": pick(3) } });
            cases.push(json!({ "logic": logic, "data": data }));
        }
    }
    let Some(answers) = ask(&folder, "random.jsonl", &cases) else { return };
    let both = compare(&cases, &answers);
    assert!(both > 3_000, "only {both} of {} had a value on both sides", cases.len());
}

#[test]
fn random_documents_are_refused_for_the_reasons_of_the_reference_validator() {
    let Some(folder) = peer() else { return };
    let mut runner = TestRunner::deterministic();
    let documents = generate::json_value();
    let expressions = generate::expression();
    let mut cases = Vec::new();
    for _ in 0..5_000 {
        let document = documents.new_tree(&mut runner).unwrap().current();
        let expression = expressions.new_tree(&mut runner).unwrap().current();
        let spoilt = json!({ "and": [document, expression, { "if": [document] }] });
        cases.extend([
            json!({ "logic": document, "check": true }),
            json!({ "logic": spoilt, "check": true }),
        ]);
    }
    let Some(answers) = ask(&folder, "check.jsonl", &cases) else { return };
    let mut compared = 0;
    for (case, answer) in cases.iter().zip(&answers) {
        let found = Expression::check(&case["logic"]);
        // Bounds are this engine's own.
        let own = [InvalidCode::NumberOutOfRange, InvalidCode::TooLarge, InvalidCode::TooDeep];
        if found.iter().any(|it| own.contains(&it.code)) {
            continue;
        }
        compared += 1;
        let issues = answer["issues"].as_array().unwrap();
        let ours: Vec<&str> = found.iter().map(|it| it.message.as_str()).collect();
        assert_eq!(ours.len(), issues.len(), "{case}: {ours:?} {issues:?}");
        for (ours, theirs) in found.iter().zip(issues) {
            // Numbers and structures are written differently there.
            let is_value =
                ours.code == InvalidCode::NotAnInteger || ours.message.contains("but it is");
            assert!(is_value || theirs == &json!(ours.message), "{case}: {ours:?} {theirs}");
        }
    }
    assert!(compared > 5_000, "{compared}");
}

#[test]
fn published_rules_evaluate_as_the_reference_evaluator_has_it_on_every_countrys_passes() {
    let root = Path::new(DATA).join("dgc-business-rules-testdata");
    if !root.is_dir() {
        eprintln!("SKIPPED: no folder {}", root.display());
        return;
    }
    let Some(folder) = peer() else { return };
    let (mut rules, mut data) = (Vec::new(), Vec::new());
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.ends_with("rule.json") {
                rules.push(path);
            } else if path.parent().is_some_and(|it| it.ends_with("tests")) {
                data.push(path);
            }
        }
    }
    rules.sort();
    data.sort();
    let read =
        |path: &PathBuf| serde_json::from_str::<Value>(&fs::read_to_string(path).unwrap()).unwrap();
    let rules: Vec<Value> = rules.iter().map(|it| read(it)["Logic"].clone()).collect();
    // Value sets are the same in all tests and large: a few of their codes do.
    let shorten = |mut test: Value| {
        let sets = test["external"]["valueSets"].as_object_mut();
        for codes in sets.into_iter().flat_map(serde_json::Map::values_mut) {
            if let Some(codes) = codes.as_array_mut() {
                codes.truncate(8);
            }
        }
        json!({ "payload": test["payload"], "external": test["external"] })
    };
    let data: Vec<Value> = data.iter().step_by(23).map(|it| shorten(read(it))).collect();
    let cases: Vec<Value> = rules
        .iter()
        .flat_map(|logic| data.iter().map(move |data| json!({ "logic": logic, "data": data })))
        .collect();
    let Some(answers) = ask(&folder, "published.jsonl", &cases) else { return };
    let both = compare(&cases, &answers);
    assert!(both > 3_000, "{both} of {}", cases.len());
}
