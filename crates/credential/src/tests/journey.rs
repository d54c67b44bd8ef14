//! One code at one gate: every outcome and every reason, seen from outside.

use super::{City, DAY, NOW, PASS};
use crate::{
    Check, Class, Colour, DecodeError, DeviceKey, Holder, IssuerKey, IssuerSigner, Outcome, Policy,
    Presentation, Reason, RevocationList, SeenSet, ShortCode, TrustList, Uses, Verdict, cose,
    verify,
};

#[track_caller]
fn expect(verdict: &Verdict, outcome: Outcome, reasons: &[Reason]) {
    assert_eq!((verdict.outcome, verdict.reasons.as_slice()), (outcome, reasons), "{verdict:?}");
}

#[test]
fn a_green_code_with_a_fresh_proof_passes() {
    let city = City::new();
    let verdict = city.judge(&city.show(&city.code()));
    expect(&verdict, Outcome::Pass, &[]);
    assert_eq!(verdict.class, Some(Class::DeviceBound));
    assert_eq!((verdict.colour, verdict.pass), (Some(Colour::Green), Some(PASS)));
    assert_eq!(verdict.valid_until, Some(NOW + 7 * DAY));
    assert!(!verdict.ask_id);
    let checks = verdict.checks;
    for check in [checks.decode, checks.signature, checks.trust, checks.time, checks.revocation] {
        assert_eq!(check, Check::Ok);
    }
    assert_eq!(checks.proof, Check::Ok);
}

#[test]
fn a_presentation_fits_its_qr_code() {
    let city = City::new();
    let mut code = city.code();
    code.region = "A-REGION-OF-16-C".to_owned();
    let shown = city.show(&code);
    assert!(shown.to_cbor().len() <= 260, "{}", shown.to_cbor().len());
    let text = shown.to_text();
    assert!(text.len() <= 419, "{}", text.len());
    let version = qrcode::Version::Normal(12);
    let drawn = qrcode::QrCode::with_version(&text, version, qrcode::EcLevel::M).unwrap();
    assert_eq!(drawn.width(), 65);
}

#[test]
fn other_colours_do_not_pass_and_unknown_is_not_a_no() {
    let city = City::new();
    for (colour, outcome, reason) in [
        (Colour::Yellow, Outcome::NoPass, Reason::ColourYellow),
        (Colour::Red, Outcome::NoPass, Reason::ColourRed),
        (Colour::Unknown, Outcome::CannotTell, Reason::ColourUnknown),
    ] {
        let mut code = city.code();
        code.colour = colour;
        let verdict = city.judge(&city.show(&code));
        expect(&verdict, outcome, &[reason]);
        assert_eq!(verdict.colour, Some(colour));
    }
}

#[test]
fn paper_passes_with_a_glance_at_an_id() {
    let city = City::new();
    let mut code = city.code();
    code.holder = Holder::Printed;
    let verdict = city.judge(&city.show(&code));
    expect(&verdict, Outcome::Pass, &[]);
    assert_eq!((verdict.class, verdict.ask_id), (Some(Class::Printed), true));
    assert_eq!(verdict.checks.proof, Check::Skipped);
}

#[test]
fn paper_with_a_proof_is_not_a_code_of_ours() {
    let city = City::new();
    let mut code = city.code();
    code.holder = Holder::Printed;
    let moment = Some(city.device.prove(&PASS, NOW).unwrap());
    let shown = Presentation { moment, ..city.show(&code) };
    expect(&city.judge(&shown), Outcome::CannotTell, &[Reason::Malformed]);
}

#[test]
fn a_picture_of_the_code_without_its_proof_does_not_pass() {
    let city = City::new();
    let shown = Presentation { moment: None, ..city.show(&city.code()) };
    expect(&city.judge(&shown), Outcome::NoPass, &[Reason::ProofMissing]);
}

