//! What a folder of trust may hold: certificates, lists of revoked ones, key sets, DID documents, status
//! lists, signer lists, DCC batches, a region's lists, what a city serves.
#![no_main]

use credential::pass::{Served, Trust};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut trust = Trust::default();
    let _ = trust.add(data);
    let mut served = Served::default();
    served.add(haetae_fuzz::bundle().as_bytes());
    served.add(data);
    served.finish(&mut trust, haetae_fuzz::NOW_S);
});
