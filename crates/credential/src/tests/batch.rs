//! A batch says what the single path says, of honest, altered and crafted codes alike.

use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT as BASE, EIGHT_TORSION};
use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::Scalar;
use proptest::prelude::*;
use sha2::{Digest as _, Sha512};

use super::{KEYS_MAX, KeyTable, Multiples, ROWS, Signed, Tables, verify_many};
use crate::cose::Sign1;
use crate::{
    Colour, DeviceKey, HealthCode, Holder, IssuerKey, IssuerSigner, Policy, Presentation,
    RevocationList, Trust, TrustList, verify,
};

const NOW: i64 = 1_800_000_007;
const DAY: i64 = 86_400;

fn trust(issuers: &[&IssuerSigner]) -> Trust {
    let mut keys: Vec<IssuerKey> =
        issuers.iter().map(|it| IssuerKey::new(it.public(), NOW - DAY, NOW + DAY)).collect();
    keys.sort_by_key(|key| key.kid);
    let list = TrustList {
        region: "KR-11".to_owned(),
        version: 1,
        issued_at: NOW - 60,
        valid_until: NOW + DAY,
        keys,
    };
    Trust { list, revocations: Some(RevocationList::new(1, NOW - 60, NOW + DAY, &[[3; 16]])) }
}

fn code(number: u8, holder: Holder) -> HealthCode {
    HealthCode {
        pass: [number; 16],
        colour: if number % 5 == 4 { Colour::Red } else { Colour::Green },
        issued_at: NOW - 60,
        valid_until: NOW + i64::from(number % 7) * 60 - 59,
        holder,
        region: "KR-11".to_owned(),
    }
}

fn text(issuer: &IssuerSigner, device: &DeviceKey, number: u8, is_shown: bool) -> String {
    let holder = if is_shown { Holder::Device(device.public()) } else { Holder::Printed };
    let signed = issuer.sign_code(&code(number, holder)).unwrap();
    let moment = is_shown.then(|| device.prove(&[number; 16], NOW).unwrap());
    Presentation { signed, moment }.to_text()
}

/// Changes one byte of what the text holds, or a letter of the text.
fn changed(text: &str, place: usize, mask: u8, in_text: bool) -> String {
    let mut bytes = crate::base45::decode(&text[4..]).unwrap();
    if in_text {
        let mut letters = text.to_owned().into_bytes();
        let at = place % letters.len();
        letters[at] = b"0A:z"[usize::from(mask) % 4];
        return String::from_utf8(letters).unwrap();
    }
    let at = place % bytes.len();
    bytes[at] ^= mask;
    format!("HT1:{}", crate::base45::encode(&bytes))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_batch_gives_the_verdicts_of_the_single_path(
        all in prop::collection::vec(
            (any::<u8>(), 0_usize..4, any::<bool>(), any::<Option<(usize, u8, bool)>>()), 0..24,
        ),
        with_tables: bool,
    ) {
        let known = IssuerSigner::from_seed(&[1; 32]).unwrap();
        let other = IssuerSigner::from_seed(&[2; 32]).unwrap();
        let stranger = IssuerSigner::from_seed(&[3; 32]).unwrap();
        let device = DeviceKey::from_scalar(&[4; 32]).unwrap();
        let trust = trust(&[&known, &other]);
        let tables = Tables::new(with_tables.then_some(&trust));
        let policy = Policy::default();
        let issuers = [&known, &known, &other, &stranger];
        let texts: Vec<String> = all
            .iter()
            .map(|(number, issuer, is_shown, change)| {
                let text = text(issuers[*issuer], &device, *number, *is_shown);
                change.map_or(text.clone(), |(place, mask, it)| changed(&text, place, mask, it))
            })
            .collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let single: Vec<_> =
            texts.iter().map(|text| verify(text, &trust, None, &policy, NOW)).collect();
        prop_assert_eq!(verify_many(&texts, &trust, &tables, &policy, NOW), single);

        let mut door = crate::pass::Trust::default();
        door.regions.push(trust);
        let policy = crate::pass::Policy::default();
        let single: Vec<_> =
            texts.iter().map(|text| crate::pass::verify(text, &door, None, &policy, NOW)).collect();
        let many = crate::pass::verify_many(&texts, &door, &tables, None, &policy, NOW);
        prop_assert_eq!(many, single);
    }

    #[test]
    fn multiples_add_up_to_the_product(bytes: [u8; 32]) {
        let scalar = Scalar::from_bytes_mod_order(bytes);
        let sum = Multiples::of(BASE, ROWS).add(EdwardsPoint::default(), scalar.as_bytes());
        prop_assert_eq!(sum, BASE * scalar);
    }
}

