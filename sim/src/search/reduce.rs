//! From a failing run to the case that is shown: replayed from its decisions, then shrunk.

use super::{Bounds, First, Plan, exhaust};
use crate::decide::Replay;
use crate::run::{Ran, Stage};
use crate::scenario::Expect;
use crate::shrink::{self, Target};

/// A failing run made small.
#[derive(Debug)]
pub struct Reduced {
    /// The smallest run found.
    pub ran: Ran,
    /// The decisions alone did not give the same trace again: in words.
    pub two_traces: Option<String>,
}

/// Replays a failing run from its decisions and shrinks it, until `stop` says that somebody wants an end.
///
/// # Errors
/// In words, when the stage cannot run.
pub fn reduce(
    stage: &mut Stage,
    first: &First,
    budget: u32,
    stop: &mut dyn FnMut() -> bool,
) -> Result<Reduced, String> {
    let ran = stage.run(&mut || Box::new(Replay::new(&first.decisions)))?;
    let target = Target {
        invariant: first.invariant.clone(),
        key: first.key.clone(),
    };
    let same = ran.hash == first.hash;
    let two_traces = (!same).then(|| {
        let (seed, run, invariant) = (first.seed, first.run, &first.invariant);
        format!("run {run} of seed {seed} ({invariant}), replayed from its decisions, gave another trace")
    });
    if !target.is_in(&ran) {
        return Ok(Reduced { ran, two_traces });
    }
    let ran = shrink::shrink(stage, ran, &target, budget, stop)?;
    let ran = with_fewer(stage, ran, &target, budget, stop)?;
    Ok(Reduced { ran, two_traces })
}

/// What was found far from the quiet run does not always shrink to what lies near it: there it is looked for from the other
/// side, with one deviation, then two, as long as that is cheap.
fn with_fewer(
    stage: &mut Stage,
    ran: Ran,
    target: &Target,
    budget: u32,
    stop: &mut dyn FnMut() -> bool,
) -> Result<Ran, String> {
    let deviations = ran.decisions.0.len();
    if deviations <= FEW || budget == 0 || !stage.tells_state() || stop() {
        return Ok(ran);
    }
    let plan = Plan {
        seed: 0,
        runs: NEAR,
        expect: Some(&Expect::Violates(vec![target.invariant.clone()])),
    };
    let bounds = Bounds {
        deviations: deviations as u64 - 1,
        ..Bounds::default()
    };
    let found = exhaust(stage, &plan, bounds, stop)?;
    let found = found.firsts.get(&target.invariant);
    let Some(near) = found.filter(|near| near.key == target.key) else {
        return Ok(ran);
    };
    let near = stage.run(&mut || Box::new(Replay::new(&near.decisions)))?;
    let near = shrink::shrink(stage, near, target, budget, stop)?;
    let is_nearer = target.is_in(&near) && near.decisions.0.len() < deviations;
    Ok(if is_nearer { near } else { ran })
}

/// So many deviations are few enough.
const FEW: usize = 2;

/// Runs from the other side.
const NEAR: u64 = 2_000;
