//! The pointer is the token that the newest turn left, and never an older one.

use lockstep_store::Op;

use super::Found;
use crate::world::facts::{Commit, Facts};
use crate::world::row::{self, session};

/// A turn that leaves a token leaves its session with that token; no other commit puts another token into its place, but
/// one that was made for the session's new class.
pub(super) fn judge(facts: &Facts<'_>, found: &mut Found) {
    for commit in &facts.commits {
        let left = commit.op().and_then(left);
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
                None => is == was || is.is_empty(),
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

fn by(commit: &Commit<'_>) -> String {
    let op = commit.op().map_or("", Op::name);
    format!("{op} of {}", commit.cause)
}
