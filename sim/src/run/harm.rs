//! What a fault does to a process, and how it is told.

use std::rc::Rc;

use super::actor::Actor;
use super::ctx::Ctx;
use super::footprint::life;
use super::process::Process;
use super::{Kernel, NOBODY};
use crate::access::Access;
use crate::case::Deviation;
use crate::decide::{Act, Kind};
use crate::fault::Fault;
use crate::label::Label;
use crate::trace::{Arg, Kind as EventKind, Outcome};

/// How long a process that has died stays down, unless a decision says longer.
const RESTART_MS: (u64, u64) = (1_000, 30_000);

/// How long a process that was asked to stop may take, unless a decision says longer.
const GRACE_MS: (u64, u64) = (5_000, 30_000);

const GRACE: Label = Label::fixed("grace");
const RESTART: Label = Label::fixed("restart");

impl Ctx {
    /// Crashes a process that is up, because the scenario says so; it starts again after so many milliseconds. For actors outside.
    pub fn crash(&self, process: &Rc<Process>, down_ms: u64) {
        if !process.up.get() {
            return;
        }
        let kernel = self.kernel();
        self.touches(|| Access::thing(life(process), true));
        process.restart_at.set(kernel.later(down_ms));
        process.died.set(process.died.get() + 1);
        kernel.fault_event(&self.actor, format!("crash {}", process.name));
        *kernel.dying.borrow_mut() = Some(Rc::clone(process));
        self.sleep(&RESTART, 0);
    }

    /// Asks a process that is up to stop gracefully.
    pub fn ask_to_stop(&self, process: &Rc<Process>) {
        if !process.up.get() || process.is_stopping() {
            return;
        }
        let kernel = self.kernel();
        self.touches(|| Access::thing(life(process), true));
        let grace = self.amount(&GRACE, GRACE_MS.0, GRACE_MS.1);
        kernel.fault_event(
            &self.actor,
            format!("stop {}, killed after {grace} ms", process.name),
        );
        kernel.ask_to_stop(process, grace);
    }
}

impl Kernel {
    /// The kinds of faults that may strike at all in this run.
    pub(super) fn kinds_allowed(&self) -> Vec<Fault> {
        let crashes = self
            .processes
            .borrow()
            .iter()
            .any(|process| process.crashes_left.get() > 0);
        let budget = self.budget.borrow();
        let allowed = |fault: &Fault| match fault {
            Fault::Crash => crashes,
            _ => budget.left(*fault) > 0,
        };
        Fault::ALL.into_iter().filter(allowed).collect()
    }

    pub(super) fn crash(&self, actor: &Rc<Actor>, site: &Label) -> bool {
        let Some(process) = &actor.process else {
            return false;
        };
        process
            .crashes_left
            .set(process.crashes_left.get().saturating_sub(1));
        self.struck(Fault::Crash, site);
        self.fall(actor, process, site);
        true
    }

    /// The process crashes as soon as the running actor stands still.
    fn fall(&self, actor: &Rc<Actor>, process: &Rc<Process>, site: &Label) {
        let restart = self.amount(actor, &RESTART, RESTART_MS.0, RESTART_MS.1);
        process.restart_at.set(self.later(restart));
        process.died.set(process.died.get() + 1);
        self.fault_event(actor, format!("crash at {site}"));
        *self.dying.borrow_mut() = Some(Rc::clone(process));
    }

    /// A process has started again: it crashes once more, some gates from here, if a decision says so.
    pub(super) fn plan_crash_again(&self, process: &Rc<Process>) {
        let actor = Actor::new(process.name.clone(), Some(Rc::clone(process)), true);
        // Occurrences count the restarts of this process.
        (2..process.incarnation.get()).for_each(|_| {
            actor.count(&RESTART);
        });
        let Some((key, occurrence, act)) = self.ask(&actor, &RESTART, Kind::Restart) else {
            return;
        };
        let gate = match act {
            Act::Do(Deviation::CrashAgain(n)) if n > 0 => Some(n),
            _ => None,
        };
        self.strategy.borrow_mut().carried_out(key, gate.is_some());
        if let Some(n) = gate {
            process.crashes_in.set(n);
            self.budget.borrow_mut().spend(Fault::CrashAgain);
            self.deviated(&actor, &RESTART, occurrence, Deviation::CrashAgain(n));
            self.fault_event(&actor, format!("crash again at gate {n} from here"));
        }
    }

    /// Whether this is the gate at which the process crashes again.
    pub(super) fn crashes_again(&self, actor: &Rc<Actor>, site: &Label) -> bool {
        let Some(process) = &actor.process else {
            return false;
        };
        let left = process.crashes_in.get();
        process.crashes_in.set(left.saturating_sub(1));
        if left == 1 {
            self.count_strike(Fault::CrashAgain, site);
            self.fall(actor, process, site);
        }
        left == 1
    }

    pub(super) fn stop(&self, actor: &Rc<Actor>, site: &Label) -> bool {
        let Some(process) = actor.process.as_ref().filter(|p| !p.is_stopping()) else {
            return false;
        };
        let grace = self.amount(actor, &GRACE, GRACE_MS.0, GRACE_MS.1);
        self.struck(Fault::GracefulStop, site);
        self.fault_event(actor, format!("stop at {site}, killed after {grace} ms"));
        self.ask_to_stop(process, grace);
        true
    }

