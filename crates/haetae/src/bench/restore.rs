//! `haetae bench restore`: how long a city is gone after its machine burnt, in entries a second.
//!
//! A region of gate batches and declarations is backed up in two steps and restored: rows, tree,
//! views, audit. There is no peer: bare SQLite would copy a file and prove nothing.

use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use sim::Exercise;
use store::backup::{Identity, Restore, Target};

use super::Figure;

/// Entries restored: as many visits, and declarations with their decisions.
pub(crate) fn run(quick: bool) -> anyhow::Result<Vec<Figure>> {
    let (visits, declarations) = if quick { (20_000, 1_000) } else { (1_000_000, 100_000) };
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
    while house.app.store.size() < visits {
        exercise.fill(5_000)?;
    }
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
        identities: &[identity],
        registry: &app::slices::registry(&app::slices::slices()),
        verify: false,
        accept_findings: false,
    };
    let begun = Instant::now();
    let restored = store::backup::restore(&restore, None, &mut |_, _, _| {}).map_err(failed)?;
    let whole = begun.elapsed();
    let per_second = |entries: u64, took: Duration| {
        // Counts here stay far below 2^32.
        f64::from(u32::try_from(entries).unwrap_or(u32::MAX)) / took.as_secs_f64()
    };
    let (entries, took) = (restored.entries, restored.took);
    let figure = |name: &str, took| {
        let name = format!("restore.{name}_of_{entries}_entries");
        Figure::alone(name, per_second(entries, took), "/s")
    };
    Ok(vec![
        Figure::alone(
            format!("backup.first_of_{}_entries", first.entries),
            per_second(first.entries, backing_up),
            "/s",
        ),
        figure("all", whole),
        figure("all_but_audit", took.load + took.hash + took.fold),
        figure("load", took.load),
        figure("hash", took.hash),
        figure("fold", took.fold),
        figure("audit", took.audit),
    ])
}
