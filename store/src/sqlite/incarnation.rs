//! After a restore from a backup: fences and ids went back, and nothing of what is known from before may count.

use super::refuse::in_range;
use super::tx::Tx;
use crate::error::Error;
use crate::id::TaskId;
use crate::reply::{Reply, Restored};
use crate::statements::Sql;
use rusqlite::named_params;

/// Seconds of the Unix clock fit until 2038, and a million times as much into what every language takes for an integer.
const INCARNATION_MAX: i64 = i32::MAX as i64;

/// How many fences a session may issue in one incarnation before they could meet those of the next. With seconds as
/// incarnations: a million in each second.
const FENCES: i64 = 1_000_000;

pub(super) fn restored(tx: &Tx<'_>, incarnation: i64) -> Result<Reply, Error> {
    in_range("incarnation", incarnation, 1, INCARNATION_MAX)?;
    if tx.run(Sql::MetaRaise, named_params! {":incarnation": incarnation})? == 0 {
        let current = tx.row(Sql::MetaGet, &[], |row| row.get(0))?;
        return Err(Error::Stale {
            current: current.unwrap_or_default(),
        });
    }
    let base = named_params! {":base": (incarnation - 1) * FENCES};
    let mut requeued = tx.rows(Sql::RestoreTasks, &[], |row| {
        row.get::<_, String>(0).map(TaskId::from)
    })?;
    requeued.sort();
    tx.run(Sql::RestoreLeases, &[])?;
    tx.run(Sql::RestoreSessions, base)?;
    tx.run(Sql::RestoreData, base)?;
    tx.run(Sql::RestoreNumbers, base)?;
    let unknown = tx.run(Sql::RestoreOutbox, &[])? as u64;
    tx.audit("store", "", None, &incarnation.to_string())?;
    Ok(Reply::Restored(Restored { requeued, unknown }))
}
