//! How many times a second one compiled core answers a typical rule, beside the cost of merely
//! reading its data as JSON.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stderr)] // a benchmark that cannot set itself up should stop

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rules::{
    Expression, PassRules, Question, RuleSet, Signed, ValueSets, decide, evaluate, evaluate_traced,
};
use serde_json::{Value, json};
use std::fs;
use std::hint::black_box;
use std::path::Path;

/// "The last contact is at most 14 days ago": two readings, two dates, one comparison.
fn typical_rule() -> Value {
    json!({ "and": [
        { "var": "payload.contact.last_on" },
        { "not-after": [
            { "plusTime": [ { "var": "external.now" }, 0, "day" ] },
            { "plusTime": [ { "var": "payload.contact.last_on" }, 14, "day" ] }
        ] }
    ] })
}

fn facts() -> Value {
    json!({ "contact": { "with": "confirmed", "last_on": "2026-03-01" }, "symptoms": ["cough"] })
}

const NOW: &str = "2026-03-10T08:30:00.000Z";

fn benches(criterion: &mut Criterion) {
    let rule = Expression::parse(&typical_rule()).unwrap();
    let data = json!({ "payload": facts(), "external": { "now": NOW } });
    let text = data.to_string();
    let set = RuleSet::parse(&json!({
        "id": "bench", "version": 1, "parameters": { "contact_days": 14 },
        "rules": [{ "code": "contact", "logic": typical_rule(), "outcome": { "colour": "red" } }],
    }))
    .unwrap();

    let mut group = criterion.benchmark_group("rules");
    group.throughput(Throughput::Elements(1));
    group.bench_function("evaluate", |bench| bench.iter(|| evaluate(&rule, black_box(&data))));
    group.bench_function("evaluate_traced", |bench| {
        bench.iter(|| evaluate_traced(&rule, black_box(&data)));
    });
    group.bench_function("decide", |bench| {
        let facts = facts();
        bench.iter(|| decide(&set, black_box(&facts), NOW));
    });
    group.bench_function("parse_rule", |bench| {
        let source = typical_rule();
        bench.iter(|| Expression::parse(black_box(&source)));
    });
    group.bench_function("serde_json_reads_the_data", |bench| {
        bench.iter(|| serde_json::from_str::<Value>(black_box(&text)));
    });
    group.finish();
}

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/passes");

fn read(path: &Path) -> Option<Value> {
    serde_json::from_str(&fs::read_to_string(path).ok()?).ok()
}

/// Every published rule on each of its own tests: one evaluation is one rule on one real pass.
fn published(criterion: &mut Criterion) {
    let root = Path::new(DATA).join("dgc-business-rules-testdata");
    let mut cases: Vec<(Expression, Value)> = Vec::new();
    let mut all = PassRules::default();
    let folders = |path: &Path| fs::read_dir(path).into_iter().flatten().flatten();
    for folder in folders(&root).flat_map(|it| folders(&it.path())) {
        let Some(rule) = read(&folder.path().join("rule.json")) else { continue };
        let logic = Expression::parse(&rule["Logic"]).unwrap();
        let _ = all.add(&rule).unwrap();
        for test in folders(&folder.path().join("tests")) {
            let Some(test) = read(&test.path()) else { continue };
            let data = json!({ "payload": test["payload"], "external": test["external"] });
            cases.push((logic.clone(), data));
        }
    }
    if cases.is_empty() {
        eprintln!("SKIPPED: no published rules in {}", root.display());
        return;
    }
    let mut group = criterion.benchmark_group("published");
    group.throughput(Throughput::Elements(u64::try_from(cases.len()).unwrap()));
    group.bench_function("evaluate_every_rule_on_its_tests", |bench| {
        bench.iter(|| {
            for (logic, data) in &cases {
                let _ = black_box(evaluate(logic, black_box(data)));
            }
        });
    });
    group.finish();

    let mut sets = ValueSets::default();
    let _ = sets.add(&read(&root.join("valuesets/valueSets.json")).unwrap()).unwrap();
    let payload = json!({ "ver": "1.3.0", "dob": "1980-01-01", "v": [{ "tg": "840539006",
        "vp": "1119349007", "mp": "EU/1/20/1528", "ma": "ORG-100030215", "dn": 2, "sd": 2,
        "dt": "2022-01-01", "co": "DE", "is": "RKI", "ci": "URN:UVCI:01DE/IZ12345A/1#S" }] });
    let clock = "2022-03-01T12:00:00Z";
    let question = Question { country: "DE", region: "", issuer: "DE", clock };
    let asked = all.judge(&question, &payload, &Signed::default(), &sets, false).unwrap();
    let mut group = criterion.benchmark_group("published");
    group.throughput(Throughput::Elements(u64::try_from(asked.asked.len()).unwrap()));
    group.bench_function("judge_a_pass_by_germanys_rules_of_all", |bench| {
        bench.iter(|| all.judge(&question, black_box(&payload), &Signed::default(), &sets, false));
    });
    group.finish();
}

criterion_group!(all, benches, published);
criterion_main!(all);
