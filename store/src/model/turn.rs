//! One turn: claim, renew, append, and its ends.

use super::world::{Lease, Message, Task, World, state_name};
use super::{
    Answer, DAY_MS, chat, closed, constraint, in_range, invalid, misplaced, not_found, prompt,
    session,
};
use crate::error::Error;
use crate::id::{Fence, SessionId, TaskId, WorkerId};
use crate::op::{CancelHow, Complete, Item, Op, Retry, Send};
use crate::reply::{Claimed, PromptOutcome, Renewed, Reply, TaskState};

const LONGEST_MS: i64 = 30 * DAY_MS;

pub(super) fn perform(world: &mut World, op: &Op) -> Answer {
    match op {
        Op::Claim {
            worker,
            limit,
            lease_ms,
        } => claim(world, worker, *limit, *lease_ms),
        Op::Renew {
            session,
            fence,
            lease_ms,
        } => renew(world, session, *fence, *lease_ms),
        Op::Append {
            session,
            fence,
            expected_seq,
            items,
        } => append(world, session, *fence, *expected_seq, items),
        Op::Complete(turn) => complete(world, turn),
        Op::Fail {
            task,
            fence,
            error,
            retry,
        } => fail(world, task, *fence, error, *retry),
        Op::GiveBack { task, fence } => put_back(world, task, *fence, 0),
        Op::Snooze {
            task,
            fence,
            delay_ms,
        } => put_back(world, task, *fence, *delay_ms),
        Op::Retry { task, again } => retry(world, task, again),
        Op::Cancel { task, reason, how } => cancel(world, task, reason, *how),
        _ => Err(misplaced(op)),
    }
}

fn claim(world: &mut World, worker: &WorkerId, limit: u32, lease_ms: i64) -> Answer {
    in_range("limit", limit.into(), 1, 1_000)?;
    in_range("lease_ms", lease_ms, 1, LONGEST_MS)?;
    let known = world
        .workers
        .get(worker)
        .cloned()
        .ok_or_else(|| not_found("worker", worker))?;
    let build = world.builds[&known.build].state;
    if known.state == "gone" || build == "retired" {
        return Err(closed(format!("worker {}, build {build}", known.state)));
    }
    if known.state != "live" {
        return Ok(Reply::Claimed(Vec::new()));
    }
    let mut ready: Vec<(i64, SessionId)> = world
        .sessions
        .iter()
        .filter(|(_, session)| {
            session.class == known.class
                && session
                    .token
                    .as_ref()
                    .is_none_or(|token| token.home == known.home)
        })
        .filter_map(|(id, _)| Some((world.head_ready_ms(id)?, id.clone())))
        .filter(|(ready_ms, _)| *ready_ms <= world.now)
        .collect();
    ready.sort();
    ready.truncate(limit as usize);
    let claimed = ready
        .into_iter()
        .map(|(_, session)| take(world, worker, session, lease_ms))
        .collect();
    Ok(Reply::Claimed(claimed))
}

fn take(world: &mut World, worker: &WorkerId, id: SessionId, lease_ms: i64) -> Claimed {
    let now = world.now;
    let head = world.queue(&id).remove(0);
    let session = world.at(&id);
    session.fence.0 += 1;
    session.version += 1;
    session.touch(now);
    let fence = session.fence;
    session.lease = Some(Lease {
        worker: worker.clone(),
        fence,
        granted_ms: now,
        until_ms: now + lease_ms,
    });
    let token = session.token.as_ref().map(|token| token.text.clone());
    let (epoch, next_seq) = (session.epoch, session.next_seq());
    let task = world.task(&head);
    task.state = TaskState::Running;
    task.fence = Some(fence);
    task.attempt += 1;
    let task = task.clone();
    Claimed {
        session: id,
        prompt: prompt::last_of(world, &head),
        task: head,
        fence,
        until_ms: now + lease_ms,
        kind: task.kind,
        input: task.input,
        attempt: task.attempt,
        failures: task.failures,
        resume_token: token,
        epoch,
        next_seq,
    }
}

fn renew(world: &mut World, id: &SessionId, fence: Fence, lease_ms: i64) -> Answer {
    in_range("lease_ms", lease_ms, 1, LONGEST_MS)?;
    session::holder(world, id, fence)?;
    let now = world.now;
    let running = world.at_work(id).expect("who holds a lease works");
    let cancel_asked = world.tasks[&running].cancel_asked;
    let lease = world.at(id).lease.as_mut().expect("it is held");
    lease.until_ms = lease.until_ms.max(now + lease_ms);
    Ok(Reply::Renewed(Renewed {
        until_ms: lease.until_ms,
        left_ms: lease.until_ms - now,
        cancel_asked,
    }))
}

fn append(
    world: &mut World,
    id: &SessionId,
    fence: Fence,
    expected_seq: i64,
    items: &[Item],
) -> Answer {
    if items.is_empty() {
        return Err(invalid("items", "there are none"));
    }
    let current = session::holder(world, id, fence)?.next_seq();
    if current != expected_seq {
        return Err(Error::Stale { current });
    }
    let (now, task) = (world.now, world.at_work(id).expect("it is held"));
    for item in items {
        world.at(id).write(&task, fence, item, now);
    }
    Ok(Reply::Appended(world.at(id).next_seq()))
}

/// The task if it runs under this fence; otherwise why not.
fn held<'w>(world: &'w World, id: &TaskId, fence: Fence) -> Result<&'w Task, Error> {
    let task = world.tasks.get(id).ok_or_else(|| not_found("task", id))?;
    if task.fence == Some(fence) {
        return Ok(task);
    }
    let held = world.sessions[&task.session].fence;
    Err(match held == fence {
        true => closed(state_name(task.state)),
        false => Error::Fenced { held, yours: fence },
    })
}

