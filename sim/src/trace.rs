//! The trace: what happened, event by event, and its hash.
//!
//! Everything that a reader, a checker or a second process may want to compare is here; nothing in it depends on
//! addresses, on wall clocks or on how the run was found.

use std::fmt::Write as _;
use std::rc::Rc;

use lockstep_store::{Call, Error as StoreError, Reply};
use rusqlite::types::Value;
use serde_json::{Map, Value as Json, json};
use xxhash_rust::xxh3::Xxh3;

use crate::disk::capture::{Change, ChangeKind};
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

    /// Feeds the whole trace, returned rows, errors and changed rows included, to a hash.
    pub fn hash_into(&self, hash: &mut Xxh3) {
        for event in &self.events {
            hash_event(event, hash);
        }
        for committed in &self.changes {
            hash.update(&committed.n.to_le_bytes());
            hash.update(committed.change.table.as_bytes());
            for image in [&committed.change.old, &committed.change.new] {
                hash.update(&[u8::from(image.is_some())]);
                image
                    .iter()
                    .flatten()
                    .for_each(|value| hash_value(value, hash));
            }
        }
    }

    /// The trace as JSON lines: a header, then one line for each event, then one for each committed change.
    pub fn to_json_lines(&self, header: Json) -> String {
        let mut out = String::new();
        let mut push = |line: Json| {
            let _ = writeln!(out, "{line}");
        };
        push(header);
        self.events.iter().for_each(|event| push(event_json(event)));
        self.changes
            .iter()
            .for_each(|committed| push(change_json(committed)));
        out
    }
}

fn never_ended_text(event: &Event) -> String {
    format!("{} {}", event.cause, arg_text(&event.arg))
}

fn hash_event(event: &Event, hash: &mut Xxh3) {
    hash.update(&event.n.to_le_bytes());
    hash.update(&event.end.unwrap_or(0).to_le_bytes());
    hash.update(&event.at_us.to_le_bytes());
    hash.update(&event.cause.hash().to_le_bytes());
    if let Some((process, incarnation)) = &event.process {
        hash.update(&process.hash().to_le_bytes());
        hash.update(&incarnation.to_le_bytes());
    }
    hash.update(&[event.kind as u8]);
    match &event.arg {
        Arg::Text(text) => hash.update(text.as_bytes()),
        Arg::Word(word) => hash.update(word.as_bytes()),
        Arg::Bound(site, values) => {
            hash.update(&site.hash().to_le_bytes());
            values.iter().for_each(|value| hash_value(value, hash));
        }
        Arg::Op(call) => hash_debug(call, hash),
    }
    hash_outcome(&event.outcome, hash);
}

fn hash_outcome(outcome: &Outcome, hash: &mut Xxh3) {
    match outcome {
        Outcome::Open => hash.update(&[0]),
        Outcome::Done => hash.update(&[1]),
        Outcome::Text(text) => {
            hash.update(&[2]);
            hash.update(text.as_bytes());
        }
        Outcome::Row(row) => {
            hash.update(&[3, u8::from(row.is_some())]);
            row.iter()
                .flatten()
                .for_each(|value| hash_value(value, hash));
        }
        Outcome::Count(count) => hash.update(&count.to_le_bytes()),
        Outcome::Error(text) => {
            hash.update(&[5]);
            hash.update(text.as_bytes());
        }
        Outcome::Op(result) => hash_debug(result, hash),
    }
}

fn hash_value(value: &Value, hash: &mut Xxh3) {
    match value {
        Value::Null => hash.update(&[0]),
        Value::Integer(n) => {
            hash.update(&[1]);
            hash.update(&n.to_le_bytes());
        }
        Value::Real(x) => {
            hash.update(&[2]);
            hash.update(&x.to_bits().to_le_bytes());
        }
        Value::Text(text) => {
            hash.update(&[3]);
            hash.update(&(text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        }
        Value::Blob(bytes) => {
            hash.update(&[4]);
            hash.update(&(bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        }
    }
}

/// Hashes the debug form without building it: operations and replies are plain data whose debug form shows every field.
fn hash_debug(value: &impl std::fmt::Debug, hash: &mut Xxh3) {
    struct Into<'a>(&'a mut Xxh3);
    impl std::fmt::Write for Into<'_> {
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            self.0.update(text.as_bytes());
            Ok(())
        }
    }
    let _ = write!(Into(hash), "{value:?}");
}

/// A value as JSON; blobs as hexadecimal text.
pub fn value_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Integer(n) => json!(n),
        Value::Real(x) => json!(x),
        Value::Text(text) => json!(text),
        Value::Blob(bytes) => json!(
            bytes
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
        ),
    }
}

fn row_json(row: &[Value]) -> Json {
    Json::Array(row.iter().map(value_json).collect())
}

/// What an event was given, in words.
pub fn arg_text(arg: &Arg) -> String {
    match arg {
        Arg::Text(text) => text.to_string(),
        Arg::Word(word) => (*word).to_owned(),
        Arg::Bound(site, values) if values.is_empty() => site.to_string(),
        Arg::Bound(site, values) => {
            let values: Vec<String> = values
                .iter()
                .map(|value| value_json(value).to_string())
                .collect();
            format!("{site} [{}]", values.join(", "))
        }
        Arg::Op(call) => {
            serde_json::to_string(&call.op).unwrap_or_else(|_| format!("{:?}", call.op))
        }
    }
}

/// How an event ended, in words.
pub fn outcome_text(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Open => "?".to_owned(),
        Outcome::Done => String::new(),
        Outcome::Text(text) => text.to_string(),
        Outcome::Row(None) => "no row".to_owned(),
        Outcome::Row(Some(row)) => row_json(row).to_string(),
        Outcome::Count(1) => "1 row".to_owned(),
        Outcome::Count(count) => format!("{count} rows"),
        Outcome::Error(text) => format!("error: {text}"),
        Outcome::Op(result) => match result.as_ref() {
            Ok(reply) => serde_json::to_string(reply).unwrap_or_else(|_| format!("{reply:?}")),
            Err(error) => format!("error: {error}"),
        },
    }
}

fn event_json(event: &Event) -> Json {
    let mut line = Map::new();
    line.insert("n".into(), json!(event.n));
    line.insert("end".into(), json!(event.end));
    line.insert("at_us".into(), json!(event.at_us));
    line.insert("cause".into(), json!(event.cause.as_str()));
    if let Some((process, incarnation)) = &event.process {
        line.insert("process".into(), json!(process.as_str()));
        line.insert("incarnation".into(), json!(incarnation));
    }
    line.insert("kind".into(), json!(event.kind.name()));
    line.insert("arg".into(), json!(arg_text(&event.arg)));
    line.insert("outcome".into(), json!(outcome_text(&event.outcome)));
    Json::Object(line)
}

fn change_json(committed: &Committed) -> Json {
    let kind = match committed.change.kind {
        ChangeKind::Insert => "insert",
        ChangeKind::Update => "update",
        ChangeKind::Delete => "delete",
    };
    json!({
        "n": committed.n,
        "cause": committed.cause.as_str(),
        "kind": kind,
        "table": &*committed.change.table,
        "old": committed.change.old.as_deref().map(row_json),
        "new": committed.change.new.as_deref().map(row_json),
    })
}
