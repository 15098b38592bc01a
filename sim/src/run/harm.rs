//! What a fault does to a process, and how it is told.

use std::rc::Rc;

use super::Kernel;
use super::actor::Actor;
use crate::fault::Fault;
use crate::label::Label;
use crate::trace::{Arg, Kind as EventKind, Outcome};

/// How long a crashed process stays down, unless a decision says longer.
const RESTART_MS: (u64, u64) = (1_000, 30_000);

const RESTART: Label = Label::fixed("restart");

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
        let restart = self.amount(actor, &RESTART, RESTART_MS.0, RESTART_MS.1);
        process
            .crashes_left
            .set(process.crashes_left.get().saturating_sub(1));
        process.restart_at.set(self.later(restart));
        self.struck(Fault::Crash, site);
        self.fault_event(actor, format!("crash at {site}"));
        *self.dying.borrow_mut() = Some(Rc::clone(process));
        true
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
        process
            .offset_ms
            .set(process.offset_ms.get().saturating_add(ms));
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
