//! Who lost a lease changes nothing any more.

use std::collections::BTreeMap;

use lockstep_store::{CancelHow, Fence, Op, Reply};

use super::Found;
use crate::world::facts::{Commit, Facts, Operation};
use crate::world::row::{self, session};

/// No commit of an operation that carries a fence is made when a higher one was issued before it.
pub(super) fn judge(facts: &Facts<'_>, found: &mut Found) {
    let mut issued = Issued::default();
    let mut operations = facts.operations.iter().peekable();
    for commit in &facts.commits {
        while let Some(operation) = operations.next_if(|operation| operation.n < commit.n) {
            issued.granted(operation);
        }
        if let Some((op, fence)) = commit.op().and_then(fenced)
            && let Some((session, held)) = issued.to(commit.cause.hash(), &op)
            && fence.0 < held
        {
            let row = format!(
                "session={session} held={held} yours={fence} op={} by={}",
                op.name, commit.cause
            );
            found.add(session, row);
        }
        issued.learn(commit);
    }
}

/// What an operation with a fence is about.
struct Fenced<'a> {
    name: &'static str,
    session: Option<&'a str>,
    task: Option<&'a str>,
}

fn fenced(op: &Op) -> Option<(Fenced<'_>, Fence)> {
    let (session, task, fence) = match op {
        Op::Renew { session, fence, .. }
        | Op::Append { session, fence, .. }
        | Op::SetResume { session, fence, .. } => (Some(session.as_str()), None, *fence),
        Op::Complete(turn) => (None, Some(turn.task.as_str()), turn.fence),
        Op::Ask(turn) => (None, Some(turn.task.as_str()), turn.fence),
        Op::Fail { task, fence, .. }
        | Op::GiveBack { task, fence }
        | Op::Snooze { task, fence, .. }
        | Op::Cancel {
            task,
            how: CancelHow::Own { fence },
            ..
        } => (None, Some(task.as_str()), *fence),
        _ => return None,
    };
    let fenced = Fenced {
        name: op.name(),
        session,
        task,
    };
    Some((fenced, fence))
}

/// The highest fence of each session by what was committed so far, and the session that each claim was about.
///
/// A task may have been moved to another session since its claim: the fence of the call is one of the session it was
/// claimed in, and that session's fences are what it is compared with.
#[derive(Default)]
struct Issued<'a> {
    fences: BTreeMap<&'a str, i64>,
    claims: BTreeMap<(u64, &'a str), &'a str>,
}

impl<'a> Issued<'a> {
    fn granted(&mut self, operation: &Operation<'a>) {
        let Some(Reply::Claimed(claimed)) = operation.reply() else {
            return;
        };
        for claim in claimed {
            self.claims.insert(
                (operation.cause.hash(), claim.task.as_str()),
                claim.session.as_str(),
            );
        }
    }

    fn to(&self, cause: u64, op: &Fenced<'a>) -> Option<(&'a str, i64)> {
        let session = op.session.or_else(|| {
            op.task
                .and_then(|task| self.claims.get(&(cause, task)).copied())
        })?;
        Some((session, *self.fences.get(session)?))
    }

    fn learn(&mut self, commit: &Commit<'a>) {
        for (_, new) in commit.of(session::TABLE) {
            let Some(new) = new else { continue };
            let fence = row::number(new, session::FENCE).unwrap_or(0);
            let known = self.fences.entry(row::text(new, session::ID)).or_default();
            *known = fence.max(*known);
        }
    }
}
