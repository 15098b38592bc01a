//! The contract: one method that does everything, and a thin typed method for each operation.

use crate::error::Error;
use crate::id::{BuildId, ConvId, Fence, OpId, PromptId, ResumeClass, SessionId, TaskId, WorkerId};
use crate::op::{
    Accept, Answer, Ask, Call, CancelHow, Complete, ConvKey, Converted, Converter, Filter, Item,
    NewSession, NotSent, Op, OpenPolicy, Reset, Resolve, Retry,
};
use crate::reply::{
    Accepted, Answered, Claimed, Closed, Explained, History, Listed, Opened, Pointer, Pruned,
    Reaped, Renewed, Reply, Report, Restored, Sending, Shown, State, Stats, Swept, TaskState,
    WasReset,
};

/// Applies a call and takes the one variant of the reply that belongs to it.
macro_rules! ask {
    ($store:ident, $op_id:expr, $op:expr) => {
        match $store.apply(&Call {
            op_id: $op_id,
            op: $op,
        })? {
            Reply::Done => Ok(()),
            other => Err(misanswered(&other)),
        }
    };
    ($store:ident, $op_id:expr, $op:expr, $variant:ident) => {
        match $store.apply(&Call {
            op_id: $op_id,
            op: $op,
        })? {
            Reply::$variant(answer) => Ok(answer),
            other => Err(misanswered(&other)),
        }
    };
}

fn misanswered(reply: &Reply) -> Error {
    Error::Invalid {
        field: "reply",
        why: format!("belongs to another operation: {reply:?}"),
    }
}

/// A session store.
///
/// Each operation is one transaction. Operations that take an `op_id` keep their answer under it: repeated with the same
/// request they answer the same and change nothing; with another request they fail with [`Error::OpIdReused`]. Refusals
/// are not kept, so a refused call may be repeated under its op_id when the reason is gone. Every operation may also fail
/// with [`Error::Busy`], [`Error::Constraint`], [`Error::Io`] (all definite) and [`Error::Unknown`] (not definite: repeat
/// it with the same op_id).
pub trait Store {
    /// Applies one call. [`Error::Invalid`] when the op_id is missing or superfluous, or an argument makes no sense. A store that
    /// lacks an operation answers it with [`Error::Invalid`] of the field `op`.
    fn apply(&mut self, call: &Call) -> Result<Reply, Error>;

    /// Makes a build known; it serves nothing yet. Registering it again with equal contents changes nothing, with others
    /// is [`Error::Changed`].
    fn register_build(
        &mut self,
        op_id: OpId,
        build: BuildId,
        runtime: &str,
        class: ResumeClass,
    ) -> Result<(), Error> {
        let op = Op::RegisterBuild {
            build,
            runtime: runtime.to_owned(),
            class,
        };
        ask!(self, Some(op_id), op)
    }

    /// Makes a build the one that new sessions of its runtime are bound to; the one before drains.
    fn set_current(&mut self, op_id: OpId, build: BuildId) -> Result<(), Error> {
        ask!(self, Some(op_id), Op::SetCurrent { build })
    }

    /// Permits sessions to migrate from one resume class to another.
    fn allow_move(
        &mut self,
        op_id: OpId,
        from: ResumeClass,
        to: ResumeClass,
        converter: Converter,
    ) -> Result<(), Error> {
        ask!(
            self,
            Some(op_id),
            Op::AllowMove {
                from,
                to,
                converter,
            }
        )
    }

    /// Makes one start of a worker process known and answers its resume class, which its build fixes. An id that was used
    /// before is refused by `worker_pkey`: ids are for one process start.
    fn register_worker(
        &mut self,
        op_id: OpId,
        worker: WorkerId,
        build: BuildId,
        home: &str,
    ) -> Result<ResumeClass, Error> {
        ask!(
            self,
            Some(op_id),
            Op::RegisterWorker {
                worker,
                build,
                home: home.to_owned()
            },
            Worker
        )
    }

