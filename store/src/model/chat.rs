//! How work comes in.

use super::world::{Event, Mark, Session, Task, Told, World, account};
use super::{Answer, DAY_MS, closed, constraint, in_range, misplaced, not_found, prompt, session};
use crate::error::Error;
use crate::id::{ConvId, Fence, SessionId, TaskId};
use crate::op::{Accept, ConvKey, NewSession, Op, OpenPolicy};
use crate::reply::{Accepted, Opened, Reply, TaskState, Verdict};

pub(super) fn perform(world: &mut World, op: &Op) -> Answer {
    match op {
        Op::OpenOrGet { key, policy, new } => open_or_get(world, key, *policy, new),
        Op::Accept(event) => accept(world, event),
        Op::LinkKey { key, alias } => link_key(world, key, alias),
        Op::OrderedIds {
            tenant,
            channel,
            account,
            idle_gap_ms,
        } => {
            in_range("idle_gap_ms", *idle_gap_ms, 1, 90 * DAY_MS)?;
            let key = (tenant.clone(), channel.clone(), account.clone());
            let fresh = Mark {
                low: i64::MIN,
                idle_gap_ms: *idle_gap_ms,
                last_ms: world.now,
            };
            world.marks.entry(key).or_insert(fresh).idle_gap_ms = *idle_gap_ms;
            Ok(Reply::Done)
        }
        _ => Err(misplaced(op)),
    }
}

fn idleness(new: &NewSession) -> Result<(), Error> {
    match new.idle_ms {
        Some(idle_ms) => in_range("idle_ms", idle_ms, 1, 10 * 366 * DAY_MS),
        None => Ok(()),
    }
}

fn open_or_get(world: &mut World, key: &ConvKey, policy: OpenPolicy, new: &NewSession) -> Answer {
    idleness(new)?;
    let active = world.keys.get(key).and_then(|conv| world.active_of(conv));
    let opened = match (active, policy) {
        (None, _) => open(world, key, new)?,
        (Some(id), OpenPolicy::Adopt) => opened(world, &id, false),
        (Some(id), OpenPolicy::Fail) => return Err(closed(format!("session {id} is active"))),
        (Some(id), OpenPolicy::Replace) => {
            session::end(world, &id, "replaced", false)?;
            open(world, key, new)?
        }
    };
    Ok(Reply::Opened(opened))
}

fn opened(world: &World, id: &SessionId, created: bool) -> Opened {
    let session = &world.sessions[id];
    Opened {
        conv: session.conv.clone(),
        session: id.clone(),
        gen_no: session.gen_no,
        created,
    }
}

/// Opens the next generation of the chat, on the current build of the runtime.
fn open(world: &mut World, key: &ConvKey, new: &NewSession) -> Result<Opened, Error> {
    let conv = conversation(world, key, &new.conv)?;
    let (build, class) = world
        .builds
        .iter()
        .find(|(_, build)| build.runtime == new.runtime && build.state == "current")
        .map(|(id, build)| (id.clone(), build.class.clone()))
        .ok_or_else(|| not_found("current build of runtime", &new.runtime))?;
    if world.sessions.contains_key(&new.session) {
        return Err(constraint("session_pkey"));
    }
    let generations = world.sessions.values();
    let newest = generations
        .filter(|session| session.conv == conv)
        .map(|session| session.gen_no)
        .max()
        .unwrap_or(world.conversations[&conv]);
    let mut fresh = Session {
        conv,
        gen_no: newest + 1,
        close_reason: None,
        version: 1,
        fence: Fence((world.incarnation - 1) * 1_000_000),
        build,
        class,
        token: None,
        epoch: 0,
        idle_ms: new.idle_ms,
        touched_ms: 0,
        expires_ms: None,
        lease: None,
        state: None,
        items: Vec::new(),
        notes: Vec::new(),
        outbox: Vec::new(),
    };
    fresh.touch(world.now);
    world.sessions.insert(new.session.clone(), fresh);
    Ok(opened(world, &new.session, true))
}

fn conversation(world: &mut World, key: &ConvKey, fresh: &ConvId) -> Result<ConvId, Error> {
    if let Some(conv) = world.keys.get(key) {
        return Ok(conv.clone());
    }
    if world.conversations.contains_key(fresh) {
        return Err(constraint("conversation_pkey"));
    }
    world.conversations.insert(fresh.clone(), 0);
    world.keys.insert(key.clone(), fresh.clone());
    Ok(fresh.clone())
}

