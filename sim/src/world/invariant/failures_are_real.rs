//! Only what failed counts as a failure.

use lockstep_store::Op;

use super::Found;
use crate::world::facts::Facts;

/// No attempt is reported as failed when the last that its worker heard was to come back later: a native session whose lock will be
/// given back is no reason to use up a task's attempts.
pub(super) fn judge(facts: &Facts<'_>, found: &mut Found) {
    let heard = facts.town.heard.borrow();
    for commit in &facts.commits {
        let Some(Op::Fail { task, fence, .. }) = commit.op() else {
            continue;
        };
        let last = heard.get(&(task.as_str().to_owned(), fence.0));
        if last.is_some_and(|words| words == "busy") {
            let row = format!("task={task} fence={fence} failed although it was only busy");
            found.add(task.as_str(), row);
        }
    }
}
