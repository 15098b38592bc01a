//! One turn: claim, renew, append, and its ends.

use super::refuse::{holder_facts, in_range, not_found, task_refused};
use super::tx::Tx;
use super::{again, misplaced, prompt};
use crate::error::Error;
use crate::id::{Fence, SessionId, TaskId, WorkerId};
use crate::op::{CancelHow, Complete, Item, Op, Retry, Send};
use crate::reply::{Claimed, Renewed, Reply, TaskState};
use crate::statements::Sql;
use rusqlite::named_params;

/// A lease or a rest longer than thirty days is a mistake in units.
pub(super) const LONGEST_MS: i64 = 30 * 24 * 60 * 60 * 1_000;
const CLAIM_MAX: i64 = 1_000;

/// The operations of this room.
pub(super) fn perform(tx: &Tx<'_>, op: &Op) -> Result<Reply, Error> {
    match op {
        Op::Claim {
            worker,
            limit,
            lease_ms,
        } => claim(tx, worker, *limit, *lease_ms),
        Op::Renew {
            session,
            fence,
            lease_ms,
        } => renew(tx, session, *fence, *lease_ms),
        Op::Append {
            session,
            fence,
            expected_seq,
            items,
        } => append(tx, session, *fence, *expected_seq, items),
        Op::Complete(turn) => complete(tx, turn),
        Op::Fail {
            task,
            fence,
            error,
            retry,
        } => fail(tx, task, *fence, error, *retry),
        Op::GiveBack { task, fence } => again::put_back(tx, task, *fence, 0),
        Op::Snooze {
            task,
            fence,
            delay_ms,
        } => again::put_back(tx, task, *fence, *delay_ms),
        Op::Retry { task, again } => again::retry(tx, task, again),
        Op::Cancel { task, reason, how } => cancel(tx, task, reason, *how),
        _ => Err(misplaced(op)),
    }
}

fn claim(tx: &Tx<'_>, worker: &WorkerId, limit: u32, lease_ms: i64) -> Result<Reply, Error> {
    in_range("limit", limit.into(), 1, CLAIM_MAX)?;
    in_range("lease_ms", lease_ms, 1, LONGEST_MS)?;
    let params = named_params! {":worker": worker.as_str(), ":limit": limit, ":now": tx.now};
    let ready = tx.rows(Sql::ClaimReady, params, |row| {
        row.get::<_, String>(0).map(SessionId::from)
    })?;
    if ready.is_empty() {
        may_claim(tx, worker)?;
    }
    let mut claimed = Vec::with_capacity(ready.len());
    for session in ready {
        claimed.extend(claim_one(tx, worker, session, lease_ms)?);
    }
    Ok(Reply::Claimed(claimed))
}

/// An unknown worker, or one that is gone, is told so instead of being given nothing for ever.
fn may_claim(tx: &Tx<'_>, worker: &WorkerId) -> Result<(), Error> {
    let params = named_params! {":worker": worker.as_str()};
    let states = tx.row(Sql::WorkerGet, params, |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
    })?;
    match states {
        None => Err(not_found("worker", worker.as_str())),
        Some((worker, build)) if worker == "gone" || build == "retired" => Err(Error::Closed {
            reason: format!("worker {worker}, build {build}"),
        }),
        Some(_) => Ok(()),
    }
}

/// The session's fence is issued first: the schema lets a lease in only under the fence that its session shows. `None` for a
/// session that was ready without a queue: it no longer is, and the others are not held up by it.
fn claim_one(
    tx: &Tx<'_>,
    worker: &WorkerId,
    session: SessionId,
    lease_ms: i64,
) -> Result<Option<Claimed>, Error> {
    let issue = named_params! {":session": session.as_str(), ":now": tx.now};
    let issued = tx.row(Sql::ClaimSession, issue, |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
    })?;
    let Some((fence, resume_token, epoch, next_seq)) = issued else {
        return Ok(None);
    };
    let head = named_params! {":session": session.as_str(), ":fence": fence};
    let head = tx.row(Sql::ClaimTask, head, |row| {
        Ok((
            row.get::<_, String>(0)?,
            row.get(1)?,
            row.get(2)?,
            row.get(3)?,
            row.get(4)?,
        ))
    })?;
    let Some((task, kind, input, attempt, failures)) = head else {
        return Ok(None);
    };
    let fence = Fence(fence);
    let until_ms = lease(tx, worker, &session, fence, lease_ms)?;
    tx.audit(session.as_str(), worker.as_str(), Some(fence), &task)?;
    // The first claim of a task has no question behind it.
    let prompt = match attempt {
        1 => None,
        _ => prompt::last_of(tx, &task)?,
    };
    let task = TaskId::from(task);
    Ok(Some(Claimed {
        session,
        task,
        fence,
        until_ms,
        kind,
        input,
        attempt,
        failures,
        resume_token,
        epoch,
        next_seq,
        prompt,
    }))
}

