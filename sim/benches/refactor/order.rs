//! Refactors that put things into another order.

use lockstep_sim::case::Decisions;
use lockstep_sim::scenario::{After, Does, Expr, Program, StepKind};

use super::steps::{each_flow, each_leg, each_step, flow_of};

/// The last process first.
pub(crate) fn processes(program: &mut Program, _: &Decisions) -> bool {
    each_leg(program, &mut |program| {
        let order: Vec<usize> = (0..program.processes.len()).rev().collect();
        processes_in(program, &order);
        order.len() > 1
    })
}

/// The last event first.
pub(crate) fn events(program: &mut Program, _: &Decisions) -> bool {
    each_leg(program, &mut |program| {
        let order: Vec<usize> = (0..program.events.len()).rev().collect();
        events_in(program, &order);
        order.len() > 1
    })
}

/// The last flow first.
pub(crate) fn flows(program: &mut Program, _: &Decisions) -> bool {
    each_leg(program, &mut |program| {
        let count = program.versions[0].flows.len();
        let moved = |at: &mut usize| *at = count - 1 - *at;
        for version in &mut program.versions {
            version.flows.reverse();
        }
        each_flow(program, &mut |_, flow| {
            each_step(&mut flow.steps, &mut |step| {
                flow_of(step).into_iter().for_each(moved);
            });
        });
        for event in &mut program.events {
            if let Does::Send { flow, .. } = &mut event.does {
                moved(flow);
            }
        }
        for process in &mut program.processes {
            let looped = process.looped.iter_mut().map(|looped| &mut looped.flow);
            let own = process.start.iter_mut().chain(&mut process.stop);
            own.chain(looped).for_each(moved);
        }
        count > 1
    })
}

/// The process that stands at `order[n]` is the n-th from now on.
pub(crate) fn processes_in(program: &mut Program, order: &[usize]) {
    let moved = |at: &mut usize| *at = place(order, *at);
    program.processes = permuted(&program.processes, order);
    for event in &mut program.events {
        moved(&mut event.process);
        for after in &mut event.after {
            if let After::Crash(process) = after {
                moved(process);
            }
        }
        if let Does::Restore {
            stops: Some(stops), ..
        } = &mut event.does
        {
            stops.iter_mut().for_each(moved);
        }
    }
    for (process, _) in &mut program.faults.crash {
        moved(process);
    }
    each_flow(program, &mut |_, flow| {
        each_step(&mut flow.steps, &mut |step| {
            if let StepKind::Request { process, .. } = &mut step.kind {
                moved(process);
            }
        });
    });
}

/// The same for events.
pub(crate) fn events_in(program: &mut Program, order: &[usize]) {
    program.events = permuted(&program.events, order);
    for event in &mut program.events {
        for after in &mut event.after {
            if let After::Event(other) = after {
                *other = place(order, *other);
            }
        }
        if let Does::Send { args, .. } = &mut event.does {
            for arg in args {
                if let Expr::Answer(other, _) = arg {
                    *other = place(order, *other);
                }
            }
        }
    }
}

fn place(order: &[usize], at: usize) -> usize {
    let place = order.iter().position(|old| *old == at);
    place.expect("an order of all of them")
}

fn permuted<T: Clone>(all: &[T], order: &[usize]) -> Vec<T> {
    order.iter().map(|at| all[*at].clone()).collect()
}
