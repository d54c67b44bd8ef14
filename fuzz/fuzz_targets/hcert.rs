//! `HC1:`: base45, zlib, COSE_Sign1, CWT, the DCC's document. The first byte says which layer the rest is.
#![no_main]

use haetae_fuzz::{cose, hcert, judge, trust};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((layer, rest)) = data.split_first() else { return };
    let text = match layer % 4 {
        0 => format!("HC1:{}", String::from_utf8_lossy(rest)),
        1 => format!("HC1:{}", credential::base45::encode(rest)),
        2 => hcert(rest),
        _ => hcert(&cose(rest)),
    };
    judge(&text, &trust());
});
