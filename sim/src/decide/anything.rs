//! A view for tests: everything is allowed, and nobody else is there.

use super::{Candidate, Kind, View};
use crate::fault::Fault;

pub(super) struct Anything;

/// Of each fault.
pub(super) const LONGEST: u64 = 60_000;

impl View for Anything {
    fn ready(&self, _into: &mut Vec<Candidate>) {}
    fn allows(&self, _fault: Fault, _kind: Kind) -> Option<u64> {
        Some(LONGEST)
    }
    fn now_ms(&self) -> u64 {
        0
    }
    fn next_timer_ms(&self) -> Option<u64> {
        None
    }
    fn slowest_ms(&self) -> u64 {
        0
    }
    fn state(&self) -> Option<u128> {
        Some(0)
    }
}
