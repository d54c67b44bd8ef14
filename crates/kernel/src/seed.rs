//! Randomness as an argument, so that a test, a demo or a simulated city can repeat itself.

use std::sync::{Arc, Mutex, PoisonError};

use chacha20::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};

/// A source of random bytes, cheap to clone (clones share the stream).
///
/// ChaCha20 in both uses: seeded from the operating system it is fit for keys and salts; seeded
/// with a number it repeats itself.
#[derive(Clone)]
pub struct Seed(Arc<Mutex<ChaCha20Rng>>);

impl Seed {
    /// The source that these 32 bytes start. For real use they come from the operating system.
    pub fn from_entropy(entropy: [u8; 32]) -> Self {
        Self(Arc::new(Mutex::new(ChaCha20Rng::from_seed(entropy))))
    }

    /// A source that repeats itself: for tests, demos and simulations only.
    pub fn fixed(number: u64) -> Self {
        Self(Arc::new(Mutex::new(ChaCha20Rng::seed_from_u64(number))))
    }

    /// The next `N` bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// Fills `bytes`.
    pub fn fill(&self, bytes: &mut [u8]) {
        // A panic elsewhere cannot leave the generator half-stepped in a way that matters.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
    }

    /// A number in `0..bound`; 0 when `bound` is 0. The bias is below `bound / 2^64`.
    pub fn below(&self, bound: u64) -> u64 {
        u64::from_be_bytes(self.bytes()).checked_rem(bound).unwrap_or(0)
    }

    /// A source of its own, started from this one: what one part draws does not shift another's.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self::from_entropy(self.bytes())
    }
}

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seed(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_number_gives_the_same_stream_and_another_gives_another() {
        assert_eq!(Seed::fixed(1).bytes::<32>(), Seed::fixed(1).bytes::<32>());
        assert_ne!(Seed::fixed(1).bytes::<32>(), Seed::fixed(2).bytes::<32>());
    }
}
