//! What becomes of a case when the code behind it has changed and the bug has not.

use lockstep_sim::case::Decisions;
use lockstep_sim::scenario::{Expect, Program};
use lockstep_sim::search::{Kept, Plan, retry, search};

use super::cases::{Case, stage};
use super::{added, names, order, shape};

/// A change that anybody could make to the code of a scenario and that cures nothing. False where there is nothing to change.
pub(crate) type Refactor = fn(&mut Program, &Decisions) -> bool;

/// All of them, by name.
pub(crate) const REFACTORS: [(&str, Refactor); 28] = [
    ("a decision more", added::decision),
    ("each read twice", added::reads),
    ("a write more at the start", added::write_at_the_start),
    ("a step more in the middle", added::step_in_the_middle),
    ("a step more at the end", added::step_at_the_end),
    ("a step more before each step", added::steps_everywhere),
    ("an event more", added::event),
    ("a process more", added::process),
    ("a kind of fault more", added::fault),
    ("each fault once more", added::strikes),
    ("a table more", added::unused_table),
    ("an index more on each table", added::index),
    ("a column more in each table", added::column),
    ("processes in another order", order::processes),
    ("events in another order", order::events),
    ("flows in another order", order::flows),
    ("variables renamed", names::variables),
    ("flows renamed", names::flows),
    ("steps renamed", names::steps),
    ("one step renamed", names::one_step),
    ("processes renamed", names::processes),
    ("events renamed", names::events),
    ("bodies in flows of their own", shape::extracted),
    ("bodies under a condition", shape::under_if),
    ("bodies under a lock", shape::under_lock),
    ("writes in transactions", shape::in_transactions),
    ("other default times", shape::times),
    ("other durations of steps", shape::durations),
];

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It still fails, decision by decision.
    AsItWas,
    /// It still fails, with decisions at other places or in a run near it.
    Nearby,
    /// It says that it does not say anything any more.
    Drifted,
    /// It says that the bug is gone, and a search finds it: silently green.
    Fixed,
    /// It does not fail, and searches do not find the bug either: the change has cured it.
    Cured,
}

/// The fate of a case under a refactor; `None` where there is nothing to change.
pub(crate) fn fate(case: &Case, refactor: Refactor) -> Option<Fate> {
    let mut program = case.program.clone();
    if !refactor(&mut program, &case.decisions) {
        return None;
    }
    match under(case, &program) {
        Kept::StillFails => Some(Fate::AsItWas),
        Kept::FailsNearby { .. } => Some(Fate::Nearby),
        _ if !is_there(&program, &case.target.invariant) => Some(Fate::Cured),
        Kept::Fixed => Some(Fate::Fixed),
        Kept::Drifted { .. } => Some(Fate::Drifted),
    }
}

/// What is said of a case under this program.
pub(crate) fn under(case: &Case, program: &Program) -> Kept {
    let mut stage = stage(program).unwrap_or_else(|why| panic!("{}: {why}", case.name));
    let kept = retry(&mut stage, &case.decisions, &case.target, &mut || false);
    kept.unwrap_or_else(|why| panic!("{}: {why:?}", case.name))
}

/// Whether whole searches find the bug.
fn is_there(program: &Program, invariant: &str) -> bool {
    let expect = Expect::Violates(vec![invariant.to_owned()]);
    (0..SEARCHES).any(|seed| {
        let mut stage = stage(program).expect("the stage is set");
        let plan = Plan {
            seed,
            runs: program.runs,
            expect: Some(&expect),
        };
        let found = search(&mut stage, &plan, &mut || false).expect("a search");
        found.firsts.contains_key(invariant)
    })
}

/// Searches without which a bug is not said to be cured.
const SEARCHES: u64 = 5;