#[test]
fn a_proof_of_another_device_or_another_pass_does_not_pass() {
    let city = City::new();
    let other = DeviceKey::from_scalar(&[4; 32]).unwrap().prove(&PASS, NOW).unwrap();
    let shown = Presentation { moment: Some(other), ..city.show(&city.code()) };
    expect(&city.judge(&shown), Outcome::NoPass, &[Reason::ProofBad]);

    let other = city.device.prove(&[8; 16], NOW).unwrap();
    let shown = Presentation { moment: Some(other), ..city.show(&city.code()) };
    expect(&city.judge(&shown), Outcome::NoPass, &[Reason::ProofBad]);
}

#[test]
fn a_code_signed_by_a_stranger_cannot_be_judged_and_shows_nothing() {
    let mut city = City::new();
    city.issuer = IssuerSigner::from_seed(&[66; 32]).unwrap();
    let mut code = city.code();
    code.colour = Colour::Red;
    let verdict = city.judge(&city.show(&code));
    expect(&verdict, Outcome::CannotTell, &[Reason::IssuerUnknown]);
    assert_eq!((verdict.colour, verdict.pass, verdict.class), (None, None, None));
}

#[test]
fn a_forged_code_under_a_known_name_does_not_pass_and_shows_nothing() {
    let city = City::new();
    let mut shown = city.show(&city.code());
    let mut signed = cose::Sign1::from_cbor(&shown.signed, 1024).unwrap();
    let mut better = city.code();
    better.valid_until += DAY;
    signed.payload = better.to_cbor();
    shown.signed = signed.to_cbor();
    let verdict = city.judge(&shown);
    expect(&verdict, Outcome::NoPass, &[Reason::SignatureBad]);
    assert_eq!((verdict.colour, verdict.pass, verdict.checks.trust), (None, None, Check::Ok));
}

#[test]
fn a_tagged_code_is_read_too() {
    let city = City::new();
    let mut shown = city.show(&city.code());
    shown.signed.insert(0, 0xd2);
    expect(&city.judge(&shown), Outcome::Pass, &[]);
}

#[test]
fn another_algorithm_is_refused_before_any_key_is_looked_up() {
    let city = City::new();
    let mut shown = city.show(&city.code());
    // Protected header at 2..15: {1: -8, 4: kid}; -8 becomes -7 (ES256).
    assert_eq!(shown.signed[4], 0x27);
    shown.signed[4] = 0x26;
    let read = cose::Sign1::from_cbor(&shown.signed, 1024);
    assert_eq!(read, Err(DecodeError::AlgorithmNotAllowed));
    expect(&city.judge(&shown), Outcome::CannotTell, &[Reason::Malformed]);
}

#[test]
fn a_code_of_another_region_cannot_be_judged() {
    let city = City::new();
    let mut code = city.code();
    code.region = "KR-26".to_owned();
    expect(&city.judge(&city.show(&code)), Outcome::CannotTell, &[Reason::RegionOther]);
}

#[test]
fn stale_lists_never_make_a_no() {
    let mut city = City::new();
    let mut red = city.code();
    red.colour = Colour::Red;
    let (green, red) = (city.show(&city.code()), city.show(&red));

    city.trust.revocations = None;
    expect(&city.judge(&green), Outcome::CannotTell, &[Reason::RevocationStale]);
    // Red is red, whatever the revocation list would say.
    let both = [Reason::RevocationStale, Reason::ColourRed];
    expect(&city.judge(&red), Outcome::NoPass, &both);

    // But a stale trust list may still name a key that has since been stolen.
    city.trust.list.valid_until = NOW;
    let verdict = city.judge(&red);
    assert_eq!(verdict.outcome, Outcome::CannotTell);
    assert_eq!(verdict.reasons[0], Reason::TrustStale);
    let mut forged = red;
    *forged.signed.last_mut().unwrap() ^= 1;
    let both = [Reason::TrustStale, Reason::SignatureBad];
    expect(&city.judge(&forged), Outcome::CannotTell, &both);
}

#[test]
fn a_revoked_pass_does_not_pass_and_stays_revoked_on_an_old_list() {
    let mut city = City::new();
    let shown = city.show(&city.code());
    let passes = [[0x01; 16], PASS, [0xff; 16]];
    city.trust.revocations = Some(RevocationList::new(10, NOW - 60, NOW + DAY, &passes));
    expect(&city.judge(&shown), Outcome::NoPass, &[Reason::Revoked]);
    expect(
        &city.judge_at(&city.show_at(&city.code(), NOW + 2 * DAY), NOW + 2 * DAY),
        Outcome::NoPass,
        &[Reason::Revoked],
    );
}

