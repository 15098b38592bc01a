//! A few deviations from the quiet run, and a look at every one that could follow them.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use super::survey::{Single, deviations, switches};
use super::{Act, At, Candidate, Kind, Strategy, View};
use crate::access::Touched;
use crate::case::Deviation;

/// States from which every deviation is known already, and what the run that goes on has passed beyond its own deviations.
#[derive(Debug, Default)]
pub struct Horizon {
    seen: BTreeSet<u128>,
    /// Those that the run that goes on has added.
    added: Vec<u128>,
    passed: Vec<Passed>,
    touched: Touched,
    /// How much had been touched at the last deviation.
    deviated: usize,
}

/// What a run has passed beyond its own deviations.
#[derive(Debug, Default)]
pub struct Tail {
    /// What was touched between its last deviation and the first point.
    pub first: Touched,
    /// The points.
    pub points: Vec<Passed>,
    /// What was touched in all of the run.
    pub touched: Touched,
}

/// A point at which something else could have been done.
#[derive(Debug, Clone)]
pub struct Passed {
    /// Its key.
    pub key: u64,
    /// Who went on.
    pub chosen: u64,
    /// Who else could have.
    pub others: Vec<u64>,
    /// What else could have been done but going on with somebody else.
    pub deviations: Vec<Deviation>,
    /// Causes of actors that had ended, as far as anybody had noticed them.
    pub ended: Vec<u64>,
    /// The state of the run was known.
    pub known: bool,
    /// Virtual time, milliseconds.
    pub now_ms: u64,
    /// What was touched until the next point at which somebody else could have gone on.
    pub touched: Touched,
}

impl Horizon {
    /// How many states there are.
    pub fn states(&self) -> u64 {
        self.seen.len() as u64
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
    fn begin(&mut self) {
        self.passed.clear();
        self.touched.clear();
        self.deviated = 0;
        for state in self.added.drain(..) {
            self.seen.remove(&state);
        }
    }

    /// Whether a run comes here for the first time.
    fn enters(&mut self, state: u128) -> bool {
        let first = self.seen.insert(state);
        if first {
            self.added.push(state);
        }
        first
    }
}

/// Carries out deviations in their order, then none. From the last one on it notes what else could be done, until it comes to a
/// state in which somebody has been before: what follows is known.
#[derive(Debug)]
pub struct Beyond {
    /// The next of them is the last one here.
    plan: Vec<Single>,
    horizon: Rc<RefCell<Horizon>>,
    /// It has come to where others have been.
    known: bool,
    /// Everybody who has been seen to live.
    begun: BTreeSet<u64>,
    ready: Vec<Candidate>,
}

impl Beyond {
    /// Carries these out, in this order.
    pub fn new(mut plan: Vec<Single>, horizon: &Rc<RefCell<Horizon>>) -> Self {
        plan.reverse();
        horizon.borrow_mut().begin();
        Self {
            plan,
            horizon: Rc::clone(horizon),
            known: false,
            begun: BTreeSet::new(),
            ready: Vec::new(),
        }
    }

    /// Hears what was touched since the last point, and who lives.
    fn listen(&mut self, view: &dyn View) -> Vec<u64> {
        self.horizon.borrow_mut().hear(view.touched());
        let mut live = Vec::new();
        view.live(&mut live);
        self.begun.extend(&live);
        live
    }

    /// What could be done here. Inside SQLite nothing is: what lies between two steps is done at once, or not at all.
    fn look(&mut self, at: &At, view: &dyn View, live: Vec<u64>) {
        if self.known || matches!(at.kind, Kind::Disk | Kind::DiskSync | Kind::DiskData) {
            return;
        }
        let mut horizon = self.horizon.borrow_mut();
        let state = view.state();
        if let Some(state) = state
            && !horizon.enters(state ^ u128::from(at.key))
        {
            self.known = true;
            return;
        }
        let others: Vec<u64> = switches(at.kind, view, &mut self.ready).collect();
        let chosen = match at.kind {
            Kind::Wait => self.ready.first(),
            _ => self.ready.iter().find(|candidate| candidate.current),
        };
        let chosen = chosen.map(|candidate| candidate.cause);
        let ended = self.begun.iter().filter(|actor| !live.contains(actor));
        horizon.passed.push(Passed {
            key: at.key,
            chosen: chosen.unwrap_or_default(),
            others,
            deviations: deviations(at.kind, view),
            ended: ended.copied().collect(),
            now_ms: view.now_ms(),
            known: state.is_some(),
            touched: Vec::new(),
        });
    }
}

impl Horizon {
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
}

impl Strategy for Beyond {
    fn is_over(&self) -> bool {
        self.known
    }

    fn decide(&mut self, at: &At, view: &dyn View) -> Option<Act> {
        let live = self.listen(view);
        let Some(next) = self.plan.last() else {
            self.look(at, view, live);
            return None;
        };
        if next.key != at.key {
            return None;
        }
        let mut horizon = self.horizon.borrow_mut();
        horizon.deviated = horizon.touched.len();
        self.plan.pop().map(|single| single.act)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::{Beyond, Horizon};
    use crate::decide::anything::Anything;
    use crate::decide::{At, Kind, Strategy};

    fn pass(horizon: &Rc<RefCell<Horizon>>) -> bool {
        let mut run = Beyond::new(Vec::new(), horizon);
        let (key, site, kind) = (1, 2, Kind::Pick(3));
        assert_eq!(run.decide(&At { key, site, kind }, &Anything), None);
        run.is_over()
    }

    /// How many deviations the last run has seen.
    fn singles(horizon: &Rc<RefCell<Horizon>>) -> usize {
        let tail = horizon.borrow_mut().take();
        let points = tail.points.iter();
        points.map(|point| point.deviations.len()).sum()
    }

    #[test]
    fn what_follows_a_known_state_is_not_looked_at_again() {
        let horizon = Rc::default();
        assert!(!pass(&horizon));
        assert_eq!(singles(&horizon), 2);
        assert!(pass(&horizon));
        assert_eq!(singles(&horizon), 0);
        assert_eq!(horizon.borrow().states(), 1);
    }

    /// A run that needs more connections than there are is begun anew.
    #[test]
    fn a_run_that_is_begun_anew_has_not_been_anywhere() {
        let horizon = Rc::default();
        assert!(!pass(&horizon));
        assert!(!pass(&horizon));
        assert_eq!(singles(&horizon), 2);
    }
}
