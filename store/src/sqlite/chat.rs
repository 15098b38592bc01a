//! A chat's keys, and what is known of the ids of its events.

use super::inbox;
use super::refuse::{in_range, not_found};
use super::tx::Tx;
use crate::error::Error;
use crate::op::ConvKey;
use crate::reply::Reply;
use crate::statements::Sql;
use rusqlite::named_params;

const GAP_MAX_MS: i64 = 90 * 24 * 60 * 60 * 1_000;

pub(super) fn link_key(tx: &Tx<'_>, key: &ConvKey, alias: &ConvKey) -> Result<Reply, Error> {
    let conv = inbox::conversation(tx, key)?.ok_or_else(|| not_found("conversation", &key.chat))?;
    match inbox::conversation(tx, alias)? {
        None => inbox::put_key(tx, alias, &conv)?,
        Some(same) if same == conv => {}
        Some(_) => {
            let params = named_params! {":tenant": alias.tenant, ":channel": alias.channel, ":account": alias.account,
            ":chat": alias.chat, ":thread": alias.thread, ":participant": alias.participant, ":conv": conv.as_str()};
            if tx.run(Sql::ConvKeyMove, params)? == 0 {
                return Err(Error::Changed {
                    what: "conversation key",
                    id: alias.chat.clone(),
                });
            }
        }
    }
    tx.audit(conv.as_str(), "", None, &alias.chat)?;
    Ok(Reply::Linked(conv))
}

pub(super) fn ordered_ids(
    tx: &Tx<'_>,
    tenant: &str,
    channel: &str,
    account: &str,
    idle_gap_ms: i64,
) -> Result<Reply, Error> {
    in_range("idle_gap_ms", idle_gap_ms, 1, GAP_MAX_MS)?;
    let params = named_params! {":tenant": tenant, ":channel": channel, ":account": account, ":low": i64::MIN,
    ":idle_gap_ms": idle_gap_ms, ":now": tx.now};
    tx.run(Sql::MarkPut, params)?;
    tx.audit(account, "", None, channel)?;
    Ok(Reply::Done)
}

/// Whether an event that is not remembered is one that was forgotten, in an account whose ids are ordered. If it is not, the
/// account is noted to be alive; coarsely, because that is one row for all its chats.
pub(super) fn is_old(tx: &Tx<'_>, key: &ConvKey, ext_id: &str) -> Result<bool, Error> {
    let params =
        named_params! {":tenant": key.tenant, ":channel": key.channel, ":account": key.account};
    let mark = tx.row(Sql::MarkGet, params, |row| {
        Ok((row.get(0)?, row.get(1)?, tx.now - row.get::<_, i64>(2)?))
    })?;
    let (Some(mark), Ok(id)) = (mark, ext_id.parse::<i64>()) else {
        return Ok(false);
    };
    let (low, gap_ms, silent_ms): (i64, i64, i64) = mark;
    let restarted = silent_ms > gap_ms + gap_ms / 16;
    if !restarted && id <= low {
        return Ok(true);
    }
    if silent_ms > gap_ms / 16 {
        let low = if restarted { i64::MIN } else { low };
        let params = named_params! {":tenant": key.tenant, ":channel": key.channel, ":account": key.account,
        ":low": low, ":now": tx.now};
        tx.run(Sql::MarkMove, params)?;
    }
    Ok(false)
}