    /// Notes that a worker is alive. [`Error::NotFound`] when it was never registered or is gone.
    fn worker_seen(&mut self, worker: WorkerId) -> Result<(), Error> {
        ask!(self, None, Op::WorkerSeen { worker })
    }

    /// Answers the chat's one active session, opening it if there is none. With [`OpenPolicy::Fail`] an active session is
    /// [`Error::Closed`]; with [`OpenPolicy::Replace`] one under a lease is [`Error::Leased`].
    fn open_or_get(
        &mut self,
        op_id: OpId,
        key: ConvKey,
        policy: OpenPolicy,
        new: NewSession,
    ) -> Result<Opened, Error> {
        ask!(
            self,
            Some(op_id),
            Op::OpenOrGet { key, policy, new },
            Opened
        )
    }

    /// Turns a platform's event into one queued task, opening a session if the chat has none. A redelivery, which comes
    /// with an op_id of its own, gets the first answer; the same event with another body is [`crate::Verdict::Changed`].
    fn accept(&mut self, op_id: OpId, accept: Accept) -> Result<Accepted, Error> {
        ask!(self, Some(op_id), Op::Accept(accept), Accepted)
    }

    /// Leases sessions whose head task is ready: only of the worker's resume class, and if they have a token only of its
    /// home; one lease for a session, a higher fence each time, first in first out inside a session. An expired lease is
    /// not taken over here: [`Store::reap`] queues its task again first. An empty answer is not kept under the op_id.
    fn claim(
        &mut self,
        op_id: OpId,
        worker: WorkerId,
        limit: u32,
        lease_ms: i64,
    ) -> Result<Vec<Claimed>, Error> {
        ask!(
            self,
            Some(op_id),
            Op::Claim {
                worker,
                limit,
                lease_ms
            },
            Claimed
        )
    }

    /// Prolongs a lease; never shortens it. [`Error::Fenced`] means it is lost: stop. Idempotent, so it takes no op_id.
    fn renew(&mut self, session: SessionId, fence: Fence, lease_ms: i64) -> Result<Renewed, Error> {
        ask!(
            self,
            None,
            Op::Renew {
                session,
                fence,
                lease_ms
            },
            Renewed
        )
    }

    /// Appends to the history: all items or none, by the holder only, at the end that the holder has seen
    /// ([`Error::Stale`] names the right one). Answers the sequence number of the next item.
    fn append(
        &mut self,
        op_id: OpId,
        session: SessionId,
        fence: Fence,
        expected_seq: i64,
        items: Vec<Item>,
    ) -> Result<i64, Error> {
        ask!(
            self,
            Some(op_id),
            Op::Append {
                session,
                fence,
                expected_seq,
                items
            },
            Appended
        )
    }

    /// Ends a turn: history, outbox, token, outcome, release of the lease and readiness of the next task are one commit.
    /// Under a fence that is no longer the session's it changes nothing. A lease that has expired but was not reaped may
    /// still complete: nobody else has begun.
    fn complete(&mut self, op_id: OpId, complete: Complete) -> Result<TaskState, Error> {
        ask!(self, Some(op_id), Op::Complete(complete), Task)
    }

    /// Ends an attempt that failed. Answers `Queued`, `Failed` or `Dead`, or `Cancelled` instead of `Queued` when that was
    /// asked; the work is never dropped silently. The token stays: a failed run says nothing about it.
    fn fail(
        &mut self,
        op_id: OpId,
        task: TaskId,
        fence: Fence,
        error: &str,
        retry: Retry,
    ) -> Result<TaskState, Error> {
        ask!(
            self,
            Some(op_id),
            Op::Fail {
                task,
                fence,
                error: error.to_owned(),
                retry
            },
            Task
        )
    }

