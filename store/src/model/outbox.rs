//! Sending.

use super::world::{Message, World};
use super::{Answer, DAY_MS, closed, in_range, misplaced, not_found};
use crate::error::Error;
use crate::id::{Fence, SessionId};
use crate::op::{NotSent, Op, Resolve};
use crate::reply::{Reply, Sending};

pub(super) fn perform(world: &mut World, op: &Op) -> Answer {
    let now = world.now;
    match op {
        Op::ClaimSend {
            route,
            limit,
            lease_ms,
            ..
        } => return claim_send(world, route, *limit, *lease_ms),
        Op::Sent {
            session,
            n,
            send_no,
            ..
        } => {
            attempt(world, session, *n, *send_no)?.state = "sent";
            ready_next(world, session);
        }
        Op::NotSent {
            session,
            n,
            send_no,
            then: NotSent::Drop,
            ..
        } => {
            attempt(world, session, *n, *send_no)?.state = "dropped";
            ready_next(world, session);
        }
        Op::NotSent {
            session,
            n,
            send_no,
            then: NotSent::Again { delay_ms },
            ..
        } => {
            in_range("delay_ms", *delay_ms, 0, 30 * DAY_MS)?;
            let message = attempt(world, session, *n, *send_no)?;
            message.repeats += i64::from(message.state == "unknown");
            message.state = "pending";
            message.ready_ms = now + delay_ms;
        }
        Op::Unknown {
            session,
            n,
            send_no,
            ..
        } => attempt(world, session, *n, *send_no)?.state = "unknown",
        Op::Resolve { session, n, how } => resolve(world, session, *n, how)?,
        _ => return Err(misplaced(op)),
    }
    Ok(Reply::Done)
}

fn claim_send(world: &mut World, route: &str, limit: u32, lease_ms: i64) -> Answer {
    in_range("limit", limit.into(), 1, 1_000)?;
    in_range("lease_ms", lease_ms, 1, 30 * DAY_MS)?;
    let now = world.now;
    let mut ready: Vec<(i64, SessionId)> = Vec::new();
    for (id, session) in &mut world.sessions {
        if let Some(first) = session.first_unsettled()
            && first.state == "pending"
            && first.route == route
            && first.ready_ms <= now
        {
            ready.push((first.ready_ms, id.clone()));
        }
    }
    ready.sort();
    ready.truncate(limit as usize);
    let mut sending = Vec::new();
    for (_, id) in ready {
        let first = world.at(&id).first_unsettled().expect("it is ready");
        first.state = "sending";
        first.send_no += 1;
        first.until_ms = now + lease_ms;
        sending.push(Sending {
            session: id.clone(),
            n: first.n,
            send_no: first.send_no,
            dedup_key: first.dedup_key.clone(),
            body: first.body.clone(),
            repeat: first.repeats > 0,
            until_ms: first.until_ms,
        });
    }
    Ok(Reply::Sending(sending))
}

fn message<'w>(world: &'w mut World, id: &SessionId, n: i64) -> Result<&'w mut Message, Error> {
    world
        .sessions
        .get_mut(id)
        .and_then(|session| session.outbox.iter_mut().find(|message| message.n == n))
        .ok_or_else(|| not_found("message", format!("{id}/{n}")))
}

/// The message, if this attempt may still report about it.
fn attempt<'w>(
    world: &'w mut World,
    id: &SessionId,
    n: i64,
    send_no: i64,
) -> Result<&'w mut Message, Error> {
    let message = message(world, id, n)?;
    if message.send_no != send_no {
        return Err(Error::Fenced {
            held: Fence(message.send_no),
            yours: Fence(send_no),
        });
    }
    match message.state {
        "sending" | "unknown" => Ok(message),
        state => Err(closed(state)),
    }
}

/// A message was settled: the next one may go out from now on.
fn ready_next(world: &mut World, id: &SessionId) {
    let now = world.now;
    if let Some(next) = world.at(id).first_unsettled()
        && next.state == "pending"
    {
        next.ready_ms = now;
    }
}

fn resolve(world: &mut World, id: &SessionId, n: i64, how: &Resolve) -> Result<(), Error> {
    let now = world.now;
    let message = message(world, id, n)?;
    if message.state != "unknown" {
        return Err(closed(message.state));
    }
    match how {
        Resolve::Resend => {
            message.state = "pending";
            message.repeats += 1;
            message.ready_ms = now;
            return Ok(());
        }
        Resolve::Sent { .. } => message.state = "sent",
        Resolve::Drop => message.state = "dropped",
    }
    ready_next(world, id);
    Ok(())
}
