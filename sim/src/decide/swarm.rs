//! Swarm: which kinds of faults are on in a run.

use super::stream;
use crate::fault::Fault;
use crate::label::{below, mix};

/// The kinds of faults that are on in one run; the others are off for the whole of it (Groce et al., ISSTA 2012).
///
/// Faults hide each other: a worker that dies at once never reaches the place where a lost answer would hurt. So most runs
/// have only a few kinds on, out of those that the world allows. Of up to [`FEW_ENOUGH`] kinds each is on in half of the
/// runs, independently, which makes every subset equally likely. Of more, how many is drawn first: none, a few, half or all.
#[derive(Debug)]
pub(super) struct Swarm([bool; Fault::COUNT]);

impl Swarm {
    /// Draws the kinds of the run with this hash.
    pub(super) fn draw(run: u64, allowed: &[Fault]) -> Self {
        let n = allowed.len() as u64;
        let chance = match below(mix(run, stream::SWARM), 8) {
            _ if n <= FEW_ENOUGH => HALF,
            0 => 0,
            1..=4 => u64::MAX / n * A_FEW,
            5 | 6 => HALF,
            _ => u64::MAX,
        };
        let mut on = [false; Fault::COUNT];
        for fault in allowed {
            // The lowest bit alone says half: the draws of small worlds have been that since there were few kinds.
            let bits = Self::bits(run, *fault);
            on[*fault as usize] = match chance {
                HALF => bits & 1 == 1,
                _ => mix(bits, stream::SWARM) < chance,
            };
        }
        Self(on)
    }

    /// Whether a kind is on.
    pub(super) fn has(&self, fault: Fault) -> bool {
        self.0[fault as usize]
    }

    /// Random bits of a kind in a run.
    pub(super) fn bits(run: u64, fault: Fault) -> u64 {
        mix(run, stream::KIND + fault as u64)
    }
}

/// Up to so many kinds, half of them is a few.
const FEW_ENOUGH: u64 = 7;
/// How many kinds a few are, on average.
const A_FEW: u64 = 3;
const HALF: u64 = u64::MAX / 2;

#[cfg(test)]
mod tests {
    use super::{FEW_ENOUGH, Swarm};
    use crate::fault::Fault;
    use crate::label::mix;

    fn sizes(allowed: &[Fault]) -> Vec<usize> {
        let size = |run| {
            let swarm = Swarm::draw(mix(7, run), allowed);
            allowed.iter().filter(|fault| swarm.has(**fault)).count()
        };
        (0..1_000).map(size).collect()
    }

    #[test]
    fn most_runs_of_a_large_world_have_a_few_kinds_on_and_some_have_none_or_all() {
        let sizes = sizes(&Fault::ALL);
        let runs = |least: usize, most: usize| {
            let within = sizes.iter().filter(|size| (least..=most).contains(size));
            within.count()
        };
        assert!(runs(0, 6) > 500, "{}", runs(0, 6));
        assert!(runs(0, 0) > 80, "{}", runs(0, 0));
        assert!(runs(Fault::COUNT, Fault::COUNT) > 80);
    }

    #[test]
    fn every_subset_of_a_few_kinds_is_about_equally_likely() {
        let allowed = &Fault::ALL[..FEW_ENOUGH as usize];
        let mean = sizes(allowed).iter().sum::<usize>() as f64 / 1_000.0;
        assert!((3.3..3.7).contains(&mean), "{mean}");
    }

    #[test]
    fn what_the_world_does_not_allow_is_never_on() {
        for run in 0..100 {
            let swarm = Swarm::draw(mix(3, run), &Fault::ALL[..9]);
            assert!(Fault::ALL[9..].iter().all(|fault| !swarm.has(*fault)));
        }
    }
}
