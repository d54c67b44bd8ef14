//! How many times a second one compiled core answers a typical rule, beside the cost of merely
//! reading its data as JSON.
#![allow(clippy::unwrap_used)] // a benchmark that cannot set itself up should stop

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rules::{Expression, RuleSet, decide, evaluate, evaluate_traced};
use serde_json::{Value, json};
use std::hint::black_box;

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

criterion_group!(all, benches);
criterion_main!(all);
