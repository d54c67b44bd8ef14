//! Rules for passes: which of them are selected, when one is open, what they say together; and the
//! published rules of the member states, each on its own tests through the whole of that.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr
)] // test helpers outside of #[test] functions may stop the test

use rules::{
    CertificateType, EvaluationCode, InvalidCode, Open, PassRule, PassRules, Question, RuleKind,
    RuleResult, Signed, ValueSets,
};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/passes");

fn rule(identifier: &str) -> Value {
    json!({
        "Identifier": identifier, "Type": "Acceptance", "Country": "KR", "Version": "1.0.0",
        "SchemaVersion": "1.0.0", "Engine": "CERTLOGIC", "EngineVersion": "0.7.5",
        "CertificateType": "Vaccination",
        "Description": [{ "lang": "en", "desc": "The series of doses must be complete." }],
        "ValidFrom": "2022-01-01T00:00:00Z", "ValidTo": "2022-12-31T23:59:59Z",
        "AffectedFields": ["v.0.dn", "v.0.sd"],
        "Logic": { ">=": [{ "var": "payload.v.0.dn" }, { "var": "payload.v.0.sd" }] }
    })
}

fn with(mut rule: Value, changes: &[(&str, Value)]) -> Value {
    for (name, value) in changes {
        rule[*name] = value.clone();
    }
    rule
}

fn payload(done: i64) -> Value {
    json!({ "ver": "1.3.0", "v": [{ "dn": done, "sd": 2, "tg": "840539006" }] })
}

const QUESTION: Question<'static> =
    Question { country: "KR", region: "", issuer: "DE", clock: "2022-06-01T00:00:00Z" };

fn collection(rules: &[Value]) -> PassRules {
    let mut collection = PassRules::default();
    assert_eq!(collection.add(&Value::from(rules)).unwrap(), rules.len());
    collection
}

/// Identifier and version of what is selected for a vaccination.
fn selected(rules: &PassRules, question: &Question<'_>) -> Vec<String> {
    let selected = rules.select(question, CertificateType::Vaccination).unwrap();
    selected.iter().map(|it| format!("{} {}", it.identifier, it.version)).collect()
}

#[test]
fn acceptance_is_by_the_country_of_arrival_and_invalidation_by_the_issuers() {
    let invalidation = |identifier: &str, country: &str| {
        with(rule(identifier), &[("Type", json!("Invalidation")), ("Country", json!(country))])
    };
    let rules = collection(&[
        invalidation("IR-DE-0001", "DE"),
        invalidation("IR-KR-0001", "KR"),
        rule("VR-KR-0001"),
        with(rule("VR-DE-0001"), &[("Country", json!("DE"))]),
        with(rule("BNR-KR-0001"), &[("Type", json!("BoosterNotification"))]),
    ]);
    assert_eq!(selected(&rules, &QUESTION), ["VR-KR-0001 1.0.0", "IR-DE-0001 1.0.0"]);
    let lower = Question { country: "kr", issuer: "kr", ..QUESTION };
    assert_eq!(selected(&rules, &lower), ["VR-KR-0001 1.0.0", "IR-KR-0001 1.0.0"]);
    let nobody = Question { country: "FR", issuer: "", ..QUESTION };
    assert!(selected(&rules, &nobody).is_empty());
    assert_eq!(rules.rules()[4].kind, RuleKind::Other);
}

