//! Lists, histories and numbers, for people and their tools.

use super::refuse::{in_range, session_facts};
use super::tx::Tx;
use crate::error::Error;
use crate::id::{ConvId, Fence, ResumeClass, SessionId, TaskId};
use crate::op::Filter;
use crate::reply::{History, HistoryItem, HistoryNote, Listed, Reply, Stats};
use crate::statements::Sql;
use rusqlite::{Row, named_params};

const LIST_MAX: i64 = 1_000;
const HISTORY_MAX: i64 = 10_000;

pub(super) fn list(
    tx: &Tx<'_>,
    filter: &Filter,
    after: Option<&SessionId>,
    limit: u32,
) -> Result<Reply, Error> {
    in_range("limit", limit.into(), 1, LIST_MAX)?;
    let after = after.map_or("", SessionId::as_str);
    let class = filter.class.as_ref().map(ResumeClass::as_str);
    let listed = match &filter.conv {
        None => {
            let params = named_params! {":after": after, ":live": filter.active, ":class": class, ":limit": limit};
            tx.rows(Sql::ListSessions, params, read_listed)
        }
        Some(conv) => {
            let params = named_params! {":conv": conv.as_str(), ":after": after, ":live": filter.active,
            ":class": class, ":limit": limit};
            tx.rows(Sql::ListSessionsOfConv, params, read_listed)
        }
    };
    listed.map(Reply::Listed)
}

fn read_listed(row: &Row<'_>) -> rusqlite::Result<Listed> {
    Ok(Listed {
        session: SessionId::from(row.get::<_, String>(0)?),
        conv: ConvId::from(row.get::<_, String>(1)?),
        gen_no: row.get(2)?,
        active: row.get(3)?,
        class: ResumeClass::from(row.get::<_, String>(4)?),
        touched_ms: row.get(5)?,
        open_tasks: row.get(6)?,
    })
}

pub(super) fn history(
    tx: &Tx<'_>,
    session: &SessionId,
    after_seq: i64,
    after_note: i64,
    limit: u32,
) -> Result<Reply, Error> {
    in_range("limit", limit.into(), 1, HISTORY_MAX)?;
    session_facts(tx, session)?;
    let from = named_params! {":session": session.as_str(), ":after": after_seq, ":limit": limit};
    let items = tx.rows(Sql::HistoryItems, from, |row| {
        Ok(HistoryItem {
            seq: row.get(0)?,
            task: TaskId::from(row.get::<_, String>(1)?),
            fence: Fence(row.get(2)?),
            kind: row.get(3)?,
            body: row.get(4)?,
            at_ms: row.get(5)?,
        })
    })?;
    let from = named_params! {":session": session.as_str(), ":after": after_note, ":limit": limit};
    let notes = tx.rows(Sql::HistoryNotes, from, |row| {
        Ok(HistoryNote {
            n: row.get(0)?,
            kind: row.get(1)?,
            body: row.get(2)?,
            at_ms: row.get(3)?,
        })
    })?;
    Ok(Reply::History(History { items, notes }))
}

pub(super) fn stats(tx: &Tx<'_>) -> Result<Reply, Error> {
    let counts = tx.row(Sql::StatsCounts, named_params! {":now": tx.now}, |row| {
        let (running, at_work): (i64, i64) = (row.get(3)?, row.get(4)?);
        Ok(Stats {
            incarnation: row.get(0)?,
            active_sessions: row.get(1)?,
            queued: row.get(2)?,
            running,
            waiting: at_work - running,
            dead: row.get(5)?,
            oldest_ready_ms: ripe(row.get(6)?, tx.now),
            expired_leases: row.get(7)?,
            ..Stats::default()
        })
    })?;
    let mut stats = counts.unwrap_or_default();
    stats.ready = by_class(tx, Sql::StatsReady, named_params! {":now": tx.now})?;
    stats.workers = by_class(tx, Sql::StatsWorkers, &[])?;
    count_sends(tx, &mut stats)?;
    Ok(Reply::Stats(Box::new(stats)))
}

/// For how long the first of the ready sessions has been so; `None` when it is not yet.
fn ripe(ready_ms: Option<i64>, now: i64) -> Option<i64> {
    ready_ms
        .filter(|ready_ms| *ready_ms <= now)
        .map(|ready_ms| now - ready_ms)
}

fn by_class(
    tx: &Tx<'_>,
    id: Sql,
    params: super::tx::Params<'_>,
) -> Result<Vec<(ResumeClass, i64)>, Error> {
    tx.rows(id, params, |row| {
        Ok((ResumeClass::from(row.get::<_, String>(0)?), row.get(1)?))
    })
}

fn count_sends(tx: &Tx<'_>, stats: &mut Stats) -> Result<(), Error> {
    let by_state = tx.rows(Sql::StatsSends, &[], |row| {
        Ok((row.get::<_, String>(0)?, row.get(1)?))
    })?;
    for (state, count) in by_state {
        match state.as_str() {
            "pending" => stats.pending_sends = count,
            "sending" => stats.sending = count,
            _ => stats.unknown_sends = count,
        }
    }
    Ok(())
}
