//! The desk and the reader, run natively.

mod passes;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use credential::{
    Colour, DeviceKey, Floor, HealthCode, Holder, IssuerKey, IssuerSigner, Presentation,
    RevocationDelta, RevocationList, TrustList,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::desk::{Desk, MAX_REQUEST};
use crate::scan::texts;

const NOW: i64 = 1_800_000_007;
const DAY: i64 = 86_400;

fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

#[track_caller]
fn ask(desk: &mut Desk, request: &Value) -> Value {
    serde_json::from_slice(&desk.answer(request.to_string().as_bytes())).unwrap()
}

/// The request that loads a region's lists, and the text its citizen shows.
fn city() -> (Value, String) {
    let root = IssuerSigner::from_seed(&[1; 32]).unwrap();
    let issuer = IssuerSigner::from_seed(&[2; 32]).unwrap();
    let device = DeviceKey::from_scalar(&[3; 32]).unwrap();
    let list = TrustList {
        region: "KR-11".to_owned(),
        version: 7,
        issued_at: NOW - DAY,
        valid_until: NOW + DAY,
        keys: vec![IssuerKey::new(issuer.public(), NOW - DAY, NOW + DAY)],
    };
    let revocations = RevocationList::new(9, NOW - DAY, NOW + DAY, &[[0xee; 16]]);
    let code = HealthCode {
        pass: [7; 16],
        colour: Colour::Green,
        issued_at: NOW - 60,
        valid_until: NOW + DAY,
        holder: Holder::Device(device.public()),
        region: "KR-11".to_owned(),
    };
    let shown = Presentation {
        signed: issuer.sign_code(&code).unwrap(),
        moment: Some(device.prove(&code.pass, NOW).unwrap()),
    };
    let load = json!({
        "op": "load_lists",
        "trust": base64(&root.sign_trust(&list).unwrap()),
        "revocations": base64(&root.sign_revocations(&revocations).unwrap()),
        "root": base64(&root.public()),
        "min_version": 7,
    });
    (load, shown.to_text())
}

/// Draws `text` as QR version 12 at level M, `scale` pixels a module, with its quiet zone.
fn drawn(text: &str, scale: usize) -> (Vec<u8>, usize) {
    let version = qrcode::Version::Normal(12);
    let code = qrcode::QrCode::with_version(text, version, qrcode::EcLevel::M).unwrap();
    let (modules, colours) = (code.width(), code.to_colors());
    let side = (modules + 8) * scale;
    let module = |at: usize| (at / scale).checked_sub(4).filter(|module| *module < modules);
    let luma = (0..side * side).map(|at| match (module(at % side), module(at / side)) {
        (Some(x), Some(y)) if colours[y * modules + x] == qrcode::Color::Dark => 20,
        _ => 230,
    });
    (luma.collect(), side)
}

#[test]
fn a_gate_loads_its_lists_and_judges_a_code_twice() {
    let (load, text) = city();
    let desk = &mut Desk::default();
    let request = json!({ "op": "verify", "text": text, "now_s": NOW });
    assert_eq!(ask(desk, &request), json!({ "error": "lists_missing" }));

    let dates =
        |version| json!({ "version": version, "issued_at": NOW - DAY, "valid_until": NOW + DAY });
    assert_eq!(
        ask(desk, &load),
        json!({ "ok": { "region": "KR-11", "keys": 1, "trust": dates(7), "revocations": dates(9),
            "revocations_error": null, "since": 0 } })
    );
    let verdict = ask(desk, &request);
    assert_eq!(verdict["ok"]["outcome"], "pass");
    assert_eq!(verdict["ok"]["colour"], "green");
    assert_eq!(verdict["ok"]["pass"], "07".repeat(16));
    assert_eq!(verdict["ok"]["checks"]["proof"], "ok");
    let again = ask(desk, &request);
    assert_eq!(again["ok"]["reasons"], json!(["already_used"]));
    let look = json!({ "op": "verify", "text": text, "now_s": NOW, "remember": false });
    assert_eq!(ask(desk, &look)["ok"]["outcome"], "pass");
}

#[test]
fn what_changed_in_a_list_gives_the_newer_list_or_an_error() {
    let root = IssuerSigner::from_seed(&[1; 32]).unwrap();
    let older = RevocationList::new(9, NOW - DAY, NOW + DAY, &[[1; 16], [2; 16]]);
    let newer = RevocationList::new(10, NOW, NOW + DAY, &[[2; 16], [3; 16]]);
    let signed = root.sign_revocations(&newer).unwrap();
    let delta = RevocationDelta::between(&older.revoked, &newer, &signed).unwrap();
    let mut request = json!({
        "op": "apply_delta",
        "revocations": base64(&root.sign_revocations(&older).unwrap()),
        "delta": base64(&delta.to_cbor()),
        "root": base64(&root.public()),
    });
    let desk = &mut Desk::default();
    assert_eq!(ask(desk, &request), json!({ "ok": { "list": base64(&signed) } }));
    let other = RevocationList::new(9, NOW - DAY, NOW + DAY, &[[1; 16], [2; 16], [4; 16]]);
    for (field, value, code) in [
        ("revocations", json!(base64(&root.sign_revocations(&other).unwrap())), "signature_bad"),
        ("delta", json!("????"), "request_malformed"),
        ("delta", json!(base64(b"no delta")), "wrong_shape"),
        ("root", json!(base64(&[7; 32])), "signature_bad"),
    ] {
        let before = request[field].take();
        request[field] = value;
        assert_eq!(ask(desk, &request), json!({ "error": code }), "{field}");
        request[field] = before;
    }
}

#[test]
fn a_refused_list_changes_nothing_and_a_refused_revocation_list_cannot_tell() {
    let (load, text) = city();
    let desk = &mut Desk::default();
    ask(desk, &load);
    let verify = json!({ "op": "verify", "text": text, "now_s": NOW, "remember": false });

    for (field, value, code) in [
        ("min_version", json!(8), "rolled_back"),
        ("root", json!(base64(&[0; 32])), "signature_bad"),
        ("root", json!("AAAA"), "root_malformed"),
        ("trust", json!("not base64!"), "wrong_shape"),
        ("trust", json!(base64(b"\x80")), "wrong_shape"),
    ] {
        let mut other = load.clone();
        other[field] = value;
        assert_eq!(ask(desk, &other), json!({ "error": code }));
        assert_eq!(ask(desk, &verify)["ok"]["outcome"], "pass");
    }
    let mut other = load.clone();
    other["min_revocation_version"] = json!(10);
    assert_eq!(ask(desk, &other)["ok"]["revocations_error"], "rolled_back");
    assert_eq!(ask(desk, &verify)["ok"]["outcome"], "cannot_tell");
    other["revocations"] = Value::Null;
    assert_eq!(ask(desk, &other)["ok"]["revocations_error"], Value::Null);
    assert_eq!(ask(desk, &verify)["ok"]["reasons"], json!(["revocation_stale"]));
}

/// The region's floor as the bundle carries it.
fn floor(root: u8, region: &str, since: i64) -> Value {
    let floor = Floor { region: region.to_owned(), since };
    let signer = IssuerSigner::from_seed(&[root; 32]).unwrap();
    json!(base64(&signer.sign_floor(&floor).unwrap()))
}

#[test]
fn a_raised_floor_ends_older_lists_at_once_and_never_falls_again() {
    let (load, text) = city();
    let desk = &mut Desk::default();
    let verify = json!({ "op": "verify", "text": text, "now_s": NOW, "remember": false });
    let with = |floor: Value| {
        let mut load = load.clone();
        load["floor"] = floor;
        load
    };
    // The lists are of exactly this second: they still count.
    assert_eq!(ask(desk, &with(floor(1, "KR-11", NOW - DAY)))["ok"]["since"], NOW - DAY);
    assert_eq!(ask(desk, &verify)["ok"]["outcome"], "pass");
    // Nobody else raises it: not another key, not for another region, not with a damaged word.
    for (bad, code) in [
        (floor(2, "KR-11", NOW), "signature_bad"),
        (json!(base64(b"\x80")), "wrong_shape"),
        (json!("?"), "wrong_shape"),
    ] {
        assert_eq!(ask(desk, &with(bad)), json!({ "error": code }));
        assert_eq!(ask(desk, &verify)["ok"]["outcome"], "pass");
    }
    // A second later they do not, and what was loaded is gone too.
    let raised = with(floor(1, "KR-11", NOW - DAY + 1));
    assert_eq!(ask(desk, &raised), json!({ "error": "rolled_back" }));
    assert_eq!(ask(desk, &verify), json!({ "error": "lists_missing" }));
    // An older floor, or none, does not bring them back.
    for old in [floor(1, "KR-11", 0), Value::Null] {
        assert_eq!(ask(desk, &with(old)), json!({ "error": "rolled_back" }));
    }
    // Nor does a new start of the page, which remembers the floor.
    let mut remembered = load.clone();
    remembered["min_since"] = json!(NOW - DAY + 1);
    assert_eq!(ask(&mut Desk::default(), &remembered), json!({ "error": "rolled_back" }));
}

#[test]
fn a_floor_of_another_region_is_refused() {
    let (mut load, _) = city();
    load["floor"] = floor(1, "KR-12", 0);
    assert_eq!(ask(&mut Desk::default(), &load), json!({ "error": "wrong_shape" }));
}

#[test]
fn short_codes_are_put_in_their_proper_form() {
    let desk = &mut Desk::default();
    let right = credential::ShortCode::from_bits(0x1234_5678_9abc).to_string();
    let typed = json!({ "op": "parse_short", "text": right.to_lowercase().replace('-', " ") });
    assert_eq!(ask(desk, &typed), json!({ "ok": { "text": right } }));
    let typed = json!({ "op": "parse_short", "text": "0000-0000-0001" });
    assert_eq!(ask(desk, &typed), json!({ "error": "short_code_mistyped" }));
}

#[test]
fn what_is_no_request_is_told_so() {
    let desk = &mut Desk::default();
    for request in
        ["", "{}", "[]", "{\"op\":\"eval\"}", "{\"op\":\"verify\"}", "\u{0}", "\"\\ud800\""]
    {
        assert_eq!(desk.answer(request.as_bytes()), br#"{"error":"request_malformed"}"#);
    }
    let long = desk.answer(&vec![b' '; MAX_REQUEST + 1]);
    assert_eq!(long, br#"{"error":"request_too_long"}"#);
}

#[test]
fn a_drawn_code_is_read_back_as_its_text() {
    let (_, text) = city();
    for scale in [3, 5, 8] {
        let (luma, side) = drawn(&text, scale);
        assert_eq!(texts(&luma, side, side), std::slice::from_ref(&text), "{scale}");
    }
}

#[test]
fn a_code_turned_and_dimmed_is_read_too() {
    let (_, text) = city();
    let (luma, side) = drawn(&text, 4);
    let turned: Vec<u8> = (0..side * side)
        .map(|at| luma[(at % side) * side + (side - 1 - at / side)] / 3 + 40)
        .collect();
    assert_eq!(texts(&turned, side, side), [text]);
}

#[test]
fn pictures_of_a_wrong_size_have_no_codes() {
    for (pixels, width, height) in
        [(0, 0, 0), (400, 20, 20), (441, 21, 22), (441, usize::MAX, 2), (100, 100, 1)]
    {
        assert_eq!(texts(&vec![0; pixels], width, height), Vec::<String>::new());
    }
}

proptest! {
    #[test]
    fn any_bytes_get_an_answer_in_json(request: Vec<u8>) {
        let answer = Desk::default().answer(&request);
        prop_assert!(serde_json::from_slice::<Value>(&answer).is_ok());
    }

    #[test]
    fn any_picture_is_read_without_a_panic(
        width in 21_usize..90, pixels in prop::collection::vec(any::<u8>(), 21 * 90..60 * 90),
    ) {
        let height = pixels.len() / width;
        let _ = texts(&pixels[..width * height], width, height);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_damaged_code_gives_its_own_text_or_none(
        spots in prop::collection::vec((0_usize..1000, 0_usize..1000, 1_usize..60), 1..12),
        grey: u8,
    ) {
        let (_, text) = city();
        let (mut luma, side) = drawn(&text, 3);
        for (x, y, size) in spots {
            for at in 0..size * size {
                let (x, y) = ((x + at % size) % side, (y + at / size) % side);
                luma[y * side + x] = grey;
            }
        }
        for read in texts(&luma, side, side) {
            prop_assert_eq!(&read, &text);
        }
    }
}
