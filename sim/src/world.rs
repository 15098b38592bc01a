//! The default world on the reference store: a platform that delivers at least once, users who write, two API processes,
//! workers of two resume classes, a provider that owns native sessions, a reaper, and an operator.
//!
//! It owns what the roles share ([`town`]), what they must keep ([`invariant`]) and the proof that each of these can fail
//! ([`SABOTEURS`]). What each of them does is in `role`, one file each. All make-up of a run (how many messages, what the
//! operator does, how long work takes) is drawn at labelled points, and the quiet run is the simplest: one user, one
//! message, one worker. To add a role: a file in `role`, and a process or an actor in [`StoreWorld::build`].

mod defect;
mod facts;
pub(crate) mod goal;
mod invariant;
mod letter;
mod native;
mod people;
mod progress;
mod release;
mod row;
mod sabotage;
mod town;

use std::cell::RefCell;
use std::rc::Rc;

use lockstep_store::{ManualClock, SqliteStore, Statements, verify};

pub use self::defect::{Defect, Edit, Quirk};
pub(crate) use self::letter::{Letter, Question};
pub(crate) use self::native::{HELD, Native, Place, Turn};
pub(crate) use self::people::{Known, Saved, Shown, USERS, Wish, author_of, event_of};
pub(crate) use self::release::{RUNTIMES, release};
pub use self::sabotage::{SABOTEURS, Saboteur};
pub(crate) use self::town::{Bell, Post, Town};

use crate::check::linearizable::Spec;
use crate::check::{Rule, Rules};
use crate::fault::{Budget, Fault};
use crate::label::Label;
use crate::role;
use crate::run::{Ctx, Db, Handle, Kernel, Limits, Process, SimClock, World};
use crate::scenario::RuleKind;

/// The default world.
pub struct StoreWorld {
    /// Or why the defect no longer applies to the store's statements.
    statements: Result<Statements, String>,
    defect: Option<Defect>,
    town: RefCell<Rc<Town>>,
}

impl StoreWorld {
    /// The world on the reference store.
    pub fn new() -> Rc<Self> {
        Self::with(Ok(Statements::reference()), None)
    }

    /// The same with one defect in it.
    pub fn defective(defect: Defect) -> Rc<Self> {
        let statements = defect
            .statements()
            .map_err(|error| format!("{}: {error}", defect.name));
        Self::with(statements, Some(defect))
    }

    fn with(statements: Result<Statements, String>, defect: Option<Defect>) -> Rc<Self> {
        Rc::new(Self {
            statements,
            defect,
            town: RefCell::default(),
        })
    }

    /// The store as each run finds it, as a model.
    ///
    /// # Panics
    /// If the model refuses what the store took.
    pub fn beginning() -> Spec {
        let mut start = Spec::new(Rc::new(ManualClock::at(START_MS)));
        release(&mut start).expect("the model takes what the store took");
        start
    }

    /// Everything that a sweep of this world must have reached, or it proves nothing.
    pub const fn goals() -> &'static [&'static str] {
        goal::ALL
    }

    /// Every invariant that is judged in this world.
    pub fn invariants() -> Vec<&'static str> {
        invariant::all()
    }
}

impl World for StoreWorld {
    fn start_ms(&self) -> i64 {
        START_MS
    }

    fn open(&self, connection: rusqlite::Connection, clock: SimClock) -> Result<Db, String> {
        let store = SqliteStore::from_connection_with(connection, clock, self.statements.clone()?);
        store
            .map(|store| Db::Store(Box::new(store)))
            .map_err(|error| error.to_string())
    }

    fn set_up(&self, handle: &mut Handle) -> Result<(), String> {
        row::check(handle.connection())?;
        let Db::Store(store) = &mut handle.db else {
            return Err("this world needs the reference store".into());
        };
        release(&mut **store).map_err(|error| error.to_string())?;
        let dropped = self.defect.map_or("", |defect| defect.drops);
        handle
            .connection()
            .execute_batch(dropped)
            .map_err(|error| error.to_string())
    }

    fn build(&self, kernel: &Kernel) {
        let town = Rc::new(Town::new(self.defect));
        *self.town.borrow_mut() = Rc::clone(&town);
        for api in &town.apis {
            api.allow_crashes(CRASHES);
            api.on_start(true, Rc::new(spare_the_others));
            kernel.add_process(Rc::clone(api));
        }
        let unlocks = Rc::clone(&town);
        town.provider.on_start(
            true,
            Rc::new(move |ctx: &Ctx| role::provider::start(ctx, &unlocks)),
        );
        kernel.add_process(Rc::clone(&town.provider));
        for instance in 1..=WORKERS {
            let started = Rc::clone(&town);
            add(kernel, "worker", instance, true, move |ctx| {
                role::worker::start(ctx, &started, instance)
            });
        }
        kernel.add_process(Rc::clone(&town.chat));
        let single = |kind, daemon, work: fn(&Ctx, &Rc<Town>)| {
            let started = Rc::clone(&town);
            add(kernel, kind, 1, daemon, move |ctx| work(ctx, &started));
        };
        for instance in 1..=SENDERS {
            let started = Rc::clone(&town);
            add(kernel, "sender", instance, true, move |ctx| {
                role::sender::start(ctx, &started, instance)
            });
        }
        single("reaper", true, role::reaper::start);
        single("sweeper", true, role::sweeper::start);
        single("operator", false, role::operator::start);
        for (index, person) in USERS.iter().enumerate() {
            let writes = Rc::clone(&town);
            kernel.spawn(Label::fixed(person.name), None, false, move |ctx| {
                role::user::start(ctx, &writes, index)
            });
        }
    }

