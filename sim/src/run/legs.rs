//! Legs: a run in which everything is deployed anew. What is on the disk and what is outside stays; processes, their memory
//! and whatever was on its way do not. Only the last leg is judged.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::World;
use super::handle::take_last;
use super::process::Process;
use super::{Kernel, NOBODY, Phase};
use crate::fault::Fault;
use crate::label::Label;
use crate::scenario::MIGRATION;
use crate::trace::{Arg, Kind, Outcome};

/// Which leg runs, and what the ones before it have left.
pub(super) struct Legs {
    count: usize,
    now: Cell<usize>,
    /// When it began: virtual time, and the position in the trace.
    begun_us: Cell<u64>,
    begun_n: Cell<u64>,
    /// Violations count: the last leg has begun.
    counts: Cell<bool>,
    /// The database could not be prepared for the last leg, which never began.
    failed: Cell<bool>,
    /// What the leg before had violated: invariant and key.
    inherited: RefCell<Vec<(String, String)>>,
    /// Processes of the leg before.
    former: RefCell<Vec<Rc<Process>>>,
}

impl Legs {
    pub(super) fn of(count: usize) -> Self {
        Self {
            count,
            now: Cell::new(0),
            begun_us: Cell::new(0),
            begun_n: Cell::new(0),
            counts: Cell::new(count == 1),
            failed: Cell::new(false),
            inherited: RefCell::default(),
            former: RefCell::default(),
        }
    }

    /// Remembers a violation of a leg that does not count.
    pub(super) fn inherit(&self, invariant: &str, key: &str) {
        let mut inherited = self.inherited.borrow_mut();
        if !inherited
            .iter()
            .any(|(name, of)| name == invariant && of == key)
        {
            inherited.push((invariant.to_owned(), key.to_owned()));
        }
    }

    /// A process of the same name goes on with the incarnations of the leg before, so that nothing that was called after
    /// one of them is called so again.
    pub(super) fn succeed(&self, process: &Process) {
        let former = self.former.borrow();
        if let Some(old) = former.iter().find(|old| old.name == process.name) {
            process.incarnation.set(old.incarnation.get() + 1);
            process.deaths.borrow_mut().clone_from(&old.deaths.borrow());
        }
    }
}

impl Kernel {
    /// Which leg of the run this is, from 0.
    pub fn leg(&self) -> usize {
        self.legs.now.get()
    }

    /// When this leg began, milliseconds of virtual time.
    pub fn begun_ms(&self) -> u64 {
        self.begun_us() / 1000
    }

    /// The position in the trace at which this leg began.
    pub fn begun_n(&self) -> u64 {
        self.legs.begun_n.get()
    }

    pub(super) fn begun_us(&self) -> u64 {
        self.legs.begun_us.get()
    }

    /// Whether what is violated now counts: the last leg has begun.
    pub fn counts(&self) -> bool {
        self.legs.counts.get()
    }

    /// What the leg before this one had violated when it ended: invariant and key.
    pub fn inherited(&self) -> Vec<(String, String)> {
        self.legs.inherited.borrow().clone()
    }

    /// Whether the last leg could begin.
    pub(super) fn was_deployed(&self) -> bool {
        !self.legs.failed.get()
    }

    /// All legs, one after the other.
    pub(super) async fn run_legs(&self, world: &dyn World) {
        world.build(self);
        self.note_kinds();
        self.run(world).await;
        for leg in 1..self.legs.count {
            let cut = self.is_broken() || self.short.get() || self.over.get();
            if cut {
                return;
            }
            self.end_leg();
            if self.deploy(world, leg) {
                self.run(world).await;
            }
        }
    }

    /// Faults that this world allows, for the strategies of later runs.
    fn note_kinds(&self) {
        let now = self.kinds_allowed();
        let mut profile = self.profile.borrow_mut();
        let before = std::mem::take(&mut profile.kinds);
        let allowed = |kind: &Fault| now.contains(kind) || before.contains(kind);
        profile.kinds = Fault::ALL.into_iter().filter(allowed).collect();
    }

    /// Every process dies, whoever is outside ends, and what the leg has violated is noted.
    fn end_leg(&self) {
        for process in self.processes().iter().filter(|process| process.up.get()) {
            self.kill(process);
        }
        self.partitions.borrow_mut().clear();
        self.over.set(true);
        let live = self.live.borrow().clone();
        self.muted(|| {
            for actor in live {
                let conns = actor.conns.borrow().clone();
                conns.iter().for_each(|(_, conn)| self.disk.kill(*conn));
                self.drain(&actor);
            }
        });
        self.over.set(false);
        for process in self.processes() {
            process.forget_work();
        }
        self.legs.former.replace(self.processes.take());
        for waiting in [&self.next, &self.stopped] {
            waiting.borrow_mut().take();
        }
        self.dying.borrow_mut().take();
        self.restoring.borrow_mut().take();
        self.full_until.set(0);
        self.resolve_last_doubts();
        if let Some(judge) = self.judge.borrow().clone() {
            self.muted(|| judge.leg_ended(self));
        }
    }

    /// Prepares the database and builds the world of a leg. False if that failed: the leg does not begin.
    fn deploy(&self, world: &dyn World, leg: usize) -> bool {
        let is_last = leg + 1 == self.legs.count;
        if !is_last {
            self.legs.inherited.borrow_mut().clear();
        }
        self.legs.now.set(leg);
        self.legs.begun_us.set(self.now_us());
        self.phase.set(Phase::Faults);
        *self.budget.borrow_mut() = world.budget();
        self.note_as(
            NOBODY,
            None,
            Kind::Deploy,
            Arg::Text(world.leg_name(leg).into()),
            Outcome::Done,
        );
        let Some(prepared) = self.prepare(world) else {
            self.short.set(true);
            return false;
        };
        self.legs.begun_n.set(self.position());
        self.legs.counts.set(is_last);
        if let Err(words) = prepared {
            self.violated(MIGRATION, "", &words);
            self.legs.failed.set(is_last);
            return false;
        }
        self.muted(|| self.learn_the_schema());
        if let Some(judge) = self.judge.borrow().clone() {
            self.muted(|| judge.crashed(self));
        }
        world.build(self);
        self.note_kinds();
        true
    }

    /// New processes open new connections, which know the schema as it is. Pooled ones learn it when they run a statement; until
    /// then SQLite prepares against the old one, and refuses an `ON CONFLICT` that names a new index.
    fn learn_the_schema(&self) {
        for handle in self.pool.borrow().iter() {
            self.disk.enter(handle.conn);
            let read = handle
                .connection()
                .execute_batch("SELECT 1 FROM sqlite_schema");
            if let Err(error) = read {
                self.internal(format!("a connection does not read the schema: {error}"));
            }
        }
    }

    /// Lets the world prepare each file. None when a connection is missing.
    fn prepare(&self, world: &dyn World) -> Option<Result<(), String>> {
        for file in 0..self.files.len() {
            let mut handle = take_last(&mut self.pool.borrow_mut(), file)?;
            self.disk.enter(handle.conn);
            let prepared = world.deploy(self, &mut handle);
            // The connection is closed, and what it knows of the schema does not matter to anybody.
            self.disk.kill(handle.conn);
            self.graveyard.borrow_mut().push(handle);
            if prepared.is_err() {
                return Some(prepared);
            }
        }
        Some(Ok(()))
    }

    /// Tells of a step between two legs.
    pub fn tell_of(&self, cause: &Label, kind: Kind, what: &Label, outcome: Outcome) {
        let arg = Arg::Text(what.as_str().into());
        self.note_as(cause.clone(), None, kind, arg, outcome);
    }
}
