//! Appending and restoring.

use proptest::prelude::*;

use super::{Rows, entry, grown, index, slow, wide};
use crate::{
    AppendError, Hash, MAX_ENTRY_BYTES, Resource, RestoreError, TileId, Tree, empty_root, leaf_hash,
};

fn slow_leaves(size: usize) -> Vec<slow::Raw> {
    (0..size).map(|index| slow::leaf(entry(index).as_bytes())).collect()
}

/// Every row as tlog-tiles defines it, from the slow tree.
fn expected_rows(size: usize) -> Rows {
    let leaves = slow_leaves(size);
    let mut rows = Rows::default();
    let mut span = 1;
    for level in 0_u8..8 {
        for (place, leaves) in leaves.chunks_exact(span).enumerate() {
            let tile = rows.tiles.entry((level, wide(place / 256))).or_default();
            tile.extend_from_slice(&slow::root(leaves));
        }
        span *= 256;
        if span > size {
            break;
        }
    }
    for index in 0..size {
        let entry = entry(index);
        let bundle = rows.bundles.entry(wide(index / 256)).or_default();
        bundle.extend_from_slice(&u16::try_from(entry.len()).unwrap().to_be_bytes());
        bundle.extend_from_slice(entry.as_bytes());
    }
    rows
}

#[test]
fn an_empty_tree_has_the_hash_of_nothing_as_its_root() {
    let mut tree = Tree::new();
    assert_eq!(tree.root(), empty_root());
    assert_eq!(Hash::from(slow::root(&[])), empty_root());
    let appended = tree.append(&[""; 0]).unwrap();
    assert_eq!((appended.size, appended.root), (0, empty_root()));
    assert!(appended.tiles.is_empty() && appended.bundles.is_empty());
}

#[test]
fn every_size_up_to_six_hundred_has_the_root_of_the_slow_tree() {
    let leaves = slow_leaves(600);
    let mut tree = Tree::new();
    for size in 1..=600 {
        let appended = tree.append(&[entry(size - 1)]).unwrap();
        assert_eq!(appended.root, Hash::from(slow::root(&leaves[..size])), "size {size}");
        assert_eq!(appended.size, wide(size));
        assert_eq!(appended.first, wide(size - 1));
    }
}

#[test]
fn one_entry_writes_one_tile_and_one_bundle_and_the_256th_also_opens_the_next_level() {
    let (mut tree, _) = grown(254, 254);
    let places = |appended: &crate::Appended| -> Vec<(u8, u64, u16)> {
        appended.tiles.iter().map(|tile| (tile.level, tile.index, tile.width)).collect()
    };
    let appended = tree.append(&["a"]).unwrap();
    assert_eq!(places(&appended), [(0, 0, 255)]);
    let appended = tree.append(&["b"]).unwrap();
    assert_eq!(places(&appended), [(0, 0, 256), (1, 0, 1)]);
    assert_eq!((appended.bundles[0].index, appended.bundles[0].width), (0, 256));
    let appended = tree.append(&["c"]).unwrap();
    assert_eq!(places(&appended), [(0, 1, 1)]);
    assert_eq!((appended.bundles[0].index, appended.bundles[0].width), (1, 1));
}

#[test]
fn a_tree_of_seventy_thousand_has_the_tiles_that_the_specification_counts() {
    let (tree, rows) = grown(70_000, 5_000);
    assert_eq!(rows, expected_rows(70_000));
    let widths = |level: u8| -> Vec<usize> {
        rows.tiles
            .iter()
            .filter(|((of, _), _)| *of == level)
            .map(|(_, bytes)| bytes.len() / Hash::LENGTH)
            .collect()
    };
    assert_eq!(widths(0).iter().filter(|width| **width == 256).count(), 273);
    assert_eq!(widths(0).last(), Some(&112));
    assert_eq!(widths(1), [256, 17]);
    assert_eq!(widths(2), [1]);
    let restored = Tree::restore(70_000, &tree.root(), |id| rows.resource(id)).unwrap();
    assert_eq!(restored, tree);
}

#[test]
fn an_entry_that_is_too_long_is_refused_and_changes_nothing() {
    let (mut tree, _) = grown(300, 300);
    let before = tree.clone();
    let batch = [vec![0; MAX_ENTRY_BYTES], vec![0; MAX_ENTRY_BYTES + 1]];
    let refused = tree.append(&batch);
    assert_eq!(refused, Err(AppendError::EntryTooLong { position: 1, length: 65_536 }));
    assert_eq!(tree, before);
    assert!(tree.append(&batch[..1]).is_ok());
}

