//! Changes to valid passes whose verdict is known by construction. The passes are the member states'
//! own; what is changed, and where, comes from a seed.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Value;

use super::{data, json, json_files};
use crate::base45;
use crate::cbor::encoded;
use crate::pass::inflate::{Wrap, inflate};
use crate::pass::jwk::any_base64;
use crate::pass::sign1::Message;
use crate::pass::{Format, Policy, Signer, Trust, Verdict, time, verify};
use crate::verify::Outcome;

/// A valid pass, taken apart.
struct Case {
    name: String,
    text: String,
    cose: Vec<u8>,
    certificate: Vec<u8>,
    now_s: i64,
}

/// One valid pass of each country and algorithm: all 200 would say no more.
fn cases() -> Vec<Case> {
    let Some(folder) = data("dgc-testdata") else { return Vec::new() };
    let mut cases: BTreeMap<String, Case> = BTreeMap::new();
    for path in json_files(&folder) {
        let name = path.strip_prefix(&folder).unwrap().display().to_string();
        let case = json(&path);
        let (Some(text), Some(certificate)) =
            (case["PREFIX"].as_str(), case["TESTCTX"]["CERTIFICATE"].as_str())
        else {
            continue;
        };
        let clock = case["TESTCTX"]["VALIDATIONCLOCK"].as_str().unwrap();
        let (certificate, now_s) = (any_base64(certificate).unwrap(), time::moment(clock).unwrap());
        let trust = trusting(&certificate);
        let verdict = judge(text, &trust, now_s);
        if verdict.outcome == Outcome::Pass {
            let message = inflate(&base45::decode(&text[4..]).unwrap(), Wrap::Zlib).unwrap();
            let algorithm = Message::read(&message).unwrap().algorithm;
            let key = format!("{} {algorithm:?}", &name[..2]);
            let text = text.to_owned();
            cases.entry(key).or_insert(Case { name, text, cose: message, certificate, now_s });
        }
    }
    let cases: Vec<Case> = cases.into_values().collect();
    println!("{} passes", cases.len());
    assert!(10 < cases.len());
    cases
}

fn trusting(certificate: &[u8]) -> Trust {
    let mut trust = Trust::default();
    trust.add(certificate);
    trust
}

fn judge(text: &str, trust: &Trust, now_s: i64) -> Verdict {
    verify(text, trust, None, &Policy::default(), now_s)
}

fn reasons(verdict: &Verdict) -> Vec<String> {
    verdict.reasons.iter().map(ToString::to_string).collect()
}

/// Packs without compressing: other bytes, the same content (RFC 1950, RFC 1951 3.2.4).
fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x78, 0x01];
    let chunks: Vec<&[u8]> = bytes.chunks(100).collect();
    for (at, chunk) in chunks.iter().enumerate() {
        let length = u16::try_from(chunk.len()).unwrap();
        out.push(u8::from(at + 1 == chunks.len()));
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&(!length).to_le_bytes());
        out.extend_from_slice(chunk);
    }
    let (low, high) = bytes.iter().fold((1_u32, 0_u32), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % 65_521;
        (low, (high + low) % 65_521)
    });
    out.extend_from_slice(&(high << 16 | low).to_be_bytes());
    out
}

fn text_of(cose: &[u8]) -> String {
    format!("HC1:{}", base45::encode(&packed(cose)))
}

/// A message of these parts.
fn message(protected: &[u8], kid: Option<&[u8]>, payload: &[u8], signature: &[u8]) -> Vec<u8> {
    encoded(|cbor| {
        cbor.array(4)?.bytes(protected)?;
        match kid {
            Some(kid) => cbor.map(1)?.u8(4)?.bytes(kid)?,
            None => cbor.map(0)?,
        };
        cbor.bytes(payload)?.bytes(signature)?;
        Ok(())
    })
}

/// Where a part of a message stands in it.
fn place(cose: &[u8], part: &[u8]) -> std::ops::Range<usize> {
    let start = cose.windows(part.len()).position(|it| it == part).unwrap();
    start..start + part.len()
}

/// The parts of a message, as they stand in it.
struct Parts {
    protected: Vec<u8>,
    payload: Vec<u8>,
    signature: Vec<u8>,
    kid: Vec<u8>,
}

fn parts(cose: &[u8]) -> Parts {
    let message = Message::read(cose).unwrap();
    // The header again, out of what is signed: ["Signature1", header, h'', payload].
    let signed = message.to_be_signed(&[]);
    let mut from = crate::pass::cbor_value::Reader(&signed[12..]);
    Parts {
        protected: from.byte_string().unwrap().into_owned(),
        payload: message.payload.to_vec(),
        signature: message.signature.to_vec(),
        kid: message.kid.clone().unwrap(),
    }
}

