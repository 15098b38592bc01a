//! How small shrunk cases are, beside the smallest that there are. `cargo bench -p lockstep-sim --bench shrink` asks of all bugs.

use std::collections::BTreeMap;
use std::rc::Rc;

use lockstep_sim::flow::FlowWorld;
use lockstep_sim::run::Stage;
use lockstep_sim::scenario::{Expect, Program};
use lockstep_sim::search::{Bounds, Plan, every, reduce, search};
use lockstep_sim::shrink::{BUDGET, events};

use super::scenario_programs;

/// Runs within which the smallest case has to be found.
const MOST: u64 = 1_500;

/// Deviations, then events.
type Size = (usize, usize);

#[test]
fn shrunk_cases_are_as_small_as_can_be() {
    let (mut compared, mut wrong) = (0, Vec::new());
    let programs = scenario_programs().into_iter();
    for (name, program) in programs.filter(|(name, _)| name.ends_with("::bug")) {
        let mut stage =
            Stage::new(FlowWorld::new(Rc::new(program.clone()))).expect("the stage is set");
        for (of, size) in shrunk(&mut stage, &program) {
            let Some(smallest) = smallest(&mut stage, size.0, &of) else {
                continue;
            };
            compared += 1;
            if smallest < size {
                wrong.push(format!(
                    "{name}: {of:?}: {size:?}, and {smallest:?} is enough"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared >= 20, "only {compared} could be compared");
}

/// What a search finds that deviates from the quiet run, made small: by invariant and key.
fn shrunk(stage: &mut Stage, program: &Program) -> BTreeMap<(String, String), Size> {
    let plan = Plan {
        seed: 1,
        runs: program.runs,
        expect: Some(&Expect::Holds),
    };
    let searched = search(stage, &plan, &mut || false).expect("a search");
    let mut shrunk = BTreeMap::new();
    for first in searched.firsts.into_values() {
        let small = reduce(stage, &first, BUDGET, &mut || false).expect("a case");
        let size = (small.ran.decisions.0.len(), events(&small.ran.trace));
        if size.0 > 0 {
            shrunk.insert((first.invariant, first.key), size);
        }
    }
    shrunk
}

/// The smallest run with at most so many deviations that violates the same for the same key; `None` where that takes too many runs.
fn smallest(stage: &mut Stage, deviations: usize, of: &(String, String)) -> Option<Size> {
    let bounds = Bounds {
        deviations: deviations as u64,
        by_state: false,
        independence: false,
    };
    let plan = Plan {
        seed: 0,
        runs: MOST,
        expect: None,
    };
    let mut smallest: Option<Size> = None;
    let tried = every(stage, &plan, bounds, &mut |ran| {
        let same = |it: &lockstep_sim::run::Violation| it.invariant == of.0 && it.key == of.1;
        if ran.violations.iter().any(same) {
            let size = (ran.decisions.0.len(), events(&ran.trace));
            smallest = Some(smallest.map_or(size, |known| known.min(size)));
        }
    });
    let exhausted = tried.expect("a search").exhausted.unwrap_or_default();
    let is_done = exhausted.complete || exhausted.deviations >= Some(deviations as u64);
    smallest.filter(|_| is_done)
}
