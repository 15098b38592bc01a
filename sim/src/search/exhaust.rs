//! The exhaustive search: every run with no deviation from the quiet one, then every run with one, with two and so on.
//!
//! Runs are tried in the order of how much deviates in them, so what is found first is found with as few deviations as there can
//! be. Where a run comes to a state in which another has been with no more of them ([`crate::decide::View::state`]), what
//! follows is known, and nothing is tried from there on: two orders of things that do not touch each other are one. Where it is
//! known beforehand that a run would only come to such a state, it is not made ([`super::diamond`]).

mod node;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use self::node::{Departure, Node, deviates, switches};
use super::diamond::{Diamonds, Leg};
use super::independence::Independence;
use super::{Plan, Searched, search};
use crate::access::{Access, Touched};
use crate::decide::{Act, Beyond, Horizon, Passed, Replay, Tail};
use crate::run::{Ran, Stage};

/// How far an exhaustive search has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exhausted {
    /// Every run with so many deviations was tried, if any number was.
    pub deviations: Option<u64>,
    /// There are no runs with more.
    pub complete: bool,
    /// States that runs have been in, where they could be told.
    pub states: u64,
    /// Runs that are known to be left, with one deviation more.
    pub frontier: u64,
}

/// Runs that wait to be tried take memory; beyond so many the search ends as if its budget were spent.
const LARGEST_FRONTIER: usize = 4_000_000;

/// Long runs take longer: a search ends after so many events, whatever its budget of runs. That is about twenty seconds.
const MOST_EVENTS: usize = 3_000_000;

/// How far it is to go.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Most deviations in a run.
    pub deviations: u64,
    /// What follows a state in which another run has been is not tried again. Without this only where a run ends counts.
    pub by_state: bool,
    /// Where whoever goes on touches nothing that anybody else does, nobody else is tried ([`super::independence`]). Only by state.
    pub independence: bool,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            deviations: u64::MAX,
            by_state: true,
            independence: true,
        }
    }
}

/// Tries every run, with one deviation more at a time. `stop` is asked between runs.
///
/// # Errors
/// In words, when the stage cannot run.
pub fn exhaust(
    stage: &mut Stage,
    plan: &Plan<'_>,
    bounds: Bounds,
    stop: &mut dyn FnMut() -> bool,
) -> Result<Searched, String> {
    try_every(stage, plan, bounds, stop, &mut |_| ())
}

/// The same, and shows each run.
///
/// # Errors
/// In words, when the stage cannot run.
pub(super) fn every(
    stage: &mut Stage,
    plan: &Plan<'_>,
    bounds: Bounds,
    see: &mut dyn FnMut(&Ran),
) -> Result<Searched, String> {
    try_every(stage, plan, bounds, &mut || false, see)
}

fn try_every(
    stage: &mut Stage,
    plan: &Plan<'_>,
    bounds: Bounds,
    stop: &mut dyn FnMut() -> bool,
    see: &mut dyn FnMut(&Ran),
) -> Result<Searched, String> {
    stage.forget_goals();
    let independence = match bounds.by_state && bounds.independence {
        true => Some(Independence::of(&stage.schema()?)?),
        false => None,
    };
    stage.keep_state(bounds.by_state);
    let mut exhaustion = Exhaustion {
        plan,
        horizon: Rc::default(),
        seen: BTreeSet::new(),
        found: Searched::default(),
        reached: Exhausted::default(),
        events: 0,
        next: vec![Rc::new(Node::quiet())],
        independence,
        diamonds: Diamonds::default(),
        foreseen: Vec::new(),
        passed_over: Vec::new(),
        see,
    };
    let done = (0..=bounds.deviations)
        .try_for_each(|deviations| exhaustion.level(deviations, stage, stop));
    stage.keep_state(false);
    match done {
        Err(Ended::Badly(words)) => Err(words),
        Ok(()) | Err(Ended::Early | Ended::Complete) => Ok(exhaustion.end()),
    }
}

/// Tries every run, as far as the budget of an exhaustive search goes, and unless that has seen what it was to see, searches at random
/// after that: inside SQLite, and with durations of any length. `stop` is asked between runs.
///
/// # Errors
/// In words, when the stage cannot run.
pub fn thorough(
    stage: &mut Stage,
    plan: &Plan<'_>,
    stop: &mut dyn FnMut() -> bool,
) -> Result<Searched, String> {
    let every = Plan {
        runs: plan.runs.max(EXHAUSTIVE_RUNS),
        ..*plan
    };
    let tried = exhaust(stage, &every, Bounds::default(), stop)?;
    if tried.ends(plan.expect) || stop() {
        return Ok(tried);
    }
    let drawn = search(stage, plan, stop)?;
    Ok(tried.followed_by(drawn))
}

