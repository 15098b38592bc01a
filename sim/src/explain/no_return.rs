//! The point of no return: the first moment from which every continuation fails.
//!
//! A moment is where an event of the failing run begins or returns. Up to there everything is as in the case; then the run goes
//! on quietly, with each single deviation, and in many random ways, with what is left of the faults. What fails from one moment
//! on fails from all later ones, so the first is found by halving, with random ways alone. From there on everything is tried, and
//! whatever passes moves the moment on.

use std::rc::Rc;

use super::Trials;
use super::ways::{FEW, MANY, Tried, Ways};
use crate::decide::Quiet;
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
    /// Ways to go on that were tried from there, all of which fail; `None` where one of them passes at every moment, so that nothing
    /// but the violation itself is too late.
    pub tried: Option<Tried>,
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
    let ways = Ways { failing, profile };
    let Some(early) = about(trials, &ways, &moments)? else {
        return Ok(None);
    };
    let Some((early, tried, known)) = exactly(trials, &ways, &moments, early)? else {
        return Ok(None);
    };
    let before = match early {
        0 => None,
        over => nearest(trials, &ways, position(&moments, over - 1), known)?,
    };
    Ok(Some(NoReturn {
        moment: early.checked_sub(1).and_then(|at| moments.get(at)).copied(),
        tried,
        passing: before.map(Box::new),
    }))
}

/// How many moments have to be over, as far as random ways tell.
fn about(
    trials: &mut Trials<'_>,
    ways: &Ways<'_>,
    moments: &[Moment],
) -> Result<Option<usize>, String> {
    // Nothing is fixed before the first of them; behind the last one everything has happened.
    let (mut early, mut late) = (0, moments.len());
    while early < late {
        let middle = usize::midpoint(early, late);
        if (trials.stop)() {
            return Ok(None);
        }
        let until = position(moments, middle);
        match ways.random(trials, until, &mut |trials, ran| passes(trials, &ran))? {
            true => early = middle + 1,
            false => late = middle,
        }
    }
    Ok(Some(early))
}

/// From there on as long as any way passes. `None` if somebody wanted an end.
fn exactly(
    trials: &mut Trials<'_>,
    ways: &Ways<'_>,
    moments: &[Moment],
    mut early: usize,
) -> Result<Option<Exactly>, String> {
    let mut known = None;
    while early <= moments.len() {
        if (trials.stop)() {
            return Ok(None);
        }
        let mut found = None;
        let tried = ways.all(
            trials,
            position(moments, early),
            MANY,
            &mut |trials, ran| {
                found = passes(trials, &ran).then_some(ran);
                found.is_some()
            },
        )?;
        let (None, Some(mut passing)) = (tried, found) else {
            return Ok(Some((early, tried, known)));
        };
        early += 1;
        // The same may still be done a little later.
        while early <= moments.len() {
            let later = ways.like(trials, position(moments, early), &passing)?;
            if !passes(trials, &later) {
                break;
            }
            passing = later;
            early += 1;
        }
        known = Some(passing);
    }
    Ok(Some((early, None, known)))
}

/// How many moments have to be over, what was tried there, and the way that passed last. More moments than there are, where the run
/// could have been saved at all of them.
type Exactly = (usize, Option<Tried>, Option<Ran>);

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

/// Of all that pass, the one that deviates least, without what it does not need.
fn nearest(
    trials: &mut Trials<'_>,
    ways: &Ways<'_>,
    until: u64,
    known: Option<Ran>,
) -> Result<Option<Ran>, String> {
    let mut best = known;
    ways.all(trials, until, FEW, &mut |trials, ran| {
        let is_best = best.as_ref().is_none_or(|best| cost(&ran) < cost(best));
        if is_best && passes(trials, &ran) {
            best = Some(ran);
        }
        false
    })?;
    let Some(mut best) = best else {
        return Ok(None);
    };
    for point in best.decisions.clone().0.keys() {
        if ways.failing.decisions.0.contains_key(point) {
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