/// When the new lease ends.
fn lease(
    tx: &Tx<'_>,
    worker: &WorkerId,
    session: &SessionId,
    fence: Fence,
    lease_ms: i64,
) -> Result<i64, Error> {
    let params = named_params! {":session": session.as_str(), ":worker": worker.as_str(), ":fence": fence.0,
    ":lease_ms": lease_ms, ":now": tx.now};
    tx.row(Sql::LeasePut, params, |row| row.get(0))?
        .ok_or_else(|| not_found("session", session.as_str()))
}

fn renew(tx: &Tx<'_>, session: &SessionId, fence: Fence, lease_ms: i64) -> Result<Reply, Error> {
    in_range("lease_ms", lease_ms, 1, LONGEST_MS)?;
    let params = named_params! {":session": session.as_str(), ":fence": fence.0, ":lease_ms": lease_ms, ":now": tx.now};
    let renewed = tx.row(Sql::LeaseRenew, params, |row| {
        let until_ms = row.get(0)?;
        Ok(Renewed {
            until_ms,
            left_ms: until_ms - tx.now,
            cancel_asked: row.get(1)?,
        })
    })?;
    match renewed {
        Some(renewed) => Ok(Reply::Renewed(renewed)),
        None => {
            let facts = holder_facts(tx, session, fence)?;
            Err(Error::Fenced {
                held: facts.fence,
                yours: fence,
            })
        }
    }
}

fn append(
    tx: &Tx<'_>,
    session: &SessionId,
    fence: Fence,
    expected_seq: i64,
    items: &[Item],
) -> Result<Reply, Error> {
    if items.is_empty() {
        return Err(Error::Invalid {
            field: "items",
            why: "there are none".to_owned(),
        });
    }
    let mut seq = expected_seq;
    for item in items {
        let params = named_params! {":session": session.as_str(), ":fence": fence.0, ":seq": seq, ":kind": item.kind,
        ":body": item.body, ":now": tx.now};
        if tx.run(Sql::ItemAppend, params)? == 0 {
            return Err(Error::Stale {
                current: holder_facts(tx, session, fence)?.next_seq,
            });
        }
        seq += 1;
    }
    tx.audit(session.as_str(), "", Some(fence), &seq.to_string())?;
    Ok(Reply::Appended(seq))
}

fn complete(tx: &Tx<'_>, done: &Complete) -> Result<Reply, Error> {
    let turn = Turn {
        task: &done.task,
        fence: done.fence,
        items: &done.items,
        sends: &done.sends,
        resume_token: done.resume_token.as_deref(),
    };
    turn.leave_behind(tx)?;
    let params = named_params! {":task": done.task.as_str(), ":fence": done.fence.0, ":outcome": done.outcome,
    ":now": tx.now};
    let session = tx.row(Sql::TaskFinish, params, |row| row.get::<_, String>(0))?;
    turn.over(tx, session)?;
    Ok(Reply::Task(TaskState::Done))
}

/// The end of a turn by its holder, whether its task is done or asks a question.
pub(super) struct Turn<'a> {
    pub(super) task: &'a TaskId,
    pub(super) fence: Fence,
    pub(super) items: &'a [Item],
    pub(super) sends: &'a [Send],
    pub(super) resume_token: Option<&'a str>,
}

impl Turn<'_> {
    /// History and messages. They go first: the schema takes them only while the task still runs under its fence.
    pub(super) fn leave_behind(&self, tx: &Tx<'_>) -> Result<(), Error> {
        for item in self.items {
            let params = named_params! {":task": self.task.as_str(), ":fence": self.fence.0, ":kind": item.kind,
            ":body": item.body, ":now": tx.now};
            let added = (tx.run(Sql::ItemOfTurn, params)? > 0).then_some(());
            held(tx, added, self.task, self.fence)?;
        }
        for send in self.sends {
            let params = named_params! {":task": self.task.as_str(), ":fence": self.fence.0,
            ":dedup_key": send.dedup_key, ":route": send.route, ":body": send.body, ":now": tx.now};
            let added = (tx.run(Sql::SendOfTurn, params)? > 0).then_some(());
            held(tx, added, self.task, self.fence)?;
        }
        Ok(())
    }

    /// Releases the session that the task's last statement gave, or tells why it gave none.
    pub(super) fn over(&self, tx: &Tx<'_>, session: Option<String>) -> Result<(), Error> {
        let session = held(tx, session, self.task, self.fence)?;
        let over = TurnOver {
            session: &session,
            fence: self.fence,
            token: self.resume_token,
            taken: false,
        };
        over.apply(tx)?;
        tx.audit(&session, "", Some(self.fence), self.task.as_str())
    }
}

