//! A hunt: how many runs it takes to see anything violated.

use super::Portfolio;
use crate::run::Stage;

/// Three problems by which searches are compared: a race of two, a lease that is lost three preemptions deep among many who have
/// nothing to do with it, and a crash between two writes. Name and text of each scenario.
pub const PROBLEMS: [(&str, &str); 3] = [
    ("p1.yaml", include_str!("../../benches/p1.yaml")),
    ("p2.yaml", include_str!("../../benches/p2.yaml")),
    ("p3.yaml", include_str!("../../benches/p3.yaml")),
];

/// Runs up to and including the first that violates an invariant, the quiet one among them; `None` if so many do not. `stop` is
/// asked between runs.
///
/// # Errors
/// In words, when the stage cannot run, and when a run meets a bug in lockstep or a rule that does not come to an end.
pub fn hunt(
    stage: &mut Stage,
    mut portfolio: Portfolio,
    most: u64,
    stop: &mut dyn FnMut() -> bool,
) -> Result<Option<u64>, String> {
    stage.forget_goals();
    for run in 0..most {
        if stop() {
            break;
        }
        let ran = portfolio.run(stage, run)?;
        if let Some(words) = ran.internal.or(ran.endless) {
            return Err(format!("run {run}: {words}"));
        }
        if !ran.violations.is_empty() {
            return Ok(Some(run + 1));
        }
    }
    Ok(None)
}
