//! Proofs: made from tiles, compared with the slow tree, verified, and refused when changed.

use proptest::prelude::*;

use super::{entry, grown, index, slow, wide};
use crate::{
    Hash, ProveError, Prover, TileId, VerifyError, consistency_proof, empty_root, inclusion_proof,
    leaf_hash, root_at, verify_consistency, verify_inclusion,
};

fn leaves(size: usize) -> Vec<slow::Raw> {
    (0..size).map(|index| slow::leaf(entry(index).as_bytes())).collect()
}

fn hashes(raw: Vec<slow::Raw>) -> Vec<Hash> {
    raw.into_iter().map(Hash::from).collect()
}

/// Every way to change one bit of one hash, and to leave out, double or add one.
fn mutations(proof: &[Hash]) -> Vec<Vec<Hash>> {
    let mut all = Vec::new();
    for place in 0..proof.len() {
        for bit in 0..256 {
            let mut bytes = *proof[place].as_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let mut changed = proof.to_vec();
            changed[place] = Hash::from(bytes);
            all.push(changed);
        }
        let mut shorter = proof.to_vec();
        shorter.remove(place);
        all.push(shorter);
        let mut longer = proof.to_vec();
        longer.insert(place, proof[place]);
        all.push(longer);
    }
    let mut longer = proof.to_vec();
    longer.push(empty_root());
    all.push(longer);
    all
}

#[test]
fn every_proof_of_every_small_log_is_right() {
    let size = 70_usize;
    let all = leaves(size);
    let (_, rows) = grown(size, 7);
    let mut source = |id: TileId| rows.tile(id);
    for size in 1..=size {
        let root = Hash::from(slow::root(&all[..size]));
        assert_eq!(root_at(wide(size), &mut source).unwrap(), root);
        for place in 0..size {
            let proof = inclusion_proof(wide(place), wide(size), &mut source).unwrap();
            assert_eq!(proof, hashes(slow::path(place, &all[..size])), "{place} of {size}");
            let leaf = Hash::from(all[place]);
            verify_inclusion(&leaf, wide(place), wide(size), &proof, &root).unwrap();
        }
        for old in 1..=size {
            let proof = consistency_proof(wide(old), wide(size), &mut source).unwrap();
            assert_eq!(proof, hashes(slow::subproof(old, &all[..size], true)), "{old} to {size}");
            let old_root = Hash::from(slow::root(&all[..old]));
            verify_consistency(wide(old), &old_root, wide(size), &root, &proof).unwrap();
        }
    }
}

#[test]
fn one_prover_makes_every_proof_of_a_log_and_reads_each_tile_once() {
    let size = 700_usize;
    let all = leaves(size);
    let (_, rows) = grown(size, 64);
    let mut asked = Vec::new();
    let mut source = |id: TileId| {
        asked.push(id);
        rows.tile(id)
    };
    let mut prover = Prover::new(wide(size), &mut source);
    // Backwards, so that nothing rests on the order.
    for place in (0..size).rev() {
        let proof = prover.inclusion(wide(place)).unwrap();
        assert_eq!(proof, hashes(slow::path(place, &all)), "{place}");
    }
    assert!(prover.inclusion(wide(size)).is_err());
    // Three of entries, one above them.
    assert_eq!(asked.len(), 4, "{asked:?}");
}

