//! One turn of a worker: the provider does the work while the lease is renewed; then the turn ends in one commit.

mod end;
mod order;

use std::rc::Rc;

use lockstep_store::{Claimed, Error, Op, Reply};

use super::insist;
use super::worker::Worker;
use crate::label::Label;
use crate::run::Ctx;
use crate::world::{Town, goal};

/// How a turn went.
enum Went {
    /// The work is done; the token to go on with, the epoch of the one before, and what was charged.
    Well {
        token: Option<String>,
        epoch: i64,
        units: String,
    },
    /// The work cannot go on before the user has answered.
    Asks { token: String },
    /// It may go better next time.
    Wrong,
    /// It never will.
    Hopeless,
    /// The native session lets nobody in at the moment: no failure of the task's.
    Busy,
    /// Somebody asked for the task to be cancelled.
    Unwanted,
    /// The process is asked to stop.
    Stopped,
    /// The lease belongs to somebody else, or the session has ended: the worker stops.
    Lost(Error),
}

/// Runs the turn of a claimed session to its end, or until the lease is lost.
pub(crate) fn run(ctx: &Ctx, town: &Rc<Town>, me: &Worker, claimed: &Claimed) {
    if claimed.failures > 0 {
        ctx.kernel().reached(goal::TRIED_AGAIN);
    }
    let Some(token) = pointer(ctx, me, claimed) else {
        return;
    };
    let went = order::place(ctx, town, me, claimed, token);
    if let Err(Error::Fenced { .. }) = end::end(ctx, town, me, claimed, went)
        && town.taken.borrow().contains(claimed.task.as_str())
    {
        ctx.kernel().reached(goal::TAKEOVER);
    }
}

/// Some turns stand still, longer than their lease, and nobody renews it: between the claim and the look at the pointer, between
/// what the provider says and what is made of it.
fn stall(ctx: &Ctx) {
    if ctx.pick(&STALLS, 8) == 7 {
        ctx.take(&STALLS, SHORTEST_STALL_MS, LONGEST_STALL_MS);
    }
}

/// The token to resume: the claim's, or asked for once more.
fn pointer(ctx: &Ctx, me: &Worker, claimed: &Claimed) -> Option<Option<String>> {
    if ctx.pick(&ASKS_POINTER, 3) == 0 {
        return Some(claimed.resume_token.clone());
    }
    stall(ctx);
    match insist(
        ctx,
        None,
        Op::Resume {
            session: claimed.session.clone(),
            worker: me.id.clone(),
        },
    ) {
        Ok(Reply::Pointer(pointer)) => Some(pointer.token),
        _ => None,
    }
}

/// How long a lease lasts unless it is renewed.
pub(crate) const LEASE_MS: i64 = 10_000;
const STALLS: Label = Label::fixed("stands still");
const SHORTEST_STALL_MS: u64 = 20_000;
const LONGEST_STALL_MS: u64 = 120_000;
const ASKS_POINTER: Label = Label::fixed("asks for the pointer");
