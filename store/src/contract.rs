//! The contract: one method that does everything, and a thin typed method for each operation.

use crate::error::Error;
use crate::id::{BuildId, Fence, OpId, ResumeClass, SessionId, TaskId, WorkerId};
use crate::op::{
    Accept, Call, CancelHow, Complete, ConvKey, Converter, Item, NewSession, Op, OpenPolicy, Reset,
    Retry,
};
use crate::reply::{
    Accepted, Claimed, Closed, Opened, Pointer, Reaped, Renewed, Reply, Report, Shown, TaskState,
    WasReset,
};

/// Applies a call and takes the one variant of the reply that belongs to it.
macro_rules! ask {
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
    /// Applies one call. [`Error::Invalid`] when the op_id is missing or superfluous, or an argument makes no sense.
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
        self.apply(&Call {
            op_id: Some(op_id),
            op,
        })
        .map(|_| ())
    }

    /// Makes a build the one that new sessions of its runtime are bound to; the one before drains.
    fn set_current(&mut self, op_id: OpId, build: BuildId) -> Result<(), Error> {
        self.apply(&Call {
            op_id: Some(op_id),
            op: Op::SetCurrent { build },
        })
        .map(|_| ())
    }

    /// Permits sessions to migrate from one resume class to another.
    fn allow_move(
        &mut self,
        op_id: OpId,
        from: ResumeClass,
        to: ResumeClass,
        converter: Converter,
    ) -> Result<(), Error> {
        self.apply(&Call {
            op_id: Some(op_id),
            op: Op::AllowMove {
                from,
                to,
                converter,
            },
        })
        .map(|_| ())
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
        self.apply(&Call {
            op_id: None,
            op: Op::WorkerSeen { worker },
        })
        .map(|_| ())
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

    /// Ends an attempt that failed. Answers `Queued`, `Failed` or `Dead`; the work is never dropped silently. The token
    /// stays: a failed run says nothing about it.
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
    /// edge ([`Error::RuntimeMismatch`]), only if nothing happened since the decision ([`Error::Stale`]). Across classes
    /// the token is dropped. Answers the new version.
    fn migrate(
        &mut self,
        op_id: OpId,
        session: SessionId,
        to_build: BuildId,
        expected_version: i64,
    ) -> Result<i64, Error> {
        ask!(
            self,
            Some(op_id),
            Op::Migrate {
                session,
                to_build,
                expected_version
            },
            Version
        )
    }

    /// Takes back leases that have expired, each in a transaction of its own: the task is queued again, or dead when its
    /// failures are used up. It never runs anything, and one bad row does not stop the others.
    fn reap(&mut self, limit: u32) -> Result<Reaped, Error> {
        ask!(self, None, Op::Reap { limit }, Reaped)
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
