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
    pub(crate) const END_FENCE: usize = at(COLUMNS, "end_fence");
    pub(crate) const INPUT: usize = at(COLUMNS, "input");
    pub(crate) const OUTCOME: usize = at(COLUMNS, "outcome");
    pub(crate) const RETRY_OF: usize = at(COLUMNS, "retry_of");

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
    pub(crate) const CONV: usize = at(COLUMNS, "conv_id");
    pub(crate) const STATE: usize = at(COLUMNS, "state");
    pub(crate) const CLOSE_REASON: usize = at(COLUMNS, "close_reason");
    pub(crate) const TOKEN: usize = at(COLUMNS, "resume_token");
    pub(crate) const TOUCHED_MS: usize = at(COLUMNS, "touched_ms");
    pub(crate) const EXPIRES_MS: usize = at(COLUMNS, "expires_ms");
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
    pub(crate) const TASK: usize = at(COLUMNS, "task_id");
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

/// Columns of `prompt`.
pub(super) mod prompt {
    use super::at;

    pub(crate) const TABLE: &str = "prompt";
    pub(super) const COLUMNS: &[&str] = &[
        "prompt_id",
        "session_id",
        "task_id",
        "state",
        "session_live",
        "text_ok",
        "host_msg",
        "chosen",
        "answer_text",
        "opened_ms",
        "expires_ms",
        "ended_ms",
        "fence",
    ];
    pub(crate) const ID: usize = at(COLUMNS, "prompt_id");
    pub(crate) const TASK: usize = at(COLUMNS, "task_id");
    pub(crate) const STATE: usize = at(COLUMNS, "state");
    pub(crate) const CHOSEN: usize = at(COLUMNS, "chosen");
    pub(crate) const ANSWER_TEXT: usize = at(COLUMNS, "answer_text");
    pub(crate) const EXPIRES_MS: usize = at(COLUMNS, "expires_ms");
    pub(crate) const ENDED_MS: usize = at(COLUMNS, "ended_ms");
}

/// Columns of `session_data`.
pub(super) mod data {
    use super::at;

    pub(crate) const TABLE: &str = "session_data";
    pub(super) const COLUMNS: &[&str] = &["session_id", "version", "body"];
    pub(crate) const BODY: usize = at(COLUMNS, "body");
}

/// Columns of `worker`.
pub(super) mod worker {
    use super::at;

    pub(crate) const TABLE: &str = "worker";
    pub(super) const COLUMNS: &[&str] = &[
        "worker_id",
        "build_id",
        "resume_class",
        "home",
        "state",
        "started_ms",
        "seen_ms",
    ];
    pub(crate) const ID: usize = at(COLUMNS, "worker_id");
    pub(crate) const BUILD: usize = at(COLUMNS, "build_id");
    pub(crate) const STATE: usize = at(COLUMNS, "state");
}

/// Columns of `runtime_build`.
pub(super) mod build {
    use super::at;

    pub(crate) const TABLE: &str = "runtime_build";
    pub(super) const COLUMNS: &[&str] =
        &["build_id", "runtime", "resume_class", "state", "created_ms"];
    pub(crate) const ID: usize = at(COLUMNS, "build_id");
    pub(crate) const STATE: usize = at(COLUMNS, "state");
}

const TABLES: &[(&str, &[&str])] = &[
    (task::TABLE, task::COLUMNS),
    (session::TABLE, session::COLUMNS),
    (lease::TABLE, lease::COLUMNS),
    (outbox::TABLE, outbox::COLUMNS),
    (prompt::TABLE, prompt::COLUMNS),
    (data::TABLE, data::COLUMNS),
    (worker::TABLE, worker::COLUMNS),
    (build::TABLE, build::COLUMNS),
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
