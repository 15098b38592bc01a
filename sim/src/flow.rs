//! Flows: a scenario's program as a world that can be run. One file for each group of steps.

mod effect;
mod event;
mod exec;
mod lock;
mod op;
mod process;
mod resource;
mod sql;
mod task;
mod volatile;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use lockstep_store::SqliteStore;
use rusqlite::Connection;
use rusqlite::config::DbConfig;

use crate::check::{Rule, Rules};
use crate::fault::Budget;
use crate::label::Label;
use crate::run::{Backup, Db, Handle, Kernel, Limits, Process, SimClock, World};
use crate::scenario::{self, After, Builtin, Expr, Program, RuleKind, StepKind, Var};

use self::volatile::volatile;

/// A scenario under one variant, as a world.
pub struct FlowWorld {
    program: Rc<Program>,
    kinds: Vec<Label>,
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
    backup: RefCell<Option<Backup>>,
}

impl FlowWorld {
    /// The world of this program.
    pub fn new(program: Rc<Program>) -> Rc<Self> {
        let kinds = program
            .processes
            .iter()
            .map(|process| Label::new(&process.name))
            .collect();
        Rc::new(Self { program, kinds })
    }

    fn add_processes(&self, kernel: &Kernel, shared: &Rc<Shared>) -> Vec<Vec<Rc<Process>>> {
        let crashes = |kind| {
            let mut crash = self.program.faults.crash.iter();
            let found = crash.find(|(process, _)| *process == kind);
            found.map_or(0, |(_, times)| *times)
        };
        let mut all = Vec::new();
        for (kind, spec) in self.program.processes.iter().enumerate() {
            let mut instances = Vec::new();
            for instance in 1..=spec.count {
                let process = Process::new(&self.kinds[kind], kind, instance, spec.home.as_deref());
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
        let words = |error: rusqlite::Error| error.to_string();
        if self.program.store {
            let store = SqliteStore::from_connection(connection, clock)
                .map_err(|error| error.to_string())?;
            return Ok(Db::Store(Box::new(store)));
        }
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
                 PRAGMA busy_timeout = 5000; PRAGMA temp_store = MEMORY;",
            )
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
        handle
            .connection()
            .execute_batch(&self.program.schema)
            .map_err(|error| format!("schema: {error}"))?;
        for step in &self.program.setup.steps {
            let done = match &step.kind {
                StepKind::Sql { sql, .. } => handle
                    .connection()
                    .execute(&sql.text, [])
                    .map(|_| ())
                    .map_err(|error| error.to_string()),
                StepKind::Op { name, args, .. } => op::set_up(handle, name, args),
                _ => Err("set-up takes `sql` and `op` steps only".to_owned()),
            };
            done.map_err(|error| format!("setup, line {}: {error}", step.at.line))?;
        }
        Ok(())
    }

    fn build(&self, kernel: &Kernel) {
        let shared = Rc::new(Shared {
            program: Rc::clone(&self.program),
            processes: RefCell::default(),
            locks: RefCell::default(),
            resources: RefCell::default(),
            seen: RefCell::default(),
            ended: self
                .program
                .events
                .iter()
                .map(|_| Cell::default())
                .collect(),
            answers: RefCell::new(vec![None; self.program.events.len()]),
            queues: RefCell::default(),
            backup: RefCell::default(),
        });
        let processes = self.add_processes(kernel, &shared);
        *shared.processes.borrow_mut() = processes;
        for index in 0..self.program.events.len() {
            let shared = Rc::clone(&shared);
            let label = Label::new(&format!("{}/platform", self.program.events[index].label));
            // The platform is outside: it never crashes. It is a daemon while it waits for what may never happen.
            kernel.spawn(label, None, self.may_never_happen(index), move |ctx| {
                event::happens(ctx, &shared, index);
            });
        }
    }

    fn settled(&self, _kernel: &Kernel) -> bool {
        true
    }

    fn budget(&self) -> Budget {
        self.program.faults.budget.clone()
    }

    fn limits(&self) -> Limits {
        Limits::default()
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
                })
                .collect(),
            goals: self
                .program
                .goals
                .iter()
                .map(|goal| (goal.name.clone(), goal.sql.clone()))
                .collect(),
            changes_schema: self.program.changes_schema,
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

#[cfg(test)]
mod tests;
