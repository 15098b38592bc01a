//! A task again.
use super::tx::Tx;
use crate::error::Error;
use crate::id::{Fence, TaskId};
use crate::reply::Reply;
pub(super) fn put_back(
    _tx: &Tx<'_>,
    _task: &TaskId,
    _fence: Fence,
    _delay_ms: i64,
) -> Result<Reply, Error> {
    Ok(Reply::Done)
}
pub(super) fn retry(_tx: &Tx<'_>, _task: &TaskId, _again: &TaskId) -> Result<Reply, Error> {
    Ok(Reply::Done)
}
