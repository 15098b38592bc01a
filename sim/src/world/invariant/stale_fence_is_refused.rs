//! Who lost a lease changes nothing any more.

use std::collections::BTreeMap;

use lockstep_store::{CancelHow, Fence, Op, Reply};

use super::Found;
use crate::trace::{Arg, Committed, Event, Outcome, Trace};
use crate::world::row::{self, session};

pub(super) const NAME: &str = "stale_fence_is_refused";

/// No commit of an operation that carries a fence is made when a higher one was issued before it.
pub(super) fn judge(trace: &Trace, found: &mut Vec<Found>) {
    let mut issued = Issued::default();
    let mut running: BTreeMap<u64, &Event> = BTreeMap::new();
    let mut events = trace.events.iter().peekable();
    for commit in trace.changes.chunk_by(|a, b| a.n == b.n) {
        let (n, cause) = (commit[0].n, &commit[0].cause);
        while let Some(event) = events.next_if(|event| event.n < n) {
            if matches!(event.arg, Arg::Op(_)) {
                running.insert(event.cause.hash(), event);
                issued.granted(event);
            }
        }
        let by = running
            .get(&cause.hash())
            .filter(|event| event.end.is_none_or(|end| end > n));
        if let Some((op, fence)) = by.and_then(|event| fenced(event))
            && let Some((session, held)) = issued.to(cause.hash(), &op)
            && fence.0 < held
        {
            let row = format!(
                "session={session} held={held} yours={fence} op={} by={cause}",
                op.name
            );
            found.push(Found {
                name: NAME,
                key: session.to_owned(),
                row,
            });
        }
        commit.iter().for_each(|committed| issued.learn(committed));
    }
}

/// What an operation with a fence is about.
struct Fenced<'a> {
    name: &'static str,
    session: Option<&'a str>,
    task: Option<&'a str>,
}

fn fenced(event: &Event) -> Option<(Fenced<'_>, Fence)> {
    let Arg::Op(call) = &event.arg else {
        return None;
    };
    let (session, task, fence) = match &call.op {
        Op::Renew { session, fence, .. }
        | Op::Append { session, fence, .. }
        | Op::SetResume { session, fence, .. } => (Some(session.as_str()), None, *fence),
        Op::Complete(turn) => (None, Some(turn.task.as_str()), turn.fence),
        Op::Fail { task, fence, .. }
        | Op::Cancel {
            task,
            how: CancelHow::Own { fence },
            ..
        } => (None, Some(task.as_str()), *fence),
        _ => return None,
    };
    Some((
        Fenced {
            name: call.op.name(),
            session,
            task,
        },
        fence,
    ))
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
    fn granted(&mut self, event: &'a Event) {
        let Outcome::Op(result) = &event.outcome else {
            return;
        };
        let Ok(Reply::Claimed(claimed)) = result.as_ref() else {
            return;
        };
        for claim in claimed {
            self.claims.insert(
                (event.cause.hash(), claim.task.as_str()),
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

    fn learn(&mut self, committed: &'a Committed) {
        let Some(new) = committed
            .change
            .new
            .as_ref()
            .filter(|_| &*committed.change.table == session::TABLE)
        else {
            return;
        };
        let fence = row::number(new, session::FENCE).unwrap_or(0);
        let known = self.fences.entry(row::text(new, session::ID)).or_default();
        *known = fence.max(*known);
    }
}
