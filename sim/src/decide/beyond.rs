//! A few deviations from the quiet run, and a look at every one that could follow them.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use super::horizon::{Arrival, Horizon, Passed};
use super::spread::dawdling;
use super::survey::{Single, deviations, switches};
use super::{Act, At, Candidate, Kind, Strategy, View};

/// Carries out deviations in their order, then none. From the last one on it notes what else could be done, until it comes to a
/// state in which somebody has been before: what follows is known.
#[derive(Debug)]
pub struct Beyond {
    /// The next of them is the last one here.
    plan: Vec<Single>,
    /// How many there are.
    deviations: u64,
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
            deviations: plan.len() as u64,
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
    fn look(&mut self, at: &At, view: &dyn View, live: &[u64]) {
        if self.known || matches!(at.kind, Kind::Disk | Kind::DiskSync | Kind::DiskData) {
            return;
        }
        let mut passed = self.point(at, view, live);
        self.arrive(&mut passed);
        self.horizon.borrow_mut().pass(passed);
    }

    fn point(&mut self, at: &At, view: &dyn View, live: &[u64]) -> Passed {
        let others = switches(at.kind, view, &mut self.ready).collect();
        let chosen = match at.kind {
            Kind::Wait => self.ready.first(),
            _ => self.ready.iter().find(|candidate| candidate.current),
        };
        let deviations = deviations(at.kind, view);
        let mut awaiting = Vec::new();
        view.awaiting(&mut awaiting);
        let ended = self.begun.iter().filter(|actor| !live.contains(actor));
        Passed {
            key: at.key,
            chosen: chosen.map_or(0, |candidate| candidate.cause),
            others,
            plain: deviations.is_empty(),
            deviations,
            calm: dawdling(view).is_none(),
            ended: ended.copied().collect(),
            awaiting,
            now_ms: view.now_ms(),
            state: view.state(),
            touched: Vec::new(),
        }
    }

    /// What is known of a point in its state need not be looked at again.
    fn arrive(&mut self, passed: &mut Passed) {
        let Some(state) = passed.state else { return };
        let mut horizon = self.horizon.borrow_mut();
        let is_new = horizon.enters(state, passed.key);
        let arrival = match passed.chosen {
            0 if is_new => Arrival::First,
            0 => Arrival::Known,
            chosen => horizon.arrives(state, chosen, self.deviations),
        };
        self.known = arrival == Arrival::Known;
        if arrival != Arrival::First {
            passed.others.clear();
        }
        if !is_new {
            passed.deviations.clear();
        }
    }
}

impl Strategy for Beyond {
    fn is_over(&self) -> bool {
        self.known
    }

    fn decide(&mut self, at: &At, view: &dyn View) -> Option<Act> {
        let live = self.listen(view);
        let Some(next) = self.plan.last() else {
            self.look(at, view, &live);
            return None;
        };
        if next.key != at.key {
            return None;
        }
        self.horizon.borrow_mut().deviates();
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
        let (key, cause, site, kind) = (1, 0, 2, Kind::Pick(3));
        let at = At {
            key,
            cause,
            site,
            kind,
        };
        assert_eq!(run.decide(&at, &Anything), None);
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
        assert_eq!(horizon.borrow().states(), 0);
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
