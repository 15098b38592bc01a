//! Columns of the captured row images, by position, and the check that they still stand there.

use rusqlite::Connection;
use rusqlite::types::Value;

/// Columns of `task`.
pub(super) mod task {
    use super::{Value, at, number};

    pub(crate) const TABLE: &str = "task";
    pub(super) const COLUMNS: &[&str] = &[
        "task_id",
        "session_id",
        "pos",
        "kind",
        "state",
        "session_live",
        "fence",
        "end_fence",
        "attempt",
        "failures",
        "max_failures",
        "cancel_asked",
        "run_at_ms",
        "unique_key",
        "moved_from",
        "input",
        "outcome",
        "last_error",
        "created_ms",
        "ended_ms",
        "retry_of",
    ];
    pub(crate) const ID: usize = at(COLUMNS, "task_id");
    pub(crate) const SESSION: usize = at(COLUMNS, "session_id");
    pub(crate) const POS: usize = at(COLUMNS, "pos");
    pub(crate) const STATE: usize = at(COLUMNS, "state");
    pub(crate) const SESSION_LIVE: usize = at(COLUMNS, "session_live");

    /// Whether this is the image of an open task.
    pub(crate) fn is_open(image: &[Value]) -> bool {
        number(image, SESSION_LIVE).is_some()
    }
}

/// Columns of `session`.
pub(super) mod session {
    use super::at;

    pub(crate) const TABLE: &str = "session";
    pub(super) const COLUMNS: &[&str] = &[
        "session_id",
        "conv_id",
        "gen",
        "state",
        "live",
        "close_reason",
        "version",
        "fence",
        "bound_build",
        "resume_class",
        "resume_token",
        "token_class",
        "resume_home",
        "resume_epoch",
        "head_ready_ms",
        "created_ms",
        "touched_ms",
        "expires_ms",
        "idle_ms",
    ];
    pub(crate) const ID: usize = at(COLUMNS, "session_id");
    pub(crate) const STATE: usize = at(COLUMNS, "state");
    pub(crate) const FENCE: usize = at(COLUMNS, "fence");
    pub(crate) const CLASS: usize = at(COLUMNS, "resume_class");
    pub(crate) const HOME: usize = at(COLUMNS, "resume_home");
    pub(crate) const HEAD_READY_MS: usize = at(COLUMNS, "head_ready_ms");
}

/// Columns of `lease`.
pub(super) mod lease {
    use super::at;

    pub(crate) const TABLE: &str = "lease";
    pub(super) const COLUMNS: &[&str] = &[
        "session_id",
        "resume_class",
        "live",
        "worker_id",
        "fence",
        "granted_ms",
        "until_ms",
    ];
    pub(crate) const WORKER: usize = at(COLUMNS, "worker_id");
    pub(crate) const FENCE: usize = at(COLUMNS, "fence");
    pub(crate) const UNTIL_MS: usize = at(COLUMNS, "until_ms");
}

/// Columns of `outbox`.
pub(super) mod outbox {
    use super::{Value, at, number, text};

    pub(crate) const TABLE: &str = "outbox";
    pub(super) const COLUMNS: &[&str] = &[
        "session_id",
        "n",
        "task_id",
        "dedup_key",
        "state",
        "sender",
        "send_no",
        "until_ms",
        "provider_id",
        "body",
        "created_ms",
        "ended_ms",
        "route",
        "ready_ms",
        "repeats",
        "last_error",
    ];
    const SESSION: usize = at(COLUMNS, "session_id");
    const N: usize = at(COLUMNS, "n");
    pub(crate) const STATE: usize = at(COLUMNS, "state");

    /// Which message of which session.
    pub(crate) fn key(image: &[Value]) -> (String, i64) {
        (
            text(image, SESSION).to_owned(),
            number(image, N).unwrap_or(0),
        )
    }

    /// Whether the message was neither sent nor dropped.
    pub(crate) fn is_unsettled(image: &[Value]) -> bool {
        matches!(text(image, STATE), "pending" | "sending" | "unknown")
    }
}

const TABLES: &[(&str, &[&str])] = &[
    (task::TABLE, task::COLUMNS),
    (session::TABLE, session::COLUMNS),
    (lease::TABLE, lease::COLUMNS),
    (outbox::TABLE, outbox::COLUMNS),
];

/// Where a column stands. A name that is not in the list does not compile.
const fn at(columns: &[&str], name: &str) -> usize {
    let mut i = 0;
    while !equal(columns[i].as_bytes(), name.as_bytes()) {
        i += 1;
    }
    i
}

const fn equal(a: &[u8], b: &[u8]) -> bool {
    let mut i = 0;
    while i < a.len() && i < b.len() && a[i] == b[i] {
        i += 1;
    }
    i == a.len() && i == b.len()
}

/// Refuses a schema whose columns stand elsewhere: the invariants would judge other columns than they name.
pub(super) fn check(connection: &Connection) -> Result<(), String> {
    let fail = |error: rusqlite::Error| error.to_string();
    let mut info = connection
        .prepare("SELECT name FROM pragma_table_info(?1) ORDER BY cid")
        .map_err(fail)?;
    for (table, expected) in TABLES {
        let names = info.query_map([table], |row| row.get(0)).map_err(fail)?;
        let found: Vec<String> = names.collect::<Result<_, _>>().map_err(fail)?;
        if found != *expected {
            return Err(format!(
                "the columns of {table} are {found:?}, the world's invariants expect {expected:?}"
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
