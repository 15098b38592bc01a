//! The run: coroutines stepped by one loop inside one madsim runtime, virtual time, processes and their death.
//!
//! The only room that knows madsim and corosensei. A run is a pure function of the world and the strategy's decisions:
//! the loop keeps running the same actor until it waits, then the oldest that can run, unless a decision says otherwise.

#[cfg(not(madsim))]
compile_error!(
    "lockstep-sim needs `--cfg madsim`, which .cargo/config.toml sets. A RUSTFLAGS variable replaces it silently: \
     unset RUSTFLAGS, or add `--cfg madsim` to it."
);

mod actor;
mod backup;
mod bare;
mod clock;
mod commit;
mod ctx;
mod death;
mod ending;
mod footprint;
mod gate;
mod handle;
mod harm;
mod legs;
mod life;
mod message;
mod process;
mod ran;
mod schedule;
mod second;
mod spawn;
mod stage;
mod state;
mod view;
mod world;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use corosensei::stack::DefaultStack;

pub use self::backup::Backup;
pub use self::clock::{ProcessClock, SimClock};
pub use self::ctx::{Author, Ctx};
pub use self::ending::{Endings, Uncaught};
pub use self::handle::{Db, Handle};
pub use self::message::{Answer, Mail, Request, Way};
pub use self::process::{Process, StartUp};
pub use self::ran::Ran;
pub use self::stage::{MAIN, Stage};
pub use self::state::Remembered;
pub use self::world::World;

use self::actor::Actor;
use crate::case::{Deviation, Point};
use crate::decide::{Profile, Strategy};
use crate::disk::capture::Change;
use crate::disk::{Disk, LogEnd};
use crate::fault::{Budget, Fault};
use crate::label::Label;
use crate::ledger::Ledger;
use crate::trace::{Arg, Event, Kind, Outcome, Trace};

/// Whether faults may strike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Nothing may be lost, doubled or crossed.
    Faults,
    /// Everything still owed must finish.
    Heal,
}

/// A violated invariant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// Name of the invariant.
    pub invariant: String,
    /// The key of the offending row, or empty.
    pub key: String,
    /// The offending row in words.
    pub row: String,
    /// Position in the trace.
    pub n: u64,
}

/// Judges commits and crashes while the run goes on.
pub trait Judge {
    /// A commit has become visible; its writer still holds the write lock.
    fn committed(&self, kernel: &Kernel, changes: &[Change]);
    /// A process has died.
    fn crashed(&self, kernel: &Kernel);
    /// Whether any of these rows stands in the database as it was written.
    fn is_visible(&self, kernel: &Kernel, changes: &[&Change]) -> bool;
    /// Where the log of a file ends for a reader, who recovers it if he must.
    fn log_end(&self, kernel: &Kernel, file: usize) -> LogEnd;
    /// A leg that does not count has ended: what is violated now is inherited by the next.
    fn leg_ended(&self, kernel: &Kernel);
}

/// Longest virtual time of the phase with faults and of the healing phase, microseconds.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Faults stop then at the latest.
    pub faults_us: u64,
    /// What has not ended so long after faults stopped is stuck.
    pub heal_us: u64,
    /// Both times count from the last thing that was still to come by itself (a timer, a repeat, a restart), and loops alone go on
    /// for so many events. Without it they count from where the phase begins.
    pub alone: Option<usize>,
    /// Events after which a run is cut off as runaway.
    pub events: usize,
    /// A step may take so long by itself, so that what is due meanwhile comes in between.
    pub slowest_step_ms: u64,
    /// A process may stand still also inside SQLite, with its locks held.
    pub pauses_inside_sqlite: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            faults_us: 48 * 3_600_000_000,
            heal_us: 48 * 3_600_000_000,
            alone: Some(2_000),
            events: 20_000,
            slowest_step_ms: 1_000,
            pauses_inside_sqlite: true,
        }
    }
}

