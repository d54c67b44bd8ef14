//! What comes from outside is anything at all: no panic, and nothing altered ever passes.

use minicbor::Encoder;
use proptest::prelude::*;

use super::{City, NOW, PASS};
use crate::cose::Sign1;
use crate::{
    DecodeError, HealthCode, Holder, Outcome, Policy, Presentation, RevocationDelta,
    RevocationList, TrustList, base45, verify,
};

fn passes(city: &City, text: &str) -> bool {
    verify(text, &city.trust, None, &Policy::default(), NOW).outcome == Outcome::Pass
}

#[test]
fn no_single_bit_of_a_presentation_can_be_flipped() {
    let city = City::new();
    let mut printed = city.code();
    printed.holder = Holder::Printed;
    for code in [city.code(), printed] {
        let shown = city.show(&code);
        assert!(passes(&city, &shown.to_text()));
        let bytes = shown.to_cbor();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let text = format!("HT1:{}", base45::encode(&flipped));
            assert!(!passes(&city, &text), "bit {bit}");
        }
        let text = shown.to_text().into_bytes();
        for bit in 0..text.len() * 8 {
            let mut flipped = text.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            if let Ok(flipped) = String::from_utf8(flipped) {
                assert!(!passes(&city, &flipped), "bit {bit} of the text");
            }
        }
    }
}

#[test]
fn no_byte_of_a_presentation_can_be_cut_or_added() {
    let city = City::new();
    let bytes = city.show(&city.code()).to_cbor();
    for place in 0..=bytes.len() {
        let mut longer = bytes.clone();
        longer.insert(place, 0);
        assert!(!passes(&city, &format!("HT1:{}", base45::encode(&longer))));
        let cut = bytes.get(..place).filter(|cut| cut.len() < bytes.len());
        if let Some(cut) = cut {
            assert!(Presentation::from_cbor(cut).is_err());
        }
    }
}

#[test]
fn no_single_bit_of_a_list_can_be_flipped() {
    let city = City::new();
    let root = city.root.public();
    let trust = city.root.sign_trust(&city.trust.list).unwrap();
    let revoked = city.root.sign_revocations(city.trust.revocations.as_ref().unwrap()).unwrap();
    for bit in 0..trust.len() * 8 {
        let mut flipped = trust.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(TrustList::open(&flipped, &root, 0).is_err(), "bit {bit}");
    }
    for bit in 0..revoked.len() * 8 {
        let mut flipped = revoked.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(RevocationList::open(&flipped, &root, 0).is_err(), "bit {bit}");
    }
}

/// The payload of a printed code, written by hand so that it can be written wrongly.
fn payload(write: impl FnOnce(&mut Encoder<Vec<u8>>)) -> Vec<u8> {
    let mut cbor = Encoder::new(Vec::new());
    write(&mut cbor);
    cbor.into_writer()
}

#[test]
fn only_the_one_deterministic_encoding_is_read() {
    let good = payload(|cbor| {
        cbor.map(6).unwrap().u8(1).unwrap().bytes(&PASS).unwrap().u8(2).unwrap().u8(1).unwrap();
        cbor.u8(3).unwrap().u8(10).unwrap().u8(4).unwrap().u8(20).unwrap();
        cbor.u8(6).unwrap().u8(1).unwrap().u8(7).unwrap().str("X").unwrap();
    });
    assert!(HealthCode::from_cbor(&good).is_ok());

    // A key twice, keys out of order.
    let mut twice = good.clone();
    twice.splice(21..23, [3, 10, 3, 10]);
    twice[0] = 0xa7;
    let mut swapped = good.clone();
    swapped.splice(19..23, [3, 10, 2, 1]);
    for wrong in [twice, swapped] {
        assert_eq!(HealthCode::from_cbor(&wrong), Err(DecodeError::WrongShape));
    }

    // 10 in two bytes; a map, a byte string and a text of indefinite length; a byte more.
    let mut long = good.clone();
    assert_eq!(long[21..23], [3, 10]);
    long.splice(22..23, [0x18, 10]);
    let mut endless_map = good.clone();
    endless_map[0] = 0xbf;
    endless_map.push(0xff);
    let mut trailing = good.clone();
    trailing.push(0);
    for wrong in [long, endless_map, trailing] {
        assert_eq!(HealthCode::from_cbor(&wrong), Err(DecodeError::NotCanonical));
    }
    let mut endless_bytes = good.clone();
    endless_bytes.splice(2..3, [0x5f, 0x50]);
    endless_bytes.insert(20, 0xff);
    let mut endless_text = good.clone();
    let end = endless_text.len() - 2;
    endless_text.splice(end..end, [0x7f]);
    endless_text.push(0xff);
    for wrong in [endless_bytes, endless_text] {
        assert_eq!(HealthCode::from_cbor(&wrong), Err(DecodeError::WrongShape));
    }

    // Values out of range: colour 4, class 2, a negative time, a tag, a float.
    for (place, value) in [(20, 4), (26, 2), (22, 0x20), (22, 0xc1), (22, 0xfb)] {
        let mut wrong = good.clone();
        wrong[place] = value;
        assert_eq!(HealthCode::from_cbor(&wrong), Err(DecodeError::WrongShape), "{place}");
    }
}

