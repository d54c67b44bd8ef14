//! The passes of others in the browser: published cases, and what this city's wallets hold, judged by
//! the module and script that the guard's page loads. Each verdict must be, field by field, the one that
//! the same code gives natively, and mean what the case's label says.
//!
//! Trust comes as gates get it: files and rules in one message that a root signed. The page, its module
//! and its script are the served ones, and the browser's own cryptography checks the signatures.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use credential::IssuerSigner;
use credential::pass::{Material, PlaceRules, time};
use device::desk::Desk;
use e2e::{Browser, City, wait};
use serde_json::{Value, json};

use crate::gate;
use crate::people::{ENGLISH, open, use_link};

const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/passes");
/// A second after the newest SMART example begins.
const CARDS_AT: &str = "2023-06-22T16:19:25Z";

/// What a published label says.
enum Label {
    /// The outcome.
    Is(&'static str),
    /// `EXPECTEDRESULTS` of the member states' cases.
    Dcc(Value),
    /// Nothing: the two sides must agree.
    Open,
}

struct Case {
    name: String,
    text: String,
    /// The same as a PNG in base64.
    picture: Option<String>,
    /// Whom to trust, as imported.
    files: Vec<Vec<u8>>,
    now_s: i64,
    label: Label,
}

/// A part of the shared data; says loudly when it is not there.
#[allow(clippy::print_stderr, reason = "a test says on the terminal what it did not look at")]
fn data(path: &str) -> Option<PathBuf> {
    let path = Path::new(SHARED).join(path);
    if !path.exists() {
        eprintln!("SKIPPED: {} is not there; no case of it was judged", path.display());
        return None;
    }
    Some(path)
}

fn files_below(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files_below(&path, ending, found)?;
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    Ok(())
}

fn moment(text: &str) -> Result<i64> {
    time::moment(text).with_context(|| format!("{text} is no moment"))
}

/// Every case of the member states at its own clock, with its own certificate: ES256 and PS256, the
/// key's name in either header, good and bad.
fn dcc(cases: &mut Vec<Case>) -> Result<()> {
    let Some(folder) = data("dgc-testdata") else { return Ok(()) };
    let mut paths = Vec::new();
    files_below(&folder, ".json", &mut paths)?;
    for path in paths {
        let case: Value = serde_json::from_str(&fs::read_to_string(&path)?)?;
        let text = |at: &str| case.pointer(at).and_then(Value::as_str);
        let (Some(labels), Some(clock)) =
            (case.get("EXPECTEDRESULTS"), text("/TESTCTX/VALIDATIONCLOCK"))
        else {
            continue;
        };
        let certificate = text("/TESTCTX/CERTIFICATE").map(|it| it.as_bytes().to_vec());
        let drawn = labels.get("EXPECTEDPICTUREDECODE") == Some(&Value::Bool(true));
        cases.push(Case {
            name: path.strip_prefix(&folder)?.display().to_string(),
            text: text("/PREFIX").unwrap_or_default().to_owned(),
            picture: text("/2DCODE").filter(|_| drawn).map(str::to_owned),
            files: certificate.into_iter().collect(),
            now_s: moment(clock)?,
            label: Label::Dcc(labels.clone()),
        });
    }
    Ok(())
}

/// The framework's cards in all their forms, one of them cut into parts, and its validator's negatives.
fn cards(cases: &mut Vec<Case>) -> Result<()> {
    let (Some(examples), Some(others)) = (data("shc/examples"), data("shc-negative/testdata"))
    else {
        return Ok(());
    };
    let keys = fs::read(examples.join("issuer/.well-known/jwks.json"))?;
    let mut push = |name: &str, text: String, files: Vec<Vec<u8>>, outcome| {
        let (name, now_s) = (name.to_owned(), moment(CARDS_AT)?);
        let label = Label::Is(outcome);
        cases.push(Case { name, text, picture: None, files, now_s, label });
        anyhow::Ok(())
    };
    for number in ["00", "01"] {
        for form in ["d-jws.txt", "e-file.smart-health-card", "f-qr-code-numeric-value-0.txt"] {
            let name = format!("example-{number}-{form}");
            let text = fs::read_to_string(examples.join(&name))?;
            push(&name, text, vec![keys.clone()], "pass")?;
        }
    }
    let whole = fs::read_to_string(examples.join("example-00-f-qr-code-numeric-value-0.txt"))?;
    let digits = whole.trim().strip_prefix("shc:/").context("a card in digits")?;
    let (first, rest) = digits.split_at(digits.len() / 6 * 2);
    let (second, third) = rest.split_at(rest.len() / 4 * 2);
    let parts = format!("shc:/3/3/{third}\nshc:/1/3/{first}\nshc:/2/3/{second}");
    push("a card in three parts, out of order", parts.clone(), vec![keys.clone()], "pass")?;
    let two = parts.lines().take(2).collect::<Vec<_>>().join("\n");
    push("two parts of three", two, vec![keys.clone()], "cannot_tell")?;
    push("nobody is trusted", whole.clone(), Vec::new(), "cannot_tell")?;
    for (name, outcome) in [
        ("test-example-00-d-jws-invalid-signature.txt", "no_pass"),
        ("test-example-00-d-jws-der-signature-s-neg.txt", "no_pass"),
        ("test-example-00-d-jws-wrong_jws_header_kid.txt", "cannot_tell"),
        ("test-example-00-d-jws-issuer-not-valid-with-smart-key.txt", "cannot_tell"),
        ("test-example-00-d-jws-no_deflate.txt", "cannot_tell"),
        ("test-example-00-e-file-invalid_deflate.smart-health-card", "cannot_tell"),
        ("test-example-00-f-qr-code-numeric-value-0-odd-count.txt", "cannot_tell"),
        ("test-example-00-f-qr-code-numeric-value-0-number-too-big.txt", "cannot_tell"),
        ("test-example-00-d-jws-utf8_bom_prefix.txt", "cannot_tell"),
    ] {
        let text = fs::read_to_string(others.join(name))?;
        push(name, text, vec![keys.clone()], outcome)?;
    }
    Ok(())
}

fn new_zealand(cases: &mut Vec<Case>) -> Result<()> {
    let Some(folder) = data("nzcp/examples") else { return Ok(()) };
    let keys = fs::read(folder.join("valid/did.json"))?;
    for (name, outcome) in [
        ("valid/nzcp", "pass"),
        ("invalid/nzcp-expired-payload", "no_pass"),
        ("invalid/nzcp-modified-sig", "no_pass"),
    ] {
        let picture = fs::read(folder.join(name).with_extension("png"))?;
        cases.push(Case {
            name: format!("nzcp {name}"),
            text: fs::read_to_string(folder.join(name).with_extension("txt"))?,
            picture: Some(STANDARD.encode(picture)),
            files: vec![keys.clone()],
            now_s: moment("2021-12-01")?,
            label: Label::Is(outcome),
        });
    }
    Ok(())
}

fn seals(cases: &mut Vec<Case>) -> Result<()> {
    let Some(folder) = data("vdsnc/dfat") else { return Ok(()) };
    let file = |name: &str| fs::read(folder.join(name));
    let (authority, list) = (file("csca.der")?, file("crl.der")?);
    for (name, files, clock, outcome) in [
        ("valid.json", vec![&authority, &list], "2021-11-04T00:00:00Z", "pass"),
        // Past the list's next one.
        ("valid.json", vec![&authority, &list], "2022-01-01T00:00:00Z", "cannot_tell"),
        ("valid.json", vec![&list], "2021-11-04T00:00:00Z", "cannot_tell"),
        ("invalid-modified-name.json", vec![&authority], "2021-11-04T00:00:00Z", "no_pass"),
        ("invalid-non-vds.json", vec![&authority], "2021-11-04T00:00:00Z", "cannot_tell"),
    ] {
        cases.push(Case {
            name: format!("vdsnc {name} at {clock}"),
            text: fs::read_to_string(folder.join(name))?,
            picture: None,
            files: files.into_iter().cloned().collect(),
            now_s: moment(clock)?,
            label: Label::Is(outcome),
        });
    }
    Ok(())
}

/// Whether a verdict is what a label of the member states says; nothing where the label is about
/// something else, or is known to be wrong (ES 401 to 403: upstream issue 228, a curve that the DCC does
/// not have).
fn agrees(name: &str, label: &str, expected: bool, verdict: &Value) -> Option<bool> {
    let is_ok = |check: &str| verdict.pointer(&format!("/checks/{check}")) == Some(&json!("ok"));
    let found = match label {
        "EXPECTEDDECODE" => is_ok("decode"),
        "EXPECTEDVERIFY" if !name.starts_with("ES/2DCode/raw/40") => is_ok("signature"),
        "EXPECTEDKEYUSAGE" => is_ok("usage"),
        "EXPECTEDEXPIRATIONCHECK" => is_ok("time"),
        _ => return None,
    };
    Some(found == expected)
}

/// The words by which a place demands something of a pass: nothing more, or the sets that ship.
fn demands() -> Vec<String> {
    let sets = rules::SHIPPED.iter().map(|it| it.name.to_owned());
    std::iter::once("own".to_owned()).chain(sets).collect()
}

/// One request of the page, asked natively.
fn ask(desk: &mut Desk, request: &Value) -> Result<Value> {
    Ok(serde_json::from_slice(&desk.answer(request.to_string().as_bytes()))?)
}

/// What the gate would carry for this case.
fn signed(root: &IssuerSigner, case: &Case) -> Result<Value> {
    let set = |it: &rules::Shipped| PlaceRules {
        name: it.name.to_owned(),
        country: it.country.to_owned(),
        rules: it.json.to_owned(),
    };
    let material = Material {
        region: "KR-11".to_owned(),
        version: 1,
        issued_at: case.now_s - 60,
        valid_until: case.now_s + 3_600,
        files: case.files.clone(),
        rules: rules::SHIPPED.iter().map(set).collect(),
        value_sets: String::new(),
    };
    let passes = STANDARD.encode(root.sign_material(&material)?);
    Ok(json!({ "op": "load_passes", "passes": passes, "root": STANDARD.encode(root.public()) }))
}

/// What the script on the page does: loads, reads the picture as the scanner does, judges.
const JUDGE: &str = "await (async (it) => { \
     const loaded = window.device.call('load_passes', it.load); \
     let [texts, read] = [null, null]; \
     if (it.picture) { \
       const bytes = Uint8Array.from(atob(it.picture), (letter) => letter.charCodeAt(0)); \
       const picture = await createImageBitmap(new Blob([bytes])); \
       const began = performance.now(); \
       for (const side of [1000, 2400]) { \
         const scale = Math.min(1, side / Math.max(picture.width, picture.height)); \
         const canvas = document.createElement('canvas'); \
         canvas.width = Math.round(picture.width * scale); \
         canvas.height = Math.round(picture.height * scale); \
         const context = canvas.getContext('2d', { willReadFrequently: true }); \
         context.drawImage(picture, 0, 0, canvas.width, canvas.height); \
         texts = window.device.scan(context.getImageData(0, 0, canvas.width, canvas.height)); \
         if (texts.length > 0) break; \
       } \
       read = performance.now() - began; \
     } \
     const [verdicts, took] = [[], []]; \
     for (const rules of it.demands) { \
       const began = performance.now(); \
       verdicts.push(await window.device.pass(it.text, { rules }, it.now_s)); \
       took.push(performance.now() - began); \
     } \
     return { loaded, texts, read, verdicts, took: took[0] }; \
   })";

/// The guard's page with the module that it loads, under a name of our own.
fn scanner(browser: &Browser) -> Result<()> {
    browser.go("/gate/scan")?;
    browser.until("the scanner", "document.querySelector('#gate')?.dataset.ready === 'true'")?;
    let load = "(await (async () => { const { device, wasm } = \
         document.querySelector('#gate').dataset; \
         window.device = await (await import(device)).loadDevice(wasm); return true })())";
    ensure!(browser.awaited(load)? == json!(true), "the module was not loaded");
    Ok(())
}

fn describe(what: &str, mut took: Vec<f64>) -> String {
    took.sort_by(f64::total_cmp);
    let at = |part: usize| took.get((took.len() * part / 100).min(took.len() - 1)).copied();
    let [half, most, all] = [50, 95, 100].map(|part| at(part).unwrap_or_default());
    format!(
        "{what}: {} times, half within {half:.1} ms, 95 in 100 within {most:.1}, all {all:.1}",
        took.len()
    )
}

/// Published cases get the same verdict in the browser as natively, and the one that their label says.
#[allow(clippy::print_stderr, reason = "figures are printed for whoever measures")]
pub(crate) fn published_cases(city: &City) -> Result<()> {
    let mut cases = Vec::new();
    dcc(&mut cases)?;
    cards(&mut cases)?;
    new_zealand(&mut cases)?;
    seals(&mut cases)?;
    let browser = open(city, &ENGLISH)?;
    scanner(&browser)?;
    let root = IssuerSigner::from_seed(&[1; 32])?;
    let (mut read, mut judged, mut whole, mut labels) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for case in &cases {
        let load = signed(&root, case)?;
        let found = same_verdicts(&browser, case, &load).with_context(|| case.name.clone())?;
        let verdict = found.pointer("/verdicts/0/ok").context("a verdict")?;
        match &case.label {
            Label::Is(outcome) => {
                labels += 1;
                ensure!(
                    verdict.get("outcome") == Some(&json!(outcome)),
                    "{}: {verdict}",
                    case.name
                );
            }
            Label::Dcc(expected) => {
                for (label, value) in expected.as_object().into_iter().flatten() {
                    let value = value.as_bool().unwrap_or_default();
                    let Some(agrees) = agrees(&case.name, label, value, verdict) else { continue };
                    labels += 1;
                    ensure!(agrees, "{} {label} {value}: {verdict}", case.name);
                }
            }
            Label::Open => {}
        }
        let took = found.get("took").and_then(Value::as_f64);
        judged.extend(took);
        let texts = found.get("texts").and_then(Value::as_array).cloned().unwrap_or_default();
        if let Some(text) = texts.first() {
            ensure!(*text == json!(case.text.trim()), "{}: the picture says {text}", case.name);
            let read_ms = found.get("read").and_then(Value::as_f64);
            whole.extend(read_ms.zip(took).map(|(read, took)| read + took));
            read.extend(read_ms);
        }
    }
    eprintln!("{} cases in chromium, {labels} labels", cases.len());
    let timings = [
        ("a picture to its text", read),
        ("a text to its verdict", judged),
        ("a picture to the verdict", whole),
    ];
    for (what, took) in timings {
        if !took.is_empty() {
            eprintln!("{}", describe(what, took));
        }
    }
    browser.is_quiet(&[])
}

/// Judges a case in the page and natively, as each place demands; they must not differ in anything.
fn same_verdicts(browser: &Browser, case: &Case, load: &Value) -> Result<Value> {
    let demands = demands();
    let it = json!({
        "load": load, "picture": case.picture, "text": case.text, "now_s": case.now_s,
        "demands": demands,
    });
    let found = browser.awaited(&format!("{JUDGE}({it})"))?;
    let desk = &mut Desk::default();
    let loaded = ask(desk, load)?;
    ensure!(loaded.get("ok").is_some(), "natively: {loaded}");
    ensure!(found.get("loaded") == Some(&loaded), "loaded {found}, natively {loaded}");
    for (at, rules) in demands.iter().enumerate() {
        let request = json!({
            "op": "conclude", "text": case.text, "now_s": case.now_s, "demand": { "rules": rules },
        });
        let natively = ask(desk, &request)?;
        let here = found.pointer(&format!("/verdicts/{at}"));
        ensure!(here == Some(&natively), "{rules}: {here:?}, natively {natively}");
    }
    Ok(found)
}

/// What a citizen's wallet holds, read from its print pages, is judged in the browser by what the city's
/// gates get: of its own clinic, of an issuer that two administrators let count, of nobody.
pub(crate) fn own_passes(city: &City) -> Result<()> {
    let citizen = open(city, &ENGLISH)?;
    use_link(&citizen, city.address("citizen")?)?;
    citizen.go("/passes")?;
    let cards = citizen.each("main section.card h3 a", "it.getAttribute('href')")?;
    let guard = open(city, &ENGLISH)?;
    scanner(&guard)?;
    let get = |path: &str| -> Result<Value> { Ok(serde_json::from_str(&guard.get(path)?)?) };
    let bundle = get("/api/v1/gate/bundle")?;
    let material = get("/api/v1/passes/material")?;
    let load = json!({
        "op": "load_passes", "passes": material.get("list"), "root": bundle.get("root"),
    });
    let now_s = bundle.get("server_time_ms").and_then(Value::as_i64).context("a time")? / 1_000;
    let mut seen = Vec::new();
    for card in cards {
        citizen.go(&format!("{card}/print"))?;
        let text = citizen.qr("figure.code svg")?;
        let case =
            Case { name: card, text, picture: None, files: Vec::new(), now_s, label: Label::Open };
        let found = same_verdicts(&guard, &case, &load).with_context(|| case.name.clone())?;
        let verdict = found.pointer("/verdicts/0/ok").context("a verdict")?;
        let part = |at: &str| verdict.pointer(at).and_then(Value::as_str).unwrap_or_default();
        seen.push(format!("{} {}", part("/outcome"), part("/checks/revocation")));
    }
    let count = |wanted: &str| seen.iter().filter(|it| *it == wanted).count();
    // The clinic's alone has a list that could name it.
    ensure!(count("pass ok") == 1, "of the city's clinic: {seen:?}");
    ensure!(count("pass skipped") == 3, "of an issuer that counts: {seen:?}");
    ensure!(count("cannot_tell skipped") == 1, "of nobody: {seen:?}");
    guard.is_quiet(&[])?;
    at_the_door(city, &citizen).context("at a door")
}

/// At a place that takes passes of others, a good one looks like everything that can be copied: yellow,
/// "check ID", and whom to compare.
fn at_the_door(city: &City, citizen: &Browser) -> Result<()> {
    let owner = open(city, &ENGLISH)?;
    let (guard, place) = gate::enrol(city, &ENGLISH, &owner).context("enrolling")?;
    owner.go(&place)?;
    let form = "form:has(input[name=pass_rules])";
    owner.tick("pass_rules", "own")?;
    owner.click(&format!("{form} button[type=submit]"))?;
    owner.until_seen(".notice[data-tone=good]")?;
    guard.0.reload()?;
    let carried = "(await (await import(document.querySelector('#gate').dataset.keep)).openKeep()\
         .then((keep) => keep.get('passes'))) !== undefined";
    wait::until("what the gate carries for passes of others", || {
        Ok((guard.0.awaited(carried)? == json!(true)).then_some(()))
    })?;
    guard.0.until("the scanner", "document.querySelector('#gate')?.dataset.ready === 'true'")?;
    // A scanner that has a revocation list asks for what changed in it, and that is enough.
    let asked = guard.0.value(
        "performance.getEntriesByType('resource').map((it) => it.name)\
         .filter((it) => it.includes('/code/revocations'))\
         .map((it) => it.includes('?since=')).join()",
    )?;
    let asked = asked.as_str().context("which lists were asked for")?;
    ensure!(!asked.is_empty() && !asked.contains("false"), "with what it has: {asked}");

    citizen.go("/passes")?;
    let cards = citizen.each("main section.card h3 a", "it.getAttribute('href')")?;
    let mut passed = 0;
    for card in &cards {
        citizen.go(&format!("{card}/print"))?;
        let picture = citizen.picture_of("figure.code svg")?;
        let seen = guard.scans_picture_as(&picture, Some("verdict-on-paper"))?;
        if seen.verdict == "pass" {
            passed += 1;
            ensure!(seen.colour == "yellow", "a copy of a pass is {seen:?}");
            ensure!(seen.words.contains("Check ID"), "{seen:?}");
            ensure!(seen.words.contains("birthday shown here"), "{seen:?}");
            // A dense code, held before the camera.
            let filmed = guard.scans_film(&picture, Some("verdict-on-paper-by-camera"))?;
            ensure!(filmed.words == seen.words, "by camera {filmed:?}, by picture {seen:?}");
        } else {
            ensure!(seen.colour == "unknown", "nobody's pass is {seen:?}");
        }
    }
    ensure!(passed == 4, "{passed} of the citizen's passes are good");
    guard.until_queue(0).context("handing in")?;
    let before = gate::entries(&owner, &place)?;
    on_the_phone(citizen, &guard, &cards).context("on the phone")?;
    guard.until_queue(0).context("handing in")?;
    let after = gate::entries(&owner, &place)?;
    ensure!(after == before + 2, "{before} entries and 2 more make {after}");
    guard.0.is_quiet(&[])?;
    citizen.is_quiet(&[])
}

/// The pass of the city's clinic as a compact code that the phone draws: green once, and the same picture
/// again is a copy.
fn on_the_phone(citizen: &Browser, guard: &gate::Guard, cards: &[String]) -> Result<()> {
    let mut shown = Vec::new();
    for card in cards {
        citizen.go(card)?;
        shown.extend(citizen.each("main a[href$='/show']", "it.getAttribute('href')")?);
    }
    let [page] = shown.as_slice() else { bail!("one pass can be shown on the phone: {shown:?}") };
    citizen.go(page)?;
    citizen.until_seen("#bound figure")?;
    citizen.until(
        "the first half of a time step",
        "[2, 3, 4, 5, 6, 7].includes(Math.floor(Date.now() / 1000 % 15))",
    )?;
    citizen.qr("#qr")?;
    let picture = citizen.picture_of("#qr")?;
    let seen = guard.scans_picture_as(&picture, Some("verdict-on-phone"))?;
    ensure!(seen.verdict == "pass" && seen.colour == "green", "{seen:?}");
    let seen = guard.scans_picture(&picture)?;
    ensure!(seen.verdict == "cannot_tell" && seen.reasons == "already_used", "{seen:?}");
    for language in ["ko", "en", "zh-Hans"] {
        citizen.go(&format!("/lang/{language}?to={page}"))?;
        citizen.until_seen("#bound figure")?;
        citizen.keep_picture(&format!("pass-shown-{language}"))?;
        citizen.is_accessible()?;
    }
    Ok(())
}
