//! Which flows run: a change of one that nobody runs repairs nothing.

use super::steps::visit;
use crate::scenario::{Does, Flow, Program, StepKind};

/// Flows that events and processes begin, in the code as it is first.
pub(super) fn begun(program: &Program) -> Vec<usize> {
    let mut begun = handled(program);
    for process in &program.processes {
        begun.extend(process.looped.map(|round| round.flow));
        begun.extend(process.start.into_iter().chain(process.stop));
    }
    begun
}

/// Flows that begin with a message or a task.
pub(super) fn handled(program: &Program) -> Vec<usize> {
    let sent = program.events.iter().filter_map(|event| match event.does {
        Does::Send { flow, .. } => Some(flow),
        _ => None,
    });
    let mut begun: Vec<usize> = sent.collect();
    let all = program
        .versions
        .first()
        .map_or(&[][..], |version| &version.flows);
    for flow in all {
        visit(&flow.steps, &mut |step| match step.kind {
            StepKind::Request { flow, .. } | StepKind::Spawn { flow, .. } => begun.push(flow),
            _ => {}
        });
    }
    begun
}

/// The same, and those that they call.
pub(super) fn with_called(program: &Program) -> Vec<usize> {
    let mut all = begun(program);
    let flows = program
        .versions
        .first()
        .map_or(&[][..], |version| &version.flows);
    let mut at = 0;
    while let Some(index) = all.get(at).copied() {
        let steps = flows.get(index).map_or(&[][..], |flow| &flow.steps);
        visit(steps, &mut |step| {
            if let StepKind::Call { flow, .. } = step.kind
                && !all.contains(&flow)
            {
                all.push(flow);
            }
        });
        at += 1;
    }
    all
}

/// Flows by their indices, each once, without empty ones.
pub(super) fn flows<'a>(program: &'a Program, indices: &[usize]) -> Vec<(usize, &'a Flow)> {
    let Some(version) = program.versions.first() else {
        return Vec::new();
    };
    let mut indices = indices.to_vec();
    indices.sort_unstable();
    indices.dedup();
    let known = indices
        .into_iter()
        .filter_map(|at| Some((at, version.flows.get(at)?)));
    known.filter(|(_, flow)| !flow.steps.is_empty()).collect()
}
