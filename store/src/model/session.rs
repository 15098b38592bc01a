//! A session's life, its token, its state and its notes.

use super::world::{Session, Token, World};
use super::{Answer, closed, constraint, invalid, misplaced, not_found, prompt, turn};
use crate::error::{Binding, Error};
use crate::id::{BuildId, Fence, SessionId, TaskId, WorkerId};
use crate::op::{Converted, Op, QueueFate, Reset};
use crate::reply::{
    Closed, HistoryNote, Pointer, PromptOutcome, Reply, State, TaskState, WasReset,
};

pub(super) fn perform(world: &mut World, op: &Op) -> Answer {
    match op {
        Op::Note { session, item } => {
            world.active(session)?;
            let now = world.now;
            let notes = &mut world.at(session).notes;
            let n = notes.len() as i64 + 1;
            notes.push(HistoryNote {
                n,
                kind: item.kind.clone(),
                body: item.body.clone(),
                at_ms: now,
            });
            Ok(Reply::Noted(n))
        }
        Op::PutState {
            session,
            expected_version,
            body,
        } => put_state(world, session, *expected_version, body),
        Op::GetState { session } => {
            let state = world.session(session)?.state.clone();
            let (version, body) = state.unwrap_or_default();
            Ok(Reply::State(State { version, body }))
        }
        Op::Close {
            session,
            reason,
            force,
        } => {
            let cancelled = end(world, session, reason, *force)?;
            Ok(Reply::Closed(Closed { cancelled }))
        }
        Op::Reset(op) => reset(world, op),
        Op::SetResume {
            session,
            fence,
            token,
            epoch,
        } => set_resume(world, session, *fence, token, *epoch),
        Op::DropResume {
            session,
            expected_epoch,
            evidence,
        } => drop_resume(world, session, *expected_epoch, evidence),
        Op::Resume { session, worker } => resume(world, session, worker),
        Op::Migrate {
            session,
            to_build,
            expected_version,
            converted,
        } => migrate(
            world,
            session,
            to_build,
            *expected_version,
            converted.as_ref(),
        ),
        _ => Err(misplaced(op)),
    }
}

/// The session, if this fence holds it.
pub(super) fn holder<'w>(
    world: &'w World,
    id: &SessionId,
    fence: Fence,
) -> Result<&'w Session, Error> {
    let session = world.active(id)?;
    match &session.lease {
        _ if session.fence != fence => Err(Error::Fenced {
            held: session.fence,
            yours: fence,
        }),
        None => Err(closed("the turn has ended")),
        Some(_) => Ok(session),
    }
}

fn put_state(world: &mut World, id: &SessionId, expected: i64, body: &str) -> Answer {
    let session = world.active(id)?;
    let current = session.state.as_ref().map_or(0, |(version, _)| *version);
    if current != expected {
        return Err(Error::Stale { current });
    }
    world.at(id).state = Some((current + 1, body.to_owned()));
    Ok(Reply::Version(current + 1))
}

/// Closes a session with everything that is open in it.
pub(super) fn end(
    world: &mut World,
    id: &SessionId,
    reason: &str,
    force: bool,
) -> Result<Vec<TaskId>, Error> {
    release(world, id, force)?;
    let open = world.open_tasks(id);
    cancel(world, &open, reason);
    shut(world, id, reason);
    Ok(open)
}

/// Takes the lease from whoever holds it, if that is allowed.
fn release(world: &mut World, id: &SessionId, force: bool) -> Result<(), Error> {
    match &world.active(id)?.lease {
        Some(lease) if !force => Err(Error::Leased {
            until_ms: lease.until_ms,
        }),
        Some(_) => {
            let session = world.at(id);
            session.lease = None;
            session.fence.0 += 1;
            Ok(())
        }
        None => Ok(()),
    }
}

fn cancel(world: &mut World, tasks: &[TaskId], reason: &str) {
    for id in tasks {
        prompt::close_of_task(world, id, PromptOutcome::Revoked);
        let task = world.task(id);
        task.outcome = Some(reason.to_owned());
        turn::end(task, TaskState::Cancelled);
    }
}

pub(super) fn shut(world: &mut World, id: &SessionId, reason: &str) {
    let now = world.now;
    let session = world.at(id);
    session.close_reason = Some(reason.to_owned());
    session.version += 1;
    session.touched_ms = now;
}

fn reset(world: &mut World, reset: &Reset) -> Answer {
    if let Some(build) = &reset.build {
        world.class_in_service(build)?;
    }
    release(world, &reset.session, reset.force)?;
    let mut cancelled = world.open_tasks(&reset.session);
    if reset.queued == QueueFate::Move {
        cancelled.retain(|id| world.tasks[id].is_at_work());
    }
    cancel(world, &cancelled, &reset.reason);
    shut(world, &reset.session, &reset.reason);
    let gen_no = open_next(world, reset)?;
    let moved = world.queue(&reset.session);
    for id in &moved {
        let task = world.task(id);
        task.moved_from = Some(reset.session.clone());
        task.session = reset.next.clone();
    }
    Ok(Reply::Reset(WasReset {
        session: reset.next.clone(),
        gen_no,
        cancelled,
        moved,
    }))
}