#[test]
fn another_packing_changes_nothing() {
    for case in cases() {
        let verdict = judge(&text_of(&case.cose), &trusting(&case.certificate), case.now_s);
        assert_eq!(verdict.outcome, Outcome::Pass, "{} {:?}", case.name, reasons(&verdict));
    }
}

#[test]
fn a_cut_or_longer_text_is_never_a_pass_and_never_a_no() {
    for case in cases() {
        let trust = trusting(&case.certificate);
        let step = case.text.len() / 40;
        let cut = (0..case.text.len()).step_by(step).map(|to| case.text[..to].to_owned());
        let longer =
            ["A", "0", "AB", "6BF", "%20", "HC1:"].map(|end| format!("{}{end}", case.text));
        for text in cut.chain(longer) {
            let verdict = judge(&text, &trust, case.now_s);
            assert_eq!(verdict.outcome, Outcome::CannotTell, "{} {text}", case.name);
        }
        for behind in [&[0][..], &[0xf6], &case.cose] {
            let verdict = judge(&text_of(&[&case.cose, behind].concat()), &trust, case.now_s);
            assert_eq!(reasons(&verdict), ["envelope_malformed"], "{}", case.name);
            let text = [packed(&case.cose), behind.to_vec()].concat();
            let text = format!("HC1:{}", base45::encode(&text));
            assert_eq!(reasons(&judge(&text, &trust, case.now_s)), ["compression_malformed"]);
        }
    }
}

#[test]
fn a_flipped_bit_of_what_is_signed_is_a_no_wherever_it_is() {
    for case in cases() {
        let trust = trusting(&case.certificate);
        let parts = parts(&case.cose);
        for part in [&parts.payload, &parts.signature] {
            for at in place(&case.cose, part).step_by(7) {
                let mut changed = case.cose.clone();
                changed[at] ^= 1 << (at % 8);
                let verdict = judge(&text_of(&changed), &trust, case.now_s);
                assert_eq!(
                    verdict.outcome,
                    Outcome::NoPass,
                    "{} {at} {:?}",
                    case.name,
                    reasons(&verdict)
                );
                assert!(reasons(&verdict).contains(&"signature_bad".to_owned()), "{}", case.name);
                assert!(verdict.shown.is_none() && verdict.issuer.is_none());
            }
        }
    }
}

#[test]
fn a_flipped_bit_of_the_signed_header_is_never_a_pass() {
    for case in cases() {
        let trust = trusting(&case.certificate);
        let header = parts(&case.cose).protected;
        for at in place(&case.cose, &header) {
            for bit in 0..8 {
                let mut changed = case.cose.clone();
                changed[at] ^= 1 << bit;
                let verdict = judge(&text_of(&changed), &trust, case.now_s);
                assert_ne!(verdict.outcome, Outcome::Pass, "{} {at}", case.name);
            }
        }
    }
}

#[test]
fn a_swapped_kid_is_unknown_or_somebody_elses() {
    let cases = cases();
    for (at, case) in cases.iter().enumerate() {
        let parts = parts(&case.cose);
        // Nobody's: in the header that is signed it wins over the right one in the other.
        let stranger = encoded(|cbor| {
            cbor.map(2)?.u8(1)?.i8(-7)?.u8(4)?.bytes(b"stranger")?;
            Ok(())
        });
        let text = text_of(&message(&stranger, Some(&parts.kid), &parts.payload, &parts.signature));
        let verdict = judge(&text, &trusting(&case.certificate), case.now_s);
        assert_eq!(
            (verdict.outcome, reasons(&verdict)),
            (Outcome::CannotTell, vec!["issuer_unknown".to_owned()])
        );
        // Somebody else's, who is trusted: did not sign this.
        let other = &cases[(at + 1) % cases.len()];
        let mut trust = trusting(&case.certificate);
        trust.add(&other.certificate);
        let named = encoded(|cbor| {
            cbor.map(2)?.u8(1)?.i8(-7)?.u8(4)?.bytes(&self::parts(&other.cose).kid)?;
            Ok(())
        });
        let text = text_of(&message(&named, None, &parts.payload, &parts.signature));
        let verdict = judge(&text, &trust, case.now_s);
        assert_eq!(verdict.outcome, Outcome::NoPass, "{} {:?}", case.name, reasons(&verdict));
    }
}

#[test]
fn another_algorithm_in_the_header_is_a_no() {
    for case in cases() {
        let parts = parts(&case.cose);
        for algorithm in [-7_i64, -8, -35, -36, -37, -257, 5, -999] {
            let header = encoded(|cbor| {
                cbor.map(2)?.u8(1)?.i64(algorithm)?.u8(4)?.bytes(&parts.kid)?;
                Ok(())
            });
            if header == parts.protected {
                continue;
            }
            let text = text_of(&message(&header, None, &parts.payload, &parts.signature));
            let verdict = judge(&text, &trusting(&case.certificate), case.now_s);
            // The same header in another order is also another one.
            assert_eq!(verdict.outcome, Outcome::NoPass, "{} {algorithm}", case.name);
        }
    }
}

