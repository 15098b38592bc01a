//! Why.
use super::tx::Tx;
use crate::error::Error;
use crate::id::SessionId;
use crate::reply::Reply;
pub(super) fn explain(_tx: &Tx<'_>, _session: &SessionId) -> Result<Reply, Error> {
    Ok(Reply::Done)
}
