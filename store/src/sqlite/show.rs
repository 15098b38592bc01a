//! A session as it stands, for people.

use super::refuse::not_found;
use super::turn::task_state;
use super::tx::Tx;
use crate::error::Error;
use crate::id::{BuildId, ConvId, Fence, ResumeClass, SessionId, TaskId, WorkerId};
use crate::reply::{Reply, Shown, ShownLease, ShownTask, TaskState};
use crate::statements::Sql;
use rusqlite::{Row, named_params};

const TASKS_MAX: i64 = 1_000;

pub(super) fn show(tx: &Tx<'_>, session: &SessionId) -> Result<Reply, Error> {
    let mut shown = tx
        .row(
            Sql::ShowSession,
            named_params! {":session": session.as_str()},
            read_session,
        )?
        .ok_or_else(|| not_found("session", session.as_str()))?;
    let params = named_params! {":session": session.as_str(), ":limit": TASKS_MAX};
    for (task, state) in tx.rows(Sql::ShowTasks, params, read_task)? {
        shown.tasks.push(ShownTask {
            state: task_state(&state)?,
            ..task
        });
    }
    Ok(Reply::Shown(Box::new(shown)))
}

fn read_session(row: &Row<'_>) -> rusqlite::Result<Shown> {
    let close_reason: Option<String> = row.get(3)?;
    Ok(Shown {
        session: SessionId::from(row.get::<_, String>(0)?),
        conv: ConvId::from(row.get::<_, String>(1)?),
        gen_no: row.get(2)?,
        active: close_reason.is_none(),
        close_reason,
        version: row.get(4)?,
        fence: Fence(row.get(5)?),
        build: BuildId::from(row.get::<_, String>(6)?),
        class: ResumeClass::from(row.get::<_, String>(7)?),
        resume_token: row.get(8)?,
        resume_home: row.get(9)?,
        epoch: row.get(10)?,
        head_ready_ms: row.get(11)?,
        lease: read_lease(row)?,
        next_seq: row.get(16)?,
        tasks: Vec::new(),
    })
}

fn read_lease(row: &Row<'_>) -> rusqlite::Result<Option<ShownLease>> {
    let Some(worker) = row.get::<_, Option<String>>(12)? else {
        return Ok(None);
    };
    Ok(Some(ShownLease {
        worker: WorkerId::from(worker),
        fence: Fence(row.get(13)?),
        granted_ms: row.get(14)?,
        until_ms: row.get(15)?,
    }))
}

/// The state comes as text: a wrong one is an error of ours, not of SQLite.
fn read_task(row: &Row<'_>) -> rusqlite::Result<(ShownTask, String)> {
    let task = ShownTask {
        task: TaskId::from(row.get::<_, String>(0)?),
        pos: row.get(1)?,
        kind: row.get(2)?,
        state: TaskState::Queued,
        attempt: row.get(4)?,
        failures: row.get(5)?,
        fence: row.get::<_, Option<i64>>(6)?.map(Fence),
        outcome: row.get(7)?,
        last_error: row.get(8)?,
        run_at_ms: row.get(9)?,
    };
    Ok((task, row.get(3)?))
}
