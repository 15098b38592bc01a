//! A task that counts as done was done.

use super::Found;
use crate::world::facts::Facts;
use crate::world::row::{self, task};

/// Each task that becomes `done` was carried out by the provider before, under the task's key.
pub(super) fn judge(facts: &Facts<'_>, found: &mut Found) {
    let kept = facts.town.kept.borrow();
    for commit in &facts.commits {
        for (_, new) in commit.of(task::TABLE) {
            let Some(new) = new.filter(|new| row::text(new, task::STATE) == "done") else {
                continue;
            };
            let id = row::text(new, task::ID);
            let ran = kept
                .turns
                .iter()
                .any(|turn| turn.task == id && turn.n < commit.n && turn.said.starts_with("done "));
            if !ran {
                found.add(id, format!("task={id} is done and never ran"));
            }
        }
    }
}
