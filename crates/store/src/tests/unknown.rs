//! COMMITs of unknown outcome, one after the other: the connection is cut before the server sees the
//! COMMIT, or after it took effect and before the answer, in each of the three databases, with several
//! callers in the batch. Each gets the one true answer, and the same when it asks again.
//!
//! `cargo xtask torture --unknown-commits N` does as many as one likes, from a seed of one's own.

#![allow(clippy::print_stderr, reason = "what was tried is said")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant as Moment};

use super::lost::{Cut, wired};
use super::*;

/// How many, where nobody says it.
const COUNT: u64 = 300;
/// Who writes at once.
const CALLERS: u64 = 3;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// A leaf with a new subject's key, and a leaf on the visits side: all three databases commit.
fn work(command: u64) -> impl FnMut(&mut Tx<'_>) -> Result<u64, Fault> + Send + 'static {
    move |tx| {
        let id = u128::from(command);
        let context = Context { command: Some(id), ..CONTEXT };
        let ran = tx.run::<Book>(&context, id, "a line".to_owned())?;
        let other = Context { command: Some(id | 1 << 64), ..CONTEXT };
        let day = tx::utc_day(tx.now());
        tx.observe(&other, SEEN.kind, &[seen(day, "pass")])?;
        Ok(ran.unwrap().first)
    }
}

#[test]
fn each_commit_of_unknown_outcome_gets_its_one_true_answer() {
    let Some((lab, wire, name)) = wired() else { return };
    let count = number("HAETAE_UNKNOWN_COMMITS").unwrap_or(COUNT);
    let seed = number("HAETAE_TORTURE_SEED").unwrap_or(20_261_122);
    let (choices, begun) = (Seed::fixed(seed), Moment::now());
    let store = lab.open();
    let mut times: BTreeMap<(&str, Cut), Vec<Duration>> = BTreeMap::new();
    for round in 0..count {
        // The database with the log as often as the other two together: there nobody can guess.
        let suffix = ["", "", "_visits", "_keys"][usize::try_from(choices.below(4)).unwrap()];
        let cut = if choices.below(2) == 0 { Cut::Before } else { Cut::After };
        let at = format!("seed {seed}, round {round}, {name}{suffix}, {cut:?}");
        let ask = || -> Vec<u64> {
            std::thread::scope(|scope| {
                let commands = round * CALLERS + 1..=(round + 1) * CALLERS;
                let store = &store;
                let asked: Vec<_> = commands
                    .map(|it| scope.spawn(move || store.write_blocking(work(it))))
                    .collect();
                asked.into_iter().map(|it| it.join().unwrap().expect(&at)).collect()
            })
        };
        wire.cut(&format!("{name}{suffix}"), cut);
        let asked = Moment::now();
        let answers = ask();
        times.entry((suffix, cut)).or_default().push(asked.elapsed());
        assert!(wire.was_cut(), "{at}");
        assert_eq!(ask(), answers, "{at}: asked again");
        let mut places = answers;
        places.sort_unstable();
        let first = round * CALLERS * 2;
        assert_eq!(places, [first, first + 2, first + 4], "{at}: neither lost nor twice");
        assert_eq!(store.size(), first + CALLERS * 2, "{at}");
    }
    let report = lab.audit();
    assert_eq!((report.wrong, report.entries), (vec![], count * CALLERS * 2));
    store.close();
    assert_eq!(lab.try_open().unwrap().orphans, 0);
    let mut text = format!(
        "{count} commits of unknown outcome from seed {seed} in {:.0} s: {} commands, each there once, \
         each answered twice with the same",
        begun.elapsed().as_secs_f64(),
        count * CALLERS
    );
    for ((suffix, cut), times) in &mut times {
        times.sort_unstable();
        let (median, longest) = (times[times.len() / 2], times[times.len() - 1]);
        let database = suffix.strip_prefix('_').unwrap_or("identity");
        let times = times.len();
        write!(
            text,
            "\n  {database}, cut {cut:?} COMMIT ({times}): answered after {median:.1?} (median), \
             {longest:.1?} (longest)"
        )
        .unwrap();
    }
    eprintln!("{text}");
}
