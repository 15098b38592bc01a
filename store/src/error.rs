//! Why an operation was refused, and whether the caller may be sure that nothing happened.

use crate::id::{Fence, OpId, ResumeClass};
use thiserror::Error;

/// A class and a home: what has to be equal for a token to be resumed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The resume class.
    pub class: ResumeClass,
    /// The home; `None` when any home will do.
    pub home: Option<String>,
}

/// A refusal. All are definite (nothing was changed) except [`Error::Unknown`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Error {
    /// The lease was lost: a higher fence was issued. The worker must stop, its work belongs to somebody else.
    #[error("fenced: the session is at fence {held}, the call carried {yours}")]
    Fenced {
        /// The last fence issued in the session.
        held: Fence,
        /// The fence of the call.
        yours: Fence,
    },
    /// The expected version, sequence number or epoch is no longer the current one. Read again.
    #[error("stale: the current value is {current}")]
    Stale {
        /// The value that was expected wrongly.
        current: i64,
    },
    /// The thing has ended, or is not in a state in which this may happen.
    #[error("closed: {reason}")]
    Closed {
        /// Its state, or why it was closed.
        reason: String,
    },
    /// A worker holds the session; force or wait.
    #[error("leased until {until_ms}")]
    Leased {
        /// When the lease ends unless it is renewed.
        until_ms: i64,
    },
    /// The token belongs to another class or home, or no edge leads to the wanted class.
    #[error("runtime mismatch: bound to {bound:?}, yours is {yours:?}")]
    RuntimeMismatch {
        /// What the session is bound to.
        bound: Binding,
        /// What the call came with.
        yours: Binding,
    },
    /// Another connection held the database longer than the busy timeout. Try again, with the same op_id.
    #[error("busy: another connection holds the database")]
    Busy,
    /// There is no such thing.
    #[error("no such {what}: {id}")]
    NotFound {
        /// The kind of thing.
        what: &'static str,
        /// The id that was asked for.
        id: String,
    },
    /// This op_id was used for another request.
    #[error("op_id {op_id} was used for another request")]
    OpIdReused {
        /// The op_id.
        op_id: OpId,
    },
    /// The id is registered already, with other contents.
    #[error("{what} {id} is registered with other contents")]
    Changed {
        /// The kind of thing.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// The schema refused the transition.
    #[error("refused by {name}")]
    Constraint {
        /// The constraint, unique index or trigger. SQLite does not name foreign keys: `foreign_key`.
        name: String,
    },
    /// The call itself makes no sense.
    #[error("invalid {field}: {why}")]
    Invalid {
        /// The argument.
        field: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// The database was written by a newer release. Nothing was touched.
    #[error("schema version {found} is newer than {known}, the newest known here")]
    TooNew {
        /// The database's version.
        found: i64,
        /// The newest version that this release knows.
        known: i64,
    },
    /// The file is a database, but not one of ours, or its schema is not what its version says. Nothing was touched.
    #[error("not a lockstep store: {why}")]
    Foreign {
        /// What is different.
        why: String,
    },
    /// SQLite failed before the commit began: nothing was changed.
    #[error("database error {code}: {message}")]
    Io {
        /// SQLite's extended result code, 0 when the failure is not SQLite's.
        code: i32,
        /// SQLite's words.
        message: String,
    },
    /// The commit itself failed in a way that does not tell whether it took place. Repeat the call with the same op_id.
    #[error("outcome unknown, error {code} at commit: {message}")]
    Unknown {
        /// SQLite's extended result code.
        code: i32,
        /// SQLite's words.
        message: String,
    },
}

impl Error {
    /// True when the operation certainly changed nothing.
    pub fn is_definite(&self) -> bool {
        !matches!(self, Error::Unknown { .. })
    }

    /// A short stable name of the variant, for logs and traces.
    pub fn kind(&self) -> &'static str {
        match self {
            Error::Fenced { .. } => "fenced",
            Error::Stale { .. } => "stale",
            Error::Closed { .. } => "closed",
            Error::Leased { .. } => "leased",
            Error::RuntimeMismatch { .. } => "runtime_mismatch",
            Error::Busy => "busy",
            Error::NotFound { .. } => "not_found",
            Error::OpIdReused { .. } => "op_id_reused",
            Error::Changed { .. } => "changed",
            Error::Constraint { .. } => "constraint",
            Error::Invalid { .. } => "invalid",
            Error::TooNew { .. } => "too_new",
            Error::Foreign { .. } => "foreign",
            Error::Io { .. } => "io",
            Error::Unknown { .. } => "unknown",
        }
    }
}
