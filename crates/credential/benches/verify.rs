//! What a verdict costs beyond the two signatures it cannot do without.
//!
//! `cargo bench -p credential`: "verdict" beside "signatures alone" (aws-lc, Ed25519 and P-256 on
//! the same bytes), which is the limit.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a benchmark has nobody to answer to

use std::hint::black_box;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey};
use credential::{
    Colour, DeviceKey, HealthCode, Holder, IssuerKey, IssuerSigner, Outcome, Policy, Presentation,
    RevocationList, Trust, TrustList, cose, moment, verify,
};
use criterion::{Criterion, criterion_group, criterion_main};

const NOW: i64 = 1_800_000_007;
const DAY: i64 = 86_400;

fn bench(criterion: &mut Criterion) {
    let issuer = IssuerSigner::from_seed(&[2; 32]).unwrap();
    let device = DeviceKey::from_scalar(&[3; 32]).unwrap();
    let pass = [7; 16];
    let code = HealthCode {
        pass,
        colour: Colour::Green,
        issued_at: NOW - DAY,
        valid_until: NOW + DAY,
        holder: Holder::Device(device.public()),
        region: "KR-11".to_owned(),
    };
    let signed = issuer.sign_code(&code).unwrap();
    let proof = device.prove(&pass, NOW).unwrap();
    let text = Presentation { signed: signed.clone(), moment: Some(proof) }.to_text();
    let revoked: Vec<[u8; 16]> =
        (0..100_000_u128).map(|number| (number << 64).to_be_bytes()).collect();
    let trust = Trust {
        list: TrustList {
            region: "KR-11".to_owned(),
            version: 1,
            issued_at: NOW - DAY,
            valid_until: NOW + DAY,
            keys: vec![IssuerKey::new(issuer.public(), 0, NOW + DAY)],
        },
        revocations: Some(RevocationList::new(1, NOW - DAY, NOW + DAY, &revoked)),
    };
    let policy = Policy::default();
    criterion.bench_function("verdict", |bencher| {
        bencher.iter(|| {
            let verdict = verify(black_box(&text), &trust, None, &policy, NOW);
            assert_eq!(verdict.outcome, Outcome::Pass);
        });
    });

    let message = cose::Sign1::from_cbor(&signed, moment::MAX_BYTES).unwrap();
    let bytes = message.to_be_signed();
    let step = moment::message(&pass, proof.step);
    criterion.bench_function("signatures alone", |bencher| {
        bencher.iter(|| {
            let issuer = UnparsedPublicKey::new(&ED25519, issuer.public());
            issuer.verify(black_box(&bytes), &message.signature).unwrap();
            let device = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, device.public());
            device.verify(black_box(&step), &proof.signature).unwrap();
        });
    });
}

criterion_group!(benches, bench);
criterion_main!(benches);