#[test]
fn deep_nesting_is_refused_at_its_first_wrong_level() {
    let mut shown = vec![0x81; 1023];
    shown.push(0x80);
    assert_eq!(Presentation::from_cbor(&shown), Err(DecodeError::WrongShape));
    assert_eq!(Sign1::from_cbor(&shown, 1024), Err(DecodeError::WrongShape));
    assert_eq!(HealthCode::from_cbor(&[0xa1; 1024]), Err(DecodeError::WrongShape));
    shown.push(0x80);
    assert_eq!(Presentation::from_cbor(&shown), Err(DecodeError::TooLong));
    assert_eq!(Sign1::from_cbor(&shown, 1024), Err(DecodeError::TooLong));
}

#[test]
fn lengths_that_lie_allocate_nothing() {
    // A byte string, an array and a map of 2^64 - 1 elements.
    for head in [0x5b, 0x9b, 0xbb] {
        let lie = [[head].as_slice(), &[0xff; 8]].concat();
        assert!(Presentation::from_cbor(&lie).is_err());
        assert!(Sign1::from_cbor(&lie, 1024).is_err());
        assert!(HealthCode::from_cbor(&lie).is_err());
        let inside = [[0x81].as_slice(), &lie].concat();
        assert!(Presentation::from_cbor(&inside).is_err());
    }
}

proptest! {
    #[test]
    fn any_text_gets_a_verdict_and_none_passes(text: String) {
        prop_assert!(!passes(&City::new(), &text));
    }

    #[test]
    fn any_bytes_behind_the_prefix_get_a_verdict_and_none_passes(bytes: Vec<u8>) {
        let text = format!("HT1:{}", base45::encode(&bytes));
        prop_assert!(!passes(&City::new(), &text));
    }

    #[test]
    fn any_bytes_are_read_by_every_reader_without_a_panic(bytes: Vec<u8>) {
        let _ = Presentation::from_cbor(&bytes);
        let _ = Sign1::from_cbor(&bytes, 1024);
        let _ = HealthCode::from_cbor(&bytes);
        let root = [7; 32];
        prop_assert!(TrustList::open(&bytes, &root, 0).is_err());
        prop_assert!(RevocationList::open(&bytes, &root, 0).is_err());
    }

    #[test]
    fn any_splice_of_a_good_presentation_does_not_pass(
        start in 0_usize..240, length in 0_usize..20, with: Vec<u8>,
    ) {
        let city = City::new();
        let good = city.show(&city.code()).to_cbor();
        let start = start.min(good.len());
        let end = (start + length).min(good.len());
        let mut spliced = good.clone();
        spliced.splice(start..end, with);
        prop_assume!(spliced != good);
        let text = format!("HT1:{}", base45::encode(&spliced));
        prop_assert!(!passes(&city, &text));
    }

    #[test]
    fn a_code_that_is_read_is_written_the_same(
        pass: [u8; 16], issued in 0_i64..4_000_000_000, lasts in 1_i64..4_000_000_000,
        region in "[A-Z0-9-]{1,16}", key: Option<[u8; 32]>,
    ) {
        let holder = key.map_or(Holder::Printed, |key| {
            let mut point = [2; 33];
            point[1..].copy_from_slice(&key);
            Holder::Device(point)
        });
        let colour = crate::Colour::Green;
        let valid_until = issued + lasts;
        let code = HealthCode { pass, colour, issued_at: issued, valid_until, holder, region };
        prop_assert_eq!(HealthCode::from_cbor(&code.to_cbor()), Ok(code));
    }
}

fn passes_of(numbers: &[u8]) -> Vec<[u8; 16]> {
    numbers.iter().map(|it| [*it; 16]).collect()
}

proptest! {
    #[test]
    fn a_delta_makes_the_newer_list_of_the_older_and_of_no_other(
        older: Vec<u8>, newer: Vec<u8>, other: Vec<u8>, flip in 0_usize..1_000_000,
    ) {
        let city = City::new();
        let root = city.root.public();
        let list = |version, numbers: &[u8]| {
            RevocationList::new(version, NOW, NOW + 60, &passes_of(numbers))
        };
        let signed = |list: &RevocationList| city.root.sign_revocations(list).unwrap();
        let (older, newer, other) = (list(1, &older), list(2, &newer), list(1, &other));
        let delta = RevocationDelta::between(&older.revoked, &newer, &signed(&newer)).unwrap();
        let bytes = delta.to_cbor();
        prop_assert_eq!(RevocationDelta::from_cbor(&bytes).unwrap(), delta.clone());
        prop_assert_eq!(delta.apply(&signed(&older)).unwrap(), signed(&newer));
        // What is made of another list is the newer one or opens for nobody.
        let made = delta.apply(&signed(&other)).and_then(|it| RevocationList::open(&it, &root, 0));
        prop_assert!(made.is_err() || made == Ok(newer.clone()));
        // Whatever is altered on the way gives the newer list, or none.
        let mut altered = bytes.clone();
        let bit = flip % (altered.len() * 8);
        altered[bit / 8] ^= 1 << (bit % 8);
        let made = RevocationDelta::from_cbor(&altered)
            .and_then(|it| it.apply(&signed(&older)))
            .and_then(|it| RevocationList::open(&it, &root, 0));
        prop_assert!(made.is_err() || made == Ok(newer));
    }

    #[test]
    fn bytes_for_a_delta_are_read_or_refused(bytes: Vec<u8>, older: Vec<u8>) {
        if let Ok(delta) = RevocationDelta::from_cbor(&bytes) {
            let _ = delta.apply(&older);
        }
    }
}
