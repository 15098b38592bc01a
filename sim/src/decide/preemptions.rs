//! A few preemptions, each anywhere in the run, and otherwise nobody is interrupted.

use std::rc::Rc;

use super::{Act, At, Candidate, Kind, Profile, Seeded, Strategy, View, stream};
use crate::label::{below, mix};

/// One to four times in a run somebody is interrupted between two steps, at points drawn from the length of the quiet run; where
/// somebody waits, anybody may go on. Most bugs need few preemptions (Musuvathi and Qadeer, PLDI 2007).
#[derive(Debug)]
pub struct Preemptions {
    run: u64,
    faults: Seeded,
    passed: u64,
    /// The points at which somebody is interrupted.
    at: Vec<u64>,
    scratch: Vec<Candidate>,
}

impl Preemptions {
    /// Decisions of the run with this hash.
    pub fn new(run: u64, profile: &Rc<Profile>) -> Self {
        let points = profile.places_to_switch(false);
        let how_many = 1 + below(mix(run, stream::HOW_MANY), MOST);
        let at = (0..how_many).map(|n| below(mix(run, stream::CHOSEN + n), points));
        Self {
            run,
            faults: Seeded::without_switches(run, profile),
            passed: 0,
            at: at.collect(),
            scratch: Vec::new(),
        }
    }

    fn switch(&mut self, at: &At, view: &dyn View) -> Option<Act> {
        let here = self.passed;
        self.passed += 1;
        if at.kind == Kind::Step && !self.at.contains(&here) {
            return None;
        }
        self.scratch.clear();
        view.ready(&mut self.scratch);
        self.scratch.retain(|candidate| !candidate.current);
        let bits = mix(mix(self.run, stream::SWITCH_TO), at.key);
        let n = self.scratch.len() as u64;
        let oldest = at.kind == Kind::Wait && below(bits, n.max(1)) == 0;
        (n > 0 && !oldest).then(|| Act::Switch(self.scratch[below(bits, n) as usize].cause))
    }
}

/// Most preemptions of a run.
const MOST: u64 = 4;

impl Strategy for Preemptions {
    fn decide(&mut self, at: &At, view: &dyn View) -> Option<Act> {
        let fault = self.faults.decide(at, view);
        match at.kind {
            Kind::Step | Kind::Wait if fault.is_none() => self.switch(at, view),
            _ => fault,
        }
    }
}