#[test]
fn scalars_at_the_edges_of_digits_add_up_too() {
    let multiples = Multiples::of(BASE, ROWS);
    let of = |byte: u8| Scalar::from_bytes_mod_order([byte; 32]);
    for scalar in [0x7f, 0x80, 0x81, 0xff].map(of).into_iter().chain([
        Scalar::ZERO,
        Scalar::ONE,
        -Scalar::ONE,
        Scalar::from(128_u64),
        Scalar::from(u64::MAX),
    ]) {
        let sum = multiples.add(EdwardsPoint::default(), scalar.as_bytes());
        assert_eq!(sum, BASE * scalar, "{scalar:?}");
    }
}

/// Signs as RFC 8032 does, with a point of small order added to what the signature begins with.
fn crafted(secret: &Scalar, public: &[u8; 32], message: &mut Sign1, torsion: EdwardsPoint) {
    let nonce = Scalar::from(77_u64);
    let point = (BASE * nonce + torsion).compress();
    let hash = Sha512::new()
        .chain_update(point.as_bytes())
        .chain_update(public)
        .chain_update(message.to_be_signed())
        .finalize();
    let scalar = nonce + Scalar::from_bytes_mod_order_wide(&hash.into()) * secret;
    message.signature[..32].copy_from_slice(point.as_bytes());
    message.signature[32..].copy_from_slice(scalar.as_bytes());
}

#[test]
fn points_of_small_order_and_scalars_beyond_the_order_are_refused_as_by_the_single_path() {
    let secret = Scalar::from(123_456_789_u64);
    let public = (BASE * secret).compress().to_bytes();
    let trust = {
        let mut trust = trust(&[]);
        trust.list.keys = vec![IssuerKey::new(public, NOW - DAY, NOW + DAY)];
        trust
    };
    let tables = Tables::new([&trust]);
    assert_eq!(tables.keys.len(), 1);
    let payload = code(1, Holder::Printed).to_cbor();
    let mut message = Sign1 { kid: crate::cose::kid(&public), payload, signature: [0; 64] };
    let both = |message: &Sign1| {
        let many = tables.are_signed(&[Signed { message, public: &public }]);
        assert_eq!(many, [message.is_signed_by(&public)]);
        many == [true]
    };
    for (place, torsion) in EIGHT_TORSION.into_iter().enumerate() {
        crafted(&secret, &public, &mut message, torsion);
        assert_eq!(both(&message), place == 0, "{place}");
    }
    crafted(&secret, &public, &mut message, EIGHT_TORSION[0]);
    // The group's order, little endian: s + order is the same number to a reader that reduces it.
    let order = (-Scalar::ONE).to_bytes();
    let mut carry = 1_u16;
    for (byte, more) in message.signature[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(more) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    assert!(!both(&message));
}

#[test]
fn keys_that_libraries_read_differently_have_no_table() {
    let torsion = EIGHT_TORSION[1];
    let mixed = (BASE + torsion).compress().to_bytes();
    // y = p + 1: the neutral point, in an encoding that is not its own.
    let mut beyond = [0xff; 32];
    (beyond[0], beyond[31]) = (0xee, 0x7f);
    for public in [mixed, torsion.compress().to_bytes(), beyond, [2; 32]] {
        assert!(KeyTable::new(&public).is_none(), "{public:?}");
    }
}

#[test]
fn the_latest_keys_have_tables_and_all_are_judged() {
    let issuers: Vec<_> =
        (1..=20).map(|seed| IssuerSigner::from_seed(&[seed; 32]).unwrap()).collect();
    let mut trust = trust(&issuers.iter().collect::<Vec<_>>());
    for (age, key) in (0..).zip(&mut trust.list.keys) {
        key.not_before -= age;
    }
    let tables = Tables::new([&trust]);
    assert_eq!(tables.keys.len(), KEYS_MAX);
    assert_eq!(tables.keys[0].public, trust.list.keys[0].public);
    let device = DeviceKey::from_scalar(&[4; 32]).unwrap();
    let texts: Vec<String> = issuers.iter().map(|it| text(it, &device, 1, false)).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let verdicts = verify_many(&texts, &trust, &tables, &Policy::default(), NOW);
    assert!(verdicts.iter().all(|it| it.outcome == crate::Outcome::Pass), "{verdicts:?}");
}
