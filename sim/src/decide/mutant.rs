//! What another run did, with something left out and something added.

use std::rc::Rc;

use super::several::choose;
use super::{Act, At, Profile, Seeded, Single, Strategy, View, stream};
use crate::label::{below, mix};

/// Most of the deviations of a run that showed something new, one or two others, and in half of the runs chance beside them
/// (feedback, as fuzzers use it; of schedules: Li et al., NSDI 2026, under the name Fest).
#[derive(Debug)]
pub struct Mutant {
    /// Sorted by key.
    deviations: Vec<Single>,
    beside: Option<Seeded>,
}

impl Mutant {
    /// The run with this hash, of this parent.
    pub fn new(run: u64, parent: &[Single], profile: &Rc<Profile>) -> Self {
        // Of most parents nearly everything is kept, of some half.
        let (kept, of) = match below(mix(run, stream::KEEPS), 4) {
            0 => (1, 2),
            _ => (7, 8),
        };
        let keeps = |n: u64| below(mix(run, stream::KEPT + n), of) < kept;
        let mut deviations: Vec<Single> = (0..)
            .zip(parent)
            .filter(|(n, _)| keeps(*n))
            .map(|(_, single)| single.clone())
            .collect();
        let added = below(mix(run, stream::HOW_MANY), 3);
        deviations.extend((0..added).filter_map(|n| choose(mix(run, stream::CHOSEN + n), profile)));
        deviations.sort_by_key(|single| single.key);
        let beside = mix(run, stream::BESIDE).is_multiple_of(2);
        Self {
            deviations,
            beside: beside.then(|| Seeded::new(run, profile)),
        }
    }
}

impl Strategy for Mutant {
    fn decide(&mut self, at: &At, view: &dyn View) -> Option<Act> {
        let known = self
            .deviations
            .binary_search_by_key(&at.key, |single| single.key);
        match known {
            Ok(i) => Some(self.deviations[i].act.clone()),
            Err(_) => self.beside.as_mut()?.decide(at, view),
        }
    }
}
