//! Outbox.
use super::misplaced;
use super::tx::Tx;
use crate::error::Error;
use crate::op::Op;
use crate::reply::Reply;
pub(super) fn perform(_tx: &Tx<'_>, op: &Op) -> Result<Reply, Error> {
    Err(misplaced(op))
}
