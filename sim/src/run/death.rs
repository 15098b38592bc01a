//! Death has a protocol, for processes in the middle of a run and for everybody at its end.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

use super::Kernel;
use super::actor::{Actor, NEVER, Resume, State};
use super::ctx::Ctx;
use super::process::Process;

/// What an actor unwinds with when its process has died.
struct Died;

/// Leaves the actor's code for good. Not a panic: no hook runs and nothing is printed.
pub(super) fn unwind() -> ! {
    resume_unwind(Box::new(Died))
}

/// Runs an actor's body: death ends it silently, a panic is a bug in lockstep and ends the run.
pub(super) fn guard(kernel: &Rc<Kernel>, actor: &Rc<Actor>, body: impl FnOnce(&Ctx)) {
    let ctx = Ctx {
        kernel: Rc::clone(kernel),
        actor: Rc::clone(actor),
    };
    let Err(payload) = catch_unwind(AssertUnwindSafe(|| body(&ctx))) else {
        return;
    };
    if !payload.is::<Died>() {
        let words = format!("{} panicked: {}", actor.cause, words(payload.as_ref()));
        kernel.internal.borrow_mut().get_or_insert(words);
    }
}

fn words(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

impl Kernel {
    /// A process dies.
    ///
    /// Its locks are released and its handles marked dead; the WAL's shared memory is put aside; each of its coroutines
    /// runs to its end, where every gate and every return from SQLite unwinds; then the shared memory is put back.
    /// Without the last step, a dead connection's clean-up would write it (772 times in 8,000 measured runs).
    pub(super) fn kill(&self, process: &Rc<Process>) {
        process.up.set(false);
        process.deaths.borrow_mut().push(self.now_us());
        process.memory.take();
        process.held_by.set(None);
        process.paused_until.set(0);
        process.stop_at.set(NEVER);
        process.crashes_in.set(0);
        let victims: Vec<Rc<Actor>> = self
            .live
            .borrow()
            .iter()
            .filter(|actor| {
                actor
                    .process
                    .as_ref()
                    .is_some_and(|own| Rc::ptr_eq(own, process))
            })
            .cloned()
            .collect();
        for conn in self.connections_of(process, &victims) {
            self.disk.kill(conn);
        }
        for victim in &victims {
            let conns = victim.conns.borrow().clone();
            conns
                .iter()
                .for_each(|(_, conn)| self.leave_in_doubt(*conn, &victim.cause));
        }
        let shm = self.disk.shm_copy();
        self.graveyard
            .borrow_mut()
            .append(&mut process.idle.borrow_mut());
        victims.iter().for_each(|actor| self.drain(actor));
        self.disk.shm_restore(&shm);
        for (file, name) in self.files.iter().enumerate() {
            if !self.anybody_is_connected(file) {
                // The last process that had the WAL's index mapped is gone: the next one builds it anew from the WAL, and
                // finds there what was committed without anybody having been told.
                self.disk.forget_shm(name);
            }
        }
        let judge = self.judge.borrow().clone();
        if let Some(judge) = judge {
            self.muted(|| judge.crashed(self));
        }
    }

    fn anybody_is_connected(&self, file: usize) -> bool {
        let busy = self.live.borrow().iter().any(|actor| actor.conn(file) != 0);
        let idle = |process: &Rc<Process>| process.has_idle(file);
        busy || self.processes.borrow().iter().any(idle)
    }

    fn connections_of(&self, process: &Process, victims: &[Rc<Actor>]) -> Vec<u32> {
        let idle = process.idle.borrow();
        let mut conns: Vec<u32> = idle.iter().map(|handle| handle.conn).collect();
        for victim in victims {
            conns.extend(victim.conns.borrow().iter().map(|(_, conn)| *conn));
        }
        conns
    }

    /// Runs an actor to its end without letting it do anything.
    pub(super) fn drain(&self, actor: &Rc<Actor>) {
        *self.current.borrow_mut() = Some(Rc::clone(actor));
        while actor.state.get() != State::Ended {
            if let Some(stack) = actor.resume(Resume::Die) {
                self.stacks.borrow_mut().push(stack);
            }
        }
        *self.current.borrow_mut() = None;
        self.graveyard
            .borrow_mut()
            .append(&mut actor.take_handles());
        self.break_off(actor);
        self.profile
            .borrow_mut()
            .gates
            .insert(actor.cause.hash(), actor.passed.get());
        self.live
            .borrow_mut()
            .retain(|other| !Rc::ptr_eq(other, actor));
    }

    /// The run is over: whoever is still in the middle of something ends without effect.
    pub(super) fn end_everybody(&self) {
        self.over.set(true);
        self.muted.set(true);
        let live = self.live.borrow().clone();
        for actor in live {
            let left = actor.take_handles();
            left.into_iter().for_each(|handle| self.give_back(handle));
            self.drain(&actor);
        }
        for process in self.processes() {
            let idle = std::mem::take(&mut *process.idle.borrow_mut());
            idle.into_iter().for_each(|handle| self.give_back(handle));
            process.forget_work();
        }
    }

    /// Puts a handle back into the pool, unless it stands in the middle of a transaction.
    fn give_back(&self, handle: super::Handle) {
        let idle = handle.connection().is_autocommit();
        let place = if idle { &self.pool } else { &self.graveyard };
        place.borrow_mut().push(handle);
    }

    /// Does something without gates, decisions or observers.
    pub(super) fn muted<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = self.muted.replace(true);
        let result = work();
        self.muted.set(before);
        result
    }
}
