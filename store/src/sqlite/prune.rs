//! Prune.
use crate::clock::Clock;
use crate::error::Error;
use crate::reply::Pruned;
use crate::statements::Statements;
use rusqlite::Connection;
pub(super) fn prune(
    _conn: &Connection,
    _sql: &Statements,
    _clock: &impl Clock,
    _keep_ms: i64,
    _limit: u32,
) -> Result<Pruned, Error> {
    Ok(Pruned::default())
}
