//! Everything that is stored.

use super::{closed, not_found};
use crate::error::Error;
use crate::id::{BuildId, ConvId, Fence, PromptId, ResumeClass, SessionId, TaskId, WorkerId};
use crate::op::{Choice, ConvKey, Item};
use crate::reply::{Accepted, Answered, HistoryItem, HistoryNote, PromptOutcome, TaskState};
use std::collections::BTreeMap;
use std::hash::Hash;

#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) now: i64,
    pub(super) incarnation: i64,
    pub(super) builds: BTreeMap<BuildId, Build>,
    pub(super) edges: BTreeMap<(ResumeClass, ResumeClass), String>,
    pub(super) workers: BTreeMap<WorkerId, Worker>,
    pub(super) keys: BTreeMap<ConvKey, ConvId>,
    /// Conversations, with the highest generation that was pruned.
    pub(super) conversations: BTreeMap<ConvId, i64>,
    pub(super) sessions: BTreeMap<SessionId, Session>,
    pub(super) tasks: BTreeMap<TaskId, Task>,
    pub(super) prompts: BTreeMap<PromptId, Prompt>,
    /// Events by account and their platform's id.
    pub(super) inbox: BTreeMap<(Account, String), Event>,
    pub(super) marks: BTreeMap<Account, Mark>,
}

impl Default for World {
    fn default() -> Self {
        Self {
            now: 0,
            incarnation: 1,
            builds: BTreeMap::new(),
            edges: BTreeMap::new(),
            workers: BTreeMap::new(),
            keys: BTreeMap::new(),
            conversations: BTreeMap::new(),
            sessions: BTreeMap::new(),
            tasks: BTreeMap::new(),
            prompts: BTreeMap::new(),
            inbox: BTreeMap::new(),
            marks: BTreeMap::new(),
        }
    }
}

/// Tenant, channel and account.
pub(super) type Account = (String, String, String);

pub(super) fn account(key: &ConvKey) -> Account {
    (key.tenant.clone(), key.channel.clone(), key.account.clone())
}

#[derive(Clone, Debug, Hash)]
pub(super) struct Build {
    pub(super) runtime: String,
    pub(super) class: ResumeClass,
    /// `ramping`, `current`, `draining` or `retired`.
    pub(super) state: &'static str,
}

#[derive(Clone, Debug, Hash)]
pub(super) struct Worker {
    pub(super) build: BuildId,
    pub(super) class: ResumeClass,
    pub(super) home: String,
    /// `live`, `draining` or `gone`.
    pub(super) state: &'static str,
}

#[derive(Clone, Debug, Hash)]
pub(super) struct Lease {
    pub(super) worker: WorkerId,
    pub(super) fence: Fence,
    pub(super) granted_ms: i64,
    pub(super) until_ms: i64,
}

#[derive(Clone, Debug, Hash)]
pub(super) struct Token {
    pub(super) text: String,
    pub(super) home: String,
}

#[derive(Clone, Debug, Hash)]
pub(super) struct Session {
    pub(super) conv: ConvId,
    pub(super) gen_no: i64,
    /// `None` while it is active.
    pub(super) close_reason: Option<String>,
    pub(super) version: i64,
    pub(super) fence: Fence,
    pub(super) build: BuildId,
    pub(super) class: ResumeClass,
    pub(super) token: Option<Token>,
    pub(super) epoch: i64,
    pub(super) idle_ms: Option<i64>,
    pub(super) touched_ms: i64,
    pub(super) expires_ms: Option<i64>,
    pub(super) lease: Option<Lease>,
    pub(super) state: Option<(i64, String)>,
    pub(super) items: Vec<HistoryItem>,
    pub(super) notes: Vec<HistoryNote>,
    pub(super) outbox: Vec<Message>,
}

impl Session {
    pub(super) fn is_active(&self) -> bool {
        self.close_reason.is_none()
    }

    pub(super) fn touch(&mut self, now: i64) {
        self.touched_ms = now;
        self.expires_ms = self.idle_ms.map(|idle_ms| now + idle_ms);
    }

    pub(super) fn next_seq(&self) -> i64 {
        self.items.last().map_or(0, |item| item.seq) + 1
    }

    pub(super) fn write(&mut self, task: &TaskId, fence: Fence, item: &Item, now: i64) {
        self.items.push(HistoryItem {
            seq: self.next_seq(),
            task: task.clone(),
            fence,
            kind: item.kind.clone(),
            body: item.body.clone(),
            at_ms: now,
        });
    }

    pub(super) fn is_settled(&self) -> bool {
        !self.outbox.iter().any(Message::is_unsettled)
    }

    /// The first message that is not settled.
    pub(super) fn first_unsettled(&mut self) -> Option<&mut Message> {
        self.outbox
            .iter_mut()
            .find(|message| message.is_unsettled())
    }
}

#[derive(Clone, Debug, Hash)]
pub(super) struct Message {
    pub(super) n: i64,
    pub(super) task: TaskId,
    pub(super) dedup_key: String,
    pub(super) body: String,
    pub(super) route: String,
    /// `pending`, `sending`, `unknown`, `sent` or `dropped`.
    pub(super) state: &'static str,
    pub(super) send_no: i64,
    pub(super) until_ms: i64,
    /// Meant only while it is pending and the first.
    pub(super) ready_ms: i64,
    pub(super) repeats: i64,
}

impl Message {
    pub(super) fn is_unsettled(&self) -> bool {
        matches!(self.state, "pending" | "sending" | "unknown")
    }
}

