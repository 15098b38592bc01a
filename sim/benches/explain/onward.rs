//! Every way to go on from a moment of a run, with one deviation more at a time.

use std::cell::RefCell;
use std::rc::Rc;

use lockstep_sim::case::Deviation;
use lockstep_sim::decide::{Act, Beyond, Horizon, Prefix, Replay, Single};
use lockstep_sim::run::{Ran, Stage};
use lockstep_sim::trace::{Kind, Trace};

use super::cases::Case;

/// What all ways to go on come to.
pub(super) enum Onward {
    /// All of them fail, and there are no others.
    Fails,
    /// All with up to so many deviations fail; there are others.
    FailsUpTo(u64),
    /// This one passes.
    Passes(Box<Ran>),
}

/// Positions of everything that begins or returns before the violation, and which event that is.
pub(super) fn moments(trace: &Trace, until: u64) -> Vec<(u64, usize)> {
    let mut found = Vec::new();
    for (index, event) in trace.events.iter().enumerate() {
        if event.idle || matches!(event.kind, Kind::Switch | Kind::Violation | Kind::Stuck) {
            continue;
        }
        found.push((event.n, index));
        found.extend(
            event
                .end
                .filter(|end| *end != event.n)
                .map(|end| (end, index)),
        );
    }
    found.retain(|(n, _)| *n < until);
    found.sort_unstable();
    found
}

/// Tries every way to go on from a position, in at most so many runs. What follows a state in which another one has been is not
/// tried again.
pub(super) fn onward(stage: &mut Stage, case: &Case, until: u64, most: u64) -> Onward {
    stage.keep_state(true);
    let horizon = Rc::default();
    let found = try_all(stage, case, until, most, &horizon);
    stage.keep_state(false);
    found
}

fn try_all(
    stage: &mut Stage,
    case: &Case,
    until: u64,
    most: u64,
    horizon: &Rc<RefCell<Horizon>>,
) -> Onward {
    let mut level: Vec<Way> = vec![Way::default()];
    let mut runs = 0;
    for deviations in 0_u64.. {
        let mut next = Vec::new();
        for way in level {
            if !way.sets_out(horizon) {
                continue;
            }
            if runs == most || next.len() > MOST_WAYS {
                return Onward::FailsUpTo(deviations.saturating_sub(1));
            }
            runs += 1;
            let ran = way.run(stage, case, until, horizon);
            if passes(case, &ran) {
                return Onward::Passes(Box::new(ran));
            }
            way.branch(horizon, ran, &mut next);
        }
        if next.is_empty() {
            break;
        }
        level = next;
    }
    Onward::Fails
}

/// A run that deviates so often from what goes on by itself.
#[derive(Default)]
struct Way {
    plan: Vec<Single>,
    /// Where the last deviation lets somebody go on.
    from: Option<(u128, u64)>,
}

impl Way {
    fn sets_out(&self, horizon: &Rc<RefCell<Horizon>>) -> bool {
        let Some((state, actor)) = self.from else {
            return true;
        };
        let mut horizon = horizon.borrow_mut();
        let known = horizon.has_gone(state, actor);
        horizon.goes(state, actor);
        !known
    }

    fn run(
        &self,
        stage: &mut Stage,
        case: &Case,
        until: u64,
        horizon: &Rc<RefCell<Horizon>>,
    ) -> Ran {
        let ran = stage.run(&mut || {
            let then = Box::new(Beyond::new(self.plan.clone(), horizon));
            Box::new(Prefix::new(case.decisions(), until, then))
        });
        ran.expect("a run")
    }

    fn branch(&self, horizon: &Rc<RefCell<Horizon>>, ran: Ran, next: &mut Vec<Self>) {
        horizon.borrow_mut().hear(ran.touched);
        let tail = horizon.borrow_mut().take();
        for point in tail.points {
            let switches = point.others.iter().map(|other| Act::Switch(*other));
            let others = point.deviations.iter().cloned().map(Act::Do);
            for act in switches.chain(others) {
                let from = match act {
                    Act::Switch(actor) => point.state.map(|state| (state, actor)),
                    Act::Do(_) => None,
                };
                let mut plan = self.plan.clone();
                plan.push(Single {
                    key: point.key,
                    act,
                });
                next.push(Self { plan, from });
            }
        }
    }
}

/// The case up to a position, then what another run did.
pub(super) fn goes_on_like(stage: &mut Stage, case: &Case, until: u64, other: &Ran) -> Option<Ran> {
    let ran = stage.run(&mut || {
        let then = Box::new(Replay::new(&other.decisions));
        Box::new(Prefix::new(case.decisions(), until, then))
    });
    Some(ran.expect("a run")).filter(|ran| passes(case, ran))
}

fn passes(case: &Case, ran: &Ran) -> bool {
    ran.internal.is_none() && !case.target().is_in(ran)
}

const MOST_WAYS: usize = 1_000_000;

/// Only its kind is of interest here.
pub(super) fn word(deviation: &Deviation) -> &'static str {
    match deviation {
        Deviation::Switch(_) => "switches",
        Deviation::Take(_) | Deviation::Pick(_) => "durations and choices",
        _ => "faults",
    }
}
