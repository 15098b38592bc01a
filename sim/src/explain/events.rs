//! Which events the case needs.

use std::rc::Rc;

use super::{Happened, Trials, values};
use crate::case::Decisions;
use crate::decide::Replay;
use crate::flow::FlowWorld;
use crate::run::{Ran, Stage};
use crate::scenario::Program;

/// Leaves each event out, of each leg, and of those that are needed tries other values.
pub(super) fn find(
    trials: &mut Trials<'_>,
    case: &Decisions,
    program: &Program,
) -> Result<Vec<Happened>, String> {
    let legs = legs(program);
    let mut all = Vec::new();
    for (leg, of_leg) in legs.iter().enumerate() {
        for (index, event) in of_leg.events.iter().enumerate() {
            if (trials.stop)() {
                return Ok(all);
            }
            // The case does without it already.
            if !event.happens {
                continue;
            }
            let without = edited(program, legs.len() - 1 - leg, &mut |program| {
                program.events[index].happens = false;
            });
            let ran = trials.elsewhere(without, case)?;
            let needed = !trials.target.is_in(&ran);
            let place = values::Place {
                program,
                depth: legs.len() - 1 - leg,
                index,
            };
            all.push(Happened {
                event: event.label.clone(),
                leg: (legs.len() > 1).then(|| of_leg.variant.clone()),
                needed,
                values: match needed {
                    true => values::find(trials, case, place)?,
                    false => Vec::new(),
                },
            });
        }
    }
    Ok(all)
}

/// Programs that run one after the other.
fn legs(program: &Program) -> Vec<&Program> {
    let mut legs: Vec<&Program> =
        std::iter::successors(Some(program), |program| program.before.as_deref()).collect();
    legs.reverse();
    legs
}

/// A program with a change so many legs before its last one.
pub(super) fn edited(
    program: &Program,
    depth: usize,
    edit: &mut dyn FnMut(&mut Program),
) -> Program {
    let mut program = program.clone();
    match (depth, program.before.take()) {
        (0, before) => {
            program.before = before;
            edit(&mut program);
        }
        (depth, before) => {
            let before = before.map(|before| edited(&before, depth - 1, edit));
            program.before = before.map(Rc::new);
        }
    }
    program
}

impl Trials<'_> {
    /// The run of these decisions in another world.
    pub(super) fn elsewhere(
        &mut self,
        program: Program,
        decisions: &Decisions,
    ) -> Result<Ran, String> {
        self.runs += 1;
        let mut stage = Stage::new(FlowWorld::new(Rc::new(program)))?;
        stage.run(&mut || Box::new(Replay::new(decisions)))
    }
}
