//! The order to the provider, and the wait for it under a lease.

use std::rc::Rc;

use lockstep_store::{Claimed, Op, PromptOutcome, Reply};

use super::{LEASE_MS, Went};
use crate::label::Label;
use crate::role::insist;
use crate::role::provider::{self, Order};
use crate::role::worker::Worker;
use crate::run::{Answer, Ctx, Mail, Request};
use crate::world::{Quirk, Town, goal};

/// An order without an answer is given again under the same key: the provider acts on it once.
pub(super) fn place(
    ctx: &Ctx,
    town: &Rc<Town>,
    me: &Worker,
    claimed: &Claimed,
    token: Option<String>,
) -> Went {
    let token = token.or_else(|| {
        let leaks = town.has(Quirk::LeaksToken);
        me.last_token.borrow().clone().filter(|_| leaks)
    });
    let mut order = Order {
        task: claimed.task.clone(),
        key: if town.has(Quirk::KeysByAttempt) {
            format!("{} {}", claimed.task, claimed.fence)
        } else {
            claimed.task.as_str().to_owned()
        },
        input: claimed.input.clone(),
        answer: claimed.prompt.as_ref().map(|prompt| words(&prompt.outcome)),
        token,
        place: me.place(),
        by: (ctx.process().name.clone(), ctx.process().incarnation.get()),
        given: ctx.kernel().position(),
    };
    let mut epoch = claimed.epoch;
    for attempt in 1..=ATTEMPTS {
        let mail = ctx.send(request(town, me, claimed, &order, attempt));
        let answer = match hold_on(ctx, me, claimed, &mail) {
            Err(went) => return went,
            Ok(answer) => answer,
        };
        if let Some(Answer::Reply(text)) = &answer {
            let key = (claimed.task.as_str().to_owned(), claimed.fence.0);
            town.heard.borrow_mut().insert(key, text.to_string());
        }
        match answer {
            Some(Answer::Reply(text)) if takes_for_lost(town, &order, &text) => {
                match forget_token(ctx, claimed, &order, epoch) {
                    Ok(next) => epoch = next,
                    Err(went) => return went,
                }
                order.token = None;
            }
            Some(Answer::Reply(text))
                if text.starts_with("asks ") && town.has(Quirk::AnswersItself) =>
            {
                order.answer = Some(order.input.clone());
            }
            Some(Answer::Reply(text)) => return went(town, &text, epoch),
            _ => ctx.sleep(&ORDER_AGAIN, REST_MS),
        }
    }
    Went::Wrong
}

/// Only the provider knows that a native session is gone, and it says so.
fn takes_for_lost(town: &Town, order: &Order, text: &str) -> bool {
    let any_failure = town.has(Quirk::AnyFailureDropsTheToken) && order.token.is_some();
    text == "lost" || (any_failure && text == "error")
}

fn request(
    town: &Rc<Town>,
    me: &Worker,
    claimed: &Claimed,
    order: &Order,
    attempt: u32,
) -> Request {
    let (shared, ordered) = (Rc::clone(town), order.clone());
    Request {
        cause: Label::new(&format!(
            "{} {} by {}/{attempt}",
            claimed.task, claimed.fence, me.id
        )),
        to: Rc::clone(&town.provider),
        handler: Rc::new(move |ctx: &Ctx| provider::serve(ctx, &shared, &ordered)),
    }
}

fn went(town: &Town, text: &str, epoch: i64) -> Went {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    match word {
        "done" => match rest.rsplit_once(' ') {
            Some((token, units)) => Went::Well {
                token: Some(token.to_owned()),
                epoch,
                units: units.to_owned(),
            },
            None => Went::Wrong,
        },
        "asks" => Went::Asks {
            token: rest.to_owned(),
        },
        "busy" if !town.has(Quirk::BusyIsAFailure) => Went::Busy,
        "error" if town.has(Quirk::CompletesFailures) => Went::Well {
            token: None,
            epoch,
            units: "0".to_owned(),
        },
        "never" => Went::Hopeless,
        _ => Went::Wrong,
    }
}

fn words(outcome: &PromptOutcome) -> String {
    match outcome {
        PromptOutcome::Chosen { idx, .. } => format!("button {idx}"),
        PromptOutcome::Text(text) => text.clone(),
        PromptOutcome::Expired => "nobody answered".to_owned(),
        PromptOutcome::Revoked => "never mind".to_owned(),
    }
}

/// The native session is gone, the provider says so: the next turn is not to look for it.
fn forget_token(ctx: &Ctx, claimed: &Claimed, order: &Order, epoch: i64) -> Result<i64, Went> {
    super::stall(ctx);
    let op = Op::DropResume {
        session: claimed.session.clone(),
        expected_epoch: epoch,
        evidence: "the provider does not know it".to_owned(),
    };
    let token = order.token.as_deref().unwrap_or_default();
    let op_id = format!("forget {token} {} {}", claimed.session, claimed.fence);
    match insist(ctx, Some(op_id), op) {
        Ok(Reply::Epoch(epoch)) => {
            ctx.kernel().reached(goal::TOKEN_DROPPED);
            Ok(epoch)
        }
        Ok(_) => Err(Went::Wrong),
        Err(error) => Err(Went::Lost(error)),
    }
}

/// Waits for the provider's answer and renews the lease meanwhile. Some turns renew it about when it runs out.
fn hold_on(
    ctx: &Ctx,
    me: &Worker,
    claimed: &Claimed,
    mail: &Rc<Mail>,
) -> Result<Option<Answer>, Went> {
    let patience = ctx.now_ms() + PATIENCE_MS;
    let every = match ctx.pick(&RENEWS, 4) {
        2 => LEASE_MS.unsigned_abs(),
        3 => ctx.amount(&RENEWS, RENEW_MS, LATE_RENEWAL_MS),
        _ => RENEW_MS,
    };
    while ctx.now_ms() < patience {
        let arrived = Rc::clone(mail);
        ctx.wait_or_stop(&PROVIDER, Some(ctx.now_ms() + every), move || {
            arrived.arrived()
        });
        if mail.arrived() {
            break;
        }
        if ctx.stopping() {
            return Err(Went::Stopped);
        }
        renew(ctx, me, claimed)?;
    }
    Ok(mail.get())
}

fn renew(ctx: &Ctx, me: &Worker, claimed: &Claimed) -> Result<(), Went> {
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
    if ctx.pick(&HEARTBEAT, 3) == 2 {
        let seen = Op::WorkerSeen {
            worker: me.id.clone(),
        };
        // A worker that was declared gone learns it here, or from its fence.
        if insist(ctx, None, seen).is_err() {
            ctx.kernel().reached(goal::HEARD_IT_IS_GONE);
        }
    }
    Ok(())
}

const PROVIDER: Label = Label::fixed("for the provider");
const ORDER_AGAIN: Label = Label::fixed("before the order is given again");
const RENEWS: Label = Label::fixed("how often it renews");
const HEARTBEAT: Label = Label::fixed("heartbeat");
const RENEW_MS: u64 = 4_000;
/// After the lease has expired, before every reaper has noticed.
const LATE_RENEWAL_MS: u64 = 11_000;
const REST_MS: u64 = 1_000;
const PATIENCE_MS: u64 = 120_000;
const ATTEMPTS: u32 = 3;
