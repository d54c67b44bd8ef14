//! What pages read: days, searches, proofs, receipts.

use kernel::Zone;
use ledger::{Hash, ProofFile, VerifierKey, empty_root, verify_inclusion};
use proptest::prelude::*;

use super::lab::Lab;
use crate::files::{caching, resource_of};
use crate::model::Proven;
use crate::pages::browse::{Wanted, wanted};
use crate::pages::check::ConsistencyQuery;
use crate::pages::picture::{bars, ladder};
use crate::view::{self, Found};
use crate::{receipt, view::OWN_STREAMS};

#[test]
fn entries_are_counted_by_the_citys_days() {
    let lab = Lab::new();
    // 2026-03-01 09:00 in Seoul.
    let seoul = Zone::try_new("Asia/Seoul").unwrap();
    lab.entries(3);
    lab.clock.advance_seconds(15 * 3_600 - 1);
    lab.entries(5); // 23:59:59
    lab.clock.advance_seconds(1);
    lab.entries(7); // 00:00:00 of the next day
    lab.clock.advance_seconds(2 * 86_400);
    let now = lab.store.clock().now();
    let days = lab.store.read_blocking(|it| view::per_day(it, 15, &seoul, now, 4)).unwrap();
    let days: Vec<_> = days.into_iter().map(|(day, count)| (day.to_string(), count)).collect();
    let expected = [("2026-03-01", 8), ("2026-03-02", 7), ("2026-03-03", 0), ("2026-03-04", 0)];
    assert_eq!(days, expected.map(|(day, count)| (day.to_owned(), count)));
}

#[test]
fn the_list_ends_at_both_ends() {
    let lab = Lab::new();
    lab.entries(25);
    let list = |before, limit| {
        let read = lab.store.read_blocking(|it| view::entries_before(it, before, limit));
        read.unwrap().into_iter().map(|it| it.index).collect::<Vec<_>>()
    };
    assert_eq!(list(25, 2), [24, 23]);
    assert_eq!(list(2, 20), [1, 0]);
    assert!(list(0, 20).is_empty());
}