    /// Cancels a task. Answers `Cancelled`, or `Running` when its worker was asked to stop. A task that has ended stays as
    /// it ended: [`Error::Closed`].
    fn cancel(
        &mut self,
        op_id: OpId,
        task: TaskId,
        reason: &str,
        how: CancelHow,
    ) -> Result<TaskState, Error> {
        ask!(
            self,
            Some(op_id),
            Op::Cancel {
                task,
                reason: reason.to_owned(),
                how
            },
            Task
        )
    }

    /// Closes a session and cancels what is open in it. Under a lease: [`Error::Leased`], unless forced; then the holder is
    /// fenced.
    fn close(
        &mut self,
        op_id: OpId,
        session: SessionId,
        reason: &str,
        force: bool,
    ) -> Result<Closed, Error> {
        ask!(
            self,
            Some(op_id),
            Op::Close {
                session,
                reason: reason.to_owned(),
                force
            },
            Closed
        )
    }

    /// Closes a session and opens the conversation's next one, in one commit: there is no moment without one.
    fn reset(&mut self, op_id: OpId, reset: Reset) -> Result<WasReset, Error> {
        ask!(self, Some(op_id), Op::Reset(reset), Reset)
    }

    /// Replaces the native token, by the holder, if the epoch is still the known one ([`Error::Stale`]). The token then
    /// belongs to the session's class and the holder's home. Answers the new epoch.
    fn set_resume(
        &mut self,
        op_id: OpId,
        session: SessionId,
        fence: Fence,
        token: &str,
        epoch: i64,
    ) -> Result<i64, Error> {
        ask!(
            self,
            Some(op_id),
            Op::SetResume {
                session,
                fence,
                token: token.to_owned(),
                epoch
            },
            Epoch
        )
    }

    /// Answers the native token, but only to a worker of its class and home; to any other [`Error::RuntimeMismatch`], which
    /// names both. Reads only.
    fn resume(&mut self, session: SessionId, worker: WorkerId) -> Result<Pointer, Error> {
        ask!(self, None, Op::Resume { session, worker }, Pointer)
    }

    /// Binds a session to another build: never under a lease ([`Error::Leased`]), only inside its class or along a permitted
    /// edge ([`Error::RuntimeMismatch`]), only if nothing happened since the decision ([`Error::Stale`]). Inside the class
    /// the token stays. Across classes it is dropped, or replaced by `converted`, which has to come from the converter
    /// that the edge names ([`Error::Invalid`]) and is only for a session that has a token. Answers the new version.
    fn migrate(
        &mut self,
        op_id: OpId,
        session: SessionId,
        to_build: BuildId,
        expected_version: i64,
        converted: Option<Converted>,
    ) -> Result<i64, Error> {
        ask!(
            self,
            Some(op_id),
            Op::Migrate {
                session,
                to_build,
                expected_version,
                converted,
            },
            Version
        )
    }

    /// Takes back leases that have expired, each in a transaction of its own: the task is queued again, or dead when its
    /// failures are used up. It never runs anything, and one bad row does not stop the others.
    fn reap(&mut self, limit: u32) -> Result<Reaped, Error> {
        ask!(self, None, Op::Reap { limit }, Reaped)
    }

    /// Begins to take a build out of service: no new session is bound to it, its workers finish what is bound to it.
    /// A retired one is [`Error::Closed`].
    fn drain(&mut self, op_id: OpId, build: BuildId) -> Result<(), Error> {
        ask!(self, Some(op_id), Op::Drain { build })
    }

    /// Takes a build out of service for good: its workers get no lease any more, and sessions bound to it are served by other
    /// builds of its class. [`Error::Leased`] while one of its workers holds a lease. Retiring it again changes nothing.
    fn retire(&mut self, op_id: OpId, build: BuildId) -> Result<(), Error> {
        ask!(self, Some(op_id), Op::Retire { build })
    }

    /// Lets a worker finish what it holds and gives it nothing more. [`Error::NotFound`] when it is unknown or gone.
    fn worker_drain(&mut self, op_id: OpId, worker: WorkerId) -> Result<(), Error> {
        ask!(self, Some(op_id), Op::WorkerDrain { worker })
    }

