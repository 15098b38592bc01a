//! Answers for people: what is there, why nothing happens, what is wrong.

use super::TaskState;
use crate::id::{BuildId, ConvId, Fence, PromptId, ResumeClass, SessionId, TaskId, WorkerId};
use serde::{Deserialize, Serialize};

/// The application's state of a session.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct State {
    /// Its version; 0 when it was never put.
    pub version: i64,
    /// The state; empty when it was never put.
    pub body: String,
}

/// One session in a list.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Listed {
    /// The session.
    pub session: SessionId,
    /// Its conversation.
    pub conv: ConvId,
    /// Its generation.
    pub gen_no: i64,
    /// True while it is active.
    pub active: bool,
    /// The class it is bound to.
    pub class: ResumeClass,
    /// How many of its tasks are open.
    pub open_tasks: i64,
    /// When something last happened.
    pub touched_ms: i64,
}

/// A page of a session's history.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct History {
    /// Items, by sequence number.
    pub items: Vec<HistoryItem>,
    /// Notes, by number.
    pub notes: Vec<HistoryNote>,
}

/// One item as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HistoryItem {
    /// Its sequence number.
    pub seq: i64,
    /// The task whose turn wrote it.
    pub task: TaskId,
    /// The fence it was written under.
    pub fence: Fence,
    /// Its kind.
    pub kind: String,
    /// Its contents.
    pub body: String,
    /// When it was written.
    pub at_ms: i64,
}

/// One note as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HistoryNote {
    /// Its number.
    pub n: i64,
    /// Its kind.
    pub kind: String,
    /// Its contents.
    pub body: String,
    /// When it was written.
    pub at_ms: i64,
}

/// Numbers about the whole store. They count what is open, so that they cost little however much is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Stats {
    /// The store's incarnation.
    pub incarnation: i64,
    /// Active sessions.
    pub active_sessions: i64,
    /// Queued tasks.
    pub queued: i64,
    /// Running tasks.
    pub running: i64,
    /// Tasks that wait for an answer.
    pub waiting: i64,
    /// Dead tasks, until they are pruned.
    pub dead: i64,
    /// Sessions whose head may be claimed now, by class.
    pub ready: Vec<(ResumeClass, i64)>,
    /// How long the longest ready of them has been so, in milliseconds.
    pub oldest_ready_ms: Option<i64>,
    /// Leases that have expired and were not reaped.
    pub expired_leases: i64,
    /// Live workers, by class.
    pub workers: Vec<(ResumeClass, i64)>,
    /// Messages that are to be sent.
    pub pending_sends: i64,
    /// Messages that are being sent.
    pub sending: i64,
    /// Messages that may have been sent.
    pub unknown_sends: i64,
}

/// Why nothing is happening in a session, or why it is; the first reason is the nearest.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Explained {
    /// One or more reasons.
    pub why: Vec<Why>,
}

/// One reason.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The session was closed.
    Closed {
        /// Why.
        reason: String,
    },
    /// The queue is empty.
    Idle,
    /// A worker has it.
    Leased {
        /// The worker.
        worker: WorkerId,
        /// The task it runs.
        task: TaskId,
        /// When the lease ends.
        until_ms: i64,
        /// True when it has expired: it waits to be reaped.
        expired: bool,
    },
    /// A question is open.
    WaitingForPrompt {
        /// The question.
        prompt: PromptId,
        /// The task that asked.
        task: TaskId,
        /// When it expires.
        expires_ms: i64,
        /// True when it has expired: it waits for a sweep.
        expired: bool,
    },
    /// Queued tasks stand behind this one.
    QueuedBehind {
        /// The open task that comes first.
        task: TaskId,
        /// How many are queued behind it.
        queued: i64,
    },
    /// The head of the queue rests after a failure or a snooze.
    Resting {
        /// The task.
        task: TaskId,
        /// Until then.
        until_ms: i64,
        /// Why its last attempt failed.
        last_error: Option<String>,
    },
    /// The head may be claimed.
    Ready {
        /// The task.
        task: TaskId,
        /// Since then.
        since_ms: i64,
    },
    /// No live worker of a build in service is of the session's class and home.
    NoWorker {
        /// The class.
        class: ResumeClass,
        /// The home of its token, if it has one.
        home: Option<String>,
    },
    /// The build it is bound to is on its way out.
    Build {
        /// The build.
        build: BuildId,
        /// `draining` or `retired`.
        state: String,
    },
    /// A message may have been sent; the ones behind it wait until that is resolved.
    SendUnknown {
        /// Its number.
        n: i64,
        /// How many wait behind it.
        behind: i64,
    },
}

/// A session as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Shown {
    /// The session.
    pub session: SessionId,
    /// Its conversation.
    pub conv: ConvId,
    /// Its generation.
    pub gen_no: i64,
    /// True while it is active.
    pub active: bool,
    /// Why it was closed.
    pub close_reason: Option<String>,
    /// What `migrate` compares.
    pub version: i64,
    /// The last fence issued.
    pub fence: Fence,
    /// The build it is bound to.
    pub build: BuildId,
    /// The build's class.
    pub class: ResumeClass,
    /// The native token.
    pub resume_token: Option<String>,
    /// Where the token lives.
    pub resume_home: Option<String>,
    /// The token's epoch.
    pub epoch: i64,
    /// When the head of the queue may be claimed; `None` while nothing may.
    pub head_ready_ms: Option<i64>,
    /// Who holds it.
    pub lease: Option<ShownLease>,
    /// The sequence number of the next item.
    pub next_seq: i64,
    /// The first thousand tasks, in the order of the queue.
    pub tasks: Vec<ShownTask>,
}

/// A lease as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ShownLease {
    /// The holder.
    pub worker: WorkerId,
    /// Its fence.
    pub fence: Fence,
    /// When it was granted.
    pub granted_ms: i64,
    /// When it ends.
    pub until_ms: i64,
}

/// A task as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ShownTask {
    /// The task.
    pub task: TaskId,
    /// Its place in the queue.
    pub pos: i64,
    /// Its kind.
    pub kind: String,
    /// Its state.
    pub state: TaskState,
    /// How often it was claimed.
    pub attempt: i64,
    /// How many attempts failed or expired.
    pub failures: i64,
    /// The fence it runs under.
    pub fence: Option<Fence>,
    /// Its outcome, once it has ended.
    pub outcome: Option<String>,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// Not to be claimed before.
    pub run_at_ms: i64,
}

/// What `verify` found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Report {
    /// Violations, by rule.
    pub findings: Vec<Finding>,
    /// Rules that did not come to an end within the budget. An empty report with unfinished rules proves little.
    pub unfinished: Vec<String>,
}

/// One violation of one rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Finding {
    /// The rule.
    pub rule: String,
    /// The columns of the offending row, by name.
    pub row: Vec<(String, String)>,
}
