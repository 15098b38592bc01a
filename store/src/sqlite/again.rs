//! A task is queued again: given back, put to rest, or, when it has failed for good, done once more as a new one.

use super::refuse::{in_range, not_found, task_refused};
use super::turn::{LONGEST_MS, TurnOver, task_state};
use super::tx::Tx;
use crate::error::Error;
use crate::id::{Fence, SessionId, TaskId};
use crate::reply::Reply;
use crate::statements::Sql;
use rusqlite::named_params;

pub(super) fn put_back(
    tx: &Tx<'_>,
    task: &TaskId,
    fence: Fence,
    delay_ms: i64,
) -> Result<Reply, Error> {
    in_range("delay_ms", delay_ms, 0, LONGEST_MS)?;
    let params = named_params! {":task": task.as_str(), ":fence": fence.0, ":delay_ms": delay_ms, ":now": tx.now};
    let put = tx.row(Sql::TaskPutBack, params, |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
    })?;
    let Some((session, state)) = put else {
        return Err(task_refused(tx, task, fence)?);
    };
    TurnOver {
        session: &session,
        fence,
        token: None,
        taken: false,
    }
    .apply(tx)?;
    tx.audit(&session, "", Some(fence), &state)?;
    Ok(Reply::Task(task_state(&state)?))
}

pub(super) fn retry(tx: &Tx<'_>, task: &TaskId, again: &TaskId) -> Result<Reply, Error> {
    let found = tx.row(
        Sql::TaskHome,
        named_params! {":task": task.as_str()},
        |row| Ok((row.get::<_, String>(0)?, row.get::<_, Option<String>>(1)?)),
    )?;
    let session = match found {
        None => return Err(not_found("task", task.as_str())),
        Some((state, _)) if state != "failed" && state != "dead" => {
            return Err(Error::Closed { reason: state });
        }
        Some((_, None)) => {
            return Err(Error::Closed {
                reason: "no active session".to_owned(),
            });
        }
        Some((_, Some(session))) => session,
    };
    tx.run(
        Sql::SessionQueue,
        named_params! {":session": session, ":now": tx.now},
    )?;
    let params = named_params! {":task": task.as_str(), ":again": again.as_str(), ":session": session, ":now": tx.now};
    tx.run(Sql::TaskAgain, params)?;
    tx.audit(&session, "", None, again.as_str())?;
    Ok(Reply::Retried(SessionId::from(session)))
}