/// Everything that a run is made of.
pub struct Kernel {
    me: std::rc::Weak<Kernel>,
    now_us: Rc<Cell<u64>>,
    start_ms: i64,
    limits: Limits,
    phase: Cell<Phase>,
    legs: legs::Legs,
    /// How often each cause (by hash) was used in this run.
    causes: RefCell<BTreeMap<u64, u32>>,
    live: RefCell<Vec<Rc<Actor>>>,
    current: RefCell<Option<Rc<Actor>>>,
    next: RefCell<Option<Rc<Actor>>>,
    /// Who ran last: where it waits is the point of a `Wait` decision.
    stopped: RefCell<Option<Rc<Actor>>>,
    dying: RefCell<Option<Rc<Process>>>,
    processes: RefCell<Vec<Rc<Process>>>,
    strategy: RefCell<Box<dyn Strategy>>,
    budget: RefCell<Budget>,
    strikes: RefCell<Vec<(Fault, Label)>>,
    partitions: RefCell<Vec<message::Partition>>,
    profile: RefCell<Profile>,
    deviations: RefCell<Vec<(Point, Deviation)>>,
    disk_sites: Rc<[Label]>,
    muted: Cell<bool>,
    over: Cell<bool>,
    disk: Rc<Disk>,
    pool: RefCell<Vec<Handle>>,
    /// Handles whose process died, or that stood in the middle of something at the end.
    graveyard: RefCell<Vec<Handle>>,
    /// For each connection of the pool its file, and what watches it.
    captures: Vec<Option<(usize, Rc<crate::disk::capture::Capture>)>>,
    /// Names of the database files on the disk, the main one first.
    files: Rc<[String]>,
    short: Cell<bool>,
    stacks: RefCell<Vec<DefaultStack>>,
    judge: RefCell<Option<Rc<dyn Judge>>>,
    goals: RefCell<std::collections::BTreeSet<&'static str>>,
    violations: RefCell<Vec<Violation>>,
    judged: Cell<bool>,
    endings: RefCell<Endings>,
    /// What restores have undone, as positions of the trace.
    undone: RefCell<Vec<std::ops::Range<u64>>>,
    /// Transactions that were open when their process died, or whose commit failed: recovery may still make them visible.
    in_doubt: RefCell<Vec<commit::Doubt>>,
    /// A restore that the actor has asked for that has just stopped.
    restoring: RefCell<Option<backup::Restore>>,
    world: Rc<dyn World>,
    /// Connections to a second database so far.
    second_conns: Cell<u32>,
    /// No file of the database can grow until then.
    full_until: Cell<u64>,
    /// Step gates that were passed, when somebody wants to know them.
    steps: RefCell<Option<Vec<Point>>>,
    /// It was stopped by the limit of events: how it would have ended nobody knows.
    cut: Cell<bool>,
    internal: RefCell<Option<String>>,
    endless: RefCell<Option<String>>,
    undecided: RefCell<Option<String>>,
    statements: Cell<u64>,
    /// How often the store's clocks were read.
    turns: Rc<Cell<u64>>,
    /// The last position at which anybody could do anything.
    ended_n: Cell<u64>,
    /// What is kept in order to tell the state, when somebody wants to know it.
    kept: Option<state::Kept>,
    /// The trace so far.
    pub trace: RefCell<Trace>,
    /// Effects outside the store.
    pub ledger: RefCell<Ledger>,
}

impl Kernel {
    /// Virtual time since the start, microseconds.
    pub fn now_us(&self) -> u64 {
        self.now_us.get()
    }

    /// A virtual time in microseconds as Unix milliseconds: true time, whatever the clocks say.
    pub fn unix_ms(&self, at_us: u64) -> i64 {
        self.start_ms
            .saturating_add(i64::try_from(at_us / 1000).unwrap_or(i64::MAX))
    }

    /// So many milliseconds from now, in microseconds of virtual time.
    fn later(&self, ms: u64) -> u64 {
        self.now_us().saturating_add(ms.saturating_mul(1000))
    }

    /// How much has happened by now: committed row changes and effects.
    pub fn changes(&self) -> usize {
        self.trace.borrow().changes.len() + self.ledger.borrow().effects.len()
    }

    /// Whether the limit of events has stopped it.
    pub fn is_cut(&self) -> bool {
        self.cut.get()
    }

    /// Whether faults may strike.
    pub fn phase(&self) -> Phase {
        self.phase.get()
    }

    /// What was undone by restores, as positions of the trace.
    pub fn undone(&self) -> Vec<std::ops::Range<u64>> {
        self.undone.borrow().clone()
    }

    /// Whether no fault has struck a clock so far.
    pub fn clocks_are_right(&self) -> bool {
        let is_of_clocks = |(fault, _): &(Fault, Label)| {
            matches!(
                fault,
                Fault::ClockOffset | Fault::ClockJump | Fault::ClockDrift | Fault::ClockZone
            )
        };
        !self.strikes.borrow().iter().any(is_of_clocks)
    }

