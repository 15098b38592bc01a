//! A turn that ends with an answer or a question tells its user so, in the same commit.

use lockstep_store::Op;

use super::Found;
use crate::world::facts::Facts;
use crate::world::row::{self, outbox, task};

/// A commit that completes a task, or lets it wait for an answer, puts a message into the outbox.
pub(super) fn judge(facts: &Facts<'_>, found: &mut Found) {
    for commit in &facts.commits {
        if !matches!(commit.op(), Some(Op::Complete(_) | Op::Ask(_))) {
            continue;
        }
        let tells = commit.of(outbox::TABLE).any(|(old, _)| old.is_none());
        for (_, new) in commit.of(task::TABLE) {
            let Some(new) = new.filter(|_| !tells) else {
                continue;
            };
            let (id, state) = (row::text(new, task::ID), row::text(new, task::STATE));
            if matches!(state, "done" | "waiting") {
                found.add(id, format!("task={id} is={state} and nobody is told"));
            }
        }
    }
}
