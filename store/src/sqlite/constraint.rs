//! SQLite's errors in the store's words.

use crate::error::Error;
use rusqlite::ErrorCode;

/// SQLite names the columns of a violated unique key, not the key. Sorted by the name of the key.
///
/// The parents of composite foreign keys contain a primary key. Whichever of the two SQLite happens to test first, the
/// primary key is what was violated, so both go by its name.
pub(super) const UNIQUE_KEYS: &[(&str, &str)] = &[
    ("audit_pkey", "audit.scope, audit.op_id"),
    (
        "conversation_key_pkey",
        "conversation_key.tenant, conversation_key.channel, conversation_key.account, conversation_key.chat, conversation_key.thread, conversation_key.participant",
    ),
    ("conversation_pkey", "conversation.conv_id"),
    (
        "inbox_mark_pkey",
        "inbox_mark.tenant, inbox_mark.channel, inbox_mark.account",
    ),
    (
        "inbox_pkey",
        "inbox.tenant, inbox.channel, inbox.account, inbox.ext_id",
    ),
    ("item_pkey", "item.session_id, item.seq"),
    ("lease_pkey", "lease.session_id, lease.fence"),
    ("lease_pkey", "lease.session_id"),
    ("meta_pkey", "meta.one"),
    ("migration_pkey", "migration.version"),
    ("note_pkey", "note.session_id, note.n"),
    ("op_result_pkey", "op_result.op_id"),
    ("outbox_dedup", "outbox.session_id, outbox.dedup_key"),
    ("outbox_one_ahead", "outbox.session_id"),
    ("outbox_pkey", "outbox.session_id, outbox.n"),
    ("prompt_one_per_task", "prompt.task_id"),
    ("prompt_one_text", "prompt.session_id"),
    (
        "prompt_option_pkey",
        "prompt_option.prompt_id, prompt_option.idx",
    ),
    ("prompt_option_token", "prompt_option.token"),
    ("prompt_pkey", "prompt.prompt_id"),
    (
        "resume_edge_pkey",
        "resume_edge.from_class, resume_edge.to_class",
    ),
    (
        "runtime_build_pkey",
        "runtime_build.build_id, runtime_build.resume_class",
    ),
    ("runtime_build_pkey", "runtime_build.build_id"),
    ("runtime_one_current", "runtime_build.runtime"),
    ("session_data_pkey", "session_data.session_id"),
    ("session_gen", "session.conv_id, session.gen"),
    (
        "session_pkey",
        "session.session_id, session.resume_class, session.live",
    ),
    ("session_pkey", "session.session_id, session.live"),
    ("session_one_active", "session.conv_id"),
    (
        "session_one_token",
        "session.resume_class, session.resume_home, session.resume_token",
    ),
    ("session_pkey", "session.session_id"),
    ("task_one_at_work", "task.session_id"),
    ("task_pkey", "task.task_id"),
    ("task_pos", "task.session_id, task.pos"),
    ("task_retry_of", "task.retry_of"),
    ("task_unique_open", "task.session_id, task.unique_key"),
    ("worker_pkey", "worker.worker_id, worker.resume_class"),
    ("worker_pkey", "worker.worker_id"),
];

/// The error of a statement before the commit: definite, because its transaction is rolled back.
pub(crate) fn failed(error: rusqlite::Error) -> Error {
    let (code, kind, message) = parts(&error);
    match kind {
        // "Locking protocol": a process stands still inside the recovery of the WAL. That also means: try again.
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::FileLockingProtocolFailed,
        ) => Error::Busy,
        Some(ErrorCode::ConstraintViolation) => Error::Constraint {
            name: constraint_name(&message),
        },
        _ => Error::Io { code, message },
    }
}

/// The error of a COMMIT. A refused constraint and a busy database leave the transaction open, so nothing took place.
/// After anything else it may have: the commit record may have reached the disk before the failure.
pub(super) fn commit_failed(error: rusqlite::Error) -> Error {
    match failed(error) {
        Error::Io { code, message } => Error::Unknown { code, message },
        definite => definite,
    }
}

