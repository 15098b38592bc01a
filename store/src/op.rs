//! Every operation as data. What a call asks for is all in here: the same value means the same request, which is how a
//! repeated `op_id` is told from a reused one.

mod data;

pub use data::{
    Accept, Answer, Ask, CancelHow, Choice, Complete, ConvKey, Converted, Converter, Filter, Item,
    NewSession, NotSent, OpenPolicy, QueueFate, Reset, Resolve, Retry, Send, WhenWaiting,
};

use crate::id::{BuildId, Fence, OpId, PromptId, ResumeClass, SessionId, TaskId, WorkerId};
use serde::{Deserialize, Serialize};

/// One call of a store.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Call {
    /// Required by operations that keep their answer ([`Op::keeps_answer`]), refused by all others.
    pub op_id: Option<OpId>,
    /// What to do.
    pub op: Op,
}

/// An operation. The guarantees are told at the methods of [`crate::Store`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
        /// The token in the new class's form, along an edge whose converter makes one. Refused along any other.
        #[serde(default)]
        converted: Option<Converted>,
    },
    /// See [`crate::Store::reap`].
    Reap {
        /// At most this many leases.
        limit: u32,
    },
    /// See [`crate::Store::drain`].
    Drain {
        /// The build.
        build: BuildId,
    },
    /// See [`crate::Store::retire`].
    Retire {
        /// The build.
        build: BuildId,
    },
    /// See [`crate::Store::worker_drain`].
    WorkerDrain {
        /// The worker.
        worker: WorkerId,
    },
    /// See [`crate::Store::worker_gone`].
    WorkerGone {
        /// The worker.
        worker: WorkerId,
    },
    /// See [`crate::Store::link_key`].
    LinkKey {
        /// A key that the conversation has.
        key: ConvKey,
        /// One more key for it.
        alias: ConvKey,
    },
    /// See [`crate::Store::ordered_ids`].
    OrderedIds {
        /// Whose bot it is.
        tenant: String,
        /// The platform.
        channel: String,
        /// The bot's account on the platform.
        account: String,
        /// After a longer silence the platform may begin anew with any id.
        idle_gap_ms: i64,
    },
    /// See [`crate::Store::give_back`].
    GiveBack {
        /// The task.
        task: TaskId,
        /// The fence it was claimed with.
        fence: Fence,
    },
    /// See [`crate::Store::snooze`].
    Snooze {
        /// The task.
        task: TaskId,
        /// The fence it was claimed with.
        fence: Fence,
        /// How long it rests. It holds back the session's queue while it rests.
        delay_ms: i64,
    },
    /// See [`crate::Store::retry`].
    Retry {
        /// A task that failed or is dead.
        task: TaskId,
        /// The id of the new one.
        again: TaskId,
    },
    /// See [`crate::Store::note`].
    Note {
        /// The session.
        session: SessionId,
        /// What to note.
        item: Item,
    },
    /// See [`crate::Store::put_state`].
    PutState {
        /// The session.
        session: SessionId,
        /// The version that the new state is based on; 0 when there is none yet.
        expected_version: i64,
        /// The new state.
        body: String,
    },
    /// See [`crate::Store::get_state`].
    GetState {
        /// The session.
        session: SessionId,
    },
    /// See [`crate::Store::drop_resume`].
    DropResume {
        /// The session.
        session: SessionId,
        /// The epoch of the token that is lost.
        expected_epoch: i64,
        /// Why it is known to be lost.
        evidence: String,
    },
    /// See [`crate::Store::ask`].
    Ask(Ask),
    /// See [`crate::Store::answer`].
    Answer(Answer),
    /// See [`crate::Store::revoke`].
    Revoke {
        /// The question.
        prompt: PromptId,
    },
    /// See [`crate::Store::claim_send`].
    ClaimSend {
        /// Who sends: a name for the audit.
        sender: String,
        /// Which route's messages.
        route: String,
        /// At most this many messages, one for each session.
        limit: u32,
        /// How long the sender has; after that the outcome counts as unknown.
        lease_ms: i64,
    },
    /// See [`crate::Store::sent`].
    Sent {
        /// The session.
        session: SessionId,
        /// The message's number.
        n: i64,
        /// The number of the attempt to send.
        send_no: i64,
        /// The provider's id of the message.
        provider_id: String,
    },
    /// See [`crate::Store::not_sent`].
    NotSent {
        /// The session.
        session: SessionId,
        /// The message's number.
        n: i64,
        /// The number of the attempt to send.
        send_no: i64,
        /// What the provider said.
        error: String,
        /// What to do now.
        then: NotSent,
    },
    /// See [`crate::Store::unknown`].
    Unknown {
        /// The session.
        session: SessionId,
        /// The message's number.
        n: i64,
        /// The number of the attempt to send.
        send_no: i64,
        /// What is known.
        error: String,
    },
    /// See [`crate::Store::resolve`].
    Resolve {
        /// The session.
        session: SessionId,
        /// The message's number.
        n: i64,
        /// What was found out or decided.
        how: Resolve,
    },
    /// See [`crate::Store::sweep`].
    Sweep {
        /// At most this many rows of each kind.
        limit: u32,
    },
    /// See [`crate::Store::prune`].
    Prune {
        /// What is younger stays.
        keep_ms: i64,
        /// At most this many rows of each kind.
        limit: u32,
    },
    /// See [`crate::Store::restored`].
    Restored {
        /// Higher than any before: the seconds of the Unix clock, for example.
        incarnation: i64,
    },
    /// See [`crate::Store::list`].
    List {
        /// Which sessions.
        filter: Filter,
        /// Only those after this one.
        after: Option<SessionId>,
        /// At most this many.
        limit: u32,
    },
    /// See [`crate::Store::history`].
    History {
        /// The session.
        session: SessionId,
        /// Only items after this sequence number.
        after_seq: i64,
        /// Only notes after this number.
        after_note: i64,
        /// At most this many of each.
        limit: u32,
    },
    /// See [`crate::Store::stats`].
    Stats,
    /// See [`crate::Store::explain`].
    Explain {
        /// The session.
        session: SessionId,
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
            Op::Drain { .. } => "drain",
            Op::Retire { .. } => "retire",
            Op::WorkerDrain { .. } => "worker_drain",
            Op::WorkerGone { .. } => "worker_gone",
            Op::LinkKey { .. } => "link_key",
            Op::OrderedIds { .. } => "ordered_ids",
            Op::GiveBack { .. } => "give_back",
            Op::Snooze { .. } => "snooze",
            Op::Retry { .. } => "retry",
            Op::Note { .. } => "note",
            Op::PutState { .. } => "put_state",
            Op::GetState { .. } => "get_state",
            Op::DropResume { .. } => "drop_resume",
            Op::Ask(_) => "ask",
            Op::Answer(_) => "answer",
            Op::Revoke { .. } => "revoke",
            Op::ClaimSend { .. } => "claim_send",
            Op::Sent { .. } => "sent",
            Op::NotSent { .. } => "not_sent",
            Op::Unknown { .. } => "unknown",
            Op::Resolve { .. } => "resolve",
            Op::Sweep { .. } => "sweep",
            Op::Prune { .. } => "prune",
            Op::Restored { .. } => "restored",
            Op::List { .. } => "list",
            Op::History { .. } => "history",
            Op::Stats => "stats",
            Op::Explain { .. } => "explain",
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
                | Op::Sweep { .. }
                | Op::Prune { .. }
        ) && !self.only_reads()
    }

    /// True when the operation changes nothing.
    pub fn only_reads(&self) -> bool {
        matches!(
            self,
            Op::Resume { .. }
                | Op::GetState { .. }
                | Op::List { .. }
                | Op::History { .. }
                | Op::Stats
                | Op::Explain { .. }
                | Op::Show { .. }
                | Op::Verify { .. }
        )
    }
}
