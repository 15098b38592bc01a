//! The order of events of one run, with everything left out that tells one run from another without being an order: ids,
//! instances, times, amounts, and decisions of the harness.
//!
//! A *step* is (role, what it does, how that ends): a worker's `complete` that is refused as fenced. Looking for work and finding
//! none is no step: how often that happens is a matter of timing. A *pair* is two steps that
//! follow each other on one thing (a row, or what an operation names), the second by another cause than the first.

use std::collections::{BTreeMap, BTreeSet};

use lockstep_store::{Op, Reply, SessionId, TaskId};
use rusqlite::types::Value;

use crate::check::linearizable::{session_of, task_of};
use crate::label::{fnv, mix};
use crate::run::Ran;
use crate::trace::{Arg, Committed, Event, Kind, Outcome, Trace};

/// What a run shows.
pub(super) struct Shown {
    /// Its pairs.
    pub(super) pairs: BTreeSet<u64>,
    /// Its steps in the order in which they began.
    pub(super) sequence: u64,
}

/// Kinds of processes that did anything.
pub(super) fn roles(trace: &Trace) -> BTreeSet<&str> {
    let events = trace.events.iter().filter(|event| is_work(event.kind));
    events
        .filter_map(|event| Some(role(event.process.as_ref()?.0.as_str())))
        .collect()
}

/// The kind of a process: its name without the instance.
fn role(process: &str) -> &str {
    process.rsplit_once('.').map_or(process, |(kind, _)| kind)
}

fn is_work(kind: Kind) -> bool {
    match kind {
        Kind::Deliver
        | Kind::Read
        | Kind::Sql
        | Kind::Op
        | Kind::Lock
        | Kind::Take
        | Kind::Use
        | Kind::Effect => true,
        Kind::Fault
        | Kind::Backup
        | Kind::Restore
        | Kind::Deploy
        | Kind::Switch
        | Kind::Exit
        | Kind::Task
        | Kind::Request
        | Kind::Raise
        | Kind::Choose
        | Kind::Rest
        | Kind::Restart
        | Kind::Heal
        | Kind::Violation
        | Kind::Stuck => false,
    }
}

/// Reads a run.
pub(super) fn read(ran: &Ran) -> Shown {
    let mut on = Things::default();
    let mut sequence = 0;
    let mut running: BTreeMap<u64, u64> = BTreeMap::new();
    let mut effects = ran.ledger.effects.iter().peekable();
    let mut commits = ran.trace.changes.chunk_by(|a, b| a.n == b.n).peekable();
    for event in &ran.trace.events {
        while let Some(commit) = commits.next_if(|commit| commit[0].n < event.n) {
            on.committed(&running, commit);
        }
        let Some(step) = step(event) else { continue };
        sequence = mix(sequence, step);
        let cause = event.cause.hash();
        if let Arg::Op(call) = &event.arg {
            running.insert(cause, step);
            about(&call.op)
                .into_iter()
                .flatten()
                .for_each(|thing| on.touch(fnv(thing.as_bytes()), cause, step));
        }
        if let Some(effect) = effects.next_if(|effect| effect.n == event.n) {
            let named = [&effect.deed.intent, &effect.deed.key]
                .into_iter()
                .flatten();
            named.for_each(|value| on.touch(thing(value), cause, step));
        }
    }
    commits.for_each(|commit| on.committed(&running, commit));
    Shown {
        pairs: on.pairs,
        sequence,
    }
}

/// Who did what last to each thing.
#[derive(Default)]
struct Things {
    /// Cause and step.
    last: BTreeMap<u64, (u64, u64)>,
    pairs: BTreeSet<u64>,
}

impl Things {
    fn touch(&mut self, thing: u64, cause: u64, step: u64) {
        let before = self.last.insert(thing, (cause, step));
        if let Some((other, earlier)) = before
            && other != cause
        {
            self.pairs.insert(mix(earlier, step));
        }
    }

