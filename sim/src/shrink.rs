//! The shrinker: makes a failing case small while the same invariant fails for the same key.
//!
//! A case is a sparse map, and a deviation that is absent is quiet, so every simplification is a removal or a smaller
//! number; nothing else shifts. Each success is recorded anew: what counts are the decisions that were carried out.

use std::collections::BTreeSet;

use crate::case::{Decisions, Deviation, Point};
use crate::decide::{OneDeviation, Quiet, Replay, Strategy};
use crate::run::{Ran, Stage};
use crate::trace::{Kind, Trace};

/// What must still fail.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// Name of the invariant.
    pub invariant: String,
    /// Key of the offending row.
    pub key: String,
}

impl Target {
    /// Whether a run shows it.
    pub fn is_in(&self, ran: &Ran) -> bool {
        ran.violations
            .iter()
            .any(|violation| violation.invariant == self.invariant && violation.key == self.key)
    }
}

/// Re-executions that the shrinking of one case may cost, and some for single deviations.
pub const BUDGET: u32 = 400;

/// Events that the re-executions may go through, all together: a run of thousands of events is not tried hundreds of times.
const MOST_EVENTS: usize = 1_000_000;
const FEWEST: u32 = 20;

/// Of these, attempts to make one number smaller.
const PULLS: u32 = 20;

/// How much longer other decisions take where one is dropped: fractions.
const LONGER: [(i64, i64); 3] = [(9, 8), (2, 1), (8, 1)];

/// Single deviations from the quiet run that are tried besides.
const SINGLES: u32 = 300;

/// Shrinks `first`, which shows `target`. Returns the smallest run found.
///
/// # Errors
/// In words, when the stage cannot run.
pub fn shrink(
    stage: &mut Stage,
    first: Ran,
    target: &Target,
    budget: u32,
    stop: &mut dyn FnMut() -> bool,
) -> Result<Ran, String> {
    stage.keep_steps(true);
    let affordable = MOST_EVENTS / first.trace.events.len().max(1);
    let budget = budget.min(u32::try_from(affordable).unwrap_or(u32::MAX).max(FEWEST));
    let mut work = Shrinking {
        stage,
        best: first,
        target,
        left: budget,
        tried: BTreeSet::new(),
        stop,
    };
    let done = work.until_nothing_helps();
    work.stage.keep_steps(false);
    done.map(|()| work.best)
}

/// Events of a trace, as sizes of cases count them: up to the last violation, if there is one, and without what the
/// harness adds by itself.
pub fn events(trace: &Trace) -> usize {
    let last = trace
        .events
        .iter()
        .rfind(|event| event.kind == Kind::Violation);
    let until = last.map_or(u64::MAX, |event| event.n);
    let counts = |kind| {
        !matches!(
            kind,
            Kind::Restart | Kind::Exit | Kind::Heal | Kind::Violation | Kind::Stuck
        )
    };
    trace
        .events
        .iter()
        .filter(|event| event.n <= until && counts(event.kind) && !event.idle)
        .count()
}

struct Shrinking<'a> {
    stage: &'a mut Stage,
    best: Ran,
    target: &'a Target,
    left: u32,
    /// What was tried already.
    tried: BTreeSet<String>,
    /// Somebody wants an end.
    stop: &'a mut dyn FnMut() -> bool,
}

/// Few deviations first, then few decisions inside SQLite, then few events, then short times.
type Cost = (usize, usize, usize, u64);

fn cost(ran: &Ran) -> Cost {
    let amounts = ran
        .decisions
        .0
        .values()
        .filter_map(Deviation::amount)
        .map(i64::unsigned_abs);
    let inside = ran
        .decisions
        .0
        .keys()
        .filter(|point| point.is_inside_sqlite())
        .count();
    (
        ran.decisions.0.len(),
        inside,
        events(&ran.trace),
        amounts.fold(0, u64::saturating_add),
    )
}

