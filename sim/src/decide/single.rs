//! One deviation from the quiet run, and nothing else.

use super::{Act, At, Single, Strategy, View};

/// Deviates at one point.
#[derive(Debug)]
pub struct OneDeviation(Single);

impl OneDeviation {
    /// Deviates like this.
    pub const fn new(single: Single) -> Self {
        Self(single)
    }
}

impl Strategy for OneDeviation {
    fn decide(&mut self, at: &At, _view: &dyn View) -> Option<Act> {
        (at.key == self.0.key).then(|| self.0.act.clone())
    }
}
