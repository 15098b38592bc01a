//! One handler in flight: a stackful coroutine, its cause, and what it waits for.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};

use super::handle::Handle;
use super::process::Process;
use crate::disk::Conn;
use crate::label::Label;

/// What the loop tells a coroutine when it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resume {
    Go,
    Die,
}

pub(super) type Routine = Coroutine<Resume, (), (), DefaultStack>;

/// Whether an actor can run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Ready,
    /// Until a time, a condition, or whichever comes first.
    Blocked,
    Ended,
}

pub(super) type Condition = Box<dyn Fn() -> bool>;

pub(super) struct Actor {
    pub(super) cause: Label,
    pub(super) process: Option<Rc<Process>>,
    pub(super) incarnation: u32,
    /// The run does not wait for it to end: a poller, a reaper.
    pub(super) daemon: Cell<bool>,
    /// It is a loop, or was set going by one: it may never end.
    pub(super) looped: Cell<bool>,
    /// The same, and it has changed nothing yet: as far as anybody knows it only looks.
    pub(super) looks: Cell<bool>,
    pub(super) passed: Cell<u32>,
    /// It waits for an answer, and for nothing else.
    pub(super) awaits_answer: Cell<bool>,
    /// What it has learned, as a number: see `state`.
    pub(super) knows: Cell<u64>,
    pub(super) state: Cell<State>,
    pub(super) until: Cell<u64>,
    pub(super) condition: RefCell<Option<Condition>>,
    pub(super) waits_at: RefCell<Label>,
    /// Its connections that are not in a call, one for each file that it has used.
    handles: RefCell<Vec<Handle>>,
    /// The numbers of all its connections, each with its file.
    pub(super) conns: RefCell<Vec<(usize, Conn)>>,
    /// Files whose connection has broken under it, and whether it was in a transaction there.
    pub(super) broken: RefCell<Vec<(usize, bool)>>,
    pub(super) answer: RefCell<Option<Rc<super::message::Mail>>>,
    pub(super) delivery: Cell<Option<usize>>,
    counts: RefCell<Vec<(u64, u32)>>,
    routine: RefCell<Option<Routine>>,
    yielder: Cell<*const Yielder<Resume, ()>>,
}

/// Never: the `until` of an actor that waits for a condition only.
pub(super) const NEVER: u64 = u64::MAX;

impl Actor {
    pub(super) fn new(cause: Label, process: Option<Rc<Process>>, daemon: bool) -> Self {
        let incarnation = process
            .as_ref()
            .map_or(0, |process| process.incarnation.get());
        Self {
            waits_at: RefCell::new(cause.clone()),
            cause,
            process,
            incarnation,
            daemon: Cell::new(daemon),
            looped: Cell::new(false),
            looks: Cell::new(false),
            passed: Cell::new(0),
            awaits_answer: Cell::new(false),
            knows: Cell::new(0),
            state: Cell::new(State::Ready),
            until: Cell::new(NEVER),
            condition: RefCell::new(None),
            handles: RefCell::default(),
            conns: RefCell::default(),
            broken: RefCell::default(),
            answer: RefCell::new(None),
            delivery: Cell::new(None),
            counts: RefCell::new(Vec::new()),
            routine: RefCell::new(None),
            yielder: Cell::new(std::ptr::null()),
        }
    }

    /// Its connection to a file; 0 if it has none.
    pub(super) fn conn(&self, file: usize) -> Conn {
        let conns = self.conns.borrow();
        let found = conns.iter().find(|(of, _)| *of == file);
        found.map_or(0, |(_, conn)| *conn)
    }

    /// Takes its connection to a file, if it has one that is not in a call.
    pub(super) fn take_handle(&self, file: usize) -> Option<Handle> {
        let mut handles = self.handles.borrow_mut();
        let at = handles.iter().position(|handle| handle.file == file)?;
        Some(handles.swap_remove(at))
    }

    /// Whether it has a connection to a file that is not in a call.
    pub(super) fn has_handle(&self, file: usize) -> bool {
        let handles = self.handles.borrow();
        handles.iter().any(|handle| handle.file == file)
    }

