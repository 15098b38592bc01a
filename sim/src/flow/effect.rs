//! `effect`: what happens outside and cannot be undone; over the network, if somebody waits to be told.

use std::collections::BTreeMap;
use std::rc::Rc;

use rusqlite::types::Value;

use super::Shared;
use super::exec::{Done, Exec, Failure, Frame, Next};
use crate::access::{self, Access};
use crate::label::Label;
use crate::ledger::Deed;
use crate::run::{Author, Ctx, Way};
use crate::scenario::{Expr, Step, StepKind};
use crate::trace::plain;

/// Keys that idempotent providers have seen, with the name of the effect, and when it happened, milliseconds of virtual time.
pub(super) type Seen = BTreeMap<(String, String), u64>;

/// Something outside happens, once more.
pub(super) fn effect(exec: &Exec<'_>, frame: &Frame, step: &Step) -> Done {
    let StepKind::Effect {
        name,
        intent,
        key,
        value,
        to,
        wait,
    } = &step.kind
    else {
        return Ok(Next::Step);
    };
    let given = |expr: &Option<Expr>| -> Result<Option<Value>, Failure> {
        expr.as_ref()
            .map(|expr| exec.value(frame, expr))
            .transpose()
    };
    let deed = Deed {
        name: name.as_str().into(),
        intent: given(intent)?,
        key: given(key)?,
        value: given(value)?,
        to: given(to)?,
    };
    exec.ctx.gate(&step.site);
    match wait {
        None => happen(exec.shared, exec.ctx, &exec.ctx.author(), deed),
        Some(wait) => return call(exec, step, deed, *wait),
    }
    Ok(Next::Step)
}

/// The provider is called: it may never hear of it, or its answer may be lost, or it acts when nobody waits any more.
fn call(exec: &Exec<'_>, step: &Step, deed: Deed, wait_ms: u64) -> Done {
    let ctx = exec.ctx;
    let message = exec.part(&step.site, &deed.name);
    let now = |deed: Deed| happen(exec.shared, ctx, &ctx.author(), deed);
    match ctx.call_outside(&message) {
        Way::Straight => now(deed),
        Way::Unheard => {
            now(deed);
            return exec.unanswered(step, wait_ms);
        }
        Way::Late(ms) if ms < wait_ms => {
            later(exec, deed, ms);
            exec.sleep(&step.site, ms)?;
        }
        Way::Late(ms) => {
            later(exec, deed, ms);
            return exec.unanswered(step, wait_ms);
        }
        Way::Lost => return exec.unanswered(step, wait_ms),
    }
    Ok(Next::Step)
}

/// It happens so much later, whatever becomes of its author meanwhile.
fn later(exec: &Exec<'_>, deed: Deed, after_ms: u64) {
    let (shared, author) = (Rc::clone(exec.shared), exec.ctx.author());
    let nth = exec.ctx.nth(&ON_THE_WAY);
    let carrier = format!("{}/{} on the way#{nth}", exec.ctx.cause(), deed.name);
    exec.ctx
        .spawn_outside(Label::new(&carrier), move |ctx: &Ctx| {
            ctx.sleep(&ON_THE_WAY, after_ms);
            happen(&shared, ctx, &author, deed);
        });
}

/// It happens now, unless the provider knows its key already.
fn happen(shared: &Shared, ctx: &Ctx, author: &Author, deed: Deed) {
    let provider = Label::new(&deed.name).hash();
    ctx.touches(|| Access::thing(access::name("provider", &[provider]), true));
    let mut providers = shared.program.effects.iter();
    let provider = providers.find(|provider| *provider.effect == *deed.name);
    let remembers = provider.filter(|provider| provider.idempotent);
    let known = remembers
        .zip(deed.key.as_ref())
        .is_some_and(|(provider, key)| {
            let (key, now) = ((deed.name.to_string(), plain(key)), ctx.now_ms());
            let mut seen = shared.seen.borrow_mut();
            let before = seen.get(&key).copied();
            let forgotten = |at: u64| provider.expires.is_some_and(|expires| now >= at + expires);
            let known = before.is_some_and(|at| !forgotten(at));
            if !known {
                seen.insert(key, now);
            }
            known
        });
    if known {
        ctx.refuse_effect(author, &deed, "known key");
    } else {
        ctx.happen_for(author, deed);
    }
}

const ON_THE_WAY: Label = Label::fixed("on the way");