#[test]
fn revoking_a_key_spares_the_codes_it_signed_before() {
    let mut city = City::new();
    let shown = city.show(&city.code());
    let issued = city.code().issued_at;
    city.trust.list.keys[0].revoked_from = Some(issued + 1);
    expect(&city.judge(&shown), Outcome::Pass, &[]);
    city.trust.list.keys[0].revoked_from = Some(issued);
    expect(&city.judge(&shown), Outcome::NoPass, &[Reason::IssuerRevoked]);
}

#[test]
fn the_second_showing_of_a_pass_is_marked_and_asks_for_an_id() {
    let city = City::new();
    let seen = &mut SeenSet::new();
    let shown = city.show(&city.code());
    expect(&city.judge_seen(&shown, seen, NOW), Outcome::Pass, &[]);
    let again = city.judge_seen(&shown, seen, NOW + 5);
    expect(&again, Outcome::CannotTell, &[Reason::AlreadyUsed]);
    assert_eq!((again.used_at, again.ask_id), (Some(NOW), true));
    // A fresh proof within the minute is marked as well, and later no more.
    let fresh = city.show_at(&city.code(), NOW + 59);
    let fresh = city.judge_seen(&fresh, seen, NOW + 59);
    expect(&fresh, Outcome::CannotTell, &[Reason::AlreadyUsed]);
    let later = city.show_at(&city.code(), NOW + 60);
    expect(&city.judge_seen(&later, seen, NOW + 60), Outcome::Pass, &[]);
}

#[test]
fn a_refused_showing_uses_nothing_up() {
    let city = City::new();
    let seen = &mut SeenSet::new();
    let stolen = Presentation { moment: None, ..city.show(&city.code()) };
    assert_eq!(city.judge_seen(&stolen, seen, NOW).outcome, Outcome::NoPass);
    assert!(seen.is_empty());
    expect(&city.judge_seen(&city.show(&city.code()), seen, NOW), Outcome::Pass, &[]);
}

#[test]
fn a_typed_code_needs_the_server() {
    let city = City::new();
    let typed = ShortCode::from_bits(0x1234_5678).to_string().to_lowercase();
    let verdict = verify(&typed, &city.trust, None, &Policy::default(), NOW);
    expect(&verdict, Outcome::CannotTell, &[Reason::TypedOffline]);
}

#[test]
fn what_is_no_code_cannot_be_judged() {
    let city = City::new();
    let text = city.show(&city.code()).to_text();
    for other in [
        "",
        "HT1:",
        "HT2:6BF",
        "HC1:6BF+70790T9WJWG.FKY*4GO0",
        "https://example.org",
        "=HYPERLINK(\"x\")",
        "\u{200b}",
        "\u{fffd}\u{fffd}",
        "안녕하세요",
        &text.to_lowercase(),
        &format!(" {text}"),
        &format!("{text}00"),
        &text[..text.len() - 3],
    ] {
        let verdict = verify(other, &city.trust, None, &Policy::default(), NOW);
        expect(&verdict, Outcome::CannotTell, &[Reason::Malformed]);
    }
    let verdict = verify(&"0".repeat(1541), &city.trust, None, &Policy::default(), NOW);
    expect(&verdict, Outcome::CannotTell, &[Reason::TooLong]);
}

