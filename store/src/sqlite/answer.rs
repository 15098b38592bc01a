//! Kept answers: why a lost acknowledgement may be retried.

use super::tx::Tx;
use crate::error::Error;
use crate::id::OpId;
use crate::op::Op;
use crate::reply::Reply;
use crate::statements::Sql;
use rusqlite::named_params;
use serde::Serialize;
use xxhash_rust::xxh3::xxh3_128;

/// The hash of a request: of its serialized form, whose fields have a fixed order.
pub(super) fn request_hash(op: &Op) -> Result<String, Error> {
    let bytes = serde_json::to_vec(op).map_err(|error| unreadable("op", &error))?;
    Ok(body_hash(&bytes))
}

/// The hash of a body.
pub(super) fn body_hash(bytes: &[u8]) -> String {
    format!("{:032x}", xxh3_128(bytes))
}

/// The answer that was kept under this op_id. [`Error::OpIdReused`] when it belongs to another request.
pub(super) fn kept(tx: &Tx<'_>, op_id: &OpId, op: &Op, hash: &str) -> Result<Option<Reply>, Error> {
    let params = named_params! {":op_id": op_id.as_str()};
    let found = tx.row(Sql::OpResultGet, params, |row| {
        Ok((
            row.get::<_, String>(0)?,
            row.get::<_, String>(1)?,
            row.get::<_, String>(2)?,
        ))
    })?;
    match found {
        None => Ok(None),
        Some((name, kept_hash, result)) if name == op.name() && kept_hash == hash => {
            serde_json::from_str(&result)
                .map(Some)
                .map_err(|error| unreadable("kept answer", &error))
        }
        Some(_) => Err(Error::OpIdReused {
            op_id: op_id.clone(),
        }),
    }
}

/// Keeps an answer, in the transaction of the change that it tells of.
///
/// An empty claim is not kept: it changed nothing, and whoever polls an idle class or route must not fill the table.
pub(super) fn keep(
    tx: &Tx<'_>,
    op_id: &OpId,
    op: &Op,
    hash: &str,
    reply: &Reply,
) -> Result<(), Error> {
    let idle = match reply {
        Reply::Claimed(claimed) => claimed.is_empty(),
        Reply::Sending(sending) => sending.is_empty(),
        _ => false,
    };
    if idle {
        return Ok(());
    }
    let result = stored(reply)?;
    let params = named_params! {":op_id": op_id.as_str(), ":op": op.name(), ":req_hash": hash, ":result": result,
    ":now": tx.now};
    tx.run(Sql::OpResultPut, params).map(|_| ())
}

/// An answer as it is kept.
pub(super) fn stored(answer: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string(answer).map_err(|error| unreadable("answer", &error))
}

fn unreadable(what: &'static str, error: &serde_json::Error) -> Error {
    Error::Io {
        code: 0,
        message: format!("{what}: {error}"),
    }
}
