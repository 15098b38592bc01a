//! One scenario under one variant, every name resolved: what `flow` executes.
//!
//! Pure data. The parser (`scenario/`) makes it, nobody changes it afterwards. Variables are slots, flows and
//! processes are indexes, and every SQL text has been prepared once against the variant's schema, so a run
//! cannot meet an unknown name.

use std::rc::Rc;

use rusqlite::types::Value;

use super::problem::Problem;
use crate::fault::Budget;

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

/// Rounds that a `while` may take before it fails with `runaway`.
pub const ROUNDS: u32 = 1_000;

/// A violation of every variant that starts after another one: the repair, or what it adds to schema and setup, has failed on
/// what it found.
pub const MIGRATION: &str = "migration_completes";

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
    /// Names of its goals, in file order.
    pub fn goal_names(&self) -> impl Iterator<Item = &str> {
        self.goals.iter().map(|goal| goal.name.as_str())
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

/// A kind of process.
#[derive(Debug, Clone)]
pub struct Process {
    /// Name, as in `on: api`.
    pub name: String,
    /// How many of them run; instances are numbered from 1.
    pub count: u32,
    /// Machine or runtime it lives on; `:home` in its flows.
    pub home: Option<String>,
    /// Names and first values of its volatile memory; lost in a crash.
    pub memory: Vec<(String, Value)>,
    /// Each connection has a memory of its own, instead of one for the process.
    pub memory_per_connection: bool,
    /// Fixed offset of its wall clock against virtual time.
    pub clock_offset_ms: i64,
    /// How far its local time is ahead of its wall clock.
    pub zone_ms: i64,
    /// The file that its steps use unless they say another one: 0 is the main one, then those of `Program::databases`.
    pub database: usize,
    /// Version of the code that it starts with (index into `Program::versions`).
    pub code: usize,
    /// Flow that each incarnation runs first.
    pub start: Option<usize>,
    /// Flow that an incarnation runs when it is asked to stop.
    pub stop: Option<usize>,
    /// Flow that it runs again and again.
    pub looped: Option<Loop>,
}

/// A flow that a process runs again and again while it is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loop {
    /// Index into `Program::flows`.
    pub flow: usize,
    /// From the start of one round to the start of the next.
    pub every: Millis,
    /// It rests when nothing has changed for so long, until something does.
    pub rest_after: Millis,
}

/// An exclusive or homed thing outside the database, such as a provider's native session.
#[derive(Debug, Clone)]
pub struct Resource {
    /// Name, as in `use: native(:p)`.
    pub name: String,
    /// How many may use a key at a time; more are refused. `exclusive: true` is 1.
    pub capacity: Option<u32>,
    /// How long after a use ends the exclusive lock is really released.
    pub release_after: Span,
    /// The error name of a refusal, for `retry` and `catch`.
    pub refuses: String,
    /// Each key remembers the home of the process that created it.
    pub home: Homed,
    /// How long after its making a key is durable: before, only the incarnation that made it finds it.
    pub durable_after: Option<Span>,
    /// A key that nobody has made is refused with `gone`.
    pub exists: bool,
    /// A key that was not used for so long is refused with `gone`.
    pub expires: Option<Millis>,
}

/// What a use of a resource from elsewhere means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Homed {
    /// Nothing: it has no home.
    No,
    /// It violates `resource.home`.
    Violates,
    /// It is refused with `elsewhere`.
    Refuses,
}

/// What a provider does with an effect.
#[derive(Debug, Clone)]
pub struct Provider {
    /// Name of the effect.
    pub effect: String,
    /// A second one of the same key does not happen again.
    pub idempotent: bool,
    /// So long after it has happened the key is forgotten.
    pub expires: Option<Millis>,
}

/// A named lock, outside the database.
#[derive(Debug, Clone)]
pub struct Lock {
    /// Name, as in `lock: chat(:chat)`.
    pub name: String,
    /// A waiter that gives up after its `wait` frees the holder's lock (the holder does not notice).
    pub breaks_on_waiter_timeout: bool,
    /// Its release frees it whoever holds it by then.
    pub careless_release: bool,
    /// A lock held longer than this is free for the next comer (the holder does not notice).
    pub stale_after: Option<Millis>,
}

/// A flow: parameters, variables and steps.
#[derive(Debug, Clone, Default)]
pub struct Flow {
    /// Name.
    pub name: String,
    /// The first `params` locals are the parameters.
    pub params: usize,
    /// Names of all local variables; index = slot. Unset is NULL.
    pub locals: Vec<String>,
    /// Steps.
    pub steps: Vec<Step>,
}