    /// How many of its connections are in no call and in no transaction.
    pub(super) fn handles_at_rest(&self) -> usize {
        let handles = self.handles.borrow();
        let at_rest = |handle: &&Handle| handle.connection().is_autocommit();
        handles.iter().filter(at_rest).count()
    }

    /// Keeps a connection between two calls.
    pub(super) fn keep_handle(&self, handle: Handle) {
        self.handles.borrow_mut().push(handle);
    }

    /// Takes all of them.
    pub(super) fn take_handles(&self) -> Vec<Handle> {
        self.handles.take()
    }

    pub(super) fn set_routine(&self, routine: Routine) {
        *self.routine.borrow_mut() = Some(routine);
    }

    /// Which passage of this site by this actor it is, from 1.
    pub(super) fn count(&self, site: &Label) -> u32 {
        let mut counts = self.counts.borrow_mut();
        match counts.iter_mut().find(|(hash, _)| *hash == site.hash()) {
            Some((_, n)) => {
                *n += 1;
                *n
            }
            None => {
                counts.push((site.hash(), 1));
                1
            }
        }
    }

    /// Its process died since it started, or is dead now.
    pub(super) fn is_dead(&self) -> bool {
        self.process.as_ref().is_some_and(|process| {
            !process.up.get() || process.incarnation.get() != self.incarnation
        })
    }

    /// Whether it could run now.
    pub(super) fn is_ready(&self, now: u64) -> bool {
        if self
            .process
            .as_ref()
            .is_some_and(|process| process.paused_until.get() > now)
        {
            return false;
        }
        if self.is_held_up() {
            return false;
        }
        match self.state.get() {
            State::Ready => true,
            State::Ended => false,
            State::Blocked => {
                self.until.get() <= now
                    || self
                        .condition
                        .borrow()
                        .as_ref()
                        .is_some_and(|condition| condition())
            }
        }
    }

    /// The next time at which it could run without anybody's help.
    pub(super) fn wakes_at(&self) -> u64 {
        let own = match self.state.get() {
            State::Ready => 0,
            State::Blocked
                if self
                    .condition
                    .borrow()
                    .as_ref()
                    .is_some_and(|condition| condition()) =>
            {
                0
            }
            State::Blocked => self.until.get(),
            State::Ended => NEVER,
        };
        let paused = self
            .process
            .as_ref()
            .map_or(0, |process| process.paused_until.get());
        if own == NEVER || self.is_held_up() {
            NEVER
        } else {
            own.max(paused)
        }
    }

    /// Another actor of its process is in a section beside which nobody goes on.
    fn is_held_up(&self) -> bool {
        let holder = self
            .process
            .as_ref()
            .and_then(|process| process.held_by.get());
        holder.is_some_and(|holder| holder != self.cause.hash())
    }

    /// Runs the coroutine until it suspends or ends. Returns its stack when it has ended.
    pub(super) fn resume(&self, how: Resume) -> Option<DefaultStack> {
        let mut routine = self.routine.borrow_mut().take()?;
        match routine.resume(how) {
            CoroutineResult::Yield(()) => {
                *self.routine.borrow_mut() = Some(routine);
                None
            }
            CoroutineResult::Return(()) => {
                self.state.set(State::Ended);
                Some(routine.into_stack())
            }
        }
    }

    /// Called by the coroutine itself, first thing.
    pub(super) fn started(&self, yielder: &Yielder<Resume, ()>) {
        self.yielder.set(yielder);
    }

    /// Suspends the running coroutine, which must be this actor's.
    pub(super) fn suspend(&self) -> Resume {
        let yielder = self.yielder.get();
        assert!(!yielder.is_null(), "an actor suspends only while it runs");
        // SAFETY: `started` stored the yielder that lives on this coroutine's own stack; only the coroutine that is
        // running calls `suspend`, so the stack and the yielder are alive, and nobody else uses it meanwhile.
        unsafe { (*yielder).suspend(()) }
    }
}
