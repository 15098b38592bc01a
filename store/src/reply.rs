//! Every answer as data. Answers of mutating operations are stored as they stand and given again to a repeated call.

use crate::id::{BuildId, ConvId, Fence, ResumeClass, SessionId, TaskId, WorkerId};
use serde::{Deserialize, Serialize};

/// The answer to one call; each operation has one variant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// It is done and there is nothing to tell: register_build, set_current, allow_move, worker_seen.
    Done,
    /// The worker's resume class: register_worker.
    Worker(ResumeClass),
    /// open_or_get.
    Opened(Opened),
    /// accept.
    Accepted(Accepted),
    /// claim.
    Claimed(Vec<Claimed>),
    /// renew.
    Renewed(Renewed),
    /// The sequence number that the next item will have: append.
    Appended(i64),
    /// The state the task is in now: complete, fail, cancel.
    Task(TaskState),
    /// close.
    Closed(Closed),
    /// reset.
    Reset(WasReset),
    /// The epoch of the new token: set_resume.
    Epoch(i64),
    /// resume.
    Pointer(Pointer),
    /// The session's new version: migrate.
    Version(i64),
    /// reap.
    Reaped(Reaped),
    /// show.
    Shown(Box<Shown>),
    /// verify.
    Verified(Report),
}

/// The states of a task. The last four are terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// In its session's queue.
    Queued,
    /// Under a lease.
    Running,
    /// For an answer.
    Waiting,
    /// Completed.
    Done,
    /// Failed for good.
    Failed,
    /// Cancelled.
    Cancelled,
    /// Its failures are used up.
    Dead,
}

impl TaskState {
    /// The state with this name in the schema.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "queued" => Self::Queued,
            "running" => Self::Running,
            "waiting" => Self::Waiting,
            "done" => Self::Done,
            "failed" => Self::Failed,
            "cancelled" => Self::Cancelled,
            "dead" => Self::Dead,
            _ => return None,
        })
    }

    /// True when the task can never change again.
    pub fn is_terminal(self) -> bool {
        matches!(
            self,
            Self::Done | Self::Failed | Self::Cancelled | Self::Dead
        )
    }
}

/// The conversation's active session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// The conversation.
    pub conv: ConvId,
    /// The session.
    pub session: SessionId,
    /// Its generation.
    pub gen_no: i64,
    /// True when this call opened it.
    pub created: bool,
}

/// What became of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// New, a repetition, or a contradiction.
    pub verdict: Verdict,
    /// The task that the first delivery became.
    pub task: TaskId,
    /// The session it was queued in then.
    pub session: SessionId,
}

/// How an event compares with what was delivered before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is new; a task was queued.
    Task,
    /// It was delivered before; nothing was changed.
    Duplicate,
    /// It was delivered before with another body; nothing was changed.
    Changed,
}

/// One session in a worker's hands, and the task at its head.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claimed {
    /// The session.
    pub session: SessionId,
    /// The task.
    pub task: TaskId,
    /// The fence to act under.
    pub fence: Fence,
    /// When the lease ends unless renewed, on the store's clock.
    pub until_ms: i64,
    /// The kind of task.
    pub kind: String,
    /// Its input.
    pub input: String,
    /// How often it was claimed, this time included.
    pub attempt: i64,
    /// How many of these attempts failed or expired.
    pub failures: i64,
    /// The native token, if there is one. A claim only takes sessions whose token this worker may use.
    pub resume_token: Option<String>,
    /// The token's epoch.
    pub epoch: i64,
    /// The sequence number of the next item.
    pub next_seq: i64,
}

/// A lease that goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renewed {
    /// When it ends now.
    pub until_ms: i64,
    /// How long that is from now, so that a worker needs no clock in common with the store.
    pub left_ms: i64,
    /// True when somebody asked for the running task to be cancelled.
    pub cancel_asked: bool,
}

/// What ended with a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// The tasks that were cancelled.
    pub cancelled: Vec<TaskId>,
}

/// What a reset did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WasReset {
    /// The new session.
    pub session: SessionId,
    /// Its generation.
    pub gen_no: i64,
    /// The tasks that were cancelled.
    pub cancelled: Vec<TaskId>,
    /// The tasks that go on in it.
    pub moved: Vec<TaskId>,
}

/// What is needed to go on with a native session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pointer {
    /// The token; `None` means begin a new native session.
    pub token: Option<String>,
    /// Its epoch.
    pub epoch: i64,
    /// The sequence number of the next item.
    pub next_seq: i64,
}

/// What became of expired leases.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reaped {
    /// Tasks that are queued again.
    pub requeued: Vec<TaskId>,
    /// Tasks that ended: dead, or cancelled as was asked.
    pub ended: Vec<TaskId>,
    /// Sessions that could not be reaped, and why. They do not stop the others.
    pub skipped: Vec<(SessionId, String)>,
}

/// A session as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Violations, by rule.
    pub findings: Vec<Finding>,
    /// Rules that did not come to an end within the budget. An empty report with unfinished rules proves little.
    pub unfinished: Vec<String>,
}

/// One violation of one rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule.
    pub rule: String,
    /// The columns of the offending row, by name.
    pub row: Vec<(String, String)>,
}
