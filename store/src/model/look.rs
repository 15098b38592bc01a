//! Looking.

use super::world::{Message, Session, World};
use super::{Answer, in_range, misplaced};
use crate::id::{ResumeClass, SessionId, TaskId};
use crate::op::{Filter, Op};
use crate::reply::{
    Explained, History, Listed, Reply, Shown, ShownLease, ShownTask, Stats, TaskState, Why,
};
use std::collections::BTreeMap;

pub(super) fn perform(world: &World, op: &Op) -> Answer {
    match op {
        Op::List {
            filter,
            after,
            limit,
        } => list(world, filter, after.as_ref(), *limit),
        Op::History {
            session,
            after_seq,
            after_note,
            limit,
        } => history(world, session, *after_seq, *after_note, *limit),
        Op::Stats => Ok(Reply::Stats(Box::new(stats(world)))),
        Op::Explain { session } => {
            let mut why = match &world.session(session)?.close_reason {
                Some(reason) => vec![Why::Closed {
                    reason: reason.clone(),
                }],
                None => explain(world, session),
            };
            why.extend(unknown_send(&world.sessions[session]));
            Ok(Reply::Explained(Explained { why }))
        }
        Op::Show { session } => show(world, session),
        _ => Err(misplaced(op)),
    }
}

fn list(world: &World, filter: &Filter, after: Option<&SessionId>, limit: u32) -> Answer {
    in_range("limit", limit.into(), 1, 1_000)?;
    let wanted = |id: &SessionId, session: &Session| {
        after.is_none_or(|after| id > after)
            && filter
                .active
                .is_none_or(|active| active == session.is_active())
            && filter
                .class
                .as_ref()
                .is_none_or(|class| *class == session.class)
            && filter
                .conv
                .as_ref()
                .is_none_or(|conv| *conv == session.conv)
    };
    let listed = world
        .sessions
        .iter()
        .filter(|(id, session)| wanted(id, session))
        .take(limit as usize)
        .map(|(id, session)| Listed {
            session: id.clone(),
            conv: session.conv.clone(),
            gen_no: session.gen_no,
            active: session.is_active(),
            class: session.class.clone(),
            open_tasks: world.open_tasks(id).len() as i64,
            touched_ms: session.touched_ms,
        });
    Ok(Reply::Listed(listed.collect()))
}

fn history(world: &World, id: &SessionId, after_seq: i64, after_note: i64, limit: u32) -> Answer {
    in_range("limit", limit.into(), 1, 10_000)?;
    let session = world.session(id)?;
    let items = session.items.iter().filter(|item| item.seq > after_seq);
    let notes = session.notes.iter().filter(|note| note.n > after_note);
    Ok(Reply::History(History {
        items: items.take(limit as usize).cloned().collect(),
        notes: notes.take(limit as usize).cloned().collect(),
    }))
}

fn stats(world: &World) -> Stats {
    let tasks = |state| {
        let in_state = world.tasks.values().filter(|task| task.state == state);
        in_state.count() as i64
    };
    let messages = |state| {
        let all = world.sessions.values().flat_map(|session| &session.outbox);
        all.filter(|message: &&Message| message.state == state)
            .count() as i64
    };
    let (mut ready, mut workers) = (BTreeMap::new(), BTreeMap::new());
    let mut oldest = None;
    for (id, session) in &world.sessions {
        if let Some(ready_ms) = world.head_ready_ms(id).filter(|at| *at <= world.now) {
            *ready.entry(session.class.clone()).or_default() += 1;
            oldest = oldest.max(Some(world.now - ready_ms));
        }
    }
    for worker in world
        .workers
        .values()
        .filter(|worker| worker.state == "live")
    {
        *workers.entry(worker.class.clone()).or_default() += 1;
    }
    let leases = world
        .sessions
        .values()
        .filter_map(|session| session.lease.as_ref());
    Stats {
        incarnation: world.incarnation,
        active_sessions: world
            .sessions
            .values()
            .filter(|session| session.is_active())
            .count() as i64,
        queued: tasks(TaskState::Queued),
        running: tasks(TaskState::Running),
        waiting: tasks(TaskState::Waiting),
        dead: tasks(TaskState::Dead),
        ready: ready.into_iter().collect::<Vec<(ResumeClass, i64)>>(),
        oldest_ready_ms: oldest,
        expired_leases: leases.filter(|lease| lease.until_ms <= world.now).count() as i64,
        workers: workers.into_iter().collect(),
        pending_sends: messages("pending"),
        sending: messages("sending"),
        unknown_sends: messages("unknown"),
    }
}