    /// A process is asked to stop, and killed when it has not ended by then.
    fn ask_to_stop(&self, process: &Rc<Process>, grace_ms: u64) {
        process.stop_at.set(self.later(grace_ms));
        let work = process.stop_work.borrow().clone();
        if let Some(work) = work {
            let cause = format!("stop {}#{}", process.name, process.incarnation.get());
            self.spawn(Label::new(&cause), Some(process), false, move |ctx| {
                work(ctx)
            });
        }
    }

    /// Processes that were asked to stop and have nobody left who does anything.
    pub(super) fn end_the_idle(&self) {
        for process in self.processes() {
            let idle = || {
                let live = self.live.borrow();
                let mut own = live.iter().filter_map(|actor| actor.process.as_ref());
                !own.any(|own| Rc::ptr_eq(own, &process))
            };
            if process.ends_when_idle.get() && process.up.get() && process.is_stopping() && idle() {
                self.stop_now(&process, "ends");
            }
        }
    }

    /// A process ends by itself, as soon as the running actor stands still.
    pub(super) fn leave(&self, actor: &Rc<Actor>, process: &Rc<Process>) {
        let restart = self.amount(actor, &RESTART, RESTART_MS.0, RESTART_MS.1);
        process.restart_at.set(self.later(restart));
        self.exit_event(process, "ends");
        *self.dying.borrow_mut() = Some(Rc::clone(process));
    }

    /// Kills every process that was asked to stop and has had its grace by then.
    pub(super) fn stop_due(&self, by_us: u64) {
        for process in self.processes() {
            if process.is_stopping() && process.stop_at.get() <= by_us {
                self.stop_now(&process, "is killed, its grace is over");
            }
        }
    }

    /// Stops a process from outside; it starts again after a while. Not counted as a crash.
    pub(super) fn stop_now(&self, process: &Rc<Process>, words: &str) {
        process.restart_at.set(self.later(RESTART_MS.0));
        self.exit_event(process, words);
        self.kill(process);
    }

    /// Whether a role should strike a fault of its own now: no, unless a decision says so and there is budget left.
    pub(super) fn may(&self, actor: &Actor, fault: Fault) -> bool {
        if self.budget.borrow().left(fault) == 0 {
            return false;
        }
        let site = Label::new(fault.name());
        let Some((key, occurrence, act)) = self.ask(actor, &site, Kind::May(fault)) else {
            return false;
        };
        let yes = act == Act::Do(Deviation::Pick(1));
        self.strategy.borrow_mut().carried_out(key, yes);
        if yes {
            self.deviated(actor, &site, occurrence, Deviation::Pick(1));
        }
        yes
    }

    pub(super) fn store_error(&self, actor: &Actor, site: &Label) -> bool {
        self.struck(Fault::StoreError, site);
        self.fault_event(actor, format!("store_error at {site}"));
        true
    }

    pub(super) fn fill_disk(&self, actor: &Actor, site: &Label, ms: u64) -> bool {
        self.full_until.set(self.later(ms));
        self.struck(Fault::DiskFull, site);
        self.fault_event(actor, format!("disk full for {ms} ms"));
        true
    }

    /// Whether no file of the database can grow now. Does not concern who only looks.
    pub(super) fn is_full(&self) -> bool {
        !self.muted.get() && self.now_us() < self.full_until.get()
    }

    fn exit_event(&self, process: &Process, words: &str) {
        let identity = Some((process.name.clone(), process.incarnation.get()));
        let arg = Arg::Text(format!("{} {words}", process.name).into());
        self.note_as(NOBODY, identity, EventKind::Exit, arg, Outcome::Done);
    }

    /// Whether a wake-up is lost.
    pub(super) fn loses_wakeup(&self, actor: &Actor, site: &Label) -> bool {
        let Some((key, occurrence, act)) = self.ask(actor, site, Kind::Wake) else {
            return false;
        };
        let lost = act == Act::Do(Deviation::LostWakeup);
        self.strategy.borrow_mut().carried_out(key, lost);
        if lost {
            self.deviated(actor, site, occurrence, Deviation::LostWakeup);
            self.struck(Fault::LostWakeup, site);
            self.fault_event(actor, format!("lost_wakeup {site}"));
        }
        lost
    }

    pub(super) fn pause(&self, actor: &Rc<Actor>, site: &Label, ms: u64) -> bool {
        let Some(process) = &actor.process else {
            return false;
        };
        process.paused_until.set(self.later(ms));
        self.struck(Fault::Pause, site);
        self.fault_event(actor, format!("pause {ms} ms"));
        true
    }

    pub(super) fn jump(&self, actor: &Rc<Actor>, site: &Label, ms: i64) -> bool {
        let Some(process) = &actor.process else {
            return false;
        };
        process.clock.add(ms);
        self.struck(Fault::ClockJump, site);
        self.fault_event(actor, format!("clock jumps {ms} ms"));
        true
    }

    pub(super) fn fault_event(&self, actor: &Actor, words: String) {
        self.note_as(
            actor.cause.clone(),
            actor.identity(),
            EventKind::Fault,
            Arg::Text(words.into()),
            Outcome::Done,
        );
    }
}