fn accept(world: &mut World, event: &Accept) -> Answer {
    in_range("max_failures", event.max_failures.into(), 1, 1_000)?;
    idleness(&event.new)?;
    let at = (account(&event.key), event.ext_id.clone());
    if let Some(first) = world.inbox.get(&at) {
        return told_again(first, event);
    }
    if is_old(world, event) {
        return Ok(Reply::Accepted(Accepted {
            verdict: Verdict::Old,
            task: TaskId::from(""),
            session: SessionId::from(""),
        }));
    }
    let first = match prompt::meet(world, event) {
        Some(answered) => answered,
        None => become_task(world, event)?,
    };
    let remembered = Event {
        body: event.body.clone(),
        told: Told::Accepted(first.clone()),
        task: (first.verdict == Verdict::Task).then(|| first.task.clone()),
        first_ms: world.now,
    };
    world.inbox.insert(at, remembered);
    Ok(Reply::Accepted(first))
}

fn told_again(first: &Event, event: &Accept) -> Answer {
    let Told::Accepted(told) = &first.told else {
        return Err(Error::Changed {
            what: "event",
            id: event.ext_id.clone(),
        });
    };
    let verdict = match first.body == event.body {
        true => Verdict::Duplicate,
        false => Verdict::Changed,
    };
    Ok(Reply::Accepted(Accepted {
        verdict,
        ..told.clone()
    }))
}

/// Whether the event was forgotten by pruning, in an account whose ids are ordered.
fn is_old(world: &mut World, event: &Accept) -> bool {
    let now = world.now;
    let mark = world.marks.get_mut(&account(&event.key));
    let (Some(mark), Ok(id)) = (mark, event.ext_id.parse::<i64>()) else {
        return false;
    };
    let silent_ms = now - mark.last_ms;
    let restarted = silent_ms > mark.idle_gap_ms + mark.idle_gap_ms / 16;
    if !restarted && id <= mark.low {
        return true;
    }
    if restarted {
        mark.low = i64::MIN;
    }
    if silent_ms > mark.idle_gap_ms / 16 {
        mark.last_ms = now;
    }
    false
}

fn become_task(world: &mut World, event: &Accept) -> Result<Accepted, Error> {
    let active = world
        .keys
        .get(&event.key)
        .and_then(|conv| world.active_of(conv));
    let session = match active {
        Some(session) => session,
        None => open(world, &event.key, &event.new)?.session,
    };
    let task = Task {
        session: session.clone(),
        pos: 0,
        kind: event.kind.clone(),
        state: TaskState::Queued,
        fence: None,
        attempt: 0,
        failures: 0,
        max_failures: event.max_failures.into(),
        cancel_asked: false,
        run_at_ms: world.now,
        input: event.body.clone(),
        outcome: None,
        last_error: None,
        moved_from: None,
        retry_of: None,
    };
    append_to_queue(world, &event.task, task)?;
    Ok(Accepted {
        verdict: Verdict::Task,
        task: event.task.clone(),
        session,
    })
}

/// Puts a task at the end of its session's queue.
pub(super) fn append_to_queue(world: &mut World, id: &TaskId, task: Task) -> Result<(), Error> {
    if world.tasks.contains_key(id) {
        return Err(constraint("task_pkey"));
    }
    let now = world.now;
    world.at(&task.session).touch(now);
    let last = world.tasks_of(&task.session).pop();
    let pos = last.map_or(0, |last| world.tasks[&last].pos) + 1;
    world.tasks.insert(id.clone(), Task { pos, ..task });
    Ok(())
}

fn link_key(world: &mut World, key: &ConvKey, alias: &ConvKey) -> Answer {
    let conv = world
        .keys
        .get(key)
        .cloned()
        .ok_or_else(|| not_found("conversation", &key.chat))?;
    match world.keys.get(alias) {
        Some(other) if *other != conv && world.active_of(other).is_some() => Err(Error::Changed {
            what: "conversation key",
            id: alias.chat.clone(),
        }),
        _ => {
            world.keys.insert(alias.clone(), conv.clone());
            Ok(Reply::Linked(conv))
        }
    }
}
