//! Probabilistic concurrency testing: the actor with the highest priority goes on, and a few times in a run somebody falls.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::{Act, At, Candidate, Kind, Profile, Seeded, Strategy, View, stream};
use crate::label::{below, mix};

/// Each actor has a random priority, and of those who could go on the highest does. At a few points, drawn from the length of the
/// quiet run, the one who stands there falls below everybody else. A bug that needs `d` things in order is found with a chance
/// of at least 1 / (n·k^(d-1)) in a run of `n` actors and `k` points that lets `d - 1` fall (Burckhardt et al., ASPLOS 2010, under
/// the name PCT). How many fall is drawn for the run, because nobody knows `d`.
#[derive(Debug)]
pub struct Priorities {
    run: u64,
    faults: Seeded,
    /// Points inside SQLite count too.
    inside: bool,
    passed: u64,
    /// The points at which somebody falls.
    falls_at: Vec<u64>,
    /// Who fell, and how many had fallen before.
    fallen: BTreeMap<u64, usize>,
    scratch: Vec<Candidate>,
}

impl Priorities {
    /// Decisions of the run with this hash.
    pub fn new(run: u64, profile: &Rc<Profile>) -> Self {
        let inside = mix(run, stream::INSIDE).is_multiple_of(4);
        let points = profile.places_to_switch(inside);
        let falls = 1 + below(mix(run, stream::HOW_MANY), DEEPEST - 1);
        let falls_at = (0..falls).map(|n| below(mix(run, stream::CHOSEN + n), points));
        Self {
            run,
            faults: Seeded::without_switches(run, profile),
            inside,
            passed: 0,
            falls_at: falls_at.collect(),
            fallen: BTreeMap::new(),
            scratch: Vec::new(),
        }
    }

    fn priority(&self, candidate: &Candidate) -> (bool, u64) {
        match self.fallen.get(&candidate.cause) {
            Some(before) => (false, u64::MAX - *before as u64),
            None => (true, mix(mix(self.run, stream::PRIORITY), candidate.cause)),
        }
    }

    fn highest(&mut self, kind: Kind, view: &dyn View) -> Option<Act> {
        self.scratch.clear();
        view.ready(&mut self.scratch);
        let here = self.passed;
        self.passed += 1;
        if self.falls_at.contains(&here)
            && let Some(current) = self.scratch.iter().find(|candidate| candidate.current)
        {
            self.fallen.insert(current.cause, self.fallen.len());
        }
        let highest = self
            .scratch
            .iter()
            .max_by_key(|candidate| self.priority(candidate))?;
        // Where somebody waits, the oldest goes on by itself.
        let stays = match kind {
            Kind::Wait => self.scratch.first().map(|oldest| oldest.cause) == Some(highest.cause),
            _ => highest.current,
        };
        (!stays).then_some(Act::Switch(highest.cause))
    }
}

/// Most things in order that are aimed at.
const DEEPEST: u64 = 6;

impl Strategy for Priorities {
    fn decide(&mut self, at: &At, view: &dyn View) -> Option<Act> {
        let fault = self.faults.decide(at, view);
        match at.kind {
            Kind::Disk | Kind::DiskSync if !self.inside => fault,
            Kind::Step | Kind::Disk | Kind::DiskSync | Kind::Wait if fault.is_none() => {
                self.highest(at.kind, view)
            }
            _ => fault,
        }
    }
}
