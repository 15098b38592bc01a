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

/// Finds it in a failing run. `None` if somebody wanted an end.
pub(super) fn find(trials: &mut Trials<'_>, failing: &Ran) -> Result<Option<NoReturn>, String> {
    let quiet = trials.stage.run(&mut || Box::<Quiet>::default())?;
    let profile = Rc::new(quiet.profile);
    let moments = moments(failing);
    // Nothing is fixed before the first of them; behind the last one everything has happened.
    let (mut early, mut late) = (0, moments.len());
    while early < late {
        let middle = usize::midpoint(early, late);
        if (trials.stop)() {
            return Ok(None);
        }
        match passing(trials, failing, &profile, position(&moments, middle), false)? {
            Some(_) => early = middle + 1,
            None => late = middle,
        }
    }
    let before = match early {
        0 => None,
        _ => passing(trials, failing, &profile, position(&moments, early - 1), true)?,
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

/// Everything that begins or returns up to the last violation, in order.
fn moments(ran: &Ran) -> Vec<Moment> {
    let last = |kind| ran.trace.events.iter().rfind(|event| event.kind == kind);
    let until = last(Kind::Violation).map_or(u64::MAX, |event| event.n);
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

/// A continuation from this position that passes: any, or the one of all that deviates least.
fn passing(
    trials: &mut Trials<'_>,
    failing: &Ran,
    profile: &Rc<Profile>,
    until: u64,
    nearest: bool,
) -> Result<Option<Ran>, String> {
    let mut best: Option<Ran> = None;
    for n in 0..CONTINUATIONS {
        let draw = match n {
            0 => Draw::Quiet,
            n => Draw::By(WAYS[n as usize % WAYS.len()], run_hash(0, n.into())),
        };
        trials.runs += 1;
        let ran = trials.stage.run(&mut || {
            let then = draw.strategy(profile);
            Box::new(Prefix::new(&failing.decisions, until, then))
        })?;
        if ran.internal.is_some() || trials.target.is_in(&ran) {
            continue;
        }
        if !nearest {
            return Ok(Some(ran));
        }
        let cost = |ran: &Ran| (ran.violations.len(), ran.decisions.0.len());
        if best.as_ref().is_none_or(|best| cost(&ran) < cost(best)) {
            best = Some(ran);
        }
    }
    Ok(best)
}

/// How many ways to go on are tried from one moment.
const CONTINUATIONS: u32 = 60;

/// Which strategies draw them, in turn.
const WAYS: [Choice; 4] = [
    Choice::Deviations,
    Choice::Random,
    Choice::Remaining,
    Choice::Preemptions,
];
