//! From a failing run to the case that is shown: replayed from its decisions, then shrunk.

use super::First;
use crate::decide::Replay;
use crate::run::{Ran, Stage};
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
    Ok(Reduced { ran, two_traces })
}
