//! What the log costs: appending in the writer's two batch sizes, proving, verifying.
//!
//! The peer, in the same run, is bare SHA-256 over the same bytes: each entry once and 65 bytes for
//! each inner node. No RFC 6962 tree can be quicker than that.
// A bench has no caller to hand an error to: it stops.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::hint::black_box;

use aws_lc_rs::digest::{SHA256, digest};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ledger::{
    Prover, Signer, TileId, Tree, inclusion_proof, leaf_hash, verify_consistency, verify_inclusion,
};

const ENTRY_BYTES: usize = 130;

fn batch(size: usize) -> Vec<Vec<u8>> {
    (0..size)
        .map(|number| {
            let mut entry = vec![b'e'; ENTRY_BYTES];
            entry.splice(..8, number.to_le_bytes());
            entry
        })
        .collect()
}

fn append(criterion: &mut Criterion) {
    for size in [200_usize, 5_000] {
        let entries = batch(size);
        let mut group = criterion.benchmark_group(format!("batch_{size}"));
        group.throughput(Throughput::Elements(size.try_into().unwrap()));
        group.bench_function("append", |bencher| {
            let mut tree = Tree::new();
            bencher.iter(|| {
                // As the writer does it: a clone that can be thrown away with the transaction.
                let mut next = tree.clone();
                let appended = next.append(black_box(&entries)).unwrap();
                tree = next;
                appended
            });
        });
        group.bench_function("bare_sha256", |bencher| {
            let node = [1_u8; 65];
            bencher.iter(|| {
                for entry in black_box(&entries) {
                    black_box(digest(&SHA256, entry));
                    black_box(digest(&SHA256, black_box(&node)));
                }
            });
        });
        group.finish();
    }
}

fn proofs(criterion: &mut Criterion) {
    let (mut tree, mut tiles) = (Tree::new(), BTreeMap::new());
    for _ in 0..20 {
        for tile in tree.append(&batch(5_000)).unwrap().tiles {
            tiles.insert((tile.level, tile.index), tile.bytes);
        }
    }
    let (size, root) = (tree.size(), tree.root());
    let mut source = |id: TileId| tiles.get(&(id.level, id.index)).cloned().ok_or("no such tile");
    let entries = batch(5_000);
    let place = 77_777;
    let leaf = leaf_hash(entries.get(2_777).unwrap());
    let proof = inclusion_proof(place, size, &mut source).unwrap();
    let mut group = criterion.benchmark_group("log_of_100000");
    group.bench_function("inclusion_proof", |bencher| {
        bencher.iter(|| inclusion_proof(black_box(place), size, &mut source).unwrap());
    });
    group.throughput(Throughput::Elements(5_000));
    group.bench_function("inclusion_proofs_of_5000", |bencher| {
        bencher.iter(|| {
            let mut prover = Prover::new(size, &mut source);
            (70_000..75_000).map(|it| prover.inclusion(black_box(it)).unwrap().len()).sum::<usize>()
        });
    });
    group.throughput(Throughput::Elements(1));
    group.bench_function("verify_inclusion", |bencher| {
        bencher.iter(|| verify_inclusion(&leaf, place, size, black_box(&proof), &root).unwrap());
    });
    let old = ledger::root_at(place, &mut source).unwrap();
    let proof = ledger::consistency_proof(place, size, &mut source).unwrap();
    group.bench_function("verify_consistency", |bencher| {
        bencher.iter(|| verify_consistency(place, &old, size, &root, black_box(&proof)).unwrap());
    });
    let signer = Signer::try_new("bench.example/log", &[1; 32]).unwrap();
    let head = ledger::Checkpoint::try_new("bench.example/log", size, root).unwrap();
    let note = head.sign(&signer).unwrap();
    group.bench_function("sign_checkpoint", |bencher| bencher.iter(|| head.sign(&signer).unwrap()));
    group.bench_function("open_checkpoint", |bencher| {
        bencher
            .iter(|| ledger::Checkpoint::open(black_box(&note), signer.verifier(), &[]).unwrap());
    });
    group.finish();
}

criterion_group!(benches, append, proofs);
criterion_main!(benches);