    /// Declares a worker dead for good and takes back its leases, as [`Store::reap`] does: each counts as a failed attempt,
    /// and a worker that lives after all is fenced. [`Error::NotFound`] when it is unknown; gone already changes nothing.
    fn worker_gone(&mut self, op_id: OpId, worker: WorkerId) -> Result<Reaped, Error> {
        ask!(self, Some(op_id), Op::WorkerGone { worker }, Gone)
    }

    /// Gives a conversation one more key, as when a platform migrates a chat to a new id. A key that leads to another
    /// conversation is moved if that one has no active session, and otherwise [`Error::Changed`]. [`Error::NotFound`] when `key`
    /// leads nowhere.
    fn link_key(&mut self, op_id: OpId, key: ConvKey, alias: ConvKey) -> Result<ConvId, Error> {
        ask!(self, Some(op_id), Op::LinkKey { key, alias }, Linked)
    }

    /// Declares that an account's event ids are numbers that grow, so that pruning may forget single ids: an id at or below the
    /// highest pruned one is [`crate::Verdict::Old`], unless the account was silent for longer than `idle_gap_ms`, after which
    /// its platform may begin anew. Ids that are no numbers are not compared. Declaring it again replaces the gap.
    fn ordered_ids(
        &mut self,
        op_id: OpId,
        tenant: &str,
        channel: &str,
        account: &str,
        idle_gap_ms: i64,
    ) -> Result<(), Error> {
        ask!(
            self,
            Some(op_id),
            Op::OrderedIds {
                tenant: tenant.to_owned(),
                channel: channel.to_owned(),
                account: account.to_owned(),
                idle_gap_ms
            }
        )
    }

    /// Queues a task again at its old place, without a failure: the worker is stopping. Answers `Queued`, or `Cancelled` when
    /// that was asked.
    fn give_back(&mut self, op_id: OpId, task: TaskId, fence: Fence) -> Result<TaskState, Error> {
        ask!(self, Some(op_id), Op::GiveBack { task, fence }, Task)
    }

    /// Queues a task again at its old place after a rest, without a failure: it waits for something. Answers `Queued`, or
    /// `Cancelled` when that was asked.
    fn snooze(
        &mut self,
        op_id: OpId,
        task: TaskId,
        fence: Fence,
        delay_ms: i64,
    ) -> Result<TaskState, Error> {
        ask!(
            self,
            Some(op_id),
            Op::Snooze {
                task,
                fence,
                delay_ms
            },
            Task
        )
    }

    /// Runs the work of a task that failed or is dead once more, as a new task in the conversation's active session, with the
    /// same kind, input and bound on failures. Each task is retried at most once ([`Error::Constraint`] `task_retry_of`); the
    /// new one may be retried in turn. [`Error::Closed`] when the task did not fail, or its conversation has no active session.
    fn retry(&mut self, op_id: OpId, task: TaskId, again: TaskId) -> Result<SessionId, Error> {
        ask!(self, Some(op_id), Op::Retry { task, again }, Retried)
    }

    /// Adds a note from outside the turn: it never lands between the items of the holder. Answers its number in the session.
    /// [`Error::Closed`] when the session is closed.
    fn note(&mut self, op_id: OpId, session: SessionId, item: Item) -> Result<i64, Error> {
        ask!(self, Some(op_id), Op::Note { session, item }, Noted)
    }

    /// Replaces the application's state of a session if it is still the one that the caller knows ([`Error::Stale`]); version 0
    /// when there is none. Answers the new version. [`Error::Closed`] when the session is closed.
    fn put_state(
        &mut self,
        op_id: OpId,
        session: SessionId,
        expected_version: i64,
        body: &str,
    ) -> Result<i64, Error> {
        ask!(
            self,
            Some(op_id),
            Op::PutState {
                session,
                expected_version,
                body: body.to_owned()
            },
            Version
        )
    }