    /// The next position of the trace.
    pub fn position(&self) -> u64 {
        self.trace.borrow_mut().tick()
    }

    /// The last position of the trace at which anybody could do anything. What is committed after it was found in the log when all
    /// was over.
    pub fn ended_n(&self) -> u64 {
        self.ended_n.get()
    }

    /// The simulated disk.
    pub fn disk(&self) -> &Rc<Disk> {
        &self.disk
    }

    /// Adds a process to the world.
    pub fn add_process(&self, process: Rc<Process>) {
        self.legs.succeed(&process);
        self.processes.borrow_mut().push(process);
    }

    /// All processes, in the order they were added.
    pub fn processes(&self) -> Vec<Rc<Process>> {
        self.processes.borrow().clone()
    }

    /// Remembers a violated invariant, once for each key.
    pub fn violated(&self, invariant: &str, key: &str, row: &str) {
        if !self.counts() {
            self.legs.inherit(invariant, key);
            return;
        }
        self.found(invariant, key, row);
    }

    /// The same, in whatever leg.
    fn found(&self, invariant: &str, key: &str, row: &str) {
        let mut violations = self.violations.borrow_mut();
        if violations
            .iter()
            .any(|known| known.invariant == invariant && known.key == key)
        {
            return;
        }
        let index = self.note(
            Kind::Violation,
            Arg::Text(format!("{invariant} {row}").into()),
            Outcome::Done,
        );
        let n = self.trace.borrow().events[index].n;
        violations.push(Violation {
            invariant: invariant.into(),
            key: key.into(),
            row: row.into(),
            n,
        });
    }

    /// A bug in lockstep itself: the run ends, and nothing it found counts.
    pub fn internal(&self, words: String) {
        self.internal.borrow_mut().get_or_insert(words);
    }

    /// A rule of the scenario does not come to an end: the run ends, and nothing it found counts.
    pub fn endless(&self, words: String) {
        self.endless.borrow_mut().get_or_insert(words);
    }

    /// Whether nothing that the run finds counts.
    pub fn is_broken(&self) -> bool {
        self.internal.borrow().is_some() || self.endless.borrow().is_some()
    }

    /// A check was too hard: the run is neither right nor wrong, unless something is violated in it.
    pub fn undecided(&self, words: String) {
        self.undecided.borrow_mut().get_or_insert(words);
    }

    /// A check outside the database had something to look at, so that the run is not vacuous.
    pub fn judged(&self) {
        self.judged.set(self.judged.get() || self.counts());
    }

    /// How many violations have been seen.
    pub fn violation_count(&self) -> usize {
        self.violations.borrow().len()
    }

    /// The world reached a goal.
    pub fn reached(&self, goal: &'static str) {
        self.goals.borrow_mut().insert(goal);
    }

    /// Records an event of the running actor (or of nobody) that has already returned, or stays open.
    fn note(&self, kind: Kind, arg: Arg, outcome: Outcome) -> usize {
        let current = self.current.borrow();
        let (cause, process) = match current.as_ref() {
            Some(actor) => (actor.cause.clone(), actor.identity()),
            None => (NOBODY, None),
        };
        self.note_as(cause, process, kind, arg, outcome)
    }

    fn note_as(
        &self,
        cause: Label,
        process: Option<(Label, u32)>,
        kind: Kind,
        arg: Arg,
        outcome: Outcome,
    ) -> usize {
        let event = Event {
            n: 0,
            end: None,
            at_us: self.now_us(),
            end_us: None,
            cause,
            process,
            kind,
            arg,
            outcome,
            idle: false,
        };
        self.keep_event(&event);
        self.trace.borrow_mut().push(event)
    }

    /// A fault has struck at this site.
    fn struck(&self, fault: Fault, site: &Label) {
        self.budget.borrow_mut().spend(fault);
        self.count_strike(fault, site);
    }

    /// The same for one that was paid for before.
    fn count_strike(&self, fault: Fault, site: &Label) {
        self.strikes.borrow_mut().push((fault, site.clone()));
    }
}

impl Actor {
    /// The process instance and incarnation that it runs in.
    pub(self) fn identity(&self) -> Option<(Label, u32)> {
        self.process
            .as_ref()
            .map(|process| (process.name.clone(), self.incarnation))
    }
}

const CLOCK: Label = Label::fixed("clock");
const NOBODY: Label = Label::fixed("world");
const ENDED: Label = Label::fixed("end");
