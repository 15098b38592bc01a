//! A few deviations from the quiet run, and a look at every one that could follow them.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use super::survey::{Single, deviations, switches};
use super::{Act, At, Candidate, Kind, Strategy, View};

/// States from which every deviation is known already, and those that were found beyond them.
#[derive(Debug, Default)]
pub struct Horizon {
    seen: BTreeSet<u128>,
    /// Those that the run that goes on has added.
    added: Vec<u128>,
    found: Vec<Single>,
}

impl Horizon {
    /// How many states there are.
    pub fn states(&self) -> u64 {
        self.seen.len() as u64
    }

    /// What the last run could have done next, at each point that it passed after its own deviations.
    pub fn take(&mut self) -> Vec<Single> {
        self.added.clear();
        std::mem::take(&mut self.found)
    }

    /// A run begins. If the last one was not taken, it is begun anew: it has not been anywhere.
    fn begin(&mut self) {
        self.found.clear();
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
            ready: Vec::new(),
        }
    }

    /// What could be done here. Inside SQLite nothing is: what lies between two steps is done at once, or not at all.
    fn look(&mut self, at: &At, view: &dyn View) {
        if self.known || matches!(at.kind, Kind::Disk | Kind::DiskSync | Kind::DiskData) {
            return;
        }
        let mut horizon = self.horizon.borrow_mut();
        if let Some(state) = view.state() {
            let here = state ^ u128::from(at.key);
            if !horizon.enters(here) {
                self.known = true;
                return;
            }
        }
        let switches = switches(at.kind, view, &mut self.ready).map(Act::Switch);
        let others = deviations(at.kind, view).into_iter().map(Act::Do);
        let key = at.key;
        let singles = switches.chain(others).map(|act| Single { key, act });
        horizon.found.extend(singles);
    }
}

impl Strategy for Beyond {
    fn is_over(&self) -> bool {
        self.known
    }

    fn decide(&mut self, at: &At, view: &dyn View) -> Option<Act> {
        let Some(next) = self.plan.last() else {
            self.look(at, view);
            return None;
        };
        if next.key != at.key {
            return None;
        }
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

    #[test]
    fn what_follows_a_known_state_is_not_looked_at_again() {
        let horizon = Rc::default();
        assert!(!pass(&horizon));
        assert_eq!(horizon.borrow_mut().take().len(), 2);
        assert!(pass(&horizon));
        assert_eq!(horizon.borrow_mut().take().len(), 0);
        assert_eq!(horizon.borrow().states(), 1);
    }

    /// A run that needs more connections than there are is begun anew.
    #[test]
    fn a_run_that_is_begun_anew_has_not_been_anywhere() {
        let horizon = Rc::default();
        assert!(!pass(&horizon));
        assert!(!pass(&horizon));
        assert_eq!(horizon.borrow_mut().take().len(), 2);
    }
}