    /// Answers the application's state, also of a closed session. Reads only.
    fn get_state(&mut self, session: SessionId) -> Result<State, Error> {
        ask!(self, None, Op::GetState { session }, State)
    }

    /// Gives up a native token that is known to be lost, if it is still the one that the caller knows ([`Error::Stale`]): the
    /// session then begins a new native session, at any home. Anybody may, who can say why; a failed run alone never does.
    /// [`Error::Invalid`] without evidence or without a token. Answers the new epoch.
    fn drop_resume(
        &mut self,
        op_id: OpId,
        session: SessionId,
        expected_epoch: i64,
        evidence: &str,
    ) -> Result<i64, Error> {
        ask!(
            self,
            Some(op_id),
            Op::DropResume {
                session,
                expected_epoch,
                evidence: evidence.to_owned()
            },
            Epoch
        )
    }

    /// Ends a turn with a question: history, outbox, token, question and release of the lease are one commit. Answers
    /// `Waiting`. The task waits, and holds back its session's queue, until the question is answered, expires or is revoked; then
    /// it is queued again at its old place, and its next claim tells the outcome.
    fn ask(&mut self, op_id: OpId, ask: Ask) -> Result<TaskState, Error> {
        ask!(self, Some(op_id), Op::Ask(ask), Task)
    }

    /// Takes a press of a button: the question's outcome and the resumption of its task are one commit. The first press wins;
    /// any later one, and any after the question has ended, gets the recorded outcome, also when redelivered. The same event
    /// with another token is [`Error::Changed`]. [`Error::NotFound`] for a token that was never issued in this conversation.
    fn answer(&mut self, op_id: OpId, answer: Answer) -> Result<Answered, Error> {
        ask!(self, Some(op_id), Op::Answer(answer), Answered)
    }

    /// Withdraws a question; its task is queued again and learns of it. A question that has ended keeps its outcome, which is
    /// answered.
    fn revoke(&mut self, op_id: OpId, prompt: PromptId) -> Result<Answered, Error> {
        ask!(self, Some(op_id), Op::Revoke { prompt }, Answered)
    }

    /// Takes messages to send: of one route, the longest ready first, and of each session only the first that is not settled,
    /// so that order is kept. The sender reports with [`Store::sent`], [`Store::not_sent`] or [`Store::unknown`] under the
    /// `send_no`. An empty answer is not kept under the op_id.
    fn claim_send(
        &mut self,
        op_id: OpId,
        sender: &str,
        route: &str,
        limit: u32,
        lease_ms: i64,
    ) -> Result<Vec<Sending>, Error> {
        ask!(
            self,
            Some(op_id),
            Op::ClaimSend {
                sender: sender.to_owned(),
                route: route.to_owned(),
                limit,
                lease_ms
            },
            Sending
        )
    }

    /// The provider took the message. Also accepted, from the last sender, after its time ran out and the outcome counted as
    /// unknown. [`Error::Fenced`] when a later attempt was begun, [`Error::Closed`] when the message was settled otherwise.
    fn sent(
        &mut self,
        op_id: OpId,
        session: SessionId,
        n: i64,
        send_no: i64,
        provider_id: &str,
    ) -> Result<(), Error> {
        ask!(
            self,
            Some(op_id),
            Op::Sent {
                session,
                n,
                send_no,
                provider_id: provider_id.to_owned()
            }
        )
    }

    /// The provider certainly did not take the message: it goes out again later, or never. Errors as for [`Store::sent`].
    fn not_sent(
        &mut self,
        op_id: OpId,
        session: SessionId,
        n: i64,
        send_no: i64,
        error: &str,
        then: NotSent,
    ) -> Result<(), Error> {
        ask!(
            self,
            Some(op_id),
            Op::NotSent {
                session,
                n,
                send_no,
                error: error.to_owned(),
                then
            }
        )
    }

