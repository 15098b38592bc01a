//! A case that was kept, under the code of today.

mod moved;

use std::rc::Rc;

use self::moved::Came;
use crate::case::Decisions;
use crate::decide::{Choice, Draw, Placed, Profile, Quiet, Replay, Single, run_hash};
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

/// Why nothing can be said of a case, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Broken {
    /// A bug in lockstep.
    Internal(String),
    /// A rule of the scenario does not come to an end.
    Endless(String),
}

impl From<String> for Broken {
    /// What a stage says that cannot run.
    fn from(words: String) -> Self {
        Self::Internal(words)
    }
}

/// Replays a case that once violated `target`. Where it does not fail, its decisions are made at other places, the nearest first, and then
/// runs near it are searched, before it is said to be fixed or to have drifted; `stop` is asked between them.
///
/// # Errors
/// When the stage cannot run, and when a run meets a bug in lockstep or a rule that does not come to an end.
pub fn retry(
    stage: &mut Stage,
    decisions: &Decisions,
    target: &Target,
    stop: &mut dyn FnMut() -> bool,
) -> Result<Kept, Broken> {
    let ran = sound(stage.run(&mut || Box::new(Replay::new(decisions)))?)?;
    if target.is_in(&ran) {
        return Ok(Kept::StillFails);
    }
    let (gone, of) = (ran.counts.blocked + ran.counts.absent, decisions.0.len());
    // Keys are often ids, and those are called after variables and events that may have other names now.
    let mut violates = |ran: Ran| Ok(sound(ran)?.violated().contains(&target.invariant));
    let fails = violates(ran)? || fails_near(stage, decisions, &mut violates, stop)?;
    Ok(match (fails, gone) {
        (true, _) => Kept::FailsNearby { gone, of },
        (false, 0) => Kept::Fixed,
        (false, _) => Kept::Drifted { gone, of },
    })
}

/// Whether a run near a case violates what the case did.
fn fails_near(
    stage: &mut Stage,
    decisions: &Decisions,
    violates: &mut dyn FnMut(Ran) -> Result<bool, Broken>,
    stop: &mut dyn FnMut() -> bool,
) -> Result<bool, Broken> {
    let parents = match moved::elsewhere(stage, Placed::all(decisions), violates, stop)? {
        Came::Fails => return Ok(true),
        Came::Not(parents) => parents,
    };
    let quiet = sound(stage.run(&mut || Box::<Quiet>::default())?)?;
    let profile = Rc::new(quiet.profile);
    for n in 0..NEIGHBOURS {
        if stop() {
            break;
        }
        let Some(parent) = parents.get(n as usize / 4 % parents.len().max(1)) else {
            break;
        };
        let draw = neighbour(n, parent);
        if violates(near(stage, &draw, &profile)?)? {
            return Ok(true);
        }
    }
    Ok(false)
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

/// A run that met no bug of ours, and no rule without an end.
fn sound(ran: Ran) -> Result<Ran, Broken> {
    match (&ran.internal, &ran.endless) {
        (Some(words), _) => Err(Broken::Internal(words.clone())),
        (None, Some(words)) => Err(Broken::Endless(words.clone())),
        (None, None) => Ok(ran),
    }
}

/// Runs near a case that are searched.
const NEIGHBOURS: u64 = 200;

const ELSE: [Choice; 3] = [Choice::Preemptions, Choice::Remaining, Choice::Random];
