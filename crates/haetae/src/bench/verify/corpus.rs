//! What `haetae bench verify` verifies: published passes where they are there, else passes of our own.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use credential::issue::{Attested, Hcert, HcertSigner, Person, uvci};
use credential::pass::{self, Algorithm, Certificate, Trust as PassTrust, time};
use credential::{
    Colour, DeviceKey, HealthCode, Holder, IssuerKey, IssuerSigner, Outcome, Presentation,
    RevocationList, Trust, TrustList, moment,
};
use rules::Expression;
use serde_json::{Value, json};

/// A moment for what is made here.
const NOW_S: i64 = 1_800_000_007;
const DAY_S: i64 = 86_400;

/// A pass that passes, and by whom and when.
pub(super) struct Dcc {
    pub(super) text: String,
    pub(super) trust: PassTrust,
    /// The name of the key.
    pub(super) kid: Vec<u8>,
    pub(super) now_s: i64,
    /// Its picture, where there is one.
    picture: Option<Vec<u8>>,
}

/// Our codes and the list that they are judged by.
pub(super) struct Codes {
    pub(super) texts: Vec<String>,
    pub(super) trust: Trust,
    pub(super) now_s: i64,
}

fn json_files(folder: &Path) -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "json") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn json_of(path: &Path) -> Option<Value> {
    let text = std::fs::read_to_string(path).ok()?;
    serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()
}

/// A published case that passes at its own clock by its own certificate.
fn published(case: &Value) -> Option<Dcc> {
    let context = case.get("TESTCTX")?;
    let text = case.get("PREFIX")?.as_str()?.to_owned();
    let certificate = STANDARD.decode(context.get("CERTIFICATE")?.as_str()?).ok()?;
    let now_s = time::moment(context.get("VALIDATIONCLOCK")?.as_str()?)?;
    let mut trust = PassTrust::default();
    trust.add(&certificate);
    let kid = Certificate::from_der(&certificate)?.kid().to_vec();
    let outcome = pass::verify(&text, &trust, None, &pass::Policy::default(), now_s).outcome;
    let picture = case.get("2DCODE").and_then(Value::as_str);
    let picture = picture.and_then(|it| STANDARD.decode(it).ok());
    (outcome == Outcome::Pass).then_some(Dcc { text, trust, kid, now_s, picture })
}

fn all_published(folder: &Path) -> Vec<Dcc> {
    json_files(folder).iter().filter_map(|path| published(&json_of(path)?)).collect()
}

/// Passes with ES256. Says which.
pub(super) fn dccs(folder: &Path) -> anyhow::Result<Vec<Dcc>> {
    let is_es256 = |it: &Dcc| {
        let prepared = pass::prepare(&it.text, &it.trust);
        prepared.checks().iter().all(|it| it.algorithm == Algorithm::Es256)
    };
    let mut all = all_published(folder);
    all.retain(is_es256);
    if !all.is_empty() {
        eprintln!("haetae: passes as published by the members of the DCC, {}", all.len());
        return Ok(all);
    }
    eprintln!("haetae: NO PUBLISHED PASSES in {}: those here are our own", folder.display());
    (0..200).map(made).collect()
}

/// A vaccination of our own.
fn made(number: u8) -> anyhow::Result<Dcc> {
    let signer = HcertSigner::from_scalar(&[5; 32])?;
    let text = |text: &str| text.to_owned();
    let pass = Hcert {
        person: Person {
            surname: format!("김{number}"),
            given: text("하늘"),
            surname_latin: text("Kim"),
            given_latin: text("Haneul"),
            birth: text("1990-05-05"),
        },
        attested: Attested::Vaccination {
            prophylaxis: text("1119349007"),
            product: text("EU/1/20/1528"),
            manufacturer: text("ORG-100030215"),
            dose: 2,
            of_doses: 2,
            day: text("2026-06-01"),
        },
        country: text("KR"),
        issuer: text("Haetae City"),
        identifier: uvci("KR", &format!("HAETAE{number}")).context("no identifier")?,
        issued_at: NOW_S - DAY_S,
        expires_at: NOW_S + DAY_S,
        status: None,
    };
    let mut trust = PassTrust::default();
    let key = json!({ "eu_keys": { STANDARD.encode(signer.kid()): [
        { "subjectPk": STANDARD.encode(signer.public_info()) } ] } });
    trust.add(key.to_string().as_bytes());
    let (text, kid) = (signer.sign(&pass)?, signer.kid().to_vec());
    Ok(Dcc { text, trust, kid, now_s: NOW_S, picture: None })
}