fn parts(error: &rusqlite::Error) -> (i32, Option<ErrorCode>, String) {
    match error {
        rusqlite::Error::SqliteFailure(cause, message) => (
            cause.extended_code,
            Some(cause.code),
            message.clone().unwrap_or_else(|| error.to_string()),
        ),
        rusqlite::Error::SqlInputError {
            error: cause, msg, ..
        } => (cause.extended_code, Some(cause.code), msg.clone()),
        other => (0, None, other.to_string()),
    }
}

/// The name in SQLite's words: a check names itself, a trigger raises its own name, a unique key is told by its columns.
fn constraint_name(message: &str) -> String {
    let Some((kind, what)) = message.split_once(" constraint failed: ") else {
        return match message {
            "FOREIGN KEY constraint failed" => "foreign_key".to_owned(),
            _ => strict_name(message).unwrap_or(message).to_owned(),
        };
    };
    match (
        kind,
        UNIQUE_KEYS.iter().find(|(_, columns)| *columns == what),
    ) {
        ("UNIQUE", Some((name, _))) => (*name).to_owned(),
        ("NOT NULL", _) => format!("not_null {what}"),
        _ => what.to_owned(),
    }
}

/// "cannot store TEXT value in INTEGER column lease.until_ms": STRICT refused, and names the column.
fn strict_name(message: &str) -> Option<&'static str> {
    message.starts_with("cannot store ").then_some("strict")
}

/// Whether a unique key over these columns has a name.
#[cfg(test)]
pub(crate) fn is_named(columns: &str) -> bool {
    UNIQUE_KEYS.iter().any(|(_, known)| *known == columns)
}

#[cfg(test)]
mod tests {
    use super::{commit_failed, failed};
    use crate::error::Error;
    use rusqlite::ffi;

    fn sqlite(code: i32, message: &str) -> rusqlite::Error {
        rusqlite::Error::SqliteFailure(ffi::Error::new(code), Some(message.to_owned()))
    }

    #[test]
    fn only_a_commit_can_leave_the_outcome_unknown() {
        for code in [
            ffi::SQLITE_IOERR_FSYNC,
            ffi::SQLITE_FULL,
            ffi::SQLITE_IOERR_WRITE,
        ] {
            assert!(failed(sqlite(code, "disk")).is_definite());
            let at_commit = commit_failed(sqlite(code, "disk"));
            assert_eq!(
                at_commit,
                Error::Unknown {
                    code,
                    message: "disk".to_owned()
                }
            );
            assert!(!at_commit.is_definite());
        }
    }

    #[test]
    fn a_commit_that_is_refused_or_busy_certainly_did_not_take_place() {
        let refused = commit_failed(sqlite(
            ffi::SQLITE_CONSTRAINT_FOREIGNKEY,
            "FOREIGN KEY constraint failed",
        ));
        assert_eq!(
            refused,
            Error::Constraint {
                name: "foreign_key".to_owned()
            }
        );
        assert_eq!(
            commit_failed(sqlite(ffi::SQLITE_BUSY, "locked")),
            Error::Busy
        );
        assert_eq!(
            failed(sqlite(ffi::SQLITE_BUSY_SNAPSHOT, "locked")),
            Error::Busy
        );
    }

    #[test]
    fn a_constraint_goes_by_its_own_name() {
        for (message, name) in [
            (
                "UNIQUE constraint failed: session.conv_id",
                "session_one_active",
            ),
            ("CHECK constraint failed: lease_lasts", "lease_lasts"),
            (
                "NOT NULL constraint failed: op_result.op_id",
                "not_null op_result.op_id",
            ),
            (
                "cannot store TEXT value in INTEGER column lease.until_ms",
                "strict",
            ),
            ("item_fenced", "item_fenced"),
        ] {
            let error = failed(sqlite(ffi::SQLITE_CONSTRAINT, message));
            assert_eq!(
                error,
                Error::Constraint {
                    name: name.to_owned()
                }
            );
        }
    }
}
