//! What a device signs and seals, byte for byte, and what happens to a bad entry.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contracts::gate::Verdict;
use credential::DeviceKey;
use credential::curve::p256_verify;
use credential::sealed::{QueueKey, QueueSealer};
use kernel::Id;
use proptest::prelude::*;

use crate::model::PublicKey;
use crate::queue::*;
use crate::refusal::Refusal;

/// A device's key pair: the public half as WebCrypto exports it.
pub(super) fn device_key() -> (DeviceKey, PublicKey) {
    let scalar = [5; 32];
    let raw = QueueKey::from_scalar(&scalar).unwrap().public();
    (DeviceKey::from_scalar(&scalar).unwrap(), PublicKey::from_bytes(&raw).unwrap())
}

pub(super) fn plain(at: i64) -> Plain {
    Plain {
        pass: Some("00112233445566778899aabbccddeeff".to_owned()),
        at,
        verdict: Verdict::Pass,
        reasons: Vec::new(),
        class: Some("device_bound".to_owned()),
        typed: false,
        short: None,
    }
}

/// A batch whose entries are sealed with the numbers 0, 1, 2 …
pub(super) fn seal(region: &QueueKey, id: u128, texts: &[String]) -> Batch {
    let mut sealer = QueueSealer::new(&region.public()).unwrap();
    let entries = texts
        .iter()
        .map(|text| {
            let (n, bytes) = sealer.seal(text.as_bytes()).unwrap();
            SealedEntry { n, data: URL_SAFE_NO_PAD.encode(bytes) }
        })
        .collect();
    Batch {
        device: Id::from_u128(2),
        id,
        first_n: 0,
        made_at_s: 1_790_000_000,
        ephemeral: sealer.ephemeral().to_vec(),
        entries,
    }
}

fn json(it: &Plain) -> String {
    serde_json::to_string(it).unwrap()
}

fn vector() -> Batch {
    let entry = |n, data: &str| SealedEntry { n, data: data.to_owned() };
    Batch {
        device: Id::from_u128(2),
        id: 0x0011_2233_4455_6677_8899_aabb_ccdd_eeff,
        first_n: 7,
        made_at_s: 1_790_000_000,
        ephemeral: vec![4, 1, 2],
        entries: vec![entry(7, "AAEC"), entry(9, "_-8")],
    }
}

#[test]
fn the_signed_bytes_of_a_batch_are_these() {
    let expected = concat!(
        "6861657461652f676174652d62617463682f7631", // haetae/gate-batch/v1
        "000000216465766963655f3030303030303030303030303030303030303030303030303032",
        "00112233445566778899aabbccddeeff",
        "0000000000000007",
        "000000006ab13b80",
        "00000003040102",
        "00000002",
        "00000000000000070000000441414543",
        "0000000000000009000000035f2d38",
    );
    assert_eq!(hex::encode(vector().signed_bytes()), expected);
}

#[test]
fn the_signed_bytes_of_enrolment_and_typed_code_and_the_digits_are_these() {
    let (_, key) = device_key();
    let enrolment = enrolment_bytes("7K3M", "문", &key, 5);
    let expected = format!(
        "{}0000000000000005000000043\
         74b334d00000003ebacb800000041{key}",
        hex::encode("haetae/gate-enrol/v1")
    );
    assert_eq!(hex::encode(enrolment), expected);
    let typed = typed_bytes(Id::from_u128(2), "7K3M", 5);
    let expected = format!(
        "{}000000000000000500000021{}00000004374b334d",
        hex::encode("haetae/gate-typed/v1"),
        hex::encode("device_00000000000000000000000002"),
    );
    assert_eq!(hex::encode(typed), expected);
    assert_eq!(pairing_digits(Id::from_u128(2), &key), "969 104");
}

#[test]
fn a_signature_holds_for_the_batch_and_for_no_other() {
    let (device, key) = device_key();
    let batch = vector();
    let signature = device.sign(&batch.signed_bytes()).unwrap();
    let fits = |it: &Batch| p256_verify(key.as_bytes(), &it.signed_bytes(), &signature);
    assert!(fits(&batch));
    let mut moved = batch.clone();
    // The same bytes cut elsewhere must not sign the same.
    moved.entries[0].data = "AAE".to_owned();
    moved.entries[1].data = "C_-8".to_owned();
    let others = [
        moved,
        Batch { device: Id::from_u128(3), ..batch.clone() },
        Batch { id: 1, ..batch.clone() },
        Batch { first_n: 6, ..batch.clone() },
        Batch { made_at_s: 0, ..batch.clone() },
        Batch { ephemeral: vec![4, 1, 3], ..batch.clone() },
        Batch { entries: batch.entries[..1].to_vec(), ..batch.clone() },
    ];
    for other in others {
        assert!(!fits(&other), "{other:?}");
    }
}

#[test]
fn one_to_200_entries_make_a_batch() {
    let entry = SealedEntry { n: 0, data: String::new() };
    let of = |count| Batch { entries: vec![entry.clone(); count], ..vector() }.check();
    assert_eq!(of(0), Err(Refusal::BatchMalformed));
    assert_eq!(of(1), Ok(()));
    assert_eq!(of(ENTRIES_MAX), Ok(()));
    assert_eq!(of(ENTRIES_MAX + 1), Err(Refusal::BatchTooLarge));
}

