//! The words of a refusal: a guarded statement changed nothing, and the caller has to learn why. These only read.

use super::tx::Tx;
use crate::error::Error;
use crate::id::{Fence, SessionId, TaskId};
use crate::statements::Sql;
use rusqlite::named_params;

/// What a refusal names about a session.
pub(super) struct Facts {
    pub(super) close_reason: Option<String>,
    pub(super) fence: Fence,
    pub(super) version: i64,
    pub(super) epoch: i64,
    pub(super) class: String,
    pub(super) lease_until_ms: Option<i64>,
    pub(super) next_seq: i64,
}

/// The facts about a session; [`Error::NotFound`] without one.
pub(super) fn session_facts(tx: &Tx<'_>, session: &SessionId) -> Result<Facts, Error> {
    let params = named_params! {":session": session.as_str()};
    tx.row(Sql::SessionFacts, params, |row| {
        Ok(Facts {
            close_reason: row.get(0)?,
            fence: Fence(row.get(1)?),
            version: row.get(2)?,
            epoch: row.get(3)?,
            class: row.get(4)?,
            lease_until_ms: row.get(5)?,
            next_seq: row.get(6)?,
        })
    })?
    .ok_or_else(|| not_found("session", session.as_str()))
}

/// The facts about a session that is active; [`Error::Closed`] otherwise.
pub(super) fn active_facts(tx: &Tx<'_>, session: &SessionId) -> Result<Facts, Error> {
    let facts = session_facts(tx, session)?;
    match facts.close_reason {
        Some(reason) => Err(Error::Closed { reason }),
        None => Ok(facts),
    }
}

/// Why the holder of `fence` may not act on this session; `Ok` with the facts when it may.
pub(super) fn holder_facts(tx: &Tx<'_>, session: &SessionId, fence: Fence) -> Result<Facts, Error> {
    let facts = active_facts(tx, session)?;
    match facts.lease_until_ms {
        _ if facts.fence != fence => Err(Error::Fenced {
            held: facts.fence,
            yours: fence,
        }),
        None => Err(Error::Closed {
            reason: "the turn has ended".to_owned(),
        }),
        Some(_) => Ok(facts),
    }
}

/// Why the holder of `fence` may not act on this task.
pub(super) fn task_refused(tx: &Tx<'_>, task: &TaskId, fence: Fence) -> Result<Error, Error> {
    let params = named_params! {":task": task.as_str()};
    let found = tx.row(Sql::TaskFacts, params, |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
    })?;
    let Some((state, held)) = found else {
        return Ok(not_found("task", task.as_str()));
    };
    Ok(match Fence(held) {
        held if held != fence => Error::Fenced { held, yours: fence },
        _ => Error::Closed { reason: state },
    })
}

/// [`Error::NotFound`].
pub(super) fn not_found(what: &'static str, id: &str) -> Error {
    Error::NotFound {
        what,
        id: id.to_owned(),
    }
}

/// [`Error::Invalid`] unless `value` lies in the range.
pub(super) fn in_range(field: &'static str, value: i64, min: i64, max: i64) -> Result<(), Error> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(Error::Invalid {
        field,
        why: format!("{value} is not in {min}..={max}"),
    })
}