    fn settled(&self, kernel: &Kernel) -> bool {
        self.town.borrow().settled(kernel)
    }

    fn budget(&self) -> Budget {
        let mut budget = Budget::default();
        for (fault, strikes, longest) in BUDGET {
            budget.allow(*fault, *strikes, *longest);
        }
        budget
    }

    fn limits(&self) -> Limits {
        // A clock that is fourteen hours ahead and one that is twelve behind delay a claim by more than a day, and a reap by
        // as much again.
        Limits {
            faults_us: 4 * 3_600_000_000,
            heal_us: 72 * 3_600_000_000,
            alone: None,
            events: 40_000,
            ..Limits::default()
        }
    }

    fn rules(&self) -> Rules {
        let judged = |rule: &verify::Rule| {
            let each_commit = invariant::SNAPSHOT.contains(&rule.name);
            let (name, kind, sql) = if each_commit {
                (rule.name, RuleKind::Never, rule.sql.to_owned())
            } else {
                let sql = format!("SELECT '{}' AS rule, * FROM ({})", rule.name, rule.sql);
                (invariant::VERIFY, RuleKind::Finally, sql)
            };
            Rule {
                name: name.to_owned(),
                per: rule.key.map(str::to_owned),
                kind,
                sql,
                place: String::new(),
            }
        };
        Rules {
            invariants: verify::RULES.iter().map(judged).collect(),
            goals: Vec::new(),
            changes_schema: false,
        }
    }

    fn judge(&self, kernel: &Kernel) {
        invariant::judge(kernel, &self.town.borrow());
        goal::judge(kernel);
    }
}

fn add(
    kernel: &Kernel,
    kind: &'static str,
    instance: u32,
    daemon: bool,
    work: impl Fn(&Ctx) + 'static,
) {
    let process = Process::new(&Label::fixed(kind), 0, instance, None);
    process.allow_crashes(CRASHES);
    let start = move |ctx: &Ctx| {
        spare_the_others(ctx);
        work(ctx);
    };
    process.on_start(daemon, Rc::new(start));
    kernel.add_process(process);
}

fn spare_the_others(ctx: &Ctx) {
    if ctx.process().died.get() == 0 {
        return;
    }
    let processes = ctx.kernel().processes();
    if processes
        .iter()
        .map(|process| process.died.get())
        .sum::<u32>()
        >= CRASHES_IN_ALL
    {
        processes
            .iter()
            .for_each(|process| process.allow_crashes(0));
    }
}

/// Strikes of each fault in one run, and the longest: milliseconds, gates, millionths or hours, as the fault has it.
const BUDGET: &[(Fault, u32, u64)] = &[
    (Fault::LostRequest, 1, 0),
    (Fault::LostReply, 1, 0),
    (Fault::Duplicate, 1, 120_000),
    (Fault::Late, 1, 120_000),
    (Fault::Pause, 2, 600_000),
    (Fault::ClockOffset, 2, 3_600_000),
    (Fault::ClockJump, 1, 3_600_000),
    (Fault::HalfOpen, 2, 0),
    (Fault::Partition, 2, 300_000),
    (Fault::GracefulStop, 2, 0),
    (Fault::CrashAgain, 1, 40),
    (Fault::ClockDrift, 2, 200_000),
    (Fault::ClockZone, 2, 14),
    (Fault::LostWakeup, 2, 0),
    (Fault::StoreError, 3, 0),
    (Fault::DiskFull, 1, 300_000),
    (Fault::SchemaDrift, 1, 0),
    (Fault::BackupRestore, 1, 0),
    (Fault::SecondDatabase, 1, 0),
    (Fault::HandEdit, 1, 0),
];

/// 2026-01-01 00:00 UTC.
const START_MS: i64 = 1_767_225_600_000;
/// One for each class, and a spare that is used in some runs only.
const WORKERS: u32 = 3;
/// One, and a spare that is used in some runs only.
const SENDERS: u32 = 2;
/// How often each process may crash in one run.
const CRASHES: u32 = 1;
/// How many may have crashed before the others are spared: more would make runs long and no richer.
const CRASHES_IN_ALL: u32 = 2;
