//! Flows: a scenario's program as a world that can be run. One file for each group of steps.

mod effect;
mod event;
mod exec;
mod legs;
mod lock;
mod op;
mod process;
mod resource;
mod sql;
mod state;
mod task;
mod value;
mod volatile;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use lockstep_store::SqliteStore;
use rusqlite::Connection;
use rusqlite::config::DbConfig;

use crate::check::{Rule, Rules};
use crate::fault::Budget;
use crate::fold::Fold;
use crate::label::Label;
use crate::run::{Backup, Ctx, Db, Handle, Kernel, Limits, Process, Remembered, SimClock, World};
use crate::scenario::{self, After, Builtin, Expr, Program, RuleKind, StepKind, Target, Var};

use self::volatile::volatile;

/// A scenario under one variant, as a world.
pub struct FlowWorld {
    /// The last leg: the variant itself.
    program: Rc<Program>,
    /// Programs of all legs.
    legs: Vec<Rc<Program>>,
    /// Names of the further database files.
    databases: Vec<String>,
    /// What the leg that was built last shares.
    last: RefCell<Option<Rc<Shared>>>,
}

/// What a flow shares with the other flows of its run.
struct Shared {
    program: Rc<Program>,
    /// Instances of each kind of process.
    processes: RefCell<Vec<Vec<Rc<Process>>>>,
    locks: RefCell<lock::Locks>,
    resources: RefCell<resource::Resources>,
    seen: RefCell<effect::Seen>,
    /// Events that have happened, with the last answer to each.
    ended: Vec<Cell<bool>>,
    answers: RefCell<Vec<Option<Rc<str>>>>,
    /// Messages that wait for their turn, the one that is on its way first: event and which of its repeats.
    queues: RefCell<BTreeMap<String, VecDeque<(usize, u32)>>>,
    /// The last backup of each file.
    backups: RefCell<BTreeMap<usize, Backup>>,
    /// For each kind of process, how often one of its instances was chosen.
    turns: Vec<Cell<usize>>,
    /// The instance that a connection is to, by kind and number.
    connected: RefCell<BTreeMap<(usize, u32), usize>>,
}

impl Shared {
    /// One instance of a kind: the one whose turn it is in this run, unless a decision says another one.
    fn any_instance(&self, ctx: &Ctx, kind: usize) -> usize {
        let count = self.processes.borrow()[kind].len();
        ctx.touches_anything();
        let turn = self.turns[kind].get();
        self.turns[kind].set(turn + 1);
        let further = ctx.pick(&INSTANCE, count as u64);
        let instance = (turn + usize::try_from(further).unwrap_or(0)) % count;
        ctx.learns(instance as u64);
        instance
    }
}

const INSTANCE: Label = Label::fixed("instance");

impl FlowWorld {
    /// The world of this program.
    pub fn new(program: Rc<Program>) -> Rc<Self> {
        let legs = legs::programs(program);
        let program = Rc::clone(&legs[legs.len() - 1]);
        let databases = program.databases.iter();
        Rc::new(Self {
            databases: databases.map(|database| database.name.clone()).collect(),
            program,
            legs,
            last: RefCell::default(),
        })
    }

    fn add_processes(kernel: &Kernel, shared: &Rc<Shared>) -> Vec<Vec<Rc<Process>>> {
        let program = &shared.program;
        let crashes = |kind| {
            let mut crash = program.faults.crash.iter();
            let found = crash.find(|(process, _)| *process == kind);
            found.map_or(0, |(_, times)| *times)
        };
        let mut all = Vec::new();
        for (kind, spec) in program.processes.iter().enumerate() {
            let (name, mut instances) = (Label::new(&spec.name), Vec::new());
            for instance in 1..=spec.count {
                let process = Process::new(&name, kind, instance, spec.home.as_deref());
                process.clock.offset_ms.set(spec.clock_offset_ms);
                process.allow_crashes(crashes(kind));
                process.code.set(spec.code);
                process::arrange(&process, spec, shared);
                kernel.add_process(Rc::clone(&process));
                instances.push(process);
            }
            all.push(instances);
        }
        all
    }
}

impl World for FlowWorld {
    fn start_ms(&self) -> i64 {
        self.program.start_ms
    }

    fn open(&self, connection: Connection, clock: SimClock) -> Result<Db, String> {
        if !self.program.store {
            return self.open_further(connection);
        }
        let store = SqliteStore::from_connection(connection, clock);
        let store = store.map_err(|error| error.to_string())?;
        Ok(Db::Store(Box::new(store)))
    }

    fn databases(&self) -> &[String] {
        &self.databases
    }

