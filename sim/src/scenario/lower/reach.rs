//! Who runs which flow: circles of calls, memory that a process does not have, transactions inside transactions, and
//! flows of the base that a variant on the reference store leaves behind.

use super::super::node::{Kind, Node};
use super::super::program::{Does, Event, Process};
use super::flow::{FlowText, World};
use super::scope::Scope;
use super::world::ProcessText;

/// Every flow that is called from these, directly or not, and these themselves.
fn closure(roots: &[usize], calls: &[Vec<usize>]) -> Vec<bool> {
    let mut seen = vec![false; calls.len()];
    let mut open = roots.to_vec();
    while let Some(flow) = open.pop() {
        let Some(mark) = seen.get_mut(flow) else {
            continue;
        };
        if !std::mem::replace(mark, true) {
            open.extend(calls.get(flow).into_iter().flatten());
        }
    }
    seen
}

/// Whether each flow is reached from these names.
fn reached(flows: &[FlowText], roots: impl Iterator<Item = usize>) -> Vec<bool> {
    let index = |name: &str| flows.iter().position(|flow| flow.name == name);
    let calls: Vec<Vec<usize>> = flows
        .iter()
        .map(|flow| {
            let mut names = Vec::new();
            flow.steps.iter().for_each(|step| called(step, &mut names));
            names.iter().filter_map(|name| index(name)).collect()
        })
        .collect();
    closure(&roots.collect::<Vec<_>>(), &calls)
}

fn named<'f>(flows: &'f [FlowText], names: &'f [String]) -> impl Iterator<Item = usize> + 'f {
    names
        .iter()
        .filter_map(|name| flows.iter().position(|flow| flow.name == *name))
}

/// Drops flows that were inherited and that nothing reaches any more. `roots` are names of flows that events, processes
/// and the setup run. `codes` are the flows of each version of the code, in the same order; a flow is kept if any version needs it.
pub(super) fn prune(codes: &mut [&mut Vec<FlowText>], roots: &[String]) {
    retain(codes, |flows| {
        let own = flows.iter().enumerate().filter(|(_, flow)| flow.own);
        reached(
            flows,
            named(flows, roots).chain(own.map(|(index, _)| index)),
        )
    });
}

/// Drops flows that need the reference store and that nothing reaches in a variant without it: they wait for one that has it.
pub(super) fn prune_operations(codes: &mut [&mut Vec<FlowText>], roots: &[String]) {
    retain(codes, |flows| {
        let is_reached = reached(flows, named(flows, roots));
        let kept = is_reached.into_iter().enumerate();
        kept.map(|(index, reached)| reached || !needs_operations(flows, index))
            .collect()
    });
}

fn retain(codes: &mut [&mut Vec<FlowText>], keeps: impl Fn(&[FlowText]) -> Vec<bool>) {
    let kept: Vec<Vec<bool>> = codes.iter().map(|flows| keeps(flows)).collect();
    for flows in codes {
        let mut index = 0..;
        flows.retain(|_| {
            let index = index.next().unwrap_or(0);
            kept.iter().any(|kept| kept.get(index) != Some(&false))
        });
    }
}

/// Whether a flow operates on the store, itself or by what it calls.
fn needs_operations(flows: &[FlowText], index: usize) -> bool {
    let below = reached(flows, std::iter::once(index));
    let mut below = flows.iter().zip(below).filter(|(_, below)| *below);
    below.any(|(flow, _)| flow.steps.iter().any(operates))
}

fn operates(node: &Node) -> bool {
    match &node.kind {
        Kind::Scalar { .. } => false,
        Kind::List(items) => items.iter().any(operates),
        Kind::Map { entries, .. } => entries
            .iter()
            .any(|entry| entry.name() == "op" || operates(&entry.value)),
    }
}

/// Names under `call`, `spawn` and `request`, wherever they stand.
pub(super) fn called(node: &Node, found: &mut Vec<String>) {
    match &node.kind {
        Kind::Scalar { .. } => {}
        Kind::List(items) => items.iter().for_each(|item| called(item, found)),
        Kind::Map { entries, .. } => {
            for entry in entries {
                match entry.value.scalar() {
                    Some(name) if ["call", "spawn", "request"].contains(&entry.name()) => {
                        found.push(name.to_owned());
                    }
                    _ => called(&entry.value, found),
                }
            }
        }
    }
}

