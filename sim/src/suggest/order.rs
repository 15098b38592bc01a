//! Steps that could stand together, or elsewhere.

use super::body::is_plain_write;
use super::repair::Repair;
use super::steps::{assigned, is_of_database, statements, vars_of, visit};
use crate::scenario::{Flow, Step, StepKind};

/// Neighbouring steps that only work on the database, two statements or more.
pub(super) fn transactions(index: usize, flow: &Flow) -> Vec<Repair> {
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

pub(super) fn has_deferred(flow: &Flow) -> bool {
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

/// Each write of a short body at each other place behind what it needs. What is seen of a flow, its effects and answers, stays
/// where it is.
pub(super) fn moves(index: usize, flow: &Flow) -> Vec<Repair> {
    let steps = flow.steps.len();
    if steps > LONGEST_BODY {
        return Vec::new();
    }
    let does = |step: &Step| matches!(step.kind, StepKind::Sql { .. });
    let movable = (0..steps).filter(|at| does(&flow.steps[*at]));
    let needed = |from: usize| {
        let vars = vars_of(&flow.steps[from]);
        let assigns = |at: &usize| {
            assigned(&flow.steps[*at])
                .iter()
                .any(|var| vars.contains(var))
        };
        (0..from).rev().find(assigns).map_or(0, |at| at + 1)
    };
    let to = |from: usize| (needed(from)..=steps).filter(move |to| *to != from && *to != from + 1);
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

/// Writes of the body with something else between them that nobody outside sees.
pub(super) fn is_scattered(flow: &Flow) -> bool {
    let writes: Vec<usize> = (0..flow.steps.len())
        .filter(|at| is_plain_write(&flow.steps[*at]))
        .collect();
    let [first, .., last] = writes[..] else {
        return false;
    };
    let unseen = |step: &Step| is_of_database(step) || matches!(step.kind, StepKind::Take(_));
    last - first >= writes.len() && flow.steps[first..last].iter().all(unseen)
}
