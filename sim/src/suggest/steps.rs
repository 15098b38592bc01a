//! What steps do, as far as a repair has to know.

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

/// Every step and those below it, in order.
pub(super) fn visit<'a>(steps: &'a [Step], see: &mut dyn FnMut(&'a Step)) {
    for step in steps {
        see(step);
        for below in bodies(step) {
            visit(below, see);
        }
    }
}

fn bodies(step: &Step) -> Vec<&[Step]> {
    let mut all: Vec<&[Step]> = match &step.kind {
        StepKind::Read { none, .. } => none.iter().map(Vec::as_slice).collect(),
        StepKind::Sql { otherwise, .. } => vec![otherwise],
        StepKind::If {
            then, otherwise, ..
        } => vec![then, otherwise],
        StepKind::Each { steps, .. }
        | StepKind::While { steps, .. }
        | StepKind::Atomic(steps)
        | StepKind::Transaction { steps, .. } => vec![steps],
        StepKind::Lock {
            steps, otherwise, ..
        }
        | StepKind::Use {
            steps, otherwise, ..
        } => vec![steps, otherwise],
        _ => Vec::new(),
    };
    all.push(&step.finally);
    all.extend(step.catch.iter().map(|(_, steps)| steps.as_slice()));
    all
}

/// The same, to be changed.
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
