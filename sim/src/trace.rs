//! The trace: what happened, event by event, and its hash.
//!
//! Everything that a reader, a checker or a second process may want to compare is here; nothing in it depends on
//! addresses, on wall clocks or on how the run was found.

pub(crate) mod hash;
mod words;

use std::rc::Rc;

use lockstep_store::{Call, Error as StoreError, Reply};
use rusqlite::types::Value;

pub use words::{arg_text, outcome_text, plain, value_json};

use crate::disk::capture::Change;
use crate::label::Label;

/// Version of the trace's JSON lines.
pub const FORMAT: u32 = 1;

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A message is handled: invoked when its handler starts, returns with its reply.
    Deliver,
    /// A query.
    Read,
    /// A statement that writes.
    Sql,
    /// An operation of the reference store.
    Op,
    /// A named lock: invoked when asked for, returns when released (or given up).
    Lock,
    /// Time passes.
    Take,
    /// A resource is used.
    Use,
    /// Something outside happens.
    Effect,
    /// A fault strikes.
    Fault,
    /// The schedule deviates.
    Switch,
    /// A process starts again.
    Restart,
    /// Faults end.
    Heal,
    /// An invariant is violated.
    Violation,
    /// An actor never ended.
    Stuck,
    /// A process ends that was asked to, or by itself.
    Exit,
    /// A backup is taken.
    Backup,
    /// The database is put back to a backup.
    Restore,
    /// Everything is deployed anew.
    Deploy,
    /// A task that was set going beside its maker: from its first step to its last.
    Task,
    /// A message to another process: returns with the answer, or when nobody waits for it any more.
    Request,
    /// An error of a scenario's own.
    Raise,
    /// One of several values is chosen.
    Choose,
    /// A loop looks less and less often, because nothing has changed: until something does.
    Rest,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 23] = [
        Self::Deliver,
        Self::Read,
        Self::Sql,
        Self::Op,
        Self::Lock,
        Self::Take,
        Self::Use,
        Self::Effect,
        Self::Fault,
        Self::Switch,
        Self::Restart,
        Self::Heal,
        Self::Violation,
        Self::Stuck,
        Self::Exit,
        Self::Backup,
        Self::Restore,
        Self::Deploy,
        Self::Task,
        Self::Request,
        Self::Raise,
        Self::Choose,
        Self::Rest,
    ];

    /// The word in traces, in the table `event`, and in goals.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Deliver => "deliver",
            Self::Read => "read",
            Self::Sql => "sql",
            Self::Op => "op",
            Self::Lock => "lock",
            Self::Take => "take",
            Self::Use => "use",
            Self::Effect => "effect",
            Self::Fault => "fault",
            Self::Switch => "switch",
            Self::Restart => "restart",
            Self::Heal => "heal",
            Self::Violation => "violation",
            Self::Stuck => "stuck",
            Self::Exit => "exit",
            Self::Backup => "backup",
            Self::Restore => "restore",
            Self::Deploy => "deploy",
            Self::Task => "task",
            Self::Request => "request",
            Self::Raise => "raise",
            Self::Choose => "choose",
            Self::Rest => "rest",
        }
    }
}

/// What an event was given.
#[derive(Debug, Clone)]
pub enum Arg {
    /// Words.
    Text(Rc<str>),
    /// A fixed word.
    Word(&'static str),
    /// A site and the values bound to its statement.
    Bound(Label, Vec<Value>),
    /// An operation of the reference store.
    Op(Rc<Call>),
}

/// How an event ended.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It has not returned: its process died or the run ended first.
    Open,
    /// Nothing to tell.
    Done,
    /// Words, such as a reply.
    Text(Rc<str>),
    /// First row of a query; none if there was no row.
    Row(Option<Vec<Value>>),
    /// Rows that a statement changed.
    Count(u64),
    /// What went wrong.
    Error(Rc<str>),
    /// Answer of the reference store.
    Op(Rc<Result<Reply, StoreError>>),
}

/// One entry of the trace.
#[derive(Debug, Clone)]
pub struct Event {
    /// Position of the invocation.
    pub n: u64,
    /// Position of the return; `None` while open.
    pub end: Option<u64>,
    /// Virtual time of the invocation, microseconds since the start.
    pub at_us: u64,
    /// Virtual time of the return; `None` while open.
    pub end_us: Option<u64>,
    /// The delivery being handled.
    pub cause: Label,
    /// Process instance and incarnation; none for the world outside.
    pub process: Option<(Label, u32)>,
    /// What it is about.
    pub kind: Kind,
    /// What it was given.
    pub arg: Arg,
    /// How it ended.
    pub outcome: Outcome,
    /// It belongs to a round of a loop that only looked: nothing would be different without it, and people are not shown it.
    pub idle: bool,
}