/// Runs of an exhaustive search, unless the scenario has more.
const EXHAUSTIVE_RUNS: u64 = 100_000;

/// Why there is no level after this one.
enum Ended {
    /// Everything was tried.
    Complete,
    /// It was told to stop, has seen what it was to see, or has spent its budget.
    Early,
    /// The stage cannot run.
    Badly(String),
}

struct Exhaustion<'a> {
    plan: &'a Plan<'a>,
    horizon: Rc<RefCell<Horizon>>,
    seen: BTreeSet<u128>,
    found: Searched,
    reached: Exhausted,
    /// Of all runs.
    events: usize,
    /// Runs with one deviation more.
    next: Vec<Rc<Node>>,
    independence: Option<Independence>,
    diamonds: Diamonds,
    /// Runs of which it was known where they come to.
    foreseen: Vec<Rc<Node>>,
    /// Points at which some could have gone on who need not be tried, as far as is known.
    passed_over: Vec<PassedOver>,
    see: &'a mut dyn FnMut(&Ran),
}

/// A point at which some were not tried.
struct PassedOver {
    node: Rc<Node>,
    point: Passed,
    left: Vec<u64>,
    /// They could have been tried at the last deviation just as well, as long as nobody meets this.
    idle: Vec<Rc<Touched>>,
}

