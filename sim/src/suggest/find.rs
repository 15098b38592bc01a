//! The repairs that a program could have, from its rules and its flows.

use super::guard::compare_and_set;
use super::index::unique_index;
use super::steps::{is_of_database, statements, visit};
use super::{Key, Repair};
use crate::scenario::{Does, Expr, Flow, Program, RuleKind, Step, StepKind, Var};

/// All of them, the plainest first.
pub fn repairs(program: &Program) -> Vec<Repair> {
    let mut all: Vec<Repair> = program
        .invariants
        .iter()
        .filter(|rule| matches!(rule.kind, RuleKind::Never | RuleKind::Finally))
        .filter_map(|rule| unique_index(&rule.sql))
        .collect();
    let flows = flows(program);
    for (index, flow) in &flows {
        all.extend(compare_and_set(*index, flow));
    }
    for (index, flow) in &flows {
        all.extend(transactions(*index, flow));
    }
    if flows.iter().any(|(_, flow)| has_deferred(flow)) {
        all.push(Repair::Immediate);
    }
    for (index, flow) in &flows {
        all.push(Repair::Dedup {
            flow: *index,
            key: Key::Event,
        });
        all.extend(intents(flow).into_iter().map(|slot| Repair::Dedup {
            flow: *index,
            key: Key::Parameter(slot),
        }));
    }
    all.extend(locks(&flows));
    for (index, flow) in &flows {
        all.extend(moves(*index, flow));
    }
    all.dedup();
    all
}

/// Whether two repairs say different things.
pub(super) fn go_together(one: &Repair, other: &Repair) -> bool {
    let moves = |repair: &Repair| matches!(repair, Repair::Move { .. });
    if moves(one) || moves(other) {
        return false;
    }
    let same_kind = std::mem::discriminant(one) == std::mem::discriminant(other);
    let flow = |repair: &Repair| match repair {
        Repair::Transaction { flow, .. }
        | Repair::Dedup { flow, .. }
        | Repair::CompareAndSet { flow, .. } => Some(*flow),
        _ => None,
    };
    // A lock of some flows beside one of others is a lock that does not meet it.
    let locks = matches!(one, Repair::Lock { .. });
    !same_kind || (!locks && flow(one).is_some() && flow(one) != flow(other))
}

/// Flows that events and processes begin, with their indices, in the code as it is first.
fn flows(program: &Program) -> Vec<(usize, &Flow)> {
    let Some(version) = program.versions.first() else {
        return Vec::new();
    };
    let sent = program.events.iter().filter_map(|event| match event.does {
        Does::Send { flow, .. } => Some(flow),
        _ => None,
    });
    let mut begun: Vec<usize> = sent.collect();
    for flow in &version.flows {
        visit(&flow.steps, &mut |step| match step.kind {
            StepKind::Request { flow, .. } | StepKind::Spawn { flow, .. } => begun.push(flow),
            _ => {}
        });
    }
    begun.sort_unstable();
    begun.dedup();
    let known = begun
        .into_iter()
        .filter_map(|at| Some((at, version.flows.get(at)?)));
    known.filter(|(_, flow)| !flow.steps.is_empty()).collect()
}

/// Neighbouring steps that only work on the database, two statements or more.
fn transactions(index: usize, flow: &Flow) -> Vec<Repair> {
    let mut found = Vec::new();
    let mut from = 0;
    for at in 0..=flow.steps.len() {
        if flow.steps.get(at).is_some_and(is_of_database) {
            continue;
        }
        if statements(&flow.steps[from..at]) >= 2 {
            found.push(Repair::Transaction {
                flow: index,
                steps: (from, at),
            });
        }
        from = at + 1;
    }
    found
}

fn has_deferred(flow: &Flow) -> bool {
    let mut found = false;
    visit(&flow.steps, &mut |step| {
        found |= matches!(
            step.kind,
            StepKind::Transaction {
                immediate: false,
                ..
            }
        );
    });
    found
}

/// Parameters that are the intent of an effect: what is to happen once for each of their values.
fn intents(flow: &Flow) -> Vec<usize> {
    let mut slots = Vec::new();
    visit(&flow.steps, &mut |step| {
        if let StepKind::Effect {
            intent: Some(Expr::Var(Var::Local(slot))),
            ..
        } = step.kind
            && slot < flow.params
        {
            slots.push(slot);
        }
    });
    slots.sort_unstable();
    slots.dedup();
    slots
}

/// Each write of a short body at each other place. What is seen of a flow, its effects and answers, stays where it is.
fn moves(index: usize, flow: &Flow) -> Vec<Repair> {
    let steps = flow.steps.len();
    if steps > LONGEST_BODY {
        return Vec::new();
    }
    let does = |step: &Step| matches!(step.kind, StepKind::Sql { .. });
    let movable = (0..steps).filter(|at| does(&flow.steps[*at]));
    let to = |from: usize| (0..=steps).filter(move |to| *to != from && *to != from + 1);
    let moves = movable.flat_map(|from| to(from).map(move |before| (from, before)));
    moves
        .map(|(from, before)| Repair::Move {
            flow: index,
            from,
            before,
        })
        .collect()
}

/// Steps of longer bodies are not moved.
const LONGEST_BODY: usize = 8;

/// Each flow under a lock of its own, and all of them under one.
fn locks(flows: &[(usize, &Flow)]) -> Vec<Repair> {
    let lockable = |flow: &Flow| {
        let mut free = true;
        visit(&flow.steps, &mut |step| {
            free &= !matches!(step.kind, StepKind::Lock { .. } | StepKind::Atomic(_));
        });
        free
    };
    let free: Vec<&(usize, &Flow)> = flows.iter().filter(|(_, flow)| lockable(flow)).collect();
    let first = |flow: &Flow| flow.locals.first().filter(|_| flow.params > 0).cloned();
    let mut found: Vec<Repair> = free
        .iter()
        .map(|(index, flow)| Repair::Lock {
            flows: vec![*index],
            on: first(flow),
        })
        .collect();
    if let [(_, one), _, ..] = free[..] {
        let names = one.locals[..one.params].iter();
        let common = names.filter(|name| {
            free.iter()
                .all(|(_, flow)| flow.locals[..flow.params].contains(name))
        });
        let on: Vec<Option<String>> = common.cloned().map(Some).chain([None]).collect();
        let flows: Vec<usize> = free.iter().map(|(index, _)| *index).collect();
        found.extend(on.into_iter().map(|on| Repair::Lock {
            flows: flows.clone(),
            on,
        }));
    }
    found
}
