//! Where the runs of an exhaustive search have been, and who has gone on from there.

use std::collections::{BTreeMap, BTreeSet};

use crate::access::Touched;
use crate::case::Deviation;

/// States from which everything is known already, and what the run that goes on has passed beyond its own deviations.
///
/// What can follow a state does not depend on who brought the run there. So each actor goes on once from each state: by
/// itself, in a run that comes there with as few deviations as any, or else with one deviation more.
#[derive(Debug, Default)]
pub struct Horizon {
    states: BTreeMap<u128, Been>,
    /// Points, each with the state there: what else could strike there is known.
    points: BTreeSet<u128>,
    /// What the run that goes on has added.
    added: Vec<Added>,
    passed: Vec<Passed>,
    touched: Touched,
    /// How much had been touched at the last deviation.
    deviated: usize,
}

/// A state in which a run has been.
#[derive(Debug)]
struct Been {
    /// Deviations on the way there, at least.
    deviations: u64,
    /// Who has gone on from there.
    gone: BTreeSet<u64>,
}

#[derive(Debug)]
enum Added {
    State(u128),
    Gone(u128, u64),
    Point(u128),
}

/// How a run comes to a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    /// No other run has been there.
    First,
    /// Others were there with as many deviations, and whoever goes on here has not gone on there.
    GoesOn,
    /// Everything that can follow is known.
    Known,
}

/// What a run has passed beyond its own deviations.
#[derive(Debug, Default)]
pub struct Tail {
    /// What was touched between its last deviation and the first point at which somebody could go on.
    pub first: Touched,
    /// The points. Behind the last one the run was given up, or came to its end.
    pub points: Vec<Passed>,
    /// What was touched in all of the run.
    pub touched: Touched,
}

/// A point at which something else could have been done.
#[derive(Debug, Clone)]
pub struct Passed {
    /// Its key.
    pub key: u64,
    /// Who went on; 0 where nobody else can.
    pub chosen: u64,
    /// Who else could have, if that is not known.
    pub others: Vec<u64>,
    /// What else could have been done but going on with somebody else, if that is not known.
    pub deviations: Vec<Deviation>,
    /// Nothing else can be done here.
    pub plain: bool,
    /// Nothing can be timed differently here.
    pub calm: bool,
    /// Causes of actors that had ended, as far as anybody had noticed them.
    pub ended: Vec<u64>,
    /// Causes of those who wait for an answer, and for nothing else.
    pub awaiting: Vec<u64>,
    /// The state of the run, if it can be told.
    pub state: Option<u128>,
    /// Virtual time, milliseconds.
    pub now_ms: u64,
    /// What was touched until the next point at which somebody else could have gone on.
    pub touched: Touched,
}

impl Horizon {
    /// How many states there are.
    pub fn states(&self) -> u64 {
        self.states.len() as u64
    }

    /// The fewest deviations with which a run came to a state.
    pub fn deviations_to(&self, state: u128) -> Option<u64> {
        self.states.get(&state).map(|been| been.deviations)
    }

    /// Whether somebody has gone on from a state.
    pub fn has_gone(&self, state: u128, actor: u64) -> bool {
        let been = self.states.get(&state);
        been.is_some_and(|been| been.gone.contains(&actor))
    }

    /// Somebody goes on from a state.
    pub fn goes(&mut self, state: u128, actor: u64) {
        if let Some(been) = self.states.get_mut(&state) {
            been.gone.insert(actor);
        }
    }

    /// It does not, after all.
    pub fn stays(&mut self, state: u128, actor: u64) {
        if let Some(been) = self.states.get_mut(&state) {
            been.gone.remove(&actor);
        }
    }

    /// What the last run has passed.
    pub fn take(&mut self) -> Tail {
        self.added.clear();
        let points = std::mem::take(&mut self.passed);
        let touched = std::mem::take(&mut self.touched);
        // What was touched from the first point on at which somebody else could have gone on stands there.
        let later: usize = points.iter().map(|point| point.touched.len()).sum();
        let first = touched.get(self.deviated..touched.len() - later);
        Tail {
            first: first.unwrap_or_default().to_vec(),
            points,
            touched,
        }
    }

    /// A run begins. If the last one was not taken, it is begun anew: it has not been anywhere.
    pub(super) fn begin(&mut self) {
        self.passed.clear();
        self.touched.clear();
        self.deviated = 0;
        for added in std::mem::take(&mut self.added) {
            match added {
                Added::State(state) => drop(self.states.remove(&state)),
                Added::Gone(state, actor) => self.stays(state, actor),
                Added::Point(point) => drop(self.points.remove(&point)),
            }
        }
    }

    /// Takes note of what was touched since the last point.
    pub fn hear(&mut self, touched: Touched) {
        let last = self
            .passed
            .iter_mut()
            .rev()
            .find(|passed| passed.chosen != 0);
        if let Some(passed) = last {
            passed.touched.extend(touched.iter().cloned());
        }
        self.touched.extend(touched);
    }

    /// The run deviates.
    pub(super) fn deviates(&mut self) {
        self.deviated = self.touched.len();
    }

    /// The run passes a point.
    pub(super) fn pass(&mut self, passed: Passed) {
        self.passed.push(passed);
    }

    /// Whether a run comes to a point in a state for the first time.
    pub(super) fn enters(&mut self, state: u128, key: u64) -> bool {
        let point = state ^ u128::from(key);
        let first = self.points.insert(point);
        if first {
            self.added.push(Added::Point(point));
        }
        first
    }

    /// Whether a run has been at a point in a state.
    pub fn has_passed(&self, state: u128, key: u64) -> bool {
        self.points.contains(&(state ^ u128::from(key)))
    }

    /// A run comes to a state, and somebody would go on by itself.
    pub(super) fn arrives(&mut self, state: u128, chosen: u64, deviations: u64) -> Arrival {
        let Some(been) = self.states.get_mut(&state) else {
            let gone = BTreeSet::from([chosen]);
            self.states.insert(state, Been { deviations, gone });
            self.added.push(Added::State(state));
            return Arrival::First;
        };
        if deviations > been.deviations || !been.gone.insert(chosen) {
            return Arrival::Known;
        }
        self.added.push(Added::Gone(state, chosen));
        Arrival::GoesOn
    }
}