fn explain(world: &World, id: &SessionId) -> Vec<Why> {
    let session = &world.sessions[id];
    let queue = world.queue(id);
    let mut why = Vec::new();
    if let Some(task) = world.at_work(id) {
        why.push(at_work(world, id, &task));
        why.extend(behind(&task, queue.len()));
    } else if let Some(head) = queue.first() {
        why.push(resting_or_ready(world, head));
        why.extend(behind(head, queue.len() - 1));
        if !is_served(world, session) {
            why.push(Why::NoWorker {
                class: session.class.clone(),
                home: session.token.as_ref().map(|token| token.home.clone()),
            });
        }
    } else {
        why.push(Why::Idle);
    }
    let state = world.builds[&session.build].state;
    if matches!(state, "draining" | "retired") {
        why.push(Why::Build {
            build: session.build.clone(),
            state: state.to_owned(),
        });
    }
    why
}

fn at_work(world: &World, id: &SessionId, task: &TaskId) -> Why {
    if let Some(lease) = &world.sessions[id].lease {
        return Why::Leased {
            worker: lease.worker.clone(),
            task: task.clone(),
            until_ms: lease.until_ms,
            expired: lease.until_ms <= world.now,
        };
    }
    let mut prompts = world.prompts.iter();
    let open = prompts.find(|(_, prompt)| prompt.task == *task && prompt.outcome.is_none());
    let (id, prompt) = open.expect("who waits, waits for a prompt");
    Why::WaitingForPrompt {
        prompt: id.clone(),
        task: task.clone(),
        expires_ms: prompt.expires_ms,
        expired: prompt.expires_ms <= world.now,
    }
}

fn behind(task: &TaskId, queued: usize) -> Option<Why> {
    (queued > 0).then(|| Why::QueuedBehind {
        task: task.clone(),
        queued: queued as i64,
    })
}

fn resting_or_ready(world: &World, head: &TaskId) -> Why {
    let task = &world.tasks[head];
    match task.run_at_ms > world.now {
        true => Why::Resting {
            task: head.clone(),
            until_ms: task.run_at_ms,
            last_error: task.last_error.clone(),
        },
        false => Why::Ready {
            task: head.clone(),
            since_ms: task.run_at_ms,
        },
    }
}

fn is_served(world: &World, session: &Session) -> bool {
    world.workers.values().any(|worker| {
        worker.state == "live"
            && world.builds[&worker.build].state != "retired"
            && worker.class == session.class
            && session
                .token
                .as_ref()
                .is_none_or(|token| token.home == worker.home)
    })
}

fn unknown_send(session: &Session) -> Option<Why> {
    let mut unsettled = session
        .outbox
        .iter()
        .filter(|message| message.is_unsettled());
    let first = unsettled.next()?;
    (first.state == "unknown").then(|| Why::SendUnknown {
        n: first.n,
        behind: unsettled.count() as i64,
    })
}

fn show(world: &World, id: &SessionId) -> Answer {
    let session = world.session(id)?;
    let token = session.token.as_ref();
    let shown = Shown {
        session: id.clone(),
        conv: session.conv.clone(),
        gen_no: session.gen_no,
        active: session.is_active(),
        close_reason: session.close_reason.clone(),
        version: session.version,
        fence: session.fence,
        build: session.build.clone(),
        class: session.class.clone(),
        resume_token: token.map(|token| token.text.clone()),
        resume_home: token.map(|token| token.home.clone()),
        epoch: session.epoch,
        head_ready_ms: world.head_ready_ms(id),
        lease: session.lease.as_ref().map(|lease| ShownLease {
            worker: lease.worker.clone(),
            fence: lease.fence,
            granted_ms: lease.granted_ms,
            until_ms: lease.until_ms,
        }),
        next_seq: session.next_seq(),
        tasks: world
            .tasks_of(id)
            .iter()
            .take(1_000)
            .map(|task| shown_task(world, task))
            .collect(),
    };
    Ok(Reply::Shown(Box::new(shown)))
}

fn shown_task(world: &World, id: &TaskId) -> ShownTask {
    let task = &world.tasks[id];
    ShownTask {
        task: id.clone(),
        pos: task.pos,
        kind: task.kind.clone(),
        state: task.state,
        attempt: task.attempt,
        failures: task.failures,
        fence: task.fence,
        outcome: task.outcome.clone(),
        last_error: task.last_error.clone(),
        run_at_ms: task.run_at_ms,
    }
}
