//! SMART Health Cards: chunks and digits, JWS, raw DEFLATE, the card. The first byte says which layer the
//! rest is.
#![no_main]

use haetae_fuzz::{card, judge, jws, trust};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((layer, rest)) = data.split_first() else { return };
    let plain = String::from_utf8_lossy(rest);
    let text = match layer % 4 {
        0 => format!("shc:/{plain}"),
        1 => card(&plain),
        2 => jws(rest),
        _ => plain.into_owned(),
    };
    judge(&text, &trust());
});
