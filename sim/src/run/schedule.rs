//! The loop: who runs, until nothing is left to do, and when virtual time moves.

use std::rc::Rc;

use super::World;
use super::actor::{Actor, NEVER, Resume, State};
use super::{ENDED, Kernel};

impl Kernel {
    /// The loop: until nothing is left to do, or the limits of the phases are reached.
    pub(super) async fn run(&self, world: &dyn World) {
        self.start_processes();
        let bound = self.begun_us().saturating_add(self.limits.faults_us);
        self.drive(world, bound).await;
        self.heal();
        let bound = self.now_us().saturating_add(self.limits.heal_us);
        self.drive(world, bound).await;
        self.name_the_stuck();
    }

    pub(super) async fn drive(&self, world: &dyn World, until_us: u64) {
        loop {
            if self.internal.borrow().is_some() || self.short.get() || self.runs_away() {
                return;
            }
            if let Some(actor) = self.choose() {
                self.step(&actor, Resume::Go);
                if let Some(process) = self.dying.take() {
                    self.kill(&process);
                }
                if let Some(backup) = self.restoring.take() {
                    self.put_back(&actor, &backup);
                }
                self.end_the_idle();
                continue;
            }
            if self.settled() && world.settled(self) {
                return;
            }
            if !self.advance(until_us).await {
                return;
            }
        }
    }

    pub(super) fn runs_away(&self) -> bool {
        let limit = self.limits.events * (self.leg() + 1);
        let (happened, all) = {
            let trace = self.trace.borrow();
            (trace.happened(), trace.events.len())
        };
        // A schedule that does nothing but switch has to end, too.
        let away = happened > limit || all > 10 * limit;
        if away && !self.over.replace(true) {
            self.cut.set(true);
            self.found(
                "run_ends",
                "",
                "the run went on for more events than the limit allows",
            );
        }
        away
    }

    /// Nothing is owed: only daemons are left, and no process is down.
    pub(super) fn settled(&self) -> bool {
        self.live.borrow().iter().all(|actor| actor.daemon.get())
            && self
                .processes
                .borrow()
                .iter()
                .all(|process| process.up.get())
    }

    pub(super) fn step(&self, actor: &Rc<Actor>, how: Resume) {
        *self.current.borrow_mut() = Some(Rc::clone(actor));
        self.disk.enter(actor.conn(0));
        actor.state.set(State::Ready);
        let stack = actor.resume(how);
        *self.current.borrow_mut() = None;
        if let Some(stack) = stack {
            self.stacks.borrow_mut().push(stack);
            self.ended(actor);
        }
        *self.stopped.borrow_mut() = Some(Rc::clone(actor));
    }

    pub(super) fn ended(&self, actor: &Rc<Actor>) {
        *actor.waits_at.borrow_mut() = ENDED;
        self.live
            .borrow_mut()
            .retain(|other| !Rc::ptr_eq(other, actor));
        self.profile
            .borrow_mut()
            .gates
            .insert(actor.cause.hash(), actor.passed.get());
        self.break_off(actor);
        let mut left = actor.take_handles();
        match &actor.process {
            Some(process) if !actor.is_dead() => process.idle.borrow_mut().append(&mut left),
            _ => self.graveyard.borrow_mut().append(&mut left),
        }
    }

    /// Moves virtual time to the next timer, pause, end of a grace or restart. False if there is none before the bound.
    pub(super) async fn advance(&self, until_us: u64) -> bool {
        let now = self.now_us();
        let actors = self
            .live
            .borrow()
            .iter()
            .map(|actor| actor.wakes_at())
            .min()
            .unwrap_or(NEVER);
        let restarts = self
            .processes
            .borrow()
            .iter()
            .filter(|process| !process.up.get())
            .map(|process| process.restart_at.get())
            .min()
            .unwrap_or(NEVER);
        let stops = self
            .processes
            .borrow()
            .iter()
            .map(|process| process.stop_at.get())
            .min()
            .unwrap_or(NEVER);
        let next = actors.min(restarts).min(stops);
        if next == NEVER || next > until_us {
            return false;
        }
        madsim::time::advance(std::time::Duration::from_micros(next.saturating_sub(now)));
        self.now_us.set(next.max(now));
        self.stop_due(self.now_us());
        self.restart_due();
        true
    }
}
