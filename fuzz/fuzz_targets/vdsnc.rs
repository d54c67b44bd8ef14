//! Visible digital seals: JSON, its canonical form, the certificate within.
#![no_main]

use haetae_fuzz::{judge, trust};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| judge(&String::from_utf8_lossy(data), &trust()));
