//! A case that was kept, under the code of today.

use std::rc::Rc;

use super::portfolio::singles;
use crate::case::Decisions;
use crate::decide::{Choice, Draw, Profile, Quiet, Replay, Single, run_hash};
use crate::run::{Ran, Stage};
use crate::shrink::Target;

/// What has become of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It fails as it did.
    StillFails,
    /// It fails for another key, or a run near it fails: names, or the order in which things go on by themselves, may be others
    /// now.
    FailsNearby {
        /// Decisions that could not be carried out.
        gone: usize,
        /// Of so many.
        of: usize,
    },
    /// Every decision was carried out, and the violation is gone, there and in the runs near it.
    Fixed,
    /// Some of its decisions are gone, and no run near it fails: it does not say anything any more.
    Drifted {
        /// Decisions that could not be carried out.
        gone: usize,
        /// Of so many.
        of: usize,
    },
}

/// Replays a case that once violated `target`. Where it does not fail, runs near it are searched before it is said to be fixed or to
/// have drifted; `stop` is asked between them.
///
/// # Errors
/// In words, when the stage cannot run, and when a run meets a bug in lockstep.
pub fn retry(
    stage: &mut Stage,
    decisions: &Decisions,
    target: &Target,
    stop: &mut dyn FnMut() -> bool,
) -> Result<Kept, String> {
    let ran = sound(stage.run(&mut || Box::new(Replay::new(decisions)))?)?;
    if target.is_in(&ran) {
        return Ok(Kept::StillFails);
    }
    let (gone, of) = (ran.counts.blocked + ran.counts.absent, decisions.0.len());
    // Keys are often ids, and those are called after variables and events that may have other names now.
    let violates = |ran: &Ran| ran.violated().contains(&target.invariant);
    if violates(&ran) {
        return Ok(Kept::FailsNearby { gone, of });
    }
    let quiet = sound(stage.run(&mut || Box::<Quiet>::default())?)?;
    let profile = Rc::new(quiet.profile);
    let parent = singles(decisions);
    for n in 0..NEIGHBOURS {
        if stop() {
            break;
        }
        let draw = neighbour(n, &parent);
        if violates(&sound(near(stage, &draw, &profile)?)?) {
            return Ok(Kept::FailsNearby { gone, of });
        }
    }
    Ok(match gone {
        0 => Kept::Fixed,
        _ => Kept::Drifted { gone, of },
    })
}

fn near(stage: &mut Stage, draw: &Draw, profile: &Rc<Profile>) -> Result<Ran, String> {
    stage.run(&mut || draw.strategy(profile))
}

/// Mostly what is left of the case with a little else, in between whatever comes.
fn neighbour(n: u64, parent: &Rc<[Single]>) -> Draw {
    let hash = run_hash(0, n);
    match n % 4 {
        0 | 1 => Draw::Mutant(hash, Rc::clone(parent)),
        2 => Draw::By(Choice::Deviations, hash),
        _ => Draw::By(ELSE[(n / 4) as usize % ELSE.len()], hash),
    }
}

/// A run that met no bug of ours.
fn sound(ran: Ran) -> Result<Ran, String> {
    match &ran.internal {
        Some(words) => Err(words.clone()),
        None => Ok(ran),
    }
}

/// Runs near a case that are searched.
const NEIGHBOURS: u64 = 200;

const ELSE: [Choice; 3] = [Choice::Preemptions, Choice::Remaining, Choice::Random];