    /// Nobody knows whether the provider took the message. It is not sent again by itself, and holds back the session's later
    /// ones, until [`Store::resolve`]. Errors as for [`Store::sent`]; of an unknown one, says it again.
    fn unknown(
        &mut self,
        op_id: OpId,
        session: SessionId,
        n: i64,
        send_no: i64,
        error: &str,
    ) -> Result<(), Error> {
        ask!(
            self,
            Some(op_id),
            Op::Unknown {
                session,
                n,
                send_no,
                error: error.to_owned()
            }
        )
    }

    /// Settles a message whose outcome is unknown: by a look at the provider, or by a policy. [`Error::Closed`] when it is not
    /// unknown.
    fn resolve(
        &mut self,
        op_id: OpId,
        session: SessionId,
        n: i64,
        how: Resolve,
    ) -> Result<(), Error> {
        ask!(self, Some(op_id), Op::Resolve { session, n, how })
    }

    /// Does what time alone makes due, each in a transaction of its own that looks again: questions expire, messages whose
    /// sender is silent become unknown, sessions that were idle for too long are closed (never one with a lease, an open task or
    /// an unsettled message).
    fn sweep(&mut self, limit: u32) -> Result<Swept, Error> {
        ask!(self, None, Op::Sweep { limit }, Swept)
    }

    /// Deletes what is older than `keep_ms`: kept answers, audit, events whose task has ended, closed sessions with all that
    /// belongs to them. Keeps what anything younger or open points at. Keep longer than the longest retry of any caller and any
    /// platform.
    fn prune(&mut self, keep_ms: i64, limit: u32) -> Result<Pruned, Error> {
        ask!(self, None, Op::Prune { keep_ms, limit }, Pruned)
    }

    /// To be called once after the database was restored from a backup, before any other: fences, versions and epochs went back,
    /// and what was done since the backup is gone. Leases end, their tasks are queued again; every fence, version, epoch and send
    /// number of before is from now on stale; messages that were pending may have been sent and become unknown.
    /// [`Error::Stale`] unless `incarnation` is higher than the recorded one. It is at most 2,147,483,647.
    fn restored(&mut self, op_id: OpId, incarnation: i64) -> Result<Restored, Error> {
        ask!(self, Some(op_id), Op::Restored { incarnation }, Restored)
    }

    /// Answers sessions in the order of their ids. Reads only.
    fn list(
        &mut self,
        filter: Filter,
        after: Option<SessionId>,
        limit: u32,
    ) -> Result<Vec<Listed>, Error> {
        ask!(
            self,
            None,
            Op::List {
                filter,
                after,
                limit
            },
            Listed
        )
    }

    /// Answers a page of a session's items and notes. Reads only.
    fn history(
        &mut self,
        session: SessionId,
        after_seq: i64,
        after_note: i64,
        limit: u32,
    ) -> Result<History, Error> {
        ask!(
            self,
            None,
            Op::History {
                session,
                after_seq,
                after_note,
                limit
            },
            History
        )
    }

    /// Answers numbers about the whole store. Reads only.
    fn stats(&mut self) -> Result<Stats, Error> {
        ask!(self, None, Op::Stats, Stats).map(|stats: Box<Stats>| *stats)
    }

    /// Answers why nothing is happening in a session, or why it is. Reads only.
    fn explain(&mut self, session: SessionId) -> Result<Explained, Error> {
        ask!(self, None, Op::Explain { session }, Explained)
    }

    /// Answers a session as it stands. Reads only.
    fn show(&mut self, session: SessionId) -> Result<Shown, Error> {
        ask!(self, None, Op::Show { session }, Shown).map(|shown: Box<Shown>| *shown)
    }

    /// Looks for violations of every rule of [`crate::verify::RULES`]. Reads only, never blocks a writer, and stops after
    /// a bounded amount of work.
    fn verify(&mut self, per_rule: u32) -> Result<Report, Error> {
        ask!(self, None, Op::Verify { per_rule }, Verified)
    }
}
