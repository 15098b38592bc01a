//! Histories: the operations of a trace, and what a restore from a backup makes of them.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::types::Value;

use super::Operation;
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
            wrote: BTreeSet::new(),
        });
    }
    hint(trace, &mut operations);
    operations
}

/// Tells of operations whose effect their answer does not tell what they wrote.
fn hint<'t>(trace: &'t Trace, operations: &mut [Operation<'t>]) {
    let several =
        |operation: &Operation<'_>| operation.call.op_id.is_none() && operation.readings.len() > 1;
    let mut unclear = operations
        .iter_mut()
        .filter(|operation| operation.is_indefinite() || several(operation))
        .peekable();
    if unclear.peek().is_none() {
        return;
    }
    let causes: BTreeMap<u64, u64> = trace
        .events
        .iter()
        .map(|event| (event.n, event.cause.hash()))
        .collect();
    let mut commits: BTreeMap<u64, Vec<&Committed>> = BTreeMap::new();
    for committed in &trace.changes {
        commits
            .entry(committed.cause.hash())
            .or_default()
            .push(committed);
    }
    for operation in unclear {
        let theirs = causes
            .get(&operation.from)
            .and_then(|cause| commits.get(cause));
        let during = theirs.into_iter().flatten().filter(|committed| {
            operation.from < committed.n && operation.to.is_none_or(|to| committed.n < to)
        });
        operation.wrote = during.flat_map(|committed| texts(committed)).collect();
    }
}

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
