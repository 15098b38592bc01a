//! Prompt.
use super::tx::Tx;
use crate::error::Error;
use crate::id::PromptId;
use crate::op::{Answer, Ask};
use crate::reply::Reply;
pub(super) fn ask(_tx: &Tx<'_>, _ask: &Ask) -> Result<Reply, Error> {
    Ok(Reply::Done)
}
pub(super) fn answer(_tx: &Tx<'_>, _answer: &Answer) -> Result<Reply, Error> {
    Ok(Reply::Done)
}
pub(super) fn revoke(_tx: &Tx<'_>, _prompt: &PromptId) -> Result<Reply, Error> {
    Ok(Reply::Done)
}