#[test]
fn the_largest_log_restores_takes_no_more_and_the_one_before_it_takes_one_more() {
    // A log of 2^64 - 1 entries has eight tiles of 255 hashes at its edge; only the leaves of the
    // last bundle must be true.
    let entries = ["x"; 255];
    let bundle = crate::encode_bundle(&entries).unwrap();
    let tile: Vec<u8> =
        entries.iter().flat_map(|entry| *leaf_hash(entry.as_bytes()).as_bytes()).collect();
    let read = |resource: Resource| -> Result<Vec<u8>, String> {
        Ok(match resource {
            Resource::Tile(_) => tile.clone(),
            Resource::Bundle(_) => bundle.clone(),
        })
    };
    let restore = |size: u64| match Tree::restore(size, &empty_root(), read) {
        Err(RestoreError::Root { found, .. }) => Tree::restore(size, &found, read).unwrap(),
        other => panic!("{other:?}"),
    };
    let mut almost = restore(u64::MAX - 1);
    let mut full = restore(u64::MAX);
    assert_eq!(almost.append(&["x"]).unwrap().root, full.root());
    assert_eq!(almost, full);
    assert_eq!(full.append(&["x"]), Err(AppendError::Full));
    assert_eq!(full.append(&[""; 0]).map(|appended| appended.size), Ok(u64::MAX));
}

#[test]
fn restoring_reads_one_tile_of_each_level_and_one_bundle() {
    let (tree, rows) = grown(70_001, 5_000);
    let mut asked = Vec::new();
    Tree::restore(70_001, &tree.root(), |resource| {
        asked.push(resource.to_string());
        rows.resource(resource)
    })
    .unwrap();
    assert_eq!(
        asked,
        ["tile/0/273.p/113", "tile/1/001.p/17", "tile/2/000.p/1", "tile/entries/273.p/113"]
    );
}

#[test]
fn a_missing_row_is_an_error_of_the_source_and_a_wrong_root_is_named() {
    let (tree, rows) = grown(300, 300);
    let none = |_| Err::<Vec<u8>, _>("gone");
    assert_eq!(Tree::restore(300, &tree.root(), none), Err(RestoreError::Source("gone")));
    let wrong = Tree::restore(300, &empty_root(), |id| rows.resource(id));
    let expected = RestoreError::Root { expected: empty_root(), found: tree.root() };
    assert_eq!(wrong, Err(expected));
    assert_eq!(Tree::restore(0, &empty_root(), none), Ok(Tree::new()));
    assert!(Tree::restore(0, &tree.root(), none).is_err());
}

#[test]
fn any_changed_bit_at_the_stored_edge_is_noticed() {
    let (tree, rows) = grown(261, 261);
    let restore = |rows: &Rows| Tree::restore(261, &tree.root(), |id| rows.resource(id));
    assert!(restore(&rows).is_ok());
    let edge = [(0_u8, 1_u64), (1, 0)];
    for place in edge {
        for bit in 0..rows.tiles[&place].len() * 8 {
            let mut bad = rows.clone();
            bad.tiles.get_mut(&place).unwrap()[bit / 8] ^= 1 << (bit % 8);
            assert!(matches!(restore(&bad), Err(RestoreError::Root { .. })), "{place:?} {bit}");
        }
        // Too few, too many, and no whole number of hashes.
        let length = rows.tiles[&place].len();
        for wrong in [length - 32, length - 1, length + 1, 257 * 32] {
            let mut bad = rows.clone();
            bad.tiles.get_mut(&place).unwrap().resize(wrong, 0);
            assert!(matches!(restore(&bad), Err(RestoreError::TileLength { .. })), "{wrong}");
        }
    }
    for bit in 0..rows.bundles[&1].len() * 8 {
        let mut bad = rows.clone();
        bad.bundles.get_mut(&1).unwrap()[bit / 8] ^= 1 << (bit % 8);
        assert!(restore(&bad).is_err(), "bundle bit {bit}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_split_into_batches_gives_the_same_rows(
        sizes in prop::collection::vec(0_usize..400, 0..8),
        cut in 0_usize..8,
    ) {
        let total: usize = sizes.iter().sum();
        let (mut tree, mut rows) = (Tree::new(), Rows::default());
        let mut done = 0;
        for (number, size) in sizes.iter().enumerate() {
            if number == cut {
                // A restart in the middle must not be visible afterwards.
                tree = Tree::restore(tree.size(), &tree.root(), |id| rows.resource(id)).unwrap();
            }
            let batch: Vec<String> = (done..done + size).map(entry).collect();
            let mut next = tree.clone();
            let appended = next.append(&batch).unwrap();
            prop_assert_eq!(appended.first, wide(done));
            rows.write(&appended);
            tree = next;
            done += size;
            let leaves = slow_leaves(done);
            prop_assert_eq!(appended.root, Hash::from(slow::root(&leaves)));
        }
        prop_assert_eq!(rows, expected_rows(total));
    }

    #[test]
    fn an_earlier_state_can_be_restored_from_wider_rows(old in 0_u64..1_500, more in 0_usize..700) {
        let (before, _) = grown(index(old), 200);
        let (_, rows) = grown(index(old) + more, 333);
        let restored = Tree::restore(old, &before.root(), |id| rows.resource(id)).unwrap();
        prop_assert_eq!(restored, before);
    }

    #[test]
    fn every_tile_that_a_size_has_is_named_and_no_other(size in 0_u64..70_000) {
        for level in 0..4_u8 {
            let hashes = size >> (8 * u32::from(level));
            for index in [0, hashes / 512, (hashes >> 8).saturating_sub(1), hashes >> 8, (hashes >> 8) + 1] {
                let width = hashes.saturating_sub(index * 256).min(256);
                let found = TileId::at(level, index, size).map_or(0, |id| u64::from(id.width));
                prop_assert_eq!(found, width);
            }
        }
    }
}
