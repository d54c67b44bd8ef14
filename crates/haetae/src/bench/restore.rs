//! `haetae bench restore`: how long a city is gone after its machine burnt, in entries a second.
//!
//! A region of gate batches and declarations is backed up in two steps and restored: rows, tree,
//! views, audit. There is no peer: bare SQLite would copy a file and prove nothing.

use std::time::Instant;

use anyhow::{Context as _, anyhow};
use sim::Exercise;
use store::backup::{Identity, Restore, Target};

use super::{Entries, Figure, Wish, per_second};

pub(crate) fn run(wish: &Wish) -> anyhow::Result<Vec<Figure>> {
    let mut figures = region(Entries::Singles, wish)?;
    figures.extend(region(Entries::Blocks, wish)?);
    Ok(figures)
}

/// As many visits, each an entry or in blocks, and in the first region a tenth as many declarations with
/// their decisions.
fn region(kind: Entries, wish: &Wish) -> anyhow::Result<Vec<Figure>> {
    let visits = wish.entries();
    let declarations = match (kind, wish.quick) {
        (Entries::Blocks, _) => 0,
        (Entries::Singles, true) => 1_000,
        (Entries::Singles, false) => 100_000,
    };
    let dir = tempfile::tempdir()?;
    let house = sim::bench_house(&dir.path().join("region"))?;
    let exercise = Exercise::prepare(&house, 2_000)?;
    let (config, now) = (house.config.clone(), house.app.now());
    let (identity, recipient) = Identity::generate();
    let target = Target {
        to: dir.path().join("backups"),
        keys_to: Some(dir.path().join("backups-of-keys")),
        recipients: vec![recipient],
        whole: false,
    };
    let failed = |error: store::backup::BackupError| anyhow!("{}: {error}", error.code());
    kind.fill(&exercise, visits)?;
    let begun = Instant::now();
    let first = app::backup::backup(&config, &target, now, &|| true).map_err(failed)?;
    let backing_up = begun.elapsed();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..64)
            .map(|_| scope.spawn(|| (0..declarations / 64).try_for_each(|_| exercise.single())))
            .collect();
        threads
            .into_iter()
            .try_for_each(|it| it.join().map_err(|_| anyhow!("a caller panicked"))?)
    })?;
    app::backup::backup(&config, &target, now, &|| true).map_err(failed)?;
    house.app.store.close();
    drop(exercise);
    drop(house);

    let restore = Restore {
        from: &target.to,
        keys_from: target.keys_to.as_deref().context("the keys have a folder")?,
        to: &dir.path().join("restored"),
        keys_to: None,
        store: None,
        identities: &[identity],
        registry: &app::slices::registry(&app::slices::slices()),
        verify: false,
        accept_findings: false,
    };
    let begun = Instant::now();
    let restored = store::backup::restore(&restore, None, &mut |_, _, _| {}).map_err(failed)?;
    let whole = begun.elapsed();
    let (entries, took) = (restored.entries, restored.took);
    // Where visits stand in blocks they are what is counted, and the people's own entries are few.
    let (word, behind) = match kind {
        Entries::Singles => (kind.word(), entries),
        Entries::Blocks => (kind.word(), visits),
    };
    let figure = |name: &str, took| {
        let name = format!("restore.{name}_of_{behind}_{word}");
        Figure::alone(name, per_second(behind, took), "/s")
    };
    let first = if matches!(kind, Entries::Singles) { first.entries } else { visits };
    Ok(vec![
        Figure::alone(
            format!("backup.first_of_{first}_{word}"),
            per_second(first, backing_up),
            "/s",
        ),
        Figure::alone(format!("restore.all_of_{behind}_{word}_took"), whole.as_secs_f64(), "s"),
        figure("all", whole),
        figure("all_but_audit", took.load + took.hash + took.fold),
        figure("load", took.load),
        figure("hash", took.hash),
        figure("fold", took.fold),
        figure("audit", took.audit),
    ])
}
