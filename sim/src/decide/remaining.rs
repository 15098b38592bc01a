//! Uniform random walk over interleavings: each actor weighs as much as it still has to do.

use std::rc::Rc;

use super::{Act, At, Candidate, Kind, Profile, Seeded, Strategy, View, stream};
use crate::label::{below, mix};

/// At every gate the next actor is drawn with the gates left to it after this point in the quiet run as its weight,
/// so that every order of events is about equally likely (Zhao et al., ASPLOS 2025, under the name URW).
#[derive(Debug)]
pub struct Remaining {
    run: u64,
    profile: Rc<Profile>,
    faults: Seeded,
    scratch: Vec<Candidate>,
}

impl Remaining {
    /// Decisions of the run with this hash.
    pub fn new(run: u64, profile: Rc<Profile>) -> Self {
        let faults = Seeded::without_switches(run, &profile);
        Self {
            run,
            profile,
            faults,
            scratch: Vec::new(),
        }
    }

    fn weight(&self, candidate: &Candidate) -> u64 {
        let all = self
            .profile
            .gates
            .get(&candidate.cause)
            .copied()
            .unwrap_or(0);
        u64::from(all.saturating_sub(candidate.passed)).max(1)
    }

    fn walk(&mut self, bits: u64, view: &dyn View) -> Option<Act> {
        self.scratch.clear();
        view.ready(&mut self.scratch);
        if self.scratch.len() < 2 {
            return None;
        }
        let total: u64 = self
            .scratch
            .iter()
            .map(|candidate| self.weight(candidate))
            .sum();
        let mut left = below(bits, total);
        for candidate in &self.scratch {
            let weight = self.weight(candidate);
            if left < weight {
                return (!candidate.current).then_some(Act::Switch(candidate.cause));
            }
            left -= weight;
        }
        None
    }
}

impl Strategy for Remaining {
    fn decide(&mut self, at: &At, view: &dyn View) -> Option<Act> {
        let fault = self.faults.decide(at, view);
        match at.kind {
            Kind::Step | Kind::Disk | Kind::DiskSync | Kind::Wait if fault.is_none() => {
                self.walk(mix(mix(self.run, stream::WALK), at.key), view)
            }
            _ => fault,
        }
    }
}
