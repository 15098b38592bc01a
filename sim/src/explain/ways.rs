//! Ways to go on from a moment of the failing run.
//!
//! First the quiet one, then each single deviation from it and some pairs, as far as that is affordable: what could save the run is
//! often the one thing that is not done right behind the moment. Then random ones, in which several things happen.

use std::cell::RefCell;
use std::rc::Rc;

use super::Trials;
use crate::decide::{Act, Beyond, Draw, Horizon, Prefix, Profile, Replay, Single, Strategy};
use crate::run::Ran;

/// The failing run, and what is needed to leave it.
pub(super) struct Ways<'a> {
    pub(super) failing: &'a Ran,
    /// Of the quiet run: the yardstick of the random strategies.
    pub(super) profile: Rc<Profile>,
}

/// How many ways were tried, and whether there are more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tried {
    /// Single deviations from going on quietly, between steps.
    pub singles: u32,
    /// There are more single ones.
    pub more: bool,
    /// Two deviations, some of all that there are.
    pub pairs: u32,
    /// Random ones.
    pub random: u32,
}

impl Ways<'_> {
    /// Tries random ways from a position until `see` has seen enough. True if it has.
    pub(super) fn random(
        &self,
        trials: &mut Trials<'_>,
        until: u64,
        see: &mut dyn FnMut(&Trials<'_>, Ran) -> bool,
    ) -> Result<bool, String> {
        for n in 0..RANDOM {
            let draw = match n {
                0 => Draw::Quiet,
                n => Draw::nth(n.into()),
            };
            let ran = self.run(trials, until, &|| draw.strategy(&self.profile))?;
            if see(trials, ran) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Tries all kinds of ways, the systematic ones first, with at most so many of each number of deviations, until `see` has seen
    /// enough. `None` if it has.
    pub(super) fn all(
        &self,
        trials: &mut Trials<'_>,
        until: u64,
        most: Most,
        see: &mut dyn FnMut(&Trials<'_>, Ran) -> bool,
    ) -> Result<Option<Tried>, String> {
        trials.stage.keep_state(true);
        let few = self.few(trials, until, most, see);
        trials.stage.keep_state(false);
        let Some(mut tried) = few? else {
            return Ok(None);
        };
        tried.random = RANDOM - 1;
        let enough = self.random(trials, until, see)?;
        Ok((!enough).then_some(tried))
    }

    /// What another run did, behind a later position.
    pub(super) fn like(
        &self,
        trials: &mut Trials<'_>,
        until: u64,
        other: &Ran,
    ) -> Result<Ran, String> {
        self.run(trials, until, &|| Box::new(Replay::new(&other.decisions)))
    }

    /// Each single deviation, then some pairs. What follows a state in which another way has been is not tried again.
    fn few(
        &self,
        trials: &mut Trials<'_>,
        until: u64,
        most: Most,
        see: &mut dyn FnMut(&Trials<'_>, Ran) -> bool,
    ) -> Result<Option<Tried>, String> {
        let horizon = Rc::default();
        let mut tried = Tried::default();
        let Some(singles) = self.beyond(trials, until, &horizon, Vec::new(), see)? else {
            return Ok(None);
        };
        tried.more = singles.len() > most.singles;
        let mut doubles = Vec::new();
        for plan in spread(singles, most.singles) {
            match self.beyond(trials, until, &horizon, plan, see)? {
                Some(further) => doubles.extend(further),
                None => return Ok(None),
            }
            tried.singles += 1;
        }
        for plan in spread(doubles, most.pairs) {
            if self.beyond(trials, until, &horizon, plan, see)?.is_none() {
                return Ok(None);
            }
            tried.pairs += 1;
        }
        Ok(Some(tried))
    }

    /// Runs these deviations behind a position. The same with one more, for each that could follow; `None` if that was enough.
    fn beyond(
        &self,
        trials: &mut Trials<'_>,
        until: u64,
        horizon: &Rc<RefCell<Horizon>>,
        plan: Vec<Single>,
        see: &mut dyn FnMut(&Trials<'_>, Ran) -> bool,
    ) -> Result<Option<Vec<Vec<Single>>>, String> {
        let mut ran = self.run(trials, until, &|| {
            Box::new(Beyond::new(plan.clone(), horizon))
        })?;
        horizon.borrow_mut().hear(std::mem::take(&mut ran.touched));
        let tail = horizon.borrow_mut().take();
        let singles = tail.points.into_iter().flat_map(|point| {
            let switches = point.others.into_iter().map(Act::Switch);
            let acts = switches.chain(point.deviations.into_iter().map(Act::Do));
            let key = point.key;
            acts.map(move |act| Single { key, act }).collect::<Vec<_>>()
        });
        let more = singles.map(|single| [&plan[..], &[single]].concat());
        let more = more.collect();
        Ok((!see(trials, ran)).then_some(more))
    }

    /// The case up to a position, then another strategy.
    fn run(
        &self,
        trials: &mut Trials<'_>,
        until: u64,
        then: &dyn Fn() -> Box<dyn Strategy>,
    ) -> Result<Ran, String> {
        trials.runs += 1;
        let decisions = &self.failing.decisions;
        trials
            .stage
            .run(&mut || Box::new(Prefix::new(decisions, until, then())))
    }
}

/// At most so many of them: the first half, which lies nearest to the moment, and of the rest as many.
fn spread(all: Vec<Vec<Single>>, most: usize) -> Vec<Vec<Single>> {
    let near = most / 2;
    let rest = all.len().saturating_sub(near);
    let every = rest.div_ceil((most - near).max(1)).max(1);
    let is_taken = |i: usize| i < near || (i - near).is_multiple_of(every);
    let taken = all.into_iter().enumerate().filter(|(i, _)| is_taken(*i));
    taken.map(|(_, plan)| plan).take(most).collect()
}

/// Most ways with few deviations.
#[derive(Debug, Clone, Copy)]
pub(super) struct Most {
    singles: usize,
    pairs: usize,
}

/// Where it is to be sure that none passes.
pub(super) const MANY: Most = Most {
    singles: 200,
    pairs: 100,
};

/// Where one that passes is known, and a nearer one is looked for.
pub(super) const FEW: Most = Most {
    singles: 60,
    pairs: 0,
};

/// Random ways to go on that are tried from one moment, the quiet one among them.
const RANDOM: u32 = 100;