    /// The rows of a commit, known by their first columns, by the operation that its cause was in.
    fn committed(&mut self, running: &BTreeMap<u64, u64>, commit: &[Committed]) {
        let cause = commit[0].cause.hash();
        let step = running.get(&cause).copied().unwrap_or(0);
        for committed in commit {
            let change = &committed.change;
            let id = change.new.as_ref().or(change.old.as_ref());
            if let Some(id) = id.and_then(|row| row.first()) {
                self.touch(thing(id), cause, step);
            }
        }
    }
}

fn thing(id: &Value) -> u64 {
    match id {
        Value::Text(text) => fnv(text.as_bytes()),
        Value::Integer(number) => mix(number.unsigned_abs(), 1),
        _ => 0,
    }
}

/// What an operation is about besides the rows that it changes, so that refusals and reads count too.
fn about(op: &Op) -> [Option<&str>; 2] {
    match op {
        // What is there for people to read is nothing that steps meet at.
        Op::Note { .. } | Op::History { .. } | Op::Explain { .. } | Op::Show { .. } => [None, None],
        Op::Complete(turn) => [Some(turn.task.as_str()), None],
        Op::Accept(event) => [Some(event.task.as_str()), None],
        Op::Reset(reset) => [Some(reset.session.as_str()), None],
        Op::Revoke { prompt } => [Some(prompt.as_str()), None],
        op => [
            session_of(op).map(SessionId::as_str),
            task_of(op).map(TaskId::as_str),
        ],
    }
}

/// A step, or nothing for what is no event of the world.
fn step(event: &Event) -> Option<u64> {
    if finds_nothing(&event.outcome) {
        return None;
    }
    let (what, ends) = match event.kind {
        Kind::Switch | Kind::Take | Kind::Heal | Kind::Violation => return None,
        // Only the first word: which fault.
        Kind::Fault | Kind::Effect => (first_word(&event.arg), 0),
        Kind::Restart | Kind::Stuck => (0, 0),
        _ => (what(&event.arg), ends(&event.outcome)),
    };
    let who = event
        .process
        .as_ref()
        .map_or("outside", |(name, _)| role(name.as_str()));
    let does = mix(fnv(event.kind.name().as_bytes()), what);
    Some(mix(mix(fnv(who.as_bytes()), does), ends))
}

/// Whether a worker, reaper or sender looked for work and there was none.
fn finds_nothing(outcome: &Outcome) -> bool {
    let Outcome::Op(result) = outcome else {
        return false;
    };
    match result.as_ref() {
        Ok(Reply::Claimed(claimed)) => claimed.is_empty(),
        Ok(Reply::Sending(sending)) => sending.is_empty(),
        Ok(Reply::Reaped(reaped)) => reaped.requeued.is_empty() && reaped.ended.is_empty(),
        _ => false,
    }
}

fn what(arg: &Arg) -> u64 {
    match arg {
        Arg::Op(call) => fnv(call.op.name().as_bytes()),
        Arg::Bound(site, _) => site.hash(),
        Arg::Word(word) => fnv(word.as_bytes()),
        Arg::Text(_) => 0,
    }
}

fn first_word(arg: &Arg) -> u64 {
    match arg {
        Arg::Text(text) => fnv(text.split(' ').next().unwrap_or_default().as_bytes()),
        other => what(other),
    }
}

fn ends(outcome: &Outcome) -> u64 {
    match outcome {
        Outcome::Open => 1,
        Outcome::Done => 2,
        Outcome::Text(_) => 3,
        Outcome::Row(row) => 4 + u64::from(row.is_some()),
        Outcome::Count(count) => 6 + u64::from(*count > 0),
        Outcome::Error(_) => 8,
        Outcome::Op(result) => match result.as_ref() {
            Ok(reply) => 9 + told(reply),
            Err(error) => fnv(error.kind().as_bytes()),
        },
    }
}

/// What tells answers of one operation apart.
fn told(reply: &Reply) -> u64 {
    match reply {
        Reply::Accepted(accepted) => accepted.verdict as u64,
        Reply::Task(state) => *state as u64,
        Reply::Reaped(reaped) => {
            u64::from(!reaped.requeued.is_empty()) + 2 * u64::from(!reaped.ended.is_empty())
        }
        _ => 0,
    }
}
