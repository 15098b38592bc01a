//! Flows: a scenario's program as a world that can be run. One file for each group of steps.

mod exec;
mod op;
mod outside;
mod sql;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use lockstep_store::SqliteStore;
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use rusqlite::types::Value;

use crate::check::{Rule, Rules};
use crate::fault::{Budget, Fault};
use crate::label::Label;
use crate::run::{Answer, Ctx, Db, Handle, Kernel, Limits, Process, Request, SimClock, World};
use crate::scenario::{self, After, Builtin, Expr, Program, RuleKind, StepKind, Var};

use self::outside::Outside;

/// A scenario under one variant, as a world.
pub struct FlowWorld {
    program: Rc<Program>,
    kinds: Vec<Label>,
}

/// What a flow shares with the other flows of its run.
struct Shared {
    program: Rc<Program>,
    outside: RefCell<Outside>,
    ended: Vec<Cell<bool>>,
}

/// Volatile memory of a process: by connection if the program says so, else under 0.
type Memory = RefCell<BTreeMap<u32, Rc<RefCell<Vec<Value>>>>>;

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
            let crash = self
                .program
                .faults
                .crash
                .iter()
                .find(|(process, _)| *process == kind);
            crash.map_or(0, |(_, times)| *times)
        };
        let mut all = Vec::new();
        for (kind, spec) in self.program.processes.iter().enumerate() {
            let mut instances = Vec::new();
            for instance in 1..=spec.count {
                let process = Process::new(&self.kinds[kind], kind, instance, spec.home.as_deref());
                process.clock.offset_ms.set(spec.clock_offset_ms);
                process.allow_crashes(crashes(kind));
                if let Some(flow) = spec.start {
                    let shared = Rc::clone(shared);
                    process.on_start(
                        false,
                        Rc::new(move |ctx| exec::handle(ctx, &shared, "start", None, flow, &[])),
                    );
                }
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
            outside: RefCell::default(),
            ended: self
                .program
                .events
                .iter()
                .map(|_| Cell::new(false))
                .collect(),
        });
        let processes = Rc::new(self.add_processes(kernel, &shared));
        for index in 0..self.program.events.len() {
            let (shared, processes) = (Rc::clone(&shared), Rc::clone(&processes));
            let label = Label::new(&format!("{}/platform", self.program.events[index].label));
            // The platform is outside: it never crashes. It is a daemon while it waits for what may never happen.
            kernel.spawn(label, None, self.may_never_happen(index), move |ctx| {
                deliver(ctx, &shared, &processes, index);
            });
        }
    }

    fn settled(&self, _kernel: &Kernel) -> bool {
        true
    }

    fn budget(&self) -> Budget {
        let faults = &self.program.faults;
        let mut budget = Budget::default();
        let mut allow = |fault, strikes, longest| budget.allow(fault, strikes, longest);
        allow(Fault::LostRequest, faults.lost_request, 0);
        allow(Fault::LostReply, faults.lost_reply, 0);
        allow(Fault::Duplicate, faults.duplicate, DUPLICATE_MS);
        for (fault, limits) in [
            (Fault::Late, faults.late),
            (Fault::Pause, faults.pause),
            (Fault::ClockJump, faults.clock_jump),
        ] {
            if let Some((strikes, longest)) = limits {
                allow(fault, strikes, longest);
            }
        }
        budget
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

/// The platform's side of one event: waits for its time, delivers, repeats while nobody answers.
fn deliver(ctx: &Ctx, shared: &Rc<Shared>, processes: &Rc<Vec<Vec<Rc<Process>>>>, index: usize) {
    let program = Rc::clone(&shared.program);
    let event = &program.events[index];
    for after in &event.after {
        let (shared, processes, after) = (Rc::clone(shared), Rc::clone(processes), *after);
        ctx.wait(&AFTER, None, move || match after {
            After::Event(other) => shared.ended[other].get(),
            After::Crash(kind) => processes[kind].iter().any(|process| process.died.get() > 0),
        });
    }
    if event.at > 0 {
        let at = if event.after.is_empty() {
            event.at
        } else {
            ctx.now_ms() + event.at
        };
        ctx.sleep_until(&AT, at);
    }
    let instances = &processes[event.process];
    let instance = event.instance.map_or(index, |instance| instance as usize) % instances.len();
    let times = event.redeliver.map_or(0, |law| law.times);
    for attempt in 0..=times {
        let cause = match attempt {
            0 => Label::new(&event.label),
            n => Label::new(&format!("{}/redelivery#{n}", event.label)),
        };
        let mail = ctx.send(request(shared, &instances[instance], index, cause));
        let arrived = Rc::clone(&mail);
        let until = event.redeliver.map(|law| ctx.now_ms() + law.every);
        ctx.wait(&ANSWER, until, move || arrived.arrived());
        if event.redeliver.is_none() || matches!(mail.get(), Some(Answer::Reply(_))) {
            break;
        }
        if let Some(until) = until {
            ctx.sleep_until(&AGAIN, until);
        }
    }
    shared.ended[index].set(true);
}

fn request(shared: &Rc<Shared>, to: &Rc<Process>, index: usize, cause: Label) -> Request {
    let shared = Rc::clone(shared);
    Request {
        cause,
        to: Rc::clone(to),
        handler: Rc::new(move |ctx| {
            let event = &shared.program.events[index];
            exec::handle(
                ctx,
                &shared,
                &event.label,
                event.connection,
                event.flow,
                &event.args,
            );
        }),
    }
}

/// Volatile memory of this process (or of one of its connections), made anew by each incarnation.
fn memory(ctx: &Ctx, program: &Program, connection: Option<u32>) -> Rc<RefCell<Vec<Value>>> {
    let process = ctx.process();
    let spec = &program.processes[process.kind_index];
    let all = process
        .memory
        .borrow()
        .clone()
        .and_then(|memory| memory.downcast::<Memory>().ok());
    let all = all.unwrap_or_else(|| {
        let fresh: Rc<Memory> = Rc::default();
        *process.memory.borrow_mut() = Some(Rc::clone(&fresh) as Rc<dyn std::any::Any>);
        fresh
    });
    let key = if spec.memory_per_connection {
        connection.unwrap_or(1)
    } else {
        0
    };
    let first = || {
        Rc::new(RefCell::new(
            spec.memory.iter().map(|(_, value)| value.clone()).collect(),
        ))
    };
    Rc::clone(all.borrow_mut().entry(key).or_insert_with(first))
}

/// Longest time between two arrivals of a doubled message.
const DUPLICATE_MS: u64 = 60_000;

const AFTER: Label = Label::fixed("after");
const AT: Label = Label::fixed("at");
const ANSWER: Label = Label::fixed("answer");
const AGAIN: Label = Label::fixed("again");

#[cfg(test)]
mod tests;
