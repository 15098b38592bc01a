//! Why a case fails: what of it is necessary, from where on nothing can save it, and the run nearest to it that passes.
//!
//! Nothing is argued here, everything is tried: a decision or an event is necessary when the case without it does not fail any
//! more, and a moment is too late when every continuation that was tried from there fails.

mod amounts;
mod events;
mod no_return;
mod parts;
mod values;
mod ways;

pub use amounts::Amounts;
pub use no_return::{Moment, NoReturn};
pub use values::{Fate, Value};
pub use ways::Tried as Ways;

use crate::case::{Decisions, Deviation, Point};
use crate::decide::Replay;
use crate::run::{Ran, Stage};
use crate::scenario::Program;
use crate::shrink::Target;
use crate::trace::{Kind, arg_text};

/// What was found out about a case.
#[derive(Debug)]
pub struct Explained {
    /// The run that fails.
    pub ran: Ran,
    /// What it violates.
    pub target: Target,
    /// The violation: the row in words, and its position in the trace.
    pub violation: (String, u64),
    /// Each decision, in the order of their points.
    pub decisions: Vec<Tried>,
    /// Each event, in the order of the file; of several legs those of the first leg first.
    pub events: Vec<Happened>,
    /// From where on every continuation that was tried fails; `None` if that was not looked for to the end.
    pub no_return: Option<NoReturn>,
    /// Re-executions that this took.
    pub runs: u32,
}

/// What became of the case without one decision, or with another one in its place.
#[derive(Debug)]
pub struct Tried {
    /// Where it is made.
    pub point: Point,
    /// The decision.
    pub deviation: Deviation,
    /// Without it the case does not fail any more.
    pub needed: bool,
    /// Which other durations or numbers do as well; `None` if it has none or is not needed.
    pub amounts: Option<Amounts>,
    /// Who else could go on there, and whether it fails then, too. Only of switches that are needed.
    pub others: Vec<(String, bool)>,
}

/// What became of the case without one event, or with other values in it.
#[derive(Debug)]
pub struct Happened {
    /// Its label.
    pub event: String,
    /// The variant under which it happens, if there are several legs.
    pub leg: Option<String>,
    /// Without it the case does not fail any more.
    pub needed: bool,
    /// Its values, if it is needed.
    pub values: Vec<Value>,
}

/// Finds out why a case fails. `None` when it does not. `program` is what the stage runs, if it is a scenario's: its events are left
/// out one by one. `stop` is asked between runs.
///
/// # Errors
/// In words, when a stage cannot run.
pub fn explain(
    stage: &mut Stage,
    decisions: &Decisions,
    claim: Option<&Target>,
    program: Option<&Program>,
    stop: &mut dyn FnMut() -> bool,
) -> Result<Option<Explained>, String> {
    let ran = stage.run(&mut || Box::new(Replay::new(decisions)))?;
    let Some(target) = target_of(&ran, claim) else {
        return Ok(None);
    };
    let mut trials = Trials {
        stage,
        target,
        runs: 1,
        stop,
    };
    // What could not be carried out is no part of the case.
    let decisions = ran.decisions.clone();
    let tried = parts::find(&mut trials, &ran)?;
    let events = match program {
        Some(program) => events::find(&mut trials, &decisions, program)?,
        None => Vec::new(),
    };
    let violation = violation_of(&ran, &trials.target);
    let no_return = no_return::find(&mut trials, &ran, violation.1)?;
    Ok(Some(Explained {
        violation,
        decisions: tried,
        events,
        no_return,
        target: trials.target,
        runs: trials.runs,
        ran,
    }))
}

/// What the run violates: what the case claims, else the first thing.
fn target_of(ran: &Ran, claim: Option<&Target>) -> Option<Target> {
    let claimed = claim.filter(|claim| claim.is_in(ran)).cloned();
    claimed.or_else(|| {
        ran.violations.first().map(|violation| Target {
            invariant: violation.invariant.clone(),
            key: violation.key.clone(),
        })
    })
}

/// The first violation of the target: the row in words, and its position in the trace.
fn violation_of(ran: &Ran, target: &Target) -> (String, u64) {
    let is_it = |name: &str, key: &str| name == target.invariant && key == target.key;
    let mut all = ran.violations.iter();
    let row = all
        .find(|violation| is_it(&violation.invariant, &violation.key))
        .map_or_else(String::new, |violation| violation.row.clone());
    let told = format!("{} {row}", target.invariant);
    let mut events = ran.trace.events.iter();
    let event = events.find(|event| event.kind == Kind::Violation && arg_text(&event.arg) == told);
    (row, event.map_or_else(|| ran.trace.last(), |event| event.n))
}

/// Runs that differ a little from the case.
struct Trials<'a> {
    stage: &'a mut Stage,
    target: Target,
    runs: u32,
    stop: &'a mut dyn FnMut() -> bool,
}

impl Trials<'_> {
    /// The run of these decisions.
    fn run(&mut self, decisions: &Decisions) -> Result<Ran, String> {
        self.runs += 1;
        self.stage.run(&mut || Box::new(Replay::new(decisions)))
    }
}
