//! Every operation as data. What a call asks for is all in here: the same value means the same request, which is how a
//! repeated `op_id` is told from a reused one.

use crate::id::{BuildId, ConvId, Fence, OpId, ResumeClass, SessionId, TaskId, WorkerId};
use serde::{Deserialize, Serialize};

/// One call of a store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Required by operations that keep their answer ([`Op::keeps_answer`]), refused by all others.
    pub op_id: Option<OpId>,
    /// What to do.
    pub op: Op,
}

/// The structured key of a chat. Empty texts stand for parts that a platform does not have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ConvKey {
    /// Whose bot it is.
    pub tenant: String,
    /// The platform.
    pub channel: String,
    /// The bot's account on the platform.
    pub account: String,
    /// The chat.
    pub chat: String,
    /// The thread or topic inside the chat.
    pub thread: String,
    /// The person, where each has a session of their own.
    pub participant: String,
}

impl ConvKey {
    /// The key of a whole chat, without thread and participant.
    pub fn chat(tenant: &str, channel: &str, account: &str, chat: &str) -> Self {
        Self {
            tenant: tenant.to_owned(),
            channel: channel.to_owned(),
            account: account.to_owned(),
            chat: chat.to_owned(),
            thread: String::new(),
            participant: String::new(),
        }
    }
}

/// Ids and runtime for a session, used only if one has to be opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewSession {
    /// The conversation, if the key is new.
    pub conv: ConvId,
    /// The session.
    pub session: SessionId,
    /// The runtime whose current build it is bound to.
    pub runtime: String,
}

/// What `open_or_get` does when the conversation has an active session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpenPolicy {
    /// Answer with it.
    Adopt,
    /// Refuse.
    Fail,
    /// Close it (never under a lease) and open the next generation.
    Replace,
}

/// An event from a platform, to become work exactly once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accept {
    /// The chat it came from.
    pub key: ConvKey,
    /// The platform's id of the event, the same in each redelivery.
    pub ext_id: String,
    /// The kind of task.
    pub kind: String,
    /// The task's input. Another body under the same `ext_id` is reported, not executed.
    pub body: String,
    /// The task's id, if the event is new.
    pub task: TaskId,
    /// After how many failed or expired attempts the task is dead.
    pub max_failures: u32,
    /// What to open if the chat has no active session.
    pub new: NewSession,
}

/// One entry of the history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Its kind: message, tool call, …
    pub kind: String,
    /// Its contents.
    pub body: String,
}

/// One message to be sent, in the order of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Send {
    /// Unique in the session: the provider's idempotency key is made of it.
    pub dedup_key: String,
    /// What to send.
    pub body: String,
}

/// Everything a finished turn leaves behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Complete {
    /// The task.
    pub task: TaskId,
    /// The fence it was claimed with.
    pub fence: Fence,
    /// Its outcome.
    pub outcome: String,
    /// History to append.
    pub items: Vec<Item>,
    /// Messages for the outbox.
    pub sends: Vec<Send>,
    /// The native token, if the turn made or rotated one.
    pub resume_token: Option<String>,
}

/// What happens to a task whose attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retry {
    /// It has failed for good.
    Never,
    /// It is queued again at its old place, or dead when its failures are used up.
    After {
        /// How long it rests first. It holds back the session's queue while it rests.
        delay_ms: i64,
    },
}

/// Who cancels a task, and how firmly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelHow {
    /// At once if it does not run; otherwise its worker is told at the next renewal.
    Ask,
    /// At once; a worker that runs it is fenced.
    Force,
    /// By the worker that runs it.
    Own {
        /// The fence it was claimed with.
        fence: Fence,
    },
}

/// What becomes of a closed session's queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueueFate {
    /// Cancelled with the session.
    Cancel,
    /// Queued in the next generation, in the same order. What runs or waits is cancelled all the same.
    Move,
}

/// Close a session and open the next generation, in one commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reset {
    /// The session to close.
    pub session: SessionId,
    /// The id of the next one.
    pub next: SessionId,
    /// The build of the next one; the same as before if `None`.
    pub build: Option<BuildId>,
    /// Why.
    pub reason: String,
    /// What becomes of the queue.
    pub queued: QueueFate,
    /// Take the session from a worker that holds it.
    pub force: bool,
}

/// How a token passes along a resume edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Converter {
    /// It does not: the session goes on without one.
    DropToken,
}

