//! One scenario under one variant, every name resolved: what `flow` executes.
//!
//! Pure data. The parser (`scenario/`) makes it, nobody changes it afterwards. Variables are slots, flows and
//! processes are indexes, and every SQL text has been prepared once against the variant's schema, so a run
//! cannot meet an unknown name.

mod event;
mod flow;
mod outside;
mod process;
mod rule;
mod step;

use std::rc::Rc;

pub use event::{After, Does, Event, Faults, Redeliver};
pub use flow::{Builtin, Expr, Flow, Sql, Var, Version};
pub use outside::{Homed, Lock, Provider, Resource};
pub use process::{Loop, Process};
pub use rule::{Expect, Goal, Invariant, RuleKind};
pub use step::{ErrorClass, ROUNDS, Step, StepKind, bodies_mut, visit};

use super::problem::Problem;

/// A place in a scenario's text, 1-based, for messages and reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Place {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// Milliseconds of virtual time.
pub type Millis = u64;

/// A closed range of durations; the quiet run takes the shortest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The shortest, which the quiet run takes.
    pub shortest: Millis,
    /// The longest that a deviation may choose.
    pub longest: Millis,
}

/// A violation of every variant that starts after another one: the repair, or what it adds to schema and setup, has failed on
/// what it found.
pub const MIGRATION: &str = "migration_completes";

/// A violation of every variant: a run goes on and on.
pub const RUN_ENDS: &str = "run_ends";

/// One scenario under one variant.
#[derive(Debug, Clone)]
pub struct Program {
    /// Name of the variant.
    pub variant: String,
    /// The reference store is underneath: its schema is migrated first and `op` steps are allowed.
    pub store: bool,
    /// The engine that the scenario speaks about.
    pub target: Target,
    /// Where virtual time starts, milliseconds since the Unix epoch.
    pub start_ms: i64,
    /// The variant whose program runs first, to its end: this one finds the database that it has left.
    pub before: Option<Rc<Program>>,
    /// Runs between the two, before `schema` and `setup`, outside any process and without faults.
    pub repair: Flow,
    /// DDL, executed once on the empty database (after the store's own migration if `store`), or on the one that was found.
    pub schema: String,
    /// Further database files, in file order.
    pub databases: Vec<Database>,
    /// Flows change the schema: a rule may only fit what they have made of it.
    pub changes_schema: bool,
    /// Runs before the first event, outside any process and without faults: a flow without parameters.
    pub setup: Flow,
    /// Process kinds, in file order.
    pub processes: Vec<Process>,
    /// Resources, in file order.
    pub resources: Vec<Resource>,
    /// Locks, in file order.
    pub locks: Vec<Lock>,
    /// What the file says of effects.
    pub effects: Vec<Provider>,
    /// Versions of the code; the first one is the file's own, `base`.
    pub versions: Vec<Version>,
    /// Events, in file order: the oldest cause is the first.
    pub events: Vec<Event>,
    /// What may go wrong, and how often in one run.
    pub faults: Faults,
    /// Invariants, in file order.
    pub invariants: Vec<Invariant>,
    /// Goals, in file order.
    pub goals: Vec<Goal>,
    /// Runs that a search may spend before the variant holds.
    pub runs: u64,
}

impl Program {
    /// These events do not happen; names of no event mean nothing.
    pub fn leave_out(&mut self, labels: &[String]) {
        for event in &mut self.events {
            event.happens &= !labels.contains(&event.label);
        }
    }

    /// Names of its goals, in file order.
    pub fn goal_names(&self) -> impl Iterator<Item = &str> {
        self.goals.iter().map(|goal| goal.name.as_str())
    }

    /// Names of all that is judged: its invariants in file order, then what the harness asks of every run of it.
    pub fn judged(&self) -> impl Iterator<Item = &str> {
        let rules = self.invariants.iter().map(|rule| rule.name.as_str());
        let migration = self.before.iter().map(|_| MIGRATION);
        rules.chain(migration).chain([RUN_ENDS])
    }
}

/// The engine that a scenario speaks about. On SQLite a clean `Postgres` result is undecided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// SQLite, serialised writers.
    Sqlite,
    /// PostgreSQL: flows are written as autocommit steps.
    Postgres,
}

/// A database file beside the main one.
#[derive(Debug, Clone)]
pub struct Database {
    /// Name, as in `db: legacy`, and before its tables in rules.
    pub name: String,
    /// DDL, executed once on the empty file.
    pub schema: String,
}

/// A scenario file, loaded: its variants in file order.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Name.
    pub name: String,
    /// Path as given, with forward slashes.
    pub file: String,
    /// The whole text, for the case file.
    pub text: String,
    /// Each variant with its expectation and its program.
    pub variants: Vec<Variant>,
    /// What is no problem, but probably not meant, or not to be seen on SQLite.
    pub hints: Vec<Problem>,
}

/// One variant of a scenario.
#[derive(Debug, Clone)]
pub struct Variant {
    /// Name.
    pub name: String,
    /// What it is expected to do.
    pub expect: Expect,
    /// What to run.
    pub program: Program,
}
