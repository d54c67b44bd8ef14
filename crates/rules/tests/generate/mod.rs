//! Random rules and data for tests: texts that reach far into the engine, JSON of any shape, and rules
//! that parse, of every operation.

use proptest::prelude::*;
use rules::Operation;
use serde_json::{Map, Value, json};

/// Texts that reach further into the engine than random ones do.
pub(crate) fn text() -> impl Strategy<Value = String> {
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

pub(crate) fn json_value() -> impl Strategy<Value = Value> {
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
pub(crate) fn expression() -> impl Strategy<Value = Value> {
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
