//! A chat: its keys and the ids of its events.

use super::tx::Tx;
use crate::error::Error;
use crate::op::ConvKey;
use crate::reply::Reply;

pub(super) fn link_key(_tx: &Tx<'_>, _key: &ConvKey, _alias: &ConvKey) -> Result<Reply, Error> {
    Ok(Reply::Done)
}
pub(super) fn ordered_ids(
    _tx: &Tx<'_>,
    _tenant: &str,
    _channel: &str,
    _account: &str,
    _gap: i64,
) -> Result<Reply, Error> {
    Ok(Reply::Done)
}
