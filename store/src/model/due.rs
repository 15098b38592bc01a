//! What time alone makes due, and what a restore leaves behind.

use super::world::{Message, Session, World};
use super::{Answer, DAY_MS, in_range, misplaced, prompt, session, turn};
use crate::error::Error;
use crate::id::{Fence, PromptId, SessionId, TaskId};
use crate::op::Op;
use crate::reply::{Pruned, Reaped, Reply, Restored, Swept, TaskState};

pub(super) fn perform(world: &mut World, op: &Op) -> Answer {
    match op {
        Op::Reap { limit } => reap(world, *limit),
        Op::Sweep { limit } => sweep(world, *limit),
        Op::Prune { keep_ms, limit } => prune(world, *keep_ms, *limit),
        Op::Restored { incarnation } => restored(world, *incarnation),
        _ => Err(misplaced(op)),
    }
}

fn first<T: Ord>(mut due: Vec<T>, limit: u32) -> Vec<T> {
    due.sort();
    due.truncate(limit as usize);
    due
}

fn reap(world: &mut World, limit: u32) -> Answer {
    in_range("limit", limit.into(), 1, 10_000)?;
    let expired: Vec<(i64, SessionId)> = world
        .sessions
        .iter()
        .filter_map(|(id, session)| Some((session.lease.as_ref()?.until_ms, id.clone())))
        .filter(|(until_ms, _)| *until_ms <= world.now)
        .collect();
    let mut reaped = Reaped::default();
    for (_, id) in first(expired, limit) {
        reap_one(world, &id, &mut reaped);
    }
    Ok(Reply::Reaped(reaped))
}

/// Takes a session's lease back if it has expired.
pub(super) fn reap_one(world: &mut World, id: &SessionId, reaped: &mut Reaped) {
    let lease = world
        .sessions
        .get(id)
        .and_then(|session| session.lease.as_ref());
    if lease.is_some_and(|lease| lease.until_ms <= world.now) {
        take(world, id, "lease expired", reaped);
    }
}

/// Takes a lease back: its task has failed once more, and its holder is fenced.
pub(super) fn take(world: &mut World, id: &SessionId, error: &str, reaped: &mut Reaped) {
    let running = world.at_work(id).expect("who holds a lease works");
    let task = world.task(&running);
    task.failures += 1;
    task.last_error = Some(error.to_owned());
    let state = match task.cancel_asked {
        true => TaskState::Cancelled,
        false if task.failures >= task.max_failures => TaskState::Dead,
        false => TaskState::Queued,
    };
    turn::end(task, state);
    let now = world.now;
    let session = world.at(id);
    session.lease = None;
    session.fence.0 += 1;
    session.version += 1;
    session.touch(now);
    match state {
        TaskState::Queued => reaped.requeued.push(running),
        _ => reaped.ended.push(running),
    }
}

fn sweep(world: &mut World, limit: u32) -> Answer {
    in_range("limit", limit.into(), 1, 10_000)?;
    let now = world.now;
    let prompts: Vec<(i64, PromptId)> = world
        .prompts
        .iter()
        .filter(|(_, prompt)| prompt.outcome.is_none() && prompt.expires_ms <= now)
        .map(|(id, prompt)| (prompt.expires_ms, id.clone()))
        .collect();
    let mut sends: Vec<(i64, SessionId)> = Vec::new();
    let mut idle: Vec<(i64, SessionId)> = Vec::new();
    for (id, session) in &world.sessions {
        sends.extend(lapsed(session, now).map(|message| (message.until_ms, id.clone())));
        if is_idle(world, id)
            && let Some(expires_ms) = session.expires_ms
        {
            idle.push((expires_ms, id.clone()));
        }
    }
    let mut swept = Swept::default();
    for (_, id) in first(prompts, limit) {
        expire_one(world, &id, &mut swept);
    }
    for (_, id) in first(sends, limit) {
        lapse_one(world, &id, &mut swept);
    }
    for (_, id) in first(idle, limit) {
        close_one(world, &id, &mut swept);
    }
    Ok(Reply::Swept(swept))
}

pub(super) fn expire_one(world: &mut World, id: &PromptId, swept: &mut Swept) {
    if prompt::expire(world, id) {
        swept.expired.push(id.clone());
    }
}

/// The message whose sender did not report in time; a session has one sender at a time.
fn lapsed(session: &Session, now: i64) -> Option<&Message> {
    let mut outbox = session.outbox.iter();
    outbox.find(|message| message.state == "sending" && message.until_ms <= now)
}

pub(super) fn lapse_one(world: &mut World, id: &SessionId, swept: &mut Swept) {
    let late = world
        .sessions
        .get(id)
        .and_then(|session| lapsed(session, world.now));
    let Some(n) = late.map(|message| message.n) else {
        return;
    };
    let mut outbox = world.at(id).outbox.iter_mut();
    let message = outbox.find(|message| message.n == n).expect("it is late");
    message.state = "unknown";
    swept.unknown.push((id.clone(), n));
}

