//! Clocks of processes: virtual time, as wrong as decisions make it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use lockstep_store::Clock;

use crate::trace::Reading;

/// The clock of one process.
#[derive(Debug, Default)]
pub struct ProcessClock {
    /// How far ahead it is, milliseconds.
    pub offset_ms: Cell<i64>,
    /// By how many millionths it runs fast since the start of the run.
    pub drift_ppm: Cell<i64>,
}

impl ProcessClock {
    /// What it shows at a virtual time, when that began at `start_ms` (Unix milliseconds).
    pub fn read(&self, start_ms: i64, now_us: u64) -> i64 {
        let now_us = i128::from(now_us);
        let gained_us = now_us * i128::from(self.drift_ppm.get()) / 1_000_000;
        let elapsed_ms = i64::try_from((now_us + gained_us) / 1000).unwrap_or(i64::MAX);
        start_ms
            .saturating_add(elapsed_ms)
            .saturating_add(self.offset_ms.get())
    }

    /// Puts it ahead by so much more.
    pub(super) fn add(&self, ms: i64) {
        self.offset_ms.set(self.offset_ms.get().saturating_add(ms));
    }
}

/// The clock that the store is opened with: the one of the process that holds the handle.
#[derive(Clone)]
pub struct SimClock {
    start_ms: i64,
    now_us: Rc<Cell<u64>>,
    process: Rc<RefCell<Rc<ProcessClock>>>,
    /// How often any clock of the stage was read.
    turns: Rc<Cell<u64>>,
    /// What was read since somebody wanted to know.
    read: Rc<RefCell<Option<Vec<Reading>>>>,
}

impl SimClock {
    /// A clock that reads virtual time from `now_us`, counted from `start_ms` (Unix milliseconds).
    pub fn new(start_ms: i64, now_us: Rc<Cell<u64>>) -> Self {
        Self {
            start_ms,
            now_us,
            process: Rc::default(),
            turns: Rc::default(),
            read: Rc::default(),
        }
    }

    /// A clock of another connection, on the same time.
    pub(super) fn sibling(&self) -> Self {
        Self {
            turns: Rc::clone(&self.turns),
            ..Self::new(self.start_ms, Rc::clone(&self.now_us))
        }
    }

    /// A run begins: readings are numbered anew.
    pub(super) fn rewind(&self) {
        self.turns.set(0);
    }

    /// How often any clock of the stage was read in this run.
    pub(super) fn turns(&self) -> Rc<Cell<u64>> {
        Rc::clone(&self.turns)
    }

    /// From now on what is read is remembered.
    pub(super) fn listen(&self) {
        *self.read.borrow_mut() = Some(Vec::new());
    }

    /// What was read since [`SimClock::listen`].
    pub(super) fn heard(&self) -> Vec<Reading> {
        self.read.borrow_mut().take().unwrap_or_default()
    }

    /// From now on this is the clock of that process.
    pub(super) fn follow(&self, clock: &Rc<ProcessClock>) {
        *self.process.borrow_mut() = Rc::clone(clock);
    }
}

impl Clock for SimClock {
    fn now_ms(&self) -> i64 {
        let at_ms = self.process.borrow().read(self.start_ms, self.now_us.get());
        if let Some(read) = self.read.borrow_mut().as_mut() {
            self.turns.set(self.turns.get() + 1);
            let turn = self.turns.get();
            read.push(Reading { turn, at_ms });
        }
        at_ms
    }
}

#[cfg(test)]
mod tests {
    use super::ProcessClock;

    #[test]
    fn a_fast_clock_gains_and_a_slow_one_loses_in_whole_milliseconds() {
        let clock = ProcessClock::default();
        assert_eq!(clock.read(1_000, 10_999), 1_010);
        clock.drift_ppm.set(200_000);
        assert_eq!(clock.read(0, 10_000_000), 12_000);
        clock.drift_ppm.set(-200_000);
        clock.add(3);
        assert_eq!(clock.read(0, 10_000_000), 8_003);
        assert_eq!(clock.read(0, 0), 3);
    }
}
