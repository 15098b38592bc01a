//! Note.
use super::tx::Tx;
use crate::error::Error;
use crate::id::SessionId;
use crate::op::Item;
use crate::reply::Reply;
pub(super) fn note(_tx: &Tx<'_>, _session: &SessionId, _item: &Item) -> Result<Reply, Error> {
    Ok(Reply::Done)
}
pub(super) fn put_state(
    _tx: &Tx<'_>,
    _session: &SessionId,
    _v: i64,
    _body: &str,
) -> Result<Reply, Error> {
    Ok(Reply::Done)
}
pub(super) fn get_state(_tx: &Tx<'_>, _session: &SessionId) -> Result<Reply, Error> {
    Ok(Reply::Done)
}
