//! A finished run as the history invariants look at it: operations, commits and who made them, answers that were given.
//!
//! After a restore from a backup, what was done since the backup is undone: it is left out here, and so is what spans it. The
//! effects that it had outside remain.

use std::collections::BTreeMap;
use std::ops::Range;

use lockstep_store::{Call, Error, Op, Reply};
use rusqlite::types::Value;

use super::row;
use super::town::Town;
use crate::label::Label;
use crate::ledger::Ledger;
use crate::run::Kernel;
use crate::trace::{Arg, Committed, Event, Kind, Outcome, Trace};

/// One operation of the store.
#[derive(Debug, Clone, Copy)]
pub(super) struct Operation<'a> {
    pub(super) n: u64,
    /// When it returned; `None` when it never did.
    pub(super) end: Option<u64>,
    pub(super) cause: &'a Label,
    pub(super) call: &'a Call,
    pub(super) result: Option<&'a Result<Reply, Error>>,
}

impl<'a> Operation<'a> {
    fn of(event: &'a Event) -> Option<Self> {
        let Arg::Op(call) = &event.arg else {
            return None;
        };
        let result = match &event.outcome {
            Outcome::Op(result) => Some(&**result),
            _ => None,
        };
        Some(Self {
            n: event.n,
            end: event.end,
            cause: &event.cause,
            call,
            result,
        })
    }

    /// The answer, if it was one.
    pub(super) fn reply(&self) -> Option<&'a Reply> {
        self.result.and_then(|result| result.as_ref().ok())
    }
}

/// One commit: the rows that it changed, and the operation that made it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Commit<'a> {
    pub(super) n: u64,
    pub(super) cause: &'a Label,
    pub(super) changes: &'a [Committed],
    pub(super) by: Option<Operation<'a>>,
}

impl<'a> Commit<'a> {
    /// Old and new image of each change of a table.
    pub(super) fn of(
        &self,
        table: &'static str,
    ) -> impl Iterator<Item = (Option<&'a [Value]>, Option<&'a [Value]>)> {
        let changes = self.changes.iter();
        let changes = changes.filter(move |committed| &*committed.change.table == table);
        changes.map(|committed| {
            let change = &committed.change;
            (change.old.as_deref(), change.new.as_deref())
        })
    }

    /// The operation that made it.
    pub(super) fn op(&self) -> Option<&'a Op> {
        self.by.map(|operation| &operation.call.op)
    }
}

/// Everything that a judge may look at.
pub(super) struct Facts<'a> {
    pub(super) town: &'a Town,
    pub(super) ledger: &'a Ledger,
    /// In the order of their invocation.
    pub(super) operations: Vec<Operation<'a>>,
    pub(super) commits: Vec<Commit<'a>>,
    /// What was answered to deliveries: position, delivery, words.
    pub(super) answers: Vec<(u64, &'a Label, &'a str)>,
    undone: Vec<Range<u64>>,
    /// The last position at which anybody could do anything.
    pub(super) ended_n: u64,
}

impl<'a> Facts<'a> {
    pub(super) fn new(
        kernel: &Kernel,
        town: &'a Town,
        trace: &'a Trace,
        ledger: &'a Ledger,
    ) -> Self {
        let undone = kernel.undone();
        let is_undone =
            |from: u64, to: u64| undone.iter().any(|gap| from < gap.end && to > gap.start);
        // Who never returned died: what it had committed before is judged by the time of the commit.
        let kept = |event: &&Event| !is_undone(event.n, event.end.unwrap_or(event.n) + 1);
        let events = || trace.events.iter();
        let operations: Vec<Operation<'_>> =
            events().filter(kept).filter_map(Operation::of).collect();
        // What a backup already holds may have been committed by an operation that returned after it.
        let all: Vec<Operation<'_>> = events().filter_map(Operation::of).collect();
        let commits = commits(trace, &all, |n| is_undone(n, n + 1));
        Self {
            town,
            ledger,
            operations,
            commits,
            answers: events().filter(kept).filter_map(answer).collect(),
            undone,
            ended_n: kernel.ended_n(),
        }
    }

    /// Whether this moment was undone by a restore.
    pub(super) fn is_undone(&self, n: u64) -> bool {
        self.undone_at(n).is_some()
    }

    /// From the backup to the restore that undid this moment, if one did.
    pub(super) fn undone_at(&self, n: u64) -> Option<&Range<u64>> {
        self.undone.iter().find(|gap| gap.contains(&n))
    }

    /// The last committed image of each row of a table, by its first column.
    pub(super) fn last(&self, table: &'static str) -> BTreeMap<&'a str, &'a [Value]> {
        let mut rows = BTreeMap::new();
        for (old, new) in self.commits.iter().flat_map(|commit| commit.of(table)) {
            match (new, old) {
                (Some(new), _) => {
                    rows.insert(row::text(new, 0), new);
                }
                (None, Some(old)) => {
                    rows.remove(row::text(old, 0));
                }
                (None, None) => {}
            }
        }
        rows
    }
}

fn answer(event: &Event) -> Option<(u64, &Label, &str)> {
    match (&event.kind, &event.outcome) {
        (Kind::Deliver, Outcome::Text(text)) => Some((event.end?, &event.cause, text)),
        _ => None,
    }
}

/// Commits, each with the operation of its cause that was running.
fn commits<'a>(
    trace: &'a Trace,
    operations: &[Operation<'a>],
    is_undone: impl Fn(u64) -> bool,
) -> Vec<Commit<'a>> {
    let mut running: BTreeMap<u64, Operation<'_>> = BTreeMap::new();
    let mut operations = operations.iter().peekable();
    let mut commits = Vec::new();
    for changes in trace.changes.chunk_by(|a, b| a.n == b.n) {
        let (n, cause) = (changes[0].n, &changes[0].cause);
        while let Some(operation) = operations.next_if(|operation| operation.n < n) {
            running.insert(operation.cause.hash(), *operation);
        }
        if is_undone(n) {
            continue;
        }
        let by = running
            .get(&cause.hash())
            .filter(|operation| operation.end.is_none_or(|end| end > n));
        commits.push(Commit {
            n,
            cause,
            changes,
            by: by.copied(),
        });
    }
    commits
}
