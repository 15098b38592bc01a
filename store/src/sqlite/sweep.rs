//! What time alone makes due, one transaction for each row, which looks at the row again.

use super::prompt;
use super::refuse::in_range;
use super::tx::{self, Tx};
use crate::clock::Clock;
use crate::error::Error;
use crate::id::{Fence, PromptId, SessionId};
use crate::reply::{PromptOutcome, Swept};
use crate::statements::{Sql, Statements};
use rusqlite::{Connection, named_params};

const SWEEP_MAX: i64 = 10_000;

pub(super) fn sweep(
    conn: &Connection,
    sql: &Statements,
    clock: &impl Clock,
    limit: u32,
) -> Result<Swept, Error> {
    in_range("limit", limit.into(), 1, SWEEP_MAX)?;
    let due = tx::read(conn, sql, clock, |tx| due(tx, limit))?;
    let mut swept = Swept::default();
    let Swept {
        expired,
        unknown,
        closed,
        skipped,
    } = &mut swept;
    let mut broom = Broom {
        conn,
        sql,
        clock,
        skipped,
    };
    broom.each(due.prompts, expired, PromptId::to_string, expire)?;
    broom.each(due.sends, unknown, name_of_send, lapse)?;
    broom.each(due.sessions, closed, SessionId::to_string, close)?;
    Ok(swept)
}

/// What was listed; some of it may have changed until its turn comes.
struct Due {
    prompts: Vec<PromptId>,
    sends: Vec<(SessionId, i64)>,
    sessions: Vec<SessionId>,
}

fn due(tx: &Tx<'_>, limit: u32) -> Result<Due, Error> {
    let params = named_params! {":now": tx.now, ":limit": limit};
    Ok(Due {
        prompts: tx.rows(Sql::PromptsExpired, params, |row| {
            row.get::<_, String>(0).map(PromptId::from)
        })?,
        sends: tx.rows(Sql::SendsLapsed, params, |row| {
            Ok((SessionId::from(row.get::<_, String>(0)?), row.get(1)?))
        })?,
        sessions: tx.rows(Sql::SessionsExpired, params, |row| {
            row.get::<_, String>(0).map(SessionId::from)
        })?,
    })
}

struct Broom<'a, C> {
    conn: &'a Connection,
    sql: &'a Statements,
    clock: &'a C,
    skipped: &'a mut Vec<(String, String)>,
}

impl<C: Clock> Broom<'_, C> {
    /// Sweeps each row; what changed goes to `done`. One bad row does not stop the others, a sick disk does.
    fn each<T>(
        &mut self,
        rows: Vec<T>,
        done: &mut Vec<T>,
        name: impl Fn(&T) -> String,
        sweep: impl Fn(&Tx<'_>, &T) -> Result<bool, Error>,
    ) -> Result<(), Error> {
        for row in rows {
            let swept = tx::write(self.conn, self.sql, self.clock, |tx| {
                sweep(&tx.belonging_to(None, "sweep"), &row)
            });
            match swept {
                Ok(true) => done.push(row),
                Ok(false) => {}
                Err(error @ (Error::Io { .. } | Error::Unknown { .. })) => return Err(error),
                Err(error) => {
                    let name = name(&row);
                    tracing::warn!(name, %error, "not swept");
                    self.skipped.push((name, error.to_string()));
                }
            }
        }
        Ok(())
    }
}

fn expire(tx: &Tx<'_>, prompt: &PromptId) -> Result<bool, Error> {
    prompt::end(tx, prompt, &PromptOutcome::Expired)
}

fn name_of_send((session, n): &(SessionId, i64)) -> String {
    format!("{session}/{n}")
}

fn lapse(tx: &Tx<'_>, (session, n): &(SessionId, i64)) -> Result<bool, Error> {
    let params = named_params! {":session": session.as_str(), ":n": n, ":now": tx.now};
    let Some(send_no) = tx.row(Sql::SendLapse, params, |row| row.get::<_, i64>(0))? else {
        return Ok(false);
    };
    let key = format!("lapse:{n}:{send_no}");
    let fence = Some(Fence(send_no));
    tx.audit_as(&key, session.as_str(), "sweeper", fence, &n.to_string())?;
    Ok(true)
}

fn close(tx: &Tx<'_>, session: &SessionId) -> Result<bool, Error> {
    let params = named_params! {":session": session.as_str(), ":now": tx.now};
    let closed = tx.row(Sql::SessionExpire, params, |row| row.get::<_, String>(0))?;
    if closed.is_some() {
        tx.audit_as(
            "expired",
            session.as_str(),
            "sweeper",
            None,
            "idle for too long",
        )?;
    }
    Ok(closed.is_some())
}
