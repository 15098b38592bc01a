//! Histories: the operations of a trace, and what a restore from a backup makes of them.

use std::collections::BTreeMap;

use rusqlite::types::Value;

use super::{Commit, Operation};
use crate::trace::{Arg, Committed, Outcome, Trace};

/// The operations of a trace, in the order of their calls.
pub fn operations(trace: &Trace) -> Vec<Operation<'_>> {
    let mut readings = trace
        .readings
        .chunk_by(|a, b| a.0 == b.0)
        .collect::<Vec<_>>();
    readings.sort_by_key(|of_one| of_one[0].0);
    let mut readings = readings.into_iter().peekable();
    let mut operations = Vec::new();
    for (index, event) in trace.events.iter().enumerate() {
        let Arg::Op(call) = &event.arg else { continue };
        let read = readings.next_if(|of_one| of_one[0].0 == index);
        operations.push(Operation {
            call,
            answer: match &event.outcome {
                Outcome::Op(answer) => Some(answer),
                _ => None,
            },
            from: event.n,
            to: event.end,
            readings: read
                .unwrap_or_default()
                .iter()
                .map(|(_, reading)| *reading)
                .collect(),
            commits: Vec::new(),
        });
    }
    hint(trace, &mut operations);
    operations
}

/// Tells what operations committed whose effect, or when they had it, their answers and readings do not tell.
fn hint<'t>(trace: &'t Trace, operations: &mut [Operation<'t>]) {
    let is_unclear = |operation: &Operation<'_>| {
        let several = operation.call.op_id.is_none() && operation.readings.len() > 1;
        let alone = operation.to.is_some_and(|to| to - operation.from <= ALONE);
        operation.is_indefinite() || several || !alone
    };
    if !operations.iter().any(is_unclear) {
        return;
    }
    let causes: BTreeMap<u64, u64> = trace
        .events
        .iter()
        .map(|event| (event.n, event.cause.hash()))
        .collect();
    let mut of_cause: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (index, operation) in operations.iter().enumerate() {
        if let Some(cause) = causes.get(&operation.from) {
            of_cause.entry(*cause).or_default().push(index);
        }
    }
    for committed in trace.changes.chunk_by(|a, b| a.n == b.n) {
        let (n, cause) = (committed[0].n, committed[0].cause.hash());
        let Some(theirs) = of_cause.get(&cause) else {
            continue;
        };
        let called = theirs.partition_point(|index| operations[*index].from < n);
        let Some(last) = theirs[..called].last() else {
            continue;
        };
        let within = operations[*last].to.is_none_or(|to| n < to);
        // What was recovered after nobody knew how it had ended may have been done by any of them.
        let by: &[usize] = if within { &[*last] } else { &theirs[..called] };
        for index in by {
            let operation = &mut operations[*index];
            if is_unclear(operation) && (within || operation.is_indefinite()) {
                operation.commits.push(Commit {
                    turn: committed[0].turn,
                    ids: committed.iter().flat_map(texts).collect(),
                });
            }
        }
    }
}

/// So far from its call to its return is an operation with one commit during which nothing else was done.
const ALONE: u64 = 2;

fn texts(committed: &Committed) -> impl Iterator<Item = &str> {
    let images = [&committed.change.old, &committed.change.new];
    images
        .into_iter()
        .flatten()
        .flat_map(|row| row.iter())
        .filter_map(|value| match value {
            Value::Text(text) => Some(text.as_str()),
            _ => None,
        })
}

/// A restore from a backup: what took effect between the two was undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Undone {
    /// Position at which the backup was taken.
    pub backup: u64,
    /// Position at which it was put in the store's place.
    pub restore: u64,
}

/// One history for each life of the store: up to the first restore, and from each restore on. A later life begins with what
/// was done before its backup. What was being done when the backup was taken may be in it or not; what was being done
/// when the restore began has ended with the life before.
pub fn lives<'t>(operations: &[Operation<'t>], undone: &[Undone]) -> Vec<Vec<Operation<'t>>> {
    let mut lives = Vec::new();
    let mut life: Vec<Operation<'t>> = Vec::new();
    let mut rest = operations;
    for undone in undone {
        let (before, after) =
            rest.split_at(rest.partition_point(|operation| operation.from < undone.restore));
        rest = after;
        life.extend(before.iter().cloned());
        let next = life
            .iter()
            .filter_map(|operation| until(operation, undone.backup))
            .collect();
        life.iter_mut()
            .for_each(|operation| cut(operation, undone.restore));
        lives.push(std::mem::replace(&mut life, next));
    }
    life.extend(rest.iter().cloned());
    lives.push(life);
    lives
}

/// The operation as the backup knows it.
fn until<'t>(operation: &Operation<'t>, backup: u64) -> Option<Operation<'t>> {
    let mut known = (operation.from < backup).then(|| operation.clone())?;
    cut(&mut known, backup);
    Some(known)
}

/// What nobody had heard of by then took effect by then, or never.
fn cut(operation: &mut Operation<'_>, at: u64) {
    if operation.to.is_none_or(|to| to >= at) || operation.is_indefinite() {
        operation.answer = None;
        operation.to = Some(at);
    }
}
