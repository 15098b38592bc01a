//! Why nothing is happening in a session, or why it is.

use super::refuse::not_found;
use super::tx::Tx;
use crate::error::Error;
use crate::id::{BuildId, PromptId, ResumeClass, SessionId, TaskId, WorkerId};
use crate::reply::{Explained, Reply, Why};
use crate::statements::Sql;
use rusqlite::{Row, named_params};

struct Facts {
    close_reason: Option<String>,
    class: ResumeClass,
    home: Option<String>,
    build: BuildId,
    build_state: String,
    served: bool,
    queued: i64,
}

/// What stands first in the session: who runs or waits, or the head of the queue; then who could serve it, then its messages.
pub(super) fn explain(tx: &Tx<'_>, session: &SessionId) -> Result<Reply, Error> {
    let params = named_params! {":session": session.as_str()};
    let facts = tx
        .row(Sql::ExplainSession, params, read_facts)?
        .ok_or_else(|| not_found("session", session.as_str()))?;
    let mut why = match &facts.close_reason {
        Some(reason) => vec![Why::Closed {
            reason: reason.clone(),
        }],
        None => active(tx, session, &facts)?,
    };
    why.extend(blocked_sends(tx, session)?);
    Ok(Reply::Explained(Explained { why }))
}

fn read_facts(row: &Row<'_>) -> rusqlite::Result<Facts> {
    Ok(Facts {
        close_reason: row.get(0)?,
        class: ResumeClass::from(row.get::<_, String>(1)?),
        home: row.get(2)?,
        build: BuildId::from(row.get::<_, String>(3)?),
        build_state: row.get(4)?,
        served: row.get(5)?,
        queued: row.get(6)?,
    })
}

fn active(tx: &Tx<'_>, session: &SessionId, facts: &Facts) -> Result<Vec<Why>, Error> {
    let params = named_params! {":session": session.as_str()};
    let mut why = Vec::new();
    if let Some((task, at_work)) = tx.row(Sql::ExplainAtWork, params, |row| at_work(tx, row))? {
        why.push(at_work);
        why.extend(behind(task, facts.queued));
    } else if let Some((task, head)) = tx.row(Sql::ExplainHead, params, |row| head(tx, row))? {
        why.push(head);
        why.extend(behind(task, facts.queued - 1));
        if !facts.served {
            why.push(Why::NoWorker {
                class: facts.class.clone(),
                home: facts.home.clone(),
            });
        }
    } else {
        why.push(Why::Idle);
    }
    if facts.build_state == "draining" || facts.build_state == "retired" {
        why.push(Why::Build {
            build: facts.build.clone(),
            state: facts.build_state.clone(),
        });
    }
    Ok(why)
}

fn at_work(tx: &Tx<'_>, row: &Row<'_>) -> rusqlite::Result<(TaskId, Why)> {
    let task = TaskId::from(row.get::<_, String>(0)?);
    let why = match row.get::<_, Option<String>>(1)? {
        Some(worker) => {
            let until_ms = row.get(2)?;
            Why::Leased {
                worker: WorkerId::from(worker),
                task: task.clone(),
                until_ms,
                expired: until_ms <= tx.now,
            }
        }
        None => {
            let expires_ms = row.get::<_, Option<i64>>(4)?.unwrap_or_default();
            Why::WaitingForPrompt {
                prompt: PromptId::from(row.get::<_, Option<String>>(3)?.unwrap_or_default()),
                task: task.clone(),
                expires_ms,
                expired: expires_ms <= tx.now,
            }
        }
    };
    Ok((task, why))
}

fn head(tx: &Tx<'_>, row: &Row<'_>) -> rusqlite::Result<(TaskId, Why)> {
    let task = TaskId::from(row.get::<_, String>(0)?);
    let run_at_ms = row.get(1)?;
    let why = if run_at_ms > tx.now {
        Why::Resting {
            task: task.clone(),
            until_ms: run_at_ms,
            last_error: row.get(2)?,
        }
    } else {
        Why::Ready {
            task: task.clone(),
            since_ms: run_at_ms,
        }
    };
    Ok((task, why))
}

fn behind(task: TaskId, queued: i64) -> Option<Why> {
    (queued > 0).then_some(Why::QueuedBehind { task, queued })
}

fn blocked_sends(tx: &Tx<'_>, session: &SessionId) -> Result<Option<Why>, Error> {
    let params = named_params! {":session": session.as_str()};
    let first = tx.row(Sql::ExplainSends, params, |row| {
        Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?))
    })?;
    Ok(first
        .filter(|(_, state, _)| state == "unknown")
        .map(|(n, _, behind)| Why::SendUnknown { n, behind }))
}
