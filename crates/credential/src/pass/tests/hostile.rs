//! What is made to break readers: no panic, no more memory than allowed, and never a pass.

use proptest::prelude::*;

use super::data;
use crate::base45;
use crate::pass::cbor_value::{Cbor, DEPTH_MAX};
use crate::pass::inflate::{MAX_INFLATED, Wrap, inflate};
use crate::pass::{Certificate, Format, MAX_TEXT, Policy, Reason, Trust, der::Der, verify};
use crate::verify::Outcome;

const NOW: i64 = 1_640_000_000;

fn outcome(text: &str) -> Outcome {
    verify(text, &Trust::default(), None, &Policy::default(), NOW).outcome
}

/// A bomb: `count` zeros in zlib, as distances of one byte (RFC 1951), through the packer of another
/// library would be a dependency; zlib's own bytes for runs of zeros are known.
fn bomb(count: usize) -> Vec<u8> {
    // One fixed-code block: literal 0, then matches of length 258 at distance 1.
    let (mut bits, mut held, mut out) = (0_u64, 0_u32, vec![0x78, 0x9c]);
    let mut put = |value: u64, width: u32, out: &mut Vec<u8>| {
        bits |= value << held;
        held += width;
        while 8 <= held {
            out.push(u8::try_from(bits & 0xff).unwrap());
            bits >>= 8;
            held -= 8;
        }
    };
    put(0b011, 3, &mut out); // last block, fixed codes
    put(0b0000_1100, 8, &mut out); // literal 0: 00110000, first bit first
    for _ in 0..count / 258 {
        put(0b1010_0011, 8, &mut out); // length 258: 11000101, first bit first
        put(0, 5, &mut out); // distance 1
    }
    put(0, 7, &mut out); // end of block
    put(0, 8, &mut out);
    out
}

#[test]
fn what_unpacks_to_more_than_a_megabyte_is_refused() {
    for count in [MAX_INFLATED + 1000, 100 * MAX_INFLATED] {
        let packed = bomb(count);
        assert_eq!(inflate(&packed, Wrap::Zlib), Err(Reason::TooLong), "{count}");
        if packed.len() < MAX_TEXT / 2 {
            let text = format!("HC1:{}", base45::encode(&packed));
            let verdict = verify(&text, &Trust::default(), None, &Policy::default(), NOW);
            assert_eq!(verdict.reasons, [Reason::TooLong.into()]);
        }
    }
    // Just below, the bomb is only damaged: its checksum is wrong.
    assert_eq!(inflate(&bomb(MAX_INFLATED - 1000), Wrap::Zlib), Err(Reason::CompressionMalformed));
}

#[test]
fn nesting_beyond_sixteen_is_refused() {
    for (head, end) in
        [(&[0x81][..], 0x00), (&[0xa1, 0x00], 0x00), (&[0xc1], 0x00), (&[0x9f], 0xff)]
    {
        let nested = |depth: usize| [head.repeat(depth - 1), vec![end]].concat();
        if end == 0 {
            assert!(Cbor::read(&nested(DEPTH_MAX)).is_some(), "{head:?}");
        }
        assert!(Cbor::read(&nested(DEPTH_MAX + 1)).is_none(), "{head:?}");
        assert!(Cbor::read(&nested(100_000)).is_none(), "{head:?}");
    }
}

#[test]
fn announced_lengths_that_do_not_come_are_refused_at_once() {
    for bytes in [
        &[0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff][..],
        &[0x9b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        &[0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0],
        &[0x7a, 0xff, 0xff, 0xff, 0xff],
        &[0x5f, 0x5f, 0xff, 0xff],
        &[0x7f, 0x41, 0x41, 0xff],
        &[0x61, 0xff],
        &[0xff],
        &[0xf8, 0x10],
        &[0x1c],
        &[],
    ] {
        assert!(Cbor::read(bytes).is_none(), "{bytes:x?}");
    }
}

#[test]
fn a_key_twice_is_refused_in_every_spelling() {
    for bytes in [
        &[0xa2, 0x01, 0x00, 0x01, 0x00][..],
        &[0xa2, 0x01, 0x00, 0x18, 0x01, 0x00],
        &[0xa2, 0x61, 0x61, 0x00, 0x7f, 0x61, 0x61, 0xff, 0x00],
    ] {
        assert!(Cbor::read(bytes).is_none(), "{bytes:x?}");
    }
    // The same name in JSON, from two keys.
    let keys = Cbor::read(&[0xa2, 0x01, 0x00, 0x61, 0x31, 0x00]).unwrap();
    assert!(keys.into_json().is_none());
}

#[test]
fn texts_that_are_no_pass_cannot_be_told() {
    for text in [
        "",
        " ",
        "HC1:",
        "HC1",
        "hc1:6BF",
        "HC2:6BF",
        "HC1::",
        "NZCP:/",
        "NZCP:/1/",
        "NZCP:/1/=",
        "HT1:",
        "shc:/",
        "{",
        "{}",
        "[]",
        "eyJ..",
        "eyJ.eyJ.eyJ",
        "\u{0}",
        "HC1:\u{ff10}",
        "0000-0000-0000",
        "https://example.org/",
        "\u{feff}HC1:6BF",
    ] {
        assert_eq!(outcome(text), Outcome::CannotTell, "{text:?}");
    }
    for long in ["HC1:", "NZCP:/1/", "shc:/", "{", "eyJ"] {
        assert_eq!(outcome(&format!("{long}{}", "A".repeat(2 * MAX_TEXT))), Outcome::CannotTell);
    }
}

#[test]
fn a_folder_of_any_files_gives_no_trust() {
    let Some(folder) = data("") else { return };
    let mut trust = Trust::default();
    let mut seen = 0;
    for path in super::json_files(&folder).into_iter().filter(|it| {
        it.components()
            .any(|part| part.as_os_str() == "dcc-valuesets" || part.as_os_str() == "certlogic")
    }) {
        seen += 1;
        assert!(trust.add(&std::fs::read(&path).unwrap()).is_nothing(), "{}", path.display());
    }
    assert!(10 < seen);
}

proptest! {
    #[test]
    fn any_text_gets_a_verdict(text: String, prefix in "(HC1:|NZCP:/1/|HT1:|shc:/|\\{\"|eyJ|)") {
        prop_assert_eq!(outcome(&format!("{prefix}{text}")), Outcome::CannotTell);
    }

    #[test]
    fn any_bytes_behind_each_layer_get_a_verdict(bytes: Vec<u8>) {
        let _ = Cbor::read(&bytes).map(|it| it.into_json());
        let _ = inflate(&bytes, Wrap::Zlib);
        if let Ok(out) = inflate(&bytes, Wrap::Bare) {
            prop_assert!(out.len() <= MAX_INFLATED);
        }
        let _ = Certificate::from_der(&bytes);
        let mut der = Der(&bytes);
        while der.element().is_some() {}
        let _ = Trust::default().add(&bytes);
        let text = format!("HC1:{}", base45::encode(&bytes));
        prop_assert_eq!(Format::of(&text), Format::Dcc);
        prop_assert_eq!(outcome(&text), Outcome::CannotTell);
    }

    #[test]
    fn a_damaged_certificate_is_read_without_a_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let Some(folder) = data("vdsnc") else { return Ok(()) };
        let mut bytes = std::fs::read(folder.join("dfat/csca.der")).unwrap();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let mut trust = Trust::default();
        let _ = trust.add(&bytes);
        let read = Certificate::from_der(&bytes);
        let _ = read.map(|it| (it.kid(), it.usage(), it.name(), it.country()));
    }
}
