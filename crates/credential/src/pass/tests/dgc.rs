//! The member states' test cases (dgc-testdata), each at its own clock and with its own certificate.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{data, json, json_files};
use crate::pass::cbor_value::Cbor;
use crate::pass::inflate::{Wrap, inflate};
use crate::pass::jwk::any_base64;
use crate::pass::sign1::Message;
use crate::pass::{Format, Policy, Reason, Trust, Verdict, time, verify};
use crate::verify::Check;

/// Published labels that are wrong, and why: the beginning of the case's name, the label, the reason.
/// Numbers are issues of dgc-testdata, most of them in its own `known_issues.csv`.
const WRONG: &[(&str, &str, &str)] = &[
    ("BG/2DCode/raw/1.", SCHEMA, "298: groups without entries are null, and all three are there"),
    ("BG/2DCode/raw/2.", SCHEMA, "298: the same"),
    ("ES/2DCode/raw/401.", VERIFY, "228: ES256 with a key on P-384, which the DCC does not have"),
    ("ES/2DCode/raw/402.", VERIFY, "228: the same"),
    ("ES/2DCode/raw/403.", VERIFY, "228: the same"),
    ("ES/2DCode/raw/401.", SCHEMA, "what nobody signed is not looked at"),
    ("ES/2DCode/raw/402.", SCHEMA, "the same"),
    ("ES/2DCode/raw/403.", SCHEMA, "the same"),
    ("NL/", SCHEMA, "107: invented content, labels by chance"),
    ("SK/2DCode/raw/3.", SCHEMA, "357: two vaccinations in one pass"),
];
const SCHEMA: &str = "EXPECTEDSCHEMAVALIDATION";
const VERIFY: &str = "EXPECTEDVERIFY";

fn is_known(case: &str, label: &str) -> bool {
    WRONG.iter().any(|(start, wrong, _)| case.starts_with(start) && label == *wrong)
}

fn judged(case: &Value) -> Verdict {
    let context = &case["TESTCTX"];
    let mut trust = Trust::default();
    if let Some(certificate) = context["CERTIFICATE"].as_str() {
        trust.add(&any_base64(certificate).unwrap());
    }
    let now_s = time::moment(context["VALIDATIONCLOCK"].as_str().unwrap()).unwrap();
    verify(case["PREFIX"].as_str().unwrap_or(""), &trust, None, &Policy::default(), now_s)
}

/// What a label means in terms of the verdict; nothing where it is about encoding or pictures.
fn shown(label: &str, verdict: &Verdict) -> Option<bool> {
    let has = |reason: Reason| verdict.reasons.iter().any(|it| it.reason == reason);
    let checks = &verdict.checks;
    Some(match label {
        "EXPECTEDUNPREFIX" => verdict.format == Format::Dcc,
        "EXPECTEDB45DECODE" => verdict.format == Format::Dcc && !has(Reason::EncodingMalformed),
        "EXPECTEDCOMPRESSION" => {
            verdict.format == Format::Dcc
                && !has(Reason::EncodingMalformed)
                && !has(Reason::CompressionMalformed)
        }
        "EXPECTEDDECODE" => checks.decode == Check::Ok,
        "EXPECTEDVERIFY" => checks.signature == Check::Ok,
        "EXPECTEDSCHEMAVALIDATION" => checks.schema == Check::Ok,
        "EXPECTEDKEYUSAGE" => checks.usage == Check::Ok,
        "EXPECTEDEXPIRATIONCHECK" => checks.time == Check::Ok,
        _ => return None,
    })
}

#[test]
fn every_label_of_every_case_is_met_or_known_to_be_wrong() {
    let Some(folder) = data("dgc-testdata") else { return };
    let mut differences = Vec::new();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut cases = 0;
    for path in json_files(&folder) {
        let name = path.strip_prefix(&folder).unwrap().display().to_string();
        let case = json(&path);
        let Some(expected) = case["EXPECTEDRESULTS"].as_object() else { continue };
        cases += 1;
        let verdict = judged(&case);
        for (label, value) in expected {
            let value = value.as_bool().unwrap();
            let Some(found) = shown(label, &verdict) else { continue };
            *counts.entry(label.clone()).or_default() += 1;
            if found != value && !is_known(&name, label) {
                differences.push(format!(
                    "{name} {label} {value}: {:?} {:?}",
                    verdict.reasons, verdict.checks
                ));
            }
        }
    }
    println!("{cases} cases, {counts:?}");
    assert!(200 < cases);
    assert!(differences.is_empty(), "{}\n{}", differences.len(), differences.join("\n"));
}

/// The document inside a pass, in JSON.
fn content(text: &str) -> Option<Value> {
    let packed = crate::base45::decode(text.strip_prefix("HC1:")?).ok()?;
    let message = inflate(&packed, Wrap::Zlib).ok()?;
    let message = Message::read(&message).ok()?;
    Cbor::read(&message.payload)?.into_at(-260)?.into_at(1)?.into_json()
}

#[test]
fn the_document_inside_is_the_published_json() {
    let Some(folder) = data("dgc-testdata") else { return };
    let (mut same, mut others) = (0, Vec::new());
    for path in json_files(&folder) {
        let name = path.strip_prefix(&folder).unwrap().display().to_string();
        let case = json(&path);
        if case["EXPECTEDRESULTS"]["EXPECTEDVALIDJSON"] != true {
            continue;
        }
        let found = content(case["PREFIX"].as_str().unwrap());
        let published = &case["JSON"];
        if found.as_ref() == Some(published) {
            same += 1;
        } else {
            others.push(format!("{name}: {found:?} {published}"));
        }
    }
    println!("{same} the same");
    assert!(150 < same);
    // Upstream issue 141 says that one is not; whatever else differs would be ours.
    others.retain(|it| !it.starts_with("FR/2DCode/raw/test_pcr_ok"));
    assert!(others.is_empty(), "{}\n{}", others.len(), others.join("\n"));
}