/// What a turn leaves behind, whether its task is done or asks.
pub(super) fn leave_behind(
    world: &mut World,
    id: &TaskId,
    fence: Fence,
    items: &[Item],
    sends: &[Send],
) -> Result<(), Error> {
    let session = held(world, id, fence)?.session.clone();
    let now = world.now;
    for item in items {
        world.at(&session).write(id, fence, item, now);
    }
    for send in sends {
        let outbox = &mut world.at(&session).outbox;
        if outbox.iter().any(|old| old.dedup_key == send.dedup_key) {
            return Err(constraint("outbox_dedup"));
        }
        outbox.push(Message {
            n: outbox.last().map_or(0, |last| last.n) + 1,
            task: id.clone(),
            dedup_key: send.dedup_key.clone(),
            body: send.body.clone(),
            route: send.route.clone(),
            state: "pending",
            send_no: 0,
            until_ms: 0,
            ready_ms: now,
            repeats: 0,
        });
    }
    Ok(())
}

/// The turn is over; the session is released.
pub(super) fn over(world: &mut World, id: &SessionId, token: Option<&str>) -> Result<(), Error> {
    let now = world.now;
    if let Some(text) = token {
        session::point(world, id, text)?;
    }
    let session = world.at(id);
    session.version += 1;
    session.touch(now);
    session.lease = None;
    Ok(())
}

fn complete(world: &mut World, turn: &Complete) -> Answer {
    leave_behind(world, &turn.task, turn.fence, &turn.items, &turn.sends)?;
    let task = world.task(&turn.task);
    task.outcome = Some(turn.outcome.clone());
    let session = end(task, TaskState::Done);
    over(world, &session, turn.resume_token.as_deref())?;
    Ok(Reply::Task(TaskState::Done))
}

/// Takes a task off its worker. Answers its session.
pub(super) fn end(task: &mut Task, state: TaskState) -> SessionId {
    task.state = state;
    task.fence = None;
    task.session.clone()
}

fn fail(world: &mut World, id: &TaskId, fence: Fence, error: &str, retry: Retry) -> Answer {
    let delay_ms = match retry {
        Retry::Never => 0,
        Retry::After { delay_ms } => delay_ms,
    };
    in_range("delay_ms", delay_ms, 0, LONGEST_MS)?;
    held(world, id, fence)?;
    let run_at_ms = world.now + delay_ms;
    let task = world.task(id);
    task.failures += 1;
    task.last_error = Some(error.to_owned());
    task.run_at_ms = run_at_ms;
    let state = match retry {
        Retry::Never => TaskState::Failed,
        Retry::After { .. } if task.cancel_asked => TaskState::Cancelled,
        Retry::After { .. } if task.failures >= task.max_failures => TaskState::Dead,
        Retry::After { .. } => TaskState::Queued,
    };
    let session = end(task, state);
    over(world, &session, None)?;
    Ok(Reply::Task(state))
}

fn put_back(world: &mut World, id: &TaskId, fence: Fence, delay_ms: i64) -> Answer {
    in_range("delay_ms", delay_ms, 0, LONGEST_MS)?;
    held(world, id, fence)?;
    let run_at_ms = world.now + delay_ms;
    let task = world.task(id);
    task.run_at_ms = run_at_ms;
    let state = match task.cancel_asked {
        true => TaskState::Cancelled,
        false => TaskState::Queued,
    };
    let session = end(task, state);
    over(world, &session, None)?;
    Ok(Reply::Task(state))
}

fn retry(world: &mut World, id: &TaskId, again: &TaskId) -> Answer {
    let task = world
        .tasks
        .get(id)
        .cloned()
        .ok_or_else(|| not_found("task", id))?;
    if !matches!(task.state, TaskState::Failed | TaskState::Dead) {
        return Err(closed(state_name(task.state)));
    }
    let conv = &world.sessions[&task.session].conv;
    let session = world
        .active_of(conv)
        .ok_or_else(|| closed("no active session"))?;
    let done_again = |other: &Task| other.retry_of.as_ref() == Some(id);
    if world.tasks.values().any(done_again) {
        return Err(constraint("task_retry_of"));
    }
    let fresh = Task {
        session: session.clone(),
        state: TaskState::Queued,
        attempt: 0,
        failures: 0,
        cancel_asked: false,
        run_at_ms: world.now,
        outcome: None,
        last_error: None,
        moved_from: None,
        retry_of: Some(id.clone()),
        ..task
    };
    chat::append_to_queue(world, again, fresh)?;
    Ok(Reply::Retried(session))
}

fn cancel(world: &mut World, id: &TaskId, reason: &str, how: CancelHow) -> Answer {
    if let CancelHow::Own { fence } = how {
        held(world, id, fence)?;
    }
    let task = world
        .tasks
        .get_mut(id)
        .ok_or_else(|| not_found("task", id))?;
    let ran = task.state == TaskState::Running;
    match (task.state, how) {
        (state, _) if state.is_terminal() => return Err(closed(state_name(state))),
        (TaskState::Running, CancelHow::Ask) => {
            task.cancel_asked = true;
            return Ok(Reply::Task(TaskState::Running));
        }
        _ => {}
    }
    task.outcome = Some(reason.to_owned());
    let session = end(task, TaskState::Cancelled);
    prompt::close_of_task(world, id, PromptOutcome::Revoked);
    if ran && how == CancelHow::Force {
        world.at(&session).fence.0 += 1;
    }
    let lease = world.at(&session).lease.take();
    over(world, &session, None)?;
    if !ran {
        world.at(&session).lease = lease;
    }
    Ok(Reply::Task(TaskState::Cancelled))
}
