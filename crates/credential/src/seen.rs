//! What this gate has let through a moment ago.
//!
//! In December 2021 one person could show the codes of two apps at once, and codes were rented
//! out. A proof lives for some seconds, and within these a second telephone can show a picture of
//! it: the gate remembers whom it passed and marks the second showing.

use std::collections::VecDeque;

/// The most showings remembered; the oldest go first. A gate passes one person a second at most, so
/// this covers well over an hour.
pub const CAPACITY: usize = 4096;

/// The passes that went through lately, oldest first. In memory only: a restart forgets them.
#[derive(Debug, Clone, Default)]
pub struct SeenSet {
    shown: VecDeque<Shown>,
}

#[derive(Debug, Clone, Copy)]
struct Shown {
    pass: [u8; 16],
    step: u64,
    at_s: i64,
}

impl SeenSet {
    /// An empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// When `pass` went through: the latest showing that was less than `within_s` seconds from
    /// `now_s`, or that used the very same proof (`step`), however long ago. Paper has no step.
    ///
    /// Distance counts in both directions, so that setting the clock back forgets nothing.
    pub fn find(
        &self,
        pass: &[u8; 16],
        step: Option<u64>,
        now_s: i64,
        within_s: i64,
    ) -> Option<i64> {
        let lately = |at_s: i64| now_s.saturating_sub(at_s).saturating_abs() < within_s;
        let shown = self.shown.iter().rev();
        let mut of_pass = shown.filter(|shown| shown.pass == *pass);
        of_pass.find(|shown| lately(shown.at_s) || step == Some(shown.step)).map(|shown| shown.at_s)
    }

    /// Remembers that `pass` went through at `now_s`.
    pub fn remember(&mut self, pass: [u8; 16], step: Option<u64>, now_s: i64) {
        if CAPACITY <= self.shown.len() {
            self.shown.pop_front();
        }
        // Steps count from 1970, so 0 is free to mean paper.
        self.shown.push_back(Shown { pass, step: step.unwrap_or(0), at_s: now_s });
    }

    /// How many showings are remembered.
    pub fn len(&self) -> usize {
        self.shown.len()
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::{CAPACITY, SeenSet};

    #[test]
    fn a_pass_is_found_until_its_time_is_over_and_a_proof_for_ever() {
        let mut seen = SeenSet::new();
        seen.remember([1; 16], Some(7), 1000);
        assert_eq!(seen.find(&[1; 16], Some(8), 1059, 60), Some(1000));
        assert_eq!(seen.find(&[1; 16], Some(8), 1060, 60), None);
        assert_eq!(seen.find(&[1; 16], Some(8), 941, 60), Some(1000));
        assert_eq!(seen.find(&[1; 16], Some(8), 940, 60), None);
        assert_eq!(seen.find(&[1; 16], Some(7), 999_999, 60), Some(1000));
        assert_eq!(seen.find(&[1; 16], None, 1060, 60), None);
        assert_eq!(seen.find(&[2; 16], Some(7), 1000, 60), None);
    }

    #[test]
    fn the_set_never_grows_beyond_its_capacity() {
        let mut seen = SeenSet::new();
        for number in 0..=u32::try_from(CAPACITY).unwrap() {
            let mut pass = [0; 16];
            pass[..4].copy_from_slice(&number.to_be_bytes());
            seen.remember(pass, None, 1000);
        }
        assert_eq!(seen.len(), CAPACITY);
        assert_eq!(seen.find(&[0; 16], None, 1000, 60), None);
    }
}
