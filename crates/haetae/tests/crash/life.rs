//! The service at work, from its start to its kill, and what it said meanwhile.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use sim::{Site, Work};

use crate::{PATIENCE, RECIPIENT};

/// What a service said in its life.
#[derive(Default)]
pub(crate) struct Heard {
    /// The first entry of each command that it acknowledged.
    pub(crate) acknowledged: BTreeMap<u128, u64>,
    /// What came to its end.
    pub(crate) done: BTreeMap<Work, u64>,
    /// What it refused because nothing could be written.
    pub(crate) refused: u64,
    /// What each of its threads is at.
    pub(crate) at: BTreeMap<String, Work>,
    last: Option<Instant>,
}

impl Heard {
    fn take(&mut self, at: Instant, line: &str) {
        assert!(!line.starts_with("failed"), "the exercise met a fault: {line}");
        let words: Vec<&str> = line.split(' ').collect();
        match *words.as_slice() {
            [thread, "at", work] => {
                self.at.insert(thread.to_owned(), work.parse().unwrap());
            }
            [thread, "did", work, ref command @ ..] => {
                self.at.remove(thread);
                *self.done.entry(work.parse().unwrap()).or_default() += 1;
                if let [command, first] = *command {
                    let command = u128::from_str_radix(command, 16).unwrap();
                    let again = self.acknowledged.insert(command, first.parse().unwrap());
                    assert_eq!(again, None, "one acknowledgement each");
                    self.last = Some(at);
                }
            }
            [thread, "refused", _] => {
                self.at.remove(thread);
                self.refused += 1;
            }
            [thread, "had", ..] => {
                self.at.remove(thread);
            }
            _ => assert!(["begun", "stopped"].contains(&line), "no line of the exercise: {line}"),
        }
    }
}

/// A process of `haetae exercise`, and the lines that it prints, each with when it came.
pub(crate) struct Life {
    child: Child,
    lines: Receiver<(Instant, String)>,
    heard: Heard,
}

impl Life {
    /// Starts it; it begins with `first`, makes backups below `backups`, and its journal goes to the end
    /// of `journal`.
    pub(crate) fn begin(site: &Site, first: Work, backups: &Path, journal: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_haetae"));
        command.arg("exercise").arg(&site.data).args(["--region", &site.region]);
        if let Some(store) = &site.store {
            command.args(["--store", store]);
        }
        command
            .args(["--first", first.word()])
            .arg("--backups")
            .arg(backups)
            .args(["--recipient", RECIPIENT]);
        let journal = OpenOptions::new().create(true).append(true).open(journal).unwrap();
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(journal);
        let mut child = command.spawn().unwrap();
        let printed = BufReader::new(child.stdout.take().unwrap());
        let (said, lines) = mpsc::channel();
        std::thread::spawn(move || {
            // A line is written in one go, and shorter than what a pipe may cut.
            for line in printed.split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8(line).unwrap();
                let _ = said.send((Instant::now(), line));
            }
        });
        Self { child, lines, heard: Heard::default() }
    }

    /// Listens until `done` or the end of its output; whether it was `done`.
    fn until(&mut self, deadline: Instant, mut done: impl FnMut(&Heard, &str) -> bool) -> bool {
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok((at, line)) => {
                    self.heard.take(at, &line);
                    if done(&self.heard, &line) {
                        return true;
                    }
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return false,
            }
        }
    }

    /// Waits until it has begun.
    pub(crate) fn begins(&mut self) {
        let begun = self.until(Instant::now() + PATIENCE, |_, line| line == "begun");
        assert!(begun, "the service did not begin");
    }

    /// Waits until it has acknowledged something.
    pub(crate) fn accepts(&mut self) {
        let accepted = self.until(Instant::now() + PATIENCE, |it, _| !it.acknowledged.is_empty());
        assert!(accepted, "the service accepted nothing");
    }

    /// Waits until this has come to its end.
    pub(crate) fn does(&mut self, work: Work) {
        let done = self.until(Instant::now() + PATIENCE, |it, _| it.done.contains_key(&work));
        assert!(done, "no {work} came to its end in {PATIENCE:?}");
    }

    /// Lets it work for so long.
    pub(crate) fn works(&mut self, time: Duration) {
        self.until(Instant::now() + time, |_, _| false);
    }

    /// Waits until it has acknowledged something after `moment`; how long that took. `None` when the
    /// service ended by itself, as it does when nobody can say what became of a commit.
    pub(crate) fn first_after(&mut self, moment: Instant) -> Option<Duration> {
        let deadline = Instant::now() + PATIENCE;
        let found = self.until(deadline, |it, _| it.last.is_some_and(|it| it >= moment));
        assert!(found || Instant::now() < deadline, "nothing was accepted in {PATIENCE:?}");
        self.heard.last.filter(|_| found).map(|it| it - moment)
    }

    /// Kills it; what it had said by then.
    pub(crate) fn kill(mut self) -> Heard {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        while let Ok((at, line)) = self.lines.recv() {
            self.heard.take(at, &line);
        }
        self.heard
    }
}
