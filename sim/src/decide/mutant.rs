//! What another run did, with something left out and something added.

use std::rc::Rc;

use super::several::{choose, is_allowed};
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
            // What chance has struck beside it counts too.
            Ok(i) => Some(self.deviations[i].act.clone()).filter(|act| is_allowed(act, at, view)),
            Err(_) => self.beside.as_mut()?.decide(at, view),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::Mutant;
    use crate::case::Deviation;
    use crate::decide::{Act, At, Candidate, Kind, Profile, Single, Strategy, View};
    use crate::fault::Fault;
    use crate::label::mix;

    /// Crashes are allowed or are not, and nothing else is.
    struct Crashes(bool);

    impl View for Crashes {
        fn ready(&self, _into: &mut Vec<Candidate>) {}
        fn allows(&self, fault: Fault, _kind: Kind) -> Option<u64> {
            (fault == Fault::Crash && self.0).then_some(1)
        }
        fn now_ms(&self) -> u64 {
            0
        }
        fn next_timer_ms(&self) -> Option<u64> {
            None
        }
        fn slowest_ms(&self) -> u64 {
            0
        }
        fn state(&self) -> Option<u128> {
            None
        }
    }

    /// How many of a hundred mutants of a run with one crash crash there.
    fn crashes(allowed: bool) -> usize {
        let (key, site, kind) = (5, 6, Kind::Step);
        let act = Act::Do(Deviation::Crash);
        let parent = [Single { key, act }];
        let profile = Rc::new(Profile::default());
        let crashes = (0..100).filter(|run| {
            let mut mutant = Mutant::new(mix(1, *run), &parent, &profile);
            let at = At {
                key,
                cause: 0,
                site,
                kind,
            };
            let decided = mutant.decide(&at, &Crashes(allowed));
            decided == Some(Act::Do(Deviation::Crash))
        });
        crashes.count()
    }

    #[test]
    fn most_of_the_parent_is_kept_and_nothing_beyond_what_is_allowed() {
        assert!(crashes(true) > 60, "{}", crashes(true));
        assert_eq!(crashes(false), 0);
    }
}
