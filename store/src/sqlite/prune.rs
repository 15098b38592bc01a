//! What is old is deleted, in small transactions, so that nobody waits long. Nothing goes that anything younger points at.

use super::refuse::in_range;
use super::tx::{self, Tx};
use crate::clock::Clock;
use crate::error::Error;
use crate::id::SessionId;
use crate::reply::Pruned;
use crate::statements::{Sql, Statements};
use rusqlite::{Connection, named_params};

const KEEP_MAX_MS: i64 = 10 * 366 * 24 * 60 * 60 * 1_000;
const PRUNE_MAX: i64 = 10_000;

pub(super) fn prune(
    conn: &Connection,
    sql: &Statements,
    clock: &impl Clock,
    keep_ms: i64,
    limit: u32,
) -> Result<Pruned, Error> {
    in_range("keep_ms", keep_ms, 0, KEEP_MAX_MS)?;
    in_range("limit", limit.into(), 1, PRUNE_MAX)?;
    let sweep = |id| tx::write(conn, sql, clock, |tx| rows(tx, id, keep_ms, limit));
    let mut pruned = Pruned {
        op_results: sweep(Sql::PruneOpResults)?,
        audit: sweep(Sql::PruneAudit)?,
        inbox: tx::write(conn, sql, clock, |tx| events(tx, keep_ms, limit))?,
        sessions: 0,
    };
    let old = tx::read(conn, sql, clock, |tx| listed(tx, keep_ms, limit))?;
    for session in old {
        let gone = tx::write(conn, sql, clock, |tx| whole_session(tx, &session))?;
        pruned.sessions += u64::from(gone);
    }
    Ok(pruned)
}

fn rows(tx: &Tx<'_>, id: Sql, keep_ms: i64, limit: u32) -> Result<u64, Error> {
    let params = named_params! {":before": tx.now - keep_ms, ":limit": limit};
    tx.run(id, params).map(|changed| changed as u64)
}

/// Single ids are forgotten; in accounts whose ids are ordered, the highest of them is kept.
fn events(tx: &Tx<'_>, keep_ms: i64, limit: u32) -> Result<u64, Error> {
    let params = named_params! {":before": tx.now - keep_ms, ":limit": limit};
    let gone = tx.rows(Sql::PruneInbox, params, |row| {
        Ok((
            row.get::<_, String>(0)?,
            row.get::<_, String>(1)?,
            row.get::<_, String>(2)?,
            row.get::<_, String>(3)?,
        ))
    })?;
    for (tenant, channel, account, ext_id) in &gone {
        if let Ok(id) = ext_id.parse::<i64>() {
            let params = named_params! {":tenant": tenant, ":channel": channel, ":account": account, ":id": id};
            tx.run(Sql::MarkRaise, params)?;
        }
    }
    Ok(gone.len() as u64)
}

fn listed(tx: &Tx<'_>, keep_ms: i64, limit: u32) -> Result<Vec<SessionId>, Error> {
    let params = named_params! {":before": tx.now - keep_ms, ":limit": limit};
    tx.rows(Sql::PruneList, params, |row| {
        row.get::<_, String>(0).map(SessionId::from)
    })
}

/// Empties a closed session; true when its row went too. It stays while a task that was moved out of it, or an event that may
/// be delivered again, still leads here.
fn whole_session(tx: &Tx<'_>, session: &SessionId) -> Result<bool, Error> {
    let params = named_params! {":session": session.as_str()};
    for id in [
        Sql::PruneItem,
        Sql::PruneNote,
        Sql::PruneSessionData,
        Sql::PruneOutbox,
    ] {
        tx.run(id, params)?;
    }
    for prompt in tx.rows(Sql::PrunePrompt, params, |row| row.get::<_, String>(0))? {
        tx.run(Sql::PruneOption, named_params! {":prompt": prompt})?;
    }
    tx.run(Sql::PruneTask, params)?;
    let gone = tx.row(Sql::PruneSession, params, |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
    })?;
    if let Some((conv, gen_no)) = &gone {
        tx.run(Sql::PruneGen, named_params! {":conv": conv, ":gen": gen_no})?;
    }
    Ok(gone.is_some())
}