fn is_idle(world: &World, id: &SessionId) -> bool {
    world.sessions.get(id).is_some_and(|session| {
        session.is_active()
            && session
                .expires_ms
                .is_some_and(|expires_ms| expires_ms <= world.now)
            && session.is_settled()
            && world.open_tasks(id).is_empty()
    })
}

pub(super) fn close_one(world: &mut World, id: &SessionId, swept: &mut Swept) {
    if is_idle(world, id) {
        session::shut(world, id, "expired");
        swept.closed.push(id.clone());
    }
}

/// The audit is not modelled, and kept answers are pruned by whoever keeps them.
fn prune(world: &mut World, keep_ms: i64, limit: u32) -> Answer {
    in_range("keep_ms", keep_ms, 0, 10 * 366 * DAY_MS)?;
    in_range("limit", limit.into(), 1, 10_000)?;
    let before = world.now - keep_ms;
    let inbox = prune_inbox(world, before, limit);
    let closed: Vec<(i64, SessionId)> = world
        .sessions
        .iter()
        .filter(|(_, session)| is_old(session, before))
        .map(|(id, session)| (session.touched_ms, id.clone()))
        .collect();
    let mut sessions = 0;
    for (_, id) in first(closed, limit) {
        sessions += u64::from(prune_session(world, &id));
    }
    Ok(Reply::Pruned(Pruned {
        inbox,
        sessions,
        ..Pruned::default()
    }))
}

/// Whether a session may be pruned.
pub(super) fn is_old(session: &Session, before: i64) -> bool {
    !session.is_active() && session.touched_ms < before && session.is_settled()
}

pub(super) fn prune_inbox(world: &mut World, before: i64, limit: u32) -> u64 {
    let is_open = |task: &TaskId| world.tasks.get(task).is_some_and(|task| task.is_open());
    let old: Vec<_> = world
        .inbox
        .iter()
        .filter(|(_, event)| event.first_ms < before && !event.task.as_ref().is_some_and(is_open))
        .map(|(at, event)| (event.first_ms, at.clone()))
        .collect();
    let gone = first(old, limit);
    for (_, at) in &gone {
        world.inbox.remove(at);
        if let (Some(mark), Ok(id)) = (world.marks.get_mut(&at.0), at.1.parse::<i64>()) {
            mark.low = mark.low.max(id);
        }
    }
    gone.len() as u64
}

/// Empties a closed session; true when it could go itself.
pub(super) fn prune_session(world: &mut World, id: &SessionId) -> bool {
    let session = world.at(id);
    session.items.clear();
    session.notes.clear();
    session.state = None;
    session.outbox.clear();
    let tasks = world.tasks_of(id);
    world
        .prompts
        .retain(|_, prompt| !tasks.contains(&prompt.task));
    let needed = |task: &TaskId| {
        let event = world
            .inbox
            .values()
            .any(|event| event.task.as_ref() == Some(task));
        let history = world.sessions.values().any(|session| {
            session.items.iter().any(|item| item.task == *task)
                || session.outbox.iter().any(|message| message.task == *task)
        });
        let again = world
            .tasks
            .values()
            .any(|other| other.retry_of.as_ref() == Some(task));
        event || history || again
    };
    let gone: Vec<TaskId> = tasks.into_iter().filter(|task| !needed(task)).collect();
    for task in &gone {
        world.tasks.remove(task);
    }
    let leads_here =
        |task: &super::world::Task| task.session == *id || task.moved_from.as_ref() == Some(id);
    if world.tasks.values().any(leads_here) {
        return false;
    }
    if let Some(session) = world.sessions.remove(id) {
        let pruned = world.conversations.entry(session.conv).or_default();
        *pruned = (*pruned).max(session.gen_no);
    }
    true
}

fn restored(world: &mut World, incarnation: i64) -> Result<Reply, Error> {
    in_range("incarnation", incarnation, 1, i32::MAX.into())?;
    if incarnation <= world.incarnation {
        return Err(Error::Stale {
            current: world.incarnation,
        });
    }
    world.incarnation = incarnation;
    let raise = |number: i64| (number + 1).max((incarnation - 1) * 1_000_000);
    let mut restored = Restored {
        requeued: Vec::new(),
        unknown: 0,
    };
    for (id, task) in &mut world.tasks {
        if task.state == TaskState::Running {
            turn::end(task, TaskState::Queued);
            restored.requeued.push(id.clone());
        }
    }
    for session in world.sessions.values_mut() {
        session.lease = None;
        if session.is_active() {
            session.fence = Fence(raise(session.fence.0));
            session.version = raise(session.version);
            session.epoch = raise(session.epoch);
        }
        if let Some((version, _)) = &mut session.state {
            *version = raise(*version);
        }
        for message in session
            .outbox
            .iter_mut()
            .filter(|message| message.is_unsettled())
        {
            message.send_no = raise(message.send_no);
            restored.unknown += u64::from(message.state != "unknown");
            message.state = "unknown";
        }
    }
    Ok(Reply::Restored(restored))
}