/// One version of the code.
#[derive(Debug, Clone)]
pub struct Version {
    /// Name.
    pub name: String,
    /// Flows in file order, those that only a variant or another version has come last: the same index is the same name in every
    /// version, with the same parameters.
    pub flows: Vec<Flow>,
}

/// Where a value lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Var {
    /// Slot of the running flow.
    Local(usize),
    /// Slot of the memory of the process (or of its connection).
    Memory(usize),
    /// Given by the harness; read only.
    Builtin(Builtin),
}

/// Read-only variables that every flow sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Builtin {
    /// `:event` label of the event being handled; the same for a redelivery.
    Event,
    /// `:delivery` cause label of this delivery; differs for a redelivery.
    Delivery,
    /// `:home` home of the process, or NULL.
    Home,
    /// `:process` name of the process instance, such as `api.1`.
    Process,
    /// `:incarnation` number of the process's incarnation, from 1.
    Incarnation,
    /// `:now` the process's clock, milliseconds since the Unix epoch.
    Now,
    /// `:connection` number of the connection on which the delivery came, or NULL.
    Connection,
    /// `:attempt` which delivery of its event it is, from 1.
    Attempt,
    /// `:local` the process's clock in its zone.
    Local,
    /// `:code` name of the version that runs.
    Code,
    /// `:error` text of the error that the running `catch` or `else` handles, or NULL.
    Error,
}

/// One SQL text, prepared once at load.
#[derive(Debug, Clone)]
pub struct Sql {
    /// The text that SQLite gets. `:memory.x` has become `:memory_x`.
    pub text: String,
    /// Variables in the order of SQLite's parameter numbers: index 0 is parameter 1.
    pub params: Vec<Var>,
    /// The file that it is for, as in [`Process::database`]; none is that of the process.
    pub db: Option<usize>,
}

/// A value to compute.
#[derive(Debug, Clone)]
pub enum Expr {
    /// Known at load.
    Const(Value),
    /// A plain variable.
    Var(Var),
    /// `SELECT <expr>`: first column of the only row.
    Sql(Sql),
    /// A field of the answer to another event (index into `Program::events`), NULL without one; only in arguments of events.
    Answer(usize, String),
}

/// One step of a flow.
#[derive(Debug, Clone)]
pub struct Step {
    /// Site of its gate and name in reports: the label, else kind and table or name, such as `sql session`.
    pub site: crate::label::Label,
    /// The file in which it stands; empty for one that nobody has written.
    pub file: Rc<str>,
    /// Where the step stands in the file.
    pub at: Place,
    /// What it does.
    pub kind: StepKind,
    /// It fails with `timeout` when it has taken so long, at the next point where it waits or goes on.
    pub within: Option<Millis>,
    /// Its statement goes over the network, and its author waits so long for the result.
    pub network: Option<Millis>,
    /// Steps that run when it has ended, however it has.
    pub finally: Vec<Step>,
    /// Error classes that it catches, first match wins.
    pub catch: Vec<(ErrorClass, Vec<Step>)>,
}

/// Classes of errors that a step can catch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorClass {
    /// The database was locked for longer than the busy timeout.
    Busy,
    /// A constraint or trigger refused.
    Constraint,
    /// Time ran out.
    Timeout,
    /// It may have happened.
    Unknown,
    /// A refusal by name: of a resource (`in_use`), or an error of the reference store (`fenced`, `closed`, `stale` …).
    Named(String),
    /// Any of them.
    Error,
}

