//! The examples of the New Zealand COVID Pass, at 2021-12-01, when all of them meant what they say.

use super::data;
use crate::pass::{Format, Policy, Trust, Verdict, time, verify};
use crate::verify::Outcome;

fn trusting(folder: &std::path::Path) -> Trust {
    let mut trust = Trust::default();
    trust.add(&std::fs::read(folder.join("examples/valid/did.json")).unwrap());
    trust
}

fn judged(text: &str, trust: &Trust) -> Verdict {
    let now_s = time::moment("2021-12-01").unwrap();
    verify(text, trust, None, &Policy::default(), now_s)
}

fn reasons(verdict: &Verdict) -> Vec<String> {
    verdict.reasons.iter().map(ToString::to_string).collect()
}

#[test]
fn every_example_gets_the_verdict_that_its_name_says() {
    let Some(folder) = data("nzcp") else { return };
    let trust = trusting(&folder);
    let mut seen = 0;
    for (example, outcome, reason) in [
        ("valid/nzcp", Outcome::Pass, None),
        ("invalid/nzcp-expired-payload", Outcome::NoPass, Some("expired")),
        ("invalid/nzcp-notactive-payload", Outcome::NoPass, Some("not_yet_valid")),
        ("invalid/nzcp-modified-sig", Outcome::NoPass, Some("signature_bad")),
        ("invalid/nzcp-modified-payload", Outcome::NoPass, Some("signature_bad")),
        ("invalid/nzcp-public-key-mismatch", Outcome::NoPass, Some("signature_bad")),
        // The key is not in the issuer's document any more: nobody who is trusted has it.
        ("invalid/nzcp-revoked-public-key", Outcome::CannotTell, Some("issuer_unknown")),
    ] {
        let path = folder.join("examples").join(example).with_extension("txt");
        let Ok(text) = std::fs::read_to_string(path) else { continue };
        seen += 1;
        let verdict = judged(&text, &trust);
        assert_eq!((verdict.format, verdict.outcome), (Format::Nzcp, outcome), "{example}");
        assert_eq!(reasons(&verdict), reason.into_iter().collect::<Vec<_>>(), "{example}");
    }
    assert!(2 < seen);
}

#[test]
fn a_guard_sees_initials_and_the_day_of_birth_alone() {
    let Some(folder) = data("nzcp") else { return };
    let text = std::fs::read_to_string(folder.join("examples/valid/nzcp.txt")).unwrap();
    let verdict = judged(&text, &trusting(&folder));
    let shown = verdict.shown.unwrap();
    assert_eq!(
        (&*shown.initials, shown.birth_day.as_deref(), shown.name),
        ("J. S.", Some("04-16"), None)
    );
    assert_eq!(verdict.issuer.unwrap().name, "did:web:nzcp.covid19.health.nz");
    assert_eq!(verdict.valid_until, Some(1_951_416_330));
}

#[test]
fn the_first_second_is_good_and_the_last_is_not() {
    let Some(folder) = data("nzcp") else { return };
    let text = std::fs::read_to_string(folder.join("examples/valid/nzcp.txt")).unwrap();
    let trust = trusting(&folder);
    for (second, outcome) in [
        (1_635_883_529, Outcome::NoPass),
        (1_635_883_530, Outcome::Pass),
        (1_951_416_329, Outcome::Pass),
        (1_951_416_330, Outcome::NoPass),
    ] {
        let verdict = verify(&text, &trust, None, &Policy::default(), second);
        assert_eq!(verdict.outcome, outcome, "{second}");
    }
}

#[test]
fn other_versions_issuers_and_keys_cannot_be_told() {
    let Some(folder) = data("nzcp") else { return };
    let text = std::fs::read_to_string(folder.join("examples/valid/nzcp.txt")).unwrap();
    let trust = trusting(&folder);
    for text in [
        text.replace("NZCP:/1/", "NZCP:/2/"),
        text.replace("NZCP:/1/", "NZCP:/1"),
        text.replace("NZCP:/1/", "NZCP:/+1/"),
        text.replace("NZCP:/1/", "NZCP://"),
        text.to_lowercase(),
        format!("{text}A"),
        "NZCP:/1/".to_owned(),
    ] {
        assert_eq!(judged(&text, &trust).outcome, Outcome::CannotTell, "{text}");
    }
    let verdict = judged(&text, &Trust::default());
    assert_eq!(reasons(&verdict), ["issuer_unknown"]);
    // A document that does not let its key assert says nothing.
    let document = std::fs::read_to_string(folder.join("examples/valid/did.json")).unwrap();
    let mut trust = Trust::default();
    assert!(
        trust.add(document.replace("assertionMethod", "authentication").as_bytes()).is_nothing()
    );
}

#[test]
fn no_flipped_bit_makes_another_pass() {
    use crate::pass::base32::decode;
    let Some(folder) = data("nzcp") else { return };
    let text = std::fs::read_to_string(folder.join("examples/valid/nzcp.txt")).unwrap();
    let trust = trusting(&folder);
    let bytes = decode(text.trim().strip_prefix("NZCP:/1/").unwrap()).unwrap();
    let encoded = |bytes: &[u8]| {
        let bit =
            |at: usize| u8::from(bytes.get(at / 8).is_some_and(|it| it & (0x80 >> (at % 8)) != 0));
        let letter = |at: usize| (at..at + 5).fold(0, |sum, at| sum << 1 | bit(at));
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let letters =
            (0..bytes.len() * 8).step_by(5).map(|at| char::from(alphabet[usize::from(letter(at))]));
        format!("NZCP:/1/{}", letters.collect::<String>())
    };
    assert_eq!(judged(&encoded(&bytes), &trust).outcome, Outcome::Pass);
    // The last 64 bytes are the signature: whatever changes in it, the issuer did not make it.
    let signature = bytes.len() - 64;
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        let verdict = judged(&encoded(&changed), &trust);
        if signature <= at {
            assert_eq!(
                (verdict.outcome, &*reasons(&verdict)[0]),
                (Outcome::NoPass, "signature_bad")
            );
        }
        // The tag around the message is not signed, and is one of two that are read; nothing else is.
        assert_ne!(verdict.outcome, Outcome::Pass, "{at}");
    }
}
