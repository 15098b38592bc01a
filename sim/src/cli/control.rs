//! When to stop early: an interrupt, or the time limit. The only judge of wall-clock time.

use std::time::{Duration, Instant};

use super::interrupt;

/// Started with the command.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Control {
    started: Instant,
    limit: Option<Duration>,
}

impl Control {
    pub(crate) fn new(limit: Option<Duration>) -> Self {
        Self {
            started: Instant::now(),
            limit,
        }
    }

    /// Whether to end with what was found.
    pub(crate) fn stop(&self) -> bool {
        interrupt::requested()
            || self
                .limit
                .is_some_and(|limit| self.started.elapsed() >= limit)
    }

    /// Seconds since the command started.
    pub(crate) fn seconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }
}
