//! New Zealand's pass: base32, COSE_Sign1, its claims. The first byte says which layer the rest is.
#![no_main]

use haetae_fuzz::{cose, judge, nzcp, trust};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((layer, rest)) = data.split_first() else { return };
    let text = match layer % 3 {
        0 => format!("NZCP:/{}", String::from_utf8_lossy(rest)),
        1 => nzcp(rest),
        _ => nzcp(&cose(rest)),
    };
    judge(&text, &trust());
});
