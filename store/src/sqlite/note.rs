//! What is written beside the turn: notes from outside, and the application's state.

use super::refuse::{active_facts, not_found, session_facts};
use super::tx::Tx;
use crate::error::Error;
use crate::id::SessionId;
use crate::op::Item;
use crate::reply::{Reply, State};
use crate::statements::Sql;
use rusqlite::named_params;

pub(super) fn note(tx: &Tx<'_>, session: &SessionId, item: &Item) -> Result<Reply, Error> {
    let params = named_params! {":session": session.as_str(), ":kind": item.kind, ":body": item.body, ":now": tx.now};
    match tx.row(Sql::NotePut, params, |row| row.get(0))? {
        Some(n) => {
            tx.audit(session.as_str(), "", None, &item.kind)?;
            Ok(Reply::Noted(n))
        }
        None => Err(refused(tx, session)?),
    }
}

/// Why nothing may be written in this session.
fn refused(tx: &Tx<'_>, session: &SessionId) -> Result<Error, Error> {
    let reason = session_facts(tx, session)?.close_reason;
    Ok(Error::Closed {
        reason: reason.unwrap_or_default(),
    })
}

pub(super) fn put_state(
    tx: &Tx<'_>,
    session: &SessionId,
    expected: i64,
    body: &str,
) -> Result<Reply, Error> {
    let put = if expected == 0 {
        let params = named_params! {":session": session.as_str(), ":body": body};
        tx.row(Sql::DataBegin, params, |row| row.get(0))?
    } else {
        let params =
            named_params! {":session": session.as_str(), ":version": expected, ":body": body};
        tx.row(Sql::DataReplace, params, |row| row.get(0))?
    };
    match put {
        Some(version) => {
            tx.audit(session.as_str(), "", None, "state")?;
            Ok(Reply::Version(version))
        }
        None => {
            active_facts(tx, session)?;
            let current = state(tx, session)?.version;
            Err(Error::Stale { current })
        }
    }
}

pub(super) fn get_state(tx: &Tx<'_>, session: &SessionId) -> Result<Reply, Error> {
    state(tx, session).map(Reply::State)
}

fn state(tx: &Tx<'_>, session: &SessionId) -> Result<State, Error> {
    let params = named_params! {":session": session.as_str()};
    tx.row(Sql::DataGet, params, |row| {
        Ok(State {
            version: row.get(0)?,
            body: row.get(1)?,
        })
    })?
    .ok_or_else(|| not_found("session", session.as_str()))
}
