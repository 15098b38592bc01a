//! Sweep.
use crate::clock::Clock;
use crate::error::Error;
use crate::reply::Swept;
use crate::statements::Statements;
use rusqlite::Connection;
pub(super) fn sweep(
    _conn: &Connection,
    _sql: &Statements,
    _clock: &impl Clock,
    _limit: u32,
) -> Result<Swept, Error> {
    Ok(Swept::default())
}
