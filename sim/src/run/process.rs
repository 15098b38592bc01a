//! A simulated process: volatile memory, a clock, connections; it can die and start again.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::actor::NEVER;
use super::clock::ProcessClock;
use super::handle::Handle;
use crate::label::Label;

/// Start-up work of an incarnation: its cause and what it does.
pub type StartUp = Rc<dyn Fn(&super::Ctx)>;

/// A simulated process.
pub struct Process {
    /// Instance name, such as `api.1`.
    pub name: Label,
    /// Name of its kind, such as `api`.
    pub kind: Label,
    /// Position of its kind in the world's list.
    pub kind_index: usize,
    /// The machine or runtime it lives on.
    pub home: Option<Rc<str>>,
    /// From 1; +1 at each start after a death.
    pub incarnation: Cell<u32>,
    /// It runs.
    pub up: Cell<bool>,
    /// Its clock.
    pub clock: Rc<ProcessClock>,
    /// The actor, by the hash of its cause, beside which no other of this process goes on.
    pub(super) held_by: Cell<Option<u64>>,
    /// It stands still until then (microseconds of virtual time).
    pub(super) paused_until: Cell<u64>,
    /// When it starts again, after it has died.
    pub(super) restart_at: Cell<u64>,
    /// It was asked to stop and is killed then.
    pub(super) stop_at: Cell<u64>,
    /// It crashes at that gate from here, counted down; 0 if it does not.
    pub(super) crashes_in: Cell<u64>,
    /// How often it has crashed in this run.
    pub died: Cell<u32>,
    /// When each incarnation that is dead died, microseconds of virtual time.
    pub(super) deaths: RefCell<Vec<u64>>,
    /// Crashes that may still strike it.
    pub(super) crashes_left: Cell<u32>,
    /// What each incarnation does first.
    pub(super) start_up: RefCell<Option<StartUp>>,
    pub(super) start_is_daemon: Cell<bool>,
    /// What it does when it is asked to stop.
    pub(super) stop_work: RefCell<Option<StartUp>>,
    /// Asked to stop, it ends as soon as nobody in it has anything left to do.
    pub ends_when_idle: Cell<bool>,
    /// Version of the code that it runs. The world decides what it means.
    pub code: Cell<usize>,
    /// The version that its next incarnation runs.
    pub next_code: Cell<Option<usize>>,
    /// Lost in a crash. The world decides what it is.
    pub memory: RefCell<Option<Rc<dyn Any>>>,
    pub(super) idle: RefCell<Vec<Handle>>,
}

impl Process {
    /// A process of a kind, `instance` from 1, up and with a right clock.
    pub fn new(kind: &Label, kind_index: usize, instance: u32, home: Option<&str>) -> Rc<Self> {
        Rc::new(Self {
            name: Label::new(&format!("{kind}.{instance}")),
            kind: kind.clone(),
            kind_index,
            home: home.map(Rc::from),
            incarnation: Cell::new(1),
            up: Cell::new(true),
            clock: Rc::default(),
            held_by: Cell::new(None),
            paused_until: Cell::new(0),
            restart_at: Cell::new(0),
            stop_at: Cell::new(NEVER),
            crashes_in: Cell::new(0),
            died: Cell::new(0),
            deaths: RefCell::default(),
            crashes_left: Cell::new(0),
            start_up: RefCell::new(None),
            start_is_daemon: Cell::new(false),
            stop_work: RefCell::new(None),
            ends_when_idle: Cell::new(false),
            code: Cell::new(0),
            next_code: Cell::new(None),
            memory: RefCell::new(None),
            idle: RefCell::new(Vec::new()),
        })
    }

    /// Whether this incarnation of it lives.
    pub fn lives_as(&self, incarnation: u32) -> bool {
        self.up.get() && self.incarnation.get() == incarnation
    }

    /// When this incarnation died, milliseconds of virtual time; `None` while it lives.
    pub fn death_ms(&self, incarnation: u32) -> Option<u64> {
        let deaths = self.deaths.borrow();
        let at_us = deaths.get(usize::try_from(incarnation).ok()?.checked_sub(1)?)?;
        Some(at_us / 1000)
    }

    /// Whether it has a connection to this file that nobody uses.
    pub(super) fn has_idle(&self, file: usize) -> bool {
        self.idle.borrow().iter().any(|handle| handle.file == file)
    }

    /// It was asked to stop: it takes no new requests, and is killed when its grace is over.
    pub fn is_stopping(&self) -> bool {
        self.stop_at.get() != NEVER
    }

    /// It is over for good: what it would do holds on to the run.
    pub(super) fn forget_work(&self) {
        self.memory.take();
        self.start_up.borrow_mut().take();
        self.stop_work.borrow_mut().take();
    }

    /// Lets it crash so often in this run.
    pub fn allow_crashes(&self, times: u32) {
        self.crashes_left.set(times);
    }

    /// What an incarnation does that is asked to stop.
    pub fn on_stop(&self, work: StartUp) {
        *self.stop_work.borrow_mut() = Some(work);
    }

    /// What each incarnation does first, the first one included. The run does not wait for a daemon to end.
    pub fn on_start(&self, daemon: bool, work: StartUp) {
        self.start_is_daemon.set(daemon);
        *self.start_up.borrow_mut() = Some(work);
    }
}
