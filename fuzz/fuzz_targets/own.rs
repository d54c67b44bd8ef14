//! Our own codes, of colours and of passes: base45, strict CBOR, COSE_Sign1; and that a batch says what the single path says.
#![no_main]

use credential::batch::{Tables, verify_many};
use credential::{IssuerKey, IssuerSigner, Policy, Presentation, Trust, TrustList, base45, verify};
use haetae_fuzz::{NOW_S, cose, judge, trust};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static REGION: LazyLock<(Trust, Tables)> = LazyLock::new(|| {
    let issuer = IssuerSigner::from_seed(&[2; 32]).expect("a seed is a key");
    let list = TrustList {
        region: "KR-11".to_owned(),
        version: 1,
        issued_at: NOW_S - 60,
        valid_until: NOW_S + 60,
        keys: vec![IssuerKey::new(issuer.public(), 0, NOW_S + 60)],
    };
    let trust = Trust { list, revocations: None };
    let tables = Tables::new([&trust]);
    (trust, tables)
});

fuzz_target!(|data: &[u8]| {
    let Some((layer, rest)) = data.split_first() else { return };
    let text = match layer % 4 {
        0 => String::from_utf8_lossy(rest).into_owned(),
        // What a pass bound to a phone says, in its envelopes.
        2 => Presentation { signed: cose(rest), moment: None }.to_text(),
        _ => format!("HT1:{}", base45::encode(rest)),
    };
    judge(&text, &trust());
    let (trust, tables) = &*REGION;
    let policy = Policy::default();
    let single = verify(&text, trust, None, &policy, NOW_S);
    assert_eq!(verify_many(&[&text], trust, tables, &policy, NOW_S), [single]);
});
