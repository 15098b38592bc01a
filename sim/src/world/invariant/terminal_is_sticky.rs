//! A task that has ended stays as it ended.

use lockstep_store::Op;

use super::Found;
use crate::world::facts::Facts;
use crate::world::row::{self, task};

/// No committed change touches a task that had ended before it, not even to the same state; only pruning removes it.
pub(super) fn judge(facts: &Facts<'_>, found: &mut Found) {
    for commit in &facts.commits {
        let prunes = matches!(commit.op(), Some(Op::Prune { .. }));
        for (old, new) in commit.of(task::TABLE) {
            let Some(old) = old.filter(|old| !task::is_open(old)) else {
                continue;
            };
            if new == Some(old) || (new.is_none() && prunes) {
                continue;
            }
            let key = row::text(old, task::ID);
            let was = row::text(old, task::STATE);
            let is = new.map_or("gone", |new| row::text(new, task::STATE));
            found.add(
                key,
                format!("task={key} was={was} is={is} by={}", commit.cause),
            );
        }
    }
}
