//! Sending: the messages of a session leave in order, each attempt under its own number, and a lost outcome stays unknown
//! until somebody settles it.

use super::misplaced;
use super::refuse::{in_range, not_found};
use super::turn::LONGEST_MS;
use super::tx::{Params, Tx};
use crate::error::Error;
use crate::id::{Fence, SessionId};
use crate::op::{NotSent, Op, Resolve};
use crate::reply::{Reply, Sending};
use crate::statements::Sql;
use rusqlite::named_params;

const CLAIM_MAX: i64 = 1_000;

/// The operations of this room.
pub(super) fn perform(tx: &Tx<'_>, op: &Op) -> Result<Reply, Error> {
    match op {
        Op::ClaimSend {
            sender,
            route,
            limit,
            lease_ms,
        } => claim_send(tx, sender, route, *limit, *lease_ms),
        Op::Sent {
            session,
            n,
            send_no,
            provider_id,
        } => {
            let attempt = Attempt::new(session, *n, *send_no);
            attempt.settle(tx, "sent", Some(provider_id), None)
        }
        Op::NotSent {
            session,
            n,
            send_no,
            error,
            then,
        } => {
            let attempt = Attempt::new(session, *n, *send_no);
            match then {
                NotSent::Again { delay_ms } => attempt.again(tx, error, *delay_ms),
                NotSent::Drop => attempt.settle(tx, "dropped", None, Some(error)),
            }
        }
        Op::Unknown {
            session,
            n,
            send_no,
            error,
        } => Attempt::new(session, *n, *send_no).unknown(tx, error),
        Op::Resolve { session, n, how } => resolve(tx, session, *n, how),
        _ => Err(misplaced(op)),
    }
}

fn claim_send(
    tx: &Tx<'_>,
    sender: &str,
    route: &str,
    limit: u32,
    lease_ms: i64,
) -> Result<Reply, Error> {
    in_range("limit", limit.into(), 1, CLAIM_MAX)?;
    in_range("lease_ms", lease_ms, 1, LONGEST_MS)?;
    let params = named_params! {":route": route, ":limit": limit, ":now": tx.now};
    let ready = tx.rows(Sql::SendsReady, params, |row| {
        row.get::<_, String>(0).map(SessionId::from)
    })?;
    let mut sending = Vec::with_capacity(ready.len());
    for session in ready {
        sending.extend(take(tx, session, sender, lease_ms)?);
    }
    Ok(Reply::Sending(sending))
}

fn take(
    tx: &Tx<'_>,
    session: SessionId,
    sender: &str,
    lease_ms: i64,
) -> Result<Option<Sending>, Error> {
    let params = named_params! {":session": session.as_str(), ":sender": sender, ":lease_ms": lease_ms,
    ":now": tx.now};
    let taken = tx.row(Sql::SendClaim, params, |row| {
        Ok(Sending {
            session: session.clone(),
            n: row.get(0)?,
            send_no: row.get(1)?,
            dedup_key: row.get(2)?,
            body: row.get(3)?,
            repeat: row.get::<_, i64>(4)? > 0,
            until_ms: row.get(5)?,
        })
    })?;
    if let Some(taken) = &taken {
        let fence = Some(Fence(taken.send_no));
        tx.audit(session.as_str(), sender, fence, &taken.n.to_string())?;
    }
    Ok(taken)
}

/// One attempt to send one message.
struct Attempt<'a> {
    session: &'a SessionId,
    n: i64,
    send_no: i64,
}

impl<'a> Attempt<'a> {
    fn new(session: &'a SessionId, n: i64, send_no: i64) -> Self {
        Self {
            session,
            n,
            send_no,
        }
    }

    /// It is over with this message, and the next one may go out.
    fn settle(
        &self,
        tx: &Tx<'_>,
        state: &str,
        provider_id: Option<&str>,
        error: Option<&str>,
    ) -> Result<Reply, Error> {
        let params = named_params! {":session": self.session.as_str(), ":n": self.n, ":send_no": self.send_no,
        ":state": state, ":provider_id": provider_id, ":error": error, ":now": tx.now};
        self.report(tx, Sql::SendSettle, params)?;
        ready_next(tx, self.session)?;
        Ok(Reply::Done)
    }

    fn again(&self, tx: &Tx<'_>, error: &str, delay_ms: i64) -> Result<Reply, Error> {
        in_range("delay_ms", delay_ms, 0, LONGEST_MS)?;
        let params = named_params! {":session": self.session.as_str(), ":n": self.n, ":send_no": self.send_no,
        ":error": error, ":delay_ms": delay_ms, ":now": tx.now};
        self.report(tx, Sql::SendAgain, params)?;
        Ok(Reply::Done)
    }

    fn unknown(&self, tx: &Tx<'_>, error: &str) -> Result<Reply, Error> {
        let params = named_params! {":session": self.session.as_str(), ":n": self.n, ":send_no": self.send_no,
        ":error": error};
        self.report(tx, Sql::SendUnknown, params)?;
        Ok(Reply::Done)
    }

    fn report(&self, tx: &Tx<'_>, id: Sql, params: Params<'_>) -> Result<(), Error> {
        let Some(state) = tx.row(id, params, |row| row.get::<_, String>(0))? else {
            return Err(self.refused(tx)?);
        };
        let detail = format!("{} {state}", self.n);
        let fence = Some(Fence(self.send_no));
        tx.audit(self.session.as_str(), "", fence, &detail)
    }

    fn refused(&self, tx: &Tx<'_>) -> Result<Error, Error> {
        let (state, held) = facts(tx, self.session, self.n)?;
        Ok(match held == self.send_no {
            true => Error::Closed { reason: state },
            false => Error::Fenced {
                held: Fence(held),
                yours: Fence(self.send_no),
            },
        })
    }
}

fn facts(tx: &Tx<'_>, session: &SessionId, n: i64) -> Result<(String, i64), Error> {
    let params = named_params! {":session": session.as_str(), ":n": n};
    tx.row(Sql::SendFacts, params, |row| Ok((row.get(0)?, row.get(1)?)))?
        .ok_or_else(|| not_found("message", &format!("{session}/{n}")))
}

fn ready_next(tx: &Tx<'_>, session: &SessionId) -> Result<(), Error> {
    let params = named_params! {":session": session.as_str(), ":now": tx.now};
    tx.run(Sql::SendNext, params).map(|_| ())
}

fn resolve(tx: &Tx<'_>, session: &SessionId, n: i64, how: &Resolve) -> Result<Reply, Error> {
    let (state, provider_id) = match how {
        Resolve::Sent { provider_id } => ("sent", Some(provider_id.as_str())),
        Resolve::Resend => ("pending", None),
        Resolve::Drop => ("dropped", None),
    };
    let params = named_params! {":session": session.as_str(), ":n": n, ":state": state, ":provider_id": provider_id,
    ":now": tx.now};
    if tx
        .row(Sql::SendResolve, params, |row| row.get::<_, String>(0))?
        .is_none()
    {
        let (reason, _) = facts(tx, session, n)?;
        return Err(Error::Closed { reason });
    }
    if !matches!(how, Resolve::Resend) {
        ready_next(tx, session)?;
    }
    tx.audit(session.as_str(), "", None, &format!("{n} {state}"))?;
    Ok(Reply::Done)
}
