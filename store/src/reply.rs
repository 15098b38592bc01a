//! Every answer as data. Answers of mutating operations are stored as they stand and given again to a repeated call.

mod look;

pub use look::{
    Explained, Finding, History, HistoryItem, HistoryNote, Listed, Report, Shown, ShownLease,
    ShownTask, State, Stats, Why,
};

use crate::id::{ConvId, Fence, PromptId, ResumeClass, SessionId, TaskId};
use serde::{Deserialize, Serialize};

/// The answer to one call; each operation has one variant.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// It is done and there is nothing to tell: register_build, set_current, allow_move, worker_seen, drain, retire,
    /// worker_drain, ordered_ids, sent, not_sent, unknown, resolve.
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
    /// The state the task is in now: complete, fail, cancel, give_back, snooze, ask.
    Task(TaskState),
    /// The session that the new task is queued in: retry.
    Retried(SessionId),
    /// What became of the leases: worker_gone.
    Gone(Reaped),
    /// The conversation that both keys lead to: link_key.
    Linked(ConvId),
    /// The note's number: note.
    Noted(i64),
    /// get_state.
    State(State),
    /// answer, revoke.
    Answered(Answered),
    /// claim_send.
    Sending(Vec<Sending>),
    /// sweep.
    Swept(Swept),
    /// prune.
    Pruned(Pruned),
    /// restored.
    Restored(Restored),
    /// list.
    Listed(Vec<Listed>),
    /// history.
    History(History),
    /// stats.
    Stats(Box<Stats>),
    /// explain.
    Explained(Explained),
    /// close.
    Closed(Closed),
    /// reset.
    Reset(WasReset),
    /// The token's new epoch: set_resume, drop_resume.
    Epoch(i64),
    /// resume.
    Pointer(Pointer),
    /// The new version: migrate (of the session), put_state (of the state).
    Version(i64),
    /// reap.
    Reaped(Reaped),
    /// show.
    Shown(Box<Shown>),
    /// verify.
    Verified(Report),
}

/// The states of a task. The last four are terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Accepted {
    /// New, a repetition, or a contradiction.
    pub verdict: Verdict,
    /// The task that the first delivery became, or whose question it answered. Empty with [`Verdict::Old`].
    pub task: TaskId,
    /// The session it was queued in then. Empty with [`Verdict::Old`].
    pub session: SessionId,
}

/// How an event compares with what was delivered before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is new; a task was queued.
    Task,
    /// It was delivered before; nothing was changed.
    Duplicate,
    /// It was delivered before with another body; nothing was changed.
    Changed,
    /// It is new and answered the open question; the task that asked is queued again.
    Answer,
    /// Its id is at or below what was pruned, in an account whose ids are ordered; nothing was changed.
    Old,
}

/// One session in a worker's hands, and the task at its head.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
    /// What became of the last question that the task asked.
    #[serde(default)]
    pub prompt: Option<Prompted>,
}

/// A question that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Prompted {
    /// The question.
    pub prompt: PromptId,
    /// How it ended.
    pub outcome: PromptOutcome,
}

/// How a question ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromptOutcome {
    /// A button was pressed.
    Chosen {
        /// Its number, from 1.
        idx: i64,
        /// What it says.
        label: String,
    },
    /// A text answered.
    Text(String),
    /// Nobody answered in time.
    Expired,
    /// It was withdrawn, or its task or session ended.
    Revoked,
}

/// What a press of a button did.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Answered {
    /// The question that the button belongs to.
    pub prompt: PromptId,
    /// The task that asked.
    pub task: TaskId,
    /// True when this event ended the question; otherwise it had ended before, with this outcome.
    pub took: bool,
    /// How the question ended.
    pub outcome: PromptOutcome,
}

/// One message in a sender's hands.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Sending {
    /// The session it comes from.
    pub session: SessionId,
    /// Its number in the session.
    pub n: i64,
    /// The number of this attempt to send, higher each time: what `sent`, `not_sent` and `unknown` carry.
    pub send_no: i64,
    /// The provider's idempotency key is made of the session and this.
    pub dedup_key: String,
    /// What to send.
    pub body: String,
    /// True when an earlier attempt may have sent it already.
    pub repeat: bool,
    /// After this the outcome counts as unknown, on the store's clock.
    pub until_ms: i64,
}

/// What a sweep found to do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Swept {
    /// Questions that expired; their tasks are queued again.
    pub expired: Vec<PromptId>,
    /// Messages whose sender did not report in time: the outcome is unknown.
    pub unknown: Vec<(SessionId, i64)>,
    /// Sessions that were idle for too long and are closed now.
    pub closed: Vec<SessionId>,
    /// Rows that could not be swept, and why. They do not stop the others.
    pub skipped: Vec<(String, String)>,
}

/// How many rows were deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Pruned {
    /// Kept answers.
    pub op_results: u64,
    /// Audit rows.
    pub audit: u64,
    /// Events.
    pub inbox: u64,
    /// Closed sessions, with all that belongs to them.
    pub sessions: u64,
}

/// What was done after a restore from a backup.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Restored {
    /// Tasks whose lease was taken; they are queued again.
    pub requeued: Vec<TaskId>,
    /// How many messages were pending or being sent: whether they were sent after the backup is unknown.
    pub unknown: u64,
}

/// A lease that goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Renewed {
    /// When it ends now.
    pub until_ms: i64,
    /// How long that is from now, so that a worker needs no clock in common with the store.
    pub left_ms: i64,
    /// True when somebody asked for the running task to be cancelled.
    pub cancel_asked: bool,
}

/// What ended with a session.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Closed {
    /// The tasks that were cancelled.
    pub cancelled: Vec<TaskId>,
}

/// What a reset did.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Pointer {
    /// The token; `None` means begin a new native session.
    pub token: Option<String>,
    /// Its epoch.
    pub epoch: i64,
    /// The sequence number of the next item.
    pub next_seq: i64,
}

/// What became of expired leases.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reaped {
    /// Tasks that are queued again.
    pub requeued: Vec<TaskId>,
    /// Tasks that ended: dead, or cancelled as was asked.
    pub ended: Vec<TaskId>,
    /// Sessions that could not be reaped, and why. They do not stop the others.
    pub skipped: Vec<(SessionId, String)>,
}
