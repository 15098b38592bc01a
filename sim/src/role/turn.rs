//! One turn of a worker: the provider does the work while the lease is renewed; then the turn ends in one commit.

mod end;

use std::rc::Rc;

use lockstep_store::{Claimed, Error, Op, Reply};

use super::insist;
use super::provider::{self, Order};
use super::worker::Worker;
use crate::label::Label;
use crate::run::{Answer, Ctx, Mail, Request};
use crate::world::{Town, goal};

/// How a turn went.
enum Went {
    Well {
        token: String,
    },
    Wrong,
    /// Somebody asked for the task to be cancelled.
    Unwanted,
    /// The lease belongs to somebody else, or the session has ended: the worker stops.
    Lost(Error),
}

/// Runs the turn of a claimed session to its end, or until the lease is lost.
pub(crate) fn run(ctx: &Ctx, town: &Rc<Town>, me: &Worker, claimed: &Claimed) {
    if claimed.attempt > 1 {
        ctx.kernel().reached(goal::TRIED_AGAIN);
    }
    let Some(token) = pointer(ctx, me, claimed) else {
        return;
    };
    let went = ask_provider(ctx, town, me, claimed, token);
    if let Err(Error::Fenced { .. }) = end::end(ctx, town, claimed, went)
        && town.reaped.borrow().contains(claimed.task.as_str())
    {
        ctx.kernel().reached(goal::TAKEOVER);
    }
}

/// The token to resume: the claim's, or asked for once more.
fn pointer(ctx: &Ctx, me: &Worker, claimed: &Claimed) -> Option<Option<String>> {
    if ctx.pick(&ASKS_POINTER, 3) == 0 {
        return Some(claimed.resume_token.clone());
    }
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

/// An order without an answer is given again under the same key: the provider acts on it once.
fn ask_provider(
    ctx: &Ctx,
    town: &Rc<Town>,
    me: &Worker,
    claimed: &Claimed,
    token: Option<String>,
) -> Went {
    let key = claimed.task.as_str().to_owned();
    let order = Rc::new(Order {
        key,
        intent: claimed.input.clone(),
        token,
        place: me.place(),
    });
    for attempt in 1..=ATTEMPTS {
        let (shared, ordered) = (Rc::clone(town), Rc::clone(&order));
        let request = Request {
            cause: Label::new(&format!(
                "{} {} by {}/{attempt}",
                claimed.task, claimed.fence, me.id
            )),
            to: Rc::clone(&town.provider),
            handler: Rc::new(move |ctx: &Ctx| provider::serve(ctx, &shared, &ordered)),
        };
        let mail = ctx.send(request);
        match hold_on(ctx, claimed, &mail) {
            Err(went) => return went,
            Ok(Some(Answer::Reply(text))) => {
                let token = text.strip_prefix("done ").map(str::to_owned);
                return token.map_or(Went::Wrong, |token| Went::Well { token });
            }
            Ok(_) => ctx.sleep(&ORDER_AGAIN, REST_MS),
        }
    }
    Went::Wrong
}

/// Waits for the provider's answer and renews the lease meanwhile.
fn hold_on(ctx: &Ctx, claimed: &Claimed, mail: &Rc<Mail>) -> Result<Option<Answer>, Went> {
    let patience = ctx.now_ms() + PATIENCE_MS;
    while ctx.now_ms() < patience {
        let arrived = Rc::clone(mail);
        if ctx.wait(&PROVIDER, Some(ctx.now_ms() + RENEW_MS), move || {
            arrived.arrived()
        }) {
            break;
        }
        let renew = Op::Renew {
            session: claimed.session.clone(),
            fence: claimed.fence,
            lease_ms: LEASE_MS,
        };
        match insist(ctx, None, renew) {
            Ok(Reply::Renewed(renewed)) if renewed.cancel_asked => return Err(Went::Unwanted),
            Ok(_) => ctx.kernel().reached(goal::LEASE_RENEWED),
            Err(error) => return Err(Went::Lost(error)),
        }
    }
    Ok(mail.get())
}

/// How long a lease lasts unless it is renewed.
pub(crate) const LEASE_MS: i64 = 10_000;
const RENEW_MS: u64 = 4_000;
const ASKS_POINTER: Label = Label::fixed("asks for the pointer");
const PROVIDER: Label = Label::fixed("for the provider");
const ORDER_AGAIN: Label = Label::fixed("before the order is given again");
const REST_MS: u64 = 1_000;
const PATIENCE_MS: u64 = 120_000;
const ATTEMPTS: u32 = 3;
