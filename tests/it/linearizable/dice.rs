//! Dice that always fall the same way for the same seed.

use lockstep_sim::label::{below, mix};

pub(super) struct Dice(u64, u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed, 0)
    }

    /// A number in `0..n`.
    pub(super) fn below(&mut self, n: usize) -> usize {
        self.1 += 1;
        below(mix(self.0, self.1), n as u64) as usize
    }
}
