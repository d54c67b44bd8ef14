//! What a trial did and how long it took, to be printed; and whether it did everything that it says.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use sim::Work;

use crate::life::Heard;

/// Trials with fewer kills may leave something out by chance.
const ENOUGH: u64 = 40;

#[derive(Default)]
pub(crate) struct Figures {
    pub(crate) cycles: u64,
    pub(crate) regions: u64,
    pub(crate) acknowledged: usize,
    pub(crate) entries: u64,
    pub(crate) refused: u64,
    pub(crate) done: BTreeMap<Work, u64>,
    /// What a kill came in the middle of.
    pub(crate) cut: BTreeMap<Work, u64>,
    pub(crate) restored: u64,
    /// Changes of wrapping keys that a start found unfinished.
    pub(crate) unfinished: u64,
    /// Files of wrapping keys that were destroyed at the end of their time.
    pub(crate) destroyed: usize,
    /// How long it took until something was accepted again, by what had happened.
    recovered: BTreeMap<&'static str, Vec<Duration>>,
    /// Where the time went.
    spent: BTreeMap<&'static str, Duration>,
}

impl Figures {
    pub(crate) fn recovered(&mut self, fault: &'static str, time: Duration) {
        self.recovered.entry(fault).or_default().push(time);
    }

    /// What was begun at `since` ends now.
    pub(crate) fn spent(&mut self, what: &'static str, since: Instant) {
        *self.spent.entry(what).or_default() += since.elapsed();
    }

    /// Counts what a life said, but not yet what it acknowledged.
    pub(crate) fn heard(&mut self, heard: &Heard) {
        self.refused += heard.refused;
        add(&mut self.done, &heard.done);
        for work in heard.at.values() {
            *self.cut.entry(*work).or_default() += 1;
        }
    }

    pub(crate) fn merge(&mut self, mut other: Self) {
        self.cycles += other.cycles;
        self.regions += other.regions;
        self.acknowledged += other.acknowledged;
        self.entries += other.entries;
        self.refused += other.refused;
        self.restored += other.restored;
        self.unfinished += other.unfinished;
        self.destroyed += other.destroyed;
        add(&mut self.done, &other.done);
        add(&mut self.cut, &other.cut);
        for (fault, times) in &mut other.recovered {
            self.recovered.entry(fault).or_default().append(times);
        }
        for (what, time) in other.spent {
            *self.spent.entry(what).or_default() += time;
        }
    }

    /// The figures in lines for a person.
    pub(crate) fn say(&mut self, engine: &str, seed: u64, cities: usize, took: Duration) -> String {
        let cycles = u32::try_from(self.cycles).unwrap();
        let took_s = took.as_secs_f64();
        let mut text = format!(
            "{engine}: {cycles} kills from seed {seed} in {took_s:.0} s ({:.1} a second, {cities} cities at \
             once, {} regions): {} acknowledged commands, {} entries, all there once; {} backups \
             restored; {} changes of wrapping keys found unfinished, {} old key files destroyed; {} \
             writes refused while the server was away",
            f64::from(cycles) / took_s,
            self.regions,
            self.acknowledged,
            self.entries,
            self.restored,
            self.unfinished,
            self.destroyed,
            self.refused
        );
        text.push_str("\n  work done, and cut by a kill:");
        for work in Work::ALL {
            let of = |counts: &BTreeMap<Work, u64>| counts.get(&work).copied().unwrap_or(0);
            write!(text, " {work} {} ({})", of(&self.done), of(&self.cut)).unwrap();
        }
        for (fault, times) in &mut self.recovered {
            times.sort_unstable();
            let [shortest, median, longest] =
                [0, times.len() / 2, times.len() - 1].map(|it| times[it]);
            write!(
                text,
                "\n  {fault} ({}): first accepted write after {shortest:.1?} at best, {median:.1?} \
                 (median), {longest:.1?} at worst",
                times.len()
            )
            .unwrap();
        }
        let ms =
            |it: &Duration| format!("{:.0}", it.as_secs_f64() * 1e3 / f64::from(cycles.max(1)));
        let parts = self.spent.iter().map(|(what, time)| format!("{what} {}", ms(time)));
        write!(text, "\n  a cycle in ms: {}", parts.collect::<Vec<_>>().join(", ")).unwrap();
        text
    }

    /// A load that silently never does something would prove nothing about it.
    pub(crate) fn demand_everything(&self, engine: &str, faults: &[&str]) {
        if self.cycles < ENOUGH {
            return;
        }
        for work in Work::ALL {
            let done = self.done.get(&work).copied().unwrap_or(0);
            assert!(done > 0, "{engine}: no {work} came to its end");
            let cut = self.cut.get(&work).copied().unwrap_or(0);
            assert!(cut > 0 || self.cycles < 10 * ENOUGH, "{engine}: no {work} was cut by a kill");
        }
        for fault in faults {
            assert!(self.recovered.contains_key(fault), "{engine}: never {fault}");
        }
        assert!(self.restored > 0, "{engine}: no backup was restored");
        assert!(self.destroyed > 0, "{engine}: no wrapping key came to the end of its time");
        assert!(
            self.acknowledged > usize::try_from(self.cycles).unwrap(),
            "{engine}: hardly any work"
        );
    }
}

fn add(to: &mut BTreeMap<Work, u64>, counts: &BTreeMap<Work, u64>) {
    for (work, count) in counts {
        *to.entry(*work).or_default() += count;
    }
}
