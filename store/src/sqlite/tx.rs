//! One transaction for each operation, and what its end means.

use super::constraint::{commit_failed, failed};
use crate::clock::Clock;
use crate::error::Error;
use crate::id::{Fence, OpId};
use crate::statements::{Sql, Statements};
use rusqlite::{Connection, Row, ToSql, named_params};

/// Named parameters.
pub(super) type Params<'p> = &'p [(&'p str, &'p dyn ToSql)];

/// An open transaction: its connection, statements, time, and the operation that it belongs to.
#[derive(Clone, Copy)]
pub(super) struct Tx<'a> {
    conn: &'a Connection,
    sql: &'a Statements,
    /// The store's time, read once.
    pub(super) now: i64,
    /// `None` for operations that keep no answer.
    op_id: Option<&'a OpId>,
    /// The operation's name.
    op: &'static str,
}

/// Runs `body` under the write lock; commits if it succeeds, and leaves nothing behind if it does not.
pub(super) fn write<T>(
    conn: &Connection,
    sql: &Statements,
    clock: &impl Clock,
    body: impl FnOnce(&Tx<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    transaction(conn, "BEGIN IMMEDIATE", || {
        // After the lock was taken: what the statements then compare with is not older than the wait for it.
        body(&Tx {
            conn,
            sql,
            now: clock.now_ms(),
            op_id: None,
            op: "",
        })
    })
}

/// Runs `body` on one snapshot. Takes no lock that a writer waits for.
pub(super) fn read<T>(
    conn: &Connection,
    sql: &Statements,
    clock: &impl Clock,
    body: impl FnOnce(&Tx<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    transaction(conn, "BEGIN", || {
        body(&Tx {
            conn,
            sql,
            now: clock.now_ms(),
            op_id: None,
            op: "",
        })
    })
}

/// Everything between `begin` and its end. An error of `body` or of the commit leaves no transaction open.
pub(crate) fn transaction<T>(
    conn: &Connection,
    begin: &str,
    body: impl FnOnce() -> Result<T, Error>,
) -> Result<T, Error> {
    command(conn, begin).map_err(failed)?;
    let value = body().inspect_err(|_| roll_back(conn))?;
    command(conn, "COMMIT").map_err(|error| {
        let error = commit_failed(error);
        roll_back(conn);
        error
    })?;
    Ok(value)
}

/// Some errors roll back by themselves. A rollback that fails leaves the transaction to the next recovery, which drops it:
/// there is nothing more to say than the error that led here.
fn roll_back(conn: &Connection) {
    if !conn.is_autocommit()
        && let Err(error) = command(conn, "ROLLBACK")
    {
        tracing::warn!(%error, "rollback failed");
    }
}

fn command(conn: &Connection, sql: &str) -> rusqlite::Result<()> {
    conn.prepare_cached(sql)?.raw_execute().map(|_| ())
}

impl<'a> Tx<'a> {
    /// The same transaction, on behalf of this operation.
    pub(super) fn belonging_to(&self, op_id: Option<&'a OpId>, op: &'static str) -> Self {
        Self { op_id, op, ..*self }
    }

    /// Runs a statement and answers how many rows it changed.
    pub(super) fn run(&self, id: Sql, params: Params<'_>) -> Result<usize, Error> {
        self.try_run(id, params).map_err(failed)
    }

    fn try_run(&self, id: Sql, params: Params<'_>) -> rusqlite::Result<usize> {
        self.conn.prepare_cached(self.sql.get(id))?.execute(params)
    }

    /// Runs a statement and answers its first row, if any.
    pub(super) fn row<T>(
        &self,
        id: Sql,
        params: Params<'_>,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, Error> {
        Ok(self.rows(id, params, read)?.into_iter().next())
    }

    /// Runs a statement and answers all its rows. Always steps to the end: immediate foreign keys are checked there, also
    /// those of a statement with RETURNING.
    pub(super) fn rows<T>(
        &self,
        id: Sql,
        params: Params<'_>,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, Error> {
        self.try_rows(id, params, read).map_err(failed)
    }

    fn try_rows<T>(
        &self,
        id: Sql,
        params: Params<'_>,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Vec<T>> {
        self.conn
            .prepare_cached(self.sql.get(id))?
            .query_map(params, read)?
            .collect()
    }

    /// Writes the operation's audit row about one scope. At most once for each scope of an operation.
    pub(super) fn audit(
        &self,
        scope: &str,
        actor: &str,
        fence: Option<Fence>,
        detail: &str,
    ) -> Result<(), Error> {
        let Some(op_id) = self.op_id else {
            return Ok(());
        };
        self.audit_as(op_id.as_str(), scope, actor, fence, detail)
    }

    /// The same for an operation that has no op_id and makes up its own key.
    pub(super) fn audit_as(
        &self,
        op_id: &str,
        scope: &str,
        actor: &str,
        fence: Option<Fence>,
        detail: &str,
    ) -> Result<(), Error> {
        let fence = fence.map(|fence| fence.0);
        let params = named_params! {":scope": scope, ":op_id": op_id, ":op": self.op, ":actor": actor,
        ":fence": fence, ":detail": detail, ":now": self.now};
        self.run(Sql::AuditPut, params).map(|_| ())
    }
}
