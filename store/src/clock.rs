//! The clock a store is opened with. No other part of this crate asks what time it is.

#![expect(
    clippy::disallowed_methods,
    reason = "the one wall clock, for production; tests and simulations bring their own"
)]

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Where a store takes its time from. Workers' clocks never reach the store.
pub trait Clock {
    /// Milliseconds since the Unix epoch, or since any other fixed moment. May step back: the store then waits longer, and
    /// stays right.
    fn now_ms(&self) -> i64;
}

/// The machine's wall clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }
}

/// A clock that stands still until it is told to move, for tests.
#[derive(Debug, Default)]
pub struct ManualClock {
    now_ms: AtomicI64,
}

impl ManualClock {
    /// A clock that stands at `now_ms`.
    pub fn at(now_ms: i64) -> Self {
        Self {
            now_ms: AtomicI64::new(now_ms),
        }
    }

    /// Sets the clock, forwards or back.
    pub fn set(&self, now_ms: i64) {
        self.now_ms.store(now_ms, Ordering::SeqCst);
    }

    /// Moves the clock forwards.
    pub fn advance(&self, by_ms: i64) {
        self.now_ms.fetch_add(by_ms, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now_ms(&self) -> i64 {
        self.now_ms.load(Ordering::SeqCst)
    }
}

impl<C: Clock + ?Sized> Clock for &C {
    fn now_ms(&self) -> i64 {
        (**self).now_ms()
    }
}

impl<C: Clock + ?Sized> Clock for std::rc::Rc<C> {
    fn now_ms(&self) -> i64 {
        (**self).now_ms()
    }
}

impl<C: Clock + ?Sized> Clock for std::sync::Arc<C> {
    fn now_ms(&self) -> i64 {
        (**self).now_ms()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_clock_counts_milliseconds_since_1970() {
        let (in_2023, in_2096) = (1_700_000_000_000, 4_000_000_000_000);
        assert!((in_2023..in_2096).contains(&SystemClock.now_ms()));
    }

    fn read(clock: impl Clock) -> i64 {
        clock.now_ms()
    }

    #[test]
    fn a_clock_may_be_shared() {
        let clock = ManualClock::at(5);
        clock.advance(2);
        assert_eq!(read(&clock), 7);
        clock.set(3);
        assert_eq!(read(std::rc::Rc::new(&clock)), 3);
        assert_eq!(read(std::sync::Arc::new(clock)), 3);
    }
}
