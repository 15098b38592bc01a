//! What a strategy may ask about a run.

use std::rc::Rc;

use super::Kernel;
use super::actor::NEVER;
use crate::access::Touched;
use crate::decide::{Candidate, Kind, View};
use crate::fault::Fault;

impl View for Kernel {
    fn ready(&self, into: &mut Vec<Candidate>) {
        let now = self.now_us();
        let current = self.current.borrow();
        for actor in self
            .live
            .borrow()
            .iter()
            .filter(|actor| actor.is_ready(now))
        {
            let is_current = current
                .as_ref()
                .is_some_and(|current| Rc::ptr_eq(current, actor));
            into.push(Candidate {
                cause: actor.cause.hash(),
                passed: actor.passed.get(),
                current: is_current,
            });
        }
    }

    fn allows(&self, fault: Fault, kind: Kind) -> Option<u64> {
        let budget = self.budget.borrow();
        let left = match fault {
            Fault::Crash => {
                let current = self.current.borrow();
                let process = current.as_ref().and_then(|actor| actor.process.as_ref());
                process.is_some_and(|process| process.crashes_left.get() > 0)
            }
            Fault::GracefulStop => {
                let current = self.current.borrow();
                let process = current.as_ref().and_then(|actor| actor.process.as_ref());
                budget.left(fault) > 0 && process.is_some_and(|process| !process.is_stopping())
            }
            Fault::Pause => budget.left(fault) > 0 && self.pauses(kind),
            _ => budget.left(fault) > 0,
        };
        left.then(|| budget.longest(fault))
    }

    fn now_ms(&self) -> u64 {
        self.now_us() / 1000
    }

    fn position(&self) -> u64 {
        self.trace.borrow().last()
    }

    fn next_timer_ms(&self) -> Option<u64> {
        let now = self.now_us();
        let next = self.next_timer(|actor| actor.wakes_at() > now);
        (next != NEVER).then_some(next.div_ceil(1000))
    }

    fn slowest_ms(&self) -> u64 {
        self.limits.slowest_step_ms
    }

    fn state(&self) -> Option<u128> {
        self.tell_state()
    }

    fn touched(&self) -> Touched {
        self.take_touched()
    }

    fn live(&self, into: &mut Vec<u64>) {
        let live = self.live.borrow();
        into.extend(live.iter().map(|actor| actor.cause.hash()));
    }
    fn awaiting(&self, into: &mut Vec<u64>) {
        let live = self.live.borrow();
        let awaiting = live.iter().filter(|actor| actor.awaits_answer.get());
        into.extend(awaiting.map(|actor| actor.cause.hash()));
    }
}