/// Pictures whose passes pass.
pub(super) fn pictures(folder: &Path) -> Vec<(Vec<u8>, Dcc)> {
    let with_picture = |mut it: Dcc| Some((it.picture.take()?, it));
    all_published(folder).into_iter().filter_map(with_picture).collect()
}

/// Green codes of one region, each its own.
pub(super) fn codes(count: usize, is_shown: bool) -> anyhow::Result<Codes> {
    let issuer = IssuerSigner::from_seed(&[2; 32])?;
    let device = DeviceKey::from_scalar(&[3; 32])?;
    let holder = if is_shown { Holder::Device(device.public()) } else { Holder::Printed };
    let mut texts = Vec::new();
    for number in 0..count {
        let pass = (u128::try_from(number)? << 64 | 7).to_be_bytes();
        let code = HealthCode {
            pass,
            colour: Colour::Green,
            issued_at: NOW_S - DAY_S,
            valid_until: NOW_S + DAY_S,
            holder,
            region: "KR-11".to_owned(),
        };
        let moment = if is_shown { Some(device.prove(&pass, NOW_S)?) } else { None };
        texts.push(Presentation { signed: issuer.sign_code(&code)?, moment }.to_text());
    }
    // As long as a bad week's list.
    let revoked: Vec<[u8; 16]> = (0..100_000_u128).map(|it| (it << 40).to_be_bytes()).collect();
    let trust = Trust {
        list: TrustList {
            region: "KR-11".to_owned(),
            version: 1,
            issued_at: NOW_S - DAY_S,
            valid_until: NOW_S + DAY_S,
            keys: vec![IssuerKey::new(issuer.public(), 0, NOW_S + DAY_S)],
        },
        revocations: Some(RevocationList::new(1, NOW_S - DAY_S, NOW_S + DAY_S, &revoked)),
    };
    Ok(Codes { texts, trust, now_s: NOW_S })
}

/// The signatures in a code: the issuer's, and the device's with its key and message.
pub(super) struct Signatures {
    pub(super) issuer: [u8; 32],
    pub(super) message: Vec<u8>,
    pub(super) signature: [u8; 64],
    pub(super) proof: Option<([u8; 33], Vec<u8>, [u8; 64])>,
}

/// The signatures in these codes.
pub(super) fn signatures(texts: &[&str], trust: &Trust) -> anyhow::Result<Vec<Signatures>> {
    let of = |text: &&str| -> anyhow::Result<Signatures> {
        let shown = Presentation::from_text(text)?;
        let (signed, code) = shown.read()?;
        let key = trust.list.key(&signed.kid).context("no key")?;
        let proof = match (code.holder, shown.moment) {
            (Holder::Device(device), Some(proof)) => {
                Some((device, moment::message(&code.pass, proof.step), proof.signature))
            }
            _ => None,
        };
        let (message, signature) = (signed.to_be_signed(), signed.signature);
        Ok(Signatures { issuer: key.public, message, signature, proof })
    };
    texts.iter().map(of).collect()
}

/// Every published rule with each of its tests' data.
pub(super) fn rule_cases(folder: &Path) -> anyhow::Result<Vec<(Expression, Value)>> {
    let mut cases = Vec::new();
    for path in json_files(folder).iter().filter(|path| path.ends_with("rule.json")) {
        let Some(rule) = json_of(path) else { continue };
        let Some(logic) = rule.get("Logic") else { continue };
        let logic = Expression::parse_published(logic)?;
        let tests = path.parent().map(|it| json_files(&it.join("tests"))).unwrap_or_default();
        for test in tests.iter().filter_map(|path| json_of(path)) {
            let data = json!({ "payload": test.get("payload"), "external": test.get("external") });
            cases.push((logic.clone(), data));
        }
    }
    Ok(cases)
}
