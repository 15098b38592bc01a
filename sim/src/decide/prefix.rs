//! Does what a case does up to a position of the trace, and leaves the rest of the run to somebody else.

use super::{Act, At, Strategy, View};
use crate::case::Decisions;
use crate::decide::Replay;

/// The beginning of a case, and another strategy from there on.
pub struct Prefix {
    case: Replay,
    /// Position of the trace: what begins or returns before it or there is as in the case.
    until: u64,
    then: Box<dyn Strategy>,
}

impl Prefix {
    /// Replays these decisions as long as the trace has not come to `until`; from then on `then` decides.
    pub fn new(decisions: &Decisions, until: u64, then: Box<dyn Strategy>) -> Self {
        let case = Replay::new(decisions);
        Self { case, until, then }
    }
}

impl Strategy for Prefix {
    fn decide(&mut self, at: &At, view: &dyn View) -> Option<Act> {
        match view.position() < self.until {
            true => self.case.decide(at, view),
            false => self.then.decide(at, view),
        }
    }

    fn carried_out(&mut self, key: u64, done: bool) {
        self.case.carried_out(key, done);
        self.then.carried_out(key, done);
    }
}