/// What a step does. Bodies are lists of steps.
#[derive(Debug, Clone)]
pub enum StepKind {
    /// `read`: first row binds its columns; no row runs `none` (without `none` it binds NULL).
    Read {
        /// The query.
        sql: Sql,
        /// Where each column goes.
        into: Vec<Var>,
        /// Steps when there is no row.
        none: Option<Vec<Step>>,
    },
    /// `sql`: a write. With `rows`, another count of changed rows runs `otherwise`.
    Sql {
        /// The statement.
        sql: Sql,
        /// Expected number of changed rows.
        rows: Option<u64>,
        /// Steps when the count differs.
        otherwise: Vec<Step>,
    },
    /// `set`: assignments in order.
    Set(Vec<(Var, Expr)>),
    /// `new_id`: a fresh id, derived from the cause and an occurrence.
    NewId(Var),
    /// `call`: runs a flow of its own frame, `times` times.
    Call {
        /// Index into `Program::flows`.
        flow: usize,
        /// One for each parameter.
        args: Vec<Expr>,
        /// How often.
        times: u32,
        /// Where the value of its `return` goes.
        into: Option<Var>,
    },
    /// `if`: true when the value is neither NULL nor 0.
    If {
        /// Condition.
        condition: Expr,
        /// When true.
        then: Vec<Step>,
        /// When false.
        otherwise: Vec<Step>,
    },
    /// `each`: runs `steps` once for each row, which binds its columns.
    Each {
        /// The query; all of its rows are fetched before the first round.
        sql: Sql,
        /// Where each column goes.
        into: Vec<Var>,
        /// Steps of one round.
        steps: Vec<Step>,
    },
    /// `while`: runs `steps` as long as the value is neither NULL nor 0, at most [`ROUNDS`] times.
    While {
        /// Condition.
        condition: Expr,
        /// Steps of one round.
        steps: Vec<Step>,
    },
    /// `raise`: fails with an error of the scenario's own.
    Raise {
        /// Its name, for `catch`.
        name: String,
        /// Its text.
        message: Option<Expr>,
    },
    /// `spawn`: a task beside this one, in the same process and as volatile as its memory.
    Spawn {
        /// Index into `Program::flows`.
        flow: usize,
        /// One for each parameter.
        args: Vec<Expr>,
        /// How long it waits before it begins.
        delay: Span,
        /// A later one of the same name takes the place of one that has not begun.
        name: Option<Expr>,
    },
    /// `cancel`: a task of this name that has not begun never will.
    Cancel(Expr),
    /// `request`: a message to another process.
    Request {
        /// Index into `Program::flows`.
        flow: usize,
        /// One for each parameter.
        args: Vec<Expr>,
        /// Index into `Program::processes`.
        process: usize,
        /// Which instance, from 0; none takes them in turn.
        instance: Option<u32>,
        /// How long to wait for the answer; none does not wait.
        wait: Option<Millis>,
        /// Where the answer goes, as JSON text.
        into: Option<Var>,
    },
    /// `reply`: answers the delivery; the flow goes on.
    Reply(Vec<(String, Expr)>),
    /// `return`: ends the flow with a value; an open transaction of this flow is rolled back.
    Return(Option<Expr>),
    /// `atomic`: no other flow of this process goes on meanwhile.
    Atomic(Vec<Step>),
    /// `choose`: one of several values; the quiet run takes the first.
    Choose {
        /// Where it goes.
        into: Var,
        /// The values.
        from: Vec<Expr>,
    },
    /// `renew`: a lock that this flow holds counts as taken now.
    Renew {
        /// Index into `Program::locks`.
        lock: usize,
        /// Which one.
        key: Expr,
    },
    /// `transaction`: commits at its end; an uncaught error or `return` rolls back.
    Transaction {
        /// `BEGIN IMMEDIATE` instead of a plain `BEGIN`.
        immediate: bool,
        /// The file that it is on, as in [`Process::database`]; none is that of the process.
        db: Option<usize>,
        /// Steps inside.
        steps: Vec<Step>,
    },
    /// `lock`: waits for a named lock, runs `steps`, releases.
    Lock {
        /// Index into `Program::locks`.
        lock: usize,
        /// Which one.
        key: Expr,
        /// How long to wait; none waits for ever.
        wait: Option<Millis>,
        /// Where its generation goes: the fencing token.
        into: Option<Var>,
        /// While holding it.
        steps: Vec<Step>,
        /// When the wait ran out.
        otherwise: Vec<Step>,
    },
    /// `take`: time passes.
    Take(Span),
    /// `effect`: something outside happens, once more.
    Effect {
        /// Name of the effect.
        name: String,
        /// The user's declared intent.
        intent: Option<Expr>,
        /// The provider's idempotency key.
        key: Option<Expr>,
        /// A number to sum.
        value: Option<Expr>,
        /// To whom.
        to: Option<Expr>,
        /// It goes over the network, and its author waits so long to be told that it happened.
        wait: Option<Millis>,
    },
    /// `use`: uses a resource.
    Use {
        /// Index into `Program::resources`.
        resource: usize,
        /// Which one; NULL with `create` makes a new one.
        key: Expr,
        /// How long the use takes.
        hold: Span,
        /// Where the key of a new one goes.
        create: Option<Var>,
        /// The user's generation; one below the highest seen is refused.
        fence: Option<Expr>,
        /// What is done while it is used.
        steps: Vec<Step>,
        /// Delays between attempts after a refusal.
        retry: Vec<Millis>,
        /// Steps when the last attempt was refused.
        otherwise: Vec<Step>,
    },
    /// `op`: an operation of the reference store.
    Op {
        /// Operation, as in `lockstep_store::Op`'s serde tag.
        name: String,
        /// Fields of the operation by dotted path, such as `key.chat`.
        args: Vec<(String, Expr)>,
        /// The `op_id`, if the operation takes one; derived from the cause when absent.
        op_id: Option<Expr>,
        /// Where the reply goes, as JSON text.
        into: Option<Var>,
    },
}

