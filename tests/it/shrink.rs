//! How small shrunk cases are, beside the smallest that there are. `cargo bench -p lockstep-sim --bench shrink` asks of all bugs.

use std::rc::Rc;

use lockstep_sim::flow::FlowWorld;
use lockstep_sim::run::Stage;
use lockstep_sim::scenario::{Expect, Program};
use lockstep_sim::search::{Plan, Size, reduce, search, size, smallest};
use lockstep_sim::shrink::{BUDGET, Target};

use super::scenario_programs;

/// Runs within which the smallest case has to be found.
const MOST: u64 = 1_500;

#[test]
fn shrunk_cases_are_as_small_as_can_be() {
    let (mut compared, mut wrong) = (0, Vec::new());
    let programs = scenario_programs().into_iter();
    for (name, program) in programs.filter(|(name, _)| name.ends_with("::bug")) {
        let world = FlowWorld::new(Rc::new(program.clone()));
        let mut stage = Stage::new(world).expect("the stage is set");
        for (target, size) in shrunk(&mut stage, &program) {
            let smallest = smallest(&mut stage, size.0, MOST).expect("a search");
            let Some(smallest) = smallest.up_to(&target, size) else {
                continue;
            };
            compared += 1;
            if smallest < size {
                wrong.push(format!(
                    "{name}: {target:?}: {size:?}, and {smallest:?} is enough"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared >= 20, "only {compared} could be compared");
}

/// What a search finds that deviates from the quiet run, made small.
fn shrunk(stage: &mut Stage, program: &Program) -> Vec<(Target, Size)> {
    let plan = Plan {
        seed: 1,
        runs: program.runs,
        expect: Some(&Expect::Holds),
    };
    let searched = search(stage, &plan, &mut || false).expect("a search");
    let mut shrunk = Vec::new();
    for first in searched.firsts.into_values() {
        let small = reduce(stage, &first, BUDGET, &mut || false).expect("a case");
        let (invariant, key) = (first.invariant, first.key);
        shrunk.push((Target { invariant, key }, size(&small.ran)));
    }
    shrunk.retain(|(_, size)| size.0 > 0);
    shrunk
}
