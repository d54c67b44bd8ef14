//! How many passes a second the `dgc` crate verifies on one core. Input: a line each of key id and key in
//! hexadecimal and the text of a pass. Argument: for how long, in milliseconds of this thread. Output: how
//! many were verified, in how many seconds, and how many of the passes were valid.

use std::io::Read as _;

use dgc::{SignatureValidity, TrustList};
use rustix::time::{ClockId, clock_gettime};

/// Time that this thread was given, in seconds.
fn spent_s() -> f64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let span_ms: f64 = std::env::args().nth(1).unwrap_or_default().parse()?;
    let mut input = String::new();
    std::io::stdin().read_to_string(&mut input)?;
    let mut passes = Vec::new();
    for line in input.lines() {
        let mut parts = line.splitn(3, ' ');
        let mut part = || parts.next().ok_or("a line is no pass");
        let (kid, key, text) = (hex::decode(part()?)?, hex::decode(part()?)?, part()?);
        let mut trust = TrustList::new();
        trust.add(&kid, key);
        passes.push((trust, text));
    }
    let is_valid = |(trust, text): &(TrustList, &str)| {
        matches!(dgc::validate(text, trust), Ok((_, SignatureValidity::Valid)))
    };
    let valid = passes.iter().filter(|it| is_valid(it)).count();
    // Only what it can verify is counted, so that it is not measured by how fast it gives up.
    passes.retain(is_valid);
    let (mut count, begun) = (0_u64, spent_s());
    while !passes.is_empty() && (spent_s() - begun) * 1e3 < span_ms {
        count += passes.iter().filter(|it| is_valid(it)).count() as u64;
    }
    println!("{count} {} {valid}", spent_s() - begun);
    Ok(())
}