/// Something that happens to the system.
#[derive(Debug, Clone)]
pub struct Event {
    /// Label: the cause of the delivery.
    pub label: String,
    /// Index into `Program::processes`; 0 when it concerns none.
    pub process: usize,
    /// Which instance, from 0; none: see what it does.
    pub instance: Option<u32>,
    /// What happens.
    pub does: Does,
    /// Not before this long after the start (or after all of `after`).
    pub at: Span,
    /// What must have happened before.
    pub after: Vec<After>,
    /// It happens again: so long after the last time, and how often in all.
    pub every: Option<(Millis, u32)>,
    /// No fault strikes the message or its answer.
    pub reliable: bool,
    /// How the platform repeats an unanswered delivery.
    pub redeliver: Option<Redeliver>,
    /// Events of the same queue are delivered one after the other.
    pub queue: Option<String>,
}

/// What an event does.
#[derive(Debug, Clone)]
pub enum Does {
    /// Sends a message to an instance; none is chosen by the event's position.
    Send {
        /// Connection number of the process, for memory by connection.
        connection: Option<u32>,
        /// Index into `Program::flows`.
        flow: usize,
        /// One for each parameter; no variables inside, except builtins and answers of other events.
        args: Vec<Expr>,
    },
    /// Crashes an instance, or all of them; how long they stay down.
    Crash(Span),
    /// Stops an instance, or all of them one after the other, gracefully.
    Stop,
    /// Stops an instance, or all of them one after the other, and starts it with this version (index into `Program::versions`).
    Roll(usize),
    /// Takes a backup of a database, as in [`Process::database`].
    Backup(usize),
    /// Puts the last backup of a database back.
    Restore {
        /// Which one, as in [`Process::database`].
        file: usize,
        /// Kinds of processes that are stopped (indexes into `Program::processes`); none: whoever is connected.
        stops: Option<Vec<usize>>,
    },
}

/// What an event waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// The flow of another event has ended (index into `Program::events`), by reply, return or crash.
    Event(usize),
    /// A process of this kind has crashed. If no crash strikes, the event never happens, and that is not an error.
    Crash(usize),
}

/// How a platform repeats a delivery that got no answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Redeliver {
    /// Time between one attempt and the next, for each repeat.
    pub gaps: Vec<Millis>,
    /// An answer that comes later than this after its attempt counts as none.
    pub timeout: Option<Millis>,
    /// A repeat has an id of its own: `:event` differs.
    pub new_id: bool,
    /// A repeat goes to the next instance.
    pub to_next: bool,
}

/// Faults that are on.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    /// Crash of a process at any gate: (index into `Program::processes`, strikes in one run for each instance).
    pub crash: Vec<(usize, u32)>,
    /// All other kinds: how often in one run, and how hard.
    pub budget: Budget,
}

/// One invariant of a scenario.
#[derive(Debug, Clone)]
pub struct Invariant {
    /// Name, the same word in YAML, report and case.
    pub name: String,
    /// Column of the query that is the key; the violation is about one key.
    pub per: Option<String>,
    /// When it is judged.
    pub kind: RuleKind,
    /// A query that returns the offending rows; `builtin` names stand in `RuleKind`.
    pub sql: String,
    /// File and line where it stands; empty for one that nobody has written.
    pub place: String,
}

/// When an invariant is judged, and over what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleKind {
    /// After every commit, on that snapshot.
    Never,
    /// At the end, over the recorded tables `event`, `effect`, `change`.
    History,
    /// After faults have stopped and the world has run on, on the last snapshot and the recorded tables.
    Finally,
    /// `resource.home`: a homed resource was used away from its home.
    ResourceHome,
}

/// A goal: pressure that some run must have reached, or the set of runs is vacuous.
#[derive(Debug, Clone)]
pub struct Goal {
    /// Name.
    pub name: String,
    /// A query over `event`, `effect`, `change` and the database at the end; a row means reached.
    pub sql: String,
    /// File and line where it stands; empty for one that nobody has written.
    pub place: String,
}

/// What a variant is expected to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expect {
    /// No invariant is violated by any run, and every goal was reached.
    Holds,
    /// The engine cannot show it.
    Undecided,
    /// Each of these is violated by some run and no other by any.
    Violates(Vec<String>),
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