#[test]
fn lists_come_back_from_their_signed_form() {
    let city = City::new();
    let root = city.root.public();
    let mut list = city.trust.list.clone();
    for seed in 10..20 {
        let public = IssuerSigner::from_seed(&[seed; 32]).unwrap().public();
        list.keys.push(IssuerKey {
            revoked_from: (seed % 2 == 0).then_some(NOW),
            whose: (seed % 3 == 0).then(|| "org_00000000000000000000000003".to_owned()),
            uses: if seed % 5 == 0 { Uses::PASSES } else { Uses::CODES },
            ..IssuerKey::new(public, NOW, NOW + DAY)
        });
    }
    let signed = city.root.sign_trust(&list).unwrap();
    let read = TrustList::open(&signed, &root, list.version).unwrap();
    list.keys.sort_by_key(|key| key.kid);
    assert_eq!(read, list);
    for key in &list.keys {
        assert_eq!(read.key(&key.kid), Some(key));
    }
    assert_eq!(read.key(&[0; 8]), None);
    let older = TrustList::open(&signed, &root, list.version + 1);
    assert_eq!(older, Err(DecodeError::RolledBack));

    let revocations = city.trust.revocations.clone().unwrap();
    let revoked = city.root.sign_revocations(&revocations).unwrap();
    assert_eq!(RevocationList::open(&revoked, &root, 9).unwrap(), revocations);
    assert_eq!(RevocationList::open(&revoked, &root, 10), Err(DecodeError::RolledBack));

    // One kind is never taken for the other, and strangers sign nothing.
    assert_eq!(TrustList::open(&revoked, &root, 0), Err(DecodeError::WrongShape));
    assert_eq!(RevocationList::open(&signed, &root, 0), Err(DecodeError::WrongShape));
    let stranger = city.issuer.sign_trust(&list).unwrap();
    assert_eq!(TrustList::open(&stranger, &root, 0), Err(DecodeError::SignatureBad));
}

#[test]
fn what_no_gate_would_read_is_not_signed() {
    let city = City::new();
    for spoil in [
        |code: &mut crate::HealthCode| code.region.clear(),
        |code: &mut crate::HealthCode| code.region = "A-REGION-OF-17-CH".to_owned(),
        |code: &mut crate::HealthCode| code.region = "서울".to_owned(),
        |code: &mut crate::HealthCode| code.issued_at = -1,
        |code: &mut crate::HealthCode| code.valid_until = code.issued_at,
        |code: &mut crate::HealthCode| code.valid_until = i64::MAX,
    ] {
        let mut code = city.code();
        spoil(&mut code);
        assert!(city.issuer.sign_code(&code).is_err(), "{code:?}");
    }
    let mut list = city.trust.list.clone();
    list.keys.push(list.keys[0].clone());
    assert!(city.root.sign_trust(&list).is_err());
    list.keys.truncate(1);
    list.keys[0].kid = [0; 8];
    assert!(city.root.sign_trust(&list).is_err());
}

#[test]
fn reason_codes_are_unique_and_those_of_the_json() {
    let mut codes: Vec<&str> = Reason::ALL.iter().map(|reason| reason.code()).collect();
    for reason in Reason::ALL {
        assert_eq!(serde_json::to_value(reason).unwrap(), reason.code());
    }
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), Reason::ALL.len());
}

#[test]
fn a_key_that_signs_other_things_or_is_an_organisations_signs_no_health_code_it_may_not() {
    let mut city = City::new();
    let shown = city.show(&city.code());
    city.trust.list.keys[0].whose = Some("org_00000000000000000000000003".to_owned());
    assert_eq!(city.judge(&shown).outcome, Outcome::Pass, "whose it is changes nothing");
    city.trust.list.keys[0].uses = Uses::PASSES;
    let verdict = city.judge(&shown);
    assert_eq!(
        (verdict.outcome, verdict.reasons),
        (Outcome::CannotTell, vec![Reason::IssuerNotValid])
    );
    city.trust.list.keys[0].uses = Uses::PASSES.and(Uses::CODES);
    assert_eq!(city.judge(&shown).outcome, Outcome::Pass);
}

#[test]
fn a_list_with_a_row_of_seven_fields_where_five_say_all_is_refused() {
    let city = City::new();
    let signed = city.root.sign_trust(&city.trust.list).unwrap();
    let plain = TrustList::open(&signed, &city.root.public(), 0).unwrap();
    assert_eq!(plain, city.trust.list);
    let mut list = city.trust.list.clone();
    list.keys[0].whose = Some("two words".to_owned());
    assert!(city.root.sign_trust(&list).is_err(), "no text of an id");
}
