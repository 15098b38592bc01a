//! Expired leases are taken back, one transaction for each: in a shared one, a violated deferred key would show only at the
//! commit and lose the whole batch.

use super::refuse::in_range;
use super::turn::{TurnOver, task_state};
use super::tx::{self, Tx};
use crate::clock::Clock;
use crate::error::Error;
use crate::id::{Fence, SessionId, TaskId};
use crate::reply::{Reaped, TaskState};
use crate::statements::{Sql, Statements};
use rusqlite::{Connection, named_params};

const REAP_MAX: i64 = 10_000;

pub(super) fn reap(
    conn: &Connection,
    sql: &Statements,
    clock: &impl Clock,
    limit: u32,
) -> Result<Reaped, Error> {
    in_range("limit", limit.into(), 1, REAP_MAX)?;
    let mut reaped = Reaped::default();
    for (session, fence) in tx::read(conn, sql, clock, |tx| expired(tx, limit))? {
        match tx::write(conn, sql, clock, |tx| {
            reap_one(&tx.belonging_to(None, "reap"), &session, fence)
        }) {
            Ok(taken) => taken.into_iter().for_each(|taken| reaped.add(taken)),
            // A sick disk is not one bad row.
            Err(error @ (Error::Io { .. } | Error::Unknown { .. })) => return Err(error),
            Err(error) => {
                tracing::warn!(%session, %error, "not reaped");
                reaped.skipped.push((session, error.to_string()));
            }
        }
    }
    Ok(reaped)
}

fn expired(tx: &Tx<'_>, limit: u32) -> Result<Vec<(SessionId, Fence)>, Error> {
    tx.rows(
        Sql::LeaseExpired,
        named_params! {":now": tx.now, ":limit": limit},
        |row| {
            Ok((
                SessionId::from(row.get::<_, String>(0)?),
                Fence(row.get(1)?),
            ))
        },
    )
}

fn reap_one(
    tx: &Tx<'_>,
    session: &SessionId,
    fence: Fence,
) -> Result<Option<(TaskId, TaskState)>, Error> {
    let taken = take(tx, session, fence, Taken::Expired)?;
    if let Some((task, _)) = &taken {
        tx.run(Sql::ClockMark, named_params! {":now": tx.now})?;
        tx.audit_as(
            &format!("reap:{fence}"),
            session.as_str(),
            "reaper",
            Some(fence),
            task.as_str(),
        )?;
    }
    Ok(taken)
}

/// Why a lease is taken from its holder.
#[derive(Clone, Copy)]
pub(super) enum Taken {
    /// It has expired.
    Expired,
    /// Whoever held it is dead.
    WorkerGone,
}

/// Takes a lease back; `None` when its holder renewed or completed in the meantime.
pub(super) fn take(
    tx: &Tx<'_>,
    session: &SessionId,
    fence: Fence,
    why: Taken,
) -> Result<Option<(TaskId, TaskState)>, Error> {
    let (gone, error) = match why {
        Taken::Expired => (false, "lease expired"),
        Taken::WorkerGone => (true, "worker gone"),
    };
    let params = named_params! {":session": session.as_str(), ":fence": fence.0, ":gone": gone, ":error": error,
    ":now": tx.now};
    let taken = tx.row(Sql::TaskReap, params, |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
    })?;
    let Some((task, state)) = taken else {
        return Ok(None);
    };
    TurnOver {
        session: session.as_str(),
        fence,
        token: None,
        taken: true,
    }
    .apply(tx)?;
    Ok(Some((TaskId::from(task), task_state(&state)?)))
}

impl Reaped {
    /// Notes what became of one task.
    pub(super) fn add(&mut self, (task, state): (TaskId, TaskState)) {
        match state {
            TaskState::Queued => self.requeued.push(task),
            _ => self.ended.push(task),
        }
    }
}