#[test]
fn what_cannot_be_proven_is_refused_with_a_reason() {
    let (tree, rows) = grown(10, 10);
    let mut source = |id: TileId| rows.tile(id);
    assert_eq!(
        inclusion_proof(10, 10, &mut source),
        Err(ProveError::IndexOutside { index: 10, size: 10 })
    );
    for (old, new) in [(0, 10), (0, 0), (11, 10)] {
        let refused = consistency_proof(old, new, &mut source);
        assert_eq!(refused, Err(ProveError::SizesOutOfOrder { old, new }));
    }
    assert_eq!(root_at(0, &mut source), Ok(empty_root()));
    // More entries than the rows hold: the tile comes too short, and says so.
    let short = inclusion_proof(3, 11, &mut source);
    assert!(matches!(short, Err(ProveError::TileLength { found: 320, .. })), "{short:?}");
    let gone = inclusion_proof(3, 10, &mut |_: TileId| Err::<Vec<u8>, _>("gone"));
    assert_eq!(gone, Err(ProveError::Source("gone")));
    let root = tree.root();
    let leaf = leaf_hash(b"leaf 0");
    assert_eq!(verify_inclusion(&leaf, 10, 10, &[], &root), Err(VerifyError::IndexOutside));
    assert_eq!(verify_inclusion(&leaf, 0, 0, &[], &root), Err(VerifyError::IndexOutside));
    assert_eq!(verify_inclusion(&leaf, 0, 10, &[], &root), Err(VerifyError::TooShort));
    let empty = empty_root();
    assert_eq!(verify_consistency(0, &empty, 10, &root, &[]), Err(VerifyError::EmptyLog));
    assert_eq!(verify_consistency(0, &empty, 0, &empty, &[]), Err(VerifyError::EmptyLog));
    assert_eq!(verify_consistency(11, &root, 10, &root, &[]), Err(VerifyError::SizesOutOfOrder));
    assert_eq!(verify_consistency(10, &root, 10, &root, &[]), Ok(()));
    assert_eq!(verify_consistency(10, &root, 10, &root, &[root]), Err(VerifyError::TooLong));
    assert_eq!(verify_consistency(10, &root, 10, &leaf, &[]), Err(VerifyError::Root));
    assert_eq!(verify_consistency(8, &root, 10, &leaf, &[]), Err(VerifyError::TooShort));
    assert_eq!(verify_consistency(7, &root, 10, &leaf, &[]), Err(VerifyError::TooShort));
}

#[test]
fn a_proof_one_hash_too_long_or_too_short_is_called_so() {
    let (tree, rows) = grown(13, 13);
    let mut source = |id: TileId| rows.tile(id);
    let (size, root) = (tree.size(), tree.root());
    for place in 0..size {
        let leaf = leaf_hash(entry(index(place)).as_bytes());
        let mut proof = inclusion_proof(place, size, &mut source).unwrap();
        let short = verify_inclusion(&leaf, place, size, &proof[1..], &root);
        assert!(matches!(short, Err(VerifyError::TooShort | VerifyError::Root)), "{short:?}");
        proof.push(root);
        let long = verify_inclusion(&leaf, place, size, &proof, &root);
        assert_eq!(long, Err(VerifyError::TooLong), "{place}");
    }
    for old in 1..size {
        let old_root = root_at(old, &mut source).unwrap();
        let mut proof = consistency_proof(old, size, &mut source).unwrap();
        proof.push(root);
        let long = verify_consistency(old, &old_root, size, &root, &proof);
        assert_eq!(long, Err(VerifyError::TooLong), "{old}");
    }
}

#[test]
fn the_largest_numbers_and_longest_proofs_are_refused_without_overflow() {
    let hash = empty_root();
    for length in [0, 1, 63, 64, 65, 1_000] {
        let proof = vec![hash; length];
        for place in [0, 1, 1 << 63, u64::MAX - 1] {
            assert!(verify_inclusion(&hash, place, u64::MAX, &proof, &hash).is_err());
        }
        for old in [1, 2, (1 << 63) - 1, 1 << 63, (1 << 63) + 1, u64::MAX - 1] {
            assert!(verify_consistency(old, &hash, u64::MAX, &hash, &proof).is_err());
        }
    }
    let none = &mut |_: TileId| Err::<Vec<u8>, _>(());
    assert_eq!(inclusion_proof(u64::MAX - 1, u64::MAX, none), Err(ProveError::Source(())));
    assert_eq!(consistency_proof(u64::MAX - 1, u64::MAX, none), Err(ProveError::Source(())));
    assert_eq!(consistency_proof(u64::MAX, u64::MAX, none), Ok(Vec::new()));
}