impl Shrinking<'_> {
    fn cost(&self) -> Cost {
        cost(&self.best)
    }

    fn until_nothing_helps(&mut self) -> Result<(), String> {
        // Once more as it is: from now on runs tell which gates they pass.
        let decisions = self.best.decisions.clone();
        self.best = self.stage.run(&mut || Box::new(Replay::new(&decisions)))?;
        let affordable = self.left;
        self.smaller()?;
        if !self.best.decisions.0.is_empty() && self.one_is_enough(affordable)? {
            self.left = self.left.max(affordable / 2);
            self.smaller()?;
        }
        Ok(())
    }

    fn smaller(&mut self) -> Result<(), String> {
        while self.left > 0 {
            let before = self.cost();
            // Moves and short times cost a run for each try: first there should be few decisions left to try them on.
            self.drop_all()?;
            self.trade()?;
            self.slide()?;
            self.pull_amounts()?;
            if self.cost() == before {
                break;
            }
        }
        Ok(())
    }

    /// Whether a single deviation from the quiet run shows the same in a smaller run: the smallest of those that do. What was found
    /// is not always on the way there: the first of two may be needed only because of the second, and of two actors that do the
    /// same one may do it earlier.
    fn one_is_enough(&mut self, most: u32) -> Result<bool, String> {
        let quiet = self.stage.run(&mut || Box::<Quiet>::default())?;
        let singles = quiet.profile.survey.singles;
        let mut found = false;
        for single in singles.into_iter().take(most.min(SINGLES) as usize) {
            if (self.stop)() {
                break;
            }
            let mut strategy =
                || -> Box<dyn Strategy> { Box::new(OneDeviation::new(single.clone())) };
            let ran = self.stage.run(&mut strategy)?;
            if ran.internal.is_none() && self.target.is_in(&ran) && cost(&ran) < self.cost() {
                self.best = ran;
                found = true;
            }
        }
        Ok(found)
    }

    /// Moves each crash, stop, pause, jump and switch to another step of the same cause: one between two steps is easier to
    /// understand than one inside SQLite, and an earlier one may leave less to look at.
    fn slide(&mut self) -> Result<(), String> {
        let at_gates = |deviation: &Deviation| {
            matches!(
                deviation,
                Deviation::Switch(_)
                    | Deviation::Crash
                    | Deviation::Stop
                    | Deviation::Pause(_)
                    | Deviation::Jump(_)
            )
        };
        let found: Vec<(Point, Deviation)> = self.best.decisions.0.clone().into_iter().collect();
        for (point, deviation) in found
            .into_iter()
            .filter(|(_, deviation)| at_gates(deviation))
        {
            let steps = self
                .best
                .steps
                .iter()
                .filter(|step| step.cause == point.cause && **step != point);
            for step in steps.cloned().collect::<Vec<_>>() {
                let mut moved = self.without(&|other, _| *other == point);
                moved.0.insert(step, deviation.clone());
                if self.attempt(&moved)? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Runs these decisions; keeps them if the target still fails and the case has become smaller.
    fn attempt(&mut self, decisions: &Decisions) -> Result<bool, String> {
        if (self.stop)() {
            self.left = 0;
        }
        if self.left == 0
            || *decisions == self.best.decisions
            || !self.tried.insert(decisions.to_string())
        {
            return Ok(false);
        }
        self.left -= 1;
        let ran = self.stage.run(&mut || Box::new(Replay::new(decisions)))?;
        let better = ran.internal.is_none() && self.target.is_in(&ran) && cost(&ran) < self.cost();
        if better {
            self.best = ran;
        }
        Ok(better)
    }

    fn without(&self, drop: &dyn Fn(&Point, &Deviation) -> bool) -> Decisions {
        let kept = self
            .best
            .decisions
            .0
            .iter()
            .filter(|(point, deviation)| !drop(point, deviation));
        Decisions(
            kept.map(|(point, deviation)| (point.clone(), deviation.clone()))
                .collect(),
        )
    }

    /// Drops what can be dropped, until nothing more can.
    fn drop_all(&mut self) -> Result<(), String> {
        loop {
            let before = self.cost();
            self.drop_causes()?;
            self.drop_chunks()?;
            if self.left == 0 || self.cost() == before {
                return Ok(());
            }
        }
    }

    /// One decision less, where another one takes more time for it: what was waited for may come later by itself.
    fn trade(&mut self) -> Result<(), String> {
        let points: Vec<Point> = self.best.decisions.0.keys().cloned().collect();
        if points.len() < 2 {
            return Ok(());
        }
        for point in points {
            let fewer = self.without(&|other, _| *other == point);
            for (more, of) in LONGER {
                let mut longer = fewer.clone();
                for deviation in longer.0.values_mut() {
                    if let Some(amount) = deviation.amount() {
                        *deviation = deviation.with_amount(amount.saturating_mul(more) / of);
                    }
                }
                if self.attempt(&longer)? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// All decisions of a cause and of the causes derived from it, and the switches that lead there.
    fn drop_causes(&mut self) -> Result<(), String> {
        for cause in self
            .best
            .decisions
            .0
            .keys()
            .map(|point| point.cause.clone())
            .collect::<BTreeSet<_>>()
        {
            let smaller = self.without(&|point, deviation| {
                let leads_there = matches!(deviation, Deviation::Switch(to) if derives(to, &cause));
                derives(&point.cause, &cause) || leads_there
            });
            if !self.attempt(&smaller)? {
                let smaller = self.without(&|point, _| derives(&point.cause, &cause));
                self.attempt(&smaller)?;
            }
        }
        Ok(())
    }

    /// Halves, quarters, and so on down to single decisions.
    fn drop_chunks(&mut self) -> Result<(), String> {
        let mut size = self.best.decisions.0.len().div_ceil(2);
        while size > 0 && self.left > 0 {
            let mut at = 0;
            while at < self.best.decisions.0.len() {
                let points: Vec<Point> = self
                    .best
                    .decisions
                    .0
                    .keys()
                    .skip(at)
                    .take(size)
                    .cloned()
                    .collect();
                let smaller = self.without(&|point, _| points.contains(point));
                if !self.attempt(&smaller)? {
                    at += size;
                }
            }
            size /= 2;
        }
        Ok(())
    }

    /// Pulls each number to the smallest that still fails, by halving the distance.
    fn pull_amounts(&mut self) -> Result<(), String> {
        for point in self.best.decisions.0.keys().cloned().collect::<Vec<_>>() {
            let mut fails_not = 0;
            for _ in 0..PULLS {
                let Some(now) = self
                    .best
                    .decisions
                    .0
                    .get(&point)
                    .and_then(Deviation::amount)
                else {
                    break;
                };
                let middle = now / 2 + fails_not / 2 + (now % 2 + fails_not % 2) / 2;
                if middle == now || middle == fails_not || self.left == 0 {
                    break;
                }
                if !self.attempt_amount(&point, middle)? {
                    fails_not = middle;
                }
            }
        }
        Ok(())
    }

    fn attempt_amount(&mut self, point: &Point, amount: i64) -> Result<bool, String> {
        let mut smaller = self.best.decisions.clone();
        if let Some(deviation) = smaller.0.get_mut(point) {
            *deviation = deviation.with_amount(amount);
        }
        self.attempt(&smaller)
    }
}

/// Whether a cause is this one or derived from it: labels grow by `/`.
fn derives(cause: &str, from: &str) -> bool {
    cause
        .strip_prefix(from)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::derives;

    #[test]
    fn a_cause_takes_what_it_led_to_along() {
        assert!(derives("m1", "m1"));
        assert!(derives("m1/redelivery#1", "m1"));
        assert!(!derives("m10", "m1"));
        assert!(!derives("m1", "m1/redelivery#1"));
    }
}
