//! The loop: who runs, until nothing is left to do, and when virtual time moves.

use std::rc::Rc;

use super::World;
use super::actor::{Actor, NEVER, Resume, State};
use super::{ENDED, Kernel};
use crate::scenario::RUN_ENDS;

/// How far the loop lets virtual time go.
struct Horizon {
    until_us: u64,
    /// From the last thing that comes by itself on.
    longest_us: u64,
    /// What had happened when something still was to come by itself.
    happened: usize,
}

impl Horizon {
    fn after(begun_us: u64, longest_us: u64) -> Self {
        Self {
            until_us: begun_us.saturating_add(longest_us),
            longest_us,
            happened: 0,
        }
    }
}

impl Kernel {
    /// The loop: until nothing is left to do, or the limits of the phases are reached.
    pub(super) async fn run(&self, world: &dyn World) {
        self.start_processes();
        let longest = self.limits.faults_us;
        self.drive(world, Horizon::after(self.begun_us(), longest))
            .await;
        if self.is_abandoned() {
            return;
        }
        self.heal();
        let longest = self.limits.heal_us;
        self.drive(world, Horizon::after(self.now_us(), longest))
            .await;
        self.name_the_stuck();
    }

    async fn drive(&self, world: &dyn World, mut horizon: Horizon) {
        horizon.happened = self.trace.borrow().happened();
        loop {
            if self.is_broken() || self.short.get() || self.runs_away() || self.is_abandoned() {
                return;
            }
            if let Some(actor) = self.choose() {
                self.step(&actor, Resume::Go);
                if let Some(process) = self.dying.take() {
                    self.kill(&process);
                }
                if let Some(restore) = self.restoring.take() {
                    self.put_back(&actor, &restore);
                }
                self.end_the_idle();
                continue;
            }
            if self.settled() && world.settled(self) {
                return;
            }
            if !self.sees(&mut horizon) || !self.advance(horizon.until_us).await {
                return;
            }
        }
    }

    /// Whether its strategy does not want to know how it goes on.
    pub(super) fn is_abandoned(&self) -> bool {
        self.kept.is_some() && self.strategy.borrow().is_over()
    }

    /// Moves the horizon behind the next thing that comes by itself. False when there is none, and loops have been alone for
    /// long enough.
    fn sees(&self, horizon: &mut Horizon) -> bool {
        let Some(alone) = self.limits.alone else {
            return true;
        };
        let happened = self.trace.borrow().happened();
        let next = self.next_timer(|actor| !actor.daemon.get() && !actor.looped.get());
        if next == NEVER {
            return happened - horizon.happened <= alone;
        }
        horizon.happened = happened;
        let until = next.saturating_add(horizon.longest_us);
        horizon.until_us = horizon.until_us.max(until);
        true
    }

    /// When the next timer of something that is not a loop runs out, milliseconds of virtual time.
    pub fn next_due_ms(&self) -> Option<u64> {
        let next = self.next_timer(|actor| !actor.daemon.get() && !actor.looks.get());
        (next != NEVER).then_some(next / 1000)
    }

    /// The next timer of these actors, pause, end of a grace or restart.
    pub(super) fn next_timer(&self, of: impl Fn(&Actor) -> bool) -> u64 {
        let live = self.live.borrow();
        let actors = live.iter().filter(|actor| of(actor));
        let actors = actors.map(|actor| actor.wakes_at());
        let processes = self.processes.borrow();
        let down = processes.iter().filter(|process| !process.up.get());
        let restarts = down.map(|process| process.restart_at.get());
        let stops = processes.iter().map(|process| process.stop_at.get());
        actors.chain(restarts).chain(stops).min().unwrap_or(NEVER)
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
                RUN_ENDS,
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
        self.goes_on(actor);
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
        let next = self.next_timer(|_| true);
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