#[derive(Clone, Debug, Hash)]
pub(super) struct Task {
    pub(super) session: SessionId,
    pub(super) pos: i64,
    pub(super) kind: String,
    pub(super) state: TaskState,
    /// Set exactly while it runs.
    pub(super) fence: Option<Fence>,
    pub(super) attempt: i64,
    pub(super) failures: i64,
    pub(super) max_failures: i64,
    pub(super) cancel_asked: bool,
    pub(super) run_at_ms: i64,
    pub(super) input: String,
    pub(super) outcome: Option<String>,
    pub(super) last_error: Option<String>,
    pub(super) moved_from: Option<SessionId>,
    pub(super) retry_of: Option<TaskId>,
}

impl Task {
    pub(super) fn is_open(&self) -> bool {
        !self.state.is_terminal()
    }

    pub(super) fn is_at_work(&self) -> bool {
        matches!(self.state, TaskState::Running | TaskState::Waiting)
    }
}

#[derive(Clone, Debug, Hash)]
pub(super) struct Prompt {
    pub(super) session: SessionId,
    pub(super) task: TaskId,
    /// `None` while it is open.
    pub(super) outcome: Option<PromptOutcome>,
    pub(super) choices: Vec<Choice>,
    pub(super) text_ok: bool,
    pub(super) expires_ms: i64,
    pub(super) fence: Fence,
}

#[derive(Clone, Debug, Hash)]
pub(super) struct Event {
    pub(super) body: String,
    pub(super) told: Told,
    pub(super) task: Option<TaskId>,
    pub(super) first_ms: i64,
}

/// What the first delivery was told.
#[derive(Clone, Debug, Hash)]
pub(super) enum Told {
    Accepted(Accepted),
    Answered(Answered),
}

#[derive(Clone, Debug, Hash)]
pub(super) struct Mark {
    pub(super) low: i64,
    pub(super) idle_gap_ms: i64,
    pub(super) last_ms: i64,
}

pub(super) fn state_name(state: TaskState) -> &'static str {
    match state {
        TaskState::Queued => "queued",
        TaskState::Running => "running",
        TaskState::Waiting => "waiting",
        TaskState::Done => "done",
        TaskState::Failed => "failed",
        TaskState::Cancelled => "cancelled",
        TaskState::Dead => "dead",
    }
}

impl World {
    /// All of it but the time.
    pub(super) fn contents(&self) -> impl Hash {
        let runtime = (self.incarnation, &self.builds, &self.edges, &self.workers);
        let chats = (&self.keys, &self.conversations, &self.inbox, &self.marks);
        (runtime, chats, &self.sessions, &self.tasks, &self.prompts)
    }

    pub(super) fn session(&self, id: &SessionId) -> Result<&Session, Error> {
        self.sessions
            .get(id)
            .ok_or_else(|| not_found("session", id))
    }

    pub(super) fn active(&self, id: &SessionId) -> Result<&Session, Error> {
        let session = self.session(id)?;
        match &session.close_reason {
            Some(reason) => Err(closed(reason)),
            None => Ok(session),
        }
    }

    /// A session that is known to exist.
    pub(super) fn at(&mut self, id: &SessionId) -> &mut Session {
        self.sessions.get_mut(id).expect("the session exists")
    }

    /// A task that is known to exist.
    pub(super) fn task(&mut self, id: &TaskId) -> &mut Task {
        self.tasks.get_mut(id).expect("the task exists")
    }

    /// The conversation's active session.
    pub(super) fn active_of(&self, conv: &ConvId) -> Option<SessionId> {
        self.sessions
            .iter()
            .find(|(_, session)| session.conv == *conv && session.is_active())
            .map(|(id, _)| id.clone())
    }

    /// A session's tasks, in the order of the queue.
    pub(super) fn tasks_of(&self, session: &SessionId) -> Vec<TaskId> {
        let mut tasks: Vec<(i64, TaskId)> = self
            .tasks
            .iter()
            .filter(|(_, task)| task.session == *session)
            .map(|(id, task)| (task.pos, id.clone()))
            .collect();
        tasks.sort();
        tasks.into_iter().map(|(_, id)| id).collect()
    }

    pub(super) fn open_tasks(&self, session: &SessionId) -> Vec<TaskId> {
        let mut tasks = self.tasks_of(session);
        tasks.retain(|id| self.tasks[id].is_open());
        tasks
    }

    pub(super) fn queue(&self, session: &SessionId) -> Vec<TaskId> {
        let mut tasks = self.tasks_of(session);
        tasks.retain(|id| self.tasks[id].state == TaskState::Queued);
        tasks
    }

    /// The one task that runs or waits.
    pub(super) fn at_work(&self, session: &SessionId) -> Option<TaskId> {
        self.open_tasks(session)
            .into_iter()
            .find(|id| self.tasks[id].is_at_work())
    }

    /// When the head of the queue may be claimed.
    pub(super) fn head_ready_ms(&self, session: &SessionId) -> Option<i64> {
        if self.at_work(session).is_some() {
            return None;
        }
        let queue = self.queue(session);
        queue.first().map(|id| self.tasks[id].run_at_ms)
    }

    /// The class of a build that may still serve.
    pub(super) fn class_in_service(&self, build: &BuildId) -> Result<ResumeClass, Error> {
        let found = self
            .builds
            .get(build)
            .ok_or_else(|| not_found("build", build))?;
        match found.state {
            "retired" => Err(closed("retired")),
            _ => Ok(found.class.clone()),
        }
    }

    /// No two active sessions share a native session.
    pub(super) fn is_taken(&self, of: &SessionId, class: &ResumeClass, token: &Token) -> bool {
        self.sessions.iter().any(|(id, session)| {
            id != of
                && session.is_active()
                && session.class == *class
                && session
                    .token
                    .as_ref()
                    .is_some_and(|own| own.text == token.text && own.home == token.home)
        })
    }
}