/// Checks what only the whole of a variant can tell.
pub(super) fn check(
    world: &World<'_>,
    scopes: &[Scope<'_>],
    processes: &[ProcessText],
    events: &[Event],
) {
    let calls: Vec<Vec<usize>> = scopes
        .iter()
        .map(|scope| scope.calls.iter().map(|call| call.flow).collect())
        .collect();
    circles(world, scopes, &calls);
    transactions(world, scopes, &calls);
    let set_going: Vec<Vec<usize>> = scopes
        .iter()
        .zip(&calls)
        .map(|(scope, calls)| {
            let here = scope.starts.iter().filter(|start| start.process.is_none());
            here.map(|start| start.flow)
                .chain(calls.iter().copied())
                .collect()
        })
        .collect();
    for (index, text) in processes.iter().enumerate() {
        let handled = events
            .iter()
            .filter(|event| event.process == index)
            .filter_map(|event| match &event.does {
                Does::Send { flow, .. } => Some(*flow),
                _ => None,
            });
        let requested = scopes
            .iter()
            .flat_map(|scope| &scope.starts)
            .filter(|start| start.process == Some(index))
            .map(|start| start.flow);
        let roots: Vec<usize> = handled
            .chain(requested)
            .chain(text.process.start)
            .chain(text.process.stop)
            .chain(text.process.looped.map(|looped| looped.flow))
            .collect();
        let runs = closure(&roots, &set_going);
        for (scope, _) in scopes.iter().zip(&runs).filter(|(_, runs)| **runs) {
            memory(world, scope, &text.process, &text.declares);
            database(world, scope, &text.process);
        }
    }
}

/// A flow that calls itself has no end that anybody could check.
fn circles(world: &World<'_>, scopes: &[Scope<'_>], calls: &[Vec<usize>]) {
    for (index, scope) in scopes.iter().enumerate() {
        for call in &scope.calls {
            if closure(&[call.flow], calls).get(index) == Some(&true) {
                let name = world.flows.get(index).map_or("", |flow| flow.name.as_str());
                let message = format!("flow `{name}` calls itself");
                world.report.add(
                    call.start,
                    call.end,
                    message,
                    "repeat steps with `while` or `each`, or let the flow `spawn` itself",
                );
            }
        }
    }
}

fn transactions(world: &World<'_>, scopes: &[Scope<'_>], calls: &[Vec<usize>]) {
    for call in scopes
        .iter()
        .flat_map(|scope| &scope.calls)
        .filter(|call| call.in_transaction)
    {
        let runs = closure(&[call.flow], calls);
        let opens = scopes
            .iter()
            .zip(&runs)
            .any(|(scope, runs)| *runs && scope.opens);
        if opens {
            let message = "this call opens a transaction inside a transaction";
            world.report.add(
                call.start,
                call.end,
                message,
                "SQLite has no nested ones: keep one of the two",
            );
        }
    }
}

fn memory(world: &World<'_>, scope: &Scope<'_>, process: &Process, declares: &[String]) {
    for used in &scope.uses {
        let Some(name) = world.memory.get(used.slot) else {
            continue;
        };
        if !declares.contains(name) {
            let message = format!(
                "process `{}` runs this flow and has no memory `{name}`",
                process.name
            );
            let help = format!("write memory: {{ {name}: null }} in `{}`", process.name);
            world.report.add(used.start, used.end, message, help);
        }
    }
}

/// A flow that several processes run must fit the database of each of them.
fn database(world: &World<'_>, scope: &Scope<'_>, process: &Process) {
    let own = scope.unfit.iter();
    for unfit in own.filter(|unfit| unfit.file == process.database) {
        let name = &world.databases[process.database];
        let message = format!(
            "process `{}` runs this on its database `{name}`: {}",
            process.name, unfit.message
        );
        let help = "write `db:` with the name of the file that has the table beside the statement, or `database:` in the process";
        world.report.add(unfit.start, unfit.end, message, help);
    }
}
