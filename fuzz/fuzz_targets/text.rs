//! Whatever a camera reads, a person types or a file holds: the kind is guessed, and there is a verdict.
#![no_main]

use haetae_fuzz::{judge, trust};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    judge(&text, &trust());
    let _ = text.parse::<credential::ShortCode>();
    let _ = credential::pass::shc::chunk_place(&text);
    let _ = credential::pass::time::moment(&text);
});
