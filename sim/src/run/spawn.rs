//! How actors begin: each a coroutine on a stack of the pool, under a cause that no other has.

use std::rc::Rc;

use corosensei::Coroutine;
use corosensei::stack::DefaultStack;

use super::actor::{Actor, Resume};
use super::process::Process;
use super::{Ctx, Kernel, death};
use crate::label::Label;

impl Kernel {
    /// Starts an actor: `body` runs as a coroutine of `process` (none: outside the system, it cannot crash).
    pub fn spawn(
        &self,
        cause: Label,
        process: Option<&Rc<Process>>,
        daemon: bool,
        body: impl FnOnce(&Ctx) + 'static,
    ) {
        self.spawn_with(cause, process, daemon, |_| (), body);
    }

    /// The same, with something to be done to the actor before it can run.
    pub(super) fn spawn_with(
        &self,
        cause: Label,
        process: Option<&Rc<Process>>,
        daemon: bool,
        prepare: impl FnOnce(&Actor),
        body: impl FnOnce(&Ctx) + 'static,
    ) {
        let cause = self.unique(cause);
        self.keep_cause(&cause);
        let actor = Rc::new(Actor::new(cause, process.cloned(), daemon));
        if let Some(maker) = self.current.borrow().as_ref() {
            actor.looped.set(maker.looped.get());
            actor.looks.set(maker.looks.get());
            actor.knows.set(maker.knows.get());
        }
        prepare(&actor);
        let stack = self.stacks.borrow_mut().pop().unwrap_or_else(new_stack);
        let kernel = self.me.clone();
        let mine = Rc::downgrade(&actor);
        actor.set_routine(Coroutine::with_stack(stack, move |yielder, resume| {
            let (Some(kernel), Some(actor)) = (kernel.upgrade(), mine.upgrade()) else {
                return;
            };
            actor.started(yielder);
            if resume == Resume::Go {
                death::guard(&kernel, &actor, body);
            }
        }));
        self.live.borrow_mut().push(actor);
    }

    /// A cause must name one actor, because decisions are keyed by it: one that was used before gets a number.
    fn unique(&self, cause: Label) -> Label {
        let mut causes = self.causes.borrow_mut();
        let used = causes.entry(cause.hash()).or_insert(0);
        *used += 1;
        if *used == 1 {
            cause
        } else {
            Label::new(&format!("{cause}~{used}"))
        }
    }
}

/// Deep enough for SQLite's parser, small enough that pools of them stay in cache.
const STACK_BYTES: usize = 256 * 1024;

fn new_stack() -> DefaultStack {
    DefaultStack::new(STACK_BYTES).expect("memory for a coroutine stack")
}
