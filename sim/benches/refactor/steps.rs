//! What refactors are made of: every flow and every step of a program, to be changed.

use std::rc::Rc;

use lockstep_sim::scenario::{Expr, Flow, Program, Sql, Step, StepKind, Var, bodies_mut};
use rusqlite::types::Value;

/// Changes a program, and the one that runs before it. False when nothing of it is concerned.
pub(crate) fn each_leg(
    program: &mut Program,
    change: &mut dyn FnMut(&mut Program) -> bool,
) -> bool {
    let mut before = program.before.as_deref().cloned();
    let earlier = before.as_mut().is_some_and(|leg| each_leg(leg, change));
    program.before = before.map(Rc::new);
    change(program) | earlier
}

/// The program that finds the empty database.
pub(crate) fn first_leg(
    program: &mut Program,
    change: &mut dyn FnMut(&mut Program) -> bool,
) -> bool {
    let Some(before) = program.before.as_deref() else {
        return change(program);
    };
    let mut before = before.clone();
    let done = first_leg(&mut before, change);
    program.before = Some(Rc::new(before));
    done
}

/// Each flow of each version that does anything, with its index.
pub(crate) fn each_flow(program: &mut Program, change: &mut dyn FnMut(usize, &mut Flow)) {
    for version in &mut program.versions {
        let flows = version.flows.iter_mut().enumerate();
        for (at, flow) in flows.filter(|(_, flow)| !flow.steps.is_empty()) {
            change(at, flow);
        }
    }
}

/// Each step and those below it.
pub(crate) fn each_step(steps: &mut [Step], change: &mut dyn FnMut(&mut Step)) {
    for step in steps {
        change(step);
        for body in bodies_mut(step) {
            each_step(body, change);
        }
    }
}

/// Each list of steps, the innermost first. The second argument says whether it stands in a transaction.
pub(crate) fn each_body(
    steps: &mut Vec<Step>,
    within: bool,
    change: &mut dyn FnMut(&mut Vec<Step>, bool),
) {
    for step in steps.iter_mut() {
        let inside = within || matches!(step.kind, StepKind::Transaction { .. });
        for body in bodies_mut(step) {
            each_body(body, inside, change);
        }
    }
    change(steps, within);
}

/// The flow that a step sets going, and the flow's index in it.
pub(crate) fn flow_of(step: &mut Step) -> Option<&mut usize> {
    match &mut step.kind {
        StepKind::Call { flow, .. }
        | StepKind::Spawn { flow, .. }
        | StepKind::Request { flow, .. } => Some(flow),
        _ => None,
    }
}

/// A read of nothing.
pub(crate) fn glance(site: &str) -> Step {
    let kind = StepKind::Read {
        sql: Sql {
            text: "SELECT 1".to_owned(),
            params: Vec::new(),
            db: None,
        },
        into: Vec::new(),
        none: None,
    };
    Step::unwritten(site, kind)
}

/// A new local variable.
pub(crate) fn local(flow: &mut Flow, name: &str) -> Var {
    flow.locals.push(name.to_owned());
    Var::Local(flow.locals.len() - 1)
}

/// A number.
pub(crate) fn number(n: i64) -> Expr {
    Expr::Const(Value::Integer(n))
}
