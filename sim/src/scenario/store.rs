//! What this room knows of the reference store: its tables, its operations and the names of its errors.

use rusqlite::Connection;

/// Creates the store's tables on a scratch database.
pub(super) fn migrate(conn: &mut Connection) -> Result<(), lockstep_store::Error> {
    lockstep_store::schema::migrate(conn, 0)
}

/// Errors of the store that a step can catch by name.
pub(super) const ERRORS: [&str; 12] = [
    "fenced",
    "stale",
    "closed",
    "leased",
    "runtime_mismatch",
    "not_found",
    "op_id_reused",
    "changed",
    "invalid",
    "too_new",
    "foreign",
    "io",
];

/// Parts of a conversation's key besides the chat.
pub(super) const KEY_PARTS: [&str; 5] = ["tenant", "channel", "account", "thread", "participant"];
