//! Operations that are several transactions, one transaction at a time: others may come between.

use super::world::World;
use super::{Model, due};
use crate::clock::Clock;
use crate::id::{PromptId, SessionId, TaskId};
use crate::reply::{Pruned, Reaped, Reply, Swept};

/// One transaction of a `reap`, a `sweep` or a `prune`. Each looks again: what is no longer due is left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Of a reap: the lease of a session.
    Lease(SessionId),
    /// Of a reap: the lease under which a task runs.
    LeaseOf(TaskId),
    /// Of a sweep: a question that had expired when it was listed.
    Prompt {
        /// The question.
        prompt: PromptId,
        /// When it was listed.
        listed_ms: i64,
    },
    /// Of a sweep: the open question of a session.
    PromptOf {
        /// The session.
        session: SessionId,
        /// When it was listed.
        listed_ms: i64,
    },
    /// Of a sweep: the message of a session whose sender is silent.
    Send(SessionId),
    /// Of a sweep: a session that was idle for too long.
    Idle(SessionId),
    /// Of a prune: the oldest kept answers.
    Answers {
        /// What is younger stays.
        before_ms: i64,
        /// At most so many.
        limit: u32,
    },
    /// Of a prune: the oldest events.
    Events {
        /// What is younger stays.
        before_ms: i64,
        /// At most so many.
        limit: u32,
    },
    /// Of a prune: a closed session with all that belongs to it.
    Closed {
        /// The session.
        session: SessionId,
        /// What is younger stays.
        before_ms: i64,
    },
}

impl<C: Clock> Model<C> {
    /// Takes one step. Answers what the operation would if it were its only one.
    pub fn step(&mut self, step: &Step) -> Reply {
        self.world.now = self.clock.now_ms();
        match step {
            Step::Lease(_) | Step::LeaseOf(_) => Reply::Reaped(reap(&mut self.world, step)),
            Step::Answers { before_ms, limit } => Reply::Pruned(Pruned {
                op_results: self.forget_answers(*before_ms, *limit),
                ..Pruned::default()
            }),
            Step::Events { .. } | Step::Closed { .. } => {
                Reply::Pruned(prune(&mut self.world, step))
            }
            _ => Reply::Swept(sweep(&mut self.world, step)),
        }
    }
}

fn reap(world: &mut World, step: &Step) -> Reaped {
    let mut reaped = Reaped::default();
    let session = match step {
        Step::Lease(session) => Some(session.clone()),
        Step::LeaseOf(task) => {
            let task = world.tasks.get(task).filter(|task| task.fence.is_some());
            task.map(|task| task.session.clone())
        }
        _ => None,
    };
    if let Some(session) = session {
        due::reap_one(world, &session, &mut reaped);
    }
    reaped
}

fn sweep(world: &mut World, step: &Step) -> Swept {
    let mut swept = Swept::default();
    match step {
        Step::Prompt { prompt, listed_ms } => expire(world, Some(prompt), *listed_ms, &mut swept),
        Step::PromptOf { session, listed_ms } => {
            let open = world
                .prompts
                .iter()
                .find(|(_, prompt)| prompt.session == *session && prompt.outcome.is_none());
            let open = open.map(|(id, _)| id.clone());
            expire(world, open.as_ref(), *listed_ms, &mut swept);
        }
        Step::Send(session) => due::lapse_one(world, session, &mut swept),
        Step::Idle(session) => due::close_one(world, session, &mut swept),
        _ => {}
    }
    swept
}

fn expire(world: &mut World, id: Option<&PromptId>, listed_ms: i64, swept: &mut Swept) {
    // It was listed, and its time is looked at again: the clock may have been set back in between.
    let until = listed_ms.min(world.now);
    let due = |id: &PromptId| {
        let prompt = world.prompts.get(id);
        prompt.is_some_and(|prompt| prompt.expires_ms <= until)
    };
    if let Some(id) = id.filter(|id| due(id)) {
        due::expire_one(world, id, swept);
    }
}

fn prune(world: &mut World, step: &Step) -> Pruned {
    let mut pruned = Pruned::default();
    match step {
        Step::Events { before_ms, limit } => {
            pruned.inbox = due::prune_inbox(world, *before_ms, *limit);
        }
        Step::Closed { session, before_ms } => {
            let old = world
                .sessions
                .get(session)
                .is_some_and(|session| due::is_old(session, *before_ms));
            pruned.sessions = u64::from(old && due::prune_session(world, session));
        }
        _ => {}
    }
    pruned
}