/// An operation. The guarantees are told at the methods of [`crate::Store`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// See [`crate::Store::register_build`].
    RegisterBuild {
        /// The build.
        build: BuildId,
        /// Its runtime.
        runtime: String,
        /// Its resume class.
        class: ResumeClass,
    },
    /// See [`crate::Store::set_current`].
    SetCurrent {
        /// The build.
        build: BuildId,
    },
    /// See [`crate::Store::allow_move`].
    AllowMove {
        /// The class that sessions leave.
        from: ResumeClass,
        /// The class they may enter.
        to: ResumeClass,
        /// What becomes of the token.
        converter: Converter,
    },
    /// See [`crate::Store::register_worker`].
    RegisterWorker {
        /// A fresh id for this process start.
        worker: WorkerId,
        /// The build it runs.
        build: BuildId,
        /// Where its native sessions live; empty when they can be reached from anywhere.
        home: String,
    },
    /// See [`crate::Store::worker_seen`].
    WorkerSeen {
        /// The worker.
        worker: WorkerId,
    },
    /// See [`crate::Store::open_or_get`].
    OpenOrGet {
        /// The chat.
        key: ConvKey,
        /// What to do with an active session.
        policy: OpenPolicy,
        /// What to open if there is none.
        new: NewSession,
    },
    /// See [`crate::Store::accept`].
    Accept(Accept),
    /// See [`crate::Store::claim`].
    Claim {
        /// Who asks.
        worker: WorkerId,
        /// At most this many sessions.
        limit: u32,
        /// How long the leases last.
        lease_ms: i64,
    },
    /// See [`crate::Store::renew`].
    Renew {
        /// The session.
        session: SessionId,
        /// The fence of the lease.
        fence: Fence,
        /// How long the lease lasts from now on.
        lease_ms: i64,
    },
    /// See [`crate::Store::append`].
    Append {
        /// The session.
        session: SessionId,
        /// The fence of the lease.
        fence: Fence,
        /// The sequence number of the first new item.
        expected_seq: i64,
        /// The items.
        items: Vec<Item>,
    },
    /// See [`crate::Store::complete`].
    Complete(Complete),
    /// See [`crate::Store::fail`].
    Fail {
        /// The task.
        task: TaskId,
        /// The fence it was claimed with.
        fence: Fence,
        /// What went wrong.
        error: String,
        /// What to do now.
        retry: Retry,
    },
    /// See [`crate::Store::cancel`].
    Cancel {
        /// The task.
        task: TaskId,
        /// Why.
        reason: String,
        /// By whom.
        how: CancelHow,
    },
    /// See [`crate::Store::close`].
    Close {
        /// The session.
        session: SessionId,
        /// Why.
        reason: String,
        /// Take it from a worker that holds it.
        force: bool,
    },
    /// See [`crate::Store::reset`].
    Reset(Reset),
    /// See [`crate::Store::set_resume`].
    SetResume {
        /// The session.
        session: SessionId,
        /// The fence of the lease.
        fence: Fence,
        /// The new token.
        token: String,
        /// The epoch of the token that it replaces.
        epoch: i64,
    },
    /// See [`crate::Store::resume`].
    Resume {
        /// The session.
        session: SessionId,
        /// Who wants to resume it.
        worker: WorkerId,
    },
    /// See [`crate::Store::migrate`].
    Migrate {
        /// The session.
        session: SessionId,
        /// The build to bind it to.
        to_build: BuildId,
        /// The version that the decision was based on.
        expected_version: i64,
    },
    /// See [`crate::Store::reap`].
    Reap {
        /// At most this many leases.
        limit: u32,
    },
    /// See [`crate::Store::show`].
    Show {
        /// The session.
        session: SessionId,
    },
    /// See [`crate::Store::verify`].
    Verify {
        /// At most this many findings for each rule.
        per_rule: u32,
    },
}

impl Op {
    /// The operation's name, as it stands in the op_result and audit tables.
    pub fn name(&self) -> &'static str {
        match self {
            Op::RegisterBuild { .. } => "register_build",
            Op::SetCurrent { .. } => "set_current",
            Op::AllowMove { .. } => "allow_move",
            Op::RegisterWorker { .. } => "register_worker",
            Op::WorkerSeen { .. } => "worker_seen",
            Op::OpenOrGet { .. } => "open_or_get",
            Op::Accept(_) => "accept",
            Op::Claim { .. } => "claim",
            Op::Renew { .. } => "renew",
            Op::Append { .. } => "append",
            Op::Complete(_) => "complete",
            Op::Fail { .. } => "fail",
            Op::Cancel { .. } => "cancel",
            Op::Close { .. } => "close",
            Op::Reset(_) => "reset",
            Op::SetResume { .. } => "set_resume",
            Op::Resume { .. } => "resume",
            Op::Migrate { .. } => "migrate",
            Op::Reap { .. } => "reap",
            Op::Show { .. } => "show",
            Op::Verify { .. } => "verify",
        }
    }

    /// True when the operation takes an `op_id` and keeps its answer under it. The others only read, or are idempotent by
    /// their own condition.
    pub fn keeps_answer(&self) -> bool {
        !matches!(
            self,
            Op::WorkerSeen { .. }
                | Op::Renew { .. }
                | Op::Reap { .. }
                | Op::Resume { .. }
                | Op::Show { .. }
                | Op::Verify { .. }
        )
    }
}
