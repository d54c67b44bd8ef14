//! Counts and latencies for `/metrics`, in Prometheus' text format. Labels are route patterns and
//! status classes: never an address, an id or a query.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use store::Store;

use crate::ops::Space;

/// Upper bounds of the latency buckets, in microseconds.
const BOUNDS_US: [u64; 10] =
    [1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 5_000_000];

#[derive(Default)]
struct Line {
    /// By the first digit of the status, 1 to 5.
    classes: BTreeMap<u16, u64>,
    /// Not cumulative; the last is beyond all bounds.
    buckets: [u64; 11],
    sum_us: u64,
}

/// Counts of requests by route pattern.
#[derive(Default)]
pub(crate) struct Metrics(Mutex<BTreeMap<(String, String), Line>>);

impl Metrics {
    /// Counts one answer. `pattern` is the route's pattern, so there are as many as routes.
    pub(crate) fn count(&self, method: &str, pattern: &str, status: u16, took: Duration) {
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_US.iter().position(|it| took_us <= *it).unwrap_or(BOUNDS_US.len());
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let line = lines.entry((method.to_owned(), pattern.to_owned())).or_default();
        *line.classes.entry(status / 100).or_default() += 1;
        if let Some(count) = line.buckets.get_mut(bucket) {
            *count += 1;
        }
        line.sum_us = line.sum_us.saturating_add(took_us);
    }

    /// The text that Prometheus reads. `outbox`: messages waiting, delivered, laid aside; `files`:
    /// names and bytes; `backup_age_s`: since the last backup, if there was one.
    pub(crate) fn text(
        &self,
        store: &Store,
        outbox: [i64; 3],
        space: Option<Space>,
        files: &[(String, u64)],
        backup_age_s: Option<u64>,
    ) -> String {
        let mut text = String::new();
        let mut gauges = vec![
            ("haetae_log_entries", "Entries on the log.", store.size()),
            ("haetae_queue_waiting", "Commands that wait for the writer.", store.waiting()),
            ("haetae_writer", "1 where this process writes.", u64::from(store.is_writer())),
            ("haetae_store_stopped", "1 when writing has stopped.", u64::from(store.is_stopped())),
        ];
        if let Some(Space { free, size }) = space {
            gauges.push(("haetae_disk_free_bytes", "Room on the data folder's disk.", free));
            gauges.push(("haetae_disk_size_bytes", "Size of the data folder's disk.", size));
        }
        if let Some(age) = backup_age_s {
            gauges.push(("haetae_backup_age_seconds", "Since the last backup.", age));
        }
        for (name, help, value) in gauges {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}");
        }
        text.push_str("# HELP haetae_file_bytes Sizes of the databases and their journals.\n");
        text.push_str("# TYPE haetae_file_bytes gauge\n");
        for (name, size) in files {
            let _ = writeln!(text, "haetae_file_bytes{{file=\"{name}\"}} {size}");
        }
        text.push_str("# HELP haetae_outbox_messages Messages that must leave, by state.\n");
        text.push_str("# TYPE haetae_outbox_messages gauge\n");
        for (state, count) in ["waiting", "delivered", "laid_aside"].iter().zip(outbox) {
            let _ = writeln!(text, "haetae_outbox_messages{{state=\"{state}\"}} {count}");
        }
        text.push_str("# HELP haetae_requests_total Answers by route and status class.\n");
        text.push_str("# TYPE haetae_requests_total counter\n");
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for ((method, route), line) in lines.iter() {
            for (class, count) in &line.classes {
                let _ = writeln!(
                    text,
                    "haetae_requests_total{{method=\"{method}\",route=\"{route}\",status=\"{class}xx\"}} {count}"
                );
            }
        }
        text.push_str("# HELP haetae_request_seconds Time to answer, by route.\n");
        text.push_str("# TYPE haetae_request_seconds histogram\n");
        for ((method, route), line) in lines.iter() {
            let labels = format!("method=\"{method}\",route=\"{route}\"");
            let mut sum = 0;
            let bounds = BOUNDS_US.iter().map(|it| seconds(*it)).chain(["+Inf".to_owned()]);
            for (bound, count) in bounds.zip(line.buckets) {
                sum += count;
                let _ = writeln!(
                    text,
                    "haetae_request_seconds_bucket{{{labels},le=\"{bound}\"}} {sum}"
                );
            }
            let total = seconds(line.sum_us);
            let _ = writeln!(text, "haetae_request_seconds_sum{{{labels}}} {total}");
            let _ = writeln!(text, "haetae_request_seconds_count{{{labels}}} {sum}");
        }
        text
    }
}

/// Microseconds as decimal seconds.
fn seconds(micros: u64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}