#[test]
fn each_bad_entry_is_named_and_costs_no_other() {
    let region = QueueKey::generate().unwrap();
    let good = json(&plain(1_790_000_000));
    let no_json = "{".to_owned();
    let texts: Vec<String> =
        [&good, &good, &no_json, &good, &good, &good].into_iter().cloned().collect();
    let mut batch = seal(&region, 1, &texts);
    batch.entries[1].data = "not base64url!".to_owned();
    let flipped = if batch.entries[3].data.starts_with('A') { "B" } else { "A" };
    batch.entries[3].data.replace_range(0..1, flipped);
    batch.entries[4].n = 1;
    let opened = open(&batch, &region).unwrap();
    let numbers: Vec<u64> = opened.good.iter().map(|it| it.0).collect();
    assert_eq!(numbers, [0, 5]);
    let mut rejected = opened.rejected.clone();
    rejected.sort_by_key(|it| it.code.clone());
    let rejected: Vec<_> = rejected.iter().map(|it| (it.n, it.code.as_str())).collect();
    let expected = [
        (2, "gate-entry-malformed"),
        (1, "gate-entry-number"),
        (1, "gate-entry-unreadable"),
        (3, "gate-entry-unreadable"),
    ];
    assert_eq!(rejected, expected);
    assert_eq!(opened.good.len() + opened.rejected.len(), batch.entries.len());
}

#[test]
fn a_batch_for_another_region_opens_to_nothing_and_says_so() {
    let batch = seal(&QueueKey::generate().unwrap(), 1, &[json(&plain(1))]);
    let opened = open(&batch, &QueueKey::generate().unwrap()).unwrap();
    assert_eq!(opened.rejected, [Rejected::new(0, Refusal::EntryUnreadable)]);
    let broken = Batch { ephemeral: vec![4; 65], ..batch };
    assert_eq!(open(&broken, &QueueKey::generate().unwrap()), Err(Refusal::BatchMalformed));
}

#[track_caller]
fn check_entry(change: impl FnOnce(&mut Plain), good: bool) {
    let region = QueueKey::from_scalar(&[6; 32]).unwrap();
    let mut entry = plain(1_790_000_000);
    change(&mut entry);
    let opened = open(&seal(&region, 1, &[json(&entry)]), &region).unwrap();
    assert_eq!(!opened.good.is_empty(), good, "{entry:?}");
}

#[test]
fn an_entry_has_a_form() {
    check_entry(|_| {}, true);
    check_entry(|it| it.pass = Some("0011".to_owned()), false);
    check_entry(|it| it.pass = Some("00112233445566778899AABBCCDDEEFF".to_owned()), false);
    check_entry(|it| it.pass = None, false);
    check_entry(|it| (it.pass, it.verdict) = (None, Verdict::CannotTell), true);
    check_entry(|it| it.class = Some("printed".to_owned()), true);
    check_entry(|it| it.class = Some("gold".to_owned()), false);
    check_entry(|it| it.at = 0, false);
    check_entry(|it| it.at = 1, true);
    check_entry(|it| it.at = 1 << 40, false);
    check_entry(|it| it.reasons = vec!["proof_stale".to_owned(); 22], true);
    check_entry(|it| it.reasons = vec!["proof_stale".to_owned(); 23], false);
    check_entry(|it| it.reasons = vec!["홍길동".to_owned()], false);
    check_entry(|it| it.short = Some("0000-0000-0000".to_owned()), true);
    check_entry(|it| it.short = Some("0000-0000-0001".to_owned()), false);
}

#[test]
fn a_short_code_that_was_looked_up_gives_the_pass() {
    let (place, device) = (Id::from_u128(1), Id::from_u128(2));
    let it = Plain { pass: None, verdict: Verdict::CannotTell, typed: true, ..plain(1) };
    let made = payload(place, device, 4, it, Some(Id::from_u128(255))).unwrap();
    let entered: contracts::gate::Entered = serde_json::from_slice(&made).unwrap();
    assert_eq!(entered.pass.as_deref(), Some("000000000000000000000000000000ff"));
    assert_eq!((entered.n, entered.at, entered.typed), (4, 1, true));
}

#[test]
fn each_number_is_taken_once_and_blocks_do_not_overlap() {
    let mut block = Block::default();
    for n in [0, 1, 4_095] {
        assert!(block.take(n));
        assert!(!block.take(n));
    }
    assert_eq!((Block::of(4_095), Block::of(4_096)), (0, 1));
    let mut again = Block::from_bytes(block.as_bytes());
    assert!(!again.take(4_095));
    assert!(again.take(2));
}

proptest! {
    #[test]
    fn whatever_is_sent_every_entry_is_accounted_for(
        numbers in proptest::collection::vec(0_u64..300_000, 1..40),
        data in "[A-Za-z0-9_-]{0,60}",
        first_n in 0_u64..200,
    ) {
        let region = QueueKey::from_scalar(&[6; 32]).unwrap();
        let mut batch = seal(&region, 1, &[json(&plain(1))]);
        batch.first_n = first_n;
        batch.entries.extend(numbers.iter().map(|n| SealedEntry { n: *n, data: data.clone() }));
        let opened = open(&batch, &region).unwrap();
        prop_assert_eq!(opened.good.len() + opened.rejected.len(), batch.entries.len());
    }

    #[test]
    fn any_plain_bytes_are_an_entry_or_a_rejection(text in ".{0,80}") {
        let region = QueueKey::from_scalar(&[6; 32]).unwrap();
        let opened = open(&seal(&region, 1, &[text]), &region).unwrap();
        prop_assert_eq!(opened.good.len() + opened.rejected.len(), 1);
    }
}
