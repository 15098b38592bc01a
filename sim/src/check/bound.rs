//! No query of a rule goes on for ever: after so many steps of SQLite's machine it is stopped.

use std::cell::Cell;

use rusqlite::{Connection, Error, ErrorCode};

thread_local! {
    /// Millions of steps that the running query has taken.
    static SPENT: Cell<u32> = const { Cell::new(0) };
}

/// Millions of steps for one look at a database. A rule has a whole run to read, a statement of a flow only its rows; a
/// recursion without an end is noticed after a second or two.
pub(super) const MOST: u32 = 200;
const MILLION: i32 = 1_000_000;

/// From now on queries of this connection end.
pub(super) fn bound(connection: &mut Connection) -> rusqlite::Result<()> {
    let over = || SPENT.replace(SPENT.get() + 1) >= MOST;
    connection.progress_handler(MILLION, Some(over))
}

/// A query begins.
pub(super) fn begin() {
    SPENT.set(0);
}

/// The query was stopped.
pub(super) fn is_over(error: &Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted)
}
