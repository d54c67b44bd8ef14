//! What a folder of trust may hold: certificates, lists of revoked ones, key sets, DID documents, status
//! lists, signer lists, DCC batches, a region's lists.
#![no_main]

use credential::pass::Trust;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut trust = Trust::default();
    let _ = trust.add(data);
});
