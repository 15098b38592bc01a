//! Things that runs show, and the chance that the next run shows one for the first time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::label::mix;

/// Things that are kept apart. Beyond that those with the smallest hashes stand for all of them.
const MOST: usize = 1 << 17;

/// Which runs showed a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    runs: u64,
    /// The run, if it was one.
    by: u64,
}

/// A set of things, each known by a hash, with what the estimate needs. It does not depend on the order of adding.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Orders {
    seen: BTreeMap<u64, Seen>,
}

impl Orders {
    /// Run `by` showed this thing. It must say so once.
    pub fn add(&mut self, by: u64, thing: u64) {
        self.put(mix(thing, 0), Seen { runs: 1, by });
    }

    /// Adds what other runs showed.
    pub fn absorb(&mut self, other: Self) {
        for (thing, seen) in other.seen {
            self.put(thing, seen);
        }
    }

    fn put(&mut self, thing: u64, seen: Seen) {
        let known = self.seen.entry(thing).or_insert(Seen {
            runs: 0,
            by: seen.by,
        });
        known.runs += seen.runs;
        known.by = known.by.min(seen.by);
        if self.seen.len() > MOST {
            self.seen.pop_last();
        }
    }

    /// How many different things were seen; the most that are kept apart means that or more.
    pub fn distinct(&self) -> u64 {
        self.seen.len() as u64
    }

    /// The chance that one more run shows something new, after so many runs: the share of runs without which something would
    /// not have been seen (Good and Turing's estimate, with a run as the unit).
    ///
    /// Beyond the most that are kept apart it is taken from those that are kept: as good when each run shows one thing,
    /// too low when runs show many.
    pub fn next_is_new(&self, runs: u64) -> f64 {
        let mut only: Vec<u64> = self
            .seen
            .values()
            .filter(|seen| seen.runs == 1)
            .map(|seen| seen.by)
            .collect();
        only.sort_unstable();
        only.dedup();
        let shown: u64 = self.seen.values().map(|seen| seen.runs).sum();
        match runs.min(shown) {
            0 => 1.0,
            of => only.len() as f64 / of as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST, Orders};
    use crate::label::{below, mix};

    fn of(shows: &[(u64, &[u64])]) -> Orders {
        let mut orders = Orders::default();
        for (run, things) in shows {
            things.iter().for_each(|thing| orders.add(*run, *thing));
        }
        orders
    }

    #[test]
    fn a_run_counts_once_however_much_only_it_has_seen() {
        let orders = of(&[(1, &[7, 8, 9]), (2, &[7]), (3, &[7]), (4, &[6, 7])]);
        assert_eq!(orders.distinct(), 4);
        assert!((orders.next_is_new(4) - 0.5).abs() < 1e-9);
        assert!((Orders::default().next_is_new(0) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn parts_may_come_in_any_order() {
        let runs: Vec<(u64, Vec<u64>)> = (0..60)
            .map(|run| {
                (
                    run,
                    (0..5)
                        .map(|i| below(mix(run, i), 90))
                        .collect::<std::collections::BTreeSet<_>>()
                        .into_iter()
                        .collect(),
                )
            })
            .collect();
        let part = |range: std::ops::Range<usize>| {
            of(&runs[range]
                .iter()
                .map(|(run, things)| (*run, &things[..]))
                .collect::<Vec<_>>())
        };
        let whole = part(0..60);
        let (mut one, mut other) = (part(40..60), part(0..25));
        one.absorb(part(25..40));
        one.absorb(part(0..25));
        other.absorb(part(25..40));
        other.absorb(part(40..60));
        assert_eq!(one, whole);
        assert_eq!(other, whole);
    }

    #[test]
    fn the_estimate_is_what_comes_next() {
        // Things with very different chances: the next thousand runs show whether the estimate of the first thousand is right.
        let draw = |run: u64| {
            let x = below(mix(run, 3), 1 << 20) as f64 / f64::from(1 << 20);
            (1.0 / (x + 0.0005)) as u64
        };
        let mut orders = Orders::default();
        (0..1000).for_each(|run| orders.add(run, draw(run)));
        let known: std::collections::BTreeSet<u64> = (0..1000).map(draw).collect();
        let new = (1000..11_000)
            .filter(|run| !known.contains(&draw(*run)))
            .count();
        let (told, came) = (orders.next_is_new(1000), new as f64 / 10_000.0);
        assert!((told - came).abs() < 0.02, "told {told}, came {came}");
    }

    #[test]
    fn it_stays_bounded_and_goes_on_to_tell_the_truth() {
        let mut orders = Orders::default();
        let runs = 3 * MOST as u64;
        // Half of the runs show something of their own, the others one of a hundred things.
        (0..runs).for_each(|run| orders.add(run, if run % 2 == 0 { run } else { run % 200 }));
        assert_eq!(orders.distinct(), MOST as u64);
        assert!(
            (orders.next_is_new(runs) - 0.5).abs() < 0.2,
            "{}",
            orders.next_is_new(runs)
        );
    }
}