#[test]
fn a_rule_is_for_all_passes_or_for_one_type() {
    let rules = collection(&[
        rule("VR-KR-0001"),
        with(rule("GR-KR-0001"), &[("CertificateType", json!("General"))]),
        with(rule("TR-KR-0001"), &[("CertificateType", json!("Test"))]),
        with(rule("RR-KR-0001"), &[("CertificateType", json!("Recovery"))]),
        with(rule("XR-KR-0001"), &[("CertificateType", json!("Exemption"))]),
    ]);
    let of = |certificate| {
        let selected = rules.select(&QUESTION, certificate).unwrap();
        selected.iter().map(|it| it.identifier.as_str()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(of(CertificateType::Vaccination), "VR-KR-0001 GR-KR-0001");
    assert_eq!(of(CertificateType::Test), "GR-KR-0001 TR-KR-0001");
    assert_eq!(of(CertificateType::Recovery), "GR-KR-0001 RR-KR-0001");
    assert_eq!(of(CertificateType::General), "GR-KR-0001");
    for (payload, certificate) in [
        (json!({ "v": [{}] }), Some(CertificateType::Vaccination)),
        (json!({ "v": null, "t": [{}] }), Some(CertificateType::Test)),
        (json!({ "v": [], "r": [{}] }), Some(CertificateType::Recovery)),
        (json!({ "v": {} }), None),
        (json!(null), None),
    ] {
        assert_eq!(CertificateType::of(&payload), certificate, "{payload}");
    }
}

#[test]
fn a_rule_is_in_force_from_its_first_to_its_last_second() {
    let rules = collection(&[rule("VR-KR-0001")]);
    for (clock, is_selected) in [
        ("2021-12-31T23:59:59Z", false),
        ("2022-01-01T00:00:00Z", true),
        ("2022-12-31T23:59:59Z", true),
        ("2022-12-31T23:59:59.001Z", false),
        ("2023-01-01T08:59:59+09:00", true),
        ("2023-01-01T09:00:00+09:00", false),
    ] {
        let question = Question { clock, ..QUESTION };
        assert_eq!(!selected(&rules, &question).is_empty(), is_selected, "{clock}");
    }
    let question = Question { clock: "today", ..QUESTION };
    assert!(rules.select(&question, CertificateType::Vaccination).is_err());
}

#[test]
fn the_latest_version_that_is_in_force_counts() {
    let version = |text: &str| with(rule("VR-KR-0001"), &[("Version", json!(text))]);
    let later = with(version("2.0.0"), &[("ValidFrom", json!("2022-07-01T00:00:00Z"))]);
    let rules =
        collection(&[version("1.9.0"), version("1.10.0"), later, version("1.2.0"), version("x")]);
    assert_eq!(selected(&rules, &QUESTION), ["VR-KR-0001 1.10.0"]);
    let july = Question { clock: "2022-07-01T00:00:00Z", ..QUESTION };
    assert_eq!(selected(&rules, &july), ["VR-KR-0001 2.0.0"]);
}

#[test]
fn a_region_has_its_own_rules() {
    let rules = collection(&[
        rule("VR-KR-0001"),
        with(rule("VR-KR-0002"), &[("Region", json!("Jeju"))]),
        with(rule("VR-KR-0003"), &[("Region", json!(null))]),
    ]);
    assert_eq!(selected(&rules, &QUESTION), ["VR-KR-0001 1.0.0", "VR-KR-0003 1.0.0"]);
    let jeju = Question { region: "jeju", ..QUESTION };
    assert_eq!(selected(&rules, &jeju), ["VR-KR-0002 1.0.0"]);
}

/// The result of one rule on one payload, and why it is open.
fn judged(rule: Value, payload: &Value) -> (RuleResult, Option<Open>) {
    let rules = collection(&[rule]);
    let sets = ValueSets::default();
    let judgement = rules.judge(&QUESTION, payload, &Signed::default(), &sets, true).unwrap();
    assert_eq!(judgement.asked.len(), 1, "the rule is selected");
    let asked = judgement.asked.into_iter().next().unwrap();
    (asked.result, asked.open)
}

#[test]
fn a_rule_passes_or_fails_by_its_logic() {
    assert_eq!(judged(rule("VR-KR-0001"), &payload(2)), (RuleResult::Passed, None));
    assert_eq!(judged(rule("VR-KR-0001"), &payload(1)), (RuleResult::Failed, None));
}

#[test]
fn a_rule_that_cannot_be_asked_is_open_and_says_why() {
    let open = |name: &str, value: Value| {
        let (result, why) = judged(with(rule("VR-KR-0001"), &[(name, value)]), &payload(2));
        assert_eq!(result, RuleResult::Open);
        why.unwrap()
    };
    assert_eq!(open("Engine", json!("OTHER")), Open::Engine);
    assert_eq!(open("EngineVersion", json!("1.3.4")), Open::Engine);
    assert_eq!(open("EngineVersion", json!("2.0.0")), Open::Engine);
    assert_eq!(open("EngineVersion", json!("1.0")), Open::Engine);
    assert_eq!(open("SchemaVersion", json!("2.0.0")), Open::Schema);
    assert_eq!(open("SchemaVersion", json!("1.3.1")), Open::Schema);
    assert_eq!(open("SchemaVersion", json!("new")), Open::Schema);
    let Open::Logic(invalid) = open("Logic", json!({ "or": [true, false] })) else { panic!() };
    assert_eq!((invalid.pointer.as_str(), invalid.code), ("/Logic", InvalidCode::UnknownOperator));
    let Open::Evaluation(error) = open("Logic", json!({ ">": [{ "var": "payload.x" }, 1] })) else {
        panic!()
    };
    assert_eq!(error.code, EvaluationCode::NotAnInteger);
    let (result, why) = judged(rule("VR-KR-0001"), &json!({ "v": [{ "dn": 2, "sd": 2 }] }));
    assert_eq!((result, why), (RuleResult::Open, Some(Open::Schema)));
    for engine in ["0.7.5", "1.0.0", "1.3.3"] {
        let engine = with(rule("VR-KR-0001"), &[("EngineVersion", json!(engine))]);
        assert_eq!(judged(engine, &payload(2)), (RuleResult::Passed, None));
    }
}

/// Malta's VR-MT-0005 has an `if` with a fourth operand, which the reference evaluator never looks at.
#[test]
fn operands_that_the_reference_evaluator_never_looks_at_are_passed_over_and_named() {
    let done = json!({ "===": [{ "var": "payload.v.0.dn" }, { "var": "payload.v.0.sd" }] });
    let date = json!("2022-01-01");
    for (logic, place) in [
        (json!({ "if": [true, done, false, true] }), "/Logic"),
        (json!({ "if": [true, done, false, null, { "or": [] }] }), "/Logic"),
        (json!({ "!": [{ "!": [done, 1] }] }), "/Logic/!/0"),
        (json!({ "reduce": [[1], done, false, 2] }), "/Logic"),
        (
            json!({ "and": [done, { "after": [
                { "plusTime": [date, 1, "day", "x"] }, { "plusTime": [date, 0, "day"] }] }] }),
            "/Logic/and/1/after/0",
        ),
        (
            json!({ "and": [done, { "===": [{ "extractFromUVCI": ["a/b", 0, 1] }, "a"] }] }),
            "/Logic/and/1/===/0",
        ),
    ] {
        let published = with(rule("VR-MT-0005"), &[("Logic", logic.clone())]);
        let parsed = PassRule::parse(&published).unwrap();
        let named = parsed.passed_over();
        assert_eq!(named.len(), 1, "{logic}: {named:?}");
        assert_eq!(named[0].pointer, place, "{logic}");
        assert_eq!(named[0].code, InvalidCode::WrongOperandCount);
        assert!(PassRule::check(&published).contains(&named[0]), "{logic}");
        if place != "/Logic" || logic.get("if").is_some() {
            assert_eq!(
                judged(published.clone(), &payload(2)),
                (RuleResult::Passed, None),
                "{logic}"
            );
            assert_eq!(judged(published, &payload(1)), (RuleResult::Failed, None), "{logic}");
        }
    }
    // Of these the reference counts the operands.
    for logic in
        [json!({ "===": [1, 1, 1] }), json!({ "+": [1, 1, 1] }), json!({ "<": [1, 2, 3, 4] })]
    {
        let (result, _) = judged(with(rule("VR-MT-0005"), &[("Logic", logic)]), &payload(2));
        assert_eq!(result, RuleResult::Open);
    }
}

#[test]
fn one_failed_rule_decides_and_else_one_open_rule_leaves_it_open() {
    let open = with(rule("VR-KR-0002"), &[("EngineVersion", json!("9.0.0"))]);
    let result = |rules: &[Value], done| {
        let rules = collection(rules);
        let sets = ValueSets::default();
        let judgement =
            rules.judge(&QUESTION, &payload(done), &Signed::default(), &sets, false).unwrap();
        (judgement.result(), judgement.asked.len())
    };
    assert_eq!(result(&[], 1), (RuleResult::Passed, 0));
    assert_eq!(result(&[rule("VR-KR-0001")], 2), (RuleResult::Passed, 1));
    assert_eq!(result(&[rule("VR-KR-0001"), open.clone()], 2), (RuleResult::Open, 2));
    assert_eq!(result(&[rule("VR-KR-0001"), open], 1), (RuleResult::Failed, 2));
}

#[test]
fn rules_read_what_the_reference_apps_hand_them() {
    let mut sets = ValueSets::default();
    sets.add(&json!({ "diseases": ["840539006"] })).unwrap();
    let signed = Signed {
        issued_at: Some("2022-05-01T00:00:00Z"),
        expires_at: Some("2023-05-01T00:00:00Z"),
        key_id: Some("2Rk3X8HntrI="),
    };
    let value = |logic: Value| {
        let rules = collection(&[with(rule("VR-KR-0001"), &[("Logic", logic)])]);
        let question = Question { region: "", ..QUESTION };
        let judgement = rules.judge(&question, &payload(2), &signed, &sets, true).unwrap();
        let trace = judgement.asked[0].trace.clone().expect("a trace was asked for");
        trace.steps.last().unwrap().value.clone()
    };
    for (path, expected) in [
        ("external.validationClock", json!("2022-06-01T00:00:00Z")),
        ("external.countryCode", json!("KR")),
        ("external.issuerCountryCode", json!("DE")),
        ("external.region", json!("")),
        ("external.iat", json!("2022-05-01T00:00:00Z")),
        ("external.exp", json!("2023-05-01T00:00:00Z")),
        ("external.kid", json!("2Rk3X8HntrI=")),
        ("external.valueSets.diseases.0", json!("840539006")),
        ("external.valueSets", json!({ "diseases": ["840539006"] })),
        ("external.valueSets.other", json!(null)),
        ("payload.v.0.tg", json!("840539006")),
        ("payload", payload(2)),
        ("other", json!(null)),
    ] {
        assert_eq!(value(json!({ "var": path })), expected, "{path}");
    }
    let whole = value(json!({ "var": "" }));
    assert_eq!(whole["payload"], payload(2));
    assert_eq!(whole["external"]["valueSets"], json!({ "diseases": ["840539006"] }));
    assert_eq!(whole["external"], value(json!({ "var": "external" })));
    let within = json!({ "reduce": [[1], { "var": "data.external.valueSets.diseases.0" }, 0] });
    assert_eq!(value(within), json!("840539006"));
}

#[test]
fn a_rule_that_nobody_could_select_is_refused_at_its_place() {
    for (name, value, pointer, code) in [
        ("Identifier", json!(1), "/1/Identifier", InvalidCode::MalformedField),
        ("ValidFrom", json!("soon"), "/1/ValidFrom", InvalidCode::MalformedField),
        ("Region", json!(["BW"]), "/1/Region", InvalidCode::MalformedField),
    ] {
        let mut rules = PassRules::default();
        let broken = with(rule("VR-KR-0002"), &[(name, value)]);
        let invalid = rules.add(&json!([rule("VR-KR-0001"), broken])).unwrap_err();
        assert_eq!((invalid.pointer.as_str(), invalid.code), (pointer, code));
        assert!(rules.rules().is_empty(), "none was added");
    }
    for name in ["Identifier", "Type", "Country", "Logic", "ValidTo", "Engine", "CertificateType"] {
        let mut broken = rule("VR-KR-0001");
        broken.as_object_mut().unwrap().remove(name);
        let invalid = PassRules::default().add(&broken).unwrap_err();
        assert_eq!((invalid.pointer.as_str(), invalid.code), ("", InvalidCode::MissingField));
        assert!(invalid.message.contains(name));
    }
    assert!(PassRules::default().add(&json!("rule")).is_err());
}

#[test]
fn a_rule_in_lower_case_reads_alike() {
    let mut lower = serde_json::Map::new();
    for (name, value) in rule("VR-KR-0001").as_object().unwrap() {
        lower.insert(format!("{}{}", name[..1].to_lowercase(), &name[1..]), value.clone());
    }
    assert_eq!(judged(Value::Object(lower), &payload(2)), (RuleResult::Passed, None));
}

#[test]
fn everything_that_keeps_a_rule_from_being_published_is_named_at_its_place() {
    assert_eq!(PassRule::check(&rule("VR-KR-0001")), []);
    for (name, value, pointer, code) in [
        ("Identifier", json!("TR-KR-0001"), "/Identifier", InvalidCode::MalformedField),
        ("Identifier", json!("VR-DE-0001"), "/Identifier", InvalidCode::MalformedField),
        ("Identifier", json!("VR-KR"), "/Identifier", InvalidCode::MalformedField),
        ("Identifier", json!("VR-KR-A"), "/Identifier", InvalidCode::MalformedField),
        ("Type", json!("Booster"), "/Type", InvalidCode::MalformedField),
        ("Country", json!("kor"), "/Country", InvalidCode::MalformedField),
        ("Engine", json!("OTHER"), "/Engine", InvalidCode::MalformedField),
        ("Version", json!("1"), "/Version", InvalidCode::MalformedField),
        ("EngineVersion", json!("1.4.0"), "/EngineVersion", InvalidCode::EngineTooOld),
        ("Description", json!([]), "/Description", InvalidCode::MalformedField),
        ("ValidTo", json!("2022-01-01T00:00:00Z"), "/ValidTo", InvalidCode::MalformedField),
        ("ValidTo", json!("2022"), "", InvalidCode::MalformedField),
        ("AffectedFields", json!(["v.0.dn"]), "/AffectedFields", InvalidCode::NotListed),
        (
            "AffectedFields",
            json!(["v.0.dn", "v.0.sd", "v.0.mp"]),
            "/AffectedFields/2",
            InvalidCode::NotRead,
        ),
        ("Logic", json!({ "and": [true, null] }), "/Logic/and/1", InvalidCode::NotAnExpression),
    ] {
        let changed = with(rule("VR-KR-0001"), &[(name, value.clone())]);
        let found = PassRule::check(&changed);
        if pointer.is_empty() {
            assert_eq!(found, [], "{name} {value}");
        } else {
            assert!(
                found.iter().any(|it| it.pointer == pointer && it.code == code),
                "{name} {value}: {found:?}"
            );
        }
        assert!(found.iter().all(|it| changed.pointer(&it.pointer).is_some()));
    }
    let found = PassRule::check(&json!({}));
    assert!(found.iter().all(|it| it.code == InvalidCode::MissingField));
    assert_eq!(found.len(), 13, "{found:?}");
}

/// A published rule with its tests: its folder, the rule, and each test with its path.
type Published = (String, Value, Vec<(String, Value)>);

fn published() -> Option<Vec<Published>> {
    let root = Path::new(DATA).join("dgc-business-rules-testdata");
    if !root.is_dir() {
        eprintln!("SKIPPED: no folder {}", root.display());
        return None;
    }
    let read = |path: &Path| {
        serde_json::from_str::<Value>(&fs::read_to_string(path).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let mut published = Vec::new();
    for country in fs::read_dir(&root).unwrap().map(|it| it.unwrap().path()) {
        if !country.is_dir() || country.ends_with("valuesets") || country.ends_with("schemas") {
            continue;
        }
        for folder in fs::read_dir(&country).unwrap().map(|it| it.unwrap().path()) {
            if !folder.join("rule.json").is_file() {
                continue;
            }
            let tests = fs::read_dir(folder.join("tests")).into_iter().flatten();
            let tests = tests.map(|it| it.unwrap().path());
            let tests = tests.map(|it| (it.display().to_string(), read(&it))).collect();
            published.push((folder.display().to_string(), read(&folder.join("rule.json")), tests));
        }
    }
    published.sort_by(|(left, ..), (right, ..)| left.cmp(right));
    Some(published)
}

#[test]
fn every_published_rule_is_selected_and_answers_its_tests() {
    let Some(published) = published() else { return };
    let mut all = PassRules::default();
    for (_, rule, _) in &published {
        assert_eq!(all.add(rule), Ok(1));
    }
    let mut tests = 0;
    for (_, rule, cases) in &published {
        let identifier = rule["Identifier"].as_str().unwrap();
        for (path, case) in cases {
            tests += 1;
            let external = case["external"].as_object().unwrap();
            let mut sets = ValueSets::default();
            // Some tests hand the value sets over as `external` itself; those rules read none.
            sets.add(external.get("valueSets").unwrap_or(&json!({}))).unwrap();
            let clock = external.get("validationClock").unwrap_or(&rule["ValidFrom"]);
            let question = Question {
                country: rule["Country"].as_str().unwrap(),
                region: "",
                issuer: "",
                clock: clock.as_str().unwrap(),
            };
            // A test of a General rule carries any payload, or several entries.
            let certificate = match rule["CertificateType"].as_str().unwrap() {
                "Vaccination" => CertificateType::Vaccination,
                "Test" => CertificateType::Test,
                "Recovery" => CertificateType::Recovery,
                _ => CertificateType::General,
            };
            let selected = all.select(&question, certificate).unwrap();
            let is_latest = selected.iter().any(|it| it.identifier == identifier);
            assert!(is_latest, "{path}: {identifier} is not selected at {clock}");
            let mut payload = case.get("payload").cloned().unwrap_or(json!({}));
            payload["ver"] = json!("1.3.0");
            let one = collection(&[with(rule.clone(), &[("CertificateType", json!("General"))])]);
            let judgement =
                one.judge(&question, &payload, &Signed::default(), &sets, false).unwrap();
            let expected = if case["expected"] == json!(true) {
                RuleResult::Passed
            } else {
                RuleResult::Failed
            };
            assert_eq!(judgement.result(), expected, "{path}");
        }
    }
    assert!(published.len() >= 194 && tests >= 566, "{} {tests}", published.len());
}

#[test]
fn the_check_of_published_rules_finds_only_what_is_known() {
    let Some(published) = published() else { return };
    let mut found = Vec::new();
    for (_, rule, _) in &published {
        for invalid in PassRule::check(rule) {
            found.push(format!("{} {:?} {}", rule["Identifier"], invalid.code, invalid));
        }
    }
    assert_eq!(found, Vec::<String>::new(), "{}", found.join("\n"));
}
