//! The hook between a store's statements: here another process may come in, or the process may die.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A hook that a store calls before each of its statements. [`Pause::default`] does nothing and costs nothing.
#[derive(Clone, Debug, Default)]
pub struct Pause(Option<Arc<Gate>>);

impl Pause {
    /// Called by the store before each statement, or before each other step that reads or writes what is shared. Returns at
    /// once, later, or never: then it unwinds, and whoever unwinds has to leave behind what a killed process leaves behind.
    pub fn point(&self) {
        if let Some(gate) = &self.0 {
            gate.pass();
        }
    }
}

/// What happens at the chosen point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    Wait,
    Die,
}

/// Unwinds out of an operation whose process is killed.
struct Killed;

#[derive(Debug)]
pub(super) struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    /// False while the connection is being opened: that is not part of the operation.
    armed: bool,
    passed: u32,
    at: u32,
    then: Then,
    reached: bool,
    released: bool,
    over: bool,
}

impl Gate {
    /// Something will happen before the statement number `at` of an operation, from 0.
    pub(super) fn new(at: u32, then: Then) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                armed: false,
                passed: 0,
                at,
                then,
                reached: false,
                released: false,
                over: false,
            }),
            changed: Condvar::new(),
        })
    }

    pub(super) fn pause(self: &Arc<Self>) -> Pause {
        Pause(Some(self.clone()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pass(&self) {
        let mut state = self.state();
        let here = state.passed;
        if !state.armed {
            return;
        }
        state.passed += 1;
        if here != state.at {
            return;
        }
        state.reached = true;
        self.changed.notify_all();
        if state.then == Then::Die {
            drop(state);
            resume_unwind(Box::new(Killed));
        }
        while !state.released {
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Runs an operation; `None` when it was killed in the middle. Any other panic goes on.
    pub(super) fn run<T>(&self, operation: impl FnOnce() -> T) -> Option<T> {
        self.state().armed = true;
        let outcome = catch_unwind(AssertUnwindSafe(operation));
        let mut state = self.state();
        state.armed = false;
        state.over = true;
        self.changed.notify_all();
        drop(state);
        match outcome {
            Ok(value) => Some(value),
            Err(payload) if payload.is::<Killed>() => None,
            Err(payload) => resume_unwind(payload),
        }
    }

    /// Waits until the operation stands at its point, and says so, or is over.
    pub(super) fn arrival(&self) -> bool {
        let mut state = self.state();
        while !state.reached && !state.over {
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.reached
    }

    /// Waits until the operation is over, but not for long.
    pub(super) fn end_within(&self, limit: Duration) {
        let state = self.state();
        drop(
            self.changed
                .wait_timeout_while(state, limit, |state| !state.over),
        );
    }

    pub(super) fn release(&self) {
        self.state().released = true;
        self.changed.notify_all();
    }
}