#[test]
fn a_proof_in_a_large_log_reads_few_tiles_and_each_once() {
    let (tree, rows) = grown(70_000, 5_000);
    let mut asked = Vec::new();
    let mut source = |id: TileId| {
        asked.push(id);
        rows.tile(id)
    };
    let proof = inclusion_proof(12_345, 70_000, &mut source).unwrap();
    let leaf = leaf_hash(entry(12_345).as_bytes());
    verify_inclusion(&leaf, 12_345, 70_000, &proof, &tree.root()).unwrap();
    assert!(asked.len() <= 5, "{asked:?}");
    let distinct: std::collections::BTreeSet<_> = asked.iter().collect();
    assert_eq!(distinct.len(), asked.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn an_inclusion_proof_holds_and_no_changed_one_does(
        size in 1_usize..2_000,
        place in any::<prop::sample::Index>(),
        later in 0_usize..300,
    ) {
        let place = place.index(size);
        let all = leaves(size);
        // The rows have grown on since: partial tiles are served from wider ones.
        let (_, rows) = grown(size + later, 500);
        let proof =
            inclusion_proof(wide(place), wide(size), &mut |id: TileId| rows.tile(id)).unwrap();
        prop_assert_eq!(&proof, &hashes(slow::path(place, &all)));
        let (leaf, root) = (Hash::from(all[place]), Hash::from(slow::root(&all)));
        let (place, size) = (wide(place), wide(size));
        prop_assert_eq!(verify_inclusion(&leaf, place, size, &proof, &root), Ok(()));
        for changed in mutations(&proof) {
            prop_assert!(verify_inclusion(&leaf, place, size, &changed, &root).is_err());
        }
        prop_assert!(verify_inclusion(&leaf_hash(b"other"), place, size, &proof, &root).is_err());
        prop_assert!(verify_inclusion(&leaf, place, size, &proof, &empty_root()).is_err());
        for bit in 0..64 {
            let other = place ^ (1 << bit);
            prop_assert!(verify_inclusion(&leaf, other, size, &proof, &root).is_err());
            // A size of the same shape has the same path; every other one must be refused.
            let other = size ^ (1 << bit);
            let same = other > place && slow::shape(place, other) == slow::shape(place, size);
            let accepted = verify_inclusion(&leaf, place, other, &proof, &root).is_ok();
            prop_assert_eq!(accepted, same, "{} of {} as of {}", place, size, other);
        }
    }

    #[test]
    fn a_consistency_proof_holds_and_no_changed_one_does(
        new in 1_usize..2_000,
        old in any::<prop::sample::Index>(),
        later in 0_usize..300,
    ) {
        let old = old.index(new) + 1;
        let all = leaves(new);
        let (_, rows) = grown(new + later, 500);
        let proof =
            consistency_proof(wide(old), wide(new), &mut |id: TileId| rows.tile(id)).unwrap();
        prop_assert_eq!(&proof, &hashes(slow::subproof(old, &all, true)));
        let old_root = Hash::from(slow::root(&all[..old]));
        let new_root = Hash::from(slow::root(&all));
        let (old, new) = (wide(old), wide(new));
        let verify = |old, new, proof: &[Hash]| {
            verify_consistency(old, &old_root, new, &new_root, proof)
        };
        prop_assert_eq!(verify(old, new, &proof), Ok(()));
        for changed in mutations(&proof) {
            prop_assert!(verify(old, new, &changed).is_err());
        }
        let shape = slow::consistency_shape(old, new, true);
        let same = |old: u64, new: u64| {
            old > 0 && old <= new && slow::consistency_shape(old, new, true) == shape
        };
        for bit in 0..64 {
            let flip = 1 << bit;
            let accepted = verify(old ^ flip, new, &proof).is_ok();
            prop_assert_eq!(accepted, same(old ^ flip, new), "{} to {}", old ^ flip, new);
            let accepted = verify(old, new ^ flip, &proof).is_ok();
            prop_assert_eq!(accepted, same(old, new ^ flip), "{} to {}", old, new ^ flip);
        }
        if old < new {
            let other = empty_root();
            let wrong_old = verify_consistency(old, &other, new, &new_root, &proof);
            prop_assert!(wrong_old.is_err());
            let wrong_new = verify_consistency(old, &old_root, new, &other, &proof);
            prop_assert_eq!(wrong_new, Err(VerifyError::Root));
        }
    }

    #[test]
    fn a_rewritten_entry_breaks_every_later_consistency(
        old in 1_usize..600,
        more in 1_usize..600,
        place in any::<prop::sample::Index>(),
    ) {
        let place = place.index(old);
        let (honest, _) = grown(old, 100);
        let mut entries: Vec<String> = (0..old + more).map(entry).collect();
        entries[place] = "rewritten".to_owned();
        let (mut tree, mut rows) = (crate::Tree::new(), super::Rows::default());
        rows.write(&tree.append(&entries).unwrap());
        let proof =
            consistency_proof(wide(old), tree.size(), &mut |id: TileId| rows.tile(id)).unwrap();
        let checked =
            verify_consistency(wide(old), &honest.root(), tree.size(), &tree.root(), &proof);
        prop_assert!(checked.is_err());
        prop_assert!(index(tree.size()) == old + more);
    }
}
