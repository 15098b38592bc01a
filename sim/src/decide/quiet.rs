//! The quiet run: nothing deviates.

use super::survey::{Survey, Surveyor};
use super::{Act, At, Strategy, View};

/// Never deviates, and remembers what could have: the yardstick of the other strategies.
#[derive(Debug, Default)]
pub struct Quiet(Surveyor);

impl Strategy for Quiet {
    fn decide(&mut self, at: &At, view: &dyn View) -> Option<Act> {
        self.0.look(at, view);
        None
    }

    fn survey(&mut self) -> Survey {
        self.0.take()
    }
}
