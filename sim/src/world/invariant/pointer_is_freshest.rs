//! The pointer is the token that the newest turn left, and never an older one; it goes when the provider says that it has lost it.

use lockstep_store::Op;

use super::Found;
use crate::world::facts::{Commit, Facts};
use crate::world::row::{self, session};

/// A turn that leaves a token leaves its session with that token, which is the one that the provider gave it; no other commit
/// puts another token into its place, but one that was made for the session's new class; and who reports one as lost has
/// it from the provider.
pub(super) fn judge(facts: &Facts<'_>, found: &mut Found) {
    for commit in &facts.commits {
        let left = commit.op().and_then(left);
        if let (Some(left), Some((task, given))) =
            (left, commit.op().and_then(|op| given(facts, op)))
            && left != given
        {
            found.add(task, format!("task={task} given={given} left={left}"));
        }
        for (old, new) in commit.of(session::TABLE) {
            let (Some(old), Some(new)) = (old, new) else {
                continue;
            };
            let (was, is) = (
                row::text(old, session::TOKEN),
                row::text(new, session::TOKEN),
            );
            let right = match left {
                Some(token) => is == token,
                None if is.is_empty() => was.is_empty() || may_go(facts, commit, was),
                None => is == was,
            };
            if !right {
                let id = row::text(new, session::ID);
                let left = left.unwrap_or("nothing");
                let row = format!(
                    "session={id} was={was} left={left} is={is} by={}",
                    by(commit)
                );
                found.add(id, row);
            }
        }
    }
}

/// The token that an operation leaves behind.
fn left(op: &Op) -> Option<&str> {
    match op {
        Op::Complete(turn) => turn.resume_token.as_deref(),
        Op::Ask(turn) => turn.resume_token.as_deref(),
        Op::SetResume { token, .. } => Some(token),
        _ => None,
    }
}

/// The task of a turn, and the token that its worker last heard from the provider.
fn given<'a>(facts: &Facts<'_>, op: &'a Op) -> Option<(&'a str, String)> {
    let (task, fence) = match op {
        Op::Complete(turn) => (&turn.task, turn.fence),
        Op::Ask(turn) => (&turn.task, turn.fence),
        _ => return None,
    };
    let heard = facts.town.heard.borrow();
    let words = heard.get(&(task.as_str().to_owned(), fence.0))?;
    let token = match words.split_once(' ')? {
        ("done", rest) => rest.rsplit_once(' ')?.0,
        ("asks", rest) => rest,
        _ => return None,
    };
    Some((task.as_str(), token.to_owned()))
}

/// Whether this commit may drop this token: a report of its loss has to be true.
fn may_go(facts: &Facts<'_>, commit: &Commit<'_>, token: &str) -> bool {
    let reported = matches!(commit.op(), Some(Op::DropResume { .. }));
    !reported
        || facts
            .town
            .kept
            .borrow()
            .lost
            .iter()
            .any(|lost| lost == token)
}

fn by(commit: &Commit<'_>) -> String {
    let op = commit.op().map_or("", Op::name);
    format!("{op} of {}", commit.cause)
}
