//! Memory that is written into the database in one branch of a flow, and not in another.

use super::repair::Repair;
use super::steps::{Spot, visit};
use crate::scenario::{Flow, Program, Step, StepKind, Var};

/// Assignments to memory beside steps of the same flow that write the same memory into the database.
pub(super) fn persisted(program: &Program, index: usize, flow: &Flow) -> Vec<Repair> {
    let (mut sets, mut writes) = (Vec::new(), Vec::new());
    visit(&flow.steps, &mut |step| {
        if let StepKind::Set(assigned) = &step.kind {
            let remembered = assigned.iter().map(|(var, _)| *var).filter(is_memory);
            sets.extend(remembered.map(|var| (Spot::of(step), var)));
        }
        let stored = stored(program, step).into_iter();
        writes.extend(stored.map(|var| (Spot::of(step), var)));
    });
    let mut found = Vec::new();
    for (set, var) in &sets {
        let same = writes
            .iter()
            .filter(|(write, stored)| stored == var && write != set);
        found.extend(same.map(|(write, _)| Repair::Persist {
            flow: index,
            set: set.clone(),
            write: write.clone(),
        }));
    }
    found
}

/// Memory that a step writes into the database, by itself or in the flow that it calls.
fn stored(program: &Program, step: &Step) -> Vec<Var> {
    let mut vars = Vec::new();
    match &step.kind {
        StepKind::Sql { sql, .. } => vars.extend(&sql.params),
        StepKind::Call { flow, .. } => {
            let flows = program
                .versions
                .first()
                .map_or(&[][..], |version| &version.flows);
            let steps = flows.get(*flow).map_or(&[][..], |flow| &flow.steps);
            visit(steps, &mut |step| {
                if let StepKind::Sql { sql, .. } = &step.kind {
                    vars.extend(&sql.params);
                }
            });
        }
        _ => {}
    }
    vars.retain(is_memory);
    vars
}

fn is_memory(var: &Var) -> bool {
    matches!(var, Var::Memory(_))
}
