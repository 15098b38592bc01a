//! The quiet run: nothing deviates.

use super::{Act, At, Strategy, View};

/// Never deviates.
#[derive(Debug, Clone, Copy)]
pub struct Quiet;

impl Strategy for Quiet {
    fn decide(&mut self, _at: &At, _view: &dyn View) -> Option<Act> {
        None
    }
}
