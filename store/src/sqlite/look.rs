//! Look.
use super::tx::Tx;
use crate::error::Error;
use crate::id::SessionId;
use crate::op::Filter;
use crate::reply::Reply;
pub(super) fn list(
    _tx: &Tx<'_>,
    _filter: &Filter,
    _after: Option<&SessionId>,
    _limit: u32,
) -> Result<Reply, Error> {
    Ok(Reply::Done)
}
pub(super) fn history(
    _tx: &Tx<'_>,
    _session: &SessionId,
    _seq: i64,
    _note: i64,
    _limit: u32,
) -> Result<Reply, Error> {
    Ok(Reply::Done)
}
pub(super) fn stats(_tx: &Tx<'_>) -> Result<Reply, Error> {
    Ok(Reply::Done)
}