#[test]
fn an_entry_is_found_by_its_hash_and_by_its_commitment_and_nothing_else_is() {
    let lab = Lab::new();
    lab.entries(300);
    lab.store
        .read_blocking(|reader| {
            for index in [0, 255, 256, 299] {
                let entry = view::entry(reader, index)?.unwrap();
                let leaf = ledger::leaf_hash(&entry.bytes);
                let commit = Hash::from_hex(&entry.leaf.commit.unwrap()).unwrap();
                assert_eq!(view::find(reader, 300, &leaf, 300)?, Found::At(index));
                assert_eq!(view::find(reader, 300, &commit, 300)?, Found::At(index));
                assert_eq!(view::find(reader, 300, &leaf, index)?, Found::Nowhere);
            }
            assert_eq!(view::find(reader, 300, &empty_root(), u64::MAX)?, Found::Nowhere);
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_search_stops_after_its_share_and_says_where() {
    let lab = Lab::new();
    let more = (view::SEARCH_BUNDLES + 1) * 256;
    for _ in 0..(more / 4_096) {
        lab.entries(4_096);
    }
    lab.entries(more % 4_096);
    lab.store
        .read_blocking(|reader| {
            let first = ledger::leaf_hash(&view::entry(reader, 0)?.unwrap().bytes);
            assert_eq!(view::find(reader, more, &first, more)?, Found::NotSince(256));
            assert_eq!(view::find(reader, more, &first, 256)?, Found::At(0));
            Ok(())
        })
        .unwrap();
}

#[test]
fn the_steps_of_every_proof_end_at_the_root() {
    let lab = Lab::new();
    lab.entries(70);
    lab.store
        .read_blocking(|reader| {
            for size in 1..=70 {
                for index in [0, size / 3, size / 2, size - 1] {
                    let proven = view::prove(reader, index, size)?.unwrap();
                    let steps = proven.steps();
                    let last = steps.last().map_or(proven.leaf(), |it| it.above);
                    assert_eq!(last, proven.root, "{index} of {size}");
                    assert_eq!(ladder(&proven).rungs.len(), proven.path.len());
                    let neighbours: Vec<_> =
                        steps.iter().map(crate::model::Step::neighbour).collect();
                    assert_eq!(neighbours, proven.path);
                }
            }
            assert_eq!(view::prove(reader, 70, 70)?, None);
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_receipt_is_checked_with_nothing_but_the_key() {
    let lab = Lab::new();
    lab.entries(300);
    let key: VerifierKey = lab.store.log_key().parse().unwrap();
    for index in [0, 17, 256, 299] {
        let receipt = lab.store.read_blocking(|it| receipt::receipt(it, index)).unwrap().unwrap();
        let file: ProofFile = receipt.file.parse().unwrap();
        let entry = file.extra.clone();
        assert_eq!(entry, receipt.proven.entry);
        file.verify(&entry, &key, &[]).unwrap();
        assert!(file.verify(b"another entry", &key, &[]).is_err());
    }
    assert!(lab.store.read_blocking(|it| receipt::receipt(it, 300)).unwrap().is_none());
}

#[test]
fn an_own_receipt_opens_the_commitment_until_the_person_is_forgotten() {
    let lab = Lab::new();
    let index = lab.note(7, "열이 났어요");
    let own = || {
        let read = lab.store.read_blocking(|reader| {
            let event = view::own_event(reader, 7, index)?.unwrap();
            receipt::own(reader, &event, "key")
        });
        read.unwrap().unwrap()
    };
    let receipt = own();
    let leaf = store::Leaf::parse(receipt.entry.as_bytes()).unwrap();
    assert_eq!(receipt.commitment, leaf.commit);
    assert!(receipt.payload.as_ref().unwrap().contains("열이 났어요"));
    let salt: [u8; 16] = hex::decode(receipt.salt.unwrap()).unwrap().try_into().unwrap();
    let again = store::leaf::commitment(&salt, receipt.payload.unwrap().as_bytes());
    assert_eq!(Some(hex::encode(again)), leaf.commit);
    lab.store.write_blocking(|tx| tx.forget(7)).unwrap();
    let receipt = own();
    assert_eq!((receipt.salt, receipt.payload, receipt.commitment), (None, None, None));
    assert!(!receipt.proof.is_empty(), "the proof stays");
}

#[test]
fn only_events_about_the_person_are_their_own() {
    let lab = Lab::new();
    let mine = lab.note(7, "mine");
    let theirs = lab.note(8, "theirs");
    let public = lab.policy("public");
    lab.entries(1);
    lab.store
        .read_blocking(|reader| {
            assert!(view::own_event(reader, 7, mine)?.is_some());
            for index in [theirs, public, 3, 4, u64::MAX] {
                assert!(view::own_event(reader, 7, index)?.is_none(), "{index}");
            }
            // The policy's stream has the id 0: nobody with that id may pass for it.
            assert!(view::own_event(reader, 0, public)?.is_none());
            let own: Vec<_> = view::own(reader, 7)?.iter().map(|it| it.seq).collect();
            assert_eq!(own, [mine]);
            assert!(reader.opened_payload(mine)?.is_some());
            for index in [public, 3, 4] {
                assert_eq!(reader.opened_payload(index)?, None, "{index}");
            }
            Ok(())
        })
        .unwrap();
    assert!(OWN_STREAMS.is_sorted_by(|left, right| left > right), "no stream twice");
}

#[test]
fn tile_paths_are_taken_in_their_only_spelling() {
    for good in ["/log/tile/0/000", "/log/tile/entries/x001/234.p/5", "/log/tile/1/000.p/255"] {
        assert!(resource_of(good).is_some(), "{good}");
    }
    for bad in [
        "/log/tile/0/0",
        "/log/tile/0/000.p/256",
        "/log/tile/0/000.p/0",
        "/log/tile/64/000",
        "/log/tile/0/x000/001",
        "/log/tile/0/x001%2F234",
        "/log/tile/entries/000/",
        "/log/tile/entries/../0/000",
        "/log/tile/",
        "/tile/0/000",
    ] {
        assert!(resource_of(bad).is_none(), "{bad}");
    }
    assert!(caching(resource_of("/log/tile/0/000").unwrap()).contains("31536000"));
    assert!(!caching(resource_of("/log/tile/0/000.p/9").unwrap()).contains("31536000"));
}

#[test]
fn a_search_text_is_a_number_or_a_hash() {
    let hash = Hash::from([7; 32]);
    assert_eq!(wanted(" 1,234 "), Some(Wanted::Index(1_234)));
    assert_eq!(wanted(&hash.to_hex()), Some(Wanted::Hash(hash)));
    assert_eq!(wanted(&hash.to_string()), Some(Wanted::Hash(hash)));
    let digits = "1".repeat(64);
    assert_eq!(wanted(&digits), Some(Wanted::Hash(Hash::from_hex(&digits).unwrap())));
    for nonsense in ["", "-1", "가", "0x12", &"f".repeat(63), "1 2"] {
        assert_eq!(wanted(nonsense), None, "{nonsense}");
    }
}

#[test]
fn a_comparison_says_which_fields_are_wrong() {
    let ask = |old: &str, new: &str, root: &str| {
        let text = |it: &str| Some(it.to_owned());
        ConsistencyQuery::of(text(old), text(new), text(root)).read(100).map(|_| ())
    };
    assert_eq!(ask("1", "", ""), Ok(()));
    assert_eq!(ask("100", "100", &empty_root().to_string()), Ok(()));
    assert_eq!(ask("0", "", ""), Err(vec!["old"]));
    assert_eq!(ask("101", "", ""), Err(vec!["old"]));
    assert_eq!(ask("51", "50", ""), Err(vec!["old"]));
    assert_eq!(ask("1", "101", "x"), Err(vec!["new", "root"]));
    assert_eq!(ask("", "", ""), Err(vec!["old"]));
}

#[test]
fn any_entry_at_all_shows_as_a_bar_and_the_largest_fills_the_picture() {
    let day = |it| kernel::Date::from_days(it);
    let drawn = bars(&[(day(0), 0), (day(1), 1), (day(2), 1_000_000), (day(3), u64::MAX)]);
    let heights: Vec<_> = drawn.iter().map(|it| it.height).collect();
    assert_eq!(heights, [0, 1, 1, 90]);
    assert_eq!(drawn[1].label, "01-02");
    assert_eq!(drawn[2].count, "1,000k");
    assert!(bars(&[]).is_empty());
}

proptest! {
    /// Whatever a proof says, walking it neither panics nor agrees where the verifier does not.
    #[test]
    fn the_walk_agrees_with_the_verifier(
        index in 0_u64..40, size in 0_u64..40, length in 0_usize..8, root in any::<bool>(),
    ) {
        let path = vec![Hash::from([3; 32]); length];
        let mut proven = Proven { index, entry: vec![1], size, root: empty_root(), path };
        let end = proven.steps().last().map_or(proven.leaf(), |it| it.above);
        if root {
            proven.root = end;
        }
        let verified =
            verify_inclusion(&proven.leaf(), index, size, &proven.path, &proven.root).is_ok();
        prop_assert!(!verified || end == proven.root);
    }
}