impl Exhaustion<'_> {
    /// Tries all runs with so many deviations.
    fn level(
        &mut self,
        deviations: u64,
        stage: &mut Stage,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<(), Ended> {
        let mut level = std::mem::take(&mut self.next);
        while !level.is_empty() {
            self.try_all(&level, stage, stop)?;
            level = self.look_again();
        }
        self.reached.deviations = Some(deviations);
        self.reached.complete = self.next.is_empty();
        match self.reached.complete {
            true => Err(Ended::Complete),
            false => Ok(()),
        }
    }

    fn try_all(
        &mut self,
        level: &[Rc<Node>],
        stage: &mut Stage,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<(), Ended> {
        for (i, node) in level.iter().enumerate() {
            self.reached.frontier = (level.len() - i + self.next.len()) as u64;
            if self.found.runs > 0 && (self.is_spent() || self.is_stopped(stop)) {
                return Err(Ended::Early);
            }
            if self.sets_out(node) {
                self.try_one(stage, node).map_err(Ended::Badly)?;
            }
            self.reached.frontier = (level.len() - i - 1 + self.next.len()) as u64;
            if self.found.ends(self.plan.expect) {
                return Err(Ended::Early);
            }
        }
        Ok(())
    }

    /// Whether a run has to be made: not where somebody else has gone on like it from the state of its last deviation, and not
    /// where it would only come to what is known.
    fn sets_out(&mut self, node: &Rc<Node>) -> bool {
        let Some(Departure { state, actor, .. }) = node.departure() else {
            return true;
        };
        if self.horizon.borrow().has_gone(state, actor) {
            return false;
        }
        self.horizon.borrow_mut().goes(state, actor);
        let Some(independence) = &mut self.independence else {
            return true;
        };
        let mut meet = |one: &[Access], other: &[Access]| independence.meet(one, other);
        let Some(leg) = self.diamonds.predict(state, actor, &mut meet) else {
            return true;
        };
        let is_known = self.is_known(node, actor, &leg);
        if is_known {
            self.foreseen.push(Rc::clone(node));
        }
        !is_known
    }

    /// Whether everything is known that can follow a run that ends a leg like this.
    fn is_known(&self, node: &Node, actor: u64, leg: &Leg) -> bool {
        let horizon = self.horizon.borrow();
        let has_gone = || leg.chosen == actor && horizon.has_gone(leg.to, actor);
        let deviations = horizon.deviations_to(leg.to);
        deviations.is_some_and(|deviations| deviations < node.deviations() || has_gone())
    }

    /// Runs that have to be tried after all, because actors have touched more than was known.
    fn look_again(&mut self) -> Vec<Rc<Node>> {
        let mut late = Vec::new();
        let Some(independence) = &mut self.independence else {
            return late;
        };
        if independence.meets_more() {
            self.diamonds.forget();
            late.append(&mut self.foreseen);
            let mut horizon = self.horizon.borrow_mut();
            let departures = late.iter().filter_map(|node| node.departure());
            departures.for_each(|from| horizon.stays(from.state, from.actor));
        }
        if !independence.has_grown() {
            return late;
        }
        for passed in &mut self.passed_over {
            let is_idle = |it: &Rc<Touched>| independence.is_private(it);
            if !passed.idle.is_empty() && passed.idle.iter().all(is_idle) {
                continue;
            }
            let needed = independence.needed(&passed.point);
            let now = passed.left.extract_if(.., |other| needed.contains(other));
            let now: Vec<u64> = now.collect();
            late.extend(switches(&passed.node, &passed.point, &now));
        }
        self.passed_over.retain(|passed| !passed.left.is_empty());
        late
    }

    fn is_spent(&self) -> bool {
        self.found.runs >= self.plan.runs
            || self.events > MOST_EVENTS
            || self.next.len() + self.passed_over.len() > LARGEST_FRONTIER
    }

    /// What was exhausted by then holds.
    fn is_stopped(&mut self, stop: &mut dyn FnMut() -> bool) -> bool {
        let stopped = stop();
        self.found.cut = stopped && self.reached.deviations.is_none_or(|done| done == 0);
        stopped
    }

    fn try_one(&mut self, stage: &mut Stage, node: &Rc<Node>) -> Result<(), String> {
        let horizon = &self.horizon;
        let mut ran = stage.run(&mut || Box::new(Beyond::new(node.plan(), horizon)))?;
        self.horizon
            .borrow_mut()
            .hear(std::mem::take(&mut ran.touched));
        self.branch(node);
        if ran.abandoned && !ran.violations.is_empty() {
            // A case is a whole run.
            let decisions = std::mem::take(&mut ran.decisions);
            ran = stage.run(&mut || Box::new(Replay::new(&decisions)))?;
        }
        self.events += ran.trace.events.len();
        if !ran.abandoned {
            self.seen.insert(ran.hash);
        }
        let run = self.found.runs;
        (self.see)(&ran);
        self.found.take(self.plan.seed, run, &ran);
        self.found.uncaught.take(ran.endings);
        Ok(())
    }

    /// What could have been done in the last run beyond its own deviations.
    fn branch(&mut self, node: &Rc<Node>) {
        let mut tail = self.horizon.borrow_mut().take();
        if let Some(independence) = &mut self.independence {
            independence.note(std::mem::take(&mut tail.touched));
            self.learn(node, &tail);
        }
        let mut idle = Some(vec![Rc::new(tail.first)]);
        for point in tail.points {
            let needed = self.needed(node, &point, &mut idle);
            self.next.extend(switches(node, &point, &needed));
            let others = point.deviations.iter().cloned().map(Act::Do);
            self.next
                .extend(others.map(|act| deviates(node, &point, act)));
        }
    }

    /// The legs of the last run.
    fn learn(&mut self, node: &Node, tail: &Tail) {
        let mut from = node.departure();
        let mut touched = &tail.first;
        for point in &tail.points {
            if point.chosen == 0 {
                // Something else can be done on the way.
                from = from.filter(|_| point.plain && point.state.is_some());
                continue;
            }
            if let (Some(from), Some(leg)) = (from, Leg::to(point, touched))
                && from.now_ms == point.now_ms
            {
                self.diamonds.learn(from.state, from.actor, leg);
            }
            from = point.state.map(|state| Departure {
                state,
                actor: point.chosen,
                now_ms: point.now_ms,
            });
            touched = &point.touched;
        }
    }

    /// Who has to be tried at a point. As long as those who have gone on since the last switch have touched nothing of anybody's
    /// (`idle` is what they have touched), whoever could have gone on at that switch need not be tried now.
    fn needed(
        &mut self,
        node: &Rc<Node>,
        point: &Passed,
        idle: &mut Option<Vec<Rc<Touched>>>,
    ) -> Vec<u64> {
        let Some(independence) = &mut self.independence else {
            return point.others.clone();
        };
        let could_go = node.could_go(point.now_ms);
        let mut is_idle = |it: &Rc<Touched>| independence.is_private(it);
        if point.state.is_none() || could_go.is_empty() || !idle.iter().flatten().all(&mut is_idle)
        {
            *idle = None;
        }
        let is_early = |other: &u64| idle.is_some() && could_go.contains(other);
        let (early, others): (Vec<u64>, Vec<u64>) =
            point.others.iter().partition(|it| is_early(it));
        let mut needed = independence.needed(point);
        needed.retain(|other| !early.contains(other));
        let late: Vec<u64> = others
            .into_iter()
            .filter(|it| !needed.contains(it))
            .collect();
        for (left, idle) in [(late, None), (early, idle.clone())] {
            if !left.is_empty() {
                self.passed_over.push(PassedOver {
                    node: Rc::clone(node),
                    point: point.clone(),
                    left,
                    idle: idle.unwrap_or_default(),
                });
            }
        }
        if let Some(idle) = idle.as_mut().filter(|_| !point.touched.is_empty()) {
            idle.push(Rc::new(point.touched.clone()));
        }
        needed
    }

    fn end(self) -> Searched {
        let states = self.horizon.borrow().states();
        Searched {
            distinct: self.seen.len() as u64,
            exhausted: Some(Exhausted {
                states,
                ..self.reached
            }),
            ..self.found
        }
    }
}
