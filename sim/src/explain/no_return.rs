//! The point of no return: the first moment from which every continuation fails.
//!
//! A moment is where an event of the failing run begins or returns. Up to there everything is as in the case; then the run goes
//! on quietly, and in many random ways, with what is left of the faults. What fails from one moment on fails from all later
//! ones, so the first is found by halving.

use std::rc::Rc;

use super::Trials;
use crate::decide::{Choice, Draw, Prefix, Profile, Quiet, run_hash};
use crate::run::Ran;
use crate::trace::{Event, Kind};

/// A moment of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Position in the trace.
    pub n: u64,
    /// Index of the event that begins or returns there.
    pub event: usize,
    /// It returns.
    pub returns: bool,
}

/// From where on nothing helps.
#[derive(Debug)]
pub struct NoReturn {
    /// The first such moment; `None` if that is the beginning of the run.
    pub moment: Option<Moment>,
    /// Continuations that were tried from there, all of which fail.
    pub tried: u32,
    /// A run that is the same up to the moment before, and passes.
    pub passing: Option<Box<Ran>>,
}

/// Finds it in a failing run, which is `violated` at this position. `None` if somebody wanted an end.
pub(super) fn find(
    trials: &mut Trials<'_>,
    failing: &Ran,
    violated: u64,
) -> Result<Option<NoReturn>, String> {
    let quiet = trials.stage.run(&mut || Box::<Quiet>::default())?;
    let profile = Rc::new(quiet.profile);
    let moments = moments(failing, violated);
    // Nothing is fixed before the first of them; behind the last one everything has happened.
    let (mut early, mut late) = (0, moments.len());
    while early < late {
        let middle = usize::midpoint(early, late);
        if (trials.stop)() {
            return Ok(None);
        }
        match passing(trials, failing, &profile, position(&moments, middle))? {
            Some(_) => early = middle + 1,
            None => late = middle,
        }
    }
    let before = match early {
        0 => None,
        _ => nearest(trials, failing, &profile, position(&moments, early - 1))?,
    };
    Ok(Some(NoReturn {
        moment: early.checked_sub(1).and_then(|at| moments.get(at)).copied(),
        tried: CONTINUATIONS,
        passing: before.map(Box::new),
    }))
}

/// Where the first `fixed` moments are over.
fn position(moments: &[Moment], fixed: usize) -> u64 {
    fixed.checked_sub(1).map_or(0, |last| moments[last].n)
}

/// Everything that begins or returns up to a position, in order.
fn moments(ran: &Ran, until: u64) -> Vec<Moment> {
    let counts = |event: &Event| {
        !event.idle && !matches!(event.kind, Kind::Switch | Kind::Violation | Kind::Stuck)
    };
    let events = ran.trace.events.iter().enumerate();
    let mut moments: Vec<Moment> = events
        .filter(|(_, event)| counts(event))
        .flat_map(|(index, event)| {
            let at = |n, returns| Moment {
                n,
                event: index,
                returns,
            };
            let end = event.end.filter(|end| *end != event.n);
            [Some(at(event.n, false)), end.map(|end| at(end, true))]
        })
        .flatten()
        .filter(|moment| moment.n < until)
        .collect();
    moments.sort_unstable();
    moments
}

/// A continuation from this position that passes.
fn passing(
    trials: &mut Trials<'_>,
    failing: &Ran,
    profile: &Rc<Profile>,
    until: u64,
) -> Result<Option<Ran>, String> {
    for n in 0..CONTINUATIONS {
        let ran = continuation(trials, failing, profile, until, n)?;
        if passes(trials, &ran) {
            return Ok(Some(ran));
        }
    }
    Ok(None)
}

/// Of all that pass, the one that deviates least, without what it does not need.
fn nearest(
    trials: &mut Trials<'_>,
    failing: &Ran,
    profile: &Rc<Profile>,
    until: u64,
) -> Result<Option<Ran>, String> {
    let mut best: Option<Ran> = None;
    for n in 0..CONTINUATIONS {
        let ran = continuation(trials, failing, profile, until, n)?;
        let is_best = best.as_ref().is_none_or(|best| cost(&ran) < cost(best));
        if is_best && passes(trials, &ran) {
            best = Some(ran);
        }
    }
    let Some(mut best) = best else {
        return Ok(None);
    };
    for point in best.decisions.clone().0.keys() {
        if failing.decisions.0.contains_key(point) {
            continue;
        }
        let mut fewer = best.decisions.clone();
        fewer.0.remove(point);
        let ran = trials.run(&fewer)?;
        if passes(trials, &ran) && cost(&ran) < cost(&best) {
            best = ran;
        }
    }
    Ok(Some(best))
}

/// What else it violates, what it does inside SQLite, what it does at all.
fn cost(ran: &Ran) -> (usize, usize, usize) {
    let inside = ran.decisions.0.keys().filter(|at| at.is_inside_sqlite());
    (ran.violations.len(), inside.count(), ran.decisions.0.len())
}

fn passes(trials: &Trials<'_>, ran: &Ran) -> bool {
    ran.internal.is_none() && !trials.target.is_in(ran)
}

/// The case up to a position, then the quiet way or one of the random ones.
fn continuation(
    trials: &mut Trials<'_>,
    failing: &Ran,
    profile: &Rc<Profile>,
    until: u64,
    n: u32,
) -> Result<Ran, String> {
    let draw = match n {
        0 => Draw::Quiet,
        n => Draw::By(WAYS[n as usize % WAYS.len()], run_hash(0, n.into())),
    };
    trials.runs += 1;
    trials.stage.run(&mut || {
        let then = draw.strategy(profile);
        Box::new(Prefix::new(&failing.decisions, until, then))
    })
}

/// How many ways to go on are tried from one moment.
const CONTINUATIONS: u32 = 100;

/// Which strategies draw them, in turn.
const WAYS: [Choice; 5] = [
    Choice::Deviations,
    Choice::Random,
    Choice::Remaining,
    Choice::Priorities,
    Choice::Preemptions,
];
