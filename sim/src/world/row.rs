//! Columns of the captured row images, by position, and the check that they still stand there.

use rusqlite::Connection;
use rusqlite::types::Value;

/// Columns of `task`.
pub(super) mod task {
    pub(crate) const TABLE: &str = "task";
    pub(crate) const ID: usize = 0;
    pub(crate) const SESSION: usize = 1;
    pub(crate) const POS: usize = 2;
    pub(crate) const STATE: usize = 4;
    pub(crate) const SESSION_LIVE: usize = 5;
    pub(crate) const FENCE: usize = 6;
    pub(crate) const RUN_AT_MS: usize = 12;
}

/// Columns of `session`.
pub(super) mod session {
    pub(crate) const TABLE: &str = "session";
    pub(crate) const ID: usize = 0;
    pub(crate) const STATE: usize = 3;
    pub(crate) const FENCE: usize = 7;
    pub(crate) const CLASS: usize = 9;
    pub(crate) const HOME: usize = 12;
    pub(crate) const HEAD_READY_MS: usize = 14;
}

/// Columns of `lease`.
pub(super) mod lease {
    pub(crate) const TABLE: &str = "lease";
    pub(crate) const SESSION: usize = 0;
    pub(crate) const WORKER: usize = 3;
    pub(crate) const FENCE: usize = 4;
    pub(crate) const UNTIL_MS: usize = 6;
}

const EXPECTED: &[(&str, usize, &str)] = &[
    (task::TABLE, task::ID, "task_id"),
    (task::TABLE, task::SESSION, "session_id"),
    (task::TABLE, task::POS, "pos"),
    (task::TABLE, task::STATE, "state"),
    (task::TABLE, task::SESSION_LIVE, "session_live"),
    (task::TABLE, task::FENCE, "fence"),
    (task::TABLE, task::RUN_AT_MS, "run_at_ms"),
    (session::TABLE, session::ID, "session_id"),
    (session::TABLE, session::STATE, "state"),
    (session::TABLE, session::FENCE, "fence"),
    (session::TABLE, session::CLASS, "resume_class"),
    (session::TABLE, session::HOME, "resume_home"),
    (session::TABLE, session::HEAD_READY_MS, "head_ready_ms"),
    (lease::TABLE, lease::SESSION, "session_id"),
    (lease::TABLE, lease::WORKER, "worker_id"),
    (lease::TABLE, lease::FENCE, "fence"),
    (lease::TABLE, lease::UNTIL_MS, "until_ms"),
];

/// Refuses a schema whose columns stand elsewhere: the invariants would judge other columns than they name.
pub(super) fn check(connection: &Connection) -> Result<(), String> {
    let fail = |error: rusqlite::Error| error.to_string();
    let mut info = connection
        .prepare("SELECT name FROM pragma_table_info(?1) WHERE cid = ?2")
        .map_err(fail)?;
    for (table, at, expected) in EXPECTED {
        let found: String = info
            .query_row((table, i64::try_from(*at).unwrap_or(-1)), |row| row.get(0))
            .map_err(fail)?;
        if found != *expected {
            return Err(format!(
                "column {at} of {table} is {found}, the world's invariants expect {expected}"
            ));
        }
    }
    Ok(())
}

/// A text column; empty when it is NULL.
pub(super) fn text(row: &[Value], at: usize) -> &str {
    match row.get(at) {
        Some(Value::Text(text)) => text,
        _ => "",
    }
}

/// A number column; `None` when it is NULL.
pub(super) fn number(row: &[Value], at: usize) -> Option<i64> {
    match row.get(at) {
        Some(Value::Integer(number)) => Some(*number),
        _ => None,
    }
}