/// One committed row change.
#[derive(Debug, Clone)]
pub struct Committed {
    /// Position of the commit.
    pub n: u64,
    /// How often the store's clocks had been read by then: after which reading it was.
    pub turn: u64,
    /// Virtual time of the commit, microseconds since the start.
    pub at_us: u64,
    /// Cause that committed.
    pub cause: Label,
    /// The change, with old and new images.
    pub change: Change,
}

/// What a store's clock showed when an operation read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Numbers the readings of all clocks. Whoever writes reads the clock under the write lock, so that these numbers are in
    /// the order of the writes.
    pub turn: u64,
    /// Unix milliseconds.
    pub at_ms: i64,
}

/// The trace of one run.
#[derive(Debug, Default, Clone)]
pub struct Trace {
    /// Events in the order of their invocation.
    pub events: Vec<Event>,
    /// Committed row changes in order.
    pub changes: Vec<Committed>,
    /// Readings of the store's clock, each with the index of the operation's event; those of one operation stand together.
    /// Not in the hash, the rows that were written at these times are.
    pub readings: Vec<(usize, Reading)>,
    /// How many of the events are switches.
    switches: usize,
    next: u64,
}

impl Trace {
    /// How much has happened, without the switches of the schedule.
    pub fn happened(&self) -> usize {
        self.events.len() - self.switches
    }

    /// The last position so far.
    pub fn last(&self) -> u64 {
        self.next
    }

    /// The next position.
    pub fn tick(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Adds an event and returns its index.
    pub fn push(&mut self, mut event: Event) -> usize {
        event.n = self.tick();
        self.switches += usize::from(event.kind == Kind::Switch);
        if !matches!(event.outcome, Outcome::Open) {
            event.end = Some(event.n);
            event.end_us = Some(event.at_us);
        }
        self.events.push(event);
        self.events.len() - 1
    }

    /// The event at `index` has returned, at this virtual time in microseconds.
    pub fn close(&mut self, index: usize, at_us: u64, outcome: Outcome) {
        let n = self.tick();
        let event = &mut self.events[index];
        event.end = Some(n);
        event.end_us = Some(at_us);
        event.outcome = outcome;
    }

    /// The round of a loop that began with the event at `first` has ended. It was idle if it did nothing but look.
    pub fn end_round(&mut self, first: usize) {
        let cause = self.events[first].cause.clone();
        let own = |event: &Event| event.cause == cause;
        let looks = |event: &Event| match event.kind {
            Kind::Task | Kind::Read | Kind::Op => true,
            Kind::Sql => matches!(event.outcome, Outcome::Count(0)),
            _ => false,
        };
        let fails = |event: &Event| match &event.outcome {
            Outcome::Error(_) => true,
            Outcome::Op(result) => result.is_err(),
            _ => false,
        };
        if self
            .changes
            .iter()
            .rev()
            .take_while(|change| change.n > self.events[first].n)
            .any(|change| change.cause == cause)
        {
            return;
        }
        let round = &mut self.events[first..];
        if round
            .iter()
            .filter(|event| own(event))
            .all(|event| looks(event) && !fails(event))
        {
            let mine = round.iter_mut().filter(|event| event.cause == cause);
            mine.for_each(|event| event.idle = true);
        }
    }

    /// The operation of the event at `index` has read its clock.
    pub fn read_clock(&mut self, index: usize, readings: Vec<Reading>) {
        let readings = readings.into_iter().map(|reading| (index, reading));
        self.readings.extend(readings);
    }

    /// What never ended, with what it waits for: since this position.
    pub fn stuck(&self, since: u64) -> Vec<String> {
        self.never_ended(since).map(never_ended_text).collect()
    }

    /// The same of what belongs to no process.
    pub fn waiting(&self, since: u64) -> Vec<String> {
        let outside = |event: &&Event| event.process.is_none();
        self.never_ended(since)
            .filter(outside)
            .map(never_ended_text)
            .collect()
    }

    fn never_ended(&self, since: u64) -> impl Iterator<Item = &Event> {
        self.events
            .iter()
            .filter(move |event| event.kind == Kind::Stuck && event.n > since)
    }
}

fn never_ended_text(event: &Event) -> String {
    format!("{} {}", event.cause, arg_text(&event.arg))
}