/// What a statement guarded by task and fence gave, or why it gave nothing.
fn held<T>(tx: &Tx<'_>, given: Option<T>, task: &TaskId, fence: Fence) -> Result<T, Error> {
    match given {
        Some(value) => Ok(value),
        None => Err(task_refused(tx, task, fence)?),
    }
}

fn fail(
    tx: &Tx<'_>,
    task: &TaskId,
    fence: Fence,
    error: &str,
    retry: Retry,
) -> Result<Reply, Error> {
    let (retries, delay_ms) = match retry {
        Retry::Never => (0, 0),
        Retry::After { delay_ms } => (1, delay_ms),
    };
    in_range("delay_ms", delay_ms, 0, LONGEST_MS)?;
    let params = named_params! {":task": task.as_str(), ":fence": fence.0, ":error": error, ":retry": retries,
    ":delay_ms": delay_ms, ":now": tx.now};
    let ended = tx.row(Sql::TaskFail, params, |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
    })?;
    let (session, state) = held(tx, ended, task, fence)?;
    TurnOver {
        session: &session,
        fence,
        token: None,
        taken: false,
    }
    .apply(tx)?;
    tx.audit(&session, "", Some(fence), &state)?;
    Ok(Reply::Task(task_state(&state)?))
}

fn cancel(tx: &Tx<'_>, task: &TaskId, reason: &str, how: CancelHow) -> Result<Reply, Error> {
    let (force, own) = match how {
        CancelHow::Ask => (0, None),
        CancelHow::Force => (1, None),
        CancelHow::Own { fence } => (0, Some(fence)),
    };
    tx.run(
        Sql::PromptsRevokeTask,
        named_params! {":task": task.as_str(), ":now": tx.now},
    )?;
    let params = named_params! {":task": task.as_str(), ":reason": reason, ":force": force,
    ":own": own.map(|fence| fence.0), ":now": tx.now};
    let ended = tx.row(Sql::TaskCancel, params, |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?))
    })?;
    let Some((session, ran)) = ended else {
        return cancel_later(tx, task, how);
    };
    if ran {
        tx.run(Sql::LeaseDrop, named_params! {":session": session})?;
    }
    let taken = ran && force == 1;
    TurnOver {
        session: &session,
        fence: Fence(0),
        token: None,
        taken,
    }
    .apply(tx)?;
    tx.audit(&session, "", own, task.as_str())?;
    Ok(Reply::Task(TaskState::Cancelled))
}

/// The task runs, and it is not ours to stop: its worker is told. Or it has ended.
fn cancel_later(tx: &Tx<'_>, task: &TaskId, how: CancelHow) -> Result<Reply, Error> {
    if let CancelHow::Own { fence } = how {
        return Err(task_refused(tx, task, fence)?);
    }
    let asked = tx.row(
        Sql::TaskAskCancel,
        named_params! {":task": task.as_str()},
        |row| row.get::<_, String>(0),
    )?;
    match asked {
        Some(session) => {
            tx.audit(&session, "", None, task.as_str())?;
            Ok(Reply::Task(TaskState::Running))
        }
        None => {
            let found = tx.row(
                Sql::TaskFacts,
                named_params! {":task": task.as_str()},
                |row| row.get::<_, String>(0),
            )?;
            Err(found.map_or_else(
                || not_found("task", task.as_str()),
                |reason| Error::Closed { reason },
            ))
        }
    }
}

/// What every end of a turn has in common.
pub(super) struct TurnOver<'a> {
    pub(super) session: &'a str,
    pub(super) fence: Fence,
    pub(super) token: Option<&'a str>,
    /// The turn was taken from its holder, who is fenced from now on.
    pub(super) taken: bool,
}

impl TurnOver<'_> {
    /// The session first: a new token takes its home from the lease, which is released after it.
    pub(super) fn apply(&self, tx: &Tx<'_>) -> Result<(), Error> {
        let params = named_params! {":session": self.session, ":token": self.token, ":take": self.taken, ":now": tx.now};
        tx.run(Sql::SessionTurnOver, params)?;
        tx.run(
            Sql::LeaseRelease,
            named_params! {":session": self.session, ":fence": self.fence.0},
        )
        .map(|_| ())
    }
}

/// The state with this name.
pub(super) fn task_state(name: &str) -> Result<TaskState, Error> {
    TaskState::parse(name).ok_or_else(|| Error::Io {
        code: 0,
        message: format!("unknown task state {name}"),
    })
}