    fn open_further(&self, mut connection: Connection) -> Result<Db, String> {
        let words = |error: rusqlite::Error| error.to_string();
        sql::bound(&mut connection).map_err(words)?;
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
                 PRAGMA temp_store = MEMORY;",
            )
            .map_err(words)?;
        connection
            .busy_timeout(patience(self.program.target))
            .map_err(words)?;
        connection
            .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
            .map_err(words)?;
        connection.set_prepared_statement_cache_capacity(512);
        // Loads the schema now, so that a pooled connection and a fresh one do the same in a run.
        connection
            .query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
            .map_err(words)?;
        Ok(Db::Raw(Box::new(connection)))
    }

    fn set_up(&self, handle: &mut Handle) -> Result<(), String> {
        let first = &self.legs[0];
        let further = handle.file.checked_sub(1);
        let schema = further.map_or(&first.schema, |at| &first.databases[at].schema);
        handle
            .connection()
            .execute_batch(schema)
            .map_err(|error| format!("schema: {error}"))?;
        let mut steps = legs::of_file(&first.setup, handle.file);
        steps.try_for_each(|step| legs::perform(handle, "setup", step))
    }

    fn build(&self, kernel: &Kernel) {
        let program = &self.legs[kernel.leg()];
        let shared = Rc::new(Shared {
            program: Rc::clone(program),
            processes: RefCell::default(),
            locks: RefCell::default(),
            resources: RefCell::default(),
            seen: RefCell::default(),
            ended: program.events.iter().map(|_| Cell::default()).collect(),
            answers: RefCell::new(vec![None; program.events.len()]),
            queues: RefCell::default(),
            backups: RefCell::default(),
            turns: program.processes.iter().map(|_| Cell::default()).collect(),
            connected: RefCell::default(),
        });
        self.hand_over(kernel, &shared);
        let processes = Self::add_processes(kernel, &shared);
        *shared.processes.borrow_mut() = processes;
        for index in 0..program.events.len() {
            let shared = Rc::clone(&shared);
            let label = Label::new(&format!("{}/platform", program.events[index].label));
            // The platform is outside: it never crashes. It is a daemon while it waits for what may never happen.
            kernel.spawn(label, None, self.may_never_happen(index), move |ctx| {
                event::happens(ctx, &shared, index);
            });
        }
    }

    fn legs(&self) -> usize {
        self.legs.len()
    }

    fn leg_name(&self, leg: usize) -> String {
        let before = &self.legs[leg - 1].variant;
        format!("everything is deployed anew, after {before}")
    }

    fn version(&self, code: usize) -> Option<&str> {
        let versions = &self.program.versions;
        let version = versions.get(code).filter(|_| versions.len() > 1);
        version.map(|version| version.name.as_str())
    }

    fn deploy(&self, kernel: &Kernel, handle: &mut Handle) -> Result<(), String> {
        self.prepare(kernel, handle)
    }

    fn settled(&self, _kernel: &Kernel) -> bool {
        true
    }

    fn budget(&self) -> Budget {
        self.program.faults.budget.clone()
    }

    fn limits(&self) -> Limits {
        Limits {
            pauses_inside_sqlite: self.program.target == Target::Sqlite,
            ..Limits::default()
        }
    }

    fn remembered(&self) -> Option<Remembered> {
        Some(self.history())
    }

    fn fold(&self, into: &mut Fold) {
        if let Some(shared) = &*self.last.borrow() {
            shared.fold(into);
        }
    }

    fn rules(&self) -> Rules {
        let query = |rule: &&scenario::Invariant| rule.kind != RuleKind::ResourceHome;
        Rules {
            invariants: self
                .program
                .invariants
                .iter()
                .filter(query)
                .map(|rule| Rule {
                    name: rule.name.clone(),
                    per: rule.per.clone(),
                    kind: rule.kind,
                    sql: rule.sql.clone(),
                    place: rule.place.clone(),
                })
                .collect(),
            goals: self
                .program
                .goals
                .iter()
                .map(|goal| Rule {
                    name: goal.name.clone(),
                    per: None,
                    kind: RuleKind::History,
                    sql: goal.sql.clone(),
                    place: goal.place.clone(),
                })
                .collect(),
            changes_schema: self.legs.len() > 1 || self.program.changes_schema,
        }
    }

    fn judge(&self, _kernel: &Kernel) {}
}

impl FlowWorld {
    /// An event that waits for a crash, directly or through another event, may never happen.
    fn may_never_happen(&self, event: usize) -> bool {
        self.program.events[event]
            .after
            .iter()
            .any(|after| match after {
                After::Crash(_) => true,
                After::Event(other) => *other != event && self.may_never_happen(*other),
            })
    }
}

/// How long a statement waits for the lock of a writer. PostgreSQL locks rows, so there nobody gives up for this one.
const fn patience(target: Target) -> Duration {
    match target {
        Target::Sqlite => Duration::from_secs(5),
        Target::Postgres => Duration::from_secs(24 * 3_600),
    }
}

#[cfg(test)]
mod tests;
