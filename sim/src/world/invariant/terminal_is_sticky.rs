//! A task that has ended stays as it ended.

use super::Found;
use crate::trace::Trace;
use crate::world::row::{self, task};

pub(super) const NAME: &str = "terminal_is_sticky";

/// No committed change touches a task that had ended before it, not even to the same state.
pub(super) fn judge(trace: &Trace, found: &mut Vec<Found>) {
    for committed in &trace.changes {
        let change = &committed.change;
        let Some(old) = change
            .old
            .as_ref()
            .filter(|_| &*change.table == task::TABLE)
        else {
            continue;
        };
        if task::is_open(old) || change.new.as_ref() == Some(old) {
            continue;
        }
        let was = row::text(old, task::STATE);
        let is = change
            .new
            .as_ref()
            .map_or("gone", |new| row::text(new, task::STATE));
        let key = row::text(old, task::ID).to_owned();
        found.push(Found {
            name: NAME,
            row: format!("task={key} was={was} is={is} by={}", committed.cause),
            key,
        });
    }
}