fn open_next(world: &mut World, reset: &Reset) -> Result<i64, Error> {
    let old = world.sessions[&reset.session].clone();
    let build = reset.build.clone().unwrap_or(old.build);
    let class = world
        .class_in_service(&build)
        .map_err(|_| not_found("build in service of session", &reset.session))?;
    if world.sessions.contains_key(&reset.next) {
        return Err(constraint("session_pkey"));
    }
    let mut next = Session {
        gen_no: old.gen_no + 1,
        close_reason: None,
        version: 1,
        build,
        class,
        token: None,
        epoch: 0,
        lease: None,
        state: None,
        items: Vec::new(),
        notes: Vec::new(),
        outbox: Vec::new(),
        ..old
    };
    next.touch(world.now);
    let gen_no = next.gen_no;
    world.sessions.insert(reset.next.clone(), next);
    Ok(gen_no)
}

/// The holder brings a token: it lives at the holder's home.
pub(super) fn point(world: &mut World, id: &SessionId, text: &str) -> Result<(), Error> {
    let session = &world.sessions[id];
    let lease = session.lease.as_ref().expect("the holder brings it");
    let token = Token {
        text: text.to_owned(),
        home: world.workers[&lease.worker].home.clone(),
    };
    if world.is_taken(id, &session.class, &token) {
        return Err(constraint("session_one_token"));
    }
    let session = world.at(id);
    let same = session.token.as_ref().is_some_and(|old| old.text == text);
    session.epoch += i64::from(!same);
    session.token = Some(token);
    Ok(())
}

fn set_resume(world: &mut World, id: &SessionId, fence: Fence, token: &str, epoch: i64) -> Answer {
    let current = holder(world, id, fence)?.epoch;
    if current != epoch {
        return Err(Error::Stale { current });
    }
    point(world, id, token)?;
    let session = world.at(id);
    session.epoch = epoch + 1;
    session.version += 1;
    Ok(Reply::Epoch(session.epoch))
}

fn drop_resume(world: &mut World, id: &SessionId, epoch: i64, evidence: &str) -> Answer {
    if evidence.trim().is_empty() {
        return Err(invalid("evidence", "says nothing"));
    }
    let current = world.active(id)?.epoch;
    if current != epoch {
        return Err(Error::Stale { current });
    }
    let session = world.at(id);
    if session.token.take().is_none() {
        return Err(invalid("expected_epoch", "the session has no token"));
    }
    session.epoch += 1;
    session.version += 1;
    Ok(Reply::Epoch(session.epoch))
}

fn resume(world: &World, id: &SessionId, worker: &WorkerId) -> Answer {
    let Some(known) = world.workers.get(worker) else {
        world.active(id)?;
        return Err(not_found("worker", worker));
    };
    let session = world.session(id)?;
    if !session.is_active() {
        return Err(closed("closed"));
    }
    let home = session.token.as_ref().map(|token| token.home.clone());
    if session.class != known.class || home.as_ref().is_some_and(|home| *home != known.home) {
        return Err(Error::RuntimeMismatch {
            bound: Binding {
                class: session.class.clone(),
                home,
            },
            yours: Binding {
                class: known.class.clone(),
                home: Some(known.home.clone()),
            },
        });
    }
    Ok(Reply::Pointer(Pointer {
        token: session.token.as_ref().map(|token| token.text.clone()),
        epoch: session.epoch,
        next_seq: session.next_seq(),
    }))
}

fn migrate(
    world: &mut World,
    id: &SessionId,
    to: &BuildId,
    version: i64,
    converted: Option<&Converted>,
) -> Answer {
    let class = world.class_in_service(to)?;
    let session = world.active(id)?;
    if let Some(lease) = &session.lease {
        return Err(Error::Leased {
            until_ms: lease.until_ms,
        });
    }
    if session.version != version {
        return Err(Error::Stale {
            current: session.version,
        });
    }
    let token = match session.class == class {
        true if converted.is_some() => {
            return Err(invalid("converted", "inside a class the token stays"));
        }
        true => session.token.clone(),
        false => across(world, session, &class, converted)?,
    };
    if let Some(token) = &token
        && world.is_taken(id, &class, token)
    {
        return Err(constraint("session_one_token"));
    }
    let now = world.now;
    let session = world.at(id);
    let crossed = session.class != class;
    session.epoch += i64::from(crossed && session.token.is_some());
    session.version += 1;
    session.touch(now);
    session.token = token;
    session.class = class;
    session.build = to.clone();
    Ok(Reply::Version(session.version))
}

/// The token on the other side of an edge.
fn across(
    world: &World,
    session: &Session,
    class: &crate::id::ResumeClass,
    converted: Option<&Converted>,
) -> Result<Option<Token>, Error> {
    let edge = world.edges.get(&(session.class.clone(), class.clone()));
    let Some(converter) = edge else {
        let binding = |class: &crate::id::ResumeClass| Binding {
            class: class.clone(),
            home: None,
        };
        return Err(Error::RuntimeMismatch {
            bound: binding(&session.class),
            yours: binding(class),
        });
    };
    let makes_one = !matches!(converter.as_str(), "drop-token" | "replay-items");
    match converted {
        None if !(makes_one && session.token.is_some()) => Ok(None),
        Some(made) if makes_one && session.token.is_some() && made.converter == *converter => {
            Ok(Some(Token {
                text: made.token.clone(),
                home: made.home.clone(),
            }))
        }
        _ => Err(Error::Invalid {
            field: "converted",
            why: format!(
                "is not what the edge's converter {converter} gives for this session's token"
            ),
        }),
    }
}