#[test]
fn without_its_issuer_a_pass_cannot_be_told_and_shows_nothing() {
    for case in cases() {
        let verdict = judge(&case.text, &Trust::default(), case.now_s);
        assert_eq!(reasons(&verdict), ["issuer_unknown"]);
        assert_eq!(
            (verdict.outcome, verdict.shown, verdict.kind),
            (Outcome::CannotTell, None, None)
        );
    }
}

#[test]
fn among_several_signers_of_one_name_the_right_one_is_found() {
    let cases = cases();
    for (at, case) in cases.iter().enumerate() {
        let kid = parts(&case.cose).kid;
        let mut trust = Trust::default();
        let others = cases.iter().enumerate().filter(|(other, _)| *other != at);
        for (_, other) in others {
            let theirs = trusting(&other.certificate);
            let signer: Signer = theirs.signers(Format::Dcc, &parts(&other.cose).kid)[0].clone();
            trust.add_signer(Format::Dcc, &kid, signer);
        }
        let verdict = judge(&case.text, &trust, case.now_s);
        assert_eq!(verdict.outcome, Outcome::NoPass, "{}: not one of them signed", case.name);
        trust.add(&case.certificate);
        assert!(10 < trust.signers(Format::Dcc, &kid).len());
        assert_eq!(judge(&case.text, &trust, case.now_s).outcome, Outcome::Pass, "{}", case.name);
    }
}

#[test]
fn the_clock_one_second_around_each_edge() {
    for case in cases() {
        let trust = trusting(&case.certificate);
        let verdict = judge(&case.text, &trust, case.now_s);
        let (from, until) = (verdict.valid_from.unwrap(), verdict.valid_until.unwrap());
        let kid = parts(&case.cose).kid;
        let signer = &trust.signers(Format::Dcc, &kid)[0];
        let (start, end) = (signer.not_before.unwrap(), signer.not_after.unwrap());
        for second in [from - 1, from, until, until + 1, start - 1, start, end, end + 1] {
            let verdict = judge(&case.text, &trust, second);
            let mut expected = Vec::new();
            if second < start {
                expected.push("issuer_not_yet_valid");
            }
            if end < second {
                expected.push("issuer_expired");
            }
            let is_in_time = (from..=until).contains(&second);
            if !is_in_time {
                expected.push(if until < second { "expired" } else { "not_yet_valid" });
            }
            assert_eq!(reasons(&verdict), expected, "{} at {second}", case.name);
            let outcome = match (is_in_time, expected.is_empty()) {
                (false, _) => Outcome::NoPass,
                (true, false) => Outcome::CannotTell,
                (true, true) => Outcome::Pass,
            };
            assert_eq!(verdict.outcome, outcome, "{} at {second}", case.name);
        }
    }
}

#[test]
fn answers_from_elsewhere_give_the_same_verdict() {
    for case in cases() {
        let trust = trusting(&case.certificate);
        let prepared = crate::pass::prepare(&case.text, &trust);
        for (answer, outcome) in [
            (Some(true), Outcome::Pass),
            (Some(false), Outcome::NoPass),
            (None, Outcome::CannotTell),
        ] {
            let held = vec![answer; prepared.checks().len()];
            let verdict = prepared.conclude(&held, None, &Policy::default(), case.now_s);
            assert_eq!(verdict.outcome, outcome, "{} {answer:?}", case.name);
        }
        // Too few answers are no answers.
        let verdict = prepared.conclude(&[], None, &Policy::default(), case.now_s);
        assert_ne!(verdict.outcome, Outcome::Pass);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2))]

    #[test]
    fn whatever_is_changed_no_change_makes_a_forged_pass(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        seed: prop::sample::Index,
    ) {
        let cases = cases();
        if cases.is_empty() {
            return Ok(());
        }
        let case = &cases[seed.index(cases.len())];
        let trust = trusting(&case.certificate);
        let mut changed = case.cose.clone();
        for (at, byte) in changes {
            changed[at.index(case.cose.len())] = byte;
        }
        let verdict = judge(&text_of(&changed), &trust, case.now_s);
        if verdict.outcome == Outcome::Pass {
            // Only what is not signed may differ.
            let (read, was) = (Message::read(&changed).unwrap(), Message::read(&case.cose).unwrap());
            prop_assert_eq!(read.to_be_signed(&[]), was.to_be_signed(&[]));
        }
        let _: Value = serde_json::to_value(&verdict).unwrap();
    }
}
