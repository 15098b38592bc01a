//! Only what failed counts as a failure.

use lockstep_store::Op;

use super::Found;
use crate::world::facts::Facts;

/// No attempt is reported as failed when the provider only asked to come back later: a native session whose lock will be
/// given back is no reason to use up a task's attempts.
pub(super) fn judge(facts: &Facts<'_>, found: &mut Found) {
    let kept = facts.town.kept.borrow();
    for commit in &facts.commits {
        let Some(Op::Fail { task, fence, .. }) = commit.op() else {
            continue;
        };
        let last = kept
            .turns
            .iter()
            .rfind(|turn| turn.task == task.as_str() && turn.fence == *fence && turn.n < commit.n);
        if let Some(turn) = last.filter(|turn| turn.said == "busy") {
            let row = format!(
                "task={task} fence={fence} failed although it was only {}",
                turn.said
            );
            found.add(task.as_str(), row);
        }
    }
}
