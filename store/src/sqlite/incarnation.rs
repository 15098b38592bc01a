//! Restored.
use super::tx::Tx;
use crate::error::Error;
use crate::reply::Reply;
pub(super) fn restored(_tx: &Tx<'_>, _incarnation: i64) -> Result<Reply, Error> {
    Ok(Reply::Done)
}
