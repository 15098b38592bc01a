//! A few deviations from the quiet run, and a look at every one that could follow them.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use super::survey::{Single, deviations, switches};
use super::{Act, At, Candidate, Kind, Strategy, View};
use crate::case::Deviation;
use crate::run::access::Access;

/// States from which every deviation is known already, and what the run that goes on has passed beyond its own deviations.
#[derive(Debug, Default)]
pub struct Horizon {
    seen: BTreeSet<u128>,
    /// Those that the run that goes on has added.
    added: Vec<u128>,
    passed: Vec<Passed>,
    touched: Vec<(u64, Access)>,
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
    /// Causes of all actors that had begun and had not ended.
    pub live: Vec<u64>,
    /// Causes of those that had ended, as far as anybody had noticed them.
    pub ended: Vec<u64>,
    /// The state of the run was known.
    pub known: bool,
    /// What the one who went on has touched until the next point at which somebody else could have.
    pub touched: Vec<Access>,
}

impl Horizon {
    /// How many states there are.
    pub fn states(&self) -> u64 {
        self.seen.len() as u64
    }

    /// What the last run has passed, and what actors have touched in it.
    pub fn take(&mut self) -> (Vec<Passed>, Vec<(u64, Access)>) {
        self.added.clear();
        (
            std::mem::take(&mut self.passed),
            std::mem::take(&mut self.touched),
        )
    }

    /// A run begins. If the last one was not taken, it is begun anew: it has not been anywhere.
    fn begin(&mut self) {
        self.passed.clear();
        self.touched.clear();
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
    /// Whoever goes on since the last point at which somebody else could have, if that is one that it has passed.
    going: Option<u64>,
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
            going: None,
            begun: BTreeSet::new(),
            ready: Vec::new(),
        }
    }

    /// Hears what was touched since the last point, and who lives.
    fn listen(&mut self, at: &At, view: &dyn View) -> Vec<u64> {
        self.horizon.borrow_mut().hear(self.going, view.touched());
        if matches!(at.kind, Kind::Step | Kind::Wait) {
            self.going = None;
        }
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
        if matches!(at.kind, Kind::Step | Kind::Wait) {
            self.going = chosen;
        }
        let ended = self.begun.iter().filter(|actor| !live.contains(actor));
        horizon.passed.push(Passed {
            key: at.key,
            chosen: chosen.unwrap_or_default(),
            others,
            deviations: deviations(at.kind, view),
            ended: ended.copied().collect(),
            live,
            known: state.is_some(),
            touched: Vec::new(),
        });
    }
}

impl Horizon {
    fn hear(&mut self, going: Option<u64>, touched: Vec<(u64, Access)>) {
        if let (Some(going), Some(passed)) = (going, self.at_scheduling()) {
            let own = touched.iter().filter(|(actor, _)| *actor == going);
            passed.touched.extend(own.map(|(_, access)| access.clone()));
        }
        self.touched.extend(touched);
    }

    /// The last point at which somebody else could go on.
    fn at_scheduling(&mut self) -> Option<&mut Passed> {
        self.passed
            .iter_mut()
            .rev()
            .find(|passed| passed.chosen != 0)
    }

    /// What was touched after the last point of a run, which was taken by now.
    pub fn hear_the_rest(&mut self, touched: Vec<(u64, Access)>) {
        let going = self.at_scheduling().map(|passed| passed.chosen);
        self.hear(going, touched);
    }
}

impl Strategy for Beyond {
    fn is_over(&self) -> bool {
        self.known
    }

    fn decide(&mut self, at: &At, view: &dyn View) -> Option<Act> {
        let live = self.listen(at, view);
        let Some(next) = self.plan.last() else {
            self.look(at, view, live);
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

    /// How many deviations the last run has seen.
    fn singles(horizon: &Rc<RefCell<Horizon>>) -> usize {
        let (passed, _) = horizon.borrow_mut().take();
        passed.iter().map(|passed| passed.deviations.len()).sum()
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
