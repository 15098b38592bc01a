//! What steps do, as far as a repair has to know.

pub(super) use crate::scenario::visit;
use crate::scenario::{Sql, Step, StepKind};

/// Whether a step only asks and changes the database, or computes: it may stand in a transaction.
pub(super) fn is_of_database(step: &Step) -> bool {
    let all = |steps: &[Step]| steps.iter().all(is_of_database);
    let plain = step.catch.is_empty() && step.finally.is_empty() && step.network.is_none();
    plain
        && match &step.kind {
            StepKind::Read { none, .. } => none.as_deref().is_none_or(all),
            StepKind::Sql { otherwise, .. } => all(otherwise),
            StepKind::Set(_) | StepKind::NewId(_) => true,
            StepKind::If {
                then, otherwise, ..
            } => all(then) && all(otherwise),
            StepKind::Each { steps, .. } | StepKind::While { steps, .. } => all(steps),
            _ => false,
        }
}

/// How many statements it has, those below it among them.
pub(super) fn statements(steps: &[Step]) -> usize {
    let mut count = 0;
    visit(steps, &mut |step| {
        count += usize::from(sql_of(step).is_some());
    });
    count
}

/// The statement of a step.
pub(super) fn sql_of(step: &Step) -> Option<&Sql> {
    match &step.kind {
        StepKind::Read { sql, .. } | StepKind::Sql { sql, .. } | StepKind::Each { sql, .. } => {
            Some(sql)
        }
        _ => None,
    }
}

/// Every step and those below it, in order, to be changed.
pub(super) fn visit_mut(steps: &mut [Step], see: &mut dyn FnMut(&mut Step)) {
    for step in steps {
        see(step);
        match &mut step.kind {
            StepKind::Read {
                none: Some(steps), ..
            }
            | StepKind::Sql {
                otherwise: steps, ..
            }
            | StepKind::Each { steps, .. }
            | StepKind::While { steps, .. }
            | StepKind::Atomic(steps)
            | StepKind::Transaction { steps, .. } => visit_mut(steps, see),
            StepKind::If {
                then, otherwise, ..
            } => {
                visit_mut(then, see);
                visit_mut(otherwise, see);
            }
            StepKind::Lock {
                steps, otherwise, ..
            }
            | StepKind::Use {
                steps, otherwise, ..
            } => {
                visit_mut(steps, see);
                visit_mut(otherwise, see);
            }
            _ => {}
        }
        visit_mut(&mut step.finally, see);
        for (_, steps) in &mut step.catch {
            visit_mut(steps, see);
        }
    }
}
